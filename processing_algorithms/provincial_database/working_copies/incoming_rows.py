"""Rows on their way into a working copy, thousands at a time.

Most rows of a delivery are of features nobody here has touched: they are compared and written as SQLite keeps them,
without becoming rows of Python. What is left for the merge is what was edited on both sides.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from operator import itemgetter

from ..catalogue import Dataset
from ..catalogue.model import FEATURE_ID
from ..changes import Delivery, Row, RowBatch
from ..geopackage.schema import data_columns, quoted
from ..rows import rows_to_sqlite
from .working_copy import WorkingCopy
from .working_copy_schema import base_table

_ROWS_AT_ONCE = 10_000
_PRESENT = "temp.quyhoach_present"

StoredRow = tuple[object, ...]


def batches(delivery: Delivery, datasets: Mapping[str, Dataset], srs_id: int) -> Iterator[RowBatch]:
    """Yield a delivery as batches of the columns both sides have, whichever way the hub gives it.

    Datasets the working copy does not hold, and fields it has no column for, are left out.
    """
    given = delivery.batches if delivery.batches is not None else _gathered(delivery.rows, datasets, srs_id)
    for batch in given:
        dataset = datasets.get(batch.dataset)
        if dataset is not None:
            yield _fitted(batch, data_columns(dataset))


def _fitted(batch: RowBatch, columns: Sequence[str]) -> RowBatch:
    if tuple(columns) == tuple(batch.columns):
        return batch
    common = tuple(name for name in columns if name in batch.columns)
    take = itemgetter(0, *(1 + batch.columns.index(name) for name in common))
    rows = [take(row) for row in batch.rows] if common else [(row[0],) for row in batch.rows]
    return RowBatch(batch.dataset, common, rows, batch.gone)


def _gathered(rows: Iterable[tuple[str, str, Row | None]], datasets: Mapping[str, Dataset],
              srs_id: int) -> Iterator[RowBatch]:
    """Gather single rows into batches; rows that know other fields (of an older schema) go apart."""
    waiting: dict[tuple[str, tuple[str, ...]], list[tuple[str, Row]]] = {}
    gone: dict[str, list[str]] = {}
    for name, feature_id, row in rows:
        dataset = datasets.get(name)
        if dataset is None:
            continue
        if row is None:
            gone.setdefault(name, []).append(feature_id)
            continue
        columns = tuple(column for column in data_columns(dataset) if column in row)
        held = waiting.setdefault((name, columns), [])
        held.append((feature_id, row))
        if len(held) == _ROWS_AT_ONCE:
            yield _batch(dataset, columns, held, srs_id)
            held.clear()
    for (name, columns), held in waiting.items():
        if held:
            yield _batch(datasets[name], columns, held, srs_id)
    for name, ids in gone.items():
        yield RowBatch(name, tuple(data_columns(datasets[name])), [], ids)


def _batch(dataset: Dataset, columns: tuple[str, ...], held: Sequence[tuple[str, Row]], srs_id: int) -> RowBatch:
    values = rows_to_sqlite(dataset, [row for _, row in held], srs_id)
    whole = RowBatch(dataset.name, tuple(data_columns(dataset)),
                     [(feature_id, *row) for (feature_id, _), row in zip(held, values)])
    return _fitted(whole, columns)


@dataclass
class Sorted:
    """What has to be done with the rows of a batch."""

    same: list[str] = field(default_factory=list)
    new: list[StoredRow] = field(default_factory=list)
    changed: list[StoredRow] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)
    #: Features that were edited here as well: (row or None).
    merge: list[tuple[str, StoredRow | None]] = field(default_factory=list)
    #: How many features edited here are at the hub as they were.
    nothing_new: int = 0


def sort_out(
    batch: RowBatch, ours: Mapping[str, StoredRow], edited: Collection[str], known: Mapping[str, StoredRow | None], *,
    trusted: bool
) -> Sorted:
    """Sort a batch by what is here.

    Parameters
    ----------
    ours : our rows; ``known`` : the hub's rows of what was edited, as last heard of (None: the hub had none).
    trusted
        False where edits were not tracked and nothing counts as untouched.
    """
    found = Sorted()
    for row in batch.rows:
        feature_id = str(row[0])
        mine = ours.get(feature_id)
        if mine == row:
            found.same.append(feature_id)
        elif feature_id in known and known[feature_id] == row:
            found.nothing_new += 1
        elif feature_id in edited:
            found.merge.append((feature_id, row))
        elif mine is None:
            found.new.append(row)
        elif trusted:
            found.changed.append(row)
        else:
            found.merge.append((feature_id, row))
    for feature_id in batch.gone:
        if feature_id in ours and feature_id in known and known[feature_id] is None:
            found.nothing_new += 1
        elif feature_id in edited or not trusted:
            found.merge.append((feature_id, None))
        elif feature_id in ours:
            found.gone.append(feature_id)
    return found


def stored_rows(copy: WorkingCopy, dataset: Dataset, columns: Sequence[str],
                ids: Sequence[str]) -> dict[str, StoredRow]:
    """Return our rows of some features by id, as SQLite keeps them: (feature_id, values)."""
    listed = ", ".join(f"t.{quoted(name)}" for name in (FEATURE_ID, *columns))
    with closing(copy.database.execute(
            f"SELECT {listed} FROM json_each(?) j CROSS JOIN {quoted(dataset.name)} t ON t.{FEATURE_ID} = j.value",
            (json.dumps(ids),))) as cursor:
        return {row[0]: row for row in cursor}


def stored_bases(
    copy: WorkingCopy, dataset: Dataset, columns: Sequence[str], ids: Collection[str]
) -> dict[str, StoredRow | None]:
    """Return the hub's rows, as last heard of, of features edited here; None where the hub had none."""
    if not ids:
        return {}
    listed = ", ".join(f"b.{quoted(name)}" for name in (FEATURE_ID, *columns))
    with closing(copy.database.execute(
            f"SELECT b.existed, {listed} FROM json_each(?) j CROSS JOIN {quoted(base_table(dataset))} b "
            f"ON b.{FEATURE_ID} = j.value", (json.dumps(list(ids)),))) as cursor:
        return {row[1]: row[1:] if row[0] else None for row in cursor}


def write_rows(
    copy: WorkingCopy, dataset: Dataset, columns: Sequence[str], found: Sorted, ours: Mapping[str, StoredRow]
) -> None:
    """Write what needs no merge, within `WorkingCopy.applying`; of ``ours`` only what differs is written."""
    table = quoted(dataset.name)
    names = ", ".join(map(quoted, (FEATURE_ID, *columns)))
    if found.new:
        copy.database.executemany(f"INSERT INTO {table} ({names}) VALUES ({', '.join('?' * (len(columns) + 1))})", found.new)
    # Rows that differ in the same fields together: a shape that stays must not be taken out of its index and put back.
    alike: dict[tuple[int, ...], list[StoredRow]] = {}
    for row in found.changed:
        mine = ours[str(row[0])]
        at = tuple(position for position in range(1, len(row)) if row[position] != mine[position])
        alike.setdefault(at, []).append((row[0], *(row[position] for position in at)))
    for at, rows in alike.items():
        changes = ", ".join(f"{quoted(columns[position - 1])} = ?{number}"
                            for number, position in enumerate(at, start=2))
        copy.database.executemany(f"UPDATE {table} SET {changes} WHERE {FEATURE_ID} = ?1", rows)
    copy.database.executemany(f"DELETE FROM {table} WHERE {FEATURE_ID} = ?",
                              ((feature_id,) for feature_id in found.gone))


class Present:
    """The features a whole delivery brought, on disk rather than in memory; what is not among them is gone at the hub."""

    def __init__(self, copy: WorkingCopy):
        self._database = copy.database
        self._database.execute(f"DROP TABLE IF EXISTS {_PRESENT}")
        self._database.execute(f"CREATE TABLE {_PRESENT} (dataset TEXT NOT NULL, feature_id TEXT NOT NULL)")

    def add(self, batch: RowBatch) -> None:
        """Note the features of a batch."""
        self._database.executemany(f"INSERT INTO {_PRESENT} VALUES (?, ?)",
                                   ((batch.dataset, row[0]) for row in batch.rows))

    def missing(self, dataset: Dataset, table: str) -> list[str]:
        """Return the features of a table that did not come."""
        return [row[0] for row in self._database.execute(
            f"SELECT {FEATURE_ID} FROM {quoted(table)} WHERE {FEATURE_ID} NOT IN "
            f"(SELECT feature_id FROM {_PRESENT} WHERE dataset = ?)", (dataset.name,))]

    def drop(self) -> None:
        """Forget them."""
        self._database.execute(f"DROP TABLE IF EXISTS {_PRESENT}")
