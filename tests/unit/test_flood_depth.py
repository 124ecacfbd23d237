"""Depth of flooding against closed forms, a flood fill written the slow way, and the laws of water."""

import tracemalloc
from collections import deque
from pathlib import Path

import geopandas
import numpy as np
import pyproj
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from quyhoach.processing_algorithms.common.errors import Cancelled, InputError
from quyhoach.processing_algorithms.common.language import speaking
from quyhoach.processing_algorithms.common.raster import ArrayRaster, Grid, Window, open_raster
from quyhoach.processing_algorithms.disaster.depth.flood_depth import Connectivity, flood_depth, source_cells
from quyhoach.processing_algorithms.disaster.depth.gauges import read_gauges
from quyhoach.processing_algorithms.disaster.depth.water_surface import Interpolation

CRS = pyproj.CRS.from_epsg(9214)
WKT = CRS.to_wkt()


@pytest.fixture(autouse=True)
def english():
    with speaking("en"):
        yield


def terrain_of(heights, cell=5.0):
    heights = np.asarray(heights, dtype=np.float32)
    return ArrayRaster(Grid((500000.0, cell, 0.0, 1200000.0, 0.0, -cell), heights.shape, WKT), heights)


def points(terrain, cells, levels, field="level"):
    x, y = terrain.grid.to_map(np.array([c for c, _ in cells]) + 0.5, np.array([r for _, r in cells]) + 0.5)
    return geopandas.GeoDataFrame({field: levels}, geometry=shapely.points(x, y), crs=CRS)


def run(terrain, frame, **options):
    depth = np.full(terrain.grid.shape, -1.0, np.float32)

    def write(window, values):
        depth[window.row:window.row + window.rows] = values

    return depth, flood_depth(terrain, read_gauges(frame, "level", terrain), write, **options)


def flood_fill(wet, seeds, eight):
    """Breadth-first search, cell by cell."""
    steps = [(0, 1), (0, -1), (1, 0), (-1, 0)] + ([(1, 1), (1, -1), (-1, 1), (-1, -1)] if eight else [])
    reached, queue = np.zeros(wet.shape, bool), deque(zip(*np.nonzero(seeds & wet)))
    for cell in queue:
        reached[cell] = True
    while queue:
        row, column = queue.popleft()
        for dr, dc in steps:
            r, c = row + dr, column + dc
            if 0 <= r < wet.shape[0] and 0 <= c < wet.shape[1] and wet[r, c] and not reached[r, c]:
                reached[r, c] = True
                queue.append((r, c))
    return reached


def test_valley_with_closed_form():
    # A V-shaped valley, height 0.1 m per cell of 5 m from its bottom line; level 1.05: cells 0-10 on both sides are
    # wet, with depths 1.05 - 0.1 k. Sum over a row: 1.05 + 2 (10 x 1.05 - 0.1 x 55) = 11.05 m x 25 m2 = 276.25 m3.
    heights = np.tile(0.1 * np.abs(np.arange(61) - 30), (8, 1))
    terrain = terrain_of(heights)
    depth, result = run(terrain, points(terrain, [(30, 4)], [1.05]))
    np.testing.assert_allclose(depth, np.maximum(1.05 - heights, 0), atol=1e-6)
    assert result.volume_m3 == pytest.approx(8 * 276.25, rel=1e-6)
    assert result.wet_area_m2 == 8 * 21 * 25
    assert result.max_depth_m == pytest.approx(1.05)
    assert result.bias_m is None and result.unreached_area_m2 == 0


def test_a_bank_holds_the_water_until_it_is_overtopped():
    heights = np.zeros((5, 9))
    heights[:, 4] = 2.0
    terrain = terrain_of(heights)
    depth, result = run(terrain, points(terrain, [(0, 2)], [1.9]))
    assert (depth[:, :4] == np.float32(1.9)).all() and (depth[:, 4:] == 0).all()
    assert result.unreached_area_m2 == 5 * 4 * 25
    depth, _ = run(terrain, points(terrain, [(0, 2)], [2.25]))
    assert (depth[:, 5:] == 2.25).all() and (depth[:, 4] == 0.25).all()


def test_a_diagonal_bank_holds_over_sides_and_leaks_over_corners():
    heights = np.where(np.eye(6, dtype=bool), 5.0, 0.0)
    terrain = terrain_of(heights)
    frame = points(terrain, [(0, 5)], [1.0])
    assert run(terrain, frame)[0][0, 5] == 0
    assert run(terrain, frame, connectivity=Connectivity.EIGHT)[0][0, 5] == 1


def test_unknown_terrain_stays_unknown_and_only_the_river_passes_through_it():
    # Row of cells: land, unknown river bed (2 cells), land. The right side is reached only through the river.
    heights = np.array([[9.0, 9.0, 9.0, 9.0, 9.0, 9.0], [1.0, 1.0, np.nan, np.nan, 1.0, 1.0],
                        [9.0, 9.0, 9.0, 9.0, 9.0, 9.0]])
    terrain = terrain_of(heights)
    frame = points(terrain, [(0, 1)], [2.0])
    depth, result = run(terrain, frame)
    np.testing.assert_array_equal(depth[1], np.array([1, 1, np.nan, np.nan, 0, 0], np.float32))
    assert result.unknown_cells == 2
    middle = shapely.LineString(np.column_stack(terrain.grid.to_map([2.2, 3.8], [1.5, 1.5])))
    river = geopandas.GeoDataFrame(geometry=[middle], crs=CRS)
    depth, _ = run(terrain, frame, source=source_cells(river, terrain.grid))
    np.testing.assert_array_equal(depth[1], np.array([1, 1, np.nan, np.nan, 1, 1], np.float32))


def test_source_decides_where_water_comes_from_not_the_gauges():
    heights = np.zeros((3, 7))
    heights[:, 3] = 9.0
    terrain = terrain_of(heights)
    corners = np.column_stack(terrain.grid.to_map([6.1, 6.9], [2.9, 0.1]))
    sea = geopandas.GeoDataFrame(geometry=[shapely.box(*corners.ravel())], crs=CRS)
    depth, _ = run(terrain, points(terrain, [(0, 1)], [1.0]), source=source_cells(sea, terrain.grid))
    assert (depth[:, :4] == 0).all() and (depth[:, 4:] == 1).all()


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 100_000), st.sampled_from(Connectivity), st.sampled_from(Interpolation), st.integers(1, 4),
       st.integers(1, 60))
def test_equals_the_slow_flood_fill_whatever_the_strips(seed, connectivity, method, count, strip_cells):
    random = np.random.default_rng(seed)
    heights = random.choice([0.0, 1.0, 2.0, 3.0, np.nan], (14, 12), p=[0.3, 0.25, 0.2, 0.2, 0.05])
    terrain = terrain_of(heights)
    places = random.choice(14 * 12, count, replace=False)
    cells = [(int(p % 12), int(p // 12)) for p in places]
    frame = points(terrain, cells, random.uniform(0.5, 3.5, count))
    gauges = read_gauges(frame, "level", terrain)
    before = Grid.strips.__kwdefaults__["cells"]
    Grid.strips.__kwdefaults__["cells"] = strip_cells
    try:
        if not (gauges.level_m > gauges.ground_m).any():
            with pytest.raises(InputError, match="where the water comes from"):
                run(terrain, frame, connectivity=connectivity, method=method)
            return
        depth, result = run(terrain, frame, connectivity=connectivity, method=method)
    finally:
        Grid.strips.__kwdefaults__["cells"] = before
    from quyhoach.processing_algorithms.disaster.depth.water_surface import water_surface
    surface = np.broadcast_to(
        water_surface(gauges.x, gauges.y, gauges.level_m, method).on(terrain.grid, Window(0, 0, 14, 12)), (14, 12))
    wet = (surface - terrain.values).astype(np.float32) > 0
    seeds = np.zeros(wet.shape, bool)
    for column, row in cells:
        seeds[row, column] = True
    reached = flood_fill(wet, seeds, connectivity is Connectivity.EIGHT)
    expected = np.where(np.isnan(heights), np.nan, np.where(reached, surface - heights, 0.0))
    np.testing.assert_allclose(depth, expected, atol=1e-5)
    assert result.wet_area_m2 == reached.sum() * 25
    assert result.volume_m3 == pytest.approx(np.nansum(expected) * 25, rel=1e-5)


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 100_000), st.sampled_from(Interpolation), st.floats(0.0, 2.0))
def test_a_higher_level_is_never_less_depth_anywhere(seed, method, rise):
    random = np.random.default_rng(seed)
    terrain = terrain_of(random.uniform(0, 3, (12, 15)))
    cells = [(1, 2), (9, 7), (13, 3)]
    for column, row in cells:
        terrain.values[row, column] = 0.0
    low = random.uniform(0.5, 2.5, 3)
    high = low.copy()
    high[seed % 3] += rise
    before, after = (run(terrain, points(terrain, cells, level), method=method)[0] for level in (low, high))
    assert (after >= before - 1e-5).all()


def test_degrees_give_the_volume_on_the_ellipsoid():
    crs = pyproj.CRS.from_epsg(4756)
    grid = Grid((107.5, 0.001, 0.0, 16.5, 0.0, -0.001), (20, 10), crs.to_wkt())
    terrain = ArrayRaster(grid, np.zeros(grid.shape, np.float32))
    frame = geopandas.GeoDataFrame({"level": [2.0]}, geometry=[shapely.Point(107.5055, 16.495)], crs=crs)
    _, result = run(terrain, frame)
    west, north, east, south = 107.5, 16.5, 107.51, 16.48
    area = abs(crs.get_geod().polygon_area_perimeter([west, east, east, west], [south, south, north, north])[0])
    assert result.wet_area_m2 == pytest.approx(area, rel=1e-6)
    assert result.volume_m3 == pytest.approx(2 * area, rel=1e-6)


def test_levels_in_another_system_are_brought_to_the_terrain():
    terrain = terrain_of(np.zeros((4, 4)))
    frame = points(terrain, [(1, 2)], [1.0]).to_crs(9215)
    gauges = read_gauges(frame, "level", terrain)
    np.testing.assert_allclose(terrain.grid.to_pixel(gauges.x, gauges.y), [[1.5], [2.5]], atol=1e-6)


def test_what_gauges_refuse_and_what_they_tell():
    terrain = terrain_of(np.full((4, 4), 3.0))
    with pytest.raises(InputError, match="holds no level"):
        read_gauges(points(terrain, [(0, 0)], [np.nan]), "level", terrain)
    with pytest.raises(InputError, match="0: nước lên, 2: inf"):
        read_gauges(points(terrain, [(0, 0), (1, 1), (2, 2)], ["nước lên", "3,5", "inf"]), "level", terrain)
    with pytest.raises(InputError, match=r"one place \(ids: 0 - 2\)"):
        read_gauges(points(terrain, [(0, 0), (1, 1), (0, 0)], [4.0, 4.0, 5.0]), "level", terrain)
    with pytest.raises(InputError, match="no coordinate system"):
        read_gauges(points(terrain, [(0, 0)], [4.0]).set_crs(None, allow_override=True), "level", terrain)
    with pytest.raises(InputError, match="not in metres"):
        feet = ArrayRaster(Grid(terrain.grid.transform, (4, 4), pyproj.CRS.from_epsg(2227).to_wkt()), terrain.values)
        read_gauges(points(terrain, [(0, 0)], [4.0]), "level", feet)
    told = read_gauges(points(terrain, [(0, 0), (1, 1), (2, 2), (9, 9), (3, 3)], ["3,50", None, "2,9", "4", "358"]),
                       "level", terrain)
    assert told.level_m.tolist() == [3.5, 2.9, 4.0, 358.0]
    text = "\n".join(told.notes)
    assert "1 points have no level and are not used (ids: 1)" in text
    assert "2 (2,90 / 3,00 m)" in text and "the terrain is unknown (ids: 3)" in text and "4 (358,00 / 3,00 m)" in text


def test_gauge_zeros_are_added_to_the_levels():
    terrain = terrain_of(np.zeros((4, 4)))
    frame = points(terrain, [(0, 0), (2, 2)], [1.0, 2.0]).assign(zero=[-0.42, np.nan])
    gauges = read_gauges(frame, "level", terrain, "zero")
    assert gauges.level_m.tolist() == pytest.approx([0.58, 2.0])
    assert "1 points have no gauge zero (ids: 1)" in gauges.notes[0]


def test_the_same_level_twice_at_one_place_counts_once():
    terrain = terrain_of(np.zeros((4, 4)))
    assert len(read_gauges(points(terrain, [(0, 0), (0, 0), (2, 2)], [1.0, 1.0, 2.0]), "level", terrain)) == 2


def test_no_water_anywhere_and_a_source_elsewhere_are_refused():
    terrain = terrain_of(np.full((4, 4), 3.0))
    with pytest.raises(InputError, match="where the water comes from"):
        run(terrain, points(terrain, [(0, 0)], [2.0]))
    with pytest.raises(InputError, match="does not touch the terrain"):
        source_cells(geopandas.GeoDataFrame(geometry=[shapely.box(0, 0, 1, 1)], crs=CRS), terrain.grid)


def test_with_a_source_a_low_level_is_a_dry_map():
    terrain = terrain_of(np.full((4, 4), 3.0))
    river = geopandas.GeoDataFrame(geometry=[shapely.box(500000, 1199990, 500010, 1200000)], crs=CRS)
    depth, result = run(terrain, points(terrain, [(0, 0)], [2.0]), source=source_cells(river, terrain.grid))
    assert (depth == 0).all() and result.wet_area_m2 == 0


def test_cancel_stops_in_either_pass():
    terrain = terrain_of(np.zeros((4, 4)))
    for limit in (0.2, 0.8):
        def stop(fraction, message=None):
            if fraction > limit:
                raise Cancelled()
        with pytest.raises(Cancelled):
            run(terrain, points(terrain, [(0, 0)], [1.0]), progress=stop)


def test_memory_is_that_of_a_strip(monkeypatch):
    # 6,000 x 500 cells in strips of 100,000: whole arrays of it would take 12 MB each, and there are several.
    monkeypatch.setitem(Grid.strips.__kwdefaults__, "cells", 100_000)
    grid = Grid((500000.0, 5.0, 0.0, 1200000.0, 0.0, -5.0), (6000, 500), WKT)

    class Slope:
        def __init__(self):
            self.grid = grid

        def read(self, window):
            return np.tile(np.arange(window.row, window.row + window.rows, dtype=np.float32)[:, None] / 6000,
                           (1, window.columns))

    frame = points(Slope(), [(5, 5)], [0.5])
    gauges = read_gauges(frame, "level", Slope())
    tracemalloc.start()
    result = flood_depth(Slope(), gauges, lambda window, depth: None)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert result.wet_area_m2 == 3000 * 500 * 25
    assert peak < 8_000_000


def test_merewether_against_a_brute_force(tmp_path):
    data = Path(__file__).resolve().parents[3] / "shared" / "data" / "urban_flood"
    if not data.is_dir():
        pytest.skip("the Merewether data is not beside the repository")
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        marks = geopandas.read_file(data / "merewether.gpkg", layer="flood_marks")
    with open_raster(data / "merewether_dem_1m.tif", name="terrain") as terrain:
        gauges = read_gauges(marks, "stage_observed_m", terrain)
        depth = np.zeros(terrain.grid.shape, np.float32)

        def write(window, values):
            depth[window.row:window.row + window.rows] = values

        result = flood_depth(terrain, gauges, write)
        from quyhoach.processing_algorithms.disaster.depth.water_surface import water_surface
        everything = Window(0, 0, *terrain.grid.shape)
        heights = terrain.read(everything)
        surface = water_surface(gauges.x, gauges.y, gauges.level_m).on(terrain.grid, everything)
        column, row = (np.floor(p).astype(int) for p in terrain.grid.to_pixel(gauges.x, gauges.y))
    seeds = np.zeros(heights.shape, bool)
    seeds[row, column] = True
    reached = flood_fill((surface - heights).astype(np.float32) > 0, seeds, eight=False)
    np.testing.assert_allclose(depth, np.where(np.isnan(heights), np.nan, np.where(reached, surface - heights, 0)),
                               atol=1e-4)
    assert result.errors_m.size == 5
