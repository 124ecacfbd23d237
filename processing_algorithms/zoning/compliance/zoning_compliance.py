"""Lots and their buildings against the plan's control figures and QCVN 01: one row per check, with its reason."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from pathlib import Path

import geopandas
import numpy as np
import pandas

from ...common.crs import require_crs, require_metric, to_crs
from ...common.errors import noted, refuse_if
from ...common.geometry import GeometryReport, InvalidGeometry, clean
from ...common.language import say
from ...common.progress import Progress, part, silent
from .compliance_case import build_case, flat, read_figures, read_heights, texts
from .compliance_checks import replaced_by_ratio
from .compliance_of_norms import norm_checks, planted_checks, road_checks, spacing_checks
from .compliance_of_plan import gross_checks, plan_checks
from .compliance_tables import check_frame, lot_frame
from .lot_measures import measure_lots
from .verdicts import Verdict
from .zones_of_lots import zones_of_lots


@dataclass(frozen=True)
class ZoningCompliance:
    """The checks, the lots, and what is worth telling.

    Attributes
    ----------
    checks : GeoDataFrame
        One row per check, by lot: lot_fid, lot, building_fid, zone_code, lot_kind, rule, check, measured, unit, limit,
        limit_strictest, limit_loosest, margin, tolerance, verdict (code), verdict_text, citation, reason, valid_to,
        confidence; geometry of the lot, or of the building's part on it.
    lots : GeoDataFrame
        One row per lot: measures and the verdict on all its checks.
    without_buildings, outside_zones, without_road : int
        Numbers of lots.
    buildings_off_lots, buildings_shared, slivers : int
    plans_not_used : list of str
    roads_without_width : int
    tolerance_m : float
    notices : list of str
    reports : tuple of GeometryReport
    """

    checks: geopandas.GeoDataFrame
    lots: geopandas.GeoDataFrame
    without_buildings: int
    outside_zones: int
    without_road: int
    buildings_off_lots: int
    buildings_shared: int
    slivers: int
    plans_not_used: list[str]
    roads_without_width: int
    tolerance_m: float
    notices: list[str]
    reports: tuple[GeometryReport, ...]

    def count(self, verdict: Verdict) -> int:
        """Return the number of checks with a verdict."""
        return int(self.checks["verdict"].eq(verdict.value).sum())


def zoning_compliance(
    lots: geopandas.GeoDataFrame,
    buildings: geopandas.GeoDataFrame,
    zones: geopandas.GeoDataFrame,
    roads: geopandas.GeoDataFrame | None = None,
    *,
    on: datetime.date,
    error_m: float,
    plans: geopandas.GeoDataFrame | None = None,
    approved: datetime.date | None = None,
    appraised: datetime.date | None = None,
    green: geopandas.GeoDataFrame | None = None,
    existing: bool = False,
    red_lines: bool = False,
    front_m: float = 1.0,
    zone_tolerance_m: float = 0.8,
    storey_height_m: float | None = None,
    invalid: InvalidGeometry = InvalidGeometry.REPAIR,
    province_folder: str | Path | None = None,
    progress: Progress = silent,
) -> ZoningCompliance:
    """Check lots and buildings.

    Parameters
    ----------
    lots : GeoDataFrame
        Polygons; index = feature ids. Optional columns label, existing (yes or no).
    buildings : GeoDataFrame
        Footprints; optional columns storeys, height_m (from the ground), use (codes of ``building_use``).
    zones : GeoDataFrame
        Optional columns plan_ref, zone_code, function_code, density_kind (net, gross) and `ZONE_NUMBERS`.
    roads : GeoDataFrame, optional
        Axes, red lines or the ground between them; optional columns name, red_line_width_m.
    on : date
        The day of the judgement.
    error_m : float
        Position error of the map's points (`map_accuracy.point_error`).
    plans : GeoDataFrame, optional
        Dataset `plan`: the plan that answers on the day decides, and its approval and appraisal choose the regulation.
        Without it all zones count and ``approved``, ``appraised`` are the plan's days.
    green : GeoDataFrame, optional
        Planted ground.
    existing : bool
        All lots are in an existing built-up area, whatever their column says.
    red_lines : bool
        Lines of ``roads`` are red lines; otherwise axes, widened by half of red_line_width_m.
    front_m : float
        A lot no farther from a road's red line fronts it.
    zone_tolerance_m : float
        Zones nowhere wider on a lot are left out (maps that do not match).
    storey_height_m : float, optional
        Gives a height to buildings of which only the storeys are known; the reason then says so.

    Returns
    -------
    ZoningCompliance

    Raises
    ------
    InputError
        No system in metres, no usable lots or buildings, numbers that are none; all told together.
    """
    layers = {"lots": (lots, "polygon", say("Lớp lô đất", "The lots")),
              "buildings": (buildings, "polygon", say("Lớp công trình", "The buildings")),
              "zones": (zones, "polygon", say("Lớp ô quy hoạch", "The zones"))}
    if roads is not None and len(roads):
        as_ground = set(roads.geom_type.dropna()) <= {"Polygon", "MultiPolygon"}
        layers["roads"] = (roads, "polygon" if as_ground else "line", say("Lớp đường", "The roads"))
    if plans is not None:
        layers["plans"] = (plans, "polygon", say("Lớp đồ án", "The plans"))
    if green is not None:
        layers["green"] = (green, "polygon", say("Lớp cây xanh", "The planted ground"))
    problems: list[str] = []
    for frame, _, name in layers.values():
        with noted(problems):
            require_crs(frame, name)
    if lots.crs is not None:
        with noted(problems):
            require_metric(lots.crs, layers["lots"][2])
    if plans is not None and "plan_ref" not in zones.columns:
        problems.append(say("Lớp ô quy hoạch thiếu trường ký hiệu đồ án (plan_ref) để nối với lớp đồ án.",
                            "The zones lack the plan's reference (plan_ref) that joins them with the plans."))
    figures = read_figures(buildings, zones, roads, layers, problems)
    refuse_if(problems)
    ready, reports = {}, []
    for key, (frame, kind, name) in layers.items():
        kept, report = clean(frame, kind, invalid, name)
        ready[key] = to_crs(kept, lots.crs)
        reports.append(report)
    refuse_if(say("{name} không có hình nào dùng được.", "{name}: no usable shapes.").format(name=report.name)
              for report in reports[:1] if not report.used)
    progress(0.05)
    lots, zones = ready["lots"], ready["zones"]
    storeys, height, guessed = read_heights(ready["buildings"], figures, storey_height_m)
    measures = measure_lots(flat(lots), flat(ready["buildings"]), storeys, height, texts(ready["buildings"], "use"),
                            error_m=error_m, progress=part(progress, 0.05, 0.4))
    of_lots = zones_of_lots(lots, zones, ready.get("plans"), on=on, approved=approved, appraised=appraised,
                            tolerance_m=zone_tolerance_m,
                            progress=part(progress, 0.4, 0.55))
    states = of_lots.states
    progress(0.56)
    case = build_case(lots, zones, measures, of_lots, existing, guessed, ready["buildings"].index, error_m,
                      province_folder)
    zone_figures = {name: values[zones.index].to_numpy() for name, values in figures["zones"].items()}
    found = [*plan_checks(case, zone_figures), *norm_checks(case), planted_checks(case, ready.get("green")),
             spacing_checks(case),
             *gross_checks(case, flat(ready["buildings"]), zone_figures, on)]
    progress(0.7)
    fronting = np.zeros(len(lots), dtype=bool)
    no_width = 0
    if "roads" in ready:
        width = figures["roads"][ready["roads"].index].to_numpy()
        more, fronting, no_width = road_checks(case, ready["roads"], width, red_lines, front_m, zone_figures,
                                                part(progress, 0.7, 0.95))
        found += more
    checks = replaced_by_ratio(pandas.concat([frame for frame in found if len(frame)] or [found[0]], ignore_index=True))
    progress(1.0)
    return ZoningCompliance(
        checks=check_frame(case, checks), lots=lot_frame(case, checks),
        without_buildings=int((~case.built).sum()), outside_zones=int((of_lots.main < 0).sum()),
        without_road=int((~fronting & case.built).sum()) if "roads" in ready else 0,
        buildings_off_lots=len(measures.off_lots),
        buildings_shared=int(measures.pieces.loc[measures.pieces["shared"], "building"].nunique()),
        slivers=measures.slivers,
        plans_not_used=[] if states is None else list(states.table.index[~states.table["in_force"]]),
        roads_without_width=no_width, tolerance_m=error_m, notices=of_lots.notices,
        reports=tuple(reports))
