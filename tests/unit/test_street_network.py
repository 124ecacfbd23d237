"""The street graph: where nodes are, what is left out and counted, directions, speeds, joining of near ends."""

import geopandas
import numpy as np
import pandas
import pytest
import shapely
from quyhoach.processing_algorithms.common.errors import InputError
from quyhoach.processing_algorithms.traffic.direction_values import Direction, DirectionValues
from quyhoach.processing_algorithms.traffic.joining import label_points
from quyhoach.processing_algorithms.traffic.network import build_network
from quyhoach.processing_algorithms.traffic.street_rules import read_directions, read_speeds

METRIC = "EPSG:32648"


def streets(*wkt, **columns):
    shapes = [None if text is None else shapely.from_wkt(text) for text in wkt]
    return geopandas.GeoDataFrame(columns, geometry=shapes, crs=METRIC,
                                  index=range(101, 101 + len(wkt)))


def edges_of(network):
    return sorted(shapely.to_wkt(line, rounding_precision=3) for line in network.lines())


def test_side_street_meeting_an_inner_vertex_is_connected():
    network = build_network(streets("LINESTRING (0 0, 10 0, 20 0)", "LINESTRING (10 0, 10 5)"))
    assert edges_of(network) == ["LINESTRING (0 0, 10 0)", "LINESTRING (10 0, 10 5)", "LINESTRING (10 0, 20 0)"]
    assert network.node_count == 4 and network.components()[0] == 1


def test_inner_vertices_alone_make_no_nodes():
    network = build_network(streets("LINESTRING (0 0, 3 4, 6 0, 9 4)"))
    assert network.edge_count == 1 and network.node_count == 2
    assert network.along.tolist() == [0, 5, 10, 15] and network.length.tolist() == [15]


def test_lines_crossing_without_a_common_vertex_are_a_bridge():
    network = build_network(streets("LINESTRING (0 0, 10 0)", "LINESTRING (5 -5, 5 5)"))
    assert network.edge_count == 2 and network.components()[0] == 2


def test_end_on_a_segment_without_a_vertex_is_not_connected():
    # As QGIS's native network analysis: only vertices connect.
    assert build_network(streets("LINESTRING (0 0, 10 0)", "LINESTRING (5 0, 5 5)")).components()[0] == 2


def test_line_that_passes_one_vertex_twice_gets_a_node_there():
    # A figure of eight through (5, 5): the loop is an edge from the node to itself.
    network = build_network(streets("LINESTRING (0 0, 5 5, 10 5, 5 10, 5 5, 0 10)"))
    assert network.edge_count == 3 and network.node_count == 3
    assert (network.start == network.end).sum() == 1


def test_ring_and_rings_that_touch():
    ring = build_network(streets("LINESTRING (0 0, 4 0, 4 4, 0 4, 0 0)"))
    assert ring.edge_count == 1 and ring.node_count == 1 and ring.length.tolist() == [16]
    touching = build_network(streets("LINESTRING (0 0, 4 0, 4 4, 0 4, 0 0)", "LINESTRING (4 4, 8 8)"))
    assert touching.node_count == 3 and sorted(touching.length.round(6)) == [5.656854, 8, 8]


def test_multi_lines_repeats_z_and_unusable_shapes():
    network = build_network(streets(
        "MULTILINESTRING ((0 0, 10 0), (10 0, 10 0), (20 0, 30 0))", None, "LINESTRING EMPTY",
        "LINESTRING Z (10 0 3, 10 0 9, 10 0 5, 20 0 8)", "POINT (3 3)", "LINESTRING (7 7, 7 7)"), name="Đường")
    assert sorted(network.length) == [10, 10, 10] and network.components()[0] == 1
    assert sorted(network.street.tolist()) == [0, 0, 3]
    assert network.street_ids[3] == 104
    report = network.report
    assert (report.zero_length, report.geometry.null, report.geometry.empty, report.geometry.other_kind) == (2, 1, 1, 1)
    assert any("chiều dài bằng 0" in text for text in report.sentences())


def test_minus_zero_is_zero():
    assert build_network(streets("LINESTRING (-5 0, 0 0)", "LINESTRING (-0.0 -0.0, 0 5)")).node_count == 3


def test_nothing_of_length_is_refused():
    with pytest.raises(InputError, match="không có đường nào có chiều dài"):
        build_network(streets("LINESTRING (7 7, 7 7)"), name="Đường")


def test_labels_agree_with_sorting():
    rng = np.random.default_rng(4)
    xy = rng.integers(-3, 3, (500, 2)) * 0.1
    labels = label_points(xy + 0.0)
    _, expected = np.unique(xy + 0.0, axis=0, return_inverse=True)
    pairs = set(zip(labels.tolist(), expected.ravel().tolist()))
    assert len(pairs) == len(set(labels)) == len(set(expected.ravel()))
    assert labels[0] == 0


# joining of near ends -----------------------------------------------------------------------------------------------


def test_tolerance_joins_ends_with_ends_and_with_inner_vertices():
    near = streets("LINESTRING (0 0, 10 0, 20 0)", "LINESTRING (10 0.3, 10 5)", "LINESTRING (20.2 0, 30 0)")
    assert build_network(near).components()[0] == 3
    joined = build_network(near, tolerance=0.5)
    assert joined.components()[0] == 1 and joined.report.joined_ends == 3
    assert joined.length.sum() == pytest.approx(20 + 4.7 + 9.8)  # shapes stay as drawn
    assert build_network(near, tolerance=0.25).components()[0] == 2


def test_tolerance_does_not_collapse_a_finely_drawn_curve():
    angle = np.linspace(0, np.pi, 200)
    curve = shapely.LineString(np.column_stack([np.cos(angle), np.sin(angle)]) * 10)
    frame = geopandas.GeoDataFrame(geometry=[curve, shapely.LineString([(0, 10.2), (0, 20)])], crs=METRIC)
    network = build_network(frame, tolerance=1.0)
    assert network.components()[0] == 1
    assert network.length.sum() == pytest.approx(curve.length + 9.8)
    assert network.edge_count == 3


def test_tolerance_closes_a_ring_drawn_with_a_gap():
    network = build_network(streets("LINESTRING (0 0.2, 0 9, 9 9, 9 0, 0 0)"), tolerance=0.5)
    assert network.edge_count == 1 and network.start[0] == network.end[0]


def test_negative_tolerance_is_refused():
    with pytest.raises(InputError, match="Dung sai"):
        build_network(streets("LINESTRING (0 0, 1 0)"), tolerance=-1)


# directions and speeds ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("value", "forward", "backward"), [
    (1, True, False), (1.0, True, False), ("yes", True, False), (True, True, False), ("F", True, False),
    (-1, False, True), ("-1", False, True), ("T", False, True), (0, True, True), ("B", True, True), ("No", True, True),
    (None, True, True), ("", True, True), ("??", True, True)])
def test_direction_values(value, forward, backward):
    read = read_directions(pandas.Series([value], dtype=object), rows=1)
    assert (read.forward[0], read.backward[0]) == (forward, backward)


def test_directions_of_own_values_and_what_is_not_known():
    column = pandas.Series(["Xuôi", "Ngược", "Hai", None, "lạ", "lạ"], dtype=object)
    values = DirectionValues(forward=("xuôi",), backward=("ngược",), both=("hai",), otherwise=Direction.FORWARD)
    read = read_directions(column, values, rows=6)
    assert read.forward.tolist() == [True, False, True, True, True, True]
    assert read.backward.tolist() == [False, True, True, False, False, False]
    assert read.null == 1 and read.unknown == {"lạ": 2}


def test_one_value_for_two_directions_is_refused():
    with pytest.raises(InputError, match="hai chiều khác nhau"):
        read_directions(None, DirectionValues(forward=("1",), backward=("1",)), rows=1)


def test_integer_directions_with_nulls():
    read = read_directions(pandas.Series([1, None, -1], dtype="Int64"), rows=3)
    assert read.forward.tolist() == [True, True, False] and read.null == 1 and not read.unknown


def test_speeds():
    speeds = read_speeds(pandas.Series([50, None, 0, "40", "nhanh", "12,5", "60 km/h"], dtype=object), 30, rows=7)
    assert speeds.kmh.tolist() == [50, 30, 30, 40, 30, 12.5, 60] and speeds.defaulted == 3
    assert speeds.unread == ("4: nhanh",)
    with pytest.raises(InputError, match="fid: 7"):
        read_speeds(pandas.Series([50.0, -1.0], index=[3, 7]), 30, rows=2)
    with pytest.raises(InputError, match="mặc định"):
        read_speeds(None, 0, rows=2)


def test_minutes_per_metre():
    network = build_network(streets("LINESTRING (0 0, 1000 0)", v=[30.0]), speed="v")
    assert (network.minutes_per_metre() * network.length).tolist() == [2.0]  # 1 km at 30 km/h
