"""Names that Qt 6 took away: enums are written with their class, and nothing that is gone is called or imported.

Asked of the real classes: ``Qt.AlignLeft`` is an unscoped enum because its type is a class inside ``Qt``. The rest is what QGIS's
own script for the change (pyqt5_to_pyqt6) looks for.
"""

import ast
import enum
import importlib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FILES = [path for folder in ("plugin", "processing_algorithms") for path in sorted((ROOT / folder).rglob("*.py"))
         if "qgis" in path.read_text("utf-8")]
#: Methods and classes without a successor of the same name.
GONE = {"exec_", "print_", "QRegExp", "QRegExpValidator", "QDesktopWidget", "QTextCodec", "QStringRef", "MidButton", "desktop", "QSignalMapper", "toAscii", "qApp",
        "QMatrix", "QGLWidget", "QLinkedList", "setResizeMode", "setTabStopWidth", "globalPos", "posF", "getOpenFileNameAndFilter", "getSaveFileNameAndFilter",
        "setCodec", "HighQualityAntialiasing", "TextColorRole", "BackgroundColorRole", "resources_rc", "qrand", "PYQT_CONFIGURATION"}
#: Moved from QtWidgets to QtGui.
MOVED = {"QAction", "QActionGroup", "QShortcut", "QFileSystemModel", "QUndoCommand", "QUndoGroup", "QUndoStack"}


def other_changes(tree):
    """Yield what is called or imported in a way of Qt 5 only."""
    for node in ast.walk(tree):
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            modules = [node.module or ""] if isinstance(node, ast.ImportFrom) else [alias.name for alias in node.names]
            yield from (f"{module}: by qgis.PyQt" for module in modules if module.split(".")[0] in ("PyQt5", "PyQt6", "PySide2", "PySide6", "sip"))
            if modules == ["qgis.PyQt.QtWidgets"]:
                yield from (f"{alias.name} is in QtGui" for alias in node.names if alias.name in MOVED)
            if modules == ["qgis.PyQt.Qt"]:
                yield "qgis.PyQt.Qt"
        if isinstance(node, ast.Call):
            called = node.func.attr if isinstance(node.func, ast.Attribute) else node.func.id if isinstance(node.func, ast.Name) else ""
            if called == "QVariant":
                yield "QVariant(): NULL"
            if called == "addAction" and len(node.args) >= 4:
                yield "addAction of many arguments"
            if called == "QDateTime" and len(node.args) == 8:
                yield "QDateTime of 8 arguments"
            if called == "width" and isinstance(node.func.value, ast.Call) and getattr(node.func.value.func, "attr", getattr(node.func.value.func, "id", "")) in ("fontMetrics", "QFontMetrics", "QFontMetricsF"):
                yield "width of font metrics: horizontalAdvance"
            if called == "int" and node.args and isinstance(node.args[0], ast.Attribute) and ast.unparse(node.args[0]).startswith("Q"):
                yield f"int({ast.unparse(node.args[0])})"
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "QVariant":
            yield f"QVariant.{node.attr}: QMetaType.Type"
        if isinstance(node, ast.Subscript) and isinstance(node.value, ast.Attribute) and node.value.attr in ("activated", "currentIndexChanged", "highlighted", "textActivated"):
            yield f"{node.value.attr}[...]"


def unscoped(text):
    """Yield ``Class.member`` of enums written without the enum's own name, and names that are gone."""
    tree = ast.parse(text)
    yield from other_changes(tree)
    classes = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.level == 0 and (node.module or "").startswith("qgis."):
            module = importlib.import_module(node.module)
            for alias in node.names:
                classes[alias.asname or alias.name] = getattr(module, alias.name, None)
                if alias.name in GONE:
                    yield alias.name
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            if node.attr in GONE:
                yield node.attr
            owner = classes.get(node.value.id) if isinstance(node.value, ast.Name) else None
            value = getattr(owner, node.attr, None) if isinstance(owner, type) else None
            kind = type(value)
            if isinstance(value,
                          (int, enum.Enum)) and kind not in (int, bool) and getattr(owner, kind.__name__, None) is kind:
                yield f"{node.value.id}.{node.attr} is {node.value.id}.{kind.__name__}.{node.attr}"


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_only_names_that_qt6_knows(path):
    assert list(unscoped(path.read_text("utf-8"))) == []


def test_the_check_sees_them():
    text = "from qgis.PyQt.QtCore import Qt, QRegExp\nfrom qgis.core import QgsWkbTypes\nx = Qt.AlignLeft, Qt.AlignmentFlag.AlignLeft, QgsWkbTypes.LineGeometry\ny.exec_()\n"
    found = list(unscoped(text))
    assert "Qt.AlignLeft is Qt.AlignmentFlag.AlignLeft" in found and {"QRegExp", "exec_"} <= set(found) and len(found) == 4


@pytest.mark.parametrize("text", [
    "from PyQt5.QtCore import Qt", "import sip", "from qgis.PyQt.QtWidgets import QAction", "from qgis.PyQt.QtWidgets import QLabel, QShortcut", "QVariant()", "QVariant.Int",
    "menu.addAction(icon, text, slot, key)", "QDateTime(2026, 1, 1, 0, 0, 0, 0, 0)", "widget.fontMetrics().width(text)", "int(Qt.AlignmentFlag.AlignLeft)",
    "box.currentIndexChanged[str].connect(f)", "event.globalPos()", "from qgis.PyQt.QtWidgets import qApp\nqApp.x", "table.horizontalHeader().setResizeMode(1)"])
def test_the_check_sees_what_is_qt5_only(text):
    assert list(unscoped(text))


@pytest.mark.parametrize("text", ["from qgis.PyQt.QtGui import QAction", "menu.addAction(text, slot)", "QDateTime(date, time)", "layer.willBeDeleted[str].connect(f)", "int(QUANTITY)"])
def test_the_check_lets_pass_what_both_know(text):
    assert list(unscoped(text)) == []
