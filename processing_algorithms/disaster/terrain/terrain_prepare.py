"""From a terrain to what the next flood needs: conditioned heights, directions, drained area, streams, basins, HAND.

Order: holes bridged, dykes raised, rivers lowered by a stated depth, culverts opened; then directions, depressions cut
where a short shallow cut lets the water out, the others filled, directions again, drained area, streams, and for every
cell the stream cell it drains to. numpy and scipy do all of it, numba does it faster where it is present
(`terrain_loops`), and no package changes a result. whitebox-workflows is not called: its exact filling and the way in
and out of it take longer than all of this, and its other filling is not exact; the tests compare with it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...common.cells import cell_areas_m2
from ...common.errors import InputError
from ...common.language import say
from ...common.memory import require_memory
from ...common.numbers_vi import format_number
from ...common.parallel import run_blocks
from ...common.progress import Progress, part, silent
from ...common.raster import Grid
from . import terrain_loops
from .d8 import LEAVES, OUTSIDE, directions, directions_after, lead_over_level_ground, metres_between, step_lengths
from .depressions import cut, fill, floors_of
from .drainage import Reaches, accumulate, next_stream_cell, positions, reaches
from .terrain_ground import Ground
from .ways import first_marked

#: Memory a cell, bytes. Highest use measured: 30 for 50 million cells of hills, 37 with rivers and dykes, 41 in degrees, 46
#: without numba; 37 for a plain in whole metres; 50 where all is one depression, 58 there with streams from 100 cells on (nine tenths of all cells).
BYTES_A_CELL = 60
#: Areas are summed in square centimetres: exact below 900,000 km2, in whatever order.
_UNITS_A_KM2 = 1e10
#: Positions are 32-bit numbers.
_MOST_CELLS = 2**31 - 1
#: Cells worked on at a time, few enough for the processor's cache.
_BLOCK = 100_000


@dataclass(frozen=True)
class Rules:
    """How the terrain is conditioned.

    Attributes
    ----------
    stream_area_km2 : float
        Drained area from which there is a stream.
    breach_cells : int
        How far around a depression a way out is searched, cells; 0 cuts nothing.
    breach_depth_m : float
        Deepest cut.
    river_burn_m : float
        How far cells of mapped rivers are lowered, so that water follows them.
    """

    stream_area_km2: float = 1.0
    breach_cells: int = 10
    breach_depth_m: float = 3.0
    river_burn_m: float = 5.0


@dataclass(frozen=True)
class Drainage:
    """What `prepare_terrain` found. Arrays have the shape (rows, columns) of the grid; nan where unknown.

    Attributes
    ----------
    conditioned : array of float32
        Heights that the water runs over, m.
    direction : array of uint8
        ESRI code; 0 leaves the raster, 255 outside.
    area_km2 : array of float32
        Drained area, the cell included.
    above_drainage : array of float32
        Conditioned height above the stream cell the cell drains to, m; nan where water leaves without a stream.
    ground_above_drainage : array of float32
        The same of the real ground: what stands in a depression or behind a dyke can be lower than the drainage.
    drain : array of int32
        Position, in ``reaches.cells``, of the stream cell each cell drains to; -1 without one.
    reaches : Reaches
        Their cells are positions in the flat array with a border one cell wide.
    bed_m : array of float32
        Height of the drainage at each of the cells of the reaches.
    cut_cells, filled_cells, floors, without_stream : int
        Cells cut, cells filled, depressions before cutting, cells whose water leaves without a stream.
    """

    grid: Grid
    conditioned: NDArray[np.float32]
    direction: NDArray[np.uint8]
    area_km2: NDArray[np.float32]
    above_drainage: NDArray[np.float32]
    ground_above_drainage: NDArray[np.float32]
    drain: NDArray[np.int32]
    reaches: Reaches
    bed_m: NDArray[np.float32]
    cut_cells: int
    filled_cells: int
    floors: int
    without_stream: int


def check_size(grid: Grid, free: int | None = None) -> None:
    """Refuse, before any work, a terrain the machine cannot hold."""
    cells = (grid.shape[0] + 2) * (grid.shape[1] + 2)
    what = say("Địa hình {n} ô", "A terrain of {n} cells").format(n=format_number(grid.shape[0] * grid.shape[1]))
    if cells > _MOST_CELLS:
        raise InputError(say("{what} vượt quá 2 tỷ ô; hãy cắt theo lưu vực.",
                             "{what} has more than 2 billion; clip it to a river basin.").format(what=what))
    require_memory(cells * BYTES_A_CELL, what, free)


def prepare_terrain(ground: Ground, rules: Rules = Rules(), progress: Progress = silent) -> Drainage:
    """Condition the terrain and find where its water goes.

    Parameters
    ----------
    ground : Ground
        With its lines drawn; its heights become the conditioned ones.
    rules : Rules

    Examples
    --------
    A slope of one row, cells of 100 m; the stream begins where two hectares are drained.

    >>> from pyproj import CRS
    >>> grid = Grid((0.0, 100.0, 0.0, 100.0, 0.0, -100.0), (1, 4), CRS("EPSG:9214").to_wkt())
    >>> z = np.pad(np.array([[5, 3, 2, 1]], np.float32), 1, constant_values=np.nan)
    >>> found = prepare_terrain(Ground(grid, z, np.zeros(0, np.intp)), Rules(stream_area_km2=0.02))
    >>> found.above_drainage.tolist(), found.reaches.chainage.tolist()
    ([[2.0, 0.0, 0.0, 0.0]], [200.0, 100.0, 0.0])
    """
    grid, z = ground.grid, ground.z
    real = z.copy()
    lengths = step_lengths(grid)
    code, floors, lowered, raised = _conditioned(ground, rules, lengths, part(progress, 0.0, 0.5))
    area, stream = _streams(ground, rules, code, raised, part(progress, 0.5, 0.8))
    cut_cells, filled_cells = len(lowered), len(raised)
    del lowered, raised
    cells = np.flatnonzero(stream).astype(np.int32)
    following = next_stream_cell(code, stream, cells)
    del stream
    step_m = metres_between(grid, cells, following)
    down = positions(cells, following)
    del following
    found = reaches(cells, down, step_m)
    del cells, down, step_m
    drain = first_marked(code, found.cells, np.arange(len(found.cells)), -1, part(progress, 0.8, 0.95))
    bed = z.ravel()[found.cells]
    if ground.river is not None:
        bed = bed + np.where(ground.river.ravel()[found.cells], np.float32(rules.river_burn_m), np.float32(0))
    above, real_above, without_stream = _above(z, real, code, drain, bed, part(progress, 0.95, 1.0))
    for array in (above, real_above):
        array.ravel()[ground.holes] = np.nan
    progress(1.0)
    return Drainage(
        grid, _without_border(z), _without_border(code), _without_border(area), _without_border(above),
        _without_border(real_above), _without_border(drain.reshape(z.shape)), found, bed, cut_cells, filled_cells, floors,
        without_stream)


def _above(z, real, code, drain, bed, progress):
    """Height of the conditioned and of the real ground above the drainage; and how many cells have none.

    What is real becomes what is above, in place.
    """
    above, lost = np.empty_like(z), np.zeros(len(z), np.int64)
    bed = np.append(bed, np.float32(np.nan))  # -1 is the last
    drain = drain.reshape(z.shape)
    if (loop := terrain_loops.fast(terrain_loops.heights_above)) is not None:
        return (
            above,
            real,
            sum(terrain_loops.in_strips(loop, z.shape, z, real, code, drain, bed, above, progress=progress)),
        )

    def work(first: int, last: int) -> None:
        here = slice(first, last)
        level = bed[drain[here]]
        np.subtract(real[here], level, out=real[here])
        np.subtract(z[here], level, out=level)
        np.maximum(level, np.float32(0), out=above[here])
        lost[here] = ((drain[here] < 0) & (code[here] != OUTSIDE)).sum(axis=1)

    run_blocks(work, np.arange(len(z)), max(1, _BLOCK // z.shape[1]), progress)
    return above, real, int(lost.sum())


def _conditioned(ground, rules, lengths, progress):
    """Lower, cut and fill in place; return directions, how many depressions there were, cells cut and cells filled."""
    z = ground.z
    if ground.river is not None:
        z[ground.river] -= np.float32(rules.river_burn_m)
    np.minimum.at(z.ravel(), *ground.channel)
    code = directions(z, lengths, part(progress, 0.0, 0.1))
    floor, led = lead_over_level_ground(code, z, part(progress, 0.1, 0.15))
    pits = floors_of(floor, z.shape)[1]
    is_open = ground.river
    if ground.culvert is not None:
        is_open = ground.culvert if is_open is None else is_open | ground.culvert
    lowered = cut(z, pits, reach=rules.breach_cells, depth=rules.breach_depth_m, is_open=is_open, closed=ground.dyke,
                  progress=part(progress, 0.15, 0.5))
    if lowered.size:
        code = directions_after(code, z, lengths, lowered, led)
        floor, led = lead_over_level_ground(code, z, part(progress, 0.5, 0.55))
    raised = fill(z, code, floor, part(progress, 0.55, 0.85))
    if raised.size:
        code = directions_after(code, z, lengths, raised, led)
        lead_over_level_ground(code, z, part(progress, 0.85, 1.0))
    return code, len(pits), lowered, raised


def _streams(ground, rules, code, raised, progress):
    """Drained area in km2 and the cells of streams: from the stated area on, and all mapped rivers downstream.

    Water that would have to go over a dyke makes no stream, neither in the depression behind it nor on it: that ground
    counts from the river that would flood it.
    """
    own, unit = _own_area(ground.grid, code)
    kept = own.copy() if ground.dyke is not None else None
    area = accumulate(code, own, part(progress, 0.0, 0.4))
    counting, collected = code, area
    if ground.dyke is not None:
        counting = np.where(ground.dyke, LEAVES, code)
        collected = accumulate(counting, kept, part(progress, 0.4, 0.6))
    least = np.floor(rules.stream_area_km2 * _UNITS_A_KM2)
    area_km2, stream = np.empty(code.shape, np.float32), np.empty(code.shape, bool)
    area, collected = area.reshape(code.shape), collected.reshape(code.shape)

    def work(first: int, last: int) -> None:
        here = slice(first, last)
        np.logical_and(collected[here] * unit >= least, code[here] != OUTSIDE, out=stream[here])  # noqa: F821 deleted later
        np.divide(area[here] * unit, _UNITS_A_KM2, out=area_km2[here], casting="same_kind")  # noqa: F821

    run_blocks(work, np.arange(len(code)), max(1, _BLOCK // code.shape[1]), part(progress, 0.6, 0.7))
    del own, kept, area, collected
    stream = stream.ravel()
    if ground.river is not None:
        mapped = ground.river.ravel().astype(np.int32)
        stream |= accumulate(counting, mapped, part(progress, 0.7, 0.9)) > 0
    if ground.dyke is not None:
        dyke = ground.dyke.ravel()
        stream &= ~dyke
        over = np.flatnonzero(dyke)
        stream[raised] &= first_marked(code, over, np.ones_like(over), 0, progress)[raised] == 0
    if not stream.any():
        raise InputError(
            say("Không ô nào thu nước từ {area} km² trở lên (nhiều nhất {most} km²); hãy giảm diện tích lưu vực tối "
                "thiểu của dòng chảy.",
                "No cell drains {area} km² or more (at most {most} km²); lower the least area of a stream.")
            .format(area=format_number(rules.stream_area_km2, 3), most=format_number(float(area_km2.max()), 3)))
    return area_km2, stream


def _own_area(grid: Grid, code: NDArray[np.uint8]) -> tuple[NDArray[np.number], float]:
    """Area of every cell in the flat array with a border, 0 outside; and in how many square centimetres it is counted.

    Where all cells are alike it is counted in cells.
    """
    whole = [np.rint(cell_areas_m2(grid, window) * 10_000) for window in grid.strips(cells=_BLOCK)]
    alike = all(areas.size == 1 for areas in whole)
    own = np.zeros(code.shape, np.int32 if alike else np.float64)
    inside, starts = own[1:-1, 1:-1], [window.row for window in grid.strips(cells=_BLOCK)]

    def work(first: int, last: int) -> None:
        for strip in range(first, last):
            rows = slice(starts[strip], (*starts, len(inside))[strip + 1])
            np.multiply(code[1:-1, 1:-1][rows] != OUTSIDE, 1 if alike else whole[strip], out=inside[rows])

    run_blocks(work, np.arange(len(starts)), 1, silent)
    return own.ravel(), float(whole[0][0, 0]) if alike else 1.0


def _without_border(array: NDArray) -> NDArray:
    return array[1:-1, 1:-1]
