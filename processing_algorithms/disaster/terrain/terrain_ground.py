"""The ground as flow is computed on it: heights in memory with a border, holes bridged, lines drawn in.

A hole is unknown ground that does not reach the edge of the raster (a river bed no laser saw); water passes it at the
lowest height of its rim. Unknown ground at the edge is outside: water leaves there. Where lines meet, a culvert goes
before a dyke, a dyke before a river.
"""

from __future__ import annotations

from dataclasses import dataclass

import geopandas
import numpy as np
import shapely
from numpy.typing import NDArray
from scipy import ndimage

from ...common.cells import wall
from ...common.columns import numbers
from ...common.errors import InputError, name_some
from ...common.language import say
from ...common.parallel import ahead
from ...common.progress import Progress, silent
from ...common.raster import Grid, Heights
from .d8 import offsets

_ALL_AROUND = ndimage.generate_binary_structure(2, 2)
#: A line is followed in steps of this many cells, short enough to enter every cell it crosses but corners.
_STRIDE = 0.45


@dataclass
class Ground:
    """Heights with a border one cell wide.

    Attributes
    ----------
    grid : Grid
        Without the border.
    z : array of float32, shape (rows + 2, columns + 2)
        Metres; nan outside.
    holes : array of int
        Cells of bridged holes, positions in the flat array.
    hole_count : int
    river, culvert, dyke : array of bool or None
        The shape of z; None where no such lines were given.
    channel : (array of int, array of float32)
        Cells of culverts and the heights they are opened to.
    crest_raised : int
        Cells raised to the crest of a dyke.
    """

    grid: Grid
    z: NDArray[np.float32]
    holes: NDArray[np.intp]
    hole_count: int = 0
    river: NDArray[np.bool_] | None = None
    culvert: NDArray[np.bool_] | None = None
    dyke: NDArray[np.bool_] | None = None
    channel: tuple[NDArray[np.intp], NDArray[np.float32]] = (np.zeros(0, np.intp), np.zeros(0, np.float32))
    crest_raised: int = 0


def read_ground(terrain: Heights, progress: Progress = silent) -> Ground:
    """Read heights and bridge the holes.

    Raises
    ------
    InputError
        No cell has a height.
    """
    rows, columns = terrain.grid.shape
    z = np.full((rows + 2, columns + 2), np.nan, np.float32)
    windows = list(terrain.grid.strips())
    for window, heights in zip(windows, ahead(terrain.read(window) for window in windows)):
        z[window.row + 1:window.row + 1 + window.rows, 1:-1] = heights
        progress((window.row + window.rows) / rows)
    unknown = np.isnan(z)
    if unknown[1:-1, 1:-1].all():
        raise InputError(say("Địa hình không có ô nào có cao độ.", "No cell of the terrain has a height."))
    ground = Ground(terrain.grid, z, np.zeros(0, np.intp))
    if unknown[1:-1, 1:-1].any():
        _bridge_holes(ground, unknown)
    return ground


def _bridge_holes(ground: Ground, unknown: NDArray[np.bool_]) -> None:
    labels, count = ndimage.label(unknown, _ALL_AROUND)
    if count == 1:
        return
    hole = labels.ravel()
    cells = np.flatnonzero((hole > 0) & (hole != labels[0, 0]))
    lowest = np.full(count + 1, np.inf, np.float32)
    flat = ground.z.ravel()
    for step in offsets(ground.z.shape[1]):
        np.fmin.at(lowest, hole[cells], flat[cells + step])
    flat[cells] = lowest[hole[cells]]
    ground.holes, ground.hole_count = cells, count - 1


def draw_dykes(ground: Ground, dykes: geopandas.GeoDataFrame, crest_field: str | None) -> None:
    """Keep what the dykes touch from being cut; raise it to the crest where that is known.

    Parameters
    ----------
    dykes : GeoDataFrame
        Lines in the CRS of the grid.
    crest_field : str or None
        Height of the crest in the terrain's datum, m; nulls raise nothing.

    Raises
    ------
    InputError
        A crest that is no height.
    """
    runs = wall(np.asarray(dykes.geometry.array, dtype=object), ground.grid)
    cells = _flat(runs.row, runs.start, ground.grid)
    ground.dyke = _marked(ground, cells)
    if crest_field is None:
        return
    crest, wrong = numbers(dykes[crest_field])
    if wrong:
        raise InputError(say("Trường \"{field}\" có giá trị không phải là cao trình (fid: {ids}).",
                             "The field \"{field}\" has values that are no heights (ids: {ids}).")
                         .format(field=crest_field, ids=name_some(wrong)))
    flat = ground.z.ravel()
    before = flat[cells]
    height = crest[runs.shape].astype(np.float32)
    known = ~np.isnan(height) & ~np.isnan(before)
    np.maximum.at(flat, cells[known], height[known])
    ground.crest_raised = len(np.unique(cells[flat[cells] > before]))


def draw_rivers(ground: Ground, rivers: geopandas.GeoDataFrame) -> None:
    """Mark the cells of rivers, in the CRS of the grid, but those of dykes."""
    _, cells = _followed(rivers, ground.grid)
    river = _marked(ground, cells)
    if ground.dyke is not None:
        river &= ~ground.dyke
    ground.river = river


def draw_culverts(ground: Ground, culverts: geopandas.GeoDataFrame) -> None:
    """Mark the cells of culverts; their channels run evenly from one end to the other.

    The height of an end is the lowest within one cell of it, since a line is seldom drawn to the bottom of the ditch.
    """
    line, cells = _followed(culverts, ground.grid)
    ground.culvert = _marked(ground, cells)
    if ground.dyke is not None:
        ground.dyke &= ~ground.culvert
    if not len(cells):
        return
    flat, around = ground.z.ravel(), np.r_[0, offsets(ground.z.shape[1])]
    first = np.flatnonzero(np.r_[True, line[1:] != line[:-1]])
    last = np.r_[first[1:], len(cells)] - 1
    start, end = (np.fmin.reduce(flat[cells[at][:, None] + around], axis=1) for at in (first, last))
    which = np.repeat(np.arange(len(first)), last - first + 1)
    share = (np.arange(len(cells)) - first[which]) / np.maximum(last - first, 1)[which]
    height = (start[which] + (end - start)[which] * share).astype(np.float32)
    known = ~np.isnan(height) & ~np.isnan(flat[cells])
    ground.channel = cells[known], height[known]


def _followed(frame: geopandas.GeoDataFrame, grid: Grid) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Cells along lines in their order, each the neighbour of the one before: number of the line part, and cell."""
    parts = shapely.get_parts(np.asarray(frame.geometry.array, dtype=object))
    xy, owner = shapely.get_coordinates(parts, return_index=True)
    pixels = (
        shapely.linestrings(np.column_stack(grid.to_pixel(xy[:, 0], xy[:, 1])), indices=owner) if len(xy) else parts
    )
    position, line = shapely.get_coordinates(shapely.segmentize(pixels, _STRIDE), return_index=True)
    column, row = np.floor(position).astype(np.int64).T
    rows, columns = grid.shape
    inside = (row >= 0) & (row < rows) & (column >= 0) & (column < columns)
    line, cell = line[inside], _flat(row[inside], column[inside], grid)
    new = np.r_[True, (line[1:] != line[:-1]) | (cell[1:] != cell[:-1])][:len(cell)]
    return line[new], cell[new]


def _flat(row: NDArray, column: NDArray, grid: Grid) -> NDArray[np.intp]:
    return ((row.astype(np.int64) + 1) * (grid.shape[1] + 2) + column + 1).astype(np.intp)


def _marked(ground: Ground, cells: NDArray[np.intp]) -> NDArray[np.bool_]:
    marked = np.zeros(ground.z.shape, bool)
    marked.ravel()[cells] = True
    return marked & ~np.isnan(ground.z)
