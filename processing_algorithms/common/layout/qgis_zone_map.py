"""Layers of a printed plan: zones in the colours of their land functions with texts placed before, and lines on top."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from qgis.core import (
    Qgis,
    QgsCategorizedSymbolRenderer,
    QgsFillSymbol,
    QgsLineSymbol,
    QgsPalLayerSettings,
    QgsProperty,
    QgsPropertyCollection,
    QgsRendererCategory,
    QgsRuleBasedLabeling,
    QgsSingleSymbolRenderer,
    QgsTextBufferSettings,
    QgsVectorLayer,
    QgsWkbTypes,
)
from qgis.PyQt.QtGui import QColor

from ..errors import InputError, name_some
from ..language import say
from ..qgis_layers import add_to_sink, qgis_fields, to_qgis_crs
from .qgis_layout_text import text_format

if TYPE_CHECKING:
    import geopandas

_STYLES = Path(__file__).resolve().parents[3] / "styles"
#: Outline of zones, mm.
_OUTLINE = {"outline_color": "70,70,70", "outline_width": "0.18"}


class Symbol(Protocol):
    """A land function as the legend shows it."""

    code: str
    colour: str
    legend_text: str


def frame_layer(frame: geopandas.GeoDataFrame, name: str, kind: Qgis.WkbType) -> QgsVectorLayer:
    """Return a memory layer with the rows of a frame."""
    shape = QgsWkbTypes.displayString(kind)
    layer = QgsVectorLayer(shape, name, "memory")
    layer.setCrs(to_qgis_crs(frame.crs))
    layer.dataProvider().addAttributes(list(qgis_fields(frame)))
    layer.updateFields()
    fill_layer(layer, frame)
    return layer


def fill_layer(layer: QgsVectorLayer, frame: geopandas.GeoDataFrame) -> None:
    """Put the rows of a frame of the same columns into a memory layer, in place of those it had."""
    layer.dataProvider().truncate()
    add_to_sink(frame, layer.fields(), layer.dataProvider(), QgsWkbTypes.displayString(layer.wkbType()))
    layer.updateExtents()


def colour_zones(layer: QgsVectorLayer, field: str, symbols: Iterable[Symbol]) -> None:
    """Give zones the symbols of their functions; values without one are not drawn, so check for them before."""
    layer.setRenderer(QgsCategorizedSymbolRenderer(field, [
        QgsRendererCategory(one.code, QgsFillSymbol.createSimple({"color": one.colour, **_OUTLINE}), one.legend_text)
        for one in symbols]))


def line_layer(frame: geopandas.GeoDataFrame, name: str, colour: str, width_mm: float, dash: str = "solid"
               ) -> QgsVectorLayer:
    """Return the outlines of polygons, or lines, drawn in one colour."""
    polygons = frame.geom_type.isin(["Polygon", "MultiPolygon"]).any()
    layer = frame_layer(frame, name, Qgis.WkbType.MultiPolygon if polygons else Qgis.WkbType.MultiLineString)
    if polygons:
        symbol = QgsFillSymbol.createSimple({"style": "no", "outline_color": colour, "outline_width": str(width_mm),
                                             "outline_style": dash})
    else:
        symbol = QgsLineSymbol.createSimple({"line_color": colour, "line_width": str(width_mm), "line_style": dash})
    layer.setRenderer(QgsSingleSymbolRenderer(symbol))
    return layer


def constraint_layer(frame: geopandas.GeoDataFrame, field: str, layer_name: str) -> QgsVectorLayer:
    """Return constraint overlays hatched by their effect.

    Raises
    ------
    InputError
        An effect has no symbol; ``layer_name`` and the features are told.
    """
    layer = frame_layer(frame, "Khu vực hạn chế, khống chế xây dựng", Qgis.WkbType.MultiPolygon)
    layer.loadNamedStyle(str(_STYLES / "zoning" / "constraint_overlay.qml"))
    layer.setLabelsEnabled(False)
    renderer = layer.renderer()
    renderer.setClassAttribute(field)
    unknown = ~frame[field].isin([str(category.value()) for category in renderer.categories()])
    if unknown.any():
        raise InputError(say("{layer}: mức độ hạn chế {codes} không có ký hiệu (fid: {ids}); hãy sửa theo danh mục dữ "
                             "liệu.",
                             "{layer}: the effects {codes} have no symbol (ids: {ids}); correct them by the catalogue.")
                         .format(layer=layer_name, ids=name_some(frame.index[unknown]),
                                 codes=", ".join(f"\"{code}\"" for code in frame.loc[unknown, field].unique())))
    return layer


def label_zones(layer: QgsVectorLayer, points: float, *, lines_below: bool) -> None:
    """Write texts that were placed beforehand: columns ``text``, ``points``, ``x``, ``y``, ``inside`` and ``beside``.

    Texts inside their zone have the colour ``ink``, those beside it a white halo. ``lines_below``: lines cross the
    zones, and are kept off the texts by a halo of the zone's colour ``fill``, which costs as much time as the rest of a sheet.
    """
    root = QgsRuleBasedLabeling.Rule(None)
    keys = QgsPalLayerSettings.Property
    colours = {keys.Color: "ink", keys.BufferColor: "fill"} if lines_below else {keys.Color: "ink"}
    for condition, settings in (('"inside"', _settings(points, lines_below, colours)),
                                ('"beside"', _settings(points, True, {}))):
        rule = QgsRuleBasedLabeling.Rule(settings)
        rule.setFilterExpression(condition)
        root.appendChild(rule)
    layer.setLabeling(QgsRuleBasedLabeling(root))
    layer.setLabelsEnabled(True)


def _settings(points: float, halo: bool, fields: dict[QgsPalLayerSettings.Property, str]) -> QgsPalLayerSettings:
    """Texts at their place; ``fields`` are the columns other properties come from."""
    settings = QgsPalLayerSettings()
    settings.fieldName = "text"
    style = text_format(points)
    buffer = QgsTextBufferSettings()
    buffer.setEnabled(halo)
    buffer.setSize(0.5)
    buffer.setColor(QColor("white"))
    style.setBuffer(buffer)
    settings.setFormat(style)
    settings.multilineAlign = Qgis.LabelMultiLineAlignment.Center
    keys = QgsPalLayerSettings.Property
    defined = QgsPropertyCollection()
    for key, column in {keys.Size: "points", keys.PositionX: "x", keys.PositionY: "y", **fields}.items():
        defined.setProperty(key, QgsProperty.fromField(column))
    defined.setProperty(keys.Hali, QgsProperty.fromValue("Center"))
    defined.setProperty(keys.Vali, QgsProperty.fromValue("Half"))
    settings.setDataDefinedProperties(defined)
    return settings
