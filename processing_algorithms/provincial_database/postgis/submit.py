"""Applying a changeset to a PostGIS hub: whole or not at all, exactly once, under the sender's own rights.

One transaction: the changeset's id is taken (a second sender of the same id waits, then hears that it is there
already); the changes are staged; the rows are locked in one order for all senders; fields somebody else has changed
since are told (STALE); then deletions, updates and insertions of each dataset are one statement each. Triggers decide
about rights, locks and checks. When they refuse, every change is tried apart to tell all reasons, and nothing is kept.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ...common.progress import Progress, part
from ..catalogue.model import FEATURE_ID, GEOMETRY
from ..changes import Change, Changeset, Objection, Outcome, Receipt, Row
from ..findings import require_recorded
from ..merge import same_row
from ..unique_values import Moves, change_places, in_turns, taken
from .connection import REFUSED, told, transaction
from .exchange import row_expressions
from .ledger_gaps import unwatched
from .schema import table_of
from .staging import (
    DELETE,
    INSERT,
    UPDATE,
    Part,
    different,
    impossible,
    lock_rows,
    not_as_sent,
    stage,
    stale_features,
    typed,
)
from .taking_turns import moves, step_aside, unique_indexes

if TYPE_CHECKING:
    from .hub import PostgisHub

_ATTEMPTS = 5
#: A whole dataset refused for one reason needs no more.
_MOST_OBJECTIONS = 500
# SQLSTATEs: insufficient privilege, and whatever an administrator's own trigger raises.
_NO_RIGHT, _RAISED = "42501", "P0"
#: The names of our own triggers, of datasets and of the hub's own tables; their functions are all in our schema.
_OUR_TRIGGERS = "^(zz_)?quyhoach_|^(close_changeset|never_rewritten|never_deleted)$"
# Deletions first frees a number for who takes it over; last, it keeps what others still point at. One of them fits.
_ORDERS = ((DELETE, UPDATE, INSERT), (INSERT, UPDATE, DELETE))


class _NothingKept(Exception):
    """Ends the transaction without a trace; carries the answer."""

    def __init__(self, receipt: Receipt):
        super().__init__()
        self.receipt = receipt


def submit_changeset(hub: PostgisHub, changeset: Changeset, progress: Progress, *,
                     reverts: int | None = None) -> Receipt:
    """See `changes.ExchangingHub.submit`; ``reverts`` is the number of the changeset this one takes back."""
    import psycopg2.errors

    objections = impossible(hub, changeset)
    if objections:
        return Receipt(Outcome.REFUSED, changeset.changeset_id, objections=tuple(objections))
    attempt = 0
    while True:
        attempt += 1
        try:
            with told(), transaction(hub.connection) as cursor:
                return _submit(hub, cursor, changeset, reverts, progress)
        except _NothingKept as ending:
            return ending.receipt
        except Exception as error:
            # Two senders that wait for each other: the server ends one, and its turn comes again.
            waiting = (psycopg2.errors.DeadlockDetected, psycopg2.errors.SerializationFailure)
            if not isinstance(error.__cause__, waiting) or attempt == _ATTEMPTS or hub.connection.closed:
                raise


def _submit(hub: PostgisHub, cursor: Any, changeset: Changeset, reverts: int | None, progress: Progress) -> Receipt:
    import psycopg2
    import psycopg2.errors

    cursor.execute("SELECT number, fresh FROM quyhoach.open_changeset(%s, %s, %s, %s, %s, %s, %s, %s)",
                   (changeset.changeset_id, changeset.author, changeset.department, changeset.message,
                    changeset.decision_no,
                    changeset.made_at, changeset.working_copy_id, reverts))
    number, fresh = cursor.fetchone()
    if not fresh:
        return Receipt(Outcome.ALREADY_APPLIED, changeset.changeset_id, number)
    require_recorded(unwatched(cursor, [hub.datasets[name] for name in dict.fromkeys(change.dataset for change in changeset.changes)]))
    parts = stage(hub, cursor, changeset.changes, part(progress, 0.0, 0.4))
    cursor.execute("SAVEPOINT staged")
    known: list[set[str]] | None = None
    while True:
        try:
            there = [lock_rows(cursor, one) for one in parts]
            stale = [objection for one, present in zip(parts, there)
                     for objection in stale_features(hub, cursor, one, changeset.changes, present)]
        except psycopg2.DataError as error:
            # Values that are not of their field's type: found out one by one.
            cursor.execute("ROLLBACK TO SAVEPOINT staged")
            raise _refused(cursor, changeset, parts, error, lambda one, kind, positions: _reading(one)) from error
        if stale:
            raise _NothingKept(Receipt(Outcome.STALE, changeset.changeset_id, objections=tuple(stale)))
        progress(0.5)
        if there == known:
            break
        known, refusal = there, _apply(cursor, parts)
        # Another sender's new feature that we have waited for: as if it had come before us.
        if not isinstance(refusal, psycopg2.errors.UniqueViolation):
            break
    progress(0.8)
    if refusal is not None:
        raise _refused(cursor, changeset, parts, refusal, _statement) from refusal
    if parents := changeset.parents():
        cursor.execute("SELECT quyhoach.note_parents(%s::uuid[], %s::uuid[])",
                       ([feature_id for _, feature_id in parents], list(parents.values())))
    free = _others_have_a_say(cursor)
    rewritten = [change for one in parts if free or one.retyped
                 for change in _rewritten(hub, cursor, one, number, changeset.changes)]
    progress(1.0)
    return Receipt(Outcome.APPLIED, changeset.changeset_id, number, rewritten=tuple(rewritten))


def _apply(cursor: Any, parts: Sequence[Part], *, in_turn: bool = False) -> Exception | None:
    """Write everything; return what the database refused it for, if it did, with nothing written."""
    import psycopg2
    import psycopg2.errors

    refusals = []
    for order in _ORDERS:
        cursor.execute("SAVEPOINT applying")
        try:
            for kind in order:
                for one in reversed(parts) if kind == DELETE else parts:
                    if one.positions[kind] and (kind != UPDATE or one.fields):
                        (_update_in_turn if in_turn and kind == UPDATE else _write)(cursor, one, kind)
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            return None
        except psycopg2.Error as error:
            if not _is_refusal(error):
                raise
            refusals.append(error)
            cursor.execute("ROLLBACK TO SAVEPOINT applying")
    if not in_turn and any(isinstance(refusal, psycopg2.errors.UniqueViolation) for refusal in refusals) and any(
            moves(cursor, one, unique_indexes(cursor, one.dataset)).change_hands() for one in parts):
        return _apply(cursor, parts, in_turn=True)
    return refusals[0]


def _write(cursor: Any, one: Part, kind: str, positions: Sequence[int] | None = None) -> None:
    from psycopg2 import sql

    cursor.execute(_statement(one, kind, sql.SQL("%s")), (list(one.positions[kind] if positions is None else positions),))


def _update_in_turn(cursor: Any, one: Part, kind: str) -> None:
    """Write updates so that nobody takes a value another still has."""
    import psycopg2

    def written(statement: Any, values: tuple[Any, ...]) -> int:
        cursor.execute("SAVEPOINT aside")
        try:
            cursor.execute(statement, values)
        except psycopg2.Error as error:
            if not _is_refusal(error):
                raise
            cursor.execute("ROLLBACK TO SAVEPOINT aside")
            return 0
        return int(cursor.rowcount)

    indexes = unique_indexes(cursor, one.dataset)
    moving = moves(cursor, one, indexes)
    if not _others_have_a_say(cursor) and all(
            step_aside(cursor, one, positions, indexes[number], written) for number, positions in moving.in_the_way(one.positions[kind])):
        _write(cursor, one, kind)
        return
    for positions, key in [*in_turns(one.positions[kind], moving)]:
        if key is None:
            _write(cursor, one, kind, positions)
        else:
            # When it cannot, those that wait for it are refused.
            step_aside(cursor, one, positions, indexes[key[0]], written)


def _is_refusal(error: Any) -> bool:
    """Tell a refusal of what was sent (by a trigger, constraint, type or right) from a failure of the server."""
    import psycopg2

    return (error.pgcode in (REFUSED, _NO_RIGHT) or (error.pgcode or "").startswith(_RAISED)
            or isinstance(error, (psycopg2.IntegrityError, psycopg2.DataError)))


def _statement(one: Part, kind: str, positions: Any) -> Any:
    """Return the statement that applies staged positions of one kind."""
    from psycopg2 import sql

    table = table_of(one.dataset)
    if kind == DELETE:
        return sql.SQL("DELETE FROM {} t USING pg_temp.outgoing o WHERE o.position = ANY ({}) "
                       "AND t.feature_id = o.feature_id").format(table, positions)
    if kind == INSERT:
        names = [sql.Identifier(name) for name in one.inserted]
        return sql.SQL("INSERT INTO {} ({}) SELECT {} FROM pg_temp.outgoing o CROSS JOIN LATERAL {} n "
                       "WHERE o.position = ANY ({}) ORDER BY o.position").format(
            table, sql.SQL(", ").join([sql.Identifier(FEATURE_ID), *names]),
            sql.SQL(", ").join([sql.SQL("o.feature_id"), *(sql.SQL("n.{}").format(name) for name in names)]),
                           typed(one.dataset, "after"), positions)
    assignments = [sql.SQL("{0} = CASE WHEN o.after ? {1} THEN n.{0} ELSE t.{0} END").format(sql.Identifier(name),
                                                                                             sql.Literal(name))
                   for name in one.fields]
    return sql.SQL("UPDATE {} t SET {} FROM pg_temp.outgoing o CROSS JOIN LATERAL {} n WHERE o.position = ANY ({}) "
                   "AND t.feature_id = o.feature_id").format(
        table, sql.SQL(", ").join(assignments), typed(one.dataset, "after"), positions)


def _reading(one: Part) -> Any:
    """Return a statement that only reads staged rows as typed ones."""
    from psycopg2 import sql

    return sql.SQL("SELECT {}, {} FROM pg_temp.outgoing o WHERE o.position = ANY ($1)").format(typed(one.dataset,
                                                                                                     "before"),
                                                                                               typed(one.dataset,
                                                                                                     "after"))


def _refused(cursor: Any, changeset: Changeset, parts: Sequence[Part], refusal: Exception,
             statement: Any) -> _NothingKept:
    """Try every change apart and tell all refusals. What this does is undone with the transaction."""
    from psycopg2 import sql

    found, waiting = [], []
    for one in parts:
        indexes = unique_indexes(cursor, one.dataset)
        moving = moves(cursor, one, indexes) if statement is _statement else Moves({}, {})
        change_hands = moving.change_hands()
        waits = {position for position, wanted in moving.wants.items() if wanted & change_hands}
        for kind, positions in one.positions.items():
            # First those that wait for nobody: of many that only wait, those who are at fault would be lost.
            for some in ([p for p in positions if p not in waits], [p for p in positions if p in waits]):
                if not some or kind == UPDATE and not one.fields:
                    continue
                cursor.execute("SELECT f.place, f.message FROM quyhoach.try_each(%s, %s, %s) f ORDER BY f.place",
                               (statement(one, kind, sql.SQL("$1")).as_string(cursor), some, _MOST_OBJECTIONS))
                for position, message in cursor.fetchall():
                    change, sentence = changeset.changes[position], _sentence(message)
                    # Refused alone is not refused together: who has it goes too.
                    number = next((n for n, index in enumerate(indexes) if re.search(rf"(?<!\w){re.escape(index.name)}(?!\w)", sentence)), None)
                    if number is not None:
                        sentence = taken(one.dataset, indexes[number].columns, change.after)
                    if any(key[0] == number for key in change_hands & moving.wants.get(position, set())):
                        waiting.append(Objection(change.dataset, change.feature_id, change_places(one.dataset)))
                    else:
                        found.append(Objection(change.dataset, change.feature_id, sentence))
    if not found:
        # Only together they do not fit.
        found = waiting or [Objection(change.dataset, change.feature_id, _sentence(str(refusal))) for change in changeset.changes[:1]]
    return _NothingKept(Receipt(Outcome.REFUSED, changeset.changeset_id, objections=tuple(found)))


def _sentence(message: str) -> str:
    return (message.strip().splitlines() or ["?"])[0]


def _others_have_a_say(cursor: Any) -> bool:
    """Tell whether anything an administrator has added may give a row other values than those sent.

    A push writes into the ledger too, and what points at our tables by a foreign key, or inherits from them, may have
    triggers of its own that write back.
    """
    cursor.execute(
        "WITH tables AS (SELECT oid FROM pg_class WHERE relnamespace = 'quyhoach_data'::regnamespace) "
        "SELECT EXISTS (SELECT FROM pg_trigger g JOIN pg_class t ON t.oid = g.tgrelid JOIN pg_proc p ON p.oid = g.tgfoid "
        "WHERE t.relnamespace IN ('quyhoach_data'::regnamespace, 'quyhoach'::regnamespace) AND NOT g.tgisinternal "
        "AND (p.pronamespace <> 'quyhoach'::regnamespace OR g.tgname !~ %s)) "
        "OR EXISTS (SELECT FROM pg_attribute a JOIN tables t ON t.oid = a.attrelid WHERE a.attgenerated <> '' AND NOT a.attisdropped) "
        "OR EXISTS (SELECT FROM pg_constraint c JOIN tables t ON t.oid IN (c.conrelid, c.confrelid) WHERE c.contype = 'f') "
        "OR EXISTS (SELECT FROM pg_inherits i JOIN tables t ON t.oid = i.inhparent) "
        "OR EXISTS (SELECT FROM pg_rewrite r JOIN tables t ON t.oid = r.ev_class)", (_OUR_TRIGGERS,))
    return bool(cursor.fetchone()[0])


def _rewritten(hub: PostgisHub, cursor: Any, one: Part, number: int, changes: Sequence[Change]) -> list[Change]:
    """Return rows that are not now what the sender made of them: a trigger of the hub or a column's type had its say.

    Both sides are the sender's row, so that what others did to further fields comes with a pull and not by this way.
    """
    from psycopg2 import sql

    names, wanted = row_expressions(one.dataset, hub.postgis)
    rounded = not_as_sent(one.retyped, "after")
    suspects = _suspects(cursor, one, {**{name: different(name, "t", "n") for name in names}, **rounded}, number)
    if not suspects:
        return []
    table = table_of(one.dataset)
    cases = sql.SQL(", ").join(sql.SQL("CASE WHEN (h.feature_id IS NOT NULL OR o.after ? {1}) AND {0} OR o.after ? {1} AND {2} THEN {1} END").format(
        different(name, "t", "e"), sql.Literal(name), rounded.get(name, sql.SQL("false"))) for name in names)
    # Expected: the row as it was, with the sender's fields put in. Without an entry the hub has undone what was sent, or
    # computes it by itself: then only what was sent can be other than expected.
    cursor.execute(sql.SQL(
        "SELECT * FROM (SELECT o.position, array_remove(ARRAY[{cases}], NULL) AS fields, {wanted} "
        "FROM pg_temp.outgoing o JOIN {table} t USING (feature_id) LEFT JOIN (SELECT h.feature_id, h.old_row "
        "FROM quyhoach.history h WHERE h.changeset = %s AND h.dataset_id = %s) h USING (feature_id) CROSS "
        "JOIN LATERAL jsonb_populate_record(NULL::{table}, coalesce(h.old_row, '{{}}') || o.after) e "
        "WHERE o.position = ANY (%s)) found WHERE cardinality(fields) > 0").format(
        cases=cases, wanted=sql.SQL(", ").join(wanted), table=table), (number, one.dataset.id, suspects))
    found = []
    for position, fields, *values in cursor.fetchall():
        here: Row = dict(zip(names, values))
        if here.get(GEOMETRY) is not None:
            here[GEOMETRY] = bytes(here[GEOMETRY])
        change = changes[position]
        sent = dict(change.after or {})
        after = {**sent, **{name: here[name] for name in fields}}
        if not same_row(sent, after) or not after.keys() <= sent.keys():
            found.append(Change(one.dataset.name, change.feature_id, sent, after))
    return found


def _suspects(cursor: Any, one: Part, unlike: Mapping[str, Any], number: int) -> list[int]:
    """Return positions where a field nobody sent has changed, or one that was sent is not as sent: cheap, mostly none."""
    from psycopg2 import sql

    sent = sql.SQL(" OR ").join(sql.SQL("o.after ? {} AND {}").format(sql.Literal(name), condition)
                                for name, condition in unlike.items())
    cursor.execute(sql.SQL(
        "SELECT o.position FROM pg_temp.outgoing o JOIN {table} t USING (feature_id) LEFT JOIN (SELECT h.feature_id, h.old_row, "
        "h.new_row FROM quyhoach.history h WHERE h.changeset = %s AND h.dataset_id = %s) h USING (feature_id) "
        "CROSS JOIN LATERAL {typed} n CROSS JOIN LATERAL (SELECT ARRAY(SELECT jsonb_object_keys(o.after)) AS names) k "
        "WHERE o.dataset_id = %s AND o.kind <> 'D' AND (h.feature_id IS NOT NULL AND h.new_row - k.names IS DISTINCT FROM "
        "coalesce(h.old_row - k.names, '{{}}') OR {sent})").format(
            table=table_of(one.dataset), typed=typed(one.dataset, "after"), sent=sent),
        (number, one.dataset.id, one.dataset.id))
    return [position for (position,) in cursor.fetchall()]
