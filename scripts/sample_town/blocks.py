"""Blocks: the land left between rights of way, water and dyke, and what each is used for in the large."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import Geometry

from .curves import Ruler
from .landscape import hilliness, noise, urbanity
from .place import extent
from .street_classes import CLASSES
from .street_plan import Street
from .watercourses import Watercourses

DYKE_FOOT = 13.0
#: Middle and radius of the industrial cluster, metres.
INDUSTRY = (5230.0, 1050.0, 330.0)


@dataclass(frozen=True)
class Blocks:
    """Blocks with their character: town, village, field, shore (unprotected river bank), forest, industry."""

    shapes: NDArray[np.object_]
    character: NDArray[np.str_]
    urbanity: NDArray[np.float64]


def fabric(x: NDArray, y: NDArray) -> tuple[NDArray[np.float64], NDArray[np.str_]]:
    """Wanted block area (square metres) and class of new streets, by how built-up the place is."""
    u, hill = urbanity(x, y), hilliness(x, y)
    wanted = np.interp(u, [0, 0.2, 0.32, 0.5, 0.75, 1], [150_000, 90_000, 26_000, 17_500, 12_500, 9_500])
    wanted = np.where((hill > 0.05) & (u < 0.25), 260_000, wanted)
    return wanted, np.where(u > 0.48, "local", np.where(u > 0.25, "village", "field"))


def rights_of_way(streets: list[Street], grid: float = 0.01) -> Geometry:
    """The land of the streets, as wide as their class."""
    lines = np.array([street.line for street in streets], dtype=object)
    half = np.array([CLASSES[street.kind].right_of_way / 2 for street in streets])
    return shapely.union_all(shapely.buffer(lines, half, cap_style="square", join_style="mitre"), grid_size=grid)


def draw_blocks(streets: list[Street], water: Watercourses) -> Blocks:
    """Cut the blocks out of the extent and say what they are."""
    taken = shapely.union_all(
        [
            rights_of_way(streets),
            water.water,
            water.stream_water.buffer(2.0, join_style="mitre"),
            water.dyke.buffer(DYKE_FOOT),
        ],
        grid_size=0.01,
    )
    parts = shapely.get_parts(shapely.difference(extent(), taken, grid_size=0.01))
    parts = parts[(shapely.area(parts) > 90) & (shapely.area(shapely.buffer(parts, -3)) > 20)]
    parts = parts[np.lexsort(shapely.get_coordinates(shapely.centroid(parts)).T)]
    x, y = shapely.get_coordinates(shapely.point_on_surface(parts)).T
    u, hill = urbanity(x, y), hilliness(x, y)
    _, offset = water.ruler.measure(x, y)
    outside_dyke = (offset > 0) & ~_behind_dyke(x, y, water)
    near_river = (
        (offset < 0)
        & (shapely.distance(parts, water.water) < 8)
        & (shapely.area(shapely.buffer(parts, -30)) < 0.45 * shapely.area(parts))
    )
    # A block that no street could part is open land, whatever stands around it.
    u = np.where(shapely.area(parts) > 70_000, np.minimum(u, 0.24), u)
    character = np.select(
        [
            np.hypot(x - INDUSTRY[0], y - INDUSTRY[1]) < INDUSTRY[2],
            outside_dyke & (u < 0.56) | near_river,
            u >= 0.5,
            u >= 0.25,
            hill > 0.05 + 0.04 * noise(x, y, 300, "forest edge"),
        ],
        ["industry", "shore", "town", "village", "forest"],
        "field",
    )
    return Blocks(parts, character, u)


def _behind_dyke(x, y, water):
    """On the land side of the dyke: its axis, drawn downstream, has the river on the right."""
    _, offset = Ruler(water.dyke).measure(x, y)
    return offset > 0
