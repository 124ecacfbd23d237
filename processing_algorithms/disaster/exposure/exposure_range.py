"""Low, middle and high figures of what stands in the water, by level of unit; and facilities in the water.

The three come from three depth rasters of which one is nowhere deeper than the next, so low <= middle <= high holds for every count that is known.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import geopandas
import numpy as np
import pandas
import shapely
from numpy.typing import NDArray

from ...common.columns import numbers
from ...common.errors import InputError, name_some
from ...common.language import say
from ...common.progress import Progress, silent
from ...common.raster import Heights
from .depth_at_shapes import BuildingDepths, Statistic, several_building_depths
from .depth_classes import DRY, UNKNOWN_IN_TABLES, DepthClasses
from .flood_exposure import FloodExposure, sum_of_known, sums_of_known

#: What is summed, in the order of the tables.
QUANTITIES = ("buildings", "households", "residents", "road_m", "land_m2")
ENDS = ("low", "middle", "high")


def wet_totals(found: FloodExposure) -> pandas.DataFrame:
    """Everything in the water by unit: `QUANTITIES`, null where nobody counted.

    Returns
    -------
    DataFrame
        Index = (unit_kind, unit); further columns: households_missing, residents_missing (buildings in the water without a count),
        buildings_unknown.
    """
    keys = ["unit_kind", "unit"]
    names = [*QUANTITIES, "households_missing", "residents_missing"]
    wet = found.table[found.table["depth_class"] > DRY]
    table = sums_of_known(wet[names], [wet[key] for key in keys])
    unknown = found.table[found.table["depth_class"] == UNKNOWN_IN_TABLES]
    table["buildings_unknown"] = unknown.groupby(keys, sort=False)["buildings"].sum().astype(float)
    return table.reindex(pandas.MultiIndex.from_frame(found.table[keys].drop_duplicates(), names=keys))


def range_summary(found: Mapping[str, FloodExposure], level: str) -> pandas.DataFrame:
    """One row per unit with low, middle and high of every quantity.

    Parameters
    ----------
    found : mapping of {"low", "middle", "high"} to FloodExposure
        ``middle`` alone where there is no range; low and high are then null.
    level : str
        ``all``, ``commune`` or ``hamlet``.

    Returns
    -------
    DataFrame
        level, unit, unit_kind, <quantity>_low, <quantity>, <quantity>_high, households_missing, residents_missing, buildings_unknown.
    """
    totals = {end: wet_totals(exposure) for end, exposure in found.items()}
    middle = totals["middle"]
    table = pandas.DataFrame(index=middle.index)
    for name in QUANTITIES:
        for end in ENDS:
            column = name if end == "middle" else f"{name}_{end}"
            table[column] = totals[end][name].reindex(middle.index) if end in totals else np.nan
    for name in ("households_missing", "residents_missing", "buildings_unknown"):
        table[name] = middle[name]
    table = table.reset_index()
    table.insert(0, "level", level)
    return table


def all_together(summary: pandas.DataFrame) -> pandas.DataFrame:
    """The sum over the units of one level, as a row of level ``all``."""
    row = {
        column: sum_of_known(summary[column]) if summary[column].notna().any() else np.nan
        for column in summary.columns[3:]
    }
    return pandas.DataFrame(
        [{"level": "all", "unit_kind": "all", "unit": say("Toàn bộ", "All"), **row}], columns=summary.columns
    )


def hamlet_names(
    hamlets: geopandas.GeoDataFrame, name_field: str, communes: geopandas.GeoDataFrame | None, commune_field: str | None
) -> list[str]:
    """Names of hamlets that tell two of one name apart: the commune's name in brackets, where communes are known."""
    names = ["" if pandas.isna(v) else str(v).strip() for v in hamlets[name_field]]
    if communes is None or commune_field is None:
        return names
    points = shapely.point_on_surface(np.asarray(hamlets.geometry.array, dtype=object))
    one, other = shapely.STRtree(np.asarray(communes.geometry.array, dtype=object)).query(
        points, predicate="intersects"
    )
    commune = np.full(len(hamlets), "", dtype=object)
    commune[one[::-1]] = (
        communes[commune_field].map(lambda v: "" if pandas.isna(v) else str(v).strip()).to_numpy()[other[::-1]]
    )
    return [f"{name} ({where})" if where else name for name, where in zip(names, commune)]


@dataclass(frozen=True)
class FacilityDepths:
    """Facilities against the three rasters.

    Attributes
    ----------
    facilities : DataFrame
        Index as given: kind, depth_low_m, depth_m, depth_high_m, floor_depth_m, depth_class, class_label.
    summary : DataFrame
        By kind: total, wet_low, wet, wet_high, unknown.
    """

    facilities: pandas.DataFrame
    summary: pandas.DataFrame


def facility_depths(
    facilities: geopandas.GeoDataFrame, depths: Mapping[str, Heights | None], classes: DepthClasses, *, kind_field: str | None = None, floor_field: str | None = None,
    terrain: Heights | None = None, water: Sequence[BuildingDepths] | None = None, progress: Progress = silent,
) -> FacilityDepths:
    """Find the water at facilities (schools, clinics, shelters).

    Parameters
    ----------
    facilities : GeoDataFrame
        Points or polygons, clean, in the CRS of the rasters.
    depths : mapping of {"low", "middle", "high"} to raster
        With ``water`` the names are enough.
    water : sequence of BuildingDepths, optional
        The water at the facilities in each raster, where it was found before.
    floor_field : str, optional
        Floor level in the terrain's datum, m; needs ``terrain``. A facility is in the water when its floor is.

    Raises
    ------
    InputError
        Floor levels that are no numbers, or without a terrain.
    """
    if floor_field is not None and terrain is None:
        raise InputError(say("Cao độ nền của cơ sở cần có địa hình.", "Floor levels of facilities need the terrain."))
    shapes = np.asarray(facilities.geometry.array, dtype=object)
    floor = np.full(len(facilities), np.nan)
    if floor_field is not None:
        floor, wrong = numbers(facilities[floor_field])
        if wrong:
            raise InputError(say("Trường \"{field}\" có giá trị không phải là cao độ (fid: {ids}).", "The field \"{field}\" has values that are no heights (ids: {ids}).")
                             .format(field=floor_field, ids=name_some(wrong)))
    if water is None:
        water = several_building_depths(
            shapes, list(depths.values()), statistic=Statistic.MAXIMUM, terrain=terrain, progress=progress
        )
    found = {end: one.depth_m for end, one in zip(depths, water)}
    above = {end: _above(one.depth_m, one.water_level_m, floor) for end, one in zip(depths, water)}
    code = classes.codes(above["middle"]).astype(np.intp)
    kind = (
        np.full(len(facilities), say("Cơ sở", "Facility"), dtype=object)
        if kind_field is None
        else facilities[kind_field]
        .map(lambda v: say("(không loại)", "(no kind)") if pandas.isna(v) else str(v))
        .to_numpy(dtype=object)
    )
    table = pandas.DataFrame({"kind": kind, **{f"depth_{end}_m" if end != "middle" else "depth_m": np.round(found[end], 3) for end in ENDS if end in found},
                              "floor_depth_m": np.where(np.isnan(floor), np.nan, np.round(above["middle"], 3)),
                              "depth_class": np.array([c.code for c in classes.all])[code], "class_label": np.array([c.label for c in classes.all], dtype=object)[code]},
                             index=facilities.index)
    wet = pandas.DataFrame({end: above[end] > 0 for end in above}, index=facilities.index)
    grouped = wet.groupby(kind, sort=True).sum()
    summary = pandas.DataFrame({"kind": grouped.index, "total": pandas.Series(kind).value_counts().reindex(grouped.index).to_numpy(),
                                **{f"wet_{end}" if end != "middle" else "wet": grouped[end].to_numpy() if end in grouped else np.nan for end in ENDS},
                                "unknown": pandas.Series(np.isnan(above["middle"])).groupby(kind, sort=True).sum().to_numpy()})
    return FacilityDepths(table, summary)


def _above(depth: NDArray[np.float64], level: NDArray[np.float64], floor: NDArray[np.float64]) -> NDArray[np.float64]:
    with np.errstate(invalid="ignore"):
        known = ~np.isnan(floor) & (depth > 0) & ~np.isnan(level)
        return np.where(known, np.maximum(level - floor, 0.0), depth)
