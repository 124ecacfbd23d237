"""The page where a person who knows the place draws what is wet and what is dry, and has the depth follow.

Drawings are kept in one GeoPackage beside the report, with who drew them and when.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable
from pathlib import Path

from qgis.core import (
    Qgis,
    QgsCoordinateTransform,
    QgsFeature,
    QgsField,
    QgsFields,
    QgsGeometry,
    QgsPointXY,
    QgsProject,
    QgsVectorFileWriter,
    QgsVectorLayer,
)
from qgis.gui import QgisInterface, QgsMapCanvas, QgsMapMouseEvent, QgsMapTool, QgsRubberBand
from qgis.PyQt.QtCore import QMetaType, Qt, pyqtSignal
from qgis.PyQt.QtGui import QColor, QKeyEvent
from qgis.PyQt.QtWidgets import (
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QListWidget,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from ..processing_algorithms.common.errors import InputError, OutputError
from ..processing_algorithms.common.language import say
from ..processing_algorithms.common.numbers_vi import format_number, parse_number

FILE, TABLE = "chinh_vung_ngap.gpkg", "chinh_vung_ngap"
_COLOURS = {"wet": QColor(33, 113, 181, 90), "dry": QColor(166, 97, 26, 90)}


class PolygonTool(QgsMapTool):
    """Draws a polygon: clicks set corners, a right click ends, Backspace takes the last corner back, Escape all."""

    drawn = pyqtSignal(QgsGeometry)

    def __init__(self, canvas: QgsMapCanvas):
        super().__init__(canvas)
        self._canvas = canvas
        self._points: list[QgsPointXY] = []
        self._band = QgsRubberBand(canvas, Qgis.GeometryType.Polygon)
        self._band.setWidth(2)
        self.setCursor(Qt.CursorShape.CrossCursor)

    def colour(self, colour: QColor) -> None:
        """Show what is being drawn."""
        self._band.setFillColor(colour)
        self._band.setStrokeColor(QColor(colour.red(), colour.green(), colour.blue()))

    def canvasReleaseEvent(self, event: QgsMapMouseEvent) -> None:  # noqa: D102, N802
        if event.button() == Qt.MouseButton.LeftButton:
            self._points.append(event.mapPoint())
            self._show(event.mapPoint())
        elif event.button() == Qt.MouseButton.RightButton and len(self._points) > 2:
            shape = QgsGeometry.fromPolygonXY([[*self._points, self._points[0]]])
            self.clear()
            self.drawn.emit(shape)

    def canvasMoveEvent(self, event: QgsMapMouseEvent) -> None:  # noqa: D102, N802
        if self._points:
            self._show(event.mapPoint())

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: D102, N802
        if event.key() == Qt.Key.Key_Escape:
            self.clear()
        elif event.key() == Qt.Key.Key_Backspace and self._points:
            self._points.pop()
            self._show(self._points[-1] if self._points else None)
            event.ignore()

    def _show(self, loose: QgsPointXY | None) -> None:
        points = [*self._points, *([loose] if loose is not None else [])]
        self._band.setToGeometry(QgsGeometry.fromPolygonXY([points]) if len(points) > 1 else QgsGeometry())

    def clear(self) -> None:
        """Forget what is being drawn."""
        self._points = []
        self._band.reset(Qgis.GeometryType.Polygon)

    def deactivate(self) -> None:  # noqa: D102
        self.clear()
        super().deactivate()

    def close(self) -> None:
        """Take it off the map."""
        self._canvas.unsetMapTool(self)
        self._canvas.scene().removeItem(self._band)
        self.deleteLater()


class CorrectionsPage(QWidget):
    """Drawing and listing; `apply_wanted` asks the desk to run the correction."""

    apply_wanted = pyqtSignal()

    def __init__(self, iface: QgisInterface, folder: Callable[[], Path], told: Callable[[str], None]):
        super().__init__()
        self._iface, self._folder, self._told = iface, folder, told
        self._tool = PolygonTool(iface.mapCanvas())
        self._tool.drawn.connect(self._drawn)
        self._state = "wet"
        self.author, self.depth, self.note = QLineEdit(), QLineEdit(), QLineEdit()
        for field, name in ((self.author, "author"), (self.depth, "seen_depth"), (self.note, "correction_note")):
            field.setObjectName(name)
        self.depth.setPlaceholderText(say("nếu biết, ví dụ 0,6", "where known, such as 0,6"))
        form = QFormLayout()
        form.addRow(say("Người, đơn vị vẽ", "Drawn by"), self.author)
        form.addRow(say("Độ sâu đã thấy (m)", "Depth seen (m)"), self.depth)
        form.addRow(say("Ghi chú", "Note"), self.note)
        row = QHBoxLayout()
        self.buttons: dict[str, QPushButton] = {}
        for state, text in (
            ("wet", say("Khoanh chỗ có ngập", "Draw a wet area")),
            ("dry", say("Khoanh chỗ không ngập", "Draw a dry area")),
        ):
            button = QPushButton(text)
            button.setObjectName(f"draw_{state}")
            button.setCheckable(True)
            button.clicked.connect(lambda wanted, state=state: self._draw(state, wanted))
            self.buttons[state] = button
            row.addWidget(button)
        hint = QLabel(say("Bấm chuột trái từng góc, chuột phải để kết thúc; Esc để bỏ.", "Left click each corner, right click to end; Esc to give up."))
        hint.setStyleSheet("color: #6b6b6b")
        hint.setWordWrap(True)
        self.list = QListWidget()
        self.list.setObjectName("corrections")
        remove, apply = (
            QPushButton(say("Xóa vùng đang chọn", "Delete the chosen one")),
            QPushButton(say("Áp dụng vào bản đồ ngập", "Apply to the flood map")),
        )
        remove.setObjectName("remove_correction")
        apply.setObjectName("apply_corrections")
        remove.clicked.connect(self._remove)
        apply.clicked.connect(self.apply_wanted.emit)
        foot = QHBoxLayout()
        foot.addWidget(remove)
        foot.addWidget(apply)
        layout = QVBoxLayout(self)
        for part in (form, row, hint, self.list, foot):
            layout.addLayout(part) if isinstance(part, (QFormLayout, QHBoxLayout)) else layout.addWidget(part)
        self._iface.mapCanvas().mapToolSet.connect(self._tool_set)

    @property
    def path(self) -> Path:
        """The GeoPackage the drawings are kept in."""
        return self._folder() / FILE

    def _draw(self, state: str, wanted: bool) -> None:
        canvas = self._iface.mapCanvas()
        self._state = state
        if wanted:
            self._tool.colour(_COLOURS[state])
            canvas.setMapTool(self._tool)
            self._tool_set(self._tool)
            canvas.setFocus()
        else:
            canvas.unsetMapTool(self._tool)

    def _tool_set(self, tool: object, *_: object) -> None:
        for state, button in self.buttons.items():
            button.setChecked(tool is self._tool and state == self._state)

    def _drawn(self, shape: QgsGeometry) -> None:
        try:
            self._keep(shape)
        except (InputError, OutputError) as error:
            self._told(str(error))

    def _keep(self, shape: QgsGeometry) -> None:
        if not self.author.text().strip():
            raise InputError(say("Hãy ghi người hoặc đơn vị vẽ rồi khoanh lại.", "Write who draws, then draw again."))
        if not shape.isGeosValid():
            raise InputError(say("Đường khoanh tự cắt; hãy khoanh lại.", "The outline crosses itself; draw it again."))
        depth = parse_number(self.depth.text()) if self.depth.text().strip() else None
        layer = self.layer(create=True)
        moved = QgsGeometry(shape)
        moved.transform(
            QgsCoordinateTransform(
                self._iface.mapCanvas().mapSettings().destinationCrs(), layer.crs(), QgsProject.instance()
            )
        )
        moved.convertToMultiType()
        feature = QgsFeature(layer.fields())
        feature.setGeometry(moved)
        feature["state"], feature["author"] = self._state, self.author.text().strip()
        feature["drawn_at"] = datetime.datetime.now().isoformat(sep=" ", timespec="seconds")
        feature["depth_m"] = depth if self._state == "wet" else None
        feature["note"] = self.note.text().strip()
        well, _ = layer.dataProvider().addFeatures([feature])
        if not well:
            raise OutputError(
                say("Không ghi được vào {path}: {why}", "Cannot write to {path}: {why}").format(
                    path=self.path, why=layer.dataProvider().lastError()
                )
            )
        layer.updateExtents()
        layer.triggerRepaint()
        self.show_list()

    def layer(self, create: bool = False) -> QgsVectorLayer | None:
        """Return the layer of drawings in the project; made on first use."""
        source = f"{self.path}|layername={TABLE}"
        for layer in QgsProject.instance().mapLayers().values():
            if layer.source() == source and layer.isValid():
                return layer
        if not self.path.exists():
            if not create:
                return None
            self._create()
        layer = QgsVectorLayer(source, say("Vùng ngập chỉnh theo thực tế", "Corrections of the flooded area"), "ogr")
        _look(layer)
        QgsProject.instance().addMapLayer(layer, False)
        QgsProject.instance().layerTreeRoot().insertLayer(0, layer)
        return layer

    def _create(self) -> None:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutputError(
                say("Không tạo được thư mục {path}: {why}", "The folder {path} cannot be made: {why}").format(
                    path=self.path.parent, why=error
                )
            ) from error
        fields = QgsFields()
        for name, kind in (
            ("state", QMetaType.Type.QString),
            ("author", QMetaType.Type.QString),
            ("drawn_at", QMetaType.Type.QString),
            ("depth_m", QMetaType.Type.Double),
            ("note", QMetaType.Type.QString),
        ):
            fields.append(QgsField(name, kind))
        options = QgsVectorFileWriter.SaveVectorOptions()
        options.driverName, options.layerName = "GPKG", TABLE
        writer = QgsVectorFileWriter.create(
            str(self.path),
            fields,
            Qgis.WkbType.MultiPolygon,
            self._iface.mapCanvas().mapSettings().destinationCrs(),
            QgsProject.instance().transformContext(),
            options,
        )
        if writer.hasError():
            raise OutputError(
                say("Không tạo được {path}: {why}", "{path} cannot be made: {why}").format(
                    path=self.path, why=writer.errorMessage()
                )
            )
        del writer  # closes the file

    def show_list(self) -> None:
        """List the drawings of the report's folder."""
        self.list.clear()
        layer = self.layer()
        if layer is None:
            return
        for feature in layer.getFeatures():
            what = say("Có ngập", "Wet") if feature["state"] == "wet" else say("Không ngập", "Dry")
            when = datetime.datetime.fromisoformat(feature["drawn_at"])
            depth = f" {format_number(float(feature['depth_m']), 2)} m" if feature["depth_m"] else ""
            self.list.addItem(f"{what}{depth}, {feature['author']}, {when:%H:%M %d/%m/%Y}" + (f": {feature['note']}" if feature["note"] else ""))
            self.list.item(self.list.count() - 1).setData(Qt.ItemDataRole.UserRole, feature.id())

    def _remove(self) -> None:
        item, layer = self.list.currentItem(), self.layer()
        if item is not None and layer is not None:
            layer.dataProvider().deleteFeatures([item.data(Qt.ItemDataRole.UserRole)])
            layer.triggerRepaint()
            self.show_list()

    def close_down(self) -> None:
        """Leave nothing behind."""
        self._iface.mapCanvas().mapToolSet.disconnect(self._tool_set)
        self._tool.close()


def _look(layer: QgsVectorLayer) -> None:
    from qgis.core import QgsCategorizedSymbolRenderer, QgsFillSymbol, QgsRendererCategory

    categories = []
    for state, label in (("wet", say("Có ngập", "Wet")), ("dry", say("Không ngập", "Dry"))):
        colour = _COLOURS[state]
        symbol = QgsFillSymbol.createSimple(
            {
                "color": f"{colour.red()},{colour.green()},{colour.blue()},90",
                "outline_width": "0.6",
                "outline_color": f"{colour.red()},{colour.green()},{colour.blue()},255",
                "outline_style": "solid" if state == "wet" else "dash",
            }
        )
        categories.append(QgsRendererCategory(state, symbol, label))
    layer.setRenderer(QgsCategorizedSymbolRenderer("state", categories))
