"""Pieces of one layer in another, measured so that pieces and what is outside add up to every polygon."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas
import pyproj
import shapely
from numpy.typing import NDArray

from ..common.areas import Surface, areas_m2
from ..common.overlay import Pieces, intersect, remainder
from ..common.progress import Progress, silent
from .double_counting import DoubleCounting, is_dust

#: A polygon counts as lying wholly within the other layer when less than this share of it does not: cut points are rounded.
_ROUNDING = 1e-9


@dataclass(frozen=True)
class Placed:
    """Areas in m2: ``sum of pieces + outside - shared = area`` for every left polygon.

    Attributes
    ----------
    piece : array of float, shape (pieces,)
    outside : array of float, shape (left,)
        Outside all right polygons.
    shared : array of float, shape (left,)
        What its pieces count more than once, because right polygons overlap.
    """

    piece: NDArray[np.float64]
    outside: NDArray[np.float64]
    shared: NDArray[np.float64]


def place(
    left: NDArray[np.object_],
    right: NDArray[np.object_],
    pieces: Pieces,
    areas: NDArray[np.float64],
    right_double: DoubleCounting,
    crs: pyproj.CRS,
    surface: Surface,
    progress: Progress = silent,
) -> Placed:
    """Measure pieces, and what of each left polygon no right one covers.

    Parameters
    ----------
    left, right : array of shapely polygons
    pieces : Pieces
        ``intersect(left, right)``.
    areas : array of float, shape (left,)
        Of the left polygons on the stated surface, m2.
    right_double : DoubleCounting
        Of the right polygons.
    surface : Surface
        On the ellipsoid the edges of a cut piece are geodesics of their own, so pieces add up to their polygon within
        about 1e-7 only; they are scaled to it. On the plane the scaling removes float noise.

    Examples
    --------
    >>> from .double_counting import double_counting
    >>> a, b = shapely.box([0, 10], 0, [10, 20], 10), np.array([shapely.box(5, 0, 30, 10)])
    >>> placed = place(a, b, intersect(a, b), np.array([100.0, 100.0]), double_counting(b), pyproj.CRS(9214), Surface.PLANE)
    >>> placed.piece.tolist(), placed.outside.tolist(), placed.shared.tolist()
    ([50.0, 100.0], [50.0, 0.0], [0.0, 0.0])
    """
    count = len(left)
    plane, piece_plane = shapely.area(left), shapely.area(pieces.geometry)
    piece_plane[is_dust(pieces.geometry)] = 0.0
    summed = np.bincount(pieces.left, piece_plane, minlength=count)
    unions = _unions_where_doubtful(pieces, right_double.involved(len(right)), count)
    covered = summed.copy()
    covered[list(unions)] = [shapely.area(union) for union in unions.values()]
    outside = _without_rounding(plane - covered, plane)
    shared = _without_rounding(summed - covered, plane)
    if surface is Surface.PLANE:
        area = piece_plane
    else:
        whole = piece_plane == plane[pieces.left]
        area = areas[pieces.left]
        area[~whole] = areas_m2(pieces.geometry[~whole], crs, surface)
        area[piece_plane == 0] = 0.0
        crossing = np.flatnonzero(outside)
        if crossing.size:
            rest = remainder(left, right, pieces, right_double.pairs, progress)
            outside[crossing] = areas_m2(rest[crossing], crs, surface)
        sums = np.bincount(pieces.left, area, minlength=count)
        for k in np.flatnonzero(shared):
            shared[k] = sums[k] - areas_m2(np.array([unions[k]], dtype=object), crs, surface)[0]
    measured = np.bincount(pieces.left, area, minlength=count) + outside - shared
    factor = np.divide(areas, measured, out=np.ones(count), where=measured > 0)
    return Placed(area * factor[pieces.left], outside * factor, shared * factor)


def _unions_where_doubtful(pieces: Pieces, overlapping: NDArray[np.bool_], count: int) -> dict[int, shapely.Geometry]:
    doubtful = np.flatnonzero(np.bincount(pieces.left, overlapping[pieces.right], minlength=count) > 1)
    starts = np.searchsorted(pieces.left, doubtful)
    stops = np.searchsorted(pieces.left, doubtful, side="right")
    return {int(k): shapely.union_all(pieces.geometry[start:stop]) for k, start, stop in zip(doubtful, starts, stops)}


def _without_rounding(values: NDArray[np.float64], plane: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.where(values > _ROUNDING * plane, values, 0.0)


def intersect_similar(
    left: NDArray[np.object_],
    right: NDArray[np.object_],
    left_double: DoubleCounting,
    right_double: DoubleCounting,
    progress: Progress = silent,
    wanted: Callable[[NDArray[np.intp], NDArray[np.intp]], NDArray[np.bool_]] | None = None,
) -> tuple[Pieces, NDArray[np.bool_]]:
    """Intersect two versions of one layer, most of whose polygons are the same in both.

    A polygon that both have, and that overlaps no other of its own layer, has one piece: itself. Such pairs are found by
    their coordinates and taken out before anything is cut.

    Parameters
    ----------
    wanted : callable, optional
        Given positions in left and right, tells which pairs need their piece, as for `intersect`; polygons that both
        layers have always get theirs.

    Returns
    -------
    pieces : Pieces
        As `intersect` gives them.
    same : array of bool, shape (pieces,)
        Pieces that are the whole polygon of both layers.
    """
    free_left = np.flatnonzero(~left_double.involved(len(left)))
    free_right = np.flatnonzero(~right_double.involved(len(right)))
    i, j = _same_shapes(left[free_left], right[free_right])
    i, j = free_left[i], free_right[j]
    rest_left = np.setdiff1d(np.arange(len(left)), i, assume_unique=True)
    rest_right = np.setdiff1d(np.arange(len(right)), j, assume_unique=True)
    asked = None if wanted is None else lambda a, b: wanted(rest_left[a], rest_right[b])
    cut = intersect(left[rest_left], right[rest_right], progress, asked)
    all_left = np.concatenate([i, rest_left[cut.left]])
    all_right = np.concatenate([j, rest_right[cut.right]])
    geometry = np.concatenate([left[i], cut.geometry])
    same = np.concatenate([np.ones(len(i), dtype=bool), np.zeros(len(cut), dtype=bool)])
    rescued = np.zeros(len(same), dtype=bool)
    rescued[len(i) + cut.rescued] = True
    order = np.lexsort((all_right, all_left))
    pieces = Pieces(all_left[order], all_right[order], geometry[order], np.flatnonzero(rescued[order]))
    return pieces, same[order]


def _same_shapes(left: NDArray[np.object_], right: NDArray[np.object_]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return positions of equal shapes; first as they are stored, then whatever vertex their rings start at."""
    i, j = _same_bytes(left, right)
    rest_left = np.setdiff1d(np.arange(len(left)), i, assume_unique=True)
    rest_right = np.setdiff1d(np.arange(len(right)), j, assume_unique=True)
    k, m = _same_bytes(shapely.normalize(left[rest_left]), shapely.normalize(right[rest_right]))
    return np.concatenate([i, rest_left[k]]), np.concatenate([j, rest_right[m]])


def _same_bytes(left: NDArray[np.object_], right: NDArray[np.object_]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    index = pandas.Index(shapely.to_wkb(right))
    if not index.is_unique:
        # Equal shapes within one layer overlap each other and were kept out; only empty ones remain.
        return np.zeros(0, dtype=np.intp), np.zeros(0, dtype=np.intp)
    found = index.get_indexer(pandas.Index(shapely.to_wkb(left)))
    i = np.flatnonzero(found >= 0)
    return i, found[i]


def lies_within(shapes: NDArray[np.object_], ground: shapely.Geometry) -> NDArray[np.bool_]:
    """Tell which polygons lie wholly within a large polygon."""
    ground = shapely.from_wkb(shapely.to_wkb(ground))  # an own copy, whose index goes with it
    shapely.prepare(ground)
    return shapely.covers(ground, shapes)
