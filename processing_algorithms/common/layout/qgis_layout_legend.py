"""The legend of a printed map: only what is on the map, and never larger than its box."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass
from functools import lru_cache

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
    QgsMapSettings,
    QgsPalettedRasterRenderer,
    QgsRasterLayer,
    QgsRenderContext,
    QgsSingleBandPseudoColorRenderer,
    QgsVectorLayer,
)
from qgis.PyQt.QtCore import QRectF, QSizeF, Qt
from qgis.PyQt.sip import unwrapinstance

from ..errors import InputError
from ..language import say
from .qgis_layout_items import place
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


@dataclass(frozen=True)
class _Node:
    """A layer in the legend's tree, with position, text and rule key of its classes as the layer has them."""

    entry: LegendEntry
    node: QgsLayerTreeLayer
    classes: Sequence[tuple[int, str, str]]


@dataclass(frozen=True)
class _Content:
    """What a layer shows in the legend: its classes by position and text; ``hidden`` is its heading."""

    at: tuple[int, ...]
    texts: tuple[str, ...]
    hidden: bool


class FittedLegend:
    """The legend of a page, filled again for every sheet: what stays from one sheet to the next is not built again."""

    def __init__(self, legend: QgsLayoutItemLegend, map_item: QgsLayoutItemMap):
        self._legend, self._map = legend, map_item
        legend.setAutoUpdateModel(False)
        legend.setResizeToContents(False)
        legend.setWrapString("\n")
        #: What the tree is built from.
        self._key: list[tuple[str, str, int, str | None]] = []
        self._nodes: list[_Node] = []
        #: What each node and the legend are set to.
        self._set: list[_Content | None] = []
        self._type: tuple[int, float] | None = None
        #: Width and height needed, by contents, columns and type.
        self._sizes: dict[tuple[int, float, Sequence[_Content]], tuple[float, float]] = {}

    def fill(self, entries: Sequence[LegendEntry], boxes: Iterable[QRectF], *, largest: float = _LARGEST) -> LegendFit:
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
        shown = self._map.mapSettings(self._map.extent(), self._map.sizeWithUnits().toQSizeF() * 4, 100, True)
        seen = [(entry, _classes(entry.layer, self._map, shown)) for entry in entries]
        seen = [(entry, classes) for entry, classes in seen if classes is None or classes]
        contents = self._contents(seen)
        if not all(one.at for one in contents):
            contents = self._contents([one for one, content in zip(seen, contents) if content.at])
        for page, box in enumerate(boxes):
            if (fit := self._fit(contents, box, page, largest)) is not None:
                return fit
        raise InputError(
            say("Chú giải có {n} mục, không vừa trang giấy; hãy chọn khổ giấy lớn hơn hoặc bớt lớp trong chú giải.",
                "The legend has {n} entries and does not fit the page; choose larger paper or fewer layers in the legend.")
            .format(n=_count(contents)))

    def _contents(self, seen: Sequence[tuple[LegendEntry, Set[str] | None]]) -> list[_Content]:
        self._grow([entry for entry, _ in seen])
        return [_content(node, classes) for node, (_, classes) in zip(self._nodes, seen)]

    def _grow(self, entries: Sequence[LegendEntry]) -> None:
        """Build the tree of these entries, unless it is there."""
        key = [(one.layer.id(), one.layer.name(), _look(one.layer), one.heading) for one in entries]
        if key == self._key:
            return
        model = self._legend.model()
        model.rootGroup().removeAllChildren()
        self._key, self._nodes, self._set, self._sizes = key, [], [None] * len(entries), {}
        role = QgsLayerTreeModelLegendNode.CustomRole.RuleKey
        for entry in entries:
            node = model.rootGroup().addLayer(entry.layer)
            if entry.heading is not None:
                node.setUseLayerName(False)
                node.setName(entry.heading)
            self._nodes.append(_Node(entry, node, [
                (at, str(one.data(Qt.ItemDataRole.DisplayRole) or ""), str(one.data(role)))
                for at, one in enumerate(model.layerOriginalLegendNodes(node))]))

    def _fit(self, contents: Sequence[_Content], box: QRectF, page: int, largest: float) -> LegendFit | None:
        classes = _count(contents)
        for columns, points in _arrangements(box.width(), largest):
            if math.ceil(classes / columns) * (_SYMBOL_HEIGHT_EM + _ROW_GAP_EM) * _em(points) > box.height():
                continue  # not even if every label stayed on one line
            width = _label_width(box.width(), columns, points)
            broken = [_Content(one.at, tuple(_wrapped(text, points, width) for text in one.texts), one.hidden)
                      for one in contents]
            key = (columns, points, tuple(broken))
            if key not in self._sizes:
                self._apply(broken, columns, points)
                size = _size_mm(self._legend)
                self._sizes[key] = size.width(), size.height()
            wide, high = self._sizes[key]
            if wide <= box.width() and _SLACK * high <= box.height():
                self._apply(broken, columns, points)
                if page:
                    self._legend.attemptMove(QgsLayoutPoint(box.x(), box.y()), True, False, page)
                    self._legend.attemptResize(QgsLayoutSize(box.width(), box.height()))
                else:
                    place(self._legend, box)
                return LegendFit(columns, points, classes, page)
        return None

    def _apply(self, contents: Sequence[_Content], columns: int, points: float) -> None:
        """Set what is not so already: symbols and texts of a layer take a millisecond to build."""
        if self._type != (columns, points):
            _set_type(self._legend, points)
            self._legend.setColumnCount(columns)
            self._type = columns, points
        for at, (one, content) in enumerate(zip(self._nodes, contents)):
            if self._set[at] != content:
                QgsMapLayerLegendUtils.setLegendNodeOrder(one.node, list(content.at))
                QgsLegendRenderer.setNodeLegendStyle(one.node, QgsLegendStyle.Style.Hidden if content.hidden
                                                     else QgsLegendStyle.Style.Subgroup)
                for position, text in zip(content.at, content.texts):
                    QgsMapLayerLegendUtils.setLegendNodeUserLabel(one.node, position, text)
                self._legend.model().refreshLayerLegend(one.node)
                self._set[at] = content


def _look(layer: QgsMapLayer) -> int:
    """Tell one style of a layer from the next it gets."""
    return unwrapinstance(layer.renderer()) if isinstance(layer, (QgsVectorLayer, QgsRasterLayer)) else 0


def _content(one: _Node, classes: Set[str] | None) -> _Content:
    """Return the classes of a layer that are on the map, ``classes`` being their rule keys or texts."""
    shown = [(at, text) for at, text, rule in one.classes if classes is None
             or (rule if isinstance(one.entry.layer, QgsVectorLayer) else text) in classes]
    hidden = one.entry.heading == ""
    # One symbol alone needs no heading: it takes the layer's name.
    if len(shown) == 1 and shown[0][1] in ("", one.entry.layer.name()):
        shown, hidden = [(shown[0][0], one.node.name())], True
    return _Content(tuple(at for at, _ in shown), tuple(text for _, text in shown), hidden)


def _count(contents: Sequence[_Content]) -> int:
    return sum(len(one.at) for one in contents)


@lru_cache(maxsize=1000)
def _wrapped(text: str, points: float, width_mm: float) -> str:
    return wrapped(text, text_format(points), width_mm)


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


def _classes(layer: QgsMapLayer, map_item: QgsLayoutItemMap, shown: QgsMapSettings) -> Set[str] | None:
    """Rule keys (vectors) or texts (rasters) of the classes that the map shows; None for all."""
    if isinstance(layer, QgsVectorLayer):
        return _vector_classes(layer, map_item, shown)
    return _raster_classes(layer, map_item) if isinstance(layer, QgsRasterLayer) else None


def _vector_classes(layer: QgsVectorLayer, map_item: QgsLayoutItemMap, shown: QgsMapSettings) -> set[str]:
    """Rule keys of the symbols that features inside the map's extent are drawn with.

    QGIS's own hit test (`QgsMapHitTest`) tells the same but needs twenty times as long.
    """
    if not layer.isInScaleRange(map_item.scale()):
        return set()
    context = QgsRenderContext.fromMapSettings(shown)
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
    items = list(shader.colorRampItemList())
    values = _cells(layer, renderer.inputBand(), map_item).astype(np.float64)  # 0.3 is a little more in 32 bits
    # A discrete class goes up to its value, and no lower than the value before it. Asked class by class: sorting millions of cells takes ten times as long.
    ends = [item.value for item in items]
    return {item.label for item, low, high in zip(items, [-np.inf, *ends], ends)
            if item.color.alpha() > 0 and ((values > low) & (values <= high)).any()}


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
    cells = block.as_numpy(True)
    values = cells.compressed() if np.ma.is_masked(cells) else np.ma.getdata(cells).ravel()
    return values if np.isfinite(values).all() else values[np.isfinite(values)]
