"""The layers of a working copy in the project: opened as `openlayers` opens them, in groups, one of each."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from qgis.core import QgsProject, QgsVectorLayer

from ..processing_algorithms.common.errors import InputError
from ..processing_algorithms.common.language import say
from ..processing_algorithms.common.qgis_algorithm import ROOMS
from ..processing_algorithms.common.qgis_dressing import field_of_symbols
from ..processing_algorithms.common.qgis_open_layers import OpenedLayer, add_to_project, open_layers
from ..processing_algorithms.common.qgis_working_copy import layers_of
from ..processing_algorithms.provincial_database.stored_tables import StoredTable, count_codes, stored_tables

#: How many features carry which code, by table.
Codes = Mapping[str, Mapping[str, int]]


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


def read_codes(path: str, tables: list[StoredTable]) -> dict[str, dict[str, int]]:
    """Read which codes of its symbols each table holds; beside the window, because it reads every row."""
    fields = {
        table.name: (table.dataset, field_of_symbols(table.dataset)) for table in tables if table.dataset is not None
    }
    return count_codes(path, {name: field for name, (dataset, field) in fields.items()
                              if field in dataset.field_names and dataset.field(field).type == "text"})


def missing_tables(path: str) -> list[StoredTable]:
    """Return the tables of a working copy that no layer of the project shows."""
    shown = {table_of(layer) for layer in layers_of(path)}
    return [table for table in stored_tables(path) if table.dataset is not None and table.name not in shown]


def add_layers(path: str, name: str, tables: list[StoredTable], codes: Codes) -> list[OpenedLayer]:
    """Add tables to the project with their official look, in a group of the working copy.

    Parameters
    ----------
    tables : list of StoredTable
        From `missing_tables`.
    codes : mapping
        From `read_codes`.

    Raises
    ------
    InputError
        A layer cannot be opened; none is added.
    """
    project = QgsProject.instance()
    opened = open_layers(str(Path(path)), tables, codes=codes)
    if opened and not project.mapLayers():
        # At once: QGIS takes the system of the first layer only after the map was moved to where it is in another.
        project.setCrs(next((one.layer.crs() for one in opened if one.layer.crs().isValid()), project.crs()))
    add_to_project(project, opened, ROOMS, name)
    return opened
