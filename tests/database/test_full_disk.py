"""The disk is really full in the middle of a push: at the hub's file, and under a PostgreSQL server. It did not happen; with room again it does.

What a full disk does to pulls and checkouts is in `test_killed_anywhere`.
"""

import os
import shutil
import sqlite3
import subprocess
from contextlib import closing, contextmanager

import numpy as np
import pyproj
import pytest
import shapely
from quyhoach.processing_algorithms.common.errors import OutputError
from quyhoach.processing_algorithms.provincial_database.administration.administration import check_hub
from quyhoach.processing_algorithms.provincial_database.administration.hub_create import create_hub
from quyhoach.processing_algorithms.provincial_database.catalogue import load_catalogue
from quyhoach.processing_algorithms.provincial_database.changes import Outcome, Scope
from quyhoach.processing_algorithms.provincial_database.findings import State
from quyhoach.processing_algorithms.provincial_database.geopackage.geometry import register_functions, to_blobs
from quyhoach.processing_algorithms.provincial_database.postgis.hub import PostgisHub
from quyhoach.processing_algorithms.provincial_database.working_copies.checkout import checkout
from quyhoach.processing_algorithms.provincial_database.working_copies.push import push

FACILITY = load_catalogue()["facility"]
KIND = FACILITY.field("kind").domain.values[0].code
MB = 1 << 20


@contextmanager
def small_disk(place, size):
    """A file system of its own in a folder; where the machine does not let us make one, the test is skipped with the reason."""
    place.mkdir()
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(place)], capture_output=True, text=True)
    if made.returncode:
        pytest.skip(f"no small disk can be made here: {made.stderr.strip()}")
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)


def fill(disk, leave):
    """Leave only so many bytes."""
    space = shutil.disk_usage(disk).free
    with open(disk / "đầy", "wb") as filler:
        os.posix_fallocate(filler.fileno(), 0, space - leave)


def many(path, count):
    """New facilities in a working copy, as another program would draw them."""
    with closing(sqlite3.connect(path)) as database, database:
        register_functions(database)
        [shape] = to_blobs(np.array([shapely.Point(500000, 1800000)], dtype=object), 9214)
        database.executemany("INSERT INTO facility (name, kind, note, geom) VALUES (?, ?, ?, ?)",
                             ((f"Trạm {number}", KIND, "x" * 200, shape) for number in range(count)))


def refused_then_sent(copy, hub, fill, free, told):
    fill()
    with pytest.raises(OutputError, match=told):
        push(copy, hub, author="ân", message="đầy")
    free()
    assert hub.count(FACILITY) == 0 and len(hub.changesets()) == 0 and len(list(copy.edits(FACILITY))) == 3000
    assert push(copy, hub, author="ân", message="đầy").outcome is Outcome.APPLIED
    assert hub.count(FACILITY) == 3000 and [note.features for note in hub.changesets()] == [{"facility": 3000}]
    assert not [finding for finding in check_hub(hub) if finding.state is State.BROKEN]


@pytest.mark.parametrize("leave", [0, 16_384, 1_000_000])
def test_a_push_into_a_geopackage_hub_on_a_full_disk(tmp_path, leave):
    with small_disk(tmp_path / "ổ chung", 16 * MB) as disk, create_hub(str(disk / "hub.gpkg"), "EPSG:9214", datasets=[FACILITY]) as hub, checkout(
            tmp_path / "a.gpkg", hub, location="x", crs=pyproj.CRS(9214), datasets=[FACILITY], scopes=[Scope("facility")]) as copy:
        many(copy.path, 3000)
        refused_then_sent(copy, hub, lambda: fill(disk, leave), lambda: (disk / "đầy").unlink(), "full|hết chỗ")


@pytest.mark.parametrize("leave", [0, 150_000, 1_500_000])
def test_a_push_to_a_server_whose_disk_is_full(postgis_server, hub_template, sql_at, tmp_path, leave):
    with small_disk(tmp_path / "ổ máy chủ", 60 * MB) as disk:
        for folder in (*tmp_path.parents[:3], tmp_path):
            folder.chmod(0o755)
        shutil.chown(disk, *(["postgres"] * 2 if os.geteuid() == 0 else [os.geteuid(), os.getegid()]))
        admin = postgis_server.parameters()
        sql_at(admin, f"CREATE TABLESPACE small LOCATION '{disk}'")
        sql_at(admin, f"CREATE DATABASE small_hub TEMPLATE {hub_template} TABLESPACE small")
        try:
            with PostgisHub(postgis_server.parameters(dbname="small_hub")) as hub, checkout(
                    tmp_path / "a.gpkg", hub, location="x", crs=pyproj.CRS(9214), datasets=[FACILITY], scopes=[Scope("facility")]) as copy:
                many(copy.path, 3000)
                refused_then_sent(copy, hub, lambda: fill(disk, leave), lambda: (disk / "đầy").unlink(), "Đĩa của máy chủ .* đã đầy")
        finally:
            sql_at(admin, "DROP DATABASE small_hub WITH (FORCE)")
            sql_at(admin, "DROP TABLESPACE small")
