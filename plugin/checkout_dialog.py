"""Taking data home (tải dữ liệu về máy): which datasets, which communes, into which file."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from qgis.core import QgsGeometry
from qgis.gui import QgsFileWidget, QgsFilterLineEdit
from qgis.PyQt.QtCore import QStandardPaths, Qt, pyqtSignal
from qgis.PyQt.QtWidgets import (
    QCheckBox,
    QDialog,
    QDialogButtonBox,
    QGroupBox,
    QHBoxLayout,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QVBoxLayout,
)

from ..processing_algorithms.common.errors import InputError
from ..processing_algorithms.common.language import say
from ..processing_algorithms.common.numbers_vi import format_number
from ..processing_algorithms.common.progress import Progress
from ..processing_algorithms.common.qgis_algorithm import PLUGIN_FOLDER
from ..processing_algorithms.common.qgis_layers import to_qgis_crs
from .commune_picker import CommunePicker
from .database_session import Session

_VALUE = Qt.ItemDataRole.UserRole


class CheckoutDialog(QDialog):
    """Beside the map, not above it: communes may be clicked there while it is open."""

    #: The new working copy is chosen in the session; whether its layers are wanted on the map.
    made = pyqtSignal(bool)

    def __init__(self, session: Session, content: Any):
        super().__init__(session.iface.mainWindow())
        self.setObjectName("checkout_dialog")
        self.setWindowTitle(say("Tải dữ liệu về máy", "Check out data"))
        self._session, self._content = session, content
        self._shapes: dict[str, tuple[str, QgsGeometry]] = {}
        self._picker: CommunePicker | None = None
        self.datasets, self.communes = QListWidget(), QListWidget()
        self.datasets.setObjectName("datasets_to_take")
        self.communes.setObjectName("communes_to_take")
        lists = QHBoxLayout()
        lists.addWidget(self._dataset_box())
        lists.addWidget(self._commune_box())
        self.file = QgsFileWidget()
        self.file.setStorageMode(QgsFileWidget.StorageMode.SaveFile)
        self.file.setFilter("GeoPackage (*.gpkg)")
        self.file.setFilePath(str(self._proposed()))
        self.to_map = QCheckBox(say("Thêm các lớp vào bản đồ", "Add the layers to the map"))
        self.to_map.setChecked(True)
        self.buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Ok | QDialogButtonBox.StandardButton.Cancel)
        self.buttons.button(QDialogButtonBox.StandardButton.Ok).setText(say("Tải về", "Check out"))
        self.buttons.button(QDialogButtonBox.StandardButton.Cancel).setText(say("Thôi", "Cancel"))
        self.buttons.accepted.connect(lambda: session.attempt(self._take))
        self.buttons.rejected.connect(self.close)
        layout = QVBoxLayout(self)
        layout.addLayout(lists, 1)
        layout.addWidget(QLabel(say("Lưu vào tệp mới", "Into a new file")))
        layout.addWidget(self.file)
        layout.addWidget(self.to_map)
        layout.addWidget(self.buttons)
        self.resize(640, 460)
        self._read_communes()

    def _dataset_box(self) -> QGroupBox:
        box = QGroupBox(say("Tập dữ liệu", "Datasets"))
        rights = self._content.rights
        for summary in sorted(self._content.summaries, key=lambda one: one.count == 0):
            right = rights[summary.dataset.name]
            if right.reads is not None and not right.reads and right.writes is not None and not right.writes:
                continue
            item = QListWidgetItem(f"{summary.dataset.label} ({format_number(summary.count)})")
            item.setData(_VALUE, summary.dataset)
            item.setToolTip(str(summary.dataset.help))
            item.setCheckState(Qt.CheckState.Checked if summary.count else Qt.CheckState.Unchecked)
            self.datasets.addItem(item)
        buttons = QHBoxLayout()
        for text, wanted in ((say("Chọn hết", "All"), True), (say("Bỏ hết", "None"), False)):
            button = QPushButton(text)
            button.setObjectName("all_datasets" if wanted else "no_datasets")
            button.clicked.connect(lambda _=False, wanted=wanted: self._check_all(wanted))
            buttons.addWidget(button)
        layout = QVBoxLayout(box)
        layout.addWidget(self.datasets)
        layout.addLayout(buttons)
        return box

    def _commune_box(self) -> QGroupBox:
        box = QGroupBox(say("Xã, phường, đặc khu", "Communes"))
        self.search = QgsFilterLineEdit()
        self.search.setPlaceholderText(say("Tìm tên hoặc mã", "Name or code"))
        self.search.textChanged.connect(self._filter)
        self.pick = QPushButton(say("Chọn trên bản đồ", "Pick on the map"))
        self.pick.setObjectName("pick_on_map")
        self.pick.setCheckable(True)
        self.pick.setEnabled(False)
        self.pick.toggled.connect(self._picking)
        self.communes.itemChanged.connect(self._marked)
        self.hint = QLabel(say("Đang đọc danh sách…", "Reading the list…"))
        self.hint.setWordWrap(True)
        layout = QVBoxLayout(box)
        for widget in (self.search, self.communes, self.pick, self.hint):
            layout.addWidget(widget)
        return box

    def _proposed(self) -> Path:
        folder = Path(self._session.copy).parent if self._session.copy else Path(
            QStandardPaths.writableLocation(QStandardPaths.StandardLocation.DocumentsLocation))
        stem = re.sub(r'[\\/:*?"<>|]+', " ", self._content.name).strip() or "du_lieu"
        names = (stem, *(f"{stem} {number}" for number in range(2, 1000)))
        return next(path for name in names if not (path := folder / f"{name} - làm việc.gpkg").exists())

    # communes -----------------------------------------------------------------------------------------------------

    def _read_communes(self) -> None:
        location = self._session.hub_location()

        def job(progress: Progress) -> list[Any]:
            from ..processing_algorithms.provincial_database.communes import communes_of
            from ..processing_algorithms.provincial_database.hub import open_hub

            with open_hub(location) as hub:
                return communes_of(hub)

        def failed(error: BaseException) -> None:
            self.hint.setText(str(error))

        self._session.desk.start_quietly(job, self._list_communes, failed)

    def _list_communes(self, communes: list[Any]) -> None:
        if self._content is None:  # closed meanwhile
            return
        self.communes.blockSignals(True)
        for commune in communes:
            item = QListWidgetItem(commune.name if commune.name == commune.code else f"{commune.name} ({commune.code})")
            item.setData(_VALUE, commune.code)
            item.setCheckState(Qt.CheckState.Unchecked)
            self.communes.addItem(item)
            if commune.shape is not None:
                shape = QgsGeometry()
                shape.fromWkb(commune.shape)
                self._shapes[commune.code] = commune.name, shape
        self.communes.blockSignals(False)
        self.pick.setEnabled(bool(self._shapes))
        self.hint.setText(say("Không chọn xã nào: tải toàn tỉnh. Tập dữ liệu không chia theo xã luôn được tải toàn bộ.",
                              "No commune chosen: the whole province. Datasets not divided by communes are taken whole."))

    def _filter(self, text: str) -> None:
        for row in range(self.communes.count()):
            item = self.communes.item(row)
            item.setHidden(text.strip().casefold() not in item.text().casefold())

    def _picking(self, on: bool) -> None:
        canvas = self._session.iface.mapCanvas()
        if on:
            self._picker = CommunePicker(canvas, self._shapes, to_qgis_crs(self._content.crs), self._clicked)
            self._picker.show_chosen(self.chosen_communes())
            canvas.setMapTool(self._picker)
        elif self._picker is not None:
            self._picker.leave()
            self._picker = None

    def _clicked(self, code: str) -> None:
        for row in range(self.communes.count()):
            item = self.communes.item(row)
            if item.data(_VALUE) == code:
                checked = item.checkState() == Qt.CheckState.Checked
                item.setCheckState(Qt.CheckState.Unchecked if checked else Qt.CheckState.Checked)
                self.communes.scrollToItem(item)

    def _marked(self, _: QListWidgetItem) -> None:
        if self._picker is not None:
            self._picker.show_chosen(self.chosen_communes())

    def chosen_communes(self) -> set[str]:
        """Return the codes of the chosen communes."""
        return {item.data(_VALUE) for item in _checked(self.communes)}

    def _check_all(self, wanted: bool) -> None:
        for row in range(self.datasets.count()):
            self.datasets.item(row).setCheckState(Qt.CheckState.Checked if wanted else Qt.CheckState.Unchecked)

    # taking -------------------------------------------------------------------------------------------------------

    def _take(self) -> None:
        datasets = [item.data(_VALUE) for item in _checked(self.datasets)]
        path = self.file.filePath().strip()
        path = path if not path or path.lower().endswith(".gpkg") else path + ".gpkg"
        if not datasets or not path:
            raise InputError(
                say("Hãy chọn ít nhất một tập dữ liệu và một tệp để lưu.", "Choose at least one dataset and a file.")
            )
        communes = frozenset(self.chosen_communes())
        names = [item.text().rpartition(" (")[0] or item.text() for item in _checked(self.communes)]
        name = ", ".join(names) if 0 < len(names) <= 3 else self._content.name
        session, place, location, to_map = (
            self._session,
            self._session.hub,
            self._session.hub_location(),
            self.to_map.isChecked(),
        )

        def job(progress: Progress) -> int:
            from ..processing_algorithms.common.qgis_forms import form_style
            from ..processing_algorithms.provincial_database.hub import open_hub
            from ..processing_algorithms.provincial_database.working_copies.checkout import checkout
            from ..processing_algorithms.provincial_database.working_copies.scopes import chosen

            forms = {
                dataset.name: form_style(dataset, PLUGIN_FOLDER / "styles" / dataset.style) for dataset in datasets
            }
            with open_hub(location) as hub:
                # A file may be asked for by a path that another folder makes meaningless; the whole one is kept.
                at = hub.info.location if place.lower().endswith(".gpkg") else place
                scopes = [chosen(dataset, communes or None, None) for dataset in datasets]
                with checkout(path, hub, location=at, crs=hub.info.crs, datasets=datasets, scopes=scopes, name=name, forms=forms,
                              progress=progress) as copy:
                    return sum(line.count for line in copy.status())

        def done(count: int) -> None:
            session.desk.tell(
                say("Đã tải {n} đối tượng về {path}.", "{n} features are in {path}.").format(
                    n=format_number(count), path=path
                )
            )
            session.choose_copy(path, place)
            self.made.emit(to_map)

        session.desk.start(say("Tải dữ liệu về máy", "Checking out data"), job, done)
        self.close()

    def closeEvent(self, event) -> None:  # noqa: D102, N802
        self.pick.setChecked(False)
        super().closeEvent(event)

    def reject(self) -> None:  # noqa: D102
        self.pick.setChecked(False)
        super().reject()


def _checked(items: QListWidget) -> list[QListWidgetItem]:
    return [items.item(row) for row in range(items.count()) if items.item(row).checkState() == Qt.CheckState.Checked]
