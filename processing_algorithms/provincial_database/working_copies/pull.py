"""Receiving what others did (nhận cập nhật): a delivery of the hub merged into a working copy, in one transaction.

For each feature the base is the hub's row as last known. What nobody here touched becomes theirs; what was touched is
merged field by field; what cannot be merged stays ours and becomes a conflict that survives closing QGIS.

From a hub restored from a backup that is older than this copy, nothing counts as untouched: see the table of outcomes in
`after_restore`.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace

from ...common.collector import collector_waits
from ...common.progress import Progress, silent
from ..administration.schema_growth import grow, lacking_fields
from ..catalogue import Dataset
from ..catalogue.model import FEATURE_ID
from ..changes import Delivery, ExchangingHub, Outcome, Parting, Position, Receipt, Row, RowBatch, Scope
from ..merge import Clash, Merge, merge_rows, same_row
from ..rows import now, row_from_sqlite
from .after_restore import delivered, merge_after_restore
from .conflict_review import base_in_dispute, dispute_of, note_conflict, withdraw_conflict
from .incoming_rows import Present, Sorted, batches, sort_out, stored_bases, stored_rows, write_rows
from .known_copies import tell_hub
from .lost_tracking import mend_tracking, renew_checks
from .outgoing import pending, require_own_hub, settle
from .scopes import is_whole, outside
from .working_copy import WorkingCopy
from .working_copy_schema import base_table


@dataclass
class PullReport:
    """What a pull did; counts of features."""

    received: int = 0
    merged: int = 0
    removed: int = 0
    unchanged: int = 0
    conflicts: int = 0
    compared_whole: bool = False
    #: The hub was restored from a backup older than this copy; ``to_resend`` features are edits again that were sent once.
    restored: bool = False
    to_resend: int = 0
    receipts: list[Receipt] = field(default_factory=list)


@collector_waits()
def pull(copy: WorkingCopy, hub: ExchangingHub, *, progress: Progress = silent) -> PullReport:
    """Settle what is under way, then receive and merge all that is new.

    Raises
    ------
    InputError
        The hub is another one than this working copy was checked out from.
    OutputError
        Another program holds the working copy.
    """
    require_own_hub(copy, hub)
    report = PullReport()
    for changeset in pending(copy):
        # Sent before, perhaps: the hub applies it now or says that it has it already.
        receipt = hub.submit(changeset)
        settle(copy, receipt, changeset)
        report.receipts.append(receipt)
        if receipt.outcome not in (Outcome.APPLIED, Outcome.ALREADY_APPLIED):
            break
    scopes = asked_for(copy)
    lost = [dataset for dataset in copy.datasets.values() if copy.tracking_lost(dataset)]
    whole = bool(lost or lacking_fields(copy, hub.datasets))
    with delivered(hub, scopes, copy.position, copy.sent, whole=whole, progress=progress) as delivery:
        receive(copy, delivery, scopes, known=hub.datasets, lost=lost, report=report, progress=progress)
    tell_hub(copy, hub)
    return report


def asked_for(copy: WorkingCopy) -> list[Scope]:
    """What a pull asks the hub for: what the copy holds, and whatever has become of the features edited here."""
    return [replace(scope, features=frozenset(copy.edited_ids(copy.datasets[scope.dataset])))
            for scope in copy.scopes()]


def receive(
    copy: WorkingCopy,
    delivery: Delivery,
    scopes: list[Scope],
    *,
    known: Mapping[str, Dataset] | None = None,
    lost: list[Dataset] | None = None,
    report: PullReport | None = None,
    progress: Progress = silent,
) -> PullReport:
    """Merge a delivery, whichever way it came. All of it or nothing. ``known`` are the datasets of the hub, to grow after."""
    report = report or PullReport()
    report.compared_whole, report.restored = delivery.whole, delivery.parting is not None
    with copy.applying("pull"):
        grow(copy, known or {})
        for dataset in lost or []:
            mend_tracking(copy, copy.datasets[dataset.name])
        renew_checks(copy)
        merge_delivery(copy, delivery, scopes, lost={dataset.name for dataset in lost or []}, report=report,
                       progress=progress)
        _let_go(copy, scopes, report)
        _note_position(copy, delivery.position)
    return report


def merge_delivery(
    copy: WorkingCopy, delivery: Delivery, scopes: Iterable[Scope], *, lost: Collection[str], report: PullReport,
    progress: Progress
) -> None:
    """Merge all rows of a delivery, within `WorkingCopy.applying`; of ``scopes`` a whole delivery brings all there is.

    A feature edited since the hub was asked, of which it says that it is gone, may only have left the scope: it waits
    for the next pull, which asks for it by name.
    """
    edited = {dataset.name: copy.edited_ids(dataset) for dataset in copy.datasets.values()}
    asked = {scope.dataset: scope.features for scope in scopes}
    unknown = {name: ids - asked.get(name, frozenset()) for name, ids in edited.items()}
    present = Present(copy) if delivery.whole and asked else None
    for count, batch in enumerate(batches(delivery, copy.datasets, copy.srs_id)):
        dataset = copy.datasets[batch.dataset]
        progress(0.5, f"{dataset.label}: {count}")
        if present is not None:
            present.add(batch)
        batch = replace(batch,
                        gone=[feature_id for feature_id in batch.gone if feature_id not in unknown[batch.dataset]])
        _merge_batch(copy, dataset, batch, edited[batch.dataset], batch.dataset in lost, report, delivery.parting)
    if present is not None:
        for name in asked:
            _without_the_missing(copy, copy.datasets[name], present, edited[name], unknown[name], name in lost, report,
                                 delivery.parting)
        present.drop()


def _merge_batch(
    copy: WorkingCopy, dataset: Dataset, batch: RowBatch, edited: Collection[str], tracking_was_lost: bool,
    report: PullReport,
    parting: Parting | None
) -> None:
    ids = [*(str(row[0]) for row in batch.rows), *batch.gone]
    known = stored_bases(copy, dataset, batch.columns, [feature_id for feature_id in ids if feature_id in edited])
    ours = stored_rows(copy, dataset, batch.columns, ids)
    found = sort_out(batch, ours, edited, known, trusted=not tracking_was_lost and parting is None)
    if parting is not None:
        # What is not here may have been deleted here after the backup.
        found.merge += ((str(row[0]), row) for row in found.new)
        found.new = []
    write_rows(copy, dataset, batch.columns, found, ours)
    report.unchanged += len(found.same) + found.nothing_new
    report.received += len(found.new) + len(found.changed)
    report.removed += len(found.gone)
    for feature_id in found.same:
        if feature_id in edited:
            copy.forget_base(dataset, feature_id)
            withdraw_conflict(copy, dataset, feature_id)
    part = replace(dataset, fields=tuple(field for field in dataset.fields if field.name in batch.columns))
    for feature_id, values in found.merge:
        theirs = None if values is None else row_from_sqlite(part, values[1:])
        _merge_in(copy, dataset, feature_id, theirs, tracking_was_lost, report, parting)


def _merge_in(
    copy: WorkingCopy, dataset: Dataset, feature_id: str, theirs: Row | None, tracking_was_lost: bool,
    report: PullReport,
    parting: Parting | None
) -> None:
    touched, base = copy.base(dataset, feature_id)
    ours = copy.row(dataset, feature_id)
    if same_row(ours, theirs):
        # The usual case after a push: what comes is what was sent.
        copy.forget_base(dataset, feature_id)
        withdraw_conflict(copy, dataset, feature_id)
        report.unchanged += 1
        return
    if parting is None and touched and same_row(theirs, base):
        # The hub has nothing new: what is edited here stays an edit, what is in dispute stays in dispute.
        report.unchanged += 1
        return
    if not touched and tracking_was_lost:
        # Nobody knows who changed what: nothing may be taken for untouched.
        base = None
    if parting is None:
        base = base_in_dispute(copy, dataset, feature_id, base)
        merged = merge_rows(base, ours, theirs)
        dispute = dispute_of(copy, dataset, feature_id)
        if theirs is None and ours is not None and dispute is not None and dispute[0] is Clash.FIELDS:
            # Since a restore the base may be ours itself, though nobody knows what was sent after the backup: then ours looks untouched.
            merged = Merge(ours, Clash.DELETED_THEIRS, frozenset(ours))
        elif theirs is None and ours is not None and tracking_was_lost and not touched:
            # The hub says that somebody has deleted it since: nobody knows whether it was edited here meanwhile.
            merged = Merge(ours, Clash.DELETED_THEIRS, frozenset(ours))
    else:
        part = any(scope.dataset == dataset.name and not is_whole(scope) for scope in copy.scopes())
        merged, base = merge_after_restore(copy, dataset, feature_id, base, ours, theirs, parting,
                                           tracked=not tracking_was_lost, part=part)
        report.to_resend += not touched and same_row(merged.row, ours) and merged.clash is Clash.NONE
    if not same_row(merged.row, ours):
        copy.put_row(dataset, feature_id, merged.row)
    if same_row(merged.row, theirs):
        copy.forget_base(dataset, feature_id)
        report.removed += theirs is None
        report.received += theirs is not None
    else:
        copy.put_base(dataset, feature_id, theirs)
        report.merged += merged.clash is Clash.NONE
    if merged.clash is Clash.NONE:
        withdraw_conflict(copy, dataset, feature_id)
    else:
        note_conflict(copy, dataset, feature_id, merged, base, ours, theirs)
        report.conflicts += 1


def _without_the_missing(
    copy: WorkingCopy, dataset: Dataset, present: Present, edited: set[str], unknown: set[str], dataset_lost: bool,
    report: PullReport,
    parting: Parting | None
) -> None:
    """After a whole delivery: features here that did not come are gone at the hub, unless they are new here."""
    missing = present.missing(dataset, dataset.name)
    if parting is not None:
        for feature_id in missing:
            if feature_id not in edited:
                _merge_in(copy, dataset, feature_id, None, dataset_lost, report, parting)
    elif dataset_lost:
        told_gone = copy.edited_ids(dataset)
        for feature_id in missing:
            if feature_id not in told_gone:
                # Without tracking a row the hub does not have may be somebody's new work: it is kept, as new.
                copy.put_base(dataset, feature_id, None)
    else:
        untouched = [feature_id for feature_id in missing if feature_id not in edited]
        write_rows(copy, dataset, (), Sorted(gone=untouched), {})
        report.removed += len(untouched)
    for feature_id in edited & set(present.missing(dataset, base_table(dataset))) - unknown:
        _merge_in(copy, dataset, feature_id, None, dataset_lost, report, parting)


def _let_go(copy: WorkingCopy, scopes: Iterable[Scope], report: PullReport) -> None:
    """What was asked for by name because it had been edited, and is edited no more, leaves where it is not in the scope."""
    for scope in scopes:
        dataset = copy.datasets[scope.dataset]
        settled = scope.features - copy.edited_ids(dataset) if not is_whole(scope) else frozenset()
        if settled:
            leaving = outside(copy, dataset, scope, dataset.name, f"{FEATURE_ID} IN (SELECT value FROM json_each(?))",
                              (json.dumps(sorted(settled)),))
            write_rows(copy, dataset, (), Sorted(gone=sorted(leaving)), {})
            report.removed += len(leaving)


def _note_position(copy: WorkingCopy, position: Position) -> None:
    copy.set_facts(hub_id=position.hub_id, incarnation=position.incarnation, token=position.token, pulled_at=now(),
                   sent="[]")
