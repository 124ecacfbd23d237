"""Makes the databases of a dossier: every class of the standard with its fields, filled where there is something."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import geopandas
import numpy as np
import pyproj
import shapely

from ...common.errors import OutputError
from ...common.files import promoted
from ...common.geopackage import fill_layer
from ...common.language import say
from ...common.progress import Progress, part, silent
from .schema import DATABASES, FOLDER_NAME, DossierClass, DossierField, DossierSchema

#: Geometry of a class as OGR and our writer name it: surfaces and lines are multi-part, so that any drawing fits.
GEOMETRY_NAMES = {"A": "MultiPolygon", "L": "MultiLineString", "P": "Point"}
Content = Mapping[tuple[str, str], geopandas.GeoDataFrame]


def create_dossier(
    parent: str | os.PathLike[str], schema: DossierSchema, crs: pyproj.CRS, content: Content | None = None, *,
    progress: Progress = silent,
) -> Path:
    """Write a folder *HoSoGIS* with the four databases, whole or not at all.

    Parameters
    ----------
    parent : path
        Existing folder the dossier goes into; a folder that is itself named *HoSoGIS* becomes the dossier.
    schema : DossierSchema
    crs : pyproj.CRS
        VN-2000 of the province; see `province_crs`.
    content : mapping of (database, class) to GeoDataFrame, optional
        Rows in that system with columns of the class; classes not named stay empty.
    progress : Progress

    Returns
    -------
    Path
        Of the dossier.

    Raises
    ------
    OutputError
        The folder is missing or cannot be written, or there is a dossier already: one that was worked on is never
        replaced.
    """
    place = Path(parent)
    target = place if place.name == FOLDER_NAME else place / FOLDER_NAME
    _refuse_taken(target)
    content = content or {}
    draft = Path(tempfile.mkdtemp(prefix=".quyhoach-", dir=target.parent))
    try:
        for at, database in enumerate(DATABASES):
            _write_database(draft / f"{database}.gpkg", schema, database, crs, content,
                            part(progress, at / len(DATABASES), (at + 1) / len(DATABASES)))
        target.mkdir(exist_ok=True)
        for path in sorted(draft.iterdir()):
            os.replace(path, target / path.name)
    except OSError as error:
        raise OutputError(
            say("Không ghi được hồ sơ vào {path}: {why}", "The dossier cannot be written to {path}: {why}").format(
                path=target, why=error.strerror or error
            )
        ) from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return target


def province_crs(schema: DossierSchema, code: str) -> pyproj.CRS:
    """Return VN-2000, zone of 3 degrees, with the present meridian of a province.

    Examples
    --------
    >>> import datetime
    >>> from .schema import load_schema
    >>> province_crs(load_schema(datetime.date(2026, 11, 22)), "46").to_epsg()
    9214
    """
    return pyproj.CRS.from_epsg(schema.provinces[code][1])


def _refuse_taken(target: Path) -> None:
    if not target.parent.is_dir():
        raise OutputError(say("Không có thư mục {folder}; hãy tạo thư mục hoặc chọn nơi khác.",
                              "There is no folder {folder}; create it or choose another place.")
                          .format(folder=target.parent))
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise OutputError(say("{path} đã có dữ liệu; không ghi đè hồ sơ đang làm. Hãy chọn thư mục khác hoặc dời hồ sơ cũ.",
                              "{path} holds data already; a dossier is never overwritten. Choose another folder or move "
                              "the old one.").format(path=target))
    if not os.access(target.parent, os.W_OK):
        raise OutputError(say("Không ghi được vào thư mục {folder}; hãy chọn nơi khác.",
                              "The folder {folder} cannot be written; choose another place.").format(folder=target.parent))


def _write_database(
    path: Path, schema: DossierSchema, database: str, crs: pyproj.CRS, content: Content, progress: Progress
) -> None:
    classes = [item for item in schema.classes if item.database == database]
    make_database(path, classes, schema, crs)
    for at, item in enumerate(classes):
        progress(at / len(classes))
        frame = content.get((database, item.name))
        if frame is not None and len(frame):
            _fill(path, item, schema.fields_of(item.name), frame)


def make_database(
    path: Path, classes: list[DossierClass], schema: DossierSchema, crs: pyproj.CRS
) -> None:
    """Make a GeoPackage with empty classes; texts get the standard's lengths.

    Raises
    ------
    OutputError
    """
    from osgeo import gdal

    try:
        made = _made(path, classes, schema, crs)
    except RuntimeError:  # QGIS may have asked GDAL to raise
        made = False
    if not made:
        raise OutputError(say("Không tạo được tệp {path}: {why}", "The file {path} cannot be made: {why}")
                          .format(path=path.name, why=gdal.GetLastErrorMsg()))


def _made(path: Path, classes: list[DossierClass], schema: DossierSchema, crs: pyproj.CRS) -> bool:
    from osgeo import gdal, ogr, osr

    system = osr.SpatialReference()
    system.SetFromUserInput(crs.to_wkt("WKT1_GDAL"))
    source = gdal.GetDriverByName("GPKG").Create(os.fspath(path), 0, 0, 0, gdal.GDT_Unknown)
    if source is None:
        return False
    source.StartTransaction()
    for item in classes:
        kind = {"A": ogr.wkbMultiPolygon, "L": ogr.wkbMultiLineString, "P": ogr.wkbPoint}[item.geometry]
        layer = source.CreateLayer(item.name, system, kind, [
            "GEOMETRY_NAME=geom", "SPATIAL_INDEX=YES", f"IDENTIFIER={item.name}: {item.name_vi}",
            f"DESCRIPTION={item.database}/{item.dataset}"])
        if layer is None or not all(layer.CreateField(_ogr_field(one)) == 0 for one in schema.fields_of(item.name)):
            return False
    return source.CommitTransaction() == 0


def _ogr_field(field: DossierField) -> Any:
    from osgeo import ogr

    kind = {"text": ogr.OFTString, "integer": ogr.OFTInteger, "real": ogr.OFTReal}[field.type]
    definition = ogr.FieldDefn(field.name, kind)
    if field.type == "text" and field.length:
        definition.SetWidth(field.length)
    definition.SetAlternativeName(field.name_vi)
    return definition


def _fill(path: Path, item: DossierClass, fields: tuple[DossierField, ...], frame: geopandas.GeoDataFrame) -> None:
    names = [field.name for field in fields if field.name in frame.columns]
    kinds = {field.name: field.type for field in fields}
    columns, masks = [], []
    for name in names:
        column = frame[name]
        null = column.isna().to_numpy()
        if kinds[name] == "text":
            columns.append(np.array([None if gone else str(value) for value, gone in zip(column, null)], dtype=object))
            masks.append(None)
        elif kinds[name] == "integer":
            columns.append(column.fillna(0).to_numpy(dtype=np.int64))
            masks.append(null)
        else:
            columns.append(column.to_numpy(dtype=float, na_value=np.nan))
            masks.append(None)
    kind = GEOMETRY_NAMES[item.geometry]
    shapes = promoted(shapely.force_2d(np.asarray(frame.geometry.array, dtype=object)), kind)
    fill_layer(path, item.name, shapes, names, columns, masks, multi=kind.startswith("Multi"))
