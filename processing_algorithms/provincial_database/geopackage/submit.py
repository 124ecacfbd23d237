"""Applying a changeset to a GeoPackage hub; the contract is `changes.ExchangingHub.submit`.

Of an edited feature only the fields it touches are read and written (`write_changes`); whole rows only where others may
have had a say: when the file has triggers that are not ours.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import suppress

from ...common.language import say
from ...common.progress import Progress
from ..acceptable import objections_to
from ..catalogue import Catalogue, Dataset
from ..changes import Change, Changeset, Objection, Outcome, Receipt, Row, strange_fields
from ..findings import require_recorded
from ..merge import same_row, same_value
from .foreign_keys import objections_by_keys, put_off, tables_with_keys
from .ledger import begin_changeset, end_changeset, put_first, triggers_of_others, unwatched
from .ledger_gaps import close_gaps
from .rights import not_allowed
from .schema import data_columns, quoted
from .unique_at_the_end import bring_back, put_away
from .write_changes import Crowded, rows_of, write_changes

_CHANGES_AT_ONCE = 5_000


def submit(
    database: sqlite3.Connection, datasets: Catalogue, srs_id: int, changeset: Changeset, progress: Progress,
    reverts: int | None = None
) -> Receipt:
    """See `changes.ExchangingHub.submit`; within the caller's transaction, which is rolled back when nothing was applied."""
    known = database.execute("SELECT number FROM quyhoach_changeset WHERE changeset_id = ?", (changeset.changeset_id,)).fetchone()
    if known:
        return Receipt(Outcome.ALREADY_APPLIED, changeset.changeset_id, known[0])
    objections: list[Objection] = []
    unknown = [change for change in changeset.changes if change.dataset not in datasets]
    if unknown:
        why = say("cơ sở dữ liệu dùng chung không có lớp này", "the shared database has no such dataset")
        return Receipt(Outcome.REFUSED, changeset.changeset_id, None,
                       tuple(Objection(change.dataset, change.feature_id, why) for change in unknown))
    require_recorded(unwatched(database, [datasets[name] for name in dict.fromkeys(change.dataset for change in changeset.changes)]))
    for change in changeset.changes:
        if strange := strange_fields(change, {*data_columns(datasets[change.dataset])}):
            objections.append(Objection(change.dataset, change.feature_id, say(
                "{dataset}: không có trường {names}.", "{dataset}: there is no field {names}.").format(
                    dataset=datasets[change.dataset].label, names=", ".join(strange))))
    for name in dict.fromkeys(change.dataset for change in changeset.changes):
        objections += objections_to(datasets[name], [change for change in changeset.changes if change.dataset == name])
    if objections:
        return Receipt(Outcome.REFUSED, changeset.changeset_id, None, tuple(objections))
    # Taking a changeset back is the keeper's work.
    if reverts is None and (refused := not_allowed(database, datasets, changeset)):
        return Receipt(Outcome.REFUSED, changeset.changeset_id, None, tuple(refused))
    parts = _parts(datasets, changeset)
    others = _others_have_a_say(database, datasets)
    if others:
        for dataset in {part.name: part for part, _ in parts}.values():
            put_first(database, dataset)
    keys = tables_with_keys(database, datasets)
    loose = put_off(database, keys) if keys else set()
    for count, (dataset, changes) in enumerate(parts):
        progress(0.3 * count / len(parts))
        present = _present(database, dataset, changes, whole=False)
        objections += [Objection(change.dataset, change.feature_id, say("đã có người khác sửa hoặc xóa; hãy nhận cập nhật rồi gửi lại",
                                                                        "somebody else has changed or deleted it; pull, then push again"))
                       for change in changes if not still_holds(change, present.get(change.feature_id))]
    if objections:
        return Receipt(Outcome.STALE, changeset.changeset_id, None, tuple(objections))
    number = begin_changeset(database, changeset_id=changeset.changeset_id, author=changeset.author,
                             department=changeset.department,
                             message=changeset.message, decision_no=changeset.decision_no, made_at=changeset.made_at,
                             working_copy_id=changeset.working_copy_id, reverts=reverts)
    objections, rewritten = _write(database, parts, srs_id, others, progress)
    if not database.in_transaction:
        return Receipt(Outcome.REFUSED, changeset.changeset_id, None, tuple(objections))
    if keys:
        objections += objections_by_keys(database, datasets, changeset.changes, keys, loose)
    if others and not objections:
        close_gaps(database, datasets.values(), number)
    end_changeset(database)
    database.executemany(
        "UPDATE quyhoach_ledger SET parent_id = ? WHERE changeset = ? AND dataset_id = ? AND feature_id = ?",
        [(parent, number, datasets[name].id, feature_id) for (name, feature_id), parent in changeset.parents().items()])
    if objections:
        return Receipt(Outcome.REFUSED, changeset.changeset_id, None, tuple(objections))
    return Receipt(Outcome.APPLIED, changeset.changeset_id, number, rewritten=tuple(rewritten))


def _write(
    database: sqlite3.Connection, parts: Sequence[tuple[Dataset, list[Change]]], srs_id: int, others: bool, progress: Progress
) -> tuple[list[Objection], list[Change]]:
    """Write all changes; return what was refused, and what is not now as it was sent."""
    database.execute("SAVEPOINT quyhoach_unique")
    with suppress(Crowded):
        return _write_parts(database, parts, srs_id, others, progress)
    database.execute("ROLLBACK TO quyhoach_unique")
    try:
        indexes = put_away(database, {dataset.name: dataset for dataset, _ in parts}.values())
        objections, rewritten = _write_parts(database, parts, srs_id, others, progress)
        unfit = bring_back(database, indexes, [change for _, some in parts for change in some]) if database.in_transaction else []
        if unfit is not None:
            return objections + unfit, rewritten
    except (Crowded, sqlite3.OperationalError) as error:
        # A key that others point at cannot do without its index, nor can a trigger of others that goes by it.
        if not isinstance(error, Crowded) and error.sqlite_errorcode != sqlite3.SQLITE_ERROR or not database.in_transaction:
            raise
    database.execute("ROLLBACK TO quyhoach_unique")
    return _write_parts(database, _joined(parts), srs_id, others, progress, one_by_one=True)


def _joined(parts: Sequence[tuple[Dataset, list[Change]]]) -> list[tuple[Dataset, list[Change]]]:
    """Put runs of one dataset together again, where no feature comes twice: a chain of values may go through all of them."""
    joined: list[tuple[Dataset, list[Change]]] = []
    for dataset, changes in parts:
        if joined and joined[-1][0] is dataset and {change.feature_id for change in joined[-1][1]}.isdisjoint(
                change.feature_id for change in changes):
            joined[-1][1].extend(changes)
        else:
            joined.append((dataset, [*changes]))
    return joined


def _write_parts(
    database: sqlite3.Connection, parts: Sequence[tuple[Dataset, list[Change]]], srs_id: int, others: bool, progress: Progress,
    *, one_by_one: bool = False
) -> tuple[list[Objection], list[Change]]:
    objections: list[Objection] = []
    rewritten: list[Change] = []
    for count, (dataset, changes) in enumerate(parts):
        progress(0.3 + 0.7 * count / len(parts))
        before = _present(database, dataset, changes, whole=True) if others else {}
        objections += write_changes(database, dataset, changes, srs_id, in_order=others, one_by_one=one_by_one)
        if not database.in_transaction:
            break
        if others:
            rewritten += _rewritten(database, dataset, changes, before)
    return objections, rewritten


def _parts(datasets: Catalogue, changeset: Changeset) -> list[tuple[Dataset, list[Change]]]:
    """Cut a changeset into runs of one dataset, in its order; a feature that comes twice begins a new run."""
    parts: list[tuple[Dataset, list[Change]]] = []
    seen: set[str] = set()
    for change in changeset.changes:
        if (
            not parts
            or parts[-1][0].name != change.dataset
            or len(parts[-1][1]) == _CHANGES_AT_ONCE
            or change.feature_id in seen
        ):
            parts.append((datasets[change.dataset], []))
            seen = set()
        parts[-1][1].append(change)
        seen.add(change.feature_id)
    return parts


def _others_have_a_say(database: sqlite3.Connection, datasets: Catalogue) -> bool:
    """Tell whether anything in the file may give a row other values than those sent: triggers or foreign keys of others."""
    return triggers_of_others(database) or any(database.execute(f"PRAGMA foreign_key_list({quoted(dataset.name)})").fetchone()
               for dataset in datasets.values())


def still_holds(change: Change, present: Row | None) -> bool:
    """Tell whether the hub's row still has what a change was made from, or already what it makes of it.

    Only the fields the change touches count: others may have moved on meanwhile.
    """
    if change.before is None or change.after is None or present is None:
        return same_row(present, change.after) or same_row(present, change.before)
    before, after = change.before, change.after
    return all(present[name] == before.get(name) or same_value(present[name], before.get(name))
               or same_value(present[name], after.get(name))
               for name in change.touched() if name in present)


def _present(database: sqlite3.Connection, dataset: Dataset, changes: Sequence[Change], *,
             whole: bool) -> dict[str, Row]:
    """Return the hub's rows of the changes' features, by id; of edited ones what is touched, unless they are wanted whole."""
    edited = [] if whole else [change for change in changes if change.before is not None and change.after is not None]
    touched = set().union(*(change.touched() for change in edited))
    rows = rows_of(database, dataset, [change.feature_id for change in edited],
                 [name for name in data_columns(dataset) if name in touched])
    rest = [change.feature_id for change in changes if whole or change.before is None or change.after is None]
    return rows | rows_of(database, dataset, rest, data_columns(dataset))


def _rewritten(
    database: sqlite3.Connection, dataset: Dataset, changes: Sequence[Change], before: dict[str, Row]
) -> Iterator[Change]:
    """Yield features that are not what the changes and what was there before make of them: a trigger had its say."""
    became = _present(database, dataset, changes, whole=True)
    for change in changes:
        if change.after is None:
            continue
        row = before.get(change.feature_id)
        wanted = change.after if row is None else {
            **row, **{name: change.after[name] for name in change.touched() if name in change.after}}
        if not same_row(became.get(change.feature_id), wanted):
            yield Change(dataset.name, change.feature_id, wanted, became.get(change.feature_id))
