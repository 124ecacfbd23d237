"""Exposure over several depth rasters and levels of units, working out once what they share: the water at the buildings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import geopandas
import numpy as np
import pandas

from ..common.progress import Progress, part, silent
from ..common.raster import Heights
from .depth_at_shapes import Statistic, building_depths
from .depth_classes import DepthClasses, class_raster
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
    by_level: dict[str, dict[str, FloodExposure]] = {level.level: {} for level in levels}
    for step, (end, depth) in enumerate(depths.items()):
        steps = part(progress, step / len(depths), (step + 1) / len(depths))
        water = building_depths(shapes, depth, statistic=statistic, terrain=terrain, progress=part(steps, 0.0, 0.3))
        raster = class_raster(depth, classes, part(steps, 0.3, 0.5)) if measured else None
        for number, level in enumerate(levels):
            by_level[level.level][end] = flood_exposure(
                depth, buildings, classes, fields=fields, statistic=statistic, terrain=terrain, units=level.units, unit_field=level.field, roads=roads,
                land_use=land_use, code_field=code_field if end == "middle" and number == 0 else None, water=water, raster=raster,
                progress=part(steps, 0.5 + 0.5 * number / len(levels), 0.5 + 0.5 * (number + 1) / len(levels)))
    summaries = [range_summary(by_level[level.level], level.level) for level in levels]
    if levels[0].level != "all":
        summaries.insert(0, all_together(summaries[0]))
    return by_level[levels[0].level]["middle"], pandas.concat(summaries, ignore_index=True)
