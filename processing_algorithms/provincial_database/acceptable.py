"""What no hub takes, whichever kind it is: values that are not of their field's type, shapes other than the layer's.

What the catalogue demands beyond that (codes, ranges, rights, locks) is told by the hub's triggers.
"""

from __future__ import annotations

import datetime
import math
from collections.abc import Iterator, Sequence

import numpy as np
import shapely

from ..common.language import say
from .catalogue import Dataset
from .catalogue.model import FIRST_YEAR, GEOMETRY, LAST_YEAR, Field
from .changes import Change, Objection, Value
from .wkb_kinds import WKB_TYPES


def objections_to(dataset: Dataset, changes: Sequence[Change]) -> Iterator[Objection]:
    """Yield what is wrong with the values a dataset's changes bring; fields it has not are somebody else's to tell."""
    fields = {field.name: field for field in dataset.fields}
    shapes: list[tuple[Change, bytes]] = []
    beginning = b"\x01" + WKB_TYPES[dataset.geometry].to_bytes(4, "little") if dataset.geometry else b""
    for change in changes:
        if change.after is None:
            continue
        for name in change.touched():
            value, field, reason = change.after.get(name), fields.get(name), ""
            if field is not None and value is not None:
                reason = _unstorable(value, field)
            elif name == GEOMETRY and dataset.geometry and value is None:
                reason = say("không được để trống.", "must not be missing.")
            elif name == GEOMETRY and dataset.geometry and isinstance(value, bytes) and value.startswith(beginning):
                shapes.append((change, value))
            elif name == GEOMETRY and dataset.geometry:
                reason = say("phải là {kind}, không có độ cao, trị đo hoặc cung tròn (trong QGIS: native:dropmzvalues, "
                             "native:segmentizebymaxangle).",
                             "must be a {kind} without heights, measures or curves (in QGIS: native:dropmzvalues, "
                             "native:segmentizebymaxangle).").format(kind=dataset.geometry)
            if reason:
                yield _objection(dataset, change, field, reason)
    read = shapely.from_wkb([shape for _, shape in shapes], on_invalid="ignore")
    xy, owner = shapely.get_coordinates(read, return_index=True)
    bad = {*np.flatnonzero([shape is None for shape in read]).tolist(), *owner[~np.isfinite(xy).all(axis=1)].tolist()}
    for position in sorted(bad):
        yield _objection(dataset, shapes[position][0], None, say("không đọc được.", "cannot be read."))


def _objection(dataset: Dataset, change: Change, field: Field | None, reason: str) -> Objection:
    label = say("hình", "shape") if field is None else field.label
    return Objection(change.dataset, change.feature_id, f"{dataset.label}: {label}: {reason}")


def _unstorable(value: Value, field: Field) -> str:
    """Tell why a value cannot be one of a field."""
    wrong_type = say("sai kiểu dữ liệu.", "wrong type of value.")
    if field.type in ("integer", "real", "boolean"):
        allowed = {"integer": int, "real": (int, float), "boolean": bool}[field.type]
        if not isinstance(value, allowed) or isinstance(value, bool) != (field.type == "boolean"):
            return wrong_type
        if isinstance(value, int) and not -(2**63) <= value < 2**63:
            return say("số quá lớn.", "the number is too large.")
        if isinstance(value, float) and not math.isfinite(value):
            return say("không phải là số hữu hạn.", "not a finite number.")
        return ""
    if not isinstance(value, str):
        return wrong_type
    if field.type in ("date", "datetime"):
        return _no_time(value, field)
    try:
        value.encode("utf-8")
        broken = "\0" in value
    except UnicodeEncodeError:
        broken = True
    if broken:
        return say("có ký tự không hợp lệ.", "it holds characters that are not text.")
    if field.length is not None and len(value) > field.length:
        return say("dài quá {n} ký tự.", "it is longer than {n} characters.").format(n=field.length)
    return ""


def _no_time(value: str, field: Field) -> str:
    try:
        if field.type == "date":
            datetime.date.fromisoformat(value)
        elif not FIRST_YEAR <= datetime.datetime.fromisoformat(value).year <= LAST_YEAR:
            return say("ngoài các năm {first}-{last}.", "not within the years {first}-{last}.").format(first=FIRST_YEAR, last=LAST_YEAR)
    except ValueError:
        return say("không phải là ngày, giờ.", "not a date or time.")
    return ""
