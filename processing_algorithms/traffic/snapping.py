"""Origins on the network: each is moved to the nearest point of the nearest edge, and the move is told."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from .network import Network

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]

#: Nearer to a node than this an origin is at it, m: systems of VN-2000 agree to a millimetre.
_AT_NODE_M = 0.005
#: Cells along the longer side of the network when edges near points are sought.
_CELLS = 128
#: Cells of the index of segments for each segment, how often they are doubled, and pairs of points and segments looked at together (what the processor's cache holds).
_CELLS_PER_SEGMENT, _DOUBLINGS, _PAIRS = 2, 2, 200_000


@dataclass(frozen=True)
class Snapped:
    """Points on a network, k of them.

    Attributes
    ----------
    edge : array of int, shape (k,)
    along : array, shape (k,)
        Distance in metres from the start of the edge.
    distance : array, shape (k,)
        Metres between the point and its place on the network.
    xy : array, shape (k, 2)
        The place on the network.
    """

    edge: Indices
    along: Floats
    distance: Floats
    xy: Floats


def snap(network: Network, points: NDArray[np.object_]) -> Snapped:
    """Move points to the nearest place on the network, anywhere along an edge.

    Of several edges equally near the first is taken; where they meet in a node this makes no difference.

    Parameters
    ----------
    network : Network
    points : array of shapely Points, shape (k,)
        In the network's system.
    """
    xy = shapely.get_coordinates(points)
    count = len(xy)
    found = Snapped(
        edge=np.zeros(count, np.intp), along=np.zeros(count), distance=np.full(count, np.inf), xy=np.zeros((count, 2))
    )
    near, safe = _edges_near(network, xy)
    _seek(network, near, xy, np.arange(count), found)
    missed = np.flatnonzero(~(found.distance <= safe))
    if missed.size:
        _seek(network, np.arange(network.edge_count), xy, missed, found)
    # A millimetre of reprojection beside a junction must not shut an origin into a one-way street.
    length = network.length[found.edge]
    found.along[:] = np.where(found.along < _AT_NODE_M, 0.0, np.where(length - found.along < _AT_NODE_M, length, found.along))
    return found


def _seek(network: Network, edges: Indices, xy: Floats, which: Indices, found: Snapped) -> None:
    """Find the nearest place on some edges for the points ``which``.

    Each point looks at the segments of its own cell and the eight around it; a segment found within the size of a cell cannot be beaten. Those that
    find none so near look again in larger cells, and the few that are far from every street ask a tree.
    """
    owner, vertex = network.vertices_of(edges)
    vertex = vertex[:-1][owner[1:] == owner[:-1]] if len(vertex) else vertex
    if not len(vertex):
        return
    low = np.minimum(network.xy[vertex], network.xy[vertex + 1]).min(axis=0)
    extent = np.maximum(network.xy[vertex], network.xy[vertex + 1]).max(axis=0) - low
    most = _CELLS_PER_SEGMENT * len(vertex)
    cell = max(float(np.sqrt(extent[0] * extent[1] / most)), float(extent.max()) / most, 1e-6)
    for _ in range(1 + _DOUBLINGS):
        if not which.size:
            return
        index = _CellIndex.of(network, vertex, low, extent, cell)
        found.distance[which] = np.inf
        for part in np.array_split(which, max(1, len(which) * index.most // _PAIRS)):
            index.nearest(network, xy, part, found)
        which = which[~(found.distance[which] <= cell)]
        cell *= 2.0
    if which.size:
        (asked, edge), gap = shapely.STRtree(network.lines(edges)).query_nearest(
            shapely.points(xy[which]), return_distance=True
        )
        first = np.lexsort((edge, asked))[
            np.unique(np.sort(asked), return_index=True)[1]
        ]  # of equally near edges the first
        which, edge = which[asked[first]], edges[edge[first]]
        lines = network.lines(edge)
        along = np.clip(shapely.line_locate_point(lines, shapely.points(xy[which])), 0.0, network.length[edge])
        found.edge[which], found.along[which], found.distance[which] = edge, along, gap[first]
        found.xy[which] = shapely.get_coordinates(shapely.line_interpolate_point(lines, along))


@dataclass(frozen=True)
class _CellIndex:
    """Segments by cells: those whose bounding box touches the cell, cells row by row with a rim of one around."""

    low: Floats
    cell: float
    shape: tuple[int, int]
    starts: Indices
    vertex: Indices

    @classmethod
    def of(cls, network: Network, vertex: Indices, low: Floats, extent: Floats, cell: float) -> _CellIndex:
        columns, rows = (np.floor(extent / cell).astype(np.intp) + 3).tolist()
        a, b = network.xy[vertex], network.xy[vertex + 1]
        # Long segments in pieces, so that the boxes of oblique ones touch few cells they do not pass.
        pieces = np.maximum(np.ceil(np.abs(b - a).max(axis=1) / cell).astype(np.intp), 1)
        segment = np.repeat(np.arange(len(vertex)), pieces)
        number = np.arange(len(segment)) - np.repeat(np.cumsum(pieces) - pieces, pieces)
        step = (b - a)[segment] / pieces[segment, None]
        ends = np.stack([a[segment] + number[:, None] * step, a[segment] + (number + 1)[:, None] * step])
        # A thousandth of a cell for what rounding may move.
        first = np.floor((ends.min(axis=0) - low) / cell - 1e-3).astype(np.intp) + 1
        last = np.floor((ends.max(axis=0) - low) / cell + 1e-3).astype(np.intp) + 1
        wide, high = (last - first + 1).T
        count = wide * high
        piece = np.repeat(np.arange(len(segment)), count)
        at = np.arange(len(piece)) - np.repeat(np.cumsum(count) - count, count)
        column, row = first[piece, 0] + at % wide[piece], first[piece, 1] + at // wide[piece]
        column, row = np.clip(column, 0, columns - 1), np.clip(row, 0, rows - 1)
        # A segment once in each cell, in the order of the segments.
        key = np.unique((row * columns + column) * len(vertex) + segment[piece])
        starts = np.searchsorted(key, np.arange(rows * columns + 1) * len(vertex))
        return cls(low, cell, (rows, columns), starts, vertex[key % len(vertex)])

    @property
    def most(self) -> int:
        """Segments a point looks at, on average of the cells that have any."""
        counts = np.diff(self.starts)
        return int(9 * counts[counts > 0].mean()) + 1

    def nearest(self, network: Network, xy: Floats, which: Indices, found: Snapped) -> None:
        """Look at the cells around points and keep the nearest segment there is."""
        rows, columns = self.shape
        column, row = (
            np.clip(np.floor((xy[which] - self.low) / self.cell).astype(np.intp) + 1, 0, [columns - 1, rows - 1])
        ).T
        around = np.clip(row[:, None] + np.array([-1, 0, 1]), 0, rows - 1)
        left, right = np.maximum(column - 1, 0)[:, None], np.minimum(column + 1, columns - 1)[:, None]
        first, last = self.starts[around * columns + left].ravel(), self.starts[around * columns + right + 1].ravel()
        count = last - first
        total = count.reshape(-1, 3).sum(axis=1)
        pair = np.repeat(first - (np.cumsum(count) - count), count) + np.arange(count.sum())
        if not len(pair):
            return
        some = np.flatnonzero(total > 0)
        starts = (np.cumsum(total) - total)[some]
        point, vertex = np.repeat(which, total), self.vertex[pair]
        a, b = network.xy[vertex], network.xy[vertex + 1]
        step, gap = b - a, xy[point] - a
        share = np.clip(
            np.einsum("ij,ij->i", gap, step) / np.maximum(np.einsum("ij,ij->i", step, step), 1e-300), 0.0, 1.0
        )
        # Exactly at an end, so that edges that meet there are equally near.
        off = np.where(share[:, None] < 1.0, gap - share[:, None] * step, xy[point] - b)
        square = np.einsum("ij,ij->i", off, off)
        best = np.minimum.reduceat(square, starts)
        # The first vertex of the equally near ones: vertices are in the order of the edges.
        ranked = np.where(square == np.repeat(best, total[some]), vertex, np.iinfo(np.intp).max)
        chosen = np.minimum.reduceat(ranked, starts)
        position = np.flatnonzero(ranked == np.repeat(chosen, total[some]))
        position = position[np.unique(point[position], return_index=True)[1]] if len(position) > len(some) else position
        owner, vertex, share = point[position], vertex[position], share[position]
        edge = np.searchsorted(network.first, vertex, side="right") - 1
        found.edge[owner], found.distance[owner] = edge, np.sqrt(square[position])
        found.along[owner] = np.minimum(
            network.along[vertex] + share * (network.along[vertex + 1] - network.along[vertex]), network.length[edge]
        )
        found.xy[owner] = np.where(share[:, None] < 1.0, a[position] + share[:, None] * step[position], b[position])


def _edges_near(network: Network, xy: Floats) -> tuple[Indices, float]:
    """Edges around points, and the distance within which none is missing.

    A few schools touch a small part of a province's streets; looking at all of them would take longer than everything else.
    """
    low, high = network.xy.min(axis=0), network.xy.max(axis=0)
    cell = max(float((high - low).max()) / _CELLS, 1e-9)
    column, row = (np.clip((xy - low) / cell, -1, _CELLS).astype(np.intp) + 1).T
    marked = np.zeros((_CELLS + 3, _CELLS + 3), dtype=np.int64)
    for right in (-1, 0, 1):
        for up in (-1, 0, 1):
            marked[np.clip(row + up, 0, _CELLS + 1), np.clip(column + right, 0, _CELLS + 1)] = 1
    counted = np.zeros((_CELLS + 4, _CELLS + 4), dtype=np.int64)
    counted[1:, 1:] = marked.cumsum(axis=0).cumsum(axis=1)
    starts = network.first[:-1]
    (left, right), (bottom, top) = (
        [((extreme.reduceat(network.xy[:, axis], starts) - low[axis]) / cell).astype(np.intp) + beyond
         for extreme, beyond in ((np.minimum, 1), (np.maximum, 2))] for axis in (0, 1))
    touched = counted[top, right] - counted[bottom, right] - counted[top, left] + counted[bottom, left]
    return np.flatnonzero(touched), cell
