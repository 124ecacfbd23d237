"""Applying a changeset to a PostGIS hub: whole or not at all, exactly once, under the sender's own rights.

One transaction: the changeset's id is taken (a second sender of the same id waits, then hears that it is there already);
the changes are staged; the rows are locked in one order for all senders; fields somebody else has changed since are told
(STALE); then deletions, updates and insertions of each dataset are one statement each. Triggers decide about rights, locks
and checks. When they refuse, every change is tried apart to tell all reasons, and nothing is kept.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..common.errors import InputError
from ..common.language import say
from ..common.progress import Progress, part
from .catalogue import Dataset
from .catalogue.model import FEATURE_ID, FID, GEOMETRY
from .changes import Change, Changeset, Objection, Outcome, Receipt, Row, Value
from .postgis_connection import REFUSED, told, transaction
from .postgis_copy import copy_rows
from .postgis_exchange import row_expressions
from .postgis_schema import table_of

if TYPE_CHECKING:
    from .postgis_hub import PostgisHub

#: Two shapes nearer to each other than this are the same (DESIGN.md, "The provincial database").
SAME_SHAPE_M = 0.001
_ATTEMPTS = 5
# SQLSTATEs: insufficient privilege, and whatever an administrator's own trigger raises.
_NO_RIGHT, _RAISED = "42501", "P0"
_STAGING = """CREATE TEMP TABLE outgoing (
    position integer PRIMARY KEY, dataset_id text NOT NULL, feature_id uuid NOT NULL, kind "char" NOT NULL, before jsonb, after jsonb
) ON COMMIT DROP"""
_COLUMNS = ("position", "dataset_id", "feature_id", "kind", "before", "after")
_INSERT, _UPDATE, _DELETE = "I", "U", "D"


class _NothingKept(Exception):
    """Ends the transaction without a trace; carries the answer."""

    def __init__(self, receipt: Receipt):
        super().__init__()
        self.receipt = receipt


@dataclass(frozen=True)
class _Part:
    """The changes of one dataset: which fields they bring."""

    dataset: Dataset
    positions: dict[str, list[int]]
    fields: tuple[str, ...]
    #: Fields of new rows.
    inserted: tuple[str, ...]


def submit_changeset(hub: PostgisHub, changeset: Changeset, progress: Progress) -> Receipt:
    """See `changes.ExchangingHub.submit`."""
    import psycopg2.errors

    objections = _impossible(hub, changeset)
    if objections:
        return Receipt(Outcome.REFUSED, changeset.changeset_id, objections=tuple(objections))
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            with told(), transaction(hub.connection) as cursor:
                return _submit(hub, cursor, changeset, progress)
        except _NothingKept as ending:
            return ending.receipt
        except Exception as error:
            # Two senders that wait for each other: the server ends one, and its turn comes again.
            cause = error.__cause__
            waiting = isinstance(cause, (psycopg2.errors.DeadlockDetected, psycopg2.errors.SerializationFailure))
            if not waiting or attempt == _ATTEMPTS or hub.connection.closed:
                raise
    raise AssertionError("unreachable")


def _submit(hub: PostgisHub, cursor: Any, changeset: Changeset, progress: Progress) -> Receipt:
    import psycopg2

    cursor.execute("SELECT number, fresh FROM quyhoach.open_changeset(%s, %s, %s, %s, %s, %s, %s, NULL)",
                   (changeset.changeset_id, changeset.author, changeset.department, changeset.message, changeset.decision_no,
                    changeset.made_at, changeset.working_copy_id))
    number, fresh = cursor.fetchone()
    if not fresh:
        return Receipt(Outcome.ALREADY_APPLIED, changeset.changeset_id, number)
    parts = _stage(hub, cursor, changeset.changes, part(progress, 0.0, 0.4))
    for one in parts:
        _lock(cursor, one)
    stale = [objection for one in parts for objection in _stale(hub, cursor, one)]
    if stale:
        raise _NothingKept(Receipt(Outcome.STALE, changeset.changeset_id, objections=tuple(stale)))
    progress(0.5)
    refusal: Exception | None = None
    # Deletions first frees a number for who takes it over; last, it keeps what others still point at. One of them fits.
    for order in (_DELETE + _UPDATE + _INSERT, _INSERT + _UPDATE + _DELETE):
        cursor.execute("SAVEPOINT applying")
        try:
            for kind in order:
                for one in parts if kind != _DELETE else reversed(parts):
                    if one.positions[kind]:
                        cursor.execute(_statement(hub, one, kind), (one.positions[kind],))
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            refusal = None
            break
        except psycopg2.Error as error:
            if not _is_refusal(error):
                raise
            refusal = error
            cursor.execute("ROLLBACK TO SAVEPOINT applying")
    progress(0.8)
    if refusal is not None:
        found = [objection for one in parts for objection in _objections(hub, cursor, one)]
        if not found:
            first = changeset.changes[0]
            found = [Objection(first.dataset, first.feature_id, _sentence(str(refusal)))]
        raise _NothingKept(Receipt(Outcome.REFUSED, changeset.changeset_id, objections=tuple(found)))
    rewritten = [change for one in parts for change in _rewritten(hub, cursor, one, number)]
    progress(1.0)
    return Receipt(Outcome.APPLIED, changeset.changeset_id, number, rewritten=tuple(rewritten))


def _is_refusal(error: Any) -> bool:
    """Tell a refusal of what was sent (by our triggers, a constraint, a type, a right) from a failure of the server or of ours."""
    import psycopg2

    return (error.pgcode in (REFUSED, _NO_RIGHT) or (error.pgcode or "").startswith(_RAISED)
            or isinstance(error, (psycopg2.IntegrityError, psycopg2.DataError)))


def _impossible(hub: PostgisHub, changeset: Changeset) -> list[Objection]:
    """Tell what can be told without the server: datasets and fields it has not, values no database takes."""
    found = []
    for change in changeset.changes:
        try:
            dataset = hub.dataset(change.dataset)
        except InputError:
            found.append(Objection(change.dataset, change.feature_id, say(
                "Không có tập dữ liệu này, hoặc tài khoản này không được xem.", "There is no such dataset, or this account may not see it.")))
            continue
        known = {FID, FEATURE_ID, *dataset.field_names, *([GEOMETRY] if dataset.geometry else [])}
        row = change.after or {}
        strange = sorted(name for name in change.touched() if name not in known)
        if strange:
            found.append(Objection(change.dataset, change.feature_id, say("Không có trường {names}, hoặc tài khoản này không được xem.",
                                                                          "There is no field {names}, or this account may not see it.").format(names=", ".join(strange))))
        for name, value in row.items():
            reason = _unstorable(value, dataset.field(name).length if name in dataset.field_names else None)
            if reason:
                found.append(Objection(change.dataset, change.feature_id, f"{dataset.label}: {name}: {reason}"))
    return found


def _unstorable(value: Value, length: int | None) -> str:
    if isinstance(value, str):
        if "\0" in value or any("\ud800" <= letter <= "\udfff" for letter in value):
            return say("có ký tự không hợp lệ.", "it holds characters that are not text.")
        if length is not None and len(value) > length:
            return say("dài quá {n} ký tự.", "it is longer than {n} characters.").format(n=length)
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        return say("số quá lớn.", "the number is too large.")
    return ""


def _stage(hub: PostgisHub, cursor: Any, changes: Sequence[Change], progress: Progress) -> list[_Part]:
    """Copy the changes, of updates only the fields that differ, and sort them by dataset."""
    cursor.execute("DROP TABLE IF EXISTS pg_temp.outgoing")
    cursor.execute(_STAGING)
    rows = []
    seen: dict[str, tuple[Dataset, dict[str, list[int]], set[str], set[str]]] = {}
    for position, change in enumerate(changes):
        dataset = hub.dataset(change.dataset)
        kind = _INSERT if change.before is None else _DELETE if change.after is None else _UPDATE
        own = set(dataset.field_names) | ({GEOMETRY} if dataset.geometry else set())
        names = [name for name in change.touched() if name in own]
        _, positions, fields, inserted = seen.setdefault(dataset.id, (dataset, {_INSERT: [], _UPDATE: [], _DELETE: []}, set(), set()))
        if kind == _UPDATE and not names:
            continue
        positions[kind].append(position)
        fields.update(names)
        if kind == _INSERT:
            inserted.update(names)
        rows.append((position, dataset.id, change.feature_id, kind, _as_json(change.before, names), _as_json(change.after, names)))
    from psycopg2 import sql

    copy_rows(cursor, sql.Identifier("pg_temp", "outgoing"), _COLUMNS, rows, len(rows), progress)
    # Parents before children, by the foreign keys an administrator may have added; else in the catalogue's order.
    rank = _ranks(cursor)
    ordered = sorted(seen.values(), key=lambda item: (rank.get(item[0].name, 0), item[0].id))
    return [_Part(dataset, positions, _in_order(dataset, fields), _in_order(dataset, inserted)) for dataset, positions, fields, inserted in ordered]


def _in_order(dataset: Dataset, names: Iterable[str]) -> tuple[str, ...]:
    chosen = set(names)
    return tuple(name for name in (*dataset.field_names, GEOMETRY) if name in chosen)


def _as_json(row: Row | None, names: Iterable[str]) -> str | None:
    if row is None:
        return None
    return json.dumps({name: _json_value(row.get(name)) for name in names}, ensure_ascii=False)


def _json_value(value: Value) -> object:
    if isinstance(value, (bytes, bytearray, memoryview)):
        return bytes(value).hex()
    if isinstance(value, float) and not math.isfinite(value):
        return {math.inf: "Infinity", -math.inf: "-Infinity"}.get(value, "NaN")
    return value


def _ranks(cursor: Any) -> dict[str, int]:
    """Return how deep each table stands below those its foreign keys point at."""
    cursor.execute("SELECT child.relname, parent.relname FROM pg_constraint c JOIN pg_class child ON child.oid = c.conrelid "
                   "JOIN pg_class parent ON parent.oid = c.confrelid WHERE c.contype = 'f' AND c.conrelid <> c.confrelid "
                   "AND child.relnamespace = 'quyhoach_data'::regnamespace AND parent.relnamespace = 'quyhoach_data'::regnamespace")
    edges = cursor.fetchall()
    rank: dict[str, int] = {}
    for _ in range(len(edges)):  # as many rounds as the longest chain can be; a ring ends too
        for child, parent in edges:
            rank[child] = min(max(rank.get(child, 0), rank.get(parent, 0) + 1), len(edges))
    return rank


def _lock(cursor: Any, one: _Part) -> None:
    from psycopg2 import sql

    cursor.execute(sql.SQL("SELECT 1 FROM {} t WHERE t.feature_id IN (SELECT o.feature_id FROM pg_temp.outgoing o WHERE o.dataset_id = %s) "
                           "ORDER BY t.feature_id FOR UPDATE").format(table_of(one.dataset)), (one.dataset.id,))


def _typed(dataset: Dataset, alias: str) -> Any:
    """Return SQL that makes a staged row a typed one, so that equal means equal."""
    from psycopg2 import sql

    return sql.SQL("jsonb_populate_record(NULL::{}, o.{})").format(table_of(dataset), sql.Identifier(alias))


def _different(hub: PostgisHub, name: str, left: str, right: str) -> Any:
    from psycopg2 import sql

    if name != GEOMETRY:
        return sql.SQL("{} IS DISTINCT FROM {}").format(sql.Identifier(left, name), sql.Identifier(right, name))
    # Byte for byte first: the distance is worked out for what is not.
    return sql.SQL("({1}::text IS DISTINCT FROM {2}::text AND NOT coalesce({0}.ST_NPoints({1}) = {0}.ST_NPoints({2}) "
                   "AND {0}.ST_HausdorffDistance({1}, {2}) <= {3}, false))").format(
        sql.Identifier(hub.postgis), sql.Identifier(left, name), sql.Identifier(right, name), sql.Literal(SAME_SHAPE_M))


def _stale(hub: PostgisHub, cursor: Any, one: _Part) -> list[Objection]:
    """Tell which features somebody else has changed, or made, or deleted, since the sender saw them."""
    from psycopg2 import sql

    found = []
    cursor.execute(sql.SQL("SELECT o.feature_id::text, o.kind::text FROM pg_temp.outgoing o LEFT JOIN {} t USING (feature_id) "
                           "WHERE o.dataset_id = %s AND ((o.kind = 'I') = (t.fid IS NOT NULL)) AND o.kind <> 'D' ORDER BY o.position")
                   .format(table_of(one.dataset)), (one.dataset.id,))
    for feature_id, kind in cursor.fetchall():
        reason = (say("đã có trong cơ sở dữ liệu dùng chung.", "is in the shared database already.") if kind == _INSERT else
                  say("không còn trong cơ sở dữ liệu dùng chung, hoặc ngoài quyền xem.", "is no longer in the shared database, or out of sight."))
        found.append(Objection(one.dataset.name, feature_id, f"{one.dataset.label} {reason}"))
    if not one.fields:
        return found
    cases = [sql.SQL("CASE WHEN o.before ? {name} AND {changed} AND (o.kind = 'D' OR {other}) THEN {name} END").format(
        name=sql.Literal(name), changed=_different(hub, name, "t", "b"), other=_different(hub, name, "t", "n")) for name in one.fields]
    query = sql.SQL(
        "SELECT feature_id, fields FROM (SELECT o.position, o.feature_id::text, array_remove(ARRAY[{}], NULL) AS fields "
        "FROM pg_temp.outgoing o JOIN {} t USING (feature_id) CROSS JOIN LATERAL {} b CROSS JOIN LATERAL {} n "
        "WHERE o.dataset_id = %s AND o.kind <> 'I') found WHERE cardinality(fields) > 0 ORDER BY position").format(
        sql.SQL(", ").join(cases), table_of(one.dataset), _typed(one.dataset, "before"), _typed(one.dataset, "after"))
    cursor.execute(query, (one.dataset.id,))
    for feature_id, names in cursor.fetchall():
        labels = [say("hình", "shape") if name == GEOMETRY else str(one.dataset.field(name).label) for name in names]
        found.append(Objection(one.dataset.name, feature_id, say("{label}: người khác đã sửa {fields}; hãy cập nhật trước khi gửi.",
                                                                 "{label}: somebody else has changed {fields}; pull first.")
                               .format(label=one.dataset.label, fields=", ".join(labels))))
    return found


def _statement(hub: PostgisHub, one: _Part, kind: str) -> str:
    """Return the statement that applies staged positions of one kind; its one parameter is their array."""
    from psycopg2 import sql

    return _composed(one, kind, sql.SQL("%s")).as_string(hub.connection)


def _composed(one: _Part, kind: str, positions: Any) -> Any:
    from psycopg2 import sql

    table, dataset = table_of(one.dataset), one.dataset
    if kind == _DELETE:
        return sql.SQL("DELETE FROM {} t USING pg_temp.outgoing o WHERE o.position = ANY ({}) AND t.feature_id = o.feature_id").format(table, positions)
    if kind == _INSERT:
        names = [sql.Identifier(name) for name in one.inserted]
        return sql.SQL("INSERT INTO {} ({}) SELECT {} FROM pg_temp.outgoing o CROSS JOIN LATERAL {} n WHERE o.position = ANY ({}) ORDER BY o.position").format(
            table, sql.SQL(", ").join([sql.Identifier(FEATURE_ID), *names]),
            sql.SQL(", ").join([sql.SQL("o.feature_id"), *(sql.SQL("n.{}").format(name) for name in names)]), _typed(dataset, "after"), positions)
    assignments = [sql.SQL("{0} = CASE WHEN o.after ? {1} THEN n.{0} ELSE t.{0} END").format(sql.Identifier(name), sql.Literal(name)) for name in one.fields]
    return sql.SQL("UPDATE {} t SET {} FROM pg_temp.outgoing o CROSS JOIN LATERAL {} n WHERE o.position = ANY ({}) AND t.feature_id = o.feature_id").format(
        table, sql.SQL(", ").join(assignments), _typed(dataset, "after"), positions)


def _objections(hub: PostgisHub, cursor: Any, one: _Part) -> list[Objection]:
    """Try every change apart and tell all refusals. What this does is undone with the transaction."""
    from psycopg2 import sql

    found = []
    for kind, positions in one.positions.items():
        if not positions:
            continue
        statement = _composed(one, kind, sql.SQL("$1")).as_string(hub.connection)
        cursor.execute("SELECT o.feature_id::text, f.message FROM quyhoach.try_each(%s, %s) f JOIN pg_temp.outgoing o ON o.position = f.place ORDER BY o.position",
                       (statement, positions))
        found += [Objection(one.dataset.name, feature_id, _sentence(message)) for feature_id, message in cursor.fetchall()]
    return found


def _sentence(message: str) -> str:
    return (message.strip().splitlines() or ["?"])[0]


def _rewritten(hub: PostgisHub, cursor: Any, one: _Part, number: int) -> list[Change]:
    """Return rows that are not now what the sender made of them: a trigger of the hub had its say."""
    from psycopg2 import sql

    names, wanted = row_expressions(one.dataset, hub.postgis)
    differs = sql.SQL(" OR ").join(_different(hub, name, "t", "e") for name in names)
    table = table_of(one.dataset)
    query = sql.SQL(
        "SELECT o.position, {wanted} FROM pg_temp.outgoing o JOIN {table} t USING (feature_id) "
        "JOIN LATERAL (SELECT h.old_row FROM quyhoach.history h WHERE h.feature_id = o.feature_id AND h.changeset = %s ORDER BY h.ledger_no LIMIT 1) h ON true "
        "CROSS JOIN LATERAL jsonb_populate_record(NULL::{table}, coalesce(h.old_row, '{{}}') || o.after) e "
        "WHERE o.dataset_id = %s AND o.kind <> 'D' AND ({differs})").format(wanted=sql.SQL(", ").join(wanted), table=table, differs=differs)
    cursor.execute(query, (number, one.dataset.id))
    rows = cursor.fetchall()
    if not rows:
        return []
    sent = {position: (feature_id, after) for position, feature_id, after in _sent(cursor, [row[0] for row in rows])}
    found = []
    for position, *values in rows:
        if one.dataset.geometry and values[-1] is not None:
            values[-1] = bytes(values[-1])
        row: Row = dict(zip(names, values))
        feature_id, after = sent[position]
        before = {**row, **{name: _back(name, value) for name, value in after.items()}}
        found.append(Change(one.dataset.name, feature_id, before, row))
    return found


def _sent(cursor: Any, positions: list[int]) -> list[tuple[int, str, dict[str, Any]]]:
    cursor.execute("SELECT position, feature_id::text, after FROM pg_temp.outgoing WHERE position = ANY (%s)", (positions,))
    return cursor.fetchall()


def _back(name: str, value: Any) -> Value:
    return bytes.fromhex(value) if name == GEOMETRY and value is not None else value
