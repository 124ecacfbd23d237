"""How built-up each place is: what decides block sizes, lots, heights of houses and crops."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .place import CELL, HEIGHT, WIDTH, generator

#: Centres of building: x, y, radius in metres, strength. The first is the old centre; the rest quarters and villages.
_CENTRES = np.array([
    (3680, 2250, 560, 1.00), (3380, 1800, 330, 0.76), (4250, 2380, 400, 0.76), (2450, 2600, 250, 0.72), (5150, 2300,
         270, 0.62),
    (4020, 1300, 280, 0.58),
    # villages
    (2150, 950, 215, 0.42), (3050, 900, 190, 0.42), (4700, 420, 235, 0.44), (5600, 1750, 200, 0.42), (5650, 620, 200,
         0.42),
    (1080, 2420, 185, 0.40), (1800, 3300, 200, 0.44), (3150, 3850, 235, 0.46), (4450, 3950, 215, 0.44), (2500, 4750,
         215, 0.42),
    (4150, 5000, 220, 0.42), (5350, 4450, 230, 0.44), (5550, 3550, 170, 0.40), (700, 480, 180, 0.40), (700, 4150, 170,
         0.38),
    (3550, 250, 180, 0.40),
])


def noise(x: ArrayLike, y: ArrayLike, scale: float, topic: str, octaves: int = 4) -> NDArray[np.float64]:
    """Smooth natural noise of about -1 to 1: value noise on a lattice of `scale` metres and its halves."""
    x, y = np.broadcast_arrays(np.asarray(x, dtype=float), np.asarray(y, dtype=float))
    total, weight = np.zeros(x.shape), 0.0
    for octave in range(octaves):
        size = scale / 2**octave
        lattice = generator(f"{topic}/{octave}").uniform(-1, 1, (64, 64))
        u, v = x / size, y / size
        i, j = np.floor(u).astype(int), np.floor(v).astype(int)
        s, t = _ease(u - i), _ease(v - j)
        a = lattice[i % 64, j % 64] * (1 - s) + lattice[(i + 1) % 64, j % 64] * s
        b = lattice[i % 64, (j + 1) % 64] * (1 - s) + lattice[(i + 1) % 64, (j + 1) % 64] * s
        total += (a * (1 - t) + b * t) * 0.5**octave
        weight += 0.5**octave
    return total / weight * 1.6


def _ease(t: NDArray[np.float64]) -> NDArray[np.float64]:
    return t * t * t * (t * (6 * t - 15) + 10)


def urbanity(x: ArrayLike, y: ArrayLike) -> NDArray[np.float64]:
    """0 open country, from 0.25 village, from 0.5 town, 1 the old centre."""
    x, y = np.broadcast_arrays(np.asarray(x, dtype=float), np.asarray(y, dtype=float))
    bent_x = x + 110 * noise(x, y, 500, "bend x", 2)
    bent_y = y + 110 * noise(x, y, 500, "bend y", 2)
    value = np.zeros(x.shape)
    for cx, cy, radius, strength in _CENTRES:
        distance = np.hypot(bent_x - cx, bent_y - cy) / radius
        value = np.maximum(value, strength * np.clip(1.28 - 0.55 * distance**2, 0.0, 1.0))
    return value


def hilliness(x: ArrayLike, y: ArrayLike) -> NDArray[np.float64]:
    """0 in the plain to 1 in the hills of the south-west corner and the north-west edge."""
    x, y = np.broadcast_arrays(np.asarray(x, dtype=float), np.asarray(y, dtype=float))
    bent = 260 * noise(x, y, 900, "hill edge", 3)
    south_west = (1850 - 1.05 * x - 1.55 * y + bent) / 1500
    north_west = (1250 - x - 0.30 * np.abs(y - 4500) + bent) / 900
    south = (420 - y - 0.16 * np.abs(x - 2300) + 0.6 * bent) / 700
    return np.clip(np.maximum(np.maximum(south_west, north_west), south), 0.0, 1.0)


def on_cells(field: Callable[..., NDArray[np.float64]], step: int = 4) -> NDArray[np.float64]:
    """Values of a smooth function of x, y on the cells of the terrain raster (first row northernmost).

    It is computed at every fourth cell corner and interpolated: sixteen times faster, and nothing it is used for
    has detail below 20 m.
    """
    rows, columns = int(HEIGHT / CELL), int(WIDTH / CELL)
    x, y = np.meshgrid(np.arange(columns // step + 1) * step * CELL, HEIGHT - np.arange(rows // step + 1) * step * CELL)
    coarse = field(x, y)
    weight = (np.arange(step) + 0.5) / step
    across = (coarse[:, :-1, None] * (1 - weight) + coarse[:, 1:, None] * weight).reshape(len(coarse), -1)
    return (across[:-1, None] * (1 - weight)[:, None] + across[1:, None] * weight[:, None]).reshape(rows, columns)
