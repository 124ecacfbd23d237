"""The SQL that makes a dataset's table in a working copy notice every edit, whichever program makes it.

Beside each table stands a base table of the same columns: the first time a row is touched, its state as the hub knows it
is saved there (``existed`` 1), or the fact that it is new (``existed`` 0). Status therefore costs what was touched.

Guards are ``WHEN NOT EXISTS``, never ``OR IGNORE``: an outer ``UPDATE OR REPLACE`` would turn that into a replacement of
the saved row. ``REPLACE`` fires no delete trigger, so a BEFORE INSERT trigger saves the row it is going to delete.
"""

from __future__ import annotations

from collections.abc import Iterator

from ..catalogue.model import FEATURE_ID, FID, Dataset
from ..geopackage.schema import NEW_UUID, UUID_GLOB, data_columns, literal, quoted, table_statements, trigger_statements

_SILENT = "EXISTS (SELECT 1 FROM quyhoach_applying)"


def base_table(dataset: Dataset) -> str:
    """Name of the table that keeps the hub's state of touched rows."""
    return f"quyhoach_base_{dataset.name}"


def copy_table_statements(dataset: Dataset) -> Iterator[str]:
    """Yield what creates the table and its base table; their indexes are `copy_index_statements`."""
    yield from (sql for sql in _table_statements(dataset) if not sql.startswith("CREATE INDEX"))
    columns = ", ".join(quoted(name) for name in data_columns(dataset))
    yield (f"CREATE TABLE {quoted(base_table(dataset))} ({FEATURE_ID} TEXT NOT NULL PRIMARY KEY, existed INTEGER NOT NULL, "
           f"{FID} INTEGER, {columns})")


def copy_index_statements(dataset: Dataset) -> Iterator[str]:
    """Yield what creates the indexes; apart, because a full table is indexed many times faster than row by row."""
    yield from (sql for sql in _table_statements(dataset) if sql.startswith("CREATE INDEX"))
    yield f"CREATE INDEX {quoted(f'quyhoach_identity_{dataset.name}')} ON {quoted(dataset.name)} ({FEATURE_ID})"


def _table_statements(dataset: Dataset) -> Iterator[str]:
    # No UNIQUE on feature_id: split, paste and duplicate copy it, and a trigger sorts that out.
    return table_statements(dataset, unique_identity=False)


def copy_trigger_statements(dataset: Dataset) -> dict[str, str]:
    """Return all triggers of a dataset's table by name: the hub's checks, the spatial index, and the tracking."""
    kept = {name: sql
            for name, sql in trigger_statements(dataset, unique_identity=False).items() if not name.startswith("quyhoach_identity")}
    for name, sql in kept.items():
        if name.startswith("quyhoach_check_"):
            # What the hub has is taken as it is: a code only a newer program knows must not stop a pull.
            kept[name] = sql.replace("\nBEGIN ", f"\nWHEN NOT {_SILENT}\nBEGIN ", 1)
    return kept | tracking_statements(dataset)


def tracking_statements(dataset: Dataset) -> dict[str, str]:
    """Return the tracking triggers by name."""
    table, base = quoted(dataset.name), quoted(base_table(dataset))
    id_text = literal(dataset.id)
    columns = data_columns(dataset)
    listed = ", ".join(quoted(name) for name in columns)
    old = ", ".join(f"OLD.{quoted(name)}" for name in columns)
    saved = f"EXISTS (SELECT 1 FROM {base} WHERE {FEATURE_ID} = OLD.{FEATURE_ID})"
    save_old = (f"INSERT INTO {base} ({FEATURE_ID}, existed, {FID}, {listed}) VALUES (OLD.{FEATURE_ID}, 1, OLD.{FID}, {old});")
    save_hit = (f"INSERT INTO {base} ({FEATURE_ID}, existed, {FID}, {listed}) SELECT {FEATURE_ID}, 1, {FID}, {listed} FROM {table} AS hit "
                f"WHERE hit.{FID} = NEW.{FID} AND NOT EXISTS (SELECT 1 FROM {base} WHERE {FEATURE_ID} = hit.{FEATURE_ID});")
    hit = f"EXISTS (SELECT 1 FROM {table} WHERE {FID} = NEW.{FID})"
    odd = f"(NEW.{FEATURE_ID} IS NULL OR NEW.{FEATURE_ID} NOT GLOB '{UUID_GLOB}')"
    twin = f"EXISTS (SELECT 1 FROM {table} WHERE {FEATURE_ID} = NEW.{FEATURE_ID} AND {FID} <> NEW.{FID})"
    replaced = f"SELECT {FEATURE_ID} FROM quyhoach_replaced WHERE dataset_id = {id_text} AND {FID} = NEW.{FID}"
    forget_replaced = f"DELETE FROM quyhoach_replaced WHERE dataset_id = {id_text} AND {FID} = NEW.{FID};"
    hush, speak = (
        "INSERT INTO quyhoach_applying VALUES ('identity');",
        "DELETE FROM quyhoach_applying WHERE reason = 'identity';",
    )

    def trigger(name: str, event: str, condition: str, *actions: str) -> tuple[str, str]:
        full = f"quyhoach_track_{name}_{dataset.name}"
        body = "\n    ".join(actions)
        return full, f"CREATE TRIGGER {quoted(full)} {event} ON {table}\nWHEN NOT {_SILENT} AND {condition}\nBEGIN\n    {body}\nEND"

    return dict([
        # Always, so that what an ignored statement left there is cleared.
        trigger("replacing", "BEFORE INSERT", "1", save_hit, forget_replaced,
                f"INSERT INTO quyhoach_replaced SELECT {id_text}, {FID}, {FEATURE_ID} FROM {table} WHERE {FID} = NEW.{FID};"),
        # One trigger, so that the order is certain: first who the row is, then that it is new.
        trigger("insert", "AFTER INSERT", "1", hush,
                f"INSERT INTO quyhoach_parent SELECT {id_text}, {NEW_UUID}, NEW.{FEATURE_ID} WHERE NOT {odd} AND {twin};",
                f"UPDATE {table} SET {FEATURE_ID} = CASE WHEN {odd} THEN coalesce(({replaced}), {NEW_UUID}) ELSE "
                f"(SELECT feature_id FROM quyhoach_parent WHERE rowid = last_insert_rowid()) END WHERE {FID} = NEW.{FID} AND ({odd} OR {twin});",
                speak, forget_replaced,
                f"INSERT INTO {base} ({FEATURE_ID}, existed, {FID}) SELECT {FEATURE_ID}, 0, {FID} FROM {table} AS fresh WHERE fresh.{FID} = NEW.{FID} "
                f"AND NOT EXISTS (SELECT 1 FROM {base} WHERE {FEATURE_ID} = fresh.{FEATURE_ID});"),
        trigger("update", "BEFORE UPDATE", f"NOT {saved}", save_old),
        trigger("update_replacing", "BEFORE UPDATE", f"NEW.{FID} <> OLD.{FID} AND {hit}", save_hit),
        trigger("identity_kept", f"AFTER UPDATE OF {FEATURE_ID}", f"NEW.{FEATURE_ID} IS NOT OLD.{FEATURE_ID}", hush,
                f"UPDATE {table} SET {FEATURE_ID} = OLD.{FEATURE_ID} WHERE {FID} = NEW.{FID};", speak),
        trigger("delete", "BEFORE DELETE", f"NOT {saved}", save_old),
        trigger("delete_new", "AFTER DELETE", "1", f"DELETE FROM {base} WHERE {FEATURE_ID} = OLD.{FEATURE_ID} AND existed = 0;"),
    ])
