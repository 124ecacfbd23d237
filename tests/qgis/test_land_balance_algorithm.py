"""quyhoach:landbalance through the registry: good input, and every kind of bad one."""

from pathlib import Path

import geopandas
import processing
import pytest
import shapely
from openpyxl import Workbook, load_workbook
from qgis.core import QgsApplication, QgsProcessingException, QgsProcessingFeedback
from quyhoach.processing_algorithms.common.files import write_vector

ID = "quyhoach:landbalance"
box = shapely.box


@pytest.fixture
def folder(tmp_path):
    place = tmp_path / "Nguyễn Văn Ân" / "cân bằng đất"
    place.mkdir(parents=True)
    return place


def save(folder, name, shapes, crs="EPSG:9214", **columns):
    path = folder / f"{name}.gpkg"
    write_vector(geopandas.GeoDataFrame(columns, geometry=geopandas.GeoSeries(shapes, dtype="geometry"), crs=crs), path,
                 "MultiPolygon")
    return str(path)


@pytest.fixture
def case(folder):
    # 1 ha: 0.6 housing, 0.3 roads, 0.1 without a zone.
    return {"ZONES": save(folder, "ô", [box(0, 0, 60, 100), box(60, 0, 90, 100)], chuc_nang=["NO", "Đất giao thông"]),
            "FUNCTION_FIELD": "chuc_nang", "BOUNDARY": save(folder, "ranh", [box(0, 0, 100, 100)]), "POPULATION": 100,
            "SETTLEMENT": 5, "DATE": "25/11/2026", "OUTPUT": str(folder / "kết quả.gpkg"), "XLSX": str(folder / "bảng.xlsx")}


def fail(parameters):
    with pytest.raises(QgsProcessingException) as caught:
        processing.run(ID, parameters, feedback=QgsProcessingFeedback())
    assert not Path(parameters["OUTPUT"]).exists() and not Path(parameters["XLSX"]).exists()
    return str(caught.value)


def test_numbers_table_and_workbook(case, run):
    result = run(ID, case)
    assert (result["BOUNDARY_AREA"], result["GAP_AREA"], result["OVERLAP_AREA"]) == pytest.approx((10000, 1000, 0))
    table = geopandas.read_file(result["OUTPUT"], engine="pyogrio").set_index("name")
    assert table["area_ha"].to_dict()["Nhóm nhà ở"] == 0.6 and table["share_pct"]["Đường giao thông"] == 30
    assert table["m2_per_person"]["Nhóm nhà ở"] == pytest.approx(60)
    book = load_workbook(result["XLSX"])
    assert book.sheetnames == ["Cân bằng đất", "So với quy chuẩn", "Cần kiểm tra"]


def test_the_consultants_table(case, folder, run):
    book = Workbook()
    for row in (["Loại đất", "Diện tích (ha)"], ["Nhóm nhà ở", "0,60"], ["Đất giao thông", "0,40"]):
        book.active.append(row)
    book.save(folder / "tư vấn.xlsx")
    result = run(ID, {**case, "STATED": str(folder / "tư vấn.xlsx")})
    assert result["DIFFERENCES"] == 1
    table = geopandas.read_file(result["OUTPUT"], engine="pyogrio").set_index("name")
    assert table["difference_ha"]["Đường giao thông"] == pytest.approx(0.1)
    assert "So với bảng tư vấn" in load_workbook(result["XLSX"]).sheetnames


def test_all_problems_are_told_together(case, folder):
    message = fail({**case, "ZONES": save(folder, "rỗng", [], chuc_nang=[]), "FUNCTION_FIELD": "không có",
                    "DATE": "32/13/2026",
                    "PROVINCE_FOLDER": str(folder / "không có")})
    for part in ("không có đối tượng", "\"không có\"", "32/13/2026", "Không có thư mục"):
        assert part in message


def test_a_boundary_elsewhere_is_refused(case, folder):
    assert "không có phần đất chung" in fail({**case,
                                              "BOUNDARY": save(folder, "nơi khác", [box(9000, 9000, 9900, 9900)])})


def test_degrees_missing_systems_and_broken_workbooks(case, folder):
    assert "hệ tọa độ phẳng" in fail({**case,
                                      "ZONES": save(folder, "độ", [box(107, 16, 107.1, 16.1)], crs="EPSG:4326",
                                                    chuc_nang=["NO"])})
    assert "hệ tọa độ" in fail({**case, "BOUNDARY": save(folder, "không hệ", [box(0, 0, 1, 1)], crs=None)})
    (folder / "hỏng.xlsx").write_bytes(b"x")
    assert "xlsx" in fail({**case, "STATED": str(folder / "hỏng.xlsx")})


def test_every_parameter_has_help():
    algorithm = QgsApplication.processingRegistry().algorithmById(ID)
    assert all(parameter.help() for parameter in algorithm.parameterDefinitions())
