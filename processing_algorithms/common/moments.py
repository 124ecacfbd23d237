"""Moments of a history as people type them: a day, a time, or the number of a changeset."""

from __future__ import annotations

import datetime

from .errors import InputError
from .language import say

#: Days and times typed without a zone are Vietnam's.
VIETNAM = datetime.timezone(datetime.timedelta(hours=7))


def read_moment(text: str, number: int | None = None, *, end_of_day: bool = True) -> datetime.datetime | int:
    """Read a moment somebody typed: a time, a day, or the number of a changeset; exactly one of them.

    Parameters
    ----------
    text : str
        ``2026-11-22``, ``2026-11-22 07:30``, ``22/11/2026``, with a zone or in Vietnam's time.
    number : int, optional
        Of a changeset.
    end_of_day : bool
        A day alone means its end, so that "as of" a day includes what was done on it; else its beginning.

    Raises
    ------
    InputError
        Both or neither are given, or the text is no time.

    Examples
    --------
    >>> read_moment("22/11/2026 07:30").isoformat()
    '2026-11-22T07:30:00+07:00'
    >>> read_moment("", 12)
    12
    """
    text = text.strip()
    if bool(text) == (number is not None):
        raise InputError(say("Hãy cho biết một thời điểm, hoặc số của một đợt cập nhật, chỉ một trong hai.",
                             "Give a moment, or the number of a changeset, one of the two."))
    if number is not None:
        return number
    moment = _parsed(text)
    if isinstance(moment, datetime.datetime):
        return moment if moment.tzinfo else moment.replace(tzinfo=VIETNAM)
    at = datetime.time.max if end_of_day else datetime.time.min
    return datetime.datetime.combine(moment, at, tzinfo=VIETNAM)


def _parsed(text: str) -> datetime.date:
    day, _, rest = text.replace("T", " ").partition(" ")
    if day.count("/") == 2:
        day = "-".join(part.zfill(2) for part in reversed(day.split("/")))
    try:
        if not rest.strip():
            return datetime.date.fromisoformat(day)
        return datetime.datetime.fromisoformat(f"{day} {rest.strip()}")
    except ValueError as error:
        raise InputError(say("\"{text}\" không phải là thời điểm; ví dụ 22/11/2026 hoặc 2026-11-22 07:30.",
                             "\"{text}\" is not a moment; such as 2026-11-22 or 2026-11-22 07:30.")
                         .format(text=text)) from error
