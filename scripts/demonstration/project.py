"""The QGIS project: grouped layers with Vietnamese names, a map theme per domain, relative paths, pinned shift."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from qgis.core import (
    Qgis,
    QgsCoordinateReferenceSystem,
    QgsHillshadeRenderer,
    QgsMapLayer,
    QgsMapThemeCollection,
    QgsProject,
    QgsRasterLayer,
    QgsReferencedRectangle,
    QgsVectorLayer,
)

from ...processing_algorithms.common.errors import InputError, OutputError
from ...processing_algorithms.common.language import say
from ...processing_algorithms.common.qgis_crs import pin_project
from . import analyses
from .database import hub_layer
from .folder import Folder

_STYLES = Path(__file__).resolve().parents[2] / "styles"
BOUNDARIES, DISASTER, TRAFFIC, ZONING, LAND_USE, BASE = (
    "Địa giới hành chính", "Phòng, chống thiên tai", "Mạng lưới giao thông", "Quy hoạch đô thị và nông thôn",
    "Sử dụng đất",
    "Nền địa lý")


@dataclass(frozen=True)
class _Part:
    """One layer of the project: where it comes from, how it looks, and in which themes it is switched on."""

    key: str
    group: str
    style: str | None
    themes: str
    open: Callable[[Folder], QgsMapLayer]


def _result(file: str, name: str) -> Callable[[Folder], QgsMapLayer]:
    return lambda folder: _table(folder.result(file), Path(file).stem, name, "")


def _report(table: str, name: str, only: str = "") -> Callable[[Folder], QgsMapLayer]:
    return lambda folder: _table(folder.report / "bao_cao.gpkg", table, name, only)


def _table(path: Path, table: str, name: str, only: str) -> QgsVectorLayer:
    return QgsVectorLayer(f"{path}|layername={table}" + (f"|subset={only}" if only else ""), name, "ogr")


def _dataset(dataset: str, name: str, only: str = "") -> Callable[[Folder], QgsMapLayer]:
    return lambda folder: hub_layer(folder, dataset, name, only)


#: From the top of the layer tree down. Themes: d disaster, t traffic, z zoning, l land use.
_PARTS = (
    _Part("units", BOUNDARIES, "provincial_database/administrative_unit.qml", "dtl", analyses.units),
    _Part("levels", DISASTER, "base/water_level.qml", "d",
          _report("muc_nuoc", "Trạm thủy văn và mực nước theo bản tin")),
    _Part("shelters", DISASTER, "disaster/shelter.qml", "", _dataset("shelter", "Điểm sơ tán")),
    _Part("exposed", DISASTER, "base/exposed_building.qml", "d",
          _report("cong_trinh_ngap", "Công trình bị ngập, theo độ sâu", "depth_class >= 1")),
    _Part("closed", DISASTER, "disaster/flood_report_streets.qml", "", _report("duong", "Đường không bảo đảm lưu thông", "passability >= 4")),
    _Part("depth", DISASTER, "disaster/flood_depth.qml", "d",
          lambda folder: QgsRasterLayer(str(folder.report / "do_sau_ngap.tif"), "Độ sâu ngập", "gdal")),
    _Part("origins", TRAFFIC, "traffic/service_area_origins.qml", "t",
          _result("noi_xuat_phat.gpkg", "Trạm y tế, bệnh viện")),
    _Part("facilities", TRAFFIC, "traffic/facility.qml", "",
          _dataset("facility", "Công trình dịch vụ, hạ tầng xã hội")),
    _Part("reached", TRAFFIC, "traffic/service_area_lines.qml", "", _result("duong_den_duoc.gpkg", "Đường đến được")),
    _Part("roads", TRAFFIC, "traffic/road.qml", "", _dataset("road", "Đường giao thông theo cấp")),
    _Part("streets", TRAFFIC, "base/road_plain.qml", "td", _dataset("road", "Đường giao thông")),
    _Part("areas", TRAFFIC, "base/travel_time.qml", "t", _result("pham_vi_phuc_vu.gpkg", "Phạm vi phục vụ")),
    _Part("plan", ZONING, "zoning/plan.qml", "z",
          _dataset("plan", "Ranh giới quy hoạch phân khu", f"plan_ref = '{analyses.SUB_AREA_PLAN}'")),
    _Part("plans", ZONING, "zoning/plan.qml", "", _dataset("plan", "Ranh giới các đồ án quy hoạch")),
    _Part("constraints", ZONING, "zoning/constraint_overlay.qml", "z",
          _dataset("constraint_overlay", "Khu vực hạn chế, khống chế xây dựng")),
    _Part("pieces", ZONING, "zoning/parcel_zoning.qml", "",
          _result("thua_theo_o_quy_hoach.gpkg", "Thửa đất theo ô quy hoạch")),
    _Part("parcels", ZONING, "base/parcel_outline.qml", "z", _dataset("parcel", "Thửa đất")),
    _Part("zones", ZONING, "zoning/zone.qml", "z", analyses.zones),
    _Part("changes", LAND_USE, "land_use/land_use_change.qml", "",
          _result("chu_chuyen.gpkg", "Phần đất đổi loại 2020-2025")),
    _Part("land_use", LAND_USE, "land_use/land_use.qml", "l", lambda folder: analyses.land_use(folder, 2025)),
    _Part("land_use_before", LAND_USE, "land_use/land_use.qml", "", lambda folder: analyses.land_use(folder, 2020)),
    _Part("buildings", BASE, "base/building_plain.qml", "d", _dataset("building", "Công trình, nhà ở")),
    _Part("river", BASE, "base/water.qml", "dtz", _dataset("river", "Sông, kênh, mặt nước")),
    _Part("hillshade", BASE, None, "d", lambda folder: _hillshade(folder)),
)
THEMES = {"d": "Ngập lụt", "t": "Giao thông", "z": "Quy hoạch", "l": "Hiện trạng sử dụng đất"}


def _hillshade(folder: Folder) -> QgsRasterLayer:
    """The terrain as a light shaded relief."""
    layer = QgsRasterLayer(str(folder.terrain), "Địa hình (bóng đổ)", "gdal")
    renderer = QgsHillshadeRenderer(layer.dataProvider(), 1, 315.0, 45.0)
    renderer.setZFactor(4.0)
    renderer.setMultiDirectional(True)
    layer.setRenderer(renderer)
    layer.brightnessFilter().setBrightness(85)
    layer.brightnessFilter().setContrast(-30)
    return layer


def make_project(folder: Folder) -> tuple[QgsProject, dict[str, QgsMapLayer]]:
    """Build the project with all layers, groups and themes; return it and its layers by key.

    Raises
    ------
    InputError
        A layer or its style cannot be opened.
    """
    project = QgsProject.instance()
    project.clear()
    project.setCrs(QgsCoordinateReferenceSystem("EPSG:9214"))
    pin_project(project)
    project.setTitle("QuyHoach: dữ liệu mẫu đô thị Lam Trạch (không có giá trị pháp lý)")
    project.setFilePathStorage(Qgis.FilePathType.Relative)
    # Relative paths are resolved against the file, so the name is known before the first layer comes in.
    project.setFileName(str(folder.project))
    root = project.layerTreeRoot()
    groups = {name: root.addGroup(name) for name in dict.fromkeys(part.group for part in _PARTS)}
    layers = {}
    for part in _PARTS:
        layer = part.open(folder)
        if not layer.isValid():
            raise InputError(say("Không mở được lớp {layer}.",
                                 "The layer {layer} cannot be opened.").format(layer=layer.name()))
        if part.style is not None:
            _apply_style(layer, _STYLES / part.style)
        project.addMapLayer(layer, False)
        node = groups[part.group].addLayer(layer)
        node.setExpanded(False)
        layers[part.key] = layer
    _name_breaks(layers)
    layers["plan"].setLabelsEnabled(False)  # its name is the title of the sheet
    _show_theme(project, layers, "d")
    for sign, name in THEMES.items():
        _add_theme(project, layers, sign, name)
    extent = layers["hillshade"].extent()
    project.viewSettings().setDefaultViewExtent(QgsReferencedRectangle(extent, project.crs()))
    return project, layers


def save_project(project: QgsProject) -> None:
    """Write the project to its file.

    Raises
    ------
    OutputError
        QGIS could not write it.
    """
    if not project.write():
        raise OutputError(say("Không ghi được dự án {path}: {why}", "The project {path} cannot be written: {why}")
                          .format(path=project.fileName(), why=project.error()))


def layers_of(layers: dict[str, QgsMapLayer], sign: str) -> list[QgsMapLayer]:
    """The layers of a theme, uppermost first."""
    return [layers[part.key] for part in _PARTS if sign in part.themes]


def _apply_style(layer: QgsMapLayer, path: Path) -> None:
    # Symbols and labels only: the form of a layer comes with the database.
    categories = QgsMapLayer.StyleCategory.Symbology | QgsMapLayer.StyleCategory.Labeling
    message, loaded = layer.loadNamedStyle(str(path), True, categories)
    if not loaded:
        raise InputError(say("Không đọc được ký hiệu {path}: {why}", "The style {path} cannot be read: {why}")
                         .format(path=path, why=message))


def _name_breaks(layers: dict[str, QgsMapLayer]) -> None:
    """Put the breaks of this run into the legends of the service areas, and leave the unused bands out."""
    breaks = analyses.BREAKS.split(";")
    for key in ("areas", "reached"):
        renderer = layers[key].renderer().clone()
        for position in reversed(range(len(renderer.categories()))):
            if position < len(breaks):
                renderer.updateCategoryLabel(position, f"Đến {breaks[position]} phút")
            else:
                renderer.deleteCategory(position)
        layers[key].setRenderer(renderer)


def _show_theme(project: QgsProject, layers: dict[str, QgsMapLayer], sign: str) -> None:
    shown = {layers[part.key].id() for part in _PARTS if sign in part.themes}
    for node in project.layerTreeRoot().findLayers():
        node.setItemVisibilityChecked(node.layerId() in shown)


def _add_theme(project: QgsProject, layers: dict[str, QgsMapLayer], sign: str, name: str) -> None:
    records = []
    for part in _PARTS:
        if sign in part.themes:
            record = QgsMapThemeCollection.MapThemeLayerRecord(layers[part.key])
            record.isVisible = True
            record.usingCurrentStyle = True
            record.currentStyle = layers[part.key].styleManager().currentStyle()
            records.append(record)
    theme = QgsMapThemeCollection.MapThemeRecord()
    theme.setLayerRecords(records)
    project.mapThemeCollection().insert(name, theme)
