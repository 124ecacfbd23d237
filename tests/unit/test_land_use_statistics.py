"""Land by type and unit: hand calculations, the three identities, and real wards."""

from __future__ import annotations

import datetime
import warnings
from pathlib import Path

import geopandas
import numpy as np
import openpyxl
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from quyhoach.processing_algorithms.common.areas import Surface, areas_m2
from quyhoach.processing_algorithms.common.errors import InputError
from quyhoach.processing_algorithms.common.geometry import InvalidGeometry
from quyhoach.processing_algorithms.common.workbook import write_workbook
from quyhoach.processing_algorithms.land_use.land_types import CodeList, Status
from quyhoach.processing_algorithms.land_use.statistics import land_use_statistics
from quyhoach.processing_algorithms.land_use.statistics_tables import printed, statistics_frame, statistics_sheets

TODAY = datetime.date(2026, 11, 22)
CRS = "EPSG:9214"


def _layer(boxes, crs=CRS, **columns):
    return geopandas.GeoDataFrame(columns, geometry=[shapely.box(*box) for box in boxes], crs=crs)


@pytest.fixture
def land():
    """Seven polygons 100 m high in a row; the sixth reaches 10 m into the seventh's ground."""
    return _layer([(0, 0, 100, 100), (100, 0, 200, 100), (200, 0, 300, 100), (300, 0, 400, 100), (400, 0, 500, 100),
                   (500, 0, 610, 100), (600, 0, 700, 100)],
                  code=["LUC", "luk ", "ONT", "XYZ", None, "BHK", "LUA"])


@pytest.fixture
def units():
    """A: x 50-350, B: x 340-650, overlapping by 10 m."""
    return _layer([(50, 0, 350, 100), (340, 0, 650, 100)], name=["A", "B"])


def _cell(frame, unit_kind, kind=None, code=None, unit=None):
    chosen = frame[frame["unit_kind"] == unit_kind]
    if unit is not None:
        chosen = chosen[chosen["unit"] == unit]
    chosen = chosen[chosen["code"] == code] if code is not None else chosen[chosen["kind"] == kind]
    assert len(chosen) == 1
    return chosen.iloc[0]


def test_by_hand(land, units):
    result = land_use_statistics(land, "code", units=units, unit_field="name", on=TODAY)
    frame = statistics_frame(result)
    # 6 x 10,000 + 11,000 m2, of which x 600-610 twice
    assert result.total == pytest.approx(71_000) and result.doubled_all == pytest.approx(1_000)
    assert result.footprint == pytest.approx(70_000)
    assert _cell(frame, "all", code="LUA")["area_m2"] == pytest.approx(30_000)  # LUC + LUK + what is coded LUA
    assert _cell(frame, "all", code="LUA")["own_area_m2"] == pytest.approx(10_000)
    assert _cell(frame, "all", code="CHN")["area_m2"] == pytest.approx(41_000)  # with the former BHK
    assert _cell(frame, "all", code="XYZ")["kind"] == "unknown"
    assert _cell(frame, "all", "no_code")["area_m2"] == pytest.approx(10_000)
    # A: x 50-350 is 5,000 LUC, 10,000 LUK, 10,000 ONT, 5,000 XYZ
    assert _cell(frame, "unit", "total", unit="A")["area_m2"] == pytest.approx(30_000)
    assert _cell(frame, "unit", unit="A", code="LUC")["area_m2"] == pytest.approx(5_000)
    # B: XYZ x 340-400, no code, BHK x 500-610, LUA x 600-650: 6,000 + 10,000 + 11,000 + 5,000; x 600-610 twice
    assert _cell(frame, "unit", "total", unit="B")["area_m2"] == pytest.approx(32_000)
    assert _cell(frame, "unit", "doubled", unit="B")["area_m2"] == pytest.approx(1_000)
    assert _cell(frame, "unit", "gap", unit="B")["area_m2"] == pytest.approx(0, abs=1e-6)
    # Outside: LUC x 0-50 and LUA x 650-700. In both units: XYZ x 340-350.
    assert _cell(frame, "outside", "total")["area_m2"] == pytest.approx(10_000)
    assert _cell(frame, "shared", "total")["area_m2"] == pytest.approx(1_000)
    assert result.unplaced_ids == {Status.UNKNOWN: [3], Status.MISSING: [4]}
    assert result.overlapping_pairs == [(5, 6)] and result.overlapping_units == [("A", "B")]


def test_without_units_only_the_layer(land):
    frame = statistics_frame(land_use_statistics(land, "code", on=TODAY))
    assert set(frame["unit_kind"]) == {"all"}
    assert _cell(frame, "all", "footprint")["area_m2"] == pytest.approx(70_000)


def test_empty_units_leave_everything_outside(land, units):
    frame = statistics_frame(land_use_statistics(land, "code", units=units[:0], unit_field="name", on=TODAY))
    assert _cell(frame, "outside", "total")["area_m2"] == pytest.approx(71_000)


def test_free_codes_and_units_of_several_polygons(units):
    land = _layer([(50, 0, 350, 100), (350, 0, 600, 100)], ward=[7, 12])
    again = geopandas.GeoDataFrame({"name": ["A", "A", None]}, geometry=[
        shapely.box(0, 0, 200, 100), shapely.box(150, 0, 400, 100), shapely.box(400, 0, 700, 100)], crs=CRS)
    result = land_use_statistics(land, "ward", units=again, unit_field="name", code_list=CodeList.FREE)
    assert [node.code for node in result.rows] == ["7", "12"] and result.units == ["A", "(không ghi tên)"]
    # The two polygons of A overlap each other: that is no double counting between units.
    assert result.own.tolist() == [[30_000, 0], [5_000, 20_000]] and not result.shared.any()


def test_units_in_another_system_are_brought_over(land):
    units = _layer([(-50, -50, 800, 150)], name=["A"]).to_crs("EPSG:9215")
    assert land_use_statistics(land, "code", units=units, unit_field="name",
                               on=TODAY).outside.sum() == pytest.approx(0, abs=1e-3)


def test_degrees(land, units):
    degrees = land.to_crs(4326)
    with pytest.raises(InputError, match="độ"):
        land_use_statistics(degrees, "code", on=TODAY)
    result = land_use_statistics(degrees, "code", units=units, unit_field="name", surface=Surface.ELLIPSOID, on=TODAY)
    whole = areas_m2(np.asarray(degrees.geometry.array), degrees.crs, Surface.ELLIPSOID)
    assert result.total == pytest.approx(whole.sum(), rel=1e-12)
    # The map lies off its meridian at x = 0 (false easting 500 km): both surfaces differ by its scale, shares do not.
    plane = land_use_statistics(land, "code", units=units, unit_field="name", on=TODAY)
    for name in ("outside", "shared", "by_code"):
        assert getattr(result, name) / result.total == pytest.approx(getattr(plane, name) / plane.total, abs=1e-5)


def test_faults_are_told_together(land, units):
    with pytest.raises(InputError) as caught:
        land_use_statistics(land.set_crs(None, allow_override=True), "code",
                            units=units.set_crs(None, allow_override=True),
                            unit_field="name")
    assert len(caught.value.problems) == 2


def test_invalid_null_and_empty_shapes():
    bow = shapely.Polygon([(0, 0), (10, 10), (10, 0), (0, 10)])  # two triangles of 25 m2
    land = geopandas.GeoDataFrame({"code": ["LUC"] * 3}, geometry=[bow, None, shapely.Polygon()], crs=CRS,
                                  index=[11, 12, 13])
    result = land_use_statistics(land, "code", on=TODAY)
    assert result.total == pytest.approx(50)
    report = result.reports[0]
    assert (report.repaired_ids, report.null, report.empty) == ([11], 1, 1)
    with pytest.raises(InputError, match="11"):
        land_use_statistics(land, "code", on=TODAY, invalid=InvalidGeometry.REFUSE)
    with pytest.raises(InputError, match="không có hình"):
        land_use_statistics(land[1:], "code", on=TODAY)


def _closes(result, decimals):
    figures = printed(result, decimals)
    frame = statistics_frame(result, decimals)
    leaves = frame[frame["kind"].isin(["code", "legacy", "overlay", "unknown", "no_code"])]
    unit = 10.0**-decimals
    for (name, kind), rows in frame.groupby(["unit", "unit_kind"], sort=False):
        total = rows.loc[rows["kind"] == "total", "area_ha"].item()
        roots = rows[(rows["level"] == 0) & rows["kind"].isin(["group", "code", "legacy", "overlay", "unknown", "no_code"])]
        assert roots["area_ha"].sum() == pytest.approx(total, abs=unit / 100)
        exact = rows.loc[rows["kind"] == "total", "area_m2"].item() / 1e4
        assert abs(total - exact) < 2 * unit
    whole = leaves[leaves["unit_kind"] == "all"].set_index("code")["area_ha"]
    split = leaves[leaves["unit_kind"].isin(["unit", "outside"])].groupby("code")["area_ha"].sum()
    shared = leaves[leaves["unit_kind"] == "shared"].groupby("code")["area_ha"].sum()
    for code, value in split.sub(shared, fill_value=0).items():
        assert value == pytest.approx(whole[code], abs=unit / 100)
    assert figures.share.sum() == pytest.approx(100)


boxes = st.tuples(st.floats(0, 900), st.floats(0, 900), st.floats(1, 400), st.floats(1, 400)).map(
    lambda b: (b[0], b[1], b[0] + b[2], b[1] + b[3]))


@settings(deadline=None, max_examples=30)
@given(st.lists(st.tuples(boxes, st.sampled_from(["LUC", "LUK", "LUA", "ONT", "XX", None])), min_size=1, max_size=8),
       st.lists(st.tuples(boxes, st.sampled_from("AB")), max_size=4))
def test_nothing_is_lost_and_prints_close(polygons, parts):
    land = _layer([box for box, _ in polygons], code=[code for _, code in polygons])
    units = _layer([box for box, _ in parts], name=[name for _, name in parts])
    result = land_use_statistics(land, "code", units=units, unit_field="name", on=TODAY)
    shapes = list(land.geometry)
    assert result.total == pytest.approx(sum(shape.area for shape in shapes))
    assert result.footprint == pytest.approx(shapely.union_all(shapes).area)
    outside = sum(shape.difference(shapely.union_all(list(units.geometry))).area for shape in shapes)
    assert result.outside.sum() == pytest.approx(outside, abs=1e-6)
    for k, name in enumerate(result.units):
        unit = shapely.union_all(list(units.geometry[units["name"] == name]))
        assert result.own[:, k].sum() == pytest.approx(sum(shape.intersection(unit).area for shape in shapes), abs=1e-6)
        covered = shapely.union_all(shapes).intersection(unit).area
        assert result.own[:, k].sum() - result.doubled[k] == pytest.approx(covered, abs=1e-5)
    _closes(result, 2)
    _closes(result, 0)


def test_workbook(tmp_path, land, units):
    result = land_use_statistics(land, "code", units=units, unit_field="name", on=TODAY)
    write_workbook(tmp_path / "tk.xlsx", statistics_sheets(result, subtitle="ha", notes=["Nguồn"]))
    book = openpyxl.load_workbook(tmp_path / "tk.xlsx")
    assert book.sheetnames == ["Thống kê diện tích", "Cần kiểm tra"]
    sheet = book["Thống kê diện tích"]
    rows = {(row[1].value, row[2].value or ""): [cell.value for cell in row[3:]] for row in sheet.iter_rows(min_row=5)}
    header = [cell.value for cell in sheet[4]][3:]
    assert header == ["Tổng diện tích (ha)", "Cơ cấu (%)", "A (ha)", "B (ha)", "Ngoài các đơn vị (ha)", "Thuộc nhiều đơn vị, trừ (ha)"]
    # LUA = LUC + LUK + what is coded LUA, column by column
    group, children = rows["Đất trồng lúa", "LUA"], [
        rows["Đất chuyên trồng lúa", "LUC"], rows["Đất trồng lúa còn lại", "LUK"], rows["Ghi mã LUA, chưa phân loại chi tiết", "LUA"]]
    for column in range(6):
        assert sum(child[column] for child in children) == pytest.approx(group[column])
    total = rows["Tổng diện tích", ""]
    assert total[0] == pytest.approx(7.10) and total[1] == pytest.approx(100)
    assert total[2] + total[3] + total[4] - total[5] == pytest.approx(total[0])


def test_hue_wards_sum_to_their_union():
    path = Path(__file__).parents[2] / ".." / "shared" / "data" / "admin" / "wards2025_hue.gpkg"
    if not path.exists():
        pytest.skip("the real wards are not on this machine")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        wards = geopandas.read_file(path, layer="wards")
    result = land_use_statistics(wards, "name", surface=Surface.ELLIPSOID, code_list=CodeList.FREE)
    union = shapely.union_all(np.asarray(wards.geometry.array))
    expected = areas_m2(np.array([union], dtype=object), wards.crs, Surface.ELLIPSOID)[0]
    assert result.footprint == pytest.approx(expected, rel=1e-9)
    assert len(result.rows) == 40
