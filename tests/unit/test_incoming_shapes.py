"""Shapes into a dataset's type and system, refused one by one; and the bytes a GeoPackage keeps them in."""

import sqlite3
import struct

import geopandas
import numpy as np
import pyproj
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from quyhoach.processing_algorithms.common.geometry import InvalidGeometry
from quyhoach.processing_algorithms.provincial_database.geopackage.geometry import (
    from_blobs,
    register_functions,
    to_blobs,
)
from quyhoach.processing_algorithms.provincial_database.imports.incoming_shapes import fit_shapes

TM3 = pyproj.CRS.from_epsg(9214)
SQUARE = shapely.box(500000, 1800000, 500010, 1800010)
# A bow tie: two triangles of 25 m2 each that meet in the middle.
BOWTIE = shapely.Polygon([(500000, 1800000), (500010, 1800010), (500010, 1800000), (500000, 1800010)])


def fit(shapes, geometry="MultiPolygon", crs="EPSG:9214", invalid=InvalidGeometry.REPAIR, hub=TM3):
    frame = geopandas.GeoDataFrame(geometry=geopandas.GeoSeries(np.array(shapes, dtype=object), crs=crs))
    return fit_shapes(frame, geometry, hub, invalid)


def test_single_shapes_become_multi_and_keep_their_place():
    outcome = fit([SQUARE, shapely.MultiPolygon([SQUARE])])
    assert [shape.geom_type for shape in outcome.geometry] == ["MultiPolygon"] * 2
    assert shapely.equals(outcome.geometry[0], SQUARE) and not outcome.refused


def test_each_kind_of_unusable_shape_has_its_reason():
    outcome = fit([None, shapely.Polygon(), shapely.Point(500000, 1800000),
                   shapely.box(500000, 1800000, np.inf, 1800010), SQUARE,
                   shapely.GeometryCollection([SQUARE, shapely.LineString([(500000, 1800000), (500010, 1800000)])])])
    assert [outcome.refused.get(i, "") for i in range(6)] == [
        "không có hình", "hình rỗng", "hình kiểu Point, cần MultiPolygon", "tọa độ vô hạn hoặc không phải số", "",
        "hình kiểu GeometryCollection, cần MultiPolygon"]
    assert [shape is None for shape in outcome.geometry] == [True, True, True, True, False, True]


def test_a_self_crossing_polygon_is_repaired_and_counted_or_refused():
    repaired = fit([BOWTIE, SQUARE])
    assert repaired.geometry[0].area == pytest.approx(50.0) and repaired.geometry[0].is_valid
    assert list(repaired.changes.values()) == [1] and not repaired.refused
    refused = fit([BOWTIE, SQUARE], invalid=InvalidGeometry.REFUSE)
    assert list(refused.refused) == [0] and "Self-intersection" in refused.refused[0]


def test_a_polygon_without_area_is_refused_even_when_repairing():
    flat = shapely.Polygon([(500000, 1800000), (500010, 1800000), (500005, 1800000)])
    assert fit([flat]).refused == {0: "hình không có diện tích"}


def test_heights_are_dropped_and_counted():
    outcome = fit([shapely.force_3d(SQUARE, 5.0), SQUARE])
    assert not shapely.has_z(outcome.geometry).any() and list(outcome.changes.values()) == [1]


def test_points_one_by_one():
    outcome = fit([shapely.Point(500000, 1800000), shapely.MultiPoint([(500000, 1800000)]),
                   shapely.MultiPoint([(500000, 1800000), (500001, 1800000)])], "Point")
    assert [None if shape is None else shape.geom_type for shape in outcome.geometry] == ["Point", "Point", None]


def test_the_official_shift_is_used():
    # Tân An, 105.8 E 10.5 N: 505277.2295, 1161155.9411 in EPSG:9210 by operation 6960; PROJ's default is 0.80 m away.
    outcome = fit([shapely.Point(105.8, 10.5)], "Point", "EPSG:4326", hub=pyproj.CRS.from_epsg(9210))
    assert shapely.get_coordinates(outcome.geometry)[0] == pytest.approx([505277.2295, 1161155.9411], abs=1e-3)


def test_swapped_and_wrongly_declared_coordinates_lie_abroad():
    # x and y swapped; degrees declared as metres; both lie far from the country in TM-3.
    outcome = fit([shapely.Point(1800000, 500000), shapely.Point(107.0, 16.4), shapely.Point(500000, 1800000)], "Point")
    assert sorted(outcome.refused) == [0, 1] and "ngoài lãnh thổ Việt Nam" in outcome.refused[0]
    # Trường Sa (114.4 E) and Mũi Cà Mau (8.6 N) are Viet Nam, seen from any meridian of the country.
    for code in (9205, 9210, 9218):
        assert not fit([shapely.Point(114.4, 8.65), shapely.Point(104.8, 8.6), shapely.Point(105.3, 23.3)], "Point",
                       "EPSG:4326",
                       hub=pyproj.CRS.from_epsg(code)).refused


def test_coordinates_no_projection_can_show_are_refused_alone():
    outcome = fit([shapely.Point(107.0, 16.4), shapely.Point(1e6, 2e6)], "Point", "EPSG:4326")
    assert list(outcome.refused) == [1]


def test_header_of_a_square_by_hand():
    blob = to_blobs(np.array([SQUARE], dtype=object), 9214)[0]
    assert blob[:4] == b"GP\x00\x03"          # version 0; little endian (1) + envelope x, y (1 << 1)
    assert struct.unpack_from("<i4d", blob, 4) == (9214, 500000.0, 500010.0, 1800000.0, 1800010.0)
    assert blob[40:] == SQUARE.wkb            # after 8 + 32 bytes


coordinate = st.floats(-1e7, 1e7)
shapes = st.one_of(
    st.none(), st.builds(shapely.Point, coordinate, coordinate), st.just(shapely.MultiPolygon()),
    st.just(shapely.Point()),
    st.lists(st.tuples(coordinate, coordinate), min_size=2, max_size=6).map(shapely.LineString),
    st.tuples(coordinate, coordinate).map(lambda xy: shapely.box(xy[0], xy[1], xy[0] + 1, xy[1] + 1)))


@given(st.lists(shapes, max_size=8))
def test_blobs_round_trip_and_the_index_functions_know_their_bounds(items):
    array = np.array([*items, None], dtype=object)[:-1]
    blobs = to_blobs(array, 9214)
    back = from_blobs(blobs)
    assert [a is None or a.equals_exact(b, 0) for a, b in zip(array, back)] == [True] * len(items)
    database = sqlite3.connect(":memory:")
    register_functions(database)
    for shape, blob in zip(array, blobs):
        empty, *bounds = database.execute("SELECT ST_IsEmpty(?1), ST_MinX(?1), ST_MinY(?1), ST_MaxX(?1), ST_MaxY(?1)",
                                          (blob,)).fetchone()
        if shape is None:
            assert empty is None
        elif shape.is_empty:
            assert empty == 1 and bounds == [None] * 4
        else:
            assert empty == 0 and tuple(bounds) == shape.bounds


def test_what_is_no_geometry_is_refused():
    with pytest.raises(ValueError):
        from_blobs([b"not a geometry"])
