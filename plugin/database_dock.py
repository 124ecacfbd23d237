"""The dock "Cơ sở dữ liệu dùng chung": three pages, and below them the work under way with its stop button."""

from __future__ import annotations

from qgis.gui import QgisInterface, QgsDockWidget
from qgis.PyQt.QtCore import Qt
from qgis.PyQt.QtWidgets import QHBoxLayout, QLabel, QProgressBar, QPushButton, QTabWidget, QVBoxLayout, QWidget

from ..processing_algorithms.common.language import say
from .conflict_review_dock import ConflictReviewDock
from .database_history_page import HistoryPage
from .database_hub_page import HubPage
from .database_session import Session
from .working_copy_page import WorkingCopyPage

#: Pixels: the state of a layer fits on a line.
_WIDTH = 430


class DatabaseDock(QgsDockWidget):
    """What a person does with the shared database, day by day. `close_down` before it goes."""

    def __init__(self, iface: QgisInterface):
        super().__init__(say("Cơ sở dữ liệu dùng chung", "Shared database"), iface.mainWindow())
        self.setObjectName("QuyHoachDatabaseDock")
        self.setAllowedAreas(Qt.DockWidgetArea.LeftDockWidgetArea | Qt.DockWidgetArea.RightDockWidgetArea)
        self._iface = iface
        self.session = Session(iface)
        self.review = ConflictReviewDock(self.session, beside=self)
        self._wide = False
        self.hub_page, self.copy_page = HubPage(self.session), WorkingCopyPage(self.session, self.review)
        self.history_page = HistoryPage(self.session)
        self.pages = QTabWidget()
        self.pages.addTab(self.copy_page, say("Dữ liệu làm việc", "Working copy"))
        self.pages.addTab(self.hub_page, say("Dữ liệu dùng chung", "Shared data"))
        self.pages.addTab(self.history_page, say("Nhật ký chỉnh sửa", "History"))
        self.pages.currentChanged.connect(self._turned)
        self.hub_page.checked_out.connect(self._checked_out)
        inside = QWidget()
        layout = QVBoxLayout(inside)
        layout.addWidget(self.pages)
        layout.addLayout(self._foot())
        self.setWidget(inside)
        self.session.desk.changed.connect(self._show_work)
        self._show_work()
        self.visibilityChanged.connect(self._seen)

    def _foot(self) -> QHBoxLayout:
        self._step, self._bar = QLabel(), QProgressBar()
        self._step.setTextFormat(Qt.TextFormat.PlainText)
        self._bar.setMaximumWidth(140)
        self._stop = QPushButton(say("Dừng", "Stop"))
        self._stop.setObjectName("stop")
        self._stop.clicked.connect(self.session.desk.stop)
        row = QHBoxLayout()
        row.addWidget(self._step, 1)
        row.addWidget(self._bar)
        row.addWidget(self._stop)
        return row

    def _show_work(self) -> None:
        desk = self.session.desk
        for widget in (self._step, self._bar, self._stop):
            widget.setVisible(desk.busy)
        for page in (self.hub_page, self.copy_page, self.history_page, self.review):
            page.set_busy(desk.busy)
        if desk.busy:
            done = int(desk.current.per_cent)
            # Work that cannot tell how far it is shows that it moves.
            self._bar.setRange(0, 100 if done else 0)
            self._bar.setValue(done)
            self._step.setText(desk.step)

    def _seen(self, visible: bool) -> None:
        self.copy_page.watch(visible)
        self.hub_page.watch(visible and self.pages.currentWidget() is self.hub_page)
        if visible:
            if not self._wide:
                self._wide = True
                self._iface.mainWindow().resizeDocks([self], [_WIDTH], Qt.Orientation.Horizontal)
            self.hub_page.open_at_start()

    def _checked_out(self, to_map: bool) -> None:
        self.pages.setCurrentWidget(self.copy_page)
        if to_map:
            self.copy_page.add_layers_when_read()

    def _turned(self, _: int) -> None:
        self.hub_page.watch(self.pages.currentWidget() is self.hub_page)
        if self.pages.currentWidget() is self.history_page:
            self.history_page.read_if_old()

    def close_down(self) -> None:
        """Stop all work and take both docks out of the window."""
        self.copy_page.watch(False)
        self.hub_page.watch(False)
        self.hub_page.close_down()
        self.session.desk.close()
        self.review.close_down()
        for dock in (self.review, self):
            self._iface.removeDockWidget(dock)
            dock.setParent(None)
            dock.deleteLater()
