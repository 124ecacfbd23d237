"""The land balance: squares whose areas are plain, norms on both sides of every figure, and tables as consultants make them."""

from __future__ import annotations

import datetime
import doctest

import geopandas
import numpy as np
import pandas
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import Workbook, load_workbook
from quyhoach.processing_algorithms.common.errors import InputError
from quyhoach.processing_algorithms.common.workbook import write_workbook
from quyhoach.processing_algorithms.zoning.land_balance.land_balance import land_balance
from quyhoach.processing_algorithms.zoning.land_balance.land_balance_norms import balance_norms
from quyhoach.processing_algorithms.zoning.land_balance.land_balance_workbook import balance_frame, balance_sheets
from quyhoach.processing_algorithms.zoning.land_balance.stated_balance import compare_stated, read_stated
from quyhoach.processing_algorithms.zoning.plans import function_names
from quyhoach.processing_algorithms.zoning.plans.function_names import match_function

CRS = "EPSG:9214"
OLD, NEW = datetime.date(2026, 6, 1), datetime.date(2027, 6, 1)
box = shapely.box


def layer(shapes, crs=CRS, **columns):
    frame = geopandas.GeoDataFrame(columns, geometry=geopandas.GeoSeries(list(shapes), dtype="geometry"), crs=crs)
    frame.index = pandas.Index(range(1, len(frame) + 1), name="fid")
    return frame


def strips(**hectares):
    """One zone of 100 m height per function."""
    shapes, x = [], 0.0
    for ha in hectares.values():
        shapes.append(box(x, 0, x + 100 * ha, 100))
        x += 100 * ha
    return layer(shapes, cn=list(hectares))


def column(balance, name):
    return balance.rows.set_index(np.where(balance.rows["code"] != "", balance.rows["code"],
                                           balance.rows["kind"]))[name].to_dict()


def test_areas_shares_and_land_per_person():
    # 6, 3 and 1 ha for 500 people: 120, 60 and 20 m2 each.
    balance = land_balance(strips(NO=6, GT=3, CN=1), "cn", population=500)
    assert column(balance, "area_ha") == {"NO": 6, "GT": 3, "CN": 1, "total": 10, "overlap": 0, "outside": 0, "gap": 0, "boundary": 10}
    assert [column(balance, "share_pct")[code] for code in ("NO", "GT", "CN", "boundary")] == [60, 30, 10, 100]
    assert [column(balance, "m2_per_person")[code] for code in ("NO", "GT", "CN")] == pytest.approx([120, 60, 20])
    assert balance.rows["group"].tolist()[:3] == ["civil", "civil", "non_civil"]


def test_overlap_outside_and_gap_are_rows_of_their_own_and_close():
    # Boundary 0-100 x 0-100. Zones: 0-60 and 50-90 (10 overlap), 95-110 (10 outside); 90-95 has none.
    zones = layer([box(0, 0, 60, 100), box(50, 0, 90, 100), box(95, 0, 110, 100)], cn=["NO", "CXCC", "GT"])
    balance = land_balance(zones, "cn", boundary=layer([box(0, 0, 100, 100)]), population=100)
    assert column(balance, "area_ha") == {
        "NO": 0.6, "CXCC": 0.4, "GT": 0.15, "total": 1.15, "overlap": -0.1, "outside": -0.1, "gap": 0.05,
        "boundary": 1.0}
    assert balance.overlapping == [(1, 2, pytest.approx(1000))] and balance.gap_parts == 1
    assert column(balance, "share_pct")["boundary"] == 100


@settings(max_examples=15, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(["NO", "CXCC", "GT", "NN", "XYZ", ""]), st.integers(0, 60),
                          st.integers(0, 60),
                          st.floats(1, 40), st.floats(1, 40)), min_size=1, max_size=12), st.floats(5, 90),
       st.integers(0, 4))
def test_the_balance_always_closes_as_printed(cells, side, decimals):
    zones = layer([box(x, y, x + w, y + h) for _, x, y, w, h in cells], cn=[code for code, *_ in cells])
    limit = box(0, 0, side, side)
    balance = land_balance(zones, "cn", boundary=layer([limit]), decimals=decimals)
    rows = balance.rows
    functions = rows[rows["kind"] == "function"]

    def row(kind):
        return rows[rows["kind"] == kind].iloc[0]

    # Brute force of the identity on unrounded areas.
    union = shapely.union_all(zones.geometry.to_numpy())
    assert row("outside")["area_m2"] == pytest.approx(-union.difference(limit).area, abs=1e-5)
    assert row("gap")["area_m2"] == pytest.approx(limit.difference(union).area, abs=1e-5)
    assert row("overlap")["area_m2"] == pytest.approx(union.area - zones.area.sum(), abs=1e-5)
    for name, digits in (("area_ha", decimals), ("share_pct", 2)):
        ends = [row(kind)[name] for kind in ("overlap", "outside", "gap")]
        assert round(functions[name].sum(), digits) == row("total")[name]
        assert round(row("total")[name] + sum(ends), digits) == row("boundary")[name]
    assert row("boundary")["area_ha"] == pytest.approx(limit.area / 1e4, abs=0.5 * 10.0**-decimals + 1e-9)
    assert (abs(functions["area_ha"] - functions["area_m2"] / 1e4) < 10.0**-decimals).all()
    assert functions["zones"].sum() == len(zones)


def test_names_unknown_values_and_blanks():
    zones = layer([box(0, 0, 10, 10), box(10, 0, 20, 10), box(20, 0, 30, 10), box(30, 0, 40, 10)],
                  cn=["Đất nhóm nhà ở", " cxcc ", "Bãi đáp", None])
    balance = land_balance(zones, "cn")
    assert balance.rows["code"].tolist()[:4] == ["NO", "CXCC", "", "Bãi đáp"]
    assert balance.matched == {"Đất nhóm nhà ở": "NO"} and balance.unknown_ids == [3] and balance.blank_ids == [4]
    assert balance.rows["group"].tolist()[:4] == ["civil", "civil", "unknown", "unknown"]


def test_groups_differ_between_levels():
    zones = strips(LX=1, YT=1, NO=1)
    assert land_balance(zones, "cn").area_m2(group="civil") == pytest.approx(30000)
    assert land_balance(zones, "cn", general=True).area_m2(group="civil") == pytest.approx(10000)


def test_bad_input_is_told_together():
    with pytest.raises(InputError) as caught:
        land_balance(layer([box(0, 0, 1, 1)], crs="EPSG:4326", cn=["NO"]), "chức năng",
                     boundary=layer([box(0, 0, 1, 1)], crs=None),
                     population=0)
    message = str(caught.value)
    assert "chức năng" in message and "hệ tọa độ phẳng" in message and "Lớp ranh giới" in message and "Dân số" in message


def norm(ha, functions, *, people=100_000, on=OLD, settlement="III", level="general", bound="min"):
    """Return the row of a function set for an area in hectares."""
    balance = land_balance(strips(**ha), "cn", population=people, general=level == "general")
    found = balance_norms(balance, on=on, settlement=settlement, plan_level=level)
    return found[(found["functions"] == functions) & (found["bound"] == bound)].iloc[0]


#: Function, settlement, people, m2 per person asked: hand-copied from the tables of QCVN 01:2021.
ASKED = [
    ("TRUONG", "III", 100_000, 1.8, "Bảng 2.4"),   # (50 x 12 + 65 x 10 + 55 x 10) / 1000
    ("THPT", "III", 100_000, 0.4, "Bảng 2.3"),     # 40 x 10 / 1000, from 20,000 people
    ("YT", "III", 100_000, 0.4, "Bảng 2.3"),       # 4 beds x 100 / 1000
    ("BDX", "III", 200_000, 4.0, "Bảng 2.18"), ("BDX", "III", 150_000, 4.0, "Bảng 2.18"),
    ("BDX", "III", 149_999, 3.5, "Bảng 2.18"), ("BDX", "III", 50_000, 3.5, "Bảng 2.18"), ("BDX", "III", 49_999, 2.5, "Bảng 2.18"),
    ("NTR", "III", 100_000, 0.4, "mục 2.13"),      # 0.04 ha per 1,000 people
    ("TRUONG", "rural", 5_000, 1.8, "Bảng 2.32"),
]


@pytest.mark.parametrize("code, settlement, people, asked, table", ASKED)
def test_land_per_person_on_both_sides_of_every_figure(code, settlement, people, asked, table):
    for per_person, verdict in ((asked * 1.001, "kept"), (asked, "kept"), (asked * 0.999, "broken")):
        row = norm({code: per_person * people / 1e4}, code, people=people, settlement=settlement)
        assert row["verdict"] == verdict and row["limit"] == pytest.approx(asked)
        assert "QCVN 01:2021/BXD" in row["citation"] and table in row["citation"] and row["confidence"] == "text"
        assert row["valid_to"] == datetime.date(2026, 12, 31)


@pytest.mark.parametrize("functions, asked", [("NO LX", 25), ("TRUONG THPT YT VH TDTT DV CQ", 5), ("GT BDX HTK", 5), ("CXCC", 2)])
def test_rural_settlements(functions, asked):
    first = functions.split()[0]
    for per_person, verdict in ((asked, "kept"), (asked * 0.999, "broken")):
        row = norm({first: per_person * 5000 / 1e4}, functions, people=5000, settlement="rural", level="sub_area")
        assert (row["verdict"], row["limit"]) == (verdict, asked) and "Bảng 2.31" in row["citation"]


@pytest.mark.parametrize("settlement, low, high",
                         [("I", 45, 60), ("II", 45, 60), ("III", 50, 80), ("IV", 50, 80), ("V", 70, 100)])
def test_civil_land_by_class_of_town(settlement, low, high):
    for per_person, lower, upper in ((low * 0.999, "broken", "kept"), (low, "kept", "kept"), (high, "kept", "kept"),
                                     (high * 1.001, "kept", "broken")):
        ha = {"NO": per_person}  # ha for 10,000 people is m2 per person
        found = [norm(ha, "", people=10_000, settlement=settlement, bound=bound) for bound in ("min", "max")]
        assert [row["verdict"] for row in found] == [lower, upper]
        assert [row["limit"] for row in found] == [low, high]


@pytest.mark.parametrize("settlement, town", [("special", 7), ("I", 6), ("II", 6), ("III", 5), ("IV", 5), ("V", 4)])
def test_public_green_of_town_and_units_cannot_be_told_apart(settlement, town):
    # A general plan: town and units (2 m2) together are surely enough; less than 70 % of the town's is surely not.
    for per_person, verdict in ((town + 2, "kept"), (town + 1.99, "open"), (0.7 * town, "open"),
                                (0.7 * town - 0.01, "broken")):
        assert norm({"CXCC": per_person}, "CXCC", people=10_000, settlement=settlement)["verdict"] == verdict
    # A sub-area plan may use the town's green beyond its boundary: at least the unit's reduced 1 m2 must be there.
    for per_person, verdict in ((town + 2, "kept"), (1.0, "open"), (0.99, "broken")):
        assert norm({"CXCC": per_person}, "CXCC", people=10_000, settlement=settlement,
                    level="sub_area")["verdict"] == verdict
    assert norm({"CXCC": 0.1}, "CXCC", people=10_000, settlement=settlement, level="detailed")["verdict"] == "open"


def test_sport_and_culture_of_the_town_and_of_the_units():
    # 0.6 + 0.8 + 0.8 for the town, 0.5 for the units.
    for per_person, verdict in ((2.7, "kept"), (2.69, "open"), (2.2, "open"), (2.19, "broken")):
        assert norm({"TDTT": per_person}, "TDTT VH", people=10_000)["verdict"] == verdict


def test_small_towns_need_no_upper_secondary_school_and_facts_that_lack_leave_it_open():
    balance = land_balance(strips(NO=1), "cn", population=19_999, general=True)
    assert "THPT" not in set(balance_norms(balance, on=OLD, settlement="V", plan_level="general")["functions"])
    nobody = balance_norms(land_balance(strips(NO=1, TRUONG=1), "cn"), on=OLD, settlement="V", plan_level="general")
    assert set(nobody["verdict"]) == {"open"} and all("dân số" in reason for reason in nobody["reason"])
    row = norm({"NO": 50.0}, "", people=10_000, settlement="", bound="min")
    assert row["verdict"] == "open" and "loại đô thị" in row["reason"]  # 45, 50 or 70


def test_land_that_may_have_the_function_leaves_a_lack_open():
    # 10,000 people need 1.8 ha of schools and have 1 ha. Land without a known function or without a zone may be the rest
    # where it is 0.8 ha, a strip of 80 m. What lies outside the boundary, or twice on the map, may be too much.
    def row(zones, limit):
        balance = land_balance(zones, "cn", boundary=layer([limit]), population=10_000, general=True)
        found = balance_norms(balance, on=OLD, settlement="III", plan_level="general")
        return found[found["functions"] == "TRUONG"].iloc[0]

    for more, verdict in ((0, "broken"), (79, "broken"), (81, "open")):
        ground = box(0, 0, 100 + more, 100)
        found = [row(layer([box(0, 0, 100, 100), box(100, 0, 100 + more, 100)], cn=["TRUONG", code]), ground)
                 for code in ("XYZ", "") if more]
        for one in [*found, row(layer([box(0, 0, 100, 100)], cn=["TRUONG"]), ground)]:
            assert (one["verdict"], one["measured"], one["limit"]) == (verdict, 1, 1.8)
            assert one["margin"] == pytest.approx(-0.8)
    for outside, verdict in ((0, "kept"), (1, "open")):
        one = row(layer([box(0, 0, 180, 100)], cn=["TRUONG"]), box(outside, 0, 180, 100))
        assert one["verdict"] == verdict
    assert "ngoài ranh giới" in one["reason"]
    twice = row(layer([box(0, 0, 100, 100), box(90, 0, 179, 100)], cn=["TRUONG", "TRUONG"]), box(0, 0, 179, 100))
    assert (twice["verdict"], twice["measured"]) == ("open", pytest.approx(1.89))


def _of_province(folder, *rows):
    """Write a province's table: level, key, classes, m2 per person at least and at most, what allows it."""
    head = ("level,key,name_vi,name_en,land_min_m2_person,land_max_m2_person,relaxed_min_m2_person,functions,urban_classes,"
            "population_min,population_max,exception_basis,regulation,table,row,source,valid_from,valid_to,confidence")
    lines = [f"{level},{key},Của tỉnh,Of the province,{low},{high},,{functions},{classes},,,{allowed},QĐ 12/2026,Bảng 1,{at},x,,,text"
             for at, (level, key, functions, classes, low, high, allowed) in enumerate(rows, 1)]
    (folder / "service_norms.csv").write_text("\n".join([head, *lines]), encoding="utf-8")
    return folder


@pytest.mark.parametrize(("low", "allowed", "limit", "quoted"), [
    # Schools of a unit: 0,6 + 0,65 + 0,55 = 1,80 m2 per person; the province's kindergartens 1,0 instead of 0,6: 2,20.
    ("1.0", "", 2.20, {"QĐ 12/2026", "QCVN 01:2021"}), ("0.6", "", 1.80, {"QCVN 01:2021"}), ("0.2", "", 1.80, {"QCVN 01:2021"}),
    # A law of its own lets the province ask for 0,2: 1,40.
    ("0.2", "NQ 98/2023/QH15", 1.40, {"QĐ 12/2026", "NQ 98/2023/QH15", "QCVN 01:2021"})])
def test_a_province_tightens_land_per_person_and_loosens_it_only_by_a_law(tmp_path, low, allowed, limit, quoted):
    folder = _of_province(tmp_path, ("unit", "kindergarten", "", "", low, "", allowed))
    balance = land_balance(strips(NO=6, TRUONG=1), "cn", population=500)
    found = balance_norms(balance, on=OLD, settlement="III", province_folder=folder).set_index("functions")
    assert found.loc["TRUONG", "limit"] == pytest.approx(limit)
    assert {text for text in ("QĐ 12/2026", "NQ 98/2023/QH15", "QCVN 01:2021") if text in found.loc["TRUONG", "citation"]} == quoted
    # What the province's table does not speak of stays the nation's.
    national = balance_norms(balance, on=OLD, settlement="III").set_index("functions")
    others = [name for name in national.index.unique() if name != "TRUONG"]
    assert set(found.index) == set(national.index)
    pandas.testing.assert_frame_equal(found.loc[others, ["limit_strictest", "limit_loosest", "verdict"]],
                                      national.loc[others, ["limit_strictest", "limit_loosest", "verdict"]])


def test_a_province_adds_norms_and_tightens_for_some_classes_of_towns(tmp_path):
    # Towns of class III: civil land at most 70 instead of 80; class IV keeps the nation's; technical infrastructure is new.
    folder = _of_province(tmp_path, ("city", "civil_land_III_IV", "", "III", "", "70", ""), ("city", "own", "HTK", "", "3", "", ""))
    balance = land_balance(strips(NO=6), "cn", population=500)
    limits = {}
    for town in ("III", "IV"):
        found = balance_norms(balance, on=OLD, settlement=town, plan_level="general", province_folder=folder)
        civil = found[(found["functions"] == "") & (found["bound"] == "max")]
        limits[town] = civil["limit"].iloc[0]
        assert found.loc[found["functions"] == "HTK", "limit"].tolist() == [3.0]
    assert limits == {"III": 70.0, "IV": 80.0}
    with pytest.raises(InputError, match="HTKT"):
        balance_norms(balance, on=OLD, province_folder=_of_province(tmp_path, ("city", "own", "HTKT", "", "3", "", "")))


def test_the_new_regulation_is_known_in_part_and_says_how_surely():
    row = norm({"TRUONG": 18}, "TRUONG", people=100_000, on=NEW)
    assert row["verdict"] == "kept" and row["confidence"] == "secondary" and "QCVN 01:2026/BXD" in row["citation"]
    before = balance_norms(land_balance(strips(NO=1), "cn", population=10), on=datetime.date(2020, 1, 1))
    assert before["verdict"].tolist() == ["open"] and "Chưa có số liệu" in before["reason"][0]


# The consultant's table --------------------------------------------------------------------------------------------

def workbook(path, rows, merges=(), sheet="QH", before=()):
    book = Workbook()
    book.active.title = "Bìa"
    book.active.append(["Thuyết minh"])
    page = book.create_sheet(sheet)
    for row in [*before, *rows]:
        page.append(list(row))
    for merge in merges:
        page.merge_cells(merge)
    book.save(path)
    return path


@pytest.fixture
def balance():
    return land_balance(strips(NO=6, CXCC=2, TRUONG=0.5, GT=3, CN=1), "cn", population=500)


def results(comparison):
    return {row.stated_text: (row.code, row.result) for row in comparison.itertuples()}


def test_merged_headers_texts_with_commas_groups_and_parts(tmp_path, balance):
    path = workbook(tmp_path / "bảng cân bằng.xlsx", [
        ["STT", "Loại đất", "Ký hiệu", "Quy hoạch", None], [None, None, None, "Diện tích (ha)", "Tỷ lệ (%)"],
        ["I", "Đất dân dụng", None, "11,50", "92"], ["1", "Đất nhóm nhà ở", "NO", "6,00", "48"], ["", "Nhà liền kề", "NO", "4,00", ""],
        ["", "Biệt thự", "NO", "2,00", ""], ["2", "Cây xanh sử dụng công cộng", None, "2,01", "16"], ["3", "Đất giao thông", "GT", "3", "24"],
        ["4", "Đất trường học", "TH", 0.5, 4], ["5", "Đất dự trữ", "DTR", "0,2", ""], ["6", "Công nghiệp", "CN", "một ha", ""],
        [None, "Tổng cộng", None, "12,50", "100"], ["Ghi chú: số liệu tư vấn", None, None, None, None]],
        merges=("D3:E3", "A3:A4", "B3:B4", "C3:C4"), before=[["BẢNG QUY HOẠCH SỬ DỤNG ĐẤT"], []])
    stated = read_stated(path)
    assert (stated.sheet, stated.unit, stated.header_line) == ("QH", "ha", 4)
    comparison = compare_stated(balance, stated)
    assert results(comparison) == {
        "Đất dân dụng": ("@civil", "same"), "Đất nhóm nhà ở": ("NO", "same"), "Nhà liền kề": ("NO", "part"), "Biệt thự": ("NO", "part"),
        "Cây xanh sử dụng công cộng": ("CXCC", "different"), "Đất giao thông": ("GT", "same"), "Đất trường học": ("TRUONG", "same"),
        "Đất dự trữ": ("", "unmatched"), "Công nghiệp": ("CN", "unread"), "Tổng cộng": ("@total", "same"),
        # What could not be read is not there either: our area without theirs.
        "Sản xuất công nghiệp, kho bãi": ("CN", "missing")}
    assert comparison.set_index("stated_text").at["Cây xanh sử dụng công cộng", "difference_ha"] == pytest.approx(0.01)
    assert comparison["line"].tolist()[0] == 5


def test_of_present_and_planned_areas_the_planned_ones_are_compared(tmp_path):
    rows = [["TT", "Loại đất", "Hiện trạng", None, "Quy hoạch", None],
            ["TT", "Loại đất", "Diện tích (m2)", "Tỷ lệ (%)", "Diện tích (m2)", "Tỷ lệ (%)"], [1, "Đất ở", 10, 20, "20.000", 40]]
    assert [row.area_m2 for row in read_stated(workbook(tmp_path / "a.xlsx", rows)).rows] == [20000.0]
    rows = [["Loại đất", "Diện tích hiện trạng (ha)", "Diện tích quy hoạch (ha)", "Tăng, giảm diện tích (ha)"], ["Đất ở", 1, 2, 1]]
    assert [row.area_m2 for row in read_stated(workbook(tmp_path / "b.xlsx", rows)).rows] == [20000.0]


def test_square_metres_above_the_table_and_codes_without_names(tmp_path, balance):
    path = workbook(tmp_path / "m2.xlsx", [["Ký hiệu", "Diện tích", "Tỷ lệ (%)"], ["NO", 60000, 48], ["cxcc", "20.000,4", 16],
                                           ["GT", 25000, 24], ["GT", 5000, 24], ["CN", 10000.6, 8]],
                    before=[["Đơn vị tính: m²"]])
    stated = read_stated(path)
    comparison = compare_stated(balance, stated).set_index("line")
    assert stated.unit == "m2"
    assert comparison.loc[[3, 4, 5, 6, 7], "result"].tolist() == ["same", "same", "same", "part", "same"]
    assert comparison.at[5, "stated_m2"] == 30000 and "5, 6" in comparison.at[5, "note"]
    assert results(comparison.reset_index())["Trường mầm non, tiểu học, THCS"] == ("TRUONG", "missing")


def test_numbers_formats_say_how_exact_a_figure_is(tmp_path, balance):
    path = tmp_path / "định dạng.xlsx"
    workbook(path, [["Chức năng", "Diện tích (ha)"], ["NO", 6.04], ["GT", 3.06]])
    book = load_workbook(path)
    for cell in ("B2", "B3"):
        book["QH"][cell].number_format = "0.0"
    book.save(path)
    # Shown 6,0 and 3,1: rounding explains less than 0.1 ha.
    assert compare_stated(balance, read_stated(path))["result"].tolist()[:2] == ["same", "same"]
    book["QH"]["B3"].number_format = "0.000"
    book.save(path)
    assert compare_stated(balance, read_stated(path))["result"].tolist()[:2] == ["same", "different"]


def test_workbooks_that_cannot_be_read_say_why(tmp_path):
    (tmp_path / "a.xlsx").write_bytes(b"khong phai excel")
    (tmp_path / "b.xls").write_bytes(b"\xd0\xcf\x11\xe0")
    with pytest.raises(InputError, match="xlsx"):
        read_stated(tmp_path / "a.xlsx")
    with pytest.raises(InputError, match="xls cũ"):
        read_stated(tmp_path / "b.xls")
    with pytest.raises(InputError, match="cột diện tích"):
        read_stated(workbook(tmp_path / "c.xlsx", [["Tên", "Số lượng"], ["NO", 3]]))
    with pytest.raises(InputError, match="đơn vị"):
        read_stated(workbook(tmp_path / "d.xlsx", [["Loại đất", "Diện tích"], ["NO", 3]]))
    with pytest.raises(InputError, match="Bìa, QH"):
        read_stated(tmp_path / "d.xlsx", "Sheet9")


def test_a_formula_without_its_value_is_not_taken_for_nothing(tmp_path, balance):
    path = workbook(tmp_path / "công thức.xlsx", [["Loại đất", "Diện tích (ha)"], ["Nhóm nhà ở", "=2+4"], ["Đất giao thông", 3]])
    row = compare_stated(balance, read_stated(path)).iloc[0]
    assert row["result"] == "unread" and "công thức" in row["note"]


@pytest.mark.parametrize("text, expected", [
    ("Đất ở", "NO"), ("Đất cây xanh, công viên", ""), ("Đất hỗn hợp", "HH"), ("Sông, suối, kênh, rạch", "SS"), ("Đất an ninh", "AN"),
    ("Đất an sinh", ""), ("Đất quốc phòng", "QP"), ("Trường THPT", "THPT"), ("Đất y tế", "YT"), ("1.1. Đất bãi đỗ xe", "BDX"),
    ("Hạ tầng kỹ thuật khác", "HTK"), ("Hạ tầng kĩ thuật khác", "HTK"), ("Cây xanh chuyên dụng", "CXCD"), ("Cây xanh", "CXCC"),
    ("Rừng phòng hộ", "RPH"), ("Rừng sản xuất", "RSX"), ("Tổng", ""), ("", "")])
def test_names_people_write(text, expected):
    assert match_function(text)[0] == expected


def test_examples_of_names_hold():
    assert doctest.testmod(function_names).failed == 0


def test_workbook_and_output_table(tmp_path, balance):
    stated = read_stated(workbook(tmp_path / "tv.xlsx",
                                  [["Loại đất", "Diện tích (ha)"], ["Nhóm nhà ở", 6.5], ["Tổng cộng", 12.5]]))
    comparison = compare_stated(balance, stated)
    frame = balance_frame(balance, comparison).set_index("code")
    assert frame.at["NO", "stated_ha"] == 6.5 and frame.at["NO", "difference_ha"] == pytest.approx(0.5)
    assert balance_frame(balance, comparison).query("kind == 'boundary'")["stated_ha"].tolist() == [12.5]
    norms = balance_norms(balance, on=OLD, settlement="IV")
    path = tmp_path / "cân bằng.xlsx"
    write_workbook(path, balance_sheets(balance, norms, stated, comparison, subtitle="ha", notes=[]))
    book = load_workbook(path)
    assert book.sheetnames == ["Cân bằng đất", "So với quy chuẩn", "So với bảng tư vấn"]
    page = [[cell.value for cell in row] for row in book["Cân bằng đất"].iter_rows()]
    areas = {row[1]: row[3] for row in page if row[1]}
    assert areas["Đất dân dụng"] == 11.5 and areas["Nhóm nhà ở"] == 6 and areas["Tổng diện tích trong ranh giới"] == 12.5
    assert any("*" in str(row[1]) for row in page) and any(str(row[0]).startswith("* Xếp nhóm") for row in page)
