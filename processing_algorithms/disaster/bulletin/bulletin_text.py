"""Readings as a bulletin again: what a duty officer has corrected by hand, in words that `read_bulletin` reads back."""

from __future__ import annotations

import dataclasses
import datetime
import re
from collections.abc import Sequence

from ...common.errors import InputError
from ...common.language import say
from ...common.numbers_vi import format_date, format_number, parse_number
from .bulletin import Reading
from .stations import Station


def read_level(text: str) -> tuple[float, float]:
    """Read a level or a range as typed into a table, m.

    Raises
    ------
    InputError
        No number, or a range written backwards.

    Examples
    --------
    >>> read_level("5,25"), read_level("5,3 - 5,5")
    ((5.25, 5.25), (5.3, 5.5))
    """
    parts = [
        part for part in re.split(r"(?<=\d)\s*(?:-|–|đến|den)\s*(?=\d)", text.strip().removesuffix("m").strip()) if part
    ]
    if len(parts) not in (1, 2):
        raise InputError(say("\"{text}\" không phải mực nước; ví dụ 5,25 hoặc 5,30-5,50.", "\"{text}\" is no level; such as 5,25 or 5,30-5,50.").format(text=text))
    low, high = parse_number(parts[0]), parse_number(parts[-1])
    if low > high:
        raise InputError(
            say('"{text}": khoảng giá trị viết ngược.', '"{text}": the range is written backwards.').format(text=text)
        )
    return low, high


def with_level(reading: Reading, text: str) -> Reading:
    """Return a reading with a level somebody typed instead."""
    low, high = read_level(text)
    quote = say("{name}: {level} m (nhập tay)", "{name}: {level} m (by hand)").format(
        name=reading.station.name, level=level_text(low, high)
    )
    return dataclasses.replace(reading, low_m=low, high_m=high, discharge_low_m3s=None, discharge_high_m3s=None, outward=None, origin="stated", quote=quote)


def typed_reading(station: Station, text: str, time: datetime.datetime | None) -> Reading:
    """Return a reading of a station the bulletin says nothing of."""
    return with_level(Reading(station, None, None, None, None, None, time, False, "stated", ""), text)


def level_text(low: float, high: float) -> str:
    """Write a level or a range to the centimetre.

    Examples
    --------
    >>> level_text(5.25, 5.25), level_text(5.3, 5.5)
    ('5,25', '5,30-5,50')
    """
    return format_number(low, 2) if low == high else f"{format_number(low, 2)}-{format_number(high, 2)}"


def write_bulletin(readings: Sequence[Reading], issued: datetime.datetime | None = None) -> str:
    """Write levels as a bulletin; discharges are left out. Vietnamese, since it is printed.

    Examples
    --------
    >>> station = Station(1, "", "Kim Long", "Hương", "river", (1.0, 2.0, 3.5), "national", None, None, "", "")
    >>> write_bulletin([typed_reading(station, "3,58", datetime.datetime(2026, 11, 2, 7))])
    'Mực nước lúc 07 giờ 00 ngày 02/11/2026 tại trạm Kim Long: 3,58 m.'
    """
    lines = []
    if issued is not None:
        lines.append(f"Tin phát lúc {_moment(issued)}")
    observed = [r for r in readings if r.low_m is not None and not r.forecast]
    forecast = [r for r in readings if r.low_m is not None and r.forecast]
    for reading in observed:
        when = f" lúc {_moment(reading.time)}" if reading.time is not None else ""
        lines.append(f"Mực nước{when} tại trạm {reading.station.name}: {level_text(reading.low_m, reading.high_m)} m.")
    for reading in forecast:
        when = f" đến {_moment(reading.time)}" if reading.time is not None else ""
        lines.append(f"Dự báo{when} mực nước tại trạm {reading.station.name}: {level_text(reading.low_m, reading.high_m)} m.")
    return "\n".join(lines)


def _moment(time: datetime.datetime) -> str:
    return f"{time:%H} giờ {time:%M} ngày {format_date(time.date())}"
