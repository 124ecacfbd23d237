"""Where buildings, roads and land lie: in which unit, and in which cells. The same whatever the water, so worked out once for several rasters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import geopandas
import numpy as np
import pandas
import shapely
from numpy.typing import NDArray

from ...common.errors import name_some
from ...common.language import say
from ...common.progress import Progress, part, silent
from ...common.raster import Grid, Window
from .depth_by_class import LinesInWater, areas_by_class, lengths_by_class
from .depth_classes import ClassRaster, DepthClasses
from .units import Pieces, Units, disjoint_units

#: Units of the tables: a unit of the layer, the ground outside all of them, and everything when no units were given.
UNIT, OUTSIDE, EVERYTHING = "unit", "outside", "all"


@dataclass(frozen=True)
class Placed:
    """What lies in which unit.

    Attributes
    ----------
    place : Places
    group : array of int, shape (n,)
        Row of ``place`` each building belongs to.
    roads, land : Shared or None
        None where the layer was not given.
    """

    place: Places
    group: NDArray[np.intp]
    roads: Shared | None
    land: Shared | None


def place_all(
    buildings: geopandas.GeoDataFrame,
    units: geopandas.GeoDataFrame | None,
    unit_field: str | None,
    roads: geopandas.GeoDataFrame | None,
    land_use: geopandas.GeoDataFrame | None,
    progress: Progress = silent,
    *,
    points: NDArray[np.object_] | None = None,
) -> Placed:
    """Find the unit of buildings, and cut roads and land at the borders of units.

    Parameters
    ----------
    points : array of Point, optional
        Representative points of the buildings, where they are known.
    """
    place, shared_roads, shared_land = share_out(units, unit_field, roads, land_use, progress)
    if points is None:
        points = shapely.point_on_surface(np.asarray(buildings.geometry.array, dtype=object))
    return Placed(place, place.of_points(points), shared_roads, shared_land)


def share_out(
    units: geopandas.GeoDataFrame | None,
    unit_field: str | None,
    roads: geopandas.GeoDataFrame | None,
    land_use: geopandas.GeoDataFrame | None,
    progress: Progress = silent,
) -> tuple[Places, Shared | None, Shared | None]:
    """Cut roads and land at the borders of units: all of `place_all` that needs no buildings."""
    place = Places.of(units, unit_field, part(progress, 0.0, 0.2))
    return (
        place,
        None if roads is None else Shared.of(roads, place, True, part(progress, 0.3, 0.6)),
        None if land_use is None else Shared.of(land_use, place, False, part(progress, 0.6, 1.0)),
    )


@dataclass(frozen=True)
class Shared:
    """Lines or polygons, their pieces in units, and what is left of those that lie partly outside all units.

    ``inside`` and ``rest`` are what is measured. Lines may `watch` the strips of several rasters pass, so that nobody needs a raster of classes.
    """

    pieces: Pieces | None
    place: Places
    inside: _Measured
    rest: _Measured
    count: int

    @classmethod
    def of(cls, frame: geopandas.GeoDataFrame, place: Places, lines: bool, progress: Progress) -> Shared:
        """Cut at the borders of the units."""
        shapes = np.asarray(frame.geometry.array, dtype=object)
        if place.units is None:
            return cls(None, place, _Measured(shapes[:0], lines), _Measured(shapes, lines), len(shapes))
        pieces = (place.units.cut_lines if lines else place.units.cut_polygons)(shapes, progress)
        return cls(
            pieces, place, _Measured(pieces.geometry, lines), _Measured(shapes[pieces.whole], lines), len(shapes)
        )

    def watch(self, grid: Grid, rasters: int, classes: DepthClasses, progress: Progress = silent) -> None:
        """Wait for the strips of rasters on this grid; of lines only."""
        self.inside.watch(grid, rasters, classes, part(progress, 0.0, 0.8))
        self.rest.watch(grid, rasters, classes, part(progress, 0.8, 1.0))

    def take(self, window: Window, depths: Sequence[NDArray[np.float32]]) -> None:
        """The next strip."""
        self.inside.take(window, depths)
        self.rest.take(window, depths)

    def by_unit_and_class(
        self,
        raster: ClassRaster | int | None,
        size: tuple[int, int],
        progress: Progress,
        offset: NDArray[np.intp] | None = None,
    ) -> NDArray[np.float64]:
        """Metres or square metres by unit and class, shape ``size``.

        Parameters
        ----------
        raster : ClassRaster or int or None
            Of lines that watched: the number of the raster that passed.
        offset : array of int, optional
            Shifts the units of each shape (by land-use code).
        """
        offset = np.zeros(self.count, np.intp) if offset is None else offset
        result = np.zeros(size)
        if not self.count:
            return result
        rest = self.rest.by_class(raster, part(progress, 0.0, 0.3))
        if self.pieces is None:
            np.add.at(result, offset + self.place.elsewhere, rest)
            return result
        pieces = self.pieces
        inside = self.inside.by_class(raster, part(progress, 0.3, 1.0))
        np.add.at(result, offset[pieces.shape] + self.place.group[pieces.unit], inside)
        position = np.full(self.count, -1)
        position[pieces.whole] = np.arange(len(pieces.whole))
        partly = position[pieces.shape] >= 0
        taken = np.zeros_like(rest)
        np.add.at(taken, position[pieces.shape[partly]], inside[partly])
        left = rest - taken
        # What is left after subtraction is rounding unless it is a visible share of the shape.
        left[left < 1e-9 * rest.sum(axis=1, keepdims=True)] = 0.0
        np.add.at(result, offset[pieces.whole] + self.place.elsewhere, left)
        return result


class _Measured:
    """Shapes to be measured by class."""

    def __init__(self, shapes: NDArray[np.object_], lines: bool):
        self._shapes, self._lines = shapes, lines
        self._water: LinesInWater | None = None

    def watch(self, grid: Grid, rasters: int, classes: DepthClasses, progress: Progress) -> None:
        self._water = LinesInWater(self._shapes, grid, rasters, classes, progress)

    def take(self, window: Window, depths: Sequence[NDArray[np.float32]]) -> None:
        self._water.take(window, depths)

    def by_class(self, raster: ClassRaster | int, progress: Progress) -> NDArray[np.float64]:
        if self._water is not None:
            return self._water.lengths_by_class(raster)
        return (lengths_by_class if self._lines else areas_by_class)(self._shapes, raster, progress)


@dataclass(frozen=True)
class Places:
    """Rows of the tables: units by name, and what is outside all of them (or everything, without units)."""

    names: list[str]
    units: Units | None
    group: NDArray[np.intp]
    notes: list[str]

    @classmethod
    def of(cls, frame: geopandas.GeoDataFrame | None, unit_field: str | None, progress: Progress) -> Places:
        if frame is None:
            return cls([say("Toàn bộ", "All")], None, np.zeros(0, np.intp), [])
        column = frame[unit_field] if unit_field else pandas.Series(frame.index, index=frame.index)
        nameless = say("(không tên) {id}", "(no name) {id}")
        names = [nameless.format(id=id_) if pandas.isna(value) or str(value).strip() == "" else str(value).strip()
                 for id_, value in zip(frame.index, column)]
        units = disjoint_units(names, np.asarray(frame.geometry.array, dtype=object), progress)
        group, unique = pandas.factorize(np.array(names, dtype=object))
        notes = []
        if units.overlapping:
            notes.append(say("Các đơn vị chồng lấn nhau ({pairs}); phần chồng lấn tính cho đơn vị đứng trước.",
                             "Units overlap ({pairs}); the common part counts for the earlier one.")
                         .format(pairs=name_some(units.overlapping)))
        return cls([*unique, say("Ngoài các đơn vị", "Outside the units")], units, group.astype(np.intp), notes)

    @property
    def elsewhere(self) -> int:
        return len(self.names) - 1

    def of_points(self, points: NDArray[np.object_]) -> NDArray[np.intp]:
        if self.units is None:
            return np.zeros(len(points), np.intp)
        unit = self.units.of_points(points)
        return np.where(unit >= 0, np.r_[self.group, self.elsewhere][unit], self.elsewhere)

    def kinds(self) -> list[str]:
        return [EVERYTHING] if self.units is None else [UNIT] * self.elsewhere + [OUTSIDE]

    def frame(self, classes: DepthClasses) -> pandas.DataFrame:
        described, places = classes.all, len(self.names)
        return pandas.DataFrame({
            "unit": np.repeat(np.array(self.names, dtype=object), len(described)),
            "unit_kind": np.repeat(np.array(self.kinds(), dtype=object), len(described)),
            "depth_class": [c.code for c in described] * places,
            "class_label": [c.label for c in described] * places,
            "depth_min_m": np.array([c.minimum_m for c in described] * places, dtype=float),
            "depth_max_m": np.array([c.maximum_m for c in described] * places, dtype=float),
        })

    def without_empty_outside(self, table: pandas.DataFrame) -> pandas.DataFrame:
        measured = table[["buildings", "road_m", "land_m2"]].fillna(0).to_numpy(dtype=float)
        outside = (table["unit_kind"] == OUTSIDE).to_numpy()
        empty = self.elsewhere > 0 and outside.any() and not measured[outside].any()
        return table[~outside].reset_index(drop=True) if empty else table

    def land_frame(self, classes: DepthClasses, by_code: dict[str | None, NDArray[np.float64]]) -> pandas.DataFrame:
        rows = [(self.names[place], self.kinds()[place], code, described.code, described.label, float(areas[place, k]))
                for code, areas in by_code.items() for place in range(len(self.names))
                for k, described in enumerate(classes.all) if areas[place, k] > 0]
        return pandas.DataFrame(rows, columns=["unit", "unit_kind", "code", "depth_class", "class_label", "land_m2"])
