"""Python's collector of reference cycles, out of the way of work that makes none.

It looks at everything alive each time enough new objects were made. Ten thousand rows as dictionaries are enough many
times over, and beside what QGIS, pandas and shapely keep that is a sixth of the time of an exchange. Rows are freed
without it, as soon as nobody uses them.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def collector_waits() -> Iterator[None]:
    """Let the collector wait, in all threads; for a ``with`` block, or a whole function as its decorator.

    Whoever came first ends it: an overlapping piece of work in another thread goes on with the collector at work.
    """
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
