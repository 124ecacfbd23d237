"""The ledger of a GeoPackage hub: whatever is done by whatever program is there, and replays to the tables exactly."""

import sqlite3
import uuid

import geopandas
import pytest
import shapely
from hypothesis import example, given, settings
from hypothesis import strategies as st
from quyhoach.processing_algorithms.provincial_database.administration.administration import check_hub
from quyhoach.processing_algorithms.provincial_database.administration.hub_create import create_hub
from quyhoach.processing_algorithms.provincial_database.catalogue import load_catalogue
from quyhoach.processing_algorithms.provincial_database.changes import Change, Changeset, Outcome, Scope
from quyhoach.processing_algorithms.provincial_database.findings import State
from quyhoach.processing_algorithms.provincial_database.geopackage.geometry import register_functions
from quyhoach.processing_algorithms.provincial_database.geopackage.ledger import entries, ledger_statements
from quyhoach.processing_algorithms.provincial_database.imports.hub_import import import_layer

FACILITY = load_catalogue()["facility"]
KIND = FACILITY.field("kind").domain.values[0].code


def facility(name, x=0.0):
    row = {field.name: None for field in FACILITY.fields}
    return {**row, "name": name, "kind": KIND,
            "geom": shapely.to_wkb(shapely.Point(500000 + x, 1800000), byte_order=1, flavor="iso")}


def changeset(*changes, id=None):
    return Changeset(id or str(uuid.uuid4()), "ân", "Sở Xây dựng", "thử", "12/QĐ", "2026-11-22T00:00:00.000Z", changes)


def new_hub(path):
    hub = create_hub(str(path), "EPSG:9214", datasets=[FACILITY])
    first = [Change("facility", str(uuid.UUID(int=i)), None, facility(f"Số {i}", i)) for i in range(1, 5)]
    assert hub.submit(changeset(*first)).outcome is Outcome.APPLIED
    return hub


@pytest.fixture
def hub(tmp_path):
    made = new_hub(tmp_path / "hub.gpkg")
    yield made
    made.close()


def run(hub, text, *values, recursive=False):
    database = sqlite3.connect(hub.path, isolation_level=None)
    register_functions(database)
    try:
        database.execute(f"PRAGMA recursive_triggers = {int(recursive)}")  # some programs' own choice
        database.execute(text, values)
    finally:
        database.close()


def table(hub):
    with hub.deliver([Scope("facility")], None) as delivery:
        return {feature_id: row for _, feature_id, row in delivery.rows}


def replayed(hub):
    rows = {}
    for _, _, change in entries(hub._database, FACILITY):
        assert rows.get(change.feature_id) == change.before, "each entry begins where the one before it ended"
        if change.after is None:
            del rows[change.feature_id]
        else:
            rows[change.feature_id] = change.after
    return rows


STATEMENTS = [
    "UPDATE facility SET name = 'Mới' WHERE fid = {a}",
    "UPDATE facility SET name = name WHERE fid = {a}",
    "DELETE FROM facility WHERE fid = {a}",
    "INSERT INTO facility (name, kind, geom) SELECT 'Thêm', kind, geom FROM facility WHERE fid = {a}",
    "REPLACE INTO facility (fid, name, kind, geom) SELECT {a}, 'Thay', kind, geom FROM facility WHERE fid = {b}",
    "REPLACE INTO facility (fid, feature_id, name, kind, geom) SELECT {a}, feature_id, 'Thay cả hai', kind, geom FROM facility WHERE fid = {b}",
    "INSERT OR IGNORE INTO facility (fid, name, kind, geom) SELECT {a}, 'Bỏ qua', kind, geom FROM facility WHERE fid = {b}",
    "UPDATE OR REPLACE facility SET fid = {a}, name = 'Dời' WHERE fid = {b}",
    "UPDATE OR IGNORE facility SET fid = {a}, name = 'Không dời' WHERE fid = {b}",
]


@settings(max_examples=25)
@given(steps=st.lists(st.tuples(st.sampled_from(STATEMENTS), st.integers(1, 6), st.integers(1, 6), st.booleans()), max_size=10))
@example(steps=[(statement, 1, 2, True) for statement in STATEMENTS])
@example(steps=[(STATEMENTS[6], 1, 2, True), (STATEMENTS[2], 1, 1, True), (STATEMENTS[4], 2, 3, True)])
def test_replays_to_the_table_whatever_sqlite_did(tmp_path_factory, steps):
    hub = new_hub(tmp_path_factory.mktemp("ledger") / "hub.gpkg")
    try:
        for text, a, b, recursive in steps:
            run(hub, text.format(a=a, b=b), recursive=recursive)
        rows = table(hub)
        assert replayed(hub) == rows
        assert hub._database.execute("SELECT feature_count FROM gpkg_ogr_contents").fetchone()[0] in (None, len(rows))
    finally:
        hub.close()


BEFORE = [
    "UPDATE ON facility BEGIN UPDATE facility SET note = 'máy' WHERE fid = OLD.fid; END",
    "UPDATE ON facility BEGIN UPDATE facility SET name = 'máy' WHERE fid = OLD.fid; UPDATE facility SET phone = '1' WHERE fid = OLD.fid; END",
    "UPDATE ON facility BEGIN UPDATE facility SET note = 'máy' WHERE fid IN (OLD.fid, 3); UPDATE facility SET note = NULL WHERE fid = 3; END",
    "UPDATE ON facility BEGIN DELETE FROM facility WHERE fid = OLD.fid; END",
    "DELETE ON facility BEGIN UPDATE facility SET note = 'máy' WHERE fid IN (OLD.fid, 3); END",
    "INSERT ON facility BEGIN UPDATE facility SET note = 'máy' WHERE fid IN (1, 2); END"]


def send_three(hub):
    rows = table(hub)
    one, two = (str(uuid.UUID(int=i)) for i in (1, 2))
    return hub.submit(changeset(Change("facility", one, rows[one], {**rows[one], "name": "sửa", "address": "x"}), Change("facility", two, rows[two], None),
                                Change("facility", str(uuid.UUID(int=9)), None, facility("Mới", 9))))


@pytest.mark.parametrize("trigger", BEFORE)
def test_what_triggers_of_others_write_before_an_edit_leaves_no_gap(hub, trigger):
    """SQLite tells the ledger of the row as it was before both."""
    run(hub, f"CREATE TRIGGER trước BEFORE {trigger}")
    old = table(hub)
    answer = send_three(hub)
    assert answer.outcome is Outcome.APPLIED and replayed(hub) == table(hub)
    net = {change.feature_id: change for change in hub.changes_between(FACILITY, answer.number - 1, answer.number)}
    assert {id: (change.before, change.after) for id, change in net.items()} == {
        id: (old.get(id), table(hub).get(id)) for id in old.keys() | table(hub).keys() if old.get(id) != table(hub).get(id)}
    # By hand, in another program; and edits that in the end change nothing.
    for statement in ("UPDATE facility SET name = 'tay' WHERE fid = 3", "UPDATE facility SET note = note, name = name, phone = phone WHERE fid = 4",
                      "DELETE FROM facility WHERE fid = 4", "UPDATE facility SET note = 'tay'"):
        run(hub, statement)
        hub.changesets()
        assert replayed(hub) == table(hub), statement
    frame = geopandas.GeoDataFrame({"name": ["Nhập", "sửa"], "kind": KIND}, geometry=shapely.points([500007, 500001], [1800000, 1800000]), crs=9214)
    import_layer(hub, "facility", frame)
    assert replayed(hub) == table(hub)
    assert [finding for finding in check_hub(hub) if finding.state is State.BROKEN] == []


def test_what_went_past_the_ledger_is_not_covered_up_by_that(hub):
    run(hub, "CREATE TRIGGER trước BEFORE UPDATE ON facility BEGIN SELECT 1; END")
    for text in ("UPDATE facility SET name = 'tay' WHERE fid = 3", "DROP TRIGGER quyhoach_ledger_update_facility", "UPDATE facility SET name = 'lén' WHERE fid = 3"):
        run(hub, text)
    run(hub, ledger_statements(FACILITY)["quyhoach_ledger_update_facility"])
    run(hub, "UPDATE facility SET name = 'tay nữa' WHERE fid = 3")
    assert send_three(hub).outcome is Outcome.APPLIED
    assert "đứt đoạn ở 1 đối tượng" in "".join(finding.what for finding in check_hub(hub) if finding.state is State.BROKEN)


def test_edits_of_others_get_a_changeset_and_are_delivered(hub):
    before = hub.position()
    run(hub, "UPDATE facility SET name = 'QGIS' WHERE fid = 1")
    with hub.deliver([Scope("facility")], before) as delivery:
        assert [(id, row["name"]) for _, id, row in delivery.rows] == [(str(uuid.UUID(int=1)), "QGIS")]
    hub.submit(changeset(Change("facility", str(uuid.UUID(int=2)), facility("Số 2", 2), facility("Hai", 2))))
    assert hub._database.execute("SELECT count(*) FROM quyhoach_ledger WHERE changeset IS NULL").fetchone()[0] == 0


def test_submission_is_once_whole_and_by_field(hub):
    one = changeset(Change("facility", str(uuid.UUID(int=1)), facility("Số 1", 1), facility("Một", 1)),
                    id=str(uuid.uuid4()))
    assert hub.submit(one).outcome is Outcome.APPLIED and hub.submit(one).outcome is Outcome.ALREADY_APPLIED
    stale = changeset(Change("facility", str(uuid.UUID(int=2)), facility("Số 2", 2), facility("Hai", 2)),
                      Change("facility", str(uuid.UUID(int=1)), facility("Số 1", 1), facility("Khác", 1)))
    answer = hub.submit(stale)
    assert answer.outcome is Outcome.STALE and [o.feature_id for o in answer.objections] == [str(uuid.UUID(int=1))]
    assert table(hub)[str(uuid.UUID(int=2))]["name"] == "Số 2", "nothing of a stale changeset is applied"
    other_field = changeset(Change("facility", str(uuid.UUID(int=1)), facility("Số 1", 1),
                                   {**facility("Số 1", 1), "commune_code": "99001"}))
    assert hub.submit(other_field).outcome is Outcome.APPLIED
    assert (table(hub)[str(uuid.UUID(int=1))]["name"],
            table(hub)[str(uuid.UUID(int=1))]["commune_code"]) == ("Một", "99001")


def test_what_the_catalogue_forbids_is_refused_with_the_reason(hub):
    bad = changeset(Change("facility", str(uuid.uuid4()), None, {**facility("Lạ"), "kind": "nhà ma"}),
                    Change("facility", str(uuid.uuid4()), None, facility("Tốt")))
    answer = hub.submit(bad)
    assert answer.outcome is Outcome.REFUSED and "mã không có trong danh mục" in answer.objections[0].reason
    assert len(table(hub)) == 4


@pytest.mark.parametrize("when", ["UPDATE OF name", "INSERT"])
def test_what_triggers_of_others_write_is_entered_after_what_it_follows_from(hub, when):
    """SQLite runs the newest trigger first, so theirs would come before the ledger's own."""
    run(hub, f"CREATE TRIGGER hoa AFTER {when} ON FACILITY BEGIN UPDATE facility SET note = upper(NEW.name) WHERE fid = NEW.fid; END")
    old = facility("Số 1", 1)
    answer = hub.submit(changeset(Change("facility", str(uuid.UUID(int=1)), old, {**old, "name": "cho"}),
                                  Change("facility", str(uuid.UUID(int=9)), None, facility("ben"))))
    assert answer.outcome is Outcome.APPLIED
    assert [change.after["note"] for change in answer.rewritten] == ["BEN" if when == "INSERT" else "CHO"]
    assert replayed(hub) == table(hub)
    run(hub, "UPDATE facility SET name = 'bai' WHERE fid = 2")
    assert replayed(hub) == table(hub)


def test_a_trigger_that_rolls_everything_back_leaves_nothing(hub):
    """What comes after the refused feature must not be written on its own."""
    run(hub, "CREATE TRIGGER cấm BEFORE UPDATE ON facility WHEN NEW.name = 'Hai' BEGIN SELECT RAISE(ROLLBACK, 'không'); END")
    before, position = table(hub), hub.position()
    answer = hub.submit(changeset(*(Change("facility", str(uuid.UUID(int=i)), facility(f"Số {i}", i), facility(name, i))
                                    for i, name in ((1, "Một"), (2, "Hai"), (3, "Ba")))))
    assert answer.outcome is Outcome.REFUSED and [o.feature_id for o in answer.objections] == [str(uuid.UUID(int=2))]
    assert table(hub) == before and hub.position() == position


def test_a_lock_of_the_changeset_itself_is_no_reason(tmp_path):
    """What it approves would only be locked had it been taken."""
    plan = load_catalogue()["plan"]
    shape = shapely.to_wkb(shapely.MultiPolygon([shapely.box(0, 0, 1, 1)]), byte_order=1, flavor="iso")

    def row(ref, status):
        return {**dict.fromkeys(plan.field_names), "plan_ref": ref, "name": ref, "level": "detailed", "scale": 500,
                "status": status, "geom": shape}

    a, b = (str(uuid.UUID(int=i)) for i in (1, 2))
    with create_hub(str(tmp_path / "hub.gpkg"), "EPSG:9214", datasets=[plan]) as hub:
        hub.submit(changeset(Change("plan", a, None, row("A", "approved")), Change("plan", b, None, row("B", "draft"))))
        answer = hub.submit(changeset(Change("plan", b, row("B", "draft"), row("B", "approved")),
                                      Change("plan", a, row("A", "approved"), row("B", "approved"))))
    assert answer.outcome is Outcome.REFUSED
    [reason] = [objection.reason for objection in answer.objections]
    assert "Đồ án A đã phê duyệt" in reason and "Đồ án B" not in reason


def test_import_is_a_changeset(hub):
    import geopandas
    from quyhoach.processing_algorithms.provincial_database.imports.hub_import import import_layer

    frame = geopandas.GeoDataFrame({"name": ["Chợ", "Trạm"], "kind": [KIND, KIND]},
                                   geometry=[shapely.Point(500000, 1800000)] * 2, crs=9214)
    import_layer(hub, "facility", frame)
    assert replayed(hub) == table(hub) and len(table(hub)) == 6
