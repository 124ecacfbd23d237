"""Pull, push and their like by file, as the dock starts them: the job beside the window, then what became of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from qgis.PyQt.QtWidgets import QFileDialog, QWidget

from ..processing_algorithms.common.language import say
from ..processing_algorithms.common.numbers_vi import format_number
from ..processing_algorithms.common.progress import Progress
from ..processing_algorithms.common.qgis_working_copy import EXCHANGE_ENDING, show_anew
from ..processing_algorithms.provincial_database.changes import Outcome, Receipt
from ..processing_algorithms.provincial_database.working_copies.working_copy import WorkingCopy
from .database_session import Session

_FILTER = f"QuyHoach (*{EXCHANGE_ENDING})"
_LANDED = (Outcome.APPLIED, Outcome.ALREADY_APPLIED)


def pull(session: Session, open_review: Callable[[], None]) -> None:
    """Receive what others did."""
    path, location = session.copy, session.hub_location()

    def job(progress: Progress) -> tuple[Any, int]:
        from ..processing_algorithms.provincial_database.hub import open_hub
        from ..processing_algorithms.provincial_database.working_copies.pull import pull

        with WorkingCopy(path) as copy, open_hub(location) as hub:
            return pull(copy, hub, progress=progress), sum(line.conflicts for line in copy.status())

    session.desk.start(
        say("Nhận cập nhật", "Pulling updates"), job, lambda found: _received(session, path, *found, open_review)
    )


def import_update(session: Session, parent: QWidget, open_review: Callable[[], None]) -> None:
    """Receive what others did from a file."""
    path = session.copy
    file, _ = QFileDialog.getOpenFileName(
        parent, say("Nhận tệp cập nhật", "Receive an update file"), str(Path(path).parent), _FILTER
    )
    if not file:
        return

    def job(progress: Progress) -> tuple[Any, int]:
        from ..processing_algorithms.provincial_database.working_copies.exchange_file import import_update

        with WorkingCopy(path) as copy:
            return import_update(copy, file, progress=progress), sum(line.conflicts for line in copy.status())

    session.desk.start(say("Nhận tệp cập nhật", "Receiving an update file"), job,
                       lambda found: _received(session, path, *found, open_review))


def _received(session: Session, path: str, report: Any, conflicts: int, open_review: Callable[[], None]) -> None:
    show_anew(path)
    session.exchanged.emit()
    refused = [receipt for receipt in report.receipts if receipt.outcome not in _LANDED]
    if refused:
        session.warn(_why_not(refused[-1]))
    if report.restored:
        session.warn(say("Cơ sở dữ liệu dùng chung đã được phục hồi từ bản sao lưu cũ hơn bản dữ liệu làm việc: {n} đối tượng trở lại thành "
                         "chỉnh sửa chưa gửi. Hãy xem lại rồi gửi cập nhật.",
                         "The shared database was restored from a backup older than this working copy: {n} features are edits to send "
                         "again. Look at them, then push.").format(n=format_number(report.to_resend)))
    text = say(
        "Đã nhận {r}, xóa theo {d}, trộn {m} đối tượng.", "Received {r}, removed {d}, merged {m} features."
    ).format(r=format_number(report.received), d=format_number(report.removed), m=format_number(report.merged))
    if conflicts:
        session.warn(text + " " + say("Có {n} đối tượng xung đột: giá trị của máy này được giữ cho tới khi xử lý.",
                                      "{n} features are in conflict: this machine's values stay until they are resolved.")
                     .format(n=format_number(conflicts)))
        open_review()
    elif not refused:
        session.desk.tell(text)


def push(session: Session, values: dict[str, str]) -> None:
    """Send what was edited."""
    path, location = session.copy, session.hub_location()

    def job(progress: Progress) -> Any:
        from ..processing_algorithms.provincial_database.hub import open_hub
        from ..processing_algorithms.provincial_database.working_copies.push import push

        with WorkingCopy(path) as copy, open_hub(location) as hub:
            return push(copy, hub, progress=progress, **values)

    session.desk.start(say("Gửi cập nhật", "Pushing updates"), job, lambda report: _sent(session, path, report))


def _sent(session: Session, path: str, report: Any) -> None:
    show_anew(path)
    session.exchanged.emit()
    held_back = (
        say("{n} đối tượng còn xung đột nên chưa gửi.", "{n} features are in conflict and were not sent.").format(
            n=format_number(report.held_back)
        )
        if report.held_back
        else ""
    )
    if report.outcome is None:
        session.desk.tell(f"{say('Không có chỉnh sửa nào để gửi.', 'There is nothing to send.')} {held_back}".strip())
    elif report.outcome not in _LANDED:
        session.warn(_why_not(report.receipts[-1]))
    else:
        text = say("Đã ghi vào cơ sở dữ liệu dùng chung thành đợt cập nhật số {number}.",
                   "Written into the shared database as changeset number {number}.").format(number=report.receipts[-1].number)
        session.warn(f"{text} {held_back}") if held_back else session.desk.tell(text)


def _why_not(receipt: Receipt) -> str:
    if receipt.outcome is Outcome.STALE:
        return say("Chưa gửi, không ghi gì: người khác đã sửa cùng chỗ ở {n} đối tượng. Hãy bấm \"Nhận cập nhật\", rồi gửi lại.",
                   "Not sent, nothing was written: others have changed the same in {n} features. Pull, then push again.").format(
                       n=format_number(len(receipt.objections)))
    reasons = "; ".join(dict.fromkeys(objection.reason for objection in receipt.objections[:5]))
    return say("Cơ sở dữ liệu dùng chung từ chối {n} đối tượng, không ghi gì: {reasons}. Chỉnh sửa vẫn còn nguyên ở máy này.",
               "The shared database refused {n} features, nothing was written: {reasons}. The edits are still here.").format(
                   n=format_number(len(receipt.objections)), reasons=reasons)


def export_changes(session: Session, values: dict[str, str], parent: QWidget) -> None:
    """Put what was edited into a file to be sent."""
    path = session.copy
    file, _ = QFileDialog.getSaveFileName(parent, say("Tệp thay đổi để gửi đi", "Changes file to send"),
                                          str(Path(path).with_suffix(EXCHANGE_ENDING)), _FILTER)
    if not file:
        return
    file = file if file.lower().endswith(EXCHANGE_ENDING) else file + EXCHANGE_ENDING

    def job(progress: Progress) -> int:
        from ..processing_algorithms.provincial_database.working_copies.exchange_file import export_changes

        with WorkingCopy(path) as copy:
            return sum(len(changeset.changes) for changeset in export_changes(copy, file, **values).changesets)

    def done(count: int) -> None:
        session.exchanged.emit()
        session.desk.tell(say("Đã xuất {n} đối tượng vào {file}. Hãy gửi tệp này cho nơi giữ cơ sở dữ liệu dùng chung; khi có tệp trả lời "
                              "thì bấm \"Nhận tệp cập nhật\".",
                              "{n} features are in {file}. Send it to the keeper of the shared database; receive the answer with "
                              "\"Receive an update file\".").format(n=format_number(count), file=file))

    session.desk.start(say("Xuất tệp thay đổi", "Exporting a changes file"), job, done)


def answer_changes(session: Session, parent: QWidget) -> None:
    """At the hub: apply an office's changes file and write the update file that answers it."""
    location = session.hub_location()
    asked, _ = QFileDialog.getOpenFileName(
        parent, say("Tệp thay đổi của cơ quan", "Changes file of an office"), "", _FILTER
    )
    if not asked:
        return
    proposed = Path(asked).with_name(f"{Path(asked).stem}_tra_loi{EXCHANGE_ENDING}")
    answer, _ = QFileDialog.getSaveFileName(
        parent, say("Tệp cập nhật để trả lời", "Update file to answer with"), str(proposed), _FILTER
    )
    if not answer:
        return
    answer = answer if answer.lower().endswith(EXCHANGE_ENDING) else answer + EXCHANGE_ENDING

    def job(progress: Progress) -> list[Receipt]:
        from ..processing_algorithms.provincial_database.hub import open_hub
        from ..processing_algorithms.provincial_database.working_copies.exchange_file import export_update

        with open_hub(location) as hub:
            return list(export_update(hub, asked, answer, progress=progress))

    def done(receipts: list[Receipt]) -> None:
        session.exchanged.emit()
        refused = [receipt for receipt in receipts if receipt.outcome not in _LANDED]
        if refused:
            session.warn(
                _why_not(refused[-1])
                + " "
                + say("Lý do đã ghi trong {file}; hãy gửi trả.", "The reasons are in {file}; send it back.").format(
                    file=answer
                )
            )
        else:
            session.desk.tell(
                say(
                    "Đã áp dụng {n} đợt cập nhật. Hãy gửi trả tệp {file}.",
                    "{n} changesets are applied. Send {file} back.",
                ).format(n=len(receipts), file=answer)
            )

    session.desk.start(say("Áp dụng tệp thay đổi", "Applying a changes file"), job, done)
