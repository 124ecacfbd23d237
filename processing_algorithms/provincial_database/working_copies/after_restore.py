"""A working copy meets a hub that was restored from a backup, and knows more than the backup does.

What was sent after the backup was made exists in working copies only. Their rows look untouched, so taking the hub's
silence for news would delete the last trace of that work. A copy that is no newer than the backup pulls as ever, because
the restored hub goes on counting. A newer one compares everything. Where the hub can tell, the comparison starts from
the *parting*: the row as it stood when the backup was made, which both histories have.

==========================  ==========  ==========  ==================================================================
at the parting              here        hub now     result
==========================  ==========  ==========  ==================================================================
none                        row         none        ours is new again: an edit to send
row                         other       unchanged   ours: an edit to send
row                         gone        unchanged   deleted: an edit to send; in a copy of a part DELETED_OURS, because
                                                    the feature may only have left the part
row                         unchanged   other       theirs
row                         unchanged   gone        gone
row                         other       other       per field; fields changed on both sides are a conflict
row                         gone        other       DELETED_OURS
row                         other       gone        DELETED_THEIRS
unknown                     row         other       a conflict in all fields that differ
unknown                     row         none        DELETED_THEIRS; should it come after all, as with another row
unknown                     none        row         theirs
==========================  ==========  ==========  ==================================================================

The hub's row as last known here counts as a second starting point: where the hub has that again (another copy has sent
it already), it has nothing new, and what was edited here stays an edit.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import replace

from ...common.errors import InputError
from ...common.language import say
from ...common.progress import Progress, silent
from ..catalogue import Dataset
from ..changes import Delivery, ExchangingHub, Parting, Position, RemembersRestores, Row, RowBatch, Scope
from ..merge import Clash, Merge, merge_rows, same_row, same_value
from .conflict_review import base_in_dispute, dispute_of
from .working_copy import WorkingCopy


@contextmanager
def delivered(
    hub: ExchangingHub, scopes: list[Scope], since: Position, sent: Collection[str], *, whole: bool = False,
    progress: Progress = silent
) -> Iterator[Delivery]:
    """Give what a hub hands over to a working copy at a position; ``whole`` asks for everything in any case.

    ``sent`` are the changesets the hub has taken from the working copy since that position: it knows of them beyond it.
    `Delivery.parting` is set when the hub was restored from a backup that lacks something of this.

    Raises
    ------
    InputError
        It is another hub.
    """
    here = hub.position()
    if here.hub_id != since.hub_id:
        raise InputError(say("Bản dữ liệu làm việc này thuộc một cơ sở dữ liệu dùng chung khác.",
                             "This working copy belongs to another shared database."))
    if isinstance(hub, RemembersRestores):
        if not hub.continues(since, sent):
            with hub.compare(scopes, since, progress) as delivery:
                yield delivery
            return
        gone = _gone_since(hub, scopes, since) if whole else set()
        with hub.deliver(scopes, None if whole else since, progress) as delivery:
            yield _telling(delivery, gone) if gone else delivery
        return
    continues = here.incarnation == since.incarnation
    with hub.deliver(scopes, since if continues and not whole else None, progress) as delivery:
        yield delivery if continues else replace(delivery, parting=Parting(False, {}))


def _gone_since(hub: ExchangingHub, scopes: list[Scope], since: Position) -> set[tuple[str, str]]:
    """Return what has gone since a position. A layer of which nobody knows what was done needs to tell that from new work."""
    with hub.deliver(scopes, since) as news:
        if news.whole:
            return set()
        if news.batches is not None:
            return {(batch.dataset, feature_id) for batch in news.batches for feature_id in batch.gone}
        return {(name, feature_id) for name, feature_id, row in news.rows if row is None}


def _telling(delivery: Delivery, gone: set[tuple[str, str]]) -> Delivery:
    """The delivery, and after its rows what is not among them because it has gone."""

    def rows() -> Iterator[tuple[str, str, Row | None]]:
        left = set(gone)
        for name, feature_id, row in delivery.rows:
            left.discard((name, feature_id))
            yield name, feature_id, row
        yield from ((name, feature_id, None) for name, feature_id in sorted(left))

    def batches(given: Iterator[RowBatch]) -> Iterator[RowBatch]:
        left = set(gone)
        for batch in given:
            left.difference_update((batch.dataset, str(row[0])) for row in batch.rows)
            yield batch
        for name in sorted({name for name, _ in left}):
            yield RowBatch(name, (), [], sorted(feature_id for of, feature_id in left if of == name))

    return replace(delivery, rows=rows(), batches=None if delivery.batches is None else batches(delivery.batches))


def merge_after_restore(
    copy: WorkingCopy, dataset: Dataset, feature_id: str, base: Row | None, ours: Row | None, theirs: Row | None,
    parting: Parting, *, tracked: bool, part: bool
) -> tuple[Merge, Row | None]:
    """Merge one feature whose rows differ; see the table of this module.

    Parameters
    ----------
    base : dict or None
        The hub's row as last known here.
    tracked : bool
        Whether edits here were noticed; else ``base`` says nothing.
    part : bool
        Whether the working copy holds only a part of the dataset.

    Returns
    -------
    Merge
        The row, and what could not be merged.
    Row or None
        The starting point to show with a conflict.
    """
    # What the hub has not changed since the parting stood then as it does now.
    then = parting.changed.get((dataset.name, feature_id), theirs)
    starts: list[Row | None] = [base] if tracked else [{}]
    if parting.known:
        starts = [*starts, then] if tracked else [then]
    dispute = dispute_of(copy, dataset, feature_id)
    if dispute is not None:
        starts = _in_dispute(copy, dataset, feature_id, starts, dispute, theirs)
    shown = next((start for start in reversed(starts) if start), None)
    unseen = part and parting.known and ours is None and base is None
    merge = _merge(starts, ours, theirs, parting.known, unseen)
    if not parting.known and ours is not None and merge.clash is not Clash.NONE and shown is not None:
        # Nobody knows where these began. Kept with the conflict, the last row known here is mostly ours itself, and a later pull would take
        # ours for untouched, also when what seemed to be gone has only left the part.
        shown = {name: value for name, value in shown.items() if name not in merge.fields}
    return merge, shown


def _in_dispute(
    copy: WorkingCopy, dataset: Dataset, feature_id: str, starts: list[Row | None],
    dispute: tuple[Clash, frozenset[str]], theirs: Row | None
) -> list[Row | None]:
    """Starting points of a feature in dispute: for what is disputed only the one from before the dispute counts."""
    clash, fields = dispute
    before = base_in_dispute(copy, dataset, feature_id, starts[0])
    if clash is Clash.FIELDS:
        others = [start and {name: value for name, value in start.items() if name not in fields}
                  for start in starts[1:]]
        return [before, *(start and {**start, **{name: before[name] for name in fields if before and name in before}}
                          for start in others)]
    return [before] if clash is Clash.DELETED_OURS or theirs is None else [before, *starts[1:]]


def _merge(starts: list[Row | None], ours: Row | None, theirs: Row | None, known: bool, unseen: bool) -> Merge:
    if any(_equal(theirs, start) for start in starts):
        if unseen and theirs is not None:
            return Merge(None, Clash.DELETED_OURS, frozenset(theirs))
        return merge_rows(theirs, ours, theirs)  # the hub has nothing new
    if known and all(_equal(start, starts[0]) for start in starts):
        return merge_rows(starts[0], ours, theirs)
    if theirs is None:
        return Merge(ours and dict(ours), Clash.DELETED_THEIRS, frozenset(ours or ()))
    if ours is None:
        if all(start is None for start in starts):
            return Merge(dict(theirs))
        return Merge(None, Clash.DELETED_OURS, frozenset(theirs))
    return merge_rows(_agreed(starts, theirs, known), ours, theirs)


def _equal(first: Row | None, second: Row | None) -> bool:
    return same_row(first, second) and (first is None or first.keys() <= (second or {}).keys())


def _agreed(starts: list[Row | None], theirs: Row, known: bool) -> Row:
    """The fields whose starting point is certain; a field that is missing from it is disputed where both sides differ."""
    agreed: Row = {}
    for name, value in theirs.items():
        begun = [start[name] for start in starts if start and name in start]
        if any(same_value(value, one) for one in begun):
            agreed[name] = value
        elif known and begun and all(same_value(begun[0], one) for one in begun):
            agreed[name] = begun[0]
    return agreed
