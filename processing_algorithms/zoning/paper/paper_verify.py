"""Whether a paper says what the register says, and whether what it was made from has changed since.

Two questions, never mixed: a difference between document and register is a changed paper; a difference between the
snapshot and today's data is the world moving on. Each finding names what differs, with both values.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from enum import Enum
from typing import Any

import shapely

from ...common.language import say
from ...common.numbers_vi import format_number
from ...common.word_reading import Written, read_words
from ..plans.plan_figures import FIGURES
from .paper_inputs import read_shape
from .paper_register import Entry
from .paper_snapshot import digest, short_code
from .planning_paper import Paper, write_paper

#: Shapes nearer than this everywhere are the same (m): coordinates are kept to the millimetre.
_SAME_SHAPE_M = 0.002
#: Decimals of what is measured, as printed: smaller changes are no change of a paper.
_PRINTED = {"area_m2": 1, "legal_area_m2": 1, "map_area_m2": 1}
_NUMBERS = re.compile(r"\d+(?:[.,/]\d+)*")


class Kind(str, Enum):
    """What a finding is about."""

    REGISTER = "register"
    FIGURE = "figure"
    TEXT = "text"
    PARCEL = "parcel"
    PLAN = "plan"
    ZONE = "zone"
    RESTRICTION = "restriction"
    NORM = "norm"


#: Findings that mean that the paper in hand is not the one registered.
OF_THE_PAPER = (Kind.REGISTER, Kind.FIGURE, Kind.TEXT)


@dataclass(frozen=True)
class Finding:
    """One difference: where, what the register has, what was found."""

    kind: Kind
    where: str
    registered: str
    found: str

    @property
    def sentence(self) -> str:
        """The finding in one line."""
        nothing = say("không có", "nothing")
        now = say("văn bản ghi", "the document says") if self.kind in OF_THE_PAPER else say("nay là", "now")
        return say("{where}: sổ đăng ký ghi \"{registered}\", {now} \"{found}\".",
                   "{where}: the register has \"{registered}\", {now} \"{found}\".").format(
            where=self.where, registered=self.registered or nothing, now=now, found=self.found or nothing)


def check_entry(entry: Entry) -> list[Finding]:
    """Tell whether a row of the register still is what was entered: the snapshot against digest and code."""
    found = []
    now = digest(entry.snapshot)
    if now != entry.row["content_digest"]:
        found.append(Finding(Kind.REGISTER, say("Mã SHA-256 của bản chụp", "SHA-256 of the snapshot"),
                             str(entry.row["content_digest"]), now))
    elif short_code(now) != entry.code:
        found.append(Finding(Kind.REGISTER, say("Mã đối chiếu", "Short code"), entry.code, short_code(now)))
    return found


def check_document(entry: Entry, data: bytes) -> list[Finding]:
    """Compare a Word document with the paper as the register has it.

    What is typed in by hand until a paper is signed (number, date, the signer's name) is compared once the register
    knows it; the signer's name never is.

    Raises
    ------
    InputError
        The data are no Word document.
    """
    signed = entry.row["issued_date"] is not None
    date = datetime.date.fromisoformat(str(entry.row["issued_date"])) if signed else None
    expected = read_words(write_paper(Paper(entry.snapshot), number=str(entry.row["paper_number"] or ""), date=date))
    return [finding for finding in _compared(expected, read_words(data))
            if not _typed_by_hand(finding, signed)]


def _typed_by_hand(finding: Finding, signed: bool) -> bool:
    if finding.where == _FOOT:
        return finding.found.startswith(finding.registered)
    return not signed and finding.where == _HEAD


_HEAD, _FOOT = "Số, ngày văn bản", "Phần ký"


def _compared(expected: Sequence[Written], found: Sequence[Written]) -> Iterator[Finding]:
    left, right = ([_token(item) for item in items] for items in (expected, found))
    for tag, a, b, c, d in SequenceMatcher(None, left, right, autojunk=False).get_opcodes():
        if tag == "equal":
            for one, other in zip(expected[a:b], found[c:d]):
                if one.cells != other.cells:
                    yield from _tables(one.cells, other.cells)
            continue
        for at in range(max(b - a, d - c)):
            one = expected[a + at] if a + at < b else None
            other = found[c + at] if c + at < d else None
            if one is not None and other is not None and one.cells and other.cells:
                yield from _tables(one.cells, other.cells)
            else:
                yield _finding(_place(one or other), _said(one), _said(other))


def _token(item: Written) -> str:
    """What must be the same for two things to be the same place: a paragraph's text, a table's heading."""
    if not item.cells:
        return item.text
    return "\0" + ("\0".join(item.cells[0]) if len(item.cells[0]) > 2 else str(len(item.cells)))


def _place(item: Written | None) -> str:
    if item is None or item.cells:
        return say("Bảng", "Table")
    words = item.text.split()
    return say("Đoạn \"{start}…\"", "Paragraph \"{start}…\"").format(start=" ".join(words[:6]))


def _said(item: Written | None) -> str:
    if item is None:
        return ""
    return item.text or "; ".join(" | ".join(row) for row in item.cells)


def _tables(expected: Sequence[Sequence[str]], found: Sequence[Sequence[str]]) -> Iterator[Finding]:
    head = expected[0]
    if len(head) == 2:  # head and foot of the paper are tables without lines
        foot = "Nơi nhận" in head[0]
        for one, other in zip(expected, found):
            for a, b in zip(one, other):
                if a != b:
                    yield _finding(_FOOT if foot else _HEAD if "Số:" in one[0] else say("Phần đầu văn bản", "Head"), a,
                                   b)
        return
    pairs = SequenceMatcher(None, [tuple(row) for row in expected], [tuple(row) for row in found], autojunk=False)
    for tag, a, b, c, d in pairs.get_opcodes():
        if tag == "equal":
            continue
        for at in range(max(b - a, d - c)):
            one = expected[a + at] if a + at < b else ()
            other = found[c + at] if c + at < d else ()
            if not one or not other or len(one) != len(other):
                yield _finding(say("Dòng của bảng {head}", "Row of the table {head}").format(head=head[0]),
                               " | ".join(one), " | ".join(other))
                continue
            for column, (before, after) in enumerate(zip(one, other)):
                if before != after:
                    # The row is named by its other cells, so that the figure that changed is found in the paper.
                    name = ", ".join(cell for at, cell in enumerate(one[:4]) if at != column and cell)
                    yield _finding(f"{head[column] if column < len(head) else ''} ({name})", before, after)


def _finding(where: str, before: str, after: str) -> Finding:
    kind = Kind.FIGURE if _NUMBERS.findall(before) != _NUMBERS.findall(after) else Kind.TEXT
    return Finding(kind, where, before, after)


# what has changed since ---------------------------------------------------------------------------------------------


def changes_since(then: Mapping[str, Any], now: Mapping[str, Any]) -> list[Finding]:
    """Compare the inputs of a paper with what the data say now; see `paper_inputs`.

    Parameters
    ----------
    then, now : mapping
        Inputs as kept in the snapshot, and as made from today's data.
    """
    return [*_parcel(then["parcel"], now["parcel"]), *_rows(Kind.PLAN, then["plans"], now["plans"], _PLAN),
            *_rows(Kind.ZONE, _keyed(then["pieces"], "plan_ref", "zone_code", "role"),
                   _keyed(now["pieces"], "plan_ref", "zone_code", "role"), _ZONE),
            *_rows(Kind.ZONE, _keyed(then["overrides"], "decision_number", "plan_ref"),
                   _keyed(now["overrides"], "decision_number", "plan_ref"), _ZONE),
            *_rows(Kind.RESTRICTION, _keyed(then["restrictions"], "name", "effect"),
                   _keyed(now["restrictions"], "name", "effect"), _RESTRICTION),
            *_rows(Kind.NORM, _keyed(then["norms"], "norm_table", "row"), _keyed(now["norms"], "norm_table", "row"),
                   None)]


_PLAN = {"name": "tên", "scale": "tỷ lệ", "status_label": "tình trạng", "decision_number": "số quyết định",
         "approval_date": "ngày phê duyệt", "appraisal_date": "ngày thẩm định", "approving_agency": "cơ quan phê duyệt",
         "in_force": "đang có hiệu lực", "level_label": "loại quy hoạch"}
_ZONE = {"function": "chức năng", "function_code": "mã chức năng", "area_m2": "diện tích (m²)", "shape": "ranh giới",
         "zone_name": "tên", "density_kind": "loại mật độ", "within_tolerance": "trong hạn sai",
         "legal_basis": "căn cứ", "applies": "áp dụng", **{name: name for name in FIGURES}}
_RESTRICTION = {"area_m2": "diện tích (m²)", "shape": "ranh giới", "legal_basis": "căn cứ",
                "max_height_m": "chiều cao tối đa (m)",
                "decision_number": "số quyết định", "applies": "áp dụng"}
_PARCEL = {"legal_area_m2": "diện tích theo giấy tờ (m²)", "map_area_m2": "diện tích bản đồ (m²)",
           "land_code": "loại đất",
           "shape": "ranh giới"}


def _parcel(then: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[Finding]:
    for name, label in _PARCEL.items():
        if not _same(name, then.get(name), now.get(name)):
            yield Finding(Kind.PARCEL, say("Thửa đất, {what}", "Parcel, {what}").format(what=label),
                          _shown(name, then.get(name)), _shown(name, now.get(name)))


def _keyed(rows: Sequence[Mapping[str, Any]], *names: str) -> dict[str, Mapping[str, Any]]:
    found: dict[str, Mapping[str, Any]] = {}
    for row in rows:
        key = ", ".join(str(row[name]) for name in names if row.get(name))
        while key in found:
            key += "'"
        found[key] = row
    return found


def _rows(
    kind: Kind, then: Mapping[str, Any], now: Mapping[str, Any], labels: Mapping[str, str] | None
) -> Iterator[Finding]:
    titles = {Kind.PLAN: say("Đồ án", "Plan"), Kind.ZONE: say("Ô quy hoạch", "Zone"), Kind.NORM: say("Quy chuẩn",
                                                                                                     "Norm"),
              Kind.RESTRICTION: say("Khu vực hạn chế", "Restriction")}
    for key in [*then, *(key for key in now if key not in then)]:
        title = f"{titles[kind]} {key}"
        if key not in now or key not in then:
            there, gone = say("có", "there"), ""
            yield Finding(kind, title, there if key in then else gone, there if key in now else gone)
            continue
        names = labels or {name: name for name in {*then[key], *now[key]}}
        for name in sorted(names):
            before, after = then[key].get(name), now[key].get(name)
            if not _same(name, before, after):
                yield Finding(kind, f"{title}, {_label(name, names)}", _shown(name, before), _shown(name, after))


def _label(name: str, names: Mapping[str, str]) -> str:
    if name in FIGURES:
        from ..plans.plan_figures import figure_label

        return figure_label(name)
    return names[name]


def _same(name: str, before: Any, after: Any) -> bool:
    if name in _PRINTED and before and after:
        return abs(float(before) - float(after)) < 0.5 * 10.0 ** -_PRINTED[name]
    if before == after or name != "shape" or not before or not after:
        return before == after
    one, other = read_shape(before), read_shape(after)
    return bool(shapely.hausdorff_distance(one.boundary, other.boundary) < _SAME_SHAPE_M)


def _shown(name: str, value: Any) -> str:
    if name == "shape":
        return say("{a} m²", "{a} m2").format(a=format_number(read_shape(value).area, 1)) if value else ""
    if name in _PRINTED and value:
        return format_number(float(value), _PRINTED[name])
    if isinstance(value, bool):
        return say("có", "yes") if value else say("không", "no")
    return "" if value is None else str(value)
