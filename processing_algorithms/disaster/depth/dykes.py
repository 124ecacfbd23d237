"""Dykes on the terrain: crests the terrain's cells are too coarse or too old to show, and breaches in them.

A dyke raises the cells it crosses to its crest; it holds until the water surface stands above that, then the land behind it fills to the
surface (still water: an upper bound). A breach opens the dyke over its width down to the lowest ground beside it.
"""

from __future__ import annotations

from dataclasses import dataclass

import geopandas
import numpy as np
import shapely
from numpy.typing import NDArray

from ...common.cells import wall
from ...common.columns import numbers
from ...common.errors import InputError, name_some
from ...common.language import say
from ...common.raster import Grid, Heights, Window


@dataclass(frozen=True)
class DykedTerrain:
    """A terrain whose cells at dykes have other heights; reads like a raster.

    Attributes
    ----------
    terrain : Heights
    row, column : array of int, shape (n,)
        Cells, sorted by row, each once.
    height_m : array of float32, shape (n,)
        Crest, or opened ground; nan leaves the terrain as it is.
    lower : array of bool, shape (n,)
        Whether the height replaces a higher terrain too (breaches).
    """

    terrain: Heights
    row: NDArray[np.int64]
    column: NDArray[np.int64]
    height_m: NDArray[np.float32]
    lower: NDArray[np.bool_]

    @property
    def grid(self) -> Grid:
        """Grid of the terrain."""
        return self.terrain.grid

    def read(self, window: Window) -> NDArray[np.float32]:
        """Heights of a window, m."""
        heights = np.array(self.terrain.read(window), dtype=np.float32)
        here = slice(*np.searchsorted(self.row, (window.row, window.row + window.rows)))
        column = self.column[here] - window.column
        inside = (column >= 0) & (column < window.columns)
        row, column = self.row[here][inside] - window.row, column[inside]
        height, lower = self.height_m[here][inside], self.lower[here][inside]
        heights[row, column] = np.where(lower, height, np.fmax(heights[row, column], height))
        return heights


def with_dykes(
    terrain: Heights,
    dykes: geopandas.GeoDataFrame,
    crest_field: str,
    *,
    breaches: geopandas.GeoDataFrame | None = None,
    width_field: str | None = None,
    breach_width_m: float = 30.0,
    scale: tuple[float, float] = (1.0, 1.0),
) -> tuple[DykedTerrain, list[str]]:
    """Put dykes on a terrain, and open them at breaches.

    Parameters
    ----------
    dykes : GeoDataFrame
        Valid lines in the terrain's CRS; ``crest_field`` in the terrain's vertical datum, m. Several dykes in a cell: the highest.
    breaches : GeoDataFrame, optional
        Points in the terrain's CRS.
    width_field : str, optional
        Width of each breach, m; ``breach_width_m`` where null.
    scale : (float, float)
        Metres per unit of x and y.

    Returns
    -------
    terrain, notes

    Raises
    ------
    InputError
        Crests that are no numbers; a breach with no dyke within its width.
    """
    crest, wrong = numbers(dykes[crest_field])
    if wrong:
        raise InputError(say("Trường \"{field}\" có giá trị không phải là cao trình (fid: {ids}).",
                             "The field \"{field}\" has values that are no crest levels (ids: {ids}).").format(field=crest_field, ids=name_some(wrong)))
    notes = []
    unknown = np.isnan(crest)
    if unknown.any():
        notes.append(say("{n} đoạn đê không có cao trình đỉnh, giữ theo địa hình (fid: {ids}).",
                         "{n} stretches of dyke have no crest level and stay as the terrain shows them (ids: {ids}).")
                     .format(n=int(unknown.sum()), ids=name_some(dykes.index[unknown])))
    runs = wall(np.asarray(dykes.geometry.array, dtype=object), terrain.grid)
    columns = terrain.grid.shape[1]
    cell = runs.row.astype(np.int64) * columns + runs.start
    cells, position = np.unique(cell, return_inverse=True)
    height = np.full(len(cells), -np.inf, np.float32)
    np.fmax.at(height, position, np.where(unknown, -np.inf, crest).astype(np.float32)[runs.shape])
    height[np.isinf(height)] = np.nan
    lower = np.zeros(len(cells), bool)
    if breaches is not None and len(breaches):
        widths = np.full(len(breaches), breach_width_m)
        if width_field is not None:
            told, wrong = numbers(breaches[width_field])
            if wrong or (told <= 0).any():
                raise InputError(say("Trường \"{field}\" có bề rộng vỡ đê không hợp lệ (fid: {ids}).",
                                     "The field \"{field}\" has impossible widths of breaches (ids: {ids}).")
                                 .format(field=width_field, ids=name_some(wrong or breaches.index[told <= 0])))
            widths = np.where(np.isnan(told), breach_width_m, told)
        _open(terrain, cells, height, lower, breaches, widths, scale)
    return DykedTerrain(terrain, cells // columns, cells % columns, height, lower), notes


def _open(terrain: Heights, cells: NDArray, height: NDArray, lower: NDArray, breaches: geopandas.GeoDataFrame, widths: NDArray,
          scale: tuple[float, float]) -> None:
    """Lower the dyke cells within half a breach's width to the lowest ground within that distance and a cell."""
    columns = terrain.grid.shape[1]
    centre = np.column_stack(terrain.grid.to_map(cells % columns + 0.5, cells // columns + 0.5)) * scale
    cell_m = float(np.sqrt(terrain.grid.cell_area * scale[0] * scale[1]))
    tree = shapely.STRtree(shapely.points(centre))
    places = shapely.points(shapely.get_coordinates(np.asarray(breaches.geometry.array, dtype=object)) * scale)
    missing = []
    for id_, place, width in zip(breaches.index, places, widths):
        # Half a cell's diagonal more: the nearest cell of the dyke always opens.
        found = tree.query(place, predicate="dwithin", distance=width / 2 + 0.71 * cell_m)
        if not found.size:
            missing.append(id_)
            continue
        around = width / 2 + 2 * cell_m
        row, column = cells[found] // columns, cells[found] % columns
        reach = int(np.ceil(around / cell_m))
        first_row, first_column = max(0, row.min() - reach), max(0, column.min() - reach)
        window = Window(
            int(first_row),
            int(first_column),
            int(min(terrain.grid.shape[0], row.max() + reach + 1) - first_row),
            int(min(columns, column.max() + reach + 1) - first_column),
        )
        ground = terrain.read(window)
        if np.isfinite(ground).any():
            height[found], lower[found] = np.nanmin(ground), True
    if missing:
        raise InputError(
            say(
                "Điểm vỡ đê không nằm trên đê nào (fid: {ids}).",
                "Breaches with no dyke within their width (ids: {ids}).",
            ).format(ids=name_some(missing))
        )
