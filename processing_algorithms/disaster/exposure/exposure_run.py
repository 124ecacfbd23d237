"""Exposure over several depth rasters and levels of units, working out once what they share: the water at the buildings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import geopandas
import numpy as np
import pandas
import shapely
from numpy.typing import NDArray

from ...common.progress import Progress, part, silent
from ...common.raster import Grid, Heights, Window
from .depth_at_shapes import ShapesInWater, Statistic, passing
from .depth_classes import ClassRaster, DepthClasses
from .exposure_places import Placed, Places, Shared, share_out
from .exposure_range import all_together, hamlet_names, range_summary
from .flood_exposure import BuildingFields, FloodExposure, flood_exposure, refuse_wrong_buildings

_NAME = "unit_name"


@dataclass(frozen=True)
class LevelOfUnits:
    """Units of one level: ``all``, ``commune`` or ``hamlet``."""

    level: str
    units: geopandas.GeoDataFrame | None
    field: str | None

    @classmethod
    def of_hamlets(
        cls,
        hamlets: geopandas.GeoDataFrame,
        name_field: str,
        communes: geopandas.GeoDataFrame | None,
        commune_field: str | None,
    ) -> LevelOfUnits:
        """Hamlets under names that tell two of one name apart."""
        named = hamlets[[hamlets.geometry.name]].assign(
            **{_NAME: hamlet_names(hamlets, name_field, communes, commune_field)}
        )
        return cls("hamlet", named, _NAME)


class ExposureWatch:
    """Buildings, roads and land that wait for the strips of the depth rasters to pass.

    Parameters
    ----------
    grid : Grid
        Of the rasters.
    ends : sequence of {"low", "middle", "high"}
        The rasters, in the order in which `take` gets them.
    levels : sequence of LevelOfUnits
        The first is that of the tables by class.
    with_terrain : bool
        `take` gets heights, too; floor levels need them.
    points : array of Point, optional
        Representative points of the buildings, where they are known.
    """

    def __init__(
        self, grid: Grid, ends: Sequence[str], buildings: geopandas.GeoDataFrame, classes: DepthClasses, levels: Sequence[LevelOfUnits], *,
        fields: BuildingFields = BuildingFields(), statistic: Statistic = Statistic.MAXIMUM, with_terrain: bool = False, roads: geopandas.GeoDataFrame | None = None,
        land_use: geopandas.GeoDataFrame | None = None, code_field: str | None = None, points: NDArray[np.object_] | None = None, progress: Progress = silent,
    ):
        refuse_wrong_buildings(buildings, fields, with_terrain)
        self._ends, self._buildings, self._classes, self._levels = list(ends), buildings, classes, levels
        self._fields, self._roads, self._land_use, self._code_field = fields, roads, land_use, code_field
        shapes = np.asarray(buildings.geometry.array, dtype=object)
        inside = shapely.point_on_surface(shapes) if points is None else points
        progress(0.05)
        self._water = ShapesInWater(shapes, grid, len(self._ends), statistic=statistic, progress=part(progress, 0.05, 0.5))
        shared = self._share(grid, part(progress, 0.5, 0.9))
        self._placed = [Placed(place, place.of_points(inside), *rest) for place, *rest in shared]
        self._rasters = [
            ClassRaster(grid, np.empty(grid.shape, np.uint8), classes)
            if land_use is not None and len(land_use)
            else None
            for _ in self._ends
        ]
        progress(1.0)

    def _share(self, grid: Grid, progress: Progress) -> list[tuple[Places, Shared | None, Shared | None]]:
        """Roads and land of every level of units; roads then watch."""
        found = []
        for k, level in enumerate(self._levels):
            told = part(progress, k / len(self._levels), (k + 1) / len(self._levels))
            found.append(share_out(level.units, level.field, self._roads, self._land_use, part(told, 0.0, 0.5)))
            if found[-1][1] is not None:
                found[-1][1].watch(grid, len(self._ends), self._classes, part(told, 0.5, 1.0))
        return found

    def take(self, window: Window, ground: NDArray[np.float32] | None, depths: Sequence[NDArray[np.float32]]) -> None:
        """The next strip: heights of the terrain and the depths of every raster."""
        self._water.take(window, ground if self._fields.floor_level is not None else None, depths)  # only floors are compared with levels
        for placed in self._placed:
            if placed.roads is not None:
                placed.roads.take(window, depths)
        for raster, depth in zip(self._rasters, depths):
            if raster is not None:
                raster.codes[window.row:window.row + window.rows] = self._classes.codes(depth)

    @property
    def finest(self) -> Placed:
        """What lies in which unit of the last level."""
        return self._placed[-1]

    def found(self, progress: Progress = silent) -> tuple[FloodExposure, pandas.DataFrame]:
        """What all strips came to; see `exposures`."""
        water, by_level = self._water.found(), []
        for number, (level, placed) in enumerate(zip(self._levels, self._placed)):
            by_level.append({end: flood_exposure(
                None, self._buildings, self._classes, fields=self._fields, units=level.units, unit_field=level.field, roads=self._roads, land_use=self._land_use,
                code_field=self._code_field if end == "middle" and number == 0 else None, water=water[k], raster=self._rasters[k], passed=k, placed=placed,
                with_buildings=end == "middle" and number == 0)
                for k, end in enumerate(self._ends)})
            progress((number + 1) / len(self._levels))
        summaries = [range_summary(found, level.level) for found, level in zip(by_level, self._levels)]
        if self._levels[0].level != "all":
            summaries.insert(0, all_together(summaries[0]))
        return by_level[0]["middle"], pandas.concat(summaries, ignore_index=True)


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
    watch = ExposureWatch(
        next(iter(depths.values())).grid, list(depths), buildings, classes, levels, fields=fields, statistic=statistic, with_terrain=terrain is not None, roads=roads,
        land_use=land_use, code_field=code_field, progress=part(progress, 0.0, 0.4))
    for window, ground, values in passing(list(depths.values()), terrain, part(progress, 0.4, 0.8)):
        watch.take(window, ground, values)
    return watch.found(part(progress, 0.8, 1.0))
