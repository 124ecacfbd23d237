"""What QCVN 01 allows a lot or a building: density, floor-area ratio, setback, planted area, distances.

Every lookup takes arrays and returns a table with one row per case; see `norm_answers.COLUMNS`. The figures are those of
``common/norms/tables`` in force on the deciding date (`common.norms.deciding_date`); nothing is known of QCVN 01:2026's
density and setback tables, and the answer for its time is "unknown" with that reason. Where a province has its own
table, the tighter of the two holds.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas
from numpy.typing import ArrayLike, NDArray

from ...common.language import say
from ...common.norms.loader import NormTable
from ...common.numbers_vi import format_number
from .lot_kinds import LotKind
from .norm_answers import Answer, Dates, by_date, codes, described, rule_row, rules
from .norm_grid import look_up_by_area, look_up_by_height_and_area

# Density -----------------------------------------------------------------------------------------------------------

def net_density_limits(
    kind: ArrayLike, area_m2: ArrayLike, height_m: ArrayLike = np.nan, *, on: Dates, existing: ArrayLike = False,
    production_floors: ArrayLike = np.nan, floors_at_most: ArrayLike = np.nan,
    province_folder: str | Path | None = None,
) -> pandas.DataFrame:
    """Return the maximum net building density of lots, in percent.

    Parameters
    ----------
    kind : array of LotKind or str, shape (n,)
    area_m2, height_m : array of float, shape (n,)
        Lot area and building height (the average of several buildings); nan where unknown. An unknown height gives the
        range over all heights.
    on : date or sequence of date
        The deciding date, or one per lot.
    existing : array of bool
        In an existing built-up area (mục 2.7.7).
    production_floors : array of float
        Floors used for production in factories; nan where unknown.
    floors_at_most : array of float
        What is known of them where they are not: the storeys of the tallest building.
    province_folder : path, optional
        Of a province's own tables; the tighter limit holds.

    Returns
    -------
    DataFrame
        See `norm_answers.COLUMNS`; index 0 to n - 1.

    Examples
    --------
    >>> import datetime
    >>> found = net_density_limits(["house", "apartment"], [150, 10000], [np.nan, 20.5], on=datetime.date(2026, 1, 1))
    >>> found["value"].tolist()
    [80.0, 58.5]
    """
    return by_date(_net_density, ("max_density_housing", "max_density_apartment", "max_density_mixed",
                                   "max_density_industry", "density_other_limits"), True, on, province_folder,
                    kind=codes(kind), area=area_m2, height=height_m, existing=existing, floors=production_floors,
                   floors_at_most=floors_at_most)


def _net_density(
    tables: list[NormTable], upper: bool, kind: NDArray, area: NDArray, height: NDArray, existing: NDArray,
    floors: NDArray,
    floors_at_most: NDArray,
) -> Answer:
    housing, apartment, mixed, industry, other = tables
    answer = Answer.empty(len(kind), upper)
    answer.none(kind == LotKind.OTHER.value,
                say("quy chuẩn không quy định mật độ xây dựng thuần cho loại lô đất này",
                    "the regulation sets no net density for this kind of lot"))
    answer.unknown(kind == "", say("chưa xác định được loại lô đất theo quy chuẩn",
                                   "the kind of lot the regulation asks for is not known"))
    for code, table in ((LotKind.HOUSE, housing), (LotKind.APARTMENT, apartment), (LotKind.MIXED, mixed)):
        which = kind == code.value
        if not which.any():
            continue
        if not table.known:
            answer.unknown(which, table.reason)
        elif code is LotKind.HOUSE:
            answer.put_grid(which, table, look_up_by_area(table, "max_net_density_pct", area[which]))
        else:
            answer.put_grid(which, table, look_up_by_height_and_area(
                table, "max_net_density_pct", height[which], area[which]))
    _small_existing_houses(answer, other, (kind == LotKind.HOUSE.value) & existing.astype(bool), area, height)
    _industry(answer, industry, kind == LotKind.INDUSTRY.value, floors, floors_at_most)
    _public_service(answer, other, kind == LotKind.PUBLIC_SERVICE.value, existing.astype(bool))
    return answer


def _small_existing_houses(
    answer: Answer, other: NormTable, which: NDArray[np.bool_], area: NDArray, height: NDArray
) -> None:
    if not other.known or not which.any():
        return
    row = rule_row(other, "small_house_existing_area")
    small = which & (area <= row["lot_area_max_m2"])
    condition = say("khu vực hiện hữu, lô đất đến {a} m² và công trình cao đến {h} m, nếu bảo đảm các quy định khác",
                    "existing area, lots up to {a} m² and buildings up to {h} m, if all other rules are kept").format(
                        a=format_number(row["lot_area_max_m2"]), h=format_number(row["height_max_m"]))
    answer.put_row(small & (height <= row["height_max_m"]), other, row, row["max_value"],
                   described(row), condition)
    unsure = small & np.isnan(height) & (answer.frame["strictest"].to_numpy() < row["max_value"])
    answer.frame.loc[unsure, "value"] = np.nan
    answer.frame.loc[unsure, "loosest"] = row["max_value"]
    answer.frame.loc[unsure, "reason"] = (
        say("chưa biết chiều cao công trình; ", "the height is not known; ") + condition
    )


def _industry(answer: Answer, industry: NormTable, which: NDArray[np.bool_], floors: NDArray, at_most: NDArray) -> None:
    if not which.any():
        return
    if not industry.known:
        answer.unknown(which, industry.reason)
        return
    low = next(row for row in industry.rows if row["production_floors_max"] is not None)
    high = next(row for row in industry.rows if row["production_floors_max"] is None)
    most = low["production_floors_max"]
    up_to = say("nhà máy, kho đến {n} sàn sản xuất", "factory or store of up to {n} production floors").format(
        n=format_number(most))
    beyond = say("nhà máy trên {n} sàn sản xuất", "factory of more than {n} production floors").format(
        n=format_number(most))
    few = np.where(np.isnan(floors), at_most, floors) <= most
    answer.put_row(which & few, industry, low, low["max_net_density_pct"], up_to)
    answer.put_row(which & (floors > most), industry, high, high["max_net_density_pct"], beyond)
    unsure = which & np.isnan(floors) & ~few
    answer.put_row(unsure, industry, low, np.nan, f"{up_to}; {beyond}",
                   say("chưa biết số sàn sản xuất", "the number of production floors is not known"))
    answer.frame.loc[unsure, "strictest"] = min(low["max_net_density_pct"], high["max_net_density_pct"])
    answer.frame.loc[unsure, "loosest"] = max(low["max_net_density_pct"], high["max_net_density_pct"])


def _public_service(answer: Answer, other: NormTable, which: NDArray[np.bool_], existing: NDArray[np.bool_]) -> None:
    if not which.any():
        return
    if not other.known:
        answer.unknown(which, other.reason)
        return
    new, old = rule_row(other, "public_service_new_area"), rule_row(other, "public_service_existing_area")
    answer.put_row(which, other, new, new["max_value"], described(new))
    # In existing areas the looser figure needs a fact no map tells: that the lot cannot be enlarged.
    unsure = which & existing
    answer.put_row(unsure, other, old, np.nan, described(old), say(
        "khu vực hiện hữu: {old} % chỉ áp dụng khi không thể mở rộng đất, nếu không là {new} %",
        "existing area: {old} % holds only where the lot cannot be enlarged, otherwise {new} %").format(
            old=format_number(old["max_value"]), new=format_number(new["max_value"])))
    answer.frame.loc[unsure, "strictest"] = new["max_value"]
    answer.frame.loc[unsure, "loosest"] = old["max_value"]


def gross_density_limits(
    kind: ArrayLike, *, on: Dates, province_folder: str | Path | None = None
) -> pandas.DataFrame:
    """Return the maximum gross density, in percent, never to be compared with a net density.

    ``kind`` is residential_unit, resort, park, theme_park, specialised_green; others have no limit.
    """
    return by_date(_gross_density, ("density_other_limits",), True, on, province_folder, kind=codes(kind))


def _gross_density(tables: list[NormTable], upper: bool, kind: NDArray) -> Answer:
    return rules(tables[0], upper, kind, lambda code: f"gross_{code}",
                  say("quy chuẩn không quy định mật độ xây dựng gộp cho chức năng này",
                      "the regulation sets no gross density for this function"))


# Floor-area ratio --------------------------------------------------------------------------------------------------

def far_limits(
    kind: ArrayLike, height_m: ArrayLike = np.nan, *, on: Dates, province_folder: str | Path | None = None
) -> pandas.DataFrame:
    """Return the cap of the floor-area ratio: of house lots, and of lots with a building above 46 m.

    Examples
    --------
    >>> import datetime
    >>> far_limits(["house", "mixed", "mixed"], [12, 46, 60], on=datetime.date(2026, 1, 1))["value"].tolist()
    [7.0, nan, 13.0]
    """
    return by_date(_far, ("density_other_limits",), True, on, province_folder, kind=codes(kind), height=height_m)


def _far(tables: list[NormTable], upper: bool, kind: NDArray, height: NDArray) -> Answer:
    (table,) = tables
    answer = Answer.empty(len(kind), upper)
    house, tall = kind == LotKind.HOUSE.value, np.isin(kind, [LotKind.APARTMENT.value, LotKind.MIXED.value])
    answer.none(~house & ~tall, say("quy chuẩn không quy định hệ số sử dụng đất cho loại lô đất này",
                                    "the regulation sets no floor-area ratio for this kind of lot"))
    answer.unknown(kind == "", say("chưa xác định được loại lô đất theo quy chuẩn",
                                   "the kind of lot the regulation asks for is not known"))
    if not table.known:
        answer.unknown(house | tall, table.reason)
        return answer
    row = rule_row(table, "far_cap_house")
    answer.put_row(house, table, row, row["max_value"], described(row))
    row = rule_row(table, "far_cap_highrise")
    above = format_number(row["height_above_m"])
    label = say("công trình cao trên {h} m", "building above {h} m").format(h=above)
    answer.put_row(tall & (height > row["height_above_m"]), table, row, row["max_value"], label)
    answer.none(tall & (height <= row["height_above_m"]), say(
        "quy chuẩn chỉ khống chế hệ số sử dụng đất khi công trình cao trên {h} m",
        "the regulation caps the floor-area ratio only for buildings above {h} m").format(h=above))
    unsure = tall & np.isnan(height)
    answer.put_row(unsure, table, row, np.nan, label, say("chưa biết chiều cao công trình", "the height is not known"))
    answer.frame.loc[unsure, "strictest"], answer.frame.loc[unsure, "loosest"] = row["max_value"], np.inf
    return answer


def far_limits_existing_area(
    area_m2: ArrayLike, height_m: ArrayLike = np.nan, *, on: Dates, province_folder: str | Path | None = None
) -> pandas.DataFrame:
    """Return the floor-area ratio that may replace density and height as control in existing areas (Bảng 2.12)."""
    return by_date(_far_existing, ("far_max_existing_area",), True, on, province_folder, area=area_m2, height=height_m)


def _far_existing(tables: list[NormTable], upper: bool, area: NDArray, height: NDArray) -> Answer:
    (table,) = tables
    answer, every = Answer.empty(len(area), upper), np.ones(len(area), dtype=bool)
    if table.known:
        answer.put_grid(every, table, look_up_by_height_and_area(table, "far_max", height, area))
    else:
        answer.unknown(every, table.reason)
    return answer
