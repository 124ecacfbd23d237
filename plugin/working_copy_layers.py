"""The layers of a working copy in the project: opened with their official look, in groups, one of each."""

from __future__ import annotations

from pathlib import Path

from qgis.core import QgsLayerTreeGroup, QgsProject, QgsVectorLayer, QgsWkbTypes

from ..processing_algorithms.common.errors import InputError
from ..processing_algorithms.common.language import say
from ..processing_algorithms.common.qgis_algorithm import PLUGIN_FOLDER, ROOMS
from ..processing_algorithms.common.qgis_forms import configure_form
from ..processing_algorithms.common.qgis_working_copy import layers_of
from ..processing_algorithms.provincial_database.catalogue import Dataset

#: From the top of the layer tree down: what lies above hides what lies below.
_ORDER = ("provincial_database", "disaster", "traffic", "zoning", "land_use")
_SHAPES = ("point", "line", "polygon", "none")


def layer_of(path: str, dataset: str) -> QgsVectorLayer | None:
    """Return the layer of the project that shows a dataset of a working copy."""
    return next((layer for layer in layers_of(path) if table_of(layer) == dataset), None)


def table_of(layer: QgsVectorLayer) -> str:
    """Return the table a layer shows."""
    return next((part.partition("=")[2] for part in layer.source().split("|") if part.startswith("layername=")), "")


def refuse_while_editing(path: str) -> None:
    """Refuse while a layer of a working copy is in edit mode.

    Raises
    ------
    InputError
        Names the layers and what to do.
    """
    edited = [layer.name() for layer in layers_of(path) if layer.isEditable()]
    if edited:
        raise InputError(say("Lớp {names} đang ở chế độ chỉnh sửa; hãy lưu hoặc hủy chỉnh sửa, tắt chế độ chỉnh sửa rồi làm lại.",
                             "Layer {names} is being edited; save or discard the edits, leave edit mode and try again.")
                         .format(names=", ".join(edited)))


def add_layers(path: str, name: str, datasets: list[Dataset]) -> list[QgsVectorLayer]:
    """Add the datasets that are not in the project yet, in a group of the working copy with a group for each field of work.

    Raises
    ------
    InputError
        A layer cannot be opened; none is added.
    """
    wanted = [dataset for dataset in datasets if layer_of(path, dataset.name) is None]
    layers = [(dataset, _opened(path, dataset)) for dataset in sorted(wanted, key=_place)]
    if layers and not QgsProject.instance().mapLayers():
        # At once: QGIS takes the system of the first layer only after the map was moved to where it is in another.
        QgsProject.instance().setCrs(next((layer.crs() for _, layer in layers if layer.crs().isValid()), QgsProject.instance().crs()))
    top = _group(QgsProject.instance().layerTreeRoot(), name, first=True)
    for dataset, layer in layers:
        QgsProject.instance().addMapLayer(layer, False)
        node = _group(top, say(*ROOMS[dataset.room])).addLayer(layer)
        node.setExpanded(False)
    return [layer for _, layer in layers]


def _place(dataset: Dataset) -> tuple[int, int]:
    kind = (dataset.geometry or "none").lower()
    return _ORDER.index(dataset.room), next(place for place, shape in enumerate(_SHAPES) if shape in kind)


def _opened(path: str, dataset: Dataset) -> QgsVectorLayer:
    layer = QgsVectorLayer(f"{Path(path)}|layername={dataset.name}", str(dataset.label), "ogr")
    if not layer.isValid():
        raise InputError(say("Không mở được lớp {layer} trong {path}; hãy kiểm tra tệp, hoặc tải dữ liệu về máy lần nữa.",
                             "The layer {layer} of {path} cannot be opened; check the file, or check out again.")
                         .format(layer=dataset.label, path=path))
    symbols = PLUGIN_FOLDER / "styles" / dataset.style
    if layer.geometryType() != QgsWkbTypes.GeometryType.NullGeometry and symbols.is_file():
        layer.loadNamedStyle(str(symbols))
    # In the language of now; the file carries that of whoever made it.
    configure_form(layer, dataset)
    layer.setName(str(dataset.label))
    return layer


def _group(parent: QgsLayerTreeGroup, name: str, *, first: bool = False) -> QgsLayerTreeGroup:
    found = parent.findGroup(name)
    if found is None:
        found = parent.insertGroup(0, name) if first else parent.addGroup(name)
    return found
