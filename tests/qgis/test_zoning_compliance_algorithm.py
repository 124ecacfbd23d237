"""quyhoach:zoningcompliance through the registry: good input, and every kind of bad one."""

from pathlib import Path

import geopandas
import processing
import pytest
import shapely
from openpyxl import load_workbook
from qgis.core import QgsApplication, QgsProcessingException, QgsProcessingFeedback
from quyhoach.processing_algorithms.common.files import write_vector

ID = "quyhoach:zoningcompliance"
box = shapely.box


@pytest.fixture
def folder(tmp_path):
    place = tmp_path / "Nguyễn Văn Ân" / "kiểm tra"
    place.mkdir(parents=True)
    return place


def save(folder, file, shapes, crs="EPSG:9214", kind="MultiPolygon", **columns):
    path = folder / f"{file}.gpkg"
    write_vector(geopandas.GeoDataFrame(columns, geometry=geopandas.GeoSeries(shapes, dtype="geometry"), crs=crs), path,
                 kind)
    return str(path)


@pytest.fixture
def case(folder):
    # A lot of 200 m2 with a house of 150 m2 (75 %; 70 allowed), 3 storeys, 20 m, 1 m from a road of 18 m (3 m asked).
    return {
        "LOTS": save(folder, "lô", [box(0, 0, 10, 20)], so_thua=["12/7"]), "LOT_FIELD": "so_thua",
        "BUILDINGS": save(folder, "nhà", [box(0, 1, 10, 16)], storeys=[3], cao=[20.0], use=["residential"]),
        "HEIGHT_FIELD": "cao",
        "ZONES": save(folder, "ô", [box(-50, -50, 50, 50)], zone_code=["A1"], chuc_nang=["NO"], density_kind=["net"],
                      max_density_pct=[80.0], max_storeys=[2]), "FUNCTION_FIELD": "chuc_nang",
        "ROADS": save(folder, "đường", [shapely.LineString([(-40, -9), (60, -9)])], kind="MultiLineString",
                      name=["Đường A"],
                      red_line_width_m=[18.0]),
        "DATE": "25/11/2026", "POINT_ERROR": 0, "OUTPUT": str(folder / "kết quả.gpkg"), "LOTS_OUTPUT": str(folder / "lô kết luận.gpkg"),
        "XLSX": str(folder / "báo cáo.xlsx")}


def fail(parameters):
    with pytest.raises(QgsProcessingException) as caught:
        processing.run(ID, parameters, feedback=QgsProcessingFeedback())
    assert not Path(parameters["OUTPUT"]).exists() and not Path(parameters["XLSX"]).exists()
    return str(caught.value)


def test_checks_lots_and_workbook(case, run):
    result = run(ID, case)
    checks = geopandas.read_file(result["OUTPUT"], engine="pyogrio").set_index("rule")
    assert checks["verdict"].to_dict() == {
        "PLAN-DENSITY": "kept", "QC-DENSITY": "broken", "PLAN-STOREYS-MAX": "broken", "QC-FAR": "kept", "QC-SETBACK": "broken"}
    assert checks.at["QC-DENSITY", "measured"] == pytest.approx(75) and checks.at["QC-DENSITY", "lot"] == "12/7"
    assert "Bảng 2.8" in checks.at["QC-DENSITY", "citation"] and checks.at["QC-SETBACK", "limit"] == 3
    assert (result["CHECKS"], result["BROKEN"], result["OPEN"], result["KEPT"]) == (5, 3, 0, 2)
    lots = geopandas.read_file(result["LOTS_OUTPUT"], engine="pyogrio")
    assert lots["verdict"].tolist() == ["broken"] and lots["broken"].tolist() == [3]
    assert "Chưa phù hợp" in load_workbook(result["XLSX"]).sheetnames


def test_after_the_change_of_regulation_and_with_the_plans_date(case, run):
    later = geopandas.read_file(run(ID, {**case, "DATE": "2/1/2027"})["OUTPUT"], engine="pyogrio").set_index("rule")
    assert later.at["QC-DENSITY", "verdict"] == "open" and "QCVN 01:2026/BXD" in later.at["QC-DENSITY", "citation"]
    assert later.at["PLAN-STOREYS-MAX", "verdict"] == "broken"
    kept = geopandas.read_file(run(ID, {**case, "DATE": "2/1/2027", "APPRAISAL_DATE": "20/12/2026"})["OUTPUT"], engine="pyogrio")
    assert kept.set_index("rule").at["QC-DENSITY", "verdict"] == "broken"


def test_all_problems_are_told_together(case, folder):
    message = fail({**case, "LOTS": save(folder, "rỗng", [], so_thua=[]), "HEIGHT_FIELD": "không có", "DATE": "hôm qua",
                    "PROVINCE_FOLDER": str(folder / "không có")})
    for part in ("không có đối tượng", "\"không có\"", "hôm qua", "Không có thư mục"):
        assert part in message


def test_degrees_missing_systems_words_for_numbers_and_coarse_maps(case, folder):
    assert "hệ tọa độ phẳng" in fail({**case,
                                      "LOTS": save(folder, "độ", [box(107, 16, 107.1, 16.1)], crs="EPSG:4326",
                                                   so_thua=["1"])})
    assert "hệ tọa độ" in fail({**case,
                                "ZONES": save(folder, "không hệ", [box(0, 0, 1, 1)], crs=None, chuc_nang=["NO"])})
    assert "ba tầng" in fail({**case,
                              "BUILDINGS": save(folder, "chữ", [box(0, 0, 5, 5)], storeys=["ba tầng"], cao=[9.0])})
    assert "25.000" in fail({**case, "POINT_ERROR": None, "SCALE": 25000})


def test_options_that_contradict_each_other(case, folder):
    plan = save(folder, "đồ án", [box(-50, -50, 50, 50)], plan_ref=["P"], level=["detailed"], status=["approved"])
    message = fail({**case, "PLANS": plan, "APPROVAL_DATE": "1/6/2026", "ROADS": None, "RED_LINES": True})
    assert "để trống hai ngày" in message and "chưa chọn lớp đường" in message
    assert "không có đối tượng" in fail({**case,
                                         "ROADS": save(folder, "không đường", [], kind="MultiLineString",
                                                       red_line_width_m=[])})


def test_names_cut_by_a_shapefile_are_understood_and_missing_ones_told(case, run, folder):
    cut = save(folder, "ô cắt tên", [box(-50, -50, 50, 50)], zone_code=["A1"], function_c=["NO"], density_ki=["net"],
               max_densit=[70.0])
    feedback = QgsProcessingFeedback()
    result = processing.run(ID,
                            {**{key: value for key, value in case.items() if key != "FUNCTION_FIELD"}, "ZONES": cut},
                            feedback=feedback)
    checks = geopandas.read_file(result["OUTPUT"], engine="pyogrio").set_index("rule")
    assert checks.at["PLAN-DENSITY", "verdict"] == "broken" and checks.at["QC-DENSITY", "verdict"] == "broken"
    assert "ô cắt tên: max_far" in feedback.textLog()


def test_every_parameter_has_help():
    algorithm = QgsApplication.processingRegistry().algorithmById(ID)
    assert all(parameter.help() for parameter in algorithm.parameterDefinitions())
