"""Where the water of every cell gets to, once its directions are known (`d8`)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ...common.parallel import run_blocks
from ...common.progress import Progress, part, silent
from . import terrain_loops
from .d8 import steps_of_codes

#: Cells whose ways are followed at a time, few enough for the processor's cache.
_BLOCK = 250_000


def receivers(code: NDArray[np.uint8]) -> NDArray[np.int32]:
    """Position in the flat array of the cell each cell passes its water to; its own where water leaves or outside."""
    step, flow, found = steps_of_codes(code.shape[1]), code.ravel(), np.empty(code.size, np.int32)
    starts = np.arange(0, code.size, _BLOCK)

    def work(first: int, last: int) -> None:
        for start in starts[first:last]:
            here = slice(start, start + _BLOCK)
            np.add(step[flow[here]], np.arange(start, start + flow[here].size, dtype=np.int32), out=found[here])

    run_blocks(work, np.arange(len(starts)), 1, silent)
    return found


def first_marked(
    code: NDArray[np.uint8], cells: NDArray[np.integer], labels: NDArray[np.integer], none: int,
    progress: Progress = silent,
) -> NDArray[np.int32]:
    """Label of the first marked cell on every cell's way, the cell included; ``none`` where its way passes no such cell.

    Parameters
    ----------
    code : array of uint8, shape (rows + 2, columns + 2)
    cells : array of int, shape (n,)
        Marked cells, positions in the flat array.
    labels : array of int, shape (n,)
        From 0.
    none : int
        -1 or 0.

    Returns
    -------
    array of int32, shape ((rows + 2) * (columns + 2),)

    Examples
    --------
    >>> code = np.array([[255] * 6, [255, 1, 1, 1, 0, 255], [255] * 6], np.uint8)
    >>> first_marked(code, np.array([8]), np.array([5]), -1)[7:11].tolist()
    [5, 5, -1, -1]
    """
    loops = [terrain_loops.fast(loop) for loop in (
        terrain_loops.follow, terrain_loops.follow_on, terrain_loops.follow_home)]
    if loops[0] is not None:
        columns, label = code.shape[1], np.empty(code.shape, np.int32)
        run_blocks(lambda first, last: label[first:last].fill(terrain_loops.UNKNOWN), np.arange(len(label)),
                   max(1, _BLOCK // columns), part(progress, 0.0, 0.1))
        label = label.ravel()
        label[cells] = labels
        terrain_loops.in_strips(loops[0], code.shape, columns, code.ravel(), steps_of_codes(columns), label, none,
                                progress=part(progress, 0.1, 0.8))
        loops[1](terrain_loops.strips(code.shape), columns, label)
        terrain_loops.in_strips(loops[2], code.shape, columns, label, progress=part(progress, 0.8, 1.0))
        return label
    ending = receivers(code)
    ending[cells] = cells
    label = np.full(code.size, none, np.int32)
    label[cells] = labels
    ends = end_of_way(ending, progress)
    starts = np.arange(0, ends.size, _BLOCK)

    def work(first: int, last: int) -> None:
        for start in starts[first:last]:
            here = slice(start, start + _BLOCK)
            ends[here] = label[ends[here]]

    run_blocks(work, np.arange(len(starts)), 1, silent)
    return ends


def end_of_way(receiver: NDArray[np.int32], progress: Progress = silent) -> NDArray[np.int32]:
    """Follow every cell's way to the cell that passes nothing on.

    Ways are followed inside blocks that fit the processor's cache, to where they end or leave; then from block to block
    only for the cells they arrive at.

    Examples
    --------
    >>> end_of_way(np.array([1, 2, 2, 0], np.int32)).tolist()
    [2, 2, 2, 2]
    """
    count = receiver.size
    ends = np.empty(count, np.int32)
    starts = np.arange(0, count, _BLOCK)
    arrivals: list[NDArray[np.int32]] = [np.zeros(0, np.int32)] * len(starts)

    def work(first: int, last: int) -> None:
        for block in range(first, last):
            here = slice(starts[block], starts[block] + _BLOCK)
            into = receiver[here]
            local = into - np.int32(here.start)
            leaves = (local < 0) | (local >= len(local))
            arrivals[block] = into[leaves]
            local[leaves] = np.flatnonzero(leaves)
            ends[here] = into[_doubled(local)]

    run_blocks(work, np.arange(len(starts)), 1, progress)
    arrived = np.unique(np.concatenate(arrivals))
    if not arrived.size:
        return ends
    # Of each cell that ways arrive at from another block: the next such cell, or itself when its way ends in its block.
    place = np.full(count, -1, np.int32)
    place[arrived] = np.arange(arrived.size, dtype=np.int32)
    onward = place[ends[arrived]]
    onward = np.where(onward >= 0, onward, np.arange(arrived.size, dtype=np.int32))
    final = ends[arrived][_doubled(onward)]

    def finish(first: int, last: int) -> None:
        for block in range(first, last):
            here = slice(starts[block], starts[block] + _BLOCK)
            at = place[ends[here]]
            ends[here] = np.where(at >= 0, final[at], ends[here])

    run_blocks(finish, np.arange(len(starts)), 1, progress)
    return ends


def _doubled(onward: NDArray[np.int32]) -> NDArray[np.int32]:
    """Where the way of each element ends, by doubling the steps looked ahead."""
    while True:
        further = np.take(onward, onward)
        if np.array_equal(further, onward):
            return onward
        onward = further
