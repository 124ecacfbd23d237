"""The plan of a benchmark town: a warped grid of tiles with main streets as edges, and a river through the middle."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import LineString, Polygon

from .place import SEED

TILE = 900.0
#: Width of the belt of river and banks between the lower and the upper half, metres.
RIVER_BELT = 360.0
_PARCELS_PER_TILE = 2100


@dataclass(frozen=True)
class TileGrid:
    """Rows and columns of tiles; rows from `river_row` on lie beyond the river. Edges depend on their place only."""

    rows: int
    columns: int
    river_row: int

    @property
    def width(self) -> float:
        """East-west size, metres, with a margin for the warped edges."""
        return self.columns * TILE + 200.0

    @property
    def height(self) -> float:
        """North-south size, metres, river belt and margins included."""
        return self.rows * TILE + RIVER_BELT + 200.0

    def corner(self, row: int, column: int, side: int = 0) -> NDArray[np.float64]:
        """Corner (row, column) of the grid; at the river `side` 1 is the upper bank."""
        rng = np.random.default_rng([SEED, row, column, side])
        belt = RIVER_BELT if row > self.river_row or row == self.river_row and side else 0.0
        shift = rng.uniform(-70, 70, 2) * (0.0 if row == self.river_row else 1.0, 1.0)
        shift[1] *= 0.5 if row == self.river_row else 1.0
        return np.round(np.array([100 + column * TILE, 100 + row * TILE + belt]) + shift, 2)

    def edge(self, row: int, column: int, upward: bool, side: int = 0) -> LineString:
        """The street from a corner to the next one east of it, or (upward) north of it."""
        start = self.corner(row, column, side)
        end = self.corner(row + 1, column) if upward else self.corner(row, column + 1, side)
        bow = np.random.default_rng([SEED, row, column, int(upward), side, 7]).uniform(-0.05, 0.05)
        t = np.linspace(0, 1, 13)[:, None]
        across = np.array([start[1] - end[1], end[0] - start[0]])
        line = start + t * (end - start) + bow * 4 * t * (1 - t) * across
        line[0], line[-1] = start, end
        return LineString(np.round(line, 2))

    def sides(self, row: int, column: int) -> list[LineString]:
        """South, east, north and west edge of a tile."""
        lower = 1 if row == self.river_row else 0
        west = self._upward(row, column)
        east = self._upward(row, column + 1)
        return [self.edge(row, column, False, lower), east, self.edge(row + 1, column, False), west]

    def _upward(self, row: int, column: int) -> LineString:
        return self.edge(row, column, True, 1 if row == self.river_row else 0)

    def tile(self, row: int, column: int) -> Polygon:
        """The tile as a polygon; neighbours share the vertices of their edge."""
        south, east, north, west = (np.asarray(side.coords) for side in self.sides(row, column))
        return Polygon(np.vstack([south, east[1:], north[::-1][1:], west[::-1][1:-1]]))

    def river(self) -> Polygon:
        """Water between the two riverside streets, 45 m from each."""
        lower = np.vstack(
            [np.asarray(self.edge(self.river_row, column, False, 0).coords) for column in range(self.columns)]
        )
        upper = np.vstack(
            [np.asarray(self.edge(self.river_row, column, False, 1).coords) for column in range(self.columns)]
        )
        belt = shapely.make_valid(Polygon(np.vstack([lower, upper[::-1]])))
        street = shapely.union_all([LineString(lower), LineString(upper)]).buffer(45.0)
        parts = shapely.get_parts(shapely.difference(belt, street))
        return max(parts, key=lambda part: part.area)

    def bridges(self) -> list[LineString]:
        """Streets over the river at every third corner of the banks, first and last column left out."""
        return [
            LineString([self.corner(self.river_row, column, 0), self.corner(self.river_row, column, 1)])
            for column in range(1, self.columns, 3)
        ]


def plan_grid(parcels: int) -> TileGrid:
    """A grid, wider than high, with room for so many parcels."""
    tiles = max(2, math.ceil(parcels / _PARCELS_PER_TILE))
    rows = max(2, round(math.sqrt(tiles / 1.25)))
    return TileGrid(rows, max(2, math.ceil(tiles / rows)), rows // 2)
