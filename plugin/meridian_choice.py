"""A list of VN-2000 systems as people know them: central meridian, zone width, and whose it is or was."""

from __future__ import annotations

from qgis.core import QgsCoordinateReferenceSystem
from qgis.PyQt.QtCore import pyqtSignal
from qgis.PyQt.QtWidgets import QComboBox, QLabel, QVBoxLayout, QWidget

from ..processing_algorithms.common.language import say
from ..processing_algorithms.common.norms import load_table
from ..processing_algorithms.common.numbers_vi import format_number


class MeridianChoice(QWidget):
    """Asks for the system of typed coordinates; nothing is chosen beforehand, since coordinates do not tell it."""

    changed = pyqtSignal()

    def __init__(self) -> None:
        super().__init__()
        self._whose: dict[int, str] = {}
        self.systems = QComboBox()
        self.systems.setObjectName("meridian")
        self.systems.addItem(say("Chọn kinh tuyến trục của tọa độ…", "Choose the meridian of the coordinates…"), None)
        provinces = load_table("vn2000_zones", on=None).rows
        for row in load_table("vn2000_systems", on=None).rows:
            code = int(row["epsg"])
            label = say("Kinh tuyến trục {m}, múi {w}°", "Central meridian {m}, zone of {w}°").format(
                m=str(row["central_meridian"]).replace("'", "′"), w=format_number(float(row["zone_width_deg"])))
            self.systems.addItem(label, code)
            new = list(
                dict.fromkeys(str(one["province_new"]) for one in provinces if int(one["epsg_new"] or 0) == code)
            )
            old = [str(one["province_old"]) for one in provinces if int(one["epsg"] or 0) == code]
            self._whose[code] = "\n".join(part for part in (
                say("Từ 7/2025: {names}", "Since July 2025: {names}").format(names=", ".join(new)) if new else "",
                say("Trước 7/2025: {names}", "Before July 2025: {names}").format(names=", ".join(old)) if old else "") if part)
        self._told = QLabel()
        self._told.setWordWrap(True)
        self._told.setStyleSheet("color: #6b6b6b")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.systems)
        layout.addWidget(self._told)
        self.systems.currentIndexChanged.connect(self._tell)

    def _tell(self) -> None:
        self._told.setText(self._whose.get(self.systems.currentData() or 0, ""))
        self.changed.emit()

    def crs(self) -> QgsCoordinateReferenceSystem | None:
        """Return the system chosen, or None."""
        code = self.systems.currentData()
        return None if code is None else QgsCoordinateReferenceSystem.fromEpsgId(code)
