"""What lies on top of the plans: restrictions by overlay, and figures decided for a single parcel."""

from __future__ import annotations

import datetime
from typing import Any

import geopandas
import numpy as np
import pandas
import shapely
from numpy.typing import NDArray

from ...common.areas import Surface, areas_m2
from ...common.errors import name_some, refuse_if
from ...common.language import say
from ...common.numbers_vi import format_date
from ...common.overlay import Pieces, intersect
from ...common.progress import Progress, part, silent
from ...common.slivers import tolerance_on_ground
from ...provincial_database.catalogue import load_catalogue
from .parcel_zoning import sliver_pieces
from .plan_figures import FIGURES
from .plan_states import PlanStates, codes_of, dates_of

_OVERLAY = ("name", "constraint_type", "effect", "max_height_m", "legal_basis", "decision_number", "plan_ref",
            "valid_from", "valid_to", "scale")
_OVERRIDE = ("plan_ref", "decision_number", "decision_date", "status", "legal_basis", "function_code", "density_kind",
             *FIGURES, "valid_from", "valid_to", "old_commune_code", "sheet_no", "parcel_no")
_PARCEL_KEY = ("old_commune_code", "sheet_no", "parcel_no")
#: An override belongs to a parcel when they share at least this much of the parcel.
_MOSTLY = 0.5


def lay_on_top(
    parcels: geopandas.GeoDataFrame, parcel_area: NDArray[np.float64], overlays: geopandas.GeoDataFrame | None,
    states: PlanStates, tolerance_mm: float, surface: Surface, progress: Progress = silent,
) -> tuple[geopandas.GeoDataFrame, dict[str, NDArray[np.float64]]]:
    """Return the restrictions on each parcel, and per parcel the area under them, counted once.

    Overlays carry their own scale, or that of the plan that draws them; where neither is known no piece is excused by
    the tolerance.
    """
    left = np.asarray(parcels.geometry.array, dtype=object)
    covered = {"no_building_m2": np.zeros(len(left)), "limited_m2": np.zeros(len(left))}
    if overlays is None or not len(overlays):
        table = _columns(pandas.DataFrame(index=[]), _OVERLAY)
        shapes = np.zeros(0, dtype=object)
    else:
        table = _columns(overlays, _OVERLAY)
        for name in ("effect", "constraint_type"):
            table[name] = codes_of(table[name], "constraint_overlay", name)
        shapes = np.asarray(overlays.geometry.array, dtype=object)
    applies, reasons = _applies(table, states)
    pieces = intersect(left, shapes, part(progress, 0.0, 0.6))
    area = areas_m2(pieces.geometry, parcels.crs, surface)
    share = 100.0 * area / parcel_area[pieces.left]
    metres = _tolerances(table, states, tolerance_mm)[pieces.right]
    sliver = np.zeros(len(pieces), dtype=bool)
    for tolerance in np.unique(metres):
        at = np.flatnonzero(metres == tolerance)
        some = Pieces(pieces.left[at], pieces.right[at], pieces.geometry[at], pieces.rescued[:0])
        sliver[at] = sliver_pieces(some, shapes, share[at], float(tolerance), parcels.crs)
    frame = table.take(pieces.right).reset_index(drop=True).drop(columns=["valid_from", "valid_to", "scale"])
    frame.insert(0, "parcel_fid", parcels.index.take(pieces.left))
    frame.insert(1, "overlay_fid", table.index.take(pieces.right))
    dataset = load_catalogue()["constraint_overlay"]
    for column, label in (("constraint_type", "type_label"), ("effect", "effect_label")):
        words = {value.code: str(value.label) for value in dataset.field(column).domain.values}
        frame.insert(frame.columns.get_loc(column) + 1, label, [words.get(code, code) for code in frame[column]])
    frame["max_height_m"] = pandas.to_numeric(frame["max_height_m"], errors="coerce")
    frame["area_m2"], frame["share_pct"] = area, share
    frame["within_tolerance"], frame["tolerance_m"] = sliver, metres
    frame["applies"], frame["reason"] = applies[pieces.right], reasons[pieces.right]
    for effect, name in (("no_building", "no_building_m2"), ("limited", "limited_m2")):
        counted = np.flatnonzero((frame["effect"] == effect).to_numpy() & frame["applies"].to_numpy(bool) & ~sliver)
        covered[name] = _covered(pieces, counted, area, len(left), parcels.crs, surface)
    geometry = geopandas.GeoSeries(pieces.geometry, crs=parcels.crs)
    result = geopandas.GeoDataFrame(frame, geometry=geometry.array, crs=parcels.crs)
    order = np.lexsort((-area, ~result["applies"].to_numpy(bool), pieces.left))
    progress(1.0)
    return result.take(order).reset_index(drop=True), covered


def _columns(frame: pandas.DataFrame, names: tuple[str, ...]) -> pandas.DataFrame:
    table = pandas.DataFrame({name: frame[name] if name in frame.columns else None for name in names},
                             index=frame.index).astype(object)
    return table.where(table.notna(), None)


def _applies(table: pandas.DataFrame, states: PlanStates) -> tuple[NDArray[np.bool_], NDArray[np.object_]]:
    problems: list[str] = []
    first = dates_of(table["valid_from"], "valid_from", problems)
    last = dates_of(table["valid_to"], "valid_to", problems)
    refuse_if(problems)
    applies, reasons = np.ones(len(table), dtype=bool), np.full(len(table), None, dtype=object)
    for at, (start, end, ref) in enumerate(zip(first, last, table["plan_ref"])):
        reasons[at] = _why_not(start, end, ref, states)
        applies[at] = reasons[at] is None
    return applies, reasons


def _why_not(start: datetime.date | None, end: datetime.date | None, ref: Any, states: PlanStates) -> str | None:
    if start is not None and start > states.date:
        return say("Có hiệu lực từ {d}, sau ngày tra cứu", "Valid from {d}, after the day asked for").format(
            d=format_date(start))
    if end is not None and end < states.date:
        return say("Hết hiệu lực ngày {d}", "No longer valid after {d}").format(d=format_date(end))
    if ref in states.table.index and not states.table.at[ref, "in_force"]:
        return say("Thuộc đồ án {ref}: {reason}", "Of plan {ref}: {reason}").format(
            ref=ref, reason=states.table.at[ref, "reason"])
    return None


def _tolerances(table: pandas.DataFrame, states: PlanStates, tolerance_mm: float) -> NDArray[np.float64]:
    own = pandas.to_numeric(table["scale"], errors="coerce").to_numpy(dtype=float)
    plan = pandas.to_numeric(states.table["scale"], errors="coerce").reindex(table["plan_ref"]).to_numpy(dtype=float)
    scale = np.where(np.isnan(own), plan, own)
    return np.nan_to_num(tolerance_on_ground(scale, tolerance_mm))


def _covered(
    pieces: Pieces, counted: NDArray[np.intp], area: NDArray[np.float64], parcels: int, crs: Any, surface: Surface
) -> NDArray[np.float64]:
    """Return the area per parcel under at least one of the pieces."""
    total = np.bincount(pieces.left[counted], area[counted], minlength=parcels)
    several = np.flatnonzero(np.bincount(pieces.left[counted], minlength=parcels) > 1)
    if len(several):
        starts, stops = (np.searchsorted(pieces.left[counted], several, side=side) for side in ("left", "right"))
        joined = np.array([shapely.union_all(pieces.geometry[counted[start:stop]])
                           for start, stop in zip(starts, stops)],
                          dtype=object)
        total[several] = areas_m2(joined, crs, surface)
    return total


def match_overrides(
    parcels: geopandas.GeoDataFrame, parcel_area: NDArray[np.float64], overrides: pandas.DataFrame | None,
    shaped: geopandas.GeoDataFrame | None, states: PlanStates, notices: list[str],
) -> pandas.DataFrame:
    """Return which figures were decided for which parcel.

    By shape: the parcel that shares most of its area with it; numbers of parcels change when they are split or joined.
    By old commune, sheet and parcel number only where an override has no shape.
    """
    columns = ["parcel_fid", "override_fid", "plan_ref", "decision_number", "decision_date", "legal_basis",
               "function_code", "density_kind", *FIGURES, "applies", "reason"]
    if overrides is None or shaped is None or not len(overrides):
        return pandas.DataFrame({name: pandas.Series(dtype=bool if name == "applies" else object) for name in columns})
    table = _columns(overrides, _OVERRIDE)
    for name in ("status", "density_kind"):
        table[name] = codes_of(table[name], "parcel_override", name)
    problems: list[str] = []
    decided = dates_of(table["decision_date"], "decision_date", problems)
    first = dates_of(table["valid_from"], "valid_from", problems)
    last = dates_of(table["valid_to"], "valid_to", problems)
    refuse_if(problems)
    common = intersect(np.asarray(parcels.geometry.array, dtype=object), np.asarray(shaped.geometry.array, object))
    shares = shapely.area(common.geometry) / shapely.area(np.asarray(parcels.geometry.array, object))[common.left]
    mostly = shares >= _MOSTLY
    pairs = list(zip(parcels.index.take(common.left[mostly]), shaped.index.take(common.right[mostly])))
    pairs += _by_number(parcels, table.drop(index=shaped.index))
    lost = sorted(set(table.index) - {override for _, override in pairs}, key=str)
    if lost and len(parcels) > 1:
        notices.append(say("{n} chỉ tiêu riêng không ứng với thửa nào trong lớp thửa đất (fid: {ids}).",
                           "{n} parcel figures match none of the parcels (ids: {ids}).")
                       .format(n=len(lost), ids=name_some(lost)))
    rows = []
    for parcel, override in pairs:
        row = table.loc[override]
        start = max((day for day in (first[override], decided[override]) if day is not None), default=None)
        reason = _why_not(start, last[override], row["plan_ref"], states)
        # One that was superseded held until its last day, where that is known.
        held = row["status"] == "superseded" and last[override] is not None
        if reason is None and row["status"] not in (None, "approved") and not held:
            reason = say("Chưa được phê duyệt hoặc đã được thay thế", "Not approved, or superseded")
        rows.append({"parcel_fid": parcel, "override_fid": override, **row[columns[2:-2]].to_dict(),
                     "decision_date": decided[override], "applies": reason is None, "reason": reason})
    result = pandas.DataFrame(rows, columns=columns)
    # Where several were decided for one parcel the later one is read last and holds.
    return result.sort_values("decision_date", key=lambda days: days.map(lambda day: day or datetime.date.min),
                              kind="stable").reset_index(drop=True)


def _by_number(parcels: pandas.DataFrame, table: pandas.DataFrame) -> list[tuple[Any, Any]]:
    if not len(table) or any(name not in parcels.columns for name in _PARCEL_KEY):
        return []

    def key(row: pandas.Series) -> tuple[str, ...]:
        return tuple("" if value is None or value != value else str(value).strip().removesuffix(".0")
                     for value in (row[name] for name in _PARCEL_KEY))

    wanted: dict[tuple[str, ...], list[Any]] = {}
    for override, row in table.iterrows():
        wanted.setdefault(key(row), []).append(override)
    wanted.pop(("", "", ""), None)
    numbered = zip(parcels.index, parcels[list(_PARCEL_KEY)].astype(object).itertuples(index=False))
    return [(parcel, override) for parcel, values in numbered
            for override in wanted.get(key(pandas.Series(values, index=_PARCEL_KEY)), [])] if wanted else []
