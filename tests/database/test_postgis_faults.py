"""Killed clients, a stopped server, many at once: happened or did not happen, and the next run goes on."""

import concurrent.futures
import os
import signal
import subprocess
import sys
import time
from contextlib import closing

import psycopg2
import pytest
from postgis_rows import changeset, delivered, new, parcel
from postgis_server import running_server
from quyhoach.processing_algorithms.common.errors import OutputError
from quyhoach.processing_algorithms.provincial_database.changes import Change, Outcome
from quyhoach.processing_algorithms.provincial_database.postgis.create import create_postgis_hub
from quyhoach.processing_algorithms.provincial_database.postgis.health import check_postgis_hub
from quyhoach.processing_algorithms.provincial_database.postgis.hub import PostgisHub


def die_at(parameters, sent, boundary):
    """Submit in a process that kills itself, as kill -9 does, before the statement with this number.

    Returns how many statements it ran; None when it was killed.
    """
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        left = boundary

        class Mortal(psycopg2.extensions.cursor):
            def _count(self):
                nonlocal left
                if left == 0:
                    os.kill(os.getpid(), signal.SIGKILL)
                left -= 1

            def execute(self, *args):
                self._count()
                super().execute(*args)

            def copy_expert(self, *args):
                self._count()
                super().copy_expert(*args)

        try:
            hub = PostgisHub(parameters)
            hub.connection.cursor_factory = Mortal
            assert hub.submit(sent).outcome is Outcome.APPLIED
            os.write(writer, str(boundary - left).encode())
        finally:
            os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as answer:
        told = answer.read()
    os.waitpid(child, 0)
    return int(told) if told else None


def test_a_client_killed_at_any_statement_has_happened_or_not(postgis_hub, postgis_parameters):
    """After each death the same changeset is sent again: exactly one row, one ledger entry, one changeset."""
    statements = die_at(postgis_parameters, changeset(new(parcel(postgis_hub))), 1000)
    assert statements >= 10
    for boundary in range(statements):
        change = new(parcel(postgis_hub))
        sent = changeset(change)
        assert die_at(postgis_parameters, sent, boundary) is None
        assert change.feature_id not in delivered(postgis_hub)[2], "it died before its COMMIT"
        assert postgis_hub.submit(sent).outcome is Outcome.APPLIED
        assert postgis_hub.submit(sent).outcome is Outcome.ALREADY_APPLIED
    assert len(delivered(postgis_hub)[2]) == statements + 1
    assert [f for f in check_postgis_hub(postgis_hub) if not f.in_order] == []


def test_an_answer_lost_after_the_commit_is_asked_for_again(postgis_hub, postgis_parameters, monkeypatch):
    """The line is cut when the server has committed and the client does not know."""
    sent = changeset(new(parcel(postgis_hub)))
    with PostgisHub(postgis_parameters) as unlucky:
        class Cut(psycopg2.extensions.cursor):
            def execute(self, query, values=None):
                super().execute(query, values)
                if query == "COMMIT":
                    self.connection.close()
                    raise psycopg2.OperationalError("server closed the connection unexpectedly")

        unlucky.connection.cursor_factory = Cut
        with pytest.raises(OutputError, match="Mất liên lạc"):
            unlucky.submit(sent)
    assert postgis_hub.submit(sent).outcome is Outcome.ALREADY_APPLIED
    assert postgis_hub.count(postgis_hub.dataset("parcel")) == 1


def test_a_connection_that_is_cut_leaves_nothing(postgis_hub, postgis_parameters, sql_at):
    base = new(parcel(postgis_hub))
    postgis_hub.submit(changeset(base))
    with PostgisHub(postgis_parameters) as cut:
        def progress(fraction, message=None):
            if fraction >= 0.5:
                sql_at(postgis_parameters, "SELECT pg_terminate_backend(%s)", (cut.connection.get_backend_pid(),))

        with pytest.raises(OutputError):
            cut.submit(changeset(Change("parcel", base.feature_id, base.after, {**base.after, "note": "x"})), progress)
    assert delivered(postgis_hub)[2] == {base.feature_id: base.after}


def test_a_cancelled_submission_leaves_nothing(postgis_hub):
    from quyhoach.processing_algorithms.common.errors import Cancelled

    def progress(fraction, message=None):
        if fraction >= 0.8:
            raise Cancelled

    with pytest.raises(Cancelled):
        postgis_hub.submit(changeset(new(parcel(postgis_hub))), progress)
    assert delivered(postgis_hub)[2] == {}
    assert postgis_hub.submit(changeset(new(parcel(postgis_hub)))).outcome is Outcome.APPLIED, "the connection goes on"


@pytest.mark.parametrize("at", [0.0, 0.4, 0.5, 0.8, 1.0])
def test_a_server_restarted_during_a_submission(durable_server, at):
    """Pulled like a plug at a stage of the submission, with fsync on; the same changeset again brings it to its end."""
    server, parameters = durable_server
    with PostgisHub(parameters) as hub:
        sent = changeset(*(new(parcel(hub, parcel_no=number)) for number in range(1, 101)))

        def progress(fraction, message=None):
            if fraction >= at and not done:
                done.append(fraction)
                server.stop(at_once=True)
                server.start()

        done = []
        before = len(delivered(hub)[2])
        with pytest.raises(OutputError):
            hub.submit(sent, progress)
        assert done
    with PostgisHub(parameters) as hub:
        assert len(delivered(hub)[2]) == before
        assert hub.submit(sent).outcome is Outcome.APPLIED
        assert hub.submit(sent).outcome is Outcome.ALREADY_APPLIED
        assert len(delivered(hub)[2]) == before + 100
        assert [f for f in check_postgis_hub(hub) if not f.in_order] == []


@pytest.fixture(scope="module")
def durable_server(postgis_server):
    """A server of its own that may be stopped, with durability as in an office."""
    with running_server(durable=True) as server:
        connection = psycopg2.connect(**server.parameters())
        connection.autocommit = True
        connection.cursor().execute('CREATE DATABASE "bền"')
        connection.close()
        parameters = server.parameters(dbname="bền")
        create_postgis_hub(parameters, "EPSG:9214", datasets=[_parcels()]).close()
        yield server, parameters


def _parcels():
    from quyhoach.processing_algorithms.provincial_database.catalogue import load_catalogue

    return load_catalogue()["parcel"]


def test_twenty_senders_at_once_all_land_or_are_told_to_pull(postgis_hub, postgis_parameters):
    """All work on the same 30 parcels; whoever is stale pulls and sends again, until everybody's ten edits are in."""
    parcels = [new(parcel(postgis_hub, parcel_no=number, note="")) for number in range(1, 31)]
    postgis_hub.submit(changeset(*parcels))

    def office(number):
        with PostgisHub(postgis_parameters) as hub:
            tries = 0
            for step in range(3):
                while True:
                    tries += 1
                    _, _, rows = delivered(hub)
                    chosen = [change.feature_id for change in parcels[(number + step) % 20: (number + step) % 20 + 10]]
                    # Each signs ten parcels, in an order of its own: deadlocks are invited.
                    edits = [Change("parcel", f, rows[f], {**rows[f], "note": f"{rows[f]['note']}{number:02}{step} "})
                             for f in (chosen if number % 2 else reversed(chosen))]
                    own = new(parcel(hub, parcel_no=1000 + number, sheet_no=str(step)))
                    receipt = hub.submit(changeset(*edits, own))
                    if receipt.outcome is Outcome.APPLIED:
                        break
                    assert receipt.outcome is Outcome.STALE and receipt.objections
            return tries

    with concurrent.futures.ThreadPoolExecutor(20) as pool:
        tries = list(pool.map(office, range(20)))
    rows = delivered(postgis_hub)[2]
    assert sorted("".join(row["note"] or "" for row in rows.values()).split()) == sorted(f"{n:02}{step}"
                                                                                         for n in range(20)
                                                                                         for step in range(3)
                                                                                         for _ in range(10))
    assert len(rows) == 30 + 60 and sum(tries) >= 60
    assert [f for f in check_postgis_hub(postgis_hub) if not f.in_order] == []


def test_the_same_changeset_from_two_at_once_is_applied_once(postgis_hub, postgis_parameters):
    sent = changeset(*(new(parcel(postgis_hub, parcel_no=number)) for number in range(1, 50)))

    def send(_):
        with PostgisHub(postgis_parameters) as hub:
            return hub.submit(sent).outcome

    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        outcomes = list(pool.map(send, range(4)))
    assert sorted(outcome.name for outcome in outcomes) == ["ALREADY_APPLIED"] * 3 + ["APPLIED"]
    assert postgis_hub.count(postgis_hub.dataset("parcel")) == 49


def test_the_server_goes_with_the_program_that_started_it(tmp_path):
    """Killed like kill -9, a test run leaves no server behind."""
    code = "import time\nfrom postgis_server import Server\ns = Server(); s.start(); print(s.folder, s._process.pid, flush=True); time.sleep(60)"
    starter = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True,
                               cwd=os.path.dirname(__file__))
    folder, pid = starter.stdout.readline().split()
    starter.kill()
    starter.wait()
    deadline = time.monotonic() + 20
    while os.path.exists(f"/proc/{pid}") and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not os.path.exists(f"/proc/{pid}")
    subprocess.run(["rm", "-rf", folder], check=True)


def test_a_server_that_takes_nothing_now_and_a_table_that_is_held_are_sentences(postgis_hub, postgis_parameters, sql_at):
    with postgis_hub.connection.cursor() as cursor:
        cursor.execute("SHOW lock_timeout")
        assert cursor.fetchone() == ("2min",), "nobody waits for ever"
        cursor.execute("SET default_transaction_read_only = on")
        with pytest.raises(OutputError, match="chỉ cho đọc"):
            postgis_hub.submit(changeset(new(parcel(postgis_hub))))
        cursor.execute("SET default_transaction_read_only = off; SET lock_timeout = '50ms'")
    holder = psycopg2.connect(**postgis_parameters)
    with closing(holder), holder.cursor() as cursor:
        cursor.execute("LOCK TABLE quyhoach_data.parcel IN ACCESS EXCLUSIVE MODE")
        with pytest.raises(OutputError, match="đang giữ bảng"):
            postgis_hub.submit(changeset(new(parcel(postgis_hub))))
    assert postgis_hub.submit(changeset(new(parcel(postgis_hub)))).outcome is Outcome.APPLIED
