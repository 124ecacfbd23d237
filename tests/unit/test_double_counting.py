"""What one layer counts more than once is its sum of areas minus its union."""

from __future__ import annotations

import numpy as np
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from quyhoach.processing_algorithms.land_use.double_counting import double_counting


def _excess(shapes):
    return float(shapely.area(double_counting(np.array(shapes, dtype=object)).ground).sum())


def test_by_hand():
    a = shapely.box(0, 0, 2, 2)
    assert _excess([a, shapely.box(2, 0, 4, 2)]) == 0  # neighbours
    assert _excess([a, shapely.box(1, 0, 3, 2)]) == 2
    assert _excess([a, a, a]) == 8  # three on one place: counted twice too often
    # A cross of two bars and a frame touching both: the bars share 1, nothing else.
    assert _excess([shapely.box(0, 1, 3, 2), shapely.box(1, 0, 2, 3), shapely.box(2, 2, 3, 3)]) == 1


def test_rounded_cut_points_are_no_overlap():
    # A vertex on the neighbour's slanting edge lies beside it by a rounding error.
    left = shapely.Polygon([(560000, 1820000), (560033, 1820007.1), (560031, 1820100), (560000, 1820100)])
    point = shapely.line_interpolate_point(shapely.LineString([(560033, 1820007.1), (560031, 1820100)]), 31.7)
    right = shapely.Polygon([(560033, 1820007.1), (560090, 1820000), (560090, 1820100), (560031, 1820100),
                             (point.x, point.y)])
    assert double_counting(np.array([left, right], dtype=object)).ground.size == 0


@settings(deadline=None, max_examples=60)
@given(st.lists(st.tuples(st.floats(0, 9), st.floats(0, 9), st.floats(0.1, 5), st.floats(0.1, 5)), min_size=1,
                max_size=10))
def test_sum_minus_union(boxes):
    shapes = [shapely.box(x, y, x + w, y + h) for x, y, w, h in boxes]
    expected = sum(shape.area for shape in shapes) - shapely.union_all(shapes).area
    assert abs(_excess(shapes) - expected) < 1e-9
