"""A new, empty hub in a GeoPackage file, made from the catalogue."""

from __future__ import annotations

import datetime
import os
import sqlite3
import tempfile
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path

import pyproj

from ..common.crs import meridian_label, require_metric
from ..common.destinations import check_destination
from ..common.errors import InputError, OutputError
from ..common.language import say
from ..common.progress import Progress, silent
from .catalogue import Dataset, load_catalogue
from .catalogue.model import GEOMETRY
from .geopackage_geometry import register_functions
from .geopackage_hub import SCHEMA_VERSION
from .geopackage_schema import layer_metadata, quoted, table_statements, trigger_statements
from .hub import Hub, open_hub

_SQL = Path(__file__).parent / "sql" / "geopackage"
_APPLICATION_ID = 0x47504B47  # "GPKG"
_USER_VERSION = 10300
# Systems without an authority get numbers of our own, far from EPSG's.
_OWN_SRS_ID = 990_001


def create_hub(
    location: str,
    crs: pyproj.CRS | str,
    *,
    datasets: Sequence[Dataset] | None = None,
    name: str = "",
    forms: Mapping[str, str] | None = None,
    progress: Progress = silent,
) -> Hub:
    """Create a hub and open it.

    Parameters
    ----------
    location : str
        Path of the new GeoPackage. An existing file is never touched.
    crs : pyproj.CRS or what it reads
        System of all datasets: in metres, VN-2000 with the province's meridian as a rule.
    datasets : sequence of Dataset, optional
        All of the catalogue by default.
    name : str
        What people call it, such as the province's name.
    forms : mapping, optional
        QGIS style (QML) by dataset name, applied by QGIS when it opens the dataset.

    Raises
    ------
    InputError
        The system is in degrees or other units than metres.
    OutputError
        Something is at that place already, or it cannot be written.
    """
    target = Path(location)
    system = pyproj.CRS.from_user_input(crs)
    require_metric(system, say("Cơ sở dữ liệu dùng chung", "The shared database"))
    if target.suffix.lower() != ".gpkg":
        raise InputError(say("Tên tệp cơ sở dữ liệu dùng chung phải kết thúc bằng .gpkg: {path}.",
                             "A shared database's file name ends in .gpkg: {path}.")
                         .format(path=target))
    _refuse_existing(target)
    check_destination(target)
    chosen = list(load_catalogue().values()) if datasets is None else list(datasets)
    handle, draft_name = tempfile.mkstemp(prefix=".quyhoach-", suffix=".gpkg", dir=target.parent)
    os.close(handle)
    draft = Path(draft_name)
    try:
        with closing(sqlite3.connect(draft, isolation_level=None)) as database:
            _build(database, system, chosen, name or target.stem, forms or {}, progress)
        _refuse_existing(target)
        os.rename(draft, target)
    except (sqlite3.Error, OSError) as error:
        raise OutputError(say("Không tạo được {path}: {why}", "{path} cannot be created: {why}").format(path=target,
                                                                                                        why=error)) from error
    finally:
        draft.unlink(missing_ok=True)
    return open_hub(str(target))


def _refuse_existing(target: Path) -> None:
    if target.exists() or target.is_symlink():
        raise OutputError(say("{path} đã có; cơ sở dữ liệu dùng chung không bao giờ được ghi đè. Hãy đặt tên khác.",
                              "{path} exists; a shared database never overwrites anything. Choose another name.").format(path=target))


def _build(
    database: sqlite3.Connection, crs: pyproj.CRS, datasets: Sequence[Dataset], name: str, forms: Mapping[str, str],
    progress: Progress
) -> None:
    register_functions(database)
    database.execute(f"PRAGMA application_id = {_APPLICATION_ID}")
    database.execute(f"PRAGMA user_version = {_USER_VERSION}")
    database.execute("BEGIN")
    for statement in numbered_statements(0, SCHEMA_VERSION):
        database.execute(statement)
    srs_id = _add_systems(database, crs)
    now = datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="milliseconds")
    database.executemany("INSERT INTO quyhoach_hub VALUES (?, ?)", [
        ("schema_version", str(SCHEMA_VERSION)), ("incarnation", str(uuid.uuid4())), ("name", name),
        ("created_at", now), ("srs_id", str(srs_id))])
    for position, dataset in enumerate(datasets):
        progress(position / len(datasets), str(dataset.label))
        _add_dataset(database, dataset, srs_id, crs)
        if dataset.name in forms:
            database.execute(
                "INSERT INTO layer_styles (f_table_catalog, f_table_schema, f_table_name, f_geometry_column, "
                "styleName, styleQML, useAsDefault, "
                "description) VALUES ('', '', ?, ?, ?, ?, 1, ?)",
                (dataset.name, GEOMETRY if dataset.geometry else "", dataset.name, forms[dataset.name],
                 dataset.label.vi))
    database.execute("COMMIT")


def numbered_statements(after: int, to: int) -> Iterator[str]:
    """Yield the statements of the numbered SQL files above ``after`` up to ``to``, for a caller's own transaction."""
    for path in sorted(_SQL.glob("[0-9]*.sql")):
        if after < int(path.name.split("_")[0]) <= to:
            statement = ""
            for line in path.read_text(encoding="utf-8").splitlines(keepends=True):
                statement += line
                if sqlite3.complete_statement(statement):
                    yield statement
                    statement = ""


def _add_systems(database: sqlite3.Connection, crs: pyproj.CRS) -> int:
    """Add WGS 84, which every GeoPackage has, and the hub's system; return the latter's number in the file."""
    authority = crs.to_authority(min_confidence=100)
    epsg = int(authority[1]) if authority and authority[0] == "EPSG" else None
    srs_id = epsg or _OWN_SRS_ID
    organization = (authority[0], authority[1]) if authority and authority[1].isdigit() else ("NONE", srs_id)
    rows = [("WGS 84 geodetic", 4326, "EPSG", 4326, pyproj.CRS.from_epsg(4326).to_wkt("WKT1_GDAL"), "WGS 84"),
            (crs.name, srs_id, *organization, crs.to_wkt("WKT1_GDAL"), meridian_label(crs))]
    database.executemany("INSERT OR IGNORE INTO gpkg_spatial_ref_sys VALUES (?, ?, ?, ?, ?, ?)", rows)
    return srs_id


def _add_dataset(database: sqlite3.Connection, dataset: Dataset, srs_id: int, crs: pyproj.CRS) -> None:
    for statement in table_statements(dataset):
        database.execute(statement)
    kind = "features" if dataset.geometry else "attributes"
    database.execute("INSERT INTO gpkg_contents (table_name, data_type, identifier, description, srs_id) VALUES (?, "
                     "?, ?, ?, ?)",
                     (dataset.name, kind, dataset.label.vi, dataset.help.vi, srs_id if dataset.geometry else None))
    if dataset.geometry:
        # Neither heights nor measures: a layer that may have heights is a 3D layer to GDAL, and heights are fields here.
        database.execute("INSERT INTO gpkg_geometry_columns VALUES (?, ?, ?, ?, 0, 0)",
                         (dataset.name, GEOMETRY, dataset.geometry.upper(), srs_id))
        database.execute(f"CREATE VIRTUAL TABLE {quoted(f'rtree_{dataset.name}_{GEOMETRY}')} USING rtree(id, minx, "
                         f"maxx, miny, maxy)")
        database.execute("INSERT INTO gpkg_extensions VALUES (?, ?, 'gpkg_rtree_index', "
                         "'http://www.geopackage.org/spec120/#extension_rtree', 'write-only')",
                         (dataset.name, GEOMETRY))
        database.execute("INSERT INTO gpkg_ogr_contents VALUES (?, 0)", (dataset.name,))
    for statement in trigger_statements(dataset).values():
        database.execute(statement)
    _describe(database, dataset, crs)
    database.execute("INSERT INTO quyhoach_dataset VALUES (?, ?)", (dataset.id, dataset.name))
    database.executemany("INSERT INTO quyhoach_field VALUES (?, ?, ?)",
                         [(field.id, dataset.id, field.name) for field in dataset.fields])


def _describe(database: sqlite3.Connection, dataset: Dataset, crs: pyproj.CRS) -> None:
    """Write labels, help, domains and ranges as the GeoPackage schema extension has them, so that any program shows them."""
    for field in dataset.fields:
        constraint = None
        if field.domain is not None:
            constraint = field.domain.name
            database.executemany(
                "INSERT OR IGNORE INTO gpkg_data_column_constraints (constraint_name, constraint_type, value, "
                "description) VALUES (?, 'enum', ?, ?)",
                [(constraint, value.code, value.label.vi) for value in field.domain.values])
        elif field.minimum is not None and field.maximum is not None:
            constraint = f"{dataset.name}_{field.name}"
            database.execute(
                "INSERT INTO gpkg_data_column_constraints (constraint_name, constraint_type, min, min_is_inclusive, "
                "max, max_is_inclusive) "
                "VALUES (?, 'range', ?, 1, ?, 1)", (constraint, field.minimum, field.maximum))
        database.execute("INSERT INTO gpkg_data_columns VALUES (?, ?, ?, ?, ?, NULL, ?)",
                         (dataset.name, field.name, field.label.vi, field.label.vi, field.help.vi, constraint))
    authority = crs.to_authority(min_confidence=100)
    metadata = layer_metadata(dataset, ":".join(authority) if authority else "")
    number = database.execute("INSERT INTO gpkg_metadata (md_scope, md_standard_uri, mime_type, metadata) "
                              "VALUES ('dataset', 'http://mrcc.com/qgis.dtd', 'text/xml', ?)", (metadata,)).lastrowid
    database.execute("INSERT INTO gpkg_metadata_reference (reference_scope, table_name, md_file_id) VALUES ('table', "
                     "?, ?)", (dataset.name, number))
