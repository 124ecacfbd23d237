"""Which pieces of a parcel are only there because two maps do not match to the millimetre on paper."""

from __future__ import annotations

import numpy as np
import pyproj
import shapely
from numpy.typing import NDArray

from .crs import transform_points
from .language import say
from .norms.loader import NormTable, load_table
from .numbers_vi import format_number
from .parallel import run_blocks
from .progress import Progress, silent

#: Edges of a quarter circle where an eroded outline turns round a reflex corner.
_QUARTER_SEGMENTS = 4
_BLOCK = 500


def tolerance_on_paper() -> tuple[float, NormTable]:
    """Return the tolerance in mm on paper, and the table that states it with its source."""
    table = load_table("map_matching_tolerance", on=None)
    row = next(row for row in table.rows if row["purpose"] == "parcel_zoning")
    return float(row["tolerance_mm"]), table


def tolerance_on_ground(scale: float, tolerance_mm: float) -> float:
    """Return the tolerance in metres of a map 1/``scale``.

    Examples
    --------
    >>> tolerance_on_ground(2000, 0.4)
    0.8
    """
    return tolerance_mm * scale / 1000.0


def tolerance_sentence(metres: float) -> str:
    """Tell of a piece that it may only be there because two maps do not match.

    Examples
    --------
    >>> tolerance_sentence(0.8)
    'Trong hạn sai ghép bản đồ 0,80 m, xác định tại thực địa'
    """
    return say("Trong hạn sai ghép bản đồ {t} m, xác định tại thực địa",
               "Within the map-matching tolerance of {t} m, to be determined on site").format(t=format_number(metres, 2))


def tolerance_source(tolerance_mm: float | None = None) -> str:
    """Tell where the tolerance comes from: a person, or the table of norms (None) with its confidence."""
    if tolerance_mm is not None:
        return say("{mm} mm trên giấy nhân mẫu số tỷ lệ, do người dùng nhập",
                   "{mm} mm on paper times the scale, as entered").format(mm=format_number(tolerance_mm, 2))
    tolerance, table = tolerance_on_paper()
    row = next(row for row in table.rows if row["purpose"] == "parcel_zoning")
    return say("{mm} mm trên giấy nhân mẫu số tỷ lệ; {citation}; cần xác nhận",
               "{mm} mm on paper times the scale; {citation}; to be confirmed").format(
        mm=format_number(tolerance, 1), citation=table.citation(row))


def is_narrow(shapes: NDArray[np.object_], width: float, progress: Progress = silent) -> NDArray[np.bool_]:
    """Tell which polygons are nowhere wider than a width: no circle of that diameter fits inside.

    Parameters
    ----------
    shapes : array of shapely Polygon or MultiPolygon, shape (n,)
        Valid, in metres.
    width : float
        Metres.

    Returns
    -------
    array of bool, shape (n,)

    Notes
    -----
    A polygon without circle of diameter ``width`` vanishes when shrunk by half of it. Shrinking is slow, so it is asked
    only where areas do not tell: a simple polygon of area A and outline P has an inscribed circle of at least radius
    A / P (Bonnesen); nothing is wider than its bounding box, and a circle that fits inside has less area.

    Examples
    --------
    >>> is_narrow(shapely.box(0, 0, 100, [0.7, 0.9]), 0.8).tolist()
    [True, False]
    """
    narrow = np.zeros(len(shapes), dtype=bool)
    if width <= 0 or not len(shapes):
        return narrow
    box = shapely.bounds(shapes)
    narrow[np.minimum(box[:, 2] - box[:, 0], box[:, 3] - box[:, 1]) <= width] = True
    narrow[shapely.area(shapes) <= np.pi / 4 * width**2] = True
    single = (shapely.get_type_id(shapes) == 3) & (shapely.get_num_interior_rings(shapes) == 0)
    wide = single & (shapely.area(shapes) / shapely.length(shapes) > width / 2)
    unsure = np.flatnonzero(~narrow & ~wide)

    def shrink(start: int, stop: int) -> None:
        which = unsure[start:stop]
        narrow[which] = shapely.is_empty(shapely.buffer(shapes[which], -width / 2, quad_segs=_QUARTER_SEGMENTS))

    run_blocks(shrink, np.arange(len(unsure)), _BLOCK, progress)
    return narrow


def is_shallow(
    pieces: NDArray[np.object_], borders: NDArray[np.object_], border_of: NDArray[np.intp], depth: float
) -> NDArray[np.bool_]:
    """Tell which pieces lie within a depth of the border that cut them, so that moving the border could remove them.

    Parameters
    ----------
    pieces : array of shapely polygons, shape (n,)
        In metres.
    borders : array of shapely geometry, shape (m,)
        What the depth is measured from: outlines of zones, or the land on the other side.
    border_of : array of int, shape (n,)
        Position of each piece's border.
    depth : float
        Metres. Looked at on the piece's outline, at its corners and every ``depth`` metres.

    Examples
    --------
    >>> border = np.array([shapely.boundary(shapely.box(0, 0, 100, 100))])
    >>> pieces = np.array([shapely.box(0, 0, 0.5, 30), shapely.box(0, 50, 20, 50.5)])
    >>> is_shallow(pieces, border, np.array([0, 0]), 0.8).tolist()
    [True, False]
    """
    if not len(pieces):
        return np.zeros(0, dtype=bool)
    # Own copies: an index left behind would make the caller's shapes heavy.
    borders = shapely.from_wkb(shapely.to_wkb(borders))
    shapely.prepare(borders)
    coordinates, owner = shapely.get_coordinates(shapely.segmentize(pieces, depth), return_index=True)
    # A corner exactly at the depth may be measured a rounding error deeper.
    # GEOS leaves the processor's "invalid operation" flag set now and then, and numpy would warn of it.
    with np.errstate(invalid="ignore"):
        near = shapely.dwithin(borders[border_of[owner]], shapely.points(coordinates), depth * (1 + 1e-6))
    return np.bincount(owner, ~near, minlength=len(pieces)) == 0


def in_metres(shapes: NDArray[np.object_], crs: pyproj.CRS) -> NDArray[np.object_]:
    """Return shapes in a metric system around their middle; themselves where ``crs`` is one.

    Widths of a few metres are true to 1 in 10,000 within 100 km of the middle.
    """
    if not crs.is_geographic and crs.axis_info and abs(crs.axis_info[0].unit_conversion_factor - 1.0) < 1e-9:
        return shapes
    if not len(shapes):
        return shapes
    west, south, east, north = shapely.total_bounds(shapes)
    geographic = crs.geodetic_crs
    middle = transform_points([(west + east) / 2], [(south + north) / 2], crs, geographic)
    local = pyproj.crs.ProjectedCRS(
        pyproj.crs.coordinate_operation.TransverseMercatorConversion(
            latitude_natural_origin=float(middle[1][0]), longitude_natural_origin=float(middle[0][0])),
        geodetic_crs=geographic)
    return shapely.transform(shapes, lambda xy: np.column_stack(transform_points(xy[:, 0], xy[:, 1], crs, local)))
