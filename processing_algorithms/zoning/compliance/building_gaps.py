"""Distances between the buildings of one lot, and whether long sides or gables face each other."""

from __future__ import annotations

import numpy as np
import pandas
import shapely
from numpy.typing import NDArray

from ..plans.map_accuracy import distance_error

#: Sides that differ by less than this are as good as equal; then the road decides which is long, which no map tells.
_CLEARLY_LONGER = 1.2


def gaps(pieces: pandas.DataFrame, lots: NDArray[np.intp], *, error_m: float, farthest_m: float) -> pandas.DataFrame:
    """Measure the gaps between buildings of the same lot.

    Buildings closer than the map's error touch and are one. Facing sides are read from the smallest rectangle around
    each building: the shortest way between two buildings leaves a long side or a gable. Nearly square buildings have
    no long side that can be told.

    Parameters
    ----------
    pieces : DataFrame
        Of `lot_measures.LotMeasures`.
    lots : array of int
        Positions of the lots to look at.
    error_m, farthest_m : float
        Gaps beyond ``farthest_m`` are left out.

    Returns
    -------
    DataFrame
        lot, first, second (positions in ``pieces``), gap_m, face (``long``, ``gable`` or ``""``), height (of the taller).
    """
    rows = []
    wanted = pieces.assign(piece=np.arange(len(pieces)))[pieces["lot"].isin(lots).to_numpy()]
    for lot, group in wanted.groupby("lot"):
        shapes = group["geometry"].to_numpy(dtype=object)
        for i, j in zip(*np.triu_indices(len(shapes), 1)):
            gap = shapely.distance(shapes[i], shapes[j])
            if not distance_error(error_m) < gap <= farthest_m:
                continue
            way = shapely.get_coordinates(shapely.shortest_line(shapes[i], shapes[j]))
            sides = {_side(shape, way[1] - way[0]) for shape in (shapes[i], shapes[j])}
            face = "" if "" in sides else "long" if sides == {"long"} else "gable"
            first, second = group.iloc[i], group.iloc[j]
            rows.append((lot, first["piece"], second["piece"], gap, face,
                         np.maximum(first["height"], second["height"])))
    return pandas.DataFrame(rows, columns=["lot", "first", "second", "gap_m", "face", "height"])


def _side(shape: shapely.Geometry, way: NDArray[np.float64]) -> str:
    box = shapely.get_coordinates(shapely.minimum_rotated_rectangle(shape))
    edges = np.diff(box[:3], axis=0)
    length = np.hypot(*edges.T)
    if length.min() == 0 or length.max() < _CLEARLY_LONGER * length.min():
        return ""
    along = edges[length.argmax()] / length.max()
    across = abs(along[0] * way[1] - along[1] * way[0])
    return "long" if across > abs(along @ way) else "gable"
