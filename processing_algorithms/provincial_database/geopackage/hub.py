"""A hub in one GeoPackage file: reading, and writing whole imports in one transaction."""

from __future__ import annotations

import datetime
import getpass
import sqlite3
import uuid
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import geopandas
import numpy as np
import pandas
import pyproj

from ...common.errors import InputError, OutputError, name_some
from ...common.full_disks import why_not_written
from ...common.language import say
from ...common.progress import Progress, silent
from ..catalogue import Catalogue, Dataset, load_catalogue
from ..catalogue.model import FEATURE_ID, FID, GEOMETRY
from ..changes import Change, Changeset, Delivery, Outcome, Position, Receipt, Row, Scope
from ..findings import too_new, unfit_table
from ..history.history import ChangesetNote, Moment
from ..hub import Batch, DatasetSummary, Hub, HubInfo
from ..row_filter import RowFilter
from ..rows import now
from ..typed_columns import from_sqlite
from . import exchange as exchange
from . import history as past
from .geometry import from_blobs, register_functions
from .import_rows import write_batch
from .ledger import adopt_strays, begin_changeset, end_changeset, hub_trigger_statements
from .ledger_gaps import enter_gaps
from .locks import lock, locks, unlock
from .schema import data_columns, quoted
from .submit import submit
from .upgrade import SCHEMA_VERSION, grow, held_datasets, renew_triggers, upgrade

#: Key of the fact by which a file says that it is a backup, with the time it was made.
BACKUP = "backup_at"
_ROWS_AT_ONCE = 20_000
_WAIT_S = 10.0
#: Edits all over a province, and the index of random UUIDs, touch pages everywhere; what is not needed is not taken.
_CACHE_KIB = 262_144


class _NothingApplied(Exception):
    """Rolls a submission back whose answer is that nothing was applied."""


class GeoPackageHub(Hub):
    """See `hub.Hub`. The file stays an ordinary GeoPackage for every other program."""

    def __init__(self, path: Path):
        self.path = path
        # No isolation level: transactions begin and end where the code says so.
        self._database = sqlite3.connect(f"{path.resolve().as_uri()}?mode=rw", uri=True, timeout=_WAIT_S,
                                         isolation_level=None)
        try:
            self._facts = self._read_facts()
            self._database.execute("PRAGMA foreign_keys = ON")
            self._database.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
            register_functions(self._database)
            self._read_datasets()
            self._upgrade()
            self.info = self._read_info()
        except BaseException:
            self._database.close()
            raise

    def close(self) -> None:  # noqa: D102
        self._database.close()

    # reading ------------------------------------------------------------------------------------------------------

    def _read_facts(self) -> dict[str, str]:
        try:
            facts = dict(self._database.execute("SELECT key, value FROM quyhoach_hub"))
        except sqlite3.DatabaseError as error:
            raise InputError(say("{path} không phải là cơ sở dữ liệu dùng chung của QuyHoach; hãy chọn đúng tệp, hoặc "
                                 "tạo mới bằng quyhoach:hubcreate.",
                                 "{path} is not a shared database of QuyHoach; choose the right file, or create one "
                                 "with quyhoach:hubcreate.")
                             .format(path=self.path)) from error
        if BACKUP in facts:
            raise InputError(say("{path} là bản sao lưu lúc {at}; hãy phục hồi thành cơ sở dữ liệu mới bằng "
                                 "quyhoach:hubrestore, nếu mở thẳng thì các bản dữ liệu làm việc sẽ không nhận ra.",
                                 "{path} is a backup of {at}; restore it as a new database with quyhoach:hubrestore, or "
                                 "working copies would not notice.").format(path=self.path, at=facts[BACKUP]))
        version = facts.get("schema_version", "")
        if not version.isdigit() or int(version) > SCHEMA_VERSION:
            raise InputError(too_new(str(self.path), version or "?"))
        lost = sorted({"incarnation", "name", "srs_id", "created_at", *(["hub_id"] if int(version) > 1 else [])} - facts.keys())
        if not lost and not self._database.execute("SELECT 1 FROM gpkg_spatial_ref_sys WHERE srs_id = ?", (facts["srs_id"],)).fetchone():
            lost = ["srs_id"]
        if lost:
            raise self._damaged("quyhoach_hub", lost)
        return facts

    def _damaged(self, table: str, names: Sequence[str]) -> InputError:
        return InputError(say("{path} bị hỏng: thiếu {names} trong bảng {table}; hãy phục hồi bản sao lưu gần nhất.",
                              "{path} is damaged: {names} are missing from the table {table}; restore the last backup.")
                          .format(path=self.path, names=name_some(names), table=table))

    def _read_datasets(self) -> None:
        """Read which datasets and fields the file holds; whatever it says of itself, their tables are really there."""
        for table, columns in (("quyhoach_dataset", ("dataset_id", "table_name")), ("quyhoach_field", ("field_id", "column_name"))):
            self._require(table, columns)
        self.datasets = held_datasets(self._database, load_catalogue())
        for dataset in self.datasets.values():
            self._require(dataset.name, (FID, FEATURE_ID, *data_columns(dataset)))

    def _require(self, table: str, columns: Sequence[str]) -> None:
        present = {row[1] for row in self._database.execute(f"PRAGMA table_info({quoted(table)})")}
        missing = [name for name in columns if name not in present]
        if missing:
            raise self._damaged(table, missing)

    def _upgrade(self) -> None:
        """Bring an older structure up to date; a hub that is up to date is only read."""
        if int(self._facts["schema_version"]) == SCHEMA_VERSION:
            return
        with self._transaction():
            self._facts = self._read_facts()  # another program may have been quicker
            version = int(self._facts["schema_version"])
            if version < SCHEMA_VERSION:
                upgrade(self._database, version, self.datasets)
        self._facts = self._read_facts()

    def _read_info(self) -> HubInfo:
        row = self._database.execute(
            "SELECT organization, organization_coordsys_id, definition FROM gpkg_spatial_ref_sys WHERE srs_id = ?",
            (int(self._facts["srs_id"]),)).fetchone()
        crs = pyproj.CRS.from_epsg(row[1]) if row[0].upper() == "EPSG" else pyproj.CRS.from_wkt(row[2])
        return HubInfo(
            name=self._facts["name"], location=str(self.path), crs=crs,
            schema_version=int(self._facts["schema_version"]),
            incarnation=self._facts["incarnation"],
            created_at=datetime.datetime.fromisoformat(self._facts["created_at"]))

    def upgrade(self, datasets: Sequence[Dataset], forms: Mapping[str, str] | None = None) -> list[str]:
        """Add what these datasets have and the hub has not; see `administration.upgrade`."""
        with self._transaction():
            adopt_strays(self._database, self.datasets.values())
            done = grow(self._database, self.datasets, datasets, int(self._facts["srs_id"]), self.info.crs, forms or {})
            known = {**load_catalogue(), **{dataset.name: dataset for dataset in datasets}}
            self.datasets = held_datasets(self._database, Catalogue(tuple(known.values())))
            for dataset in self.datasets.values():
                renew_triggers(self._database, dataset.name, hub_trigger_statements(dataset))
        return done

    def enter_gaps(self, message: str) -> dict[str, int]:
        """See `administration.enter_gaps`."""
        with self._transaction():
            adopt_strays(self._database, self.datasets.values())
            number = begin_changeset(self._database, changeset_id=str(uuid.uuid4()), author=getpass.getuser(), department="",
                                     message=message, decision_no="")
            done = {dataset.name: enter_gaps(self._database, dataset, number) for dataset in self.datasets.values()}
            end_changeset(self._database)
            if not any(done.values()):
                self._database.execute("DELETE FROM quyhoach_changeset WHERE number = ?", (number,))
        return {name: count for name, count in done.items() if count}

    def count(self, dataset: Dataset) -> int:  # noqa: D102
        return self._one(f"SELECT count(*) FROM {quoted(dataset.name)}")

    def _one(self, sql: str, values: Sequence[object] = ()):
        return self._database.execute(sql, values).fetchone()[0]

    def summaries(self, names: Iterable[str] | None = None, *, brief: bool = False) -> list[DatasetSummary]:  # noqa: D102
        chosen = self.datasets.values() if names is None else [self.dataset(name) for name in names]
        return [self._summary(dataset, brief) for dataset in chosen]

    def _summary(self, dataset: Dataset, brief: bool) -> DatasetSummary:
        changed = self._one("SELECT last_change FROM gpkg_contents WHERE table_name = ?", (dataset.name,))
        imports, rejected = self._database.execute(
            "SELECT count(*), total(rejected) FROM quyhoach_import WHERE dataset_id = ?", (dataset.id,)).fetchone()
        extent = None
        if dataset.geometry and not brief:
            rtree = quoted(f"rtree_{dataset.name}_{GEOMETRY}")
            # From the index, which every edit keeps; it is single precision rounded outwards, so whole metres are shown.
            bounds = self._database.execute(f"SELECT min(minx), min(miny), max(maxx), max(maxy) FROM {rtree}").fetchone()
            if bounds[0] is not None:
                extent = (float(np.floor(bounds[0])), float(np.floor(bounds[1])), float(np.ceil(bounds[2])),
                          float(np.ceil(bounds[3])))
        return DatasetSummary(
            dataset=dataset, count=self.count(dataset), extent=extent, imports=imports, rejected=int(rejected),
            changed_at=datetime.datetime.fromisoformat(changed) if changed else None)

    def values(self, dataset: Dataset, column: str) -> set[object]:  # noqa: D102
        sql = f"SELECT DISTINCT {quoted(column)} FROM {quoted(dataset.name)} WHERE {quoted(column)} IS NOT NULL"
        return {row[0] for row in self._database.execute(sql)}

    def read(
        self,
        dataset: Dataset,
        *,
        columns: Sequence[str] | None = None,
        where: RowFilter | None = None,
        extent: tuple[float, float, float, float] | None = None,
        progress: Progress = silent,
    ) -> geopandas.GeoDataFrame:  # noqa: D102
        fields = [dataset.field(name) for name in (dataset.field_names if columns is None else columns)]
        names = [FID, FEATURE_ID, *(field.name for field in fields), *([GEOMETRY] if dataset.geometry else [])]
        sql, values = f"SELECT {', '.join(map(quoted, names))} FROM {quoted(dataset.name)}", []
        conditions = []
        if extent is not None and dataset.geometry:
            conditions.append(f"{FID} IN (SELECT id FROM {quoted(f'rtree_{dataset.name}_{GEOMETRY}')} "
                              "WHERE maxx >= ? AND maxy >= ? AND minx <= ? AND miny <= ?)")
            values += extent
        if where is not None:
            conditions.append(where.sql)
            values += where.values
        if conditions:
            sql += f" WHERE {' AND '.join(f'({condition})' for condition in conditions)}"
        total = max(self.count(dataset), 1)
        rows: list[tuple] = []
        cursor = self._database.execute(f"{sql} ORDER BY {FID}", values)
        while chunk := cursor.fetchmany(_ROWS_AT_ONCE):
            rows += chunk
            progress(min(len(rows) / total, 1.0))
        by_column = list(zip(*rows)) if rows else [()] * len(names)
        data = {FEATURE_ID: np.array(by_column[1], dtype=object)}
        data |= {field.name: from_sqlite(by_column[2 + i], field).array for i, field in enumerate(fields)}
        shapes = from_blobs(by_column[-1]) if dataset.geometry else np.full(len(rows), None, dtype=object)
        index = pandas.Index(np.array(by_column[0], dtype=np.int64), name=FID)
        return geopandas.GeoDataFrame(data, geometry=geopandas.GeoSeries(shapes, crs=self.info.crs).array, index=index,
                                      crs=self.info.crs)

    def rejections(self, import_id: int | None = None) -> pandas.DataFrame:  # noqa: D102
        names = ["import_id", "dataset", "source_fid", "reasons", "attributes", "geometry_wkb", "crs"]
        cursor = self._database.execute(
            "SELECT r.import_id, d.table_name, r.source_fid, r.reasons, r.attributes, r.geometry_wkb, r.crs FROM "
            "quyhoach_rejection r "
            "JOIN quyhoach_import i USING (import_id) JOIN quyhoach_dataset d USING (dataset_id) "
            "WHERE ?1 IS NULL OR r.import_id = ?1 ORDER BY r.rejection_id", (import_id,))
        return pandas.DataFrame(cursor.fetchall(), columns=names)

    # exchange -----------------------------------------------------------------------------------------------------

    def position(self) -> Position:
        """Where the hub stands now."""
        return exchange.position(self._database, self._facts)

    @contextmanager
    def deliver(self, scopes: Iterable[Scope], since: Position | None,
                progress: Progress = silent) -> Iterator[Delivery]:
        """See `changes.ExchangingHub`."""
        with exchange.deliver(self._database, self._facts, self.datasets, scopes, since) as delivery:
            yield delivery

    def continues(self, since: Position, sent: Collection[str] = ()) -> bool:
        """See `changes.RemembersRestores`."""
        return exchange.continues(self._database, self._facts, since, sent)

    @contextmanager
    def compare(self, scopes: Iterable[Scope], since: Position, progress: Progress = silent) -> Iterator[Delivery]:
        """See `changes.RemembersRestores`."""
        with exchange.deliver(self._database, self._facts, self.datasets, scopes, since, parted=True) as delivery:
            yield delivery

    def submit(self, changeset: Changeset, progress: Progress = silent) -> Receipt:
        """See `changes.ExchangingHub`."""
        return self._submit(changeset, progress)

    def _submit(self, changeset: Changeset, progress: Progress, reverts: int | None = None) -> Receipt:
        receipt = Receipt(Outcome.REFUSED, changeset.changeset_id)
        try:
            with self._transaction():
                adopt_strays(self._database, self.datasets.values())
                receipt = submit(self._database, self.datasets, int(self._facts["srs_id"]), changeset, progress,
                                 reverts)
                if receipt.outcome is not Outcome.APPLIED:
                    raise _NothingApplied
        except _NothingApplied:
            pass
        return receipt

    # history and locks --------------------------------------------------------------------------------------------

    def changesets(self, *, most: int = 1000, counted: bool = True) -> list[ChangesetNote]:  # noqa: D102
        self._adopt_strays()
        return past.changesets(self._database, self.datasets, most, counted)

    def features_of(self, number: int) -> dict[str, int]:  # noqa: D102
        return past.features_of(self._database, self.datasets, number)

    def rows_as_of(self, dataset: Dataset, moment: Moment) -> Iterator[tuple[str, Row]]:  # noqa: D102
        return past.rows_as_of(self._database, dataset, moment)

    def changes_between(self, dataset: Dataset, start: Moment, end: Moment) -> Iterator[Change]:  # noqa: D102
        return past.changes_between(self._database, dataset, start, end)

    def revert(
        self, number: int, *, author: str = "", department: str = "", message: str = "", decision_no: str = "",
        progress: Progress = silent
    ) -> Receipt:  # noqa: D102
        self._adopt_strays()
        changeset = past.inverse(self._database, self.datasets, number, author=author or getpass.getuser(),
                                 department=department, message=message, decision_no=decision_no)
        receipt = self._submit(changeset, progress, reverts=number)
        if receipt.outcome is not Outcome.STALE:
            return receipt
        return replace(receipt, objections=past.in_the_way(self._database, self.datasets, number, changeset,
                                                           receipt.objections))

    def lock(self, dataset: Dataset, value: object, reason: str) -> None:
        """Let nobody change the rows of a plan or of an inventory year; see `geopackage_locks.lock`."""
        with self._transaction():
            lock(self._database, dataset, value, reason)

    def unlock(self, dataset: Dataset, value: object, reason: str) -> bool:
        """Lift a lock, which stays on record; return whether there was one."""
        with self._transaction():
            return unlock(self._database, dataset, value, reason)

    def locks(self, dataset: Dataset) -> dict[str, str]:
        """Return the reason of every lock in force, by the plan or year it is on."""
        return dict(locks(self._database, dataset))

    def note_working_copy(self, working_copy_id: str, name: str, unsent: int, unsent_since: str | None = None) -> None:
        """See `changes.KnowsCopies`; what is known already and fresh is not written again, so that nobody waits for it."""
        known = self._database.execute(
            "SELECT 1 FROM quyhoach_known_copy WHERE working_copy_id = ? AND name = ? AND unsent = ? AND unsent_since IS ? "
            "AND person = ? AND seen_at > strftime('%Y-%m-%dT%H:%M:%fZ', 'now', '-1 hour')",
            (working_copy_id, name, unsent, unsent_since, getpass.getuser())).fetchone()
        if known is None:
            with self._transaction():
                self._database.execute("INSERT OR REPLACE INTO quyhoach_known_copy VALUES (?, ?, ?, ?, ?, ?)",
                                       (working_copy_id, getpass.getuser(), name, unsent, unsent_since, now()))

    def _adopt_strays(self) -> None:
        """Enter what other programs did; without any, nothing is written and nobody is waited for."""
        if self._database.execute("SELECT 1 FROM quyhoach_ledger WHERE changeset IS NULL LIMIT 1").fetchone():
            with self._transaction():
                adopt_strays(self._database, self.datasets.values())

    # restoring ----------------------------------------------------------------------------------------------------

    def begin_incarnation(self) -> None:
        """Note that this file was restored: up to here its history is that of the incarnation before."""
        with self._transaction():
            adopt_strays(self._database, self.datasets.values())
            last = self._one("SELECT coalesce(max(ledger_no), 0) FROM quyhoach_ledger")
            self._database.execute("INSERT INTO quyhoach_incarnation VALUES (?, ?, ?)",
                                   (self._facts["incarnation"], last, now()))
            self._database.execute("UPDATE quyhoach_hub SET value = ? WHERE key = 'incarnation'", (str(uuid.uuid4()),))
        self._facts = self._read_facts()
        self.info = self._read_info()

    @contextmanager
    def standing_still(self) -> Iterator[sqlite3.Connection]:
        """Give the file's connection for reading; nobody else can save until the block ends."""
        self._adopt_strays()
        with past.reading(self._database):
            self._facts = self._read_facts()  # the first read takes the lock
            yield self._database

    # writing ------------------------------------------------------------------------------------------------------

    def write(self, dataset: Dataset, batch: Batch, *, progress: Progress = silent) -> int:  # noqa: D102
        with self._transaction():
            adopt_strays(self._database, self.datasets.values())
            return write_batch(self._database, int(self._facts["srs_id"]), dataset, batch, progress)

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        try:
            self._database.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._database.execute("COMMIT")
            except BaseException:
                if self._database.in_transaction:  # a full disk has rolled back by itself
                    self._database.execute("ROLLBACK")
                raise
        except sqlite3.IntegrityError as error:
            raise OutputError(say("Cơ sở dữ liệu dùng chung từ chối, không ghi gì: {why}",
                                  "The shared database refused, nothing was written: {why}")
                              .format(why=error)) from error
        except sqlite3.OperationalError as error:
            if str(error).startswith("no such "):
                raise OutputError(unfit_table(str(self.path), error)) from error
            why = why_not_written(error, self.path)
            if why != str(error):
                raise OutputError(say("Không ghi được vào {path}, không đổi gì: {why}.", "{path} cannot be written, nothing is changed: {why}.")
                                  .format(path=self.path, why=why)) from error
            raise OutputError(say("Không ghi được vào {path} ({why}). Nếu tệp đang mở hoặc đang sửa ở chương trình "
                                  "khác, hãy lưu, đóng rồi chạy lại.",
                                  "{path} cannot be written ({why}). If another program has it open or is editing it, "
                                  "save, close and run again.")
                              .format(path=self.path, why=error)) from error
