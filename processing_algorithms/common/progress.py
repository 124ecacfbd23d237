"""Progress and cancel as one callable that engines receive.

``progress(fraction, message)`` reports; it raises `Cancelled` when the user has asked to stop, so that an engine that
reports often stops soon, and needs no code of its own for it.
"""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Reports a fraction between 0 and 1, optionally with a message; raises `Cancelled` on request."""

    def __call__(self, fraction: float, message: str | None = None) -> None: ...


def silent(fraction: float, message: str | None = None) -> None:
    """The progress of scripts and tests that want none."""


def part(progress: Progress, start: float, end: float) -> Progress:
    """Return a progress whose 0-1 covers ``start``-``end`` of the whole."""

    def scaled(fraction: float, message: str | None = None) -> None:
        progress(start + (end - start) * fraction, message)

    return scaled
