"""Rules on coordinate systems (HTD) and on every shape by itself (HH)."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyproj
import shapely
from numpy.typing import NDArray

from ...common.crs import is_vn2000, meridian_label, same_crs
from ...common.errors import name_some
from ...common.language import say
from ...common.slivers import is_narrow
from .check_codes import identity
from .create import province_crs
from .examined import Examined, ExaminedClass
from .rules import Finding
from .schema import ZONES

_DIMENSION = {"P": 0, "L": 1, "A": 2}
#: Where coordinates of Vietnam lie in any zone of VN-2000, with room at sea: easting, northing in metres.
_EAST, _NORTH = (-800_000.0, 1_800_000.0), (600_000.0, 2_700_000.0)


def check_systems(examined: Examined) -> Iterator[Finding]:
    """Yield findings on the stated systems, and on coordinates that cannot be in them."""
    province = identity(examined).province
    known = examined.schema.provinces.get(province)
    wanted = province_crs(examined.schema, province) if known else None
    if wanted is None:
        examined.unassessed.append(say("Chưa biết tỉnh của đồ án nên chưa kiểm tra kinh tuyến trục.",
                                       "The plan's province is not known, so the meridian is not checked."))
    judged: dict[int, tuple[bool, bool]] = {}
    for found in examined.classes.values():
        crs = found.layer.crs
        if crs is not None and id(crs) not in judged:
            judged[id(crs)] = (is_vn2000(crs) and _plane(crs), wanted is None or same_crs(_plain(crs), _plain(wanted)))
        if crs is None:
            yield found.finding("HTD-01", say("Lớp {name} không khai báo hệ tọa độ.", "Class {name} states no system.")
                                .format(name=found.item.name))
            continue
        official, right = judged[id(crs)]
        if not official:
            yield found.finding("HTD-02", say("Lớp {name} ở hệ {crs}.", "Class {name} is in {crs}.")
                                .format(name=found.item.name, crs=meridian_label(crs)))
            continue
        if wanted is not None and known is not None and not right:
            yield found.finding("HTD-03", say("Lớp {name} ở {crs}; {province} dùng {right}.",
                                              "Class {name} is in {crs}; {province} uses {right}.")
                                .format(name=found.item.name, crs=meridian_label(crs), province=known[0],
                                        right=meridian_label(wanted)))
        yield from _places(found)


def _plane(crs: pyproj.CRS) -> bool:
    return not _plain(crs).is_geographic


def _plain(crs: pyproj.CRS) -> pyproj.CRS:
    return crs.source_crs if crs.is_bound and crs.source_crs else crs


def _places(found: ExaminedClass) -> Iterator[Finding]:
    box = shapely.bounds(found.shapes) if len(found.frame) else np.empty((0, 4))
    with np.errstate(invalid="ignore"):
        out = ((box[:, 0] < _EAST[0]) | (box[:, 2] > _EAST[1]) | (box[:, 1] < _NORTH[0]) | (box[:, 3] > _NORTH[1]))
    out &= np.isfinite(box).all(axis=1)
    if out.any():
        yield found.finding("HTD-04", say("{n} đối tượng của lớp {name} nằm ngoài lãnh thổ (fid: {ids}).",
                                          "{n} features of class {name} lie outside the country (ids: {ids}).")
                            .format(n=int(out.sum()), name=found.item.name, ids=name_some(found.frame.index[out])), out)


def check_shapes(examined: Examined) -> Iterator[Finding]:
    """Yield findings on kind, validity, heights and repetition of shapes."""
    for found in examined.classes.values():
        if found.layer.geometry not in ("", found.item.geometry):
            kinds = {"A": say("vùng", "areas"), "L": say("đường", "lines"), "P": say("điểm", "points")}
            yield found.finding("HH-01", say("Lớp {name} khai báo kiểu {kind}, phải là {right}.",
                                             "Class {name} is declared as {kind}, must be {right}.").format(
                name=found.item.name, kind=kinds[found.layer.geometry], right=kinds[found.item.geometry]))
        elif len(found.frame):
            yield from _kinds(found)
        if len(found.frame):
            yield from _one_by_one(found, examined.options.tolerance_m)


def _kinds(found: ExaminedClass) -> Iterator[Finding]:
    shapes = found.shapes
    other = ~shapely.is_missing(shapes) & (shapely.get_dimensions(shapes) != _DIMENSION[found.item.geometry])
    other |= shapely.get_type_id(shapes) == 7
    other &= ~shapely.is_empty(shapes)
    if other.any():
        yield found.finding("HH-01", say("{n} đối tượng của lớp {name} khác kiểu hình (fid: {ids}).",
                                         "{n} features of class {name} are of another kind (ids: {ids}).")
                            .format(n=int(other.sum()), name=found.item.name, ids=name_some(found.frame.index[other])),
                            other)


def _one_by_one(found: ExaminedClass, tolerance_m: float) -> Iterator[Finding]:
    shapes = found.shapes
    null = shapely.is_missing(shapes)
    empty = ~null & shapely.is_empty(shapes)
    there = ~null & ~empty
    coordinates, owner = shapely.get_coordinates(shapes, return_index=True)
    endless = np.zeros(len(shapes), dtype=bool)
    endless[np.unique(owner[~np.isfinite(coordinates).all(axis=1)])] = True
    sound = there & ~endless
    thin = sound.copy()
    thin[sound] = _degenerate(shapes[sound], tolerance_m)
    invalid = sound & ~thin
    invalid[invalid] = ~shapely.is_valid(shapes[invalid])
    raised = there & shapely.has_z(shapes) & (not found.item.heights)
    if hasattr(shapely, "has_m"):
        raised |= there & _has_m(shapes)
    twice = sound.copy()
    twice[sound] = _repeated(shapes[sound])
    several = there & (shapely.get_num_geometries(shapes) > 1) & (found.item.name == ZONES)
    told = {
        "HH-02": (null, say("không có hình", "have no geometry")),
        "HH-03": (empty, say("có hình rỗng", "have an empty geometry")),
        "HH-04": (invalid, say("có hình không hợp lệ", "have an invalid geometry")),
        "HH-05": (raised, say("có chiều Z hoặc M", "have Z or M")),
        "HH-06": (twice, say("trùng hình với đối tượng khác", "share their geometry with another")),
        "HH-07": (thin, say("có hình suy biến", "have a degenerate geometry")),
        "HH-08": (endless, say("có tọa độ vô hạn hoặc không phải số", "have infinite or missing coordinates")),
        "HH-09": (several, say("gồm nhiều phần rời", "have several parts")),
    }
    for rule, (which, what) in told.items():
        if which.any():
            reason = f" {shapely.is_valid_reason(shapes[which][0])}." if rule == "HH-04" else ""
            yield found.finding(rule, say("{n} đối tượng của lớp {name} {what} (fid: {ids}).{reason}",
                                          "{n} features of class {name} {what} (ids: {ids}).{reason}")
                                .format(n=int(which.sum()), name=found.item.name, what=what, reason=reason,
                                        ids=name_some(found.frame.index[which])), which)


def _has_m(shapes: NDArray[np.object_]) -> NDArray[np.bool_]:
    try:
        return np.asarray(shapely.has_m(shapes))
    except shapely.errors.UnsupportedGEOSVersionError:
        return np.zeros(len(shapes), dtype=bool)  # an older GEOS drops M on reading


def _degenerate(shapes: NDArray[np.object_], tolerance_m: float) -> NDArray[np.bool_]:
    """Areas nowhere wider than the tolerance, lines not longer than it."""
    dimension = shapely.get_dimensions(shapes)
    thin = (dimension == 1) & (shapely.length(shapes) <= tolerance_m)
    area = np.flatnonzero(dimension == 2)
    flat = shapely.area(shapes[area]) == 0
    # The two halves of a bow tie may cancel out: that is a crossing, not a line.
    thin[area[flat]] = shapely.area(shapely.make_valid(shapes[area[flat]])) == 0
    solid = area[~flat]
    solid = solid[shapely.is_valid(shapes[solid])]
    thin[solid] = is_narrow(shapes[solid], tolerance_m)
    return thin


def _repeated(shapes: NDArray[np.object_]) -> NDArray[np.bool_]:
    """Tell shapes that some other equals, direction and starting point aside; the first of them is not meant."""
    seen: set[bytes] = set()
    again = np.zeros(len(shapes), dtype=bool)
    # One part is the same with or without a multi type around it.
    single = np.where(shapely.get_num_geometries(shapes) == 1, shapely.get_geometry(shapes, 0), shapes)
    for position, wkb in enumerate(shapely.to_wkb(shapely.normalize(shapely.force_2d(single)))):
        again[position] = wkb in seen
        seen.add(wkb)
    return again
