"""The pure-Python packages that travel inside the zip, for machines whose QGIS lacks them.

Officials have no administrator rights and run no pip. The finder stands last, so a machine's own package always wins.
"""

from __future__ import annotations

import importlib.machinery
import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType

FOLDER = Path(__file__).resolve().parents[2] / "bundled"


class _BundledFinder:
    """Finds modules in the bundled folder and nowhere else."""

    def find_spec(self, name: str, path: Sequence[str] | None = None,
                  target: ModuleType | None = None) -> ModuleSpec | None:
        if path is not None:
            return None  # a submodule: its package knows where it lives
        return importlib.machinery.PathFinder.find_spec(name, [str(FOLDER)])


def offer_bundled_packages() -> None:
    """Let the bundled packages be imported where the machine has none; without a bundled folder nothing changes."""
    if FOLDER.is_dir() and not any(type(finder).__name__ == _BundledFinder.__name__ for finder in sys.meta_path):
        sys.meta_path.append(_BundledFinder())


def withdraw_bundled_packages() -> None:
    """Take the finder away again, when the plugin is unloaded."""
    sys.meta_path[:] = [finder for finder in sys.meta_path if type(finder).__name__ != _BundledFinder.__name__]
