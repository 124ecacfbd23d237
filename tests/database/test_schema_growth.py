"""A stored hub gets a new field, a new code, a new dataset, a newer structure, while offices hold edits not sent yet."""

import sqlite3
import uuid
from contextlib import closing, contextmanager
from dataclasses import replace

import pyproj
import pytest
import shapely
from hub_rows import rows_of
from quyhoach.processing_algorithms.provincial_database.administration import hub_create
from quyhoach.processing_algorithms.provincial_database.administration.administration import check_hub, upgrade
from quyhoach.processing_algorithms.provincial_database.administration.hub_create import create_hub
from quyhoach.processing_algorithms.provincial_database.catalogue import Catalogue, load_catalogue
from quyhoach.processing_algorithms.provincial_database.catalogue.model import Domain
from quyhoach.processing_algorithms.provincial_database.changes import (
    Change,
    Changeset,
    Outcome,
    Position,
    Scope,
)
from quyhoach.processing_algorithms.provincial_database.findings import State
from quyhoach.processing_algorithms.provincial_database.geopackage import hub as geopackage_hub
from quyhoach.processing_algorithms.provincial_database.geopackage import upgrade as geopackage_upgrade
from quyhoach.processing_algorithms.provincial_database.geopackage.geometry import register_functions
from quyhoach.processing_algorithms.provincial_database.history.history import layer_as_of
from quyhoach.processing_algorithms.provincial_database.hub import open_hub
from quyhoach.processing_algorithms.provincial_database.postgis import create as postgis_create
from quyhoach.processing_algorithms.provincial_database.postgis import exchange as postgis_exchange
from quyhoach.processing_algorithms.provincial_database.postgis import hub as postgis_hub
from quyhoach.processing_algorithms.provincial_database.working_copies import working_copy
from quyhoach.processing_algorithms.provincial_database.working_copies.checkout import checkout
from quyhoach.processing_algorithms.provincial_database.working_copies.conflict_review import Rule, conflicts, resolve
from quyhoach.processing_algorithms.provincial_database.working_copies.exchange_file import (
    apply_changes,
    export_changes,
    export_update,
    import_update,
)
from quyhoach.processing_algorithms.provincial_database.working_copies.outgoing import freeze, pending
from quyhoach.processing_algorithms.provincial_database.working_copies.pull import pull
from quyhoach.processing_algorithms.provincial_database.working_copies.push import push
from quyhoach.processing_algorithms.provincial_database.working_copies.working_copy_scope import change_scope

NEW, ZONE = load_catalogue()["facility"], load_catalogue()["zone"]
#: The dataset as an earlier version had it: without one field, and with one code less.
NEW_FIELD = next(field.name for field in NEW.fields if not field.required and field.type == "text"
                 and field.domain is None and field.name not in ("commune_code", "address"))
KIND = NEW.field("kind").domain.values[0].code
NEW_CODE = NEW.field("kind").domain.values[-1].code


def older(field):
    if field.name != "kind":
        return field
    return replace(field,
                   domain=Domain(field.domain.name, field.domain.label, field.domain.values[:-1], field.domain.table))


OLD = replace(NEW, fields=tuple(older(field) for field in NEW.fields if field.name != NEW_FIELD))
WHO = {"author": "ân", "message": "thử"}
APPLIED = Outcome.APPLIED


def row(dataset, name, x):
    return {**{field.name: None for field in dataset.fields}, "name": name, "kind": KIND,
            "geom": shapely.to_wkb(shapely.Point(500000.0 + x, 1800000.0), byte_order=1, flavor="iso")}


def id_of(number):
    return str(uuid.UUID(int=number))


def send(hub, *changes):
    receipt = hub.submit(Changeset(str(uuid.uuid4()), "sở", "", "x", "", "2026-11-22T00:00:00.000Z", changes))
    assert receipt.outcome is APPLIED, receipt


class Place:
    """A hub of yesterday's catalogue with four facilities, working copies of it, and its growth."""

    def __init__(self, location, folder):
        self.location, self.folder, self.copies = location, folder, {}

    def filled(self):
        with self.hub() as hub:
            send(hub, *(Change("facility", id_of(i), None, row(OLD, f"Số {i}", i)) for i in range(1, 5)))
        return self

    def hub(self):
        """Opened by a program of today."""
        return open_hub(self.location)

    def copy(self, name, hub=None):
        if hub is None:
            with self.hub() as hub:
                return self.copy(name, hub)
        self.copies[name] = checkout(self.folder / f"{name}.gpkg", hub, location="x", crs=pyproj.CRS(9214),
                                     datasets=[hub.datasets["facility"]], scopes=[Scope("facility")])
        return self.copies[name]

    def file(self, name):
        return self.folder / name

    def grow(self, known="Có sẵn"):
        """Field, code and dataset come, and somebody of the Department fills them in."""
        told = upgrade(self.location, datasets=[NEW, ZONE])
        assert {line for line in told if not line.startswith("Cấu trúc")} == {
            f"{NEW.label}: thêm trường {NEW.field(NEW_FIELD).label}.", f"{NEW.label}: {NEW.field('kind').label}: thêm mã {NEW_CODE}.",
            f"Thêm tập dữ liệu {ZONE.label}."}
        with self.hub() as hub:
            before = rows_of(hub)[id_of(2)]
            send(hub, Change("facility", id_of(2), before, {**before, NEW_FIELD: known, "kind": NEW_CODE}))

    def rows(self):
        with self.hub() as hub:
            return rows_of(hub)

    def names(self):
        return {feature_id: held["name"] for feature_id, held in self.rows().items()}

    def is_sound(self):
        """The ledger replays to the tables, and all else is in order."""
        with self.hub() as hub:
            assert [finding for finding in check_hub(hub) if finding.state is State.BROKEN] == []


@pytest.fixture(params=["geopackage", "postgis"])
def place(request, tmp_path, tmp_path_factory):
    if request.param == "postgis":
        location = request.getfixturevalue("new_database")(request.getfixturevalue("template")("old_template", [OLD]))
    else:
        location = str(tmp_path_factory.mktemp("Sở Xây dựng") / "tỉnh.gpkg")
        create_hub(location, "EPSG:9214", datasets=[OLD]).close()
    made = Place(location, tmp_path).filled()
    yield made
    for copy in made.copies.values():
        copy.close()


def sql(copy, text, *values):
    with closing(sqlite3.connect(copy.path, isolation_level=None)) as database:
        register_functions(database)
        database.execute(text, values)


def edit(copy):
    assert NEW_FIELD not in copy.datasets["facility"].field_names
    sql(copy, "UPDATE facility SET name = 'Sửa trước nâng cấp' WHERE feature_id = ?", id_of(1))
    sql(copy, "UPDATE facility SET name = 'Cả hai cùng sửa' WHERE feature_id = ?", id_of(2))
    sql(copy, "DELETE FROM facility WHERE feature_id = ?", id_of(3))
    sql(copy, "INSERT INTO facility (name, kind, geom) SELECT 'Thêm trước nâng cấp', kind, geom FROM facility LIMIT 1")


def the_end_is_right(copy, place):
    by_name = {held["name"]: held for held in place.rows().values()}
    assert sorted(by_name) == sorted(["Sửa trước nâng cấp", "Cả hai cùng sửa", "Thêm trước nâng cấp", "Số 4"])
    assert by_name["Cả hai cùng sửa"][NEW_FIELD] == "Có sẵn" and by_name["Cả hai cùng sửa"]["kind"] == NEW_CODE
    facility = copy.datasets["facility"]
    assert NEW_FIELD in facility.field_names and not copy.tracking_lost(facility)
    assert {id: copy.row(facility, id) for id in place.rows()} == place.rows()
    place.is_sound()
    assert copy.status()[0].edits == 0 and not pending(copy)
    sql(copy, f'UPDATE facility SET "{NEW_FIELD}" = \'Từ xã\', kind = ? WHERE feature_id = ?', NEW_CODE, id_of(4))
    with place.hub() as hub:
        assert push(copy, hub, **WHO).outcome is APPLIED
    assert (place.rows()[id_of(4)][NEW_FIELD], place.rows()[id_of(4)]["kind"]) == ("Từ xã", NEW_CODE)


def test_edits_made_before_an_upgrade_arrive_after_it(place):
    copy = place.copy("xã")
    with place.hub() as hub:
        wrong = Change("facility", id_of(9), None, {**row(OLD, "x", 9), "kind": NEW_CODE})
        assert hub.submit(Changeset(id_of(90), "sở", "", "x", "", "2026-11-22T00:00:00.000Z",
                                    (wrong,))).outcome is Outcome.REFUSED, "the code is not known yet"
    edit(copy)
    place.grow()
    assert upgrade(place.location, datasets=[NEW, ZONE]) == [], "a second time does nothing"
    with place.hub() as hub:
        assert set(hub.datasets) == {"facility", "zone"}
        report = pull(copy, hub)
        assert report.conflicts == 0 and report.compared_whole and copy.status()[0].edits == 4
        assert push(copy, hub, **WHO).outcome is APPLIED
        pull(copy, hub)
        assert not pull(copy, hub).compared_whole, "it grows once"
        past = layer_as_of(hub, hub.dataset("facility"), 1)
        assert sorted(past["name"]) == [f"Số {i}" for i in range(1, 5)] and past[NEW_FIELD].isna().all()
    the_end_is_right(copy, place)


def test_edits_pushed_before_the_copy_has_grown_arrive_too(place):
    copy = place.copy("xã")
    edit(copy)
    place.grow()
    with place.hub() as hub:
        assert push(copy, hub, **WHO).outcome is APPLIED
        assert rows_of(hub)[id_of(2)][NEW_FIELD] == "Có sẵn"
        pull(copy, hub)
    the_end_is_right(copy, place)


@pytest.mark.parametrize("arrived", [False, True])
def test_a_push_under_way_during_the_upgrade_happens_once(place, arrived):
    """Frozen before, and cut off: before it reached the hub, or before its answer came back."""
    copy = place.copy("xã")
    edit(copy)
    changeset = freeze(copy, **WHO)
    if arrived:
        with place.hub() as hub:
            assert hub.submit(changeset).outcome is APPLIED
    sql(copy, "UPDATE facility SET address = 'Sửa sau khi đứt mạng' WHERE feature_id = ?", id_of(4))
    place.grow()
    with place.hub() as hub:
        receipts = push(copy, hub, **WHO).receipts
        assert [receipt.outcome for receipt in receipts] == [Outcome.ALREADY_APPLIED if arrived else APPLIED, APPLIED]
        pull(copy, hub)
    assert place.rows()[id_of(4)]["address"] == "Sửa sau khi đứt mạng"
    the_end_is_right(copy, place)


def test_by_file_as_over_the_network(place):
    copy = place.copy("xã")
    edit(copy)
    place.grow()
    for step in range(3):
        export_changes(copy, place.file(f"{step}.qhz"), **WHO)
        with place.hub() as hub:
            export_update(hub, place.file(f"{step}.qhz"), place.file(f"về {step}.qhz"))
        import_update(copy, place.file(f"về {step}.qhz"))
    the_end_is_right(copy, place)


@pytest.mark.parametrize("applied", ["before", "after", "twice"])
def test_a_changes_file_from_before_the_upgrade_is_applied_and_answered(place, applied):
    copy = place.copy("xã")
    edit(copy)
    export_changes(copy, place.file("đi.qhz"), **WHO)
    if applied != "after":
        with place.hub() as hub:
            assert [receipt.outcome for receipt in apply_changes(hub, place.file("đi.qhz"))] == [APPLIED]
    place.grow()
    with place.hub() as hub:
        if applied != "before":
            wanted = Outcome.ALREADY_APPLIED if applied == "twice" else APPLIED
            assert [receipt.outcome for receipt in apply_changes(hub, place.file("đi.qhz"))] == [wanted]
        export_update(hub, place.file("đi.qhz"), place.file("về.qhz"))
    sql(copy, "UPDATE facility SET address = 'Sửa trong khi chờ' WHERE feature_id = ?", id_of(1))
    import_update(copy, place.file("về.qhz"))
    assert not pending(copy) and copy.status()[0].changed == 1, "only what was edited while waiting is left"
    export_changes(copy, place.file("đi 2.qhz"), **WHO)
    with place.hub() as hub:
        assert [receipt.outcome for receipt in export_update(hub, place.file("đi 2.qhz"), place.file("về 2.qhz"))] == [APPLIED]
    import_update(copy, place.file("về 2.qhz"))
    assert place.rows()[id_of(1)]["address"] == "Sửa trong khi chờ"
    the_end_is_right(copy, place)


def test_an_update_file_from_before_the_upgrade_is_received_after_it(place):
    copy = place.copy("xã")
    edit(copy)
    export_changes(copy, place.file("đi.qhz"), **WHO)
    with place.hub() as hub:
        export_update(hub, place.file("đi.qhz"), place.file("về.qhz"))
    place.grow()
    import_update(copy, place.file("về.qhz"))
    with place.hub() as hub:
        pull(copy, hub)
    the_end_is_right(copy, place)


def test_what_both_have_edited_is_asked_and_settled_whatever_has_grown(place):
    ward, other = place.copy("xã"), place.copy("xã bạn")
    for copy, name in ((ward, "Của xã"), (other, "Của xã bạn")):
        sql(copy, "UPDATE facility SET name = ? WHERE feature_id IN (?, ?)", name, id_of(1), id_of(2))
    sql(ward, "DELETE FROM facility WHERE feature_id = ?", id_of(3))
    sql(other, "UPDATE facility SET address = 'Còn dùng' WHERE feature_id = ?", id_of(3))
    with place.hub() as hub:
        assert push(other, hub, **WHO).outcome is APPLIED
        pull(ward, hub)
        assert {conflict.feature_id for conflict in conflicts(ward)} == {id_of(i) for i in (1, 2, 3)}
    place.grow()
    with place.hub() as hub:
        pull(ward, hub)
        assert {conflict.feature_id for conflict in conflicts(ward)} == {id_of(i) for i in (1, 2, 3)}, "growing settles nothing"
        resolve(ward, Rule.OURS)
        assert push(ward, hub, **WHO).outcome is APPLIED
        pull(other, hub)
    place.is_sound()
    rows = place.rows()
    assert (rows[id_of(1)]["name"], rows[id_of(2)]["name"], id_of(3) in rows) == ("Của xã", "Của xã", False)
    assert (rows[id_of(2)][NEW_FIELD], rows[id_of(2)]["kind"]) == ("Có sẵn", NEW_CODE), "theirs where nobody disputed it"
    assert {id: other.row(other.datasets["facility"], id) for id in rows} == rows and other.status()[0].edits == 0


def test_a_new_dataset_is_taken_out_beside_edits_not_sent_yet(place):
    copy = place.copy("xã")
    edit(copy)
    place.grow()
    with place.hub() as hub:
        change_scope(copy, hub, [Scope("facility"), Scope("zone")], crs=pyproj.CRS(9214))
        lines = {line.dataset.name: line.edits for line in copy.status()}
        assert lines == {"facility": 4, "zone": 0}
        function = ZONE.field("function_code").domain.values[0].code
        shape = shapely.MultiPolygon([shapely.box(500000, 1800000, 500010, 1800010)])
        send(hub, Change("zone", id_of(50), None, {
            **dict.fromkeys(ZONE.field_names), "plan_ref": "P1", "zone_code": "A", "function_code": function,
            "geom": shapely.to_wkb(shape, byte_order=1, flavor="iso")}))
        pull(copy, hub)
        sql(copy, "UPDATE zone SET zone_code = 'B'")
        assert push(copy, hub, **WHO).outcome is APPLIED
        assert rows_of(hub, "zone")[id_of(50)]["zone_code"] == "B"
        pull(copy, hub)
        change_scope(copy, hub, [Scope("facility")], crs=pyproj.CRS(9214))
    the_end_is_right(copy, place)


def test_a_column_of_the_same_name_somebody_added_stays_theirs(place):
    copy = place.copy("xã")
    sql(copy, f'ALTER TABLE facility ADD COLUMN "{NEW_FIELD}" TEXT')
    sql(copy, f"UPDATE facility SET \"{NEW_FIELD}\" = 'ghi chú riêng'")
    place.grow()
    with place.hub() as hub:
        pull(copy, hub)
    assert copy.database.execute(f'SELECT DISTINCT "{NEW_FIELD}_local" FROM facility').fetchall() == [("ghi chú riêng",)]
    assert copy.row(copy.datasets["facility"], id_of(2))[NEW_FIELD] == "Có sẵn"


@pytest.mark.parametrize("by_file", [False, True])
def test_an_office_with_an_older_program_goes_on(place, monkeypatch, by_file):
    """It knows neither the field nor the code; both pass by it unharmed."""
    copy = place.copy("xã")
    place.grow()
    with monkeypatch.context() as in_the_past:
        for module in (working_copy, geopackage_hub, postgis_hub):
            in_the_past.setattr(module, "load_catalogue", lambda: Catalogue((OLD,)))
        copy.read_datasets()
        with place.hub() as hub:
            assert list(hub.datasets) == ["facility"] and NEW_FIELD not in hub.datasets["facility"].field_names
            pull(copy, hub)
            assert copy.row(OLD, id_of(2))["kind"] == NEW_CODE
            sql(copy, "UPDATE facility SET name = 'Từ máy cũ' WHERE feature_id IN (?, ?)", id_of(1), id_of(2))
            assert push(copy, hub, **WHO).outcome is APPLIED
            pull(copy, hub)
    assert place.names()[id_of(1)] == "Từ máy cũ" and place.rows()[id_of(2)][NEW_FIELD] == "Có sẵn"
    # The program is updated: what was passed over comes in.
    copy.read_datasets()
    with place.hub() as hub:
        if not by_file:
            pull(copy, hub)
        else:
            export_changes(copy, place.file("đi.qhz"), author="ân")
            export_update(hub, place.file("đi.qhz"), place.file("về.qhz"))
            import_update(copy, place.file("về.qhz"))
    assert copy.row(copy.datasets["facility"], id_of(2)) == place.rows()[id_of(2)]


def test_a_program_left_open_while_another_upgrades_goes_on(place):
    """A colleague's QGIS keeps the hub open: what it pushes and pulls is as right as before, and it loses nothing new."""
    copy = place.copy("xã")
    edit(copy)
    with place.hub() as left_open:
        place.grow()
        assert push(copy, left_open, **WHO).outcome is APPLIED
        pull(copy, left_open)
    with place.hub() as hub:
        pull(copy, hub)
    the_end_is_right(copy, place)


def test_a_required_field_that_comes_later_may_be_empty_in_old_rows(place):
    copy = place.copy("xã")
    edit(copy)
    upgrade(place.location, datasets=[replace(NEW, fields=tuple(
        replace(field, required=field.required or field.name == NEW_FIELD) for field in NEW.fields))])
    with place.hub() as hub:
        assert push(copy, hub, **WHO).outcome is APPLIED
    assert sorted(place.names().values()) == ["Cả hai cùng sửa", "Số 4", "Sửa trước nâng cấp", "Thêm trước nâng cấp"]


# an older structure of the hub itself ---------------------------------------------------------------------------------


def unmarked(hub, cursor):
    cursor.execute("SELECT hub_id::text, incarnation::text, pg_current_snapshot()::text || '/' || "
                   "coalesce(quyhoach.rights_fingerprint(), '') FROM quyhoach.hub")
    return Position(*cursor.fetchone())


@contextmanager
def program_of(version):
    """Let today's program take a structure for the newest one, as the program of that day did, for a block."""
    with pytest.MonkeyPatch.context() as past:
        for module in (hub_create, geopackage_hub, geopackage_upgrade, postgis_hub):
            past.setattr(module, "SCHEMA_VERSION", version)
        past.setattr(postgis_create, "newest_version", lambda: version)
        for module in (postgis_hub, postgis_exchange):  # positions had no mark of history until 8
            past.setattr(module, "position_of", unmarked)
        if version < 3:  # nobody was told of working copies yet
            past.setattr(postgis_hub.PostgisHub, "note_working_copy", lambda *_: None)
        yield


#: From the oldest whose columns today's program can still write, to the last but one.
@pytest.mark.parametrize(("empty_place", "version"), [("geopackage", 4), ("geopackage", 5), ("geopackage", 6), ("postgis", 2), ("postgis", 4),
                                                      ("postgis", 7)], indirect=["empty_place"])
def test_copies_from_an_old_structure_send_all_they_have(version, empty_place, tmp_path):
    place = Place(empty_place, tmp_path)
    with program_of(version):
        create_hub(empty_place, "EPSG:9214", datasets=[OLD]).close()
        place.filled()
        with place.hub() as hub:
            assert hub.info.schema_version == version
            line, frozen, lost, by_file = (place.copy(name, hub) for name in ("mạng", "đứt", "mất trả lời", "tệp"))
            for number, copy in enumerate(place.copies.values(), start=1):
                sql(copy, "UPDATE facility SET name = ? WHERE feature_id = ?", f"Của {number}", id_of(number))
            freeze(frozen, **WHO)
            assert hub.submit(freeze(lost, **WHO)).outcome is APPLIED
            export_changes(by_file, place.file("đi.qhz"), **WHO)
            before = rows_of(hub)
            send(hub, Change("facility", id_of(1), before[id_of(1)], {**before[id_of(1)], "name": "Của sở", "address": "Sở"}))
    place.grow()
    with place.hub() as hub:
        assert hub.info.schema_version > version
        assert push(line, hub, **WHO).outcome is Outcome.STALE
        pull(line, hub)
        assert [conflict.fields for conflict in conflicts(line)] == [{"name"}]
        resolve(line, Rule.OURS)
        assert push(line, hub, **WHO).outcome is APPLIED
        assert [receipt.outcome for receipt in push(frozen, hub, **WHO).receipts] == [APPLIED]
        assert [receipt.outcome for receipt in push(lost, hub, **WHO).receipts] == [Outcome.ALREADY_APPLIED]
        assert [receipt.outcome for receipt in export_update(hub, place.file("đi.qhz"), place.file("về.qhz"))] == [APPLIED]
        import_update(by_file, place.file("về.qhz"))
        for copy in place.copies.values():
            pull(copy, hub)
        rows = rows_of(hub)
        assert [rows[id_of(number)]["name"] for number in range(1, 5)] == [f"Của {number}" for number in range(1, 5)]
        assert (rows[id_of(1)]["address"], rows[id_of(2)][NEW_FIELD]) == ("Sở", "Có sẵn")
        past = layer_as_of(hub, hub.dataset("facility"), 1)
        assert sorted(past["name"]) == [f"Số {i}" for i in range(1, 5)]
    place.is_sound()
    for copy in place.copies.values():
        assert {id: copy.row(copy.datasets["facility"], id) for id in rows} == rows and copy.status()[0].edits == 0
        copy.close()
