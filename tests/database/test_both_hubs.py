"""What a PostGIS hub and a GeoPackage hub do alike, tried on both."""

import sqlite3
import uuid
from contextlib import closing
from dataclasses import replace

import geopandas
import pyproj
import pytest
import shapely
from hub_rows import rows_of
from quyhoach.processing_algorithms.common.errors import InputError, OutputError
from quyhoach.processing_algorithms.provincial_database.administration.administration import (
    check_hub,
    enter_gaps,
    upgrade,
)
from quyhoach.processing_algorithms.provincial_database.administration.hub_create import create_hub
from quyhoach.processing_algorithms.provincial_database.catalogue import load_catalogue
from quyhoach.processing_algorithms.provincial_database.changes import Change, Changeset, Outcome, Scope
from quyhoach.processing_algorithms.provincial_database.findings import State
from quyhoach.processing_algorithms.provincial_database.geopackage.geometry import register_functions
from quyhoach.processing_algorithms.provincial_database.history.history import difference_layer
from quyhoach.processing_algorithms.provincial_database.hub import open_hub
from quyhoach.processing_algorithms.provincial_database.imports.hub_import import import_layer
from quyhoach.processing_algorithms.provincial_database.working_copies.checkout import checkout
from quyhoach.processing_algorithms.provincial_database.working_copies.conflict_review import Rule, conflicts, resolve
from quyhoach.processing_algorithms.provincial_database.working_copies.exchange_file import (
    apply_changes,
    export_changes,
    export_update,
    import_update,
)
from quyhoach.processing_algorithms.provincial_database.working_copies.outgoing import pending
from quyhoach.processing_algorithms.provincial_database.working_copies.pull import pull
from quyhoach.processing_algorithms.provincial_database.working_copies.push import push

CATALOGUE = load_catalogue()
FACILITY, PLAN, ZONE, LAND_USE = (CATALOGUE[name] for name in ("facility", "plan", "zone", "land_use"))
KIND = FACILITY.field("kind").domain.values[0].code
FUNCTION = ZONE.field("function_code").domain.values[0].code
SQUARE = shapely.MultiPolygon([shapely.box(500000, 1800000, 500010, 1800010)])


@pytest.fixture
def hub(stored_hub):
    return stored_hub


def facility(name, x=0.0, **more):
    shape = shapely.to_wkb(shapely.Point(500000 + x, 1800000), byte_order=1, flavor="iso")
    return {**{field.name: None for field in FACILITY.fields}, "name": name, "kind": KIND, "geom": shape, **more}


def submit(hub, *changes, **more):
    made = {"author": "ân", "department": "", "message": "thử", "decision_no": "", **more}
    return hub.submit(Changeset(str(uuid.uuid4()), made["author"], made["department"], made["message"],
                                made["decision_no"],
                                "2026-11-22T00:00:00.000Z", changes))


def run(copy, sql, *values):
    """As another program would."""
    with closing(sqlite3.connect(copy.path, isolation_level=None)) as database:
        register_functions(database)
        database.execute(sql, values)


def out(hub, path, name="facility"):
    return checkout(path, hub, location="x", crs=pyproj.CRS(9214), datasets=[hub.datasets[name]], scopes=[Scope(name)])


def copies(hub):
    return next(finding for finding in check_hub(hub) if finding.check == "Bản dữ liệu làm việc")


def test_the_oldest_unsent_working_copy_is_known(hub, tmp_path):
    assert submit(hub,
                  *(Change("facility", str(uuid.UUID(int=i)), None, facility(f"Số {i}", i))
                    for i in (1, 2))).outcome is Outcome.APPLIED
    with out(hub, tmp_path / "Phường Thuận Hóa.gpkg") as first, out(hub, tmp_path / "Xã Bình An.gpkg") as second:
        assert "Thuận Hóa" not in copies(hub).what, "nothing is unsent"
        run(first, "UPDATE facility SET name = 'sửa'")
        run(first, "UPDATE facility SET name = 'Số 2' WHERE fid = 2")
        pull(first, hub)
        run(second, "UPDATE facility SET address = 'Thôn Hạ'")
        pull(second, hub)
        told = copies(hub)
        assert "Phường Thuận Hóa" in told.what and " 1 đối tượng" in told.what, "touched and put back is not unsent"
        assert told.state is State.GOOD
        since = first.facts["unsent_since"]
        pull(first, hub)
        assert first.facts["unsent_since"] == since
        with first.applying("test"):
            first.set_facts(unsent_since="2026-01-01T00:00:00.000Z")
        pull(first, hub)
        told = copies(hub)
        assert told.state is State.ATTENTION and "01/01/2026" in told.what and "30 ngày" in told.advice
        assert push(first, hub, author="ân", message="gửi").outcome is Outcome.APPLIED
        assert "Xã Bình An" in copies(hub).what
        assert push(second, hub, author="ân", message="gửi").outcome is Outcome.APPLIED
        assert "Xã Bình An" not in copies(hub).what and "Thuận Hóa" not in copies(hub).what


def test_an_office_without_a_network_is_known_by_its_files(hub, tmp_path):
    assert submit(hub, Change("facility", str(uuid.UUID(int=1)), None, facility("Chợ"))).outcome is Outcome.APPLIED
    with out(hub, tmp_path / "Xã Bình An.gpkg") as copy:
        run(copy, "UPDATE facility SET name = 'sửa'")
        export_changes(copy, tmp_path / "gửi.qhz", author="ân", message="thử")
    before = facility("Chợ")
    assert submit(hub,
                  Change("facility", str(uuid.UUID(int=1)), before,
                         {**before, "name": "khác"})).outcome is Outcome.APPLIED
    assert [receipt.outcome for receipt in apply_changes(hub, tmp_path / "gửi.qhz")] == [Outcome.STALE]
    assert "Xã Bình An" in copies(hub).what and " 1 đối tượng" in copies(hub).what
    assert submit(hub,
                  Change("facility", str(uuid.UUID(int=1)), {**before, "name": "khác"},
                         before)).outcome is Outcome.APPLIED
    assert [receipt.outcome for receipt in apply_changes(hub, tmp_path / "gửi.qhz")] == [Outcome.APPLIED]
    assert "Xã Bình An" not in copies(hub).what


def test_a_copy_passed_on_is_told_by_whoever_has_it(hub, tmp_path):
    hub.note_working_copy("a", "Xã A", 3, "2026-11-20T00:00:00.000Z")
    hub.note_working_copy("a", "Xã A (mới)", 0)
    assert "Xã A" not in copies(hub).what


def test_what_is_taken_back_already_leaves_nothing_to_take_back(hub):
    first = submit(hub, Change("facility", str(uuid.UUID(int=1)), None, facility("Chợ"))).number
    for _ in range(2):
        assert hub.revert(first).outcome is Outcome.APPLIED
    empty = hub.changesets(most=1)[0]
    assert (empty.reverts, dict(empty.features)) == (first, {})
    with pytest.raises(InputError, match="không còn thay đổi nào"):
        hub.revert(empty.number)
    assert hub.changesets(most=1)[0] == empty and hub.count(hub.datasets["facility"]) == 0


def test_the_parent_of_a_split_or_copied_feature_is_in_the_ledger(hub, tmp_path):
    parent = str(uuid.UUID(int=1))
    first = submit(hub, Change("facility", parent, None, facility("Chợ"))).number
    with out(hub, tmp_path / "bản.gpkg") as copy:
        run(copy, "INSERT INTO facility (feature_id, name, kind, geom) SELECT feature_id, 'Chợ (nửa kia)', kind, geom FROM facility")
        run(copy, "INSERT INTO facility (name, kind, geom) SELECT 'Trường', kind, geom FROM facility LIMIT 1")
        done = push(copy, hub, author="ân", message="tách")
    assert done.outcome is Outcome.APPLIED
    found = {change.after["name"]: change for change in hub.changes_between(FACILITY, first, done.receipts[-1].number)}
    assert found["Chợ (nửa kia)"].parent_id == parent and found["Trường"].parent_id is None
    layer = difference_layer(hub, FACILITY, first, done.receipts[-1].number).set_index("name")
    assert layer.loc["Chợ (nửa kia)", "parent_id"] == parent and layer.loc["Trường", "parent_id"] is None
    # A later edit of the child does not make it forget where it came from.
    child = found["Chợ (nửa kia)"]
    last = submit(hub, Change("facility", child.feature_id, child.after, {**child.after, "address": "x"})).number
    [change] = [c for c in hub.changes_between(FACILITY, first, last) if c.feature_id == child.feature_id]
    assert change.parent_id == parent
    # A parent somebody has made up in a file is only text, or nothing.
    odd = str(uuid.UUID(int=77))
    assert submit(hub,
                  Change("facility", odd, None, facility("lạ"),
                         "'); DROP TABLE facility; --")).outcome is Outcome.APPLIED
    assert [finding for finding in check_hub(hub) if finding.state is State.BROKEN] == []


def test_what_the_hub_refuses_by_file_is_sent_again_when_it_may(hub, tmp_path):
    """The hub stays where it was, so its answer brings nothing but the refusal."""
    land = geopandas.GeoDataFrame({"commune_code": ["25001"], "year": [2024], "patch_no": [1], "land_code": ["ONT"]},
                                  geometry=[SQUARE], crs=9214)
    assert import_layer(hub, "land_use", land).added == 1
    hub.lock(LAND_USE, 2024, "Kiểm kê 2024 đã khóa sổ")
    with out(hub, tmp_path / "a.gpkg", "land_use") as copy:
        run(copy, "UPDATE land_use SET note = 'đo lại'")
        for step, outcome in enumerate([Outcome.REFUSED, Outcome.APPLIED]):
            export_changes(copy, tmp_path / f"{step}.qhz", author="ân", message="thử")
            receipts = export_update(hub, tmp_path / f"{step}.qhz", tmp_path / f"về {step}.qhz")
            assert [receipt.outcome for receipt in receipts] == [outcome]
            for _ in range(2):
                import_update(copy, tmp_path / f"về {step}.qhz")
                assert not pending(copy) and copy.status()[0].changed == (outcome is Outcome.REFUSED)
            if outcome is Outcome.REFUSED:
                hub.unlock(LAND_USE, 2024, "Mở sổ để sửa")
    assert [row["note"] for row in rows_of(hub, "land_use").values()] == ["đo lại"]


def test_before_everything_there_was_nothing(hub):
    id = str(uuid.uuid4())
    number = submit(hub, Change("facility", id, None, facility("Chợ"))).number
    assert list(hub.rows_as_of(FACILITY, 0)) == list(hub.changes_between(FACILITY, 0, 0)) == []
    assert [change.feature_id for change in hub.changes_between(FACILITY, 0, number)] == [id]


def test_a_number_is_free_when_who_had_it_goes_in_the_same_changeset(hub):
    """An administrator has made names unique. People draw the new feature first and delete the old one after."""
    unique = "CREATE UNIQUE INDEX một_tên ON {}facility (name)"
    if hasattr(hub, "connection"):
        with hub.connection.cursor() as cursor:
            cursor.execute(unique.format("quyhoach_data."))
    else:
        hub._database.execute(unique.format(""))
    a, b, c, d = (str(uuid.uuid4()) for _ in range(4))
    assert submit(hub, Change("facility", a, None, facility("A")),
                  Change("facility", b, None, facility("B"))).outcome is Outcome.APPLIED
    taken = submit(hub, Change("facility", c, None, facility("A")), Change("facility", d, None, facility("B")),
                   Change("facility", a, facility("A"), None))
    assert taken.outcome is Outcome.REFUSED and {o.feature_id for o in taken.objections} >= {d}
    assert submit(hub, Change("facility", c, None, facility("A")), Change("facility", b, facility("B"), facility("C")),
                  Change("facility", d, None, facility("B")), Change("facility", a, facility("A"), None)).outcome is Outcome.APPLIED
    with hub.deliver([Scope("facility")], None) as delivery:
        assert {id: row["name"] for _, id, row in delivery.rows} == {b: "C", c: "A", d: "B"}


def make_unique(hub, columns, table="facility"):
    """As an administrator would."""
    unique = f"CREATE UNIQUE INDEX một_{table} ON {{}}{table} ({columns})"
    if hasattr(hub, "connection"):
        with hub.connection.cursor() as cursor:
            cursor.execute(unique.format("quyhoach_data."))
    else:
        hub._database.execute(unique.format(""))


def named(hub, dataset="facility"):
    with hub.deliver([Scope(dataset)], None) as delivery:
        return {id: row["name"] for _, id, row in delivery.rows}


@pytest.mark.parametrize("columns, moved", [
    ("name", "A>B B>C C>D"), ("name", "C>D B>C A>B"), ("name", "A>B B>A"), ("name", "B>A A>X C>B new>C D>new"),
    ("kind, name", "A>B B>C C>A D>E E>D"), ("lower(name)", "A>B B>C C>A X>Y")])
def test_numbers_only_one_may_have_change_hands_in_any_order(hub, columns, moved):
    """In a row, in a ring, with new and deleted features: when the end is right it is taken, and is one change of each feature."""
    make_unique(hub, columns)
    steps = [step.split(">") for step in moved.split()]
    ids = {name: str(uuid.uuid4()) for pair in steps for name in pair}
    first = submit(hub, *(Change("facility", ids[old], None, facility(old, note="giữ")) for old, _ in steps if old != "new")).number
    changes = [Change("facility", ids[old], None if old == "new" else facility(old, note="giữ"),
                      None if new == "new" else facility(new, note="giữ")) for old, new in steps]
    done = submit(hub, *changes)
    assert done.outcome is Outcome.APPLIED, done.objections
    assert not done.rewritten
    assert named(hub) == {ids[old]: new for old, new in steps if new != "new"}
    entries = [(change.feature_id, change.before and change.before["name"], change.after and change.after["name"])
               for change in hub.changes_between(FACILITY, first, done.number)]
    assert sorted(entries) == sorted((change.feature_id, change.before and change.before["name"], change.after and change.after["name"])
                                     for change in changes)
    assert [finding for finding in check_hub(hub) if finding.state is State.BROKEN] == []
    # Still only one may have it.
    refused = submit(hub, Change("facility", str(uuid.uuid4()), None, facility(next(iter(named(hub).values())))))
    assert refused.outcome is Outcome.REFUSED and "UNIQUE" not in refused.objections[0].reason


@pytest.mark.parametrize("field, one, other", [
    ("kind", KIND, FACILITY.field("kind").domain.values[1].code), ("capacity", 10, 20), ("address", "Thôn Hạ", "Thôn Thượng")])
def test_two_change_places_in_any_kind_of_field(hub, field, one, other):
    make_unique(hub, field)
    a, b = str(uuid.uuid4()), str(uuid.uuid4())
    before = [facility("A", **{field: one}), facility("B", **{field: other})]
    assert submit(hub, *(Change("facility", id, None, row) for id, row in zip((a, b), before))).outcome is Outcome.APPLIED
    after = [{**before[0], field: other}, {**before[1], field: one}]
    done = submit(hub, *(Change("facility", id, *rows) for id, *rows in zip((a, b), before, after)))
    assert done.outcome is Outcome.APPLIED and not done.rewritten, done.objections
    with hub.deliver([Scope("facility")], None) as delivery:
        assert {id: row[field] for _, id, row in delivery.rows} == {a: other, b: one}


def test_only_what_does_not_fit_in_the_end_is_told(hub):
    make_unique(hub, "name")
    a, b, c, d = (str(uuid.uuid4()) for _ in range(4))
    assert submit(hub, *(Change("facility", id, None, facility(name)) for id, name in zip((a, b, c, d), "ABCD"))).number
    before = named(hub)
    refused = submit(hub, Change("facility", a, facility("A"), facility("B")), Change("facility", b, facility("B"), facility("E")),
                     Change("facility", c, facility("C"), facility("D")))
    assert refused.outcome is Outcome.REFUSED and [o.feature_id for o in refused.objections] == [c]
    assert "Tên công trình = D" in refused.objections[0].reason
    assert named(hub) == before


def checked_out_long_ago(path):
    """Before an edit was judged by what it changes, a layer judged all of an edited row; this one has a row an old program let in."""
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        register_functions(database)
        [whole] = database.execute("SELECT sql FROM sqlite_master WHERE name = 'quyhoach_check_insert_facility'").fetchone()
        database.execute("INSERT INTO quyhoach_applying VALUES ('cũ')")
        database.execute("UPDATE facility SET kind = 'mã cũ' WHERE name = 'A'")
        database.execute("DELETE FROM quyhoach_applying")
        database.execute("DROP TRIGGER quyhoach_check_update_facility")
        database.execute(whole.replace("quyhoach_check_insert_", "quyhoach_check_update_").replace("BEFORE INSERT", "BEFORE UPDATE"))


@pytest.mark.parametrize("by", ["pull", "push"])
def test_a_working_copy_of_an_older_program_judges_as_this_one_after_an_exchange(hub, tmp_path, by):
    a, b = (str(uuid.UUID(int=i)) for i in (1, 2))
    assert submit(hub, Change("facility", a, None, facility("A")), Change("facility", b, None, facility("B"))).outcome is Outcome.APPLIED
    with out(hub, tmp_path / "bản.gpkg") as copy:
        checked_out_long_ago(copy.path)
        with pytest.raises(sqlite3.IntegrityError, match="mã không có trong danh mục"):
            run(copy, "UPDATE facility SET note = 'sửa' WHERE name = 'A'")
        run(copy, "UPDATE facility SET note = 'chưa gửi' WHERE name = 'B'")
        others = {name: text for name, text in triggers_of(copy).items() if not name.startswith("quyhoach_check_update_")}
        if by == "pull":
            report = pull(copy, hub)
            assert not report.compared_whole and (report.received, report.conflicts, copy.unsent()) == (0, 0, 1)
        else:
            assert push(copy, hub, author="ân", message="gửi").outcome is Outcome.APPLIED and copy.unsent() == 0
        assert triggers_of(copy) == others | {"quyhoach_check_update_facility": triggers_of(copy)["quyhoach_check_update_facility"]}
        run(copy, "UPDATE facility SET note = 'sửa' WHERE name = 'A'")
        with pytest.raises(sqlite3.IntegrityError, match="mã không có trong danh mục"):
            run(copy, "UPDATE facility SET kind = 'mã lạ' WHERE name = 'A'")
        assert push(copy, hub, author="ân", message="gửi nữa").outcome is Outcome.APPLIED
    with hub.deliver([Scope("facility")], None) as delivery:
        assert {row["name"]: (row["note"], row["kind"]) for _, _, row in delivery.rows} == {"A": ("sửa", KIND), "B": ("chưa gửi", KIND)}


def triggers_of(copy):
    return dict(copy.database.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'"))


def write_past_the_ledger(hub, *statements):
    """What somebody does who knows databases too well."""
    if hasattr(hub, "connection"):
        with hub.connection.cursor() as cursor:
            cursor.execute("SET session_replication_role = replica")
            for statement in statements:
                cursor.execute(statement.replace("facility", "quyhoach_data.facility"))
            cursor.execute("RESET session_replication_role")
        return
    triggers = hub._database.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
    for statement in (*(f'DROP TRIGGER "{name}"' for name, _ in triggers), *statements, *(text for _, text in triggers)):
        hub._database.execute(statement)


def test_what_went_past_the_ledger_is_entered_and_reaches_working_copies(hub, tmp_path):
    a, b, c = (str(uuid.UUID(int=i)) for i in (1, 2, 3))
    assert submit(hub, *(Change("facility", id, None, facility(name)) for id, name in ((a, "A"), (b, "B")))).outcome is Outcome.APPLIED
    with out(hub, tmp_path / "bản.gpkg") as copy:
        write_past_the_ledger(hub, "UPDATE facility SET name = 'lén', capacity = 7 WHERE name = 'A'", "DELETE FROM facility WHERE name = 'B'",
                              f"INSERT INTO facility (feature_id, name, kind, geom) SELECT '{c}', 'thêm', kind, geom FROM facility")
        [broken] = [finding for finding in check_hub(hub) if finding.state is State.BROKEN and "khớp với hình" not in finding.what]
        assert "3 đối tượng" in broken.what and "Ghi bù" in broken.advice
        pull(copy, hub)
        assert enter_gaps(hub) == {"facility": 3} and enter_gaps(hub) == {}
        assert [finding.what for finding in check_hub(hub) if finding.state is State.BROKEN and "khớp với hình" not in finding.what] == []
        note = hub.changesets()[0]
        assert "Ghi bù" in note.message and note.features == {"facility": 3}
        pull(copy, hub)
        assert copy.database.execute("SELECT name, capacity FROM facility ORDER BY name").fetchall() == [("lén", 7), ("thêm", None)]
    assert hub.revert(note.number).outcome is Outcome.APPLIED
    assert named(hub) == {a: "A", b: "B"}


def test_nothing_is_written_where_the_ledger_would_not_notice(hub, hub_location, tmp_path):
    """A program has made the table anew, or an administrator has forgotten the triggers: others would never hear of it."""
    a, b = (str(uuid.UUID(int=i)) for i in (1, 2))
    assert submit(hub, Change("facility", a, None, facility("A"))).outcome is Outcome.APPLIED
    with out(hub, tmp_path / "bản.gpkg") as copy:
        if hasattr(hub, "connection"):
            with hub.connection.cursor() as cursor:
                cursor.execute("DROP TRIGGER quyhoach_2_record_update ON quyhoach_data.facility")
        else:
            hub._database.execute("DROP TRIGGER quyhoach_ledger_update_facility")
        copy.database.execute("UPDATE facility SET name = 'chờ'")
        with pytest.raises(OutputError, match="hubupgrade"):
            push(copy, hub, author="ân", message="thử")
        with pytest.raises(OutputError, match="hubupgrade"):
            import_layer(hub, "facility", hub.read(hub.datasets["facility"]).assign(feature_id=b, name="B"))
        assert named(hub) == {a: "A"} and copy.status()[0].waiting == 1
        upgrade(hub_location)
        assert push(copy, hub, author="ân", message="thử").outcome is Outcome.APPLIED and named(hub) == {a: "chờ"}
        assert [finding.what for finding in check_hub(hub) if finding.state is State.BROKEN] == []


def test_a_renamed_column_is_told_of_the_hub_and_not_of_the_copy(hub, tmp_path):
    assert submit(hub, Change("facility", str(uuid.uuid4()), None, facility("A"))).outcome is Outcome.APPLIED
    with out(hub, tmp_path / "bản.gpkg") as copy:
        assert submit(hub, Change("facility", str(uuid.uuid4()), None, facility("B"))).outcome is Outcome.APPLIED
        if hasattr(hub, "connection"):
            with hub.connection.cursor() as cursor:
                cursor.execute("ALTER TABLE quyhoach_data.facility RENAME name TO ten")
        else:
            hub._database.execute("ALTER TABLE facility RENAME name TO ten")
        with pytest.raises(OutputError, match="cơ sở dữ liệu dùng chung không còn như khi tạo.*hubcheck"):
            pull(copy, hub)
        run(copy, "UPDATE facility SET name = 'sửa'")
        with pytest.raises(OutputError, match="hubcheck"):
            push(copy, hub, author="ân", message="thử")
        assert copy.status()[0].waiting == 1


@pytest.mark.parametrize("rule, name", [(Rule.OURS, "của ta"), (Rule.THEIRS, "của họ"), (Rule.BASE, "A"), (Rule.EDITED, "thỏa thuận"), (Rule.OURS, "thỏa thuận")])
def test_a_dispute_is_settled_by_any_side_or_by_editing(hub, tmp_path, rule, name):
    """What was edited since the dispute began, in other fields or of a feature they have deleted, is lost by no rule but theirs."""
    a, b = str(uuid.uuid4()), str(uuid.uuid4())
    assert submit(hub, Change("facility", a, None, facility("A")), Change("facility", b, None, facility("B"))).outcome is Outcome.APPLIED
    with out(hub, tmp_path / "a.gpkg") as copy:
        run(copy, "UPDATE facility SET name = CASE feature_id WHEN ? THEN 'của ta' ELSE 'B của ta' END", a)
        assert submit(hub, Change("facility", a, facility("A"), facility("của họ")), Change("facility", b, facility("B"), None)).outcome is Outcome.APPLIED
        assert pull(copy, hub).conflicts == 2
        run(copy, "UPDATE facility SET note = 'sửa sau'")
        if name == "thỏa thuận":
            run(copy, "UPDATE facility SET name = 'thỏa thuận' WHERE feature_id = ?", a)
        resolve(copy, rule)
        assert not list(conflicts(copy))
        assert push(copy, hub, author="ân", message="đã giải quyết").outcome is Outcome.APPLIED
    with hub.deliver([Scope("facility")], None) as delivery:
        rows = {id: (row["name"], row["note"]) for _, id, row in delivery.rows}
    left = {Rule.OURS: ("B của ta", "sửa sau"), Rule.EDITED: ("B của ta", "sửa sau"), Rule.BASE: ("B", None)}
    assert rows == {a: (name, "sửa sau"), **({b: left[rule]} if rule in left else {})}


@pytest.mark.parametrize("rule", [Rule.OURS, Rule.EDITED])
def test_what_was_deleted_or_put_back_since_a_dispute_began_stays_so(hub, tmp_path, rule):
    """Ours is what is in the layer now: not the row noted when the dispute began, nor its absence."""
    a, b = str(uuid.uuid4()), str(uuid.uuid4())
    assert submit(hub, Change("facility", a, None, facility("A")), Change("facility", b, None, facility("B"))).outcome is Outcome.APPLIED
    with out(hub, tmp_path / "a.gpkg") as copy:
        run(copy, "UPDATE facility SET name = 'của ta' WHERE feature_id = ?", a)
        run(copy, "DELETE FROM facility WHERE feature_id = ?", b)
        assert submit(hub, Change("facility", a, facility("A"), None), Change("facility", b, facility("B"), facility("của họ"))).outcome is Outcome.APPLIED
        assert pull(copy, hub).conflicts == 2
        run(copy, "INSERT INTO facility (feature_id, name, kind, geom) SELECT ?, 'dán lại', kind, geom FROM facility", b)
        run(copy, "DELETE FROM facility WHERE feature_id = ?", a)
        resolve(copy, rule)
        assert not list(conflicts(copy))
        assert push(copy, hub, author="ân", message="đã giải quyết").outcome is Outcome.APPLIED
    with hub.deliver([Scope("facility")], None) as delivery:
        assert {id: row["name"] for _, id, row in delivery.rows} == {b: "dán lại"}


def test_what_was_sent_and_taken_back_at_the_hub_before_its_receipt_arrives(hub, tmp_path):
    """Two files go out; the second is applied and taken back, the answer to the first is received, then comes the receipt."""
    a = str(uuid.uuid4())
    assert submit(hub, Change("facility", a, None, facility("A"))).outcome is Outcome.APPLIED
    with out(hub, tmp_path / "a.gpkg") as copy:
        export_changes(copy, tmp_path / "một.qhz", author="ân")
        run(copy, "UPDATE facility SET name = 'của ta'")
        export_changes(copy, tmp_path / "hai.qhz", author="ân", message="hai")
        [receipt] = apply_changes(hub, tmp_path / "hai.qhz")
        assert hub.revert(receipt.number, message="nhầm").outcome is Outcome.APPLIED
        export_update(hub, tmp_path / "một.qhz", tmp_path / "về.qhz")
        import_update(copy, tmp_path / "về.qhz")
        pull(copy, hub)
        assert copy.row(FACILITY, a)["name"] == "A" and copy.status()[0].edits == 0 and not list(conflicts(copy))


@pytest.mark.parametrize("how", ["", "DEFERRABLE INITIALLY DEFERRED"])
def test_under_a_foreign_key_parents_and_children_come_and_go_in_any_order(hub, tmp_path, how):
    key = f"FOREIGN KEY (plan_ref) REFERENCES {{}}plan (plan_ref) {how}"
    if hasattr(hub, "connection"):
        with hub.connection.cursor() as cursor:
            cursor.execute("ALTER TABLE quyhoach_data.plan ADD UNIQUE (plan_ref)")
            cursor.execute(f"ALTER TABLE quyhoach_data.zone ADD {key.format('quyhoach_data.')}")
    else:
        hub._database.execute("CREATE UNIQUE INDEX một_đồ_án ON plan (plan_ref)")
        hub._database.execute("PRAGMA writable_schema = ON")
        hub._database.execute("UPDATE sqlite_master SET sql = substr(sql, 1, length(sql) - 1) || ? WHERE name = 'zone'", (f", {key.format('')})",))
        hub._database.execute("PRAGMA writable_schema = RESET")
    shape = shapely.to_wkb(SQUARE, byte_order=1, flavor="iso")
    row = {**dict.fromkeys(PLAN.field_names), "plan_ref": "P1", "name": "P", "level": "detailed", "scale": 500, "status": "draft", "geom": shape}
    part = {**dict.fromkeys(ZONE.field_names), "plan_ref": "P1", "zone_code": "A", "function_code": FUNCTION, "geom": shape}
    plan, zone, orphan = (str(uuid.uuid4()) for _ in range(3))
    refused = submit(hub, Change("zone", orphan, None, part))
    assert refused.outcome is Outcome.REFUSED and [o.feature_id for o in refused.objections] == [orphan]
    assert submit(hub, Change("zone", zone, None, part), Change("plan", plan, None, row)).outcome is Outcome.APPLIED
    refused = submit(hub, Change("plan", plan, row, None))
    assert refused.outcome is Outcome.REFUSED and [o.feature_id for o in refused.objections] == [plan]
    with checkout(tmp_path / "a.gpkg", hub, location="x", crs=pyproj.CRS(9214), datasets=[hub.datasets[name] for name in ("plan", "zone")],
                  scopes=[Scope("plan"), Scope("zone")]) as copy:
        run(copy, "DELETE FROM plan")
        run(copy, "DELETE FROM zone")
        assert push(copy, hub, author="ân", message="xóa").outcome is Outcome.APPLIED
    assert hub.count(PLAN) == hub.count(ZONE) == 0
    assert not [finding for finding in check_hub(hub) if finding.state is State.BROKEN]


def test_an_import_may_fill_an_approved_plan_that_is_empty_and_nothing_else(hub):
    plans = geopandas.GeoDataFrame({"plan_ref": ["PK7", "PK8"], "name": ["x", "y"], "level": ["sub_area"] * 2,
                                    "scale": [2000] * 2,
                                    "status": ["approved"] * 2}, geometry=[SQUARE] * 2, crs=9214)
    zones = geopandas.GeoDataFrame({"plan_ref": ["PK7"] * 2, "zone_code": ["A", "B"], "function_code": [FUNCTION] * 2},
                                   geometry=[SQUARE] * 2, crs=9214)
    import_layer(hub, "plan", plans)
    assert sorted(hub.locks(ZONE)) == ["PK7", "PK8"]
    row = {**{field.name: None for field in ZONE.fields}, "plan_ref": "PK7", "zone_code": "C",
           "function_code": FUNCTION,
           "geom": shapely.to_wkb(SQUARE, byte_order=1, flavor="iso")}
    pushed = submit(hub, Change("zone", str(uuid.uuid4()), None, row))
    assert pushed.outcome is Outcome.REFUSED and "PK7 đã phê duyệt" in pushed.objections[0].reason, "a push is no import of legacy data"
    assert import_layer(hub, "zone", zones).added == 2
    with pytest.raises(OutputError, match="PK7 đã phê duyệt"):
        import_layer(hub, "zone", zones.assign(zone_code=["C", "D"]))
    assert hub.count(hub.datasets["zone"]) == 2
    # Locked by a hand, with a reason: that holds for imports too, with zones or without.
    hub.unlock(ZONE, "PK8", "thử")
    hub.lock(ZONE, "PK8", "Thanh tra đang làm việc")
    with pytest.raises(OutputError, match="Thanh tra"):
        import_layer(hub, "zone", zones.assign(plan_ref="PK8"))
    hub.lock(LAND_USE, 2024, "Kiểm kê 2024 đã khóa sổ")
    land = geopandas.GeoDataFrame({"commune_code": ["25001"], "year": [2024], "patch_no": [1], "land_code": ["ONT"]},
                                  geometry=[SQUARE], crs=9214)
    with pytest.raises(OutputError, match="khóa sổ"):
        import_layer(hub, "land_use", land)
    assert import_layer(hub, "land_use", land.assign(year=2025)).added == 1


def test_a_lock_has_a_reason_and_a_field(hub):
    for dataset, reason, told in ((ZONE, " ", "lý do"), (FACILITY, "x", "không có trường")):
        with pytest.raises(InputError, match=told):
            hub.lock(dataset, "PK1", reason)
    assert not hub.locks(ZONE) and hub.unlock(ZONE, "PK1", "thử") is False
    hub.lock(ZONE, "PK1", "Thanh tra")
    hub.lock(ZONE, "PK1", "nữa")
    assert hub.locks(ZONE) == {"PK1": "Thanh tra"} and hub.unlock(ZONE, "PK1", "xong") and not hub.locks(ZONE)


#: Datasets and fields are found by their ids, whatever a hub calls them: words of SQL, or names as long as the catalogue allows that
#: differ in the last letter only (what is made of them would be longer than the 63 bytes PostgreSQL keeps of a name).
WORDS = ["select", "group", "order", "user", "table", "limit", "from", "check", "primary", "values", "where"]
LONG = [f"{'ten_rat_dai_' * 5}"[:49] + letter for letter in "abcdefghijk"]


@pytest.mark.parametrize("names", [WORDS, LONG], ids=["words", "long"])
def test_names_that_are_words_of_sql_or_very_long_travel(empty_place, tmp_path, names):
    dataset, commune, name, what, number, level, note = (names[place] for place in (0, 1, 2, 3, 4, 6, 10))
    named = replace(FACILITY, name=dataset, commune_field=commune, fields=tuple(
        replace(field, name=name) for field, name in zip(FACILITY.fields, names[1:], strict=True)))
    create_hub(empty_place, "EPSG:9214", datasets=[named]).close()
    row = dict(zip([*names[1:], "geom"], facility("Chợ").values()))
    with open_hub(empty_place) as hub, out(hub, tmp_path / "a.gpkg", dataset) as here, out(hub, tmp_path / "b.gpkg", dataset) as there:
        id = str(uuid.uuid4())
        assert submit(hub, Change(dataset, id, None, row)).outcome is Outcome.APPLIED
        pull(here, hub), pull(there, hub)
        run(here, f'UPDATE "{dataset}" SET "{name}" = \'Chợ Mới\', "{number}" = 5, "{level}" = 1.5')
        run(there, f'UPDATE "{dataset}" SET "{name}" = \'Chợ Khác\', "{note}" = \'ghi chú\'')
        assert push(here, hub, author="ân", message="x").outcome is Outcome.APPLIED
        assert pull(there, hub).conflicts == 1
        resolve(there, Rule.OURS)
        assert push(there, hub, author="ân", message="x").outcome is Outcome.APPLIED
        pull(here, hub)
        wanted = {**row, name: "Chợ Khác", number: 5, level: 1.5, note: "ghi chú"}
        assert here.row(here.datasets[dataset], id) == wanted
        made = geopandas.GeoDataFrame({name: ["Trạm"], what: [KIND], commune: ["25001"]}, geometry=[shapely.Point(500001, 1800000)], crs=9214)
        assert import_layer(hub, dataset, made).added == 1
        assert len(hub.read(hub.dataset(dataset))) == 2
        assert len(difference_layer(hub, hub.dataset(dataset), 1, 4)) == 2
        assert [finding for finding in check_hub(hub) if finding.state is State.BROKEN] == []
