"""Locks of a GeoPackage hub: approved plans and closed years stay as they are, in a push as in another program."""

import sqlite3
import uuid
from contextlib import closing

import geopandas
import pytest
import shapely
from quyhoach.processing_algorithms.common.errors import InputError, OutputError
from quyhoach.processing_algorithms.provincial_database.administration.hub_create import create_hub
from quyhoach.processing_algorithms.provincial_database.catalogue import load_catalogue
from quyhoach.processing_algorithms.provincial_database.changes import Change, Changeset, Outcome, Scope
from quyhoach.processing_algorithms.provincial_database.geopackage.geometry import register_functions
from quyhoach.processing_algorithms.provincial_database.imports.hub_import import import_layer

CATALOGUE = load_catalogue()
PLAN, ZONE, LAND_USE, OVERRIDE = (CATALOGUE[name] for name in ("plan", "zone", "land_use", "parcel_override"))
SQUARE = shapely.MultiPolygon([shapely.box(500000, 1800000, 500010, 1800010)])


def row(dataset, **values):
    shape = shapely.to_wkb(SQUARE, byte_order=1, flavor="iso")
    return dict.fromkeys(dataset.field_names) | values | {"geom": shape}


PLAN_ROW = row(PLAN, plan_ref="PK1", name="Phân khu 1", level="sub_area", scale=2000, status="draft")
ZONE_ROW = row(ZONE, plan_ref="PK1", zone_code="A1", function_code=ZONE.field("function_code").domain.values[0].code)
OVERRIDE_ROW = row(OVERRIDE, override_ref="CTR1", plan_ref="PK1", status="draft", max_storeys=6)
LAND_ROW = row(LAND_USE, commune_code="25001", year=2024, patch_no=1, land_code="ONT")


@pytest.fixture
def hub(tmp_path):
    with create_hub(str(tmp_path / "hub.gpkg"), "EPSG:9214", datasets=[PLAN, ZONE, LAND_USE, OVERRIDE]) as made:
        yield made


def submit(hub, *changes):
    return hub.submit(Changeset(str(uuid.uuid4()), "ân", "", "thử", "", "2026-11-22T00:00:00.000Z", changes))


def foreign(hub, text):
    with closing(sqlite3.connect(hub.path, isolation_level=None)) as database:
        register_functions(database)
        database.execute(text)


def table(hub, name):
    with hub.deliver([Scope(name)], None) as delivery:
        return {feature_id: row for _, feature_id, row in delivery.rows}


def approved(hub):
    plan_id, zone_id = str(uuid.uuid4()), str(uuid.uuid4())
    assert submit(hub, Change("plan", plan_id, None, PLAN_ROW)).outcome is Outcome.APPLIED
    done = PLAN_ROW | {"status": "approved"}
    # The approval comes with its zones in one changeset.
    receipt = submit(hub, Change("plan", plan_id, PLAN_ROW, done), Change("zone", zone_id, None, ZONE_ROW))
    assert receipt.outcome is Outcome.APPLIED, receipt.objections
    return plan_id, done, zone_id


def test_an_approved_plan_locks_itself_and_its_zones(hub):
    plan_id, plan, zone_id = approved(hub)
    for change in (Change("zone", zone_id, ZONE_ROW, ZONE_ROW | {"note": "x"}), Change("zone", zone_id, ZONE_ROW, None),
                   Change("zone", str(uuid.uuid4()), None, ZONE_ROW | {"zone_code": "A2"}),
                   Change("plan", plan_id, plan, plan | {"name": "khác"}), Change("plan", plan_id, plan, PLAN_ROW)):
        receipt = submit(hub, change)
        assert receipt.outcome is Outcome.REFUSED and "PK1 đã phê duyệt" in receipt.objections[0].reason
    assert table(hub, "zone") == {zone_id: ZONE_ROW} and table(hub, "plan") == {plan_id: plan}
    other = submit(hub, Change("zone", str(uuid.uuid4()), None, ZONE_ROW | {"plan_ref": "PK2"}))
    assert other.outcome is Outcome.APPLIED
    superseded = submit(hub, Change("plan", plan_id, plan, plan | {"status": "superseded"}))
    assert superseded.outcome is Outcome.APPLIED, superseded.objections


def test_figures_of_a_parcel_come_after_the_approval_and_lock_by_their_own(hub):
    plan_id, plan, _ = approved(hub)
    one, done = str(uuid.uuid4()), OVERRIDE_ROW | {"status": "approved"}
    # The plan is locked; what is decided for a parcel later still comes in, and is edited until it is approved.
    for before, after in ((None, OVERRIDE_ROW), (OVERRIDE_ROW, OVERRIDE_ROW | {"max_storeys": 7}),
                          (OVERRIDE_ROW | {"max_storeys": 7}, done)):
        receipt = submit(hub, Change("parcel_override", one, before, after))
        assert receipt.outcome is Outcome.APPLIED, receipt.objections
    for after in (done | {"max_storeys": 9}, OVERRIDE_ROW, None):
        receipt = submit(hub, Change("parcel_override", one, done, after))
        assert receipt.outcome is Outcome.REFUSED and "CTR1 đã phê duyệt" in receipt.objections[0].reason
    other = submit(hub, Change("parcel_override", str(uuid.uuid4()), None, OVERRIDE_ROW | {"override_ref": "CTR2"}))
    assert other.outcome is Outcome.APPLIED, other.objections
    over = done | {"status": "superseded"}
    assert submit(hub, Change("parcel_override", one, done, over)).outcome is Outcome.APPLIED
    # A plan may be told the day it was superseded with the status, and nothing else.
    gone = plan | {"status": "superseded", "superseded_date": "2026-06-01"}
    assert submit(hub, Change("plan", plan_id, plan, gone | {"name": "khác"})).outcome is Outcome.REFUSED
    assert submit(hub, Change("plan", plan_id, plan, gone)).outcome is Outcome.APPLIED


@pytest.mark.parametrize("statement", [
    "UPDATE zone SET note = 'x'", "DELETE FROM zone", "UPDATE zone SET plan_ref = 'PK9'", "UPDATE plan SET name = 'x'",
    "INSERT INTO zone (plan_ref, zone_code, function_code, geom) SELECT plan_ref, 'B', function_code, geom FROM zone",
    "REPLACE INTO zone (fid, plan_ref, zone_code, function_code, geom) SELECT fid, 'PK9', 'B', function_code, geom FROM zone",
    "INSERT OR REPLACE INTO zone (feature_id, plan_ref, zone_code, function_code, geom) "
    "SELECT feature_id, 'PK9', 'B', function_code, geom FROM zone"])
def test_other_programs_are_refused_too(hub, statement):
    approved(hub)
    before = table(hub, "zone")
    with pytest.raises(sqlite3.IntegrityError, match="đã khóa"):
        foreign(hub, statement)
    assert table(hub, "zone") == before


def test_a_lifted_lock_lets_work_go_on_and_stays_on_record(hub):
    _, _, zone_id = approved(hub)
    assert hub.unlock(ZONE, "PK1", "đính chính theo 7/QĐ") and not hub.unlock(ZONE, "PK1", "lần nữa")
    assert submit(hub, Change("zone", zone_id, ZONE_ROW, ZONE_ROW | {"note": "x"})).outcome is Outcome.APPLIED
    assert hub._database.execute("SELECT lifted_because FROM quyhoach_lock WHERE lifted_at IS NOT NULL").fetchall() == [
        ("đính chính theo 7/QĐ",)]
    assert list(hub.locks(PLAN)) == ["PK1"]


def test_a_closed_inventory_year_is_locked(hub):
    feature = str(uuid.uuid4())
    assert submit(hub, Change("land_use", feature, None, LAND_ROW)).outcome is Outcome.APPLIED
    hub.lock(LAND_USE, 2024, "Kiểm kê 2024 đã khóa sổ")
    for change in (Change("land_use", feature, LAND_ROW, LAND_ROW | {"note": "x"}),
                   Change("land_use", feature, LAND_ROW, None),
                   Change("land_use", feature, LAND_ROW, LAND_ROW | {"year": 2025})):
        receipt = submit(hub, change)
        assert receipt.outcome is Outcome.REFUSED and "khóa sổ" in receipt.objections[0].reason
    assert submit(hub,
                  Change("land_use", str(uuid.uuid4()), None, LAND_ROW | {"year": 2025})).outcome is Outcome.APPLIED
    with pytest.raises(InputError, match="lý do"):
        hub.lock(LAND_USE, 2025, " ")
    with pytest.raises(InputError, match="không có trường"):
        hub.lock(CATALOGUE["road"], "x", "y")


def test_legacy_plans_come_first_and_are_closed_after_their_zones(hub):
    plans = geopandas.GeoDataFrame({"plan_ref": ["PK7"], "name": ["x"], "level": ["sub_area"], "scale": [2000],
                                    "status": ["approved"]}, geometry=[SQUARE], crs=9214)
    zones = geopandas.GeoDataFrame({"plan_ref": ["PK7"] * 2, "zone_code": ["A", "B"],
                                    "function_code": [ZONE_ROW["function_code"]] * 2}, geometry=[SQUARE] * 2, crs=9214)
    import_layer(hub, "plan", plans)
    assert list(hub.locks(ZONE)) == ["PK7"]
    assert import_layer(hub, "zone", zones).added == 2
    with pytest.raises(OutputError, match="PK7 đã phê duyệt"):
        import_layer(hub, "zone", zones.assign(zone_code=["C", "D"]))
    assert len(table(hub, "zone")) == 2


def test_taking_back_what_is_locked_is_refused(hub):
    approved(hub)
    receipt = hub.revert(hub.changesets()[0].number)
    assert receipt.outcome is Outcome.REFUSED and len(table(hub, "zone")) == 1
