"""The official VN-2000 shift in a QGIS project, so that what is drawn agrees with what is computed."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

from qgis.core import QgsCoordinateReferenceSystem, QgsCoordinateTransformContext, QgsProject

from .crs import is_vn2000, pipeline_to_wgs84
from .qgis_layers import to_pyproj

#: Systems that background maps and GPS points come in.
_WORLD = ("EPSG:4326", "EPSG:3857")
#: Every VN-2000 system of the EPSG register (18 three-degree zones, two six-degree ones, longitude and latitude).
VN2000_SYSTEMS = ("EPSG:4756", "EPSG:3405", "EPSG:3406", *(f"EPSG:{code}" for code in range(5896, 5900)),
                  *(f"EPSG:{code}" for code in range(9205, 9219)))


def pin_official_shift(
    context: QgsCoordinateTransformContext, systems: Iterable[str] = VN2000_SYSTEMS
) -> QgsCoordinateTransformContext:
    """Return the context with EPSG operation 6960 for VN-2000 systems against longitude-latitude and web maps.

    Left alone, QGIS follows PROJ's choice by area and draws Tân An and Vũng Tàu 0.80 m off. Operations a user has
    chosen for a pair already are kept.
    """
    pinned = QgsCoordinateTransformContext(context)
    for code in systems:
        system = QgsCoordinateReferenceSystem(code)
        known = to_pyproj(system)
        if known is None or not is_vn2000(known):
            continue
        for world in _WORLD:
            target = QgsCoordinateReferenceSystem(world)
            if not pinned.hasTransform(system, target):
                pinned.addCoordinateOperation(system, target, _pipeline(code, world))
    return pinned


@cache
def _pipeline(code: str, world: str) -> str:
    to_degrees = pipeline_to_wgs84(code)
    if world == "EPSG:4326":
        return to_degrees
    in_radians = to_degrees.removesuffix(" +step +proj=unitconvert +xy_in=rad +xy_out=deg")
    return f"{in_radians} +step +proj=webmerc +lat_0=0 +lon_0=0 +x_0=0 +y_0=0 +ellps=WGS84"


def pin_project(project: QgsProject, systems: Iterable[str] = VN2000_SYSTEMS) -> None:
    """Give a project the official shift, for all VN-2000 systems or those it will ever meet."""
    project.setTransformContext(pin_official_shift(project.transformContext(), systems))
