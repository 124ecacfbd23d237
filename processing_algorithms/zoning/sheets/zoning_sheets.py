"""Sheets of a zoning plan: which zones are on which, with what symbols and texts. What is drawn is the wrapper's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import geopandas
import numpy as np
import shapely

from ...common.crs import require_crs, require_metric, to_crs
from ...common.errors import refuse_if
from ...common.geometry import GeometryReport, InvalidGeometry, clean
from ...common.language import say
from ...common.progress import Progress, silent
from .sheet_index import sheet_index
from .sheet_labels import LabelFields, Measure, label_key, label_variants, place_beside, place_labels
from .sheet_symbols import FunctionSymbol, colour_remarks, require_symbols

#: A sheet with more texts beside their zones than one on this area (mm2 of map) is too crowded to read.
MM2_OF_TEXT_BESIDE = 1000.0


@dataclass(frozen=True)
class SheetSet:
    """A plan divided into sheets.

    Attributes
    ----------
    zones : GeoDataFrame
        Clean, in the system of the sheets, index = feature ids.
    index : GeoDataFrame
        One row per sheet; see `sheet_index`.
    """

    zones: geopandas.GeoDataFrame
    index: geopandas.GeoDataFrame
    fields: LabelFields
    symbols: dict[str, FunctionSymbol]
    variants: list[tuple[str, ...]]
    tree: shapely.STRtree
    frames: shapely.STRtree
    report: GeometryReport


@dataclass(frozen=True)
class SheetContent:
    """What one sheet shows.

    ``zones`` have their whole shapes and, besides ``zone_fid`` and ``function``, the columns of `place_labels`, and
    ``beside`` (no text fits inside, no other sheet shows more of the zone, and there is room beside it), ``ink`` and
    ``fill`` (colours of text and zone). ``leaders`` are the lines to texts beside their zones, ``nameless`` the ids of
    zones there was no room for.
    """

    zones: geopandas.GeoDataFrame
    leaders: geopandas.GeoDataFrame
    codes: tuple[str, ...]
    remarks: tuple[str, ...]
    nameless: tuple[str, ...]


def divide(
    zones: geopandas.GeoDataFrame, fields: LabelFields, symbols: dict[str, FunctionSymbol], *, scale: int,
    map_mm: tuple[float, float], crs: object = None, invalid: InvalidGeometry = InvalidGeometry.REPAIR,
    zones_name: str = "", progress: Progress = silent,
) -> SheetSet:
    """Check the zones and divide what they cover into sheets.

    Parameters
    ----------
    zones : GeoDataFrame
        Polygons; index = feature ids.
    scale : int
        Denominator.
    map_mm : (width, height)
        The map on one sheet.
    crs : optional
        System of the sheets; that of the zones by default. In metres.

    Returns
    -------
    SheetSet

    Raises
    ------
    InputError
        No or no plane system, no usable zone, codes without a symbol, a scale that is not fixed.
    """
    zones_name = zones_name or say("Lớp ô quy hoạch", "The zone layer")
    source = require_crs(zones, zones_name)
    if crs is None:
        require_metric(source, zones_name)
    require_symbols(zones[fields.function], symbols, zones_name)
    zones, report = clean(zones, "polygon", invalid, zones_name)
    refuse_if([] if report.used else [say("{name} không có vùng nào dùng được.", "{name} has no usable polygon.")
                                      .format(name=zones_name)])
    progress(0.3)
    zones = to_crs(zones, crs) if crs is not None else zones
    shapes = np.asarray(zones.geometry.array, dtype=object)
    if shapely.has_z(shapes).any():
        shapes = shapely.force_2d(shapes)
        zones = zones.set_geometry(geopandas.GeoSeries(shapes, index=zones.index, crs=zones.crs))
    index = sheet_index(shapes, *map_mm, scale, zones.crs)
    progress(1.0)
    return SheetSet(zones, index, fields, symbols, label_variants(zones, fields), shapely.STRtree(shapes),
                    shapely.STRtree(np.asarray(index.geometry.array, dtype=object)), report)


def content_of(sheets: SheetSet, number: int, sizes: Sequence[float], measure: Measure) -> SheetContent:
    """Return the zones of a sheet with their texts, and what its legend must explain.

    Parameters
    ----------
    number : int
        Of the sheet, from 1.
    sizes, measure
        See `place_labels`.
    """
    row = sheets.index.iloc[number - 1]
    frame = row.geometry
    found = np.sort(sheets.tree.query(frame, predicate="intersects"))
    shapes = np.asarray(sheets.zones.geometry.array, dtype=object)[found]
    # What only touches the edge of the sheet is not on it.
    with np.errstate(invalid="ignore"):  # GEOS sets the flag and gives the right answer
        seen = shapely.intersection(shapes, frame)
    on = shapely.area(seen) > 0
    found, shapes, seen = found[on], shapes[on], _polygons(seen[on])
    placed = place_labels(seen, [sheets.variants[at] for at in found], sizes, measure, row["scale"] / 1000)
    zones = geopandas.GeoDataFrame(
        {"zone_fid": [str(fid) for fid in sheets.zones.index[found]],
         "function": sheets.zones[sheets.fields.function].to_numpy()[found].astype(str),
         **{name: placed[name].to_numpy() for name in placed}}, geometry=shapes, crs=sheets.zones.crs)
    zones["ink"] = [sheets.symbols[code].ink for code in zones["function"]]
    zones["fill"] = [sheets.symbols[code].colour for code in zones["function"]]
    wanted = np.array([not inside and _home(shape, sheets) == number
                       for shape, inside in zip(shapes, zones["inside"])], dtype=bool)
    leaders = _beside(zones, wanted, frame, row["scale"] / 1000)
    codes = tuple(code for code in sheets.symbols if code in set(zones["function"]))
    key = label_key(sheets.zones.iloc[found], sheets.fields)
    remarks = ([key] if key else []) + colour_remarks(codes, sheets.symbols)
    return SheetContent(zones, leaders, codes, tuple(remarks),
                        tuple(zones["zone_fid"][wanted & ~zones["beside"].to_numpy()]))


def _beside(
    zones: geopandas.GeoDataFrame, wanted: np.ndarray, frame: shapely.Geometry, mm_on_ground: float
) -> geopandas.GeoDataFrame:
    """Put the texts of some zones beside them, the largest zones first; return the lines that lead to them."""
    middles, sizes = zones[["x", "y"]].to_numpy(), zones[["width_m", "height_m"]].to_numpy()
    inside, at = zones["inside"].to_numpy(), np.flatnonzero(wanted)
    most = int(frame.area / mm_on_ground**2 / MM2_OF_TEXT_BESIDE)
    at = at[np.argsort(-zones.area.to_numpy()[at], kind="stable")][:most]
    taken = np.hstack([middles - sizes / 2, middles + sizes / 2])[inside]
    found = place_beside(middles[at], sizes[at], taken, frame.bounds, mm_on_ground)
    placed = np.isfinite(found[:, 0])
    at, found = at[placed], found[placed]
    half = sizes[at] / 2
    # The line ends where it meets the text.
    ends = np.clip(middles[at], found - half, found + half)
    lines = shapely.linestrings(np.stack([middles[at], ends], axis=1)) if len(at) else []
    beside = np.zeros(len(zones), dtype=bool)
    beside[at] = True
    middles[at] = found
    zones["beside"], zones["x"], zones["y"] = beside, middles[:, 0], middles[:, 1]
    return geopandas.GeoDataFrame(geometry=list(lines), crs=zones.crs)


def _home(shape: shapely.Geometry, sheets: SheetSet) -> int:
    """The sheet that shows most of a zone."""
    around = np.sort(sheets.frames.query(shape))
    with np.errstate(invalid="ignore"):
        parts = shapely.area(shapely.intersection(sheets.frames.geometries[around], shape))
    return int(around[np.argmax(parts)]) + 1


def _polygons(shapes: np.ndarray) -> np.ndarray:
    """What is left of polygons without the lines and points at which they touch the frame."""
    mixed = np.flatnonzero(shapely.get_type_id(shapes) == 7)
    for at in mixed:
        parts = shapely.get_parts(shapes[at])
        shapes[at] = shapely.multipolygons(shapely.get_parts(parts[shapely.get_dimensions(parts) == 2]))
    return shapes


def red_lines(roads: geopandas.GeoDataFrame, width: str | None) -> geopandas.GeoDataFrame:
    """Return road red lines: the lines as drawn, or the edges of strips as wide as the field ``width`` says (m).

    Roads without a width are left out where a field is given. Where roads meet, their strips are one.
    """
    if width is None:
        return roads
    wide = roads[roads[width].notna() & (roads[width] > 0)]
    shapes, half = np.asarray(wide.geometry.array, dtype=object), wide[width].to_numpy(dtype=float) / 2
    strips = shapely.buffer(shapes, half, cap_style="flat", join_style="mitre", mitre_limit=2.0)
    edges = shapely.boundary(shapely.union_all(strips))
    # Where a road ends its strip has an edge across, which is no red line.
    edges = shapely.difference(edges, shapely.union_all(shapely.buffer(_ends(shapes, half), 0.01, cap_style="square")))
    return geopandas.GeoDataFrame(geometry=[line for line in shapely.get_parts(edges) if line.length > 0.05],
                                  crs=roads.crs)


def _ends(shapes: np.ndarray, half: np.ndarray) -> np.ndarray:
    """The lines across both ends of each line of each shape, ``half`` to each side."""
    lines, owner = shapely.get_parts(shapes, return_index=True)
    kept = shapely.length(lines) > 0
    lines, half = lines[kept], half[owner[kept]]
    found = []
    for end, before in ((0, 1), (-1, -2)):
        tip, inner = (shapely.get_coordinates(shapely.get_point(lines, at)) for at in (end, before))
        along = tip - inner
        along /= np.maximum(np.hypot(*along.T), 1e-12)[:, None]
        across = np.column_stack([-along[:, 1], along[:, 0]]) * half[:, None]
        found.append(shapely.linestrings(np.stack([tip - across, tip + across], axis=1)))
    return np.concatenate(found)


def near(frame: geopandas.GeoDataFrame, index: geopandas.GeoDataFrame) -> geopandas.GeoDataFrame:
    """Return the rows whose box meets that of all sheets; those without a shape are left out."""
    west, south, east, north = index.total_bounds
    bounds = shapely.bounds(np.asarray(frame.geometry.array, dtype=object))
    # Comparisons with the nan of missing and empty shapes are false.
    return frame[(bounds[:, 0] <= east) & (bounds[:, 2] >= west) & (bounds[:, 1] <= north) & (bounds[:, 3] >= south)]
