"""Figures of a flooded network by unit: who is cut off, who reaches which facilities, and over how much further a way."""

from __future__ import annotations

from dataclasses import dataclass

import geopandas
import numpy as np
import pandas
import shapely
from numpy.typing import NDArray

from ...common.columns import numbers
from ...common.errors import InputError, name_some
from ...common.language import say
from ...common.numbers_vi import format_number
from ...common.progress import Progress, part, silent
from ...common.raster import Heights
from ...traffic.network import Network
from ...traffic.snapping import Snapped, snap
from ..exposure.depth_at_shapes import BuildingDepths, building_depths
from ..exposure.exposure_places import Placed
from ..exposure.units import Units, disjoint_units
from .flooded_network import cut_off, distance_to_nearest
from .road_depths import Blocked, RoadDepths, road_depths, stretches
from .vehicles import Vehicle

#: Depth from which a street counts as wet at all, m.
WET_M = 0.05
#: Water not wider than this across a street is a canal or a brook rather than a flood, m; ours.
_CROSSING_M = 30.0
#: Less than this beside the water is no end of a street that stays dry (a lane that ends in a canal crosses nothing), m.
_DRY_END_M = 1.0


@dataclass(frozen=True)
class FloodedNetwork:
    """What `flooded_network` found.

    Attributes
    ----------
    streets : GeoDataFrame
        Stretches: street_id, passability (0 dry, 1 wet but all pass, k + 1 stops the k-th vehicle, -1 unknown), passability_label, depth_max_m, length_m,
        cut_off. Lengths add up to those of the network.
    places : DataFrame
        As the buildings given (or one per edge without buildings): unit, cut_off, joined_before, snap_m, and before_<kind>_m, after_<kind>_m.
    units : DataFrame
        By unit: buildings, households, residents, each with _cut_off, and _missing; road_m, road_impassable_m.
    access : DataFrame
        By unit and kind of facility: before_m, after_m (medians of those who have a way), further_m, and buildings, households, residents without a way.
    facilities : DataFrame
        As the facilities given: kind, depth_m (above the floor where it is known), usable, joined_after.
    impassable_m, wet_m, unknown_m, network_m : float
    notes : list of str
    """

    streets: geopandas.GeoDataFrame
    places: pandas.DataFrame
    units: pandas.DataFrame
    access: pandas.DataFrame
    facilities: pandas.DataFrame
    impassable_m: float
    wet_m: float
    unknown_m: float
    network_m: float
    notes: list[str]


def flooded_network(
    depth: Heights | None,
    network: Network,
    kinds: list[Vehicle],
    chosen: Vehicle,
    *,
    terrain: Heights | None = None,
    bridge: NDArray[np.bool_] | None = None,
    deck_m: NDArray[np.float64] | None = None,
    buildings: geopandas.GeoDataFrame | None = None,
    households: str | None = None,
    residents: str | None = None,
    facilities: geopandas.GeoDataFrame | None = None,
    kind_field: str | None = None,
    facility_depth_m: float = 0.3,
    facility_floor: str | None = None,
    units: geopandas.GeoDataFrame | None = None,
    unit_field: str | None = None,
    least_m: float = 2.0,
    water: RoadDepths | None = None,
    facility_water: BuildingDepths | None = None,
    spots: Snapped | None = None,
    placed: Placed | None = None,
    progress: Progress = silent,
) -> FloodedNetwork:
    """Compare a network before and in a flood.

    Parameters
    ----------
    depth : Heights
        Metres; 0 = dry, nan = unknown.
    network : Network
        In the CRS of the raster, which is metric.
    kinds, chosen : Vehicle
        All kinds, for the classes of streets; the one who is cut off is judged by.
    bridge, deck_m : array, by street (row of the layer the network was built from)
    buildings : GeoDataFrame, optional
        Polygons or points; without them every edge stands for itself, weighted by its length, and there are no counts.
    households, residents : str, optional
        Fields of the buildings; null is not counted, and told.
    facilities : GeoDataFrame, optional
    facility_depth_m : float
        A facility in deeper water, above its floor where that is known, is of no use.
    facility_floor : str, optional
        Field of the facilities' floor level in the terrain's datum, m; needs ``terrain``.
    units : GeoDataFrame, optional
        Polygons. ``unit_field`` names them.
    least_m : float
        Length of too deep water on an edge from which it stops a vehicle.
    water, facility_water : optional
        The water along the edges and at the facilities, where it was found before; ``depth`` and ``terrain`` are then not read.
    spots, placed : optional
        The buildings on the network, and the units each of them lies in, where they were found before.

    All frames are clean and in the CRS of the raster.
    """
    lines = network.lines()
    notes: list[str] = []
    if water is None:
        water = road_depths(
            lines,
            depth,
            terrain=terrain,
            bridge=None if bridge is None else bridge[network.street],
            deck_m=None if deck_m is None else deck_m[network.street],
            progress=part(progress, 0.0, 0.3),
        )
    if water.bridges_without_deck:
        notes.append(say("{n} đoạn cầu không có cao trình mặt cầu (hoặc chưa chọn địa hình): coi là trên mặt nước.",
                         "{n} bridges have no deck level (or no terrain is chosen): taken as above the water.").format(n=water.bridges_without_deck))
    blocked = water.blocked(chosen.depth_max_m, least_m)
    with np.errstate(invalid="ignore"):
        narrow = (
            blocked.edges
            & (blocked.last_m - blocked.first_m <= _CROSSING_M)
            & (blocked.first_m > _DRY_END_M)
            & (blocked.last_m < network.length - _DRY_END_M)
        )
    if narrow.any():
        notes.append(
            say(
                "{n} đoạn đường chỉ bị cắt ở một chỗ không quá {m} m, hai đầu khô, như chỗ vượt kênh, suối: nếu ở đó có cầu, cống, hãy đánh dấu cầu trong lớp đường; "
                "nơi bị cô lập khi đó ít đi.",
                "{n} streets are cut at one place of at most {m} m between dry ends, as where a street crosses a canal: if there is a bridge or culvert, mark it in the layer "
                "of streets; fewer places are then cut off.",
            ).format(n=int(narrow.sum()), m=format_number(_CROSSING_M))
        )
    if placed is None:
        place = _Units.of(units, unit_field, notes, part(progress, 0.3, 0.35))
    else:
        place = _Units(placed.place.names, placed.place.units)
        notes += placed.place.notes
    streets = _streets(network, lines, water, blocked, kinds)
    progress(0.5)
    points, spots = _places(network, lines, buildings) if spots is None else (None, spots)
    unit = place.named(points) if placed is None else np.array(placed.place.names, dtype=object)[placed.group]
    found = cut_off(network, spots, blocked)
    progress(0.6)
    facility_table, usable, snapped = _facilities(
        network, depth, terrain, facility_water, blocked, facilities, kind_field, facility_depth_m, facility_floor, notes, part(progress, 0.6, 0.7))
    places = pandas.DataFrame({"unit": unit, "cut_off": found.cut_off, "joined_before": found.joined_before, "snap_m": np.round(spots.distance, 1)},
                              index=buildings.index if buildings is not None else pandas.RangeIndex(len(unit)))
    if snapped is not None:
        for kind in sorted(set(facility_table["kind"])):
            of_kind = (facility_table["kind"] == kind).to_numpy()
            places[f"before_{kind}_m"] = distance_to_nearest(network, spots, _some(snapped, of_kind))
            places[f"after_{kind}_m"] = distance_to_nearest(network, spots, _some(snapped, of_kind & usable), blocked)
    progress(0.9)
    weight = _counts(buildings, households, residents, network, notes)
    apart = int((~found.joined_before).sum())
    if apart and buildings is not None:
        notes.append(say("{n} công trình vốn không nối với phần chính của mạng lưới đường: không tính là bị cô lập.",
                         "{n} buildings were not joined to the main part of the network before: not counted as cut off.").format(n=apart))
    impassable = water.length_deeper(chosen.depth_max_m)
    return FloodedNetwork(
        streets, places, _by_unit(place, places, weight, network, lines, impassable), _access(places, weight, facility_table),
        facility_table, float(impassable.sum()), float(water.length_deeper(WET_M).sum()), float(water.unknown_length().sum()), float(network.length.sum()), notes)


def _streets(
    network: Network, lines: NDArray, water: RoadDepths, blocked: Blocked, kinds: list[Vehicle]
) -> geopandas.GeoDataFrame:
    limits = np.array([WET_M, *(k.depth_max_m for k in kinds)])
    edge, geometry, code, deepest = stretches(water, lines, limits)
    labels = [
        say("Không ngập", "Dry"),
        say("Ngập, mọi loại xe còn đi được", "Wet, all vehicles pass"),
        *(say("{name} không đi được", "Stops: {name}").format(name=k.name) for k in kinds),
        say("Chưa rõ", "Unknown"),
    ]
    unknown = len(limits) + 1
    middle = Snapped(
        edge=np.arange(network.edge_count),
        along=network.length / 2,
        distance=np.zeros(network.edge_count),
        xy=np.zeros((network.edge_count, 2)),
    )
    apart = cut_off(network, middle, blocked).cut_off
    return geopandas.GeoDataFrame({
        "street_id": network.street_ids.to_numpy()[network.street[edge]], "passability": np.where(code == unknown, -1, code),
        "passability_label": np.array(labels, dtype=object)[code], "depth_max_m": np.round(deepest, 2), "length_m": np.round(shapely.length(geometry), 2),
        "cut_off": apart[edge]}, geometry=geometry, crs=network.crs)


def _places(
    network: Network, lines: NDArray, buildings: geopandas.GeoDataFrame | None
) -> tuple[NDArray[np.object_], Snapped]:
    if buildings is None:
        points = shapely.line_interpolate_point(lines, 0.5, normalized=True)
        return points, Snapped(
            edge=np.arange(network.edge_count),
            along=network.length / 2,
            distance=np.zeros(len(points)),
            xy=shapely.get_coordinates(points),
        )
    points = shapely.point_on_surface(np.asarray(buildings.geometry.array, dtype=object))
    return points, snap(network, points)


def _facilities(network: Network, depth: Heights | None, terrain: Heights | None, found: BuildingDepths | None, blocked: Blocked, facilities: geopandas.GeoDataFrame | None, kind_field: str | None, most_m: float,
                floor_field: str | None, notes: list[str], progress: Progress) -> tuple[pandas.DataFrame, NDArray[np.bool_], Snapped | None]:
    columns = ["kind", "depth_m", "usable", "joined_after", "snap_m"]
    if facilities is None or not len(facilities):
        return pandas.DataFrame(columns=columns), np.zeros(0, bool), None
    shapes = np.asarray(facilities.geometry.array, dtype=object)
    if found is None:
        found = building_depths(shapes, depth, terrain=terrain if floor_field else None, progress=progress)
    water = found.depth_m
    if floor_field is not None:
        floor, wrong = numbers(facilities[floor_field])
        if wrong:
            raise InputError(say("Trường \"{field}\" có giá trị không phải là cao độ (fid: {ids}).", "The field \"{field}\" has values that are no heights (ids: {ids}).")
                             .format(field=floor_field, ids=name_some(wrong)))
        with np.errstate(invalid="ignore"):
            above = ~np.isnan(floor) & (water > 0) & ~np.isnan(found.water_level_m)
            water = np.where(above, np.maximum(found.water_level_m - floor, 0.0), water)
    snapped = snap(network, shapely.point_on_surface(shapes))
    with np.errstate(invalid="ignore"):
        usable = ~(water > most_m)
    joined = cut_off(network, snapped, blocked)
    kind = np.full(len(facilities), "facility", dtype=object) if kind_field is None else facilities[kind_field].astype(object).where(
        facilities[kind_field].notna(), say("(không loại)", "(no kind)")).map(str).to_numpy()
    unknown = int(np.isnan(water).sum())
    if unknown:
        notes.append(say("{n} cơ sở nằm ở nơi không rõ độ sâu: coi là còn dùng được (fid: {ids}).", "{n} facilities stand where the depth is unknown: taken as usable (ids: {ids}).")
                     .format(n=unknown, ids=name_some(facilities.index[np.isnan(water)])))
    table = pandas.DataFrame({"kind": kind, "depth_m": np.round(water, 2), "usable": usable, "joined_after": joined.joined_after & usable,
                              "snap_m": np.round(snapped.distance, 1)}, index=facilities.index)
    return table, usable, snapped


def _some(snapped: Snapped, which: NDArray[np.bool_]) -> Snapped:
    return Snapped(
        edge=snapped.edge[which], along=snapped.along[which], distance=snapped.distance[which], xy=snapped.xy[which]
    )


def _counts(
    buildings: geopandas.GeoDataFrame | None,
    households: str | None,
    residents: str | None,
    network: Network,
    notes: list[str],
) -> pandas.DataFrame:
    """What each place stands for; nan where nobody counted."""
    if buildings is None:
        return pandas.DataFrame({"road_share_m": network.length})
    counts = pandas.DataFrame({"buildings": np.ones(len(buildings))}, index=buildings.index)
    for column, field in (("households", households), ("residents", residents)):
        counts[column] = np.nan
        if field is not None:
            counts[column] = numbers(buildings[field])[0]
            missing = int(counts[column].isna().sum())
            if missing:
                notes.append(say("{n} công trình chưa có số liệu ở trường \"{field}\"; không tính là 0.", "{n} buildings have no count in \"{field}\"; they are not taken as 0.")
                             .format(n=missing, field=field))
    return counts


def _by_unit(place: _Units, places: pandas.DataFrame, counts: pandas.DataFrame, network: Network, lines: NDArray, impassable: NDArray[np.float64]) -> pandas.DataFrame:
    grouped = {}
    for column in counts:
        grouped[column] = _sum(counts[column], places["unit"])
        grouped[f"{column}_cut_off"] = _sum(counts[column].where(places["cut_off"], 0.0), places["unit"])
        if column in ("households", "residents"):
            grouped[f"{column}_missing"] = counts[column].isna().groupby(places["unit"].to_numpy(), sort=False).sum()
    street_unit = place.named(shapely.line_interpolate_point(lines, 0.5, normalized=True))
    roads = (
        pandas.DataFrame({"road_m": network.length, "road_impassable_m": impassable})
        .groupby(street_unit, sort=False)
        .sum()
    )
    table = pandas.DataFrame(grouped).reindex(place.names)
    table = table.join(roads).reset_index(names="unit")
    counted = [c for c in table if c not in ("unit",) and not c.startswith(("households", "residents"))]
    table[counted] = table[counted].fillna(0.0)
    return table


def _sum(values: pandas.Series, unit: pandas.Series) -> pandas.Series:
    """Sums by unit; null where there is something and nothing is known."""
    return values.groupby(unit.to_numpy(), sort=False).sum(min_count=1)


def _access(places: pandas.DataFrame, counts: pandas.DataFrame, facilities: pandas.DataFrame) -> pandas.DataFrame:
    columns = ["unit", "kind", "before_m", "after_m", "further_m", *(f"{c}_without" for c in counts)]
    parts = []
    for kind in sorted(set(facilities["kind"])):
        had, has = (
            places[f"{end}_{kind}_m"].where(np.isfinite(places[f"{end}_{kind}_m"])) for end in ("before", "after")
        )
        lost = had.notna() & has.isna()
        found = (
            pandas.DataFrame({"before_m": had, "after_m": has, "further_m": has - had})
            .groupby(places["unit"], sort=False)
            .median()
            .round(1)
        )
        without = counts.where(lost, 0.0).groupby(places["unit"].to_numpy(), sort=False).sum().add_suffix("_without")
        parts.append(found.assign(kind=kind).join(without).rename_axis("unit").reset_index()[columns])
    return pandas.concat(parts, ignore_index=True) if parts else pandas.DataFrame(columns=columns)


@dataclass(frozen=True)
class _Units:
    names: list[str]
    units: Units | None

    @classmethod
    def of(
        cls, frame: geopandas.GeoDataFrame | None, field: str | None, notes: list[str], progress: Progress
    ) -> _Units:
        if frame is None:
            return cls([say("Toàn bộ", "All")], None)
        column = frame[field] if field else pandas.Series(frame.index, index=frame.index)
        names = [
            str(value).strip()
            if not pandas.isna(value) and str(value).strip()
            else say("(không tên) {id}", "(no name) {id}").format(id=id_)
            for id_, value in zip(frame.index, column)
        ]
        units = disjoint_units(names, np.asarray(frame.geometry.array, dtype=object), progress)
        if units.overlapping:
            notes.append(say("Các đơn vị chồng lấn nhau ({pairs}); phần chồng lấn tính cho đơn vị đứng trước.", "Units overlap ({pairs}); the common part counts for the earlier one.")
                         .format(pairs=name_some(units.overlapping)))
        return cls([*dict.fromkeys(names), say("Ngoài các đơn vị", "Outside the units")], units)

    def named(self, points: NDArray[np.object_]) -> NDArray[np.object_]:
        if self.units is None:
            return np.full(len(points), self.names[0], dtype=object)
        position = self.units.of_points(points)
        return np.array([*self.units.names, self.names[-1]], dtype=object)[position]
