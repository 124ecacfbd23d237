"""Depth met by buildings, roads and land: a depth raster against vector shapes, in bulk.

Buildings take one depth each from the cells whose centre they cover. Roads are cut exactly at the borders of cells and
land is shared out exactly among them, so lengths and areas by class add up to those of the shapes.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
import pyproj
import shapely
from numpy.typing import NDArray

from ..common.areas import Surface, areas_m2
from ..common.cells import Runs, cell_areas_m2, centres_inside, clipped, covered, crossed, segments
from ..common.errors import InputError
from ..common.language import say
from ..common.parallel import Pool, ahead
from ..common.progress import Progress, part, silent
from ..common.raster import Grid, Heights, Window
from .depth_classes import ClassRaster, refuse_negative

#: Shapes whose area or length is shared out at a time.
_GROUP = 20_000
#: Share of a shape that may lie outside by rounding.
_ROUNDING = 1e-9


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
    seen: Callable[[int, Window, NDArray[np.float32]], None] | None = None,
    progress: Progress = silent,
) -> list[BuildingDepths]:
    """Find the water at buildings in several rasters of one grid; see `building_depths`.

    Parameters
    ----------
    seen : callable, optional
        Gets the number of the raster, window and depths of every strip, so that they need not be read again.
    """
    grid = depths[0].grid
    if terrain is not None and not _same_grid(grid, terrain.grid):
        raise InputError(say("Địa hình và raster độ sâu phải có cùng lưới ô; hãy dùng chính địa hình đã tính độ sâu.",
                             "Terrain and depth must have the same cells; use the terrain the depth was computed "
                             "from."))
    everywhere = _building_runs(shapes, grid, part(progress, 0.0, 0.3))
    runs = clipped(everywhere, grid)
    cells_of = np.bincount(everywhere.shape, everywhere.stop.astype(np.int64) - everywhere.start, len(shapes))
    found = [_Gathered.empty(len(runs)) for _ in depths]
    strips = ((window, None if terrain is None else terrain.read(window), [one.read(window) for one in depths]) for window in grid.strips())
    with Pool(os.cpu_count()) as pool:
        for window, ground, values in ahead(strips):
            here = slice(*(int(k) for k in np.searchsorted(runs.row, (window.row, window.row + window.rows))))

            def take(number: int, one: NDArray[np.float32]) -> None:
                refuse_negative(one)
                if seen is not None:
                    seen(number, window, one)
                if here.stop > here.start:
                    found[number].take(here, runs, one, ground, window)

            list(pool.map(take, range(len(values)), values))
            progress(0.3 + 0.7 * (window.row + window.rows) / grid.shape[0])
    return [one.summed(runs.shape, len(shapes), cells_of, statistic) for one in found]


def lengths_by_class(lines: NDArray[np.object_], raster: ClassRaster,
                     progress: Progress = silent) -> NDArray[np.float64]:
    """Length of each line in each class, m.

    Lines are cut exactly at the borders of cells; a row sums to the length of the line. In degrees a segment is
    measured on the ellipsoid and shared out evenly along it.

    Returns
    -------
    array of float, shape (number of lines, number of codes)
        What lies outside the raster is unknown.
    """
    groups = [group.lengths_by_class(raster) for group in line_cells(lines, raster.grid, progress)]
    return np.concatenate(groups) if groups else np.zeros((0, raster.classes.unknown + 1))


@dataclass(frozen=True)
class LineCells:
    """Pieces of lines in cells of a grid; n lines, p pieces.

    Attributes
    ----------
    line, row, column : array of int, shape (p,)
    length_m : array of float, shape (p,)
    beyond_m : array of float, shape (n,)
        Length of each line outside the grid.
    """

    line: NDArray[np.int32]
    row: NDArray[np.int32]
    column: NDArray[np.int32]
    length_m: NDArray[np.float64]
    beyond_m: NDArray[np.float64]

    def lengths_by_class(self, raster: ClassRaster) -> NDArray[np.float64]:
        """See the function of that name; shape (n, number of codes)."""
        codes, count = raster.classes.unknown + 1, len(self.beyond_m)
        here = raster.codes[self.row, self.column]
        result = np.bincount(self.line.astype(np.int64) * codes + here, self.length_m, count * codes).reshape(-1, codes)
        result[:, raster.classes.unknown] += self.beyond_m
        return result


def line_cells(lines: NDArray[np.object_], grid: Grid, progress: Progress = silent) -> Iterator[LineCells]:
    """Cut lines at the borders of cells, some thousands at a time."""
    for first in range(0, len(lines), _GROUP):
        group = lines[first:first + _GROUP]
        start, end, owner = segments(group)
        length = _segment_lengths(start, end, grid)
        runs, segment = crossed(group, grid)
        outside = np.maximum(1.0 - np.bincount(segment, runs.weight, len(owner)), 0.0)
        outside[outside < _ROUNDING] = 0.0
        yield LineCells(runs.shape, runs.row, runs.start, runs.weight * length[segment], np.bincount(owner, outside * length, len(group)))
        progress(min(1.0, (first + _GROUP) / len(lines)))


def areas_by_class(polygons: NDArray[np.object_], raster: ClassRaster,
                   progress: Progress = silent) -> NDArray[np.float64]:
    """Area of each polygon in each class, m2: the exact share of every cell it covers.

    A row sums to the area of the polygon, on the plane of the map or, in degrees, on the ellipsoid.

    Returns
    -------
    array of float, shape (number of polygons, number of codes)
        What lies outside the raster is unknown.
    """
    grid, codes = raster.grid, raster.classes.unknown + 1
    crs = pyproj.CRS.from_wkt(grid.crs_wkt)
    surface = Surface.ELLIPSOID if crs.is_geographic else Surface.PLANE
    row_area = cell_areas_m2(grid, Window(0, 0, *grid.shape))
    result = np.zeros((len(polygons), codes))
    for first in range(0, len(polygons), _GROUP):
        group = polygons[first:first + _GROUP]
        total = areas_m2(group, crs, surface)
        shares, inside = np.zeros((len(group), codes)), np.zeros(len(group))
        for runs in covered(group, grid).groups():
            run, row, column = runs.cells()
            weight = runs.weight[run]
            key = runs.shape[run].astype(np.int64) * codes + raster.codes[row, column]
            area = weight if row_area.size == 1 else weight * np.broadcast_to(row_area, grid.shape)[row, column]
            shares += np.bincount(key, area, len(group) * codes).reshape(-1, codes)
            inside += np.bincount(runs.shape, runs.weight * (runs.stop - runs.start), len(group))
        # The map tells which share of the polygon lies inside; the surface how much that is.
        flat = np.maximum(shapely.area(group), np.finfo(float).tiny)
        share_inside = np.minimum(inside * grid.cell_area / flat, 1.0)
        share_inside[share_inside > 1.0 - _ROUNDING] = 1.0
        sums = shares.sum(axis=1)
        scale = np.divide(total * share_inside, sums, out=np.zeros(len(group)), where=sums > 0)
        result[first:first + len(group)] = shares * scale[:, None]
        result[first:first + len(group), raster.classes.unknown] += total * (1.0 - share_inside)
        progress(min(1.0, (first + _GROUP) / len(polygons)))
    return result


@dataclass
class _Gathered:
    """What the cells of each run hold, run by run, until a building's runs are brought together."""

    known: NDArray[np.int64]
    deepest: NDArray[np.float64]
    total: NDArray[np.float64]
    wet: NDArray[np.int64]
    highest: NDArray[np.float64]
    level_total: NDArray[np.float64]

    @classmethod
    def empty(cls, runs: int) -> _Gathered:
        return cls(np.zeros(runs, np.int64), np.zeros(runs), np.zeros(runs), np.zeros(runs, np.int64),
                   np.full(runs, -np.inf), np.zeros(runs))

    def take(self, here: slice, runs: Runs, values: NDArray[np.float32], ground: NDArray[np.float32] | None, window: Window) -> None:
        first = here.start
        mine = Runs(runs.shape[here], runs.row[here], runs.start[here], runs.stop[here], runs.weight[here])
        for group in mine.groups():
            _, row, column = group.cells()
            length = group.stop.astype(np.int64) - group.start
            starts = np.cumsum(length) - length
            at = slice(first, first + len(group))
            first += len(group)
            cell = values[row - window.row, column].astype(np.float64)
            known = ~np.isnan(cell)
            cell[~known] = 0.0
            self.known[at] = np.add.reduceat(known, starts, dtype=np.int64)
            self.deepest[at] = np.maximum.reduceat(cell, starts)
            self.total[at] = np.add.reduceat(cell, starts)
            if ground is not None:
                level = cell + ground[row - window.row, column]
                wet = (cell > 0) & ~np.isnan(level)
                self.wet[at] = np.add.reduceat(wet, starts, dtype=np.int64)
                self.highest[at] = np.maximum.reduceat(np.where(wet, level, -np.inf), starts)
                self.level_total[at] = np.add.reduceat(np.where(wet, level, 0.0), starts)

    def summed(self, shape: NDArray[np.int32], count: int, cells_of: NDArray, statistic: Statistic) -> BuildingDepths:
        order = np.argsort(shape, kind="stable")
        present, starts = np.unique(shape[order], return_index=True)

        def over(values, ufunc, fill):
            result = np.full(count, fill)
            if present.size:
                result[present] = ufunc.reduceat(values[order], starts)
            return result

        known, wet = over(self.known, np.add, 0), over(self.wet, np.add, 0)
        with np.errstate(invalid="ignore", divide="ignore"):
            if statistic is Statistic.MAXIMUM:
                depth, level = over(self.deepest, np.maximum, 0.0), over(self.highest, np.maximum, -np.inf)
            else:
                depth, level = over(self.total, np.add, 0.0) / known, over(self.level_total, np.add, 0.0) / wet
        deepest = over(self.deepest, np.maximum, 0.0)
        # An unknown cell may be wet: with any of them, what is known to be dry is not known to be all dry.
        depth[(known == 0) | ((known < cells_of) & (deepest == 0))] = np.nan
        level[wet == 0] = np.nan
        return BuildingDepths(depth, level)


def _building_runs(shapes: NDArray[np.object_], grid: Grid, progress: Progress) -> Runs:
    shapes = np.asarray(shapes, dtype=object)
    areal = np.flatnonzero(shapely.get_dimensions(shapes) == 2)
    by_centre = centres_inside(shapes[areal], grid, progress)
    shape = areal[by_centre.shape]
    small = np.setdiff1d(np.arange(len(shapes)), shape)
    points = shapely.point_on_surface(shapes[small])
    column, row = (np.floor(p) for p in grid.to_pixel(shapely.get_x(points), shapely.get_y(points)))
    most = np.iinfo(np.int32).max - 1
    column, row = (np.clip(p, -most, most).astype(np.int32) for p in (column, row))
    shape, rows = np.r_[shape, small], np.r_[by_centre.row, row]
    start, stop = np.r_[by_centre.start, column], np.r_[by_centre.stop, column + 1]
    order = np.argsort(rows, kind="stable")
    return Runs(shape[order].astype(np.int32), rows[order], start[order], stop[order], np.ones(len(rows)))


def _segment_lengths(start: NDArray[np.float64], end: NDArray[np.float64], grid: Grid) -> NDArray[np.float64]:
    crs = pyproj.CRS.from_wkt(grid.crs_wkt)
    if not crs.is_geographic:
        return np.hypot(*(end - start).T) if len(start) else np.zeros(0)
    return np.asarray(crs.get_geod().inv(start[:, 0], start[:, 1], end[:, 0], end[:, 1])[2])


def _same_grid(one: Grid, other: Grid) -> bool:
    if one.shape != other.shape:
        return False
    rows, columns = one.shape
    corners = (np.array([0, columns, 0]), np.array([0, 0, rows]))
    return bool(np.allclose(one.to_pixel(*other.to_map(*corners)), corners, atol=1e-3))
