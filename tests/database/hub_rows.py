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
