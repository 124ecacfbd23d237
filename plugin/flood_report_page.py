"""The page that makes the report: what is typed for it, the run with progress and stop, and what to do with its files."""

from __future__ import annotations

import datetime
import shutil
import time
from pathlib import Path
from typing import Any

from qgis.core import QgsApplication, QgsSettings
from qgis.PyQt.QtCore import QStandardPaths, QUrl, pyqtSignal
from qgis.PyQt.QtGui import QDesktopServices
from qgis.PyQt.QtWidgets import (
    QApplication,
    QFileDialog,
    QFormLayout,
    QGridLayout,
    QHBoxLayout,
    QLineEdit,
    QPlainTextEdit,
    QProgressBar,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from ..processing_algorithms.common.errors import InputError
from ..processing_algorithms.common.language import say
from ..processing_algorithms.common.numbers_vi import parse_number

_SETTINGS = "quyhoach/flood"
#: A report no older than this is compared with, seconds.
_SAME_FLOOD_S = 3 * 24 * 3600


def _default(key: str) -> str:
    """Return what the algorithm prints where nothing is typed."""
    algorithm = QgsApplication.processingRegistry().algorithmById("quyhoach:floodreport")
    return str(algorithm.parameterDefinition(key).defaultValue() or "")


def _last_report() -> str:
    """Return the report of the last days; an older one is of another flood."""
    last = Path(QgsSettings().value(f"{_SETTINGS}/PREVIOUS", "", str))
    young = last.suffix == ".gpkg" and last.exists() and time.time() - last.stat().st_mtime < _SAME_FLOOD_S
    return str(last) if young else ""


class ReportPage(QWidget):
    """Asks for what only people know; `run_wanted` and `stop_wanted` go to the desk."""

    run_wanted = pyqtSignal()
    stop_wanted = pyqtSignal()
    show_wanted = pyqtSignal()

    def __init__(self) -> None:
        super().__init__()
        self.results: dict[str, Any] = {}
        documents = QStandardPaths.writableLocation(QStandardPaths.StandardLocation.DocumentsLocation)
        self.fields: dict[str, QLineEdit] = {}
        form = QFormLayout()
        for key, label, default, hint in (
            ("PLACE", say("Địa bàn", "Place"), "", say("ví dụ: đô thị Lam Trạch", "such as a town")),
            (
                "RISK_LEVEL",
                say("Cấp độ rủi ro thiên tai", "Disaster risk level"),
                "",
                say("như bản tin dự báo, không tính ra", "as announced, never computed"),
            ),
            ("TERRAIN_ERROR", say("Sai số địa hình (m)", "Error of the terrain (m)"), "0,3", ""),
            ("AGENCY", say("Cơ quan lập", "Agency"), _default("AGENCY"), ""),
        ):
            field = QLineEdit(
                default if key == "RISK_LEVEL" else QgsSettings().value(f"{_SETTINGS}/{key}", default, str)
            )
            field.setObjectName(key.lower())
            field.setPlaceholderText(hint)
            self.fields[key] = field
            form.addRow(label, field)
        self.reported = QPlainTextEdit()
        self.reported.setObjectName("reported")
        self.reported.setMaximumHeight(54)
        self.reported.setPlaceholderText(
            say("Thiệt hại do địa phương báo cáo, in ở mục riêng", "Damage as reported, printed apart")
        )
        form.addRow(say("Đã báo cáo", "Reported"), self.reported)
        self.folder = QLineEdit(QgsSettings().value(f"{_SETTINGS}/FOLDER", str(Path(documents) / "bao_cao_ngap"), str))
        self.folder.setObjectName("report_folder")
        browse = QPushButton("…")
        browse.clicked.connect(self._browse)
        row = QHBoxLayout()
        row.addWidget(self.folder, 1)
        row.addWidget(browse)
        form.addRow(say("Thư mục báo cáo", "Folder"), row)
        self.previous = QLineEdit(_last_report())
        self.previous.setObjectName("previous")
        self.previous.setPlaceholderText(
            say(
                "bao_cao.gpkg của báo cáo trước, để nêu thay đổi",
                "bao_cao.gpkg of the last report, to tell what changed",
            )
        )
        form.addRow(say("Báo cáo trước", "Last report"), self.previous)
        self.run = QPushButton(say("Lập phụ lục báo cáo nhanh", "Make the report"))
        self.run.setObjectName("run_report")
        self.run.clicked.connect(self.run_wanted.emit)
        self.stop = QPushButton(say("Dừng", "Stop"))
        self.stop.setObjectName("stop_report")
        self.stop.clicked.connect(self.stop_wanted.emit)
        self.stop.setEnabled(False)
        self.bar = QProgressBar()
        self.bar.setValue(0)
        go = QHBoxLayout()
        go.addWidget(self.run, 1)
        go.addWidget(self.stop)
        self.message = QPlainTextEdit()
        self.message.setObjectName("message")
        self.message.setReadOnly(True)
        grid = QGridLayout()
        self.after: list[QPushButton] = []
        for place, (name, text, action) in enumerate(
            (
                ("open_pdf", say("Mở phụ lục PDF", "Open the PDF"), lambda: self._open("PDF")),
                ("copy_message", say("Sao chép mười dòng", "Copy the ten lines"), self._copy),
                ("save_picture", say("Lưu ảnh điện thoại…", "Save the picture…"), self._save_picture),
                ("show_on_map", say("Xem trên bản đồ", "Show on the map"), self.show_wanted.emit),
                ("open_xlsx", say("Mở bảng số liệu", "Open the tables"), lambda: self._open("XLSX")),
                ("open_folder", say("Mở thư mục", "Open the folder"), lambda: self._open("OUTPUT")),
            )
        ):
            button = QPushButton(text)
            button.setObjectName(name)
            button.clicked.connect(lambda _=False, action=action: action())
            button.setEnabled(False)
            self.after.append(button)
            grid.addWidget(button, place // 2, place % 2)
        layout = QVBoxLayout(self)
        layout.addLayout(form)
        layout.addLayout(go)
        layout.addWidget(self.bar)
        layout.addWidget(self.message, 1)
        layout.addLayout(grid)

    def parameters(self) -> dict[str, Any]:
        """Return what is typed, as the algorithm takes it, and remember it for tomorrow.

        Raises
        ------
        InputError
            No folder, or an error of the terrain that is no number.
        """
        folder = self.folder.text().strip()
        if not folder:
            raise InputError(say("Hãy chọn thư mục báo cáo.", "Choose the folder of the report."))
        error = parse_number(self.fields["TERRAIN_ERROR"].text() or "0")
        for key, field in self.fields.items():
            if key != "RISK_LEVEL":  # announced anew with every bulletin
                QgsSettings().setValue(f"{_SETTINGS}/{key}", field.text())
        QgsSettings().setValue(f"{_SETTINGS}/FOLDER", folder)
        values: dict[str, Any] = {key: field.text().strip() for key, field in self.fields.items()}
        values |= {"TERRAIN_ERROR": error, "REPORTED": self.reported.toPlainText().strip(), "OUTPUT": folder}
        if self.previous.text().strip():
            values["PREVIOUS"] = self.previous.text().strip()
        return values

    def busy(self, running: bool) -> None:
        """Show that a run has begun or ended."""
        self.run.setEnabled(not running)
        self.stop.setEnabled(running)
        if running:
            self.bar.setValue(0)
            self.message.setPlainText(say("Đang lập báo cáo…", "Making the report…"))

    def show_results(self, results: dict[str, Any]) -> None:
        """Show the ten lines, and what can be done with the files."""
        self.results = results
        self.message.setPlainText(results["MESSAGE"])
        QgsSettings().setValue(f"{_SETTINGS}/PREVIOUS", results["GPKG"])
        self.previous.setText(results["GPKG"])
        for button in self.after:
            button.setEnabled(True)

    def _browse(self) -> None:
        path = QFileDialog.getExistingDirectory(
            self, say("Thư mục báo cáo", "Folder of the report"), self.folder.text()
        )
        if path:
            self.folder.setText(path)

    def _open(self, key: str) -> None:
        QDesktopServices.openUrl(QUrl.fromLocalFile(self.results[key]))

    def _copy(self) -> None:
        QApplication.clipboard().setText(self.results["MESSAGE"])

    def _save_picture(self) -> None:
        name = f"ngap_lut_{datetime.datetime.now():%Y%m%d_%H%M}.png"
        target, _ = QFileDialog.getSaveFileName(self, say("Lưu ảnh điện thoại", "Save the picture for the telephone"),
                                                str(Path(self.folder.text()).parent / name), "PNG (*.png)")
        if target:
            self.save_picture_to(target)

    def save_picture_to(self, target: str) -> None:
        """Copy the picture to where a person wants it."""
        try:
            shutil.copyfile(self.results["PNG"], target)
        except OSError as error:
            self.message.appendPlainText(
                say("Không lưu được ảnh: {why}", "The picture cannot be saved: {why}").format(why=error)
            )
