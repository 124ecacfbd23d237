"""What stands in the water: buildings, households, people, roads and land by depth class and unit.

Exposure only: what is there, not what is damaged. Everything counts once, totals over classes and units equal what was
put in, unknown terrain is a class of its own, and a count nobody made is null, never 0.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import geopandas
import numpy as np
import pandas
import shapely
from numpy.typing import NDArray

from ..common.columns import numbers
from ..common.errors import name_some, refuse_if
from ..common.language import say
from ..common.progress import Progress, part, silent
from ..common.raster import Heights
from .depth_at_shapes import BuildingDepths, Statistic, areas_by_class, building_depths, lengths_by_class
from .depth_classes import ClassRaster, DepthClasses, class_raster
from .units import Units, disjoint_units

#: Units of the tables: a unit of the layer, the ground outside all of them, and everything when no units were given.
UNIT, OUTSIDE, EVERYTHING = "unit", "outside", "all"


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
    depth: Heights,
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
    progress: Progress = silent,
) -> FloodExposure:
    """Count what stands in the water.

    Parameters
    ----------
    depth : RasterReader or ArrayRaster
        Metres, 0 = dry, nan = terrain unknown.
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
    water, raster : optional
        The water at these buildings and the classes of this raster, where they were worked out before.

    All frames are clean and in the CRS of the depth raster.

    Returns
    -------
    FloodExposure

    Raises
    ------
    InputError
        Negative depths or counts, floor levels without a terrain.
    """
    _check(buildings, fields, terrain)
    place = _Places.of(units, unit_field, part(progress, 0.0, 0.05))
    notes = list(place.notes)
    shapes = np.asarray(buildings.geometry.array, dtype=object)
    if water is None:
        water = building_depths(shapes, depth, statistic=statistic, terrain=terrain, progress=part(progress, 0.05, 0.4))
    above_floor = _above_floor(buildings, fields, water.depth_m, water.water_level_m, notes)
    deciding = water.depth_m if above_floor is None else above_floor
    code = classes.codes(deciding).astype(np.intp)
    group = place.of_points(shapely.point_on_surface(shapes))
    table = place.frame(classes)
    size = (len(place.names), classes.unknown + 1)
    _count_buildings(table, buildings, fields, group, code, size, notes)
    if raster is None and ((roads is not None and len(roads)) or (land_use is not None and len(land_use))):
        raster = class_raster(depth, classes, part(progress, 0.4, 0.6))
    table["road_m"] = _roads(roads, raster, place, size, part(progress, 0.6, 0.75))
    by_code = _land(land_use, code_field, raster, place, size, part(progress, 0.75, 1.0))
    table["land_m2"] = np.nan if by_code is None else np.sum(list(by_code.values()), axis=0).ravel() if by_code else 0.0
    unknown = int((code == classes.unknown).sum())
    if unknown:
        notes.append(say("{n} công trình nằm ở nơi không rõ độ sâu (không có địa hình hoặc ngoài raster), đếm riêng: "
                         "{ids}.",
                         "{n} buildings stand where the depth is unknown (no terrain, or outside the raster), counted "
                         "apart: {ids}.")
                     .format(n=unknown, ids=name_some(buildings.index[code == classes.unknown])))
    described = classes.all
    found = pandas.DataFrame({
        "depth_m": water.depth_m,
        "floor_depth_m": np.nan if above_floor is None else above_floor,
        "depth_class": np.array([c.code for c in described])[code],
        "class_label": np.array([c.label for c in described], dtype=object)[code],
        "unit": np.array(place.names, dtype=object)[group],
    }, index=buildings.index)
    land = place.land_frame(classes, by_code) if by_code is not None and code_field is not None else None
    return FloodExposure(found, place.without_empty_outside(table), land, classes, notes)


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


def _check(buildings: geopandas.GeoDataFrame, fields: BuildingFields, terrain: Heights | None) -> None:
    problems = []
    if fields.floor_level and terrain is None:
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


def _roads(
    roads: geopandas.GeoDataFrame | None, raster: ClassRaster | None, place: _Places, size: tuple[int, int],
    progress: Progress,
) -> NDArray[np.float64] | float:
    if roads is None:
        return np.nan
    if not len(roads):
        return 0.0
    lines = np.asarray(roads.geometry.array, dtype=object)
    return _shared(lines, lengths_by_class, place.units and place.units.cut_lines, raster, place, size,
                   progress).ravel()


def _land(
    land_use: geopandas.GeoDataFrame | None, code_field: str | None, raster: ClassRaster | None, place: _Places,
    size: tuple[int, int], progress: Progress,
) -> dict[str | None, NDArray[np.float64]] | None:
    """Area by unit and class for each land-use code (one entry without codes); None without land use."""
    if land_use is None:
        return None
    if not len(land_use):
        return {}
    polygons = np.asarray(land_use.geometry.array, dtype=object)
    codes = np.zeros(len(polygons), np.intp)
    names: list[str | None] = [None]
    if code_field is not None:
        text = land_use[code_field].astype(object).where(land_use[code_field].notna(), None)
        codes, names = pandas.factorize(text.map(lambda value: "" if value is None else str(value)), sort=True)
        names = [name or None for name in names]
    stacked = _shared(polygons, areas_by_class, place.units and place.units.cut_polygons, raster, place,
                      (len(names) * size[0], size[1]), progress, codes * size[0])
    return dict(zip(names, stacked.reshape(len(names), *size)))


def _shared(shapes, measure, cut, raster, place, size, progress, offset=None) -> NDArray[np.float64]:
    """Measure shapes by class and add them up by unit; ``offset`` shifts the units of each shape (by land-use code)."""
    offset = np.zeros(len(shapes), np.intp) if offset is None else offset
    result = np.zeros(size)
    if cut is None:
        np.add.at(result, offset + place.elsewhere, measure(shapes, raster, progress))
        return result
    pieces = cut(shapes, part(progress, 0.0, 0.4))
    inside = measure(pieces.geometry, raster, part(progress, 0.4, 0.7))
    np.add.at(result, offset[pieces.shape] + place.group[pieces.unit], inside)
    rest = measure(shapes[pieces.whole], raster, part(progress, 0.7, 1.0))
    position = np.full(len(shapes), -1)
    position[pieces.whole] = np.arange(len(pieces.whole))
    partly = position[pieces.shape] >= 0
    taken = np.zeros_like(rest)
    np.add.at(taken, position[pieces.shape[partly]], inside[partly])
    left = rest - taken
    # What is left after subtraction is rounding unless it is a visible share of the shape.
    left[left < 1e-9 * rest.sum(axis=1, keepdims=True)] = 0.0
    np.add.at(result, offset[pieces.whole] + place.elsewhere, left)
    return result


@dataclass(frozen=True)
class _Places:
    """Rows of the tables: units by name, and what is outside all of them (or everything, without units)."""

    names: list[str]
    units: Units | None
    group: NDArray[np.intp]
    notes: list[str]

    @classmethod
    def of(cls, frame: geopandas.GeoDataFrame | None, unit_field: str | None, progress: Progress) -> _Places:
        if frame is None:
            return cls([say("Toàn bộ", "All")], None, np.zeros(0, np.intp), [])
        column = frame[unit_field] if unit_field else pandas.Series(frame.index, index=frame.index)
        nameless = say("(không tên) {id}", "(no name) {id}")
        names = [nameless.format(id=id_) if pandas.isna(value) or str(value).strip() == "" else str(value).strip()
                 for id_, value in zip(frame.index, column)]
        units = disjoint_units(names, np.asarray(frame.geometry.array, dtype=object), progress)
        group, unique = pandas.factorize(np.array(names, dtype=object))
        notes = []
        if units.overlapping:
            notes.append(say("Các đơn vị chồng lấn nhau ({pairs}); phần chồng lấn tính cho đơn vị đứng trước.",
                             "Units overlap ({pairs}); the common part counts for the earlier one.")
                         .format(pairs=name_some(units.overlapping)))
        return cls([*unique, say("Ngoài các đơn vị", "Outside the units")], units, group.astype(np.intp), notes)

    @property
    def elsewhere(self) -> int:
        return len(self.names) - 1

    def of_points(self, points: NDArray[np.object_]) -> NDArray[np.intp]:
        if self.units is None:
            return np.zeros(len(points), np.intp)
        unit = self.units.of_points(points)
        return np.where(unit >= 0, np.r_[self.group, self.elsewhere][unit], self.elsewhere)

    def kinds(self) -> list[str]:
        return [EVERYTHING] if self.units is None else [UNIT] * self.elsewhere + [OUTSIDE]

    def frame(self, classes: DepthClasses) -> pandas.DataFrame:
        described, places = classes.all, len(self.names)
        return pandas.DataFrame({
            "unit": np.repeat(np.array(self.names, dtype=object), len(described)),
            "unit_kind": np.repeat(np.array(self.kinds(), dtype=object), len(described)),
            "depth_class": [c.code for c in described] * places,
            "class_label": [c.label for c in described] * places,
            "depth_min_m": np.array([c.minimum_m for c in described] * places, dtype=float),
            "depth_max_m": np.array([c.maximum_m for c in described] * places, dtype=float),
        })

    def without_empty_outside(self, table: pandas.DataFrame) -> pandas.DataFrame:
        measured = table[["buildings", "road_m", "land_m2"]].fillna(0).to_numpy(dtype=float)
        outside = (table["unit_kind"] == OUTSIDE).to_numpy()
        empty = self.elsewhere > 0 and outside.any() and not measured[outside].any()
        return table[~outside].reset_index(drop=True) if empty else table

    def land_frame(self, classes: DepthClasses, by_code: dict[str | None, NDArray[np.float64]]) -> pandas.DataFrame:
        rows = [(self.names[place], self.kinds()[place], code, described.code, described.label, float(areas[place, k]))
                for code, areas in by_code.items() for place in range(len(self.names))
                for k, described in enumerate(classes.all) if areas[place, k] > 0]
        return pandas.DataFrame(rows, columns=["unit", "unit_kind", "code", "depth_class", "class_label", "land_m2"])
