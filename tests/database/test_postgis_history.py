"""The ledger of a PostGIS hub: whoever writes is in it, the past can be seen and taken back, nobody can rewrite it."""

import subprocess

import psycopg2
import pytest
from postgis_rows import changeset, delivered, new, parcel
from quyhoach.processing_algorithms.common.errors import InputError
from quyhoach.processing_algorithms.provincial_database.changes import Change, Outcome
from quyhoach.processing_algorithms.provincial_database.history.history import difference_layer, layer_as_of
from quyhoach.processing_algorithms.provincial_database.postgis.history import (
    changes_between,
    changesets,
    revert_changeset,
    rows_as_of,
)

TABLE = "quyhoach_data.parcel"
REPLAY = """
    WITH last AS (SELECT DISTINCT ON (feature_id) feature_id, new_row FROM quyhoach.ledger WHERE old_row IS DISTINCT FROM new_row ORDER BY feature_id, ledger_no DESC),
    present AS (SELECT feature_id, jsonb_strip_nulls(to_jsonb(t) - '{fid,feature_id,geom}'::text[]) || jsonb_build_object('geom', geom::text) AS content
                FROM quyhoach_data.parcel t)
    SELECT count(*) FROM last FULL JOIN present USING (feature_id) WHERE last.new_row IS DISTINCT FROM present.content"""


def psql(server, parameters, text, user="postgres"):
    return subprocess.run([server.programs / "psql", "-qAt", "-v", "ON_ERROR_STOP=1", "-d", parameters["dbname"], "-U",
                           user, "-f", "-"], input=text,
                          env=server.environment(), capture_output=True, text=True)


def rows(hub, moment=None):
    if moment is None:
        return delivered(hub)[2]
    return dict(rows_as_of(hub, hub.datasets["parcel"], moment))


def test_psql_update_copy_and_delete_are_history(postgis_server, postgis_parameters, postgis_hub, sql_at):
    first, second = new(parcel(postgis_hub)), new(parcel(postgis_hub, parcel_no=2))
    postgis_hub.submit(changeset(first, second))
    shape = first.after["geom"].hex()
    done = psql(postgis_server, postgis_parameters, f"""
        BEGIN; SELECT quyhoach.describe('sửa tay', '5/QĐ'); UPDATE {TABLE} SET note = 'psql' WHERE parcel_no = 1; UPDATE {TABLE} SET note = 'psql 2' WHERE parcel_no = 1; COMMIT;
        DELETE FROM {TABLE} WHERE parcel_no = 2;
        COPY {TABLE} (old_commune_code, sheet_no, parcel_no, land_code, geom) FROM STDIN;
00001	9	9	CLN	{shape}
\\.
""")
    assert done.returncode == 0, done.stderr
    notes = changesets(postgis_hub)
    assert [note.features for note in notes] == [{"parcel": 1}, {"parcel": 1}, {"parcel": 1}, {"parcel": 2}]
    assert (notes[2].message, notes[2].decision_no, notes[2].author) == ("sửa tay", "5/QĐ", "postgres")
    assert sql_at(postgis_parameters, REPLAY) == [(0,)]
    change = next(c for c in changes_between(postgis_hub, postgis_hub.datasets["parcel"], notes[3].number, notes[
        2].number))
    assert (change.feature_id, change.before, change.after) == (first.feature_id, first.after,
                                                                {**first.after, "note": "psql 2"})


def test_the_past_comes_back_exactly(postgis_hub):
    parcels = postgis_hub.datasets["parcel"]
    first, second = new(parcel(postgis_hub)), new(parcel(postgis_hub, parcel_no=2))
    states, moments = [{}], [0]
    steps = [(first, second),
             (Change("parcel", first.feature_id, first.after, {**first.after, "note": "é", "legal_area_m2": 0.1}),),
             (Change("parcel", second.feature_id, second.after, None),),
             (Change("parcel", second.feature_id, None, {**second.after, "sheet_no": "7"}),)]
    for step in steps:
        receipt = postgis_hub.submit(changeset(*step))
        assert receipt.outcome is Outcome.APPLIED
        state = dict(states[-1])
        for change in step:
            state.pop(change.feature_id, None)
            if change.after:
                state[change.feature_id] = change.after
        states.append(state)
        moments.append(receipt.number)
    times = {note.number: note.applied_at for note in changesets(postgis_hub)}
    for state, moment in list(zip(states, moments))[1:]:
        assert rows(postgis_hub, moment) == state == rows(postgis_hub, times[moment])
    frame = layer_as_of(postgis_hub, parcels, moments[1])
    assert len(frame) == 2 and frame.crs == postgis_hub.info.crs and frame.geometry.area.tolist() == [100.0, 100.0]
    difference = difference_layer(postgis_hub, parcels, moments[1], moments[4]).set_index("feature_id")
    assert difference["change"].to_dict() == {first.feature_id: "changed", second.feature_id: "changed"}
    assert difference["changed_fields"].to_dict() == {first.feature_id: "legal_area_m2, note",
                                                      second.feature_id: "sheet_no"}
    assert list(changes_between(postgis_hub, parcels, moments[4], moments[4])) == []
    with pytest.raises(InputError, match="987"):
        rows(postgis_hub, 987)


def test_a_changeset_is_taken_back_by_a_new_one(postgis_hub):
    first, second = new(parcel(postgis_hub)), new(parcel(postgis_hub, parcel_no=2))
    postgis_hub.submit(changeset(first, second))
    third = new(parcel(postgis_hub, parcel_no=3))
    mistake = postgis_hub.submit(changeset(Change("parcel", first.feature_id, first.after,
                                                  {**first.after, "note": "sai"}),
                                           Change("parcel", second.feature_id, second.after, None), third))
    # Somebody goes on with another field of the first: that stays.
    now = {**first.after, "note": "sai"}
    postgis_hub.submit(changeset(Change("parcel", first.feature_id, now, {**now, "address": "mới"})))
    assert revert_changeset(postgis_hub, mistake.number).outcome is Outcome.APPLIED
    assert rows(postgis_hub) == {first.feature_id: {**first.after, "address": "mới"}, second.feature_id: second.after}
    assert changesets(postgis_hub)[0].reverts == mistake.number
    # The second time the fields are no longer what the mistake made them.
    later = postgis_hub.submit(changeset(Change("parcel", second.feature_id, second.after,
                                                {**second.after, "note": "a"})))
    postgis_hub.submit(changeset(Change("parcel", second.feature_id, {**second.after, "note": "a"},
                                        {**second.after, "note": "b"})))
    told = revert_changeset(postgis_hub, later.number)
    assert told.outcome is Outcome.STALE and told.objections[
        0].feature_id == second.feature_id and "Ghi chú" in told.objections[0].reason


def test_a_transaction_counts_when_it_is_committed(postgis_hub, postgis_parameters):
    """One that began first and commits last is no part of a moment between."""
    change = new(parcel(postgis_hub))
    postgis_hub.submit(changeset(change))
    slow = psycopg2.connect(**postgis_parameters)
    with slow.cursor() as cursor:
        cursor.execute(f"UPDATE {TABLE} SET note = 'chậm'")
    quick = postgis_hub.submit(changeset(new(parcel(postgis_hub, parcel_no=2))))
    moment = changesets(postgis_hub)[0].applied_at
    slow.commit()
    slow.close()
    assert [row["note"] for row in rows(postgis_hub, moment).values()] == [None, None]
    assert [row["note"] for row in rows(postgis_hub, quick.number).values()] == [None, None]
    assert sorted(str(row["note"]) for row in rows(postgis_hub).values()) == ["None", "chậm"]


def test_many_touches_in_one_transaction_are_one_entry(postgis_hub, postgis_parameters, sql_at):
    change = new(parcel(postgis_hub))
    postgis_hub.submit(changeset(change))
    before = changesets(postgis_hub)[0].number
    sql_at(postgis_parameters, f"""DO $$ BEGIN
        UPDATE {TABLE} SET note = 'a'; UPDATE {TABLE} SET note = 'b', address = 'c';
        INSERT INTO {TABLE} (old_commune_code, sheet_no, parcel_no, land_code, geom) SELECT '00002', '1', 5, 'ONT', geom FROM {TABLE};
        DELETE FROM {TABLE} WHERE parcel_no = 5; END $$""")
    found = list(changes_between(postgis_hub, postgis_hub.datasets["parcel"], before,
                                 changesets(postgis_hub)[0].number))
    assert found == [Change("parcel", change.feature_id, change.after, {**change.after, "note": "b", "address": "c"})]
    assert sql_at(postgis_parameters, REPLAY) == [(0,)]


def test_triggers_of_others_inside_a_statement_keep_the_order(postgis_hub, postgis_parameters, sql_at):
    """An AFTER ROW trigger writes the same row again: recorded first, but it came last."""
    sql_at(postgis_parameters, f"""
        CREATE FUNCTION public.stamp() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
            UPDATE {TABLE} SET note = coalesce(NEW.note, '') || '!' WHERE feature_id = NEW.feature_id AND pg_trigger_depth() = 1; RETURN NULL; END $$;
        CREATE TRIGGER stamp AFTER INSERT OR UPDATE ON {TABLE} FOR EACH ROW EXECUTE FUNCTION public.stamp()""")
    change = new(parcel(postgis_hub))
    receipt = postgis_hub.submit(changeset(change))
    assert receipt.rewritten == (Change("parcel", change.feature_id, change.after, {**change.after, "note": "!"}),)
    sql_at(postgis_parameters, f"UPDATE {TABLE} SET note = 'x'")
    assert rows(postgis_hub)[change.feature_id]["note"] == "x!"
    assert rows(postgis_hub, receipt.number)[change.feature_id]["note"] == "!"
    assert sql_at(postgis_parameters, REPLAY) == [(0,)]


def test_history_cannot_be_rewritten_and_tables_not_truncated(postgis_hub, postgis_parameters, sql_at):
    postgis_hub.submit(changeset(new(parcel(postgis_hub))))
    for statement in ("UPDATE quyhoach.ledger SET new_row = '{}'", "DELETE FROM quyhoach.ledger",
                      "TRUNCATE quyhoach.ledger",
                      "DELETE FROM quyhoach.changeset", f"TRUNCATE {TABLE}"):
        with pytest.raises(psycopg2.DatabaseError, match="Nhật ký|xóa trắng"):
            sql_at(postgis_parameters, statement)


def test_a_session_with_odd_settings_leaves_exact_history(postgis_hub, postgis_parameters):
    """float8 digits and time zone of a session must not end up in the ledger."""
    report = {field.name: None for field in postgis_hub.datasets["field_report"].fields}
    connection = psycopg2.connect(**postgis_parameters)
    with connection.cursor() as cursor:
        cursor.execute("SET extra_float_digits = -15; SET timezone = 'Asia/Ho_Chi_Minh'; SET datestyle = 'SQL, DMY'")
        cursor.execute(f"INSERT INTO {TABLE} (old_commune_code, sheet_no, parcel_no, "
                       f"land_code, legal_area_m2, survey_date, geom) "
                       f"VALUES ('00001', '1', 1, 'ONT', 0.1::float8 + 0.2::float8, "
                       f"'1901-02-03', ST_Multi(ST_MakeEnvelope(0, 0, 1, 1, 9214)))")
    connection.commit()
    cursor = connection.cursor()
    cursor.execute(f"UPDATE {TABLE} SET note = 'x'")
    connection.commit()
    connection.close()
    first = changesets(postgis_hub)[1].number
    (row,) = rows(postgis_hub, first).values()
    assert (row["legal_area_m2"], row["survey_date"]) == (0.1 + 0.2, "1901-02-03")
    assert report  # the dataset with an instant is in the round trips
