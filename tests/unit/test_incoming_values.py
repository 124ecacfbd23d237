"""Values as offices send them: what is understood, what is refused, and what stays as it came."""

import datetime
import decimal

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from quyhoach.processing_algorithms.provincial_database.catalogue import load_catalogue
from quyhoach.processing_algorithms.provincial_database.catalogue.model import Field, Text
from quyhoach.processing_algorithms.provincial_database.imports.incoming_values import convert
from quyhoach.processing_algorithms.provincial_database.typed_columns import from_sqlite, to_sqlite


def field(type="text", **options):
    if type == "text":
        options.setdefault("length", 20)
    return Field(id="D99.01", name="x", type=type, label=Text("Trường", "Field"), help=Text("h", "h"), **options)


def catalogue_field(dataset, name):
    return load_catalogue()[dataset].field(name)


def one(value, field):
    """The converted value, or the reason it was refused."""
    outcome = convert(pd.Series([value], dtype=object), field)
    return outcome.refused[0] if outcome.refused else outcome.column.iloc[0]


@pytest.mark.parametrize(("value", "type", "expected"), [
    ("1.234,5", "real", 1234.5),            # decimal comma, points between thousands
    ("0,6", "real", 0.6),
    (decimal.Decimal("10.25"), "real", 10.25),
    (7, "real", 7.0),
    ("12", "integer", 12),
    (12.0, "integer", 12),
    ("9223372036854775807", "integer", 2**63 - 1),   # not through a float: 2**53 would be the limit
    (np.int64(2**53 + 1), "integer", 2**53 + 1),
    ("có", "boolean", True),
    ("Không", "boolean", False),
    (0, "boolean", False),
    ("2/11/2026", "date", datetime.date(2026, 11, 2)),   # day first
    ("2026-11-02", "date", datetime.date(2026, 11, 2)),
    ("2026-11-02T00:00:00", "date", datetime.date(2026, 11, 2)),
    (datetime.date(1890, 1, 1), "date", datetime.date(1890, 1, 1)),
    (pd.Timestamp("2026-11-02"), "date", datetime.date(2026, 11, 2)),
    (12, "text", "12"),
    (12.5, "text", "12.5"),
    ("", "text", ""),
    (" giữ nguyên ", "text", " giữ nguyên "),
])
def test_understood(value, type, expected):
    assert one(value, field(type)) == expected


@pytest.mark.parametrize(("value", "type", "why"), [
    ("1.234", "real", "1,234 hoặc 1234"),    # ambiguous, asked rather than guessed
    ("abc", "real", "không phải là số"),
    (float("inf"), "real", "vô hạn"),
    (1.5, "integer", "1,500 không phải số nguyên"),
    ("9223372036854775808", "integer", "quá lớn"),
    ("có lẽ", "boolean", "không phải có/không"),
    (2, "boolean", "không phải có/không"),
    ("31/2/2026", "date", "không phải là ngày"),
    (datetime.date(2026, 1, 1), "datetime", "thiếu giờ"),
    ("2/11/2026", "datetime", "không phải là ngày giờ"),
    ("x" * 21, "text", "dài 21 ký tự, tối đa 20"),
    ("a\x00b", "text", "NUL"),
])
def test_refused_with_the_reason(value, type, why):
    reason = one(value, field(type))
    assert isinstance(reason, str) and reason.startswith("Trường: ") and why in reason


@pytest.mark.parametrize("null", [None, np.nan, pd.NA, pd.NaT])
@pytest.mark.parametrize("type", ["text", "integer", "real", "boolean", "date", "datetime"])
def test_null_stays_null_and_is_refused_where_required(null, type):
    assert pd.isna(one(null, field(type)))
    assert "thiếu giá trị bắt buộc" in one(null, field(type, required=True))


def test_empty_text_is_not_null_but_an_empty_number_is():
    assert one("", field("text")) == ""
    assert one("  ", field("text", required=True)) == "Trường: để trống"
    assert pd.isna(one("", field("integer"))) and pd.isna(one(" ", field("date")))
    assert "thiếu giá trị bắt buộc" in one("", field("integer", required=True))


def test_times_without_zone_are_vietnamese():
    # 14:30 in Hà Nội (UTC+7) is 07:30 UTC.
    expected = pd.Timestamp("2026-11-02T07:30:00Z")
    for value in ("2/11/2026 14:30", "2026-11-02T14:30", datetime.datetime(2026, 11, 2, 14, 30), "02/11/2026 14h30",
                  "2026-11-02 07:30+00:00"):
        assert one(value, field("datetime")) == expected


def test_codes_by_code_label_or_letter_case():
    land = catalogue_field("parcel", "land_code")
    assert one("ONT", land) == one("ont", land) == one(" Đất ở tại  nông thôn ", land) == one("Rural residential land",
                                                                                              land) == "ONT"
    # The same label in decomposed letters, as macOS and some converters write them.
    assert one("Đất ở tại nông thôn", land) == "ONT"
    outcome = convert(pd.Series(["ONT", "ont", "ont"]), land)
    assert list(outcome.changes.values()) == [2]


def test_an_unknown_code_is_refused_and_named():
    assert one("XYZ",
               catalogue_field("parcel", "land_code")) == 'Loại đất: mã "XYZ" không có trong danh mục Mã loại đất'


def test_codes_kept_as_numbers_get_their_zeros_back():
    code = catalogue_field("parcel", "old_commune_code")
    assert one(4, code) == one(4.0, code) == "00004"
    assert "sai dạng mã" in one("4", code)   # typed short: a mistake, not a number


def test_plan_codes_are_checked_by_their_form():
    assert one("46QPK1250001", catalogue_field("plan", "dossier_code")) == "46QPK1250001"
    assert "sai dạng mã" in one("46QXX1250001", catalogue_field("plan", "dossier_code"))
    assert one("462511012345", catalogue_field("plan", "plan_code")) == "462511012345"
    assert "sai dạng mã" in one("462591012345", catalogue_field("plan", "plan_code"))   # level 9 does not exist


def test_ranges_include_their_bounds():
    density = catalogue_field("zone", "max_density_pct")
    assert one(0, density) == 0 and one("100", density) == 100
    assert one("100,5", density) == "Mật độ xây dựng tối đa: 100,500 lớn hơn 100"


def test_one_and_true_are_told_apart():
    outcome = convert(pd.Series([True, 1, 1.0, "1"], dtype=object), field("text"))
    assert outcome.column.tolist() == ["1", "1", "1", "1"] and not outcome.refused


def test_refusals_stand_at_their_rows():
    outcome = convert(pd.Series(["5", "x", None, "x", "7"]), field("integer"))
    assert sorted(outcome.refused) == [1, 3]
    assert outcome.column.isna().tolist() == [False, True, True, True, False]


@given(st.lists(st.one_of(st.none(), st.integers(-(2**63), 2**63 - 1)), max_size=30))
def test_integers_travel_to_sqlite_and_back_exactly(values):
    column = convert(pd.Series(values, dtype=object), field("integer")).column
    stored = to_sqlite(column, field("integer"))
    assert stored == values
    assert from_sqlite(stored, field("integer")).tolist() == column.tolist() or column.isna().any()


@given(st.lists(st.one_of(st.none(),
                          st.text(alphabet=st.characters(blacklist_characters="\x00", blacklist_categories=["Cs"]),
                                  max_size=20)), max_size=30))
def test_texts_are_never_altered(values):
    assert to_sqlite(convert(pd.Series(values, dtype=object), field("text")).column, field("text")) == values


@given(st.lists(st.one_of(st.none(), st.datetimes(datetime.datetime(1700, 1, 1), datetime.datetime(2200, 1, 1),
                                                  timezones=st.just(datetime.UTC))), max_size=20))
def test_instants_keep_their_milliseconds(values):
    stored = to_sqlite(convert(pd.Series(values, dtype=object), field("datetime")).column, field("datetime"))
    for value, text in zip(values, stored):
        if value is None:
            assert text is None
        else:
            back = datetime.datetime.fromisoformat(text)
            assert datetime.timedelta(0) <= value - back < datetime.timedelta(milliseconds=1)
