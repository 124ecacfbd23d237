"""Which roads a lot fronts, and how far its buildings stand from their red lines."""

from __future__ import annotations

import numpy as np
import pandas
import shapely
from numpy.typing import NDArray

from ...common.progress import Progress, silent

#: A road without a width whose axis is nearer to a lot than this may be the one it fronts. Half of a wide urban street.
UNKNOWN_ROAD_REACH_M = 20.0
_BLOCK = 5000


def corridors(roads: NDArray[np.object_], width_m: NDArray[np.float64], *, are_red_lines: bool) -> NDArray[np.object_]:
    """Return the ground between the red lines of each road.

    Parameters
    ----------
    roads : array of shapely lines or polygons, shape (n,)
        Axes, which are widened to both sides; or red lines as drawn; polygons are the ground itself.
    width_m : array of float, shape (n,)
        Between red lines; None results where it is nan and needed.
    are_red_lines : bool
        Lines are red lines, not axes.
    """
    ground = np.array(roads, dtype=object)
    if are_red_lines:
        return ground
    axis = shapely.get_dimensions(ground) == 1
    # Flat ends: a road does not reach beyond its last point.
    ground[axis] = shapely.buffer(ground[axis], width_m[axis] / 2.0, cap_style="flat")
    ground[axis & ~(width_m > 0)] = None
    return ground


def fronts(
    lots: NDArray[np.object_], ground: NDArray[np.object_], reach_m: float
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return lot and road positions of all pairs no farther apart than the reach, in the order of lots."""
    here = np.flatnonzero(shapely.is_geometry(ground))
    tree = shapely.STRtree(ground[here])
    lot, road = tree.query(lots, predicate="dwithin", distance=reach_m)
    road = here[road]
    order = np.lexsort((road, lot))
    return lot[order], road[order]


def setbacks(
    pieces: pandas.DataFrame, lot: NDArray[np.intp], road: NDArray[np.intp], ground: NDArray[np.object_],
    progress: Progress = silent,
) -> pandas.DataFrame:
    """Measure every building from the red line of every road its lot fronts.

    Parameters
    ----------
    pieces : DataFrame
        Of `lot_measures.LotMeasures`.
    lot, road : arrays of int
        As from `fronts`.
    ground : array
        As from `corridors`.

    Returns
    -------
    DataFrame
        piece (position in ``pieces``), road, setback_m. A building beyond the red line has a negative setback: how far
        it reaches in.
    """
    sides = pandas.DataFrame({"lot": lot, "road": road})
    pairs = pieces[["lot"]].assign(piece=np.arange(len(pieces))).merge(sides, on="lot")
    shape = pieces["geometry"].to_numpy(dtype=object)[pairs["piece"]]
    line = ground[pairs["road"]]
    distance = np.empty(len(pairs))
    for start in range(0, len(pairs), _BLOCK):
        progress(start / max(1, len(pairs)))
        distance[start:start + _BLOCK] = shapely.distance(shape[start:start + _BLOCK], line[start:start + _BLOCK])
    for k in np.flatnonzero(distance == 0):
        distance[k] = -_reach_in(shape[k], line[k])
    return pairs[["piece", "road"]].assign(setback_m=distance)


def _reach_in(building: shapely.Geometry, ground: shapely.Geometry) -> float:
    if shapely.get_dimensions(ground) == 2:
        inside = shapely.intersection(building, ground)
        corners = shapely.points(shapely.get_coordinates(inside))
        return float(shapely.distance(corners, shapely.boundary(ground)).max(initial=0.0))
    # A red line as drawn has no sides: the smaller part of the building is taken to be beyond it.
    parts = [item for item in shapely.get_parts(shapely.polygonize(
        [shapely.unary_union([shapely.boundary(building), ground])])) if building.covers(item.representative_point())]
    if len(parts) < 2:
        return 0.0
    smallest = min(parts, key=lambda item: item.area)
    return float(shapely.distance(shapely.points(shapely.get_coordinates(smallest)), ground).max())
