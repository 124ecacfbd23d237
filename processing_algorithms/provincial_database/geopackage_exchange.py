"""Delivering from and submitting to a GeoPackage hub; the contract is `changes.ExchangingHub`.

SQLite has one writer at a time, so the order of the ledger is the order of commits, and a ledger number is a position.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import shapely

from ..common.errors import InputError
from ..common.language import say
from ..common.progress import Progress
from .catalogue import Catalogue, Dataset
from .catalogue.model import FEATURE_ID, FID, GEOMETRY
from .changes import (
    Change,
    Changeset,
    Delivery,
    Objection,
    Outcome,
    Parting,
    Position,
    Receipt,
    Row,
    RowBatch,
    Scope,
)
from .geopackage_geometry import from_blobs
from .geopackage_ledger import begin_changeset, end_changeset, rows_before
from .geopackage_locks import explained
from .geopackage_schema import data_columns, quoted
from .merge import same_row, same_value
from .rows import rows_from_sqlite, rows_to_sqlite

_ROWS_AT_ONCE = 10_000
_CHANGES_AT_ONCE = 5_000


def position(database: sqlite3.Connection, facts: Mapping[str, str]) -> Position:
    """Where the hub stands now: its last ledger number, and a mark of that entry."""
    last = database.execute("SELECT coalesce(max(ledger_no), 0) FROM quyhoach_ledger").fetchone()[0]
    return Position(facts["hub_id"], facts["incarnation"], f"{last}/{_mark(database, last)}")


def _mark(database: sqlite3.Connection, ledger_no: int) -> str:
    """What tells an entry from another of the same number: somebody may put an old copy of the file in its place."""
    found = database.execute("SELECT dataset_id, feature_id, at FROM quyhoach_ledger WHERE ledger_no = ?", (ledger_no,))
    text = "|".join(map(str, found.fetchone() or ()))
    return hashlib.blake2b(text.encode("utf-8"), digest_size=6).hexdigest() if text else ""


def continues(
    database: sqlite3.Connection, facts: Mapping[str, str], since: Position, sent: Collection[str] = ()
) -> bool:
    """See `changes.RemembersRestores`."""
    if since.hub_id != facts["hub_id"]:
        raise InputError(say("Bản dữ liệu làm việc này thuộc một cơ sở dữ liệu dùng chung khác.",
                             "This working copy belongs to another shared database."))
    known = database.execute("SELECT count(*) FROM json_each(?) j JOIN quyhoach_changeset c ON c.changeset_id = j.value",
                             (json.dumps(list(sent)),)).fetchone()[0]
    return known == len(set(sent)) and _has(database, facts, since)


def _has(database: sqlite3.Connection, facts: Mapping[str, str], since: Position) -> bool:
    number, mark = _number_and_mark(since)
    last = _shared_up_to(database, facts, since)
    return last is not None and number <= last and (not mark or mark == _mark(database, number))


def _number_and_mark(at: Position) -> tuple[int, str]:
    number, _, mark = at.token.partition("/")
    return int(number), mark


def _shared_up_to(database: sqlite3.Connection, facts: Mapping[str, str], since: Position) -> int | None:
    """Return the last ledger number that the incarnation of a position and this file have in common."""
    if since.incarnation == facts["incarnation"]:
        return database.execute("SELECT coalesce(max(ledger_no), 0) FROM quyhoach_ledger").fetchone()[0]
    found = database.execute("SELECT last_ledger_no FROM quyhoach_incarnation WHERE incarnation = ?",
                             (since.incarnation,)).fetchone()
    return None if found is None else found[0]


def _parting(
    database: sqlite3.Connection, facts: Mapping[str, str], since: Position, datasets: Iterable[Dataset]
) -> Parting:
    """Return where this hub and a position it does not continue have parted."""
    last = _shared_up_to(database, facts, since)
    if _has(database, facts, since):
        last = _number_and_mark(since)[0]  # only what was sent after it is lacking
    elif since.incarnation == facts["incarnation"] or last is None or _number_and_mark(since)[0] <= last:
        return Parting(False, {})  # the file was exchanged by hand: nobody knows since when
    return Parting(True, {(dataset.name, feature_id): before for dataset in datasets
                          for feature_id, before in rows_before(database, dataset, last)})


@contextmanager
def deliver(
    database: sqlite3.Connection, facts: Mapping[str, str], datasets: Catalogue, scopes: Iterable[Scope],
    since: Position | None, *, parted: bool = False
) -> Iterator[Delivery]:
    """See `changes.ExchangingHub.deliver`; ``parted`` as `changes.RemembersRestores.compare`."""
    database.execute("BEGIN")  # one consistent read
    try:
        if since is not None and not parted and not continues(database, facts, since):
            raise InputError(say("Cơ sở dữ liệu dùng chung đã được phục hồi từ bản sao lưu; cần so sánh toàn bộ.",
                                 "The shared database was restored from a backup; everything must be compared."))
        wanted = [(datasets[scope.dataset], scope) for scope in scopes if scope.dataset in datasets]
        after = parting = None
        if since is not None and parted:
            parting = _parting(database, facts, since, [dataset for dataset, _ in wanted])
        elif since is not None:
            after = _number_and_mark(since)[0]
        yield Delivery(position(database, facts), after is None, _rows(database, wanted, after),
                       _batches(database, wanted, after), parting)
    finally:
        database.execute("ROLLBACK")


def _rows(database: sqlite3.Connection, wanted: list[tuple[Dataset, Scope]], after: int | None) -> Iterator[tuple[str, str, Row | None]]:
    datasets = {dataset.name: dataset for dataset, _ in wanted}
    for batch in _batches(database, wanted, after):
        rows = rows_from_sqlite(datasets[batch.dataset], [values[1:] for values in batch.rows])
        yield from ((batch.dataset, str(values[0]), row) for values, row in zip(batch.rows, rows))
        yield from ((batch.dataset, feature_id, None) for feature_id in batch.gone)


def _batches(database: sqlite3.Connection, wanted: list[tuple[Dataset, Scope]], after: int | None) -> Iterator[RowBatch]:
    """Yield the rows of all scopes, or of what changed after a ledger number and of the features asked for in any case."""
    for dataset, scope in wanted:
        columns = tuple(data_columns(dataset))
        listed = ", ".join(f"t.{quoted(name)}" for name in columns)
        if after is None:
            condition, values = _narrowed(dataset, scope)
            cursor = database.execute(f"SELECT t.{FEATURE_ID}, t.{FEATURE_ID}, {listed} FROM {quoted(dataset.name)} t WHERE {condition}", values)
        else:
            cursor = database.execute(
                "SELECT l.feature_id, t.feature_id, " + listed + " FROM (SELECT feature_id, max(ledger_no) AS last FROM ("
                "SELECT feature_id, ledger_no FROM quyhoach_ledger WHERE ledger_no > ? AND +dataset_id = ? UNION ALL SELECT value, 0 FROM json_each(?)"
                f") GROUP BY feature_id) l LEFT JOIN {quoted(dataset.name)} t ON t.{FEATURE_ID} = l.feature_id ORDER BY l.last",
                (after, dataset.id, json.dumps(sorted(scope.features))))
        while found := cursor.fetchmany(_ROWS_AT_ONCE):
            inside = _inside(dataset, scope, columns, found)
            yield RowBatch(dataset.name, columns, [row[1:] for row, within in zip(found, inside) if within],
                           [] if after is None else [row[0] for row, within in zip(found, inside) if not within])


def _narrowed(dataset: Dataset, scope: Scope) -> tuple[str, tuple[object, ...]]:
    """Return a condition that at least the rows of a scope meet, so that not all of a province is read for a commune."""
    kept = f"t.{FEATURE_ID} IN (SELECT value FROM json_each(?))"
    features = json.dumps(sorted(scope.features))
    if scope.communes is not None and dataset.commune_field:
        return (f"t.{quoted(dataset.commune_field)} IN (SELECT value FROM json_each(?)) OR {kept}",
                (json.dumps(sorted(scope.communes)), features))
    if scope.polygon is not None and dataset.geometry:
        x_min, y_min, x_max, y_max = shapely.from_wkb(scope.polygon).bounds
        rtree = quoted(f"rtree_{dataset.name}_{GEOMETRY}")
        return (f"t.{FID} IN (SELECT id FROM {rtree} WHERE maxx >= ? AND minx <= ? AND maxy >= ? AND miny <= ?) OR {kept}",
                (x_min, x_max, y_min, y_max, features))
    return "1", ()


def _inside(dataset: Dataset, scope: Scope, columns: Sequence[str], found: Sequence[Sequence[Any]]) -> Sequence[bool]:
    """Tell for each (feature_id, present, values...) whether it is there and within the scope."""
    if scope.communes is not None and dataset.commune_field:
        at = 2 + columns.index(dataset.commune_field)
        return [row[1] is not None and (row[at] in scope.communes or row[0] in scope.features) for row in found]
    if scope.polygon is not None and dataset.geometry:
        area = shapely.from_wkb(scope.polygon)
        shapely.prepare(area)
        touching = shapely.intersects(area, from_blobs([row[-1] for row in found]))
        return [row[1] is not None and (bool(touches) or row[0] in scope.features) for row, touches in zip(found, touching)]
    return [row[1] is not None for row in found]


def submit(
    database: sqlite3.Connection, datasets: Catalogue, srs_id: int, changeset: Changeset, progress: Progress,
    reverts: int | None = None
) -> Receipt:
    """See `changes.ExchangingHub.submit`; within the caller's transaction, which is rolled back when nothing was applied."""
    known = database.execute("SELECT number FROM quyhoach_changeset WHERE changeset_id = ?", (changeset.changeset_id,)).fetchone()
    if known:
        return Receipt(Outcome.ALREADY_APPLIED, changeset.changeset_id, known[0])
    objections, unknown = [], [change for change in changeset.changes if change.dataset not in datasets]
    if unknown:
        why = say("cơ sở dữ liệu dùng chung không có lớp này", "the shared database has no such dataset")
        return Receipt(Outcome.REFUSED, changeset.changeset_id, None,
                       tuple(Objection(change.dataset, change.feature_id, why) for change in unknown))
    parts = _parts(datasets, changeset)
    for count, (dataset, changes) in enumerate(parts):
        progress(0.3 * count / len(parts))
        present = _present(database, dataset, changes)
        objections += [Objection(change.dataset, change.feature_id, say("đã có người khác sửa hoặc xóa; hãy nhận cập nhật rồi gửi lại",
                                                                        "somebody else has changed or deleted it; pull, then push again"))
                       for change in changes if not still_holds(change, present.get(change.feature_id))]
    if objections:
        return Receipt(Outcome.STALE, changeset.changeset_id, None, tuple(objections))
    number = begin_changeset(database, changeset_id=changeset.changeset_id, author=changeset.author, department=changeset.department,
                             message=changeset.message, decision_no=changeset.decision_no, made_at=changeset.made_at,
                             working_copy_id=changeset.working_copy_id, reverts=reverts)
    rewritten: list[Change] = []
    for count, (dataset, changes) in enumerate(parts):
        progress(0.3 + 0.7 * count / len(parts))
        rewritten += _apply(database, dataset, changes, srs_id, objections)
    end_changeset(database)
    database.executemany(
        "UPDATE quyhoach_ledger SET parent_id = ? WHERE changeset = ? AND dataset_id = ? AND feature_id = ?",
        [(parent, number, datasets[name].id, feature_id) for (name, feature_id), parent in changeset.parents().items()])
    if objections:
        return Receipt(Outcome.REFUSED, changeset.changeset_id, None, tuple(objections))
    return Receipt(Outcome.APPLIED, changeset.changeset_id, number, rewritten=tuple(rewritten))


def _parts(datasets: Catalogue, changeset: Changeset) -> list[tuple[Dataset, list[Change]]]:
    """Cut a changeset into runs of one dataset, in its order; a feature that comes twice begins a new run."""
    parts: list[tuple[Dataset, list[Change]]] = []
    seen: set[str] = set()
    for change in changeset.changes:
        if not parts or parts[-1][0].name != change.dataset or len(parts[-1][1]) == _CHANGES_AT_ONCE or change.feature_id in seen:
            parts.append((datasets[change.dataset], []))
            seen = set()
        parts[-1][1].append(change)
        seen.add(change.feature_id)
    return parts


def still_holds(change: Change, present: Row | None) -> bool:
    """Tell whether the hub's row still has what a change was made from, or already what it makes of it.

    Only the fields the change touches count: others may have moved on meanwhile.
    """
    if same_row(present, change.after):
        return True
    if change.before is None or change.after is None or present is None:
        return same_row(present, change.before)
    return all(same_value(present.get(name), change.before.get(name)) or same_value(present.get(name), change.after.get(name))
               for name in change.touched() if name in present)


def _present(database: sqlite3.Connection, dataset: Dataset, changes: Sequence[Change]) -> dict[str, Row]:
    """Return the hub's rows of the changes' features, by id."""
    columns = ", ".join(f"t.{quoted(name)}" for name in (FEATURE_ID, *data_columns(dataset)))
    found = database.execute(
        f"SELECT {columns} FROM json_each(?) j CROSS JOIN {quoted(dataset.name)} t ON t.{FEATURE_ID} = j.value",
        (json.dumps([change.feature_id for change in changes]),)).fetchall()
    return dict(zip((row[0] for row in found), rows_from_sqlite(dataset, [row[1:] for row in found])))


def _apply(
    database: sqlite3.Connection, dataset: Dataset, changes: Sequence[Change], srs_id: int, objections: list[Objection]
) -> Iterator[Change]:
    """Make rows what the changes want, keeping what others did to other fields; yield what a trigger made different."""
    table, columns = quoted(dataset.name), data_columns(dataset)
    insert = f"INSERT INTO {table} ({', '.join(map(quoted, (FEATURE_ID, *columns)))}) VALUES ({', '.join('?' * (len(columns) + 1))})"
    present = _present(database, dataset, changes)
    kept = [change for change in changes if change.after is not None]
    wanted = {}
    for change in kept:
        row = present.get(change.feature_id)
        wanted[change.feature_id] = change.after if row is None else {
            **row, **{name: change.after[name] for name in change.touched() if name in change.after}}
    values = dict(zip(wanted, rows_to_sqlite(dataset, list(wanted.values()), srs_id)))
    for change in changes:
        try:
            if change.after is None:
                database.execute(f"DELETE FROM {table} WHERE {FEATURE_ID} = ?", (change.feature_id,))
            elif change.feature_id not in present:
                database.execute(insert, (change.feature_id, *values[change.feature_id]))
            else:
                # Only what is touched: a shape that stays must not be taken out of its index and put back.
                touched = change.touched()
                at = [position for position, name in enumerate(columns) if name in touched]
                if at:
                    changes = ", ".join(f"{quoted(columns[position])} = ?" for position in at)
                    database.execute(f"UPDATE {table} SET {changes} WHERE {FEATURE_ID} = ?",
                                     (*(values[change.feature_id][position] for position in at), change.feature_id))
        except sqlite3.IntegrityError as error:
            why = explained(database, dataset, str(error), present.get(change.feature_id), change.after)
            objections.append(Objection(change.dataset, change.feature_id, why))
    became = _present(database, dataset, kept)
    for feature_id, row in wanted.items():
        if not same_row(became.get(feature_id), row):
            yield Change(dataset.name, feature_id, row, became.get(feature_id))
