"""Styles of backdrops and of the demo's water levels: quiet layers that give orientation under a subject."""

from __future__ import annotations

from provincial_database import lettering
from qgis.core import (
    Qgis,
    QgsCategorizedSymbolRenderer,
    QgsField,
    QgsFillSymbol,
    QgsGradientColorRamp,
    QgsGradientStop,
    QgsMarkerSymbol,
    QgsPalLayerSettings,
    QgsRendererCategory,
    QgsRuleBasedRenderer,
    QgsSingleSymbolRenderer,
    QgsSymbol,
    QgsVectorLayer,
    QgsVectorLayerSimpleLabeling,
)
from qgis.PyQt.QtCore import QMetaType
from qgis.PyQt.QtGui import QColor
from quyhoach.processing_algorithms.disaster.exposure.depth_classes import depth_classes
from traffic import cased_line


def styled_layers() -> dict[str, QgsVectorLayer]:
    """Return a memory layer with symbols and labels for each style."""
    outline = QgsFillSymbol.createSimple({"style": "no", "outline_color": "95,95,95", "outline_width": "0.08"})
    grey = QgsFillSymbol.createSimple({"color": "176,170,164", "outline_color": "125,119,113", "outline_width": "0.05"})
    return {"parcel_outline": plain("MultiPolygon", outline), "building_plain": plain("MultiPolygon", grey),
            "road_plain": road_plain(), "travel_time": travel_time(), "water": water(),
            "exposed_building": exposed_building(), "water_level": water_level()}


def plain(kind: str, symbol: QgsSymbol) -> QgsVectorLayer:
    """One symbol for all features."""
    layer = QgsVectorLayer(f"{kind}?crs=EPSG:9214", "", "memory")
    layer.setRenderer(QgsSingleSymbolRenderer(symbol))
    return layer


def road_plain() -> QgsVectorLayer:
    """Roads in three ranks, for maps whose subject is another."""
    layer = QgsVectorLayer("MultiLineString?crs=EPSG:9214&field=road_class:string", "", "memory")
    main = "'expressway', 'main_axis', 'inter_area', 'class_1', 'class_2', 'class_3'"
    middle = "'main_area', 'area', 'class_4', 'class_5', 'class_6'"
    root = QgsRuleBasedRenderer.Rule(None)
    for text, condition, look, level in (
        ("Đường trục chính, quốc lộ", f"\"road_class\" IN ({main})", ("#f2a65a", 0.8, 0.18), 6),
        ("Đường chính, đường khu vực", f"\"road_class\" IN ({middle})", ("#fbe3ae", 0.55, 0.15), 4),
        ("Đường nhỏ, ngõ, đường nông thôn", "ELSE", ("#ffffff", 0.22, 0.09), 2),
    ):
        root.appendChild(QgsRuleBasedRenderer.Rule(cased_line(*look, level), 0, 0, condition, text))
    renderer = QgsRuleBasedRenderer(root)
    renderer.setUsingSymbolLevels(True)
    layer.setRenderer(renderer)
    return layer


def travel_time() -> QgsVectorLayer:
    """Bands of service areas from green (near) to orange (far), light enough for streets on top."""
    layer = QgsVectorLayer("MultiPolygon?crs=EPSG:9214&field=band:integer", "", "memory")
    colours = ("#1a9850", "#7bc96f", "#c9e58a", "#fff3a3", "#fdc46f", "#f28e5c", "#d9624a", "#b03a3a")
    layer.setRenderer(QgsCategorizedSymbolRenderer("band", [
        QgsRendererCategory(at + 1, QgsFillSymbol.createSimple({"color": f"{colour}", "outline_style": "no"}),
                            f"Ngưỡng thứ {at + 1}")
        for at, colour in enumerate(colours)]))
    return layer


def water() -> QgsVectorLayer:
    """Water of all kinds in one colour, its name along the bank."""
    layer = plain("MultiPolygon", QgsFillSymbol.createSimple({"color": "166,206,235", "outline_style": "no"}))
    layer.dataProvider().addAttributes([QgsField("name", QMetaType.Type.QString)])
    layer.updateFields()
    settings = QgsPalLayerSettings()
    settings.fieldName = "name"
    settings.placement = Qgis.LabelPlacement.PerimeterCurved
    settings.scaleVisibility, settings.minimumScale = True, 60_000
    style = lettering(7.5, "#1f5f99", bold=False)
    style.setForcedItalic(True)
    settings.setFormat(style)
    placing = settings.lineSettings()
    placing.setPlacementFlags(Qgis.LabelLinePlacementFlag.OnLine)
    settings.setLineSettings(placing)
    layer.setLabeling(QgsVectorLayerSimpleLabeling(settings))
    layer.setLabelsEnabled(True)
    return layer


def exposed_building() -> QgsVectorLayer:
    """Buildings in the water by depth class, in warm colours that stand out from the blue of the water."""
    layer = QgsVectorLayer("MultiPolygon?crs=EPSG:9214&field=depth_class:integer", "", "memory")
    classes = list(depth_classes().classes)
    ramp = QgsGradientColorRamp(QColor("#ffd23f"), QColor("#7a0019"), False, [QgsGradientStop(0.5, QColor("#e4572e"))])
    categories = []
    for at, one in enumerate(classes):
        colour = ramp.color(at / (len(classes) - 1)).name()
        symbol = QgsFillSymbol.createSimple({"color": colour, "outline_color": "60,20,20", "outline_width": "0.06"})
        categories.append(QgsRendererCategory(one.code, symbol, one.label_vi))
    layer.setRenderer(QgsCategorizedSymbolRenderer("depth_class", categories))
    return layer


def water_level() -> QgsVectorLayer:
    """Gauges with the level that was entered, metres with a decimal comma."""
    layer = QgsVectorLayer("Point?crs=EPSG:9214&field=name:string&field=level_m:double", "", "memory")
    layer.setRenderer(QgsSingleSymbolRenderer(QgsMarkerSymbol.createSimple(
        {"name": "triangle", "color": "#ffd166", "size": "4", "outline_color": "#1d3557", "outline_width": "0.4",
         "angle": "180"})))
    settings = QgsPalLayerSettings()
    settings.fieldName = ("concat('Trạm ', \"name\", '\\n', "
                          "replace(format_number(\"level_m\", 2, 'en'), '.', ','), ' m')")
    settings.isExpression = True
    settings.placement = Qgis.LabelPlacement.OrderedPositionsAroundPoint
    settings.dist = 2.0
    settings.priority = 10
    settings.setFormat(lettering(8.5, "#1d3557", bold=True))
    layer.setLabeling(QgsVectorLayerSimpleLabeling(settings))
    layer.setLabelsEnabled(True)
    return layer
