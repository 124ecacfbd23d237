"""Rules on zones among themselves and against the plan boundary (PV), and on markers (MG).

Tens of thousands of zones are ordinary, so nothing looks at pairs: what proves to be a coverage has no overlaps, and
gaps are what the union leaves of the boundary.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas
import shapely
from numpy.typing import NDArray

from ...common.coverage import union_by_groups, union_if_coverage
from ...common.errors import name_some
from ...common.language import say
from ...common.numbers_vi import format_number
from ...common.overlay import intersect_within
from ...common.progress import Progress, part, silent
from ...common.slivers import is_narrow
from .check_shapes import _repeated
from .examined import Examined, ExaminedClass
from .rules import RULES, Finding
from .schema import BOUNDARY, FUNCTIONS, MARKER_LINES, MARKER_POINTS, SUB_AREAS, ZONES

#: Between zones lie streets in many plans; a gap nowhere wider than this is none, metres.
_NO_STREET_M = 2.0


def check_coverage(examined: Examined, progress: Progress = silent) -> Iterator[Finding]:
    """Yield findings on overlaps, gaps, what lies outside, areas and markers."""
    boundary = None
    layer = examined.get("QuyHoach", BOUNDARY)
    if layer is not None:
        usable = layer.usable()
        if len(layer.frame) > 1 and usable.sum() != 1:
            yield layer.finding("PV-07", say("Lớp {name} có {n} đối tượng, phải có đúng một.",
                                             "Class {name} has {n} features, must have one.")
                                .format(name=BOUNDARY, n=len(layer.frame)), np.ones(len(layer.frame), dtype=bool))
        if usable.any():
            boundary = shapely.union_all(shapely.force_2d(layer.shapes[usable]))
        yield from _same_boundary(examined, boundary)
    if boundary is None:
        examined.unassessed.append(say("Không có ranh giới quy hoạch dùng được nên chưa kiểm tra ô vượt ranh, phần thiếu ô, mốc giới.",
                                       "There is no usable plan boundary, so zones and markers are not checked against it."))
    classes = [found for name in (FUNCTIONS, ZONES, SUB_AREAS) if (found := examined.get("QuyHoach", name)) is not None]
    for at, found in enumerate(classes):
        step = part(progress, at / len(classes), (at + 1) / len(classes))
        findings = list(_zones(found, boundary if _same_system(found, layer) else None, examined.options.tolerance_m,
                               step))
        yield from findings
        stated = list(_stated_areas(found, examined))
        yield from stated
        if found.item.name == FUNCTIONS and boundary is not None and layer is not None and not findings and not stated:
            yield from _sum_of_areas(found, layer, boundary, examined.options.area_tolerance_pct)
        yield from _zone_codes(found)
    if boundary is not None:
        yield from _markers(examined, boundary)


def _same_system(found: ExaminedClass, boundary: ExaminedClass | None) -> bool:
    # Another system is told by its own rule; comparing coordinates would only tell it again, zone by zone.
    return boundary is not None and found.layer.crs == boundary.layer.crs


def _same_boundary(examined: Examined, boundary: shapely.Geometry | None) -> Iterator[Finding]:
    other, here = examined.get("HienTrang", BOUNDARY), examined.get("QuyHoach", BOUNDARY)
    if other is None or boundary is None or not other.usable().any() or not _same_system(other, here):
        return
    there = shapely.union_all(shapely.force_2d(other.shapes[other.usable()]))
    difference = _wide(shapely.symmetric_difference(boundary, there), examined.options.tolerance_m)
    if len(difference):
        yield Finding(RULES["PV-08"], say("Ranh giới quy hoạch ở HienTrang và QuyHoach khác nhau {area} m².",
                                          "The plan boundaries in HienTrang and QuyHoach differ by {area} m².")
                      .format(area=format_number(float(shapely.area(difference).sum()), 2)), "HienTrang", BOUNDARY,
                      (), list(difference))


def _zones(
    found: ExaminedClass, boundary: shapely.Geometry | None, tolerance_m: float, progress: Progress
) -> Iterator[Finding]:
    usable = np.flatnonzero(found.usable())
    shapes = shapely.force_2d(found.shapes[usable])
    # Repeated, thin and invalid shapes have rules of their own; what they cover is neither gap nor overlap.
    once = ~_repeated(shapes)
    once &= ~is_narrow(shapes, tolerance_m)
    shapes, ids = shapes[once], found.frame.index[usable[once]]
    if not len(shapes):
        return
    blurred = _blurred(found)
    union = union_if_coverage(shapes)
    progress(0.1)
    if union is None:
        yield from _overlaps(found, shapes, ids, blurred, tolerance_m, part(progress, 0.1, 0.6))
        union = union_by_groups(shapes, part(progress, 0.6, 0.8))
    progress(0.8)
    if boundary is not None:
        yield from _beyond(found, shapes, ids, union, boundary, tolerance_m)
    yield from _gaps(found, union, boundary, blurred, tolerance_m)
    progress(1.0)


def _blurred(found: ExaminedClass) -> shapely.Geometry:
    """The ground of invalid areas: where they are, nothing is said of gaps and overlaps before they are repaired."""
    shapes = found.shapes
    wrong = ~shapely.is_missing(shapes) & ~found.usable()
    return shapely.union_all(shapely.convex_hull(shapely.force_2d(shapes[wrong])))


def _clear_of(shapes: NDArray[np.object_], blurred: shapely.Geometry) -> NDArray[np.bool_]:
    if shapely.is_empty(blurred):
        return np.ones(len(shapes), dtype=bool)
    return ~np.asarray(shapely.intersects(shapes, blurred))


def _overlaps(
    found: ExaminedClass, shapes: NDArray[np.object_], ids: pandas.Index, blurred: shapely.Geometry, tolerance_m: float,
    progress: Progress,
) -> Iterator[Finding]:
    pieces = intersect_within(shapes, progress)
    wide = ~is_narrow(pieces.geometry, tolerance_m) & _clear_of(pieces.geometry, blurred)
    for left, right, piece in zip(pieces.left[wide], pieces.right[wide], pieces.geometry[wide]):
        yield Finding(RULES["PV-01"], say("Lớp {name}: đối tượng {a} và {b} chồng lấn {area} m².",
                                          "Class {name}: features {a} and {b} overlap by {area} m².").format(
            name=found.item.name, a=ids[left], b=ids[right], area=_area(piece)), found.item.database, found.item.name,
            (f"{ids[left]}; {ids[right]}",), (piece,))


def _beyond(
    found: ExaminedClass, shapes: NDArray[np.object_], ids: pandas.Index, union: shapely.Geometry,
    boundary: shapely.Geometry, tolerance_m: float,
) -> Iterator[Finding]:
    # What the union has outside is little, if anything; only zones that touch it are asked.
    outside = _wide(shapely.difference(union, boundary), tolerance_m)
    near = np.unique(shapely.STRtree(shapes).query(outside, predicate="intersects")[1]) if len(outside) else []
    for position in near:
        parts = _wide(shapely.difference(shapes[position], boundary), tolerance_m)
        if len(parts):
            beyond = shapely.multipolygons(parts)
            yield Finding(RULES["PV-03"], say("Lớp {name}: đối tượng {a} vượt ra ngoài ranh giới quy hoạch {area} m².",
                                              "Class {name}: feature {a} reaches {area} m² beyond the plan boundary.").format(
                name=found.item.name, a=ids[position], area=_area(beyond)), found.item.database, found.item.name,
                (ids[position],), (beyond,))


def _gaps(
    found: ExaminedClass, union: shapely.Geometry, boundary: shapely.Geometry | None, blurred: shapely.Geometry,
    tolerance_m: float,
) -> Iterator[Finding]:
    ground = boundary if boundary is not None else shapely.union_all(
        [shapely.polygons(shapely.get_exterior_ring(one)) for one in shapely.get_parts(union)])
    gaps = _wide(shapely.difference(ground, union), tolerance_m)
    gaps = gaps[_clear_of(gaps, blurred)]
    if found.item.name != FUNCTIONS:
        gaps = gaps[is_narrow(gaps, _NO_STREET_M)]
    # A part at the rim is land without a zone, one between zones a gap.
    outline = shapely.boundary(ground)
    shapely.prepare(outline)
    at_rim = shapely.intersects(gaps, outline)
    for gap, rim in zip(gaps, at_rim):
        text = (say("Lớp {name}: phần trong ranh giới quy hoạch chưa có ô, {area} m².",
                    "Class {name}: part of the plan without a zone, {area} m².") if rim else
                say("Lớp {name}: khe hở giữa các ô, {area} m².", "Class {name}: gap between zones, {area} m²."))
        yield Finding(RULES["PV-04" if rim else "PV-02"], text.format(name=found.item.name, area=_area(gap)),
                      found.item.database, found.item.name, (), (gap,))


def _wide(shape: shapely.Geometry, tolerance_m: float) -> NDArray[np.object_]:
    """Return the areas of a shape that are somewhere wider than the tolerance."""
    parts = shapely.get_parts(shape)
    parts = parts[(shapely.get_dimensions(parts) == 2) & ~shapely.is_empty(parts)]
    return parts[~is_narrow(parts, tolerance_m)]


def _area(shape: shapely.Geometry) -> str:
    area = float(shapely.area(shape))
    return format_number(area, 2 if area >= 0.1 else 4)


def _stated_areas(found: ExaminedClass, examined: Examined) -> Iterator[Finding]:
    stated = found.numbers("dienTich")
    measured = np.full(len(stated), np.nan)
    usable = found.usable()
    measured[usable] = shapely.area(found.shapes[usable])
    with np.errstate(invalid="ignore", divide="ignore"):
        off = np.abs(stated - measured) > np.maximum(examined.options.area_tolerance_pct / 100 * measured, 1.0)
        hectares = off & (np.abs(stated * 10_000 - measured) <= np.maximum(0.05 * measured, 60.0))
    if off.any():
        hint = say(" Có thể đã nhập theo hecta.", " They may be in hectares.") if hectares.sum() > off.sum() / 2 else ""
        yield found.finding("PV-06", say("{n} đối tượng của lớp {name} ghi diện tích lệch hơn {tolerance} % so với hình vẽ "
                                         "(fid: {ids}).{hint}",
                                         "{n} features of class {name} state areas more than {tolerance} % off the drawing "
                                         "(ids: {ids}).{hint}").format(
            n=int(off.sum()), name=found.item.name, tolerance=format_number(examined.options.area_tolerance_pct, 1),
            ids=name_some(found.frame.index[off]), hint=hint), off)


def _sum_of_areas(
    found: ExaminedClass, layer: ExaminedClass, boundary: shapely.Geometry, tolerance_pct: float
) -> Iterator[Finding]:
    """The functions' stated areas (measured where none is stated) against the plan's."""
    # A repeated zone, or one that has no area to add, is told by a rule of its own.
    rows = np.flatnonzero(~shapely.is_missing(found.shapes))
    rows = rows[~_repeated(found.shapes[rows])]
    stated, measured = found.numbers("dienTich")[rows], shapely.area(found.shapes[rows])
    if (np.isnan(stated) & ~found.usable()[rows]).any():
        return
    total = float(np.where(np.isnan(stated), measured, stated).sum())
    plan = float(np.nansum(layer.numbers("dienTich"))) or float(shapely.area(boundary))
    if abs(total - plan) > max(tolerance_pct / 100 * plan, 1.0):
        yield layer.finding("PV-05", say("Tổng diện tích các chức năng là {total} m², diện tích quy hoạch là {plan} m²; lệch {off} m².",
                                         "The functions add up to {total} m², the plan has {plan} m²; off by {off} m².").format(
            total=format_number(total, 1), plan=format_number(plan, 1), off=format_number(total - plan, 1)),
            np.ones(len(layer.frame), dtype=bool))


def _zone_codes(found: ExaminedClass) -> Iterator[Finding]:
    codes = found.text("kyHieuO")
    twice = ((codes != "") & codes.duplicated(keep=False)).to_numpy()
    if twice.any():
        yield found.finding("PV-09", say("{n} ô của lớp {name} trùng ký hiệu: {values}.",
                                         "{n} zones of class {name} share a code: {values}.").format(
            n=int(twice.sum()), name=found.item.name, values=name_some(dict.fromkeys(codes[twice]), 5)), twice)


def _markers(examined: Examined, boundary: shapely.Geometry) -> Iterator[Finding]:
    layer, outline = examined.get("QuyHoach", BOUNDARY), shapely.boundary(boundary)
    tolerance = examined.options.tolerance_m
    points, lines = examined.get("MocGioi", MARKER_POINTS), examined.get("MocGioi", MARKER_LINES)
    shapely.prepare(outline)
    if points is not None and _same_system(points, layer):
        far = shapely.distance(points.shapes, outline)
        off = np.nan_to_num(far) > tolerance
        if off.any():
            yield points.finding("MG-01", say("{n} mốc không nằm trên ranh giới quy hoạch, cách xa nhất {far} m (fid: {ids}).",
                                              "{n} markers are not on the plan boundary, at most {far} m away (ids: {ids}).").format(
                n=int(off.sum()), far=format_number(float(far[off].max()), 3), ids=name_some(points.frame.index[off])),
                                 off)
    if lines is not None and _same_system(lines, layer):
        rest = shapely.length(shapely.difference(lines.shapes,
                                                 shapely.buffer(outline, max(tolerance, 1e-6), quad_segs=2)))
        off = np.nan_to_num(rest) > tolerance
        if off.any():
            yield lines.finding("MG-02", say("{n} tuyến mốc lệch khỏi ranh giới quy hoạch, tổng {long} m (fid: {ids}).",
                                             "{n} marker lines leave the plan boundary, {long} m in all (ids: {ids}).").format(
                n=int(off.sum()), long=format_number(float(rest[off].sum()), 2), ids=name_some(lines.frame.index[off])),
                                off)
