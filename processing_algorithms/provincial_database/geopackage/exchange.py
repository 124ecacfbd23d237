"""Handing over rows of a GeoPackage hub; the contract is `changes.ExchangingHub`. For submitting see `geopackage.submit`.

SQLite has one writer at a time, so the order of the ledger is the order of commits, and a ledger number is a position.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Collection, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from typing import Any

import shapely

from ...common.errors import InputError, OutputError
from ...common.language import say
from ..catalogue import Catalogue, Dataset
from ..catalogue.model import FEATURE_ID, FID, GEOMETRY
from ..changes import Delivery, Parting, Position, Row, RowBatch, Scope
from ..findings import unfit_table
from ..rows import rows_from_sqlite, shapes_of
from .ledger import rows_before
from .schema import data_columns, quoted

_ROWS_AT_ONCE = 10_000


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
    if not number.isdecimal():
        raise InputError(say("Bản dữ liệu làm việc bị hỏng: vị trí đã nhận không đọc được; hãy dùng lại bản sao còn tốt.",
                             "The working copy is damaged: up to where it has received cannot be read; use a sound copy of it."))
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
        with closing(_rows(database, wanted, after)) as rows, closing(_batches(database, wanted, after)) as batches:
            yield Delivery(position(database, facts), after is None, rows, batches, parting)
    finally:
        database.execute("ROLLBACK")


def _rows(database: sqlite3.Connection, wanted: list[tuple[Dataset, Scope]],
          after: int | None) -> Generator[tuple[str, str, Row | None], None, None]:
    datasets = {dataset.name: dataset for dataset, _ in wanted}
    with closing(_batches(database, wanted, after)) as batches:
        for batch in batches:
            rows = rows_from_sqlite(datasets[batch.dataset], [values[1:] for values in batch.rows])
            yield from ((batch.dataset, str(values[0]), row) for values, row in zip(batch.rows, rows))
            yield from ((batch.dataset, feature_id, None) for feature_id in batch.gone)


def _batches(database: sqlite3.Connection, wanted: list[tuple[Dataset, Scope]],
             after: int | None) -> Generator[RowBatch, None, None]:
    """Yield the rows of all scopes, or of what changed after a ledger number and of the features asked for in any case."""
    for dataset, scope in wanted:
        columns = tuple(data_columns(dataset))
        listed = ", ".join(f"t.{quoted(name)}" for name in columns)
        if after is None:
            condition, values = _narrowed(dataset, scope)
            cursor = _reading(database, dataset, f"SELECT t.{FEATURE_ID}, t.{FEATURE_ID}, {listed} FROM {quoted(dataset.name)} t WHERE {condition}", values)
        else:
            cursor = _reading(
                database, dataset, "SELECT l.feature_id, t.feature_id, "
                + listed
                + " FROM (SELECT feature_id, max(ledger_no) AS last FROM ("
                "SELECT feature_id, ledger_no FROM quyhoach_ledger WHERE ledger_no > ? AND +dataset_id = ? UNION ALL SELECT value, 0 FROM json_each(?)"
                f") GROUP BY feature_id) l LEFT JOIN {quoted(dataset.name)} t ON t.{FEATURE_ID} = l.feature_id ORDER BY l.last",
                (after, dataset.id, json.dumps(sorted(scope.features))),
            )
        # Closed whatever happens to who reads: a cursor that an error keeps alive would hold the file.
        with closing(cursor):
            while found := cursor.fetchmany(_ROWS_AT_ONCE):
                inside = _inside(dataset, scope, columns, found)
                yield RowBatch(dataset.name, columns, [row[1:] for row, within in zip(found, inside) if within],
                               [] if after is None else [row[0] for row, within in zip(found, inside) if not within])


def _reading(database: sqlite3.Connection, dataset: Dataset, sql: str, values: Sequence[object]) -> sqlite3.Cursor:
    try:
        return database.execute(sql, values)
    except sqlite3.OperationalError as error:
        if not str(error).startswith("no such "):
            raise
        # Else whoever receives would blame the file that is written.
        raise OutputError(unfit_table(str(dataset.label), error)) from error


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
    inside = [row[1] is not None for row in found]
    if scope.communes is not None and dataset.commune_field:
        at = 2 + columns.index(dataset.commune_field)
        inside = [there and (row[at] in scope.communes or row[0] in scope.features) for there, row in zip(inside, found)]
    if scope.polygon is not None and dataset.geometry:
        area = shapely.from_wkb(scope.polygon)
        shapely.prepare(area)
        touching = shapely.intersects(area, shapely.from_wkb(shapes_of(dataset, [row[-1] for row in found], [row[0] for row in found])))
        inside = [there and (bool(touches) or row[0] in scope.features) for there, row, touches in zip(inside, found, touching)]
    return inside
