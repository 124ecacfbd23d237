"""What can be reached on a network within a cost: shortest paths from origins, and the stretches of edges they cover.

Dijkstra's algorithm (Dijkstra 1959) on nodes, bounded by the largest cost; then every edge at a reached node is
followed from that node until the cost is used up or until the point that is reached as cheaply from its other end.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import dijkstra

from ..common.progress import Progress, silent
from .network import Network

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]

#: Metres. Places on an edge nearer than this are one place, stretches shorter than this are none.
SAME_PLACE = 1e-6
#: Values of the table of costs held at once (rows are origins, columns nodes): 32 MB.
_TABLE = 4_000_000
#: Links followed at once; some twenty temporary arrays of this length.
_FOLLOWED = 1_000_000


@dataclass(frozen=True)
class Links:
    """The edges of a network, cut further where origins stand, so that every origin is a node. L links, n nodes.

    Attributes
    ----------
    edge : array of int, shape (L,)
    near, far : arrays, shape (L,)
        The stretch of the edge, in metres from its start.
    start, end : arrays of int, shape (L,)
        Nodes.
    cost_per_metre : array, shape (L,)
    forward, backward : arrays of bool, shape (L,)
    node_count : int
    origin_node : array of int, shape (k,)
        The node of each origin given.
    """

    edge: Indices
    near: Floats
    far: Floats
    start: Indices
    end: Indices
    cost_per_metre: Floats
    forward: NDArray[np.bool_]
    backward: NDArray[np.bool_]
    node_count: int
    origin_node: Indices

    def graph(self) -> csr_matrix:
        """Cheapest directed link between each two nodes, as scipy's csgraph functions take it."""
        cost = (self.far - self.near) * self.cost_per_metre
        ahead, back = self.forward & (self.start != self.end), self.backward & (self.start != self.end)
        tail = np.concatenate([self.start[ahead], self.end[back]])
        head = np.concatenate([self.end[ahead], self.start[back]])
        cost = np.concatenate([cost[ahead], cost[back]])
        key = tail * self.node_count + head
        order = np.argsort(key, kind="stable")
        key = key[order]
        # Converting to csr would add up parallel links; the cheapest of them counts.
        new = np.flatnonzero(np.concatenate([[True], key[1:] != key[:-1]])) if len(key) else np.zeros(0, dtype=np.intp)
        cheapest = np.minimum.reduceat(cost[order], new) if len(new) else cost
        row_start = np.searchsorted(key[new], np.arange(self.node_count + 1) * self.node_count)
        return csr_matrix((cheapest, (key[new] % self.node_count).astype(np.int32), row_start.astype(np.int32)),
                          shape=(self.node_count, self.node_count))

    def incidence(self) -> tuple[Indices, Indices]:
        """Links at each node: (row starts, shape (n + 1,); codes, shape (2 L,)). Code l is link l entered at its start,
        l + L entered at its end."""
        node = np.concatenate([self.start, self.end])
        order = np.argsort(node, kind="stable")
        return np.searchsorted(node[order], np.arange(self.node_count + 1)), order


def link_origins(network: Network, edge: Indices, along: Floats, cost_per_metre: Floats) -> Links:
    """Cut the network's edges at origins.

    Parameters
    ----------
    network : Network
    edge, along : arrays, shape (k,)
        Where the origins stand. An origin at an end of its edge stands on the node there, so that a one-way street
        behind it does not hold it back.
    cost_per_metre : array, shape (E,)
    """
    at_start = along <= SAME_PLACE
    at_end = ~at_start & (along >= network.length[edge] - SAME_PLACE)
    inside = ~at_start & ~at_end
    order = np.lexsort((along[inside], edge[inside]))
    cut_edge, cut_along = edge[inside][order], along[inside][order]
    fresh = np.ones(len(cut_edge), dtype=bool)
    fresh[1:] = (cut_edge[1:] != cut_edge[:-1]) | (cut_along[1:] - cut_along[:-1] > SAME_PLACE)
    new_node = network.node_count - 1 + np.cumsum(fresh)
    origin_node = np.where(at_start, network.start[edge], network.end[edge])
    origin_node[np.flatnonzero(inside)[order]] = new_node
    cut_edge, cut_along, new_node = cut_edge[fresh], cut_along[fresh], new_node[fresh]

    cut = np.unique(cut_edge)
    whole = np.ones(network.edge_count, dtype=bool)
    whole[cut] = False
    # The places along each cut edge in order: its start, its origins, its end; links join neighbours.
    place_edge = np.concatenate([cut, cut_edge, cut])
    place_along = np.concatenate([np.zeros(len(cut)), cut_along, network.length[cut]])
    place_node = np.concatenate([network.start[cut], new_node, network.end[cut]])
    order = np.lexsort((place_along, place_edge))
    place_edge, place_along, place_node = place_edge[order], place_along[order], place_node[order]
    pair = np.flatnonzero(place_edge[1:] == place_edge[:-1])

    all_edges = np.concatenate([np.flatnonzero(whole), place_edge[pair]])
    return Links(
        edge=all_edges,
        near=np.concatenate([np.zeros(int(whole.sum())), place_along[pair]]),
        far=np.concatenate([network.length[whole], place_along[pair + 1]]),
        start=np.concatenate([network.start[whole], place_node[pair]]),
        end=np.concatenate([network.end[whole], place_node[pair + 1]]),
        cost_per_metre=cost_per_metre[all_edges],
        forward=network.forward[all_edges], backward=network.backward[all_edges],
        node_count=network.node_count + len(cut_edge), origin_node=origin_node)


@dataclass(frozen=True)
class Stretches:
    """Stretches of edges that are reached, m of them, each travelled from ``from_along`` to ``to_along``.

    Attributes
    ----------
    origin : array of int, shape (m,)
        Number of the origin that reaches it.
    edge : array of int, shape (m,)
    from_along, to_along : arrays, shape (m,)
        Metres from the start of the edge; ``to_along`` is smaller where the edge is travelled backwards.
    from_cost, to_cost : arrays, shape (m,)
        Increasing in the direction of travel.
    """

    origin: Indices
    edge: Indices
    from_along: Floats
    to_along: Floats
    from_cost: Floats
    to_cost: Floats

    @property
    def length(self) -> Floats:
        """Metres, shape (m,)."""
        return np.abs(self.to_along - self.from_along)

    def take(self, chosen: Indices | NDArray[np.bool_]) -> Stretches:
        """Return some of the stretches."""
        return Stretches(**{name: values[chosen] for name, values in vars(self).items()})

    @staticmethod
    def join(parts: list[Stretches]) -> Stretches:
        """Return all stretches of several lots."""
        return Stretches(**{name: np.concatenate([getattr(part, name) for part in parts]) for name in vars(parts[0])})


def reach_each(links: Links, group: Indices, limit: float, progress: Progress = silent) -> Iterator[Stretches]:
    """Find for every origin what it reaches, whatever the others reach; yields lots of origins.

    Parameters
    ----------
    links : Links
    group : array of int, shape (k,)
        Number of the origin of each entrance (points of one origin start together); sorted, 0.. without gaps.
    limit : float
        In the unit of the costs.
    """
    graph, incidence = links.graph(), links.incidence()
    count = int(group[-1]) + 1 if len(group) else 0
    bounds = np.searchsorted(group, np.arange(count + 1))
    lot = max(1, _TABLE // max(links.node_count, 1))
    for first in range(0, count, lot):
        progress(first / count)
        last = min(first + lot, count)
        entrances = slice(bounds[first], bounds[last])
        cost = dijkstra(graph, indices=links.origin_node[entrances], limit=limit)
        if bounds[last] - bounds[first] > last - first:
            cost = np.minimum.reduceat(cost, bounds[first:last] - bounds[first], axis=0)
        row, node = np.nonzero(cost <= limit)
        entries = np.cumsum(np.diff(incidence[0])[node])
        cuts = np.searchsorted(entries, np.arange(_FOLLOWED, entries[-1], _FOLLOWED))
        for some in np.split(np.arange(len(node)), cuts):
            yield _stretches(links, incidence, cost, row[some], node[some], row[some] + first, limit)


def reach_nearest(links: Links, group: Indices, limit: float) -> Stretches:
    """Find what is reached from the nearest origin; every place of the network belongs to one origin only.

    Parameters: as `reach_each`.
    """
    cost, _, source = dijkstra(links.graph(), indices=np.unique(links.origin_node), limit=limit, min_only=True,
                               return_predecessors=True)
    group_of_node = np.full(links.node_count, -1, dtype=np.intp)
    group_of_node[links.origin_node[::-1]] = group[::-1]  # of origins on one node the first
    node = np.flatnonzero(cost <= limit)
    row = np.zeros(len(node), dtype=np.intp)
    return _stretches(links, links.incidence(), cost[None, :], row, node, group_of_node[source[node]], limit)


def _stretches(
    links: Links, incidence: tuple[Indices, Indices], cost: Floats, row: Indices, node: Indices, origin: Indices,
    limit: float,
) -> Stretches:
    """Follow every link at a reached node, from that node."""
    starts, codes = incidence
    degree = starts[node + 1] - starts[node]
    entry = np.repeat(np.arange(len(node)), degree)
    code = codes[np.repeat(starts[node] - np.cumsum(degree) + degree, degree) + np.arange(len(entry))]
    count = len(links.edge)
    reverse = code >= count
    link = np.where(reverse, code - count, code)
    allowed = np.where(reverse, links.backward[link], links.forward[link])
    entry, link, reverse = entry[allowed], link[allowed], reverse[allowed]

    here = cost[row[entry], node[entry]]
    other_end = np.where(reverse, links.start[link], links.end[link])
    there = cost[row[entry], other_end]
    two_way = links.forward[link] & links.backward[link]
    per_metre, length = links.cost_per_metre[link], links.far[link] - links.near[link]
    reached = np.minimum((limit - here) / per_metre, length)
    # From both ends of a two-way link the traveller comes equally late to one point; beyond it the other end is nearer.
    meeting = np.where(two_way, (length + (there - here) / per_metre) / 2, length)
    reached = np.minimum(reached, np.maximum(meeting, 0.0))
    reached = np.where(length - reached < SAME_PLACE, length, reached)

    some = reached > SAME_PLACE
    entry, link, reverse, here, per_metre, reached = (
        values[some] for values in (entry, link, reverse, here, per_metre, reached))
    near, far = links.near[link], links.far[link]
    return Stretches(
        origin=origin[entry], edge=links.edge[link], from_along=np.where(reverse, far, near),
        to_along=np.where(reverse, far - reached, near + reached), from_cost=here, to_cost=here + reached * per_metre)


def split_at_breaks(stretches: Stretches, breaks: Floats) -> tuple[Stretches, Indices]:
    """Cut stretches exactly where their cost passes a break.

    Parameters
    ----------
    stretches : Stretches
        Of costs up to the last break.
    breaks : array, shape (b,)
        Increasing.

    Returns
    -------
    stretches : Stretches
    band : array of int
        0 for costs up to the first break, 1 up to the second, ...
    """
    lowest = np.searchsorted(breaks, stretches.from_cost, side="right")
    highest = np.minimum(np.searchsorted(breaks, stretches.to_cost, side="left"), len(breaks) - 1)
    lowest = np.minimum(lowest, highest)
    pieces = highest - lowest + 1
    source = np.repeat(np.arange(len(pieces)), pieces)
    band = lowest[source] + np.arange(len(source)) - np.repeat(np.cumsum(pieces) - pieces, pieces)
    whole = stretches.take(source)
    below = np.where(band > lowest[source], breaks[band - 1], whole.from_cost)
    above = np.where(band < highest[source], breaks[band], whole.to_cost)
    slope = (whole.to_along - whole.from_along) / (whole.to_cost - whole.from_cost)
    begin = np.where(band > lowest[source], whole.from_along + (below - whole.from_cost) * slope, whole.from_along)
    stop = np.where(band < highest[source], whole.from_along + (above - whole.from_cost) * slope, whole.to_along)
    kept = np.abs(stop - begin) > SAME_PLACE
    cut = Stretches(whole.origin, whole.edge, begin, stop, below, np.minimum(above, breaks[-1]))
    return cut.take(kept), band[kept]
