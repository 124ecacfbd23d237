"""What a GeoPackage hub once was; the contract is `history.History`.

SQLite has one writer at a time, so a moment is a place in the ledger: everything up to a number has happened, the rest
has not. The past is worked out backwards from the present: the cost is what changed since.
"""

from __future__ import annotations

import datetime
import sqlite3
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

from ...common.errors import InputError
from ...common.language import say
from ..catalogue import Catalogue, Dataset
from ..catalogue.model import FEATURE_ID
from ..changes import Change, Changeset, Objection, Row
from ..history.history import ChangesetNote, Moment, changed_again
from ..merge import same_row
from ..rows import instant, now, row_from_sqlite
from .ledger import entries
from .ledger_gaps import ledger_table
from .schema import data_columns, quoted

_OLD, _NEW = 0, 1
_EVERYTHING = 2**62


@contextmanager
def reading(database: sqlite3.Connection) -> Iterator[None]:
    """One consistent read, also while others write."""
    database.execute("BEGIN")
    try:
        yield
    finally:
        database.execute("ROLLBACK")


def changesets(database: sqlite3.Connection, datasets: Catalogue, most: int, counted: bool) -> list[ChangesetNote]:
    """See `History.changesets`."""
    names = {dataset.id: dataset.name for dataset in datasets.values()}
    with reading(database):
        notes = database.execute(
            "SELECT number, changeset_id, author, applied_by, department, message, decision_no, applied_at, reverts "
            "FROM quyhoach_changeset ORDER BY number DESC LIMIT ?", (most,)).fetchall()
        counts: dict[int, dict[str, int]] = {}
        for number, dataset_id, count in database.execute(
                "SELECT changeset, dataset_id, count(DISTINCT feature_id) FROM quyhoach_ledger WHERE changeset >= ? "
                "GROUP BY changeset, dataset_id", (notes[-1][0] if notes else 0,)) if counted else ():
            counts.setdefault(number, {})[names.get(dataset_id, dataset_id)] = count
    return [ChangesetNote(*facts, applied_at=datetime.datetime.fromisoformat(applied_at), reverts=reverts,
                          features=counts.get(facts[0], {})) for *facts, applied_at, reverts in notes]


def features_of(database: sqlite3.Connection, datasets: Catalogue, number: int) -> dict[str, int]:
    """See `History.features_of`."""
    names = {dataset.id: dataset.name for dataset in datasets.values()}
    found: dict[str, set[str]] = {}
    # SQLite's own count of what is distinct takes three times as long over a million.
    for dataset_id, feature_id in database.execute("SELECT dataset_id, feature_id FROM quyhoach_ledger WHERE changeset = ?", (number,)):
        found.setdefault(names.get(dataset_id, dataset_id), set()).add(feature_id)
    return {name: len(features) for name, features in found.items()}


def ledger_number(database: sqlite3.Connection, moment: Moment) -> int:
    """Return the number of the last ledger entry that had happened by a moment, within a read."""
    if isinstance(moment, int):
        known = database.execute("SELECT 1 FROM quyhoach_changeset WHERE number = ?", (moment,)).fetchone()
        if moment != 0 and known is None:
            raise InputError(say("Không có đợt cập nhật số {number}.", "There is no changeset {number}.")
                             .format(number=moment))
        return _last(database, "l.changeset <= ?", moment)
    if moment.tzinfo is None:
        raise InputError(say("Thời điểm {moment} thiếu múi giờ.", "The moment {moment} has no time zone.")
                         .format(moment=moment))
    # The ledger keeps milliseconds; the end of a day is its last one.
    return _last(database, "coalesce(c.applied_at, l.at) <= ?", instant(moment.isoformat()))


def _last(database: sqlite3.Connection, condition: str, value: object) -> int:
    return database.execute(
        "SELECT coalesce(max(l.ledger_no), 0) FROM quyhoach_ledger l LEFT JOIN quyhoach_changeset c "
        f"ON c.number = l.changeset WHERE {condition}", (value,)).fetchone()[0]


def rows_as_of(database: sqlite3.Connection, dataset: Dataset, moment: Moment) -> Iterator[tuple[str, Row]]:
    """See `History.rows_as_of`."""
    columns = data_columns(dataset)
    there, once = (", ".join(f"{alias}.{quoted(name)}" for name in columns) for alias in ("t", "o"))
    sql = ("WITH later AS (SELECT feature_id, min(ledger_no) AS first FROM quyhoach_ledger WHERE ledger_no > ?1 "
           f"AND +dataset_id = ?2 GROUP BY feature_id) SELECT t.{FEATURE_ID}, {there} FROM {quoted(dataset.name)} t "
           f"WHERE t.{FEATURE_ID} NOT IN (SELECT feature_id FROM later) UNION ALL "
           f"SELECT l.feature_id, {once} FROM later l CROSS JOIN {quoted(ledger_table(dataset))} o "
           f"ON o.ledger_no = l.first AND o.side = {_OLD}")
    with reading(database):
        for feature_id, *values in database.execute(sql, (ledger_number(database, moment), dataset.id)):
            yield feature_id, row_from_sqlite(dataset, values)


def changes_between(
    database: sqlite3.Connection, dataset: Dataset, start: Moment, end: Moment
) -> Iterator[Change]:
    """See `History.changes_between`."""
    with reading(database):
        first, last = ledger_number(database, start), ledger_number(database, end)
        if first > last:
            raise InputError(say("Thời điểm đầu ở sau thời điểm cuối.", "The first moment is after the last."))
        yield from net_changes(database, dataset, after=first, up_to=last)


def net_changes(
    database: sqlite3.Connection, dataset: Dataset, *, after: int = 0, up_to: int = _EVERYTHING,
    changeset: int | None = None
) -> Iterator[Change]:
    """Yield the first and the last state of every feature a stretch of the ledger made different, last change last."""
    columns = data_columns(dataset)
    rows = quoted(ledger_table(dataset))
    old, new = (", ".join(f"{alias}.{quoted(name)}" for name in columns) for alias in ("o", "n"))
    # The index by changeset where one is asked for, else the order of the ledger itself.
    stretch = "changeset = ?3 AND" if changeset is not None else "?3 IS NULL AND"
    sql = (f"SELECT s.feature_id, s.parent_id, o.ledger_no, n.ledger_no, {old}, {new} FROM (SELECT feature_id, "
           f"max(parent_id) AS parent_id, min(ledger_no) AS first, max(ledger_no) AS last FROM quyhoach_ledger WHERE {stretch} ledger_no > ?1 AND ledger_no <= ?2 "
           f"AND +dataset_id = ?4 GROUP BY feature_id) s LEFT JOIN {rows} o ON o.ledger_no = s.first AND o.side = {_OLD} "
           f"LEFT JOIN {rows} n ON n.ledger_no = s.last AND n.side = {_NEW} ORDER BY s.last")
    for feature_id, parent, was, became, *values in database.execute(sql, (after, up_to, changeset, dataset.id)):
        before = row_from_sqlite(dataset, values[: len(columns)]) if was is not None else None
        present = row_from_sqlite(dataset, values[len(columns):]) if became is not None else None
        if before != present:
            yield Change(dataset.name, feature_id, before, present, parent)


def inverse(
    database: sqlite3.Connection, datasets: Catalogue, number: int, *, author: str, department: str, message: str,
    decision_no: str
) -> Changeset:
    """Return the changeset that takes another one back; see `History.revert`."""
    found = database.execute("SELECT message FROM quyhoach_changeset WHERE number = ?", (number,)).fetchone()
    if found is None:
        raise InputError(
            say("Không có đợt cập nhật số {number}.", "There is no changeset {number}.").format(number=number)
        )
    # What came last is taken back first: zones of a plan before the plan.
    changes = [Change(change.dataset, change.feature_id, change.after, change.before)
               for dataset in datasets.values() for change in net_changes(database, dataset, changeset=number)][::-1]
    if not changes:
        raise InputError(say("Đợt cập nhật số {number} không còn thay đổi nào để hoàn tác.",
                             "Nothing is left of changeset {number} to take back.").format(number=number))
    told = message.strip() or say("Hoàn tác đợt cập nhật số {number}: {told}", "Taking back changeset {number}: {told}"
                                  ).format(number=number, told=found[0])
    return Changeset(str(uuid.uuid4()), author, department, told, decision_no, now(), tuple(changes))


def in_the_way(
    database: sqlite3.Connection, datasets: Catalogue, number: int, changeset: Changeset, stale: tuple[Objection, ...]
) -> tuple[Objection, ...]:
    """Say, for the features of an inverse changeset that later ones have touched, in which fields and by which."""
    changes = {(change.dataset, change.feature_id): change for change in changeset.changes}
    told = []
    for objection in stale:
        dataset = datasets[objection.dataset]
        change = changes[objection.dataset, objection.feature_id]
        end = _last(database, "l.changeset = ?", number)
        later = [(by, entry) for _, by, entry in entries(database, dataset, after=end, feature_id=objection.feature_id)]
        present = later[-1][1].after if later else None
        numbers = sorted({by for by, entry in later if by is not None and not same_row(entry.before, entry.after)})
        told.append(changed_again(dataset, change, present, numbers))
    return tuple(told)
