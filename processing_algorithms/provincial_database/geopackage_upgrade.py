"""Bringing a GeoPackage hub of an older structure up to date, in one transaction: all of it or nothing.

What the numbered SQL cannot say, because it depends on the datasets a hub holds, is here.
"""

from __future__ import annotations

import getpass
import sqlite3
import uuid
from pathlib import Path

from .catalogue import Catalogue
from .catalogue.model import FID
from .geopackage_file import numbered_statements
from .geopackage_ledger import (
    adopt_strays,
    begin_changeset,
    end_changeset,
    enter_new_rows,
    hub_trigger_statements,
    ledger_table_statements,
)
from .geopackage_locks import lock_approved_plans
from .geopackage_schema import quoted

SQL_FOLDER = Path(__file__).parent / "sql" / "geopackage"
#: Number of the newest file in ``sql/geopackage``.
SCHEMA_VERSION = 4
#: First structure with a change ledger, and with locks.
_WITH_LEDGER, _WITH_LOCKS = 2, 3


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
        _renew_triggers(database, dataset.name, hub_trigger_statements(dataset))
    if version < _WITH_LEDGER:
        database.execute("INSERT OR IGNORE INTO quyhoach_hub VALUES ('hub_id', ?)", (str(uuid.uuid4()),))
        _enter_what_is_there(database, datasets)
    adopt_strays(database)
    if version < _WITH_LOCKS:
        for dataset in datasets.values():
            lock_approved_plans(database, dataset)
    database.execute("UPDATE quyhoach_hub SET value = ? WHERE key = 'schema_version'", (str(SCHEMA_VERSION),))


def _renew_triggers(database: sqlite3.Connection, table: str, statements: dict[str, str]) -> None:
    """Put our triggers on a table as they are now; those of others stay."""
    present = [name for (name,) in database.execute(
        "SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = ?", (table,))]
    for name in present:
        if name in statements or name.startswith("quyhoach_"):
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
