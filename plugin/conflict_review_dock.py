"""The dock of conflicts (xử lý xung đột dữ liệu): one feature after another, field by field, with both shapes on the map.

All of its state is in the working copy: closed today, it goes on tomorrow.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from qgis.core import QgsCoordinateReferenceSystem, QgsVectorLayer
from qgis.gui import QgsDockWidget
from qgis.PyQt.QtCore import Qt
from qgis.PyQt.QtWidgets import (
    QButtonGroup,
    QGridLayout,
    QHeaderView,
    QLabel,
    QMessageBox,
    QPushButton,
    QRadioButton,
    QSplitter,
    QTableWidget,
    QTableWidgetItem,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from ..processing_algorithms.common.language import say
from ..processing_algorithms.common.numbers_vi import format_number
from ..processing_algorithms.common.progress import Progress
from ..processing_algorithms.common.qgis_working_copy import show_anew
from ..processing_algorithms.provincial_database.catalogue import Dataset
from ..processing_algorithms.provincial_database.catalogue.model import GEOMETRY
from ..processing_algorithms.provincial_database.merge import Clash
from ..processing_algorithms.provincial_database.working_copies.working_copy import WorkingCopy
from .conflict_by_hand import EditByHand
from .conflict_shapes import COLOURS, ConflictShapes
from .conflict_words import feature_text, field_text, value_text
from .database_session import Session
from .working_copy_layers import refuse_while_editing

_SIDES = ("base", "ours", "theirs")
_FIELD, _FEATURE, _ALIKE = range(3)
_ROLE = Qt.ItemDataRole.UserRole


@dataclass(frozen=True)
class Found:
    """The conflicts of a working copy at one look."""

    path: str
    conflicts: list[Any]
    datasets: dict[str, Dataset]


class ConflictReviewDock(QgsDockWidget):
    """List, comparison and choice."""

    def __init__(self, session: Session, beside: QgsDockWidget):
        super().__init__(say("Xử lý xung đột dữ liệu", "Resolve conflicts"), session.iface.mainWindow())
        self.setObjectName("QuyHoachConflictReviewDock")
        self._session = session
        self._beside: QgsDockWidget | None = beside
        self._found: Found | None = None
        self._again: tuple[str, str] | None = None
        self._then: tuple[str, str] | None = None
        self._shapes = ConflictShapes(session.iface.mapCanvas())
        self._hand = EditByHand(session)
        self._build()
        session.copy_chosen.connect(self._other_copy)
        self.visibilityChanged.connect(self._seen)

    def _build(self) -> None:
        self.tree = QTreeWidget()
        self.tree.setObjectName("conflicts_list")
        self.tree.setHeaderHidden(True)
        self.tree.setRootIsDecorated(False)
        self.tree.currentItemChanged.connect(lambda *_: self._show_conflict())
        self.what = QLabel()
        self.what.setWordWrap(True)
        self.table = QTableWidget(0, 4)
        self.table.setObjectName("conflict_fields")
        self.table.verticalHeader().hide()
        self.table.setEditTriggers(QTableWidget.EditTrigger.NoEditTriggers)
        self.table.setSelectionBehavior(QTableWidget.SelectionBehavior.SelectRows)
        self.table.setSelectionMode(QTableWidget.SelectionMode.SingleSelection)
        self.table.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
        self.table.setHorizontalHeaderLabels([say("Trường", "Field"), say("Gốc", "Base"), say("Máy này", "Ours"),
                                              say("Dữ liệu\ndùng chung", "Theirs")])
        for column, side in enumerate(_SIDES, start=1):
            self.table.horizontalHeaderItem(column).setForeground(COLOURS[side])
        self.table.itemSelectionChanged.connect(self._show_reach)
        self.legend = QLabel(" &nbsp; ".join(
            f'<span style="color:{COLOURS[side].name()}"><b>{line}</b> {text}</span>' for side, line, text in (
                ("base", "·····", say("gốc", "base")), ("ours", "━━━", say("máy này", "ours")),
                ("theirs", "╍╍╍", say("dữ liệu dùng chung", "theirs")))))
        self._reach = QButtonGroup(self)
        self._apply_to = QLabel(say("Áp dụng cho:", "Apply to:"))
        reach = QGridLayout()
        reach.addWidget(self._apply_to, 0, 0)
        reach.setColumnStretch(1, 1)
        for number, name in enumerate(("reach_field", "reach_feature", "reach_alike")):
            button = QRadioButton()
            button.setObjectName(name)
            self._reach.addButton(button, number)
            reach.addWidget(button, number, 1)
        self._reach.button(_FEATURE).setChecked(True)
        self._buttons: dict[str, QPushButton] = {}
        choices = QGridLayout()
        for place, (name, text) in enumerate(
            (
                ("ours", say("Giữ của máy này", "Keep ours")),
                ("theirs", say("Lấy của dữ liệu dùng chung", "Take theirs")),
                ("base", say("Lấy lại giá trị gốc", "Take the base")),
                ("hand", ""),
            )
        ):
            button = self._buttons[name] = QPushButton(text)
            button.setObjectName(f"choose_{name}")
            button.clicked.connect(lambda _=False, name=name: self._session.attempt(lambda: self._choose(name)))
            choices.addWidget(button, place // 2, place % 2)
        self._drop = QPushButton(say("Bỏ phần vừa sửa tay", "Discard the edit by hand"))
        self._drop.clicked.connect(self._drop_hand)
        choices.addWidget(self._drop, 2, 0, 1, 2)
        below = QWidget()
        lower = QVBoxLayout(below)
        lower.setContentsMargins(0, 0, 0, 0)
        for part in (self.what, self.table, self.legend):
            lower.addWidget(part)
        lower.addLayout(reach)
        lower.addLayout(choices)
        halves = QSplitter(Qt.Orientation.Vertical)
        halves.addWidget(self.tree)
        halves.addWidget(below)
        halves.setStretchFactor(1, 2)
        inside = QWidget()
        QVBoxLayout(inside).addWidget(halves)
        self.setWidget(inside)
        self.hide()
        self._show_conflict()

    # reading ------------------------------------------------------------------------------------------------------

    def open(self, path: str) -> None:
        """Show the conflicts of a working copy, behind the other dock: there is no room for both at once."""
        if self._beside is not None:
            iface, beside, self._beside = self._session.iface, self._beside, None
            iface.addDockWidget(Qt.DockWidgetArea.RightDockWidgetArea, self)
            iface.mainWindow().tabifyDockWidget(beside, self)
        self.setUserVisible(True)
        self._read(path)

    def _read(self, path: str) -> None:
        def job(progress: Progress) -> Found:
            from ..processing_algorithms.provincial_database.working_copies.conflict_review import conflicts

            with WorkingCopy(path) as copy:
                return Found(path, list(conflicts(copy)), dict(copy.datasets))

        self._session.desk.start_quietly(job, self._list, self._session.desk.tell_failure)

    def _list(self, found: Found) -> None:
        self._found = found
        self.tree.clear()
        groups: dict[str, QTreeWidgetItem] = {}
        for conflict in found.conflicts:
            dataset = found.datasets[conflict.dataset]
            if conflict.dataset not in groups:
                count = sum(other.dataset == conflict.dataset for other in found.conflicts)
                groups[conflict.dataset] = QTreeWidgetItem(self.tree, [f"{dataset.label} ({format_number(count)})"])
                groups[conflict.dataset].setFlags(Qt.ItemFlag.ItemIsEnabled)
            item = QTreeWidgetItem(
                groups[conflict.dataset], [feature_text(dataset, conflict.ours, conflict.theirs, conflict.base)]
            )
            item.setData(0, _ROLE, conflict)
            if (conflict.dataset, conflict.feature_id) in (self._again, self._then):
                self.tree.setCurrentItem(item)
        self._then = None
        self.tree.expandAll()
        if self._chosen() is None and found.conflicts:
            self.tree.setCurrentItem(self.tree.topLevelItem(0).child(0))
        self._show_conflict()

    def _other_copy(self) -> None:
        self._found, self._again = None, None
        self.tree.clear()
        self._hand.forget()
        self._show_conflict()
        if self.isVisible():
            self._read(self._session.copy)

    def _seen(self, visible: bool) -> None:
        self._show_shapes() if visible else self._shapes.clear()

    # showing ------------------------------------------------------------------------------------------------------

    def _chosen(self) -> Any | None:
        item = self.tree.currentItem()
        return item.data(0, _ROLE) if item is not None else None

    def _fields(self, conflict: Any) -> list[str]:
        """What is in dispute; of a deleted feature, what the other side has changed."""
        if conflict.clash is Clash.FIELDS:
            return sorted(conflict.fields)
        kept, base = conflict.ours or conflict.theirs or {}, conflict.base or {}
        return sorted(name for name in kept if kept[name] != base.get(name))

    def _show_conflict(self) -> None:
        conflict = self._chosen()
        self.table.setRowCount(0)
        if conflict is None:
            none = self._found is not None and not self._found.conflicts
            self.what.setText(
                say("Không còn xung đột nào. Có thể gửi cập nhật.", "No conflicts are left. You may push.")
                if none
                else say("Chọn một đối tượng trong danh sách.", "Choose a feature in the list.")
            )
        else:
            self._again = (conflict.dataset, conflict.feature_id)
            dataset = self._found.datasets[conflict.dataset]
            self.what.setText({
                Clash.FIELDS: say("Hai bên sửa khác nhau cùng một trường:", "Both sides have changed the same field differently:"),
                Clash.DELETED_OURS: say("Máy này đã xóa đối tượng, người khác đã sửa:", "Deleted here, changed by somebody else:"),
                Clash.DELETED_THEIRS: say("Máy này đã sửa, người khác đã xóa đối tượng:", "Changed here, deleted by somebody else:")
                if conflict.base != {} else say(
                    "Có ở máy này, không có trong cơ sở dữ liệu dùng chung đã được phục hồi:",
                    "It is here, and not in the shared database, which was restored:"),
            }[conflict.clash])
            names = self._fields(conflict)
            self.table.setRowCount(len(names))
            for row, name in enumerate(names):
                sides = [conflict.base, conflict.ours, conflict.theirs]
                for column, text in enumerate(
                    [field_text(dataset, name), *(value_text(dataset, name, side) for side in sides)]
                ):
                    item = QTableWidgetItem(text)
                    item.setToolTip(text)
                    item.setData(_ROLE, name)
                    self.table.setItem(row, column, item)
            self.table.resizeRowsToContents()
            if names:
                self.table.selectRow(0)
        self._show_shapes()
        self._show_reach()

    def _show_shapes(self) -> None:
        conflict = self._chosen()
        if conflict is None or not self.isVisible() or not self._found.datasets[conflict.dataset].geometry:
            self._shapes.clear()
            return
        sides = {side: (getattr(conflict, side) or {}).get(GEOMETRY) for side in _SIDES}
        self._shapes.show(sides, self._crs(conflict.dataset))

    def _crs(self, dataset: str) -> QgsCoordinateReferenceSystem:
        return QgsVectorLayer(f"{self._found.path}|layername={dataset}", dataset, "ogr").crs()

    def _field(self) -> str | None:
        item = self.table.item(self.table.currentRow(), 0)
        return item.data(_ROLE) if item is not None else None

    def _alike(self) -> list[Any]:
        """Conflicts of the same layer and kind; of fields, those where the chosen field is in dispute too."""
        conflict, field = self._chosen(), self._field()
        if conflict is None:
            return []
        return [
            other
            for other in self._found.conflicts
            if other.dataset == conflict.dataset
            and other.clash is conflict.clash
            and (conflict.clash is not Clash.FIELDS or field in other.fields)
        ]

    def _show_reach(self) -> None:
        conflict, field = self._chosen(), self._field()
        by_field = conflict is not None and conflict.clash is Clash.FIELDS and field is not None
        label = field_text(self._found.datasets[conflict.dataset], field) if by_field else ""
        self._reach.button(_FIELD).setText(say('chỉ trường "{field}"', 'only the field "{field}"').format(field=label))
        self._reach.button(_FIELD).setVisible(by_field and len(conflict.fields) > 1)
        if self._reach.checkedId() == _FIELD and self._reach.button(_FIELD).isHidden():
            self._reach.button(_FEATURE).setChecked(True)
        self._reach.button(_FEATURE).setText(say("cả đối tượng này", "this whole feature"))
        count = len(self._alike())
        self._reach.button(_ALIKE).setText(
            (say("trường \"{field}\" của {n} đối tượng xung đột giống vậy", "the field \"{field}\" of {n} features alike") if by_field else
             say("{n} đối tượng xung đột giống vậy", "{n} features alike")).replace("{field}", label).replace("{n}", format_number(count)))
        self._reach.button(_ALIKE).setVisible(count > 1)
        if count <= 1 and self._reach.checkedId() == _ALIKE:
            self._reach.button(_FEATURE).setChecked(True)
        for widget in (self._apply_to, self._reach.button(_FEATURE)):
            widget.setVisible(not self._reach.button(_FIELD).isHidden() or count > 1)
        self.set_busy(self._session.desk.busy)

    def set_busy(self, busy: bool) -> None:
        """Offer nothing that would have to wait."""
        conflict = self._chosen()
        by_hand = self._hand.editing
        for name, button in self._buttons.items():
            button.setEnabled(conflict is not None and not busy and (name == "hand" or not by_hand))
        self._buttons["base"].setEnabled(
            conflict is not None and not conflict.fields.isdisjoint(conflict.base or ()) and not busy and not by_hand
        )
        self._buttons["hand"].setEnabled(conflict is not None and conflict.clash is not Clash.DELETED_OURS and not busy)
        self._buttons["hand"].setText(say("Sửa xong, dùng giá trị đã sửa", "Done, use what I edited") if by_hand
                                      else say("Sửa tay…", "Edit by hand…"))
        self._drop.setVisible(by_hand)
        self.tree.setEnabled(not by_hand)

    # choosing -----------------------------------------------------------------------------------------------------

    def _choose(self, name: str) -> None:
        conflict = self._chosen()
        if name == "hand":
            if not self._hand.editing:
                self._hand.begin(self._found.path, conflict, self._fields(conflict))
                self.set_busy(False)
                return
            self._hand.end()
            self._resolve("edited", {conflict.feature_id}, None)
            return
        refuse_while_editing(self._found.path)
        reach = self._reach.checkedId()
        if reach == _ALIKE:
            alike = self._alike()
            question = say(
                'Xử lý {n} đối tượng cùng một cách: "{choice}"?', 'Settle {n} features alike: "{choice}"?'
            ).format(n=format_number(len(alike)), choice=self._buttons[name].text())
            if QMessageBox.question(self, self.windowTitle(), question) != QMessageBox.StandardButton.Yes:
                return
            self._resolve(
                name, {other.feature_id for other in alike}, self._field() if conflict.clash is Clash.FIELDS else None
            )
        else:
            self._resolve(name, {conflict.feature_id}, self._field() if reach == _FIELD else None)

    def _resolve(self, rule: str, ids: set[str], field: str | None) -> None:
        path, dataset = self._found.path, self._chosen().dataset
        self._then = self._following(ids if field is None else set())

        def job(progress: Progress) -> int:
            from ..processing_algorithms.provincial_database.working_copies.conflict_review import Rule, resolve

            with WorkingCopy(path) as copy:
                return resolve(copy, Rule(rule), dataset=dataset, feature_ids=ids, field=field)

        def done(settled: int) -> None:
            show_anew(path)
            self._session.exchanged.emit()
            self._read(path)

        self._session.desk.start(say("Xử lý xung đột", "Resolving"), job, done)

    def _following(self, settled: set[str]) -> tuple[str, str] | None:
        """The conflict to go on with when these are gone from the list: the one below, not the first of all."""
        item = self.tree.currentItem()
        while item is not None:
            conflict = item.data(0, _ROLE)
            if conflict is not None and conflict.feature_id not in settled:
                return conflict.dataset, conflict.feature_id
            item = self.tree.itemBelow(item)
        return None

    def _drop_hand(self) -> None:
        self._hand.drop()
        self.set_busy(False)

    def close_down(self) -> None:
        """Take the marks off the map."""
        self._hand.forget()
        self._shapes.clear()
