"""What a flood does to getting about: streets a vehicle cannot pass, who is cut off, which facilities are out of reach, how far the way round is.

*Cut off* (bị cô lập, chia cắt): what was joined by street to the largest part of the network before the flood and no longer is, for the vehicle in question. Reach is
the shortest way to the nearest facility of a kind, before and after, along the streets in both directions (rescue does not heed one-way signs). A facility that stands
deeper than a given depth is of no use and is left out after the flood.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array, csr_array
from scipy.sparse.csgraph import connected_components, dijkstra

from ...traffic.network import Network
from ...traffic.snapping import Snapped
from .road_depths import Blocked

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]


@dataclass(frozen=True)
class CutOff:
    """Places against the network before and after.

    Attributes
    ----------
    joined_before, joined_after : array of bool, shape (k,)
        Joined by street to the largest part.
    part_after : array of int, shape (k,)
        Connected part after the flood; -1 where the place itself stands at a blocked stretch.
    """

    joined_before: NDArray[np.bool_]
    joined_after: NDArray[np.bool_]
    part_after: Indices

    @property
    def cut_off(self) -> NDArray[np.bool_]:
        """Joined before and no longer."""
        return self.joined_before & ~self.joined_after


def cut_off(network: Network, places: Snapped, blocked: Blocked) -> CutOff:
    """Find which places a flood cuts off.

    Parameters
    ----------
    network : Network
    places : Snapped
        Buildings or the like on the network, shape (k,).
    blocked : Blocked
    """
    part_before, largest_before = _parts(network, None)
    part_after, largest_after = _parts(network, blocked)
    before = part_before[network.start[places.edge]]
    start_open, end_open = _open_sides(places, blocked)
    at_start, at_end = part_after[network.start[places.edge]], part_after[network.end[places.edge]]
    # Of two open sides on different parts (never on a whole edge) the larger part counts.
    after = np.where(start_open & ((at_start == largest_after) | ~end_open), at_start, np.where(end_open, at_end, -1))
    return CutOff(before == largest_before, after == largest_after, after.astype(np.intp))


def distance_to_nearest(network: Network, places: Snapped, targets: Snapped, blocked: Blocked | None = None) -> Floats:
    """Shortest way from each place to the nearest target, m; inf where there is none.

    Parameters
    ----------
    places, targets : Snapped
    blocked : Blocked, optional
        None: the network before the flood.
    """
    if not len(targets.edge):
        return np.full(len(places.edge), np.inf)
    whole = np.ones(network.edge_count, bool) if blocked is None else ~blocked.edges
    from_target = _to_ends(network, targets, blocked)
    nodes = network.node_count
    rows = np.concatenate([network.start[whole], np.full(len(from_target[0]), nodes)])
    columns = np.concatenate([network.end[whole], from_target[0]])
    weights = np.concatenate([network.length[whole], from_target[1]])
    distance = dijkstra(_shortest(rows, columns, weights, nodes + 1), directed=False, indices=nodes)
    start_open, end_open = (np.ones(len(places.edge), bool),) * 2 if blocked is None else _open_sides(places, blocked)
    ways = np.column_stack(
        [
            np.where(start_open, distance[network.start[places.edge]] + places.along, np.inf),
            np.where(end_open, distance[network.end[places.edge]] + network.length[places.edge] - places.along, np.inf),
        ]
    )
    return np.minimum(ways.min(axis=1), _on_one_edge(places, targets, blocked))


def _on_one_edge(places: Snapped, targets: Snapped, blocked: Blocked | None) -> Floats:
    """Ways that stay on the edge both are on."""
    order = np.lexsort((targets.along, targets.edge))
    edges, along = targets.edge[order], targets.along[order]
    best = np.full(len(places.edge), np.inf)
    # The nearest target on either side of the place on its own edge, by position in the sorted list.
    key = edges + along / (along.max() + 1.0) if len(along) else along
    span = along.max() + 1.0
    position = np.searchsorted(key, places.edge + np.minimum(places.along, span * (1 - 1e-12)) / span)
    for at in (position - 1, position):
        inside = (at >= 0) & (at < len(edges))
        same = np.zeros(len(best), bool)
        same[inside] = edges[at[inside]] == places.edge[inside]
        target = np.where(same, along[np.clip(at, 0, max(len(along) - 1, 0))], 0.0)
        way = np.abs(target - places.along)
        if blocked is not None:
            low, high = np.minimum(target, places.along), np.maximum(target, places.along)
            same &= (high < blocked.first_m[places.edge]) | (low > blocked.last_m[places.edge])
        best = np.where(same, np.minimum(best, way), best)
    return best


def _open_sides(places: Snapped, blocked: Blocked) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Whether the way from each place to the start and to the end of its edge is open."""
    return places.along < blocked.first_m[places.edge], places.along > blocked.last_m[places.edge]


def _to_ends(network: Network, targets: Snapped, blocked: Blocked | None) -> tuple[Indices, Floats]:
    start_open, end_open = (np.ones(len(targets.edge), bool),) * 2 if blocked is None else _open_sides(targets, blocked)
    nodes = np.concatenate([network.start[targets.edge][start_open], network.end[targets.edge][end_open]])
    return nodes, np.concatenate([targets.along[start_open], (network.length[targets.edge] - targets.along)[end_open]])


def _shortest(rows: Indices, columns: Indices, weights: Floats, count: int) -> csr_array:
    """A graph in which of several edges between two nodes the shortest counts; 0 stays a length."""
    low, high = np.minimum(rows, columns), np.maximum(rows, columns)
    order = np.lexsort((weights, high, low))
    low, high, weights = low[order], high[order], weights[order]
    first = np.concatenate([[True], (low[1:] != low[:-1]) | (high[1:] != high[:-1])])
    return csr_array(coo_array((np.maximum(weights[first], 1e-9), (low[first], high[first])), shape=(count, count)))


def _parts(network: Network, blocked: Blocked | None) -> tuple[Indices, int]:
    """Connected part of each node, and the part with most length of street, open ends of blocked edges included."""
    passable = np.ones(network.edge_count, bool) if blocked is None else ~blocked.edges
    start, end = network.start[passable], network.end[passable]
    graph = coo_array((np.ones(len(start), np.int8), (start, end)), shape=(network.node_count,) * 2)
    count, part = connected_components(graph, directed=False)
    length = np.bincount(part[start], network.length[passable], count).astype(float)
    if blocked is not None:
        shut = blocked.edges
        length += np.bincount(part[network.start[shut]], np.maximum(blocked.first_m[shut], 0.0), count)
        length += np.bincount(
            part[network.end[shut]], np.maximum(network.length[shut] - blocked.last_m[shut], 0.0), count
        )
    return part, int(np.argmax(length))
