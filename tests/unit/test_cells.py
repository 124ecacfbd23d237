"""Cells under shapes, against GEOS cell by cell, on upright, rotated and south-up grids."""

import numpy as np
import pyproj
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from quyhoach.processing_algorithms.common import cells
from quyhoach.processing_algorithms.common.raster import Grid, Window

GRIDS = {
    "north_up": Grid((1000.0, 5.0, 0.0, 2000.0, 0.0, -5.0), (24, 30), ""),
    "rotated": Grid((1000.0, 4.0, 3.0, 2000.0, 3.0, -4.0), (24, 30), ""),
    "south_up": Grid((1000.0, 5.0, 0.0, 2000.0, 0.0, 5.0), (24, 30), ""),
}


def cell_shapes(grid):
    column, row = np.meshgrid(np.arange(grid.shape[1]), np.arange(grid.shape[0]))
    corners = [np.stack(grid.to_map(column + dc, row + dr), -1) for dc, dr in ((0, 0), (1, 0), (1, 1), (0, 1))]
    return shapely.polygons(np.stack(corners, -2))


def dense(runs, shapes, grid, weight):
    result = np.zeros((shapes, *grid.shape))
    run, row, column = runs.cells()
    np.add.at(result, (runs.shape[run], row, column), weight[run])
    return result


def random_polygons(grid, seed, count=12):
    random = np.random.default_rng(seed)
    shapes = []
    for k in range(count):
        x, y = (float(v) for v in grid.to_map(random.uniform(-5, 35), random.uniform(-5, 29)))
        shape = shapely.Point(x, y).buffer(random.uniform(1, 60), quad_segs=3)
        if k % 3 == 0:
            shape = shape.difference(shapely.Point(x + 2, y).buffer(random.uniform(1, 20)))  # a hole, or two parts
        if k % 4 == 0:
            shape = shapely.box(x - x % 5, y - y % 5, x - x % 5 + 25, y - y % 5 + 15)  # edges on the grid lines
        shapes.append(shape)
    return np.array(shapes)


@pytest.mark.parametrize("grid", GRIDS.values(), ids=GRIDS)
def test_cover_equals_geos_cell_by_cell(grid):
    polygons = random_polygons(grid, 1)
    runs = cells.covered(polygons, grid)
    ours = dense(runs, len(polygons), grid, runs.weight)
    theirs = shapely.area(shapely.intersection(polygons[:, None, None], cell_shapes(grid)[None])) / grid.cell_area
    np.testing.assert_allclose(ours, theirs, atol=1e-9)


@pytest.mark.parametrize("grid", GRIDS.values(), ids=GRIDS)
def test_centres_equal_geos_cell_by_cell(grid):
    polygons = random_polygons(grid, 2)
    runs = cells.clipped(cells.centres_inside(polygons, grid), grid)
    column, row = np.meshgrid(np.arange(grid.shape[1]) + 0.5, np.arange(grid.shape[0]) + 0.5)
    x, y = grid.to_map(column, row)
    theirs = shapely.contains_xy(polygons[:, None, None], x[None], y[None])
    np.testing.assert_array_equal(dense(runs, len(polygons), grid, runs.weight), theirs)


@pytest.mark.parametrize("grid", GRIDS.values(), ids=GRIDS)
def test_length_in_cells_equals_geos(grid):
    random = np.random.default_rng(3)
    lines = np.array([shapely.LineString(np.column_stack(grid.to_map(random.uniform(-5, 35, 4),
                                                                     random.uniform(-5, 29, 4))))
                      for _ in range(10)])
    runs, segment = cells.crossed(lines, grid)
    start, end, _ = cells.segments(lines)
    length = np.hypot(*(end - start).T)[segment] * runs.weight
    theirs = shapely.length(shapely.intersection(lines[:, None, None], cell_shapes(grid)[None]))
    np.testing.assert_allclose(dense(runs, len(lines), grid, length), theirs, atol=1e-8)


def test_cover_by_hand():
    # Unit cells. The triangle (0,0) (2,0) (0,2) fills cell (row 1, column 0), half of its right and of its upper
    # neighbour.
    grid = Grid((0.0, 1.0, 0.0, 2.0, 0.0, -1.0), (2, 2), "")
    runs = cells.covered(np.array([shapely.Polygon([(0, 0), (2, 0), (0, 2)])]), grid)
    np.testing.assert_allclose(dense(runs, 1, grid, runs.weight), [[[0.5, 0.0], [1.0, 0.5]]])


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 10_000), st.sampled_from(sorted(GRIDS)))
def test_cover_inside_the_grid_adds_up_to_the_area(seed, name):
    grid = GRIDS[name]
    frame = shapely.convex_hull(shapely.multipoints(np.column_stack(grid.to_map([0, 30, 30, 0], [0, 0, 24, 24]))))
    polygons = shapely.intersection(random_polygons(grid, seed, 5), frame)
    polygons = polygons[shapely.get_dimensions(polygons) == 2]
    runs = cells.covered(polygons, grid)
    total = np.bincount(runs.shape, runs.weight * (runs.stop - runs.start), len(polygons)) * grid.cell_area
    np.testing.assert_allclose(total, shapely.area(polygons), rtol=1e-9, atol=1e-6)


def test_small_groups_give_the_same_runs(monkeypatch):
    grid = GRIDS["north_up"]
    polygons = np.append(random_polygons(grid, 4), None)
    whole = dense(cells.covered(polygons, grid), len(polygons), grid, cells.covered(polygons, grid).weight)
    monkeypatch.setattr(cells, "_VERTICES", 7)
    runs = cells.covered(polygons, grid)
    np.testing.assert_allclose(dense(runs, len(polygons), grid, runs.weight), whole)
    assert (np.diff(runs.row) >= 0).all()
    parts = list(runs.groups(20))
    assert sum(len(part) for part in parts) == len(runs) and len(parts) > 5


def test_nothing_gives_no_runs():
    grid = GRIDS["north_up"]
    nothing = np.array([], dtype=object)
    assert len(cells.covered(nothing, grid)) == len(cells.centres_inside(nothing, grid)) == 0
    assert len(cells.crossed(nothing, grid)[0]) == 0
    assert len(cells.covered(np.array([None, shapely.Polygon()]), grid)) == 0
    assert len(cells.covered(np.array([shapely.box(9e9, 9e9, 9.1e9, 9.1e9)]), grid)) == 0


def test_burn_marks_the_cells_of_some_rows():
    grid = GRIDS["north_up"]
    polygons = random_polygons(grid, 5)
    runs = cells.covered(polygons, grid)
    whole = dense(runs, len(polygons), grid, runs.weight).sum(axis=0) > 0
    np.testing.assert_array_equal(cells.burn(runs, 3, 11, 30), whole[3:14])


def test_cells_in_degrees_have_their_area_on_the_ellipsoid():
    # The four corners as a geodesic polygon, by PROJ: an independent way to the same area.
    crs = pyproj.CRS.from_epsg(4326)
    grid = Grid((107.0, 0.001, 0.0, 16.5, 0.0, -0.001), (3, 2), crs.to_wkt())
    areas = cells.cell_areas_m2(grid, Window(0, 0, 3, 2))
    assert areas.shape == (3, 1)
    geodesic = crs.get_geod()
    for row in range(3):
        x, y = grid.to_map([0, 1, 1, 0], [row, row, row + 1, row + 1])
        assert areas[row, 0] == pytest.approx(abs(geodesic.polygon_area_perimeter(x, y)[0]), rel=1e-6)
    assert cells.weighted_sum(np.ones((3, 2)), areas) == pytest.approx(2 * areas.sum())
