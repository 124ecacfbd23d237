"""The planning-information paper of the parcel in view: what the office has to say, and `quyhoach:parcelcertificate`."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from qgis.core import (
    QgsFeatureRequest,
    QgsProcessingContext,
    QgsProcessingFeatureSourceDefinition,
    QgsProject,
    QgsRectangle,
    QgsSettings,
    QgsVectorLayer,
)
from qgis.gui import QgisInterface
from qgis.PyQt.QtCore import QStandardPaths, Qt, QUrl
from qgis.PyQt.QtGui import QDesktopServices
from qgis.PyQt.QtWidgets import (
    QDialog,
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QProgressBar,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from ..processing_algorithms.common.errors import InputError, QuyHoachError
from ..processing_algorithms.common.language import say
from ..processing_algorithms.common.numbers_vi import format_date
from ..processing_algorithms.common.qgis_hub_parameters import resolved
from .algorithm_run import RunBeside
from .dataset_layers import DatasetLayers
from .parcel_data import Land, window_around
from .parcel_search import Commune
from .tasks import Desk

_SETTINGS = "quyhoach/paper"
_ALGORITHM = "quyhoach:parcelcertificate"
#: Parameter and dataset of the layers a paper is made from.
_LAYERS = {"PLANS": "plan", "ZONES": "zone", "OVERLAYS": "constraint_overlay", "OVERRIDES": "parcel_override"}


class PaperDialog(QDialog):
    """Asks what differs from paper to paper; the office's own words are remembered."""

    def __init__(self, iface: QgisInterface, desk: Desk, layers: DatasetLayers, land: Land, communes: Sequence[Commune],
                 day: datetime.date, parent: QWidget):
        super().__init__(parent)
        self._iface, self._desk, self._layers, self._land, self._day = iface, desk, layers, land, day
        self._communes = {one.code: one.name for one in communes}
        self.setObjectName("paper_dialog")
        self.setWindowTitle(say("Văn bản cung cấp thông tin quy hoạch", "Planning-information paper"))
        documents = QStandardPaths.writableLocation(QStandardPaths.StandardLocation.DocumentsLocation)
        self.fields: dict[str, QLineEdit] = {}
        form = QFormLayout()
        for key, label, default in (
                ("REQUEST_NUMBER", say("Mã hồ sơ đề nghị", "Request number"), ""),
                ("REQUEST_DATE", say("Ngày tiếp nhận", "Day of receipt"), ""),
                ("LOCATION", say("Địa bàn", "Place of the land"), self._place()),
                ("AGENCY", say("Cơ quan cung cấp thông tin", "Issuing agency"), self._kept("AGENCY", "Sở Xây dựng")),
                ("NUMBER_SIGN", say("Ký hiệu văn bản", "Sign of the number"), self._kept("NUMBER_SIGN", "SXD-QLQH"))):
            field = QLineEdit(default)
            field.setObjectName(key.lower())
            self.fields[key] = field
            form.addRow(label, field)
        self.fields["REQUEST_DATE"].setPlaceholderText(say("ngày/tháng/năm", "day/month/year"))
        self.folder = QLineEdit(self._kept("FOLDER", str(Path(documents) / "quy_hoach")))
        self.folder.setObjectName("folder")
        browse = QPushButton("…")
        browse.clicked.connect(self._browse)
        row = QHBoxLayout()
        row.addWidget(self.folder, 1)
        row.addWidget(browse)
        form.addRow(say("Thư mục kết quả", "Output folder"), row)
        self.told = QLabel()
        self.told.setObjectName("told")
        self.told.setWordWrap(True)
        self.told.setTextInteractionFlags(Qt.TextInteractionFlag.TextBrowserInteraction)
        self.told.linkActivated.connect(lambda link: QDesktopServices.openUrl(QUrl(link)))
        self.bar = QProgressBar()
        self.bar.hide()
        self.make = QPushButton(say("Lập văn bản", "Make the paper"))
        self.make.setObjectName("make")
        self.make.setDefault(True)
        self.make.clicked.connect(self._make)
        full = QPushButton(say("Hộp thoại đầy đủ…", "Full dialog…"))
        full.setObjectName("full")
        full.setToolTip(say("Mẫu riêng, tỷ lệ, khổ giấy, người ký và các lựa chọn khác.", "Own template, scale, paper, signer and other choices."))
        full.clicked.connect(self._full)
        close = QPushButton(say("Đóng", "Close"))
        close.clicked.connect(self.reject)
        buttons = QHBoxLayout()
        for button in (full, close, self.make):
            buttons.addWidget(button)
        layout = QVBoxLayout(self)
        layout.addLayout(form)
        layout.addWidget(self.bar)
        layout.addWidget(self.told)
        layout.addLayout(buttons)
        self.resize(520, self.sizeHint().height())
        self._run: RunBeside | None = None

    def _kept(self, key: str, default: str) -> str:
        return QgsSettings().value(f"{_SETTINGS}/{key}", default, str)

    def _place(self) -> str:
        if self._land.layer is None or self._land.layer.fields().lookupField("commune_code") < 0:
            return ""
        return self._communes.get(str(self._land.layer.getFeature(self._land.fid)["commune_code"]), "")

    def _browse(self) -> None:
        path = QFileDialog.getExistingDirectory(self, say("Thư mục kết quả", "Output folder"), self.folder.text())
        if path:
            self.folder.setText(path)

    def _parameters(self, context: QgsProcessingContext) -> dict[str, Any]:
        values: dict[str, Any] = {key: field.text().strip() for key, field in self.fields.items()}
        values |= {"DATE": format_date(self._day), "OUTPUT": self.folder.text().strip()}
        hub = self._hub()
        if hub:
            values["HUB"] = hub
        if self._land.corners is not None:
            corners = self._land.corners
            values["CORNERS"] = "\n".join(
                f"{name}\t{north:.4f}\t{east:.4f}".replace(".", ",")
                for name, north, east in zip(corners.names, corners.north, corners.east)
            )
            values["CORNERS_CRS"] = corners.crs.to_wkt()
        elif hub and self._land.feature_id:
            values["WHERE"] = f"feature_id = '{self._land.feature_id}'"
        else:
            values["PARCELS"] = self._parcel(context)
        if not hub:
            values |= self._around(context)
        return values

    def _hub(self) -> str:
        """Return the place of the data where it is a hub: papers go into its register."""
        from ..processing_algorithms.provincial_database.hub import open_hub

        place = self._layers.place
        if not place:
            return ""
        try:
            open_hub(resolved(place)).close()
        except QuyHoachError:
            return ""  # a working copy, or any other file
        return place

    def _parcel(self, context: QgsProcessingContext) -> QgsProcessingFeatureSourceDefinition:
        """The parcel with its neighbours, which the map annex shows, so that no layer is read whole."""
        from ..processing_algorithms.zoning.plans.plan_sources import NEIGHBOURHOOD_M

        layer = self._land.layer
        near = _copy(layer, window_around(self._land, layer, NEIGHBOURHOOD_M), "parcel")
        asked = layer.getFeature(self._land.fid)
        same = [
            one.id()
            for one in near.getFeatures()
            if one.attributes() == asked.attributes() and one.geometry().equals(asked.geometry())
        ]
        if not same:
            raise InputError(
                say(
                    "Thửa đất này vừa thay đổi trong lớp; hãy chọn lại.",
                    "This parcel has just changed in the layer; choose again.",
                )
            )
        near.selectByIds(same[:1])
        context.temporaryLayerStore().addMapLayer(near)
        return QgsProcessingFeatureSourceDefinition(near.id(), True)

    def _around(self, context: QgsProcessingContext) -> dict[str, str]:
        from ..processing_algorithms.zoning.plans.plan_sources import NEIGHBOURHOOD_M

        found = {}
        for key, dataset in _LAYERS.items():
            layer = self._layers.layer(dataset)
            if layer is None:
                continue
            # A plan may be amended by one that lies elsewhere, and an override may go by its number.
            window = (
                None
                if dataset in ("plan", "parcel_override") or not layer.isSpatial()
                else window_around(self._land, layer, NEIGHBOURHOOD_M)
            )
            near = _copy(layer, window, dataset)
            if near.featureCount() or key in ("PLANS", "ZONES"):
                context.temporaryLayerStore().addMapLayer(near)
                found[key] = near.id()
        return found

    def _make(self) -> None:
        if self._run is not None:
            self._run.cancel()
            return
        for key in ("AGENCY", "NUMBER_SIGN"):
            QgsSettings().setValue(f"{_SETTINGS}/{key}", self.fields[key].text())
        QgsSettings().setValue(f"{_SETTINGS}/FOLDER", self.folder.text())
        context = QgsProcessingContext()
        try:
            self._run = RunBeside(
                _ALGORITHM,
                self._parameters(context),
                context,
                done=lambda results: self._ended(self._links(results)),
                failed=lambda error: self._ended(str(error)),
                moved=lambda percent: self.bar.setValue(int(percent)),
            )
        except QuyHoachError as error:
            self.told.setText(str(error))
            return
        self.told.setText(say("Đang lập văn bản…", "Making the paper…"))
        self.make.setText(say("Dừng", "Stop"))
        self.bar.setValue(0)
        self.bar.show()

    def _ended(self, told: str) -> None:
        self._run = None
        self.told.setText(told)
        self.bar.hide()
        self.make.setText(say("Lập văn bản", "Make the paper"))

    def _links(self, results: dict[str, Any]) -> str:
        new = (
            say("đã ghi vào sổ đăng ký", "entered in the register")
            if results["NEW"]
            else say("đã có trong sổ đăng ký, không ghi lại", "in the register already")
        )
        lines = [say("Mã đối chiếu {code}, {new}.", "Short code {code}, {new}.").format(code=results["CODES"], new=new)]
        lines += [f"<a href=\"{QUrl.fromLocalFile(path).toString()}\">{Path(path).name}</a>" for path in results["FILES"].split(";") if path]
        lines.append(f"<a href=\"{QUrl.fromLocalFile(results['OUTPUT']).toString()}\">" + say("Mở thư mục", "Open the folder") + "</a>")
        return "<br>".join(lines)

    def _full(self) -> None:
        """Open the algorithm's own dialog with the parcel filled in; its layers must be in the project there."""
        import processing

        values: dict[str, Any] = {key: field.text().strip() for key, field in self.fields.items()}
        values |= {"DATE": format_date(self._day), "OUTPUT": self.folder.text().strip()}
        hub = self._hub()
        if hub:
            values["HUB"] = hub
        if self._land.feature_id and hub:
            values["WHERE"] = f"feature_id = '{self._land.feature_id}'"
        elif self._land.layer is not None:
            definition = QgsProcessingFeatureSourceDefinition(_known(self._land.layer), False, -1)
            definition.filterExpression = f"@id = {self._land.fid}"
            values["PARCELS"] = definition
        if not hub:
            values |= {
                key: _known(layer)
                for key, dataset in _LAYERS.items()
                if (layer := self._layers.layer(dataset)) is not None
            }
        dialog = processing.createAlgorithmDialog(_ALGORITHM, values)
        self.accept()
        dialog.show()

    def done(self, result: int) -> None:
        """Close; a run under way is stopped and tells nobody."""
        if self._run is not None:
            self._run.forget()
            self._run = None
        super().done(result)


def _known(layer: QgsVectorLayer) -> str:
    """What names a layer in an algorithm's dialog: its id in the project, or its source."""
    return layer.id() if QgsProject.instance().mapLayer(layer.id()) is not None else layer.source()


def _copy(layer: QgsVectorLayer, window: tuple[float, float, float, float] | None, name: str) -> QgsVectorLayer:
    """Return what of a layer touches a window, in memory, as a person sees it."""
    request = QgsFeatureRequest()
    if window is not None:
        request.setFilterRect(QgsRectangle(*window))
    near = layer.materialize(request)
    near.setName(name)
    return near
