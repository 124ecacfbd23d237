"""The surface along rivers: by hand on a bend and a confluence, against an independent solver, laws on generated rivers."""

import geopandas
import networkx
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import CRS
from quyhoach.processing_algorithms.common.errors import InputError
from quyhoach.processing_algorithms.common.raster import ArrayRaster, Grid, Window
from quyhoach.processing_algorithms.disaster.depth.gauges import Gauges, level_ends, read_gauges
from quyhoach.processing_algorithms.disaster.depth.river_surface import on_rivers, river_network

WKT = CRS("EPSG:9214").to_wkt()
GRID = Grid((0.0, 10.0, 0.0, 1000.0, 0.0, -10.0), (100, 100), WKT)


def gauges_at(places, levels):
    x, y = np.array(places, float).T
    return Gauges(np.arange(len(levels)), x, y, np.array(levels, float), np.zeros(len(levels)), (1.0, 1.0), [])


def rivers_of(*lines):
    return geopandas.GeoDataFrame(geometry=[shapely.LineString(line) for line in lines], crs=WKT)


def placed(lines, places, levels, most=50.0):
    gauges = gauges_at(places, levels)
    return on_rivers(river_network(rivers_of(*lines), GRID, gauges), gauges, most), gauges


def test_along_a_bend_the_level_goes_with_the_length_of_the_river():
    # 400 m east, then 400 m north; gauges at both ends, 4 and 2 m: 3 m at the corner, though its straight-line position is elsewhere.
    rivers, gauges = placed([[(100, 100), (500, 100), (500, 500)]], [(100, 100), (500, 500)], [4.0, 2.0])
    surface = rivers.surface(gauges.level_m)
    assert surface.at([100, 300, 500, 500, 500], [100, 100, 100, 300, 500]) == pytest.approx([4.0, 3.5, 3.0, 2.5, 2.0], abs=1e-9)
    # beside the river, and beyond its ends
    assert surface.at([300, 20], [180, 100]) == pytest.approx([3.5, 4.0], abs=1e-9)


def test_a_confluence_balances_and_a_tributary_without_a_gauge_stays_level():
    # Arms of 200, 200 and 400 m from (500, 500) with 5, 3 and 1 m: (5/200 + 3/200 + 1/400) / (1/200 + 1/200 + 1/400) = 3,4
    rivers, gauges = placed([[(300, 500), (500, 500)], [(500, 700), (500, 500)], [(500, 500), (900, 500)], [(700, 500), (700, 800)]],
                            [(300, 500), (500, 700), (900, 500)], [5.0, 3.0, 1.0])
    surface = rivers.surface(gauges.level_m)
    assert surface.at([500, 700, 700], [500, 500, 800]) == pytest.approx([3.4, 2.2, 2.2], abs=1e-9)


def test_leave_one_out_is_the_error_of_the_others():
    rivers, gauges = placed([[(0, 500), (900, 500)]], [(0, 500), (300, 500), (900, 500)], [4.0, 3.5, 1.0])
    # without the middle 4 - 3 x 300/900 = 3; without an end the nearest level stays
    assert rivers.leave_one_out(gauges.level_m) == pytest.approx([-0.5, -0.5, 2.5])


def test_lines_that_stop_just_short_are_joined_and_far_gauges_refused():
    rivers, gauges = placed([[(0, 500), (900, 500)], [(400, 500.6), (400, 900)]], [(0, 500), (900, 500)], [4.0, 2.0])
    # 4 - 2 x 400/900 where the tributary comes in
    assert rivers.surface(gauges.level_m).at(400, 900) == pytest.approx(4 - 8 / 9, abs=1e-3) and not rivers.notes
    with pytest.raises(InputError, match="50 m"):
        placed([[(0, 500), (900, 500)]], [(0, 600)], [1.0])
    with pytest.raises(InputError, match="0 - 1"):
        placed([[(0, 500), (900, 500)]], [(0, 510), (0, 490)], [1.0, 2.0])


def test_a_river_without_a_gauge_is_told_and_not_used():
    rivers, gauges = placed([[(0, 500), (900, 500)], [(0, 100), (900, 100)]], [(0, 500)], [4.0])
    assert "0,9 km" in rivers.notes[0] and rivers.surface(gauges.level_m).at(0, 100) == 4.0


@st.composite
def trees(draw):
    """A random tree of rivers with gauges at some of its nodes."""
    count = draw(st.integers(2, 9))
    points = draw(st.lists(st.tuples(st.integers(0, 99), st.integers(0, 99)), min_size=count, max_size=count, unique=True))
    parents = [draw(st.integers(0, k - 1)) for k in range(1, count)]
    lines = [[points[k + 1], points[parent]] for k, parent in enumerate(parents)]
    number = draw(st.integers(1, count))
    levels = draw(st.lists(st.floats(0, 10), min_size=number, max_size=number))
    return [[(10 * x, 10 * y) for x, y in line] for line in lines], [(10 * x, 10 * y) for x, y in points[:number]], levels


@settings(max_examples=60)
@given(trees(), st.integers(0, 8), st.floats(0, 3))
def test_laws(tree, which, rise):
    lines, places, levels = tree
    rivers, gauges = placed(lines, places, levels, most=1.0)
    low = rivers.levels(gauges.level_m)
    assert (low >= min(levels) - 1e-9).all() and (low <= max(levels) + 1e-9).all()
    assert low[rivers.node] == pytest.approx(levels, abs=1e-6)
    higher = gauges.level_m.copy()
    higher[which % len(higher)] += rise
    assert (rivers.levels(higher) >= low - 1e-7).all()
    # The same numbers from networkx: resistances are lengths; without its own gauge each node is the weighted mean of its neighbours.
    graph = networkx.Graph()
    network = rivers.network
    graph.add_weighted_edges_from(zip(network.first, network.last, 1 / network.length))
    for node in set(graph) - set(rivers.node):
        weights = {other: graph[node][other]["weight"] for other in graph[node]}
        mean = sum(low[other] * weight for other, weight in weights.items()) / sum(weights.values())
        assert low[node] == pytest.approx(mean, abs=1e-6)


def test_windows_do_not_depend_on_how_they_are_cut():
    rivers, gauges = placed([[(100, 100), (500, 100), (500, 500), (900, 800)]], [(100, 100), (900, 800)], [4.0, 2.0])
    surface = rivers.surface(gauges.level_m)
    whole = surface.on(GRID, Window(0, 0, 100, 100))
    cut = np.vstack([surface.on(GRID, Window(row, 0, min(7, 100 - row), 100)) for row in range(0, 100, 7)])
    assert (whole == cut).all() and whole.min() >= 2.0 and whole.max() <= 4.0
    assert surface.on(GRID, Window(3, 17, 5, 9)) == pytest.approx(whole[3:8, 17:26])


def test_low_and_high_levels():
    terrain = ArrayRaster(GRID, np.zeros((100, 100)))
    frame = geopandas.GeoDataFrame({"h": [1.0, 2.0], "low": ["0,8", None], "high": [1.5, 2.0], "zero": [0.5, None]},
                                   geometry=[shapely.Point(15, 15), shapely.Point(505, 505)], crs=WKT)
    gauges = read_gauges(frame, "h", terrain, "zero")
    low, high = level_ends(gauges, frame, "low", "high", 0.1)
    assert low == pytest.approx([1.2, 1.9]) and high == pytest.approx([2.1, 2.1])
    with pytest.raises(InputError, match="fid: 1"):
        level_ends(gauges, frame.assign(low=[0.8, 2.5]), "low", "high")


def test_nearest_places_of_a_window_are_those_asked_one_by_one():
    # a river that meanders and one across it: neither rows nor columns stay with one place of it
    t = np.linspace(0, 12, 200)
    rivers, gauges = placed([np.column_stack([70 * t, 450 + 300 * np.sin(t)]), [(0, 0), (900, 900)]], [(0, 450), (840, 290)], [3.0, 7.0])
    surface = rivers.surface(gauges.level_m)
    for window in (Window(0, 0, 100, 100), Window(13, 5, 40, 90)):
        rows, columns = np.arange(window.row // 8, window.row // 8 + 4), np.arange(window.column // 8, window.column // 8 + 9)
        x, y = GRID.to_map(columns * 8 + 0.5, rows[:, None] * 8 + 0.5)
        assert np.array_equal(surface.level[surface.nearest.of_window(GRID, rows, columns)], surface.at(x, y))
