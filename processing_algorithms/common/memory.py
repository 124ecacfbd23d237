"""How much memory is free, asked before work that needs a lot of it."""

from __future__ import annotations

import ctypes
import sys
from pathlib import Path

from .errors import InputError
from .language import say
from .numbers_vi import format_number

#: Left to QGIS and the rest of the machine, bytes.
_SPARED = 500_000_000


def free_memory() -> int | None:
    """Bytes a process can take now without swapping; None where the system does not tell."""
    if sys.platform == "win32":
        return _free_on_windows()
    limits = []
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    limits += [int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:")]
    try:  # a container may have less than the machine
        limit = int(Path("/sys/fs/cgroup/memory.max").read_text(encoding="ascii"))
        limits.append(limit - int(Path("/sys/fs/cgroup/memory.current").read_text(encoding="ascii")))
    except (OSError, ValueError):
        pass
    return min(limits) if limits else None


def require_memory(needed: int, what: str, free: int | None = None) -> None:
    """Refuse work that needs more than is free.

    Parameters
    ----------
    needed : int
        Bytes.
    what : str
        What needs it, for the message, such as "90.000.000 ô".
    free : int, optional
        Bytes; asked of the system when not given.

    Raises
    ------
    InputError
        Says how much is needed, how much is free, and what to do.
    """
    free = free_memory() if free is None else free
    if free is not None and needed > free - _SPARED:
        raise InputError(
            say("{what} cần khoảng {needed} GB bộ nhớ, máy này còn trống {free} GB; hãy cắt theo lưu vực, dùng ô lưới "
                "thô hơn, đóng bớt chương trình, hoặc chạy trên máy có nhiều bộ nhớ hơn.",
                "{what} need about {needed} GB of memory and this machine has {free} GB free; clip to a river basin, use "
                "coarser cells, close other programs, or use a machine with more memory.")
            .format(what=what, needed=format_number(needed / 1e9, 1), free=format_number(free / 1e9, 1)))


def give_back_memory() -> None:
    """Give what was freed back to the system: the C library of Linux keeps what was freed in threads, 700 MB after a province was placed."""
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # other C libraries have none
        if trim is not None:
            trim(0)


def _free_on_windows() -> int | None:
    class Status(ctypes.Structure):
        _fields_ = [("length", ctypes.c_ulong), ("load", ctypes.c_ulong),
                    *((name, ctypes.c_ulonglong) for name in (
                        "total", "free", "total_page", "free_page", "total_virtual", "free_virtual", "extended"))]

    status = Status(length=ctypes.sizeof(Status))
    return int(status.free) if ctypes.windll.kernel32.GlobalMemoryStatusEx(ctypes.byref(status)) else None
