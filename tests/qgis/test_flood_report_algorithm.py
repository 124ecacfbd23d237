"""quyhoach:floodreport through the registry: bulletin in; annex, picture, text, tables out; whole or not at all."""

import subprocess
from pathlib import Path

import geopandas
import openpyxl
import processing
import pyogrio
import pytest
from osgeo import gdal
from qgis.core import QgsProcessingException, QgsProcessingFeedback

SAMPLES = Path(__file__).resolve().parents[2] / "data_samples"


def layer(name):
    return f"{SAMPLES / 'town.gpkg'}|layername={name}"


def run(folder, feedback=None, **parameters):
    return processing.run("quyhoach:floodreport", {
        "FILE": str(SAMPLES / "bulletin_alarm_3.txt"), "STATIONS": layer("gauge"), "TERRAIN": str(SAMPLES / "terrain.tif"), "BUILDINGS": layer("building"),
        "OUTPUT": str(folder), **parameters}, feedback=feedback or QgsProcessingFeedback(False))


FULL = {"SOURCE": layer("river|subset=kind = 'river'"), "RIVERS": layer("river_axis"), "DYKES": layer("dyke"), "UNITS": layer("administrative_unit|subset=valid_to IS NULL"),
        "HAMLETS": layer("hamlet"), "ROADS": layer("road"), "FACILITIES": layer("facility"), "SHELTERS": layer("shelter"), "PLACE": "đô thị Lam Trạch", "RISK_LEVEL": "cấp 3",
        "REPORTED": "Phường Bắc Trạch: 02 nhà tốc mái", "READINGS": 1}


@pytest.fixture(scope="module")
def full(tmp_path_factory):
    folder = tmp_path_factory.mktemp("report") / "báo cáo sáng"
    return folder, run(folder, **FULL)


def test_the_sample_town(full):
    folder, result = full
    assert {p.name for p in folder.iterdir()} == {"phu_luc_ngap_lut.pdf", "anh_dien_thoai.png", "tin_nhan.txt", "so_lieu.xlsx", "bao_cao.gpkg", "do_sau_ngap.tif", "khoang_do_sau.tif"}
    text = subprocess.run(["pdftotext", "-layout", result["PDF"], "-"], capture_output=True, text=True, check=True).stdout
    for words in ("PHỤ LỤC ƯỚC TÍNH NGẬP LỤT", "BAN CHỈ HUY PHÒNG THỦ DÂN SỰ TỈNH", "cấp 3", "02 nhà tốc mái", "Khe Mây", "5,25", "Phường Lam Trạch", "BẢN ĐỒ NGẬP LỤT ƯỚC TÍNH", "Hòn Dấu",
                  "không phải quyết định cấm đường", "04:00 ngày 02/11/2026"):
        assert words in text, words
    wet = pyogrio.read_dataframe(result["GPKG"], layer="tong_hop", read_geometry=False)
    assert wet[wet["level"] == "hamlet"]["residents"].sum() == result["WET_RESIDENTS"] > 0
    houses = geopandas.read_file(result["GPKG"], layer="cong_trinh_ngap")
    assert houses.loc[houses["depth_class"] > 0, "residents"].sum() == result["WET_RESIDENTS"]
    assert (folder / "tin_nhan.txt").read_text("utf-8-sig").strip() == result["MESSAGE"] and result["MESSAGE"].count("\n") == 9
    picture = gdal.Open(result["PNG"])
    assert (picture.RasterXSize, picture.RasterYSize) == (1080, 1920) and len(set(picture.GetRasterBand(1).ReadAsArray()[200:1000].ravel().tolist())) > 50
    book = openpyxl.load_workbook(result["XLSX"])
    assert {"Mực nước", "Thấp - giữa - cao", "Cơ sở", "Tổng hợp"} <= set(book.sheetnames)
    assert {"Trạm y tế", "Trường tiểu học"} <= {cell.value for cell in book["Cơ sở"]["A"]}
    # Print is Vietnamese and without internal names whatever the interface speaks (here English).
    assert "car, ambulance" not in result["MESSAGE"] and not any(word in text for word in ("are not", "households", "common_practice", "memory"))
    # No name of a person, no telephone of the sample is printed.
    assert "0" * 3 + "-" not in text


def test_only_what_is_needed_and_the_change_since_the_last_report(full, tmp_path):
    result = run(tmp_path / "ít", TEXT="Lam Trạch 5,2m lúc 11h ngày 2/11/2026", PREVIOUS=full[1]["GPKG"])
    # Nobody is told that no commune is in the water when no layer of communes was given.
    assert "Theo xã, phường: chưa có lớp xã, phường." in result["MESSAGE"] and "Đường: chưa có lớp" in result["MESSAGE"]
    assert result["WET_AREA"] > 0 and result["CUT_OFF_RESIDENTS"] is None and Path(result["PDF"]).exists()
    assert "So với báo cáo trước: nhà +" in result["MESSAGE"]


@pytest.mark.parametrize("change, words", [
    ({"TEXT": "Lam Trạch 46,3 m"}, "khó có thật"), ({"TEXT": " ", "FILE": ""}, "dán bản tin"), ({"DEPTH_CLASSES": "không có"}, "common_practice_6"),
    ({"UNITS": layer("parcel")}, "không có trường name"), ({"HAMLETS": layer("dyke")}, "dạng vùng"), ({"PREVIOUS": str(SAMPLES / "town.gpkg")}, "bao_cao.gpkg"),
    ({"REFERENCE_DATE": "mai"}, "không phải là ngày"),
])
def test_refused_with_nothing_left_behind(tmp_path, change, words):
    folder = tmp_path / "báo cáo"
    with pytest.raises(QgsProcessingException, match=words):
        run(folder, **change)
    assert not folder.exists() or not list(folder.iterdir())
