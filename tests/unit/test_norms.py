"""The tables of norms: every shipped file reads, dates decide, a province overrides, unknown is said plainly."""

from __future__ import annotations

import datetime
import tomllib

import pytest
from quyhoach.processing_algorithms.common.errors import InputError
from quyhoach.processing_algorithms.common.norms import deciding_date, load_table, regulation_in_force, regulations
from quyhoach.processing_algorithms.common.norms.loader import COMMON_COLUMNS, FOLDER

TABLES = sorted(tomllib.loads((FOLDER / "tables.toml").read_text(encoding="utf-8")))
DAY = datetime.date


def test_every_file_is_described_and_every_description_has_a_file():
    assert TABLES == sorted(path.stem for path in (FOLDER / "tables").glob("*.csv"))


@pytest.mark.parametrize("name", TABLES)
def test_shipped_tables_read_and_cite_known_regulations(name):
    table = load_table(name, on=None)
    assert table.rows
    for row in table.rows:
        assert row["regulation"] in regulations()
        regulation = regulations()[row["regulation"]]
        # A row never holds outside the days of its regulation.
        if row["valid_to"] and regulation.valid_to:
            assert row["valid_to"] <= regulation.valid_to
        assert table.citation(row)


def test_land_use_tree_is_a_tree_and_carries_colour_confidence():
    rows = {row["code"]: row for row in load_table("land_use_codes", on=DAY(2026, 11, 22)).rows}
    assert len([row for row in rows.values() if row["status"] == "current"]) == 67
    for code, row in rows.items():
        seen = {code}
        while row["parent"]:
            assert row["parent"] in rows and row["parent"] not in seen, code
            seen.add(row["parent"])
            row = rows[row["parent"]]
    assert rows["LUC"]["rgb_confidence"] == "agree" and (rows["LUC"]["r"], rows["LUC"]["g"]) == (255, 252)
    assert rows["DMT"]["rgb_confidence"] == "analogy"
    assert "BHK" not in rows


def test_the_older_list_is_not_pretended_to_be_known():
    table = load_table("land_use_codes", on=DAY(2020, 1, 1))
    assert not table.known
    assert "TT 27/2018" in table.reason


def test_dates_decide_which_regulation_holds():
    assert load_table("max_density_housing", on=DAY(2026, 12, 31)).known
    later = load_table("max_density_housing", on=DAY(2027, 1, 1))
    assert not later.known and "QCVN 01:2026/BXD" in later.reason and "01/01/2027" in later.reason
    assert regulation_in_force("QCVN 01", DAY(2020, 1, 1)) is None
    # Bảng 2.8, row 3: a lot of 200 m2 may be built over by 70 %.
    row = load_table("max_density_housing", on=DAY(2026, 1, 1)).rows[2]
    assert (row["lot_area_m2"], row["max_net_density_pct"]) == (200.0, 70.0)


def test_transition_rule_keeps_the_old_regulation_for_plans_decided_before():
    judged = DAY(2027, 5, 1)
    assert deciding_date("QCVN 01", on=judged) == judged
    assert deciding_date("QCVN 01", on=judged, approved=DAY(2027, 2, 1), appraised=DAY(2026, 12, 1)) == DAY(2026, 12, 1)
    # Approved under the new one: no transition rule is known for it, so the day itself decides.
    assert deciding_date("QCVN 01", on=judged, approved=DAY(2027, 2, 1)) == judged


def _province_file(folder, text, encoding="utf-8"):
    (folder / "flood_depth_classes.csv").write_text(text, encoding=encoding)
    return folder


def test_a_province_replaces_a_table_written_by_vietnamese_excel(tmp_path):
    head = "set;class;depth_min_m;depth_max_m;label_vi;label_en;" + ";".join(COMMON_COLUMNS)
    folder = tmp_path / "Thừa Thiên Huế"
    folder.mkdir()
    _province_file(folder, head + "\nhue;1;0;0,25;Nông;Shallow;PRACTICE;QĐ tỉnh;1;;2026-01-01;;text\n", "utf-8-sig")
    table = load_table("flood_depth_classes", on=DAY(2026, 6, 1), province_folder=folder)
    assert [row["depth_max_m"] for row in table.rows] == [0.25]
    assert table.origin.parent == folder
    # Before its own validity the province has no figures, and national ones do not creep back in.
    assert not load_table("flood_depth_classes", on=DAY(2025, 6, 1), province_folder=folder).known
    assert len(load_table("flood_depth_classes", on=DAY(2026, 6, 1), province_folder=tmp_path).rows) == 14


def test_faults_of_a_province_file_are_told_together_with_line_and_column(tmp_path):
    head = "set,class,depth_min_m,depth_max_m,label_vi,label_en," + ",".join(COMMON_COLUMNS)
    _province_file(tmp_path, head + "\nx,1,0,nửa mét,a,b,PRACTICE,,,,2026-13-01,,text\nx,2,0,1,a,b,PRACTICE,,,,,,sure\n")
    with pytest.raises(InputError) as caught:
        load_table("flood_depth_classes", on=DAY(2026, 6, 1), province_folder=tmp_path)
    assert len(caught.value.problems) == 3
    assert "dòng 2" in caught.value.problems[0] and "depth_max_m" in caught.value.problems[0]
    _province_file(tmp_path, "set,class\nx,1\n")
    with pytest.raises(InputError, match="thiếu cột"):
        load_table("flood_depth_classes", on=DAY(2026, 6, 1), province_folder=tmp_path)


def test_an_unknown_table_is_a_programming_error():
    with pytest.raises(KeyError):
        load_table("no_such_table", on=None)
