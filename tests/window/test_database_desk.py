"""A commune planner's days with the shared database, by clicking and typing in a real window."""

from desk_hands import WARD, hands, take_home
from quyhoach.processing_algorithms.provincial_database.administration.administration import back_up, restore
from quyhoach.processing_algorithms.provincial_database.interface import WorkingCopy, layer_as_of, open_hub, pull, push


def test_a_planner_takes_home_edits_meets_a_colleague_and_sends(window, place):
    result = window(hands() + f'''
FOLDER, WARD = Path({str(place)!r}), {WARD!r}
HUB, MINE = str(FOLDER / "dùng chung.gpkg"), str(FOLDER / "việc của tôi.gpkg")
''' + '''
from quyhoach.processing_algorithms.provincial_database.interface import WorkingCopy, open_hub, push
started = time.process_time()  # other programs may be busy
dock = open_desk()
wait(0)
result["opened_s"] = time.process_time() - started
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
see("desk_04_taken_home")
result["taken"] = state(dock)

# an edit in QGIS: while it is being made the state says so, and nothing is exchanged
layer = next(l for l in QgsProject.instance().mapLayers().values() if l.name() == "Thửa đất")
result["alias"] = layer.attributeDisplayName(layer.fields().lookupField("land_code"))
result["widget"] = layer.editorWidgetSetup(layer.fields().lookupField("land_code")).type()
node = QgsProject.instance().layerTreeRoot().findLayer(layer.id())
result["group"] = node.parent().name()
# dressed as `openlayers` dresses
from qgis.core import QgsMapLayerLegendUtils
categories = layer.renderer().categories()
result["legend"] = sorted(str(categories[at].value()) for at in QgsMapLayerLegendUtils.legendNodeOrder(node))
result["codes"] = sorted({f["land_code"] for f in layer.getFeatures()})
result["tip"], result["from_scale"], result["labels"] = layer.mapTipTemplate(), layer.minimumScale(), layer.labelsEnabled()
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
    dialog.department.clear(); write(dialog.department, "Phường Hòa Bình")
    see("desk_07_push_dialog")
    click(dialog.buttons.button(QDialogButtonBox.StandardButton.Ok))
in_dialog(QDialog, "push_dialog", fill)
click(the(QPushButton, "push"))
idle(dock)
result["stale"] = said()
see("desk_08_told_to_pull")
iface.messageBar().clearWidgets()
click(the(QPushButton, "pull"))
idle(dock)
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
below = tree.itemBelow(tree.currentItem())
below = below.data(0, Qt.ItemDataRole.UserRole).feature_id if below else None
click(the(QPushButton, "choose_theirs"))
idle(dock)
result["goes_on_below"] = below in (None, tree.currentItem().data(0, Qt.ItemDataRole.UserRole).feature_id)
choose_conflict(first)
result["address_row"] = [fields.item(0, column).text() for column in range(4)]
see("desk_11_address")
click(the(QPushButton, "choose_ours"))
idle(dock)
result["tomorrow"] = state(dock)["Thửa đất"]

# tomorrow: everything begins anew, and the last conflict is still there; this one is settled by hand
from qgis.utils import loadPlugin, startPlugin, unloadPlugin
assert unloadPlugin("quyhoach") and loadPlugin("quyhoach") and startPlugin("quyhoach")
dock = open_desk()
idle(dock)
copies = the(QComboBox, "copies")
result["remembered"] = [copies.itemText(place) for place in range(copies.count())]
copies.setCurrentIndex(0); copies.activated.emit(0)
idle(dock)
click(the(QPushButton, "conflicts"))
idle(dock)
review = the(QDockWidget, "QuyHoachConflictReviewDock")
tree, fields = the(QTreeWidget, "conflicts_list"), the(QTableWidget, "conflict_fields")
choose_conflict(second)
click(the(QPushButton, "choose_hand"))
wait(0.5)
form = next(w for w in QApplication.topLevelWidgets() if w.isVisible() and "AttributeDialog" in type(w).__name__ or w.isVisible() and w.objectName().startswith("featureactiondlg"))
box = next(b for b in form.findChildren(QLineEdit) if b.text() == "14 đường Hòa Bình")
box.clear(); write(box, "Số 14 đường Hòa Bình")
see("desk_12_by_hand")
click(next(b for b in form.findChildren(QDialogButtonBox) if b.button(QDialogButtonBox.StandardButton.Ok)).button(QDialogButtonBox.StandardButton.Ok))
wait(0.3)
click(the(QPushButton, "choose_hand"))
idle(dock)
result["settled"] = state(dock)["Thửa đất"]
see("desk_13_settled")

# and sent
dock.setUserVisible(True)
in_dialog(QDialog, "push_dialog", fill)
click(the(QPushButton, "push"))
idle(dock)
result["sent"] = said()
result["at_the_end"] = state(dock)["Thửa đất"]
see("desk_14_sent")
result["ids"] = [feature["feature_id"] for feature in (first, second, third)]
''')
    assert result["opened_s"] < 1.0
    assert [line[0] for line in result["datasets"]] == ["Đơn vị hành chính cấp xã", "Thửa đất", "Đường giao thông"] and \
        all(line[3] == "đọc và sửa" and line[2] for line in result["datasets"]), result["datasets"]
    assert result["taken"]["Thửa đất"] == "không thay đổi"
    assert result["alias"].startswith("Mã loại đất") or result["alias"].startswith("Loại đất"), result["alias"]
    assert result["widget"] == "ValueMap" and result["group"] == "Sử dụng đất"
    assert result["legend"] == result["codes"] and len(result["codes"]) > 3
    assert "Loại đất" in result["tip"] and result["from_scale"] == 25_000 and result["labels"]
    assert "chế độ chỉnh sửa" in result["refused"]
    assert result["before_pull"] == "3 chỉnh sửa (sửa 3); 3 cần nhận"
    assert "Nhận cập nhật" in result["stale"] and "không ghi gì" in result["stale"]
    assert result["conflicts"].startswith("3 xung đột")
    assert result["shape_row"][0] == "Hình trên bản đồ" and "m²" in result["shape_row"][3]
    assert result["address_row"][2:] == ["12 đường Hòa Bình", "Số 12, đường Hòa Bình"]
    assert result["tomorrow"].startswith("1 xung đột")
    assert result["remembered"] == ["việc của tôi.gpkg"]
    assert result["settled"] == "2 chỉnh sửa (sửa 2)"
    assert result["goes_on_below"]
    assert "đợt cập nhật số" in result["sent"] and result["at_the_end"] == "không thay đổi"
    with open_hub(str(place / "dùng chung.gpkg")) as hub:
        parcels = hub.read(hub.dataset("parcel")).set_index("feature_id")
        last = hub.changesets(most=1)[0]
    first, second, third = result["ids"]
    assert parcels.loc[first, "address"] == "12 đường Hòa Bình"
    assert parcels.loc[second, "address"] == "Số 14 đường Hòa Bình"
    # Theirs was the shape of the first, laid on the third by the colleague.
    assert parcels.geometry[third].equals(parcels.geometry[first])
    assert (last.author, last.department, last.decision_no, last.features) == ("Nguyễn Văn Ân", "Phường Hòa Bình", "1203/QĐ-UBND", {"parcel": 2})


def test_history_and_exchange_by_file(window, place):
    with open_hub(str(place / "dùng chung.gpkg")) as hub, WorkingCopy(place / "đồng nghiệp.gpkg") as copy:
        copy.database.execute("UPDATE parcel SET land_code = 'CLN' WHERE land_code = 'LUC'")
        changed = push(copy, hub, author="lan", department="Phường Hòa Bình", message="Chuyển đất lúa sang cây lâu năm").receipts[-1]
    take_home(place, "xã.gpkg").close()
    result = window(hands() + f'''
FOLDER = Path({str(place)!r})
HUB = str(FOLDER / "dùng chung.gpkg")
NUMBER = {changed.number}
''' + '''
from qgis.PyQt.QtCore import QModelIndex
from quyhoach.processing_algorithms.provincial_database.interface import WorkingCopy

dock = open_desk()
file_named("Mở bản dữ liệu làm việc", FOLDER / "xã.gpkg")
click(the(QPushButton, "open_copy"))
idle(dock)
click(the(QPushButton, "layers"))
with WorkingCopy(FOLDER / "xã.gpkg") as copy:
    copy.database.execute("UPDATE parcel SET note = 'Đã đo' WHERE fid <= 3")
until(lambda: state(dock)["Thửa đất"] == "3 chỉnh sửa (sửa 3)")

# without a network: out by file, applied and answered at the hub, the answer received
def about(dialog):
    write(dialog.message, "Đo đạc ngoại nghiệp")
    file_named("Tệp thay đổi để gửi đi", FOLDER / "gửi đi.qhz")
    click(dialog.buttons.button(QDialogButtonBox.StandardButton.Ok))
in_dialog(QDialog, "push_dialog", about)
dock.copy_page.findChild(QToolButton, "by_file").menu().actions()[0].trigger()
idle(dock)
result["exported"], result["waiting"] = said(), state(dock)["Thửa đất"]
see("desk_20_exported")
dock.pages.setCurrentWidget(dock.hub_page)
file_named("Tệp thay đổi của cơ quan", FOLDER / "gửi đi.qhz")
file_named("Tệp cập nhật để trả lời", FOLDER / "trả lời.qhz")
menu_action("hub_menu", "answer_changes").trigger()
idle(dock)
result["answered"] = said()
dock.pages.setCurrentWidget(dock.copy_page)
file_named("Nhận tệp cập nhật", FOLDER / "trả lời.qhz")
dock.copy_page.findChild(QToolButton, "by_file").menu().actions()[1].trigger()
idle(dock)
result["received"], result["after"] = said(), state(dock)["Thửa đất"]
iface.messageBar().clearWidgets()

# the ledger: what a changeset did, the data of then, and taking it back
dock.pages.setCurrentWidget(dock.history_page)
idle(dock)
table = the(QTableWidget, "changesets")
result["ledger"] = [[table.item(row, column).text() for column in (0, 2, 3)] for row in range(table.rowCount())]
row = next(row for row in range(table.rowCount()) if table.item(row, 0).text() == str(NUMBER))
QTest.mouseClick(table.viewport(), LEFT, pos=table.visualItemRect(table.item(row, 3)).center())
idle(dock)  # counted
see("desk_21_history")
before = set(QgsProject.instance().mapLayers())
click(the(QPushButton, "changes")); idle(dock)
click(the(QPushButton, "as_of")); idle(dock)
result["layers"] = sorted([layer.name(), layer.featureCount()] for id, layer in QgsProject.instance().mapLayers().items() if id not in before)
see("desk_22_then")
def yes(box):
    see("desk_23_revert")
    result["asked"] = box.text() + " " + box.informativeText()
    click(box.findChild(QPushButton, "revert_yes"))
in_dialog(QMessageBox, "revert_box", yes)
click(the(QPushButton, "revert"))
idle(dock)
result["reverted"] = said()
result["newest"] = table.item(0, 3).text()
see("desk_24_reverted")

# ten times in and out with the docks open: nothing of ours stays
from qgis.utils import loadPlugin, startPlugin, unloadPlugin
def ours():
    from qgis.PyQt.QtCore import QEvent
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    wait(0.05)
    return [len(window.findChildren(QDockWidget)), len([a for a in window.findChildren(type(iface.actionPan())) if "dùng chung" in a.text()]),
            len(iface.mapCanvas().scene().items()), len([t for t in QApplication.topLevelWidgets() if type(t).__module__.startswith("quyhoach")]),
            iface.messageBar().receivers(iface.messageBar().widgetAdded)]
assert unloadPlugin("quyhoach")
clean = ours()
for _ in range(10):
    assert loadPlugin("quyhoach") and startPlugin("quyhoach")
    dock = open_desk()
    dock.copy_page.open(str(FOLDER / "xã.gpkg"))
    dock.review.open(str(FOLDER / "xã.gpkg"))
    wait(0.05)  # unloaded in the middle of it
    assert unloadPlugin("quyhoach")
result["left"] = [after - before for before, after in zip(clean, ours())]
assert loadPlugin("quyhoach") and startPlugin("quyhoach")
''')
    assert "3 đối tượng" in result["exported"] and "3 đang chờ trả lời" in result["waiting"]
    assert "Đã áp dụng 1 đợt cập nhật" in result["answered"]
    assert "Đã nhận 0" in result["received"] and result["after"] == "không thay đổi"
    assert [str(changed.number), "lan", "Chuyển đất lúa sang cây lâu năm"] in result["ledger"]
    assert [line[2] for line in result["ledger"]][0] == "Đo đạc ngoại nghiệp"
    then, change = result["layers"]
    assert then == [f"Thửa đất (sau đợt {changed.number})", 1466]
    assert change[0] == f"Thửa đất (thay đổi của đợt {changed.number})" and 0 < change[1] < 783
    assert "Chuyển đất lúa" in result["asked"] and "nhật ký giữ cả hai" in result["asked"]
    assert "Đã hoàn tác" in result["reverted"]
    assert result["newest"].startswith(f"Hoàn tác đợt {changed.number}")
    with open_hub(str(place / "dùng chung.gpkg")) as hub:
        kinds = hub.read(hub.dataset("parcel"))["land_code"].tolist()
        noted = hub.read(hub.dataset("parcel"))["note"].tolist()
        before = hub.dataset("parcel"), layer_as_of(hub, hub.dataset("parcel"), changed.number - 1)
    assert sorted(kinds) == sorted(before[1]["land_code"]) and noted.count("Đã đo") == 3
    assert result["left"] == [0, 0, 0, 0, 0]


def test_a_dispute_of_which_nobody_knows_what_was_before(window, place):
    """The hub was restored twice from one backup: what was before is not offered, and the table says why."""
    hub_path, mine = place / "dùng chung.gpkg", place / "đồng nghiệp.gpkg"

    def restored():
        target = place / "phục hồi.gpkg"
        restore(place / "sao lưu.gpkg", str(target)).close()
        target.replace(hub_path)

    back_up(str(hub_path), place / "sao lưu.gpkg")
    restored()
    with WorkingCopy(mine) as copy, open_hub(str(hub_path)) as hub:
        first, second = (row[0] for row in copy.database.execute("SELECT feature_id FROM parcel ORDER BY feature_id LIMIT 2").fetchall())
        copy.database.execute("UPDATE parcel SET address = 'Sau lần một' WHERE feature_id IN (?, ?)", (first, second))
        push(copy, hub, author="lan", message="Địa chỉ")
        pull(copy, hub)
    restored()
    with open_hub(str(hub_path)) as hub, take_home(place, "khác.gpkg") as copy:
        copy.database.execute("UPDATE parcel SET address = 'Của họ' WHERE feature_id = ?", (first,))
        copy.database.execute("DELETE FROM parcel WHERE feature_id = ?", (second,))
        push(copy, hub, author="bình", message="Địa chỉ")
    result = window(hands() + f'''
MINE, BOTH = {str(mine)!r}, {[first, second]!r}
''' + '''
dock = open_desk()
copies = the(QComboBox, "copies")
dock.copy_page.open(MINE)
idle(dock)
click(the(QPushButton, "pull"))
idle(dock)
review = the(QDockWidget, "QuyHoachConflictReviewDock")
tree, fields = the(QTreeWidget, "conflicts_list"), the(QTableWidget, "conflict_fields")
for number, feature in enumerate(BOTH):
    items = [tree.topLevelItem(0).child(at) for at in range(tree.topLevelItem(0).childCount())]
    click_item(tree, next(item for item in items if item.data(0, Qt.ItemDataRole.UserRole).feature_id == feature))
    result[f"what_{number}"], result[f"base_{number}"] = review.what.text(), the(QPushButton, "choose_base").isEnabled()
    result[f"rows_{number}"] = [[fields.item(row, column).text() for column in range(4)] for row in range(fields.rowCount())]
    see(f"desk_20_nobody_knows_{number}")
''')
    assert result["base_0"] is False and result["base_1"] is False
    assert result["rows_0"] == [["Địa chỉ thửa đất", "(không rõ)", "Sau lần một", "Của họ"]]
    assert "đã được phục hồi" in result["what_1"] and all(row[1] == "(không rõ)" for row in result["rows_1"]), result
