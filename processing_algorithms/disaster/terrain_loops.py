"""The loops of terrain preparation, compiled where numba is on the machine.

Each gives, bit for bit, what the array code it stands in for gives (tests compare them): sums are of whole numbers,
choices follow the same order, and cheapest ways add the same numbers in the same order. The first call on a machine
compiles for some seconds; numba keeps the result beside this file.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as StillRunning
from functools import lru_cache
from typing import Any

import numpy as np

from ..common.packages import optional
from ..common.progress import Progress

_STEPS = np.array([(0, 1), (1, 1), (1, 0), (1, -1), (0, -1), (-1, -1), (-1, 0), (-1, 1)], np.int64)
_INFINITE = np.float32(np.inf)
#: Seconds between two looks at the cancel button while a loop runs.
_PATIENCE = 0.2


@lru_cache(maxsize=None)
def fast(loop: Callable[..., Any]) -> Callable[..., Any] | None:
    """Return the compiled loop, free of Python's lock; None without numba."""
    numba = optional("numba")
    return None if numba is None else numba.njit(cache=True, nogil=True)(loop)


def watched(progress: Progress, loop: Callable[..., Any], *arguments: Any) -> Any:
    """Run a compiled loop in another thread while progress is told; a cancel counts once the loop has ended."""
    with ThreadPoolExecutor(max_workers=1) as pool:
        running = pool.submit(loop, *arguments)
        while True:
            try:
                return running.result(timeout=_PATIENCE)
            except StillRunning:
                progress(0.5)


def accumulate(springs, receiver, flows, inflows, total):
    """From every spring down, as far as all that flows in is known; in place."""
    for spring in springs:
        cell = spring
        while True:
            into = receiver[cell]
            total[into] += total[cell]
            inflows[into] -= 1
            if inflows[into] != 0 or not flows[into]:
                break
            cell = into


def end_of_way(receiver):
    """Follow each way to its end and let all its cells point there; in place."""
    for cell in range(receiver.size):
        end = cell
        while receiver[end] != end:
            end = receiver[end]
        while receiver[cell] != end:
            following = receiver[cell]
            receiver[cell] = end
            cell = following


def lead(level, pending, height, flow, steps, codes):
    """Ring by ring over level ground; in place."""
    queued = np.zeros(pending.size, np.bool_)
    asking = level.copy()
    many = asking.size
    led = np.empty(level.size, np.int64)
    chosen = np.empty(level.size, np.uint8)
    while many:
        count = 0
        for i in range(many):
            cell = asking[i]
            queued[cell] = False
            for k in range(8):
                other = cell + steps[k]
                if not pending[other] and height[other] == height[cell]:
                    led[count] = cell
                    chosen[count] = codes[k]
                    count += 1
                    break
        for i in range(count):
            pending[led[i]] = False
            flow[led[i]] = chosen[i]
        many = 0
        for i in range(count):
            for k in range(8):
                other = led[i] + steps[k]
                if pending[other] and not queued[other]:
                    queued[other] = True
                    asking[many] = other
                    many += 1


def ways_out(before, pits, reach, depth, is_open, closed, straight, diagonal):
    """The cells to cut for each pit and their heights, as `depressions.cut` states them.

    ``is_open`` and ``closed`` may be empty. ``straight`` and ``diagonal`` are what a step costs by its length.
    """
    rows, columns = before.shape
    size = 2 * reach + 1
    cost, out = np.empty(size * size, np.float32), np.empty(size * size, np.bool_)
    path = np.empty(size * size, np.int64)
    cells, heights, used = np.empty(max(16, 8 * pits.size), np.int64), np.empty(max(16, 8 * pits.size), np.float32), 0
    centre = reach * size + reach
    for pit in pits:
        top, left = pit // columns - reach, pit % columns - reach
        floor = before[pit // columns, pit % columns]
        cost[:] = _INFINITE
        cost[centre], out[centre] = 0, False
        least, target = _INFINITE, np.int64(-1)
        heap = [(np.float32(0), np.int64(centre))]
        while heap:
            so_far, here = heapq.heappop(heap)
            if so_far > least:
                break
            if so_far > cost[here]:
                continue
            if out[here]:
                if so_far < least or here < target:
                    least, target = so_far, here
                continue
            for k in range(8):
                a, b = here // size + _STEPS[k, 0], here % size + _STEPS[k, 1]
                if a < 0 or a >= size or b < 0 or b >= size:
                    continue
                to = a * size + b
                if cost[to] <= so_far:
                    continue
                row, column = min(max(top + a, 0), rows - 1), min(max(left + b, 0), columns - 1)
                leaves = not before[row, column] >= floor
                dig = before[row, column] - floor
                if dig > depth:
                    dig = _INFINITE
                if leaves or (is_open.size and is_open[row, column]):
                    dig = np.float32(0)
                if closed.size and closed[row, column]:
                    dig, leaves = _INFINITE, False
                way = so_far + (dig + (diagonal if k % 2 else straight))
                if way < cost[to]:
                    cost[to], out[to] = way, leaves
                    heapq.heappush(heap, (way, to))
        if target < 0:
            continue
        length, here = 0, target
        path[0] = target
        while here != centre:
            least, before_it = _INFINITE, here
            for k in range(8):
                a, b = here // size + _STEPS[k, 0], here % size + _STEPS[k, 1]
                if a < 0 or a >= size or b < 0 or b >= size or cost[a * size + b] == _INFINITE or out[a * size + b]:
                    continue
                price = cost[a * size + b] + (diagonal if k % 2 else straight)
                if price < least:
                    least, before_it = price, a * size + b
            here = before_it
            length += 1
            path[length] = here
        end = before[min(max(top + target // size, 0), rows - 1), min(max(left + target % size, 0), columns - 1)]
        if np.isnan(end):
            end = floor
        if used + length + 1 > cells.size:
            cells, heights = np.append(cells, np.empty_like(cells)), np.append(heights, np.empty_like(heights))
        for back in range(length + 1):
            row = min(max(top + path[back] // size, 0), rows - 1)
            column = min(max(left + path[back] % size, 0), columns - 1)
            if np.isnan(before[row, column]):
                continue
            cells[used] = row * columns + column
            heights[used] = floor + (end - floor) * np.float32((length - back) / max(length, 1))
            used += 1
    return cells[:used], heights[:used]
