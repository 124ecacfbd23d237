"""Values that only one feature may have and that change hands within one changeset: who goes first.

A unique index of PostgreSQL is looked at row by row, in whatever order a statement comes by them: parcel 1 cannot become
2 before 2 has become 3. When a changeset was refused for that, those that have what others want step aside to values nobody
has; in the ledger they go straight from the old to the new. Triggers of others would see those values, so where there are
any, and where no such value is allowed, each feature waits for the one that has what it takes, and one of a ring steps aside.
"""

from __future__ import annotations

import datetime
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from ..catalogue import Dataset
from ..catalogue.model import Field
from ..unique_values import Moves
from .schema import COLUMN_TYPES, table_of
from .staging import DELETE, INSERT, UPDATE, Part, typed


@dataclass(frozen=True)
class UniqueIndex:
    """One index: its name, the expressions and condition it is made of, and the columns these use."""

    name: str
    expressions: tuple[str, ...]
    condition: str | None
    columns: tuple[str, ...]


def unique_indexes(cursor: Any, dataset: Dataset) -> list[UniqueIndex]:
    """Return what the server lets only one row of a dataset have, and looks at row by row."""
    cursor.execute(
        "SELECT c.relname::text, ARRAY(SELECT pg_get_indexdef(i.indexrelid, k, true) FROM generate_series(1, i.indnkeyatts) k), "
        "pg_get_expr(i.indpred, i.indrelid), ARRAY(SELECT a.attname::text FROM pg_attribute a WHERE a.attrelid = i.indrelid "
        "AND (a.attnum = ANY (i.indkey) OR EXISTS (SELECT FROM pg_depend d WHERE d.objid = i.indexrelid "
        "AND d.refobjid = i.indrelid AND d.refobjsubid = a.attnum)) ORDER BY a.attnum) "
        "FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid "
        "WHERE i.indrelid = format('quyhoach_data.%%I', %s::text)::regclass AND i.indisunique AND i.indimmediate ORDER BY c.relname",
        (dataset.name,))
    return [UniqueIndex(name, tuple(expressions), condition, tuple(columns)) for name, expressions, condition, columns in cursor.fetchall()]


def moves(cursor: Any, one: Part, indexes: Sequence[UniqueIndex]) -> Moves:
    """Read what the staged changes of a dataset take and give up in those indexes that only the dataset's fields make up."""
    from psycopg2 import sql

    found = Moves({}, {})
    known = {number: index for number, index in enumerate(indexes) if {*index.columns} <= {*one.dataset.field_names}}
    if not known:
        return found
    table, numbers = table_of(one.dataset), [*known]
    columns = sorted({name for index in known.values() for name in index.columns})
    # Of the row only what the sender may see is asked for.
    present = sql.SQL("jsonb_build_object({})").format(sql.SQL(", ").join(
        sql.SQL("{}, {}").format(sql.Literal(name), sql.Identifier("t", name)) for name in columns))
    was = sql.SQL("jsonb_populate_record(NULL::{}, {})").format(table, present)
    becomes = sql.SQL("jsonb_populate_record(NULL::{}, {} || o.after)").format(table, present)
    has, wants, nothing = _keys(known.values(), "w"), _keys(known.values(), "n"), sql.SQL("NULL::text[]")
    there = sql.SQL("JOIN {} t USING (feature_id) CROSS JOIN LATERAL {} w").format(table, was)
    queries = {UPDATE: (has, wants, sql.SQL("{} CROSS JOIN LATERAL {} n").format(there, becomes)), DELETE: (has, nothing, there),
               INSERT: (nothing, wants, sql.SQL("CROSS JOIN LATERAL {} n").format(typed(one.dataset, "after")))}
    for kind, (first, second, joined) in queries.items():
        if not one.positions[kind]:
            continue
        cursor.execute(sql.SQL("SELECT o.position, {}, {} FROM pg_temp.outgoing o {} WHERE o.position = ANY (%s)").format(first, second, joined),
                       (one.positions[kind],))
        for position, *sides in cursor.fetchall():
            found.has[position], found.wants[position] = (
                {(number, text) for number, text in zip(numbers, side or ()) if text is not None} for side in sides)
    return found


def _keys(indexes: Iterable[UniqueIndex], row: str) -> Any:
    """Return SQL for what a row has in each index; nothing where it is in nobody's way."""
    from psycopg2 import sql

    keys = []
    for index in indexes:
        parts = [sql.SQL(f"({expression})".replace("%", "%%")) for expression in index.expressions]
        conditions = [sql.SQL("{} IS NOT NULL").format(part) for part in parts]
        if index.condition:
            conditions.append(sql.SQL(f"({index.condition})".replace("%", "%%")))
        keys.append(sql.SQL("(SELECT CASE WHEN {} THEN jsonb_build_array({})::text END FROM (SELECT {}.*) x)").format(
            sql.SQL(" AND ").join(conditions), sql.SQL(", ").join(parts), sql.Identifier(row)))
    return sql.SQL("ARRAY[{}]").format(sql.SQL(", ").join(keys))


def step_aside(
    cursor: Any, one: Part, positions: Sequence[int], index: UniqueIndex, write: Callable[[Any, tuple[Any, ...]], int]
) -> bool:
    """Give rows values nobody has in one column of an index that they are about to change; False when none are taken.

    ``write`` runs a statement and returns how many rows it has written, none when it was refused.
    """
    from psycopg2 import sql

    for name in index.columns:
        # A state is no passing thing: what is approved locks itself.
        if name not in one.fields or name == "status":
            continue
        field = one.dataset.field(name)
        statement = sql.SQL(
            "UPDATE {table} t SET {name} = v.value::{type} FROM unnest(%s::integer[], %s::text[]) v (position, value) "
            "JOIN pg_temp.outgoing o USING (position) WHERE o.after ? {key} AND t.feature_id = o.feature_id "
            "AND t.{name} IS DISTINCT FROM v.value::{type}").format(
                table=table_of(one.dataset), name=sql.Identifier(name), type=sql.SQL(COLUMN_TYPES[field.type]), key=sql.Literal(name))
        for values in _fillers(field, len(positions)):
            if write(statement, (list(positions), values)) == len(positions):
                return True
    return False


def _fillers(field: Field, count: int) -> Iterator[list[str | None]]:
    """Yield as many values at a time as asked for that a field may take for the moment and hardly anybody has."""
    if not field.required:
        yield [None] * count
    chance = uuid.uuid4().int
    if field.domain is not None:
        if count == 1:
            yield from ([value.code] for value in field.domain.values)
    elif field.type == "date":
        yield [datetime.date.fromordinal(600_000 + (chance + number) % 100_000).isoformat() for number in range(count)]
    elif field.type == "text" and field.pattern is None:
        yield [uuid.uuid4().hex[:field.length] for _ in range(count)]
    elif field.type in ("integer", "real"):
        low = field.minimum if field.minimum is not None else 0
        high = field.maximum if field.maximum is not None else low + 2_000_000_000
        span = max(int(min(high - low, 1_000_000_000)), 1)
        yield [str(int(high) - (chance + number) % span) for number in range(count)]
