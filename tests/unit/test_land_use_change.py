"""Land-use change: hand calculations, areas conserved, and agreement with a brute-force overlay."""

from __future__ import annotations

import datetime
from unittest import mock

import geopandas
import numpy as np
import openpyxl
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from quyhoach.processing_algorithms.common.areas import Surface
from quyhoach.processing_algorithms.common.errors import Cancelled, InputError
from quyhoach.processing_algorithms.common.overlay import intersect
from quyhoach.processing_algorithms.common.workbook import write_workbook
from quyhoach.processing_algorithms.land_use import change_matrix
from quyhoach.processing_algorithms.land_use.change_matrix import land_use_change
from quyhoach.processing_algorithms.land_use.change_tables import change_sheets, matrix_frame, printed
from quyhoach.processing_algorithms.land_use.double_counting import double_counting
from quyhoach.processing_algorithms.land_use.placing import intersect_similar

TODAY = datetime.date(2026, 11, 22)
CRS = "EPSG:9214"


def _layer(boxes, codes, crs=CRS):
    return geopandas.GeoDataFrame({"code": codes}, geometry=[shapely.box(*box) for box in boxes], crs=crs)


def _change(before, after, **options):
    return land_use_change(before, "code", after, "code", on=TODAY, **options)


@pytest.fixture
def before():
    return _layer([(0, 0, 100, 100), (100, 0, 200, 100), (200, 0, 300, 100)], ["LUC", "ONT", "CLN"])


@pytest.fixture
def after():
    """The border of LUC and ONT drawn 0.5 m further; ONT took half of CLN; 50 m more in the east."""
    return _layer([(0, 0, 100.5, 100), (100.5, 0, 250, 100), (250, 0, 350, 100)], ["LUC", "ONT", "CLN"])


def test_by_hand(before, after):
    change = _change(before, after, min_area_m2=1, tolerance_m=0.8)
    position = {node.code: k for k, node in enumerate(change.types)}
    luc, ont, cln = position["LUC"], position["ONT"], position["CLN"]
    assert change.area[luc, luc] == pytest.approx(10_000)
    assert change.area[ont, ont] == pytest.approx(9_950)
    assert change.area[cln, ont] == pytest.approx(5_000) and change.area[cln, cln] == pytest.approx(5_000)
    assert change.noise[ont, luc] == pytest.approx(50) and change.noise.sum() == pytest.approx(50)
    assert change.only_after[cln] == pytest.approx(5_000) and not change.only_before.any()
    assert change.common == pytest.approx(30_000) == change.common_ground
    assert change.pieces[["before_fid", "after_fid", "before_code", "after_code", "change"]].values.tolist() == [
        [2, 1, "CLN", "ONT", "CLN → ONT"]]
    assert change.noise_pieces["area_m2"].tolist() == pytest.approx([50])


@pytest.mark.parametrize("options, noise", [
    ({}, 0), ({"tolerance_m": 0.4}, 0), ({"tolerance_m": 0.5}, 50), ({"min_area_m2": 50.1}, 50),
    ({"min_area_m2": 6_000}, 5_050)])
def test_what_counts_as_noise(before, after, options, noise):
    change = _change(before, after, **options)
    assert change.noise.sum() == pytest.approx(noise)
    assert change.common == pytest.approx(30_000)


def test_a_narrow_polygon_that_was_recoded_is_no_boundary_noise():
    ditch = [(0, 0, 100, 10), (0, 10, 100, 10.5), (0, 10.5, 100, 20)]
    change = _change(_layer(ditch, ["LUC", "DTL", "LUC"]), _layer(ditch, ["LUC", "DGT", "LUC"]), tolerance_m=0.8)
    assert change.changed == pytest.approx(50) and not change.noise.any()


def test_layers_that_overlap_themselves():
    # BEFORE: 100 m, its second polygon covers the last 20 m of the first. AFTER: the same ground twice over 50-100.
    before = _layer([(0, 0, 100, 100), (80, 0, 200, 100)], ["LUC", "ONT"])
    after = _layer([(0, 0, 100, 100), (50, 0, 200, 100)], ["LUC", "LUC"])
    change = _change(before, after)
    assert (change.doubled_before, change.doubled_after) == (pytest.approx(2_000), pytest.approx(5_000))
    assert change.common_ground == pytest.approx(20_000)
    for exact, side, axis in ((change.before_total, "before", 1), (change.after_total, "after", 0)):
        rows = (change.area
                + change.noise).sum(axis=axis) + getattr(change, f"only_{side}") - getattr(change, f"shared_{side}")
        assert rows.sum() == pytest.approx(exact)
    frame = matrix_frame(change).set_index("kind")
    assert frame.loc["common_ground", "area_m2"] == pytest.approx(20_000)


def test_missing_unknown_and_lower_case_codes(before):
    after = before.assign(code=["luc", None, "ZZ"])
    change = _change(before, after)
    assert [node.code for node in change.types] == ["LUC", "CLN", "ONT", "ZZ", ""]
    assert change.unchanged == pytest.approx(10_000)
    assert change.pieces["after_code"].tolist() == [None, "ZZ"]


def test_another_system_and_the_ellipsoid(before, after):
    moved = after.to_crs("EPSG:9215")
    # 400 km off the meridian a straight edge bends by millimetres when reprojected.
    assert np.allclose(_change(before, moved).area, _change(before, after).area, atol=2)
    degrees = before.to_crs("EPSG:4756"), after.to_crs("EPSG:4756")
    with pytest.raises(InputError, match="độ"):
        _change(*degrees)
    plane, ellipsoid = _change(before, after), _change(*degrees, surface=Surface.ELLIPSOID)
    assert np.allclose(ellipsoid.area / ellipsoid.common, plane.area / plane.common, atol=1e-6)
    rows = ellipsoid.area.sum(axis=1) + ellipsoid.only_before
    assert rows.sum() == pytest.approx(ellipsoid.before_total, rel=1e-12)


def test_faults_are_told_together(before, after):
    with pytest.raises(InputError) as caught:
        _change(before.set_crs(None, allow_override=True), after.set_crs(None, allow_override=True))
    assert len(caught.value.problems) == 2
    with pytest.raises(InputError) as caught:
        _change(before[:0], after.assign(geometry=None).set_geometry("geometry", crs=CRS))
    assert len(caught.value.problems) == 2


def test_cancel(before, after):
    def stop(fraction, message=None):
        raise Cancelled()

    with pytest.raises(Cancelled):
        _change(before, after, progress=stop)


def test_same_shapes_are_found_whatever_vertex_they_start_at(before):
    shapes = np.asarray(before.geometry.array)
    turned = np.array([shapely.Polygon(np.roll(shapely.get_coordinates(shape)[:-1], 2, axis=0)[::-1])
                       for shape in shapes])
    none = double_counting(shapes)
    pieces, same = intersect_similar(shapes, turned, none, none)
    assert same.all() and pieces.left.tolist() == pieces.right.tolist() == [0, 1, 2]


boxes = st.tuples(st.integers(0, 12), st.integers(0, 12), st.integers(1, 6), st.integers(1, 6)).map(
    lambda b: (b[0] * 10, b[1] * 10, (b[0] + b[2]) * 10, (b[1] + b[3]) * 10))
layers = st.lists(st.tuples(boxes, st.sampled_from(["LUC", "ONT", "CLN", None])), min_size=1, max_size=7)


@settings(deadline=None, max_examples=50)
@given(layers, layers, st.sampled_from([0.0, 250.0]), st.sampled_from([0.0, 15.0]))
def test_nothing_is_lost(first, second, min_area_m2, tolerance_m):
    before, after = (_layer([box for box, _ in side], [code for _, code in side]) for side in (first, second))
    change = _change(before, after, min_area_m2=min_area_m2, tolerance_m=tolerance_m)
    union_before, union_after = (shapely.union_all(list(side.geometry)) for side in (before, after))
    assert change.common_ground == pytest.approx(union_before.intersection(union_after).area, abs=1e-6)
    position = {node.code or None: k for k, node in enumerate(change.types)}
    expected = np.zeros((len(position), len(position)))
    for shape, code in zip(before.geometry, before["code"]):
        for other, later in zip(after.geometry, after["code"]):
            expected[position[code], position[later]] += shape.intersection(other).area
    assert np.allclose(change.area + change.noise, expected, atol=1e-6)
    assert change.only_before.sum() == pytest.approx(sum(shape.difference(union_after).area
                                                         for shape in before.geometry), abs=1e-6)
    assert change.only_after.sum() == pytest.approx(sum(shape.difference(union_before).area
                                                        for shape in after.geometry), abs=1e-6)
    assert change.pieces.area.sum() == pytest.approx(change.changed, abs=1e-6)
    assert change.noise_pieces.area.sum() == pytest.approx(change.noise.sum(), abs=1e-6)
    pieces, _ = intersect_similar(*(np.asarray(side.geometry.array) for side in (before, after)),
                                  *(double_counting(np.asarray(side.geometry.array)) for side in (before, after)))
    plain = intersect(np.asarray(before.geometry.array), np.asarray(after.geometry.array))
    assert (pieces.left.tolist(), pieces.right.tolist()) == (plain.left.tolist(), plain.right.tolist())


def _partition(columns, rows, codes, shift=0.0):
    """A rectangle 120 x 120 m, cut into a grid drawn vertex to vertex."""
    xs, ys = (np.round(np.linspace(shift, 120 + shift, n + 1), 3) for n in (columns, rows))
    cells = [(x0, y0, x1, y1) for x0, x1 in zip(xs, xs[1:]) for y0, y1 in zip(ys, ys[1:])]
    return _layer(cells, [codes[k % len(codes)] for k in range(len(cells))])


@settings(deadline=None, max_examples=40)
@given(st.tuples(st.integers(1, 5), st.integers(1, 5)), st.tuples(st.integers(1, 5), st.integers(1, 5)),
       st.lists(st.sampled_from(["LUC", "ONT", "CLN"]), min_size=1, max_size=5),
       st.lists(st.sampled_from(["LUC", "ONT", None]), min_size=1, max_size=5), st.sampled_from([0.0, 7.0]))
def test_unchanged_land_is_right_without_being_cut(first, second, codes, later_codes, shift):
    before, after = _partition(*first, codes), _partition(*second, later_codes, shift)
    with mock.patch.object(change_matrix, "_WORTH_ASKING", 0):
        change = _change(before, after)
    position = {node.code or None: k for k, node in enumerate(change.types)}
    expected = np.zeros((len(position), len(position)))
    for shape, code in zip(before.geometry, before["code"]):
        for other, later in zip(after.geometry, after["code"]):
            expected[position[code], position[later]] += shape.intersection(other).area
    assert np.allclose(change.area, expected, atol=1e-6)
    assert change.common_ground == pytest.approx(change.common) == pytest.approx((120 - shift) ** 2)
    alone = 120**2 - (120 - shift) ** 2
    assert change.only_before.sum() == pytest.approx(alone,
                                                     abs=1e-6) and change.only_after.sum() == pytest.approx(alone, abs=1e-6)


@settings(deadline=None, max_examples=25)
@given(st.lists(st.tuples(st.floats(1, 400), st.sampled_from(["LUC", "ONT", "CLN"])), min_size=1, max_size=8),
       st.lists(st.tuples(st.floats(1, 400), st.sampled_from(["LUC", "ONT", "SON"])), min_size=1, max_size=8))
def test_printed_matrix_closes(first, second):
    def strip(side):
        ends = np.cumsum([width for width, _ in side])
        return _layer([(end - width, 0, end, 97.3) for end, (width, _) in zip(ends, side)], [code for _, code in side])

    before, after = strip(first), strip(second)
    change = _change(before, after, min_area_m2=2_000)
    figures = printed(change)
    assert abs(figures.area.sum() + figures.noise.sum() - change.common / 1e4) <= 0.005 + 1e-9
    off = ~np.eye(len(change.types), dtype=bool)
    for axis in (0, 1):
        for exact, rounded in ((change.area * off, figures.area * off), (change.noise, figures.noise),
                               (change.area + change.noise, figures.area + figures.noise)):
            assert (np.abs(rounded.sum(axis=axis) - exact.sum(axis=axis) / 1e4) < 0.01 * (1 + 1e-6)).all()


def test_workbook_in_the_layout_of_the_form(tmp_path, before, after):
    change = _change(before, after, min_area_m2=1, tolerance_m=0.8)
    write_workbook(tmp_path / "cc.xlsx", change_sheets(change, subtitle="ha", notes=[]))
    book = openpyxl.load_workbook(tmp_path / "cc.xlsx")
    sheet = book["Chu chuyển diện tích"]
    assert sheet["A1"].value == "CHU CHUYỂN DIỆN TÍCH CÁC LOẠI ĐẤT"
    header = [cell.value for cell in sheet[4]]
    assert header == ["STT", "Loại đất", "Mã", "Diện tích đầu kỳ", "LUC", "CLN", "ONT", "Cộng giảm", "Nhiễu ranh giới",
                      "Giảm khác (ngoài lớp sau)"]
    rows = {row[1].value: {name: cell.value or 0 for name, cell in zip(header, row)}
            for row in sheet.iter_rows(min_row=5, max_row=12)}
    codes = ["LUC", "CLN", "ONT"]
    for row in (rows["Đất chuyên trồng lúa"], rows["Đất trồng cây lâu năm"], rows["Đất ở tại nông thôn"]):
        kept = row[row["Mã"]]
        assert row["Diện tích đầu kỳ"] == pytest.approx(kept + row["Cộng giảm"] + row["Nhiễu ranh giới"]
                                                        + row[header[-1]])
        closing = kept + sum(rows[name][row["Mã"]] for name in ("Cộng tăng", "Nhiễu ranh giới", "Tăng khác (ngoài lớp trước)"))
        assert rows["Diện tích cuối kỳ"][row["Mã"]] == pytest.approx(closing)
    assert [rows["Diện tích cuối kỳ"][code] for code in codes] == pytest.approx([1.01, 1.0, 1.49], abs=0.0101)
    assert rows["Cộng tăng"]["ONT"] == pytest.approx(0.5)
    assert book.sheetnames == ["Chu chuyển diện tích", "Các biến động"]
