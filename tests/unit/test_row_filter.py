"""Conditions become SQL with the values apart; whatever is written, only the dataset's rows can be chosen."""

import sqlite3

import pytest
from hypothesis import given
from hypothesis import strategies as st
from quyhoach.processing_algorithms.common.errors import InputError
from quyhoach.processing_algorithms.provincial_database.catalogue import load_catalogue
from quyhoach.processing_algorithms.provincial_database.row_filter import any_of, parse_filter

PARCEL = load_catalogue()["parcel"]
ROWS = [("ONT", 120.5, "Thôn Hạ", "2024-01-01"), ("LUC", 900.0, None, "2023-05-05"), ("ODT", 80.0, "O'Neil", None),
        ("ONT", None, "", "2024-06-01")]


def chosen(text):
    database = sqlite3.connect(":memory:")
    database.execute("CREATE TABLE parcel (land_code, legal_area_m2, address, survey_date)")
    database.executemany("INSERT INTO parcel VALUES (?, ?, ?, ?)", ROWS)
    condition = parse_filter(text, PARCEL)
    return [row[0] - 1 for row in database.execute(f"SELECT rowid FROM parcel WHERE {condition.sql} ORDER BY rowid",
                                                   condition.values)]


@pytest.mark.parametrize(("text", "rows"), [
    ("land_code = 'ONT'", [0, 3]),
    ("land_code in ('ONT','ODT') and legal_area_m2 > 100", [0]),
    ("land_code = 'LUC' OR land_code = 'ODT' AND legal_area_m2 < 50", [1]),     # AND binds closer, as in SQL
    ("(land_code = 'LUC' OR land_code = 'ODT') AND legal_area_m2 > 50", [1, 2]),
    ("NOT land_code = 'ONT'", [1, 2]),
    ("not (land_code = 'ONT' or land_code = 'LUC')", [2]),
    ("legal_area_m2 IS NULL", [3]),
    ("address is not null and address <> ''", [0, 2]),
    ("address LIKE 'Thôn%'", [0]),
    ("address = 'O''Neil'", [2]),
    ('"survey_date" >= \'2024-01-01\'', [0, 3]),
    ("legal_area_m2 <= 80 ", [2]),
    ("land_code NOT IN ('ONT')", [1, 2]),
    ("legal_area_m2 != 900", [0, 2]),
])
def test_chooses_the_rows(text, rows):
    assert chosen(text) == rows


def test_blank_is_no_condition():
    assert parse_filter("  ", PARCEL) is None


@pytest.mark.parametrize("text", [
    "land_code", "land_code =", "= 'ONT'", "land_code = ONT", "land_code = 'ONT' AND", "(land_code = 'ONT'",
    "land_code = 'ONT')", "land_code = 'ONT",
    "land_code = 'ONT'; DROP TABLE parcel", "1 = 1", "land_code IN ()", "land_code IS 'ONT'", "not",
    "land_code = (SELECT 1)", "length(land_code) > 1",
    "land_code = 'a' UNION SELECT 1", "legal_area_m2 > 1.2.3", "land_code NOT = 'ONT'",
])
def test_anything_else_is_refused_with_an_example(text):
    with pytest.raises(InputError, match="Không hiểu điều kiện lọc|không có trường"):
        parse_filter(text, PARCEL)


def test_unknown_fields_are_told_with_those_there_are():
    with pytest.raises(InputError, match='không có trường "owner".*legal_area_m2'):
        parse_filter("owner = 'A'", PARCEL)


@given(st.text(max_size=40))
def test_no_text_gets_into_the_sql(text):
    try:
        condition = parse_filter(text, PARCEL)
    except InputError:
        return
    if condition is not None:
        allowed = set(PARCEL.field_names) | {"fid", "feature_id"}
        words = condition.sql.replace("(", " ").replace(")", " ").replace(",", " ").split()
        assert all(word in ("?", "AND", "OR", "NOT", "IN", "LIKE", "IS", "NULL", "=", "<>", "<", "<=", ">",
                            ">=") or word.strip('"') in allowed
                   for word in words)


@given(st.text(max_size=20))
def test_any_text_can_be_looked_for(text):
    condition = parse_filter("address = '" + text.replace("'", "''") + "'", PARCEL)
    assert condition.values == (text,)


def test_conditions_join():
    both = any_of("commune_code", ["20044", "20047"]).both(parse_filter("land_code = 'ONT'", PARCEL))
    assert both.sql == '("commune_code" IN (?, ?)) AND ("land_code" = ?)' and both.values == ("20044", "20047", "ONT")
