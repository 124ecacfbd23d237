"""Floods from a prepared terrain: a valley with a closed form, a polder, the network of stages, and sensible physics."""

import json
import os

import geopandas
import numpy as np
import pandas
import pytest
import shapely
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from pyproj import CRS
from quyhoach.processing_algorithms.common.errors import InputError, OutputError
from quyhoach.processing_algorithms.common.raster import ArrayRaster, Grid
from quyhoach.processing_algorithms.disaster.depth.flood_hand import ModelRasters, flood_hand, open_model_rasters
from quyhoach.processing_algorithms.disaster.depth.network_stage import (
    Places,
    even_stages,
    places_of_points,
    places_of_reaches,
    stages_along,
)
from quyhoach.processing_algorithms.disaster.terrain.d8 import STEPS
from quyhoach.processing_algorithms.disaster.terrain.terrain_ground import draw_dykes, read_ground
from quyhoach.processing_algorithms.disaster.terrain.terrain_model import (
    check_folder,
    read_model,
    source_changed,
    stream_lines,
    write_model,
)
from quyhoach.processing_algorithms.disaster.terrain.terrain_prepare import Rules, prepare_terrain

WKT = CRS("EPSG:9214").to_wkt()
CELL = 100.0
#: By night more examples.
MORE = 20 if os.environ.get("QUYHOACH_NIGHTLY") else 1
CARD = {"terrain": {"name": "thử", "path": "", "bytes": None, "sha256": None, "vertical_datum": "UNSTATED", "error_m": None}}


def ground_of(z):
    z = np.asarray(z, np.float32)
    return read_ground(ArrayRaster(Grid((500_000.0, CELL, 0.0, 1_200_000.0, 0.0, -CELL), z.shape, WKT), z))


def in_memory(found):
    """The rasters a model has on disk."""
    rivers = found.reaches
    reach = np.append(rivers.number(), 0)[found.drain].astype(float)
    chainage = np.append(rivers.chainage, np.nan)[found.drain]
    return ModelRasters(*(ArrayRaster(found.grid, array) for array in (
        found.above_drainage, found.ground_above_drainage, reach, chainage)))


def flooded(found, stages, **more):
    depths, ranges = [], []
    result = flood_hand(in_memory(found), stages, lambda window, depth: depths.append(depth.copy()),
                        write_range=lambda window, *both: ranges.append([one.copy() for one in both]), **more)
    return np.concatenate(depths), *(np.concatenate(part) for part in zip(*ranges)), result


def valley(rows=40, half=30):
    return 100 - 0.1 * np.arange(rows)[:, None] + 0.5 * np.abs(np.arange(-half, half + 1))[None, :]


def test_a_valley_has_a_closed_form():
    found = prepare_terrain(ground_of(valley()), Rules(stream_area_km2=0.4))
    streams = stream_lines(found)
    expected = np.tile(np.maximum(0, 3.2 - 0.5 * np.abs(np.arange(-30, 31))), (30, 1))
    depth, low, high, result = flooded(found, even_stages(3.2, streams), error_m=0.5)
    np.testing.assert_allclose(depth[10:], expected, atol=1e-4)
    np.testing.assert_allclose(low[10:], np.maximum(0, 2.7 - 0.5 * np.abs(np.arange(-30, 31)))[None].repeat(30, 0), atol=1e-4)
    assert high[20, 30] == pytest.approx(3.7, abs=1e-4) and result.max_depth_m == pytest.approx(3.2, abs=1e-4)
    assert result.wet_area_m2[0] == (depth > 0).sum() * CELL**2 and result.unknown_cells == np.isnan(depth).sum()
    # Gauges 3.9 and 0.9 km from the outlet: the stage falls evenly from 4 m to 2 m between them.
    chain = found.reaches.chainage
    two = Places(np.array([1, 2]), np.array([1, 1]), np.array([chain[5], chain[-8]]), np.zeros(2), np.zeros(2, bool))
    depth, *_ = flooded(found, stages_along(streams, two, np.array([4.0, 2.0])))
    below = np.flatnonzero(~np.isnan(depth[:, 30]))
    np.testing.assert_allclose(depth[below, 30], np.interp(chain, [chain[-8], chain[5]], [2.0, 4.0]), atol=1e-5)
    np.testing.assert_allclose(depth[below, 33], np.interp(chain, [chain[-8], chain[5]], [0.5, 2.5]), atol=1e-4)


def test_a_polder_stays_dry_until_its_dyke_is_overtopped_and_is_then_deep():
    # A flat floor at 2 m beside a river bed at 0 m, with a dyke of 5 m between them and walls around.
    z = np.full((20, 20), 30.0)
    z[1:, 3] = 0.0 - 0.01 * np.arange(19)
    z[1:19, 4:8] = 0.5
    z[1:19, 9:18] = 2.0
    z[1:19, 8] = 3.0
    ground = ground_of(z)
    draw_dykes(ground, geopandas.GeoDataFrame({"dinh": [5.0]}, geometry=[shapely.LineString(
        [(500_850, 1_199_990), (500_850, 1_198_110)])], crs="EPSG:9214"), "dinh")
    found = prepare_terrain(ground, Rules(stream_area_km2=0.5))
    streams = stream_lines(found)
    polder = np.s_[2:18, 10:17]
    held, *_ = flooded(found, even_stages(4.9, streams))
    assert (held[polder] == 0).all() and held[10, 6] > 4
    over, *_ = flooded(found, even_stages(5.6, streams))
    assert (over[polder] > 3).all() and (over[polder] < 3.8).all() and (over[1:19, 8] < 0.8).all()


def tree(parents, lengths):
    """Reaches of a random tree as a model has them; reach k+1 flows into parents[k] or out (0)."""
    end = np.zeros(len(parents))
    for k, parent in enumerate(parents):
        end[k] = 0 if parent == 0 else end[parent - 1] + lengths[parent - 1]
    return geopandas.GeoDataFrame({
        "reach_id": np.arange(1, len(parents) + 1), "downstream_id": parents, "basin_id": 1,
        "chainage_start_m": end + lengths, "chainage_end_m": end, "bed_start_m": 1.0, "bed_end_m": 0.0})


@st.composite
def networks(draw):
    count = draw(st.integers(1, 8))
    parents = np.array([draw(st.integers(0, k)) for k in range(count)])
    lengths = np.array([draw(st.sampled_from([1.0, 50.0, 300.0])) for _ in range(count)])
    gauges = draw(st.lists(st.tuples(st.integers(1, count), st.floats(0.05, 0.95)), min_size=1, max_size=5, unique=True))
    stage = np.array([draw(st.sampled_from([0.0, 1.0, 2.5, 6.0])) for _ in gauges])
    streams = tree(parents, lengths)
    reach = np.array([one for one, _ in gauges])
    at = streams.iloc[reach - 1]
    chain = at["chainage_end_m"].to_numpy() + np.array([share for _, share in gauges]) * lengths[reach - 1]
    order = np.lexsort((chain, reach))
    assume(not ((np.diff(reach[order]) == 0) & (np.diff(chain[order]) < 0.01)).any())  # Two on one spot are refused.
    return streams, Places(np.arange(len(gauges)), reach, chain, np.zeros(len(gauges)), np.zeros(len(gauges), bool)), stage


@settings(max_examples=40 * MORE)
@given(networks(), st.integers(0, 4), st.floats(0, 3))
def test_stages_keep_their_range_and_never_fall_when_a_gauge_rises(network, which, rise):
    streams, places, stage = network
    found = stages_along(streams, places, stage)
    reach = np.repeat(streams["reach_id"].to_numpy(), 21)
    chain = np.concatenate([np.linspace(a, b, 21) for a, b in zip(streams["chainage_start_m"], streams["chainage_end_m"])])
    at = found.at(reach, chain)
    known = ~np.isnan(at)
    assert (at[known] >= stage.min() - 1e-6).all() and (at[known] <= stage.max() + 1e-6).all()
    np.testing.assert_allclose(found.at(places.reach, places.chainage), stage, atol=1e-6)
    higher = stage.copy()
    higher[which % len(stage)] += rise
    assert (stages_along(streams, places, higher).at(reach, chain)[known] >= at[known] - 1e-5).all()
    # Where nothing is known anywhere upstream or downstream, nothing is said; one stage for the rest fills it.
    assert not np.isnan(stages_along(streams, places, stage, 1.5).at(reach, chain)).any()
    # At every confluence the ends of all reaches agree.
    for k, down in enumerate(streams["downstream_id"]):
        if down:
            a = found.at(np.array([k + 1]), streams["chainage_end_m"].to_numpy()[[k]])
            b = found.at(np.array([down]), streams["chainage_start_m"].to_numpy()[[down - 1]])
            np.testing.assert_allclose(a, b, atol=1e-5)


def test_a_confluence_by_hand():
    # Two branches of 100 m and 300 m meet; below them 100 m to the outlet. Gauges at the springs, 4 m and 8 m.
    streams = tree(np.array([0, 1, 1]), np.array([100.0, 100.0, 300.0]))
    two = Places(np.array([1, 2]), np.array([2, 3]), np.array([200.0, 400.0]), np.zeros(2), np.zeros(2, bool))
    found = stages_along(streams, two, np.array([4.0, 8.0]))
    # Along the way from gauge to gauge the stage rises evenly: 4 + 4 x 100/400 = 5 at the confluence, and 5 below.
    assert found.at(np.array([1, 1, 2, 3]), np.array([0.0, 100, 150, 250])).tolist() == pytest.approx([5, 5, 4.5, 6.5])
    rows = pandas.DataFrame({"doan": ["2"], "h": [3.0]}, index=[7])
    whole = places_of_reaches(rows, "doan", streams)
    found = stages_along(streams, whole, np.array([3.0]))
    assert found.at(np.array([2, 2]), np.array([100.0, 200.0])).tolist() == [3, 3]
    with pytest.raises(InputError, match="fid: 9"):
        places_of_reaches(pandas.DataFrame({"doan": [12]}, index=[9]), "doan", streams)
    spot = Places(np.array([1, 2]), np.array([2, 2]), np.array([200.0, 200.0]), np.zeros(2), np.zeros(2, bool))
    with pytest.raises(InputError, match="cùng một chỗ.*fid: 1, 2"):
        stages_along(streams, spot, np.array([4.0, 8.0]))
    assert stages_along(streams, spot, np.array([4.0, 4.0])).at(np.array([2]), np.array([200.0])).tolist() == [4.0]
    with pytest.raises(InputError, match="nhiều mực nước"):
        places_of_reaches(pandas.DataFrame({"doan": [2, 2]}), "doan", streams)


rough = arrays(np.float32, st.tuples(st.integers(4, 12), st.integers(4, 12)), elements=st.floats(0, 12, width=16))


@settings(max_examples=30 * MORE)
@given(rough, st.floats(0, 8), st.floats(0, 4), st.floats(0, 1), st.integers(0, 5))
def test_sensible_physics(z, stage, more, error, hole):
    z = z.copy()
    z[hole % z.shape[0], hole % z.shape[1]] = np.nan if hole else z[0, 0]
    found = prepare_terrain(ground_of(z), Rules(stream_area_km2=0.01))
    streams = stream_lines(found)
    depth, low, high, _ = flooded(found, even_stages(stage, streams), error_m=error, low=even_stages(stage / 2, streams))
    higher, *_ = flooded(found, even_stages(stage + more, streams))
    known = ~np.isnan(depth)
    assert (np.isnan(z) <= ~known).all() and (np.isnan(low) == ~known).all() and (np.isnan(high) == ~known).all()
    assert (higher[known] >= depth[known]).all() and (low[known] <= depth[known]).all() and (depth[known] <= high[known]).all()
    assert (depth[known] >= 0).all()
    wet = known & (depth > 0)
    reachable = known & (found.above_drainage < np.float32(stage))
    for cell in zip(*np.nonzero(wet)):  # down the way of the water, every cell is below the water until the stream
        width = z.shape[1] + 2
        drain = found.reaches.cells[found.drain[cell]]
        while (cell[0] + 1) * width + cell[1] + 1 != drain:
            row, column = STEPS[int(found.direction[cell]).bit_length() - 1]
            cell = cell[0] + row, cell[1] + column
            assert reachable[cell] or np.isnan(z[cell])


@pytest.fixture
def model(tmp_path):
    found = prepare_terrain(ground_of(valley()), Rules(stream_area_km2=0.4))
    return write_model(found, tmp_path / "mô hình", CARD)


def test_a_model_is_what_was_written_or_refused(model, tmp_path):
    again = read_model(model.folder)
    assert again.card == read_model(model.folder / "model.json").card and not source_changed(again)
    with open_model_rasters(again) as rasters:
        depths = []
        import pyogrio

        streams = pyogrio.read_dataframe(again.path("streams.gpkg"))
        assert streams.geometry.has_z.all()
        flood_hand(rasters, even_stages(3.2, streams), lambda window, depth: depths.append(depth))
    assert np.concatenate(depths)[20, 30] == pytest.approx(3.2, abs=1e-4)
    source = tmp_path / "dem.tif"
    source.write_bytes(b"one")
    card = {**again.card, "terrain": {**again.card["terrain"], "path": str(source), "bytes": 3, "sha256": "other"}}
    assert source_changed(type(again)(again.folder, card))
    with open(again.path("reach_id.tif"), "r+b") as stream:
        stream.seek(-1, 2)
        stream.write(b"x")
    with pytest.raises(InputError, match="reach_id.tif"):
        read_model(model.folder)
    read_model(model.folder, ["height_above_drainage.tif"])  # what is not needed is not asked
    again.path("height_above_drainage.tif").unlink()
    with pytest.raises(InputError, match="height_above_drainage.tif, reach_id.tif|height_above_drainage"):
        read_model(model.folder)
    (model.folder / "model.json").write_text(json.dumps({**again.card, "version": 99}), "utf-8")
    with pytest.raises(InputError, match="phiên bản khác"):
        read_model(model.folder)
    with pytest.raises(InputError, match="không phải là mô hình"):
        read_model(tmp_path)
    with pytest.raises(OutputError, match="là một tệp"):
        check_folder(source)


def test_gauges_find_their_river():
    # A big river along x = 0 and a ditch along x = 100; the gauge stands on the bank, nearer to the ditch.
    streams = geopandas.GeoDataFrame({
        "reach_id": [1, 2], "area_km2": [900.0, 2.0], "chainage_start_m": [1000.0, 500.0], "chainage_end_m": [0.0, 0.0]},
        geometry=[shapely.LineString([(0, 1000, 5), (0, 0, 3)]), shapely.LineString([(100, 500, 6), (100, 0, 4)])],
        crs="EPSG:9214")
    points = geopandas.GeoDataFrame(geometry=[shapely.Point(60, 250)], index=[12], crs="EPSG:9214")
    place = places_of_points(points, streams, 300)
    assert (place.ids.tolist(), place.reach.tolist(), place.chainage.tolist(), place.bed_m.tolist()) == ([12], [1], [250], [3.5])
    assert places_of_points(points, streams, 50).reach.tolist() == [2]
    with pytest.raises(InputError, match="fid: 12"):
        places_of_points(points, streams, 20)
