"""The state machine of `exchange_machine` on the hub in memory and on a GeoPackage hub."""

import sqlite3
import uuid
from contextlib import closing

from exchange_machine import Exchange, run
from exchange_rows import DATASETS, picks, which, words
from hypothesis.stateful import rule
from memory_hub import MemoryHub
from quyhoach.processing_algorithms.provincial_database.administration.administration import (
    back_up,
    check_hub,
    restore,
)
from quyhoach.processing_algorithms.provincial_database.administration.hub_create import create_hub
from quyhoach.processing_algorithms.provincial_database.findings import State
from quyhoach.processing_algorithms.provincial_database.geopackage.geometry import register_functions
from quyhoach.processing_algorithms.provincial_database.geopackage.schema import data_columns, quoted
from quyhoach.processing_algorithms.provincial_database.rows import row_to_sqlite


class OnMemoryHub(Exchange):
    def new_hub(self, folder):
        return MemoryHub()

    def rows_of(self, hub):
        return dict(hub.rows)

    def watched(self, hub):
        self.hub = self.oracle = hub  # it would judge itself
        return hub

    def write_directly(self, rows):
        """The oracle is the hub."""

    def backed_up(self, hub):
        return hub.copied()

    def restored(self, backup):
        hub = backup.copied()
        hub.incarnation = str(uuid.uuid4())
        self.partings, self.at = {}, {}  # this hub does not know where it came from
        return hub


def test_offices_at_random_on_a_hub_in_memory():
    run(OnMemoryHub)


class OnGeoPackageHub(Exchange):
    def new_hub(self, folder):
        return create_hub(str(folder / "cơ sở dữ liệu.gpkg"), "EPSG:9214", datasets=DATASETS)

    def write_directly(self, rows):
        with closing(self.other_program()) as database:
            for (name, id), row in rows.items():
                dataset, table = self.hub.datasets[name], quoted(name)
                if row is None:
                    database.execute(f"DELETE FROM {table} WHERE feature_id = ?", (id,))
                    continue
                columns = data_columns(dataset)
                values = (*row_to_sqlite(dataset, row, int(self.hub._facts["srs_id"])), id)
                changed = database.execute(f"UPDATE {table} SET {', '.join(f'{quoted(column)} = ?' for column in columns)} WHERE feature_id = ?", values)
                if changed.rowcount == 0:
                    database.execute(f"INSERT INTO {table} ({', '.join(map(quoted, columns))}, feature_id) VALUES ({', '.join('?' * len(values))})", values)
            database.execute("COMMIT")

    def other_program(self):
        database = sqlite3.connect(self.hub.path, isolation_level=None)
        register_functions(database)
        database.execute("BEGIN")
        return database

    @rule(pick=picks, number=which, name=words, kept=picks)
    def somebody_replaces_at_the_hub(self, pick, number, name, kept):
        """With the identity it is the same feature; without, the one that was there is gone and another has come."""
        dataset = DATASETS[number]
        table, rest = quoted(dataset.name), ", ".join(quoted(column) for column in data_columns(dataset) if column != "name")
        with closing(self.other_program()) as database:
            found = database.execute(f"SELECT fid, feature_id FROM {table} ORDER BY fid LIMIT 1 OFFSET {pick % 4}").fetchone()
            if found is None:
                return
            fid, id = found
            identity = "feature_id, " if kept % 2 else ""
            database.execute(f"REPLACE INTO {table} (fid, {identity}name, {rest}) SELECT fid, {identity}?, {rest} FROM {table} WHERE fid = ?", (name, fid))
            [now] = database.execute(f"SELECT feature_id FROM {table} WHERE fid = ?", (fid,)).fetchone()
            database.execute("COMMIT")
        row = {**self.oracle.rows[dataset.name, id], "name": name}
        self.oracle.directly({(dataset.name, now): row} if now == id else {(dataset.name, id): None, (dataset.name, now): row})
        assert (now == id) == bool(identity)
        self.at_the_hub({})

    def backed_up(self, hub):
        path = self.folder / f"sao lưu {uuid.uuid4()}.gpkg"
        back_up(hub.info.location, path)
        return path

    def restored(self, backup):
        self.leave()
        return restore(backup, str(self.folder / f"phục hồi {uuid.uuid4()}.gpkg"))

    def leave(self):
        broken = [finding for finding in check_hub(self.hub) if finding.state is State.BROKEN]
        assert broken == [], "the ledger replays to the tables"
        self.hub.close()


def test_offices_at_random_on_a_geopackage_hub():
    run(OnGeoPackageHub)
