"""Which cells of a grid shapes cover, and how much of each: exact, vectorised, and with overlapping shapes kept apart.

Shapes are taken to pixel coordinates, where cells are unit squares, so rotated and south-up grids need no special case.
The result is a list of *runs*: stretches of cells in one row that one shape covers equally.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pyproj
import shapely
from numpy.typing import NDArray

from .crs import require_metric
from .language import say
from .progress import Progress, silent
from .raster import Grid, Window

#: Shapes are worked on in groups of about this many vertices, so that memory does not follow the size of the layer; lines, of which each
#: segment becomes many pieces, in smaller ones that the processor's cache holds: half the time.
_VERTICES, _SEGMENTS = 100_000, 30_000
#: Cells expanded from runs, and filled from them, at a time.
_CELLS, _BURNT = 1_000_000, 250_000
#: Shares of a cell below this are rounding noise of the coordinates, not cover.
_NOISE = 1e-9


@dataclass(frozen=True)
class Runs:
    """Stretches of cells in one row, sorted by row.

    Attributes
    ----------
    shape : array of int, shape (n,)
        Position of the shape in the input array.
    row, start, stop : array of int, shape (n,)
        Columns ``start <= column < stop`` of the row.
    weight : array of float, shape (n,)
        Per cell: covered share of the cell (polygons) or length in it (lines).
    """

    shape: NDArray[np.int32]
    row: NDArray[np.int32]
    start: NDArray[np.int32]
    stop: NDArray[np.int32]
    weight: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.row)

    def in_rows(self, first: int, last: int) -> Runs:
        """The runs with ``first <= row < last``."""
        here = slice(*np.searchsorted(self.row, (first, last)))
        return Runs(self.shape[here], self.row[here], self.start[here], self.stop[here], self.weight[here])

    def cells(self) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.intp]]:
        """Every cell of every run: position of the run, row, column."""
        length = self.stop - self.start
        run = np.repeat(np.arange(len(self)), length)
        first = np.cumsum(length, dtype=np.int64) - length
        column = np.arange(run.size) - first[run] + self.start[run]
        return run, self.row[run].astype(np.intp), column

    def groups(self, cells: int = _CELLS) -> Iterator[Runs]:
        """Split into parts of about ``cells`` cells."""
        total = np.cumsum(self.stop - self.start, dtype=np.int64)
        if not total.size:
            return
        edges = np.unique(np.r_[0, np.searchsorted(total, np.arange(cells, total[-1], cells)) + 1, len(self)])
        for a, b in zip(edges[:-1], edges[1:]):
            yield Runs(self.shape[a:b], self.row[a:b], self.start[a:b], self.stop[a:b], self.weight[a:b])


def covered(polygons: NDArray[np.object_], grid: Grid, progress: Progress = silent) -> Runs:
    """Exact share of each cell that each polygon covers.

    Every edge is cut at the grid lines; what lies between a piece and the right border of its row follows from its
    height (the signed-area accumulation of font rasterisers), so the shares of a polygon add up to its area.

    Parameters
    ----------
    polygons : array of shapely Polygon or MultiPolygon, shape (n,)
        Valid, in the CRS of the grid; None and empty cover nothing.

    Returns
    -------
    Runs
        ``weight`` between 0 and 1. Parts outside the grid are left out.

    Examples
    --------
    >>> grid = Grid((0.0, 1.0, 0.0, 2.0, 0.0, -1.0), (2, 4), "")
    >>> runs = covered(np.array([shapely.box(0.5, 0, 3, 1)]), grid)
    >>> runs.row.tolist(), runs.start.tolist(), runs.stop.tolist(), runs.weight.tolist()
    ([1, 1], [0, 1], [1, 3], [0.5, 1.0])
    """
    return _by_groups(polygons, grid, progress, _covered)


def centres_inside(polygons: NDArray[np.object_], grid: Grid, progress: Progress = silent) -> Runs:
    """The cells whose centre lies inside each polygon (``weight`` 1), and those outside the grid too.

    Runs may have rows and columns outside the grid, so that a shape that leaves the grid can be told from one that
    does not; see `clipped`. A centre exactly on an edge belongs to the polygon on its right or below.
    """
    return _by_groups(polygons, grid, progress, _centres_inside)


def crossed(lines: NDArray[np.object_], grid: Grid, progress: Progress = silent) -> tuple[Runs, NDArray[np.intp]]:
    """The pieces of lines in each cell.

    Returns
    -------
    runs : Runs
        One cell each; ``weight`` is the share of the segment that lies in the cell. Sums to 1 over a segment inside.
    segment : array of int, shape (number of runs,)
        Position of the segment the piece belongs to, as numbered by `segments`.
    """
    start, end, owner = segments(lines)
    parts: list[tuple[NDArray, ...]] = []
    for first in range(0, len(owner), _SEGMENTS):
        group = slice(first, first + _SEGMENTS)
        a, b = _to_pixels(start[group], grid), _to_pixels(end[group], grid)
        piece, t0, t1 = _cut_at_grid_lines(a, b, grid)
        middle = a[piece] + ((t0 + t1) / 2)[:, None] * (b - a)[piece]
        column, row = np.floor(middle).astype(np.int64).T
        inside = (column >= 0) & (column < grid.shape[1]) & (row >= 0) & (row < grid.shape[0]) & (t1 > t0)
        parts.append((owner[group][piece[inside]], row[inside], column[inside], (t1 - t0)[inside],
                      piece[inside] + first))
        progress(min(1.0, (first + _SEGMENTS) / len(owner)))
    shape, row, column, share, segment = _concatenated(parts, 5)
    order = _by_row(row)
    runs = _runs(shape[order], row[order], column[order], column[order] + 1, share[order])
    return runs, segment[order].astype(np.intp)


def wall(lines: NDArray[np.object_], grid: Grid) -> Runs:
    """The cells lines cross, without a gap for what moves over corners: also where a line passes exactly through one.

    Examples
    --------
    >>> from quyhoach.processing_algorithms.common.cells import wall
    >>> diagonal = np.array([shapely.LineString([(0, 0), (2, 2)])])
    >>> runs = wall(diagonal, Grid((0.0, 1.0, 0.0, 2.0, 0.0, -1.0), (2, 2), ""))
    >>> sorted(zip(runs.row.tolist(), runs.start.tolist()))
    [(0, 1), (1, 0), (1, 1)]
    """
    aside = np.array([grid.transform[1], grid.transform[4]]) * 1e-6
    drawn = [crossed(lines, grid)[0], crossed(shapely.transform(lines, lambda xy: xy + aside), grid)[0]]
    shape, row, column = (np.concatenate([getattr(runs, name) for runs in drawn]) for name in ("shape", "row", "start"))
    shape, row, column = np.unique(np.stack([shape, row, column]), axis=1)
    order = np.argsort(row, kind="stable")
    return _runs(shape[order], row[order], column[order], column[order] + 1, np.ones(len(row)))


def segments(lines: NDArray[np.object_]) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.intp]]:
    """Return start and end points (map coordinates) of all straight segments, and the line each belongs to."""
    parts, line_of_part = shapely.get_parts(np.asarray(lines, dtype=object), return_index=True)
    xy, part = shapely.get_coordinates(parts, return_index=True)
    joined = np.flatnonzero(part[1:] == part[:-1])
    return xy[joined], xy[joined + 1], line_of_part[part[joined]]


def clipped(runs: Runs, grid: Grid) -> Runs:
    """The runs inside the grid."""
    rows, columns = grid.shape
    start, stop = np.maximum(runs.start, 0), np.minimum(runs.stop, columns)
    kept = (stop > start) & (runs.row >= 0) & (runs.row < rows)
    return Runs(runs.shape[kept], runs.row[kept], start[kept], stop[kept], runs.weight[kept])


def burn(runs: Runs, first: int, rows: int, columns: int) -> NDArray[np.bool_]:
    """Return which cells of the rows ``first`` to ``first + rows`` any run covers, shape (rows, columns)."""
    here = runs.in_rows(first, first + rows)
    if not len(here):
        return np.zeros((rows, columns), bool)
    result = np.zeros((rows, columns), bool)
    block = max(1, _BURNT // (columns + 1))
    for top in range(int(here.row[0]) - first, int(here.row[-1]) - first + 1, block):
        runs, high = here.in_rows(first + top, first + top + block), min(block, rows - top)
        line = (runs.row - (first + top)).astype(np.int64) * (columns + 1)
        cells = high * (columns + 1)
        steps = np.bincount(line + runs.start, minlength=cells) - np.bincount(line + runs.stop, minlength=cells)
        result[top:top + high] = np.cumsum(steps.reshape(high, columns + 1), axis=1)[:, :columns] > 0
    return result


def _by_groups(polygons, grid, progress, work) -> Runs:
    shapes = np.asarray(polygons, dtype=object)
    vertices = np.cumsum(shapely.get_num_coordinates(shapes))
    total = int(vertices[-1]) if len(vertices) else 0
    edges = np.unique(np.r_[0, np.searchsorted(vertices, np.arange(_VERTICES, total, _VERTICES)) + 1, len(shapes)])
    parts = []
    for first, last in zip(edges[:-1], edges[1:]):
        shape, *rest = work(shapes[first:last], grid)
        parts.append((shape + first, *rest))
        progress(last / len(shapes))
    shape, row, start, stop, weight = _concatenated(parts, 5)
    order = _by_row(row)
    return _runs(shape[order], row[order], start[order], stop[order], weight[order])


def _by_row(row: NDArray[np.int64]) -> NDArray[np.intp]:
    """Order by row, equal ones as they are; numpy sorts numbers of 16 bits many times faster than longer ones."""
    low = row.min() if row.size else 0
    return np.argsort((row - low).astype(np.uint16) if row.size and row.max() - low <= np.iinfo(np.uint16).max else row, kind="stable")


def _concatenated(parts: list[tuple[NDArray, ...]], count: int) -> list[NDArray]:
    return [np.concatenate([part[k] for part in parts]) if parts else np.zeros(0) for k in range(count)]


def _runs(shape, row, start, stop, weight) -> Runs:
    most = np.iinfo(np.int32).max  # what lies farther off than that is outside every grid
    narrow = [np.clip(column, -most, most).astype(np.int32) for column in (shape, row, start, stop)]
    return Runs(*narrow, np.asarray(weight, dtype=np.float64))


def _to_pixels(xy: NDArray[np.float64], grid: Grid) -> NDArray[np.float64]:
    return np.column_stack(grid.to_pixel(xy[:, 0], xy[:, 1]))


def _edges(
    polygons: NDArray[np.object_], grid: Grid
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.intp], NDArray[np.float64]]:
    """Start and end of all ring edges in pixel coordinates, owning polygon, and direction: -1 where the ring runs the
    wrong way (outer rings counterclockwise in the map and inner ones clockwise are right)."""
    parts, polygon_of_part = shapely.get_parts(polygons, return_index=True)
    rings, part_of_ring = shapely.get_rings(parts, return_index=True)
    outer = np.r_[True, part_of_ring[1:] != part_of_ring[:-1]][:len(rings)]
    direction = np.where(shapely.is_ccw(rings) == outer, 1.0, -1.0)
    xy, ring = shapely.get_coordinates(rings, return_index=True)
    joined = np.flatnonzero(ring[1:] == ring[:-1])
    pixels = _to_pixels(xy, grid)
    ring = ring[joined]
    return pixels[joined], pixels[joined + 1], polygon_of_part[part_of_ring[ring]], direction[ring]


def _cut_at_grid_lines(a, b, grid: Grid) -> tuple[NDArray[np.intp], NDArray[np.float64], NDArray[np.float64]]:
    """Cut segments a-b where they cross grid lines: owning segment, and the parameters t0, t1 of each piece."""
    rows, columns = grid.shape
    owners, cuts = [np.arange(len(a)), np.arange(len(a))], [np.zeros(len(a)), np.ones(len(a))]
    for axis, most in ((0, columns), (1, rows)):
        low, high = np.minimum(a[:, axis], b[:, axis]), np.maximum(a[:, axis], b[:, axis])
        first = np.clip(np.floor(low) + 1, 0, most + 1).astype(np.int64)
        last = np.clip(np.ceil(high) - 1, -1, most).astype(np.int64)
        count = np.maximum(last - first + 1, 0)
        owner = np.repeat(np.arange(len(a)), count)
        line = np.arange(owner.size) - (np.cumsum(count) - count)[owner] + first[owner]
        start = a[owner, axis]
        owners.append(owner)
        cuts.append(np.clip((line - start) / (b[owner, axis] - start), 0.0, 1.0))
    owner, t = np.concatenate(owners), np.concatenate(cuts)
    # One key, and a sort that likes runs already in order; 2, not 1, keeps an end apart from the next one's start. Cuts
    # closer than the key can tell may swap, which changes no sum: their pieces are as short and of opposite sign.
    order = np.argsort(2.0 * owner + t, kind="stable")
    owner, t = owner[order], t[order]
    piece = np.flatnonzero(owner[1:] == owner[:-1])
    return owner[piece], t[piece], t[piece + 1]


def _covered(polygons: NDArray[np.object_], grid: Grid) -> tuple[NDArray, ...]:
    rows, columns = grid.shape
    a, b, owner, direction = _edges(polygons, grid)
    edge, t0, t1 = _cut_at_grid_lines(a, b, grid)
    begin, step = a[edge], (b - a)[edge]
    height = step[:, 1] * (t1 - t0) * direction[edge]
    middle = begin + ((t0 + t1) / 2)[:, None] * step
    row = np.floor(middle[:, 1]).astype(np.int64)
    # What lies left of the grid still has all of the row on its right: it counts at the border.
    x = np.maximum(middle[:, 0], 0.0)
    column = np.floor(x).astype(np.int64)
    kept = (row >= 0) & (row < rows) & (column < columns) & (height != 0)
    edge, row, column, height, x = edge[kept], row[kept], column[kept], height[kept], x[kept]
    key = (owner[edge] * rows + row) * (columns + 1) + column
    order = np.argsort(key, kind="stable")
    key, height, column, x = key[order], height[order], column[order], x[order]
    if not key.size:
        return (np.zeros(0, np.int64),) * 4 + (np.zeros(0),)
    cell_start = np.flatnonzero(np.r_[True, key[1:] != key[:-1]])
    in_cell = np.add.reduceat(height * (column + 1 - x), cell_start)
    right_of = np.add.reduceat(height, cell_start)
    key, column = key[cell_start], column[cell_start]
    line = key // (columns + 1)
    line_start = np.r_[True, line[1:] != line[:-1]]
    running = np.cumsum(right_of)
    before_line = (running - right_of)[np.flatnonzero(line_start)][np.cumsum(line_start) - 1]
    after = running - before_line
    following = np.r_[np.where(line_start[1:], columns, column[1:]), columns]
    shape, row = np.divmod(line, rows)
    # A north-up grid turns the orientation of rings round.
    sign = 1.0 if grid.transform[1] * grid.transform[5] < grid.transform[2] * grid.transform[4] else -1.0
    own = sign * (in_cell + after - right_of)
    beyond = sign * after
    gap = (following > column + 1) & (np.abs(beyond) > _NOISE)
    share = np.r_[own, beyond[gap]]
    start = np.r_[column, column[gap] + 1]
    stop = np.r_[column + 1, following[gap]]
    kept = share > _NOISE
    return (np.r_[shape, shape[gap]][kept], np.r_[row, row[gap]][kept], start[kept], stop[kept],
            np.minimum(share[kept], 1.0))


def _centres_inside(polygons: NDArray[np.object_], grid: Grid) -> tuple[NDArray, ...]:
    a, b, owner, _ = _edges(polygons, grid)
    upper, lower = np.minimum(a[:, 1], b[:, 1]), np.maximum(a[:, 1], b[:, 1])
    first = np.ceil(upper - 0.5).astype(np.int64)
    count = np.ceil(lower - 0.5).astype(np.int64) - first
    edge = np.repeat(np.arange(len(a)), count)
    row = np.arange(edge.size) - (np.cumsum(count) - count)[edge] + first[edge]
    t = (row + 0.5 - a[edge, 1]) / (b[edge, 1] - a[edge, 1])
    x = a[edge, 0] + t * (b[edge, 0] - a[edge, 0])
    line = owner[edge] * (int(np.ptp(row)) + 1 if row.size else 1) + row
    order = np.lexsort((x, line))
    edge, row, x = edge[order], row[order], x[order]
    # Along a row, edges enter and leave by turns.
    column = np.ceil(x - 0.5).astype(np.int64)
    start, stop, row, shape = column[0::2], column[1::2], row[0::2], owner[edge[0::2]]
    kept = stop > start
    return shape[kept], row[kept], start[kept], stop[kept], np.ones(int(kept.sum()))


def cell_areas_m2(grid: Grid, window: Window) -> NDArray[np.float64]:
    """Areas of the cells of a window, square metres; shape (rows, columns), or a smaller one that broadcasts to it.

    In a metric system the same everywhere. In degrees, on the ellipsoid of the system's datum at the middle of the cell
    (error below 1e-8 of the area for cells up to a minute of arc).

    Raises
    ------
    InputError
        The system is neither in metres nor in degrees.
    """
    crs = _crs(grid.crs_wkt)
    if not crs.is_geographic:
        require_metric(crs, say("Raster", "The raster"))
        return np.full((1, 1), grid.cell_area)
    along_x, along_y = metres_per_degree(crs, _latitudes(grid, window))
    return grid.cell_area * along_x * along_y


def weighted_sum(values: NDArray, areas: NDArray[np.float64]) -> float:
    """Sum of values times the areas `cell_areas_m2` returned for their window.

    Examples
    --------
    >>> weighted_sum(np.ones((2, 3)), np.array([[5.0]])), weighted_sum(np.ones((2, 3)), np.array([[1.0], [2.0]]))
    (30.0, 9.0)
    """
    for axis in (1, 0):  # sum along the axes where the area is the same, which is most of the work
        if areas.shape[axis] == 1:
            values = values.sum(axis=axis, keepdims=True, dtype=np.float64)
    return float((values * areas).sum())


@lru_cache(maxsize=16)
def _crs(wkt: str) -> pyproj.CRS:
    return pyproj.CRS.from_wkt(wkt)


def metres_per_degree(
    crs: pyproj.CRS, latitude: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Length of a degree of longitude and of latitude on the ellipsoid of a geographic system, m."""
    a, e2 = crs.ellipsoid.semi_major_metre, 1.0 - (crs.ellipsoid.semi_minor_metre / crs.ellipsoid.semi_major_metre) ** 2
    angle = np.radians(latitude)
    w = np.sqrt(1.0 - e2 * np.sin(angle) ** 2)
    degree = np.pi / 180.0
    return degree * a / w * np.cos(angle), degree * a * (1.0 - e2) / w**3


def _latitudes(grid: Grid, window: Window) -> NDArray[np.float64]:
    rows = (np.arange(window.rows) + window.row + 0.5)[:, None]
    if grid.transform[4] == 0:
        return grid.to_map(0.0, rows)[1]
    return grid.to_map((np.arange(window.columns) + window.column + 0.5)[None, :], rows)[1]
