"""Tables in a bulletin, as pasted from a spreadsheet or drawn with bars: a header that names the station and the levels."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from .bulletin_sentences import Statement
from .bulletin_words import AlarmRelation, Level, Time, Unreadable, fold, scan
from .stations import Station, StationNames

_STATION = re.compile(r"(?<!\w)(?:ten )?(?:tram|diem do|vi tri)(?!\w)")
_LEVEL = re.compile(r"(?<!\w)(?:muc nuoc|h|htd|h td|thuc do|hien tai|gia tri|du bao)(?!\w)")
_AGAINST = re.compile(r"(?:so (?:voi )?|tren|duoi|\+/-|chenh)\s*(?:muc )?(?:bao dong|bd)\s*(?:cap )?(iii|ii|i|[123])(?!\w)")
_NOT_LEVEL = re.compile(r"(?<!\w)(?:bd|bao dong|so voi|chenh|lich su|bien do|xu the|luu luong|q|stt|tt|song|luu vuc|ghi chu|mua)(?!\w)")
_OTHER_TABLE = re.compile(r"(?<!\w)(?:luong mua|mua[^.;]*mm|do sau ngap|muc do ngap|ngap sau|nhiet do|thiet hai)(?!\w)")
_LEVEL_TABLE = re.compile(r"(?<!\w)(?:muc nuoc|mn|lu|trieu|thuy van)(?!\w)")
_WHEN = re.compile(r"(?<!\w)(?:thoi gian|thoi diem|gio|ngay|luc|tram)(?!\w)")
_MEASURED = re.compile(r"(?<!\w)(?:thuc do|hien tai|htd)(?!\w)")
_ROMAN = {"i": 1, "ii": 2, "iii": 3, "1": 1, "2": 2, "3": 3}


@dataclass(frozen=True)
class _Column:
    position: int
    centimetres: bool
    time: Time | None
    forecast: bool
    end: str  # "low", "high" or ""


def table_statements(text: str, names: StationNames) -> tuple[list[Statement], str]:
    """Take tables out of a text; return what they say and the text that is left, the rows blanked."""
    found: list[Statement] = []
    left: list[str] = []
    layout: tuple[int, list[_Column], dict[int, int]] | None = None
    day: Time | None = None
    names_above: list[str] = []
    title = ""
    beside: list[Station | None] = []
    for line in _tabbed(text.split("\n")):
        cells = _cells(line)
        if len(cells) < 2:
            dates = [t for t in scan(line, fold(line)) if isinstance(t, Time) and t.dated]
            day = dates[-1] if dates else day
            layout = None if line.strip() else layout
            beside, title = ([], fold(line)) if line.strip() else (beside, title)
            left.append(line)
            continue
        header = _header(cells)
        if _OTHER_TABLE.search(title) and not _LEVEL_TABLE.search(title + " " + fold(" ".join(cells))):
            left.append("")  # "Lượng mưa (mm)" over a table of stations
        elif header is not None:
            if "du bao" in title and not _MEASURED.search(title):
                header = header[0], [replace(c, forecast=c.time is not None) for c in header[1]], header[2]
            layout, beside, names_above = header, [], cells
            left.append("")
        elif layout is not None and names_above and (below := _second_header(names_above, cells, layout)) is not None:
            layout, names_above = below, []
            left.append("")
        elif header is None and (across := _stations_across(cells, names)):
            layout, beside = None, across
            left.append("")
        elif beside and (said := _row_of_stations(cells, line, beside, day, title)) is not None:
            found += said
            left.append("")
        elif layout is not None and layout[0] < len(cells):
            found += _row(cells, line, layout, names, day)
            left.append("")
        else:
            left.append(line)
    return found, "\n".join(left)


def _tabbed(lines: list[str]) -> list[str]:
    """Lines with semicolons between cells (a CSV as Excel writes it here), with tabs instead; sentences stay as they are."""
    result, count = [], 0
    for line in lines:
        cells = line.split(";")
        plain = [fold(cell) for cell in cells]
        if len(cells) > 1 and _header(cells) is not None and not any(re.search(r"\d[.,]\d", cell) for cell in plain):
            count = len(cells)
        elif len(cells) != count:
            count = 0
        result.append("\t".join(cells) if count else line)
    return result


def _cells(line: str) -> list[str]:
    for separator in ("\t", "|"):
        if line.count(separator) >= 1:
            cells = [cell.strip() for cell in line.split(separator)]
            return cells[1:-1] if separator == "|" and line.strip().startswith("|") else cells
    return []


def _header(cells: list[str]) -> tuple[int, list[_Column], dict[int, int]] | None:
    folded = [fold(cell) for cell in cells]
    stations = [k for k, cell in enumerate(folded) if _STATION.search(cell)]
    if not stations:
        return None
    columns, against = [], {}
    for k, (cell, plain) in enumerate(zip(cells, folded)):
        if k == stations[0]:
            continue
        if match := _AGAINST.search(plain):
            against[k] = _ROMAN[match[1]]
            continue
        times = [t for t in scan(cell, plain) if isinstance(t, Time)]
        if _NOT_LEVEL.search(plain) or not (times or _LEVEL.search(plain)):
            continue
        end = "low" if re.search(r"thap nhat|(?<!\w)tu(?!\w)|min", plain) else (
            "high" if re.search(r"cao nhat|(?<!\w)den(?!\w)|max", plain) else "")
        # Hours right of a forecast are forecasts too.
        forecast = "du bao" in plain or bool(times and columns and columns[-1].forecast and not _MEASURED.search(plain))
        columns.append(_Column(k, "cm" in plain, times[0] if times else None, forecast, end))
    return (stations[0], columns, against) if columns or against else None


def _second_header(above: list[str], cells: list[str], layout: tuple[int, list[_Column], dict[int, int]]
                   ) -> tuple[int, list[_Column], dict[int, int]] | None:
    """Hours in a row of their own below "Thực đo", "Dự báo", each of which stands over several columns."""
    if cells[layout[0]:layout[0] + 1] != [""]:
        return None
    columns, forecast, centimetres = [], False, False
    for k, cell in enumerate(cells):
        over = fold(above[k]) if k < len(above) else ""
        if over:
            forecast, centimetres = "du bao" in over, "cm" in over
        if not cell or _NOT_LEVEL.search(over) or over and not (_LEVEL.search(over) or _MEASURED.search(over)):
            continue
        tokens = scan(cell, fold(cell))
        if len(tokens) != 1 or not isinstance(tokens[0], Time):
            return None
        columns.append(_Column(k, centimetres or "cm" in fold(cell), tokens[0], forecast, ""))
    return (layout[0], columns, layout[2]) if columns else None


def _stations_across(cells: list[str], names: StationNames) -> list[Station | None]:
    """Stations at the head of columns, hours at the head of rows: [] where this row is no such header."""
    first = fold(cells[0])
    if first and not _WHEN.search(first) or any(re.search(r"\d[.,]\d", cell) for cell in cells[1:]):
        return []
    spans = [names.spans(cell, fold(cell)) for cell in cells[1:]]
    found = [span[0][2] if len(span) == 1 else None for span in spans]
    return [None, *found] if found and all(station is not None for station, cell in zip(found, cells[1:]) if cell) and any(found) else []


def _row_of_stations(cells: list[str], line: str, stations: list[Station | None], day: Time | None,
                     title: str) -> list[Statement] | None:
    times = [t for t in scan(cells[0], fold(cells[0])) if isinstance(t, Time)]
    result: list[Statement] = []
    if _NOT_LEVEL.search(fold(cells[0])) or fold(cells[0]).startswith("bd"):
        return result  # "Mưa 24h (mm)", "BĐ3"
    if not times or len(cells) > len(stations):
        return None
    forecast = "du bao" in fold(cells[0]) or "du bao" in title and not _MEASURED.search(title)
    for cell, station in zip(cells[1:], stations[1:]):
        level = _value(cell, "cm" in fold(cells[0]))
        if level is None or station is None:
            continue
        statement = Statement(station, station.name, line, forecast, times[0], times[0] if times[0].dated else day)
        if isinstance(level, Level):
            statement.level = level
        else:
            statement.unreadable = level
        result.append(statement)
    return result


def _row(cells: list[str], line: str, layout: tuple[int, list[_Column], dict[int, int]], names: StationNames,
         day: Time | None) -> list[Statement]:
    station_at, columns, against = layout
    name = cells[station_at]
    if not name:
        return []
    spans = names.spans(name, fold(name))
    station = spans[0][2] if spans else None
    own_time = next((t for k, cell in enumerate(cells) if k != station_at and k not in {c.position for c in columns}
                     for t in scan(cell, fold(cell)) if isinstance(t, Time)), None)
    result: list[Statement] = []
    pending: dict[str, Level] = {}
    for column in columns:
        level = _value(cells[column.position] if column.position < len(cells) else "", column.centimetres)
        if level is None:
            continue
        if column.end and isinstance(level, Level):
            pending[column.end] = level
            if len(pending) < 2:
                continue
            low, high = pending["low"].low, pending["high"].high
            level = Level(0, 0, low, high) if low <= high else Unreadable(0, 0, "reversed")
            pending = {}
        time = column.time or own_time
        statement = Statement(
            station, name, line, column.forecast, time, time if time is not None and time.dated else day
        )
        if isinstance(level, Level):
            statement.level = level
        else:
            statement.unreadable = level
        result.append(statement)
    result += [Statement(station, name, line, False, own_time, day, level=level) for level in pending.values()]
    relations = [r for k, alarm in against.items() if k < len(cells) and (r := _relation(cells[k], alarm)) is not None]
    if relations and len(result) == 1:
        result[0].relations += relations
    elif relations and not result:
        result.append(Statement(station, name, line, False, own_time, day, relations=relations))
    return result


def _value(cell: str, centimetres: bool) -> Level | Unreadable | None:
    plain = fold(cell)
    if not re.search(r"\d", plain):
        return None
    found = [t for t in scan(cell, plain) if isinstance(t, (Level, Unreadable))]
    if len(found) != 1:
        return Unreadable(0, 0, cell)
    if isinstance(found[0], Unreadable) or not centimetres:
        # In a column headed "mực nước (m)" a whole number is a level.
        return found[0] if isinstance(found[0], Unreadable) else Level(0, 0, found[0].low, found[0].high)
    return Level(0, 0, found[0].low / 100, found[0].high / 100)


def _relation(cell: str, alarm: int) -> AlarmRelation | None:
    level = _value(cell.replace("+", "").replace("-", "", 1) if cell.strip()[:1] in "+-" else cell, "cm" in fold(cell))
    if not isinstance(level, Level):
        return None
    side = -1 if cell.strip().startswith(("-", "−")) or "duoi" in fold(cell) else 1
    return AlarmRelation(0, 0, alarm, side, level.low, level.high)
