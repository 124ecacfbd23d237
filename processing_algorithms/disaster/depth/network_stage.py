"""Stages along a stream network, from those at a few places.

Between two gauges the stage changes evenly with the way along the streams; where branches meet it is one; above the
last gauge of a branch, and below the last on the way out, it stays as it is there (the harmonic function of the
network). So it never leaves the range of the gauges, and rises nowhere when a gauge falls. Basins without a gauge have
no stage unless one is given for all.
"""

from __future__ import annotations

from dataclasses import dataclass

import geopandas
import numpy as np
import pandas
import pyproj
import shapely
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.sparse.linalg import spsolve

from ...common.cells import metres_per_degree
from ...common.errors import InputError, name_some
from ...common.language import say

Array = NDArray[np.float64]
#: Shorter pieces of the network count as this long, m.
_SHORTEST = 0.001


@dataclass(frozen=True)
class Places:
    """Places on the network where a stage is known.

    Attributes
    ----------
    ids : array, shape (n,)
        As the user knows them.
    reach : array of int, shape (n,)
        Number of the reach, from 1.
    chainage : array of float, shape (n,)
        Metres to where water leaves.
    bed_m : array of float, shape (n,)
        Height of the drainage there.
    whole : array of bool, shape (n,)
        The stage holds for the whole reach.
    """

    ids: NDArray[np.object_]
    reach: NDArray[np.int64]
    chainage: Array
    bed_m: Array
    whole: NDArray[np.bool_]


@dataclass(frozen=True)
class ReachStages:
    """The stage of every place of the network: even along each reach, or bent where gauges stand on it.

    Attributes
    ----------
    start, end : array of float, shape (reaches + 1,)
        Stage at the upper and lower end of each reach, m above the drainage; element 0 is no reach; nan unknown.
    upper, lower : array of float, shape (reaches + 1,)
        Chainage of the ends.
    bent : dict of int to (array, array)
        Chainages (ascending) and stages of reaches with gauges on them.
    """

    start: Array
    end: Array
    upper: Array
    lower: Array
    bent: dict[int, tuple[Array, Array]]

    def at(self, reach: NDArray[np.integer], chainage: NDArray[np.floating]) -> NDArray[np.float32]:
        """Stage at places given by reach and chainage, m; nan where unknown."""
        slope = (self.start - self.end) / np.maximum(self.upper - self.lower, _SHORTEST)
        base = (self.end - slope * self.lower).astype(np.float64)
        found = base[reach] + slope[reach] * chainage
        low, high = np.fmin(self.start, self.end), np.fmax(self.start, self.end)
        found = np.clip(found, low[reach], high[reach])
        for number, (chain, stage) in self.bent.items():
            here = reach == number
            if here.any():
                found[here] = np.interp(chainage[here], chain, stage)
        return found.astype(np.float32)


def places_of_points(points: geopandas.GeoDataFrame, streams: geopandas.GeoDataFrame, within_m: float) -> Places:
    """Set gauges on the network: each on the reach that drains most of those near enough, at its nearest point.

    Parameters
    ----------
    points : GeoDataFrame
        In the CRS of the streams; index = ids.
    streams : GeoDataFrame
        ``streams.gpkg`` of a terrain model.
    within_m : float
        How far from a reach a gauge may be, m.

    Raises
    ------
    InputError
        Gauges that are farther from every reach.
    """
    shapes, scale = np.asarray(streams.geometry.array, dtype=object), _scale(streams)
    xy, owner = shapely.get_coordinates(np.asarray(points.geometry.array, dtype=object), return_index=True)
    flat = shapely.transform(shapely.force_2d(shapes), lambda c: c * scale)
    spots = shapely.points(xy * scale)
    spot, reach = shapely.STRtree(flat).query(spots, predicate="dwithin", distance=within_m)
    lost = np.setdiff1d(np.arange(len(spots)), spot)
    if lost.size:
        raise InputError(
            say("{n} điểm cách mọi dòng chảy hơn {m:g} m (fid: {ids}); kiểm tra vị trí, hoặc tăng khoảng cách tìm dòng "
                "chảy, hoặc chuẩn bị địa hình với diện tích lưu vực nhỏ hơn.",
                "{n} points are more than {m:g} m from every stream (ids: {ids}); check their places, search farther, or "
                "prepare the terrain with smaller streams.")
            .format(n=len(lost), m=within_m, ids=name_some(points.index[owner[lost]])))
    area = streams["area_km2"].to_numpy()
    order = np.lexsort((reach, -area[reach], spot))
    best = order[np.r_[True, spot[order][1:] != spot[order][:-1]]]
    spot, reach = spot[best], reach[best]
    metres = shapely.line_locate_point(flat[reach], spots[spot])
    share = metres / shapely.length(flat[reach])
    bed = shapely.get_z(shapely.line_interpolate_point(shapes[reach], share, normalized=True))
    upper, lower = (streams[name].to_numpy()[reach] for name in ("chainage_start_m", "chainage_end_m"))
    return Places(np.asarray(points.index)[owner[spot]], streams["reach_id"].to_numpy()[reach].astype(np.int64),
                  np.maximum(upper - metres, lower), bed, np.zeros(len(reach), bool))


def places_of_reaches(rows: pandas.DataFrame, field: str, streams: geopandas.GeoDataFrame) -> Places:
    """Take rows that name a reach each.

    Raises
    ------
    InputError
        Numbers that no reach has, or that come twice.
    """
    number = pandas.to_numeric(rows[field], errors="coerce")
    wrong = rows.index[~number.isin(streams["reach_id"])]
    if len(wrong):
        raise InputError(say("{n} dòng có mã đoạn sông không có trong mô hình (fid: {ids}).",
                             "{n} rows name a reach the model does not have (ids: {ids}).")
                         .format(n=len(wrong), ids=name_some(wrong)))
    twice = rows.index[number.duplicated(keep=False)]
    if len(twice):
        raise InputError(say("Một đoạn sông có nhiều mực nước (fid: {ids}); hãy giữ một.",
                             "One reach has several stages (ids: {ids}); keep one of them.").format(ids=name_some(twice)))
    at = streams.set_index("reach_id").loc[number.astype(int)]
    middle = (at["chainage_start_m"] + at["chainage_end_m"]).to_numpy() / 2
    bed = (at["bed_start_m"] + at["bed_end_m"]).to_numpy() / 2
    return Places(np.asarray(rows.index), number.to_numpy(np.int64), middle, bed, np.ones(len(rows), bool))


def even_stages(stage: float, streams: geopandas.GeoDataFrame) -> ReachStages:
    """The same stage everywhere."""
    same = np.r_[np.nan, np.full(len(streams), float(stage))]
    return ReachStages(same, same, *_ends(streams), {})


def stages_along(
    streams: geopandas.GeoDataFrame, places: Places, stage: Array, elsewhere: float | None = None
) -> ReachStages:
    """Carry stages along the network.

    Parameters
    ----------
    streams : GeoDataFrame
        Of a terrain model, reaches numbered from 1 in order.
    places : Places
    stage : array of float, shape (n,)
        Metres above the drainage at the places.
    elsewhere : float, optional
        Stage of basins without any place.

    Raises
    ------
    InputError
        Places that fall on one spot of a stream with different stages: neither may win silently.

    Examples
    --------
    One reach of 100 m with gauges 20 m and 60 m from the outlet.

    >>> streams = geopandas.GeoDataFrame({"reach_id": [1], "downstream_id": [0], "basin_id": [1],
    ...     "chainage_start_m": [100.0], "chainage_end_m": [0.0]})
    >>> two = Places(np.array([7, 8]), np.array([1, 1]), np.array([20.0, 60.0]), np.zeros(2), np.zeros(2, bool))
    >>> stages_along(streams, two, np.array([1.0, 3.0])).at(np.ones(4, int), np.array([0, 30, 60, 99.0])).tolist()
    [1.0, 1.5, 3.0, 3.0]
    """
    count = len(streams)
    upper, lower = _ends(streams)
    downstream = streams["downstream_id"].to_numpy()
    # Nodes: the upper ends of reaches 1..n, then the outlets of the last reaches, then the places.
    lower_node = np.where(downstream > 0, downstream - 1, count + np.cumsum(downstream == 0) - 1)
    first_place = count + int((downstream == 0).sum())
    nodes = first_place + len(places.ids)
    order = np.lexsort((places.chainage, places.reach))
    reach, chain = (
        places.reach[order],
        np.clip(places.chainage[order], lower[places.reach[order]], upper[places.reach[order]]),
    )
    _refuse_two_stages_at_one_spot(places.ids[order], reach, chain, np.asarray(stage, float)[order])
    from_reach = np.r_[np.arange(1, count + 1), reach, np.arange(1, count + 1)]
    position = np.r_[lower[1:], chain, upper[1:]]
    node = np.r_[lower_node, first_place + order, np.arange(count)]
    kind = np.r_[np.zeros(count), np.ones(len(reach)), np.full(count, 2)]
    along = np.lexsort((kind, position, from_reach))
    one, other = along[:-1], along[1:]
    joined = from_reach[one] == from_reach[other]
    one, other = one[joined], other[joined]
    conductance = 1.0 / np.maximum(position[other] - position[one], _SHORTEST)
    value = _harmonic(nodes, node[one], node[other], conductance, first_place + np.arange(len(stage)),
                      np.asarray(stage, float), np.nan if elsewhere is None else elsewhere)
    start, end = np.r_[np.nan, value[:count]], np.r_[np.nan, value[lower_node]]
    bent = {}
    for number in np.unique(places.reach):
        mine = along[from_reach[along] == number]
        bent[int(number)] = position[mine], value[node[mine]]
    for number, its_stage in zip(places.reach[places.whole].tolist(), np.asarray(stage, float)[places.whole]):
        start[number] = end[number] = its_stage
        bent.pop(number, None)
    return ReachStages(start, end, upper, lower, bent)


def _refuse_two_stages_at_one_spot(ids, reach, chain, stage):
    """Neighbours along a reach nearer than the shortest piece whose stages differ."""
    torn = (reach[1:] == reach[:-1]) & (np.diff(chain) < _SHORTEST) & (stage[1:] != stage[:-1])
    if torn.any():
        raise InputError(
            say(
                "Các điểm rơi vào cùng một chỗ trên dòng chảy nhưng có mực nước khác nhau (fid: {ids}); hãy giữ một, hoặc "
                "chuẩn bị địa hình với diện tích lưu vực nhỏ hơn.",
                "Points fall on one spot of a stream with different stages (ids: {ids}); keep one of them, or prepare the "
                "terrain with smaller streams.",
            ).format(ids=name_some(np.unique(ids[np.r_[torn, False] | np.r_[False, torn]])))
        )


def _harmonic(nodes, one, other, conductance, fixed, value, elsewhere):
    """Values of all nodes: fixed ones as given, the others the weighted mean of their neighbours."""
    result = np.full(nodes, elsewhere)
    result[fixed] = value
    graph = coo_array(
        (np.r_[conductance, conductance], (np.r_[one, other], np.r_[other, one])), shape=(nodes, nodes)
    ).tocsr()
    component = connected_components(graph, directed=False)[1]
    free = np.isin(component, component[fixed])
    free[fixed] = False
    free = np.flatnonzero(free)
    if free.size:
        degree = np.asarray(graph.sum(axis=1)).ravel()
        rows = graph[free]
        matrix = -rows[:, free]
        matrix = (
            matrix + coo_array((degree[free], (np.arange(free.size), np.arange(free.size))), shape=matrix.shape).tocsr()
        )
        solved = np.atleast_1d(spsolve(matrix.tocsc(), np.atleast_1d(rows[:, fixed] @ value)))
        # Rounding must not take it out of the range of the gauges of its basin.
        for number in np.unique(component[fixed]):
            given = value[component[fixed] == number]
            here = component[free] == number
            solved[here] = np.clip(solved[here], given.min(), given.max())
        result[free] = solved
    return result


def _ends(streams):
    return (
        np.r_[0.0, streams["chainage_start_m"].to_numpy(float)],
        np.r_[0.0, streams["chainage_end_m"].to_numpy(float)],
    )


def _scale(streams):
    crs = pyproj.CRS.from_user_input(streams.crs)
    if not crs.is_geographic:
        return np.ones(2)
    latitude = np.array([streams.total_bounds[[1, 3]].mean()])
    return np.array([float(along[0]) for along in metres_per_degree(crs, latitude)])
