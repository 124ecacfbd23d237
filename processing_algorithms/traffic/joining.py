"""Which vertices are the same place: by exact coordinates, and for line ends within a tolerance."""

from __future__ import annotations

import numpy as np
import pandas
from numpy.typing import NDArray
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]


def label_points(xy: Floats) -> Indices:
    """Number the distinct points 0, 1, ... in order of first appearance.

    Parameters
    ----------
    xy : array, shape (n, 2)
        Finite; without -0.0.

    Returns
    -------
    labels : array of int, shape (n,)

    Examples
    --------
    >>> label_points(np.array([[1.0, 2.0], [3.0, 4.0], [1.0, 2.0]])).tolist()
    [0, 1, 0]
    """
    bits = np.ascontiguousarray(xy).view(np.uint64)
    # A 64-bit mix of both coordinates is labelled in one hash table, three times faster than sorting pairs.
    mixed = bits[:, 0] * np.uint64(0x9E3779B97F4A7C15)
    mixed ^= mixed >> np.uint64(29)
    mixed = (mixed + bits[:, 1]) * np.uint64(0xBF58476D1CE4E5B9)
    mixed ^= mixed >> np.uint64(32)
    labels, kinds = pandas.factorize(mixed)
    sample = np.empty((len(kinds), 2))
    sample[labels[::-1]] = xy[::-1]
    if (sample[labels] != xy).any():  # two points with one mix: practically never, and then exactly
        labels, _ = pandas.factorize(pandas.MultiIndex.from_arrays([xy[:, 0], xy[:, 1]]))
    return labels


def join_near_ends(
    xy: Floats, place: Indices, line: Indices, is_end: NDArray[np.bool_], tolerance: float
) -> tuple[Indices, int]:
    """Connect each line end with the nearest vertex, within a tolerance, of every other line.

    Only one vertex per neighbouring line is taken, so that finely drawn curves do not collapse into one node. The two
    ends of one line may be joined too (a ring drawn with a gap) unless the line itself is shorter than the gap allows.

    Parameters
    ----------
    xy : array, shape (n, 2)
    place : array of int, shape (n,)
        From `label_points`.
    line : array of int, shape (n,)
    is_end : array of bool, shape (n,)
    tolerance : float
        Same unit as xy.

    Returns
    -------
    node_of_place : array of int, shape (number of places,)
        Places with one number are one node.
    joined : int
        Line ends that were connected with a place other than their own.
    """
    ends = np.flatnonzero(is_end)
    near = cKDTree(xy[ends]).sparse_distance_matrix(cKDTree(xy), tolerance, output_type="coo_matrix")
    end, vertex, gap = ends[near.row], near.col, near.data
    other = (place[end] != place[vertex]) & (line[end] != line[vertex])
    end, vertex, gap = end[other], vertex[other], gap[other]
    order = np.lexsort((vertex, gap, line[vertex], end))
    end, vertex = end[order], vertex[order]
    nearest = np.ones(len(end), dtype=bool)
    nearest[1:] = (end[1:] != end[:-1]) | (line[vertex[1:]] != line[vertex[:-1]])
    end, vertex = end[nearest], vertex[nearest]
    end, vertex = _with_ring_gaps(xy, place, line, is_end, tolerance, end, vertex)
    places = int(place.max()) + 1
    graph = coo_matrix((np.ones(len(end), dtype=np.int8), (place[end], place[vertex])), shape=(places, places))
    _, node_of_place = connected_components(graph, directed=False)
    return node_of_place, len(np.unique(end))


def _with_ring_gaps(
    xy: Floats, place: Indices, line: Indices, is_end: NDArray[np.bool_], tolerance: float,
    end: Indices, vertex: Indices,
) -> tuple[Indices, Indices]:
    """Add the pairs of ends of lines that almost close; three vertices at least, or a short line would vanish."""
    ends = np.flatnonzero(is_end).reshape(-1, 2)
    head, tail = ends.T
    gap = np.hypot(*(xy[head] - xy[tail]).T)
    step = np.hypot(*np.diff(xy, axis=0).T)
    step = np.append(np.where(line[1:] == line[:-1], step, 0.0), 0.0)
    long_line = np.bincount(line, weights=step) > 4 * tolerance
    closing = (gap <= tolerance) & (place[head] != place[tail]) & long_line
    return np.concatenate([end, head[closing]]), np.concatenate([vertex, tail[closing]])
