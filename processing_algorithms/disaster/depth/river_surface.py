"""The water surface along rivers: levels run along the water between gauges and spread from it to the land beside it.

Between two gauges of a river the level changes evenly with the distance along the river; beyond the last gauge, and in tributaries
without one, it stays what it is where they join. At a confluence the levels balance: the level is the mean of its neighbours weighted
by one over their distance (the discrete Laplace equation on the network, which on a single line is linear interpolation in the
chainage). So the surface equals the level at each gauge's place on the river, never leaves the range of the levels, and rises nowhere when
a level falls. A cell takes the level of the nearest place on the river.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property

import geopandas
import numpy as np
import shapely
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import coo_array, csr_array, diags
from scipy.sparse.csgraph import connected_components
from scipy.sparse.linalg import splu
from scipy.spatial import cKDTree

from ...common.errors import InputError, name_some
from ...common.language import say
from ...common.numbers_vi import format_number
from ...common.raster import Grid, Window
from .gauges import Gauges

Array = NDArray[np.float64]
#: Rivers are cut into steps of at most so many cells of the terrain, so that "nearest place" is exact to a cell or two.
_STEP_CELLS = 4.0
#: Every so many cells the nearest place is looked up; between them the level is interpolated.
_NODE_CELLS = 8
#: Ends of rivers nearer than this to another river join it, m: lines digitised by hand seldom meet exactly.
_JOIN_M = 1.0


@dataclass(frozen=True)
class RiverNetwork:
    """Rivers as nodes and steps between them, in metres.

    Attributes
    ----------
    nodes : array of float, shape (n, 2)
        Metres (degrees scaled by ``scale``).
    first, last : array of int, shape (m,)
        Nodes each step joins.
    length : array of float, shape (m,)
    part : array of int, shape (n,)
        Connected part each node belongs to.
    scale : (float, float)
        Metres per unit of x and y.
    """

    nodes: Array
    first: NDArray[np.intp]
    last: NDArray[np.intp]
    length: Array
    part: NDArray[np.int32]
    scale: tuple[float, float]


def river_network(rivers: geopandas.GeoDataFrame, grid: Grid, gauges: Gauges) -> RiverNetwork:
    """Build the network of river axes.

    Parameters
    ----------
    rivers : GeoDataFrame
        Valid lines in the CRS of the grid; crossings are junctions.
    grid : Grid
    gauges : Gauges
        Each gets a node where it is nearest to a river.

    Raises
    ------
    InputError
        No lines.
    """
    scale = gauges.scale
    lines = shapely.transform(np.asarray(rivers.geometry.array, dtype=object), lambda xy: xy * scale)
    lines = lines[~(shapely.is_missing(lines) | shapely.is_empty(lines))]
    if not len(lines):
        raise InputError(say("Lớp tim sông không có đường nào.", "The layer of river axes has no lines."))
    whole = shapely.unary_union(_joined_ends(shapely.get_parts(lines)))
    cell = np.sqrt(grid.cell_area * scale[0] * scale[1])
    merged = shapely.get_parts(shapely.line_merge(whole) if whole.geom_type != "LineString" else whole)
    pieces = shapely.segmentize(
        _with_vertices(merged, np.column_stack([gauges.x, gauges.y]) * scale), _STEP_CELLS * cell
    )
    xy, owner = shapely.get_coordinates(pieces, return_index=True)
    nodes, node = np.unique(np.round(xy, 6), axis=0, return_inverse=True)
    node = node.ravel()
    inside = owner[1:] == owner[:-1]
    first, last = node[:-1][inside], node[1:][inside]
    length = np.hypot(*(nodes[first] - nodes[last]).T)
    kept = length > 0
    first, last, length = first[kept], last[kept], length[kept]
    graph = coo_array((np.ones(len(first), np.int8), (first, last)), shape=(len(nodes), len(nodes)))
    return RiverNetwork(
        nodes, first, last, length, connected_components(graph, directed=False)[1].astype(np.int32), scale
    )


def _joined_ends(lines: NDArray[np.object_]) -> NDArray[np.object_]:
    """Lines, with a short link from every end that stops just before another line."""
    ends = np.concatenate([shapely.get_point(lines, 0), shapely.get_point(lines, -1)])
    owner = np.tile(np.arange(len(lines)), 2)
    end, other = shapely.STRtree(lines).query(ends, predicate="dwithin", distance=_JOIN_M)
    end, other = end[owner[end] != other], other[owner[end] != other]
    links = shapely.shortest_line(ends[end], lines[other])
    links = links[shapely.length(links) > 0]
    if not len(links):
        return lines
    # A link's far end is put into the line it reaches, so that the two share a node.
    reached = shapely.snap(lines, shapely.multipoints(shapely.get_point(links, -1)), 1e-9)
    return np.concatenate([reached, links])


def _with_vertices(lines: NDArray[np.object_], places: Array) -> NDArray[np.object_]:
    """Lines with a vertex where each place is nearest to them."""
    points = shapely.points(places)
    which = shapely.STRtree(lines).nearest(points)
    lines = lines.copy()
    for k in np.unique(which):
        xy = shapely.get_coordinates(lines[k])
        along = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(xy, axis=0).T))])
        wanted = np.unique(shapely.line_locate_point(lines[k], points[which == k]))
        new = np.column_stack([np.interp(wanted, along, xy[:, c]) for c in (0, 1)])
        order = np.argsort(np.concatenate([along, wanted]), kind="stable")
        lines[k] = shapely.linestrings(np.concatenate([xy, new])[order])
    return lines


@dataclass(frozen=True)
class RiverGauges:
    """Gauges on their rivers.

    Attributes
    ----------
    node : array of int, shape (n,)
        Node of the network nearest to each gauge.
    distance_m : array of float, shape (n,)
    notes : list of str
    """

    network: RiverNetwork
    node: NDArray[np.intp]
    distance_m: Array
    notes: list[str]

    def levels(self, level_m: Array, used: NDArray[np.bool_] | None = None) -> Array:
        """Level at every node of the network, m; nan in parts without a gauge."""
        used = np.ones(len(self.node), bool) if used is None else used
        network = self.network
        known = np.full(len(network.nodes), np.nan)
        known[self.node[used]] = level_m[used]
        gauged = np.isin(network.part, np.unique(network.part[self.node[used]]))
        free = np.flatnonzero(np.isnan(known) & gauged)
        if not free.size:
            return known
        weight = 1.0 / network.length
        count = len(network.nodes)
        ends = np.concatenate([network.first, network.last]), np.concatenate([network.last, network.first])
        adjacency = csr_array(coo_array((np.tile(weight, 2), ends), shape=(count, count)))
        laplace = csr_array(diags(np.asarray(adjacency.sum(axis=1)).ravel())) - adjacency
        fixed = np.flatnonzero(~np.isnan(known))
        right = -(laplace[free][:, fixed] @ known[fixed])
        known[free] = splu(laplace[free][:, free].tocsc()).solve(right)
        return np.clip(known, level_m[used].min(), level_m[used].max())

    def leave_one_out(self, level_m: Array) -> Array:
        """Error at each gauge when its level is left out, m; nan where no other gauge is on its part of the network."""
        errors = np.full(len(self.node), np.nan)
        if len(self.node) < 2:
            return np.zeros(0)
        for k, node in enumerate(self.node):
            used = np.arange(len(self.node)) != k
            if (self.network.part[self.node[used]] == self.network.part[node]).any():
                errors[k] = self.levels(level_m, used)[node] - level_m[k]
        return errors[~np.isnan(errors)]

    def surface(self, level_m: Array) -> RiverSurface:
        """The surface these levels give."""
        return RiverSurface(self._nearest, self.levels(level_m)[self._gauged])

    @cached_property
    def _gauged(self) -> NDArray[np.intp]:
        return np.flatnonzero(np.isin(self.network.part, np.unique(self.network.part[self.node])))

    @cached_property
    def _nearest(self) -> _NearestNode:
        return _NearestNode(self.network.nodes[self._gauged], self.network.scale)


def on_rivers(network: RiverNetwork, gauges: Gauges, most_m: float) -> RiverGauges:
    """Put gauges on the rivers.

    Parameters
    ----------
    most_m : float
        A gauge further from every river than this is refused.

    Raises
    ------
    InputError
        Gauges too far from every river; two gauges with different levels at one place of a river.
    """
    places = np.column_stack([gauges.x, gauges.y]) * network.scale
    distance, node = cKDTree(network.nodes).query(places)
    far = distance > most_m
    if far.any():
        raise InputError(
            say(
                "Điểm mực nước cách tim sông quá {most} m (fid: {ids}); kiểm tra lớp tim sông hoặc bỏ điểm đó.",
                "Levels further than {most} m from every river axis (ids: {ids}); check the axes or leave these points out.",
            ).format(
                most=format_number(most_m),
                ids=name_some(f"{i} ({format_number(d)} m)" for i, d in zip(gauges.ids[far], distance[far])),
            )
        )
    order = np.argsort(node, kind="stable")
    same = (node[order][1:] == node[order][:-1]) & (gauges.level_m[order][1:] != gauges.level_m[order][:-1])
    if same.any():
        pairs = [f"{gauges.ids[a]} - {gauges.ids[b]}" for a, b in zip(order[:-1][same], order[1:][same])]
        raise InputError(say("Hai mực nước khác nhau ở cùng một chỗ trên sông (fid: {ids}); hãy giữ một.",
                             "Two different levels at one place of a river (ids: {ids}); keep one.").format(ids=name_some(pairs)))
    notes = []
    parts, gauged = np.unique(network.part), np.unique(network.part[node])
    if len(parts) > len(gauged):
        without = np.isin(network.part[network.first], gauged, invert=True)
        notes.append(say("{n} nhánh sông ({km} km) không nối với nhánh nào có mực nước: không dùng; vùng ven đó lấy theo sông gần nhất có mực nước.",
                         "{n} parts of the rivers ({km} km) are not joined to any with a level and are not used; the land beside them takes the "
                         "nearest river that has one.")
                     .format(n=len(parts) - len(gauged), km=format_number(network.length[without].sum() / 1000, 1)))
    return RiverGauges(network, node.astype(np.intp), distance, notes)


class _NearestNode:
    """Nearest node of places; what was looked up for a window is kept, as low, middle and high levels ask for the same."""

    def __init__(self, nodes: Array, scale: tuple[float, float]):
        self._tree, self._scale = cKDTree(nodes), scale
        self._windows: dict[tuple, NDArray[np.int32]] = {}
        self._asking = threading.Lock()

    def of(self, x: ArrayLike, y: ArrayLike) -> NDArray[np.int32]:
        x, y = np.broadcast_arrays(np.asarray(x, float) * self._scale[0], np.asarray(y, float) * self._scale[1])
        return (
            self._tree.query(np.column_stack([x.ravel(), y.ravel()]), workers=-1)[1].reshape(x.shape).astype(np.int32)
        )

    def of_window(self, grid: Grid, rows: NDArray[np.int64], columns: NDArray[np.int64]) -> NDArray[np.int32]:
        key = (grid.transform, rows[0], rows[-1], columns[0], columns[-1])
        with self._asking:  # surfaces that ask for the same window at once wait for one answer
            if key not in self._windows:
                ends = len(rows) - 1, len(columns) - 1
                corner = self.of(*grid.to_map(columns * _NODE_CELLS + 0.5, rows[[0, -1], None] * _NODE_CELLS + 0.5))
                side = self.of(*grid.to_map(columns[[0, -1]] * _NODE_CELLS + 0.5, rows[:, None] * _NODE_CELLS + 0.5))
                # Halved along the axis that stays with one node more often.
                if (corner[0] == corner[1]).mean() >= (side[:, 0] == side[:, 1]).mean():
                    found = _halved(
                        ends[0],
                        corner,
                        lambda r, c: self.of(*grid.to_map(columns[c] * _NODE_CELLS + 0.5, rows[r] * _NODE_CELLS + 0.5)),
                    )
                else:
                    found = _halved(
                        ends[1],
                        side.T,
                        lambda c, r: self.of(*grid.to_map(columns[c] * _NODE_CELLS + 0.5, rows[r] * _NODE_CELLS + 0.5)),
                    ).T
                self._windows[key] = np.ascontiguousarray(found)
            return self._windows[key]


def _halved(
    last: int, ends: NDArray[np.int32], ask: Callable[[NDArray[np.intp], NDArray[np.intp]], NDArray[np.int32]]
) -> NDArray[np.int32]:
    """Answers along lines from 0 to ``last`` of which the ends are known; where a stretch has one answer at both ends it has it all along.

    The places nearest to one node are a convex set, so what lies between two of them is one of them.

    Parameters
    ----------
    ends : array of int, shape (2, lines)
    ask : callable
        Takes positions and lines.
    """
    found = np.empty((last + 1, ends.shape[1]), np.int32)
    found[0], found[-1] = ends
    known = np.array([0, last])
    while len(known) <= last:
        middle = (known[:-1] + known[1:]) // 2
        low, high = known[:-1][middle > known[:-1]], known[1:][middle > known[:-1]]
        middle = middle[middle > known[:-1]]
        found[middle] = found[low]
        stretch, line = np.nonzero(found[low] != found[high])
        found[middle[stretch], line] = ask(middle[stretch], line)
        known = np.union1d(known, middle)
    return found


@dataclass(frozen=True)
class RiverSurface:
    """Level of the nearest place on the rivers; a `water_surface.WaterSurface`."""

    nearest: _NearestNode
    level: Array

    def at(self, x: ArrayLike, y: ArrayLike) -> Array:  # noqa: D102
        return self.level[self.nearest.of(x, y)]

    def on(self, grid: Grid, window: Window) -> Array:
        """Levels at cell centres: exact every few cells, bilinear between, so that a window does not depend on how it is cut."""
        result = np.empty((window.rows, window.columns))
        for rows, levels in self._blocks(grid, window):
            result[rows] = levels
        return result

    def above(self, heights: NDArray[np.float32], grid: Grid, window: Window) -> NDArray[np.float32]:  # noqa: D102
        result = np.empty(heights.shape, np.float32)
        for rows, levels in self._blocks(grid, window):
            np.subtract(levels, heights[rows], out=result[rows], casting="same_kind")
        return result

    def _blocks(self, grid: Grid, window: Window) -> Iterator[tuple[slice, Array]]:
        """Levels of a few rows at a time, which stay in the processor's cache; they hold until the next ones are asked for."""
        rows, row_share = _steps(window.row, window.rows)
        columns, column_share = _steps(window.column, window.columns)
        coarse = self.level[self.nearest.of_window(grid, rows, columns)]
        left = np.arange(window.column, window.column + window.columns) // _NODE_CELLS - columns[0]
        across = coarse[:, left] * (1 - column_share) + coarse[:, left + 1] * column_share
        # One piece of memory for all blocks: new pieces for each take five times as long as the arithmetic.
        levels, below = np.empty((2, _NODE_CELLS, window.columns))
        first = 0
        for low in range(len(rows) - 1):
            last = min(int(rows[low + 1]) * _NODE_CELLS - window.row, window.rows)
            share = row_share[first:last, None]
            here, part = levels[:last - first], below[:last - first]
            np.multiply(across[low], 1 - share, out=here)
            np.multiply(across[low + 1], share, out=part)
            here += part
            yield slice(first, last), here
            first = last


def _steps(first: int, count: int) -> tuple[NDArray[np.int64], Array]:
    """Numbers of the coarse nodes a stretch of cells needs, and each cell's share of the way to the next."""
    cells = np.arange(first, first + count)
    return np.arange(cells[0] // _NODE_CELLS, cells[-1] // _NODE_CELLS + 2), (cells % _NODE_CELLS) / _NODE_CELLS
