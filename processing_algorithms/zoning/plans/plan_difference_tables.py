"""The difference of two versions of a plan as a workbook: land by function, moves, figures, pieces of land."""

from __future__ import annotations

import numpy as np
import pandas

from ...common.language import speaking
from ...common.numbers_vi import format_number
from ...common.rounding import round_closed
from ...common.workbook import Column, Sheet
from ...provincial_database.catalogue import load_catalogue
from .plan_difference import KINDS, PlanDifference, summary_of

#: Square metres are printed with this many decimals; everything shown adds up at them.
_DECIMALS = 1
_KINDS = {"same": "không đổi", "renamed": "đổi ký hiệu", "figures": "đổi chỉ tiêu", "function": "đổi chức năng",
          "added": "thêm", "removed": "bớt"}
_NO_FUNCTION = "(chưa có chức năng)"


def difference_sheets(result: PlanDifference, *, subtitle: str) -> list[Sheet]:
    """Return the workbook's sheets, in Vietnamese; areas are rounded once, so that every sum shown closes."""
    with speaking("vi"):
        moves = result.moves.copy()
        moves["area_m2"] = round_closed(moves["area_m2"], _DECIMALS)
        moves["within_tolerance_m2"] = np.minimum(moves["within_tolerance_m2"].round(_DECIMALS), moves["area_m2"])
        return [_by_function(result, moves, subtitle), _moves(moves, subtitle), _figures(result.figures, subtitle),
                _land(result, subtitle)]


def _by_function(result: PlanDifference, moves: pandas.DataFrame, subtitle: str) -> Sheet:
    columns = [Column("STT", 0, 6), Column("Chức năng sử dụng đất", width=38), Column("Mã", width=9),
               Column("Phiên bản trước (m²)", _DECIMALS, 14), Column("Giảm (m²)", _DECIMALS, 13),
               Column("Tăng (m²)", _DECIMALS, 13), Column("Phiên bản sau (m²)", _DECIMALS, 14),
               Column("Chênh lệch (m²)", _DECIMALS, 13),
               Column("Trong đó trong hạn sai ghép bản đồ (m²)", _DECIMALS, 16)]
    summary, words = summary_of(moves[moves["area_m2"] > 0]), function_words()
    rows: list[list[object]] = [
        [number, words.get(row.function, row.function) or _NO_FUNCTION, row.function or None, row.before_m2,
         row.lost_m2,
         row.gained_m2, row.after_m2, row.difference_m2, row.within_tolerance_m2]
        for number, row in enumerate(summary.itertuples(), start=1)]
    added = float(moves.loc[moves["before_function"].isna(), "area_m2"].sum())
    removed = float(moves.loc[moves["after_function"].isna(), "area_m2"].sum())
    before, after = float(summary["before_m2"].sum()), float(summary["after_m2"].sum())
    rows.append([None, "Tổng diện tích các ô", None, before, None, None, after, round(after - before, _DECIMALS), None])
    said = [f"Đất có thêm so với phiên bản trước: {format_number(added, _DECIMALS)} m²; bớt đi: "
            f"{format_number(removed, _DECIMALS)} m². Giảm và tăng là đất đổi chức năng, thêm hoặc bớt.",
            f"Phần hẹp do vẽ lại ranh giới (không rộng hơn {format_number(result.tolerance_m, 2)} m) được tính và nêu riêng; "
            f"{result.tolerance_source}."]
    for which, doubled in (("trước", result.doubled_before_m2), ("sau", result.doubled_after_m2)):
        if doubled > 0.05:
            said.append(f"Phiên bản {which} có ô chồng lấn nhau, đã trừ {format_number(doubled, _DECIMALS)} m² tính trùng.")
    return Sheet("Theo chức năng", columns, rows, title="SO SÁNH CƠ CẤU SỬ DỤNG ĐẤT HAI PHIÊN BẢN QUY HOẠCH",
                 subtitle=subtitle, notes=said, bold_rows={len(rows) - 1})


def _moves(moves: pandas.DataFrame, subtitle: str) -> Sheet:
    columns = [Column("STT", 0, 6), Column("Phiên bản trước", width=38), Column("Phiên bản sau", width=38),
               Column("Diện tích (m²)", _DECIMALS, 14), Column("Trong hạn sai ghép bản đồ (m²)", _DECIMALS, 16),
               Column("Số phần", 0, 9)]
    words = function_words()

    def told(code: str | None) -> str:
        if code is None:
            return "(không có ô)"
        return f"{words[code]} ({code})" if code in words else code or _NO_FUNCTION

    # What prints as nothing is left out.
    changed = moves[(moves["before_function"].fillna("\0") != moves["after_function"].fillna("\0"))
                    & (moves["area_m2"] > 0)]
    changed = changed.sort_values("area_m2", ascending=False, kind="stable")
    rows = [[number, told(row.before_function), told(row.after_function), row.area_m2, row.within_tolerance_m2,
             row.pieces]
            for number, row in enumerate(changed.itertuples(), start=1)]
    return Sheet("Chuyển chức năng", columns, rows, title="ĐẤT ĐỔI CHỨC NĂNG, THÊM, BỚT", subtitle=subtitle,
                 notes=[] if rows else ["Không có."])


def _figures(figures: pandas.DataFrame, subtitle: str) -> Sheet:
    columns = [Column("STT", 0, 6), Column("Ô trước", width=14), Column("Ô sau", width=14),
               Column("Chỉ tiêu", width=34),
               Column("Trước", width=16), Column("Sau", width=16), Column("Chênh lệch", 2, 12),
               Column("Trên diện tích (m²)", _DECIMALS, 14)]
    zone = load_catalogue()["zone"]
    labels = {field.name: f"{field.label.vi}" + (f" ({field.unit})" if field.unit in ("%", "m", "m2") else "")
              for field in zone.fields}
    kinds = {value.code: value.label.vi for value in zone.field("density_kind").domain.values}

    def told(field: str, value: str | None) -> str | None:
        if value is None:
            return None
        return kinds.get(value, value) if field == "density_kind" else value.replace(".", ",")

    rows = [[number, row.before_code, row.after_code, labels.get(row.field, row.field),
             told(row.field, row.before_value),
             told(row.field, row.after_value), row.difference, row.area_m2]
            for number, row in enumerate(figures.itertuples(), start=1)]
    return Sheet("Chỉ tiêu thay đổi", columns, rows, title="CHỈ TIÊU SỬ DỤNG ĐẤT QUY HOẠCH THAY ĐỔI", subtitle=subtitle,
                 notes=[] if rows else ["Không có."], frozen_columns=3)


def _land(result: PlanDifference, subtitle: str) -> Sheet:
    columns = [Column("STT", 0, 6), Column("Thay đổi", width=16), Column("Ô trước", width=14),
               Column("Ô sau", width=14),
               Column("Chức năng trước", width=12), Column("Chức năng sau", width=12),
               Column("Diện tích (m²)", _DECIMALS, 14), Column("Trong hạn sai ghép bản đồ", width=14)]
    listed = result.pieces[(result.pieces["kind"] != "same") & (result.pieces["area_m2"].round(_DECIMALS) > 0)]
    rows = [[number, _KINDS[row.kind], row.before_code, row.after_code, row.before_function, row.after_function,
             row.area_m2,
             "có" if row.within_tolerance else None] for number, row in enumerate(listed.itertuples(), start=1)]
    assert set(_KINDS) == set(KINDS)
    return Sheet("Từng phần đất", columns, rows, title="TỪNG PHẦN ĐẤT THAY ĐỔI", subtitle=subtitle,
                 notes=[] if rows else ["Không có."])


def function_words() -> dict[str, str]:
    """Return the functions' names by code, in the current language."""
    return {value.code: str(value.label)
            for value in load_catalogue()["zone"].field("function_code").domain.values}
