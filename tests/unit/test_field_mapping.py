"""Which column fills which field: as people write it, found by name, refused completely."""

import pytest
from quyhoach.processing_algorithms.common.errors import InputError
from quyhoach.processing_algorithms.provincial_database.catalogue import load_catalogue
from quyhoach.processing_algorithms.provincial_database.imports.field_mapping import (
    Constant,
    as_text,
    parse_mapping,
    resolve_mapping,
)

PARCEL = load_catalogue()["parcel"]
REQUIRED = ["old_commune_code", "sheet_no", "parcel_no", "land_code"]


@pytest.mark.parametrize(("text", "expected"), [
    ("", {}),
    ("land_code = LOAI", {"land_code": "LOAI"}),
    ("land_code=LOAI;sheet_no=TO;", {"land_code": "LOAI", "sheet_no": "TO"}),
    ("land_code = LOAI\n sheet_no = \"Tờ số; cũ\"\n", {"land_code": "LOAI", "sheet_no": "Tờ số; cũ"}),
    ("year = '2024'; source = 'Bản đồ; tỷ lệ ''1/2000'''",
     {"year": Constant("2024"), "source": Constant("Bản đồ; tỷ lệ '1/2000'")}),
    ("Tờ bản đồ số = SHBANDO", {"Tờ bản đồ số": "SHBANDO"}),
    ('{"land_code": "LOAI", "year": "\'2024\'"}', {"land_code": "LOAI", "year": Constant("2024")}),
    ("land_code = ", {}),
    ('land_code = Loại "đất" (m2); sheet_no = "Tờ ""số""; cũ"; note = d\'Ar', {"land_code": 'Loại "đất" (m2)', "sheet_no": 'Tờ "số"; cũ', "note": "d'Ar"}),
    ("land_code = LOAI\nsheet_no = TO", {"land_code": "LOAI", "sheet_no": "TO"}),
])
def test_written_mappings(text, expected):
    assert parse_mapping(text) == expected


@pytest.mark.parametrize("text",
                         ["land_code", "= LOAI", "land_code = 'LOAI", "{land_code: LOAI}", "a = b; a = c", "[1]"])
def test_what_cannot_be_read_is_refused(text):
    with pytest.raises(InputError):
        parse_mapping(text)


def test_a_recorded_mapping_can_be_given_again():
    mapping = {"land_code": "LOAI", "note": Constant("'trích' đo")}
    assert parse_mapping(as_text(mapping)) == mapping


def test_columns_are_found_by_name_label_id_and_circular_16_whatever_the_writing():
    found = resolve_mapping(PARCEL, ["MA_XA_CU", "Tờ bản đồ số", "PARCEL_NO", "d03.05", "Dia chi thua dat"])
    assert found == {"old_commune_code": "MA_XA_CU", "sheet_no": "Tờ bản đồ số", "parcel_no": "PARCEL_NO",
                     "land_code": "d03.05",
                     "address": "Dia chi thua dat"}
    zone = resolve_mapping(load_catalogue()["zone"], ["kyHieuO", "phanLoai", "plan_ref"])
    assert zone == {"plan_ref": "plan_ref", "zone_code": "kyHieuO", "function_code": "phanLoai"}


def test_what_is_asked_for_wins_over_what_is_found():
    asked = {"land_code": "LOAI_MOI", "D03.03": "TO"}
    found = resolve_mapping(PARCEL, [*REQUIRED, "LOAI_MOI", "TO", "feature_id"], asked)
    assert found["land_code"] == "LOAI_MOI" and found["sheet_no"] == "TO" and found["feature_id"] == "feature_id"


def test_all_problems_are_told_together():
    with pytest.raises(InputError) as refusal:
        resolve_mapping(PARCEL, ["LOAI"], {"land_code": "LOẠI", "colour": "LOAI"})
    told = str(refusal.value)
    assert 'không có trường "colour"' in told and 'không có trường "LOẠI"' in told
    assert "old_commune_code (Mã xã cũ)" in told
    assert len(refusal.value.problems) == 3


def test_hostile_names_are_only_names():
    name = 'x"; DROP TABLE parcel; --'
    found = resolve_mapping(PARCEL, [*REQUIRED, name], {"note": name})
    assert found["note"] == name
