"""What a registered paper would be made from if it were made today."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import geopandas
import pandas
import pyproj

from ...common.crs import to_crs
from ...common.language import speaking
from ..plans.plan_answers import plan_answers
from ..plans.plan_sources import PlanSources, parcel_now
from .paper_inputs import PARCEL_FIELDS, paper_inputs, read_shape

if TYPE_CHECKING:
    from ...provincial_database.hub import Hub


def inputs_now(
    then: Mapping[str, Any], source: Hub | geopandas.GeoDataFrame | None,
    sources: Callable[[tuple[float, float, float, float]], PlanSources], date: datetime.date,
    hub_crs: pyproj.CRS | None = None,
) -> dict[str, Any] | None:
    """Return the inputs of a paper as the data are now; None when the parcel's number is gone.

    Parameters
    ----------
    then : mapping
        Inputs from the snapshot. Land asked about by coordinates, or without number, keeps its shape.
    source : Hub, GeoDataFrame or None
        Where parcels are looked up; None keeps the parcel as it was.
    sources : callable
        Gives the plans around bounds, which are in the system of the hub, or of the snapshot without one.
    """
    crs = pyproj.CRS.from_user_input(then["parcel"]["crs"])
    known = {name: then["parcel"].get(name) for name in PARCEL_FIELDS}
    parcel = geopandas.GeoDataFrame({name: [value] for name, value in known.items()},
                                    geometry=[read_shape(then["parcel"]["shape"])], crs=crs, index=pandas.Index([1]))
    if source is not None and then["parcel"]["asked_by"] == "parcel" and then["parcel"]["parcel_no"]:
        found = parcel_now(then["parcel"], source)
        if not len(found):
            return None
        parcel = to_crs(found.iloc[:1], crs)
    around = parcel if hub_crs is None else to_crs(parcel, hub_crs)
    data = sources(tuple(around.total_bounds))
    with speaking("vi"):
        answers = plan_answers(parcel, data.plans, data.zones, date=date, overlays=data.overlays,
                               overrides=data.overrides)
    fid = parcel.index[0]
    row = {name: parcel[name].iloc[0] for name in PARCEL_FIELDS if name in parcel.columns}
    return paper_inputs(row, parcel.geometry.iloc[0], crs, answers, answers.of(fid), communes=data.communes)
