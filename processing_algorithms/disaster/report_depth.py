"""Depths as people on the spot tell them: "0,5m", "5 tấc", "1m2", "nửa mét", "ngang đầu gối", "quá ngực", "không ngập"."""

from __future__ import annotations

import datetime
import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from ..common.errors import InputError
from ..common.norms.loader import load_table
from ..common.numbers_vi import parse_number
from .bulletin_words import fold

#: Error of a depth somebody read off a ruler or guessed in figures, m; ours.
_FIGURE_ERROR_M = 0.1
#: "hơn 1 m", "gần 1 m" leave so much open on that side, m; ours.
_OPEN_M = 0.3
#: Deeper than this nobody stands and measures, m.
_DEEPEST_M = 15.0

_NUMBER = r"\d+(?:[.,]\d+)?"
_UNIT = r"(?P<unit>cm|centimet|xang ti met|xang-ti-met|tac|dm|met|m|phan|li|mm)(?![a-z])"
_FIGURE = re.compile(
    rf"(?P<more>hon|tren|qua|>|gan|duoi|<|khoang|chung|tam|~)?\s*(?:(?P<metres>\d+)\s*m\s*(?P<rest>\d{{1,2}})(?!\d)|(?P<half>nua (?:met|m)(?![a-z]))|"
    rf"(?P<low>{_NUMBER})\s*(?:{_UNIT.replace('unit', 'first')})?\s*(?:(?:-|~|den|toi)\s*(?P<high>{_NUMBER}))?\s*(?:{_UNIT})?(?P<and_half>\s*ruoi)?)")
_METRES = {"cm": 0.01, "centimet": 0.01, "xang ti met": 0.01, "xang-ti-met": 0.01, "phan": 0.01, "tac": 0.1, "dm": 0.1, "mm": 0.001, "li": 0.001,
           "m": 1.0, "met": 1.0}


@dataclass(frozen=True)
class ToldDepth:
    """A depth, m, with its range; ``origin`` is ``figure`` or ``words``, ``confidence`` that of the table of words."""

    low_m: float
    depth_m: float
    high_m: float
    origin: str
    confidence: str = ""


def told_depth(text: str, *, on: datetime.date | None = None, province_folder: str | Path | None = None) -> ToldDepth | None:
    """Read a depth; None where the text tells none, or tells one nobody can believe.

    Figures go before words: "ngang gối, chừng 5 tấc" is 0.5 m. A bare number without a unit is metres up to 5, centimetres from 10 on, and
    nothing in between.

    Parameters
    ----------
    text : str
        With or without diacritics.
    on, province_folder
        For the table ``depth_words``.

    Examples
    --------
    >>> [told_depth(t).depth_m for t in ("0,5m", "5 tấc", "1m2", "ngang đầu gối", "nước đã rút")]
    [0.5, 0.5, 1.2, 0.5, 0.0]
    """
    plain = " ".join(fold(text).split())
    if not plain:
        return None
    return _figure(plain) or _words(plain, _table(on, province_folder))


def _figure(plain: str) -> ToldDepth | None:
    found = []
    for match in _FIGURE.finditer(plain):
        try:
            told = _read(match)
        except InputError:
            continue
        if told is not None and told.high_m <= _DEEPEST_M + _FIGURE_ERROR_M:
            found.append(told)
    return found[0] if found else None


def _read(match: re.Match) -> ToldDepth | None:
    if match["half"]:
        low = high = 0.5
    elif match["metres"]:
        rest = match["rest"]  # "1m2" is 1,2 m, "1m20" too, "1m05" is 1,05 m
        low = high = int(match["metres"]) + int(rest) / (10 if len(rest) == 1 else 100)
    else:
        numbers = [parse_number(part) for part in (match["low"], match["high"]) if part]
        unit = match["unit"] or match["first"]
        factor = _METRES[unit] if unit else _bare(match, numbers)
        if factor is None:
            return None
        low, high = numbers[0] * factor, numbers[-1] * factor
        if match["and_half"]:
            low, high = low + factor / 2, high + factor / 2
    if high < low:
        return None
    below = above = _FIGURE_ERROR_M
    if match["more"] in ("hon", "tren", "qua", ">"):
        below, above = 0.0, _OPEN_M
    elif match["more"] in ("gan", "duoi", "<"):
        below, above = _OPEN_M, 0.0
    if low == high == 0:
        below = above = 0.0
    return ToldDepth(round(max(0.0, low - below), 3), round((low + high) / 2, 3), round(high + above, 3), "figure")


def _bare(match: re.Match, numbers: list[float]) -> float | None:
    """Unit of a number without one; only where the number is the whole text."""
    if match[0].strip() != match.string.strip():
        return None
    return 1.0 if numbers[-1] <= 5 else 0.01 if numbers[0] >= 10 else None


def _words(plain: str, table: tuple[tuple[re.Pattern, object], ...]) -> ToldDepth | None:
    hits = [(match.end() - match.start(), row) for pattern, row in table if (match := pattern.search(plain))]
    if not hits:
        return None
    row = max(hits, key=lambda hit: hit[0])[1]  # "nửa bánh xe" before "bánh xe"
    return ToldDepth(row["depth_low_m"], row["depth_m"], row["depth_high_m"], "words", row["confidence"])


@lru_cache(maxsize=8)
def _table(on: datetime.date | None, province_folder: str | Path | None) -> tuple[tuple[re.Pattern, object], ...]:
    rows = load_table("depth_words", on=on, province_folder=province_folder).rows
    return tuple((re.compile(rf"(?<!\w)(?:{row['words']})(?!\w)"), row) for row in rows)
