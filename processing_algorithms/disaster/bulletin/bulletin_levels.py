"""Readings of a bulletin as a layer, and the one level of each station that a flood map starts from."""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from enum import IntEnum

import geopandas
import pandas

from .bulletin import VIETNAM, Reading


class Readings(IntEnum):
    """Which readings are kept."""

    ALL = 0
    LATEST_OBSERVED = 1
    HIGHEST = 2


def chosen(readings: list[Reading], which: Readings | int) -> list[Reading]:
    """Keep all readings, or one level per station. Discharges are kept only with all.

    A forecast never stands in for a missing observation with `LATEST_OBSERVED`; times nobody wrote count as oldest.
    """
    if which == Readings.ALL:
        return list(readings)
    levels = [r for r in readings if r.low_m is not None and (which == Readings.HIGHEST or not r.forecast)]
    best: dict[str, Reading] = {}
    for reading in levels:
        other = best.get(reading.station.name)
        if other is None or _rank(reading, which) > _rank(other, which):
            best[reading.station.name] = reading
    return list(best.values())


def _rank(reading: Reading, which: Readings | int) -> float:
    if which == Readings.HIGHEST:
        return reading.level_m
    if reading.time is None and reading.day is not None:
        return datetime.datetime.combine(reading.day, datetime.time(0), VIETNAM).timestamp()
    return reading.time.timestamp() if reading.time else float("-inf")


def reading_frame(readings: Iterable[Reading], stations: geopandas.GeoDataFrame) -> geopandas.GeoDataFrame:
    """Return the readings as points at their stations.

    Parameters
    ----------
    stations : GeoDataFrame
        The layer the stations came from; index = feature ids.

    Returns
    -------
    GeoDataFrame
        ``level_*`` in the station's own datum, ``height_*`` national heights, m; nan where unknown.
    """
    rows = [_row(reading) for reading in readings]
    ids = [reading.station.id for reading in readings]
    frame = pandas.DataFrame(rows, columns=list(_COLUMNS)).astype(_COLUMNS)
    return geopandas.GeoDataFrame(frame, geometry=stations.geometry.reindex(ids).array, crs=stations.crs)


_COLUMNS = {"station_code": object, "name": object, "river_name": object, "reading": object, "time": object,
            "level_low_m": float, "level_m": float, "level_high_m": float,
            "height_low_m": float, "height_m": float, "height_high_m": float, "datum": object, "gauge_zero_m": float,
            "alarm": "int64", "above_alarm_m": float, "above_record_m": float,
            "discharge_low_m3s": float, "discharge_high_m3s": float, "discharge_kind": object, "origin": object, "quote": object}


def _row(reading: Reading) -> tuple:
    station = reading.station
    nothing = float("nan")
    levels = [nothing] * 3 if reading.low_m is None else [reading.low_m, reading.level_m, reading.high_m]
    heights = [nothing if (h := station.height(level)) is None else round(h, 3) for level in levels]
    alarm, above = (0, None) if reading.low_m is None else reading.above_alarm()
    record = (
        nothing if station.record_m is None or reading.low_m is None else round(reading.level_m - station.record_m, 3)
    )
    kind = (
        ""
        if reading.discharge_low_m3s is None
        else {True: "release", False: "inflow", None: "unstated"}[reading.outward]
    )
    return (station.code, station.name, station.river, "forecast" if reading.forecast else "observed",
            reading.time.isoformat(timespec="minutes") if reading.time else reading.day.isoformat() if reading.day else None, *levels, *heights, station.datum,
            nothing if station.zero_m is None else station.zero_m, alarm, nothing if above is None else above, record,
            nothing if reading.discharge_low_m3s is None else reading.discharge_low_m3s,
            nothing if reading.discharge_high_m3s is None else reading.discharge_high_m3s, kind or None, reading.origin, reading.quote)
