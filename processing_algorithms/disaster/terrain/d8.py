"""D8: every cell passes its water to one of its eight neighbours; on level ground along the shortest way out.

Arrays carry a border one cell wide that is outside, and outside is nan, so a neighbour is one fixed step in the flat
array. Codes are those of ESRI: 1 east, 2 south-east, 4 south ... 128 north-east, in rows and columns of the raster; 0
where water leaves. The rules of choice are stated because the same terrain must give the same result on every machine:
the steepest drop wins, of equal ones the first in the order of the codes; on level ground the fewest steps to a cell
that has a way down, of equal ones again the first. A cell at the outside that has no lower neighbour is an outlet.
"""

from __future__ import annotations

import numpy as np
import pyproj
from numpy.typing import NDArray

from ...common.cells import metres_per_degree
from ...common.parallel import run_blocks
from ...common.progress import Progress, silent
from ...common.raster import Grid
from . import terrain_loops

#: Row and column steps of the codes 1, 2, 4 ... 128.
STEPS = ((0, 1), (1, 1), (1, 0), (1, -1), (0, -1), (-1, -1), (-1, 0), (-1, 1))
CODES = np.array([1, 2, 4, 8, 16, 32, 64, 128], np.uint8)
LEAVES = np.uint8(0)
OUTSIDE = np.uint8(255)
#: Cells worked on at a time, few enough for the processor's cache.
_BLOCK = 100_000
#: When less than one cell in so many has changed, only those are looked at again.
_FEW = 100


def offsets(width: int) -> NDArray[np.int32]:
    """Steps in the flat array to the eight neighbours, for rows of ``width`` cells, border included."""
    return np.array([row * width + column for row, column in STEPS], np.int32)


def steps_of_codes(width: int) -> NDArray[np.int32]:
    """Step in the flat array for each of the 256 codes; 0 for those that pass nothing on."""
    step = np.zeros(256, np.int32)
    step[CODES] = offsets(width)
    return step


def step_lengths(grid: Grid) -> NDArray[np.float32]:
    """Metres from a cell's centre to those of its neighbours, shape (8, rows), or (8, 1) where all rows are alike.

    In degrees, from the ellipsoid of the system's datum at the latitude of the row (of its middle, when rotated).
    """
    _, a, b, _, d, e = grid.transform
    crs = pyproj.CRS.from_wkt(grid.crs_wkt)
    along_x, along_y = np.ones(1), np.ones(1)
    if crs.is_geographic:
        rows, columns = grid.shape
        along_x, along_y = metres_per_degree(crs, grid.to_map(columns / 2, np.arange(rows) + 0.5)[1])
    return np.array([np.hypot((a * column + b * row) * along_x, (d * column + e * row) * along_y)
                     for row, column in STEPS], np.float32)


def metres_between(
    grid: Grid, one: NDArray[np.integer], other: NDArray[np.integer]
) -> NDArray[np.float64]:
    """Straight metres between the centres of cells given by their positions in the flat array with a border."""
    _, a, b, _, d, e = grid.transform
    width = grid.shape[1] + 2
    crs = pyproj.CRS.from_wkt(grid.crs_wkt)
    found = np.empty(len(one))
    for start in range(0, len(one), _BLOCK):
        here = slice(start, start + _BLOCK)
        row, column = one[here] // width - 1, one[here] % width - 1
        rows, columns = other[here] // width - 1 - row, other[here] % width - 1 - column
        along_x, along_y = 1.0, 1.0
        if crs.is_geographic:
            along_x, along_y = metres_per_degree(crs, grid.to_map(column + 0.5, row + 0.5)[1])
        found[here] = np.hypot((a * columns + b * rows) * along_x, (d * columns + e * rows) * along_y)
    return found


def directions(z: NDArray[np.float32], lengths: NDArray[np.float32], progress: Progress = silent) -> NDArray[np.uint8]:
    """Code of the steepest way down of every cell; 0 where no neighbour is lower.

    Parameters
    ----------
    z : array of float32, shape (rows + 2, columns + 2)
        Metres; nan outside, the border included.
    lengths : array of float32
        See `step_lengths`.

    Returns
    -------
    array of uint8, the shape of z

    Examples
    --------
    >>> z = np.pad(np.array([[3, 2, 1]], np.float32), 1, constant_values=np.nan)
    >>> directions(z, np.ones((8, 1), np.float32))[1, 1:-1].tolist()
    [1, 1, 0]
    """
    rows, columns = z.shape[0] - 2, z.shape[1] - 2
    code = np.full(z.shape, OUTSIDE)
    steepness = (np.float32(1) / lengths).astype(np.float32)

    if (loop := terrain_loops.fast(terrain_loops.steepest)) is not None:
        terrain_loops.in_strips(loop, z.shape, z, steepness, code, progress=progress)
        return code

    def work(first: int, last: int) -> None:
        around = z[first:last + 2]
        around = np.where(np.isnan(around), np.float32(np.inf), around)  # nothing flows up to it
        count = last - first
        here = around[1:-1, 1:-1]
        best, chosen = np.zeros(here.shape, np.float32), np.zeros(here.shape, np.uint8)
        slope, better = np.empty_like(best), np.empty(here.shape, bool)
        mark, marked = better.view(np.uint8), np.empty_like(chosen)
        with np.errstate(invalid="ignore"):
            for k, (row, column) in enumerate(STEPS):
                factor = steepness[k, 0] if steepness.shape[1] == 1 else steepness[k, first:last, None]
                np.subtract(here, around[1 + row:1 + row + count, 1 + column:1 + column + columns], out=slope)
                slope *= factor
                np.greater(slope, best, out=better)
                np.maximum(best, slope, out=best)
                np.multiply(mark, CODES[k], out=marked)
                np.maximum(chosen, marked, out=chosen)  # codes ascend: the last that was better is the greatest
        chosen[here == np.inf] = OUTSIDE
        code[first + 1:last + 1, 1:-1] = chosen

    run_blocks(work, np.arange(rows), max(1, _BLOCK // columns), progress)
    return code


def directions_after(
    code: NDArray[np.uint8], z: NDArray[np.float32], lengths: NDArray[np.float32], changed: NDArray[np.integer],
    led: NDArray[np.integer], progress: Progress = silent,
) -> NDArray[np.uint8]:
    """What `directions` returns after some heights changed; ``code`` is used up.

    Parameters
    ----------
    code : array of uint8
        Directions before the change; ``led`` are the cells `lead_over_level_ground` has since led.
    changed : array of int
        Positions in the flat array.
    """
    if changed.size * _FEW > z.size:
        return directions(z, lengths, progress)
    flat, steps = z.ravel(), offsets(z.shape[1])
    code.ravel()[led] = LEAVES
    cells = np.unique(np.concatenate([changed, *(changed + step for step in steps)]))
    cells = cells[code.ravel()[cells] != OUTSIDE]
    steepness = (np.float32(1) / lengths).astype(np.float32)
    row = cells // z.shape[1] - 1 if lengths.shape[1] > 1 else 0
    here = flat[cells]
    best, chosen = np.zeros(len(cells), np.float32), np.zeros(len(cells), np.uint8)
    for k, step in enumerate(steps):
        slope = (here - flat[cells + step]) * steepness[k, row]
        better = slope > best
        best[better], chosen[better] = slope[better], CODES[k]
    code.ravel()[cells] = chosen
    return code


def lead_over_level_ground(
    code: NDArray[np.uint8], z: NDArray[np.float32], progress: Progress = silent
) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Give level ground its directions, in place, and return what has no way out: the floors of depressions.

    Parameters
    ----------
    code : array of uint8
        From `directions`.
    z : array of float32
        The same shape, nan outside.

    Returns
    -------
    floor, led : arrays of int
        Cells without a way out and cells that got their directions here, positions in the flat array, ascending.
    """
    height, flow, steps = z.ravel(), code.ravel(), offsets(z.shape[1])
    pending = np.zeros(height.size, bool)
    if (loop := terrain_loops.fast(terrain_loops.level_cells)) is not None:
        level = np.concatenate(terrain_loops.in_strips(loop, code.shape, code, progress=progress))
        return terrain_loops.watched(progress, terrain_loops.fast(terrain_loops.lead), level, pending, height, flow,
                                     steps.astype(np.int64), CODES)
    level = np.flatnonzero(flow == LEAVES).astype(np.int32)
    for step in steps:  # a cell at the outside is an outlet
        level = level[flow[level + step] != OUTSIDE]
    pending[level] = True
    asking = level
    while asking.size:
        chosen = np.zeros(asking.size, np.uint8)
        for k in range(7, -1, -1):  # the first code is written last
            other = asking + steps[k]
            leads = ~pending[other] & (height[other] == height[asking])
            chosen[leads] = CODES[k]
        led = asking[chosen > 0]
        flow[led] = chosen[chosen > 0]
        pending[led] = False
        beside = (led[:, None] + steps).ravel()
        asking = np.unique(beside[pending[beside]])
        progress(0.5)
    still = pending[level]
    return level[still], level[~still]
