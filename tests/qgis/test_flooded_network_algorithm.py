"""quyhoach:floodednetwork through the registry on the sample town, against sums of its own pieces, and bad input."""

from pathlib import Path

import geopandas
import numpy as np
import processing
import pytest
from osgeo import gdal
from qgis.core import QgsProcessingException, QgsProcessingFeedback

SAMPLES = Path(__file__).resolve().parents[2] / "data_samples"
TERRAIN = str(SAMPLES / "terrain.tif")


def layer(name):
    return f"{SAMPLES / 'town.gpkg'}|layername={name}"


@pytest.fixture(scope="module")
def depth(tmp_path_factory):
    folder = tmp_path_factory.mktemp("độ sâu")
    gauges = geopandas.read_file(SAMPLES / "town.gpkg", layer="gauge")
    gauges["level"] = gauges["alarm_3_m"] + 0.8 + np.where(gauges["datum"] == "gauge_zero", gauges["gauge_zero_m"], 0)
    gauges.to_file(folder / "l.gpkg")
    return processing.run("quyhoach:flooddepth", {"TERRAIN": TERRAIN, "LEVELS": str(folder / "l.gpkg"), "LEVEL_FIELD": "level",
                                                  "SOURCE": layer("river|subset=kind = 'river'"), "OUTPUT": str(folder / "d.tif")})["OUTPUT"]


def run(depth, folder, feedback=None, **parameters):
    return processing.run("quyhoach:floodednetwork", {"DEPTH": depth, "NETWORK": layer("road"), "OUTPUT": str(folder / "đường.gpkg"), **parameters}, feedback=feedback or QgsProcessingFeedback(False))


def test_the_sample_town_in_a_flood(depth, tmp_path):
    feedback = QgsProcessingFeedback(False)
    result = run(depth, tmp_path, feedback, TERRAIN=TERRAIN, BRIDGE_FIELD="bridge", DECK_FIELD="bridge_deck_level_m", FACILITIES=layer("shelter"), KIND_FIELD="kind",
                 UNITS=layer("hamlet"), UNIT_FIELD="name", BUILDINGS=layer("building"), HOUSEHOLDS_FIELD="households", RESIDENTS_FIELD="residents",
                 OUTPUT_UNITS=str(tmp_path / "đơn vị.gpkg"), OUTPUT_ACCESS=str(tmp_path / "đến.gpkg"), OUTPUT_FACILITIES=str(tmp_path / "cơ sở.gpkg"),
                 OUTPUT_BUILDINGS=str(tmp_path / "nhà.gpkg"))
    streets, units, access, facilities, houses = (geopandas.read_file(result[k]) for k in ("OUTPUT", "OUTPUT_UNITS", "OUTPUT_ACCESS", "OUTPUT_FACILITIES", "OUTPUT_BUILDINGS"))
    roads, buildings = (geopandas.read_file(SAMPLES / "town.gpkg", layer=name) for name in ("road", "building"))
    assert streets.length.sum() == pytest.approx(roads.length.sum(), rel=1e-6) and len(houses) == len(buildings)
    # A car bears 0,3 m: classes above it, in a second way of counting
    car = streets[streets["depth_max_m"] > 0.3].length.sum()
    assert result["IMPASSABLE_ROAD"] == pytest.approx(car, rel=0.01) and 0 < result["IMPASSABLE_ROAD"] < result["WET_ROAD"] < roads.length.sum()
    assert units["buildings"].sum() == len(buildings) and units["households"].sum() == buildings["households"].sum()
    assert units["residents_cut_off"].sum() == result["CUT_OFF_RESIDENTS"] == houses.loc[houses["cut_off"] == 1, "residents"].sum() > 0
    assert units["road_m"].sum() == pytest.approx(roads.length.sum(), rel=1e-6)
    both = access.dropna(subset=["before_m", "after_m"])
    assert len(both) and (both["further_m"].dropna() >= 0).all()
    assert (facilities["usable"] == ~(facilities["depth_m"] > 0.3)).all()
    assert "kinh nghiệm" in feedback.textLog() and "không tính là 0" in feedback.textLog()
    higher = run(depth, tmp_path, VEHICLE=4, BUILDINGS=layer("building"), RESIDENTS_FIELD="residents")
    assert higher["IMPASSABLE_ROAD"] < result["IMPASSABLE_ROAD"] and higher["CUT_OFF_RESIDENTS"] <= result["CUT_OFF_RESIDENTS"]


def test_streets_alone(depth, tmp_path):
    result = run(depth, tmp_path)
    assert result["CUT_OFF_HOUSEHOLDS"] is None and result["IMPASSABLE_ROAD"] > 0


def test_a_dry_raster_cuts_nobody_off(tmp_path):
    dry = tmp_path / "khô.tif"
    gdal.Translate(str(dry), TERRAIN, scaleParams=[[0, 1000, 0, 0]], outputType=gdal.GDT_Float32)
    result = run(str(dry), tmp_path, BUILDINGS=layer("building"))
    assert (result["WET_ROAD"], result["CUT_OFF_BUILDINGS"], result["CUT_OFF_UNITS"]) == (0, 0, 0)


@pytest.mark.parametrize("change, words", [
    ({"DECK_FIELD": "bridge_deck_level_m"}, "Cao trình mặt cầu"), ({"KIND_FIELD": "kind"}, "cần có lớp"), ({"OUTPUT_ACCESS": "TEMPORARY_OUTPUT"}, "lớp cơ sở"),
    ({"OUTPUT_BUILDINGS": "TEMPORARY_OUTPUT"}, "lớp công trình"), ({"BRIDGE_FIELD": "cau"}, "không có trường"),
    ({"NETWORK": layer("road|subset=fid < 0")}, "không có đối tượng"),
])
def test_bad_input_is_one_sentence(depth, tmp_path, change, words):
    with pytest.raises(QgsProcessingException, match=words):
        run(depth, tmp_path, **change)
    assert not (tmp_path / "đường.gpkg").exists()
