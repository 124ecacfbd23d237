"""A hand-drawn network in a flood: what is deep, who is cut off, ways round; against networkx on generated ones."""

import geopandas
import networkx
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import CRS
from quyhoach.processing_algorithms.common.errors import InputError
from quyhoach.processing_algorithms.common.raster import ArrayRaster, Grid
from quyhoach.processing_algorithms.disaster.streets.flooded_network import cut_off, distance_to_nearest
from quyhoach.processing_algorithms.disaster.streets.flooded_network_tables import flooded_network
from quyhoach.processing_algorithms.disaster.streets.road_depths import road_depths, stretches
from quyhoach.processing_algorithms.disaster.streets.vehicles import vehicle, vehicles
from quyhoach.processing_algorithms.traffic.network import build_network
from quyhoach.processing_algorithms.traffic.snapping import snap

WKT = CRS("EPSG:9214").to_wkt()
GRID = Grid((0.0, 10.0, 0.0, 300.0, 0.0, -10.0), (30, 60), WKT)


def raster(values=0.0):
    return ArrayRaster(GRID, np.full(GRID.shape, values, float))


def network_of(*lines):
    return build_network(geopandas.GeoDataFrame(geometry=[shapely.LineString(line) for line in lines], crs=WKT))


def at(network, *points):
    return snap(network, shapely.points(np.array(points, float)))


def test_depth_along_a_street_by_hand():
    # 400 m eastward at y = 155; water 0,5 m deep in columns 10-14 (x 100 to 150), 0,1 m in 15-19.
    depth = raster()
    depth.values[:, 10:15], depth.values[:, 15:20] = 0.5, 0.1
    lines = np.array([shapely.LineString([(5, 155), (205, 155), (405, 155)])], object)
    found = road_depths(lines, depth)
    assert found.deepest() == pytest.approx([0.5]) and found.length_m.sum() == pytest.approx(400)
    assert found.length_deeper(0.3) == pytest.approx([50]) and found.length_deeper(0.05) == pytest.approx([100])
    blocked = found.blocked(0.3, 2.0)
    assert (blocked.first_m[0], blocked.last_m[0]) == (pytest.approx(95), pytest.approx(145))
    assert not found.blocked(0.3, 51.0).edges[0]
    edge, geometry, code, deepest = stretches(found, lines, np.array([0.0, 0.3]))
    assert code.tolist() == [0, 2, 1, 0] and shapely.length(geometry) == pytest.approx([95, 50, 50, 205])
    assert geometry[1].equals_exact(shapely.LineString([(100, 155), (150, 155)]), 1e-6)


def test_bridges_have_their_own_level_and_outside_is_unknown():
    depth, terrain = raster(2.0), raster(1.0)
    lines = np.array([shapely.LineString([(5, y), (205, y)]) for y in (55, 105, 155)] + [shapely.LineString([(550, 5), (650, 5)])], object)
    found = road_depths(lines, depth, terrain=terrain, bridge=np.array([True, True, False, False]), deck_m=np.array([2.6, np.nan, np.nan, np.nan]))
    # water at 3,0 m: 0,4 m over the deck at 2,6; no deck level: taken above the water; no bridge: 2 m
    assert found.deepest()[:3] == pytest.approx([0.4, 0.0, 2.0]) and found.bridges_without_deck == 1
    assert found.unknown_length()[3] == pytest.approx(50)
    with pytest.raises(InputError, match="lưới ô"):
        road_depths(lines, depth, terrain=ArrayRaster(Grid((5.0, 10.0, 0.0, 300.0, 0.0, -10.0), GRID.shape, WKT), terrain.values))


def town():
    """A ring of four streets with a spur to the east; water over the spur and over the south side.

        (100,200) ---- (300,200)
            |              |
        (100,100) -~~- (300,100) --~~-- (500,100)
    """
    network = network_of([(100, 200), (300, 200)], [(300, 200), (300, 100)], [(300, 100), (100, 100)], [(100, 100), (100, 200)],
                         [(300, 100), (500, 100)])
    depth = raster()
    depth.values[18:21, 20] = depth.values[18:21, 40] = 0.5  # x 200-210 on the south side, x 400-410 on the spur
    return network, road_depths(network.lines(), depth).blocked(0.3, 1.0)


def test_who_is_cut_off():
    network, blocked = town()
    found = cut_off(network, at(network, (150, 200), (150, 100), (250, 100), (350, 100), (450, 100), (405, 100), (205, 100)), blocked)
    assert found.joined_before.all()
    # beyond the water on the spur, and in the water itself; both sides of the south street are reached round the ring
    assert found.cut_off.tolist() == [False, False, False, False, True, True, True]
    assert found.part_after[5] == -1


def test_the_way_round():
    network, blocked = town()
    hospital, houses = at(network, (150, 100)), at(network, (250, 100), (450, 100), (160, 100))
    assert distance_to_nearest(network, houses, hospital) == pytest.approx([100, 300, 10])
    # round the ring: 50 west, 100 north, 200 east, 100 south, 50 west; the third stays on its stretch
    assert distance_to_nearest(network, houses, hospital, blocked).tolist() == pytest.approx([500, np.inf, 10])
    two = at(network, (150, 100), (480, 100))
    assert distance_to_nearest(network, houses, two, blocked).tolist() == pytest.approx([500, 30, 10])
    assert np.isinf(distance_to_nearest(network, houses, snap(network, np.array([], object)))).all()


@st.composite
def floods(draw):
    """A grid of streets with some edges removed, blocked stretches, places and targets."""
    nodes = [(100 * x, 100 * y) for x in range(4) for y in range(3)]
    all_edges = [(a, b) for a in nodes for b in nodes if a < b and abs(a[0] - b[0]) + abs(a[1] - b[1]) == 100]
    edges = draw(st.lists(st.sampled_from(all_edges), min_size=2, unique=True))
    wet = draw(st.lists(st.tuples(st.integers(0, 29), st.integers(0, 59)), max_size=25))
    on = st.tuples(st.integers(0, len(edges) - 1), st.integers(1, 99))
    return edges, wet, draw(st.lists(on, min_size=1, max_size=6)), draw(st.lists(on, min_size=1, max_size=3))


@settings(max_examples=60)
@given(floods())
def test_distances_and_parts_as_networkx_finds_them(flood):
    edges, wet, places, targets = flood
    network = network_of(*[[(x + 5, y + 25) for x, y in edge] for edge in edges])
    depth = raster()
    for row, column in wet:
        depth.values[row, column] = 1.0
    found = road_depths(network.lines(), depth)
    blocked = found.blocked(0.3, 0.0)

    def points(list_):
        return [(edges[e][0][0] + 5 + (edges[e][1][0] - edges[e][0][0]) * s / 100, edges[e][0][1] + 25 + (edges[e][1][1] - edges[e][0][1]) * s / 100)
                for e, s in list_]

    house, goal = at(network, *points(places)), at(network, *points(targets))
    for limit in (None, blocked):
        # Every metre of every street is a node of its own; wet metres are missing.
        graph = networkx.Graph()
        for e in range(network.edge_count):
            steps = int(round(network.length[e]))
            name = [("n", network.start[e]), *[(e, s) for s in range(1, steps)], ("n", network.end[e])]
            for s in range(steps):
                middle = s + 0.5
                if limit is None or not (limit.first_m[e] <= middle <= limit.last_m[e]):
                    graph.add_edge(name[s], name[s + 1], weight=1.0)
                else:
                    graph.add_nodes_from(name[s:s + 2])

        def node(snapped, k):
            e, s = snapped.edge[k], int(round(snapped.along[k]))
            return ("n", network.start[e]) if s == 0 else ("n", network.end[e]) if s == round(network.length[e]) else (e, s)

        reach = networkx.multi_source_dijkstra_path_length(graph, {node(goal, k) for k in range(len(targets))})
        ours = distance_to_nearest(network, house, goal, limit)
        for k in range(len(places)):
            s = house.along[k]
            border = limit is not None and (abs(s - limit.first_m[house.edge[k]]) < 1.01 or abs(s - limit.last_m[house.edge[k]]) < 1.01)
            inside = limit is not None and limit.first_m[house.edge[k]] <= s <= limit.last_m[house.edge[k]]
            goal_inside = limit is not None and any(limit.first_m[e] - 1.01 <= a <= limit.last_m[e] + 1.01 for e, a in zip(goal.edge, goal.along))
            if not border and not inside and not goal_inside:
                assert ours[k] == pytest.approx(reach.get(node(house, k), np.inf), abs=1e-6)
    assert (distance_to_nearest(network, house, goal, blocked) >= distance_to_nearest(network, house, goal) - 1e-6).all()
    result = cut_off(network, house, blocked)
    assert not (result.cut_off & ~result.joined_before).any()


def test_vehicles_are_defaults_to_confirm():
    kinds = vehicles()
    assert [k.depth_max_m for k in kinds] == sorted(k.depth_max_m for k in kinds) and {k.confidence for k in kinds} <= {"memory", "analogy"}
    assert vehicle("car", kinds).depth_max_m == 0.3
    with pytest.raises(InputError, match="rescue_truck"):
        vehicle("tàu", kinds)


def test_streets_cut_at_a_narrow_place_are_told():
    """Water across 10 m of a street between dry ends may be a canal under a bridge nobody marked; 50 m of it is a flood."""
    network, _ = town()
    kinds = vehicles()
    depth = raster()
    depth.values[18:21, 20] = 0.5
    depth.values[18:21, 38:43] = 0.5
    found = flooded_network(depth, network, kinds, vehicle("car", kinds))
    assert [note.split(" ")[0] for note in found.notes if "kênh" in note] == ["1"]
