"""From streets to a network: cut at every junction, joined node to node."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from .street_plan import Street
from .welding import corners_on_edges

#: Junctions are found on this grid, metres: ends that miss a street by less are joined to it.
NODE_GRID = 0.01


@dataclass(frozen=True)
class Network:
    """Street segments between junctions; ends that meet have identical coordinates."""

    lines: NDArray[np.object_]
    street: NDArray[np.intp]
    start: NDArray[np.intp]
    end: NDArray[np.intp]
    nodes: NDArray[np.float64]


def build_network(streets: list[Street], *, snap: float = 1.5) -> Network:
    """Node the streets.

    Ends nearer than `snap` metres to a junction move onto it, because two junctions a step apart are a drawing error.
    Segments of one street stay separate from junction to junction and know their street.
    """
    lines = shapely.set_precision(np.array([street.line for street in streets], dtype=object), NODE_GRID)
    lines = _pinned(_snap_ends(lines, snap))
    pieces = shapely.get_parts(shapely.union_all(lines, grid_size=NODE_GRID))
    tree = shapely.STRtree(lines)
    middle = shapely.line_interpolate_point(pieces, 0.5, normalized=True)
    piece, street = tree.query(middle, predicate="dwithin", distance=0.05)
    # A piece that two streets share (drawn twice) belongs to the first of them.
    order = np.lexsort((street, piece))
    _, first = np.unique(piece[order], return_index=True)
    owner = np.full(len(pieces), -1)
    owner[piece[order][first]] = street[order][first]
    pieces, owner = pieces[owner >= 0], owner[owner >= 0]
    pieces = _oriented(pieces, lines[owner])
    order = np.lexsort((shapely.line_locate_point(lines[owner], shapely.get_point(pieces, 0)), owner))
    pieces, owner = pieces[order], owner[order]
    ends = np.concatenate([shapely.get_coordinates(shapely.get_point(pieces, at)) for at in (0, -1)])
    nodes, number = np.unique(np.round(ends, 3), axis=0, return_inverse=True)
    number = number.ravel()
    return Network(pieces, owner, number[: len(pieces)], number[len(pieces) :], nodes)


def _pinned(lines: NDArray[np.object_]) -> NDArray[np.object_]:
    """Give every street a vertex where another one ends on it: on the grid that end may lie half a cell beside it."""
    ends = np.unique(
        shapely.get_coordinates(np.concatenate([shapely.get_point(lines, 0), shapely.get_point(lines, -1)])), axis=0
    )
    xy, owner = shapely.get_coordinates(lines, return_index=True)
    place, point = corners_on_edges(xy, np.flatnonzero(owner[1:] == owner[:-1]), ends, 1.5 * NODE_GRID)
    return shapely.linestrings(np.insert(xy, place, point, axis=0), indices=np.insert(owner, place, owner[place - 1]))


def _snap_ends(lines, snap):
    ends = np.concatenate([shapely.get_point(lines, 0), shapely.get_point(lines, -1)])
    tree = shapely.STRtree(ends)
    left, right = tree.query(ends, predicate="dwithin", distance=snap)
    target = np.arange(len(ends))
    np.minimum.at(target, left, right)
    target = target[target]
    where = shapely.get_coordinates(ends)
    xy, owner = shapely.get_coordinates(lines, return_index=True)
    first = np.flatnonzero(np.r_[True, owner[1:] != owner[:-1]])
    last = np.r_[first[1:] - 1, len(xy) - 1]
    xy[first], xy[last] = where[target[: len(lines)]], where[target[len(lines) :]]
    return shapely.set_coordinates(lines.copy(), xy)


def _oriented(pieces, streets):
    begin = shapely.line_locate_point(streets, shapely.get_point(pieces, 0))
    end = shapely.line_locate_point(streets, shapely.get_point(pieces, -1))
    return np.where(begin <= end, pieces, shapely.reverse(pieces))
