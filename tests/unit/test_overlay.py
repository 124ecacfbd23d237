"""Overlay: by hand, against brute force and geopandas, and by what must always hold."""

import geopandas
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from quyhoach.processing_algorithms.common import overlay
from quyhoach.processing_algorithms.common.errors import Cancelled
from quyhoach.processing_algorithms.common.overlay import intersect, intersect_within, polygonal, remainder

box = shapely.box


def shapes(*items):
    return np.array(items, dtype=object)


def pairs(pieces):
    return list(zip(pieces.left.tolist(), pieces.right.tolist()))


def brute(left, right):
    """All pairs, one by one, without tree, preparation or threads."""
    found = {}
    for i, a in enumerate(left):
        for j, b in enumerate(right):
            area = shapely.intersection(a, b).area
            if area > 0:
                found[i, j] = area
    return found


def test_by_hand():
    # Parcels 0-10 and 10-20; zone 5-30 takes half of the first and all of the second.
    left = box([0, 10], 0, [10, 20], 10)
    pieces = intersect(left, shapes(box(5, 0, 30, 10)))
    assert pairs(pieces) == [(0, 0), (1, 0)]
    assert shapely.area(pieces.geometry).tolist() == [50, 100]


def test_shape_strictly_inside_is_not_cut_and_keeps_its_vertices():
    inner = shapely.Polygon([(2, 2), (3, 2), (4, 2), (4, 4), (2, 4)])  # a vertex on a straight edge
    pieces = intersect(shapes(inner), shapes(box(0, 0, 10, 10)))
    assert pieces.geometry[0] is inner


def test_zone_inside_parcel_is_the_piece():
    pieces = intersect(shapes(box(0, 0, 10, 10)), shapes(box(2, 2, 3, 3)))
    assert shapely.area(pieces.geometry).tolist() == [1]


def test_touching_is_no_piece():
    left = shapes(box(0, 0, 1, 1))
    # By an edge, by a corner, and by a slanted edge whose bounding boxes overlap.
    right = shapes(box(1, 0, 2, 1), box(1, 1, 2, 2), shapely.Polygon([(0, 1), (1, 1), (2, 0), (2, 2), (0, 2)]))
    assert len(intersect(left, right)) == 0


def test_a_line_or_point_in_common_is_left_out_of_the_piece():
    # The second part of the zone touches the parcel along an edge only.
    zone = shapely.MultiPolygon([box(0, 0, 1, 1), box(4, 0, 6, 1)])
    pieces = intersect(shapes(box(0.5, 0, 4, 1)), shapes(zone))
    assert pieces.geometry[0].geom_type == "Polygon" and pieces.geometry[0].area == 0.5


def test_piece_of_two_parts_is_one_row():
    comb = shapely.Polygon([(0, 0), (5, 0), (5, 3), (4, 3), (4, 1), (1, 1), (1, 3), (0, 3)])
    pieces = intersect(shapes(comb), shapes(box(0, 2, 5, 3)))
    assert len(pieces) == 1 and pieces.geometry[0].geom_type == "MultiPolygon" and pieces.geometry[0].area == 2


def test_holes():
    ring = box(0, 0, 10, 10).difference(box(3, 3, 7, 7))
    left = shapes(box(4, 4, 5, 5), box(2, 2, 8, 8), ring)
    pieces = intersect(left, shapes(ring))
    assert pairs(pieces) == [(1, 0), (2, 0)]
    assert shapely.area(pieces.geometry).tolist() == [36 - 16, 84]


def test_null_and_empty_have_no_pieces():
    left = shapes(None, shapely.Polygon(), box(0, 0, 1, 1))
    pieces = intersect(left, shapes(None, box(0, 0, 2, 2), shapely.Polygon()))
    assert pairs(pieces) == [(2, 1)]
    assert len(intersect(left, shapes())) == len(intersect(shapes(), left)) == 0
    zone = shapes(box(0, 0, 2, 2))
    rest = remainder(left, zone, intersect(left, zone), intersect_within(zone))
    assert list(rest) == [None, None, None]


def test_order_does_not_depend_on_threads_or_on_which_side_is_larger(monkeypatch):
    left = random_boxes(60, 1)
    right = random_boxes(25, 2)
    whole = intersect(left, right)
    monkeypatch.setattr(overlay, "BLOCK", 3)
    small = intersect(left, right)
    assert pairs(whole) == pairs(small) == sorted(brute(left, right))
    turned = intersect(right, left)
    assert sorted((j, i) for i, j in pairs(turned)) == pairs(whole)


def test_one_object_in_two_places(monkeypatch):
    monkeypatch.setattr(overlay, "BLOCK", 1)
    zone = box(0, 0, 5, 5)
    pieces = intersect(random_boxes(30, 3), shapes(zone, zone))
    assert pairs(pieces) == sorted(brute(random_boxes(30, 3), shapes(zone, zone)))


def test_nothing_stays_prepared_but_what_was():
    left, right = random_boxes(5, 1), random_boxes(5, 2)
    shapely.prepare(right[:2])
    intersect(left, right)
    assert shapely.is_prepared(right).tolist() == [True, True, False, False, False]


def test_an_invalid_pair_is_rescued_alone():
    # A bow tie; make_valid turns it into its two triangles of area 1 each.
    tie = shapely.Polygon([(0, 0), (2, 2), (2, 0), (0, 2)])
    pieces = intersect(shapes(box(-1, -1, 3, 0.5), tie), shapes(tie, box(10, 10, 11, 11), box(-5, -5, 5, 5)))
    area = {pair: shape.area for pair, shape in zip(pairs(pieces), pieces.geometry)}
    # Below y = 0.5 lie two corners: triangles (0,0)-(0.5,0.5)-(0,0.5) and (2,0)-(2,0.5)-(1.5,0.5).
    assert area[0, 0] == pytest.approx(2 * 0.5 * 0.5 * 0.5)
    assert (0, 1) not in area and (0, 2) in area
    assert all(shape.is_valid for pair, shape in zip(pairs(pieces), pieces.geometry) if pair == (0, 0))


def test_cancel_stops_workers():
    calls = []

    def stop(fraction, message=None):
        calls.append(fraction)
        raise Cancelled()

    with pytest.raises(Cancelled):
        intersect(random_boxes(400, 1), random_boxes(400, 2), stop)
    assert len(calls) == 1


def test_progress_ends_at_one():
    seen = []
    intersect(random_boxes(40, 1), random_boxes(40, 2), lambda fraction, message=None: seen.append(fraction))
    assert seen[-1] == 1 and seen == sorted(seen)


def test_polygonal_digs_into_collections():
    nested = shapely.GeometryCollection([shapely.Point(0, 0), shapely.GeometryCollection([box(0, 0, 1, 1)]),
                                         shapely.MultiPolygon([box(2, 0, 3, 1), box(4, 0, 5, 1)])])
    line = shapely.LineString([(0, 0), (1, 1)])
    kept = polygonal(shapes(nested, line, None))
    assert kept[0].geom_type == "MultiPolygon" and kept[0].area == 3
    assert kept[1] is None and kept[2] is None


def test_remainder_where_overlapping_zones_add_up_to_the_parcel():
    # Two copies of the left half: pieces sum to the parcel's 100 m2, yet its right half is outside both.
    parcel, half = shapes(box(0, 0, 10, 10)), box(0, 0, 5, 10)
    zones = shapes(half, box(0, 0, 5, 10))
    overlaps = intersect_within(zones)
    assert pairs(overlaps) == [(0, 1)]
    rest = remainder(parcel, zones, intersect(parcel, zones), overlaps)
    assert rest[0].equals(box(5, 0, 10, 10))


def test_remainder_leaves_no_cracks_along_cuts():
    # The border between the zones crosses the parcel where the cut points cannot be written exactly.
    zones = shapes(shapely.Polygon([(0, 0), (7, 0), (3, 11), (0, 11)]),
                   shapely.Polygon([(7, 0), (13, 0), (13, 11), (3, 11)]))
    parcel = shapes(shapely.Polygon([(1.1, 1.3), (11.7, 2.9), (10.3, 9.1), (1.7, 7.7)]))
    assert list(remainder(parcel, zones, intersect(parcel, zones), intersect_within(zones))) == [None]


def random_boxes(n, seed):
    random = np.random.default_rng(seed)
    low = random.uniform(0, 10, (n, 2))
    size = random.uniform(0.1, 4, (n, 2))
    return box(low[:, 0], low[:, 1], low[:, 0] + size[:, 0], low[:, 1] + size[:, 1])


def star(draw_numbers, centre):
    """A simple polygon: corners at rising angles and free distances."""
    angles = np.linspace(0, 2 * np.pi, len(draw_numbers), endpoint=False)
    return shapely.Polygon(np.column_stack([np.cos(angles), np.sin(angles)]) * np.array(draw_numbers)[:, None] + centre)


stars = st.builds(
    star, st.lists(st.floats(0.3, 6), min_size=3, max_size=9),
    st.tuples(st.integers(0, 12), st.integers(0, 12)).map(np.array))


@given(st.lists(stars, min_size=1, max_size=7), st.lists(stars, min_size=1, max_size=7))
@settings(max_examples=60)
def test_against_brute_force_on_overlapping_polygons(left, right):
    left, right = shapes(*left), shapes(*right)
    pieces = intersect(left, right)
    expected = brute(left, right)
    got = dict(zip(pairs(pieces), shapely.area(pieces.geometry)))
    # A pair that shares only rounding noise may be seen by one and not by the other.
    for pair in got.keys() ^ expected.keys():
        assert max(got.get(pair, 0), expected.get(pair, 0)) < 1e-12
    for pair in got.keys() & expected.keys():
        assert got[pair] == pytest.approx(expected[pair], rel=1e-9, abs=1e-12)
    assert set(shapely.get_type_id(pieces.geometry)) <= {3, 6}


@given(st.lists(stars, min_size=1, max_size=6), st.lists(stars, min_size=1, max_size=6))
@settings(max_examples=60)
def test_covered_part_and_remainder_make_the_parcel(left, right):
    left, right = shapes(*left), shapes(*right)
    pieces = intersect(left, right)
    rest = remainder(left, right, pieces, intersect_within(right))
    for k, shape in enumerate(left):
        covered = shapely.union_all(pieces.geometry[pieces.left == k]).area
        outside = rest[k].area if rest[k] is not None else 0.0
        assert covered + outside == pytest.approx(shape.area, rel=1e-9, abs=1e-9)
        if rest[k] is not None:
            assert shapely.intersection(rest[k], shapely.union_all(right)).area < 1e-9


@given(st.lists(stars, min_size=1, max_size=8))
@settings(max_examples=40)
def test_overlaps_within_one_set(polygons):
    polygons = shapes(*polygons)
    found = dict(zip(pairs(intersect_within(polygons)), shapely.area(intersect_within(polygons).geometry)))
    expected = {(i, j): area for (i, j), area in brute(polygons, polygons).items() if i < j}
    for pair in found.keys() | expected.keys():
        assert found.get(pair, 0) == pytest.approx(expected.get(pair, 0), rel=1e-9, abs=1e-9)


def coverage(points, width=12.0):
    """Voronoi cells of the points inside a square: polygons without gaps or overlaps."""
    cells = shapely.get_parts(shapely.voronoi_polygons(shapely.multipoints(points), extend_to=box(0, 0, width, width)))
    cells = shapely.intersection(cells, box(0, 0, width, width))
    return cells[shapely.area(cells) > 0]


spots = st.lists(st.tuples(st.floats(0.5, 11.5), st.floats(0.5, 11.5)), min_size=3, max_size=12, unique=True)


@given(spots, spots)
@settings(max_examples=40)
def test_two_coverages_of_one_square_lose_nothing(first, second):
    left, right = coverage(np.round(first, 2)), coverage(np.round(second, 2))
    pieces = intersect(left, right)
    assert shapely.area(pieces.geometry).sum() == pytest.approx(144, rel=1e-9)
    sums = np.bincount(pieces.left, shapely.area(pieces.geometry), minlength=len(left))
    assert sums == pytest.approx(shapely.area(left), rel=1e-9, abs=1e-9)
    rest = remainder(left, right, pieces, intersect_within(right))
    assert sum(shape.area for shape in rest if shape is not None) < 1e-9


def test_against_geopandas_on_ragged_polygons():
    random = np.random.default_rng(5)
    left = shapes(*(star(random.uniform(0.5, 3, 12), random.uniform(0, 40, 2)) for _ in range(300)))
    right = shapes(*(star(random.uniform(2, 9, 20), random.uniform(0, 40, 2)) for _ in range(40)))
    pieces = intersect(left, right)
    peer = geopandas.overlay(
        geopandas.GeoDataFrame({"i": range(300)}, geometry=left),
        geopandas.GeoDataFrame({"j": range(40)}, geometry=right),
        how="intersection", keep_geom_type=True)
    peer = peer[peer.area > 0].sort_values(["i", "j"])
    assert pairs(pieces) == list(zip(peer["i"], peer["j"]))
    assert shapely.area(pieces.geometry) == pytest.approx(peer.area.to_numpy(), rel=1e-9, abs=1e-12)
