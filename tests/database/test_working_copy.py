"""Working copies against every kind of hub: what any program does to the file is noticed, sent once, and merged."""

import copy as copying
import sqlite3
import subprocess
import uuid

import numpy as np
import pyproj
import pytest
import shapely
from hub_rows import rows_of
from quyhoach.processing_algorithms.common.errors import InputError, OutputError
from quyhoach.processing_algorithms.provincial_database.catalogue import load_catalogue
from quyhoach.processing_algorithms.provincial_database.changes import Change, Changeset, Outcome, Scope
from quyhoach.processing_algorithms.provincial_database.geopackage.geometry import register_functions, to_blobs
from quyhoach.processing_algorithms.provincial_database.merge import Clash
from quyhoach.processing_algorithms.provincial_database.working_copies.checkout import checkout
from quyhoach.processing_algorithms.provincial_database.working_copies.conflict_review import Rule, conflicts, resolve
from quyhoach.processing_algorithms.provincial_database.working_copies.outgoing import freeze, pending
from quyhoach.processing_algorithms.provincial_database.working_copies.pull import pull
from quyhoach.processing_algorithms.provincial_database.working_copies.push import push

FACILITY = load_catalogue()["facility"]
WHO = {"author": "ân", "message": "thử"}


def wkb(x, y=0.0):
    return shapely.to_wkb(shapely.Point(x, y), byte_order=1, flavor="iso")


def facility(name, x=0.0, **more):
    row = {field.name: None for field in FACILITY.fields}
    return {**row, "name": name, "kind": FACILITY.field("kind").domain.values[0].code, "geom": wkb(x), **more}


#: What is about the file alone, and a restore the hub does not know of (test_restored_hub has those it knows of).
in_memory = pytest.mark.parametrize("every_hub", ["memory"], indirect=True)


@pytest.fixture
def hub(every_hub):
    changes = tuple(Change("facility", str(uuid.UUID(int=i)), None, facility(f"Trường {i}", float(i)))
                    for i in range(1, 6))
    assert every_hub.submit(Changeset(str(uuid.uuid4()), "a", "d", "m", "", "2026-11-22T00:00:00.000Z",
                                      changes)).outcome is Outcome.APPLIED
    return every_hub


@pytest.fixture
def make(hub, tmp_path):
    made = []

    def make(name="bản làm việc"):
        copy = checkout(tmp_path / f"{name}.gpkg", hub, location="memory", crs=pyproj.CRS(9214), datasets=[FACILITY],
                        scopes=[Scope("facility")])
        made.append(copy)
        return copy

    yield make
    for copy in made:
        copy.close()


def foreign(copy, *, recursive=False):
    """The same file as another program opens it; some have recursive triggers on."""
    database = sqlite3.connect(copy.path, isolation_level=None)
    register_functions(database)
    database.execute(f"PRAGMA recursive_triggers = {int(recursive)}")
    return database


def kinds(copy):
    [line] = copy.status()
    return line.added, line.changed, line.deleted


def names(copy):
    return [row[0] for row in copy.database.execute("SELECT name FROM facility ORDER BY fid")]


def first_id(copy, fid=1):
    return copy.database.execute("SELECT feature_id FROM facility WHERE fid = ?", (fid,)).fetchone()[0]


def test_checkout_holds_the_rows_and_is_unchanged(make, hub):
    copy = make()
    assert kinds(copy) == (0, 0, 0) and copy.status()[0].count == 5
    for feature_id, row in rows_of(hub).items():
        assert copy.row(FACILITY, feature_id) == row
    assert copy.database.execute("SELECT count(*) FROM rtree_facility_geom").fetchone()[0] == 5


@in_memory
def test_edits_of_any_program_are_noticed(make):
    copy = make()
    database = foreign(copy)
    database.execute("UPDATE facility SET name = 'Trường mới' WHERE fid = 1")
    database.execute("DELETE FROM facility WHERE fid = 2")
    database.execute("INSERT INTO facility (name, kind, geom) SELECT 'Thêm', kind, geom FROM facility WHERE fid = 3")
    assert kinds(copy) == (1, 1, 1)
    database.execute("UPDATE facility SET name = 'Trường 1' WHERE fid = 1")
    assert kinds(copy) == (1, 0, 1), "edited back is not an edit"
    database.execute("DELETE FROM facility WHERE name = 'Thêm'")
    assert kinds(copy) == (0, 0, 1), "new and deleted again never was"


@in_memory
@pytest.mark.parametrize("recursive", [False, True])
def test_replace_keeps_the_old_row_and_its_identity(make, recursive):
    copy = make()
    before = first_id(copy)
    database = foreign(copy, recursive=recursive)
    database.execute("REPLACE INTO facility (fid, name, kind, geom) SELECT 1, 'Thay', kind, geom FROM facility WHERE fid = 1")
    assert first_id(copy) == before
    [change] = copy.edits(FACILITY)
    assert change.before["name"] == "Trường 1" and change.after["name"] == "Thay"
    assert copy.status()[0].count == 5


@in_memory
@pytest.mark.parametrize("recursive", [False, True])
def test_update_or_replace_of_fid_keeps_both_rows_known(make, recursive):
    copy = make()
    lost, moved = first_id(copy, 2), first_id(copy, 1)
    foreign(copy, recursive=recursive).execute("UPDATE OR REPLACE facility SET fid = 2, name = 'Dời' WHERE fid = 1")
    edits = {change.feature_id: change for change in copy.edits(FACILITY)}
    assert edits[lost].after is None and edits[lost].before["name"] == "Trường 2"
    assert edits[moved].after["name"] == "Dời" and edits[moved].before["name"] == "Trường 1"
    assert copy.status()[0].count == 4


@in_memory
def test_split_and_paste_get_identities_of_their_own(make):
    copy = make()
    parent = first_id(copy)
    database = foreign(copy)
    database.execute("INSERT INTO facility (feature_id, name, kind, geom) SELECT feature_id, 'Tách', kind, geom FROM facility WHERE fid = 1")
    database.execute("INSERT INTO facility (feature_id, name, kind, geom) SELECT 'rác', 'Dán', kind, geom FROM facility WHERE fid = 1")
    ids = [row[0] for row in database.execute("SELECT feature_id FROM facility")]
    assert len(set(ids)) == 7 and all(str(uuid.UUID(id)) == id for id in ids) and ids[0] == parent
    split = next(change for change in copy.edits(FACILITY) if change.after["name"] == "Tách")
    assert split.parent_id == parent and split.before is None
    database.execute("UPDATE facility SET feature_id = ? WHERE fid = 2", (parent,))
    assert first_id(copy, 2) != parent, "an identity cannot be typed over"


def test_push_lands_once_and_leaves_nothing_to_send(make, hub):
    copy = make()
    foreign(copy).execute("UPDATE facility SET name = 'Mới' WHERE fid = 1")
    assert push(copy, hub, **WHO).outcome is Outcome.APPLIED
    assert rows_of(hub)[first_id(copy)]["name"] == "Mới" and kinds(copy) == (0, 0, 0)
    assert push(copy, hub, **WHO).outcome is None
    assert pull(copy, hub).unchanged == 1


def test_interrupted_push_happens_exactly_once(make, hub, monkeypatch):
    copy = make()
    foreign(copy).execute("UPDATE facility SET name = 'Mới' WHERE fid = 1")

    class Cut(Exception):
        pass

    real = hub.submit
    monkeypatch.setattr(hub, "submit", lambda *a, **k: (_ for _ in ()).throw(Cut()))  # cut before it arrived
    with pytest.raises(Cut):
        push(copy, hub, **WHO)
    assert len(pending(copy)) == 1 and copy.status()[0].waiting == 1
    foreign(copy).execute("UPDATE facility SET name = 'Sửa thêm' WHERE fid = 1")  # edited after freezing: the next one

    def answer_lost(*a, **k):
        real(*a, **k)
        raise Cut()

    monkeypatch.setattr(hub, "submit", answer_lost)
    with pytest.raises(Cut):
        push(copy, hub, **WHO)
    assert rows_of(hub)[first_id(copy)]["name"] == "Mới"
    monkeypatch.setattr(hub, "submit", real)
    report = push(copy, hub, **WHO)
    assert [receipt.outcome for receipt in report.receipts] == [Outcome.ALREADY_APPLIED, Outcome.APPLIED]
    assert rows_of(hub)[first_id(copy)]["name"] == "Sửa thêm" and kinds(copy) == (0, 0, 0) and not pending(copy)


def test_two_copies_merge_by_field_and_conflict_where_they_must(make, hub):
    a, b = make("a"), make("b")
    foreign(a).execute("UPDATE facility SET name = 'A', geom = ? WHERE fid = 1",
                       (to_blobs(np.array([shapely.Point(50, 50)], dtype=object), 9214)[0],))
    foreign(b).execute("UPDATE facility SET name = 'B', commune_code = '99001' WHERE fid = 1")
    assert push(a, hub, **WHO).outcome is Outcome.APPLIED
    assert push(b, hub, **WHO).outcome is Outcome.STALE and not pending(b), "told to pull, nothing applied"
    report = pull(b, hub)
    assert report.conflicts == 1
    [conflict] = conflicts(b)
    assert conflict.clash is Clash.FIELDS and conflict.fields == {"name"}
    assert (conflict.base["name"], conflict.ours["name"], conflict.theirs["name"]) == ("Trường 1", "B", "A")
    assert b.row(FACILITY, first_id(b))["geom"] == wkb(50.0, 50.0), "their shape came, our commune stayed"
    assert push(b, hub, **WHO).outcome is None, "what is disputed stays behind"
    foreign(a).execute("UPDATE facility SET commune_code = NULL, address = 'x' WHERE fid = 1" if "address" in FACILITY.field_names
                       else "UPDATE facility SET commune_code = '99002' WHERE fid = 2")
    push(a, hub, **WHO)
    pull(b, hub)
    assert len(list(conflicts(b))) == 1, "a further pull does not settle a dispute"
    assert resolve(b, Rule.OURS) == 1 and not list(conflicts(b))
    assert push(b, hub, **WHO).outcome is Outcome.APPLIED
    merged = rows_of(hub)[first_id(b)]
    assert merged["name"] == "B" and merged["commune_code"] == "99001" and merged["geom"] == wkb(50.0, 50.0)
    pull(a, hub)
    assert names(a)[0] == "B" and kinds(a) == (0, 0, 0)


@pytest.mark.parametrize("rule, left", [(Rule.OURS, True), (Rule.THEIRS, False)])
def test_edit_against_deletion(make, hub, rule, left):
    a, b = make("a"), make("b")
    id = first_id(a)
    foreign(a).execute("DELETE FROM facility WHERE fid = 1")
    foreign(b).execute("UPDATE facility SET name = 'Còn dùng' WHERE fid = 1")
    push(a, hub, **WHO)
    push(b, hub, **WHO)
    pull(b, hub)
    [conflict] = conflicts(b)
    assert conflict.clash is Clash.DELETED_THEIRS and b.row(FACILITY, id)["name"] == "Còn dùng"
    pull(b, hub)
    assert len(list(conflicts(b))) == 1
    resolve(b, rule)
    push(b, hub, **WHO)
    assert (id in rows_of(hub)) is left and (b.row(FACILITY, id) is not None) is left and kinds(b) == (0, 0, 0)


@pytest.mark.parametrize("rule, left", [(Rule.OURS, False), (Rule.THEIRS, True)])
def test_deletion_against_edit(make, hub, rule, left):
    a, b = make("a"), make("b")
    id = first_id(a)
    foreign(a).execute("UPDATE facility SET name = 'Còn dùng' WHERE fid = 1")
    foreign(b).execute("DELETE FROM facility WHERE fid = 1")
    push(a, hub, **WHO)
    push(b, hub, **WHO)
    pull(b, hub)
    [conflict] = conflicts(b)
    assert conflict.clash is Clash.DELETED_OURS
    resolve(b, rule)
    push(b, hub, **WHO)
    assert (id in rows_of(hub)) is left and (b.row(FACILITY, id) is not None) is left and kinds(b) == (0, 0, 0)


def test_same_value_on_both_sides_is_no_conflict(make, hub):
    a, b = make("a"), make("b")
    for copy in (a, b):
        foreign(copy).execute("UPDATE facility SET name = 'Giống nhau' WHERE fid = 1")
    push(a, hub, **WHO)
    assert push(b, hub, **WHO).outcome is Outcome.APPLIED
    assert pull(b, hub).conflicts == 0 and kinds(b) == (0, 0, 0)


@in_memory
def test_restored_hub_is_compared_whole(make, hub):
    saved = copying.deepcopy(hub)
    a = make("a")
    foreign(a).execute("UPDATE facility SET name = 'Sau sao lưu' WHERE fid = 1")
    push(a, hub, **WHO)
    foreign(a).execute("UPDATE facility SET name = 'Chưa gửi' WHERE fid = 2")
    saved.incarnation = str(uuid.uuid4())  # what a restore does
    report = pull(a, saved)
    assert report.compared_whole
    # What only this copy still knows of (sent after the backup) must not be lost by the restored hub's silence.
    assert names(a)[1] == "Chưa gửi" and kinds(a)[1] >= 1


@in_memory
@pytest.mark.parametrize("deleted_by", ["them", "us"])
def test_deleting_what_is_in_dispute_since_a_restore_settles_nothing(make, hub, deleted_by):
    # Found by the nightly run: after a restore that knows of no parting the base of a dispute may be our own row, which then looked
    # untouched, so that a deletion by the others removed it silently.
    a, b = make("a"), make("b")
    hub.incarnation = str(uuid.uuid4())  # a restored hub that does not know where it came from
    pull(a, hub)
    foreign(a).execute("UPDATE facility SET commune_code = '99001' WHERE fid = 1")
    push(a, hub, **WHO)
    disputed = first_id(b)
    pull(b, hub)
    assert [(c.feature_id, set(c.fields)) for c in conflicts(b)] == [(disputed, {"commune_code"})]
    if deleted_by == "them":
        foreign(a).execute("DELETE FROM facility WHERE fid = 1")
    else:
        foreign(b).execute("DELETE FROM facility WHERE feature_id = ?", (disputed,))
        foreign(a).execute("UPDATE facility SET note = 'mới' WHERE fid = 1")
    push(a, hub, **WHO)
    pull(b, hub)
    assert [c.feature_id for c in conflicts(b)] == [disputed]
    assert (b.row(FACILITY, disputed) is not None) == (deleted_by == "them")
    resolve(b, Rule.OURS)
    push(b, hub, **WHO)
    pull(a, hub)
    assert (a.row(FACILITY,
                  disputed) is not None) == (deleted_by == "them") and not list(a.edits(FACILITY)) and not list(b.edits(FACILITY))


@in_memory
def test_editing_what_is_in_dispute_since_a_restore_settles_nothing(make, hub):
    a, b = make("a"), make("b")
    foreign(b).execute("UPDATE facility SET name = 'ta' WHERE fid = 1")
    disputed = first_id(b)
    before = copying.deepcopy(hub)
    push(b, hub, **WHO)
    before.incarnation = str(uuid.uuid4())  # restored from before the push, and does not know where it came from
    pull(b, before)
    assert [(c.feature_id, set(c.fields)) for c in conflicts(b)] == [(disputed, {"name"})]
    pull(a, before)
    foreign(a).execute("UPDATE facility SET name = 'họ' WHERE fid = 1")
    push(a, before, **WHO)
    pull(b, before)
    assert [(c.feature_id, set(c.fields))
            for c in conflicts(b)] == [(disputed, {"name"})] and b.row(FACILITY, disputed)["name"] == "ta"
    resolve(b, Rule.OURS)
    push(b, before, **WHO)
    assert {row["name"] for row in before.rows.values()} >= {"ta"}


def test_lost_tracking_is_noticed_and_loses_nothing(make, hub):
    copy = make()
    database = foreign(copy)
    for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger' AND name LIKE 'quyhoach_track%'").fetchall():
        database.execute(f'DROP TRIGGER "{name}"')
    database.execute("UPDATE facility SET name = 'Không ai thấy' WHERE fid = 1")
    database.execute("INSERT INTO facility (feature_id, name, kind, geom) SELECT ?, 'Mới', kind, geom FROM facility WHERE fid = 2", (str(uuid.uuid4()),))
    assert copy.status()[0].tracking_lost
    with pytest.raises(InputError, match="nhận cập nhật"):
        freeze(copy, **WHO)
    pull(copy, hub)
    assert not copy.status()[0].tracking_lost
    assert "Không ai thấy" in names(copy) and "Mới" in names(copy)
    assert kinds(copy)[0] == 1


@in_memory
def test_a_held_file_is_refused_and_nothing_happens(make, hub):
    copy = make()
    other = foreign(copy)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(OutputError, match="chương trình khác"):
        pull(copy, hub)
    other.execute("ROLLBACK")
    pull(copy, hub)


def test_killed_in_the_middle_of_a_pull_keeps_tracking(make, hub, monkeypatch):
    a, b = make("a"), make("b")
    foreign(a).execute("UPDATE facility SET name = 'A'")
    push(a, hub, **WHO)

    def dies(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("quyhoach.processing_algorithms.provincial_database.working_copies.pull._note_position", dies)
    with pytest.raises(KeyboardInterrupt):
        pull(b, hub)
    monkeypatch.undo()
    assert names(b) == [f"Trường {i}" for i in range(1,
                                                     6)] and b.database.execute("SELECT count(*) FROM quyhoach_applying").fetchone()[0] == 0
    pull(b, hub)
    assert names(b) == ["A"] * 5


@in_memory
def test_ogr2ogr_appends_and_updates(make, tmp_path):
    copy = make()
    extra = tmp_path / "thêm.geojson"
    extra.write_text('{"type":"FeatureCollection","features":[{"type":"Feature","properties":{"name":"Từ ogr2ogr","kind":"%s"},'
                     '"geometry":{"type":"Point","coordinates":[107.0,16.5]}}]}' % FACILITY.field("kind").domain.values[0].code, "utf-8")
    done = subprocess.run(["ogr2ogr", "-append", "-t_srs", "EPSG:9214", "-nln", "facility", str(copy.path), str(extra)],
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert kinds(copy) == (1, 0, 0)


@in_memory
def test_checkout_never_overwrites_and_leaves_nothing_half_done(make, hub, tmp_path, monkeypatch):
    make("có rồi")
    with pytest.raises(OutputError, match="đã có"):
        make("có rồi")

    def disk_full(*_):
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr("quyhoach.processing_algorithms.provincial_database.working_copies.checkout._fill", disk_full)
    with pytest.raises(OutputError, match="full"):
        make("đầy đĩa")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["có rồi.gpkg"]
