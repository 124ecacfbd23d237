"""What QCVN 01 asks around and between buildings: setback from the red line, distances, planted share of the lot.

The answers are tables as those of `norm_limits`; see `norm_answers.COLUMNS`.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas
from numpy.typing import ArrayLike, NDArray

from ...common.language import say
from ...common.norms.loader import NormTable, Row
from ...common.numbers_vi import format_number
from .norm_answers import Answer, Dates, Status, by_date, codes


def setback_limits(
    road_width_m: ArrayLike, height_m: ArrayLike, *, on: Dates, province_folder: str | Path | None = None
) -> pandas.DataFrame:
    """Return the minimum setback from the road's red line (Bảng 2.7), in metres.

    Parameters
    ----------
    road_width_m, height_m : array of float, shape (n,)
        Width between red lines of the road the lot fronts, and height of the building or of its part; nan where unknown,
        which gives the range over what fits.

    Examples
    --------
    >>> import datetime
    >>> setback_limits([18.9, 19, 22], [25, 25, 25], on=datetime.date(2026, 1, 1))["value"].tolist()
    [4.0, 3.0, 0.0]
    """
    return by_date(_setback, ("setbacks",), False, on, province_folder, width=road_width_m, height=height_m)


def _setback(tables: list[NormTable], upper: bool, width: NDArray, height: NDArray) -> Answer:
    (table,) = tables
    answer = Answer.empty(len(width), upper)
    if not table.known:
        answer.unknown(np.ones(len(width), dtype=bool), table.reason)
        return answer
    # Classes from the lower bound on to below the upper one; an unknown size fits all of them.
    fits = np.array([_within(width, row, "road_width") & _within(height, row, "height") for row in table.rows])
    value = np.array([row["min_setback_m"] for row in table.rows])
    for case in np.unique(fits, axis=1).T:
        which = (fits == case[:, None]).all(axis=0)
        rows = [row for row, one in zip(table.rows, case) if one]
        if not rows:
            answer.unknown(which, say("bảng không có lớp cho bề rộng đường và chiều cao này",
                                      "the table has no class for this width and height"))
            continue
        limits = value[case]
        same = limits.min() == limits.max()
        label = _classes(rows[0]) if len(rows) == 1 else say("các lớp có thể áp dụng", "the classes that may apply")
        answer.put_row(which, table, rows[0], limits[0] if same else np.nan, label)
        answer.frame.loc[which, "strictest"], answer.frame.loc[which, "loosest"] = limits.max(), limits.min()
    lacking = answer.frame["value"].isna().to_numpy() & answer.frame["status"].eq(Status.LIMIT).to_numpy()
    for unknown, reason in (
            (np.isnan(height) & ~np.isnan(width), say("chưa biết chiều cao công trình", "the height is not known")),
            (np.isnan(width) & ~np.isnan(height), say("chưa biết bề rộng đường", "the road's width is not known")),
            (np.isnan(width) & np.isnan(height), say("chưa biết bề rộng đường và chiều cao công trình",
                                                     "neither the road's width nor the height is known"))):
        answer.frame.loc[lacking & unknown, "reason"] = reason
    return answer


def _within(x: NDArray, row: Row, column: str) -> NDArray[np.bool_]:
    low, high = row[f"{column}_min_m"], row[f"{column}_max_m"]
    inside = np.ones(len(x), dtype=bool)
    if low is not None:
        inside &= np.isnan(x) | (x >= low)
    if high is not None:
        inside &= np.isnan(x) | (x < high)
    return inside


def _classes(row: Row) -> str:
    road = _class(row["road_width_min_m"], row["road_width_max_m"])
    height = _class(row["height_min_m"], row["height_max_m"])
    return say("đường {road}, công trình cao {height}", "road {road}, building {height}").format(
        road=road, height=height
    )


def _class(low: float | None, high: float | None) -> str:
    if low is None:
        return f"< {format_number(high)} m"
    if high is None:
        return f"≥ {format_number(low)} m"
    return say("từ {a} đến dưới {b} m", "from {a} to below {b} m").format(a=format_number(low), b=format_number(high))


def planted_share_limits(
    planted_type: ArrayLike, *, on: Dates, province_folder: str | Path | None = None
) -> pandas.DataFrame:
    """Return the least planted share of a lot (Bảng 2.11), in percent.

    ``planted_type`` is apartment, education_health_culture or factory; others have no limit.
    """
    return by_date(_planted, ("min_planted_area_lot",), False, on, province_folder, kind=codes(planted_type))


def _planted(tables: list[NormTable], upper: bool, kind: NDArray) -> Answer:
    (table,) = tables
    names = {"apartment": say("nhà chung cư", "apartment building"),
             "education_health_culture": say("công trình giáo dục, y tế, văn hóa", "education, health, culture"),
             "factory": say("nhà máy", "factory")}
    answer = Answer.empty(len(kind), upper)
    answer.frame["reason"] = say("quy chuẩn không quy định tỷ lệ cây xanh cho loại công trình này",
                                 "the regulation asks no planted share of this kind of building")
    for row in table.rows:
        code = row["building_type"]
        answer.put_row(kind == code, table, row, row["min_planted_share_of_lot_pct"], names.get(code, code))
    if not table.known:
        answer.unknown(np.isin(kind, list(names)), table.reason)
    return answer


def spacing_limits(
    height_m: ArrayLike, face: ArrayLike, *, on: Dates, province_folder: str | Path | None = None
) -> pandas.DataFrame:
    """Return the least distance between two buildings (mục 2.6.1), in metres.

    Parameters
    ----------
    height_m : array of float, shape (n,)
        Of the taller one.
    face : array of str, shape (n,)
        ``long``: long side to long side; ``gable``: gable to gable or to a long side; ``back``: back to back of rows of
        houses; ``""``: not known, the range over long and gable.

    Examples
    --------
    >>> import datetime
    >>> spacing_limits([12, 30, 46], ["long", "long", "gable"], on=datetime.date(2026, 1, 1))["value"].tolist()
    [7.0, 15.0, 15.0]
    """
    return by_date(_spacing, ("building_spacing",), False, on, province_folder, height=height_m, face=codes(face))


def _spacing(tables: list[NormTable], upper: bool, height: NDArray, face: NDArray) -> Answer:
    (table,) = tables
    answer = Answer.empty(len(face), upper)
    if not table.known:
        answer.unknown(np.ones(len(face), dtype=bool), table.reason)
        return answer
    names = {"long": say("cạnh dài với cạnh dài", "long side to long side"),
             "gable": say("đầu hồi với đầu hồi hoặc cạnh dài", "gable to gable or to a long side"),
             "back": say("lưng với lưng dãy nhà liên kế", "back to back of rows of houses")}
    unsure = face == ""
    limits = {code: np.full(len(face), np.nan) for code in names}
    for row in table.rows:
        low, below = row["height_min_m"], row["height_below_m"]
        inside = (height >= low if low is not None else True) & (height < below if below is not None else True)
        distance = np.maximum(height * row["factor_of_height"], row["floor_m"])
        label = f"{names[row['face']]}, {say('cao', 'height')} {_class(low, below)}"
        limits[row["face"]] = np.where(inside, distance, limits[row["face"]])
        which = inside & (face == row["face"])
        answer.put_row(which, table, row, distance[which], label)
        if row["face"] == "long":
            answer.put_row(inside & unsure, table, row, np.nan,
                           f"{names['long']} / {names['gable']}, {say('cao', 'height')} {_class(low, below)}",
                           say("chưa biết hai mặt đối nhau là cạnh dài hay đầu hồi",
                               "it is not known whether long sides or gables face each other"))
    answer.frame.loc[unsure, "strictest"] = limits["long"][unsure]
    answer.frame.loc[unsure, "loosest"] = limits["gable"][unsure]
    answer.unknown(np.isnan(height), say("chưa biết chiều cao công trình", "the height is not known"))
    return answer
