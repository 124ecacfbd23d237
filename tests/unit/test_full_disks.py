"""A full disk is told by its folder: SQLite does not say whether the file or what it keeps for the moment did not fit."""

import errno
import sqlite3
from contextlib import closing

import pytest
from quyhoach.processing_algorithms.common.destinations import new_file
from quyhoach.processing_algorithms.common.errors import OutputError
from quyhoach.processing_algorithms.common.full_disks import sqlite_temporary_folder, why_not_written

MIB = 2**20


def full(schema):
    """The error of a database that may not grow."""
    with closing(sqlite3.connect(":memory:" if schema == "temp" else "")) as database:
        database.execute("CREATE TEMP TABLE a (b)" if schema == "temp" else "CREATE TABLE a (b)")
        database.execute(f"PRAGMA {schema}.max_page_count = 3")
        with pytest.raises(sqlite3.OperationalError, match="full") as found:
            database.executemany("INSERT INTO a VALUES (randomblob(1000))", [()] * 100)
    return found.value


def test_the_folder_with_no_room_is_named(tmp_path):
    path, temporary = tmp_path / "Dữ liệu" / "hub.gpkg", sqlite_temporary_folder().resolve()
    for error in (full("temp"), full("main"), OSError(errno.ENOSPC, "No space left on device")):
        told = why_not_written(error, path, room=lambda folder: 9_000 * MIB if folder == path.parent else MIB // 2)
        assert f"{temporary} hết chỗ (còn 0,5 MB)" in told and "biến môi trường" in told and "Dữ liệu" not in told
        told = why_not_written(error, path, room=lambda folder: MIB if folder == path.parent else 9_000 * MIB)
        assert f"{path.parent} hết chỗ (còn 1,0 MB)" in told and "biến môi trường" not in told
        # Room everywhere: a quota or a limit, which the system tells better.
        assert why_not_written(error, path, room=lambda _: 9_000 * MIB) == str(error)
    locked = sqlite3.OperationalError("database is locked")
    assert why_not_written(locked, path, room=lambda _: 0) == "database is locked"


def test_a_new_file_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr("quyhoach.processing_algorithms.common.full_disks._PLENTY", 2**62)
    with pytest.raises(OutputError, match="hết chỗ"), new_file(tmp_path / "mới.gpkg", "đã có"):
        raise full("main")
    assert list(tmp_path.iterdir()) == []
