"""Where the shared database is, told by clicking and typing: a server one signs in to, or a new file of one's own."""

import uuid

import pytest
from desk_hands import TOWN, WARD, hands
from quyhoach.processing_algorithms.provincial_database.administration.offices import set_department, set_person
from quyhoach.processing_algorithms.provincial_database.interface import open_hub

PASSWORD, WRONG = "Ruong-lua_7391", "Nuong-ngo_8264"


@pytest.fixture
def person(hub_on_server):
    """The login of somebody of the ward's office, who has `PASSWORD`."""
    login = f"lan_{uuid.uuid4().hex[:8]}"
    set_department(hub_on_server, f"p_{login}", label="Phường Hòa Bình", kind="land", communes=[WARD])
    set_person(hub_on_server, login, departments=[f"p_{login}"], secrecy="internal", password=PASSWORD)
    return login


def test_signing_in_to_a_server(window, tmp_path, server, hub_on_server, person):
    result = window(hands() + f'''
FOLDER, PORT, DATABASE, LOGIN = Path({str(tmp_path)!r}), {str(server.port)!r}, {hub_on_server.connection.info.dbname!r}, {person!r}
PASSWORD, WRONG, MINE = {PASSWORD!r}, {WRONG!r}, str(FOLDER / "việc của tôi.gpkg")
''' + '''
log = []
QgsApplication.messageLog().messageReceived[str, str, Qgis.MessageLevel].connect(lambda text, tag, level: log.append(text))
dock = open_desk()
dock.pages.setCurrentWidget(dock.hub_page)

# an address with a password in it is refused, and kept nowhere
line = dock.hub_page.hubs.lineEdit()
write(line, f"postgresql://{LOGIN}:{PASSWORD}@127.0.0.1:{PORT}/{DATABASE}"); QTest.keyClick(line, Qt.Key.Key_Return)
idle(dock)
result["address"], result["line_after"] = said(), line.text()
iface.messageBar().clearWidgets()

# what the administrator has told: server, port, database
def fill(dialog):
    for name, text in (("connection_name", "Cơ sở dữ liệu của tỉnh"), ("host", "127.0.0.1"), ("port", PORT), ("database", DATABASE)):
        replace_text(dialog.findChild(QLineEdit, name), text)
    see("place_01_connection")
    in_dialog(QDialog, "QgsCredentialDialog", sign_in(WRONG, "place_02_sign_in"))
    ok(dialog)
def sign_in(password, picture_name):
    def act(dialog):
        for name, text in (("leUsername", LOGIN), ("lePassword", password)):
            replace_text(dialog.findChild(QLineEdit, name), text)
        see(picture_name)
        QTest.keyClick(dialog.findChild(QLineEdit, "lePassword"), Qt.Key.Key_Return)
    return act
in_dialog(QDialog, "postgis_connection", fill)
menu_action("hub_menu", "new_connection").trigger()
until(lambda: "không đúng" in said() or problems)
idle(dock)
result["wrong"], result["messages"] = said(), len(iface.messageBar().items())
see("place_03_wrong_password")

# again, by the button of the message
in_dialog(QDialog, "QgsCredentialDialog", sign_in(PASSWORD, "place_04_again"))
click(iface.messageBar().currentItem().findChild(QPushButton, "remedy"))
idle(dock)
until(lambda: the(QTableWidget, "datasets").rowCount() > 0)
result["signed_in"] = said()
table = the(QTableWidget, "datasets")
result["datasets"] = [[table.item(row, column).text() for column in range(4)] for row in range(3)]
see("place_05_signed_in")
iface.messageBar().clearWidgets()

# home, an edit, and sent, with the account of this session
click(the(QPushButton, "checkout"))
dialog = the(QDialog, "checkout_dialog")
idle(dock)
replace_text(dialog.file.lineEdit(), MINE)
click(dialog.buttons.button(QDialogButtonBox.StandardButton.Ok))
idle(dock)
until(lambda: any(l.name() == "Thửa đất" for l in QgsProject.instance().mapLayers().values()))
idle(dock)
layer = next(l for l in QgsProject.instance().mapLayers().values() if l.name() == "Thửa đất")
layer.startEditing()
layer.changeAttributeValue(next(layer.getFeatures()).id(), layer.fields().lookupField("address"), "1 đường Hòa Bình")
layer.commitChanges()
until(lambda: state(dock)["Thửa đất"] == "1 chỉnh sửa (sửa 1)")
def about(dialog):
    write(dialog.message, "Sửa địa chỉ")
    click(dialog.buttons.button(QDialogButtonBox.StandardButton.Ok))
in_dialog(QDialog, "push_dialog", about)
iface.messageBar().clearWidgets()
click(the(QPushButton, "push"))
idle(dock)
result["sent"] = said()
dock.pages.setCurrentWidget(dock.history_page)
idle(dock)
ledger = the(QTableWidget, "changesets")
QTest.mouseClick(ledger.viewport(), LEFT, pos=ledger.visualItemRect(ledger.item(0, 3)).center())
idle(dock)
result["newest"], result["details"] = ledger.item(0, 3).text(), dock.history_page.details.text()
see("place_06_history")
assert QgsProject.instance().write(str(FOLDER / "dự án.qgs"))
from qgis.core import QgsSettings
QgsSettings().sync()
result["log"] = log
''')
    assert "không được chứa mật khẩu" in result["address"] and result["line_after"] == ""
    assert "Tên đăng nhập hoặc mật khẩu không đúng" in result["wrong"] and result["messages"] == 1
    assert "mật khẩu không được lưu" in result["signed_in"]
    assert ["Thửa đất", "783", f"sửa ở: {WARD}"] in [[line[0], line[1], line[3]] for line in result["datasets"]]
    assert "đợt cập nhật số" in result["sent"]
    assert result["newest"] == "Sửa địa chỉ" and "Thửa đất 1" in result["details"]
    assert "1 đường Hòa Bình" in set(hub_on_server.read(hub_on_server.dataset("parcel"))["address"])
    secrets = (PASSWORD.encode(), WRONG.encode())
    ours = [path for path in tmp_path.rglob("*") if path.is_file() and path.name != "script.py"]
    assert {"QGIS3.ini", "dự án.qgs", "việc của tôi.gpkg"} <= {path.name for path in ours}
    assert [path for path in ours if any(secret in path.read_bytes() for secret in secrets)] == []
    assert not any(secret.decode() in text for secret in secrets for text in (*result["log"], result["stderr"]))


def test_a_new_file_of_ones_own(window, tmp_path):
    target = tmp_path / "Xã Khe Mây" / "dùng chung.gpkg"
    target.parent.mkdir()
    result = window(hands() + f'''
TARGET, TOWN = {str(target)!r}, {str(TOWN)!r}
''' + '''
from qgis.core import QgsCoordinateReferenceSystem
QgsProject.instance().setCrs(QgsCoordinateReferenceSystem("EPSG:9214"))
dock = open_desk()
dock.pages.setCurrentWidget(dock.hub_page)
menu_action("hub_menu", "create_hub").trigger()
from qgis.gui import QgsProcessingAlgorithmDialogBase
def dialogs():
    return [w for w in QApplication.topLevelWidgets() if isinstance(w, QgsProcessingAlgorithmDialogBase) and w.isVisible()]
until(dialogs)
dialog = dialogs()[0]
lines = [line for line in dialog.findChildren(QLineEdit) if line.isVisible() and not line.isReadOnly() and not isinstance(line.parent(), QComboBox)]
name, place = lines[0], lines[-1]
write(name, "Xã Khe Mây"); replace_text(place, TARGET)
see("place_10_new_file")
click(dialog.runButton())
until(lambda: dock.session.hub == TARGET and the(QTableWidget, "datasets").rowCount() > 0)
idle(dock)
see("place_11_made")
result["facts"], result["open"] = dock.hub_page.facts.text(), bool(dialogs())
result["all_empty"] = all(the(QTableWidget, "datasets").item(row, 1).text() == "0" for row in range(the(QTableWidget, "datasets").rowCount()))

# the administrator brings data in with another program: the page tells it by itself
import geopandas
from quyhoach.processing_algorithms.provincial_database.interface import import_layer, open_hub
with open_hub(TARGET) as hub:
    import_layer(hub, "road", geopandas.read_file(TOWN, layer="road").head(12), source="dữ liệu mẫu")
until(lambda: the(QTableWidget, "datasets").item(0, 1).text() == "12")
result["first"] = the(QTableWidget, "datasets").item(0, 0).text()
''')
    assert result["facts"].startswith("Xã Khe Mây. VN-2000, kinh tuyến trục 107°00′") and result["all_empty"]
    assert not result["open"] and "đường" in result["first"].lower()
    with open_hub(str(target)) as hub:
        assert hub.info.name == "Xã Khe Mây" and len(hub.datasets) > 15
