"""Every row of QCVN 01:2021's tables: the expected verdict just inside and just outside, and between the rows.

The figures below are typed from the regulation's text, not read from the plugin's tables, so that a slip in either shows.
"""

from __future__ import annotations

import datetime

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from quyhoach.processing_algorithms.common.errors import InputError
from quyhoach.processing_algorithms.common.norms import deciding_date
from quyhoach.processing_algorithms.common.norms.loader import FOLDER
from quyhoach.processing_algorithms.zoning.compliance.lot_kinds import lot_kinds
from quyhoach.processing_algorithms.zoning.compliance.norm_answers import COLUMNS
from quyhoach.processing_algorithms.zoning.compliance.norm_distances import (
    planted_share_limits,
    setback_limits,
    spacing_limits,
)
from quyhoach.processing_algorithms.zoning.compliance.norm_limits import (
    far_limits,
    far_limits_existing_area,
    gross_density_limits,
    net_density_limits,
)
from quyhoach.processing_algorithms.zoning.compliance.verdicts import judge

DAY = datetime.date(2026, 6, 1)
NAN = float("nan")

#: Bảng 2.8: lot area m2 -> %.
TABLE_2_8 = {90: 100, 100: 90, 200: 70, 300: 60, 500: 50, 1000: 40}
AREAS = (3000, 10000, 18000, 35000)
#: Bảng 2.9: height m -> % at the four areas. 46.5 stands for "above 46".
TABLE_2_9 = {
    16: (75, 65, 63, 60), 19: (75, 60, 58, 55), 22: (75, 57, 55, 52), 25: (75, 53, 51, 48), 28: (75, 50, 48, 45),
    31: (75, 48, 46, 43), 34: (75, 46, 44, 41), 37: (75, 44, 42, 39), 40: (75, 43, 41, 38), 43: (75, 42, 40, 37),
    46: (75, 41, 39, 36), 46.5: (75, 40, 38, 35),
}
TABLE_2_10 = {
    16: (80, 70, 68, 65), 19: (80, 65, 63, 60), 22: (80, 62, 60, 57), 25: (80, 58, 56, 53), 28: (80, 55, 53, 50),
    31: (80, 53, 51, 48), 34: (80, 51, 49, 46), 37: (80, 49, 47, 44), 40: (80, 48, 46, 43), 43: (80, 47, 45, 42),
    46: (80, 46, 44, 41), 46.5: (80, 45, 43, 40),
}
#: Bảng 2.12: floor-area ratio in existing areas.
TABLE_2_12 = {
    16: (4.0, 3.5, 3.4, 3.25), 19: (4.8, 3.9, 3.78, 3.6), 22: (5.6, 4.34, 4.2, 3.99), 25: (6.4, 4.64, 4.48, 4.24),
    28: (7.2, 4.95, 4.77, 4.5), 31: (8.0, 5.3, 5.1, 4.8), 34: (8.8, 5.61, 5.39, 5.06), 37: (9.6, 5.88, 5.64, 5.28),
    40: (10.4, 6.24, 5.98, 5.59), 43: (11.2, 6.58, 6.3, 5.88), 46: (12.0, 6.9, 6.6, 6.15), 46.5: (12.8, 7.2, 6.88, 6.4),
}
#: Bảng 2.7: road width m -> setback m at heights just below 19, 19, just below 22, 22, just below 28, 28.
TABLE_2_7 = {
    10: (0, 3, 3, 4, 4, 6), 18.99: (0, 3, 3, 4, 4, 6), 19: (0, 0, 0, 3, 3, 6), 21.99: (0, 0, 0, 3, 3, 6),
    22: (0, 0, 0, 0, 0, 6), 60: (0, 0, 0, 0, 0, 6),
}
HEIGHTS_2_7 = (18.99, 19, 21.99, 22, 27.99, 28)


def _cells(table):
    return [(height, area, value) for height, row in table.items() for area, value in zip(AREAS, row)]


def both_sides(limits, limit, upper=True, step=0.01):
    """The limit itself keeps, a hair inside keeps, a hair outside breaks."""
    assert limits["value"].iloc[0] == pytest.approx(limit, abs=1e-9)
    inside, outside = (limit - step, limit + step) if upper else (limit + step, limit - step)
    for measured, expected in ((inside, "kept"), (limit, "kept"), (outside, "broken")):
        assert judge([measured], limits, upper=upper)["verdict"].tolist() == [expected]
    row = limits.iloc[0]
    assert row["regulation"] == "QCVN 01:2021/BXD" and row["table"] in row["citation"] and row["row"] in row["citation"]
    assert row["confidence"] == "text" and row["valid_to"] == datetime.date(2026, 12, 31)


@pytest.mark.parametrize("area, limit", TABLE_2_8.items())
def test_houses_at_every_row(area, limit):
    both_sides(net_density_limits("house", area, on=DAY), limit)


@pytest.mark.parametrize("area, limit, row", [
    (50, 100, "lô ≤ 90 m²"),                      # below the first row: its value
    (95, 95, "lô 90-100 m² (nội suy)"),           # 100 - (95-90)/(100-90) * 10
    (150, 80, "lô 100-200 m² (nội suy)"),         # 90 - 50/100 * 20
    (260, 64, "lô 200-300 m² (nội suy)"),         # 70 - 60/100 * 10
    (350, 57.5, "lô 300-500 m² (nội suy)"),       # 60 - 50/200 * 10
    (600, 48, "lô 500-1.000 m² (nội suy)"),       # 50 - 100/500 * 10
    (5000, 40, "lô ≥ 1.000 m²"),                  # above the last row: its value
])
def test_houses_between_the_rows(area, limit, row):
    limits = net_density_limits("house", area, on=DAY)
    both_sides(limits, limit)
    assert limits["row"].tolist() == [row]
    assert limits["citation"].tolist() == [f"QCVN 01:2021/BXD, mục 2.6.3 Bảng 2.8, {row}"]


@pytest.mark.parametrize("kind, table", [("apartment", TABLE_2_9), ("mixed", TABLE_2_10)])
def test_apartments_and_mixed_lots_at_every_cell(kind, table):
    for height, area, limit in _cells(table):
        both_sides(net_density_limits(kind, area, height, on=DAY), limit)


@pytest.mark.parametrize("kind, height, area, limit, row", [
    # One way: 65 + (75 - 65) * (10000 - 6500)/7000 = 70.
    ("apartment", 16, 6500, 70, "cao ≤ 16 m, lô 3.000-10.000 m² (nội suy)"),
    # The other: 60 - (20.5 - 19)/3 * (60 - 57) = 58.5.
    ("apartment", 20.5, 10000, 58.5, "cao 19-22 m, lô 10.000 m² (nội suy)"),
    # Both: at 16 m 64, at 19 m 59 on 14,000 m2 (half way 65-63, 60-58); a third of 3 m up: 64 - 5/3 = 62.33...
    ("apartment", 17, 14000, 64 - 5 / 3, "cao 16-19 m, lô 10.000-18.000 m² (nội suy)"),
    # 26,500 is half way 18,000-35,000: at 43 m 38.5, at 46 m 37.5; 45 m is two thirds up: 38.5 - 2/3.
    ("apartment", 45, 26500, 38.5 - 2 / 3, "cao 43-46 m, lô 18.000-35.000 m² (nội suy)"),
    # No line joins 46 m and "above 46 m": a step.
    ("apartment", 46, 10000, 41, "cao 46 m, lô 10.000 m²"),
    ("apartment", 46.001, 10000, 40, "cao > 46 m, lô 10.000 m²"),
    ("apartment", 150, 60000, 35, "cao > 46 m, lô ≥ 35.000 m²"),
    ("apartment", 6, 1000, 75, "cao ≤ 16 m, lô ≤ 3.000 m²"),
    # 70 at 16 m, 65 at 19 m on 10,000 m2, 68 and 63 on 18,000: at 17.5 m 67.5 and 65.5; a quarter of the way 67.
    ("mixed", 17.5, 12000, 67, "cao 16-19 m, lô 10.000-18.000 m² (nội suy)"),
    ("mixed", 46.5, 26500, 41.5, "cao > 46 m, lô 18.000-35.000 m² (nội suy)"),  # half way 43-40
])
def test_apartments_and_mixed_lots_between_the_cells(kind, height, area, limit, row):
    limits = net_density_limits(kind, area, height, on=DAY)
    both_sides(limits, limit)
    assert limits["row"].tolist() == [row]


def test_floor_area_ratio_of_existing_areas_at_every_cell():
    for height, area, limit in _cells(TABLE_2_12):
        both_sides(far_limits_existing_area(area, height, on=DAY), limit)
    # 20.5 m is half way 19-22, 14,000 m2 half way 10,000-18,000: (3.9 + 3.78 + 4.34 + 4.2) / 4 = 4.055.
    both_sides(far_limits_existing_area(14000, 20.5, on=DAY), 4.055)
    # The table repeats Bảng 2.10 times 5, 6, ... 16 storeys: an independent check of both.
    for storeys, (height, row) in enumerate(TABLE_2_12.items(), start=5):
        assert row == pytest.approx([percent / 100 * storeys for percent in TABLE_2_10[height]])


@pytest.mark.parametrize("floors, limit", [(1, 70), (5, 70), (6, 60), (12, 60)])
def test_industry_by_production_floors(floors, limit):
    both_sides(net_density_limits("industry", 4000, production_floors=floors, on=DAY), limit)


def test_industry_with_unknown_floors_is_judged_only_where_both_rows_agree():
    limits = net_density_limits("industry", 4000, on=DAY)
    verdicts = [judge([measured], limits, upper=True)["verdict"][0] for measured in (60, 60.01, 70, 70.01)]
    assert verdicts == ["kept", "open", "open", "broken"]


def test_public_services_new_and_existing():
    both_sides(net_density_limits("public_service", 4000, on=DAY), 40)
    limits = net_density_limits("public_service", 4000, existing=True, on=DAY)
    verdicts = [judge([measured], limits, upper=True)["verdict"][0] for measured in (40, 40.01, 60, 60.01)]
    assert verdicts == ["kept", "open", "open", "broken"]
    assert "không thể mở rộng" in limits["reason"][0] and "mục 2.7.7" in limits["citation"][0]


@pytest.mark.parametrize("area, height, limit", [
    (100, 25, 100), (92, 10, 100),
    (100, 25.01, 90), (101, 25, 89.8),  # beyond either condition Bảng 2.8 holds: 90, and 90 - 1/100 * 20
])
def test_small_houses_in_existing_areas(area, height, limit):
    both_sides(net_density_limits("house", area, height, existing=True, on=DAY), limit)


def test_a_small_existing_house_of_unknown_height_is_judged_where_both_agree():
    limits = net_density_limits("house", 100, existing=True, on=DAY)
    verdicts = [judge([measured], limits, upper=True)["verdict"][0] for measured in (90, 95, 100, 100.1)]
    assert verdicts == ["kept", "open", "open", "broken"]


@pytest.mark.parametrize("kind, limit", [
    ("residential_unit", 60), ("resort", 25), ("park", 5), ("theme_park", 25), ("specialised_green", 5)])
def test_gross_densities(kind, limit):
    both_sides(gross_density_limits(kind, on=DAY), limit)
    assert gross_density_limits("factory", on=DAY)["status"].tolist() == ["none"]


@pytest.mark.parametrize("kind, height, limit", [
    ("house", 10, 7), ("house", 60, 7), ("apartment", 46.01, 13), ("mixed", 120, 13)])
def test_caps_of_the_floor_area_ratio(kind, height, limit):
    both_sides(far_limits(kind, height, on=DAY), limit)


def test_no_cap_up_to_46_m_and_an_open_one_at_unknown_height():
    limits = far_limits(["mixed", "apartment", "industry"], [46, 10, 99], on=DAY)
    assert limits["status"].tolist() == ["none"] * 3 and judge([50] * 3, limits, upper=True)["verdict"].tolist() == [None] * 3
    unknown = far_limits("mixed", NAN, on=DAY)
    assert [judge([far], unknown, upper=True)["verdict"][0] for far in (13, 13.5)] == ["kept", "open"]


def test_setbacks_at_every_class_and_both_of_its_ends():
    for width, row in TABLE_2_7.items():
        for height, limit in zip(HEIGHTS_2_7, row):
            limits = setback_limits(width, height, on=DAY)
            both_sides(limits, limit, upper=False)
            assert "Bảng 2.7" in limits["citation"][0] and limits["row"][0]
    limits = setback_limits(20, 25, on=DAY)
    assert limits["row"][0] == "đường từ 19 đến dưới 22 m, công trình cao từ 22 đến dưới 28 m"


@pytest.mark.parametrize("width, height, strictest, loosest", [
    (10, NAN, 6, 0), (30, NAN, 6, 0), (NAN, 20, 3, 0), (NAN, 25, 4, 0), (NAN, 30, 6, 6), (NAN, 10, 0, 0)])
def test_setbacks_with_an_unknown_size_span_the_classes_that_fit(width, height, strictest, loosest):
    row = setback_limits(width, height, on=DAY).iloc[0]
    assert (row["strictest"], row["loosest"]) == (strictest, loosest)
    assert np.isnan(row["value"]) == (strictest != loosest)


@pytest.mark.parametrize("kind, limit", [("apartment", 20), ("education_health_culture", 30), ("factory", 20)])
def test_planted_shares(kind, limit):
    both_sides(planted_share_limits(kind, on=DAY), limit, upper=False)


@pytest.mark.parametrize("height, face, limit", [
    (10, "long", 7), (14, "long", 7), (20, "long", 10), (45.99, "long", 22.995),      # H/2, at least 7
    (9, "gable", 4), (12, "gable", 4), (30, "gable", 10), (45.9, "gable", 15.3),      # H/3, at least 4
    (15, "back", 4),
    (46, "long", 25), (100, "long", 25), (46, "gable", 15), (100, "gable", 15),
])
def test_distances_between_buildings(height, face, limit):
    both_sides(spacing_limits(height, face, on=DAY), limit, upper=False)


def test_faces_that_are_not_known_are_judged_only_where_both_rules_agree():
    limits = spacing_limits(30, "", on=DAY)  # long sides ask 15 m, gables 10 m
    verdicts = [judge([gap], limits, upper=False)["verdict"][0] for gap in (15, 14.9, 10, 9.9)]
    assert verdicts == ["kept", "open", "open", "broken"]


def test_unknown_heights_give_the_range_and_small_lots_one_value():
    limits = net_density_limits("apartment", [3000, 10000], on=DAY)
    assert limits["value"][0] == 75 and np.isnan(limits["value"][1])
    assert (limits["strictest"][1], limits["loosest"][1]) == (40, 65)
    assert "chiều cao" in limits["reason"][1]
    assert judge([39, 39], limits, upper=True)["verdict"].tolist() == ["kept", "kept"]
    assert judge([75.1, 65.1], limits, upper=True)["verdict"].tolist() == ["broken", "broken"]


def test_unknown_lots_and_kinds_say_why():
    limits = net_density_limits(["house", "", "other"], [NAN, 100, 100], on=DAY)
    assert limits["status"].tolist() == ["unknown", "unknown", "none"]
    assert "diện tích" in limits["reason"][0] and "loại lô đất" in limits["reason"][1]
    assert judge([50, 50, 50], limits, upper=True)["verdict"].tolist() == ["open", "open", None]


def test_figures_of_the_new_regulation_are_not_known_and_it_is_named():
    later = datetime.date(2027, 1, 1)
    for limits in (net_density_limits(["house", "mixed", "industry", "public_service"], 100, 10, on=later),
                   far_limits(["house", "mixed"], 60, on=later), far_limits_existing_area(100, 10, on=later),
                   setback_limits(10, 10, on=later), planted_share_limits("factory", on=later),
                   spacing_limits(10, "long", on=later), gross_density_limits("park", on=later)):
        assert list(limits.columns) == list(COLUMNS)
        assert set(limits["status"]) == {"unknown"} and set(limits["regulation"]) == {"QCVN 01:2026/BXD"}
        assert all("01/01/2027" in reason for reason in limits["reason"])
        assert set(judge([1] * len(limits), limits, upper=True)["verdict"]) == {"open"}


def test_a_plan_appraised_before_keeps_the_old_figures_and_dates_may_differ_by_lot():
    judged = datetime.date(2027, 3, 1)
    kept = deciding_date("QCVN 01", on=judged, appraised=datetime.date(2026, 11, 20))
    assert net_density_limits("house", [200, 200], on=[kept, judged])["status"].tolist() == ["limit", "unknown"]


def test_the_tighter_of_province_and_nation_holds(tmp_path):
    folder = tmp_path / "Thành phố Huế"
    folder.mkdir()
    text = (FOLDER / "tables" / "max_density_housing.csv").read_text(encoding="utf-8")
    # 65 % instead of 70 at 200 m2 is tighter, 99 instead of 40 at 1,000 m2 is not.
    text = text.replace("=,200,70,7", "=,200,65,7").replace(">=,1000,40,7", ">=,1000,99,7")
    (folder / "max_density_housing.csv").write_text(text.replace("mục 2.6.3 Bảng 2.8", "QĐ 12/2026/QĐ-UBND"), encoding="utf-8")
    limits = net_density_limits("house", [200, 150, 1000, 2000], on=DAY, province_folder=folder)
    assert limits["value"].tolist() == pytest.approx([65, 77.5, 40, 40])  # 150 m2: 90 - 50/100 * 25
    assert ["QĐ 12/2026" in citation for citation in limits["citation"]] == [True, True, False, False]


def test_a_looser_figure_of_a_province_holds_only_where_a_document_allows_it(tmp_path):
    lines = (FOLDER / "tables" / "max_density_housing.csv").read_text(encoding="utf-8").splitlines()
    text = "\n".join([f"{lines[0]},exception_basis", *(f"{line},NQ 98/2023/QH15" for line in lines[1:])])
    (tmp_path / "max_density_housing.csv").write_text(text.replace(">=,1000,40,7", ">=,1000,45,7"), encoding="utf-8")
    # 1,000 m2: 45 % instead of 40; 750 m2 half way between 50 (500 m2) and 45.
    limits = net_density_limits("house", [1000, 750], on=DAY, province_folder=tmp_path)
    assert limits["value"].tolist() == pytest.approx([45, 47.5])
    assert all("NQ 98/2023/QH15" in citation for citation in limits["citation"])


def test_a_table_with_a_missing_cell_is_refused(tmp_path):
    lines = (FOLDER / "tables" / "max_density_mixed.csv").read_text(encoding="utf-8").splitlines(keepends=True)
    (tmp_path / "max_density_mixed.csv").write_text("".join(lines[:5] + lines[6:]), encoding="utf-8")
    with pytest.raises(InputError, match="max_density_mixed.csv"):
        net_density_limits("mixed", 5000, 20, on=DAY, province_folder=tmp_path)


def test_kinds_follow_function_and_use():
    cases = [("NO", "residential", "house"), ("NO", "apartment", "apartment"), ("NO", "", ""), ("NO", "office", ""),
             ("LX", "residential", "house"), ("HH", "office", "mixed"), ("HH", "residential", "house"), ("TRUONG", "", "public_service"),
             ("CN", "industrial", "industry"), ("QP", "", "other"), ("", "residential", "house"), ("", "", "")]
    found = lot_kinds([case[0] for case in cases], [case[1] for case in cases])
    assert found["lot_kind"].tolist() == [case[2] for case in cases]
    assert set(found["confidence"]) == {"analogy"}


KINDS = st.sampled_from(["house", "apartment", "mixed", "industry", "public_service"])
RANK = {"kept": 0, "open": 1, "broken": 2}


@settings(max_examples=40, deadline=None)
@given(KINDS, st.floats(1, 1e5), st.one_of(st.just(NAN), st.floats(1, 300)), st.booleans(), st.floats(0, 5),
       st.floats(0, 120), st.floats(0, 60))
def test_more_building_never_gets_a_better_verdict(kind, area, height, existing, tolerance, density, more):
    limits = net_density_limits(kind, [area, area], height, existing=existing, on=DAY)
    first, second = judge([density, density + more], limits, upper=True, tolerance=tolerance)["verdict"]
    assert RANK[first] <= RANK[second]


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(["apartment", "mixed"]), st.floats(1, 1e5), st.floats(1, 300), st.floats(0, 1e5),
       st.floats(0, 100))
def test_larger_lots_and_taller_buildings_are_never_allowed_more(kind, area, height, wider, higher):
    limits = net_density_limits(kind, [area, area + wider, area], [height, height, height + higher], on=DAY)["value"]
    assert limits[1] <= limits[0] + 1e-9 and limits[2] <= limits[0] + 1e-9
