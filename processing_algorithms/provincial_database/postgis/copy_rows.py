"""Rows to PostgreSQL by COPY into a temporary table: the fast way in, and the one row-level security leaves open.

COPY into a table with row-level security is refused by the server, so rows are staged and taken over by
INSERT ... SELECT.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from typing import Any

from ...common.progress import Progress, silent

_ROWS_AT_ONCE = 20_000
_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r", "\b": "\\b", "\f": "\\f", "\v": "\\v"})


def copy_text(value: object) -> str:
    """Return a value in COPY's text format.

    Examples
    --------
    >>> copy_text("a\\tb"), copy_text(None), copy_text(True)
    ('a\\\\tb', '\\\\N', 'True')
    """
    if value is None:
        return "\\N"
    if isinstance(value, (bytes, bytearray, memoryview)):
        return bytes(value).hex().upper()
    return str(value).translate(_ESCAPES)


def copy_rows(
    cursor: Any, table: Any, columns: Sequence[str], rows: Iterable[Sequence[object]], total: int,
    progress: Progress = silent,
) -> None:
    """Copy rows into a table of the session; bytes go as hex, which is how PostGIS reads WKB."""
    from psycopg2 import sql

    statement = sql.SQL("COPY {} ({}) FROM STDIN").format(
        table, sql.SQL(", ").join(map(sql.Identifier, columns))).as_string(cursor)
    buffer, done = io.StringIO(), 0
    for done, row in enumerate(rows, start=1):
        buffer.write("\t".join(map(copy_text, row)))
        buffer.write("\n")
        if done % _ROWS_AT_ONCE == 0:
            buffer.seek(0)
            cursor.copy_expert(statement, buffer)
            buffer = io.StringIO()
            progress(min(done / max(total, 1), 1.0))
    if buffer.tell():
        buffer.seek(0)
        cursor.copy_expert(statement, buffer)
