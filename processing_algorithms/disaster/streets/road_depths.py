"""Depth of water along streets, cell by cell, and where a vehicle can no longer pass.

A street is cut exactly at the borders of cells. On a bridge the depth is that above the deck (water level less deck level), 0 where the deck is not known: a
terrain shows the river below it. A stretch stops a vehicle when the water is deeper than the vehicle bears over at least a given length of the edge, so that a line
that grazes a river cell is not a flooded road.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas
import shapely
from numpy.typing import NDArray

from ...common.cells import Runs, crossed, segments
from ...common.progress import Progress, part, silent
from ...common.raster import Grid, Heights, Window
from ..exposure.depth_at_shapes import passing
from ..exposure.depth_by_class import segment_lengths

#: Depths come as float32: 0.3 m is not deeper than 0.3 m.
_ROUNDING_M = 1e-5

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]


@dataclass(frozen=True)
class RoadDepths:
    """Pieces of edges in cells; E edges, p pieces in the order of the edges and, in each, of the line.

    Attributes
    ----------
    edge : array of int, shape (p,)
    along_m : array of float, shape (p,)
        Middle of the piece, from the start of its edge.
    length_m : array of float, shape (p,)
    depth_m : array of float, shape (p,)
        nan where unknown.
    edges : int
    bridges_without_deck : int
        Bridge edges in the water whose deck level is not known.
    """

    edge: Indices
    along_m: Floats
    length_m: Floats
    depth_m: Floats
    edges: int
    bridges_without_deck: int

    def deepest(self) -> Floats:
        """Greatest known depth of each edge, m, shape (E,); nan where nothing is known."""
        known = ~np.isnan(self.depth_m)
        result = np.full(self.edges, np.nan)
        result[np.unique(self.edge[known])] = 0.0
        np.fmax.at(result, self.edge[known], self.depth_m[known])
        return result

    def length_deeper(self, depth_m: float) -> Floats:
        """Length of each edge in water deeper than this, m, shape (E,)."""
        with np.errstate(invalid="ignore"):
            deep = self.depth_m > depth_m + _ROUNDING_M
        return np.bincount(self.edge[deep], self.length_m[deep], self.edges)

    def unknown_length(self) -> Floats:
        """Length of each edge where the depth is unknown, m, shape (E,)."""
        unknown = np.isnan(self.depth_m)
        return np.bincount(self.edge[unknown], self.length_m[unknown], self.edges)

    def blocked(self, depth_m: float, least_m: float) -> Blocked:
        """Where a vehicle that bears this depth is stopped."""
        stops = self.length_deeper(depth_m)
        edges = (stops > 0) & (stops >= least_m)
        with np.errstate(invalid="ignore"):
            deep = (self.depth_m > depth_m + _ROUNDING_M) & edges[self.edge]
        first, last = np.full(self.edges, np.inf), np.full(self.edges, -np.inf)
        edge, along, half = self.edge[deep], self.along_m[deep], self.length_m[deep] / 2
        starts = np.flatnonzero(np.r_[True, edge[1:] != edge[:-1]][:len(edge)])  # pieces are in the order of the edges
        if starts.size:
            first[edge[starts]] = np.minimum.reduceat(along - half, starts)
            last[edge[starts]] = np.maximum.reduceat(along + half, starts)
        return Blocked(edges, first, last)


@dataclass(frozen=True)
class Blocked:
    """Edges a vehicle cannot pass, and between which distances from their start, m (inf and -inf where it can)."""

    edges: NDArray[np.bool_]
    first_m: Floats
    last_m: Floats


def road_depths(
    lines: NDArray[np.object_],
    depth: Heights,
    *,
    terrain: Heights | None = None,
    bridge: NDArray[np.bool_] | None = None,
    deck_m: Floats | None = None,
    progress: Progress = silent,
) -> RoadDepths:
    """Find the water along lines.

    Parameters
    ----------
    lines : array of LineString, shape (E,)
        Edges of the network in the CRS of the raster.
    depth : Heights
        Metres, 0 = dry, nan = unknown. Outside the raster is unknown.
    terrain : Heights, optional
        On the same grid; needed for the depth above decks.
    bridge : array of bool, shape (E,), optional
    deck_m : array of float, shape (E,), optional
        Deck levels in the terrain's vertical datum; nan where not known.

    Raises
    ------
    InputError
        Negative depths; a terrain on another grid.
    """
    water = RoadsInWater(lines, depth.grid)
    for window, ground, (values,) in passing([depth], terrain, progress):
        water.take(window, ground, values)
    return water.found(bridge=bridge, deck_m=deck_m)


class RoadsInWater:
    """Lines that wait for the strips of a depth raster to pass; see `road_depths`."""

    def __init__(self, lines: NDArray[np.object_], grid: Grid, progress: Progress = silent):
        start, end, owner = segments(lines)
        length = segment_lengths(start, end, grid)
        before = np.cumsum(length) - length
        opening = np.zeros(len(lines))
        first = np.flatnonzero(np.r_[True, owner[1:] != owner[:-1]][:len(owner)])
        opening[owner[first]] = before[first]
        seg_along = before - opening[owner]
        runs, segment = crossed(lines, grid, part(progress, 0.0, 0.6))
        metres = runs.weight * length[segment]
        along = seg_along[segment] + _share_along(runs, start, end, segment, grid) * length[segment]
        outside = np.maximum(length - np.bincount(segment, metres, len(owner)), 0.0)
        beyond = np.flatnonzero(outside > 1e-9 * np.maximum(length, 1.0))
        progress(0.8)
        self._edges, self._row, self._column = len(lines), runs.row, runs.start
        self._in_cell, self._unknown = runs.shape, len(beyond)
        self._depth, self._ground = np.full(len(runs), np.nan, np.float32), np.full(len(runs), np.nan, np.float32)
        self._with_terrain = False
        # What lies outside comes behind what lies in cells; then along the edges.
        edge = np.concatenate([runs.shape, owner[beyond].astype(np.int32)])
        along = np.concatenate([along, (seg_along + length / 2)[beyond]])
        self._order = np.lexsort((along, edge))
        progress(0.95)
        self._edge, self._along = edge[self._order], along[self._order]
        self._metres = np.concatenate([metres, outside[beyond]])[self._order]

    def take(self, window: Window, ground: NDArray[np.float32] | None, depth: NDArray[np.float32]) -> None:
        """The next strip: heights of the terrain (None: not known) and depths."""
        first, last = np.searchsorted(self._row, (window.row, window.row + window.rows))
        cells = (self._row[first:last].astype(np.intp) - window.row) * window.columns + self._column[first:last]
        self._depth[first:last] = depth.ravel()[cells]
        if ground is not None:
            self._with_terrain = True
            self._ground[first:last] = ground.ravel()[cells]

    def found(self, *, bridge: NDArray[np.bool_] | None = None, deck_m: Floats | None = None) -> RoadDepths:
        """What all strips came to."""
        value = self._depth.astype(np.float64)
        without_deck = 0
        if bridge is not None and bridge.any():
            deck = np.full(self._edges, np.nan) if deck_m is None or not self._with_terrain else deck_m
            on_bridge = np.flatnonzero(bridge[self._in_cell])
            edge, depth = self._in_cell[on_bridge], value[on_bridge]
            level, known = depth + self._ground[on_bridge], ~np.isnan(deck[edge])
            with np.errstate(invalid="ignore"):
                wet = depth > 0
                without_deck = len(np.unique(edge[~known & wet]))
                depth[wet] = np.where(known, np.maximum(level - deck[edge], 0.0), 0.0)[wet]
            depth[np.isnan(depth)] = 0.0  # a terrain may know nothing of the river below
            value[on_bridge] = depth
        value = np.concatenate([value, np.full(self._unknown, np.nan)])[self._order]
        return RoadDepths(self._edge.astype(np.intp), self._along, self._metres, value, self._edges, without_deck)


def _share_along(runs: Runs, start: Floats, end: Floats, segment: Indices, grid: Grid) -> Floats:
    """Where the middle of each piece lies on its segment, by the middle of its cell."""
    centre = np.column_stack(grid.to_map(runs.start + 0.5, runs.row + 0.5))
    step = (end - start)[segment]
    share = np.einsum("ij,ij->i", centre - start[segment], step) / np.maximum(np.einsum("ij,ij->i", step, step), 1e-30)
    half = runs.weight / 2
    return np.clip(share, half, 1 - half)


def stretches(
    found: RoadDepths, lines: NDArray[np.object_], limits_m: Floats
) -> tuple[Indices, NDArray[np.object_], Indices, Floats]:
    """Cut edges where the class of depth changes.

    Parameters
    ----------
    limits_m : array of float
        Rising; class 0 is dry, k is deeper than ``limits_m[k - 1]``, the last is unknown.

    Returns
    -------
    edge, geometry, depth_class, deepest_m
        A row per stretch; lengths add up to those of the edges.
    """
    unknown = len(limits_m) + 1
    code = np.where(
        np.isnan(found.depth_m),
        unknown,
        np.searchsorted(limits_m + _ROUNDING_M, np.nan_to_num(found.depth_m), side="left"),
    )
    if not len(code):
        return (np.zeros(0, np.intp), np.zeros(0, object), np.zeros(0, np.intp), np.zeros(0))
    change = np.concatenate([[True], (found.edge[1:] != found.edge[:-1]) | (code[1:] != code[:-1])])
    group = np.cumsum(change) - 1
    first = np.flatnonzero(change)
    edge = found.edge[first]
    deepest = np.fmax.reduceat(found.depth_m, first)
    lengths = np.bincount(group, found.length_m)
    stop = np.cumsum(lengths)
    base = stop - lengths
    opening = np.zeros(found.edges)
    begins = np.flatnonzero(np.r_[True, edge[1:] != edge[:-1]])
    opening[edge[begins]] = base[begins]
    total = np.bincount(edge, lengths, found.edges)
    scale = np.divide(1.0, total, out=np.zeros_like(total), where=total > 0)
    low, high = (base - opening[edge]) * scale[edge], (stop - opening[edge]) * scale[edge]
    return edge, _substrings(lines, edge, low, high), code[first].astype(np.intp), deepest


def _substrings(lines: NDArray[np.object_], edge: Indices, low: Floats, high: Floats) -> NDArray[np.object_]:
    """Parts of lines between shares of their length."""
    result = lines[edge].copy()
    cut = np.flatnonzero((low > 1e-12) | (high < 1 - 1e-12))
    if not cut.size:
        return result
    used, line = np.unique(edge[cut], return_inverse=True)
    xy, owner = shapely.get_coordinates(lines[used], return_index=True)
    count = np.bincount(owner, minlength=len(used))
    first = np.cumsum(count) - count
    step = np.concatenate([[0.0], np.hypot(*np.diff(xy, axis=0).T)])
    step[first] = 0.0
    along = pandas.Series(step).groupby(owner).cumsum().to_numpy()
    total = along[first + count - 1][line]
    # Every vertex of its line for every piece, of which those inside are kept.
    piece = np.repeat(np.arange(len(cut)), count[line])
    vertex = np.arange(len(piece)) + np.repeat(first[line] - np.cumsum(count[line]) + count[line], count[line])
    at = np.stack([low[cut], high[cut]]) * total
    inner = (along[vertex] > at[0][piece]) & (along[vertex] < at[1][piece])
    ends = [_at(xy, along, first[line], count[line], piece, vertex, place) for place in at]
    place = np.concatenate([np.full(len(cut), -1), vertex[inner], np.full(len(cut), len(xy))])
    owner = np.concatenate([np.arange(len(cut)), piece[inner], np.arange(len(cut))])
    order = np.lexsort((place, owner))
    result[cut] = shapely.linestrings(
        np.concatenate([ends[0], xy[vertex[inner]], ends[1]])[order], indices=owner[order]
    )
    return result


def _at(
    xy: Floats, along: Floats, first: Indices, count: Indices, piece: Indices, vertex: Indices, place: Floats
) -> Floats:
    """Points at distances from the start of the line of each piece."""
    before = first + np.clip(
        np.bincount(piece, along[vertex] <= place[piece], len(place)).astype(np.intp) - 1, 0, count - 2
    )
    share = (place - along[before]) / np.maximum(along[before + 1] - along[before], 1e-30)
    return xy[before] + np.clip(share, 0.0, 1.0)[:, None] * (xy[before + 1] - xy[before])
