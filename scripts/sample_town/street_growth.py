"""Streets that part the land between the main roads until the blocks have the size the place calls for.

Each new street runs across the longer direction of its block and ends at the streets around it, so T-junctions are
the rule, and blocks get smaller towards the centre. Alleys that end inside deep blocks come last.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import LineString, Polygon

from .splitting import dominant_axes
from .street_plan import Street

#: Gives the wanted block area (square metres) and the class of a new street at points x, y.
Fabric = Callable[[NDArray, NDArray], tuple[NDArray[np.float64], NDArray[np.str_]]]
_NARROWEST = 62.0


def grow_streets(faces: list[Polygon], fabric: Fabric, rng: np.random.Generator) -> tuple[list[Street], list[Polygon]]:
    """Part the faces by new streets.

    Returns
    -------
    streets, blocks
        The new streets, each ending on the boundary of the face it parts, and the faces between all streets.
    """
    streets: list[Street] = []
    blocks: list[Polygon] = []
    todo = list(faces)
    while todo:
        array = np.array(todo, dtype=object)
        centre = shapely.get_coordinates(shapely.point_on_surface(array))
        wanted, kind = fabric(centre[:, 0], centre[:, 1])
        area = shapely.area(array)
        axis, low, high, low_across, high_across = dominant_axes(array)
        width, length = high_across - low_across, high - low
        keep = (
            (area < 1.5 * wanted) | ((width < _NARROWEST) & (length < 9 * width)) | (area / length < 0.55 * _NARROWEST)
        )
        blocks.extend(array[keep])
        todo = []
        for at in np.flatnonzero(~keep):
            share = 0.5 + 0.14 * rng.uniform(-1, 1)
            halves, lines = _part(
                array[at], axis[at], low[at] + share * length[at], low_across[at], high_across[at], rng
            )
            if len(halves) < 2:
                blocks.append(array[at])
                continue
            larger = str(kind[at])
            if larger == "local" and area[at] > 220_000:
                larger = "area"
            streets.extend(Street(line, larger) for line in lines)
            todo.extend(halves)
    return streets, blocks


def add_alleys(
    blocks: list[Polygon], chosen: NDArray[np.bool_], rng: np.random.Generator, kind: NDArray[np.str_]
) -> list[Street]:
    """A dead-end alley from one end of each chosen block along its middle, with a bend where the block is long."""
    array = np.array(blocks, dtype=object)
    axis, low, high, low_across, high_across = dominant_axes(array)
    alleys = []
    for at in np.flatnonzero(chosen):
        along, across = axis[at], np.array([-axis[at][1], axis[at][0]])
        middle = low_across[at] + (0.5 + 0.08 * rng.uniform(-1, 1)) * (high_across[at] - low_across[at])
        reach = rng.uniform(0.55, 0.75)
        start, end = (low[at] - 1, low[at] + reach * (high[at] - low[at]))
        if rng.random() < 0.5:
            start, end = high[at] + 1, high[at] - reach * (high[at] - low[at])
        sway = 0.05 * (high_across[at] - low_across[at]) * rng.uniform(-1, 1, 3)
        stations = np.linspace(start, end, 4)
        offsets = middle + np.array([0.0, *sway])
        line = LineString(stations[:, None] * along + offsets[:, None] * across)
        inside = _longest(shapely.intersection(line, array[at]))
        if inside is not None and inside.length > 35.0:
            alleys.append(Street(inside, str(kind[at])))
    return alleys


def _part(face: Polygon, axis: NDArray, position: float, low: float, high: float, rng: np.random.Generator):
    """Cut a face by a gently curved line across its long axis; returns the parts and the pieces of the line inside."""
    across = np.array([-axis[1], axis[0]])
    t = np.linspace(-0.02, 1.02, 8)
    span = high - low
    bow, wave, tilt = 0.07 * rng.uniform(-1, 1), 0.025 * rng.uniform(-1, 1), 0.09 * rng.uniform(-1, 1)
    offset = position + span * (bow * (4 * t * (1 - t) - 0.5) + wave * np.sin(2 * np.pi * t) + tilt * (t - 0.5))
    curve = LineString(offset[:, None] * axis + (low + t * span)[:, None] * across)
    inside = shapely.get_parts(shapely.intersection(curve, face))
    lines = [piece for piece in inside if piece.geom_type == "LineString" and piece.length > 1.0]
    if not lines:
        return [face], []
    halves = shapely.get_parts(shapely.polygonize([shapely.union_all([face.boundary, curve])]))
    inner = shapely.point_on_surface(halves)
    halves = halves[shapely.contains_properly(face, inner)]
    if len(halves) < 2 or shapely.area(halves).min() < 0.12 * face.area:
        return [face], []
    return list(halves), lines


def _longest(shape):
    lines = [piece for piece in shapely.get_parts(shape) if piece.geom_type == "LineString"]
    return max(lines, key=lambda line: line.length, default=None)
