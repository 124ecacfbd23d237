"""The commonest cut, for many pairs at once: one border that runs through a polygon and crosses its outline twice.

GEOS's overlay is general and pays for it with some 30 microseconds a pair. Where two simple outlines cross at exactly
two points, and certainly so, their common piece is one polygon made of one stretch of each outline, which arrays find
for thousands of pairs together. Everything else, and every doubt, is left to GEOS.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

#: A sign of (a-c) x (b-c) is certain beyond this share of the sum of its two products (Shewchuk 1997, ccwerrboundA).
_DOUBT = (3.0 + 16.0 * 2.0**-53) * 2.0**-53
#: Crossings nearer to a corner than this many steps of the coordinates are left to GEOS.
_STEPS_APART = 2.0**10
#: Outlines of more corners, or more pairs of edges, are left to GEOS, which sorts edges.
_MOST_CORNERS = 256
_MOST_EDGE_PAIRS = 400


@dataclass(frozen=True)
class _Outlines:
    """Counter-clockwise outer rings as one array: ring k has corners ``first[k]`` to ``first[k] + count[k] - 1``."""

    xy: NDArray[np.float64]
    first: NDArray[np.intp]
    count: NDArray[np.intp]


def cut_simple_crossings(left: NDArray[np.object_], right: NDArray[np.object_]) -> NDArray[np.object_]:
    """Intersect pairs whose outlines cross at exactly two points.

    Parameters
    ----------
    left, right : array of shapely Polygon or MultiPolygon, shape (n,)
        Valid pairs, equal ones of ``right`` best in a row.

    Returns
    -------
    array of shapely Polygon, shape (n,)
        None where the pair is another case: holes, several parts, no crossing, more than two, touching, or doubt.

    Examples
    --------
    >>> pieces = cut_simple_crossings(shapely.box([0, 0], 0, 10, 10), shapely.box([6, 10], [-1, 0], 20, 11))
    >>> [piece and piece.area for piece in pieces]
    [40.0, None]
    """
    pieces = np.full(len(left), None, dtype=object)
    simple = np.flatnonzero(_is_simple(left) & _is_simple(right))
    if not simple.size:
        return pieces
    objects = np.fromiter(map(id, right[simple]), dtype=np.int64, count=simple.size)
    first = np.r_[True, objects[1:] != objects[:-1]]
    border_of = np.cumsum(first) - 1
    parcels, borders = _outlines(left[simple]), _outlines(right[simple[first]])
    solved, rings, ring_of = _cut(left[simple], parcels, borders, border_of)
    if not solved.size:
        return pieces
    cut = shapely.polygons(shapely.linearrings(rings, indices=ring_of))
    # Rounded crossings can turn a near miss into a contact: what is not valid was no simple case.
    sound = shapely.is_valid(cut)
    pieces[simple[solved[sound]]] = cut[sound]
    return pieces


def _is_simple(shapes: NDArray[np.object_]) -> NDArray[np.bool_]:
    # With heights GEOS has more to do than these arrays know of.
    corners = shapely.get_num_coordinates(shapes)
    return ((shapely.get_type_id(shapes) == 3) & (shapely.get_num_interior_rings(shapes) == 0)
            & (corners > 0) & (corners <= _MOST_CORNERS) & ~shapely.has_z(shapes))


def _outlines(polygons: NDArray[np.object_]) -> _Outlines:
    xy, owner = shapely.get_coordinates(polygons, return_index=True)
    count = np.bincount(owner, minlength=len(polygons))
    first = np.cumsum(count) - count
    # Twice the signed area, from the first corner so that large coordinates do not eat the digits.
    local = xy - np.repeat(xy[first], count, axis=0)
    following = np.r_[1:len(xy), 0]
    doubled = np.bincount(owner, local[:, 0] * local[following, 1] - local[:, 1] * local[following, 0],
                          minlength=len(polygons))
    clockwise = np.repeat(doubled < 0, count)
    place = np.arange(len(xy))
    turned = np.repeat(2 * first + count - 1, count) - place
    # The closing corner repeats the first one and is dropped.
    keep = np.ones(len(xy), dtype=bool)
    keep[first + count - 1] = False
    return _Outlines(xy[np.where(clockwise, turned, place)][keep], first - np.arange(len(first)), count - 1)


def _cut(
    left: NDArray[np.object_], parcels: _Outlines, borders: _Outlines, border_of: NDArray[np.intp]
) -> tuple[NDArray[np.intp], NDArray[np.float64], NDArray[np.intp]]:
    """Return the pairs solved, the corners of their pieces, and to which of the solved each corner belongs."""
    pair, f, e, along_parcel, xy, enters, doubtful = _crossings(left, parcels, borders, border_of)
    number = np.bincount(pair, minlength=len(left))
    entering = np.bincount(pair, enters, minlength=len(left))
    solved = np.flatnonzero((number == 2) & (entering == 1) & ~doubtful)
    # Of each solved pair, the crossing where the parcel's outline enters the zone and the one where it leaves.
    position = np.full(len(left), -1, dtype=np.intp)
    position[solved] = np.arange(len(solved))
    of = position[pair]
    into, out = np.empty(len(solved), dtype=np.intp), np.empty(len(solved), dtype=np.intp)
    which = np.flatnonzero(of >= 0)
    into[of[which[enters[which]]]] = which[enters[which]]
    out[of[which[~enters[which]]]] = which[~enters[which]]
    # Along the parcel from where it enters to where it leaves, then along the border back, both counter-clockwise.
    size_p, size_b = parcels.count[solved], borders.count[border_of[solved]]
    around = (e[into] == e[out]) & (along_parcel[into] > along_parcel[out])
    steps_p = np.where(around, size_p, (e[out] - e[into]) % size_p)
    # On one edge of the border the parcel enters behind where it leaves unless the piece goes all round the border.
    ahead = np.einsum("ij,ij->i", xy[into] - xy[out], _edge(borders, border_of[solved], f[out])) > 0
    steps_b = np.where((f[into] == f[out]) & ~ahead, size_b, (f[into] - f[out]) % size_b)
    total = steps_p + steps_b + 2
    ring_of = np.repeat(np.arange(len(solved)), total)
    start = np.cumsum(total) - total
    step = np.arange(total.sum()) - start[ring_of]
    on_parcel = (step >= 1) & (step <= steps_p[ring_of])
    corners = np.empty((len(step), 2))
    corners[start], corners[start + steps_p + 1] = xy[into], xy[out]
    k = ring_of[on_parcel]
    corners[on_parcel] = parcels.xy[parcels.first[solved[k]] + (e[into[k]] + step[on_parcel]) % size_p[k]]
    on_border = step >= steps_p[ring_of] + 2
    k = ring_of[on_border]
    corners[on_border] = borders.xy[
        borders.first[border_of[solved[k]]] + (f[out[k]] + step[on_border] - steps_p[k] - 1) % size_b[k]]
    return solved, corners, ring_of


def _crossings(
    left: NDArray[np.object_], parcels: _Outlines, borders: _Outlines, border_of: NDArray[np.intp]
) -> tuple[Any, ...]:
    """Find the certain crossings of each pair's outlines, and the pairs that hold a doubtful one.

    Returns pair, edge of the border, edge of the parcel, place along the parcel's edge (0-1), point, whether the
    parcel's outline enters there, and for every pair whether it is doubtful or too large. Edge k runs from corner k
    to the next.
    """
    b_owner = np.repeat(np.arange(len(borders.count)), borders.count)
    b_edge = np.arange(len(borders.xy)) - borders.first[b_owner]
    b_start, b_end = borders.xy, borders.xy[borders.first[b_owner] + (b_edge + 1) % borders.count[b_owner]]
    # The edges of the border whose bounding box meets the parcel's: quicker scanned than put into a tree.
    pair, near = _each_with_all(borders.first[border_of], borders.count[border_of])
    box, low, high = shapely.bounds(left), np.minimum(b_start, b_end), np.maximum(b_start, b_end)
    close_by = np.ones(len(pair), dtype=bool)
    for axis in (0, 1):
        close_by &= low[:, axis][near] <= box[:, 2 + axis][pair]
        close_by &= high[:, axis][near] >= box[:, axis][pair]
    pair, near = pair[close_by], near[close_by]
    doubtful = np.bincount(pair, minlength=len(left)) * parcels.count > _MOST_EDGE_PAIRS
    pair, near = pair[~doubtful[pair]], near[~doubtful[pair]]
    # Every edge of the parcel against each of them.
    repeat = parcels.count[pair]
    candidate, corner = _each_with_all(parcels.first[pair], repeat)
    edge = corner - parcels.first[pair][candidate]
    a, b = b_start[near][candidate], b_end[near][candidate]
    c = parcels.xy[corner]
    side_c = _side(a, b, c)
    following = np.where(edge + 1 == repeat[candidate], np.arange(len(edge)) - edge, np.arange(len(edge)) + 1)
    side_d = side_c[following]
    maybe = np.flatnonzero(np.sign(side_c) * np.sign(side_d) <= 0)
    a, b, c, d = a[maybe], b[maybe], c[maybe], c[following[maybe]]
    side_a, side_b = _side(c, d, a), _side(c, d, b)
    across = np.sign(side_a) * np.sign(side_b)
    certain = (across < 0) & (np.sign(side_c[maybe]) * np.sign(side_d[maybe]) < 0)
    doubtful[pair[candidate[maybe[(across <= 0) & ~certain]]]] = True

    met = maybe[certain]
    a, b, c, d = a[certain], b[certain], c[certain], d[certain]
    along = side_c[met] / (side_c[met] - side_d[met])
    xy = _meeting_point(a, b, c, d)
    gap = np.min([np.abs(xy - corner).max(axis=1) for corner in (a, b, c, d)], axis=0)
    close = gap < _STEPS_APART * np.spacing(np.abs(xy).max(axis=1))
    doubtful[pair[candidate[met[close]]]] = True
    return pair[candidate[met]], b_edge[near][candidate[met]], edge[met], along, xy, side_d[met] > 0, doubtful


def _each_with_all(first: NDArray[np.intp], count: NDArray[np.intp]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return k and every place from ``first[k]`` to ``first[k] + count[k] - 1``, for all k."""
    k = np.repeat(np.arange(len(count)), count)
    return k, np.arange(len(k)) - np.repeat(np.cumsum(count) - count - first, count)


def _edge(outlines: _Outlines, ring: NDArray[np.intp], edge: NDArray[np.intp]) -> NDArray[np.float64]:
    first, count = outlines.first[ring], outlines.count[ring]
    return outlines.xy[first + (edge + 1) % count] - outlines.xy[first + edge]


def _side(a: NDArray[np.float64], b: NDArray[np.float64], p: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return (a-p) x (b-p): positive where p lies left of a to b; 0 where rounding leaves that open."""
    one = (a[:, 0] - p[:, 0]) * (b[:, 1] - p[:, 1])
    two = (a[:, 1] - p[:, 1]) * (b[:, 0] - p[:, 0])
    difference = one - two
    difference[np.abs(difference) <= _DOUBT * (np.abs(one) + np.abs(two))] = 0.0
    return difference


def _meeting_point(
    a: NDArray[np.float64], b: NDArray[np.float64], c: NDArray[np.float64], d: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return where a-b meets c-d, the same to the last bit whichever way the edges run, so that neighbours fit."""
    a, b = _in_order(a, b)
    c, d = _in_order(c, d)
    side_c, side_d = _side(a, b, c), _side(a, b, d)
    return c + (d - c) * (side_c / (side_c - side_d))[:, None]


def _in_order(start: NDArray[np.float64], end: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    swap = ((start[:, 0] > end[:, 0]) | ((start[:, 0] == end[:, 0]) & (start[:, 1] > end[:, 1])))[:, None]
    return np.where(swap, end, start), np.where(swap, start, end)
