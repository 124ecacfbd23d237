"""What a PostGIS hub once was, what changed between two moments, and taking a changeset back.

A moment is a time, or the number of a changeset (the hub just after it). Changesets count as of when they were
committed, so a moment never shows half of one. The past is worked out backwards from the present: the cost is what
changed since.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ...common.errors import InputError
from ...common.language import say
from ...common.progress import Progress, silent
from ..catalogue import Dataset
from ..catalogue.model import GEOMETRY
from ..changes import Change, Changeset, Objection, Outcome, Receipt, Row
from ..history.history import ChangesetNote, Moment, changed_again
from ..rows import now
from .connection import told, transaction
from .exchange import row_expressions
from .schema import table_of
from .submit import submit_changeset

if TYPE_CHECKING:
    from .hub import PostgisHub

_ROWS_AT_ONCE = 10_000


def changesets(hub: PostgisHub, *, most: int = 1000, counted: bool = True) -> list[ChangesetNote]:
    """Return the latest changesets this role may see, newest first."""
    names = {dataset.id: dataset.name for dataset in hub.datasets.values()}
    counts = ("(SELECT coalesce(jsonb_object_agg(n.dataset_id, n.count), '{}') FROM (SELECT h.dataset_id, count(*) "
              "FROM quyhoach.history h WHERE h.changeset = c.number GROUP BY h.dataset_id) n)") if counted else "'{}'::jsonb"
    with told(), transaction(hub.connection, reading=True) as cursor:
        cursor.execute(
            "SELECT c.number, c.changeset_id::text, c.author, c.applied_by, c.department, "
            f"c.message, c.decision_no, c.applied_at, c.reverts, {counts} "
            "FROM quyhoach.changesets c ORDER BY c.applied_at DESC, c.number DESC LIMIT %s",
            (most,))
        return [ChangesetNote(*facts, features={names[key]: count for key, count in counts.items() if key in names})
                for *facts, counts in cursor.fetchall()]


def features_of(hub: PostgisHub, number: int) -> dict[str, int]:
    """See `History.features_of`."""
    names = {dataset.id: dataset.name for dataset in hub.datasets.values()}
    with told(), transaction(hub.connection, reading=True) as cursor:
        cursor.execute("SELECT h.dataset_id, count(*) FROM quyhoach.history h WHERE h.changeset = %s GROUP BY h.dataset_id", (number,))
        return {names[key]: count for key, count in cursor.fetchall() if key in names}


def rows_as_of(hub: PostgisHub, dataset: Dataset, moment: Moment) -> Iterator[tuple[str, Row]]:
    """Yield feature id and row of everything a dataset held at a moment, as far as this role may see it."""
    from psycopg2 import sql

    names, wanted = row_expressions(dataset, hub.postgis)
    columns, table = sql.SQL(", ").join(wanted), table_of(dataset)
    with told(), transaction(hub.connection, reading=True) as cursor:
        later, value = _later(cursor, moment)
        query = sql.SQL(
            "WITH later AS MATERIALIZED (SELECT DISTINCT ON (h.feature_id) h.feature_id, h.old_row "
            "FROM quyhoach.history h WHERE h.dataset_id = %s AND {later} ORDER BY h.feature_id, h.ledger_no) "
            "SELECT t.feature_id::text, {columns} FROM {table} t WHERE NOT EXISTS (SELECT FROM later l "
            "WHERE l.feature_id = t.feature_id) UNION ALL SELECT l.feature_id::text, {columns} FROM later l CROSS "
            "JOIN LATERAL jsonb_populate_record(NULL::{table}, l.old_row) t WHERE l.old_row IS NOT NULL").format(
                later=later, columns=columns, table=table)
        for feature_id, *values in _fetched(cursor, query, (dataset.id, *value)):
            yield feature_id, _row(names, values)


def changes_between(hub: PostgisHub, dataset: Dataset, start: Moment, end: Moment) -> Iterator[Change]:
    """Yield what became of every feature that differs between two moments, in the order of the last change.

    A row that went out of this role's sight counts as deleted, one that came into it as new.
    """
    from psycopg2 import sql

    names, wanted = row_expressions(dataset, hub.postgis)
    columns, table = sql.SQL(", ").join(wanted), table_of(dataset)

    with told(), transaction(hub.connection, reading=True) as cursor:
        after_start, first = _later(cursor, start)
        after_end, last = _later(cursor, end)
        query = sql.SQL(
            "WITH net AS (SELECT h.feature_id, max(h.ledger_no) AS last, (array_agg(h.old_row "
            "ORDER BY h.ledger_no))[1] AS old_row, (array_agg(h.new_row ORDER BY h.ledger_no DESC))[1] AS new_row, "
            "(array_agg(h.parent_id ORDER BY h.ledger_no DESC) FILTER (WHERE h.parent_id IS NOT NULL))[1] AS parent_id "
            "FROM quyhoach.history h WHERE h.dataset_id = %s AND {after_start} AND NOT ({after_end}) "
            "GROUP BY h.feature_id) SELECT n.feature_id::text, n.old_row IS NOT NULL, "
            "n.new_row IS NOT NULL, n.parent_id::text, {old}, {new} FROM net n CROSS "
            "JOIN LATERAL jsonb_populate_record(NULL::{table}, n.old_row) o CROSS "
            "JOIN LATERAL jsonb_populate_record(NULL::{table}, n.new_row) t WHERE n.old_row IS DISTINCT "
            "FROM n.new_row ORDER BY n.last").format(
            after_start=after_start, after_end=after_end, table=table, new=columns, old=_from(columns, "o"))
        for feature_id, was, became, parent, *values in _fetched(cursor, query, (dataset.id, *first, *last)):
            before, after = values[: len(names)], values[len(names):]
            yield Change(dataset.name, feature_id, _row(names, before) if was else None, _row(names, after) if became
                         else None, parent)


def revert_changeset(
    hub: PostgisHub, number: int, *, author: str = "", department: str = "", message: str = "", decision_no: str = "",
    progress: Progress = silent
) -> Receipt:
    """Take a changeset back by a new one.

    Returns
    -------
    Receipt
        STALE, with the features and fields, when later changesets touch the same fields: nothing is done then.

    Raises
    ------
    InputError
        There is no such changeset in sight, this role sees only a part of it, or nothing is left of it.
    """
    changes: list[Change] = []
    with told(), transaction(hub.connection, reading=True) as cursor:
        cursor.execute("SELECT message, whole FROM quyhoach.changesets WHERE number = %s", (number,))
        found = cursor.fetchone()
        if found is None:
            raise InputError(say("Không có đợt cập nhật số {number}.",
                                 "There is no changeset {number}.").format(number=number))
        told_as, whole = found
        if not whole:
            raise InputError(say("Tài khoản này chỉ xem được một phần của đợt cập nhật số {number}, "
                                 "nên không hoàn tác được.",
                                 "This account sees only a part of changeset {number}, so it cannot be taken back.")
                             .format(number=number))
        for dataset in hub.datasets.values():
            changes += _inverse(hub, cursor, dataset, number)
    if not changes:
        raise InputError(say("Đợt cập nhật số {number} không còn thay đổi nào để hoàn tác.",
                             "Nothing is left of changeset {number} to take back.").format(number=number))
    receipt = submit_changeset(hub, Changeset(
        str(uuid.uuid4()), author, department, message
        or say("Hoàn tác đợt cập nhật số {number}: {told}", "Taking back changeset {number}: {told}").format(
            number=number, told=told_as), decision_no, now(), tuple(changes)), progress, reverts=number)
    if receipt.outcome is not Outcome.STALE:
        return receipt
    return replace(receipt, objections=_in_the_way(hub, number, changes, receipt.objections))


def _in_the_way(hub: PostgisHub, number: int, changes: list[Change],
                stale: tuple[Objection, ...]) -> tuple[Objection, ...]:
    """Say, for the features of an inverse changeset that later ones have touched, in which fields and by which."""
    from psycopg2 import sql

    by_feature, told_of = {(change.dataset, change.feature_id): change for change in changes}, []
    with told(), transaction(hub.connection, reading=True) as cursor:
        later, values = _later(cursor, number)
        for objection in stale:
            dataset = hub.datasets[objection.dataset]
            names, wanted = row_expressions(dataset, hub.postgis)
            cursor.execute(sql.SQL(
                "SELECT h.changeset, h.new_row IS NOT NULL, {} FROM quyhoach.history h CROSS JOIN LATERAL "
                "jsonb_populate_record(NULL::{}, h.new_row) t WHERE h.feature_id = %s AND h.dataset_id = %s AND {} "
                "ORDER BY h.ledger_no").format(sql.SQL(", ").join(wanted), table_of(dataset), later),
                (objection.feature_id, dataset.id, *values))
            found = cursor.fetchall()
            present = _row(names, found[-1][2:]) if found and found[-1][1] else None
            told_of.append(changed_again(dataset, by_feature[objection.dataset, objection.feature_id], present,
                                         sorted({row[0] for row in found})))
    return tuple(told_of)


def _inverse(hub: PostgisHub, cursor: Any, dataset: Dataset, number: int) -> list[Change]:
    from psycopg2 import sql

    names, wanted = row_expressions(dataset, hub.postgis)
    columns, table = sql.SQL(", ").join(wanted), table_of(dataset)
    cursor.execute(sql.SQL(
        "SELECT h.feature_id::text, h.created, h.deleted, {old}, {new} FROM quyhoach.history h "
        "CROSS JOIN LATERAL jsonb_populate_record(NULL::{table}, h.old_row) o CROSS "
        "JOIN LATERAL jsonb_populate_record(NULL::{table}, h.new_row) t WHERE h.changeset = %s AND h.dataset_id = %s "
        "ORDER BY h.ledger_no").format(old=_from(columns, "o"), new=columns, table=table), (number, dataset.id))
    return [Change(dataset.name, feature_id, None if deleted else _row(names, values[len(names):]), None if created
                   else _row(names, values[: len(names)]))
            for feature_id, created, deleted, *values in cursor.fetchall()]


def _from(columns: Any, alias: str) -> Any:
    """Return expressions written for table ``t`` for another alias."""
    from psycopg2 import sql

    return sql.Composed([sql.Identifier(alias, *part.strings[1:]) if isinstance(part, sql.Identifier)
                         and part.strings[0] == "t" else
                         _from(part, alias) if isinstance(part, sql.Composed) else part for part in columns])


def _later(cursor: Any, moment: Moment) -> tuple[Any, tuple[object, ...]]:
    """Return the condition that an entry ``h`` of history is later than a moment, and its values."""
    from psycopg2 import sql

    if moment == 0:
        return sql.SQL("true"), ()
    if isinstance(moment, int):
        cursor.execute("SELECT applied_at FROM quyhoach.changesets WHERE number = %s", (moment,))
        found = cursor.fetchone()
        if found is None:
            raise InputError(say("Không có đợt cập nhật số {number}.",
                                 "There is no changeset {number}.").format(number=moment))
        return sql.SQL("(h.applied_at, h.changeset) > (%s, %s)"), (found[0], moment)
    if moment.tzinfo is None:
        raise InputError(say("Thời điểm {moment} thiếu múi giờ.",
                             "The moment {moment} has no time zone.").format(moment=moment))
    return sql.SQL("h.applied_at > %s"), (moment,)


def _fetched(cursor: Any, query: Any, values: tuple[object, ...]) -> Iterator[tuple]:
    from psycopg2 import sql

    cursor.execute(sql.SQL("DECLARE past NO SCROLL CURSOR FOR ") + query, values)
    while True:
        cursor.execute("FETCH %s FROM past", (_ROWS_AT_ONCE,))
        chunk = cursor.fetchall()
        if not chunk:
            return
        yield from chunk


def _row(names: list[str], values: list[object]) -> Row:
    row: Row = dict(zip(names, values))  # type: ignore[arg-type]
    if row.get(GEOMETRY) is not None:
        row[GEOMETRY] = bytes(row[GEOMETRY])  # type: ignore[arg-type]
    return row
