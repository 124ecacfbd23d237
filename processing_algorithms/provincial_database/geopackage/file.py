"""What any GeoPackage of ours begins with, hub or working copy: systems, contents, descriptions, forms."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pyproj

from ...common.crs import meridian_label
from ..catalogue import Dataset
from ..catalogue.model import GEOMETRY, Field
from .geometry import register_functions
from .schema import layer_metadata, quoted

_FILE_SQL = Path(__file__).parents[1] / "sql" / "geopackage_file.sql"
_APPLICATION_ID = 0x47504B47  # "GPKG"
_USER_VERSION = 10300
# Systems without an authority get numbers of our own, far from EPSG's.
_OWN_SRS_ID = 990_001


def begin_file(database: sqlite3.Connection, crs: pyproj.CRS) -> int:
    """Begin a transaction in a new file and make what every GeoPackage has; return the number of the system."""
    register_functions(database)
    database.execute(f"PRAGMA application_id = {_APPLICATION_ID}")
    database.execute(f"PRAGMA user_version = {_USER_VERSION}")
    database.execute("BEGIN")
    for statement in _statements(_FILE_SQL):
        database.execute(statement)
    return _add_systems(database, crs)


def add_form(database: sqlite3.Connection, dataset: Dataset, qml: str) -> None:
    """Store the form and symbols that QGIS applies by itself when it opens the dataset."""
    database.execute(
        "INSERT INTO layer_styles (f_table_catalog, f_table_schema, f_table_name, f_geometry_column, styleName, "
        "styleQML, useAsDefault, description) VALUES ('', '', ?, ?, ?, ?, 1, ?)",
        (dataset.name, GEOMETRY if dataset.geometry else "", dataset.name, qml, dataset.label.vi))


def numbered_statements(folder: Path, after: int, to: int) -> Iterator[str]:
    """Yield the statements of the numbered SQL files above ``after`` up to ``to``, for a caller's own transaction."""
    for path in sorted(folder.glob("[0-9]*.sql")):
        if after < int(path.name.split("_")[0]) <= to:
            yield from _statements(path)


def _statements(path: Path) -> Iterator[str]:
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


def add_dataset(database: sqlite3.Connection, dataset: Dataset, srs_id: int, crs: pyproj.CRS) -> None:
    """Register a dataset whose table exists: contents, geometry, spatial index, descriptions, permanent ids."""
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
    _describe(database, dataset, crs)
    database.execute("INSERT INTO quyhoach_dataset VALUES (?, ?)", (dataset.id, dataset.name))
    database.executemany("INSERT INTO quyhoach_field VALUES (?, ?, ?)",
                         [(field.id, dataset.id, field.name) for field in dataset.fields])


def _describe(database: sqlite3.Connection, dataset: Dataset, crs: pyproj.CRS) -> None:
    """Write labels, help, domains and ranges as the GeoPackage schema extension has them, so that any program shows them."""
    for field in dataset.fields:
        describe_field(database, dataset, field)
    authority = crs.to_authority(min_confidence=100)
    metadata = layer_metadata(dataset, ":".join(authority) if authority else "")
    number = database.execute("INSERT INTO gpkg_metadata (md_scope, md_standard_uri, mime_type, metadata) "
                              "VALUES ('dataset', 'http://mrcc.com/qgis.dtd', 'text/xml', ?)", (metadata,)).lastrowid
    database.execute("INSERT INTO gpkg_metadata_reference (reference_scope, table_name, md_file_id) VALUES ('table', "
                     "?, ?)", (dataset.name, number))


def describe_field(database: sqlite3.Connection, dataset: Dataset, field: Field) -> None:
    """Write label, help and codes of one field.

    The codes are there for the checks and for people, but no column names them as its domain: QGIS 3.44 gives a column
    with a domain its null when a feature is split or copied, since a GeoPackage cannot say otherwise. The form has the
    same codes as a value map.
    """
    if field.domain is not None:
        database.executemany(
            "INSERT OR IGNORE INTO gpkg_data_column_constraints (constraint_name, constraint_type, value, "
            "description) VALUES (?, 'enum', ?, ?)",
            [(field.domain.name, value.code, value.label.vi) for value in field.domain.values])
    database.execute("INSERT INTO gpkg_data_columns VALUES (?, ?, ?, ?, ?, NULL, NULL)",
                     (dataset.name, field.name, field.label.vi, field.label.vi, field.help.vi))
