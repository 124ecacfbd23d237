"""How deep is the water, given its level at some places? Depth = water surface - terrain, where water can get to.

Water stands in a cell that lies below the surface and is joined to the source by such cells (`flood_sweep`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import geopandas
import numpy as np
import pandas
import shapely
from numpy.typing import NDArray

from ...common.cells import Runs, clipped, covered, crossed
from ...common.crs import to_crs
from ...common.errors import InputError
from ...common.geometry import InvalidGeometry, clean
from ...common.language import say
from ...common.progress import Progress, part, silent
from ...common.raster import Grid, Heights, Window
from .flood_sweep import Connectivity, Seen, Sweep, reached_parts, write_depths
from .gauges import Gauges
from .river_surface import RiverGauges
from .water_surface import Interpolation, leave_one_out, water_surface

__all__ = ["Connectivity", "FloodDepth", "FloodReach", "flood_depth", "flood_depths", "flood_reach", "source_cells", "source_in"]


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
    seen: Seen | None = None,
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
    seen : callable, optional
        Gets the window, the terrain's heights and the depths of all sets of every strip, top down, so that what stands in the water is
        found without reading the results again. Called from another thread, one strip after the other.
    """
    reach = flood_reach(terrain, gauges, levels_m, source=source, method=method, rivers=rivers, connectivity=connectivity,
                        progress=part(progress, 0.0, 0.4))
    return reach.write(writes, seen, part(progress, 0.4, 1.0))


@dataclass(frozen=True)
class FloodReach:
    """Where the water of several sets of levels gets to: all that is to be known before the depths."""

    _sweep: Sweep
    _reached: list[NDArray[np.bool_]]
    _errors_m: list[NDArray[np.float64]]

    def write(
        self, writes: Sequence[Callable[[Window, NDArray[np.float32]], None]], seen: Seen | None = None, progress: Progress = silent
    ) -> list[FloodDepth]:
        """Write the depths; see `flood_depths`."""
        totals = write_depths(self._sweep, self._reached, writes, seen, progress)
        return [FloodDepth(one.wet_area_m2, one.volume_m3, one.max_depth_m, one.unreached_area_m2, one.unknown_cells, error)
                for one, error in zip(totals, self._errors_m)]


def flood_reach(
    terrain: Heights,
    gauges: Gauges,
    levels_m: Sequence[NDArray[np.float64]],
    *,
    source: Runs | None = None,
    method: Interpolation = Interpolation.LINEAR,
    rivers: RiverGauges | None = None,
    connectivity: Connectivity = Connectivity.FOUR,
    progress: Progress = silent,
) -> FloodReach:
    """First half of `flood_depths`: reads the terrain once, and needs nothing of what stands in the water."""
    origin = _gauge_cells(terrain.grid, gauges) if source is None else source
    if rivers is not None:
        surfaces = [rivers.surface(level_m) for level_m in levels_m]
        errors = [rivers.leave_one_out(level_m) for level_m in levels_m]
    else:
        surfaces = [water_surface(gauges.x, gauges.y, level_m, method, gauges.scale) for level_m in levels_m]
        errors = [leave_one_out(gauges.x, gauges.y, level_m, method, gauges.scale) for level_m in levels_m]
    sweep = Sweep(terrain, surfaces, origin, source is not None, connectivity)
    return FloodReach(sweep, reached_parts(sweep, progress), errors)


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
