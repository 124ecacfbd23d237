"""Vector files written whole or not at all, column by column."""

from __future__ import annotations

import datetime
import os
import re
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import geopandas
import numpy as np
import pandas
import shapely
from numpy.typing import NDArray

from .destinations import written_whole
from .errors import OutputError
from .geopackage import fill_layer
from .language import say
from .progress import Progress, silent

_DRIVERS = {".gpkg": "GPKG", ".fgb": "FlatGeobuf", ".geojson": "GeoJSON", ".shp": "ESRI Shapefile",
            ".csv": "CSV"}


def write_vector(
    frame: geopandas.GeoDataFrame | pandas.DataFrame,
    path: str | os.PathLike[str],
    geometry_type: str = "Unknown",
    layer: str | None = None,
) -> None:
    """Write one layer as a new file; the format follows the ending (.gpkg, .fgb, .geojson, .shp, .csv).

    Parameters
    ----------
    frame : GeoDataFrame or DataFrame
        A DataFrame becomes a table, as does any frame in a .csv file. Object columns of `datetime.date` become dates,
        other objects text. A column named ``fid`` is renamed ``fid_source``: the file numbers its rows itself.
        Columns named ``geom`` keep their name; the shapes of a GeoPackage then go into ``geom_``.
    path : path
    geometry_type : str
        OGR name, such as ``"MultiPolygon"``; single shapes are promoted when it is a multi type.
    layer : str, optional
        Table name in a GeoPackage; the file's stem by default.

    Raises
    ------
    OutputError
        See `check_destination`; or the driver's own refusal.
    """
    import pyogrio

    target = Path(path)
    driver = _DRIVERS[target.suffix.lower()]
    frame = _without_reserved_names(frame)
    if driver == "CSV":
        _write_csv(frame, target)
        return
    is_layer = isinstance(frame, geopandas.GeoDataFrame)
    names = [name for name in frame.columns if not (is_layer and name == frame.geometry.name)]
    data, masks = zip(*(_field(frame[name]) for name in names)) if names else ((), ())
    shapes = np.asarray(frame.geometry.array, dtype=object) if is_layer else None
    if is_layer and driver == "FlatGeobuf" and frame.geometry.isna().any():
        raise OutputError(say("Định dạng FlatGeobuf bỏ mất đối tượng không có hình; hãy ghi kết quả vào tệp .gpkg.",
                              "FlatGeobuf loses features without geometry; write the result to a .gpkg file."))
    options = {"ENCODING": "UTF-8"} if driver == "ESRI Shapefile" else {}
    with written_whole(target) as part:
        with _refused_as_output(target):
            if driver == "GPKG":
                _add_layer(part, layer or target.stem, frame, shapes, names, data, masks, geometry_type)
                return
            pyogrio.raw.write(
                part, geometry=shapely.to_wkb(promoted(shapes, geometry_type)) if is_layer else None,
                field_data=list(data), fields=np.array(names, dtype=object),
                field_mask=list(masks), layer=layer or target.stem, driver=driver,
                geometry_type=_ogr_name(geometry_type) if is_layer else None,
                crs=_wkt_of(frame) if is_layer else None, dataset_options=None, layer_options=options,
                gdal_tz_offsets=_utc_columns(frame, names))
            if driver == "GeoJSON":
                _refuse_cut_off(part, target)


def add_to_geopackage(
    frame: geopandas.GeoDataFrame | pandas.DataFrame, path: str | os.PathLike[str], layer: str,
    geometry_type: str = "Unknown", progress: Progress = silent
) -> None:
    """Add a layer to a GeoPackage of ours that is being made (see `write_vector`); the file begins with the first one."""
    frame = _without_reserved_names(frame)
    is_layer = isinstance(frame, geopandas.GeoDataFrame)
    names = [name for name in frame.columns if not (is_layer and name == frame.geometry.name)]
    data, masks = zip(*(_field(frame[name]) for name in names)) if names else ((), ())
    with _refused_as_output(Path(path)):
        _add_layer(Path(path), layer, frame, np.asarray(frame.geometry.array, dtype=object) if is_layer else None,
                   names, data, masks, geometry_type, progress)


def _add_layer(path: Path, layer: str, frame: Any, shapes: NDArray[np.object_] | None, names: list[str], data: tuple,
               masks: tuple, geometry_type: str, progress: Progress = silent) -> None:
    """GDAL makes the empty layer, SQLite fills it."""
    import pyogrio

    is_layer = shapes is not None
    pyogrio.raw.write(
        path, geometry=np.empty(0, dtype=object) if is_layer else None, field_data=[column[:0] for column in data],
        fields=np.array(names, dtype=object),
        field_mask=None, layer=layer, driver="GPKG", geometry_type=_ogr_name(geometry_type) if is_layer else None,
        crs=_wkt_of(frame) if is_layer else None,
        dataset_options=None, layer_options={"SPATIAL_INDEX": "YES", "GEOMETRY_NAME": free_name("geom", names)}
        if is_layer else {}, gdal_tz_offsets=None)
    fill_layer(path, layer, shapes, names, data, masks, multi=geometry_type.startswith("Multi"),
               utc=_utc_columns(frame, names), progress=progress)


@contextmanager
def _refused_as_output(target: Path) -> Iterator[None]:
    import pyogrio

    try:
        yield
    except (sqlite3.Error, pyogrio.errors.DataSourceError, pyogrio.errors.DataLayerError, pyogrio.errors.FeatureError,
            pyogrio.errors.FieldError, pyogrio.errors.GeometryError) as error:
        raise OutputError(say("Không ghi được {path}: {why}", "{path} cannot be written: {why}")
                          .format(path=target, why=error)) from error


def _ogr_name(geometry_type: str) -> str:
    return re.sub(r"(?<=[a-z])(Z?M?)$", r" \1", geometry_type).strip()


def _wkt_of(frame: geopandas.GeoDataFrame) -> str | None:
    return frame.crs.to_wkt() if frame.crs is not None else None


def _write_csv(frame: geopandas.GeoDataFrame | pandas.DataFrame, target: Path) -> None:
    """Write the attributes as UTF-8; GDAL would put integers in quotes, which spreadsheets read as text."""
    if isinstance(frame, geopandas.GeoDataFrame):
        frame = pandas.DataFrame(frame.drop(columns=frame.geometry.name))
    with written_whole(target) as part:
        frame.to_csv(part, index=False, encoding="utf-8", lineterminator="\n", date_format="%Y-%m-%dT%H:%M:%S.%f")


def _refuse_cut_off(part: Path, target: Path) -> None:
    """GDAL's GeoJSON driver says nothing when the disk is full; the brackets that close the file are missing then."""
    with part.open("rb") as written:
        written.seek(max(0, part.stat().st_size - 16))
        if not written.read().endswith(b"\n]\n}\n"):
            raise OutputError(say("Không ghi được trọn tệp {path}; có thể ổ đĩa đã đầy.",
                                  "{path} could not be written whole; the disk may be full.").format(path=target))


def _utc_columns(frame: Any, names: list[str]) -> dict[str, NDArray[np.int64]]:
    """Say of date-times with a zone, which `_field` turns into UTC, that they are UTC: 100 in GDAL's counting."""
    return {name: np.full(len(frame), 100) for name in names if isinstance(frame[name].dtype, pandas.DatetimeTZDtype)}


def _without_reserved_names(frame: Any) -> Any:
    taken = {str(name).lower() for name in frame.columns}
    renamed = {}
    for name in frame.columns:
        if str(name).lower() in ("fid", "ogc_fid"):
            renamed[name] = free_name("fid_source", taken)
    return frame.rename(columns=renamed) if renamed else frame


def free_name(wanted: str, taken: Iterable[object]) -> str:
    """Return a name for the column of the shapes that no field has."""
    names = {str(name).lower() for name in taken}
    while wanted in names:
        wanted += "_"
    return wanted


def _field(column: pandas.Series) -> tuple[NDArray[Any], NDArray[np.bool_] | None]:
    """Return the column as pyogrio takes it, and where it is null."""
    null = column.isna().to_numpy()
    mask = null if null.any() else None
    dtype = str(column.dtype)
    if dtype in ("Int64", "Int32", "Int16", "Int8"):
        return column.fillna(0).to_numpy(dtype=np.int64), mask
    if dtype == "boolean":
        return column.fillna(False).to_numpy(dtype=bool), mask
    if dtype.startswith("datetime64"):
        if getattr(column.dt, "tz", None) is not None:
            column = column.dt.tz_convert("UTC").dt.tz_localize(None)
        return column.to_numpy().astype("datetime64[ms]"), mask
    if dtype == "category":
        column = column.astype(object)
    values = column.to_numpy()
    if values.dtype.kind in "iubf":
        return (values, None if values.dtype.kind == "f" else mask)
    first = next((value for value in values if value is not None and value == value), None)
    if isinstance(first, datetime.date) and not isinstance(first, datetime.datetime):
        days = np.array([np.datetime64("1970-01-01") if gone else np.datetime64(value)
                         for value, gone in zip(values, null)],
                        dtype="datetime64[D]")
        return days, mask
    if pandas.api.types.infer_dtype(values, skipna=True) == "string":  # nothing but texts: no need to look at each
        return (np.where(null, None, values) if mask is not None else values), None
    texts = np.array([None if gone else value if isinstance(value, str) else str(value)
                      for value, gone in zip(values, null)],
                     dtype=object)
    return texts, None


def promoted(shapes: NDArray[np.object_], geometry_type: str) -> NDArray[np.object_]:
    """Make single shapes multi where the layer is of a multi type (OGR name), as GeoPackage and memory layers want."""
    build = {"MultiPolygon": (3, shapely.multipolygons), "MultiLineString": (1, shapely.multilinestrings),
             "MultiPoint": (0, shapely.multipoints)}.get(geometry_type)
    if build is None:
        return shapes
    single_type, make = build
    single = np.flatnonzero(shapely.get_type_id(shapes) == single_type)
    if single.size:
        shapes = shapes.copy()
        shapes[single] = make(shapes[single], indices=np.arange(single.size))
    return shapes
