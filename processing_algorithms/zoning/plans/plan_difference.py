"""What changed between two versions of a plan: land by function, figures zone by zone, each with its area.

Every square metre of either version is accounted for once: it stays, changes, is added or is removed. So what each
function gained and lost adds up to its difference, and the differences of all functions add up to what the plan grew.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import geopandas
import numpy as np
import pandas
import shapely
from numpy.typing import NDArray

from ...common.areas import Surface, areas_m2, check_surface
from ...common.columns import numbers
from ...common.crs import require_crs, to_crs
from ...common.errors import InputError, noted, refuse_if
from ...common.geometry import GeometryReport, InvalidGeometry, clean
from ...common.language import say
from ...common.overlay import Pieces, intersect, intersect_within, polygonal, remainder
from ...common.progress import Progress, part, silent
from ...common.slivers import tolerance_on_ground, tolerance_on_paper, tolerance_source
from .function_names import has_codes, with_codes
from .parcel_zoning import sliver_pieces
from .plan_figures import FIGURES

#: Compared where both versions have them and nothing else is asked.
COMPARED = ("density_kind", *FIGURES, "legal_area_m2", "horizon_year")
#: Belong to a zone as a whole: compared only where both versions have a zone of that code.
OF_THE_WHOLE = ("legal_area_m2", "population")
#: What may have happened to a piece of land.
KINDS = ("same", "renamed", "figures", "function", "added", "removed")
PIECE_COLUMNS = ("kind", "before_fid", "after_fid", "before_code", "after_code", "before_function", "after_function",
                 "changed", "area_m2", "within_tolerance")
SUMMARY_COLUMNS = ("function", "before_m2", "lost_m2", "gained_m2", "after_m2", "difference_m2", "within_tolerance_m2")
FIGURE_COLUMNS = ("before_code", "after_code", "before_function", "after_function", "field", "before_value",
                  "after_value", "difference", "area_m2")


@dataclass(frozen=True)
class PlanDifference:
    """What changed. Areas in m2.

    Attributes
    ----------
    pieces : GeoDataFrame
        See `PIECE_COLUMNS`; ``kind`` is one of `KINDS`, ``changed`` the fields that differ, separated by commas.
        ``within_tolerance``: narrower than what two drawings of one boundary may differ by.
    summary : DataFrame
        See `SUMMARY_COLUMNS`, one row per function (empty text: zones without one); ``after = before - lost + gained``.
        ``within_tolerance_m2`` is the part of lost and gained that may be drawing only.
    moves : DataFrame
        before_function, after_function (None where the land is in one version only), area_m2, within_tolerance_m2,
        pieces; also those that stay.
    figures : DataFrame
        See `FIGURE_COLUMNS`: each figure that differs between two zones that share land beyond the tolerance.
    before_m2, after_m2, added_m2, removed_m2 : float
        ``after - before = added - removed``.
    doubled_before_m2, doubled_after_m2 : float
        Taken off because zones of one version overlap; the zone first in the layer keeps the land.
    """

    pieces: geopandas.GeoDataFrame
    summary: pandas.DataFrame
    moves: pandas.DataFrame
    figures: pandas.DataFrame
    before_m2: float
    after_m2: float
    added_m2: float
    removed_m2: float
    doubled_before_m2: float
    doubled_after_m2: float
    tolerance_m: float
    tolerance_source: str
    reports: tuple[GeometryReport, ...]


@dataclass(frozen=True)
class _Version:
    """Zones without overlaps, inside the boundary compared; ``zone`` is each shape's row."""

    frame: geopandas.GeoDataFrame
    zone: NDArray[np.intp]
    shapes: NDArray[np.object_]
    doubled_m2: float


def plan_difference(
    before: geopandas.GeoDataFrame,
    after: geopandas.GeoDataFrame,
    *,
    function_field: str = "function_code",
    code_field: str = "zone_code",
    fields: Sequence[str] | None = None,
    boundary: geopandas.GeoDataFrame | None = None,
    local: bool = False,
    scale: float = 2000.0,
    tolerance_mm: float | None = None,
    surface: Surface = Surface.PLANE,
    invalid: InvalidGeometry = InvalidGeometry.REPAIR,
    before_name: str = "",
    after_name: str = "",
    progress: Progress = silent,
) -> PlanDifference:
    """Compare two versions of a plan.

    Parameters
    ----------
    before, after : GeoDataFrame
        Zones; index = feature ids. The later version is brought to the system of the earlier one.
    function_field, code_field : str
        In both versions.
    fields : sequence of str, optional
        Attributes to compare; `COMPARED` by default, as far as both have them.
    boundary : GeoDataFrame, optional
        Only land inside these polygons is compared.
    local : bool
        The later version is a local amendment: only land inside its zones is compared.
    scale, tolerance_mm : float
        Of the drawings; narrower differences are marked.
    surface : Surface
    invalid : InvalidGeometry

    Raises
    ------
    InputError
        What makes the input unusable, all told together.

    Examples
    --------
    >>> before = geopandas.GeoDataFrame({"zone_code": ["A"], "function_code": ["NO"]},
    ...                                 geometry=[shapely.box(0, 0, 30, 10)], crs="EPSG:9214")
    >>> after = geopandas.GeoDataFrame({"zone_code": ["A", "B"], "function_code": ["NO", "CXCC"]},
    ...     geometry=[shapely.box(0, 0, 20, 10), shapely.box(20, 0, 40, 10)], crs="EPSG:9214")
    >>> plan_difference(before, after).summary.iloc[:, :5].values.tolist()
    [['CXCC', 0.0, 0.0, 200.0, 200.0], ['NO', 300.0, 100.0, 0.0, 200.0]]
    """
    names = (before_name or say("Phiên bản trước", "The earlier version"),
             after_name or say("Phiên bản sau", "The later version"))
    source = tolerance_source(tolerance_mm)
    tolerance_mm = tolerance_on_paper()[0] if tolerance_mm is None else tolerance_mm
    compared = [name for name in (COMPARED if fields is None else fields)
                if name not in (function_field, code_field) and (fields is not None
                                                                 or {name} <= set(before) & set(after))]
    refuse_if(_problems(before, after, [function_field, code_field, *compared], boundary, scale, tolerance_mm, surface,
                        names))
    reports = []
    versions = []
    # Where one version has codes, names in the other stand for them.
    coded = any(has_codes(frame[function_field]) for frame in (before, after))
    before, after = (with_codes(frame, function_field, names_too=coded) for frame in (before, after))
    edge = _edge(boundary, after if local else None, before.crs, invalid)
    for frame, name in zip((before, after), names):
        kept, report = clean(frame, "polygon", invalid, name)
        if not report.used:
            raise InputError(
                say("{name} không có vùng nào dùng được.", "{name} has no usable polygon.").format(name=name)
            )
        reports.append(report)
        versions.append(_version(_numbered(to_crs(kept, before.crs), compared), edge, surface))
    progress(0.2)
    tolerance_m = tolerance_on_ground(scale, tolerance_mm)
    table = _pieces(versions[0], versions[1], tolerance_m, surface, part(progress, 0.2, 0.9))
    table, figures = _compare(table, versions[0].frame, versions[1].frame, function_field, code_field, compared)
    moves = _moves(table)
    area = table.groupby("kind")["area_m2"].sum()
    added, removed = float(area.get("added", 0.0)), float(area.get("removed", 0.0))
    total = float(table["area_m2"].sum())
    progress(1.0)
    return PlanDifference(
        pieces=geopandas.GeoDataFrame(table[[*PIECE_COLUMNS, "geometry"]], geometry="geometry", crs=before.crs),
        summary=summary_of(moves), moves=moves, figures=figures, before_m2=total - added, after_m2=total - removed,
        added_m2=added, removed_m2=removed, doubled_before_m2=versions[0].doubled_m2,
        doubled_after_m2=versions[1].doubled_m2, tolerance_m=tolerance_m, tolerance_source=source,
        reports=tuple(reports))


def _problems(
    before: geopandas.GeoDataFrame, after: geopandas.GeoDataFrame, needed: list[str],
    boundary: geopandas.GeoDataFrame | None, scale: float, tolerance_mm: float, surface: Surface,
    names: tuple[str, str],
) -> list[str]:
    problems: list[str] = []
    for frame, name in zip((before, after), names):
        with noted(problems):
            require_crs(frame, name)
        missing = [field for field in needed if field not in frame.columns]
        if missing:
            problems.append(say("{name} thiếu trường {fields}.", "{name} lacks the fields {fields}.").format(
                name=name, fields=", ".join(missing)))
    with noted(problems):
        if before.crs is not None:
            check_surface(before.crs, surface, names[0])
    with noted(problems):
        if boundary is not None:
            require_crs(boundary, say("Lớp ranh giới", "The boundary layer"))
    if not scale > 0 or not np.isfinite(scale):
        problems.append(say("Mẫu số tỷ lệ phải lớn hơn 0 (ví dụ 2000 cho 1/2000).",
                            "The scale's denominator must be above 0 (2000 for 1/2000)."))
    if not 0 <= tolerance_mm < np.inf:
        problems.append(say("Sai số ghép bản đồ phải từ 0 mm trở lên.",
                            "The map-matching tolerance must be 0 mm or more."))
    return problems


def _numbered(frame: geopandas.GeoDataFrame, compared: list[str]) -> geopandas.GeoDataFrame:
    """Let figures kept as text in one version equal the numbers of the other."""
    read = {name: numbers(frame[name]) for name in compared if name in (*FIGURES, *OF_THE_WHOLE)}
    return frame.assign(**{name: values for name, (values, wrong) in read.items() if not wrong})


def _edge(
    boundary: geopandas.GeoDataFrame | None, inside: geopandas.GeoDataFrame | None, crs: Any, invalid: InvalidGeometry
) -> Any:
    """Return the ground that is compared; None where all is."""
    edge = None
    for frame in (boundary, inside):
        if frame is not None:
            kept, _ = clean(frame, "polygon", invalid, say("Lớp ranh giới", "The boundary layer"))
            shape = shapely.union_all(_flat(to_crs(kept, crs)))
            edge = shape if edge is None else shapely.intersection(edge, shape)
    if edge is None:
        return None
    kept_part = polygonal(np.array([edge], dtype=object))[0]
    if kept_part is None or shapely.is_empty(kept_part):
        raise InputError(say("Ranh giới so sánh không có vùng nào.", "The boundary to compare in has no polygon."))
    return kept_part


def _flat(frame: geopandas.GeoDataFrame) -> NDArray[np.object_]:
    return shapely.force_2d(np.asarray(frame.geometry.array, dtype=object))


def _version(frame: geopandas.GeoDataFrame, edge: Any, surface: Surface) -> _Version:
    shapes = _flat(frame).copy()
    whole = float(areas_m2(shapes, frame.crs, surface).sum())
    overlaps = intersect_within(shapes)
    for later in np.unique(overlaps.right):
        earlier = shapes[overlaps.left[overlaps.right == later]]
        with np.errstate(invalid="ignore"):
            rest = shapely.difference(shapes[later], shapely.union_all(earlier[shapely.is_geometry(earlier)]))
        shapes[later] = polygonal(np.array([rest], dtype=object))[0]
    left = shapely.is_geometry(shapes) & ~shapely.is_empty(shapes)
    zone = np.flatnonzero(left)
    doubled = whole - float(areas_m2(shapes[zone], frame.crs, surface).sum()) if len(overlaps) else 0.0
    if edge is None:
        return _Version(frame, zone, shapes[zone], doubled)
    inside = intersect(shapes[zone], np.array([edge], dtype=object))
    return _Version(frame, zone[inside.left], inside.geometry, doubled)


def _pieces(
    before: _Version, after: _Version, tolerance_m: float, surface: Surface, progress: Progress
) -> pandas.DataFrame:
    """Return all land of both versions once, with the rows of its zones (-1: not in that version)."""
    crs = before.frame.crs
    none = np.zeros(0, dtype=np.intp)
    nothing = Pieces(none, none, np.zeros(0, dtype=object), none)
    common = intersect(before.shapes, after.shapes, part(progress, 0.0, 0.5))
    order = np.lexsort((common.left, common.right))
    turned = Pieces(common.right[order], common.left[order], common.geometry[order], none)
    frames = []
    for version, other, pieces, kind in ((before, after, common, "removed"), (after, before, turned, "added")):
        rest = remainder(version.shapes, other.shapes, pieces, nothing)
        alone = np.flatnonzero(shapely.is_geometry(rest))
        joined = replace(pieces, left=np.concatenate([pieces.left, alone]),
                         right=np.concatenate([pieces.right, np.full(len(alone), -1, dtype=np.intp)]),
                         geometry=np.concatenate([pieces.geometry, rest[alone]]))
        area = areas_m2(joined.geometry, crs, surface)
        share = 100.0 * area / areas_m2(version.shapes, crs, surface)[joined.left]
        sliver = sliver_pieces(joined, other.shapes, share, tolerance_m, crs)
        only = joined.right < 0 if kind == "added" else np.ones(len(joined), dtype=bool)
        mine, theirs = version.zone[joined.left[only]], _zone_of(other, joined.right[only])
        sides = (mine, theirs) if kind == "removed" else (theirs, mine)
        frames.append(pandas.DataFrame({
            "before": sides[0], "after": sides[1], "area_m2": area[only], "within_tolerance": sliver[only],
            "geometry": joined.geometry[only], "share": share[only]}))
    progress(1.0)
    return pandas.concat(frames, ignore_index=True)


def _zone_of(version: _Version, at: NDArray[np.intp]) -> NDArray[np.intp]:
    zone = np.full(len(at), -1, dtype=np.intp)
    zone[at >= 0] = version.zone[at[at >= 0]]
    return zone


def _compare(
    table: pandas.DataFrame, before: geopandas.GeoDataFrame, after: geopandas.GeoDataFrame, function_field: str,
    code_field: str, compared: list[str],
) -> tuple[pandas.DataFrame, pandas.DataFrame]:
    """Add what each piece was and is; return the figures that differ too."""
    sides = {}
    for side, frame in (("before", before), ("after", after)):
        at = table[side].to_numpy()
        fids = pandas.Series(frame.index)
        table[f"{side}_fid"] = (fids.astype("Int64") if fids.dtype.kind in "iu" else fids).reindex(at).array
        for name, field in (("code", code_field), ("function", function_field)):
            values = frame[field].astype(object).map(_text).reset_index(drop=True)
            table[f"{side}_{name}"] = values.reindex(at).array
        sides[side] = frame
    both = ((table["before"] >= 0) & (table["after"] >= 0)).to_numpy()
    was, now = ([table[f"{side}_{name}"].fillna("") for name in ("code", "function")] for side in ("before", "after"))
    same_code, function = (was[0] == now[0]).to_numpy(), (was[1] != now[1]).to_numpy()
    changed: list[list[str]] = [[] for _ in range(len(table))]
    figures = []
    for name in compared:
        asked = both & same_code if name in OF_THE_WHOLE else both
        pairs = table.loc[asked, ["before", "after"]].to_numpy()
        old = before[name].to_numpy(dtype=object)[pairs[:, 0]]
        new = after[name].to_numpy(dtype=object)[pairs[:, 1]]
        differ = np.array([not _equal(a, b) for a, b in zip(old, new)], dtype=bool)
        for row, a, b in zip(np.flatnonzero(asked)[differ], old[differ], new[differ]):
            changed[row].append(name)
            figures.append((row, name, _text(a), _text(b), _minus(b, a)))
    table["kind"] = np.select(
        [table["before"] < 0, table["after"] < 0, function, [bool(names) for names in changed], ~same_code],
        ["added", "removed", "function", "figures", "renamed"], "same")
    table["changed"] = [", ".join(([function_field] if moved and there else []) + names) or None
                        for names, moved, there in zip(changed, function, both)]
    table["within_tolerance"] = table["within_tolerance"] & ~table["kind"].isin(["same", "renamed"])
    listed = pandas.DataFrame(figures, columns=["row", "field", "before_value", "after_value", "difference"])
    listed = listed.join(table, on="row")
    listed = listed[~listed["within_tolerance"].astype(bool)]
    # Largest change first; a zone's figures stay together.
    listed = listed.sort_values(["before_code", "after_code", "row"], kind="stable")[list(FIGURE_COLUMNS)]
    order = np.lexsort((-table["area_m2"], table["kind"].map({kind: -at for at, kind in enumerate(KINDS)})))
    return table.take(order).reset_index(drop=True), listed.reset_index(drop=True)


def _text(value: Any) -> str | None:
    if value is None or value is pandas.NA or value is pandas.NaT or value != value:
        return None
    if isinstance(value, (float, np.floating)) and float(value).is_integer():
        value = int(value)
    return str(value).strip()


def _equal(a: Any, b: Any) -> bool:
    if _text(a) is None or _text(b) is None:
        return _text(a) is None and _text(b) is None
    number = _minus(b, a)
    return abs(number) < 1e-9 if number is not None else _text(a) == _text(b)


def _minus(b: Any, a: Any) -> float | None:
    numeric = (int, float, np.integer, np.floating)
    if isinstance(a, numeric) and isinstance(b, numeric) and not isinstance(a, bool):
        return float(b) - float(a) if float(b) == float(b) and float(a) == float(a) else None
    return None


def _moves(table: pandas.DataFrame) -> pandas.DataFrame:
    """Return the area of each pair of functions; None where the land is in one version only."""
    short = table[["before_function", "after_function", "before", "after", "area_m2"]].copy()
    for side in ("before", "after"):
        # A zone without a function is not the same as no zone.
        short[side] = np.where(short[side] >= 0, "+" + short[f"{side}_function"].fillna("").astype(str), "")
    short["within_tolerance_m2"] = table["area_m2"].where(table["within_tolerance"], 0.0)
    grouped = short.groupby(["before", "after"], sort=True).agg(
        area_m2=("area_m2", "sum"), within_tolerance_m2=("within_tolerance_m2", "sum"), pieces=("area_m2", "size"))
    moves = grouped.reset_index()
    for side in ("before", "after"):
        moves.insert(len(moves.columns) - 3, f"{side}_function",
                     pandas.Series([text[1:] if text else None for text in moves[side]], dtype=object))
    return moves.drop(columns=["before", "after"])


def summary_of(moves: pandas.DataFrame) -> pandas.DataFrame:
    functions = sorted({function for column in ("before_function", "after_function") for function in moves[column]
                        if function is not None})
    rows = []
    for function in functions:
        left, right = moves["before_function"] == function, moves["after_function"] == function
        area = moves["area_m2"]
        lost, gained = float(area[left & ~right].sum()), float(area[right & ~left].sum())
        rows.append((function, float(area[left].sum()), lost, gained, float(area[right].sum()), gained - lost,
                     float(moves.loc[left ^ right, "within_tolerance_m2"].sum())))
    return pandas.DataFrame(rows, columns=list(SUMMARY_COLUMNS))
