"""Cut many polygons into lots at once.

Each round cuts every polygon that is still too large across its dominant direction, all of them in one vectorised
call, so a lot costs some 50 microseconds. The dominant direction is that of the boundary modulo 90 degrees (each
edge votes with its length), which a curved or many-cornered block has too, unlike the side of its bounding rectangle.
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
    # Direction of the street a row lies along, once it is a row: from then on it is only cut across.
    row = np.full((len(polygons), 2), np.nan)
    done, done_parent = [], []
    for _ in range(rounds):
        small = shapely.area(todo) < 1.35 * lot_area[parent] * factor
        done.append(todo[small])
        done_parent.append(parent[small])
        todo, parent, factor, row = todo[~small], parent[~small], factor[~small], row[~small]
        if not len(todo):
            break
        first, second, good, row = _cut(todo, lot_area[parent] * factor, depth[parent], row, rng, wobble)
        done.append(todo[~good])
        done_parent.append(parent[~good])
        parts, position = shapely.get_parts(np.concatenate([first[good], second[good]]), return_index=True)
        polygonal = (shapely.get_type_id(parts) == 3) & (shapely.area(parts) > 1e-4)
        todo, position = parts[polygonal], position[polygonal]
        parent, row = np.tile(parent[good], 2)[position], np.tile(row[good], (2, 1))[position]
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
    axis : array (n, 2)
    low, high, low_across, high_across : arrays (n,)
        Projections on the axis and on its left normal.
    """
    xy, owner = shapely.get_coordinates(shapely.get_exterior_ring(polygons), return_index=True)
    same = owner[1:] == owner[:-1]
    edges, edge_owner = np.diff(xy, axis=0)[same], owner[:-1][same]
    squared = (edges**2).sum(axis=1)
    angle = 4.0 * np.arctan2(edges[:, 1], edges[:, 0])
    cosine = np.bincount(edge_owner, squared * np.cos(angle), len(polygons))
    sine = np.bincount(edge_owner, squared * np.sin(angle), len(polygons))
    direction = np.arctan2(sine, cosine) / 4.0
    axis = np.column_stack([np.cos(direction), np.sin(direction)])
    u0, u1, v0, v1 = _extents(xy, owner, axis)
    turn = (v1 - v0) > (u1 - u0)
    axis = np.where(turn[:, None], np.column_stack([-axis[:, 1], axis[:, 0]]), axis)
    return axis, np.where(turn, v0, u0), np.where(turn, v1, u1), np.where(turn, -u1, v0), np.where(turn, -u0, v1)


def _extents(xy, owner, axis):
    """Range of the vertices of each polygon along its axis and along the left normal of it."""
    starts = np.flatnonzero(np.r_[True, owner[1:] != owner[:-1]])
    along = axis[owner]
    u = (xy * along).sum(axis=1)
    v = xy[:, 1] * along[:, 0] - xy[:, 0] * along[:, 1]
    return tuple(reduce.reduceat(w, starts) for w in (u, v) for reduce in (np.minimum, np.maximum))


def half_planes(axis: NDArray, position: NDArray) -> tuple[NDArray[np.object_], NDArray[np.object_]]:
    """The two sides of the lines at `position` along `axis`, as very large rectangles with one side in common."""
    normal = np.column_stack([-axis[:, 1], axis[:, 0]])
    foot = axis * position[:, None]
    # Centre the rectangles where the polygon is, or the far corners would cost precision.
    a, b = foot - _FAR * normal, foot + _FAR * normal
    before = np.stack([a, b, b - _FAR * axis, a - _FAR * axis], axis=1)
    after = np.stack([a, b, b + _FAR * axis, a + _FAR * axis], axis=1)
    return shapely.polygons(before), shapely.polygons(after)


def _cut(todo, wanted, depth, row, rng, wobble):
    centre = shapely.get_coordinates(shapely.centroid(todo))
    moved = _shift(todo, -centre)
    axis, low, high, low_across, high_across = dominant_axes(moved)
    fixed = np.isfinite(row[:, 0])
    if fixed.any():
        axis[fixed] = row[fixed]
        xy, owner = shapely.get_coordinates(shapely.get_exterior_ring(moved[fixed]), return_index=True)
        low[fixed], high[fixed], low_across[fixed], high_across[fixed] = _extents(xy, owner, row[fixed])
    length, width = high - low, high_across - low_across
    rows = np.rint(width / depth)
    # A block of two or three rows is parted into rows; a deeper or very long one is cut across first.
    into_rows = ~fixed & (((rows >= 2) & (rows <= 3) & (length < 12 * depth)) | ((rows > 3) & (width > 0.8 * length)))
    single = fixed | (rows <= 1) | (into_rows & (rows == 2))
    row = np.where(single[:, None], axis, np.nan)
    middle = np.where(rows == 3, 1 / 3, 0.5)
    pieces = np.maximum(2.0, np.rint(shapely.area(todo) / wanted))
    even = np.floor(pieces / 2) / pieces
    share = np.where(into_rows, middle, even) + wobble * rng.uniform(-1, 1, len(todo)) * np.where(pieces > 3, 0.8, 0.5)
    tilt = 0.035 * rng.uniform(-1, 1, len(todo))
    across = np.column_stack([-axis[:, 1], axis[:, 0]])
    cut_axis = np.where(into_rows[:, None], across, axis)
    position = np.where(into_rows, low_across, low) + share * np.where(into_rows, width, length)
    cut_axis = np.column_stack([cut_axis[:, 0] - tilt * cut_axis[:, 1], cut_axis[:, 1] + tilt * cut_axis[:, 0]])
    cut_axis /= np.hypot(*cut_axis.T)[:, None]
    before, after = half_planes(cut_axis, position)
    first, second = shapely.intersection(moved, before), shapely.intersection(moved, after)
    smaller = np.minimum(shapely.area(first), shapely.area(second))
    good = smaller > 0.22 * np.minimum(wanted, shapely.area(todo))
    return _shift(first, centre), _shift(second, centre), good, row


def _shift(shapes: NDArray[np.object_], by: NDArray[np.float64]) -> NDArray[np.object_]:
    xy, owner = shapely.get_coordinates(shapes, return_index=True)
    return shapely.set_coordinates(shapes.copy(), xy + by[owner])
