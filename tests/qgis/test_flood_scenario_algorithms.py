"""floodimport, floodscenario and floodcorrect through the registry on the sample town."""

from pathlib import Path

import geopandas
import numpy as np
import processing
import pytest
import shapely
from osgeo import gdal
from qgis.core import QgsProcessingException, QgsProcessingFeedback

SAMPLES = Path(__file__).resolve().parents[2] / "data_samples"
TERRAIN = str(SAMPLES / "terrain.tif")


def layer(name):
    return f"{SAMPLES / 'town.gpkg'}|layername={name}"


def read(path):
    dataset = gdal.Open(path)
    values = dataset.GetRasterBand(1).ReadAsArray()
    return np.where(values == dataset.GetRasterBand(1).GetNoDataValue(), np.nan, values)


def flat(folder, level):
    gauge = geopandas.read_file(SAMPLES / "town.gpkg", layer="gauge").iloc[[1]].assign(level=level)
    gauge.to_file(folder / f"{level}.gpkg")
    return processing.run("quyhoach:flooddepth", {"TERRAIN": TERRAIN, "LEVELS": str(folder / f"{level}.gpkg"), "LEVEL_FIELD": "level",
                                                  "SOURCE": layer("river|subset=kind = 'river'"), "OUTPUT": str(folder / f"{level}.tif")})["OUTPUT"]


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    folder = tmp_path_factory.mktemp("thư viện kịch bản")
    made = tmp_path_factory.mktemp("bản đồ")
    for level in (4.0, 5.0):
        result = processing.run("quyhoach:floodimport", {"INPUT": flat(made, level), "LIBRARY": str(folder), "NAME": f"Mức {level}", "KEYS": f"Lam Trạch = {level:.1f}".replace(".", ","),
                                                         "MARKS": layer("flood_mark"), "MARK_DEPTH_FIELD": "depth_m"})
        assert result["FIT_MARKS"] == 16 and 0 < result["FIT_HIT_RATE"] <= 1
    return folder, made


def scenario(library, tmp_path, **parameters):
    feedback = QgsProcessingFeedback(False)
    result = processing.run("quyhoach:floodscenario", {"LIBRARY": str(library), "OUTPUT": str(tmp_path / "kết quả.tif"), **parameters}, feedback=feedback)
    return result, feedback.textLog()


def test_halfway_between_two_levels_is_nearly_the_flood_of_that_level(library, tmp_path):
    folder, made = library
    result, _ = scenario(folder, tmp_path, KEYS="lam trach = 4,5", OUTPUT_RANGE=str(tmp_path / "khoảng.tif"), MARKS=layer("flood_mark"), MARK_DEPTH_FIELD="depth_m")
    assert result["SHARE"] == pytest.approx(0.5) and (result["LOWER"], result["HIGHER"]) == ("Mức 4.0", "Mức 5.0") and result["FIT_MARKS"] == 16
    depth, truth, low, high = read(result["OUTPUT"]), read(flat(made, 4.5)), read(str(made / "4.0.tif")), read(str(made / "5.0.tif"))
    with np.errstate(invalid="ignore"):
        assert not ((depth < low - 1e-4) | (depth > high + 1e-4)).any()
        both = (truth > 0) & (low > 0)
        np.testing.assert_allclose(depth[both], truth[both], atol=1e-3)
        # What differs is land behind banks: wet at 5 m only over a bank.
        assert ((depth > 0) ^ (truth > 0)).sum() < 0.05 * (truth > 0).sum()


def test_a_bulletin_finds_its_scenario_and_nothing_is_extrapolated(library, tmp_path):
    levels = processing.run("quyhoach:bulletin", {"TEXT": "Lam Trạch 5,8 m lúc 7h 2/11/2026", "STATIONS": layer("gauge"), "ON_QUESTION": 0, "OUTPUT": str(tmp_path / "m.gpkg")})["OUTPUT"]
    result, log = scenario(library[0], tmp_path, LEVELS=levels)
    assert result["LOWER"] == result["HIGHER"] == "Mức 5.0" and "Không ngoại suy" in log and "+0,80 m" in log


def test_polygons_with_ranges_become_a_scenario(tmp_path):
    folder = tmp_path / "vùng"
    folder.mkdir()
    result = processing.run("quyhoach:floodimport", {"POLYGONS": layer("flood_zone"), "LOW_FIELD": "min_depth_m", "HIGH_FIELD": "max_depth_m", "LIBRARY": str(folder),
                                                     "TERRAIN": TERRAIN, "NAME": "Lũ 2019", "KEYS": "Lam Trạch = 5,1"})
    zones = geopandas.read_file(SAMPLES / "town.gpkg", layer="flood_zone")
    depth = read(result["DEPTH_FILE"])
    assert (depth > 0).sum() * 25 == pytest.approx(zones.union_all().area, rel=0.01)
    assert gdal.Open(result["DEPTH_FILE"].replace(".tif", "_range.tif")).RasterCount == 2


def test_corrections(library, tmp_path):
    depth = str(library[1] / "4.0.tif")
    grid = gdal.Open(depth).GetGeoTransform()
    values = read(depth)
    row, column = np.argwhere(values > 1)[1000]
    x, y = grid[0] + 5 * column, grid[3] - 5 * row
    drawn = geopandas.GeoDataFrame({"tình trạng": ["không ngập"], "ai": ["UBND phường"], "lúc": ["2026-11-25 07:30"]}, geometry=[shapely.box(x, y - 50, x + 50, y)], crs="EPSG:9214")
    drawn.to_file(tmp_path / "chỉnh.gpkg")
    result = processing.run("quyhoach:floodcorrect", {
        "DEPTH": depth, "TERRAIN": TERRAIN, "CORRECTIONS": str(tmp_path / "chỉnh.gpkg"), "STATE_FIELD": "tình trạng", "AUTHOR_FIELD": "ai", "TIME_FIELD": "lúc",
        "OUTPUT": str(tmp_path / "đã chỉnh.tif"), "OUTPUT_CORRECTIONS": str(tmp_path / "vùng.gpkg")})
    after, tags = read(result["OUTPUT"]), gdal.Open(result["OUTPUT"]).GetMetadata()
    assert (after[row:row + 10, column:column + 10] == 0).all() and result["DRIED_AREA"] == ((values > 0) & (after == 0)).sum() * 25
    assert (tags["CORRECTED_BY"], tags["CORRECTED_AT"]) == ("UBND phường", "2026-11-25 07:30") and tags["QUYHOACH_ALGORITHM"] == "flooddepth"


@pytest.mark.parametrize("algorithm, change, words", [
    ("floodimport", {}, "một trong hai"), ("floodimport", {"INPUT": TERRAIN, "KEYS": "abc"}, "hãy viết như"), ("floodimport", {"INPUT": TERRAIN}, "độ sâu 140"),
    ("floodimport", {"INPUT": TERRAIN, "NAME": " "}, "tên kịch bản"), ("floodimport", {"POLYGONS": layer("zone")}, "trường"),
    ("floodimport", {"INPUT": TERRAIN, "NAME": "Mức khác", "KEYS": "LAM TRẠCH = 4 m"}, "đã có kịch bản \"Mức 4.0\""),
    ("floodscenario", {"KEYS": "Sông Lạ = 3"}, "Không kịch bản"), ("floodscenario", {}, "Hãy cho biết"), ("floodscenario", {"LIBRARY": "/không/có"}, "thư mục"),
])
def test_bad_input_is_one_sentence(library, tmp_path, algorithm, change, words):
    parameters = {"LIBRARY": str(library[0]), "NAME": "Thử", "KEYS": "Lam Trạch = 3"} if algorithm == "floodimport" else {"LIBRARY": str(library[0]), "OUTPUT": str(tmp_path / "x.tif")}
    before = sorted(p.name for p in library[0].iterdir())
    with pytest.raises(QgsProcessingException, match=words):
        processing.run(f"quyhoach:{algorithm}", {**parameters, **change}, feedback=QgsProcessingFeedback(False))
    assert sorted(p.name for p in library[0].iterdir()) == before
