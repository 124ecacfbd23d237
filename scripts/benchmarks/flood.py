"""The flood morning: terrain to HAND against pyflwdir, bulletin to report against the clock. Each part is a module ``flood_<part>.py``; see `PARTS`.

A part has ``DESCRIPTION``, ``COMPARED`` (what `compare` calls CASES) or ``TIMED`` (its SECONDS), and ``prepare``, ``warm``,
``ours``, ``peer``, ``check``, ``told`` as `compare` describes them; its names of cases start with the part's own first words.
"""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import flood_bulletin
import flood_terrain

PARTS: tuple[ModuleType, ...] = (flood_terrain, flood_bulletin)
DESCRIPTION = "; ".join(part.DESCRIPTION for part in PARTS)
CASES = {case: goal for part in PARTS for case, goal in getattr(part, "COMPARED", {}).items()}
SECONDS = {case: goal for part in PARTS for case, goal in getattr(part, "TIMED", {}).items()}
NEEDS_QGIS = True


def _part(case: str) -> ModuleType:
    return next(part for part in PARTS if case in {**getattr(part, "COMPARED", {}), **getattr(part, "TIMED", {})})


def prepare(folder: Path, share: float) -> None:
    """Make the data of all parts."""
    for part in PARTS:
        part.prepare(folder, share)


def warm(folder: Path, case: str, who: str) -> None:
    """Before the clock."""
    _part(case).warm(folder, case, who)


def ours(folder: Path, case: str) -> None:
    """The case of the part it belongs to."""
    _part(case).ours(folder, case)


def peer(folder: Path, case: str) -> None:
    """The case of the part it belongs to."""
    _part(case).peer(folder, case)


def check(folder: Path, case: str) -> str:
    """The case of the part it belongs to."""
    return _part(case).check(folder, case)


def told(folder: Path, case: str) -> str:
    """The case of the part it belongs to."""
    return _part(case).told(folder, case)
