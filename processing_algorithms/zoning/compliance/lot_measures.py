"""What is built on lots, as measured on the map: built area, floor area, heights, with the errors of measuring."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas
import shapely
from numpy.typing import NDArray

from ...common.overlay import intersect, intersect_within
from ...common.progress import Progress, part, silent
from ...common.slivers import is_narrow
from ..plans.map_accuracy import area_errors, distance_error


@dataclass(frozen=True)
class LotMeasures:
    """Measures of n lots and of the buildings on them. Lengths in m, areas in m2.

    Attributes
    ----------
    lots : DataFrame, n rows
        area, area_error; built, density_pct, density_error; floor (at least), far, far_error, far_at_most (inf where
        storeys are missing); height (greatest known), mean_height (by built area; nan where one is missing), storeys
        (greatest known), buildings, no_storeys, no_height (numbers of buildings), use (of most of the built area),
        stacked (buildings lie over one another: podium and tower).
    pieces : DataFrame
        One row per lot and building on it: lot, building (positions), geometry, area, storeys, height, shared (the
        building stands on several lots).
    levels : DataFrame
        Of stacked lots: lot, height, built (area covered by buildings at least so high), buildings.
    slivers : int
        Pieces left out because the map's error explains them.
    off_lots : array of int
        Positions of buildings that stand on no lot.
    """

    lots: pandas.DataFrame
    pieces: pandas.DataFrame
    levels: pandas.DataFrame
    slivers: int
    off_lots: NDArray[np.intp]


def measure_lots(
    lots: NDArray[np.object_], buildings: NDArray[np.object_], storeys: NDArray[np.float64],
    height: NDArray[np.float64],
    use: NDArray[np.object_], *, error_m: float, progress: Progress = silent,
) -> LotMeasures:
    """Measure what stands on each lot.

    A building on two lots counts on each with the part inside; a part no wider than the map's error is not counted.
    Where buildings lie over one another the ground counts once, and the floors of the one with most storeys count.

    Parameters
    ----------
    lots, buildings : array of shapely polygons, shapes (n,), (m,)
        Valid, in metres.
    storeys, height : array of float, shape (m,)
        From the ground; nan where unknown.
    use : array of str, shape (m,)
        "" where unknown.
    error_m : float
        Position error of the map's points.
    """
    cut = intersect(lots, buildings, part(progress, 0.0, 0.5))
    shapes, lot, building = cut.geometry, cut.left, cut.right
    area = shapely.area(shapes)
    whole = area > 0.999 * shapely.area(buildings)[building]
    narrow = np.zeros(len(shapes), dtype=bool)
    narrow[~whole] = is_narrow(shapes[~whole], distance_error(error_m), part(progress, 0.5, 0.6))
    slivers = int(narrow.sum())
    shapes, lot, building, area = (x[~narrow] for x in (shapes, lot, building, area))
    on_lots = np.bincount(building, minlength=len(buildings))
    pieces = pandas.DataFrame({
        "lot": lot, "building": building, "geometry": shapes, "area": area, "storeys": storeys[building],
        "height": height[building], "use": use[building], "shared": on_lots[building] > 1})
    stacked, touching = _overlapping_lots(buildings, lot, building, len(lots), error_m, part(progress, 0.6, 0.9))
    table = _summed(lots, pieces, error_m)
    levels = []
    for k in np.flatnonzero(touching):
        levels += _stack(table, pieces[pieces["lot"] == k], k, bool(stacked[k]))
    table["stacked"] = stacked
    _ratios(table)
    progress(1.0)
    columns = ["lot", "height", "built", "buildings"]
    return LotMeasures(table, pieces, pandas.DataFrame(levels, columns=columns), slivers, np.flatnonzero(on_lots == 0))


def _summed(lots: NDArray[np.object_], pieces: pandas.DataFrame, error_m: float) -> pandas.DataFrame:
    n = len(lots)
    lot, area, storeys, height = (pieces[name].to_numpy() for name in ("lot", "area", "storeys", "height"))

    def per_lot(weights: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.bincount(lot, weights, minlength=n)

    errors = area_errors(pieces["geometry"].to_numpy(dtype=object), error_m)
    known_storeys, known_height = ~np.isnan(storeys), ~np.isnan(height)
    # A building of unknown storeys has at least one.
    floors = np.where(known_storeys, storeys, 1.0)
    table = pandas.DataFrame({
        "area": shapely.area(lots), "area_error": area_errors(lots, error_m), "built": per_lot(area),
        "built_error": np.sqrt(per_lot(errors**2)), "floor": per_lot(area * floors),
        "floor_error": np.sqrt(per_lot((errors * floors) ** 2)), "buildings": np.bincount(lot, minlength=n),
        "no_storeys": per_lot(~known_storeys).astype(int), "no_height": per_lot(~known_height).astype(int)})
    weighted = per_lot(np.where(known_height, height, 0.0) * area)
    with np.errstate(invalid="ignore", divide="ignore"):
        table["mean_height"] = np.where(table["no_height"] == 0, weighted / table["built"], np.nan)
    for name in ("height", "storeys"):
        table[name] = pieces.groupby("lot")[name].max().reindex(range(n)).to_numpy()
    by_use = pieces.groupby(["lot", "use"], sort=True)["area"].sum().reset_index().sort_values("area", kind="stable")
    table["use"] = by_use.groupby("lot")["use"].last().reindex(range(n)).fillna("").to_numpy(dtype=object)
    return table


def _overlapping_lots(
    buildings: NDArray[np.object_], lot: NDArray[np.intp], building: NDArray[np.intp], n: int, error_m: float,
    progress: Progress,
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Tell lots whose buildings lie over one another, and those where they share any ground at all."""
    pairs = intersect_within(buildings, progress)
    broad = ~is_narrow(pairs.geometry, distance_error(error_m))
    lots_of: dict[int, set[int]] = {}
    for k, b in zip(lot, building):
        lots_of.setdefault(int(b), set()).add(int(k))
    stacked, touching = np.zeros(n, dtype=bool), np.zeros(n, dtype=bool)
    for a, b, is_broad in zip(pairs.left, pairs.right, broad):
        for k in lots_of.get(int(a), set()) & lots_of.get(int(b), set()):
            touching[k] = True
            stacked[k] |= is_broad
    return stacked, touching


def _stack(table: pandas.DataFrame, pieces: pandas.DataFrame, k: int,
           levels: bool) -> list[tuple[int, float, float, int]]:
    """Count ground that several buildings cover once; return what is built at each height."""
    ordered = pieces.assign(floors=pieces["storeys"].fillna(1.0)).sort_values("floors", ascending=False, kind="stable")
    covered, floor = shapely.Polygon(), 0.0
    for shape, floors in zip(ordered["geometry"], ordered["floors"]):
        floor += floors * shapely.difference(shape, covered).area
        covered = shapely.union(covered, shape)
    table.loc[k, "built"], table.loc[k, "floor"] = covered.area, floor
    if not levels or pieces["height"].isna().any():
        return []
    found = []
    for height in np.unique(pieces["height"]):
        high = pieces[pieces["height"] >= height]
        found.append((k, float(height), shapely.union_all(high["geometry"].to_numpy(dtype=object)).area, len(high)))
    return found


def _ratios(table: pandas.DataFrame) -> None:
    # The error of a quotient: relative errors add in squares.
    area_part = table["area_error"] / table["area"]
    for value, over, error, factor in (("density_pct", "built", "density_error", 100.0),
                                       ("far", "floor", "far_error", 1.0)):
        table[value] = factor * table[over] / table["area"]
        own = (table[f"{over}_error"] / table[over].where(table[over] > 0)).fillna(0.0)
        table[error] = table[value] * np.sqrt(own**2 + area_part**2)
    table["far_at_most"] = np.where(table["no_storeys"] > 0, np.inf, table["far"])
