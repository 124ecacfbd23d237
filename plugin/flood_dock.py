"""The dock "Trực ban ngập lụt": from the pasted bulletin to stations, preview, report, and corrections of the flooded area."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from pathlib import Path
from typing import Any

from qgis.core import Qgis, QgsProcessingContext, QgsProject, QgsRasterLayer
from qgis.gui import QgisInterface, QgsDockWidget
from qgis.PyQt.QtCore import Qt, QTimer
from qgis.PyQt.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QPlainTextEdit,
    QPushButton,
    QSplitter,
    QTabWidget,
    QTextBrowser,
    QVBoxLayout,
    QWidget,
)

from ..processing_algorithms.common.errors import Cancelled, InputError, QuyHoachError
from ..processing_algorithms.common.language import say
from ..processing_algorithms.common.numbers_vi import format_number
from ..processing_algorithms.common.qgis_algorithm import PLUGIN_FOLDER
from ..processing_algorithms.common.qgis_layers import part_of_layer
from .algorithm_run import HeardFeedback, RunBeside, run_here
from .data_dialog import DataDialog
from .dataset_layers import DatasetLayers
from .flood_corrections_page import TABLE, CorrectionsPage
from .flood_layers import DATASETS, report_layers
from .flood_preview_layer import PreviewLayer, preview_job
from .flood_readings import ReadingsTable
from .flood_report_page import ReportPage
from .tasks import Desk, Work

#: Milliseconds the map must stand still before a preview follows it.
_STILL = 400
_CORRECTED = "do_sau_ngap_da_chinh.tif"


class FloodDock(QgsDockWidget):
    """See the module."""

    def __init__(self, iface: QgisInterface):
        super().__init__(say("Trực ban ngập lụt", "Flood desk"), iface.mainWindow())
        self.setObjectName("QuyHoachFloodDock")
        self.setAllowedAreas(Qt.DockWidgetArea.LeftDockWidgetArea | Qt.DockWidgetArea.RightDockWidgetArea)
        self._iface = iface
        self._desk = Desk(iface, self.windowTitle())
        self._layers = DatasetLayers()
        self._preview = PreviewLayer()
        self._previewing: Work | None = None
        self._again = False
        self._bulletin: Any = None
        self._feedback: HeardFeedback | None = None
        self._correcting: RunBeside | None = None
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_STILL)
        self._timer.timeout.connect(lambda: self._attempt(self._show_preview))
        self._build()
        iface.mapCanvas().extentsChanged.connect(self._moved)

    # widgets ------------------------------------------------------------------------------------------------------

    def _build(self) -> None:
        self.pages = QTabWidget()
        self.report, self.corrections = (
            ReportPage(),
            CorrectionsPage(self._iface, lambda: Path(self.report.folder.text().strip() or "."), self._warn),
        )
        self.pages.addTab(self._bulletin_page(), say("1. Bản tin", "1. Bulletin"))
        self.pages.addTab(self.report, say("2. Báo cáo", "2. Report"))
        self.pages.addTab(self.corrections, say("3. Chỉnh vùng ngập", "3. Corrections"))
        self.report.run_wanted.connect(lambda: self._attempt(self._run))
        self.report.stop_wanted.connect(self._stop)
        self.report.show_wanted.connect(
            lambda: self._add_depth(self.report.results["DEPTH"], say("Độ sâu ngập (báo cáo)", "Flood depth (report)"))
        )
        self.report.folder.editingFinished.connect(self.corrections.show_list)
        self.corrections.apply_wanted.connect(lambda: self._attempt(self._correct))
        self.setWidget(self.pages)
        self.setMinimumWidth(430)

    def _bulletin_page(self) -> QWidget:
        self.text = QPlainTextEdit()
        self.text.setObjectName("bulletin")
        self.text.setPlaceholderText(
            say("Dán nguyên văn bản tin lũ, bảng hoặc tin nhắn", "Paste the flood bulletin, table or message as it is")
        )
        read, file, data = (
            QPushButton(text)
            for text in (say("Đọc bản tin", "Read"), say("Mở tệp…", "Open a file…"), say("Nguồn dữ liệu…", "Data…"))
        )
        for button, name, action in (
            (read, "read", self._read),
            (file, "open_file", self._open_file),
            (data, "data", self._choose_data),
        ):
            button.setObjectName(name)
            button.clicked.connect(lambda _=False, action=action: self._attempt(action))
        top = QHBoxLayout()
        for button in (data, file, read):
            top.addWidget(button, 1 if button is read else 0)
        self.table = ReadingsTable()
        self.table.corrected.connect(self._corrected)
        self.table.refused.connect(self._warn)
        self.questions = QTextBrowser()
        self.questions.setObjectName("questions")
        self.seen = QCheckBox(
            say("Đã xem các câu hỏi; dùng số liệu trong bảng", "Questions are seen; use the figures of the table")
        )
        self.seen.setObjectName("questions_seen")
        self.seen.hide()
        self.which = QComboBox()
        self.which.setObjectName("which")
        self.which.addItems(
            [
                say("Mực cao nhất, kể cả dự báo", "The highest, forecasts included"),
                say("Thực đo mới nhất", "The latest observed"),
            ]
        )
        self.which.currentIndexChanged.connect(self._corrected)
        self.follow = QCheckBox(say("Theo khung nhìn", "Follow the view"))
        self.follow.setObjectName("follow")
        preview, away = QPushButton(say("Xem nhanh độ sâu", "Preview the depth")), QPushButton(say("Bỏ", "Remove"))
        preview.setObjectName("preview")
        preview.clicked.connect(lambda: self._attempt(self._show_preview))
        away.setObjectName("remove_preview")
        away.clicked.connect(self._preview.remove)
        row = QHBoxLayout()
        for part in (self.which, self.follow, preview, away):
            row.addWidget(part)
        self.status = QLabel()
        self.status.setObjectName("status")
        self.status.setWordWrap(True)
        parts = QSplitter(Qt.Orientation.Vertical)
        head, middle = QWidget(), QWidget()
        for holder, inside in ((head, (self.text, top)), (middle, (self.table,))):
            layout = QVBoxLayout(holder)
            layout.setContentsMargins(0, 0, 0, 0)
            for part in inside:
                layout.addLayout(part) if isinstance(part, QHBoxLayout) else layout.addWidget(part)
        for part in (head, middle, self.questions):
            parts.addWidget(part)
        parts.setSizes([190, 220, 150])
        page = QWidget()
        layout = QVBoxLayout(page)
        layout.addWidget(parts, 1)
        layout.addWidget(self.seen)
        layout.addLayout(row)
        layout.addWidget(self.status)
        return page

    # the bulletin -------------------------------------------------------------------------------------------------

    def _stations(self) -> Any:
        gauge = self._layers.layer("gauge")
        if gauge is None:
            raise InputError(say("Chưa có lớp trạm thủy văn: bấm \"Nguồn dữ liệu\" và chọn bản dữ liệu làm việc, cơ sở dữ liệu hoặc lớp.",
                                 "There is no layer of gauges: press \"Data\" and choose a working copy, a database or a layer."))
        from ..processing_algorithms.disaster.bulletin.stations import read_stations

        return read_stations(part_of_layer(gauge).read(), gauge.name())

    def _read(self) -> None:
        from ..processing_algorithms.disaster.bulletin.bulletin import read_bulletin

        stations = self._stations()
        self._bulletin = read_bulletin(self.text.toPlainText(), stations, today=datetime.date.today())
        self.table.show_bulletin(self._bulletin, stations)
        self.seen.setChecked(False)
        self.seen.setVisible(bool(self._bulletin.questions))
        self._tell_questions()
        self._corrected()

    def _tell_questions(self) -> None:
        from html import escape

        found = self._bulletin
        count = len(found.questions)
        head = say("Đọc được {n} số liệu.", "{n} readings.").format(n=len(found.readings))
        if found.issued is not None:
            head += say(" Tin phát lúc {t}.", " Issued at {t}.").format(t=f"{found.issued:%H:%M %d/%m/%Y}")
        parts = [f"<p>{head}</p>"]
        if count:
            parts.append("<p><b style='color:#b3261e'>" + say("Có {n} chỗ cần hỏi lại. Hỏi đơn vị phát tin, hoặc sửa mực nước trong bảng (bấm đúp vào ô), rồi đánh dấu bên dưới:",
                         "{n} questions. Ask who issued it, or correct the level in the table (double click), then tick below:").format(n=count) + "</b></p>")
            parts += [
                f"<p style='margin-left:8px'>{at}. {escape(text)}</p>" for at, text in enumerate(found.questions, 1)
            ]
        if found.notes:
            parts.append("<p><b>" + say("Đã hiểu như sau:", "Taken to mean:") + "</b></p>")
            parts += [f"<p style='margin-left:8px;color:#6b6b6b'>{escape(text)}</p>" for text in found.notes]
        self.questions.setHtml("".join(parts))

    def _open_file(self) -> None:
        from ..processing_algorithms.disaster.bulletin.bulletin_file import read_bulletin_file

        gauge = self._layers.layer("gauge")
        beside = (
            str(Path(gauge.source().split("|")[0]).parent)
            if gauge is not None and gauge.providerType() == "ogr"
            else ""
        )
        path, _ = QFileDialog.getOpenFileName(
            self,
            say("Tệp bản tin", "Bulletin file"),
            beside,
            say("Bản tin (*.txt *.docx *.xlsx)", "Bulletins (*.txt *.docx *.xlsx)"),
        )
        if path:
            self.text.setPlainText(read_bulletin_file(path))
            self._read()

    def _readings(self) -> list[Any]:
        from ..processing_algorithms.disaster.bulletin.bulletin_levels import Readings, chosen

        if self._bulletin is None:
            raise InputError(say("Hãy dán bản tin và bấm \"Đọc bản tin\".", "Paste a bulletin and press \"Read\"."))
        found = chosen(self.table.readings(), (Readings.HIGHEST, Readings.LATEST_OBSERVED)[self.which.currentIndex()])
        if not found:
            raise InputError(say("Không có mực nước nào được chọn; hãy đánh dấu trạm hoặc chọn \"Mực cao nhất\".", "No level is chosen; tick a gauge or choose \"The highest\"."))
        return found

    def _corrected(self, *_: object) -> None:
        if self.follow.isChecked():
            self._timer.start()

    # preview ------------------------------------------------------------------------------------------------------

    def _moved(self) -> None:
        if self.follow.isChecked() and self._bulletin is not None and self.isUserVisible():
            self._timer.start()

    def _show_preview(self) -> None:
        if self._previewing is not None:
            self._again = True  # the newest view is shown when this one is done
            return
        job = preview_job(self._iface.mapCanvas(), self._layers, self._readings(), self._preview.next_path())
        self.status.setText(say("Đang tính xem nhanh…", "Computing the preview…"))
        begun = datetime.datetime.now()

        def ended() -> None:
            self._previewing = None
            if self._again:
                self._again = False
                self._timer.start()

        def done(result: Any) -> None:
            path, found = result
            self._preview.show(path)
            seconds = (datetime.datetime.now() - begun).total_seconds()
            self.status.setText(say("Xem nhanh: ô {c} m, {s} giây. Số liệu chính thức là của báo cáo.", "Preview: cells of {c} m, {s} s. What counts is the report.")
                                .format(c=format_number(found.cell_m, 1), s=format_number(seconds, 1)))
            ended()

        def failed(error: BaseException) -> None:
            ended()
            if isinstance(error, QuyHoachError):
                self.status.setText(str(error))
            else:
                self._desk.tell_failure(error)

        self._previewing = self._desk.start_quietly(job, done, failed)

    # report -------------------------------------------------------------------------------------------------------

    def _bulletin_text(self) -> str:
        """The bulletin as pasted; rewritten where a person has corrected it or left its questions behind."""
        from ..processing_algorithms.disaster.bulletin.bulletin_text import write_bulletin

        if self._bulletin is None:
            self._read()
        self._readings()
        if self._bulletin.questions and not self.seen.isChecked():
            self.pages.setCurrentIndex(0)
            raise InputError(say("Bản tin còn {n} chỗ cần hỏi lại; hãy xem, sửa trong bảng rồi đánh dấu \"Đã xem các câu hỏi\".",
                                 "The bulletin leaves {n} questions; look at them, correct the table and tick \"Questions are seen\".").format(n=len(self._bulletin.questions)))
        if self._bulletin.questions or self.table.by_hand:
            return write_bulletin(self.table.readings(), self._bulletin.issued)
        return self.text.toPlainText()

    def _run(self) -> None:
        if self._feedback is not None:
            return
        values = {
            "TEXT": self._bulletin_text(),
            "READINGS": self.which.currentIndex(),
            **report_layers(self._layers),
            **self.report.parameters(),
        }
        # Layouts are printed in the main thread; the window stays alive through progress, and only what would disturb the run is shut.
        self._feedback = HeardFeedback(lambda percent: self.report.bar.setValue(int(percent)))
        self.report.busy(True)
        try:
            results = run_here("quyhoach:floodreport", values, QgsProcessingContext(), self._feedback)
        except Cancelled as error:
            self.report.message.setPlainText(str(error))
        except QuyHoachError as error:
            self.report.message.setPlainText(str(error))
            raise
        else:
            self.report.show_results(results)
            self.corrections.show_list()
            self._desk.tell(say("Đã lập xong phụ lục báo cáo nhanh.", "The report is made."))
        finally:
            self._feedback = None
            self.report.busy(False)

    def _stop(self) -> None:
        if self._feedback is not None:
            self._feedback.cancel()

    def _add_depth(self, path: str, name: str) -> None:
        for layer in list(QgsProject.instance().mapLayers().values()):
            if layer.source() == path:
                QgsProject.instance().removeMapLayer(layer.id())
        layer = QgsRasterLayer(path, name)
        layer.loadNamedStyle(str(PLUGIN_FOLDER / "styles" / "disaster" / "flood_depth.qml"))
        root = QgsProject.instance().layerTreeRoot()
        for other in root.findLayers():  # one depth over the other tells neither
            if isinstance(other.layer(), QgsRasterLayer) and Path(other.layer().source()).parent == Path(path).parent:
                other.setItemVisibilityChecked(False)
        QgsProject.instance().addMapLayer(layer, False)
        drawings = self.corrections.layer()
        above = 0 if drawings is None or root.children()[:1] != [root.findLayer(drawings.id())] else 1
        root.insertLayer(above, layer)
        self._preview.remove()

    # corrections --------------------------------------------------------------------------------------------------

    def _correct(self) -> None:
        if self._correcting is not None:
            return
        folder = Path(self.report.folder.text().strip())
        depth, terrain = folder / "do_sau_ngap.tif", self._layers.raster("terrain")
        if not depth.exists() or terrain is None:
            raise InputError(say("Chưa có bản đồ ngập trong thư mục báo cáo hoặc chưa chọn địa hình; hãy lập báo cáo trước.",
                                 "There is no flood map in the report's folder, or no terrain is chosen; make the report first."))
        if not self.corrections.path.exists() or not self.corrections.list.count():
            raise InputError(say("Chưa khoanh vùng nào.", "Nothing is drawn yet."))
        values = {"DEPTH": str(depth), "TERRAIN": terrain.source(), "CORRECTIONS": f"{self.corrections.path}|layername={TABLE}", "STATE_FIELD": "state",
                  "AUTHOR_FIELD": "author", "TIME_FIELD": "drawn_at", "DEPTH_FIELD": "depth_m", "OUTPUT": str(folder / _CORRECTED)}
        self._correcting = RunBeside(
            "quyhoach:floodcorrect",
            values,
            QgsProcessingContext(),
            done=self._corrected_map,
            failed=self._not_corrected,
        )

    def _corrected_map(self, results: dict[str, Any]) -> None:
        self._correcting = None
        self._add_depth(results["OUTPUT"], say("Độ sâu ngập đã chỉnh", "Corrected flood depth"))
        self._desk.tell(
            say("Đã chỉnh: thêm ngập {w} ha, bỏ ngập {d} ha.", "Corrected: {w} ha made wet, {d} ha made dry.").format(
                w=format_number(results["WETTED_AREA"] / 10_000, 2), d=format_number(results["DRIED_AREA"] / 10_000, 2)
            )
        )

    def _not_corrected(self, error: QuyHoachError) -> None:
        self._correcting = None
        self._warn(str(error))

    # manners ------------------------------------------------------------------------------------------------------

    def _choose_data(self) -> None:
        dialog = DataDialog(self._layers, DATASETS, self)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.open()

    def _attempt(self, action: Callable[[], None]) -> None:
        try:
            action()
        except QuyHoachError as error:
            self._warn(str(error))

    def _warn(self, text: str) -> None:
        self.status.setText(text)
        self._desk.tell(text, Qgis.MessageLevel.Warning)

    def close_down(self) -> None:
        """Leave nothing behind."""
        self._timer.stop()
        self._iface.mapCanvas().extentsChanged.disconnect(self._moved)
        if self._feedback is not None:
            self._feedback.cancel()
        if self._correcting is not None:
            self._correcting.forget()
        self.corrections.close_down()
        self._desk.close()
        self._preview.close()
        self._layers.close()
        self._iface.removeDockWidget(self)
        self.deleteLater()
