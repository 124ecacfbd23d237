"""The state machine of `exchange_machine` on a real PostGIS hub."""

import itertools
import uuid
from contextlib import closing

import psycopg2
import pytest
from exchange_machine import NIGHTLY, Exchange, run
from quyhoach.processing_algorithms.provincial_database.postgis.backup import backup_postgis_hub, restore_postgis_hub
from quyhoach.processing_algorithms.provincial_database.postgis.health import check_postgis_hub
from quyhoach.processing_algorithms.provincial_database.postgis.hub import PostgisHub

_numbers = itertools.count(1)
_place = {}


@pytest.fixture(autouse=True)
def place(postgis_server, hub_template, sql_at):
    _place.update(server=postgis_server, template=hub_template, sql_at=sql_at)


class OnPostgisHub(Exchange):
    def new_hub(self, folder):
        self.name = f"model_{next(_numbers)}"
        _place["sql_at"](_place["server"].parameters(),
                         f'CREATE DATABASE "{self.name}" TEMPLATE "{_place["template"]}"')
        return PostgisHub(_place["server"].parameters(dbname=self.name))

    def write_directly(self, rows):
        """In psql's way: one transaction, which becomes a changeset of its own."""
        connection = psycopg2.connect(**_place["server"].parameters(dbname=self.name))
        with closing(connection), connection, connection.cursor() as cursor:
            for (name, id), row in rows.items():
                if row is None:
                    cursor.execute(f'DELETE FROM quyhoach_data."{name}" WHERE feature_id = %s', (id,))
                    continue
                table, names = f'quyhoach_data."{name}"', ", ".join(f'"{column}"' for column in row)
                srid = f"Find_SRID('quyhoach_data', '{name}', 'geom')"
                marks = ", ".join(f"ST_GeomFromWKB(%s, {srid})" if column == "geom" else "%s" for column in row)
                cursor.execute(f"UPDATE {table} SET ({names}) = ROW({marks}) WHERE feature_id = %s", (*row.values(), id))
                if cursor.rowcount == 0:
                    cursor.execute(f"INSERT INTO {table} ({names}, feature_id) VALUES ({marks}, %s)", (*row.values(), id))

    def backed_up(self, hub):
        if not NIGHTLY:
            return None  # a second or two each time; with `test_postgis_administration` for every day
        path = self.folder / f"sao lưu {uuid.uuid4()}.dump"
        backup_postgis_hub(_place["server"].parameters(dbname=self.name), path)
        return path

    def restored(self, backup):
        self.leave()
        self.name = f"model_{next(_numbers)}"
        _place["sql_at"](_place["server"].parameters(), f'CREATE DATABASE "{self.name}"')
        return restore_postgis_hub(backup, _place["server"].parameters(dbname=self.name))

    def leave(self):
        assert [finding for finding in check_postgis_hub(self.hub)
                if not finding.in_order] == [], "the ledger replays to the tables"
        self.hub.close()
        _place["sql_at"](_place["server"].parameters(), f'DROP DATABASE "{self.name}" WITH (FORCE)')


def test_offices_at_random_on_a_postgis_hub():
    run(OnPostgisHub)
