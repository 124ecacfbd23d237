"""Delivering from and submitting to a GeoPackage hub; the contract is `changes.ExchangingHub`.

SQLite has one writer at a time, so the order of the ledger is the order of commits, and a ledger number is a position.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import shapely

from ..common.errors import InputError
from ..common.language import say
from ..common.progress import Progress
from .catalogue import Catalogue, Dataset
from .catalogue.model import FEATURE_ID, FID, GEOMETRY
from .changes import Change, Changeset, Delivery, Objection, Outcome, Position, Receipt, Row, RowBatch, Scope
from .geopackage_geometry import from_blobs
from .geopackage_ledger import begin_changeset, end_changeset
from .geopackage_locks import explained
from .geopackage_schema import data_columns, quoted
from .merge import same_row, same_value
from .rows import row_from_sqlite, row_to_sqlite, rows_from_sqlite

_ROWS_AT_ONCE = 10_000


def position(database: sqlite3.Connection, facts: Mapping[str, str]) -> Position:
    """Where the hub stands now."""
    last = database.execute("SELECT coalesce(max(ledger_no), 0) FROM quyhoach_ledger").fetchone()[0]
    return Position(facts["hub_id"], facts["incarnation"], str(last))


@contextmanager
def deliver(
    database: sqlite3.Connection, facts: Mapping[str, str], datasets: Catalogue, scopes: Iterable[Scope], since: Position | None
) -> Iterator[Delivery]:
    """See `changes.ExchangingHub.deliver`."""
    if since is not None and (since.hub_id != facts["hub_id"] or since.incarnation != facts["incarnation"]):
        raise InputError(say("Bản dữ liệu làm việc thuộc về một cơ sở dữ liệu dùng chung khác, hoặc cơ sở dữ liệu đã được phục hồi; cần so sánh toàn bộ.",
                             "The working copy belongs to another shared database, or this one was restored; everything must be compared."))
    database.execute("BEGIN")  # one consistent read
    try:
        wanted = [(datasets[scope.dataset], scope) for scope in scopes if scope.dataset in datasets]
        after = None if since is None else int(since.token)
        yield Delivery(position(database, facts), since is None, _rows(database, wanted, after), _batches(database, wanted, after))
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
    stale, refused = [], []
    wanted: list[tuple[Dataset, Change, Row | None]] = []
    for count, change in enumerate(changeset.changes):
        if count % 1000 == 0:
            progress(0.5 * count / len(changeset.changes))
        dataset = datasets.get(change.dataset)
        if dataset is None:
            refused.append(Objection(change.dataset, change.feature_id, say("cơ sở dữ liệu dùng chung không có lớp này", "the shared database has no such dataset")))
            continue
        present = _present(database, dataset, change.feature_id)
        if not still_holds(change, present):
            stale.append(Objection(change.dataset, change.feature_id, say("đã có người khác sửa hoặc xóa; hãy nhận cập nhật rồi gửi lại",
                                                                          "somebody else has changed or deleted it; pull, then push again")))
        wanted.append((dataset, change, present))
    if refused or stale:
        return Receipt(Outcome.REFUSED if refused else Outcome.STALE, changeset.changeset_id, None, tuple(refused or stale))
    number = begin_changeset(database, changeset_id=changeset.changeset_id, author=changeset.author, department=changeset.department,
                             message=changeset.message, decision_no=changeset.decision_no, made_at=changeset.made_at,
                             working_copy_id=changeset.working_copy_id, reverts=reverts)
    rewritten = []
    for count, (dataset, change, present) in enumerate(wanted):
        if count % 1000 == 0:
            progress(0.5 + 0.5 * count / len(wanted))
        try:
            rewritten += _apply(database, dataset, change, present, srs_id)
        except sqlite3.IntegrityError as error:
            why = explained(database, dataset, str(error), present, change.after)
            refused.append(Objection(change.dataset, change.feature_id, why))
    end_changeset(database)
    if refused:
        return Receipt(Outcome.REFUSED, changeset.changeset_id, None, tuple(refused))
    return Receipt(Outcome.APPLIED, changeset.changeset_id, number, rewritten=tuple(rewritten))


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


def _present(database: sqlite3.Connection, dataset: Dataset, feature_id: str) -> Row | None:
    columns = ", ".join(map(quoted, data_columns(dataset)))
    found = database.execute(f"SELECT {columns} FROM {quoted(dataset.name)} WHERE {FEATURE_ID} = ?", (feature_id,)).fetchone()
    return None if found is None else row_from_sqlite(dataset, found)


def _apply(database: sqlite3.Connection, dataset: Dataset, change: Change, present: Row | None, srs_id: int) -> Iterator[Change]:
    """Make the row what the change wants, keeping what others did to other fields; yield what a trigger made different."""
    table = quoted(dataset.name)
    if change.after is None:
        database.execute(f"DELETE FROM {table} WHERE {FEATURE_ID} = ?", (change.feature_id,))
        return
    columns = data_columns(dataset)
    if present is None:
        values = row_to_sqlite(dataset, change.after, srs_id)
        database.execute(f"INSERT INTO {table} ({', '.join(map(quoted, (FEATURE_ID, *columns)))}) VALUES ({', '.join('?' * (len(columns) + 1))})",
                         (change.feature_id, *values))
    else:
        wanted = {**present, **{name: change.after[name] for name in change.touched() if name in change.after}}
        values = row_to_sqlite(dataset, wanted, srs_id)
        database.execute(f"UPDATE {table} SET {', '.join(f'{quoted(name)} = ?' for name in columns)} WHERE {FEATURE_ID} = ?",
                         (*values, change.feature_id))
    became = _present(database, dataset, change.feature_id)
    sent = change.after if present is None else {**present, **{name: change.after[name] for name in change.touched() if name in change.after}}
    if not same_row(became, sent):
        yield Change(change.dataset, change.feature_id, sent, became)
