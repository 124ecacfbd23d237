"""The values of a conflict in words: codes with their meaning, dates and numbers as people here write them."""

from __future__ import annotations

import datetime

from qgis.core import Qgis, QgsGeometry

from ..processing_algorithms.common.language import say
from ..processing_algorithms.common.numbers_vi import format_date, format_number
from ..processing_algorithms.provincial_database.catalogue import Dataset
from ..processing_algorithms.provincial_database.catalogue.model import GEOMETRY
from ..processing_algorithms.provincial_database.changes import Row


def field_text(dataset: Dataset, name: str) -> str:
    """Say what a field is called."""
    return say("Hình trên bản đồ", "Shape on the map") if name == GEOMETRY else str(dataset.field(name).label)


def value_text(dataset: Dataset, name: str, row: Row | None) -> str:
    """Say the value of a field in a row; None is a row that is not there, a row without the field one nobody knows."""
    if row is None:
        return say("(đã xóa)", "(deleted)")
    if name not in row:
        return say("(không rõ)", "(not known)")
    value = row[name]
    if value is None:
        return say("(trống)", "(empty)")
    if isinstance(value, bytes):
        return shape_text(value)
    field = dataset.field(name)
    if field.domain is not None:
        meaning = next((str(one.label) for one in field.domain.values if one.code == value), None)
        return str(value) if meaning is None else f"{meaning} ({value})"
    if isinstance(value, bool):
        return say("có", "yes") if value else say("không", "no")
    if field.type == "date":
        return format_date(datetime.date.fromisoformat(str(value)))
    if isinstance(value, float):
        decimals = (
            field.decimals if field.decimals is not None else next((n for n in range(7) if round(value, n) == value), 6)
        )
        return format_number(value, decimals, group=False)
    return str(value)


def shape_text(wkb: bytes) -> str:
    """Say how big a shape is, and how finely drawn."""
    shape = QgsGeometry()
    shape.fromWkb(wkb)
    points = say("{n} đỉnh", "{n} vertices").format(n=format_number(sum(1 for _ in shape.vertices())))
    if shape.type() == Qgis.GeometryType.Polygon:
        return f"{format_number(shape.area(), 1)} m², {points}"
    if shape.type() == Qgis.GeometryType.Line:
        return f"{format_number(shape.length(), 1)} m, {points}"
    place = shape.constGet().vertices()
    first = next(place, None) if hasattr(place, "__next__") else None
    return points if first is None else f"X {format_number(first.y(), 2)}; Y {format_number(first.x(), 2)}"


def feature_text(dataset: Dataset, *rows: Row | None) -> str:
    """Name a feature as people do, by the fields of its key, from the first row that is there."""
    row = next((row for row in rows if row is not None), {})
    named = [f"{dataset.field(name).label}: {value_text(dataset, name, row)}" for name in dataset.key if row.get(name) is not None]
    return "; ".join(named) or say("(chưa có tên)", "(no name)")
