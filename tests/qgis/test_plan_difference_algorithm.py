"""quyhoach:plandifference through the registry: the amendment of the sample town, and bad input."""

from pathlib import Path

import geopandas
import openpyxl
import processing
import pytest
import shapely
from qgis.core import QgsProcessingException, QgsProcessingFeedback
from quyhoach.processing_algorithms.common.files import write_vector

ID = "quyhoach:plandifference"
TOWN = Path(__file__).resolve().parents[2] / "data_samples" / "town.gpkg"


@pytest.fixture
def folder(tmp_path):
    place = tmp_path / "Nguyễn Văn Ân" / "điều chỉnh"
    place.mkdir(parents=True)
    return place


@pytest.fixture
def case(folder):
    zones = f"{TOWN}|layername=zone"
    return {"BEFORE": zones, "AFTER": zones, "BEFORE_PLAN": "QPK-TT-2035", "AFTER_PLAN": "QPK-TT-2035-DC1", "LOCAL": True,
            "OUTPUT": str(folder / "thay đổi.gpkg"), "SUMMARY": str(folder / "cân đối.gpkg"),
            "FIGURES": str(folder / "chỉ tiêu.gpkg"), "XLSX": str(folder / "so sánh.xlsx")}


def test_the_amendment_of_the_sample_town(case):
    result = processing.run(ID, case)
    zones = geopandas.read_file(TOWN, layer="zone")
    amended = zones[zones["plan_ref"] == "QPK-TT-2035-DC1"]
    park = amended[amended["function_code"] == "CXCC"].area.sum()
    # One housing block: its west becomes a park, its east rises to 7 storeys; nothing is added or removed.
    assert result["BEFORE_AREA"] == pytest.approx(amended.area.sum(), abs=0.1)
    assert result["AFTER_AREA"] == pytest.approx(amended.area.sum(), abs=1e-3)
    assert result["FUNCTION_AREA"] == pytest.approx(park, abs=0.1) and result["CHANGED_FIGURES"] > 4
    pieces = geopandas.read_file(result["OUTPUT"])
    assert {"function", "figures"} <= set(pieces["kind"]) and "same" not in set(pieces["kind"])
    summary = geopandas.read_file(result["SUMMARY"]).set_index("function")
    assert summary.loc["CXCC", "difference_m2"] == pytest.approx(-summary.loc["NO", "difference_m2"], abs=0.1)
    storeys = geopandas.read_file(result["FIGURES"]).query("field == 'max_storeys' and after_value == '7'")
    assert len(storeys) and set(storeys["difference"]) <= {1.0, 2.0}
    book = openpyxl.load_workbook(result["XLSX"])
    assert book.sheetnames == ["Theo chức năng", "Chuyển chức năng", "Chỉ tiêu thay đổi", "Từng phần đất"]
    rows = [row for row in book["Theo chức năng"].iter_rows(values_only=True) if isinstance(row[0], int)]
    total = next(row for row in book["Theo chức năng"].iter_rows(values_only=True) if row[1] == "Tổng diện tích các ô")
    # What is printed closes at its own precision.
    for column in (3, 6, 7):
        assert round(sum(row[column] for row in rows), 1) == pytest.approx(total[column], abs=1e-9)
    for row in rows:
        assert round(row[3] - row[4] + row[5], 1) == pytest.approx(row[6], abs=1e-9)


def fail(parameters):
    feedback = QgsProcessingFeedback()
    with pytest.raises(QgsProcessingException) as caught:
        processing.run(ID, parameters, feedback=feedback)
    assert not Path(parameters["OUTPUT"]).exists() and not Path(parameters["XLSX"]).exists()
    return f"{caught.value}\n{feedback.textLog()}"


def test_bad_input_is_told(case, folder):
    said = fail({**case, "AFTER_PLAN": "QPK-XX"})
    assert "không có ô nào của đồ án QPK-XX" in said and "QPK-TT-2035-DC1" in said
    assert "không có trường \"mã\"" in fail({**case, "FUNCTION_FIELD": "mã"})
    path = folder / "trống.gpkg"
    write_vector(geopandas.GeoDataFrame({"zone_code": ["A"]}, geometry=[shapely.box(0, 0, 1, 1)], crs=None), path,
                 "MultiPolygon")
    said = fail({**case, "AFTER": str(path), "AFTER_PLAN": "x"})
    assert "không có trường plan_ref" in said and "không khai báo hệ tọa độ" in said
    path = folder / "thiếu.gpkg"
    write_vector(geopandas.GeoDataFrame({"zone_code": ["A"]}, geometry=[shapely.box(0, 0, 1, 1)], crs="EPSG:9214"),
                 path,
                 "MultiPolygon")
    assert "thiếu trường function_code" in fail({**case, "AFTER": str(path), "AFTER_PLAN": ""})
