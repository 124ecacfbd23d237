"""The way in: toolbar and menu entries for the start dialog, opening layers and help; the dialog on the first start."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import processing
from qgis.core import QgsSettings
from qgis.gui import QgisInterface
from qgis.PyQt.QtCore import QTimer
from qgis.PyQt.QtGui import QAction, QIcon
from qgis.PyQt.QtWidgets import QMenu, QToolBar

from ..processing_algorithms.common.language import say

_ICONS = Path(__file__).parent / "icons"
MENU = "QuyHoạch"
_SHOW = "quyhoach/show_start"


class Start:
    """Lives from `initGui` to `unload`."""

    def __init__(self, iface: QgisInterface):
        self._iface = iface
        self._dialog = None
        self._actions: list[QAction] = []
        self._bar: QToolBar = iface.addToolBar(MENU)
        self._bar.setObjectName("QuyHoachStartToolBar")
        self._add("start", say("Bắt đầu", "Start"), say("Kiểm tra máy, mở đô thị mẫu, ba việc nên thử.",
                                                        "Check this machine, open the sample town, three things to try."), "Ctrl+Alt+0", self.show)
        self._add("openlayers", say("Mở lớp dữ liệu…", "Open data layers…"),
                  say("Mở lớp với ký hiệu, nhãn và biểu nhập theo quy định.", "Open layers with official symbols, labels and forms."), "Ctrl+Alt+9",
                  lambda: processing.execAlgorithmDialog("quyhoach:openlayers"))
        self._add(
            "help",
            say("Hướng dẫn", "Help"),
            say("Hướng dẫn từng bước và mọi thuật toán.", "Step by step, and every algorithm."),
            "Ctrl+Alt+8",
            self._help,
        )
        if QgsSettings().value(_SHOW, True, bool):
            # At start QGIS is not ready for a dialog yet; enabled by hand later it is.
            QTimer.singleShot(0, self.show)

    def _add(self, key: str, title: str, tip: str, shortcut: str, do: Callable[[], object]) -> None:
        action = QAction(QIcon(str(_ICONS / f"{key}.svg")), title, self._iface.mainWindow())
        action.setObjectName(f"quyhoach_{key}")
        action.setToolTip(f"<b>{title}</b> ({shortcut})<br>{tip}")
        action.setStatusTip(tip)
        action.triggered.connect(lambda _=False: do())
        self._bar.addAction(action)
        self._iface.addPluginToMenu(MENU, action)
        self._iface.registerMainWindowAction(action, shortcut)
        self._actions.append(action)

    def take(self, actions: list[QAction]) -> None:
        """Put the desks on the same toolbar, after the start button."""
        following = self._bar.actions()[1] if len(self._bar.actions()) > 1 else None
        for action in actions:
            self._iface.removeToolBarIcon(action)
            self._bar.insertAction(following, action)

    def show(self) -> None:
        """Show the start dialog."""
        if not self._actions:
            return  # unloaded meanwhile
        from .start_dialog import StartDialog

        if self._dialog is None:
            self._dialog = StartDialog(self._iface, QgsSettings().value(_SHOW, True, bool))
            self._dialog.again.toggled.connect(lambda wanted: QgsSettings().setValue(_SHOW, wanted))
            # Shown once by itself; whoever wants it every time says so.
            self._dialog.again.setChecked(False)
        self._dialog.show()

    def _help(self) -> None:
        from .start_dialog import open_help

        open_help()

    def close(self) -> None:
        """Take everything away."""
        actions, self._actions = self._actions, []
        for action in actions:
            self._iface.unregisterMainWindowAction(action)
            self._iface.removePluginMenu(MENU, action)
            action.setParent(None)
            action.deleteLater()
        if self._dialog is not None:
            self._dialog.setParent(None)
            self._dialog.deleteLater()
            self._dialog = None
        for menu in self._iface.mainWindow().findChildren(QMenu):
            # QGIS takes an empty submenu of plugins out of its menu and forgets it.
            if menu.title() == MENU and not menu.actions():
                menu.setParent(None)
                menu.deleteLater()
        self._iface.mainWindow().removeToolBar(self._bar)
        self._bar.setParent(None)
        self._bar.deleteLater()
