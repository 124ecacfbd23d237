"""How deep is the water, given its level at some places? Depth = water surface - terrain, where water can get to.

Water stands in a cell that lies below the surface and is joined to the source by such cells. Two passes over strips of
rows: the first numbers the connected parts of each strip and notes which touch each other and the source, the second
writes the depth of the parts that water reaches. Memory is that of a strip, whatever the size of the terrain.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum

import geopandas
import numpy as np
import pandas
import shapely
from numpy.typing import NDArray
from scipy import ndimage
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from ..common.cells import Runs, burn, cell_areas_m2, clipped, covered, crossed, weighted_sum
from ..common.crs import to_crs
from ..common.errors import InputError
from ..common.geometry import InvalidGeometry, clean
from ..common.language import say
from ..common.parallel import Pool, ahead
from ..common.progress import Progress, part, silent
from ..common.raster import Grid, Heights, Window
from .gauges import Gauges
from .river_surface import RiverGauges
from .water_surface import Interpolation, WaterSurface, leave_one_out, water_surface


class Connectivity(IntEnum):
    """Which neighbours water can pass to."""

    FOUR = 0  # over sides; a bank one cell wide holds water however it runs
    EIGHT = 1  # over corners too; leaks through banks that run diagonally


_STRUCTURE = {Connectivity.FOUR: ndimage.generate_binary_structure(2, 1),
              Connectivity.EIGHT: ndimage.generate_binary_structure(2, 2)}
_SOURCE = 0  # the number of the source among the connected parts


@dataclass(frozen=True)
class FloodDepth:
    """What `flood_depth` found.

    Attributes
    ----------
    wet_area_m2, volume_m3, max_depth_m : float
    unreached_area_m2 : float
        Below the water surface, but without a path to the source: dry in the result.
    unknown_cells : int
        Cells without terrain: nodata in the result.
    errors_m : array of float
        Leave-one-out error of the surface at each gauge (surface minus level); empty with one gauge.
    """

    wet_area_m2: float
    volume_m3: float
    max_depth_m: float
    unreached_area_m2: float
    unknown_cells: int
    errors_m: NDArray[np.float64]

    @property
    def bias_m(self) -> float | None:
        """Mean leave-one-out error; None with one gauge."""
        return float(self.errors_m.mean()) if self.errors_m.size else None

    @property
    def mean_absolute_error_m(self) -> float | None:
        """Mean absolute leave-one-out error; None with one gauge."""
        return float(np.abs(self.errors_m).mean()) if self.errors_m.size else None

    @property
    def root_mean_square_error_m(self) -> float | None:
        """Root mean square leave-one-out error; None with one gauge."""
        return float(np.sqrt((self.errors_m**2).mean())) if self.errors_m.size else None


def flood_depth(
    terrain: Heights,
    gauges: Gauges,
    write: Callable[[Window, NDArray[np.float32]], None],
    *,
    source: Runs | None = None,
    method: Interpolation = Interpolation.LINEAR,
    rivers: RiverGauges | None = None,
    connectivity: Connectivity = Connectivity.FOUR,
    progress: Progress = silent,
) -> FloodDepth:
    """Compute the depth of water in every cell.

    Parameters
    ----------
    terrain : RasterReader or ArrayRaster
        Heights in metres, nan where unknown, in a metric or geographic CRS.
    gauges : Gauges
        Levels in the terrain's vertical datum.
    write : callable
        Takes each window of whole rows, top down, with depths in metres: float32, 0 = dry, nan = terrain unknown.
    source : Runs, optional
        Cells of the river or sea the water comes from (`source_cells`). Terrain that is unknown inside the source (a
        laser scan sees no river bed) lets water pass. Without a source, water comes from the cells of the gauges.
    method : Interpolation
        Of the surface between the gauges, where there are no rivers.
    rivers : RiverGauges, optional
        The gauges on their rivers: the surface then runs along these (`river_surface`).
    connectivity : Connectivity
    progress : Progress

    Returns
    -------
    FloodDepth

    Raises
    ------
    InputError
        The source lies outside the terrain, or there is none and no gauge stands in water.

    Examples
    --------
    A valley of one row: the bank keeps the last cell dry.

    >>> from quyhoach.processing_algorithms.common.raster import ArrayRaster
    >>> from pyproj import CRS
    >>> grid = Grid((0.0, 1.0, 0.0, 1.0, 0.0, -1.0), (1, 4), CRS("EPSG:9214").to_wkt())
    >>> terrain = ArrayRaster(grid, np.array([[1.0, 2.0, 9.0, 1.0]]))
    >>> one = np.array([0.5])
    >>> gauge = Gauges(np.array([1]), one, one, np.array([3.0]), np.array([1.0]), (1.0, 1.0), [])
    >>> flood_depth(terrain, gauge, lambda window, depth: print(depth)).volume_m3
    [[2. 1. 0. 0.]]
    3.0
    """
    (found,) = flood_depths(terrain, gauges, [gauges.level_m], [write], source=source, method=method, rivers=rivers,
                            connectivity=connectivity, progress=progress)
    return found


def flood_depths(
    terrain: Heights,
    gauges: Gauges,
    levels_m: Sequence[NDArray[np.float64]],
    writes: Sequence[Callable[[Window, NDArray[np.float32]], None]],
    *,
    source: Runs | None = None,
    method: Interpolation = Interpolation.LINEAR,
    rivers: RiverGauges | None = None,
    connectivity: Connectivity = Connectivity.FOUR,
    progress: Progress = silent,
) -> list[FloodDepth]:
    """Compute the depths of several sets of levels at the same gauges, such as low, middle and high ones.

    Where there is no source, the water of all sets comes from the cells of those gauges whose own level is above the
    ground, so that a set with higher levels is nowhere less deep.

    Parameters
    ----------
    levels_m : sequence of array of float, shape (n,)
    writes : sequence of callable
        One for each set; see `flood_depth` for these and the rest.
    """
    origin = _gauge_cells(terrain.grid, gauges) if source is None else source
    if rivers is not None:
        surfaces = [rivers.surface(level_m) for level_m in levels_m]
        errors = [rivers.leave_one_out(level_m) for level_m in levels_m]
    else:
        surfaces = [water_surface(gauges.x, gauges.y, level_m, method, gauges.scale) for level_m in levels_m]
        errors = [leave_one_out(gauges.x, gauges.y, level_m, method, gauges.scale) for level_m in levels_m]
    sweep = _Sweep(terrain, surfaces, origin, source is not None, connectivity)
    reached = _reached_parts(sweep, part(progress, 0.0, 0.4))
    return _write_depths(sweep, reached, writes, errors, part(progress, 0.4, 1.0))


def source_cells(frame: geopandas.GeoDataFrame, grid: Grid, progress: Progress = silent) -> Runs:
    """Return the cells that polygons and lines of a river or sea touch.

    Parameters
    ----------
    frame : GeoDataFrame
        Valid polygons or lines, in the CRS of the grid.

    Raises
    ------
    InputError
        None of them touches the grid.
    """
    shapes = np.asarray(frame.geometry.array, dtype=object)
    areal = shapely.get_dimensions(shapes) == 2
    found = [covered(shapes[areal], grid, progress), crossed(shapes[~areal], grid, progress)[0]]
    rows = np.concatenate([runs.row for runs in found])
    if not rows.size:
        raise InputError(say("Nguồn nước (sông, biển) không nằm trong vùng của địa hình; kiểm tra hệ tọa độ của hai "
                             "lớp.",
                             "The source of water (river, sea) does not touch the terrain; check the CRS of both."))
    order = np.argsort(rows, kind="stable")
    joined = [np.concatenate([getattr(runs, column) for runs in found])[order]
              for column in ("shape", "row", "start", "stop", "weight")]
    return Runs(*joined)


def source_in(
    frame: geopandas.GeoDataFrame, grid: Grid, invalid: InvalidGeometry, name: str
) -> tuple[geopandas.GeoDataFrame, list[str]]:
    """Bring the polygons and lines of a source to the grid: clean, in its CRS; and what to tell about them."""
    dimension = shapely.get_dimensions(np.asarray(frame.geometry.array, dtype=object))
    areal, areal_report = clean(frame[dimension != 1], "polygon", invalid, name)
    linear, linear_report = clean(frame[dimension == 1], "line", invalid, name)
    both = frame.loc[areal.index.union(linear.index)]
    both = both.set_geometry(pandas.concat([areal.geometry, linear.geometry]).loc[both.index])
    return to_crs(both, grid.crs_wkt), areal_report.sentences() + linear_report.sentences()


def _gauge_cells(grid: Grid, gauges: Gauges) -> Runs:
    standing = gauges.level_m > gauges.ground_m
    if not standing.any():
        raise InputError(
            say("Không có điểm mực nước nào cao hơn mặt đất tại vị trí của nó, nên không biết nước từ đâu đến; hãy "
                "chọn lớp nguồn nước (sông, biển), hoặc kiểm tra mực nước và hệ cao độ.",
                "No level is above the ground where it was read, so where the water comes from is unknown; choose a "
                "source layer (river, sea), or check the levels and the vertical datum."))
    column, row = (np.floor(p).astype(np.int32) for p in grid.to_pixel(gauges.x[standing], gauges.y[standing]))
    order = np.argsort(row, kind="stable")
    runs = Runs(np.flatnonzero(standing)[order].astype(np.int32), row[order], column[order], column[order] + 1,
                np.ones(len(row)))
    return clipped(runs, grid)


@dataclass(frozen=True)
class _Sweep:
    """One way down the terrain for all surfaces together: it is read once a pass."""

    terrain: Heights
    surfaces: Sequence[WaterSurface]
    origin: Runs
    passage: bool
    connectivity: Connectivity

    def strips(self) -> Iterator[tuple[Window, NDArray[np.bool_], list[_Strip]]]:
        """Yield window, source cells, and the water of each surface."""
        grid = self.terrain.grid
        with Pool(os.cpu_count()) as pool:
            for window in grid.strips():
                heights = self.terrain.read(window)
                source = burn(self.origin, window.row, window.rows, grid.shape[1])
                yield window, source, list(pool.map(lambda surface: self._strip(surface, window, heights, source), self.surfaces))

    def _strip(self, surface: WaterSurface, window: Window, heights: NDArray[np.float32], source: NDArray[np.bool_]) -> _Strip:
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


def _reached_parts(sweep: _Sweep, progress: Progress) -> list[NDArray[np.bool_]]:
    """First pass: which connected parts of the strips, numbered in order from 1, have a path to the source, for each surface."""
    joining = [_Joining(sweep.connectivity) for _ in sweep.surfaces]
    for window, source, strips in ahead(sweep.strips()):
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
        graph = coo_array((np.ones(len(pairs), np.int8), (pairs[:, 0], pairs[:, 1])), shape=(self._count + 1, self._count + 1))
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


def _write_depths(
    sweep: _Sweep, reached: Sequence[NDArray[np.bool_]], writes: Sequence[Callable[[Window, NDArray[np.float32]], None]],
    errors: Sequence[NDArray[np.float64]], progress: Progress,
) -> list[FloodDepth]:
    """Second pass: the same parts get the same numbers, and those water reaches are written."""
    totals = [_Totals(parts) for parts in reached]
    for window, depths in ahead(_depths(sweep, totals)):
        for write, depth in zip(writes, depths):
            write(window, depth)
        progress((window.row + window.rows) / sweep.terrain.grid.shape[0])
    return [one.found(error) for one, error in zip(totals, errors)]


def _depths(sweep: _Sweep, totals: Sequence[_Totals]) -> Iterator[tuple[Window, list[NDArray[np.float32]]]]:
    with Pool(os.cpu_count()) as pool:
        for window, _, strips in ahead(sweep.strips()):
            area = cell_areas_m2(sweep.terrain.grid, window)
            yield window, list(pool.map(lambda one, strip: one.take(strip, area), totals, strips))


class _Totals:
    """Sums over the strips of one surface."""

    def __init__(self, reached: NDArray[np.bool_]):
        self._reached, self._count = reached, 0
        self._deepest, self._wet_area, self._volume, self._unreached, self._unknown = 0.0, 0.0, 0.0, 0.0, 0

    def take(self, strip: _Strip, area: NDArray[np.float64]) -> NDArray[np.float32]:
        """Depths of the next strip, m; nan where the terrain is unknown."""
        above, first = strip.above, self._count + 1
        wet = np.concatenate([[False], self._reached[first:first + strip.count]])[strip.labels]
        self._count += strip.count
        with np.errstate(invalid="ignore"):
            standing = above > 0
        unknown = np.isnan(above)
        depth = np.where(wet & standing, above, np.float32(0))
        self._deepest = max(self._deepest, float(depth.max()))
        self._wet_area += weighted_sum(depth > 0, area)
        self._volume += weighted_sum(depth, area)
        self._unreached += weighted_sum(standing & ~wet, area)
        self._unknown += int(unknown.sum())
        depth[unknown] = np.nan
        return depth

    def found(self, errors: NDArray[np.float64]) -> FloodDepth:
        """What the strips came to."""
        return FloodDepth(self._wet_area, self._volume, self._deepest, self._unreached, self._unknown, errors)
