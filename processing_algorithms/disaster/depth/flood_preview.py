"""A first look at the depth, coarse and quick: the method of the report on a terrain averaged for the screen.

Banks and dykes narrower than a coarse cell are kept only where a layer of dykes holds them; what is decided is decided with the report.
"""

from __future__ import annotations

from dataclasses import dataclass

import geopandas
import numpy as np
import shapely
from numpy.typing import NDArray

from ...common.crs import to_crs
from ...common.errors import InputError
from ...common.geometry import InvalidGeometry, clean
from ...common.language import say
from ...common.raster import Grid, RasterReader, Window, coarse
from ..bulletin.bulletin import Reading
from ..bulletin.bulletin_levels import reading_frame
from .dykes import with_dykes
from .flood_depth import flood_depths, source_cells, source_in
from .gauges import metres_per_unit, read_gauges
from .river_surface import on_rivers, river_network

#: Cells of a preview: about two seconds on a slow machine.
CELLS = 700_000
#: Around the window asked for, as a share of it: water comes from beyond the edge of the screen.
_MARGIN = 0.5
_GAUGE_DISTANCE_M = 1000.0


@dataclass(frozen=True)
class Preview:
    """Depths on a coarse grid: metres, 0 = dry, nan = terrain unknown."""

    grid: Grid
    depth_m: NDArray[np.float32]
    wet_area_m2: float
    notes: list[str]

    @property
    def cell_m(self) -> float:
        """Side of a cell, m."""
        return float(np.sqrt(self.grid.cell_area))


def flood_preview(
    terrain: RasterReader, bounds: tuple[float, float, float, float], readings: list[Reading], stations: geopandas.GeoDataFrame, *,
    source: geopandas.GeoDataFrame | None = None, rivers: geopandas.GeoDataFrame | None = None, dykes: geopandas.GeoDataFrame | None = None,
    crest_field: str = "crest_level_m", cells: int = CELLS,
) -> Preview:
    """Compute the depth for a window of the terrain.

    Parameters
    ----------
    terrain : RasterReader
        Heights in metres on a metric grid.
    bounds : x min, y min, x max, y max
        Of the screen, in the terrain's system.
    readings : list of Reading
        One level a station (`bulletin_levels.chosen`).
    stations : GeoDataFrame
        The layer the stations came from; index = feature ids.
    source, rivers, dykes : GeoDataFrame, optional
        As in `flood_report.ReportLayers`; any CRS.

    Raises
    ------
    InputError
        No terrain there, no source of water in view, no level that can be used.
    """
    x_min, y_min, x_max, y_max = bounds
    across, down = _MARGIN * (x_max - x_min), _MARGIN * (y_max - y_min)
    near = coarse(terrain, (x_min - across, y_min - down, x_max + across, y_max + down), cells)
    if near is None or not np.isfinite(near.values).any():
        raise InputError(say("Khung nhìn nằm ngoài địa hình; hãy di chuyển bản đồ tới vùng có địa hình.", "The view lies outside the terrain; move the map to where there is some."))
    grid = near.grid
    usable = [
        r
        for r in readings
        if r.low_m is not None and r.station.kind != "reservoir" and r.station.height(r.level_m) is not None
    ]
    levels = reading_frame(usable, stations)
    levels = levels[~(levels.geometry.isna() | levels.geometry.is_empty)]
    if not len(levels):
        raise InputError(
            say("Không có mực nước trạm nào dùng được để xem nhanh.", "No station's level can be used for a preview.")
        )
    ground, notes = near, []
    if dykes is not None and len(dykes) and crest_field in dykes:
        ground, notes = with_dykes(near, _lines(dykes, grid.crs_wkt), crest_field, scale=metres_per_unit(grid))
    gauges = read_gauges(levels, "height_m", ground)
    surface = None
    if rivers is not None and len(rivers):
        surface = on_rivers(river_network(_lines(rivers, grid.crs_wkt), grid, gauges), gauges, _GAUGE_DISTANCE_M)
    cells_of_source = None
    if source is not None and len(source):
        shapes, _ = source_in(source, grid, InvalidGeometry.REPAIR, say("Nguồn nước", "The source"))
        shapes = shapes[shapely.intersects(np.asarray(shapes.geometry.array, dtype=object), _frame(grid))]
        if not len(shapes):
            raise InputError(say("Trong khung nhìn không có nguồn nước (sông, biển); hãy thu nhỏ bản đồ để thấy sông.",
                                 "No source of water (river, sea) is in view; zoom out until the river is seen."))
        cells_of_source = source_cells(shapes, grid)
    depth = np.full(grid.shape, np.nan, np.float32)

    def write(window: Window, values: NDArray[np.float32]) -> None:
        depth[window.row:window.row + window.rows] = values

    (found,) = flood_depths(ground, gauges, [gauges.level_m], [write], source=cells_of_source, rivers=surface)
    return Preview(grid, depth, found.wet_area_m2, notes)


def _lines(frame: geopandas.GeoDataFrame, crs: str) -> geopandas.GeoDataFrame:
    return to_crs(clean(frame, "line", InvalidGeometry.REPAIR, "")[0], crs)


def _frame(grid: Grid) -> shapely.Polygon:
    rows, columns = grid.shape
    x, y = grid.to_map([0, columns, columns, 0], [0, 0, rows, rows])
    return shapely.Polygon(np.column_stack([x, y]))
