"""Processing algorithm ``quyhoach:plandossierexport``, and how a dossier's project looks."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qgis.core import (
    Qgis,
    QgsCategorizedSymbolRenderer,
    QgsFillSymbol,
    QgsLineSymbol,
    QgsMapLayer,
    QgsMarkerSymbol,
    QgsPalLayerSettings,
    QgsProcessingContext,
    QgsProcessingFeedback,
    QgsProcessingOutputFile,
    QgsProcessingOutputNumber,
    QgsProcessingParameterFile,
    QgsProcessingParameterFolderDestination,
    QgsRendererCategory,
    QgsSingleSymbolRenderer,
    QgsSymbol,
    QgsVectorLayer,
    QgsVectorLayerSimpleLabeling,
)

from ...common import qgis_parameters as ask
from ...common.errors import InputError, OutputError
from ...common.language import say
from ...common.qgis_algorithm import PLUGIN_FOLDER, QuyHoachAlgorithm
from ...common.qgis_project import Group, save_project

if TYPE_CHECKING:
    from .project import ProjectLayer
    from .reading import Dossier
    from .schema import DossierSchema

_ZONE_STYLE = PLUGIN_FOLDER / "styles" / "zoning" / "zone.qml"


class PlanDossierExportAlgorithm(QuyHoachAlgorithm):
    """A dossier with a styled project that opens anywhere; see `project` and `qgis_project`."""

    ID = "plandossierexport"
    ROOM = "zoning"
    TAGS = ("HoSoGIS", "TT 16/2025", "hồ sơ", "qgz", "dự án", "dossier", "project")
    NEEDS = (*QuyHoachAlgorithm.NEEDS, "pyogrio")

    def title(self) -> str:  # noqa: D102
        return say("Xuất cơ sở dữ liệu GIS của đồ án quy hoạch", "Export the GIS dossier of a plan")

    def help(self) -> str:  # noqa: D102
        return say(
            "Lập tệp dự án .qgz của hồ sơ HoSoGIS: các lớp theo nhóm của Thông tư 16/2025/TT-BXD, tên tiếng Việt, chức "
            "năng sử dụng đất tô màu theo phụ lục I, đường dẫn tương đối. Dự án mở được bằng QGIS bất kỳ, không cần phần "
            "bổ trợ này. Có thể chép cả hồ sơ sang thư mục khác với tên tệp đúng quy định.\n\n"
            "Màu của các nhóm lớp khác (giao thông, cấp nước…) do phần mềm đề xuất, Thông tư không quy định; lớp đó có ghi "
            "chú. Lớp không có đối tượng và cơ sở dữ liệu hiện trạng được đưa vào dự án nhưng tắt. Dữ liệu không bị sửa; "
            "hình không hợp lệ, không có hình được giữ nguyên: dùng \"Kiểm tra cơ sở dữ liệu GIS của đồ án quy hoạch\".",
            "Makes the project file (.qgz) of a dossier HoSoGIS: classes in the groups of Circular 16/2025/TT-BXD, named in "
            "Vietnamese, land functions in the colours of annex I, relative paths. Any QGIS opens it, without this plugin. "
            "The whole dossier can be copied to another folder, its files under their right names.\n\n"
            "Colours of the other groups (transport, water…) are our proposal, the circular sets none; their layers say so. "
            "Classes without features and the present state are in the project, switched off. Data are not changed; invalid "
            "and null shapes stay as they are: use the check of the dossier.")

    def parameters(self) -> list[Any]:  # noqa: D102
        return [
            dossier_parameter(),
            ask.text("PLAN_NAME", say("Tên đồ án quy hoạch", "Name of the plan"),
                     say("Thành tên tệp và tiêu đề dự án. Để trống: lấy ở lớp ranh giới quy hoạch.",
                         "Becomes the project's file name and title. Blank: from the class of the plan boundary."), optional=True),
            ask.with_help(QgsProcessingParameterFolderDestination(
                "OUTPUT", say("Thư mục chép hồ sơ sang", "Folder to copy the dossier to"), None, True, False),
                say("Hồ sơ được chép thành thư mục HoSoGIS trong đó. Để trống: chỉ ghi dự án vào chính hồ sơ.",
                    "The dossier is copied there as a folder HoSoGIS. Blank: only the project is written, into the dossier "
                    "itself.")),
        ]

    def outputs(self) -> list[Any]:  # noqa: D102
        return [QgsProcessingOutputFile("PROJECT", say("Tệp dự án", "Project file")),
                QgsProcessingOutputNumber("LAYERS", say("Số lớp trong dự án", "Layers in the project"))]

    def flags(self) -> Any:  # noqa: D102
        # A project and its layers are made: objects of the main thread.
        return super().flags() | Qgis.ProcessingAlgorithmFlag.NoThreading

    def prepare(  # noqa: D102
        self, parameters: dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> None:
        from .reading import find_folder

        self.folder = find_folder(self.parameterAsString(parameters, "DOSSIER", context))
        self.target = self.parameterAsFileOutput(parameters, "OUTPUT", context) if parameters.get("OUTPUT") else ""
        self.plan_name = self.parameterAsString(parameters, "PLAN_NAME", context).strip()

    def process(  # noqa: D102
        self, parameters: dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> dict[str, Any]:
        from ...common.progress import part
        from .project import copy_databases
        from .reading import read_dossier
        from .schema import load_schema

        progress = self.progress(feedback)
        schema = load_schema(datetime.date.today())
        dossier = read_dossier(self.folder, progress=part(progress, 0.0, 0.5))
        unreadable = [file.path.name for file in dossier.files if file.error]
        if unreadable:
            raise InputError(say("Không đọc được {names}; hãy kiểm tra hồ sơ trước khi xuất.",
                                 "{names} cannot be read; check the dossier before exporting it.")
                             .format(names=", ".join(unreadable)))
        if not dossier.files:
            raise InputError(say("Thư mục {path} không có cơ sở dữ liệu nào của hồ sơ (HienTrang, QuyHoach, NenDiaHinh, MocGioi); hãy "
                                 "chọn thư mục HoSoGIS.",
                                 "The folder {path} holds none of the dossier's databases (HienTrang, QuyHoach, NenDiaHinh, MocGioi); "
                                 "choose the folder HoSoGIS.").format(path=dossier.folder))
        if self.target:
            Path(self.target).mkdir(parents=True, exist_ok=True)
            dossier = read_dossier(copy_databases(dossier, self.target), progress=part(progress, 0.5, 0.8))
        path, count = write_dossier_project(dossier, schema, self.plan_name)
        feedback.pushInfo(say("Dự án {path}: {n} lớp.", "Project {path}: {n} layers.").format(path=path, n=count))
        return {"OUTPUT": str(dossier.folder), "PROJECT": str(path), "LAYERS": count}


def dossier_parameter() -> QgsProcessingParameterFile:
    """The dossier, ``DOSSIER``."""
    return ask.with_help(
        QgsProcessingParameterFile("DOSSIER", say("Thư mục hồ sơ HoSoGIS", "Folder of the dossier (HoSoGIS)"),
                                   Qgis.ProcessingFileParameterBehavior.Folder),
        say("Thư mục có HienTrang, QuyHoach, NenDiaHinh, MocGioi dạng .gpkg hoặc .gdb; hoặc thư mục chứa HoSoGIS.",
            "The folder with HienTrang, QuyHoach, NenDiaHinh, MocGioi as .gpkg or .gdb; or the folder that holds HoSoGIS."))


def write_dossier_project(dossier: Dossier, schema: DossierSchema, plan_name: str = "") -> tuple[Path, int]:
    """Write the project of a dossier into its folder; return it and how many layers it has.

    Raises
    ------
    OutputError
        A layer cannot be opened, or the project cannot be written.
    """
    from .project import GROUPS, project_layers, project_name
    from .schema import BOUNDARY, OBJECT_NAME

    found = project_layers(dossier, schema)
    if not plan_name:
        frames = [layer.frame for file in dossier.files if file.database == "QuyHoach" for layer in file.layers
                  if layer.name == BOUNDARY and OBJECT_NAME in layer.frame.columns]
        names = [name for frame in frames for name in frame[OBJECT_NAME] if isinstance(name, str) and name.strip()]
        plan_name = names[0] if names else ""
    groups: dict[str, Group] = {}
    inner: dict[tuple[str, str], Group] = {}
    crs = None
    for one in found:
        layer = _layer(one, schema)
        crs = crs or (layer.crs() if layer.crs().isValid() else None)
        group = groups.setdefault(one.database, Group(GROUPS.get(one.database, one.database), visible=True))
        if (one.database, one.dataset) not in inner:
            inner[one.database, one.dataset] = Group(one.dataset, expanded=False)
            group.groups.append(inner[one.database, one.dataset])
        inner[one.database, one.dataset].layers.append((layer, one.visible))
    if crs is None:
        raise OutputError(say("Không lớp nào của hồ sơ khai báo hệ tọa độ; không lập được dự án.",
                              "No class of the dossier states a coordinate system; no project can be made."))
    path = dossier.folder / project_name(plan_name)
    save_project(path, plan_name or say("Đồ án quy hoạch", "Plan"), crs, groups.values())
    return path, len(found)


def _layer(one: ProjectLayer, schema: DossierSchema) -> QgsVectorLayer:
    # Without looking for default styles a layer opens in half the time, and there are 149.
    layer = QgsVectorLayer(f"{one.source}|layername={one.table}", one.title, "ogr", QgsVectorLayer.LayerOptions(False))
    if not layer.isValid():
        raise OutputError(say("Không mở được lớp {name} ({source}).", "The layer {name} ({source}) cannot be opened.")
                          .format(name=one.table, source=one.source))
    looks = {"functions": _functions, "boundary": _boundary, "zones": _zones, "sub_areas": _sub_areas}
    looks.get(one.look, _theme)(layer, one, schema)
    if one.item is not None:
        for field in schema.fields_of(one.item.name):
            position = layer.fields().lookupField(field.name)
            if position >= 0:
                layer.setFieldAlias(position, field.name_vi)
    note = "" if one.look == "functions" else " Màu do phần mềm đề xuất, không phải màu quy định."
    about = layer.metadata()
    about.setAbstract(f"{one.database}/{one.dataset}/{one.table}.{note}")
    layer.setMetadata(about)
    return layer


def _functions(layer: QgsVectorLayer, one: ProjectLayer, schema: DossierSchema) -> None:
    """Official colours of the style of zones, by every spelling of a function the check accepts."""
    from .check_values import function_names
    from .schema import KIND

    categories = QgsMapLayer.StyleCategory.Symbology
    message, loaded = layer.loadNamedStyle(str(_ZONE_STYLE), True, categories)
    renderer = layer.renderer()
    if not loaded or not isinstance(renderer, QgsCategorizedSymbolRenderer):
        raise OutputError(say("Không đọc được ký hiệu {path}: {why}", "The style {path} cannot be read: {why}")
                          .format(path=_ZONE_STYLE, why=message))
    spellings: dict[str, list[str]] = {}
    for word, code in function_names(schema).items():
        spellings.setdefault(code, []).append(word)
    official = QgsCategorizedSymbolRenderer(KIND)
    for category in renderer.categories():
        values = spellings.get(str(category.value()), None)
        official.addCategory(QgsRendererCategory(values if values else category.value(), category.symbol().clone(),
                                                 category.label()))
    layer.setRenderer(official)


def _boundary(layer: QgsVectorLayer, one: ProjectLayer, schema: DossierSchema) -> None:
    layer.setRenderer(QgsSingleSymbolRenderer(QgsFillSymbol.createSimple(
        {"style": "no", "outline_color": "#c00000", "outline_width": "0.9", "outline_style": "dash dot"})))


def _zones(layer: QgsVectorLayer, one: ProjectLayer, schema: DossierSchema) -> None:
    layer.setRenderer(QgsSingleSymbolRenderer(QgsFillSymbol.createSimple(
        {"style": "no", "outline_color": "#303030", "outline_width": "0.2"})))
    if layer.fields().lookupField("kyHieuO") < 0:
        return
    settings = QgsPalLayerSettings()
    settings.fieldName = "kyHieuO"
    settings.placement = Qgis.LabelPlacement.Horizontal
    settings.scaleVisibility, settings.minimumScale = True, 15_000
    style = settings.format()
    style.setSize(7)
    halo = style.buffer()
    halo.setEnabled(True)
    halo.setSize(0.6)
    style.setBuffer(halo)
    settings.setFormat(style)
    layer.setLabeling(QgsVectorLayerSimpleLabeling(settings))
    layer.setLabelsEnabled(True)


def _sub_areas(layer: QgsVectorLayer, one: ProjectLayer, schema: DossierSchema) -> None:
    layer.setRenderer(QgsSingleSymbolRenderer(QgsFillSymbol.createSimple(
        {"style": "no", "outline_color": "#7030a0", "outline_width": "0.6", "outline_style": "dash"})))


def _theme(layer: QgsVectorLayer, one: ProjectLayer, schema: DossierSchema) -> None:
    """One symbol in the colour of the group; red lines and corridors as drawings have them."""
    geometry = one.geometry or {Qgis.GeometryType.Point: "P",
                                Qgis.GeometryType.Line: "L"}.get(layer.geometryType(), "A")
    symbol: QgsSymbol
    if geometry == "P":
        symbol = QgsMarkerSymbol.createSimple({"name": "square" if one.database == "MocGioi" else "circle",
                                               "color": one.colour, "outline_color": "#ffffff", "size": "1.8"})
    elif geometry == "L":
        dashed = one.item is not None and one.item.name in ("ChiGioiXayDung_L", "HanhLangAnToan_L",
                                                            "RanhGioiHanhChinh_L")
        symbol = QgsLineSymbol.createSimple({"line_color": one.colour, "line_width": "0.4",
                                             "line_style": "dash" if dashed else "solid"})
    else:
        red, green, blue = (int(one.colour[at:at + 2], 16) for at in (1, 3, 5))
        symbol = QgsFillSymbol.createSimple({"color": f"{red},{green},{blue},60", "outline_color": one.colour,
                                             "outline_width": "0.15"})
    layer.setRenderer(QgsSingleSymbolRenderer(symbol))
