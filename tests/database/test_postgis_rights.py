"""Rights in the database: what a person may not read is not there, what they may not write is refused in our words."""

import subprocess
import uuid

import psycopg2
import pytest
from postgis_rows import changeset, delivered, new, parcel, square
from quyhoach.processing_algorithms.common.errors import InputError
from quyhoach.processing_algorithms.provincial_database.administration.offices import Access, set_department, set_person
from quyhoach.processing_algorithms.provincial_database.administration.own_rights import OwnRight, own_rights
from quyhoach.processing_algorithms.provincial_database.changes import Change, Outcome, Scope
from quyhoach.processing_algorithms.provincial_database.history.history import layer_as_of
from quyhoach.processing_algorithms.provincial_database.hub import Batch, Rejection
from quyhoach.processing_algorithms.provincial_database.postgis.health import check_postgis_hub
from quyhoach.processing_algorithms.provincial_database.postgis.history import (
    changes_between,
    changesets,
    revert_changeset,
)
from quyhoach.processing_algorithms.provincial_database.postgis.hub import PostgisHub
from quyhoach.processing_algorithms.provincial_database.postgis.rights import lock, unlock

TABLE = "quyhoach_data.parcel"


@pytest.fixture
def person(postgis_hub, postgis_parameters, postgis_server):
    """Makes a person with a login of this test's own, and opens the hub as them."""
    hubs, logins = [], []

    def make(*departments, secrecy="public", administrator=False):
        login = f"p_{uuid.uuid4().hex[:12]}"
        logins.append(login)
        set_person(postgis_hub, login, departments=departments, secrecy=secrecy, administrator=administrator)
        hubs.append(PostgisHub({**postgis_parameters, "user": login}))
        return hubs[-1]

    yield make
    for hub in hubs:
        hub.close()


def department(hub, kind, communes=None):
    name = f"d{uuid.uuid4().hex[:10]}"
    set_department(hub, name, label=f"Cơ quan {name}", kind=kind, communes=communes)
    return name


def ward_parcels(hub):
    """One parcel in each of two wards, with a secret in the certificate."""
    a, b = (new(parcel(hub, commune_code=code, parcel_no=no, certificate_no=f"CS {no}"))
            for no, code in ((1, "25001"), (2, "25002")))
    assert hub.submit(changeset(a, b)).outcome is Outcome.APPLIED
    return a, b


def test_a_ward_sees_and_writes_its_own(postgis_hub, person):
    a, b = ward_parcels(postgis_hub)
    ward = person(department(postgis_hub, "land", ["25001"]))
    own = own_rights(ward)
    assert own["parcel"] == OwnRight(frozenset({"25001"}),
                                     frozenset({"25001"})) and own["zone"] == OwnRight(None, frozenset())
    assert set(own_rights(postgis_hub).values()) == {OwnRight(None, None)}
    _, _, rows = delivered(ward)
    assert list(rows) == [a.feature_id]
    assert "certificate_no" not in rows[a.feature_id], "restricted fields are not there below that level"
    mine = rows[a.feature_id]
    assert ward.submit(changeset(Change("parcel", a.feature_id, mine,
                                        {**mine, "note": "xã sửa"}))).outcome is Outcome.APPLIED
    away = ward.submit(changeset(Change("parcel", a.feature_id, {**mine, "note": "xã sửa"},
                                        {**mine, "note": "xã sửa", "commune_code": "25002"})))
    assert away.outcome is Outcome.REFUSED and "25002" in away.objections[0].reason
    other = ward.submit(changeset(Change("parcel", b.feature_id, b.after | {}, {**b.after, "note": "x"})))
    assert other.outcome is not Outcome.APPLIED
    there = ward.submit(changeset(Change("parcel", str(uuid.uuid4()), None, {**mine, "commune_code": "25002"})))
    assert there.outcome is Outcome.REFUSED and "không có quyền ghi" in there.objections[0].reason
    assert delivered(postgis_hub)[2][a.feature_id]["certificate_no"] == "CS 1", "unseen, it stays"
    assert ward.count(ward.dataset("parcel")) == 1 and ward.values(ward.dataset("parcel"), "commune_code") == {"25001"}
    assert len(ward.read(ward.dataset("parcel"))) == 1


def test_what_is_there_out_of_sight_is_told_in_our_words(postgis_hub, person, sql_at, postgis_parameters):
    """Who may not see the other ward's parcel cannot be told to pull it; and how it is named there stays hidden."""
    a, b = ward_parcels(postgis_hub)
    ward = person(department(postgis_hub, "land", ["25001"]))
    mine = delivered(ward)[2][a.feature_id]
    refused = ward.submit(changeset(new(mine, b.feature_id)))
    assert refused.outcome is Outcome.REFUSED and [o.feature_id for o in refused.objections] == [b.feature_id]
    assert "không được xem" in refused.objections[0].reason and "CS 2" not in str(refused)
    sql_at(postgis_parameters, f"CREATE UNIQUE INDEX ON {TABLE} (parcel_no)")
    refused = ward.submit(changeset(Change("parcel", a.feature_id, mine, {**mine, "parcel_no": 2})))
    assert refused.outcome is Outcome.REFUSED and "= 2" in refused.objections[0].reason
    # Unique together with what they may not see.
    sql_at(postgis_parameters, f"DROP INDEX quyhoach_data.parcel_parcel_no_idx; CREATE UNIQUE INDEX ON {TABLE} (note, certificate_no) NULLS NOT DISTINCT")
    other = {**mine, "parcel_no": 3, "note": None}
    refused = ward.submit(changeset(new(other), new({**other, "parcel_no": 4})))
    assert refused.outcome is Outcome.REFUSED and "duy nhất" in refused.objections[0].reason or "chỉ cho một" in refused.objections[0].reason


def test_history_is_limited_as_the_rows_are(postgis_hub, person):
    a, b = ward_parcels(postgis_hub)
    start = changesets(postgis_hub)[0].number
    ward = person(department(postgis_hub, "land", ["25001"]))
    postgis_hub.submit(changeset(Change("parcel", b.feature_id, b.after, {**b.after, "note": "chỉ phường 2"})))
    moved = postgis_hub.submit(changeset(Change("parcel", a.feature_id, a.after, {**a.after, "commune_code": "25002"})))
    parcels = ward.datasets["parcel"]
    assert [note.number for note in changesets(ward)] == [moved.number, start]
    assert len(layer_as_of(ward, parcels, start)) == 1 and len(layer_as_of(ward, parcels, moved.number)) == 0
    (change,) = changes_between(ward, parcels, start, moved.number)
    assert change.feature_id == a.feature_id and change.after is None, "where it went is out of sight"
    with pytest.raises(InputError, match="một phần"):
        revert_changeset(ward, moved.number)
    with ward.connection.cursor() as cursor:
        # That there is more it is told, but not how much, nor anything of changesets out of sight.
        cursor.execute("SELECT number, whole FROM quyhoach.changesets ORDER BY number")
        assert cursor.fetchall() == [(start, False), (moved.number, False)]
        with pytest.raises(psycopg2.errors.UndefinedFunction):
            cursor.execute("SELECT quyhoach.entries_of(1)")
    own = ward.submit(changeset(new(parcel(ward, commune_code="25001", parcel_no=9))))
    assert own.outcome is Outcome.APPLIED
    for hub, whole in ((ward, False), (postgis_hub, True)):
        with hub.connection.cursor() as cursor:
            cursor.execute("SELECT whole FROM quyhoach.changesets WHERE number = %s", (own.number,))
            assert cursor.fetchall() == [(whole,)], "the ward may not see every field of a parcel"
    with ward.connection.cursor() as cursor:
        cursor.execute("SELECT string_agg(concat(old_row, new_row), '') FROM quyhoach.history")
        seen = cursor.fetchone()[0]
    assert "CS 1" not in seen and "chỉ phường 2" not in seen
    for table in ("quyhoach.ledger", "quyhoach.changeset"):
        with pytest.raises(psycopg2.errors.InsufficientPrivilege), ward.connection.cursor() as cursor:
            cursor.execute(f"SELECT * FROM {table}")


def test_psql_is_refused_in_the_same_words(postgis_server, postgis_hub, postgis_parameters, person):
    a, b = ward_parcels(postgis_hub)
    ward = person(department(postgis_hub, "land", ["25001"]))
    viewer = person(department(postgis_hub, "transport"))
    user = {hub: hub.connection.info.user for hub in (ward, viewer)}

    def psql(hub, statement):
        done = subprocess.run([postgis_server.programs / "psql", "-qAt", "-d", postgis_parameters["dbname"], "-U",
                               user[hub], "-c", statement],
                              env=postgis_server.environment(), capture_output=True, text=True)
        return done.stdout + done.stderr

    assert psql(ward, f"SELECT count(*) FROM {TABLE}").strip() == "1"
    assert psql(viewer, f"SELECT count(*) FROM {TABLE}").strip() == "2"
    assert "không có quyền ghi" in psql(viewer, f"UPDATE {TABLE} SET note = 'x'")
    assert "không có quyền ghi" in psql(viewer, f"DELETE FROM {TABLE}")
    assert psql(ward, f"UPDATE {TABLE} SET note = 'x' RETURNING commune_code").strip() == "25001"
    assert "không có quyền ghi ở xã, phường 25002" in psql(ward, f"UPDATE {TABLE} SET commune_code = '25002'")
    assert "permission denied" in psql(ward, f"TRUNCATE {TABLE}")
    assert "permission denied" in psql(ward, f"SELECT certificate_no FROM {TABLE}")
    assert "permission denied" in psql(ward, f"UPDATE {TABLE} SET certificate_no = 'x'")
    for statement in ("INSERT INTO quyhoach.permission (role_name, may_write) VALUES (current_user, true)",
                      "DELETE FROM quyhoach.lock",
                      f"ALTER TABLE {TABLE} DISABLE TRIGGER ALL",
                      "UPDATE quyhoach.hub SET incarnation = gen_random_uuid()",
                      "CREATE TABLE quyhoach.x (a int)",
                      "INSERT INTO quyhoach.ledger (changeset, dataset_id, feature_id) "
                      "VALUES (1, 'D03', gen_random_uuid())"):
        assert "permission denied" in psql(ward, statement) or "must be owner" in psql(ward, statement), statement
    # A name in the way of ours changes nothing: every function fixes where it looks.
    assert "không có quyền ghi" in psql(viewer, f"SET search_path = pg_temp, public; CREATE TEMP TABLE permission AS "
                                                f"SELECT 1; CREATE FUNCTION pg_temp.has_role(text) RETURNS boolean "
                                                f"LANGUAGE sql AS 'SELECT true'; UPDATE {TABLE} SET note = 'x'")
    assert delivered(postgis_hub)[2][b.feature_id]["note"] is None


def test_secrecy_levels(postgis_hub, person):
    a, _ = ward_parcels(postgis_hub)
    name = department(postgis_hub, "land")
    for secrecy, sees_reports, sees_certificate in (("public", False, False), ("internal", True, False),
                                                    ("restricted", True, True)):
        hub = person(name, secrecy=secrecy)
        assert ("field_report" in hub.datasets) is sees_reports
        row = delivered(hub)[2][a.feature_id]
        assert ("certificate_no" in row) is sees_certificate
        if not sees_reports:
            assert delivered(hub, scope=Scope("field_report"))[2] == {}
            with hub.connection.cursor() as cursor:
                cursor.execute("SELECT count(*) FROM quyhoach_data.field_report")
                assert cursor.fetchone() == (0,)
        receipt = hub.submit(changeset(Change("parcel", a.feature_id, a.after,
                                              {**a.after, "certificate_no": f"mới {secrecy}"})))
        assert (receipt.outcome is Outcome.APPLIED) is sees_certificate


def test_new_rights_and_lost_rights_mean_everything_again(postgis_hub, person):
    a, b = ward_parcels(postgis_hub)
    name = department(postgis_hub, "land", ["25001"])
    ward = person(name)
    position, _, _ = delivered(ward)
    assert delivered(ward, position)[1:] == (False, {})
    set_department(postgis_hub, name, access=Access.READ, communes=["25002"])
    position, whole, rows = delivered(ward, position)
    assert whole and set(rows) == {a.feature_id, b.feature_id}
    refused = ward.submit(changeset(Change("parcel", b.feature_id, rows[b.feature_id],
                                           {**rows[b.feature_id], "note": "x"})))
    assert refused.outcome is Outcome.REFUSED, "read only"
    set_department(postgis_hub, name, access=Access.NONE)
    assert delivered(ward, position)[1:] == (True, {})


def test_approved_plans_lock_themselves_and_their_zones(postgis_hub, person):
    office = person(department(postgis_hub, "planning"))
    plan = dict.fromkeys(office.datasets["plan"].field_names) | {
        "plan_ref": "PK1", "name": "Phân khu 1", "level": "sub_area", "scale": 2000, "status": "draft",
        "geom": square()}
    zone = dict.fromkeys(office.datasets["zone"].field_names) | {"plan_ref": "PK1", "zone_code": "A1", "geom": square()}
    required = office.datasets["zone"].field("function_code").domain.values[0].code
    zone["function_code"] = required
    plan_id, zone_id = str(uuid.uuid4()), str(uuid.uuid4())
    approved = plan | {"status": "approved"}
    assert office.submit(changeset(Change("plan", plan_id, None, plan))).outcome is Outcome.APPLIED
    # The approval comes with its zones in one changeset.
    receipt = office.submit(changeset(Change("plan", plan_id, plan, approved), Change("zone", zone_id, None, zone)))
    assert receipt.outcome is Outcome.APPLIED, receipt.objections
    for change in (Change("zone", zone_id, zone, zone | {"note": "x"}), Change("zone", zone_id, zone, None),
                   Change("zone", str(uuid.uuid4()), None, zone),
                   Change("plan", plan_id, approved, approved | {"name": "khác"}),
                   Change("plan", plan_id, approved, plan)):
        refused = office.submit(changeset(change))
        assert refused.outcome is Outcome.REFUSED and "đã phê duyệt" in refused.objections[0].reason
        assert postgis_hub.submit(changeset(change)).outcome is Outcome.REFUSED, "administrators too"
    assert unlock(postgis_hub, postgis_hub.datasets["zone"], "PK1", "đính chính theo 7/QĐ")
    assert office.submit(changeset(Change("zone", zone_id, zone, zone | {"note": "x"}))).outcome is Outcome.APPLIED
    superseded = office.submit(changeset(Change("plan", plan_id, approved, approved | {"status": "superseded"})))
    assert superseded.outcome is Outcome.APPLIED, superseded.objections


def test_figures_of_a_parcel_come_after_the_approval_and_lock_by_their_own(postgis_hub, person):
    office = person(department(postgis_hub, "planning"))
    plan = dict.fromkeys(office.datasets["plan"].field_names) | {
        "plan_ref": "PK1", "name": "Phân khu 1", "level": "sub_area", "scale": 2000, "status": "approved",
        "geom": square()}
    figures = dict.fromkeys(office.datasets["parcel_override"].field_names) | {
        "override_ref": "CTR1", "plan_ref": "PK1", "status": "draft", "max_storeys": 6, "geom": square()}
    plan_id, one, done = str(uuid.uuid4()), str(uuid.uuid4()), figures | {"status": "approved"}
    assert office.submit(changeset(Change("plan", plan_id, None, plan))).outcome is Outcome.APPLIED
    for before, after in ((None, figures), (figures, done)):
        receipt = office.submit(changeset(Change("parcel_override", one, before, after)))
        assert receipt.outcome is Outcome.APPLIED, receipt.objections
    for after in (done | {"max_storeys": 9}, figures, None):
        for who in (office, postgis_hub):
            refused = who.submit(changeset(Change("parcel_override", one, done, after)))
            assert refused.outcome is Outcome.REFUSED and "CTR1 đã phê duyệt" in refused.objections[0].reason
    over = done | {"status": "superseded"}
    assert office.submit(changeset(Change("parcel_override", one, done, over))).outcome is Outcome.APPLIED
    gone = plan | {"status": "superseded", "superseded_date": "2026-06-01"}
    assert office.submit(changeset(Change("plan", plan_id, plan, gone | {"name": "khác"}))).outcome is Outcome.REFUSED
    assert office.submit(changeset(Change("plan", plan_id, plan, gone))).outcome is Outcome.APPLIED


def test_a_closed_inventory_year_is_locked(postgis_hub):
    row = dict.fromkeys(postgis_hub.datasets["land_use"].field_names) | {
        "commune_code": "25001", "year": 2024, "patch_no": 1, "land_code": "ONT", "geom": square()}
    feature = str(uuid.uuid4())
    assert postgis_hub.submit(changeset(Change("land_use", feature, None, row))).outcome is Outcome.APPLIED
    lock(postgis_hub, postgis_hub.datasets["land_use"], 2024, "kiểm kê năm 2024 đã khóa sổ")
    for change in (Change("land_use", feature, row, row | {"note": "x"}),
                   Change("land_use", feature, row, row | {"year": 2025}),
                   Change("land_use", str(uuid.uuid4()), None, row)):
        refused = postgis_hub.submit(changeset(change))
        assert refused.outcome is Outcome.REFUSED and "khóa sổ" in refused.objections[0].reason
    assert postgis_hub.submit(changeset(Change("land_use", str(uuid.uuid4()), None,
                                               row | {"year": 2025}))).outcome is Outcome.APPLIED
    assert postgis_hub.locks(postgis_hub.datasets["land_use"]) == {"2024": "kiểm kê năm 2024 đã khóa sổ"}
    with pytest.raises(InputError, match="không có trường"):
        lock(postgis_hub, postgis_hub.datasets["road"], "x", "y")


def test_an_administrator_needs_no_superuser(postgis_hub, person):
    administrator = person(administrator=True)
    with administrator.connection.cursor() as cursor:
        cursor.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")
        assert cursor.fetchone() == (False,)
    ward_parcels(administrator)
    assert len(delivered(administrator)[2]) == 2
    name = department(administrator, "land", ["25001"])
    login = f"p_{uuid.uuid4().hex[:12]}"
    set_person(administrator, login, departments=[name], password="một mật khẩu")
    lock(administrator, administrator.datasets["land_use"], 2024, "đã khóa sổ")


def test_a_department_whose_role_is_gone_is_told_and_made_again(postgis_hub, postgis_parameters, person, sql_at):
    a, _ = ward_parcels(postgis_hub)
    name = department(postgis_hub, "land", ["25001"])
    ward = person(name)
    login = ward.connection.info.user
    sql_at(postgis_parameters, f"DROP ROLE {postgis_hub.roles}_{name}")
    [told] = [finding for finding in check_postgis_hub(postgis_hub) if not finding.in_order]
    assert f"Cơ quan {name} ({postgis_hub.roles}_{name})" in told.sentence
    with pytest.raises(InputError, match=f"Không có cơ quan .*{name}"):
        set_person(postgis_hub, login, departments=[name])
    set_department(postgis_hub, name, communes=["25001"])
    set_person(postgis_hub, login, departments=[name])
    assert [finding for finding in check_postgis_hub(postgis_hub) if not finding.in_order] == []
    assert list(delivered(ward)[2]) == [a.feature_id]


def test_a_stranger_is_told_so(postgis_hub, postgis_parameters, sql_at):
    login = f"p_{uuid.uuid4().hex[:12]}"
    sql_at(postgis_parameters, f"CREATE ROLE {login} LOGIN")
    with pytest.raises(InputError, match="chưa được cấp quyền"):
        PostgisHub({**postgis_parameters, "user": login})


def test_an_insert_that_asks_for_its_key_back_is_refused_in_our_words(postgis_hub, person):
    """QGIS inserts with RETURNING, where the server looks at the row before our guard does."""
    ward = person(department(postgis_hub, "land", ["25001"]))
    with pytest.raises(psycopg2.DatabaseError,
                       match="không có quyền ghi ở xã, phường 25009"), ward.connection.cursor() as cursor:
        cursor.execute(f"INSERT INTO {TABLE} (old_commune_code, commune_code, sheet_no, parcel_no, land_code, geom) "
                       "VALUES ('00001', '25009', '1', 1, 'ONT', ST_Multi(ST_MakeEnvelope(0, 0, 1, 1, 9214))) "
                       "RETURNING fid")


def test_rejected_rows_are_for_who_imported_them(postgis_hub, person):
    """They hold everything that came, secret fields too."""
    dataset = postgis_hub.datasets["parcel"]
    empty = postgis_hub.read(dataset)
    rejection = Rejection(1, ("sai",), {"certificate_no": "CS mật"}, None, None)
    postgis_hub.write(dataset, Batch("tệp", {}, 1, empty, empty, 0, [rejection]))
    office = person(department(postgis_hub, "land"))
    assert len(postgis_hub.rejections()) == 1 and len(office.rejections()) == 0
    own = office.read(office.dataset("parcel"))
    office.write(office.dataset("parcel"), Batch("tệp khác", {}, 1, own, own, 0, [rejection]))
    assert len(office.rejections()) == 1 and office.summaries(["parcel"])[0].rejected == 1
    assert len(postgis_hub.rejections()) == 2


def test_functions_of_triggers_are_for_the_hub_s_own_tables(postgis_hub, postgis_parameters, person):
    """On a table of one's own they would run, with the owner's rights, whatever its types bring along, and forge history and locks."""
    anybody = person(department(postgis_hub, "transport"))
    postgis_hub.connection.cursor().execute("GRANT EXECUTE ON FUNCTION quyhoach.record_changes() TO public")
    with anybody.connection.cursor() as cursor:
        cursor.execute("CREATE TYPE pg_temp.evil AS ENUM ('a')")
        cursor.execute("CREATE FUNCTION pg_temp.go(pg_temp.evil) RETURNS json LANGUAGE plpgsql AS $$ BEGIN INSERT INTO "
                       "quyhoach.permission (role_name, may_write) VALUES (session_user, true); RETURN '1'; END $$")
        cursor.execute("CREATE CAST (pg_temp.evil AS json) WITH FUNCTION pg_temp.go(pg_temp.evil)")
        cursor.execute("CREATE TEMP TABLE own (fid int, feature_id uuid, status text, plan_ref text, e pg_temp.evil)")
        attach = ("CREATE TRIGGER t AFTER INSERT ON own REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT "
                  "EXECUTE FUNCTION quyhoach.record_changes('D03')")
        cursor.execute(attach)
        with pytest.raises(psycopg2.Error, match="không phải của cơ sở dữ liệu"):
            cursor.execute("INSERT INTO own VALUES (1, gen_random_uuid(), 'approved', 'QH', 'a')")
        cursor.execute("DROP TRIGGER t ON own")
        postgis_hub.connection.cursor().execute("REVOKE EXECUTE ON FUNCTION quyhoach.record_changes() FROM public")
        for statement in (attach, "CREATE TRIGGER l AFTER INSERT ON own FOR EACH ROW EXECUTE FUNCTION quyhoach.lock_approved()",
                          "SELECT quyhoach.keep_ahead('quyhoach_data.parcel'::regclass, 1000000)"):
            with pytest.raises(psycopg2.errors.InsufficientPrivilege):
                cursor.execute(statement)


def test_a_number_given_by_hand_is_not_given_again(postgis_hub, sql_at, postgis_parameters):
    a, _ = ward_parcels(postgis_hub)
    copied = ("INSERT INTO quyhoach_data.parcel (fid, old_commune_code, sheet_no, parcel_no, land_code, geom) "
              f"SELECT %s, old_commune_code, sheet_no, 9, land_code, geom FROM {TABLE} WHERE parcel_no = 1")
    sql_at(postgis_parameters, copied, (3,))
    sql_at(postgis_parameters, f"UPDATE {TABLE} SET fid = 5 WHERE fid = 3")
    assert postgis_hub.submit(changeset(*(new(parcel(postgis_hub, parcel_no=n)) for n in range(20, 25)))).outcome is Outcome.APPLIED


@pytest.mark.parametrize("value", ["survey_date = 'infinity'", "survey_date = '0044-03-15 BC'", "survey_date = '20261-03-15'",
                                   "legal_area_m2 = 'NaN'", "legal_area_m2 = 'Infinity'",
                                   "geom = 'SRID=9214;MULTIPOLYGON(((nan nan, 1 1, 1 0, nan nan)))'"])
def test_values_no_program_can_read_are_refused_in_psql(postgis_hub, sql_at, postgis_parameters, value):
    ward_parcels(postgis_hub)
    with pytest.raises(psycopg2.Error, match="ngoài các năm|hữu hạn"):
        sql_at(postgis_parameters, f"UPDATE {TABLE} SET {value}")
    assert len(postgis_hub.read(postgis_hub.datasets["parcel"])) == 2
