"""Features written as QGIS holds them: kinds of fields, curves, heights and measures, row numbers and all.

`QuyHoachAlgorithm.write_layer` is several times faster, for results that are frames.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import chain, islice
from pathlib import Path
from typing import Any

from qgis.core import (
    Qgis,
    QgsCoordinateReferenceSystem,
    QgsFeature,
    QgsFeatureSink,
    QgsFields,
    QgsProcessingAlgorithm,
    QgsProcessingContext,
    QgsVectorFileWriter,
    QgsVectorLayer,
)

from .destinations import written_whole
from .errors import OutputError
from .language import say
from .qgis_destinations import file_destination


def write_features(algorithm: QgsProcessingAlgorithm, parameters: dict[str, Any], key: str, context: QgsProcessingContext,
                   features: Iterable[QgsFeature], *, fields: QgsFields, kind: Qgis.WkbType, crs: QgsCoordinateReferenceSystem,
                   asked: Callable[[], None]) -> str:
    """Write features to a destination; a plain file is there whole or not at all.

    Parameters
    ----------
    asked : callable
        Raises `Cancelled`; only asked while a plain file is written, what goes elsewhere is not taken back.

    Raises
    ------
    OutputError
    """
    path = file_destination(parameters, key, context)
    if path is None:
        sink, destination = algorithm.parameterAsSink(parameters, key, context, fields, kind, crs)
        if sink is None:
            raise _refused(str(parameters.get(key)), "")
        _fill(sink, features, destination, lambda: None)
        if hasattr(sink, "finalize"):
            sink.finalize()
        return destination
    from .files import free_name

    destination = algorithm.parameterAsOutputLayer(parameters, key, context)
    target = Path(path)
    options = QgsVectorFileWriter.SaveVectorOptions()
    options.driverName = QgsVectorFileWriter.driverForExtension(target.suffix)
    options.fileEncoding, options.layerName = "UTF-8", target.stem
    if options.driverName == "GPKG":
        options.layerOptions = [f"GEOMETRY_NAME={free_name('geom', fields.names())}"]
    elif options.driverName == "CSV":
        options.layerOptions = ["STRING_QUOTING=IF_NEEDED"]  # numbers would be in quotes, which spreadsheets read as text
    with written_whole(target) as part:
        writer = QgsVectorFileWriter.create(str(part), fields, kind, crs, context.transformContext(), options)
        if writer.hasError() != QgsVectorFileWriter.WriterError.NoError:
            raise _refused(path, writer.errorMessage())
        count = _fill(writer, features, path, asked)
        del writer
        # Some formats lose features and say nothing: those without a shape, or the rest when the disk is full.
        held = QgsVectorLayer(str(part), "", "ogr", QgsVectorLayer.LayerOptions(False)).featureCount()
        if held != count:
            raise _refused(path, say("chỉ ghi được {held} trên {count} đối tượng; hãy ghi ra tệp .gpkg",
                                     "{held} of {count} features could be written; write to a .gpkg file").format(held=max(held, 0), count=count))
    return destination


def _fill(sink: QgsFeatureSink, features: Iterable[QgsFeature], destination: str, asked: Callable[[], None]) -> int:
    count, rest = 0, iter(features)
    for first in rest:
        batch = list(chain([first], islice(rest, 4999)))
        asked()
        if not sink.addFeatures(batch, QgsFeatureSink.Flag.FastInsert):
            raise _refused(destination, sink.lastError())
        count += len(batch)
    return count


def _refused(destination: str, why: str) -> OutputError:
    return OutputError(say("Không ghi được {path}: {why}", "{path} cannot be written: {why}").format(path=destination, why=why).rstrip(": "))
