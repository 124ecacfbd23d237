"""What a new user sees first: is this machine ready, the sample town in one click, three things to try."""

from __future__ import annotations

from typing import Any

import processing
from qgis.core import Qgis, QgsProject
from qgis.gui import QgisInterface
from qgis.PyQt.QtCore import Qt, QUrl
from qgis.PyQt.QtGui import QDesktopServices, QIcon
from qgis.PyQt.QtWidgets import (
    QCheckBox,
    QDialog,
    QDialogButtonBox,
    QGridLayout,
    QGroupBox,
    QLabel,
    QPushButton,
    QVBoxLayout,
)

from ..processing_algorithms.common.errors import QuyHoachError
from ..processing_algorithms.common.language import say
from ..processing_algorithms.common.qgis_algorithm import PLUGIN_FOLDER
from ..processing_algorithms.common.qgis_help import index_page
from ..processing_algorithms.common.qgis_readiness import readiness

_ICONS = PLUGIN_FOLDER / "plugin" / "icons"
_GOOD, _BAD = "#1a7f37", "#b42318"


class StartDialog(QDialog):
    """Not modal: people look at the map while they read it."""

    def __init__(self, iface: QgisInterface, show_again: bool):
        super().__init__(iface.mainWindow())
        self._iface = iface
        self.setObjectName("quyhoach_start")
        self.setWindowTitle(say("QuyHoạch: bắt đầu", "QuyHoach: start"))
        self.setWindowIcon(QIcon(str(_ICONS / "quyhoach.svg")))
        rows = QVBoxLayout(self)
        rows.addWidget(self._checks())
        rows.addWidget(self._sample())
        rows.addWidget(self._tries())
        self.again = QCheckBox(say("Hiện hộp thoại này khi mở QGIS", "Show this when QGIS starts"))
        self.again.setChecked(show_again)
        rows.addWidget(self.again)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close | QDialogButtonBox.StandardButton.Help)
        buttons.button(QDialogButtonBox.StandardButton.Close).setText(say("Đóng", "Close"))
        buttons.button(QDialogButtonBox.StandardButton.Help).setText(say("Hướng dẫn", "Help"))
        buttons.rejected.connect(self.close)
        buttons.helpRequested.connect(open_help)
        rows.addWidget(buttons)
        self.resize(640, 560)

    def _checks(self) -> QGroupBox:
        box = QGroupBox(say("Máy này đã sẵn sàng chưa", "Is this machine ready"))
        grid = QGridLayout(box)
        for row, check in enumerate(readiness(QgsProject.instance())):
            colour, sign = (_GOOD, "✓") if check.good else (_BAD, "✗")
            mark = QLabel(f'<span style="color:{colour}; font-size:14pt"><b>{sign}</b></span>')
            told = QLabel(check.told)
            told.setWordWrap(True)
            told.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            for column, label in enumerate((mark, QLabel(f"<b>{check.what}</b>"), told)):
                grid.addWidget(label, row, column, Qt.AlignmentFlag.AlignTop)
        grid.setColumnStretch(2, 1)
        return box

    def _sample(self) -> QGroupBox:
        box = QGroupBox(say("Đô thị mẫu", "Sample town"))
        rows = QVBoxLayout(box)
        text = QLabel(say("Một đô thị giả định với đủ các lớp: thửa đất, quy hoạch, đường, nhà, sông, địa hình; có vài lỗi cố ý để thử các "
                          "phép kiểm tra. Bản sao nằm trong hồ sơ QGIS của bạn, sửa thoải mái.",
                          "A made-up town with all layers: parcels, plans, roads, houses, river, terrain; with a few faults on purpose for the "
                          "checks to find. It is a copy in your QGIS profile: edit it freely."))
        text.setWordWrap(True)
        self.sample_button = QPushButton(
            QIcon(str(_ICONS / "openlayers.svg")), say("Mở đô thị mẫu", "Open the sample town")
        )
        self.sample_button.clicked.connect(self.open_sample)
        rows.addWidget(text)
        rows.addWidget(self.sample_button)
        self.folder = QLabel()
        self.folder.setTextFormat(Qt.TextFormat.RichText)
        self.folder.setWordWrap(True)
        self.folder.setTextInteractionFlags(Qt.TextInteractionFlag.TextBrowserInteraction)
        self.folder.linkActivated.connect(lambda link: QDesktopServices.openUrl(QUrl(link)))
        rows.addWidget(self.folder)
        self._tell_folder()
        return box

    def _tell_folder(self) -> None:
        """Where the copy lies, for whoever has to choose its files in a dialog."""
        from .sample import folder_of_sample

        folder = folder_of_sample()
        self.folder.setVisible(folder.is_dir())
        self.folder.setText(say("Tệp của đô thị mẫu: {link}", "Files of the sample town: {link}").format(
            link=f'<a href="{QUrl.fromLocalFile(str(folder)).toString()}">{folder}</a>'))

    def _tries(self) -> QGroupBox:
        box = QGroupBox(say("Ba việc nên thử trên đô thị mẫu", "Three things to try on the sample town"))
        rows = QVBoxLayout(box)
        self.tries: dict[str, QPushButton] = {}
        for identity, text in (
            ("parcelzoning", say("Thửa đất nằm trong ô quy hoạch nào, bao nhiêu m²", "In which zone each parcel lies, and how many m²")),
            ("floodreport", say("Từ bản tin lũ mẫu đến phụ lục báo cáo nhanh và ảnh cho điện thoại", "From the sample bulletin to the annex and a picture for the telephone")),
            ("landusechangematrix", say("Đất nào đã chuyển sang đất nào từ 2020 đến 2025", "What land became what from 2020 to 2025")),
        ):
            icon = _ICONS / f"{identity}.svg"
            button = QPushButton(QIcon(str(icon)), text)
            button.setStyleSheet("text-align: left; padding: 5px")
            button.clicked.connect(lambda _, identity=identity: self.attempt(identity))
            rows.addWidget(button)
            self.tries[identity] = button
        return box

    def open_sample(self) -> bool:
        """Open the town; what hinders it is told in the message bar."""
        from .sample import open_sample

        try:
            opened = open_sample(self._iface)
        except (QuyHoachError, OSError) as error:
            self._iface.messageBar().pushMessage(self.sample_button.text(), str(error), Qgis.MessageLevel.Critical, 0)
            return False
        self._tell_folder()
        return opened

    def attempt(self, identity: str) -> None:
        """Open the dialog of an algorithm, filled in for the sample town."""
        dialog = processing.createAlgorithmDialog(f"quyhoach:{identity}", sample_parameters(identity))
        if dialog is not None:
            dialog.show()


def sample_parameters(identity: str) -> dict[str, Any]:
    """Return the parameters that make sense for the sample town."""
    from .sample import sample_folder

    folder = sample_folder()

    def layer(name: str) -> str:
        return f"{folder / 'town.gpkg'}|layername={name}"

    return {
        "parcelzoning": {"PARCELS": layer("parcel"), "ZONES": layer("zone|subset=plan_ref = 'QPK-TT-2035'"), "ZONE_FIELD": "function_code", "SCALE": 2000,
                         "OUTPUT": "TEMPORARY_OUTPUT"},
        "floodreport": {
            "TEXT": (folder / "bulletin_alarm_3.txt").read_text("utf-8"), "TERRAIN": str(folder / "terrain.tif"), "STATIONS": layer("gauge"),
            "SOURCE": layer("river|subset=kind = 'river'"), "RIVERS": layer("river_axis"), "DYKES": layer("dyke"), "BUILDINGS": layer("building"),
            "UNITS": layer("administrative_unit|subset=valid_to IS NULL"), "HAMLETS": layer("hamlet"), "ROADS": layer("road"),
            "FACILITIES": layer("facility"), "SHELTERS": layer("shelter"), "PLACE": "đô thị Lam Trạch"},
        "landusechangematrix": {"BEFORE": layer("land_use_2020"), "BEFORE_CODE": "land_code", "AFTER": layer("land_use_2025"),
                                "AFTER_CODE": "land_code", "MIN_AREA": 20, "OUTPUT": "TEMPORARY_OUTPUT"},
    }[identity]


def open_help() -> None:
    """Show the start page of the help."""
    QDesktopServices.openUrl(QUrl.fromLocalFile(str(index_page())))
