"""Blocks of array work on all cores, with progress and cancel in the calling thread."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextvars import copy_context
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from .progress import Progress

#: Seconds between two looks at the cancel button while blocks run.
_PATIENCE = 0.2


class Pool(ThreadPoolExecutor):
    """Threads that speak the language of whoever hands them work, see `language.speaking`."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future:
        """Call ``fn`` in a thread."""
        return super().submit(copy_context().run, fn, *args, **kwargs)


def run_blocks(work: Callable[[int, int], None], groups: NDArray[np.intp], block: int, progress: Progress) -> None:
    """Call ``work(start, stop)`` for blocks that cover ``range(len(groups))``, several at once.

    Only work that leaves Python's lock (shapely, numpy) gains from it. Elements of one group never run at once.

    Parameters
    ----------
    work : callable
        Stores its results itself; must not touch what other groups use.
    groups : array of int, shape (n,)
        The group of each element, equal ones in a row (sorted).
    block : int
        Elements per call.
    progress : Progress
        Called from the calling thread only, as QGIS's feedback wants it. Its exceptions stop the workers first.
    """
    total = len(groups)
    if total == 0:
        progress(1.0)
        return
    done = [0]
    stopped = threading.Event()
    counting = threading.Lock()

    def run(first: int, last: int) -> None:
        for start in range(first, last, block):
            if stopped.is_set():
                return
            stop = min(start + block, last)
            work(start, stop)
            with counting:
                done[0] += stop - start

    with Pool(max_workers=max(1, os.cpu_count() or 1)) as pool:
        pending = {pool.submit(run, first, last) for first, last in _runs(groups, block)}
        try:
            while pending:
                finished, pending = wait(pending, timeout=_PATIENCE, return_when=FIRST_COMPLETED)
                for future in finished:
                    future.result()
                progress(done[0] / total)
        except BaseException:
            stopped.set()
            for future in pending:
                future.cancel()
            raise


def _runs(groups: NDArray[np.intp], block: int) -> list[tuple[int, int]]:
    """Split into runs of at least ``block`` elements that never divide a group."""
    borders = np.concatenate([[0], np.flatnonzero(np.diff(groups)) + 1, [len(groups)]])
    runs, start = [], 0
    while start < len(groups):
        stop = int(borders[np.searchsorted(borders, min(start + block, len(groups)))])
        runs.append((start, stop))
        start = stop
    return runs


_Item = TypeVar("_Item")
_END = object()


def ahead(items: Iterator[_Item]) -> Iterator[_Item]:
    """Yield the items while the next one is being made in another thread: reading goes on while computing does.

    Examples
    --------
    >>> list(ahead(iter([1, 2])))
    [1, 2]
    """
    with Pool(max_workers=1) as pool:
        coming = pool.submit(next, items, _END)
        while (item := coming.result()) is not _END:
            coming = pool.submit(next, items, _END)
            yield item
