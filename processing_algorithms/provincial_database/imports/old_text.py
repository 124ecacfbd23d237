"""Texts of a layer in TCVN3 or VNI, made into Unicode and told."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import IntEnum

import geopandas
import pandas

from ...common.columns import broken_texts
from ...common.language import say
from ...common.legacy_text import TCVN3, VNI, Verdict, judge_columns


class OldText(IntEnum):
    """What to do with texts in an encoding of the years before Unicode."""

    DETECT = 0
    KEEP = 1
    TCVN3 = 2
    VNI = 3


_ASKED = {OldText.TCVN3: TCVN3, OldText.VNI: VNI}


@dataclass(frozen=True)
class Judged:
    """Columns of a layer that are old or stated to be, and with which verdict; those that certainly are; those in another one."""

    verdicts: Mapping[str, Verdict]
    certain: Mapping[str, Verdict]
    other: Mapping[str, Verdict]


def judged(columns: Mapping[str, Iterable[object]], old_text: OldText) -> Judged:
    """Judge all columns of texts of a layer together."""
    certain = judge_columns(columns)
    asked = _ASKED.get(old_text)
    if asked is None:
        return Judged(certain, certain, {})
    return Judged(judge_columns(columns, only=asked), certain, {name: verdict for name, verdict in certain.items() if verdict.encoding != asked})


def texts_of(frame: geopandas.GeoDataFrame) -> dict[str, list[str]]:
    """Return the different texts of each column that has any, as `judged` takes them."""
    return {name: list(dict.fromkeys(value for value in frame[name] if isinstance(value, str)))
            for name in frame.columns if frame[name].dtype == object}


def in_unicode(frame: geopandas.GeoDataFrame, columns: Iterable[str], old_text: OldText,
               notes: list[str], *, known: Judged | None = None) -> geopandas.GeoDataFrame:
    """Return the frame with the texts of some columns in Unicode; the given frame stays as it is.

    Parameters
    ----------
    frame : GeoDataFrame
        All its columns of texts are judged together.
    columns : iterable of str
        Those to convert; the others are of no interest.
    old_text : OldText
        DETECT converts what is certainly old; TCVN3 and VNI whatever can be, except texts in Unicode among them and columns
        that are certainly in the other one.
    notes : list of str
        Gets a sentence for each column with old or broken texts: what was done, how often, an example before and after.
    known : Judged, optional
        What more than this frame told of its columns; the frame itself by default.
    """
    asked = _ASKED.get(old_text)
    texts = texts_of(frame)
    known = known or judged(texts, old_text)
    verdicts, other = known.verdicts, known.other
    changed: dict[str, pandas.Series] = {}
    wanted = [name for name in dict.fromkeys(columns) if name in texts]
    for name in wanted:
        if name in other:
            notes.append(say("Trường \"{field}\" theo bảng mã {encoding}, không phải {asked} như đã chọn: giữ nguyên.",
                             "The field \"{field}\" is in {encoding}, not in {asked} as stated: kept as it is.")
                         .format(field=name, encoding=other[name].encoding, asked=asked))
        elif name in verdicts:
            changes = _changes(texts[name], verdicts[name])
            if changes and old_text is not OldText.KEEP:
                changed[name] = frame[name].map(lambda value, changes=changes: changes.get(value, value)
                                                if isinstance(value, str) else value)
            if changes:
                notes.append(_told(name, frame[name], changes, verdicts[name], old_text))
    if asked and not changed and not other:
        notes.append(say("Không có chữ nào của lớp đổi được từ {encoding}; giữ nguyên.",
                         "No text of the layer could be converted from {encoding}; kept as they are.").format(encoding=asked))
    for name, broken in broken_texts(frame[[name for name in wanted if name not in verdicts]]).items():
        notes.append(say("Trường \"{field}\": chữ bị hỏng bảng mã (ví dụ \"{example}\"), giữ nguyên; hãy chọn đúng bảng mã (thuộc tính "
                         "lớp, mục Nguồn; dữ liệu cũ thường là windows-1252) rồi chạy lại.",
                         "Field \"{field}\": texts in a wrong encoding (such as \"{example}\"), kept as they are; choose the right encoding "
                         "(layer properties, Source; windows-1252 for most old data), then run again.")
                     .format(field=name, example=broken.example))
    return frame.assign(**changed) if changed else frame


def _changes(texts: Iterable[str], verdict: Verdict) -> dict[str, str]:
    converted = {text: verdict.convert(text) for text in texts}
    return {text: new for text, new in converted.items() if new != text}


def _told(name: str, column: pandas.Series, changes: dict[str, str], verdict: Verdict, old_text: OldText) -> str:
    before, after = next(iter(changes.items()))
    if old_text is OldText.KEEP:
        told = say("Trường \"{field}\": {n} đối tượng có chữ theo bảng mã cũ {encoding}, giữ nguyên như đã chọn, ví dụ \"{before}\" (đọc "
                   "là \"{after}\").",
                   "Field \"{field}\": {n} rows have texts in the old encoding {encoding}, kept as asked, such as \"{before}\" (reads "
                   "\"{after}\").")
    elif verdict.mixed:
        told = say("Trường \"{field}\": đã chuyển {n} đối tượng từ {encoding} sang Unicode, ví dụ \"{before}\" thành \"{after}\"; trường "
                   "này có cả chữ Unicode, chữ nào đọc được sẵn thì giữ nguyên.",
                   "Field \"{field}\": {n} rows converted from {encoding} to Unicode, such as \"{before}\" to \"{after}\"; the field has "
                   "Unicode texts, too: what reads as Vietnamese already was kept.")
    else:
        told = say("Trường \"{field}\": đã chuyển {n} đối tượng từ {encoding} sang Unicode, ví dụ \"{before}\" thành \"{after}\".",
                   "Field \"{field}\": {n} rows converted from {encoding} to Unicode, such as \"{before}\" to \"{after}\".")
    return told.format(field=name, n=sum(isinstance(value, str) and value in changes for value in column), encoding=verdict.encoding, before=before, after=after)
