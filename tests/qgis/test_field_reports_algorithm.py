"""quyhoach:fieldreports through the registry: from a csv to marks on the sample town's terrain, and bad input."""

from pathlib import Path

import geopandas
import processing
import pyogrio
import pytest
from qgis.core import QgsProcessingException, QgsProcessingFeedback

SAMPLES = Path(__file__).resolve().parents[2] / "data_samples"
TOWN = SAMPLES / "town.gpkg"


def run(tmp_path, text, **parameters):
    file = tmp_path / "tin báo.csv"
    file.write_text(text, encoding="utf-8")
    feedback = QgsProcessingFeedback(False)
    result = processing.run("quyhoach:fieldreports", {
        "INPUT": str(file), "HAMLETS": f"{TOWN}|layername=hamlet", "UNITS": f"{TOWN}|layername=administrative_unit", "CRS": "EPSG:9214",
        "TERRAIN": str(SAMPLES / "terrain.tif"), "REFERENCE_DATE": "02/11/2026", "OUTPUT": str(tmp_path / "tin.gpkg"),
        "UNUSABLE": str(tmp_path / "còn lại.csv"), **parameters}, feedback=feedback)
    return result, geopandas.read_file(result["OUTPUT"]), feedback.textLog()


def test_from_a_table_to_marks(tmp_path):
    hamlets = pyogrio.read_dataframe(TOWN, layer="hamlet")
    units = pyogrio.read_dataframe(TOWN, layer="administrative_unit").set_index("unit_code")["name"]
    hamlet = hamlets.iloc[5]
    centre = hamlets.geometry.to_crs("EPSG:4326").iloc[7].representative_point()
    result, found, log = run(tmp_path, (
        "Thời gian,Thôn,Xã,Vĩ độ,Kinh độ,Độ sâu,Điện thoại\n"
        f"7h,{hamlet['name']},{units[hamlet['commune_code']]},,,ngang đầu gối,0900000000\n"
        f"7h15,,,{centre.y:.6f},{centre.x:.6f},\"0,5m\",\n8h,,,,,1m,\n"))
    assert (result["REPORTS"], result["UNUSABLE_ROWS"]) == (2, 1) and "không có tọa độ" in log
    assert found["level_m"].tolist() == pytest.approx((found["ground_m"] + found["depth_m"]).tolist())
    assert hamlet.geometry.contains(found.geometry[0]) and "0900000000" not in found.to_csv()
    assert "4," in Path(result["UNUSABLE"]).read_text("utf-8")


@pytest.mark.parametrize("text, change, words", [
    ("a,b\n1,2\n", {}, "không có cột"),
    ("depth\n1m\n", {"CRS": "EPSG:4326"}, "hệ tọa độ phẳng"),
    ("depth\n1m\n", {"HAMLETS": f"{TOWN}|layername=dyke|geometrytype=Polygon"}, "thiếu trường|Không đọc được"),
    ("depth\n1m\n", {"HAMLETS": f"{TOWN}|layername=zone"}, "thiếu trường"),
    ("depth\n1m\n", {"REFERENCE_DATE": "hôm qua"}, "không phải là ngày"),
    ("depth\n1m\n", {}, "Không có tin báo nào"),
])
def test_bad_input_is_one_sentence(tmp_path, text, change, words):
    with pytest.raises(QgsProcessingException, match=words):
        run(tmp_path, text, **change)
    assert not (tmp_path / "tin.gpkg").exists()
