"""Changesets on their way from a working copy to the hub.

Freezing comes before the first attempt to send and is committed on its own: whatever happens then (a cut line, a killed
program, a lost file), the same changeset with the same id is sent again, and the hub applies it once. Edits made after
freezing belong to the next changeset. Base rows stay what the hub is known to have until the hub has answered.
"""

from __future__ import annotations

import json
import uuid
import zlib
from collections.abc import Collection, Sequence
from dataclasses import replace

from ...common.errors import InputError
from ...common.language import say
from ..catalogue import Dataset
from ..catalogue.model import FEATURE_ID
from ..changes import Change, Changeset, ExchangingHub, Outcome, Receipt, Row
from ..merge import differs, same_row
from ..rows import bytes_to_plain, now, row_from_plain
from .lost_tracking import renew_checks
from .scopes import is_whole, outside
from .working_copy import WorkingCopy

_ROWS_AT_ONCE = 10_000


def pending(copy: WorkingCopy) -> list[Changeset]:
    """Return the frozen changesets the hub has not answered yet, oldest first."""
    rows = copy.database.execute(
        "SELECT changeset_id, author, department, message, decision_no, made_at, changes FROM quyhoach_outgoing ORDER BY sequence")
    with copy.sound():
        return [Changeset(*facts, changes=unpack_changes(packed), working_copy_id=copy.id) for *facts, packed in rows]


def waiting_features(copy: WorkingCopy) -> set[tuple[str, str]]:
    """Return dataset and id of the features in frozen changesets."""
    return {(change.dataset, change.feature_id) for changeset in pending(copy) for change in changeset.changes}


def freeze(
    copy: WorkingCopy, *, author: str, department: str = "", message: str, decision_no: str = "",
    datasets: Collection[str] | None = None
) -> Changeset | None:
    """Freeze what was edited into a changeset; None when there is nothing new to send.

    Features with an unsettled conflict stay behind. ``datasets`` limits it to some.

    Raises
    ------
    InputError
        No message: history without a reason helps nobody. Or one that is no text.
    """
    if not message.strip():
        raise InputError(say("Hãy ghi nội dung đợt cập nhật (ví dụ: Chỉnh lý biến động tháng 11).",
                             "Write what this changeset is about (such as: November updates).") )
    if any("\0" in text for text in (author, department, message, decision_no)):
        # No hub takes it, and what is frozen cannot be written anew.
        raise InputError(say("Nội dung đợt cập nhật có ký tự không phải là chữ; hãy gõ lại.",
                             "What is written about this changeset holds characters that are not text; type it anew."))
    seen = copy.version()
    disputed = set(copy.database.execute("SELECT dataset_id, feature_id FROM quyhoach_conflict"))
    sent = _sent_rows(copy)
    changes: list[Change] = []
    for dataset in copy.datasets.values():
        if datasets is not None and dataset.name not in datasets:
            continue
        if copy.tracking_lost(dataset):
            raise InputError(say("Lớp {dataset} đã bị chương trình khác tạo lại nên không còn theo dõi được chỉnh sửa; hãy nhận cập nhật để so sánh lại "
                                 "toàn bộ trước khi gửi.",
                                 "Layer {dataset} was made anew by another program and edits are no longer tracked; pull first, which compares "
                                 "everything, then send.").format(dataset=dataset.label))
        edited = set()
        for change in copy.edits(dataset):
            edited.add(change.feature_id)
            key = (change.dataset, change.feature_id)
            if (dataset.id, change.feature_id) in disputed:
                continue
            if key in sent:
                change = replace(change, before=sent[key])
                if not differs(change):
                    continue
            changes.append(change)
        changes += _taken_back(copy, dataset, edited, sent)
    if not changes:
        return None
    changeset = Changeset(str(uuid.uuid4()), author, department, message.strip(), decision_no.strip(), now(),
                          tuple(changes), copy.id)
    with copy.applying("freeze"):
        renew_checks(copy)
        copy.database.execute(
            "INSERT INTO quyhoach_outgoing (changeset_id, author, department, message, decision_no, made_at, changes) VALUES (?, ?, ?, ?, ?, ?, ?)",
            (changeset.changeset_id, author, department, changeset.message, changeset.decision_no, changeset.made_at,
             pack_changes(changes)))
    copy.frozen = changeset.changeset_id, seen, copy.database.total_changes
    return changeset


def _sent_rows(copy: WorkingCopy) -> dict[tuple[str, str], Row | None]:
    """What the hub will have of the features under way, once all pending changesets are applied."""
    return {(change.dataset, change.feature_id): change.after for changeset in pending(copy)
            for change in changeset.changes}


def _taken_back(
    copy: WorkingCopy, dataset: Dataset, edited: set[str], sent: dict[tuple[str, str], Row | None]
) -> list[Change]:
    """Features under way that were since edited back to the hub's state: no longer an edit, but different from what was sent."""
    back = []
    for (of, feature_id), after in sent.items():
        if of == dataset.name and feature_id not in edited:
            ours = copy.row(dataset, feature_id)
            if not same_row(after, ours):
                back.append(Change(of, feature_id, after, ours))
    return back


def require_own_hub(copy: WorkingCopy, hub: ExchangingHub) -> None:
    """Refuse any hub but the one this working copy is of: what another takes would count as sent, and never arrive.

    Raises
    ------
    InputError
        It is another hub.
    """
    if hub.position().hub_id != copy.position.hub_id:
        raise InputError(say("Bản dữ liệu làm việc này thuộc một cơ sở dữ liệu dùng chung khác.",
                             "This working copy belongs to another shared database."))


def settle(copy: WorkingCopy, receipt: Receipt, changeset: Changeset | None = None) -> None:
    """Take note of the hub's answer to a pending changeset; an answer to one that is not pending changes nothing.

    Applied: what was sent is now what the hub has. Anything else: this changeset and those frozen after it are thawed,
    their edits are edits again, and the next pull merges them. ``changeset`` is the pending one, if at hand.
    """
    if changeset is None or not _is_pending(copy, receipt.changeset_id):
        changeset = next((one for one in pending(copy) if one.changeset_id == receipt.changeset_id), None)
    if changeset is None:
        return
    own = copy.database.total_changes
    with copy.applying("settle"):
        if receipt.outcome in (Outcome.APPLIED, Outcome.ALREADY_APPLIED):
            # As it was frozen: known at once where nobody has written into the file since.
            untouched = copy.frozen == (receipt.changeset_id, copy.version(), own)
            for name, dataset in copy.datasets.items():
                _now_at_hub(copy, dataset, [change for change in changeset.changes if change.dataset == name],
                            untouched, receipt.outcome is Outcome.ALREADY_APPLIED)
            for change in receipt.rewritten:
                if change.dataset in copy.datasets:
                    _rewritten_by_hub(copy, change)
            copy.database.execute("DELETE FROM quyhoach_outgoing WHERE changeset_id = ?", (receipt.changeset_id,))
            # Known to be at the hub, beyond the position of the last pull: a hub that lacks it one day was restored.
            copy.set_facts(sent=json.dumps([*copy.sent, receipt.changeset_id]))
        else:
            copy.database.execute("DELETE FROM quyhoach_outgoing WHERE sequence >= (SELECT sequence FROM quyhoach_outgoing WHERE changeset_id = ?)",
                                  (receipt.changeset_id,))


def _is_pending(copy: WorkingCopy, changeset_id: str) -> bool:
    return copy.database.execute("SELECT 1 FROM quyhoach_outgoing WHERE changeset_id = ?",
                                 (changeset_id,)).fetchone() is not None


def _now_at_hub(copy: WorkingCopy, dataset: Dataset, changes: Sequence[Change], untouched: bool, earlier: bool) -> None:
    """Note what the hub has; ``earlier`` where it took that some time ago.

    Others may have changed it or taken it back since, which an update file may have told already: the next pull asks by name.
    So it does for what lies outside this copy's part, which then leaves: a restored hub that had it already has nothing to tell.
    """
    beyond = _beyond(copy, dataset, changes)
    for change in changes:
        if change.feature_id in beyond:
            copy.put_base(dataset, change.feature_id, change.after)
    changes = [change for change in changes if change.feature_id not in beyond]
    if untouched and not earlier:
        copy.forget_bases(dataset, [change.feature_id for change in changes])
        return
    for start in range(0, len(changes), _ROWS_AT_ONCE):
        some = changes[start:start + _ROWS_AT_ONCE]
        ours = copy.rows(dataset, [change.feature_id for change in some])
        settled = []
        for change in some:
            if not earlier and same_row(ours.get(change.feature_id), change.after):
                settled.append(change.feature_id)
            else:
                copy.put_base(dataset, change.feature_id, change.after)
        copy.forget_bases(dataset, settled)


def _beyond(copy: WorkingCopy, dataset: Dataset, changes: Sequence[Change]) -> set[str]:
    """Return which of the features are here and outside what the copy holds of the dataset."""
    scope = next((scope for scope in copy.scopes() if scope.dataset == dataset.name), None)
    if scope is None or is_whole(scope) or not changes:
        return set()
    return outside(copy, dataset, scope, dataset.name, f"{FEATURE_ID} IN (SELECT value FROM json_each(?))",
                   (json.dumps([change.feature_id for change in changes]),))


def _rewritten_by_hub(copy: WorkingCopy, change: Change) -> None:
    """A trigger of the hub altered what was sent: take its value where nobody has edited since."""
    dataset = copy.datasets[change.dataset]
    if same_row(copy.row(dataset, change.feature_id), change.before):
        copy.put_row(dataset, change.feature_id, change.after)
        copy.forget_base(dataset, change.feature_id)
    else:
        copy.put_base(dataset, change.feature_id, change.after)


def pack_changes(changes: Collection[Change]) -> bytes:
    """Write changes as compressed JSON: of an edited feature the row as it was, and what has become different."""
    packed = [[c.dataset, c.feature_id, c.before, _after(c), c.parent_id] for c in changes]
    text = json.dumps(packed, ensure_ascii=False, separators=(",", ":"), default=bytes_to_plain)
    return zlib.compress(text.encode("utf-8"), level=1)


def _after(change: Change) -> object:
    """The row as it became; a list with what differs where both rows have the same fields."""
    before, after = change.before, change.after
    if before is None or after is None or before.keys() != after.keys():
        return after
    return [{name: after[name] for name in change.touched()}]


def most_unpacked(packed: int) -> int:
    """How many bytes so many packed ones may be: rows do not pack tighter, and what is more would fill the memory."""
    return max(64 * 1024**2, 200 * packed)


def unpack_changes(packed: bytes) -> tuple[Change, ...]:
    """Read what `pack_changes` wrote.

    Raises
    ------
    ValueError
        It is not such a text.
    """
    changes = []
    opened = zlib.decompressobj()
    text = opened.decompress(packed, most_unpacked(len(packed)))
    if not opened.eof:
        raise ValueError("not whole, or too large")
    plain = json.loads(text.decode("utf-8"))
    if not isinstance(plain, list):
        raise ValueError("no changes")
    for dataset, feature_id, was, became, parent_id in plain:
        before = row_from_plain(was)
        if isinstance(became, list):
            [different] = became
            after = {**(before or {}), **(row_from_plain(different) or {})}
        else:
            after = row_from_plain(became)
        changes.append(Change(dataset, feature_id, before, after, parent_id))
    return tuple(changes)
