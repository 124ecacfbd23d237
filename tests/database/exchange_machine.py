"""Several offices on one hub, at random: a state machine any hub that keeps the contract can be put through.

Offices edit, pull, push, write changes files and receive update files, which arrive late, twice or never. Whatever reaches
the hub is also told to the hub in memory, which must give the same answer and hold the same rows. What an office has edited
and not sent is still there after every pull. At the end, when all have pushed and pulled, all are equal.

The hub is backed up and put back now and then. What an office has that the backup lacks must be there after its next pull:
in its own rows, as edits, or in dispute.

With QUYHOACH_NIGHTLY=1 a run takes 10,000 steps, other ones each night.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
import uuid
from copy import deepcopy
from pathlib import Path

import numpy as np
import pyproj
import shapely
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from memory_hub import MemoryHub
from quyhoach.processing_algorithms.common.errors import InputError
from quyhoach.processing_algorithms.common.progress import silent
from quyhoach.processing_algorithms.provincial_database.catalogue import load_catalogue
from quyhoach.processing_algorithms.provincial_database.changes import Change, Changeset, Outcome, Scope
from quyhoach.processing_algorithms.provincial_database.geopackage.geometry import register_functions, to_blobs
from quyhoach.processing_algorithms.provincial_database.merge import same_row, same_value
from quyhoach.processing_algorithms.provincial_database.working_copies.checkout import checkout
from quyhoach.processing_algorithms.provincial_database.working_copies.conflict_review import Rule, conflicts, resolve
from quyhoach.processing_algorithms.provincial_database.working_copies.exchange_file import (
    apply_changes,
    export_changes,
    export_update,
    import_update,
)
from quyhoach.processing_algorithms.provincial_database.working_copies.outgoing import freeze
from quyhoach.processing_algorithms.provincial_database.working_copies.pull import pull
from quyhoach.processing_algorithms.provincial_database.working_copies.push import push

FACILITY = load_catalogue()["facility"]
KIND = FACILITY.field("kind").domain.values[0].code
NIGHTLY = bool(os.environ.get("QUYHOACH_NIGHTLY"))
STEPS = 10_000 if NIGHTLY else 200
# Hypothesis keeps its first ten examples to a step or two: the steps taken are counted, not the examples.
SIZE = settings(max_examples=60, stateful_step_count=60, derandomize=False, print_blob=True) if NIGHTLY else settings(
    max_examples=20, stateful_step_count=25)
offices = st.integers(0, 2)
words = st.sampled_from(["Trường", "Chợ", "Trạm y tế", "O'Brien\"; DROP TABLE facility; --", "é" , "e\u0301"])
communes = st.sampled_from([None, "99001", "99002"])


def run(machine):
    """Put a hub's machine through all its steps."""
    machine.steps = 0
    while machine.steps < STEPS:
        run_state_machine_as_test(machine, settings=SIZE)
        print(f"{machine.__name__}: {machine.steps} steps", flush=True)
        if not NIGHTLY:
            break  # the same examples would come again
    assert machine.steps >= STEPS, "too few steps to tell anything"


class Exchange(RuleBasedStateMachine):
    """Subclasses give `new_hub` and `rows_of`, a fresh hub and its rows by feature id, and how it is backed up and restored."""

    #: Taken by all examples together.
    steps = 0

    def new_hub(self, folder):
        raise NotImplementedError

    def rows_of(self, hub):
        raise NotImplementedError

    def backed_up(self, hub):
        """A backup; None where it is somebody else's test."""
        return None

    def restored(self, backup):
        raise NotImplementedError

    @initialize()
    def begin(self):
        self.folder = Path(tempfile.mkdtemp())
        self.oracle = MemoryHub()
        self.hub = self.watched(self.new_hub(self.folder))
        rows = tuple(Change("facility", str(uuid.UUID(int=i)), None, self._row(f"Số {i}", i)) for i in range(1, 4))
        assert self.hub.submit(Changeset(str(uuid.uuid4()), "a", "", "đầu", "", "2026-11-22T00:00:00.000Z",
                                         rows)).outcome is Outcome.APPLIED
        self.copies = [checkout(self.folder / f"văn phòng {i}.gpkg", self.hub, location="hub", crs=pyproj.CRS(9214),
                                datasets=[FACILITY],
                                scopes=[Scope("facility")]) for i in range(3)]

        self.backup = None
        #: The rows of the hub at positions it goes on from, and at the backups other incarnations were restored from.
        self.at, self.partings = {self.hub.position(): self.rows_of(self.hub)}, {}
        self.requests, self.answers = [], []

    def watched(self, hub):
        """Let the hub in memory judge every answer of this one."""
        real = hub.submit

        def submit(changeset, progress=silent):
            receipt = real(changeset, progress)
            assert receipt.outcome is self.oracle.submit(changeset).outcome
            held, right = self.rows_of(hub), {feature_id: row for (_, feature_id), row in self.oracle.rows.items()}
            assert held.keys() == right.keys() and all(same_row(held[id], right[id]) for id in right)
            return receipt

        hub.submit = submit
        return hub

    @staticmethod
    def _row(name, x):
        row = {field.name: None for field in FACILITY.fields}
        return {**row, "name": name, "kind": KIND,
                "geom": shapely.to_wkb(shapely.Point(500000.0 + x, 1800000.0), byte_order=1, flavor="iso")}

    def _run(self, office, sql, *values):
        database = sqlite3.connect(self.copies[office].path, isolation_level=None)
        register_functions(database)
        try:
            database.execute(sql, values)
        finally:
            database.close()

    @rule(office=offices, pick=st.integers(0, 9), name=words)
    def rename(self, office, pick, name):
        self._run(office, "UPDATE facility SET name = ? WHERE fid = (SELECT fid FROM facility ORDER BY fid LIMIT 1 OFFSET ?)", name, pick % 4)

    @rule(office=offices, pick=st.integers(0, 9), commune=communes)
    def move_commune(self, office, pick, commune):
        self._run(office, "UPDATE facility SET commune_code = ? WHERE fid = (SELECT fid FROM facility ORDER BY fid LIMIT 1 OFFSET ?)", commune, pick % 4)

    @rule(office=offices, pick=st.integers(0, 9), x=st.sampled_from([10.0, 11.0, 10.0004]))
    def reshape(self, office, pick, x):
        """Two of the places are less than a millimetre apart: the same."""
        [shape] = to_blobs(np.array([shapely.Point(500000.0 + x, 1800000.0)], dtype=object), self.copies[office].srs_id)
        self._run(office, "UPDATE facility SET geom = ? WHERE fid = (SELECT fid FROM facility ORDER BY fid LIMIT 1 OFFSET ?)", shape, pick % 4)

    @rule(office=offices, pick=st.integers(0, 9))
    def delete(self, office, pick):
        self._run(office, "DELETE FROM facility WHERE fid = (SELECT fid FROM facility ORDER BY fid LIMIT 1 OFFSET ?)", pick % 4)

    @rule(office=offices, pick=st.integers(0, 9), name=words)
    def duplicate(self, office, pick, name):
        """What QGIS does on copy and paste: all attributes, the identity too."""
        self._run(office, "INSERT INTO facility (feature_id, name, kind, commune_code, geom) SELECT feature_id, ?, kind, commune_code, geom "
                          "FROM facility ORDER BY fid LIMIT 1 OFFSET ?", name, pick % 4)

    @rule(office=offices, pick=st.integers(0, 9), name=words)
    def replace(self, office, pick, name):
        self._run(office, "REPLACE INTO facility (fid, name, kind, commune_code, geom) SELECT fid, ?, kind, commune_code, geom "
                          "FROM facility ORDER BY fid LIMIT 1 OFFSET ?", name, pick % 4)

    @rule()
    def back_up(self):
        made = self.backed_up(self.hub)
        if made is not None:
            partings = {**self.partings, self.hub.position().incarnation: self.rows_of(self.hub)}
            self.backup = made, partings, dict(self.at), deepcopy(self.oracle)

    @precondition(lambda self: getattr(self, "backup", None))
    @rule()
    def put_the_backup_back(self):
        made, self.partings, at, oracle = self.backup
        self.at = dict(at)
        self.hub, self.oracle = self.watched(self.restored(made)), deepcopy(oracle)

    @rule(office=offices)
    def pull(self, office):
        self.received(office, lambda held: pull(held, self.hub), lambda: self.rows_of(self.hub), self.at, self.partings)
        self.at[self.hub.position()] = self.rows_of(self.hub)

    @rule(office=offices)
    def write_changes_file(self, office):
        path = self.folder / f"thay đổi {len(self.requests)}.qhz"
        export_changes(self.copies[office], path, author="ân", message="qua thư")
        self.requests.append((office, path))

    @precondition(lambda self: getattr(self, "requests", None))
    @rule(pick=st.integers(0, 3))
    def changes_file_arrives(self, pick):
        """It stays where it is, so it may arrive again."""
        office, path = self.requests[-1 - pick % len(self.requests)]
        answer = self.folder / f"cập nhật {len(self.answers)}.qhz"
        apply_changes(self.hub, path)
        export_update(self.hub, path, answer)
        rows, at = self.rows_of(self.hub), dict(self.at)
        self.at[self.hub.position()] = rows
        self.answers.append((office, answer, rows, at, self.partings))

    @precondition(lambda self: getattr(self, "answers", None))
    @rule(pick=st.integers(0, 3))
    def update_file_arrives(self, pick):
        office, answer, theirs, at, partings = self.answers[-1 - pick % len(self.answers)]
        self.received(office, lambda held: import_update(held, answer), lambda: theirs, at, partings)

    def received(self, office, receive, told, at, partings):
        """Receive, from a hub whose rows are ``told``; a file made for another state is refused, which changes nothing."""
        held = self.copies[office]
        before = {id: held.row(FACILITY, id) for (id,) in held.database.execute("SELECT feature_id FROM facility")}
        parting = at.get(held.position, partings.get(held.position.incarnation))
        ours_before = {change.feature_id: change for change in held.edits(FACILITY)}
        try:
            report = receive(held)
        except InputError:
            assert {change.feature_id: change for change in held.edits(FACILITY)} == ours_before
            return
        theirs, disputed = told(), {conflict.feature_id: conflict for conflict in conflicts(held)}
        if report.restored:
            self.nothing_is_lost(held, before, disputed, theirs, parting)
        for feature_id, change in ours_before.items():
            present = held.row(FACILITY, feature_id)
            if feature_id in disputed:
                # In a dispute ours stays until somebody decides; a field only the hub has changed may come all the same.
                assert (present is None) == (change.after is None)
                for name in change.touched() if present is not None else ():
                    assert same_value(present[name], change.after[name]), f"our disputed {name} was overwritten"
            elif change.after is None:
                assert present is None or not same_row(theirs.get(feature_id), change.before)
            else:
                assert present is not None, "an edited feature disappeared"
                for name in change.touched():
                    assert same_value(present[name], change.after[name]), f"our {name} was overwritten"

    def nothing_is_lost(self, copy, before, disputed, theirs, parting):
        """After a comparison with a restored hub; ``parting`` is what it had where it parted from this copy's history: None if unknown."""
        for feature_id, had in before.items():
            now = copy.row(FACILITY, feature_id)
            if now is None and feature_id in disputed:
                raise AssertionError("what is disputed disappeared")
            if now is None:
                assert feature_id not in theirs and parting is not None and same_row(parting.get(feature_id), had), "lost with the backup"
            else:
                for name, value in had.items():
                    taken = same_value(now[name], theirs[feature_id][name]) if feature_id in theirs else False
                    taken = taken and parting is not None and (feature_id not in disputed or name not in disputed[feature_id].fields)
                    assert same_value(now[name], value) or taken, f"{name} went back to the backup's"

    @rule(office=offices)
    def push(self, office):
        before = {c.feature_id: c for c in self.copies[office].edits(FACILITY)}
        disputed = {conflict.feature_id for conflict in conflicts(self.copies[office])}
        report = push(self.copies[office], self.hub, author="ân", message="thử")
        if report.outcome is Outcome.APPLIED:
            rows = self.rows_of(self.hub)
            for feature_id, change in before.items():
                if feature_id not in disputed:
                    row = rows.get(feature_id)
                    assert (row is None) == (change.after is None)
                    assert row is None or all(same_value(row[n], change.after[n]) for n in change.touched())

    @rule(office=offices)
    def freeze_and_lose_the_line(self, office):
        freeze(self.copies[office], author="ân", message="đứt mạng")

    @rule(office=offices, choice=st.sampled_from([Rule.OURS, Rule.THEIRS]))
    def settle(self, office, choice):
        if list(conflicts(self.copies[office])):
            resolve(self.copies[office], choice)
            assert not list(conflicts(self.copies[office]))

    @invariant()
    def identities_are_unique(self):
        type(self).steps += 1
        for copy in getattr(self, "copies", []):
            twice = copy.database.execute("SELECT feature_id FROM facility GROUP BY feature_id HAVING count(*) > 1 OR feature_id IS NULL").fetchall()
            assert not twice

    @invariant()
    def status_counts_what_the_edits_are(self):
        for copy in getattr(self, "copies", []):
            ends = [(change.before is not None, change.after is not None) for change in copy.edits(FACILITY)]
            [line] = [line for line in copy.status() if line.dataset.name == "facility"]
            assert (line.added, line.changed, line.deleted) == tuple(
                ends.count(kind) for kind in ((False, True), (True, True), (True, False)))

    def teardown(self):
        if not hasattr(self, "copies"):
            return
        for _ in range(3):
            for copy in self.copies:
                pull(copy, self.hub)
                if list(conflicts(copy)):
                    resolve(copy, Rule.OURS)
                assert push(copy, self.hub, author="ân",
                            message="cuối").outcome in (Outcome.APPLIED, Outcome.ALREADY_APPLIED, None)
        rows = self.rows_of(self.hub)
        for copy in self.copies:
            pull(copy, self.hub)
            held = {id: copy.row(FACILITY, id) for (id,) in copy.database.execute("SELECT feature_id FROM facility")}
            assert held.keys() == rows.keys() and all(same_row(held[id], rows[id]) for id in rows)
            assert not list(copy.edits(FACILITY)) and not list(conflicts(copy))
            copy.close()
        shutil.rmtree(self.folder, ignore_errors=True)
