"""All streets of the town, their network, and the faces between them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from .blocks import fabric
from .landscape import urbanity
from .place import extent, generator
from .street_growth import add_alleys, grow_streets
from .street_network import NODE_GRID, Network, build_network
from .street_plan import Street, main_roads
from .watercourses import Watercourses


@dataclass(frozen=True)
class Streets:
    """Whole streets, the network cut at junctions, and the faces between all lines (streets, river axis, frame)."""

    streets: list[Street]
    network: Network
    faces: NDArray[np.object_]


def draw_streets(water: Watercourses) -> Streets:
    """Draw the main roads, let the smaller ones grow between them, and join everything at the junctions."""
    rng = generator("streets")
    frame = extent()
    roads = main_roads(water.dyke)
    roads = [Street(shapely.intersection(road.line, frame), road.kind, road.name) for road in roads]
    barriers = (
        [road.line for road in roads]
        + list(water.streams.values())
        + [water.water.boundary, water.islet.boundary, frame.boundary]
    )
    between = shapely.get_parts(shapely.polygonize([shapely.union_all(barriers, grid_size=NODE_GRID)]))
    inner = shapely.point_on_surface(between)
    dry = shapely.contains(frame, inner) & ~shapely.intersects(shapely.union(water.water, water.islet), inner)
    grown, blocks = grow_streets(list(between[dry]), fabric, rng)
    x, y = shapely.get_coordinates(shapely.point_on_surface(np.array(blocks, dtype=object))).T
    u = urbanity(x, y)
    area = shapely.area(np.array(blocks, dtype=object))
    inland = shapely.distance(np.array(blocks, dtype=object), water.water) > 10
    deep = inland & (u > 0.25) & (area > 9000) & (rng.random(len(blocks)) < np.where(u > 0.5, 0.45, 0.55))
    alleys = add_alleys(blocks, deep, rng, np.where(u > 0.5, "alley", "village"))
    streets = [*roads, *grown, *alleys]
    streets = _connected(streets)
    network = build_network(streets)
    lines = [*network.lines, water.axis, frame.boundary]
    faces = shapely.get_parts(shapely.polygonize([shapely.union_all(lines, grid_size=NODE_GRID)]))
    faces = faces[shapely.contains(frame, shapely.point_on_surface(faces))]
    return Streets(streets, network, faces[np.lexsort(shapely.get_coordinates(shapely.centroid(faces)).T)])


def _connected(streets: list[Street]) -> list[Street]:
    """Leave out tracks that only meet water: without them the network is in one piece."""
    net = build_network(streets)
    links = coo_matrix((np.ones(len(net.lines)), (net.start, net.end)), shape=(len(net.nodes), len(net.nodes)))
    _, piece = connected_components(links, directed=False)
    main = np.bincount(piece).argmax()
    kept = set(net.street[piece[net.start] == main].tolist())
    return [street for at, street in enumerate(streets) if at in kept]
