"""The spatial index of a full table, built in one go.

SQLite's R-tree takes rows one by one, which for a million features takes longer than all the rest. Here the tree is packed
from below (sort-tile-recursive: Leutenegger, Lopez and Edgington, 1997) and its nodes are written as SQLite keeps them
(sqlite.org/rtree.html, "Shadow Tables"); `rtreecheck` finds nothing to complain about.
"""

from __future__ import annotations

import math
import sqlite3

import numpy as np
from numpy.typing import NDArray

from ..catalogue import Dataset
from ..catalogue.model import FID, GEOMETRY
from .schema import quoted

_ROWS_AT_ONCE = 50_000
_CELL = np.dtype([("id", ">i8"), ("box", ">f4", 4)])
_NODE_HEADER = np.dtype([("depth", ">u2"), ("cells", ">u2")])
#: First 8 bytes and a flat little-endian envelope: what our own shapes begin with.
_BLOB_HEADER = np.dtype(
    [("magic", "S2"), ("version", "u1"), ("flags", "u1"), ("srs_id", "<i4"), ("envelope", "<f8", 4)]
)
_FLAT_ENVELOPE = 0x03
_ROOT = 1


def fill_index(database: sqlite3.Connection, dataset: Dataset) -> None:
    """Fill the empty spatial index of a dataset from its table; note count and extent for other programs."""
    table, rtree = dataset.name, f"rtree_{dataset.name}_{GEOMETRY}"
    ids, boxes, odd = _envelopes(database, table)
    if len(ids):
        _write(database, rtree, ids, boxes)
    if odd:
        sides = ", ".join(f"ST_{side}({GEOMETRY})" for side in ("MinX", "MaxX", "MinY", "MaxY"))
        database.executemany(
            f"INSERT INTO {quoted(rtree)} SELECT {FID}, {sides} FROM {quoted(table)} "
            f"WHERE {FID} = ? AND NOT ST_IsEmpty({GEOMETRY})", ((fid,) for fid in odd))
    database.execute(f"UPDATE gpkg_ogr_contents SET feature_count = (SELECT count(*) FROM {quoted(table)}) "
                     "WHERE table_name = ?", (table,))
    # The root knows the extent; asking for minima goes through the whole tree.
    if len(ids):
        extent = (*boxes[:, [0, 2]].min(axis=0).tolist(), *boxes[:, [1, 3]].max(axis=0).tolist())
        database.execute("UPDATE gpkg_contents SET min_x = ?, min_y = ?, max_x = ?, max_y = ? WHERE table_name = ?",
                         (*extent, table))


def _envelopes(database: sqlite3.Connection, table: str) -> tuple[NDArray[np.int64], NDArray[np.float64], list[int]]:
    """Return ids, boxes (n, 4: x min, x max, y min, y max), and the ids of shapes that state no flat envelope."""
    size = _BLOB_HEADER.itemsize
    ids, boxes, odd = [np.empty(0, np.int64)], [np.empty((0, 4))], []
    cursor = database.execute(f"SELECT {FID}, substr({GEOMETRY}, 1, {size}) FROM {quoted(table)} WHERE {GEOMETRY} NOTNULL")
    while rows := cursor.fetchmany(_ROWS_AT_ONCE):
        fids = np.array([row[0] for row in rows], dtype=np.int64)
        headers = [row[1] for row in rows]
        if any(len(header) != size for header in headers):
            headers = [header.ljust(size, b"\0") if isinstance(header, bytes) else b"\0" * size for header in headers]
        stated = np.frombuffer(b"".join(headers), dtype=_BLOB_HEADER)
        flat = (
            (stated["magic"] == b"GP")
            & (stated["flags"] == _FLAT_ENVELOPE)
            & np.isfinite(stated["envelope"]).all(axis=1)
        )
        ids.append(fids[flat])
        boxes.append(stated["envelope"][flat].astype(np.float64))
        odd += fids[~flat].tolist()
    return np.concatenate(ids), np.concatenate(boxes), odd


def _write(database: sqlite3.Connection, rtree: str, ids: NDArray[np.int64], boxes: NDArray[np.float64]) -> None:
    nodes, rowids, parents = (quoted(f"{rtree}_{part}") for part in ("node", "rowid", "parent"))
    size = database.execute(f"SELECT length(data) FROM {nodes} WHERE nodeno = {_ROOT}").fetchone()[0]
    capacity = (size - _NODE_HEADER.itemsize) // _CELL.itemsize
    for part in (nodes, rowids, parents):
        database.execute(f"DELETE FROM {part}")
    members, bounds = ids, _outwards(boxes)
    next_node, depth = _ROOT + 1, 0
    while True:
        order, count = _tiles(bounds, capacity)
        members, bounds = members[order], bounds[order]
        numbers = np.arange(next_node, next_node + count) if count > 1 else np.array([_ROOT])
        next_node += count
        database.executemany(f"INSERT INTO {nodes} VALUES (?, ?)",
                             zip(numbers.tolist(),
                                 _node_blobs(members, bounds, capacity, size, depth if count == 1 else 0)))
        within = np.repeat(numbers, capacity)[:len(members)]
        by_member = np.argsort(members, kind="stable")
        database.executemany(f"INSERT INTO {rowids if depth == 0 else parents} VALUES (?, ?)",
                             zip(members[by_member].tolist(), within[by_member].tolist()))
        if count == 1:
            return
        starts = np.arange(0, len(members), capacity)
        low, high = np.minimum.reduceat(bounds, starts), np.maximum.reduceat(bounds, starts)
        members, bounds, depth = numbers, np.column_stack([low[:, 0], high[:, 1], low[:, 2], high[:, 3]]), depth + 1


def _tiles(bounds: NDArray[np.float32], capacity: int) -> tuple[NDArray[np.intp], int]:
    """Return the order in which neighbours share a node, and the number of nodes."""
    count = math.ceil(len(bounds) / capacity)
    if count == 1:
        return np.arange(len(bounds)), 1
    x, y = bounds[:, 0] + bounds[:, 1], bounds[:, 2] + bounds[:, 3]
    in_slice = math.ceil(math.sqrt(count)) * capacity
    slices = np.empty(len(bounds), dtype=np.int64)
    slices[np.argsort(x, kind="stable")] = np.arange(len(bounds)) // in_slice
    return np.lexsort((y, slices)), count


def _node_blobs(members: NDArray[np.int64], bounds: NDArray[np.float32], capacity: int, size: int,
                depth: int) -> list[bytes]:
    cells = np.empty(len(members), dtype=_CELL)
    cells["id"], cells["box"] = members, bounds
    raw = cells.tobytes()
    step = capacity * _CELL.itemsize
    blobs = []
    for start in range(0, len(raw), step):
        body = raw[start:start + step]
        header = np.array([(depth, len(body) // _CELL.itemsize)], dtype=_NODE_HEADER).tobytes()
        blobs.append((header + body).ljust(size, b"\0"))
    return blobs


def _outwards(boxes: NDArray[np.float64]) -> NDArray[np.float32]:
    """Round to single precision, never inwards."""
    near = boxes.astype(np.float32)
    low = np.where(near > boxes, np.nextafter(near, np.float32(-np.inf)), near)
    high = np.where(near < boxes, np.nextafter(near, np.float32(np.inf)), near)
    return np.column_stack([low[:, 0], high[:, 1], low[:, 2], high[:, 3]]).astype(np.float32)
