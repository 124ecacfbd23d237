"""The first start as a new user meets it: dialog, sample town, three things to try, help; and nothing left when unloaded."""


def test_first_start_sample_and_help(window, tmp_path):
    result = window('''
from qgis.PyQt.QtWidgets import QDialog, QPushButton, QToolBar, QAction
from qgis.core import QgsProject, QgsSettings
from quyhoach.plugin import start_dialog
dialog = iface.mainWindow().findChild(QDialog, "quyhoach_start")
assert dialog is not None and dialog.isVisible()
picture("start_dialog", dialog)
result["bad"] = [check.told for check in start_dialog.readiness(QgsProject.instance()) if not check.good]
import time
began = time.process_time()
dialog.sample_button.click()
result["sample_seconds"] = time.process_time() - began
layers = list(QgsProject.instance().mapLayers().values())
result["layers"] = len(layers)
result["invalid"] = [layer.name() for layer in layers if not layer.isValid()]
result["groups"] = [group.name() for group in QgsProject.instance().layerTreeRoot().children()[0].children()]
dialog.hide()
wait(1)
picture("start_sample")
opened = []
start_dialog.QDesktopServices.openUrl = opened.append
iface.mainWindow().findChild(QAction, "quyhoach_help").trigger()
page = Path(opened[0].toLocalFile())
text = page.read_text("utf-8")
import re
links = re.findall('(?:href|src)="(file://[^"]+)"', text)
from qgis.PyQt.QtCore import QUrl
result["broken"] = [link for link in links if not Path(QUrl(link).toLocalFile()).exists()]
result["bare"] = re.findall('href="([a-z]+)"', text)
result["links"] = len(links)
import processing
from qgis.core import QgsProcessingContext
for identity in ("parcelzoning", "floodreport", "landusechangematrix"):
    algorithm = QgsApplication.processingRegistry().createAlgorithmById("quyhoach:" + identity)
    given = start_dialog.sample_parameters(identity)
    assert set(given) <= {p.name() for p in algorithm.parameterDefinitions()}, identity
    filled = {**{p.name(): "TEMPORARY_OUTPUT" for p in algorithm.parameterDefinitions() if p.isDestination()}, **given}
    assert algorithm.checkParameterValues(filled, QgsProcessingContext())[0], identity
    before = set(map(id, QgsApplication.topLevelWidgets()))
    dialog.tries[identity].click()
    wait(0.2)
    (shown,) = [w for w in QgsApplication.topLevelWidgets() if w.isVisible() and w.inherits("QgsProcessingAlgorithmDialogBase")]
    picture("try_" + identity, shown)
    shown.close()
    wait(0.3)
result["shown_again"] = QgsSettings().value("quyhoach/show_start", True, bool)
result["shortcuts"] = sorted(iface.mainWindow().findChild(QAction, "quyhoach_" + key).shortcut().toString() for key in ("start", "openlayers", "help"))
from qgis.utils import unloadPlugin
assert unloadPlugin("quyhoach")
wait(0.3)
result["left"] = [a.objectName() for a in iface.mainWindow().findChildren(QAction) if a.objectName().startswith("quyhoach")]
result["bars"] = [b.objectName() for b in iface.mainWindow().findChildren(QToolBar) if b.objectName().startswith("QuyHoach")]
''')
    assert result["bad"] == [] and result["invalid"] == [] and result["layers"] == 24
    assert {"Phòng, chống thiên tai", "Quy hoạch đô thị và nông thôn", "Sử dụng đất"} <= set(result["groups"])
    assert result["broken"] == [] and result["bare"] == [] and result["links"] > 50
    assert result["shown_again"] is False and len(set(result["shortcuts"])) == 3 and all(result["shortcuts"])
    assert result["left"] == [] and result["bars"] == []
    assert result["sample_seconds"] < 20
