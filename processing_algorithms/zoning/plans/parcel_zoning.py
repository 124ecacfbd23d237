"""Which zones of a plan a parcel lies in, and with how much of its area."""

from __future__ import annotations

from dataclasses import dataclass

import geopandas
import numpy as np
import pandas
import pyproj
import shapely
from numpy.typing import NDArray

from ...common.areas import Surface, areas_m2, check_surface
from ...common.columns import free_names
from ...common.crs import require_crs, to_crs
from ...common.errors import noted, refuse_if
from ...common.geometry import GeometryReport, InvalidGeometry, clean
from ...common.language import say
from ...common.overlay import Pieces, intersect, intersect_within, remainder
from ...common.progress import Progress, part, silent
from ...common.slivers import (
    in_metres,
    is_narrow,
    is_shallow,
    tolerance_on_ground,
    tolerance_on_paper,
    tolerance_sentence,
    tolerance_source,
)

#: Our columns, in the order they follow the parcel's own; a parcel column of the same name keeps it and ours moves.
COLUMNS = ("parcel_fid", "zone_fid", "zone", "piece", "area_m2", "share_pct", "sliver", "sliver_reason")
#: Shares this close to 100 % are the whole parcel: the rounding of coordinates, not a boundary.
_WHOLE_PCT = 100 * (1 - 1e-9)


@dataclass(frozen=True)
class ParcelZoning:
    """The pieces and what is worth telling about them. Areas in m2.

    Attributes
    ----------
    pieces : GeoDataFrame
        One row per parcel and zone that share area, the parcel's largest piece first; see `COLUMNS`.
        Rows of parts outside all zones, when asked for, have no zone.
    piece_count : int
        Pieces in zones, so without the rows of parts outside.
    area_m2, outside_m2, parcels_m2, overlap_m2 : float
        In zones, outside all zones, of all parcels, and counted more than once because zones overlap:
        ``area + outside - overlap = parcels``.
    slivers, split_parcels, truly_split_parcels, parcels_outside, without_value : int
        Pieces within the tolerance; parcels in several zones, with and without counting slivers; parcels with no zone
        at all; pieces in zones whose field is null.
    overlapping_zones : list of (fid, fid)
        Pairs of zones that share area.
    tolerance_m : float
    tolerance_source : str
        Where the tolerance comes from.
    renamed : dict
        Our columns that had to take another name.
    reports : tuple of GeometryReport
        Of parcels and zones.
    """

    pieces: geopandas.GeoDataFrame
    piece_count: int
    area_m2: float
    outside_m2: float
    parcels_m2: float
    overlap_m2: float
    slivers: int
    split_parcels: int
    truly_split_parcels: int
    parcels_outside: int
    without_value: int
    rescued: int
    overlapping_zones: list[tuple[object, object]]
    tolerance_m: float
    tolerance_source: str
    renamed: dict[str, str]
    reports: tuple[GeometryReport, ...]


def parcel_zoning(
    parcels: geopandas.GeoDataFrame,
    zones: geopandas.GeoDataFrame,
    zone_field: str,
    *,
    scale: float,
    tolerance_mm: float | None = None,
    outside: bool = False,
    surface: Surface = Surface.PLANE,
    invalid: InvalidGeometry = InvalidGeometry.REPAIR,
    parcels_name: str = "",
    zones_name: str = "",
    progress: Progress = silent,
) -> ParcelZoning:
    """Cut parcels by zones; measure and judge every piece.

    A piece is a sliver when the mismatch of two maps at the scale explains it: it is not the whole parcel, it is
    nowhere wider than the tolerance, and it reaches nowhere deeper into its zone than the tolerance. A narrow parcel
    cut across, or one wholly inside a zone, has no slivers.

    Parameters
    ----------
    parcels, zones : GeoDataFrame
        Polygons; index = feature ids. Zones in another system are brought to that of the parcels.
    zone_field : str
        The column of zones whose value each piece gets; null stays null and is counted.
    scale : float
        Denominator of the plan's scale: 2000 for 1/2000.
    tolerance_mm : float, optional
        Map-matching tolerance on paper; the table `map_matching_tolerance` by default.
    outside : bool
        Also return the parts of parcels outside all zones, as rows without a zone.
    surface : Surface
        Where areas are measured. The plane needs a system in metres.
    invalid : InvalidGeometry
    parcels_name, zones_name : str
        For messages.

    Returns
    -------
    ParcelZoning

    Raises
    ------
    InputError
        No coordinate system, degrees with plane areas, no usable polygons, an unknown field, a scale or tolerance out
        of range; all told together.

    Examples
    --------
    >>> parcels = geopandas.GeoDataFrame({"so_thua": [1]}, geometry=[shapely.box(0, 0, 20, 10)], crs="EPSG:9214")
    >>> zones = geopandas.GeoDataFrame(
    ...     {"kh": ["NO", "CX"]}, geometry=[shapely.box(0, 0, 15, 10), shapely.box(15, 0, 40, 10)], crs="EPSG:9214")
    >>> result = parcel_zoning(parcels, zones, "kh", scale=2000)
    >>> result.pieces[["so_thua", "zone", "area_m2", "share_pct"]].values.tolist()
    [[1, 'NO', 150.0, 75.0], [1, 'CX', 50.0, 25.0]]
    """
    parcels_name = parcels_name or say("Lớp thửa đất", "The parcel layer")
    zones_name = zones_name or say("Lớp ô quy hoạch", "The zone layer")
    source = tolerance_source(tolerance_mm)
    tolerance_mm = tolerance_on_paper()[0] if tolerance_mm is None else tolerance_mm
    refuse_if(problems_before(parcels, zones, zone_field, scale, tolerance_mm, surface, parcels_name, zones_name))
    parcels, parcels_report = clean(parcels, "polygon", invalid, parcels_name)
    zones, zones_report = clean(zones, "polygon", invalid, zones_name)
    refuse_if(_none_left(report) for report in (parcels_report, zones_report))
    zones = to_crs(zones, parcels.crs)
    progress(0.02)

    left, right = _flat(parcels), _flat(zones)
    pieces = intersect(left, right, part(progress, 0.02, 0.6))
    overlaps = intersect_within(right, part(progress, 0.6, 0.7))
    rest = remainder(left, right, pieces, overlaps, part(progress, 0.7, 0.75))
    beyond = np.flatnonzero(shapely.is_geometry(rest))
    all_parts = Pieces(np.concatenate([pieces.left, beyond]),
                       np.concatenate([pieces.right, np.full(len(beyond), -1, dtype=pieces.right.dtype)]),
                       np.concatenate([pieces.geometry, rest[beyond]]), pieces.rescued)
    area = areas_m2(all_parts.geometry, parcels.crs, surface)
    parcel_area = areas_m2(left, parcels.crs, surface)
    share = 100.0 * area / parcel_area[all_parts.left]
    progress(0.8)
    tolerance_m = tolerance_on_ground(scale, tolerance_mm)
    sliver = sliver_pieces(all_parts, right, share, tolerance_m, parcels.crs, part(progress, 0.8, 0.95))

    in_zone = all_parts.right >= 0
    frame, renamed = _table(parcels, zones, zone_field, all_parts, area, share, sliver, tolerance_m, in_zone | outside)
    count = np.bincount(pieces.left, minlength=len(left))
    broad = np.bincount(all_parts.left[in_zone & ~sliver], minlength=len(left))
    area_in, area_out = float(area[in_zone].sum()), float(area[~in_zone].sum())
    progress(1.0)
    return ParcelZoning(
        pieces=frame, piece_count=len(pieces), area_m2=area_in, outside_m2=area_out,
        parcels_m2=float(parcel_area.sum()),
        overlap_m2=max(0.0, area_in + area_out - float(parcel_area.sum())) if len(overlaps) else 0.0,
        slivers=int(sliver[in_zone | outside].sum()), split_parcels=int((count > 1).sum()),
        truly_split_parcels=int((broad > 1).sum()), parcels_outside=int((count == 0).sum()),
        without_value=int(zones[zone_field].isna().to_numpy()[pieces.right].sum()), rescued=len(pieces.rescued),
        overlapping_zones=list(zip(zones.index[overlaps.left], zones.index[overlaps.right])),
        tolerance_m=tolerance_m, tolerance_source=source, renamed=renamed, reports=(parcels_report, zones_report))


def problems_before(
    parcels: geopandas.GeoDataFrame, zones: geopandas.GeoDataFrame, zone_field: str, scale: float, tolerance_mm: float,
    surface: Surface, parcels_name: str, zones_name: str,
) -> list[str]:
    """Return what makes the input unusable, as sentences."""
    problems: list[str] = []
    with noted(problems):
        check_surface(require_crs(parcels, parcels_name), surface, parcels_name)
    with noted(problems):
        require_crs(zones, zones_name)
    if zone_field not in zones.columns:
        problems.append(say("{name} không có trường \"{field}\".", "{name} has no field \"{field}\".")
                        .format(name=zones_name, field=zone_field))
    if not scale > 0 or not np.isfinite(scale):
        problems.append(say("Mẫu số tỷ lệ phải lớn hơn 0 (ví dụ 2000 cho 1/2000).",
                            "The scale's denominator must be above 0 (2000 for 1/2000)."))
    if not 0 <= tolerance_mm < np.inf:
        problems.append(say("Sai số ghép bản đồ phải từ 0 mm trở lên.",
                            "The map-matching tolerance must be 0 mm or more."))
    return problems


def _none_left(report: GeometryReport) -> str:
    if report.used:
        return ""
    return say("{name} không có vùng nào dùng được.", "{name} has no usable polygon.").format(name=report.name)


def _flat(frame: geopandas.GeoDataFrame) -> NDArray[np.object_]:
    # A plan is flat: heights of cut points would be interpolated and mean nothing.
    shapes = np.asarray(frame.geometry.array, dtype=object)
    return shapely.force_2d(shapes) if shapely.has_z(shapes).any() else shapes


def sliver_pieces(
    pieces: Pieces, zones: NDArray[np.object_], share: NDArray[np.float64], tolerance_m: float, crs: pyproj.CRS,
    progress: Progress = silent, outline: shapely.Geometry | None = None,
) -> NDArray[np.bool_]:
    """Tell which pieces the mismatch of two maps explains; see `parcel_zoning`.

    Parameters
    ----------
    pieces : Pieces
        Of parcels in zones; ``right`` is -1 for parts in no zone.
    zones : array of shapely polygons
    share : array of float
        Of each piece in its parcel, percent.
    tolerance_m : float
    crs : pyproj.CRS
    outline : geometry, optional
        Another line that cuts parts in no zone, such as the plan's boundary.
    """
    cut = np.flatnonzero(share < _WHOLE_PCT)
    cut = cut[is_narrow(in_metres(pieces.geometry[cut], crs), tolerance_m, progress)]
    beyond = pieces.right[cut] < 0
    # A piece in a zone is cut off by the zone's outline, one outside all zones by the rest of its parcel.
    zone, zone_of = np.unique(pieces.right[cut[~beyond]], return_inverse=True)
    parcel, parcel_of = np.unique(pieces.left[cut[beyond]], return_inverse=True)
    reach = tolerance_m * (1e-4 if crs.is_geographic else 2.0)
    order = np.argsort(pieces.left, kind="stable")
    starts, stops = (np.searchsorted(pieces.left[order], parcel, side=side) for side in ("left", "right"))
    rest = [_beside(pieces.geometry[own[pieces.right[own] >= 0]], outline, pieces.geometry[own[pieces.right[own] < 0]],
                    reach) for own in (order[start:stop] for start, stop in zip(starts, stops))]
    # Together: metres are counted from the middle of what is brought to metres.
    metric = in_metres(np.array([*pieces.geometry[cut], *shapely.boundary(zones[zone]), *rest], dtype=object), crs)
    shapes, borders = metric[:len(cut)], metric[len(cut):]
    border_of = np.empty(len(cut), dtype=np.intp)
    border_of[~beyond], border_of[beyond] = zone_of, len(zone) + parcel_of
    sliver = np.zeros(len(pieces), dtype=bool)
    sliver[cut] = is_shallow(shapes, borders, border_of, tolerance_m)
    return sliver


def _beside(
    zoned: NDArray[np.object_], outline: shapely.Geometry | None, outside: NDArray[np.object_], reach: float
) -> shapely.Geometry:
    """Return what cuts off the parts of a parcel in no zone: its parts in zones, and the outline near by."""
    parts = shapely.multipolygons(shapely.get_parts(zoned))
    if outline is None:
        return parts
    x_min, y_min, x_max, y_max = shapely.total_bounds(outside)
    near = shapely.clip_by_rect(outline, x_min - reach, y_min - reach, x_max + reach, y_max + reach)
    return shapely.geometrycollections([parts, near])


def _table(
    parcels: geopandas.GeoDataFrame, zones: geopandas.GeoDataFrame, zone_field: str, pieces: Pieces,
    area: NDArray[np.float64], share: NDArray[np.float64], sliver: NDArray[np.bool_], tolerance_m: float,
    wanted: NDArray[np.bool_],
) -> tuple[geopandas.GeoDataFrame, dict[str, str]]:
    # The zone a parcel mostly lies in comes first; what is outside all zones comes last.
    order = np.lexsort((pieces.right, -area, pieces.right < 0, pieces.left))
    order = order[wanted[order]]
    left, right = pieces.left[order], pieces.right[order]
    first = np.r_[True, left[1:] != left[:-1]] if len(left) else np.zeros(0, dtype=bool)
    place = np.arange(len(left))
    number = place - np.maximum.accumulate(np.where(first, place, 0)) + 1

    attributes = parcels.drop(columns=parcels.geometry.name)
    names = free_names(COLUMNS, attributes.columns)
    frame = attributes.take(left).reset_index(drop=True)
    reason = tolerance_sentence(tolerance_m)
    no_zone = right < 0
    zone_fid, zone_value = zones.index.to_series().take(right), zones[zone_field].take(right)
    if no_zone.any():
        zone_fid, zone_value = (_nullable(column).mask(no_zone) for column in (zone_fid, zone_value))
    columns = (parcels.index.take(left), zone_fid.array, zone_value.array, number, area[order], share[order],
               sliver[order], np.where(sliver[order], reason, None))
    for name, column in zip(COLUMNS, columns):
        frame[names[name]] = column
    geometry = geopandas.GeoSeries(pieces.geometry[order], crs=parcels.crs)
    return (geopandas.GeoDataFrame(frame, geometry=geometry.array, crs=parcels.crs),
            {ours: name for ours, name in names.items() if ours != name})


def _nullable(column: pandas.Series) -> pandas.Series:
    """Give integers and truth values a type that can be null without changing them."""
    kind = {"i": "Int64", "u": "Int64", "b": "boolean"}.get(column.dtype.kind)
    return column.astype(kind) if kind else column
