"""Where the data of a planning-information paper come from: the shared database, or layers in hand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import geopandas
import pandas

from ...common.errors import InputError
from ...common.language import say
from ...provincial_database.catalogue import Dataset, load_catalogue
from ...provincial_database.hub import Hub
from ...provincial_database.row_filter import RowFilter, parse_filter
from ..paper.paper_inputs import PARCEL_FIELDS

#: Metres around a parcel within which plans and neighbours are read: more than a map annex shows at 1/5.000.
NEIGHBOURHOOD_M = 800.0
#: What names a parcel for people.
PARCEL_KEY = ("old_commune_code", "sheet_no", "parcel_no")


@dataclass(frozen=True)
class PlanSources:
    """Datasets `plan`, `zone`, `constraint_overlay`, `parcel_override`, neighbouring parcels, and communes by code."""

    plans: geopandas.GeoDataFrame
    zones: geopandas.GeoDataFrame
    overlays: geopandas.GeoDataFrame | None
    overrides: geopandas.GeoDataFrame | None
    parcels: geopandas.GeoDataFrame | None
    communes: Mapping[str, str]


def hub_sources(hub: Hub, bounds: tuple[float, float, float, float]) -> PlanSources:
    """Read what a hub holds around some parcels; ``bounds`` in the hub's system.

    Raises
    ------
    InputError
        The hub has no plans or zones.
    """
    x_min, y_min, x_max, y_max = bounds
    extent = (x_min - NEIGHBOURHOOD_M, y_min - NEIGHBOURHOOD_M, x_max + NEIGHBOURHOOD_M, y_max + NEIGHBOURHOOD_M)
    held = {dataset.id: dataset for dataset in hub.datasets.values()}
    known = load_catalogue()

    def dataset(name: str) -> Dataset | None:
        return held.get(known[name].id) if name in known else None

    plan, zone = dataset("plan"), dataset("zone")
    if plan is None or zone is None or not hub.count(zone):
        raise InputError(say("Cơ sở dữ liệu {name} không có đồ án và ô quy hoạch; hãy chọn cơ sở dữ liệu khác hoặc "
                             "cho lớp PLANS "
                             "và ZONES.", "The database {name} holds no plans and zones; choose another or give PLANS "
                                          "and "
                             "ZONES.").format(name=hub.info.name))
    overlay, override, parcel, unit = map(dataset, ("constraint_overlay", "parcel_override", "parcel",
                                                    "administrative_unit"))
    communes: dict[str, str] = {}
    if unit is not None:
        units = hub.read(unit, columns=["unit_code", "name"])
        communes = dict(zip(units["unit_code"].astype(str), units["name"].astype(str)))
    return PlanSources(
        plans=hub.read(plan), zones=hub.read(zone, extent=extent),
        overlays=hub.read(overlay, extent=extent) if overlay is not None else None,
        overrides=hub.read(override, extent=extent if override.geometry else None) if override is not None else None,
        parcels=hub.read(parcel, columns=_parcel_columns(parcel), extent=extent) if parcel is not None else None,
        communes=communes)


def hub_parcels(hub: Hub, condition: str) -> geopandas.GeoDataFrame:
    """Return the parcels of a hub that a condition names.

    Raises
    ------
    InputError
        The condition is not understood, or no parcel fulfils it.
    """
    dataset = _parcel_dataset(hub)
    found = hub.read(dataset, columns=_parcel_columns(dataset), where=parse_filter(condition, dataset))
    if not len(found):
        raise InputError(say("Không có thửa đất nào trong cơ sở dữ liệu thỏa điều kiện: {where}.",
                             "No parcel of the database fulfils the condition: {where}.").format(where=condition))
    return found


def parcel_now(parcel: Mapping[str, Any], source: Hub | geopandas.GeoDataFrame) -> geopandas.GeoDataFrame:
    """Return the parcels that now have the number of one in a snapshot; none when it has no number."""
    key = {name: parcel.get(name) for name in PARCEL_KEY if parcel.get(name)}
    if not {"sheet_no", "parcel_no"} <= set(key):
        return geopandas.GeoDataFrame({"parcel_no": []}, geometry=[], crs=parcel["crs"])
    if isinstance(source, geopandas.GeoDataFrame):
        wanted = pandas.Series(True, index=source.index)
        for name, value in key.items():
            if name in source.columns:
                wanted &= source[name].map(lambda held: ""
                                           if pandas.isna(held) else str(held).removesuffix(".0")) == value
        return source[wanted]
    dataset = _parcel_dataset(source)
    number = key["parcel_no"]
    values = tuple(int(value) if name == "parcel_no" and number.isdigit() else value for name, value in key.items())
    where = RowFilter(" AND ".join(f'"{name}" = ?' for name in key), values)
    return source.read(dataset, columns=_parcel_columns(dataset), where=where)


def _parcel_dataset(hub: Hub) -> Dataset:
    return hub.dataset(load_catalogue()["parcel"].id)


def _parcel_columns(dataset: Dataset) -> list[str]:
    """Only what may stand in a paper: nothing else of a parcel is even read."""
    return [name for name in dataset.field_names if name in PARCEL_FIELDS]
