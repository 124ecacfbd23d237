"""Where a ledger's entries do not join, or do not end in the table's row; and how they are made to.

Two things make a gap. A trigger of others that writes its own row *before* the edit it belongs to: SQLite tells the
ledger's trigger of the row as it was before both. Such entries are of one changeset, and are joined end to end. And
somebody who writes while the triggers are off: an administrator enters what was found.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable

from ..catalogue import Dataset
from ..catalogue.model import FEATURE_ID
from .schema import NEW_UUID, UUID_GLOB, data_columns, literal, quoted

_OLD, _NEW = 0, 1
_NOW = "strftime('%Y-%m-%dT%H:%M:%fZ', 'now')"


def ledger_table(dataset: Dataset) -> str:
    """Name of the table with the rows before (side 0) and after (side 1) each entry."""
    return f"quyhoach_ledger_{dataset.name}"


def same_columns(dataset: Dataset, left: str, right: str) -> str:
    """Return SQL that tells whether two rows of a dataset are the same to the bit."""
    return " AND ".join(f"{left}.{quoted(name)} IS {right}.{quoted(name)}" for name in data_columns(dataset))


def close_gaps(database: sqlite3.Connection, datasets: Iterable[Dataset], changeset: int, *, by_others: bool = False) -> None:
    """Join the entries of one changeset end to end, and to the tables as they are now; within the caller's transaction.

    ``by_others``: nobody of ours has watched. Then only what such a trigger leaves is taken for one: what the row was
    before the statement. Anything else has gone past the ledger, and is left for a check to tell.
    """
    touched = {id for (id,) in database.execute("SELECT DISTINCT dataset_id FROM quyhoach_ledger WHERE changeset = ?", (changeset,))}
    for dataset in datasets:
        if dataset.id in touched:
            _join(database, dataset, changeset, by_others=by_others)
            _end(database, dataset, changeset, by_others=by_others)


def _join(database: sqlite3.Connection, dataset: Dataset, changeset: int, *, by_others: bool) -> None:
    rows, listed = quoted(ledger_table(dataset)), ", ".join(map(quoted, data_columns(dataset)))
    before = _was_before(dataset, "l", "o") if by_others else "1"
    for entry, last in database.execute(
            f"SELECT l.ledger_no, p.ledger_no FROM quyhoach_ledger l JOIN {rows} o ON o.ledger_no = l.ledger_no AND o.side = {_OLD} "
            "JOIN quyhoach_ledger p ON p.ledger_no = (SELECT max(b.ledger_no) FROM quyhoach_ledger b WHERE b.dataset_id = l.dataset_id "
            f"AND b.feature_id = l.feature_id AND b.ledger_no < l.ledger_no) JOIN {rows} n ON n.ledger_no = p.ledger_no AND n.side = {_NEW} "
            f"WHERE l.changeset = ?1 AND p.changeset = ?1 AND +l.dataset_id = ?2 AND NOT ({same_columns(dataset, 'o', 'n')}) AND {before}",
            (changeset, dataset.id)).fetchall():
        database.execute(f"UPDATE {rows} SET ({listed}) = (SELECT {listed} FROM {rows} WHERE ledger_no = ? AND side = {_NEW}) "
                         f"WHERE ledger_no = ? AND side = {_OLD}", (last, entry))


def _end(database: sqlite3.Connection, dataset: Dataset, changeset: int, *, by_others: bool) -> None:
    table, rows = quoted(dataset.name), quoted(ledger_table(dataset))
    before = _was_before(dataset, "l", "t") if by_others else "1"
    different = database.execute(
        f"SELECT l.feature_id FROM (SELECT feature_id, dataset_id, changeset, max(ledger_no) AS ledger_no FROM quyhoach_ledger "
        f"WHERE changeset = ?1 AND +dataset_id = ?2 GROUP BY feature_id) l LEFT JOIN {rows} n ON n.ledger_no = l.ledger_no AND n.side = {_NEW} "
        f"LEFT JOIN {table} t ON t.{FEATURE_ID} = l.feature_id WHERE ((n.ledger_no IS NULL) <> (t.{FEATURE_ID} IS NULL) "
        f"OR n.ledger_no NOTNULL AND NOT ({same_columns(dataset, 'n', 't')})) AND {before}", (changeset, dataset.id)).fetchall()
    for (feature_id,) in different:
        enter_present(database, dataset, feature_id, changeset)


def _was_before(dataset: Dataset, entry: str, row: str) -> str:
    """SQL: a row is what an entry of the same feature in the same changeset begins with."""
    return (f"EXISTS (SELECT 1 FROM quyhoach_ledger f JOIN {quoted(ledger_table(dataset))} w ON w.ledger_no = f.ledger_no AND w.side = {_OLD} "
            f"WHERE f.dataset_id = {entry}.dataset_id AND f.feature_id = {entry}.feature_id AND f.changeset = {entry}.changeset "
            f"AND {same_columns(dataset, 'w', row)} AND f.ledger_no < {entry}.ledger_no + {int(row == 't')})")


def enter_present(database: sqlite3.Connection, dataset: Dataset, feature_id: str, changeset: int) -> None:
    """Enter the way of a feature from where the ledger ends to the table's row."""
    table, rows = quoted(dataset.name), quoted(ledger_table(dataset))
    listed = ", ".join(map(quoted, data_columns(dataset)))
    last = database.execute("SELECT max(ledger_no) FROM quyhoach_ledger WHERE dataset_id = ? AND feature_id = ?", (dataset.id, feature_id)).fetchone()[0]
    entry = database.execute(f"INSERT INTO quyhoach_ledger (changeset, dataset_id, feature_id, at) VALUES (?, {literal(dataset.id)}, ?, {_NOW})",
                             (changeset, feature_id)).lastrowid
    database.execute(f"INSERT INTO {rows} (ledger_no, side, {listed}) SELECT ?, {_OLD}, {listed} FROM {rows} WHERE ledger_no = ? AND side = {_NEW}",
                     (entry, last))
    database.execute(f"INSERT INTO {rows} (ledger_no, side, {listed}) SELECT ?, {_NEW}, {listed} FROM {table} WHERE {FEATURE_ID} = ?",
                     (entry, feature_id))


def enter_gaps(database: sqlite3.Connection, dataset: Dataset, changeset: int) -> int:
    """Enter how every feature came from its last entry to what it is, and give those without an identity one; return how many."""
    table = quoted(dataset.name)
    # By the trigger that makes an entry of it.
    nameless = database.execute(f"UPDATE {table} SET {FEATURE_ID} = {NEW_UUID} WHERE {FEATURE_ID} IS NULL OR {FEATURE_ID} NOT GLOB '{UUID_GLOB}'").rowcount
    different = database.execute(different_features(dataset), (dataset.id,)).fetchall()
    for (feature_id,) in different:
        enter_present(database, dataset, feature_id, changeset)
    return nameless + len(different)


def broken_features(dataset: Dataset) -> str:
    """SQL for features with an entry that does not begin where the one before it ended; its value is the dataset's id.

    Edits of other programs that belong to no changeset yet are joined when they get one.
    """
    rows = quoted(ledger_table(dataset))
    return (f"SELECT DISTINCT l.feature_id FROM quyhoach_ledger l LEFT JOIN {rows} o ON o.ledger_no = l.ledger_no AND "
            f"o.side = {_OLD} LEFT JOIN quyhoach_ledger b ON b.ledger_no = (SELECT max(b.ledger_no) FROM quyhoach_ledger b WHERE "
            "b.dataset_id = l.dataset_id AND b.feature_id = l.feature_id AND b.ledger_no < l.ledger_no) "
            f"LEFT JOIN {rows} p ON p.ledger_no = b.ledger_no AND p.side = {_NEW} WHERE l.dataset_id = ? AND NOT ((o.ledger_no IS NULL "
            "AND p.ledger_no IS NULL) OR (o.ledger_no IS NOT NULL AND p.ledger_no IS NOT NULL AND "
            f"{same_columns(dataset, 'o', 'p')})) AND NOT (b.ledger_no NOTNULL AND b.changeset IS NULL)")


def different_features(dataset: Dataset) -> str:
    """SQL for features whose row is not what the ledger ends with, and those it ends with that have no row."""
    table, rows = quoted(dataset.name), quoted(ledger_table(dataset))
    last = "(SELECT max(l.ledger_no) FROM quyhoach_ledger l WHERE l.dataset_id = ?1 AND l.feature_id = {id})"
    return (f"SELECT t.{FEATURE_ID} FROM {table} t LEFT JOIN {rows} n ON n.ledger_no = "
            f"{last.format(id=f't.{FEATURE_ID}')} AND n.side = {_NEW} WHERE n.ledger_no IS NULL OR NOT "
            f"({same_columns(dataset, 't', 'n')}) UNION ALL SELECT e.feature_id FROM quyhoach_ledger e JOIN {rows} n ON "
            f"n.ledger_no = e.ledger_no AND n.side = {_NEW} WHERE e.dataset_id = ?1 AND e.ledger_no = "
            f"{last.format(id='e.feature_id')} AND NOT EXISTS (SELECT 1 FROM {table} t WHERE t.{FEATURE_ID} = "
            "e.feature_id)")
