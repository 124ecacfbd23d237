"""Handing over rows of a PostGIS hub: all of a scope, or what changed since a position.

A position is the snapshot of the transaction that read the rows. What changed since is what that snapshot did not see,
not what has a higher number: of two overlapping transactions the later-numbered may commit first. The present state is
handed over, so it does not matter how often a row has changed. The position also carries what the reader was allowed to
see; when that differs now, everything is handed over again.

A restored hub knows which incarnations it was and what the backup had seen of the last one. A position the backup had
seen is as good as ever; from any other everything is handed over, with the rows at the parting where that is certain.
A hub whose whole machine was put back to an earlier day does not know, so a position also carries a mark of the history
it has seen.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from ...common.errors import InputError
from ...common.language import say
from ...common.progress import Progress
from ..catalogue import Dataset
from ..catalogue.model import FEATURE_ID, GEOMETRY, Field
from ..changes import Delivery, Parting, Position, Row, RowBatch, Scope
from .schema import table_of

if TYPE_CHECKING:
    from .hub import PostgisHub

_ROWS_AT_ONCE = 10_000
_TRAVELS_AS = {"text": "text", "integer": "bigint", "real": "float8", "boolean": "boolean", "date": "date::text"}
#: The mark of the history seen is new in structure 8.
_TOKEN = re.compile(r"(?P<snapshot>\d+:\d+:[\d,]*)(?:/(?P<rights>[^/]*)(?:/(?P<mark>[^/]*))?)?")
_INSTANT = """to_char({}::timestamptz AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')"""


def position_of(hub: PostgisHub, cursor: Any) -> Position:
    """Return the position of the transaction the cursor is in."""
    cursor.execute("SELECT hub_id::text, incarnation::text, concat_ws('/', pg_current_snapshot(), "
                   "coalesce(quyhoach.rights_fingerprint(), ''), quyhoach.history_mark(generation, pg_current_snapshot())) "
                   "FROM quyhoach.hub")
    return Position(*cursor.fetchone())


@dataclass(frozen=True)
class _Since:
    """A position as this hub reads it: the snapshot, and in which of its incarnations it was taken.

    ``mark`` is None in a position from before there were marks.
    """

    generation: int
    snapshot: str
    rights: str
    mark: str | None

    def later(self, cursor: Any) -> tuple[Any, list[object]]:
        """Return the condition that an entry ``h`` of history was not seen from here, and its values."""
        from psycopg2 import sql

        # By number, which has an index: the view of history lets nothing else through to it.
        cursor.execute("SELECT quyhoach.changesets_since(%s, %s::pg_snapshot)", (self.generation, self.snapshot))
        return sql.SQL("h.changeset = ANY (%s::bigint[])"), [cursor.fetchone()[0]]


def delivery(hub: PostgisHub, cursor: Any, scopes: Sequence[Scope], since: Position | None, progress: Progress,
             *, parted: bool = False) -> Delivery:
    """Begin a delivery inside a REPEATABLE READ transaction; the rows are read as they are asked for.

    ``parted`` is for a working copy this hub does not continue: see `changes.RemembersRestores.compare`.
    """
    now = position_of(hub, cursor)
    # A dataset that is not, or no longer, in sight has no rows for this role.
    chosen = [(scope, hub.datasets[scope.dataset]) for scope in scopes if scope.dataset in hub.datasets]
    start = parting = None
    if since is not None and parted:
        parting = _parting(hub, cursor, since, [dataset for _, dataset in chosen])
    elif since is not None:
        start = _continued(cursor, since)
        if start is None:
            raise InputError(say("Cơ sở dữ liệu dùng chung đã được khôi phục từ bản sao lưu; cần so sánh toàn bộ.",
                                 "The shared database was restored from a backup; everything has to be compared."))
        if start.rights != _parts(now)[1]:
            start = None
    return Delivery(now, start is None, _rows(hub, cursor, chosen, start, progress),
                    _batches(hub, cursor, chosen, start, progress), parting)


def continues(cursor: Any, since: Position, sent: Collection[str]) -> bool:
    """See `changes.RemembersRestores`."""
    cursor.execute("SELECT quyhoach.has_changesets(%s::text[])", (list(sent),))
    return cursor.fetchone()[0] and _continued(cursor, since) is not None


def _read(cursor: Any, since: Position) -> tuple[_Since | None, str | None, bool]:
    """Return a position, what the backup of its incarnation had seen, and whether it is the present incarnation.

    The position is None when this database never was that incarnation.
    """
    cursor.execute("SELECT h.hub_id::text, i.generation, i.backed_up::text, i.generation = h.generation "
                   "FROM quyhoach.hub h LEFT JOIN quyhoach.incarnation i ON i.incarnation::text = %s",
                   (since.incarnation,))
    hub_id, generation, backed_up, present = cursor.fetchone()
    if since.hub_id != hub_id:
        raise InputError(say("Bản dữ liệu làm việc này thuộc một cơ sở dữ liệu dùng chung khác.",
                             "This working copy belongs to another shared database."))
    return None if generation is None else _Since(generation, *_parts(since)), backed_up, bool(present)


def _parts(position: Position) -> tuple[str, str, str | None]:
    """Return snapshot, rights and mark of a position."""
    found = _TOKEN.fullmatch(position.token)
    if found is None:
        raise InputError(say("Bản dữ liệu làm việc bị hỏng: vị trí đã nhận không đọc được; hãy dùng lại bản sao còn tốt.",
                             "The working copy is damaged: up to where it has received cannot be read; use a sound copy of it."))
    return found["snapshot"], found["rights"] or "", found["mark"]


def _continued(cursor: Any, since: Position) -> _Since | None:
    """Return a position all of which is in this hub's history; None for any other."""
    start, backed_up, present = _read(cursor, since)
    if start is None or not present and backed_up is None:
        return None
    # Of the present incarnation, everything the hub has come to. It has not come to a position when its machine was put
    # back to an earlier day, or has come to it by other changesets. Of an earlier one, what the backup had certainly seen.
    cursor.execute("SELECT pg_snapshot_xmax(s) <= pg_snapshot_xmax(b) AND (%s OR NOT EXISTS "
                   "(SELECT FROM pg_snapshot_xip(b) x WHERE pg_visible_in_snapshot(x, s))) "
                   "FROM (SELECT %s::pg_snapshot AS s, coalesce(%s::pg_snapshot, pg_current_snapshot()) AS b) sides",
                   (present, start.snapshot, None if present else backed_up))
    if not cursor.fetchone()[0]:
        return None
    cursor.execute("SELECT quyhoach.history_mark(%s, %s::pg_snapshot)", (start.generation, start.snapshot))
    return start if start.mark in (None, cursor.fetchone()[0]) else None


def _parting(hub: PostgisHub, cursor: Any, since: Position, datasets: Sequence[Dataset]) -> Parting:
    """Return where this hub and a working copy it does not continue have parted.

    At the position itself when only what was sent after it is lacking; else at the backup, if that is all in both.
    """
    from psycopg2 import sql

    start = _continued(cursor, since)
    if start is None:
        start, backed_up, present = _read(cursor, since)
        if start is None or present or backed_up is None:
            return Parting(False, {})
        cursor.execute("SELECT pg_snapshot_xmax(b) <= pg_snapshot_xmax(s) AND NOT EXISTS "
                       "(SELECT FROM pg_snapshot_xip(s) x WHERE pg_visible_in_snapshot(x, b)) "
                       "FROM (SELECT %s::pg_snapshot AS s, %s::pg_snapshot AS b) sides", (start.snapshot, backed_up))
        if not cursor.fetchone()[0]:
            return Parting(False, {})
        start = replace(start, snapshot=backed_up)
    changed: dict[tuple[str, str], Row | None] = {}
    later, values = start.later(cursor)
    for dataset in datasets:
        names, wanted = row_expressions(dataset, hub.postgis)
        cursor.execute(sql.SQL(
            "SELECT e.feature_id::text, e.old_row IS NOT NULL, {} FROM "
            "(SELECT DISTINCT ON (h.feature_id) h.feature_id, h.old_row FROM quyhoach.history h WHERE h.dataset_id = %s AND {} ORDER BY h.feature_id, h.ledger_no) e "
            "CROSS JOIN LATERAL jsonb_populate_record(NULL::{}, e.old_row) t").format(
            sql.SQL(", ").join(wanted), later, table_of(dataset)), [dataset.id, *values])
        for feature_id, there, *row in cursor.fetchall():
            if dataset.geometry and row[-1] is not None:
                row[-1] = bytes(row[-1])
            changed[dataset.name, feature_id] = dict(zip(names, row)) if there else None
    return Parting(True, changed)


def value_expression(field: Field) -> Any:
    """Return the SQL of a field's value as it travels (see `changes`)."""
    from psycopg2 import sql

    name = sql.Identifier("t", field.name)
    if field.type == "datetime":
        return sql.SQL(_INSTANT).format(name)
    # Whatever the column became in the administrator's hands, such as numeric(15, 4).
    return sql.SQL("{}::{}").format(name, sql.SQL(_TRAVELS_AS[field.type]))


def row_expressions(dataset: Dataset, postgis: str) -> tuple[list[str], list[Any]]:
    """Return the names of a row's fields and the SQL of their values, geometry last as WKB."""
    from psycopg2 import sql

    names, wanted = list(dataset.field_names), [value_expression(field) for field in dataset.fields]
    if dataset.geometry:
        names.append(GEOMETRY)
        wanted.append(sql.SQL("{}.ST_AsBinary({}, 'NDR')").format(sql.Identifier(postgis),
                                                                  sql.Identifier("t", GEOMETRY)))
    return names, wanted


def scope_condition(scope: Scope, dataset: Dataset, postgis: str, srid: int) -> tuple[Any, list[object]]:
    """Return the SQL of a scope on table ``t``, and its values.

    A dataset that is not divided by communes is in every scope by communes as a whole.
    """
    from psycopg2 import sql

    parts, values = [sql.SQL("true")], []
    if scope.communes is not None and dataset.commune_field is not None:
        parts.append(sql.SQL("{} = ANY (%s)").format(sql.Identifier("t", dataset.commune_field)))
        values.append(sorted(scope.communes))
    if scope.polygon is not None and dataset.geometry:
        parts.append(sql.SQL("{0}.ST_Intersects({1}, {0}.ST_GeomFromWKB(%s, %s))").format(
            sql.Identifier(postgis), sql.Identifier("t", GEOMETRY)))
        values += [scope.polygon, srid]
    inside = sql.SQL(" AND ").join(parts)
    if not scope.features:
        return inside, values
    return sql.SQL("(({}) OR t.feature_id = ANY (%s::uuid[]))").format(inside), [*values, sorted(scope.features)]


def _rows(
    hub: PostgisHub, cursor: Any, scopes: Sequence[tuple[Scope, Dataset]], start: _Since | None, progress: Progress
) -> Iterator[tuple[str, str, Row | None]]:
    for number, (scope, dataset) in enumerate(scopes):
        progress(number / len(scopes), str(dataset.label))
        names, wanted = row_expressions(dataset, hub.postgis)
        shaped = bool(dataset.geometry)
        for chunk in _chunks(hub, cursor, scope, dataset, wanted, start):
            progress((number + 0.5) / len(scopes))
            for there, feature_id, *row in chunk:
                if not there:
                    yield dataset.name, feature_id, None
                    continue
                if shaped and row[-1] is not None:
                    row[-1] = bytes(row[-1])
                yield dataset.name, feature_id, dict(zip(names, row))
    progress(1.0)


def _batches(
    hub: PostgisHub, cursor: Any, scopes: Sequence[tuple[Scope, Dataset]], start: _Since | None, progress: Progress
) -> Iterator[RowBatch]:
    """The same rows as a GeoPackage keeps them, made so by the server: nothing is done to a row in Python."""
    from psycopg2 import sql

    _bytes_for_bytea(cursor)
    for number, (scope, dataset) in enumerate(scopes):
        progress(number / len(scopes), str(dataset.label))
        wanted = [sql.SQL("{}::int").format(value) if field.type == "boolean" else value
                  for field, value in zip(dataset.fields, map(value_expression, dataset.fields))]
        columns = dataset.field_names
        if dataset.geometry:
            wanted.append(_geopackage_shape(hub))
            columns = (*columns, GEOMETRY)
        for chunk in _chunks(hub, cursor, scope, dataset, wanted, start):
            progress((number + 0.5) / len(scopes))
            yield RowBatch(dataset.name, columns, [row[1:] for row in chunk if row[0]],
                           [row[1] for row in chunk if not row[0]])
    progress(1.0)


def _chunks(hub: PostgisHub, cursor: Any, scope: Scope, dataset: Dataset, wanted: Sequence[Any],
            start: _Since | None) -> Iterator[list[tuple]]:
    """Fetch (whether it is there and inside, feature id, values) some thousand rows at a time."""
    from psycopg2 import sql

    inside, values = scope_condition(scope, dataset, hub.postgis, hub.srid)
    columns, feature_id = sql.SQL(", ").join(wanted), sql.Identifier(FEATURE_ID)
    if start is None:
        query = sql.SQL("SELECT true, t.{}::text, {} FROM {} t WHERE {}").format(feature_id, columns,
                                                                                 table_of(dataset), inside)
    else:
        later, more = start.later(cursor)
        query = sql.SQL(
            "SELECT t.fid IS NOT NULL, c.feature_id::text, {} FROM (SELECT h.feature_id FROM quyhoach.history h "
            "WHERE h.dataset_id = %s AND {} UNION SELECT unnest(%s::uuid[])) c "
            "LEFT JOIN {} t ON t.{} = c.feature_id AND {}").format(
            columns, later, table_of(dataset), feature_id, inside)
        values = [dataset.id, *more, sorted(scope.features), *values]
    name = sql.Identifier(f"delivery_{dataset.id}")
    cursor.execute(sql.SQL("DECLARE {} NO SCROLL CURSOR FOR ").format(name) + query, values)
    fetch = sql.SQL("FETCH {} FROM {}").format(sql.Literal(_ROWS_AT_ONCE), name)
    while True:
        cursor.execute(fetch)
        chunk = cursor.fetchall()
        if not chunk:
            break
        yield chunk
    cursor.execute(sql.SQL("CLOSE {}").format(name))


def _geopackage_shape(hub: PostgisHub) -> Any:
    """Return SQL that makes table ``t``'s shape a GeoPackage blob, to the byte what `to_blobs` makes."""
    from psycopg2 import sql

    system = hub.srid.to_bytes(4, "little")
    # The one way to little-endian numbers in SQL: a point's WKB, without the five bytes before its coordinates.
    return sql.SQL(
        "CASE WHEN {p}.ST_IsEmpty({g}) THEN {empty} || {p}.ST_AsBinary({g}, 'NDR') ELSE {full} "
        "|| substr({p}.ST_AsBinary({p}.ST_MakePoint({p}.ST_XMin({g}), {p}.ST_XMax({g})), 'NDR'), 6) "
        "|| substr({p}.ST_AsBinary({p}.ST_MakePoint({p}.ST_YMin({g}), {p}.ST_YMax({g})), "
        "'NDR'), 6) || {p}.ST_AsBinary({g}, 'NDR') END").format(
        p=sql.Identifier(hub.postgis), g=sql.Identifier("t", GEOMETRY), empty=sql.Literal(b"GP\x00\x11" + system),
            full=sql.Literal(b"GP\x00\x03" + system))


def _bytes_for_bytea(cursor: Any) -> None:
    """Let this cursor give bytes for bytea, not memoryviews."""
    import psycopg2.extensions

    def read(value: str | None, _: Any) -> bytes | None:
        return None if value is None else bytes.fromhex(value[2:])

    psycopg2.extensions.register_type(psycopg2.extensions.new_type((17,), "BYTES", read), cursor)
