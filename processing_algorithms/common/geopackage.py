"""Fills an empty GeoPackage layer with whole columns, twice as fast as GDAL writes features.

GDAL makes the file: tables, triggers, coordinate system, empty spatial index. Rows then go in by SQLite directly, and
the spatial index is packed at once instead of grown row by row. The file is meant to be one nobody else has open yet.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Collection, Iterator, Sequence
from contextlib import closing
from itertools import product
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from .progress import Progress, silent

#: Rows turned into SQLite values at a time: bounds the memory.
_ROWS = 50_000
#: Wrapping one simple shape into a multi one: byte order, type, and "one part".
_MULTI_OF = {3: 6, 1: 5, 0: 4}  # shapely's type id -> WKB code of the multi type
_POINTLIKE = (0, 4)
_HEADER = [("magic", "S2"), ("version", "u1"), ("flags", "u1"), ("srs", "<i4"), ("box", "<f8", 4)]


def fill_layer(
    path: str | os.PathLike[str],
    table: str,
    geometry: NDArray[np.object_] | None,
    names: Sequence[str],
    columns: Sequence[NDArray[Any]],
    masks: Sequence[NDArray[np.bool_] | None],
    *,
    multi: bool = False,
    utc: Collection[str] = (),
    progress: Progress = silent,
) -> None:
    """Write rows into an empty layer of a GeoPackage that was just created.

    Parameters
    ----------
    path : path
    table : str
    geometry : array of shapely geometry, shape (n,), or None
        None for a table without geometry. None elements are null, empty ones stay empty.
    names, columns : sequences
        Fields and their values: bool, int, float (nan is null), object of str (None is null), datetime64[D] or [ms].
    masks : sequence of array of bool or None
        Where the column is null, if it cannot say so itself.
    multi : bool
        Write simple shapes as multi shapes of one part.
    utc : collection of str
        Fields whose moments are UTC; those of other fields are the clock of an unstated place.
    progress : Progress

    Raises
    ------
    sqlite3.Error
        The file cannot be written.
    """
    count = len(geometry) if geometry is not None else len(columns[0]) if columns else 0
    with closing(sqlite3.connect(os.fspath(path), isolation_level=None)) as database:
        # The file has no other reader and is thrown away when writing fails: no journal, no waiting for the disk.
        for pragma in ("journal_mode = OFF", "synchronous = OFF", "locking_mode = EXCLUSIVE", "cache_size = -65536"):
            database.execute(f"PRAGMA {pragma}")
        database.execute("BEGIN")
        triggers = database.execute(
            "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND lower(tbl_name) = lower(?)",
            (table,)).fetchall()
        for name, _ in triggers:
            database.execute(f"DROP TRIGGER {_quoted(name)}")
        _insert_rows(database, table, geometry, names, columns, masks, count, multi, utc, progress)
        if geometry is not None:
            _state_extent(database, table, geometry)
        for _, sql in triggers:
            database.execute(sql)
        if database.execute("SELECT count(*) FROM sqlite_master WHERE name = 'gpkg_ogr_contents'").fetchone()[0]:
            database.execute("UPDATE gpkg_ogr_contents SET feature_count = ? WHERE lower(table_name) = lower(?)",
                             (count, table))
        database.execute("COMMIT")
    progress(1.0)


def _insert_rows(
    database: sqlite3.Connection, table: str, geometry: NDArray[np.object_] | None, names: Sequence[str],
    columns: Sequence[NDArray[Any]], masks: Sequence[NDArray[np.bool_] | None], count: int, multi: bool,
    utc: Collection[str], progress: Progress,
) -> None:
    key = next(row[1] for row in database.execute(f"PRAGMA table_info({_quoted(table)})") if row[5])
    fields = [key]
    srs = 0
    if geometry is not None:
        column, srs = database.execute(
            "SELECT column_name, srs_id FROM gpkg_geometry_columns WHERE lower(table_name) = lower(?)",
            (table,)).fetchone()
        fields.append(column)
    fields += names
    statement = (f"INSERT INTO {_quoted(table)} ({', '.join(map(_quoted, fields))}) "
                 f"VALUES ({', '.join('?' * len(fields))})")
    for start in range(0, count, _ROWS):
        progress(start / count)
        rows = slice(start, min(start + _ROWS, count))
        values: list[Any] = [range(rows.start + 1, rows.stop + 1)]
        if geometry is not None:
            values.append(geometry_blobs(geometry[rows], srs, multi))
        values += [_sqlite_values(column[rows], None if mask is None else mask[rows], "Z" if name in utc else "")
                   for name, column, mask in zip(names, columns, masks)]
        database.executemany(statement, zip(*values))


def _sqlite_values(column: NDArray[Any], mask: NDArray[np.bool_] | None, zone: str) -> list[Any]:
    if column.dtype.kind == "M":
        values = [f"{moment}{zone}" for moment in np.datetime_as_string(column)]
        mask = np.isnat(column) if mask is None else mask | np.isnat(column)
    elif column.dtype.kind == "b":
        values = column.view(np.uint8).tolist()
    else:
        values = column.tolist()  # SQLite stores nan as null by itself
    if mask is not None:
        for position in np.flatnonzero(mask):
            values[position] = None
    return values


def geometry_blobs(geometry: NDArray[np.object_], srs: int, multi: bool = False) -> list[bytes | None]:
    """Return GeoPackage binary geometries: header with bounding box, then ISO WKB.

    Parameters
    ----------
    geometry : array of shapely geometry, shape (n,)
    srs : int
        ``srs_id`` of the layer.
    multi : bool
        Wrap simple shapes into multi shapes of one part.

    Examples
    --------
    >>> blob, = geometry_blobs(np.array([shapely.Point(1, 2)]), 4326)
    >>> blob[:2], len(blob)  # points carry no bounding box: 8 bytes of header, 21 of WKB
    (b'GP', 29)
    """
    wkb = shapely.to_wkb(geometry, byte_order=1, flavor="iso")
    kinds = shapely.get_type_id(geometry)
    empty = shapely.is_empty(geometry)
    box = shapely.bounds(geometry)[:, [0, 2, 1, 3]]
    header = np.zeros(len(geometry), dtype=_HEADER)
    # Flags: bit 0 little endian, bits 1-3 the kind of bounding box (1 = xy), bit 4 empty.
    header["magic"], header["flags"], header["srs"], header["box"] = b"GP", 0b00011, srs, box
    plain = empty | np.isin(kinds, _POINTLIKE)
    header["flags"][plain] = np.where(empty[plain], 0b10001, 0b00001)
    words, word = [b""], np.zeros(len(geometry), np.intp)  # what makes a simple shape a multi one, before its WKB
    if multi:
        z = shapely.has_z(geometry)
        for (kind, code), height in product(_MULTI_OF.items(), (False, True)):
            simple = (kinds == kind) & (z == height)
            if simple.any():
                start = b"\x01" + np.array([code + 1000 * height], dtype="<u4").tobytes()
                word[simple] = len(words)
                word[simple & empty] = len(words) + 1
                words += [start + np.array([1], dtype="<u4").tobytes(), start + bytes(4)]
                wkb[simple & empty] = b""  # an empty simple shape becomes a multi shape without parts
    packed, size = header.tobytes(), header.itemsize
    ends = np.arange(len(geometry)) * size + np.where(plain, 8, size)
    return [None if shape is None else packed[start:end] + words[which] + shape
            for shape, start, end, which in zip(wkb, range(0, len(packed), size), ends.tolist(), word.tolist())]


def _state_extent(database: sqlite3.Connection, table: str, geometry: NDArray[np.object_]) -> None:
    """Fill the spatial index and what the catalogue tables say about extent and heights."""
    box = shapely.bounds(geometry)
    placed = np.flatnonzero(np.isfinite(box).all(axis=1))
    column, = database.execute("SELECT column_name FROM gpkg_geometry_columns WHERE lower(table_name) = lower(?)",
                               (table,)).fetchone()
    index = f"rtree_{table}_{column}"
    if database.execute("SELECT count(*) FROM sqlite_master WHERE lower(name) = lower(?)", (index,)).fetchone()[0]:
        fill_index(database, index, placed + 1, box[placed])
    if placed.size:
        low, high = box[placed, :2].min(axis=0), box[placed, 2:].max(axis=0)
        database.execute("UPDATE gpkg_contents SET min_x = ?, min_y = ?, max_x = ?, max_y = ? "
                         "WHERE lower(table_name) = lower(?)",
                         (*map(float, low), *map(float, high), table))
    if shapely.has_z(geometry).any():
        # 2 = may have heights; 1 (must have) is left where GDAL has set it.
        database.execute("UPDATE gpkg_geometry_columns SET z = max(z, 2 - z) WHERE lower(table_name) = lower(?)",
                         (table,))


def fill_index(database: sqlite3.Connection, index: str, ids: NDArray[np.intp], box: NDArray[np.float64]) -> None:
    """Pack an empty SQLite R-tree.

    Parameters
    ----------
    database : sqlite3.Connection
    index : str
        Name of the virtual table, with columns id, minx, maxx, miny, maxy.
    ids : array of int, shape (n,)
    box : array of float, shape (n, 4)
        minx, miny, maxx, maxy.

    Notes
    -----
    Sort-tile-recursive packing (Leutenegger, Lopez, Edgington 1997), bottom up. A node is, big endian: depth of the
    tree (in the root, else 0) and number of cells as 16-bit integers, then per cell a 64-bit id (of the row, or of the
    node below) and minx, maxx, miny, maxy as 32-bit floats, rounded outwards (SQLite, "The SQLite R*Tree Module", and
    rtree.c). Where SQLite guards its shadow tables, rows are inserted one by one.
    """
    if not len(ids):
        return
    try:
        node_size, = database.execute(
            f"SELECT length(data) FROM {_quoted(index + '_node')} WHERE nodeno = 1").fetchone()
        nodes, rows, parents = _packed_nodes(ids.astype(np.int64), _outwards(box[:, [0, 2, 1, 3]]), node_size)
        database.executemany(f"INSERT OR REPLACE INTO {_quoted(index + '_node')} VALUES (?, ?)", nodes)
        database.executemany(f"INSERT INTO {_quoted(index + '_rowid')} VALUES (?, ?)", rows)
        database.executemany(f"INSERT INTO {_quoted(index + '_parent')} VALUES (?, ?)", parents)
    except sqlite3.OperationalError as error:
        if "may not be modified" not in str(error):
            raise
        database.executemany(f"INSERT INTO {_quoted(index)} VALUES (?, ?, ?, ?, ?)",
                             zip(ids.tolist(), *(box[:, k].tolist() for k in (0, 2, 1, 3))))


_CELL = np.dtype([("id", ">i8"), ("box", ">f4", 4)])


def _packed_nodes(
    ids: NDArray[np.int64], box: NDArray[np.float32], node_size: int
) -> tuple[list[tuple[int, bytes]], Iterator[tuple[int, int]], list[tuple[int, int]]]:
    """Return (number, blob) of all nodes, (row, leaf) and (node, parent); box is minx, maxx, miny, maxy."""
    capacity = (node_size - 4) // _CELL.itemsize
    levels = []
    while True:
        order = _tiles(box, capacity)
        levels.append((ids[order], box[order]))
        groups = -(-len(ids) // capacity)
        if groups == 1:
            break
        starts = np.arange(groups) * capacity
        box = np.column_stack([np.minimum.reduceat(box[order, 0], starts), np.maximum.reduceat(box[order, 1], starts),
                               np.minimum.reduceat(box[order, 2], starts), np.maximum.reduceat(box[order, 3], starts)])
        ids = np.arange(groups, dtype=np.int64)  # numbers within the level below, for now
    depth = len(levels) - 1
    # The root is node 1, as SQLite wants; below it numbers run level by level from the top.
    first = [0] * len(levels)
    number = 1
    for level in range(depth, -1, -1):
        first[level] = number
        number += -(-len(levels[level][0]) // capacity)
    nodes: list[tuple[int, bytes]] = []
    parents: list[tuple[int, int]] = []
    rows: Iterator[tuple[int, int]] = iter(())
    for level, (members, boxes) in enumerate(levels):
        owner = first[level] + np.arange(len(members)) // capacity
        if level:
            members = members + first[level - 1]
            parents += zip(members.tolist(), owner.tolist())
        else:
            rows = zip(members.tolist(), owner.tolist())
        cells = np.empty(len(members), dtype=_CELL)
        cells["id"], cells["box"] = members, boxes
        packed = cells.tobytes()
        for start in range(0, len(members), capacity):
            held = packed[start * _CELL.itemsize:(start + capacity) * _CELL.itemsize]
            head = np.array([depth if level == depth else 0, len(held) // _CELL.itemsize], dtype=">u2").tobytes()
            nodes.append((first[level] + start // capacity, (head + held).ljust(node_size, b"\0")))
    return nodes, rows, parents


def _tiles(box: NDArray[np.float32], capacity: int) -> NDArray[np.intp]:
    """Order boxes so that runs of ``capacity`` are compact: in slices by x, within a slice by y."""
    x, y = box[:, 0].astype(float) + box[:, 1], box[:, 2].astype(float) + box[:, 3]
    groups = -(-len(box) // capacity)
    per_slice = capacity * int(np.ceil(np.sqrt(groups)))
    along = np.argsort(x, kind="stable")
    slices = np.empty(len(box), dtype=np.intp)
    slices[along] = np.arange(len(box)) // per_slice
    return np.lexsort((y, slices))


def _outwards(box: NDArray[np.float64]) -> NDArray[np.float32]:
    """Round minx, maxx, miny, maxy to 32 bits so that the box never shrinks."""
    rounded = box.astype(np.float32)
    low = rounded[:, [0, 2]]
    rounded[:, [0, 2]] = np.where(low > box[:, [0, 2]], np.nextafter(low, np.float32(-np.inf)), low)
    high = rounded[:, [1, 3]]
    rounded[:, [1, 3]] = np.where(high < box[:, [1, 3]], np.nextafter(high, np.float32(np.inf)), high)
    return rounded


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
