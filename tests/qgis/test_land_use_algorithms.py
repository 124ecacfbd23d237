"""quyhoach:landusestatistics and landusechangematrix through the registry and qgis_process: good input and bad."""

import os
import subprocess
from pathlib import Path

import geopandas
import openpyxl
import processing
import pyogrio
import pytest
import shapely
from qgis.core import (
    QgsExpression,
    QgsProcessingException,
    QgsProcessingFeatureSourceDefinition,
    QgsProcessingFeedback,
    QgsProject,
    QgsVectorLayer,
)
from quyhoach.processing_algorithms.common.files import write_vector

ROOT = Path(__file__).resolve().parents[2]
STATISTICS, CHANGE = "quyhoach:landusestatistics", "quyhoach:landusechangematrix"
box = shapely.box


@pytest.fixture
def folder(tmp_path):
    place = tmp_path / "Nguyễn Văn Ân" / "kiểm kê"
    place.mkdir(parents=True)
    return place


def save(folder, name, shapes, crs="EPSG:9214", **columns):
    path = folder / f"{name}.gpkg"
    write_vector(geopandas.GeoDataFrame(columns, geometry=geopandas.GeoSeries(shapes, dtype="geometry"), crs=crs), path,
                 "MultiPolygon")
    return str(path)


def records(path):
    return pyogrio.read_dataframe(path)


def fail(algorithm, parameters, feedback=None):
    """Run what must fail; return its sentence. No output may be left behind."""
    feedback = feedback or QgsProcessingFeedback()
    outputs = [Path(parameters[key]) for key in ("OUTPUT", "MATRIX", "XLSX") if key in parameters]
    before = [output.exists() for output in outputs]
    with pytest.raises(QgsProcessingException) as caught:
        processing.run(algorithm, parameters, feedback=feedback)
    assert [output.exists() for output in outputs] == before
    return f"{caught.value}\n{feedback.textLog()}"


# statistics ------------------------------------------------------------------------------------------------------------

@pytest.fixture
def statistics(folder):
    # 100 m squares in a row: LUC, ONT, an unknown code, none. Ward A covers the first one and a half, B the rest to x = 390.
    return {
        "INPUT": save(folder, "khoanh đất", [box(k * 100, 0, k * 100 + 100, 100) for k in range(4)],
                      ma=["LUC", "ont", "XX", None]),
        "CODE_FIELD": "ma",
        "UNITS": save(folder, "phường", [box(0, 0, 150, 100), box(150, 0, 390, 100)], ten=["A", "B"]),
        "UNIT_FIELD": "ten", "OUTPUT": str(folder / "bảng.gpkg"), "XLSX": str(folder / "biểu.xlsx")}


def test_statistics_numbers_table_and_workbook(statistics, run):
    feedback = QgsProcessingFeedback()
    result = processing.run(STATISTICS, statistics, feedback=feedback)
    assert {key: value for key, value in result.items() if key.endswith("AREA")} == pytest.approx({
        "TOTAL_AREA": 40_000, "FOOTPRINT_AREA": 40_000, "OVERLAP_AREA": 0, "OUTSIDE_AREA": 1_000, "SHARED_AREA": 0,
        "UNKNOWN_AREA": 10_000, "WITHOUT_CODE_AREA": 10_000})
    table = records(result["OUTPUT"])
    assert "geometry" not in table
    rows = {(row.unit, row.code): row.area_m2 for row in table.itertuples() if row.kind in ("code", "unknown")}
    assert rows["A", "ONT"] == rows["B", "ONT"] == pytest.approx(5_000)
    assert table[(table["kind"] == "total")]["area_ha"].tolist() == pytest.approx([4.0, 1.5, 2.4, 0.1, 0.0])
    log = feedback.textLog()
    assert "(fid: 3)" in log and "(fid: 4)" in log
    sheet = openpyxl.load_workbook(result["XLSX"])["Thống kê diện tích"]
    assert sheet["A1"].value == "THỐNG KÊ DIỆN TÍCH THEO LOẠI ĐẤT"
    assert any("VN-2000, kinh tuyến trục 107°00′" in str(row[0].value) for row in sheet.iter_rows())


def test_statistics_without_units_and_workbook(statistics, run):
    result = run(STATISTICS, {"INPUT": statistics["INPUT"], "CODE_FIELD": "ma", "OUTPUT": "memory:"})
    kinds = [feature["unit_kind"] for feature in result["OUTPUT"].getFeatures()]
    assert set(kinds) == {"all"} and result["XLSX"] is None


def test_statistics_empty_units_give_zeros(statistics, folder, run):
    result = run(STATISTICS, {**statistics, "UNITS": save(folder, "rỗng", [], ten=[])})
    assert result["OUTSIDE_AREA"] == pytest.approx(40_000)


def test_statistics_of_selection_and_of_any_field(statistics, run):
    layer = QgsVectorLayer(statistics["INPUT"], "khoanh", "ogr")
    QgsProject.instance().addMapLayer(layer)
    layer.selectByIds([1, 2])
    result = run(STATISTICS,
                 {**statistics, "INPUT": QgsProcessingFeatureSourceDefinition(layer.id(), selectedFeaturesOnly=True),
                              "CODE_LIST": 1})
    assert result["TOTAL_AREA"] == pytest.approx(20_000) and result["UNKNOWN_AREA"] == 0
    QgsProject.instance().clear()


@pytest.mark.parametrize("change, words", [
    ({"CODE_FIELD": "loại"}, ["loại", "ma"]),
    ({"UNIT_FIELD": "phường_xã"}, ["phường_xã", "ten"]),
    ({"UNIT_FIELD": ""}, ["UNIT_FIELD"]),
    ({"INPUT": "/không/có.gpkg"}, ["/không/có.gpkg"]),
])
def test_statistics_wrong_parameters(statistics, change, words):
    message = fail(STATISTICS, {**statistics, **change})
    assert all(word in message for word in words), message


def test_statistics_faults_are_told_together(statistics, folder):
    message = fail(STATISTICS, {**statistics, "CODE_FIELD": "x", "INPUT": save(folder, "trống", [], crs=None, ma=[]),
                                "UNITS": save(folder, "không hệ", [box(0, 0, 1, 1)], crs=None, ten=["A"])})
    assert "\"x\"" in message and "không có đối tượng" in message and message.count("hệ tọa độ") >= 2


def test_statistics_degrees(statistics, folder, run):
    square = box(107, 16, 107.001, 16.001)
    degrees = {**statistics, "INPUT": save(folder, "độ", [square], crs="EPSG:4326", ma=["LUC"])}
    assert "hệ tọa độ phẳng" in fail(STATISTICS, degrees)
    assert run(STATISTICS, {**degrees, "AREA_SURFACE": 1})["TOTAL_AREA"] == pytest.approx(11_845, rel=1e-3)


def test_statistics_invalid_geometry(statistics, folder, run):
    bow = shapely.Polygon([(0, 0), (10, 10), (10, 0), (0, 10)])
    crossed = {**statistics, "INPUT": save(folder, "tự cắt", [bow, None], ma=["LUC", "ONT"])}
    feedback = QgsProcessingFeedback()
    assert processing.run(STATISTICS, crossed, feedback=feedback)["TOTAL_AREA"] == pytest.approx(50)
    assert "đã sửa 1 hình" in feedback.textLog() and "1 không có hình" in feedback.textLog()
    Path(crossed["OUTPUT"]).unlink(), Path(crossed["XLSX"]).unlink()
    assert "fid: 1" in fail(STATISTICS, {**crossed, "INVALID_GEOMETRY": 1})


def test_statistics_unwritable_and_cancelled(statistics, folder):
    assert "Không có thư mục" in fail(STATISTICS, {**statistics, "XLSX": str(folder / "không có" / "a.xlsx")})
    cancelled = QgsProcessingFeedback()
    cancelled.cancel()
    assert "Đã dừng" in fail(STATISTICS, statistics, cancelled)


# change matrix ---------------------------------------------------------------------------------------------------------

@pytest.fixture
def change(folder):
    # The border of LUC and ONT is drawn 0.5 m further; ONT took half of CLN; 50 m more in the east.
    return {
        "BEFORE": save(folder, "2020", [box(0, 0, 100, 100), box(100, 0, 200, 100), box(200, 0, 300, 100)],
                       ma=["LUC", "ONT", "CLN"]),
        "BEFORE_CODE": "ma", "AFTER_CODE": "loai",
        "AFTER": save(folder, "2025", [box(0, 0, 100.5, 100), box(100.5, 0, 250, 100), box(250, 0, 350, 100)],
                      loai=["LUC", "ONT", "CLN"]),
        "OUTPUT": str(folder / "chu chuyển.gpkg"), "MATRIX": str(folder / "ma trận.gpkg"), "XLSX": str(folder / "05.xlsx")}


def test_change_numbers_layers_and_workbook(change, folder, run):
    result = run(CHANGE, {**change, "NOISE": str(folder / "nhiễu.gpkg")})
    assert {key: value for key, value in result.items() if key.endswith("AREA")} == pytest.approx({
        "COMMON_AREA": 30_000, "UNCHANGED_AREA": 24_950, "CHANGED_AREA": 5_000, "NOISE_AREA": 50, "ONLY_BEFORE_AREA": 0,
        "ONLY_AFTER_AREA": 5_000, "OVERLAP_BEFORE_AREA": 0, "OVERLAP_AFTER_AREA": 0})
    pieces = records(result["OUTPUT"])
    assert pieces["change"].tolist() == ["CLN → ONT"] and pieces.area.tolist() == pytest.approx([5_000])
    assert pieces[["before_fid", "after_fid"]].values.tolist() == [[3, 2]]
    assert records(result["NOISE"]).area.tolist() == pytest.approx([50])
    matrix = records(result["MATRIX"])
    common = matrix[matrix["kind"].isin(["unchanged", "changed", "noise"])]
    assert common["area_m2"].sum() == pytest.approx(matrix.loc[matrix["kind"] == "common", "area_m2"].item())
    assert common["area_ha"].sum() == pytest.approx(3.0)
    book = openpyxl.load_workbook(result["XLSX"])
    assert book["Chu chuyển diện tích"]["A1"].value == "CHU CHUYỂN DIỆN TÍCH CÁC LOẠI ĐẤT"


def test_change_tolerances(change, run):
    assert run(CHANGE, {**change, "MIN_AREA": 0, "TOLERANCE_MM": 0})["NOISE_AREA"] == 0
    assert run(CHANGE, {**change, "MIN_AREA": 0, "SCALE": 1000})["NOISE_AREA"] == 0  # 0.4 mm is 0.4 m there
    assert run(CHANGE, {**change, "MIN_AREA": 60, "TOLERANCE_MM": 0})["NOISE_AREA"] == pytest.approx(50)


def test_change_without_change_writes_an_empty_layer(change, run):
    result = run(CHANGE, {**change, "AFTER": change["BEFORE"], "AFTER_CODE": "ma"})
    assert result["CHANGED_AREA"] == 0 and len(records(result["OUTPUT"])) == 0
    assert QgsVectorLayer(result["OUTPUT"], "", "ogr").isValid()


def test_change_faults_are_told_together(change, folder):
    message = fail(CHANGE,
                   {**change, "BEFORE_CODE": "x", "AFTER_CODE": "y",
                    "AFTER": save(folder, "trống", [], crs=None, loai=[])})
    assert "\"x\"" in message and "\"y\"" in message and "không có đối tượng" in message and "hệ tọa độ" in message


def test_change_degrees_refused_and_cancel(change, folder):
    square = box(107, 16, 107.001, 16.001)
    assert "hệ tọa độ phẳng" in fail(CHANGE,
                                     {**change, "BEFORE": save(folder, "độ", [square], crs="EPSG:4326", ma=["LUC"])})
    cancelled = QgsProcessingFeedback()
    cancelled.cancel()
    assert "Đã dừng" in fail(CHANGE, change, cancelled)


def test_change_agrees_with_native_union(folder, run):
    # Two crooked partitions of one square; the peer's pieces summed up by both codes are the matrix.
    shapes = [[box(x, y, x + w, y + h) for x in range(0, 120, w) for y in range(0, 120, h)]
              for w, h in ((30, 40), (24, 20))]
    paths = [save(folder, str(k), side, ma=[["LUC", "ONT", "CLN"][(7 * i + k) % 3] for i in range(len(side))])
             for k, side in enumerate(shapes)]
    ours = records(run(CHANGE,
                       {"BEFORE": paths[0], "BEFORE_CODE": "ma", "AFTER": paths[1], "AFTER_CODE": "ma", "MIN_AREA": 0,
                                "TOLERANCE_MM": 0, "OUTPUT": "memory:", "MATRIX": str(folder / "m.gpkg")})["MATRIX"])
    union = records(processing.run("native:union",
                                   {"INPUT": paths[0], "OVERLAY": paths[1],
                                    "OUTPUT": str(folder / "u.gpkg")})["OUTPUT"])
    expected = union.area.groupby([union["ma"], union["ma_2"]]).sum()
    cells = ours[ours["kind"].isin(["unchanged", "changed"])].set_index(["before_code", "after_code"])["area_m2"]
    assert cells.sort_index().to_dict() == pytest.approx(expected.sort_index().to_dict())


# the command line and the styles ---------------------------------------------------------------------------------------

def process(*arguments):
    return subprocess.run([str(ROOT / "scripts" / "qgis_process"), "run", *arguments], capture_output=True, text=True,
                          encoding="utf-8", env={**os.environ, "QT_QPA_PLATFORM": "offscreen"})


def test_qgis_process_succeeds_and_fails_as_it_should(change):
    done = process(CHANGE, "--", *(f"{key}={value}" for key, value in change.items()))
    assert done.returncode == 0, done.stderr
    assert "5000" in done.stdout and Path(change["XLSX"]).exists()
    wrong = {**change, "BEFORE_CODE": "không_có"}
    done = process(CHANGE, "--", *(f"{key}={value}" for key, value in wrong.items()))
    assert done.returncode != 0 and "Traceback" not in done.stdout + done.stderr
    assert "không_có" in done.stdout + done.stderr


@pytest.mark.parametrize("name, field", [("land_use", "land_code"), ("land_use_plan", "land_code"), ("parcel", "land_code"),
                                         ("land_use_change", "after_code")])
def test_styles_load_with_colours_of_the_table(name, field):
    layer = QgsVectorLayer(f"MultiPolygon?crs=EPSG:9214&field={field}:string", "", "memory")
    message, loaded = layer.loadNamedStyle(str(ROOT / "styles" / "land_use" / f"{name}.qml"))
    assert loaded, message
    renderer = layer.renderer()
    assert renderer.classAttribute() == field
    symbols = {category.value(): category for category in renderer.categories()}
    assert symbols["ONT"].symbol().color().getRgb()[:3] == (255, 208, 255)
    assert symbols["DMT"].label().endswith("*") and not symbols["ONT"].label().endswith("*")
    text = layer.labeling().settings().fieldName
    assert not QgsExpression(text).hasParserError()
