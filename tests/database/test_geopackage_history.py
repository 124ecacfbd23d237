"""The past of a GeoPackage hub: seen as of any moment, compared, taken back; grown from the structure without a ledger."""

import datetime
import sqlite3
import uuid
from contextlib import closing

import pyproj
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from quyhoach.processing_algorithms.common.errors import InputError
from quyhoach.processing_algorithms.common.moments import read_moment
from quyhoach.processing_algorithms.provincial_database.administration.administration import check_hub, restore
from quyhoach.processing_algorithms.provincial_database.administration.hub_create import create_hub
from quyhoach.processing_algorithms.provincial_database.catalogue import load_catalogue
from quyhoach.processing_algorithms.provincial_database.changes import Change, Changeset, Outcome, Scope
from quyhoach.processing_algorithms.provincial_database.findings import State, worst
from quyhoach.processing_algorithms.provincial_database.geopackage.file import (
    add_dataset,
    begin_file,
    numbered_statements,
)
from quyhoach.processing_algorithms.provincial_database.geopackage.geometry import register_functions
from quyhoach.processing_algorithms.provincial_database.geopackage.ledger import entries
from quyhoach.processing_algorithms.provincial_database.geopackage.schema import table_statements, trigger_statements
from quyhoach.processing_algorithms.provincial_database.geopackage.upgrade import SCHEMA_VERSION, SQL_FOLDER
from quyhoach.processing_algorithms.provincial_database.history.history import difference_layer, layer_as_of
from quyhoach.processing_algorithms.provincial_database.hub import open_hub

CATALOGUE = load_catalogue()
FACILITY = CATALOGUE["facility"]
KIND = FACILITY.field("kind").domain.values[0].code
ID = [str(uuid.UUID(int=i)) for i in range(10)]


def facility(name, x=0.0, **more):
    row = {field.name: None for field in FACILITY.fields}
    shape = shapely.to_wkb(shapely.Point(500000 + x, 1800000), byte_order=1, flavor="iso")
    return {**row, "name": name, "kind": KIND, "geom": shape, **more}


def changeset(*changes, message="thử"):
    return Changeset(str(uuid.uuid4()), "ân", "Sở Xây dựng", message, "12/QĐ", "2026-11-22T00:00:00.000Z", changes)


@pytest.fixture
def hub(tmp_path):
    with create_hub(str(tmp_path / "hub.gpkg"), "EPSG:9214", datasets=[FACILITY]) as made:
        yield made


def put(hub, *changes, **more):
    receipt = hub.submit(changeset(*changes, **more))
    assert receipt.outcome is Outcome.APPLIED, receipt.objections
    return receipt.number


def table(hub, name="facility"):
    with hub.deliver([Scope(name)], None) as delivery:
        return {feature_id: row for _, feature_id, row in delivery.rows}


def foreign(hub, text, *values):
    with closing(sqlite3.connect(hub.path, isolation_level=None)) as database:
        register_functions(database)
        database.execute(text, values)


def test_the_past_comes_back_exactly(hub):
    a, b, c = facility("A"), facility("B", 1), facility("C", 2)
    one = put(hub, Change("facility", ID[1], None, a), Change("facility", ID[2], None, b))
    two = put(hub, Change("facility", ID[1], a, {**a, "name": "A2"}), Change("facility", ID[2], b, None),
              Change("facility", ID[3], None, c), message="hai")
    foreign(hub, "UPDATE facility SET name = 'QGIS' WHERE feature_id = ?", ID[3])
    assert dict(hub.rows_as_of(FACILITY, 0)) == {}
    assert dict(hub.rows_as_of(FACILITY, one)) == {ID[1]: a, ID[2]: b}
    assert dict(hub.rows_as_of(FACILITY, two)) == {ID[1]: {**a, "name": "A2"}, ID[3]: c}
    newest, before, first = hub.changesets()
    assert (before.number, before.message, before.author, before.decision_no) == (two, "hai", "ân", "12/QĐ")
    assert before.features == {"facility": 3} and first.features == {"facility": 2}
    assert newest.features == {"facility": 1} and "chương trình khác" in newest.message
    assert dict(hub.rows_as_of(FACILITY, newest.number)) == table(hub)
    for note in (newest, before, first):
        assert dict(hub.rows_as_of(FACILITY, note.applied_at)) == dict(hub.rows_as_of(FACILITY, note.number))
    early = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)
    assert dict(hub.rows_as_of(FACILITY, early)) == {}
    assert layer_as_of(hub, FACILITY, one)["name"].tolist() == ["A", "B"]
    with pytest.raises(InputError, match="không có đợt cập nhật|Không có đợt cập nhật"):
        dict(hub.rows_as_of(FACILITY, 99))


def test_the_difference_is_net(hub):
    a = facility("A")
    zero = put(hub, Change("facility", ID[1], None, a), Change("facility", ID[2], None, facility("B")))
    put(hub, Change("facility", ID[1], a, {**a, "name": "tạm"}), Change("facility", ID[3], None, facility("C")))
    put(hub, Change("facility", ID[1], {**a, "name": "tạm"}, {**a, "commune_code": "99001"}),
        Change("facility", ID[3], facility("C"), None), Change("facility", ID[4], None, facility("D")))
    last = put(hub, Change("facility", ID[2], facility("B"), None))
    changes = {change.feature_id: change for change in hub.changes_between(FACILITY, zero, last)}
    assert changes.keys() == {ID[1], ID[2], ID[4]}, "added and deleted again between is no difference"
    assert (changes[ID[1]].before, changes[ID[1]].after) == (a, {**a, "commune_code": "99001"})
    layer = difference_layer(hub, FACILITY, zero, last).set_index("feature_id")
    assert layer["change"].to_dict() == {ID[1]: "changed", ID[2]: "deleted", ID[4]: "added"}
    assert layer.loc[ID[1], "changed_fields"] == "commune_code" and layer.loc[ID[2], "name"] == "B"
    with pytest.raises(InputError, match="sau"):
        list(hub.changes_between(FACILITY, last, zero))


def test_a_changeset_is_taken_back_by_a_new_one(hub):
    a, b = facility("A"), facility("B", 1)
    put(hub, Change("facility", ID[1], None, a), Change("facility", ID[2], None, b))
    bad = put(hub, Change("facility", ID[1], a, {**a, "name": "Sai"}), Change("facility", ID[2], b, None),
              Change("facility", ID[3], None, facility("Thừa")))
    put(hub, Change("facility", ID[1], {**a, "name": "Sai"}, {**a, "name": "Sai", "commune_code": "99001"}))
    receipt = hub.revert(bad, message="Nhập nhầm")
    assert receipt.outcome is Outcome.APPLIED
    assert table(hub) == {ID[1]: {**a, "commune_code": "99001"}, ID[2]: b}, "what others did to other fields stays"
    assert (hub.changesets()[0].reverts, hub.changesets()[0].message) == (bad, "Nhập nhầm")
    assert hub.revert(receipt.number).outcome is Outcome.APPLIED, "taking back is taken back as any other"
    assert ID[3] in table(hub) and ID[2] not in table(hub)


def test_later_changes_of_the_same_fields_are_told_and_nothing_is_done(hub):
    a, b = facility("A"), facility("B", 1)
    put(hub, Change("facility", ID[1], None, a), Change("facility", ID[2], None, b))
    bad = put(hub, Change("facility", ID[1], a, {**a, "name": "Sai"}),
              Change("facility", ID[2], b, {**b, "name": "Sai"}))
    later = put(hub, Change("facility", ID[1], {**a, "name": "Sai"}, {**a, "name": "Đúng hơn"}))
    before = table(hub)
    receipt = hub.revert(bad)
    assert receipt.outcome is Outcome.STALE and table(hub) == before
    [objection] = receipt.objections
    assert objection.feature_id == ID[1] and str(later) in objection.reason
    assert str(FACILITY.field("name").label) in objection.reason
    with pytest.raises(InputError, match="Không có đợt"):
        hub.revert(77)


@settings(max_examples=15, deadline=None)
@given(steps=st.lists(st.lists(st.tuples(st.integers(1, 4), st.sampled_from(["a", "b", "c", None])), min_size=1,
                               max_size=3),
                      min_size=1, max_size=8))
def test_every_moment_equals_what_was_seen_then(tmp_path_factory, steps):
    with create_hub(str(tmp_path_factory.mktemp("past") / "hub.gpkg"), "EPSG:9214", datasets=[FACILITY]) as hub:
        state, seen = {}, {0: {}}
        for step in steps:
            wanted = {ID[i]: None if name is None else facility(name) for i, name in step}
            changes = [Change("facility", id, state.get(id), row) for id, row in wanted.items() if state.get(id) != row]
            if not changes:
                continue
            number = put(hub, *changes)
            state = {id: row for id, row in {**state, **wanted}.items() if row is not None}
            seen[number] = dict(state)
        for number, rows in seen.items():
            assert dict(hub.rows_as_of(FACILITY, number)) == rows
        for start, end in zip(list(seen), list(seen)[1:]):
            replayed = dict(seen[start])
            for change in hub.changes_between(FACILITY, start, end):
                assert replayed.pop(change.feature_id, None) == change.before
                if change.after is not None:
                    replayed[change.feature_id] = change.after
            assert replayed == seen[end]


@pytest.mark.parametrize("text, number, moment", [
    ("22/11/2026", None, "2026-11-22T23:59:59.999999+07:00"), ("2026-11-22 07:30", None, "2026-11-22T07:30:00+07:00"),
    ("2026-11-22T00:30:00Z", None, "2026-11-22T00:30:00+00:00"), ("", 3, 3), ("", 0, 0)])
def test_moments_as_people_type_them(text, number, moment):
    read = read_moment(text, number)
    assert (read if isinstance(read, int) else read.isoformat()) == moment


@pytest.mark.parametrize("text, number", [("", None), ("hôm qua", None), ("2026-11-22", 3), ("31/02/2026", None)])
def test_moments_that_are_none(text, number):
    with pytest.raises(InputError):
        read_moment(text, number)


# upgrade --------------------------------------------------------------------------------------------------------------


def version_one(path):
    """A hub as the first release made it, by the SQL of that release: no ledger, no hub_id."""
    crs = pyproj.CRS(9214)
    datasets = [CATALOGUE["facility"], CATALOGUE["plan"], CATALOGUE["zone"]]
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        srs_id = begin_file(database, crs)
        for statement in numbered_statements(SQL_FOLDER, 0, 1):
            database.execute(statement)
        database.executemany("INSERT INTO quyhoach_hub VALUES (?, ?)", [
            ("schema_version", "1"), ("incarnation", str(uuid.uuid4())), ("name", "Cũ"),
            ("created_at", "2026-01-01T00:00:00+00:00"), ("srs_id", str(srs_id))])
        for dataset in datasets:
            for statement in table_statements(dataset):
                database.execute(statement)
            add_dataset(database, dataset, srs_id, crs)
            for statement in trigger_statements(dataset).values():
                database.execute(statement)
        database.execute("COMMIT")


def test_the_oldest_structure_becomes_the_newest(tmp_path):
    import numpy as np
    from quyhoach.processing_algorithms.provincial_database.geopackage.geometry import to_blobs

    path = tmp_path / "bản một.gpkg"
    version_one(path)
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        register_functions(database)
        [point] = to_blobs(np.array([shapely.Point(500000, 1800000)], dtype=object), 9214)
        [area] = to_blobs(np.array([shapely.MultiPolygon([shapely.box(500000, 1800000, 500010, 1800010)])],
                                   dtype=object), 9214)
        database.executemany("INSERT INTO facility (name, kind, geom) VALUES (?, ?, ?)", [("Cũ 1", KIND, point), ("Cũ 2", KIND, point)])
        database.execute("DELETE FROM facility WHERE name = 'Cũ 1'")
        database.execute("INSERT INTO plan (plan_ref, name, level, scale, status, geom) VALUES ('PK1', 'x', 'sub_area', 2000, 'approved', ?)", (area,))
    with open_hub(str(path)) as hub, create_hub(str(tmp_path / "mới.gpkg"), "EPSG:9214",
                                                datasets=list(hub.datasets.values())) as fresh:
        assert hub.info.schema_version == SCHEMA_VERSION
        shape = "SELECT type, name, tbl_name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite_%' ORDER BY type, name"
        assert hub._database.execute(shape).fetchall() == fresh._database.execute(shape).fetchall()
        [note] = hub.changesets()
        assert note.features == {"facility": 1, "plan": 1} and "trước khi có nhật ký" in note.message
        assert {change.feature_id: change.after for _, _, change in entries(hub._database, FACILITY)} == table(hub)
        assert hub.locks(hub.dataset("plan")) and hub.position().hub_id
        [(feature_id, row)] = table(hub).items()
        put(hub, Change("facility", feature_id, row, {**row, "name": "Sửa"}))
    with open_hub(str(path)) as again:
        assert len(again.changesets()) == 2, "a second opening does nothing"


def test_a_backup_of_the_oldest_structure_becomes_a_hub_of_today(tmp_path):
    """A backup of those days is a copy of the file."""
    version_one(tmp_path / "bản một.gpkg")
    content, told = (tmp_path / "bản một.gpkg").read_bytes(), []
    with restore(tmp_path / "bản một.gpkg", str(tmp_path / "phục hồi.gpkg"), progress=lambda _, text=None: told.append(text)) as hub:
        assert hub.info.schema_version == SCHEMA_VERSION and f"cũ (1); đã nâng lên {SCHEMA_VERSION}" in "".join(filter(None, told))
        assert worst(check_hub(hub)) is State.GOOD
    assert (tmp_path / "bản một.gpkg").read_bytes() == content
    with closing(sqlite3.connect(tmp_path / "bản một.gpkg")) as database, database:
        database.execute("UPDATE quyhoach_hub SET value = '99' WHERE key = 'schema_version'")
    with pytest.raises(InputError, match="bản một.gpkg được tạo bằng phiên bản QuyHoach mới hơn .cấu trúc 99."):
        restore(tmp_path / "bản một.gpkg", str(tmp_path / "khác.gpkg"))
    assert not (tmp_path / "khác.gpkg").exists()


def test_a_structure_newer_than_the_program_is_refused(tmp_path):
    path = tmp_path / "mới hơn.gpkg"
    create_hub(str(path), "EPSG:9214", datasets=[FACILITY]).close()
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("UPDATE quyhoach_hub SET value = '99' WHERE key = 'schema_version'")
    with pytest.raises(InputError, match="mới hơn"):
        open_hub(str(path))
