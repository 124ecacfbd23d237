"""Depth met by buildings: depth rasters against shapes, in bulk. Each takes one depth from the cells whose centre it covers (roads and land: `depth_by_class`)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
import shapely
from numpy.typing import NDArray

from ...common.cells import Runs, centres_inside, clipped
from ...common.errors import InputError
from ...common.language import say
from ...common.parallel import ahead
from ...common.progress import Progress, part, silent
from ...common.raster import Grid, Heights, Window
from .depth_classes import refuse_negative


class Statistic(IntEnum):
    """Which depth stands for a building that covers several cells."""

    MAXIMUM = 0
    MEAN = 1


@dataclass(frozen=True)
class BuildingDepths:
    """Water at each building.

    Attributes
    ----------
    depth_m : array of float, shape (n,)
        Above ground; 0 = dry, nan = unknown: a building is dry only when all its cells are known and dry.
    water_level_m : array of float, shape (n,)
        In the terrain's vertical datum; nan where dry or unknown, and everywhere when no terrain was given.
    """

    depth_m: NDArray[np.float64]
    water_level_m: NDArray[np.float64]


def building_depths(
    shapes: NDArray[np.object_],
    depth: Heights,
    *,
    statistic: Statistic = Statistic.MAXIMUM,
    terrain: Heights | None = None,
    progress: Progress = silent,
) -> BuildingDepths:
    """Find the water at buildings.

    Parameters
    ----------
    shapes : array of shapely Polygon, MultiPolygon, Point or MultiPoint, shape (n,)
        Valid, in the CRS of the raster. A polygon stands for the cells whose centre it covers; one that covers no
        centre, and a point, for the cell its representative point lies in.
    depth : RasterReader or ArrayRaster
        Metres, 0 = dry, nan = unknown. Outside the raster is unknown, too.
    statistic : Statistic
    terrain : RasterReader or ArrayRaster, optional
        The terrain the depths were computed from, on the same grid; for `water_level_m`.

    Raises
    ------
    InputError
        Negative depths; a terrain on another grid.
    """
    (found,) = several_building_depths(shapes, [depth], statistic=statistic, terrain=terrain, progress=progress)
    return found


def several_building_depths(
    shapes: NDArray[np.object_],
    depths: Sequence[Heights],
    *,
    statistic: Statistic = Statistic.MAXIMUM,
    terrain: Heights | None = None,
    progress: Progress = silent,
) -> list[BuildingDepths]:
    """Find the water at buildings in several rasters of one grid; see `building_depths`."""
    grid = depths[0].grid
    if terrain is not None:
        refuse_other_grid(grid, terrain.grid)
    water = ShapesInWater(shapes, grid, len(depths), statistic=statistic, progress=part(progress, 0.0, 0.3))
    for window, ground, values in passing(depths, terrain, part(progress, 0.3, 1.0)):
        water.take(window, ground, values)
    return water.found()


def passing(
    depths: Sequence[Heights], terrain: Heights | None, progress: Progress
) -> Iterator[tuple[Window, NDArray[np.float32] | None, list[NDArray[np.float32]]]]:
    """Read depth rasters of one grid, and the terrain they come from, strip by strip: window, heights, depths of each raster.

    Raises
    ------
    InputError
        Negative depths; a terrain on another grid.
    """
    grid = depths[0].grid
    if terrain is not None:
        refuse_other_grid(grid, terrain.grid)
    for window, ground, values in ahead(
        (window, None if terrain is None else terrain.read(window), [one.read(window) for one in depths])
        for window in grid.strips()
    ):
        for one in values:
            refuse_negative(one)
        yield window, ground, values
        progress((window.row + window.rows) / grid.shape[0])


class ShapesInWater:
    """Shapes that wait for the strips of one or several depth rasters of one grid to pass; see `building_depths`.

    Parameters
    ----------
    shapes : array of shapely geometry, shape (n,)
    grid : Grid
    rasters : int
        How many depths every strip has.
    """

    def __init__(self, shapes: NDArray[np.object_], grid: Grid, rasters: int, *, statistic: Statistic = Statistic.MAXIMUM, progress: Progress = silent):
        everywhere = _building_runs(shapes, grid, progress)
        self._runs, self._count = clipped(everywhere, grid), len(shapes)
        self._cells_of = np.bincount(everywhere.shape, everywhere.stop.astype(np.int64) - everywhere.start, len(shapes))
        self._found = [_Gathered(len(self._runs), statistic) for _ in range(rasters)]
        self._order = np.argsort(self._runs.shape, kind="stable")

    def take(self, window: Window, ground: NDArray[np.float32] | None, depths: Sequence[NDArray[np.float32]]) -> None:
        """The next strip: heights of the terrain (None: water levels stay unknown) and the depths of every raster."""
        first, last = (int(k) for k in np.searchsorted(self._runs.row, (window.row, window.row + window.rows)))
        runs = self._runs
        for group in Runs(
            *(column[first:last] for column in (runs.shape, runs.row, runs.start, runs.stop, runs.weight))
        ).groups():
            _, row, column = group.cells()
            cells = (row - window.row) * window.columns + column
            length = group.stop.astype(np.int64) - group.start
            at = slice(first, first + len(group))
            first += len(group)
            here = None if ground is None else ground.ravel()[cells]
            for one, depth in zip(self._found, depths):
                one.take(at, length, depth.ravel()[cells], here)

    def found(self) -> list[BuildingDepths]:
        """What all strips came to, one for each raster."""
        order = self._order
        shape = self._runs.shape[order]
        starts = np.flatnonzero(np.r_[True, shape[1:] != shape[:-1]][:len(shape)])
        return [one.summed(order, shape[starts], starts, self._count, self._cells_of) for one in self._found]


def refuse_other_grid(depth: Grid, terrain: Grid) -> None:
    """Refuse a terrain on other cells than the depths were computed on."""
    if not _same_grid(depth, terrain):
        raise InputError(say("Địa hình và raster độ sâu phải có cùng lưới ô; hãy dùng chính địa hình đã tính độ sâu.",
                             "Terrain and depth must have the same cells; use the terrain the depth was computed from."))


class _Gathered:
    """What the cells of each run hold, run by run, until a building's runs are brought together."""

    def __init__(self, runs: int, statistic: Statistic):
        self.statistic, self.known = statistic, np.zeros(runs, np.int32)
        self.deepest, self.total = np.zeros(runs, np.float32), np.zeros(runs if statistic is Statistic.MEAN else 0)
        # Of the water levels the highest, or their sum; only where heights are told.
        self.wet: NDArray[np.int32] | None = None
        self.level: NDArray[np.float64] | None = None

    def take(
        self, at: slice, length: NDArray[np.int64], depth: NDArray[np.float32], ground: NDArray[np.float32] | None
    ) -> None:
        """The cells of some runs, one run after the other."""
        starts = np.cumsum(length) - length
        unknown = np.isnan(depth)
        if unknown.any():
            depth = np.where(unknown, np.float32(0), depth)
            self.known[at] = np.add.reduceat(~unknown, starts, dtype=np.int64)
        else:
            self.known[at] = length
        self.deepest[at] = np.maximum.reduceat(depth, starts)
        if self.statistic is Statistic.MEAN:
            self.total[at] = np.add.reduceat(depth.astype(np.float64), starts)
        if ground is not None:
            if self.level is None:
                self.wet = np.zeros(len(self.known), np.int32)
                self.level = np.full(len(self.known), -np.inf if self.statistic is Statistic.MAXIMUM else 0.0)
            level = depth.astype(np.float64) + ground
            wet = (depth > 0) & ~np.isnan(level)
            self.wet[at] = np.add.reduceat(wet, starts, dtype=np.int64)
            if self.statistic is Statistic.MAXIMUM:
                self.level[at] = np.maximum.reduceat(np.where(wet, level, -np.inf), starts)
            else:
                self.level[at] = np.add.reduceat(np.where(wet, level, 0.0), starts)

    def summed(self, order: NDArray[np.intp], present: NDArray[np.int32], starts: NDArray[np.intp], count: int, cells_of: NDArray) -> BuildingDepths:
        """Bring together the runs of each shape: those of ``present[k]`` are ``order[starts[k]:starts[k + 1]]``."""
        def over(values, ufunc, fill):
            result = np.full(count, fill)
            if present.size:
                result[present] = ufunc.reduceat(values[order], starts)
            return result

        known, deepest = over(self.known, np.add, 0), over(self.deepest, np.maximum, 0.0)
        highest = self.statistic is Statistic.MAXIMUM
        with np.errstate(invalid="ignore", divide="ignore"):
            depth = deepest.copy() if highest else over(self.total, np.add, 0.0) / known
            level = np.full(count, np.nan)
            if self.level is not None:
                wet = over(self.wet, np.add, 0)
                level = over(self.level, np.maximum, -np.inf) if highest else over(self.level, np.add, 0.0) / wet
                level[wet == 0] = np.nan
        # An unknown cell may be wet: with any of them, what is known to be dry is not known to be all dry.
        depth[(known == 0) | ((known < cells_of) & (deepest == 0))] = np.nan
        return BuildingDepths(depth, level)


def _building_runs(shapes: NDArray[np.object_], grid: Grid, progress: Progress) -> Runs:
    shapes = np.asarray(shapes, dtype=object)
    areal = np.flatnonzero(shapely.get_dimensions(shapes) == 2)
    by_centre = centres_inside(shapes[areal], grid, progress)
    shape = areal[by_centre.shape]
    covers = np.zeros(len(shapes), bool)
    covers[shape] = True
    small = np.flatnonzero(~covers)
    points = shapely.point_on_surface(shapes[small])
    column, row = (np.floor(p) for p in grid.to_pixel(shapely.get_x(points), shapely.get_y(points)))
    most = np.iinfo(np.int32).max - 1
    column, row = (np.clip(p, -most, most).astype(np.int32) for p in (column, row))
    shape, rows = np.r_[shape, small], np.r_[by_centre.row, row]
    start, stop = np.r_[by_centre.start, column], np.r_[by_centre.stop, column + 1]
    order = np.argsort(rows, kind="stable")
    return Runs(shape[order].astype(np.int32), rows[order], start[order], stop[order], np.ones(len(rows)))


def _same_grid(one: Grid, other: Grid) -> bool:
    if one.shape != other.shape:
        return False
    rows, columns = one.shape
    corners = (np.array([0, columns, 0]), np.array([0, 0, rows]))
    return bool(np.allclose(one.to_pixel(*other.to_map(*corners)), corners, atol=1e-3))
