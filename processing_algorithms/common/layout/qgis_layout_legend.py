"""The legend of a printed map: only what is on the map, and never larger than its box."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from qgis.core import (
    Qgis,
    QgsColorRampShader,
    QgsCoordinateTransform,
    QgsExpressionContextUtils,
    QgsFeatureRequest,
    QgsLayerTreeLayer,
    QgsLayerTreeModelLegendNode,
    QgsLayoutItemLegend,
    QgsLayoutItemMap,
    QgsLayoutPoint,
    QgsLayoutSize,
    QgsLayoutUtils,
    QgsLegendRenderer,
    QgsLegendStyle,
    QgsMapLayer,
    QgsMapLayerLegendUtils,
    QgsPalettedRasterRenderer,
    QgsRasterLayer,
    QgsRenderContext,
    QgsSingleBandPseudoColorRenderer,
    QgsVectorLayer,
)
from qgis.PyQt.QtCore import QRectF, QSizeF, Qt

from ..errors import InputError
from ..language import say
from .qgis_layout_text import text_format, wrapped

#: The largest and the smallest type in points, and the most columns.
_LARGEST, _SMALLEST, _MOST_COLUMNS = 8.0, 5.0, 4
#: Cells of a raster looked at when its classes are searched in the map's extent; more are thinned.
_MOST_CELLS = 4_000_000
#: Letters are a little larger at low resolutions, where their outlines are fitted to dots.
_SLACK = 1.03
#: Millimetres between columns, between a symbol and its text, the least width of a text in several columns, and the
#: width
#: of a column from which most labels stay on one line.
_COLUMN_GAP, _SYMBOL_GAP, _NARROWEST_LABEL, _COMFORTABLE_COLUMN = 3.0, 1.8, 16.0, 60.0
#: Millimetres around the legend, so that the lines of its symbols are not cut.
_EDGE = 0.4
#: Width and height of a symbol, and the gap between rows, in ems.
_SYMBOL_EM, _SYMBOL_HEIGHT_EM, _ROW_GAP_EM = 2.4, 1.15, 0.55


@dataclass(frozen=True)
class LegendEntry:
    """A layer in the legend. ``heading`` replaces its name; an empty one leaves the heading out."""

    layer: QgsMapLayer
    heading: str | None = None


@dataclass(frozen=True)
class LegendFit:
    """How the legend was made to fit; ``page`` 1 is a second page, for legends too long for the panel."""

    columns: int
    points: float
    classes: int
    page: int


def fill_legend(
    legend: QgsLayoutItemLegend, map_item: QgsLayoutItemMap, entries: Sequence[LegendEntry], boxes: Iterable[QRectF],
    *, largest: float = _LARGEST,
) -> LegendFit:
    """Put the classes that the map shows into the legend, in type and columns that fit a box.

    Parameters
    ----------
    boxes : iterable of QRectF
        One per page, millimetres on that page; the first that can take the legend is used.
    largest : float
        Type size in points to try first.

    Raises
    ------
    InputError
        No box takes the legend, not even in four columns of five points.
    """
    legend.setAutoUpdateModel(False)
    legend.setResizeToContents(False)
    legend.setWrapString("\n")
    model = legend.model()
    model.rootGroup().removeAllChildren()
    labels: list[tuple[QgsLayerTreeLayer, list[tuple[int, str]]]] = []
    for entry in entries:
        node = model.rootGroup().addLayer(entry.layer)
        if entry.heading is not None:
            node.setUseLayerName(False)
            node.setName(entry.heading)
        texts = _texts_of_classes(model.layerOriginalLegendNodes(node), entry.layer, map_item)
        if not texts:
            model.rootGroup().removeChildNode(node)
            continue
        # One symbol alone needs no heading: it takes the layer's name.
        if len(texts) == 1 and texts[0][1] in ("", entry.layer.name()):
            texts = [(texts[0][0], node.name())]
            hidden = True
        else:
            hidden = entry.heading == ""
        QgsMapLayerLegendUtils.setLegendNodeOrder(node, [at for at, _ in texts])
        QgsLegendRenderer.setNodeLegendStyle(node, QgsLegendStyle.Style.Hidden if hidden
                                             else QgsLegendStyle.Style.Subgroup)
        labels.append((node, texts))
    for page, box in enumerate(boxes):
        if (fit := _fit(legend, labels, box, page, largest)) is not None:
            return fit
    raise InputError(
        say("Chú giải có {n} mục, không vừa trang giấy; hãy chọn khổ giấy lớn hơn hoặc bớt lớp trong chú giải.",
            "The legend has {n} entries and does not fit the page; choose larger paper or fewer layers in the legend.")
        .format(n=sum(len(texts) for _, texts in labels)))


def _fit(
    legend: QgsLayoutItemLegend, labels: list[tuple[QgsLayerTreeLayer, list[tuple[int, str]]]], box: QRectF, page: int,
    largest: float,
) -> LegendFit | None:
    classes = sum(len(texts) for _, texts in labels)
    for columns, points in _arrangements(box.width(), largest):
        if math.ceil(classes / columns) * (_SYMBOL_HEIGHT_EM + _ROW_GAP_EM) * _em(points) > box.height():
            continue  # not even if every label stayed on one line
        _set_type(legend, points)
        width = _label_width(box.width(), columns, points)
        style = text_format(points)
        for node, texts in labels:
            for at, text in texts:
                QgsMapLayerLegendUtils.setLegendNodeUserLabel(node, at, wrapped(text, style, width))
            legend.model().refreshLayerLegend(node)
        legend.setColumnCount(columns)
        size = _size_mm(legend)
        if size.width() <= box.width() and _SLACK * size.height() <= box.height():
            legend.attemptMove(QgsLayoutPoint(box.x(), box.y()), True, False, page)
            legend.attemptResize(QgsLayoutSize(box.width(), box.height()))
            return LegendFit(columns, points, classes, page)
    return None


def _arrangements(width: float, largest: float) -> list[tuple[int, float]]:
    """Columns and type size worth trying in a box of this width, the most readable first."""
    found = []
    sizes = np.arange(largest, _SMALLEST - 0.25, -0.5)
    for columns in range(1, _MOST_COLUMNS + 1):
        narrow = width / columns < _COMFORTABLE_COLUMN * largest / _LARGEST
        for points in map(float, sizes):
            if columns == 1 or _label_width(width, columns, points) >= _NARROWEST_LABEL:
                # A narrow column breaks labels over lines; that costs as much as a point and a half of size.
                found.append(((largest - points) + (columns - 1) * (1.5 if narrow else 0.01), columns, points))
    return [(columns, points) for _, columns, points in sorted(found)]


def _label_width(width: float, columns: int, points: float) -> float:
    column = (width - 2 * _EDGE - _COLUMN_GAP * (columns - 1)) / columns
    return (column - _SYMBOL_EM * _em(points) - _SYMBOL_GAP) / _SLACK


def _em(points: float) -> float:
    """Millimetres."""
    return points * 25.4 / 72


def _set_type(legend: QgsLayoutItemLegend, points: float) -> None:
    for component, style in (
        (QgsLegendStyle.Style.Title, text_format(points + 2, bold=True)),
        (QgsLegendStyle.Style.Group, text_format(points + 0.5, bold=True)),
        (QgsLegendStyle.Style.Subgroup, text_format(points, bold=True)),
        (QgsLegendStyle.Style.Symbol, text_format(points)),
        (QgsLegendStyle.Style.SymbolLabel, text_format(points)),
    ):
        style.setLineHeight(0.92)
        legend.rstyle(component).setTextFormat(style)
    em = _em(points)
    legend.setBoxSpace(_EDGE)
    legend.setColumnSpace(_COLUMN_GAP)
    legend.setSplitLayer(True)
    legend.setEqualColumnWidth(False)
    legend.setSymbolWidth(_SYMBOL_EM * em)
    legend.setSymbolHeight(_SYMBOL_HEIGHT_EM * em)
    legend.setMaximumSymbolSize(2.0 * em)
    side = QgsLegendStyle.Side
    legend.rstyle(QgsLegendStyle.Style.Title).setMargin(side.Bottom, 0.9 * em)
    legend.rstyle(QgsLegendStyle.Style.Subgroup).setMargin(side.Top, 0.9 * em)
    legend.rstyle(QgsLegendStyle.Style.Symbol).setMargin(side.Top, _ROW_GAP_EM * em)
    legend.rstyle(QgsLegendStyle.Style.SymbolLabel).setMargin(side.Left, _SYMBOL_GAP)


def _size_mm(legend: QgsLayoutItemLegend) -> QSizeF:
    """The size the legend needs, as the layout itself measures it."""
    renderer = QgsLegendRenderer(legend.model(), legend.legendSettings())
    context = QgsLayoutUtils.createRenderContextForMap(legend.linkedMap(), None, 300)
    return renderer.minimumSize(context)


def _texts_of_classes(
    nodes: list[QgsLayerTreeModelLegendNode], layer: QgsMapLayer, map_item: QgsLayoutItemMap
) -> list[tuple[int, str]]:
    """Positions and texts of the legend nodes that the map shows."""
    texts = [(at, str(node.data(Qt.ItemDataRole.DisplayRole) or "")) for at, node in enumerate(nodes)]
    if isinstance(layer, QgsVectorLayer):
        role = QgsLayerTreeModelLegendNode.CustomRole.RuleKey
        keys = _vector_classes(layer, map_item)
        return [(at, text) for at, text in texts if str(nodes[at].data(role)) in keys]
    if isinstance(layer, QgsRasterLayer) and (labels := _raster_classes(layer, map_item)) is not None:
        return [(at, text) for at, text in texts if text in labels]
    return texts


def _vector_classes(layer: QgsVectorLayer, map_item: QgsLayoutItemMap) -> set[str]:
    """Rule keys of the symbols that features inside the map's extent are drawn with.

    QGIS's own hit test (`QgsMapHitTest`) tells the same but needs twenty times as long.
    """
    if not layer.isInScaleRange(map_item.scale()):
        return set()
    settings = map_item.mapSettings(map_item.extent(), map_item.sizeWithUnits().toQSizeF() * 4, 100, True)
    context = QgsRenderContext.fromMapSettings(settings)
    context.expressionContext().appendScope(QgsExpressionContextUtils.layerScope(layer))
    request = QgsFeatureRequest()
    window = map_item.extent()
    if layer.crs() != map_item.crs():
        to_map = QgsCoordinateTransform(layer.crs(), map_item.crs(), map_item.layout().project())
        window = to_map.transformBoundingBox(window, Qgis.TransformDirection.Reverse)
    if not window.contains(layer.extent()):
        request.setFilterRect(window)
        request.setFlags(Qgis.FeatureRequestFlag.ExactIntersect)
    renderer = layer.renderer().clone()
    possible = {item.ruleKey() for item in renderer.legendSymbolItems()}
    renderer.startRender(context, layer.fields())
    request.setSubsetOfAttributes(renderer.usedAttributes(context), layer.fields())
    found: set[str] = set()
    try:
        for feature in layer.getFeatures(request):
            context.expressionContext().setFeature(feature)
            found |= renderer.legendKeysForFeature(feature, context)
            if possible <= found:
                break
    finally:
        renderer.stopRender(context)
    return found


def _raster_classes(layer: QgsRasterLayer, map_item: QgsLayoutItemMap) -> set[str] | None:
    """Labels of the classes whose cells lie in the map's extent; None for renderers without classes."""
    renderer = layer.renderer()
    if isinstance(renderer, QgsPalettedRasterRenderer):
        values = _cells(layer, renderer.inputBand(), map_item)
        return {item.label for item in renderer.classes() if (values == item.value).any()}
    if not isinstance(renderer, QgsSingleBandPseudoColorRenderer):
        return None
    shader = renderer.shader().rasterShaderFunction()
    if not isinstance(shader, QgsColorRampShader) or shader.colorRampType() != Qgis.ShaderInterpolationMethod.Discrete:
        return None
    items = [item for item in shader.colorRampItemList()]
    values = _cells(layer, renderer.inputBand(), map_item)
    # A discrete class goes up to its value, and no lower than the value before it.
    found = np.unique(np.searchsorted([item.value for item in items], values, side="left"))
    return {items[at].label for at in found if at < len(items) and items[at].color.alpha() > 0}


def _cells(layer: QgsRasterLayer, band: int, map_item: QgsLayoutItemMap) -> NDArray[np.float64]:
    """The values of the cells in the map's extent, thinned to a few million, without nodata."""
    to_layer = QgsCoordinateTransform(map_item.crs(), layer.crs(), map_item.layout().project())
    window = to_layer.transformBoundingBox(map_item.extent()).intersect(layer.extent())
    if window.isEmpty():
        return np.empty(0)
    width = max(1.0, window.width() / layer.rasterUnitsPerPixelX())
    height = max(1.0, window.height() / layer.rasterUnitsPerPixelY())
    thinning = max(1.0, (width * height / _MOST_CELLS) ** 0.5)
    block = layer.dataProvider().block(band, window, round(width / thinning), round(height / thinning))
    return np.ma.masked_invalid(block.as_numpy(True)).compressed()
