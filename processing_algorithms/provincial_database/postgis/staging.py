"""The changes of a changeset, brought to the server and judged there: what cannot be taken, what has become stale.

Nothing here writes into a dataset; see `postgis.submit` for that.
"""

from __future__ import annotations

import datetime
import json
import math
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ...common.errors import InputError
from ...common.language import say
from ...common.progress import Progress
from ..acceptable import objections_to
from ..catalogue import Dataset
from ..catalogue.model import FEATURE_ID, FID, GEOMETRY, Field
from ..changes import UUID, Change, Changeset, Objection, Row, Value, strange_fields
from ..merge import same_value
from .copy_rows import copy_rows
from .exchange import value_expression
from .schema import COLUMN_TYPES, table_of

if TYPE_CHECKING:
    from .hub import PostgisHub

INSERT, UPDATE, DELETE = "I", "U", "D"
_STAGING = """CREATE TEMP TABLE outgoing (
    position integer PRIMARY KEY, dataset_id text NOT NULL, feature_id uuid NOT NULL, kind "char" NOT NULL,
    before jsonb, after jsonb
) ON COMMIT DROP"""
# Made once: `json.dumps` makes a new one for every row.
_ENCODED = json.JSONEncoder(ensure_ascii=False).encode
_COLUMNS = ("position", "dataset_id", "feature_id", "kind", "before", "after")


@dataclass(frozen=True)
class Part:
    """The changes of one dataset: positions in the staging table by kind, and the fields they bring."""

    dataset: Dataset
    positions: dict[str, list[int]]
    fields: tuple[str, ...]
    #: Fields of new rows.
    inserted: tuple[str, ...]
    #: Fields whose columns an administrator has given another type, such as numeric(15, 4): what is written there may be
    #: rounded or padded, and what is read may have more digits than a double carries.
    retyped: tuple[Field, ...]


def impossible(hub: PostgisHub, changeset: Changeset) -> list[Objection]:
    """Tell what can be told without the server: datasets and fields it has not, values no database takes.

    Raises
    ------
    InputError
        The changeset's own id or time is malformed: no program of ours made it.
    """
    try:
        datetime.datetime.fromisoformat(changeset.made_at)
        whole = bool(UUID.fullmatch(changeset.changeset_id))
    except ValueError:
        whole = False
    if not whole or "\0" in "".join((changeset.author, changeset.department, changeset.message, changeset.decision_no,
                                     changeset.working_copy_id or "")):
        raise InputError(say("Đợt cập nhật bị hỏng: mã, thời điểm hoặc lời ghi không hợp lệ.",
                             "The changeset is damaged: its id, time or texts are not valid."))
    found, seen = [], set()
    held: dict[str, tuple[Dataset, list[Change]] | None] = {}
    for change in changeset.changes:
        key = (change.dataset, change.feature_id)
        if not UUID.fullmatch(change.feature_id) or key in seen or change.before is None and change.after is None:
            found.append(Objection(change.dataset, change.feature_id, say(
                "feature_id không hợp lệ, hoặc có hai lần trong một đợt.",
                "feature_id is malformed, or there twice in one changeset.")))
            continue
        seen.add(key)
        if change.dataset not in held:
            held[change.dataset] = _held(hub, change.dataset)
        known = held[change.dataset]
        if known is None:
            found.append(Objection(change.dataset, change.feature_id, say(
                "Không có tập dữ liệu này, hoặc tài khoản này không được xem.",
                "There is no such dataset, or this account may not see it.")))
            continue
        dataset, its_changes = known
        its_changes.append(change)
        strange = strange_fields(change, {*dataset.field_names, *([GEOMETRY] if dataset.geometry else ())})
        if strange:
            found.append(Objection(change.dataset, change.feature_id, say(
                "{dataset}: không có trường {names}, hoặc tài khoản này không được xem.",
                "{dataset}: there is no field {names}, or this account may not see it.")
                .format(dataset=dataset.label, names=", ".join(strange))))
    for known in held.values():
        if known is not None:
            found += objections_to(*known)
    return found


def _held(hub: PostgisHub, name: str) -> tuple[Dataset, list[Change]] | None:
    """Return a dataset the hub has, with room for its changes."""
    try:
        return hub.dataset(name), []
    except InputError:
        return None


def stage(hub: PostgisHub, cursor: Any, changes: Sequence[Change], progress: Progress) -> list[Part]:
    """Copy the changes, of updates only the fields that differ; return them by dataset, parents before children."""
    from psycopg2 import sql

    cursor.execute("DROP TABLE IF EXISTS pg_temp.outgoing")
    cursor.execute(_STAGING)
    rows = []
    parts: dict[str, tuple[Dataset, dict[str, list[int]], set[str], set[str]]] = {}
    computed = _computed(cursor)
    for position, change in enumerate(changes):
        if change.dataset not in parts:
            dataset = hub.dataset(change.dataset)
            parts[change.dataset] = (dataset, {INSERT: [], UPDATE: [], DELETE: []}, set(), set())
        dataset, positions, fields, inserted = parts[change.dataset]
        kind = INSERT if change.before is None else DELETE if change.after is None else UPDATE
        names = change.touched() - {FID, FEATURE_ID}
        if kind == UPDATE and not names:
            continue
        positions[kind].append(position)
        # What the hub computes by itself is compared afterwards, never written.
        fields |= names - computed.get(change.dataset, set())
        if kind == INSERT:
            inserted |= names - computed.get(change.dataset, set())
        rows.append((position, dataset.id, change.feature_id, kind, _as_json(change.before, names),
                     _as_json(change.after, names)))
    copy_rows(cursor, sql.Identifier("pg_temp", "outgoing"), _COLUMNS, rows, len(rows), progress)
    # Of the rows themselves, which are large, nothing is asked that statistics would help.
    cursor.execute("ANALYZE pg_temp.outgoing (position, dataset_id, feature_id, kind)")
    # A few rows out of many are found by their index, whatever the server thinks of its disks.
    cursor.execute("SET LOCAL random_page_cost = 1.1")
    # By the foreign keys an administrator may have added; else in the catalogue's order.
    rank = _ranks(cursor)
    ordered = sorted(parts.values(), key=lambda item: (rank.get(item[0].name, 0), item[0].id))
    return [Part(dataset, positions, _in_order(dataset, fields), _in_order(dataset, inserted), _retyped(cursor, dataset))
            for dataset, positions, fields, inserted in ordered]


def _computed(cursor: Any) -> dict[str, set[str]]:
    """Return the generated columns an administrator has made of fields, by table."""
    cursor.execute("SELECT c.relname::text, array_agg(a.attname::text) FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid "
                   "WHERE c.relnamespace = 'quyhoach_data'::regnamespace AND c.relkind = 'r' AND a.attgenerated <> '' "
                   "AND NOT a.attisdropped GROUP BY 1")
    return {table: set(names) for table, names in cursor.fetchall()}


def _retyped(cursor: Any, dataset: Dataset) -> tuple[Field, ...]:
    cursor.execute("SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute WHERE attrelid = to_regclass(%s) AND attnum > 0",
                   (table_of(dataset).as_string(cursor),))
    types = dict(cursor.fetchall())
    return tuple(field for field in dataset.fields if types.get(field.name) != COLUMN_TYPES[field.type])


def _in_order(dataset: Dataset, names: Iterable[str]) -> tuple[str, ...]:
    chosen = set(names)
    return tuple(name for name in (*dataset.field_names, GEOMETRY) if name in chosen)


def _as_json(row: Row | None, names: Iterable[str]) -> str | None:
    if row is None:
        return None
    return _ENCODED({name: _json_value(row.get(name)) for name in names})


def _json_value(value: Value) -> object:
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, float) and not math.isfinite(value):
        return {math.inf: "Infinity", -math.inf: "-Infinity"}.get(value, "NaN")
    return value


def _ranks(cursor: Any) -> dict[str, int]:
    """Return how deep each table stands below those its foreign keys point at."""
    cursor.execute("SELECT child.relname, parent.relname FROM pg_constraint c "
                   "JOIN pg_class child ON child.oid = c.conrelid JOIN pg_class parent ON parent.oid = c.confrelid "
                   "WHERE c.contype = 'f' AND c.conrelid <> c.confrelid "
                   "AND child.relnamespace = 'quyhoach_data'::regnamespace "
                   "AND parent.relnamespace = 'quyhoach_data'::regnamespace")
    edges = cursor.fetchall()
    rank: dict[str, int] = {}
    for _ in range(len(edges)):  # as many rounds as the longest chain can be; a ring ends too
        for child, parent in edges:
            rank[child] = min(max(rank.get(child, 0), rank.get(parent, 0) + 1), len(edges))
    return rank


def typed(dataset: Dataset, column: str) -> Any:
    """Return SQL that makes a staged row (``before`` or ``after`` of table ``o``) typed, so that equal means equal."""
    from psycopg2 import sql

    return sql.SQL("jsonb_populate_record(NULL::{}, o.{})").format(table_of(dataset), sql.Identifier(column))


def different(name: str, left: str, right: str) -> Any:
    """Return SQL that tells whether a field of two typed rows differs; shapes byte for byte."""
    from psycopg2 import sql

    cast = sql.SQL("::text") if name == GEOMETRY else sql.SQL("")
    return sql.SQL("{0}{2} IS DISTINCT FROM {1}{2}").format(sql.Identifier(left, name), sql.Identifier(right, name),
                                                            cast)


def not_as_sent(fields: Iterable[Field], column: str) -> dict[str, Any]:
    """Return SQL by field that tells whether the row's value, as it travels, is other than the staged one.

    For columns of other types: made typed, both sides would be rounded, or one would have digits the sender never saw.
    """
    from psycopg2 import sql

    return {field.name: sql.SQL("o.{} -> {} IS DISTINCT FROM coalesce(to_jsonb({}), 'null')").format(
        sql.Identifier(column), sql.Literal(field.name), value_expression(field)) for field in fields}


def lock_rows(cursor: Any, part: Part) -> set[str]:
    """Lock the rows that exist, in the one order all senders keep; return their features when all are ours."""
    from psycopg2 import sql

    cursor.execute(sql.SQL("SELECT t.feature_id::text FROM {} t WHERE t.feature_id IN (SELECT o.feature_id FROM pg_temp.outgoing o "
                           "WHERE o.dataset_id = %s) ORDER BY t.feature_id FOR UPDATE").format(table_of(part.dataset)),
                   (part.dataset.id,))
    return {feature_id for (feature_id,) in cursor.fetchall()}


def stale_features(
    hub: PostgisHub, cursor: Any, part: Part, changes: Sequence[Change], there: Collection[str]
) -> list[Objection]:
    """Tell which features somebody else has changed, made or deleted since the sender saw them.

    What is already as the sender wants it is no objection; a new feature that is there just so is taken out of
    ``part``. ``there`` are the features whose rows exist.
    """
    from psycopg2 import sql

    label, found = part.dataset.label, []
    gone = say("{label} không còn trong cơ sở dữ liệu dùng chung, hoặc ngoài quyền xem.",
               "{label} is no longer in the shared database, or out of sight.").format(label=label)
    found += [Objection(part.dataset.name, changes[position].feature_id, gone)
              for position in part.positions[UPDATE] if changes[position].feature_id not in there]
    if not part.fields:
        return found
    case = sql.SQL("CASE WHEN (o.kind = 'I' OR o.before ? {name}) AND (o.kind = 'I' OR {changed}) "
                   "AND (o.kind = 'D' OR o.after ? {name} AND {other}) THEN {name} END")
    seen = not_as_sent(part.retyped, "before")
    cases = [case.format(name=sql.Literal(name), changed=seen.get(name) or different(name, "t", "b"), other=different(name, "t", "n"))
             for name in part.fields]
    shape = sql.SQL("NULL")
    if GEOMETRY in part.fields:
        shape = sql.SQL("{}.ST_AsBinary(t.{}, 'NDR')").format(sql.Identifier(hub.postgis), sql.Identifier(GEOMETRY))
    cursor.execute(sql.SQL(
        "SELECT position, kind, fields, CASE WHEN 'geom' = ANY (fields) THEN shape END FROM "
        "(SELECT o.position, o.kind::text, array_remove(ARRAY[{}], NULL) AS fields, {} AS shape "
        "FROM pg_temp.outgoing o JOIN {} t USING (feature_id) CROSS JOIN LATERAL {} b CROSS JOIN LATERAL {} n "
        "WHERE o.dataset_id = %s) found WHERE kind = 'I' OR cardinality(fields) > 0 ORDER BY position").format(
        sql.SQL(", ").join(cases), shape, table_of(part.dataset), typed(part.dataset, "before"),
            typed(part.dataset, "after")), (part.dataset.id,))
    for position, kind, names, here in cursor.fetchall():
        change = changes[position]
        # Two shapes with the same vertices to a millimetre are one, wherever their bytes differ: `merge` is the judge.
        if here is not None and any(side is not None and same_value(bytes(here), side.get(GEOMETRY))
                                    for side in _sides(change)):
            names.remove(GEOMETRY)
        if names:
            found.append(Objection(part.dataset.name, change.feature_id, _why_stale(part.dataset, names, kind)))
        elif kind == INSERT and position in part.positions[INSERT]:
            part.positions[INSERT].remove(position)
    return found


def _sides(change: Change) -> tuple[Row | None, ...]:
    return (change.after,) if change.before is None else (change.before, change.after)


def _why_stale(dataset: Dataset, names: Sequence[str], kind: str) -> str:
    if kind == INSERT:
        return say("{label} đã có trong cơ sở dữ liệu dùng chung với nội dung khác.",
                   "{label} is in the shared database already, and different.").format(label=dataset.label)
    labels = [say("hình", "shape") if name == GEOMETRY else str(dataset.field(name).label) for name in names]
    return say("{label}: người khác đã sửa {fields}; hãy nhận cập nhật trước khi gửi.",
               "{label}: somebody else has changed {fields}; pull first.").format(
        label=dataset.label, fields=", ".join(labels))
