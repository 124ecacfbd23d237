"""The water surface between gauges: exact at them, between the lowest and the highest, and rising with every level."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from quyhoach.processing_algorithms.common.raster import Grid, Window
from quyhoach.processing_algorithms.disaster.depth import water_surface as water_surface_module
from quyhoach.processing_algorithms.disaster.depth.water_surface import Interpolation, leave_one_out, water_surface

GRIDS = [Grid((1000.0, 5.0, 0.0, 2000.0, 0.0, -5.0), (40, 50), ""),
         Grid((1000.0, 4.0, 3.0, 2000.0, 3.0, -4.0), (40, 50), "")]
ALL = Window(0, 0, 40, 50)


def centres(grid):
    return grid.to_map(np.arange(50)[None, :] + 0.5, np.arange(40)[:, None] + 0.5)


def on(surface, grid):
    return np.broadcast_to(surface.on(grid, ALL), (40, 50))


def test_two_gauges_by_hand():
    # Along the line from (0, 0) to (100, 0) the level rises 1 m in 100 m; across it is constant; beyond it stays.
    surface = water_surface(np.array([0.0, 100.0]), np.array([0.0, 0.0]), np.array([2.0, 3.0]))
    np.testing.assert_allclose(surface.at([25, 25, -50, 130, 50], [0, 400, 3, -9, -70]), [2.25, 2.25, 2.0, 3.0, 2.5])


def test_three_gauges_are_a_plane_inside_and_the_nearest_point_of_the_hull_outside():
    # The plane z = 1 + 0.01 x + 0.02 y through (0,0), (100,0), (0,100).
    surface = water_surface(np.array([0.0, 100.0, 0.0]), np.array([0.0, 0.0, 100.0]), np.array([1.0, 2.0, 3.0]))
    np.testing.assert_allclose(surface.at([20, 30], [30, 10]), [1.8, 1.5])
    # (50, -40) is nearest to (50, 0): 1.5.  (-7, 50) to (0, 50): 2.  (80, 80) to (50, 50): 2.5.  (-5, -5) to the
    # corner: 1.
    np.testing.assert_allclose(surface.at([50, -7, 80, -5], [-40, 50, 80, -5]), [1.5, 2.0, 2.5, 1.0])


def test_inverse_distance_by_hand():
    # Distances 10 and 20: weights 1/100 and 1/400, so (4 x 2 + 1 x 7) / 5 = 3.
    surface = water_surface(np.array([0.0, 30.0]), np.zeros(2), np.array([2.0, 7.0]), Interpolation.INVERSE_DISTANCE)
    assert surface.at([10.0], [0.0])[0] == pytest.approx(3.0, abs=1e-6)


def test_leave_one_out_by_hand():
    # Without the middle gauge the line gives 2.5 instead of 2.2 (+0.3); without an end, the middle one's level stays:
    # 2.2 instead of 2.0 (+0.2) and 2.2 instead of 3.0 (-0.8).
    errors = leave_one_out(np.array([0.0, 50.0, 100.0]), np.zeros(3), np.array([2.0, 2.2, 3.0]))
    np.testing.assert_allclose(errors, [0.2, 0.3, -0.8])
    assert leave_one_out(np.zeros(1), np.zeros(1), np.ones(1)).size == 0


def test_leave_one_out_of_many_is_that_of_new_triangulations(monkeypatch):
    random = np.random.default_rng(5)
    x, y, level = random.uniform(0, 1000, 200), random.uniform(0, 1000, 200), random.uniform(1, 6, 200)
    quick = leave_one_out(x, y, level)
    monkeypatch.setattr(water_surface_module, "_FEW", 1000)
    np.testing.assert_allclose(quick, leave_one_out(x, y, level), atol=1e-9)


@st.composite
def gauges(draw):
    grid = draw(st.sampled_from(GRIDS))
    count = draw(st.integers(1, 9))
    seed = draw(st.integers(0, 10_000))
    random = np.random.default_rng(seed)
    column, row = random.uniform(-20, 70, count), random.uniform(-20, 60, count)
    if draw(st.booleans()):  # gauges on cell centres: rows pass exactly through them
        column, row = np.floor(column) + 0.5, np.floor(row) + 0.5
    if draw(st.booleans()):  # all on one line
        row = 0.5 * column + 3
    x, y = grid.to_map(column, row)
    distinct = np.unique(np.round(np.column_stack([x, y]), 6), axis=0, return_index=True)[1]
    return grid, x[distinct], y[distinct], random.uniform(1, 6, len(distinct))


@settings(deadline=None, max_examples=80)
@given(gauges(), st.sampled_from(Interpolation))
def test_rows_equal_points_and_gauges_are_met_and_bounds_kept(case, method):
    grid, x, y, level = case
    surface = water_surface(x, y, level, method)
    np.testing.assert_allclose(surface.at(x, y), level, atol=1e-6)
    rows = on(surface, grid)
    px, py = centres(grid)
    np.testing.assert_allclose(rows.ravel(), surface.at(px.ravel(), py.ravel()), atol=1e-6)
    assert rows.min() >= level.min() and rows.max() <= level.max()


@settings(deadline=None, max_examples=60)
@given(gauges(), st.sampled_from(Interpolation), st.integers(0, 8), st.floats(0.01, 3))
def test_no_level_falls_when_one_rises(case, method, which, rise):
    grid, x, y, level = case
    higher = level.copy()
    higher[which % len(level)] += rise
    before, after = on(water_surface(x, y, level, method), grid), on(water_surface(x, y, higher, method), grid)
    assert (after >= before - 1e-9).all()


def test_degrees_are_weighed_in_metres():
    # At 60 degrees north a degree of longitude is half as long: the middle in degrees is not the middle in metres.
    surface = water_surface(np.array([0.0, 2.0, 0.0]), np.array([60.0, 60.0, 61.0]), np.array([0.0, 1.0, 1.0]),
                            Interpolation.INVERSE_DISTANCE, scale=(1.0, 2.0))
    # From (1, 60.5): gauge distances^2 are 1+1, 1+1, 1+1: the mean.
    assert surface.at([1.0], [60.5])[0] == pytest.approx(2 / 3, abs=1e-6)
