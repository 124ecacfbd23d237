"""The plugin as QGIS loads it: in the program with a window, and in qgis_process without one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qgis.core import QgsApplication, QgsProject
from qgis.PyQt.QtCore import QThreadPool

from ..processing_algorithms.common.bundled import offer_bundled_packages, withdraw_bundled_packages
from ..processing_algorithms.common.packages import optional
from ..processing_algorithms.provider import QuyHoachProvider
from .desks import DESKS, Desk

if TYPE_CHECKING:
    from .start import Start

_LET_END_MS = 500


class QuyHoachPlugin:
    """Registers the Processing provider; `initGui` is not called by qgis_process, `initProcessing` is by both."""

    def __init__(self, iface):
        self.iface = iface
        offer_bundled_packages()
        self.provider: QuyHoachProvider | None = None
        self._has_window = False
        self._start: Start | None = None
        #: What a person opens from the toolbar and the menu.
        self._desks: list[Desk] = []

    def initProcessing(self) -> None:  # noqa: N802
        """Add the provider to the registry."""
        self.provider = QuyHoachProvider()
        QgsApplication.processingRegistry().addProvider(self.provider)

    def initGui(self) -> None:  # noqa: N802
        """Set up what is visible, and let every project draw VN-2000 where the algorithms compute it."""
        self.initProcessing()
        self.iface.newProjectCreated.connect(self._pin_shift)
        QgsProject.instance().readProject.connect(self._pin_shift)
        self._has_window = True
        self._pin_shift()
        from .start import Start  # qgis_process, without a window, does without

        self._start = Start(self.iface)
        self._desks = [Desk(self.iface, *of) for of in DESKS]
        self._start.take([desk.action for desk in self._desks])

    def _pin_shift(self, *_: object) -> None:
        if optional("pyproj") is None:
            return
        from ..processing_algorithms.common.qgis_crs import pin_project

        project = QgsProject.instance()
        was_dirty = project.isDirty()
        pin_project(project)
        # Opening QGIS is no change a person has to save.
        project.setDirty(was_dirty)

    def unload(self) -> None:
        """Leave nothing behind."""
        for desk in self._desks:
            desk.remove()
        self._desks = []
        if self._start is not None:
            self._start.close()
            self._start = None
        if self._has_window:
            self.iface.newProjectCreated.disconnect(self._pin_shift)
            QgsProject.instance().readProject.disconnect(self._pin_shift)
        if self.provider is not None:
            QgsApplication.processingRegistry().removeProvider(self.provider)
            self.provider = None
        if self._has_window:
            # QGIS fetches its news in a thread of the pool, which opens the authentication store there; when that thread ends it
            # lets go of the store. QGIS 3.40 takes the store away before the pool: a thread that our work has kept alive until
            # then ends in "QGIS died on signal 11". Idle threads end here; busy ones are given a moment.
            QThreadPool.globalInstance().waitForDone(_LET_END_MS)
            self._has_window = False
        withdraw_bundled_packages()
