"""Writing the changes of a changeset into the tables of a GeoPackage hub, within the caller's transaction.

Changes of one kind (the same fields of a dataset, new features, deletions) are written by one statement: a statement per
feature takes nearly twice as long, with the triggers of checks and ledger that fire for each. What such a statement
refuses is found by going through the features one by one, in their order.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any, NamedTuple

from ..catalogue import Dataset
from ..catalogue.model import FEATURE_ID, GEOMETRY
from ..changes import Change, Objection, Row, Value
from ..rows import blobs_of, cut_to, rows_from_sqlite
from ..unique_values import change_places, taken
from .locks import explained, lock_field
from .schema import data_columns, quoted
from .unique_at_the_end import in_turn, is_of_values, named_in, unique_columns


class Crowded(Exception):
    """Another feature has a value that only one may have."""


class _Kind(NamedTuple):
    """What is done to a feature: the columns written (None: it is deleted), and whether it is new."""

    columns: tuple[str, ...] | None
    new: bool


def write_changes(
    database: sqlite3.Connection, dataset: Dataset, changes: Sequence[Change], srs_id: int, *, in_order: bool, one_by_one: bool = False
) -> list[Objection]:
    """Write what the changes touch and nothing else.

    Parameters
    ----------
    changes : sequence of Change
        Of features that are all different.
    srs_id : int
        Number of the hub's system in the file.
    in_order : bool
        Keep to the order of the changes even where nothing is refused: others' triggers may see them.
    one_by_one : bool
        Tell too what is refused because another feature has a value that only one may have.

    Raises
    ------
    Crowded
        Another feature has a value that only one may have, and may be about to give it up; something may be written.

    Returns
    -------
    list of Objection
        What triggers and constraints refused; the other changes are written. A trigger of others may have rolled back the
        whole transaction (``RAISE(ROLLBACK)``): then nothing is.
    """
    if not in_order:
        # A number is free for who takes it over once who had it is gone.
        changes = sorted(changes, key=lambda change: (change.after is not None, change.before is None))
        if _write_together(database, dataset, changes, srs_id, one_by_one=one_by_one):
            return []
    if one_by_one:
        columns = unique_columns(database, dataset)
        changes = in_turn(database, dataset, changes, rows_of(database, dataset, [change.feature_id for change in changes], columns))
    objections: list[Objection] = []
    while True:
        crowded: list[tuple[Change, tuple[str, ...]]] = []
        for kind, run in groupby(changes, lambda change: _kind(dataset, change)):
            for change, values in _given(database, dataset, kind, list(run), srs_id):
                try:
                    database.execute(_statement(dataset, kind), values)
                except sqlite3.IntegrityError as error:
                    if database.in_transaction and is_of_values(error):
                        if not one_by_one:
                            raise Crowded from None
                        crowded.append((change, named_in(dataset, str(error))))
                        continue
                    objections.append(_objection(database, dataset, change, error))
                    if not database.in_transaction:
                        return objections  # or the rest would be written one by one, for good
        if not crowded or len(crowded) == len(changes):
            return objections + list(_unfit(dataset, crowded))
        # Who had it may have given it up meanwhile, where an expression says who waits for whom.
        changes = [change for change, _ in reversed(crowded)]


def rows_of(
    database: sqlite3.Connection, dataset: Dataset, ids: Sequence[str], columns: Sequence[str]
) -> dict[str, Row]:
    """Return some columns of the hub's rows of features, by id; features that are not there are left out."""
    if not ids:
        return {}
    listed = ", ".join(f"t.{quoted(name)}" for name in (FEATURE_ID, *columns))
    found = database.execute(
        f"SELECT {listed} FROM json_each(?) j CROSS JOIN {quoted(dataset.name)} t ON t.{FEATURE_ID} = j.value",
        (json.dumps(ids),)).fetchall()
    return dict(zip((row[0] for row in found), rows_from_sqlite(cut_to(dataset, columns), [row[1:] for row in found])))


def _kind(dataset: Dataset, change: Change) -> _Kind:
    if change.after is None:
        return _Kind(None, new=False)
    if change.before is None:
        return _Kind(tuple(data_columns(dataset)), new=True)
    touched = change.touched()
    # Only what is touched: a shape that stays must not be taken out of its index and put back.
    return _Kind(tuple(name for name in data_columns(dataset) if name in touched), new=False)


def _write_together(
    database: sqlite3.Connection, dataset: Dataset, changes: Sequence[Change], srs_id: int, *, one_by_one: bool
) -> bool:
    """Write all changes, a statement for each kind; False when one is refused, and nothing was written."""
    kinds: dict[_Kind, list[Change]] = {}
    for change in changes:
        kinds.setdefault(_kind(dataset, change), []).append(change)
    database.execute("SAVEPOINT quyhoach_together")
    try:
        for kind, some in kinds.items():
            values = [values for _, values in _given(database, dataset, kind, some, srs_id)]
            if values:
                _write_kind(database, dataset, kind, values)
    except sqlite3.IntegrityError as error:
        if not database.in_transaction:
            raise
        if is_of_values(error) and not one_by_one:
            raise Crowded from None
        database.execute("ROLLBACK TO quyhoach_together")
        return False
    finally:
        # Anything else, such as a full disk, has ended or will end the whole transaction.
        if database.in_transaction:
            database.execute("RELEASE quyhoach_together")
    return True


def _write_kind(database: sqlite3.Connection, dataset: Dataset, kind: _Kind, values: Sequence[tuple[Any, ...]]) -> None:
    # Columns without a type take values as they are.
    columns = ", ".join(f"c{number}" for number in range(len(values[0])))
    database.execute(f"CREATE TEMP TABLE quyhoach_given ({columns})")
    database.executemany(f"INSERT INTO temp.quyhoach_given VALUES ({', '.join('?' * len(values[0]))})", values)
    database.execute(_statement_for_all(dataset, kind))
    database.execute("DROP TABLE temp.quyhoach_given")


def _given(
    database: sqlite3.Connection, dataset: Dataset, kind: _Kind, changes: Sequence[Change], srs_id: int
) -> Iterator[tuple[Change, tuple[Any, ...]]]:
    """Yield each change with the values its statement takes, in that order."""
    if kind.columns is None:
        yield from ((change, (change.feature_id,)) for change in changes)
        return
    if not kind.columns:
        return
    if kind.new:
        # Those that are there already are as they should be, or the changeset were stale.
        there = rows_of(database, dataset, [change.feature_id for change in changes], [])
        changes = [change for change in changes if change.feature_id not in there]
    shapes: Iterator[bytes | None] = iter(())
    if GEOMETRY in kind.columns:
        shapes = iter(blobs_of([(change.after or {}).get(GEOMETRY) for change in changes], srs_id))
    for change in changes:
        row: Row = change.after or {}
        yield change, (*(next(shapes) if name == GEOMETRY else _plain(row.get(name)) for name in kind.columns),
                       change.feature_id)


def _statement(dataset: Dataset, kind: _Kind) -> str:
    """The statement for one feature."""
    table = quoted(dataset.name)
    if kind.columns is None:
        return f"DELETE FROM {table} WHERE {FEATURE_ID} = ?"
    if kind.new:
        names = ", ".join(map(quoted, (*kind.columns, FEATURE_ID)))
        return f"INSERT INTO {table} ({names}) VALUES ({', '.join('?' * (len(kind.columns) + 1))})"
    return f"UPDATE {table} SET {', '.join(f'{quoted(name)} = ?' for name in kind.columns)} WHERE {FEATURE_ID} = ?"


def _statement_for_all(dataset: Dataset, kind: _Kind) -> str:
    """The statement for all features whose values are in the temporary table."""
    table = quoted(dataset.name)
    if kind.columns is None:
        return f"DELETE FROM {table} WHERE {FEATURE_ID} IN (SELECT c0 FROM temp.quyhoach_given)"
    if kind.new:
        names = ", ".join(map(quoted, (*kind.columns, FEATURE_ID)))
        return f"INSERT INTO {table} ({names}) SELECT * FROM temp.quyhoach_given ORDER BY rowid"
    assigned = ", ".join(f"{quoted(name)} = quyhoach_given.c{number}" for number, name in enumerate(kind.columns))
    return (f"UPDATE {table} SET {assigned} FROM temp.quyhoach_given "
            f"WHERE {table}.{FEATURE_ID} = quyhoach_given.c{len(kind.columns)}")


def _unfit(dataset: Dataset, crowded: Sequence[tuple[Change, tuple[str, ...]]]) -> Iterator[Objection]:
    """Tell those that wait for each other from those whose value others keep."""
    given_up = {(columns, *((change.before or {}).get(name) for name in columns)) for change, columns in crowded}
    for change, columns in crowded:
        wanted = (columns, *((change.after or {}).get(name) for name in columns))
        yield Objection(change.dataset, change.feature_id,
                        change_places(dataset) if wanted in given_up else taken(dataset, columns, change.after))


def _objection(
    database: sqlite3.Connection, dataset: Dataset, change: Change, error: sqlite3.IntegrityError
) -> Objection:
    field = lock_field(dataset)
    row = rows_of(database, dataset, [change.feature_id], [field] if field else []).get(change.feature_id)
    return Objection(change.dataset, change.feature_id, explained(database, dataset, str(error), row, change.after))


def _plain(value: Value) -> Value:
    return int(value) if isinstance(value, bool) else value
