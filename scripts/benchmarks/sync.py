"""Working copies of a million parcels: checkout against ogr2ogr; status, pull and push against the clock."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
from pathlib import Path

DESCRIPTION = "checkout, status, pull, push of 1,000,000 parcels on a GeoPackage hub; checkout against ogr2ogr of the same table"
CASES = {"checkout of 1,000,000 parcels": (1, 2)}
#: Seconds by the clock, where no tool does the same.
SECONDS = {
    "status with 1,000,000 features and 1,000 edits": (0.1, 0.02),
    "push of 10,000 edits": (3, 1),
    "pull of 10,000 edits": (3, 1),
}
PARCELS = 1_000_000
CRS = "EPSG:9214"


def prepare(folder: Path, share: float) -> None:
    """Make a hub full of parcels, and two working copies of it."""
    import geopandas
    import numpy as np
    import shapely
    from coverages import crooked_grid
    from quyhoach.processing_algorithms.provincial_database.hub import Batch
    from quyhoach.processing_algorithms.provincial_database.hub_create import create_hub
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
    _edited(folder / "copy.gpkg", folder / "edited_1000.gpkg", 1_000)
    _edited(folder / "copy.gpkg", folder / "edited_10000.gpkg", 10_000)


def _checkout(hub, path: Path) -> None:
    from quyhoach.processing_algorithms.provincial_database.changes import Scope
    from quyhoach.processing_algorithms.provincial_database.checkout import checkout

    checkout(path, hub, location=hub.info.location, crs=hub.info.crs, datasets=[hub.dataset("parcel")],
             scopes=[Scope("parcel")]).close()


def _edited(source: Path, target: Path, count: int) -> None:
    """A copy in which another program has edited parcels all over the province, with shapes for one in ten."""
    from quyhoach.processing_algorithms.provincial_database.geopackage_geometry import register_functions

    shutil.copy(source, target)
    database = sqlite3.connect(target)
    register_functions(database)
    step = database.execute("SELECT max(fid) FROM parcel").fetchone()[0] // count
    database.execute("UPDATE parcel SET note = 'Chỉnh lý ' || fid, land_code = 'CLN' WHERE fid % ? = 1", (step,))
    database.execute("UPDATE parcel SET geom = (SELECT o.geom FROM parcel o WHERE o.fid = parcel.fid + 1) WHERE fid % ? = 1",
                     (step * 10,))
    database.commit()
    database.close()


def warm(folder: Path, case: str, who: str) -> None:
    """Import what both sides need, and put files in the state the clock begins with."""
    import geopandas  # noqa: F401
    from quyhoach.processing_algorithms.provincial_database import hub, pull, push  # noqa: F401
    from quyhoach.processing_algorithms.provincial_database.catalogue import load_catalogue

    load_catalogue()  # read once when the program starts
    out = folder / "out"
    if case.startswith(("push", "pull")):
        shutil.copy(folder / "hub.gpkg", out / "hub.gpkg")
        shutil.copy(folder / "edited_10000.gpkg", out / "here.gpkg")
    if case.startswith("pull"):
        _push(out)
        shutil.copy(folder / "copy.gpkg", out / "here.gpkg")


def _push(out: Path) -> None:
    from quyhoach.processing_algorithms.provincial_database.changes import Outcome
    from quyhoach.processing_algorithms.provincial_database.hub import open_hub
    from quyhoach.processing_algorithms.provincial_database.push import push
    from quyhoach.processing_algorithms.provincial_database.working_copy import WorkingCopy

    with WorkingCopy(out / "here.gpkg") as copy, open_hub(str(out / "hub.gpkg")) as hub:
        if push(copy, hub, author="benchmark", message="benchmark").outcome is not Outcome.APPLIED:
            raise AssertionError("the push was not applied")


def ours(folder: Path, case: str) -> None:
    """The whole step, files opened and closed."""
    from quyhoach.processing_algorithms.provincial_database.hub import open_hub
    from quyhoach.processing_algorithms.provincial_database.pull import pull
    from quyhoach.processing_algorithms.provincial_database.working_copy import WorkingCopy

    if case.startswith("checkout"):
        with open_hub(str(folder / "hub.gpkg")) as hub:
            _checkout(hub, folder / "out" / "copy.gpkg")
    elif case.startswith("status"):
        with WorkingCopy(folder / "edited_1000.gpkg") as copy:
            if not sum(line.changed for line in copy.status()) >= 1_000:
                raise AssertionError("edits are missing")
    elif case.startswith("push"):
        _push(folder / "out")
    else:
        with WorkingCopy(folder / "out" / "here.gpkg") as copy, open_hub(str(folder / "out" / "hub.gpkg")) as hub:
            if pull(copy, hub).received < 10_000:
                raise AssertionError("edits are missing")


def peer(folder: Path, case: str) -> None:
    """The bare table with its spatial index: no tracking, no key, no forms."""
    subprocess.run(["ogr2ogr", "-f", "GPKG", str(folder / "out" / "copy.gpkg"), str(folder / "hub.gpkg"), "parcel"], check=True)


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
