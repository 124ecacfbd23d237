"""How the sample town is made: lots that cover their block, welded borders, noded streets, the same bytes each time."""

from __future__ import annotations

import hashlib
from pathlib import Path

import networkx
import numpy as np
import pyogrio
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from quyhoach.scripts.sample_town.__main__ import main
from quyhoach.scripts.sample_town.benchmark_town import write_benchmark_town
from quyhoach.scripts.sample_town.splitting import dominant_axes, split_to_lots
from quyhoach.scripts.sample_town.street_network import build_network
from quyhoach.scripts.sample_town.street_plan import Street
from quyhoach.scripts.sample_town.tile_grid import plan_grid
from quyhoach.scripts.sample_town.welding import weld


def test_dominant_axis_of_a_turned_rectangle():
    # 80 x 30 m turned by 30 degrees: the long axis is (cos 30, sin 30) or its opposite, lengths are 80 and 30.
    turned = shapely.affinity.rotate(shapely.box(0, 0, 80, 30), 30, origin=(0, 0))
    axis, low, high, low_across, high_across = dominant_axes(np.array([turned], dtype=object))
    assert abs(axis[0] @ [np.cos(np.pi / 6), 0.5]) == pytest.approx(1)
    assert high[0] - low[0] == pytest.approx(80) and high_across[0] - low_across[0] == pytest.approx(30)


def test_block_becomes_two_rows_of_lots():
    # 100 x 40 m with lots of 200 m2 and 20 m depth: every lot keeps one of the two long sides.
    block = np.array([shapely.box(0, 0, 100, 40)], dtype=object)
    lots, parents = split_to_lots(block, np.array([200.0]), np.array([20.0]), np.random.default_rng(1))
    assert (parents == 0).all() and 12 <= len(lots) <= 28
    street = block[0].boundary
    assert (shapely.length(shapely.intersection(lots, street.buffer(1e-6))) > 2).all()


@settings(deadline=None, max_examples=25)
@given(seed=st.integers(0, 10_000), corners=st.integers(4, 9), size=st.floats(40, 400))
def test_lots_cover_their_block(seed, corners, size):
    rng = np.random.default_rng(seed)
    angle = np.sort(rng.uniform(0, 2 * np.pi, corners))
    block = shapely.convex_hull(shapely.multipoints(np.column_stack([np.cos(angle), np.sin(angle)]) * size + 1000))
    if block.area < 100:
        return
    lots, _ = split_to_lots(np.array([block], dtype=object), np.array([200.0]), np.array([22.0]), rng)
    assert shapely.area(lots).sum() == pytest.approx(block.area, rel=1e-9)
    welded = weld(lots)
    assert shapely.is_valid(welded).all()
    # The outline moves by less than the rounding and the welding distance, 4 mm.
    assert shapely.area(welded).sum() == pytest.approx(block.area, abs=0.004 * block.length)
    assert shapely.area(welded).sum() == pytest.approx(shapely.union_all(welded).area, abs=1e-6)


def test_weld_gives_the_neighbour_the_missing_corner():
    # The left square's side is straight; two right squares meet it at a corner 0.4 mm off the line.
    left = shapely.box(0, 0, 10, 10)
    upper = shapely.Polygon([(10.0004, 5), (20, 5), (20, 10), (10, 10)])
    lower = shapely.Polygon([(10, 0), (20, 0), (20, 5), (10.0004, 5)])
    welded = weld(np.array([left, upper, lower], dtype=object))
    assert {(10.0, 5.0)} <= set(map(tuple, shapely.get_coordinates(welded[0])))
    assert shapely.union_all(welded).geom_type == "Polygon" and shapely.union_all(welded).area == pytest.approx(
        200, abs=1e-9
    )


def test_network_is_cut_where_streets_meet():
    # A cross, a T-junction whose end misses by 4 mm, and a street on its own.
    cross = [
        Street(shapely.LineString([(0, 0), (100, 0)]), "local", "A"),
        Street(shapely.LineString([(50, -50), (50, 50)]), "local", "B"),
    ]
    tee = Street(shapely.LineString([(80, 40), (80, 0.004)]), "alley")
    alone = Street(shapely.LineString([(200, 0), (220, 0)]), "alley")
    net = build_network([*cross, tee, alone])
    # A is cut at x = 50 and 80 into 3, B into 2, T and the lone street stay whole.
    assert np.bincount(net.street).tolist() == [3, 2, 1, 1]
    graph = networkx.Graph(list(zip(net.start, net.end)))
    assert sorted(len(piece) for piece in networkx.connected_components(graph)) == [2, 7]
    first = [tuple(line.coords[0]) for line, owner in zip(net.lines, net.street) if owner == 0]
    assert first == [(0.0, 0.0), (50.0, 0.0), (80.0, 0.0)]


def test_tiles_share_their_edges():
    grid = plan_grid(20_000)
    south, north = grid.tile(0, 1), grid.tile(1, 1)
    shared = shapely.intersection(south.boundary, north.boundary)
    assert shared.length == pytest.approx(grid.edge(1, 1, False).length) if grid.river_row != 1 else shared.is_empty
    tiles = [grid.tile(row, column) for row in range(grid.rows) for column in range(grid.columns)]
    assert shapely.union_all(tiles).area == pytest.approx(sum(tile.area for tile in tiles))


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_benchmark_town_is_the_same_each_time_and_exact(tmp_path):
    folders = [tmp_path / "một", tmp_path / "hai lần"]
    for folder, processes in zip(folders, (1, 2)):
        folder.mkdir()
        counts = write_benchmark_town(folder, 2500, processes=processes)
    assert digest(folders[0] / "town.gpkg") == digest(folders[1] / "town.gpkg")
    assert counts["parcel"] == counts["land_use_2020"] == counts["land_use_2025"] == 2500
    path = folders[0] / "town.gpkg"
    parcels = pyogrio.read_dataframe(path, layer="parcel")
    assert parcels["feature_id"].is_unique and parcels.is_valid.all()
    assert parcels.area.sum() == pytest.approx(parcels.union_all().area, abs=1e-3)
    roads = pyogrio.read_dataframe(path, layer="road")
    lines = shapely.get_parts(roads.geometry.to_numpy())
    graph = networkx.Graph([(line.coords[0], line.coords[-1]) for line in lines])
    assert networkx.is_connected(graph) and roads["bridge"].any()
    assert counts["building"] > 0.5 * 2500


@pytest.mark.parametrize(
    "arguments", [["--parcels", "0", "--output", "x"], ["--parcels", "2000000", "--output", "x"], ["--parcels", "100"]]
)
def test_command_line_refuses_in_one_sentence(arguments, capsys):
    with pytest.raises(SystemExit) as refusal:
        main(arguments)
    assert refusal.value.code != 0 and "--parcels" in capsys.readouterr().err
