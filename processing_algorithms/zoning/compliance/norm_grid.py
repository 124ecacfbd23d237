"""Tables of a norm whose value depends on lot area, and maybe height: interpolation, edges, and which rows were used."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...common.errors import InputError
from ...common.language import say
from ...common.norms.loader import CONFIDENCE, NormTable, Row
from ...common.numbers_vi import format_number


@dataclass(frozen=True)
class GridValues:
    """What a table gives for n lots.

    Attributes
    ----------
    value, lowest, highest : array of float, shape (n,)
        All equal where the table gives one value. Where the height is unknown and the table's value depends on it,
        ``value`` is nan and the others are the least and the greatest over all heights. All nan without an area.
    row : array of str, shape (n,)
        The rows and columns of the printed table, by their headers.
    numbers : list of tuple of int, length n
        Positions of the rows used, in the table as read.
    interpolated : array of bool, shape (n,)
    """

    value: NDArray[np.float64]
    lowest: NDArray[np.float64]
    highest: NDArray[np.float64]
    row: NDArray[np.object_]
    numbers: list[tuple[int, ...]]
    interpolated: NDArray[np.bool_]


@dataclass(frozen=True)
class _Axis:
    """Nodes of one side of the table in rising order, and how many of them a straight line may join.

    The last nodes may be "above" ones (bound ``>``): they hold beyond the node before them and are not joined to it.
    """

    nodes: NDArray[np.float64]
    joined: int

    def between(self, x: NDArray[np.float64]) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.float64]]:
        """Return the two nodes around each x, and the weight of the upper one; nan is taken for the first node."""
        inner = self.nodes[: self.joined]
        inside = np.clip(np.nan_to_num(x, nan=inner[0]), inner[0], inner[-1])
        low = np.searchsorted(inner, inside, side="right") - 1
        high = np.minimum(low + 1, self.joined - 1)
        gap = np.where(high > low, inner[high] - inner[low], 1.0)
        weight = (inside - inner[low]) / gap
        high = np.where(weight > 0, high, low)
        above = np.zeros(len(x), dtype=bool)
        for node in range(self.joined, len(self.nodes)):
            above = x > self.nodes[node]
            low, high, weight = (np.where(above, k, old) for k, old in ((node, low), (node, high), (0.0, weight)))
        return low, high, weight

    def label(self, low: int, high: int, unit: str) -> str:
        if low != high:
            return f"{_number(self.nodes[low])}-{_number(self.nodes[high])} {unit}"
        if low >= self.joined:
            sign = "> "
        elif self.joined == 1 or 0 < low < self.joined - 1:
            sign = ""
        elif low == 0:
            sign = "≤ "
        else:
            # Where an "above" node follows, the last joined one is that value itself.
            sign = "" if len(self.nodes) > self.joined else "≥ "
        return f"{sign}{_number(self.nodes[low])} {unit}"


def look_up_by_area(table: NormTable, column: str, area_m2: ArrayLike) -> GridValues:
    """Look up a table of one axis: linear between two rows, the edge row's value beyond.

    Parameters
    ----------
    table : NormTable
        Known; with columns ``bound`` and ``lot_area_m2``.
    column : str
        Of the value.
    area_m2 : array of float, shape (n,)

    Examples
    --------
    >>> import datetime
    >>> from ..common.norms import load_table
    >>> table = load_table("max_density_housing", on=datetime.date(2026, 1, 1))
    >>> found = look_up_by_area(table, "max_net_density_pct", [80, 95, 150])
    >>> found.value.tolist(), found.row.tolist()
    ([100.0, 95.0, 80.0], ['lô ≤ 90 m²', 'lô 90-100 m² (nội suy)', 'lô 100-200 m² (nội suy)'])
    """
    area = np.atleast_1d(np.asarray(area_m2, dtype=float))
    axis, place = _axis(table, "bound", "lot_area_m2")
    values, rows = _cells(table, column, [(0, k) for k in place], (1, len(axis.nodes)))
    return _read(values, rows, None, axis, np.zeros(len(area)), area)


def look_up_by_height_and_area(table: NormTable, column: str, height_m: ArrayLike, area_m2: ArrayLike) -> GridValues:
    """Look up a table of heights by lot areas: linear both ways between the nearest cells, the edge's value beyond.

    The step from 46 m to "above 46 m" is not interpolated: the row "above" holds as soon as its height is exceeded.

    Parameters
    ----------
    table : NormTable
        Known; with columns ``height_bound``, ``height_m``, ``lot_bound``, ``lot_area_m2``; one row per cell.
    column : str
    height_m, area_m2 : array of float, shape (n,)
        nan where unknown.

    Examples
    --------
    >>> import datetime
    >>> from ..common.norms import load_table
    >>> table = load_table("max_density_apartment", on=datetime.date(2026, 1, 1))
    >>> look_up_by_height_and_area(table, "max_net_density_pct", [16, 17.5], [6500, 10000]).value.tolist()
    [70.0, 62.5]
    """
    height, area = np.broadcast_arrays(np.atleast_1d(np.asarray(height_m, dtype=float)),
                                       np.asarray(area_m2, dtype=float))
    heights, row_place = _axis(table, "height_bound", "height_m")
    areas, column_place = _axis(table, "lot_bound", "lot_area_m2")
    values, rows = _cells(table, column, list(zip(row_place, column_place)), (len(heights.nodes), len(areas.nodes)))
    return _read(values, rows, heights, areas, height, area)


def least_sure(rows: Sequence[Row]) -> str:
    """Return the confidence of the least sure of several rows."""
    return CONFIDENCE[max(CONFIDENCE.index(str(row["confidence"])) for row in rows)]


def _axis(table: NormTable, bound: str, value: str) -> tuple[_Axis, list[int]]:
    keys = [(row[bound] == ">", row[value]) for row in table.rows]
    if any(node is None for _, node in keys):
        raise _faulty(table)
    order = sorted(set(keys))
    nodes = np.array([node for _, node in order], dtype=float)
    return _Axis(nodes, sum(not above for above, _ in order)), [order.index(key) for key in keys]


def _cells(
    table: NormTable, column: str, places: list[tuple[int, int]], shape: tuple[int, int]
) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    values, rows = np.full(shape, np.nan), np.full(shape, -1)
    for number, (row, place) in enumerate(zip(table.rows, places)):
        values[place] = np.nan if row[column] is None else row[column]
        rows[place] = number
    if np.isnan(values).any() or len(places) != values.size:
        raise _faulty(table)
    return values, rows


def _faulty(table: NormTable) -> InputError:
    return InputError(say("Bảng {file} phải có đúng một giá trị cho mỗi ô (mỗi chiều cao và mỗi diện tích lô đất).",
                          "The table {file} must have exactly one value for every height and every lot area.")
                      .format(file=table.origin))


def _read(
    values: NDArray[np.float64], rows: NDArray[np.intp], heights: _Axis | None, areas: _Axis,
    height: NDArray[np.float64], area: NDArray[np.float64],
) -> GridValues:
    left, right, along = areas.between(area)
    # The whole column of the table at each lot's area, so that an unknown height still has its range.
    columns = values[:, left] + (values[:, right] - values[:, left]) * along
    which = np.arange(len(area))
    if heights is None:
        low = high = np.zeros(len(area), dtype=np.intp)
        value = columns[0]
    else:
        low, high, down = heights.between(height)
        value = columns[low, which] + (columns[high, which] - columns[low, which]) * down
    lowest, highest = columns.min(axis=0), columns.max(axis=0)
    any_height = np.isnan(height) if heights is not None else np.zeros(len(area), dtype=bool)
    value = np.where(any_height, np.where(highest - lowest < 1e-9, lowest, np.nan), value)
    lowest, highest = (np.where(any_height, limit, value) for limit in (lowest, highest))
    no_area = np.isnan(area)
    value, lowest, highest = (np.where(no_area, np.nan, x) for x in (value, lowest, highest))
    labels, numbers = _labels(rows, heights, areas, low, high, left, right, any_height, no_area)
    return GridValues(value, lowest, highest, labels, numbers, ((low != high) & ~any_height) | (left != right))


def _labels(
    rows: NDArray[np.intp], heights: _Axis | None, areas: _Axis, low: NDArray[np.intp], high: NDArray[np.intp],
    left: NDArray[np.intp], right: NDArray[np.intp], any_height: NDArray[np.bool_], no_area: NDArray[np.bool_],
) -> tuple[NDArray[np.object_], list[tuple[int, ...]]]:
    known: dict[tuple, tuple[str, tuple[int, ...]]] = {}
    texts, numbers = np.full(len(low), "", dtype=object), []
    for k, case in enumerate(zip(low, high, left, right, any_height, no_area)):
        if case not in known:
            known[case] = ("", ()) if case[5] else _label(rows, heights, areas, case)
        texts[k] = known[case][0]
        numbers.append(known[case][1])
    return texts, numbers


def _label(rows: NDArray[np.intp], heights: _Axis | None, areas: _Axis, case: tuple) -> tuple[str, tuple[int, ...]]:
    low, high, left, right, any_height, _ = case
    parts = []
    if heights is not None:
        parts.append(say("mọi chiều cao", "all heights") if any_height
                     else say("cao {h}", "height {h}").format(h=heights.label(low, high, "m")))
    parts.append(say("lô {a}", "lot {a}").format(a=areas.label(left, right, "m²")))
    text = ", ".join(parts)
    if left != right or (low != high and not any_height):
        text += say(" (nội suy)", " (interpolated)")
    used = rows[:, [left, right]] if any_height else rows[np.ix_([low, high], [left, right])]
    return text, tuple(sorted({int(number) for number in used.ravel()}))


def _number(value: float) -> str:
    return format_number(value, 0 if value == round(value) else 1)
