"""Depressions: cut through where a short shallow cut lets the water out, else filled to where it spills.

*Cutting*. From the floor of every depression the cheapest way to lower ground is searched, in a square around it. A
step costs what must be dug there to the level of the floor, plus a millimetre for its length; lines that are open
(rivers, culverts) cost no digging, closed ones (dykes) are never cut, and neither is ground higher above the floor than
the limit. All searches see the terrain as it was, and cuts only lower it, so the order of the depressions does not
matter. *Filling*. What is left rises to the lowest level from which water gets out (exact, without added slope): cells
that drain to one floor form a basin, the passes between basins a graph, and in its minimum spanning tree the highest
pass on the way out is the level of the basin (Barnes 2014; Cordonnier 2019). Nothing depends on the order of the work.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.sparse import coo_array
from scipy.sparse.csgraph import breadth_first_order, minimum_spanning_tree

from ...common.parallel import run_blocks
from ...common.progress import Progress, part, silent
from . import depression_loops, terrain_loops
from .d8 import STEPS, offsets
from .ways import first_marked

#: What a metre of way costs against a metre of digging: of equal cuts the shorter wins. Counted in cells.
_STEP_COST = np.float32(0.001)
_DIAGONAL = np.float32(1.41421356)
#: Cells of the squares searched at a time.
_SEARCHED = 100_000
#: Pits given to the compiled loop at a time.
_PITS = 2_000
_STRIP = 250_000
_ALL_AROUND = ndimage.generate_binary_structure(2, 2)


def floors_of(floor: NDArray[np.intp], shape: tuple[int, int]) -> tuple[NDArray[np.int32], NDArray[np.intp]]:
    """Number the floors from 1 and return the number of each of their cells, and the first cell of each floor."""
    if (loop := terrain_loops.fast(depression_loops.number_floors)) is not None:
        return loop(floor, np.zeros(shape[0] * shape[1], bool), offsets(shape[1]).astype(np.int64))
    mask = np.zeros(shape, bool)
    mask.ravel()[floor] = True
    labels, _ = ndimage.label(mask, _ALL_AROUND)
    number = labels.ravel()[floor]
    return number, floor[np.unique(number, return_index=True)[1]]


def cut(
    z: NDArray[np.float32], pits: NDArray[np.intp], *, reach: int, depth: float,
    is_open: NDArray[np.bool_] | None = None, closed: NDArray[np.bool_] | None = None, progress: Progress = silent,
) -> NDArray[np.intp]:
    """Lower the ground, in place, along the cheapest way out of each depression.

    Parameters
    ----------
    z : array of float32, shape (rows + 2, columns + 2)
        nan outside.
    pits : array of int, shape (n,)
        One cell of each floor, in the flat array.
    reach : int
        Half the side of the square searched, cells.
    depth : float
        Deepest cut, m.
    is_open, closed : array of bool, the shape of z, optional
        Cells that cost no digging, and cells never cut.

    Returns
    -------
    array of int
        The cells lowered.
    """
    depth = np.float32(depth)
    if (loop := terrain_loops.fast(depression_loops.ways_out)) is not None and reach > 0:
        return _cut_by(loop, z, pits, reach, depth, is_open, closed, progress)
    before, flat = z.copy(), z.ravel()
    lowered: list[NDArray[np.intp]] = []
    waiting, radius = pits, min(2, reach)
    while waiting.size and reach > 0:
        group = max(1, _SEARCHED // (2 * radius + 1) ** 2)
        answers: list[tuple[NDArray, ...]] = [()] * -(-len(waiting) // group)

        def work(first: int, last: int) -> None:
            some = waiting[first:last]
            target, through, settled = _search(before, some, radius, depth, is_open, closed)
            if radius >= reach:
                settled[:] = True
            found = settled & (target >= 0)
            answers[first // group] = (*_channels(before, some[found], target[found], through[:, :, found], radius),
                                       some[~settled])

        run_blocks(work, np.arange(len(waiting)), group, progress)
        for cells, heights, _ in answers:
            np.minimum.at(flat, cells, heights)
            lowered.append(cells)
        waiting = np.concatenate([left for *_, left in answers])
        radius = min(2 * radius, reach)
    return np.flatnonzero(flat < before.ravel())


def _cut_by(loop, z, pits, reach, depth, is_open, closed, progress):
    """What `cut` does, by the compiled loop."""
    nothing = np.zeros((0, 0), bool)
    is_open, closed = (nothing if one is None else one for one in (is_open, closed))
    answers = [()] * -(-len(pits) // _PITS)

    def work(first: int, last: int) -> None:
        answers[first // _PITS] = loop(z, pits[first:last], reach, depth, is_open, closed, _STEP_COST,
                                       _STEP_COST * _DIAGONAL)

    run_blocks(work, np.arange(len(pits)), _PITS, progress)
    lowers = terrain_loops.fast(depression_loops.lower)
    return np.unique(np.concatenate([np.zeros(0, np.int64), *(lowers(z.ravel(), *answer) for answer in answers)]))


def _search(before, pits, radius, depth, is_open, closed):
    """Cost of the cheapest way to every cell of the squares, and the best cell to get out by (-1: none).

    A square is settled when no way that leaves it can be cheaper.
    """
    rows, columns = before.shape
    around = np.arange(-radius, radius + 1)
    row = np.clip(pits // columns + around[:, None], 0, rows - 1)[:, None, :]
    column = np.clip(pits % columns + around[:, None], 0, columns - 1)[None, :, :]
    height = before[row, column]
    floor = before.ravel()[pits]
    with np.errstate(invalid="ignore"):
        out = ~(height >= floor)  # lower, or outside
        dig = height - floor
        dig[dig > depth] = np.inf
    if is_open is not None:
        dig[is_open[row, column] & ~out] = 0
    if closed is not None:
        dig[closed[row, column]] = np.inf
        out &= ~closed[row, column]
    dig[out] = 0
    side = 2 * radius + 1
    # A border of one cell keeps the steps inside; ways end where they get out.
    cost = np.full((side + 2, side + 2, len(pits)), np.inf, np.float32)
    cost[radius + 1, radius + 1] = 0
    inner = cost[1:-1, 1:-1]
    through = cost.copy()
    straight, diagonal = dig + _STEP_COST, dig + _STEP_COST * _DIAGONAL
    best, way = inner.copy(), np.empty_like(inner)
    while True:
        for r, c in STEPS:
            np.add(through[1 + r:1 + r + side, 1 + c:1 + c + side], diagonal if r and c else straight, out=way)
            np.minimum(best, way, out=best)
        if np.array_equal(best, inner):
            break
        inner[:] = best
        through[1:-1, 1:-1] = np.where(out, np.float32(np.inf), best)
    leaving = np.where(out, inner, np.inf).reshape(side * side, -1)
    target = leaving.argmin(axis=0)
    price = leaving[target, np.arange(len(pits))]
    rim = np.ones((side, side), bool)
    rim[1:-1, 1:-1] = False
    settled = price <= through[1:-1, 1:-1][rim].min(axis=0)
    target[~np.isfinite(price)] = -1
    return target, through, settled


def _channels(before, pits, target, through, radius):
    """Cells of the ways from targets back to pits, and the heights that fall evenly between the two ends."""
    if not len(pits):
        return np.zeros(0, np.intp), np.zeros(0, np.float32)
    rows, columns = before.shape
    side, many = 2 * radius + 1, np.arange(len(pits))
    row, column = np.divmod(target, side)
    path = [target]
    while True:
        moving = (row != radius) | (column != radius)
        if not moving.any():
            break
        # The cheapest neighbour is the one the way came from; of equal ones the first in the order of the codes.
        price = np.stack([through[1 + row + r, 1 + column + c, many]
                          + _STEP_COST * (_DIAGONAL if r and c else np.float32(1)) for r, c in STEPS])
        step = np.array(STEPS)[price.argmin(axis=0)]
        row, column = np.where(moving, row + step[:, 0], row), np.where(moving, column + step[:, 1], column)
        path.append(np.where(moving, row * side + column, -1))
    way = np.stack(path[::-1])  # from the pits; -1 fills ways shorter than the longest
    length = (way >= 0).sum(axis=0) - 1
    start = len(way) - 1 - length
    order = np.arange(len(way))[:, None] - start
    used = way >= 0
    r, c = np.divmod(np.where(used, way, 0), side)
    r = np.clip(pits // columns + r - radius, 0, rows - 1)
    c = np.clip(pits % columns + c - radius, 0, columns - 1)
    cells = r * columns + c
    floor = before.ravel()[pits]
    end = before.ravel()[cells[-1]]
    end = np.where(np.isnan(end), floor, end)
    heights = floor + (end - floor) * (order / np.maximum(length, 1)).astype(np.float32)
    used &= ~np.isnan(before.ravel()[cells])
    return cells[used], heights.astype(np.float32)[used]


def fill(
    z: NDArray[np.float32], code: NDArray[np.uint8], floor: NDArray[np.intp], progress: Progress = silent
) -> NDArray[np.intp]:
    """Raise depressions, in place, to the level they spill at.

    Parameters
    ----------
    z, code : arrays, shape (rows + 2, columns + 2)
        Heights (nan outside) and their directions.
    floor : array of int, shape (n,)
        Cells without a way out, from `d8.lead_over_level_ground`.

    Returns
    -------
    array of int
        The cells raised.
    """
    if not floor.size:
        return floor
    number, first = floors_of(floor, z.shape)
    basin = first_marked(code, floor, number, 0, part(progress, 0.0, 0.5))  # 0: the outside
    level = _spill_levels(*_passes(z, basin.reshape(z.shape), part(progress, 0.5, 0.8)), len(first) + 1)
    if (loop := terrain_loops.fast(depression_loops.rise)) is not None:
        return np.concatenate(terrain_loops.in_strips(loop, z.shape, z.ravel(), basin, level, z.shape[1],
                                                      progress=part(progress, 0.8, 1.0)))
    with np.errstate(invalid="ignore"):
        raised = np.flatnonzero(z.ravel() < level[basin]).astype(np.int32)
    z.ravel()[raised] = level[basin[raised]]
    progress(1.0)
    return raised


def _passes(z, basin, progress):
    """Pairs of basins that touch and the lowest height of a step between them; basin 0 is the outside."""
    if (loop := terrain_loops.fast(depression_loops.passes)) is not None:
        found = terrain_loops.in_strips(loop, z.shape, z, basin, progress=progress)
        key, level = (np.concatenate(one) for one in zip(*found))
    else:
        key, level = _all_steps(z, basin, progress)
    order = np.lexsort((level, key))
    key, level = key[order], level[order]
    lowest = np.r_[True, key[1:] != key[:-1]][:len(key)]
    key = key[lowest]
    return (key >> 32).astype(np.int32), (key & 0xFFFFFFFF).astype(np.int32), level[lowest]


def _all_steps(z, basin, progress):
    """Every step between two basins: both in one number, the lesser first, and its height."""
    rows, columns = z.shape
    height = max(1, _STRIP // columns)
    strips = [[] for _ in range(0, rows - 1, height)]

    def work(first: int, last: int) -> None:
        for strip in range(first, last):
            start, stop = strip * height, min(strip * height + height, rows - 1)
            for row, column in ((0, 1), (1, 1), (1, 0), (1, -1)):
                here = np.s_[start:stop, max(0, -column):columns - max(0, column)]
                there = np.s_[start + row:stop + row, max(0, column):columns - max(0, -column)]
                one, other = basin[here], basin[there]
                between = np.nonzero(one != other)
                one, other = one[between].astype(np.int64), other[between].astype(np.int64)
                strips[strip].append((np.minimum(one, other) << 32 | np.maximum(one, other),
                                      np.fmax(z[here][between], z[there][between])))

    run_blocks(work, np.arange(len(strips)), 1, progress)
    return (np.concatenate([pairs[k] for strip in strips for pairs in strip]) for k in range(2))


def _spill_levels(low, high, level, count):
    """Level at which each basin spills on its way to basin 0; -inf for that."""
    order = np.argsort(level, kind="stable")
    low, high, level = low[order], high[order], level[order]
    # Ranks as weights: they are never 0, which sparse graphs take for "no edge", and equal levels keep their order.
    tree = minimum_spanning_tree(coo_array((np.arange(1.0, len(low) + 1), (low, high)), shape=(count, count)).tocsr())
    tree = tree.tocoo()
    both = coo_array((np.r_[tree.data, tree.data], (np.r_[tree.row, tree.col], np.r_[tree.col, tree.row])),
                     shape=(count, count)).tocsr()
    _, towards = breadth_first_order(both, 0, directed=False)
    towards[0] = 0
    child, parent = np.r_[tree.row, tree.col], np.r_[tree.col, tree.row]
    rank = np.r_[tree.data, tree.data].astype(np.intp) - 1
    on_the_way = towards[child] == parent
    highest = np.full(count, -np.inf, np.float32)
    highest[child[on_the_way]] = level[rank[on_the_way]]
    for _ in range(count.bit_length() + 1):
        highest = np.maximum(highest, highest[towards])
        towards = towards[towards]
    return highest
