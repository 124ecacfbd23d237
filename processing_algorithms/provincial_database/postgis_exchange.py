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
from .changes import Delivery, Position, Row, Scope
from .postgis_schema import table_of

if TYPE_CHECKING:
    from .postgis_hub import PostgisHub

_ROWS_AT_ONCE = 10_000
INSTANT = """to_char({} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')"""


def position_of(hub: PostgisHub, cursor: Any) -> Position:
    """Return the position of the transaction the cursor is in."""
    cursor.execute("SELECT hub_id::text, incarnation::text, pg_current_snapshot()::text || '/' || coalesce(quyhoach.rights_fingerprint(), '') FROM quyhoach.hub")
    return Position(*cursor.fetchone())


def delivery(hub: PostgisHub, cursor: Any, scopes: Sequence[Scope], since: Position | None, progress: Progress) -> Delivery:
    """Begin a delivery inside a REPEATABLE READ transaction; the rows are read as they are asked for."""
    now = position_of(hub, cursor)
    snapshot = None
    if since is not None:
        snapshot, rights = _known(cursor, since, now)
        if rights != now.token.partition("/")[2]:
            snapshot = None
    # A dataset that is not, or no longer, in sight has no rows for this role.
    chosen = [(scope, hub.datasets[scope.dataset]) for scope in scopes if scope.dataset in hub.datasets]
    return Delivery(now, snapshot is None, _rows(hub, cursor, chosen, snapshot, progress))


def _known(cursor: Any, since: Position, now: Position) -> tuple[str, str]:
    """Return snapshot and rights of a position of this hub; refuse any other."""
    if since.hub_id != now.hub_id:
        raise InputError(say("Bản dữ liệu làm việc này thuộc một cơ sở dữ liệu dùng chung khác.", "This working copy belongs to another shared database."))
    snapshot, _, rights = since.token.partition("/")
    if since.incarnation == now.incarnation:
        cursor.execute("SELECT pg_snapshot_xmax(%s::pg_snapshot) <= pg_snapshot_xmax(pg_current_snapshot())", (snapshot,))
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
        return sql.SQL(INSTANT).format(name)
    # Whatever the column became in the administrator's hands, such as numeric(15, 4).
    return sql.SQL("{}::{}").format(name, sql.SQL({"text": "text", "integer": "bigint", "real": "float8", "boolean": "boolean", "date": "text"}[field.type]))


def row_expressions(dataset: Dataset, postgis: str) -> tuple[list[str], list[Any]]:
    """Return the names of a row's fields and the SQL of their values, geometry last as WKB."""
    from psycopg2 import sql

    names, wanted = list(dataset.field_names), [value_expression(field) for field in dataset.fields]
    if dataset.geometry:
        names.append(GEOMETRY)
        wanted.append(sql.SQL("{}.ST_AsBinary({}, 'NDR')").format(sql.Identifier(postgis), sql.Identifier("t", GEOMETRY)))
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
        parts.append(sql.SQL("{0}.ST_Intersects({1}, {0}.ST_GeomFromWKB(%s, %s))").format(sql.Identifier(postgis), sql.Identifier("t", GEOMETRY)))
        values += [scope.polygon, srid]
    inside = sql.SQL(" AND ").join(parts)
    if not scope.features:
        return inside, values
    return sql.SQL("(({}) OR t.feature_id = ANY (%s::uuid[]))").format(inside), [*values, sorted(scope.features)]


def _rows(
    hub: PostgisHub, cursor: Any, scopes: Sequence[tuple[Scope, Dataset]], snapshot: str | None, progress: Progress
) -> Iterator[tuple[str, str, Row | None]]:
    from psycopg2 import sql

    for number, (scope, dataset) in enumerate(scopes):
        progress(number / len(scopes), str(dataset.label))
        names, wanted = row_expressions(dataset, hub.postgis)
        inside, values = scope_condition(scope, dataset, hub.postgis, hub.srid)
        columns = sql.SQL(", ").join(wanted)
        if snapshot is None:
            query = sql.SQL("SELECT {}, true, {} FROM {} t WHERE {}").format(
                sql.SQL("t.{}::text").format(sql.Identifier(FEATURE_ID)), columns, table_of(dataset), inside)
        else:
            # Below xmin everything was visible already: that, and the index, keep this as small as what changed.
            query = sql.SQL(
                "SELECT c.feature_id::text, t.fid IS NOT NULL, {} FROM "
                "(SELECT DISTINCT h.feature_id FROM quyhoach.history h WHERE h.dataset_id = %s AND h.xid >= pg_snapshot_xmin(%s::pg_snapshot) "
                "AND NOT pg_visible_in_snapshot(h.xid, %s::pg_snapshot) UNION SELECT unnest(%s::uuid[])) c LEFT JOIN {} t ON t.feature_id = c.feature_id AND {}").format(
                columns, table_of(dataset), inside)
            values = [dataset.id, snapshot, snapshot, sorted(scope.features), *values]
        # Closed with the transaction; the names keep apart what one delivery has open.
        name = sql.Identifier(f"delivery_{number}")
        cursor.execute(sql.SQL("DECLARE {} NO SCROLL CURSOR FOR ").format(name) + query, values)
        fetch = sql.SQL("FETCH {} FROM {}").format(sql.Literal(_ROWS_AT_ONCE), name)
        shaped = bool(dataset.geometry)
        while True:
            cursor.execute(fetch)
            chunk = cursor.fetchall()
            if not chunk:
                break
            progress((number + 0.5) / len(scopes))
            for feature_id, there, *row in chunk:
                if not there:
                    yield dataset.name, feature_id, None
                    continue
                if shaped and row[-1] is not None:
                    row[-1] = bytes(row[-1])
                yield dataset.name, feature_id, dict(zip(names, row))
    progress(1.0)
