"""The shortcut that proves layers free of overlap must never call an overlap clean."""

from __future__ import annotations

import numpy as np
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from quyhoach.processing_algorithms.common.coverage import groups_without_overlap, union_by_groups
from quyhoach.processing_algorithms.common.overlay import intersect_within

A, B = shapely.box(0, 0, 2, 2), shapely.box(2, 0, 4, 2)


def _whole(*shapes):
    return groups_without_overlap(np.array(shapes, dtype=object)).tolist()


def test_neighbours_holes_and_islands_are_clean():
    ring = shapely.Polygon([(0, 0), (6, 0), (6, 6), (0, 6)], [[(2, 2), (4, 2), (4, 4), (2, 4)]])
    assert _whole(A, B) == [0, 0]
    assert _whole(ring, shapely.box(2, 2, 4, 4)) == [0, 0]  # the island fills the hole
    assert _whole(ring, shapely.box(2.5, 2.5, 3, 3)) == [0, 0]  # or lies loose in it
    assert _whole(A, shapely.MultiPolygon([B, shapely.box(9, 9, 10, 10)])) == [0, 0]


def test_duplicates_nested_and_crossing_shapes_are_not():
    assert _whole(A, A) == [-1, -1]
    assert _whole(A, A, A) == [-1, -1, -1]  # odd: the outline survives, the area betrays it
    assert _whole(A, shapely.box(0.5, 0.5, 1, 1)) == [-1, -1]
    assert _whole(A, shapely.box(1, 1, 3, 3)) == [-1, -1]
    assert _whole(A, shapely.box(0, 0, 2, 1), shapely.box(0, 1, 2, 2)) == [-1, -1, -1]


def test_blocks_far_from_a_fault_stay_clean():
    x, y = np.meshgrid(np.arange(40.0), np.arange(40.0))
    grid = shapely.box(x.ravel(), y.ravel(), x.ravel() + 1, y.ravel() + 1)
    assert groups_without_overlap(grid).max() == 0 == groups_without_overlap(grid).min()
    grid[0] = shapely.box(0, 0, 1.5, 1)
    labels = groups_without_overlap(grid)
    assert 0 < (labels == -1).sum() <= 32
    pieces = intersect_within(grid)
    assert (pieces.left.tolist(), pieces.right.tolist(), shapely.area(pieces.geometry).tolist()) == ([0], [1], [0.5])


@settings(deadline=None, max_examples=60)
@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6), st.integers(1, 3), st.integers(1, 3)), min_size=1,
                max_size=9))
def test_labels_agree_with_pairwise_intersection(boxes):
    shapes = np.array([shapely.box(x, y, x + w, y + h) for x, y, w, h in boxes], dtype=object)
    labels = groups_without_overlap(shapes)
    for i in range(len(shapes)):
        for j in range(i):
            if labels[i] == labels[j] >= 0:
                assert shapes[i].intersection(shapes[j]).area == 0
    found = intersect_within(shapes)
    expected = sum(shapes[i].intersection(shapes[j]).area for i in range(len(shapes)) for j in range(i))
    assert np.isclose(shapely.area(found.geometry).sum(), expected)


def test_union_by_groups_is_the_union():
    # 40 x 40 squares, every seventh a little too large: joined in blocks or at once, the ground is the same.
    x, y = np.meshgrid(np.arange(40.0), np.arange(40.0))
    wide = np.where(np.arange(1600) % 7 == 0, 1.03, 1.0)
    shapes = shapely.box(x.ravel(), y.ravel(), x.ravel() + wide, y.ravel() + wide)
    joined = union_by_groups(shapes)
    assert shapely.equals(joined, shapely.union_all(shapes)) and joined.is_valid
