"""A hub in a dict: the shortest program that keeps the contract, to judge the real ones and the working copies by."""

from __future__ import annotations

import uuid
from contextlib import contextmanager
from copy import copy

import shapely
from quyhoach.processing_algorithms.common.errors import InputError
from quyhoach.processing_algorithms.provincial_database.catalogue import Catalogue, load_catalogue
from quyhoach.processing_algorithms.provincial_database.changes import (
    Change,
    Changeset,
    Delivery,
    Objection,
    Outcome,
    Position,
    Receipt,
)
from quyhoach.processing_algorithms.provincial_database.merge import same_row, same_value


class MemoryHub:
    def __init__(self, datasets=None):
        self.hub_id, self.incarnation = str(uuid.uuid4()), str(uuid.uuid4())
        self.rows: dict[tuple[str, str], dict] = {}
        self.ledger: list[tuple[str, Change]] = []
        self.applied: dict[str, int] = {}
        self.datasets = load_catalogue() if datasets is None else Catalogue(tuple(datasets))

    def copied(self):
        """As it is now: rows and entries are never altered, only replaced."""
        other = copy(self)
        other.rows, other.ledger, other.applied = dict(self.rows), list(self.ledger), dict(self.applied)
        return other

    def position(self):
        return Position(self.hub_id, self.incarnation, str(len(self.ledger)))

    @contextmanager
    def deliver(self, scopes, since, progress=None):
        names = {scope.dataset: scope for scope in scopes if scope.dataset in self.datasets}
        if since is None:
            rows = [(d, f, row) for (d, f), row in self.rows.items() if d in names
                    and (f in names[d].features or within(names[d], row))]
        else:
            touched = dict.fromkeys((c.dataset, c.feature_id) for _, c in self.ledger[int(since.token):]
                                    if c.dataset in names)
            touched |= dict.fromkeys((scope.dataset, f) for scope in names.values() for f in scope.features)
            rows = []
            for d, f in touched:
                row = self.rows.get((d, f))
                rows.append((d, f,
                             row if row is not None and (f in names[d].features or within(names[d], row)) else None))
        yield Delivery(self.position(), since is None,
                       iter([(d, f, None if r is None else dict(r)) for d, f, r in rows]))

    def submit(self, changeset, progress=None):
        if changeset.changeset_id in self.applied:
            return Receipt(Outcome.ALREADY_APPLIED, changeset.changeset_id, self.applied[changeset.changeset_id])
        after, objections = {}, []
        for change in changeset.changes:
            row = self.rows.get((change.dataset, change.feature_id))
            if not _still(change, row):
                objections.append(Objection(change.dataset, change.feature_id, "đã có người sửa"))
            elif change.after is None:
                after[change.dataset, change.feature_id] = None
            else:
                after[change.dataset, change.feature_id] = {**(row or {}),
                                                            **{n: change.after[n] for n in change.touched() if n in change.after}}
        if objections:
            return Receipt(Outcome.STALE, changeset.changeset_id, None, tuple(objections))
        self._become(changeset.changeset_id, after)
        self.applied[changeset.changeset_id] = len(self.applied) + 1
        return Receipt(Outcome.APPLIED, changeset.changeset_id, self.applied[changeset.changeset_id])

    def directly(self, after):
        """Somebody writes rows (None: deletes) at the hub itself; ``after`` by dataset and feature id."""
        self._become(str(uuid.uuid4()), after)

    def revert(self, number, **_):
        [changeset_id] = [id for id, applied in self.applied.items() if applied == number]
        first, last = {}, {}
        for _, change in (entry for entry in self.ledger if entry[0] == changeset_id):
            first.setdefault((change.dataset, change.feature_id), change.before)
            last[change.dataset, change.feature_id] = change.after
        changes = [Change(*key, last[key], first[key]) for key in last if last[key] != first[key]]
        if not changes:
            raise InputError("nothing is left of it")
        return self.submit(Changeset(str(uuid.uuid4()), "", "", "", "", "2026-11-22T00:00:00.000Z", tuple(changes)))

    def _become(self, changeset_id, after):
        for key, row in after.items():
            self.ledger.append((changeset_id, Change(*key, self.rows.get(key), row)))
            if row is None:
                self.rows.pop(key, None)
            else:
                self.rows[key] = row


def within(scope, row):
    if scope.communes is not None:
        return row.get("commune_code") in scope.communes
    if scope.polygon is not None:
        return row.get("geom") is not None and shapely.intersects(shapely.from_wkb(scope.polygon), shapely.from_wkb(row["geom"]))
    return True


def _still(change, row):
    """Whether the hub's row has, in what the change touches, the value it was made from, or already the value it gives."""
    if same_row(row, change.after):
        return True
    if change.before is None or change.after is None or row is None:
        return same_row(row, change.before)
    return all(same_value(row.get(n), change.before.get(n)) or same_value(row.get(n), change.after.get(n))
               for n in change.touched())
