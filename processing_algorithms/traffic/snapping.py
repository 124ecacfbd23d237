"""Origins on the network: each is moved to the nearest point of the nearest edge, and the move is told."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from .network import Network

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]

#: Cells along the longer side of the network when edges near points are sought.
_CELLS = 128


@dataclass(frozen=True)
class Snapped:
    """Points on a network, k of them.

    Attributes
    ----------
    edge : array of int, shape (k,)
    along : array, shape (k,)
        Distance in metres from the start of the edge.
    distance : array, shape (k,)
        Metres between the point and its place on the network.
    xy : array, shape (k, 2)
        The place on the network.
    """

    edge: Indices
    along: Floats
    distance: Floats
    xy: Floats


def snap(network: Network, points: NDArray[np.object_]) -> Snapped:
    """Move points to the nearest place on the network, anywhere along an edge.

    Of several edges equally near the first is taken; where they meet in a node this makes no difference.

    Parameters
    ----------
    network : Network
    points : array of shapely Points, shape (k,)
        In the network's system.
    """
    xy = shapely.get_coordinates(points)
    near, safe = _edges_near(network, xy)
    edge, distance = _nearest(network, near, points)
    missed = ~(distance <= safe)
    if missed.any():
        edge[missed], distance[missed] = _nearest(network, np.arange(network.edge_count), points[missed])
    lines = network.lines(edge)
    along = np.clip(shapely.line_locate_point(lines, points), 0.0, network.length[edge])
    return Snapped(edge=edge, along=along, distance=distance,
                   xy=shapely.get_coordinates(shapely.line_interpolate_point(lines, along)))


def _nearest(network: Network, edges: Indices, points: NDArray[np.object_]) -> tuple[Indices, Floats]:
    """The nearest of some edges to each point, and how far; infinitely far when there are no edges."""
    edge, distance = np.full(len(points), -1, dtype=np.intp), np.full(len(points), np.inf)
    (asked, found), gap = shapely.STRtree(network.lines(edges)).query_nearest(points, return_distance=True)
    order = np.lexsort((-found, asked))[::-1]  # so that the first of equally near edges is written last
    edge[asked[order]], distance[asked[order]] = edges[found[order]], gap[order]
    return edge, distance


def _edges_near(network: Network, xy: Floats) -> tuple[Indices, float]:
    """Edges around points, and the distance within which none is missing.

    A few schools touch a small part of a province's streets; making shapes and a tree of all of them would take longer
    than everything else.
    """
    low, high = network.xy.min(axis=0), network.xy.max(axis=0)
    cell = max(float((high - low).max()) / _CELLS, 1e-9)
    column, row = (np.clip((xy - low) / cell, -1, _CELLS).astype(np.intp) + 1).T
    marked = np.zeros((_CELLS + 3, _CELLS + 3), dtype=np.int64)
    for right in (-1, 0, 1):
        for up in (-1, 0, 1):
            marked[np.clip(row + up, 0, _CELLS + 1), np.clip(column + right, 0, _CELLS + 1)] = 1
    counted = np.zeros((_CELLS + 4, _CELLS + 4), dtype=np.int64)
    counted[1:, 1:] = marked.cumsum(axis=0).cumsum(axis=1)
    starts = network.first[:-1]
    (left, right), (bottom, top) = (
        [((extreme.reduceat(network.xy[:, axis], starts) - low[axis]) / cell).astype(np.intp) + beyond
         for extreme, beyond in ((np.minimum, 1), (np.maximum, 2))] for axis in (0, 1))
    touched = counted[top, right] - counted[bottom, right] - counted[top, left] + counted[bottom, left]
    return np.flatnonzero(touched), cell
