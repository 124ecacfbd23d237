"""Reads a flood bulletin into levels at stations, and asks about what it cannot be sure of.

`read_bulletin` takes what forecasters, duty officers and chat groups write (`bulletin_words`, `bulletin_sentences`) or a table pasted
from a spreadsheet (`bulletin_table`). Every reading is held against what is known of its station: a level that contradicts
"trên BĐ3 0,08 m", lies far above the record flood, or is told twice with two values is a question, not a reading.
"""

from __future__ import annotations

import datetime
import re
import unicodedata
from dataclasses import dataclass

from ...common.errors import InputError
from ...common.language import say
from ...common.numbers_vi import format_date, format_number
from .bulletin_doubts import contradiction, doubt, from_alarms, impossible, why_unreadable
from .bulletin_sentences import Statement, statements
from .bulletin_table import table_statements
from .bulletin_words import AlarmRelation, Time, fold
from .stations import Station, StationNames

_ISSUED = re.compile(r"phat|cap nhat|(?<!\w)tin(?: (?:lu|bao|nhanh|khan cap|canh bao|so \d+)){0,3} (?:luc|hoi)(?!\w)")
VIETNAM = datetime.timezone(datetime.timedelta(hours=7))


@dataclass(frozen=True)
class Reading:
    """A level, or a discharge, at one station and time. Metres above the station's own zero or in its datum.

    Attributes
    ----------
    low_m, high_m : float or None
        Equal unless the bulletin gives a range; None for a discharge.
    discharge_low_m3s, discharge_high_m3s : float or None
    outward : bool or None
        A release (True) or an inflow (False); None where the bulletin does not say.
    time : datetime or None
        In Vietnam's time; None where no hour is written.
    day : date or None
        The day, where one is written without an hour.
    forecast : bool
    origin : str
        ``stated``; ``alarm``: computed from an alarm level and the amount above or below it; ``river``: said of the whole river.
    quote : str
        The sentence it was read from.
    """

    station: Station
    low_m: float | None
    high_m: float | None
    discharge_low_m3s: float | None
    discharge_high_m3s: float | None
    outward: bool | None
    time: datetime.datetime | None
    forecast: bool
    origin: str
    quote: str
    day: datetime.date | None = None

    @property
    def level_m(self) -> float | None:
        """The middle of the range, m."""
        return None if self.low_m is None else round((self.low_m + self.high_m) / 2, 3)

    def above_alarm(self) -> tuple[int, float | None]:
        """The highest alarm level reached by the middle of the range (0 for none) and the metres above it."""
        reached = [
            (k, a) for k, a in enumerate(self.station.alarm_m, start=1) if a is not None and self.level_m >= a - 1e-9
        ]
        return (reached[-1][0], round(self.level_m - reached[-1][1], 3)) if reached else (0, None)


@dataclass(frozen=True)
class Bulletin:
    """What was read. ``questions`` are sentences for a person to answer; ``notes`` tell what was assumed or left aside."""

    readings: list[Reading]
    questions: list[str]
    notes: list[str]
    issued: datetime.datetime | None


def read_bulletin(text: str, stations: list[Station], *, today: datetime.date) -> Bulletin:
    """Read a bulletin.

    Parameters
    ----------
    text : str
        As pasted; composed or decomposed Vietnamese, with or without diacritics.
    stations : list of Station
        The stations the province keeps; a name that is none of them is asked about.
    today : date
        Gives the year and day where the bulletin writes none.

    Raises
    ------
    InputError
        The text is blank, or speaks of no level at all.

    Examples
    --------
    >>> kim_long = Station(1, "", "Kim Long", "Hương", "river", (1.0, 2.0, 3.5), "national", None, 5.81, "", "")
    >>> found = read_bulletin("7h/25/11: Kim Long 3,58m, trên BĐ3 0,08m", [kim_long], today=datetime.date(2026, 11, 25))
    >>> [(r.station.name, r.low_m, r.time.hour, r.forecast) for r in found.readings], found.questions
    ([('Kim Long', 3.58, 7, False)], [])
    """
    text = unicodedata.normalize("NFC", text).replace("\r\n", "\n").replace("\r", "\n")
    if not text.strip():
        raise InputError(say("Bản tin trống.", "The bulletin is empty."))
    names = StationNames(stations)
    rivers: dict[str, list[Station]] = {}
    for station in stations:
        rivers.setdefault(fold(station.river).removeprefix("song ").strip(), []).append(station)
    tabular, prose = table_statements(text, names)
    said = tabular + statements(prose, names, rivers)
    if not said:
        raise InputError(say("Không tìm thấy mực nước nào trong bản tin; kiểm tra nội dung đã dán.",
                             "No level is found in the bulletin; check the pasted text."))
    clock = _Clock(text, today)
    readings: list[Reading] = []
    questions: list[str] = []
    notes = clock.notes
    for statement in said:
        reading, question, note = _judge(statement, names, rivers, clock)
        if question:
            questions.append(question)
        elif reading is not None:
            readings.append(reading)
        if note:
            notes.append(note)
    notes += _unread(text, names, said)
    readings, contradictions = _once(readings)
    questions += contradictions
    return Bulletin(readings, list(dict.fromkeys(questions)), list(dict.fromkeys(notes)), clock.issued)


class _Clock:
    """Makes moments of what a bulletin writes of hours and days."""

    def __init__(self, text: str, today: datetime.date):
        from .bulletin_words import scan

        self.notes: list[str] = []
        self.issued: datetime.datetime | None = None
        self._observed: datetime.datetime | None = None  # the latest so far
        folded = fold(text)
        times = [t for t in scan(text, folded) if isinstance(t, Time) and t.dated and t.possible]
        full = [t for t in times if t.year is not None]
        self.today = datetime.date(full[0].year, full[0].month, full[0].day) if full else today
        self._assumed = not full
        for time in times:
            before = folded[max(0, time.start - 40):time.start]
            if time.hour is not None and _ISSUED.search(before):
                self.issued = self.moment(time, time, False)
                break

    def moment(self, time: Time | None, day: Time | None, forecast: bool) -> datetime.datetime | None:
        """The moment meant, None where no hour is written."""
        if time is None or time.hour is None:
            return None
        self._tell()
        source = time if time.dated else day
        date = self.day(source) if source is not None and source.dated else (
            self.issued.date() if self.issued else self.today)
        moment = datetime.datetime.combine(date, datetime.time(0), VIETNAM) + datetime.timedelta(
            hours=time.hour, minutes=time.minute)
        if forecast and not time.dated and not (day is not None and day.shift) and self._now and moment < self._now:
            moment += datetime.timedelta(days=1)  # "đến 1 giờ" in this evening's bulletin
        if not forecast and self.issued is None:
            self._observed = max(filter(None, (self._observed, moment)))
        return moment

    @property
    def _now(self) -> datetime.datetime | None:
        return self.issued or self._observed

    def _tell(self) -> None:
        if self._assumed and not self.notes:
            self.notes.append(
                say(
                    "Bản tin không ghi đủ ngày, tháng, năm: hiểu theo ngày {day}.",
                    "The bulletin writes no full date: read as of {day}.",
                ).format(day=format_date(self.today))
            )

    def day(self, time: Time | None) -> datetime.date | None:
        """The day meant, None where none is written."""
        if time is None or not time.dated:
            return None
        self._tell()
        if time.shift is not None:
            return (self.issued.date() if self.issued else self.today) + datetime.timedelta(days=time.shift)
        if time.month is None:  # "7h/25"
            days = [self.today + datetime.timedelta(days=k) for k in range(-15, 46)]
            near = [day for day in days if day.day == time.day]
            return min(near, key=lambda day: abs((day - self.today).days))
        if time.year is not None:
            return datetime.date(time.year, time.month, time.day)
        near = [
            datetime.date(year, time.month, time.day)
            for year in (self.today.year - 1, self.today.year, self.today.year + 1)
            if not (time.month == 2 and time.day == 29 and (year % 4 or (year % 100 == 0 and year % 400)))
        ]
        return min(near, key=lambda date: abs((date - self.today).days))


def _judge(
    statement: Statement, names: StationNames, rivers: dict[str, list[Station]], clock: _Clock
) -> tuple[Reading | None, str, str]:
    """Return a reading, or a question, and a note."""
    quote = _short(statement.quote)
    station = statement.station
    bare = [r for r in statement.relations if isinstance(r, AlarmRelation) and r.side and r.low is None]
    nothing_said = not (statement.level or statement.discharge or statement.unreadable) and len(bare) == len(
        statement.relations
    )
    if station is None:
        if nothing_said:
            return None, "", ""
        if statement.general:
            return None, "", say("\"{quote}\": nói chung nhiều sông; không lấy cho trạm nào.",
                                 "\"{quote}\": said of many rivers; taken for no station.").format(quote=quote)
        return None, _whose(statement, names, rivers, quote), ""
    for time in (statement.time, statement.day):
        if time is not None and not time.possible:
            return None, say("\"{quote}\": giờ hoặc ngày không có thật; đúng ra là lúc nào?",
                             "\"{quote}\": no such hour or day; when was it?").format(quote=quote), ""
    if statement.unreadable is not None:
        why = why_unreadable(statement.unreadable.why)
        return None, say("\"{quote}\": {why}; mực nước đúng là bao nhiêu?",
                         "\"{quote}\": {why}; what is the level?").format(quote=quote, why=why.rstrip(".")), ""
    moment = clock.moment(statement.time, statement.day, statement.forecast)
    day = clock.day(statement.day) if moment is None else None
    forecast = statement.forecast or clock.issued is not None and moment is not None and moment > clock.issued
    if statement.discharge is not None:
        flow = statement.discharge
        return (
            Reading(
                station, None, None, flow.low, flow.high, flow.outward, moment, forecast, "stated", quote, day
            ),
            "",
            "",
        )
    if nothing_said:
        return None, "", say("\"{quote}\": chỉ nêu cấp báo động, không có trị số; không lấy.",
                             "\"{quote}\": names an alarm level without a figure; not taken.").format(quote=quote)
    expected, question = from_alarms(statement, station, quote)
    if question:
        return None, question, ""
    if statement.level is None and expected is None:
        return None, "", ""  # only the alarm levels themselves
    if statement.level is None:
        low, high, origin = *expected, "river" if statement.whole_river else "alarm"
    else:
        low, high, origin = statement.level.low, statement.level.high, "stated"
        if not statement.level.sure:
            return None, say("\"{quote}\": {value} không có đơn vị và phần thập phân; mực nước trạm {name} là bao nhiêu mét?",
                             "\"{quote}\": {value} has neither unit nor decimals; how many metres is the level at {name}?"
                             ).format(quote=quote, value=format_number(low), name=station.name), ""
        if question := doubt(statement.level, station, quote) or contradiction(
            statement, station, low, high, expected, quote
        ):
            return None, question, ""
    if question := impossible(station, low, high, quote):
        return None, question, ""
    note = ""
    if origin == "river":
        note = say(
            '"{quote}": nói chung cho cả sông, áp dụng cho từng trạm trên {river}.',
            '"{quote}": said of the whole river, applied to each station on {river}.',
        ).format(
            quote=quote, river=station.river if fold(station.river).startswith("song ") else f"sông {station.river}"
        )
    return (
        Reading(
            station, round(low, 3), round(high, 3), None, None, None, moment, forecast, origin, quote, day
        ),
        "",
        note,
    )


def _unread(text: str, names: StationNames, said: list[Statement]) -> list[str]:
    """Notes on stations named beside figures of which none was taken: nobody should believe the bulletin was silent on them."""
    folded = fold(text)
    heard = {statement.station.name for statement in said if statement.station is not None}
    named = {station.name for _, stop, station in names.spans(text, folded)
             if station is not None and re.match(r"[^\n;.]{0,60}\d", text[stop:])}
    return [say("Không đọc được mực nước nào của trạm {name} dù bản tin có nêu tên.",
                "No level of the station {name} was read, though the bulletin names it.").format(name=name) for name in sorted(named - heard)]


def _whose(statement: Statement, names: StationNames, rivers: dict[str, list[Station]], quote: str) -> str:
    if not statement.name:
        on_river = [
            s.name
            for river, there in rivers.items()
            if re.search(rf"(?<!\w)song {re.escape(river)}(?!\w)", fold(quote))
            for s in there
        ]
        if on_river:
            return say("\"{quote}\": không rõ là số liệu của trạm nào trên sông ({names}).",
                       "\"{quote}\": of which station on the river is this ({names})?").format(quote=quote, names=", ".join(on_river))
        return say('"{quote}": không rõ là số liệu của trạm nào.', '"{quote}": of which station is this?').format(
            quote=quote
        )
    near = names.like(statement.name)
    hint = say(" Có phải {near}?", " Do you mean {near}?").format(near=", ".join(near)) if near else ""
    return say("\"{quote}\": trạm \"{name}\" không có trong lớp trạm.{hint}",
               "\"{quote}\": the station \"{name}\" is not in the layer of stations.{hint}"
               ).format(quote=quote, name=statement.name, hint=hint)


def _once(readings: list[Reading]) -> tuple[list[Reading], list[str]]:
    """Join what is told twice; ask where the two differ. What is said of a station goes before what is said of its river."""
    stated = {(r.station.name, r.forecast) for r in readings if r.origin != "river"}
    kept: dict[tuple, Reading] = {}
    questions, contradicted = [], set()
    for reading in readings:
        if reading.origin == "river" and (reading.station.name, reading.forecast) in stated:
            continue
        key = (reading.station.name, reading.time, reading.day, reading.forecast, reading.low_m is None, reading.outward)
        other = kept.setdefault(key, reading)
        if other is reading:
            continue
        if (other.low_m, other.high_m, other.discharge_low_m3s) == (
            reading.low_m,
            reading.high_m,
            reading.discharge_low_m3s,
        ):
            continue
        questions.append(say("Trạm {name} có hai số liệu khác nhau cho cùng thời điểm: \"{one}\" và \"{two}\"; giữ số nào?",
                             "Station {name} has two different figures for one time: \"{one}\" and \"{two}\"; which one holds?"
                             ).format(name=reading.station.name, one=other.quote, two=reading.quote))
        contradicted.add(key)
    return [reading for key, reading in kept.items() if key not in contradicted], questions


def _short(quote: str) -> str:
    flat = " ".join(quote.split())
    return flat if len(flat) <= 120 else flat[:117] + "…"
