"""Invalid, null, empty and mixed geometry: repaired or refused, always counted."""

import geopandas
import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from quyhoach.processing_algorithms.common.errors import InputError
from quyhoach.processing_algorithms.common.geometry import InvalidGeometry, clean

BOWTIE = shapely.Polygon([(0, 0), (2, 2), (2, 0), (0, 2)])  # two triangles of area 1 each
SQUARE = shapely.box(0, 0, 1, 1)


def frame(shapes):
    return geopandas.GeoDataFrame({"n": range(len(shapes))}, geometry=list(shapes), crs=9214,
                                  index=range(10, 10 + len(shapes)))


def test_everything_is_counted():
    collection = shapely.GeometryCollection([SQUARE, shapely.Point(5, 5)])
    nested = shapely.GeometryCollection([shapely.GeometryCollection([SQUARE]),
                                         shapely.MultiPolygon([shapely.box(3, 3, 4, 4)])])
    kept, report = clean(frame([SQUARE, BOWTIE, None, shapely.Polygon(), shapely.LineString([(0, 0), (1, 1)]),
                                collection, nested]),
                         "polygon", name="Thửa đất")
    assert kept.index.tolist() == [10, 11, 15, 16] and kept["n"].tolist() == [0, 1, 5, 6]
    assert kept.geometry.area.tolist() == [1.0, 2.0, 1.0, 2.0]
    assert (report.total, report.used, report.null, report.empty, report.other_kind,
            report.repaired) == (7, 4, 1, 1, 1, 1)
    assert report.repaired_ids == [11] and report.unusable_ids == [12, 13, 14]
    assert len(report.sentences()) == 2 and "fid: 11" in report.sentences()[0]


def test_refusing_names_the_ids():
    with pytest.raises(InputError, match=r"Thửa đất: 1 hình không hợp lệ \(fid: 11\)"):
        clean(frame([SQUARE, BOWTIE]), "polygon", InvalidGeometry.REFUSE, "Thửa đất")


def test_untroubled_layer_is_returned_as_it_is():
    good = frame([SQUARE])
    kept, report = clean(good, "polygon")
    assert kept is good and report.sentences() == []


def test_overlapping_parts_keep_their_area_once():
    overlapping = shapely.MultiPolygon([shapely.box(0, 0, 2, 2), shapely.box(1, 1, 3, 3)])  # 4 + 4 - 1
    kept, _ = clean(frame([overlapping]), "polygon")
    assert kept.geometry.iloc[0].area == pytest.approx(7.0)


def test_infinite_coordinates_are_refused():
    with pytest.raises(InputError, match="fid: 10"):
        clean(frame([shapely.LineString([(0, 0), (np.nan, 1)])]), "line")


@given(st.lists(st.sampled_from([None, SQUARE, BOWTIE, shapely.Point(1, 1), shapely.Polygon(),
                                 shapely.LineString([(0, 0), (1, 0)])]), max_size=8),
       st.sampled_from(["polygon", "line", "point"]))
def test_counts_always_add_up(shapes, kind):
    try:
        kept, report = clean(frame(shapes), kind)
    except InputError as error:
        # Refused only when nothing fits and something else is there.
        assert "khác kiểu" in str(error) and any(shape is not None and not shape.is_empty for shape in shapes)
        return
    assert report.used == len(kept) and report.total == len(shapes)
    assert report.used + report.null + report.empty + report.other_kind == report.total
    assert kept.geometry.is_valid.all() and not kept.geometry.is_empty.any()


def test_a_layer_of_another_kind_is_refused_not_counted_as_nothing():
    with pytest.raises(InputError, match="dạng đường.*2 đối tượng"):
        clean(frame([SQUARE, SQUARE, None]), "line", name="Đường")
