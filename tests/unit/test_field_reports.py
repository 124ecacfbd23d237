"""Reports as people tell them: depths in figures and words, places, times, duplicates; nothing is dropped without a reason."""

import datetime

import geopandas
import numpy as np
import openpyxl
import pandas
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from quyhoach.processing_algorithms.common.errors import InputError
from quyhoach.processing_algorithms.disaster.bulletin.bulletin_words import fold
from quyhoach.processing_algorithms.disaster.field_reports.field_reports import field_reports, with_levels
from quyhoach.processing_algorithms.disaster.field_reports.report_depth import told_depth
from quyhoach.processing_algorithms.disaster.field_reports.report_table import ReportTable, read_report_table

TODAY = datetime.date(2026, 11, 25)
CRS = "EPSG:9214"
HAMLETS = geopandas.GeoDataFrame(
    {"name": ["Tổ dân phố 3", "Thôn Đông", "Thôn Đông"], "commune_code": ["99001", "99001", "99002"],
     "commune_name": ["Phường Lam", "Phường Lam", "Xã Bến"]},
    geometry=[shapely.box(548000 + 1000 * k, 1829000, 548100 + 1000 * k, 1829100) for k in range(3)], crs=CRS)

DEPTHS = {
    "0,5m": (0.4, 0.5, 0.6), "50cm": (0.4, 0.5, 0.6), "0,5-0,7m": (0.4, 0.6, 0.8), "5 tấc": (0.4, 0.5, 0.6), "1m2": (1.1, 1.2, 1.3),
    "1m20": (1.1, 1.2, 1.3), "1m05": (0.95, 1.05, 1.15), "nửa mét": (0.4, 0.5, 0.6), "1 mét rưỡi": (1.4, 1.5, 1.6), "hơn 1m": (1.0, 1.0, 1.3),
    "gần 1 m": (0.7, 1.0, 1.0), "từ 0,3 đến 0,5 mét": (0.2, 0.4, 0.6), "0.5": (0.4, 0.5, 0.6), "50": (0.4, 0.5, 0.6),
    "ngang đầu gối": (0.4, 0.5, 0.6), "nước tới ngực": (1.15, 1.3, 1.45), "ngập nửa bánh xe": (0.25, 0.3, 0.4), "nước đã rút": (0, 0, 0), "khô": (0, 0, 0), "đường vẫn khô": (0, 0, 0),
    "ngang gối, chừng 6 tấc": (0.5, 0.6, 0.7), "đường số 5 ngập 0,4m": (0.3, 0.4, 0.5),
    # what the water rose or fell, and how high or long something is, are no depths
    "nước rút 20cm còn 30cm": (0.2, 0.3, 0.4), "dâng thêm 10cm, giờ 60cm": (0.5, 0.6, 0.7), "đê cao 3m, nước ngập 0,4m": (0.3, 0.4, 0.5),
    "dài 5m sâu 0,4m": (0.3, 0.4, 0.5), "ngập 1m, 20 hộ": (0.9, 1.0, 1.1), "một mét hai": (1.1, 1.2, 1.3), "năm mươi phân": (0.4, 0.5, 0.6),
    "hai gang tay": (0.3, 0.4, 0.5), "quá gối": (0.5, 0.6, 0.7), "chưa tới gối": (0.3, 0.4, 0.5), "ngập cổ chân": (0.05, 0.1, 0.15),
    "không quá 0,5m": (0.2, 0.5, 0.5), "chưa ngập": (0, 0, 0),
}


@pytest.mark.parametrize("text", DEPTHS)
def test_depths(text):
    for written in (text, fold(text)):
        told = told_depth(written)
        assert (told.low_m, told.depth_m, told.high_m) == pytest.approx(DEPTHS[text])


@pytest.mark.parametrize("text", ["", "ngập sâu", "7", "ngập 2 thôn", "200 hộ", "ngập 40 m", "0,7-0,5m", "-", "5", "-0,5m", "0,5m2", "rút bớt 2 tấc", "cách mái 0,5m", "Bến xe ngập",
                                  "ngập bên đường", "vài nơi ngập", "vai đường ngập", "có nơi ngập sâu", "không ngập sâu", "gọi cứu hộ"])
def test_no_depth_is_no_depth(text):
    assert told_depth(text) is None


def test_words_say_how_sure_they_are():
    assert told_depth("ngang bụng").confidence == "analogy" and told_depth("1m").confidence == ""


def table(*rows, shapes=None):
    frame = pandas.DataFrame(list(rows)).fillna("")
    frame.insert(0, "row", range(2, len(frame) + 2))
    return ReportTable(frame, shapes or [None] * len(frame), {})


def reports(*rows, shapes=None, **options):
    return field_reports(table(*rows, shapes=shapes), crs=CRS, hamlets=HAMLETS, today=TODAY, **options)


HERE = {"longitude": "107.45", "latitude": "16.54"}


def test_quality_counts_what_lacks():
    found = reports({**HERE, "depth": "0,5m", "time": "25/11/2026 7:30"}, {**HERE, "depth": "ngang gối", "time": "7h30 25/11"},
                    {"hamlet": "tdp 3", "depth": "0,5m"}, join_distance_m=0).reports
    assert found["quality"].tolist() == ["good", "fair", "poor"]
    assert found["reported_at"].tolist()[:2] == ["2026-11-25T07:30+07:00"] * 2
    # sqrt(100 x 100 / pi)
    assert found["accuracy_m"].tolist() == [10.0, 10.0, 56.4]


def test_places():
    found = reports({"latitude": "107,45", "longitude": "16,54", "depth": "1m"}, {"place": "16.54, 107.45", "depth": "1m"},
                    {"place": "16,54; 107,45", "depth": "1m"}, {"north": "1829050", "east": "548050", "depth": "1m"},
                    {"hamlet": "thôn Đông", "commune": "xã Bến", "depth": "1m"}, coordinates_crs=CRS, join_distance_m=0)
    points = found.reports.geometry
    assert points[0].equals(points[1]) and points[1].equals(points[2])
    expected = geopandas.GeoSeries([shapely.Point(107.45, 16.54)], crs="EPSG:4326").to_crs(CRS)[0]
    assert points[0].distance(expected) < 1  # to_crs pins EPSG 6960, geopandas alone may not
    assert points[3].equals(shapely.Point(548050, 1829050)) and HAMLETS.geometry[2].contains(points[4])
    assert len(found.notes) == 1 and "đổi chỗ" in found.notes[0]


@pytest.mark.parametrize("row, words", [
    ({"depth": "1m"}, "không có tọa độ"),
    ({"depth": "1m", "longitude": "10", "latitude": "45"}, "ngoài Việt Nam"),
    ({"depth": "1m", "longitude": "abc", "latitude": "45"}, "không phải là số"),
    ({"depth": "1m", "north": "1829050", "east": "548050"}, "chưa chọn hệ tọa độ"),
    ({"depth": "1m", "hamlet": "thôn Đông"}, "2 thôn"),
    ({"depth": "1m", "hamlet": "thôn Tây"}, "không có thôn"),
    ({"depth": "1m", "commune": "xã Bến"}, "chỉ có tên xã"),
])
def test_rows_that_cannot_be_placed_are_handed_back(row, words):
    found = reports({**HERE, "depth": "1m"}, row)
    assert len(found.reports) == 1 and found.unusable["row"].tolist() == [3] and words in found.unusable["reason"][0]


def test_swapped_metres_are_asked_about():
    found = reports({"north": "548050", "east": "1829050", "depth": "1m"}, coordinates_crs=CRS)
    assert "đổi chỗ" in found.unusable["reason"][0]


def test_the_same_thing_told_twice_is_one():
    near = {"longitude": "107.4501", "latitude": "16.54"}  # 10,7 m to the east
    rows = [{**HERE, "depth": "0,5m", "time": "7h 25/11/2026"}, {**near, "depth": "0,7m", "time": "7h20 25/11/2026", "photo": "a.jpg"},
            {**HERE, "depth": "0,9m", "time": "11h 25/11/2026"}, {**HERE, "text": "sạt lở bờ kè", "time": "7h 25/11/2026"}]
    found = reports(*rows)
    assert found.joined == 1 and found.reports["rows"].tolist() == ["2, 3", "4", "5"]
    first = found.reports.iloc[0]
    assert (first.depth_low_m, first.depth_m, first.depth_high_m, first.reports, first.photo) == (0.4, 0.6, 0.8, 2, "a.jpg")
    assert not first.contradictory and found.reports["kind"].tolist() == ["flooding", "flooding", "landslide"]
    rows[1]["depth"] = "1,2m"
    assert reports(*rows).reports["contradictory"].tolist() == [True, False, False]


@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 300), st.integers(0, 20)), min_size=1, max_size=25))
def test_joining_loses_no_row_and_keeps_depths_in_range(told):
    rows = [{"longitude": f"{107.45 + 0.0002 * x:.4f}", "latitude": "16.54", "depth": f"{d / 10:.1f}m".replace(".", ","),
             "time": f"2026-11-25 {minute // 60:02}:{minute % 60:02}:00"} for x, minute, d in told]
    found = reports(*rows)
    named = sorted(int(row) for text in found.reports["rows"] for row in text.split(", "))
    assert named == list(range(2, len(told) + 2)) and found.reports["reports"].sum() == len(told)
    assert (found.reports["depth_low_m"] <= found.reports["depth_m"]).all() and (found.reports["depth_m"] <= found.reports["depth_high_m"]).all()


def test_levels_are_ground_plus_depth():
    found = with_levels(reports({**HERE, "depth": "0,5m"}, {**HERE, "text": "ngập"}, join_distance_m=0).reports, np.array([2.25, 2.0]))
    assert found["level_m"][0] == 2.75 and np.isnan(found["level_m"][1])


def test_files(tmp_path):
    folder = tmp_path / "tin báo"
    folder.mkdir()
    (folder / "a.csv").write_bytes("\ufeffThời gian;Độ sâu (m);Kinh độ;Vĩ độ;Họ tên\n25/11/2026 7h;0,5;107,45;16,54;Ân\n;;;;\n".encode())
    book = openpyxl.Workbook()
    book.active.append(["Tin báo ngày 25/11"])
    book.active.append(["STT", "Thời gian", "Độ sâu ngập", "Toạ độ", "Nội dung"])
    book.active.append([1, datetime.datetime(2026, 11, 25, 7), 0.5, "16.54, 107.45", "ngập"])
    book.save(folder / "a.xlsx")
    geopandas.GeoDataFrame({"depth": [0.5], "time": ["2026-11-25 07:00"]}, geometry=[shapely.Point(107.45, 16.54)],
                           crs="EPSG:4326").to_file(folder / "a.geojson")
    for name, row in (("a.csv", 2), ("a.xlsx", 3), ("a.geojson", 2)):
        read = read_report_table(folder / name)
        found = field_reports(read, crs=CRS, today=TODAY)
        assert found.reports["depth_m"].tolist() == [0.5] and found.reports["quality"].tolist() == ["good"], name
        assert read.rows["row"].tolist() == [row]
    (folder / "b.csv").write_text("a,b\n1,2\n")
    (folder / "c.csv").write_text("depth\n")
    (folder / "d.xlsx").write_bytes(b"no workbook")
    (folder / "e.csv").write_bytes("độ sâu\n0,5\n".encode()[:-2] + b"\xff\xfe\xfd")
    for name, words in (("b.csv", "không có cột"), ("c.csv", "không có dòng"), ("d.xlsx", "Không đọc được"), ("e.csv", "Không đọc được"),
                        ("f.csv", "Không có tệp"), ("a.pdf", "")):
        (folder / "a.pdf").write_text("x")
        with pytest.raises(InputError, match=words):
            read_report_table(folder / name)
