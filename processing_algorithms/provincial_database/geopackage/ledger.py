"""The change ledger of a GeoPackage hub: who changed which feature when, with the whole row before and after.

Triggers write it, so that edits made in QGIS directly or by another program are history too. Rows are kept as rows, not
as text: every number keeps its last bit.
"""

from __future__ import annotations

import getpass
import sqlite3
import uuid
from collections.abc import Iterable, Iterator

from ..catalogue.model import FEATURE_ID, FID, Dataset
from ..changes import Change, Row
from ..rows import now, row_from_sqlite
from .ledger_gaps import close_gaps, ledger_table
from .locks import lock_trigger_statements
from .schema import UUID_GLOB, data_columns, literal, quoted, trigger_statements

_OLD, _NEW = 0, 1
#: How the names of our own triggers begin, those of the spatial index among them.
_OUR_TRIGGERS = ("quyhoach_", "rtree_", "trigger_insert_feature_count_", "trigger_delete_feature_count_")
_NOW = "strftime('%Y-%m-%dT%H:%M:%fZ', 'now')"


def ledger_table_statements(dataset: Dataset) -> tuple[str, str]:
    """Return what creates the table of rows of a dataset, and the table of rows a REPLACE is about to delete."""
    columns = ", ".join(quoted(name) for name in data_columns(dataset))
    return (f"CREATE TABLE {quoted(ledger_table(dataset))} (ledger_no INTEGER NOT NULL, side INTEGER NOT NULL, "
            f"{columns}, PRIMARY KEY (ledger_no, side))",
            f"CREATE TABLE {quoted(_scratch(dataset))} ({FEATURE_ID} TEXT, {columns})")


def row_tables(dataset: Dataset) -> tuple[str, str]:
    """Names of the ledger's tables that have the dataset's columns."""
    return ledger_table(dataset), _scratch(dataset)


def _scratch(dataset: Dataset) -> str:
    return f"quyhoach_replaced_{dataset.name}"


def ledger_statements(dataset: Dataset) -> dict[str, str]:
    """Return the triggers that write the ledger, by name.

    REPLACE deletes rows without firing a delete trigger, so what it is going to delete is put aside before, and entered
    as deleted after: only then is it certain that the statement was no ``INSERT OR IGNORE``. A program with recursive
    triggers on does fire it: what was entered then is not put aside any more.
    """
    table, rows, scratch = quoted(dataset.name), quoted(ledger_table(dataset)), quoted(_scratch(dataset))
    columns = data_columns(dataset)
    listed = ", ".join(map(quoted, columns))
    id_text = literal(dataset.id)
    differs = " OR ".join(f"NEW.{quoted(name)} IS NOT OLD.{quoted(name)}" for name in columns)
    known = {side: f"coalesce({side}.{FEATURE_ID} GLOB '{UUID_GLOB}', 0)" for side in ("OLD", "NEW")}
    last = "(SELECT max(ledger_no) FROM quyhoach_ledger)"

    def entry(values: str) -> str:
        return (f"INSERT INTO quyhoach_ledger (changeset, dataset_id, feature_id, at) "
                f"SELECT (SELECT changeset FROM quyhoach_writing), {id_text}, {values};")

    def row(side: str, number: int, condition: str = "1") -> str:
        values = ", ".join(f"{side}.{quoted(name)}" for name in columns)
        return f"INSERT INTO {rows} (ledger_no, side, {listed}) SELECT {last}, {number}, {values} WHERE {condition};"

    def trigger(name: str, event: str, condition: str, *actions: str) -> tuple[str, str]:
        full = f"quyhoach_ledger_{name}_{dataset.name}"
        body = "\n    ".join(actions)
        return full, f"CREATE TRIGGER {quoted(full)} {event} ON {table}\nWHEN {condition}\nBEGIN\n    {body}\nEND"

    hit = f"({FID} = NEW.{FID} OR {FEATURE_ID} = NEW.{FEATURE_ID})"
    put_aside = (f"DELETE FROM {scratch};",
                 f"INSERT INTO {scratch} SELECT {FEATURE_ID}, {listed} FROM {table} WHERE {hit}")
    # Rows put aside whose identity is not the new row's are gone; the one with the same identity was changed.
    enter_gone = (entry(f"{FEATURE_ID}, {_NOW} FROM {scratch} WHERE {FEATURE_ID} IS NOT NEW.{FEATURE_ID}"),
                  f"INSERT INTO {rows} (ledger_no, side, {listed}) SELECT (SELECT max(l.ledger_no) FROM quyhoach_ledger l "
                  f"WHERE l.dataset_id = {id_text} AND l.feature_id = s.{FEATURE_ID}), {_OLD}, {listed} FROM {scratch} s "
                  f"WHERE s.{FEATURE_ID} IS NOT NEW.{FEATURE_ID};")
    return dict([
        # Always, so that what an ignored statement left there is cleared.
        trigger("replacing", "BEFORE INSERT", "1", put_aside[0], put_aside[1] + ";"),
        # A row that came without an identity gets one from another trigger by an update: that is when it is entered.
        trigger("insert", "AFTER INSERT", "1", *enter_gone, entry(f"NEW.{FEATURE_ID}, {_NOW} WHERE {known['NEW']}"),
                f"INSERT INTO {rows} (ledger_no, side, {listed}) SELECT {last}, {_OLD}, {listed} FROM {scratch} "
                f"WHERE {FEATURE_ID} = NEW.{FEATURE_ID};",
                row("NEW", _NEW, known["NEW"]), f"DELETE FROM {scratch};"),
        # An edit of values can replace nothing, and is by far the usual case.
        trigger("update_replacing", "BEFORE UPDATE",
                f"NEW.{FID} <> OLD.{FID} OR NEW.{FEATURE_ID} IS NOT OLD.{FEATURE_ID} OR EXISTS (SELECT 1 FROM {scratch})",
                put_aside[0], f"{put_aside[1]} AND {FID} <> OLD.{FID};"),
        trigger("update_over", "AFTER UPDATE", f"EXISTS (SELECT 1 FROM {scratch})", *enter_gone, f"DELETE FROM {scratch};"),
        trigger("update", "AFTER UPDATE", f"({differs}) AND {known['NEW']} AND {known['OLD']}",
                entry(f"NEW.{FEATURE_ID}, {_NOW}"), row("OLD", _OLD), row("NEW", _NEW)),
        trigger("update_named", "AFTER UPDATE", f"NEW.{FEATURE_ID} IS NOT OLD.{FEATURE_ID} AND {known['NEW']} AND NOT {known['OLD']}",
                entry(f"NEW.{FEATURE_ID}, {_NOW}"), row("NEW", _NEW)),
        trigger("delete", "AFTER DELETE", known["OLD"], entry(f"OLD.{FEATURE_ID}, {_NOW}"), row("OLD", _OLD),
                f"DELETE FROM {scratch} WHERE {FEATURE_ID} = OLD.{FEATURE_ID};"),
    ])


def hub_trigger_statements(dataset: Dataset) -> dict[str, str]:
    """Return all triggers of a dataset's table in a hub by name: identity, checks, spatial index, locks, ledger."""
    return trigger_statements(dataset) | lock_trigger_statements(dataset) | ledger_statements(dataset)


def triggers_of_others(database: sqlite3.Connection) -> bool:
    """Tell whether the file has triggers that are neither ours nor those of a GeoPackage."""
    return any(not name.startswith(_OUR_TRIGGERS) for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'"))


def unwatched(database: sqlite3.Connection, datasets: Iterable[Dataset]) -> list[Dataset]:
    """Return the datasets whose table lacks a trigger that writes the ledger."""
    present = set(database.execute("SELECT name, lower(tbl_name) FROM sqlite_master WHERE type = 'trigger'"))
    return [dataset for dataset in datasets
            if any((name, dataset.name.lower()) not in present for name in ledger_statements(dataset))]


def put_first(database: sqlite3.Connection, dataset: Dataset) -> None:
    """Make the ledger's triggers anew where others were made after them; within a transaction.

    SQLite runs the newest first: what another trigger writes would be entered before the edit it follows from.
    """
    ours = ledger_statements(dataset)
    made = dict(database.execute("SELECT name, rowid FROM sqlite_master WHERE type = 'trigger' AND tbl_name = ? COLLATE NOCASE",
                                 (dataset.name,)))
    known = hub_trigger_statements(dataset)
    others = [number for name, number in made.items() if name not in known]
    if others and max(others) > min(made.get(name, 0) for name in ours):
        for name, statement in ours.items():
            database.execute(f"DROP TRIGGER IF EXISTS {quoted(name)}")
            database.execute(statement)


def enter_new_rows(database: sqlite3.Connection, dataset: Dataset, first_fid: int, changeset: int) -> None:
    """Enter rows that a large import added with the triggers off, all in one go."""
    columns = ", ".join(quoted(name) for name in data_columns(dataset))
    before = database.execute("SELECT coalesce(max(seq), 0) FROM sqlite_sequence "
                              "WHERE name = 'quyhoach_ledger'").fetchone()[0]
    database.execute(
        f"INSERT INTO quyhoach_ledger (changeset, dataset_id, feature_id, at) SELECT ?, ?, {FEATURE_ID}, {_NOW} "
        f"FROM {quoted(dataset.name)} WHERE {FID} >= ? ORDER BY {FID}", (changeset, dataset.id, first_fid))
    # Numbers were given in the order of fid, one after the other within this transaction.
    database.execute(
        f"INSERT INTO {quoted(ledger_table(dataset))} (ledger_no, side, {columns}) "
        f"SELECT ? + row_number() OVER (ORDER BY {FID}), {_NEW}, {columns} FROM {quoted(dataset.name)} "
        f"WHERE {FID} >= ?", (before, first_fid))


def begin_changeset(
    database: sqlite3.Connection, *, changeset_id: str, author: str, department: str, message: str, decision_no: str,
    made_at: str = "", applied_at: str = "", working_copy_id: str | None = None, reverts: int | None = None
) -> int:
    """Enter a changeset and let the triggers write under its number until `end_changeset`; within a transaction."""
    moment = now()
    number = database.execute(
        "INSERT INTO quyhoach_changeset (changeset_id, author, department, message, decision_no, made_at, applied_at, "
        "working_copy_id, applied_by, reverts) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (changeset_id, author, department, message, decision_no, made_at or moment, applied_at or moment,
         working_copy_id, getpass.getuser(), reverts)).lastrowid
    database.execute("INSERT INTO quyhoach_writing VALUES (?)", (number,))
    return int(number)  # type: ignore[arg-type]


def end_changeset(database: sqlite3.Connection) -> None:
    """Later entries belong to no changeset of ours."""
    database.execute("DELETE FROM quyhoach_writing")


def adopt_strays(database: sqlite3.Connection, datasets: Iterable[Dataset]) -> bool:
    """Give entries other programs caused a changeset of their own, so that history has no holes; within a transaction.

    Returns
    -------
    bool
        Whether there were any.
    """
    begun, ended = database.execute("SELECT min(at), max(at) FROM quyhoach_ledger WHERE changeset IS NULL").fetchone()
    if begun is None:
        return False
    # It counts from when it was done, not from when we noticed.
    number = begin_changeset(
        database, changeset_id=str(uuid.uuid4()), author="", department="", decision_no="", made_at=begun,
        applied_at=ended, message="Chỉnh sửa trực tiếp bằng chương trình khác (edited directly by another program)")
    database.execute("UPDATE quyhoach_ledger SET changeset = ? WHERE changeset IS NULL", (number,))
    if triggers_of_others(database):
        close_gaps(database, datasets, number, by_others=True)
    end_changeset(database)
    return True


def entries(
    database: sqlite3.Connection, dataset: Dataset, *, after: int = 0, feature_id: str | None = None
) -> Iterator[tuple[int, int | None, Change]]:
    """Yield ledger number, changeset number and change, in the order it happened; of one feature or of all."""
    columns = data_columns(dataset)
    rows = quoted(ledger_table(dataset))
    old = ", ".join(f"o.{quoted(name)}" for name in columns)
    new = ", ".join(f"n.{quoted(name)}" for name in columns)
    only = "" if feature_id is None else "AND l.feature_id = ?3 "
    sql = (f"SELECT l.ledger_no, l.changeset, l.feature_id, o.ledger_no, n.ledger_no, {old}, {new} FROM quyhoach_ledger l "
           f"LEFT JOIN {rows} o ON o.ledger_no = l.ledger_no AND o.side = {_OLD} "
           f"LEFT JOIN {rows} n ON n.ledger_no = l.ledger_no AND n.side = {_NEW} "
           f"WHERE l.dataset_id = ?1 AND l.ledger_no > ?2 {only}ORDER BY l.ledger_no")
    values = (dataset.id, after) if feature_id is None else (dataset.id, after, feature_id)
    for ledger_no, number, of, was, became, *found in database.execute(sql, values):
        before = row_from_sqlite(dataset, found[:len(columns)]) if was is not None else None
        present = row_from_sqlite(dataset, found[len(columns):]) if became is not None else None
        yield ledger_no, number, Change(dataset.name, of, before, present)


def rows_before(database: sqlite3.Connection, dataset: Dataset, after: int) -> Iterator[tuple[str, Row | None]]:
    """Yield every feature with entries after a number, and its row as it stood at that number (None: not there)."""
    columns = data_columns(dataset)
    listed = ", ".join(f"o.{quoted(name)}" for name in columns)
    sql = (f"SELECT l.feature_id, o.ledger_no, {listed} FROM (SELECT feature_id, min(ledger_no) AS first FROM "
           f"quyhoach_ledger WHERE ledger_no > ? AND +dataset_id = ? GROUP BY feature_id) l "
           f"LEFT JOIN {quoted(ledger_table(dataset))} o ON o.ledger_no = l.first AND o.side = {_OLD}")
    for feature_id, was, *values in database.execute(sql, (after, dataset.id)):
        yield feature_id, row_from_sqlite(dataset, values) if was is not None else None
