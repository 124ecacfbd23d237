"""What the attributes of a street say: in which direction it may be travelled, and how fast.

Directions are relative to the order in which the line was digitised. Comparison is by text without regard to case,
as national, OpenStreetMap and Geofabrik data all differ; several values may mean the same.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

import numpy as np
import pandas
from numpy.typing import NDArray

from ..common.columns import numbers
from ..common.errors import InputError, name_some
from ..common.language import say
from .direction_values import Direction, DirectionValues

_UNIT = re.compile(r"\s*(?:km\s*/\s*h|km\s*/\s*giờ|kmh|kph)\s*$", re.IGNORECASE)


@dataclass(frozen=True)
class Directions:
    """Directions of the rows, and what could not be read."""

    forward: NDArray[np.bool_]
    backward: NDArray[np.bool_]
    null: int = 0
    unknown: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Speeds:
    """Speeds of the rows in km/h, and how many had to take the default; ``unread``: texts that are no number."""

    kmh: NDArray[np.float64]
    defaulted: int = 0
    unread: tuple[str, ...] = ()


def read_directions(
    column: pandas.Series | None, values: DirectionValues = DirectionValues(), *, rows: int
) -> Directions:
    """Read the direction of every street.

    Parameters
    ----------
    column : Series or None
        None (no such field): every street takes ``values.otherwise``.
    values : DirectionValues
        Null and unknown values take ``values.otherwise``; they are counted.
    rows : int
        Number of streets.

    Raises
    ------
    InputError
        One value is given for two directions.
    """
    meaning: dict[str, Direction] = {}
    for direction, words in ((Direction.BOTH, values.both), (Direction.FORWARD, values.forward),
                             (Direction.BACKWARD, values.backward)):
        for word in map(_normal, words):
            if meaning.setdefault(word, direction) is not direction:
                raise InputError(
                    say("Giá trị \"{word}\" của trường chiều đường được khai cho hai chiều khác nhau.",
                        "The value \"{word}\" of the direction field is given for two directions.").format(word=word))
    if column is None:
        codes = np.full(rows, int(values.otherwise))
        return Directions(forward=codes != Direction.BACKWARD, backward=codes != Direction.FORWARD)
    # There are few kinds and many rows; nulls get number -1.
    numbers, kinds = pandas.factorize(column.to_numpy(dtype=object))
    words = [_normal(kind) for kind in kinds]
    code_of = np.array([int(meaning.get(word, values.otherwise)) for word in words] + [int(values.otherwise)])
    counts = np.bincount(numbers[numbers >= 0], minlength=len(kinds))
    blank = [word == "" and word not in meaning for word in words]
    unknown = {str(kind): int(count) for kind, word, count, gone in zip(kinds, words, counts, blank)
               if word not in meaning and not gone}
    codes = code_of[numbers]
    return Directions(
        forward=codes != Direction.BACKWARD, backward=codes != Direction.FORWARD,
        null=int((numbers < 0).sum() + sum(int(count) for count, gone in zip(counts, blank) if gone)), unknown=unknown)


def read_speeds(column: pandas.Series | None, default_kmh: float, *, rows: int, name: str = "") -> Speeds:
    """Read the speed of every street in km/h.

    Null, zero and texts that are no number are "not known" (OpenStreetMap extracts write 0 for that) and take the
    default; they are counted. "40,5" and "40 km/h" are numbers.

    Raises
    ------
    InputError
        The default is not positive, or some speeds are negative or infinite (their ids are named).
    """
    if not (np.isfinite(default_kmh) and default_kmh > 0):
        raise InputError(say("Vận tốc mặc định phải lớn hơn 0 km/h.", "The default speed must be greater than 0 km/h."))
    if column is None:
        return Speeds(kmh=np.full(rows, float(default_kmh)))
    if not pandas.api.types.is_numeric_dtype(column.dtype):
        column = column.map(lambda text: _UNIT.sub("", text) if isinstance(text, str) else text)
    kmh, unread = numbers(column)
    wrong = (kmh < 0) | np.isinf(kmh)
    if wrong.any():
        raise InputError(
            say("{name}: {n} đoạn đường có vận tốc âm hoặc vô hạn (fid: {ids}); hãy sửa trường vận tốc.",
                "{name}: {n} streets have a negative or infinite speed (ids: {ids}); correct the speed field.")
            .format(name=name, n=int(wrong.sum()), ids=name_some(column.index[wrong])))
    unknown = ~(kmh > 0)
    return Speeds(kmh=np.where(unknown, float(default_kmh), kmh), defaulted=int(unknown.sum()), unread=tuple(unread))


def _normal(value: object) -> str:
    # A field of whole numbers with nulls arrives as floats; 1.0 must still mean "1".
    if isinstance(value, (float, np.floating)) and float(value).is_integer():
        value = int(value)
    return str(value).strip().casefold()
