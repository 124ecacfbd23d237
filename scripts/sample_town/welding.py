"""Make neighbours share their corners exactly, so that a coverage has neither gaps nor overlaps.

A straight cut ends in the middle of the neighbour's edge, and rounding to the millimetre then bends one and not
the other. Welding rounds, joins corners that fell apart, and gives every edge the corners that lie on it.
"""

from __future__ import annotations

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from .place import GRID


def weld(polygons: NDArray[np.object_], *, tolerance: float = 0.003) -> NDArray[np.object_]:
    """Return the same polygons on the millimetre grid with shared corners.

    Parameters
    ----------
    polygons : array of valid shapely polygons, shape (n,)
        They may touch or be apart, but overlap by less than `tolerance`.
    tolerance : float
        Metres. Corners nearer than this become one, and corners nearer than this to an edge become part of it.

    Returns
    -------
    array of shapely polygons, shape (n,)
        Shared boundaries have identical vertices, so areas add up and unions are seamless.
    """
    kind, xy, (rings, parts) = shapely.to_ragged_array(shapely.normalize(polygons))
    xy = np.round(_join_corners(np.round(xy / GRID) * GRID, tolerance), 3)
    within_ring = np.ones(len(xy) - 1, dtype=bool)
    within_ring[rings[1:-1] - 1] = False
    place, point = corners_on_edges(xy, np.flatnonzero(within_ring), np.unique(xy, axis=0), tolerance)
    grown = np.insert(xy, place, point, axis=0)
    added = np.searchsorted(place, rings, side="left")
    grown, rings = _drop_repeats(grown, rings + added)
    welded = shapely.from_ragged_array(kind, grown, (rings, parts))
    bad = ~shapely.is_valid(welded)
    if bad.any():
        welded[bad] = [
            _largest(shape) for shape in shapely.make_valid(welded[bad], method="structure", keep_collapsed=False)
        ]
    return welded


def corners_on_edges(
    xy: NDArray[np.float64], start: NDArray[np.intp], corners: NDArray[np.float64], tolerance: float
) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Find the corners that lie on edges without being one of their ends.

    Parameters
    ----------
    xy : array (n, 2); start : array (m,)
        Vertices, and the positions where an edge begins: edge k runs from ``xy[start[k]]`` to the vertex after it.
    corners : array (c, 2)
    tolerance : float
        Metres.

    Returns
    -------
    place, point : arrays (p,), (p, 2)
        For `numpy.insert`: before which vertex each corner goes, in order along the edge.
    """
    a, b = xy[start], xy[start + 1]
    tree = shapely.STRtree(shapely.points(corners))
    edge, corner = tree.query(shapely.linestrings(np.stack([a, b], axis=1)), predicate="dwithin", distance=tolerance)
    point = corners[corner]
    direction = b[edge] - a[edge]
    t = ((point - a[edge]) * direction).sum(axis=1) / np.maximum((direction**2).sum(axis=1), 1e-12)
    between = (point != a[edge]).any(axis=1) & (point != b[edge]).any(axis=1) & (t > 0) & (t < 1)
    edge, point, t = edge[between], point[between], t[between]
    order = np.lexsort((t, start[edge]))
    return start[edge[order]] + 1, point[order]


def _join_corners(xy: NDArray[np.float64], tolerance: float) -> NDArray[np.float64]:
    corners, inverse = np.unique(xy, axis=0, return_inverse=True)
    pairs = cKDTree(corners).query_pairs(tolerance, output_type="ndarray")
    target = np.arange(len(corners))
    for left, right in pairs[np.lexsort((pairs[:, 1], pairs[:, 0]))]:
        target[max(left, right)] = target[min(left, right)]
    return corners[target[inverse.ravel()]]


def _drop_repeats(xy, rings):
    keep = np.ones(len(xy), dtype=bool)
    keep[1:] = (np.diff(xy, axis=0) != 0).any(axis=1)
    keep[rings[:-1]] = True
    counts = np.concatenate([[0], np.cumsum(keep)])
    return xy[keep], counts[rings]


def _largest(shape):
    parts = shapely.get_parts(shape)
    return parts[np.argmax(shapely.area(parts))]
