"""Service areas: by hand on small networks, against networkx on streets chopped into half metres, and by invariants."""

import geopandas
import geopandas.testing
import networkx
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from quyhoach.processing_algorithms.common.errors import Cancelled, InputError
from quyhoach.processing_algorithms.traffic import reach
from quyhoach.processing_algorithms.traffic.breaks import parse_breaks
from quyhoach.processing_algorithms.traffic.network import build_network
from quyhoach.processing_algorithms.traffic.service_area import Cost, Merge, service_areas
from quyhoach.processing_algorithms.traffic.snapping import snap

METRIC = "EPSG:32648"


def frame(*wkt, index=None, **columns):
    shapes = [None if text is None else shapely.from_wkt(text) for text in wkt]
    return geopandas.GeoDataFrame(columns, geometry=shapes, crs=METRIC, index=index)


def pieces(lines, **wanted):
    """(shape, break, from, to) of the lines, sorted, for comparison with what was worked out on paper."""
    return sorted((shapely.to_wkt(shape, rounding_precision=6), limit, round(start, 9), round(stop, 9))
                  for shape, limit, start, stop
                  in zip(lines.geometry, lines["break_value"], lines["from_cost"], lines["to_cost"]))


# by hand ------------------------------------------------------------------------------------------------------------


def test_pieces_of_a_junction():
    # Origin 3 m beside the main street at 4 m: 4 m back to its start, 6 m on to the junction, then 4 m each way.
    network = build_network(frame("LINESTRING (0 0, 10 0, 20 0)", "LINESTRING (10 0, 10 5)"))
    result = service_areas(network, frame("POINT (4 3)", index=[17]), [5, 10], width=1.0)
    assert pieces(result.lines) == [
        ("LINESTRING (10 0, 10 4)", 10, 6, 10),
        ("LINESTRING (10 0, 14 0)", 10, 6, 10),
        ("LINESTRING (4 0, 0 0)", 5, 0, 4),
        ("LINESTRING (4 0, 9 0)", 5, 0, 5),
        ("LINESTRING (9 0, 10 0)", 10, 5, 6)]
    assert set(result.lines["origin_id"]) == {17}
    assert result.origins[["origin_id", "snap_m", "used", "part_m", "reached_m"]].values.tolist() == [
        [17, 3.0, True, 25.0, 18.0]]
    assert result.areas[["break_value", "reached_m"]].values.tolist() == [[10, 18], [5, 9]]


def test_street_reached_from_both_ends_meets_in_the_middle():
    # Around the square of 10 m both ways: the far corner (10, 10) is 20 m away on either side.
    square = build_network(frame("LINESTRING (0 0, 10 0, 10 10)", "LINESTRING (0 0, 0 10, 10 10)",
                                 "LINESTRING (0 0, -1 0)"))
    assert service_areas(square, frame("POINT (0 0)"), [15]).lines["length_m"].sum() == 15 + 15 + 1
    assert service_areas(square, frame("POINT (0 0)"), [25]).lines["length_m"].sum() == 41  # nothing twice
    # A ring of 41 m as one edge: the traveller from both sides meets at 20.5 m.
    ring = build_network(frame("LINESTRING (0 0, 10 0, 10 10.5, 0 10.5, 0 0)"))
    assert sorted(service_areas(ring, frame("POINT (0 0)"), [100]).lines["to_cost"]) == [20.5, 20.5]
    both = service_areas(ring, frame("POINT (0 0)"), [20]).lines
    assert sorted(both["length_m"]) == [20, 20]


def test_two_ends_of_different_cost():
    # A bent street of 14 m and a direct one of 10 m between A and B: from A, B costs 10; the bent street is followed
    # (14 + 10) / 2 = 12 m from A and 2 m from B.
    network = build_network(frame("LINESTRING (0 0, 10 0)", "LINESTRING (0 0, 0 2, 10 2, 10 0)",
                                  "LINESTRING (0 0, -9 0)"))
    lines = service_areas(network, frame("POINT (0 0)"), [50]).lines
    assert sorted(lines["length_m"].round(9)) == [2, 9, 10, 12]
    assert lines["to_cost"].max() == 12


def test_one_way_streets():
    oneway = frame("LINESTRING (0 0, 10 0)", "LINESTRING (10 0, 20 0)", "LINESTRING (10 0, 10 10)", d=["1", "-1", "0"])
    network = build_network(oneway, direction="d")
    # Origin at 4 m of the one-way street: nothing behind, 6 m ahead, no entry at (10, 0) into the street against us.
    assert pieces(service_areas(network, frame("POINT (4 0)"), [8]).lines) == [
        ("LINESTRING (10 0, 10 2)", 8, 6, 8), ("LINESTRING (4 0, 10 0)", 8, 0, 6)]
    # From the far end of the backward street everything but the first street.
    assert pieces(service_areas(network, frame("POINT (20 0)"), [30]).lines) == [
        ("LINESTRING (10 0, 10 10)", 30, 10, 20), ("LINESTRING (20 0, 10 0)", 30, 0, 10)]
    # At the end of a one-way street the origin stands on the node and may take any street there.
    assert service_areas(network, frame("POINT (10 0)"), [3]).lines["length_m"].tolist() == [3]


def test_a_millimetre_beside_a_junction_is_at_the_junction():
    """Reprojected origins miss nodes by fractions of a millimetre; one-way streets must not shut them in."""
    network = build_network(frame("LINESTRING (0 0, 10 0)", "LINESTRING (10 0, 20 0)", "LINESTRING (0 0, 0 10)", d=["1", "0", "0"]), direction="d")
    at, beside = (service_areas(network, frame(f"POINT ({x} 0)"), [10]).lines["length_m"].sum() for x in (0, 0.0004))
    assert at == beside == 20


def test_one_way_dead_end_is_told():
    network = build_network(frame("LINESTRING (0 0, 10 0)", d=[1]), direction="d")
    result = service_areas(network, frame("POINT (10 0)", "POINT (1 0)", index=[5, 6]), [4])
    assert result.lines["origin_id"].tolist() == [6]
    assert any("không đi tiếp được" in text and "fid: 5" in text for text in result.warnings)
    assert set(result.areas["origin_id"]) == {5, 6}


def test_time_in_minutes():
    # 500 m at 30 km/h is 1 minute, then 12 km/h is 200 m a minute: after 3 minutes 400 m of the second street.
    streets = frame("LINESTRING (0 0, 500 0)", "LINESTRING (500 0, 2000 0)", v=[None, 12])
    network = build_network(streets, speed="v", default_speed_kmh=30)
    lines = service_areas(network, frame("POINT (0 0)"), [0.5, 3], cost=Cost.TIME).lines
    assert pieces(lines) == [("LINESTRING (0 0, 250 0)", 0.5, 0, 0.5), ("LINESTRING (250 0, 500 0)", 3, 0.5, 1),
                             ("LINESTRING (500 0, 900 0)", 3, 1, 3)]


def test_three_ways_of_sharing():
    # Street of 100 m, origins at 20 and 60, break 30: each 50 and 60 m; nearest: border at 40, so 40 and 50 m.
    network = build_network(frame("LINESTRING (0 0, 100 0)"))
    origins = frame("POINT (20 0)", "POINT (60 0)", index=[1, 2])
    each = service_areas(network, origins, [30], merge=Merge.EACH, width=5)
    assert each.lines.groupby("origin_id")["length_m"].sum().to_dict() == {1: 50, 2: 60}
    nearest = service_areas(network, origins, [30], merge=Merge.NEAREST, width=5)
    assert nearest.lines.groupby("origin_id")["length_m"].sum().to_dict() == {1: 40, 2: 50}
    together = service_areas(network, origins, [30], merge=Merge.TOGETHER, width=5)
    assert together.areas["reached_m"].tolist() == [90] and together.areas["origin_id"].isna().all()
    # 90 m long, 10 m wide, and a 16-gon of radius 5 in two halves: 16 / 2 x 25 x sin 22.5 deg = 76.5 m2.
    assert together.areas["area_m2"][0] == pytest.approx(900 + 0.5 * 16 * 25 * np.sin(2 * np.pi / 16), rel=1e-9)


def test_origins_on_one_spot_and_on_one_street():
    network = build_network(frame("LINESTRING (0 0, 100 0)"))
    origins = frame("POINT (50 0)", "POINT (50 1)", "POINT (0 0)", "POINT (100 0)")
    lengths = service_areas(network, origins, [10]).lines.groupby("origin_id")["length_m"].sum()
    assert lengths.to_dict() == {0: 20, 1: 20, 2: 10, 3: 10}
    shared = service_areas(network, origins, [10], merge=Merge.NEAREST).lines
    assert shared.groupby("origin_id")["length_m"].sum().to_dict() == {0: 20, 2: 10, 3: 10}


def test_multi_points_are_entrances_of_one_place():
    network = build_network(frame("LINESTRING (0 0, 100 0)"))
    park = service_areas(network, frame("MULTIPOINT ((20 0), (60 3))", "POINT (90 0)", index=[7, 8]), [30])
    assert park.lines.groupby("origin_id")["length_m"].sum().to_dict() == {7: 90, 8: 40}
    assert park.origins["snap_m"].tolist() == [0, 0]


def test_polygons_start_from_their_centroid_or_from_inside():
    network = build_network(frame("LINESTRING (0 0, 100 0)", "LINESTRING (0 0, 0 50)"))
    square = "POLYGON ((40 10, 60 10, 60 30, 40 30, 40 10))"  # centroid (50, 20)
    horseshoe = "POLYGON ((5 10, 95 10, 95 90, 90 90, 90 15, 10 15, 10 90, 5 90, 5 10))"  # centroid in its opening
    origins = service_areas(network, frame(square, horseshoe), [10]).origins
    assert origins["snap_m"][0] == 20
    assert shapely.intersects(shapely.from_wkt(horseshoe), origins.geometry[1])


# what is refused or told --------------------------------------------------------------------------------------------


def test_far_origins_are_left_out_and_named():
    network = build_network(frame("LINESTRING (0 0, 100 0)"))
    origins = frame("POINT (20 5)", "POINT (20 51)", None, "POINT EMPTY", "LINESTRING (0 0, 1 1)",
                    index=[4, 9, 10, 11, 12])
    result = service_areas(network, origins, [30], max_snap=50.0, name="Trường học")
    assert set(result.lines["origin_id"]) == {4}
    assert result.origins[["origin_id", "used"]].values.tolist() == [[4, True], [9, False]]
    told = "\n".join(result.warnings)
    assert "cách đường hơn 50,0 m, không tính (fid: 9)" in told
    assert "1 không có hình, 1 hình rỗng, 1 khác kiểu hình" in told
    with pytest.raises(InputError, match="mọi điểm xuất phát"):
        service_areas(network, origins, [30], max_snap=1.0)


def test_unconnected_parts_are_told():
    network = build_network(frame("LINESTRING (0 0, 90 0)", "LINESTRING (0 50, 10 50)"))
    result = service_areas(network, frame("POINT (5 0)", "POINT (5 50)", index=[1, 2]), [30])
    told = "\n".join(result.warnings)
    assert "2 phần không nối" in told and "90,0 %" in told and "(fid: 2)" in told
    assert result.origins["part_m"].tolist() == [90, 10]


@pytest.mark.parametrize("breaks", [[], [0.0], [-5.0], [5.0, 5.0], [10.0, 5.0], [np.inf], [np.nan]])
def test_wrong_breaks_are_refused(breaks):
    network = build_network(frame("LINESTRING (0 0, 100 0)"))
    with pytest.raises(InputError, match="[Nn]gưỡng"):
        service_areas(network, frame("POINT (5 0)"), breaks)


@pytest.mark.parametrize(("text", "values"), [
    ("300", [300]), ("300;500;1000", [300, 500, 1000]), (" 300 ; 500;", [300, 500]),
    ("2,5 5", [2.5, 5]), ("7,5", [7.5]),
    ("0,5;1", [0.5, 1]), ("7,25;", [7.25]), ("1.000,5", [1000.5]), ("300\n500", [300, 500])])
def test_breaks_as_people_type_them(text, values):
    assert parse_breaks(text).tolist() == values


@pytest.mark.parametrize("text", [
    "", " ; ", "5,10", "300,500", "300,500,1000", "abc", "500;300", "-5;10", "0;5", "5;5"])
def test_breaks_that_are_refused(text):
    with pytest.raises(InputError):
        parse_breaks(text)


def test_unusable_origins_and_width():
    network = build_network(frame("LINESTRING (0 0, 100 0)"))
    with pytest.raises(InputError, match="không có điểm, vùng nào"):
        service_areas(network, frame(None, "LINESTRING (0 0, 1 1)"), [5], name="Trường học")
    with pytest.raises(InputError, match="Bề rộng"):
        service_areas(network, frame("POINT (0 0)"), [5], width=0)


def test_cancel():
    def stop(fraction, message=None):
        if fraction > 0.45:
            raise Cancelled()

    with pytest.raises(Cancelled):
        service_areas(build_network(frame("LINESTRING (0 0, 100 0)")), frame("POINT (5 0)"), [5], progress=stop)


def test_one_stuck_origin_alone():
    network = build_network(frame("LINESTRING (0 0, 10 0)", d=[1]), direction="d")
    for merge in Merge:
        result = service_areas(network, frame("POINT (10 0)"), [4, 8], merge=merge, width=2.0)
        assert result.lines.empty and result.areas["reached_m"].tolist() == [0, 0]
        assert (result.areas["area_m2"] > 12).all() and result.origins["reached_m"].tolist() == [0]


def test_names_of_origins_travel_with_their_ids():
    network = build_network(frame("LINESTRING (0 0, 100 0)"))
    origins = frame("POINT (20 0)", "POINT (60 0)", index=[8, 3], ten=["Trường A", None])
    each = service_areas(network, origins, [10], label="ten")
    assert set(zip(each.lines["origin_id"], each.lines["origin_name"])) == {(8, "Trường A"), (3, None)}
    together = service_areas(network, origins, [10], label="ten", merge=Merge.TOGETHER)
    assert together.areas["origin_name"].isna().all() and together.origins["origin_name"].tolist() == ["Trường A", None]


def test_work_in_small_lots_gives_the_same(monkeypatch):
    network = build_network(town(3), direction="d")
    places = shapely.points(np.random.default_rng(1).uniform(0, 16, (9, 2)))
    origins = geopandas.GeoDataFrame(geometry=places, crs=METRIC)
    whole = service_areas(network, origins, [3, 9], want_areas=False).lines
    monkeypatch.setattr(reach, "_TABLE", 2 * network.node_count)
    monkeypatch.setattr(reach, "_FOLLOWED", 7)
    geopandas.testing.assert_geodataframe_equal(service_areas(network, origins, [3, 9], want_areas=False).lines, whole)


# against networkx ---------------------------------------------------------------------------------------------------


def town(seed, size=5, one_way=0.4):
    """Streets on a grid of whole metres, some missing, some one-way, some bent; all lengths are whole metres."""
    rng = np.random.default_rng(seed)
    shapes, direction = [], []
    for x in range(size):
        for y in range(size):
            for dx, dy in ((1, 0), (0, 1)):
                if x + dx < size and y + dy < size and rng.random() < 0.8:
                    a, b = np.array([x, y]) * 4, np.array([x + dx, y + dy]) * 4
                    path = [a, b]
                    if rng.random() < 0.3:  # detour of 2 m sideways, unless it would touch its neighbours
                        aside = np.array([dy, dx])
                        path = [a, a + [dx, dy], a + [dx, dy] + aside, b - [dx, dy] + aside, b - [dx, dy], b]
                    if rng.random() < 0.5:
                        path = path[::-1]
                    shapes.append(shapely.LineString(path))
                    direction.append(str(rng.choice([1, -1])) if rng.random() < one_way else "0")
    return geopandas.GeoDataFrame({"d": direction}, geometry=shapes, crs=METRIC)


def chopped(network):
    """The same streets as a networkx graph of half metres; all cost changes happen at its nodes."""
    graph = networkx.DiGraph()
    for edge in range(network.edge_count):
        steps = round(network.length[edge] * 2)
        inside = [(edge, step) for step in range(1, steps)]
        names = [("node", network.start[edge]), *inside, ("node", network.end[edge])]
        for step, (a, b) in enumerate(zip(names, names[1:])):
            if network.forward[edge]:
                graph.add_edge(a, b, weight=0.5, place=(edge, step))
            if network.backward[edge]:
                graph.add_edge(b, a, weight=0.5, place=(edge, step))
    return graph


@pytest.mark.parametrize("seed", range(12))
def test_agrees_with_networkx(seed):
    network = build_network(town(seed), direction="d")
    graph = chopped(network)
    rng = np.random.default_rng(1000 + seed)
    edges = rng.integers(0, network.edge_count, 6)
    steps = [int(rng.integers(0, round(network.length[edge] * 2) + 1)) for edge in edges]
    lines = network.lines()
    places = shapely.line_interpolate_point(lines[edges], np.array(steps) / 2)
    origins = geopandas.GeoDataFrame(geometry=places, crs=METRIC)
    breaks = [2.5, 6.0, 11.5]
    result = service_areas(network, origins, breaks, want_areas=False)
    for number, (edge, step) in enumerate(zip(edges, steps)):
        last = round(network.length[edge] * 2)
        ends = {0: ("node", network.start[edge]), last: ("node", network.end[edge])}
        source = ends.get(step, (edge, step))
        costs = networkx.single_source_dijkstra_path_length(graph, source)
        cost_of_place = {}
        for a, b, data in graph.edges(data=True):
            if a in costs:
                cost_of_place[data["place"]] = min(cost_of_place.get(data["place"], np.inf), costs[a] + 0.5)
        own = result.lines[result.lines["origin_id"] == number]
        for limit in breaks:
            expected = 0.5 * sum(cost <= limit for cost in cost_of_place.values())
            assert own.loc[own["break_value"] <= limit, "length_m"].sum() == pytest.approx(expected, abs=1e-9)
        # And the cost in the middle of every half metre that is reached.
        checked = 0
        for (street, position), cost in cost_of_place.items():
            if cost <= breaks[-1]:
                middle = shapely.line_interpolate_point(lines[street], position / 2 + 0.25)
                cover = own[shapely.dwithin(own.geometry.values, middle, 1e-6)]
                share = shapely.line_locate_point(cover.geometry.values, middle)
                assert (cover["from_cost"] + share).min() == pytest.approx(cost - 0.25, abs=1e-6)
                checked += 1
        assert checked or own.empty


@pytest.mark.parametrize("seed", range(4))
def test_nearest_agrees_with_networkx(seed):
    network = build_network(town(seed), direction="d")
    graph = chopped(network)
    nodes = np.random.default_rng(seed).choice(network.node_count, 3, replace=False)
    place_of_node = {}
    for edge in range(network.edge_count):
        place_of_node[network.start[edge]] = network.xy[network.first[edge]]
        place_of_node[network.end[edge]] = network.xy[network.first[edge + 1] - 1]
    origins = geopandas.GeoDataFrame(geometry=shapely.points([place_of_node[node] for node in nodes]), crs=METRIC)
    costs = networkx.multi_source_dijkstra_path_length(graph, {("node", node) for node in nodes})
    reached = {data["place"] for a, b, data in graph.edges(data=True) if costs.get(a, np.inf) + 0.5 <= 7.5}
    for merge in (Merge.NEAREST, Merge.TOGETHER):
        lines = service_areas(network, origins, [7.5], merge=merge, want_areas=False).lines
        assert lines["length_m"].sum() == pytest.approx(0.5 * len(reached), abs=1e-9)


# invariants ---------------------------------------------------------------------------------------------------------


@settings(max_examples=25)
@given(seed=st.integers(0, 10_000), x=st.floats(0, 16), y=st.floats(0, 16), first=st.floats(0.1, 20),
       more=st.floats(0.1, 20), merge=st.sampled_from(Merge))
def test_shapes_and_costs_agree_and_areas_nest(seed, x, y, first, more, merge):
    network = build_network(town(seed), direction="d")
    origins = frame(f"POINT ({x} {y})", "POINT (8 8)")
    result = service_areas(network, origins, [first, first + more], merge=merge, width=0.6, min_hole_m2=4)
    lines, areas = result.lines, result.areas
    # Distance: a piece costs its length, starts where it is drawn from, and never exceeds its break.
    assert np.allclose(lines.length, lines["length_m"], atol=1e-9)
    assert np.allclose(lines["to_cost"] - lines["from_cost"], lines["length_m"], atol=1e-9)
    assert (lines["to_cost"] <= lines["break_value"] + 1e-12).all() and (lines["length_m"] > 0).all()
    alone = service_areas(network, origins, [first], merge=merge, want_areas=False).lines
    assert alone["length_m"].sum() == pytest.approx(lines.loc[lines["band"] == 1, "length_m"].sum(), abs=1e-6)
    wide, narrow = areas[areas["band"] == 2].geometry.values, areas[areas["band"] == 1].geometry.values
    assert (narrow.difference(wide).area < 1e-9).all() and areas.is_valid.all()
    streets = shapely.union_all(lines.geometry.values) if len(lines) else shapely.Point()
    assert shapely.difference(streets, shapely.union_all(wide).buffer(1e-6)).length < 1e-6


@settings(max_examples=25)
@given(seed=st.integers(0, 10_000), data=st.data())
def test_there_and_back_with_all_directions_reversed(seed, data):
    # From A one reaches B within a cost exactly when, with every one-way street reversed, one reaches A from B.
    streets = town(seed)
    network = build_network(streets, direction="d")
    reverse = build_network(streets.assign(d=streets["d"].map({"1": "-1", "-1": "1", "0": "0"})), direction="d")
    a, b = (data.draw(st.tuples(st.integers(0, network.edge_count - 1), st.floats(0.1, 0.9))) for _ in range(2))
    lines = network.lines()
    points = [lines[edge].interpolate(share, normalized=True) for edge, share in (a, b)]
    limit = data.draw(st.floats(0.5, 40))

    def reaches(streets_there, start, goal):
        origin = geopandas.GeoDataFrame(geometry=[start], crs=METRIC)
        reached = service_areas(streets_there, origin, [limit], want_areas=False).lines
        near = reached[shapely.dwithin(reached.geometry.values, goal, 1e-5)]
        # Crossing streets drawn over one another would make a place reached by another street: ask the goal's own.
        return len(near) > 0

    assert reaches(network, points[0], points[1]) == reaches(reverse, points[1], points[0])


@settings(max_examples=20)
@given(seed=st.integers(0, 10_000), x=st.floats(0, 16), y=st.floats(0, 16), limit=st.floats(1, 30))
def test_time_at_one_speed_is_distance(seed, x, y, limit):
    network = build_network(town(seed), direction="d", default_speed_kmh=6.0)  # 100 m a minute
    origin = frame(f"POINT ({x} {y})")
    by_distance = service_areas(network, origin, [limit], want_areas=False).lines
    by_time = service_areas(network, origin, [limit / 100], cost=Cost.TIME, want_areas=False).lines
    assert by_time["length_m"].sum() == pytest.approx(by_distance["length_m"].sum(), abs=1e-5)


def test_rings_and_holes():
    # A square of 200 m, reached all around: the inside of 180 x 180 = 32,400 m2 is a hole or not.
    network = build_network(frame("LINESTRING (0 0, 200 0, 200 200, 0 200, 0 0)"))
    origin = frame("POINT (0 0)")
    kept = service_areas(network, origin, [100, 400], width=10, min_hole_m2=32_000).areas
    filled = service_areas(network, origin, [100, 400], width=10, min_hole_m2=33_000).areas
    assert filled["area_m2"][0] - kept["area_m2"][0] == pytest.approx(32_400)
    rings = service_areas(network, origin, [100, 400], width=10, min_hole_m2=0, rings=True).areas
    discs = service_areas(network, origin, [100, 400], width=10, min_hole_m2=0).areas
    assert rings["area_m2"].sum() == pytest.approx(discs["area_m2"][0])
    assert rings["area_m2"][1] == discs["area_m2"][1]


@settings(max_examples=30)
@given(seed=st.integers(0, 10_000),
       points=st.lists(st.tuples(st.floats(-300, 300), st.floats(-300, 300)), min_size=1, max_size=8))
def test_snapping_finds_the_nearest_place_anywhere(seed, points):
    network = build_network(town(seed))
    places = shapely.points(points)
    snapped = snap(network, places)
    everything = shapely.union_all(network.lines())
    assert np.allclose(snapped.distance, shapely.distance(everything, places), atol=1e-9)
    assert np.allclose(shapely.distance(shapely.points(snapped.xy), places), snapped.distance, atol=1e-6)
    assert (shapely.distance(network.lines()[snapped.edge], shapely.points(snapped.xy)) < 1e-9).all()


@pytest.mark.parametrize("text", ["100,200,300", "300,500,1000", "5, 10,15,20"])
def test_commas_between_breaks_are_not_one_number(text):
    with pytest.raises(InputError, match="chấm phẩy"):
        parse_breaks(text)
