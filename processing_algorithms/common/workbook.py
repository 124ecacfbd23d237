"""Tables people edit and print: xlsx workbooks with title, notes, totals and number formats.

Numbers stay numbers (Excel shows them with the machine's decimal comma); texts stay texts, whatever sign they begin
with. Printed matter is Vietnamese, so the sheets are, too.
"""

from __future__ import annotations

import datetime
import math
import os
import re
import textwrap
from collections.abc import Collection, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from .destinations import written_whole
from .errors import InputError
from .language import say
from .packages import require
from .progress import Progress, silent

if TYPE_CHECKING:
    from openpyxl.cell import Cell
    from openpyxl.worksheet.worksheet import Worksheet

#: What xlsx holds at most.
MAX_ROWS, MAX_COLUMNS, MAX_TEXT, MAX_SHEET_NAME = 1_048_576, 16_384, 32_767, 31
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_LINE = 14.5  # points, of 11 point letters
_FONT = "Times New Roman"  # the font of Vietnamese administrative papers (Decree 30/2020)
#: Number format of estimates of people: a few show as "< 10" and stay numbers that can be summed.
ESTIMATE = '[=0]0;[<10]"< 10";#,##0'


@dataclass(frozen=True)
class Column:
    """One column of a sheet.

    Parameters
    ----------
    title : str
        Header, with the unit in brackets.
    decimals : int, optional
        For numbers; None for text.
    width : float, optional
        In characters; fitted to header and content when None.
    form : str
        Number format in the notation of xlsx files, such as `ESTIMATE`; by default that of ``decimals``.
    """

    title: str
    decimals: int | None = None
    width: float | None = None
    form: str = ""


@dataclass(frozen=True)
class Figure:
    """A number with a format of its own, where the rows of a column are of several kinds."""

    value: float
    form: str


@dataclass(frozen=True)
class Sheet:
    """One table with what stands above and below it.

    Parameters
    ----------
    name : str
        Of the tab; signs xlsx forbids are replaced, long names cut.
    columns : sequence of Column
    rows : sequence of sequence
        Cells: str, number, bool, date, None. nan is an empty cell.
    title : str
        Above the table, bold.
    subtitle : str
        Under the title: place, date, unit.
    notes : sequence of str
        Below the table: source, method, what was left out.
    bold_rows : collection of int
        Positions of rows in bold: totals and groups.
    indents : mapping of int to int
        Row position to indent level of the first text column.
    frozen_columns : int
        Columns that stay in view beside the header.
    """

    name: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[object]]
    title: str = ""
    subtitle: str = ""
    notes: Sequence[str] = ()
    bold_rows: Collection[int] = ()
    indents: Mapping[int, int] = field(default_factory=dict)
    frozen_columns: int = 0


def write_workbook(path: str | os.PathLike[str], sheets: Sequence[Sheet], progress: Progress = silent) -> None:
    """Write the sheets as one xlsx file, whole or not at all.

    Raises
    ------
    OutputError
        The destination cannot be written, or is open in Excel.
    InputError
        A table has more rows or columns than a sheet can hold.
    MissingPackageError
        openpyxl is missing.

    Examples
    --------
    >>> write_workbook("dien_tich.xlsx", [Sheet("Diện tích", [Column("Mã"), Column("Diện tích (ha)", 2)],
    ...                                   [("LUC", 12.5), ("Tổng", 12.5)], bold_rows={1})])  # doctest: +SKIP
    """
    require("openpyxl")
    from openpyxl import Workbook

    _refuse_too_big(sheets)
    book = Workbook()
    book.remove(book.active)
    book.properties.creator = "QuyHoach"
    for number, (name, sheet) in enumerate(zip(_sheet_names([sheet.name for sheet in sheets]), sheets), start=1):
        _fill(book.create_sheet(name), sheet)
        progress(0.6 * number / len(sheets))
    with written_whole(path) as part:
        book.save(part)


def _refuse_too_big(sheets: Sequence[Sheet]) -> None:
    for sheet in sheets:
        if len(sheet.rows) + len(sheet.notes) + 8 > MAX_ROWS or len(sheet.columns) > MAX_COLUMNS:
            raise InputError(
                say("Bảng \"{name}\" có {rows} dòng, {columns} cột, quá sức chứa của tệp xlsx; hãy bỏ tệp xlsx và dùng bảng kết quả.",
                    "The table \"{name}\" has {rows} rows and {columns} columns, more than xlsx holds; use the output table instead.")
                .format(name=sheet.name, rows=len(sheet.rows), columns=len(sheet.columns)))


def _sheet_names(wanted: Sequence[str]) -> list[str]:
    names: list[str] = []
    for text in wanted:
        base = re.sub(r"[\[\]:*?/\\]", "-", _clean_text(text)).strip("'")[:MAX_SHEET_NAME] or "Sheet"
        name, number = base, 2
        while name.lower() in (taken.lower() for taken in names):
            name = f"{base[:MAX_SHEET_NAME - 4]} ({number})"
            number += 1
        names.append(name)
    return names


def _fill(sheet: Worksheet, content: Sheet) -> None:
    from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
    from openpyxl.utils import get_column_letter

    thin = Side(style="thin", color="FF808080")
    border = Border(left=thin, right=thin, top=thin, bottom=thin)
    plain, bold = Font(name=_FONT, size=11), Font(name=_FONT, size=11, bold=True)
    header_fill = PatternFill("solid", fgColor="FFE7EEF5")
    span = max(1, min(len(content.columns), 12))
    widths = [column.width or _fitting_width(column, number, content.rows)
              for number, column in enumerate(content.columns)]
    line = 1
    for text, font in ((content.title, Font(name=_FONT, size=14, bold=True)),
                       (content.subtitle, Font(name=_FONT, size=11, italic=True))):
        if text:
            # Merged cells do not grow by themselves; capitals in bold are wide.
            lines = len(textwrap.wrap(text, max(8, int(sum(widths[:span]) * (0.62 if font.b else 1.0))))) or 1
            if lines > 1:
                sheet.row_dimensions[line].height = 1.3 * font.sz * lines
            _write(sheet.cell(line, 1), text).font = font
            sheet.cell(line, 1).alignment = Alignment(horizontal="center", vertical="center", wrap_text=True)
            if span > 1:
                sheet.merge_cells(start_row=line, end_row=line, start_column=1, end_column=span)
            line += 1
    if line > 1:
        line += 1
    for number, column in enumerate(content.columns, start=1):
        cell = _write(sheet.cell(line, number), column.title)
        cell.font, cell.fill, cell.border = bold, header_fill, border
        cell.alignment = Alignment(horizontal="center", vertical="center", wrap_text=True)
    header = line
    formats = [None if column.decimals is None else column.form or _number_format(column.decimals)
               for column in content.columns]
    first_text = next((k for k, text_format in enumerate(formats) if text_format is None), -1)
    looks: dict[tuple[object, ...], object] = {}
    for position, row in enumerate(content.rows):
        line += 1
        font = bold if position in content.bold_rows else plain
        for number, (value, number_format) in enumerate(zip(row, formats), start=1):
            if isinstance(value, Figure):
                value, number_format = value.value, value.form
            cell = _write(sheet.cell(line, number), value)
            indent = content.indents.get(position, 0) if number - 1 == first_text else 0
            # Setting looks one by one takes most of the time of a large table, so each is made once and copied.
            look = (font is bold, cell.data_type, number_format, indent, isinstance(value, datetime.date),
                    cell.quotePrefix)
            if look in looks:
                cell._style = copy(looks[look])
                continue
            cell.font, cell.border = font, border
            cell.alignment = Alignment(vertical="center")
            if number_format and cell.data_type == "n":
                cell.number_format = number_format
            elif cell.data_type == "s":
                cell.alignment = Alignment(horizontal="left" if indent else None, vertical="center", wrap_text=True,
                                           indent=indent)
            looks[look] = copy(cell._style)
    line += 1
    for note in content.notes:
        line += 1
        cell = _write(sheet.cell(line, 1), note)
        cell.font = Font(name=_FONT, size=10, italic=True)
        cell.alignment = Alignment(vertical="top", wrap_text=True)
        if span > 1:
            sheet.merge_cells(start_row=line, end_row=line, start_column=1, end_column=span)
    for number, width in enumerate(widths, start=1):
        sheet.column_dimensions[get_column_letter(number)].width = width
    for row, values in ((header, [column.title for column in content.columns]),
                        *((header + 1 + position, row) for position, row in enumerate(content.rows))):
        lines = _lines_needed(values, widths)
        if lines > 1:
            sheet.row_dimensions[row].height = _LINE * lines + 2
    # Excel does not fit the height of merged cells, so notes get the lines they need.
    for offset, note in enumerate(content.notes):
        lines = math.ceil(len(note) / max(10.0, sum(widths[:span]))) + note.count("\n")
        sheet.row_dimensions[line - len(content.notes) + 1 + offset].height = 14.0 * max(1, lines)
    sheet.freeze_panes = sheet.cell(header + 1, content.frozen_columns + 1)
    sheet.print_title_rows = f"{header}:{header}"
    sheet.page_setup.orientation = "landscape" if sum(widths) > 90 else "portrait"
    sheet.page_setup.paperSize = sheet.PAPERSIZE_A4 if sum(widths) <= 130 else sheet.PAPERSIZE_A3
    sheet.page_setup.fitToWidth, sheet.page_setup.fitToHeight = 1, 0
    sheet.sheet_properties.pageSetUpPr.fitToPage = True


def _write(cell: Cell, value: object) -> Cell:
    """Put a value into a cell; a text never becomes a formula, even when somebody edits the cell later."""
    if isinstance(value, (np.integer, np.floating, np.bool_)):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        value = None
    if value is None or isinstance(value, (bool, int, float)):
        cell.value = value
    elif isinstance(value, (datetime.date, datetime.datetime)):
        cell.value = value.replace(tzinfo=None) if isinstance(value, datetime.datetime) else value
        cell.number_format = "dd/mm/yyyy"
    else:
        text = _clean_text(str(value))[:MAX_TEXT]
        cell.value = text
        cell.data_type = "s"
        if text[:1] in ("=", "+", "-", "@", "\t", "\r"):
            cell.quotePrefix = True
    return cell


def _clean_text(text: str) -> str:
    return _CONTROL.sub("", text)


def _lines_needed(values: Sequence[object], widths: Sequence[float]) -> int:
    # Excel fits heights when it opens a file, LibreOffice and the printer of an office do not.
    most = 1
    for value, width in zip(values, widths):
        if isinstance(value, str) and (len(value) > 1.1 * width or "\n" in value):
            most = max(most, sum(len(textwrap.wrap(part, max(4, int(1.1 * width)))) or 1 for part in value.split("\n")))
    return most


def _number_format(decimals: int) -> str:
    # Written in the file's fixed notation; Excel shows the separators of the machine's language.
    return "#,##0" + ("." + "0" * decimals if decimals else "")


def _fitting_width(column: Column, position: int, rows: Sequence[Sequence[object]]) -> float:
    longest_word = max((len(word) for word in column.title.split()), default=4)
    longest = 0
    for row in rows[:2000]:
        value = row[position] if position < len(row) else None
        value = value.value if isinstance(value, Figure) else value
        if column.decimals is not None and isinstance(value, (int, float, np.number)) and value == value:
            longest = max(longest, len(f"{value:,.{column.decimals}f}"))
        elif value is not None:
            longest = max(longest, len(str(value)))
    return float(min(max(longest_word, longest, 5) + 2, 48))
