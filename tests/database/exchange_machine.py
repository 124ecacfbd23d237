"""Several offices on one hub, at random: a state machine any hub that keeps the contract can be put through.

After every step: a copy without edits equals the hub as of its position; what an office has edited and not sent is still
there; the ledger of what was applied replays to the hub's rows. At the end, when all have pushed and pulled, all are equal.

The hub is backed up and put back now and then. What an office has that the backup lacks must be there after its next pull:
in its own rows, as edits, or in dispute.
"""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
import uuid
from pathlib import Path

import pyproj
import shapely
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from quyhoach.processing_algorithms.provincial_database.catalogue import load_catalogue
from quyhoach.processing_algorithms.provincial_database.changes import Change, Changeset, Outcome, Scope
from quyhoach.processing_algorithms.provincial_database.checkout import checkout
from quyhoach.processing_algorithms.provincial_database.conflict_review import Rule, conflicts, resolve
from quyhoach.processing_algorithms.provincial_database.geopackage_geometry import register_functions
from quyhoach.processing_algorithms.provincial_database.merge import same_row, same_value
from quyhoach.processing_algorithms.provincial_database.outgoing import freeze
from quyhoach.processing_algorithms.provincial_database.pull import pull
from quyhoach.processing_algorithms.provincial_database.push import push

FACILITY = load_catalogue()["facility"]
KIND = FACILITY.field("kind").domain.values[0].code
offices = st.integers(0, 2)
words = st.sampled_from(["Trường", "Chợ", "Trạm y tế", "O'Brien\"; DROP TABLE facility; --", "é" , "e\u0301"])
communes = st.sampled_from([None, "99001", "99002"])


class Exchange(RuleBasedStateMachine):
    """Subclasses give `new_hub` and `rows_of`, a fresh hub and its rows by feature id, and how it is backed up and restored."""

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
        self.hub = self.new_hub(self.folder)
        rows = tuple(Change("facility", str(uuid.UUID(int=i)), None, self._row(f"Số {i}", i)) for i in range(1, 4))
        assert self.hub.submit(Changeset(str(uuid.uuid4()), "a", "", "đầu", "", "2026-11-22T00:00:00.000Z", rows)).outcome is Outcome.APPLIED
        self.copies = [checkout(self.folder / f"văn phòng {i}.gpkg", self.hub, location="hub", crs=pyproj.CRS(9214), datasets=[FACILITY],
                                scopes=[Scope("facility")]) for i in range(3)]

        self.backup, self.partings = None, {}

    @staticmethod
    def _row(name, x):
        row = {field.name: None for field in FACILITY.fields}
        return {**row, "name": name, "kind": KIND, "geom": shapely.to_wkb(shapely.Point(500000.0 + x, 1800000.0), byte_order=1, flavor="iso")}

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
            self.backup = made, {**self.partings, self.hub.position().incarnation: self.rows_of(self.hub)}

    @precondition(lambda self: getattr(self, "backup", None))
    @rule()
    def put_the_backup_back(self):
        made, self.partings = self.backup
        self.hub = self.restored(made)

    @rule(office=offices)
    def pull(self, office):
        copy = self.copies[office]
        before = {id: copy.row(FACILITY, id) for (id,) in copy.database.execute("SELECT feature_id FROM facility")}
        parting = self.partings.get(copy.position.incarnation)
        ours_before = {change.feature_id: change for change in copy.edits(FACILITY)}
        report = pull(copy, self.hub)
        disputed = {conflict.feature_id: conflict for conflict in conflicts(copy)}
        theirs = self.rows_of(self.hub)
        if report.restored:
            self.nothing_is_lost(copy, before, disputed, theirs, parting)
        for feature_id, change in ours_before.items():
            present = copy.row(FACILITY, feature_id)
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
        """After a comparison with a restored hub; ``parting`` is what it had when the backup was made, None if unknown."""
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
        for copy in getattr(self, "copies", []):
            twice = copy.database.execute("SELECT feature_id FROM facility GROUP BY feature_id HAVING count(*) > 1 OR feature_id IS NULL").fetchall()
            assert not twice

    def teardown(self):
        if not hasattr(self, "copies"):
            return
        for _ in range(3):
            for copy in self.copies:
                pull(copy, self.hub)
                if list(conflicts(copy)):
                    resolve(copy, Rule.OURS)
                assert push(copy, self.hub, author="ân", message="cuối").outcome in (Outcome.APPLIED, Outcome.ALREADY_APPLIED, None)
        rows = self.rows_of(self.hub)
        for copy in self.copies:
            pull(copy, self.hub)
            held = {id: copy.row(FACILITY, id) for (id,) in copy.database.execute("SELECT feature_id FROM facility")}
            assert held.keys() == rows.keys() and all(same_row(held[id], rows[id]) for id in rows)
            assert not list(copy.edits(FACILITY)) and not list(conflicts(copy))
            copy.close()
        shutil.rmtree(self.folder, ignore_errors=True)
