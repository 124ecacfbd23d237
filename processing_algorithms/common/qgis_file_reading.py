"""Reads vector files as whole columns (pyogrio), where a file holds exactly what a layer shows."""

from __future__ import annotations

import codecs
import warnings
from dataclasses import dataclass
from types import ModuleType
from typing import TYPE_CHECKING

import numpy as np
from qgis.core import Qgis, QgsFields, QgsProviderRegistry, QgsVectorLayer
from qgis.PyQt.QtCore import QMetaType

from .curves import curves_kept
from .legacy_text import judge_columns

if TYPE_CHECKING:
    import geopandas
    import pyproj

INTEGERS = (QMetaType.Type.Int, QMetaType.Type.LongLong, QMetaType.Type.UInt, QMetaType.Type.ULongLong)
# Largest integer a float64 holds exactly: pyogrio hands integer columns with nulls over as floats.
_EXACT = 2**53


@dataclass(frozen=True)
class FileTable:
    """One table of a file that can be read as it is; ``encoding`` of its texts, for shapefiles, as QGIS reads them."""

    path: str
    layer: str | None
    where: str | None
    encoding: str | None = None


def file_behind(layer: QgsVectorLayer) -> FileTable | None:
    """Return the file table that holds exactly what the layer shows, or None."""
    if layer.providerType() != "ogr" or (layer.isEditable() and layer.isModified()):
        return None
    fields = layer.fields()
    if any(fields.fieldOrigin(i) != Qgis.FieldOrigin.Provider for i in range(fields.count())):
        return None
    parts = QgsProviderRegistry.instance().decodeUri("ogr", layer.dataProvider().dataSourceUri())
    subset = (layer.subsetString() or "").strip()
    if not parts.get("path") or parts.get("openOptions") or parts.get("geometryType") or parts.get("vsiPrefix"):
        return None
    if subset.lower().startswith("select"):
        return None
    encoding = None
    if parts["path"].lower().endswith((".shp", ".dbf", ".shz", ".zip")):
        # Without a .cpg GDAL takes Latin-1, QGIS UTF-8 or what the user has set.
        try:
            encoding = codecs.lookup(layer.dataProvider().encoding()).name
        except LookupError:  # "System", TCVN
            return None
    return FileTable(parts["path"], parts.get("layerName") or None, subset or None, encoding)


def read_file(
    file: FileTable, fields: QgsFields, wanted: list[str], crs: pyproj.CRS | None
) -> geopandas.GeoDataFrame | None:
    """Return some columns and the shapes, None where only QGIS can tell them rightly; see `qgis_layers.LayerInput.read`."""
    if "geometry" in wanted:
        return None  # an attribute of that name would collide with the frame's own column
    try:
        import pyogrio
    except ImportError:
        return None
    import geopandas
    import pandas

    # GDAL fills fields that are not read with nulls before it filters, except where a database filters: no row would be left.
    columns = None if file.where and not file.path.lower().endswith(".gpkg") else wanted
    try:
        with warnings.catch_warnings(), curves_kept():
            # What GDAL has to say of the file it has said when QGIS opened it.
            warnings.simplefilter("ignore", RuntimeWarning)
            frame = pyogrio.read_dataframe(
                file.path, layer=file.layer, columns=columns, where=file.where, fid_as_index=True, force_2d=False,
                encoding=file.encoding)
    except UnicodeDecodeError:
        frame = None
    except (pyogrio.errors.DataSourceError, pyogrio.errors.DataLayerError, ValueError, UnicodeError):
        return None  # QGIS opened it, so QGIS reads it
    if frame is None or set(wanted) - set(frame.columns):
        frame = _older_than_unicode(pyogrio, file, fields, wanted) if file.encoding == "utf-8" else None
    if frame is None:
        return None
    if not isinstance(frame, geopandas.GeoDataFrame):
        frame = geopandas.GeoDataFrame(frame, geometry=geopandas.GeoSeries([None] * len(frame), index=frame.index))
    frame = frame[[*wanted, "geometry"]]
    for name in wanted:
        kind = fields.field(name).type()
        column = frame[name]
        if kind in INTEGERS and column.dtype.kind == "f":
            if column.abs().max() >= _EXACT:
                return None
            frame[name] = column.astype("Int64")
        elif kind == QMetaType.Type.Bool and column.dtype.kind != "b":
            frame[name] = column.astype("boolean")
        elif kind == QMetaType.Type.QDate:
            # Out-of-range years come as strings; only real timestamps are cut to their day.
            if column.dtype.kind != "M":
                return None
            frame[name] = pandas.Series([None if stamp is pandas.NaT else stamp.date() for stamp in column],
                                        index=frame.index, dtype=object)
    # The layer's system is what the user set in QGIS, which may differ from what the file says.
    return frame.set_crs(crs, allow_override=True) if crs is not None else _without_crs(frame)


def stored_names(file: FileTable) -> list[str] | None:
    """Return the names of all fields as Latin-1 shows their bytes, where QGIS takes a file for UTF-8; None for others."""
    if file.encoding != "utf-8":
        return None
    try:
        import pyogrio
    except ImportError:
        return None
    try:
        with warnings.catch_warnings(), curves_kept():
            warnings.simplefilter("ignore", RuntimeWarning)
            return list(pyogrio.read_info(file.path, layer=file.layer, encoding="ISO-8859-1")["fields"])
    except (pyogrio.errors.DataSourceError, pyogrio.errors.DataLayerError, ValueError):
        return None


def _older_than_unicode(pyogrio: ModuleType, file: FileTable, fields: QgsFields, wanted: list[str]) -> geopandas.GeoDataFrame | None:
    """Read a shapefile of TCVN3 or VNI texts that does not tell its encoding; None where it is not certain.

    QGIS takes it for UTF-8 and shows U+FFFD for every Vietnamese letter: Latin-1 loses none of them.
    """
    try:
        with warnings.catch_warnings(), curves_kept():
            warnings.simplefilter("ignore", RuntimeWarning)
            frame = pyogrio.read_dataframe(file.path, layer=file.layer, where=file.where, fid_as_index=True, force_2d=False,
                                           encoding="ISO-8859-1")
    except (pyogrio.errors.DataSourceError, pyogrio.errors.DataLayerError, ValueError):
        return None
    held = [name for name in frame.columns if name != "geometry"]
    if len(held) != fields.count():
        return None
    frame = frame.rename(columns=dict(zip(held, fields.names())))  # QGIS lost the letters of the names, too
    texts = {name: frame[name] for name in fields.names() if frame[name].dtype == object}
    return frame[[*wanted, *(name for name in frame.columns if name == "geometry")]] if judge_columns(texts) else None


def _without_crs(frame: geopandas.GeoDataFrame) -> geopandas.GeoDataFrame:
    import geopandas

    geometry = geopandas.GeoSeries(np.asarray(frame.geometry.array, dtype=object), index=frame.index, crs=None)
    return geopandas.GeoDataFrame(frame.drop(columns=frame.geometry.name), geometry=geometry, crs=None)
