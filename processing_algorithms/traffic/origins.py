"""Origins of trips as points: where a school, a building or a park with several gates stands for routing."""

from __future__ import annotations

import geopandas
import numpy as np
import shapely
from numpy.typing import NDArray

from ..common.errors import InputError
from ..common.geometry import GeometryReport
from ..common.language import say


def origin_points(
    origins: geopandas.GeoDataFrame, name: str = ""
) -> tuple[NDArray[np.object_], NDArray[np.intp], GeometryReport]:
    """Return the points trips start from, and the row each belongs to.

    Parameters
    ----------
    origins : GeoDataFrame
        Points stand for themselves; multi-points are entrances, all of which belong to the row; polygons stand as their
        centroid, or as a point inside where the centroid lies outside. Other kinds, null and empty shapes are counted.
    name : str
        Of the layer, for messages.

    Returns
    -------
    points : array of Points, shape (k,)
        Without Z.
    owner : array of int, shape (k,)
        Sorted.
    report : GeometryReport

    Raises
    ------
    InputError
        Nothing can be used.
    """
    shapes = shapely.force_2d(np.asarray(origins.geometry.array, dtype=object))
    kind = shapely.get_dimensions(shapes)
    empty = shapely.is_empty(shapes)
    null = np.array([shape is None for shape in shapes], dtype=bool)
    finite = np.isfinite(shapely.bounds(shapes)).all(axis=1)
    other = ~null & ~empty & ((kind == 1) | (shapely.get_type_id(shapes) == 7) | ~finite)
    used = ~(null | empty | other)
    if not used.any():
        raise InputError(
            say("{name}: không có điểm, vùng nào dùng được làm điểm xuất phát ({null} không có hình, {empty} hình "
                "rỗng, {other} khác kiểu hình).",
                "{name}: no point or polygon can serve as an origin ({null} null, {empty} empty, {other} of another "
                "kind).")
            .format(name=name, null=int(null.sum()), empty=int(empty.sum()), other=int(other.sum())))
    areal = used & (kind == 2)
    if areal.any():
        centre = shapely.centroid(shapes[areal])
        outside = ~shapely.intersects(shapes[areal], centre) | shapely.is_empty(centre)
        centre[outside] = shapely.point_on_surface(shapes[areal][outside])
        shapes[areal] = centre
    rows = np.flatnonzero(used)
    points, owner = shapely.get_parts(shapes[rows], return_index=True)
    filled = ~shapely.is_empty(points)
    report = GeometryReport(name=name, total=len(origins), used=len(rows), null=int(null.sum()), empty=int(empty.sum()),
                            other_kind=int(other.sum()), unusable_ids=list(origins.index[~used]))
    return points[filled], rows[owner[filled]], report
