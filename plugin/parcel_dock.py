"""The dock "Tra cứu thửa đất": click a parcel, search it, or paste coordinates; read what the plans say about it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from qgis.core import Qgis, QgsCoordinateTransform, QgsGeometry, QgsPointXY, QgsProject, QgsRectangle, QgsVectorLayer
from qgis.gui import QgisInterface, QgsDockWidget, QgsMapToolEmitPoint, QgsRubberBand
from qgis.PyQt.QtCore import QDate, Qt
from qgis.PyQt.QtGui import QColor, QIcon
from qgis.PyQt.QtWidgets import (
    QApplication,
    QComboBox,
    QDateEdit,
    QDialog,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QPushButton,
    QTabWidget,
    QTextBrowser,
    QVBoxLayout,
    QWidget,
)

from ..processing_algorithms.common.errors import InputError, QuyHoachError
from ..processing_algorithms.common.language import say
from ..processing_algorithms.common.qgis_layers import to_pyproj
from .data_dialog import DataDialog
from .dataset_layers import DatasetLayers
from .meridian_choice import MeridianChoice
from .parcel_answer import answer_html
from .parcel_data import Land, brief_job, corners_land, parcel_land
from .parcel_paper import PaperDialog
from .parcel_search import Commune, communes, parcel_at, parcels_of_number
from .tasks import Desk

_DATASETS = ("parcel", "plan", "zone", "constraint_overlay", "parcel_override", "administrative_unit", "building", "road")


#: Land that is a smaller part of the view than one in so many cannot be seen: the map goes there.
_SMALLEST = 15


class ParcelDock(QgsDockWidget):
    """See the module."""

    def __init__(self, iface: QgisInterface):
        super().__init__(say("Tra cứu thửa đất", "Parcel lookup"), iface.mainWindow())
        self.setObjectName("QuyHoachParcelDock")
        self.setAllowedAreas(Qt.DockWidgetArea.LeftDockWidgetArea | Qt.DockWidgetArea.RightDockWidgetArea)
        self._iface = iface
        self._desk = Desk(iface, self.windowTitle())
        self._layers = DatasetLayers()
        self._land: Land | None = None
        self._brief: Any = None
        self._asked = 0
        self._communes: list[Commune] = []
        self._tool = QgsMapToolEmitPoint(iface.mapCanvas())
        self._tool.canvasClicked.connect(self._clicked)
        self._band = QgsRubberBand(iface.mapCanvas(), Qgis.GeometryType.Polygon)
        self._band.setStrokeColor(QColor("#9c1f2e"))
        self._band.setFillColor(QColor(255, 216, 74, 60))
        self._band.setWidth(3)
        self._build()
        self._layers.changed.connect(self._list_communes)
        QgsProject.instance().layersAdded.connect(self._list_communes)
        QgsProject.instance().layerWillBeRemoved[str].connect(self._forget)
        self._list_communes()

    # widgets ------------------------------------------------------------------------------------------------------

    def _build(self) -> None:
        self.pick = QPushButton(QIcon(str(Path(__file__).parent / "icons" / "parcel_lookup.svg")), say("Bấm vào thửa trên bản đồ", "Click a parcel on the map"))
        self.pick.setObjectName("pick")
        self.pick.setCheckable(True)
        self.pick.clicked.connect(self._pick)
        self._tool.setButton(self.pick)
        data = QPushButton(say("Nguồn dữ liệu…", "Data…"))
        data.setObjectName("data")
        data.clicked.connect(self._choose_data)
        top = QHBoxLayout()
        top.addWidget(self.pick, 1)
        top.addWidget(data)
        self.tabs = QTabWidget()
        self.tabs.addTab(self._search_page(), say("Tìm tờ, số thửa", "Sheet and number"))
        self.tabs.addTab(self._coordinates_page(), say("Dán tọa độ", "Coordinates"))
        self.tabs.setMaximumHeight(245)
        self.day = QDateEdit(QDate.currentDate())
        self.day.setObjectName("day")
        self.day.setDisplayFormat("dd/MM/yyyy")
        self.day.setCalendarPopup(True)
        self.day.setToolTip(say("Ngày xét hiệu lực của quy hoạch.", "Day on which plans must be in force."))
        self.day.dateChanged.connect(lambda _: self._ask())
        when = QHBoxLayout()
        when.addWidget(QLabel(say("Ngày tra cứu", "Day")))
        when.addWidget(self.day, 1)
        self.answer = QTextBrowser()
        self.answer.setObjectName("answer")
        self.copy = QPushButton(say("Sao chép", "Copy"))
        self.copy.setObjectName("copy")
        self.copy.clicked.connect(self._copy)
        self.paper = QPushButton(say("Lập văn bản cung cấp thông tin…", "Planning-information paper…"))
        self.paper.setObjectName("paper")
        self.paper.clicked.connect(self._make_paper)
        bottom = QHBoxLayout()
        bottom.addWidget(self.copy)
        bottom.addWidget(self.paper, 1)
        widget = QWidget()
        layout = QVBoxLayout(widget)
        for part in (top, self.tabs, when, self.answer, bottom):
            layout.addLayout(part) if isinstance(part, QHBoxLayout) else layout.addWidget(part)
        layout.setStretchFactor(self.answer, 1)
        self.setWidget(widget)
        self.setMinimumWidth(360)
        self._show(None)
        self._say(say("Bấm vào một thửa trên bản đồ, tìm theo tờ và số thửa, hoặc dán tọa độ.", "Click a parcel, search by sheet and number, or paste coordinates."))

    def _search_page(self) -> QWidget:
        self.commune = QComboBox()
        self.commune.setObjectName("commune")
        self.commune.setEditable(True)
        self.commune.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
        self.commune.completer().setFilterMode(Qt.MatchFlag.MatchContains)
        self.commune.completer().setCompletionMode(self.commune.completer().CompletionMode.PopupCompletion)
        self.commune.lineEdit().setPlaceholderText(
            say("Gõ tên xã, phường cũ hoặc mới", "Type the name of a commune, former or present")
        )
        self.sheet, self.number = QLineEdit(), QLineEdit()
        self.sheet.setObjectName("sheet")
        self.number.setObjectName("number")
        find = QPushButton(say("Tìm thửa", "Find"))
        find.setObjectName("find")
        find.clicked.connect(lambda: self._attempt(self._search))
        self.number.returnPressed.connect(find.click)
        self.sheet.returnPressed.connect(find.click)
        self.several = QComboBox()
        self.several.setObjectName("several")
        self.several.hide()
        self.several.activated.connect(self._choose_among)
        page = QWidget()
        form = QFormLayout(page)
        form.addRow(say("Xã, phường", "Commune"), self.commune)
        form.addRow(say("Tờ bản đồ số", "Map sheet no."), self.sheet)
        form.addRow(say("Thửa đất số", "Parcel no."), self.number)
        form.addRow("", find)
        form.addRow(self.several)
        return page

    def _coordinates_page(self) -> QWidget:
        self.meridian = MeridianChoice()
        self.order = QComboBox()
        self.order.setObjectName("order")
        self.order.addItems([say("Thứ tự cột: theo giá trị", "Columns: by the values"), say("X (Bắc) trước, Y sau", "X (north) first, then Y"),
                             say("Y (Đông) trước, X sau", "Y (east) first, then X")])
        self.corners = QPlainTextEdit()
        self.corners.setObjectName("corners")
        self.corners.setPlaceholderText(say("Một điểm, hoặc mỗi dòng một góc thửa: số hiệu, X (Bắc), Y (Đông)", "One point, or one corner a line: number, X (north), Y (east)"))
        look = QPushButton(say("Tra cứu tọa độ", "Look up"))
        look.setObjectName("look_up")
        look.clicked.connect(lambda: self._attempt(self._by_coordinates))
        page = QWidget()
        layout = QVBoxLayout(page)
        layout.addWidget(self.meridian)
        layout.addWidget(self.corners, 1)
        row = QHBoxLayout()
        row.addWidget(self.order, 1)
        row.addWidget(look)
        layout.addLayout(row)
        return page

    # choosing land ------------------------------------------------------------------------------------------------

    def _pick(self, wanted: bool) -> None:
        canvas = self._iface.mapCanvas()
        if wanted:
            canvas.setMapTool(self._tool)
        else:
            canvas.unsetMapTool(self._tool)

    def _parcels(self) -> QgsVectorLayer:
        layer = self._layers.layer("parcel")
        if layer is None:
            raise InputError(say("Chưa có lớp thửa đất: bấm \"Nguồn dữ liệu\" và chọn bản dữ liệu làm việc, cơ sở dữ liệu hoặc lớp.",
                                 "There is no parcel layer: press \"Data\" and choose a working copy, a database or a layer."))
        return layer

    def _clicked(self, place: QgsPointXY, button: object) -> None:
        if button == Qt.MouseButton.LeftButton:
            self._attempt(lambda: self._at(place, self._iface.mapCanvas().mapSettings().destinationCrs()))

    def _at(self, place: QgsPointXY, crs: Any) -> None:
        parcels = self._parcels()
        moved = QgsCoordinateTransform(crs, parcels.crs(), QgsProject.instance()).transform(place)
        parcel, count = parcel_at(parcels, moved)
        if parcel is None:
            self._show(None)
            self._say(
                say(
                    "Không có thửa đất nào tại điểm này trong lớp {layer}.", "No parcel of layer {layer} lies there."
                ).format(layer=parcels.name())
            )
            return
        note = say("Có {n} thửa chồng nhau tại điểm này; đang xem thửa nhỏ nhất.", "{n} parcels overlap here; this is the smallest.").format(n=count) if count > 1 else ""
        self._take(parcel_land(parcels, parcel, note))

    def _search(self) -> None:
        parcels = self._parcels()
        found = parcels_of_number(parcels, self._commune(), self.sheet.text(), self.number.text())
        self.several.setVisible(len(found) > 1)
        if not found:
            self._show(None)
            self._say(say("Không có thửa {n}, tờ {s} trong lớp {layer}. Số tờ đi theo xã cũ: thử chọn xã trước khi sáp nhập.",
                          "There is no parcel {n}, sheet {s} in layer {layer}. Sheets go with former communes: try one of those.")
                      .format(n=self.number.text(), s=self.sheet.text() or "…", layer=parcels.name()))
            return
        if len(found) > 1:
            self.several.clear()
            names = {one.code: one.name for one in self._communes}
            self.several.addItem(
                say("Có {n} thửa trùng số, hãy chọn…", "{n} parcels have that number, choose…").format(n=len(found))
            )
            for parcel in found:
                code = str(parcel["old_commune_code"]) if "old_commune_code" in parcel.fields().names() else ""
                self.several.addItem(
                    say("Tờ {s}, thửa {n}, {place} (cũ)", "Sheet {s}, parcel {n}, {place} (former)").format(
                        s=parcel["sheet_no"], n=parcel["parcel_no"], place=names.get(code, code)
                    ),
                    parcel.id(),
                )
            self._show(None)
            self._say(
                say(
                    "Có {n} thửa trùng số; hãy chọn trong danh sách.",
                    "{n} parcels have that number; choose from the list.",
                ).format(n=len(found))
            )
            return
        self._take(parcel_land(parcels, found[0]), look=True)

    def _choose_among(self) -> None:
        if self.several.currentData() is not None:
            parcels = self._parcels()
            self._take(parcel_land(parcels, parcels.getFeature(self.several.currentData())), look=True)

    def _commune(self) -> Commune | None:
        text = self.commune.currentText().strip()
        if not text:
            return None
        index = self.commune.findText(text, Qt.MatchFlag.MatchFixedString)
        if index < 0:
            alike = [at for at, one in enumerate(self._communes, 1) if text.lower() in one.label.lower()]
            if len(alike) != 1:
                raise InputError(
                    say(
                        'Chưa rõ xã nào: "{text}"; hãy chọn trong danh sách.',
                        'Which commune is "{text}"? Choose from the list.',
                    ).format(text=text)
                )
            index = alike[0]
            self.commune.setCurrentIndex(index)
        return self.commune.itemData(index)

    def _by_coordinates(self) -> None:
        from ..processing_algorithms.zoning.paper.corners import AxisOrder, read_corners, read_point

        crs = self.meridian.crs()
        if crs is None:
            raise InputError(say("Hãy chọn kinh tuyến trục và múi chiếu của tọa độ (cũ hoặc mới, như ghi trên giấy tờ).",
                                 "Choose the meridian and zone of the coordinates (old or new, as on the paper)."))
        order, text = AxisOrder(self.order.currentIndex()), self.corners.toPlainText()
        point = read_point(text, to_pyproj(crs), order=order)
        if point is not None:
            self._at(QgsPointXY(point.x, point.y), crs)
            if self._land is not None:
                self._look_at(self._land)
            return
        zones = self._layers.layer("zone")
        if zones is None:
            raise InputError(
                say('Chưa có lớp ô quy hoạch: bấm "Nguồn dữ liệu".', 'There is no layer of zones: press "Data".')
            )
        self._take(corners_land(read_corners(text, to_pyproj(crs), order=order), zones), look=True)

    # answering ----------------------------------------------------------------------------------------------------

    def _take(self, land: Land, look: bool = False) -> None:
        self._land = land
        canvas = self._iface.mapCanvas()
        shown = QgsGeometry(land.shape)
        shown.transform(QgsCoordinateTransform(land.crs, canvas.mapSettings().destinationCrs(), QgsProject.instance()))
        self._band.setToGeometry(shown)
        if look:
            self._look_at(land)
        self._ask()

    def _look_at(self, land: Land) -> None:
        canvas = self._iface.mapCanvas()
        box = QgsCoordinateTransform(
            land.crs, canvas.mapSettings().destinationCrs(), QgsProject.instance()
        ).transformBoundingBox(land.shape.boundingBox())
        view = canvas.extent()
        if not view.contains(box) or max(box.width(), box.height()) * _SMALLEST < min(view.width(), view.height()):
            room = QgsRectangle(box)
            room.grow(max(box.width(), box.height()) * 2)
            canvas.setExtent(room)
            canvas.refresh()

    def _ask(self) -> None:
        if self._land is None:
            return
        self._attempt(self._begin)

    def _begin(self) -> None:
        self._asked += 1
        number, land = self._asked, self._land
        day = self.day.date().toPyDate()
        job = brief_job(land, self._layers, self._communes, day)
        self._show(None)
        self._say(say("Đang tra cứu…", "Looking it up…"))

        def done(brief: Any) -> None:
            if number == self._asked:  # a later click goes before
                self._brief = brief
                self._show(answer_html(brief) + (f"<p>{land.note}</p>" if land.note else ""))

        def failed(error: BaseException) -> None:
            if number == self._asked:
                self._say(str(error)) if isinstance(error, QuyHoachError) else self._desk.tell_failure(error)

        self._desk.start_quietly(job, done, failed)

    def _attempt(self, action: Callable[[], None]) -> None:
        try:
            action()
        except QuyHoachError as error:
            self._land = None
            self._show(None)
            self._say(str(error))

    def _show(self, html: str | None) -> None:
        self.copy.setEnabled(html is not None)
        self.paper.setEnabled(html is not None)
        if html is None:
            self._brief = None
            if self._land is None:
                self._band.reset(Qgis.GeometryType.Polygon)
        else:
            self.answer.setHtml(html)

    def _say(self, text: str) -> None:
        self.answer.setPlainText(text)

    def _copy(self) -> None:
        QApplication.clipboard().setText(self._brief.text())
        self._desk.tell(say("Đã sao chép nội dung tra cứu.", "The answer is copied."))

    def _make_paper(self) -> None:
        dialog = PaperDialog(
            self._iface, self._desk, self._layers, self._land, self._communes, self.day.date().toPyDate(), self
        )
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.open()

    # data ---------------------------------------------------------------------------------------------------------

    def _choose_data(self) -> None:
        dialog = DataDialog(self._layers, _DATASETS, self)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.open()

    def _list_communes(self, *_: object) -> None:
        parcels = self._layers.layer("parcel")
        self._communes = [] if parcels is None else communes(self._layers.layer("administrative_unit"), parcels)
        now = self.commune.currentText()
        self.commune.clear()
        self.commune.addItem("", None)
        for one in self._communes:
            self.commune.addItem(one.label, one)
        self.commune.setCurrentText(now)
        if parcels is None:
            self._say(
                say(
                    'Chưa có lớp thửa đất: bấm "Nguồn dữ liệu" để chọn.',
                    'There is no parcel layer: press "Data" to choose one.',
                )
            )

    def _forget(self, identity: str) -> None:
        """Let go of a parcel whose layer leaves the project."""
        if self._land is not None and self._land.layer is not None and self._land.layer.id() == identity:
            self._land = None
            self._asked += 1
            self._show(None)
            self._say(say("Lớp thửa đất đã rời dự án; hãy chọn thửa lần nữa.", "The parcel layer has left the project; choose the parcel again."))

    def close_down(self) -> None:
        """Leave nothing behind."""
        for dialog in self.findChildren(QDialog):
            dialog.reject()
        QgsProject.instance().layersAdded.disconnect(self._list_communes)
        QgsProject.instance().layerWillBeRemoved[str].disconnect(self._forget)
        canvas = self._iface.mapCanvas()
        canvas.unsetMapTool(self._tool)
        self._tool.deleteLater()
        canvas.scene().removeItem(self._band)
        self._desk.close()
        self._layers.close()
        self._iface.removeDockWidget(self)
        self.deleteLater()
