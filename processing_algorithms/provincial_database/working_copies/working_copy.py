"""A working copy (bản dữ liệu làm việc): the checked-out datasets in one GeoPackage, and what was done to them since.

Any program may edit it; triggers notice (`working_copy_schema`). `checkout.py` makes one, `pull.py` and `push.py`
exchange with the hub, `exchange_file.py` does the same through files, `conflict_review.py` settles what could not be
merged.
"""

from __future__ import annotations

import json
import sqlite3
import zlib
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from ...common.errors import InputError, OutputError, name_some, refuse_if
from ...common.full_disks import why_not_written
from ...common.language import say
from ..catalogue import Catalogue, Dataset, load_catalogue
from ..catalogue.loader import find_dataset
from ..catalogue.model import FEATURE_ID, FID
from ..changes import Change, Position, Row, Scope
from ..geopackage.geometry import register_functions
from ..geopackage.schema import data_columns, quoted
from ..merge import differs
from ..rows import pairs_from_sqlite, row_from_sqlite, row_to_sqlite, rows_from_sqlite
from ..unreadable_text import unreadable_text
from .working_copy_schema import base_table, copy_trigger_statements

#: Number of the newest file in ``sql/working_copy``.
FORMAT = 1
_ROWS_AT_ONCE = 10_000
_FACTS = {"working_copy_id", "hub", "hub_id", "incarnation", "token", "srs_id"}


@dataclass(frozen=True)
class DatasetStatus:
    """One line of the status: counts of features.

    ``waiting`` were frozen in a changeset the hub has not answered yet. ``tracking_lost`` means that a program made the
    table anew: edits are found by comparison with the hub at the next pull, until then the counts say too little.
    """

    dataset: Dataset
    count: int
    added: int
    changed: int
    deleted: int
    conflicts: int
    waiting: int
    tracking_lost: bool

    @property
    def edits(self) -> int:
        """All features edited and not yet sent."""
        return self.added + self.changed + self.deleted


class WorkingCopy:
    """An open working copy. Use as a context manager."""

    def __init__(self, path: str | Path):
        self.path = Path(path)
        self.database = _connect(self.path)
        #: The changeset frozen last, the version its rows were read from, and how much this connection had written then.
        self.frozen: tuple[str, int, int] | None = None
        try:
            self.facts = self._read_facts()
            self.read_datasets()
        except BaseException:
            self.database.close()
            raise

    def __enter__(self) -> WorkingCopy:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file."""
        self.database.close()

    # what it is ---------------------------------------------------------------------------------------------------

    @property
    def id(self) -> str:
        """Identity of this working copy."""
        return self.facts["working_copy_id"]

    @property
    def hub_location(self) -> str:
        """Where its hub is: a path or a connection, never with a password."""
        return self.facts["hub"]

    @property
    def srs_id(self) -> int:
        """Number of the system of its geometries, in this file."""
        return int(self.facts["srs_id"])

    @property
    def position(self) -> Position:
        """Up to where in the hub's history it has received everything."""
        return Position(self.facts["hub_id"], self.facts["incarnation"], self.facts["token"])

    @property
    def sent(self) -> list[str]:
        """Changesets the hub has taken since that position, by id."""
        with self.sound():
            return json.loads(self.facts.get("sent", "[]"))

    def dataset(self, name: str) -> Dataset:
        """Return a dataset it holds, by name, id or label."""
        return find_dataset(self.datasets, name)

    def scopes(self) -> list[Scope]:
        """What it holds of each dataset."""
        names = {dataset.id: dataset.name for dataset in self.datasets.values()}
        found = self.database.execute("SELECT dataset_id, communes, polygon FROM quyhoach_scope").fetchall()
        with self.sound():
            return [Scope(names[id], None if communes is None else frozenset(json.loads(communes)), polygon)
                    for id, communes, polygon in found if id in names]

    def _read_facts(self) -> dict[str, str]:
        try:
            facts = dict(self.database.execute("SELECT key, value FROM quyhoach_working_copy"))
        except sqlite3.DatabaseError as error:
            raise self._not_ours() from error
        if not facts.get("format", "").isdigit() or int(facts["format"]) > FORMAT:
            raise InputError(say("{path} được tạo bằng phiên bản QuyHoach mới hơn; hãy cập nhật QuyHoach.",
                                 "{path} was made by a newer QuyHoach; update QuyHoach.").format(path=self.path))
        if not _FACTS <= facts.keys() or not facts["srs_id"].lstrip("-").isdigit():
            raise self._not_ours()
        return facts

    @contextmanager
    def sound(self) -> Iterator[None]:
        """Tell that something only our own program writes has been altered."""
        try:
            yield
        except (ValueError, TypeError, zlib.error) as error:
            raise InputError(say("Bản dữ liệu làm việc {path} bị hỏng: phần ghi nhớ của QuyHoach đã bị sửa; hãy dùng lại bản sao còn tốt, hoặc tải dữ "
                                 "liệu về máy lần nữa rồi chép các chỉnh sửa sang.",
                                 "The working copy {path} is damaged: what QuyHoach keeps in it was altered; use a sound copy of the file, or check "
                                 "out again and carry the edits over.").format(path=self.path)) from error

    def _not_ours(self) -> InputError:
        return InputError(
            say(
                "{path} không phải là bản dữ liệu làm việc của QuyHoach.", "{path} is not a working copy of QuyHoach."
            ).format(path=self.path)
        )

    def read_datasets(self) -> None:
        """Read anew which datasets and fields it holds.

        Raises
        ------
        InputError
            Tables or columns that should be there are not: another program has made them anew, or the file lies.
        """
        try:
            self.datasets = self._held(load_catalogue())
        except sqlite3.DatabaseError as error:
            raise self._not_ours() from error
        problems = []
        for dataset in self.datasets.values():
            for table, extra in ((dataset.name, (FEATURE_ID, FID)),
                                 (base_table(dataset), (FEATURE_ID, FID, "existed"))):
                kind = self.database.execute("SELECT type FROM sqlite_master WHERE name = ?", (table,)).fetchone()
                present = (
                    {row[1] for row in self.database.execute(f"PRAGMA table_info({quoted(table)})")}
                    if kind == ("table",)
                    else set()
                )
                missing = [name for name in (*extra, *data_columns(dataset)) if name not in present]
                if missing:
                    problems.append(say("{path}: bảng {table} thiếu cột {names} vì đã bị chương trình khác tạo lại; hãy khôi phục "
                                        "bảng từ bản sao, hoặc tải dữ liệu về máy lần nữa.",
                                        "{path}: table {table} lacks the columns {names}, another program has made it anew; put the "
                                        "table back from a copy, or check out again.")
                                    .format(path=self.path, table=table, names=name_some(missing)))
        refuse_if(problems)

    def _held(self, known: Catalogue) -> Catalogue:
        """The catalogue cut down to what this file holds, found by the ids that never change."""
        columns = dict(self.database.execute("SELECT field_id, column_name FROM quyhoach_field"))
        tables = dict(self.database.execute("SELECT dataset_id, table_name FROM quyhoach_dataset"))
        return known.held(tables, columns)

    # what was done ------------------------------------------------------------------------------------------------

    def status(self) -> list[DatasetStatus]:
        """Tell what was edited since the last exchange; costs what was touched, not what exists."""
        from .outgoing import waiting_features

        waiting = waiting_features(self)
        conflicts = dict(self.database.execute("SELECT dataset_id, count(*) FROM quyhoach_conflict GROUP BY dataset_id"))
        lines = []
        for dataset in self.datasets.values():
            added, changed, deleted = self._edit_counts(dataset)
            lines.append(DatasetStatus(
                dataset=dataset, count=self._count(dataset), added=added, changed=changed, deleted=deleted,
                conflicts=conflicts.get(dataset.id, 0), waiting=sum(name == dataset.name for name, _ in waiting),
                tracking_lost=self.tracking_lost(dataset)))
        return lines

    def _edit_counts(self, dataset: Dataset) -> tuple[int, int, int]:
        """How many features `edits` yields as new, changed and deleted, mostly without making rows of them."""
        added = changed = deleted = 0
        columns = data_columns(dataset)
        # Other text is another value, whatever the rest; shapes, times and numbers may be written in several ways. A new
        # shape is looked at, because one that cannot be read is told here and not only when it is sent.
        texts = [position for position, field in enumerate(dataset.fields) if field.type == "text"]
        text = (str, type(None))
        for found in self._touched(dataset, columns):
            unsure = []
            for row in found:
                existed, here, was, became = row[1], row[2] is not None, row[4:4 + len(columns)], row[4 + len(columns):]
                same_shape = not dataset.geometry or was[-1] == became[-1]
                if existed and not here:
                    deleted += 1
                elif existed and same_shape and any(
                        was[i] != became[i] and isinstance(was[i], text) and isinstance(became[i], text)
                    for i in texts):
                    changed += 1
                else:
                    unsure.append(row)
            for change in filter(differs, self._changes(dataset, len(columns), unsure)):
                added += change.before is None
                changed += change.before is not None
        return added, changed, deleted

    def _count(self, dataset: Dataset) -> int:
        if dataset.geometry:
            kept = self.database.execute("SELECT feature_count FROM gpkg_ogr_contents WHERE table_name = ?", (dataset.name,)).fetchone()
            if kept and kept[0] is not None:
                return int(kept[0])
        return int(self.database.execute(f"SELECT count(*) FROM {quoted(dataset.name)}").fetchone()[0])

    def edits(self, dataset: Dataset) -> Iterator[Change]:
        """Yield the features that differ from what the hub is known to have. ``before`` is the hub's row, ``after`` ours."""
        columns = data_columns(dataset)
        for found in self._touched(dataset, columns):
            yield from filter(differs, self._changes(dataset, len(columns), found))

    def _touched(self, dataset: Dataset, columns: Sequence[str]) -> Iterator[list[tuple]]:
        """Yield what was touched and is not value for value as before: id, existed, fid, parent's id, base, ours."""
        width = len(columns)
        base = ", ".join(f"b.{quoted(name)}" for name in columns)
        ours = ", ".join(f"t.{quoted(name)}" for name in columns)
        sql = (f"SELECT b.{FEATURE_ID}, b.existed, t.{FID}, p.parent_id, {base}, {ours} FROM {quoted(base_table(dataset))} b "
               f"LEFT JOIN {quoted(dataset.name)} t ON t.{FEATURE_ID} = b.{FEATURE_ID} "
               f"LEFT JOIN quyhoach_parent p ON p.feature_id = b.{FEATURE_ID} AND p.dataset_id = ? ORDER BY b.rowid")
        # Closed whatever happens: a cursor that an error keeps alive would hold the file against other programs.
        try:
            with closing(self.database.execute(sql, (dataset.id,))) as cursor:
                while found := cursor.fetchmany(_ROWS_AT_ONCE):
                    yield [row for row in found
                           if row[1] != (row[2] is not None) or row[4:4 + width] != row[4 + width:]]
        except sqlite3.OperationalError as error:
            raise unreadable_text(self.database, {dataset.name: dataset, base_table(dataset): dataset}, error) from error

    @staticmethod
    def _changes(dataset: Dataset, width: int, found: Sequence[tuple]) -> Iterator[Change]:
        """Make changes of what `_touched` found."""
        before, after = pairs_from_sqlite(dataset, [row[4:4 + width] for row in found],
                                          [row[4 + width:] for row in found],
                                          [row[0] for row in found])
        for (feature_id, existed, fid, parent_id, *_), was, became in zip(found, before, after):
            yield Change(dataset.name, feature_id, was if existed else None, became if fid is not None else None,
                         parent_id)

    def unsent(self) -> int:
        """Count the features that differ from what the hub is known to have, without reading them."""
        total = 0
        for dataset in self.datasets.values():
            base, ours = (", ".join(f"{alias}.{quoted(name)}" for name in data_columns(dataset))
                          for alias in ("b", "t"))
            total += self.database.execute(
                f"SELECT count(*) FROM {quoted(base_table(dataset))} b LEFT JOIN {quoted(dataset.name)} t "
                f"ON t.{FEATURE_ID} = b.{FEATURE_ID} WHERE b.existed <> (t.{FID} IS NOT NULL) "
                f"OR t.{FID} IS NOT NULL AND ({base}) IS NOT ({ours})").fetchone()[0]
        return int(total)

    def edited_ids(self, dataset: Dataset) -> set[str]:
        """Return the features touched since the last exchange, and those in conflict."""
        sql = f"SELECT {FEATURE_ID} FROM {quoted(base_table(dataset))} UNION SELECT feature_id FROM quyhoach_conflict WHERE dataset_id = ?"
        return {row[0] for row in self.database.execute(sql, (dataset.id,))}

    def tracking_lost(self, dataset: Dataset) -> bool:
        """Tell whether a program has removed or altered the triggers that notice edits."""
        present = dict(self.database.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = ?", (dataset.name,)))
        expected = {name: sql for name, sql in copy_trigger_statements(dataset).items()
                    if name.startswith("quyhoach_track_")}
        return any(present.get(name) != sql for name, sql in expected.items())

    # rows ---------------------------------------------------------------------------------------------------------

    def row(self, dataset: Dataset, feature_id: str) -> Row | None:
        """Our present row of a feature, or None."""
        columns = ", ".join(map(quoted, data_columns(dataset)))
        found = self.database.execute(f"SELECT {columns} FROM {quoted(dataset.name)} WHERE {FEATURE_ID} = ?", (feature_id,)).fetchone()
        return None if found is None else row_from_sqlite(dataset, found)

    def rows(self, dataset: Dataset, ids: Sequence[str]) -> dict[str, Row]:
        """Our present rows of many features, by id; those that are not here are left out."""
        columns = ", ".join(f"t.{quoted(name)}" for name in (FEATURE_ID, *data_columns(dataset)))
        found = self.database.execute(
            f"SELECT {columns} FROM json_each(?) j CROSS JOIN {quoted(dataset.name)} t ON t.{FEATURE_ID} = j.value",
            (json.dumps(ids),)).fetchall()
        return dict(zip((row[0] for row in found), rows_from_sqlite(dataset, [row[1:] for row in found])))

    def base(self, dataset: Dataset, feature_id: str) -> tuple[bool, Row | None]:
        """Whether a feature was touched, and the hub's row of it as last known (None: the hub has none)."""
        columns = ", ".join(map(quoted, data_columns(dataset)))
        found = self.database.execute(
            f"SELECT existed, {columns} FROM {quoted(base_table(dataset))} WHERE {FEATURE_ID} = ?", (feature_id,)).fetchone()
        if found is None:
            return False, self.row(dataset, feature_id)
        return True, row_from_sqlite(dataset, found[1:]) if found[0] else None

    def put_row(self, dataset: Dataset, feature_id: str, row: Row | None) -> None:
        """Make a feature be as given, within `applying`."""
        table = quoted(dataset.name)
        if row is None:
            self.database.execute(f"DELETE FROM {table} WHERE {FEATURE_ID} = ?", (feature_id,))
            return
        columns = data_columns(dataset)
        values = row_to_sqlite(dataset, row, self.srs_id)
        changed = self.database.execute(
            f"UPDATE {table} SET {', '.join(f'{quoted(name)} = ?' for name in columns)} WHERE {FEATURE_ID} = ?", (*values, feature_id))
        if changed.rowcount == 0:
            names = ", ".join(map(quoted, (FEATURE_ID, *columns)))
            self.database.execute(f"INSERT INTO {table} ({names}) VALUES ({', '.join('?' * (len(columns) + 1))})", (feature_id, *values))

    def put_base(self, dataset: Dataset, feature_id: str, row: Row | None) -> None:
        """Note the hub's row of a feature that differs from ours; within `applying`."""
        base = quoted(base_table(dataset))
        columns = data_columns(dataset)
        self.database.execute(f"DELETE FROM {base} WHERE {FEATURE_ID} = ?", (feature_id,))
        names = ", ".join(map(quoted, (FEATURE_ID, "existed", *columns)))
        values = row_to_sqlite(dataset, row or {}, self.srs_id) if row is not None else [None] * len(columns)
        self.database.execute(f"INSERT INTO {base} ({names}) VALUES ({', '.join('?' * (len(columns) + 2))})",
                              (feature_id, int(row is not None), *values))

    def forget_base(self, dataset: Dataset, feature_id: str) -> None:
        """Note that a feature is as the hub has it."""
        self.forget_bases(dataset, [feature_id])

    def forget_bases(self, dataset: Dataset, ids: Sequence[str]) -> None:
        """Note that features are as the hub has them; within `applying`."""
        listed = json.dumps(list(ids))
        self.database.execute(f"DELETE FROM {quoted(base_table(dataset))} WHERE {FEATURE_ID} IN (SELECT value FROM json_each(?))", (listed,))
        self.database.execute("DELETE FROM quyhoach_parent WHERE dataset_id = ? AND feature_id IN (SELECT value FROM json_each(?))",
                              (dataset.id, listed))

    def version(self) -> int:
        """A number that stays the same as long as no other connection writes into the file."""
        return int(self.database.execute("PRAGMA data_version").fetchone()[0])

    # writing ------------------------------------------------------------------------------------------------------

    @contextmanager
    def applying(self, reason: str) -> Iterator[None]:
        """Write as the program, not as a person: one transaction nobody else is in, tracking silent, all or nothing."""
        try:
            self.database.execute("BEGIN EXCLUSIVE")
        except sqlite3.OperationalError as error:
            raise OutputError(say("Bản dữ liệu làm việc {path} đang được chương trình khác sử dụng; hãy lưu, đóng rồi chạy lại.",
                                  "Another program is using the working copy {path}; save, close it and run again.")
                              .format(path=self.path)) from error
        try:
            self.database.execute("INSERT INTO quyhoach_applying VALUES (?)", (reason,))
            yield
            self.database.execute("DELETE FROM quyhoach_applying")
            self.database.execute("COMMIT")
        except sqlite3.Error as error:
            self._roll_back()
            raise self._not_written(error) from error
        except BaseException:
            self._roll_back()
            raise
        self.facts = self._read_facts()

    def _not_written(self, error: sqlite3.Error) -> Exception:
        """What to raise; not kept in a variable where it is raised, or a statement it knows would hold the file."""
        found = unreadable_text(self.database, self.datasets, error)
        return found if isinstance(found, InputError) else OutputError(
            say("Không ghi được vào bản dữ liệu làm việc {path}, mọi thứ giữ nguyên như trước: {why}",
                "The working copy {path} cannot be written, all stays as it was: {why}").format(
                    path=self.path, why=why_not_written(error, self.path)))

    def _roll_back(self) -> None:
        # A full disk makes SQLite roll back by itself; asking again would hide the first error.
        if self.database.in_transaction:
            self.database.execute("ROLLBACK")
        self.read_datasets()

    def set_facts(self, **facts: str) -> None:
        """Note facts, within `applying`."""
        self.database.executemany("INSERT INTO quyhoach_working_copy VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
                                  facts.items())


def _connect(path: Path) -> sqlite3.Connection:
    if path.is_symlink():
        raise InputError(say("{path} là một liên kết; hãy chọn chính tệp bản dữ liệu làm việc.",
                             "{path} is a link; choose the working copy's file itself.").format(path=path))
    if not path.is_file():
        raise InputError(say("Không có bản dữ liệu làm việc {path}; kiểm tra đường dẫn, hoặc tải dữ liệu về máy bằng quyhoach:checkout.",
                             "There is no working copy at {path}; check the path, or make one with quyhoach:checkout.").format(path=path))
    # No isolation level: transactions begin and end where the code says so.
    database = sqlite3.connect(f"{path.resolve().as_uri()}?mode=rw", uri=True, timeout=2.0, isolation_level=None)
    database.execute("PRAGMA cache_size = -262144")
    register_functions(database)
    return database
