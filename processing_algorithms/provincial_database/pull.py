"""Receiving what others did (nhận cập nhật): a delivery of the hub merged into a working copy, in one transaction.

For each feature the base is the hub's row as last known. What nobody here touched becomes theirs; what was touched is
merged field by field; what cannot be merged stays ours and becomes a conflict that survives closing QGIS.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from ..common.progress import Progress, silent
from .catalogue import Dataset
from .catalogue.model import FEATURE_ID
from .changes import Delivery, ExchangingHub, Outcome, Position, Receipt, Row, Scope
from .conflict_review import base_in_dispute, note_conflict, withdraw_conflict
from .geopackage_schema import quoted
from .merge import Clash, merge_rows, same_row
from .outgoing import pending, settle
from .rows import now
from .working_copy import WorkingCopy
from .working_copy_schema import copy_trigger_statements


@dataclass
class PullReport:
    """What a pull did; counts of features."""

    received: int = 0
    merged: int = 0
    removed: int = 0
    unchanged: int = 0
    conflicts: int = 0
    compared_whole: bool = False
    receipts: list[Receipt] = field(default_factory=list)


def pull(copy: WorkingCopy, hub: ExchangingHub, *, progress: Progress = silent) -> PullReport:
    """Settle what is under way, then receive and merge all that is new.

    Raises
    ------
    InputError
        The hub is another one than this working copy was checked out from.
    OutputError
        Another program holds the working copy.
    """
    report = PullReport()
    for changeset in pending(copy):
        # Sent before, perhaps: the hub applies it now or says that it has it already.
        receipt = hub.submit(changeset)
        settle(copy, receipt)
        report.receipts.append(receipt)
        if receipt.outcome not in (Outcome.APPLIED, Outcome.ALREADY_APPLIED):
            break
    scopes = copy.scopes()
    lost = [dataset for dataset in copy.datasets.values() if copy.tracking_lost(dataset)]
    whole = bool(lost) or hub.position().incarnation != copy.position.incarnation
    with hub.deliver(scopes, None if whole else copy.position, progress) as delivery:
        receive(copy, delivery, scopes, lost=lost, report=report, progress=progress)
    return report


def receive(
    copy: WorkingCopy,
    delivery: Delivery,
    scopes: list[Scope],
    *,
    lost: list[Dataset] | None = None,
    report: PullReport | None = None,
    progress: Progress = silent,
) -> PullReport:
    """Merge a delivery, whichever way it came. All of it or nothing."""
    report = report or PullReport()
    report.compared_whole = delivery.whole
    with copy.applying("pull"):
        for dataset in lost or []:
            _mend_tracking(copy, dataset)
        seen: dict[str, set[str]] = {scope.dataset: set() for scope in scopes}
        for count, (name, feature_id, theirs) in enumerate(delivery.rows):
            if count % 1000 == 0:
                progress(0.5)
            dataset = copy.datasets[name]
            if delivery.whole:
                seen[name].add(feature_id)
            _merge_in(copy, dataset, feature_id, theirs, dataset in (lost or []), report)
        if delivery.whole:
            for name, present in seen.items():
                _without_the_missing(copy, copy.datasets[name], present, dataset_lost=copy.datasets[name] in (lost or []), report=report)
        _note_position(copy, delivery.position)
    return report


def _merge_in(copy: WorkingCopy, dataset: Dataset, feature_id: str, theirs: Row | None, tracking_was_lost: bool, report: PullReport) -> None:
    touched, base = copy.base(dataset, feature_id)
    ours = copy.row(dataset, feature_id)
    if same_row(ours, theirs):
        # The usual case after a push: what comes is what was sent.
        copy.forget_base(dataset, feature_id)
        withdraw_conflict(copy, dataset, feature_id)
        report.unchanged += 1
        return
    if not touched and tracking_was_lost:
        # Nobody knows who changed what: nothing may be taken for untouched.
        base = None
    base = base_in_dispute(copy, dataset, feature_id, base)
    merged = merge_rows(base, ours, theirs)
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


def _without_the_missing(copy: WorkingCopy, dataset: Dataset, present: set[str], *, dataset_lost: bool, report: PullReport) -> None:
    """After a whole delivery: features here that did not come are gone at the hub, unless they are new here."""
    here = [row[0] for row in copy.database.execute(f"SELECT {FEATURE_ID} FROM {quoted(dataset.name)}")]
    for feature_id in here:
        if feature_id in present:
            continue
        touched, base = copy.base(dataset, feature_id)
        if touched and base is None:
            continue
        if dataset_lost and not touched:
            # Without tracking a row the hub does not have may be somebody's new work: it is kept, as new.
            copy.put_base(dataset, feature_id, None)
            continue
        _merge_in(copy, dataset, feature_id, None, dataset_lost, report)


def _mend_tracking(copy: WorkingCopy, dataset: Dataset) -> None:
    """Put the triggers back that a program has lost, and give identities to rows that came without one."""
    for name, sql in copy_trigger_statements(dataset).items():
        copy.database.execute(f"DROP TRIGGER IF EXISTS {quoted(name)}")
        copy.database.execute(sql)


def _note_position(copy: WorkingCopy, position: Position) -> None:
    copy.set_facts(hub_id=position.hub_id, incarnation=position.incarnation, token=position.token, pulled_at=now())
