"""Writing a changeset into a GeoPackage hub: one statement for many features does what one for each would."""

import gc
import random
import sqlite3
import time
import uuid

import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from quyhoach.processing_algorithms.common.collector import collector_waits
from quyhoach.processing_algorithms.provincial_database.administration.administration import check_hub
from quyhoach.processing_algorithms.provincial_database.administration.hub_create import create_hub
from quyhoach.processing_algorithms.provincial_database.catalogue import load_catalogue
from quyhoach.processing_algorithms.provincial_database.changes import Change, Changeset, Outcome, Scope
from quyhoach.processing_algorithms.provincial_database.findings import State
from quyhoach.processing_algorithms.provincial_database.geopackage.ledger import entries, hub_trigger_statements
from quyhoach.processing_algorithms.provincial_database.geopackage.upgrade import SCHEMA_VERSION
from quyhoach.processing_algorithms.provincial_database.hub import open_hub
from quyhoach.processing_algorithms.provincial_database.working_copies.checkout import checkout
from quyhoach.processing_algorithms.provincial_database.working_copies.outgoing import freeze
from quyhoach.processing_algorithms.provincial_database.working_copies.push import push

GAUGE = load_catalogue()["gauge"]
COUNT = 8
NO_CODE = "sông chết"


def gauge(number, **values):
    shape = shapely.to_wkb(shapely.Point(500000 + number, 1800000), byte_order=1, flavor="iso")
    return {**{field.name: None for field in GAUGE.fields}, "station_code": str(number), "name": f"Trạm {number}",
            "river_name": "Hương", "kind": "river", "datum": "national", "geom": shape, **values}


def identity(number):
    return str(uuid.UUID(int=number + 1))


def submit(hub, *changes):
    return hub.submit(Changeset(str(uuid.uuid4()), "ân", "", "thử", "", "2026-11-26T00:00:00.000Z", changes))


def edit(number, before, **values):
    return Change("gauge", identity(number), before, {**before, **values})


def new_hub(path, *statements):
    hub = create_hub(str(path), "EPSG:9214", datasets=[GAUGE])
    for statement in statements:
        hub._database.execute(statement)
    made = [Change("gauge", identity(number), None, gauge(number)) for number in range(COUNT)]
    assert submit(hub, *made).outcome is Outcome.APPLIED
    return hub


@pytest.fixture
def hub(tmp_path):
    with new_hub(tmp_path / "hub.gpkg") as made:
        yield made


def rows(hub):
    with hub.deliver([Scope("gauge")], None) as delivery:
        return {feature_id: row for _, feature_id, row in delivery.rows}


def history(hub):
    """What each changeset did, whatever the order within it."""
    return sorted((number, change.feature_id, repr(change.before), repr(change.after))
                  for _, number, change in entries(hub._database, GAUGE))


_EDITS = st.dictionaries(
    st.sampled_from(["name", "river_name", "alarm_1_m", "alarm_2_m", "kind", "geom"]), st.integers(0, 4), min_size=1)
_STEPS = st.lists(st.dictionaries(st.integers(0, COUNT + 3), st.one_of(st.none(), _EDITS), max_size=COUNT), max_size=3)


def _value(name, number):
    if name == "kind":
        return NO_CODE if number == 4 else "river"
    if name == "geom":
        return gauge(100 + number)["geom"]
    return float(number) if name.startswith("alarm") else f"{name} {number}"


def _changes(present, step):
    """Deletions (None), edits of present gauges, new ones where there is none."""
    for number, edits in step.items():
        before = present.get(identity(number))
        after = None if edits is None else {
            **(before or gauge(number)), **{name: _value(name, value) for name, value in edits.items()}}
        if before != after:
            yield Change("gauge", identity(number), before, after)


@settings(max_examples=40, deadline=None)
@given(steps=_STEPS)
def test_together_or_one_by_one_is_the_same(tmp_path_factory, steps):
    folder = tmp_path_factory.mktemp("submit")
    # A trigger of somebody else is what makes the hub go one by one.
    others = "CREATE TRIGGER somebody AFTER DELETE ON gauge WHEN 0 BEGIN SELECT 1; END"
    with new_hub(folder / "together.gpkg") as together, new_hub(folder / "apart.gpkg", others) as apart:
        for step in steps:
            before = rows(together)
            answers = [submit(hub, *_changes(rows(hub), step)) for hub in (together, apart)]
            assert answers[0].outcome is answers[1].outcome
            told = [{(o.feature_id, o.reason) for o in answer.objections} for answer in answers]
            assert told[0] == told[1]
            assert rows(together) == rows(apart) and history(together) == history(apart)
            if answers[0].outcome is not Outcome.APPLIED:
                assert told[0] and rows(together) == before
        assert together._database.execute("SELECT rtreecheck('rtree_gauge_geom')").fetchone()[0] == "ok"


def test_what_fits_only_in_its_order_is_written_in_its_order(tmp_path):
    with new_hub(tmp_path / "hub.gpkg", "CREATE UNIQUE INDEX one_code ON gauge (station_code)") as hub:
        present = rows(hub)
        # 1 frees its code in a change of two fields, then 0 takes it: all changes of one field first would not fit.
        answer = submit(hub, edit(5, present[identity(5)], station_code="Y"),
                        edit(1, present[identity(1)], station_code="X", name="Dời"),
                        edit(0, present[identity(0)], station_code="1"))
        assert answer.outcome is Outcome.APPLIED
        assert [rows(hub)[identity(n)]["station_code"] for n in (0, 1, 5)] == ["1", "X", "Y"]
        assert len([entry for entry in history(hub) if entry[0] == answer.number]) == 3
        refused = submit(hub, edit(2, present[identity(2)], name="Tốt"), edit(3, present[identity(3)], station_code="1"),
                         edit(4, present[identity(4)], kind=NO_CODE))
        assert refused.outcome is Outcome.REFUSED
        assert {o.feature_id for o in refused.objections} == {identity(3), identity(4)}
        assert rows(hub)[identity(2)]["name"] == "Trạm 2"


def test_an_edit_is_judged_by_what_it_changes(hub):
    """A row with a code that is no longer in the list can be mended field by field; what is edited must be right."""
    hub._database.execute("INSERT INTO gpkg_data_column_constraints (constraint_name, constraint_type, value) "
                          "VALUES (?, 'enum', 'canal')", (GAUGE.field("kind").domain.name,))
    hub._database.execute("UPDATE gauge SET kind = 'canal', alarm_1_m = 2 WHERE fid = 1")
    hub._database.execute("DELETE FROM gpkg_data_column_constraints WHERE value = 'canal'")
    hub._database.execute("UPDATE gauge SET name = 'Cầu Dài', kind = kind WHERE fid = 1")
    with pytest.raises(sqlite3.IntegrityError, match="mã không có trong danh mục"):
        hub._database.execute("UPDATE gauge SET kind = 'canal' WHERE fid = 2")
    with pytest.raises(sqlite3.IntegrityError, match="báo động 1 cao hơn báo động 2"):
        hub._database.execute("UPDATE gauge SET alarm_2_m = 1 WHERE fid = 1")
    hub._database.execute("UPDATE gauge SET alarm_2_m = 3 WHERE fid = 1")
    with pytest.raises(sqlite3.IntegrityError, match="báo động 1 cao hơn báo động 2"):
        hub._database.execute("UPDATE gauge SET alarm_1_m = 4 WHERE fid = 1")


def test_what_was_unsent_arrives_in_a_hub_whose_structure_grew_meanwhile(hub, tmp_path):
    """With the triggers of the structure before, which judged whole rows; an edit under way and one still to be sent."""
    copy = checkout(tmp_path / "a.gpkg", hub, location="x", crs=hub.info.crs, datasets=[GAUGE], scopes=[Scope("gauge")])
    copy.database.execute("UPDATE gauge SET name = 'Đang gửi' WHERE fid = 1")
    freeze(copy, author="ân", message="đang gửi")
    copy.database.execute("UPDATE gauge SET name = 'Chưa gửi' WHERE fid = 2")
    hub._database.execute("DROP TRIGGER quyhoach_check_update_gauge")
    hub._database.execute("CREATE TRIGGER quyhoach_check_update_gauge BEFORE UPDATE ON gauge "
                          "BEGIN SELECT CASE WHEN typeof(NEW.name) <> 'text' THEN RAISE(ABORT, 'cũ') END; END")
    hub._database.execute("UPDATE quyhoach_hub SET value = '5' WHERE key = 'schema_version'")
    with copy, open_hub(str(hub.path)) as grown:
        assert grown.info.schema_version == SCHEMA_VERSION
        made = dict(grown._database.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'gauge'"))
        assert made == hub_trigger_statements(GAUGE)
        assert [receipt.outcome for receipt in push(copy, grown, author="ân", message="xong").receipts] == [Outcome.APPLIED] * 2
        assert [rows(grown)[identity(number)]["name"] for number in (0, 1)] == ["Đang gửi", "Chưa gửi"]
        assert [finding for finding in check_hub(grown) if finding.state is State.BROKEN] == []


def test_the_collector_is_back_whatever_happens():
    assert gc.isenabled()
    with pytest.raises(ZeroDivisionError), collector_waits():
        assert not gc.isenabled()
        with collector_waits():
            pass
        assert not gc.isenabled(), "the outer one is not over"
        1 / 0
    assert gc.isenabled()


def renumber(hub, steps):
    """Give stations other names, all of them in one changeset."""
    present = rows(hub)
    return submit(hub, *(edit(number, present[identity(number)], name=f"Trạm {to}") for number, to in steps))


def made_anew(database, definition):
    """As programs do that change a table's definition: a new table, and the triggers again."""
    table, *_ = database.execute("SELECT sql FROM sqlite_master WHERE name = 'gauge'").fetchone()
    others = database.execute("SELECT sql FROM sqlite_master WHERE tbl_name = 'gauge' AND name <> 'gauge' AND sql IS NOT NULL").fetchall()
    for statement in ("PRAGMA foreign_keys = OFF", "PRAGMA legacy_alter_table = ON",
                      table.replace("gauge", "gauge_2", 1).rstrip()[:-1] + f", {definition})", "INSERT INTO gauge_2 SELECT * FROM gauge",
                      "DROP TABLE gauge", "ALTER TABLE gauge_2 RENAME TO gauge", *(sql for (sql,) in others),
                      "PRAGMA legacy_alter_table = OFF", "PRAGMA foreign_keys = ON"):
        database.execute(statement)


@pytest.mark.parametrize("how", ["in the table", "pointed at"])
def test_under_an_index_that_cannot_be_put_away_rows_move_up_and_rings_are_told(tmp_path, how):
    """Part of the table's definition, or what another table's key goes by."""
    with new_hub(tmp_path / "hub.gpkg") as hub:
        database = hub._database
        if how == "pointed at":
            database.execute("CREATE UNIQUE INDEX tên ON gauge (name)")
            database.execute("CREATE TABLE sổ (gauge TEXT REFERENCES gauge (name) ON UPDATE CASCADE)")
            database.execute("INSERT INTO sổ VALUES ('Trạm 3')")
        else:
            made_anew(database, "UNIQUE (name)")
        assert renumber(hub, [(n, n + 1) for n in range(COUNT)]).outcome is Outcome.APPLIED
        assert renumber(hub, [(n, n) for n in reversed(range(COUNT))]).outcome is Outcome.APPLIED
        assert renumber(hub, [(n, n + 1) for n in (3, 0, 6, 5, 1, 7, 2, 4)]).outcome is Outcome.APPLIED
        assert [row["name"] for _, row in sorted(rows(hub).items())] == [f"Trạm {n + 1}" for n in range(COUNT)]
        refused = renumber(hub, [(0, 2), (1, 1)])
        assert refused.outcome is Outcome.REFUSED and "duy nhất" in refused.objections[0].reason, refused
        if how == "pointed at":
            assert database.execute("SELECT gauge FROM sổ").fetchall() == [("Trạm 4",)]
        assert [finding for finding in check_hub(hub) if finding.state is State.BROKEN] == []


@pytest.mark.parametrize("others", [False, True])
def test_values_change_hands_across_the_parts_a_changeset_is_written_in(tmp_path, monkeypatch, others):
    """And triggers of others see each feature once, as its sender meant it."""
    monkeypatch.setattr("quyhoach.processing_algorithms.provincial_database.geopackage.submit._CHANGES_AT_ONCE", 3)
    with new_hub(tmp_path / "hub.gpkg", "CREATE UNIQUE INDEX tên ON gauge (name)") as hub:
        database = hub._database
        if others:
            database.execute("CREATE TABLE sổ (cũ, mới)")
            database.execute("CREATE TRIGGER ghi_sổ AFTER UPDATE ON gauge BEGIN INSERT INTO sổ VALUES (OLD.name, NEW.name); END")
        index = database.execute("SELECT sql FROM sqlite_master WHERE name = 'tên'").fetchall()
        done = renumber(hub, [(n, (n + 3) % COUNT) for n in range(COUNT)])
        assert done.outcome is Outcome.APPLIED and not done.rewritten, done.objections
        assert database.execute("SELECT sql FROM sqlite_master WHERE name = 'tên'").fetchall() == index
        assert [of for _, of, *_ in history(hub)[COUNT:]] == [identity(n) for n in range(COUNT)]
        if others:
            assert sorted(database.execute("SELECT * FROM sổ")) == [(f"Trạm {n}", f"Trạm {(n + 3) % COUNT}") for n in range(COUNT)]
        # A check that is broken besides is told with the one who does not fit, and the index is there after it.
        present = rows(hub)
        refused = submit(hub, edit(0, present[identity(0)], name="Trạm 4"), edit(1, present[identity(1)], kind=NO_CODE),
                         edit(2, present[identity(2)], name="Trạm 3"))
        assert [(o.feature_id, "đã có" in o.reason) for o in refused.objections] == [(identity(1), False), (identity(0), True)], refused
        assert rows(hub) == present and database.execute("SELECT sql FROM sqlite_master WHERE name = 'tên'").fetchall() == index
        assert [finding for finding in check_hub(hub) if finding.state is State.BROKEN] == []


#: The unique column is what another table points at, so its index cannot be put away.
POINTED_AT = ("CREATE UNIQUE INDEX một_mã ON gauge (station_code)", "CREATE TABLE sổ (id INTEGER PRIMARY KEY, code TEXT REFERENCES gauge (station_code))")


@pytest.mark.parametrize("at_once", [3, 5_000])
def test_a_long_chain_of_values_goes_by_who_waits_for_whom(tmp_path, monkeypatch, at_once):
    """However it is ordered, through however many parts; tried again and again it would take minutes."""
    monkeypatch.setattr("quyhoach.processing_algorithms.provincial_database.geopackage.submit._CHANGES_AT_ONCE", at_once)
    count = 40 if at_once == 3 else 3000
    with new_hub(tmp_path / "hub.gpkg", *POINTED_AT) as hub:
        assert submit(hub, *(Change("gauge", identity(number), None, gauge(number)) for number in range(COUNT, count))).outcome is Outcome.APPLIED
        moved = [edit(number, gauge(number), station_code=str(number + 1)) for number in range(count)]
        random.Random(1).shuffle(moved)
        started = time.process_time()
        assert submit(hub, *moved).outcome is Outcome.APPLIED
        assert time.process_time() - started < 20
        codes = dict(hub._database.execute("SELECT feature_id, station_code FROM gauge"))
        assert codes == {identity(number): str(number + 1) for number in range(count)}
        assert not [finding for finding in check_hub(hub) if finding.state is State.BROKEN]


@pytest.mark.parametrize("index", ["CREATE UNIQUE INDEX một_tên ON gauge (river_name, lower(name))",
                                   "CREATE UNIQUE INDEX một_tên ON gauge (name) WHERE kind = 'river'"])
def test_only_who_does_not_fit_is_told(tmp_path, index):
    """Of an index over an expression, or over some rows, its columns alone do not tell who is in whose way."""
    with new_hub(tmp_path / "hub.gpkg", index) as hub:
        told = submit(hub, *(edit(number, gauge(number), name=f"Trạm {number + 100}" if number else "Trạm 7", river_name="Hương") for number in range(COUNT - 1)))
        assert told.outcome is Outcome.REFUSED and [o.feature_id for o in told.objections] == [identity(0)]
