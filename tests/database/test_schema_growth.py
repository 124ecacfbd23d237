"""The hub gets a new field, a new code, a new dataset while working copies have edits not sent yet."""

import sqlite3
import uuid
from dataclasses import replace

import pyproj
import pytest
import shapely
from memory_hub import MemoryHub
from quyhoach.processing_algorithms.provincial_database.catalogue import Catalogue, load_catalogue
from quyhoach.processing_algorithms.provincial_database.catalogue.model import Domain
from quyhoach.processing_algorithms.provincial_database.changes import Change, Changeset, Outcome, Scope
from quyhoach.processing_algorithms.provincial_database.geopackage.geometry import register_functions
from quyhoach.processing_algorithms.provincial_database.working_copies import working_copy
from quyhoach.processing_algorithms.provincial_database.working_copies.checkout import checkout
from quyhoach.processing_algorithms.provincial_database.working_copies.exchange_file import (
    export_changes,
    export_update,
    import_update,
)
from quyhoach.processing_algorithms.provincial_database.working_copies.pull import pull
from quyhoach.processing_algorithms.provincial_database.working_copies.push import push

NEW = load_catalogue()["facility"]
#: The dataset as an earlier version had it: without one field, and with one code less.
NEW_FIELD = next(field.name for field in NEW.fields if not field.required and field.type == "text"
                 and field.domain is None and field.name != "commune_code")
KIND = NEW.field("kind").domain.values[0].code
NEW_CODE = NEW.field("kind").domain.values[-1].code


def older(field):
    if field.name != "kind":
        return field
    return replace(field,
                   domain=Domain(field.domain.name, field.domain.label, field.domain.values[:-1], field.domain.table))


OLD = replace(NEW, fields=tuple(older(field) for field in NEW.fields if field.name != NEW_FIELD))
WHO = {"author": "ân", "message": "thử"}


def row(dataset, name, x):
    return {**{field.name: None for field in dataset.fields}, "name": name, "kind": KIND,
            "geom": shapely.to_wkb(shapely.Point(x, 0.0), byte_order=1, flavor="iso")}


def id_of(number):
    return str(uuid.UUID(int=number))


def send(hub, *changes):
    receipt = hub.submit(Changeset(str(uuid.uuid4()), "sở", "", "x", "", "2026-11-22T00:00:00.000Z", changes))
    assert receipt.outcome is Outcome.APPLIED, receipt


@pytest.fixture
def hub():
    made = MemoryHub([OLD])
    send(made, *(Change("facility", id_of(i), None, row(OLD, f"Số {i}", i)) for i in range(1, 5)))
    return made


@pytest.fixture
def copy(hub, tmp_path):
    with checkout(tmp_path / "bản.gpkg", hub, location="m", crs=pyproj.CRS(9214), datasets=[OLD],
                  scopes=[Scope("facility")]) as made:
        yield made


def sql(copy, text, *values):
    database = sqlite3.connect(copy.path, isolation_level=None)
    register_functions(database)
    database.execute(text, values)
    database.close()


def upgrade(hub):
    """What an upgrade of the hub does: the field is there and empty, then somebody fills it in."""
    hub.datasets = Catalogue((NEW,))
    for held in hub.rows.values():
        held[NEW_FIELD] = None
    before = dict(hub.rows["facility", id_of(2)])
    send(hub, Change("facility", id_of(2), before, {**before, NEW_FIELD: "Giá trị mới", "kind": NEW_CODE}))


def edit(copy):
    sql(copy, "UPDATE facility SET name = 'Sửa trước nâng cấp' WHERE feature_id = ?", id_of(1))
    sql(copy, "UPDATE facility SET name = 'Cả hai cùng sửa' WHERE feature_id = ?", id_of(2))
    sql(copy, "DELETE FROM facility WHERE feature_id = ?", id_of(3))
    sql(copy, "INSERT INTO facility (name, kind, geom) SELECT 'Thêm trước nâng cấp', kind, geom FROM facility LIMIT 1")


def the_end_is_right(copy, hub):
    by_name = {held["name"]: held for held in hub.rows.values()}
    assert sorted(by_name) == sorted(["Sửa trước nâng cấp", "Cả hai cùng sửa", "Thêm trước nâng cấp", "Số 4"])
    assert by_name["Cả hai cùng sửa"][NEW_FIELD] == "Giá trị mới" and by_name["Cả hai cùng sửa"]["kind"] == NEW_CODE
    assert NEW_FIELD in copy.datasets["facility"].field_names and not copy.tracking_lost(copy.datasets["facility"])
    assert copy.row(copy.datasets["facility"], id_of(2))[NEW_FIELD] == "Giá trị mới"
    assert copy.status()[0].edits == 0
    sql(copy, f'UPDATE facility SET "{NEW_FIELD}" = \'Từ xã\', kind = ? WHERE feature_id = ?', NEW_CODE, id_of(4))
    assert push(copy, hub, **WHO).outcome is Outcome.APPLIED
    assert hub.rows["facility", id_of(4)][NEW_FIELD] == "Từ xã"


def test_edits_made_before_an_upgrade_arrive_after_it(copy, hub):
    assert NEW_FIELD not in copy.datasets["facility"].field_names
    edit(copy)
    upgrade(hub)
    report = pull(copy, hub)
    assert report.conflicts == 0 and report.compared_whole and copy.status()[0].edits == 4
    assert push(copy, hub, **WHO).outcome is Outcome.APPLIED
    pull(copy, hub)
    the_end_is_right(copy, hub)
    assert not pull(copy, hub).compared_whole, "it grows once"


def test_edits_pushed_before_the_copy_has_grown_arrive_too(copy, hub):
    edit(copy)
    hub.datasets = Catalogue((NEW,))
    for held in hub.rows.values():
        held[NEW_FIELD] = "Có sẵn"
    assert push(copy, hub, **WHO).outcome is Outcome.APPLIED
    assert hub.rows["facility", id_of(1)] == {**hub.rows["facility", id_of(1)], "name": "Sửa trước nâng cấp",
                                              NEW_FIELD: "Có sẵn"}
    pull(copy, hub)
    assert copy.row(copy.datasets["facility"], id_of(4))[NEW_FIELD] == "Có sẵn" and copy.status()[0].edits == 0


def test_by_file_as_over_the_network(copy, hub, tmp_path):
    edit(copy)
    upgrade(hub)
    for step in range(3):
        export_changes(copy, tmp_path / f"{step}.qhz", **WHO)
        export_update(hub, tmp_path / f"{step}.qhz", tmp_path / f"về {step}.qhz")
        import_update(copy, tmp_path / f"về {step}.qhz")
    the_end_is_right(copy, hub)


def test_a_column_of_the_same_name_somebody_added_stays_theirs(copy, hub):
    sql(copy, f'ALTER TABLE facility ADD COLUMN "{NEW_FIELD}" TEXT')
    sql(copy, f"UPDATE facility SET \"{NEW_FIELD}\" = 'ghi chú riêng'")
    upgrade(hub)
    pull(copy, hub)
    assert copy.database.execute(f'SELECT DISTINCT "{NEW_FIELD}_local" FROM facility').fetchall() == [("ghi chú riêng",)]
    assert copy.row(copy.datasets["facility"], id_of(2))[NEW_FIELD] == "Giá trị mới"


def test_an_office_with_an_older_program_goes_on(copy, hub, monkeypatch):
    """It knows neither the field nor the code; both pass by it unharmed."""
    upgrade(hub)
    known = hub.datasets
    monkeypatch.setattr(working_copy, "load_catalogue", lambda: Catalogue((OLD,)))
    hub.datasets = Catalogue((OLD,))
    copy.read_datasets()
    pull(copy, hub)
    assert copy.row(OLD, id_of(2))["kind"] == NEW_CODE
    sql(copy, "UPDATE facility SET name = 'Từ máy cũ' WHERE feature_id = ?", id_of(1))
    assert push(copy, hub,
                **WHO).outcome is Outcome.APPLIED and hub.rows["facility", id_of(2)][NEW_FIELD] == "Giá trị mới"
    # The program is updated: what was passed over comes in.
    monkeypatch.undo()
    hub.datasets = known
    copy.read_datasets()
    pull(copy, hub)
    assert copy.row(copy.datasets["facility"], id_of(2))[NEW_FIELD] == "Giá trị mới"
