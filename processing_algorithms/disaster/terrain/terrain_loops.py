"""The loops of terrain preparation, compiled where numba is on the machine.

Each gives, bit for bit, what the array code it stands in for gives (tests compare them): sums are of whole numbers,
choices follow the same order, and labels do not depend on who finds them. Most work on a strip of rows, several strips
at once; what passes from strip to strip is settled after (Barnes 2017: inside first, then the borders, then inside
again). The first call on a machine compiles for some seconds; numba keeps the result beside this file.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import TimeoutError as StillRunning
from functools import cache
from typing import Any

import numpy as np

from ...common.packages import optional
from ...common.parallel import Pool, run_blocks
from ...common.progress import Progress

#: Seconds between two looks at the cancel button while a loop runs.
_PATIENCE = 0.2
#: Cells of a strip: many for each core, and few ways that leave it.
_STRIP = 500_000
#: A cell whose way has not been followed yet. Position 0 is a corner of the border, where no way leads.
UNKNOWN = -2
_INFINITE = np.float32(np.inf)
#: Marks in place of how many flow in: the sum is passed on; the sum waits at the border of the strip.
_DONE, _WAITS = 255, 254


@cache
def fast(loop: Callable[..., Any]) -> Callable[..., Any] | None:
    """Return the compiled loop, free of Python's lock; None without numba."""
    numba = optional("numba")
    return None if numba is None else numba.njit(cache=True, nogil=True)(loop)


def watched(progress: Progress, loop: Callable[..., Any], *arguments: Any) -> Any:
    """Run a compiled loop in another thread while progress is told; a cancel counts once the loop has ended."""
    with Pool(max_workers=1) as pool:
        running = pool.submit(loop, *arguments)
        while True:
            try:
                return running.result(timeout=_PATIENCE)
            except StillRunning:
                progress(0.5)


def strips(shape: tuple[int, int]) -> np.ndarray:
    """First rows of the strips of a grid, and the number of its rows."""
    rows, columns = shape
    return np.append(np.arange(0, rows, max(1, _STRIP // columns)), rows)


def in_strips(loop: Callable[..., Any], shape: tuple[int, int], *arguments: Any, progress: Progress) -> list[Any]:
    """Call ``loop(first row, last row, *arguments)`` for the strips of a grid on all cores; return the answers."""
    edges = strips(shape)
    answers: list[Any] = [None] * (len(edges) - 1)

    def work(first: int, last: int) -> None:
        for strip in range(first, last):
            answers[strip] = loop(edges[strip], edges[strip + 1], *arguments)

    run_blocks(work, np.arange(len(answers)), 1, progress)
    return answers


def steepest(first, last, z, steepness, code):
    """Directions of the rows; in place. Written out, and without branches, so that many cells are computed at once."""
    rows, columns = z.shape
    for row in range(max(first, 1), min(last, rows - 1)):
        above, level, below, out = z[row - 1], z[row], z[row + 1], code[row]
        at = 0 if steepness.shape[1] == 1 else row - 1
        f0, f1, f2, f3 = steepness[0, at], steepness[1, at], steepness[2, at], steepness[3, at]
        f4, f5, f6, f7 = steepness[4, at], steepness[5, at], steepness[6, at], steepness[7, at]
        for c in range(1, columns - 1):
            here = level[c]
            s0, s1 = (here - level[c + 1]) * f0, (here - below[c + 1]) * f1
            s2, s3 = (here - below[c]) * f2, (here - below[c - 1]) * f3
            s4, s5 = (here - level[c - 1]) * f4, (here - above[c - 1]) * f5
            s6, s7 = (here - above[c]) * f6, (here - above[c + 1]) * f7
            best, chosen = np.float32(0), np.int32(0)
            chosen = np.int32(1) if s0 > best else chosen
            best = s0 if s0 > best else best  # of nan neither is true
            chosen = np.int32(2) if s1 > best else chosen
            best = s1 if s1 > best else best
            chosen = np.int32(4) if s2 > best else chosen
            best = s2 if s2 > best else best
            chosen = np.int32(8) if s3 > best else chosen
            best = s3 if s3 > best else best
            chosen = np.int32(16) if s4 > best else chosen
            best = s4 if s4 > best else best
            chosen = np.int32(32) if s5 > best else chosen
            best = s5 if s5 > best else best
            chosen = np.int32(64) if s6 > best else chosen
            best = s6 if s6 > best else best
            chosen = np.int32(128) if s7 > best else chosen
            out[c] = chosen if here < _INFINITE else np.int32(255)


def inflows(first, last, code, count):
    """How many neighbours pass their water to each cell of the rows; in place."""
    rows, columns = code.shape
    for row in range(max(first, 1), min(last, rows - 1)):
        above, level, below, out = code[row - 1], code[row], code[row + 1], count[row]
        for c in range(1, columns - 1):
            out[c] = (np.uint8(level[c - 1] == 1) + np.uint8(above[c - 1] == 2) + np.uint8(above[c] == 4)
                      + np.uint8(above[c + 1] == 8) + np.uint8(level[c + 1] == 16) + np.uint8(below[c + 1] == 32)
                      + np.uint8(below[c] == 64) + np.uint8(below[c - 1] == 128))


def accumulate(first, last, columns, flow, step, count, total):
    """From every spring of the rows down, as far as all that flows in is known and the rows go; in place."""
    start, stop = first * columns, last * columns
    for spring in range(start, stop):
        cell = spring
        while count[cell] == 0:
            into = cell + step[flow[cell]]
            if into == cell:
                count[cell] = _DONE
                break
            if into < start or into >= stop:
                count[cell] = _WAITS
                break
            count[cell] = _DONE
            total[into] += total[cell]
            count[into] -= 1
            cell = into


def accumulate_on(edges, columns, flow, step, count, total):
    """What waits at the borders between strips, on down; in place."""
    for edge in edges[1:-1]:
        for at in range((edge - 1) * columns, (edge + 1) * columns):
            if count[at] != _WAITS:
                continue
            cell = at
            while True:
                into = cell + step[flow[cell]]
                count[cell] = _DONE
                if into == cell:
                    break
                total[into] += total[cell]
                count[into] -= 1
                if count[into] != 0:
                    break
                cell = into


def follow(first, last, columns, flow, step, label, none):
    """Give every cell of the rows the label its way arrives at, or where it leaves the rows (``-position - 2``)."""
    start, stop = first * columns, last * columns
    for begin in range(start, stop):
        cell = begin
        while label[cell] == UNKNOWN:
            into = cell + step[flow[cell]]
            if into == cell:
                label[cell] = none
            elif into < start or into >= stop:
                label[cell] = -into - 2
            else:
                cell = into
        found = label[cell]
        cell = begin
        while label[cell] == UNKNOWN:
            label[cell] = found
            cell += step[flow[cell]]


def follow_on(edges, columns, label):
    """Labels of the cells at the borders between strips, which are all that `follow` left open names; in place."""
    for edge in edges[1:-1]:
        for at in range((edge - 1) * columns, (edge + 1) * columns):
            end = at
            while label[end] < UNKNOWN:
                end = -label[end] - 2
            found, cell = label[end], at
            while label[cell] < UNKNOWN:
                following = -label[cell] - 2
                label[cell] = found
                cell = following


def follow_home(first, last, columns, label):
    """What `follow` left open, once `follow_on` is done; in place."""
    for cell in range(first * columns, last * columns):
        if label[cell] < UNKNOWN:
            label[cell] = label[-label[cell] - 2]


def level_cells(first, last, code):
    """Cells of the rows that no neighbour is lower than and that do not lie at the outside, ascending."""
    rows, columns = code.shape
    found, used = np.empty(1 << 12, np.int32), 0
    for row in range(max(first, 1), min(last, rows - 1)):
        for c in range(1, columns - 1):
            if code[row, c] != 0:
                continue
            inside = True
            for r in range(row - 1, row + 2):
                inside &= code[r, c - 1] != 255 and code[r, c] != 255 and code[r, c + 1] != 255
            if not inside:
                continue
            if used == found.size:
                found = np.append(found, np.empty_like(found))
            found[used] = row * columns + c
            used += 1
    return found[:used].copy()


def lead(level, pending, height, flow, steps, codes):
    """Ring by ring over level ground; in place. Returns the cells without a way out, and those led."""
    queued = np.zeros(pending.size, np.bool_)
    for cell in level:
        pending[cell] = True
    asking, ring, chosen = np.empty_like(level), np.empty_like(level), np.empty(level.size, np.uint8)
    cells, many, led = level, level.size, 0
    while many:
        count = 0
        for i in range(many):
            cell = cells[i]
            queued[cell] = False
            for k in range(8):
                other = cell + steps[k]
                if not pending[other] and height[other] == height[cell]:
                    ring[count] = cell
                    chosen[count] = codes[k]
                    count += 1
                    break
        for i in range(count):
            pending[ring[i]] = False
            flow[ring[i]] = chosen[i]
        led += count
        many = 0
        for i in range(count):
            for k in range(8):
                other = ring[i] + steps[k]
                if pending[other] and not queued[other]:
                    queued[other] = True
                    asking[many] = other
                    many += 1
        cells = asking
    left, at = 0, level.size - led
    for cell in level:
        if pending[cell]:
            asking[left] = cell
            left += 1
        else:
            asking[at] = cell
            at += 1
    return asking[:left], asking[left:]


def heights_above(first, last, z, real, code, drain, bed, above):
    """Heights of the rows above the bed they drain to, in place: into ``above`` those of ``z``, those of ``real`` in it.

    Returns how many cells inside drain to none.
    """
    lost = 0
    for row in range(first, last):
        for c in range(z.shape[1]):
            level = bed[drain[row, c]]
            rise = z[row, c] - level
            above[row, c] = np.float32(0) if rise < 0 else rise
            real[row, c] -= level
            lost += drain[row, c] < 0 and code[row, c] != 255
    return lost
