"""What the checks of `zoning_compliance` stand on: columns read, lots measured, zones and kinds found."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import geopandas
import numpy as np
import pandas
import shapely
from numpy.typing import NDArray

from ...common.columns import numbers
from ...common.language import say
from ...common.numbers_vi import format_number
from .lot_kinds import lot_kinds
from .lot_measures import LotMeasures
from .zones_of_lots import ZonesOfLots

#: Numbers read of zones; a column that is not there is unknown.
ZONE_NUMBERS = ("max_density_pct", "min_storeys", "max_storeys", "min_height_m", "max_height_m", "max_far", "setback_m")


@dataclass(frozen=True)
class Case:
    """Everything measured and looked up, as the checks need it."""

    lots: geopandas.GeoDataFrame
    zones: geopandas.GeoDataFrame
    measures: LotMeasures
    of_lots: ZonesOfLots
    kinds: pandas.DataFrame
    on: NDArray[np.object_]
    existing: NDArray[np.bool_]
    zone_label: NDArray[np.object_]
    built: NDArray[np.bool_]
    note: NDArray[np.object_]
    building_ids: pandas.Index
    error_m: float
    province_folder: str | Path | None


def read_figures(buildings, zones, roads, layers, problems: list[str]) -> dict:
    """Read all columns of numbers; what is no number is a problem, what is not there is nan."""

    def read(frame: pandas.DataFrame, column: str, name: str) -> pandas.Series:
        if column not in frame.columns:
            return pandas.Series(np.nan, index=frame.index)
        values, wrong = numbers(frame[column])
        if wrong:
            problems.append(say("{name}, trường {field}: {n} giá trị không phải là số ({some}).",
                                "{name}, field {field}: {n} values are no numbers ({some}).")
                            .format(name=name, field=column, n=len(wrong), some="; ".join(wrong[:5])))
        return pandas.Series(values, index=frame.index)

    figures = {column: read(zones, column, layers["zones"][2]) for column in ZONE_NUMBERS}
    problems += _impossible(figures, layers["zones"][2])
    return {"buildings": {column: read(buildings, column, layers["buildings"][2])
                          for column in ("storeys", "height_m")},
            "zones": figures,
            "roads": read(roads, "red_line_width_m", layers["roads"][2]) if "roads" in layers else None}


def _impossible(figures: dict[str, pandas.Series], name: str) -> list[str]:
    """Figures no plan can mean: below nought, densities above 100 %, densities written as shares."""
    problems = []
    for column, values in figures.items():
        wrong = values.index[(values < 0) | ((values > 100) & (column == "max_density_pct"))]
        if len(wrong):
            problems.append(say("{name}, trường {field}: chỉ tiêu không thể có ({some}).", "{name}, field {field}: impossible figures ({some}).")
                            .format(name=name, field=column, some="; ".join(f"{k}: {format_number(values[k])}" for k in wrong[:5])))
    density = figures["max_density_pct"]
    told = density[density > 0]
    if (told < 1).any() and (told <= 1).all():
        problems.append(say("{name}, trường max_density_pct: mọi mật độ đều không quá 1 %; nếu ghi theo tỷ lệ (0,6 là 60 %), hãy nhân với 100.",
                            "{name}, field max_density_pct: no density is above 1 %; if they are shares (0.6 for 60 %), multiply them by 100.")
                        .format(name=name))
    return problems


def read_heights(
    buildings: geopandas.GeoDataFrame, figures: dict, storey_height_m: float | None
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.bool_]]:
    """Return storeys, heights, and which heights were made from storeys. Zero is not known."""
    storeys, height = (figures["buildings"][column][buildings.index].to_numpy(copy=True)
                       for column in ("storeys", "height_m"))
    storeys[storeys <= 0], height[height <= 0] = np.nan, np.nan
    guessed = np.isnan(height) & ~np.isnan(storeys) & (storey_height_m is not None)
    if storey_height_m is not None:
        height = np.where(guessed, storeys * storey_height_m, height)
    return storeys, height, guessed


def texts(frame: pandas.DataFrame, column: str) -> NDArray[np.object_]:
    """Return a column as texts without blanks around; "" where null or where there is no such column."""
    if column not in frame.columns:
        return np.full(len(frame), "", dtype=object)
    return np.array(["" if pandas.isna(value) else str(value).strip() for value in frame[column]], dtype=object)


def flat(frame: geopandas.GeoDataFrame) -> NDArray[np.object_]:
    """Return the shapes without heights: plans are flat."""
    return shapely.force_2d(np.asarray(frame.geometry.array, dtype=object))


_YES = {"1", "true", "yes", "có", "co", "x"}


def build_case(
    lots: geopandas.GeoDataFrame, zones: geopandas.GeoDataFrame, measures: LotMeasures, of_lots: ZonesOfLots,
    existing: bool,
    guessed: NDArray[np.bool_], building_ids: pandas.Index, error_m: float, province_folder,
) -> Case:
    table, main = measures.lots, of_lots.main
    functions, codes = texts(zones, "function_code"), texts(zones, "zone_code")
    in_zone = main >= 0
    function = np.where(in_zone, functions[main] if len(zones) else "", "")
    kinds = lot_kinds(function, table["use"].to_numpy(dtype=object), province_folder=province_folder)
    flags = np.array([text.lower() in _YES for text in texts(lots, "existing")], dtype=bool) | existing
    label_of = np.full(len(lots), "", dtype=object)
    names: list[dict[str, None]] = [{} for _ in range(len(lots))]
    for lot, k in zip(of_lots.zones["lot"], of_lots.zones["zone"]):
        names[lot][codes[k] or str(zones.index[k])] = None
    label_of[:] = [", ".join(own) for own in names]
    notes = [[] for _ in range(len(lots))]
    shared = measures.pieces["shared"].to_numpy()
    for lot in measures.pieces.loc[shared, "lot"].unique():
        notes[lot].append(say("có công trình nằm trên nhiều lô, chỉ tính phần trong lô",
                              "a building stands on several lots; the part on this one counts"))
    for lot in measures.pieces.loc[guessed[measures.pieces["building"]], "lot"].unique():
        notes[lot].append(say("chiều cao ước từ số tầng", "height estimated from storeys"))
    for lot in np.flatnonzero(in_zone & (of_lots.outside > 0)):
        notes[lot].append(say("{p} % lô đất nằm ngoài ô quy hoạch", "{p} % of the lot is outside the zones").format(
            p=format_number(100 * of_lots.outside[lot], 1)))
    return Case(lots, zones, measures, of_lots, kinds, of_lots.on, flags, label_of,
                 (table["buildings"] > 0).to_numpy(), np.array(["; ".join(note) for note in notes], dtype=object),
                building_ids,
                error_m, province_folder)


def joined(first: NDArray[np.object_], second: NDArray[np.object_]) -> NDArray[np.object_]:
    """Join two columns of remarks."""
    return np.array([f"{a}; {b}" if a and b else a or b for a, b in zip(first, second)], dtype=object)
