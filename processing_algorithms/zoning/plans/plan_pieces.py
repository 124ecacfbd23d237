"""Parcels cut by the zones of every plan, and by the boundaries inside which another plan answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import geopandas
import numpy as np
import pandas
import shapely
from numpy.typing import NDArray

from ...common.areas import Surface, areas_m2
from ...common.errors import name_some
from ...common.language import say
from ...common.overlay import (
    Pieces,
    common_pieces,
    intersect,
    intersect_within,
    polygonal,
    remainder,
    remaining_pieces,
)
from ...common.progress import Progress, part, silent
from ...common.slivers import in_metres, is_narrow, is_shallow, tolerance_on_ground, tolerance_sentence
from .parcel_zoning import sliver_pieces
from .plan_figures import FIGURES
from .plan_states import PlanStates

#: Parts no wider than this (metres) are the rounding of coordinates, not land.
_ROUNDING_M = 1e-6
_WHOLE = 1 - 1e-9
#: Overlaps of zones no wider than this (metres) are not worth a notice.
_OVERLAP_TOLD_M = 0.01


@dataclass(frozen=True)
class _Reach:
    """How far a plan reaches: its boundary and whatever of its zones is drawn beyond."""

    extent: Any
    parcels: NDArray[np.intp]
    shapes: NDArray[np.object_]
    whole: NDArray[np.bool_]


def cut_by_plans(
    parcels: geopandas.GeoDataFrame, parcel_area: NDArray[np.float64], plans: geopandas.GeoDataFrame,
    zones: geopandas.GeoDataFrame, states: PlanStates, tolerance_mm: float, surface: Surface, notices: list[str],
    progress: Progress = silent,
) -> geopandas.GeoDataFrame:
    """Return the pieces of `plan_answers.PlanAnswers`; all layers clean and in the parcels' system."""
    left = np.asarray(parcels.geometry.array, dtype=object)
    shapes = np.asarray(zones.geometry.array, dtype=object)
    zone_plan = zones["plan_ref"].to_numpy(dtype=object)
    unknown = ~pandas.Series(zone_plan).isin(states.table.index).to_numpy()
    if unknown.any():
        notices.append(say("{n} ô quy hoạch thuộc đồ án không có trong lớp đồ án ({refs}); không được áp dụng.",
                           "{n} zones belong to plans that are not in the layer of plans ({refs}); they answer nothing.")
                       .format(n=int(unknown.sum()), refs=name_some(sorted({str(r) for r in zone_plan[unknown]}), 5)))
    boundary = dict(zip(plans["plan_ref"], plans.geometry.array))
    by_plan = pandas.Series(np.arange(len(zones))).groupby(zone_plan).indices
    refs = [ref for ref in states.table.index if ref in boundary or ref in by_plan]
    zones_of = {ref: by_plan.get(ref, np.zeros(0, dtype=np.intp)) for ref in refs}
    extents = {ref: _extent(boundary.get(ref), shapes[zones_of[ref]]) for ref in refs}
    reaches = _reaches(left, parcel_area, extents, parcels.crs, surface, part(progress, 0.0, 0.3))
    rows: list[pandas.DataFrame] = []
    for step, ref in enumerate(refs):
        at = zones_of[ref]
        rows_of_plan = _one_plan(
            left, parcel_area, reaches[ref], shapes[at], at, _tolerance(states, ref, tolerance_mm), parcels.crs,
            surface, ref, notices, part(progress, 0.3 + 0.4 * step / len(refs), 0.3 + 0.4 * (step + 1) / len(refs)))
        rows.append(rows_of_plan.assign(plan_ref=ref))
    pieces = pandas.concat(rows, ignore_index=True) if rows else _no_rows()
    pieces = _settle(pieces, reaches, states, left, parcel_area, tolerance_mm, parcels.crs, surface,
                     part(progress, 0.7, 0.95))
    pieces = pandas.concat([pieces, _no_plan(left, parcel_area, reaches, states, tolerance_mm, parcels.crs, surface)],
                           ignore_index=True)
    return _labelled(pieces, parcels, parcel_area, zones, states)


def _no_rows() -> pandas.DataFrame:
    return pandas.DataFrame({"parcel": np.zeros(0, dtype=np.intp), "zone": np.zeros(0, dtype=np.intp),
                             "geometry": np.zeros(0, dtype=object), "area_m2": np.zeros(0), "tolerance_m": np.zeros(0),
                             "within_tolerance": np.zeros(0, dtype=bool), "plan_ref": np.zeros(0, dtype=object)})


def _tolerance(states: PlanStates, ref: Any, tolerance_mm: float) -> float:
    """Return a plan's tolerance in metres; 0 where its scale is not known, so nothing is excused."""
    scale = pandas.to_numeric(states.table.at[ref, "scale"], errors="coerce")
    return tolerance_on_ground(float(scale), tolerance_mm) if scale is not None and scale > 0 else 0.0


def _reaches(
    left: NDArray[np.object_], parcel_area: NDArray[np.float64], extents: dict[Any, Any], crs: Any, surface: Surface,
    progress: Progress,
) -> dict[Any, _Reach]:
    """Find what of the parcels lies in each plan, for all plans at once: few are near any one of them."""
    inside = _without_crumbs(intersect(left, np.array([*extents.values(), None], dtype=object)[:-1], progress), crs)
    area = parcel_area if surface is Surface.PLANE else shapely.area(left)
    whole = shapely.area(inside.geometry) >= _WHOLE * area[inside.left]
    order = np.argsort(inside.right, kind="stable")
    starts = np.searchsorted(inside.right[order], np.arange(len(extents) + 1))
    return {ref: _Reach(extent, inside.left[at], inside.geometry[at], whole[at]) for (ref, extent), at in zip(
        extents.items(), (order[start:stop] for start, stop in zip(starts[:-1], starts[1:])))}


def _one_plan(
    left: NDArray[np.object_], parcel_area: NDArray[np.float64], reach: _Reach, shapes: NDArray[np.object_],
    zone_at: NDArray[np.intp], tolerance_m: float, crs: Any, surface: Surface, ref: Any, notices: list[str],
    progress: Progress,
) -> pandas.DataFrame:
    """Cut the parcels by the zones of one plan; what lies in its boundary but in no zone has zone -1."""
    in_zones = _without_crumbs(intersect(left[reach.parcels], shapes, part(progress, 0.0, 0.4)), crs)
    overlaps = intersect_within(shapes, part(progress, 0.4, 0.6))
    rest = remainder(reach.shapes, shapes, in_zones, overlaps, part(progress, 0.6, 0.8))
    beyond = np.flatnonzero(shapely.is_geometry(rest))
    local = Pieces(np.concatenate([in_zones.left, beyond]),
                   np.concatenate([in_zones.right, np.full(len(beyond), -1, dtype=np.intp)]),
                   np.concatenate([in_zones.geometry, rest[beyond]]), in_zones.rescued)
    pieces = Pieces(reach.parcels[local.left], local.right, local.geometry, local.rescued)
    area = areas_m2(pieces.geometry, crs, surface)
    sliver = sliver_pieces(pieces, shapes, 100.0 * area / parcel_area[pieces.left], tolerance_m, crs,
                           part(progress, 0.8, 1.0), outline=shapely.boundary(reach.extent))
    told = int((~is_narrow(in_metres(overlaps.geometry, crs), _OVERLAP_TOLD_M)).sum())
    if told:
        notices.append(say("Đồ án {ref}: {n} cặp ô chồng lấn nhau; phần chồng lấn có nhiều quy định.",
                           "Plan {ref}: {n} pairs of zones overlap; there several zones answer.")
                       .format(ref=ref, n=told))
    zone = np.full(len(pieces), -1, dtype=np.intp)
    zone[pieces.right >= 0] = zone_at[pieces.right[pieces.right >= 0]]
    return pandas.DataFrame({"parcel": pieces.left, "zone": zone, "geometry": pieces.geometry, "area_m2": area,
                             "tolerance_m": tolerance_m, "within_tolerance": sliver})


def _crumb_width(crs: Any) -> float:
    return _ROUNDING_M * (1e-5 if crs.is_geographic else 1.0)


def _without_crumbs(pieces: Pieces, crs: Any) -> Pieces:
    """Leave out what neighbours share only because the points where they touch are rounded."""
    kept = shapely.area(pieces.geometry) > _crumb_width(crs) / 2 * shapely.length(pieces.geometry)
    place = np.cumsum(kept) - 1
    return Pieces(pieces.left[kept], pieces.right[kept], pieces.geometry[kept],
                  place[pieces.rescued[kept[pieces.rescued]]])


def _extent(boundary: Any, shapes: NDArray[np.object_]) -> Any:
    if boundary is None or shapely.is_empty(boundary):
        return shapely.union_all(shapes) if len(shapes) else shapely.MultiPolygon()
    shapely.prepare(boundary)
    out = shapes[~shapely.covers(boundary, shapes)]
    if not len(out):
        return boundary
    joined = polygonal(np.array([shapely.union_all([boundary, *out])], dtype=object))[0]
    return joined if joined is not None else boundary


def _settle(
    pieces: pandas.DataFrame, reaches: dict[Any, _Reach], states: PlanStates, left: NDArray[np.object_],
    parcel_area: NDArray[np.float64], tolerance_mm: float, crs: Any, surface: Surface, progress: Progress,
) -> pandas.DataFrame:
    """Tell of each piece of a plan in force whether it answers; cut those that do so in part."""
    table = states.table
    ranked = sorted((ref for ref in reaches if table.at[ref, "in_force"]), key=lambda ref: table.at[ref, "order"])
    order = pieces["plan_ref"].map(table["order"]).to_numpy(dtype=float) if len(pieces) else np.zeros(0)
    by: NDArray[np.object_] = np.full(len(pieces), None, dtype=object)
    parcel = pieces["parcel"].to_numpy(dtype=np.intp)
    place = np.full(len(left), -1, dtype=np.intp)
    partial: dict[Any, tuple[NDArray[np.intp], NDArray[np.intp]]] = {}
    for ref in ranked:
        reach = reaches[ref]
        place[reach.parcels] = np.arange(len(reach.parcels))
        met = np.flatnonzero((place[parcel] >= 0) & (order >= 0) & (order < table.at[ref, "order"]))
        at = place[parcel[met]]
        by[met[reach.whole[at]]] = ref
        partial[ref] = met[~reach.whole[at]], at[~reach.whole[at]]
        place[reach.parcels] = -1
    pieces = pieces.assign(by=by)
    # A plan that covers the whole parcel hides everything of the lower ones; a higher one may still hide part of it.
    rest = pieces["geometry"].to_numpy(dtype=object).copy()
    open_rows = np.array([ref is None for ref in by], dtype=bool)
    against: dict[int, list[Any]] = {}
    cut: list[pandas.DataFrame] = []
    for done, ref in enumerate(reversed(ranked)):
        progress(done / len(ranked))
        rows, at = partial[ref]
        still = open_rows[rows] & shapely.is_geometry(rest[rows])
        rows, inner = rows[still], reaches[ref].shapes[at[still]]
        for row in rows:
            against.setdefault(int(row), [])
        taken = _without_small_parts(common_pieces(rest[rows], inner), _crumb_width(crs))
        there = shapely.is_geometry(taken)
        rows, inner, taken = rows[there], inner[there], taken[there]
        for row in rows:
            against[int(row)].append(ref)
        cut.append(_cut_rows(pieces, rows, taken, ref))
        rest[rows] = _without_small_parts(remaining_pieces(rest[rows], inner), _crumb_width(crs))
    if not against:
        progress(1.0)
        return pieces
    rows = np.fromiter(against, dtype=np.intp)
    left_over = rows[shapely.is_geometry(rest[rows])]
    uncut = _cut_rows(pieces, left_over, rest[left_over], None)
    uncut["against"] = pandas.Series([tuple(against[int(row)]) for row in left_over], dtype=object)
    fresh = pandas.concat([*cut, uncut], ignore_index=True)
    fresh["area_m2"] = areas_m2(fresh["geometry"].to_numpy(dtype=object), crs, surface)
    fresh = _mark_cuts(fresh, reaches, states, tolerance_mm, crs)
    kept = pieces.drop(index=pieces.index[rows])
    progress(1.0)
    return pandas.concat([kept, fresh.drop(columns="against")], ignore_index=True)


def _cut_rows(pieces: pandas.DataFrame, rows: NDArray[np.intp], shapes: NDArray[np.object_],
              by: Any) -> pandas.DataFrame:
    """Return rows of pieces with other shapes, and the plan that answers there instead."""
    found = pieces.iloc[rows][["parcel", "zone", "tolerance_m", "within_tolerance", "plan_ref"]].reset_index(drop=True)
    return found.assign(geometry=shapes, by=pandas.Series([by] * len(rows), dtype=object),
                        against=pandas.Series([()] * len(rows), dtype=object))


def _without_small_parts(shapes: NDArray[np.object_], crumb: float) -> NDArray[np.object_]:
    """Keep of each shape the parts that are more than the rounding of coordinates; None when none is left."""
    found = shapes.copy()
    small = shapely.area(shapes) <= crumb * shapely.length(shapes) / 2
    for at in np.flatnonzero(small | (shapely.get_num_geometries(shapes) > 1)):
        found[at] = _parts(shapes[at], crumb)
    return found


def _parts(shape: Any, crumb: float) -> Any:
    """Keep polygons that are more than the rounding of coordinates; None when none is left."""
    parts = [p for p in shapely.get_parts(shape) if p.geom_type == "Polygon" and p.area > crumb * p.length / 2]
    if not parts:
        return None
    return parts[0] if len(parts) == 1 else shapely.MultiPolygon(parts)


def _mark_cuts(
    fresh: pandas.DataFrame, reaches: dict[Any, _Reach], states: PlanStates, tolerance_mm: float, crs: Any
) -> pandas.DataFrame:
    """Mark what is left beside a plan's boundary and is no more than the mismatch with that boundary."""
    within = fresh["within_tolerance"].to_numpy(dtype=bool).copy()
    metres = fresh["tolerance_m"].to_numpy(dtype=float).copy()
    for ref in {ref for refs in fresh["against"] for ref in refs}:
        tolerance = _tolerance(states, ref, tolerance_mm)
        at = np.flatnonzero([ref in refs for refs in fresh["against"]])
        sliver = beside(fresh["geometry"].to_numpy(dtype=object)[at], reaches[ref].extent, tolerance, crs)
        metres[at[sliver]] = np.maximum(np.where(within[at[sliver]], metres[at[sliver]], 0.0), tolerance)
        within[at[sliver]] = True
    return fresh.assign(within_tolerance=within, tolerance_m=metres)


def beside(
    shapes: NDArray[np.object_], extent: shapely.Geometry, tolerance_m: float, crs: Any
) -> NDArray[np.bool_]:
    """Tell which shapes are narrow and lie along the outline of a polygon, so that its mismatch explains them."""
    sliver = np.zeros(len(shapes), dtype=bool)
    if tolerance_m <= 0 or not len(shapes):
        return sliver
    metric = in_metres(np.array([*shapes, shapely.boundary(extent)], dtype=object), crs)
    narrow = np.flatnonzero(is_narrow(metric[:-1], tolerance_m))
    sliver[narrow] = is_shallow(metric[narrow], metric[-1:], np.zeros(len(narrow), dtype=np.intp), tolerance_m)
    return sliver


def _no_plan(
    left: NDArray[np.object_], parcel_area: NDArray[np.float64], reaches: dict[Any, _Reach], states: PlanStates,
    tolerance_mm: float, crs: Any, surface: Surface,
) -> pandas.DataFrame:
    """Return what of each parcel lies in no plan in force."""
    inside: dict[int, list[tuple[Any, Any]]] = {}
    whole = np.zeros(len(left), dtype=bool)
    for ref, reach in reaches.items():
        if states.table.at[ref, "in_force"]:
            whole[reach.parcels[reach.whole]] = True
            for parcel, shape in zip(reach.parcels[~reach.whole], reach.shapes[~reach.whole]):
                inside.setdefault(int(parcel), []).append((ref, shape))
    rows = []
    for parcel in np.flatnonzero(~whole & (parcel_area > 0)):
        shape, against = left[parcel], inside.get(int(parcel), [])
        if against:
            shape = _parts(shapely.difference(shape, shapely.union_all([inner for _, inner in against])),
                           _crumb_width(crs))
        if shape is not None:
            rows.append({"parcel": parcel, "zone": -1, "geometry": shape, "tolerance_m": 0.0, "plan_ref": None,
                         "within_tolerance": False, "by": None, "against": tuple(ref for ref, _ in against)})
    frame = pandas.DataFrame(rows, columns=["parcel", "zone", "geometry", "tolerance_m", "plan_ref",
                                            "within_tolerance", "by", "against"])
    frame["area_m2"] = areas_m2(frame["geometry"].to_numpy(dtype=object), crs, surface)
    return _mark_cuts(frame, reaches, states, tolerance_mm, crs).drop(columns="against")


def _labelled(
    pieces: pandas.DataFrame, parcels: geopandas.GeoDataFrame, parcel_area: NDArray[np.float64],
    zones: geopandas.GeoDataFrame, states: PlanStates,
) -> geopandas.GeoDataFrame:
    """Add what people read, and order: answers first, then the more detailed plans, then the larger pieces."""
    table = states.table
    plan = table.reindex(pieces["plan_ref"])
    in_force = plan["in_force"].fillna(False).to_numpy(dtype=bool)
    zone = pieces["zone"].to_numpy(dtype=np.intp)
    by = pieces["by"].to_numpy(dtype=object)
    told: dict[Any, tuple[str, str]] = {}
    roles = []
    for key in zip(pieces["plan_ref"], in_force, by, zone < 0):
        if key not in told:
            told[key] = _role(*key, table)
        roles.append(told[key])
    frame = pandas.DataFrame({"parcel_fid": parcels.index.take(pieces["parcel"].to_numpy(dtype=np.intp))})
    frame["is_answer"] = [role == "answer" for role, _ in roles]
    frame["role"], frame["reason"] = [role for role, _ in roles], [reason for _, reason in roles]
    frame["plan_ref"] = pieces["plan_ref"].to_numpy(dtype=object)
    for ours, theirs in (("plan_name", "name"), *((n, n) for n in (
            "level", "level_label", "decision_number", "approval_date", "status", "status_label", "scale"))):
        column = plan[theirs].to_numpy(dtype=object)
        frame[ours] = pandas.Series(np.where(pandas.isna(column), None, column), dtype=object)
    frame["scale"] = pandas.to_numeric(frame["scale"], errors="coerce")
    fids = pandas.Series(zones.index)
    fids = fids.astype("Int64") if fids.dtype.kind in "iu" else fids.astype(object)
    frame["zone_fid"] = fids.reindex(zone).reset_index(drop=True)
    for ours, theirs in (("zone_code", "zone_code"), ("zone_name", "name"), ("function_code", "function_code"),
                         ("density_kind", "density_kind")):
        values = zones[theirs].to_numpy(dtype=object) if theirs in zones.columns else np.full(len(zones), None)
        taken = pandas.Series(values, dtype=object).reindex(zone).reset_index(drop=True)
        frame[ours] = taken.where(taken.notna(), None)
    for name in FIGURES:
        values = pandas.to_numeric(zones[name], errors="coerce").to_numpy(float) if name in zones.columns else np.nan
        frame[name] = pandas.Series(values, index=np.arange(len(zones)), dtype=float).reindex(zone).to_numpy()
    frame["area_m2"] = pieces["area_m2"].to_numpy(dtype=float)
    frame["share_pct"] = 100.0 * frame["area_m2"] / parcel_area[pieces["parcel"].to_numpy(dtype=np.intp)]
    frame["within_tolerance"] = pieces["within_tolerance"].to_numpy(dtype=bool)
    frame["tolerance_m"] = pieces["tolerance_m"].to_numpy(dtype=float)
    frame["tolerance_note"] = [tolerance_sentence(metres) if within else None
                               for within, metres in zip(frame["within_tolerance"], frame["tolerance_m"])]
    geometry = geopandas.GeoSeries(pieces["geometry"].to_numpy(dtype=object), crs=parcels.crs)
    result = geopandas.GeoDataFrame(frame, geometry=geometry.array, crs=parcels.crs)
    order = np.lexsort((-result["area_m2"], -plan["order"].fillna(-2).to_numpy(dtype=float),
                        result["within_tolerance"], ~result["is_answer"], pieces["parcel"]))
    result = result.take(order).reset_index(drop=True)
    result.insert(1, "piece", result.groupby("parcel_fid").cumcount() + 1)
    return result


def _role(ref: Any, in_force: bool, other: Any, no_zone: bool, table: pandas.DataFrame) -> tuple[str, str]:
    if ref is None:
        return "no_plan", say("Không có quy hoạch được phê duyệt đang có hiệu lực", "No approved plan is in force here")
    if not in_force:
        return "not_in_force", table.at[ref, "reason"]
    if other is None:
        if no_zone:
            return "answer", say("Trong ranh giới đồ án nhưng không thuộc ô quy hoạch nào",
                                 "Inside the plan's boundary but in none of its zones")
        return "answer", say("Đồ án chi tiết nhất đang có hiệu lực", "The most detailed plan in force")
    if amends(table, other, ref):
        return "amended", say("Đã được điều chỉnh cục bộ bởi {ref}", "Amended here by {ref}").format(ref=other)
    if table.at[other, "level"] == table.at[ref, "level"]:
        return "same_level", say("Đồ án cùng cấp {ref} được áp dụng (tỷ lệ lớn hơn hoặc phê duyệt sau)",
                                 "Plan {ref} of the same level applies (larger scale or approved later)").format(
            ref=other)
    return "detailed", say("Đồ án chi tiết hơn {ref} đang có hiệu lực", "The more detailed plan {ref} is in force"
                           ).format(ref=other)


def amends(table: pandas.DataFrame, ref: Any, base: Any) -> bool:
    """Tell whether a plan amends another one locally, directly or over further amendments."""
    while ref is not None:
        ref = table.at[ref, "amends"]
        if ref == base:
            return True
    return False
