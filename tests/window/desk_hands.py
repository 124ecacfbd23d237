"""Hands that click and type in the database dock of a real QGIS, and the offices' files they work with."""

import geopandas
from quyhoach.processing_algorithms.provincial_database.interface import (
    Scope,
    checkout,
    create_hub,
    import_layer,
    open_hub,
)
from real_window import ARTEFACTS, ROOT

TOWN = ROOT / "data_samples" / "town.gpkg"
WARD = "99007"
#: What every script here starts with: hands that click and type, and eyes that see when work has ended.
HANDS = '''
import time
from qgis.PyQt.QtTest import QTest
from qgis.PyQt.QtCore import QEvent, QPoint, Qt, QTimer
from qgis.PyQt.QtGui import QKeyEvent
from qgis.PyQt.QtWidgets import (QApplication, QComboBox, QDialog, QDialogButtonBox, QDockWidget, QFileDialog, QLineEdit, QListWidget, QMessageBox,
                                 QPlainTextEdit, QPushButton, QRadioButton, QTableWidget, QTabWidget, QToolButton, QTreeWidget)
from qgis.core import QgsProject, QgsPointXY
LEFT = Qt.MouseButton.LeftButton
window = iface.mainWindow()
window.showNormal(); window.setGeometry(window.screen().geometry())
iface.newProject()  # leaves the welcome page
wait(0.5)
for dialog in window.findChildren(QDialog, "quyhoach_start"):
    dialog.close()
iface.messageBar().clearWidgets()
problems = []

def see(name):
    wait(0.2)
    target = Path(%(artefacts)r) / f"{name}.png"
    target.parent.mkdir(parents=True, exist_ok=True)
    assert window.screen().grabWindow(0).save(str(target))

def the(kind, name):
    found = window.findChild(kind, name)
    assert found is not None, name
    return found

def until(condition, seconds=90):
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
        dialog = next((w for w in QApplication.topLevelWidgets() if isinstance(w, kind) and w.isVisible() and name in (w.objectName(), w.windowTitle())), None)
        if dialog is None:
            if time.monotonic() < end:
                return QTimer.singleShot(100, look)
            problems.append(name + " did not come")
            if QApplication.activeModalWidget() is not None:
                QApplication.activeModalWidget().close()
            return
        try:
            act(dialog)
        except BaseException:
            problems.append(traceback.format_exc())
            dialog.close()
    QTimer.singleShot(200, look)

def open_desk():
    def buttons():
        return [b for b in window.findChildren(QToolButton) if b.isVisible() and b.defaultAction() and b.defaultAction().text() == "Cơ sở dữ liệu dùng chung"]
    until(buttons)
    click(buttons()[0])
    dock = the(QDockWidget, "QuyHoachDatabaseDock")
    window.setGeometry(window.screen().geometry())
    return dock

def idle(dock):
    quiet = []
    def rests():
        quiet.append(not dock.session.desk._works)
        return quiet[-3:] == [True] * 3
    until(rests)
    assert not problems, problems[0]

def file_named(title, path):
    """Choose a file in the dialog of files that the next click opens."""
    def act(dialog):
        box = dialog.findChild(QLineEdit, "fileNameEdit")
        box.setText(str(path))  # as pasted: what is typed opens a list of names that takes the next key
        click(next(b for b in dialog.findChild(QDialogButtonBox).buttons() if dialog.findChild(QDialogButtonBox).buttonRole(b) == QDialogButtonBox.ButtonRole.AcceptRole))
    in_dialog(QFileDialog, title, act)

def menu_action(button, name):
    """An entry of a button's menu, by its name."""
    return next(action for action in the(QToolButton, button).menu().actions() if action.objectName() == name)

def ok(dialog):
    box = dialog.findChild(QDialogButtonBox)
    click(next(b for b in box.buttons() if box.buttonRole(b) == QDialogButtonBox.ButtonRole.AcceptRole))

def replace_text(line, text):
    line.clear()
    write(line, text)

def state(dock):
    table = the(QTableWidget, "state")
    return {table.item(row, 0).text(): table.item(row, 2).text() for row in range(table.rowCount())}
'''


def hands(artefacts=str(ARTEFACTS)):
    """What a script for the ``window`` fixture starts with."""
    return HANDS.replace("%(artefacts)r", repr(artefacts))


def make_hub(path):
    """Make a hub with the sample town's communes and the parcels of one ward and its neighbour."""
    with create_hub(str(path), "EPSG:9214", name="Đô thị mẫu Lam Trạch") as hub:
        fill_hub(hub)


def fill_hub(hub):
    """Bring the sample's communes, roads and the parcels of two wards into an empty hub."""
    for dataset in ("administrative_unit", "parcel", "road"):
        layer = geopandas.read_file(TOWN, layer=dataset)
        if dataset == "parcel":
            layer = layer[layer["commune_code"].isin([WARD, "99010"])]
        import_layer(hub, dataset, layer, source="dữ liệu mẫu")


def take_home(folder, name, communes=frozenset({WARD})):
    at = str(folder / "dùng chung.gpkg")
    with open_hub(at) as hub:
        return checkout(folder / name, hub, location=at, crs=hub.info.crs, datasets=[hub.dataset("parcel")],
                        scopes=[Scope("parcel", communes)], name="Phường Hòa Bình")
