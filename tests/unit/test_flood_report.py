"""Words and tables of a report: rounded estimates, ranges, changes; figures in every file are the engines' own."""

import datetime
from dataclasses import replace
from pathlib import Path

import geopandas
import numpy as np
import openpyxl
import pyogrio
import pytest
import shapely
from pyproj import CRS
from quyhoach.processing_algorithms.common.errors import InputError
from quyhoach.processing_algorithms.common.raster import ArrayRaster, Grid, open_raster
from quyhoach.processing_algorithms.common.workbook import ESTIMATE
from quyhoach.processing_algorithms.disaster.exposure.depth_classes import depth_classes
from quyhoach.processing_algorithms.disaster.report.flood_report import (
    DEPTH,
    RANGE,
    ReportFields,
    ReportLayers,
    flood_report,
)
from quyhoach.processing_algorithms.disaster.report.flood_report_columns import people, signed, spread
from quyhoach.processing_algorithms.disaster.report.flood_report_files import (
    frame_of,
    write_figures,
    write_mapped,
    write_text,
)
from quyhoach.processing_algorithms.disaster.report.flood_report_pages import annex_blocks
from quyhoach.processing_algorithms.disaster.report.flood_report_tables import class_table, unit_table
from quyhoach.processing_algorithms.disaster.report.flood_report_words import phone_lines, ten_lines
from quyhoach.processing_algorithms.disaster.report.report_previous import previous_totals
from quyhoach.processing_algorithms.disaster.streets.vehicles import vehicle, vehicles

WKT = CRS("EPSG:9214").to_wkt()
GRID = Grid((0.0, 10.0, 0.0, 200.0, 0.0, -10.0), (20, 40), WKT)
TODAY = datetime.date(2026, 11, 25)


def frame(shapes, **columns):
    return geopandas.GeoDataFrame(columns, geometry=list(shapes), crs=WKT)


def test_figures_as_they_are_printed():
    assert [people(v) for v in (0, 3, 12, 999, 1203, 14_660, float("nan"), None)] == ["0", "< 10", "10", "1.000", "1.200", "14.700", "", ""]
    assert spread(90, 120, 150) == "120 (90 - 150)" and spread(120, 120, 120) == "120" and spread(float("nan"), 120, float("nan")) == "120" and spread(1, float("nan"), 2) == ""
    assert [signed(v) for v in (0, 4, 44, -1203)] == ["không đổi", "không đổi", "+40", "-1.200"]


def town():
    """Ground rises 1 m over 40 cells eastward from 0; a house every 20 m at y 105 with 100 people each; one street along them."""
    ground = ArrayRaster(GRID, np.broadcast_to(np.arange(40) / 40.0, GRID.shape).copy())
    x = np.arange(20) * 20 + 5
    stations = frame([shapely.Point(5, 105)], name=["Kim Long"], river_name=["Hương"], kind=["river"], datum=["national"], gauge_zero_m=[None], alarm_1_m=[0.1], alarm_2_m=[0.2],
                     alarm_3_m=[0.3], record_flood_m=[2.0], station_code=["KL"])
    layers = ReportLayers(
        stations, frame(shapely.points(x, 105), households=[25] * 20, residents=[100] * 20), units=frame([shapely.box(0, 0, 200, 200), shapely.box(200, 0, 400, 200)], name=["Xã Tây", "Xã Đông"]),
        hamlets=frame([shapely.box(0, 0, 400, 200)], name=["Thôn 1"]), roads=frame([shapely.LineString([(0, 100), (400, 100)])], name=["Đường 1"]),
        facilities=frame([shapely.Point(15, 105)], kind=["kindergarten"]), shelters=frame([shapely.Point(395, 105), shapely.Point(5, 105)], name=["Trường Đông", "Đình Tây"]))
    fields = ReportFields(households="households", residents="residents", unit="name", hamlet="name", facility_kind="kind", shelter_name="name")
    return ground, layers, fields


def made(folder, text="Kim Long 0,5m lúc 7h ngày 25/11/2026", **options):
    ground, layers, fields = town()
    kinds = vehicles()
    report = flood_report(text, ground, layers, fields, depth_classes("common_practice_6"), kinds, vehicle("car", kinds), folder, terrain_error_m=0.1, datum="Hòn Dấu", today=TODAY, **options)
    return report, layers, fields


def test_a_town_by_hand(tmp_path):
    report, layers, fields = made(tmp_path)
    # Level 0,5 m: cells of ground < 0,5: columns 0-19, 20 x 20 cells of 100 m2; low 0,4 m 16, high 0,6 m 24 columns
    assert [report.depths[e].wet_area_m2 for e in ("low", "middle", "high")] == [32_000, 40_000, 48_000]
    whole = report.summary[report.summary["level"] == "all"].iloc[0]
    # houses at x 5, 25, ...: in columns 0, 2, 4, ...: 8, 10 and 12 of them
    assert (whole["residents_low"], whole["residents"], whole["residents_high"]) == (800, 1000, 1200)
    # a car stops where depth > 0,3: ground < 0,2: columns 0-7; houses at x < 80 are in it
    assert report.network.impassable_m == pytest.approx(80)
    assert report.network.units.set_index("unit").loc["Thôn 1 (Xã Tây)", "residents_cut_off"] == 400
    lines = ten_lines(report, place="xã thử", risk_level="cấp 2")
    assert len(lines) == 10 and lines[0] == "ƯỚC TÍNH NGẬP LỤT XÃ THỬ lúc 07:00 25/11/2026"
    text = "\n".join(lines)
    for words in ("Kim Long 0,50 m (trên BĐ3 0,20 m)", "khẩu: 1.000 (800 - 1.200)", "Xã Tây 1.000 khẩu", "0,1 km", "100 hộ, 400 khẩu", "cấp 2", "Điểm sơ tán dùng được: 1/2", "0,10 m"):
        assert words in text, words
    assert phone_lines(report)[1] == "10 nhà, 250 hộ, 1.000 (800 - 1.200) khẩu"


def test_files_hold_the_same_figures_and_the_next_report_tells_the_change(tmp_path):
    first, second = tmp_path / "lần 1", tmp_path / "lần 2"
    first.mkdir(), second.mkdir()
    report, layers, fields = made(first)
    write_mapped(report, layers, first / "b.gpkg")
    write_figures(report, layers, first / "b.xlsx", None)
    write_text(first / "t.txt", ten_lines(report, place=""))
    levels, streets, cut = (openpyxl.load_workbook(first / "b.xlsx")[name] for name in ("Mực nước", "Đường", "Cô lập"))
    # Figures are numbers somebody can sum, ranges in columns of their own; a title, a subtitle and a blank line above the header.
    assert [c.value for c in levels[5]] == ["Kim Long", "Hương", 0.5, 0.5, 0.5, "trên BĐ3", 0.2, 2, "thực đo", "07:00 25/11/2026"]
    assert [c.value for c in streets[5]] == ["Đường 1", 0.08, 0.5] and [c.value for c in cut[5]][1:] == [4, 100, 400]
    assert cut["B5"].number_format == ESTIMATE and cut["B5"].value == 4  # shown as "< 10"
    assert (first / "t.txt").read_bytes().startswith(b"\xef\xbb\xbf")
    names = {name for name, _ in pyogrio.list_layers(first / "b.gpkg")}
    assert {"muc_nuoc", "tong_hop", "cong_trinh_ngap", "duong", "don_vi", "diem_so_tan", "co_so", "ranh_gioi"} <= names
    previous = previous_totals(first / "b.gpkg")
    later, _, _ = made(second, text="Kim Long 0,69m lúc 13h ngày 25/11/2026")
    # ground < 0,69: 28 columns, 14 houses: 400 people more
    assert "khẩu +400" in ten_lines(later, place="", previous=previous)[8]
    write_mapped(later, layers, second / "b.gpkg")
    write_figures(later, layers, second / "b.xlsx", previous)
    change = openpyxl.load_workbook(second / "b.xlsx")["So với lần trước"]
    assert [c.value for c in change[7]] == ["Khẩu", 1000, 1400, 400] and change["D7"].number_format == "+#,##0;-#,##0;0"
    assert [c.value for c in change[8]][1:] == pytest.approx([0.2, 0.3, 0.1])
    blocks = annex_blocks(later, ten_lines(later, place="", previous=previous), agency="BAN", place="", risk_level="cấp 3", reported="2 nhà tốc mái", previous=previous, terrain="dem", road_names=None)
    titles = [getattr(b, "title", getattr(b, "text", "")) for b in blocks]
    assert any("So với báo cáo trước" in t for t in titles) and any("nhập tay" in t for t in titles)
    reported = titles.index("2 nhà tốc mái")
    assert not hasattr(blocks[reported], "columns")  # never in a table of estimates
    with pytest.raises(InputError, match="bao_cao.gpkg"):
        previous_totals(first / "t.txt")
    with open_raster(second / DEPTH, name="") as depth, open_raster(second / RANGE, name="", band=2) as high:
        assert depth.tags["RANGE"] == RANGE and high.grid == depth.grid
    west, south, east, north = frame_of(report, layers)
    assert west < 5 and east > 185 and east < 400


def test_what_cannot_be_answered_is_refused(tmp_path):
    with pytest.raises(InputError, match="hỏi lại"):
        made(tmp_path, text="Kim Long 0,5m, Bến Lạ 3,2m")
    asked = []
    made(tmp_path, text="Kim Long 0,5m, Bến Lạ 3,2m", on_question=asked.extend)
    assert "Bến Lạ" in asked[0]
    ground, layers, fields = town()
    zeroless = layers.stations.assign(datum="gauge_zero")
    with pytest.raises(InputError, match="Không có mực nước trạm nào dùng được"):
        kinds = vehicles()
        flood_report("Kim Long 0,5m", ground, ReportLayers(zeroless, layers.buildings), fields, depth_classes("common_practice_6"), kinds, kinds[0], Path(tmp_path), today=TODAY)


def test_streets_nobody_gave_are_not_nought_kilometres(tmp_path):
    ground, layers, fields = town()
    kinds = vehicles()
    report = flood_report("Kim Long 0,5m lúc 7h ngày 25/11/2026", ground, replace(layers, roads=None, shelters=None), fields, depth_classes("common_practice_6"), kinds,
                          vehicle("car", kinds), tmp_path, datum="Hòn Dấu", today=TODAY)
    for table in (class_table(report), unit_table(report, "commune")):
        assert table.rows and {table.columns[-1].printed(row[-1]) for row in table.rows} == {""}
