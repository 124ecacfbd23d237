"""Work of the dock stopped by its button, or by killing QGIS: everything or nothing, and the day goes on."""

import geopandas
import numpy
import pytest
import shapely
from desk_hands import hands, take_home
from quyhoach.processing_algorithms.provincial_database.hub import Batch
from quyhoach.processing_algorithms.provincial_database.interface import (
    Scope,
    WorkingCopy,
    checkout,
    create_hub,
    open_hub,
    pull,
    push,
)
from quyhoach.processing_algorithms.provincial_database.typed_columns import typed_column

PARCELS = 6_000


@pytest.fixture(scope="session")
def big_hub(tmp_path_factory):
    """A hub whose parcels take long enough to exchange that somebody can press a button meanwhile."""
    path = tmp_path_factory.mktemp("lớn") / "dùng chung.gpkg"
    number = numpy.arange(PARCELS)
    x, y = 500_000 + number % 100 * 20.0, 2_200_000 + number // 100 * 25.0
    given = {"old_commune_code": ["19001"] * PARCELS, "commune_code": ["19001"] * PARCELS, "sheet_no": ["1"] * PARCELS,
             "parcel_no": (number + 1).tolist(), "land_code": ["LUC"] * PARCELS}
    with create_hub(str(path), "EPSG:9214", name="Tỉnh lớn") as hub:
        parcel = hub.dataset("parcel")
        columns = {field.name: typed_column(given.get(field.name, [None] * PARCELS), field) for field in parcel.fields}
        shapes = shapely.multipolygons(shapely.box(x, y, x + 20, y + 25).reshape(-1, 1))
        frame = geopandas.GeoDataFrame({**columns, "feature_id": [None] * PARCELS}, geometry=shapes, crs="EPSG:9214")
        hub.write(parcel, Batch("thử", {}, PARCELS, frame, frame.iloc[:0], 0, ()))
    return path


def take_all(hub_path, target):
    with open_hub(str(hub_path)) as hub:
        checkout(target, hub, location=str(hub_path), crs=hub.info.crs, datasets=[hub.dataset("parcel")], scopes=[Scope("parcel")],
                 name="Cả tỉnh").close()


def notes(copy):
    return dict(copy.database.execute("SELECT feature_id, note FROM parcel"))


def test_the_stop_button(window, tmp_path, big_hub):
    mine, colleague = tmp_path / "của tôi.gpkg", tmp_path / "đồng nghiệp.gpkg"
    for path in (mine, colleague):
        take_all(big_hub, path)
    with WorkingCopy(colleague) as copy, open_hub(str(big_hub)) as hub:
        copy.database.execute("UPDATE parcel SET address = 'Tổ ' || parcel_no")
        push(copy, hub, author="lan", message="Địa chỉ")
    with WorkingCopy(mine) as copy:
        copy.database.execute("UPDATE parcel SET note = 'Đã rà soát'")
    result = window(hands() + f'''
FOLDER, HUB = Path({str(tmp_path)!r}), {str(big_hub)!r}
''' + '''
dock = open_desk()
dock.copy_page.open(str(FOLDER / "của tôi.gpkg"))
idle(dock)
result["at_first"] = state(dock)["Thửa đất"]

def stop_when_under_way(picture_name):
    """Press the button once the work is under way."""
    pressed = []
    def moved():
        if dock.session.desk.busy and not pressed:
            pressed.append(dock.session.desk.step)
            QTimer.singleShot(0, press)
    def press():
        click(the(QPushButton, "stop"))
        see(picture_name)
    dock.session.desk.changed.connect(moved)
    return pressed

def stopped(name, start, picture_name):
    iface.messageBar().clearWidgets()
    pressed = stop_when_under_way(picture_name)
    start()
    idle(dock)
    result[name] = {"pressed": pressed, "said": said()}

# receiving, then taking home, then sending
stopped("pull", lambda: click(the(QPushButton, "pull")), "stop_01_pull")
result["pull"]["state"] = state(dock)["Thửa đất"]
with __import__("sqlite3").connect(FOLDER / "của tôi.gpkg") as database:
    result["pull"]["addresses"] = database.execute("SELECT count(address) FROM parcel").fetchone()[0]
database.close()
click(the(QPushButton, "pull"))
idle(dock)
result["pulled"], result["pulled_state"] = said(), state(dock)["Thửa đất"]

def take():
    dock.pages.setCurrentWidget(dock.hub_page)
    click(the(QPushButton, "checkout"))
    dialog = the(QDialog, "checkout_dialog")
    idle(dock)
    replace_text(dialog.file.lineEdit(), str(FOLDER / "mới.gpkg"))
    click(dialog.buttons.button(QDialogButtonBox.StandardButton.Ok))
dock.pages.setCurrentWidget(dock.hub_page)
idle(dock)
stopped("checkout", take, "stop_02_checkout")
result["checkout"]["files"] = sorted(path.name for path in FOLDER.glob("mới*"))
dock.pages.setCurrentWidget(dock.copy_page)

def send():
    def about(dialog):
        write(dialog.message, "Rà soát")
        click(dialog.buttons.button(QDialogButtonBox.StandardButton.Ok))
    in_dialog(QDialog, "push_dialog", about)
    click(the(QPushButton, "push"))
stopped("push", send, "stop_03_push")
result["push"]["state"] = state(dock)["Thửa đất"]
iface.messageBar().clearWidgets()
send()
idle(dock)
result["sent"], result["at_the_end"] = said(), state(dock)["Thửa đất"]
''')
    assert result["at_first"] == "6.000 chỉnh sửa (sửa 6.000); 6.000 cần nhận"
    for name in ("pull", "checkout", "push"):
        assert result[name]["pressed"] and "Đã dừng theo yêu cầu" in result[name]["said"], (name, result[name])
    assert result["pull"]["addresses"] == 0 and result["pull"]["state"].startswith("6.000 chỉnh sửa")
    assert "Đã nhận" in result["pulled"] and result["pulled_state"].startswith("6.000 chỉnh sửa")
    assert result["checkout"]["files"] == []
    assert result["push"]["state"].startswith("6.000")
    assert "đợt cập nhật số" in result["sent"] and result["at_the_end"] == "không thay đổi"
    with WorkingCopy(mine) as copy, open_hub(str(big_hub)) as hub:
        assert [note.message for note in hub.changesets()].count("Rà soát") == 1
        rows = hub.read(hub.dataset("parcel"))
        assert set(rows["note"]) == {"Đã rà soát"} and rows["address"].notna().all() and copy.unsent() == 0
        assert pull(copy, hub).received == 0 and notes(copy) == dict(zip(rows["feature_id"], rows["note"]))


KILLED = '''
import os, signal, threading
dock = open_desk()
dock.copy_page.open(str(FOLDER / "xã.gpkg"))
idle(dock)
click(the(QPushButton, "layers"))
idle(dock)
assert QgsProject.instance().write(str(FOLDER / "dự án.qgz"))
def kill():
    (FOLDER / "killed.txt").write_text(dock.session.desk.current.title if dock.session.desk.busy else "idle", "utf-8")
    os.kill(os.getpid(), signal.SIGKILL)
def act(dialog):
    write(dialog.message, "Cả phường")
    click(dialog.buttons.button(QDialogButtonBox.StandardButton.Ok))
if WHAT == "push":
    in_dialog(QDialog, "push_dialog", act)
begun = []
def begins():
    if dock.session.desk.busy and not begun:
        begun.append(threading.Timer(0.015, kill))  # in the middle: a pull takes 60 ms on an idle machine
        begun[0].start()
dock.session.desk.changed.connect(begins)
click(the(QPushButton, WHAT))
wait(20)
'''


NEXT_MORNING = '''
assert QgsProject.instance().read(str(FOLDER / "dự án.qgz"))
layers = list(QgsProject.instance().mapLayers().values())
result["layers"] = sorted([layer.name(), layer.isValid(), layer.featureCount()] for layer in layers)
dock = open_desk()
idle(dock)
dock.copy_page.open(str(FOLDER / "xã.gpkg"))
idle(dock)
result["unsaved"] = len(dock.copy_page._unsaved())
layer = layers[0]
assert layer.startEditing() and layer.rollBack()
if WHAT == "push":
    def act(dialog):
        write(dialog.message, "Cả phường")
        click(dialog.buttons.button(QDialogButtonBox.StandardButton.Ok))
    in_dialog(QDialog, "push_dialog", act)
click(the(QPushButton, WHAT))
idle(dock)
result["said"], result["state"] = said(), state(dock)["Thửa đất"]
see(f"killed_{WHAT}_next_morning")
'''


@pytest.mark.parametrize("what", ["push", "pull"])
def test_killed_in_the_middle_nothing_is_lost_or_done_twice(window, place, what):
    take_home(place, "xã.gpkg", None).close()
    editor = "xã.gpkg" if what == "push" else "đồng nghiệp.gpkg"
    with WorkingCopy(place / editor) as copy:
        copy.database.execute("UPDATE parcel SET note = 'Đã rà soát', address = 'Tổ ' || fid")
    if what == "pull":
        with WorkingCopy(place / editor) as copy, open_hub(str(place / "dùng chung.gpkg")) as hub:
            push(copy, hub, author="lan", message="Cả phường")
        with WorkingCopy(place / "xã.gpkg") as copy:
            copy.database.execute("UPDATE parcel SET note = 'Của tôi' WHERE fid <= 5")
    window(hands() + f"FOLDER, WHAT = Path({str(place)!r}), {what!r}\n" + KILLED, killed=True)
    assert (place / "killed.txt").read_text("utf-8") == {"push": "Gửi cập nhật", "pull": "Nhận cập nhật"}[what]
    after = window(hands() + f"FOLDER, WHAT = Path({str(place)!r}), {what!r}\n" + NEXT_MORNING)
    assert after["layers"] == [["Thửa đất", True, 1466]] and after["unsaved"] == 0
    assert ("đợt cập nhật số" if what == "push" else "Đã nhận") in after["said"], after["said"]
    assert after["state"] == "không thay đổi" if what == "push" else "5 chỉnh sửa (sửa 5)" in after["state"]
    with WorkingCopy(place / "xã.gpkg") as copy, open_hub(str(place / "dùng chung.gpkg")) as hub:
        assert [note.message for note in hub.changesets()].count("Cả phường") == 1
        rows = hub.read(hub.dataset("parcel"))
        here = dict(copy.database.execute("SELECT feature_id, note FROM parcel"))
        if what == "push":
            assert set(rows["note"]) == {"Đã rà soát"} and copy.unsent() == 0
        else:
            mine = [id for id, note in here.items() if note == "Của tôi"]
            assert len(mine) == 5 and copy.unsent() == 5
            there = dict(zip(rows["feature_id"], rows["note"]))
            assert {id: note for id, note in here.items() if id not in mine} == {id: note for id, note in there.items() if id not in mine}
