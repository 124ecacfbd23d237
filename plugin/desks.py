"""The desks of the plugin: each a dock with an action in the menu and on the toolbar, made when it is first opened."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from qgis.core import Qgis
from qgis.gui import QgisInterface, QgsDockWidget
from qgis.PyQt.QtCore import Qt
from qgis.PyQt.QtGui import QAction, QIcon

from ..processing_algorithms.common.errors import MissingPackageError
from ..processing_algorithms.common.language import say
from ..processing_algorithms.common.packages import require

_ICONS = Path(__file__).parent / "icons"
MENU = "QuyHoạch"


def _database(iface: QgisInterface) -> QgsDockWidget:
    require("geopandas", "shapely", "pandas", "numpy", "pyproj")
    from .database_dock import DatabaseDock

    return DatabaseDock(iface)


def _parcel(iface: QgisInterface) -> QgsDockWidget:
    require("geopandas", "shapely", "pandas", "numpy", "pyproj")
    from .parcel_dock import ParcelDock

    return ParcelDock(iface)


def _flood(iface: QgisInterface) -> QgsDockWidget:
    require("geopandas", "shapely", "pandas", "numpy", "pyproj", "scipy")
    from .flood_dock import FloodDock

    return FloodDock(iface)


#: What opens a desk, what it is called (a pair, spoken when it is shown), its icon, its shortcut. A dock has ``close_down()``.
DESKS: tuple[tuple[Callable[[QgisInterface], QgsDockWidget], tuple[str, str], str, str], ...] = (
    (_database, ("Cơ sở dữ liệu dùng chung", "Shared database"), "provincial_database.svg", "Ctrl+Alt+1"),
    (_parcel, ("Tra cứu thửa đất", "Parcel lookup"), "parcel_lookup.svg", "Ctrl+Alt+2"),
    (_flood, ("Trực ban ngập lụt", "Flood desk"), "flood_desk.svg", "Ctrl+Alt+3"),
)


class Desk:
    """The action of one desk, and its dock once it was opened."""

    def __init__(
        self,
        iface: QgisInterface,
        make: Callable[[QgisInterface], QgsDockWidget],
        title: tuple[str, str],
        icon: str,
        shortcut: str,
    ):
        self._iface, self._make = iface, make
        self.dock: QgsDockWidget | None = None
        self.action = QAction(QIcon(str(_ICONS / icon)), say(*title), iface.mainWindow())
        self.action.setCheckable(True)
        # Known to the program's own list of shortcuts, where a person may change it.
        self.action.setObjectName(f"QuyHoach{Path(icon).stem.title().replace('_', '')}")
        self.action.setToolTip(f"{self.action.text()} ({shortcut})")
        self.action.triggered.connect(self._toggle)
        iface.registerMainWindowAction(self.action, shortcut)
        iface.addToolBarIcon(self.action)
        iface.addPluginToMenu(MENU, self.action)

    def _toggle(self, wanted: bool) -> None:
        if self.dock is None:
            try:
                self.dock = self._make(self._iface)
            except MissingPackageError as error:
                self.action.setChecked(False)
                self._iface.messageBar().pushMessage(self.action.text(), str(error), Qgis.MessageLevel.Critical, 0)
                return
            self._iface.addDockWidget(Qt.DockWidgetArea.RightDockWidgetArea, self.dock)
            self.dock.visibilityChanged.connect(
                lambda _: self.action.setChecked(self.dock is not None and self.dock.isUserVisible())
            )
        self.dock.setUserVisible(wanted)

    def remove(self) -> None:
        """Take action and dock out of the window."""
        self.action.triggered.disconnect(self._toggle)
        if self.dock is not None:
            dock, self.dock = self.dock, None
            dock.close_down()
        self._iface.unregisterMainWindowAction(self.action)
        self._iface.removePluginMenu(MENU, self.action)
        self._iface.removeToolBarIcon(self.action)
        self.action.setParent(None)
        self.action.deleteLater()
