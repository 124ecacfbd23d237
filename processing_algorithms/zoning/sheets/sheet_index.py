"""How a plan is divided into sheets of paper at a fixed scale: a grid of equal rectangles, none over another."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import geopandas
import numpy as np
import shapely
from numpy.typing import NDArray

from ...common.errors import InputError, refuse_if
from ...common.language import say
from ...common.norms import load_table
from ...common.numbers_vi import format_number

#: Denominators of printed plans: those of the law (`planning_scales`) and the others in use between and around them.
OTHER_SCALES = (200, 1000, 50_000, 100_000)
#: More sheets than any office prints in one run; a mistaken scale is the usual reason.
MOST_SHEETS = 2000
#: Sheet corners stand on multiples of this length on paper, so that their coordinates are round numbers.
STEP_MM = 10.0
#: Compass directions of the neighbours as rows and columns away, rows counted from the north.
NEIGHBOURS = {"nw": (-1, -1), "n": (-1, 0), "ne": (-1, 1), "w": (0, -1), "e": (0, 1), "sw": (1, -1), "s": (1, 0),
              "se": (1, 1)}


@dataclass(frozen=True)
class ScaleRule:
    """What the law says of the scale of a plan's level."""

    fits: bool
    allowed: tuple[int, ...]
    citation: str


def fixed_scales() -> tuple[int, ...]:
    """Return the denominators sheets may be printed at, largest scale first."""
    return tuple(sorted(_stated(load_table("planning_scales", on=None).rows) | set(OTHER_SCALES)))


def _stated(rows: Sequence[Mapping[str, object]]) -> set[int]:
    return {int(row[column]) for row in rows for column in ("scale_min_denominator", "scale_max_denominator")}


def scale_rule(level: str, scale: int) -> ScaleRule:
    """Compare a scale with those the law names for a level of plan.

    Parameters
    ----------
    level : str
        Of the table ``planning_scales``: QHC (general), QPK (sub-area), QCT (detailed), TKDT (urban design).
    scale : int
        Denominator.

    Examples
    --------
    >>> scale_rule("QCT", 500).fits, scale_rule("QPK", 500).allowed
    (True, (2000, 5000))
    """
    table = load_table("planning_scales", on=None)
    rows = [row for row in table.rows if row["level"] == level]
    allowed = sorted(_stated(rows))
    citations = "; ".join(dict.fromkeys(table.citation(row) for row in rows))
    return ScaleRule(scale in allowed, tuple(allowed), citations)


def scale_problem(scale: int) -> str:
    """Return what to say of a scale sheets are not printed at; nothing of the others."""
    if scale in fixed_scales():
        return ""
    return (say("Không in ở tỷ lệ 1/{scale}; chọn một trong các tỷ lệ {known}.",
                "Sheets are not printed at 1/{scale}; choose one of {known}.")
            .format(scale=format_number(scale), known=_listed(fixed_scales())))


def level_warning(level: str, scale: int) -> str:
    """Return what to say when the law names other scales for the plan's level; nothing for a level not stated."""
    rule = scale_rule(level, scale)
    if not level or rule.fits:
        return ""
    return (say("Tỷ lệ 1/{scale} không thuộc tỷ lệ của loại quy hoạch này ({allowed}): {citation}.",
                "The scale 1/{scale} is none of those of this level of plan ({allowed}): {citation}.")
            .format(scale=format_number(scale), allowed=_listed(rule.allowed), citation=rule.citation))


def _listed(scales: tuple[int, ...]) -> str:
    return ", ".join(f"1/{format_number(scale)}" for scale in scales)


def sheet_index(
    area: NDArray[np.object_], width_mm: float, height_mm: float, scale: int, crs: object
) -> geopandas.GeoDataFrame:
    """Divide what the plan covers into sheets; those the plan has no ground on are left out.

    The grid takes the fewest rows and columns that cover the plan's box and stands centred on it, its corners on
    multiples of `STEP_MM` on paper where there is room to move.

    Parameters
    ----------
    area : array of polygons, shape (n,)
        What must be printed, in a system in metres: the zones, or the boundary of the plan.
    width_mm, height_mm : float
        The map on one sheet.
    scale : int
        Denominator.
    crs : pyproj.CRS or what it reads

    Returns
    -------
    GeoDataFrame
        One rectangle per sheet, from the north-west by rows: ``sheet`` (1 to n), ``sheets`` (n), ``row``, ``column``
        (from 1), ``scale``, ``west_m``, ``south_m``, ``east_m``, ``north_m``, ``area_m2`` (of the plan on the sheet)
        and ``nw`` ... ``se``, the numbers of the neighbours (0 where there is none).

    Raises
    ------
    InputError
        A scale that is not fixed, a map without size, an empty area, or more than `MOST_SHEETS`.

    Examples
    --------
    >>> sheets = sheet_index(np.array([shapely.box(0, 0, 250, 90)]), 200, 200, 500, "EPSG:9214")
    >>> sheets[["sheet", "west_m", "south_m", "e"]].values.tolist()
    [[1.0, -25.0, -5.0, 2.0], [2.0, 75.0, -5.0, 3.0], [3.0, 175.0, -5.0, 0.0]]
    """
    refuse_if(problems_of(area, width_mm, height_mm, scale))
    west, south, east, north = shapely.total_bounds(area)
    width, height, step = width_mm * scale / 1000, height_mm * scale / 1000, STEP_MM * scale / 1000
    lefts, bottoms = _starts(west, east, width, step), _starts(south, north, height, step)
    if len(lefts) * len(bottoms) > 50 * MOST_SHEETS:
        raise _too_many(len(lefts) * len(bottoms), scale)
    tops = bottoms[::-1]
    corners = [(row, column, left, bottom)
               for row, bottom in enumerate(tops, 1) for column, left in enumerate(lefts, 1)]
    boxes = shapely.box([c[2] for c in corners], [c[3] for c in corners], [c[2] + width for c in corners],
                        [c[3] + height for c in corners])
    on_sheet = _covered(area, boxes)
    kept = np.flatnonzero(on_sheet > 0)
    if len(kept) > MOST_SHEETS:
        raise _too_many(len(kept), scale)
    places = {(corners[at][0], corners[at][1]): number for number, at in enumerate(kept, 1)}
    rows = []
    for (row, column), number in places.items():
        at = kept[number - 1]
        x0, y0, x1, y1 = boxes[at].bounds
        around = {name: places.get((row + down, column + right), 0) for name, (down, right) in NEIGHBOURS.items()}
        rows.append({"sheet": number, "sheets": len(kept), "row": row, "column": column, "scale": scale, "west_m": x0,
                     "south_m": y0, "east_m": x1, "north_m": y1, "area_m2": float(on_sheet[at]), **around})
    return geopandas.GeoDataFrame(rows, geometry=boxes[kept], crs=crs)


def problems_of(area: NDArray[np.object_], width_mm: float, height_mm: float, scale: int) -> list[str]:
    """Return what makes a division impossible, as sentences."""
    problems = [scale_problem(scale)] if scale_problem(scale) else []
    if not (width_mm > 0 and height_mm > 0):
        problems.append(say("Khổ giấy không còn chỗ cho bản đồ.", "The paper leaves no room for the map."))
    if not len(area) or not shapely.area(area).sum() > 0:
        problems.append(say("Không có ô quy hoạch nào có diện tích để in.", "No zone has an area to print."))
    return problems


def _starts(low: float, high: float, length: float, step: float) -> NDArray[np.float64]:
    """Lower ends of the fewest intervals of a length that cover ``low`` to ``high``."""
    count = max(1, math.ceil((high - low) / length - 1e-9))
    first = low - (count * length - (high - low)) / 2
    # On a round number when the cover allows it, the nearest one to the centre.
    rounded = [math.floor(first / step) * step, math.ceil(first / step) * step]
    fitting = [at for at in rounded if at <= low and at + count * length >= high]
    start = min(fitting, key=lambda at: abs(at - first)) if fitting else first
    return start + length * np.arange(count)


def _covered(area: NDArray[np.object_], boxes: NDArray[np.object_]) -> NDArray[np.float64]:
    """Area of the plan on each sheet; shapes that overlap count twice, which does not matter for "some or none"."""
    tree = shapely.STRtree(boxes)
    shape, box = tree.query(area, predicate="intersects")
    covered = np.zeros(len(boxes))
    order = np.argsort(box, kind="stable")
    for at in np.split(order, np.flatnonzero(np.diff(box[order])) + 1) if len(order) else ():
        covered[box[at[0]]] = shapely.area(shapely.clip_by_rect(area[shape[at]], *boxes[box[at[0]]].bounds)).sum()
    return covered


def _too_many(count: int, scale: int) -> InputError:
    return InputError(
        say("Ở tỷ lệ 1/{scale} cần hơn {most} mảnh ({count}); hãy chọn tỷ lệ nhỏ hơn, khổ giấy lớn hơn hoặc bớt ô.",
            "At 1/{scale} more than {most} sheets ({count}) are needed; choose a smaller scale, larger paper or fewer "
            "zones.").format(scale=format_number(scale), most=format_number(MOST_SHEETS), count=format_number(count)))


def chosen_sheets(text: str, count: int) -> list[int]:
    """Read which sheets are asked for, such as ``1, 3-5``; all of them when nothing is written.

    Raises
    ------
    InputError
        Not a list of numbers, or a sheet there is none of.

    Examples
    --------
    >>> chosen_sheets("1, 3-5", 6), chosen_sheets("", 2)
    ([1, 3, 4, 5], [1, 2])
    """
    if not text.strip():
        return list(range(1, count + 1))
    found: set[int] = set()
    for part in text.replace(";", ",").split(","):
        ends = [end.strip() for end in part.replace("–", "-").split("-")]
        if len(ends) > 2 or not all(end.isdigit() for end in ends):
            raise InputError(say("\"{text}\" không phải là danh sách số mảnh, ví dụ 1, 3-5.",
                                 "\"{text}\" is no list of sheets, such as 1, 3-5.").format(text=text))
        first, last = int(ends[0]), int(ends[-1])
        if not 1 <= first <= last <= count:
            raise InputError(say("Không có mảnh {part}; đồ án có {count} mảnh, từ 1 đến {count}.",
                                 "There is no sheet {part}; the plan has {count}, from 1 to {count}.")
                             .format(part=part.strip(), count=count))
        found.update(range(first, last + 1))
    return sorted(found)
