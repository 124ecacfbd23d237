"""A hub in a PostGIS database: one connection, the contract of `hub.Hub`, and the exchange with working copies."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import geopandas
import numpy as np
import pandas
import pyproj
import shapely

from ...common.errors import InputError
from ...common.language import say
from ...common.progress import Progress, part, silent
from ..catalogue import Catalogue, Dataset, load_catalogue
from ..catalogue.model import FEATURE_ID, FID, GEOMETRY
from ..changes import Change, Changeset, Delivery, Position, Receipt, Row, Scope
from ..findings import too_new
from ..history.history import ChangesetNote, History, Moment
from ..hub import Batch, DatasetSummary, Hub, HubInfo
from ..row_filter import RowFilter
from ..typed_columns import typed_column
from . import history as past
from .connection import connect, parameters_of, shown, told, transaction
from .exchange import continues, delivery, position_of
from .import_rows import write_batch
from .rights import lock, unlock
from .schema import table_of
from .submit import submit_changeset

#: Number of the newest file in ``sql/postgis``.
SCHEMA_VERSION = 8
_ROWS_AT_ONCE = 20_000


class PostgisHub(Hub, History):
    """See `hub.Hub` and `changes.ExchangingHub`. What a role may not see is not there: datasets, fields, rows."""

    def __init__(self, location: str | Mapping[str, Any], *, least: int | None = None):
        """Open a hub whose structure is not older than ``least``; what is older than this program is only good for a backup."""
        parameters = parameters_of(location)
        self.connection = connect(parameters)
        try:
            with told():
                self._open(shown(parameters), least)
        except BaseException:
            self.connection.close()
            raise

    def _open(self, where: str, least: int) -> None:
        with self.connection.cursor() as cursor:
            cursor.execute("SELECT EXISTS (SELECT FROM pg_namespace WHERE nspname = 'quyhoach')")
            if not cursor.fetchone()[0]:
                raise InputError(say("{where} không phải là cơ sở dữ liệu dùng chung của QuyHoach; "
                                     "hãy chọn đúng, hoặc tạo mới bằng quyhoach:hubcreate.",
                                     "{where} is not a shared database of QuyHoach; choose the right one, "
                                     "or create it with quyhoach:hubcreate.").format(where=where))
            cursor.execute("SELECT has_schema_privilege('quyhoach', 'USAGE'), current_user")
            allowed, user = cursor.fetchone()
            if not allowed:
                raise InputError(say("Tài khoản {user} chưa được cấp quyền vào cơ sở dữ liệu dùng chung {where}; "
                                     "liên hệ quản trị.",
                                     "The account {user} has no access to the shared database {where}; "
                                     "ask its administrator.").format(user=user, where=where))
            cursor.execute("SELECT max(number) FROM quyhoach.schema_version")
            version = cursor.fetchone()[0]
            if version > SCHEMA_VERSION:
                raise InputError(too_new(where, version))
            if version < (SCHEMA_VERSION if least is None else least):
                raise InputError(say("{where} còn cấu trúc cũ ({version}); quản trị viên cần chạy \"Nâng cấp cơ sở dữ liệu dùng chung\" "
                                     "(quyhoach:hubupgrade) trước.",
                                     "{where} has an old schema ({version}); its administrator has to run \"Upgrade the shared database\" "
                                     "(quyhoach:hubupgrade) first.").format(where=where, version=version))
            cursor.execute("SELECT n.nspname FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace "
                           "WHERE e.extname = 'postgis'")
            #: Schema of the PostGIS functions; every call names it.
            self.postgis: str = cursor.fetchone()[0]
            cursor.execute("SELECT quyhoach.ensure_incarnation()")
            cursor.execute("SELECT hub_id::text, name, incarnation::text, created_at, srid, roles, crs "
                           "FROM quyhoach.hub")
            self.hub_id, name, incarnation, created_at, self.srid, self.roles, crs = cursor.fetchone()
            self.info = HubInfo(name=name, location=where, crs=pyproj.CRS.from_wkt(crs), schema_version=version,
                                incarnation=incarnation, created_at=created_at)
            self.datasets = self._held(cursor, load_catalogue())

    def _held(self, cursor: Any, known: Catalogue) -> Catalogue:
        """The catalogue cut down to what this hub holds and this role may see, found by the ids that never change."""
        cursor.execute("SELECT d.dataset_id, d.table_name, r.reads_all "
                       "OR r.reads IS NOT NULL, f.field_id, f.column_name FROM quyhoach.dataset d "
                       "JOIN quyhoach.rights() r USING (dataset_id) LEFT "
                       "JOIN quyhoach.field f ON f.dataset_id = d.dataset_id "
                       "AND NOT f.column_name::text = ANY (r.hidden)")
        tables: dict[str, str] = {}
        columns: dict[str, str] = {}
        for dataset_id, table, seen, field_id, column in cursor.fetchall():
            if seen:
                tables[dataset_id] = table
                columns[field_id] = column
        return known.held(tables, columns)

    def close(self) -> None:  # noqa: D102
        self.connection.close()

    # exchange -----------------------------------------------------------------------------------------------------

    def position(self) -> Position:
        """Where the hub stands now."""
        with told(), transaction(self.connection, reading=True) as cursor:
            return position_of(self, cursor)

    @contextmanager
    def deliver(self, scopes: Iterable[Scope], since: Position | None,
                progress: Progress = silent) -> Iterator[Delivery]:
        """See `changes.ExchangingHub`.

        When what this role may see, or the hub's fields, have changed since that position, everything is handed over:
        ``whole`` is true, and what is not in the rows is not there any more.
        """
        with told(), transaction(self.connection, reading=True) as cursor:
            yield delivery(self, cursor, list(scopes), since, progress)

    def continues(self, since: Position, sent: Collection[str] = ()) -> bool:
        """See `changes.RemembersRestores`."""
        with told(), transaction(self.connection, reading=True) as cursor:
            return continues(cursor, since, sent)

    @contextmanager
    def compare(self, scopes: Iterable[Scope], since: Position, progress: Progress = silent) -> Iterator[Delivery]:
        """See `changes.RemembersRestores`."""
        with told(), transaction(self.connection, reading=True) as cursor:
            yield delivery(self, cursor, list(scopes), since, progress, parted=True)

    def submit(self, changeset: Changeset, progress: Progress = silent) -> Receipt:
        """See `changes.ExchangingHub`."""
        return submit_changeset(self, changeset, progress)

    # history ------------------------------------------------------------------------------------------------------

    def changesets(self, *, most: int = 1000, counted: bool = True) -> list[ChangesetNote]:  # noqa: D102
        return past.changesets(self, most=most, counted=counted)

    def features_of(self, number: int) -> dict[str, int]:  # noqa: D102
        return past.features_of(self, number)

    def rows_as_of(self, dataset: Dataset, moment: Moment) -> Iterator[tuple[str, Row]]:  # noqa: D102
        return past.rows_as_of(self, dataset, moment)

    def changes_between(self, dataset: Dataset, start: Moment, end: Moment) -> Iterator[Change]:  # noqa: D102
        return past.changes_between(self, dataset, start, end)

    def revert(
        self, number: int, *, author: str = "", department: str = "", message: str = "", decision_no: str = "",
        progress: Progress = silent
    ) -> Receipt:  # noqa: D102
        return past.revert_changeset(self, number, author=author, department=department, message=message,
                                     decision_no=decision_no, progress=progress)

    def lock(self, dataset: Dataset, value: object, reason: str) -> None:
        """Let nobody change the rows of a plan or of an inventory year; see `postgis_rights.lock`."""
        lock(self, dataset, value, reason)

    def unlock(self, dataset: Dataset, value: object, reason: str) -> bool:
        """Lift a lock, which stays on record; return whether there was one."""
        return unlock(self, dataset, value, reason)

    def locks(self, dataset: Dataset) -> dict[str, str]:
        """Return the reason of every lock in force, by the plan or year it is on."""
        with told(), self.connection.cursor() as cursor:
            cursor.execute("SELECT value, reason FROM quyhoach.lock WHERE dataset_id = %s AND lifted_at IS NULL "
                           "ORDER BY value", (dataset.id,))
            return dict(cursor.fetchall())

    def note_working_copy(self, working_copy_id: str, name: str, unsent: int, unsent_since: str | None = None) -> None:
        """See `changes.KnowsCopies`."""
        with told(), self.connection.cursor() as cursor:
            cursor.execute("SELECT quyhoach.note_working_copy(%s, %s, %s, %s::timestamptz)",
                           (working_copy_id, name, unsent, unsent_since))

    # reading ------------------------------------------------------------------------------------------------------

    def count(self, dataset: Dataset) -> int:  # noqa: D102
        return self._one("SELECT count(*) FROM {}", dataset)

    def _one(self, text: str, dataset: Dataset) -> Any:
        from psycopg2 import sql

        with told(), self.connection.cursor() as cursor:
            cursor.execute(sql.SQL(text).format(table_of(dataset)))
            return cursor.fetchone()[0]

    def summaries(self, names: Iterable[str] | None = None, *, brief: bool = False) -> list[DatasetSummary]:  # noqa: D102
        chosen = self.datasets.values() if names is None else [self.dataset(name) for name in names]
        return [self._summary(dataset, brief) for dataset in chosen]

    def _summary(self, dataset: Dataset, brief: bool) -> DatasetSummary:
        from psycopg2 import sql

        with told(), self.connection.cursor() as cursor:
            cursor.execute("SELECT count(*), coalesce(sum(rejected), 0) FROM quyhoach.import WHERE dataset_id = %s",
                           (dataset.id,))
            imports, rejected = cursor.fetchone()
            count, changed_at = self.count(dataset), None
            if count or not brief:
                # One changeset after the other from the newest: the newest entry of all is in a million of them.
                cursor.execute("SELECT c.applied_at FROM quyhoach.changesets c CROSS JOIN LATERAL (SELECT FROM quyhoach.history h "
                               "WHERE h.changeset = c.number AND h.dataset_id = %s LIMIT 1) one "
                               "ORDER BY c.applied_at DESC, c.number DESC LIMIT 1", (dataset.id,))
                found = cursor.fetchone()
                changed_at = found[0] if found else None
            extent = None
            if dataset.geometry and not brief:
                cursor.execute(sql.SQL("SELECT {0}.ST_XMin(e), {0}.ST_YMin(e), {0}.ST_XMax(e), {0}.ST_YMax(e) "
                                       "FROM (SELECT {0}.ST_Extent({1}) AS e FROM {2}) b")
                               .format(sql.Identifier(self.postgis), sql.Identifier(GEOMETRY), table_of(dataset)))
                bounds = cursor.fetchone()
                if bounds[0] is not None:
                    extent = (float(np.floor(bounds[0])), float(np.floor(bounds[1])), float(np.ceil(bounds[2])),
                              float(np.ceil(bounds[3])))
        return DatasetSummary(dataset=dataset, count=count, extent=extent, imports=imports,
                              rejected=int(rejected), changed_at=changed_at)

    def values(self, dataset: Dataset, column: str) -> set[object]:  # noqa: D102
        from psycopg2 import sql

        with told(), self.connection.cursor() as cursor:
            cursor.execute(sql.SQL("SELECT DISTINCT {0} FROM {1} WHERE {0} IS NOT NULL").format(sql.Identifier(column),
                                                                                                table_of(dataset)))
            return {row[0] for row in cursor.fetchall()}

    def read(
        self,
        dataset: Dataset,
        *,
        columns: Sequence[str] | None = None,
        where: RowFilter | None = None,
        extent: tuple[float, float, float, float] | None = None,
        progress: Progress = silent,
    ) -> geopandas.GeoDataFrame:  # noqa: D102
        from psycopg2 import sql

        fields = [dataset.field(name) for name in (dataset.field_names if columns is None else columns)]
        shape = sql.SQL("{}.ST_AsBinary({}, 'NDR')").format(sql.Identifier(self.postgis), sql.Identifier(GEOMETRY))
        wanted = [sql.Identifier(FID), sql.SQL("{}::text").format(sql.Identifier(FEATURE_ID)),
                  *(sql.Identifier(f.name) for f in fields)]
        wanted += [shape] if dataset.geometry else []
        conditions, values = [], []
        if extent is not None and dataset.geometry:
            conditions.append(sql.SQL("{1} OPERATOR({0}.&&) {0}.ST_MakeEnvelope(%s, %s, %s, %s, %s)").format(
                sql.Identifier(self.postgis), sql.Identifier(GEOMETRY)))
            values += [*map(float, extent), self.srid]  # numpy 2 writes its own as np.float64(…)
        if where is not None:
            # The filter's column names are the dataset's own and quoted, its values are apart.
            conditions.append(sql.SQL(where.sql.replace("%", "%%").replace("?", "%s").replace("{", "{{").replace(
                "}", "}}")).format())
            values += where.values
        query = sql.SQL("SELECT {} FROM {}").format(sql.SQL(", ").join(wanted), table_of(dataset))
        if conditions:
            query += sql.SQL(" WHERE ") + sql.SQL(" AND ").join(sql.SQL("({})").format(condition)
                                                                for condition in conditions)
        query += sql.SQL(" ORDER BY {}").format(sql.Identifier(FID))
        total = max(self.count(dataset), 1)
        rows: list[tuple] = []
        with told(), transaction(self.connection, reading=True) as cursor:
            cursor.execute(sql.SQL("DECLARE wanted NO SCROLL CURSOR FOR ") + query, values)
            while True:
                cursor.execute("FETCH %s FROM wanted", (_ROWS_AT_ONCE,))
                chunk = cursor.fetchall()
                if not chunk:
                    break
                rows += chunk
                progress(min(len(rows) / total, 1.0))
        by_column = list(zip(*rows)) if rows else [()] * len(wanted)
        data = {FEATURE_ID: np.array(by_column[1], dtype=object)}
        data |= {field.name: typed_column(by_column[2 + i], field).array for i, field in enumerate(fields)}
        shapes = np.full(len(rows), None, dtype=object)
        if dataset.geometry:
            shapes = shapely.from_wkb(np.array([None if blob is None else bytes(blob) for blob in by_column[-1]],
                                               dtype=object))
        index = pandas.Index(np.array(by_column[0], dtype=np.int64), name=FID)
        return geopandas.GeoDataFrame(data, geometry=geopandas.GeoSeries(shapes, crs=self.info.crs).array, index=index,
                                      crs=self.info.crs)

    def rejections(self, import_id: int | None = None) -> pandas.DataFrame:  # noqa: D102
        names = ["import_id", "dataset", "source_fid", "reasons", "attributes", "geometry_wkb", "crs"]
        with told(), self.connection.cursor() as cursor:
            cursor.execute("SELECT r.import_id, d.table_name, r.source_fid, r.reasons, "
                           "r.attributes::text, r.geometry_wkb, r.crs FROM quyhoach.rejection r "
                           "JOIN quyhoach.import i USING (import_id) JOIN quyhoach.dataset d USING (dataset_id) "
                           "WHERE %s IS NULL OR r.import_id = %s ORDER BY r.rejection_id", (import_id, import_id))
            rows = [(*row[:5], None if row[5] is None else bytes(row[5]), row[6]) for row in cursor.fetchall()]
        return pandas.DataFrame(rows, columns=names)

    # writing ------------------------------------------------------------------------------------------------------

    def write(self, dataset: Dataset, batch: Batch, *, progress: Progress = silent) -> int:  # noqa: D102
        with told(), transaction(self.connection) as cursor:
            import_id = write_batch(self, cursor, dataset, batch, part(progress, 0.0, 0.95))
            progress(1.0)
        return import_id
