"""Shapes as they come, made into shapes a dataset takes, or refused with a reason, one by one."""

from __future__ import annotations

from dataclasses import dataclass, field

import geopandas
import numpy as np
import pyproj
import shapely
from numpy.typing import NDArray

from ...common.crs import is_vn2000, same_crs, to_crs, transform_points
from ...common.geometry import InvalidGeometry
from ...common.language import say

_FITTING = {"MultiPolygon": (3, 6), "MultiLineString": (1, 2, 5), "Point": (0, 4)}
_PROMOTED = {"MultiPolygon": (3, shapely.multipolygons), "MultiLineString": (1, shapely.multilinestrings)}
#: Land and sea of Viet Nam with room to spare: west, south, east, north in degrees.
_VIETNAM = (101.0, 5.0, 119.0, 24.5)


@dataclass
class Shapes:
    """Geometry in the hub's system, why some positions were refused, and what was changed (note -> count)."""

    geometry: NDArray[np.object_]
    refused: dict[int, str] = field(default_factory=dict)
    changes: dict[str, int] = field(default_factory=dict)


def fit_shapes(frame: geopandas.GeoDataFrame, geometry: str, crs: pyproj.CRS, invalid: InvalidGeometry) -> Shapes:
    """Bring the shapes of a layer into a dataset's type and system.

    Parameters
    ----------
    frame : GeoDataFrame
        States its system.
    geometry : str
        Type of the dataset: MultiPolygon, MultiLineString or Point.
    crs : pyproj.CRS
        Of the hub.
    invalid : InvalidGeometry
        REPAIR makes invalid polygons valid and counts them; REFUSE refuses those rows, not the layer.

    Returns
    -------
    Shapes
        Refused positions hold None. Heights are dropped and counted. Points outside Viet Nam are refused where the hub
        is in VN-2000: swapped or wrongly declared coordinates show so.
    """
    shapes = np.array(frame.geometry.array, dtype=object)
    outcome = Shapes(shapes)
    null = np.array([shape is None for shape in shapes], dtype=bool)
    _refuse(outcome, null, say("không có hình", "has no shape"))
    _refuse(outcome, _left(outcome) & shapely.is_empty(shapes), say("hình rỗng", "has an empty shape"))
    coordinates, owner = shapely.get_coordinates(shapes, return_index=True)
    infinite = np.zeros(len(shapes), dtype=bool)
    infinite[owner[~np.isfinite(coordinates).all(axis=1)]] = True
    _refuse(outcome, _left(outcome) & infinite,
            say("tọa độ vô hạn hoặc không phải số", "has infinite or missing coordinates"))
    types = shapely.get_type_id(shapes)
    wrong = _left(outcome) & ~np.isin(types, _FITTING[geometry])
    for position in np.flatnonzero(wrong):
        outcome.refused[int(position)] = say("hình kiểu {kind}, cần {wanted}", "is a {kind}, not a {wanted}").format(
            kind=shapes[position].geom_type, wanted=geometry)
    _drop_heights(outcome)
    if geometry == "MultiPolygon":
        _settle_invalid(outcome, invalid)
    if geometry == "Point":
        _single_points(outcome)
    _reproject(outcome, frame, crs)
    if is_vn2000(crs):
        _refuse_abroad(outcome, crs)
    if geometry in _PROMOTED:
        single_type, make = _PROMOTED[geometry]
        single = np.flatnonzero(shapely.get_type_id(outcome.geometry) == single_type)
        if single.size:
            outcome.geometry[single] = make(outcome.geometry[single], indices=np.arange(single.size))
    for position in outcome.refused:
        outcome.geometry[position] = None
    return outcome


def _left(outcome: Shapes) -> NDArray[np.bool_]:
    left = np.ones(len(outcome.geometry), dtype=bool)
    left[list(outcome.refused)] = False
    return left


def _refuse(outcome: Shapes, rows: NDArray[np.bool_], reason: str) -> None:
    for position in np.flatnonzero(rows):
        outcome.refused[int(position)] = reason


def _drop_heights(outcome: Shapes) -> None:
    high = _left(outcome) & shapely.has_z(outcome.geometry)
    if high.any():
        outcome.geometry[high] = shapely.force_2d(outcome.geometry[high])
        outcome.changes[say("đã bỏ cao độ (Z) của hình, chỉ giữ mặt bằng",
                            "heights (Z) of shapes dropped, only the plan is kept")] = int(high.sum())


def _settle_invalid(outcome: Shapes, invalid: InvalidGeometry) -> None:
    left = np.flatnonzero(_left(outcome))
    wrong = left[~shapely.is_valid(outcome.geometry[left])]
    if not wrong.size:
        return
    if invalid is InvalidGeometry.REFUSE:
        for position, why in zip(wrong, shapely.is_valid_reason(outcome.geometry[wrong])):
            outcome.refused[int(position)] = say("hình không hợp lệ ({why})",
                                                 "has an invalid shape ({why})").format(why=why)
        return
    # As common/geometry.py repairs: rings keep the area they enclose.
    outcome.geometry[wrong] = shapely.make_valid(outcome.geometry[wrong], method="structure", keep_collapsed=False)
    usable = np.isin(shapely.get_type_id(outcome.geometry[wrong]), (3, 6)) & ~shapely.is_empty(outcome.geometry[wrong])
    for position in wrong[~usable]:
        outcome.refused[int(position)] = say("hình không có diện tích", "has a shape without area")
    repaired = int(usable.sum())
    if not repaired:
        return
    outcome.changes[say("đã sửa hình không hợp lệ", "invalid shapes repaired")] = repaired


def _single_points(outcome: Shapes) -> None:
    several = _left(outcome) & (shapely.get_type_id(outcome.geometry) == 4)
    one = several & (shapely.get_num_geometries(outcome.geometry) == 1)
    outcome.geometry[one] = shapely.get_geometry(outcome.geometry[one], 0)
    _refuse(outcome, several & ~one, say("có nhiều điểm trong một đối tượng", "has several points in one feature"))


def _reproject(outcome: Shapes, frame: geopandas.GeoDataFrame, crs: pyproj.CRS) -> None:
    if same_crs(frame.crs, crs):
        return
    left = np.flatnonzero(_left(outcome))
    if not left.size:
        return
    # Found first and refused one by one, because the one door for reprojection refuses a whole layer.
    coordinates, owner = shapely.get_coordinates(outcome.geometry[left], return_index=True)
    x, y = transform_points(coordinates[:, 0], coordinates[:, 1], frame.crs, crs)
    lost = np.unique(owner[~(np.isfinite(x) & np.isfinite(y))])
    for position in left[lost]:
        outcome.refused[int(position)] = say("tọa độ nằm ngoài vùng áp dụng của hệ tọa độ",
                                             "has coordinates outside the area of its system")
    left = np.delete(left, lost)
    rows = geopandas.GeoDataFrame(geometry=geopandas.GeoSeries(outcome.geometry[left], index=left, crs=frame.crs))
    outcome.geometry[left] = np.asarray(to_crs(rows, crs).geometry.array, dtype=object)


def _refuse_abroad(outcome: Shapes, crs: pyproj.CRS) -> None:
    west, south, east, north = _VIETNAM
    steps = np.linspace(0.0, 1.0, 21)
    x, y = transform_points(
        np.concatenate([west + (east - west) * steps, west + (east - west) * steps, np.full(21, west),
                        np.full(21, east)]),
        np.concatenate([np.full(21, south), np.full(21, north), south + (north - south) * steps,
                        south + (north - south) * steps]),
        "EPSG:4326", crs)
    bounds = shapely.bounds(outcome.geometry)
    with np.errstate(invalid="ignore"):
        abroad = (bounds[:, 0] < x.min()) | (bounds[:, 1] < y.min()) | (bounds[:, 2] > x.max()) | (bounds[:,
                                                                                                          3] > y.max())
    _refuse(outcome, _left(outcome) & abroad, say(
        "nằm ngoài lãnh thổ Việt Nam; kiểm tra hệ tọa độ đã khai báo và thứ tự X, Y",
        "lies outside Viet Nam; check the declared coordinate system and the order of X and Y"))
