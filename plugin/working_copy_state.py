"""What a working copy is and in what state, read beside the window; and the words for it."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from pathlib import Path

from ..processing_algorithms.common.language import say
from ..processing_algorithms.common.numbers_vi import format_number
from ..processing_algorithms.common.progress import Progress
from ..processing_algorithms.provincial_database.working_copies.working_copy import DatasetStatus, WorkingCopy

#: Clocks are shown as they go in Vietnam, whatever the machine is set to.
VIETNAM = datetime.timezone(datetime.timedelta(hours=7))


@dataclass(frozen=True)
class CopyState:
    """One look at a working copy."""

    path: str
    name: str
    hub: str
    pulled_at: str
    lines: list[DatasetStatus]


def read_state(path: str) -> CopyState:
    """Look at a working copy; costs what was edited."""
    with WorkingCopy(path) as copy:
        return CopyState(
            path,
            copy.facts.get("name", copy.path.stem),
            copy.hub_location,
            shown_time(copy.facts.get("pulled_at", "")),
            copy.status(),
        )


def read_news(path: str, location: str | dict[str, str], progress: Progress) -> dict[str, int] | None:
    """Ask the hub how much of it is new to a working copy."""
    from ..processing_algorithms.provincial_database.hub import open_hub
    from ..processing_algorithms.provincial_database.working_copies.to_receive import to_receive

    with WorkingCopy(path) as copy, open_hub(location) as hub:
        return to_receive(copy, hub, progress=progress)


def file_stamp(path: Path) -> tuple[int | None, ...]:
    """Tell one state of a GeoPackage from another by what its files weigh and when they were written; nothing is read."""
    found: list[int | None] = []
    for file in (path, path.with_name(path.name + "-wal")):
        try:
            about = file.stat()
            found += [about.st_mtime_ns, about.st_size]
        except OSError:
            found.append(None)
    return tuple(found)


def shown_time(instant: str | datetime.datetime | None) -> str:
    """Write an instant as people here write it, in Vietnam's time.

    Examples
    --------
    >>> shown_time("2026-11-25T01:05:00.000Z"), shown_time("")
    ('25/11/2026 08:05', '')
    """
    if not instant:
        return ""
    if isinstance(instant, str):
        instant = datetime.datetime.fromisoformat(instant)
    return f"{instant.astimezone(VIETNAM):%d/%m/%Y %H:%M}"


def state_text(line: DatasetStatus, news: int, unsaved: int | None) -> str:
    """Say the state of a layer; ``unsaved`` features wait in the edit buffer, None when it is not being edited."""
    parts = []
    if line.tracking_lost:
        parts.append(say("bị chương trình khác tạo lại, hãy nhận cập nhật", "made anew by another program, pull"))
    if line.conflicts:
        parts.append(say("{n} xung đột", "{n} conflicts").format(n=format_number(line.conflicts)))
    if line.edits:
        kinds = [(line.added, say("thêm {n}", "{n} added")), (line.changed, say("sửa {n}", "{n} changed")),
                 (line.deleted, say("xóa {n}", "{n} deleted"))]
        detail = ", ".join(text.format(n=format_number(count)) for count, text in kinds if count)
        parts.append(
            say("{n} chỉnh sửa ({detail})", "{n} edits ({detail})").format(n=format_number(line.edits), detail=detail)
        )
    if line.waiting:
        parts.append(say("{n} đang chờ trả lời", "{n} waiting for an answer").format(n=format_number(line.waiting)))
    if news:
        parts.append(say("{n} cần nhận", "{n} to receive").format(n=format_number(news)))
    if unsaved is not None:
        parts.append(
            say("đang chỉnh sửa, {n} chưa lưu", "being edited, {n} not saved").format(n=format_number(unsaved))
        )
    return "; ".join(parts) or say("không thay đổi", "unchanged")
