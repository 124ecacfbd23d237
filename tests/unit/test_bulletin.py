"""Bulletins in many wordings read right; what cannot be sure is asked, never guessed."""

import datetime
import unicodedata
from pathlib import Path

import geopandas
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from quyhoach.processing_algorithms.common.errors import InputError
from quyhoach.processing_algorithms.disaster.bulletin.bulletin import read_bulletin
from quyhoach.processing_algorithms.disaster.bulletin.bulletin_file import read_bulletin_file
from quyhoach.processing_algorithms.disaster.bulletin.bulletin_levels import Readings, chosen, reading_frame
from quyhoach.processing_algorithms.disaster.bulletin.bulletin_words import fold
from quyhoach.processing_algorithms.disaster.bulletin.stations import Station, read_stations

SAMPLES = Path(__file__).resolve().parents[2] / "data_samples"
TODAY = datetime.date(2026, 11, 25)


def station(name, river, alarms, *, datum="national", zero=None, record=None, kind="river"):
    return Station(name, name, name, river, kind, alarms, datum, zero, record, "", "")


# Alarm levels of Kim Long and Phú Ốc as in the table river_alarm_levels; the Trạch is the sample town's.
STATIONS = [
    station("Kim Long", "Hương", (1.0, 2.0, 3.5), record=5.81), station("Phú Ốc", "Bồ", (1.5, 3.0, 4.5), record=5.24),
    station("Khe Mây", "Trạch", (2.9, 3.9, 4.9)), station("Lam Trạch", "Trạch", (2.5, 3.5, 4.5)),
    station("Trạch Đông", "Trạch", (2.0, 3.2, 4.32), datum="gauge_zero", zero=-1.2), station("Hà Nội", "Hồng", (9.5, 10.5, 11.5)),
    station("Tân Châu (sông Tiền)", "Tiền", (3.5, 4.0, 4.5)), station("Hương Điền", "Bồ", (None, None, None), kind="reservoir"),
]


def at(day, hour, minute=0, month=11):
    return f"2026-{month:02}-{day:02}T{hour:02}:{minute:02}+07:00"


def read(text):
    found = read_bulletin(text, STATIONS, today=TODAY)
    return found, [(r.station.name, r.low_m, r.high_m, r.time.isoformat(timespec="minutes") if r.time else None,
                    "forecast" if r.forecast else "observed") for r in found.readings if r.low_m is not None]


O, F = "observed", "forecast"
WORDINGS = {
    "Kim Long 3,58m, trên BĐ3 0,08m": [("Kim Long", 3.58, 3.58, None, O)],
    "Hà Nội 10,6-10,80m": [("Hà Nội", 10.6, 10.8, None, O)],
    "Mực nước lúc 7h/25/11 trên sông Hương tại trạm Kim Long: 3,58m, trên BĐ3 0,08m; sông Bồ tại Phú Ốc 4,60 m, trên BĐIII: 0,10m.":
        [("Kim Long", 3.58, 3.58, at(25, 7), O), ("Phú Ốc", 4.6, 4.6, at(25, 7), O)],
    "Mực nước hồi 16h30/24/11 tại Kim Long là 3.58 m, vượt báo động cấp III là 0.08 m": [("Kim Long", 3.58, 3.58, at(24, 16, 30), O)],
    "Dự báo: Trong 12 giờ tới, mực nước sông Hương tại Kim Long có khả năng lên mức 3,8-4,0m, trên BĐ3 0,3-0,5m.":
        [("Kim Long", 3.8, 4.0, None, F)],
    "KL sáng nay: kim long 3m58 >BD3 8cm; phu oc 460cm": [("Kim Long", 3.58, 3.58, None, O), ("Phú Ốc", 4.6, 4.6, None, O)],
    "Kim Long và Phú Ốc lần lượt là 3,58m và 4,60m": [("Kim Long", 3.58, 3.58, None, O), ("Phú Ốc", 4.6, 4.6, None, O)],
    # 3,5 - and 4,5 - 0,2
    "Mực nước tại Kim Long ở mức xấp xỉ BĐ3, tại Phú Ốc dưới BĐ3 0,2m": [("Kim Long", 3.5, 3.5, None, O), ("Phú Ốc", 4.3, 4.3, None, O)],
    "Mực nước sông Hương tại Kim Long dao động từ BĐ2 đến BĐ3": [("Kim Long", 2.0, 3.5, None, O)],
    "Tại Kim Long trên báo động 2, dưới báo động 3": [("Kim Long", 2.0, 3.5, None, O)],
    "Hiện mực nước 3,58m tại Kim Long, 4,6m tại Phú Ốc": [("Kim Long", 3.58, 3.58, None, O), ("Phú Ốc", 4.6, 4.6, None, O)],
    "Kim Long (1h: 3,20m; 7h: 3,58m)": [("Kim Long", 3.2, 3.2, at(25, 1), O), ("Kim Long", 3.58, 3.58, at(25, 7), O)],
    "Đỉnh lũ tại Kim Long 4,12m lúc 3h ngày 25/11, thấp hơn đỉnh lũ năm 2020 0,05m, hiện 3,58m":
        [("Kim Long", 4.12, 4.12, at(25, 3), O), ("Kim Long", 3.58, 3.58, None, O)],
    "Kim Long 3,58m, dự báo đến 13h đạt 4,0m": [("Kim Long", 3.58, 3.58, None, O), ("Kim Long", 4.0, 4.0, at(25, 13), F)],
    "Lúc 07 giờ 00 ngày 25 tháng 11 năm 2026, Phú Ốc: 4,60 m (BĐ1: 1,50; BĐ2: 3,00; BĐ3: 4,50), cao hơn cùng kỳ năm 2025 là 1,2m":
        [("Phú Ốc", 4.6, 4.6, at(25, 7), O)],
    "Lượng mưa phổ biến 100-200mm, có nơi trên 300mm. Biên độ lũ lên từ 2-4m. Kim Long 3,58m, cường suất 5cm/h, 1.250 hộ bị ngập":
        [("Kim Long", 3.58, 3.58, None, O)],
    "- Kim Long: 3,58 m\n- Phú Ốc: 4,60 m\n": [("Kim Long", 3.58, 3.58, None, O), ("Phú Ốc", 4.6, 4.6, None, O)],
    "Trạm\tSông\tMực nước (m)\tSo với BĐ3 (m)\nKim Long\tHương\t3,58\t+0,08\nPhú Ốc\tBồ\t4,4\t-0,10":
        [("Kim Long", 3.58, 3.58, None, O), ("Phú Ốc", 4.4, 4.4, None, O)],
    "Bảng mực nước ngày 25/11/2026\nTrạm | 1h (cm) | 7h (cm) | Dự báo 13h (cm)\nKim Long | 320 | 358 | 380-400\nPhú Ốc|410|460|":
        [("Kim Long", 3.2, 3.2, at(25, 1), O), ("Kim Long", 3.58, 3.58, at(25, 7), O), ("Kim Long", 3.8, 4.0, at(25, 13), F),
         ("Phú Ốc", 4.1, 4.1, at(25, 1), O), ("Phú Ốc", 4.6, 4.6, at(25, 7), O)],
    "Trạm\tThấp nhất (m) mực nước\tCao nhất (m) mực nước\nPhú Ốc\t4,4\t4,8": [("Phú Ốc", 4.4, 4.8, None, O)],
    "Tân Châu 4,1m": [("Tân Châu (sông Tiền)", 4.1, 4.1, None, O)],
    # of the whole river: 4,9 + 0,4..0,6; 4,5 + ...; 4,32 + ... above its own zero
    "Trong 6 giờ tới, lũ trên sông Trạch tiếp tục lên,\nđạt đỉnh ở mức trên BĐ3 từ 0,4 đến 0,6 m":
        [("Khe Mây", 5.3, 5.5, None, F), ("Lam Trạch", 4.9, 5.1, None, F), ("Trạch Đông", 4.72, 4.92, None, F)],
}


@pytest.mark.parametrize("text", WORDINGS, ids=lambda text: text[:40])
@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_wordings(text, form):
    found, readings = read(unicodedata.normalize(form, text))
    assert readings == WORDINGS[text]
    assert not found.questions


def test_wordings_are_read_without_diacritics_too():
    for text, expected in WORDINGS.items():
        if "toi" in fold(text):  # "tới" and "tối" are one word without diacritics
            continue
        assert read(fold(text))[1] == expected, text


QUESTIONS = {
    "Klong 3,58m": "Kim Long?",
    "Kim Long 3,58m, Bến Lức 1,5m": "Bến Lức",
    "Kim Long 3,58m, Bến Lạ 1,5m": "Bến Lạ",
    "Kim Long 358m": "xăng-ti-mét",
    "Kim Long 358": "không có đơn vị",
    "Kim Long 3,58m, trên BĐ3 0,5m": "không khớp",
    "Kim Long 4,0-3,8m": "viết ngược",
    "Kim Long 3,58m lúc 25h": "không có thật",
    "Kim Long 3,58m ngày 31/02/2026 lúc 7h": "không có thật",
    "Kim Long 3,5m. Kim Long 3,9m": "hai số liệu khác nhau",
    "Mực nước sông Hương 3,58m": "trạm nào trên sông",
    "Kim Long 3.580m": "dấu phẩy",
    "Hương Điền trên BĐ3 0,2m": "chưa có mực nước báo động 3",
    "Trạm\t1h\t7h\nKim Long\t320\t358": "xăng-ti-mét",
}


@pytest.mark.parametrize("text", QUESTIONS, ids=lambda text: text[:40])
def test_what_is_not_sure_is_asked(text):
    found, _ = read(text)
    assert any(QUESTIONS[text] in question for question in found.questions), found.questions


@pytest.mark.parametrize("text", ["", " \n", "mưa to quá, nước lên nhanh", "12345", "Cấp độ rủi ro thiên tai do lũ: cấp 3"])
def test_nonsense_is_refused(text):
    with pytest.raises(InputError):
        read(text)


def test_an_alarm_level_without_a_figure_is_told_not_taken():
    found, readings = read("Kim Long 3,58m; Phú Ốc trên BĐ3")
    assert [r[0] for r in readings] == ["Kim Long"] and "Phú Ốc trên BĐ3" in found.notes[0]


def test_reservoirs():
    found, readings = read("Hồ Hương Điền: mực nước 57,8m, lưu lượng đến hồ 1.250 m3/s, xả qua tràn 900-1.000 m³/s")
    flows = [(r.discharge_low_m3s, r.discharge_high_m3s, r.outward) for r in found.readings if r.low_m is None]
    assert readings == [("Hương Điền", 57.8, 57.8, None, O)] and flows == [(1250, 1250, False), (900, 1000, True)]


def test_both_bulletins_of_the_sample_town():
    # 5,25 = 4,90 + 0,35; 4,78 = 4,50 + 0,28; 4,63 = 4,32 + 0,31 above the gauge's zero
    levels = [("Khe Mây", 5.25), ("Lam Trạch", 4.78), ("Trạch Đông", 4.63)]
    for name, hour in (("bulletin_alarm_3.txt", 4), ("bulletin_chat.txt", 5)):
        found, readings = read(read_bulletin_file(SAMPLES / name))
        assert [(r[0], r[1]) for r in readings if r[4] == O] == levels and not found.questions
        assert {r[3] for r in readings if r[4] == O} == {at(2, hour)}
    issued = read(read_bulletin_file(SAMPLES / "bulletin_alarm_3.txt"))[0].issued
    assert issued.isoformat() == "2026-11-02T05:00:00+07:00"


def test_an_hour_before_the_issue_is_tomorrow_in_a_forecast():
    found, readings = read("Tin phát lúc 17h ngày 25/11/2026\nKim Long 3,58m lúc 16h.\nDự báo đến 1h, Kim Long 3,9m")
    assert [r[3] for r in readings] == [at(25, 16), at(26, 1)]


def test_the_year_nearest_to_today_is_taken_and_told():
    found = read_bulletin("Kim Long 3,58m lúc 7h ngày 30/12", STATIONS, today=datetime.date(2027, 1, 2))
    assert found.readings[0].time.year == 2026 and "02/01/2027" in found.notes[0]


@given(st.lists(st.sampled_from(STATIONS[:6]), min_size=1, max_size=4, unique_by=lambda s: s.name),
       st.lists(st.integers(-40, 60), min_size=4, max_size=4), st.sampled_from(["; ", "\n- ", ", "]),
       st.sampled_from(["{n} {v}m", "{n}: {v} m", "tại {n} là {v}m", "trạm {n} ở mức {v} m", "{n} {c}cm"]))
def test_any_list_of_stations_reads_back(stations, offsets, separator, form):
    levels = [round(s.alarm_m[2] + offset / 100, 2) for s, offset in zip(stations, offsets)]
    text = separator.join(form.format(n=s.name, v=f"{v:.2f}".replace(".", ","), c=round(v * 100)) for s, v in zip(stations, levels))
    found, readings = read(text)
    assert [(r[0], r[1]) for r in readings] == [(s.name, v) for s, v in zip(stations, levels)] and not found.questions


def test_stations_of_one_spelling_are_told_apart_by_diacritics_only():
    two = [station("Phú Ốc", "Bồ", (1, 2, 3)), station("Phù Ốc", "Bồ", (1, 2, 3))]
    found = read_bulletin("Phù Ốc 2,5m; phu oc 2,6m", two, today=TODAY)
    assert [(r.station.name, r.low_m) for r in found.readings] == [("Phù Ốc", 2.5)] and len(found.questions) == 1


def frame(**columns):
    count = len(next(iter(columns.values())))
    return geopandas.GeoDataFrame(columns, geometry=shapely.points(range(count), range(count)), crs="EPSG:9214")


def test_stations_are_refused_with_all_their_faults():
    with pytest.raises(InputError) as refused:
        read_stations(frame(name=["A", "a", " "], alarm_1_m=[3, 1, 1], alarm_2_m=[2, 2, 2], alarm_3_m=["x", "3,5", None]))
    assert len(refused.value.problems) == 4
    with pytest.raises(InputError, match="name"):
        read_stations(frame(ten=["A"]))


def test_levels_of_a_layer():
    layer = frame(name=["Kim Long", "Trạch Đông"], datum=["national", "gauge_zero"], gauge_zero_m=[None, -1.2],
                  alarm_1_m=[1.0, 2.0], alarm_2_m=["2,0", "3,2"], alarm_3_m=[3.5, 4.32], record_flood_m=[5.81, None])
    text = "Kim Long 3,58m lúc 7h 25/11; Trạch Đông 4,6-4,8m; dự báo Kim Long 3,9m"
    found = read_bulletin(text, read_stations(layer), today=TODAY)
    rows = reading_frame(found.readings, layer).set_index(["name", "reading"])
    assert rows.loc[("Trạch Đông", O), ["height_low_m", "height_m", "height_high_m"]].tolist() == [3.4, 3.5, 3.6]
    assert rows.loc[("Kim Long", O), ["alarm", "above_alarm_m", "above_record_m"]].tolist() == [3, 0.08, -2.23]
    assert rows.geometry.iloc[1].equals(shapely.Point(1, 1)) and rows.crs == layer.crs
    assert [(r.station.name, r.level_m) for r in chosen(found.readings, Readings.HIGHEST)] == [("Kim Long", 3.9), ("Trạch Đông", 4.7)]
    assert [r.level_m for r in chosen(found.readings, Readings.LATEST_OBSERVED)] == [3.58, 4.7]


def test_files(tmp_path):
    import docx
    import openpyxl

    folder = tmp_path / "bản tin"
    folder.mkdir()
    document = docx.Document()
    document.add_paragraph("Mực nước lúc 7h ngày 25/11/2026:")
    table = document.add_table(rows=2, cols=2)
    for cell, text in zip((c for row in table.rows for c in row.cells), ["Trạm", "Mực nước (m)", "Kim Long", "3,58"]):
        cell.text = text
    document.save(folder / "a.docx")
    book = openpyxl.Workbook()
    book.active.append(["Trạm", "Mực nước (m)"])
    book.active.append(["Kim Long", 3.58])
    book.save(folder / "a.xlsx")
    (folder / "a.txt").write_bytes("Kim Long 3,58m".encode("utf-16"))
    for name in ("a.docx", "a.xlsx", "a.txt"):
        assert [(r[0], r[1]) for r in read(read_bulletin_file(folder / name))[1]] == [("Kim Long", 3.58)], name
    (folder / "b.docx").write_bytes(b"PK no document")
    (folder / "b.txt").write_bytes(b"\x00\x01\x02")
    for name in ("b.docx", "b.txt", "none.txt"):
        with pytest.raises(InputError):
            read_bulletin_file(folder / name)
