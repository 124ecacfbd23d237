"""The catalogue: every shipped dataset is complete, and a faulty file is refused with every mistake named."""

import dataclasses
import json
import re
import shutil
from pathlib import Path

import pytest
from quyhoach.processing_algorithms.common.errors import InputError
from quyhoach.processing_algorithms.common.language import speaking
from quyhoach.processing_algorithms.provincial_database.catalogue import load_catalogue
from quyhoach.processing_algorithms.provincial_database.catalogue.loader import FOLDER, find_dataset

NAMES = ["administrative_unit", "hamlet", "parcel", "land_use", "land_use_plan", "plan", "zone", "constraint_overlay",
         "building",
         "road", "facility", "river", "gauge", "flood_mark", "flood_zone", "landslide_zone", "shelter", "field_report",
         "planning_paper", "parcel_override"]
VIETNAMESE = re.compile("[à-ỹđ]", re.IGNORECASE)
SCHEMA = Path(__file__).resolve().parents[3] / "shared" / "norms" / "tt16_gis_schema.json"


def test_all_datasets_of_the_province_are_there_in_the_order_of_their_ids():
    catalogue = load_catalogue()
    assert list(catalogue) == NAMES
    assert [dataset.id for dataset in catalogue.values()] == [f"D{n:02d}" for n in range(1, 21)]


@pytest.mark.parametrize("name", NAMES)
def test_people_can_read_every_field_in_both_languages(name):
    dataset = load_catalogue()[name]
    for item in (dataset, *dataset.fields):
        assert VIETNAMESE.search(item.label.vi + item.help.vi), item.name
        assert not re.search("[ạảấầẩẫậắằẳẵặẹẻẽếềểễệỉịọỏốồổỗộớờởỡợụủứừửữựỳỵỷỹ]", item.label.en), item.name
        assert len(item.label.vi) <= 60 and len(item.label.en) <= 60
    for field in dataset.fields:
        assert re.fullmatch(rf"{dataset.id}\.\d\d", field.id)
        assert (field.unit is not None) == field.name.endswith(("_m", "_m2", "_ha", "_pct", "_kmh", "_t",
                                                                "_years")) or field.unit in (
            "person", "household", "storey", "year", "lane", "1"), field.name


def test_field_ids_never_move():
    # A field keeps its id whatever becomes of its name; these pin the first and a later one of some datasets.
    pinned = {"D03.01": "old_commune_code", "D03.05": "land_code", "D07.03": "function_code",
              "D10.12": "bridge_deck_level_m", "D13.07": "alarm_3_m"}
    fields = {field.id: field.name for dataset in load_catalogue().values() for field in dataset.fields}
    assert {id: fields[id] for id in pinned} == pinned


def test_land_codes_come_from_the_norms_table():
    domain = load_catalogue()["parcel"].field("land_code").domain
    assert domain.table == "land_use_codes"
    assert {"ONT", "LUC", "DGT"} <= domain.codes and "XYZ" not in domain.codes
    assert next(value.label.vi for value in domain.values if value.code == "ONT") == "Đất ở tại nông thôn"


def test_no_field_holds_a_land_users_name():
    parcel_and_paper = [field.name for name in ("parcel", "planning_paper", "building",
                                                "parcel_override") for field in load_catalogue()[name].fields]
    assert not [name for name in parcel_and_paper if re.search("owner|holder|applicant", name)]


@pytest.mark.skipif(not SCHEMA.exists(), reason="the reference copy of TT 16/2025 annex II is not on this machine")
def test_classes_of_circular_16_exist():
    databases = json.loads(SCHEMA.read_text(encoding="utf-8"))["databases"]
    for dataset in load_catalogue().values():
        if dataset.tt16_class:
            database, group, name = dataset.tt16_class.split("/")
            assert name in databases[database][group]


def test_a_dataset_is_frozen():
    with pytest.raises(dataclasses.FrozenInstanceError):
        load_catalogue()["parcel"].name = "plot"


def test_datasets_are_found_by_name_id_and_label():
    catalogue = load_catalogue()
    assert find_dataset(catalogue, "D03") is find_dataset(catalogue, "thửa đất") is find_dataset(catalogue, " parcel ")
    with pytest.raises(InputError, match="không có tập dữ liệu \"plot\".*parcel"):
        find_dataset(catalogue, "plot")


@pytest.fixture
def copy(tmp_path):
    folder = tmp_path / "Danh mục thử"
    shutil.copytree(FOLDER, folder, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    return folder


def edit(folder, name, before, after):
    path = folder / f"{name}.toml"
    text = path.read_text(encoding="utf-8")
    assert before in text
    path.write_text(text.replace(before, after, 1), encoding="utf-8")


@pytest.mark.parametrize(("name", "before", "after", "told"), [
    ("parcel", "length = 5", "lenght = 5", "parcel.toml: old_commune_code: unknown key lenght"),
    ("parcel", 'type = "integer"', 'type = "int"', 'parcel.toml: parcel_no: type is "int"'),
    ("parcel", 'domain = "land_use_code"', 'domain = "land_code"',
     "parcel.toml: land_code: there is no domain land_code"),
    ("parcel", 'name = "note"', 'name = "feature_id"', "parcel.toml: feature_id: not a valid field name"),
    ("parcel", 'name = "note"', f'name = "{"n" * 51}"', "not a valid field name"),
    ("parcel", 'name = "note"', 'name = "Note"', "parcel.toml: Note: not a valid field name"),
    ("parcel", 'name = "note"', 'name = "ghi chú"', "parcel.toml: ghi chú: not a valid field name"),
    ("parcel", 'name = "note"', 'name = "address"', "parcel.toml: repeated field address"),
    ("parcel", 'id = "D03.02"', 'id = "D03.01"', "repeated id: D03.01"),
    ("parcel", 'id = "D03.02"', 'id = "D04.88"', "commune_code: the id must start with D03."),
    ("parcel", 'references = "administrative_unit.unit_code"', 'references = "ward.code"',
     "parcel.toml: commune_code: there is no ward.code"),
    ("parcel", 'geometry = "MultiPolygon"', 'geometry = "Polygon"', 'geometry is "Polygon"'),
    ("parcel", "min = 200", "min = 30000", "parcel.toml: map_scale: min is above max"),
    ("parcel", 'pattern = \'^[0-9]{5}$\'', "pattern = '^[0-9{5}$'", "parcel.toml: old_commune_code: pattern"),
    ("parcel", 'title_field = "parcel_no"', 'title_field = "number"', 'title_field is "number"'),
    ("parcel", 'writers = ["land"]', 'writers = ["everyone"]', 'rights.writers is "everyone"'),
    ("parcel", 'help = { vi = "Số hiệu', 'help = { en = "", vi = "Số hiệu', "parcel.toml"),
    ("plan", '"<="', '"=<"', 'D06.C1: compare is "=<"'),
    ("plan", '"appraisal_date", "<="', '"name", "<="', "D06.C1: the two fields cannot be compared"),
    ("road", 'code = "both"', 'code = "forward"', "road.toml: domain direction: repeated codes forward"),
    ("road", 'code = "both"', 'code = "in_both_directions"', "road.toml: direction: a code is longer than length"),
    ("road", 'name = "road"', 'name = "street"', "road.toml: the name must be the file's"),
    ("domains", 'table = "land_use_codes"', 'table = "nothing"', "domains.toml: domain land_use_code"),
    ("domains", "values = [", "values = ", "domains.toml"),
])
def test_a_faulty_file_is_refused_with_file_and_field(copy, name, before, after, told):
    edit(copy, name, before, after)
    with speaking("en"), pytest.raises(InputError) as refusal:
        load_catalogue(copy)
    assert told in str(refusal.value)


def test_all_mistakes_are_told_together(copy):
    edit(copy, "parcel", 'type = "integer"', 'type = "int"')
    edit(copy, "road", "min = 1", 'min = "one"')
    edit(copy, "plan", 'domain = "plan_level"', 'domain = "levels"')
    with pytest.raises(InputError) as refusal:
        load_catalogue(copy)
    assert all(name in str(refusal.value) for name in ("parcel.toml: parcel_no", "road.toml: lanes",
                                                       "plan.toml: level"))
