"""Where an algorithm's results go: plain files that we write ourselves, told apart from what QGIS writes, and checked
before any work."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from qgis.core import (
    QgsDataSourceUri,
    QgsProcessing,
    QgsProcessingAlgorithm,
    QgsProcessingContext,
    QgsProcessingParameterFeatureSink,
    QgsProcessingParameterFileDestination,
    QgsProcessingParameterRasterDestination,
    QgsProviderRegistry,
)

from .destinations import check_destination, check_table, refuse_shared
from .errors import OutputError
from .language import say
from .qgis_hub_parameters import is_database
from .qgis_layers import is_plain_file


def file_destination(parameters: dict[str, Any], key: str, context: QgsProcessingContext) -> str | None:
    """Return the plain file a vector destination names, or None for memory layers and database tables."""
    value = _sink_text(parameters, key, context)
    return value if value != QgsProcessing.TEMPORARY_OUTPUT and is_plain_file(value) else None


def check_destinations(
    algorithm: QgsProcessingAlgorithm, parameters: dict[str, Any], context: QgsProcessingContext
) -> None:
    """Refuse results that cannot be written, that would replace an input of this run, or each other.

    Raises
    ------
    OutputError
    """
    paths: dict[str, str] = {}
    for definition in algorithm.parameterDefinitions():
        key = definition.name()
        if isinstance(definition, QgsProcessingParameterFeatureSink):
            path = file_destination(parameters, key, context)
            _refuse_own_table(algorithm, parameters, key, context)
        elif isinstance(definition, QgsProcessingParameterRasterDestination):
            path = algorithm.parameterAsOutputLayer(parameters, key, context) if parameters.get(key) else None
        elif isinstance(definition, QgsProcessingParameterFileDestination):
            path = algorithm.parameterAsFileOutput(parameters, key, context) if parameters.get(key) else None
            if path and key == "HUB" and is_database(path):
                continue  # what is there already is for the server to say
        else:
            continue
        if path:
            check_destination(path)
            if any(_is_same_file(source, path) for source in _input_files(algorithm, parameters, context)):
                raise _own_input(path)
            paths[definition.description()] = path
    refuse_shared(paths)


def _refuse_own_table(
    algorithm: QgsProcessingAlgorithm, parameters: dict[str, Any], key: str, context: QgsProcessingContext
) -> None:
    """A table of a GeoPackage that an input is read from, or that is a hub's or a working copy's; its other tables are free."""
    provider, _, address = _sink_text(parameters, key, context).partition(":")
    target = QgsDataSourceUri(address)
    if provider in ("postgis", "postgres") and target.schema().startswith("quyhoach"):
        raise OutputError(say("Bảng {table} là của cơ sở dữ liệu dùng chung; không ghi đè. Hãy chọn tên khác.",
                              "The table {table} belongs to a shared database and is never overwritten; choose another name.")
                          .format(table=f"{target.schema()}.{target.table()}"))
    if provider != "ogr":
        return
    check_table(target.database(), target.table())
    for source, table in _input_tables(algorithm, parameters, context):
        if _is_same_file(source, target.database()) and (table or _first_table(source)) == target.table():
            raise _own_input(f"{source} ({target.table()})")


def _input_files(
    algorithm: QgsProcessingAlgorithm, parameters: dict[str, Any], context: QgsProcessingContext
) -> Iterator[str]:
    """Path of every input that is a file, layer or not."""
    yield from (path for path, _ in _input_tables(algorithm, parameters, context))
    for definition in algorithm.parameterDefinitions():
        if definition.type() == "file" and (path := algorithm.parameterAsFile(parameters, definition.name(), context)):
            yield path


def _input_tables(
    algorithm: QgsProcessingAlgorithm, parameters: dict[str, Any], context: QgsProcessingContext
) -> Iterator[tuple[str, str | None]]:
    """Path and, where stated, table of every input layer that is a file."""
    for definition in algorithm.parameterDefinitions():
        if definition.isDestination() or definition.type() not in ("source", "vector", "raster"):
            continue
        layer = algorithm.parameterAsLayer(parameters, definition.name(), context)
        if layer is not None and layer.providerType() in ("ogr", "gdal", "delimitedtext"):
            parts = QgsProviderRegistry.instance().decodeUri(layer.providerType(), layer.source())
            if parts.get("path"):
                yield parts["path"], parts.get("layerName")


def _sink_text(parameters: dict[str, Any], key: str, context: QgsProcessingContext) -> str:
    """What a vector destination names, as a plain value or wrapped by a dialog or model."""
    value = parameters.get(key)
    sink = getattr(value, "sink", None)
    if sink is not None:
        value = sink.valueAsString(context.expressionContext())[0]
    return value if isinstance(value, str) else ""


def _is_same_file(one: str, other: str) -> bool:
    return Path(one).exists() and Path(other).exists() and Path(one).samefile(other)


def _first_table(path: str) -> str:
    tables = QgsProviderRegistry.instance().querySublayers(path)
    return tables[0].name() if tables else ""


def _own_input(name: str) -> OutputError:
    return OutputError(say("Kết quả không được ghi đè lên dữ liệu đầu vào {name}; hãy chọn tên khác.",
                           "The result must not overwrite its own input {name}; choose another name.")
                       .format(name=name))
