"""flooddepth along rivers with dykes, ranges and marks, and floodfit, through the registry on the sample town."""

from pathlib import Path

import geopandas
import numpy as np
import processing
import pytest
from osgeo import gdal
from qgis.core import QgsProcessingException, QgsProcessingFeedback

SAMPLES = Path(__file__).resolve().parents[2] / "data_samples"


def layer(name):
    return f"{SAMPLES / 'town.gpkg'}|layername={name}"


@pytest.fixture(scope="module")
def levels(tmp_path_factory):
    return processing.run("quyhoach:bulletin", {
        "FILE": str(SAMPLES / "bulletin_alarm_3.txt"), "STATIONS": layer("gauge"), "READINGS": 2,
        "OUTPUT": str(tmp_path_factory.mktemp("mực nước") / "l.gpkg")})["OUTPUT"]


def run(folder, levels, feedback=None, **parameters):
    return processing.run("quyhoach:flooddepth", {
        "TERRAIN": str(SAMPLES / "terrain.tif"), "LEVELS": levels, "LEVEL_FIELD": "height_m", "METHOD": 2, "RIVERS": layer("river_axis"),
        "SOURCE": layer("river|subset=kind = 'river'"), "DYKES": layer("dyke"), "CREST_FIELD": "crest_level_m", "VERTICAL_DATUM": "Hòn Dấu",
        "OUTPUT": str(folder / "độ sâu.tif"), **parameters}, feedback=feedback or QgsProcessingFeedback(False))


def read(path, band=1):
    dataset = gdal.Open(path)
    values = dataset.GetRasterBand(band).ReadAsArray()
    return np.where(values == dataset.GetRasterBand(band).GetNoDataValue(), np.nan, values), dataset.GetMetadata()


def test_low_middle_high_and_fit(tmp_path, levels):
    result = run(tmp_path, levels, LEVEL_LOW_FIELD="height_low_m", LEVEL_HIGH_FIELD="height_high_m", TERRAIN_ERROR=0.2, MARKS=layer("flood_mark"),
                 MARK_DEPTH_FIELD="depth_m", OUTPUT_RANGE=str(tmp_path / "khoảng.tif"))
    middle, tags = read(result["OUTPUT"])
    (low, _), (high, about) = read(result["OUTPUT_RANGE"], 1), read(result["OUTPUT_RANGE"], 2)
    with np.errstate(invalid="ignore"):
        assert not ((low > middle + 1e-4) | (middle > high + 1e-4)).any()
    assert result["WET_AREA_LOW"] < result["WET_AREA"] < result["WET_AREA_HIGH"]
    assert tags["METHOD"] == "ALONG_RIVERS" and tags["RANGE"] == "khoảng.tif" and about["RANGE_OF"] == "độ sâu.tif"
    # The marks were made 0,10 m above this bulletin's middle, with errors up to 0,12 m.
    assert result["FIT_MARKS"] == 16 and result["FIT_HIT_RATE"] == 1 and abs(result["FIT_BIAS"]) < 0.15 and result["FIT_MAE"] < 0.15
    fit = processing.run("quyhoach:floodfit", {"DEPTH": result["OUTPUT"], "MARKS": layer("flood_mark"), "MARK_LEVEL_FIELD": "level_m",
                                               "TERRAIN": str(SAMPLES / "terrain.tif"), "OUTPUT": str(tmp_path / "so sánh.gpkg")})
    assert fit["FIT_MARKS"] == 16 and geopandas.read_file(fit["OUTPUT"])["difference_m"].abs().mean() == pytest.approx(fit["FIT_MAE"], abs=2e-3)


def test_the_dyke_keeps_the_polder_dry_and_a_breach_floods_it(tmp_path, levels):
    # At 0,2 m above alarm 3 the polder behind the dyke is dry; the sample says it is overtopped at 0,3 m.
    gauges = geopandas.read_file(SAMPLES / "town.gpkg", layer="gauge")
    gauges["level"] = gauges["alarm_3_m"] + 0.2 + np.where(gauges["datum"] == "gauge_zero", gauges["gauge_zero_m"], 0)
    held = tmp_path / "giữ.gpkg"
    gauges.to_file(held)
    dyke = geopandas.read_file(SAMPLES / "town.gpkg", layer="dyke")
    breach = tmp_path / "vỡ.gpkg"
    geopandas.GeoDataFrame({"w": [40.0]}, geometry=[dyke.geometry.iloc[len(dyke) // 2].interpolate(0.5, normalized=True)], crs=dyke.crs).to_file(breach)
    dry = run(tmp_path, str(held), LEVEL_FIELD="level")["WET_AREA"]
    broken = run(tmp_path, str(held), LEVEL_FIELD="level", BREACHES=str(breach), BREACH_WIDTH_FIELD="w")["WET_AREA"]
    higher = dyke.copy()
    higher["crest_level_m"] += 5
    higher.to_file(tmp_path / "cao.gpkg")
    raised = run(tmp_path, str(held), LEVEL_FIELD="level", DYKES=str(tmp_path / "cao.gpkg"))["WET_AREA"]
    assert raised <= dry < broken - 100_000


@pytest.mark.parametrize("change, words", [
    ({"RIVERS": None}, "Dọc theo sông"),
    ({"METHOD": 0}, "Dọc theo sông"),
    ({"CREST_FIELD": None}, "cao trình đỉnh"),
    ({"DYKES": None, "CREST_FIELD": None, "BREACHES": layer("gauge")}, "cần có lớp đê"),
    ({"OUTPUT_RANGE": "TEMPORARY_OUTPUT"}, "TERRAIN_ERROR"),
    ({"MARKS": layer("flood_mark")}, "trường độ sâu hoặc cao độ"),
    ({"GAUGE_DISTANCE": 1}, "cách tim sông"),
    ({"LEVEL_LOW_FIELD": "height_high_m", "TERRAIN_ERROR": 0.1, "OUTPUT_RANGE": "TEMPORARY_OUTPUT"}, "thấp cao hơn"),
])
def test_contradictions_are_one_sentence(tmp_path, levels, change, words):
    with pytest.raises(QgsProcessingException, match=words):
        run(tmp_path, levels, **change)
    assert not (tmp_path / "độ sâu.tif").exists()


def test_exposure_in_low_middle_and_high(tmp_path, levels):
    flood = run(tmp_path, levels, LEVEL_LOW_FIELD="height_low_m", LEVEL_HIGH_FIELD="height_high_m", TERRAIN_ERROR=0.2, OUTPUT_RANGE=str(tmp_path / "khoảng.tif"))
    result = processing.run("quyhoach:floodexposure", {
        "DEPTH": flood["OUTPUT"], "RANGE": flood["OUTPUT_RANGE"], "TERRAIN": str(SAMPLES / "terrain.tif"), "BUILDINGS": layer("building"), "RESIDENTS_FIELD": "residents",
        "HOUSEHOLDS_FIELD": "households", "FLOOR_LEVEL": "floor_level_m", "UNITS": layer("administrative_unit|subset=valid_to IS NULL"), "UNIT_FIELD": "name",
        "HAMLETS": layer("hamlet"), "HAMLET_FIELD": "name", "ROADS": layer("road"), "FACILITIES": layer("facility"), "FACILITY_KIND_FIELD": "kind",
        "OUTPUT": str(tmp_path / "o.gpkg"), "OUTPUT_SUMMARY": str(tmp_path / "s.gpkg"), "OUTPUT_FACILITIES": str(tmp_path / "f.gpkg"), "XLSX": str(tmp_path / "b.xlsx")})
    summary, facilities = geopandas.read_file(result["OUTPUT_SUMMARY"]), geopandas.read_file(result["OUTPUT_FACILITIES"])
    whole = summary[summary["level"] == "all"].iloc[0]
    assert 0 < result["WET_RESIDENTS_LOW"] < result["WET_RESIDENTS"] < result["WET_RESIDENTS_HIGH"] == whole["residents_high"]
    assert summary[summary["level"] == "hamlet"]["residents"].sum() == whole["residents"] == result["WET_RESIDENTS"]
    assert (facilities["depth_m"] > 0).sum() == result["WET_FACILITIES"] > 0
    import openpyxl

    book = openpyxl.load_workbook(result["XLSX"])
    assert book.sheetnames[-2:] == ["Thấp - giữa - cao", "Cơ sở"]
    for change, words in (({"RANGE": flood["OUTPUT"]}, "kênh 2"), ({"HAMLET_FIELD": None}, "tên thôn"), ({"FACILITIES": None, "FACILITY_KIND_FIELD": None}, "lớp cơ sở")):
        with pytest.raises(QgsProcessingException, match=words):
            processing.run("quyhoach:floodexposure", {"DEPTH": flood["OUTPUT"], "BUILDINGS": layer("building"), "HAMLETS": layer("hamlet"), "HAMLET_FIELD": "name",
                                                      "FACILITIES": layer("facility"), "OUTPUT": "TEMPORARY_OUTPUT", "OUTPUT_FACILITIES": "TEMPORARY_OUTPUT", **change})
