"""Areas on both surfaces, totals that close, and Vietnamese numbers."""

import datetime

import numpy as np
import pyproj
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from quyhoach.processing_algorithms.common.areas import Surface, areas_m2
from quyhoach.processing_algorithms.common.errors import InputError
from quyhoach.processing_algorithms.common.numbers_vi import format_date, format_number, parse_date, parse_number
from quyhoach.processing_algorithms.common.rounding import round_closed, round_estimate

ONE_DEGREE = shapely.Polygon([(107, 16), (108, 16), (108, 17), (107, 17)])


def test_plane_area_with_a_hole_by_hand():
    ring = shapely.Polygon([(0, 0), (10, 0), (10, 10), (0, 10)], [[(2, 2), (4, 2), (4, 4), (2, 4)]])
    assert areas_m2([ring, shapely.MultiPolygon(), None], pyproj.CRS(9214)).tolist() == [96.0, 0.0, 0.0]


def test_ellipsoid_area_matches_authalic_formula():
    """A one-degree cell bounded by parallels has a closed form; geodesic edges bulge poleward of the parallel, so the edge is densified."""
    cell = shapely.segmentize(ONE_DEGREE, 0.001)
    a, f = 6378137.0, 1 / 298.257223563
    e = np.sqrt(f * (2 - f))

    def zone(latitude):  # area from the equator per radian of longitude (Snyder 1987, eq. 3-12)
        s = np.sin(np.radians(latitude))
        return a * a * (1 - e * e) / 2 * (s / (1 - e * e * s * s) + np.arctanh(e * s) / e)

    expected = np.radians(1) * (zone(17) - zone(16))
    assert areas_m2([cell], pyproj.CRS(4326), Surface.ELLIPSOID)[0] == pytest.approx(expected, rel=1e-9)
    # The same ground through a projected system: same datum, so the same area.
    forward = pyproj.Transformer.from_crs(4756, 9214, always_xy=True)
    plane = shapely.transform(cell, lambda xy: np.column_stack(forward.transform(xy[:, 0], xy[:, 1])))
    assert areas_m2([plane], pyproj.CRS(9214), Surface.ELLIPSOID)[0] == pytest.approx(expected, rel=1e-9)


def test_ellipsoid_subtracts_holes_and_ignores_ring_direction():
    hole = [(107.2, 16.2), (107.4, 16.2), (107.4, 16.4), (107.2, 16.4)]
    solid, inner = areas_m2([ONE_DEGREE, shapely.Polygon(hole)], pyproj.CRS(4326), Surface.ELLIPSOID)
    for ring in (hole, hole[::-1]):
        holed = shapely.Polygon(ONE_DEGREE.exterior.coords, [ring])
        both = shapely.MultiPolygon([holed, shapely.Polygon(hole)])
        assert areas_m2([holed, both], pyproj.CRS(4326),
                        Surface.ELLIPSOID) == pytest.approx([solid - inner, solid], rel=1e-12)


def test_plane_area_in_degrees_is_refused():
    with pytest.raises(InputError, match="độ"):
        areas_m2([ONE_DEGREE], pyproj.CRS(4326), Surface.PLANE)


@given(st.lists(st.floats(0, 1e7), max_size=60), st.integers(0, 4))
def test_rounded_parts_close_and_stay_near(values, decimals):
    rounded = round_closed(values, decimals)
    unit = 10.0**-decimals
    assert round(rounded.sum() / unit) == round(np.sum(values) / unit) if values else rounded.size == 0
    assert np.all(np.abs(rounded - np.asarray(values)) < unit * (1 + 1e-6) + 1e-9)


def test_rounding_by_hand():
    assert round_closed([0.335, 0.335, 0.33], 2).tolist() == [0.34, 0.33, 0.33]
    assert round_closed([2.0, 3.0], 0).tolist() == [2.0, 3.0]
    assert [round_estimate(n) for n in (0, 4, 5, 995, 1203, 1250)] == [0, 0, 10, 1000, 1200, 1300]


@pytest.mark.parametrize("text, value", [
    ("3,58", 3.58), ("1.234,5", 1234.5), ("1.234.567", 1234567), ("1 234 567,25", 1234567.25), ("-0,5", -0.5),
    ("10.25", 10.25),
    ("0.500", 0.5), ("1,234.5", 1234.5), ("1,234,567", 1234567), ("1\u00a0200", 1200), ("−3", -3), ("+7", 7),
    ("0,600", 0.6)])
def test_numbers_as_people_type_them(text, value):
    assert parse_number(text) == value


@pytest.mark.parametrize("text", ["", "abc", "1,2,3", "1.2.3", "1.234.56", "1..2", "3,58m", "1.234", "12.34,5.6", "--1"])
def test_nonsense_and_ambiguous_numbers_are_refused(text):
    with pytest.raises(InputError):
        parse_number(text)


@given(st.floats(-1e9, 1e9), st.integers(0, 2))
def test_printed_numbers_read_back(value, decimals):
    # Three decimals are left out: "1.234" without a comma is refused as ambiguous, and so must not be printed either.
    text = format_number(value, decimals)
    if "," in text or "." not in text or text.count(".") > 1:
        assert parse_number(text) == pytest.approx(round(value, decimals), abs=10.0**-decimals)


def test_dates_day_month_year():
    assert parse_date("2/11/2026") == parse_date("2026-11-02") == datetime.date(2026, 11, 2)
    assert format_date(datetime.date(2026, 1, 5)) == "05/01/2026"
    for nonsense in ("31/2/2026", "2026", "11/22/2026"):
        with pytest.raises(InputError):
            parse_date(nonsense)
