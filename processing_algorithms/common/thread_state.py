"""Python in threads that Qt made, without the crash of pyproj 3.7.

Python forgets a thread it did not make whenever a call into it ends, and with it what ``threading.local`` keeps. pyproj
3.7.0-3.7.2 frees the thread's PROJ context then, but finds it again by the thread of the operating system: the next task in
the same thread of Qt's pool works with freed memory and QGIS is gone (pyproj issues 1509, 1622; seen with pyproj 3.7.1,
QGIS 3.44).
"""

from __future__ import annotations

import ctypes
import threading
from importlib.metadata import PackageNotFoundError, version

#: First version of pyproj with a context for each thread. Later ones that are sound lose a few hundred kilobytes a thread.
_SINCE = (3, 7)
_held = threading.local()


def keep_thread_state() -> None:
    """Let Python remember the present thread for as long as it lives; to be called before pyproj is used in it."""
    if threading.current_thread() is threading.main_thread() or getattr(_held, "held", False) or not _concerned():
        return
    # One more "ensure" than "release": the outermost release, which QGIS does, finds that somebody still wants the state.
    ctypes.pythonapi.PyGILState_Ensure()
    _held.held = True


def _concerned() -> bool:
    try:
        found = version("pyproj").split(".")
    except PackageNotFoundError:
        return False
    return tuple(int(part) for part in found[:2] if part.isdigit()) >= _SINCE
