"""Styles of the datasets that belong to no single room: boundaries of communes and hamlets, drawn over other layers."""

from __future__ import annotations

from qgis.core import (
    Qgis,
    QgsFillSymbol,
    QgsPalLayerSettings,
    QgsSimpleLineSymbolLayer,
    QgsSingleSymbolRenderer,
    QgsTextBufferSettings,
    QgsTextFormat,
    QgsVectorLayer,
    QgsVectorLayerSimpleLabeling,
)
from qgis.PyQt.QtCore import Qt
from qgis.PyQt.QtGui import QColor, QFont

_COMMUNE, _HAMLET = "#6b2d8a", "#8a6b2d"
#: Units that are no more have their outline, without a name across that of today; a layer without the field names all.
_PRESENT = "if(attribute(@feature, 'valid_to') IS NULL, \"name\", '')"


def styled_layers() -> dict[str, QgsVectorLayer]:
    """Return a memory layer with symbols and labels for each style."""
    return {"administrative_unit": boundary(_PRESENT, _COMMUNE, 0.55, [6.0, 1.6, 1.0, 1.6], 9.0, bold=True,
                                            smallest_scale=120_000),
            "hamlet": boundary("name", _HAMLET, 0.3, [3.0, 1.6], 7.0, bold=False, smallest_scale=15_000)}


def boundary(text: str, colour: str, width_mm: float, dashes: list[float], points: float, *, bold: bool,
             smallest_scale: float) -> QgsVectorLayer:
    """A dashed outline without filling, labelled from a scale on; lengths of dashes in widths of the line."""
    layer = QgsVectorLayer("MultiPolygon?crs=EPSG:9214&field=name:string", "", "memory")
    symbol = QgsFillSymbol()
    white = QgsSimpleLineSymbolLayer(QColor(255, 255, 255, 170), 2.2 * width_mm)
    line = QgsSimpleLineSymbolLayer(QColor(colour), width_mm)
    line.setPenCapStyle(Qt.PenCapStyle.FlatCap)
    line.setUseCustomDashPattern(True)
    line.setCustomDashVector([width_mm * dash for dash in dashes])
    symbol.changeSymbolLayer(0, white)
    symbol.appendSymbolLayer(line)
    layer.setRenderer(QgsSingleSymbolRenderer(symbol))
    settings = QgsPalLayerSettings()
    settings.fieldName, settings.isExpression = text, text != "name"
    settings.placement = Qgis.LabelPlacement.Horizontal
    settings.scaleVisibility, settings.minimumScale = True, smallest_scale
    settings.setFormat(lettering(points, colour, bold=bold))
    layer.setLabeling(QgsVectorLayerSimpleLabeling(settings))
    layer.setLabelsEnabled(True)
    return layer


def lettering(points: float, colour: str, *, bold: bool) -> QgsTextFormat:
    """Letters with a white halo."""
    font = QFont("Noto Sans")
    font.setBold(bold)
    style = QgsTextFormat()
    style.setFont(font)
    style.setForcedBold(bold)
    style.setSize(points)
    style.setSizeUnit(Qgis.RenderUnit.Points)
    style.setColor(QColor(colour))
    halo = QgsTextBufferSettings()
    halo.setEnabled(True)
    halo.setSize(0.8)
    halo.setColor(QColor("white"))
    style.setBuffer(halo)
    return style
