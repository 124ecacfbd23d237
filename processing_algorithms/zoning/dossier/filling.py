"""Turns datasets of the catalogue into the classes of a dossier, by what the catalogue says of TT 16/2025."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import geopandas
import numpy as np
import pandas
import pyproj
import shapely
from numpy.typing import NDArray

from ...common.crs import to_crs
from ...common.errors import InputError
from ...common.language import say
from ...provincial_database.catalogue.loader import load_catalogue
from ...provincial_database.catalogue.model import Dataset, Field
from .schema import BOUNDARY, DOSSIER_CODE, FUNCTIONS, OBJECT_CODE, PLAN_CODE, DossierClass, DossierSchema

#: Classes that hold the same rows as the one the catalogue names.
_ALSO = {"plan": (("HienTrang", BOUNDARY),), "zone": (("QuyHoach", FUNCTIONS),)}


@dataclass
class Filling:
    """Rows of the dossier by (database, class), and what should be told: sentences."""

    content: dict[tuple[str, str], geopandas.GeoDataFrame] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def fill_classes(
    frames: Mapping[str, geopandas.GeoDataFrame], schema: DossierSchema, crs: pyproj.CRS, *, plan_ref: str,
    plan_code: str, dossier_code: str,
) -> Filling:
    """Make the rows of a dossier.

    Parameters
    ----------
    frames : mapping of str to GeoDataFrame
        Rows by dataset name of the catalogue; any may be missing but ``plan``.
    schema : DossierSchema
    crs : pyproj.CRS
        Of the dossier.
    plan_ref : str
        The plan; blank when there is only one. Its zones, and of the other datasets what touches it, are taken.
    plan_code, dossier_code : str
        Typed in, never invented.

    Raises
    ------
    InputError
        There is no such plan, or the datasets hold several and none was named.
    """
    catalogue = load_catalogue()
    plan = _one_plan(frames.get("plan"), plan_ref)
    boundary = to_crs(plan, crs).geometry.iloc[0]
    result = Filling()
    for name, dataset in catalogue.items():
        frame = plan if name == "plan" else frames.get(name)
        if dataset.tt16_class is None or frame is None or not len(frame):
            continue
        frame = to_crs(frame, crs)
        if "plan_ref" in frame.columns and name != "plan" and dataset.field("plan_ref").required:
            frame = frame[frame["plan_ref"] == plan["plan_ref"].iloc[0]]
        elif name != "plan":
            frame = frame[shapely.intersects(np.asarray(frame.geometry.array, dtype=object), boundary)]
        database, _, class_name = dataset.tt16_class.split("/")
        for target in ((database, class_name), *_ALSO.get(name, ())):
            rows, notes = _rows(frame, dataset, schema.by_name[target], schema, plan_code, dossier_code)
            result.notes += notes
            if len(rows):
                result.content[target] = rows
    return result


def _one_plan(plans: geopandas.GeoDataFrame | None, plan_ref: str) -> geopandas.GeoDataFrame:
    if plans is None or not len(plans):
        raise InputError(say("Nguồn dữ liệu không có lớp đồ án quy hoạch (plan).", "The source has no plans (plan)."))
    known = ", ".join(map(str, plans["plan_ref"]))
    found = plans[plans["plan_ref"] == plan_ref.strip()] if plan_ref.strip() else plans
    if len(found) != 1:
        raise InputError(say("Chọn một đồ án bằng ký hiệu; các đồ án trong nguồn dữ liệu: {known}.",
                             "Choose one plan by its reference; the source has: {known}.").format(known=known))
    return found


def _rows(
    frame: geopandas.GeoDataFrame, dataset: Dataset, target: DossierClass, schema: DossierSchema, plan_code: str,
    dossier_code: str,
) -> tuple[geopandas.GeoDataFrame, list[str]]:
    """Return the rows of one class with its columns, and what had to be changed."""
    shapes = _of_kind(np.asarray(frame.geometry.array, dtype=object), target.geometry)
    kept = ~(shapely.is_missing(shapes) | shapely.is_empty(shapes))
    frame, shapes = frame[kept], shapes[kept]
    number = range(1, len(frame) + 1)
    columns: dict[str, object] = {
        PLAN_CODE: plan_code, DOSSIER_CODE: dossier_code,
        OBJECT_CODE: [f"{dossier_code}-{target.name}-{position}" for position in number]}
    notes = []
    wanted = {field.name: field for field in schema.fields_of(target.name)}
    sources = {item.tt16_field: item for item in dataset.fields if item.tt16_field in wanted}
    for name, source in sources.items():
        if name in columns or source.name not in frame.columns:
            continue
        values = _told(frame[source.name], source)
        length = wanted[name].length
        if wanted[name].type == "text" and length is not None:
            long = values.notna() & (values.astype(object).map(lambda text: len(str(text))) > length)
            if long.any():
                values = values.map(lambda text: text if text is None or pandas.isna(text) else str(text)[:length])
                notes.append(say("{name}: {n} giá trị của trường {field} dài quá {length} ký tự, đã cắt bớt.",
                                 "{name}: {n} values of {field} are longer than {length} signs and were cut.")
                             .format(name=target.name, n=int(long.sum()), field=name, length=length))
        columns[name] = values.to_numpy()
    data = pandas.DataFrame(columns, index=pandas.Index(number, name="fid"))
    return geopandas.GeoDataFrame(data, geometry=shapes, crs=frame.crs), notes


def _told(column: pandas.Series, source: Field) -> pandas.Series:
    """Give codes of the catalogue as people read them, in Vietnamese: other programs do not know our codes."""
    if source.domain is None:
        return column
    labels = {value.code: value.label.vi for value in source.domain.values}
    return column.map(lambda code: labels.get(code, code), na_action="ignore")


def _of_kind(shapes: NDArray[np.object_], kind: str) -> NDArray[np.object_]:
    """Bring shapes to the kind of the class: an area drawn as a line is its outline, as a point a point inside."""
    wanted = {"P": 0, "L": 1, "A": 2}[kind]
    shapes = shapely.force_2d(shapes)
    dimension = shapely.get_dimensions(shapes)
    result = shapes.copy()
    result[dimension < wanted] = None
    higher = dimension > wanted
    if wanted == 0:
        result[higher] = shapely.point_on_surface(shapes[higher])
    elif wanted == 1:
        result[higher] = shapely.boundary(shapes[higher])
    return result
