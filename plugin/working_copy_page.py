"""The page of the working copy: the state of each layer, kept current while editing, and the exchange with the hub."""

from __future__ import annotations

import time
from pathlib import Path

from qgis.core import Qgis, QgsCoordinateTransform, QgsProject, QgsRectangle, QgsVectorLayer
from qgis.PyQt.QtCore import Qt, QTimer
from qgis.PyQt.QtGui import QColor
from qgis.PyQt.QtWidgets import (
    QComboBox,
    QFileDialog,
    QGridLayout,
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
from ..processing_algorithms.common.qgis_open_layers import OpenedLayer
from ..processing_algorithms.common.qgis_working_copy import layers_of
from . import exchange
from .conflict_review_dock import ConflictReviewDock
from .database_session import Session
from .push_dialog import PushDialog
from .working_copy_layers import add_layers, missing_tables, read_codes, refuse_while_editing, table_of
from .working_copy_state import CopyState, file_stamp, read_news, read_state, state_text

#: Milliseconds: how often the file is looked at (a stat, nothing is read), and how often the hub is asked.
_LOOK, _ASK_HUB = 700, 300_000
#: How many times longer than a look the pause before the next one is.
_PART = 30
_GRAVE, _OURS, _THEIRS = QColor("#b3261e"), QColor("#0b57d0"), QColor("#7a4f01")


class WorkingCopyPage(QWidget):
    """State and exchange of one working copy."""

    def __init__(self, session: Session, review: ConflictReviewDock):
        super().__init__()
        self._session, self._review = session, review
        self._state: CopyState | None = None
        self._news: dict[str, int] | None = {}
        self._hub_silent = ""
        self._seen: tuple[object, ...] = ()
        self._reading = self._asking = self._layers_wanted = False
        self._build()
        self._look = QTimer(self)
        self._look.setInterval(_LOOK)
        self._look.timeout.connect(self._look_at_file)
        self._ask = QTimer(self)
        self._ask.setInterval(_ASK_HUB)
        self._ask.timeout.connect(self.ask_hub)
        session.copy_chosen.connect(self._chosen)
        session.exchanged.connect(self._exchanged)
        session.signed_in.connect(self.ask_hub)

    # widgets ------------------------------------------------------------------------------------------------------

    def _build(self) -> None:
        self.copies = QComboBox()
        self.copies.setObjectName("copies")
        self.copies.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.copies.activated.connect(lambda _: self.open(self.copies.currentData() or ""))
        open_button = QPushButton(say("Mở tệp…", "Open file…"))
        open_button.setObjectName("open_copy")
        open_button.clicked.connect(self._open_file)
        row = QHBoxLayout()
        row.addWidget(self.copies, 1)
        row.addWidget(open_button)
        self.facts = QLabel()
        self.facts.setWordWrap(True)
        self.facts.setTextFormat(Qt.TextFormat.PlainText)
        self.table = QTableWidget(0, 3)
        self.table.setObjectName("state")
        self.table.setHorizontalHeaderLabels(
            [say("Lớp dữ liệu", "Layer"), say("Đối tượng", "Features"), say("Tình trạng", "State")]
        )
        self.table.verticalHeader().hide()
        self.table.setEditTriggers(QTableWidget.EditTrigger.NoEditTriggers)
        self.table.setSelectionBehavior(QTableWidget.SelectionBehavior.SelectRows)
        self.table.setWordWrap(True)
        self.table.horizontalHeader().setSectionResizeMode(0, QHeaderView.ResizeMode.ResizeToContents)
        self.table.horizontalHeader().setStretchLastSection(True)
        self._buttons: dict[str, QPushButton | QToolButton] = {}
        grid = QGridLayout()
        for place, (name, text, action) in enumerate((
                ("pull", say("Nhận cập nhật", "Pull updates"), self._pull),
                ("push", say("Gửi cập nhật…", "Push updates…"), self._push),
                ("conflicts", say("Xử lý xung đột…", "Resolve conflicts…"), self._open_review),
                ("layers", say("Thêm lớp vào bản đồ", "Add layers to the map"), self.add_layers))):
            button = QPushButton(text)
            button.setObjectName(name)
            button.clicked.connect(lambda _=False, action=action: self._session.attempt(action))
            self._buttons[name] = button
            grid.addWidget(button, place // 2, place % 2)
        grid.addWidget(self._file_button(), 2, 0, 1, 2)
        layout = QVBoxLayout(self)
        layout.addLayout(row)
        layout.addWidget(self.facts)
        layout.addWidget(self.table, 1)
        layout.addLayout(grid)
        self._list_copies()
        self._show()

    def _file_button(self) -> QToolButton:
        button = QToolButton()
        button.setObjectName("by_file")
        button.setText(say("Trao đổi bằng tệp", "Exchange by file"))
        button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        button.setToolTip(
            say(
                "Khi không có mạng: gửi và nhận qua thư điện tử, USB.",
                "Without a network: send and receive by e-mail, USB.",
            )
        )
        menu = QMenu(button)
        menu.addAction(say("Xuất tệp thay đổi để gửi đi…", "Export a changes file to send…"),
                       lambda: self._session.attempt(self._export_changes)).setObjectName("export_changes")
        menu.addAction(say("Nhận tệp cập nhật…", "Receive an update file…"),
                       lambda: self._session.attempt(self._import_update)).setObjectName("import_update")
        button.setMenu(menu)
        self._buttons["by_file"] = button
        return button

    def _list_copies(self) -> None:
        self.copies.clear()
        for path in self._session.known_copies():
            self.copies.addItem(Path(path).name, path)
            self.copies.setItemData(self.copies.count() - 1, path, Qt.ItemDataRole.ToolTipRole)
        if not self.copies.count():
            self.copies.addItem(say("(chưa có bản dữ liệu làm việc)", "(no working copy yet)"), "")
        place = self.copies.findData(self._session.copy)
        self.copies.setCurrentIndex(place)

    # choosing -----------------------------------------------------------------------------------------------------

    def _open_file(self) -> None:
        path, _ = QFileDialog.getOpenFileName(
            self, say("Mở bản dữ liệu làm việc", "Open a working copy"), self._session.copy, "GeoPackage (*.gpkg)"
        )
        self.open(path)

    def open(self, path: str) -> None:
        """Work with a working copy, once it has shown that it is one."""
        if not path:
            return

        def opened(state: CopyState) -> None:
            self._session.choose_copy(path, state.hub)
            self._take(state)

        self._session.desk.start(
            say("Mở bản dữ liệu làm việc", "Opening the working copy"), lambda progress: read_state(path), opened
        )

    def _chosen(self) -> None:
        self._state, self._news, self._hub_silent, self._seen = None, {}, "", ()
        self._list_copies()
        self.refresh()
        self.ask_hub()

    def add_layers(self) -> None:
        """Add what is not in the project yet."""
        if self._state is None:
            return
        path, name = self._session.copy, self._state.name
        tables = missing_tables(path)
        if not tables:
            self._session.desk.tell(
                say(
                    "Các lớp của bản dữ liệu làm việc này đã có trên bản đồ.",
                    "All layers of this working copy are on the map.",
                )
            )
            return

        def add(codes: dict[str, dict[str, int]]) -> None:
            self._session.attempt(lambda: self._show_on_map(add_layers(path, name, tables, codes)))

        self._session.desk.start(
            say("Mở các lớp", "Opening the layers"), lambda progress: read_codes(path, tables), add
        )

    def _show_on_map(self, opened: list[OpenedLayer]) -> None:
        """Move the map to the first layers of a working copy, and say what cannot be seen there."""
        canvas = self._session.iface.mapCanvas()
        layers = [one.layer for one in opened]
        if len(layers_of(self._session.copy)) == len(layers):
            extent = QgsRectangle()
            extent.setNull()
            for layer in layers:
                to_map = QgsCoordinateTransform(
                    layer.crs(), canvas.mapSettings().destinationCrs(), QgsProject.instance()
                )
                if layer.featureCount():
                    extent.combineExtentWith(to_map.transformBoundingBox(layer.extent()))
            if not extent.isNull():
                extent.scale(1.05)
                canvas.setExtent(extent)
                canvas.refresh()
        for one in opened:
            for code in one.unknown_codes:
                self._session.warn(say("{layer}: mã \"{code}\" chưa có ký hiệu ({n} đối tượng), vẽ màu hồng đậm.",
                                       "{layer}: the code \"{code}\" has no symbol ({n} features), drawn in magenta.")
                                   .format(layer=one.table.label, code=code.value, n=format_number(code.count)))
        far = [layer for layer in layers if layer.featureCount() and not layer.isInScaleRange(canvas.scale())]
        if far:
            self._session.desk.tell(say("Hãy phóng to để thấy: {layers}.", "Zoom in to see: {layers}.").format(layers=", ".join(
                say("{layer} (từ 1:{scale})", "{layer} (from 1:{scale})").format(layer=layer.name(), scale=format_number(layer.minimumScale()))
                for layer in far)), Qgis.MessageLevel.Info)

    # state --------------------------------------------------------------------------------------------------------

    def watch(self, on: bool) -> None:
        """Keep the state current while somebody looks at it."""
        for timer in (self._look, self._ask):
            timer.start() if on else timer.stop()

    def _look_at_file(self) -> None:
        """Read the state again when the file or an edit buffer has moved; whichever program moved it."""
        if not self._session.copy or self._session.desk.busy:
            return
        started = time.monotonic()
        seen = (*file_stamp(Path(self._session.copy)), *sorted((table, count) for table, count in self._unsaved().items()))
        # Looking takes a small part of the time whatever there is to be looked at: many layers, a slow disk, a million edits.
        self._look.setInterval(max(_LOOK, int(_PART * 1000 * (time.monotonic() - started))))
        if seen != self._seen:
            self._seen = seen
            self.refresh()

    def _unsaved(self) -> dict[str, int]:
        return {table_of(layer): _waiting_in(layer) for layer in layers_of(self._session.copy) if layer.isEditable()}

    def refresh(self) -> None:
        """Read the state of the file."""
        path = self._session.copy
        if not path or self._reading or self._session.desk.busy:
            return
        self._reading = True

        def ended() -> None:
            self._reading = False
            self._seen = () if path != self._session.copy else self._seen

        def done(state: CopyState) -> None:
            ended()
            if path == self._session.copy:
                self._take(state)

        def failed(error: BaseException) -> None:
            ended()
            if path == self._session.copy:
                self.facts.setText(str(error))

        self._session.desk.start_quietly(lambda progress: read_state(path), done, failed)

    def _take(self, state: CopyState) -> None:
        self._state = state
        self._show()
        if self._layers_wanted:
            self._layers_wanted = False
            self._session.attempt(self.add_layers)

    def add_layers_when_read(self) -> None:
        """Add all layers as soon as it is known which there are."""
        self._layers_wanted = True

    def ask_hub(self) -> None:
        """Ask the hub what is new; a hub out of reach is said on the page, for somebody in the field expects no better."""
        path = self._session.copy
        if not path or self._asking or self._session.desk.busy:
            return
        location = self._session.hub_location()
        self._asking = True

        def done(news: dict[str, int] | None) -> None:
            self._asking = False
            self._news, self._hub_silent = news, ""
            self._show()

        def failed(error: BaseException) -> None:
            self._asking = False
            self._hub_silent = str(error)
            self._show()

        self._session.desk.start_quietly(lambda progress: read_news(path, location, progress), done, failed)

    def _exchanged(self) -> None:
        self._news = {}
        self._seen = ()
        self.refresh()
        self.ask_hub()

    def _show(self) -> None:
        state = self._state
        self._enable()
        if state is None:
            self.table.setRowCount(0)
            self.facts.setText(say("Mở một bản dữ liệu làm việc đã có, hoặc sang trang \"Dữ liệu dùng chung\" và bấm \"Tải dữ liệu về máy…\".",
                                   "Open a working copy you have, or go to the page \"Shared data\" and press \"Check out data…\"."))
            return
        text = say("Cơ sở dữ liệu dùng chung: {hub}. Nhận cập nhật lần cuối: {when}.", "Shared database: {hub}. Last pull: {when}.").format(
            hub=Path(state.hub).name if state.hub.lower().endswith(".gpkg") else state.hub, when=state.pulled_at)
        if self._hub_silent:
            text += "\n" + say("Chưa hỏi được có gì mới: {why}", "Could not ask what is new: {why}").format(
                why=self._hub_silent
            )
        elif self._news is None:
            text += "\n" + say("Cơ sở dữ liệu dùng chung đã được phục hồi hoặc quyền đã đổi; hãy nhận cập nhật để so sánh toàn bộ.",
                               "The shared database was restored or rights have changed; pull to compare everything.")
        self.facts.setText(text)
        self.facts.setToolTip(f"{state.path}\n{state.hub}")
        unsaved = self._unsaved()
        self.table.setRowCount(len(state.lines))
        for row, line in enumerate(state.lines):
            news = (self._news or {}).get(line.dataset.name, 0)
            cells = [
                str(line.dataset.label),
                format_number(line.count),
                state_text(line, news, unsaved.get(line.dataset.name)),
            ]
            for column, text in enumerate(cells):
                item = QTableWidgetItem(text)
                if column == 1:
                    item.setTextAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
                if column == 2:
                    item.setToolTip(text)
                    colour = (
                        _GRAVE
                        if line.conflicts or line.tracking_lost
                        else _OURS
                        if line.edits or line.dataset.name in unsaved
                        else _THEIRS
                    )
                    if text != say("không thay đổi", "unchanged"):
                        item.setForeground(colour)
                self.table.setItem(row, column, item)
        self.table.resizeRowsToContents()

    def set_busy(self, busy: bool) -> None:
        """Offer nothing that would have to wait."""
        self.copies.setEnabled(not busy)
        self._enable(busy)

    def _enable(self, busy: bool | None = None) -> None:
        busy = self._session.desk.busy if busy is None else busy
        for button in self._buttons.values():
            button.setEnabled(self._state is not None and not busy)
        conflicts = sum(line.conflicts for line in self._state.lines) if self._state else 0
        self._buttons["conflicts"].setEnabled(bool(conflicts) and not busy)
        self._buttons["conflicts"].setText(say("Xử lý xung đột ({n})…", "Resolve conflicts ({n})…").format(n=conflicts)
                                           if conflicts else say("Xử lý xung đột…", "Resolve conflicts…"))

    # exchange -----------------------------------------------------------------------------------------------------

    def _pull(self) -> None:
        refuse_while_editing(self._session.copy)
        exchange.pull(self._session, self._open_review)

    def _push(self) -> None:
        refuse_while_editing(self._session.copy)
        dialog = PushDialog(self._session, self._state, say("Gửi cập nhật", "Push updates"), needs_message=True)
        if dialog.exec():
            exchange.push(self._session, dialog.values())

    def _export_changes(self) -> None:
        refuse_while_editing(self._session.copy)
        dialog = PushDialog(self._session, self._state, say("Xuất tệp thay đổi", "Export a changes file"),
                            needs_message=any(line.edits for line in self._state.lines))
        if dialog.exec():
            exchange.export_changes(self._session, dialog.values(), self)

    def _import_update(self) -> None:
        refuse_while_editing(self._session.copy)
        exchange.import_update(self._session, self, self._open_review)

    def _open_review(self) -> None:
        self._review.open(self._session.copy)


def _waiting_in(layer: QgsVectorLayer) -> int:
    buffer = layer.editBuffer()
    if buffer is None:
        return 0
    # By their ids: a field calculated for a million parcels would otherwise be brought over value by value.
    return len(buffer.allAddedOrEditedFeatures()) + len(buffer.deletedFeatureIds())
