"""Coordinate reference systems: the one door for reprojection, with the official VN-2000 shift pinned.

PROJ chooses a datum shift by area and takes a local oil-survey set inside 104.24-107.11 E, 9.35-11.04 N, 0.80 m away
from the official one. Here every VN-2000 system is bound to WGS 84 by EPSG operation 6960 (Decision 05/2007/QĐ-BTNMT,
article 1) before anything is transformed, so the choice cannot arise.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
import pyproj
from numpy.typing import ArrayLike, NDArray

from .errors import InputError, name_some
from .language import say

if TYPE_CHECKING:
    import geopandas

#: EPSG 6960 as PROJ's position vector: the rotations change sign against the decision's coordinate frame.
VN2000_TOWGS84 = (-191.90441429, -39.30318279, -111.45032835, 0.00928836, -0.01975479, 0.00427372, 0.252906278)
_VN2000_NAMES = ("vietnam 2000", "vietnam_2000", "vn-2000", "vn2000", "vn_2000")


def is_vn2000(crs: pyproj.CRS) -> bool:
    """Tell whether a system stands on the VN-2000 datum, by EPSG, by name, or by a +towgs84 near the official one."""
    base = crs.source_crs if crs.is_bound and crs.source_crs else crs
    geodetic = base.geodetic_crs
    if geodetic is None:
        return False
    names = (geodetic.name, geodetic.datum.name if geodetic.datum else "")
    if any(known in name.lower() for name in names for known in _VN2000_NAMES):
        return True
    if crs.is_bound:
        shift = crs.coordinate_operation.towgs84 if crs.coordinate_operation else []
        # Published strings often carry the wrong rotation signs; the translations tell which set was meant.
        return len(shift) >= 3 and bool(np.all(np.abs(np.subtract(shift[:3], VN2000_TOWGS84[:3])) < 1.0))
    return False


@lru_cache(maxsize=64)
def pinned(definition: str) -> pyproj.CRS:
    """Return a VN-2000 system bound to WGS 84 by EPSG 6960; any other system as it is."""
    crs = pyproj.CRS.from_user_input(definition)
    if not is_vn2000(crs):
        return crs
    base = crs.source_crs if crs.is_bound and crs.source_crs else crs
    return pyproj.crs.BoundCRS(
        source_crs=base,
        target_crs=pyproj.CRS.from_epsg(4326),
        transformation=pyproj.crs.coordinate_operation.ToWGS84Transformation(base.geodetic_crs, *VN2000_TOWGS84),
    )


@lru_cache(maxsize=64)
def _transformer(source: str, target: str) -> pyproj.Transformer:
    first, second = pyproj.CRS.from_user_input(source), pyproj.CRS.from_user_input(target)
    if is_vn2000(first) and is_vn2000(second):
        # Same datum on both sides: only the map projection changes, a shift there and back would add noise.
        first, second = (c.source_crs if c.is_bound else c for c in (first, second))
        return pyproj.Transformer.from_crs(first, second, always_xy=True)
    return pyproj.Transformer.from_crs(pinned(source), pinned(target), always_xy=True)


def transform_points(
    x: ArrayLike, y: ArrayLike, source: pyproj.CRS | str, target: pyproj.CRS | str
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Transform coordinates, x east (or longitude) first on both sides.

    Parameters
    ----------
    x, y : array of float, shape (n,)
    source, target : pyproj.CRS or what it reads

    Returns
    -------
    x, y : arrays of float, shape (n,)

    Examples
    --------
    >>> x, y = transform_points([105.8], [10.5], "EPSG:4326", "EPSG:9210")
    >>> round(float(x[0]), 4), round(float(y[0]), 4)
    (505277.2295, 1161155.9411)
    """
    transformer = _transformer(_definition(source), _definition(target))
    x, y = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
    if x.size == 1:  # pyproj takes an array of one for a number, which newer numpy deprecates
        moved = transformer.transform(x.item(), y.item())
        return np.full(x.shape, moved[0]), np.full(y.shape, moved[1])
    moved_x, moved_y = transformer.transform(x, y)
    return np.asarray(moved_x), np.asarray(moved_y)


def _definition(crs: pyproj.CRS | str) -> str:
    # A string, because pyproj.CRS objects hash slowly and the transformers are kept by it.
    known = pyproj.CRS.from_user_input(crs)
    authority = known.to_authority(min_confidence=100)
    return ":".join(authority) if authority else known.to_wkt()


def same_crs(first: pyproj.CRS, second: pyproj.CRS) -> bool:
    """Tell whether coordinates mean the same in both, axis order aside."""
    return first.equals(second, ignore_axis_order=True)


def to_crs(frame: geopandas.GeoDataFrame, crs: pyproj.CRS | str) -> geopandas.GeoDataFrame:
    """Reproject a frame; the only way this product does it. Returns the frame itself when nothing changes.

    Raises
    ------
    InputError
        The frame has no system, or some coordinates lie outside what the target can show (ids are named).
    """
    # Here, because the plugin reads this module at every start of QGIS.
    import geopandas
    import shapely

    target = pyproj.CRS.from_user_input(crs)
    source = require_crs(frame, say("Lớp dữ liệu", "The layer"))
    if same_crs(source, target):
        return frame

    def moved(coordinates: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.column_stack(transform_points(coordinates[:, 0], coordinates[:, 1], source, target))

    geometry = np.array(frame.geometry.array, dtype=object)
    for with_z in (False, True):  # heights pass through unchanged: the shift is horizontal here
        some = shapely.has_z(geometry) == with_z
        geometry[some] = shapely.transform(geometry[some], moved if not with_z else _keeping_z(moved), include_z=with_z)
    coordinates, owner = shapely.get_coordinates(geometry, return_index=True)
    lost = np.unique(owner[~np.isfinite(coordinates).all(axis=1)])
    if lost.size:
        raise InputError(
            say("Không chuyển được tọa độ của {n} đối tượng (fid: {ids}) sang {crs}: tọa độ nằm ngoài vùng áp dụng. "
                "Kiểm tra hệ tọa độ đã khai báo của lớp.",
                "{n} features (ids: {ids}) cannot be moved to {crs}: their coordinates lie outside its area. "
                "Check the layer's declared coordinate system.")
            .format(n=lost.size, ids=name_some(frame.index[lost]), crs=meridian_label(target)))
    return frame.set_geometry(geopandas.GeoSeries(geometry, index=frame.index, crs=target), crs=target)


def _keeping_z(moved: Callable[[NDArray[np.float64]],
                               NDArray[np.float64]]) -> Callable[[NDArray[np.float64]], NDArray[np.float64]]:
    return lambda coordinates: np.column_stack([moved(coordinates[:, :2]), coordinates[:, 2]])


def require_crs(frame: geopandas.GeoDataFrame, name: str) -> pyproj.CRS:
    """Return the frame's system; refuse a layer that states none, because a guess would move it."""
    return require_stated(frame.crs, name)


def require_stated(crs: pyproj.CRS | None, name: str) -> pyproj.CRS:
    """Return the system of a layer not read yet; refuse None."""
    if crs is None:
        raise InputError(
            say("{name} không khai báo hệ tọa độ; hãy gán hệ tọa độ cho lớp (Thuộc tính lớp, Nguồn) rồi chạy lại.",
                "{name} states no coordinate system; set it in the layer's properties (Source), then run again.")
            .format(name=name))
    return crs


def require_metric(crs: pyproj.CRS, name: str) -> None:
    """Refuse systems in degrees, where plane areas and distances mean nothing, and systems in other units than metres."""
    if crs.is_geographic:
        raise InputError(
            say("{name} ở hệ tọa độ độ ({crs}); hãy chuyển sang hệ tọa độ phẳng, ví dụ VN-2000 kinh tuyến trục của tỉnh, rồi chạy lại.",
                "{name} is in degrees ({crs}); reproject it to a plane system, such as VN-2000 with the province's meridian, then run again.")
            .format(name=name, crs=meridian_label(crs)))
    factor = crs.axis_info[0].unit_conversion_factor if crs.axis_info else 1.0
    if abs(factor - 1.0) > 1e-9:
        raise InputError(
            say("{name} không dùng đơn vị mét ({crs}); hãy chuyển sang hệ tọa độ đơn vị mét rồi chạy lại.",
                "{name} is not in metres ({crs}); reproject it to a system in metres, then run again.")
            .format(name=name, crs=meridian_label(crs)))


def meridian_label(crs: pyproj.CRS) -> str:
    """Name a system as people know it: VN-2000 with central meridian and zone width, else its own name.

    Examples
    --------
    >>> meridian_label(pyproj.CRS.from_epsg(9214))
    'VN-2000, kinh tuyến trục 107°00′, múi chiếu 3°'
    """
    if not is_vn2000(crs):
        return crs.name
    base = crs.source_crs if crs.is_bound and crs.source_crs else crs
    if base.is_geographic or base.coordinate_operation is None:
        return say("VN-2000, kinh độ và vĩ độ", "VN-2000, longitude and latitude")
    values = {parameter.name: parameter.value for parameter in base.coordinate_operation.params}
    meridian = values.get("Longitude of natural origin")
    scale = values.get("Scale factor at natural origin")
    if meridian is None or scale is None:
        return base.name
    degrees, minutes = divmod(round(meridian * 60), 60)
    width = 6 if abs(scale - 0.9996) < 1e-6 else 3
    return say(
        "VN-2000, kinh tuyến trục {d}°{m:02d}′, múi chiếu {w}°", "VN-2000, central meridian {d}°{m:02d}′, zone of {w}°"
    ).format(d=degrees, m=minutes, w=width)


def proj_text(crs: pyproj.CRS | str) -> str:
    """Return a VN-2000 system as PROJ text with the official shift, for programs that transform by themselves.

    PostGIS (``ST_Transform(geom, text)``), GDAL and rasterio choose their own operation for an EPSG code.

    Raises
    ------
    InputError
        The system does not stand on VN-2000.
    """
    known = pyproj.CRS.from_user_input(crs)
    if not is_vn2000(known):
        raise InputError(
            say("{crs} không phải là hệ VN-2000.", "{crs} is not a VN-2000 system.").format(crs=known.name)
        )
    base = known.source_crs if known.is_bound else known
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # it warns of what PROJ text cannot say: here, the datum we add
        text = base.to_proj4()
    shift = ",".join(repr(value) for value in VN2000_TOWGS84)
    return text.replace(" +type=crs", "") + f" +towgs84={shift} +type=crs"


def pipeline_to_wgs84(crs: pyproj.CRS | str) -> str:
    """Return the pinned PROJ pipeline from a VN-2000 system to longitude and latitude, for QGIS's list of operations."""
    definition = _transformer(_definition(crs), "EPSG:4326").definition
    return " ".join(f"+{word}" for word in definition.split())
