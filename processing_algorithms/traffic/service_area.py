"""Service areas along streets (phạm vi phục vụ theo mạng lưới đường): what lies within a cost of each origin."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import geopandas
import numpy as np
import pandas
import pyproj
import shapely
from numpy.typing import NDArray

from ..common.crs import to_crs
from ..common.errors import InputError, name_some
from ..common.language import say
from ..common.numbers_vi import format_number
from ..common.progress import Progress, part, silent
from .breaks import check_breaks
from .network import Network
from .origins import origin_points
from .reach import Stretches, link_origins, reach_each, reach_nearest, split_at_breaks
from .shapes import areas_along, cut_edges
from .snapping import Snapped, snap


class Cost(IntEnum):
    """What travelling costs: metres, or minutes at the speed of each street."""

    DISTANCE = 0
    TIME = 1


class Merge(IntEnum):
    """How several origins share the ground."""

    EACH = 0  #: every origin on its own; overlapping
    NEAREST = 1  #: every street belongs to the origin nearest along the network
    TOGETHER = 2  #: as nearest, with one area for all origins


@dataclass(frozen=True)
class ServiceAreas:
    """Results of `service_areas`; all frames in the network's system.

    Attributes
    ----------
    lines : GeoDataFrame
        Reached stretches, drawn in the direction of travel: origin_id, street_id, break_value (the smallest break they
        lie within), from_cost, to_cost (metres or minutes), length_m.
    areas : GeoDataFrame
        origin_id (null when together), break_value, reached_m (length of streets within the break), area_m2.
    origins : GeoDataFrame
        Origins as points: origin_id, snap_m (distance to the network), used (not beyond the largest distance),
        street_id, part_m (length of streets, directions aside, connected with the origin), on_main_part, reached_m.
    network_parts : int
        Connected parts of the network, directions aside.
    warnings : list of str
        What the user should know about origins and network.
    """

    lines: geopandas.GeoDataFrame | None
    areas: geopandas.GeoDataFrame | None
    origins: geopandas.GeoDataFrame
    network_parts: int
    warnings: list[str]


def service_areas(
    network: Network,
    origins: geopandas.GeoDataFrame,
    breaks: NDArray[np.float64],
    *,
    cost: Cost = Cost.DISTANCE,
    merge: Merge = Merge.EACH,
    max_snap: float | None = None,
    width: float = 50.0,
    min_hole_m2: float = 10_000.0,
    rings: bool = False,
    want_lines: bool = True,
    want_areas: bool = True,
    label: str | None = None,
    name: str = "",
    progress: Progress = silent,
) -> ServiceAreas:
    """Find the streets and the ground that can be reached from origins within each break.

    Parameters
    ----------
    network : Network
    origins : GeoDataFrame
        Points; multi-points (entrances of one place, which starts from all of them); polygons (from the centroid, or a
        point inside where that lies outside). Index = feature ids. Reprojected to the network's system.
    breaks : array, shape (b,)
        Metres or minutes, increasing.
    cost : Cost
    merge : Merge
    max_snap : float, optional
        Metres; origins farther from every street are left out and named.
    width, min_hole_m2, rings
        Of the areas, see `shapes.areas_along`.
    label : str, optional
        Column of the origins, repeated as ``origin_name`` beside every origin_id.
    name : str
        Of the origins, for messages.

    Raises
    ------
    InputError
        Wrong breaks; no usable origin.
    """
    breaks = check_breaks(breaks)
    if not (np.isfinite(width) and width > 0):
        raise InputError(say("Bề rộng dải hai bên đường phải lớn hơn 0.",
                             "The width beside the streets must be greater than 0."))
    points, owner, report = origin_points(to_crs(origins, network.crs), name)
    progress(0.0, say("Tìm vị trí trên mạng lưới đường", "Placing origins on the network"))
    snapped = snap(network, points)
    near_enough = np.ones(len(points), dtype=bool) if max_snap is None else snapped.distance <= max_snap
    placed, group = np.unique(owner[near_enough], return_inverse=True)
    if not len(placed):
        raise InputError(
            say("{name}: mọi điểm xuất phát đều cách mạng lưới đường hơn {limit} m; gần nhất {nearest} m. "
                "Kiểm tra hệ tọa độ hoặc tăng khoảng cách cho phép.",
                "{name}: every origin is more than {limit} m from the network; the nearest is {nearest} m away. "
                "Check the coordinate system or raise the limit.")
            .format(name=name, limit=format_number(max_snap or 0.0, 1),
                    nearest=format_number(snapped.distance.min(), 1)))

    per_metre = np.ones(network.edge_count) if cost is Cost.DISTANCE else network.minutes_per_metre()
    links = link_origins(network, snapped.edge[near_enough], snapped.along[near_enough], per_metre)
    progress(0.1, say("Tìm đường ngắn nhất", "Searching shortest paths"))
    if merge is Merge.EACH:
        reached = Stretches.join(list(reach_each(links, group, float(breaks[-1]), part(progress, 0.1, 0.4))))
    else:
        reached = reach_nearest(links, group, float(breaks[-1]))
    stretches, band = split_at_breaks(reached, breaks)
    order = np.lexsort((stretches.from_cost, band, stretches.origin))
    stretches, band = stretches.take(order), band[order]
    progress(0.4, say("Cắt đoạn đường đúng ngưỡng", "Cutting streets at the breaks"))
    shapes = np.empty(0, dtype=object)
    if want_lines or want_areas:
        shapes = cut_edges(network, stretches.edge, stretches.from_along, stretches.to_along)

    ids = origins.index[placed]
    lines = _lines_frame(network, stretches, band, breaks, shapes, ids) if want_lines else None
    areas = None
    if want_areas:
        progress(0.5, say("Dựng vùng phục vụ", "Drawing the areas"))
        seeds = shapely.multipoints(shapely.points(snapped.xy[near_enough]), indices=group)
        together = merge is Merge.TOGETHER
        owner_of_area = np.zeros(len(band), dtype=np.intp) if together else stretches.origin
        shapes_of_areas = areas_along(
            shapes, owner_of_area, band, np.array([shapely.union_all(seeds)]) if together else seeds, len(breaks),
            width=width, min_hole_m2=min_hole_m2, rings=rings, progress=part(progress, 0.5, 1.0))
        areas = _areas_frame(shapes_of_areas, owner_of_area, band, stretches, breaks, None if together else ids,
                             network.crs)
    parts, part_of_edge = network.components()
    part_length = np.bincount(part_of_edge, weights=network.length)
    table = _origins_frame(network, origins, points, owner, snapped, near_enough, stretches, placed,
                           part_length[part_of_edge[snapped.edge]])
    table["on_main_part"] = table["part_m"] == part_length.max()
    if label is not None:
        for result in (lines, areas, table):
            if result is not None:
                at = result.columns.get_loc("origin_id") + 1
                result.insert(at, "origin_name", origins[label].reindex(result["origin_id"]).to_numpy())
    share = float(part_length.max() / part_length.sum())
    warnings = report.sentences() + _warnings(table, merge, max_snap, parts, share, name)
    progress(1.0)
    return ServiceAreas(lines=lines, areas=areas, origins=table, network_parts=parts, warnings=warnings)


def _lines_frame(
    network: Network, stretches: Stretches, band: NDArray[np.intp], breaks: NDArray[np.float64],
    shapes: NDArray[np.object_], ids: pandas.Index,
) -> geopandas.GeoDataFrame:
    return geopandas.GeoDataFrame(
        {"origin_id": ids[stretches.origin], "street_id": network.street_ids[network.street[stretches.edge]],
         "band": band + 1, "break_value": breaks[band], "from_cost": stretches.from_cost, "to_cost": stretches.to_cost,
         "length_m": stretches.length},
        geometry=geopandas.GeoSeries(shapes, crs=network.crs), crs=network.crs)


def _areas_frame(
    shapes: NDArray[np.object_], owner: NDArray[np.intp], band: NDArray[np.intp], stretches: Stretches,
    breaks: NDArray[np.float64], ids: pandas.Index | None, crs: pyproj.CRS | None,
) -> geopandas.GeoDataFrame:
    groups, bands = shapes.shape
    length = np.bincount(owner * bands + band, weights=stretches.length, minlength=groups * bands)
    # Largest first, so that a map drawn in this order shows the smaller ones on top.
    level = np.tile(np.arange(bands)[::-1], groups)
    number = np.repeat(np.arange(groups), bands)
    drawn = shapes[number, level]
    return geopandas.GeoDataFrame(
        {"origin_id": pandas.array([None] * len(number), dtype="Int64") if ids is None else ids[number],
         "band": level + 1, "break_value": breaks[level],
         "reached_m": np.cumsum(length.reshape(groups, bands), axis=1)[number, level], "area_m2": shapely.area(drawn)},
        geometry=geopandas.GeoSeries(drawn, crs=crs), crs=crs)


def _origins_frame(
    network: Network, origins: geopandas.GeoDataFrame, points: NDArray[np.object_], owner: NDArray[np.intp],
    snapped: Snapped, near_enough: NDArray[np.bool_], stretches: Stretches, placed: NDArray[np.intp],
    part_m: NDArray[np.float64],
) -> geopandas.GeoDataFrame:
    """One row per usable origin, at its entrance nearest to the network."""
    order = np.lexsort((snapped.distance, owner))
    entrance = order[np.concatenate([[True], owner[order][1:] != owner[order][:-1]])]
    row = owner[entrance]
    number = pandas.Index(placed).get_indexer(row)
    reached = np.bincount(stretches.origin, weights=stretches.length, minlength=len(placed))
    return geopandas.GeoDataFrame(
        {"origin_id": origins.index[row], "snap_m": snapped.distance[entrance], "used": near_enough[entrance],
         "street_id": network.street_ids[network.street[snapped.edge[entrance]]],
         "part_m": part_m[entrance],
         "reached_m": np.where(number >= 0, reached[number], np.nan)},
        geometry=geopandas.GeoSeries(points[entrance], crs=network.crs), crs=network.crs)


def _warnings(
    origins: geopandas.GeoDataFrame, merge: Merge, max_snap: float | None, parts: int, share: float, name: str
) -> list[str]:
    told = []
    used, far = origins[origins["used"]], origins[~origins["used"]]
    if len(far):
        told.append(say("{name}: {n} điểm xuất phát cách đường hơn {limit} m, không tính (fid: {ids}).",
                        "{name}: {n} origins are more than {limit} m from any street and left out (ids: {ids}).")
                    .format(name=name, n=len(far), limit=format_number(max_snap, 1), ids=name_some(far["origin_id"])))
    stuck = used[used["reached_m"] <= 0]
    if len(stuck) and merge is Merge.EACH:  # otherwise another origin on the same spot may simply have come first
        told.append(say("{name}: {n} điểm xuất phát không đi tiếp được theo chiều đường (fid: {ids}).",
                        "{name}: {n} origins cannot leave their place in the directions allowed (ids: {ids}).")
                    .format(name=name, n=len(stuck), ids=name_some(stuck["origin_id"])))
    if parts > 1:
        told.append(say("Mạng lưới đường gồm {n} phần không nối với nhau; phần lớn nhất chiếm {share} % chiều dài.",
                        "The network has {n} parts that are not connected; the largest holds {share} % of its length.")
                    .format(n=parts, share=format_number(100 * share, 1)))
        apart = used[~used["on_main_part"]]
        if len(apart):
            told.append(say("{name}: {n} điểm xuất phát nằm trên phần đường tách rời khỏi phần lớn nhất (fid: {ids}).",
                            "{name}: {n} origins stand on streets not connected with the largest part (ids: {ids}).")
                        .format(name=name, n=len(apart), ids=name_some(apart["origin_id"])))
    return told
