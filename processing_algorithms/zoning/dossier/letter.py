"""The reply to the consultant: a letter in the form of Decree 30/2020/NĐ-CP with the list of errors as its annex.

Number, date, addressee and signer are left to be typed; the office goes on editing it in Word. It is printed matter,
so it is Vietnamese whatever the language of the program; give it a result that was checked in Vietnamese.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

from ...common.destinations import written_whole
from ...common.numbers_vi import format_date, format_number
from ...common.packages import require
from ...common.word_form import Head, add_foot, add_head, add_table, add_text, new_paper
from .check import CheckResult
from .rules import GROUPS, RULES, Rule, Severity
from .workbook import basis_texts, verdict_text

#: Findings told one by one under each rule; all are in the workbook.
_TOLD_PER_RULE = 8
_DOTS = "…………………"


@dataclass(frozen=True)
class Office:
    """Who writes to whom; blanks are dotted lines to be filled in by hand."""

    agency_above: str = ""
    agency: str = ""
    place: str = ""
    addressee: str = ""
    department: str = ""


def write_letter(path: str | os.PathLike[str], result: CheckResult, office: Office, workbook_name: str) -> None:
    """Write the letter with its annex.

    Parameters
    ----------
    path : path
        Ends in ``.docx``.
    result : CheckResult
    office : Office
    workbook_name : str
        File name of the workbook the annex refers to.

    Raises
    ------
    OutputError, MissingPackageError
    """
    require("docx")
    document = new_paper()
    plan = result.plan_name or _DOTS
    add_head(document, Head(
        agency_above=(office.agency_above or _DOTS).upper(), agency=(office.agency or _DOTS).upper(), number="……/………",
        place_and_date=f"{office.place or '………'}, ngày …… tháng …… năm {result.options.on.year}",
        subject="V/v kết quả kiểm tra cơ sở dữ liệu GIS của đồ án quy hoạch"))
    address = add_text(document, f"Kính gửi: {office.addressee or _DOTS}", centred=True, after=10.0, points=14.0)
    _room_above(address, 12.0)
    for text in _body(result, plan, office):
        add_text(document, text, points=14.0)
    add_foot(document, f"- Như trên;\n- Lưu: VT, {office.department or '………'}.", "QUYỀN HẠN, CHỨC VỤ CỦA NGƯỜI KÝ",
             "Họ và tên")
    document.add_page_break()
    _annex(document, result, plan, workbook_name)
    with written_whole(path) as part:
        document.save(os.fspath(part))


def _body(result: CheckResult, plan: str, office: Office) -> list[str]:
    who = result.who
    codes = "; ".join(text for text in (
        f"mã thông tin quy hoạch {who.plan_code}" if who.plan_code else "",
        f"mã hồ sơ quy hoạch {who.dossier_code}" if who.dossier_code else "") if text)
    texts = [
        f"{office.agency or 'Cơ quan thẩm định'} đã kiểm tra cơ sở dữ liệu số địa lý (GIS) của hồ sơ đồ án “{plan}”"
        f"{f' ({codes})' if codes else ''} do Quý đơn vị gửi, theo Phụ lục II {result.schema.version.split(',')[0]} "
        f"và QCVN 01 về quy hoạch đô thị và nông thôn. Ngày kiểm tra: {format_date(result.options.on)}. Kết quả như sau:",
        f"1. {verdict_text(result)}",
    ]
    groups = _by_group(result)
    if groups:
        told = "; ".join(f"{GROUPS[key][0].lower()} {format_number(count)}" for key, count in groups.items())
        texts.append(f"2. Số lỗi, cảnh báo, lưu ý theo nhóm: {told}. Chi tiết tại Phụ lục kèm theo.")
    if result.unassessed:
        texts.append(f"{3 if groups else 2}. Có {format_number(len(result.unassessed))} nội dung chưa đủ căn cứ đánh giá, nêu ở "
                     "cuối Phụ lục; đề nghị Quý đơn vị bổ sung thông tin.")
    if result.passes:
        texts.append("Đề nghị Quý đơn vị rà soát các cảnh báo, lưu ý (nếu có) và hoàn thiện hồ sơ theo quy định./.")
    else:
        texts.append("Đề nghị Quý đơn vị chỉnh sửa các lỗi, giải trình các cảnh báo vào cột “Giải trình của đơn vị tư vấn” của "
                     "bảng kèm theo và gửi lại hồ sơ trước ngày ……/……/………./.")
    return texts


def _by_group(result: CheckResult) -> dict[str, int]:
    counts: dict[str, int] = {}
    for finding in result.findings:
        key = finding.rule.id.split("-")[0]
        counts[key] = counts.get(key, 0) + finding.count
    return {key: counts[key] for key in GROUPS if key in counts}


def _annex(document: Any, result: CheckResult, plan: str, workbook_name: str) -> None:
    add_text(document, "PHỤ LỤC", bold=True, centred=True, points=14.0, after=0.0)
    add_text(document, "KẾT QUẢ KIỂM TRA CƠ SỞ DỮ LIỆU GIS", bold=True, centred=True, points=14.0, after=0.0)
    add_text(document, f"Đồ án: {plan}", centred=True, after=0.0)
    add_text(document, f"(Kèm theo Văn bản số ……/……… ngày …… tháng …… năm {result.options.on.year})", italic=True,
             centred=True, after=8.0)
    counts = result.by_rule()
    add_text(document, "I. Tổng hợp theo quy tắc", bold=True, with_next=True, indent_mm=0.0)
    if counts:
        rows = [(str(number), rule.id, rule.title_vi, rule.severity.label, format_number(counts[rule.id]))
                for number, rule in enumerate((RULES[id_] for id_ in counts), start=1)]
        rows.append(("", "", "Cộng", "", format_number(sum(counts.values()))))
        add_table(document, ("STT", "Mã", "Nội dung", "Mức", "Số lượng"), rows, (12, 20, 88, 22, 23), centred=(0, 1, 3),
                  numbers=(4,), bold_rows=(len(rows) - 1,))
    else:
        add_text(document, "Không phát hiện lỗi, cảnh báo hoặc lưu ý.")
    if counts:
        _room_above(add_text(document, "II. Chi tiết và cách sửa", bold=True, with_next=True, indent_mm=0.0), 8.0)
        for id_ in counts:
            _details(document, RULES[id_], result, workbook_name)
    if result.unassessed:
        add_text(document, f"{'III' if counts else 'II'}. Nội dung chưa đủ căn cứ đánh giá", bold=True, with_next=True,
                 indent_mm=0.0)
        for text in result.unassessed:
            add_text(document, f"- {text}", after=3.0)
    add_text(document, "Căn cứ kiểm tra", bold=True, with_next=True, indent_mm=0.0)
    for text in basis_texts(result):
        add_text(document, f"- {text}", after=3.0, points=12.0)


def _room_above(paragraph: Any, points: float) -> None:
    from docx.shared import Pt

    paragraph.paragraph_format.space_before = Pt(points)


def _details(document: Any, rule: Rule, result: CheckResult, workbook_name: str) -> None:
    findings = [finding for finding in result.findings if finding.rule is rule]
    add_text(document, f"{rule.id}. {rule.title_vi} ({rule.severity.label})", bold=True, with_next=True, after=2.0)
    for finding in findings[:_TOLD_PER_RULE]:
        where = finding.class_name if finding.class_name and finding.class_name not in finding.message else ""
        where = " - ".join(text for text in (finding.database if finding.class_name else "", where) if text)
        add_text(document, f"- {f'[{where}] ' if where else ''}{finding.message}", after=2.0)
    if len(findings) > _TOLD_PER_RULE:
        add_text(document, f"- Và {format_number(len(findings) - _TOLD_PER_RULE)} trường hợp khác, xem bảng {workbook_name}.",
                 after=2.0)
    add_text(document, f"Cách sửa: {rule.advice_vi}", italic=True, after=6.0)


def severities(result: CheckResult) -> dict[str, int]:
    """Count findings by severity in words, for outputs and logs."""
    return {severity.name: result.count(severity) for severity in Severity}
