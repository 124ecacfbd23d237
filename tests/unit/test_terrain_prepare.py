"""The prepared terrain against brute force, against a valley with a closed form, and by what must always hold."""

import heapq
import os
import tracemalloc
from collections import deque
from pathlib import Path

import geopandas
import numpy as np
import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from pyproj import CRS
from quyhoach.processing_algorithms.common.errors import InputError
from quyhoach.processing_algorithms.common.raster import ArrayRaster, Grid, Window, open_raster
from quyhoach.processing_algorithms.disaster.terrain import d8, depressions, terrain_loops, terrain_prepare, ways
from quyhoach.processing_algorithms.disaster.terrain.terrain_ground import (
    draw_culverts,
    draw_dykes,
    draw_rivers,
    read_ground,
)
from quyhoach.processing_algorithms.disaster.terrain.terrain_model import stream_lines
from quyhoach.processing_algorithms.disaster.terrain.terrain_prepare import Rules, prepare_terrain

WKT = CRS("EPSG:9214").to_wkt()
SAMPLE = Path(__file__).resolve().parents[2] / "data_samples" / "terrain.tif"
#: With one hectare a cell and a stream from the first cell on, everything is stream; a big area makes it rare.
CELL = 100.0
#: By night more examples, and the whole sample.
MORE = 10 if os.environ.get("QUYHOACH_NIGHTLY") else 1


def grid_of(shape, cell=CELL, wkt=WKT):
    return Grid((500_000.0, cell, 0.0, 1_200_000.0, 0.0, -cell), shape, wkt)


def ground_of(heights, cell=CELL):
    heights = np.asarray(heights, np.float32)
    return read_ground(ArrayRaster(grid_of(heights.shape, cell), heights))


def prepared(heights, **rules):
    return prepare_terrain(ground_of(heights), Rules(**{"stream_area_km2": 0.05, **rules}))


def neighbours(cell, shape):
    for k, (row, column) in enumerate(d8.STEPS):
        to = cell[0] + row, cell[1] + column
        if 0 <= to[0] < shape[0] and 0 <= to[1] < shape[1]:
            yield k, to


def flooded_from_the_edge(z):
    """Priority flood, cell by cell (Barnes 2014)."""
    filled, queue = np.full(z.shape, np.nan), []
    for cell in np.ndindex(z.shape):
        around = [to for _, to in neighbours(cell, z.shape) if not np.isnan(z[to])]
        if not np.isnan(z[cell]) and len(around) < 8:
            filled[cell] = z[cell]
            heapq.heappush(queue, (z[cell], cell))
    while queue:
        level, cell = heapq.heappop(queue)
        for _, to in neighbours(cell, z.shape):
            if np.isnan(filled[to]) and not np.isnan(z[to]):
                filled[to] = max(level, z[to])
                heapq.heappush(queue, (filled[to], to))
    return filled


def directions_by_the_rules(z):
    """Steepest, of equal ones the first; then level ground ring by ring."""
    code = np.full(z.shape, 255)
    for cell in zip(*np.nonzero(~np.isnan(z))):
        slopes = [(np.float32(z[cell] - z[to]) * (np.float32(1) / np.float32(np.hypot(*d8.STEPS[k]) * CELL)), -k)
                  for k, to in neighbours(cell, z.shape) if z[to] < z[cell]]
        code[cell] = 1 << -max(slopes)[1] if slopes else 0
    at_edge = {cell for cell in np.ndindex(z.shape)
               if sum(not np.isnan(z[to]) for _, to in neighbours(cell, z.shape)) < 8}
    ring = {cell: 0 for cell in np.ndindex(z.shape) if code[cell] not in (0, 255) or (code[cell] == 0 and cell in at_edge)}
    queue = deque(ring)
    while queue:
        cell = queue.popleft()
        for _, to in neighbours(cell, z.shape):
            if to not in ring and z[to] == z[cell]:
                ring[to] = ring[cell] + 1
                queue.append(to)
    for cell, steps in ring.items():
        if steps:
            code[cell] = 1 << next(k for k, to in neighbours(cell, z.shape)
                                   if z[to] == z[cell] and ring.get(to) == steps - 1)
    return code


def walk(direction, cell):
    """The way of the water from a cell, the cell included; a circle would never end."""
    way = [cell]
    while direction[cell]:
        row, column = d8.STEPS[int(direction[cell]).bit_length() - 1]
        cell = cell[0] + row, cell[1] + column
        way.append(cell)
        assert len(way) <= direction.size, "the water runs in a circle"
    return way


rough = arrays(np.float32, st.tuples(st.integers(3, 12), st.integers(3, 12)),
               elements=st.sampled_from([0.0, 1.0, 2.0, 2.5, 3.0, 4.0, 7.0]))
holes = st.lists(st.tuples(st.integers(0, 11), st.integers(0, 11)), max_size=6)


def with_holes(z, cells):
    z = z.copy()
    for row, column in cells:
        z[row % z.shape[0], column % z.shape[1]] = np.nan
    if np.isnan(z).all():
        z[0, 0] = 1
    return z


@settings(max_examples=30 * MORE)
@given(rough, holes)
def test_filling_and_directions_are_those_of_brute_force(z, cells):
    z = with_holes(z, cells)
    ground = ground_of(z)
    bridged = ground.z[1:-1, 1:-1].copy()
    found = prepare_terrain(ground, Rules(stream_area_km2=0.01, breach_cells=0))
    filled = flooded_from_the_edge(bridged)
    np.testing.assert_array_equal(found.conditioned, filled)
    np.testing.assert_array_equal(found.direction, directions_by_the_rules(filled.astype(np.float32)))


@settings(max_examples=20 * MORE)
@given(rough, holes, st.integers(0, 4), st.sampled_from([0.5, 2.0, 10.0]))
def test_what_must_hold_on_any_terrain(z, cells, reach, depth):
    z = with_holes(z, cells)
    found = prepare_terrain(ground_of(z), Rules(stream_area_km2=0.03, breach_cells=reach, breach_depth_m=depth)) \
        if (~np.isnan(z)).sum() > 40 else prepared(z, stream_area_km2=0.01, breach_cells=reach, breach_depth_m=depth)
    inside = found.direction != 255
    area = np.zeros(z.shape)
    threshold = found.area_km2 >= (0.03 if (~np.isnan(z)).sum() > 40 else 0.01) - 1e-9
    for cell in zip(*np.nonzero(inside)):
        way = walk(found.direction, cell)
        end = way[-1]
        assert sum(not np.isnan(found.conditioned[to]) for _, to in neighbours(end, z.shape)) < 8, "leaves at the edge"
        heights = [found.conditioned[one] for one in way]
        assert all(a >= b for a, b in zip(heights, heights[1:])), "water runs up"
        for one in way:
            area[one] += CELL**2 / 1e6
        streams = [one for one in way if threshold[one]]
        if not streams:
            assert found.drain[cell] == -1 and np.isnan(found.above_drainage[cell])
            continue
        place = found.reaches.cells[found.drain[cell]]
        width = z.shape[1] + 2
        assert (place // width - 1, place % width - 1) == streams[0]
        assert not z[cell] == z[cell] or found.above_drainage[cell] == np.float32(heights[0] - found.conditioned[streams[0]])
    np.testing.assert_allclose(found.area_km2[inside], area[inside], rtol=1e-6)
    assert found.area_km2[found.direction == 0].sum() == pytest.approx(inside.sum() * CELL**2 / 1e6)


def cheapest_way_out(z, pit, reach, depth):
    """Cost of the cheapest way from a pit to lower ground or outside, by Dijkstra; inf without one."""
    done, queue = set(), [(0.0, pit)]
    while queue:
        cost, cell = heapq.heappop(queue)
        if cell in done:
            continue
        done.add(cell)
        inside = 0 <= cell[0] < z.shape[0] and 0 <= cell[1] < z.shape[1]
        if not inside or z[cell] < z[pit]:
            return cost
        for row, column in d8.STEPS:
            to = cell[0] + row, cell[1] + column
            if max(abs(to[0] - pit[0]), abs(to[1] - pit[1])) > reach or to in done:
                continue
            there = 0 <= to[0] < z.shape[0] and 0 <= to[1] < z.shape[1]
            dig = max(0.0, float(z[to] - z[pit])) if there else 0.0
            if dig <= depth:
                heapq.heappush(queue, (cost + dig + 0.001 * np.hypot(row, column), to))
    return np.inf


@settings(max_examples=30 * MORE)
@given(arrays(np.float32, st.tuples(st.integers(5, 14), st.integers(5, 14)), elements=st.integers(0, 40).map(float)),
       st.integers(1, 6), st.sampled_from([5.0, 15.0, 100.0]))
def test_cuts_are_the_cheapest(z, reach, depth):
    padded = np.pad(z, 1, constant_values=np.nan)
    lengths = d8.step_lengths(grid_of(z.shape))
    floor, _ = d8.lead_over_level_ground(d8.directions(padded, lengths), padded)
    pits = depressions.floors_of(floor, padded.shape)[1]
    width = padded.shape[1]
    for pit in pits:
        alone = padded.copy()
        cells = depressions.cut(alone, np.array([pit]), reach=reach, depth=depth)
        cost = cheapest_way_out(z, (pit // width - 1, pit % width - 1), reach, depth)
        dug = np.maximum(padded.ravel()[cells] - padded.ravel()[pit], 0).sum()
        assert (cost == np.inf) == (cells.size == 0) or dug == 0
        assert cost == np.inf or dug <= cost + 1e-3
        assert cost == np.inf or cost - 0.001 * np.sqrt(2) * z.size <= dug + 1e-3
    together, several = padded.copy(), padded.copy()
    depressions.cut(together, pits, reach=reach, depth=depth)
    for pit in pits[::-1]:  # each sees the terrain as it was: their order changes nothing
        one = padded.copy()
        depressions.cut(one, np.array([pit]), reach=reach, depth=depth)
        several = np.fmin(several, one)
    np.testing.assert_array_equal(together, several)


@settings(max_examples=20 * MORE, suppress_health_check=[HealthCheck.too_slow])
@given(arrays(np.float32, st.tuples(st.integers(4, 14), st.integers(4, 14)), elements=st.integers(0, 30).map(float)),
       holes, st.integers(0, 11), st.sampled_from([0.1, 3.0, 20.0]), st.sampled_from([1, 40, 500_000]))
def test_with_and_without_numba_alike(z, cells, reach, depth, strip):
    assert terrain_loops.fast(terrain_loops.accumulate) is not None, "scripts/setup brings numba"
    rules = Rules(0.01, breach_cells=reach, breach_depth_m=depth)
    lines_in = lines(shapely.LineString([at(0, 3), at(13, 2)])), lines(shapely.LineString([at(2, 0), at(3, 13)]))
    found = []
    for loops in (terrain_loops.fast, lambda loop: None):
        ground = ground_of(with_holes(z, cells))
        draw_rivers(ground, lines_in[0])
        draw_dykes(ground, lines_in[1], None)
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(terrain_loops, "fast", loops)
            patched.setattr(terrain_loops, "_STRIP", strip)  # rows one by one, a few, all at once
            try:
                found.append(prepare_terrain(ground, rules))
            except InputError:
                found.append(None)
    assert_same(*found)


def assert_same(one, other):
    assert (one is None) == (other is None)
    if one is not None:
        for name in ("conditioned", "direction", "area_km2", "above_drainage", "ground_above_drainage", "drain", "bed_m"):
            np.testing.assert_array_equal(getattr(one, name), getattr(other, name), err_msg=name)


def test_the_sample_town_with_and_without_numba(monkeypatch):
    def prepare():
        with open_raster(SAMPLE, name="mẫu") as reader:
            window = Window(0, 0, *reader.grid.shape) if MORE > 1 else Window(300, 200, 500, 500)
            part = ArrayRaster(Grid(reader.grid.transform, (window.rows, window.columns), reader.grid.crs_wkt), reader.read(window))
            return prepare_terrain(read_ground(part), Rules(0.1))

    monkeypatch.setattr(terrain_loops, "_STRIP", 20_000)
    compiled = prepare()
    monkeypatch.setattr(terrain_loops, "fast", lambda loop: None)
    # Several blocks, so that ways pass from one to another.
    monkeypatch.setattr(ways, "_BLOCK", 10_000)
    assert_same(compiled, prepare())


def valley(rows=40, half=30, fall=0.1, side=0.5):
    """A straight river in the middle column that falls 0.1 m a cell; sides rise 0.5 m a cell."""
    offset = np.abs(np.arange(-half, half + 1))
    return (100 - fall * np.arange(rows)[:, None] + side * offset[None, :]).astype(np.float32), offset


def test_height_above_drainage_of_a_valley():
    z, offset = valley()
    found = prepared(z, stream_area_km2=0.4)
    river = found.reaches
    assert len(river) == 1 and np.all(np.diff(river.chainage) == -CELL) and river.order.tolist() == [1]
    # The side slope is steeper than any diagonal: water runs straight to the river, 0.5 m a cell.
    below = found.area_km2[:, 30] >= 0.4
    steep = (found.drain >= 0) & below[:, None]
    diagonal = (0.5 + 0.1) / np.sqrt(2) < 0.5
    assert diagonal and steep.sum() > 2000
    np.testing.assert_allclose(found.above_drainage[steep], np.tile(0.5 * offset, (40, 1))[steep], atol=1e-4)
    line = stream_lines(found)
    assert line["length_m"].sum() == pytest.approx(CELL * (below.sum() - 1))
    assert line.geometry[0].length == pytest.approx(CELL * (below.sum() - 0.5))
    assert line["area_km2"].iloc[0] == pytest.approx(z.size * CELL**2 / 1e6)


def lines(*shapes, **columns):
    return geopandas.GeoDataFrame(columns, geometry=list(shapes), crs="EPSG:9214")


def at(column, row):
    return 500_000 + CELL * (column + 0.5), 1_200_000 - CELL * (row + 0.5)


def test_dykes_hold_culverts_open_rivers_lead():
    # A slope to the east between walls, with a bank across it: a pond behind it that a cut of 2.5 m drains.
    z = np.tile(20 - 0.5 * np.arange(20.0), (9, 1))
    z[:, 10] += 3
    z[[0, -1]] += 30
    z[:, 0] += 30
    plain = prepared(z)
    assert plain.filled_cells == 0 and (plain.conditioned[1:-1, 10] < z[1:-1, 10]).any(), "the bank is cut"
    dyke = lines(shapely.LineString([at(10, 0), at(10, 8)]), dinh=[21.0])
    ground = ground_of(z)
    draw_dykes(ground, dyke, "dinh")
    assert ground.crest_raised == 7
    held = prepare_terrain(ground, Rules(stream_area_km2=0.05))
    assert held.cut_cells == 0 and np.all(held.conditioned[1:-1, 10] == 21) and held.conditioned[4, 9] == 21
    ground = ground_of(z)
    draw_dykes(ground, dyke, "dinh")
    draw_culverts(ground, lines(shapely.LineString([at(9, 4), at(11, 4)])))
    opened = prepare_terrain(ground, Rules(stream_area_km2=0.05))
    # From 15.5 m at one end to 14 m, the lowest next to the other.
    assert opened.filled_cells == 0 and opened.conditioned[4, 10] == 14.75
    assert np.all(opened.conditioned[[1, 2, 3, 5, 6, 7], 10] == 21)
    assert opened.ground_above_drainage[4, 10] > 5.9, "the road above the culvert stays where it is"
    ground = ground_of(np.tile(20 - 0.5 * np.arange(20.0), (9, 1)))
    draw_rivers(ground, lines(shapely.LineString([at(0, 6), at(12, 6), at(12, 1), at(19, 1)])))
    led = prepare_terrain(ground, Rules(stream_area_km2=0.09, river_burn_m=3.0))
    assert led.direction[6, 11] in (1, 128) and led.direction[4, 12] == 64 and led.direction[1, 15] == 1
    assert led.above_drainage[6, 5] == 0 and led.above_drainage[5, 5] == pytest.approx(0)


def test_a_hole_in_the_river_lets_water_through_and_stays_unknown():
    z, _ = valley()
    z[20:23, 30] = np.nan
    ground = ground_of(z)
    assert ground.hole_count == 1 and len(ground.holes) == 3
    found = prepare_terrain(ground, Rules(stream_area_km2=0.4))
    assert len(np.unique(found.reaches.basin)) == 1 and np.isnan(found.above_drainage[20:23, 30]).all()
    assert not np.isnan(found.above_drainage[25]).any()
    z[20:, 30] = np.nan  # open to the edge: outside, where water leaves
    assert ground_of(z).hole_count == 0


def test_degrees_and_turned_rasters_measure_true():
    wkt = CRS("EPSG:4756").to_wkt()
    z = np.tile(10 - np.arange(6.0, dtype=np.float32), (5, 1))
    grid = Grid((107.0, 0.001, 0.0, 16.5, 0.0, -0.001), z.shape, wkt)
    found = prepare_terrain(read_ground(ArrayRaster(grid, z)), Rules(stream_area_km2=0.02))
    assert found.area_km2.max() == pytest.approx(6 * 106.8 * 110.66 / 1e6, rel=2e-3)
    assert found.reaches.chainage.max() == pytest.approx(106.8 * 4, rel=2e-3)
    grid = Grid((500_000.0, 8.0, 6.0, 1_200_000.0, 6.0, -8.0), z.shape, WKT)  # 10 m cells, turned
    found = prepare_terrain(read_ground(ArrayRaster(grid, z)), Rules(stream_area_km2=0.0002))
    assert found.area_km2.max() == pytest.approx(600 / 1e6) and found.reaches.chainage.max() == pytest.approx(40, rel=1e-6)


def test_streams_everywhere_stay_within_the_memory_that_is_asked_for():
    # A closed bowl filled to its rim, streams from 20 cells on: most cells are stream cells.
    side = 700
    y, x = np.mgrid[:side, :side]
    ground = ground_of(np.hypot(x - side / 2, y - side / 2) * 0.05)
    prepared(np.ones((20, 20)), stream_area_km2=0.0)  # loops are compiled
    tracemalloc.start()
    found = prepare_terrain(ground, Rules(stream_area_km2=20 * CELL * CELL / 1e6))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(found.reaches.cells) > 0.75 * side * side
    assert peak + ground.z.nbytes < terrain_prepare.BYTES_A_CELL * side * side


def test_refusals():
    with pytest.raises(InputError, match="không có ô nào|cao độ"):
        ground_of(np.full((3, 3), np.nan))
    with pytest.raises(InputError, match="km²"):
        prepared(valley()[0], stream_area_km2=1e6)
    with pytest.raises(InputError, match="12,0 GB"):
        terrain_prepare.check_size(grid_of((14_140, 14_145)), free=8_000_000_000)
    terrain_prepare.check_size(grid_of((14_140, 14_145)), free=16_000_000_000)
    with pytest.raises(InputError, match="2 tỷ"):
        terrain_prepare.check_size(grid_of((50_000, 50_000)), free=10**15)
