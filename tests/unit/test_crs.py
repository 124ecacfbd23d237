"""The official VN-2000 shift, checked against EPSG operation 6960 computed step by step."""

import geopandas
import numpy as np
import pyproj
import pytest
import shapely
from quyhoach.processing_algorithms.common import crs
from quyhoach.processing_algorithms.common.errors import InputError
from quyhoach.processing_algorithms.common.language import speaking

# Name, longitude, latitude (WGS 84), VN-2000 system. Tân An and Vũng Tàu lie where PROJ's own choice is 0.80 m off.
PLACES = [("Tân An", 105.8, 10.5, 9210), ("Vũng Tàu", 107.08, 10.35, 5899), ("Đồng Xoài", 106.9, 11.53, 9212),
          ("Yên Bái", 104.87, 21.72, 9208), ("Huế", 107.59, 16.46, 9214), ("Huế, UTM", 107.59, 16.46, 3405)]


def operation_6960(lon, lat, epsg):
    """Coordinate frame rotation of Decision 05/2007, inverted, then the projection; an independent PROJ pipeline."""
    meridian = {9210: 105.75, 5899: 107.75, 9212: 106.25, 9208: 104.75, 9214: 107.0}.get(epsg)
    pipeline = pyproj.Transformer.from_pipeline(
        "+proj=pipeline +step +proj=unitconvert +xy_in=deg +xy_out=rad +step +proj=push +v_3 +step +proj=cart +ellps=WGS84 "
        "+step +inv +proj=helmert +x=-191.90441429 +y=-39.30318279 +z=-111.45032835 +rx=-0.00928836 +ry=0.01975479 "
        "+rz=-0.00427372 +s=0.252906278 +convention=coordinate_frame +step +inv +proj=cart +ellps=WGS84 +step +proj=pop +v_3 "
        + ("+step +proj=utm +zone=48 +ellps=WGS84" if meridian is None else
           f"+step +proj=tmerc +lat_0=0 +lon_0={meridian} +k=0.9999 +x_0=500000 +y_0=0 +ellps=WGS84"))
    return pipeline.transform(lon, lat)


@pytest.mark.parametrize("name, lon, lat, epsg", PLACES)
def test_shift_is_operation_6960(name, lon, lat, epsg):
    x, y = crs.transform_points([lon], [lat], "EPSG:4326", f"EPSG:{epsg}")
    assert (x[0], y[0]) == pytest.approx(operation_6960(lon, lat, epsg), abs=1e-4)
    back = crs.transform_points(x, y, f"EPSG:{epsg}", "EPSG:4326")
    # A seven-parameter shift is inverted to first order only: within 1 mm there and back.
    assert (back[0][0], back[1][0]) == pytest.approx((lon, lat), abs=9e-9)


def test_published_point_of_tan_an():
    x, y = crs.transform_points([105.8], [10.5], "EPSG:4326", "EPSG:9210")
    assert (x[0], y[0]) == pytest.approx((505277.2295, 1161155.9411), abs=1e-3)


def test_wrong_rotation_signs_still_mean_vn2000():
    text = ("+proj=tmerc +lat_0=0 +lon_0=105.75 +k=0.9999 +x_0=500000 +y_0=0 +ellps=WGS84 +units=m +type=crs "
            "+towgs84=-191.90441429,-39.30318279,-111.45032835,-0.00928836,0.01975479,-0.00427372,0.252906278")
    assert crs.is_vn2000(pyproj.CRS(text))
    x, y = crs.transform_points([105.8], [10.5], "EPSG:4326", text)
    assert (x[0], y[0]) == pytest.approx((505277.2295, 1161155.9411), abs=1e-3)


def test_between_meridians_nothing_is_shifted():
    x, y = crs.transform_points([505277.2295], [1161155.9411], "EPSG:9210", "EPSG:9211")
    plain = pyproj.Transformer.from_crs(9210, 9211, always_xy=True).transform(505277.2295, 1161155.9411)
    assert (x[0], y[0]) == pytest.approx(plain, abs=1e-6)


def test_other_systems_are_left_to_proj():
    x, y = crs.transform_points([105.8], [21.0], "EPSG:4326", "EPSG:32648")
    assert (x[0],
            y[0]) == pytest.approx(pyproj.Transformer.from_crs(4326, 32648, always_xy=True).transform(105.8, 21.0),
                                   abs=1e-6)
    assert not crs.is_vn2000(pyproj.CRS(32648)) and not crs.is_vn2000(pyproj.CRS(3148))


def test_frame_keeps_index_columns_nulls_and_z():
    frame = geopandas.GeoDataFrame({"a": [1, 2]}, geometry=[shapely.Point(105.8, 10.5, 7.0), None], crs=4326,
                                   index=[11, 12])
    moved = crs.to_crs(frame, "EPSG:9210")
    assert moved.index.tolist() == [11, 12] and moved["a"].tolist() == [1, 2] and moved.geometry.iloc[1] is None
    assert moved.crs.to_epsg() == 9210
    assert moved.geometry.iloc[0].x == pytest.approx(505277.2295, abs=1e-3) and moved.geometry.iloc[0].z == 7.0
    assert crs.to_crs(moved, "EPSG:9210") is moved


def test_no_system_degrees_and_feet_are_refused_in_one_sentence():
    frame = geopandas.GeoDataFrame(geometry=[shapely.Point(0, 0)])
    with pytest.raises(InputError, match="không khai báo hệ tọa độ"):
        crs.to_crs(frame, 9210)
    with pytest.raises(InputError, match="độ"):
        crs.require_metric(pyproj.CRS(4326), "Lớp thửa đất")
    with pytest.raises(InputError, match="mét"):
        crs.require_metric(pyproj.CRS(2263), "Lớp thửa đất")


def test_coordinates_outside_the_area_name_their_features():
    frame = geopandas.GeoDataFrame(geometry=[shapely.Point(105.8, 10.5), shapely.Point(5e8, 1e9)], crs=4326,
                                   index=[3, 9])
    with pytest.raises(InputError, match="fid: 9"):
        crs.to_crs(frame, "EPSG:9210")


def test_labels_are_meridian_and_zone():
    assert crs.meridian_label(pyproj.CRS(9210)) == "VN-2000, kinh tuyến trục 105°45′, múi chiếu 3°"
    assert crs.meridian_label(pyproj.CRS(3405)) == "VN-2000, kinh tuyến trục 105°00′, múi chiếu 6°"
    with speaking("en"):
        assert crs.meridian_label(pyproj.CRS(9212)) == "VN-2000, central meridian 106°15′, zone of 3°"


def test_rasterio_agrees():
    from rasterio.warp import transform

    for name, lon, lat, epsg in PLACES:
        xs, ys = transform("EPSG:4326", crs.proj_text(f"EPSG:{epsg}"), [lon], [lat])
        assert np.allclose((xs[0], ys[0]), operation_6960(lon, lat, epsg), atol=1e-3), name


def test_text_of_another_datum_is_refused():
    with pytest.raises(InputError, match="VN-2000"):
        crs.proj_text("EPSG:32648")
