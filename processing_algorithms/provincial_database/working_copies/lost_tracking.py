"""Mending a layer that a program has made anew: its triggers, key, indexes and the identities of its rows.

Every row is kept, and columns that are not ours too. What was edited while nobody noticed is found by the comparison with
the hub that follows.
"""

from __future__ import annotations

from ..catalogue.model import FEATURE_ID, FID, GEOMETRY, Dataset
from ..geopackage.index import fill_index
from ..geopackage.schema import (
    NEW_UUID,
    OTHER_INDEX_TRIGGERS,
    UUID_GLOB,
    data_columns,
    quoted,
    table_statements,
)
from .working_copy import WorkingCopy
from .working_copy_schema import copy_index_statements, copy_trigger_statements

_ASIDE = "temp.quyhoach_aside"


def mend_tracking(copy: WorkingCopy, dataset: Dataset) -> None:
    """Put the triggers back that a program has lost, and give identities to rows that came without one; within `applying`."""
    database, table = copy.database, quoted(dataset.name)
    triggers = copy_trigger_statements(dataset)
    for name in (*triggers, *(f"rtree_{dataset.name}_{GEOMETRY}_{other}" for other in OTHER_INDEX_TRIGGERS)):
        database.execute(f"DROP TRIGGER IF EXISTS {quoted(name)}")
    _mend_key(copy, dataset)
    present = {name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'index' AND tbl_name = ?",
                                                    (dataset.name,))}
    for sql in copy_index_statements(dataset):
        if sql.split('"')[1] not in present:
            database.execute(sql)
    if dataset.geometry:
        _mend_index(copy, dataset)
    for sql in triggers.values():
        database.execute(sql)
    database.execute(
        f"UPDATE {table} SET {FEATURE_ID} = {NEW_UUID} WHERE {FEATURE_ID} IS NULL OR {FEATURE_ID} NOT GLOB '{UUID_GLOB}' OR EXISTS "
        f"(SELECT 1 FROM {table} AS other WHERE other.{FEATURE_ID} = {table}.{FEATURE_ID} AND other.{FID} < {table}.{FID})")


def renew_checks(copy: WorkingCopy) -> None:
    """Let a layer judge as this program does, where an older one checked it out; within `applying`.

    The hub checks everything again, so nothing is compared and no edit comes of it.
    """
    present = dict(copy.database.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND name LIKE 'quyhoach!_check!_%' ESCAPE '!'"))
    expected = {name: sql for dataset in copy.datasets.values() for name, sql in copy_trigger_statements(dataset).items()
                if name.startswith("quyhoach_check_")}
    for name, sql in expected.items():
        if present.get(name) != sql:
            copy.database.execute(f"DROP TRIGGER IF EXISTS {quoted(name)}")
            copy.database.execute(sql)


def _mend_key(copy: WorkingCopy, dataset: Dataset) -> None:
    """Make fid the key again where it was only copied as a column: rows added later would have none, and look deleted."""
    database, table = copy.database, quoted(dataset.name)
    columns = {row[1]: row for row in database.execute(f"PRAGMA table_info({table})")}
    keys = [name for name, row in columns.items() if row[5]]
    if keys == [FID] and columns[FID][2].upper() == "INTEGER":
        return
    own = [name for name in columns if name not in (FID, FEATURE_ID, *data_columns(dataset))]
    others = [sql for (sql,) in database.execute("SELECT sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = ?",
                                                 (dataset.name,))]
    database.execute(f"DROP TABLE IF EXISTS {_ASIDE}")
    database.execute(f"CREATE TABLE {_ASIDE} AS SELECT * FROM {table}")
    database.execute(f"CREATE INDEX {_ASIDE}_fid ON quyhoach_aside ({FID})")
    database.execute(f"DROP TABLE {table}")
    database.execute(next(table_statements(dataset, unique_identity=False)))
    for name in own:
        database.execute(f"ALTER TABLE {table} ADD COLUMN {quoted(name)} {columns[name][2]}")
    listed = ", ".join(map(quoted, (FEATURE_ID, *data_columns(dataset), *own)))
    database.execute(
        f"INSERT INTO {table} ({FID}, {listed}) SELECT CASE WHEN typeof({FID}) = 'integer' AND NOT EXISTS (SELECT 1 FROM {_ASIDE} o "
        f"WHERE o.{FID} = a.{FID} AND o.rowid < a.rowid) THEN {FID} END, {listed} FROM {_ASIDE} a ORDER BY {FID} IS NULL, {FID}")
    database.execute(f"DROP TABLE {_ASIDE}")
    for sql in others:
        database.execute(sql)


def _mend_index(copy: WorkingCopy, dataset: Dataset) -> None:
    """Build the spatial index and the count anew: while nobody noticed, they were not kept either."""
    index = quoted(f"rtree_{dataset.name}_{GEOMETRY}")
    copy.database.execute(f"DROP TABLE IF EXISTS {index}")
    copy.database.execute(f"CREATE VIRTUAL TABLE {index} USING rtree(id, minx, maxx, miny, maxy)")
    copy.database.execute("INSERT OR IGNORE INTO gpkg_ogr_contents VALUES (?, 0)", (dataset.name,))
    fill_index(copy.database, dataset)
