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

from ...common.errors import InputError
from ...common.numbers_vi import parse_number

_LOOK_ALIKES = str.maketrans({"đ": "d", "Đ": "d", "ð": "d", "Ð": "d", "–": "-", "—": "-", "−": "-", "‑": "-", "÷": "-",
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
    """A level, m; ``low`` = ``high`` unless a range was written.

    ``sure`` is False for a number without unit or decimals, ``unit`` where no unit is written, ``moved`` behind "lên", "xuống": it may be how far
    the water moved.
    """

    low: float
    high: float
    sure: bool = True
    unit: bool = True
    moved: bool = False


@dataclass(frozen=True)
class AlarmRelation(Token):
    """Where a level stands against an alarm level: ``side`` is +1 above, -1 below, 0 at it; amounts in m, None unsaid.

    ``by_sign``: written as a sum, "BĐ2+0,3", "BĐ3 - 4,5m"; the latter may be the alarm level itself behind a dash.
    """

    alarm: int
    side: int
    low: float | None = None
    high: float | None = None
    by_sign: bool = False


@dataclass(frozen=True)
class AlarmSpan(Token):
    """Between two alarm levels, each with metres added to it."""

    low_alarm: int
    high_alarm: int
    low_offset: float = 0.0
    high_offset: float = 0.0


@dataclass(frozen=True)
class Time(Token):
    """A moment: hour None for a day alone, day None for an hour alone, month and year None where they were not written.

    ``shift`` counts days from the bulletin's own: "sáng mai" is 1, "tối qua" -1.
    """

    hour: int | None = None
    minute: int = 0
    day: int | None = None
    month: int | None = None
    year: int | None = None
    shift: int | None = None

    @property
    def dated(self) -> bool:
        """Whether it names a day."""
        return self.day is not None or self.shift is not None

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
    """Looks like a level but cannot be one as it stands: a reversed range, a number that could be two; ``why`` names it."""

    why: str


# "3m58", "4m6" (4,6 m), "3 mét 58"; else digits. No letter: "3,5Om" is a slip nobody should complete.
_NO_TIME = r"(?!\d|[.,]\d|\s*(?:h|g|gio|cm|m)(?![a-z])|[/:])"
_METRES_AND = rf"\d{{1,3}}m\d{{1,2}}{_NO_TIME}|\d{{1,3}}\s*met\s*(?:\d{{2}}{_NO_TIME}|ruoi)"
_NUMBER = rf"(?:{_METRES_AND}|[+-]?\d+(?:[.,]\d+)*)"
_UNIT = r"(?:\s*(?P<{0}unit>cm|met|m)(?![a-z0-9])(?!\s*/\s*(?:\d|h|g|n|s)))"
_AND = r"\s*(?:{unit})?\s*(?:-+|~|den|toi)\s*".format(unit=r"cm|met|m(?![a-z0-9/])")


def _amount(name: str) -> str:
    return rf"(?:(?:tu|khoang|co|la|o muc)\s+)*(?P<{name}low>{_NUMBER})(?:{_AND}(?P<{name}high>{_NUMBER}))?{_UNIT.format(name)}?"


_BD = r"(?:(?:muc\s+)?(?:bao\s*dong|b\.?d\.?)\s*(?:cap\s*|so\s*)?(?P<{0}alarm>iii|ii|i|[123])(?![\w]|[.,]\d))"
_SIGNED = (r"(?:\s*[(]?\s*(?P<{0}sign>[+-])\s*(?P<{0}low>\d+(?:[.,]\d+)?)(?:\s*(?:-|den)\s*(?P<{0}high>\d+(?:[.,]\d+)?))?\s*"
           r"(?P<{0}unit>cm|met|m)?(?![a-z0-9]|[.,]\d))")
_ROMAN = {"i": 1, "ii": 2, "iii": 3, "1": 1, "2": 2, "3": 3}
_THAN = r"(?:cao|thap|tren|duoi|vuot|kem|lon|nho|tuong duong|xap xi|bang|ngang)\s*(?:hon)?\s*(?:so voi\s*)?"
_AN_AMOUNT = rf"(?:\s*[:,(]?\s*(?:(?:la|voi|khoang|tu)\s+)?[:(]?\s*{_NUMBER}\s*(?:(?:-|den)\s*{_NUMBER})?\s*(?:cm|met|m)(?![a-z0-9])[)]?)"
# What is compared with an older flood, or tells its level, is no level of today.
_BEFORE = (r"(?:hom (?:qua|truoc|kia)|nam (?:ngoai|truoc)|ngay (?:hom )?(?:qua|truoc)|(?:ban )?tin truoc|ky truoc|luc \d{1,2}\s*(?:h|gio)(?:\s*\d\d)?(?!\w)|"
           r"\d{1,2}\s*(?:h|gio)(?:\s*\d\d)?(?!\w)|nam \d{4})")
_OLD_FLOOD = (rf"(?:(?:{_THAN}|so voi\s+)(?:dinh lu|muc lu|lu|dinh|tran lu|trung binh nhieu nam|tbnn|cung ky|(?:muc nuoc )?cung thoi (?:diem|ky)|{_BEFORE})|(?:{_THAN})?(?:muc |dinh |gia tri )*(?:nuoc |lu )*lich su)"
              rf"[^.;,:(\d\n]*(?:[(]?(?:(?:ngay|thang|nam)\s*)?(?:\d{{1,2}}/)*\d{{4}}[)]?)?{_AN_AMOUNT}{{0,2}}")

_PATTERNS: list[tuple[str, str]] = [
    ("sum", rf"(?:(?:o muc|dat|bang|ngang|xap xi|gan|len|xuong|=)\s*)?\s*(?:muc\s+)?{_BD.format('sum')}{_SIGNED.format('sum')}"),
    ("duration", r"(?:trong|sau|du bao|canh bao)?\s*(?:khoang\s+)?\d+\s*(?:(?:-|den)\s*\d+\s*)?(?:h|gio|ngay)\s*(?:toi|tiep theo|qua|nua)(?!\w)"),
    ("time", r"(?<![\d,.])(?P<h>\d{1,2})\s*(?:h|g|gio)(?![a-z])\s*(?P<mi>(?<=[hg])\d{2}(?!\d)(?!/\d{1,2}(?!\d)(?!/\d{1,2}(?!\d)))|(?<=\s)\d{2}(?!\d|[/.,-]\d))?['’′p]?\s*(?:phut)?\s*(?P<part>sang|trua|chieu|toi|dem)?"
             r"(?:\s+(?P<of>hom|ngay)?\s*(?P<rel>nay|mai|qua|kia|sau)(?!\w))?"
             r"(?:(?:/|[\s,]*ngay\s+)(?P<dd>\d{1,2})(?![\d/]|[.,:-]\d|\s*(?:thang|cm|m|met)(?![a-z])|\s+/)|[\s,/]*(?:ngay\s*|hom\s*)?(?P<d>\d{1,2})\s*(?:[/.-]|\s+thang\s+)\s*(?P<mo>\d{1,2})(?:\s*(?:[/.-]|,?\s*nam\s+)\s*(?P<y>\d{4}|\d{2}(?![\d,.])))?(?!\s*(?:m|cm)(?!\w))(?!\d|,\d))?"),
    ("relative", r"(?<!\w)(?:(?:sang|trua|chieu|toi|dem)\s+)?(?P<of2>hom|ngay)\s+(?P<rel2>nay|mai|qua|kia)(?!\w)|"
                 r"(?<!\w)(?:sang|trua|chieu|toi|dem)\s+(?P<rel3>nay|mai|qua)(?!\w)"),
    ("iso", r"(?<!\w)(?P<y4>\d{4})-(?P<mo4>\d{1,2})-(?P<d4>\d{1,2})(?:[t\s]+(?P<h4>\d{1,2}):(?P<mi4>\d{2})(?::\d{2})?)?(?!\w)"),
    ("dotted", r"(?<!\w)(?<!\d[.,])(?:ngay\s*)?(?P<d5>\d{1,2})(?P<dot>[-.])(?P<mo5>\d{1,2})(?P=dot)(?P<y5>\d{4})(?!\w)"),
    ("day", r"(?<!\w)ngay\s+(?P<d6>\d{1,2})(?![\d/]|[.,:-]\d|\s*(?:thang|cm|m|met)(?![a-z])|\s+/)"),
    ("slash", r"(?<![\w.,/-])\d+[.,]\d+\s*(?:met|m)?\s*/\s*\d+(?:[.,]\d+)?\s*(?:met|m)?(?![\w/]|[.,]\d|\s*(?:h|g|gio)(?![a-z]))"),
    ("date", r"(?<!\w)(?<!\d[.,])(?:ngay\s*)?(?P<d2>\d{1,2})(?:/|\s+thang\s+)(?P<mo2>\d{1,2})(?:(?:/|,?\s+nam\s+)(?P<y2>\d{4}))?(?![\d/])"),
    ("clock", r"(?<![\d,.:])(?P<h3>\d{1,2}):(?P<mi3>\d{2})(?::\d{2})?(?![\d,])"),
    ("old_flood", _OLD_FLOOD),
    ("span", rf"(?:(?:tu|giua|trong khoang|o|o muc|len|len muc|xuong|xuong muc|dat|dat muc|ve muc|con)\s+)*\s*(?:muc\s+)?(?:tren\s+)?{_BD.format('one')}{_SIGNED.format('one')}?"
             rf"\s*(?:-+|den|va|toi|,?\s*duoi)\s*(?:duoi\s+)?(?:muc\s+)?{_BD.format('two')}(?:{_SIGNED.format('two')}|(?!\s*[:(]?\s*\d))"),
    ("span_above", rf"(?:(?:tu|o|o muc|len|len muc|dat)\s+)*\s*(?:muc\s+)?{_BD.format('from')}\s*(?:-+|den|toi)\s*(?:tren|cao hon)\s+{_BD.format('past')}\s*[:(]?\s*{_amount('past')}"),
    ("relation", rf"(?P<side>tren|vuot qua|vuot|cao hon|duoi|thap hon|con duoi|xap xi|gan|dat|bang|ngang|o muc|len|xuong|[<>=])?\s*(?:muc\s+)?{_BD.format('')}(?:\s*[(]\s*{_NUMBER}\s*(?:cm|met|m)?\s*[)](?=\s*[:,=]?\s*(?:(?:la|tu|khoang)\s+)*\d))?"
                 rf"(?:\s*(?:[:(,=]|-(?!\s*b))?\s*(?:(?:la|tu|khoang|mot)\s+)*{_amount('rel')})?"),
    ("relation_first", rf"(?P<side1>tren|duoi|vuot|cao hon|thap hon)\s+{_amount('first')}\s+(?:so voi\s+)?{_BD.format('first')}"),
    ("change", rf"(?:bien do|cuong suat|suat|tang|giam|len them|xuong them|len nhanh|xuong nhanh|chenh|chenh lech|dao dong(?!\s+(?:o|quanh|trong|tu)))(?!\w)[^.;,:\n\d]{{0,30}}[:]?\s*{_NUMBER}\s*(?:(?:-|den)\s*{_NUMBER})?\s*(?:cm|met|m)(?![a-z0-9])(?:\s*/\s*(?:\d+\s*)?(?:h|gio|ngay))?"),
    ("moved", rf"(?<!\w)(?:len|dang|rut|xuong|ha|tut)(?:\s+(?:them|duoc|khoang|nhanh|cham|nhe))*\s+{_NUMBER}\s*(?:(?:-|den)\s*{_NUMBER})?\s*(?:cm|met|m)?(?![a-z0-9])\s*"
              rf"(?:so voi(?!\s*(?:muc\s*)?(?:bao dong|b\.?d))(?:\s*(?:luc\s*)?{_BEFORE})?|trong(?:\s+vong)?\s+\d+\s*(?:h|gio|ngay|phut)(?!\w)(?!\s*toi)|sau\s+\d|moi\s+gio|ke tu|tu luc|nua(?!\w))"),
    ("compared", rf"{_THAN}{_AN_AMOUNT}\s*so voi(?!\s*(?:muc\s*)?(?:bao dong|b\.?d))(?:\s*(?:luc\s*)?{_BEFORE})?"),
    ("sign", r"[(]\s*[+-]\s*\d+(?:[.,]\d+)?\s*(?:cm|met|m)?\s*[)]|(?<![\w,.])[+]\s*\d+(?:[.,]\d+)?\s*(?:cm|met|m)?(?![\w]|[.,]\d)"),
    ("arrow", rf"[↑↓⬆⬇▲▼↗↘]\s*{_NUMBER}\s*(?:cm|met|m)?(?![a-z0-9]|[.,]\d)"),
    ("rate", rf"{_NUMBER}\s*(?:(?:-|den)\s*{_NUMBER})?\s*(?:cm|met|m)\s*/\s*(?:\d+\s*)?(?:h|gio|ngay)(?!\w)"),
    ("discharge", rf"(?P<outlow>{_NUMBER})(?:\s*(?:m3/s)?\s*(?:-|den)\s*(?P<outhigh>{_NUMBER}))?\s*m3\s*/\s*(?:s|giay)"),
    ("other", rf"{_NUMBER}\s*(?:(?:-|den)\s*{_NUMBER})?\s*(?:mm|km2|km|ha|%|nguoi|ho|khau|nha|xa|phuong|thon|m2|m3|m\s*/\s*s|trieu|ty|tuoi|do|0c)(?!\w)"),
    ("level", rf"(?<![\w.,/-]){_amount('lev')}(?:\s*(?:±|[+]/-)\s*(?P<tolerance>\d+(?:[.,]\d+)?)\s*(?P<tolerance_unit>cm|m)?)?(?!\w|[.,/]\d)"),
]
_MASTER = re.compile("|".join(f"(?P<{name}>{pattern})" for name, pattern in _PATTERNS))


def scan(text: str, folded: str) -> list[Token]:
    """Cut a text into tokens, left to right; ``folded`` is `fold` of it."""
    tokens: list[Token] = []
    # Without diacritics "tối" and "tới" are one word; where they are written, an evening is no "in the next hours".
    folded = re.sub(r"(?<!\w)toi(?!\w)(?P<of>\s+(?:qua|nay|mai)(?!\w))?",
                    lambda word: "dem" + word[0][3:] if word["of"] or "ố" in text[word.start():word.end()].lower() else word[0], folded)
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
        whole, rest = re.match(r"(\d+)\s*m(?:et)?\s*(\w+)", part).groups()
        return int(whole) + (0.5 if rest == "ruoi" else int(rest) / 10 ** len(rest))  # "4m6" is 4,6 m
    return parse_number(part)


def _time(match: re.Match, text: str, folded: str) -> Token:
    hour = int(match["h"])
    part = match["part"]
    if part in ("chieu", "toi") and hour < 12 or part == "trua" and hour < 4 or part == "dem" and 6 <= hour < 12:
        hour += 12
    # "24 giờ qua" is no day; "tối qua", "hôm qua" are.
    shift = None if match["rel"] in ("qua", "kia", "sau") and not (match["of"] or part) else _shift(match["of"], match["rel"])
    day = match["d"] or match["dd"]
    return Time(*_place(match), hour, int(match["mi"] or 0), *_date(day, match["mo"], match["y"]), None if day else shift)


def _shift(of: str | None, word: str | None) -> int | None:
    if word == "kia":
        return 2 if of == "ngay" else -2
    return {"nay": 0, "mai": 1, "sau": 1, "qua": -1}.get(word or "")


def _sum(match: re.Match, text: str, folded: str) -> Token:
    alarm, (low, high) = _ROMAN[match["sumalarm"]], _amounts(match, "sum")
    return AlarmRelation(*_place(match), alarm, 1 if match["sumsign"] == "+" else -1, low, high, by_sign=True)


def _amounts(match: re.Match, name: str) -> tuple[float, float]:
    factor = 0.01 if match[f"{name}unit"] == "cm" else 1.0
    low, high = match[f"{name}low"], match[f"{name}high"] or match[f"{name}low"]
    return parse_number(low) * factor, parse_number(high) * factor


def _span(match: re.Match, text: str, folded: str) -> Token:
    ends = []
    for name in ("one", "two"):
        side = 0 if match[f"{name}sign"] is None else 1 if match[f"{name}sign"] == "+" else -1
        ends.append((_ROMAN[match[f"{name}alarm"]], side * _amounts(match, name)[1] if side else 0.0))
    (low, low_offset), (high, high_offset) = sorted(ends)
    return AlarmSpan(*_place(match), low, high, low_offset, high_offset)


def _span_above(match: re.Match, text: str, folded: str) -> Token:
    amount = _metres(match, "past")
    return amount if isinstance(amount, Unreadable) else AlarmSpan(
        *_place(match), _ROMAN[match["fromalarm"]], _ROMAN[match["pastalarm"]], 0.0, amount[1])


def _sign(match: re.Match, text: str, folded: str) -> Token:
    """"3,58m +0,08" tells how far it rose; "mực nước hồ +41,25m" is the level above zero."""
    written = match[0].strip()
    if written.startswith("(") or not _SIGNED_LEVEL.search(folded[:match.start()]):
        return Other(*_place(match))
    value, unit = re.fullmatch(r"[+]\s*(\d+(?:[.,]\d+)?)\s*(cm|met|m)?", written).groups()
    level = parse_number(value) * (0.01 if unit == "cm" else 1.0)
    return Level(*_place(match), level, level, sure=bool(unit) or not value.isdigit(), unit=bool(unit), moved=True)


def _arrow(match: re.Match, text: str, folded: str) -> Token:
    """"3,58m ↑5cm" tells how far it rose; "↑ 3,58m" may be the level."""
    before = re.search(r"\d\s*(?:cm|met|m)?\s*[,(]?\s*$", folded[:match.start()])
    return Other(*_place(match)) if before else Unreadable(*_place(match), "moved")


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
    before = re.split(r"[,.](?!\d)|(?<!;);(?!;)", folded[max(0, match.start() - 40):match.start()])[-1]
    words = [(before.rfind(word), outward) for word, outward in
             (("xa", True), ("qx", True), ("qua tran", True), ("ve ha du", True), ("phat dien", True), ("qua may", True), ("chay may", True),
              ("dieu tiet", True), ("van hanh", True), ("den ho", False), ("ve ho", False), ("luu luong den", False), ("luu luong ve", False),
              ("nuoc ve", False), ("q den", False), ("qden", False), ("q ve", False), ("qve", False), ("qd", False))]
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
    if match["tolerance"]:
        tolerance = parse_number(match["tolerance"]) * (0.01 if match["tolerance_unit"] == "cm" else 1.0)
        amount = amount[0] - tolerance, amount[1] + tolerance
    before = folded[:match.start()]
    if _ONE_SIDED.search(before):
        return (
            Unreadable(*_place(match), "one-sided")
            if match["levunit"] or re.search(r"[.,m]", match["levlow"])
            else None
        )
    if match["levunit"] is None and "m" not in match["levlow"] and _FLOW_BEFORE.search(before):
        return Unreadable(*_place(match), "unit")
    written = match["levlow"]
    has_unit = match["levunit"] is not None or "m" in written
    # "là 3,58 m" begins at the figure: the word before it may be the end of a name (Bến Lạ, Mường La).
    place = match.start("levlow"), _place(match)[1]
    return Level(
        *place,
        *amount,
        sure=has_unit or bool(re.search(r"[.,]", written)),
        unit=has_unit,
        moved=bool(_MOVED.search(before)),
    )


_ONE_SIDED = re.compile(r"(?<!\w)(?:tren|duoi|hon|vuot(?: qua)?)\s*(?:muc\s*)?$|(?<![-=>])[<>]\s*$")
#: Names are masked with ";".
_SIGNED_LEVEL = re.compile(r"(?:;;|(?<!\w)(?:muc nuoc|mn[a-z]{0,2}|h))(?:\s+(?:ho|song|la|dat|o))*\s*[:=]?\s*$")
_FLOW_BEFORE = re.compile(r"(?<!\w)(?:luu luong|q[a-z]{0,3}|xa|qua tran|dung tich|chay may|phat dien)(?!\w)[^,;.\n\d]{0,25}$")
_MOVED = re.compile(r"(?<!\w)(?:len|xuong|ha|dang|rut|tut|tang|giam)(?:\s+(?:them|duoc|nhanh|cham|khoang|nhe))*\s*$")


_READERS = {
    "sum": _sum,
    "relative": lambda match, text, folded: Time(
        *_place(match), shift=_shift(match["of2"], match["rel2"] or match["rel3"])
    ),
    "iso": lambda match, text, folded: Time(
        *_place(match),
        int(match["h4"]) if match["h4"] else None,
        int(match["mi4"] or 0),
        *_date(match["d4"], match["mo4"], match["y4"]),
    ),
    "dotted": lambda match, text, folded: Time(*_place(match), None, 0, *_date(match["d5"], match["mo5"], match["y5"])),
    "day": lambda match, text, folded: Time(*_place(match), None, 0, int(match["d6"])),
    "slash": lambda match, text, folded: Unreadable(*_place(match), "slash"),
    "moved": lambda match, text, folded: Other(*_place(match)),
    "compared": lambda match, text, folded: Other(*_place(match)),
    "sign": _sign,
    "arrow": _arrow,
    "span_above": _span_above,
    "duration": lambda match, text, folded: Other(*_place(match)),
    "time": _time,
    "date": lambda match, text, folded: Time(*_place(match), None, 0, *_date(match["d2"], match["mo2"], match["y2"])),
    "clock": lambda match, text, folded: Time(*_place(match), int(match["h3"]), int(match["mi3"])),
    "old_flood": lambda match, text, folded: Other(*_place(match)),
    "span": _span,
    "relation": _relation,
    "relation_first": _relation_first,
    "change": lambda match, text, folded: Other(*_place(match)),
    "rate": lambda match, text, folded: Other(*_place(match)),
    "discharge": _discharge,
    "other": lambda match, text, folded: Other(*_place(match)),
    "level": _level,
}
