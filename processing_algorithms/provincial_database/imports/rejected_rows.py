"""Rows an import did not take: kept as they came, and shown as points to find them by."""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterable, Sequence

import geopandas
import numpy as np
import pandas
import pyproj
import shapely

from ...common.crs import transform_points
from ..hub import Rejection


def rejection(frame: geopandas.GeoDataFrame, position: int, reasons: Sequence[str]) -> Rejection:
    """Keep one row of a layer whole: all its attributes, its shape as bytes, its system."""
    row = frame.iloc[position]
    attributes = {str(name): _plain(row[name]) for name in frame.columns if name != frame.geometry.name}
    shape = frame.geometry.iloc[position]
    # Not only valid shapes come here, so the bytes are kept rather than a text that could lose digits.
    return Rejection(
        source_fid=frame.index[position], reasons=tuple(reasons), attributes=attributes,
        geometry_wkb=None if shape is None else shapely.to_wkb(shape, include_srid=False, flavor="iso"),
        crs=None if frame.crs is None else frame.crs.to_string())


def _plain(value: object) -> object:
    if value is None or value is pandas.NA or value is pandas.NaT:
        return None
    if isinstance(value, float) and not np.isfinite(value):
        return None if value != value else str(value)  # JSON has no infinity
    if isinstance(value, np.generic):
        return _plain(value.item())
    if isinstance(value, (datetime.date, datetime.datetime)):
        return value.isoformat()
    return value


def rejection_points(rejections: Iterable[Rejection], crs: pyproj.CRS) -> geopandas.GeoDataFrame:
    """Return the rejected rows as points to find them by: the middle of each envelope in the hub's system.

    Columns source_fid, reasons, attributes (JSON). Rows without a usable place have no point.
    """
    kept = list(rejections)
    points = np.full(len(kept), None, dtype=object)
    for position, row in enumerate(kept):
        shape = None if row.geometry_wkb is None or row.crs is None else shapely.from_wkb(row.geometry_wkb)
        if shape is None or shape.is_empty or not np.isfinite(shape.bounds).all():
            continue
        x_min, y_min, x_max, y_max = shape.bounds
        x, y = transform_points([(x_min + x_max) / 2], [(y_min + y_max) / 2], row.crs, crs)
        if np.isfinite([x[0], y[0]]).all():
            points[position] = shapely.Point(x[0], y[0])
    return geopandas.GeoDataFrame(
        {"source_fid": [str(r.source_fid) for r in kept],
         "reasons": ["; ".join(r.reasons) for r in kept],
         "attributes": [json.dumps(dict(r.attributes), ensure_ascii=False, default=str) for r in kept]},
        geometry=geopandas.GeoSeries(points, crs=crs), crs=crs)
