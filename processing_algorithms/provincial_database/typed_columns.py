"""Field types as columns of a frame, and as values of SQL.

=========  ==================================  =========================================
type       column                              null
=========  ==================================  =========================================
text       object of str                       None (an empty text is not null)
integer    Int64                               NA
real       float64                             nan
boolean    boolean                             NA
date       object of `datetime.date`           None
datetime   datetime64[ns, UTC]                 NaT
=========  ==================================  =========================================
"""

from __future__ import annotations

import datetime
from collections.abc import Sequence

import numpy as np
import pandas

from .catalogue.model import Field


def typed_column(values: Sequence[object], field: Field) -> pandas.Series:
    """Build the column of a field from Python values; None is null."""
    if field.type == "integer":
        return pandas.Series(pandas.array(values, dtype="Int64"))
    if field.type == "real":
        return pandas.Series(np.array([np.nan if value is None else value for value in values], dtype=np.float64))
    if field.type == "boolean":
        return pandas.Series(pandas.array(values, dtype="boolean"))
    if field.type == "datetime":
        return pandas.to_datetime(pandas.Series(list(values), dtype=object), utc=True)
    objects = np.empty(len(values), dtype=object)
    objects[:] = values
    return pandas.Series(objects)


def from_sqlite(values: Sequence[object], field: Field) -> pandas.Series:
    """Build the column of a field from what SQLite keeps."""
    if field.type == "boolean":
        values = [None if value is None else bool(value) for value in values]
    elif field.type == "date":
        values = [None if value is None else datetime.date.fromisoformat(str(value)[:10]) for value in values]
    return typed_column(values, field)


def to_sqlite(column: pandas.Series, field: Field) -> list[object]:
    """Return the column as values SQLite takes; dates as ISO text, instants in UTC to the millisecond."""
    null = column.isna().to_numpy()
    if field.type == "datetime":
        stamps = column.dt.tz_convert("UTC").dt.tz_localize(None).to_numpy()
        texts = np.datetime_as_string(stamps, unit="ms")
        return [None if gone else f"{text}Z" for gone, text in zip(null, texts)]
    if field.type == "integer":
        values = column.to_numpy(dtype=np.int64, na_value=0).tolist()
    elif field.type == "boolean":
        values = column.to_numpy(dtype=np.int64, na_value=0).tolist()
    elif field.type == "date":
        positions, days = pandas.factorize(column)
        return np.array([*(day.isoformat() for day in days), None], dtype=object)[positions].tolist()
    else:
        values = column.tolist()
    return [None if gone else value for gone, value in zip(null, values)] if null.any() else values
