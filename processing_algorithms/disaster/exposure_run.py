"""Exposure over several depth rasters and levels of units, working out once what they share: the water at the buildings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import geopandas
import numpy as np
import pandas
import shapely
from numpy.typing import NDArray

from ..common.progress import Progress, part, silent
from ..common.raster import Heights, Window
from .depth_at_shapes import Statistic, several_building_depths
from .depth_classes import ClassRaster, DepthClasses
from .exposure_places import place_all
from .exposure_range import all_together, hamlet_names, range_summary
from .flood_exposure import BuildingFields, FloodExposure, flood_exposure

_NAME = "unit_name"


@dataclass(frozen=True)
class LevelOfUnits:
    """Units of one level: ``all``, ``commune`` or ``hamlet``."""

    level: str
    units: geopandas.GeoDataFrame | None
    field: str | None

    @classmethod
    def of_hamlets(cls, hamlets: geopandas.GeoDataFrame, name_field: str, communes: geopandas.GeoDataFrame | None, commune_field: str | None) -> LevelOfUnits:
        """Hamlets under names that tell two of one name apart."""
        named = hamlets[[hamlets.geometry.name]].assign(**{_NAME: hamlet_names(hamlets, name_field, communes, commune_field)})
        return cls("hamlet", named, _NAME)


def exposures(
    depths: Mapping[str, Heights],
    buildings: geopandas.GeoDataFrame,
    classes: DepthClasses,
    levels: Sequence[LevelOfUnits],
    *,
    fields: BuildingFields = BuildingFields(),
    statistic: Statistic = Statistic.MAXIMUM,
    terrain: Heights | None = None,
    roads: geopandas.GeoDataFrame | None = None,
    land_use: geopandas.GeoDataFrame | None = None,
    code_field: str | None = None,
    progress: Progress = silent,
) -> tuple[FloodExposure, pandas.DataFrame]:
    """Count what stands in the water for every raster and level.

    Parameters
    ----------
    depths : mapping of {"low", "middle", "high"} to raster
        ``middle`` alone gives no range.
    levels : sequence of LevelOfUnits
        The first is that of the tables by class.

    Returns
    -------
    found : FloodExposure
        Of the middle raster and the first level.
    summary : DataFrame
        `range_summary` of all levels, ``all`` first.
    """
    shapes = np.asarray(buildings.geometry.array, dtype=object)
    measured = roads is not None and len(roads) or land_use is not None and len(land_use)
    grid, ends, rasters = next(iter(depths.values())).grid, list(depths), {}
    if measured:
        rasters = {end: ClassRaster(grid, np.empty(grid.shape, np.uint8), classes) for end in ends}

    def classify(number: int, window: Window, values: NDArray[np.float32]) -> None:
        rasters[ends[number]].codes[window.row:window.row + window.rows] = classes.codes(values)

    water = several_building_depths(shapes, list(depths.values()), statistic=statistic, terrain=terrain, seen=classify if measured else None,
                                    progress=part(progress, 0.0, 0.5))
    points = shapely.point_on_surface(shapes)
    by_level: dict[str, dict[str, FloodExposure]] = {}
    for number, level in enumerate(levels):
        steps = part(progress, 0.5 + 0.5 * number / len(levels), 0.5 + 0.5 * (number + 1) / len(levels))
        placed = place_all(buildings, level.units, level.field, roads, land_use, part(steps, 0.0, 0.4), points=points)
        if placed.roads is not None and len(ends) > 1:
            placed.roads.keep_cells(grid)
        by_level[level.level] = {end: flood_exposure(
            depth, buildings, classes, fields=fields, statistic=statistic, terrain=terrain, units=level.units, unit_field=level.field, roads=roads,
            land_use=land_use, code_field=code_field if end == "middle" and number == 0 else None, water=water[k], raster=rasters.get(end), placed=placed,
            progress=part(steps, 0.4 + 0.6 * k / len(ends), 0.4 + 0.6 * (k + 1) / len(ends))) for k, (end, depth) in enumerate(depths.items())}
    summaries = [range_summary(by_level[level.level], level.level) for level in levels]
    if levels[0].level != "all":
        summaries.insert(0, all_together(summaries[0]))
    return by_level[levels[0].level]["middle"], pandas.concat(summaries, ignore_index=True)
