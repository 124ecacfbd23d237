"""The editable report of `zoning_compliance`: lots, what does not comply, what cannot be judged, all checks by lot."""

from __future__ import annotations

from collections.abc import Sequence

import pandas

from ...common.language import speaking
from ...common.numbers_vi import format_date, format_number
from ...common.workbook import Column, Sheet
from .compliance_checks import RULES, label
from .verdicts import Verdict
from .zoning_compliance import ZoningCompliance

#: Lots beyond this number are listed only where something is broken or open.
_MOST_ROWS = 20_000
_KINDS = {"house": "Nhà ở riêng lẻ", "apartment": "Chung cư", "mixed": "Thương mại dịch vụ, hỗn hợp", "industry": "Công nghiệp, kho",
          "public_service": "Công trình công cộng", "other": "Khác", "": "Chưa xác định"}
_CHECK_COLUMNS = (Column("Nội dung kiểm tra", width=34), Column("Công trình (fid)", width=10),
                  Column("Giá trị đo", width=10),
                  Column("Giới hạn", width=17), Column("Chênh lệch", width=10), Column("Đơn vị", width=8),
                  Column("Kết luận", width=22), Column("Căn cứ", width=44), Column("Lý do, ghi chú", width=44))


def compliance_sheets(result: ZoningCompliance, *, subtitle: str, notes: Sequence[str]) -> list[Sheet]:
    """Return the workbook's sheets, in Vietnamese."""
    with speaking("vi"):
        checks = result.checks.drop(columns=result.checks.geometry.name)
        broken, still_open = (checks[checks["verdict"] == one.value] for one in (Verdict.BROKEN, Verdict.OPEN))
        return [_lots(result, subtitle, notes), _by_lot(broken, "Chưa phù hợp", "CÁC NỘI DUNG CHƯA PHÙ HỢP", subtitle),
                _by_lot(still_open, "Chưa đủ căn cứ", "CÁC NỘI DUNG CHƯA ĐỦ CĂN CỨ ĐÁNH GIÁ", subtitle),
                _all_checks(checks, subtitle), _method(result)]


def _lots(result: ZoningCompliance, subtitle: str, notes: Sequence[str]) -> Sheet:
    columns = [Column("STT", 0, 6), Column("Lô đất", width=12), Column("Ô quy hoạch", width=14),
               Column("Chức năng", width=9),
               Column("Loại lô tra quy chuẩn", width=28), Column("Diện tích (m²)", 1, 12),
               Column("Số công trình", 0, 9),
               Column("Mật độ xây dựng (%)", 1, 11), Column("Hệ số sử dụng đất (lần)", 2, 11), Column("Tầng cao nhất", 0, 8),
               Column("Chiều cao nhất (m)", 1, 10), Column("Chưa phù hợp", 0, 9), Column("Chưa đủ căn cứ", 0, 9),
               Column("Kết luận", width=23)]
    lots = result.lots[result.lots["buildings"] > 0]
    rows = [[number, lot.lot, lot.zone_code, lot.function_code, _KINDS[lot.lot_kind], lot.area_m2, lot.buildings,
             lot.density_pct,
             lot.far, lot.max_storeys, lot.max_height_m, lot.broken, lot.open,
             Verdict(lot.verdict).label if lot.verdict else "không có nội dung kiểm tra"]
            for number, lot in enumerate(lots.itertuples(), start=1)]
    counts = [f"Số nội dung kiểm tra: {len(result.checks)}; phù hợp {result.count(Verdict.KEPT)}, chưa phù hợp "
              f"{result.count(Verdict.BROKEN)}, chưa đủ căn cứ đánh giá {result.count(Verdict.OPEN)}.",
              f"{result.without_buildings} lô không có công trình, không liệt kê."]
    return Sheet("Theo lô đất", columns, rows, title="BẢNG TỔNG HỢP KIỂM TRA LÔ ĐẤT VÀ CÔNG TRÌNH", subtitle=subtitle,
                 notes=[*counts, *notes], frozen_columns=2)


def _limit(check: pandas.Series) -> str:
    _, _, _, decimals, upper = RULES[check.rule]
    sign = "≤" if upper else "≥"
    if check.limit == check.limit:
        return f"{sign} {format_number(check.limit, decimals)}"
    ends = [value for value in (check.limit_strictest, check.limit_loosest) if value == value]
    if not ends:
        return "chưa xác định"
    if len(ends) == 1:
        return f"{sign} {format_number(ends[0], decimals)} hoặc không khống chế"
    return f"{sign} {format_number(min(ends), decimals)} đến {format_number(max(ends), decimals)}"


def _row(check: pandas.Series) -> list[object]:
    fid = check.building_fid
    reason = check.reason or ""
    if check.confidence in ("memory", "analogy"):
        reason = "; ".join(part for part in (reason, "số liệu mặc định, cần xác nhận") if part)
    decimals = RULES[check.rule][3]
    # A value that differs from its limit must not be printed as equal to it.
    while decimals < 4 and 0 < abs(check.margin) < 0.5 * 10.0**-decimals:
        decimals += 1
    return [label(check.rule), None if pandas.isna(fid) else fid, round(check.measured, decimals), _limit(check),
            round(check.margin, decimals),
            RULES[check.rule][2], Verdict(check.verdict).label, check.citation, reason]


def _by_lot(checks: pandas.DataFrame, name: str, title: str, subtitle: str) -> Sheet:
    rows = [[check.lot or f"ô {check.zone_code}", check.zone_code, *_row(check)] for check in checks.itertuples()]
    return Sheet(name, [Column("Lô đất", width=12), Column("Ô quy hoạch", width=13), *_CHECK_COLUMNS], rows,
                 title=title,
                 subtitle=subtitle, notes=[] if rows else ["Không có."], frozen_columns=1)


def _all_checks(checks: pandas.DataFrame, subtitle: str) -> Sheet:
    notes = ["Chênh lệch dương: đạt và còn dư; âm: vượt giới hạn."]
    if len(checks) > _MOST_ROWS:
        wanted = set(checks.loc[checks["verdict"] != Verdict.KEPT.value, "lot"])
        checks = checks[checks["lot"].isin(wanted)]
        notes.append("Bảng lớn: chỉ liệt kê các lô có nội dung chưa phù hợp hoặc chưa đủ căn cứ; đầy đủ ở lớp kết quả.")
    rows: list[list[object]] = []
    bold, indents = set(), {}
    last = None
    for check in checks.itertuples():
        key = (check.lot, check.zone_code)
        if key != last:
            bold.add(len(rows))
            rows.append([f"Lô {check.lot}, ô {check.zone_code or '-'}" if check.lot else f"Ô {check.zone_code}",
                         *[None] * (len(_CHECK_COLUMNS) - 1)])
            last = key
        indents[len(rows)] = 1
        rows.append(_row(check))
    return Sheet("Kiểm tra theo lô", list(_CHECK_COLUMNS), rows, title="KẾT QUẢ KIỂM TRA THEO TỪNG LÔ ĐẤT",
                 subtitle=subtitle,
                 notes=notes, bold_rows=bold, indents=indents)


def _method(result: ZoningCompliance) -> Sheet:
    ends = {date for date in result.checks["valid_to"] if not pandas.isna(date)}
    texts = [
        ("Mật độ xây dựng thuần", "Diện tích công trình trong lô chia diện tích lô trên bản đồ; chỗ các khối chồng nhau tính một lần. "
         "Chỉ so với chỉ tiêu mật độ thuần; ô ghi mật độ gộp được kiểm tra riêng trên cả ô."),
        ("Tra bảng", "Giữa hai dòng, hai cột: nội suy tuyến tính. Ngoài bảng: giá trị ở mép. Từ 46 m đến trên 46 m là bậc, không nội "
         "suy (cách hiểu của phần mềm)."),
        ("Nhiều công trình cao khác nhau trên một lô", "Tra bảng theo chiều cao trung bình (theo diện tích xây dựng). Khối đế và tháp "
         "(các khối chồng nhau): từng phần xét ở chiều cao của nó, khoảng lùi cũng vậy; hệ số sử dụng đất tính chung."),
        ("Hệ số sử dụng đất", "Tổng diện tích sàn (diện tích xây dựng nhân số tầng tính từ mặt đất) chia diện tích lô. Thiếu số tầng: "
         "tính ít nhất một tầng, chỉ kết luận khi đã vượt."),
        ("Thiếu chiều cao hoặc dữ liệu khác", "Chỉ kết luận khi mọi giá trị có thể đều cho cùng kết luận; nếu không: chưa đủ căn cứ."),
        ("Công trình nằm trên nhiều lô", "Mỗi lô tính phần nằm trong lô và ghi chú; phần hẹp trong sai số bản đồ không tính."),
        ("Lô thuộc nhiều ô", "Giới hạn là khoảng giữa chỉ tiêu của các ô; chỉ kết luận khi phù hợp với mọi ô hoặc vượt ở mọi ô."),
        ("Khoảng lùi", "Từ mép công trình đến chỉ giới đường đỏ của các đường giáp lô; ghi đường bất lợi nhất. Công trình vượt chỉ giới "
         "có giá trị âm."),
        ("Khoảng cách giữa các công trình", "Chỉ xét các công trình cùng lô chung cư, hỗn hợp, công cộng; cạnh dài, đầu hồi suy từ hình."),
        ("Khu vực hiện hữu", "Hệ số sử dụng đất của Bảng 2.12 có thể thay cho mật độ: vượt một trong hai mà đạt cái kia thì chưa kết luận."),
        ("Sai số đo", f"Sai số vị trí điểm {format_number(result.tolerance_m, 2)} m; sai số diện tích và khoảng cách tính theo lý thuyết "
         "sai số. Vượt trong sai số: chưa đủ căn cứ, cần đo đạc tại thực địa."),
        ("Loại lô tra quy chuẩn", "Suy từ chức năng và công năng công trình ; là gán của phần mềm, cần xác nhận."),
        ("Hiệu lực số liệu quy chuẩn", "; ".join(f"đến {format_date(date)}" for date in sorted(ends)) or "không dùng số liệu có thời hạn")]
    return Sheet("Cách đánh giá", [Column("Nội dung", width=32), Column("Cách đánh giá", width=100)],
                 [list(row) for row in texts], title="CÁCH ĐÁNH GIÁ")
