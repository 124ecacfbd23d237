"""Styles of backdrops and of the demo's water levels: quiet layers that give orientation under a subject."""

from __future__ import annotations

from qgis.core import (
    Qgis,
    QgsFillSymbol,
    QgsMarkerSymbol,
    QgsPalLayerSettings,
    QgsSingleSymbolRenderer,
    QgsSymbol,
    QgsVectorLayer,
    QgsVectorLayerSimpleLabeling,
)

from provincial_database import lettering


def styled_layers() -> dict[str, QgsVectorLayer]:
    """Return a memory layer with symbols and labels for each style."""
    outline = QgsFillSymbol.createSimple({"style": "no", "outline_color": "95,95,95", "outline_width": "0.08"})
    grey = QgsFillSymbol.createSimple({"color": "176,170,164", "outline_color": "125,119,113", "outline_width": "0.05"})
    return {"parcel_outline": plain("MultiPolygon", outline), "building_plain": plain("MultiPolygon", grey),
            "water_level": water_level()}


def plain(kind: str, symbol: QgsSymbol) -> QgsVectorLayer:
    """One symbol for all features."""
    layer = QgsVectorLayer(f"{kind}?crs=EPSG:9214", "", "memory")
    layer.setRenderer(QgsSingleSymbolRenderer(symbol))
    return layer


def water_level() -> QgsVectorLayer:
    """Gauges with the level that was entered, metres with a decimal comma."""
    layer = QgsVectorLayer("Point?crs=EPSG:9214&field=name:string&field=level_m:double", "", "memory")
    layer.setRenderer(QgsSingleSymbolRenderer(QgsMarkerSymbol.createSimple(
        {"name": "triangle", "color": "#ffd166", "size": "4", "outline_color": "#1d3557", "outline_width": "0.4", "angle": "180"})))
    settings = QgsPalLayerSettings()
    settings.fieldName = "concat('Trạm ', \"name\", '\\n', replace(format_number(\"level_m\", 2, 'en'), '.', ','), ' m')"
    settings.isExpression = True
    settings.placement = Qgis.LabelPlacement.OrderedPositionsAroundPoint
    settings.dist = 2.0
    settings.priority = 10
    settings.setFormat(lettering(8.5, "#1d3557", bold=True))
    layer.setLabeling(QgsVectorLayerSimpleLabeling(settings))
    layer.setLabelsEnabled(True)
    return layer
