"""A commune planner's days with the shared database, by clicking and typing in a real window."""

import shutil
from pathlib import Path

import geopandas
import pytest
from quyhoach.processing_algorithms.provincial_database.interface import Scope, checkout, create_hub, import_layer, open_hub

ROOT = Path(__file__).resolve().parents[2]
TOWN = ROOT / "data_samples" / "town.gpkg"
WARD = "99007"
#: What every script here starts with: hands that click and type, and eyes that see when work has ended.
HANDS = '''
import time
from qgis.PyQt.QtTest import QTest
from qgis.PyQt.QtCore import QEvent, QPoint, Qt, QTimer
from qgis.PyQt.QtGui import QKeyEvent
from qgis.PyQt.QtWidgets import (QApplication, QComboBox, QDialog, QDialogButtonBox, QDockWidget, QLineEdit, QListWidget, QMessageBox,
                                 QPlainTextEdit, QPushButton, QRadioButton, QTableWidget, QTabWidget, QToolButton, QTreeWidget)
from qgis.core import QgsProject, QgsPointXY
LEFT = Qt.MouseButton.LeftButton
window = iface.mainWindow()
window.showNormal(); window.setGeometry(0, 0, 1600, 1000)
iface.newProject()  # leaves the welcome page
wait(0.5)
iface.messageBar().clearWidgets()
problems = []

def see(name):
    wait(0.4)
    target = Path(%(artefacts)r) / f"{name}.png"
    target.parent.mkdir(parents=True, exist_ok=True)
    assert window.screen().grabWindow(0).save(str(target))

def the(kind, name):
    found = window.findChild(kind, name)
    assert found is not None, name
    return found

def until(condition, seconds=30):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain; bar says: " + said()
        wait(0.05)

def click(widget):
    assert widget.isEnabled(), widget.objectName() + " is not enabled"
    QTest.mouseClick(widget, LEFT)

def write(widget, text):
    """QTest types ASCII only."""
    for letter in text:
        for kind in (QEvent.Type.KeyPress, QEvent.Type.KeyRelease):
            QApplication.sendEvent(widget, QKeyEvent(kind, 0, Qt.KeyboardModifier.NoModifier, letter))

def click_item(view, item):
    view.scrollToItem(item)
    QTest.mouseClick(view.viewport(), LEFT, pos=view.visualItemRect(item).center())

def tick(view, item):
    view.scrollToItem(item)
    QTest.mouseClick(view.viewport(), LEFT, pos=view.visualItemRect(item).topLeft() + QPoint(12, view.visualItemRect(item).height() // 2))

def said():
    current = iface.messageBar().currentItem()
    return current.text() if current else ""

def in_dialog(kind, name, act):
    """Wait for a dialog that the next click opens, and act in it."""
    end = time.monotonic() + 20
    def look():
        dialog = next((w for w in QApplication.topLevelWidgets() if isinstance(w, kind) and w.isVisible() and name in (w.objectName(), "")), None)
        if dialog is None:
            return QTimer.singleShot(100, look) if time.monotonic() < end else problems.append(name + " did not come")
        try:
            act(dialog)
        except BaseException:
            problems.append(traceback.format_exc())
            dialog.close()
    QTimer.singleShot(200, look)

def open_desk():
    action = next(a for a in window.findChildren(type(iface.actionPan())) if a.text() == "Cơ sở dữ liệu dùng chung")
    button = next(b for b in window.findChildren(QToolButton) if b.defaultAction() is action)
    click(button)
    dock = the(QDockWidget, "QuyHoachDatabaseDock")
    window.resize(1600, 1000)
    return dock

def idle(dock):
    until(lambda: not dock.session.desk.busy and not dock.session.desk._works)
    assert not problems, problems[0]

def state(dock):
    table = the(QTableWidget, "state")
    return {table.item(row, 0).text(): table.item(row, 2).text() for row in range(table.rowCount())}
'''


@pytest.fixture(scope="session")
def sample_hub(tmp_path_factory):
    """A hub with the sample town's communes and the parcels of one ward and its neighbour."""
    path = tmp_path_factory.mktemp("mẫu") / "lam trạch.gpkg"
    with create_hub(str(path), "EPSG:9214", name="Đô thị mẫu Lam Trạch") as hub:
        for dataset in ("administrative_unit", "parcel", "road"):
            layer = geopandas.read_file(TOWN, layer=dataset)
            if dataset == "parcel":
                layer = layer[layer["commune_code"].isin([WARD, "99010"])]
            import_layer(hub, dataset, layer, source="dữ liệu mẫu")
    return path


@pytest.fixture
def place(tmp_path, sample_hub):
    """A folder with a hub and a colleague's working copy of it."""
    folder = tmp_path / "Phòng Kinh tế phường Hòa Bình"
    folder.mkdir()
    shutil.copy(sample_hub, folder / "dùng chung.gpkg")
    take_home(folder, "đồng nghiệp.gpkg").close()
    return folder


def take_home(folder, name, communes=frozenset({WARD})):
    at = str(folder / "dùng chung.gpkg")
    with open_hub(at) as hub:
        return checkout(folder / name, hub, location=at, crs=hub.info.crs, datasets=[hub.dataset("parcel")],
                        scopes=[Scope("parcel", communes)], name="Phường Hòa Bình")


def hands(window_artefacts=str(ROOT / "build" / "screenshots")):
    return HANDS.replace("%(artefacts)r", repr(window_artefacts))


def test_a_planner_takes_home_edits_meets_a_colleague_and_sends(window, place):
    result = window(hands() + f'''
FOLDER, WARD = Path({str(place)!r}), {WARD!r}
HUB, MINE = str(FOLDER / "dùng chung.gpkg"), str(FOLDER / "việc của tôi.gpkg")
''' + '''
from quyhoach.processing_algorithms.provincial_database.interface import WorkingCopy, open_hub, push
started = time.monotonic()
dock = open_desk()
wait(0)
result["opened_s"] = time.monotonic() - started
see("desk_01_opened")

# the hub: typed, and its datasets are there
dock.pages.setCurrentWidget(dock.hub_page)
line = dock.hub_page.hubs.lineEdit()
write(line, HUB); QTest.keyClick(line, Qt.Key.Key_Return)
idle(dock)
table = the(QTableWidget, "datasets")
result["datasets"] = [[table.item(row, column).text() for column in range(4)] for row in range(3)]
see("desk_02_hub")

# taking home: one ward, clicked on the map
click(the(QPushButton, "checkout"))
dialog = the(QDialog, "checkout_dialog")
idle(dock)
click(the(QPushButton, "pick_on_map"))
wait(0.5)
shape = dialog._shapes[WARD][1]
canvas = iface.mapCanvas()
spot = canvas.getCoordinateTransform().transform(shape.pointOnSurface().asPoint())
dialog.move(0, 300)
QTest.mouseClick(canvas.viewport(), LEFT, pos=QPoint(int(spot.x()), int(spot.y())))
see("desk_03_pick_on_map")
assert dialog.chosen_communes() == {WARD}, dialog.chosen_communes()
see("desk_03_pick_on_map")
box = dialog.file.lineEdit()
box.clear(); write(box, MINE)
click(dialog.buttons.button(QDialogButtonBox.StandardButton.Ok))
idle(dock)
wait(1); idle(dock)
see("desk_04_taken_home")
result["taken"] = state(dock)

# an edit in QGIS: while it is being made the state says so, and nothing is exchanged
layer = next(l for l in QgsProject.instance().mapLayers().values() if l.name() == "Thửa đất")
result["alias"] = layer.attributeDisplayName(layer.fields().lookupField("land_code"))
result["widget"] = layer.editorWidgetSetup(layer.fields().lookupField("land_code")).type()
result["group"] = QgsProject.instance().layerTreeRoot().findLayer(layer.id()).parent().name()
first, second, third = sorted(layer.getFeatures(), key=lambda f: f["feature_id"])[:3]
layer.startEditing()
layer.changeAttributeValue(first.id(), layer.fields().lookupField("address"), "12 đường Hòa Bình")
layer.changeAttributeValue(second.id(), layer.fields().lookupField("address"), "14 đường Hòa Bình")
shape = third.geometry(); shape.translate(0.5, 0)
layer.changeGeometry(third.id(), shape)
until(lambda: "3 chưa lưu" in state(dock)["Thửa đất"])
click(the(QPushButton, "pull"))
wait(0.3)
result["refused"] = said()
see("desk_05_editing")
iface.messageBar().clearWidgets()
layer.commitChanges()
until(lambda: state(dock)["Thửa đất"] == "3 chỉnh sửa (sửa 3)")
see("desk_06_edited")

# a colleague has changed the same, and sends first
with WorkingCopy(FOLDER / "đồng nghiệp.gpkg") as copy, open_hub(HUB) as hub:
    for feature, value in ((first, "Số 12, đường Hòa Bình"), (second, "Số 14, đường Hòa Bình")):
        copy.database.execute("UPDATE parcel SET address = ? WHERE feature_id = ?", (value, feature["feature_id"]))
    blob = copy.database.execute("SELECT geom FROM parcel WHERE feature_id = ?", (first["feature_id"],)).fetchone()[0]
    copy.database.execute("UPDATE parcel SET geom = ? WHERE feature_id = ?", (blob, third["feature_id"]))
    assert push(copy, hub, author="lan", message="Rà soát địa chỉ").outcome.name == "APPLIED"
dock.copy_page.ask_hub()
idle(dock)
result["before_pull"] = state(dock)["Thửa đất"]

# pushing now is told what to do
def fill(dialog):
    write(dialog.message, "Cập nhật địa chỉ theo đo đạc tháng 11")
    write(dialog.decision, "1203/QĐ-UBND")
    dialog.author.clear(); write(dialog.author, "Nguyễn Văn Ân")
    write(dialog.department, "Phường Hòa Bình")
    see("desk_07_push_dialog")
    click(dialog.buttons.button(QDialogButtonBox.StandardButton.Ok))
in_dialog(QDialog, "push_dialog", fill)
click(the(QPushButton, "push"))
idle(dock)
result["stale"] = said()
see("desk_08_told_to_pull")
iface.messageBar().clearWidgets()
click(the(QPushButton, "pull"))
idle(dock); wait(0.5); idle(dock)
review = the(QDockWidget, "QuyHoachConflictReviewDock")
assert review.isVisible()
result["conflicts"] = state(dock)["Thửa đất"]
see("desk_09_conflicts")
iface.messageBar().clearWidgets()

# first the shape: theirs; then one address ours, and the other stays for tomorrow
tree, fields = the(QTreeWidget, "conflicts_list"), the(QTableWidget, "conflict_fields")
def choose_conflict(feature):
    for group in range(tree.topLevelItemCount()):
        for number in range(tree.topLevelItem(group).childCount()):
            item = tree.topLevelItem(group).child(number)
            if item.data(0, Qt.ItemDataRole.UserRole).feature_id == feature["feature_id"]:
                return click_item(tree, item)
    raise AssertionError("not in the list")
choose_conflict(third)
result["shape_row"] = [fields.item(0, column).text() for column in range(4)]
see("desk_10_shapes")
click(the(QPushButton, "choose_theirs"))
idle(dock); wait(0.5); idle(dock)
choose_conflict(first)
result["address_row"] = [fields.item(0, column).text() for column in range(4)]
see("desk_11_address")
click(the(QPushButton, "choose_ours"))
idle(dock); wait(0.5); idle(dock)
result["tomorrow"] = state(dock)["Thửa đất"]
''')
    assert result["opened_s"] < 1.0
    assert [line[0] for line in result["datasets"]] == ["Đơn vị hành chính cấp xã", "Thửa đất", "Đường giao thông"] and \
        all(line[3] == "đọc và sửa" and line[2] for line in result["datasets"]), result["datasets"]
    assert result["taken"]["Thửa đất"] == "không thay đổi"
    assert result["alias"].startswith("Mã loại đất") or result["alias"].startswith("Loại đất"), result["alias"]
    assert result["widget"] == "ValueMap" and result["group"] == "Sử dụng đất"
    assert "chế độ chỉnh sửa" in result["refused"]
    assert result["before_pull"] == "3 chỉnh sửa (sửa 3); 3 cần nhận"
    assert "Nhận cập nhật" in result["stale"] and "không ghi gì" in result["stale"]
    assert result["conflicts"].startswith("3 xung đột")
    assert result["shape_row"][0] == "Hình trên bản đồ" and "m²" in result["shape_row"][3]
    assert result["address_row"][2:] == ["12 đường Hòa Bình", "Số 12, đường Hòa Bình"]
    assert result["tomorrow"].startswith("1 xung đột")
