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

from ...common.cells import Runs
from ...common.columns import numbers
from ...common.errors import InputError
from ...common.language import say
from ...common.memory import give_back_memory
from ...common.progress import Progress, part, silent
from ...common.raster import Grid, Heights
from ...common.raster_writing import write_raster
from ..bulletin.bulletin import Bulletin, Reading, read_bulletin
from ..bulletin.bulletin_levels import Readings, chosen, reading_frame
from ..bulletin.stations import read_stations
from ..depth.dykes import with_dykes
from ..depth.flood_depth import Connectivity, FloodDepth, FloodReach, flood_reach, source_cells
from ..depth.gauges import Gauges, level_ends, metres_per_unit, read_gauges
from ..depth.river_surface import RiverGauges, on_rivers, river_network
from ..depth.water_surface import Interpolation
from ..exposure.depth_classes import DepthClasses
from ..exposure.exposure_range import FacilityDepths
from ..exposure.flood_exposure import FloodExposure
from ..streets.flooded_network_tables import FloodedNetwork
from ..streets.vehicles import Vehicle
from .flood_report_watch import REPORT_ENDS, ReportFields, ReportLayers, ReportWatch

DEPTH, RANGE = "do_sau_ngap.tif", "khoang_do_sau.tif"


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
        if (
            self.network is None
            or self.shelters is None
            or "after_shelter_m" not in self.network.places
            or self.households is None
        ):
            return None, None
        return tuple(
            float(self.households[np.isfinite(self.network.places[f"{end}_shelter_m"]).to_numpy()].sum())
            for end in ("before", "after")
        )

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
    flood, notes_of_flood = _flood(terrain, levels, layers, fields, gauge_distance_m)
    watch = ReportWatch(terrain.grid, layers, fields, classes, part(progress, 0.0, 0.3))
    give_back_memory()
    reach = _reach(flood, terrain_error_m, part(progress, 0.3, 0.4))
    depths = _write_depths(reach, flood.ground.grid, folder, watch, _tags(flood, terrain_error_m, datum, bulletin), part(progress, 0.4, 0.7))
    exposure, summary = watch.exposure.found(part(progress, 0.7, 0.8))
    facilities = watch.facilities_found(classes)
    network = watch.network_found(kinds, vehicle, part(progress, 0.8, 1.0))
    progress(1.0)
    # Notes on columns of tables are for who asked for the tables.
    notes += [
        *notes_of_flood,
        *(note for note in exposure.notes if "_missing" not in note),
        *([] if network is None else network.notes),
    ]
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
    zeroless = [
        r.station.name for r in readings if r.station.kind != "reservoir" and r.station.height(r.level_m) is None
    ]
    if reservoirs:
        notes.append(say("Mực nước hồ chứa không dùng để dựng mặt nước sông: {names}.", "Levels of reservoirs do not shape the surface of the river: {names}.").format(names=", ".join(reservoirs)))
    if zeroless:
        notes.append(
            say(
                'Trạm chưa có cao độ số "0", không dùng: {names}.',
                "Stations without a gauge zero are not used: {names}.",
            ).format(names=", ".join(zeroless))
        )
    used = [r for r in readings if r.station.name not in {*reservoirs, *zeroless}]
    if not used:
        raise InputError(
            say(
                "Không có mực nước trạm nào dùng được để lập bản đồ ngập.",
                "No station's level can be used for a flood map.",
            )
        )
    return used, notes


@dataclass(frozen=True)
class _Flood:
    """What the water surface is made from."""

    ground: Heights
    points: geopandas.GeoDataFrame
    gauges: Gauges
    rivers: RiverGauges | None
    source: Runs | None


def _flood(
    terrain: Heights,
    levels: geopandas.GeoDataFrame,
    layers: ReportLayers,
    fields: ReportFields,
    gauge_distance_m: float,
) -> tuple[_Flood, list[str]]:
    notes: list[str] = []
    ground = terrain
    if layers.dykes is not None and fields.crest is not None:
        ground, told = with_dykes(terrain, layers.dykes, fields.crest, scale=metres_per_unit(terrain.grid))
        notes += told
    points = levels[~(levels.geometry.isna() | levels.geometry.is_empty)]
    if not len(points):
        raise InputError(
            say(
                "Các trạm có mực nước chưa có vị trí trên bản đồ.",
                "The stations with a level have no place on the map.",
            )
        )
    gauges = read_gauges(points, "height_m", ground)
    rivers = None
    if layers.rivers is not None:
        rivers = on_rivers(river_network(layers.rivers, terrain.grid, gauges), gauges, gauge_distance_m)
        notes += rivers.notes
    source = None if layers.source is None else source_cells(layers.source, terrain.grid)
    return _Flood(ground, points, gauges, rivers, source), notes + gauges.notes


def _reach(flood: _Flood, error_m: float, progress: Progress) -> FloodReach:
    """Where the water of `REPORT_ENDS` gets to."""
    gauges = flood.gauges
    ends = level_ends(gauges, flood.points, "height_low_m", "height_high_m", error_m)
    return flood_reach(flood.ground, gauges, [gauges.level_m, *ends], source=flood.source, rivers=flood.rivers, method=Interpolation.LINEAR,
                       connectivity=Connectivity.FOUR, progress=progress)


def _write_depths(
    reach: FloodReach, grid: Grid, folder: Path, watch: ReportWatch, tags: dict[str, str], progress: Progress
) -> dict[str, FloodDepth]:
    names = (say("Độ sâu ngập, mức thấp", "Flood depth, low"), say("Độ sâu ngập, mức cao", "Flood depth, high"))
    with (
        write_raster(folder / DEPTH, grid, description=say("Độ sâu ngập", "Flood depth")) as middle,
        write_raster(folder / RANGE, grid, description=names) as both,
    ):
        found = reach.write([middle.write, lambda w, d: both.write(w, d, first_band=1), lambda w, d: both.write(w, d, first_band=2)], watch.take, progress)
        middle.tag(tags)
        both.tag({**tags, "BANDS": "LOW; HIGH"})
    return dict(zip(REPORT_ENDS, found))


def _tags(flood: _Flood, error_m: float, datum: str, bulletin: Bulletin) -> dict[str, str]:
    return {
        "QUYHOACH_ALGORITHM": "floodreport",
        "METHOD": "ALONG_RIVERS" if flood.rivers is not None else "LINEAR",
        "VERTICAL_DATUM": datum or "UNSTATED",
        "LEVELS_M": "; ".join(f"{n}: {h:g}" for n, h in zip(flood.points["name"], flood.points["height_m"])),
        "TERRAIN_ERROR_M": f"{error_m:g}",
        "TIME": bulletin.issued.isoformat() if bulletin.issued else "UNSTATED",
        "RANGE": RANGE,
    }
