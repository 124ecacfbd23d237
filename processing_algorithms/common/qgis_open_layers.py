"""Opening the layers of a place so that they are ready to work with: dressed, named, in groups, in the right order.

The database desk, the first start and ``quyhoach:openlayers`` all open layers here; `qgis_dressing` says how each looks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from qgis.core import (
    QgsCredentials,
    QgsDataSourceUri,
    QgsLayerTreeGroup,
    QgsProject,
    QgsProviderRegistry,
    QgsVectorLayer,
)

from .errors import InputError
from .language import say
from .qgis_dressing import UnknownCode, dress, show_present, symbolise_codes
from .qgis_project import Group

# That of `provincial_database.stored_tables`, which common/ may not import.
StoredTable = Any
#: Where a PostGIS hub has a dataset: its tables, then the views of those who may not see every field, to whom QGIS opens no table.
HUB_SCHEMAS = ("quyhoach_data", "quyhoach_internal", "quyhoach_public")


@dataclass
class OpenedLayer:
    """A layer that is open and dressed, and the codes in it that have no symbol."""

    table: StoredTable
    layer: QgsVectorLayer
    unknown_codes: list[UnknownCode]


def open_layers(
    location: str | Mapping[str, str], tables: Iterable[StoredTable], *, connection: str = "",
    codes: Mapping[str, Mapping[str, int]] | None = None, progress: Callable[[float], None] = lambda fraction: None
) -> list[OpenedLayer]:
    """Open tables as dressed layers; nothing is added to a project.

    Parameters
    ----------
    location : str or mapping
        Path of a GeoPackage, or address or parameters of a PostGIS hub.
    tables : iterable of StoredTable
        From `stored_tables`.
    connection : str
        Name of the PostgreSQL connection stored in QGIS, so that its sign-in stays in QGIS's store.
    codes : mapping, optional
        Table -> code -> how many features carry it, from `stored_tables.count_codes`; what it lacks is read here.
    progress : callable
        Gets a fraction; may raise to stop.

    Raises
    ------
    InputError
        Layers that cannot be opened, named.
    """
    wanted, opened, refused = list(tables), [], []
    for at, table in enumerate(wanted):
        progress(at / len(wanted))
        layer = _layer(location, table, connection)
        if not layer.isValid() or layer.fields().isEmpty():
            refused.append(table.label)
            continue
        known = (codes or {}).get(table.name)
        unknown = (dress(layer, table.dataset, smallest_scale=table.smallest_scale, codes=known)
                   if table.dataset is not None
                   else symbolise_codes(layer))
        layer.setName(table.label)
        opened.append(OpenedLayer(table, layer, unknown))
    if refused:
        raise InputError(say("Không mở được lớp {names}. Kiểm tra tệp hoặc quyền đọc.",
                             "The layers {names} cannot be opened. Check the file or your rights to read.")
                         .format(names=", ".join(refused)))
    return opened


def add_to_project(project: QgsProject, opened: Iterable[OpenedLayer], rooms: Mapping[str, tuple[str, str]],
                   name: str) -> None:
    """Add opened layers to a project, in a group of the place's name with one group for each field of work.

    In the main thread. ``rooms`` are `qgis_algorithm.ROOMS`.
    """
    root = project.layerTreeRoot()
    top = root.findGroup(name) or root.insertGroup(0, name)
    for one in opened:
        project.addMapLayer(one.layer, False)
        label = say(*rooms[one.table.room])
        node = (_inside(top, label) or top.addGroup(label)).addLayer(one.layer)
        node.setExpanded(False)
        node.setItemVisibilityChecked(one.table.visible)
        show_present(node)


def groups_of(opened: Iterable[OpenedLayer], rooms: Mapping[str, tuple[str, str]]) -> list[Group]:
    """Return the same groups for `qgis_project.save_project`."""
    groups: dict[str, Group] = {}
    for one in opened:
        groups.setdefault(one.table.room,
                          Group(say(*rooms[one.table.room]))).layers.append((one.layer, one.table.visible))
    return list(groups.values())


def _inside(group: QgsLayerTreeGroup, name: str) -> QgsLayerTreeGroup | None:
    return next((found for found in group.findGroups() if found.name() == name), None)


def _layer(location: str | Mapping[str, str], table: StoredTable, connection: str) -> QgsVectorLayer:
    options = QgsVectorLayer.LayerOptions(QgsProject.instance().transformContext(), False)
    if isinstance(location, str) and location.lower().endswith(".gpkg"):
        return QgsVectorLayer(f"{Path(location)}|layername={table.name}", table.label, "ogr", options)
    uri = _stored(connection) if connection else _given(location)
    for schema in HUB_SCHEMAS:
        uri.setDataSource(schema, table.name, "geom", "", "fid")
        layer = QgsVectorLayer(uri.uri(False), table.label, "postgres", options)
        if layer.isValid():
            break
    return layer


def _stored(connection: str) -> QgsDataSourceUri:
    uri = QgsDataSourceUri(
        QgsProviderRegistry.instance().providerMetadata("postgres").connections(False)[connection].uri()
    )
    if uri.password():
        # Saved with the connection, in QGIS's settings. A layer's source goes into the project: there QGIS asks, and knows until it is closed.
        password, user = uri.password(), uri.username()
        uri.setPassword("")
        QgsCredentials.instance().put(uri.connectionInfo(False), user, password)
    return uri


def _given(location: str | Mapping[str, str]) -> QgsDataSourceUri:
    if isinstance(location, str):
        import psycopg2.extensions

        given: Mapping[str, str] = psycopg2.extensions.parse_dsn(location)
    else:
        given = location
    uri = QgsDataSourceUri()
    mode = QgsDataSourceUri.decodeSslMode(given.get("sslmode", "prefer"))
    # Never the password: a layer's source goes into the project.
    who = given.get("user", ""), "", mode
    if "service" in given:
        uri.setConnection(given["service"], given.get("dbname", ""), *who)
    else:
        uri.setConnection(given.get("host", ""), given.get("port", ""), given.get("dbname", ""), *who)
    return uri
