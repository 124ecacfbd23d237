"""Rows of a dataset, chosen and cut down to what may leave the office."""

from __future__ import annotations

from dataclasses import replace

import geopandas
import pyproj

from ..common.crs import to_crs
from ..common.errors import InputError
from ..common.language import say
from ..common.progress import Progress, silent
from .catalogue import Dataset
from .catalogue.model import SECRECY
from .hub import Hub
from .row_filter import RowFilter, any_of, parse_filter

#: What everybody in the offices may have. Restricted fields are personal data: asked for or not given.
USUAL_SECRECY = "internal"


def export_dataset(
    hub: Hub,
    dataset_name: str,
    *,
    condition: str = "",
    units: str = "",
    extent: tuple[float, float, float, float] | None = None,
    secrecy: str = USUAL_SECRECY,
    crs: pyproj.CRS | None = None,
    progress: Progress = silent,
) -> geopandas.GeoDataFrame:
    """Return the rows to export.

    Parameters
    ----------
    hub : Hub
    dataset_name : str
        Name, id or label.
    condition : str
        See `row_filter.parse_filter`.
    units : str
        Commune codes separated by commas; the dataset must say which commune a row belongs to.
    extent : tuple, optional
        x min, y min, x max, y max in the hub's system; rows whose envelope touches it.
    secrecy : str
        Highest secrecy of the fields to include.
    crs : pyproj.CRS, optional
        The hub's by default.
    progress : Progress

    Returns
    -------
    GeoDataFrame
        Index ``fid`` of the hub; ``feature_id`` and the fields.

    Raises
    ------
    InputError
        The condition is not understood, or the dataset has no communes.
    """
    dataset = hub.dataset(dataset_name)
    columns = list(cut_to(dataset, secrecy).field_names)
    where = parse_filter(condition, dataset)
    in_units = _in_units(dataset, units)
    if in_units is not None:
        where = in_units.both(where)
    frame = hub.read(dataset, columns=columns, where=where, extent=extent, progress=progress)
    return frame if crs is None or not dataset.geometry else to_crs(frame, crs)


def cut_to(dataset: Dataset, secrecy: str) -> Dataset:
    """Return a dataset without the fields that are more secret than a level.

    Raises
    ------
    InputError
        The whole dataset is.
    """
    allowed = SECRECY[: SECRECY.index(secrecy) + 1]
    if dataset.secrecy not in allowed:
        raise InputError(say("{dataset} ở mức {level}, không xuất ở mức đã chọn.",
                             "{dataset} is {level} and is not exported at the level chosen.")
                         .format(dataset=dataset.label, level=dataset.secrecy))
    return replace(dataset, fields=tuple(field for field in dataset.fields if field.secrecy in allowed))


def _in_units(dataset: Dataset, units: str) -> RowFilter | None:
    codes = [code.strip() for code in units.replace(";", ",").split(",") if code.strip()]
    if not codes:
        return None
    if dataset.commune_field is None:
        raise InputError(say("{dataset} không ghi mã xã, phường nên không lọc theo UNITS được; hãy dùng EXTENT hoặc "
                             "FILTER.",
                             "{dataset} does not say which commune a row belongs to, so UNITS cannot choose; use "
                             "EXTENT or FILTER.")
                         .format(dataset=dataset.label))
    return any_of(dataset.commune_field, codes)
