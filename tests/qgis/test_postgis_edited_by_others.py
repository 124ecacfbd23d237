"""A PostGIS hub edited by other people's programs: QGIS itself (split, merge, paste) and ogr2ogr."""

import os
import subprocess
import uuid

import psycopg2
import pytest
from qgis.core import (
    QgsDataSourceUri,
    QgsFeature,
    QgsGeometry,
    QgsPointXY,
    QgsProject,
    QgsVectorLayer,
    QgsVectorLayerUtils,
)
from quyhoach.processing_algorithms.provincial_database.administration.offices import set_department, set_person
from quyhoach.processing_algorithms.provincial_database.catalogue import load_catalogue
from quyhoach.processing_algorithms.provincial_database.changes import Scope
from quyhoach.processing_algorithms.provincial_database.postgis.create import create_postgis_hub
from quyhoach.processing_algorithms.provincial_database.postgis.health import check_postgis_hub
from quyhoach.processing_algorithms.provincial_database.postgis.history import changesets

INSERT = ("INSERT INTO quyhoach_data.parcel (old_commune_code, commune_code, sheet_no, parcel_no, land_code, geom) "
          "VALUES ('00001', %s, '1', %s, 'ONT', ST_Multi(ST_MakeEnvelope(%s, 0, %s, 10, 9214)))")


@pytest.fixture
def hub(server):
    name = f"qgis_{uuid.uuid4().hex[:8]}"
    connection = psycopg2.connect(**server.parameters())
    connection.autocommit = True
    connection.cursor().execute(f'CREATE DATABASE "{name}"')
    connection.close()
    with create_postgis_hub(server.parameters(dbname=name), "EPSG:9214", datasets=[load_catalogue()["parcel"]]) as made:
        with made.connection.cursor() as cursor:
            cursor.execute(INSERT, ("25001", 1, 0, 10))
            cursor.execute(INSERT, ("25002", 2, 20, 30))
        yield made


def layer_of(hub, server, user="postgres", schema="quyhoach_data"):
    uri = QgsDataSourceUri()
    uri.setConnection(str(server.folder), str(server.port), hub.connection.info.dbname, user, "")
    uri.setDataSource(schema, "parcel", "geom", "", "fid")
    layer = QgsVectorLayer(uri.uri(False), "Thửa đất", "postgres")
    assert layer.isValid(), layer.error().message()
    return layer


def rows_of(hub):
    with hub.deliver([Scope("parcel")], None) as delivery:
        return {feature_id: row for _, feature_id, row in delivery.rows}


def in_order(hub):
    return [finding for finding in check_postgis_hub(hub) if not finding.in_order] == []


def test_split_paste_and_merge_in_qgis(hub, server, qgis_app):
    layer = layer_of(hub, server)
    first = next(layer.getFeatures("parcel_no = 1"))
    assert layer.startEditing()
    assert layer.splitFeatures([QgsPointXY(5, -1), QgsPointXY(5, 11)], False) == 0
    assert layer.commitChanges(), layer.commitErrors()
    halves = {feature_id: row for feature_id, row in rows_of(hub).items() if row["parcel_no"] == 1}
    assert len(halves) == 2 and first["feature_id"].strip(
        "{}") in halves, "one half keeps the identity, the other gets its own"
    # Paste a copy, as QGIS does it: unique fields get their defaults.
    layer = layer_of(hub, server)
    assert layer.startEditing()
    source = next(layer.getFeatures("parcel_no = 2"))
    copy = QgsVectorLayerUtils.createFeature(layer, source.geometry(), dict(enumerate(source.attributes())))
    assert layer.addFeature(copy) and layer.commitChanges(), layer.commitErrors()
    assert len(rows_of(hub)) == 4
    # Merge the halves: one is changed, one deleted.
    assert layer.startEditing()
    a, b = layer.getFeatures("parcel_no = 1")
    layer.changeGeometry(a.id(), a.geometry().combine(b.geometry()))
    layer.deleteFeature(b.id())
    assert layer.commitChanges(), layer.commitErrors()
    assert len(rows_of(hub)) == 3 and in_order(hub)
    # QGIS commits deletions and new shapes in transactions of their own.
    assert [note.features
            for note in changesets(hub)[:2]] == [{"parcel": 1}] * 2 and changesets(hub)[0].author == "postgres"


@pytest.mark.parametrize("secrecy, schema", [("restricted", "quyhoach_data"), ("public", "quyhoach_public")])
def test_qgis_shows_our_words_when_a_ward_goes_too_far(hub, server, qgis_app, secrecy, schema):
    """Who may not see every column works in a view that shows the others."""
    login = f"p_{uuid.uuid4().hex[:12]}"
    name = f"d{uuid.uuid4().hex[:8]}"
    set_department(hub, name, label="Phường 25001", kind="land", communes=["25001"])
    set_person(hub, login, departments=[name], secrecy=secrecy)
    layer = layer_of(hub, server, login, schema)
    assert (layer.fields().indexOf("certificate_no") >= 0) is (secrecy == "restricted")
    assert layer.featureCount() == 1
    feature = next(layer.getFeatures())
    assert layer.startEditing()
    layer.changeAttributeValue(feature.id(), layer.fields().indexOf("note"), "phường ghi")
    assert layer.commitChanges(), layer.commitErrors()
    assert layer.startEditing()
    layer.changeAttributeValue(feature.id(), layer.fields().indexOf("commune_code"), "25002")
    assert not layer.commitChanges() and "không có quyền ghi" in " ".join(layer.commitErrors())
    layer.rollBack()
    assert layer.startEditing()
    new = QgsFeature(layer.fields())
    for field, value in {"old_commune_code": "00001", "commune_code": "25002", "sheet_no": "1", "parcel_no": 9,
                         "land_code": "ONT"}.items():
        new[field] = value
    new.setGeometry(QgsGeometry.fromWkt("MultiPolygon(((0 0, 1 0, 1 1, 0 0)))"))
    layer.addFeature(new)
    assert not layer.commitChanges() and "không có quyền ghi" in " ".join(layer.commitErrors())
    layer.rollBack()
    assert sorted(str(row["note"]) for row in rows_of(hub).values()) == ["None", "phường ghi"] and in_order(hub)
    QgsProject.instance().clear()


def test_ogr2ogr_append_and_update(hub, server, tmp_path):
    database = f"PG:dbname={hub.connection.info.dbname} user=postgres host={server.folder} port={server.port}"
    path = tmp_path / "thửa đất.gpkg"

    def ogr2ogr(*arguments):
        done = subprocess.run(["ogr2ogr", *map(str, arguments)], capture_output=True, text=True,
                              env={**os.environ, "PGCLIENTENCODING": "UTF8"})
        assert done.returncode == 0 and "ERROR" not in done.stderr, done.stderr

    ogr2ogr("-f", "GPKG", path, database, "-nln", "parcel", "-sql",
            "SELECT old_commune_code, commune_code, sheet_no, parcel_no + 10 AS parcel_no, land_code, geom "
            "FROM quyhoach_data.parcel")
    for copy in ("YES", "NO"):
        ogr2ogr("--config", "PG_USE_COPY", copy, "-f", "PostgreSQL", database, path, "parcel", "-append", "-nln",
                "quyhoach_data.parcel")
    assert len(rows_of(hub)) == 6
    ogr2ogr("-f", "PostgreSQL", database, path, "parcel", "-update", "-append", "-nln", "quyhoach_data.parcel",
            "-where", "parcel_no = 11")
    assert len(rows_of(hub)) == 7 and in_order(hub)
