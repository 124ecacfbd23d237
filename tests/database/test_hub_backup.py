"""Backup, restore and drill of a GeoPackage hub: one moment, equal, and nothing overwritten or left half done."""

import threading
import uuid

import pytest
from quyhoach.processing_algorithms.common.errors import Cancelled, InputError, OutputError
from quyhoach.processing_algorithms.provincial_database.administration.administration import (
    back_up,
    restore,
)
from quyhoach.processing_algorithms.provincial_database.changes import Change, Changeset, Scope
from quyhoach.processing_algorithms.provincial_database.geopackage.backup import drill
from quyhoach.processing_algorithms.provincial_database.hub import open_hub
from restorable_hub import facility

in_a_file = pytest.mark.parametrize("place", ["geopackage"], indirect=True)


@in_a_file
def test_a_backup_is_the_hub_and_nothing_else(place):
    progress = []
    back_up(place.hub.info.location, place.folder / "sao lưu.gpkg",
            progress=lambda fraction, message=None: progress.append(fraction))
    assert progress[-1] == 1.0
    with pytest.raises(InputError, match="bản sao lưu"):
        open_hub(str(place.folder / "sao lưu.gpkg"))
    before, incarnation = place.rows(), place.hub.info.incarnation
    notes = place.hub.changesets()
    place.restore()
    assert place.rows() == before and place.hub.info.incarnation != incarnation and place.hub.changesets() == notes
    assert len(list(place.folder.iterdir())) == 3, "the hub, its backup, and what was made of it"


@in_a_file
def test_nothing_is_overwritten_and_nothing_is_left_half_done(place, monkeypatch):
    place.backup()
    content = (place.folder / "sao lưu.gpkg").read_bytes()
    with pytest.raises(OutputError, match="không bao giờ|không ghi đè"):
        place.backup()
    with pytest.raises(OutputError, match="không bao giờ|không ghi đè"):
        restore(place.folder / "sao lưu.gpkg", place.hub.info.location)
    assert (place.folder / "sao lưu.gpkg").read_bytes() == content

    def stop(fraction, message=None):
        raise Cancelled

    with pytest.raises(Cancelled):
        back_up(place.hub.info.location, place.folder / "hai.gpkg", progress=stop)
    assert sorted(path.name for path in place.folder.iterdir()) == ["sao lưu.gpkg", "tỉnh.gpkg"]


@pytest.mark.parametrize("content, told", [(None, "Không có tệp sao lưu"), (b"hello", "không phải là bản sao lưu"), ("cut", "hỏng")])
@in_a_file
def test_what_is_no_backup_is_refused(place, content, told):
    place.backup()
    path = place.folder / "lạ.gpkg"
    if content == "cut":
        whole = (place.folder / "sao lưu.gpkg").read_bytes()
        path.write_bytes(whole[: len(whole) // 2])
    elif content is not None:
        path.write_bytes(content)
    with pytest.raises((InputError, OutputError), match=told):
        restore(path, str(place.folder / "mới.gpkg"))
    assert not (place.folder / "mới.gpkg").exists()


@in_a_file
def test_a_backup_while_others_write_is_one_moment(place):
    """A second program pushes pairs of rows; a backup never has one without the other."""
    location = place.hub.info.location
    done = threading.Event()

    def write():
        with open_hub(location) as hub:
            for number in range(30):
                pair = tuple(Change("facility", str(uuid.uuid4()), None, facility(f"Cặp {number}", number))
                             for _ in range(2))
                hub.submit(Changeset(str(uuid.uuid4()), "b", "", "cặp", "", "2026-11-22T00:00:00.000Z", pair))
        done.set()

    writer = threading.Thread(target=write)
    writer.start()
    number = 0
    while not done.is_set() and number < 5:
        number += 1
        back_up(location, place.folder / f"lúc {number}.gpkg")
    writer.join()
    for at in range(1, number + 1):
        with restore(place.folder / f"lúc {at}.gpkg",
                     str(place.folder / f"lại {at}.gpkg")) as hub, hub.deliver([Scope("facility")], None) as delivery:
            names = [row["name"] for _, _, row in delivery.rows if row["name"].startswith("Cặp")]
        assert all(names.count(name) == 2 for name in names)


@in_a_file
def test_the_drill_proves_equality_and_notices_a_difference(place, monkeypatch):
    copy = place.copy("a")
    place.send(copy, "UPDATE facility SET name = 'Sửa' WHERE fid = 1")
    report = drill(place.hub)
    assert report.passed and report.goes_on and report.tables > 20 and report.rows > 20
    from quyhoach.processing_algorithms.provincial_database.geopackage import backup as geopackage_backup

    real = geopackage_backup.restore_geopackage_hub

    def loses_a_row(path, location, **more):
        hub = real(path, location, **more)
        hub._database.execute("DELETE FROM facility WHERE fid = 2")
        return hub

    monkeypatch.setattr(geopackage_backup, "restore_geopackage_hub", loses_a_row)
    assert not drill(place.hub).passed and "facility" in drill(place.hub).different
