"""Submitting to a PostGIS hub and being delivered from it: exactly once, nothing missed, whoever wrote."""

import concurrent.futures
import time
import uuid
from dataclasses import replace

import psycopg2
import pyproj
import pytest
import shapely
from postgis_rows import changeset, delivered, new, parcel
from quyhoach.processing_algorithms.common.errors import InputError
from quyhoach.processing_algorithms.common.progress import silent
from quyhoach.processing_algorithms.provincial_database.catalogue import load_catalogue
from quyhoach.processing_algorithms.provincial_database.changes import Change, Outcome, RemembersRestores, Scope
from quyhoach.processing_algorithms.provincial_database.geopackage.schema import data_columns
from quyhoach.processing_algorithms.provincial_database.postgis.connection import transaction
from quyhoach.processing_algorithms.provincial_database.postgis.health import check_postgis_hub
from quyhoach.processing_algorithms.provincial_database.postgis.hub import PostgisHub
from quyhoach.processing_algorithms.provincial_database.postgis.submit import _submit
from quyhoach.processing_algorithms.provincial_database.rows import blobs_of, rows_to_sqlite
from quyhoach.processing_algorithms.provincial_database.working_copies.checkout import checkout
from quyhoach.processing_algorithms.provincial_database.working_copies.pull import pull
from quyhoach.processing_algorithms.provincial_database.working_copies.push import push


def test_a_new_hub_is_empty_and_gets_an_incarnation_of_its_own(postgis_hub, postgis_parameters, sql_at):
    assert list(postgis_hub.datasets)[:3] == ["administrative_unit", "hamlet",
                                              "parcel"] and len(postgis_hub.datasets) == len(load_catalogue())
    assert postgis_hub.count(postgis_hub.dataset("parcel")) == 0
    template = sql_at({**postgis_parameters, "dbname": "hub_template"},
                      "SELECT incarnation::text FROM quyhoach.hub")[0][0]
    assert postgis_hub.info.incarnation != template, "a copy of a database is another incarnation"


def test_what_is_submitted_is_delivered(postgis_hub):
    start, whole, rows = delivered(postgis_hub)
    assert whole and rows == {}
    change = new(parcel(postgis_hub, note="Đường Lê Lợi \\ \t \"x\" 'y'", legal_area_m2=100.1,
                        survey_date="1969-07-20"))
    receipt = postgis_hub.submit(changeset(change))
    assert (receipt.outcome, receipt.rewritten) == (Outcome.APPLIED, ())
    position, whole, rows = delivered(postgis_hub, start)
    assert not whole and rows == {change.feature_id: change.after}
    assert delivered(postgis_hub, position)[2] == {}


def test_the_same_changeset_again_does_nothing(postgis_hub):
    sent = changeset(new(parcel(postgis_hub)))
    first = postgis_hub.submit(sent)
    again = postgis_hub.submit(sent)
    assert (again.outcome, again.number) == (Outcome.ALREADY_APPLIED, first.number)
    assert postgis_hub.count(postgis_hub.dataset("parcel")) == 1


def test_fields_of_one_row_merge_and_the_same_field_is_stale(postgis_hub):
    base = parcel(postgis_hub)
    change = new(base)
    postgis_hub.submit(changeset(change))

    def edit(**values):
        return changeset(Change("parcel", change.feature_id, base, base | values))

    assert postgis_hub.submit(edit(note="một")).outcome is Outcome.APPLIED
    assert postgis_hub.submit(edit(address="hai")).outcome is Outcome.APPLIED
    stale = postgis_hub.submit(edit(note="ba"))
    assert stale.outcome is Outcome.STALE and "Ghi chú" in stale.objections[0].reason
    # The same value on both sides is no conflict.
    assert postgis_hub.submit(edit(note="một")).outcome is Outcome.APPLIED
    row = delivered(postgis_hub)[2][change.feature_id]
    assert (row["note"], row["address"]) == ("một", "hai")


def test_a_deletion_against_an_edit_is_stale_and_one_against_a_deletion_is_not(postgis_hub):
    base, change = parcel(postgis_hub), new(parcel(postgis_hub))
    postgis_hub.submit(changeset(change))
    postgis_hub.submit(changeset(Change("parcel", change.feature_id, base, base | {"note": "x"})))
    assert postgis_hub.submit(changeset(Change("parcel", change.feature_id, base, None))).outcome is Outcome.STALE
    now = base | {"note": "x"}
    assert postgis_hub.submit(changeset(Change("parcel", change.feature_id, now, None))).outcome is Outcome.APPLIED
    assert postgis_hub.submit(changeset(Change("parcel", change.feature_id, now, None))).outcome is Outcome.APPLIED
    edited = postgis_hub.submit(changeset(Change("parcel", change.feature_id, now, now | {"note": "y"})))
    assert edited.outcome is Outcome.STALE


def test_all_reasons_are_told_and_nothing_is_kept(postgis_hub):
    good, bad, worse = (new(parcel(postgis_hub, **values)) for values in ({}, {"land_code": "XXX"}, {"parcel_no": 0}))
    receipt = postgis_hub.submit(changeset(good, bad, worse))
    assert receipt.outcome is Outcome.REFUSED
    assert {o.feature_id: o.reason for o in receipt.objections} == {
        bad.feature_id: "Thửa đất: Loại đất: mã không có trong danh mục (unknown code).",
        worse.feature_id: "Thửa đất: Thửa đất số: nhỏ hơn 1 (too small)."}
    assert postgis_hub.count(postgis_hub.dataset("parcel")) == 0
    assert postgis_hub.connection.get_transaction_status() == psycopg2.extensions.TRANSACTION_STATUS_IDLE


def test_the_later_numbered_transaction_may_commit_first(postgis_hub, postgis_parameters):
    """Two transactions overlap, the later-numbered one commits first; a pull between and one after miss nothing."""
    _, change, other = parcel(postgis_hub), new(parcel(postgis_hub)), new(parcel(postgis_hub, parcel_no=2))
    postgis_hub.submit(changeset(change, other))
    position, _, _ = delivered(postgis_hub)
    early, late = (psycopg2.connect(**postgis_parameters) for _ in range(2))
    with early.cursor() as cursor:
        cursor.execute("UPDATE quyhoach_data.parcel SET note = 'trước' WHERE feature_id = %s", (other.feature_id,))
    with late.cursor() as cursor:
        cursor.execute("UPDATE quyhoach_data.parcel SET note = 'sau' WHERE feature_id = %s", (change.feature_id,))
    late.commit()
    between, _, rows = delivered(postgis_hub, position)
    assert {key: row["note"] for key, row in rows.items()} == {change.feature_id: "sau"}
    with early.cursor() as cursor:
        cursor.execute("UPDATE quyhoach_data.parcel SET note = 'cuối' WHERE feature_id = %s", (change.feature_id,))
    early.commit()
    after, _, rows = delivered(postgis_hub, between)
    assert {key: row["note"] for key, row in rows.items()} == {change.feature_id: "cuối", other.feature_id: "trước"}
    assert delivered(postgis_hub, after)[2] == {}
    early.close(), late.close()


@pytest.mark.parametrize("edited_here", [False, True])
def test_working_copies_miss_nothing_of_overlapping_transactions(postgis_hub, postgis_parameters, tmp_path, edited_here):
    """The same, seen by three working copies: one pulls before, between and after; one before and after; one only after."""
    change, other = new(parcel(postgis_hub)), new(parcel(postgis_hub, parcel_no=2))
    postgis_hub.submit(changeset(change, other))
    dataset = postgis_hub.datasets["parcel"]
    every, some, last = (checkout(tmp_path / f"{name}.gpkg", postgis_hub, location="x", crs=pyproj.CRS(9214), datasets=[dataset],
                                  scopes=[Scope("parcel")]) for name in "abc")
    early, late = (psycopg2.connect(**postgis_parameters) for _ in range(2))

    def run(connection, note, change):
        with connection.cursor() as cursor:
            cursor.execute("UPDATE quyhoach_data.parcel SET note = %s WHERE feature_id = %s", (note, change.feature_id))

    def notes(copy):
        return {change.feature_id: copy.row(dataset, change.feature_id)["note"] for change in (change, other)}

    if edited_here:
        every.database.execute("UPDATE parcel SET address = 'của tôi'")
    run(early, "trước", other)
    run(late, "sau", change)
    pull(every, postgis_hub), pull(some, postgis_hub)
    assert notes(every) == {change.feature_id: None, other.feature_id: None}
    late.commit()
    pull(every, postgis_hub)
    assert notes(every) == {change.feature_id: "sau", other.feature_id: None}
    run(early, "cuối", change)
    early.commit()
    for copy in (every, some, last):
        assert pull(copy, postgis_hub).conflicts == 0
        assert notes(copy) == {change.feature_id: "cuối", other.feature_id: "trước"}
        assert sum(line.edits for line in copy.status()) == 2 * (edited_here and copy is every)
        push(copy, postgis_hub, author="ân", message="gửi")
    _, _, rows = delivered(postgis_hub)
    assert {(row["note"], row["address"]) for row in rows.values()} == {(note, "của tôi" if edited_here else change.after["address"])
                                                                      for note in ("cuối", "trước")}
    for one in (every, some, last, early, late):
        one.close()


def test_a_row_that_leaves_the_scope_is_told_as_gone(postgis_hub):
    change = new(parcel(postgis_hub))
    postgis_hub.submit(changeset(change))
    scope = Scope("parcel", communes=frozenset({"25001"}))
    position, _, rows = delivered(postgis_hub, scope=scope)
    assert list(rows) == [change.feature_id]
    postgis_hub.submit(changeset(Change("parcel", change.feature_id, change.after,
                                        change.after | {"commune_code": "25002"})))
    assert delivered(postgis_hub, position, scope)[2] == {change.feature_id: None}
    polygon = Scope("parcel", polygon=shapely.to_wkb(shapely.box(5, 5, 6, 6)))
    assert list(delivered(postgis_hub, scope=polygon)[2]) == [change.feature_id]
    assert delivered(postgis_hub, scope=Scope("parcel", polygon=shapely.to_wkb(shapely.box(50, 5, 60, 6))))[2] == {}


def test_a_position_of_an_unknown_incarnation_gets_everything_and_of_another_hub_nothing(postgis_hub):
    change = new(parcel(postgis_hub))
    postgis_hub.submit(changeset(change))
    position, _, _ = delivered(postgis_hub)
    assert isinstance(postgis_hub, RemembersRestores) and postgis_hub.continues(position)
    assert not postgis_hub.continues(position, [str(uuid.uuid4())]), "it lacks a changeset the copy has sent"
    future = replace(position, token="9000000:9000000:/" + position.token.partition("/")[2])
    for strange in (replace(position, incarnation=str(uuid.uuid4())), future):
        assert not postgis_hub.continues(strange)
        with pytest.raises(InputError, match="khôi phục"), postgis_hub.deliver([Scope("parcel")], strange):
            pass
        with postgis_hub.compare([Scope("parcel")], strange) as delivery:
            assert delivery.whole and not delivery.parting.known
            assert [feature_id for _, feature_id, _ in delivery.rows] == [change.feature_id]
    other = replace(position, hub_id=str(uuid.uuid4()))
    with pytest.raises(InputError, match="khác"), postgis_hub.deliver([Scope("parcel")], other):
        pass


def test_features_asked_for_come_in_any_case(postgis_hub):
    """Those edited in a working copy: unchanged, moved out of its scope, or gone."""
    here, moved, gone = (new(parcel(postgis_hub, parcel_no=number)) for number in (1, 2, 3))
    postgis_hub.submit(changeset(here, moved, gone))
    position, _, _ = delivered(postgis_hub)
    away = {**moved.after, "commune_code": "25002"}
    postgis_hub.submit(changeset(Change("parcel", moved.feature_id, moved.after, away),
                                 Change("parcel", gone.feature_id, gone.after, None)))
    edited = frozenset(change.feature_id for change in (here, moved, gone))
    scope = Scope("parcel", communes=frozenset({"25001"}), features=edited)
    wanted = {here.feature_id: here.after, moved.feature_id: away, gone.feature_id: None}
    assert delivered(postgis_hub, position, scope)[2] == wanted
    assert delivered(postgis_hub, None, scope)[2] == {key: row for key, row in wanted.items() if row}


def test_shapes_arrive_whatever_strings_a_server_is_used_to(postgis_hub, postgis_parameters):
    change = new(parcel(postgis_hub))
    assert postgis_hub.submit(changeset(change)).outcome is Outcome.APPLIED
    area = shapely.from_wkb(change.after["geom"]).buffer(1)
    with PostgisHub({**postgis_parameters, "options": "-c statement_timeout=60s -c standard_conforming_strings=off"}) as hub, \
            hub.deliver([Scope("parcel", polygon=shapely.to_wkb(area))], None) as delivery:
        (batch,) = delivery.batches
        [shape] = [row[-1] for row in batch.rows]
        assert shape == blobs_of([change.after["geom"]], hub.srid)[0]
        with hub.connection.cursor() as cursor:
            cursor.execute("SHOW statement_timeout")
            assert cursor.fetchone() == ("1min",)


@pytest.mark.parametrize("scope", [Scope("parcel"), Scope("road"), Scope("shelter")])
def test_batches_are_the_same_rows_to_the_byte(postgis_hub, scope):
    """The fast way must give what the other way gives, or every row would look edited."""
    dataset = postgis_hub.datasets[scope.dataset]
    samples = {"text": "é\t\\\\", "integer": 3, "real": 0.1, "boolean": True, "date": "1969-07-20",
               "datetime": "1969-07-20T01:02:03.004Z"}
    shapes = {"Point": shapely.Point(500000.1, 1200000.2),
              "MultiLineString": shapely.MultiLineString([[(0.1, 0.2), (3, 4)], [(5, 6), (7, 8)]]),
              "MultiPolygon": shapely.MultiPolygon([shapely.box(0.1, 0.2, 5, 6), shapely.box(10, 10, 11, 12)])}
    changes = []
    for full in (True, False):
        row = {field.name: None if not full and not field.required else field.domain.values[0].code if field.domain else
               max(samples[field.type], field.minimum or 0) if field.type in ("integer", "real") else "25001"
               if field.pattern else samples[field.type]
               for field in dataset.fields}
        for shape in (shapes[dataset.geometry], type(shapes[dataset.geometry])()):
            changes.append(Change(dataset.name, str(uuid.uuid4()), None,
                                  {**row, "geom": shapely.to_wkb(shape, byte_order=1, flavor="iso")}))
    receipt = postgis_hub.submit(changeset(*changes))
    assert receipt.outcome is Outcome.APPLIED, receipt
    wanted = {change.feature_id: (change.feature_id, *values) for change, values in
              zip(changes, rows_to_sqlite(dataset, [change.after for change in changes], postgis_hub.srid))}
    with postgis_hub.deliver([scope], None) as delivery:
        (batch,) = delivery.batches
    assert batch.columns == tuple(data_columns(dataset)) and batch.gone == []
    assert {row[0]: row for row in batch.rows} == wanted
    position, _, _ = delivered(postgis_hub, scope=scope)
    gone = changes[0]
    assert postgis_hub.submit(changeset(Change(dataset.name, gone.feature_id, gone.after,
                                               None))).outcome is Outcome.APPLIED
    with postgis_hub.deliver([scope], position) as delivery:
        (batch,) = delivery.batches
    assert (batch.rows, batch.gone) == ([], [gone.feature_id])


@pytest.mark.parametrize("same", [True, False])
def test_of_two_who_send_the_same_new_feature_at_once_the_second_comes_after_the_first(postgis_hub, postgis_parameters, same):
    """The first has not committed when the second looks: it waits, and is told what it would have been told a moment later."""
    feature_id, row = str(uuid.uuid4()), parcel(postgis_hub)
    also = [new(parcel(postgis_hub, parcel_no=number)) for number in (2, 3)]
    with PostgisHub(postgis_parameters) as first, concurrent.futures.ThreadPoolExecutor(1) as pool:
        with transaction(first.connection) as cursor:
            assert _submit(first, cursor, changeset(also[0], new(row, feature_id)), None, silent).outcome is Outcome.APPLIED
            sent = pool.submit(postgis_hub.submit, changeset(new(row if same else {**row, "note": "khác"}, feature_id), *also))
            assert wait_until(lambda: waiting(first))
        receipt = sent.result(30)
    if same:
        assert receipt.outcome is Outcome.APPLIED
    else:
        assert receipt.outcome is Outcome.STALE and [o.feature_id for o in receipt.objections] == [feature_id]
        assert "đã có" in receipt.objections[0].reason
    rows = delivered(postgis_hub)[2]
    assert rows[feature_id]["note"] is None and len(rows) == (3 if same else 2)
    assert [f for f in check_postgis_hub(postgis_hub) if not f.in_order] == []


def waiting(hub):
    with hub.connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
        return cursor.fetchone()[0]


def wait_until(happened):
    for _ in range(600):
        if happened():
            return True
        time.sleep(0.05)
    return False


@pytest.mark.parametrize("steps, between", [([(1, 2), (2, 3), (3, 4), (4, 5)], 0), ([(4, 5), (1, 2), (3, 4), (2, 3)], 0), ([(1, 2), (2, 1), (3, 4), (4, 3)], 2)])
def test_triggers_of_others_see_values_change_hands_in_turn(postgis_hub, postgis_parameters, sql_at, steps, between):
    """In a row they see what was sent and nothing else; of a ring one steps aside, which the ledger does not tell."""
    sql_at(postgis_parameters, """
        CREATE TABLE public.seen (was bigint, became bigint);
        CREATE FUNCTION public.see() RETURNS trigger LANGUAGE plpgsql AS
            $$ BEGIN INSERT INTO public.seen VALUES (OLD.parcel_no, NEW.parcel_no); RETURN NULL; END $$;
        CREATE TRIGGER see AFTER UPDATE ON quyhoach_data.parcel FOR EACH ROW EXECUTE FUNCTION public.see();
        CREATE UNIQUE INDEX ON quyhoach_data.parcel (sheet_no, parcel_no)""")
    made = {number: new(parcel(postgis_hub, parcel_no=number)) for number in range(1, 5)}
    first = postgis_hub.submit(changeset(*made.values())).number
    sent = [Change("parcel", made[was].feature_id, made[was].after, {**made[was].after, "parcel_no": becomes}) for was, becomes in steps]
    done = postgis_hub.submit(changeset(*sent))
    assert done.outcome is Outcome.APPLIED and not done.rewritten, done.objections
    seen = sql_at(postgis_parameters, "SELECT was, became FROM public.seen")
    assert len(seen) == len(steps) + between and (between or sorted(seen) == sorted(steps))
    entries = {change.feature_id: change for change in postgis_hub.changes_between(postgis_hub.datasets["parcel"], first, done.number)}
    assert entries == {change.feature_id: change for change in sent}
    assert sql_at(postgis_parameters, f"SELECT count(*) FROM quyhoach.ledger WHERE changeset = {done.number}") == [(len(steps),)]
    assert [f for f in check_postgis_hub(postgis_hub) if not f.in_order] == []


@pytest.mark.parametrize("token", ["hôm qua", "x/y", "1:1:/a/b/c", ""])
def test_a_position_that_cannot_be_read_is_told(postgis_hub, token):
    with pytest.raises(InputError, match="hỏng"), postgis_hub.deliver([Scope("parcel")], replace(postgis_hub.position(), token=token)):
        pass


def test_who_is_at_fault_among_many_that_only_wait_is_told(postgis_hub, sql_at, postgis_parameters):
    """601 parcels are renumbered, each by one; the last takes a number that stays."""
    sql_at(postgis_parameters, "CREATE UNIQUE INDEX ON quyhoach_data.parcel (parcel_no)")
    made = [new(parcel(postgis_hub, parcel_no=number)) for number in range(1, 603)]
    assert postgis_hub.submit(changeset(*made)).outcome is Outcome.APPLIED
    receipt = postgis_hub.submit(changeset(*(Change("parcel", one.feature_id, one.after, {**one.after, "parcel_no": one.after["parcel_no"] + 1})
                                             for one in made[:601])))
    assert receipt.outcome is Outcome.REFUSED and [o.feature_id for o in receipt.objections] == [made[600].feature_id]
