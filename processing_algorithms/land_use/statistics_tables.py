"""Statistics as people get them: one long table for programs, one workbook for print, figures that close in both."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas
import scipy.sparse
from numpy.typing import NDArray

from ..common.areas import HECTARE
from ..common.language import say, speaking
from ..common.rounding import round_closed
from ..common.workbook import Column, Sheet
from .closed_tables import round_closed_sums
from .land_types import STATUS_NAMES, Node, Status, subtotals
from .statistics import Statistics

#: Overlapping pairs listed in the workbook; all of them are counted.
MOST_PAIRS = 1000


@dataclass(frozen=True)
class Printed:
    """Hectares and percent, rounded so that they close.

    Attributes
    ----------
    own : array, shape (rows, columns)
        Own codes; the columns are the units, then what is outside them; without units one column.
    shared : array, shape (rows,)
    doubled : array, shape (columns,)
    doubled_shared : float
    share : array, shape (rows,)
        Percent of the total, own codes.
    """

    own: NDArray[np.float64]
    shared: NDArray[np.float64]
    doubled: NDArray[np.float64]
    doubled_shared: float
    share: NDArray[np.float64]


def printed(statistics: Statistics, decimals: int = 2) -> Printed:
    """Round to hectares with the decimals of the form (two in communes' forms)."""
    cells = _columns(statistics) / HECTARE
    tree = _tree_sums(statistics.rows)
    own = round_closed_sums(cells.ravel(), _nested_sums(tree, cells.shape[1]), decimals).reshape(cells.shape)
    doubled = statistics.doubled
    if statistics.units is not None:
        doubled = np.append(doubled, statistics.doubled_outside)
    by_code = statistics.by_code
    share = by_code / statistics.total * 100 if statistics.total > 0 else np.zeros(len(by_code))
    return Printed(
        own=own, shared=round_closed_sums(np.maximum(statistics.shared, 0) / HECTARE, tree, decimals),
        doubled=round_closed(doubled / HECTARE, decimals),
        doubled_shared=float(np.round(statistics.doubled_shared / HECTARE, decimals)),
        share=round_closed_sums(np.maximum(share, 0), tree, 2))


def _columns(statistics: Statistics) -> NDArray[np.float64]:
    return np.column_stack([statistics.own, statistics.outside]) if statistics.units is not None else statistics.own


def _tree_sums(rows: Sequence[Node]) -> scipy.sparse.csr_matrix:
    """One row per node: itself and all below it."""
    members = [[k] for k in range(len(rows))]
    for k in range(len(rows) - 1, -1, -1):
        if rows[k].parent >= 0:
            members[rows[k].parent] += members[k]
    owner = np.repeat(np.arange(len(rows)), [len(group) for group in members])
    flat = np.concatenate([np.asarray(group) for group in members]) if members else np.zeros(0, dtype=int)
    return scipy.sparse.csr_matrix((np.ones(len(flat)), (owner, flat)), shape=(len(rows), len(rows)))


def _nested_sums(tree: scipy.sparse.csr_matrix, columns: int) -> scipy.sparse.spmatrix:
    """The tree within every column, every column, and the tree over all columns; cells row by row."""
    rows = tree.shape[0]
    each_column = scipy.sparse.identity(columns, format="csr")
    return scipy.sparse.vstack([
        scipy.sparse.kron(tree, each_column),
        scipy.sparse.kron(np.ones((1, rows)), each_column),
        scipy.sparse.kron(tree, np.ones((1, columns)))]).tocsr()


def statistics_frame(statistics: Statistics, decimals: int = 2) -> pandas.DataFrame:
    """Return the long table: one record per unit and land type, then totals and checks of the unit.

    Fields
    ------
    unit, unit_kind : str
        ``all`` (the whole layer), ``unit``, ``outside`` (all units), ``shared`` (in more than one unit; to subtract).
    code, name, kind, level
        kind: ``group`` (has rows below), ``code``, ``legacy``, ``overlay``, ``unknown``, ``no_code``; then ``total``,
        ``doubled`` (counted more than once within the layer), ``footprint`` (total - doubled), ``unit_area`` and
        ``gap`` (unit area - footprint).
    area_m2 : float
        Unrounded, with everything below the row. `own_area_m2` is what carries the row's own code.
    area_ha : float
        Rounded so that all sums close. `share_pct` is of the unit's total.
    features : int
        With the row's own code, in the whole layer.
    """
    figures = printed(statistics, decimals)
    rows, units = statistics.rows, statistics.units
    own, own_ha = _columns(statistics), figures.own
    columns: list[tuple[str, str, NDArray[np.float64], NDArray[np.float64]]] = [
        (say("Toàn bộ lớp", "Whole layer"), "all", statistics.by_code, own_ha.sum(axis=1) - figures.shared)]
    doubled = [(statistics.doubled_all, float(figures.doubled.sum() - figures.doubled_shared))]
    if units is not None:
        columns += [(name, "unit", own[:, k], own_ha[:, k]) for k, name in enumerate(units)]
        columns += [(say("Ngoài các đơn vị", "Outside all units"), "outside", own[:, -1], own_ha[:, -1]),
                    (say("Thuộc nhiều đơn vị (trừ)", "In several units (subtract)"), "shared", statistics.shared, figures.shared)]
        doubled += list(zip([*statistics.doubled, statistics.doubled_outside, statistics.doubled_shared],
                            [*figures.doubled, figures.doubled_shared]))
    kinds = row_kinds(rows)
    records: list[dict[str, object]] = []
    for position, ((unit, unit_kind, cells, cells_ha), (double, double_ha)) in enumerate(zip(columns, doubled)):
        sums, sums_ha = subtotals(cells, rows), subtotals(cells_ha, rows)
        total, total_ha = float(cells.sum()), float(cells_ha.sum())
        head = {"unit": unit, "unit_kind": unit_kind}
        for k, node in enumerate(rows):
            if sums[k] > 0 or unit_kind == "all":
                records.append({**head, "code": node.code or None, "name": node.name, "kind": kinds[k],
                                "level": node.level,
                                "area_m2": sums[k], "own_area_m2": cells[k], "area_ha": sums_ha[k],
                                "share_pct": sums[k] / total * 100 if total > 0 else np.nan,
                                "features": int(statistics.features[k])})
        ends = [
            ("total", say("Tổng diện tích", "Total"), total, total_ha),
            ("doubled", say("Tính trùng trong lớp đất (trừ)", "Counted more than once (subtract)"), double, double_ha),
            ("footprint", say("Diện tích thực, không trùng", "Ground covered"), total - double, total_ha - double_ha),
        ]
        if unit_kind == "unit":
            area = float(statistics.unit_area[position - 1])
            ends += [("unit_area", say("Diện tích đơn vị", "Area of the unit"), area, round(area / HECTARE, decimals)),
                     ("gap", say("Chưa có khoanh đất", "Without land polygons"), area - (total - double), np.nan)]
            ends[-1] = (*ends[-1][:3], ends[-2][3] - ends[2][3])
        for kind, name, area, area_ha in ends:
            records.append({**head, "code": None, "name": name, "kind": kind, "level": 0, "area_m2": area,
                            "own_area_m2": np.nan,
                            "area_ha": area_ha, "share_pct": area / total * 100 if total > 0 else np.nan,
                            "features": None})
    frame = pandas.DataFrame.from_records(records)
    frame["area_ha"] = frame["area_ha"].astype(float).round(decimals)
    frame["features"] = frame["features"].astype("Int64")
    return frame


def row_kinds(rows: Sequence[Node]) -> list[str]:
    """Name the kind of every row; rows that have others below them are groups."""
    parents = {node.parent for node in rows}
    return ["group" if k in parents else STATUS_NAMES[node.status] for k, node in enumerate(rows)]


def statistics_sheets(statistics: Statistics, *, subtitle: str, notes: Sequence[str], decimals: int = 2) -> list[Sheet]:
    """Return the workbook's sheets, in Vietnamese: the table by unit, and what was found in checking."""
    with speaking("vi"):
        sheets = [_table_sheet(statistics, subtitle, notes, decimals)]
        if statistics.overlapping_pairs or statistics.overlapping_units or any(statistics.unplaced_ids.values()):
            sheets.append(_findings_sheet(statistics))
    return sheets


def _table_sheet(statistics: Statistics, subtitle: str, notes: Sequence[str], decimals: int) -> Sheet:
    figures = printed(statistics, decimals)
    rows, units = statistics.rows, statistics.units
    own, shared, share = figures.own, figures.shared, figures.share
    sums, sums_shared, sums_share = subtotals(own, rows), subtotals(shared, rows), subtotals(share, rows)
    columns = [Column("STT", width=8), Column("Loại đất", width=44), Column("Mã", width=9),
               Column("Tổng diện tích (ha)", decimals), Column("Cơ cấu (%)", 2)]
    if units is not None:
        columns += [Column(f"{name} (ha)", decimals) for name in units] + [Column("Ngoài các đơn vị (ha)", decimals)]
    some_shared = bool(statistics.shared.any() or statistics.overlapping_units)
    if some_shared:
        columns.append(Column("Thuộc nhiều đơn vị, trừ (ha)", decimals))

    def cells(by_column: NDArray[np.float64], twice: float, percent: float | None) -> list[object]:
        line: list[object] = [float(by_column.sum() - twice), percent]
        if units is not None:
            line += [float(value) for value in by_column]
        return line + [float(twice)] if some_shared else line

    lines: list[list[object]] = []
    bold, indents = set(), {}
    kinds, numbers = row_kinds(rows), _numbers(rows)
    for k, node in enumerate(rows):
        if kinds[k] == "group":
            bold.add(len(lines))
        indents[len(lines)] = node.level
        lines.append([numbers[k], node.name, node.code, *cells(sums[k], sums_shared[k], float(sums_share[k]))])
        if kinds[k] == "group" and statistics.own[k].sum() + statistics.outside[k] > 0:
            indents[len(lines)] = node.level + 1
            lines.append(["", f"Ghi mã {node.code}, chưa phân loại chi tiết", node.code,
                          *cells(own[k], shared[k], float(share[k]))])
    total, total_shared = own.sum(axis=0), float(shared.sum())
    footer = [("Tổng diện tích", cells(total, total_shared, float(share.sum())))]
    if statistics.doubled_all > 0:
        footer += [("Trừ: tính trùng do các khoanh đất chồng lên nhau",
                    cells(figures.doubled, figures.doubled_shared, None)),
                   ("Diện tích thực, không trùng",
                    cells(total - figures.doubled, total_shared - figures.doubled_shared, None))]
    if units is not None:
        area = np.round(statistics.unit_area / HECTARE, decimals)
        empty: list[object] = [None] * (1 + some_shared)
        gap = area - (total - figures.doubled)[:-1]
        footer += [("Diện tích đơn vị theo lớp đơn vị", [None, None, *map(float, area), *empty]),
                   ("Phần đơn vị chưa có khoanh đất",
                    [None, None, *(float(round(value, decimals)) for value in gap), *empty])]
    for name, line in footer:
        bold.add(len(lines))
        lines.append(["", name, "", *line])
    return Sheet("Thống kê diện tích", columns, lines, title="THỐNG KÊ DIỆN TÍCH THEO LOẠI ĐẤT", subtitle=subtitle,
                 notes=notes,
                 bold_rows=bold, indents=indents, frozen_columns=3)


def _numbers(rows: Sequence[Node]) -> list[str]:
    """Number the rows as the forms do: 1, 1.1, 1.1.1."""
    counts: dict[int, int] = {}
    numbers: list[str] = []
    for node in rows:
        counts[node.parent] = counts.get(node.parent, 0) + 1
        prefix = numbers[node.parent] + "." if node.parent >= 0 else ""
        numbers.append(f"{prefix}{counts[node.parent]}")
    return numbers


def _findings_sheet(statistics: Statistics) -> Sheet:
    lines: list[list[object]] = []
    for status, text in (
        (Status.UNKNOWN, "Mã không có trong danh mục loại đất"),
        (Status.MISSING, "Không ghi mã loại đất"),
    ):
        lines += [[text, str(identifier), ""] for identifier in statistics.unplaced_ids[status][:MOST_PAIRS]]
    lines += [["Khoanh đất chồng lên nhau", str(a), str(b)] for a, b in statistics.overlapping_pairs[:MOST_PAIRS]]
    lines += [["Đơn vị chồng lên nhau", a, b] for a, b in statistics.overlapping_units[:MOST_PAIRS]]
    counts = (f"Khoanh đất chồng nhau: {len(statistics.overlapping_pairs)} cặp; mã lạ: "
              f"{len(statistics.unplaced_ids[Status.UNKNOWN])}; không ghi mã: {len(statistics.unplaced_ids[Status.MISSING])} "
              f"đối tượng. Mỗi loại liệt kê nhiều nhất {MOST_PAIRS} dòng.")
    return Sheet("Cần kiểm tra",
                 [Column("Nội dung", width=44), Column("fid hoặc tên", width=24), Column("và", width=24)], lines,
                 title="ĐỐI TƯỢNG CẦN KIỂM TRA", notes=[counts])
