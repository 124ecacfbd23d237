"""The results of `zoning_compliance` as tables: one row per check, one row per lot."""

from __future__ import annotations

import geopandas
import numpy as np
import pandas

from .compliance_case import Case, flat, texts
from .compliance_checks import label, unit_of
from .verdicts import Verdict


def check_frame(case: Case, checks: pandas.DataFrame) -> geopandas.GeoDataFrame:
    """Return one row per check, by lot, with the shape it is about."""
    order = checks.assign(zone_rank=checks["lot"] < 0, place=checks["lot"].abs()).sort_values(
        ["zone_rank", "place", "rule", "building"], kind="stable").index
    rows = checks.loc[order].reset_index(drop=True)
    lot, piece = rows["lot"].to_numpy(), rows["building"].to_numpy()
    of_zone, of_piece = lot < 0, piece >= 0
    zone = np.where(of_zone, -2 - lot, 0)
    names = texts(case.lots, "label")
    geometry = np.asarray(case.lots.geometry.array, dtype=object)[np.where(of_zone, 0, lot)]
    geometry[of_piece] = case.measures.pieces["geometry"].to_numpy(dtype=object)[piece[of_piece]]
    codes = texts(case.zones, "zone_code")
    if of_zone.any():
        geometry[of_zone] = flat(case.zones)[zone[of_zone]]
    fid = [None if z else _plain(case.lots.index[k]) for k, z in zip(lot, of_zone)]
    building = [_plain(case.building_ids[case.measures.pieces["building"].iat[k]]) if k >= 0 else None for k in piece]
    frame = geopandas.GeoDataFrame({
        "lot_fid": pandas.array(fid, dtype="Int64") if _whole(fid) else fid,
        "lot": ["" if z else names[k] or str(case.lots.index[k]) for k, z in zip(lot, of_zone)],
        "building_fid": pandas.array(building, dtype="Int64") if _whole(building) else building,
        "zone_code": [codes[j] if z else case.zone_label[k] for k, j, z in zip(lot, zone, of_zone)],
        "lot_kind": [None if z else case.kinds["lot_kind"].iat[k] or None for k, z in zip(lot, of_zone)],
        "rule": rows["rule"], "check": [label(rule) for rule in rows["rule"]], "measured": rows["measured"],
        "unit": [unit_of(rule) for rule in rows["rule"]], "limit": rows["limit"], "limit_strictest": rows["limit_strictest"],
        "limit_loosest": rows["limit_loosest"], "margin": rows["margin"], "tolerance": rows["tolerance"],
        "verdict": rows["verdict"], "verdict_text": [Verdict(code).label for code in rows["verdict"]],
        "citation": rows["citation"], "reason": rows["reason"].where(rows["reason"] != "", None),
        "valid_to": rows["valid_to"], "confidence": rows["confidence"].where(rows["confidence"] != "", None)},
        geometry=geopandas.GeoSeries(geometry, crs=case.lots.crs).array, crs=case.lots.crs)
    return frame


def _plain(value: object) -> object:
    return value.item() if isinstance(value, np.generic) else value


def _whole(values: list[object]) -> bool:
    return all(value is None or isinstance(value, int) for value in values)


def lot_frame(case: Case, checks: pandas.DataFrame) -> geopandas.GeoDataFrame:
    """Return one row per lot: what was measured, and the verdict on all of its checks."""
    table = case.measures.lots
    own = checks[checks["lot"] >= 0]
    counts = {verdict: np.bincount(own.loc[own["verdict"].eq(verdict.value), "lot"], minlength=len(table))
              for verdict in Verdict}
    # Broken goes before open, open before kept.
    overall = np.full(len(table), None, dtype=object)
    for verdict in (Verdict.KEPT, Verdict.OPEN, Verdict.BROKEN):
        overall[counts[verdict] > 0] = verdict.value
    names = texts(case.lots, "label")
    functions = texts(case.zones, "function_code")
    main = case.of_lots.main
    return geopandas.GeoDataFrame({
        "lot_fid": case.lots.index.to_numpy(), "lot": [name or str(fid) for name, fid in zip(names, case.lots.index)],
        "zone_code": case.zone_label,
        "function_code": np.where(main >= 0, functions[main] if len(functions) else "", ""),
        "lot_kind": case.kinds["lot_kind"].to_numpy(), "existing": case.existing,
        "area_m2": table["area"].to_numpy(), "area_error_m2": table["area_error"].to_numpy(),
        "buildings": table["buildings"].to_numpy(), "built_m2": table["built"].to_numpy(),
        "density_pct": table["density_pct"].to_numpy(), "far": table["far"].where(table["no_storeys"] == 0).to_numpy(),
        "max_storeys": table["storeys"].to_numpy(), "max_height_m": table["height"].to_numpy(),
        "no_storeys": table["no_storeys"].to_numpy(), "no_height": table["no_height"].to_numpy(),
        "verdict": overall, "broken": counts[Verdict.BROKEN],
        "open": counts[Verdict.OPEN], "kept": counts[Verdict.KEPT]},
        geometry=case.lots.geometry.array, crs=case.lots.crs)
