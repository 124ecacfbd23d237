"""Workbooks: what is written reads back, texts stay texts, files are whole or not there."""

from __future__ import annotations

import datetime

import numpy as np
import openpyxl
import pytest
from quyhoach.processing_algorithms.common.errors import InputError, OutputError
from quyhoach.processing_algorithms.common.workbook import Column, Sheet, write_workbook


def _sheet(rows, **options):
    return Sheet("Diện tích", [Column("Loại đất"), Column("Diện tích (ha)", 2)], rows, **options)


def test_values_formats_and_marks_read_back(tmp_path):
    path = tmp_path / "Nguyễn Văn Ân" / "biểu 1.xlsx"
    path.parent.mkdir()
    rows = [("Đất chuyên trồng lúa", np.float64(1234.567)), ("Đất ở", float("nan")), ("Tổng", 1234.567)]
    write_workbook(path, [_sheet(rows, title="THỐNG KÊ", subtitle="Đơn vị: ha", notes=["Nguồn: thử"], bold_rows={2},
                                 indents={0: 2}, frozen_columns=1)])
    sheet = openpyxl.load_workbook(path)["Diện tích"]
    assert sheet["A1"].value == "THỐNG KÊ" and sheet["A2"].value == "Đơn vị: ha"
    # title, subtitle, blank line, header on line 4
    assert [cell.value for cell in sheet[4]] == ["Loại đất", "Diện tích (ha)"]
    assert sheet["B5"].value == 1234.567 and sheet["B5"].number_format == "#,##0.00"
    assert sheet["B6"].value is None
    assert sheet["B7"].font.bold and not sheet["B5"].font.bold
    assert sheet["A5"].alignment.indent == 2
    assert sheet["A9"].value == "Nguồn: thử"
    assert sheet.freeze_panes == "B5"


@pytest.mark.parametrize("text", ["=1+1", "+84 234", "-5", "@SUM(A1)", "=HYPERLINK(\"http://x\")", "#N/A"])
def test_texts_never_become_formulas(tmp_path, text):
    write_workbook(tmp_path / "a.xlsx", [_sheet([(text, 1.0)])])
    cell = openpyxl.load_workbook(tmp_path / "a.xlsx").active["A2"]
    assert cell.value == text and cell.data_type == "s"
    assert cell.quotePrefix == (text[0] in "=+-@")


def test_odd_texts_dates_and_sheet_names(tmp_path):
    sheets = [Sheet("Biểu 01/TKKK: [diện tích] của toàn tỉnh năm 2026", [Column("x")], [("a\x00b\x0bc",)]),
              Sheet("Biểu 01/TKKK: [diện tích] của toàn tỉnh năm 2026", [Column("x")],
                    [(datetime.date(2026, 11, 22),)]),
              Sheet("", [Column("x", 0)], [])]
    write_workbook(tmp_path / "a.xlsx", sheets)
    book = openpyxl.load_workbook(tmp_path / "a.xlsx")
    assert len(book.sheetnames) == 3 and all(len(name) <= 31 for name in book.sheetnames)
    assert book.worksheets[0]["A2"].value == "abc"
    assert book.worksheets[1]["A2"].value.date() == datetime.date(2026, 11, 22)


def test_a_failing_write_leaves_the_old_file_and_no_rest(tmp_path, monkeypatch):
    path = tmp_path / "a.xlsx"
    write_workbook(path, [_sheet([("cũ", 1.0)])])

    def full_disk(self, target):
        target.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(openpyxl.Workbook, "save", full_disk)
    with pytest.raises(OutputError, match="No space left"):
        write_workbook(path, [_sheet([("mới", 2.0)])])
    assert openpyxl.load_workbook(path).active["A2"].value == "cũ"
    assert [item.name for item in tmp_path.iterdir()] == ["a.xlsx"]


def test_missing_folder_and_too_many_rows_are_refused(tmp_path):
    with pytest.raises(OutputError):
        write_workbook(tmp_path / "không có" / "a.xlsx", [_sheet([])])
    with pytest.raises(InputError):
        write_workbook(tmp_path / "a.xlsx", [_sheet(range(1_048_576))])
    assert not list(tmp_path.iterdir())
