"""The program is killed at a statement's boundary, or its disk is full: then it happened or it did not, and the next run goes on.

Each attempt is a process of its own that dies by SIGKILL when SQLite begins its n-th statement, in the hub or in the
working copy. A sample of boundaries in CI; all of them with QUYHOACH_ALL_BOUNDARIES=1.
"""

import os
import resource
import shutil
import signal
import sqlite3
import uuid

import pyproj
import pytest
import shapely
from quyhoach.processing_algorithms.common.errors import Cancelled, OutputError
from quyhoach.processing_algorithms.common.progress import silent
from quyhoach.processing_algorithms.provincial_database.administration.hub_create import create_hub
from quyhoach.processing_algorithms.provincial_database.catalogue import load_catalogue
from quyhoach.processing_algorithms.provincial_database.changes import Change, Changeset, Outcome, Scope
from quyhoach.processing_algorithms.provincial_database.geopackage.geometry import register_functions
from quyhoach.processing_algorithms.provincial_database.hub import open_hub
from quyhoach.processing_algorithms.provincial_database.working_copies.checkout import checkout
from quyhoach.processing_algorithms.provincial_database.working_copies.conflict_review import Rule, conflicts, resolve
from quyhoach.processing_algorithms.provincial_database.working_copies.exchange_file import (
    apply_changes,
    export_changes,
    export_update,
    import_update,
)
from quyhoach.processing_algorithms.provincial_database.working_copies.pull import pull
from quyhoach.processing_algorithms.provincial_database.working_copies.push import push
from quyhoach.processing_algorithms.provincial_database.working_copies.working_copy import WorkingCopy
from quyhoach.processing_algorithms.provincial_database.working_copies.working_copy_scope import change_scope

FACILITY = load_catalogue()["facility"]
KIND = FACILITY.field("kind").domain.values[0].code
CRS = pyproj.CRS(9214)
ALL = bool(os.environ.get("QUYHOACH_ALL_BOUNDARIES"))
SAMPLE = 10
FINISHED, REFUSED = 0, 3
ROWS = 12


def facility(number):
    return {**{field.name: None for field in FACILITY.fields}, "name": f"Số {number}", "kind": KIND,
            "commune_code": f"9900{number % 2}",
            "geom": shapely.to_wkb(shapely.Point(float(number), 0.0), byte_order=1, flavor="iso")}


def edit(path, *statements):
    database = sqlite3.connect(path, isolation_level=None)
    register_functions(database)
    for text in statements:
        database.execute(text)
    database.close()


def new_checkout(folder, name, hub, scope=Scope("facility"), progress=silent):
    return checkout(folder / name, hub, location=str(folder / "hub.gpkg"), crs=CRS, datasets=[FACILITY], scopes=[scope], progress=progress)


@pytest.fixture(scope="module")
def beginning(tmp_path_factory):
    """A hub, and two copies: `a` has edits not sent, `b` has sent others that touch the same rows; files between them."""
    folder = tmp_path_factory.mktemp("đầu")
    with create_hub(str(folder / "hub.gpkg"), "EPSG:9214", datasets=[FACILITY]) as hub:
        changes = tuple(Change("facility", str(uuid.UUID(int=i)), None, facility(i)) for i in range(1, ROWS + 1))
        assert hub.submit(Changeset(str(uuid.uuid4()), "a", "", "đầu", "", "2026-11-22T00:00:00.000Z",
                                    changes)).outcome is Outcome.APPLIED
        with new_checkout(folder, "a.gpkg", hub) as a, new_checkout(folder, "b.gpkg", hub) as b:
            edit(a.path, "UPDATE facility SET name = 'a ' || fid WHERE fid <= 3", "DELETE FROM facility WHERE fid = 4",
                 "INSERT INTO facility (name, kind, geom) SELECT 'a mới', kind, geom FROM facility WHERE fid = 1")
            edit(b.path, "UPDATE facility SET commune_code = '99009', note = 'b' WHERE fid IN (2, 5)", "DELETE FROM facility WHERE fid = 6",
                 "UPDATE facility SET name = 'b 7' WHERE fid = 7",
                 "INSERT INTO facility (name, kind, geom) SELECT 'b mới', kind, geom FROM facility WHERE fid = 1")
            push(b, hub, author="b", message="b")
            export_changes(a, folder / "a.qhz", author="a", message="a")
            export_update(open_hub(str(shutil.copy(folder / "hub.gpkg", folder / "khác.gpkg"))), folder / "a.qhz",
                          folder / "về.qhz")
    return folder


def do_pull(folder, progress=silent):
    with WorkingCopy(folder / "a.gpkg") as copy, open_hub(str(folder / "hub.gpkg")) as hub:
        pull(copy, hub, progress=progress)


def do_push(folder, progress=silent):
    with WorkingCopy(folder / "a.gpkg") as copy, open_hub(str(folder / "hub.gpkg")) as hub:
        assert push(copy, hub, author="a", message="a", progress=progress).outcome in (Outcome.APPLIED, Outcome.ALREADY_APPLIED, None)


def do_apply(folder, progress=silent):
    with open_hub(str(folder / "hub.gpkg")) as hub:
        apply_changes(hub, folder / "a.qhz", progress=progress)


def do_import(folder, progress=silent):
    with WorkingCopy(folder / "a.gpkg") as copy:
        import_update(copy, folder / "về.qhz", progress=progress)


def do_checkout(folder, progress=silent):
    if not (folder / "c.gpkg").exists():
        with open_hub(str(folder / "hub.gpkg")) as hub:
            new_checkout(folder, "c.gpkg", hub, progress=progress).close()


def do_shrink_and_grow(folder, progress=silent):
    with WorkingCopy(folder / "b.gpkg") as copy, open_hub(str(folder / "hub.gpkg")) as hub:
        change_scope(copy, hub, [Scope("facility", frozenset({"99001"}))], crs=CRS, progress=progress)
        change_scope(copy, hub, [Scope("facility", frozenset({"99001", "99009"}))], crs=CRS, progress=progress)


WORK = {"pull": do_pull, "push": do_push, "changesapply": do_apply, "update": do_import, "checkout": do_checkout,
        "scope": do_shrink_and_grow}
#: What is one transaction: between before and after there is nothing.
ONE_STEP = {"changesapply": "hub.gpkg", "checkout": "c.gpkg"}


def state(folder):
    """What people see: the rows of every file, without row numbers and times."""
    seen = {}
    for name in ("hub.gpkg", "a.gpkg", "b.gpkg", "c.gpkg"):
        if (folder / name).exists():
            database = sqlite3.connect(folder / name)
            assert database.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
            columns = ", ".join(f'"{field}"' for field in ("feature_id", *FACILITY.field_names, "geom"))
            seen[name] = sorted(database.execute(f"SELECT {columns} FROM facility"), key=str)
            indexed = database.execute("SELECT count(*) FROM rtree_facility_geom").fetchone()[0]
            assert indexed == len(seen[name]) and database.execute("SELECT rtreecheck('rtree_facility_geom')").fetchone()[0] == "ok"
            if name == "hub.gpkg":
                seen["changesets"] = database.execute("SELECT count(*) FROM quyhoach_changeset").fetchone()[0]
                seen["ledger"] = database.execute("SELECT count(*) FROM quyhoach_ledger").fetchone()[0]
            else:
                assert database.execute("SELECT count(*) FROM quyhoach_applying").fetchone()[0] == 0
            database.close()
    return seen


def in_child(work, folder, *, die_at=None, most_bytes=None):
    """Run in a process of its own; return how it ended and, when it finished, how many statements it was."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        count = 0

        def traced(_):
            nonlocal count
            count += 1
            if count == die_at:
                os.kill(os.getpid(), signal.SIGKILL)

        real = sqlite3.connect

        def connect(*arguments, **options):
            database = real(*arguments, **options)
            database.set_trace_callback(traced)
            return database

        sqlite3.connect = connect
        _count_on_servers(lambda: traced(None))
        code = 1
        try:
            if most_bytes is not None:
                resource.setrlimit(resource.RLIMIT_FSIZE, (most_bytes, most_bytes))
            work(folder)
            code = FINISHED
        except OutputError:
            code = REFUSED
        finally:
            os.write(writer, str(count).encode())
            os._exit(code)
    os.close(writer)
    _, status = os.waitpid(child, 0)
    told = os.read(reader, 100).decode()
    os.close(reader)
    return (-os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)), int(told or 0)


def _count_on_servers(count):
    """Let every statement sent to a PostgreSQL server count too, before it is sent."""
    import psycopg2
    import psycopg2.extensions

    class Counted(psycopg2.extensions.cursor):
        def execute(self, *arguments):
            count()
            super().execute(*arguments)

        def copy_expert(self, *arguments):
            count()
            super().copy_expert(*arguments)

    real = psycopg2.connect
    psycopg2.connect = lambda **options: real(**options, cursor_factory=Counted)


def copied(beginning, place):
    shutil.rmtree(place, ignore_errors=True)
    shutil.copytree(beginning, place)
    return place


def boundaries(count):
    if ALL or count <= SAMPLE:
        return range(1, count + 1)
    # The ends, where transactions begin and commit, and a spread between.
    return sorted({1, 2, count - 2, count - 1, count}
                  | {1 + round(i * (count - 1) / (SAMPLE - 5)) for i in range(SAMPLE - 4)})


@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes are forked")
@pytest.mark.parametrize("name", WORK)
def test_killed_at_a_boundary_it_happened_or_did_not(beginning, tmp_path, name):
    work = WORK[name]
    before = state(beginning)
    whole = copied(beginning, tmp_path / "trọn vẹn")
    code, count = in_child(work, whole)
    assert code == FINISHED and count > 20
    after = state(whole)
    assert after != before
    for number in boundaries(count):
        place = copied(beginning, tmp_path / "bị ngắt")
        code, _ = in_child(work, place, die_at=number)
        assert code == -signal.SIGKILL, f"statement {number} of {count}"
        found = state(place)
        if name in ONE_STEP:
            file = ONE_STEP[name]
            assert found.get(file) in (before.get(file), after.get(file)), f"half done at statement {number} of {count}"
        if name == "push":
            assert found["hub.gpkg"] in (before["hub.gpkg"],
                                         after["hub.gpkg"]) and found["a.gpkg"] == before["a.gpkg"] == after["a.gpkg"]
        if name == "pull":
            assert found["a.gpkg"] in (before["a.gpkg"], after["a.gpkg"]) or found["hub.gpkg"] == after["hub.gpkg"]
        assert in_child(work, place)[0] == FINISHED, f"did not go on after statement {number} of {count}"
        assert state(place) == after, f"another end after statement {number} of {count}"


@pytest.mark.parametrize("name", WORK)
def test_stopped_at_any_report_nothing_has_happened(beginning, tmp_path, name):
    """The person presses Stop: early, in the middle, at the last report of all."""
    work, before = WORK[name], state(beginning)
    whole, reports = copied(beginning, tmp_path / "trọn vẹn"), []
    work(whole, lambda fraction, message=None: reports.append(fraction))
    after = state(whole)
    for last in range(len(reports)):
        place, heard = copied(beginning, tmp_path / "bị dừng"), []

        def stop(fraction, message=None, heard=heard, last=last):
            heard.append(fraction)
            if len(heard) > last:
                raise Cancelled()

        with pytest.raises(Cancelled):
            work(place, stop)
        found = state(place)
        # A pull first settles what was exported before; a change of scope here is two steps.
        ours = {"pull": ["a.gpkg"], "scope": ["hub.gpkg"]}.get(name, before)
        assert all(found[part] == before[part] for part in ours), f"told that it was stopped, and it was done, at report {last}"
        assert sorted(path.name for path in place.iterdir()) in [sorted(path.name for path in folder.iterdir()) for folder in (beginning, whole)]
        work(place)
        assert state(place) == after, f"another end after report {last} of {len(reports)}"
    assert reports


def room(path, pages):
    return path.stat().st_size + pages * 4096


@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes are forked")
@pytest.mark.parametrize("pages", [0, 1, 3])
def test_a_full_disk_leaves_pull_and_push_as_they_were(beginning, tmp_path, pages):
    """No file may grow beyond a size, which is what a full disk looks like to SQLite."""
    place = copied(beginning, tmp_path / "đầy")
    with WorkingCopy(place / "b.gpkg") as b, open_hub(str(place / "hub.gpkg")) as hub:
        edit(b.path, "INSERT INTO facility (name, kind, note, geom) SELECT 'b nhiều', x.kind, hex(randomblob(100)), x.geom FROM facility x, facility y, "
                     "facility z WHERE z.fid <= 5")
        push(b, hub, author="b", message="nặng")
    before = state(place)
    code, _ = in_child(do_pull, place, most_bytes=room(place / "a.gpkg", pages))
    found = state(place)
    assert code == REFUSED and found["a.gpkg"] == before["a.gpkg"]
    assert in_child(do_pull, place)[0] == FINISHED
    with WorkingCopy(place / "a.gpkg") as copy, open_hub(str(place / "hub.gpkg")) as hub:
        if list(conflicts(copy)):
            resolve(copy, Rule.OURS)
    edit(place / "a.gpkg", "UPDATE facility SET note = hex(randomblob(100))")
    before = state(place)
    assert in_child(do_push, place, most_bytes=room(place / "hub.gpkg", pages))[0] == REFUSED
    assert state(place) == before
    assert in_child(do_push, place)[0] == FINISHED
    with WorkingCopy(place / "a.gpkg") as copy:
        assert sum(line.edits for line in copy.status()) == 0


@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes are forked")
@pytest.mark.parametrize("most", [0, 40_000, 150_000])
def test_a_full_disk_leaves_no_half_checkout(beginning, tmp_path, most):
    place = copied(beginning, tmp_path / "đầy")
    files = sorted(path.name for path in place.iterdir())
    code, _ = in_child(do_checkout, place, most_bytes=most)
    assert code == REFUSED and sorted(path.name for path in place.iterdir()) == files
    assert in_child(do_checkout, place)[0] == FINISHED
