"""Which folder is full, when SQLite or the system says only that something is.

SQLite writes what it needs for the moment into a folder of its own choice, often on another disk than the file.
"""

from __future__ import annotations

import errno
import os
import shutil
import sqlite3
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from .language import say
from .numbers_vi import format_number

_MIB = 1024.0**2
#: A folder with more room left (bytes) is not full, even after what did not fit was thrown away.
_PLENTY = 2**30
#: Where SQLite looks on systems other than Windows, besides the environment.
_USUAL = ("/var/tmp", "/usr/tmp", "/tmp", ".")


def why_not_written(error: BaseException, path: str | os.PathLike[str], *, room: Callable[[Path], int] | None = None) -> str:
    """Return the error's text; where a disk is full, which folder that is.

    Parameters
    ----------
    error : sqlite3.Error or OSError
    path : path
        Of the file that was to be written.
    room : callable, optional
        Bytes left for a folder; what the system says by default.

    Examples
    --------
    >>> why_not_written(sqlite3.OperationalError("database is locked"), "a.gpkg")
    'database is locked'
    """
    if not _is_full(error):
        return str(error)
    left = {}
    for folder in (Path(path).resolve().parent, sqlite_temporary_folder()):
        with suppress(OSError):
            left[folder] = (room or _room)(folder)
    if not left or min(left.values()) > _PLENTY:
        return str(error)  # a quota, or a limit of the file's size
    (full, free), *rest = sorted(left.items(), key=lambda item: item[1])
    found = say("thư mục {folder} hết chỗ (còn {n} MB)", "the folder {folder} is full ({n} MB left)").format(
        folder=full, n=format_number(free / _MIB, 1))
    if rest and full == sqlite_temporary_folder():
        return say("{found}; hãy dọn thư mục tạm đó, hoặc đặt biến môi trường {variable} là một thư mục khác",
                   "{found}; make room in that temporary folder, or set the environment variable {variable} to another folder").format(
                       found=found, variable="TMP" if os.name == "nt" else "SQLITE_TMPDIR")
    return say("{found}; hãy dọn bớt", "{found}; make room").format(found=found)


def _room(folder: Path) -> int:
    return shutil.disk_usage(folder).free


def sqlite_temporary_folder() -> Path:
    """Return the folder SQLite writes what it needs for the moment into."""
    if os.name == "nt":
        return Path(tempfile.gettempdir())
    for folder in (os.environ.get("SQLITE_TMPDIR"), os.environ.get("TMPDIR"), *_USUAL):
        if folder and os.path.isdir(folder) and os.access(folder, os.W_OK | os.X_OK):
            return Path(folder)
    return Path(tempfile.gettempdir())


def _is_full(error: BaseException) -> bool:
    if isinstance(error, OSError):
        return error.errno == errno.ENOSPC
    code = getattr(error, "sqlite_errorcode", None)
    # A file that may not grow is an error of writing.
    return isinstance(error, sqlite3.Error) and code is not None and (
        code & 0xFF == sqlite3.SQLITE_FULL or code in (sqlite3.SQLITE_IOERR_WRITE, sqlite3.SQLITE_IOERR_FSYNC, sqlite3.SQLITE_IOERR_GETTEMPPATH))
