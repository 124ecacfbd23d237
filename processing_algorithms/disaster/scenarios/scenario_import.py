"""Flood maps made elsewhere brought to the one standard of depth rasters: depths, water levels, or polygons with a range of depth."""

from __future__ import annotations

from collections.abc import Callable
from enum import IntEnum

import geopandas
import numpy as np
import pyproj
import shapely
from numpy.typing import NDArray

from ...common.cells import centres_inside, clipped
from ...common.columns import numbers
from ...common.crs import same_crs
from ...common.errors import InputError, name_some
from ...common.language import say
from ...common.numbers_vi import format_number
from ...common.progress import Progress, silent
from ...common.raster import Grid, Heights, Window

#: Deeper than this is no flood but another unit or a missing nodata value, m.
_DEEPEST_M = 50.0


class MapKind(IntEnum):
    """What the values of a map are."""

    DEPTH = 0
    LEVEL = 1


class RegriddedHeights:
    """A raster read on another grid of the same CRS: each cell takes the value of the source cell its centre lies in.

    Nearest, not interpolated: an edge between wet and dry stays an edge, and nodata does not bleed.
    """

    def __init__(self, source: Heights, grid: Grid):
        if not same_crs(pyproj.CRS.from_wkt(source.grid.crs_wkt), pyproj.CRS.from_wkt(grid.crs_wkt)):
            raise InputError(say("Bản đồ ngập và địa hình (hoặc thư viện) khác hệ tọa độ; hãy chuyển bản đồ về hệ tọa độ đó trước.",
                                 "The flood map and the terrain (or library) have different coordinate systems; bring the map to that system first."))
        self.source, self.grid = source, grid

    def read(self, window: Window) -> NDArray[np.float32]:
        """Values of a window of the new grid; nan outside the source."""
        if self.grid == self.source.grid:
            return self.source.read(window)
        columns, rows = np.meshgrid(
            np.arange(window.columns) + window.column + 0.5, np.arange(window.rows) + window.row + 0.5
        )
        c, r = (np.floor(p).astype(np.int64) for p in self.source.grid.to_pixel(*self.grid.to_map(columns, rows)))
        height, width = self.source.grid.shape
        inside = (c >= 0) & (c < width) & (r >= 0) & (r < height)
        values = np.full(c.shape, np.nan, np.float32)
        if inside.any():
            first_row, first_column = int(r[inside].min()), int(c[inside].min())
            block = self.source.read(Window(first_row, first_column, int(r[inside].max()) - first_row + 1, int(c[inside].max()) - first_column + 1))
            values[inside] = block[r[inside] - first_row, c[inside] - first_column]
        return values


def depth_from_map(
    source: Heights,
    kind: MapKind,
    grid: Grid,
    write: Callable[[Window, NDArray[np.float32]], None],
    *,
    terrain: Heights | None = None,
    outside_is_dry: bool = False,
    progress: Progress = silent,
) -> list[str]:
    """Write the depth a map shows.

    Parameters
    ----------
    source : Heights
        Depths or water levels, m; nan where the map says nothing.
    grid : Grid
        Of the result.
    write : callable
    terrain : Heights, optional
        On the grid; needed for levels. Where the terrain is unknown, so is the depth.
    outside_is_dry : bool
        Where the map says nothing (outside its flood) it is dry rather than unknown, as many maps store only what is wet.

    Returns
    -------
    notes : list of str

    Raises
    ------
    InputError
        Levels without a terrain, other systems, depths that are none.
    """
    if kind is MapKind.LEVEL and terrain is None:
        raise InputError(
            say("Bản đồ mực nước cần có địa hình để tính độ sâu.", "A map of levels needs the terrain to get depths.")
        )
    source = RegriddedHeights(source, grid)
    ground = None if terrain is None else RegriddedHeights(terrain, grid)
    negative = 0
    for window in grid.strips():
        values = source.read(window)
        if kind is MapKind.LEVEL:
            values = values - ground.read(window)
            values = np.where(values < 0, np.float32(0), values)
        with np.errstate(invalid="ignore"):
            negative += int((values < 0).sum())
            if (values > _DEEPEST_M).any():
                raise InputError(say("Bản đồ có độ sâu {depth} m: kiểm tra đơn vị (mét) và giá trị không dữ liệu.",
                                     "The map has a depth of {depth} m: check its unit (metres) and its nodata value.").format(depth=format_number(float(np.nanmax(values)), 1)))
            values = np.where(values < 0, np.float32(0), values)
        if outside_is_dry:
            unknown = np.isnan(values)
            if ground is not None:
                unknown &= ~np.isnan(ground.read(window))
            values = np.where(unknown, np.float32(0), values)
        write(window, values)
        progress((window.row + window.rows) / grid.shape[0])
    return [say("{n} ô có độ sâu âm được coi là không ngập.", "{n} cells with negative depths are taken as dry.").format(n=format_number(negative))] if negative else []


def depth_from_polygons(
    polygons: geopandas.GeoDataFrame,
    low_field: str,
    high_field: str,
    grid: Grid,
    write: Callable[[Window, NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]], None],
    *,
    terrain: Heights | None = None,
    progress: Progress = silent,
) -> list[str]:
    """Write middle, low and high depth of polygons with ranges ("0,5 - 1 m").

    A cell belongs to the polygon its centre lies in; where polygons overlap, to the deeper one. Outside all polygons it is dry. An open
    range (null upper end) is closed one metre above its lower end, which is told.

    Parameters
    ----------
    polygons : GeoDataFrame
        Valid polygons in the CRS of the grid; index = feature ids.
    write : callable
        Takes window, middle, low, high.

    Raises
    ------
    InputError
        Ranges that are no numbers, negative or reversed; no cell centre in any polygon.
    """
    low, wrong_low = numbers(polygons[low_field])
    high, wrong_high = numbers(polygons[high_field])
    open_ended = np.isnan(high) & ~np.isnan(low)
    high = np.where(open_ended, low + 1.0, high)
    low = np.where(np.isnan(low), 0.0, low)
    bad = np.isnan(high) | (low < 0) | (high < low)
    if wrong_low or wrong_high or bad.any():
        raise InputError(say("Khoảng độ sâu không đọc được, âm hoặc viết ngược (fid: {ids}).", "Ranges of depth that cannot be read, are negative or reversed (ids: {ids}).")
                         .format(ids=name_some([*wrong_low, *wrong_high, *polygons.index[bad]])))
    order = np.argsort(low + high, kind="stable")  # the deeper one is written later
    runs = clipped(centres_inside(np.asarray(polygons.geometry.array, dtype=object)[order], grid), grid)
    if not len(runs):
        raise InputError(say("Không ô nào của lưới nằm trong các vùng ngập; kiểm tra hệ tọa độ và cỡ ô.",
                             "No cell of the grid lies in the polygons; check the coordinate system and the cell size."))
    low, high = low[order].astype(np.float32), high[order].astype(np.float32)
    for window in grid.strips():
        which = np.full((window.rows, window.columns), -1, np.int64)
        here = runs.in_rows(window.row, window.row + window.rows)
        run, row, column = here.cells()
        deepest = np.argsort(here.shape[run], kind="stable")
        which[row[deepest] - window.row, column[deepest]] = here.shape[run][deepest]
        ends = [np.where(which >= 0, values[which], np.float32(0)) for values in (low, high)]
        if terrain is not None:
            unknown = np.isnan(RegriddedHeights(terrain, grid).read(window))
            ends = [np.where(unknown, np.float32(np.nan), end) for end in ends]
        write(window, (ends[0] + ends[1]) / 2, *ends)
        progress((window.row + window.rows) / grid.shape[0])
    if not open_ended.any():
        return []
    return [say("{n} vùng không có độ sâu trên (fid: {ids}): lấy cao hơn độ sâu dưới 1 m.", "{n} polygons have no upper depth (ids: {ids}): taken as 1 m above the lower one.")
            .format(n=int(open_ended.sum()), ids=name_some(polygons.index[open_ended]))]


def grid_of_polygons(polygons: geopandas.GeoDataFrame, cell_m: float) -> Grid:
    """A north-up grid that holds all polygons."""
    west, south, east, north = polygons.total_bounds
    west, north = np.floor(west / cell_m) * cell_m, np.ceil(north / cell_m) * cell_m
    return Grid((float(west), cell_m, 0.0, float(north), 0.0, -cell_m),
                (int(np.ceil((north - south) / cell_m)), int(np.ceil((east - west) / cell_m))), polygons.crs.to_wkt())


def polygonal(frame: geopandas.GeoDataFrame) -> bool:
    """Whether a frame holds polygons."""
    return bool((shapely.get_dimensions(np.asarray(frame.geometry.array, dtype=object)) == 2).any())
