"""Checks of lots and buildings against the control figures of the plan."""

from __future__ import annotations

import datetime

import numpy as np
import pandas
from numpy.typing import NDArray

from ...common.language import say
from ..plans.function_names import density_kind
from .compliance_case import Case, flat, texts
from .compliance_checks import check, missing, plan_limits
from .lot_kinds import lot_kinds
from .lot_measures import measure_lots
from .norm_limits import gross_density_limits
from .zones_of_lots import zone_days


def _cited(case: Case, lot: NDArray[np.intp]) -> NDArray[np.object_]:
    refs = texts(case.zones, "plan_ref")
    plan = np.where(case.of_lots.main >= 0, refs[case.of_lots.main] if len(refs) else "", "")
    return np.array([say("đồ án {plan}, ô {zone}",
                         "plan {plan}, zone {zone}").format(plan=plan[k] or "…", zone=case.zone_label[k])
                     if plan[k] else say("đồ án, ô {zone}", "plan, zone {zone}").format(zone=case.zone_label[k])
                     for k in lot], dtype=object)


def of_plan(case: Case, values: NDArray[np.float64], lot: NDArray[np.intp], upper: bool) -> pandas.DataFrame:
    """Return a control figure of the lots' zones as limits."""
    low, high, lacking = case.of_lots.figure(values)
    return plan_limits(low[lot], high[lot], lacking[lot], _cited(case, lot), upper=upper,
                       several=case.of_lots.count[lot] > 1)


def _density_kinds(case: Case) -> NDArray[np.object_]:
    """Return net, gross, or "" where the zone says neither, or something else."""
    return np.array([density_kind(text) for text in texts(case.zones, "density_kind")], dtype=object)


def plan_checks(case: Case, zone: dict[str, NDArray[np.float64]]) -> list[pandas.DataFrame]:
    """Check density, floor-area ratio, storeys and heights."""
    table, lot = case.measures.lots[case.built], np.flatnonzero(case.built)
    note = case.note[lot]
    kind = _density_kinds(case)
    # Net is compared with net only; a figure of which it is not said is no ground for a verdict.
    net = of_plan(case, np.where(kind == "net", zone["max_density_pct"], np.nan), lot, True)
    unsaid = case.of_lots.figure(np.where(kind == "", zone["max_density_pct"], np.nan))[0][lot]
    silent_kind = ~np.isnan(unsaid) & net["status"].eq("none").to_numpy()
    net.loc[silent_kind, "status"] = "unknown"
    net.loc[silent_kind, "reason"] = say("ô không ghi mật độ thuần hay gộp", "the zone does not say net or gross")
    found = [
        check("PLAN-DENSITY", net, table["density_pct"], lot=lot, tolerance=table["density_error"], note=note),
        check("PLAN-FAR", of_plan(case, zone["max_far"], lot, True), table["far"], lot=lot,
              tolerance=table["far_error"],
              at_worst=table["far_at_most"], unmeasured=missing(say("số tầng", "storeys"), table["no_storeys"]),
              note=note)]
    pieces = case.measures.pieces
    whose = pieces["lot"].to_numpy()
    for rule, column, upper, figure, what in (
            ("PLAN-STOREYS-MAX", "storeys", True, "max_storeys", say("chưa có số tầng", "no storeys")),
            ("PLAN-STOREYS-MIN", "storeys", False, "min_storeys", say("chưa có số tầng", "no storeys")),
            ("PLAN-HEIGHT-MAX", "height", True, "max_height_m", say("chưa có chiều cao", "no height")),
            ("PLAN-HEIGHT-MIN", "height", False, "min_height_m", say("chưa có chiều cao", "no height"))):
        found.append(check(rule, of_plan(case, zone[figure], whose, upper), pieces[column], lot=whose,
                           building=np.arange(len(pieces)), unmeasured=what))
    return found


def gross_checks(
    case: Case, buildings: NDArray[np.object_], zone: dict[str, NDArray[np.float64]], on: datetime.date
) -> list[pandas.DataFrame]:
    """Check zones with a gross density: all that is built in them over the whole zone."""
    kind = _density_kinds(case)
    place = np.flatnonzero((kind == "gross") & case.of_lots.zone_counts)
    if not len(place):
        return []
    none = np.full(len(buildings), np.nan)
    table = measure_lots(flat(case.zones)[place], buildings, none, none, np.full(len(buildings), "", dtype=object),
                         error_m=case.error_m).lots
    codes = texts(case.zones, "zone_code")[place]
    cited = [say("đồ án, ô {zone}", "plan, zone {zone}").format(zone=code) for code in codes]
    value = zone["max_density_pct"][place]
    limits = plan_limits(value, value, np.zeros(len(place), dtype=bool), cited, upper=True,
                         several=np.zeros(len(place), dtype=bool))
    kinds = lot_kinds(texts(case.zones, "function_code")[place], province_folder=case.province_folder)["gross_kind"]
    norms = gross_density_limits(kinds, on=[zone_days(case.of_lots, case.zones, on)[k] for k in place],
                                 province_folder=case.province_folder)
    # Zones are not lots: their rows carry a negative position.
    return [check(rule, figures, table["density_pct"], lot=-2 - place, tolerance=table["density_error"])
            for rule, figures in (("PLAN-GROSS", limits), ("QC-GROSS", norms))]
