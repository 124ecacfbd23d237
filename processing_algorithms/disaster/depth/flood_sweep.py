"""Two passes over a terrain in strips of rows: where water can get to from its source, then how deep it is there.

The first pass numbers the connected parts of each strip and notes which touch each other and the source, the second gives the depth of the
parts that water reaches. Memory is that of a strip, whatever the size of the terrain; several water surfaces share the reading.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from ...common.cells import Runs, burn, cell_areas_m2, weighted_sum
from ...common.parallel import Pool, ahead
from ...common.progress import Progress
from ...common.raster import Heights, Window
from .water_surface import WaterSurface

#: Takes window, heights of the terrain, and the depths of every surface.
Seen = Callable[[Window, NDArray[np.float32], Sequence[NDArray[np.float32]]], None]


class Connectivity(IntEnum):
    """Which neighbours water can pass to."""

    FOUR = 0  # over sides; a bank one cell wide holds water however it runs
    EIGHT = 1  # over corners too; leaks through banks that run diagonally


_STRUCTURE = {Connectivity.FOUR: ndimage.generate_binary_structure(2, 1),
              Connectivity.EIGHT: ndimage.generate_binary_structure(2, 2)}
_SOURCE = 0  # the number of the source among the connected parts


@dataclass(frozen=True)
class Sweep:
    """One way down the terrain for all surfaces together: it is read once a pass."""

    terrain: Heights
    surfaces: Sequence[WaterSurface]
    origin: Runs
    passage: bool
    connectivity: Connectivity

    def strips(self) -> Iterator[tuple[Window, NDArray[np.float32], NDArray[np.bool_], list[_Strip]]]:
        """Yield window, heights, source cells, and the water of each surface."""
        grid = self.terrain.grid
        with Pool(os.cpu_count()) as pool:
            for window in grid.strips(thinner=2):  # a dozen arrays of each are held, for every surface and for the strip after it
                heights = self.terrain.read(window)
                source = burn(self.origin, window.row, window.rows, grid.shape[1])
                yield (
                    window,
                    heights,
                    source,
                    list(pool.map(lambda surface: self._strip(surface, window, heights, source), self.surfaces)),
                )

    def _strip(
        self, surface: WaterSurface, window: Window, heights: NDArray[np.float32], source: NDArray[np.bool_]
    ) -> _Strip:
        above = surface.above(heights, self.terrain.grid, window)
        with np.errstate(invalid="ignore"):
            passable = above > 0
        if self.passage:
            passable |= np.isnan(above) & source
        labels, count = _label(passable, self.connectivity)
        return _Strip(above, labels, count)


@dataclass(frozen=True)
class _Strip:
    """Water above ground (m, below 0 where the ground is higher), and the connected parts of the cells it can be in."""

    above: NDArray[np.float32]
    labels: NDArray[np.int32]
    count: int


def reached_parts(sweep: Sweep, progress: Progress) -> list[NDArray[np.bool_]]:
    """First pass: which connected parts of the strips, numbered in order from 1, have a path to the source, for each surface."""
    joining = [_Joining(sweep.connectivity) for _ in sweep.surfaces]
    for window, _, source, strips in ahead(sweep.strips()):
        for one, strip in zip(joining, strips):
            one.take(strip, source)
        progress((window.row + window.rows) / sweep.terrain.grid.shape[0])
    return [one.reached() for one in joining]


class _Joining:
    """Parts of strips that touch each other or the source."""

    def __init__(self, connectivity: Connectivity):
        self._connectivity, self._count, self._last = connectivity, 0, None
        self._pairs: list[NDArray[np.int64]] = []

    def take(self, strip: _Strip, source: NDArray[np.bool_]) -> None:
        """The next strip."""
        labels, count = strip.labels, self._count
        touching = np.unique(labels[source]).astype(np.int64)
        touching = touching[touching > 0] + count
        self._pairs.append(np.column_stack([np.full_like(touching, _SOURCE), touching]))
        if self._last is not None:
            self._pairs += _seam(self._last, labels[0], count, self._connectivity)
        self._last = np.where(labels[-1] > 0, labels[-1].astype(np.int64) + count, 0)
        self._count += strip.count

    def reached(self) -> NDArray[np.bool_]:
        """Which parts have a path to the source."""
        pairs = np.concatenate(self._pairs)
        graph = coo_array(
            (np.ones(len(pairs), np.int8), (pairs[:, 0], pairs[:, 1])), shape=(self._count + 1, self._count + 1)
        )
        component = connected_components(graph, directed=False)[1]
        return component == component[_SOURCE]


def _seam(above: NDArray[np.int64], below: NDArray[np.int32], offset: int,
          connectivity: Connectivity) -> list[NDArray[np.int64]]:
    """Pairs of parts that touch across the border of two strips."""
    below = np.where(below > 0, below.astype(np.int64) + offset, 0)
    pairs = [(above, below)]
    if connectivity is Connectivity.EIGHT:
        pairs += [(above[:-1], below[1:]), (above[1:], below[:-1])]
    touching = [np.column_stack([a, b])[(a > 0) & (b > 0)] for a, b in pairs]
    return [np.unique(some, axis=0) for some in touching]


def _label(passable: NDArray[np.bool_], connectivity: Connectivity) -> tuple[NDArray[np.int32], int]:
    if not passable.any():
        return np.zeros(passable.shape, np.int32), 0
    return ndimage.label(passable, _STRUCTURE[connectivity])


def write_depths(
    sweep: Sweep,
    reached: Sequence[NDArray[np.bool_]],
    writes: Sequence[Callable[[Window, NDArray[np.float32]], None]],
    seen: Seen | None,
    progress: Progress,
) -> list[Totals]:
    """Second pass: the same parts get the same numbers, and those water reaches are written; returns the sums of each surface."""
    totals = [Totals(parts) for parts in reached]
    for window, depths in ahead(_depths(sweep, totals, seen)):
        for write, depth in zip(writes, depths):
            write(window, depth)
        progress((window.row + window.rows) / sweep.terrain.grid.shape[0])
    return totals


def _depths(
    sweep: Sweep, totals: Sequence[Totals], seen: Seen | None
) -> Iterator[tuple[Window, list[NDArray[np.float32]]]]:
    with Pool(os.cpu_count()) as pool:
        for window, heights, _, strips in ahead(sweep.strips()):
            area = cell_areas_m2(sweep.terrain.grid, window)
            depths = list(pool.map(lambda one, strip: one.take(strip, area), totals, strips))
            if seen is not None:
                seen(window, heights, depths)
            yield window, depths


class Totals:
    """Sums over the strips of one surface.

    Attributes
    ----------
    wet_area_m2, volume_m3, max_depth_m, unreached_area_m2 : float
    unknown_cells : int
    """

    def __init__(self, reached: NDArray[np.bool_]):
        self._reached, self._count = reached, 0
        self.max_depth_m, self.wet_area_m2, self.volume_m3, self.unreached_area_m2, self.unknown_cells = (
            0.0,
            0.0,
            0.0,
            0.0,
            0,
        )

    def take(self, strip: _Strip, area: NDArray[np.float64]) -> NDArray[np.float32]:
        """Depths of the next strip, m; nan where the terrain is unknown."""
        above, first = strip.above, self._count + 1
        reached = np.concatenate([[False], self._reached[first:first + strip.count]])[strip.labels]
        self._count += strip.count
        depth = np.where(reached, above, np.float32(0))
        unknown = np.isnan(above)
        some_unknown = unknown.any()
        if some_unknown:  # water passes through unknown cells of the source, but how deep it is there nobody knows
            depth[unknown] = 0
        self.max_depth_m = max(self.max_depth_m, float(depth.max()))
        wet_area = _area(depth > 0, area)
        self.wet_area_m2 += wet_area
        self.volume_m3 += weighted_sum(depth, area)
        with np.errstate(invalid="ignore"):
            self.unreached_area_m2 += max(0.0, _area(above > 0, area) - wet_area)
        if some_unknown:
            self.unknown_cells += int(np.count_nonzero(unknown))
            depth[unknown] = np.nan
        return depth


def _area(cells: NDArray[np.bool_], area: NDArray[np.float64]) -> float:
    """Area of the marked cells, m2."""
    return np.count_nonzero(cells) * float(area[0, 0]) if area.size == 1 else weighted_sum(cells, area)
