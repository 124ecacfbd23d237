"""The shared database of the demo: created from the catalogue, filled from the sample town."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pyogrio
from qgis.core import QgsVectorLayer

from ...processing_algorithms.common.errors import InputError
from ...processing_algorithms.common.language import say
from .folder import Folder
from .running import run

#: Layers of the sample that do not carry the name of their dataset.
_DATASET_OF = {"land_use_2020": "land_use", "land_use_2025": "land_use"}


@dataclass(frozen=True)
class Filled:
    """What came in. ``rejected`` are rows kept aside with reasons: the sample has faults on purpose."""

    datasets: int
    rows: int
    rejected: int


def create_database(folder: Folder, crs: str) -> int:
    """Create the empty database with all datasets of the catalogue."""
    return run("hubcreate", CRS=crs, NAME="Cơ sở dữ liệu dùng chung (dữ liệu mẫu)",
               HUB=str(folder.hub))["DATASET_COUNT"]


def fill_database(folder: Folder, town: Path, datasets: set[str]) -> Filled:
    """Import every layer of the sample that has a dataset."""
    rows = rejected = count = 0
    for layer in pyogrio.list_layers(town)[:, 0]:
        dataset = _DATASET_OF.get(layer, layer)
        if dataset not in datasets:
            continue
        result = run("hubimport", HUB=str(folder.hub), DATASET=dataset, INPUT=f"{town}|layername={layer}")
        rows += result["ADDED"]
        rejected += result["REJECTED"]
        count += 1
    return Filled(count, rows, rejected)


def hub_layer(folder: Folder, dataset: str, name: str, only: str = "") -> QgsVectorLayer:
    """Open a dataset of the database as a layer; ``only`` is an SQL condition.

    Raises
    ------
    InputError
        The layer cannot be opened.
    """
    # The condition goes into the source: set afterwards, QGIS 3.40 sometimes loses the fields of a GeoPackage layer
    # while
    # other layers of the file are open.
    layer = QgsVectorLayer(f"{folder.hub}|layername={dataset}" + (f"|subset={only}" if only else ""), name, "ogr")
    if not layer.isValid() or layer.fields().isEmpty():
        raise InputError(say("Không mở được lớp {layer} trong {path}.", "The layer {layer} of {path} cannot be opened.")
                         .format(layer=dataset, path=folder.hub))
    return layer
