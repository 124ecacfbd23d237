"""The Department of Construction at its desk: a parcel is clicked, searched and pasted; its paper is made."""

import shutil
from pathlib import Path

SAMPLES = Path(__file__).resolve().parents[2] / "data_samples"


def test_a_parcel_is_looked_up_and_its_paper_made(window, tmp_path):
    folder = tmp_path / "Nguyễn Văn Ân" / "văn bản"
    folder.parent.mkdir()
    # QGIS writes into a GeoPackage it merely opens.
    town = shutil.copy(SAMPLES / "town.gpkg", tmp_path / "đô thị.gpkg")
    result = window(f'''
TOWN, FOLDER = {str(town)!r}, {str(folder)!r}
''' + '''
from qgis.core import QgsProject, QgsVectorLayer, QgsRectangle, QgsPointXY, QgsGeometry, QgsCoordinateReferenceSystem
from qgis.PyQt.QtCore import Qt, QPoint
from qgis.PyQt.QtTest import QTest
from qgis.PyQt.QtWidgets import QAction, QDialog, QDockWidget, QPushButton, QLineEdit, QTextBrowser, QComboBox, QPlainTextEdit, QLabel, QApplication, QTabWidget

def until(ready, seconds=20):
    import time
    end = time.time() + seconds
    while not ready():
        assert time.time() < end, "waited too long"
        wait(0.05)

def typed(widget, text):
    # QTest types ASCII only.
    from qgis.PyQt.QtCore import QEvent
    from qgis.PyQt.QtGui import QKeyEvent
    widget.setFocus()
    for letter in text:
        QApplication.sendEvent(widget, QKeyEvent(QEvent.Type.KeyPress, 0, Qt.KeyboardModifier.NoModifier, letter))

window = iface.mainWindow()
window.showNormal(); window.setGeometry(0, 0, 1500, 950)
iface.newProject()
wait(0.3)
iface.messageBar().clearWidgets()
styles = Path(plugins["quyhoach"].provider.__module__ and sys.modules[plugins["quyhoach"].__module__].__file__).parents[1] / "styles"
for name, style in (("zone", "zoning/zone.qml"), ("parcel", "land_use/parcel.qml")):
    layer = QgsVectorLayer(TOWN + "|layername=" + name, name, "ogr")
    layer.loadNamedStyle(str(styles / style))
    QgsProject.instance().addMapLayer(layer)
QgsProject.instance().setCrs(QgsCoordinateReferenceSystem("EPSG:9214"))
canvas = iface.mapCanvas()

window.findChild(QAction, "QuyHoachParcelLookup").trigger()
dock = window.findChild(QDockWidget, "QuyHoachParcelDock")
assert dock.isVisible()
def child(kind, name, parent=None):
    found = (parent or dock).findChild(kind, name)
    assert found is not None, name
    return found
answer = child(QTextBrowser, "answer")
def press(name, parent=None):
    QTest.mouseClick(child(QPushButton, name, parent), Qt.MouseButton.LeftButton)

# Where the data come from: one file for all datasets.
press("data")
wait(0.3)
dialog = child(QDialog, "data_dialog", dock)
typed(child(QLineEdit, "place", dialog), TOWN)
picture("parcel_1_data", dialog)
dialog.accept()
wait(0.1)
result["communes"] = child(QComboBox, "commune").count()

# A click on the map.
parcel = next(f for f in layer.getFeatures() if f["sheet_no"] == "3" and f["parcel_no"] == 40 and f["old_commune_code"] == "99101")
box = parcel.geometry().boundingBox(); box.grow(60)
canvas.setExtent(box); canvas.refresh(); wait(1)
press("pick")
assert child(QPushButton, "pick").isChecked()
spot = canvas.getCoordinateTransform().transform(parcel.geometry().pointOnSurface().asPoint())
QTest.mouseClick(canvas.viewport(), Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, QPoint(int(spot.x()), int(spot.y())))
import time
begun = time.time()
until(lambda: child(QPushButton, "paper").isEnabled())
result["first_seconds"] = time.time() - begun
result["clicked"] = answer.toPlainText()
picture("parcel_2_clicked")

# A place without parcels, as the middle of a street.
# A search by former commune, sheet and number.
typed(child(QComboBox, "commune").lineEdit(), "Phường Trung Tâm (")
child(QComboBox, "commune").completer().popup().hide()
typed(child(QLineEdit, "sheet"), "1")
typed(child(QLineEdit, "number"), "3")
begun = time.process_time()  # of QGIS alone, whatever else the machine does
press("find")
until(lambda: child(QPushButton, "paper").isEnabled() and "số 3," in answer.toPlainText())
result["next_seconds"] = time.process_time() - begun
result["searched"] = answer.toPlainText()
result["in_view"] = canvas.extent().contains(next(f for f in layer.getFeatures() if f["sheet_no"] == "1" and f["parcel_no"] == 3 and f["old_commune_code"] == "99101").geometry().boundingBox())
wait(0.8)
picture("parcel_3_searched")
child(QLineEdit, "number").setText("99999")
press("find")
result["nothing"] = answer.toPlainText()

# One point, then corners; the meridian is asked first.
dock.findChild(QTabWidget).setCurrentIndex(1)
text = child(QPlainTextEdit, "corners")
point = parcel.geometry().pointOnSurface().asPoint()
text.setPlainText(f"{point.y():.2f}; {point.x():.2f}".replace(".", ","))
press("look_up")
result["unasked"] = answer.toPlainText()
systems = child(QComboBox, "meridian")
systems.setCurrentIndex(systems.findData(9214))
press("look_up")
until(lambda: child(QPushButton, "paper").isEnabled())
result["point"] = answer.toPlainText()
x, y = point.x(), point.y()
text.setPlainText("\\n".join(f"{n}\\t{b:.2f}\\t{a:.2f}".replace(".", ",") for n, (a, b) in enumerate(((x - 9, y + 9), (x + 9, y + 9), (x + 9, y - 9), (x - 9, y - 9)), 1)))
press("look_up")
until(lambda: child(QPushButton, "paper").isEnabled())
result["corners"] = answer.toPlainText()
wait(0.5)
picture("parcel_4_corners")
press("copy")
result["copied"] = QApplication.clipboard().text()

# Back to the parcel, and its paper.
dock.findChild(QTabWidget).setCurrentIndex(0)
child(QLineEdit, "sheet").setText("3"); child(QLineEdit, "number").setText("40")
press("find")
until(lambda: child(QPushButton, "paper").isEnabled() and "số 40," in answer.toPlainText())
press("paper")
wait(0.3)
dialog = child(QDialog, "paper_dialog", dock)
typed(child(QLineEdit, "request_number", dialog), "H99-261125-0012")
child(QLineEdit, "folder", dialog).setText(FOLDER)
press("make", dialog)
until(lambda: "docx" in child(QLabel, "told", dialog).text() or not child(QLabel, "told", dialog).text().endswith("…"))
result["told"] = child(QLabel, "told", dialog).text()
picture("parcel_5_paper", dialog)
result["files"] = sorted(p.name for p in Path(FOLDER).iterdir()) if Path(FOLDER).exists() else []
dialog.reject()
wait(0.2)

# A parcel whose layer leaves the project is forgotten, and the dock goes on.
project = QgsProject.instance()
project.removeMapLayer(layer.id())
wait(0.1)
result["forgotten"] = answer.toPlainText(), child(QPushButton, "paper").isEnabled()
press("find")
until(lambda: child(QPushButton, "paper").isEnabled())

# Nothing stays when the plugin goes, and settings are there when it comes back.
from qgis.utils import loadPlugin, startPlugin, unloadPlugin
from qgis.PyQt.QtCore import QEvent
assert unloadPlugin("quyhoach")
QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
result["left"] = [w.objectName() for w in window.findChildren((QDockWidget, QAction)) if "QuyHoach" in w.objectName()]
assert loadPlugin("quyhoach") and startPlugin("quyhoach")
window.findChild(QAction, "QuyHoachParcelLookup").trigger()
dock = window.findChild(QDockWidget, "QuyHoachParcelDock")
result["remembered"] = child(QComboBox, "commune").count()
''', timeout=240)
    assert result["communes"] == 30  # 29 and the blank line
    assert "Thửa đất số 40, tờ bản đồ số 3" in result["clicked"] and "Ô NO-61" in result["clicked"]
    assert "Trong hạn sai ghép bản đồ 0,80 m, xác định tại thực địa" in result["clicked"]
    assert "Chưa phù hợp: Khoảng lùi theo đồ án 0,3 m (giới hạn 2 m)" in result["clicked"]
    assert "Ô NO-89" in result["searched"] and result["in_view"]
    assert "Không có thửa 99999" in result["nothing"]
    assert "Hãy chọn kinh tuyến trục" in result["unasked"]
    assert "Thửa đất số 40" in result["point"] and "Khu đất theo tọa độ đã dán" in result["corners"]
    assert result["copied"].startswith("Khu đất theo tọa độ đã dán") and "324,0 m²" in result["copied"]
    kinds = {Path(name).suffix for name in result["files"]}
    assert {".docx", ".pdf"} <= kinds and any(name.startswith("thong_tin_quy_hoach_to_3_thua_40_") for name in result["files"])
    assert "đã ghi vào sổ đăng ký" in result["told"]
    assert result["next_seconds"] < 3.0
    assert "đã rời dự án" in result["forgotten"][0] and not result["forgotten"][1]
    assert result["left"] == [] and result["remembered"] == 30
