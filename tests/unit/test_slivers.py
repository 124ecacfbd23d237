"""Slivers by hand. The tolerance is 0.8 m throughout: 0.4 mm on paper at 1/2000."""

import numpy as np
import pyproj
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from quyhoach.processing_algorithms.common.slivers import (
    in_metres,
    is_narrow,
    is_shallow,
    tolerance_on_ground,
    tolerance_on_paper,
)

box = shapely.box


def shapes(*items):
    return np.array(items, dtype=object)


def test_tolerance_is_data_with_a_source():
    millimetres, table = tolerance_on_paper()
    assert millimetres == 0.4
    assert table.rows[0]["source"] and table.rows[0]["confidence"] == "analogy"
    assert [tolerance_on_ground(scale, 0.4) for scale in (500, 2000, 10_000)] == [0.2, 0.8, 4.0]


@pytest.mark.parametrize(("width", "narrow"), [(0.3, True), (0.79, True), (0.81, False), (5, False)])
@pytest.mark.parametrize("angle", [0, 30, 45])
def test_strip_at_any_angle(width, narrow, angle):
    strip = shapely.transform(box(0, 0, 40, width), lambda xy: xy @ rotation(angle))
    assert is_narrow(shapes(strip), 0.8).tolist() == [narrow]


def rotation(degrees):
    a = np.radians(degrees)
    return np.array([[np.cos(a), np.sin(a)], [-np.sin(a), np.cos(a)]])


def test_triangle_by_its_incircle():
    # Legs a, a: the incircle's diameter is a (2 - sqrt 2) = 0.586 a, so 0.8 m is reached at a = 1.366.
    small, large = (shapely.Polygon([(0, 0), (a, 0), (0, a)]) for a in (1.36, 1.37))
    assert is_narrow(shapes(small, large), 0.8).tolist() == [True, False]


def test_long_tail_with_a_broad_head_is_not_narrow():
    tail = box(0, 0, 100, 0.2)
    assert is_narrow(shapes(shapely.union(tail, box(99, 0, 100, 1))), 0.8).tolist() == [False]
    assert is_narrow(shapes(shapely.union(tail, box(99, 0, 100, 0.7))), 0.8).tolist() == [True]


def test_curved_strip_and_frame():
    # A ring road's verge: 0.5 m wide, 60 m long; its bounding box and its hull are large, and it has a hole.
    ring = shapely.Point(0, 0).buffer(10).difference(shapely.Point(0, 0).buffer(9.5))
    frame = box(0, 0, 30, 30).difference(box(0.9, 0.9, 29.1, 29.1))
    assert is_narrow(shapes(ring, frame), 0.8).tolist() == [True, False]


def test_many_holes_make_a_broad_shape_narrow_only_where_they_are():
    # 40 slits, 0.1 m long: the outline is long, the ground between them still takes a circle of 3 m.
    slits = shapely.union_all([box(x, 5, x + 0.1, 5.1) for x in np.arange(0.5, 20, 0.5)])
    assert is_narrow(shapes(box(0, 0, 20, 10).difference(slits)), 0.8).tolist() == [False]


def test_several_parts_count_by_the_broadest():
    thin = shapely.MultiPolygon([box(0, 0, 9, 0.5), box(0, 3, 9, 3.5)])
    one_broad = shapely.MultiPolygon([box(0, 0, 9, 0.5), box(0, 3, 9, 4)])
    assert is_narrow(shapes(thin, one_broad), 0.8).tolist() == [True, False]


def test_no_tolerance_no_slivers():
    assert is_narrow(shapes(box(0, 0, 1, 1e-6)), 0.0).tolist() == [False]
    assert is_narrow(shapes(), 0.8).tolist() == []


def test_depth_is_measured_from_what_cuts():
    border = shapes(shapely.boundary(box(0, 0, 100, 100)))
    along = box(0, 0, 0.5, 30)
    across = box(0, 50, 20, 50.5)  # a narrow parcel that enters the zone head on
    corner = shapely.Polygon([(0, 0), (0.7, 0), (0, 0.7)])
    shallow = is_shallow(shapes(along, across, corner), border, np.zeros(3, dtype=int), 0.8)
    assert shallow.tolist() == [True, False, True]


def test_depth_between_far_corners_is_seen():
    # All four corners of the strip lie on the border, its middle lies 5 m away from it.
    border = shapes(shapely.LineString([(0, 0), (10, 5), (20, 0)]))
    assert is_shallow(shapes(box(0, -0.2, 20, 0)), border, np.zeros(1, dtype=int), 0.8).tolist() == [False]


def test_degrees_are_judged_in_metres():
    # At 16 degrees north a degree of longitude is 107,036 m, one of latitude 110,657 m (WGS 84 series).
    crs = pyproj.CRS.from_epsg(4326)
    metre_x, metre_y = 1 / 107_036, 1 / 110_657
    strips = shapes(box(107, 16, 107 + 30 * metre_x, 16 + 0.7 * metre_y),
                    box(107, 16, 107 + 30 * metre_x, 16 + 0.9 * metre_y),
                    box(107, 16, 107 + 0.7 * metre_x, 16 + 30 * metre_y),
                    box(107, 16, 107 + 0.9 * metre_x, 16 + 30 * metre_y))
    local = in_metres(strips, crs)
    assert shapely.area(local) == pytest.approx([21, 27, 21, 27], rel=1e-3)
    assert is_narrow(local, 0.8).tolist() == [True, False, True, False]
    metric = shapes(box(0, 0, 1, 1))
    assert in_metres(metric, pyproj.CRS.from_epsg(9214)) is metric


@given(st.lists(st.floats(0.2, 6), min_size=3, max_size=9), st.floats(0.1, 3))
@settings(max_examples=80)
def test_same_answer_as_shrinking_everything(distances, width):
    angles = np.linspace(0, 2 * np.pi, len(distances), endpoint=False)
    shape = shapely.Polygon(np.column_stack([np.cos(angles), np.sin(angles)]) * np.array(distances)[:, None])
    # Arcs at reflex corners are made of chords, so answers within 1 % of the width may differ.
    certainly = shapely.buffer(shape, -width * 0.99 / 2, quad_segs=32).is_empty
    possibly = shapely.buffer(shape, -width * 1.01 / 2, quad_segs=32).is_empty
    if certainly == possibly:
        assert is_narrow(shapes(shape), width).tolist() == [certainly]
