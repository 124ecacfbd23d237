"""Land balance of a plan: areas, shares and m2 per person by function, closing to the boundary."""

from __future__ import annotations

from dataclasses import dataclass

import geopandas
import numpy as np
import pandas
import shapely
from numpy.typing import NDArray

from ...common.areas import HECTARE, Surface, areas_m2, check_surface
from ...common.crs import require_crs, to_crs
from ...common.errors import noted, refuse_if
from ...common.geometry import GeometryReport, InvalidGeometry, clean
from ...common.language import say
from ...common.norms.loader import load_table
from ...common.overlay import intersect_within
from ...common.progress import Progress, part, silent
from ...common.rounding import round_closed
from ..plans.function_names import match_function

#: Groups in the order of the table; "unknown" are zones whose function is not in the circular, or blank.
GROUPS = {"civil": ("Đất dân dụng", "Civil land"), "non_civil": ("Đất ngoài dân dụng", "Non-civil land"),
          "other": ("Đất nông nghiệp và chức năng khác", "Farm land and other functions"),
          "unknown": ("Chức năng không có trong danh mục", "Functions not in the list")}
#: Rows after the functions: kind, Vietnamese, English.
CLOSING = (("overlap", "Trừ: các ô chồng lấn (tính trùng)", "Less: zones that overlap (counted twice)"),
           ("outside", "Trừ: phần ô ngoài ranh giới", "Less: zones outside the boundary"),
           ("gap", "Cộng: phần ranh giới chưa có ô", "Plus: ground of the boundary without a zone"))


@dataclass(frozen=True)
class LandBalance:
    """The table and what was found in making it.

    Attributes
    ----------
    rows : DataFrame
        kind (function, total, overlap, outside, gap, boundary), code, name, group, group_confidence, area_m2 (unrounded;
        overlap and outside are negative), area_ha and share_pct (rounded so that functions add up to the total, and
        total with overlap, outside and gap to the boundary), m2_per_person (nan without population), zones (number).
    decimals : int
    population : float or None
    matched : dict of str to str
        Values of the field that are no codes and were understood, with the function they stand for.
    unknown_ids, blank_ids : list
        Zones with a function that is not in the list, or none.
    overlapping : list of (fid, fid, m2)
    gap_parts : int
        Pieces of the boundary without a zone.
    reports : tuple of GeometryReport
    """

    rows: pandas.DataFrame
    decimals: int
    population: float | None
    matched: dict[str, str]
    unknown_ids: list[object]
    blank_ids: list[object]
    overlapping: list[tuple[object, object, float]]
    gap_parts: int
    reports: tuple[GeometryReport, ...]

    def area_m2(self, codes: list[str] | None = None, group: str | None = None) -> float:
        """Return the area of some functions, or of a group."""
        rows = self.rows[self.rows["kind"] == "function"]
        chosen = rows["code"].isin(codes) if codes is not None else rows["group"].eq(group)
        return float(rows.loc[chosen, "area_m2"].sum())

    def closing(self, kind: str) -> float:
        """Return the area of total, overlap, outside, gap or boundary, in m2, without sign."""
        return abs(float(self.rows.loc[self.rows["kind"] == kind, "area_m2"].iloc[0]))


def land_balance(
    zones: geopandas.GeoDataFrame,
    function_field: str,
    *,
    boundary: geopandas.GeoDataFrame | None = None,
    population: float | None = None,
    general: bool = False,
    decimals: int = 2,
    surface: Surface = Surface.PLANE,
    invalid: InvalidGeometry = InvalidGeometry.REPAIR,
    progress: Progress = silent,
) -> LandBalance:
    """Balance the land of a plan.

    Parameters
    ----------
    zones : GeoDataFrame
        Polygons; index = feature ids.
    function_field : str
        Codes of `planning_land_functions`, or names.
    boundary : GeoDataFrame, optional
        Of the plan; its polygons are joined. Without it the zones' own ground is the boundary.
    population : float, optional
        Persons, above 0.
    general : bool
        A general plan, whose groups differ from those of sub-area and detailed plans (`land_balance_groups`).
    decimals : int
        Of hectares in the printed table.
    surface : Surface
    invalid : InvalidGeometry

    Returns
    -------
    LandBalance

    Raises
    ------
    InputError
        No coordinate system, degrees on the plane, an unknown field, no usable polygons, no people; told together.

    Examples
    --------
    >>> zones = geopandas.GeoDataFrame({"cn": ["NO", "GT"]}, geometry=[shapely.box(0, 0, 100, 70), shapely.box(0, 70, 100, 100)],
    ...                                crs="EPSG:9214")
    >>> land_balance(zones, "cn", population=100).rows[["name", "area_ha", "share_pct", "m2_per_person"]].values.tolist()[:2]
    [['Nhóm nhà ở', 0.7, 70.0, 70.0], ['Đường giao thông', 0.3, 30.0, 30.0]]
    """
    zones_name, boundary_name = say("Lớp ô quy hoạch", "The zones"), say("Lớp ranh giới", "The boundary")
    problems: list[str] = []
    with noted(problems):
        check_surface(require_crs(zones, zones_name), surface, zones_name)
    if boundary is not None:
        with noted(problems):
            require_crs(boundary, boundary_name)
    if function_field not in zones.columns:
        problems.append(say("{name} không có trường \"{field}\".", "{name} has no field \"{field}\".").format(
            name=zones_name, field=function_field))
    if population is not None and not 0 < population < np.inf:
        problems.append(say("Dân số phải lớn hơn 0.", "The population must be above 0."))
    refuse_if(problems)
    zones, report = clean(zones, "polygon", invalid, zones_name)
    reports = [report]
    if boundary is not None:
        boundary, border_report = clean(boundary, "polygon", invalid, boundary_name)
        reports.append(border_report)
        boundary = to_crs(boundary, zones.crs)
    refuse_if(say("{name} không có vùng nào dùng được.", "{name} has no usable polygon.").format(name=one.name)
              for one in reports if not one.used)
    progress(0.1)
    shapes = shapely.force_2d(np.asarray(zones.geometry.array, dtype=object))
    area = areas_m2(shapes, zones.crs, surface)
    pairs = intersect_within(shapes, part(progress, 0.1, 0.5))
    closing, gap_parts = _closing(shapes, pairs.geometry, boundary, zones.crs, surface, float(area.sum()))
    progress(0.8)
    codes, matched, unknown, blank = _functions(zones[function_field])
    rows = _table(codes, area, closing, general, population, decimals)
    progress(1.0)
    overlap = areas_m2(pairs.geometry, zones.crs, surface)
    return LandBalance(
        rows=rows, decimals=decimals, population=population, matched=matched, unknown_ids=unknown, blank_ids=blank,
        overlapping=[(zones.index[a], zones.index[b], float(m2)) for a, b, m2 in zip(pairs.left, pairs.right, overlap)],
        gap_parts=gap_parts, reports=tuple(reports))


def _functions(column: pandas.Series) -> tuple[NDArray[np.object_], dict[str, str], list[object], list[object]]:
    """Return each zone's function; values that are not known stay as they are, blank ones are ""."""
    codes, matched, unknown, blank = [], {}, [], []
    for id_, value in column.items():
        text = "" if pandas.isna(value) else str(value).strip()
        key, how = match_function(text)
        if key and how != "code":
            matched[text] = key
        if not text:
            blank.append(id_)
        elif not key:
            unknown.append(id_)
        codes.append(key or text)
    return np.array(codes, dtype=object), matched, unknown, blank


def _closing(
    shapes: NDArray[np.object_], overlaps: NDArray[np.object_], boundary: geopandas.GeoDataFrame | None, crs,
    surface: Surface,
    total: float,
) -> tuple[dict[str, float], int]:
    """Return overlap, outside, gap and boundary in m2, with total - overlap - outside + gap = boundary."""
    ground = shapely.union_all(shapes)

    def area(shape: shapely.Geometry) -> float:
        return float(areas_m2(np.array([shape], dtype=object), crs, surface)[0])

    if boundary is None:
        outside, gap, limit, parts = 0.0, 0.0, area(ground), 0
    else:
        limit_shape = shapely.union_all(shapely.force_2d(np.asarray(boundary.geometry.array, dtype=object)))
        limit, missing = area(limit_shape), shapely.difference(limit_shape, ground)
        outside, gap = _clean(area(shapely.difference(ground, limit_shape)), total), _clean(area(missing), total)
        parts = sum(one.area > 0 for one in shapely.get_parts(missing)) if gap else 0
    # What is left over closes the sum: the doubled ground, and the rounding of coordinates where none is doubled.
    overlap = total - outside + gap - limit
    if not len(overlaps):
        limit, overlap = limit + overlap, 0.0
    return {"overlap": 0.0 - overlap, "outside": 0.0 - outside, "gap": gap, "boundary": limit}, parts


def _clean(area: float, total: float) -> float:
    # The union of thousands of outlines carries the rounding of their coordinates.
    return 0.0 if area < 1e-9 * total else area


def _table(
    codes: NDArray[np.object_], area: NDArray[np.float64], closing: dict[str, float], general: bool,
    population: float | None,
    decimals: int,
) -> pandas.DataFrame:
    known = {str(row["key"]): row for row in load_table("planning_land_functions", on=None).rows}
    groups = {str(row["function"]): row for row in load_table("land_balance_groups", on=None).rows}
    column, sure = ("group_general", "confidence") if general else ("group_detail", "confidence_detail")
    sums = pandas.Series(area).groupby(codes).agg(["sum", "count"])
    order = {code: place for place, code in enumerate(known)}
    ranked = sorted(sums.index,
                    key=lambda code: (list(GROUPS).index(groups[code][column] if code in groups else "unknown"),
                                                  order.get(code, len(order)), code))
    records = []
    for code in ranked:
        name = say(str(known[code]["name_vi"]), str(known[code]["name_en"])) if code in known else (
            say("Không ghi chức năng", "No function stated") if not code else code)
        records.append({"kind": "function", "code": code, "name": name,
                        "group": groups[code][column] if code in groups else "unknown",
                        "group_confidence": groups[code][sure] if code in groups else "",
                        "area_m2": float(sums.at[code, "sum"]), "zones": int(sums.at[code, "count"])})
    extra = [{"kind": kind, "code": "", "name": say(vi, en), "area_m2": closing[kind]} for kind, vi, en in CLOSING]
    values = np.array([record["area_m2"] for record in [*records, *extra]])
    hectares = round_closed(values / HECTARE, decimals)
    shares = round_closed(100.0 * values / closing["boundary"], 2)
    for record, ha, share in zip([*records, *extra], hectares, shares):
        record |= {"area_ha": round(float(ha), decimals) + 0.0,
                   "share_pct": round(float(share), 2) + 0.0}  # no minus zero
    n = len(records)
    total = {
        "kind": "total",
        "code": "",
        "name": say("Tổng diện tích các ô", "All zones"),
        "area_m2": float(area.sum()),
        "area_ha": round(float(hectares[:n].sum()), decimals),
        "share_pct": round(float(shares[:n].sum()), 2),
        "zones": len(area),
    }
    limit = {
        "kind": "boundary",
        "code": "",
        "name": say("Tổng diện tích trong ranh giới", "All ground within the boundary"),
        "area_m2": closing["boundary"],
        "area_ha": round(float(hectares.sum()), decimals),
        "share_pct": round(float(shares.sum()), 2),
    }
    frame = pandas.DataFrame([*records, total, *extra, limit])
    for text in ("group", "group_confidence"):
        frame[text] = frame[text].fillna("") if text in frame else ""
    frame["zones"] = frame["zones"].astype("Int64")
    frame["m2_per_person"] = frame["area_m2"] / population if population else np.nan
    return frame[["kind", "code", "name", "group", "group_confidence", "area_m2", "area_ha", "share_pct", "m2_per_person", "zones"]]
