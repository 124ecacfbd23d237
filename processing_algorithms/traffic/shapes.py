"""Shapes of reached stretches: exact parts of edges, and the area along them."""

from __future__ import annotations

import numpy as np
import shapely
from numpy.typing import NDArray

from ..common.parallel import run_blocks
from ..common.progress import Progress, silent
from .network import Network

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]

#: Segments per quarter circle of a buffer: drawn roundings lie at most 2 % of the width inside the true circle.
QUARTER_SEGMENTS = 4


def cut_edges(network: Network, edge: Indices, from_along: Floats, to_along: Floats) -> NDArray[np.object_]:
    """Cut stretches out of edges, with all vertices between; drawn from ``from_along`` to ``to_along``.

    Parameters
    ----------
    network : Network
    edge : array of int, shape (m,)
    from_along, to_along : arrays, shape (m,)
        Metres from the start of the edge, not equal; reversed where ``to_along`` is smaller.

    Returns
    -------
    array of LineStrings, shape (m,)
    """
    low, high = np.minimum(from_along, to_along), np.maximum(from_along, to_along)
    owner, vertex = network.vertices_of(edge)
    # Vertices a hair's breadth from a cut would make segments without length.
    inner = (network.along[vertex] > low[owner] + 1e-7) & (network.along[vertex] < high[owner] - 1e-7)
    owner, vertex = owner[inner], vertex[inner]

    begin, stop = _places(network, edge, low), _places(network, edge, high)
    inside = np.bincount(owner, minlength=len(edge))
    offset = np.cumsum(inside + 2) - inside - 2
    xy = np.empty((int((inside + 2).sum()), 2))
    xy[offset] = begin
    xy[offset + inside + 1] = stop
    rank = np.arange(len(owner)) - np.repeat(np.cumsum(inside) - inside, inside)
    xy[offset[owner] + 1 + rank] = network.xy[vertex]
    lines = shapely.linestrings(xy, indices=np.repeat(np.arange(len(edge)), inside + 2))
    backwards = to_along < from_along
    lines[backwards] = shapely.reverse(lines[backwards])
    return lines


def _places(network: Network, edge: Indices, along: Floats) -> Floats:
    """Coordinates at distances along edges; the very vertex where the distance is that of an end."""
    owner, vertex = network.vertices_of(edge)
    # The segment is the one whose start is the last vertex not beyond the distance.
    passed = np.bincount(owner[network.along[vertex] <= along[owner]], minlength=len(edge))
    here = np.minimum(network.first[edge] + passed - 1, network.first[edge + 1] - 2)
    share = (along - network.along[here]) / (network.along[here + 1] - network.along[here])
    share = np.clip(share, 0.0, 1.0)[:, None]
    before, after = network.xy[here], network.xy[here + 1]
    return np.where(share == 1.0, after, before + share * (after - before))


def areas_along(
    lines: NDArray[np.object_], group: Indices, band: Indices, seeds: NDArray[np.object_], bands: int, *,
    width: float, min_hole_m2: float, rings: bool = False, progress: Progress = silent,
) -> NDArray[np.object_]:
    """Draw, for every group and band, the ground within a width of the streets reached up to that band.

    The area of a band is that of the band before it joined with the buffers of the band's own streets, so that larger
    breaks contain smaller ones and each area covers its streets. Holes smaller than ``min_hole_m2`` (insides of
    blocks whose streets are reached all around) belong to the area.

    Parameters
    ----------
    lines : array of LineStrings, shape (m,)
    group, band : arrays of int, shape (m,)
        Groups 0 .. g - 1, bands 0 .. ``bands`` - 1.
    seeds : array of geometries, shape (g,)
        Where each group starts; its surroundings always belong to the area.
    width : float
        Metres to each side.
    min_hole_m2 : float
        0 keeps every hole.
    rings : bool
        Take the area of the band before out of each band.

    Returns
    -------
    array of MultiPolygons and Polygons, shape (g, bands); empty where a ring is
    """
    areas = np.empty((len(seeds), bands), dtype=object)
    order = np.lexsort((band, group))
    bounds = np.searchsorted(group[order] * bands + band[order], np.arange(len(seeds) * bands + 1))

    def draw(start: int, stop: int) -> None:
        for number in range(start, stop):
            area = shapely.buffer(seeds[number], width, quad_segs=QUARTER_SEGMENTS)
            for level in range(bands):
                cell = number * bands + level
                reached = lines[order[bounds[cell]:bounds[cell + 1]]]
                if len(reached):
                    # Chains first: half the shapes, and joining shapes is what takes the time.
                    chains = shapely.get_parts(shapely.line_merge(shapely.multilinestrings(reached)))
                    strips = shapely.buffer(chains, width, quad_segs=QUARTER_SEGMENTS)
                    area = _without_small_holes(shapely.union_all(np.append(strips, area)), min_hole_m2)
                areas[number, level] = area

    run_blocks(draw, np.arange(len(seeds)), 1, progress)
    if rings and bands > 1:
        areas[:, 1:] = shapely.difference(areas[:, 1:], areas[:, :-1])
    return areas


def _without_small_holes(area: shapely.Geometry, min_hole_m2: float) -> shapely.Geometry:
    parts = []
    for part in shapely.get_parts(area):
        rings = shapely.get_rings(part)
        large = shapely.area(shapely.polygons(rings[1:])) >= min_hole_m2
        parts.append(part if large.all() else shapely.polygons(rings[0], holes=rings[1:][large]))
    return parts[0] if len(parts) == 1 else shapely.multipolygons(parts)
