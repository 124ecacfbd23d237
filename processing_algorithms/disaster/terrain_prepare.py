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

from ..common.cells import cell_areas_m2
from ..common.errors import InputError
from ..common.language import say
from ..common.memory import require_memory
from ..common.numbers_vi import format_number
from ..common.progress import Progress, part, silent
from ..common.raster import Grid, Window
from .d8 import (
    LEAVES, OUTSIDE, directions, directions_after, lead_over_level_ground, metres_between, receivers, step_lengths)
from .depressions import cut, fill, floors_of
from .drainage import Reaches, accumulate, drains_to, reaches
from .terrain_ground import Ground

#: Highest use of memory a cell, measured (bytes); with rivers a second sum is kept.
BYTES_A_CELL = 60
#: Areas are summed in square centimetres: exact below 900,000 km2, in whatever order.
_UNITS_A_KM2 = 1e10
#: Positions are 32-bit numbers.
_MOST_CELLS = 2**31 - 1


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
    receiver = receivers(code)
    area, stream = _streams(ground, rules, code, receiver, raised, part(progress, 0.5, 0.8))
    ends = drains_to(receiver, stream, part(progress, 0.8, 0.9))
    cells = np.flatnonzero(stream)
    following = ends[receiver[cells]].astype(np.intp)
    following = np.where(stream[following], following, cells)
    found = reaches(cells, following, metres_between(grid, cells, following))
    flat = z.ravel()
    bed = flat[found.cells]
    if ground.river is not None:
        bed = bed + np.where(ground.river.ravel()[found.cells], np.float32(rules.river_burn_m), np.float32(0))
    place = np.full(z.size, -1, np.int32)
    place[found.cells] = np.arange(len(found.cells), dtype=np.int32)
    drain = place[ends]
    del place, ends, receiver, stream
    level = np.append(bed, np.float32(np.nan))[drain]  # -1 is the last
    above = np.maximum(flat - level, np.float32(0))
    real_above = real.ravel() - level
    for array in (above, real_above):
        array[ground.holes] = np.nan
    inside = _without_border(code)
    outside = inside == OUTSIDE
    drain = _without_border(drain.reshape(z.shape))
    progress(1.0)
    return Drainage(
        grid, _without_border(z), inside, _without_border((area.reshape(z.shape))), _without_border(above.reshape(z.shape)),
        _without_border(real_above.reshape(z.shape)), drain, found, bed, len(lowered), len(raised), floors,
        int(((drain < 0) & ~outside).sum()))


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


def _streams(ground, rules, code, receiver, raised, progress):
    """Drained area in km2 and the cells of streams: from the stated area on, and all mapped rivers downstream.

    Water that would have to go over a dyke makes no stream, neither in the depression behind it nor on it: that ground
    counts from the river that would flood it.
    """
    known = (code != OUTSIDE).ravel()
    own = _own_area(ground.grid)
    own[~known] = 0
    counting, kept = code, own.copy() if ground.dyke is not None else None
    area = collected = accumulate(code, receiver, own, part(progress, 0.0, 0.4))
    if ground.dyke is not None:
        counting = np.where(ground.dyke, LEAVES, code)
        collected = accumulate(counting, receiver, kept, part(progress, 0.4, 0.6))
    stream = (collected >= np.floor(rules.stream_area_km2 * _UNITS_A_KM2)) & known
    if ground.river is not None:
        mapped = ground.river.ravel().astype(np.float64)
        stream |= accumulate(counting, receiver, mapped, part(progress, 0.6, 0.9)) > 0
    if ground.dyke is not None:
        dyke = ground.dyke.ravel()
        stream &= ~dyke
        stream[raised] &= ~dyke[drains_to(receiver, dyke, progress)[raised]]
    if not stream.any():
        raise InputError(
            say("Không ô nào thu nước từ {area} km² trở lên (nhiều nhất {most} km²); hãy giảm diện tích lưu vực tối "
                "thiểu của dòng chảy.",
                "No cell drains {area} km² or more (at most {most} km²); lower the least area of a stream.")
            .format(area=format_number(rules.stream_area_km2, 2), most=format_number(float(area.max()) / _UNITS_A_KM2, 3)))
    return (area / _UNITS_A_KM2).astype(np.float32), stream


def _own_area(grid: Grid) -> NDArray[np.float64]:
    """Area of every cell, whole square centimetres, in the flat array with a border; 0 there."""
    rows, columns = grid.shape
    own = np.zeros((rows + 2, columns + 2))
    for window in grid.strips():
        own[1 + window.row:1 + window.row + window.rows, 1:-1] = np.rint(cell_areas_m2(grid, window) * 10_000)
    return own.ravel()


def _without_border(array: NDArray) -> NDArray:
    return array[1:-1, 1:-1]
