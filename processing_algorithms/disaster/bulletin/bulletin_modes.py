"""Whether a bulletin tells of now or of what is to come: words of forecasts, words of observations, headings over what follows."""

from __future__ import annotations

import re
from dataclasses import dataclass

_FORECAST = re.compile(
    r"(?<!\w)(?:du bao|kha nang|co the|du kien|nhan dinh|canh bao|trong \d+[^.;\n]{0,12}(?:gio|h) toi|"
    r"(?:(?:den|luc|vao)\s+\d{1,2}\s*(?:h|gio)(?:\s*\d\d)?(?:[/ ]+(?:ngay )?\d[\d/]*)?\s+)?se (?:la|len|dat|xuong|tiep|o|con|dao dong|vuot|tang|giam|tren|duoi|cao|thap))(?!\w)"
)
_OBSERVED = re.compile(
    r"(?<!\w)(?:hien trang|hien nay|hien tai|hien (?:o|dang|la)|thuc do|do duoc|dien bien|quan trac|da (?:dat|len|xuong|qua)|"
    r"(?P<weak>muc nuoc (?:luc|hoi)))(?!\w)"
)
#: "Đài Dự báo khí tượng thủy văn" forecasts, but its name does not.
_OFFICE = re.compile(r"(?<!\w)(?:dai|trung tam|tram|phong|co quan|cuc|vien)\s+(?:quoc gia\s+)?$")
_TITLE = re.compile(r"\s*(?:[-*+#=]\s*)*(?:ban tin|tin|cong dien|thong bao)(?!\w)")
_HEADING = re.compile(
    r"\s*(?P<number>(?:\d{1,2}|[ivx]{1,4})\s*[.)/:-]|[-*+•])?\s*(?:du bao|nhan dinh|canh bao|du kien)(?!\w)[^;,\n]{0,60}?(?P<colon>:)?\s*"
)
_VERBS = re.compile(r"(?<!\w)(?:len|xuong|dat|dang|con|o muc|tiep tuc|xuat hien|bien doi|dao dong|se)(?!\w)")


@dataclass(frozen=True)
class Mode:
    """A word after which figures are forecasts, or observations again."""

    start: int
    stop: int
    forecast: bool


def heads_a_forecast(plain: str) -> bool:
    """Whether a sentence without figures is a heading such as "2. Dự báo:"; a sentence that says what the river does is none.

    Examples
    --------
    >>> heads_a_forecast("2. du bao"), heads_a_forecast("du bao lu tiep tuc len")
    (True, False)
    """
    match = _HEADING.fullmatch(plain)
    return bool(match) and not _VERBS.search(plain) and bool(match["number"] or match["colon"] or plain.split() == ["du", "bao"])


def modes(plain: str, *, says_something: bool, under_heading: bool) -> list[Mode]:
    """The words in one folded sentence that set forecast or observation.

    "Mực nước lúc 19h" tells of now unless a forecast is announced right before it, or by the heading it stands under
    (``under_heading``). A title that gives no figure ("Bản tin dự báo lũ số 5") announces nothing.

    Examples
    --------
    >>> [m.forecast for m in modes("du bao: muc nuoc luc 19h", says_something=True, under_heading=False)]
    [True]
    >>> [m.forecast for m in modes("du bao con len, muc nuoc luc 7h", says_something=True, under_heading=False)]
    [True, False]
    """
    title = not says_something and _TITLE.match(plain)
    ahead = [] if title else [Mode(m.start(), m.end(), True) for m in _FORECAST.finditer(plain) if not _OFFICE.search(plain[:m.start()])]
    now = []
    for match in _OBSERVED.finditer(plain):
        before = [mode.stop for mode in ahead if mode.stop <= match.start()]
        between = plain[before[-1]:match.start()] if before else ""
        announced = bool(before) and not re.search(r"[\d.;\n]", between) and not _VERBS.search(between)
        if not (match["weak"] and (under_heading or announced)):
            now.append(Mode(match.start(), match.end(), False))
    return ahead + now
