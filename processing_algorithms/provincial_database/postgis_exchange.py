"""Handing over rows of a PostGIS hub: all of a scope, or what changed since a position.

A position is the snapshot of the transaction that read the rows. What changed since is what that snapshot did not see,
not what has a higher number: of two overlapping transactions the later-numbered may commit first. The present state is
handed over, so it does not matter how often a row has changed. The position also carries what the reader was allowed to
see; when that differs now, everything is handed over again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from ..common.errors import InputError
from ..common.language import say
from ..common.progress import Progress
from .catalogue import Dataset
from .catalogue.model import FEATURE_ID, GEOMETRY, Field
from .changes import Delivery, Position, Row, RowBatch, Scope
from .postgis_schema import table_of

if TYPE_CHECKING:
    from .postgis_hub import PostgisHub

_ROWS_AT_ONCE = 10_000
_TRAVELS_AS = {"text": "text", "integer": "bigint", "real": "float8", "boolean": "boolean", "date": "text"}
_INSTANT = """to_char({} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')"""


def position_of(hub: PostgisHub, cursor: Any) -> Position:
    """Return the position of the transaction the cursor is in."""
    cursor.execute("SELECT hub_id::text, incarnation::text, pg_current_snapshot()::text || '/' || "
                   "coalesce(quyhoach.rights_fingerprint(), '') FROM quyhoach.hub")
    return Position(*cursor.fetchone())


def delivery(hub: PostgisHub, cursor: Any, scopes: Sequence[Scope], since: Position | None,
             progress: Progress) -> Delivery:
    """Begin a delivery inside a REPEATABLE READ transaction; the rows are read as they are asked for."""
    now = position_of(hub, cursor)
    snapshot = None
    if since is not None:
        snapshot, rights = _known(cursor, since, now)
        if rights != now.token.partition("/")[2]:
            snapshot = None
    # A dataset that is not, or no longer, in sight has no rows for this role.
    chosen = [(scope, hub.datasets[scope.dataset]) for scope in scopes if scope.dataset in hub.datasets]
    return Delivery(now, snapshot is None, _rows(hub, cursor, chosen, snapshot, progress),
                    _batches(hub, cursor, chosen, snapshot, progress))


def _known(cursor: Any, since: Position, now: Position) -> tuple[str, str]:
    """Return snapshot and rights of a position of this hub; refuse any other."""
    if since.hub_id != now.hub_id:
        raise InputError(say("Bản dữ liệu làm việc này thuộc một cơ sở dữ liệu dùng chung khác.",
                             "This working copy belongs to another shared database."))
    snapshot, _, rights = since.token.partition("/")
    if since.incarnation == now.incarnation:
        cursor.execute("SELECT pg_snapshot_xmax(%s::pg_snapshot) <= pg_snapshot_xmax(pg_current_snapshot())",
                       (snapshot,))
        if cursor.fetchone()[0]:
            return snapshot, rights
    # Another incarnation, or a position the hub has not come to: its folder was put back to an earlier day.
    raise InputError(say("Cơ sở dữ liệu dùng chung đã được khôi phục từ bản sao lưu; cần so sánh toàn bộ.",
                         "The shared database was restored from a backup; everything has to be compared."))


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
    hub: PostgisHub, cursor: Any, scopes: Sequence[tuple[Scope, Dataset]], snapshot: str | None, progress: Progress
) -> Iterator[tuple[str, str, Row | None]]:
    for number, (scope, dataset) in enumerate(scopes):
        progress(number / len(scopes), str(dataset.label))
        names, wanted = row_expressions(dataset, hub.postgis)
        shaped = bool(dataset.geometry)
        for chunk in _chunks(hub, cursor, scope, dataset, wanted, snapshot):
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
    hub: PostgisHub, cursor: Any, scopes: Sequence[tuple[Scope, Dataset]], snapshot: str | None, progress: Progress
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
        for chunk in _chunks(hub, cursor, scope, dataset, wanted, snapshot):
            progress((number + 0.5) / len(scopes))
            yield RowBatch(dataset.name, columns, [row[1:] for row in chunk if row[0]],
                           [row[1] for row in chunk if not row[0]])
    progress(1.0)


def _chunks(hub: PostgisHub, cursor: Any, scope: Scope, dataset: Dataset, wanted: Sequence[Any],
            snapshot: str | None) -> Iterator[list[tuple]]:
    """Fetch (whether it is there and inside, feature id, values) some thousand rows at a time."""
    from psycopg2 import sql

    inside, values = scope_condition(scope, dataset, hub.postgis, hub.srid)
    columns, feature_id = sql.SQL(", ").join(wanted), sql.Identifier(FEATURE_ID)
    if snapshot is None:
        query = sql.SQL("SELECT true, t.{}::text, {} FROM {} t WHERE {}").format(feature_id, columns,
                                                                                 table_of(dataset), inside)
    else:
        # Below xmin everything was visible already: that, and the index, keep this as small as what changed.
        query = sql.SQL(
            "SELECT t.fid IS NOT NULL, c.feature_id::text, {} FROM "
            "(SELECT DISTINCT h.feature_id FROM quyhoach.history h WHERE h.dataset_id = %s "
            "AND h.xid >= pg_snapshot_xmin(%s::pg_snapshot) AND NOT pg_visible_in_snapshot(h.xid, %s::pg_snapshot)) c "
            "LEFT JOIN {} t ON t.{} = c.feature_id AND {}").format(
            columns, table_of(dataset), feature_id, inside)
        values = [dataset.id, snapshot, snapshot, *values]
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
