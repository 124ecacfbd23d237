"""Stations a bulletin can speak of: names, alarm levels, zero and record flood, as the province has filled them in."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

import geopandas
import pandas

from ...common.columns import numbers
from ...common.errors import InputError, name_some, refuse_if
from ...common.language import say
from .bulletin_words import fold

#: Fields of the catalogue's dataset ``gauge`` that a station is made of; only the name must be there.
FIELDS = ("station_code", "name", "river_name", "kind", "alarm_1_m", "alarm_2_m", "alarm_3_m", "datum", "gauge_zero_m",
          "record_flood_m", "record_flood_date", "alarm_source")
_PREFIX = re.compile(r"^(?:tram(?: thuy van| tv| kttv| do)?|tv)\s+")


@dataclass(frozen=True)
class Station:
    """A gauge. Levels in metres, above its own zero where ``datum`` is ``gauge_zero``, else in that datum.

    Attributes
    ----------
    id : object
        Feature id in the layer of stations.
    alarm_m : tuple of three floats or None
        Alarm levels 1, 2, 3.
    zero_m : float or None
        National height of the gauge's zero.
    """

    id: object
    code: str
    name: str
    river: str
    kind: str
    alarm_m: tuple[float | None, float | None, float | None]
    datum: str
    zero_m: float | None
    record_m: float | None
    record_date: str
    alarm_source: str

    @property
    def own_zero(self) -> bool:
        """Whether its levels are counted from its own zero."""
        return self.datum == "gauge_zero"

    def height(self, level_m: float) -> float | None:
        """National height of a level read at this station, m; None where the zero is not known."""
        if not self.own_zero:
            return level_m
        return None if self.zero_m is None else level_m + self.zero_m


def read_stations(frame: geopandas.GeoDataFrame, layer_name: str = "") -> list[Station]:
    """Take the stations from a layer with the fields of the catalogue's dataset ``gauge``.

    Raises
    ------
    InputError
        No field ``name``, blank or repeated names, levels that are no numbers, alarm levels out of order; told together.
    """
    layer_name = layer_name or say("Lớp trạm", "The layer of stations")
    if "name" not in frame:
        raise InputError(say("{layer} không có trường name (tên trạm); các trường như tập dữ liệu \"Trạm thủy văn\".",
                             "{layer} has no field name; the fields are those of the dataset \"Gauge\".")
                         .format(layer=layer_name))
    problems: list[str] = []
    values: dict[str, list] = {}
    for field in FIELDS:
        if not field.endswith("_m"):
            values[field] = [
                "" if pandas.isna(v) else unicodedata.normalize("NFC", str(v)).strip() for v in frame.get(field, pandas.Series("", frame.index))
            ]
            continue
        found, wrong = numbers(frame[field]) if field in frame else ([float("nan")] * len(frame), [])
        values[field] = [None if v != v else float(v) for v in found]
        if wrong:
            problems.append(say("{layer}, trường {field}: không phải là số (fid: {ids}).",
                                "{layer}, field {field}: no numbers (ids: {ids}).")
                            .format(layer=layer_name, field=field, ids=name_some(wrong)))
    stations = [
        Station(id_, v["station_code"], v["name"], v["river_name"], v["kind"],
                (v["alarm_1_m"], v["alarm_2_m"], v["alarm_3_m"]), v["datum"], v["gauge_zero_m"], v["record_flood_m"],
                v["record_flood_date"], v["alarm_source"])
        for id_, v in ((id_, {field: column[k] for field, column in values.items()}) for k, id_ in enumerate(frame.index))]
    problems += _faults(stations, layer_name)
    refuse_if(problems)
    return stations


def _faults(stations: list[Station], layer_name: str) -> list[str]:
    blank = [s.id for s in stations if not s.name]
    names = pandas.Series([s.name.casefold() for s in stations if s.name])
    repeated = sorted(set(names[names.duplicated()]))
    unordered = [s.name for s in stations if (known := [a for a in s.alarm_m if a is not None]) != sorted(known)]
    told = []
    if not stations:
        told.append(say("{layer} không có trạm nào.", "{layer} has no stations."))
    if blank:
        told.append(say("{layer}: trạm không có tên (fid: {ids}).", "{layer}: stations without a name (ids: {ids})."))
    if repeated:
        told.append(say("{layer}: nhiều trạm cùng tên ({names}); bản tin không phân biệt được.",
                        "{layer}: several stations of one name ({names}); a bulletin cannot tell them apart."))
    if unordered:
        told.append(say("{layer}: mực nước báo động 1, 2, 3 không tăng dần ({unordered}).",
                        "{layer}: alarm levels 1, 2, 3 do not rise ({unordered})."))
    return [text.format(layer=layer_name, ids=name_some(blank), names=name_some(repeated),
                        unordered=name_some(unordered)) for text in told]


class StationNames:
    """Finds names of stations in a text: as written, else without diacritics where that fits one station only.

    ``Kim Long (Huế)`` is found as *Kim Long* too. Longer names go before names they contain.
    """

    def __init__(self, stations: list[Station]):
        self._exact: dict[str, Station] = {}
        plain: dict[str, set[str]] = {}
        by_name: dict[str, Station] = {}
        for station in stations:
            for name in {station.name, re.sub(r"\s*\([^)]*\)", "", station.name).strip()} - {""}:
                self._exact[name.casefold()] = station
                plain.setdefault(_PREFIX.sub("", fold(name)), set()).add(station.name)
                by_name[station.name] = station
        self._plain = {name: by_name[next(iter(owners))] for name, owners in plain.items() if len(owners) == 1}
        self._ambiguous = {name for name, owners in plain.items() if len(owners) > 1}
        words = sorted({*self._plain, *self._ambiguous}, key=len, reverse=True)
        self._pattern = re.compile(
            r"(?<!\w)(?:" + "|".join(r"\s+".join(map(re.escape, w.split())) for w in words) + r")(?!\w)"
        )

    def spans(self, text: str, folded: str) -> list[tuple[int, int, Station | None]]:
        """Return (start, stop, station) of every name; None where the text fits several stations."""
        found = []
        for match in self._pattern.finditer(folded):
            name = " ".join(match[0].split())
            written = " ".join(text[match.start():match.end()].split()).casefold()
            found.append((match.start(), match.end(), self._exact.get(written) or self._plain.get(name)))
        return found

    def like(self, word: str) -> list[str]:
        """Names that look like a word, nearest first, for "did you mean"."""
        import difflib

        near = difflib.get_close_matches(_PREFIX.sub("", fold(word)), list(self._plain), n=3, cutoff=0.6)
        return [self._plain[name].name for name in near]
