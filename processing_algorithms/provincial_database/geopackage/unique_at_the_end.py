"""What an administrator lets only one feature have, judged when all of a changeset is there, whatever its order.

SQLite looks at a unique index row by row: parcel 1 cannot become 2 before 2 has become 3, and two can never change
numbers. After such a refusal the indexes are put away, the changes written, and the indexes made anew over the end of it:
every feature is written once, as its sender meant it. All of that is within the caller's transaction.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from ..catalogue import Dataset
from ..catalogue.model import FEATURE_ID
from ..changes import Change, Objection, Row
from ..unique_values import Key, Moves, in_turns, taken
from .schema import data_columns, quoted


class UniqueIndex(NamedTuple):
    """A unique index somebody has added: its columns, whether they say all about it, and the statement that makes it."""

    name: str
    dataset: Dataset
    columns: tuple[str, ...]
    #: Not of an expression, and not of some rows only.
    plain: bool
    statement: str


def is_of_values(error: sqlite3.IntegrityError) -> bool:
    """Tell whether a row was refused because another one has what only one may have."""
    return error.sqlite_errorcode == sqlite3.SQLITE_CONSTRAINT_UNIQUE


def put_away(database: sqlite3.Connection, datasets: Iterable[Dataset]) -> list[UniqueIndex]:
    """Drop the unique indexes of datasets, and return them; those that are part of a table's definition stay."""
    found = []
    for dataset in datasets:
        for name, partial, statement in database.execute(
                "SELECT i.name, i.partial, m.sql FROM pragma_index_list(?) i JOIN sqlite_master m ON m.type = 'index' AND m.name = i.name "
                "WHERE i.\"unique\" AND i.origin = 'c'", (dataset.name,)).fetchall():
            columns = [column for (column,) in database.execute("SELECT name FROM pragma_index_info(?)", (name,))]
            if FEATURE_ID not in columns:
                found.append(UniqueIndex(name, dataset, tuple(filter(None, columns)), not partial and None not in columns, statement))
    for index in found:
        database.execute(f"DROP INDEX {quoted(index.name)}")
    return found


def bring_back(database: sqlite3.Connection, indexes: Sequence[UniqueIndex], changes: Sequence[Change]) -> list[Objection] | None:
    """Make the indexes anew; return the changes that do not fit in the end, or None when it cannot be told which."""
    objections: list[Objection] = []
    for index in indexes:
        try:
            database.execute(index.statement)
        except sqlite3.IntegrityError:
            crowded = _crowded(database, index)
            found = [Objection(change.dataset, change.feature_id, taken(index.dataset, index.columns, change.after))
                     for change in changes if change.dataset == index.dataset.name and change.feature_id in crowded
                     and not change.touched().isdisjoint(index.columns)]
            if not found or not index.plain:
                return None
            objections += found
    return objections


def in_turn(database: sqlite3.Connection, dataset: Dataset, changes: Sequence[Change], present: Mapping[str, Row]) -> list[Change]:
    """Order changes so that each comes after the one that has what it takes; rings are left to be refused.

    ``present`` are the hub's rows of the features, by id, with `unique_columns` at least.
    """
    indexes = _unique(database, dataset)
    moving = Moves({}, {})
    for position, change in enumerate(changes):
        has = present.get(change.feature_id)
        wants = None if change.after is None else {**(has or {}), **{name: change.after.get(name) for name in change.touched()}}
        moving.has[position], moving.wants[position] = (_keys(indexes, row) for row in (has, wants))
    # One of a ring is written where it would have to step aside, and once more when its turn comes: here that is its first turn.
    order = dict.fromkeys(position for positions, _ in in_turns(range(len(changes)), moving) for position in positions)
    return [changes[position] for position in order]


def unique_columns(database: sqlite3.Connection, dataset: Dataset) -> list[str]:
    """Return the fields some unique index is made of."""
    return sorted({name for columns in _unique(database, dataset) for name in columns})


def _unique(database: sqlite3.Connection, dataset: Dataset) -> list[tuple[str, ...]]:
    fields = {*dataset.field_names}
    found = [tuple(column for (column,) in database.execute("SELECT name FROM pragma_index_info(?)", (name,)))
             for (name,) in database.execute("SELECT name FROM pragma_index_list(?) WHERE \"unique\"", (dataset.name,)).fetchall()]
    return [columns for columns in found if fields.issuperset(columns)]


def _keys(indexes: Sequence[tuple[str, ...]], row: Row | None) -> set[Key]:
    return {(number, repr([row[name] for name in columns])) for number, columns in enumerate(indexes)
            if row is not None and None not in [row.get(name) for name in columns]}


def named_in(dataset: Dataset, message: str) -> tuple[str, ...]:
    """Return the columns SQLite names in such a refusal."""
    return tuple(name for name in (*data_columns(dataset), FEATURE_ID)
                 if f"{dataset.name}.{name}" in message.partition(":")[2].strip().split(", "))


def _crowded(database: sqlite3.Connection, index: UniqueIndex) -> set[str]:
    """Features that have what others have."""
    if not index.columns:
        return set()
    listed = ", ".join(map(quoted, index.columns))
    there = " AND ".join(f"{quoted(name)} IS NOT NULL" for name in index.columns)
    table = quoted(index.dataset.name)
    return {feature_id for (feature_id,) in database.execute(
        f"SELECT {FEATURE_ID} FROM {table} WHERE ({listed}) IN (SELECT {listed} FROM {table} WHERE {there} "
        f"GROUP BY {listed} HAVING count(*) > 1)")}
