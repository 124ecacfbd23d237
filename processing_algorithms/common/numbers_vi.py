"""Vietnamese number and date formats, in and out: decimal comma, points or spaces between thousands, day/month/year."""

from __future__ import annotations

import datetime
import re

from .errors import InputError
from .language import say

_SPACES = "\u00a0\u202f\u2009 "
_SHAPE = re.compile(r"^[+-]?\d+(?:[.,]\d+)*$")


def parse_number(text: str) -> float:
    """Read a number as people type or paste it.

    A comma is the decimal sign (``1.234,5``; ``0,6``). A single point is one too unless exactly three digits follow a
    non-zero head of at most three digits (``1.234`` is refused as ambiguous: 1,234 or 1234). Spaces group thousands.

    Raises
    ------
    InputError
        The text is no number, or could be two.

    Examples
    --------
    >>> parse_number("1.234,5"), parse_number("0,6"), parse_number("1 234"), parse_number("10.25")
    (1234.5, 0.6, 1234.0, 10.25)
    """
    compact = text.strip().replace("−", "-")
    for space in _SPACES:
        compact = compact.replace(space, "")
    if not _SHAPE.match(compact):
        raise InputError(say("\"{text}\" không phải là số.", "\"{text}\" is not a number.").format(text=text))
    points, commas = compact.count("."), compact.count(",")
    if commas == 1 and points == 0:
        return float(compact.replace(",", "."))
    if commas == 1 and points >= 1:
        if compact.rindex(",") > compact.rindex("."):
            return _grouped(compact, ".", ",", text)
        return _grouped(compact, ",", ".", text)
    if commas > 1 and points <= 1:
        return _grouped(compact, ",", ".", text)
    if points > 1:
        return _grouped(compact, ".", ",", text)
    if points == 1 and re.match(r"^[+-]?[1-9]\d{0,2}\.\d{3}$", compact):
        raise InputError(
            say("\"{text}\" có thể là {small} hoặc {large}; hãy viết phần thập phân bằng dấu phẩy.",
                "\"{text}\" may mean {small} or {large}; write decimals with a comma.")
            .format(text=text, small=compact.replace(".", ","), large=compact.replace(".", ""))
        )
    return float(compact)


def _grouped(compact: str, group: str, decimal: str, text: str) -> float:
    head, _, tail = compact.partition(decimal)
    groups = head.lstrip("+-").split(group)
    if len(groups[0]) > 3 or any(len(digits) != 3 for digits in groups[1:]) or group in tail:
        raise InputError(say("\"{text}\" không phải là số.", "\"{text}\" is not a number.").format(text=text))
    return float(head.replace(group, "") + ("." + tail if tail else ""))


def format_number(value: float | None, decimals: int = 0, group: bool = True) -> str:
    """Write a number as it is printed in Vietnam; None and nan become an empty text.

    Examples
    --------
    >>> format_number(12345.678, 2), format_number(-0.04, 1), format_number(None)
    ('12.345,68', '0,0', '')
    """
    if value is None or value != value:
        return ""
    text = f"{value:,.{decimals}f}"
    if float(text.replace(",", "")) == 0:
        text = text.lstrip("-")
    if not group:
        text = text.replace(",", "")
    return text.translate(str.maketrans(",.", ".,"))


def format_date(date: datetime.date) -> str:
    """Write a date day/month/year.

    Examples
    --------
    >>> format_date(datetime.date(2026, 11, 2))
    '02/11/2026'
    """
    return f"{date:%d/%m/%Y}"


def parse_date(text: str) -> datetime.date:
    """Read ``2/11/2026``, ``02-11-2026`` or ISO ``2026-11-02``.

    Raises
    ------
    InputError
        No date, or a date that does not exist.
    """
    for pattern in (
        r"(?P<d>\d{1,2})[/.-](?P<m>\d{1,2})[/.-](?P<y>\d{4})",
        r"(?P<y>\d{4})-(?P<m>\d{1,2})-(?P<d>\d{1,2})",
    ):
        found = re.fullmatch(pattern, text.strip())
        if found:
            try:
                return datetime.date(int(found["y"]), int(found["m"]), int(found["d"]))
            except ValueError:
                break
    raise InputError(
        say('"{text}" không phải là ngày (ngày/tháng/năm).', '"{text}" is not a date (day/month/year).').format(
            text=text
        )
    )
