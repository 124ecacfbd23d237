"""Reads a dossier as it came: files, classes, fields and features, whatever their state."""

from __future__ import annotations

import os
import sqlite3
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import geopandas
import pyproj

from ...common.curves import curves_kept
from ...common.errors import InputError
from ...common.language import say
from ...common.progress import Progress, part, silent
from .schema import DATABASES, FOLDER_NAME, PROJECT_ENDINGS, plain

if TYPE_CHECKING:
    from osgeo import ogr

#: Endings of data; what else lies in the folder (documents, previews) is none of ours.
_DATA_ENDINGS = (".gpkg", ".gdb", ".shp", ".sqlite", ".geojson", ".mdb", ".dgn", ".dwg", ".dxf", ".kml")
#: Databases as people send them by e-mail; they must be unpacked.
_PACKED_ENDINGS = (".gdb.zip", ".gpkg.zip")


@dataclass(frozen=True)
class FieldInfo:
    """Name as written, kind ("text", "integer", "real", "other") and length (0: unlimited)."""

    name: str
    kind: str
    length: int


@dataclass
class Layer:
    """One table with shapes. ``geometry``: A, P, L, or "" for a mixture or unknown.

    ``frame`` has fids as index; that of an empty table has no columns.
    """

    name: str
    geometry: str
    crs: pyproj.CRS | None
    fields: dict[str, FieldInfo]
    frame: geopandas.GeoDataFrame = field(repr=False)


@dataclass
class DatabaseFile:
    """One file or file geodatabase. ``database``: what it is meant to be, None if nothing; ``error``: unreadable."""

    path: Path
    database: str | None
    layers: list[Layer] = field(default_factory=list)
    error: str = ""


@dataclass
class Dossier:
    """A dossier as it lies in its folder."""

    folder: Path
    files: list[DatabaseFile]
    projects: list[Path]
    strangers: list[Path]


def find_folder(folder: str | os.PathLike[str]) -> Path:
    """Return the folder with the databases: the one given, or the *HoSoGIS* in it.

    Raises
    ------
    InputError
        There is no such folder, or nothing of a dossier in it.
    """
    place = Path(folder)
    if not place.is_dir():
        raise InputError(say("Không có thư mục hồ sơ {path}; hãy chọn thư mục HoSoGIS.",
                             "There is no folder {path}; choose the folder HoSoGIS.").format(path=place))
    if place.suffix.lower() == ".gdb":
        raise InputError(say("{path} là một cơ sở dữ liệu (.gdb), không phải hồ sơ; hãy chọn thư mục HoSoGIS chứa bốn cơ sở "
                             "dữ liệu.",
                             "{path} is one database (.gdb), not a dossier; choose the folder HoSoGIS with the four "
                             "databases.").format(path=place))
    if not any(_is_data(path) for path in place.iterdir()):
        inner = [path for path in place.iterdir() if path.is_dir() and plain(path.name) == plain(FOLDER_NAME)]
        if len(inner) == 1:
            return inner[0]
        raise InputError(say("Thư mục {path} không có cơ sở dữ liệu nào (.gpkg, .gdb); hãy chọn thư mục HoSoGIS.",
                             "The folder {path} holds no database (.gpkg, .gdb); choose the folder HoSoGIS.")
                         .format(path=place))
    return place


def read_dossier(folder: str | os.PathLike[str], *, progress: Progress = silent) -> Dossier:
    """Read everything of a dossier; what cannot be read is noted, not raised.

    Raises
    ------
    InputError
        See `find_folder`.
    """
    place = find_folder(folder)
    dossier = Dossier(place, [], [], [])
    names = {plain(name): name for name in DATABASES}
    for path in sorted(place.iterdir()):
        if path.name.startswith("."):
            continue
        if path.suffix.lower() in PROJECT_ENDINGS and path.is_file():
            dossier.projects.append(path)
        elif _is_data(path):
            database = names.get(plain(path.stem))
            if database is not None and path.suffix.lower() in (".gpkg", ".gdb"):
                dossier.files.append(DatabaseFile(path, database))
            else:
                dossier.strangers.append(path)
    for at, one in enumerate(dossier.files):
        _read_file(one, part(progress, at / len(dossier.files), (at + 1) / len(dossier.files)))
    return dossier


def _is_data(path: Path) -> bool:
    ending = path.suffix.lower()
    if path.name.lower().endswith(_PACKED_ENDINGS):
        return path.is_file()
    return ending in _DATA_ENDINGS and (path.is_dir() if ending == ".gdb" else path.is_file())


def _read_file(one: DatabaseFile, progress: Progress) -> None:
    import pyogrio
    from osgeo import gdal

    if one.path.suffix.lower() == ".gpkg" and (why := _broken(one.path)):
        one.error = why
        return
    try:
        # Rasters too: without, GDAL from 3.7 on does not open a .gdb that has no table yet.
        source = gdal.OpenEx(os.fspath(one.path), gdal.OF_VECTOR | gdal.OF_RASTER)
    except RuntimeError:  # QGIS may have asked GDAL to raise
        source = None
    if source is None:
        # A GeoPackage without any table is no error: topography may come later.
        one.error = "" if one.path.suffix.lower() == ".gpkg" else _incomplete()
        return
    count = source.GetLayerCount()
    for position in range(count):
        progress(position / count)
        layer = source.GetLayer(position)
        kind = _geometry_letter(layer.GetGeomType())
        if kind is None:
            continue
        fields = {info.name: info for info in _fields(layer)}
        try:
            # Most of the 149 classes are empty, and opening one takes longer than reading it.
            with curves_kept():
                frame = (pyogrio.read_dataframe(one.path, layer=layer.GetName(), fid_as_index=True)
                         if layer.GetFeatureCount() else _empty())
        except (pyogrio.errors.DataSourceError, pyogrio.errors.DataLayerError, pyogrio.errors.FeatureError,
                UnicodeDecodeError) as error:
            told = _incomplete() if one.path.suffix.lower() == ".gdb" else error
            one.error = f"{layer.GetName()}: {told}"
            continue
        one.layers.append(Layer(layer.GetName(), kind, _system(layer), fields, frame))


def _incomplete() -> str:
    # A file geodatabase is a folder of many small files, and GDAL tells only which of its own lines gave up.
    return say("thư mục .gdb thiếu tệp hoặc hỏng, hãy sao chép lại trọn thư mục",
               "the folder .gdb lacks files or is damaged, copy the whole folder again")


@lru_cache(maxsize=1)
def _empty() -> geopandas.GeoDataFrame:
    return geopandas.GeoDataFrame(geometry=geopandas.GeoSeries([], dtype="geometry"))


def _broken(path: Path) -> str:
    """Say why a file is no sound SQLite database; GDAL tells only that it could not open it."""
    try:
        with sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True) as database:
            found = database.execute("PRAGMA quick_check(1)").fetchone()
            known = database.execute("SELECT count(*) FROM sqlite_master WHERE name = 'gpkg_contents'").fetchone()[0]
        database.close()
    except sqlite3.DatabaseError as error:
        return str(error)
    if found is None or found[0] != "ok":
        return str(found[0]) if found else "quick_check"
    return "" if known else say("không phải GeoPackage", "not a GeoPackage")


def _geometry_letter(kind: int) -> str | None:
    from osgeo import ogr

    flat = ogr.GT_Flatten(ogr.GT_GetLinear(kind))
    if flat == ogr.wkbNone:
        return None
    letters = {ogr.wkbPoint: "P", ogr.wkbMultiPoint: "P", ogr.wkbLineString: "L", ogr.wkbMultiLineString: "L",
               ogr.wkbPolygon: "A", ogr.wkbMultiPolygon: "A"}
    return letters.get(flat, "")


def _fields(layer: ogr.Layer) -> Iterator[FieldInfo]:
    from osgeo import ogr

    kinds = {ogr.OFTString: "text", ogr.OFTInteger: "integer", ogr.OFTInteger64: "integer", ogr.OFTReal: "real"}
    definition: Any = layer.GetLayerDefn()
    for position in range(definition.GetFieldCount()):
        one = definition.GetFieldDefn(position)
        yield FieldInfo(one.GetName(), kinds.get(one.GetType(), "other"), one.GetWidth())


def _system(layer: ogr.Layer) -> pyproj.CRS | None:
    system = layer.GetSpatialRef()
    if system is None or system.GetName().startswith(("Undefined ", "unknown")):
        return None
    code = system.GetAuthorityCode(None)
    return _known(f"{system.GetAuthorityName(None)}:{code}" if code else system.ExportToWkt())


@lru_cache(maxsize=16)
def _known(definition: str) -> pyproj.CRS:
    # All 149 classes of a dossier state one system, and making it takes longer than reading an empty class.
    return pyproj.CRS.from_user_input(definition)


def project_sources(path: Path) -> list[str]:
    """Return the files a QGIS project (.qgz, .qgs) reads, as written in it; other projects cannot be looked into."""
    import xml.etree.ElementTree as tree

    if path.suffix.lower() not in (".qgz", ".qgs"):
        return []
    if path.suffix.lower() == ".qgs":
        text = path.read_bytes()
    else:
        with zipfile.ZipFile(path) as packed:
            name = next(name for name in packed.namelist() if name.endswith(".qgs"))
            text = packed.read(name)
    sources = [(node.findtext("provider"), node.findtext("datasource") or "")
               for node in tree.fromstring(text).iter("maplayer")]
    return [source.split("|")[0] for provider, source in sources if provider in ("ogr", "gdal")]
