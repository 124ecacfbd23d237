"""Cut many polygons into lots at once.

Each round cuts every polygon that is still too large across its dominant direction, all of them in one vectorised
call, so a lot costs some 50 microseconds. The dominant direction is that of the boundary modulo 90 degrees (each edge votes
with its length), which a curved or many-cornered block has too, unlike the side of its bounding rectangle.
"""

from __future__ import annotations

import numpy as np
import shapely
from numpy.typing import NDArray

_FAR = 1.0e4


def split_to_lots(
    polygons: NDArray[np.object_],
    lot_area: NDArray[np.float64],
    depth: NDArray[np.float64],
    rng: np.random.Generator,
    *,
    wobble: float = 0.12,
    rounds: int = 24,
) -> tuple[NDArray[np.object_], NDArray[np.intp]]:
    """Split each polygon into lots of about `lot_area` square metres.

    Parameters
    ----------
    polygons : array of shapely polygons, shape (n,)
    lot_area : array of float, shape (n,), square metres
    depth : array of float, shape (n,), metres
        Usual depth of a lot from the street: a block is first parted into rows of about this depth, then the rows
        across, so that most lots reach a street.
    wobble : float
        How far from the middle a cut may lie, as a share of the width.

    Returns
    -------
    pieces, parents : arrays of shape (m,)
        The lots and, for each, the position of its polygon in the input. They cover it.
    """
    todo, parent = polygons.copy(), np.arange(len(polygons))
    factor = rng.uniform(0.75, 1.45, len(polygons))
    done, done_parent = [], []
    for _ in range(rounds):
        if not len(todo):
            break
        area = shapely.area(todo)
        small = area < 1.35 * lot_area[parent] * factor
        done.append(todo[small])
        done_parent.append(parent[small])
        todo, parent, factor = todo[~small], parent[~small], factor[~small]
        if not len(todo):
            break
        first, second, good = _cut(todo, lot_area[parent] * factor, depth[parent], rng, wobble)
        done.append(todo[~good])
        done_parent.append(parent[~good])
        halves = np.concatenate([first[good], second[good]])
        parents = np.concatenate([parent[good], parent[good]])
        parts, position = shapely.get_parts(halves, return_index=True)
        polygonal = (shapely.get_type_id(parts) == 3) & (shapely.area(parts) > 1e-4)
        todo, parent = parts[polygonal], parents[position[polygonal]]
        factor = rng.uniform(0.75, 1.45, len(todo))
    done.append(todo)
    done_parent.append(parent)
    pieces, parents = np.concatenate(done), np.concatenate(done_parent)
    order = np.argsort(parents, kind="stable")
    return pieces[order], parents[order]


def dominant_axes(polygons: NDArray[np.object_]) -> tuple[NDArray[np.float64], ...]:
    """Return unit vectors of the long axis, its extent range and the range across, each over all polygons.

    Returns
    -------
    axis : array (n, 2); low, high : arrays (n,) of projections on the axis; low_across, high_across : likewise on its left normal
    """
    rings = shapely.get_exterior_ring(polygons)
    xy, owner = shapely.get_coordinates(rings, return_index=True)
    edges = np.diff(xy, axis=0)
    same = owner[1:] == owner[:-1]
    edges, edge_owner = edges[same], owner[:-1][same]
    length = np.hypot(edges[:, 0], edges[:, 1])
    angle = 4.0 * np.arctan2(edges[:, 1], edges[:, 0])
    count = len(polygons)
    cosine = np.bincount(edge_owner, length**2 * np.cos(angle), count)
    sine = np.bincount(edge_owner, length**2 * np.sin(angle), count)
    direction = np.arctan2(sine, cosine) / 4.0
    starts = np.flatnonzero(np.r_[True, ~same])
    along, across = np.cos(direction), np.sin(direction)
    u = xy[:, 0] * along[owner] + xy[:, 1] * across[owner]
    v = -xy[:, 0] * across[owner] + xy[:, 1] * along[owner]
    u0, u1 = np.minimum.reduceat(u, starts), np.maximum.reduceat(u, starts)
    v0, v1 = np.minimum.reduceat(v, starts), np.maximum.reduceat(v, starts)
    turn = (v1 - v0) > (u1 - u0)
    axis = np.column_stack([np.where(turn, -across, along), np.where(turn, along, across)])
    return (axis, np.where(turn, v0, u0), np.where(turn, v1, u1), np.where(turn, -u1, v0), np.where(turn, -u0, v1))


def half_planes(axis: NDArray, position: NDArray) -> tuple[NDArray[np.object_], NDArray[np.object_]]:
    """The two sides of the lines at `position` along `axis`, as very large rectangles with one side in common."""
    normal = np.column_stack([-axis[:, 1], axis[:, 0]])
    foot = axis * position[:, None]
    # Centre the rectangles where the polygon is, or the far corners would cost precision.
    a, b = foot - _FAR * normal, foot + _FAR * normal
    before = np.stack([a, b, b - _FAR * axis, a - _FAR * axis], axis=1)
    after = np.stack([a, b, b + _FAR * axis, a + _FAR * axis], axis=1)
    return shapely.polygons(before), shapely.polygons(after)


def _cut(todo, wanted, depth, rng, wobble):
    centre = shapely.get_coordinates(shapely.centroid(todo))
    moved = _shift(todo, -centre)
    axis, low, high, low_across, high_across = dominant_axes(moved)
    length, width = high - low, high_across - low_across
    rows = np.rint(width / depth)
    # Two rows back to back first; a wide block is cut across before it is parted into rows.
    into_rows = (rows >= 2) & (rows <= 3) & (length < 12 * depth) | (rows > 3) & (width > 0.8 * length)
    middle = np.where(rows == 3, 1 / 3, 0.5)
    pieces = np.maximum(2.0, np.rint(shapely.area(todo) / wanted))
    even = np.floor(pieces / 2) / pieces
    share = np.where(into_rows, middle, even) + wobble * rng.uniform(-1, 1, len(todo)) * np.where(pieces > 3, 0.8, 0.5)
    tilt = 0.035 * rng.uniform(-1, 1, len(todo))
    across = np.column_stack([-axis[:, 1], axis[:, 0]])
    cut_axis = np.where(into_rows[:, None], across, axis)
    start = np.where(into_rows, low_across, low)
    span = np.where(into_rows, width, length)
    position = start + share * span
    cut_axis = np.column_stack([cut_axis[:, 0] - tilt * cut_axis[:, 1], cut_axis[:, 1] + tilt * cut_axis[:, 0]])
    cut_axis /= np.hypot(*cut_axis.T)[:, None]
    before, after = half_planes(cut_axis, position)
    first, second = shapely.intersection(moved, before), shapely.intersection(moved, after)
    smaller = np.minimum(shapely.area(first), shapely.area(second))
    good = smaller > 0.22 * np.minimum(wanted, shapely.area(todo))
    return _shift(first, centre), _shift(second, centre), good


def _shift(shapes: NDArray[np.object_], by: NDArray[np.float64]) -> NDArray[np.object_]:
    xy, owner = shapely.get_coordinates(shapes, return_index=True)
    return shapely.set_coordinates(shapes.copy(), xy + by[owner])
