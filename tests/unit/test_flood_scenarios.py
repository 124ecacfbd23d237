"""Scenario library: keys, import from depths, levels and polygons, which scenarios are nearest, depths between; hand corrections."""

import geopandas
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import CRS
from quyhoach.processing_algorithms.common.errors import InputError
from quyhoach.processing_algorithms.common.raster import ArrayRaster, Grid, Window, open_raster
from quyhoach.processing_algorithms.common.raster_writing import write_raster
from quyhoach.processing_algorithms.disaster.depth.flood_corrections import corrections
from quyhoach.processing_algorithms.disaster.scenarios.scenario_import import (
    MapKind,
    depth_from_map,
    depth_from_polygons,
    grid_of_polygons,
)
from quyhoach.processing_algorithms.disaster.scenarios.scenario_interpolation import between, find_scenarios
from quyhoach.processing_algorithms.disaster.scenarios.scenario_library import (
    Library,
    Scenario,
    add_scenario,
    file_id,
    open_library,
    parse_keys,
)

WKT = CRS("EPSG:9214").to_wkt()
GRID = Grid((0.0, 10.0, 0.0, 100.0, 0.0, -10.0), (10, 12), WKT)


def collected(shape=GRID.shape, layers=1):
    results = [np.full(shape, -1, np.float32) for _ in range(layers)]

    def write(window, *values):
        for result, value in zip(results, values):
            result[window.row:window.row + window.rows, window.column:window.column + window.columns] = value
    return results, write


def test_keys():
    assert parse_keys("Kim Long = 3,5 m; Phú Ốc: 450cm\nHương Điền=1.200 m³/s") == ({"Kim Long": 3.5, "Phú Ốc": 4.5}, {"Hương Điền": 1200.0})
    for text, count in (("", 1), ("Kim Long 3,5", 1), ("Kim Long = 3,5; kim long = 3,6", 1), ("A = 1.234; B", 2)):
        with pytest.raises(InputError) as refused:
            parse_keys(text)
        assert len(refused.value.problems) == count, text


def test_a_map_on_another_grid_is_read_at_the_nearest_cell():
    coarse = ArrayRaster(Grid((0.0, 20.0, 0.0, 80.0, 0.0, -20.0), (4, 4), WKT), np.array([[1, 0, 0, np.nan]] * 4, float))
    (result,), write = collected()
    depth_from_map(coarse, MapKind.DEPTH, GRID, write)
    # the top two rows and the last four columns lie outside the map
    assert np.isnan(result[:2]).all() and result[2].tolist()[:6] == [1, 1, 0, 0, 0, 0] and np.isnan(result[2, 6:]).all()
    (result,), write = collected()
    depth_from_map(coarse, MapKind.DEPTH, GRID, write, outside_is_dry=True)
    assert (result[:2] == 0).all() and result[2, 0] == 1


def test_levels_less_terrain():
    terrain = ArrayRaster(GRID, np.where(np.arange(12) < 6, 1.0, 3.0) * np.ones((10, 1)))
    terrain.values[0, 0] = np.nan
    (result,), write = collected()
    depth_from_map(ArrayRaster(GRID, np.full(GRID.shape, 2.5)), MapKind.LEVEL, GRID, write, terrain=terrain)
    assert np.isnan(result[0, 0]) and result[1].tolist() == [1.5] * 6 + [0] * 6
    with pytest.raises(InputError, match="địa hình"):
        depth_from_map(terrain, MapKind.LEVEL, GRID, write)
    with pytest.raises(InputError, match="99"):
        depth_from_map(ArrayRaster(GRID, np.full(GRID.shape, 99.0)), MapKind.DEPTH, GRID, write)
    with pytest.raises(InputError, match="hệ tọa độ"):
        depth_from_map(ArrayRaster(Grid(GRID.transform, GRID.shape, CRS("EPSG:9215").to_wkt()), terrain.values), MapKind.DEPTH, GRID, write)


def test_polygons_with_ranges():
    polygons = geopandas.GeoDataFrame({"lo": [0.5, "1,0"], "hi": [1.0, None]}, geometry=[shapely.box(0, 0, 60, 100), shapely.box(30, 0, 90, 100)], crs=WKT)
    layers, write = collected(layers=3)
    notes = depth_from_polygons(polygons, "lo", "hi", GRID, write)
    middle, low, high = layers
    # 0,5-1 m alone, then 1-2 m over it (deeper), then dry
    assert middle[0].tolist() == [0.75] * 3 + [1.5] * 6 + [0] * 3 and low[0, 4] == 1 and high[0, 4] == 2 and "fid: 1" in notes[0]
    assert grid_of_polygons(polygons, 10.0).shape == (10, 9)
    for change in ({"lo": [-1, 1]}, {"hi": [0.1, 2]}, {"lo": ["sâu", 1]}):
        with pytest.raises(InputError, match="fid: 0"):
            depth_from_polygons(polygons.assign(**change), "lo", "hi", GRID, write)


def scenario(name, depth="", **levels):
    return Scenario(name, name, {k.replace("_", " "): v for k, v in levels.items() if k != "HD"}, {"Hương Điền": levels["HD"]} if "HD" in levels else {}, depth)


def library(*scenarios):
    return Library(None, GRID, list(scenarios))


def test_the_nearest_pair():
    books = library(scenario("a", KL=3.0, PO=4.0), scenario("b", KL=4.0, PO=5.0), scenario("c", KL=5.0, PO=5.5))
    match = find_scenarios(books, {"KL": 3.25, "PO": 4.25}, {})
    assert (match.lower.name, match.higher.name, match.share) == ("a", "b", pytest.approx(0.25)) and not match.notes
    assert find_scenarios(books, {"kl": 4.5}, {}).higher.name == "c"
    exact = find_scenarios(books, {"KL": 4.0, "PO": 5.0}, {})
    assert exact.higher is None and exact.lower.name == "b" and not exact.notes
    above = find_scenarios(books, {"KL": 6.0, "PO": 6.5}, {})
    assert above.higher is None and above.lower.name == "c" and "Không ngoại suy" in above.notes[0] and above.off == {"KL": 1.0, "PO": 1.0}
    # off the segment: 0,5 below and above it
    assert "nội suy" in find_scenarios(books, {"KL": 3.0, "PO": 5.0}, {}).notes[0].lower()
    assert "XX" in find_scenarios(books, {"KL": 3.5, "XX": 1.0}, {}).notes[0]
    with pytest.raises(InputError, match="KL, PO"):
        find_scenarios(books, {"XX": 1.0}, {})
    with pytest.raises(InputError, match="chưa có kịch bản"):
        find_scenarios(library(), {"KL": 1.0}, {})


def test_releases_go_by_their_logarithm():
    match = find_scenarios(library(scenario("a", HD=500.0), scenario("b", HD=2000.0)), {}, {"Hương Điền": 1000.0})
    assert match.share == pytest.approx(0.5)  # twice 500, half of 2000


def test_between_two_flat_floods_is_the_flood_between():
    # A valley; levels 2, 3 and halfway 2,5. Cells wet only at 3 m fall by the same metre.
    ground = np.abs(np.arange(12) - 6.0)[None, :] * np.ones((10, 1))
    low, high = (ArrayRaster(GRID, np.maximum(level - ground, 0)) for level in (2.0, 3.0))
    (result,), write = collected()
    between(low, high, 0.5, write)
    assert result == pytest.approx(np.maximum(2.5 - ground, 0))


@settings(max_examples=40)
@given(st.integers(0, 10_000), st.floats(0, 1), st.floats(0, 1))
def test_depths_lie_between_and_rise_with_the_share(seed, one, other):
    random = np.random.default_rng(seed)
    low = np.where(random.random(GRID.shape) < 0.5, random.uniform(0, 2, GRID.shape), 0)
    high = np.where(random.random(GRID.shape) < 0.7, low + random.uniform(0, 2, GRID.shape), low)
    low[0, 0] = np.nan
    results = []
    for share in sorted((one, other)):
        (result,), write = collected()
        between(ArrayRaster(GRID, low), ArrayRaster(GRID, high), share, write)
        results.append(result)
        known = ~np.isnan(low)
        assert np.isnan(result[0, 0]) and (result[known] >= low[known] - 1e-5).all() and (result[known] <= high[known] + 1e-5).all()
    assert (results[1][known] >= results[0][known] - 1e-5).all()


def test_the_library_on_disk(tmp_path):
    folder = tmp_path / "kịch bản"
    folder.mkdir()
    books = open_library(folder)
    assert books.grid is None
    with write_raster(folder / "a.tif", GRID) as writer:
        writer.write(Window(0, 0, *GRID.shape), np.ones(GRID.shape, np.float32))
    books = add_scenario(books, GRID, scenario("a", "a.tif", KL=3.0))
    add_scenario(books, GRID, scenario("a", "a.tif", KL=3.5))
    again = open_library(folder)
    assert [s.levels_m for s in again.scenarios] == [{"KL": 3.5}] and again.grid == GRID
    with open_raster(folder / "a.tif", name="") as raster:
        assert raster.grid == GRID
    (folder / "a.tif").write_bytes(b"other")
    with pytest.raises(InputError, match=r"a \(a.tif\)"):
        open_library(folder)
    (folder / "library.json").write_text("{}")
    with pytest.raises(InputError, match="library.json"):
        open_library(folder)
    assert file_id("Lũ 5 %", {"a": 1.0}).startswith("lu_5_") and file_id("Lũ", {"a": 1.0}) != file_id("Lũ", {"a": 2.0})


def corrected(depth, terrain, polygons, **options):
    found = corrections(ArrayRaster(GRID, depth), ArrayRaster(GRID, terrain), polygons, "state", **options)
    window = Window(0, 0, *GRID.shape)
    whole = found.apply(window, depth.astype(np.float32))
    rows = np.vstack([found.apply(Window(r, 0, 1, 12), depth[r:r + 1].astype(np.float32)) for r in range(10)])
    np.testing.assert_array_equal(whole, rows)  # windows agree
    return whole, found


def drawn(*shapes, **columns):
    return geopandas.GeoDataFrame(columns, geometry=list(shapes), crs=WKT)


def test_corrections_by_hand():
    # Ground rises 0,1 m a cell eastward; water at 0,35 m: cells 0-3 wet.
    ground = 0.1 * np.arange(12)[None, :] * np.ones((10, 1))
    depth = np.maximum(0.35 - ground, 0)
    result, found = corrected(depth, ground, drawn(shapely.box(0, 0, 60, 50), shapely.box(0, 50, 20, 100), state=["ngập", "không ngập"]), least_m=0.1)
    assert result[9].tolist() == pytest.approx([0.35, 0.25, 0.15, 0.05, 0.1, 0.1, 0, 0, 0, 0, 0, 0])
    assert result[0].tolist() == pytest.approx([0, 0, 0.15, 0.05] + [0] * 8)
    # 2 x 5 cells of 100 m2 each
    assert found.table["wetted_m2"].tolist() == [1000, 0] and found.table["dried_m2"].tolist() == [0, 1000]


def test_the_level_of_the_water_beside_goes_into_a_hollow():
    ground = np.full(GRID.shape, 2.0)
    ground[:, 0] = 0.0
    ground[4:6, 5:8] = 0.5
    depth = np.zeros(GRID.shape)
    depth[:, 0] = 1.0
    result, _ = corrected(depth, ground, drawn(shapely.box(50, 40, 80, 60), state=["wet"]))
    assert (result[4:6, 5:8] == 0.5).all() and result[3, 5] == 0 and result[4, 4] == 0


def test_later_goes_over_earlier_and_a_told_depth_goes_first():
    flat, box = np.zeros(GRID.shape), shapely.box(0, 0, 120, 100)
    polygons = drawn(box, box, state=["dry", "wet"], at=["2026-11-25 08:00", "2026-11-25 07:00"], d=[None, "0,7"])
    assert corrected(flat, flat, polygons, depth_field="d")[0][0, 0] == pytest.approx(0.7)
    assert corrected(flat, flat, polygons, depth_field="d", time_field="at")[0][0, 0] == 0
    assert corrected(flat, flat, polygons.assign(at=["25/11/2026 08:00", "2026-11-25T07:00"]), depth_field="d", time_field="at")[0][0, 0] == 0
    for change, words in (({"state": ["dry", "maybe"]}, "1: maybe"), ({"at": ["x", "y"]}, "không đọc được"), ({"d": [-1, 0]}, "fid: 0")):
        with pytest.raises(InputError, match=words):
            corrected(flat, flat, polygons.assign(**change), depth_field="d", time_field="at")
