"""The health check of a GeoPackage hub: a good hub is good throughout, and each kind of damage is told by its own check."""

import sqlite3
import uuid
from contextlib import closing

import geopandas
import numpy as np
import pyproj
import pytest
import shapely
from quyhoach.processing_algorithms.common import network_places
from quyhoach.processing_algorithms.common.errors import InputError
from quyhoach.processing_algorithms.provincial_database.administration.administration import check_hub, upgrade
from quyhoach.processing_algorithms.provincial_database.administration.hub_create import create_hub
from quyhoach.processing_algorithms.provincial_database.catalogue import load_catalogue
from quyhoach.processing_algorithms.provincial_database.changes import Scope
from quyhoach.processing_algorithms.provincial_database.findings import State, findings_table, worst
from quyhoach.processing_algorithms.provincial_database.geopackage.geometry import register_functions
from quyhoach.processing_algorithms.provincial_database.hub import open_hub
from quyhoach.processing_algorithms.provincial_database.imports.hub_import import import_layer
from quyhoach.processing_algorithms.provincial_database.working_copies.checkout import checkout
from quyhoach.processing_algorithms.provincial_database.working_copies.push import push

FACILITY, PLAN = (load_catalogue()[name] for name in ("facility", "plan"))
KIND = FACILITY.field("kind").domain.values[0].code


@pytest.fixture
def hub(tmp_path):
    with create_hub(str(tmp_path / "hub.gpkg"), "EPSG:9214", datasets=[FACILITY, PLAN]) as made:
        x, y = np.random.default_rng(1).uniform(400000, 600000,
                                                200), np.random.default_rng(2).uniform(1700000, 1900000, 200)
        frame = geopandas.GeoDataFrame({"name": [f"Số {i}" for i in range(200)], "kind": KIND},
                                       geometry=shapely.points(x, y), crs=9214)
        import_layer(made, "facility", frame)
        copy = checkout(tmp_path / "copy.gpkg", made, location="hub", crs=pyproj.CRS(9214), datasets=[FACILITY],
                        scopes=[Scope("facility")])
        run(copy.path, "UPDATE facility SET name = 'Sửa' WHERE fid < 20")
        run(copy.path, "DELETE FROM facility WHERE fid > 190")
        push(copy, made, author="bà Ân", message="thử")
        copy.close()
        yield made


def run(path, *statements):
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        register_functions(database)
        for text in statements:
            database.execute(text)


def without_triggers(hub, statement):
    """What somebody does who knows SQLite too well: takes the triggers off, writes, and puts them on again."""
    with closing(sqlite3.connect(hub.path, isolation_level=None)) as database:
        register_functions(database)
        triggers = database.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
        for name, _ in triggers:
            database.execute(f'DROP TRIGGER "{name}"')
        database.execute(statement)
        for _, sql in triggers:
            database.execute(sql)


def found(hub, *states):
    return {finding.check.split(":")[0]: finding for finding in check_hub(hub)
            if finding.state in (states or (State.BROKEN,))}


def test_a_good_hub_is_good_throughout(hub):
    findings = check_hub(hub)
    assert worst(findings) is State.GOOD and not any(finding.advice for finding in findings)
    table = findings_table(findings)
    assert list(table.columns) == ["check", "state", "state_label", "what",
                                   "advice"] and set(table["state_label"]) == {"tốt"}
    assert any("không bản nào báo còn thay đổi chưa gửi" in what for what in table["what"])
    before = hub.position()
    check_hub(hub)
    assert hub.position() == before


@pytest.mark.parametrize("statement", [
    "UPDATE facility SET name = 'Lén' WHERE fid = 30", "DELETE FROM facility WHERE fid = 30",
    "INSERT INTO facility (feature_id, name, kind, geom) SELECT '3f0a8c1e-0000-4000-8000-00000000000a', 'Lén', kind, geom FROM facility WHERE fid = 30",
    "UPDATE quyhoach_ledger_facility SET name = 'Lén' WHERE ledger_no = 30", "DELETE FROM quyhoach_ledger WHERE ledger_no = 5",
    "UPDATE quyhoach_ledger_facility SET name = 'Lén' WHERE ledger_no = (SELECT max(ledger_no) FROM quyhoach_ledger_facility WHERE side = 0) AND side = 0"])
def test_what_went_past_the_ledger_is_told(hub, statement):
    without_triggers(hub, statement)
    assert "Nhật ký" in found(hub)


@pytest.mark.parametrize("statement", [
    "DELETE FROM rtree_facility_geom WHERE id = 7", "INSERT INTO rtree_facility_geom VALUES (9999, 0, 1, 0, 1)",
    "UPDATE rtree_facility_geom SET minx = minx + 1, maxx = maxx + 1 WHERE id = 7", "UPDATE rtree_facility_geom SET maxy = maxy + 5 WHERE id = 7"])
def test_an_index_that_does_not_match_is_told(hub, statement):
    run(hub.path, statement)
    assert found(hub).keys() == {"Chỉ mục không gian"}


def test_lost_and_foreign_triggers_are_told(hub):
    run(hub.path, "CREATE TRIGGER của_ai AFTER INSERT ON facility BEGIN SELECT 1; END")
    assert "của_ai" in found(hub, State.ATTENTION)["Trigger"].what and not found(hub)
    run(hub.path, "DROP TRIGGER quyhoach_ledger_update_facility")
    assert "quyhoach_ledger_update_facility" in found(hub)["Trigger"].what


def test_an_index_another_program_made_its_way_is_ours_again_after_an_upgrade(hub):
    run(hub.path, "CREATE TRIGGER rtree_facility_geom_update3 AFTER UPDATE ON facility BEGIN SELECT 1; END")
    assert "rtree_facility_geom_update3" in found(hub, State.ATTENTION)["Trigger"].what
    upgrade(hub.info.location)
    assert not found(hub, State.ATTENTION) and not found(hub)


def test_a_hub_on_a_network_share_is_told(hub, tmp_path, monkeypatch):
    mounts = tmp_path / "mounts"
    monkeypatch.setattr(network_places, "MOUNTS", mounts)
    for kind, told in (("ext4", False), ("cifs", True), ("nfs4", True), ("fuse.sshfs", True), ("nfsd", False)):
        mounts.write_text(f"/dev/sda1 / ext4 rw 0 0\n//may/so {tmp_path} {kind} rw 0 0\n", encoding="utf-8")
        assert any("ổ mạng" in finding.what for finding in found(hub, State.ATTENTION).values()) is told, kind


def test_direct_edits_are_told_and_are_no_fault(hub):
    run(hub.path, "UPDATE facility SET name = 'QGIS' WHERE fid = 30")
    assert worst(check_hub(hub)) is State.ATTENTION
    hub.changesets()
    assert worst(check_hub(hub)) is State.GOOD


def test_a_damaged_file_is_told(hub, tmp_path):
    run(hub.path, "PRAGMA writable_schema = ON", "UPDATE sqlite_master SET rootpage = (SELECT rootpage FROM sqlite_master WHERE name = 'quyhoach_key_plan') "
                  "WHERE name = 'quyhoach_ledger_by_changeset'")
    hub._database.execute("SELECT 1").fetchone()
    hub.close()
    from quyhoach.processing_algorithms.provincial_database.hub import open_hub

    with open_hub(str(hub.path)) as again:
        findings = check_hub(again)
        assert any(finding.state is State.BROKEN and finding.check == "Tệp" for finding in findings)


def test_rows_that_point_nowhere_are_told(hub):
    run(hub.path, f"INSERT INTO quyhoach_rejection (import_id, source_fid, reasons, attributes) VALUES (99, '1', '{uuid.uuid4()}', '[]')")
    assert "quyhoach_rejection" in found(hub)["Tệp"].what


@pytest.mark.parametrize("harm, told", [
    ("INSERT INTO quyhoach_writing VALUES (1)", "bỏ dở"), ("DROP TABLE quyhoach_lock", "quyhoach_lock"),
    ("DELETE FROM gpkg_data_column_constraints WHERE value = (SELECT kind FROM facility)", "thiếu mã"),
    ("UPDATE facility SET name = CAST(x'C32841' AS TEXT) WHERE fid = 3", "UTF-8")])
def test_what_would_trouble_the_next_writer_is_told(hub, harm, told):
    run(hub.path, harm)
    assert any(told in finding.what for finding in check_hub(hub) if finding.state is not State.GOOD)


def test_a_hub_without_its_name_for_itself_is_refused(hub):
    run(hub.path, "DELETE FROM quyhoach_hub WHERE key = 'hub_id'")
    with pytest.raises(InputError, match="hub_id"):
        open_hub(str(hub.path))
