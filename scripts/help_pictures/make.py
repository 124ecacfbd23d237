"""Draw the pictures of the help: the sample town with official symbols, and what the main algorithms make of it.

A picture bears the id of an algorithm or of a room; an algorithm without one of its own shows its room's.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

from qgis.core import (
    QgsApplication,
    QgsHillshadeRenderer,
    QgsLayerTreeModel,
    QgsMapLayer,
    QgsMapRendererParallelJob,
    QgsMapSettings,
    QgsProject,
    QgsRasterLayer,
    QgsRectangle,
    QgsVectorLayer,
)
from qgis.PyQt.QtCore import QRectF, QSize, Qt
from qgis.PyQt.QtGui import QColor, QFont, QIcon, QImage, QPainter, QPixmap

ROOT = Path(__file__).resolve().parents[2]
IMAGES = ROOT / "plugin" / "help" / "images"
SAMPLES = ROOT / "data_samples"
TOWN = SAMPLES / "town.gpkg"
WIDTH, HEIGHT, LEGEND = 760, 430, 220
_DPI = 96


def dressed(names: str) -> dict[str, QgsMapLayer]:
    """Open layers of the town with their official look."""
    from quyhoach.processing_algorithms.common.qgis_open_layers import open_layers
    from quyhoach.processing_algorithms.provincial_database.stored_tables import stored_tables

    return {one.table.name: one.layer for one in open_layers(str(TOWN), stored_tables(str(TOWN), names))}


def styled(path: str, style: str, name: str) -> QgsMapLayer:
    """Open a result with the style its algorithm gives it."""
    layer = QgsRasterLayer(path, name) if path.endswith(".tif") else QgsVectorLayer(path, name, "ogr")
    layer.loadNamedStyle(str(ROOT / "styles" / style))
    layer.setName(name)
    return layer


def hillshade() -> QgsRasterLayer:
    """The terrain as a light shaded relief."""
    layer = QgsRasterLayer(str(SAMPLES / "terrain.tif"), "Địa hình")
    renderer = QgsHillshadeRenderer(layer.dataProvider(), 1, 315.0, 45.0)
    renderer.setZFactor(4.0)
    layer.setRenderer(renderer)
    layer.brightnessFilter().setBrightness(85)
    return layer


def draw(name: str, layers: list[QgsMapLayer], scale: float, centre: tuple[float, float], legend_of: QgsMapLayer | None = None) -> None:
    """Draw layers, uppermost first, with the legend of one of them beside the map; as a small PNG of 128 colours."""
    image = QImage(WIDTH, HEIGHT, QImage.Format.Format_RGB32)
    image.fill(QColor("white"))
    painter = QPainter(image)
    settings = QgsMapSettings()
    settings.setLayers(layers)
    settings.setDestinationCrs(layers[0].crs())
    width = WIDTH - (LEGEND if legend_of is not None else 0)
    settings.setOutputSize(QSize(width, HEIGHT))
    settings.setOutputDpi(_DPI)
    metre = scale * 0.0254 / _DPI
    settings.setExtent(QgsRectangle(centre[0] - width / 2 * metre, centre[1] - HEIGHT / 2 * metre,
                                    centre[0] + width / 2 * metre, centre[1] + HEIGHT / 2 * metre))
    job = QgsMapRendererParallelJob(settings)
    job.start()
    job.waitForFinished()
    painter.drawImage(0, 0, job.renderedImage())
    if legend_of is not None:
        _legend(painter, legend_of, width + 10)
    painter.end()
    target = IMAGES / f"{name}.png"
    target.parent.mkdir(parents=True, exist_ok=True)
    small = image.convertToFormat(QImage.Format.Format_Indexed8, Qt.ImageConversionFlag.ThresholdDither)
    small.save(str(target), "PNG", 0)
    print(f"{target.name}: {target.stat().st_size / 1000:.0f} kB")


def _legend(painter: QPainter, layer: QgsMapLayer, left: int) -> None:
    from quyhoach.processing_algorithms.common.qgis_dressing import show_present

    project = QgsProject()
    project.addMapLayer(layer.clone(), False)
    node = project.layerTreeRoot().addLayer(next(iter(project.mapLayers().values())))
    show_present(node)
    model = QgsLayerTreeModel(project.layerTreeRoot())
    model.refreshLayerLegend(node)
    painter.setPen(QColor("#222222"))
    font = QFont("Noto Sans")
    font.setPixelSize(12)
    font.setBold(True)
    painter.setFont(font)
    painter.drawText(QRectF(left, 6, LEGEND - 20, 34), int(Qt.TextFlag.TextWordWrap), layer.name())
    font.setBold(False)
    font.setPixelSize(11)
    painter.setFont(font)
    top = 44
    for entry in model.layerLegendNodes(node):
        if top > HEIGHT - 20:
            break
        icon = entry.data(Qt.ItemDataRole.DecorationRole)
        if isinstance(icon, (QIcon, QPixmap)):
            pixmap = icon.pixmap(18, 14) if isinstance(icon, QIcon) else icon
            painter.drawPixmap(left, top, pixmap)
        text = painter.fontMetrics().elidedText(str(entry.data(Qt.ItemDataRole.DisplayRole) or ""), Qt.TextElideMode.ElideRight, LEGEND - 50)
        painter.drawText(left + 26, top + 12, text)
        top += 18


def main() -> None:
    application = QgsApplication([], True)
    application.initQgis()
    import processing
    from processing.core.Processing import Processing
    from quyhoach.processing_algorithms.common.language import set_language
    from quyhoach.processing_algorithms.provider import QuyHoachProvider

    Processing.initialize()
    provider = QuyHoachProvider()
    QgsApplication.processingRegistry().addProvider(provider)
    set_language("vi")
    town = dressed("road, river, building, zone, land_use, parcel, administrative_unit, facility, gauge, dyke, hamlet, plan, constraint_overlay")
    centre = town["zone"].extent().center()
    middle = (centre.x(), centre.y())
    backdrop = [town["river"], hillshade()]
    draw("openlayers", [town["facility"], town["road"], town["plan"], town["building"], town["river"], town["zone"], *backdrop], 22_000, middle, town["zone"])
    draw("zoning", [town["road"], town["constraint_overlay"], town["zone"]], 9_000, middle, town["zone"])
    draw("land_use", [town["road"], town["land_use_2025"]], 16_000, middle, town["land_use_2025"])
    draw("traffic", [town["facility"], town["road"], *backdrop], 16_000, middle, town["road"])
    draw("provincial_database", [town["administrative_unit"], town["hamlet"], town["road"], *backdrop], 45_000, middle)

    def source(name: str) -> str:
        return f"{TOWN}|layername={name}"

    with tempfile.TemporaryDirectory() as folder:
        def place(name: str) -> str:
            return str(Path(folder) / name)

        processing.run("quyhoach:parcelzoning", {"PARCELS": source("parcel"), "ZONES": source("zone|subset=plan_ref = 'QPK-TT-2035'"), "ZONE_FIELD": "function_code",
                                                 "SCALE": 2000, "OUTPUT": place("a.gpkg")})
        pieces = styled(place("a.gpkg"), "zoning/parcel_zoning.qml", "Thửa đất theo ô quy hoạch")
        core = pieces.extent().center()
        draw("parcelzoning", [pieces], 2_400, (core.x() - 150, core.y()))
        processing.run("quyhoach:landusechangematrix", {"BEFORE": source("land_use_2020"), "BEFORE_CODE": "land_code", "AFTER": source("land_use_2025"),
                                                        "AFTER_CODE": "land_code", "MIN_AREA": 20, "OUTPUT": place("b.gpkg"), "MATRIX": "memory:"})
        changes = styled(place("b.gpkg"), "land_use/land_use_change.qml", "Phần đất đổi loại 2020-2025")
        draw("landusechangematrix", [changes, town["road"], *backdrop], 22_000, middle)
        processing.run("quyhoach:servicearea", {"NETWORK": source("road"), "ORIGINS": source("facility|subset=kind IN ('clinic', 'hospital')"), "ORIGIN_FIELD": "name",
                                                "BREAKS": "1;2;3;5", "COST": 1, "MERGE": 2, "RINGS": True, "WIDTH": 150, "SPEED_FIELD": "speed_kmh",
                                                "DIRECTION_FIELD": "direction", "OUTPUT_AREAS": place("c.gpkg"), "OUTPUT_LINES": "memory:", "OUTPUT_ORIGINS": "memory:"})
        areas = styled(place("c.gpkg"), "base/travel_time.qml", "Phạm vi phục vụ")
        draw("servicearea", [town["facility"], town["road"], areas, *backdrop], 22_000, middle)
        processing.run("quyhoach:floodreport", {
            "FILE": str(SAMPLES / "bulletin_alarm_3.txt"), "STATIONS": source("gauge"), "TERRAIN": str(SAMPLES / "terrain.tif"), "BUILDINGS": source("building"),
            "SOURCE": source("river|subset=kind = 'river'"), "RIVERS": source("river_axis"), "DYKES": source("dyke"), "OUTPUT": place("lu")})
        depth = styled(place("lu/do_sau_ngap.tif"), "disaster/flood_depth.qml", "Độ sâu ngập")
        flood = [town["gauge"], town["dyke"], town["road"], depth, *backdrop]
        draw("disaster", flood, 26_000, middle)
        phone = QImage(place("lu/anh_dien_thoai.png"))
        phone.scaledToHeight(640, Qt.TransformationMode.SmoothTransformation).convertToFormat(QImage.Format.Format_Indexed8).save(str(IMAGES / "floodreport.png"), "PNG", 0)
    sys.stdout.flush()
    os._exit(0)  # Python objects outlive what QGIS takes down


if __name__ == "__main__":
    main()
