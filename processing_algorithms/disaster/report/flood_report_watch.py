"""What a flood report is made from, and what of it waits for the strips of the depth rasters to pass, so that these are read by nobody again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import geopandas
import numpy as np
import pandas
import shapely
from numpy.typing import NDArray

from ...common.language import say
from ...common.progress import Progress, part
from ...common.raster import Grid, Window
from ...traffic.network import build_network
from ...traffic.snapping import Snapped, snap
from ..exposure.depth_at_shapes import ShapesInWater
from ..exposure.depth_classes import DepthClasses
from ..exposure.exposure_range import FacilityDepths, facility_depths
from ..exposure.exposure_run import ExposureWatch, LevelOfUnits
from ..exposure.flood_exposure import BuildingFields
from ..streets.bridges import bridges_of
from ..streets.flooded_network_tables import FloodedNetwork, flooded_network
from ..streets.road_depths import RoadsInWater
from ..streets.vehicles import Vehicle

#: The rasters of a report, in the order in which they pass.
REPORT_ENDS = ("middle", "low", "high")


@dataclass(frozen=True)
class ReportLayers:
    """What the report is made from; frames are clean and in the CRS of the terrain. Fields that are None are not known.

    Attributes
    ----------
    stations : GeoDataFrame
        Dataset ``gauge``.
    source, rivers, dykes : GeoDataFrame or None
        Where water comes from; axes the surface runs along; dykes with ``crest``.
    buildings, units, hamlets, roads, facilities, shelters : GeoDataFrame or None
    """

    stations: geopandas.GeoDataFrame
    buildings: geopandas.GeoDataFrame
    source: geopandas.GeoDataFrame | None = None
    rivers: geopandas.GeoDataFrame | None = None
    dykes: geopandas.GeoDataFrame | None = None
    units: geopandas.GeoDataFrame | None = None
    hamlets: geopandas.GeoDataFrame | None = None
    roads: geopandas.GeoDataFrame | None = None
    facilities: geopandas.GeoDataFrame | None = None
    shelters: geopandas.GeoDataFrame | None = None

    def road_names(self) -> pandas.Series | None:
        """Name of each street by its id; None where they have none."""
        return None if self.roads is None or "name" not in self.roads else self.roads["name"]


@dataclass(frozen=True)
class ReportFields:
    """Columns of the layers; None where a layer has none."""

    households: str | None = None
    residents: str | None = None
    floor_level: str | None = None
    unit: str | None = None
    hamlet: str | None = None
    crest: str | None = None
    bridge: str | None = None
    deck: str | None = None
    facility_kind: str | None = None
    shelter_name: str | None = None
    shelter_floor: str | None = None


class ReportWatch:
    """Buildings, streets, facilities and shelters of a report, in the way of the water.

    Attributes
    ----------
    exposure : ExposureWatch
    """

    def __init__(
        self, grid: Grid, layers: ReportLayers, fields: ReportFields, classes: DepthClasses, progress: Progress
    ):
        self._layers, self._fields = layers, fields
        levels = [LevelOfUnits("commune" if layers.units is not None else "all", layers.units, fields.unit)]
        if layers.hamlets is not None:
            levels.append(LevelOfUnits.of_hamlets(layers.hamlets, fields.hamlet, layers.units, fields.unit))
        self._network = (
            None if layers.roads is None else build_network(layers.roads, name=say("Đường giao thông", "Streets"))
        )
        points = shapely.point_on_surface(_shapes(layers.buildings))
        self.exposure = ExposureWatch(
            grid, REPORT_ENDS, layers.buildings, classes, levels, fields=BuildingFields(fields.households, fields.residents, fields.floor_level), with_terrain=True,
            roads=layers.roads, points=points, progress=part(progress, 0.0, 0.7))
        self._streets, self._spots = self._on_streets(grid, points, part(progress, 0.7, 1.0))
        self._facilities = (
            None if layers.facilities is None else ShapesInWater(_shapes(layers.facilities), grid, len(REPORT_ENDS))
        )
        self._shelters = (
            None
            if layers.shelters is None or self._network is None
            else ShapesInWater(_shapes(layers.shelters), grid, 1)
        )
        progress(1.0)

    def _on_streets(self, grid: Grid, points: NDArray[np.object_], progress: Progress) -> tuple[RoadsInWater | None, Snapped | None]:
        """Edges that wait for the water, and the buildings on them."""
        if self._network is None:
            return None, None
        streets = RoadsInWater(self._network.lines(), grid, part(progress, 0.0, 0.6))
        return streets, snap(self._network, points)

    def take(self, window: Window, ground: NDArray[np.float32], depths: Sequence[NDArray[np.float32]]) -> None:
        """The next strip: heights of the ground and the depths of `REPORT_ENDS`."""
        self.exposure.take(window, ground, depths)
        if self._facilities is not None:
            self._facilities.take(window, None, depths)
        if self._streets is not None:
            self._streets.take(window, ground, depths[0])
        if self._shelters is not None:
            self._shelters.take(window, ground, depths[:1])

    def facilities_found(self, classes: DepthClasses) -> FacilityDepths | None:
        """Facilities in the water; None without the layer."""
        if self._facilities is None:
            return None
        return facility_depths(
            self._layers.facilities,
            dict.fromkeys(REPORT_ENDS),
            classes,
            kind_field=self._fields.facility_kind,
            water=self._facilities.found(),
        )

    def network_found(self, kinds: list[Vehicle], vehicle: Vehicle, progress: Progress) -> FloodedNetwork | None:
        """Streets, places cut off, shelters still reached; None without streets."""
        layers, fields, network = self._layers, self._fields, self._network
        if network is None:
            return None
        bridge, deck = bridges_of(layers.roads, fields.bridge, fields.deck)
        water = self._streets.found(
            bridge=None if bridge is None else bridge[network.street],
            deck_m=None if deck is None else deck[network.street],
        )
        shelters = None if layers.shelters is None else layers.shelters.assign(kind="shelter")
        return flooded_network(
            None, network, kinds, vehicle, water=water, facility_water=None if self._shelters is None else self._shelters.found()[0], buildings=layers.buildings,
            households=fields.households, residents=fields.residents, facilities=shelters, kind_field=None if shelters is None else "kind", facility_floor=fields.shelter_floor,
            spots=self._spots, placed=self.exposure.finest, progress=progress)


def _shapes(frame: geopandas.GeoDataFrame) -> NDArray[np.object_]:
    return np.asarray(frame.geometry.array, dtype=object)
