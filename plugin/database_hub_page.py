"""The page of the hub: which one, what it holds and what one may do with it, and taking data home."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from qgis.PyQt.QtCore import Qt, QTimer, pyqtSignal
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
from ..processing_algorithms.provincial_database.postgis.connection import SignInError
from . import exchange
from .checkout_dialog import CheckoutDialog
from .database_session import Session
from .postgis_connection_dialog import PostgisConnectionDialog
from .working_copy_state import file_stamp, shown_time

#: Pixels: "đọc và sửa" fits.
_RIGHTS_WIDTH = 92
#: Milliseconds: how often a file is looked at (a stat, nothing is read), and how often a server is asked.
_LOOK, _ASK = 2_000, 300_000


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
    from ..processing_algorithms.provincial_database.administration.own_rights import own_rights
    from ..processing_algorithms.provincial_database.hub import open_hub

    with open_hub(location) as hub:
        return HubContent(
            hub.info.name,
            meridian_label(hub.info.crs),
            hub.info.crs,
            hub.summaries(brief=True),
            own_rights(hub, department),
        )


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
        self._by_hand = False
        self._dialog: CheckoutDialog | None = None
        self._stamp: tuple[int | None, ...] = ()
        self._reading = False
        self._build()
        self._look = QTimer(self)
        self._look.timeout.connect(self._read_if_moved)
        session.hub_chosen.connect(self._chosen)
        session.exchanged.connect(self.read)
        session.signed_in.connect(self.read)

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
        for name, text, action in (
                ("open_hub", say("Mở tệp GeoPackage…", "Open a GeoPackage…"), self._open_file),
                ("new_connection", say("Kết nối máy chủ PostgreSQL mới…", "New PostgreSQL connection…"), self._connect),
                ("create_hub", say("Tạo cơ sở dữ liệu dùng chung mới…", "Create a shared database…"), self._create)):
            menu.addAction(text, action).setObjectName(name)
        self._sign_in = menu.addAction(
            say("Đăng nhập máy chủ…", "Sign in to the server…"), lambda: self._session.attempt(self._session.sign_in)
        )
        self._sign_in.setObjectName("sign_in")
        menu.addSeparator()
        self._answer = menu.addAction(
            say("Áp dụng tệp thay đổi của cơ quan…", "Apply an office's changes file…"),
            lambda: self._session.attempt(lambda: exchange.answer_changes(self._session, self)),
        )
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
                                              say("Thay đổi", "Changed"), say("Quyền", "Rights")])
        self.table.verticalHeader().hide()
        self.table.setEditTriggers(QTableWidget.EditTrigger.NoEditTriggers)
        self.table.setSelectionBehavior(QTableWidget.SelectionBehavior.SelectRows)
        self.table.setWordWrap(False)
        header = self.table.horizontalHeader()
        # All four in sight; what is cut off is told when the mouse rests on it.
        for column, mode in enumerate((QHeaderView.ResizeMode.Stretch, QHeaderView.ResizeMode.ResizeToContents,
                                       QHeaderView.ResizeMode.ResizeToContents, QHeaderView.ResizeMode.Interactive)):
            header.setSectionResizeMode(column, mode)
        header.resizeSection(3, _RIGHTS_WIDTH)
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
        if not place.strip():
            return
        self._by_hand = True
        self._session.attempt(lambda: self._session.choose_hub(place))
        # What was refused is not left to be read over a shoulder.
        self.hubs.setCurrentText(self._session.hub)

    def _open_file(self) -> None:
        path, _ = QFileDialog.getOpenFileName(
            self, say("Mở cơ sở dữ liệu dùng chung", "Open a shared database"), "", "GeoPackage (*.gpkg)"
        )
        self._choose(path)

    def _connect(self) -> None:
        dialog = PostgisConnectionDialog(self._session.iface.mainWindow())
        if dialog.exec():
            self._session.iface.reloadConnections()
            self._choose(dialog.name.text().strip())
        dialog.deleteLater()

    def _create(self) -> None:
        """The algorithm's own dialog asks for all it takes; what it made is opened."""
        import processing

        dialog = processing.createAlgorithmDialog("quyhoach:hubcreate", {})
        dialog.setParent(self._session.iface.mainWindow(), dialog.windowFlags())

        def made(well: bool, results: dict[str, Any]) -> None:
            if well:
                self._session.desk.tell(say("Đã tạo cơ sở dữ liệu dùng chung {place}; tiếp theo hãy nhập dữ liệu bằng \"Nhập lớp dữ liệu vào cơ sở "
                                            "dữ liệu dùng chung\" trong Hộp công cụ.",
                                            "The shared database {place} is made; next, import data with \"Import a layer\" of the toolbox.")
                                        .format(place=results["HUB"]))
                self._choose(results["HUB"])
                # Not within its own signal.
                QTimer.singleShot(0, dialog.close)

        dialog.algorithmFinished.connect(made)
        dialog.show()

    def _chosen(self) -> None:
        self._content = None
        self._list()
        self._show()  # nothing of the hub before stands under the name of this one
        self.read()

    # content ------------------------------------------------------------------------------------------------------

    def read(self) -> None:
        """Read what the hub holds."""
        place, department = self._session.hub, self._session.department
        if not place:
            return
        self._asked = place
        if self._content is None:
            self.facts.setText(say("Đang mở {place}…", "Opening {place}…").format(place=place))
        location = self._session.hub_location()
        by_hand, self._by_hand = self._by_hand, False
        self._stamp, self._reading = self._seen(), True

        def done(content: HubContent) -> None:
            self._reading = False
            if place == self._session.hub:
                same, self._content = content == self._content, content
                if not same:
                    self._show()

        def failed(error: BaseException) -> None:
            self._reading = False
            if place == self._session.hub:
                self._content = None
                self._show()
                self.facts.setText(str(error))
                if isinstance(error, SignInError) and by_hand:
                    self._session.attempt(self._session.sign_in)
                else:
                    self._session.desk.tell_failure(error)

        self._session.desk.start_quietly(lambda progress: read_hub(location, department), done, failed)

    def watch(self, on: bool) -> None:
        """Keep the counts current while somebody looks at them, whichever program brings data in."""
        if not on:
            self._look.stop()
            return
        self._look.start(_ASK if self._session.on_server() else _LOOK)
        self._read_if_moved()

    def _seen(self) -> tuple[int | None, ...]:
        return () if self._session.on_server() else file_stamp(Path(self._session.hub))

    def _read_if_moved(self) -> None:
        if self._content is None or self._reading or self._session.desk.busy:
            return
        if self._session.on_server() or self._seen() != self._stamp:
            self._session.attempt(self.read)

    def _show(self) -> None:
        content = self._content
        self.set_busy(self._session.desk.busy)
        at = self.table.verticalScrollBar().value()
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
            cells = [
                str(summary.dataset.label),
                format_number(summary.count),
                shown_time(summary.changed_at).split(" ")[0] if summary.count else "",
                right_text(content.rights[summary.dataset.name]),
            ]
            tips = [
                f"{summary.dataset.label}. {summary.dataset.help}",
                cells[1],
                shown_time(summary.changed_at),
                cells[3],
            ]
            for column, text in enumerate(cells):
                item = QTableWidgetItem(text)
                item.setToolTip(tips[column])
                if column == 1:
                    item.setTextAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
                if not summary.count:
                    item.setForeground(self.palette().color(QPalette.ColorGroup.Disabled, QPalette.ColorRole.Text))
                self.table.setItem(row, column, item)
        self.table.verticalScrollBar().setValue(at)

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
