"""Creating, upgrading, checking, backing up and restoring a PostGIS hub."""

import uuid

import psycopg2
import pyproj
import pytest
from postgis_rows import changeset, delivered, new, parcel
from quyhoach.processing_algorithms.common.addresses import is_postgis_location
from quyhoach.processing_algorithms.common.errors import InputError, OutputError
from quyhoach.processing_algorithms.provincial_database.administration.offices import set_department, set_person
from quyhoach.processing_algorithms.provincial_database.catalogue import load_catalogue
from quyhoach.processing_algorithms.provincial_database.changes import Change, Outcome, Scope
from quyhoach.processing_algorithms.provincial_database.hub import open_hub
from quyhoach.processing_algorithms.provincial_database.postgis.backup import (
    backup_postgis_hub,
    drill,
    restore_postgis_hub,
)
from quyhoach.processing_algorithms.provincial_database.postgis.connection import parameters_of
from quyhoach.processing_algorithms.provincial_database.postgis.create import create_postgis_hub
from quyhoach.processing_algorithms.provincial_database.postgis.health import check_postgis_hub
from quyhoach.processing_algorithms.provincial_database.postgis.history import changesets, rows_as_of
from quyhoach.processing_algorithms.provincial_database.postgis.hub import SCHEMA_VERSION, PostgisHub
from quyhoach.processing_algorithms.provincial_database.postgis.ledger_gaps import enter_gaps
from quyhoach.processing_algorithms.provincial_database.postgis.upgrade import newest_version, upgrade_postgis_hub

TABLE = "quyhoach_data.parcel"
# Everything that makes a schema what it is, without what differs from one database to the next.
SHAPE = """
    SELECT 'column', c.oid::regclass::text, a.attname::text, format_type(a.atttypid, a.atttypmod), coalesce(pg_get_expr(d.adbin, d.adrelid), ''), c.relacl::text
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum WHERE n.nspname LIKE 'quyhoach%%'
    UNION ALL SELECT 'function', p.oid::regprocedure::text, pg_get_functiondef(p.oid), p.proacl::text, '', '' FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
    WHERE n.nspname LIKE 'quyhoach%%'
    UNION ALL SELECT 'trigger', pg_get_triggerdef(t.oid), '', '', '', '' FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
    JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname LIKE 'quyhoach%%' AND NOT t.tgisinternal
    UNION ALL SELECT 'constraint', conrelid::regclass::text, pg_get_constraintdef(c.oid), '', '', '' FROM pg_constraint c JOIN pg_namespace n ON n.oid = c.connamespace
    WHERE n.nspname LIKE 'quyhoach%%'
    UNION ALL SELECT 'policy', polrelid::regclass::text, polname::text, pg_get_expr(polqual, polrelid), pg_get_expr(polwithcheck, polrelid), '' FROM pg_policy
    UNION ALL SELECT 'index', indexdef, '', '', '', '' FROM pg_indexes WHERE schemaname LIKE 'quyhoach%%'"""


def shape(sql_at, parameters, roles):
    return sorted(tuple(str(part).replace(roles, "HUB") for part in row) for row in sql_at(parameters, SHAPE))


def test_the_oldest_schema_grows_into_the_newest(empty_database, postgis_parameters, postgis_hub, sql_at):
    with pytest.raises(InputError, match="hubupgrade"):
        create_postgis_hub(empty_database, "EPSG:9214", version=2)
    told = upgrade_postgis_hub(empty_database)
    assert told == [f"Cấu trúc 2 lên {newest_version()}."] and newest_version() == SCHEMA_VERSION
    with PostgisHub(empty_database) as upgraded:
        assert shape(sql_at, empty_database, upgraded.roles) == shape(sql_at, postgis_parameters, postgis_hub.roles)
        assert upgraded.submit(changeset(new(parcel(upgraded)))).outcome is Outcome.APPLIED
    assert upgrade_postgis_hub(empty_database) == [], "a second time does nothing"


def test_systems_are_added_and_none_is_overwritten(empty_database, sql_at):
    sql_at(empty_database, "CREATE EXTENSION postgis")
    sql_at(empty_database, "INSERT INTO spatial_ref_sys VALUES (9210, 'EPSG', 9210, 'của ai đó', 'của ai đó')")
    before = dict(sql_at(empty_database,
                         "SELECT srid, md5(concat(auth_name, auth_srid, srtext, proj4text)) FROM spatial_ref_sys"))
    with create_postgis_hub(empty_database, "EPSG:9214") as hub:
        assert (hub.srid, hub.info.crs) == (9214, pyproj.CRS.from_epsg(9214))
    after = dict(sql_at(empty_database,
                        "SELECT srid, md5(concat(auth_name, auth_srid, srtext, proj4text)) FROM spatial_ref_sys"))
    assert {srid: after[srid] for srid in before} == before
    assert sorted(set(after) - set(before)) == [srid for srid in range(9205, 9219) if srid not in before]
    assert set(range(9205, 9219)) <= set(after)
    assert sql_at(empty_database,
                  "SELECT DISTINCT auth_name FROM spatial_ref_sys WHERE srid BETWEEN 9205 AND 9218") == [("EPSG",)]


def test_nothing_is_created_over_a_hub_or_in_degrees(empty_database, postgis_parameters, sql_at):
    with pytest.raises(OutputError, match="không bao giờ ghi đè"):
        create_postgis_hub(postgis_parameters, "EPSG:9214")
    with pytest.raises(InputError, match="độ"):
        create_postgis_hub(empty_database, "EPSG:4326")
    login = f"p_{uuid.uuid4().hex[:12]}"
    sql_at(empty_database, f"CREATE ROLE {login} LOGIN")
    with pytest.raises(InputError) as refusal:
        create_postgis_hub({**empty_database, "user": login}, "EPSG:9214")
    assert len(refusal.value.problems) == 3, "all that is missing is told at once"
    assert sql_at(empty_database, "SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'quyhoach%%'") == [(0,)]


def test_an_owner_of_the_database_needs_no_superuser_where_postgis_is(empty_database, sql_at):
    login = f"p_{uuid.uuid4().hex[:12]}"
    sql_at(empty_database, "CREATE EXTENSION postgis")
    sql_at(empty_database, f"CREATE ROLE {login} LOGIN CREATEROLE")
    sql_at(empty_database, f'ALTER DATABASE "{empty_database["dbname"]}" OWNER TO {login}')
    sql_at(empty_database, f"GRANT INSERT ON spatial_ref_sys TO {login}")
    with create_postgis_hub({**empty_database, "user": login}, "EPSG:9214",
                            datasets=[load_catalogue()["parcel"]]) as hub:
        assert hub.submit(changeset(new(parcel(hub)))).outcome is Outcome.APPLIED


def test_passwords_are_refused_and_never_repeated(postgis_server):
    for location in ("postgresql://lan:bimat@host/tinh", "host=h password=bimat dbname=tinh",
                     "postgresql://host/tinh?password=bimat",
                     "password=bimat host", "postgresql://lan:bimat@host:kq/tinh", "dbname=tinh password='bimat"):
        assert is_postgis_location(location)
        with pytest.raises(InputError) as refusal:
            parameters_of(location)
        assert "bimat" not in str(refusal.value) and refusal.value.__cause__ is None
        assert "bimat" not in "".join(map(str, [refusal.value.__context__]))
    wrong = {"host": "127.0.0.1", "port": postgis_server.port, "user": "postgres", "dbname": "postgres",
             "password": "bimat"}
    with pytest.raises(InputError) as refusal:
        PostgisHub(wrong)
    assert "bimat" not in str(refusal.value)
    assert parameters_of("service=tinh") == {"service": "tinh"}


def test_the_password_of_a_person_is_no_text_anywhere(postgis_hub, postgis_server, postgis_parameters):
    login = f"p_{uuid.uuid4().hex[:12]}"
    with postgis_hub.connection.cursor() as cursor:
        cursor.execute("SET log_statement = 'all'")
    set_person(postgis_hub, login, password="mật-khẩu-riêng")
    assert "mật-khẩu-riêng" not in (postgis_server.folder / "log").read_text("utf-8")
    assert login in (postgis_server.folder / "log").read_text("utf-8")
    over_tcp = {**postgis_parameters, "host": "127.0.0.1", "user": login}
    with PostgisHub({**over_tcp, "password": "mật-khẩu-riêng"}) as hub:
        assert "mật" not in hub.info.location
    with pytest.raises(InputError):
        PostgisHub({**over_tcp, "password": "sai"})


def test_a_healthy_hub_and_a_tampered_one(postgis_hub, postgis_parameters, sql_at):
    a, b = new(parcel(postgis_hub)), new(parcel(postgis_hub, parcel_no=2))
    postgis_hub.submit(changeset(a, b))
    postgis_hub.submit(changeset(Change("parcel", a.feature_id, a.after, {**a.after, "note": "x"}),
                                 Change("parcel", b.feature_id, b.after, None)))
    postgis_hub.note_working_copy("w1", "Phường Thuận Hóa", 12)
    found = check_postgis_hub(postgis_hub)
    assert [finding for finding in found if not finding.in_order] == []
    assert "Phường Thuận Hóa" in found[-1].sentence and "12" in found[-1].sentence
    # The superuser, as only they can, goes behind the triggers' back.
    sql_at(postgis_parameters,
           f"BEGIN; SET LOCAL session_replication_role = replica; UPDATE {TABLE} SET note = 'lén'; COMMIT")
    sql_at(postgis_parameters,
           "ALTER TABLE quyhoach_data.road DISABLE TRIGGER ALL; ALTER TABLE quyhoach_data.zone DISABLE ROW LEVEL "
           "SECURITY")
    wrong = [finding for finding in check_postgis_hub(postgis_hub) if not finding.in_order]
    assert sorted(finding.subject for finding in wrong) == ["parcel", "road", "zone"]
    assert "1 đối tượng khác" in next(finding.sentence for finding in wrong if finding.subject == "parcel")


def test_a_column_an_administrator_adds_and_drops_is_no_damage(postgis_hub, postgis_parameters, sql_at):
    a, b = new(parcel(postgis_hub)), new(parcel(postgis_hub, parcel_no=2))
    postgis_hub.submit(changeset(a, b))
    for step in ("ALTER TABLE {} ADD COLUMN mine text NOT NULL DEFAULT 'x'", "UPDATE {} SET mine = 'y', note = 'z' WHERE parcel_no = 1",
                 "ALTER TABLE {} DROP COLUMN mine", "UPDATE {} SET note = 'w' WHERE parcel_no = 1"):
        sql_at(postgis_parameters, step.format(TABLE))
        assert [finding for finding in check_postgis_hub(postgis_hub) if not finding.in_order] == [], step
    assert enter_gaps(postgis_hub, "ghi bù") == {}
    # What was written past the ledger is found all the same, and entered.
    sql_at(postgis_parameters, f"ALTER TABLE {TABLE} ADD COLUMN mine text NOT NULL DEFAULT 'x'; BEGIN; SET LOCAL session_replication_role = replica; "
                               f"UPDATE {TABLE} SET note = 'lén' WHERE parcel_no = 2; COMMIT")
    assert enter_gaps(postgis_hub, "ghi bù") == {"parcel": 1}
    assert [finding for finding in check_postgis_hub(postgis_hub) if not finding.in_order] == []


@pytest.mark.parametrize("harm, told, mended", [
    ("CREATE OR REPLACE FUNCTION quyhoach.guard_parcel() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS "
     "$$BEGIN RETURN NULL; END$$; CREATE OR REPLACE FUNCTION quyhoach.record_changes() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER "
     "SET search_path = pg_catalog, pg_temp AS $$BEGIN RETURN NULL; END$$", ("guard_parcel", "record_changes"), True),
    ("DROP TRIGGER never_rewritten ON quyhoach.ledger; ALTER TABLE quyhoach.changeset DISABLE TRIGGER USER",
     ("never_rewritten", "close_changeset"), True),
    ("GRANT EXECUTE ON FUNCTION quyhoach.record_changes() TO PUBLIC; GRANT SELECT ON quyhoach_data.parcel TO PUBLIC",
     ("PUBLIC: quyhoach_data.parcel", "quyhoach.record_changes"), False),
    ("DROP POLICY quyhoach_read ON quyhoach_data.parcel; CREATE POLICY open ON quyhoach_data.road USING (true)",
     ("quyhoach_read", "open"), False),
    ("SELECT setval(pg_get_serial_sequence('quyhoach.ledger', 'ledger_no'), 1); SELECT setval('quyhoach_data.parcel_fid_seq', 1)",
     ("(quyhoach.ledger)", "(fid)"), False),
    ("ALTER TABLE quyhoach_data.parcel DROP CONSTRAINT parcel_feature_id_key, DROP COLUMN address CASCADE; DROP INDEX quyhoach.ledger_by_feature",
     ("feature_id", "address", "ledger_by_feature"), False),
    ("ALTER TABLE quyhoach.changeset DISABLE TRIGGER USER; DELETE FROM quyhoach.changeset", ("1 đợt cập nhật",), False)])
def test_each_damage_is_found(postgis_hub, postgis_parameters, sql_at, harm, told, mended):
    receipt = postgis_hub.submit(changeset(*(new(parcel(postgis_hub, parcel_no=n)) for n in (1, 2))))
    assert receipt.outcome is Outcome.APPLIED
    sql_at(postgis_parameters, harm)

    def found():
        with PostgisHub(postgis_parameters) as hub:
            return "\n".join(f.sentence for f in check_postgis_hub(hub) if f.advice or not f.in_order)

    assert [word for word in told if word not in found()] == []
    if mended:
        upgrade_postgis_hub(postgis_parameters)
        assert found() == ""


def test_a_backup_becomes_the_same_hub_in_another_incarnation(postgis_hub, postgis_parameters, empty_database,
                                                              tmp_path, sql_at):
    name = f"d{uuid.uuid4().hex[:10]}"
    set_department(postgis_hub, name, label="Phòng thử", kind="land", communes=["25001"])
    login = f"p_{uuid.uuid4().hex[:12]}"
    set_person(postgis_hub, login, departments=[name])
    a = new(parcel(postgis_hub, note="trước"))
    first = postgis_hub.submit(changeset(a))
    position, _, _ = delivered(postgis_hub)
    path = tmp_path / "sao lưu tỉnh.dump"
    backup_postgis_hub(postgis_parameters, path)
    postgis_hub.submit(changeset(new(parcel(postgis_hub, parcel_no=2))))
    # As on another server: the person is not there.
    sql_at(postgis_parameters, f"DROP ROLE {login}")
    with restore_postgis_hub(path, empty_database) as restored:
        assert restored.hub_id == postgis_hub.hub_id and restored.info.incarnation != postgis_hub.info.incarnation
        assert restored.info.crs == postgis_hub.info.crs
        assert delivered(restored)[2] == {a.feature_id: a.after} == dict(rows_as_of(restored,
                                                                                    restored.datasets["parcel"],
                                                                                    first.number))
        assert restored.continues(position) and delivered(restored, position)[1:] == (False, {})
        here, _, _ = delivered(restored)
        # What was sent before the backup is known, and new work goes on.
        assert restored.submit(changeset(a, changeset_id=changesets(
            postgis_hub)[1].changeset_id)).outcome is Outcome.ALREADY_APPLIED
        other = new(parcel(restored, parcel_no=7))
        assert restored.submit(changeset(other)).outcome is Outcome.APPLIED
        assert delivered(restored, here)[1:] == (False, {other.feature_id: other.after})
        assert [finding for finding in check_postgis_hub(restored) if not finding.in_order] == []
    with PostgisHub({**empty_database, "user": login}) as theirs:
        assert list(delivered(theirs)[2]) == [a.feature_id,
                                              other.feature_id] or set(delivered(theirs)[2]) == {a.feature_id,
                                                                                                 other.feature_id}
    with pytest.raises(OutputError, match="trống"):
        restore_postgis_hub(path, empty_database)
    (tmp_path / "hỏng.dump").write_bytes(b"PGDMP nothing")
    sql_at(postgis_parameters, "SELECT 1")
    with pytest.raises(OutputError, match="pg_restore"):
        restore_postgis_hub(tmp_path / "hỏng.dump", {**postgis_parameters, "dbname": "postgres"})


def old_hub(parameters, sql_at, version):
    """A hub of an older structure with two facilities in it."""
    with pytest.raises(InputError, match="Nâng cấp cơ sở dữ liệu dùng chung. .quyhoach:hubupgrade"):
        create_postgis_hub(parameters, "EPSG:9214", datasets=[load_catalogue()["facility"]], version=version)
    sql_at(parameters, "INSERT INTO quyhoach_data.facility (name, kind, geom) SELECT n, 'kindergarten', ST_SetSRID(ST_MakePoint(500000, 1800000), 9214) "
                       "FROM unnest(ARRAY['A', 'B']) n")
    return sql_at(parameters, "SELECT hub_id::text, incarnation::text FROM quyhoach.hub")[0]


@pytest.mark.parametrize("version", [3, 6])
def test_a_backup_of_an_older_structure_becomes_a_hub_of_today(empty_database, postgis_server, sql_at, tmp_path, version):
    hub_id, incarnation = old_hub(empty_database, sql_at, version)
    told, path, name = [], tmp_path / "cũ.dump", f"{empty_database['dbname']}_again"
    backup_postgis_hub(empty_database, path)  # before the upgrade, as its help advises
    sql_at(empty_database, f'CREATE DATABASE "{name}"')
    try:
        with restore_postgis_hub(path, {**empty_database, "dbname": name}, progress=lambda _, text=None: told.append(text)) as hub:
            assert hub.info.schema_version == SCHEMA_VERSION and list(hub.datasets) == ["facility"]
            assert hub.hub_id == hub_id and hub.info.incarnation != incarnation
            assert f"cũ ({version}); đã nâng lên {SCHEMA_VERSION}" in "".join(filter(None, told))
            assert {row["name"] for row in delivered(hub, scope=Scope("facility"))[2].values()} == {"A", "B"}
            assert [finding.sentence for finding in check_postgis_hub(hub) if not finding.in_order] == []
    finally:
        sql_at(empty_database, f'DROP DATABASE "{name}" WITH (FORCE)')


def test_a_backup_that_cannot_be_upgraded_is_restored_and_the_next_step_is_told(empty_database, sql_at, tmp_path, monkeypatch):
    old_hub(empty_database, sql_at, 5)
    path, name = tmp_path / "cũ.dump", f"{empty_database['dbname']}_again"
    backup_postgis_hub(empty_database, path)
    sql_at(empty_database, f'CREATE DATABASE "{name}"')
    again = {**empty_database, "dbname": name}
    try:
        monkeypatch.setattr("quyhoach.processing_algorithms.provincial_database.postgis.upgrade.run_files", refuse)
        with pytest.raises(OutputError, match="Đã phục hồi đủ dữ liệu.*Nâng cấp cơ sở dữ liệu dùng chung"):
            restore_postgis_hub(path, again)
        monkeypatch.undo()
        assert upgrade_postgis_hub(again, datasets=[load_catalogue()["facility"]]) == [f"Cấu trúc 5 lên {SCHEMA_VERSION}."]
        with PostgisHub(again) as hub:
            assert len(delivered(hub, scope=Scope("facility"))[2]) == 2
    finally:
        sql_at(empty_database, f'DROP DATABASE "{name}" WITH (FORCE)')


def refuse(*_):
    raise OutputError("không được")


def test_a_backup_of_a_newer_program_is_refused_and_the_database_stays_empty(postgis_parameters, postgis_hub, empty_database, sql_at, tmp_path,
                                                                             monkeypatch):
    sql_at(postgis_parameters, "INSERT INTO quyhoach.schema_version (number) VALUES (99)")
    monkeypatch.setattr("quyhoach.processing_algorithms.provincial_database.postgis.hub.SCHEMA_VERSION", 99)
    backup_postgis_hub(postgis_parameters, tmp_path / "mới.dump")
    monkeypatch.undo()
    with pytest.raises(InputError, match="mới hơn .cấu trúc 99."):
        restore_postgis_hub(tmp_path / "mới.dump", empty_database)
    assert sql_at(empty_database, "SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'quyhoach%%'") == [(0,)]


def test_the_drill_proves_the_backup(postgis_hub, postgis_parameters, sql_at):
    changes = [new(parcel(postgis_hub, parcel_no=number, note=f"số {number}", legal_area_m2=number / 3))
               for number in range(1, 50)]
    postgis_hub.submit(changeset(*changes))
    postgis_hub.submit(changeset(Change("parcel", changes[0].feature_id, changes[0].after, None)))
    report = drill(postgis_parameters)
    assert report.passed and report.rows > 48 + 50 + 2, report
    assert sql_at(postgis_parameters, "SELECT count(*) FROM pg_database WHERE datname LIKE 'quyhoach_drill%%'") == [(0,)]


def test_a_copied_database_is_another_incarnation_even_before_we_open_it(postgis_hub, postgis_parameters,
                                                                         postgis_server, sql_at):
    """Somebody restores by hand and edits in psql: old changesets must not be taken for this transaction's."""
    postgis_hub.submit(changeset(new(parcel(postgis_hub))))
    here = sql_at(postgis_parameters, "SELECT incarnation FROM quyhoach.hub")
    postgis_hub.close()
    name = f"copy_{uuid.uuid4().hex[:8]}"
    sql_at(postgis_server.parameters(), f'CREATE DATABASE "{name}" TEMPLATE "{postgis_parameters["dbname"]}"')
    copy = {**postgis_parameters, "dbname": name}
    try:
        sql_at(copy, f"UPDATE {TABLE} SET note = 'tay'")
        assert sql_at(copy, "SELECT incarnation FROM quyhoach.hub") != here
        assert sql_at(copy, "SELECT array_agg(generation ORDER BY number) FROM quyhoach.changeset") == [([2, 3],)]
    finally:
        sql_at(postgis_server.parameters(), f'DROP DATABASE "{name}" WITH (FORCE)')


def test_an_error_of_ours_is_no_refusal(postgis_hub):
    from quyhoach.processing_algorithms.provincial_database.postgis.connection import told

    with pytest.raises(psycopg2.errors.SyntaxError), told(), postgis_hub.connection.cursor() as cursor:
        cursor.execute("SELEKT 1")


def test_open_hub_takes_a_uri_and_a_service(postgis_server, postgis_parameters, postgis_hub, tmp_path, monkeypatch):
    name = postgis_parameters["dbname"]
    location = f"postgresql:///{name}?host={postgis_server.folder}&port={postgis_server.port}&user=postgres"
    with open_hub(location) as hub:
        assert isinstance(hub, PostgisHub) and hub.info.name == "Tỉnh mẫu"
    (tmp_path / "pg_service.conf").write_text(
        f"[tinh]\nhost={postgis_server.folder}\nport={postgis_server.port}\nuser=postgres\ndbname={name}\n")
    monkeypatch.setenv("PGSERVICEFILE", str(tmp_path / "pg_service.conf"))
    with open_hub("service=tinh") as hub:
        assert hub.hub_id == postgis_hub.hub_id and hub.info.location == "service=tinh"
        assert drill("service=tinh").passed


def test_a_working_copy_newer_than_the_backup_hears_where_the_histories_parted(
        postgis_hub, postgis_parameters, empty_database, tmp_path):
    a, b, c = (new(parcel(postgis_hub, parcel_no=number)) for number in (1, 2, 3))
    postgis_hub.submit(changeset(a, b))
    backup_postgis_hub(postgis_parameters, tmp_path / "s.dump")
    postgis_hub.submit(changeset(c, Change("parcel", a.feature_id, a.after, {**a.after, "note": "sau sao lưu"})))
    newer, _, _ = delivered(postgis_hub)
    with restore_postgis_hub(tmp_path / "s.dump", empty_database) as restored:
        edited = {**b.after, "note": "sau khôi phục"}
        restored.submit(changeset(Change("parcel", b.feature_id, b.after, edited)))
        assert not restored.continues(newer)
        with restored.compare([Scope("parcel")], newer) as delivery:
            assert delivery.whole and delivery.parting.known
            assert delivery.parting.changed == {("parcel", b.feature_id): b.after}
            rows = {feature_id: row for _, feature_id, row in delivery.rows}
            assert rows == {a.feature_id: a.after, b.feature_id: edited}
