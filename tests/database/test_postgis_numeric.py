"""A column an administrator has made numeric(15, 4): every digit survives psql, working copies, the network and files."""

import random
import sqlite3
from contextlib import closing
from decimal import Decimal

import pyproj
import pytest
from quyhoach.processing_algorithms.provincial_database.changes import Outcome, Scope
from quyhoach.processing_algorithms.provincial_database.geopackage.geometry import register_functions
from quyhoach.processing_algorithms.provincial_database.postgis.health import check_postgis_hub
from quyhoach.processing_algorithms.provincial_database.postgis.upgrade import upgrade_postgis_hub
from quyhoach.processing_algorithms.provincial_database.working_copies.checkout import checkout
from quyhoach.processing_algorithms.provincial_database.working_copies.exchange_file import (
    apply_changes,
    export_changes,
    export_update,
    import_update,
)
from quyhoach.processing_algorithms.provincial_database.working_copies.pull import pull
from quyhoach.processing_algorithms.provincial_database.working_copies.push import push

TABLE = "quyhoach_data.parcel"
#: Every magnitude of numeric(15, 4), its ends, and numbers a double holds only nearly.
EDGES = [Decimal(text) for text in ("0.0000", "0.0001", "0.1000", "0.3000", "99999999999.9999", "99999999999.9998", "12345678901.2345",
                                    "90071992547.4099", "4503599627.3705", "1.0050", "2.6750", "1073741824.0001")]
RANDOM = random.Random(15_4)
FIRST, SECOND = ([*edges, *(Decimal(RANDOM.randrange(10 ** RANDOM.randint(1, 15))).scaleb(-4) for _ in range(200))]
                 for edges in (EDGES, reversed(EDGES)))


def out(hub, path):
    return checkout(path, hub, location="x", crs=pyproj.CRS(9214), datasets=[hub.datasets["parcel"]], scopes=[Scope("parcel")])


def run(copy, sql, values=((),)):
    """As another program would, which writes what a person typed."""
    with closing(sqlite3.connect(copy.path)) as database, database:
        register_functions(database)
        database.executemany(sql, values)


def retype(parameters, sql_at, column, kind):
    sql_at(parameters, f"DROP VIEW quyhoach_public.parcel, quyhoach_internal.parcel; ALTER TABLE {TABLE} ALTER COLUMN {column} TYPE {kind}")
    upgrade_postgis_hub(parameters)


def insert(hub, column, values):
    with closing(hub.connection.cursor()) as cursor:
        for number, value in enumerate(values, 1):
            cursor.execute(f"INSERT INTO {TABLE} (old_commune_code, commune_code, sheet_no, parcel_no, land_code, {column}, geom) "
                           "VALUES ('00001', '25001', '1', %s, 'ONT', %s, ST_Multi(ST_MakeEnvelope(0, 0, 9, 9, 9214)))", (number, value))


def test_every_digit_of_a_numeric_column_survives(postgis_hub, postgis_parameters, sql_at, tmp_path):
    retype(postgis_parameters, sql_at, "legal_area_m2", "numeric(15, 4)")
    insert(postgis_hub, "legal_area_m2", FIRST)

    def on_the_server():
        return [value for value, in sql_at(postgis_parameters, f"SELECT legal_area_m2 FROM {TABLE} ORDER BY parcel_no")]

    def edits(*copies):
        return [sum(line.edits for line in copy.status()) for copy in copies]

    with (out(postgis_hub, tmp_path / "đây.gpkg") as here, out(postgis_hub, tmp_path / "kia.gpkg") as there,
          out(postgis_hub, tmp_path / "tệp.gpkg") as by_file):
        assert on_the_server() == FIRST and edits(here, there, by_file) == [0, 0, 0]
        # Another field of every row is edited: the numbers are nobody's edit.
        run(here, "UPDATE parcel SET note = 'đã đo'")
        assert {name for change in here.edits(here.datasets["parcel"]) for name in change.touched()} == {"note"}
        assert push(here, postgis_hub, author="ân", message="ghi chú").outcome is Outcome.APPLIED
        assert on_the_server() == FIRST and edits(here) == [0]
        # Every number is typed anew, as text too, and stays exactly that; the others receive it, by network and by file.
        run(here, "UPDATE parcel SET legal_area_m2 = ? WHERE parcel_no = ?", [(str(value) if number % 2 else float(value), number) for number, value in enumerate(SECOND, 1)])
        done = push(here, postgis_hub, author="ân", message="diện tích")
        assert done.outcome is Outcome.APPLIED and not any(receipt.rewritten for receipt in done.receipts)
        assert on_the_server() == SECOND
        pull(there, postgis_hub)
        export_changes(by_file, tmp_path / "hỏi.qhz", author="ân")
        export_update(postgis_hub, tmp_path / "hỏi.qhz", tmp_path / "đáp.qhz")
        import_update(by_file, tmp_path / "đáp.qhz")
        for copy in (here, there, by_file):
            held = [value for value, in copy.database.execute("SELECT legal_area_m2 FROM parcel ORDER BY parcel_no")]
            assert [Decimal(repr(value)).quantize(Decimal("0.0001")) for value in held] == SECOND and held == [float(value) for value in SECOND]
        assert edits(here, there, by_file) == [0, 0, 0]
        # Back again by file.
        run(by_file, "UPDATE parcel SET legal_area_m2 = ? WHERE parcel_no = ?", [(float(value), number) for number, value in enumerate(FIRST, 1)])
        export_changes(by_file, tmp_path / "gửi.qhz", author="ân", message="diện tích cũ")
        assert [receipt.outcome for receipt in apply_changes(postgis_hub, tmp_path / "gửi.qhz")] == [Outcome.APPLIED]
        assert on_the_server() == FIRST
        # A fifth place is the server's to round, and comes back rounded.
        pull(there, postgis_hub)
        run(there, "UPDATE parcel SET legal_area_m2 = 1.23456 WHERE parcel_no = 1")
        assert push(there, postgis_hub, author="ân", message="năm số lẻ").outcome is Outcome.APPLIED
        assert on_the_server()[0] == Decimal("1.2346") and edits(there) == [0]
        assert there.database.execute("SELECT legal_area_m2 FROM parcel WHERE parcel_no = 1").fetchone() == (1.2346,)
    assert [finding for finding in check_postgis_hub(postgis_hub) if not finding.in_order] == []


@pytest.mark.parametrize("column, kind, there, typed, then", [
    # More digits than a double holds: what travels is the nearest, and judged as that.
    ("legal_area_m2", "numeric(30, 12)", "12345678901234.123456789123", 2.5, 2.5),
    ("legal_area_m2", "real", "0.1", 0.123456789, 0.12345679104328156),
    ("address", "character(12)", "Thôn Hạ", "Thôn Thượng ", "Thôn Thượng"),
    ("survey_date", "timestamp", "2024-02-29 10:11:12", "2024-03-01", "2024-03-01"),
    ("map_scale", "smallint", "2000", 500, 500)])
def test_a_column_of_another_type_is_edited_and_settles(postgis_hub, postgis_parameters, sql_at, tmp_path, column, kind, there, typed, then):
    retype(postgis_parameters, sql_at, column, kind)
    insert(postgis_hub, column, [there])
    with out(postgis_hub, tmp_path / "đây.gpkg") as here, out(postgis_hub, tmp_path / "kia.gpkg") as colleague:
        run(here, f"UPDATE parcel SET note = 'đã đo', {column} = ?", [(typed,)])
        assert push(here, postgis_hub, author="ân", message="gửi").outcome is Outcome.APPLIED
        pull(colleague, postgis_hub)
        assert colleague.database.execute(f"SELECT {column}, note FROM parcel").fetchone() == (then, "đã đo")
        run(colleague, f"UPDATE parcel SET {column} = ?", [(typed,)])
        for copy in (here, colleague):
            assert push(copy, postgis_hub, author="ân", message="gửi").outcome in (None, Outcome.APPLIED)
            assert copy.database.execute(f"SELECT {column} FROM parcel").fetchone() == (then,)
            assert pull(copy, postgis_hub).conflicts == 0
            assert sum(line.edits for line in copy.status()) == 0
    assert [finding for finding in check_postgis_hub(postgis_hub) if not finding.in_order] == []
