"""The change matrix as people get it: one long table for programs, one workbook in the layout of form 05/TKKK."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas
import scipy.sparse
from numpy.typing import NDArray

from ..common.areas import HECTARE
from ..common.language import speaking
from ..common.numbers_vi import format_number
from ..common.rounding import round_closed
from ..common.workbook import Column, Sheet
from .change_matrix import LandUseChange
from .closed_tables import round_closed_sums

#: Rows listed at most on the sheets that help checking.
MOST_LISTED = 1000


@dataclass(frozen=True)
class Printed:
    """Hectares, rounded so that rows, columns and totals close; shapes as in `LandUseChange`."""

    area: NDArray[np.float64]
    noise: NDArray[np.float64]
    only_before: NDArray[np.float64]
    only_after: NDArray[np.float64]
    shared_before: NDArray[np.float64]
    shared_after: NDArray[np.float64]


def printed(change: LandUseChange, decimals: int = 2) -> Printed:
    """Round the matrix: cells, decreases, increases, noise, and the common area all close."""
    size = len(change.types)
    cells = np.concatenate([change.area.ravel(), change.noise.ravel()]) / HECTARE
    rounded = round_closed_sums(cells, _sums(size), decimals)

    def alone(values: NDArray[np.float64]) -> NDArray[np.float64]:
        return round_closed(np.maximum(values, 0) / HECTARE, decimals)

    return Printed(rounded[:size * size].reshape(size, size), rounded[size * size:].reshape(size, size),
                   alone(change.only_before), alone(change.only_after), alone(change.shared_before),
                   alone(change.shared_after))


def _sums(size: int) -> scipy.sparse.spmatrix:
    """Sums shown: in every row, then in every column, what changed, the noise, and both with what did not change."""
    row, column = np.divmod(np.arange(size * size), size)
    off = row != column
    indicators = []
    for line in (row, column):
        by_line = scipy.sparse.csr_matrix((np.ones(size * size), (line, np.arange(size * size))),
                                          shape=(size, size * size))
        nothing = scipy.sparse.csr_matrix(by_line.shape)
        changed = by_line.multiply(off[None, :])
        indicators += [scipy.sparse.hstack([changed, nothing]), scipy.sparse.hstack([nothing, by_line]),
                       scipy.sparse.hstack([by_line, by_line])]
    return scipy.sparse.vstack(indicators).tocsr()


def matrix_frame(change: LandUseChange, decimals: int = 2) -> pandas.DataFrame:
    """Return the long table: one record per pair of land types and kind, then the totals.

    Fields
    ------
    kind : str
        ``unchanged``, ``changed``, ``noise`` (changed within the drawing tolerance), ``only_before``, ``only_after``;
        totals ``common`` (sum of the first three), ``before_total``, ``after_total`` (areas of the layers); and where a
        layer overlaps itself ``shared_before``, ``shared_after`` (to subtract from rows, columns),
        ``doubled_before``, ``doubled_after`` (counted more than once in the layer) and ``common_ground``.
    before_code, before_name, after_code, after_name : str or null
    area_m2, area_ha : float
        Unrounded; rounded so that sums close.
    pieces : int
        Of changed land and of noise.
    """
    figures = printed(change, decimals)
    types = change.types
    records: list[dict[str, object]] = []

    def add(kind: str, former: int | None, later: int | None, area: float, area_ha: float,
            pieces: int | None = None) -> None:
        record: dict[str, object] = {"kind": kind}
        for side, position in (("before", former), ("after", later)):
            record[f"{side}_code"] = types[position].code or None if position is not None else None
            record[f"{side}_name"] = types[position].name if position is not None else None
        records.append({**record, "area_m2": float(area), "area_ha": round(float(area_ha), decimals), "pieces": pieces})

    for former, later in zip(*np.nonzero(change.area > 0)):
        kind = "unchanged" if former == later else "changed"
        count = int(change.piece_count[former, later]) if kind == "changed" else None
        add(kind, former, later, change.area[former, later], figures.area[former, later], count)
    for former, later in zip(*np.nonzero(change.noise > 0)):
        add("noise", former, later, change.noise[former, later], figures.noise[former, later],
            int(change.noise_count[former, later]))
    for kind, exact, rounded in (("only_before", change.only_before, figures.only_before),
                                 ("shared_before", change.shared_before, figures.shared_before)):
        for k in np.flatnonzero(exact > 0):
            add(kind, int(k), None, exact[k], rounded[k])
    for kind, exact, rounded in (("only_after", change.only_after, figures.only_after),
                                 ("shared_after", change.shared_after, figures.shared_after)):
        for k in np.flatnonzero(exact > 0):
            add(kind, None, int(k), exact[k], rounded[k])
    common_ha = figures.area.sum() + figures.noise.sum()
    add("common", None, None, change.common, common_ha)
    add("before_total", None, None, change.before_total,
        common_ha + figures.only_before.sum() - figures.shared_before.sum())
    add("after_total", None, None, change.after_total,
        common_ha + figures.only_after.sum() - figures.shared_after.sum())
    if change.doubled_before > 0 or change.doubled_after > 0:
        for kind, value in (("doubled_before", change.doubled_before), ("doubled_after", change.doubled_after),
                            ("common_ground", change.common_ground)):
            add(kind, None, None, value, value / HECTARE)
    frame = pandas.DataFrame.from_records(records)
    frame["pieces"] = frame["pieces"].astype("Int64")
    return frame


def change_sheets(change: LandUseChange, *, subtitle: str, notes: Sequence[str], decimals: int = 2) -> list[Sheet]:
    """Return the workbook's sheets, in Vietnamese: the matrix, the changes by size, and what was found in checking."""
    with speaking("vi"):
        figures = printed(change, decimals)
        sheets = [_matrix_sheet(change, figures, subtitle, notes, decimals),
                  _list_sheet(change, figures, subtitle, decimals)]
        if change.overlapping_before or change.overlapping_after:
            sheets.append(_findings_sheet(change))
    return sheets


def _matrix_sheet(change: LandUseChange, figures: Printed, subtitle: str, notes: Sequence[str], decimals: int) -> Sheet:
    types = change.types
    labels = [node.code or node.name for node in types]
    area, size = figures.area, len(types)
    some_shared = figures.shared_before.sum() + figures.shared_after.sum() > 0
    decrease = area.sum(axis=1) - np.diag(area)
    increase = area.sum(axis=0) - np.diag(area)
    noise_out, noise_in = figures.noise.sum(axis=1), figures.noise.sum(axis=0)
    opening = area.sum(axis=1) + noise_out + figures.only_before - figures.shared_before
    closing = area.sum(axis=0) + noise_in + figures.only_after - figures.shared_after

    columns = [Column("STT", width=6), Column("Loại đất", width=40), Column("Mã", width=9),
               Column("Diện tích đầu kỳ", decimals), *(Column(label, decimals) for label in labels),
               Column("Cộng giảm", decimals), Column("Nhiễu ranh giới", decimals),
               Column("Giảm khác (ngoài lớp sau)", decimals)]
    if some_shared:
        columns.append(Column("Trừ tính trùng", decimals))

    def blank_if_zero(values: NDArray[np.float64]) -> list[object]:
        return [float(value) if abs(value) > 10.0 ** -(decimals + 1) else None for value in values]

    lines: list[list[object]] = []
    for k, node in enumerate(types):
        line = [k + 1, node.name, node.code, float(opening[k]), *blank_if_zero(area[k]), float(decrease[k]),
                float(noise_out[k]), float(figures.only_before[k])]
        lines.append(line + [float(figures.shared_before[k])] if some_shared else line)
    bold = set(range(size, size + (6 if some_shared else 5)))

    def foot(name: str, first: float | None, values: NDArray[np.float64], rest: Sequence[float | None]) -> None:
        line = ["", name, "", first, *map(float, values), *rest]
        lines.append(line + [None] * (len(columns) - len(line)))

    common = [float(decrease.sum()), float(noise_out.sum()), float(figures.only_before.sum())]
    foot("Cộng tăng", None, increase, [])
    foot("Nhiễu ranh giới", None, noise_in, [None, float(noise_in.sum())])
    foot("Tăng khác (ngoài lớp trước)", None, figures.only_after, [])
    if some_shared:
        foot("Trừ tính trùng", None, figures.shared_after, [])
    foot("Diện tích cuối kỳ", float(opening.sum()), closing,
         [*common, *([float(figures.shared_before.sum())] if some_shared else [])])
    foot("Tăng (+), giảm (-) so với đầu kỳ", float(closing.sum() - opening.sum()), closing - opening, [])
    total = area.sum() + figures.noise.sum()
    told = [f"Diện tích chung của hai lớp: {_ha(total, decimals)} ha; trong đó không đổi {_ha(np.trace(area), decimals)} ha, chu chuyển "
            f"{_ha(decrease.sum(), decimals)} ha, nhiễu ranh giới {_ha(noise_out.sum(), decimals)} ha.",
            "Đọc theo hàng: loại đất đầu kỳ chuyển sang loại đất ở cột. Đường chéo: diện tích không đổi. "
            "Cuối kỳ = không đổi + cộng tăng + nhiễu ranh giới + tăng khác" + (" - tính trùng." if some_shared else ".")]
    return Sheet("Chu chuyển diện tích", columns, lines, title="CHU CHUYỂN DIỆN TÍCH CÁC LOẠI ĐẤT", subtitle=subtitle,
                 notes=[*told, *notes], bold_rows=bold, frozen_columns=4)


def _ha(value: float, decimals: int) -> str:
    return format_number(float(value), decimals)


def _list_sheet(change: LandUseChange, figures: Printed, subtitle: str, decimals: int) -> Sheet:
    types = change.types
    former, later = np.nonzero((change.area > 0) & ~np.eye(len(types), dtype=bool))
    order = np.argsort(-change.area[former, later], kind="stable")
    lines = [[number, types[former[k]].name, types[former[k]].code, types[later[k]].name, types[later[k]].code,
              float(figures.area[former[k], later[k]]), int(change.piece_count[former[k], later[k]])]
             for number, k in enumerate(order, start=1)]
    total = sum(line[5] for line in lines)
    lines.append(["", "Tổng cộng", "", "", "", float(total), int(sum(line[6] for line in lines))])
    columns = [Column("STT", width=6), Column("Từ loại đất", width=36), Column("Mã"), Column("Sang loại đất", width=36),
               Column("Mã"),
               Column("Diện tích (ha)", decimals), Column("Số phần", 0)]
    return Sheet("Các biến động", columns, lines, title="CÁC BIẾN ĐỘNG XẾP THEO DIỆN TÍCH", subtitle=subtitle,
                 bold_rows={len(lines) - 1}, frozen_columns=1)


def _findings_sheet(change: LandUseChange) -> Sheet:
    lines = [[name, str(a), str(b)]
             for name, pairs in (("Lớp trước", change.overlapping_before), ("Lớp sau", change.overlapping_after))
             for a, b in pairs[:MOST_LISTED]]
    note = (f"Khoanh đất chồng nhau: lớp trước {len(change.overlapping_before)} cặp, {_ha(change.doubled_before, 1)} m² tính trùng; lớp sau "
            f"{len(change.overlapping_after)} cặp, {_ha(change.doubled_after, 1)} m². Mỗi lớp liệt kê nhiều nhất {MOST_LISTED} cặp.")
    return Sheet("Cần kiểm tra", [Column("Lớp", width=16), Column("fid", width=16), Column("chồng lên fid", width=16)],
                 lines,
                 title="KHOANH ĐẤT CHỒNG LÊN NHAU", notes=[note])
