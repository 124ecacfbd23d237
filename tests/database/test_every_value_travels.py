"""Every kind of value goes from a working copy through push, hub, pull and file unaltered; hostile ones do no harm."""

import json
import os
import sqlite3
import subprocess
import unicodedata
import uuid
import zipfile

import numpy as np
import pyproj
import pytest
import shapely
from osgeo import ogr
from quyhoach.processing_algorithms.common.errors import InputError
from quyhoach.processing_algorithms.provincial_database.catalogue import load_catalogue
from quyhoach.processing_algorithms.provincial_database.changes import Change, Changeset, Outcome, Scope
from quyhoach.processing_algorithms.provincial_database.geopackage.geometry import register_functions, to_blobs
from quyhoach.processing_algorithms.provincial_database.working_copies.checkout import checkout
from quyhoach.processing_algorithms.provincial_database.working_copies.exchange_file import (
    apply_changes,
    export_changes,
    export_update,
    import_update,
)
from quyhoach.processing_algorithms.provincial_database.working_copies.pull import pull
from quyhoach.processing_algorithms.provincial_database.working_copies.push import push
from quyhoach.processing_algorithms.provincial_database.working_copies.working_copy import WorkingCopy

NAMES = ("field_report", "parcel", "shelter")
DATASETS = [load_catalogue()[name] for name in NAMES]
WHO = {"author": "ân", "message": "gửi"}
CRS = pyproj.CRS(9214)
COMPOSED = unicodedata.normalize("NFC", "Phường Vĩnh Hà, tổ dân phố số 3")


@pytest.fixture
def hub(stored_hub):
    return stored_hub


@pytest.fixture
def office(hub, tmp_path):
    copies = []

    def make(name):
        copies.append(checkout(tmp_path / f"{name}.gpkg", hub, location=hub.info.location, crs=CRS, datasets=DATASETS,
                               scopes=[Scope(name) for name in NAMES]))
        return copies[-1]

    yield make
    for copy in copies:
        copy.close()


def opened(path):
    database = sqlite3.connect(path, isolation_level=None)
    register_functions(database)
    return database


def put(copy, table, shape, **values):
    """Insert as another program does; return the feature's id."""
    database = opened(copy.path)
    dataset = copy.datasets[table]
    needed = {field.name: field.domain.values[0].code if field.domain
              else {"text": "19801", "integer": 1, "real": 1.0, "boolean": 1,
                                                                            "datetime": "2026-11-22T00:00:00.000Z",
                    "date": "2026-11-22"}[field.type]
              for field in dataset.fields if field.required}
    row = {**needed, **values, "geom": to_blobs(np.array([shape], dtype=object), copy.srs_id)[0]}
    names = ", ".join(f'"{name}"' for name in row)
    fid = database.execute(f'INSERT INTO "{table}" ({names}) VALUES ({", ".join("?" * len(row))})', tuple(row.values())).lastrowid
    [id] = database.execute(f'SELECT feature_id FROM "{table}" WHERE fid = ?', (fid,)).fetchone()
    database.close()
    return id


POINT = shapely.Point(500000.125, 1800000.0009765625)
#: (dataset, field, value as a program writes it, value as it travels)
VALUES = [
    ("field_report", "people_affected", 2**63 - 1, 2**63 - 1), ("field_report", "people_affected", 2**53 + 1, 2**53 + 1),
    ("field_report", "people_affected", None, None), ("field_report", "people_affected", 0, 0),
    ("field_report", "depth_m", 0.1 + 0.2, 0.30000000000000004), ("field_report", "depth_m", 5e-324, 5e-324), ("field_report", "depth_m", 3, 3.0),
    ("field_report", "note", "12345678901234567.8901", "12345678901234567.8901"), ("field_report", "note", "1,50", "1,50"),
    ("field_report", "note", "", ""), ("field_report", "note", None, None), ("field_report", "note", " hai đầu ", " hai đầu "),
    ("field_report", "note", COMPOSED, COMPOSED),
    ("field_report", "note", unicodedata.normalize("NFD", COMPOSED), unicodedata.normalize("NFD", COMPOSED)),
    ("field_report", "note", "O'Brien \"x\" \\ %s ? ; DROP TABLE parcel; --", "O'Brien \"x\" \\ %s ? ; DROP TABLE parcel; --"),
    ("field_report", "note", "dòng 1\r\ndòng 2\ttab \u2028 \U0001f30a", "dòng 1\r\ndòng 2\ttab \u2028 \U0001f30a"),
    ("field_report", "reported_at", "1904-02-29T23:59:59.999Z", "1904-02-29T23:59:59.999Z"),
    ("field_report", "reported_at", "2026-11-22T07:00:00.123+07:00", "2026-11-22T00:00:00.123Z"),
    ("parcel", "survey_date", "1930-12-31", "1930-12-31"), ("parcel", "survey_date", "2024-02-29", "2024-02-29"),
    ("parcel", "parcel_no", 2**63 - 1, 2**63 - 1), ("shelter", "has_water", 0, False), ("shelter", "has_water", 1, True), ("shelter", "has_water", None, None),
]
SHAPES = {
    "field_report": POINT, "shelter": POINT,
    "parcel": shapely.MultiPolygon([shapely.Polygon([(0, 0), (9, 0), (9, 9), (0, 9)], [[(1, 1), (2, 1), (2, 2)]]),
                                    shapely.box(20, 0, 30.1, 10)])}


def test_through_hub_copy_and_file(hub, office, tmp_path):
    here, there, by_file = office("đây"), office("kia"), office("tệp")
    ids = [put(here, table, SHAPES[table], **{name: value}) for table, name, value, _ in VALUES]
    assert push(here, hub, **WHO).outcome is Outcome.APPLIED
    pull(there, hub)
    export_changes(by_file, tmp_path / "hỏi.qhz", author="ân")
    export_update(hub, tmp_path / "hỏi.qhz", tmp_path / "đáp.qhz")
    import_update(by_file, tmp_path / "đáp.qhz")
    again = office("mới")
    for (table, name, _, expected), id in zip(VALUES, ids):
        for copy in (here, there, by_file, again):
            row = copy.row(copy.datasets[table], id)
            assert row[name] == expected and type(row[name]) is type(expected), (table, name, copy.path)
            shape = shapely.from_wkb(row["geom"])
            assert shape.equals_exact(SHAPES[table], 0) and shape.geom_type == SHAPES[table].geom_type
    for copy in (here, there, by_file, again):
        assert sum(line.edits for line in copy.status()) == 0, "untouched is unchanged"
        assert push(copy, hub, **WHO).outcome is None


def test_values_are_changed_back_and_forth(hub, office):
    """Each value replaces another in an existing row, and goes out by a changes file's route as well as it came in."""
    here, there = office("đây"), office("kia")
    ids = {table: put(here, table, SHAPES[table]) for table in NAMES}
    push(here, hub, **WHO)
    pull(there, hub)
    for table, name, value, expected in VALUES:
        opened(here.path).execute(f'UPDATE "{table}" SET "{name}" = ?', (value,))
        push(here, hub, **WHO)
        pull(there, hub)
        assert there.row(there.datasets[table], ids[table])[name] == expected
        assert sum(line.edits for line in here.status()) == 0


def test_other_programs_append_and_update(hub, office, tmp_path):
    here = office("đây")
    put(here, "shelter", POINT)
    push(here, hub, **WHO)
    out = tmp_path / "sửa.gpkg"
    for command in (["-f", "GPKG", str(out), str(here.path), "shelter"],
                    ["-update", "-append", str(here.path), str(out), "-nln", "shelter"]):
        done = subprocess.run(["ogr2ogr", *command], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
    [line] = [line for line in here.status() if line.dataset.name == "shelter"]
    assert (line.added, line.changed, line.count) == (1, 0, 2), "what is appended again is a feature of its own"
    field = next(field.name for field in here.datasets["shelter"].fields if field.type == "text"
                 and field.domain is None)
    done = subprocess.run(["ogrinfo", str(here.path), "-sql", f"UPDATE shelter SET \"{field}\" = '19802'"],
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    [line] = [line for line in here.status() if line.dataset.name == "shelter"]
    assert (line.added, line.changed) == (1, 1)
    assert push(here, hub, **WHO).outcome is Outcome.APPLIED and hub.count(hub.dataset("shelter")) == 2


def test_an_enormous_attribute_is_refused_by_hub_and_copy(hub, office, tmp_path):
    here = office("đây")
    id = put(here, "field_report", POINT)
    huge = "x" * 200_000_000
    with pytest.raises(sqlite3.IntegrityError, match="dài quá"):
        opened(here.path).execute("UPDATE field_report SET note = ?", (huge,))
    row = {**here.row(here.datasets["field_report"], id), "note": huge}
    receipt = hub.submit(Changeset(str(uuid.uuid4()), "x", "", "x", "", "2026-11-22T00:00:00.000Z",
                                   (Change("field_report", id, None, row),)))
    assert receipt.outcome is Outcome.REFUSED and "dài quá" in receipt.objections[0].reason
    assert push(here, hub, **WHO).outcome is Outcome.APPLIED


def altered(source, target, change):
    """A changes file whose request and changes were rewritten, with checksums that fit."""
    import hashlib
    import zlib

    with zipfile.ZipFile(source) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    changes = json.loads(zlib.decompress(parts["changes-0.z"]))
    parts["changes-0.z"] = zlib.compress(json.dumps([change(one) for one in changes]).encode())
    manifest = json.loads(parts["manifest.json"])
    manifest["sha256"] = {name: hashlib.sha256(parts[name]).hexdigest() for name in manifest["sha256"]}
    parts["manifest.json"] = json.dumps(manifest).encode()
    with zipfile.ZipFile(target, "w") as archive:
        for name, data in parts.items():
            archive.writestr(name, data)
    return target


@pytest.mark.parametrize("change", [
    lambda line: [line[0], "x'; DROP TABLE parcel; --", *line[2:]],
    lambda line: [line[0], 7, *line[2:]],
    lambda line: [line[0], line[1], line[2], {**line[3], "geom": {"wkb": "00ff"}}, line[4]],
    lambda line: [line[0], line[1], line[2], {**line[3], "note": ["x"]}, line[4]],
    lambda line: [*line[:3], [{"geom": {"wkb": "00ff"}}], line[4]],
    lambda line: [*line[:3], [line[3], line[3]], line[4]],
    lambda line: line[:3], lambda line: {"a": 1}])
def test_nonsense_with_fitting_checksums_is_refused(hub, office, tmp_path, change):
    here = office("đây")
    put(here, "field_report", POINT)
    export_changes(here, tmp_path / "tốt.qhz", **WHO)
    before = hub.changesets()  # not its position: on a server other databases' transactions move that too
    with pytest.raises(InputError, match="bị hỏng hoặc đã bị sửa"):
        apply_changes(hub, altered(tmp_path / "tốt.qhz", tmp_path / "xấu.qhz", change))
    assert hub.changesets() == before


@pytest.mark.parametrize("change, told", [
    (lambda line: ['parcel"; DROP TABLE parcel; --', *line[1:]], "không có"),
    (lambda line: [*line[:3], {**line[3], "people_affected": "nhiều"}, line[4]], "sai kiểu"),
    (lambda line: [*line[:3], {**line[3], "kind": "lạ"}, line[4]], "danh mục")])
def test_what_the_catalogue_does_not_allow_is_refused_by_the_hub(hub, office, tmp_path, change, told):
    here = office("đây")
    put(here, "field_report", POINT)
    export_changes(here, tmp_path / "tốt.qhz", **WHO)
    [receipt] = apply_changes(hub, altered(tmp_path / "tốt.qhz", tmp_path / "xấu.qhz", change))
    assert receipt.outcome is Outcome.REFUSED and told in receipt.objections[0].reason.lower()
    assert hub.count(hub.dataset("parcel")) == hub.count(hub.dataset("field_report")) == 0


def test_a_value_for_a_field_nobody_knows_is_refused_not_lost(hub, office, tmp_path):
    """Taken silently it would be sent as far as its office knows, and be nowhere else. An empty one is nothing to lose."""
    here = office("đây")
    id = put(here, "field_report", POINT)
    export_changes(here, tmp_path / "tốt.qhz", **WHO)

    def with_more(**more):
        path = altered(tmp_path / "tốt.qhz", tmp_path / "lạ.qhz",
                       lambda line: [*line[:3], {**line[3], **more}, line[4]])
        [receipt] = apply_changes(hub, path)
        return receipt

    refused = with_more(**{'x" = 1; --': 1, "fid": 99})
    assert refused.outcome is Outcome.REFUSED and 'không có trường x" = 1; --' in refused.objections[0].reason
    assert with_more(**{'x" = 1; --': None, "fid": 99}).outcome is Outcome.APPLIED
    assert hub.read(hub.dataset("field_report"))["feature_id"].tolist() == [id]


@pytest.mark.parametrize("lie", [
    "UPDATE quyhoach_dataset SET table_name = 'sqlite_master' WHERE table_name = 'parcel'",
    "UPDATE quyhoach_dataset SET table_name = 'parcel\"; DROP TABLE shelter; --' WHERE table_name = 'parcel'",
    "ALTER TABLE shelter RENAME TO shelter_cu", "DROP TABLE quyhoach_base_shelter", "DELETE FROM quyhoach_working_copy WHERE key = 'token'",
    "DROP TABLE quyhoach_field", "UPDATE quyhoach_working_copy SET value = 'x' WHERE key = 'srs_id'"])
def test_a_file_that_lies_about_its_tables_is_refused(office, lie):
    here = office("đây")
    here.close()
    opened(here.path).execute(lie)
    before = here.path.read_bytes()
    with pytest.raises(InputError):
        WorkingCopy(here.path)
    assert here.path.read_bytes() == before


def test_a_shape_that_cannot_be_read_is_named(hub, office):
    here = office("đây")
    id = put(here, "shelter", POINT)
    with pytest.raises(sqlite3.IntegrityError, match="không phải là hình"):
        opened(here.path).execute("UPDATE shelter SET geom = x'0102'")
    opened(here.path).execute("UPDATE shelter SET geom = x'4750'")
    for step in (here.status, lambda: push(here, hub, **WHO)):
        with pytest.raises(InputError, match=id):
            step()
    opened(here.path).execute("UPDATE shelter SET geom = ?",
                              (to_blobs(np.array([POINT], dtype=object), here.srs_id)[0],))
    assert push(here, hub, **WHO).outcome is Outcome.APPLIED


def drawn(path, table, fid, wkt):
    """Another program draws a shape of any kind into the layer, as ogr2ogr does that appends."""
    source = ogr.Open(str(path), 1)  # a layer without it is a wild pointer
    layer = source.GetLayer(table)
    feature = layer.GetFeature(fid)
    feature.SetGeometry(ogr.CreateGeometryFromWkt(wkt))
    layer.SetFeature(feature)


def test_one_polygon_is_many_of_one(hub, office):
    here, there = office("đây"), office("kia")
    id = put(here, "parcel", SHAPES["parcel"])
    drawn(here.path, "parcel", 1, "POLYGON ((0 0, 9 0, 9 9, 0 0))")
    assert push(here, hub, **WHO).outcome is Outcome.APPLIED
    pull(there, hub)
    assert shapely.from_wkb(there.row(there.datasets["parcel"], id)["geom"]).wkt == "MULTIPOLYGON (((0 0, 9 0, 9 9, 0 0)))"
    drawn(there.path, "parcel", 1, "POLYGON ((0 0, 9 0, 9 9, 0 0))")
    assert [sum(line.edits for line in copy.status()) for copy in (here, there)] == [0, 0]
    drawn(there.path, "parcel", 1, "POLYGON EMPTY")
    assert push(there, hub, **WHO).outcome is Outcome.APPLIED
    pull(here, hub)
    assert shapely.from_wkb(here.row(here.datasets["parcel"], id)["geom"]).wkt == "MULTIPOLYGON EMPTY"


@pytest.mark.parametrize("wkt, told", [
    ("MULTIPOLYGON Z (((0 0 1, 9 0 2, 9 9 3, 0 0 1)))", "không có độ cao, trị đo"), ("MULTIPOLYGON M (((0 0 1, 9 0 2, 9 9 3, 0 0 1)))", "không có độ cao, trị đo"),
    ("POLYGON ZM ((0 0 1 2, 9 0 2 2, 9 9 3 2, 0 0 1 2))", "không có độ cao, trị đo"), ("POINT (1 1)", "phải là MultiPolygon"),
    ("CURVEPOLYGON (CIRCULARSTRING (0 0, 5 5, 10 0, 5 -5, 0 0))", "cung tròn"), ("MULTISURFACE (CURVEPOLYGON (CIRCULARSTRING (0 0, 5 5, 10 0, 5 -5, 0 0)))", "cung tròn")])
def test_what_a_hub_keeps_nothing_of_is_refused_not_dropped(hub, office, wkt, told):
    here = office("đây")
    put(here, "parcel", SHAPES["parcel"])
    assert push(here, hub, **WHO).outcome is Outcome.APPLIED
    drawn(here.path, "parcel", 1, wkt.replace("9", "8"))
    try:
        report = push(here, hub, **WHO)
        assert report.outcome is Outcome.REFUSED
        said = report.receipts[0].objections[0].reason
    except InputError as error:
        said = str(error)
    assert told in said
    drawn(here.path, "parcel", 1, "MULTIPOLYGON (((0 0, 7 0, 7 7, 0 0)))")
    assert push(here, hub, **WHO).outcome is Outcome.APPLIED
    [row] = hub.read(hub.dataset("parcel")).geometry
    assert row.wkt == "MULTIPOLYGON (((0 0, 7 0, 7 7, 0 0)))"


@pytest.mark.skipif(not hasattr(os, "symlink"), reason="no links here")
def test_a_link_is_no_working_copy(hub, office, tmp_path):
    here = office("đây")
    os.symlink(here.path, tmp_path / "liên kết.gpkg")
    with pytest.raises(InputError, match="liên kết"):
        WorkingCopy(tmp_path / "liên kết.gpkg")
