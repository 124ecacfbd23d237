"""quyhoach:flooddepth and quyhoach:floodexposure through the registry: the pair by hand, and all kinds of bad input."""

import os
import re
import subprocess
from pathlib import Path

import geopandas
import numpy as np
import openpyxl
import pandas
import pyogrio
import pytest
import shapely
from osgeo import gdal, osr
from qgis.core import (
    QgsProcessingException,
    QgsProcessingFeedback,
    QgsProject,
    QgsRasterLayer,
    QgsRasterRange,
    QgsVectorLayer,
)
from quyhoach.processing_algorithms.common.language import speaking

ROOT = Path(__file__).resolve().parents[2]
MEREWETHER = ROOT.parent / "shared" / "data" / "urban_flood"
X, Y = 500_000.0, 1_200_000.0


@pytest.fixture(autouse=True)
def english():
    with speaking("en"):
        yield


def raster(path, values, *, epsg=9214, kind=gdal.GDT_Float32, nodata=None, scale=None,
           transform=(X, 10, 0, Y + 50, 0, -10)):
    values = np.asarray(values)
    dataset = gdal.GetDriverByName("GTiff").Create(str(path), values.shape[1], values.shape[0], 1, kind)
    dataset.SetGeoTransform(transform)
    if epsg:
        system = osr.SpatialReference()
        system.ImportFromEPSG(epsg)
        dataset.SetSpatialRef(system)
    band = dataset.GetRasterBand(1)
    if nodata is not None:
        band.SetNoDataValue(nodata)
    if scale is not None:
        band.SetScale(scale)
        band.SetOffset(0)
    band.WriteArray(values)
    return str(path)


def vector(path, shapes, crs="EPSG:9214", geometry_type=None, **columns):
    frame = geopandas.GeoDataFrame(columns, geometry=np.array(shapes, dtype=object), crs=crs)
    pyogrio.write_dataframe(frame, path, geometry_type=geometry_type)
    return str(path)


@pytest.fixture
def valley(tmp_path):
    """Five rows of ten cells of 10 m: a bed at 1 m (columns 0-3), land at 2 m (4-6), a dyke at 5 m, a polder at 0 m."""
    folder = tmp_path / "thung lũng"
    folder.mkdir()
    heights = np.tile(np.array([1, 1, 1, 1, 2, 2, 2, 5, 0, 0], np.float32), (5, 1))
    heights[0, 0] = -9999
    raster(folder / "địa hình.tif", heights, nodata=-9999)
    vector(folder / "trạm.gpkg", [shapely.Point(X + 15, Y + 25)], muc_nuoc=[3.5], chu=["3,5"])
    # Houses: in the bed (2.5 m), on the land (1.5 m), behind the dyke (dry), on unknown ground.
    vector(folder / "nhà.gpkg", [shapely.box(X + x, Y + y, X + x + 8, Y + y + 8) for x,
                                 y in ((21, 21), (51, 21), (81, 21), (1, 41))],
           ten=["A", "B", "C", "D"], so_ho=[1, 2, 3, 4], depth_m=[0.0] * 4,
           so_khau=pandas.array([4, 8, None, 5], dtype="Int64"))
    vector(folder / "xã.gpkg", [shapely.box(X, Y, X + 50, Y + 50), shapely.box(X + 50, Y, X + 90, Y + 50)],
           ten=["Xã Một", "Xã Hai"])
    vector(folder / "đường.gpkg", [shapely.LineString([(X, Y + 25), (X + 100, Y + 25)])])
    vector(folder / "đất.gpkg", [shapely.box(X + 20, Y, X + 60, Y + 50)], ma=["LUC"])
    return folder


def depth_inputs(folder, **more):
    return {"TERRAIN": str(folder / "địa hình.tif"), "LEVELS": str(folder / "trạm.gpkg"), "LEVEL_FIELD": "muc_nuoc",
            "OUTPUT": str(folder / "độ sâu.tif"), **more}


def exposure_inputs(folder, **more):
    return {"DEPTH": str(folder / "độ sâu.tif"), "BUILDINGS": str(folder / "nhà.gpkg"),
            "OUTPUT": str(folder / "bảng.gpkg"), **more}


def read(path):
    dataset = gdal.Open(path)
    return np.ma.masked_equal(dataset.ReadAsArray(), -9999).filled(np.nan), dataset.GetMetadata()


def refused(run, algorithm, parameters, words):
    """The run fails, and what it tells matches ``words``; returns all it told."""
    feedback = QgsProcessingFeedback()
    with pytest.raises(QgsProcessingException) as failed:
        run(algorithm, parameters, feedback=feedback)
    told = f"{failed.value}\n{feedback.textLog()}"
    assert re.search(words, told), told
    assert "Traceback" not in told
    return told


def test_depth_by_hand(run, valley):
    found = run("quyhoach:flooddepth", depth_inputs(valley, VERTICAL_DATUM="Hòn Dấu 1992", TIME="07:00 22/11/2026",
                                                    TERRAIN_ERROR=0.7))
    depth, tags = read(found["OUTPUT"])
    expected = np.tile([2.5, 2.5, 2.5, 2.5, 1.5, 1.5, 1.5, 0, 0, 0], (5, 1))
    expected[0, 0] = np.nan
    np.testing.assert_array_equal(depth, expected)
    # 19 cells of 2.5 m and 15 of 1.5 m, 100 m2 each; the polder of 10 cells lies below the surface behind the dyke.
    assert found["WET_AREA"] == 3400 and found["VOLUME"] == 19 * 250 + 15 * 150 and found["UNREACHED_AREA"] == 1000
    assert found["MAX_DEPTH"] == 2.5 and found["LEVELS_USED"] == 1 and found["LOO_RMSE"] is None
    assert tags["METHOD"] == "FLAT" and tags["LEVELS_M"] == "1: 3.5" and tags["VERTICAL_DATUM"] == "Hòn Dấu 1992"
    assert tags["TIME"] == "07:00 22/11/2026" and tags["TERRAIN_ERROR_M"] == "0.7" and tags["SOURCE"] == "LEVELS"


def test_depth_variants_agree(run, valley):
    plain, _ = read(run("quyhoach:flooddepth", depth_inputs(valley))["OUTPUT"])
    heights = np.where(np.isnan(plain), -32768, np.tile(np.array([10, 10, 10, 10, 20, 20, 20, 50, 0, 0]), (5, 1)))
    variants = {
        "text levels": {"LEVEL_FIELD": "chu"},
        "levels in another zone": {"LEVELS": vector(valley / "trạm 2.gpkg",
                                                    geopandas.read_file(valley / "trạm.gpkg").to_crs(9215).geometry,
                                                    "EPSG:9215", muc_nuoc=[3.5])},
        "integers with scale": {"TERRAIN": raster(valley / "int.tif", heights, kind=gdal.GDT_Int16, nodata=-32768,
                                                  scale=0.1)},
        "river as source": {"SOURCE": vector(valley / "sông.gpkg",
                                             [shapely.LineString([(X + 12, Y + 2), (X + 12, Y + 48)])])},
        "over corners": {"CONNECTIVITY": 1},
        "levels above a gauge zero": {"GAUGE_ZERO_FIELD": "so_0", "LEVELS": vector(
            valley / "số 0.gpkg", [shapely.Point(X + 15, Y + 25)], muc_nuoc=[3.0], so_0=[0.5])},
        "two equal levels": {"LEVELS": vector(valley / "trạm 3.gpkg",
                                              [shapely.Point(X + 15, Y + 25), shapely.Point(X + 35, Y + 5)],
                                              muc_nuoc=[3.5, 3.5])},
    }
    for name, changed in variants.items():
        depth, _ = read(run("quyhoach:flooddepth", depth_inputs(valley, **changed))["OUTPUT"])
        np.testing.assert_allclose(depth, plain, atol=1e-6, err_msg=name)


def test_what_is_set_in_qgis_counts(run, valley):
    # The file has no CRS and no nodata; both are set on the layer.
    heights = np.tile(np.array([1, 1, 1, 1, 2, 2, 2, 5, 0, 0], np.float32), (5, 1))
    heights[0, 0] = -1
    layer = QgsRasterLayer(raster(valley / "trần.tif", heights, epsg=None), "địa hình trần", "gdal")
    layer.setCrs(QgsVectorLayer(str(valley / "trạm.gpkg"), "", "ogr").crs())
    layer.dataProvider().setUserNoDataValue(1, [QgsRasterRange(-1, -1)])
    QgsProject.instance().addMapLayer(layer)
    try:
        found = run("quyhoach:flooddepth", depth_inputs(valley, TERRAIN=layer))
    finally:
        QgsProject.instance().removeMapLayer(layer.id())
    depth, _ = read(found["OUTPUT"])
    assert np.isnan(depth[0, 0]) and found["WET_AREA"] == 3400


def test_depth_in_degrees_and_rotated(run, valley):
    degrees = (107.5, 0.001, 0, 16.5, 0, -0.001)
    levels = vector(valley / "độ.gpkg", [shapely.Point(107.5015, 16.4975)], "EPSG:4756", v=[2.0])
    plain = raster(valley / "độ.tif", np.zeros((5, 4), np.float32), epsg=4756, transform=degrees)
    found = run("quyhoach:flooddepth", depth_inputs(valley, TERRAIN=plain, LEVELS=levels, LEVEL_FIELD="v"))
    # 5 x 4 cells of 0.001 degree at 16.5 N: about 106.8 m x 110.66 m each.
    assert found["WET_AREA"] == pytest.approx(20 * 106.8 * 110.66, rel=2e-3)
    turned = raster(valley / "xoay.tif", np.array([[0, 9, 0]], np.float32), transform=(X, 8, 6, Y, 6, -8))
    levels = vector(valley / "t.gpkg", [shapely.Point(X + 0.5 * 8 + 0.5 * 6, Y + 0.5 * 6 - 0.5 * 8)], v=[2.0])
    found = run("quyhoach:flooddepth", depth_inputs(valley, TERRAIN=turned, LEVELS=levels, LEVEL_FIELD="v"))
    assert read(found["OUTPUT"])[0].tolist() == [[2, 0, 0]] and found["WET_AREA"] == pytest.approx(100)


def test_depth_refuses_with_one_clear_sentence(run, valley):
    empty = vector(valley / "rỗng.gpkg", [], geometry_type="Point", muc_nuoc=np.zeros(0))
    naked = vector(valley / "trần.gpkg", [shapely.Point(X, Y)], None, muc_nuoc=[1.0])
    low = vector(valley / "thấp.gpkg", [shapely.Point(X + 15, Y + 25)], muc_nuoc=[0.5])
    twice = vector(valley / "hai.gpkg", [shapely.Point(X + 15, Y + 25)] * 2, muc_nuoc=[2.5, 3.5])
    null = vector(valley / "trống.gpkg", [shapely.Point(X + 15, Y + 25)], muc_nuoc=[np.nan])
    lost = vector(valley / "lạc.gpkg", [shapely.Point(X + 9e5, Y)], muc_nuoc=[2.5])
    sea = vector(valley / "biển xa.gpkg", [shapely.box(X + 9e4, Y, X + 9.1e4, Y + 10)])
    cases = [
        ({"LEVEL_FIELD": "khong_co"}, "no field \"khong_co\".*muc_nuoc"),
        ({"LEVELS": empty}, "has no features"),
        ({"LEVELS": naked}, "coordinate system"),
        ({"LEVELS": low}, "where the water comes from"),
        ({"LEVELS": lost}, "where the water comes from"),
        ({"LEVELS": twice}, "Two different levels at one place"),
        ({"LEVELS": null}, "holds no level"),
        ({"SOURCE": sea}, "does not touch the terrain"),
        ({"TERRAIN": raster(valley / "không hệ.tif", np.zeros((2, 2), np.float32), epsg=None)}, "records no CRS"),
        ({"TERRAIN": raster(valley / "feet.tif", np.zeros((2, 2), np.float32), epsg=2227)}, "not in metres"),
        ({"TERRAIN": str(valley / "trạm.gpkg")}, "cannot be read|Could not load"),
        ({"OUTPUT": str(valley / "không có" / "d.tif")}, "no folder"),
        ({"OUTPUT": str(valley / "d.png")}, "end in .tif"),
        ({"OUTPUT": str(valley / "địa hình.tif")}, "own input"),
    ]
    for changed, words in cases:
        before = sorted(os.listdir(valley))
        refused(run, "quyhoach:flooddepth", depth_inputs(valley, **changed), words)
        assert sorted(os.listdir(valley)) == before, changed
    # Several problems at once are told at once.
    told = refused(run, "quyhoach:flooddepth", depth_inputs(valley, LEVELS=naked, LEVEL_FIELD="x"), "no field")
    assert "coordinate system" in told


class StopsAt(QgsProcessingFeedback):
    def __init__(self, fraction):
        super().__init__()
        self.fraction = fraction
        self.progressChanged.connect(lambda value: value >= 100 * self.fraction and self.cancel())


@pytest.mark.parametrize("fraction", [0.3, 0.75])
def test_cancelled_depth_leaves_nothing(run, valley, fraction):
    before = sorted(os.listdir(valley))
    with pytest.raises(QgsProcessingException, match="Stopped on request"):
        run("quyhoach:flooddepth", depth_inputs(valley), feedback=StopsAt(fraction))
    assert sorted(os.listdir(valley)) == before


def exposed(run, folder, **more):
    run("quyhoach:flooddepth", depth_inputs(folder))
    found = run("quyhoach:floodexposure", exposure_inputs(folder, **more))
    return found, pyogrio.read_dataframe(found["OUTPUT"])


def test_exposure_by_hand(run, valley):
    found, table = exposed(
        run, valley, RESIDENTS_FIELD="so_khau", HOUSEHOLDS_FIELD="so_ho",
        UNITS=str(valley / "xã.gpkg"), UNIT_FIELD="ten",
        ROADS=str(valley / "đường.gpkg"), LAND_USE=str(valley / "đất.gpkg"), LAND_USE_FIELD="ma",
        OUTPUT_BUILDINGS=str(valley / "nhà ngập.gpkg"), OUTPUT_LAND_USE=str(valley / "đất ngập.gpkg"),
        XLSX=str(valley / "in.xlsx"))
    houses = pyogrio.read_dataframe(found["OUTPUT_BUILDINGS"]).set_index("ten")
    # The user's own depth_m stays; ours is depth_m_2.
    assert houses["depth_m"].tolist() == [0] * 4
    np.testing.assert_array_equal(houses["depth_m_2"], [2.5, 1.5, 0, np.nan])
    assert houses["depth_class"].tolist() == [4, 3, 0, -1]
    assert houses["unit"].tolist() == ["Xã Một", "Xã Hai", "Xã Hai", "Xã Một"]
    by_place = table.set_index(["unit", "depth_class"])
    assert by_place.loc[("Xã Một", 4), ["buildings", "households", "residents"]].tolist() == [1, 1, 4]
    assert by_place.loc[("Xã Một", -1), ["buildings", "households", "residents"]].tolist() == [1, 4, 5]
    assert by_place.loc[("Xã Hai", 3), ["buildings", "households", "residents"]].tolist() == [1, 2, 8]
    assert by_place.loc[("Xã Hai", 0), "buildings"] == 1 and pandas.isna(by_place.loc[("Xã Hai", 0), "residents"])
    assert by_place.loc[("Xã Hai", 0), "residents_missing"] == 1
    # Road: 40 m at 2.5 m and 10 m at 1.5 m in the first commune, 20 m at 1.5 m and 20 m dry in the second, 10 m
    # outside both.
    assert by_place.loc[("Xã Một", 4), "road_m"] == pytest.approx(40)
    assert by_place.loc[("Xã Hai", 0), "road_m"] == pytest.approx(20)
    assert table[table["unit_kind"] == "outside"]["road_m"].sum() == pytest.approx(10)
    assert table["road_m"].sum() == pytest.approx(100) and table["land_m2"].sum() == pytest.approx(2000)
    assert by_place.loc[("Xã Hai", 3), "land_m2"] == pytest.approx(500)
    land = pyogrio.read_dataframe(found["OUTPUT_LAND_USE"])
    assert set(land["code"]) == {"LUC"} and land["land_m2"].sum() == pytest.approx(2000)
    assert (found["WET_BUILDINGS"], found["UNKNOWN_BUILDINGS"]) == (2, 1)
    assert (found["WET_HOUSEHOLDS"], found["WET_RESIDENTS"]) == (3, 12)
    assert found["WET_ROAD"] == pytest.approx(70)
    sheets = openpyxl.load_workbook(found["XLSX"])
    assert sheets.sheetnames == ["Tổng hợp", "Theo đơn vị", "Loại đất"]
    printed = {row[0]: row[1:] for row in sheets["Tổng hợp"].iter_rows(values_only=True)}
    assert printed["Cộng bị ngập"][:3] == (2, 3, 10)     # 3 households, 12 people: tens, but never nobody (3 shows as "< 10")
    assert printed["Cộng bị ngập"][5:] == (0.07, 0.2)


def test_empty_layer_gives_zeros_and_missing_layer_nulls(run, valley):
    nothing = vector(valley / "không đường.gpkg", [], geometry_type="LineString")
    _, table = exposed(run, valley, ROADS=nothing)
    assert (table["road_m"] == 0).all()
    for column in ("land_m2", "households", "residents", "residents_missing"):
        assert table[column].isna().all(), column
    assert set(table["unit"]) == {"All"} and len(table) == 8


def test_floors_through_the_registry(run, valley):
    vector(valley / "nhà nền.gpkg", [shapely.box(X + 21, Y + 21, X + 29, Y + 29)], nen=[3.1], cao=[0.4])
    inputs = {"BUILDINGS": str(valley / "nhà nền.gpkg"), "OUTPUT_BUILDINGS": "TEMPORARY_OUTPUT"}
    for more, above in (({"FLOOR_LEVEL": "nen", "TERRAIN": str(valley / "địa hình.tif")}, 0.4),
                        ({"FLOOR_HEIGHT": "cao"}, 2.1)):
        found, _ = exposed(run, valley, **inputs, **more)
        feature = next(found["OUTPUT_BUILDINGS"].getFeatures())
        assert feature["floor_depth_m"] == pytest.approx(above, abs=1e-6) and feature["depth_m"] == 2.5


def test_points_selection_and_other_crs(run, valley):
    points = vector(valley / "điểm.gpkg", geopandas.GeoSeries([shapely.Point(X + 25, Y + 25),
                                                               shapely.Point(X + 95, Y + 25)],
                                                              crs=9214).to_crs(4326), "EPSG:4326")
    _, table = exposed(run, valley, BUILDINGS=points)
    assert table.set_index("depth_class")["buildings"].to_dict() == {0: 1, 1: 0, 2: 0, 3: 0, 4: 1, 5: 0, 6: 0, -1: 0}


def test_classes_finer_than_the_error_are_marked(run, valley):
    feedback = QgsProcessingFeedback()
    run("quyhoach:flooddepth", depth_inputs(valley, TERRAIN_ERROR=0.7))
    run("quyhoach:floodexposure", exposure_inputs(valley), feedback=feedback)
    assert "finer than the error of the depths (0,70 m)" in feedback.textLog()


def test_depths_in_centimetres_are_noticed(run, valley):
    for values, told in ((np.full((5, 10), 150.0), True), (np.full((5, 10), 1.5), False)):
        raster(valley / "độ sâu.tif", values, nodata=-9999)
        feedback = QgsProcessingFeedback()
        run("quyhoach:floodexposure", exposure_inputs(valley), feedback=feedback)
        assert ("150,0 m at the deepest; check it" in feedback.textLog()) is told


def test_exposure_refuses_with_one_clear_sentence(run, valley):
    run("quyhoach:flooddepth", depth_inputs(valley))
    empty = vector(valley / "rỗng.gpkg", [], geometry_type="Polygon")
    naked = vector(valley / "trần.gpkg", [shapely.box(X, Y, X + 1, Y + 1)], None)
    bowtie = vector(valley / "nơ.gpkg", [shapely.Polygon([(X, Y), (X + 9, Y + 9), (X + 9, Y), (X, Y + 9)])])
    below = raster(valley / "âm.tif", np.full((5, 10), -99.0, np.float32))
    cases = [
        ({"RESIDENTS_FIELD": "khong_co"}, "no field \"khong_co\""),
        ({"UNIT_FIELD": "ten"}, "needs the layer"),
        ({"BUILDINGS": empty}, "has no features"),
        ({"BUILDINGS": naked}, "coordinate system"),
        ({"UNITS": naked}, "coordinate system"),
        ({"BUILDINGS": bowtie, "INVALID_GEOMETRY": 1}, r"invalid shapes \(ids: 1\)"),
        ({"DEPTH": below}, "negative values"),
        ({"DEPTH": raster(valley / "k.tif", np.zeros((2, 2), np.float32), epsg=None)}, "records no CRS"),
        ({"DEPTH_CLASSES": "của tôi"}, "no set of depth classes"),
        ({"FLOOR_LEVEL": "depth_m"}, "need the terrain"),
        ({"OUTPUT_LAND_USE": str(valley / "l.gpkg")}, "needs the land use"),
        ({"OUTPUT": str(valley / "không có" / "d.gpkg")}, "no folder"),
    ]
    for changed, words in cases:
        before = sorted(os.listdir(valley))
        refused(run, "quyhoach:floodexposure", exposure_inputs(valley, **changed), words)
        assert sorted(os.listdir(valley)) == before, changed


def test_wet_people_nobody_counted_are_null_beside_dry_ones_counted(run, valley):
    """Depth 1 m in the left half: the wet building has no count, the dry one has four people."""
    depth = raster(valley / "sâu.tif", np.repeat([[1.0] * 5 + [0.0] * 5], 5, axis=0).astype(np.float32))
    houses = vector(valley / "hai nhà.gpkg", shapely.box([X + 12, X + 72], Y + 12, [X + 28, X + 88], Y + 28),
                    people=pandas.array([None, 4], dtype="Int64"))
    found = run("quyhoach:floodexposure", {"DEPTH": depth, "BUILDINGS": houses, "RESIDENTS_FIELD": "people",
                                           "OUTPUT": str(valley / "bảng.gpkg")})
    assert found["WET_BUILDINGS"] == 1 and found["WET_RESIDENTS"] is None


@pytest.mark.parametrize("fraction", [0.1, 0.5])
def test_cancelled_exposure_leaves_nothing(run, valley, fraction):
    run("quyhoach:flooddepth", depth_inputs(valley))
    before = sorted(os.listdir(valley))
    with pytest.raises(QgsProcessingException, match="Stopped on request"):
        run("quyhoach:floodexposure", exposure_inputs(valley, XLSX=str(valley / "in.xlsx"),
                                                      ROADS=str(valley / "đường.gpkg")), feedback=StopsAt(fraction))
    assert sorted(os.listdir(valley)) == before


def test_styles_show_the_classes(valley, run):
    run("quyhoach:flooddepth", depth_inputs(valley))
    layer = QgsRasterLayer(str(valley / "độ sâu.tif"), "", "gdal")
    assert layer.loadNamedStyle(str(ROOT / "styles" / "disaster" / "flood_depth.qml"))[1]
    ramp = layer.renderer().shader().rasterShaderFunction()
    # Bounds of common_practice_6: a depth of exactly 0.5 m is in the second class, and dry land is transparent.
    colours = [ramp.shade(value)[1:] for value in (0.0, 0.2, 0.5, 1.5, 9.0)]
    assert colours[0][3] == 0 and len(set(colours)) == 5
    buildings = QgsVectorLayer("MultiPolygon?crs=EPSG:9214&field=depth_class:integer", "", "memory")
    assert buildings.loadNamedStyle(str(ROOT / "styles" / "disaster" / "flood_exposure_buildings.qml"))[1]
    assert [c.value() for c in buildings.renderer().categories()] == [0, 1, 2, 3, 4, 5, 6, -1]


def test_qgis_process_exit_codes(valley):
    tool = [str(ROOT / "scripts" / "qgis_process"), "run", "quyhoach:flooddepth", "--"]
    good = [f"{key}={value}" for key, value in depth_inputs(valley).items()]
    assert subprocess.run([*tool, *good], capture_output=True, text=True).returncode == 0
    (valley / "độ sâu.tif").unlink()
    bad = [f"{key}={value}" for key, value in depth_inputs(valley, LEVEL_FIELD="x").items()]
    ended = subprocess.run([*tool, *bad], capture_output=True, text=True)
    assert ended.returncode not in (0, 134, 139) and "muc_nuoc" in ended.stdout + ended.stderr
    assert "Traceback" not in ended.stdout + ended.stderr and not (valley / "độ sâu.tif").exists()


def test_merewether_pair(run, tmp_path):
    if not MEREWETHER.is_dir():
        pytest.skip("the Merewether data is not beside the repository")
    depth = run("quyhoach:flooddepth", {
        "TERRAIN": str(MEREWETHER / "merewether_dem_1m.tif"),
        "LEVELS": f"{MEREWETHER / 'merewether.gpkg'}|layername=flood_marks",
        "LEVEL_FIELD": "stage_observed_m", "OUTPUT": str(tmp_path / "d.tif")})
    assert depth["LEVELS_USED"] == 5 and depth["LOO_MAE"] == pytest.approx(0.7216, abs=1e-3)
    found = run("quyhoach:floodexposure", {
        "DEPTH": depth["OUTPUT"], "BUILDINGS": f"{MEREWETHER / 'merewether.gpkg'}|layername=houses",
        "OUTPUT": str(tmp_path / "t.csv")})
    values, _ = read(depth["OUTPUT"])
    transform = gdal.Open(depth["OUTPUT"]).GetGeoTransform()
    column, row = np.meshgrid(np.arange(values.shape[1]) + 0.5, np.arange(values.shape[0]) + 0.5)
    x, y = transform[0] + column * transform[1], transform[3] + row * transform[5]
    houses = pyogrio.read_dataframe(MEREWETHER / "merewether.gpkg", layer="houses")
    wet = sum(bool((values[shapely.contains_xy(house, x, y)] > 0).any()) for house in houses.geometry)
    assert found["WET_BUILDINGS"] == wet == 47
