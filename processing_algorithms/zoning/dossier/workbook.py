"""The result of a check as a workbook people sort, tick off and send back."""

from __future__ import annotations

import os

import numpy as np
import shapely

from ...common.language import say
from ...common.numbers_vi import format_date, format_number
from ...common.workbook import Column, Sheet, write_workbook
from .check import CheckResult
from .rules import RULES, Severity, group_of


def write_check_workbook(path: str | os.PathLike[str], result: CheckResult) -> None:
    """Write the summary by rule, every finding with its place, what was not judged, and the classes found.

    Raises
    ------
    OutputError
        See `write_workbook`.
    """
    subtitle = f"{result.plan_name or result.folder.name}; {say('ngày kiểm tra', 'checked on')} {format_date(result.options.on)}"
    write_workbook(path, [_summary(result, subtitle), _list(result, subtitle), _open(result, subtitle),
                          _classes(result, subtitle)])


def verdict_text(result: CheckResult) -> str:
    """Tell the outcome in one sentence."""
    counts = say("{e} lỗi, {w} cảnh báo, {n} lưu ý", "{e} errors, {w} warnings, {n} notes").format(
        e=format_number(result.count(Severity.ERROR)), w=format_number(result.count(Severity.WARNING)),
        n=format_number(result.count(Severity.NOTE)))
    if result.passes:
        return say(
            "Cơ sở dữ liệu GIS đạt yêu cầu kiểm tra: {counts}.", "The GIS dossier passes the check: {counts}."
        ).format(counts=counts)
    return say(
        "Cơ sở dữ liệu GIS chưa đạt yêu cầu kiểm tra: {counts}.", "The GIS dossier does not pass the check: {counts}."
    ).format(counts=counts)


def basis_texts(result: CheckResult) -> list[str]:
    """What every report prints: the standard's version and confidence, tolerances."""
    options = result.options
    return [
        say("Lược đồ kiểm tra: {version}.", "Schema: {version}.").format(version=result.schema.version),
        say("Độ tin cậy của lược đồ: {confidence}.", "Confidence of the schema: {confidence}.")
        .format(confidence=result.schema.confidence_text),
        say("Dung sai khe hở, chồng lấn: {mm} mm; dung sai diện tích ghi: {pct} %.",
            "Tolerance of gaps and overlaps: {mm} mm; of stated areas: {pct} %.")
        .format(mm=format_number(options.tolerance_m * 1000, 1), pct=format_number(options.area_tolerance_pct, 1)),
    ]


def _summary(result: CheckResult, subtitle: str) -> Sheet:
    counts = result.by_rule()
    rows = [(number, rule.id, group_of(rule), rule.severity.label, rule.title, counts[rule.id], rule.advice)
            for number, rule in enumerate((RULES[id_] for id_ in counts), start=1)]
    return Sheet(
        say("Tổng hợp", "Summary"),
        [Column(say("STT", "No."), 0), Column(say("Mã quy tắc", "Rule")), Column(say("Nhóm", "Group")),
         Column(say("Mức", "Severity")), Column(say("Nội dung", "What")), Column(say("Số lượng", "Count"), 0),
         Column(say("Cách sửa", "What to do"))],
        rows, title=say("KẾT QUẢ KIỂM TRA CƠ SỞ DỮ LIỆU GIS CỦA ĐỒ ÁN QUY HOẠCH", "CHECK OF THE GIS DOSSIER OF A PLAN"),
        subtitle=subtitle, notes=[verdict_text(result), *basis_texts(result),
                                  say("Đã áp dụng {n} quy tắc; quy tắc không có trong bảng là không phát hiện vi phạm.",
                                      "{n} rules were applied; those not listed found nothing.").format(n=len(RULES))])


def _list(result: CheckResult, subtitle: str) -> Sheet:
    rows: list[tuple[object, ...]] = []
    for finding in result.findings:
        rule = finding.rule
        for position in range(finding.count):
            fid = finding.fids[position] if position < len(finding.fids) else None
            shape = finding.shapes[position] if position < len(finding.shapes) else None
            north, east = _place(shape)
            rows.append((len(rows) + 1, rule.id, rule.severity.label, finding.database, finding.class_name,
                         None if fid is None else str(fid), north, east, finding.message, rule.advice, None))
    return Sheet(
        say("Danh sách", "Findings"),
        [Column(say("STT", "No."), 0), Column(say("Mã quy tắc", "Rule")), Column(say("Mức", "Severity")),
         Column(say("Cơ sở dữ liệu", "Database")), Column(say("Lớp", "Class")), Column("fid", width=12.0),
         Column(say("X (Bắc, m)", "X (north, m)"), 3), Column(say("Y (Đông, m)", "Y (east, m)"), 3),
         Column(say("Nội dung", "Message"), width=60.0), Column(say("Cách sửa", "What to do"), width=40.0),
         Column(say("Giải trình của đơn vị tư vấn", "Consultant's answer"), width=30.0)],
        rows, title=say("DANH SÁCH LỖI, CẢNH BÁO, LƯU Ý", "ERRORS, WARNINGS, NOTES"), subtitle=subtitle,
        notes=basis_texts(result), frozen_columns=2)


def _place(shape: shapely.Geometry | None) -> tuple[float | None, float | None]:
    if shape is None or shape.is_empty or not np.isfinite(shapely.get_coordinates(shape)).all():
        return None, None
    point = shapely.point_on_surface(shapely.force_2d(shape))
    return float(point.y), float(point.x)


def _open(result: CheckResult, subtitle: str) -> Sheet:
    rows = list(enumerate(result.unassessed, start=1)) or [(None, say("Không có", "Nothing"))]
    return Sheet(say("Chưa đủ căn cứ", "Not assessed"),
                 [Column(say("STT", "No."), 0), Column(say("Nội dung chưa đủ căn cứ đánh giá", "What could not be judged"), width=110.0)],
                 rows, title=say("NỘI DUNG CHƯA ĐỦ CĂN CỨ ĐÁNH GIÁ", "WHAT COULD NOT BE JUDGED"), subtitle=subtitle)


def _classes(result: CheckResult, subtitle: str) -> Sheet:
    rows = []
    for number, item in enumerate(result.schema.classes, start=1):
        count = result.features.get((item.database, item.name))
        state = say("không có", "missing") if count is None else say("có", "there")
        rows.append((number, item.database, item.dataset_vi, item.name, item.label, state, count))
    return Sheet(say("Lớp dữ liệu", "Classes"),
                 [Column(say("STT", "No."), 0), Column(say("Cơ sở dữ liệu", "Database")), Column(say("Nhóm", "Group")),
                  Column(say("Lớp", "Class")), Column(say("Tên lớp", "Name")), Column(say("Tình trạng", "State")),
                  Column(say("Số đối tượng", "Features"), 0)],
                 rows, title=say("CÁC LỚP CỦA HỒ SƠ", "CLASSES OF THE DOSSIER"), subtitle=subtitle,
                 notes=basis_texts(result)[:2])
