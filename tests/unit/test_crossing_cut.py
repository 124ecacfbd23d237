"""The quick cut gives what GEOS gives, and gives nothing where it is not certain."""

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from quyhoach.processing_algorithms.common.crossing_cut import cut_simple_crossings

box = shapely.box


def shapes(*items):
    return np.array(items, dtype=object)


def one(left, right):
    return cut_simple_crossings(shapes(left), shapes(right))[0]


SQUARE = box(0, 0, 10, 10)


@pytest.mark.parametrize("turn_left", [False, True])
@pytest.mark.parametrize("turn_right", [False, True])
@pytest.mark.parametrize(("other", "area"), [
    (box(6, -1, 20, 11), 40),  # a border straight through
    (box(-1, -1, 20, 4), 40),
    (box(7, 7, 20, 20), 9),  # a corner of the square
    (shapely.Polygon([(5, 5), (20, 4), (20, 6)]), None),  # a spike into it: both crossings on one edge of the square
    (shapely.Polygon([(-5, 4), (12, 4), (12, 20), (14, 20), (14, -5), (-5, -5)]), 40),  # concave, closing outside
    # a notch into it
    (shapely.Polygon([(4, -3), (4, 4), (8, 4), (8, -3), (20, -3), (20, 20), (-5, 20), (-5, -3)]), 100 - 16),
    (shapely.Polygon([(5, -1), (11, 5), (11, -1)]), 8),  # cuts off the corner: both crossings on one edge of the other
])
def test_by_hand_whichever_way_the_outlines_run(other, area, turn_left, turn_right):
    left = shapely.reverse(SQUARE) if turn_left else SQUARE
    right = shapely.reverse(other) if turn_right else other
    expected = shapely.intersection(left, right)
    for piece in (one(left, right), one(right, left)):
        assert piece.is_valid and piece.equals(expected)
        assert area is None or piece.area == pytest.approx(area)


@pytest.mark.parametrize("other", [
    box(20, 20, 30, 30),  # apart
    box(2, 2, 3, 3), box(-5, -5, 20, 20),  # one inside the other
    box(10, 0, 20, 10), box(0, 0, 10, 10), box(5, 0, 20, 10),  # shared edges
    shapely.Polygon([(10, 10), (20, 10), (20, 20)]),  # a shared corner
    shapely.Polygon([(5, 5), (20, 0), (10, 10)]),  # a corner on a corner
    box(4, -1, 6, 11),  # four crossings
    box(-5, -5, 5, 20).difference(box(-3, -3, -2, -2)),  # a hole, wherever it is
    shapely.MultiPolygon([box(6, -1, 20, 11)]),
    shapely.force_3d(box(6, -1, 20, 11), 1.0),
    shapely.Polygon(), None,
    box(1e-13, -1, 20, 11),  # the crossing is as near to a corner as rounding gets
    shapely.Point(0, 0).buffer(8, quad_segs=100),  # too many corners
])
def test_every_other_case_is_left_alone(other):
    assert one(SQUARE, other) is None and one(other, SQUARE) is None


def test_nothing_to_do():
    assert len(cut_simple_crossings(shapes(), shapes())) == 0


def test_neighbours_fit_to_the_last_bit():
    # The border of two zones crosses the parcel; the cut corners of both pieces are the same numbers.
    west = shapely.Polygon([(0, 0), (7.1, 0), (3.3, 11.7), (0, 11.7)])
    east = shapely.Polygon([(7.1, 0), (13, 0), (13, 11.7), (3.3, 11.7)])
    parcel = shapely.Polygon([(1.1, 1.3), (11.7, 2.9), (10.3, 9.1), (1.7, 7.7)])
    first, second = cut_simple_crossings(shapes(parcel, parcel), shapes(west, east))
    common = {tuple(c) for c in first.exterior.coords} & {tuple(c) for c in second.exterior.coords}
    assert len(common) == 2


def star(distances, centre):
    angles = np.linspace(0, 2 * np.pi, len(distances), endpoint=False)
    return shapely.Polygon(np.column_stack([np.cos(angles), np.sin(angles)]) * np.array(distances)[:, None] + centre)


#: Free numbers, and a grid of whole ones on which corners and edges meet all the time.
free = st.builds(star, st.lists(st.floats(0.3, 6), min_size=3, max_size=12),
                 st.tuples(st.floats(0, 9), st.floats(0, 9)).map(np.array))
corners = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=3, max_size=7, unique=True)
grid = corners.map(shapely.Polygon).filter(lambda shape: shape.is_valid and shape.area > 0)
far = np.array([585_000.0, 1_203_000.0])


@given(st.lists(st.tuples(free, free) | st.tuples(grid, grid), min_size=1, max_size=12), st.booleans())
@settings(max_examples=70)
def test_what_is_cut_is_what_geos_cuts(pairs, moved):
    left, right = (np.array([pair[k] for pair in pairs], dtype=object) for k in (0, 1))
    if moved:
        left, right = (shapely.transform(side, lambda xy: xy + far) for side in (left, right))
    for k, piece in enumerate(cut_simple_crossings(left, right)):
        if piece is None:
            continue
        expected = shapely.intersection(left[k], right[k])
        assert piece.is_valid and piece.area > 0
        # Crossings are rounded to the last bits of the coordinates, along the whole outline.
        rounding = 16 * np.spacing(np.abs(piece.bounds).max()) * max(piece.length, 1.0)
        assert shapely.symmetric_difference(piece, expected).area <= rounding
        largest = max(part.area for part in shapely.get_parts(expected))
        assert expected.area - largest <= rounding


def test_most_pairs_of_crossing_fields_are_solved():
    # Fields of 30 m under a zone of 900 m: nearly every cut one is crossed once.
    x, y = (c.ravel() for c in np.meshgrid(np.arange(40) * 30.0, np.arange(40) * 30.0))
    fields = box(x + 0.5, y + 0.5, x + 30, y + 29.5)
    zone = shapely.Polygon([(111, 93), (607, 171), (1011, 533), (857, 1013), (301, 1111), (77, 613)])
    cut = shapely.intersects(fields, zone) & ~shapely.within(fields, zone)
    pieces = cut_simple_crossings(fields[cut], np.full(cut.sum(), zone, dtype=object))
    solved = shapely.is_geometry(pieces)
    assert solved.mean() > 0.95
    assert shapely.area(pieces[solved]) == pytest.approx(shapely.area(shapely.intersection(fields[cut][solved], zone)),
                                                         rel=1e-12)
