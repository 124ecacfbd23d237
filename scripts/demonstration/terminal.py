"""What the demo says while it works: one line per step with its time."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from ...processing_algorithms.common.numbers_vi import format_number


@dataclass
class Steps:
    """The steps of one run. ``seconds`` keeps the time of each by title."""

    total: int
    done: int = 0
    started: float = field(default_factory=time.perf_counter)
    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def step(self, title: str) -> Iterator[None]:
        """Announce a step, run the block, and tell its time."""
        self.done += 1
        head = f"[{self.done:2d}/{self.total}] {title} "
        print(head, end="", flush=True)
        start = time.perf_counter()
        try:
            yield
        except BaseException:
            print(flush=True)
            raise
        self.seconds[title] = time.perf_counter() - start
        print(f"{'.' * max(3, 72 - len(head))} {format_number(self.seconds[title], 1):>5} giây", flush=True)

    def elapsed(self) -> float:
        """Seconds since the start."""
        return time.perf_counter() - self.started


def complain(message: str) -> None:
    """Write what went wrong, in the words of the error."""
    print(f"\nKhông hoàn thành: {message}", file=sys.stderr, flush=True)
