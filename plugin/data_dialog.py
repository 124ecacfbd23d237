"""Where a desk takes its layers from: one file or database for all, and single layers chosen otherwise."""

from __future__ import annotations

from qgis.core import QgsMapLayerProxyModel
from qgis.gui import QgsMapLayerComboBox
from qgis.PyQt.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QFormLayout,
    QGroupBox,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from ..processing_algorithms.common.language import say
from .dataset_layers import DatasetLayers, label_of

_RASTERS = ("terrain",)


class DataDialog(QDialog):
    """Shows what is found and lets a person choose; remembered when closed with OK."""

    def __init__(self, layers: DatasetLayers, datasets: tuple[str, ...], parent: QWidget):
        super().__init__(parent)
        self._layers, self._datasets = layers, datasets
        self.setWindowTitle(say("Nguồn dữ liệu", "Data"))
        self.setObjectName("data_dialog")
        self.place = QLineEdit(layers.place)
        self.place.setObjectName("place")
        self.place.setPlaceholderText(say("Bản dữ liệu làm việc, cơ sở dữ liệu dùng chung (.gpkg) hoặc tên kết nối PostgreSQL",
                                          "Working copy, shared database (.gpkg), or the name of a PostgreSQL connection"))
        browse = QPushButton(say("Chọn tệp…", "Browse…"))
        browse.clicked.connect(self._browse)
        row = QHBoxLayout()
        row.addWidget(self.place, 1)
        row.addWidget(browse)
        told = QLabel(say("Các lớp được tìm theo tên tập dữ liệu trong tệp này, rồi trong dự án đang mở. Chỉ chọn riêng bên dưới khi tên khác.",
                          "Layers are found by the names of datasets in this file, then in the open project. Choose below only where names differ."))
        told.setWordWrap(True)
        box = QGroupBox(say("Chọn riêng từng lớp trong dự án", "Single layers of the project"))
        form = QFormLayout(box)
        self.choices: dict[str, QgsMapLayerComboBox] = {}
        for dataset in datasets:
            choice = QgsMapLayerComboBox()
            choice.setObjectName(f"layer_{dataset}")
            raster = dataset in _RASTERS
            choice.setFilters(
                QgsMapLayerProxyModel.Filter.RasterLayer if raster else QgsMapLayerProxyModel.Filter.VectorLayer
            )
            found = layers.raster(dataset) if raster else layers.layer(dataset)
            choice.setAllowEmptyLayer(True, say("Tự tìm: {name}", "Found: {name}").format(
                name=say("không thấy", "nothing") if found is None else found.name()))
            if layers.chosen(dataset) and found is not None:
                choice.setLayer(found)
            else:
                choice.setCurrentIndex(0)
            form.addRow(label_of(dataset), choice)
            if raster:
                file = QPushButton(say("Tệp raster…", "Raster file…"))
                file.clicked.connect(lambda _=False, dataset=dataset: self._browse_raster(dataset))
                form.addRow("", file)
            self.choices[dataset] = choice
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Ok | QDialogButtonBox.StandardButton.Cancel)
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.addLayout(row)
        layout.addWidget(told)
        layout.addWidget(box)
        layout.addWidget(buttons)
        self.resize(620, self.sizeHint().height())
        self._rasters: dict[str, str] = {}

    def _browse(self) -> None:
        path, _ = QFileDialog.getOpenFileName(
            self,
            say("Bản dữ liệu làm việc hoặc cơ sở dữ liệu dùng chung", "Working copy or shared database"),
            self.place.text(),
            "GeoPackage (*.gpkg)",
        )
        if path:
            self.place.setText(path)

    def _browse_raster(self, dataset: str) -> None:
        path, _ = QFileDialog.getOpenFileName(
            self,
            label_of(dataset),
            "",
            say("Raster (*.tif *.tiff *.vrt *.img);;Mọi tệp (*)", "Rasters (*.tif *.tiff *.vrt *.img);;All files (*)"),
        )
        if path:
            self._rasters[dataset] = path
            self.choices[dataset].setAdditionalItems([path])
            self.choices[dataset].setCurrentIndex(self.choices[dataset].count() - 1)

    def accept(self) -> None:
        """Remember what is chosen."""
        for dataset, choice in self.choices.items():
            layer = choice.currentLayer()
            if layer is not None:
                self._layers.choose(dataset, layer)
            elif dataset in self._rasters and choice.currentText() == self._rasters[dataset]:
                self._layers.choose_file(dataset, self._rasters[dataset])
            elif self._layers.chosen(dataset):
                self._layers.choose(dataset, None)
        self._layers.choose_place(self.place.text())
        super().accept()
