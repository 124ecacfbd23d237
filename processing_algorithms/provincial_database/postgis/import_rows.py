"""Writing one import into a PostGIS hub: its record, new rows, replaced rows, and the rows not taken."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import geopandas
import numpy as np
import shapely

from ...common.language import say
from ...common.progress import Progress, part
from ..catalogue import Dataset
from ..catalogue.model import FEATURE_ID, FID, GEOMETRY
from ..findings import require_recorded
from ..hub import Batch
from ..typed_columns import to_sqlite
from .copy_rows import copy_rows
from .ledger_gaps import unwatched
from .schema import table_of

if TYPE_CHECKING:
    from .hub import PostgisHub


def write_batch(hub: PostgisHub, cursor: Any, dataset: Dataset, batch: Batch, progress: Progress) -> int:
    """Write a batch inside the caller's transaction; return the import's number."""
    require_recorded(unwatched(cursor, [dataset]))
    cursor.execute(
        "INSERT INTO quyhoach.import (dataset_id, source, field_mapping, total, "
        "added, updated, unchanged, rejected, notes) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s) RETURNING import_id",
        (dataset.id, batch.source, json.dumps(dict(batch.field_mapping), ensure_ascii=False), batch.total,
         len(batch.added), len(batch.updated),
         batch.unchanged, len(batch.rejections), "\n".join(batch.notes)))
    import_id = int(cursor.fetchone()[0])
    for rejection in batch.rejections:
        cursor.execute(
            "INSERT INTO quyhoach.rejection (import_id, source_fid, reasons, attributes, geometry_wkb, crs) "
            "VALUES (%s, %s, %s, %s, %s, %s)",
            (import_id, str(rejection.source_fid), "\n".join(rejection.reasons),
             json.dumps(dict(rejection.attributes), ensure_ascii=False, default=str), rejection.geometry_wkb,
             rejection.crs))
    if len(batch.added) or len(batch.updated):
        message = say("Nhập dữ liệu: {source}", "Import: {source}").format(source=batch.source)
        cursor.execute("SELECT quyhoach.describe(%s)", (message,))
    cursor.execute("SET LOCAL quyhoach.importing = 'yes'")
    _add(cursor, dataset, batch.added, part(progress, 0.0, 0.8))
    _update(cursor, dataset, batch.updated, part(progress, 0.8, 1.0))
    return import_id


def _stage(cursor: Any, dataset: Dataset, rows: geopandas.GeoDataFrame, progress: Progress) -> tuple[list[str], Any]:
    """Copy a frame into a temporary table shaped like the dataset; return the columns, and the table."""
    from psycopg2 import sql

    staged = sql.Identifier("pg_temp", "incoming")
    names = [FID, FEATURE_ID, *dataset.field_names, *([GEOMETRY] if dataset.geometry else [])]
    cursor.execute("DROP TABLE IF EXISTS pg_temp.incoming")
    cursor.execute(sql.SQL("CREATE TEMP TABLE incoming ON COMMIT DROP AS SELECT {} FROM {} WHERE false").format(
        sql.SQL(", ").join(map(sql.Identifier, names)), table_of(dataset)))
    columns: list[list[object]] = [rows.index.tolist(), rows[FEATURE_ID].where(rows[FEATURE_ID].notna(), None).tolist()]
    columns += [to_sqlite(rows[field.name], field) for field in dataset.fields]
    if dataset.geometry:
        columns.append(shapely.to_wkb(np.asarray(rows.geometry.array, dtype=object), hex=True, byte_order=1,
                                      flavor="iso").tolist())
    copy_rows(cursor, staged, names, zip(*columns), len(rows), progress)
    return names, staged


def _add(cursor: Any, dataset: Dataset, rows: geopandas.GeoDataFrame, progress: Progress) -> None:
    from psycopg2 import sql

    if rows.empty:
        return
    names, staged = _stage(cursor, dataset, rows.reset_index(drop=True), part(progress, 0.0, 0.4))
    columns = [sql.Identifier(name) for name in names[2:]]
    cursor.execute(sql.SQL("INSERT INTO {} ({}, {}) SELECT coalesce({}, gen_random_uuid()), {} "
                           "FROM {} ORDER BY {}").format(
        table_of(dataset), sql.Identifier(FEATURE_ID), sql.SQL(", ").join(columns), sql.Identifier(FEATURE_ID),
        sql.SQL(", ").join(columns),
        staged, sql.Identifier(FID)))
    progress(1.0)


def _update(cursor: Any, dataset: Dataset, rows: geopandas.GeoDataFrame, progress: Progress) -> None:
    from psycopg2 import sql

    if rows.empty:
        return
    names, staged = _stage(cursor, dataset, rows, part(progress, 0.0, 0.4))
    assignments = [sql.SQL("{0} = i.{0}").format(sql.Identifier(name)) for name in names[2:]]
    cursor.execute(sql.SQL("UPDATE {} t SET {} FROM {} i WHERE t.{} = i.{}").format(
        table_of(dataset), sql.SQL(", ").join(assignments), staged, sql.Identifier(FID), sql.Identifier(FID)))
    progress(1.0)
