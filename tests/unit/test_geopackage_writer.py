"""GeoPackages filled by SQLite are what GDAL would have written, and what GDAL can go on editing."""

import datetime
import sqlite3

import geopandas
import numpy as np
import pandas
import pyogrio
import pytest
import shapely
from osgeo import ogr
from quyhoach.processing_algorithms.common.files import write_vector
from quyhoach.processing_algorithms.common.geopackage import _outwards, geometry_blobs

ogr.UseExceptions()
box = shapely.box


def squares(n, seed=1):
    low = np.random.default_rng(seed).uniform(0, 1000, (n, 2)) + [500_000, 1_200_000]
    return box(low[:, 0], low[:, 1], low[:, 0] + 5, low[:, 1] + 5)


def layer(shapes, crs="EPSG:9214", **columns):
    return geopandas.GeoDataFrame(columns, geometry=geopandas.GeoSeries(list(shapes), dtype="geometry"), crs=crs)


# 51 cells fill a node of 1,228 bytes: one node, exactly full, two levels, exactly two full levels, three levels.
@pytest.mark.parametrize("count", [0, 1, 51, 52, 51 * 51, 51 * 51 + 1])
def test_spatial_index_is_sound_and_finds_what_is_there(tmp_path, count):
    frame = layer(squares(count), n=np.arange(count))
    path = tmp_path / "ô vuông.gpkg"
    write_vector(frame, path, "MultiPolygon")
    with sqlite3.connect(path) as database:
        assert database.execute("SELECT rtreecheck('rtree_ô vuông_geom')").fetchone() == ("ok",)
        assert database.execute("SELECT count(*) FROM \"rtree_ô vuông_geom\"").fetchone() == (count,)
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    window = (500_100, 1_200_200, 500_400, 1_200_300)
    found = pyogrio.read_dataframe(path, bbox=window)
    assert sorted(found["n"]) == [k for k in range(count) if frame.geometry[k].intersects(box(*window))]


def test_same_file_as_gdal(tmp_path):
    moments = pandas.to_datetime(["1969-12-31 23:59:59.123", None, "2026-11-22 07:00:00.000", None])
    frame = layer(
        [box(0, 0, 1, 1), None, shapely.MultiPolygon([box(2, 2, 3, 3), box(5, 5, 6, 6)]), shapely.Polygon()],
        chữ=["Phường Vĩnh Hà", None, "", "a\"b'c"], whole=pandas.array([2**60 + 1, None, -3, 0], dtype="Int64"),
        real=[1.5, np.nan, -0.1, np.inf], yes=pandas.array([True, None, False, True], dtype="boolean"),
        day=pandas.Series([datetime.date(1965, 2, 3), None, datetime.date(2026, 11, 22), None], dtype=object),
        moment=moments,
        zoned=moments.tz_localize("Asia/Ho_Chi_Minh"))
    ours, gdal = tmp_path / "ours.gpkg", tmp_path / "gdal.gpkg"
    write_vector(frame, ours, "MultiPolygon", layer="lớp")
    # A GeoJSON of the same frame, made a GeoPackage by GDAL alone, would lose types; so GDAL copies ours instead.
    ogr.GetDriverByName("GPKG").CopyDataSource(ogr.Open(str(ours)), str(gdal))
    a, b = sqlite3.connect(ours), sqlite3.connect(gdal)
    for question in ('SELECT * FROM "lớp" ORDER BY fid', "SELECT * FROM gpkg_geometry_columns",
                     "SELECT * FROM gpkg_ogr_contents",
                     "SELECT min_x, min_y, max_x, max_y, srs_id FROM gpkg_contents",
                     'SELECT id, minx, maxx, miny, maxy FROM "rtree_lớp_geom" ORDER BY id',
                     "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' ORDER BY name"):
        assert a.execute(question).fetchall() == b.execute(question).fetchall(), question


def test_kinds_of_columns_by_hand(tmp_path):
    frame = layer([shapely.Point(1, 2)] * 2, day=pandas.Series([datetime.date(2026, 11, 22), None], dtype=object),
                  moment=pandas.to_datetime(["2026-11-22 07:00", None]),
                  zoned=pandas.to_datetime(["2026-11-22 07:00", None]).tz_localize("Asia/Ho_Chi_Minh"),
                  yes=pandas.array([True, None], dtype="boolean"), real=[0.1, np.nan])
    write_vector(frame, tmp_path / "a.gpkg", "Point")
    rows = sqlite3.connect(tmp_path / "a.gpkg").execute("SELECT day, moment, zoned, yes, real FROM a").fetchall()
    # 07:00 in Vietnam is 00:00 UTC.
    assert rows == [("2026-11-22", "2026-11-22T07:00:00.000", "2026-11-22T00:00:00.000Z", 1, 0.1), (None,) * 5]


def test_gdal_goes_on_editing(tmp_path):
    path = tmp_path / "a.gpkg"
    write_vector(layer(squares(3000), n=np.arange(3000)), path, "MultiPolygon")
    source = ogr.Open(str(path), 1)
    edited = source.GetLayer(0)
    for fid in range(1, 2001):
        edited.DeleteFeature(fid)
    for k in range(500):
        feature = ogr.Feature(edited.GetLayerDefn())
        feature.SetGeometry(ogr.CreateGeometryFromWkb(shapely.to_wkb(box(k, k, k + 1, k + 1))))
        edited.CreateFeature(feature)
    moved = edited.GetFeature(2500)
    moved.SetGeometry(ogr.CreateGeometryFromWkb(shapely.to_wkb(box(-50, -50, -49, -49))))
    edited.SetFeature(moved)
    source = edited = feature = moved = None
    with sqlite3.connect(path) as database:
        assert database.execute("SELECT rtreecheck('rtree_a_geom')").fetchone() == ("ok",)
        assert database.execute("SELECT feature_count FROM gpkg_ogr_contents").fetchone() == (1500,)
        # New rows were numbered after ours.
        assert database.execute("SELECT min(fid), max(fid) FROM a WHERE n IS NULL").fetchone() == (3001, 3500)
    found = pyogrio.read_dataframe(path, bbox=(-60, -60, -40, -40), fid_as_index=True)
    assert list(found.index) == [2500]


def test_heights_are_kept_and_announced(tmp_path):
    high = shapely.force_3d(box(0, 0, 1, 1), 7.0)
    write_vector(layer([high, box(2, 2, 3, 3)]), tmp_path / "a.gpkg", "MultiPolygon")
    assert sqlite3.connect(tmp_path / "a.gpkg").execute("SELECT z FROM gpkg_geometry_columns").fetchone() == (2,)
    again = pyogrio.read_dataframe(tmp_path / "a.gpkg", force_2d=False)
    assert shapely.has_z(again.geometry.array).tolist() == [True, False] and set(again.geom_type) == {"MultiPolygon"}
    write_vector(layer([high]), tmp_path / "b.gpkg", "MultiPolygonZ")
    assert sqlite3.connect(tmp_path / "b.gpkg").execute("SELECT z FROM gpkg_geometry_columns").fetchone() == (1,)


def test_table_without_geometry(tmp_path):
    write_vector(pandas.DataFrame({"mã": ["ODT", None], "ha": [1.25, 2.5]}), tmp_path / "bảng.gpkg")
    again = pyogrio.read_dataframe(tmp_path / "bảng.gpkg")
    assert again.where(again.notna(), None).values.tolist() == [["ODT", 1.25], [None, 2.5]]
    assert not isinstance(again, geopandas.GeoDataFrame)


def test_odd_names(tmp_path):
    write_vector(layer([box(0, 0, 1, 1)], **{'a "b"': [1], "select": [2], "x;y": [3]}), tmp_path / 'q"u.gpkg',
                 "MultiPolygon")
    again = pyogrio.read_dataframe(tmp_path / 'q"u.gpkg')
    assert again[['a "b"', "select", "x;y"]].values.tolist() == [[1, 2, 3]] and len(again.geometry) == 1


@pytest.mark.parametrize("multi", [False, True])
def test_blobs_hold_the_shape(multi):
    shapes = np.array([shapely.Point(1, 2), shapely.LineString([(0, 0), (1, 3)]), box(0, 0, 2, 4),
                       shapely.force_3d(box(0, 0, 1, 1), 5),
                       shapely.MultiPoint([(0, 0), (1, 1)]), shapely.Polygon(), None], dtype=object)
    for shape, blob in zip(shapes, geometry_blobs(shapes, 9214, multi)):
        if shape is None:
            assert blob is None
            continue
        flags = blob[3]
        length = 8 + (32 if flags >> 1 & 7 == 1 else 0)
        back = shapely.from_wkb(blob[length:])
        parts = shapely.get_parts(back)
        assert back.is_empty == shape.is_empty == bool(flags & 0b10000)
        if not shape.is_empty:
            assert (parts[0] if multi and not hasattr(shape, "geoms") else back).equals_exact(shape, 0)
        assert back.geom_type.startswith("Multi") == (multi or shape.geom_type.startswith("Multi"))
        if length > 8:
            west, east, south, north = np.frombuffer(blob[8:40], dtype="<f8")
            assert (west, south, east, north) == shape.bounds


def test_boxes_never_shrink_when_rounded():
    exact = np.random.default_rng(3).uniform(-2e6, 2e6, (1000, 2))
    box_ = np.column_stack([exact.min(axis=1), exact.max(axis=1)] * 2)
    rounded = _outwards(box_).astype(float)
    assert (rounded[:, [0, 2]] <= box_[:, [0, 2]]).all() and (rounded[:, [1, 3]] >= box_[:, [1, 3]]).all()
    assert np.abs(rounded - box_).max() < 0.3  # half a step of 32-bit floats at 2,000 km is 0.06 m
