"""The land balance as printed: the table, the norms, the consultant's table, what was found."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas

from ...common.areas import HECTARE
from ...common.language import say, speaking
from ...common.norms.loader import confidence_label
from ...common.numbers_vi import format_number
from ...common.workbook import Column, Sheet
from ..compliance.verdicts import Verdict
from .land_balance import GROUPS, LandBalance
from .land_balance_norms import limit_text
from .stated_balance import StatedTable

_NUMERALS = ("I", "II", "III", "IV")
#: What a comparison says, by its code.
RESULTS = {"same": ("khớp", "same"), "different": ("lệch", "different"), "part": ("thành phần", "part"),
           "unmatched": ("không ghép được", "unmatched"), "unread": ("không đọc được", "not read"),
           "missing": ("thiếu trong bảng của tư vấn", "missing in the consultant's table")}
_MATCHED = {"code": "theo ký hiệu", "name": "theo tên", "alike": "theo tên gần giống", "total": "dòng tổng", "group": "dòng nhóm", "": ""}


def balance_frame(balance: LandBalance, comparison: pandas.DataFrame | None) -> pandas.DataFrame:
    """Return the rows as the output table; with the consultant's figures where they are given."""
    frame = balance.rows.copy()
    for column in ("code", "group", "group_confidence"):
        frame[column] = frame[column].where(frame[column] != "", None)
    if comparison is not None:
        stated = (
            comparison[comparison["result"].isin(("same", "different"))]
            .drop_duplicates("code")
            .set_index("code")["stated_m2"]
        )
        keys = balance.rows["code"].where(balance.rows["kind"] == "function",
                                          "@" + balance.rows["kind"].replace("boundary", "total"))
        keys = keys.where(balance.rows["kind"] != "total", "")
        frame["stated_ha"] = keys.map(stated) / HECTARE
        frame["difference_ha"] = frame["stated_ha"] - frame["area_ha"]
    return frame


def balance_sheets(
    balance: LandBalance, norms: pandas.DataFrame, stated: StatedTable | None, comparison: pandas.DataFrame | None, *,
    subtitle: str, notes: Sequence[str],
) -> list[Sheet]:
    """Return the workbook's sheets, in Vietnamese."""
    with speaking("vi"):
        sheets = [_table(balance, subtitle, notes), _norms(norms)]
        if comparison is not None and stated is not None:
            sheets.append(_comparison(balance, stated, comparison))
        if balance.overlapping or balance.unknown_ids or balance.blank_ids or balance.matched or balance.gap_parts:
            sheets.append(_findings(balance))
    return sheets


def _table(balance: LandBalance, subtitle: str, notes: Sequence[str]) -> Sheet:
    rows, decimals = balance.rows, balance.decimals
    columns = [Column("STT", 0, 6), Column("Chức năng sử dụng đất", width=38), Column("Ký hiệu", width=10),
               Column("Diện tích (ha)", decimals, 13), Column("Tỷ lệ (%)", 2, 10), Column("Chỉ tiêu (m²/người)", 2, 12)]
    people = balance.population
    lines: list[list[object]] = []
    bold, indents = set(), {}
    functions = rows[rows["kind"] == "function"]
    ours = False
    for numeral, group in zip(_NUMERALS, (key for key in GROUPS if (functions["group"] == key).any())):
        own = functions[functions["group"] == group]
        bold.add(len(lines))
        area = round(float(own["area_ha"].sum()), decimals)
        lines.append([numeral, GROUPS[group][0], "", area, round(float(own["share_pct"].sum()), 2),
                      float(own["area_m2"].sum()) / people if people else None])
        for number, row in enumerate(own.itertuples(), start=1):
            indents[len(lines)] = 1
            mark = "*" if row.group_confidence in ("analogy", "memory") else ""
            ours |= bool(mark)
            lines.append([number, row.name + mark, row.code, row.area_ha, row.share_pct,
                          row.m2_per_person if people else None])
    for kind in ("total", "overlap", "outside", "gap", "boundary"):
        row = rows[rows["kind"] == kind].iloc[0]
        bold.add(len(lines))
        lines.append(["", row["name"], "", row["area_ha"], row["share_pct"],
                      row["m2_per_person"] if people and kind == "boundary" else None])
    told = [
        f"Dân số: {format_number(people)} người."
        if people
        else "Chưa có dân số: không tính chỉ tiêu đất theo đầu người."
    ]
    if ours:
        told.append("* Xếp nhóm theo cách hiểu của phần mềm, cần xác nhận; các nhóm còn lại theo lớp của "
                    "Thông tư 16/2025/TT-BXD phụ lục I.")
    return Sheet("Cân bằng đất", columns, lines, title="BẢNG CÂN BẰNG SỬ DỤNG ĐẤT", subtitle=subtitle,
                 notes=[*told, *notes],
                 bold_rows=bold, indents=indents, frozen_columns=2)


def _norms(norms: pandas.DataFrame) -> Sheet:
    columns = [Column("Loại đất", width=34), Column("Diện tích (ha)", 2, 11), Column("Bình quân (m²/người)", 2, 12),
               Column("Chỉ tiêu (m²/người)", width=16), Column("Chênh lệch", 2, 11), Column("Kết luận", width=23),
               Column("Căn cứ", width=48), Column("Hiệu lực đến", width=12), Column("Độ tin cậy", width=22),
               Column("Lý do", width=40)]
    rows = [[row["name"], row["area_m2"] / HECTARE, row["measured"], limit_text(row), row["margin"],
             Verdict(row["verdict"]).label,
             row["citation"], row["valid_to"] if not pandas.isna(row["valid_to"]) else None,
             confidence_label(row["confidence"]), row["reason"]]
            for _, row in norms.iterrows()]
    return Sheet("So với quy chuẩn", columns, rows, title="SO SÁNH VỚI CHỈ TIÊU ĐẤT THEO ĐẦU NGƯỜI CỦA QCVN 01",
                 notes=["Ghép chức năng với chỉ tiêu là gán của phần mềm, cần xác nhận."],
                 frozen_columns=1)


def _comparison(balance: LandBalance, stated: StatedTable, comparison: pandas.DataFrame) -> Sheet:
    decimals = balance.decimals
    columns = [Column("Dòng trong tệp", 0, 9), Column("Nội dung của tư vấn", width=40), Column("Ghép với", width=11),
               Column("Cách ghép", width=18), Column("Tư vấn (ha)", max(decimals, 2), 13),
               Column("Đo trên bản đồ (ha)", max(decimals, 2), 13),
               Column("Chênh lệch (ha)", max(decimals, 2), 13), Column("Kết quả", width=28),
               Column("Ghi chú", width=32)]
    rows, bold = [], set()
    for row in comparison.itertuples():
        if row.result not in ("same", "part"):
            bold.add(len(rows))
        code = {"@total": "Tổng", "@civil": "Nhóm I", "@non_civil": "Nhóm II", "@other": "Nhóm III"}.get(
            row.code, row.code
        )
        rows.append([None if pandas.isna(row.line) else int(row.line), row.stated_text, code, _MATCHED[row.matched],
                     row.stated_m2 / HECTARE,
                     row.ours_ha if row.result != "part" else np.nan, row.difference_ha, say(*RESULTS[row.result]),
                     row.note])
    return Sheet("So với bảng tư vấn", columns, rows, title="SO SÁNH VỚI BẢNG CÂN BẰNG ĐẤT CỦA TƯ VẤN",
                 subtitle=f"Trang \"{stated.sheet}\", tiêu đề dòng {stated.header_line}, cột \"{stated.area_header}\", đơn vị {stated.unit.replace('m2', 'm²')}",
                 notes=["Khớp: diện tích đo chưa làm tròn lệch không quá một đơn vị của chữ số cuối trong bảng của tư vấn (làm tròn khớp "
                        "tổng); cột đo và cột chênh lệch là số đã làm tròn ở trang \"Cân bằng đất\".",
                        "Dòng in đậm cần xem lại."], bold_rows=bold, frozen_columns=2)


def _findings(balance: LandBalance) -> Sheet:
    rows: list[list[object]] = [["Chức năng không có trong danh mục", str(id_), "", None]
                                for id_ in balance.unknown_ids]
    rows += [["Không ghi chức năng", str(id_), "", None] for id_ in balance.blank_ids]
    rows += [["Ghi tên, hiểu là chức năng", text, code, None] for text, code in balance.matched.items()]
    rows += [["Ô chồng lấn nhau", str(a), str(b), m2]
             for a, b, m2 in sorted(balance.overlapping, key=lambda pair: -pair[2])]
    if balance.gap_parts:
        rows.append(["Phần ranh giới chưa có ô", f"{balance.gap_parts} mảnh", "", balance.closing("gap")])
    return Sheet("Cần kiểm tra",
                 [Column("Nội dung", width=36), Column("fid hoặc giá trị", width=26), Column("và", width=14),
                                  Column("Diện tích (m²)", 2, 14)], rows, title="NỘI DUNG CẦN KIỂM TRA")
