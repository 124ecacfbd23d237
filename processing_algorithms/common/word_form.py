"""The form of an administrative paper by Decree 30/2020/NĐ-CP, annex I, as a new Word document.

A4 upright, margins 20, 20, 30 and 15 mm (top, bottom, left, right), Times New Roman, black. National name and motto
stand at the right of the head, the agency at the left, number and place with date below; recipients at the left of the
foot, the signature at the right. What stands in each place is the caller's: texts, or placeholders of a template.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

NATION, MOTTO = "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM", "Độc lập - Tự do - Hạnh phúc"
FONT = "Times New Roman"


@dataclass(frozen=True)
class Head:
    """What stands above the text. ``subject`` is the line *V/v* of a letter; a paper with a title has none."""

    agency_above: str
    agency: str
    number: str
    place_and_date: str
    subject: str = ""


def new_paper(*, points: float = 13.0) -> Any:
    """Return an empty document (python-docx) with page, margins, type and page numbers of the decree."""
    from docx import Document
    from docx.enum.text import WD_ALIGN_PARAGRAPH
    from docx.oxml.ns import qn
    from docx.shared import Mm, Pt

    document = Document()
    section = document.sections[0]
    section.page_width, section.page_height = Mm(210), Mm(297)
    section.top_margin = section.bottom_margin = Mm(20)
    section.left_margin, section.right_margin = Mm(30), Mm(15)
    section.header_distance = Mm(10)
    normal = document.styles["Normal"]
    normal.font.name, normal.font.size = FONT, Pt(points)
    fonts = normal.element.rPr.rFonts
    for script in ("w:ascii", "w:hAnsi", "w:cs", "w:eastAsia"):
        fonts.set(qn(script), FONT)
    normal.element.rPr.append(_element("w:lang", **{"w:val": "vi-VN"}))
    normal.paragraph_format.space_after = Pt(6)
    normal.paragraph_format.line_spacing = 1.0
    # Pages are numbered in the middle of the top margin, from the second on.
    section.different_first_page_header_footer = True
    line = section.header.paragraphs[0]
    line.alignment = WD_ALIGN_PARAGRAPH.CENTER
    run = line.add_run()
    for kind, text in (("begin", ""), ("", "PAGE"), ("end", "")):
        if kind:
            run._r.append(_element("w:fldChar", **{"w:fldCharType": kind}))
        else:
            code = _element("w:instrText")
            code.text = text
            run._r.append(code)
    return document


def add_head(document: Any, head: Head) -> None:
    """Write agency, national name, motto, number, place and date at the top."""
    table = _two_columns(document, 66.0, 99.0)
    left, right = table.rows[0].cells
    _line(left, head.agency_above, first=True, points=12.0)
    _line(left, head.agency, bold=True, points=12.0)
    _rule(left, 20.0)
    _line(right, NATION, bold=True, first=True, points=12.0)
    _line(right, MOTTO, bold=True, points=13.0)
    _rule(right, 19.0)
    left, right = table.add_row().cells
    _line(left, f"Số: {head.number}", first=True)
    if head.subject:
        _line(left, head.subject, points=12.0)
    _line(right, head.place_and_date, first=True, italic=True)


def add_foot(document: Any, recipients: str, authority: str, signer: str) -> None:
    """Write recipients (lines) at the left, authority and name of the signer at the right."""
    from docx.enum.text import WD_ALIGN_PARAGRAPH

    table = _two_columns(document, 80.0, 85.0)
    table.rows[0]._tr.get_or_add_trPr().append(_element("w:cantSplit"))
    left, right = table.rows[0].cells
    _line(left, "Nơi nhận:", bold=True, italic=True, first=True, points=12.0, side=WD_ALIGN_PARAGRAPH.LEFT)
    _line(left, recipients, points=11.0, side=WD_ALIGN_PARAGRAPH.LEFT)
    _line(right, authority, bold=True, first=True, points=13.5)
    for _ in range(4):
        _line(right, "")
    _line(right, signer, bold=True, points=13.5)


def add_text(document: Any, text: str, *, bold: bool = False, italic: bool = False, centred: bool = False,
             indent_mm: float = 10.0, points: float | None = None, after: float = 6.0, with_next: bool = False) -> Any:
    """Add a paragraph; text is justified, with the first line indented, unless it is centred."""
    from docx.enum.text import WD_ALIGN_PARAGRAPH
    from docx.shared import Mm, Pt

    paragraph = document.add_paragraph()
    run = paragraph.add_run(text)
    run.bold, run.italic = bold or None, italic or None
    if points is not None:
        run.font.size = Pt(points)
    paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER if centred else WD_ALIGN_PARAGRAPH.JUSTIFY
    paragraph.paragraph_format.space_after = Pt(after)
    if not centred and indent_mm:
        paragraph.paragraph_format.first_line_indent = Mm(indent_mm)
    paragraph.paragraph_format.keep_with_next = with_next or None
    return paragraph


def add_table(document: Any, header: Sequence[str], rows: Sequence[Sequence[str]], widths_mm: Sequence[float], *,
              points: float = 11.0, centred: Collection[int] = (), numbers: Collection[int] = (),
              bold_rows: Collection[int] = ()) -> Any:
    """Add a table with thin lines whose header is repeated on every page; columns and rows are named by position."""
    from docx.enum.table import WD_TABLE_ALIGNMENT
    from docx.enum.text import WD_ALIGN_PARAGRAPH
    from docx.shared import Mm

    table = document.add_table(rows=0, cols=len(header))
    table.style = "Table Grid"
    table.autofit = False
    table.alignment = WD_TABLE_ALIGNMENT.CENTER
    for position, texts in enumerate([header, *rows]):
        row = table.add_row()
        properties = row._tr.get_or_add_trPr()
        properties.append(_element("w:cantSplit"))
        if position == 0:
            properties.append(_element("w:tblHeader"))
        for column, (cell, text, width) in enumerate(zip(row.cells, texts, widths_mm)):
            cell.width = Mm(width)
            side = (WD_ALIGN_PARAGRAPH.CENTER if position == 0 or column in centred else
                    WD_ALIGN_PARAGRAPH.RIGHT if column in numbers else WD_ALIGN_PARAGRAPH.LEFT)
            _line(cell, text, first=True, points=points, side=side, bold=position == 0 or position - 1 in bold_rows)
    for column, width in zip(table.columns, widths_mm):
        column.width = Mm(width)
    return table


def _two_columns(document: Any, left_mm: float, right_mm: float) -> Any:
    from docx.enum.table import WD_TABLE_ALIGNMENT
    from docx.shared import Mm

    table = document.add_table(rows=1, cols=2)
    table.autofit = False
    table.alignment = WD_TABLE_ALIGNMENT.CENTER
    for column, width in zip(table.columns, (left_mm, right_mm)):
        column.width = Mm(width)
        for cell in column.cells:
            cell.width = Mm(width)
    return table


def _line(cell: Any, text: str, *, bold: bool = False, italic: bool = False, first: bool = False,
          points: float = 13.0, side: Any = None) -> Any:
    from docx.enum.text import WD_ALIGN_PARAGRAPH
    from docx.shared import Pt

    paragraph = cell.paragraphs[0] if first else cell.add_paragraph()
    paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER if side is None else side
    paragraph.paragraph_format.space_after = Pt(0)
    run = paragraph.add_run(text)
    run.bold, run.italic = bold or None, italic or None
    run.font.size = Pt(points)
    return paragraph


def _rule(cell: Any, indent_mm: float) -> None:
    """Draw the short line under the agency and under the motto."""
    from docx.shared import Mm, Pt

    paragraph = _line(cell, "", points=3.0)
    paragraph.paragraph_format.left_indent = paragraph.paragraph_format.right_indent = Mm(indent_mm)
    paragraph.paragraph_format.space_before = Pt(1)
    paragraph.paragraph_format.space_after = Pt(4)
    borders = _element("w:pBdr")
    borders.append(_element("w:top", **{"w:val": "single", "w:sz": "6", "w:space": "1", "w:color": "000000"}))
    properties = paragraph._p.get_or_add_pPr()
    properties.insert_element_before(borders, "w:shd", "w:tabs", "w:suppressAutoHyphens", "w:kinsoku", "w:wordWrap",
                                     "w:overflowPunct", "w:topLinePunct", "w:autoSpaceDE", "w:autoSpaceDN",
                                     "w:bidi", "w:adjustRightInd", "w:snapToGrid", "w:spacing", "w:ind",
                                     "w:contextualSpacing", "w:mirrorIndents", "w:suppressOverlap", "w:jc",
                                     "w:textDirection", "w:textAlignment", "w:textboxTightWrap", "w:outlineLvl",
                                     "w:divId", "w:cnfStyle", "w:rPr", "w:sectPr", "w:pPrChange")


def _element(tag: str, **attributes: str) -> Any:
    from docx.oxml import OxmlElement
    from docx.oxml.ns import qn

    element = OxmlElement(tag)
    for name, value in attributes.items():
        element.set(qn(name), value)
    return element
