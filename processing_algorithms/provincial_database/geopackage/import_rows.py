"""Writing one import into a GeoPackage hub: its record, new rows, replaced rows, and the rows not taken."""

from __future__ import annotations

import getpass
import json
import sqlite3
import uuid

import geopandas
import numpy as np

from ...common.progress import Progress, part
from ..catalogue import Dataset
from ..catalogue.model import FEATURE_ID, FID, GEOMETRY
from ..findings import require_recorded
from ..hub import Batch
from ..rows import now
from ..typed_columns import to_sqlite
from .geometry import to_blobs
from .ledger import (
    begin_changeset,
    end_changeset,
    enter_new_rows,
    hub_trigger_statements,
    triggers_of_others,
    unwatched,
)
from .ledger_gaps import close_gaps, different_features, enter_present
from .locks import lock_approved_plans, refused_by_lock
from .schema import quoted, verify_statement

_ROWS_AT_ONCE = 20_000


def write_batch(
    database: sqlite3.Connection, srs_id: int, dataset: Dataset, batch: Batch, progress: Progress
) -> int:
    """Write a batch inside the caller's transaction; return the import's number."""
    require_recorded(unwatched(database, [dataset]))
    import_id = _record(database, dataset, batch)
    changeset = begin_changeset(
        database, changeset_id=str(uuid.uuid4()), author=getpass.getuser(), department="",
        message=f"Nhập lớp dữ liệu (import): {batch.source}", decision_no="")
    others = triggers_of_others(database)
    astray = _astray(database, dataset) if others else set()
    _add(database, srs_id, dataset, batch.added, changeset, part(progress, 0.0, 0.8))
    _update(database, srs_id, dataset, batch.updated, part(progress, 0.8, 0.95))
    if others:
        close_gaps(database, [dataset], changeset)
        # What they wrote into present rows while the ledger's triggers were off.
        for feature_id in _astray(database, dataset) - astray:
            enter_present(database, dataset, feature_id, changeset)
    _touch(database, dataset, batch)
    end_changeset(database)
    progress(1.0)
    return import_id


def _astray(database: sqlite3.Connection, dataset: Dataset) -> set[str]:
    return {feature_id for (feature_id,) in database.execute(different_features(dataset), (dataset.id,))}


def _record(database: sqlite3.Connection, dataset: Dataset, batch: Batch) -> int:
    import_id = database.execute(
        "INSERT INTO quyhoach_import (dataset_id, imported_at, source, field_mapping, total, added, updated, "
        "unchanged, rejected, notes) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (dataset.id, now(), batch.source, json.dumps(dict(batch.field_mapping), ensure_ascii=False), batch.total,
         len(batch.added), len(batch.updated), batch.unchanged, len(batch.rejections),
         "\n".join(batch.notes))).lastrowid
    database.executemany(
        "INSERT INTO quyhoach_rejection (import_id, source_fid, reasons, attributes, geometry_wkb, crs) VALUES "
        "(?, ?, ?, ?, ?, ?)",
        ((import_id, str(r.source_fid), "\n".join(r.reasons),
          json.dumps(dict(r.attributes), ensure_ascii=False, default=str), r.geometry_wkb, r.crs)
         for r in batch.rejections))
    return int(import_id)


def _add(
    database: sqlite3.Connection, srs_id: int, dataset: Dataset, rows: geopandas.GeoDataFrame, changeset: int,
    progress: Progress,
) -> None:
    if rows.empty:
        return
    names = [FID, FEATURE_ID, *dataset.field_names, *([GEOMETRY] if dataset.geometry else [])]
    first = _next_fid(database, dataset)
    fids = range(first, first + len(rows))
    columns = [fids, *_columns(srs_id, dataset, rows)]
    triggers = hub_trigger_statements(dataset)
    # Fired per row they would take most of the time; what they do is done for all rows at once below.
    for name in triggers:
        database.execute(f"DROP TRIGGER IF EXISTS {quoted(name)}")
    sql = f"INSERT INTO {quoted(dataset.name)} ({', '.join(map(quoted, names))}) VALUES ({', '.join('?' * len(names))})"
    for start in range(0, len(rows), _ROWS_AT_ONCE):
        progress(0.8 * start / len(rows))
        stop = start + _ROWS_AT_ONCE
        database.executemany(sql, zip(*(column[start:stop] for column in columns)))
    if dataset.geometry:
        index = quoted(f"rtree_{dataset.name}_{GEOMETRY}")
        boxes = rows.geometry.bounds.to_numpy()[:, [0, 2, 1, 3]]
        for start in range(0, len(rows), _ROWS_AT_ONCE):
            progress(0.8 + 0.2 * start / len(rows))
            stop = start + _ROWS_AT_ONCE
            database.executemany(f"INSERT INTO {index} VALUES (?, ?, ?, ?, ?)",
                                 ((fid, *box) for fid, box in zip(fids[start:stop], boxes[start:stop].tolist())))
    refused = database.execute(verify_statement(dataset), (first,)).fetchone()
    why = refused[0] if refused else refused_by_lock(database, dataset, first)
    if why:
        raise sqlite3.IntegrityError(why)
    lock_approved_plans(database, dataset)
    enter_new_rows(database, dataset, first, changeset)
    for statement in triggers.values():
        database.execute(statement)


def _next_fid(database: sqlite3.Connection, dataset: Dataset) -> int:
    used = database.execute("SELECT seq FROM sqlite_sequence WHERE name = ?", (dataset.name,)).fetchone()
    highest = database.execute(f"SELECT coalesce(max({FID}), 0) FROM {quoted(dataset.name)}").fetchone()[0]
    return max(highest, used[0] if used else 0) + 1


def _columns(srs_id: int, dataset: Dataset, rows: geopandas.GeoDataFrame) -> list[list[object]]:
    columns: list[list[object]] = [[id if isinstance(id, str) else str(uuid.uuid4()) for id in rows[FEATURE_ID]]]
    columns += [to_sqlite(rows[field.name], field) for field in dataset.fields]
    if dataset.geometry:
        columns.append(to_blobs(np.asarray(rows.geometry.array, dtype=object), srs_id))
    return columns


def _update(
    database: sqlite3.Connection, srs_id: int, dataset: Dataset, rows: geopandas.GeoDataFrame, progress: Progress
) -> None:
    if rows.empty:
        return
    names = [*dataset.field_names, *([GEOMETRY] if dataset.geometry else [])]
    sql = f"UPDATE {quoted(dataset.name)} SET {', '.join(f'{quoted(name)} = ?' for name in names)} WHERE {FID} = ?"
    columns = [*_columns(srs_id, dataset, rows)[1:], rows.index.tolist()]
    for start in range(0, len(rows), _ROWS_AT_ONCE):
        progress(start / len(rows))
        database.executemany(sql, zip(*(column[start : start + _ROWS_AT_ONCE] for column in columns)))


def _touch(database: sqlite3.Connection, dataset: Dataset, batch: Batch) -> None:
    """Bring what other programs read about the table up to date: extent, count, time of change."""
    if batch.added.empty and batch.updated.empty:
        return
    database.execute("UPDATE gpkg_contents SET last_change = strftime('%Y-%m-%dT%H:%M:%fZ', 'now') WHERE table_name = ?",
                     (dataset.name,))
    if not dataset.geometry:
        return
    count = database.execute(f"SELECT count(*) FROM {quoted(dataset.name)}").fetchone()[0]
    database.execute("UPDATE gpkg_ogr_contents SET feature_count = ? WHERE table_name = ?", (count, dataset.name))
    boxes = np.array([frame.total_bounds for frame in (batch.added, batch.updated) if len(frame)])
    x_min, y_min, x_max, y_max = (*boxes[:, :2].min(axis=0).tolist(), *boxes[:, 2:].max(axis=0).tolist())
    database.execute(
        "UPDATE gpkg_contents SET min_x = min(coalesce(min_x, ?1), ?1), min_y = min(coalesce(min_y, ?2), ?2), "
        "max_x = max(coalesce(max_x, ?3), ?3), max_y = max(coalesce(max_y, ?4), ?4) WHERE table_name = ?5",
        (x_min, y_min, x_max, y_max, dataset.name))
