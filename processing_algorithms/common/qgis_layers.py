"""Layers to GeoDataFrames and back.

Files are read and written as whole columns (pyogrio), thirty times faster than feature by feature. Whatever a file
reader cannot see (selections, filters by expression, edit buffers, memory and database layers, joins) is walked
through QGIS, so that what a person sees on the map is what is computed.
"""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from qgis.core import (
    NULL,
    Qgis,
    QgsCoordinateReferenceSystem,
    QgsFeature,
    QgsFeatureRequest,
    QgsFeatureSink,
    QgsField,
    QgsFields,
    QgsGeometry,
    QgsProcessingFeatureSource,
    QgsProcessingFeatureSourceDefinition,
    QgsRectangle,
    QgsVectorLayer,
    QgsVectorLayerFeatureSource,
    QgsWkbTypes,
)
from qgis.PyQt.QtCore import QDate, QDateTime, QMetaType, Qt, QTime

from .columns import BrokenText, broken_texts
from .language import say
from .qgis_file_reading import INTEGERS, FileTable, file_behind, read_file

if TYPE_CHECKING:
    import geopandas
    import pyproj


@dataclass(frozen=True)
class LayerInput:
    """A layer parameter, resolved in the main thread, to be read in any thread, even when the layer is gone.

    ``snapshot`` sees the edit buffer, joins and virtual fields as they were; ``only`` are the ids of a selection;
    ``window`` (x min, y min, x max, y max in the layer's system) keeps what touches it.
    """

    key: str
    name: str
    fields: QgsFields
    qgis_crs: QgsCoordinateReferenceSystem
    feature_count: int
    snapshot: QgsVectorLayerFeatureSource
    file: FileTable | None
    only: frozenset[int] | None = None
    expression: str = ""
    limit: int = -1
    window: tuple[float, float, float, float] | None = None
    notes: list[str] = dataclasses.field(default_factory=list, compare=False)  # of the algorithm, told at its end

    @property
    def crs(self) -> pyproj.CRS | None:
        """The system the layer states, or None."""
        return to_pyproj(self.qgis_crs)

    def columns(self) -> list[str]:
        """Names of the attribute fields, without the file's own row number."""
        return [field.name() for field in self.fields if field.name().lower() not in ("fid", "ogc_fid")]

    def read(self, columns: list[str] | None = None, *, tell_encoding: bool = True) -> geopandas.GeoDataFrame:
        """Read the features a person sees.

        Parameters
        ----------
        columns : list of str, optional
            Only these attributes; all of them when None.
        tell_encoding : bool
            Note which texts are in a wrong encoding; False where the caller does.

        Returns
        -------
        GeoDataFrame
            Index = feature ids as QGIS shows them. Integers keep their exact value (``Int64`` where nulls occur),
            dates are `datetime.date`, date-times `Timestamp`. Curves are made of straight pieces.
        """
        wanted = self.columns() if columns is None else list(columns)
        frame = None if self.file is None else read_file(self.file, self.fields, wanted, self.crs)
        if frame is None:
            frame = _walk(self, wanted)
        if tell_encoding:
            self.notes.extend(_told(self.name, field, broken) for field, broken in broken_texts(frame).items())
        return frame

    def features(self, request: QgsFeatureRequest | None = None) -> Iterator[QgsFeature]:
        """Give the features a person sees as they are, curves and all; ``request`` says what of each is needed."""
        request = request or QgsFeatureRequest()
        if self.expression:
            request.setFilterExpression(self.expression)
        elif self.only is not None:
            request.setFilterFids(list(self.only))
        if self.window is not None:
            request.setFilterRect(QgsRectangle(*self.window))
        given = 0
        for feature in self.snapshot.getFeatures(request):
            if self.only is not None and feature.id() not in self.only:
                continue
            if given == self.limit:
                break
            given += 1
            yield feature


def _told(layer: str, field: str, broken: BrokenText) -> str:
    if broken.encoding:
        told = say("{layer}, trường \"{field}\": chữ theo bảng mã cũ {encoding} (ví dụ \"{example}\", tức là \"{meaning}\"), kết quả sẽ "
                   "ghi y như vậy; thuật toán \"Chuyển mã chữ TCVN3, VNI sang Unicode\" chuyển được (\"Nhập lớp dữ liệu vào cơ sở dữ liệu dùng chung\" "
                   "cũng tự chuyển).",
                   "{layer}, field \"{field}\": the texts are in the old encoding {encoding} (such as \"{example}\", which is "
                   "\"{meaning}\") and results will show them so; the algorithm \"Old Vietnamese texts to Unicode\" converts them (\"Import a layer "
                   "into the shared database\" does, too).")
    else:
        told = say("{layer}, trường \"{field}\": chữ bị hỏng bảng mã (ví dụ \"{example}\"), kết quả sẽ ghi y như vậy; hãy chọn đúng bảng mã "
                   "(thuộc tính lớp, mục Nguồn; dữ liệu cũ thường là windows-1252) hoặc chuyển phông sang Unicode rồi chạy lại.",
                   "{layer}, field \"{field}\": the texts are in a wrong encoding (such as \"{example}\") and results will show them so; "
                   "choose the right encoding (layer properties, Source; windows-1252 for most old data) or convert the font to Unicode, then run again.")
    return told.format(layer=layer, field=field, encoding=broken.encoding, example=broken.example, meaning=broken.meaning)


def layer_input(key: str, value: Any, source: QgsProcessingFeatureSource, layer: QgsVectorLayer) -> LayerInput:
    """Describe a layer parameter; call it in the main thread (prepareAlgorithm).

    Parameters
    ----------
    value : what the user gave; its selection, filter expression and limit are kept
    source, layer : the same parameter as Processing resolves it
    """
    narrowed = isinstance(value, QgsProcessingFeatureSourceDefinition)
    chosen = frozenset(layer.selectedFeatureIds()) if narrowed and value.selectedFeaturesOnly else None
    expression = value.filterExpression if narrowed else ""
    limit = value.featureLimit if narrowed else -1
    whole = chosen is None and not expression and limit < 0
    count = source.featureCount()
    if count < 0:  # unknown to QGIS where an expression narrows the layer
        bare = QgsFeatureRequest().setFlags(Qgis.FeatureRequestFlag.NoGeometry).setNoAttributes()
        count = sum(1 for _ in source.getFeatures(bare, Qgis.ProcessingFeatureSourceFlag.SkipGeometryValidityChecks))
    crs = layer.crs()
    if QgsWkbTypes.flatType(layer.wkbType()) == Qgis.WkbType.GeometryCollection:  # to QGIS such a layer is a table
        crs = layer.dataProvider().crs()
    return LayerInput(
        key=key, name=_name_people_know(value, layer), fields=layer.fields(), qgis_crs=crs,
        feature_count=count, snapshot=QgsVectorLayerFeatureSource(layer),
        file=file_behind(layer) if whole else None, only=chosen, expression=expression, limit=limit)


def part_of_layer(
    layer: QgsVectorLayer, window: tuple[float, float, float, float] | None = None, expression: str = "",
    limit: int = -1
) -> LayerInput:
    """Describe what of a layer touches a window or fulfils an expression; call it in the main thread.

    The layer's index and its database are asked: what lies elsewhere is never read.
    """
    return LayerInput(
        key="", name=layer.name(), fields=layer.fields(), qgis_crs=layer.crs(), feature_count=-1,
        snapshot=QgsVectorLayerFeatureSource(layer), file=None, expression=expression, limit=limit, window=window)


def _name_people_know(value: Any, layer: QgsVectorLayer) -> str:
    """The table's name for a path with one, since QGIS names such layers after the file; else the layer's own name."""
    if isinstance(value, str) and "layername=" in value:
        return value.split("layername=")[1].split("|")[0]
    return layer.name() or value


def _walk(layer: LayerInput, wanted: list[str]) -> geopandas.GeoDataFrame:
    import geopandas
    import pandas
    import shapely

    fields, crs = layer.fields, layer.crs
    positions = [fields.lookupField(name) for name in wanted]
    request = QgsFeatureRequest()
    if not layer.expression and layer.only is None:
        request.setSubsetOfAttributes(positions)
    ids: list[int] = []
    shapes: list[bytes | None] = []
    values: list[list[Any]] = [[] for _ in wanted]
    for feature in layer.features(request):
        ids.append(feature.id())
        shapes.append(_wkb(feature.geometry()))
        attributes = feature.attributes()
        for column, position in zip(values, positions):
            column.append(_plain(attributes[position]))
    index = pandas.Index(ids, name="fid")
    data = {name: _column(column, fields.at(position)) for name, column, position in zip(wanted, values, positions)}
    geometry = "geometry"
    while geometry in data:
        geometry += "_"
    data[geometry] = geopandas.GeoSeries(shapely.from_wkb(np.array(shapes, dtype=object)), crs=crs)
    frame = geopandas.GeoDataFrame(data, geometry=geometry, crs=crs)
    frame.index = index
    return frame


def _wkb(geometry: QgsGeometry) -> bytes | None:
    if geometry.isNull():
        return None
    if QgsWkbTypes.isCurvedType(geometry.wkbType()):
        geometry = QgsGeometry(geometry.constGet().segmentize())
    return bytes(geometry.asWkb())


def _plain(value: Any) -> Any:
    if value is None or value == NULL:
        return None
    if isinstance(value, QDateTime):
        stamp = value.toPyDateTime()
        if value.timeSpec() == Qt.TimeSpec.LocalTime:
            return stamp  # no zone was stated
        return stamp.replace(tzinfo=datetime.timezone(datetime.timedelta(seconds=value.offsetFromUtc())))
    if isinstance(value, QDate):
        return value.toPyDate()
    if isinstance(value, QTime):
        return value.toString("HH:mm:ss.zzz")
    return value


def _column(values: list[Any], field: QgsField) -> Any:
    import pandas

    kind = field.type()
    if kind in INTEGERS:
        return pandas.array(values, dtype="Int64") if None in values else np.array(values, dtype=np.int64)
    if kind == QMetaType.Type.Double:
        return np.array([np.nan if value is None else value for value in values], dtype=float)
    if kind == QMetaType.Type.Bool:
        return pandas.array(values, dtype="boolean")
    if kind == QMetaType.Type.QDateTime:
        zoned = {value.tzinfo is not None for value in values if value is not None}
        if len(zoned) == 2:
            return pandas.Series(values, dtype=object)  # some state a zone and some do not: not ours to guess
        return pandas.to_datetime(pandas.Series(values, dtype=object), utc=True if True in zoned else None)
    return np.array(values, dtype=object) if not any(isinstance(v, list)
                                                     for v in values) else pandas.Series(values, dtype=object)


def to_pyproj(crs: QgsCoordinateReferenceSystem) -> pyproj.CRS | None:
    """Return the same system for the engines; None when the layer states none."""
    # A GeoPackage written without a system says "Undefined geographic SRS" or "Undefined Cartesian SRS".
    if not crs.isValid() or crs.description().startswith("Undefined "):
        return None
    authority = crs.authid()
    if authority.upper().startswith(("EPSG:", "ESRI:", "OGC:")):
        return _read_system(authority)
    return _read_system(crs.toWkt(Qgis.CrsWktVariant.Preferred))


@lru_cache(maxsize=32)
def _read_system(text: str) -> pyproj.CRS:
    # Asked for several times with every sheet of a series, and made in a millisecond.
    import pyproj

    return pyproj.CRS.from_user_input(text)


def to_qgis_crs(crs: pyproj.CRS | None) -> QgsCoordinateReferenceSystem:
    """Return the same system for QGIS; an invalid one for None."""
    if crs is None:
        return QgsCoordinateReferenceSystem()
    authority = crs.to_authority(min_confidence=100)
    if authority:
        return QgsCoordinateReferenceSystem(":".join(authority))
    return QgsCoordinateReferenceSystem.fromWkt(crs.to_wkt())


def qgis_fields(frame: geopandas.GeoDataFrame) -> QgsFields:
    """Return the fields that hold the frame's attribute columns."""
    fields = QgsFields()
    for name in attribute_columns(frame):
        fields.append(QgsField(str(name), _meta_type(frame[name])))
    return fields


def attribute_columns(frame: geopandas.GeoDataFrame) -> list[str]:
    """Columns other than the geometry."""
    geometry = getattr(frame, "_geometry_column_name", None)
    return [name for name in frame.columns if name != geometry]


def _meta_type(column: Any) -> QMetaType.Type:
    kind = column.dtype.kind if isinstance(column.dtype,
                                           np.dtype) else {"Int64": "i", "boolean": "b"}.get(str(column.dtype), "O")
    if kind in "iu":
        return QMetaType.Type.LongLong
    if kind == "f":
        return QMetaType.Type.Double
    if kind == "b":
        return QMetaType.Type.Bool
    if kind == "M" or str(column.dtype).startswith("datetime64"):
        return QMetaType.Type.QDateTime
    first = next((value for value in column if value is not None and value == value), None)
    if isinstance(first, datetime.date) and not isinstance(first, datetime.datetime):
        return QMetaType.Type.QDate
    return QMetaType.Type.QString


def add_to_sink(frame: geopandas.GeoDataFrame, fields: QgsFields, sink: QgsFeatureSink, geometry_type: str) -> bool:
    """Write the frame feature by feature into whatever QGIS opened (memory layer, database table)."""
    import pandas
    import shapely

    from .files import promoted

    columns = []
    for name, field in zip(attribute_columns(frame), fields):
        column = frame[name].astype(object).where(frame[name].notna(), None)
        if field.type() == QMetaType.Type.QDateTime:
            column = column.map(lambda stamp: None if stamp is None else _qdatetime(pandas.Timestamp(stamp)))
        elif field.type() == QMetaType.Type.QDate:
            column = column.map(lambda day: None if day is None else QDate(day))
        columns.append(column.tolist())
    geometry_name = getattr(frame, "_geometry_column_name", None)
    shapes = None
    if geometry_name in frame.columns:
        shapes = shapely.to_wkb(promoted(np.asarray(frame[geometry_name].array, dtype=object), geometry_type),
                                flavor="iso")
    rows = zip(*columns) if columns else (() for _ in range(len(frame)))
    batch = []
    for position, row in enumerate(rows):
        feature = QgsFeature(fields)
        feature.setAttributes(list(row))
        if shapes is not None and shapes[position] is not None:
            geometry = QgsGeometry()
            geometry.fromWkb(shapes[position])
            feature.setGeometry(geometry)
        batch.append(feature)
        if len(batch) == 5000:
            if not sink.addFeatures(batch, QgsFeatureSink.Flag.FastInsert):
                return False
            batch = []
    return sink.addFeatures(batch, QgsFeatureSink.Flag.FastInsert) if batch else True


def _qdatetime(stamp: Any) -> QDateTime:
    if stamp.tzinfo is None:
        return QDateTime(stamp.to_pydatetime())
    return QDateTime.fromMSecsSinceEpoch(stamp.value // 1_000_000, Qt.TimeSpec.UTC)


def is_plain_file(destination: str) -> bool:
    """Tell whether a destination is a file path we write ourselves, not a table in a database or a memory layer."""
    return Path(destination).suffix.lower() in (".gpkg", ".fgb", ".geojson", ".shp",
                                                ".csv") and "dbname=" not in destination
