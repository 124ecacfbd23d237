"""Areas on a stated surface: the plane of the map, or the ellipsoid of the coordinate system."""

from __future__ import annotations

from enum import IntEnum

import numpy as np
import pyproj
import shapely
from numpy.typing import ArrayLike, NDArray

from .crs import require_metric
from .errors import InputError
from .language import say

#: Square metres in a hectare.
HECTARE = 10_000.0


class Surface(IntEnum):
    """Where an area is measured."""

    PLANE = 0
    ELLIPSOID = 1


def surface_label(surface: Surface) -> str:
    """Name the surface for tables and prints."""
    if surface is Surface.PLANE:
        return say("mặt phẳng bản đồ", "plane of the map")
    return say("mặt ellipsoid", "ellipsoid")


def check_surface(crs: pyproj.CRS, surface: Surface, name: str) -> None:
    """Refuse plane areas in degrees; ellipsoid areas work in any system."""
    if surface is Surface.PLANE:
        require_metric(crs, name)


def areas_m2(geometry: ArrayLike, crs: pyproj.CRS, surface: Surface = Surface.PLANE) -> NDArray[np.float64]:
    """Measure polygons.

    Parameters
    ----------
    geometry : array of shapely geometry, shape (n,)
        Polygonal, valid. Empty and None measure 0.
    crs : pyproj.CRS
        Of the coordinates.
    surface : Surface
        On the plane the unit must be the metre. On the ellipsoid edges are geodesics between the vertices
        (Karney 2013, as in PROJ), measured on the ellipsoid of the system's own datum.

    Returns
    -------
    array of float, shape (n,)
        Square metres.
    """
    shapes = np.asarray(geometry, dtype=object)
    if surface is Surface.PLANE:
        require_metric(crs, say("Lớp dữ liệu", "The layer"))
        return np.nan_to_num(shapely.area(shapes))
    return _geodesic_areas(shapes, crs)


def _geodesic_areas(shapes: NDArray[np.object_], crs: pyproj.CRS) -> NDArray[np.float64]:
    geodesic = crs.get_geod()
    if geodesic is None:
        raise InputError(say("Hệ tọa độ không có ellipsoid; không tính được diện tích trên ellipsoid.",
                             "The coordinate system has no ellipsoid; areas on it cannot be measured."))
    shapes = _in_degrees(shapes, crs)
    areas = np.zeros(len(shapes))
    parts, owner = shapely.get_parts(shapes, return_index=True)
    polygonal = shapely.get_type_id(parts) == 3
    parts, owner = parts[polygonal], owner[polygonal]
    # One call per ring is all PROJ offers; the sign follows the ring's direction, hence abs.
    rings, ring_owner = shapely.get_rings(parts, return_index=True)
    coordinates, vertex_owner = shapely.get_coordinates(rings, return_index=True)
    bounds = np.searchsorted(vertex_owner, np.arange(len(rings) + 1))
    ring_area = np.empty(len(rings))
    for ring, (start, end) in enumerate(zip(bounds[:-1], bounds[1:])):
        ring_area[ring] = abs(geodesic.polygon_area_perimeter(coordinates[start:end, 0], coordinates[start:end, 1])[0])
    first_of_part = np.r_[True, np.diff(ring_owner) != 0] if len(rings) else np.zeros(0, dtype=bool)
    signed = np.where(first_of_part, ring_area, -ring_area)
    np.add.at(areas, owner[ring_owner], signed)
    return areas


def _in_degrees(shapes: NDArray[np.object_], crs: pyproj.CRS) -> NDArray[np.object_]:
    base = crs.source_crs if crs.is_bound and crs.source_crs else crs
    if base.is_geographic:
        return shapes
    # To the longitude and latitude of the same datum: no shift, only the projection is undone.
    transformer = pyproj.Transformer.from_crs(base, base.geodetic_crs, always_xy=True)
    return shapely.transform(shapes, lambda xy: np.column_stack(transformer.transform(xy[:, 0], xy[:, 1])))
