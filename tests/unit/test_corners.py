"""Pasted corners: every way people write them gives the same points; what is doubtful is refused, not guessed."""

import numpy as np
import pyproj
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from quyhoach.processing_algorithms.common.errors import InputError
from quyhoach.processing_algorithms.zoning.paper.corners import AxisOrder, read_corners

#: Central meridian 106°15' (Bình Phước, old) and 107°45' (Đồng Nai, new since 2025): norms/vn2000_zones.csv.
OLD, NEW = pyproj.CRS.from_epsg(9212), pyproj.CRS.from_epsg(5899)
#: A square of 20 m, from the north-west corner clockwise.
POINTS = [(1161155.94, 505277.23), (1161155.94, 505297.23), (1161135.94, 505297.23), (1161135.94, 505277.23)]

WRITTEN = {
    "Excel with tabs, decimal commas": "1\t1161155,94\t505277,23\n2\t1161155,94\t505297,23\n3\t1161135,94\t505297,23\n4\t1161135,94\t505277,23",
    "Windows line ends, points for thousands": "1\t1.161.155,94\t505.277,23\r\n2\t1.161.155,94\t505.297,23\r\n3\t1.161.135,94\t505.297,23\r\n4\t1.161.135,94\t505.277,23\r\n",
    "no point numbers, spaces": "1161155.94 505277.23\n1161155.94 505297.23\n1161135.94 505297.23\n1161135.94 "
                                "505277.23",
    "one line, semicolons": "1161155.94 505277.23; 1161155.94 505297.23; 1161135.94 505297.23; 1161135.94 505277.23;",
    "semicolons between columns": "1;1161155,94;505277,23\n2;1161155,94;505297,23\n3;1161135,94;505297,23\n4;1161135,94;505277,23\n",
    "comma and space": "1, 1161155.94, 505277.23\n2, 1161155.94, 505297.23\n3, 1161135.94, 505297.23\n4, 1161135.94, "
                       "505277.23",
    "comma-separated values": "1,1161155.94,505277.23\n2,1161155.94,505297.23\n3,1161135.94,505297.23\n4,1161135.94,505277.23",
    "American thousands": "1\t1,161,155.94\t505,277.23\n2\t1,161,155.94\t505,297.23\n3\t1,161,135.94\t505,297.23\n4\t1,161,135.94\t505,277.23",
    "spaces between thousands": "1 161 155,94 505 277,23\n1 161 155,94 505 297,23\n1 161 135,94 505 297,23\n1 161 "
                                "135,94 505 277,23",
    "no-break spaces in cells": "1\t1\u00a0161\u00a0155,94\t505\u00a0277,23\n2\t1\u00a0161\u00a0155,94\t505\u00a0297,23\n3\t1161135,94\t505297,23\n4\t1161135,94 m\t505277,23 m",
    "closed, with heading and lengths": "Số hiệu điểm\tX (m)\tY (m)\tCạnh "
                                        "(m)\n1\t1161155,94\t505277,23\t20,00\n2\t1161155,94\t505297,23\t20,00\n3\t1161135,94\t505297,23\t20,00\n4\t1161135,94\t505277,23\t20,00\n1\t1161155,94\t505277,23\t",
    "lengths between the lines": "STT\tX\tY\tS\n1\t1161155,94\t505277,23\n\t\t\t20,00\n2\t1161155,94\t505297,23\n\t\t\t20,00\n3\t1161135,94\t505297,23\n\t\t\t20,00\n4\t1161135,94\t505277,23\n",
    "names of points": "M1: 1161155.94 505277.23\nM2: 1161155.94 505297.23\nM3: 1161135.94 505297.23\nM4: 1161135.94 "
                       "505277.23",
    "heading says east first": "Điểm | Y (Đông) | X (Bắc)\n1 | 505277,23 | 1161155,94\n2 | 505297,23 | 1161155,94\n3 "
                               "| 505297,23 | 1161135,94\n4 | 505277,23 | 1161135,94",
}


@pytest.mark.parametrize("text", WRITTEN.values(), ids=WRITTEN)
def test_every_way_of_writing_gives_the_same_points(text):
    corners = read_corners(text, OLD)
    assert np.column_stack([corners.north, corners.east]).tolist() == [list(point) for point in POINTS]
    assert corners.polygon().area == pytest.approx(400.0, abs=1e-6)
    assert [note for note in corners.notes if "Cạnh" in note or "Chiều dài" in note] == []


def test_point_numbers_are_kept():
    assert read_corners(WRITTEN["names of points"], OLD).names == ("M1:", "M2:", "M3:", "M4:")
    assert read_corners(WRITTEN["closed, with heading and lengths"], OLD).names == ("1", "2", "3", "4")
    assert read_corners(WRITTEN["no point numbers, spaces"], OLD).names == ("1", "2", "3", "4")


EAST_FIRST = "\n".join(f"{east} {north}" for north, east in POINTS)


def test_swapped_axes_are_asked_about_and_taken_when_told():
    with pytest.raises(InputError, match="có vẻ bị đảo"):
        read_corners(EAST_FIRST, OLD)
    assert read_corners(EAST_FIRST, OLD, order=AxisOrder.EAST_FIRST).polygon().area == pytest.approx(400.0)
    with pytest.raises(InputError, match="có vẻ bị đảo"):
        read_corners(WRITTEN["no point numbers, spaces"], OLD, order=AxisOrder.EAST_FIRST)
    with pytest.raises(InputError, match="tiêu đề bảng ghi khác"):
        read_corners("Y\tX\n" + WRITTEN["Excel with tabs, decimal commas"], OLD)


P = [f"{north}\t{east}" for north, east in POINTS]
REFUSED = {
    "mixed axes": ("\n".join([*P[:2], "505297.23\t1161135.94", P[3]]), "Thứ tự X, Y không thống nhất.*3"),
    "two corners": ("\n".join(P[:2]), "Chỉ đọc được 2 góc"),
    "nothing": ("xin chào", "Chỉ đọc được 0 góc"),
    "degrees": ("10.501234\t105.801234\n10.501234\t105.811234\n10.511234\t105.811234", "giống kinh độ"),
    "zone digits": ("\n".join(f"{north}\t48{east}" for north, east in POINTS), "số hiệu múi chiếu"),
    "not in Vietnam": ("\n".join(f"{north + 4e6}\t{east}" for north, east in POINTS), "không phải tọa độ VN-2000"),
    "one coordinate lost": ("\n".join([*P[:3], "4\t1161135,94\t5O5277,23"]), "Dòng 4.*chỉ có một tọa độ"),
    "crossing sides": ("\n".join([P[0], P[2], P[1], P[3]]), "cạnh 1-2 với cạnh 3-4"),
    "point twice": ("\n".join([*P, "1161150\t505300", P[1]]), "2 = 6"),
    "number twice": ("\n".join(f"{n}\t{p}" for n, p in zip((1, 2, 2, 3), P)), "bị trùng với tọa độ khác nhau: 2"),
    "on a line": ("1161100 505100\n1161200 505200\n1161300 505300", "trên một đường thẳng"),
    "ambiguous commas": ("1161155,94,505277,23\n1161155,94,505297,23\n1161135,94,505297,23", "0 góc|nhiều cách|một "
                                                                                             "tọa độ"),
}


@pytest.mark.parametrize(("text", "why"), REFUSED.values(), ids=REFUSED)
def test_what_is_doubtful_is_refused_with_the_reason(text, why):
    with pytest.raises(InputError, match=why):
        read_corners(text, OLD)


@pytest.mark.parametrize("code", [4326, 4756, 32648, 2263])
def test_the_system_must_be_plane_vn2000(code):
    with pytest.raises(InputError, match="VN-2000"):
        read_corners(WRITTEN["Excel with tabs, decimal commas"], pyproj.CRS.from_epsg(code))


def test_what_was_put_right_is_told():
    repeated = read_corners("\n".join([P[0], P[0], *P[1:]]), OLD)
    assert len(repeated.names) == 4 and "lặp lại" in repeated.notes[0]
    backwards = read_corners("\n".join(P[::-1]), OLD)
    assert any("ngược chiều" in note for note in backwards.notes)
    gap = read_corners("\n".join(f"{n}\t{p}" for n, p in zip((1, 2, 4, 5), P)), OLD)
    assert any("không liên tục (1, 2, 4, 5)" in note for note in gap.notes)
    side = read_corners(WRITTEN["closed, with heading and lengths"].replace("\t20,00\n3", "\t21,00\n3"), OLD)
    assert any("2-3 (21,00 / 20,00 m)" in note for note in side.notes)


def independent(points, source, target):
    """Old meridian to new by the projection's own inverse and forward: one datum, so no shift is in it."""
    first, second = (pyproj.Proj(f"+proj=tmerc +lat_0=0 +lon_0={meridian} +k=0.9999 +x_0=500000 +y_0=0 +ellps=WGS84")
                     for meridian in (source, target))
    longitude, latitude = first([e for _, e in points], [n for n, _ in points], inverse=True)
    east, north = second(longitude, latitude)
    return np.column_stack([east, north])


def test_corners_of_the_old_meridian_land_on_the_parcel_in_the_new_within_a_millimetre():
    landed = shapely.get_coordinates(read_corners("\n".join(P), OLD).polygon(NEW))[:-1]
    assert np.abs(landed - independent(POINTS, 106.25, 107.75)).max() < 0.001
    # And by EPSG operation 6960 to WGS 84 and back with the shift written out (position vector, signs of norms/README).
    towgs84 = "+towgs84=-191.90441429,-39.30318279,-111.45032835,0.00928836,-0.01975479,0.00427372,0.252906278"
    text = "+proj=tmerc +lat_0=0 +lon_0={} +k=0.9999 +x_0=500000 +y_0=0 +ellps=WGS84 " + towgs84 + " +units=m +type=crs"
    there = pyproj.Transformer.from_crs(text.format(106.25), "EPSG:4326", always_xy=True)
    back = pyproj.Transformer.from_crs("EPSG:4326", text.format(107.75), always_xy=True)
    moved = np.column_stack(back.transform(*there.transform([e for _, e in POINTS], [n for n, _ in POINTS])))
    assert np.abs(landed - moved).max() < 0.001
    assert np.hypot(*(landed[0] - [505277.23, 1161155.94])) > 100_000  # the wrong meridian is no small mistake


@given(st.integers(4, 12), st.floats(5, 500), st.floats(950_000, 2_500_000), st.floats(350_000, 650_000), st.integers(0,
                                                                                                                      3))
def test_a_ring_of_corners_comes_back_as_it_was(count, radius, north, east, style):
    angles = -2 * np.pi * np.arange(count) / count
    points = np.round(np.column_stack([north + radius * np.cos(angles), east + radius * np.sin(angles)]), 2)
    write = [lambda v: f"{v:.2f}", lambda v: f"{v:.2f}".replace(".", ","), lambda v: f"{v:,.2f}",
             lambda v: f"{v:,.2f}".translate(str.maketrans(",.", ".,"))][style]
    text = "\n".join(f"{at}\t{write(x)}\t{write(y)}" for at, (x, y) in enumerate(points, 1))
    corners = read_corners(text, OLD)
    assert np.column_stack([corners.north, corners.east]).tolist() == points.tolist()
