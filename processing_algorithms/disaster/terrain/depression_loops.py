"""The loops of cutting and filling depressions, compiled where numba is; see `terrain_loops`."""

from __future__ import annotations

import numpy as np

_INFINITE = np.float32(np.inf)
#: Pairs of basins kept at hand while the steps between them are looked at.
_AT_HAND = 1 << 12


def number_floors(floor, waits, steps):
    """Number connected floor cells by their first one, from 1; ``waits`` is false, and is when it is returned.

    Returns
    -------
    number, first : arrays of int
        Of each floor cell its number; of each floor its first cell.
    """
    number, first = np.empty(floor.size, np.int32), np.empty(floor.size, np.int32)
    for cell in floor:
        waits[cell] = True
    count, asking = 0, np.empty(floor.size, np.int32)
    for i in range(floor.size):
        if not waits[floor[i]]:
            continue
        waits[floor[i]] = False
        first[count] = floor[i]
        count += 1
        number[i] = count
        asking[0], many = floor[i], 1
        while many:
            many -= 1
            here = asking[many]
            for k in range(8):
                other = here + steps[k]
                if waits[other]:
                    waits[other] = False
                    number[np.searchsorted(floor, other)] = count
                    asking[many] = other
                    many += 1
    return number, first[:count].astype(np.int64)


def ways_out(z, pits, reach, depth, is_open, closed, straight, diagonal):
    """The cells to cut for each pit and their heights, as `depressions.cut` states them.

    ``is_open`` and ``closed`` may be empty. ``straight`` and ``diagonal`` are what a step costs by its length.
    """
    rows, columns = z.shape
    flat, opened, shut = z.ravel(), is_open.ravel(), closed.ravel()
    # The square searched has a border that costs less than nothing, so that no way enters it.
    size = 2 * reach + 3
    centre = (reach + 1) * size + reach + 1
    steps = np.array([1, size + 1, size, size - 1, -1, -size - 1, -size, -size + 1])
    fresh = np.full((size, size), np.float32(-1))
    fresh[1:-1, 1:-1] = _INFINITE
    fresh = fresh.ravel()
    cost, out = fresh.copy(), np.empty(size * size, np.bool_)
    heap, waiting = np.empty(8 * size * size, np.float32), np.empty(8 * size * size, np.int32)
    path = np.empty(size * size, np.int64)
    # Where in the grid the cells of a square lie, from its centre; and of a square that passes the edge of the grid.
    offset, clipped = np.empty(size * size, np.int64), np.empty(size * size, np.int64)
    for a in range(size):
        for b in range(size):
            offset[a * size + b] = (a - reach - 1) * columns + b - reach - 1
    cells, heights, used = np.empty(max(16, 8 * pits.size), np.int64), np.empty(max(16, 8 * pits.size), np.float32), 0
    for pit in pits:
        base, position = pit, offset
        pit_row, pit_column = pit // columns, pit % columns
        if min(pit_row, pit_column, rows - 1 - pit_row, columns - 1 - pit_column) <= reach:
            base, position = 0, clipped
            for a in range(size):
                row = min(max(pit_row + a - reach - 1, 0), rows - 1)
                for b in range(size):
                    clipped[a * size + b] = row * columns + min(max(pit_column + b - reach - 1, 0), columns - 1)
        floor = flat[pit]
        cost[:] = fresh
        cost[centre], out[centre] = 0, False
        # No way that costs more than the best one known can matter.
        least, target, bound = _INFINITE, -1, _INFINITE
        heap[0], waiting[0], many = 0, centre, 1
        while many:
            so_far, here = heap[0], waiting[0]
            if so_far > least:
                break
            many -= 1
            last, last_cell, hole = heap[many], waiting[many], 0
            while 2 * hole + 1 < many:  # the last one sinks from the top
                child = 2 * hole + 1
                if child + 1 < many and heap[child + 1] < heap[child]:
                    child += 1
                if heap[child] >= last:
                    break
                heap[hole], waiting[hole] = heap[child], waiting[child]
                hole = child
            heap[hole], waiting[hole] = last, last_cell
            if so_far > cost[here]:
                continue
            if out[here]:
                if so_far < least or here < target:
                    least, target = so_far, np.int64(here)
                continue
            for k in range(8):
                to = here + steps[k]
                if cost[to] <= so_far:
                    continue
                at = base + position[to]
                leaves = not flat[at] >= floor
                dig = flat[at] - floor
                if dig > depth:
                    dig = _INFINITE
                if leaves or (opened.size and opened[at]):
                    dig = np.float32(0)
                if shut.size and shut[at]:
                    dig, leaves = _INFINITE, False
                way = so_far + (dig + (diagonal if k % 2 else straight))
                if way < cost[to] and way <= bound:
                    if leaves:
                        bound = way
                    cost[to], out[to] = way, leaves
                    hole = many
                    many += 1
                    while hole and heap[(hole - 1) // 2] > way:  # it rises
                        heap[hole], waiting[hole] = heap[(hole - 1) // 2], waiting[(hole - 1) // 2]
                        hole = (hole - 1) // 2
                    heap[hole], waiting[hole] = way, to
        if target < 0:
            continue
        length, here = 0, target
        path[0] = target
        while here != centre:
            cheapest, before_it = _INFINITE, here
            for k in range(8):
                to = here + steps[k]
                if cost[to] < 0 or cost[to] == _INFINITE or out[to]:
                    continue
                price = cost[to] + (diagonal if k % 2 else straight)
                if price < cheapest:
                    cheapest, before_it = price, to
            here = before_it
            length += 1
            path[length] = here
        end = flat[base + position[target]]
        if np.isnan(end):
            end = floor
        if used + length + 1 > cells.size:
            cells, heights = np.append(cells, np.empty_like(cells)), np.append(heights, np.empty_like(heights))
        for back in range(length + 1):
            at = base + position[path[back]]
            if np.isnan(flat[at]):
                continue
            cells[used] = at
            heights[used] = floor + (end - floor) * np.float32((length - back) / max(length, 1))
            used += 1
    return cells[:used], heights[:used]


def lower(flat, cells, heights):
    """Lower cells to heights, in place; return those lowered, some of them several times."""
    lowered, used = np.empty(cells.size, np.int64), 0
    for i in range(cells.size):
        if heights[i] < flat[cells[i]]:
            flat[cells[i]] = heights[i]
            lowered[used] = cells[i]
            used += 1
    return lowered[:used]


def passes(first, last, z, basin):
    """Pairs of basins that touch in the rows, or with the next, and how high the step between them is.

    A pair can come up several times, then the lowest counts. Returns what `depressions._passes` collects.
    """
    rows, columns = z.shape
    pair, lowest = np.full(_AT_HAND, -1), np.empty(_AT_HAND, np.float32)
    pairs, levels, used = np.empty(1 << 12, np.int64), np.empty(1 << 12, np.float32), 0
    for row in range(first, min(last, rows - 1)):
        for column in range(columns):
            one, here = basin[row, column], z[row, column]
            for k in range(4):  # east, south-east, south, south-west
                r, c = (row, column + 1) if k == 0 else (row + 1, column + 2 - k)
                if c < 0 or c >= columns or basin[r, c] == one:
                    continue
                other = basin[r, c]
                there = z[r, c]
                level = here if not there > here else there  # of a height and nan the height
                if np.isnan(level):
                    level = there
                key = np.int64(min(one, other)) << 32 | max(one, other)
                slot = (key ^ (key >> 23)) & (_AT_HAND - 1)
                if pair[slot] == key:
                    lowest[slot] = min(lowest[slot], level)
                    continue
                if pair[slot] >= 0:
                    if used == pairs.size:
                        pairs, levels = np.append(pairs, np.empty_like(pairs)), np.append(levels, np.empty_like(levels))
                    pairs[used], levels[used] = pair[slot], lowest[slot]
                    used += 1
                pair[slot], lowest[slot] = key, level
    kept = np.flatnonzero(pair >= 0)
    return np.append(pairs[:used], pair[kept]), np.append(levels[:used], lowest[kept])


def rise(first, last, flat, basin, level, columns):
    """Raise cells of the rows to the level of their basin, in place; return them."""
    raised, used = np.empty(1 << 12, np.int32), 0
    for cell in range(first * columns, last * columns):
        if flat[cell] < level[basin[cell]]:
            flat[cell] = level[basin[cell]]
            if used == raised.size:
                raised = np.append(raised, np.empty_like(raised))
            raised[used] = cell
            used += 1
    return raised[:used].copy()
