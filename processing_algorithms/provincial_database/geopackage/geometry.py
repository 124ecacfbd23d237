"""Geometry as GeoPackage keeps it: a header with system and envelope before the WKB (OGC 12-128, 2.1.3)."""

from __future__ import annotations

import math
import sqlite3
import struct
from collections.abc import Sequence

import numpy as np
import shapely
from numpy.typing import NDArray

_MAGIC = b"GP"
_LITTLE_ENDIAN, _EMPTY, _EXTENDED = 0x01, 0x10, 0x20
_ENVELOPE_XY = 0x02
# Doubles in the envelope by its code in bits 1-3 of the flags.
_ENVELOPE_DOUBLES = (0, 4, 6, 6, 8)
_HEADER = np.dtype([("magic", "S2"), ("version", "u1"), ("flags", "u1"), ("srs_id", "<i4"), ("envelope", "<f8", 4)])


def to_blobs(shapes: NDArray[np.object_], srs_id: int) -> list[bytes | None]:
    """Encode shapely geometries, all at once; None stays None.

    Examples
    --------
    >>> len(to_blobs(np.array([shapely.Point(1, 2)], dtype=object), 9214)[0])
    61
    """
    if len(shapes) == 0:
        return []
    null = np.array([shape is None for shape in shapes], dtype=bool)
    empty = shapely.is_empty(shapes)
    header = np.zeros(len(shapes), dtype=_HEADER)
    header["magic"] = _MAGIC
    header["flags"] = np.where(empty, _LITTLE_ENDIAN | _EMPTY, _LITTLE_ENDIAN | _ENVELOPE_XY)
    header["srs_id"] = srs_id
    header["envelope"] = shapely.bounds(shapes)[:, [0, 2, 1, 3]]
    raw, size = header.tobytes(), _HEADER.itemsize
    bodies = shapely.to_wkb(shapes, byte_order=1, include_srid=False, flavor="iso")
    return [
        None if null[i] else raw[i * size : i * size + (8 if empty[i] else size)] + body
        for i, body in enumerate(bodies)
    ]


def from_blobs(blobs: Sequence[bytes | None]) -> NDArray[np.object_]:
    """Decode geometry columns; None stays None.

    Raises
    ------
    ValueError
        A blob is no GeoPackage geometry.
    """
    return shapely.from_wkb(np.array([None if blob is None else wkb_of(blob) for blob in blobs], dtype=object))


def wkb_of(blob: bytes) -> bytes:
    """Return what follows the header.

    Raises
    ------
    ValueError
        The blob is no GeoPackage geometry.
    """
    if blob[:2] != _MAGIC or blob[3] & _EXTENDED:
        raise ValueError("not a GeoPackage geometry")
    return blob[8 + 8 * _ENVELOPE_DOUBLES[(blob[3] >> 1) & 0x07] :]


def register_functions(connection: sqlite3.Connection) -> None:
    """Give a connection the functions that the triggers of spatial indexes call; plain SQLite has none of them."""
    for name, function in (("ST_IsEmpty", _is_empty), ("ST_MinX", _side(0)), ("ST_MaxX", _side(1)),
                           ("ST_MinY", _side(2)), ("ST_MaxY", _side(3))):
        connection.create_function(name, 1, function, deterministic=True)


def _is_empty(blob: bytes | None) -> int | None:
    if not _is_geometry(blob):
        return None
    return int(_envelope(blob) is None)


def _side(position: int):
    def side(blob: bytes | None) -> float | None:
        envelope = _envelope(blob) if _is_geometry(blob) else None
        return None if envelope is None else envelope[position]

    return side


def _is_geometry(blob: object) -> bool:
    return isinstance(blob, bytes) and len(blob) > 8 and blob[:2] == _MAGIC


def _envelope(blob: bytes) -> tuple[float, ...] | None:
    """Return min x, max x, min y, max y; None for an empty shape."""
    flags = blob[3]
    if flags & _EMPTY:
        return None
    if (flags >> 1) & 0x07:
        stated = struct.unpack_from("<4d" if flags & _LITTLE_ENDIAN else ">4d", blob, 8)
        return None if math.isnan(stated[0]) else stated
    shape = shapely.from_wkb(wkb_of(blob))
    if shape.is_empty:
        return None
    x_min, y_min, x_max, y_max = shape.bounds
    return x_min, x_max, y_min, y_max
