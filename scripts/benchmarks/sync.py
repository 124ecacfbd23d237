"""Working copies of a million parcels, on a GeoPackage hub and on a real PostGIS hub that is started for the run.

Checkout against ogr2ogr of the same table; status, pull and push against the clock. Hubs and working copies live on from
run to run, as in an office: every push brings new edits, every pull receives what another working copy has just sent.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

DESCRIPTION = ("checkout, status, pull, push of 1,000,000 parcels on a GeoPackage and a PostGIS hub; "
               "checkout against ogr2ogr of the same table")
CASES = {f"checkout of 1,000,000 parcels, {kind} hub": (1, 2) for kind in ("GeoPackage", "PostGIS")}
#: Seconds by the clock, where no tool does the same.
SECONDS = {"status with 1,000,000 features and 1,000 edits": (0.1, 0.02)} | {
    f"{what} of 10,000 edits, {kind} hub": (3, 1) for kind in ("GeoPackage", "PostGIS") for what in ("push", "pull")}
PARCELS = 1_000_000
CRS = "EPSG:9214"
#: Where the PostGIS hub of this run is; without a password, which its socket does not ask for.
POSTGIS = "QUYHOACH_BENCHMARK_HUB"


def prepare(folder: Path, share: float) -> None:
    """Make a hub full of parcels, a working copy of it, and one with a thousand edits."""
    import geopandas
    import numpy as np
    import shapely
    from coverages import crooked_grid
    from quyhoach.processing_algorithms.provincial_database.administration.hub_create import create_hub
    from quyhoach.processing_algorithms.provincial_database.hub import Batch
    from quyhoach.processing_algorithms.provincial_database.typed_columns import typed_column

    side = round((PARCELS * share) ** 0.5)
    shapes = crooked_grid(side, side, side * 30, side * 25, bends=1, seed=1)
    number = np.arange(len(shapes))
    given = {
        "old_commune_code": [f"{19_001 + i // 20_000:05d}" for i in number],
        "commune_code": [f"{19_001 + i // 20_000:05d}" for i in number],
        "sheet_no": [str(i // 500 + 1) for i in number], "parcel_no": (number % 500 + 1).tolist(),
        "land_code": np.array(["ODT", "ONT", "LUC", "CLN", "DGT"], dtype=object)[number % 5].tolist(),
        "address": [f"Tổ {i % 30}, phường Vĩnh Hà" for i in number]}
    nothing = [None] * len(number)
    with create_hub(str(folder / "hub.gpkg"), CRS) as hub:
        parcel = hub.dataset("parcel")
        columns = {field.name: typed_column(given.get(field.name, nothing), field) for field in parcel.fields}
        frame = geopandas.GeoDataFrame({**columns, "feature_id": nothing}, geometry=shapely.multipolygons(
            np.asarray(shapes, dtype=object).reshape(-1, 1)), crs=CRS)
        hub.write(parcel, Batch("benchmark", {}, len(frame), frame, frame.iloc[:0], 0, ()))
        _checkout(hub, folder / "copy.gpkg")
    shutil.copy(folder / "copy.gpkg", folder / "edited_1000.gpkg")
    _edit(folder / "edited_1000.gpkg", 1_000)


@contextmanager
def serving(folder: Path) -> Iterator[None]:
    """Start PostgreSQL, put the parcels into a hub there, and give both hubs two working copies for the runs to come."""
    from postgis_server import running_server
    from quyhoach.processing_algorithms.provincial_database.hub import Batch, open_hub
    from quyhoach.processing_algorithms.provincial_database.postgis.create import create_postgis_hub

    shutil.copy(folder / "hub.gpkg", folder / "hub_now.gpkg")
    with running_server() as server:
        where = {"dbname": "postgres", "host": server.folder, "port": server.port, "user": "postgres"}
        os.environ[POSTGIS] = " ".join(f"{key}={value}" for key, value in where.items())
        print("filling the PostGIS hub ...", flush=True)
        with open_hub(str(folder / "hub.gpkg")) as source, create_postgis_hub(os.environ[POSTGIS], CRS) as hub:
            parcel = hub.dataset("parcel")
            frame = source.read(source.dataset("parcel"))
            hub.write(parcel, Batch("benchmark", {}, len(frame), frame, frame.iloc[:0], 0, ()))
            del frame
            with hub.connection.cursor() as cursor:
                cursor.execute("ANALYZE")  # which the server does by itself a minute later
            _checkout(hub, folder / "PostGIS_1.gpkg")
        shutil.copy(folder / "copy.gpkg", folder / "GeoPackage_1.gpkg")
        for kind in ("GeoPackage", "PostGIS"):
            shutil.copy(folder / f"{kind}_1.gpkg", folder / f"{kind}_2.gpkg")
        os.sync()  # else the first commit waits for gigabytes that were copied just now
        yield
    for path in (*folder.glob("*_[12].gpkg"), folder / "hub_now.gpkg"):
        path.unlink()


def _location(folder: Path, case: str) -> str:
    return os.environ[POSTGIS] if case.endswith("PostGIS hub") else str(folder / "hub_now.gpkg")


def _checkout(hub, path: Path) -> None:
    from quyhoach.processing_algorithms.provincial_database.changes import Scope
    from quyhoach.processing_algorithms.provincial_database.working_copies.checkout import checkout

    path.unlink(missing_ok=True)
    checkout(path, hub, location=hub.info.location, crs=hub.info.crs, datasets=[hub.dataset("parcel")],
             scopes=[Scope("parcel")]).close()


def _edit(path: Path, count: int) -> None:
    """As another program would, edit parcels all over the province, with new shapes for one in ten."""
    from quyhoach.processing_algorithms.provincial_database.geopackage.geometry import register_functions

    database = sqlite3.connect(path)
    register_functions(database)
    step = database.execute("SELECT max(fid) FROM parcel").fetchone()[0] // count
    database.execute("UPDATE parcel SET note = 'Chỉnh lý ' || hex(randomblob(4)), land_code = iif(land_code = 'CLN', 'LUC', 'CLN') "
                     "WHERE fid % ? = 1", (step,))
    database.execute("UPDATE parcel SET geom = (SELECT o.geom FROM parcel o WHERE o.fid = parcel.fid + 1) WHERE fid % ? = 1",
                     (step * 10,))
    database.commit()
    database.close()


def warm(folder: Path, case: str, who: str) -> None:
    """Import what both sides need, and bring hub and working copies to the state the clock begins with."""
    import geopandas  # noqa: F401
    from quyhoach.processing_algorithms.provincial_database.catalogue import load_catalogue
    from quyhoach.processing_algorithms.provincial_database.working_copies import pull, push  # noqa: F401

    load_catalogue()  # read once when the program starts
    kind = case.split()[-2]
    if case.startswith("push"):
        _pull(folder, case, 1)
        _edit(folder / f"{kind}_1.gpkg", 10_000)
    if case.startswith("pull"):
        for number in (1, 2):
            _pull(folder, case, number)
        _edit(folder / f"{kind}_1.gpkg", 10_000)
        _push(folder, case)


def _push(folder: Path, case: str) -> None:
    from quyhoach.processing_algorithms.provincial_database.changes import Outcome
    from quyhoach.processing_algorithms.provincial_database.hub import open_hub
    from quyhoach.processing_algorithms.provincial_database.working_copies.push import push
    from quyhoach.processing_algorithms.provincial_database.working_copies.working_copy import WorkingCopy

    with WorkingCopy(folder / f"{case.split()[-2]}_1.gpkg") as copy, open_hub(_location(folder, case)) as hub:
        if push(copy, hub, author="benchmark", message="benchmark").outcome is not Outcome.APPLIED:
            raise AssertionError("the push was not applied")


def _pull(folder: Path, case: str, number: int) -> int:
    from quyhoach.processing_algorithms.provincial_database.hub import open_hub
    from quyhoach.processing_algorithms.provincial_database.working_copies.pull import pull
    from quyhoach.processing_algorithms.provincial_database.working_copies.working_copy import WorkingCopy

    with WorkingCopy(folder / f"{case.split()[-2]}_{number}.gpkg") as copy, open_hub(_location(folder, case)) as hub:
        return pull(copy, hub).received


def ours(folder: Path, case: str) -> None:
    """The whole step, files and connections opened and closed."""
    from quyhoach.processing_algorithms.provincial_database.hub import open_hub
    from quyhoach.processing_algorithms.provincial_database.working_copies.working_copy import WorkingCopy

    if case.startswith("checkout"):
        with open_hub(_location(folder, case)) as hub:
            _checkout(hub, folder / "out" / "copy.gpkg")
    elif case.startswith("status"):
        with WorkingCopy(folder / "edited_1000.gpkg") as copy:
            if not sum(line.changed for line in copy.status()) >= 1_000:
                raise AssertionError("edits are missing")
    elif case.startswith("push"):
        _push(folder, case)
    elif _pull(folder, case, 2) < 10_000:
        raise AssertionError("edits are missing")


def peer(folder: Path, case: str) -> None:
    """The bare table with its spatial index: no tracking, no key, no forms."""
    location = _location(folder, case)
    source = [f"PG:{location}", "quyhoach_data.parcel"] if case.endswith("PostGIS hub") else [location, "parcel"]
    subprocess.run(["ogr2ogr", "-f", "GPKG", "-nln", "parcel", "-lco", "GEOMETRY_NAME=geom", str(folder / "out" / "copy.gpkg"), *source], check=True)


def check(folder: Path, case: str) -> str:
    """Both must hold the same parcels."""
    found = {}
    for who in ("ours", "peer"):
        database = sqlite3.connect(folder / who / "copy.gpkg")
        found[who] = database.execute(
            "SELECT count(*), count(DISTINCT feature_id), sum(parcel_no), sum(length(geom)), count(DISTINCT address), "
            "(SELECT count(*) FROM rtree_parcel_geom), (SELECT rtreecheck('rtree_parcel_geom')) FROM parcel").fetchone()
        database.close()
    if found["ours"] != found["peer"]:
        raise AssertionError(f"ours {found['ours']}, peer {found['peer']}")
    return f"same result: {found['ours'][0]:,} parcels, indexes sound"
