"""The page of the hub: which one, what it holds and what one may do with it, and taking data home."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from qgis.PyQt.QtCore import Qt, pyqtSignal
from qgis.PyQt.QtGui import QPalette
from qgis.PyQt.QtWidgets import (
    QComboBox,
    QFileDialog,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QMenu,
    QPushButton,
    QTableWidget,
    QTableWidgetItem,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from ..processing_algorithms.common.language import say
from ..processing_algorithms.common.numbers_vi import format_number
from ..processing_algorithms.common.progress import Progress
from . import exchange
from .checkout_dialog import CheckoutDialog
from .database_session import Session
from .working_copy_state import shown_time


@dataclass(frozen=True)
class HubContent:
    """One look at a hub."""

    name: str
    meridian: str
    crs: Any
    summaries: list[Any]
    rights: dict[str, Any]


def read_hub(location: str | dict[str, str], department: str) -> HubContent:
    """Look at a hub, beside the window."""
    from ..processing_algorithms.common.crs import meridian_label
    from ..processing_algorithms.provincial_database.hub import open_hub
    from ..processing_algorithms.provincial_database.own_rights import own_rights

    with open_hub(location) as hub:
        return HubContent(hub.info.name, meridian_label(hub.info.crs), hub.info.crs, hub.summaries(), own_rights(hub, department))


def right_text(right: Any) -> str:
    """Say what may be done with a dataset."""
    if right.writes is None:
        return say("đọc và sửa", "read and edit")
    if right.writes:
        return say("sửa ở: {codes}", "edit in: {codes}").format(codes=", ".join(sorted(right.writes)))
    if right.reads is None:
        return say("chỉ đọc", "read only")
    if right.reads:
        return say("chỉ đọc ở: {codes}", "read only in: {codes}").format(codes=", ".join(sorted(right.reads)))
    return say("không có quyền", "no rights")


class HubPage(QWidget):
    """One hub, its datasets, and the way home."""

    #: A working copy was made and chosen; whether its layers are wanted on the map.
    checked_out = pyqtSignal(bool)

    def __init__(self, session: Session):
        super().__init__()
        self._session = session
        self._content: HubContent | None = None
        self._asked = ""
        self._dialog: CheckoutDialog | None = None
        self._build()
        session.hub_chosen.connect(self._chosen)
        session.exchanged.connect(self.read)

    def _build(self) -> None:
        self.hubs = QComboBox()
        self.hubs.setObjectName("hubs")
        self.hubs.setEditable(True)
        self.hubs.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
        self.hubs.lineEdit().setPlaceholderText(say("Tệp .gpkg, tên kết nối PostgreSQL, hoặc service=…",
                                                    "A .gpkg file, a PostgreSQL connection, or service=…"))
        self.hubs.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.hubs.activated.connect(lambda _: self._choose(self.hubs.currentText()))
        self.hubs.lineEdit().returnPressed.connect(lambda: self._choose(self.hubs.currentText()))
        more = QToolButton()
        more.setObjectName("hub_menu")
        more.setText(say("Chọn", "Choose"))
        more.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        menu = QMenu(more)
        menu.addAction(say("Mở tệp GeoPackage…", "Open a GeoPackage…"), self._open_file)
        menu.addAction(say("Tạo cơ sở dữ liệu dùng chung mới…", "Create a shared database…"), self._create)
        self._sign_in = menu.addAction(say("Đăng nhập máy chủ…", "Sign in to the server…"), self._sign)
        menu.addSeparator()
        self._answer = menu.addAction(say("Áp dụng tệp thay đổi của cơ quan…", "Apply an office's changes file…"),
                                      lambda: self._session.attempt(lambda: exchange.answer_changes(self._session, self)))
        self._answer.setObjectName("answer_changes")
        more.setMenu(menu)
        row = QHBoxLayout()
        row.addWidget(self.hubs, 1)
        row.addWidget(more)
        self.facts = QLabel()
        self.facts.setWordWrap(True)
        self.facts.setTextFormat(Qt.TextFormat.PlainText)
        self.table = QTableWidget(0, 4)
        self.table.setObjectName("datasets")
        self.table.setHorizontalHeaderLabels([say("Tập dữ liệu", "Dataset"), say("Đối tượng", "Features"),
                                              say("Thay đổi gần nhất", "Last change"), say("Quyền", "Rights")])
        self.table.verticalHeader().hide()
        self.table.setEditTriggers(QTableWidget.EditTrigger.NoEditTriggers)
        self.table.setSelectionBehavior(QTableWidget.SelectionBehavior.SelectRows)
        for column in range(3):
            self.table.horizontalHeader().setSectionResizeMode(column, QHeaderView.ResizeMode.ResizeToContents)
        self.table.horizontalHeader().setStretchLastSection(True)
        self.checkout_button = QPushButton(say("Tải dữ liệu về máy…", "Check out data…"))
        self.checkout_button.setObjectName("checkout")
        self.checkout_button.clicked.connect(lambda: self._session.attempt(self._check_out))
        layout = QVBoxLayout(self)
        layout.addLayout(row)
        layout.addWidget(self.facts)
        layout.addWidget(self.table, 1)
        layout.addWidget(self.checkout_button)
        self._list()
        self._show()

    def _list(self) -> None:
        self.hubs.clear()
        self.hubs.addItems(self._session.known_hubs())
        self.hubs.setCurrentText(self._session.hub)
        self.hubs.setToolTip(self._session.hub)

    # choosing -----------------------------------------------------------------------------------------------------

    def open_at_start(self) -> None:
        """Go on with the hub of last time, once, unless one is open."""
        known = self._session.known_hubs()
        if not self._asked and not self._session.hub and known and known[0].lower().endswith(".gpkg"):
            self._choose(known[0])

    def _choose(self, place: str) -> None:
        if place.strip():
            self._session.choose_hub(place)

    def _open_file(self) -> None:
        path, _ = QFileDialog.getOpenFileName(self, say("Mở cơ sở dữ liệu dùng chung", "Open a shared database"), "", "GeoPackage (*.gpkg)")
        self._choose(path)

    def _create(self) -> None:
        """The algorithm's own dialog asks for all it takes; what it made is opened."""
        import processing

        dialog = processing.createAlgorithmDialog("quyhoach:hubcreate", {})
        dialog.setParent(self._session.iface.mainWindow(), dialog.windowFlags())
        dialog.algorithmFinished.connect(lambda well, results: self._choose(results.get("HUB", "")) if well else None)
        dialog.show()

    def _sign(self) -> None:
        if self._session.on_server():
            if self._session.sign_in():
                self.read()
        else:
            self._session.warn(say("Chỉ cơ sở dữ liệu trên máy chủ mới cần đăng nhập.", "Only a database on a server has a sign-in."))

    def _chosen(self) -> None:
        self._content = None
        self._list()
        self.read()

    # content ------------------------------------------------------------------------------------------------------

    def read(self) -> None:
        """Read what the hub holds."""
        place, department = self._session.hub, self._session.department
        if not place:
            return
        self._asked = place
        self.facts.setText(say("Đang mở {place}…", "Opening {place}…").format(place=place))
        location = self._session.hub_location()

        def done(content: HubContent) -> None:
            if place == self._session.hub:
                self._content = content
                self._show()

        def failed(error: BaseException) -> None:
            if place == self._session.hub:
                self._content = None
                self._show()
                self.facts.setText(str(error))
                self._session.desk.tell_failure(error)

        self._session.desk.start_quietly(lambda progress: read_hub(location, department), done, failed)

    def _show(self) -> None:
        content = self._content
        self.set_busy(self._session.desk.busy)
        self.table.setRowCount(0)
        if content is None:
            self.facts.setText(say("Chọn cơ sở dữ liệu dùng chung: một tệp GeoPackage, hoặc một kết nối PostgreSQL đã lưu trong QGIS.",
                                   "Choose the shared database: a GeoPackage, or a PostgreSQL connection stored in QGIS."))
            return
        self.facts.setText(f"{content.name}. {content.meridian}.")
        # What holds something first: an office needs a few of the many kinds.
        for summary in sorted(content.summaries, key=lambda one: one.count == 0):
            row = self.table.rowCount()
            self.table.insertRow(row)
            cells = [str(summary.dataset.label), format_number(summary.count), shown_time(summary.changed_at) if summary.count else "",
                     right_text(content.rights[summary.dataset.name])]
            for column, text in enumerate(cells):
                item = QTableWidgetItem(text)
                item.setToolTip(str(summary.dataset.help) if column == 0 else text)
                if column == 1:
                    item.setTextAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
                if not summary.count:
                    item.setForeground(self.palette().color(QPalette.ColorGroup.Disabled, QPalette.ColorRole.Text))
                self.table.setItem(row, column, item)

    def set_busy(self, busy: bool) -> None:
        """Offer nothing that would have to wait."""
        self.hubs.setEnabled(not busy)
        self.checkout_button.setEnabled(self._content is not None and not busy)
        self._answer.setEnabled(self._content is not None and not busy)
        self._sign_in.setEnabled(bool(self._session.hub) and not busy)

    def _check_out(self) -> None:
        self.close_down()
        self._dialog = CheckoutDialog(self._session, self._content)
        self._dialog.made.connect(self.checked_out)
        self._dialog.show()

    def close_down(self) -> None:
        """Close the dialog and take its marks off the map."""
        if self._dialog is not None:
            self._dialog.close()
            self._dialog.deleteLater()
            self._dialog = None
