"""QGIS draws where the engines compute: the pinned shift in a project's context."""

import pytest
from qgis.core import (
    QgsCoordinateReferenceSystem,
    QgsCoordinateTransform,
    QgsCoordinateTransformContext,
    QgsPointXY,
    QgsProject,
)
from quyhoach.processing_algorithms.common.crs import transform_points
from quyhoach.processing_algorithms.common.qgis_crs import VN2000_SYSTEMS, pin_official_shift, pin_project

PLACES = [("Tân An", 105.8, 10.5, 9210), ("Vũng Tàu", 107.08, 10.35, 5899), ("Huế", 107.59, 16.46, 9214),
          ("Tân An, UTM", 105.8, 10.5, 3405)]


@pytest.mark.parametrize("name, lon, lat, epsg", PLACES)
def test_qgis_agrees_to_a_millimetre(name, lon, lat, epsg):
    context = pin_official_shift(QgsCoordinateTransformContext())
    system, world = QgsCoordinateReferenceSystem(f"EPSG:{epsg}"), QgsCoordinateReferenceSystem("EPSG:4326")
    x, y = transform_points([lon], [lat], "EPSG:4326", f"EPSG:{epsg}")
    drawn = QgsCoordinateTransform(world, system, context).transform(QgsPointXY(lon, lat))
    assert (drawn.x(), drawn.y()) == pytest.approx((x[0], y[0]), abs=1e-3)
    back = QgsCoordinateTransform(system, world, context).transform(QgsPointXY(x[0], y[0]))
    assert (back.x(), back.y()) == pytest.approx((lon, lat), abs=9e-9)
    web = QgsCoordinateTransform(system, QgsCoordinateReferenceSystem("EPSG:3857"),
                                 context).transform(QgsPointXY(x[0], y[0]))
    expected = transform_points([lon], [lat], "EPSG:4326", "EPSG:3857")
    assert (web.x(), web.y()) == pytest.approx((expected[0][0], expected[1][0]), abs=1.1e-3)


def test_every_system_is_pinned_and_a_users_choice_kept():
    context = QgsCoordinateTransformContext()
    system, world = QgsCoordinateReferenceSystem("EPSG:9210"), QgsCoordinateReferenceSystem("EPSG:4326")
    own = "+proj=noop"
    context.addCoordinateOperation(system, world, own)
    pinned = pin_official_shift(context)
    assert pinned.calculateCoordinateOperation(system, world) == own
    assert all(pinned.hasTransform(QgsCoordinateReferenceSystem(code), world) for code in VN2000_SYSTEMS)


def test_project():
    project = QgsProject()
    pin_project(project)
    assert project.transformContext().hasTransform(QgsCoordinateReferenceSystem("EPSG:9214"),
                                                   QgsCoordinateReferenceSystem("EPSG:4326"))
