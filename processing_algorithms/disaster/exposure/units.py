"""Which unit (commune, hamlet) does a building, a stretch of road, a piece of land belong to? Everything counts once.

Where units overlap, the earlier one has the ground; what lies in no unit is kept apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from ...common.overlay import intersect, intersect_within
from ...common.progress import Progress, silent

Positions = NDArray[np.intp]
#: Share of a shape that may lie outside its pieces by rounding.
_ROUNDING = 1e-9


@dataclass(frozen=True)
class Pieces:
    """Pieces of shapes in units.

    Attributes
    ----------
    shape : array of int, shape (n,)
        Position of the shape.
    unit : array of int, shape (n,)
        Position of the unit.
    geometry : array of shapely geometry, shape (n,)
    whole : array of int
        Positions of shapes that lie at least partly outside all units: what their pieces lack is outside.
    """

    shape: Positions
    unit: Positions
    geometry: NDArray[np.object_]
    whole: Positions


@dataclass(frozen=True)
class Units:
    """Disjoint units.

    Attributes
    ----------
    names : sequence of str
    shapes : array of shapely Polygon or MultiPolygon
    overlapping : list of str
        Pairs of units that shared ground.
    """

    names: Sequence[str]
    shapes: NDArray[np.object_]
    overlapping: list[str]

    def of_points(self, points: NDArray[np.object_]) -> Positions:
        """Unit of each point; -1 outside. A point on a common border belongs to the earlier unit."""
        unit = np.full(len(points), len(self.shapes), dtype=np.intp)
        if len(points) and len(self.shapes):
            shapely.prepare(self.shapes)
            one, other = shapely.STRtree(points).query(self.shapes, predicate="intersects")
            np.minimum.at(unit, other, one)
        unit[unit == len(self.shapes)] = -1
        return unit

    def cut_polygons(self, polygons: NDArray[np.object_], progress: Progress = silent) -> Pieces:
        """Cut polygons by the units."""
        cut = intersect(polygons, self.shapes, progress)
        inside = np.bincount(cut.left, shapely.area(cut.geometry),
                             len(polygons)) if len(cut) else np.zeros(len(polygons))
        whole = np.flatnonzero(inside < shapely.area(polygons) * (1.0 - _ROUNDING))
        return Pieces(cut.left, cut.right, cut.geometry, whole)

    def cut_lines(self, lines: NDArray[np.object_], progress: Progress = silent) -> Pieces:
        """Cut lines by the units; what runs along a common border belongs to the earlier unit."""
        if not len(lines) or not len(self.shapes):
            none = np.zeros(0, np.intp)
            return Pieces(none, none, np.zeros(0, dtype=object), np.arange(len(lines)))
        tree = shapely.STRtree(lines)
        found: list[tuple[Positions, Positions, NDArray[np.object_]]] = []
        for unit, shape in enumerate(self.shapes):
            shapely.prepare(shape)
            near = tree.query(shape, predicate="intersects")
            covers = shapely.covers(shape, lines[near])
            pieces = lines[near].copy()
            pieces[~covers] = shapely.intersection(shape, lines[near[~covers]])
            found.append((near, np.full(len(near), unit), pieces))
            progress((unit + 1) / len(self.shapes))
        line, unit, geometry = (np.concatenate([part[k] for part in found]) for k in range(3))
        length, whole_length = shapely.length(geometry), shapely.length(lines)
        kept = length > 0
        line, unit, geometry, length = line[kept], unit[kept], geometry[kept], length[kept]
        inside = np.bincount(line, length, len(lines))
        twice = np.flatnonzero(inside > whole_length * (1.0 + _ROUNDING))
        if twice.size:
            line, unit, geometry = self._cut_one_after_another(lines, line, unit, geometry, twice)
            inside = np.bincount(line, shapely.length(geometry), len(lines))
        return Pieces(line, unit, geometry, np.flatnonzero(inside < whole_length * (1.0 - _ROUNDING)))

    def _cut_one_after_another(self, lines, line, unit, geometry, twice):
        again = np.isin(line, twice)
        parts: list[tuple[int, int, shapely.Geometry]] = []
        for one in twice:
            rest = lines[one]
            for other in np.sort(unit[line == one]):
                piece = shapely.intersection(rest, self.shapes[other])
                if piece.length > 0:
                    parts.append((one, other, piece))
                rest = shapely.difference(rest, self.shapes[other])
        new = np.empty(len(parts), dtype=object)
        new[:] = [piece for _, _, piece in parts]
        return (np.r_[line[~again], [p[0] for p in parts]].astype(np.intp),
                np.r_[unit[~again], [p[1] for p in parts]].astype(np.intp),
                np.concatenate([geometry[~again], new]))


def disjoint_units(names: Sequence[str], shapes: NDArray[np.object_], progress: Progress = silent) -> Units:
    """Take from each unit what an earlier one already has.

    Examples
    --------
    >>> units = disjoint_units(["A", "B"], shapely.box([0, 1], 0, [2, 3], 1))
    >>> shapely.area(units.shapes).tolist(), units.overlapping
    ([2.0, 1.0], ['A - B'])
    """
    shapes = np.array(shapes, dtype=object)
    overlapping = []
    if len(shapes):
        area = shapely.area(shapes)
        overlaps = intersect_within(shapes, progress)
        for earlier, later, piece in zip(overlaps.left, overlaps.right, overlaps.geometry):
            shapes[later] = shapely.difference(shapes[later], shapes[earlier])
            if piece.area > _ROUNDING * min(area[earlier], area[later]):
                overlapping.append(f"{names[earlier]} - {names[later]}")
    return Units(list(names), shapes, overlapping)
