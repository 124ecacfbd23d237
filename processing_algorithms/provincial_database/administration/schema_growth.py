"""A working copy grows with its hub: new fields get columns, new codes are allowed, edits not sent yet stay.

Found by the permanent ids of datasets and fields. Nothing is ever taken away: a field the hub lacks keeps its values.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping

from ..catalogue import Dataset
from ..catalogue.model import Field
from ..geopackage.file import describe_field
from ..geopackage.schema import column_type, quoted
from ..working_copies.working_copy import WorkingCopy
from ..working_copies.working_copy_schema import base_table, copy_trigger_statements


def lacking_fields(copy: WorkingCopy, known: Mapping[str, Dataset]) -> dict[str, list[Field]]:
    """Return the fields of ``known`` datasets that a working copy has no column for yet, by the copy's dataset names."""
    by_id = {dataset.id: dataset for dataset in known.values()}
    lacking = {}
    for name, dataset in copy.datasets.items():
        held = {field.id for field in dataset.fields}
        new = [field for field in by_id[dataset.id].fields if field.id not in held] if dataset.id in by_id else []
        if new:
            lacking[name] = new
    return lacking


def grow(copy: WorkingCopy, known: Mapping[str, Dataset]) -> None:
    """Add columns for new fields and allow new codes, within `WorkingCopy.applying`.

    The values of new fields come with the next whole delivery: a working copy that is asked to grow asks for one.
    """
    database = copy.database
    _allow_codes(database, known)
    lacking = lacking_fields(copy, known)
    for name, fields in lacking.items():
        dataset = copy.datasets[name]
        for trigger in copy_trigger_statements(dataset):
            database.execute(f"DROP TRIGGER IF EXISTS {quoted(trigger)}")
        for field in fields:
            _add_column(database, dataset, field)
    if lacking:
        copy.read_datasets()
    for name in lacking:
        for statement in copy_trigger_statements(copy.datasets[name]).values():
            database.execute(statement)


def _add_column(database: sqlite3.Connection, dataset: Dataset, field: Field) -> None:
    for table in (dataset.name, base_table(dataset)):
        present = {row[1].lower() for row in database.execute(f"PRAGMA table_info({quoted(table)})")}
        if field.name.lower() in present:
            # Somebody's own column of that name: it stays theirs, under another name.
            own = f"{field.name}_local"
            while own.lower() in present:
                own += "_"
            database.execute(f"ALTER TABLE {quoted(table)} RENAME COLUMN {quoted(field.name)} TO {quoted(own)}")
        # Never NOT NULL: the rows that are here have no value yet. The hub checks what is sent.
        database.execute(f"ALTER TABLE {quoted(table)} ADD COLUMN {quoted(field.name)} {column_type(field)}")
    database.execute("DELETE FROM gpkg_data_columns WHERE table_name = ? AND column_name = ?", (dataset.name, field.name))
    describe_field(database, dataset, field)
    database.execute("INSERT INTO quyhoach_field VALUES (?, ?, ?)", (field.id, dataset.id, field.name))


def _allow_codes(database: sqlite3.Connection, known: Mapping[str, Dataset]) -> None:
    for domain in {field.domain.name: field.domain for dataset in known.values() for field in dataset.fields
                   if field.domain}.values():
        used = database.execute("SELECT 1 FROM gpkg_data_column_constraints WHERE constraint_name = ? LIMIT 1", (domain.name,)).fetchone()
        if used:
            database.executemany(
                "INSERT OR IGNORE INTO gpkg_data_column_constraints (constraint_name, constraint_type, value, description) "
                "VALUES (?, 'enum', ?, ?)", [(domain.name, value.code, value.label.vi) for value in domain.values])
