"""Working copies that grow and shrink, and features that leave the scope at the hub: no edit is ever lost."""

import sqlite3
import uuid

import pyproj
import pytest
import shapely
from hub_rows import rows_of
from quyhoach.processing_algorithms.common.errors import InputError
from quyhoach.processing_algorithms.provincial_database.administration.offices import set_department
from quyhoach.processing_algorithms.provincial_database.catalogue import load_catalogue
from quyhoach.processing_algorithms.provincial_database.changes import Change, Changeset, Outcome, Scope
from quyhoach.processing_algorithms.provincial_database.geopackage.geometry import register_functions
from quyhoach.processing_algorithms.provincial_database.merge import Clash
from quyhoach.processing_algorithms.provincial_database.working_copies.checkout import checkout
from quyhoach.processing_algorithms.provincial_database.working_copies.conflict_review import Rule, conflicts, resolve
from quyhoach.processing_algorithms.provincial_database.working_copies.exchange_file import (
    export_changes,
    export_update,
    import_update,
)
from quyhoach.processing_algorithms.provincial_database.working_copies.pull import pull
from quyhoach.processing_algorithms.provincial_database.working_copies.push import push
from quyhoach.processing_algorithms.provincial_database.working_copies.scopes import enlarged, reduced
from quyhoach.processing_algorithms.provincial_database.working_copies.working_copy_scope import change_scope

CATALOGUE = load_catalogue()
FACILITY, HAMLET = CATALOGUE["facility"], CATALOGUE["hamlet"]
KIND = FACILITY.field("kind").domain.values[0].code
WHO = {"author": "ân", "message": "thử"}
A, B, C = "99001", "99002", "99003"
CRS = pyproj.CRS(9214)


def point(x, y=0.0):
    return shapely.to_wkb(shapely.Point(x, y), byte_order=1, flavor="iso")


def facility(name, commune, x):
    return {**{field.name: None for field in FACILITY.fields}, "name": name, "kind": KIND, "commune_code": commune,
            "geom": point(x)}


def send(hub, *changes):
    receipt = hub.submit(Changeset(str(uuid.uuid4()), "sở", "", "sửa ở cơ sở dữ liệu", "", "2026-11-22T00:00:00.000Z",
                                   changes))
    assert receipt.outcome is Outcome.APPLIED, receipt


def id_of(number):
    return str(uuid.UUID(int=number))


@pytest.fixture
def hub(every_hub):
    # Facilities 1, 2 in A; 3, 4 in B; 5, 6 in C, at x = 10, 20, ... 60.
    communes = [A, A, B, B, C, C]
    send(every_hub,
         *(Change("facility", id_of(i), None, facility(f"Số {i}", communes[i - 1], 10.0 * i)) for i in range(1, 7)))
    return every_hub


@pytest.fixture
def copy(hub, tmp_path):
    with checkout(tmp_path / "bản.gpkg", hub, location="m", crs=CRS, datasets=[FACILITY],
                  scopes=[Scope("facility", frozenset({A, B}))]) as made:
        yield made


def sql(copy, text, *values):
    database = sqlite3.connect(copy.path, isolation_level=None)
    register_functions(database)
    database.execute(text, values)
    database.close()


def numbers(copy):
    """The facilities it holds, by their number at the hub."""
    return sorted(uuid.UUID(row[0]).int for row in copy.database.execute("SELECT feature_id FROM facility"))


def rename_at_hub(hub, number, **values):
    before = row_of(hub, number)
    send(hub, Change("facility", id_of(number), before, {**before, **values}))


def row_of(hub, number):
    return rows_of(hub).get(id_of(number))


def test_a_feature_moved_to_another_commune_leaves_when_nobody_edited_it(copy, hub):
    rename_at_hub(hub, 1, commune_code=C)
    assert pull(copy, hub).removed == 1 and numbers(copy) == [2, 3, 4] and copy.status()[0].edits == 0


def test_edited_here_and_moved_at_the_hub_merges_is_sent_and_only_then_leaves(copy, hub):
    sql(copy, "UPDATE facility SET name = 'Tên mới' WHERE feature_id = ?", id_of(1))
    rename_at_hub(hub, 1, commune_code=C)
    report = pull(copy, hub)
    assert report.conflicts == 0 and not list(conflicts(copy)), "moved is not deleted"
    row = copy.row(FACILITY, id_of(1))
    assert row["name"] == "Tên mới" and row["commune_code"] == C
    assert push(copy, hub, **WHO).outcome is Outcome.APPLIED
    assert row_of(hub, 1)["name"] == "Tên mới" and row_of(hub, 1)["commune_code"] == C
    pull(copy, hub)
    assert numbers(copy) == [2, 3, 4]


def test_moved_by_both_to_different_communes_is_a_conflict_of_that_field(copy, hub):
    sql(copy, "UPDATE facility SET commune_code = ? WHERE feature_id = ?", B, id_of(1))
    rename_at_hub(hub, 1, commune_code=C)
    pull(copy, hub)
    [conflict] = conflicts(copy)
    assert conflict.clash is Clash.FIELDS and conflict.fields == {"commune_code"} and conflict.theirs["commune_code"] == C
    resolve(copy, Rule.OURS)
    assert push(copy, hub, **WHO).outcome is Outcome.APPLIED and row_of(hub, 1)["commune_code"] == B
    pull(copy, hub)
    assert 1 in numbers(copy)


def test_deleted_here_and_moved_at_the_hub_is_a_conflict(copy, hub):
    sql(copy, "DELETE FROM facility WHERE feature_id = ?", id_of(1))
    rename_at_hub(hub, 1, commune_code=C)
    pull(copy, hub)
    [conflict] = conflicts(copy)
    assert conflict.clash is Clash.DELETED_OURS
    resolve(copy, Rule.OURS)
    assert push(copy, hub, **WHO).outcome is Outcome.APPLIED and row_of(hub, 1) is None


def test_moved_out_by_both_to_the_same_commune_leaves(copy, hub):
    sql(copy, "UPDATE facility SET commune_code = ? WHERE feature_id = ?", C, id_of(1))
    rename_at_hub(hub, 1, commune_code=C)
    assert pull(copy, hub).removed == 1 and numbers(copy) == [2, 3, 4] and copy.status()[0].edits == 0


@pytest.mark.parametrize("settled", [True, False])
def test_what_was_only_kept_for_an_edit_leaves_with_it(copy, hub, settled):
    """Others move it while it is edited here; the edit is taken back, or theirs is taken."""
    sql(copy, "UPDATE facility SET name = 'Tên mới' WHERE feature_id = ?", id_of(1))
    rename_at_hub(hub, 1, commune_code=C, **({"name": "Của họ"} if settled else {}))
    pull(copy, hub)
    if settled:
        resolve(copy, Rule.THEIRS)
    else:
        sql(copy, "UPDATE facility SET name = 'Số 1' WHERE feature_id = ?", id_of(1))
    assert numbers(copy) == [1, 2, 3, 4] and copy.status()[0].edits == 0
    assert pull(copy, hub).removed == 1 and numbers(copy) == [2, 3, 4]
    rename_at_hub(hub, 1, commune_code=A)
    assert pull(copy, hub).received == 1 and numbers(copy) == [1, 2, 3, 4]


def test_edited_after_the_file_was_exported_and_moved_at_the_hub(copy, hub, tmp_path):
    """The changes file could not ask for a feature edited later; the pull or file after it makes up for that."""
    export_changes(copy, tmp_path / "đi.qhz", author="ân")
    sql(copy, "UPDATE facility SET name = 'Sửa sau' WHERE feature_id = ?", id_of(1))
    rename_at_hub(hub, 1, commune_code=C)
    export_update(hub, tmp_path / "đi.qhz", tmp_path / "về.qhz")
    import_update(copy, tmp_path / "về.qhz")
    assert copy.row(FACILITY, id_of(1))["name"] == "Sửa sau", "kept, in conflict at worst"
    if list(conflicts(copy)):
        resolve(copy, Rule.OURS)
    for step in range(2):
        export_changes(copy, tmp_path / f"đi {step}.qhz", **WHO)
        export_update(hub, tmp_path / f"đi {step}.qhz", tmp_path / f"về {step}.qhz")
        import_update(copy, tmp_path / f"về {step}.qhz")
        if list(conflicts(copy)):
            resolve(copy, Rule.OURS)
    assert row_of(hub, 1)["name"] == "Sửa sau" and copy.status()[0].edits == 0


def grow(copy, hub, **more):
    held = {scope.dataset: scope for scope in copy.scopes()}
    return change_scope(copy, hub, [enlarged(held["facility"], FACILITY, more.get("communes"), more.get("polygon"))],
                        crs=CRS)


def test_growing_by_a_commune_brings_its_features_and_keeps_edits(copy, hub):
    sql(copy, "UPDATE facility SET name = 'Chưa gửi' WHERE feature_id = ?", id_of(1))
    rename_at_hub(hub, 3, name="Mới ở cơ sở dữ liệu")
    report = grow(copy, hub, communes=frozenset({C}))
    assert report.added == 2 and report.pulled.received == 1 and numbers(copy) == [1, 2, 3, 4, 5, 6]
    assert copy.row(FACILITY, id_of(1))["name"] == "Chưa gửi" and copy.status()[0].changed == 1
    [scope] = copy.scopes()
    assert scope.communes == {A, B, C}
    rename_at_hub(hub, 6, name="Đến sau")
    pull(copy, hub)
    assert copy.row(FACILITY, id_of(6))["name"] == "Đến sau"
    assert copy.database.execute("SELECT count(*) FROM rtree_facility_geom").fetchone()[0] == 6


def test_growing_to_everything_and_by_a_dataset(copy, hub):
    hamlet = {**{field.name: None for field in HAMLET.fields}, "geom": None}
    for field in HAMLET.fields:
        if field.required:
            hamlet[field.name] = A if field.name == "commune_code" else field.domain.values[0].code if field.domain else "1"
    hamlet["geom"] = {"Point": point(5.0),
                      "MultiPolygon": shapely.to_wkb(shapely.multipolygons([shapely.box(0, 0, 9, 9)]), byte_order=1,
                                                     flavor="iso")}[HAMLET.geometry]
    send(hub, Change("hamlet", id_of(900), None, hamlet))
    report = change_scope(copy, hub, [Scope("facility"), Scope("hamlet")], crs=CRS)
    assert report.added == 3 and report.datasets_added == ["hamlet"] and numbers(copy) == [1, 2, 3, 4, 5, 6]
    assert copy.row(HAMLET, id_of(900)) == hamlet
    sql(copy, "DELETE FROM hamlet")
    assert push(copy, hub, **WHO).outcome is Outcome.APPLIED, "its edits are noticed like all others"
    assert not copy.tracking_lost(HAMLET)


@pytest.mark.parametrize("wanted", [{A, B, C}, {A}])
def test_an_update_file_for_another_scope_is_refused(copy, hub, tmp_path, wanted):
    """What was added after the changes file was written is not in the answer, and would be missed for good."""
    export_changes(copy, tmp_path / "đi.qhz", author="ân")
    change_scope(copy, hub, [Scope("facility", frozenset(wanted))], crs=CRS)
    held = numbers(copy)
    rename_at_hub(hub, 5, name="Mới ở C")
    rename_at_hub(hub, 3, name="Mới ở B")
    export_update(hub, tmp_path / "đi.qhz", tmp_path / "về.qhz")
    with pytest.raises(InputError, match="Phạm vi"):
        import_update(copy, tmp_path / "về.qhz")
    pull(copy, hub)
    assert numbers(copy) == held and all(copy.row(FACILITY, id_of(n)) == row_of(hub, n) for n in held)


def test_shrinking_takes_what_nobody_edited_and_forgets_the_commune(copy, hub):
    sql(copy, "UPDATE facility SET name = 'Chưa gửi' WHERE feature_id = ?", id_of(1))
    report = change_scope(copy, hub, [reduced(copy.scopes()[0], FACILITY, frozenset({B}), None)], crs=CRS)
    assert report.removed == 2 and numbers(copy) == [1,
                                                     2] and copy.status()[0].changed == 1 and copy.status()[0].deleted == 0
    rename_at_hub(hub, 3, name="Xã khác")
    pull(copy, hub)
    assert numbers(copy) == [1, 2]
    assert push(copy, hub,
                **WHO).outcome is Outcome.APPLIED and row_of(hub, 3)["name"] == "Xã khác", "leaving is not deleting"


@pytest.mark.parametrize("edit", ["UPDATE facility SET name = 'x' WHERE commune_code = '99002'", "DELETE FROM facility WHERE commune_code = '99002'",
                                  "UPDATE facility SET commune_code = '99001' WHERE commune_code = '99002'",
                                  "INSERT INTO facility (name, kind, commune_code, geom) SELECT 'mới', kind, commune_code, geom FROM facility "
                                  "WHERE commune_code = '99002'"])
def test_edits_not_sent_do_not_leave(copy, hub, edit):
    sql(copy, edit)
    before = [tuple(row) for row in copy.database.execute("SELECT * FROM facility")]
    with pytest.raises(InputError, match="2 đối tượng có chỉnh sửa chưa gửi"):
        change_scope(copy, hub, [Scope("facility", frozenset({A}))], crs=CRS)
    assert [tuple(row) for row in copy.database.execute("SELECT * FROM facility")] == before
    assert copy.scopes()[0].communes == {A, B}
    push(copy, hub, **WHO)
    change_scope(copy, hub, [Scope("facility", frozenset({A}))], crs=CRS)
    assert not any(row[0] == B for row in copy.database.execute("SELECT commune_code FROM facility"))


def test_areas_grow_and_shrink(hub, tmp_path):
    west, east = (shapely.to_wkb(shapely.box(x, -1, x + 20, 1)) for x in (5, 25))
    with checkout(tmp_path / "vùng.gpkg", hub, location="m", crs=CRS, datasets=[FACILITY],
                  scopes=[Scope("facility", None, west)]) as copy:
        assert numbers(copy) == [1, 2]
        grow(copy, hub, polygon=east)
        assert numbers(copy) == [1, 2, 3, 4]
        with pytest.raises(InputError, match="theo phạm vi"):
            grow(copy, hub, communes=frozenset({A}))
        change_scope(copy, hub, [reduced(copy.scopes()[0], FACILITY, None, west)], crs=CRS)
        assert numbers(copy) == [3, 4]


def test_an_answer_within_an_office_s_rights_keeps_to_the_drawn_area(stored_hub, tmp_path):
    send(stored_hub, *(Change("facility", id_of(i), None, facility(f"Số {i}", A if i < 4 else B, 10.0 * i)) for i in range(1, 6)))
    with checkout(tmp_path / "vùng.gpkg", stored_hub, location="m", crs=CRS, datasets=[FACILITY],
                  scopes=[Scope("facility", None, shapely.to_wkb(shapely.box(15, -1, 45, 1)))]) as copy:
        assert numbers(copy) == [2, 3, 4]
        for number in range(1, 6):
            rename_at_hub(stored_hub, number, name="đổi tên")
        export_changes(copy, tmp_path / "hỏi.qhz", author="ân")
        set_department(stored_hub, "xa", label="Xã", kind="commune", communes=[A])
        export_update(stored_hub, tmp_path / "hỏi.qhz", tmp_path / "đáp.qhz", office=stored_hub.office("xa"))
        import_update(copy, tmp_path / "đáp.qhz")
        # 1 lies outside the area; 4 in a commune the office may not read.
        assert copy.database.execute("SELECT name FROM facility").fetchall() == [("đổi tên",)] * 2 and numbers(copy) == [2, 3]


def test_a_dataset_is_dropped_with_all_that_describes_it(hub, tmp_path):
    with checkout(tmp_path / "hai.gpkg", hub, location="m", crs=CRS, datasets=[FACILITY, HAMLET],
                  scopes=[Scope("facility"), Scope("hamlet")]) as copy:
        sql(copy, "UPDATE facility SET name = 'Chưa gửi' WHERE feature_id = ?", id_of(1))
        with pytest.raises(InputError, match="1 đối tượng có chỉnh sửa chưa gửi"):
            change_scope(copy, hub, [Scope("hamlet")], crs=CRS)
        push(copy, hub, **WHO)
        report = change_scope(copy, hub, [Scope("hamlet")], crs=CRS)
        assert report.datasets_removed == ["facility"] and list(copy.datasets) == ["hamlet"]
        left = [row[0] for row in copy.database.execute("SELECT name FROM sqlite_master WHERE name LIKE '%facility%'")]
        assert left == [] and copy.database.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
        with pytest.raises(InputError, match="ít nhất một"):
            change_scope(copy, hub, [], crs=CRS)
        change_scope(copy, hub, [Scope("hamlet"), Scope("facility")], crs=CRS)
        assert numbers(copy) == [1, 2, 3, 4, 5, 6] and copy.row(FACILITY, id_of(1))["name"] == "Chưa gửi"


def test_a_whole_copy_cannot_be_told_what_to_leave_only_what_to_keep():
    with pytest.raises(InputError, match="Chỉ giữ"):
        reduced(Scope("facility"), FACILITY, frozenset({A}), None)


def test_what_was_sent_from_outside_the_part_leaves_though_the_hub_had_it_already(copy, hub):
    """As after a restore: the push is applied, but nothing changes at the hub, which then has nothing to tell."""
    sql(copy, "INSERT INTO facility (name, kind, commune_code, geom) SELECT 'Mới', kind, ?, geom FROM facility LIMIT 1", C)
    [change] = copy.edits(FACILITY)
    send(hub, Change("facility", change.feature_id, None, change.after))
    with copy.applying("test"):
        copy.set_facts(token=hub.position().token)
    assert push(copy, hub, **WHO).outcome is Outcome.APPLIED
    assert sum(line.edits for line in copy.status()) == 0
    pull(copy, hub)
    assert copy.row(FACILITY, change.feature_id) is None and sum(line.edits for line in copy.status()) == 0
