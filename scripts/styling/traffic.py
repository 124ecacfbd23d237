"""Styles of the traffic room: roads by class, facilities by kind; names from the catalogue.

The styles of service areas are drawn by hand and stand beside these.
"""

from __future__ import annotations

from provincial_database import lettering
from qgis.core import (
    Qgis,
    QgsCategorizedSymbolRenderer,
    QgsLineSymbol,
    QgsMarkerSymbol,
    QgsPalLayerSettings,
    QgsRendererCategory,
    QgsSimpleLineSymbolLayer,
    QgsVectorLayer,
    QgsVectorLayerSimpleLabeling,
)
from qgis.PyQt.QtCore import Qt
from qgis.PyQt.QtGui import QColor
from zoning import domain

#: Class of road: colour, width in mm, casing in mm; drawn in this order from the top down.
_ROADS = {
    "expressway": ("#d1495b", 1.3, 0.25), "class_1": ("#e07a5f", 1.2, 0.2), "class_2": ("#e07a5f", 1.1, 0.2),
    "class_3": ("#e8896f", 1.0, 0.2), "main_axis": ("#f2b36b", 1.0, 0.2), "inter_area": ("#f2b36b", 0.9, 0.2),
    "class_4": ("#f4c98a", 0.9, 0.2), "main_area": ("#f7dd9b", 0.8, 0.2), "class_5": ("#f7dd9b", 0.8, 0.2),
    "area": ("#ffffff", 0.6, 0.15), "class_6": ("#ffffff", 0.6, 0.15), "sub_area": ("#ffffff", 0.45, 0.12),
    "housing_group": ("#ffffff", 0.3, 0.1), "rural": ("#fffaf0", 0.3, 0.1), "alley": ("#b3aca2", 0.2, 0.0),
    "path": ("#b3aca2", 0.12, 0.0),
}
_CASING = "#8a8a8a"
#: Kind of facility: shape and colour.
_FACILITIES = {
    "kindergarten": ("triangle", "#f4a261"), "primary_school": ("square", "#f4a261"),
    "lower_secondary": ("square", "#e76f51"),
    "upper_secondary": ("pentagon", "#e76f51"), "clinic": ("cross_fill", "#d00000"),
    "hospital": ("cross_fill", "#d00000"),
    "market": ("diamond", "#b5179e"), "park": ("circle", "#2a9d3c"), "sports_field": ("circle", "#57a773"),
}
_OTHER_FACILITY = ("circle", "#6c757d")


def styled_layers() -> dict[str, QgsVectorLayer]:
    """Return a memory layer with symbols and labels for each style."""
    return {"road": road(), "facility": facility()}


def road() -> QgsVectorLayer:
    """Cased lines; wider classes lie over narrower ones, and casings of one class do not cut its junctions."""
    layer = QgsVectorLayer("MultiLineString?crs=EPSG:9214&field=name:string&field=road_class:string", "", "memory")
    categories = []
    order = list(_ROADS)
    for value in domain("road", "road_class"):
        colour, width, casing = _ROADS[value.code]
        level = 2 * (len(order) - order.index(value.code))
        categories.append(QgsRendererCategory(value.code, cased_line(colour, width, casing, level), value.label.vi))
    renderer = QgsCategorizedSymbolRenderer("road_class", categories)
    renderer.setUsingSymbolLevels(True)
    layer.setRenderer(renderer)
    settings = QgsPalLayerSettings()
    settings.fieldName = "name"
    settings.placement = Qgis.LabelPlacement.Curved
    settings.scaleVisibility, settings.minimumScale = True, 12_000
    settings.setFormat(lettering(6.0, "#4a4a4a", bold=False))
    placing = settings.lineSettings()
    placing.setMergeLines(True)
    settings.setLineSettings(placing)
    thinning = settings.thinningSettings()
    thinning.setMinimumFeatureSize(12.0)
    settings.setThinningSettings(thinning)
    layer.setLabeling(QgsVectorLayerSimpleLabeling(settings))
    layer.setLabelsEnabled(True)
    return layer


def facility() -> QgsVectorLayer:
    """A sign for each kind, with the name at large scales."""
    layer = QgsVectorLayer("Point?crs=EPSG:9214&field=name:string&field=kind:string", "", "memory")
    categories = [QgsRendererCategory(value.code, sign(*_FACILITIES.get(value.code, _OTHER_FACILITY),
                                                       3.6 if value.code == "hospital" else 2.6), value.label.vi)
                  for value in domain("facility", "kind")]
    layer.setRenderer(QgsCategorizedSymbolRenderer("kind", categories))
    settings = QgsPalLayerSettings()
    settings.fieldName = "name"
    settings.placement = Qgis.LabelPlacement.OrderedPositionsAroundPoint
    settings.dist = 1.5
    settings.scaleVisibility, settings.minimumScale = True, 10_000
    settings.setFormat(lettering(6.5, "#333333", bold=False))
    layer.setLabeling(QgsVectorLayerSimpleLabeling(settings))
    layer.setLabelsEnabled(True)
    return layer


def cased_line(colour: str, width: float, casing: float, level: int) -> QgsLineSymbol:
    """A line with a darker edge on both sides; ``level`` orders it among the classes."""
    symbol = QgsLineSymbol()
    edge, body = QgsSimpleLineSymbolLayer(QColor(_CASING),
                                          width + 2 * casing), QgsSimpleLineSymbolLayer(QColor(colour), width)
    for line, at in ((edge, 0), (body, level)):
        line.setPenCapStyle(Qt.PenCapStyle.RoundCap)
        line.setPenJoinStyle(Qt.PenJoinStyle.RoundJoin)
        line.setRenderingPass(at)
    symbol.changeSymbolLayer(0, edge)
    symbol.appendSymbolLayer(body)
    return symbol


def sign(shape: str, colour: str, size: float) -> QgsMarkerSymbol:
    """A filled sign with a white edge."""
    return QgsMarkerSymbol.createSimple(
        {"name": shape, "color": colour, "size": str(size), "outline_color": "white", "outline_width": "0.3"})
