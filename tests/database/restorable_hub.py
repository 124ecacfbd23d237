"""A hub with five facilities that is backed up and restored, and the working copies of it."""

import sqlite3
import uuid
from contextlib import closing

import pyproj
import shapely
from hub_rows import rows_of
from quyhoach.processing_algorithms.provincial_database.administration.administration import back_up, restore
from quyhoach.processing_algorithms.provincial_database.catalogue import load_catalogue
from quyhoach.processing_algorithms.provincial_database.changes import Change, Changeset, Outcome, Scope
from quyhoach.processing_algorithms.provincial_database.geopackage.geometry import register_functions
from quyhoach.processing_algorithms.provincial_database.hub import open_hub
from quyhoach.processing_algorithms.provincial_database.working_copies.checkout import checkout
from quyhoach.processing_algorithms.provincial_database.working_copies.pull import pull
from quyhoach.processing_algorithms.provincial_database.working_copies.push import push

FACILITY = load_catalogue()["facility"]
KIND = FACILITY.field("kind").domain.values[0].code
ID = [str(uuid.UUID(int=i)) for i in range(20)]
WHO = {"author": "ân", "message": "thử"}


def facility(name, x=0.0, **more):
    row = {field.name: None for field in FACILITY.fields}
    shape = shapely.to_wkb(shapely.Point(500000 + x, 1800000), byte_order=1, flavor="iso")
    return {**row, "name": name, "kind": KIND, "geom": shape, **more}


class Place:
    """The hub in use, its backup, and where the next one is put."""

    def __init__(self, folder, location, backup, elsewhere):
        self.folder, self.location, self.backup_path, self.elsewhere = folder, location, folder / backup, elsewhere
        self.hub = open_hub(location)
        rows = tuple(Change("facility", ID[i], None, facility(f"Số {i}", i, commune_code="99001" if i < 4 else "99002"))
                     for i in range(1, 6))
        assert self.hub.submit(Changeset(str(uuid.uuid4()), "a", "", "đầu", "", "2026-11-22T00:00:00.000Z",
                                         rows)).outcome is Outcome.APPLIED

    def copy(self, name, **scope):
        return checkout(self.folder / f"{name}.gpkg", self.hub, location="x", crs=pyproj.CRS(9214),
                        datasets=[FACILITY],
                        scopes=[Scope("facility", **scope)])

    def edit(self, copy, text, *values):
        with closing(sqlite3.connect(copy.path, isolation_level=None)) as database:
            register_functions(database)
            database.execute(text, values)

    def send(self, copy, text, *values):
        self.edit(copy, text, *values)
        assert push(copy, self.hub, **WHO).outcome is Outcome.APPLIED
        pull(copy, self.hub)

    def backup(self):
        back_up(self.location, self.backup_path)

    def restore(self):
        """Make a hub of the backup elsewhere, which everybody uses from now on."""
        self.hub.close()
        self.location = self.elsewhere()
        self.hub = restore(self.backup_path, self.location)

    def rows(self):
        return rows_of(self.hub)

    def names(self):
        return {feature_id: row["name"] for feature_id, row in self.rows().items()}


def held(copy):
    return dict(copy.database.execute("SELECT feature_id, name FROM facility"))


def edits(copy):
    return {change.feature_id: change for change in copy.edits(FACILITY)}
