"""Names that Qt 6 took away: enums are written with their class, and nothing that is gone is called.

Asked of the real classes: ``Qt.AlignLeft`` is an unscoped enum because its type is a class inside ``Qt``.
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
GONE = {"exec_", "print_", "QRegExp", "QRegExpValidator", "QDesktopWidget", "QTextCodec", "QStringRef", "MidButton", "desktop", "QSignalMapper", "toAscii"}


def unscoped(text):
    """Yield ``Class.member`` of enums written without the enum's own name, and names that are gone."""
    tree = ast.parse(text)
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
