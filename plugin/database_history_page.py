"""The page of the change ledger (nhật ký chỉnh sửa): who changed what and when, the data of a moment, taking a changeset back."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from typing import Any

from qgis.core import QgsProcessingUtils, QgsProject, QgsVectorLayer
from qgis.PyQt.QtCore import QDate, QDateTime, Qt, QTime
from qgis.PyQt.QtWidgets import (
    QComboBox,
    QDateTimeEdit,
    QGridLayout,
    QHeaderView,
    QLabel,
    QMessageBox,
    QPushButton,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from ..processing_algorithms.common.errors import OutputError
from ..processing_algorithms.common.language import say
from ..processing_algorithms.common.numbers_vi import format_number
from ..processing_algorithms.common.progress import Progress
from ..processing_algorithms.common.qgis_algorithm import PLUGIN_FOLDER
from ..processing_algorithms.common.qgis_forms import configure_form
from ..processing_algorithms.provincial_database.changes import Outcome
from .database_session import Session
from .working_copy_state import VIETNAM, shown_time

_MOST = 500


class HistoryPage(QWidget):
    """The changesets of the hub, newest first."""

    def __init__(self, session: Session):
        super().__init__()
        self._session = session
        self._notes: list[Any] = []
        self._labels: dict[str, str] = {}
        #: How many features of which dataset, by changeset; read for one when it is chosen.
        self._counts: dict[int, dict[str, int]] = {}
        self._counting = False
        self._read_of = ""
        self._build()
        session.hub_chosen.connect(self._forget)
        session.exchanged.connect(self._forget)
        session.signed_in.connect(self._forget)

    def _build(self) -> None:
        self.table = QTableWidget(0, 4)
        self.table.setObjectName("changesets")
        self.table.setHorizontalHeaderLabels(
            [say("Số", "No."), say("Thời gian", "When"), say("Người cập nhật", "Author"), say("Nội dung", "Message")]
        )
        self.table.verticalHeader().hide()
        self.table.setEditTriggers(QTableWidget.EditTrigger.NoEditTriggers)
        self.table.setSelectionBehavior(QTableWidget.SelectionBehavior.SelectRows)
        self.table.setSelectionMode(QTableWidget.SelectionMode.SingleSelection)
        self.table.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        self.table.horizontalHeader().setSectionResizeMode(3, QHeaderView.ResizeMode.Stretch)
        self.table.itemSelectionChanged.connect(self._show_chosen)
        self.details = QLabel()
        self.details.setWordWrap(True)
        self.details.setTextFormat(Qt.TextFormat.PlainText)
        self.dataset = QComboBox()
        self.dataset.setObjectName("dataset_then")
        self.moment = QDateTimeEdit(_in_vietnam(datetime.datetime.now(datetime.UTC)))
        self.moment.setDisplayFormat("dd/MM/yyyy HH:mm")
        self.moment.setCalendarPopup(True)
        self._buttons = {}
        for name, text, action in (
                ("as_of", say("Thêm dữ liệu lúc đó", "Add the data of then"), self._add_as_of),
                ("changes", say("Xem thay đổi của đợt", "Show what it changed"), self._add_changes),
                ("revert", say("Hoàn tác đợt cập nhật…", "Revert the changeset…"), self._revert)):
            button = self._buttons[name] = QPushButton(text)
            button.setObjectName(name)
            button.clicked.connect(lambda _=False, action=action: self._session.attempt(action))
        grid = QGridLayout()
        grid.addWidget(QLabel(say("Tập dữ liệu", "Dataset")), 0, 0)
        grid.addWidget(self.dataset, 0, 1)
        grid.addWidget(QLabel(say("Thời điểm", "Moment")), 1, 0)
        grid.addWidget(self.moment, 1, 1)
        grid.addWidget(self._buttons["as_of"], 2, 0)
        grid.addWidget(self._buttons["changes"], 2, 1)
        grid.addWidget(self._buttons["revert"], 3, 0, 1, 2)
        grid.setColumnStretch(1, 1)
        layout = QVBoxLayout(self)
        layout.addWidget(self.table, 1)
        layout.addWidget(self.details)
        layout.addLayout(grid)
        self._show_chosen()

    # reading ------------------------------------------------------------------------------------------------------

    def _forget(self) -> None:
        self._read_of = ""
        if self.isVisible():
            self.read_if_old()

    def read_if_old(self) -> None:
        """Read the ledger unless what is shown is still true."""
        place = self._session.hub
        if not place or self._read_of == place:
            return
        self._read_of = place
        location = self._session.hub_location()

        def job(progress: Progress) -> tuple[list[Any], dict[str, str]]:
            from ..processing_algorithms.provincial_database.hub import open_hub

            with open_hub(location) as hub:
                return hub.changesets(most=_MOST, counted=False), {
                    name: str(dataset.label) for name, dataset in hub.datasets.items()
                }

        def failed(error: BaseException) -> None:
            self._read_of = ""
            self._session.desk.tell_failure(error)

        self._session.desk.start_quietly(job, lambda found: self._show(*found), failed)

    def _show(self, notes: list[Any], labels: dict[str, str]) -> None:
        self._notes, self._labels, self._counts = notes, labels, {}
        chosen = self.dataset.currentData()
        self.dataset.clear()
        for name, label in labels.items():
            self.dataset.addItem(label, name)
        self.dataset.setCurrentIndex(max(self.dataset.findData(chosen), 0))
        self.table.setRowCount(len(notes))
        for row, note in enumerate(notes):
            cells = [str(note.number), shown_time(note.applied_at), note.author, note.message]
            for column, text in enumerate(cells):
                item = QTableWidgetItem(text)
                item.setToolTip(text)
                self.table.setItem(row, column, item)
        self._show_chosen()

    def _chosen(self) -> Any | None:
        rows = {index.row() for index in self.table.selectedIndexes()}
        return self._notes[rows.pop()] if len(rows) == 1 else None

    def _show_chosen(self) -> None:
        note = self._chosen()
        self.set_busy(self._session.desk.busy)
        if note is None:
            self.details.setText(
                say(
                    "Chọn một đợt cập nhật để xem, hoặc đặt thời điểm ở dưới.",
                    "Choose a changeset, or set a moment below.",
                )
            )
            return
        self.moment.setDateTime(_in_vietnam(note.applied_at))
        if note.number in self._counts:
            self._tell(note)
        else:
            self.details.setText(f"{note.message}\n" + say("Đang đếm đối tượng…", "Counting features…"))
            self._count(note.number)

    def _count(self, number: int) -> None:
        """Count what a changeset touched, beside the window and one at a time."""
        if self._counting:
            return
        self._counting = True
        place, location = self._session.hub, self._session.hub_location()

        def job(progress: Progress) -> dict[str, int]:
            from ..processing_algorithms.provincial_database.hub import open_hub

            with open_hub(location) as hub:
                return hub.features_of(number)

        def done(counts: dict[str, int]) -> None:
            self._counting = False
            if place == self._session.hub:
                self._counts[number] = counts
            note = self._chosen()
            if note is not None and note.number in self._counts:
                self._tell(note)
            elif note is not None:
                self._count(note.number)

        def failed(error: BaseException) -> None:
            self._counting = False
            self.details.setText(str(error))
            self._session.desk.tell_failure(error)

        self._session.desk.start_quietly(job, done, failed)

    def _counts_text(self, note: Any) -> str:
        counts = self._counts.get(note.number, {})
        return (
            ", ".join(f"{self._labels.get(name, name)} {format_number(count)}" for name, count in counts.items()) or "0"
        )

    def _tell(self, note: Any) -> None:
        """Say what a changeset is, once it is counted."""
        touched = [name for name, count in self._counts[note.number].items() if count]
        if touched and self.dataset.currentData() not in touched:
            self.dataset.setCurrentIndex(self.dataset.findData(touched[0]))
        text = say("Đợt {number}: {counts}.", "Changeset {number}: {counts}.").format(
            number=note.number, counts=self._counts_text(note)
        )
        if note.decision_no:
            text += " " + say("Quyết định: {number}.", "Decision: {number}.").format(number=note.decision_no)
        if note.department:
            text += " " + say("Cơ quan: {name}.", "Department: {name}.").format(name=note.department)
        if note.reverts:
            text += " " + say("Hoàn tác đợt {number}.", "It reverts changeset {number}.").format(number=note.reverts)
        self.details.setText(f"{note.message}\n{text}")
        self.set_busy(self._session.desk.busy)

    def set_busy(self, busy: bool) -> None:
        """Offer nothing that would have to wait."""
        note = self._chosen()
        chosen = note is not None and note.number in self._counts
        self._buttons["as_of"].setEnabled(bool(self._labels) and not busy)
        for name in ("changes", "revert"):
            self._buttons[name].setEnabled(chosen and not busy)

    # the past -----------------------------------------------------------------------------------------------------

    def _add_as_of(self) -> None:
        from ..processing_algorithms.provincial_database.history.history import layer_as_of

        note, at = self._chosen(), self.moment.dateTime()
        if note is not None and _in_vietnam(note.applied_at) == at:
            moment: Any = note.number
            when = say("sau đợt {number}", "after changeset {number}").format(number=note.number)
        else:
            moment = end_of_minute(at)
            when = at.toString("dd/MM/yyyy HH:mm")
        self._add_layer(lambda hub, dataset: layer_as_of(hub, dataset, moment), when)

    def _add_changes(self) -> None:
        from ..processing_algorithms.provincial_database.history.history import difference_layer

        number = self._chosen().number
        self._add_layer(lambda hub, dataset: difference_layer(hub, dataset, number - 1, number),
                        say("thay đổi của đợt {number}", "changes of {number}").format(number=number))

    def _add_layer(self, compute: Callable[[Any, Any], Any], when: str) -> None:
        """Compute rows of the past beside the window and add them as a layer that lives as long as QGIS runs."""
        name, location = self.dataset.currentData(), self._session.hub_location()
        path = QgsProcessingUtils.generateTempFilename(f"{name}.gpkg")

        def job(progress: Progress) -> tuple[Any, int]:
            from ..processing_algorithms.common.files import write_vector
            from ..processing_algorithms.provincial_database.hub import open_hub
            from ..processing_algorithms.provincial_database.hub_export import cut_to

            with open_hub(location) as hub:
                # Personal data are for the algorithm, where one has to ask for them.
                dataset = cut_to(hub.dataset(name), "internal")
                frame = compute(hub, dataset)
            if len(frame):
                write_vector(
                    frame if dataset.geometry else frame.drop(columns=frame.geometry.name),
                    path,
                    dataset.geometry or "None",
                )
            return dataset, len(frame)

        def done(found: tuple[Any, int]) -> None:
            dataset, count = found
            title = f"{dataset.label} ({when})"
            if not count:
                self._session.desk.tell(
                    say("{title}: không có đối tượng nào.", "{title}: no features.").format(title=title)
                )
                return
            layer = QgsVectorLayer(path, title, "ogr")
            if not layer.isValid():
                self._session.desk.tell_failure(
                    OutputError(
                        say("Không mở được lớp tạm {path}.", "The temporary layer {path} cannot be opened.").format(
                            path=path
                        )
                    )
                )
                return
            layer.loadNamedStyle(str(PLUGIN_FOLDER / "styles" / dataset.style))
            configure_form(layer, dataset)
            layer.setName(title)
            QgsProject.instance().addMapLayer(layer)
            self._session.desk.tell(say("Đã thêm lớp {title}: {n} đối tượng.", "Layer {title} is added: {n} features.")
                                    .format(title=title, n=format_number(count)))

        self._session.desk.start(say("Đọc dữ liệu của quá khứ", "Reading the past"), job, done)

    def _revert(self) -> None:
        note = self._chosen()
        box = QMessageBox(self._session.iface.mainWindow())
        box.setObjectName("revert_box")
        box.setIcon(QMessageBox.Icon.Question)
        box.setWindowTitle(say("Hoàn tác đợt cập nhật", "Revert the changeset"))
        box.setText(
            say(
                'Hoàn tác đợt {number} "{message}" của {author}, {when}?',
                'Revert changeset {number} "{message}" of {author}, {when}?',
            ).format(number=note.number, message=note.message, author=note.author, when=shown_time(note.applied_at))
        )
        box.setInformativeText(say(
            "Các giá trị trước đợt này ({counts}) được ghi lại trong cơ sở dữ liệu dùng chung bằng một đợt cập nhật mới; nhật ký giữ cả hai, và "
            "đợt mới cũng hoàn tác được. Trường mà người khác đã sửa tiếp thì không bị đụng tới: khi đó không hoàn tác gì và nêu rõ chỗ vướng.",
            "The values from before it ({counts}) are written into the shared database again by a new changeset; the ledger keeps both, and the "
            "new one can be reverted too. Where others have changed the same since, nothing is done and the places are named.")
            .format(counts=self._counts_text(note)))
        yes = box.addButton(say("Hoàn tác", "Revert"), QMessageBox.ButtonRole.AcceptRole)
        yes.setObjectName("revert_yes")
        box.setDefaultButton(box.addButton(say("Thôi", "Cancel"), QMessageBox.ButtonRole.RejectRole))
        box.exec()
        box.deleteLater()
        if box.clickedButton() is not yes:
            return
        location, author, department = self._session.hub_location(), self._session.author, self._session.department
        message = say("Hoàn tác đợt {number}: {message}", "Revert of {number}: {message}").format(
            number=note.number, message=note.message
        )

        def job(progress: Progress) -> Any:
            from ..processing_algorithms.provincial_database.hub import open_hub

            with open_hub(location) as hub:
                return hub.revert(note.number, author=author, department=department, message=message, progress=progress)

        def done(receipt: Any) -> None:
            self._session.exchanged.emit()
            if receipt.outcome is Outcome.APPLIED:
                self._session.desk.tell(say("Đã hoàn tác đợt {old} bằng đợt {new}. Các bản dữ liệu làm việc nhận được khi nhận cập nhật.",
                                            "Changeset {old} is reverted by {new}. Working copies get it with their next pull.")
                                        .format(old=note.number, new=receipt.number))
            else:
                reasons = "; ".join(dict.fromkeys(objection.reason for objection in receipt.objections[:5]))
                self._session.warn(say("Chưa hoàn tác, không ghi gì ({n} đối tượng vướng): {reasons}",
                                       "Not reverted, nothing was written ({n} features in the way): {reasons}")
                                   .format(n=format_number(len(receipt.objections)), reasons=reasons))

        self._session.desk.start(say("Hoàn tác đợt cập nhật", "Reverting"), job, done)


def _in_vietnam(instant: datetime.datetime) -> QDateTime:
    """What clocks in Vietnam show, to the minute, whatever this machine is set to."""
    there = instant.astimezone(VIETNAM)
    return QDateTime(QDate(there.year, there.month, there.day), QTime(there.hour, there.minute))


def end_of_minute(at: QDateTime) -> datetime.datetime:
    """Turn what the widget shows into a moment."""
    date, time = at.date(), at.time()
    return datetime.datetime(date.year(), date.month(), date.day(), time.hour(), time.minute(), 59, 999_000, VIETNAM)
