"""The layers of the flood desk, as the engine and the algorithm take them."""

from __future__ import annotations

from typing import Any

from qgis.core import QgsProcessingFeatureSourceDefinition, QgsProject, QgsVectorLayer

from ..processing_algorithms.common.errors import InputError
from ..processing_algorithms.common.language import say
from .dataset_layers import DatasetLayers, label_of

DATASETS = ("gauge", "terrain", "source", "river", "river_axis", "dyke", "building", "administrative_unit", "hamlet", "road", "facility", "shelter")
#: Parameter of the report and dataset; and what of the layer is meant, where the dataset holds more.
_REPORT = {"STATIONS": "gauge", "RIVERS": "river_axis", "DYKES": "dyke", "BUILDINGS": "building", "UNITS": "administrative_unit",
           "HAMLETS": "hamlet", "ROADS": "road", "FACILITIES": "facility", "SHELTERS": "shelter"}
_NEEDED = ("STATIONS", "BUILDINGS")


def source_layer(layers: DatasetLayers) -> tuple[QgsVectorLayer | None, str]:
    """Return where the water comes from, and which of its features: rivers, not canals behind shut sluices."""
    chosen = layers.layer("source") if layers.chosen("source") else None
    if chosen is not None:
        return chosen, ""
    river = layers.layer("river")
    return river, "\"kind\" = 'river'" if river is not None and river.fields().lookupField("kind") >= 0 else ""


def report_layers(layers: DatasetLayers) -> dict[str, Any]:
    """Return the layer parameters of `quyhoach:floodreport`.

    Raises
    ------
    InputError
        Layers that are needed are not there.
    """
    missing = [label_of(_REPORT[key]) for key in _NEEDED if layers.layer(_REPORT[key]) is None]
    terrain = layers.raster("terrain")
    if terrain is None:
        missing.append(label_of("terrain"))
    if missing:
        raise InputError(
            say('Chưa có: {names}. Bấm "Nguồn dữ liệu" để chọn.', 'Missing: {names}. Press "Data" to choose.').format(
                names=", ".join(missing)
            )
        )
    values: dict[str, Any] = {"TERRAIN": terrain.source()}
    for key, dataset in _REPORT.items():
        layer = layers.layer(dataset)
        if layer is not None and layer.featureCount():
            present = dataset == "administrative_unit" and layer.fields().lookupField("unit_type") >= 0
            values[key] = _definition(layer, "\"unit_type\" NOT LIKE 'old%' AND \"unit_type\" <> 'province'" if present else "")
    source, which = source_layer(layers)
    if source is not None:
        values["SOURCE"] = _definition(source, which)
    return values


def _definition(layer: QgsVectorLayer, expression: str) -> Any:
    name = layer.id() if QgsProject.instance().mapLayer(layer.id()) is not None else layer.source()
    if not expression:
        return name
    definition = QgsProcessingFeatureSourceDefinition(name, False, -1)
    definition.filterExpression = expression
    return definition
