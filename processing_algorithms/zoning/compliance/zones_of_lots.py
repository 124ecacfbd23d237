"""Which zones decide about a lot, by which day's regulation, and the range of each control figure over them."""

from __future__ import annotations

import datetime
from dataclasses import dataclass

import geopandas
import numpy as np
import pandas
import shapely
from numpy.typing import NDArray

from ...common.areas import Surface
from ...common.norms import deciding_date
from ...common.overlay import intersect
from ...common.progress import Progress, silent
from ...common.slivers import is_narrow, tolerance_on_paper
from ..plans.plan_pieces import cut_by_plans
from ..plans.plan_states import PlanStates, plan_states


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
    on : array of date, shape (n,)
        The day whose regulation decides.
    zone_counts : array of bool, shape (m,)
        Zones of plans in force.
    states : PlanStates or None
    notices : list of str
        What a person should know about the plans' data.
    """

    zones: pandas.DataFrame
    main: NDArray[np.intp]
    count: NDArray[np.intp]
    outside: NDArray[np.float64]
    on: NDArray[np.object_]
    zone_counts: NDArray[np.bool_]
    states: PlanStates | None
    notices: list[str]

    def figure(self, values: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.bool_]]:
        """Return the least and greatest of a control figure over each lot's zones, and where one of several lacks it."""
        found = self.zones.assign(value=values[self.zones["zone"]]).groupby("lot")["value"]
        n = np.arange(len(self.main))
        low, high, known = (getattr(found, name)().reindex(n).to_numpy(dtype=float) for name in ("min", "max", "count"))
        return low, high, np.nan_to_num(known) < self.count


def zones_of_lots(
    lots: geopandas.GeoDataFrame, zones: geopandas.GeoDataFrame, plans: geopandas.GeoDataFrame | None, *,
    on: datetime.date,
    approved: datetime.date | None = None, appraised: datetime.date | None = None, tolerance_m: float,
    progress: Progress = silent,
) -> ZonesOfLots:
    """Find the zones that decide about each lot.

    Parameters
    ----------
    lots, zones : GeoDataFrame
        In one system in metres; index = feature ids.
    plans : GeoDataFrame, optional
        Dataset `plan`: the plan that answers on the day decides (as in `plan_answers`), and its approval and appraisal choose
        the regulation. Without it all zones count.
    on : date
    approved, appraised : date, optional
        Of the plan of all zones, where ``plans`` is not given.
    tolerance_m : float
        Pieces nowhere wider are where two maps do not match, unless they are the whole lot; with ``plans`` the
        tolerance follows each plan's scale.
    """
    notices: list[str] = []
    if plans is None:
        found, outside = _all_zones(lots, zones, tolerance_m, progress)
        states, counts = None, np.ones(len(zones), dtype=bool)
        same = deciding_date("QCVN 01", on=on, approved=approved, appraised=appraised)
        days = np.full(len(zones), same, dtype=object)
    else:
        states = plan_states(plans.drop(columns=plans.geometry.name), on)
        notices += states.notices
        pieces = cut_by_plans(lots, shapely.area(lots.geometry.array), plans, zones[["plan_ref", zones.geometry.name]],
                              states, tolerance_on_paper()[0],
                              Surface.PLANE, notices, progress)
        found, outside = _answering(pieces, lots, zones)
        of_plan = {ref: _decided(row, on) for ref, row in states.table.iterrows() if row["in_force"]}
        counts = np.array([ref in of_plan for ref in zones["plan_ref"]], dtype=bool)
        days = np.array([of_plan.get(ref, on) for ref in zones["plan_ref"]], dtype=object)
    found = found.sort_values(["lot", "share", "zone"], ascending=[True, False, True]).reset_index(drop=True)
    main, count = np.full(len(lots), -1, dtype=np.intp), np.bincount(found["lot"], minlength=len(lots))
    first = found.drop_duplicates("lot")
    main[first["lot"]] = first["zone"]
    decided = np.full(len(lots), on, dtype=object)
    decided[first["lot"]] = days[first["zone"]]
    return ZonesOfLots(found, main, count, outside, decided, counts, states, notices)


def zone_days(of_lots: ZonesOfLots, zones: geopandas.GeoDataFrame, on: datetime.date) -> list[datetime.date]:
    """Return the deciding day of each zone's plan."""
    if of_lots.states is None:
        days = of_lots.on[of_lots.main >= 0]
        return [days[0] if len(days) else on] * len(zones)
    table = of_lots.states.table
    return [_decided(table.loc[ref], on) if ref in table.index else on for ref in zones["plan_ref"]]


def _decided(plan: pandas.Series, on: datetime.date) -> datetime.date:
    return deciding_date("QCVN 01", on=on, approved=plan["approval_date"], appraised=plan["appraisal_date"])


def _answering(
    pieces: pandas.DataFrame, lots: geopandas.GeoDataFrame, zones: geopandas.GeoDataFrame
) -> tuple[pandas.DataFrame, NDArray[np.float64]]:
    lot = lots.index.get_indexer(pieces["parcel_fid"])
    share = pieces["share_pct"].to_numpy(dtype=float) / 100.0
    broad = ~pieces["within_tolerance"].to_numpy(dtype=bool)
    in_zone = pieces["is_answer"].to_numpy(dtype=bool) & pieces["zone_fid"].notna().to_numpy() & broad
    found = pandas.DataFrame({"lot": lot[in_zone], "share": share[in_zone],
                              "zone": zones.index.get_indexer(pieces.loc[in_zone, "zone_fid"])})
    nowhere = pieces["role"].eq("no_plan").to_numpy() & broad
    return found, np.bincount(lot[nowhere], share[nowhere], minlength=len(lots))


def _all_zones(
    lots: geopandas.GeoDataFrame, zones: geopandas.GeoDataFrame, tolerance_m: float, progress: Progress
) -> tuple[pandas.DataFrame, NDArray[np.float64]]:
    ground, shapes = (shapely.force_2d(np.asarray(frame.geometry.array, dtype=object)) for frame in (lots, zones))
    cut = intersect(ground, shapes, progress)
    share = shapely.area(cut.geometry) / shapely.area(ground)[cut.left]
    narrow = (share < 0.999) & is_narrow(cut.geometry, tolerance_m)
    found = pandas.DataFrame({"lot": cut.left, "zone": cut.right, "share": share})[~narrow]
    inside = np.bincount(found["lot"], found["share"], minlength=len(lots))
    outside = np.clip(1.0 - inside, 0.0, 1.0)
    partly = np.flatnonzero((outside > 1e-6) & (inside > 0))
    of_lot = found[found["lot"].isin(partly)].groupby("lot")["zone"].agg(list)
    rest = np.array([shapely.difference(ground[k], shapely.union_all(shapes[group])) for k, group in of_lot.items()],
                    dtype=object)
    outside[partly] = np.where(is_narrow(rest, tolerance_m), 0.0, outside[partly])
    return found, outside
