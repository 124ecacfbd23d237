"""Corrected readings written as a bulletin are read back as they were."""

import datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from quyhoach.processing_algorithms.common.errors import InputError
from quyhoach.processing_algorithms.disaster.bulletin.bulletin import VIETNAM, Reading, read_bulletin
from quyhoach.processing_algorithms.disaster.bulletin.bulletin_text import read_level, with_level, write_bulletin
from quyhoach.processing_algorithms.disaster.bulletin.stations import Station

SAMPLES = Path(__file__).resolve().parents[2] / "data_samples"
STATIONS = [Station(1, "", "Khe Mây", "sông Trạch", "river", (2.1, 3.4, 4.9), "national", 0.0, 5.52, "", ""),
            Station(2, "", "Lam Trạch", "sông Trạch", "river", (1.5, 3.0, 4.5), "national", 0.0, 5.1, "", ""),
            Station(3, "", "Trạch Đông", "sông Trạch", "river", (1.52, 2.82, 4.32), "gauge_zero", -0.42, 4.93, "", "")]
TODAY = datetime.date(2026, 11, 2)


def facts(readings):
    return sorted((r.station.name, r.low_m, r.high_m, r.forecast, str(r.time)) for r in readings if r.low_m is not None)


def test_the_sample_bulletin_comes_back():
    first = read_bulletin((SAMPLES / "bulletin_alarm_3.txt").read_text("utf-8"), STATIONS, today=TODAY)
    again = read_bulletin(write_bulletin(first.readings, first.issued), STATIONS, today=TODAY)
    assert len(first.readings) == 6 and facts(again.readings) == facts(first.readings)
    assert not again.questions and again.issued == first.issued


moments = st.datetimes(datetime.datetime(2026, 10, 30), datetime.datetime(2026, 11, 4)).map(lambda t: t.replace(second=0, microsecond=0, tzinfo=VIETNAM))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(STATIONS), st.integers(150, 560), st.integers(0, 30), st.booleans(), moments), min_size=1, max_size=3,
                unique_by=lambda row: (row[0].name, row[3])))
def test_any_levels_come_back(rows):
    readings = [Reading(s, low / 100, (low + more) / 100, None, None, None, time, forecast, "stated", "") for s, low, more, forecast, time in rows]
    again = read_bulletin(write_bulletin(readings), STATIONS, today=TODAY)
    assert not again.questions and facts(again.readings) == facts(readings)


def test_a_level_typed_by_hand():
    reading = read_bulletin("7h ngày 2/11/2026: Khe Mây 5,25m", STATIONS, today=TODAY).readings[0]
    changed = with_level(reading, "5,4 - 5,6 m")
    assert (changed.low_m, changed.high_m, changed.time) == (5.4, 5.6, reading.time) and "nhập tay" in changed.quote
    for text in ("", "cao", "5,6-5,4"):
        with pytest.raises(InputError):
            read_level(text)
