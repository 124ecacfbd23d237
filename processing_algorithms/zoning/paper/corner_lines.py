"""Pasted text to lines with a point's number and two coordinates, whatever separates them.

What comes from Excel, from a scanned extract typed into a chat, or from a text file: one corner a line, a number before
it or none, tabs, semicolons or spaces between, points or commas for decimals, the lengths of the sides beside or between
the lines.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from itertools import combinations

from ...common.errors import InputError, refuse_if
from ...common.language import say
from ...common.numbers_vi import parse_number

#: Metres a VN-2000 coordinate of mainland Vietnam and its islands can have: 8° to 23.5° north; east of the false origin
#: 500 km by at most three degrees.
NORTHINGS, EASTINGS = (880_000.0, 2_610_000.0), (170_000.0, 830_000.0)
#: Degrees within which a corner must lie: Vietnam with its islands.
LONGITUDES, LATITUDES = (102.0, 118.0), (6.0, 23.5)
NUMBER = r"[+-]?\d+(?:[.,]\d+)*"
_GROUPED = re.compile(r"\d{1,3}(?:[ \u00a0\u202f]\d{3})+(?:[.,]\d+)?")


class AxisOrder(IntEnum):
    """Which of the two coordinates comes first; as people choose it."""

    BY_VALUES = 0
    NORTH_FIRST = 1
    EAST_FIRST = 2


@dataclass(frozen=True)
class CornerLine:
    """One corner as written; ``side`` is the length beside it, ``first`` and ``second`` the coordinates in their order."""

    number: int
    text: str
    name: str
    first: float
    second: float
    side: float | None


def corner_lines(text: str) -> tuple[list[CornerLine], AxisOrder | None]:
    """Return the lines with corners, and the order of axes a heading declares.

    Raises
    ------
    InputError
        Lines with one coordinate, with degrees, or that can be read in several ways; all told together.
    """
    rows = [row.strip("\r\n ") for row in text.replace("\u2028", "\n").split("\n")]
    if len([row for row in rows if row.strip()]) == 1:  # a line-edit or a chat message: corners apart by semicolons
        rows = [part for row in rows for part in row.split(";")]
    found: list[CornerLine] = []
    problems: list[str] = []
    declared: AxisOrder | None = None
    for number, row in enumerate(rows, 1):
        if not row.strip():
            continue
        try:
            line = _line(number, row)
        except InputError as error:
            problems += error.problems
            continue
        if line is not None:
            found.append(line)
        elif not found:
            declared = _declared(row) or declared
    refuse_if(problems)
    return found, declared


def _declared(heading: str) -> AxisOrder | None:
    """Read the order of axes from a heading such as ``Số hiệu điểm | X (m) | Y (m)``."""
    words = re.findall(r"[^\W\d_]+", heading.lower())
    places = {}
    for axis, known in (("north", ("x", "bắc", "north", "n")), ("east", ("y", "đông", "east", "e"))):
        places[axis] = next((at for at, word in enumerate(words) if word in known), None)
    if places["north"] is None or places["east"] is None:
        return None
    return AxisOrder.NORTH_FIRST if places["north"] < places["east"] else AxisOrder.EAST_FIRST


def _line(number: int, row: str) -> CornerLine | None:
    """Read one line; None when it holds no two coordinates."""
    cells = _cells(row)
    values = [number_in(cell) for cell in cells]
    large = [at for at, value in enumerate(values) if value is not None and abs(value) >= 1000]
    if len(large) < 2:
        degrees = [value for value in values if value is not None and _has_decimals(cells[values.index(value)])]
        if len(degrees) == 2 and (within(degrees[0], LATITUDES) and within(degrees[1], LONGITUDES)
                                  or within(degrees[1], LATITUDES) and within(degrees[0], LONGITUDES)):
            raise InputError(say("Dòng {n}: \"{text}\" giống kinh độ, vĩ độ; cần tọa độ phẳng VN-2000 bằng mét.",
                                 "Line {n}: \"{text}\" looks like longitude and latitude; plane VN-2000 coordinates in "
                                 "metres are needed.").format(n=number, text=row[:60]))
        if len(large) == 1 and len([value for value in values if value is not None]) > 1:
            raise InputError(say("Dòng {n}: \"{text}\" chỉ có một tọa độ đọc được; kiểm tra dấu thập phân và dấu phân "
                                 "cách.",
                                 "Line {n}: only one coordinate can be read in \"{text}\"; check decimals and "
                                 "separators.")
                             .format(n=number, text=row[:60]))
        return None
    if len(large) > 2 or large[1] - large[0] != 1:
        raise InputError(say("Dòng {n}: \"{text}\" có thể hiểu theo nhiều cách; hãy ngăn các cột bằng dấu tab hoặc "
                             "dấu chấm phẩy.",
                             "Line {n}: \"{text}\" can be read in several ways; separate the columns by tabs or "
                             "semicolons.")
                         .format(n=number, text=row[:60]))
    first, second = large
    name = " ".join(cell for cell in cells[:first] if cell)
    rest = [value for value in values[second + 1:] if value is not None]
    return CornerLine(number, row, name, values[first] or 0.0, values[second] or 0.0,
                      rest[0] if len(rest) == 1 else None)


def _cells(row: str) -> list[str]:
    """Divide a line by the strongest separator it has."""
    for separator in ("\t", ";", "|"):
        if separator in row:
            return [cell.strip() for cell in row.split(separator)]
    row = row.strip()
    if re.search(r",\s", row):
        return [cell.strip() for cell in re.split(r",\s+", row)]
    parts = row.split()
    if len(parts) == 1 and row.count(",") >= 1 and row.count(".") >= 2:  # comma-separated, decimals with points
        return row.split(",")
    if _GROUPED.search(row) and not any(abs(number_in(part) or 0) >= 1000 for part in parts):
        return _regrouped(row)
    return parts


def _regrouped(row: str) -> list[str]:
    """Join the groups of numbers written with spaces between thousands, if that can be done in one way."""
    parts = row.split()
    ways = []
    for first, second in combinations(range(len(parts)), 2):
        for end in range(second + 1, len(parts) + 1):
            pair = ["".join(parts[first:second]), "".join(parts[second:end])]
            if all(_thousands(part) for part in (parts[first:second], parts[second:end])):
                values = [number_in(text) or 0.0 for text in pair]
                if fits(*values) or fits(*values[::-1]):
                    ways.append([*parts[:first], *pair, *parts[end:]])
    # A point number before the first group (1 1 161 155,94) leaves one way; a longer head is a larger number.
    return ways[0] if len(ways) == 1 else parts


def _thousands(parts: Sequence[str]) -> bool:
    return (re.fullmatch(r"\d{1,3}", parts[0]) is not None and len(parts) > 1
            and all(re.fullmatch(r"\d{3}", part) for part in parts[1:-1])
            and re.fullmatch(r"\d{3}(?:[.,]\d+)?", parts[-1]) is not None)


def number_in(cell: str) -> float | None:
    """Read a number; None for anything else. What may be two numbers is the one a coordinate can be."""
    text = re.sub(r"\s*m$", "", cell.strip())
    text = re.sub(r"[\s\u00a0\u202f]", "", text)
    if not re.fullmatch(NUMBER, text):
        return None
    try:
        return parse_number(text)
    except InputError:
        # 505.277 is no easting in metres with decimals: the false origin lies 500 km west.
        return float(text.replace(".", "").replace(",", ".")) if re.fullmatch(r"\d{1,3}(\.\d{3})+(,\d+)?",
                                                                              text) else None


def _has_decimals(cell: str) -> bool:
    return re.search(r"[.,]\d", cell) is not None


def within(value: float, limits: tuple[float, float]) -> bool:
    """Tell whether a value lies between two limits."""
    return limits[0] <= value <= limits[1]


def fits(north: float, east: float) -> bool:
    """Tell whether two values can be a northing and an easting in Vietnam."""
    return within(north, NORTHINGS) and within(east, EASTINGS)
