"""What flow directions say: drained area, streams cut into reaches, and which stream cell every cell drains to."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...common.parallel import run_blocks
from ...common.progress import Progress, part, silent
from . import terrain_loops
from .d8 import CODES, LEAVES, OUTSIDE, STEPS, steps_of_codes
from .ways import end_of_way, receivers

#: With more cells at once than one in so many, adding over the whole array is faster than cell by cell.
_MANY = 64
_STRIP, _BLOCK = 250_000, 100_000
#: Fewer cells than this are left to the work on the whole grid.
_TAIL = 100


@dataclass(frozen=True)
class Reaches:
    """Stream cells in reaches: stretches between springs, confluences and outlets.

    Attributes
    ----------
    cells : array of int, shape (n,)
        Stream cells (positions in the flat array), reach by reach, downstream.
    start : array of int, shape (reaches + 1,)
        Where each reach begins in ``cells``.
    downstream : array of int, shape (reaches,)
        Number of the next reach, from 1; 0 where water leaves.
    basin : array of int, shape (reaches,)
        Number of the river basin, from 1.
    order : array of int, shape (reaches,)
        Strahler's.
    chainage : array of float, shape (n,)
        Metres along the streams from each cell to where water leaves.
    """

    cells: NDArray[np.intp]
    start: NDArray[np.intp]
    downstream: NDArray[np.int32]
    basin: NDArray[np.int32]
    order: NDArray[np.int16]
    chainage: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.downstream)

    def number(self) -> NDArray[np.int32]:
        """Number of the reach of each of the cells, from 1."""
        return np.repeat(np.arange(1, len(self) + 1, dtype=np.int32), np.diff(self.start))


def accumulate(
    code: NDArray[np.uint8], own: NDArray[np.number], progress: Progress = silent
) -> NDArray[np.number]:
    """Sum whole numbers down the ways of the water; ``own``, the amount of each cell, becomes the sum, cell included.

    Whole numbers (floats below 2^53), because their sum does not depend on the order they are added in. Cells are finished once all that flows into them is: first all without inflow, then those only they flow into.

    Parameters
    ----------
    code : array of uint8, shape (rows + 2, columns + 2)
    own : array of int or float, shape (n,)

    Examples
    --------
    >>> code = np.array([[255] * 5, [255, 1, 1, 0, 255], [255] * 5], np.uint8)
    >>> accumulate(code, np.ones(15))[6:9].tolist()
    [1.0, 2.0, 3.0]
    """
    width = code.shape[1]
    loops = [terrain_loops.fast(loop) for loop in (
        terrain_loops.inflows, terrain_loops.accumulate, terrain_loops.accumulate_on)]
    if loops[0] is not None:
        count = np.zeros(code.shape, np.uint8)
        terrain_loops.in_strips(loops[0], code.shape, code, count, progress=part(progress, 0.0, 0.1))
        ways = width, code.ravel(), steps_of_codes(width), count.ravel(), own
        terrain_loops.in_strips(loops[1], code.shape, *ways, progress=part(progress, 0.1, 1.0))
        loops[2](terrain_loops.strips(code.shape), *ways)
        return own
    inflows, receiver = inflow_count(code).ravel(), receivers(code)
    flows = ((code != LEAVES) & (code != OUTSIDE)).ravel()
    rows = max(1, _STRIP // width)
    strips = [slice(first * width, min(first + rows, code.shape[0]) * width) for first in range(0, code.shape[0], rows)]
    found: list[tuple[NDArray[np.intp], ...]] = [()] * len(strips)

    def work(first: int, last: int) -> None:
        for strip in range(first, last):
            here = strips[strip]
            found[strip] = _finish(receiver[here] - np.int32(here.start), inflows[here], flows[here], own[here], _TAIL)

    # Strips fit the processor's cache, and most ways lie in one; what passes between strips comes after.
    run_blocks(work, np.arange(len(strips)), 1, part(progress, 0.0, 0.7))
    into = np.concatenate([one[0] + here.start for one, here in zip(found, strips)])
    np.add.at(own, into, np.concatenate([one[1] for one in found]))
    np.subtract.at(inflows, into, 1)
    ready = np.concatenate([np.unique(into[(inflows[into] == 0) & flows[into]]),
                            *(one[2] + here.start for one, here in zip(found, strips))])
    _finish(receiver, inflows, flows, own, 0, ready, part(progress, 0.7, 1.0))
    return own


def _finish(receiver, inflows, flows, total, tail, ready=None, progress=silent):
    """Finish cells level by level, in place, until at most ``tail`` are ready.

    Returns
    -------
    into, amount : arrays
        What flows to cells beyond these arrays.
    ready : array of int
        Cells that could be finished next.
    """
    size = total.size
    ready = np.flatnonzero((inflows == 0) & flows) if ready is None else ready
    away: list[tuple[NDArray, NDArray]] = [(np.zeros(0, np.int64), total[:0])]
    while ready.size > tail:
        into, amount = receiver[ready].astype(np.intp), total[ready]
        if tail:  # a strip: some of it passes its borders
            beyond = (into < 0) | (into >= size)
            if beyond.any():
                away.append((into[beyond], amount[beyond]))
                into, amount = into[~beyond], amount[~beyond]
        if into.size * _MANY > size:
            total += np.bincount(into, weights=amount, minlength=size).astype(total.dtype, copy=False)
            inflows -= np.bincount(into, minlength=size).astype(np.uint8)
        else:
            np.add.at(total, into, amount)
            np.subtract.at(inflows, into, 1)
        ready = np.unique(into[(inflows[into] == 0) & flows[into]])
        progress(0.5)
    return np.concatenate([one for one, _ in away]), np.concatenate([one for _, one in away]), ready


def inflow_count(code: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """How many neighbours pass their water to each cell."""
    count = np.zeros(code.shape, np.uint8)
    inner = code[1:-1, 1:-1]
    rows, columns = inner.shape
    for k, (row, column) in enumerate(STEPS):
        count[1 + row:1 + row + rows, 1 + column:1 + column + columns] += inner == CODES[k]
    return count


def next_stream_cell(
    code: NDArray[np.uint8], stream: NDArray[np.bool_], cells: NDArray[np.int32]
) -> NDArray[np.int32]:
    """The next stream cell on the way of each of the stream cells; the cell itself where there is none.

    Parameters
    ----------
    code : array of uint8, shape (rows + 2, columns + 2)
    stream : array of bool, shape (n,)
    cells : array of int, shape (m,)
        Stream cells, positions in the flat array.
    """
    flow, step = code.ravel(), steps_of_codes(code.shape[1]).astype(np.int32)
    following = cells + step[flow[cells]]
    under_way = np.flatnonzero(~stream[following])
    while under_way.size:  # only behind dykes, where streams are broken off
        at = following[under_way]
        to = at + step[flow[at]]
        following[under_way] = to
        lost = under_way[to == at]
        following[lost] = cells[lost]
        under_way = under_way[(to != at) & ~stream[to]]
    return following


def positions(cells: NDArray[np.int32], wanted: NDArray[np.int32]) -> NDArray[np.int32]:
    """Where each of the wanted cells stands among the ascending ``cells``."""
    found = np.empty(len(wanted), np.int32)
    for first in range(0, len(wanted), _BLOCK):
        found[first:first + _BLOCK] = np.searchsorted(cells, wanted[first:first + _BLOCK])
    return found


def reaches(cells: NDArray[np.int32], down: NDArray[np.int32], step_m: NDArray[np.float64]) -> Reaches:
    """Cut streams into reaches, numbered by the position of their first cell.

    Streams can be half of all cells, on a plain that was filled, so what a stream cell takes counts: 46 bytes at most.

    Parameters
    ----------
    cells : array of int, shape (n,)
        Stream cells, ascending.
    down : array of int, shape (n,)
        Position in ``cells`` of the next stream cell on the way of the water; of the cell itself where there is none.
    step_m : array of float, shape (n,)
        Metres to it. Used up: what is in it afterwards means nothing.
    """
    count = len(cells)
    leaves = down == np.arange(count, dtype=np.int32)
    starts = np.bincount(down[~leaves], minlength=count) != 1
    up = np.arange(count, dtype=np.int32)
    joined = np.flatnonzero(~leaves & ~starts[down]).astype(np.int32)
    up[down[joined]] = joined
    del joined
    hops = (~starts).astype(np.int32)
    while not starts[up].all():
        hops += hops[up]
        up = up[up]
    first = np.flatnonzero(starts)
    reach = np.cumsum(starts, dtype=np.int32)[up] - np.int32(1)
    del up
    order = np.lexsort((hops, reach))
    del hops
    start = np.r_[np.flatnonzero(np.r_[True, np.diff(reach[order]) != 0]), count] if count else np.zeros(1, np.intp)
    last = order[start[1:] - 1]
    downstream = np.where(leaves[last], 0, reach[down[last]] + 1).astype(np.int32)
    del reach
    chainage = _chainage(down, leaves, step_m)
    by_height = np.argsort(-chainage[first], kind="stable")  # farther from the outlet is upstream
    return Reaches(cells[order].astype(np.intp), start, downstream, _basins(downstream), _strahler(downstream, by_height),
                   chainage[order])


def _chainage(down, leaves, metres):
    """Metres to where water leaves, in place of those to the next cell, by doubling the steps looked ahead."""
    metres[leaves] = 0.0
    towards = down
    while True:
        further = towards[towards]
        if np.array_equal(further, towards):
            return metres
        metres += metres[towards]
        towards = further


def _basins(downstream):
    """Number outlets in the order of their reaches and carry the numbers upstream."""
    towards = np.where(downstream > 0, downstream - 1, np.arange(len(downstream)))
    outlet = end_of_way(towards.astype(np.int32))
    return (np.unique(outlet, return_inverse=True)[1] + 1).astype(np.int32).reshape(-1)


def _strahler(downstream, from_upstream):
    order = np.zeros(len(downstream), np.int16)
    most = [[0, 0] for _ in downstream]  # highest order that flows in, and how many have it
    for reach in from_upstream.tolist():
        highest, many = most[reach]
        order[reach] = max(1, highest + (many > 1))
        if downstream[reach]:
            into, mine = most[downstream[reach] - 1], int(order[reach])
            if mine > into[0]:
                into[:] = [mine, 1]
            elif mine == into[0]:
                into[1] += 1
    return order
