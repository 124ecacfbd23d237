"""Depths as people on the spot tell them: "0,5m", "5 tấc", "1m2", "nửa mét", "ngang đầu gối", "quá ngực", "không ngập"."""

from __future__ import annotations

import datetime
import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from ...common.errors import InputError
from ...common.norms.loader import load_table
from ...common.numbers_vi import parse_number
from ..bulletin.bulletin_words import fold

#: Error of a depth somebody read off a ruler or guessed in figures, m; ours.
_FIGURE_ERROR_M = 0.1
#: "hơn 1 m", "gần 1 m" leave so much open on that side, m; ours.
_OPEN_M = 0.3
#: Deeper than this nobody stands and measures, m.
_DEEPEST_M = 15.0

_NUMBER = r"\d+(?:[.,]\d+)?"
_UNIT = r"(?P<unit>cm|centimet|xang ti met|xang-ti-met|tac|dm|met|m|phan|li|mm|gang tay|gang)(?![a-z0-9])"
#: Not "1m 20 hộ".
_NO_COUNT = r"(?![\d]|\s*(?:ho|nha|nguoi|khau|can|cm|m|h|gio|ngay|thon|xa)(?![a-z]))"
_FIGURE = re.compile(
    rf"(?P<more>khong qua|chua toi|chua den|hon|tren|qua|>|gan|duoi|<|khoang|chung|tam|~)?\s*(?:(?P<metres>\d+)\s*(?:met|m)\s*(?P<rest>\d{{1,2}}){_NO_COUNT}|(?P<half>nua (?:met|m)(?![a-z]))|"
    rf"(?P<low>{_NUMBER})\s*(?:{_UNIT.replace('unit', 'first')})?\s*(?:(?:-|~|den|toi)\s*(?P<high>{_NUMBER}))?\s*(?:{_UNIT})?(?P<and_half>\s*ruoi)?)")
_METRES = {"cm": 0.01, "centimet": 0.01, "xang ti met": 0.01, "xang-ti-met": 0.01, "phan": 0.01, "tac": 0.1, "dm": 0.1, "mm": 0.001, "li": 0.001,
           "m": 1.0, "met": 1.0, "gang": 0.2, "gang tay": 0.2}
#: Numbers spelled out, before a unit or behind "mét".
_SPELLED = {"mot": 1, "hai": 2, "ba": 3, "bon": 4, "nam": 5, "sau": 6, "bay": 7, "tam": 8, "chin": 9, "muoi": 10, "lam": 5, "tu": 4}
_SPELLED_OUT = re.compile(r"(?<!\w)(?<!sau )(mot|hai|ba|bon|nam|bay|tam|chin|muoi)(?=\s+(?:met|tac|phan|gang|m)(?![a-z]))|(?<=met )(mot|hai|ba|bon|tu|nam|lam|sau|bay|tam|chin)(?!\w)")
_TENS = re.compile(r"(?<!\w)(hai|ba|bon|nam|bay|tam|chin) muoi(?: (mot|hai|ba|bon|tu|nam|lam|sau|bay|tam|chin))?(?!\w)")
#: How far the water moved, and how long, wide or high something is, are no depths.
_NO_DEPTH = re.compile(r"(?<!\w)(?:(?:rut|dang|tang|giam|len|xuong|ha|bot)(?: (?:them|bot|duoc|khoang|nhanh|cham|hon|gan))*|dai|rong|cach(?: [a-z]+){0,2}|-)\s*(?:khoang |hon |gan )?$")
_HEIGHT = re.compile(r"(?<!\w)cao\s*$")
#: How words of the table are spelled, where others are the same without diacritics: bến xe, vài nơi, cỏ, gọi, hồng.
_SPELLINGS = {"ben": "bẹn", "co": "cổ", "goi": "gối", "dui": "đùi", "hong": "hông", "ron": "rốn", "bung": "bụng", "vai": "vai", "eo": "eo", "nach": "nách"}


@dataclass(frozen=True)
class ToldDepth:
    """A depth, m, with its range; ``origin`` is ``figure`` or ``words``, ``confidence`` that of the table of words."""

    low_m: float
    depth_m: float
    high_m: float
    origin: str
    confidence: str = ""


def told_depth(
    text: str, *, on: datetime.date | None = None, province_folder: str | Path | None = None
) -> ToldDepth | None:
    """Read a depth; None where the text tells none, or tells one nobody can believe.

    Figures go before words: "ngang gối, chừng 5 tấc" is 0.5 m. A bare number without a unit is metres up to 5 (a whole one up to 3),
    centimetres from 10 on, and nothing in between. What the water rose or fell, and lengths, are no depths.

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
    written = " ".join(unicodedata.normalize("NFC", text).split())
    plain = fold(written)
    if not plain.strip():
        return None
    counted = _TENS.sub(lambda word: str(10 * _SPELLED[word[1]] + _SPELLED.get(word[2], 0)), plain)
    counted = _SPELLED_OUT.sub(lambda word: str(_SPELLED[word[0]]), counted)
    return _figure(counted) or _words(plain, written, _table(on, province_folder))


def _figure(plain: str) -> ToldDepth | None:
    found, heights = [], []
    for match in _FIGURE.finditer(plain):
        try:
            told = _read(match)
        except InputError:
            continue
        before = plain[:match.start()] + ("" if match["more"] is None else " ")
        if told is None or told.high_m > _DEEPEST_M + _FIGURE_ERROR_M or _NO_DEPTH.search(before):
            continue
        # "đê cao 3m, nước ngập 0,4m": a height is a depth only where nothing else is.
        (heights if _HEIGHT.search(before) else found).append(told)
    return (found or heights or [None])[0]


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
    elif match["more"] in ("gan", "duoi", "khong qua", "chua toi", "chua den", "<"):
        below, above = _OPEN_M, 0.0
    if low == high == 0:
        below = above = 0.0
    return ToldDepth(round(max(0.0, low - below), 3), round((low + high) / 2, 3), round(high + above, 3), "figure")


def _bare(match: re.Match, numbers: list[float]) -> float | None:
    """Unit of a number without one; only where the number is the whole text."""
    if match[0].strip() != match.string.strip():
        return None
    if numbers[-1] <= 5 and (numbers[-1] <= 3 or re.search(r"[.,]", match[0])):  # "5" may be 5 tấc
        return 1.0
    return 0.01 if numbers[0] >= 10 else None


def _words(plain: str, written: str, table: tuple[tuple[re.Pattern, object], ...]) -> ToldDepth | None:
    marked = plain != written.lower()
    hits = [(match.end() - match.start(), match, row) for pattern, row in table for match in pattern.finditer(plain)
            if not marked or _SPELLINGS.get(match[0], "") in ("", written[match.start():match.end()].lower())]
    if not hits:
        return None
    _, match, row = max(hits, key=lambda hit: hit[0])  # "nửa bánh xe" before "bánh xe"
    low, depth, high = row["depth_low_m"], row["depth_m"], row["depth_high_m"]
    before = plain[:match.start()]
    if depth > 0 and re.search(r"(?<!\w)(?:qua|tren|hon)\s*$", before):
        low, depth, high = depth, high, round(2 * high - depth, 3)
    elif depth > 0 and re.search(r"(?<!\w)(?:duoi|chua toi|chua den|gan toi)\s*$", before):
        low, depth, high = max(0.0, round(2 * low - depth, 3)), low, depth
    return ToldDepth(low, depth, high, "words", row["confidence"])


@lru_cache(maxsize=8)
def _table(on: datetime.date | None, province_folder: str | Path | None) -> tuple[tuple[re.Pattern, object], ...]:
    rows = load_table("depth_words", on=on, province_folder=province_folder).rows
    return tuple((re.compile(rf"(?<!\w)(?:{row['words']})(?!\w)"), row) for row in rows)
