"""On a PostGIS hub: the program is killed at a statement's boundary, on the server or in the working copy; the server goes
down, the line is cut, the disk is full. It happened or it did not, and the next run goes on.

A sample of boundaries in CI; all of them with QUYHOACH_ALL_BOUNDARIES=1. Every attempt brings edits of its own to one hub.
"""

import os
import signal
from contextlib import suppress

import psycopg2
import pyproj
import pytest
from postgis_rows import changeset
from postgis_server import running_server
from quyhoach.processing_algorithms.common.errors import OutputError
from quyhoach.processing_algorithms.provincial_database.changes import Change, Outcome, Scope
from quyhoach.processing_algorithms.provincial_database.postgis.create import create_postgis_hub
from quyhoach.processing_algorithms.provincial_database.postgis.health import check_postgis_hub
from quyhoach.processing_algorithms.provincial_database.postgis.hub import PostgisHub
from quyhoach.processing_algorithms.provincial_database.working_copies.checkout import checkout
from quyhoach.processing_algorithms.provincial_database.working_copies.exchange_file import (
    apply_changes,
    export_changes,
)
from quyhoach.processing_algorithms.provincial_database.working_copies.pull import pull
from quyhoach.processing_algorithms.provincial_database.working_copies.push import push
from quyhoach.processing_algorithms.provincial_database.working_copies.working_copy import WorkingCopy
from test_killed_anywhere import FACILITY, FINISHED, REFUSED, boundaries, edit, facility, in_child

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="processes are forked")
ROWS = 6


class Offices:
    """A hub with some rows and two working copies of it."""

    def __init__(self, hub, parameters, folder):
        self.hub, self.parameters, self.folder = hub, parameters, folder
        rows = [Change("facility", f"00000000-0000-0000-0000-{i:012}", None, facility(i)) for i in range(1, ROWS + 1)]
        assert hub.submit(changeset(*rows)).outcome is Outcome.APPLIED
        self.a, self.b = (self.checkout(name) for name in ("a.gpkg", "b.gpkg"))

    def checkout(self, name):
        path = self.folder / name
        checkout(path, self.hub, location="x", crs=pyproj.CRS(9214), datasets=[FACILITY],
                 scopes=[Scope("facility")]).close()
        return path

    def edit(self, path, word):
        """Change, delete and add, so that every kind of statement is run."""
        edit(path, f"UPDATE facility SET name = '{word}' WHERE fid IN (1, 2)",
             f"DELETE FROM facility WHERE name LIKE 'mới %' AND name <> 'mới {word}'",
             f"INSERT INTO facility (name, kind, geom) SELECT 'mới {word}', kind, geom FROM facility WHERE fid = 3")

    def at_hub(self):
        """Rows, number of changesets, number of entries."""
        with self.hub.deliver([Scope("facility")], None) as delivery:
            rows = {feature_id: row for _, feature_id, row in delivery.rows}
        with self.hub.connection.cursor() as cursor:
            cursor.execute("SELECT (SELECT count(*) FROM quyhoach.changeset), (SELECT count(*) FROM quyhoach.ledger)")
            return rows, *cursor.fetchone()

    def here(self, path):
        with WorkingCopy(path) as copy:
            return {id: copy.row(FACILITY, id) for (id,) in copy.database.execute("SELECT feature_id FROM facility")}

    def push(self, _=None):
        with WorkingCopy(self.a) as copy, PostgisHub(self.parameters) as hub:
            assert push(copy, hub, author="a", message="a").outcome in (Outcome.APPLIED, Outcome.ALREADY_APPLIED, None)

    def pull(self, _=None):
        with WorkingCopy(self.a) as copy, PostgisHub(self.parameters) as hub:
            pull(copy, hub)

    def apply(self, _=None):
        with PostgisHub(self.parameters) as hub:
            assert apply_changes(hub, self.folder / "a.qhz")[-1].outcome in (Outcome.APPLIED, Outcome.ALREADY_APPLIED)


@pytest.fixture
def offices(postgis_hub, postgis_parameters, tmp_path):
    made = Offices(postgis_hub, postgis_parameters, tmp_path)
    yield made
    assert [finding for finding in check_postgis_hub(postgis_hub) if not finding.in_order] == []


def attempts(work, prepare):
    """Yield after each attempt that was killed, then go on; the first run, not killed, tells how many statements there are."""
    prepare("lần đầu")
    code, count = in_child(work, None)
    assert code == FINISHED and count > 20
    for number in boundaries(count):
        before = prepare(f"lần {number}")
        assert in_child(work, None, die_at=number)[0] == -signal.SIGKILL, f"statement {number} of {count}"
        yield number, before
        assert in_child(work, None)[0] == FINISHED, f"did not go on after statement {number} of {count}"


def test_a_push_killed_anywhere_happened_or_not(offices):
    def prepare(word):
        offices.pull()
        offices.edit(offices.a, word)
        return offices.at_hub()

    for number, (rows, changesets, entries) in attempts(offices.push, prepare):
        found, ours = offices.at_hub(), offices.here(offices.a)
        assert found in ((rows, changesets, entries),
                         (ours, changesets + 1, found[2])), f"half done at statement {number}"
        offices.push()
        again = offices.at_hub()
        assert again[:2] == (ours, changesets
                             + 1) and again[2] in (entries + 4, entries + 3), f"not once at statement {number}"


def test_a_pull_killed_anywhere_happened_or_not(offices):
    def prepare(word):
        offices.push()
        with WorkingCopy(offices.b) as b:
            pull(b, offices.hub)
        offices.edit(offices.b, word)
        with WorkingCopy(offices.b) as b:
            assert push(b, offices.hub, author="b", message="b").outcome is Outcome.APPLIED
        # What the pull must merge and not lose.
        edit(offices.a, f"UPDATE facility SET note = '{word}' WHERE fid IN (1, 4)")
        return offices.here(offices.a), word

    for number, (before, word) in attempts(offices.pull, prepare):
        hub = offices.at_hub()[0]
        merged = {id: {**row, "note": before[id]["note"] if id in before else row["note"]} for id, row in hub.items()}
        assert offices.here(offices.a) in (before, merged), f"half done at statement {number}"
        offices.pull()
        assert offices.here(offices.a) == merged and [row["note"] for row in merged.values()].count(word) == 2
        with WorkingCopy(offices.a) as copy:
            assert sum(line.changed for line in copy.status()) == 2, "the edits are edits still"


def test_changes_by_file_killed_anywhere_happened_or_not(offices):
    def prepare(word):
        offices.pull()
        offices.edit(offices.a, word)
        with WorkingCopy(offices.a) as copy:
            export_changes(copy, offices.folder / "a.qhz", author="a", message="a")
        return offices.at_hub()

    for number, before in attempts(offices.apply, prepare):
        assert offices.at_hub() in (before,
                                    (offices.here(offices.a), before[1] + 1,
                                     offices.at_hub()[2])), f"statement {number}"
        offices.apply()
        assert offices.at_hub()[:2] == (offices.here(offices.a), before[1] + 1)


@pytest.mark.parametrize("at", [0.0, 0.5, 1.0])
def test_the_server_restarts_during_a_push(stopping_server, tmp_path, at):
    """Pulled like a plug; the push says so, and the next one lands once."""
    server, parameters = stopping_server
    with PostgisHub(parameters) as hub:
        offices = Offices(hub, parameters, tmp_path)
        offices.edit(offices.a, "a")
        before = offices.at_hub()
        done = []

        def progress(fraction, message=None):
            if fraction >= at and not done:
                done.append(fraction)
                server.stop(at_once=True)
                server.start()

        with WorkingCopy(offices.a) as copy, pytest.raises(OutputError):
            push(copy, hub, author="a", message="a", progress=progress)
    assert done
    with PostgisHub(parameters) as hub:
        offices.hub = hub
        assert offices.at_hub() == before
        offices.push()
        offices.push()
        assert offices.at_hub()[:2] == (offices.here(offices.a), before[1] + 1)
        offices.pull()
        # The next test finds the hub empty.
        assert hub.submit(changeset(*(Change("facility", id, row, None)
                                      for id, row in offices.at_hub()[0].items()))).outcome is Outcome.APPLIED


@pytest.fixture(scope="module")
def stopping_server(postgis_server):
    """A server of its own that keeps what it has committed, with a hub."""
    with running_server(durable=True) as server:
        connection = psycopg2.connect(**server.parameters())
        connection.autocommit = True
        connection.cursor().execute("CREATE DATABASE tinh")
        connection.close()
        create_postgis_hub(server.parameters(dbname="tinh"), "EPSG:9214", datasets=[FACILITY]).close()
        yield server, server.parameters(dbname="tinh")


@pytest.mark.parametrize("what", ["pull", "push"])
def test_a_line_cut_at_any_statement_changes_nothing(offices, postgis_parameters, sql_at, what):
    """The server ends the session, as when somebody pulls the cable."""
    offices.edit(offices.b, "b")
    with WorkingCopy(offices.b) as b:
        push(b, offices.hub, author="b", message="b")
    edit(offices.a, "UPDATE facility SET note = 'của tôi' WHERE fid = 4")
    work = {"pull": lambda copy, hub: pull(copy, hub),
            "push": lambda copy, hub: push(copy, hub, author="a", message="a")}[what]
    before, there = offices.here(offices.a), offices.at_hub()
    [mine] = [id for id, row in before.items() if row["note"] == "của tôi"]
    merged = {id: {**row, "note": before[id]["note"] if id in before else None} for id, row in there[0].items()}
    happened = {"pull": (merged, there),
                "push": (before, ({**there[0], mine: before[mine]}, there[1] + 1, there[2] + 1))}[what]
    cut = 0
    while (offices.here(offices.a), offices.at_hub()) != happened:
        assert (offices.here(offices.a), offices.at_hub()) == (before, there), f"half done at statement {cut}"
        with WorkingCopy(offices.a) as copy, PostgisHub(postgis_parameters) as hub:
            left = [cut]

            class Cut(psycopg2.extensions.cursor):
                def execute(self, *arguments):
                    if left[0] == 0:
                        sql_at(postgis_parameters, "SELECT pg_terminate_backend(%s, 5000)",
                               (hub.connection.get_backend_pid(),))
                    left[0] -= 1
                    super().execute(*arguments)

            hub.connection.cursor_factory = Cut
            with suppress(OutputError):
                work(copy, hub)
        assert left[0] < 0, "it ran to its end and nothing happened"
        cut += 1
    assert cut > 5
    offices.pull()
    offices.push()
    assert offices.here(offices.a) == offices.at_hub()[0]


@pytest.mark.parametrize("most", [0, 40_000, 120_000])
def test_a_full_disk_leaves_no_half_checkout(offices, most):
    def work(_):
        with PostgisHub(offices.parameters) as hub:
            checkout(offices.folder / "c.gpkg", hub, location="x", crs=pyproj.CRS(9214), datasets=[FACILITY],
                     scopes=[Scope("facility")]).close()

    files = sorted(path.name for path in offices.folder.iterdir())
    assert in_child(work, None, most_bytes=most)[0] == REFUSED
    assert sorted(path.name for path in offices.folder.iterdir()) == files
    assert in_child(work, None)[0] == FINISHED
    assert offices.here(offices.folder / "c.gpkg") == offices.at_hub()[0]
