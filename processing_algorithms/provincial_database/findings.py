"""What a look at a hub finds, for both kinds of hub: how well each thing is, and what a restore drill proves."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

import pandas

from ..common.errors import OutputError, name_some
from ..common.language import say
from ..common.numbers_vi import format_number
from .catalogue import Dataset
from .changes import Objection
from .imports.incoming_values import VIETNAM

#: An office that has not sent for longer is asked.
_USUAL_UNSENT = datetime.timedelta(days=30)


class State(Enum):
    """How well something is."""

    GOOD = "good"
    ATTENTION = "attention"
    BROKEN = "broken"

    @property
    def label(self) -> str:
        """What people read."""
        return {State.GOOD: say("tốt", "good"), State.ATTENTION: say("cần chú ý", "needs attention"),
                State.BROKEN: say("lỗi", "error")}[self]


@dataclass(frozen=True)
class Finding:
    """One thing looked at: which check, how it stands, what was found, what to do about it (empty: nothing)."""

    check: str
    state: State
    what: str
    advice: str = ""


@dataclass(frozen=True)
class DrillReport:
    """What a restore drill found: tables compared, and those that differ (none, when all is well)."""

    tables: int
    rows: int
    different: tuple[str, ...]
    new_incarnation: bool
    #: Whether a working copy that has received everything the backup has goes on from where it is.
    goes_on: bool

    @property
    def passed(self) -> bool:
        """Whether the restored hub equals the original, is known as another incarnation, and goes on with its working copies."""
        return not self.different and self.new_incarnation and self.goes_on


def require_recorded(unwatched: Sequence[Dataset]) -> None:
    """Refuse to write into tables whose changes nobody would enter: they would be history to nobody, and reach nobody.

    Raises
    ------
    OutputError
    """
    if unwatched:
        raise OutputError(say("Trigger ghi nhật ký của {names} trong cơ sở dữ liệu dùng chung bị mất hoặc bị tắt, vì chương trình khác đã tạo lại bảng; "
                              "không ghi gì. Người quản trị hãy chạy quyhoach:hubupgrade, rồi quyhoach:hubcheck.",
                              "The triggers that keep the ledger of {names} in the shared database are lost or off, another program has made the table "
                              "anew; nothing was written. Its administrator should run quyhoach:hubupgrade, then quyhoach:hubcheck.").format(
                                  names=name_some([str(dataset.label) for dataset in unwatched])))


def unfit_table(name: str, why: object) -> str:
    """Say that a hub's table is not as it was made: somebody has dropped or renamed a column, or the table."""
    return say("Bảng {name} của cơ sở dữ liệu dùng chung không còn như khi tạo, có cột hoặc bảng bị xóa hay đổi tên ({why}); không đổi gì. Người quản trị "
               "hãy chạy quyhoach:hubcheck.",
               "The table {name} of the shared database is no longer as it was made, a column or table is dropped or renamed ({why}); nothing is "
               "changed. Its administrator should run quyhoach:hubcheck.").format(name=name, why=why)


def objection_lines(objections: Sequence[Objection], datasets: Mapping[str, Dataset]) -> list[str]:
    """Say which features were objected to, and why."""
    return [f"{datasets[one.dataset].label if one.dataset in datasets else one.dataset} {one.feature_id}: {one.reason}" for one in objections]


def on_a_share() -> tuple[str, str]:
    """Say that a hub's file is on a network share, and what to do about it."""
    return (say("Tệp nằm trên ổ mạng dùng chung: dễ hỏng khi nhiều máy cùng ghi.",
                "The file is on a network share: easily damaged when several machines write."),
            say("Chuyển tệp về máy của một người giữ; người khác gửi tệp thay đổi (quyhoach:changesexport), hoặc dùng PostgreSQL.",
                "Move it to one keeper's machine; others send changes files (quyhoach:changesexport), or use PostgreSQL."))


def gap_advice(different: object) -> str:
    """What to do about a ledger that does not tell the whole story."""
    compare = say("Có người ghi khi trigger bị tắt; đối chiếu các đối tượng này với bản sao lưu gần nhất.",
                  "Somebody wrote while triggers were off; compare these features with the latest backup.")
    enter = say("Giá trị đang có là đúng thì chạy lại kiểm tra này (quyhoach:hubcheck) với \"Ghi bù vào nhật ký\": chúng thành một đợt cập nhật và "
                "về các bản dữ liệu làm việc.",
                "If what is there now is right, run this check (quyhoach:hubcheck) again with \"Enter what the ledger lacks\": it becomes a "
                "changeset and reaches the working copies.")
    return f"{compare} {enter}" if different else compare


def unsent_sentence(name: str, person: str, unsent: int, since: datetime.datetime, seen: datetime.datetime) -> str:
    """Say which working copy has waited longest with edits not sent."""
    day = say("%d/%m/%Y", "%Y-%m-%d")
    return say("Bản dữ liệu làm việc chưa gửi lâu nhất: {name} ({person}), {unsent} đối tượng, chưa gửi ít nhất từ {since}, gặp lần "
               "cuối {seen}.",
               "Oldest unsent working copy: {name} ({person}), {unsent} features, unsent since {since} at least, last met {seen}.").format(
        name=name, person=person, unsent=format_number(unsent), since=since.astimezone(VIETNAM).strftime(day),
        seen=seen.astimezone(VIETNAM).strftime(day))


def unsent_advice(since: datetime.datetime) -> str:
    """What to do about edits not sent since then; nothing while that is usual."""
    if datetime.datetime.now(datetime.UTC) - since < _USUAL_UNSENT:
        return ""
    return say(
        "Đã quá {days} ngày; nhắc người giữ gửi cập nhật.", "More than {days} days; ask its keeper to push."
    ).format(days=_USUAL_UNSENT.days)


def too_new(where: str, version: object) -> str:
    """Say that a hub or a backup needs a newer program."""
    return say("{where} được tạo bằng phiên bản QuyHoach mới hơn (cấu trúc {version}); hãy cập nhật QuyHoach.",
               "{where} was made by a newer QuyHoach (schema {version}); update QuyHoach.").format(where=where, version=version)


def restored_and_upgraded(old: int, new: int) -> str:
    """Say that a backup of an older structure was brought up to date with its restore."""
    return say("Bản sao lưu có cấu trúc cũ ({old}); đã nâng lên {new}, không đổi dữ liệu. Bản sao lưu vẫn như trước.",
               "The backup has an old schema ({old}); it was brought to {new} and no data were changed. The backup stays as it was.").format(
                   old=old, new=new)


def worst(findings: Iterable[Finding]) -> State:
    """The worst state among findings."""
    order = list(State)
    return max((finding.state for finding in findings), key=order.index, default=State.GOOD)


def findings_table(findings: list[Finding]) -> pandas.DataFrame:
    """Return findings as a table: check, state (good, attention, broken), state_label, what, advice."""
    return pandas.DataFrame({
        "check": [finding.check for finding in findings], "state": [finding.state.value for finding in findings],
        "state_label": [finding.state.label for finding in findings], "what": [finding.what for finding in findings],
        "advice": [finding.advice for finding in findings]}, dtype=object)
