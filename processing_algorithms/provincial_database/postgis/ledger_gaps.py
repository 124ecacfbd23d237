"""Where the ledger of a PostGIS hub does not tell the whole story, because somebody wrote while triggers were off."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from ..catalogue import Dataset
from ..catalogue.model import FEATURE_ID, FID, GEOMETRY
from .connection import told, transaction
from .schema import WATCHING, table_of

if TYPE_CHECKING:
    from .hub import PostgisHub


def unwatched(cursor: Any, datasets: Iterable[Dataset]) -> list[Dataset]:
    """Return the datasets whose table lacks a trigger that guards it or writes the ledger, or has it switched off."""
    known = {dataset.name: dataset for dataset in datasets}
    cursor.execute("SELECT d.name FROM unnest(%s::text[]) d (name) CROSS JOIN unnest(%s::text[]) w (name) WHERE NOT EXISTS (SELECT FROM pg_trigger t "
                   "WHERE t.tgrelid = format('quyhoach_data.%%I', d.name)::regclass AND t.tgname = w.name AND t.tgenabled IN ('O', 'A'))",
                   ([*known], list(WATCHING)))
    return [known[name] for name in dict.fromkeys(row[0] for row in cursor.fetchall())]


def gaps(cursor: Any, dataset: Dataset) -> tuple[int, int, int]:
    """Count entries that do not begin where the one before ended, features that are not as their last entry says, and entries."""
    from psycopg2 import sql

    cursor.execute(sql.SQL(
        "WITH {} SELECT (SELECT count(*) FROM entries WHERE {}), "
        "(SELECT count(*) FROM last FULL JOIN present USING (feature_id) WHERE {}), (SELECT count(*) FROM entries)").format(
            _entries_and_rows(cursor, dataset), _differ("old_row", "before"), _differ("last.new_row", "present.content")), {"dataset": dataset.id, "shape": GEOMETRY})
    return cursor.fetchone()


def enter_gaps(hub: PostgisHub, message: str) -> dict[str, int]:
    """Enter, as a changeset of its own, how every feature came from its last entry to what it is; return how many, by dataset."""
    from psycopg2 import sql

    done = {}
    with told(), transaction(hub.connection) as cursor:
        cursor.execute("SET LOCAL extra_float_digits = 1")  # as the triggers write
        for dataset in hub.datasets.values():
            # Nobody writes between the look and the entry.
            cursor.execute(sql.SQL("LOCK TABLE {} IN SHARE ROW EXCLUSIVE MODE").format(table_of(dataset)))
            if not gaps(cursor, dataset)[1]:
                continue
            cursor.execute("SELECT quyhoach.describe(%s)", (message,))
            cursor.execute(sql.SQL(
                "WITH {} INSERT INTO quyhoach.ledger (changeset, dataset_id, feature_id, old_row, new_row) "
                "SELECT quyhoach.current_changeset(), %(dataset)s, feature_id, last.new_row, present.content "
                "FROM last FULL JOIN present USING (feature_id) WHERE {}").format(
                    _entries_and_rows(cursor, dataset), _differ("last.new_row", "present.content")), {"dataset": dataset.id, "shape": GEOMETRY})
            done[dataset.name] = cursor.rowcount
    return done


def _differ(one: str, other: str) -> Any:
    """Return SQL for whether two rows of the ledger differ in the dataset's own fields.

    A column an administrator adds with a default, or drops, changes every row without a trigger, and is none of the hub's business.
    """
    from psycopg2 import sql

    cut = ("(SELECT jsonb_object_agg(key, value) FROM jsonb_each({}) WHERE key = %(shape)s "
           "OR key IN (SELECT column_name::text FROM quyhoach.field WHERE dataset_id = %(dataset)s))")
    # The quick look first: hardly any row needs the other.
    return sql.SQL(f"CASE WHEN {one} IS DISTINCT FROM {other} THEN {cut.format(one)} IS DISTINCT FROM {cut.format(other)} ELSE false END")


def _entries_and_rows(cursor: Any, dataset: Dataset) -> Any:
    """Return SQL for the tables ``entries``, ``last`` (those no other follows) and ``present`` (rows as the ledger writes them)."""
    from psycopg2 import sql

    cursor.execute("SELECT attname::text, typname = 'geometry' FROM pg_attribute a "
                   "JOIN pg_type t ON t.oid = a.atttypid WHERE a.attrelid = format('quyhoach_data.%%I', %s::text)::regclass AND attnum > 0 "
                   "AND NOT attisdropped AND attname NOT IN (%s, %s) ORDER BY attnum", (dataset.name, FID, FEATURE_ID))
    columns = sql.SQL(", ").join(sql.SQL("t.{0}::text AS {0}" if shape else "t.{0}").format(sql.Identifier(name))
                                 for name, shape in cursor.fetchall())
    # Entries of old days lack fields added since; a field without a value is left out either way.
    return sql.SQL(
        "entries AS (SELECT feature_id, ledger_no, old_row, new_row, lag(new_row) OVER w AS before, "
        "lead(ledger_no) OVER w AS next FROM quyhoach.ledger WHERE dataset_id = %(dataset)s AND old_row IS DISTINCT "
        "FROM new_row WINDOW w AS (PARTITION BY feature_id "
        "ORDER BY ledger_no)), last AS (SELECT * FROM entries WHERE next IS NULL), "
        "present AS (SELECT t.feature_id, (SELECT jsonb_strip_nulls(to_jsonb(c)) "
        "FROM (SELECT {}) c) AS content FROM {} t)").format(columns, table_of(dataset))
