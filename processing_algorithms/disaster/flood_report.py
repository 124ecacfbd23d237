"""From a bulletin to figures: levels, depth with its range, what stands in the water, streets, places cut off, in one go.

`flood_report` joins the engines of the room; `flood_report_words` and `flood_report_tables` put its figures into words and tables. Estimates only: the risk level and
reported damage are typed by a person and never stand in one column with them.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import geopandas
import numpy as np
import pandas

from ..common.columns import numbers
from ..common.errors import InputError
from ..common.language import say
from ..common.progress import Progress, part, silent
from ..common.raster import Heights, open_raster
from ..common.raster_writing import write_raster
from ..traffic.network import build_network
from .bridges import bridges_of
from .bulletin import Bulletin, Reading, read_bulletin
from .bulletin_levels import Readings, chosen, reading_frame
from .depth_classes import DepthClasses
from .dykes import with_dykes
from .exposure_range import FacilityDepths, facility_depths
from .exposure_run import LevelOfUnits, exposures
from .flood_depth import Connectivity, FloodDepth, flood_depths, source_cells
from .flood_exposure import BuildingFields, FloodExposure
from .flooded_network_tables import FloodedNetwork, flooded_network
from .gauges import level_ends, metres_per_unit, read_gauges
from .river_surface import on_rivers, river_network
from .stations import read_stations
from .vehicles import Vehicle
from .water_surface import Interpolation

DEPTH, RANGE = "do_sau_ngap.tif", "khoang_do_sau.tif"


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


@dataclass(frozen=True)
class FloodReport:
    """All figures of a report.

    Attributes
    ----------
    bulletin : Bulletin
    used : list of Reading
        The level each station was taken at.
    levels : GeoDataFrame
        Those as a layer (`reading_frame`).
    depths : dict of {"low", "middle", "high"} to FloodDepth
    exposure : FloodExposure
    summary : DataFrame
        See `exposure_run.exposures`.
    network : FloodedNetwork or None
    facilities : FacilityDepths or None
    shelters : DataFrame or None
        Index as the shelters: name, depth_m, usable, joined_after.
    depth_path, range_path : Path
    terrain_error_m : float
    datum : str
    households : Series or None
        Of each building, null where nobody counted.
    notes : list of str
        What was assumed.
    """

    bulletin: Bulletin
    used: list[Reading]
    levels: geopandas.GeoDataFrame
    depths: dict[str, FloodDepth]
    exposure: FloodExposure
    summary: pandas.DataFrame
    network: FloodedNetwork | None
    facilities: FacilityDepths | None
    shelters: pandas.DataFrame | None
    depth_path: Path
    range_path: Path
    vehicle: Vehicle
    terrain_error_m: float
    datum: str
    households: pandas.Series | None
    notes: list[str] = field(default_factory=list)

    def shelter_access(self) -> tuple[float | None, float | None]:
        """Households with a way to a usable shelter before and after; None where it is not known."""
        if self.network is None or self.shelters is None or "after_shelter_m" not in self.network.places or self.households is None:
            return None, None
        return tuple(float(self.households[np.isfinite(self.network.places[f"{end}_shelter_m"]).to_numpy()].sum()) for end in ("before", "after"))

    @property
    def time(self) -> datetime.datetime | None:
        """The latest moment a level that was used stands for; of the bulletin where none is written."""
        times = [r.time for r in self.used if r.time is not None]
        return max(times) if times else self.bulletin.issued


def flood_report(
    text: str,
    terrain: Heights,
    layers: ReportLayers,
    fields: ReportFields,
    classes: DepthClasses,
    kinds: list[Vehicle],
    vehicle: Vehicle,
    folder: Path,
    *,
    which: Readings = Readings.HIGHEST,
    terrain_error_m: float = 0.0,
    datum: str = "",
    gauge_distance_m: float = 1000.0,
    today: datetime.date,
    on_question: Callable[[list[str]], None] | None = None,
    progress: Progress = silent,
) -> FloodReport:
    """Make the figures, and the depth rasters in a folder.

    Parameters
    ----------
    text : str
        The bulletin.
    terrain : RasterReader or ArrayRaster
        Heights in metres on a metric grid.
    folder : Path
        `DEPTH` and `RANGE` are written there.
    which : Readings
        The latest observed or the highest level of each station, forecasts included.
    terrain_error_m : float
        Taken off the low and added to the high levels.
    on_question : callable, optional
        Gets the bulletin's questions; without it they are refused.

    Raises
    ------
    InputError
        Whatever the engines refuse; questions nobody answers.
    """
    stations = read_stations(layers.stations)
    bulletin = read_bulletin(text, stations, today=today)
    if bulletin.questions:
        if on_question is None:
            raise InputError([say("Bản tin có {n} chỗ cần hỏi lại, chưa lập báo cáo:", "The bulletin leaves {n} questions; no report is made:").format(n=len(bulletin.questions)), *bulletin.questions])
        on_question(bulletin.questions)
    used, notes = _usable(chosen(bulletin.readings, which), bulletin.notes)
    levels = reading_frame(used, layers.stations)
    depths, found_notes = _depths(terrain, levels, layers, fields, folder, terrain_error_m, datum, bulletin, gauge_distance_m, part(progress, 0.0, 0.4))
    with open_raster(folder / DEPTH, name=say("Độ sâu ngập", "Flood depth")) as middle, open_raster(folder / RANGE, name="", band=1) as low, open_raster(folder / RANGE, name="", band=2) as high:
        rasters = {"middle": middle, "low": low, "high": high}
        first = LevelOfUnits("commune" if layers.units is not None else "all", layers.units, fields.unit)
        unit_levels = [first] if layers.hamlets is None else [first, LevelOfUnits.of_hamlets(layers.hamlets, fields.hamlet, layers.units, fields.unit)]
        exposure, summary = exposures(rasters, layers.buildings, classes, unit_levels, terrain=terrain, roads=layers.roads,
                                      fields=BuildingFields(fields.households, fields.residents, fields.floor_level), progress=part(progress, 0.4, 0.8))
        facilities = None
        if layers.facilities is not None:
            facilities = facility_depths(layers.facilities, rasters, classes, kind_field=fields.facility_kind)
        network = _network(middle, terrain, layers, fields, kinds, vehicle, part(progress, 0.8, 1.0))
    progress(1.0)
    # Notes on columns of tables are for who asked for the tables.
    notes += [*found_notes, *(note for note in exposure.notes if "_missing" not in note), *([] if network is None else network.notes)]
    shelters = None
    if network is not None and layers.shelters is not None:
        names = layers.shelters[fields.shelter_name].to_numpy() if fields.shelter_name else layers.shelters.index
        shelters = network.facilities.assign(name=names)
    return FloodReport(bulletin, used, levels, depths, exposure, summary, network, facilities, shelters, folder / DEPTH, folder / RANGE, vehicle, terrain_error_m, datum,
                       None if fields.households is None else pandas.Series(numbers(layers.buildings[fields.households])[0]), list(dict.fromkeys(_printable(note, fields) for note in notes)))


def _printable(note: str, fields: ReportFields) -> str:
    """A note without names of fields."""
    for name, words in ((fields.households, "số hộ"), (fields.residents, "số khẩu")):
        note = note if name is None else note.replace(f'chưa có số liệu ở trường "{name}"', f"chưa có {words}")
    return note


def _usable(readings: list[Reading], told: list[str]) -> tuple[list[Reading], list[str]]:
    """Levels of gauges whose height is known; reservoirs have no place on the river's surface."""
    notes = list(told)
    reservoirs = [r.station.name for r in readings if r.station.kind == "reservoir"]
    zeroless = [r.station.name for r in readings if r.station.kind != "reservoir" and r.station.height(r.level_m) is None]
    if reservoirs:
        notes.append(say("Mực nước hồ chứa không dùng để dựng mặt nước sông: {names}.", "Levels of reservoirs do not shape the surface of the river: {names}.").format(names=", ".join(reservoirs)))
    if zeroless:
        notes.append(say("Trạm chưa có cao độ số \"0\", không dùng: {names}.", "Stations without a gauge zero are not used: {names}.").format(names=", ".join(zeroless)))
    used = [r for r in readings if r.station.name not in {*reservoirs, *zeroless}]
    if not used:
        raise InputError(say("Không có mực nước trạm nào dùng được để lập bản đồ ngập.", "No station's level can be used for a flood map."))
    return used, notes


def _depths(terrain: Heights, levels: geopandas.GeoDataFrame, layers: ReportLayers, fields: ReportFields, folder: Path, error_m: float, datum: str, bulletin: Bulletin,
            gauge_distance_m: float, progress: Progress) -> tuple[dict[str, FloodDepth], list[str]]:
    notes: list[str] = []
    ground = terrain
    if layers.dykes is not None and fields.crest is not None:
        ground, told = with_dykes(terrain, layers.dykes, fields.crest, scale=metres_per_unit(terrain.grid))
        notes += told
    points = levels[~(levels.geometry.isna() | levels.geometry.is_empty)]
    if not len(points):
        raise InputError(say("Các trạm có mực nước chưa có vị trí trên bản đồ.", "The stations with a level have no place on the map."))
    gauges = read_gauges(points, "height_m", ground)
    rivers = None
    if layers.rivers is not None:
        rivers = on_rivers(river_network(layers.rivers, terrain.grid, gauges), gauges, gauge_distance_m)
        notes += rivers.notes
    source = None if layers.source is None else source_cells(layers.source, terrain.grid)
    ends = level_ends(gauges, points, "height_low_m", "height_high_m", error_m)
    names = (say("Độ sâu ngập, mức thấp", "Flood depth, low"), say("Độ sâu ngập, mức cao", "Flood depth, high"))
    with write_raster(folder / DEPTH, terrain.grid, description=say("Độ sâu ngập", "Flood depth")) as middle, write_raster(folder / RANGE, terrain.grid, description=names) as both:
        found = flood_depths(ground, gauges, [gauges.level_m, *ends],
                             [middle.write, lambda w, d: both.write(w, d, first_band=1), lambda w, d: both.write(w, d, first_band=2)],
                             source=source, rivers=rivers, method=Interpolation.LINEAR, connectivity=Connectivity.FOUR, progress=progress)
        tags = {"QUYHOACH_ALGORITHM": "floodreport", "METHOD": "ALONG_RIVERS" if rivers is not None else "LINEAR", "VERTICAL_DATUM": datum or "UNSTATED",
                "LEVELS_M": "; ".join(f"{n}: {h:g}" for n, h in zip(points["name"], points["height_m"])), "TERRAIN_ERROR_M": f"{error_m:g}",
                "TIME": bulletin.issued.isoformat() if bulletin.issued else "UNSTATED", "RANGE": RANGE}
        middle.tag(tags)
        both.tag({**tags, "BANDS": "LOW; HIGH"})
    return dict(zip(("middle", "low", "high"), found)), notes + gauges.notes


def _network(depth: Heights, terrain: Heights, layers: ReportLayers, fields: ReportFields, kinds: list[Vehicle], vehicle: Vehicle, progress: Progress) -> FloodedNetwork | None:
    if layers.roads is None:
        return None
    network = build_network(layers.roads, name=say("Đường giao thông", "Streets"))
    bridge, deck = bridges_of(layers.roads, fields.bridge, fields.deck)
    units, unit_field = (layers.hamlets, fields.hamlet) if layers.hamlets is not None else (layers.units, fields.unit)
    if layers.hamlets is not None:
        named = LevelOfUnits.of_hamlets(layers.hamlets, fields.hamlet, layers.units, fields.unit)
        units, unit_field = named.units, named.field
    shelters = None if layers.shelters is None else layers.shelters.assign(kind="shelter")
    return flooded_network(depth, network, kinds, vehicle, terrain=terrain, bridge=bridge, deck_m=deck, buildings=layers.buildings, households=fields.households,
                           residents=fields.residents, facilities=shelters, kind_field=None if shelters is None else "kind",
                           facility_floor=fields.shelter_floor, units=units, unit_field=unit_field, progress=progress)
