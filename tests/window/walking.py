"""Hands and eyes of the walks: clicking, typing, waiting, looking; text to be put before what a QGIS runs (see `conftest`)."""

HANDS = '''
import os, time
from qgis.PyQt.QtTest import QTest
from qgis.PyQt.QtCore import QEvent, QItemSelectionModel, QPoint, Qt, QTimer
from qgis.PyQt.QtGui import QAction, QKeyEvent
from qgis.PyQt.QtWidgets import (QApplication, QCheckBox, QComboBox, QDialog, QDialogButtonBox, QDockWidget, QFileDialog, QLabel, QLineEdit, QListWidget,
                                 QMessageBox, QPlainTextEdit, QPushButton, QTableWidget, QTabWidget, QTextBrowser, QToolButton, QTreeView, QTreeWidget, QWidget)
from qgis.core import QgsProject, QgsPointXY, QgsMapLayer
LEFT, RIGHT, PLAIN = Qt.MouseButton.LeftButton, Qt.MouseButton.RightButton, Qt.KeyboardModifier.NoModifier
window, canvas, project = iface.mainWindow(), iface.mapCanvas(), QgsProject.instance()
problems = []

def until(ready, seconds=90):
    end = time.monotonic() + seconds
    while not ready():
        assert time.monotonic() < end, "waited too long; the bar says: " + said()
        wait(0.05)

def said():
    current = iface.messageBar().currentItem()
    return current.text() if current else ""

def see(name):
    """The whole screen, as the person sees it."""
    wait(0.4)
    target = Path(ARTEFACTS) / f"{name}.png"
    target.parent.mkdir(parents=True, exist_ok=True)
    assert window.screen().grabWindow(0).save(str(target))

def child(kind, name, parent=None):
    found = (parent or window).findChild(kind, name)
    assert found is not None, name
    return found

def click(widget):
    assert widget.isEnabled() and widget.isVisible(), (widget.objectName() or widget.text()) + " cannot be clicked"
    QTest.mouseClick(widget, LEFT)

def press(name, parent=None):
    click(child(QPushButton, name, parent))

def button(text, parent=None):
    """The button that says so."""
    found = [b for b in (parent or window).findChildren((QPushButton, QToolButton)) if b.isVisible() and text in (b.text().replace("&", ""), b.toolTip())]
    assert found, text
    return found[0]

def write(widget, text):
    """QTest types ASCII only."""
    widget.setFocus()
    for letter in text:
        for kind in (QEvent.Type.KeyPress, QEvent.Type.KeyRelease):
            QApplication.sendEvent(widget, QKeyEvent(kind, 0, PLAIN, letter))

def rewrite(widget, text):
    widget.selectAll()
    write(widget, text)

def on_map(x, y):
    at = canvas.getCoordinateTransform().transform(QgsPointXY(x, y))
    return QPoint(int(at.x()), int(at.y()))

def click_map(x, y, with_button=LEFT):
    QTest.mouseClick(canvas.viewport(), with_button, PLAIN, on_map(x, y))
    wait(0.05)

def tool(text):
    """Click a button of QuyHoach's toolbar."""
    from qgis.PyQt.QtWidgets import QToolBar
    bar = child(QToolBar, "QuyHoachStartToolBar")
    found = [b for b in bar.findChildren(QToolButton) if b.defaultAction() and b.defaultAction().text() == text]
    assert found, text
    click(found[0])
    wait(0.5)

def in_dialog(kind, name, act):
    """Wait for a dialog that the next click opens, known by its name or title, and act in it."""
    end = time.monotonic() + 30
    def look():
        dialog = next((w for w in QApplication.topLevelWidgets() if isinstance(w, kind) and w.isVisible() and (name == w.objectName() or name in w.windowTitle())), None)
        if dialog is None:
            if time.monotonic() < end:
                return QTimer.singleShot(100, look)
            seen = [w for w in QApplication.topLevelWidgets() if isinstance(w, QDialog) and w.isVisible()]
            problems.append(f"{name} did not come; there are {[w.windowTitle() for w in seen]}")
            for other in seen:
                other.close()
            return
        try:
            act(dialog)
        except BaseException:
            problems.append(traceback.format_exc())
            dialog.close()
    QTimer.singleShot(200, look)

def file_named(title, path):
    """Choose a file in the dialog that the next click opens."""
    def act(dialog):
        dialog.findChild(QLineEdit, "fileNameEdit").setText(str(path))  # as pasted: what is typed opens a list that takes the next key
        box = dialog.findChild(QDialogButtonBox)
        click(next(b for b in box.buttons() if box.buttonRole(b) == QDialogButtonBox.ButtonRole.AcceptRole))
    in_dialog(QFileDialog, title, act)

def fine():
    assert not problems, problems[0]

def layer_named(name):
    found = [one for one in project.mapLayers().values() if one.name() == name]
    assert found, (name, sorted(one.name() for one in project.mapLayers().values()))
    return found[0]

def toolbox(words, title, act):
    """Open an algorithm as a person does: type words into the toolbox, double click what is found; act in its dialog, which is then closed."""
    from qgis.gui import QgsFilterLineEdit
    from qgis.PyQt.QtCore import QModelIndex
    dock = child(QDockWidget, "ProcessingToolbox")
    dock.setVisible(True)
    search, tree = dock.findChild(QgsFilterLineEdit), dock.findChild(QTreeView)
    search.clear()
    write(search, words)
    wait(0.8)
    def found(parent, model):
        for row in range(model.rowCount(parent)):
            index = model.index(row, 0, parent)
            if index.data() == title:
                return index
            below = found(index, model)
            if below is not None:
                return below
    index = found(QModelIndex(), tree.model())
    assert index is not None, title
    tree.scrollTo(index)
    wait(0.2)
    spot = tree.visualRect(index).center()
    def inside(dialog):
        wait(0.3)
        act(dialog)
        dialog.close()
    in_dialog(QDialog, title, inside)
    QTest.mouseClick(tree.viewport(), LEFT, PLAIN, spot)
    QTest.mouseDClick(tree.viewport(), LEFT, PLAIN, spot)  # comes back when the dialog is closed
    wait(0.3)
    dock.setVisible(False)
    fine()

def run_dialog(dialog):
    """Press the dialog's own button, wait for the end, return the results."""
    click(dialog.runButton())
    wait(0.2)
    until(lambda: dialog.wasExecuted() and not dialog.cancelButton().isEnabled())
    return dialog.results()

def control(dialog, key):
    """The widget of a parameter."""
    return dialog.mainWidget().wrappers[key].wrappedWidget()

def typed_in(dialog, key):
    """The line a parameter is typed into."""
    widget = control(dialog, key)
    return widget if isinstance(widget, (QLineEdit, QPlainTextEdit)) else widget.findChild(QLineEdit)

window.showNormal(); window.setGeometry(window.screen().geometry())
'''


def hands(artefacts):
    """Return the text, with the folder its pictures go to."""
    return f"ARTEFACTS = {str(artefacts)!r}\n" + HANDS
