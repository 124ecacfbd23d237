"""Roads and land by depth class: lines are cut exactly at the borders of cells and land is shared out exactly among them, so lengths and areas by class add up to those of
the shapes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pyproj
import shapely
from numpy.typing import NDArray

from ...common.areas import Surface, areas_m2
from ...common.cells import cell_areas_m2, covered, crossed, segments
from ...common.progress import Progress, silent
from ...common.raster import Grid, Window
from .depth_classes import ClassRaster, DepthClasses

#: Shapes whose area or length is shared out at a time.
_GROUP = 20_000
#: Share of a shape that may lie outside by rounding.
_ROUNDING = 1e-9


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
    groups = [
        group.lengths_by_class(raster.codes[group.row, group.column], raster.classes)
        for group in line_cells(lines, raster.grid, progress)
    ]
    return np.concatenate(groups) if groups else np.zeros((0, raster.classes.unknown + 1))


@dataclass(frozen=True)
class LineCells:
    """Pieces of lines in cells of a grid; n lines, p pieces.

    Attributes
    ----------
    line, row, column : array of int, shape (p,)
        Rows rise.
    length_m : array of float, shape (p,)
    beyond_m : array of float, shape (n,)
        Length of each line outside the grid.
    """

    line: NDArray[np.int32]
    row: NDArray[np.int32]
    column: NDArray[np.int32]
    length_m: NDArray[np.float64]
    beyond_m: NDArray[np.float64]

    def lengths_by_class(self, code: NDArray[np.integer], classes: DepthClasses) -> NDArray[np.float64]:
        """See the function of that name, for the codes of the pieces; shape (n, number of codes)."""
        codes, count = classes.unknown + 1, len(self.beyond_m)
        result = np.bincount(self.line.astype(np.int64) * codes + code, self.length_m, count * codes).reshape(-1, codes)
        result = result.astype(np.float64, copy=False)  # numpy counts nothing in integers
        result[:, classes.unknown] += self.beyond_m
        return result


class LinesInWater:
    """Lines that wait for the strips of one or several depth rasters of one grid to pass.

    Parameters
    ----------
    lines : array of shapely lines, shape (n,)
    grid : Grid
    rasters : int
        How many depths every strip has.
    """

    def __init__(
        self, lines: NDArray[np.object_], grid: Grid, rasters: int, classes: DepthClasses, progress: Progress = silent
    ):
        self._classes, self._cells = classes, list(line_cells(lines, grid, progress))
        self._codes = [[np.zeros(len(group.row), np.uint8) for group in self._cells] for _ in range(rasters)]

    def take(self, window: Window, depths: Sequence[NDArray[np.float32]]) -> None:
        """The next strip."""
        for number, group in enumerate(self._cells):
            first, last = np.searchsorted(group.row, (window.row, window.row + window.rows))
            cells = (group.row[first:last].astype(np.intp) - window.row) * window.columns + group.column[first:last]
            for codes, depth in zip(self._codes, depths):
                codes[number][first:last] = self._classes.codes(depth.ravel()[cells])

    def lengths_by_class(self, raster: int) -> NDArray[np.float64]:
        """See the function of that name."""
        groups = [group.lengths_by_class(code, self._classes) for group, code in zip(self._cells, self._codes[raster])]
        return np.concatenate(groups) if groups else np.zeros((0, self._classes.unknown + 1))


def line_cells(lines: NDArray[np.object_], grid: Grid, progress: Progress = silent) -> Iterator[LineCells]:
    """Cut lines at the borders of cells, some thousands at a time."""
    for first in range(0, len(lines), _GROUP):
        group = lines[first:first + _GROUP]
        start, end, owner = segments(group)
        length = segment_lengths(start, end, grid)
        runs, segment = crossed(group, grid)
        outside = np.maximum(1.0 - np.bincount(segment, runs.weight, len(owner)), 0.0)
        outside[outside < _ROUNDING] = 0.0
        yield LineCells(
            runs.shape,
            runs.row,
            runs.start,
            runs.weight * length[segment],
            np.bincount(owner, outside * length, len(group)),
        )
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


def segment_lengths(start: NDArray[np.float64], end: NDArray[np.float64], grid: Grid) -> NDArray[np.float64]:
    crs = pyproj.CRS.from_wkt(grid.crs_wkt)
    if not crs.is_geographic:
        return np.hypot(*(end - start).T) if len(start) else np.zeros(0)
    return np.asarray(crs.get_geod().inv(start[:, 0], start[:, 1], end[:, 0], end[:, 1])[2])
