"""The words of flood bulletins: what in a text is a level, a relation to an alarm level, a time, or none of these.

Forecasters, duty officers and chat groups write one thing in many ways: ``3,58m``, ``3m58``, ``358cm``, ``10,6-10,80m``,
``từ 3,8 đến 4,0 m``, ``trên BĐ3: 0,08m``, ``>BĐ III 0,35``, ``xấp xỉ báo động 2``, ``07 giờ 00 ngày 02/11/2026``, ``7h/25/11``.
`scan` cuts a text into tokens with their places; what it means for a station is `bulletin`'s business. Quantities that are no
levels (rises, discharges, rain, comparisons with an older flood) are tokens too, so that nothing takes them for levels.
"""

from __future__ import annotations

import datetime
import re
import unicodedata
from dataclasses import dataclass

from ..common.errors import InputError
from ..common.numbers_vi import parse_number

_LOOK_ALIKES = str.maketrans({"đ": "d", "Đ": "d", "ð": "d", "Ð": "d", "–": "-", "—": "-", "−": "-", "‑": "-", "÷": "-", "~": "-",
                              "³": "3", "\u00a0": " ", "\u202f": " ", "≈": "=", "≥": ">", "≤": "<"})


def fold(text: str) -> str:
    """Lower case without diacritics, letter for letter: positions stay those of the NFC text.

    Examples
    --------
    >>> fold("Trên BĐ3: 0,08 m³")
    'tren bd3: 0,08 m3'
    """
    return "".join(_base(letter) for letter in text.translate(_LOOK_ALIKES))


def _base(letter: str) -> str:
    if letter.isascii():
        return letter.lower()
    plain = unicodedata.normalize("NFD", letter)[0].lower()
    return plain if len(plain) == 1 and not unicodedata.combining(plain) else " "


@dataclass(frozen=True)
class Token:
    """A piece of a text that was understood. ``start`` and ``stop`` are positions in the text."""

    start: int
    stop: int


@dataclass(frozen=True)
class Level(Token):
    """A level, m; ``low`` = ``high`` unless a range was written. ``sure`` is False for a number without unit or decimals."""

    low: float
    high: float
    sure: bool = True


@dataclass(frozen=True)
class AlarmRelation(Token):
    """Where a level stands against an alarm level: ``side`` is +1 above, -1 below, 0 at it; amounts in m, None unsaid."""

    alarm: int
    side: int
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class AlarmSpan(Token):
    """Between two alarm levels."""

    low_alarm: int
    high_alarm: int


@dataclass(frozen=True)
class Time(Token):
    """A moment: hour None for a day alone, day None for an hour alone, year None where it was not written."""

    hour: int | None = None
    minute: int = 0
    day: int | None = None
    month: int | None = None
    year: int | None = None

    @property
    def possible(self) -> bool:
        """Whether the clock and the calendar have it."""
        if self.hour is not None and not (0 <= self.hour <= 24 and 0 <= self.minute < 60):
            return False
        try:
            return self.day is None or bool(datetime.date(self.year or 2024, self.month or 1, self.day))
        except ValueError:
            return False


@dataclass(frozen=True)
class Discharge(Token):
    """Water that goes through, m3/s; ``outward`` is True for a release, False for inflow, None unsaid."""

    low: float
    high: float
    outward: bool | None


@dataclass(frozen=True)
class Other(Token):
    """A quantity that is no level: a rise, rain, a comparison with an older flood, a duration."""


@dataclass(frozen=True)
class Unreadable(Token):
    """Looks like a level but cannot be one: a reversed range, a number that could be two."""

    why: str


_NUMBER = r"(?:\d{1,3}m\d{2}(?!\d)|[+-]?\d+(?:[.,]\d+)*)"
_UNIT = r"(?:\s*(?P<{0}unit>cm|met|m)(?![a-z0-9])(?!\s*/\s*(?:\d|h|g|n|s)))"
_AND = r"\s*(?:{unit})?\s*(?:-+|den|toi)\s*".format(unit=r"cm|met|m(?![a-z0-9/])")


def _amount(name: str) -> str:
    return rf"(?:(?:tu|khoang|co|la|o muc)\s+)*(?P<{name}low>{_NUMBER})(?:{_AND}(?P<{name}high>{_NUMBER}))?{_UNIT.format(name)}?"


_BD = r"(?:(?:muc\s+)?(?:bao\s*dong|b\.?d\.?)\s*(?:cap\s*|so\s*)?(?P<{0}alarm>iii|ii|i|[123])(?![\w]|[.,]\d))"
_ROMAN = {"i": 1, "ii": 2, "iii": 3, "1": 1, "2": 2, "3": 3}
_THAN = r"(?:cao|thap|tren|duoi|vuot|kem|lon|nho|tuong duong|xap xi|bang|ngang)\s*(?:hon)?\s*(?:so voi\s*)?"
_AN_AMOUNT = rf"(?:\s*[:,(]?\s*(?:(?:la|voi|khoang|tu)\s+)?[:(]?\s*{_NUMBER}\s*(?:(?:-|den)\s*{_NUMBER})?\s*(?:cm|met|m)(?![a-z0-9])[)]?)"
# What is compared with an older flood, or tells its level, is no level of today.
_OLD_FLOOD = (rf"(?:{_THAN}(?:dinh lu|muc lu|lu|dinh|tran lu|trung binh nhieu nam|tbnn|cung ky)|(?:{_THAN})?(?:muc |dinh |gia tri )*(?:nuoc |lu )*lich su)"
              rf"[^.;,:(\d\n]*(?:[(]?(?:(?:ngay|thang|nam)\s*)?(?:\d{{1,2}}/)*\d{{4}}[)]?)?{_AN_AMOUNT}{{0,2}}")

_PATTERNS: list[tuple[str, str]] = [
    ("duration", r"(?:trong|sau|du bao|canh bao)?\s*(?:khoang\s+)?\d+\s*(?:(?:-|den)\s*\d+\s*)?(?:h|gio|ngay)\s*(?:toi|tiep theo|qua|nua)(?!\w)"),
    ("time", r"(?<![\d,.])(?P<h>\d{1,2})\s*(?:h|g|gio)(?![a-z])\s*(?P<mi>(?<=[hg])\d{2}(?!\d)(?!/\d{1,2}(?!\d)(?!/\d{1,2}(?!\d)))|(?<=\s)\d{2}(?!\d|[/.,-]\d))?\s*(?:phut)?\s*(?P<part>sang|trua|chieu|toi|dem)?(?:\s+nay)?"
             r"(?:[\s,/]*(?:ngay\s*|hom\s*)?(?P<d>\d{1,2})\s*(?:[/.-]|\s+thang\s+)\s*(?P<mo>\d{1,2})(?:\s*(?:[/.-]|,?\s*nam\s+)\s*(?P<y>\d{4}|\d{2}(?![\d,.])))?(?!\s*(?:m|cm)(?!\w))(?![\d,]))?"),
    ("date", r"(?<!\w)(?:ngay\s*)?(?P<d2>\d{1,2})(?:/|\s+thang\s+)(?P<mo2>\d{1,2})(?:(?:/|,?\s+nam\s+)(?P<y2>\d{4}))?(?![\d/])"),
    ("clock", r"(?<![\d,.:])(?P<h3>\d{1,2}):(?P<mi3>\d{2})(?![\d,])"),
    ("old_flood", _OLD_FLOOD),
    ("span", rf"(?:tu|giua|trong khoang|o muc)?\s*(?:tren\s+)?{_BD.format('one')}\s*(?:-+|den|va|toi|,?\s*duoi)\s*(?:duoi\s+)?{_BD.format('two')}(?!\s*[:(]?\s*\d)"),
    ("relation", rf"(?P<side>tren|vuot qua|vuot|cao hon|duoi|thap hon|con duoi|xap xi|gan|dat|bang|ngang|o muc|len|xuong|[<>=])?\s*(?:muc\s+)?{_BD.format('')}"
                 rf"(?:\s*[:(,=]?\s*(?:(?:la|tu|khoang|mot)\s+)*{_amount('rel')})?"),
    ("relation_first", rf"(?P<side1>tren|duoi|vuot|cao hon|thap hon)\s+{_amount('first')}\s+(?:so voi\s+)?{_BD.format('first')}"),
    ("change", rf"(?:bien do|cuong suat|suat|tang|giam|len them|xuong them|len nhanh|xuong nhanh|chenh|chenh lech|dao dong)(?!\w)[^.;,:\n\d]{{0,30}}[:]?\s*{_NUMBER}\s*(?:(?:-|den)\s*{_NUMBER})?\s*(?:cm|met|m)(?![a-z0-9])(?:\s*/\s*(?:\d+\s*)?(?:h|gio|ngay))?"),
    ("rate", rf"{_NUMBER}\s*(?:(?:-|den)\s*{_NUMBER})?\s*(?:cm|met|m)\s*/\s*(?:\d+\s*)?(?:h|gio|ngay)(?!\w)"),
    ("discharge", rf"(?P<outlow>{_NUMBER})(?:\s*(?:m3/s)?\s*(?:-|den)\s*(?P<outhigh>{_NUMBER}))?\s*m3\s*/\s*(?:s|giay)"),
    ("other", rf"{_NUMBER}\s*(?:(?:-|den)\s*{_NUMBER})?\s*(?:mm|km2|km|ha|%|nguoi|ho|khau|nha|xa|phuong|thon|m2|m3|trieu|ty|tuoi|do|0c)(?!\w)"),
    ("level", rf"(?<![\w.,/-]){_amount('lev')}(?!\w|[.,/]\d)"),
]
_MASTER = re.compile("|".join(f"(?P<{name}>{pattern})" for name, pattern in _PATTERNS))


def scan(text: str, folded: str) -> list[Token]:
    """Cut a text into tokens, left to right; ``folded`` is `fold` of it."""
    tokens: list[Token] = []
    for match in _MASTER.finditer(folded):
        token = _READERS[match.lastgroup if match.lastgroup in _READERS else _kind(match)](match, text, folded)
        if token is not None:
            tokens.append(token)
    return tokens


def _kind(match: re.Match) -> str:
    return next(name for name, _ in _PATTERNS if match[name] is not None)


def _place(match: re.Match) -> tuple[int, int]:
    start = match.end() - len(match[0].lstrip())
    return start, start + len(match[0].strip())


def _metres(match: re.Match, name: str) -> tuple[float, float] | Unreadable:
    low, high, unit = match[f"{name}low"], match[f"{name}high"], match[f"{name}unit"]
    try:
        values = [_number(part) for part in (low, high) if part]
    except InputError as error:
        return Unreadable(*_place(match), str(error))
    # "10,6-80m" is no range of levels, and "3,8-4,0" may have its unit behind the first number only.
    factor = 0.01 if unit == "cm" else 1.0
    first, last = values[0] * factor, values[-1] * factor
    if last < first:
        return Unreadable(*_place(match), "reversed")
    return first, last


def _number(part: str) -> float:
    if "m" in part:
        whole, _, hundredths = part.partition("m")
        return int(whole) + int(hundredths) / 100
    return parse_number(part)


def _time(match: re.Match, text: str, folded: str) -> Token:
    hour = int(match["h"])
    part = match["part"]
    if part in ("chieu", "toi") and hour < 12:
        hour += 12
    elif part == "dem" and 6 <= hour < 12:
        hour += 12
    return Time(*_place(match), hour, int(match["mi"] or 0), *_date(match["d"], match["mo"], match["y"]))


def _date(day: str | None, month: str | None, year: str | None) -> tuple[int | None, int | None, int | None]:
    number = int(year) if year else None
    return (int(day) if day else None, int(month) if month else None,
            number + 2000 if number is not None and number < 100 else number)


def _relation(match: re.Match, text: str, folded: str) -> Token:
    alarm = _ROMAN[match["alarm"]]
    side = {"tren": 1, "vuot qua": 1, "vuot": 1, "cao hon": 1, ">": 1, "duoi": -1, "thap hon": -1, "con duoi": -1, "<": -1}.get(
        match["side"] or "", 0)
    if match["rellow"] is None:
        # "trên báo động 3" says above; "BĐ3" alone, in a list of alarm levels, says nothing of a level.
        return AlarmRelation(*_place(match), alarm, side) if match["side"] else Other(*_place(match))
    amount = _metres(match, "rel")
    if isinstance(amount, Unreadable):
        return amount
    if match["side"] is None or side == 0:
        # "BĐ3: 4,50 m" tells the alarm level itself; "đạt BĐ3 4,5 m" too.
        return Other(*_place(match))
    return AlarmRelation(*_place(match), alarm, side, *amount)


def _relation_first(match: re.Match, text: str, folded: str) -> Token:
    amount = _metres(match, "first")
    side = 1 if match["side1"] in ("tren", "vuot", "cao hon") else -1
    return amount if isinstance(amount, Unreadable) else AlarmRelation(*_place(match), _ROMAN[match["firstalarm"]], side, *amount)


def _discharge(match: re.Match, text: str, folded: str) -> Token:
    try:
        low, high = (_flow(match[f"out{end}"] or match["outlow"]) for end in ("low", "high"))
    except InputError as error:
        return Unreadable(*_place(match), str(error))
    before = folded[max(0, match.start() - 40):match.start()]
    words = [(before.rfind(word), outward) for word, outward in
             (("xa", True), ("qua tran", True), ("ve ha du", True), ("phat dien", True), ("qua may", True), ("den ho", False),
              ("ve ho", False), ("luu luong den", False), ("luu luong ve", False), ("nuoc ve", False))]
    place, outward = max(words, key=lambda item: item[0])
    return Discharge(*_place(match), low, high, outward if place >= 0 else None)


def _flow(text: str) -> float:
    # "1.250 m3/s" is one thousand two hundred and fifty: nobody writes a river to the litre.
    if re.fullmatch(r"\d{1,3}(?:\.\d{3})+", text):
        return float(text.replace(".", ""))
    return parse_number(text)


def _level(match: re.Match, text: str, folded: str) -> Token | None:
    amount = _metres(match, "lev")
    if isinstance(amount, Unreadable):
        # A lone figure nobody can read is a remark, not a level, unless a unit says otherwise.
        return amount if match["levunit"] or match["levhigh"] else None
    written = match["levlow"]
    has_unit = match["levunit"] is not None or "m" in written
    # "là 3,58 m" begins at the figure: the word before it may be the end of a name (Bến Lạ, Mường La).
    place = match.start("levlow"), _place(match)[1]
    return Level(*place, *amount, sure=has_unit or bool(re.search(r"[.,]", written)))


_READERS = {
    "duration": lambda match, text, folded: Other(*_place(match)),
    "time": _time,
    "date": lambda match, text, folded: Time(*_place(match), None, 0, *_date(match["d2"], match["mo2"], match["y2"])),
    "clock": lambda match, text, folded: Time(*_place(match), int(match["h3"]), int(match["mi3"])),
    "old_flood": lambda match, text, folded: Other(*_place(match)),
    "span": lambda match, text, folded: AlarmSpan(*_place(match), *sorted((_ROMAN[match["onealarm"]], _ROMAN[match["twoalarm"]]))),
    "relation": _relation,
    "relation_first": _relation_first,
    "change": lambda match, text, folded: Other(*_place(match)),
    "rate": lambda match, text, folded: Other(*_place(match)),
    "discharge": _discharge,
    "other": lambda match, text, folded: Other(*_place(match)),
    "level": _level,
}
