"""Backup of a GeoPackage hub to one file, restoring it as a new hub, and the drill that proves both.

SQLite's own backup interface copies a file that others are writing to, as it is at one moment. A backup says that it is
one and is never opened as a hub: only a restore, which begins a new incarnation, keeps working copies safe.
"""

from __future__ import annotations

import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path

from ...common.destinations import new_file
from ...common.errors import InputError
from ...common.language import say
from ...common.progress import Progress, part, silent
from ..findings import DrillReport, restored_and_upgraded, too_new
from ..rows import now
from .exchange import position
from .hub import BACKUP, GeoPackageHub
from .schema import quoted
from .upgrade import SCHEMA_VERSION

_PAGES_AT_ONCE = 5_000
#: How often the copy may begin again because others wrote meanwhile, before it is made in one go while they wait.
_RESTARTS = 2
#: What belongs to an incarnation and not to the data.
_OWN = ("quyhoach_hub", "quyhoach_incarnation", "sqlite_sequence")


class _TooManyRestarts(Exception):
    """Others write faster than the copy is made piece by piece."""


def backup_geopackage_hub(hub: GeoPackageHub, path: str | Path, *, progress: Progress = silent) -> None:
    """Write a hub, as it is at one moment, to a new file.

    Raises
    ------
    OutputError
        The file exists or cannot be written; nothing is left half done.
    """
    with new_file(path, _taken(path)) as draft:
        _copy(hub._database, draft, part(progress, 0.0, 0.9))
        with closing(sqlite3.connect(draft, isolation_level=None)) as database:
            _refuse_damaged(database, Path(hub.info.location))
            # One file, also when the hub keeps a log beside it.
            database.execute("PRAGMA journal_mode = DELETE")
            database.execute("INSERT INTO quyhoach_hub VALUES (?, ?)", (BACKUP, now()))
    progress(1.0)


def restore_geopackage_hub(path: str | Path, location: str | Path, *, progress: Progress = silent) -> GeoPackageHub:
    """Make a new hub from a backup, or from a plain copy of a hub's file, and open it.

    Raises
    ------
    InputError
        The file is no hub's, is damaged, or was made by a newer version.
    OutputError
        Something is at the new place already, or it cannot be written; nothing is left half done.
    """
    source, target = Path(path), Path(location)
    if not source.is_file():
        raise InputError(say("Không có tệp sao lưu {path}.", "There is no backup {path}.").format(path=source))
    if target.suffix.lower() != ".gpkg":
        raise InputError(say("Tên tệp cơ sở dữ liệu dùng chung phải kết thúc bằng .gpkg: {path}.",
                             "A shared database's file name ends in .gpkg: {path}.").format(path=target))
    with new_file(target, _taken(target)) as draft:
        with closing(sqlite3.connect(f"{source.resolve().as_uri()}?mode=ro", uri=True, isolation_level=None)) as backup:
            try:
                version = dict(backup.execute("SELECT key, value FROM quyhoach_hub")).get("schema_version", "")
            except sqlite3.DatabaseError as error:
                raise InputError(say("{path} không phải là bản sao lưu cơ sở dữ liệu dùng chung của QuyHoach, hoặc đã "
                                     "hỏng; hãy chọn tệp khác.",
                                     "{path} is no backup of a shared database of QuyHoach, or is damaged; choose "
                                     "another file.").format(path=source)) from error
            if version.isdigit() and int(version) > SCHEMA_VERSION:
                raise InputError(too_new(str(source), int(version)))
            _copy(backup, draft, part(progress, 0.0, 0.8))
        with closing(sqlite3.connect(draft, isolation_level=None)) as database:
            _refuse_damaged(database, source)
            database.execute("DELETE FROM quyhoach_hub WHERE key = ?", (BACKUP,))
        with GeoPackageHub(draft) as hub:  # brings an older structure up to date
            hub.begin_incarnation()
    progress(1.0, restored_and_upgraded(int(version), SCHEMA_VERSION) if int(version) < SCHEMA_VERSION else None)
    return GeoPackageHub(target)


def drill(hub: GeoPackageHub, *, progress: Progress = silent) -> DrillReport:
    """Back a hub up, restore it into a temporary folder, compare every row of every table, and remove the copy.

    Others may read meanwhile; who saves waits until it is over, so that one state is compared.
    """
    with tempfile.TemporaryDirectory(prefix="quyhoach-") as folder:
        restored = Path(folder) / "restored.gpkg"
        with hub.standing_still() as database:
            here = position(database, hub._facts)
            backup_geopackage_hub(hub, Path(folder) / "backup.gpkg", progress=part(progress, 0.0, 0.3))
            copy = restore_geopackage_hub(Path(folder) / "backup.gpkg", restored, progress=part(progress, 0.3, 0.6))
            new_incarnation, goes_on = copy.info.incarnation != hub.info.incarnation, copy.continues(here)
            copy.close()
            different, tables, rows = _compared(database, restored, part(progress, 0.6, 1.0))
    return DrillReport(tables, rows, different, new_incarnation, goes_on)


def _compared(database: sqlite3.Connection, restored: Path, progress: Progress) -> tuple[tuple[str, ...], int, int]:
    """Return the tables that differ, how many were compared, and their rows."""
    listed = "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name"
    with closing(sqlite3.connect(f"{restored.resolve().as_uri()}?mode=ro", uri=True)) as copy:
        names = [name for (name,) in database.execute(listed) if name not in _OWN]
        there = {name for (name,) in copy.execute(listed)} - set(_OWN)
        different = [name for name in names if name not in there] + sorted(there - set(names))
        rows = 0
        for number, name in enumerate(names):
            progress(number / len(names))
            if name in there:
                count, same = _same_rows(database, copy, name)
                rows += count
                if not same:
                    different.append(name)
    return tuple(different), len(names), rows


def _same_rows(database: sqlite3.Connection, copy: sqlite3.Connection, name: str) -> tuple[int, bool]:
    """Compare a table row by row, in the order both files keep it in; return how many rows, and whether all are equal."""
    ours, theirs = (connection.execute(f"SELECT * FROM {quoted(name)}") for connection in (database, copy))
    count = 0
    while True:
        here, there = ours.fetchmany(1000), theirs.fetchmany(1000)
        count += len(here)
        if here != there:
            return count, False
        if not here:
            return count, True


def _copy(source: sqlite3.Connection, draft: Path, progress: Progress) -> None:
    restarts, before = 0, None

    def told(_: int, remaining: int, total: int) -> None:
        nonlocal restarts, before
        progress(1.0 - remaining / max(total, 1))
        restarts += before is not None and remaining > before
        before = remaining
        if restarts > _RESTARTS:
            raise _TooManyRestarts

    with closing(sqlite3.connect(draft, isolation_level=None)) as target:
        try:
            source.backup(target, pages=_PAGES_AT_ONCE, progress=told, sleep=0.05)
        except _TooManyRestarts:
            source.backup(target, pages=-1)


def _refuse_damaged(database: sqlite3.Connection, path: Path) -> None:
    try:
        found = database.execute("PRAGMA quick_check(1)").fetchone()[0]
    except sqlite3.DatabaseError as error:
        found = str(error)
    if found != "ok":
        raise InputError(say("Tệp {path} bị hỏng ({why}); hãy dùng bản sao lưu khác.",
                             "The file {path} is damaged ({why}); use another backup.").format(path=path, why=found))


def _taken(path: str | Path) -> str:
    return say("{path} đã có; bản sao lưu và cơ sở dữ liệu phục hồi không ghi đè tệp nào. Hãy đặt tên khác.",
               "{path} exists; a backup or a restored database never overwrites anything. Choose another name."
               ).format(path=path)
