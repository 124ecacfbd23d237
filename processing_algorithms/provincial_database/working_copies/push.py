"""Sending what was done (gửi cập nhật): freeze, submit, settle. Interrupted anywhere, the next push goes on."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from ...common.collector import collector_waits
from ...common.progress import Progress, silent
from ..changes import Changeset, ExchangingHub, Outcome, Receipt
from .known_copies import tell_hub
from .outgoing import freeze, pending, require_own_hub, settle
from .working_copy import WorkingCopy


@dataclass(frozen=True)
class PushReport:
    """What became of the push. ``held_back`` features have a conflict that is not settled yet."""

    receipts: tuple[Receipt, ...]
    held_back: int

    @property
    def outcome(self) -> Outcome | None:
        """The last answer of the hub; None when there was nothing to send."""
        return self.receipts[-1].outcome if self.receipts else None


@collector_waits()
def push(
    copy: WorkingCopy,
    hub: ExchangingHub,
    *,
    author: str,
    department: str = "",
    message: str,
    decision_no: str = "",
    datasets: Collection[str] | None = None,
    progress: Progress = silent,
) -> PushReport:
    """Send what was edited as one changeset, and first whatever an earlier push left under way.

    Returns
    -------
    PushReport
        APPLIED, or why not: STALE (pull first, then push again), REFUSED with the hub's objections. Nothing is half done.

    Raises
    ------
    InputError
        The hub is another one than this working copy was checked out from, or something cannot be sent as it is.
    """
    require_own_hub(copy, hub)
    receipts = [*_send_pending(copy, hub, progress)]
    if all(_landed(receipt) for receipt in receipts):
        changeset = freeze(copy, author=author, department=department, message=message, decision_no=decision_no,
                           datasets=datasets)
        if changeset is not None:
            receipts.append(_send(copy, hub, changeset, progress))
    tell_hub(copy, hub)
    held_back = copy.database.execute("SELECT count(*) FROM quyhoach_conflict").fetchone()[0]
    return PushReport(tuple(receipts), held_back)


def _send_pending(copy: WorkingCopy, hub: ExchangingHub, progress: Progress) -> list[Receipt]:
    receipts = []
    for changeset in pending(copy):
        receipts.append(_send(copy, hub, changeset, progress))
        if not _landed(receipts[-1]):
            break
    return receipts


def _send(copy: WorkingCopy, hub: ExchangingHub, changeset: Changeset, progress: Progress) -> Receipt:
    receipt = hub.submit(changeset, progress)
    settle(copy, receipt, changeset)
    return receipt


def _landed(receipt: Receipt) -> bool:
    return receipt.outcome in (Outcome.APPLIED, Outcome.ALREADY_APPLIED)
