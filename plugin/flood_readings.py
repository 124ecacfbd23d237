"""The table of stations: what was read, in a row each, to be corrected by hand."""

from __future__ import annotations

from dataclasses import dataclass

from qgis.PyQt.QtCore import Qt, pyqtSignal
from qgis.PyQt.QtGui import QColor
from qgis.PyQt.QtWidgets import QAbstractItemView, QHeaderView, QTableWidget, QTableWidgetItem, QWidget

from ..processing_algorithms.common.errors import InputError
from ..processing_algorithms.common.language import say
from ..processing_algorithms.common.numbers_vi import format_number
from ..processing_algorithms.disaster.bulletin.bulletin import Bulletin, Reading
from ..processing_algorithms.disaster.bulletin.bulletin_text import level_text, typed_reading, with_level
from ..processing_algorithms.disaster.bulletin.stations import Station

_LEVEL = 3
#: Alarm level to colour of the cell; the words say the same.
_ALARMS = {1: "#fff3c4", 2: "#ffd9a8", 3: "#f7b5ae"}


@dataclass
class Row:
    """A station with what is known of its level; ``used`` as ticked."""

    station: Station
    reading: Reading | None
    used: bool
    by_hand: bool = False


class ReadingsTable(QTableWidget):
    """Shows readings; the column of the level takes typing, the first one a tick."""

    corrected = pyqtSignal()
    refused = pyqtSignal(str)

    def __init__(self, parent: QWidget | None = None):
        super().__init__(0, 7, parent)
        self.setObjectName("readings")
        self.rows: list[Row] = []
        self.setHorizontalHeaderLabels([say("Trạm", "Gauge"), say("Số liệu", "Reading"), say("Lúc", "Time"), say("Mực nước (m)", "Level (m)"),
                                        say("Báo động", "Alarm"), say("Lũ lịch sử", "Record"), say("Cao độ (m)", "Height (m)")])
        self.verticalHeader().hide()
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setEditTriggers(
            QAbstractItemView.EditTrigger.DoubleClicked
            | QAbstractItemView.EditTrigger.EditKeyPressed
            | QAbstractItemView.EditTrigger.AnyKeyPressed
        )
        self.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        self.horizontalHeader().setStretchLastSection(True)
        self.itemChanged.connect(self._changed)

    def show_bulletin(self, bulletin: Bulletin, stations: list[Station]) -> None:
        """List what was read, then the stations of which no observed level was: they take a typed one."""
        self.rows = [Row(reading.station, reading, reading.low_m is not None) for reading in bulletin.readings]
        told = {row.station.name for row in self.rows if not row.reading.forecast}
        self.rows += [Row(station, None, False) for station in stations if station.name not in told]
        self._fill()

    def readings(self) -> list[Reading]:
        """Return the readings that are ticked."""
        return [row.reading for row in self.rows if row.used and row.reading is not None]

    @property
    def by_hand(self) -> bool:
        """Whether anything differs from what the bulletin says."""
        return any(row.by_hand for row in self.rows)

    def _fill(self) -> None:
        self.blockSignals(True)
        self.setRowCount(len(self.rows))
        for at, row in enumerate(self.rows):
            self._fill_row(at, row)
        self.blockSignals(False)

    def _fill_row(self, at: int, row: Row) -> None:
        reading = row.reading
        kind = time = level = alarm = record = height = ""
        colour = None
        if reading is not None:
            kind = say("Dự báo", "Forecast") if reading.forecast else say("Thực đo", "Observed")
            time = f"{reading.time:%H:%M %d/%m}" if reading.time is not None else ""
            if reading.low_m is None:
                level = say("lưu lượng {q} m³/s", "discharge {q} m³/s").format(
                    q=format_number(reading.discharge_low_m3s)
                )
            else:
                level = level_text(reading.low_m, reading.high_m)
                reached, above = reading.above_alarm()
                known = [a for a in row.station.alarm_m if a is not None]
                alarm = say("chưa có mức báo động", "no alarm levels") if not known else say("dưới BĐ1", "below alarm 1") if not reached else say(
                    "trên BĐ{n} {x} m", "above alarm {n} by {x} m").format(n=reached, x=format_number(above, 2))
                colour = _ALARMS.get(reached)
                if row.station.record_m is not None:
                    gap = reading.level_m - row.station.record_m
                    record = f"{say('cao hơn', 'above') if gap > 0 else say('thấp hơn', 'below')} {format_number(abs(gap), 2)} m"
                high = row.station.height(reading.level_m)
                height = say("chưa có số \"0\"", "no gauge zero") if high is None else format_number(high, 2)
        else:
            kind = say("Chưa có thực đo", "None observed")
        texts = (row.station.name, kind, time, level, alarm, record, height)
        for column, text in enumerate(texts):
            item = QTableWidgetItem(text)
            flags = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable
            if column == 0:
                flags |= Qt.ItemFlag.ItemIsUserCheckable
                item.setCheckState(Qt.CheckState.Checked if row.used else Qt.CheckState.Unchecked)
            if column == _LEVEL:
                flags |= Qt.ItemFlag.ItemIsEditable
                if row.by_hand:
                    font = item.font()
                    font.setBold(True)
                    item.setFont(font)
            if column == 4 and colour:
                item.setBackground(QColor(colour))
                item.setForeground(QColor("#202020"))
            item.setFlags(flags)
            item.setToolTip(
                reading.quote
                if reading is not None
                else say("Gõ mực nước để thêm trạm này.", "Type a level to add this gauge.")
            )
            self.setItem(at, column, item)

    def _changed(self, item: QTableWidgetItem) -> None:
        row = self.rows[item.row()]
        if item.column() == 0:
            row.used = item.checkState() == Qt.CheckState.Checked and row.reading is not None
            row.by_hand = row.by_hand or row.reading is not None
        elif item.column() == _LEVEL:
            try:
                if item.text().strip():
                    time = next((one.reading.time for one in self.rows if one.reading is not None and one.reading.time is not None), None)
                    row.reading = (
                        typed_reading(row.station, item.text(), time)
                        if row.reading is None
                        else with_level(row.reading, item.text())
                    )
                    row.used = row.by_hand = True
                else:
                    row.used, row.by_hand = False, True
            except InputError as error:
                self.refused.emit(str(error))
        self.blockSignals(True)
        self._fill_row(item.row(), row)
        self.blockSignals(False)
        self.corrected.emit()
