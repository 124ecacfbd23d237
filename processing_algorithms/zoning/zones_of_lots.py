"""Which zones of which plan decide about a lot, and the range of each control figure over them."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas
import shapely
from numpy.typing import NDArray

from ..common.norms import deciding_date
from ..common.overlay import intersect
from ..common.progress import Progress, silent
from ..common.slivers import is_narrow

#: From the most detailed level of plan to the least.
LEVELS = ("detailed", "short_detailed", "urban_design", "sub_area", "general")


@dataclass(frozen=True)
class Plans:
    """What decides about plans, by reference: rank (0 is the most detailed), approved and appraised days or None."""

    rank: dict[str, int]
    approved: dict[str, datetime.date | None]
    appraised: dict[str, datetime.date | None]


def plans_in_force(table: pandas.DataFrame, on: datetime.date) -> tuple[Plans, list[str]]:
    """Return the plans approved by a day and not superseded, and the references of the others.

    Parameters
    ----------
    table : DataFrame
        Columns plan_ref, level, status, appraisal_date, approval_date.
    """
    rank, approved, appraised, others = {}, {}, {}, []
    for record in table.to_dict("records"):
        ref, day = str(record["plan_ref"]), _day(record.get("approval_date"))
        if record.get("status") == "superseded" or day is None or day > on:
            others.append(ref)
            continue
        level = record.get("level")
        rank[ref] = LEVELS.index(level) if level in LEVELS else len(LEVELS)
        approved[ref], appraised[ref] = day, _day(record.get("appraisal_date"))
    return Plans(rank, approved, appraised), others


def _day(value: object) -> datetime.date | None:
    if value is None or pandas.isna(value):
        return None
    return value.date() if isinstance(value, datetime.datetime) else value


@dataclass(frozen=True)
class ZonesOfLots:
    """Zones of n lots.

    Attributes
    ----------
    zones : DataFrame
        lot, zone (positions), share (of the lot); the zones that count, the largest first.
    main : array of int, shape (n,)
        Position of the zone with most of the lot; -1 without one.
    count : array of int, shape (n,)
    outside : array of float, shape (n,)
        Share of the lot outside the zones that count; 0 where maps that do not match explain it.
    """

    zones: pandas.DataFrame
    main: NDArray[np.intp]
    count: NDArray[np.intp]
    outside: NDArray[np.float64]

    def figure(self, values: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.bool_]]:
        """Return the least and greatest of a control figure over each lot's zones, and where one of several lacks it."""
        found = self.zones.assign(value=values[self.zones["zone"]]).groupby("lot")["value"]
        n = np.arange(len(self.main))
        low, high, known = (getattr(found, name)().reindex(n).to_numpy(dtype=float) for name in ("min", "max", "count"))
        return low, high, np.nan_to_num(known) < self.count


def zones_of_lots(
    lots: NDArray[np.object_], zones: NDArray[np.object_], plan_of_zone: NDArray[np.object_], plans: Plans | None, *,
    tolerance_m: float, progress: Progress = silent,
) -> ZonesOfLots:
    """Find the zones that decide about each lot: those of the most detailed plan in force there.

    Parameters
    ----------
    lots, zones : arrays of shapely polygons, shapes (n,), (m,)
    plan_of_zone : array of str, shape (m,)
    plans : Plans, optional
        All zones count where it is None.
    tolerance_m : float
        Pieces nowhere wider are where two maps do not match, unless they are the whole lot.
    """
    use = np.ones(len(zones), dtype=bool) if plans is None else np.array([ref in plans.rank for ref in plan_of_zone], dtype=bool)
    place = np.flatnonzero(use)
    cut = intersect(lots, zones[place], progress)
    area = shapely.area(lots)
    share = shapely.area(cut.geometry) / area[cut.left]
    narrow = (share < 0.999) & is_narrow(cut.geometry, tolerance_m)
    found = pandas.DataFrame({"lot": cut.left, "zone": place[cut.right], "share": share})[~narrow]
    if plans is not None:
        rank = found["zone"].map(lambda k: plans.rank[plan_of_zone[k]])
        found = found[rank == rank.groupby(found["lot"]).transform("min")]
    found = found.sort_values(["lot", "share", "zone"], ascending=[True, False, True]).reset_index(drop=True)
    outside = _outside(lots, zones, found, tolerance_m)
    main, count = np.full(len(lots), -1, dtype=np.intp), np.bincount(found["lot"], minlength=len(lots))
    first = found.drop_duplicates("lot")
    main[first["lot"]] = first["zone"]
    return ZonesOfLots(found, main, count, outside)


def _outside(
    lots: NDArray[np.object_], zones: NDArray[np.object_], found: pandas.DataFrame, tolerance_m: float
) -> NDArray[np.float64]:
    """Return the shares of lots outside their zones, where that is wider than maps that do not match explain."""
    inside = np.bincount(found["lot"], found["share"], minlength=len(lots))
    share = np.clip(1.0 - inside, 0.0, 1.0)
    partly = np.flatnonzero((share > 1e-6) & (inside > 0))
    rest = np.array([shapely.difference(lots[k], shapely.union_all(zones[group])) for k, group in
                     found[found["lot"].isin(partly)].groupby("lot")["zone"].agg(list).items()], dtype=object)
    share[partly] = np.where(is_narrow(rest, tolerance_m), 0.0, share[partly])
    return share


def deciding_dates(refs: Sequence[object], plans: Plans | None, on: datetime.date) -> NDArray[np.object_]:
    """Return the day whose regulation each lot is judged by, from its plan's approval and appraisal."""
    dates = np.full(len(refs), on, dtype=object)
    if plans is not None:
        known = {ref: deciding_date("QCVN 01", on=on, approved=plans.approved[ref], appraised=plans.appraised[ref])
                 for ref in plans.rank}
        dates = np.array([known.get(str(ref), on) for ref in refs], dtype=object)
    return dates
