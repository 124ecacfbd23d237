"""Water levels read at places: gauges, or flood marks used as such, checked and set on the terrain."""

from __future__ import annotations

from dataclasses import dataclass

import geopandas
import numpy as np
import pandas
import pyproj
import shapely
from numpy.typing import NDArray

from ...common.cells import metres_per_degree
from ...common.columns import numbers
from ...common.crs import require_crs, require_metric, to_crs
from ...common.errors import InputError, name_some
from ...common.language import say
from ...common.numbers_vi import format_number
from ...common.raster import Grid, Heights, sample

#: Two levels closer than this are at the same place, metres.
_SAME_PLACE = 0.001
#: Deeper water at a gauge is more likely a level in centimetres, metres.
_UNBELIEVABLE_DEPTH = 50.0


@dataclass(frozen=True)
class Gauges:
    """Levels at distinct places, in the system of the terrain.

    Attributes
    ----------
    ids : array, shape (n,)
        Feature ids.
    x, y : array of float, shape (n,)
    level_m : array of float, shape (n,)
        In the terrain's vertical datum.
    ground_m : array of float, shape (n,)
        Terrain in the gauge's cell; nan where unknown or outside.
    scale : (float, float)
        Metres per unit of x and y.
    notes : list of str
        What a person should know: levels left out, levels below the ground.
    zero_m : array of float, shape (n,)
        What was added to the levels read.
    """

    ids: NDArray[np.object_]
    x: NDArray[np.float64]
    y: NDArray[np.float64]
    level_m: NDArray[np.float64]
    ground_m: NDArray[np.float64]
    scale: tuple[float, float]
    notes: list[str]
    zero_m: NDArray[np.float64] | float = 0.0

    def __len__(self) -> int:
        return len(self.ids)


def read_gauges(
    frame: geopandas.GeoDataFrame, level_field: str, terrain: Heights, zero_field: str | None = None
) -> Gauges:
    """Take levels from point features and set them on the terrain.

    Parameters
    ----------
    frame : GeoDataFrame
        Points or multipoints (every point carries the level); index = feature ids. Any CRS, reprojected.
    level_field : str
        Levels in metres; numbers, or texts as people write them ("3,58").
    terrain : RasterReader or ArrayRaster
    zero_field : str, optional
        Level of each gauge's zero in the terrain's vertical datum, m, added to the level read at it; a null adds nothing.

    Returns
    -------
    Gauges
        Without the features that have no level; the same level twice at one place counts once.

    Raises
    ------
    InputError
        No level at all, a level that is no number, two different levels at one place, a CRS in other units than
        metres or degrees.
    """
    crs = pyproj.CRS.from_wkt(terrain.grid.crs_wkt)
    if not crs.is_geographic:
        require_metric(crs, say("Địa hình", "The terrain"))
    require_crs(frame, say("Lớp mực nước", "The layer of levels"))
    levels = _levels(frame[level_field], level_field)
    zero, missing_zero = _zeros(frame, zero_field)
    levels = levels + zero
    known = np.isfinite(levels)
    if not known.any():
        raise InputError(say("Trường \"{field}\" không có giá trị mực nước nào.",
                             "The field \"{field}\" holds no level.")
                         .format(field=level_field))
    notes = missing_zero
    if not known.all():
        notes.append(say("{n} điểm không có mực nước, không dùng (fid: {ids}).",
                         "{n} points have no level and are not used (ids: {ids}).")
                     .format(n=int((~known).sum()), ids=name_some(frame.index[~known])))
    used = to_crs(frame[known], crs)
    xy, feature = shapely.get_coordinates(np.asarray(used.geometry.array, dtype=object), return_index=True)
    ids, level = np.asarray(used.index)[feature], levels[known][feature]
    if not len(ids):
        raise InputError(say("Lớp mực nước không có điểm nào.", "The layer of levels has no points."))
    scale = _scale(crs, xy[:, 1])
    first = _distinct_places(xy, level, ids, scale)
    xy, level, ids = xy[first], level[first], ids[first]
    ground = sample(terrain, xy[:, 0], xy[:, 1]).astype(np.float64)
    added = pandas.Series(zero, frame.index).loc[ids].to_numpy()
    return Gauges(ids, xy[:, 0], xy[:, 1], level, ground, scale, notes + _notes_on_ground(ids, level, ground), added)


def _levels(column: pandas.Series, field: str) -> NDArray[np.float64]:
    levels, wrong = numbers(column)
    if wrong:
        raise InputError(say("Trường \"{field}\" có giá trị không phải là mực nước (fid: {ids}).",
                             "The field \"{field}\" has values that are no levels (ids: {ids}).")
                         .format(field=field, ids=name_some(wrong)))
    return levels


def _zeros(frame: geopandas.GeoDataFrame, field: str | None) -> tuple[NDArray[np.float64], list[str]]:
    """Gauge zeros, m, 0 where unknown; and a note about those."""
    if field is None:
        return np.zeros(len(frame)), []
    zero, wrong = numbers(frame[field])
    if wrong:
        raise InputError(say("Trường \"{field}\" có giá trị không phải là cao độ (fid: {ids}).",
                             "The field \"{field}\" has values that are no heights (ids: {ids}).")
                         .format(field=field, ids=name_some(wrong)))
    unknown = np.isnan(zero)
    zero[unknown] = 0.0
    if not unknown.any():
        return zero, []
    return zero, [say("{n} điểm không có cao độ số \"0\" trạm (fid: {ids}): coi mực nước đã ở hệ cao độ của địa hình.",
                      "{n} points have no gauge zero (ids: {ids}): their levels are taken to be in the terrain's datum.")
                  .format(n=int(unknown.sum()), ids=name_some(frame.index[unknown]))]


def _scale(crs: pyproj.CRS, latitude: NDArray[np.float64]) -> tuple[float, float]:
    if not crs.is_geographic:
        return 1.0, 1.0
    along_x, along_y = metres_per_degree(crs, np.array([latitude.mean()]))
    return float(along_x[0]), float(along_y[0])


def metres_per_unit(grid: Grid) -> tuple[float, float]:
    """Metres per unit of x and y at the middle of a grid."""
    return _scale(
        pyproj.CRS.from_wkt(grid.crs_wkt), np.atleast_1d(grid.to_map(grid.shape[1] / 2, grid.shape[0] / 2)[1])
    )


def level_ends(
    gauges: Gauges, frame: geopandas.GeoDataFrame, low_field: str | None, high_field: str | None, error_m: float = 0.0
) -> list[NDArray[np.float64]]:
    """Low and high levels of the gauges, m, less and plus an error of the terrain.

    Parameters
    ----------
    frame : GeoDataFrame
        What `read_gauges` took the gauges from. The fields hold levels as its level field does; null is the level itself.

    Raises
    ------
    InputError
        Values that are no levels; a low level above the level, or a high one below it.
    """
    ends, wrong = [], []
    for field, sign in ((low_field, -1), (high_field, 1)):
        level = gauges.level_m
        if field is not None:
            told = (
                pandas.Series(_levels(frame[field], field), frame.index).reindex(gauges.ids).to_numpy() + gauges.zero_m
            )
            level = np.where(np.isnan(told), gauges.level_m, told)
            wrong += list(gauges.ids[(level - gauges.level_m) * sign < -1e-9])
        ends.append(level + sign * error_m)
    if wrong:
        raise InputError(say("Mực nước thấp cao hơn mực nước, hoặc mực nước cao thấp hơn mực nước (fid: {ids}).",
                             "A low level above the level, or a high one below it (ids: {ids}).").format(ids=name_some(wrong)))
    return ends


def _distinct_places(xy: NDArray[np.float64], level: NDArray[np.float64], ids: NDArray,
                     scale: tuple[float, float]) -> NDArray[np.intp]:
    """Return one position per place; refuse places with two levels."""
    tree = shapely.STRtree(shapely.points(xy * scale))
    one, other = tree.query(tree.geometries, predicate="dwithin", distance=_SAME_PLACE)
    pairs = one < other
    contradicting = pairs & (level[one] != level[other])
    if contradicting.any():
        told = [f"{ids[a]} - {ids[b]}" for a, b in zip(one[contradicting], other[contradicting])]
        raise InputError(say("Cùng một vị trí có hai mực nước khác nhau (fid: {ids}); hãy giữ một.",
                             "Two different levels at one place (ids: {ids}); keep one "
                             "of them.").format(ids=name_some(told)))
    return np.setdiff1d(np.arange(len(xy)), other[pairs])


def _notes_on_ground(ids: NDArray, level: NDArray[np.float64], ground: NDArray[np.float64]) -> list[str]:
    def listed(which: NDArray[np.bool_]) -> str:
        return name_some([f"{i} ({format_number(w, 2)} / {format_number(g, 2)} m)" for i, w, g in
                          zip(ids[which], level[which], ground[which])])

    notes = []
    with np.errstate(invalid="ignore"):
        below, deep = level <= ground, level - ground > _UNBELIEVABLE_DEPTH
    if below.any():
        notes.append(say("{n} điểm có mực nước không cao hơn mặt đất tại đó (fid (mực nước / mặt đất): {list}); kiểm "
                         "tra hệ cao độ, cao độ \"0\" trạm và độ chính xác của địa hình.",
                         "{n} points have a level not above the ground there (id (level / ground): {list}); check the "
                         "vertical datum, the gauge zero and the "
                         "accuracy of the terrain.").format(n=int(below.sum()), list=listed(below)))
    if deep.any():
        notes.append(say("{n} điểm có mực nước cao hơn mặt đất trên {depth} m (fid (mực nước / mặt đất): {list}); kiểm "
                         "tra đơn vị: mực nước phải tính bằng mét.",
                         "{n} points have a level more than {depth} m above the ground (id (level / ground): {list}); "
                         "check the unit: levels are in metres.")
                     .format(n=int(deep.sum()), depth=format_number(_UNBELIEVABLE_DEPTH), list=listed(deep)))
    unknown = np.isnan(ground)
    if unknown.any():
        notes.append(say("{n} điểm nằm ngoài vùng có địa hình (fid: {ids}); mực nước vẫn dùng để nội suy.",
                         "{n} points lie where the terrain is unknown (ids: {ids}); their levels still shape the "
                         "surface.")
                     .format(n=int(unknown.sum()), ids=name_some(ids[unknown])))
    return notes
