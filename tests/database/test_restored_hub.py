"""Working copies older and newer than the backup a hub was restored from: nothing is lost."""

import shutil
import subprocess

import psycopg2
import pytest
from postgis_server import running_server
from quyhoach.processing_algorithms.provincial_database.administration.administration import (
    check_hub,
)
from quyhoach.processing_algorithms.provincial_database.administration.hub_create import create_hub
from quyhoach.processing_algorithms.provincial_database.changes import Outcome
from quyhoach.processing_algorithms.provincial_database.findings import State
from quyhoach.processing_algorithms.provincial_database.hub import open_hub
from quyhoach.processing_algorithms.provincial_database.merge import Clash
from quyhoach.processing_algorithms.provincial_database.working_copies.conflict_review import Rule, conflicts, resolve
from quyhoach.processing_algorithms.provincial_database.working_copies.exchange_file import (
    export_changes,
    export_update,
    import_update,
)
from quyhoach.processing_algorithms.provincial_database.working_copies.outgoing import freeze, pending
from quyhoach.processing_algorithms.provincial_database.working_copies.pull import pull
from quyhoach.processing_algorithms.provincial_database.working_copies.push import push
from restorable_hub import FACILITY, ID, WHO, Place, edits, held

INSERT = "INSERT INTO facility (feature_id, name, kind, commune_code, geom) SELECT ?, ?, kind, commune_code, geom FROM facility WHERE fid = 1"


def test_a_copy_older_than_the_backup_pulls_as_ever(place):
    old, other = place.copy("cũ"), place.copy("khác")
    place.edit(old, "UPDATE facility SET name = 'Chưa gửi' WHERE fid = 2")
    place.send(other, "UPDATE facility SET name = 'Trước sao lưu' WHERE fid = 1")
    place.backup()
    place.restore()
    report = pull(old, place.hub)
    assert not report.restored and not report.compared_whole and report.conflicts == 0
    assert (held(old)[ID[1]], held(old)[ID[2]]) == ("Trước sao lưu", "Chưa gửi") and list(edits(old)) == [ID[2]]
    assert push(old, place.hub, **WHO).outcome is Outcome.APPLIED


def test_what_was_sent_after_the_backup_comes_back_as_edits(place):
    new = place.copy("mới")
    place.backup()
    place.send(new, "UPDATE facility SET name = 'Sau sao lưu' WHERE fid = 1")
    place.send(new, "DELETE FROM facility WHERE fid = 2")
    place.send(new, INSERT, ID[9], "Thêm sau sao lưu")
    lost = place.rows()
    place.edit(new, "UPDATE facility SET name = 'Chưa gửi' WHERE fid = 3")
    place.restore()
    assert place.names()[ID[1]] == "Số 1"
    report = pull(new, place.hub)
    assert report.restored and report.to_resend == 3 and report.conflicts == 0
    found = edits(new)
    assert found.keys() == {ID[1], ID[2], ID[3], ID[9]}
    assert (found[ID[1]].before["name"], found[ID[1]].after["name"]) == ("Số 1", "Sau sao lưu")
    assert found[ID[2]].after is None and found[ID[9]].before is None
    assert pull(new, place.hub).restored is False and edits(new).keys() == found.keys(), "asked once"
    assert push(new, place.hub, **WHO).outcome is Outcome.APPLIED
    assert place.rows() == {**lost, ID[3]: {**lost[ID[3]], "name": "Chưa gửi"}}


def test_what_was_sent_but_not_pulled_since_counts_too(place):
    """A push moves no position: the copy looks as old as the backup and yet knows more."""
    a, b = place.copy("a"), place.copy("b")
    place.backup()
    place.edit(a, "UPDATE facility SET name = 'Sau sao lưu' WHERE fid = 1")
    assert push(a, place.hub, **WHO).outcome is Outcome.APPLIED
    place.restore()
    place.send(b, "UPDATE facility SET name = 'Bên kia' WHERE fid = 2")
    report = pull(a, place.hub)
    assert report.restored and report.conflicts == 0
    assert list(edits(a)) == [ID[1]] and held(a)[ID[2]] == "Bên kia"
    push(a, place.hub, **WHO)
    assert place.names()[ID[1]] == "Sau sao lưu"


def test_two_newer_copies_bring_it_back_once(place):
    a, b = place.copy("a"), place.copy("b")
    place.backup()
    place.send(a, "UPDATE facility SET name = 'Sau sao lưu' WHERE fid = 1")
    place.send(a, INSERT, ID[9], "Thêm")
    pull(b, place.hub)
    place.restore()
    for copy in (a, b):
        pull(copy, place.hub)
    assert push(a, place.hub, **WHO).outcome is Outcome.APPLIED
    assert push(b, place.hub, **WHO).outcome is Outcome.APPLIED and not edits(b)
    for copy in (a, b):
        assert pull(copy, place.hub).conflicts == 0 and held(copy) == place.names()


def test_a_copy_that_comes_after_the_other_has_sent_it_again(place):
    a, b = place.copy("a"), place.copy("b")
    place.backup()
    place.send(a, INSERT, ID[9], "Thêm")
    place.send(a, "DELETE FROM facility WHERE fid = 2")
    pull(b, place.hub)
    place.edit(b, "DELETE FROM facility WHERE feature_id = ?", ID[9])
    place.edit(b, "UPDATE facility SET commune_code = '99003' WHERE fid = 1")
    place.restore()
    pull(a, place.hub)
    push(a, place.hub, **WHO)
    assert pull(b, place.hub).conflicts == 0
    assert {id: change.after and change.after["commune_code"]
            for id, change in edits(b).items()} == {ID[9]: None, ID[1]: "99003"}


def test_both_sides_changed_since_the_backup(place):
    new, old = place.copy("mới"), place.copy("cũ")
    place.backup()
    place.send(new, "UPDATE facility SET name = 'Đã mất' WHERE fid IN (1, 2, 3)")
    place.send(new, "DELETE FROM facility WHERE fid = 4")
    place.restore()
    place.send(old, "UPDATE facility SET commune_code = '99009' WHERE fid = 1")
    place.send(old, "UPDATE facility SET name = 'Sau phục hồi' WHERE fid = 2")
    place.send(old, "DELETE FROM facility WHERE fid = 3")
    place.send(old, "UPDATE facility SET name = 'Còn dùng' WHERE fid = 4")
    place.send(old, "UPDATE facility SET name = 'Chỉ bên kia' WHERE fid = 5")
    place.send(old, INSERT, ID[8], "Mới bên kia")
    report = pull(new, place.hub)
    assert report.conflicts == 3
    assert {conflict.feature_id: conflict.clash for conflict in conflicts(new)} == {
        ID[2]: Clash.FIELDS, ID[3]: Clash.DELETED_THEIRS, ID[4]: Clash.DELETED_OURS}
    first = new.row(FACILITY, ID[1])
    assert (first["name"], first["commune_code"]) == ("Đã mất", "99009")
    assert held(new)[ID[5]] == "Chỉ bên kia" and held(new)[ID[8]] == "Mới bên kia"
    for _ in range(2):
        pull(new, place.hub)
        assert len(list(conflicts(new))) == 3, "a further pull settles nothing by itself"
    resolve(new, Rule.OURS)
    assert push(new, place.hub, **WHO).outcome is Outcome.APPLIED
    assert place.names() == {ID[1]: "Đã mất", ID[2]: "Đã mất", ID[3]: "Đã mất", ID[5]: "Chỉ bên kia",
                             ID[8]: "Mới bên kia"}


def test_a_copy_of_one_commune(place):
    """A feature may have left the commune after the backup, so its absence here is no deletion."""
    whole, part = place.copy("tỉnh làm việc"), place.copy("xã", communes=frozenset({"99001"}))
    place.backup()
    place.send(whole, "UPDATE facility SET commune_code = '99002' WHERE fid = 1")
    pull(part, place.hub)
    assert ID[1] not in held(part)
    place.send(part, INSERT.replace("fid = 1", "feature_id = ?"), ID[9], "Của xã", ID[2])
    place.restore()
    assert pull(part, place.hub).conflicts == 1
    [conflict] = conflicts(part)
    assert (conflict.feature_id, conflict.clash) == (ID[1], Clash.DELETED_OURS)
    assert edits(part).keys() >= {ID[9]}
    resolve(part, Rule.THEIRS)
    assert push(part, place.hub, **WHO).outcome is Outcome.APPLIED and place.names()[ID[9]] == "Của xã"
    pull(whole, place.hub)
    assert push(whole, place.hub, **WHO).outcome is Outcome.APPLIED
    pull(part, place.hub)
    assert ID[1] not in held(part) and place.rows()[ID[1]]["commune_code"] == "99002"


@pytest.mark.parametrize("kept, arrived, way", [(0, 0, "push"), (0, 1, "pull"), (0, 2, "file"), (1, 1, "file"), (1, 2, "push"),
                                                (2, 2, "pull")])
def test_pushes_under_way_during_the_restore_happen_once(place, kept, arrived, way):
    """Two changesets are frozen, one on top of the other; so many reached the hub, so many of them are in the backup, and no
    answer ever came back."""
    copy, other = place.copy("a"), place.copy("b")
    place.edit(copy, "UPDATE facility SET name = 'Một' WHERE fid = 1")
    place.edit(copy, "DELETE FROM facility WHERE fid = 2")
    place.edit(copy, INSERT.replace("fid = 1", "fid = 3"), ID[9], "Thêm")
    frozen = [freeze(copy, **WHO)]
    place.edit(copy, "UPDATE facility SET name = 'Hai', address = 'x' WHERE fid = 1 OR feature_id = ?", ID[9])
    frozen.append(freeze(copy, **WHO))
    export_changes(copy, place.folder / "đi.qhz", **WHO)
    for number in range(arrived + 1):
        if number == kept:
            place.backup()
        if number < arrived:
            assert place.hub.submit(frozen[number]).outcome is Outcome.APPLIED
    pull(other, place.hub)
    place.edit(copy, "UPDATE facility SET name = 'Sửa sau' WHERE fid = 4")
    place.restore()
    assert len(pending(copy)) == 2
    if way == "file":
        receipts = export_update(place.hub, place.folder / "đi.qhz", place.folder / "về.qhz")
        import_update(copy, place.folder / "về.qhz")
    else:
        receipts = push(copy, place.hub, **WHO).receipts[:2] if way == "push" else pull(copy, place.hub).receipts
    assert [receipt.outcome for receipt in receipts] == [Outcome.ALREADY_APPLIED] * kept + [Outcome.APPLIED] * (2 - kept)
    assert push(copy, place.hub, **WHO).outcome is (None if way == "push" else Outcome.APPLIED)
    assert pull(copy, place.hub).conflicts == 0
    # Who has heard of the first from the hub that is lost, and of neither since, does not know which of the two is newer.
    assert pull(other, place.hub).conflicts == ((kept, arrived) == (0, 1))
    if list(conflicts(other)):
        resolve(other, Rule.THEIRS)
    assert push(other, place.hub, **WHO).outcome is None
    assert place.names() == {ID[1]: "Hai", ID[3]: "Số 3", ID[4]: "Sửa sau", ID[5]: "Số 5", ID[9]: "Hai"}
    for each in (copy, other):
        pull(each, place.hub)
        assert held(each) == place.names() and not edits(each) and not pending(each)
    assert [finding for finding in check_hub(place.hub) if finding.state is State.BROKEN] == []


def test_a_push_under_way_that_meets_what_others_did_after_the_restore_is_asked(place):
    copy, other = place.copy("a"), place.copy("b")
    place.edit(copy, "UPDATE facility SET name = 'Đang gửi' WHERE fid IN (1, 3)")
    place.edit(copy, INSERT.replace("fid = 1", "fid = 3"), ID[9], "Thêm")
    frozen = freeze(copy, **WHO)
    place.backup()
    assert place.hub.submit(frozen).outcome is Outcome.APPLIED
    place.restore()
    place.send(other, "UPDATE facility SET name = 'Sau phục hồi' WHERE fid = 1")
    assert push(copy, place.hub, **WHO).outcome is Outcome.STALE and not pending(copy)
    assert pull(copy, place.hub).conflicts == 1
    assert [conflict.feature_id for conflict in conflicts(copy)] == [ID[1]] and edits(copy).keys() == {ID[1], ID[3], ID[9]}
    resolve(copy, Rule.OURS)
    assert push(copy, place.hub, **WHO).outcome is Outcome.APPLIED
    assert {place.names()[ID[number]] for number in (1, 3)} == {"Đang gửi"} and place.names()[ID[9]] == "Thêm"


def test_a_dispute_stays_a_dispute(place):
    a, b = place.copy("a"), place.copy("b")
    place.send(a, "UPDATE facility SET name = 'Của a' WHERE fid = 1")
    place.edit(b, "UPDATE facility SET name = 'Của b' WHERE fid = 1")
    pull(b, place.hub)
    place.backup()
    place.send(a, "UPDATE facility SET name = 'Khác' WHERE fid = 5")
    pull(b, place.hub)
    place.restore()
    assert pull(b, place.hub).restored
    [conflict] = conflicts(b)
    assert (conflict.feature_id, conflict.fields) == (ID[1], frozenset({"name"})) and held(b)[ID[1]] == "Của b"
    assert held(b)[ID[5]] == "Khác"


def test_by_file_as_over_the_network(place):
    copy = place.copy("xã xa")
    place.backup()
    place.send(copy, "UPDATE facility SET name = 'Sau sao lưu' WHERE fid = 1")
    place.send(copy, "DELETE FROM facility WHERE fid = 2")
    place.restore()
    place.send(place.copy("mới"), "UPDATE facility SET commune_code = '99009' WHERE fid IN (1, 4)")
    export_changes(copy, place.folder / "ra.qhz", author="ân")
    export_update(place.hub, place.folder / "ra.qhz", place.folder / "về.qhz")
    report = import_update(copy, place.folder / "về.qhz")
    assert report.restored and report.conflicts == 0 and edits(copy).keys() == {ID[1], ID[2]}
    assert [copy.row(FACILITY, ID[i])["commune_code"] for i in (1, 4)] == ["99009"] * 2
    export_changes(copy, place.folder / "ra 2.qhz", **WHO)
    assert [receipt.outcome for receipt in export_update(place.hub, place.folder / "ra 2.qhz",
                                                         place.folder / "về 2.qhz")] == [Outcome.APPLIED]
    assert place.names()[ID[1]] == "Sau sao lưu" and ID[2] not in place.names()


def test_restored_twice_from_the_same_backup(place):
    """The second restore knows nothing of the first one's incarnation: what differs is asked, nothing is lost."""
    copy = place.copy("a")
    place.backup()
    place.restore()
    place.send(copy, "UPDATE facility SET name = 'Sau lần một' WHERE fid = 1")
    place.send(copy, INSERT, ID[9], "Thêm")
    place.restore()
    report = pull(copy, place.hub)
    assert report.restored and {c.feature_id: c.clash
                                for c in conflicts(copy)} == {ID[1]: Clash.FIELDS, ID[9]: Clash.DELETED_THEIRS}
    assert (held(copy)[ID[1]], held(copy)[ID[9]]) == ("Sau lần một", "Thêm")
    resolve(copy, Rule.OURS)
    assert push(copy, place.hub, **WHO).outcome is Outcome.APPLIED
    assert (place.names()[ID[1]], place.names()[ID[9]]) == ("Sau lần một", "Thêm")


def test_what_has_left_a_part_of_a_hub_of_which_nobody_knows_where_it_parted(place):
    """At first it seems to be gone. Asked for by name it comes, and is no news that may be taken as it is."""
    part = place.copy("xã", communes=frozenset({"99001"}))
    place.backup()
    place.restore()
    place.send(part, "UPDATE facility SET name = 'Sau lần một' WHERE fid = 1")
    place.restore()
    place.send(place.copy("khác"), "UPDATE facility SET commune_code = '99002' WHERE fid = 1")
    for clash, fields in ((Clash.DELETED_THEIRS, None), *[(Clash.FIELDS, {"name", "commune_code"})] * 2):
        pull(part, place.hub)
        [conflict] = conflicts(part)
        assert conflict.clash is clash and fields in (None, conflict.fields) and held(part)[ID[1]] == "Sau lần một"
        assert conflict.base == {}, "nobody knows"
        assert resolve(part, Rule.BASE) == 0 and held(part)[ID[1]] == "Sau lần một", "what is not known cannot be taken"
        assert [again.fields for again in conflicts(part)] == [conflict.fields]
    place.edit(part, "DELETE FROM facility WHERE fid = 1")
    assert resolve(part, Rule.BASE) == 0 and len(list(conflicts(part))) == 1
    assert resolve(part, Rule.THEIRS) == 1 and held(part)[ID[1]] == "Số 1"


def test_what_was_before_is_taken_where_it_is_known(place):
    """Edited here before the restore, and the hub, of which nobody knows where it parted, has both fields otherwise."""
    copy = place.copy("a")
    place.backup()
    place.restore()
    place.send(copy, "UPDATE facility SET name = 'Sau lần một' WHERE fid = 1")
    place.edit(copy, "UPDATE facility SET address = 'của tôi' WHERE fid = 1")
    place.restore()
    place.send(place.copy("khác"), "UPDATE facility SET name = 'Khác', address = 'của họ' WHERE fid = 1")
    pull(copy, place.hub)
    assert [conflict.fields for conflict in conflicts(copy)] == [{"name", "address"}]
    assert resolve(copy, Rule.BASE) == 0 and [conflict.fields for conflict in conflicts(copy)] == [{"name", "address"}]
    assert push(copy, place.hub, **WHO).outcome is None, "what is in dispute is not sent"


@pytest.mark.parametrize("place", ["geopackage"], indirect=True)
@pytest.mark.parametrize("written_since", [False, True])
def test_a_file_put_back_by_hand_is_noticed(place, written_since):
    """Somebody copies yesterday's file over the hub in the file manager: same incarnation, another history."""
    copy, other = place.copy("a"), place.copy("b")
    saved = place.folder / "hôm qua.gpkg"
    shutil.copy(place.hub.info.location, saved)
    place.send(copy, "UPDATE facility SET name = 'Hôm nay' WHERE fid = 1")
    place.hub.close()
    shutil.copy(saved, place.hub.path)
    place.hub = open_hub(str(place.hub.path))
    if written_since:  # so that the ledger is as long as it was
        place.send(other, "UPDATE facility SET name = 'Khác' WHERE fid = 3")
    report = pull(copy, place.hub)
    assert report.restored and held(copy)[ID[1]] == "Hôm nay"
    # Where the two went apart is not known, so every difference is asked.
    assert {conflict.feature_id for conflict in conflicts(copy)} == ({ID[1], ID[3]} if written_since else {ID[1]})


@pytest.fixture
def machine(tmp_path):
    """A server of its own whose machine can be put back to an earlier day: everything is as it was, and it does not know."""
    with running_server(in_memory=True) as server:
        hub = server.parameters(dbname="tinh")
        connection = psycopg2.connect(**server.parameters())
        connection.autocommit = True
        connection.cursor().execute("CREATE DATABASE tinh")
        connection.close()
        create_hub(hub, "EPSG:9214", datasets=[FACILITY]).close()
        data, saved = server.folder / "data", server.folder / "saved"

        place = Place(tmp_path, hub, "", None)

        def while_it_is_off(*command):
            place.hub.close()
            server.stop()
            subprocess.run(command, check=True)
            server.start()
            place.hub = open_hub(hub)

        place.save = lambda: while_it_is_off("cp", "-a", data, saved)
        place.put_back = lambda: while_it_is_off("sh", "-c", f"rm -r '{data}'; cp -a '{saved}' '{data}'")
        yield place
        place.hub.close()


@pytest.mark.parametrize("written_since", [False, True])
def test_a_machine_put_back_to_an_earlier_day_is_noticed(machine, written_since):
    """Somebody goes back to a snapshot of the virtual machine: same place, same incarnation, another history."""
    here, there, other = machine.copy("a"), machine.copy("b"), machine.copy("c")
    machine.save()
    machine.send(here, "UPDATE facility SET name = 'Hôm nay' WHERE fid = 1")
    pull(there, machine.hub)
    machine.put_back()
    if written_since:  # so that the server has counted on to where it was, and further
        for number in range(9):
            machine.send(other, "UPDATE facility SET name = 'Khác' || ? WHERE fid = 3", number)
    for copy in (here, there):
        assert pull(copy, machine.hub).restored and held(copy)[ID[1]] == "Hôm nay"
        # Where the two went apart is not known, so every difference is asked.
        assert {conflict.feature_id for conflict in conflicts(copy)} == ({ID[1], ID[3]} if written_since else {ID[1]})
    assert not pull(other, machine.hub).restored, "who was there before goes on"
