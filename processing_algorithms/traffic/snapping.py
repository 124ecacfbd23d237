"""Origins on the network: each is moved to the nearest point of the nearest edge, and the move is told."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from .network import Network

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]


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
    lines = network.lines()
    (asked, found), gap = shapely.STRtree(lines).query_nearest(points, return_distance=True)
    order = np.lexsort((found, asked))
    asked, found, gap = asked[order], found[order], gap[order]
    foremost = np.concatenate([[True], asked[1:] != asked[:-1]]) if len(asked) else np.zeros(0, dtype=bool)
    edge = found[foremost]
    along = np.clip(shapely.line_locate_point(lines[edge], points), 0.0, network.length[edge])
    place = shapely.line_interpolate_point(lines[edge], along)
    return Snapped(edge=edge, along=along, distance=gap[foremost], xy=shapely.get_coordinates(place))
