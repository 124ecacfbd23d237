"""Polygon coverages of any size for benchmarks: cells of a crooked grid whose shared edges are bent."""

from __future__ import annotations

import numpy as np
import shapely
from numpy.typing import NDArray

#: Lower left corner in VN-2000 / TM-3 107-00.
ORIGIN = (580_000.0, 1_200_000.0)


def crooked_grid(rows: int, columns: int, width: float, height: float, *, bends: int, seed: int) -> NDArray[np.object_]:
    """Return ``rows * columns`` valid polygons that cover a rectangle without gaps or overlaps, row by row.

    Parameters
    ----------
    rows, columns : int
    width, height : float
        Of the rectangle, metres.
    bends : int
        Extra vertices on every shared edge.
    seed : int
        The same seed gives the same coordinates.
    """
    random = np.random.default_rng(seed)
    cell = np.array([width / columns, height / rows])
    corners = np.stack(np.meshgrid(np.arange(columns + 1), np.arange(rows + 1)), axis=-1) * cell
    shift = random.uniform(-0.2, 0.2, corners.shape) * cell
    shift[[0, -1], :, 1] = shift[:, [0, -1], 0] = 0
    corners += shift

    def bent(
        start: NDArray[np.float64], end: NDArray[np.float64], straight: tuple[int, ...], axis: int
    ) -> NDArray[np.float64]:
        along = np.linspace(0, 1, bends + 2)[1:-1]
        way = end - start
        bow = random.uniform(-0.05, 0.05, way.shape[:-1])
        for border in straight:
            np.moveaxis(bow, axis, 0)[border] = 0
        wave = bow[..., None] * np.sin(3 * np.pi * along)
        across = np.stack([-way[..., 1], way[..., 0]], axis=-1)
        return start[..., None, :] + way[..., None, :] * along[:, None] + across[..., None, :] * wave[..., None]

    level = bent(corners[:, :-1], corners[:, 1:], (0, -1), 0)
    upright = bent(corners[:-1], corners[1:], (0, -1), 1)
    ring = np.concatenate([
        corners[:-1, :-1, None], level[:-1], corners[:-1, 1:, None], upright[:, 1:],
        corners[1:, 1:, None], level[1:, :, ::-1], corners[1:, :-1, None], upright[:, :-1, ::-1],
        corners[:-1, :-1, None]], axis=2)
    # Millimetres, as survey data have.
    return shapely.polygons(np.round(ring.reshape(rows * columns, -1, 2) + ORIGIN, 3))
