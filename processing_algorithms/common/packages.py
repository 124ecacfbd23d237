"""Python packages that a machine may lack: asked for by name, told in one sentence, never installed in silence."""

from __future__ import annotations

import importlib
import platform
from types import ModuleType

from .errors import MissingPackageError
from .language import say

#: Oldest versions the engines run on (DESIGN.md, "Dependencies").
MINIMUM = {"geopandas": (1, 0), "shapely": (2, 1), "pandas": (1, 5), "numpy": (1, 24)}


def require(*names: str) -> None:
    """Check that the packages are importable and new enough.

    Raises
    ------
    MissingPackageError
        One sentence with all that is missing and how to get it on this system.
    """
    lacking = [lack for lack in map(_lack, names) if lack]
    if lacking:
        raise MissingPackageError(
            say(
                "Máy này thiếu thư viện Python: {names}. {how}",
                "This machine lacks the Python packages: {names}. {how}",
            ).format(names=", ".join(lacking), how=_how_to_get_them())
        )


def optional(name: str) -> ModuleType | None:
    """Return the module, or None where the machine has none; for extras that only speed up or add."""
    try:
        return importlib.import_module(name)
    except ImportError:
        return None


def _lack(name: str) -> str | None:
    module = optional(name)
    wanted = MINIMUM.get(name, ())
    text = ".".join(map(str, wanted))
    if module is None:
        return f"{name} >= {text}" if wanted else name
    if wanted and _version(module) < wanted:
        return f"{name} >= {text} ({say('đang có', 'found')} {module.__version__})"
    return None


def _version(module: ModuleType) -> tuple[int, ...]:
    return tuple(int(number) for number in module.__version__.split(".")[:2] if number.isdigit())


def _how_to_get_them() -> str:
    if platform.system() == "Windows":
        return say("Cài QGIS bằng bộ cài đầy đủ (OSGeo4W, chọn các gói python3-geopandas, python3-shapely) hoặc hỏi quản trị viên.",
                   "Install QGIS with the full installer (OSGeo4W, packages python3-geopandas, python3-shapely) or ask your administrator.")
    return say("Chạy scripts/setup của QuyHoach, hoặc xem mục \"Hệ thống khác\" trong README.",
               "Run QuyHoach's scripts/setup, or see \"Other systems\" in the README.")
