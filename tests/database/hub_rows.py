"""Rows to put into a hub, and how tests look at what came of them."""

import geopandas
import numpy as np
import shapely
from quyhoach.processing_algorithms.provincial_database.changes import Scope

CRS = "EPSG:9214"


def parcels(count=3, **columns):
    """Squares of 10 m side in a row; sheet 1, numbers from 1."""
    x = 500000 + 20.0 * np.arange(count)
    data = {"old_commune_code": ["20044"] * count, "sheet_no": ["1"] * count, "parcel_no": list(range(1, count + 1)),
            "land_code": ["ONT"] * count}
    return geopandas.GeoDataFrame({**data, **columns}, geometry=shapely.box(x, 1800000, x + 10, 1800010), crs=CRS)


def sql(hub, statement, *values):
    """Run a statement in the hub's own connection; return its rows."""
    return hub._database.execute(statement, values).fetchall()


def counts(report):
    """Rows added, updated, unchanged and rejected by an import."""
    return report.added, report.updated, report.unchanged, len(report.rejections)


def rows_of(hub, dataset="facility"):
    """All rows of a dataset by feature id, of a hub of any kind."""
    with hub.deliver([Scope(dataset)], None) as delivery:
        return {feature_id: row for _, feature_id, row in delivery.rows}


def replayed(hub, dataset):
    """Go through the ledger of a stored hub entry by entry, from nothing.

    Returns where it leads to and what the table holds, by feature id, both as they are stored: nothing of the product's way of
    reading them takes part. Fails where an entry does not begin where the one before it on the same feature has ended.
    """
    if hasattr(hub, "connection"):
        with hub.connection.cursor() as cursor:
            cursor.execute("SELECT feature_id::text, old_row, new_row FROM quyhoach.ledger WHERE dataset_id = %s ORDER BY ledger_no",
                           (dataset.id,))
            entries = cursor.fetchall()
            cursor.execute(f"SELECT feature_id::text, jsonb_strip_nulls(to_jsonb(t) - 'fid' - 'feature_id' "
                           f"|| jsonb_build_object('geom', geom::text)) FROM quyhoach_data.\"{dataset.name}\" t")
            table = dict(cursor.fetchall())
    else:
        columns = ", ".join(f'"{name}"' for name in (*dataset.field_names, "geom"))
        sides = {(number, side): tuple(row) for number, side, *row in sql(
            hub, f'SELECT ledger_no, side, {columns} FROM "quyhoach_ledger_{dataset.name}"')}
        entries = [(id, sides.get((number, 0)), sides.get((number, 1))) for number, id in sql(
            hub, "SELECT ledger_no, feature_id FROM quyhoach_ledger WHERE dataset_id = ? ORDER BY ledger_no", dataset.id)]
        table = {id: tuple(row) for id, *row in sql(hub, f'SELECT feature_id, {columns} FROM "{dataset.name}"')}
    led_to = {}
    for feature_id, old, new in entries:
        assert led_to.get(feature_id) == old, f"the ledger of {feature_id} is broken"
        led_to[feature_id] = new
    return {id: row for id, row in led_to.items() if row is not None}, table
