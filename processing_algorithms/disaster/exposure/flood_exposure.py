"""What stands in the water: buildings, households, people, roads and land by depth class and unit.

Exposure only: what is there, not what is damaged. Everything counts once, totals over classes and units equal what was
put in, unknown terrain is a class of its own, and a count nobody made is null, never 0.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import geopandas
import numpy as np
import pandas
from numpy.typing import NDArray

from ...common.columns import numbers
from ...common.errors import name_some, refuse_if
from ...common.language import say
from ...common.progress import Progress, part, silent
from ...common.raster import Heights
from .depth_at_shapes import BuildingDepths, Statistic, building_depths
from .depth_classes import ClassRaster, DepthClasses, class_raster
from .exposure_places import Placed, place_all


@dataclass(frozen=True)
class BuildingFields:
    """Columns of the buildings; None where nobody counted.

    Attributes
    ----------
    households, residents : str, optional
        Counts; a null is a building nobody counted.
    floor_level : str, optional
        Level of the ground floor in the terrain's vertical datum, m. Needs the terrain.
    floor_height : str, optional
        Height of the ground floor above the ground, m; used where the level is null or not given.
    """

    households: str | None = None
    residents: str | None = None
    floor_level: str | None = None
    floor_height: str | None = None


@dataclass(frozen=True)
class FloodExposure:
    """What `flood_exposure` found.

    Attributes
    ----------
    buildings : DataFrame
        Index as the buildings given: depth_m, floor_depth_m (null without a floor), depth_class (0 dry, -1 unknown),
        class_label, unit.
    table : DataFrame
        One row per unit and class: unit, unit_kind, depth_class, class_label, depth_min_m, depth_max_m, buildings,
        households, residents, households_missing, residents_missing, road_m, land_m2. Counts of a layer or field that
        was not given are null. ``*_missing`` is the number of buildings without a count.
    land : DataFrame or None
        unit, unit_kind, code, depth_class, class_label, land_m2, when land-use codes were given.
    notes : list of str
    """

    buildings: pandas.DataFrame
    table: pandas.DataFrame
    land: pandas.DataFrame | None
    classes: DepthClasses
    notes: list[str] = field(default_factory=list)


def flood_exposure(
    depth: Heights | None,
    buildings: geopandas.GeoDataFrame,
    classes: DepthClasses,
    *,
    fields: BuildingFields = BuildingFields(),
    statistic: Statistic = Statistic.MAXIMUM,
    terrain: Heights | None = None,
    units: geopandas.GeoDataFrame | None = None,
    unit_field: str | None = None,
    roads: geopandas.GeoDataFrame | None = None,
    land_use: geopandas.GeoDataFrame | None = None,
    code_field: str | None = None,
    water: BuildingDepths | None = None,
    raster: ClassRaster | None = None,
    passed: int | None = None,
    placed: Placed | None = None,
    with_buildings: bool = True,
    progress: Progress = silent,
) -> FloodExposure:
    """Count what stands in the water.

    Parameters
    ----------
    depth : RasterReader or ArrayRaster or None
        Metres, 0 = dry, nan = terrain unknown. Not needed where all that stands in the water has watched it pass.
    buildings : GeoDataFrame
        Polygons or points. A building belongs to the unit of its representative point, and to the class of its depth
        above the floor where a floor is known, above the ground elsewhere.
    classes : DepthClasses
    fields : BuildingFields
    statistic : Statistic
    terrain : RasterReader or ArrayRaster, optional
        On the same grid; needed for floor levels.
    units, roads, land_use : GeoDataFrame, optional
        Polygons, lines, polygons. An empty frame gives zeros, None gives nulls. Units of one name are one unit.
    unit_field, code_field : str, optional
        Columns; feature ids name the units without one.
    water, raster, placed : optional
        The water at these buildings, the classes of this raster, and what lies in which unit (`exposure_places.placed`), where they were
        worked out before.
    passed : int, optional
        Which of the rasters that the roads of ``placed`` watched this is.
    with_buildings : bool
        False: ``buildings`` of the result is empty, for who wants the sums only.

    All frames are clean and in the CRS of the depth raster.

    Returns
    -------
    FloodExposure

    Raises
    ------
    InputError
        Negative depths or counts, floor levels without a terrain.
    """
    if placed is None:
        refuse_wrong_buildings(buildings, fields, terrain is not None)
        placed = place_all(buildings, units, unit_field, roads, land_use, part(progress, 0.0, 0.2))
    place = placed.place
    notes = list(place.notes)
    if water is None:
        water = building_depths(
            np.asarray(buildings.geometry.array, dtype=object),
            depth,
            statistic=statistic,
            terrain=terrain,
            progress=part(progress, 0.2, 0.4),
        )
    above_floor = _above_floor(buildings, fields, water.depth_m, water.water_level_m, notes)
    deciding = water.depth_m if above_floor is None else above_floor
    code = classes.codes(deciding).astype(np.intp)
    table = place.frame(classes)
    size = (len(place.names), classes.unknown + 1)
    _count_buildings(table, buildings, fields, placed.group, code, size, notes)
    if raster is None and (
        (passed is None and roads is not None and len(roads)) or (land_use is not None and len(land_use))
    ):
        raster = class_raster(depth, classes, part(progress, 0.4, 0.6))
    table["road_m"] = (
        np.nan
        if placed.roads is None
        else placed.roads.by_unit_and_class(
            raster if passed is None else passed, size, part(progress, 0.6, 0.75)
        ).ravel()
    )
    by_code = None if land_use is None else _land(land_use, code_field, raster, placed, size, part(progress, 0.75, 1.0))
    table["land_m2"] = np.nan if by_code is None else np.sum(list(by_code.values()), axis=0).ravel() if by_code else 0.0
    unknown = int((code == classes.unknown).sum())
    if unknown:
        notes.append(say("{n} công trình nằm ở nơi không rõ độ sâu (không có địa hình hoặc ngoài raster), đếm riêng: "
                         "{ids}.",
                         "{n} buildings stand where the depth is unknown (no terrain, or outside the raster), counted "
                         "apart: {ids}.")
                     .format(n=unknown, ids=name_some(buildings.index[code == classes.unknown])))
    described = classes.all
    found = pandas.DataFrame() if not with_buildings else pandas.DataFrame({
        "depth_m": water.depth_m,
        "floor_depth_m": np.nan if above_floor is None else above_floor,
        "depth_class": np.array([c.code for c in described])[code],
        "class_label": np.array([c.label for c in described], dtype=object)[code],
        "unit": np.array(place.names, dtype=object)[placed.group],
    }, index=buildings.index)
    land = place.land_frame(classes, by_code) if by_code is not None and code_field is not None else None
    return FloodExposure(found, place.without_empty_outside(table), land, classes, notes)


def sums_of_known(columns: pandas.DataFrame, keys: list[pandas.Series]) -> pandas.DataFrame:
    """`sum_of_known` of every column by the values of the keys, null for None, in the order in which these first occur."""
    grouped = columns.astype("float64").groupby(keys, sort=False)
    total, known, rows = grouped.sum(), grouped.count(), grouped.size().to_numpy()[:, None]
    return total.mask((known == 0) | ((known < rows) & (total == 0)))


def sum_of_known(column: pandas.Series) -> float | None:
    """Sum over rows of the table; None when there are values and none is known.

    Examples
    --------
    >>> sum_of_known(pandas.Series([3.0, None])), sum_of_known(pandas.Series([0.0, None]))
    (3.0, None)
    """
    known = column.dropna()
    if len(known) == 0 and len(column):
        return None
    # Rows without a building hold 0, so a null beside zeros is still nobody counted.
    if len(known) < len(column) and float(known.sum()) == 0:
        return None
    return float(known.sum())


def refuse_wrong_buildings(buildings: geopandas.GeoDataFrame, fields: BuildingFields, with_terrain: bool) -> None:
    """Refuse counts and floors that are no numbers or below 0, and floor levels without the terrain."""
    problems = []
    if fields.floor_level and not with_terrain:
        problems.append(say("Cao độ nền nhà chỉ dùng được cùng với địa hình đã tính độ sâu; hãy chọn lớp địa hình.",
                            "Floor levels need the terrain the depth was computed from; choose the terrain."))
    for name in (fields.households, fields.residents, fields.floor_level, fields.floor_height):
        if name is None:
            continue
        values, wrong = numbers(buildings[name])
        if wrong:
            problems.append(say("Trường \"{field}\" có giá trị không phải là số (fid: {ids}).",
                                "The field \"{field}\" has values that are no numbers (ids: {ids}).")
                            .format(field=name, ids=name_some(wrong)))
        negative = values < 0
        if negative.any() and name != fields.floor_level:
            problems.append(say("Trường \"{field}\" có giá trị âm (fid: {ids}).",
                                "The field \"{field}\" has negative values (ids: {ids}).")
                            .format(field=name, ids=name_some(buildings.index[negative])))
    refuse_if(problems)


def _above_floor(
    buildings: geopandas.GeoDataFrame, fields: BuildingFields, depth: NDArray[np.float64], level: NDArray[np.float64],
    notes: list[str],
) -> NDArray[np.float64] | None:
    """Depth above the floor, m: 0 when the floor is above the water, nan when the depth is unknown."""
    if fields.floor_level is None and fields.floor_height is None:
        return None
    above = depth.copy()
    without = np.ones(len(buildings), bool)
    if fields.floor_height is not None:
        height = numbers(buildings[fields.floor_height])[0]
        known = ~np.isnan(height)
        above[known] = np.maximum(depth[known] - height[known], 0.0)
        without &= ~known
    if fields.floor_level is not None:
        floor = numbers(buildings[fields.floor_level])[0]
        known = ~np.isnan(floor)
        wet = known & (depth > 0)
        above[wet] = np.maximum(level[wet] - floor[wet], 0.0)
        without &= ~known
    if without.any():
        notes.append(say("{n} công trình không có số liệu nền nhà; dùng độ sâu trên mặt đất.",
                         "{n} buildings have no floor; their depth is that above the "
                         "ground.").format(n=int(without.sum())))
    return above


def _count_buildings(
    table: pandas.DataFrame, buildings: geopandas.GeoDataFrame, fields: BuildingFields, group: NDArray[np.intp],
    code: NDArray[np.intp], size: tuple[int, int], notes: list[str],
) -> None:
    cell = group * size[1] + code
    counted = np.bincount(cell, minlength=size[0] * size[1])
    table["buildings"] = counted
    for column, name in (("households", fields.households), ("residents", fields.residents)):
        if name is None:
            table[column] = pandas.array([pandas.NA] * len(table), dtype="Int64")
            table[f"{column}_missing"] = pandas.array([pandas.NA] * len(table), dtype="Int64")
            continue
        values = numbers(buildings[name])[0]
        missing = np.isnan(values)
        sums = np.bincount(cell, np.where(missing, 0.0, values), size[0] * size[1])
        nobody = np.bincount(cell[missing], minlength=size[0] * size[1])
        sums[(nobody == counted) & (counted > 0)] = np.nan
        whole = bool((np.where(missing, 0.0, values) % 1 == 0).all())
        table[column] = pandas.array([pandas.NA if np.isnan(v) else int(v) for v in sums],
                                     dtype="Int64") if whole else sums
        table[f"{column}_missing"] = nobody
        if missing.any():
            notes.append(say("{n} công trình chưa có số liệu ở trường \"{field}\"; không tính là 0 (cột {column}).",
                             "{n} buildings have no count in \"{field}\"; they are not taken as 0 (column {column}).")
                         .format(n=int(missing.sum()), field=name, column=f"{column}_missing"))


def _land(
    land_use: geopandas.GeoDataFrame,
    code_field: str | None,
    raster: ClassRaster | None,
    placed: Placed,
    size: tuple[int, int],
    progress: Progress,
) -> dict[str | None, NDArray[np.float64]]:
    """Area by unit and class for each land-use code (one entry without codes)."""
    if not len(land_use):
        return {}
    codes = np.zeros(len(land_use), np.intp)
    names: list[str | None] = [None]
    if code_field is not None:
        text = land_use[code_field].astype(object).where(land_use[code_field].notna(), None)
        codes, names = pandas.factorize(text.map(lambda value: "" if value is None else str(value)), sort=True)
        names = [name or None for name in names]
    stacked = placed.land.by_unit_and_class(raster, (len(names) * size[0], size[1]), progress, codes * size[0])
    return dict(zip(names, stacked.reshape(len(names), *size)))
