"""Bringing a GeoPackage hub of an older structure up to date, in one transaction: all of it or nothing.

What the numbered SQL cannot say, because it depends on the datasets a hub holds, is here.
"""

from __future__ import annotations

import getpass
import sqlite3
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pyproj

from ...common.language import say
from ..catalogue import Catalogue, Dataset
from ..catalogue.model import FID, GEOMETRY, Field
from .file import add_dataset, add_form, describe_field, numbered_statements
from .ledger import (
    adopt_strays,
    begin_changeset,
    end_changeset,
    enter_new_rows,
    hub_trigger_statements,
    ledger_table_statements,
    row_tables,
)
from .locks import lock_approved_plans
from .schema import OTHER_INDEX_TRIGGERS, column_type, quoted, table_statements

SQL_FOLDER = Path(__file__).parents[1] / "sql" / "geopackage"
#: Number of the newest file in ``sql/geopackage``.
SCHEMA_VERSION = 7
#: First structure with a change ledger, and with locks.
_WITH_LEDGER, _WITH_LOCKS = 2, 3


def held_datasets(database: sqlite3.Connection, known: Catalogue) -> Catalogue:
    """Cut a catalogue down to what a file holds, found by the ids that never change.

    A required field that came by an upgrade is not required: rows from before, and those on their way, have no value of it.
    """
    columns = dict(database.execute("SELECT field_id, column_name FROM quyhoach_field"))
    tables = dict(database.execute("SELECT dataset_id, table_name FROM quyhoach_dataset"))
    found = []
    for dataset in known.held(tables, columns).values():
        always = {row[1] for row in database.execute(f"PRAGMA table_info({quoted(dataset.name)})") if row[3]}
        found.append(replace(dataset, fields=tuple(replace(field, required=field.required and field.name in always)
                                                   for field in dataset.fields)))
    return Catalogue(tuple(found))


def upgrade(database: sqlite3.Connection, version: int, datasets: Catalogue) -> None:
    """Bring a hub from a version to the newest; within the caller's transaction.

    Rows from before there was a ledger are entered as one changeset, so that history begins with all of them.
    """
    for statement in numbered_statements(SQL_FOLDER, version, SCHEMA_VERSION):
        database.execute(statement)
    for dataset in datasets.values():
        if version < _WITH_LEDGER:
            for statement in ledger_table_statements(dataset):
                database.execute(statement)
        renew_triggers(database, dataset.name, hub_trigger_statements(dataset))
    if version < _WITH_LEDGER:
        database.execute("INSERT OR IGNORE INTO quyhoach_hub VALUES ('hub_id', ?)", (str(uuid.uuid4()),))
        _enter_what_is_there(database, datasets)
    adopt_strays(database, datasets.values())
    if version < _WITH_LOCKS:
        for dataset in datasets.values():
            lock_approved_plans(database, dataset)
    database.execute("UPDATE quyhoach_hub SET value = ? WHERE key = 'schema_version'", (str(SCHEMA_VERSION),))


def renew_triggers(database: sqlite3.Connection, table: str, statements: dict[str, str]) -> None:
    """Put our triggers on a table as they are now; those of others stay."""
    present = [name for (name,) in database.execute(
        "SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = ?", (table,))]
    for name in present:
        if name in statements or name.startswith("quyhoach_") or name in {f"rtree_{table}_{GEOMETRY}_{other}" for other in OTHER_INDEX_TRIGGERS}:
            database.execute(f"DROP TRIGGER {quoted(name)}")
    for statement in statements.values():
        database.execute(statement)


def _enter_what_is_there(database: sqlite3.Connection, datasets: Catalogue) -> None:
    held = [dataset for dataset in datasets.values()
            if database.execute(f"SELECT 1 FROM {quoted(dataset.name)} LIMIT 1").fetchone()]
    if not held:
        return
    number = begin_changeset(
        database, changeset_id=str(uuid.uuid4()), author=getpass.getuser(), department="", decision_no="",
        message="Dữ liệu có trước khi có nhật ký chỉnh sửa (data from before there was a ledger)")
    for dataset in held:
        first = database.execute(f"SELECT min({FID}) FROM {quoted(dataset.name)}").fetchone()[0]
        enter_new_rows(database, dataset, first, number)
    end_changeset(database)


def grow(
    database: sqlite3.Connection, held: Catalogue, wanted: Sequence[Dataset], srs_id: int, crs: pyproj.CRS,
    forms: Mapping[str, str]
) -> list[str]:
    """Add datasets, fields and codes a hub lacks, found by their permanent ids; within the caller's transaction.

    The caller renews the triggers afterwards. Nothing is taken away, so working copies with unsent edits go on.
    """
    by_id, done = {dataset.id: dataset for dataset in held.values()}, []
    for dataset in wanted:
        present = by_id.get(dataset.id)
        if present is None:
            for statement in (*table_statements(dataset), *ledger_table_statements(dataset)):
                database.execute(statement)
            add_dataset(database, dataset, srs_id, crs)
            if dataset.name in forms:
                add_form(database, dataset, forms[dataset.name])
            done.append(say("Thêm tập dữ liệu {dataset}.", "Added dataset {dataset}.").format(dataset=dataset.label))
            continue
        names = {field.id: field.name for field in present.fields}
        for field in dataset.fields:
            done += _new_codes(database, dataset, field)
            if field.id not in names:
                for table in (present.name, *row_tables(present)):
                    _add_column(database, table, field)
                describe_field(database, present, field)
                database.execute("INSERT INTO quyhoach_field VALUES (?, ?, ?)", (field.id, dataset.id, field.name))
                done.append(say("{dataset}: thêm trường {field}.", "{dataset}: added field {field}.")
                            .format(dataset=dataset.label, field=field.label))
    return done


def _new_codes(database: sqlite3.Connection, dataset: Dataset, field: Field) -> list[str]:
    if field.domain is None:
        return []
    known = {row[0] for row in database.execute("SELECT value FROM gpkg_data_column_constraints WHERE constraint_name = ?", (field.domain.name,))}
    new = [value for value in field.domain.values if value.code not in known]
    if not new or not known:
        return []
    database.executemany("INSERT INTO gpkg_data_column_constraints (constraint_name, constraint_type, value, description) "
                         "VALUES (?, 'enum', ?, ?)", [(field.domain.name, value.code, value.label.vi) for value in new])
    return [say("{dataset}: {field}: thêm mã {codes}.", "{dataset}: {field}: added codes {codes}.").format(
        dataset=dataset.label, field=field.label, codes=", ".join(value.code for value in new))]


def _add_column(database: sqlite3.Connection, table: str, field: Field) -> None:
    present = {row[1].lower() for row in database.execute(f"PRAGMA table_info({quoted(table)})")}
    if field.name.lower() in present:
        # Somebody's own column of that name: it stays theirs, under another name.
        own = f"{field.name}_local"
        while own.lower() in present:
            own += "_"
        database.execute(f"ALTER TABLE {quoted(table)} RENAME COLUMN {quoted(field.name)} TO {quoted(own)}")
        database.execute("DELETE FROM gpkg_data_columns WHERE table_name = ? AND column_name = ?", (table, field.name))
    # Never NOT NULL: present rows have no value yet, nor have those on their way from working copies.
    database.execute(f"ALTER TABLE {quoted(table)} ADD COLUMN {quoted(field.name)} {column_type(field)}")
