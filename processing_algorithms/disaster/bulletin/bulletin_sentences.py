"""Who says what in a bulletin: sentences, the station each level belongs to, the hour and whether it is a forecast.

A level belongs to the station named before it, to the one named after it where the sentence puts levels first, or to the
stations in turn after "lần lượt". A sentence without a station that speaks of a river and an alarm level speaks of all stations of
that river. Whatever fits none of these becomes a question, never a guess.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from .bulletin_modes import Mode, heads_a_forecast, modes
from .bulletin_words import AlarmRelation, AlarmSpan, Discharge, Level, Other, Time, Token, Unreadable, fold, scan
from .stations import Station, StationNames

_BREAK = re.compile(r"\n[ \t]*\n|\n(?=[ \t]*(?P<line>\S))|;|\.(?=\s+(?P<next>\S)|\s*$)")
_NAMED_BY = re.compile(r"(?:tram(?: thuy van| tv| do| kttv)?|(?<!\w)tv|(?<!\w)tai|thuy van)\s*$")
_RIVER_BEFORE = re.compile(r"(?<!\w)(?:song|luu vuc song|ha luu|thuong luu)\s*$")
#: What figures may speak of besides a river's level; the words end where a level is spoken of again.
_RAIN = re.compile(r"(?<!\w)luong mua(?!\w)")
_DEPTHS = re.compile(r"(?<!\w)(?:do sau ngap|do ngap|muc do ngap|muc ngap|ngap sau|diem ngap)(?!\w)[^:]*:")
_LEVELS = re.compile(r"(?<!\w)(?:muc nuoc|mn|dinh lu|dinh trieu|trieu|luu luong|ho|thuy van)(?!\w)")
_CLAUSE = r"(?<!\w)(?:{})(?!\w)(?!.*(?:[,;.]|(?<!\w)(?:muc nuoc|dinh lu|hien nay|hien tai)(?!\w)))"
_FLOODED = re.compile(_CLAUSE.format("ngap|do sau|mua tai|mua o|mua do duoc|tran qua|sat lo|cao trinh|do mo|mo cua|cong mo|(?:dai|mo)(?=\\s*$)"), re.DOTALL)
_RECORD = re.compile(_CLAUSE.format("lich su"), re.DOTALL)
_YEAR_BEHIND = re.compile(r"\s*[(,]?\s*(?:nam\s+)?(?:19|20)\d\d(?![\d/-])")
_ALL_RIVERS = re.compile(r"(?<!\w)(?:cac|nhieu|mot so|cac luu vuc|he thong)\s+(?:con\s+)?(?:song|tram|noi)(?!\w)")
_JOINED = re.compile(r"\s*(?:\([^)\d]*\)\s*)?(?:va|,|&)\s*(?:tai |tram )*\s*")
#: Words a sentence or a remark may begin with; none is the name of a place by itself.
_NO_NAMES = {"muc", "bd", "bao", "h", "q", "hien", "luc", "hoi", "du", "tren", "duoi", "dinh", "lu", "tin", "ngay", "khoang", "tu", "den",
             "song", "ho", "trong", "nuoc", "so", "cap", "i", "ii", "iii", "luu", "dat", "cao", "thap", "max", "min", "utc", "tp", "xa",
             "phuong", "tinh", "canh", "ban", "tai", "tram", "va", "cac", "o", "vao", "voi", "trieu", "hom", "sang", "chieu", "toi", "dem"}
#: Letters for a level or a discharge, none a place.
_SYMBOL = re.compile(r"h(?:\d{1,2}h|td|tl|hl)|q(?:den|ve|xa|d|x)|mn(?:h|tl|hl)?")


@dataclass(frozen=True)
class Named:
    """A place named in a sentence: a station, or a name that is none (``station`` None)."""

    start: int
    stop: int
    name: str
    station: Station | None
    river: bool = False


@dataclass
class Statement:
    """What is said of one station at one time; ``station`` None when that is not known."""

    station: Station | None
    name: str
    quote: str
    forecast: bool
    time: Time | None
    day: Time | None
    level: Level | None = None
    relations: list[AlarmRelation | AlarmSpan] = field(default_factory=list)
    discharge: Discharge | None = None
    unreadable: Unreadable | None = None
    whole_river: bool = False
    general: bool = False  # said of many rivers at once


@dataclass
class _Context:
    """What earlier sentences have set: the hour, the day, whether it is a forecast, the station a line went on about."""

    time: Time | None = None
    day: Time | None = None
    forecast: bool = False
    last: Named | None = None
    topic: str = ""
    heading: bool = False  # under "2. Dự báo"


def statements(text: str, names: StationNames, rivers: dict[str, list[Station]]) -> list[Statement]:
    """Read a text in NFC; ``rivers`` maps folded names of rivers to their stations."""
    folded = fold(text)
    context, result, before = _Context(), [], 0
    for start, stop, same_line in _sentences(text):
        here, plain = text[start:stop], folded[start:stop]
        if "\n\n" in re.sub(r"[ \t]", "", text[before:start]):
            context.topic = ""
        before = stop
        result += _read(here, plain, names, rivers, context, same_line)
    return result


def _sentences(text: str) -> Iterator[tuple[int, int, bool]]:
    """Yield start, stop and whether the sentence goes on in the line of the one before."""
    start, same_line = 0, False
    for match in [*_BREAK.finditer(text), None]:
        inside = match is not None and match[0] == ";" and text.count("(", start, match.start()) > text.count(")", start, match.start())
        if inside or match is not None and not _ends(match, text):
            continue
        stop = match.start() if match else len(text)
        if text[start:stop].strip():
            yield start, stop, same_line
        if match:
            start, same_line = match.end(), match[0] == ";"


def _ends(match: re.Match, text: str) -> bool:
    """A line that goes on in small letters is the same sentence, wrapped; so is a point behind a list number or "km."."""
    if match["line"]:
        return not match["line"].islower()
    if match[0] == ".":
        return (match["next"] is None or not match["next"].islower()) and not re.search(r"(?:^|\n)[ \t]*\d{1,2}$", text[:match.start()])
    return True


def _read(here: str, plain: str, names: StationNames, rivers: dict[str, list[Station]], context: _Context,
          same_line: bool) -> list[Statement]:
    known = [Named(a, b, here[a:b], station) for a, b, station in names.spans(here, plain)]
    masked = list(plain)
    for name in known:  # "Hà Nội 10,6m": no word of a name is a word of the sentence
        masked[name.start:name.stop] = ";" * (name.stop - name.start)
    tokens = _only_levels(scan(here, "".join(masked)), plain, context)
    places = known + _other_names(here, plain, known, tokens)
    # A bare whole number is a level only right behind a name: others are numbers of lists, classes, households.
    tokens = [t for t in tokens if not (isinstance(t, Level) and not t.sure)
              or any(_directly_before(plain, place.stop, t) for place in places)]
    said = [t for t in tokens if _quantity(t)]
    announced = modes(plain, says_something=bool(said), under_heading=context.heading)
    if heads_a_forecast(plain) and not said:
        context.heading = True
    elif any(not mode.forecast for mode in announced):
        context.heading = False
    elements = sorted([*places, *tokens, *announced], key=lambda item: (item.start, item.stop))
    speakers = [p for p in places if not p.river]
    quote = " ".join(here.split())
    if not speakers:
        goes_on = same_line and context.last is not None and not places and elements
        if goes_on and (isinstance(elements[0], Time) or isinstance(elements[0], Mode) and said or _of_reservoir(context.last, said)):
            return _group(context.last, elements, context, quote)
        return _without_station([p for p in places if p.river], rivers, elements, said, context, quote)
    groups = _groups(sorted(speakers, key=lambda p: p.start), elements, plain)
    result: list[Statement] = []
    for speaker, members in groups:
        if speaker is None:
            _advance(members, context)
            result += [_unassigned(e, context, quote, plain) for e in members if _quantity(e) and not _bare(e)]
        else:
            result += _group(speaker, members, context, quote)
            context.last = speaker
    return result


def _quantity(element: object) -> bool:
    return isinstance(element, (Level, AlarmSpan, AlarmRelation, Discharge, Unreadable))


def _bare(element: object) -> bool:
    """"trên báo động 3" without a figure."""
    return isinstance(element, AlarmRelation) and element.low is None and element.side != 0


def _of_reservoir(last: Named, said: list) -> bool:
    """"...; Q đến 350 m3/s; Q xả 280 m3/s" goes on about the reservoir named before."""
    return last.station is not None and last.station.kind == "reservoir" and bool(said) and all(isinstance(e, Discharge) for e in said)


def _only_levels(tokens: list[Token], plain: str, context: _Context) -> list[Token]:
    """Make others of the figures that are depths on streets, rain, or levels of floods long ago."""
    kept: list[Token] = []
    for token in tokens:
        if isinstance(token, (Level, Unreadable)):
            since = plain[max((t.stop for t in kept if _quantity(t)), default=0):token.start]
            whole = plain[:token.start]
            for pattern, topic in ((_RAIN, "rain"), (_DEPTHS, "depth")):
                last = max((m.start() for m in pattern.finditer(whole)), default=-1)
                if last >= 0:
                    context.topic = topic
                if context.topic and max((m.start() for m in _LEVELS.finditer(whole)), default=-1) > last:
                    context.topic = ""
            if (context.topic == "depth" or context.topic == "rain" and not (isinstance(token, Level) and token.unit)
                    or _FLOODED.search(since) or _RECORD.search(since) or _YEAR_BEHIND.match(plain, token.stop)):
                token = Other(token.start, token.stop)
        kept.append(token)
    if plain.rstrip().endswith(":"):
        context.topic = "rain" if _RAIN.search(plain) else "depth" if _DEPTHS.search(plain) else context.topic
    return kept


def _other_names(here: str, plain: str, known: list[Named], tokens: list[Token]) -> list[Named]:
    """Capitalised names that are no station: rivers, and what a level seems to be said of."""
    found = []
    capitals = here.upper() == here  # "…LUC 7H LA 3,58M": capitals tell nothing of names there
    for match in re.finditer(r"[^\W\d_][\w]*(?:[ \t]+[^\W\d_][\w]*)*", here):
        for start, stop in _capitalised(here, match.start(), match.end()):
            if any(n.start < stop and start < n.stop for n in known) or any(t.start <= start < t.stop for t in tokens):
                continue
            words = plain[start:stop].split()
            while words and (words[0] in _NO_NAMES or _SYMBOL.fullmatch(words[0])) and words[0] not in ("song", "ho"):
                start += len(re.match(r"\S+\s*", here[start:stop])[0])
                words = words[1:]
            if not words or capitals and words[0] == "la" and len(words) == 1:
                continue
            name, before = here[start:stop], plain[:start]
            if words[0] == "song" or _RIVER_BEFORE.search(before):
                bare = " ".join(words[1:] if words[0] == "song" else words)
                found.append(Named(start, stop, name, None, river=bool(bare)))
            elif _NAMED_BY.search(before) or _followed_by_quantity(plain, stop, tokens):
                found.append(Named(start, stop, name, None))
    return [name for name in found if name.name]


def _capitalised(here: str, start: int, stop: int) -> Iterator[tuple[int, int]]:
    run: list[tuple[int, int]] = []
    for word in re.finditer(r"\S+", here[start:stop]):
        if word[0][0].isupper():
            run.append((start + word.start(), start + word.end()))
            continue
        if run:
            yield run[0][0], run[-1][1]
        run = []
    if run:
        yield run[0][0], run[-1][1]


_BETWEEN = re.compile(r"\s*(?:\([^)\d]*\))?\s*[:=~\-]?\s*(?:(?:la|o muc|muc|dat|len|xuong|khoang|hien|dang)\s+)*[(]?\s*")


def _directly_before(plain: str, stop: int, token: Token) -> bool:
    return token.start >= stop and token.start <= _BETWEEN.match(plain, stop).end() <= token.stop


def _followed_by_quantity(plain: str, stop: int, tokens: list[Token]) -> bool:
    return any(_quantity(token) and _directly_before(plain, stop, token) for token in tokens)


def _groups(speakers: list[Named], elements: list, plain: str) -> list[tuple[Named | None, list]]:
    """Deal a sentence's elements out to the stations it names."""
    said = [e for e in elements if _quantity(e)]
    levels = [e for e in said if isinstance(e, (Level, Unreadable))]
    others = [e for e in elements if not isinstance(e, Named)]
    ahead = [e for e in others if e.start < speakers[0].start]
    if len(speakers) == 1:
        first = [e for e in ahead if _quantity(e) and not _bare(e)]
        if not first or len(first) == len([e for e in said if not _bare(e)]):
            return [(speakers[0], others)]
        # "Các sông ở mức BĐ1, riêng Kim Long 3,58m": what goes before is not of Kim Long.
        return [(None, ahead), (speakers[0], [e for e in others if e.start >= speakers[0].start])]
    if "lan luot" in plain and len(levels) == len(speakers) and all(e.start > speakers[-1].start for e in levels):
        starts = [*(e.start for e in levels), len(plain)]
        common = [e for e in others if e.start < starts[0]]
        return [(None, common), *((s, [e for e in others if starts[k] <= e.start < starts[k + 1]]) for k, s in enumerate(speakers))]
    first_said_ahead = [e for e in said if e.start < speakers[0].start]
    if first_said_ahead and not any(e.start > speakers[-1].start for e in said):
        groups, start = [], 0
        for speaker in speakers:  # levels first, each followed by its station
            groups.append((speaker, [e for e in others if start <= e.start < speaker.start]))
            start = speaker.start
        return groups
    groups = [(None, ahead)]
    edges = [*(s.start for s in speakers), len(plain) + 1]
    for k, speaker in enumerate(speakers):
        members = [e for e in others if edges[k] <= e.start < edges[k + 1]]
        alone = k > 0 and not any(_quantity(e) for e in groups[-1][1]) and _JOINED.fullmatch(plain, speakers[k - 1].stop, speaker.start)
        # "Kim Long và Phú Ốc 3,58m": of both, or of the latter?
        groups.append(
            (speaker, [Unreadable(e.start, e.stop, "shared") if alone and _quantity(e) else e for e in members])
        )
    return groups


def _advance(elements: list, context: _Context) -> None:
    """Let the hour, day and kind named here stand for what follows."""
    for element in elements:
        if isinstance(element, Time):
            _set_time(element, context)
        elif isinstance(element, Mode):
            _set_mode(element, context)


def _set_mode(mode: Mode, context: _Context) -> None:
    if mode.forecast and not context.forecast:
        context.time = None  # the hour of the reading is not the hour of the forecast
    if not mode.forecast and _ahead(context.day):
        context.time = context.day = None  # "chiều mai 3,9m, hiện tại 3,2m"
    context.forecast = mode.forecast


def _set_time(time: Time, context: _Context) -> None:
    if time.dated:
        context.day = time
    if time.hour is not None or context.time is None:
        context.time = time


def _ahead(time: Time | None) -> bool:
    return time is not None and (time.shift or 0) > 0


def _group(speaker: Named, elements: list, context: _Context, quote: str) -> list[Statement]:
    """Statements of one station, from the elements that are its own."""
    result: list[Statement] = []
    own_times = _times_behind(elements)
    current: Statement | None = None
    for element in elements:
        if isinstance(element, Mode):
            _set_mode(element, context)
            current = None
        elif isinstance(element, Time):
            if not any(element.start == time.start for time in own_times.values()):
                _set_time(element, context)
                current = None if element.hour is not None else current
        elif isinstance(element, (Level, Unreadable)):
            current = _new(speaker, context, quote, own_times.get(id(element)))
            if isinstance(element, Level):
                current.level = element
            else:
                current.unreadable = element
            result.append(current)
        elif isinstance(element, (AlarmRelation, AlarmSpan)):
            if current is None:
                current = _new(speaker, context, quote, own_times.get(id(element)))
                result.append(current)
            current.relations.append(element)
        elif isinstance(element, Discharge):
            statement = _new(speaker, context, quote, None)
            statement.discharge = element
            result.append(statement)
    return [s for s in result if s.level or s.discharge or s.unreadable or s.relations]


def _times_behind(elements: list) -> dict[int, Time]:
    """Hours written behind their levels ("4,12m lúc 3h, hiện 3,58m"), by the id of the level; none where hours go first."""
    found: dict[int, Time] = {}
    level = day = None
    days_behind, hours_ahead = True, False
    for k, element in enumerate(elements):
        if (
            isinstance(element, (Level, AlarmSpan, Unreadable))
            or level is None
            and isinstance(element, AlarmRelation)
            and element.low is not None
        ):
            level, day = element, None
        elif isinstance(element, Time) and element.hour is None:
            day = element
            days_behind = days_behind and (level is not None or bool(found))
            if level is not None and days_behind:
                found.setdefault(id(level), element)  # "3,9m ngày mai"
        elif isinstance(element, Mode):
            level, days_behind, hours_ahead = None, True, False
        elif isinstance(element, Time) and element.hour is not None:
            # "13h: 3,2m, 19h: 3,4m": once hours go first they do until the next "hiện nay", "dự báo".
            hours_ahead = hours_ahead or level is None and not _hours_behind(elements[:k], found)
            if level is not None and not hours_ahead:
                dated = day is not None and not element.dated
                found[id(level)] = (
                    replace(element, day=day.day, month=day.month, year=day.year, shift=day.shift) if dated else element
                )
                level = None
    return found


def _hours_behind(before: list, found: dict[int, Time]) -> bool:
    """Whether a level since the last "hiện nay", "dự báo" has its hour behind it already."""
    for element in reversed(before):
        if isinstance(element, Mode):
            return False
        if id(element) in found:
            return True
    return False


def _new(speaker: Named | None, context: _Context, quote: str, time: Time | None) -> Statement:
    day = time if time is not None and time.dated else context.day
    hour = time if time is not None and time.hour is not None else context.time
    return Statement(
        speaker.station if speaker else None,
        speaker.name if speaker else "",
        quote,
        context.forecast or _ahead(day),
        hour,
        day,
    )


def _unassigned(element: object, context: _Context, quote: str, plain: str = "") -> Statement:
    statement = _new(None, context, quote, None)
    if plain and isinstance(element, (AlarmRelation, AlarmSpan)):
        statement.general = bool(_ALL_RIVERS.search(plain[:element.start]))
    if isinstance(element, Level):
        statement.level = element
    elif isinstance(element, Unreadable):
        statement.unreadable = element
    elif isinstance(element, Discharge):
        statement.discharge = element
    else:
        statement.relations.append(element)
    return statement


def _without_station(named_rivers: list[Named], rivers: dict[str, list[Station]], elements: list, said: list,
                     context: _Context, quote: str) -> list[Statement]:
    """A sentence that names no station: of a whole river, or a question where it holds a level."""
    _advance(elements, context)
    context.last = None
    told = [e for e in said if isinstance(e, (AlarmRelation, AlarmSpan))]
    if named_rivers and told and len(told) == len(said):
        plain = [re.sub(r"^song\s+", "", fold(r.name)) for r in named_rivers]
        stations = [s for name in plain for s in rivers.get(name, [])]
        if stations:
            whole = [_unassigned(element, context, quote) for element in told]
            return [replace(w, station=s, name=s.name, whole_river=True) for s in stations for w in whole]
    return [_unassigned(e, context, quote, fold(quote) + " " * len(quote)) for e in said]
