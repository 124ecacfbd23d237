"""Bulletins as stations, communes and chat groups write them: nothing is misread silently; a question, or silence, is better than a wrong level."""

import datetime

import pytest
from quyhoach.processing_algorithms.common.errors import InputError
from quyhoach.processing_algorithms.disaster.bulletin.bulletin import read_bulletin
from quyhoach.processing_algorithms.disaster.bulletin.bulletin_levels import Readings, chosen
from quyhoach.processing_algorithms.disaster.bulletin.stations import Station

TODAY = datetime.date(2026, 11, 25)


def station(name, river, alarms, record=None, kind="river"):
    return Station(name, name, name, river, kind, alarms, "national", None, record, "", "")


# Alarm levels as in the table river_alarm_levels.
STATIONS = [
    station("Kim Long", "Hương", (1.0, 2.0, 3.5), 5.81), station("Phú Ốc", "Bồ", (1.5, 3.0, 4.5), 5.24),
    station("Câu Lâu", "Thu Bồn", (2.0, 3.0, 4.0), 5.48), station("Phú An", "Sài Gòn", (1.4, 1.5, 1.6), kind="tide"),
    station("Yên Bái", "Thao", (30.0, 31.0, 32.0), 35.73), station("Tân Châu", "Tiền", (3.5, 4.0, 4.5)),
    station("A Lưới", "A Sáp", (None, None, None)), station("Hương Điền", "Bồ", (None, None, None), kind="reservoir"),
    station("Bình Điền", "Hương", (None, None, None), kind="reservoir"),
]


def told(text):
    """Every reading as text: station, level or flow, when, F for a forecast."""
    try:
        found = read_bulletin(text, STATIONS, today=TODAY)
    except InputError:
        return None, []
    return [" ".join(filter(None, (
        reading.station.name,
        f"{reading.low_m:g}" + (f"-{reading.high_m:g}" if reading.high_m != reading.low_m else "") if reading.low_m is not None
        else {True: "out", False: "in", None: "flow"}[reading.outward] + f" {reading.discharge_low_m3s:g}",
        f"{reading.time:%d/%m %Hh%M}" if reading.time else f"{reading.day:%d/%m}" if reading.day else "",
        "F" if reading.forecast else ""))) for reading in found.readings], found.questions


READ = {
    "Kim Long BĐ2+0,3": ["Kim Long 2.3"],
    "Kim Long: BĐ2+0,3m; Phú Ốc: BĐ3-0,15": ["Kim Long 2.3", "Phú Ốc 4.35"],
    "Kim Long trên BĐ3 - 0,08m": ["Kim Long 3.58"],
    "Kim Long trên BĐII 0,3m; Phú Ốc dưới BĐIII 0.5 m": ["Kim Long 2.3", "Phú Ốc 4"],
    "Kim Long (BĐ1 - 1,0; BĐ2 - 2,0; BĐ3 - 3,5): 3,58m": ["Kim Long 3.58"],
    "Kim Long lên mức BĐ2-BĐ3, có nơi trên BĐ3": ["Kim Long 2-3.5"],
    "Dự báo 24h tới Kim Long lên mức BĐ3-BĐ3+0,5m": ["Kim Long 3.5-4 F"],
    "Kim Long lên mức BĐ2 đến trên BĐ3 0,3m": ["Kim Long 2-3.8"],
    "Các sông ở mức BĐ1-BĐ2, riêng Kim Long trên BĐ3 0,2m": ["Kim Long 3.7"],
    "Kim Long 3,58 (+0,08)": ["Kim Long 3.58"],
    "Kim Long 3,58m ↑5cm; Phú Ốc 4,60 ↓ 3cm": ["Kim Long 3.58", "Phú Ốc 4.6"],
    "Kim Long 3,58m ↑; Phú Ốc 4,60m ↓": ["Kim Long 3.58", "Phú Ốc 4.6"],
    "Dự báo 7h sáng mai Kim Long 3,9m": ["Kim Long 3.9 26/11 07h00 F"],
    "Chiều mai Kim Long lên 3,9m, hiện tại 3,2m": ["Kim Long 3.9 26/11 F", "Kim Long 3.2"],
    "Kim Long 3,9m ngày mai": ["Kim Long 3.9 26/11 F"],
    "Lúc 19h tối qua Kim Long 3,2m, 7h sáng nay 3,5m": ["Kim Long 3.2 24/11 19h00", "Kim Long 3.5 25/11 07h00"],
    "Hôm qua Kim Long 3,2m, hôm nay 3,58m": ["Kim Long 3.2 24/11", "Kim Long 3.58 25/11"],
    "19h ngày 24 Kim Long 3,2m; 7h ngày 25 Kim Long 3,58m": ["Kim Long 3.2 24/11 19h00", "Kim Long 3.58 25/11 07h00"],
    "Dự báo: Ngày 26/11 Kim Long đạt đỉnh 4,0-4,5m; ngày 27/11 xuống mức 3,0-3,2m": ["Kim Long 4-4.5 26/11 F", "Kim Long 3-3.2 27/11 F"],
    "Lúc 13h00' ngày 25/11/2026, mực nước tại Kim Long: 2,36m (trên BĐ2: 0,36m)": ["Kim Long 2.36 25/11 13h00"],
    "2026-11-24 07:00:00 Kim Long 3.58": ["Kim Long 3.58 24/11 07h00"],
    "Ngày 24.11.2026, 07:00: Kim Long 3,58m": ["Kim Long 3.58 24/11 07h00"],
    "Kim Long 3,58m lúc 7h, dự báo 13h đạt 4,0m, 19h đạt 4,4m":
        ["Kim Long 3.58 25/11 07h00", "Kim Long 4 25/11 13h00 F", "Kim Long 4.4 25/11 19h00 F"],
    "Yên Bái: 32,45m (trên BĐ3: 0,45m), lúc 7h; dự báo 13h: 33,0m, 19h: 33,4m":
        ["Yên Bái 32.45 25/11 07h00", "Yên Bái 33 25/11 13h00 F", "Yên Bái 33.4 25/11 19h00 F"],
    "Kim Long vượt mức BĐ3 là 0,08m lúc 7g15": ["Kim Long 3.58 25/11 07h15"],
    "Kim Long có thể lên 4,5 - 4,8m, vượt lũ năm 1999 (5,81m)": ["Kim Long 4.5-4.8 F"],
    "Tin lúc 21h ngày 24/11/2026. Kim Long 3,2m lúc 20h. Dự báo sáng mai lúc 7h Kim Long đạt 3,9m":
        ["Kim Long 3.2 24/11 20h00", "Kim Long 3.9 25/11 07h00 F"],
    "Câu Lâu lên 0,5m so với 1h, đạt 4,5m": ["Câu Lâu 4.5"],
    "Câu Lâu 4,5m, lên 0,5m trong 6h": ["Câu Lâu 4.5"],
    "Kim Long 3,58m, cao hơn 0,3m so với 1h": ["Kim Long 3.58"],
    "Tân Châu: 4,12m, so với cùng kỳ cao hơn 0,35m": ["Tân Châu 4.12"],
    "Câu Lâu 5,48m (1964), nay 4,1m": ["Câu Lâu 4.1"],
    "Kim Long: 3 mét 58; Phú Ốc 4 mét rưỡi": ["Kim Long 3.58", "Phú Ốc 4.5"],
    "Kim Long 3m58, phú ốc 4m6": ["Kim Long 3.58", "Phú Ốc 4.6"],
    "Kim Long ~3,6m; Phú Ốc 4,5~4,7m; Câu Lâu 4,1m±0,2m": ["Kim Long 3.6", "Phú Ốc 4.5-4.7", "Câu Lâu 3.9-4.3"],
    "Kim Long dao động ở mức 3,2-3,5m": ["Kim Long 3.2-3.5"],
    "Trạm Kim Long (S.Hương) H7h=358cm": ["Kim Long 3.58 25/11 07h00"],
    "KIM LONG: MỰC NƯỚC LÚC 7H00: 3,58M (TRÊN BĐ3: 0,08M)": ["Kim Long 3.58 25/11 07h00"],
    "Đỉnh triều tại trạm Phú An ở mức 1,58 - 1,63 m (trên BĐ3 0,02m)": ["Phú An 1.58-1.63"],
    "Chân triều Phú An -1,2m lúc 10h, đỉnh 1,6m lúc 17h": ["Phú An -1.2 25/11 10h00", "Phú An 1.6 25/11 17h00"],
    "Hồ Bình Điền: MN hồ 82,35m; Q đến 350 m3/s; Q xả 280 m3/s": ["Bình Điền 82.35", "Bình Điền in 350", "Bình Điền out 280"],
    "Hồ Hương Điền 57,8m, lưu lượng về 1.250m3/s, điều tiết 1.000m3/s": ["Hương Điền 57.8", "Hương Điền in 1250", "Hương Điền out 1000"],
    "Độ sâu ngập các điểm:\n- Kim Long: 0,5m\n- Phú Ốc: 0,7m\n\nMực nước:\n- Kim Long: 3,58m": ["Kim Long 3.58"],
    "Lượng mưa (mm):\n- Kim Long: 2,5\n- Phú Ốc 95\nMực nước Kim Long 3,5m, Phú Ốc 4,2m": ["Kim Long 3.5", "Phú Ốc 4.2"],
    "Vùng hạ lưu sông Hương ngập sâu 0,5-1,0m; Kim Long 3,58m, vận tốc 2,5 m/s": ["Kim Long 3.58"],
    "Do mưa lớn gây ngập, Kim Long 3,58m": ["Kim Long 3.58"],
    "Trường Kim Long ngập 1,2m, Kim Long 3,5m": ["Kim Long 3.5"],
    "TT\tSông\tTrạm\t1h/25\t7h/25\t13h/25 (dự báo)\t19h/25\t1h/26\n1\tHương\tKim Long\t3,20\t3,58\t3,8\t4,0\t3,9":
        ["Kim Long 3.2 25/11 01h00", "Kim Long 3.58 25/11 07h00", "Kim Long 3.8 25/11 13h00 F", "Kim Long 4 25/11 19h00 F",
         "Kim Long 3.9 26/11 01h00 F"],
    "Trạm\tBĐ1\tBĐ2\tBĐ3\tHtđ (7h)\tSo BĐ\nKim Long\t1\t2\t3,5\t3,58\t>BĐ3 0,08": ["Kim Long 3.58 25/11 07h00"],
    "2. Dự báo\nMực nước lúc 19h ngày 25/11: Kim Long 3,9m": ["Kim Long 3.9 25/11 19h00 F"],
    "Dự báo mực nước lúc 19h/25/11: Kim Long 3,8m (trên BĐ3 0,3m), Phú Ốc 4,9m": ["Kim Long 3.8 25/11 19h00 F", "Phú Ốc 4.9 25/11 19h00 F"],
    "Tin phát lúc 16h ngày 25/11\n1. Hiện trạng: Mực nước lúc 15h: Kim Long 3,40m.\n2. Dự báo: Mực nước lúc 19h: Kim Long 3,70m.":
        ["Kim Long 3.4 25/11 15h00", "Kim Long 3.7 25/11 19h00 F"],
    "Tin phát lúc 16h ngày 25/11. Kim Long 3,9m lúc 22h": ["Kim Long 3.9 25/11 22h00 F"],
    "Mực nước tại Kim Long lúc 7h là 3,58m và đến 19h sẽ là 3,9m": ["Kim Long 3.58 25/11 07h00", "Kim Long 3.9 25/11 19h00 F"],
    "Lúc 22h ngày 24/11 Kim Long 3,58m, dự báo đến 4h lên 3,9m": ["Kim Long 3.58 24/11 22h00", "Kim Long 3.9 25/11 04h00 F"],
    "BẢN TIN DỰ BÁO LŨ SỐ 5\nTrên sông Hương (Kim Long): 3,58 m": ["Kim Long 3.58"],
    "Trung tâm Dự báo KTTV quốc gia cho biết lúc 7h Kim Long 3,58m": ["Kim Long 3.58 25/11 07h00"],
    "MUC NUOC SONG HUONG TAI KIM LONG LUC 7H NGAY 25/11 LA 3,58M, TREN BAO DONG 3 LA 0,08M": ["Kim Long 3.58 25/11 07h00"],
    "Kim Long trên mức báo động III (3,50m) là 0,08m": ["Kim Long 3.58"],
    "Hồ Bình Điền: MNH: +82,35 m; Qđến 1250 m3/s; Qxả: 800 m³/s": ["Bình Điền 82.35", "Bình Điền in 1250", "Bình Điền out 800"],
    "Lượng mưa (mm)\nTrạm\t7h\nPhú Ốc\t2,5\n\nMực nước (m)\nTrạm\t7h\nKim Long\t3,58": ["Kim Long 3.58 25/11 07h00"],
    "Dự báo mực nước (m)\nTrạm\t13h/25\nKim Long\t3,70": ["Kim Long 3.7 25/11 13h00 F"],
    "Trạm\tThực đo\t\tDự báo\n\t01h/25\t07h/25\t13h/25\nKim Long\t3,20\t3,58\t3,70":
        ["Kim Long 3.2 25/11 01h00", "Kim Long 3.58 25/11 07h00", "Kim Long 3.7 25/11 13h00 F"],
    "Thời gian\tKim Long\tPhú Ốc\nBĐ3\t3,5\t4,5\n07h/25\t3,58\t4,61\nMưa 24h (mm)\t2,5\t3,5":
        ["Kim Long 3.58 25/11 07h00", "Phú Ốc 4.61 25/11 07h00"],
    "Trạm;Mực nước;Thời gian\nKim Long;3,58;07:00 25/11/2026": ["Kim Long 3.58 25/11 07h00"],
}


@pytest.mark.parametrize("text", READ, ids=lambda text: text[:40])
def test_read(text):
    assert told(text) == (READ[text], [])


# Figures that are no levels of a river; read as such they would be a flood nobody has seen.
NO_LEVELS = [
    "Độ sâu ngập tại phường Kim Long 0,5-1,0m", "Ngập sâu 0,5m tại Kim Long", "Cầu Kim Long bị ngập 0,6m", "Nước tràn qua đê tại Kim Long 0,3m",
    "Sạt lở bờ sông tại Kim Long dài 3,5m", "Cao trình đê Kim Long 4,2m", "Cống Kim Long mở 1,5m", "Kim Long sẽ lên 0,5m nữa",
    "Lượng mưa từ 19h/24 đến 7h/25: A Lưới 320,5; Kim Long 2,2; Phú Ốc 95,4", "Mực nước lũ lịch sử tại Câu Lâu 5,48m năm 1964",
    "Kim Long 3,58mm", "Kim Long 3,5Om", "SĐT Kim Long 0914.123.456", "Kim Long 1h 320 4h 340 7h 358",
]


@pytest.mark.parametrize("text", NO_LEVELS)
def test_no_level_is_made_of_other_figures(text):
    assert told(text)[0] in (None, [])


ASKED = {
    "Kim Long trên 3,5m": "chỉ nêu", "Kim Long >3,5m": "chỉ nêu", "Kim Long -3,58m": "gạch nối", "Kim Long 2,58m, trên BĐ3": "không trên báo động 3",
    "Kim Long vừa lên 0,5m": "mức lên, xuống", "Kim Long 3.58/3.5 (BĐ3)": "gạch chéo", "Hồ Hương Điền 57,8m/58m": "gạch chéo",
    "Kim Long và Phú Ốc 3,58m": "liền nhau", "Hồ Bình Điền lưu lượng đến 350,5": "lưu lượng", "Hồ Bình Điền 82,35": "không có đơn vị",
    "KLong 3m58, phú ốc 4m6": "Kim Long?", "Kim Long 3, 58m": "không có đơn vị", "Kim Long trên BĐ2 0,3m, trên BĐ3 0,2m": "không khớp nhau",
    "Kim Long max 4,2 min 3,1": "hai số liệu khác nhau", "Kim Long 3,5 8m": "hai số liệu khác nhau", "Kim Long 3.5.8m": "không phải là số",
    "Trạm        7h       13h\nKim Long    3,58     3,80": "hai số liệu khác nhau",
}


@pytest.mark.parametrize("text", ASKED)
def test_asked(text):
    assert any(ASKED[text] in question for question in told(text)[1]), told(text)


def test_a_station_nothing_was_read_of_is_told():
    found = read_bulletin("Kim Long 3,58m; Phú Ốc 46dm", STATIONS, today=TODAY)
    assert any("Phú Ốc" in note for note in found.notes) and len(found.readings) == 1


def test_the_latest_of_two_days_without_hours():
    found = read_bulletin("Hôm nay Kim Long 3,58m, hôm qua 3,2m", STATIONS, today=TODAY)
    assert [r.low_m for r in chosen(found.readings, Readings.LATEST_OBSERVED)] == [3.58]


def test_names_of_stations_in_decomposed_letters_are_found():
    import unicodedata

    import geopandas
    from quyhoach.processing_algorithms.disaster.bulletin.stations import read_stations

    table = geopandas.GeoDataFrame({"name": [unicodedata.normalize("NFD", "Phú Ốc")]}, geometry=[None])
    found = read_bulletin("Phú Ốc 4,60m", read_stations(table), today=TODAY)
    assert [r.low_m for r in found.readings] == [4.6]
