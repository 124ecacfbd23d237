"""quyhoach:terrainprepare and quyhoach:floodhand through the registry: by hand, and all kinds of bad input."""

import json
import os
import re

import geopandas
import numpy as np
import pyogrio
import pytest
import shapely
from osgeo import gdal, osr
from qgis.core import QgsProcessingException, QgsProcessingFeedback
from quyhoach.processing_algorithms.common.language import speaking

X, Y, CELL = 500_000.0, 1_200_000.0, 100.0
FILES = {"conditioned.tif", "flow_direction.tif", "flow_accumulation.tif", "height_above_drainage.tif",
         "ground_above_drainage.tif", "reach_id.tif", "drainage_chainage.tif", "basins.tif", "streams.gpkg", "model.json"}


@pytest.fixture(autouse=True)
def english():
    with speaking("en"):
        yield


def raster(path, values, *, epsg=9214, kind=gdal.GDT_Float32, nodata=-9999, scale=None,
           transform=(X, CELL, 0, Y, 0, -CELL)):
    values = np.asarray(values)
    dataset = gdal.GetDriverByName("GTiff").Create(str(path), values.shape[1], values.shape[0], 1, kind)
    dataset.SetGeoTransform(transform)
    if epsg:
        system = osr.SpatialReference()
        system.ImportFromEPSG(epsg)
        dataset.SetSpatialRef(system)
    band = dataset.GetRasterBand(1)
    band.SetNoDataValue(nodata)
    if scale is not None:
        band.SetScale(scale[0])
        band.SetOffset(scale[1])
    band.WriteArray(values)
    return str(path)


def vector(path, shapes, crs="EPSG:9214", **columns):
    geopandas.GeoDataFrame(columns, geometry=list(shapes), crs=crs).pipe(pyogrio.write_dataframe, path)
    return str(path)


def heights(rows=40, half=30):
    """A straight river that falls 0.1 m a cell southwards between sides that rise 0.5 m a cell."""
    return (100 - 0.1 * np.arange(rows)[:, None] + 0.5 * np.abs(np.arange(-half, half + 1))[None, :]).astype(np.float32)


@pytest.fixture
def valley(tmp_path):
    folder = tmp_path / "thung lũng"
    folder.mkdir()
    raster(folder / "địa hình.tif", heights())
    return folder


def inputs(folder, **more):
    return {"TERRAIN": str(folder / "địa hình.tif"), "STREAM_AREA_KM2": 0.4, "OUTPUT": str(folder / "mô hình"), **more}


def read(path, band=1):
    dataset = gdal.Open(str(path))
    values = dataset.GetRasterBand(band).ReadAsArray()
    return np.ma.masked_equal(values, dataset.GetRasterBand(band).GetNoDataValue()).filled(np.nan) \
        if values.dtype.kind == "f" else values


def refused(run, algorithm, parameters, words):
    feedback = QgsProcessingFeedback()
    with pytest.raises(QgsProcessingException) as failed:
        run(algorithm, parameters, feedback=feedback)
    told = f"{failed.value}\n{feedback.textLog()}"
    assert re.search(words, told), told
    assert "Traceback" not in told


def prepared(run, folder, **more):
    feedback = QgsProcessingFeedback()
    found = run("quyhoach:terrainprepare", inputs(folder, **more), feedback=feedback)
    return found, feedback.textLog()


def test_a_valley_is_prepared(run, valley):
    found, told = prepared(run, valley, VERTICAL_DATUM="Hòn Dấu 1992", TERRAIN_ERROR=0.3, SOURCE_NOTE="đo 2021")
    folder = valley / "mô hình"
    assert set(os.listdir(folder)) == FILES and found["REACHES"] == 1 and found["CUT_CELLS"] == 0
    above = read(folder / "height_above_drainage.tif")
    np.testing.assert_allclose(above[10:, :], np.tile(0.5 * np.abs(np.arange(-30, 31)), (30, 1)), atol=1e-4)
    assert read(folder / "flow_direction.tif")[20].tolist() == [1] * 30 + [4] + [16] * 30
    streams = pyogrio.read_dataframe(folder / "streams.gpkg")
    assert streams["area_km2"].tolist() == pytest.approx([40 * 61 * 0.01]) and streams.crs.to_epsg() == 9214
    card = json.loads((folder / "model.json").read_text("utf-8"))
    assert card["terrain"]["vertical_datum"] == "Hòn Dấu 1992" and card["terrain"]["error_m"] == 0.3
    assert set(card["files"]) == FILES - {"model.json"} and card["parameters"]["stream_area_km2"] == 0.4
    assert "No vertical datum" not in told
    prepared(run, valley, STREAM_AREA_KM2=1.0)  # in place of the first
    assert json.loads((folder / "model.json").read_text("utf-8"))["parameters"]["stream_area_km2"] == 1.0


def test_each_odd_raster_says_what_was_assumed(run, valley):
    z = heights()
    stored = np.round((z - 90) * 100).astype(np.int16)
    holed = z.copy()
    holed[15:17, 30] = -9999
    cases = {
        "as the file states": raster(valley / "nguyên.tif", stored, kind=gdal.GDT_Int16, nodata=-32768,
                                                 scale=(0.01, 90.0)),
        "whole metres": raster(valley / "mét.tif", np.floor(z * 2).astype(np.int32), kind=gdal.GDT_Int32),
        "1 holes without data \\(2 cells\\)": raster(valley / "lỗ.tif", holed),
        "in degrees": raster(valley / "độ.tif", z, epsg=4756, transform=(107.0, 0.001, 0, 16.5, 0, -0.001)),
        "rotated": raster(valley / "xoay.tif", z, transform=(X, 80, 60, Y, 60, -80)),
        "No vertical datum": raster(valley / "kép.tif", z.astype(np.float64), kind=gdal.GDT_Float64),
    }
    plain = None
    for words, terrain in cases.items():
        _, told = prepared(run, valley, TERRAIN=terrain)
        assert re.search(words, told), told
        if "states" in words or "datum" in words:
            above = read(valley / "mô hình" / "height_above_drainage.tif")
            plain = above if plain is None else plain
            np.testing.assert_allclose(above, plain, atol=0.011)


def test_lines_count_and_refusals_leave_nothing(run, valley):
    dyke = vector(valley / "đê.gpkg", [shapely.LineString([(X, Y - 2000), (X + 6100, Y - 2000)])], dinh=["115,5"])
    culvert = vector(valley / "cống.gpkg", [shapely.LineString([(X + 3050, Y - 1850), (X + 3050, Y - 2150)])])
    river = vector(valley / "sông.gpkg", [shapely.LineString([(X + 3050, Y - 50), (X + 3050, Y - 3990)])])
    _, told = prepared(run, valley, DYKES=dyke, DYKE_CREST_FIELD="dinh", CULVERTS=culvert, RIVERS=river)
    conditioned = read(valley / "mô hình" / "conditioned.tif")
    assert conditioned[20, 5] == pytest.approx(115.5) and conditioned[20, 30] < 98.2
    away = vector(valley / "xa.gpkg", [shapely.LineString([(X + 9e4, Y), (X + 9.1e4, Y)])])
    assert "touches no cell" in prepared(run, valley, RIVERS=away)[1]
    naked = vector(valley / "trần.gpkg", [shapely.LineString([(X, Y), (X + 9, Y)])], None)
    wrong = vector(valley / "sai.gpkg", [shapely.LineString([(X, Y - 2000), (X + 6100, Y - 2000)])], dinh=["cao"])
    (valley / "khác").mkdir()
    (valley / "khác" / "basins.tif").write_bytes(b"theirs")
    cases = [
        ({"TERRAIN": raster(valley / "không hệ.tif", heights(), epsg=None)}, "records no CRS"),
        ({"TERRAIN": raster(valley / "feet.tif", heights(), epsg=2227)}, "not in metres"),
        ({"TERRAIN": raster(valley / "rỗng.tif", np.full((3, 3), -9999.0))}, "No cell of the terrain has a height"),
        ({"STREAM_AREA_KM2": 1e6}, "lower the least area"),
        ({"RIVERS": naked}, "coordinate system"),
        ({"DYKES": wrong, "DYKE_CREST_FIELD": "dinh"}, "no heights"),
        ({"DYKES": wrong, "DYKE_CREST_FIELD": "x"}, "no field \"x\""),
        ({"OUTPUT": str(valley / "khác")}, "belong to no terrain model"),
        ({"OUTPUT": str(valley / "đê.gpkg")}, "is a file"),
        ({"OUTPUT": str(valley / "không" / "có")}, "no folder"),
    ]
    before = sorted(os.walk(valley))
    for changed, words in cases:
        refused(run, "quyhoach:terrainprepare", inputs(valley, **changed), words)
    assert sorted(os.walk(valley)) == before


class StopsAt(QgsProcessingFeedback):
    def __init__(self, fraction):
        super().__init__()
        self.progressChanged.connect(lambda value: value >= 100 * fraction and self.cancel())


@pytest.mark.parametrize("fraction", [0.05, 0.4, 0.9])
def test_cancelled_preparation_leaves_what_was_there(run, valley, fraction):
    with pytest.raises(QgsProcessingException, match="Stopped on request"):
        run("quyhoach:terrainprepare", inputs(valley), feedback=StopsAt(fraction))
    assert sorted(os.listdir(valley)) == ["địa hình.tif"]


def flood(folder, **more):
    return {"TERRAIN_MODEL": str(folder / "mô hình"), "OUTPUT": str(folder / "độ sâu.tif"), **more}


def test_a_flood_by_hand(run, valley):
    prepared(run, valley, VERTICAL_DATUM="Hòn Dấu 1992", TERRAIN_ERROR=0.5)
    offset = np.abs(np.arange(-30, 31))
    found = run("quyhoach:floodhand", flood(valley, STAGE=3.2, STAGE_LOW=3.0, STAGE_HIGH=4.0, TIME="07:00 22/11/2026",
                                            OUTPUT_RANGE=str(valley / "khoảng.tif")))
    depth = read(found["OUTPUT"])
    np.testing.assert_allclose(depth[10:], np.tile(np.maximum(0, 3.2 - 0.5 * offset), (30, 1)), atol=1e-4)
    for band, stage in ((1, 2.5), (2, 4.5)):
        np.testing.assert_allclose(read(found["OUTPUT_RANGE"], band)[10:], np.tile(np.maximum(0, stage - 0.5 * offset), (30, 1)),
                                   atol=1e-4)
    assert found["WET_AREA_LOW"] < found["WET_AREA"] == (depth > 0).sum() * 1e4 < found["WET_AREA_HIGH"]
    assert found["MAX_DEPTH"] == pytest.approx(3.2, abs=1e-4) and found["STAGES_USED"] == 1
    tags, range_tags = (gdal.Open(found[key]).GetMetadata() for key in ("OUTPUT", "OUTPUT_RANGE"))
    assert tags["METHOD"] == "HAND" and tags["VERTICAL_DATUM"] == "Hòn Dấu 1992" and tags["TIME"] == "07:00 22/11/2026"
    assert tags["TERRAIN_ERROR_M"] == "0.5" and tags["RANGE"] == "khoảng.tif" and range_tags["BANDS"] == "LOW; HIGH"
    # Marks 2 and 7 cells from the stream: the map says 3,2 - 0,5 * 2 = 2,2 and, at 3,2 - 3,5 < 0, dry.
    marks = vector(valley / "vết lũ.gpkg", [shapely.Point(X + 3050 + 200, Y - 2050), shapely.Point(X + 3050 + 700, Y - 2050)], sau=["2,0", "0,4"])
    told = run("quyhoach:floodhand", flood(valley, STAGE=3.2, MARKS=marks, MARK_DEPTH_FIELD="sau"))
    assert (told["FIT_MARKS"], told["FIT_HIT_RATE"], told["FIT_CSI"]) == (2, 0.5, 0.5)
    assert told["FIT_BIAS"] == pytest.approx((0.2 - 0.4) / 2, abs=1e-3) and told["FIT_MAE"] == pytest.approx(0.3, abs=1e-3)
    # Levels of two gauges in the terrain's datum: 4 m above the bed at 99 m, 2 m above it at 97 m.
    gauges = vector(valley / "trạm.gpkg", [shapely.Point(X + 3100, Y - 1050), shapely.Point(X + 3050, Y - 3050)],
                    h=["103,0", "99"], thap=[102.5, None], cao=[None, 99.5])
    found = run("quyhoach:floodhand", flood(valley, STAGES=gauges, STAGE_FIELD="h", STAGES_ARE=1, STAGE_LOW_FIELD="thap",
                                            STAGE_HIGH_FIELD="cao", OUTPUT_RANGE=str(valley / "khoảng.tif")))
    depth, low, high = read(found["OUTPUT"]), read(found["OUTPUT_RANGE"], 1), read(found["OUTPUT_RANGE"], 2)
    np.testing.assert_allclose(depth[[8, 10, 20, 30, 39], 30], [4, 4, 3, 2, 2], atol=1e-3)
    assert low[10, 30] == pytest.approx(3, abs=1e-3) and high[30, 30] == pytest.approx(3, abs=1e-3)
    known = ~np.isnan(depth)
    assert (low[known] <= depth[known]).all() and (depth[known] <= high[known]).all()
    table = pyogrio.read_dataframe(valley / "mô hình" / "streams.gpkg").drop(columns="geometry")[["reach_id"]].assign(h=1.0)
    table.to_csv(valley / "đoạn.csv", index=False)
    found = run("quyhoach:floodhand", flood(valley, STAGES=str(valley / "đoạn.csv"), STAGE_FIELD="h", REACH_FIELD="reach_id"))
    assert read(found["OUTPUT"])[20, 30] == pytest.approx(1, abs=1e-5)
    # What comes out is what flood exposure reads.
    house = vector(valley / "nhà.gpkg", [shapely.box(X + 3010, Y - 2040, X + 3020, Y - 2030)])
    exposed = run("quyhoach:floodexposure", {"DEPTH": found["OUTPUT"], "BUILDINGS": house, "OUTPUT": str(valley / "b.gpkg")})
    assert exposed["WET_BUILDINGS"] == 1


def test_flood_refusals_and_warnings(run, valley):
    prepared(run, valley, VERTICAL_DATUM="Hòn Dấu 1992")
    gauge = vector(valley / "trạm.gpkg", [shapely.Point(X + 3050, Y - 1050)], h=[103.0], cao=[102.0], chu=["cao"])
    far = vector(valley / "xa.gpkg", [shapely.Point(X + 100, Y - 1050)], h=[103.0])
    naked = vector(valley / "trần.gpkg", [shapely.Point(X, Y)], None, h=[1.0])
    null = vector(valley / "trống.gpkg", [shapely.Point(X + 3050, Y - 1050)], h=[np.nan])
    (valley / "đoạn.csv").write_text("reach_id,h\n99,1\n", "utf-8")
    cases = [
        ({}, "no stage"),
        ({"STAGE": 1, "STAGE_LOW": 2}, "low <= middle"),
        ({"STAGE": 1, "TERRAIN_MODEL": str(valley)}, "is no terrain model"),
        ({"STAGE": 1, "VERTICAL_DATUM": "EGM2008"}, "convert the levels"),
        ({"STAGE": 1, "OUTPUT": str(valley / "d.png")}, "end in .tif"),
        ({"STAGE": 1, "OUTPUT_RANGE": str(valley / "r.tif")}, "needs low or high"),
        ({"STAGES": gauge}, "No field of the stage"),
        ({"STAGES": gauge, "STAGE_FIELD": "x"}, "no field \"x\""),
        ({"STAGES": gauge, "STAGE_FIELD": "chu"}, "no levels"),
        ({"STAGES": gauge, "STAGE_FIELD": "h", "STAGE_HIGH_FIELD": "cao"}, "low <= middle"),
        ({"STAGES": far, "STAGE_FIELD": "h"}, "more than 300 m"),
        ({"STAGES": naked, "STAGE_FIELD": "h"}, "coordinate system"),
        ({"STAGE": 1, "MARKS": gauge}, "depth or the level field"),
        ({"STAGE": 1, "MARKS": gauge, "MARK_DEPTH_FIELD": "chu"}, "no metres"),
        ({"STAGE": 1, "MARKS": naked, "MARK_DEPTH_FIELD": "h"}, "coordinate system"),
        ({"STAGES": null, "STAGE_FIELD": "h"}, "holds no level"),
        ({"STAGES": str(valley / "đoạn.csv"), "STAGE_FIELD": "h", "REACH_FIELD": "reach_id"}, "the model does not have"),
    ]
    for changed, words in cases:
        before = sorted(os.listdir(valley))
        refused(run, "quyhoach:floodhand", flood(valley, **changed), words)
        assert sorted(os.listdir(valley)) == before, changed
    feedback = QgsProcessingFeedback()
    low = vector(valley / "thấp.gpkg", [shapely.Point(X + 3050, Y - 1050)], h=[50.0])
    raster(valley / "địa hình.tif", heights() + 1)
    run("quyhoach:floodhand", flood(valley, STAGES=low, STAGE_FIELD="h", STAGES_ARE=1), feedback=feedback)
    for words in ("below the bed", "has changed since", "No cell is flooded"):
        assert words in feedback.textLog()
    with open(valley / "mô hình" / "reach_id.tif", "ab") as stream:
        stream.write(b"x")
    refused(run, "quyhoach:floodhand", flood(valley, STAGE=1), "reach_id.tif are missing or have changed")


def test_cancelled_flood_leaves_nothing(run, valley):
    prepared(run, valley)
    before = sorted(os.listdir(valley))
    with pytest.raises(QgsProcessingException, match="Stopped on request"):
        run("quyhoach:floodhand", flood(valley, STAGE=1), feedback=StopsAt(0.5))
    assert sorted(os.listdir(valley)) == before
