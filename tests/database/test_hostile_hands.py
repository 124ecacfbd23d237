"""What programs and people of ill luck do to working copies and hubs: nothing is lost by it, and it is told in a sentence."""

import hashlib
import json
import sqlite3
import struct
import uuid
import zipfile
import zlib
from contextlib import closing

import geopandas
import pyogrio
import pyproj
import pytest
import shapely
from quyhoach.processing_algorithms.common.errors import InputError
from quyhoach.processing_algorithms.provincial_database.administration.hub_create import create_hub
from quyhoach.processing_algorithms.provincial_database.catalogue import load_catalogue
from quyhoach.processing_algorithms.provincial_database.changes import Change, Changeset, Outcome, Scope
from quyhoach.processing_algorithms.provincial_database.geopackage.geometry import register_functions
from quyhoach.processing_algorithms.provincial_database.merge import Clash
from quyhoach.processing_algorithms.provincial_database.working_copies.checkout import checkout
from quyhoach.processing_algorithms.provincial_database.working_copies.conflict_review import Rule, conflicts, resolve
from quyhoach.processing_algorithms.provincial_database.working_copies.exchange_file import (
    apply_changes,
    export_changes,
    export_update,
    import_update,
)
from quyhoach.processing_algorithms.provincial_database.working_copies.outgoing import freeze
from quyhoach.processing_algorithms.provincial_database.working_copies.pull import pull
from quyhoach.processing_algorithms.provincial_database.working_copies.push import push
from quyhoach.processing_algorithms.provincial_database.working_copies.working_copy import WorkingCopy

FACILITY = load_catalogue()["facility"]
KIND = FACILITY.field("kind").domain.values[0].code
WHO = {"author": "ân", "message": "thử"}
IDS = [str(uuid.UUID(int=i)) for i in range(1, 6)]


def facility(name, x=0.0, **more):
    shape = shapely.to_wkb(shapely.Point(500000 + x, 1800000), byte_order=1, flavor="iso")
    return {**{field.name: None for field in FACILITY.fields}, "name": name, "kind": KIND, "geom": shape, **more}


def filled(hub):
    changes = tuple(Change("facility", id, None, facility(f"Số {i}", i)) for i, id in enumerate(IDS, start=1))
    assert send(hub, *changes).outcome is Outcome.APPLIED
    return hub


def send(hub, *changes):
    return hub.submit(Changeset(str(uuid.uuid4()), "ân", "", "thử", "", "2026-11-22T00:00:00.000Z", changes))


@pytest.fixture
def hub(stored_hub):
    return filled(stored_hub)


def out(hub, path):
    return checkout(path, hub, location="x", crs=pyproj.CRS(9214), datasets=[hub.datasets["facility"]],
                    scopes=[Scope("facility")])


def run(copy, *statements):
    """As another program would."""
    with closing(sqlite3.connect(copy.path, isolation_level=None)) as database:
        register_functions(database)
        for statement in statements:
            database.execute(statement)


def held(hub):
    with hub.deliver([Scope("facility")], None) as delivery:
        return {feature_id: row["name"] for _, feature_id, row in delivery.rows}


@pytest.mark.parametrize("by_file", [False, True])
def test_a_table_copied_without_its_key_brings_nobody_s_work_down(hub, tmp_path, by_file):
    """CREATE TABLE AS, as many programs alter a table: fid is no key any more, so rows that come later had none and looked deleted."""
    with out(hub, tmp_path / "a.gpkg") as copy:
        run(copy, 'ALTER TABLE facility ADD COLUMN "Của tôi" TEXT', "CREATE TABLE aside AS SELECT * FROM facility", "DROP TABLE facility",
            "ALTER TABLE aside RENAME TO facility", "UPDATE facility SET name = 'sửa', \"Của tôi\" = 'giữ' WHERE fid = 1",
            "INSERT INTO facility (name, kind, geom) SELECT 'Vẽ thêm', kind, geom FROM facility WHERE fid = 2")
        theirs = str(uuid.uuid4())
        assert send(hub, Change("facility", theirs, None, facility("Của xã khác")),
                    Change("facility", IDS[3], facility("Số 4", 4), None)).outcome is Outcome.APPLIED
        assert copy.status()[0].tracking_lost
        if by_file:
            export_changes(copy, tmp_path / "hỏi.qhz", **WHO)
            export_update(hub, tmp_path / "hỏi.qhz", tmp_path / "đáp.qhz")
            import_update(copy, tmp_path / "đáp.qhz")
        else:
            pull(copy, hub)
        [line] = copy.status()
        assert not line.tracking_lost and line.count == 7
        assert {c.feature_id: c.clash for c in conflicts(copy)} == {IDS[0]: Clash.FIELDS, IDS[3]: Clash.DELETED_THEIRS}, \
            "what somebody has deleted meanwhile does not come back by itself"
        run(copy, f"UPDATE facility SET name = 'Sửa của xã khác' WHERE feature_id = '{theirs}'")
        assert push(copy, hub, **WHO).outcome is Outcome.APPLIED
        there = held(hub)
        assert there[theirs] == "Sửa của xã khác" and "Vẽ thêm" in there.values() and IDS[3] not in there and len(there) == 6
        database = copy.database
        assert database.execute('SELECT "Của tôi" FROM facility WHERE fid = 1').fetchone() == ("giữ",), "their columns are kept"
        assert database.execute("SELECT count(*) FROM rtree_facility_geom r JOIN facility t ON t.fid = r.id").fetchone() == (7,)


def test_only_its_own_hub_hears_of_a_working_copy(hub, tmp_path):
    """Another hub would take new features and deletions, and the copy would count them as sent."""
    with create_hub(str(tmp_path / "khác.gpkg"), "EPSG:9214", datasets=[FACILITY]) as other, out(hub, tmp_path / "a.gpkg") as copy:
        run(copy, "DELETE FROM facility WHERE fid = 1")
        with pytest.raises(InputError, match="khác"):
            push(copy, other, **WHO)
        freeze(copy, **WHO)
        for exchange in (lambda: push(copy, other, **WHO), lambda: pull(copy, other)):
            with pytest.raises(InputError, match="khác"):
                exchange()
        assert other.position().token.startswith("0") and push(copy, hub, **WHO).outcome is Outcome.APPLIED
        assert IDS[0] not in held(hub)


def test_what_no_hub_takes_is_refused_by_name(hub, tmp_path):
    deep = shapely.to_wkb(shapely.Point(500000, 1800000, 3.0), output_dimension=3, flavor="iso")
    endless = struct.pack("<BIdd", 1, 1, float("inf"), 0.0)
    for value, told in (({"geom": deep}, "độ cao"), ({"geom": endless}, "đọc"), ({"geom": None}, "trống"), ({"name": "a\0b"}, "ký tự")):
        receipt = send(hub, Change("facility", IDS[0], facility("Số 1", 1), {**facility("Số 1", 1), **value}))
        assert receipt.outcome is Outcome.REFUSED and told in receipt.objections[0].reason


@pytest.mark.parametrize("name", ["author", "department", "message", "decision_no"])
def test_a_message_no_hub_takes_is_not_frozen(hub, tmp_path, name):
    """Frozen, it would stand before every later push and pull for good."""
    with out(hub, tmp_path / "bản.gpkg") as copy:
        run(copy, "UPDATE facility SET note = 'sửa'")
        with pytest.raises(InputError, match="gõ lại"):
            push(copy, hub, **{**WHO, name: "a\0b"})
        assert copy.status()[0].waiting == 0 and push(copy, hub, **WHO).outcome is Outcome.APPLIED


def test_text_that_is_none_is_told_by_feature_and_field(hub, tmp_path):
    with out(hub, tmp_path / "a.gpkg") as copy:
        run(copy, "UPDATE facility SET address = CAST(x'D0B1FF' AS TEXT) WHERE fid = 2")
        told = []
        for meet in (copy.status, lambda: push(copy, hub, **WHO), lambda: pull(copy, hub)):
            with pytest.raises(InputError, match=f"UTF-8.*{IDS[1]}") as caught:
                meet()
            told.append(caught)
        # Whoever still shows the errors holds no lock.
        run(copy, "UPDATE facility SET address = 'Thôn Hạ' WHERE fid = 2")
        assert push(copy, hub, **WHO).outcome is Outcome.APPLIED


@pytest.mark.parametrize("harm", [
    "INSERT OR REPLACE INTO quyhoach_working_copy VALUES ('sent', '{')", "UPDATE quyhoach_scope SET communes = '{'",
    "INSERT INTO quyhoach_outgoing VALUES (1, 'x', 'a', '', 'm', '', 'n', x'00')"])
def test_altered_notes_of_a_copy_are_a_sentence(hub, tmp_path, harm):
    with out(hub, tmp_path / "a.gpkg") as copy:
        run(copy, harm)
    with WorkingCopy(tmp_path / "a.gpkg") as copy, pytest.raises(InputError, match="hỏng"):
        pull(copy, hub)


@pytest.mark.parametrize("spoil", [
    lambda request, changes: request["changesets"][0].update(changeset_id="'; DROP TABLE facility"),
    lambda request, changes: request["changesets"][0].update(author="a\0b"),
    lambda request, changes: request["changesets"][0].update(made_at="infinity"),
    lambda request, changes: changes.update({"changes-0.z": zlib.compress(b"[" * 200_000)}),
    lambda request, changes: changes.update({"changes-0.z": zlib.compress(b"{}")}),
    lambda request, changes: changes.update({"changes-0.z": zlib.compress(b" " * 80_000_000)}),
    lambda request, changes: changes.update({"rest": b" " * 80_000_000})])
def test_a_changes_file_made_by_an_enemy_is_refused_whole(hub, tmp_path, spoil):
    """Its checksums are right: who can alter the file can count them too."""
    with out(hub, tmp_path / "a.gpkg") as copy:
        run(copy, "UPDATE facility SET name = 'sửa'")
        export_changes(copy, tmp_path / "a.qhz", **WHO)
    with zipfile.ZipFile(tmp_path / "a.qhz") as archive:
        parts = {name: archive.read(name) for name in archive.namelist() if name != "manifest.json"}
        manifest = json.loads(archive.read("manifest.json"))
    request = json.loads(parts["request.json"])
    spoil(request, parts)
    parts["request.json"] = json.dumps(request).encode()
    manifest["sha256"] = {name: hashlib.sha256(data).hexdigest() for name, data in parts.items()}
    with zipfile.ZipFile(tmp_path / "b.qhz", "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in {**parts, "manifest.json": json.dumps(manifest)}.items():
            archive.writestr(name, data)
    with pytest.raises(InputError, match="bị hỏng"):
        apply_changes(hub, tmp_path / "b.qhz")
    assert "sửa" not in held(hub).values()


def written_by_geopandas(path, frame, mode):
    """What geopandas said when it could not."""
    try:
        frame.to_file(path, layer="facility", engine="pyogrio", mode=mode)
    except pyogrio.errors.DataSourceError as error:
        return str(error).rpartition("failed: ")[2]
    return ""


def test_geopandas_appends_and_replaces(hub, tmp_path):
    """What GDAL 3.6 says of our layer it says of any with such a spatial index; and whatever it says, nothing is lost."""
    with out(hub, tmp_path / "bản.gpkg") as copy:
        frame = geopandas.read_file(copy.path, layer="facility", engine="pyogrio")
        assert written_by_geopandas(copy.path, frame.assign(name="nối thêm"), "a") == ""
        [line] = copy.status()
        assert (line.added, line.changed, line.tracking_lost) == (5, 0, False)
        assert push(copy, hub, **WHO).outcome is Outcome.APPLIED
        pull(copy, hub)
        # The same layer without anything of ours, but with the same triggers of the spatial index.
        other = tmp_path / "của ai.gpkg"
        frame.to_file(other, layer="facility", engine="pyogrio")
        triggers = copy.database.execute("SELECT sql FROM sqlite_master WHERE type = 'trigger' AND name LIKE 'rtree%'").fetchall()
        with closing(sqlite3.connect(other, isolation_level=None)) as database:
            for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger' AND name LIKE 'rtree%'").fetchall():
                database.execute(f'DROP TRIGGER "{name}"')
            for (text,) in triggers:
                database.execute(text)
        frame = geopandas.read_file(copy.path, layer="facility", engine="pyogrio").iloc[1:]
        frame.loc[frame["name"] == "Số 2", "name"] = "thay cả lớp"
        assert written_by_geopandas(copy.path, frame, "w") == written_by_geopandas(other, frame, "w")
    with WorkingCopy(tmp_path / "bản.gpkg") as copy:
        assert copy.status()[0].tracking_lost
        pull(copy, hub)
        assert not copy.status()[0].tracking_lost
        assert "thay cả lớp" in [name for (name,) in copy.database.execute("SELECT name FROM facility")]
        resolve(copy, Rule.OURS)
        assert push(copy, hub, **WHO).outcome is Outcome.APPLIED
    with hub.deliver([Scope("facility")], None) as delivery:
        assert sorted(row["name"] for *_, row in delivery.rows) == ["Số 1", "Số 3", "Số 4", "Số 5", *["nối thêm"] * 5, "thay cả lớp"]
