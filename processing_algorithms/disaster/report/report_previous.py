"""The totals of an earlier report, from its GeoPackage."""

from __future__ import annotations

from pathlib import Path

import pandas

from ...common.curves import curves_kept
from ...common.errors import InputError
from ...common.language import say

TABLE = "tong_hop"


def previous_totals(path: str | Path) -> pandas.DataFrame:
    """Read the table ``tong_hop`` of a report.

    Raises
    ------
    InputError
        No such file, or no report.
    """
    import pyogrio
    from pyogrio.errors import DataLayerError, DataSourceError

    try:
        with curves_kept():
            table = pyogrio.read_dataframe(path, layer=TABLE, read_geometry=False)
    except (DataSourceError, DataLayerError) as error:
        raise InputError(say("{path} không phải là bao_cao.gpkg của một báo cáo ngập lụt.", "{path} is no bao_cao.gpkg of a flood report.").format(path=path)) from error
    if not {"level", "buildings", "residents"} <= set(table.columns) or not (table["level"] == "all").any():
        raise InputError(say("{path} không phải là bao_cao.gpkg của một báo cáo ngập lụt.", "{path} is no bao_cao.gpkg of a flood report.").format(path=path))
    return table
