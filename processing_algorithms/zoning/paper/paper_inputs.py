"""What a planning-information paper is made from, as plain data: the parcel, the answers, and what the map shows.

Everything a paper says is worked out from these inputs, so they are what is kept, and what is compared later to tell
whether something has changed. No attribute is taken but those named here; a land user's name is none of them.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import geopandas
import numpy as np
import pandas
import pyproj
import shapely
from numpy.typing import NDArray

from ...common.crs import meridian_label
from ...common.language import speaking
from ...common.norms.loader import load_table
from ...provincial_database.catalogue import load_catalogue
from ..plans.plan_answers import ParcelAnswer, PlanAnswers
from ..plans.plan_figures import FIGURES, Row, figure_text
from .corners import Corners
from .paper_snapshot import fixed

#: Decimals of coordinates, areas and shares as kept; fewer are printed, and rounded only then, so that totals close.
COORDINATE_DECIMALS, AREA_DECIMALS, SHARE_DECIMALS = 3, 4, 5
#: Fields of a parcel that may stand in a paper.
PARCEL_FIELDS = ("old_commune_code", "commune_code", "sheet_no", "parcel_no", "land_code", "legal_area_m2", "address")
_PLAN_FIELDS = ("name", "level", "level_label", "scale", "adjustment", "replaces_ref", "status", "status_label",
                "decision_number", "approval_date", "appraisal_date", "approving_agency", "plan_code", "reason",
                "in_force")
#: Denominators of the map annex.
SCALES = (200, 500, 1000, 2000, 5000, 10_000, 25_000)
#: A point as kept, and what parts it from the next.
_POINT = f"%.{COORDINATE_DECIMALS}f %.{COORDINATE_DECIMALS}f\n"
#: The parcel takes no more of the map than this, so that its surroundings are seen.
_SHARE_OF_MAP = 0.6


@dataclass(frozen=True)
class MapFrame:
    """The map annex of one parcel: denominator of the scale, and what is seen, metres in the parcel's system."""

    scale: int
    window: tuple[float, float, float, float]


@dataclass(frozen=True)
class Surroundings:
    """The layers a map annex shows, in the parcels' system; see `paper_inputs`."""

    parcels: geopandas.GeoDataFrame
    zones: geopandas.GeoDataFrame
    overlays: geopandas.GeoDataFrame | None


def map_frame(bounds: Sequence[float], width_mm: float, height_mm: float, scale: int | None = None) -> MapFrame:
    """Choose the scale at which a parcel is well seen, and the window around it.

    Parameters
    ----------
    bounds : x min, y min, x max, y max
        Metres.
    width_mm, height_mm : float
        Of the map on paper.
    scale : int, optional
        Given by the office; by default the largest of `SCALES` at which the parcel fills no more than three fifths.

    Examples
    --------
    >>> map_frame((0, 0, 30, 20), 200, 160)
    MapFrame(scale=500, window=(-35.0, -30.0, 65.0, 50.0))
    """
    x_min, y_min, x_max, y_max = bounds
    needed = 1000 * max((x_max - x_min) / width_mm, (y_max - y_min) / height_mm) / _SHARE_OF_MAP
    chosen = scale or next((known for known in SCALES if known >= needed), int(np.ceil(needed / 5000) * 5000))
    half = chosen * width_mm / 2000, chosen * height_mm / 2000
    middle = (x_min + x_max) / 2, (y_min + y_max) / 2
    return MapFrame(chosen, (middle[0] - half[0], middle[1] - half[1], middle[0] + half[0], middle[1] + half[1]))


def paper_inputs(
    parcel: Mapping[str, Any], shape: shapely.Geometry, crs: pyproj.CRS, answers: PlanAnswers, answer: ParcelAnswer, *,
    corners: Corners | None = None, communes: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Return the inputs of one paper, ready for `paper_snapshot.canonical`; texts are Vietnamese.

    Parameters
    ----------
    parcel : mapping
        Of `PARCEL_FIELDS`, what is known; all else is ignored.
    shape, crs
        The parcel as it was asked about, in the plans' system.
    answers, answer
        What the plans say; ``answer`` is ``answers.of(...)`` of this parcel.
    corners : Corners, optional
        For a request by coordinates, as they were pasted.
    communes : mapping, optional
        Name by commune code, old and present ones.
    """
    with speaking("vi"):
        return {
            "date": answers.date.isoformat(),
            "parcel": _parcel(parcel, shape, crs, answer, corners, communes or {}),
            "plans": _plans(answers, answer),
            "pieces": [_piece(row) for row in answer.rows("pieces")],
            "figures": [_figure(figure) for figure in answer.figures()],
            "restrictions": [_restriction(row) for row in answer.rows("restrictions")],
            "overrides": [_override(row) for row in answer.rows("overrides")],
            "contradictions": sorted(str(row["sentence"]) for row in answer.rows("contradictions")),
            "norms": _norms(answers, answer),
        }


def map_inputs(frame: MapFrame, around: Surroundings, answering: Sequence[str]) -> dict[str, Any]:
    """Return what the map annex shows within its window, as plain data; zones are those of the ``answering`` plans."""
    def within(
        layer: geopandas.GeoDataFrame | None, fields: Sequence[str], plans: Sequence[str] = ()
    ) -> list[dict[str, Any]]:
        if layer is None or not len(layer):
            return []
        # By position in arrays: a frame made anew for every parcel would take most of the time, and lose its index.
        at = np.sort(layer.sindex.query(shapely.box(*frame.window), predicate="intersects"))
        if plans:
            at = at[np.isin(layer["plan_ref"].to_numpy(dtype=object)[at].astype(str), plans)]
        shapes = shapely.clip_by_rect(np.asarray(layer.geometry.array, dtype=object)[at], *frame.window)
        columns = [layer[name].array[at] if name in layer.columns else [None] * len(at) for name in fields]
        seen = shapely.area(shapes) > 0
        return [{**{name: _text(value) for name, value in zip(fields, values)}, "shape": text}
                for text, there, *values in zip(shape_texts(shapes), seen, *columns) if there]

    return {"scale": frame.scale, "window": [fixed(value, COORDINATE_DECIMALS) for value in frame.window],
            "zones": within(around.zones, ("plan_ref", "zone_code", "function_code"), list(answering)),
            "parcels": within(around.parcels, ("sheet_no", "parcel_no")),
            "overlays": within(around.overlays, ("name", "constraint_type", "effect", "max_height_m"))}


def shape_texts(shapes: NDArray[np.object_]) -> list[list[list[list[str]]]]:
    """Return of each shape its polygons, each a list of its rings, each a list of ``"x y"``."""
    # All points are written by one format: a batch writes millions of them.
    parts, owner = shapely.get_parts(shapes, return_index=True)
    areal = (shapely.get_type_id(parts) == shapely.GeometryType.POLYGON) & ~shapely.is_empty(parts)
    parts, owner = parts[areal], owner[areal]
    rings, part = shapely.get_rings(parts, return_index=True)
    points = shapely.get_coordinates(rings)
    written = (_POINT * len(points) % tuple(points.ravel().tolist())).split("\n")
    ends = np.cumsum(shapely.get_num_coordinates(rings)).tolist()
    result: list[list[list[list[str]]]] = [[] for _ in range(len(shapes))]
    polygons: list[list[list[str]]] = [[] for _ in range(len(parts))]
    for at, polygon in zip(owner.tolist(), polygons):
        result[at].append(polygon)
    for at, start, end in zip(part.tolist(), [0, *ends], ends):
        polygons[at].append(written[start:end])
    return result


def shape_text(shape: shapely.Geometry) -> list[list[list[str]]]:
    """Return the polygons of one shape, as `shape_texts`."""
    return shape_texts(np.array([shape], dtype=object))[0]


def read_shapes(texts: Sequence[Sequence[Sequence[Sequence[str]]]]) -> NDArray[np.object_]:
    """Return the shapes that `shape_texts` wrote, as multipolygons."""
    result = np.full(len(texts), shapely.MultiPolygon(), dtype=object)
    polygons = [polygon for shape in texts for polygon in shape]
    if not polygons:
        return result
    rings = [ring for polygon in polygons for ring in polygon]
    points = np.array(" ".join([point for ring in rings for point in ring]).split(), dtype=float).reshape(-1, 2)
    ringed = shapely.linearrings(points, indices=_counted(rings))
    whole = shapely.polygons(ringed, indices=_counted(polygons))
    return shapely.multipolygons(whole, indices=_counted(texts), out=result)


def read_shape(parts: Sequence[Sequence[Sequence[str]]]) -> shapely.MultiPolygon:
    """Return the shape that `shape_text` wrote."""
    return read_shapes([parts])[0]


def _counted(groups: Sequence[Sequence[Any]]) -> NDArray[np.intp]:
    """Return 0 as often as the first group has members, then 1, and so on."""
    return np.repeat(np.arange(len(groups)), [len(group) for group in groups])


def _parcel(parcel: Mapping[str, Any], shape: shapely.Geometry, crs: pyproj.CRS, answer: ParcelAnswer,
            corners: Corners | None, communes: Mapping[str, str]) -> dict[str, Any]:
    known = {name: _text(parcel.get(name)) for name in PARCEL_FIELDS if name != "legal_area_m2"}
    legal = _number(parcel.get("legal_area_m2"))
    # Registers write 0 where the papers' area is not known.
    known["legal_area_m2"] = fixed(legal if legal and legal > 0 else None, AREA_DECIMALS)
    known |= {"commune": communes.get(known["commune_code"] or ""),
              "old_commune": communes.get(known["old_commune_code"] or ""),
              "map_area_m2": fixed(float(answer.answers.parcels.at[answer.parcel_fid, "area_m2"]), AREA_DECIMALS), "crs": crs_text(crs),
              "meridian": meridian_label(crs), "shape": shape_text(shape),
              "asked_by": "corners" if corners else "parcel"}
    known["land_type"] = _labels("parcel", "land_code").get(known["land_code"] or "")
    rings = _outlines(shape)
    names = [str(at) for at in range(1, sum(map(len, rings)) + 1)]
    if corners is not None:
        names = list(corners.names)
        rings = [shapely.get_coordinates(corners.polygon(crs).exterior)[:-1]]
        known |= {"stated_crs": crs_text(corners.crs), "stated_meridian": meridian_label(corners.crs),
                  "stated_corners": _corner_list(names, [np.column_stack([corners.east, corners.north])])}
    known["corners"] = _corner_list(names, rings)
    return known


def _corner_list(names: Sequence[str], rings: Sequence[NDArray[np.float64]]) -> list[dict[str, Any]]:
    """Return the corners of all rings; the side after a ring's last corner leads back to its first.

    Where there are several, each corner names its ring, and whether that goes around a hole.
    """
    points = np.concatenate(rings)
    sides = np.concatenate([np.hypot(*(np.roll(ring, -1, axis=0) - ring).T) for ring in rings])
    listed = [{"name": name, "north": fixed(y, COORDINATE_DECIMALS), "east": fixed(x, COORDINATE_DECIMALS),
               "side_m": fixed(side, 2)} for name, (x, y), side in zip(names, points, sides)]
    if len(rings) == 1:
        return listed
    of_ring = [{"ring": number, "hole": shapely.LinearRing(ring).is_ccw} for number, ring in enumerate(rings, 1) for _ in ring]
    return [{**corner, **its} for corner, its in zip(listed, of_ring)]


def crs_text(crs: pyproj.CRS) -> str:
    """Return the authority's code of a system, or its WKT."""
    authority = crs.to_authority(min_confidence=100)
    return ":".join(authority) if authority else crs.to_wkt()


def _outlines(shape: shapely.Geometry) -> list[NDArray[np.float64]]:
    """Corners of each ring from the northernmost (of several the westernmost), as extracts list them.

    Outer rings run clockwise, those of holes, which follow the ring they lie in, the other way.
    """
    rings = []
    for part in shapely.get_parts(shape):
        for number, ring in enumerate((part.exterior, *part.interiors)):
            coordinates = shapely.get_coordinates(ring)[:-1]
            if ring.is_ccw == (number == 0):
                coordinates = coordinates[::-1]
            start = np.lexsort((coordinates[:, 0], -coordinates[:, 1]))[0]
            rings.append(np.roll(coordinates, -start, axis=0))
    return rings


def _plans(answers: PlanAnswers, answer: ParcelAnswer) -> dict[str, Any]:
    table = answers.states.table
    stated = dict.fromkeys(row["plan_ref"] for name in ("pieces", "restrictions") for row in answer.rows(name))
    refs = [ref for ref in stated if ref in table.index]
    return {str(ref): {name: _text(table.at[ref, name]) if name != "in_force" else bool(table.at[ref, name])
                       for name in _PLAN_FIELDS if name in table.columns} for ref in refs}


def _piece(row: Row) -> dict[str, Any]:
    texts = ("role", "reason", "plan_ref", "level", "zone_code", "zone_name", "function_code", "density_kind",
             "tolerance_note")
    return {**{name: _text(row[name]) for name in texts},
            **{name: fixed(_number(row[name]), decimals) for name, (decimals, _) in FIGURES.items()},
            "piece": int(row["piece"]), "is_answer": bool(row["is_answer"]),
            "function": _labels("zone", "function_code").get(_text(row["function_code"]) or ""),
            "area_m2": fixed(row["area_m2"], AREA_DECIMALS), "share_pct": fixed(row["share_pct"], SHARE_DECIMALS),
            "within_tolerance": bool(row["within_tolerance"]), "tolerance_m": fixed(row["tolerance_m"], 2),
            "shape": shape_text(row["geometry"])}


def _figure(figure: Any) -> dict[str, Any]:
    return {"piece": figure.piece, "plan_ref": _text(figure.plan_ref), "zone_code": _text(figure.zone_code),
            "name": figure.name, "label": figure.label, "value": figure.value_text, "source": figure.source,
            "plan_value": figure_text(figure.name, figure.plan_value) if figure.plan_value is not None else None,
            "area_m2": fixed(figure.area_m2, AREA_DECIMALS), "whole": figure.whole, "reason": figure.reason}


def _restriction(row: Row) -> dict[str, Any]:
    texts = ("name", "constraint_type", "type_label", "effect", "effect_label", "legal_basis", "decision_number",
             "plan_ref", "reason")
    return {**{name: _text(row[name]) for name in texts}, "max_height_m": fixed(_number(row["max_height_m"]), 1),
            "area_m2": fixed(row["area_m2"], AREA_DECIMALS), "share_pct": fixed(row["share_pct"], SHARE_DECIMALS),
            "within_tolerance": bool(row["within_tolerance"]), "tolerance_m": fixed(row["tolerance_m"], 2),
            "applies": bool(row["applies"]), "shape": shape_text(row["geometry"])}


def _override(row: Row) -> dict[str, Any]:
    texts = ("plan_ref", "decision_number", "decision_date", "legal_basis", "function_code", "density_kind", "reason")
    return {**{name: _text(row[name]) for name in texts if name in row}, "applies": bool(row["applies"]),
            **{name: fixed(_number(row[name]), decimals) for name, (decimals, _) in FIGURES.items() if name in row}}


def _norms(answers: PlanAnswers, answer: ParcelAnswer) -> list[dict[str, Any]]:
    """Return the rows of norms the answers stand on: the tolerance, and the names of the functions."""
    used = {str(row["function_code"]) for row in answer.rows("pieces") if _text(row["function_code"])}
    rows = [("map_matching_tolerance", row) for row in load_table("map_matching_tolerance", on=None).rows
            if row["purpose"] == "parcel_zoning"]
    rows += [("planning_land_functions", row) for row in load_table("planning_land_functions", on=None).rows
             if row["key"] in used]
    found = [{"norm_table": name, **{key: _text(value) for key, value in row.items()}} for name, row in rows]
    return [{"norm_table": "tolerance", "mm": fixed(answers.tolerance_mm, 2), "source": answers.tolerance_source},
            *found]


def _text(value: Any) -> str | None:
    """Return a text for whatever a frame holds; blank and missing are None."""
    if value is None or value is pandas.NA or value is pandas.NaT or isinstance(value, float) and value != value:
        return None
    if isinstance(value, (datetime.datetime, datetime.date)):
        return value.isoformat()[:10]
    if isinstance(value, (float, np.floating)) and float(value).is_integer():
        value = int(value)
    elif isinstance(value, (float, np.floating)):
        return f"{float(value):.3f}".rstrip("0")
    text = str(value).strip()
    return text or None


@lru_cache(maxsize=2)
def _labels(dataset: str, field: str) -> Mapping[str, str]:
    """Return the Vietnamese words of a field's codes."""
    return {value.code: value.label.vi for value in load_catalogue()[dataset].field(field).domain.values}


def _number(value: Any) -> float | None:
    if not isinstance(value, float):
        value = pandas.to_numeric(value, errors="coerce")
    return None if value is None or value is pandas.NA or value != value else float(value)
