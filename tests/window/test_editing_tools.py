"""QGIS's own tools, used by hand on a working copy and on the server's table: split, copy and paste, duplicate, merge."""

import pyproj
from desk_hands import WARD, hands
from quyhoach.processing_algorithms.provincial_database.administration.administration import check_hub
from quyhoach.processing_algorithms.provincial_database.findings import State
from quyhoach.processing_algorithms.provincial_database.interface import Scope, WorkingCopy, checkout, push
from quyhoach.processing_algorithms.provincial_database.merge import same_row
from quyhoach.processing_algorithms.provincial_database.working_copies.pull import pull

#: Every tool is the one a person chooses in QGIS's menus and toolbars; lines are drawn by clicks on the map.
TOOLS = '''
from qgis.PyQt.QtGui import QAction
from qgis.core import QgsCoordinateReferenceSystem, QgsDataSourceUri, QgsVectorLayer
from qgis.gui import QgsGui, QgsMapLayerActionContext
QgsProject.instance().setCrs(QgsCoordinateReferenceSystem("EPSG:9214"))
canvas = iface.mapCanvas()

def tool(name):
    the(QAction, name).trigger()
    wait(0.2)

def on_map(x, y, button=LEFT):
    spot = canvas.getCoordinateTransform().transform(QgsPointXY(x, y))
    QTest.mouseMove(canvas.viewport(), QPoint(int(spot.x()), int(spot.y())))
    QTest.mouseClick(canvas.viewport(), button, pos=QPoint(int(spot.x()), int(spot.y())))
    wait(0.1)

def identity(feature):
    return feature["feature_id"].strip("{}")  # QGIS writes the server's in braces

def save(layer):
    assert layer.commitChanges(False), layer.commitErrors()
    assert not problems, problems[0]

def work(layer, name):
    """The five things people do; how many features there were after each."""
    assert layer.isValid(), layer.error().message()
    QgsProject.instance().addMapLayer(layer)
    iface.setActiveLayer(layer)
    a, b = (next(f for f in layer.getFeatures() if identity(f) == id) for id in CHOSEN)
    counts, box = [layer.featureCount()], a.geometry().boundingBox()
    tool("mActionToggleEditing")
    assert layer.isEditable()

    layer.selectByIds([a.id()])
    canvas.setExtent(box.buffered(box.width())); canvas.refresh(); wait(0.5)
    tool("mActionSplitFeatures")
    middle = box.center()
    on_map(middle.x(), box.yMaximum() + box.height() / 3)
    on_map(middle.x(), box.yMinimum() - box.height() / 3)
    on_map(middle.x(), box.yMinimum() - box.height() / 3, Qt.MouseButton.RightButton)
    save(layer)
    counts.append(layer.featureCount())

    layer.selectByIds([b.id()])
    tool("mActionCopyFeatures")
    tool("mActionPasteFeatures")
    save(layer)
    counts.append(layer.featureCount())

    layer.selectByIds([b.id()])
    duplicate, _ = sorted(QgsGui.mapLayerActionRegistry().mapLayerActions(layer), key=lambda action: len(action.text()))  # _: and digitise
    duplicate.triggerForFeature(layer, next(layer.getSelectedFeatures()), QgsMapLayerActionContext())
    wait(0.3)
    save(layer)
    counts.append(layer.featureCount())

    halves = [f for f in layer.getFeatures() if all(f[key] == a[key] for key in ("old_commune_code", "sheet_no", "parcel_no"))]
    result[name + "_halves"] = [identity(f) for f in halves]
    layer.selectByIds([f.id() for f in halves])
    def merge(dialog):
        see("editing_merge_" + name)
        box = dialog.findChild(QDialogButtonBox)
        click(box.button(QDialogButtonBox.StandardButton.Ok))
    in_dialog(QDialog, "QgsMergeAttributesDialogBase", merge)
    tool("mActionMergeFeatures")
    wait(0.5)
    save(layer)
    counts.append(layer.featureCount())
    tool("mActionToggleEditing")
    assert not layer.isEditable()
    see("editing_" + name)
    result[name + "_messages"] = [item.text() for item in iface.messageBar().items() if hasattr(item, "text")]
    iface.messageBar().clearWidgets()
    QgsProject.instance().removeMapLayer(layer.id())
    return counts
'''


def test_split_paste_duplicate_and_merge_by_hand(window, tmp_path, server, hub_on_server):
    hub = hub_on_server
    parcel, scopes = hub.dataset("parcel"), [Scope("parcel", frozenset({WARD}))]

    def home(name):
        return checkout(tmp_path / name, hub, location="x", crs=pyproj.CRS(9214), datasets=[parcel], scopes=scopes)

    def rows():
        return hub.read(parcel).query("commune_code == @WARD")

    home("việc của tôi.gpkg").close()
    before = rows()
    # Two pairs of parcels well inside the ward: one to work on at home, one at the server.
    chosen = before[before.area.between(300, 2000)].sort_values("feature_id")["feature_id"].tolist()[:4]
    result = window(hands() + TOOLS + f'''
MINE = {str(tmp_path / "việc của tôi.gpkg")!r}
SERVER = QgsDataSourceUri()
SERVER.setConnection({str(server.folder)!r}, "{server.port}", "{hub.connection.info.dbname}", "postgres", "")
SERVER.setDataSource("quyhoach_data", "parcel", "geom", "", "fid")
CHOSEN = {chosen[:2]!r}
result["at_home"] = work(QgsVectorLayer(MINE + "|layername=parcel", "Thửa đất", "ogr"), "at_home")
CHOSEN = {chosen[2:]!r}
result["at_the_server"] = work(QgsVectorLayer(SERVER.uri(False), "Thửa đất", "postgres"), "at_the_server")
''', timeout=120)
    for place, (a, b) in {"at_home": chosen[:2], "at_the_server": chosen[2:]}.items():
        start, *counts = result[place]
        assert [count - start for count in counts] == [1, 2, 3, 2], place
        assert a in result[f"{place}_halves"] and len(set(result[f"{place}_halves"])) == 2

    with WorkingCopy(tmp_path / "việc của tôi.gpkg") as mine, home("đồng nghiệp.gpkg") as colleague:
        edits = {change.feature_id: change for change in mine.edits(parcel)}
        new = [change for change in edits.values() if change.before is None]
        assert {change.parent_id for change in new} <= {chosen[0], chosen[1]} and len(new) in (2, 3)
        assert edits.keys() - {change.feature_id for change in new} <= {chosen[0]}, "others are untouched"
        assert pull(mine, hub).conflicts == 0
        assert push(mine, hub, author="ân", message="Tách, dán, nhân đôi và hợp thửa").outcome.name == "APPLIED"
        pull(colleague, hub)
        there = {row["feature_id"]: row for row in rows().to_dict("records")}
        assert len(there) == len(before) + 4
        assert {name: same_row(mine.row(parcel, name), colleague.row(parcel, name)) for name in there} == dict.fromkeys(there, True)
        # QGIS lets one of the halves go on as the merged parcel, or deletes both and draws a new one.
        old = before.set_index("feature_id").geometry
        for feature_id in set(old.index) - {chosen[0], chosen[2]}:
            assert there[feature_id]["geometry"].equals_exact(old[feature_id], 0.001)
        drawn = [row["geometry"] for name, row in there.items() if name not in set(old.index) - set(chosen)]
        for merged, copied in (chosen[:2], chosen[2:]):
            assert sum(shape.symmetric_difference(old[merged]).area < 0.01 for shape in drawn) == 1
            assert sum(shape.equals_exact(old[copied], 0.001, normalize=True) for shape in drawn) == 3
    assert not [finding for finding in check_hub(hub) if finding.state is State.BROKEN]
