"""A report as one PDF: pages of text and tables, then pages of printed maps, all vector.

Text is laid out by Qt's rich text. Qt breaks a table in the middle of a row and leaves a heading alone at the foot of a page; here a table is ended at the row that
would be broken and goes on, with its heading row, on the next page, and a heading goes with its table.
"""

from __future__ import annotations

import html
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from qgis.core import Qgis, QgsLayoutExporter, QgsPrintLayout
from qgis.PyQt.QtCore import QMarginsF, QRectF, QSizeF, Qt
from qgis.PyQt.QtGui import (
    QAbstractTextDocumentLayout,
    QFont,
    QPageLayout,
    QPageSize,
    QPainter,
    QPalette,
    QPdfWriter,
    QTextDocument,
    QTextFrame,
    QTextTable,
)

from ..destinations import written_whole
from ..errors import OutputError
from ..language import say
from ..qgis_main_thread import soon_in_main_thread
from .qgis_layout_text import font_family

#: Margins of a page of text, mm: left, top, right, bottom (the left one for the binding, NĐ 30/2020).
_MARGINS = (25.0, 18.0, 15.0, 18.0)
_DPI = 300
#: Rows looked at for the next bad break; a page holds some fifty.
_ROWS = 70


def write_report_pdf(
    path: str | os.PathLike[str],
    blocks: Sequence[Any],
    *,
    title: str,
    footer: str,
    maps: int = 0,
    draw_maps: Callable[[QPainter, QPdfWriter], object] | None = None,
    main: Callable[..., Any] | None = None,
) -> int:
    """Write the report.

    Parameters
    ----------
    path : path
    blocks : sequence
        What the pages of text are made of: objects with ``text``, ``bold``, ``italic``, ``centred``, ``points``, ``above`` (paragraphs), with ``lines`` (lists), with
        ``left`` and ``right`` (heads of papers), with ``title``, ``columns``, ``rows``, ``note`` (tables).
    title : str
        Of the document, for readers of its properties.
    footer : str
        At the foot of every page of text, beside the page number.
    maps : int
        How many pages of maps come after the text.
    draw_maps : callable, optional
        Draws them (`draw_layout`).
    main : callable, optional
        Calls what it is given, with its arguments, in the main thread, where Qt's texts and layouts live; for callers in another one. Each call is short.

    Returns
    -------
    int
        Number of pages.

    Raises
    ------
    OutputError
        The file cannot be written.
    """
    main = main or (lambda do, *arguments: do(*arguments))
    with written_whole(path) as part:
        pdf = _ReportPdf(blocks, footer, maps)
        try:
            main(pdf.begin, part, title)
            while not main(pdf.lay_out):
                pass
            while not main(pdf.draw_text):
                pass
            if draw_maps is not None:
                main(pdf.draw, draw_maps)
        finally:
            soon_in_main_thread(pdf.end)
    return pdf.pages + maps


def _page(size: QPageSize) -> QPageLayout:
    return QPageLayout(size, QPageLayout.Orientation.Portrait, QMarginsF(0, 0, 0, 0), QPageLayout.Unit.Millimeter)


@dataclass(frozen=True)
class _Piece:
    """Blocks from one on, of which the first may begin, and the last end, at a row of its table."""

    first: int = 0
    row: int = 0
    last: int | None = None
    end: int | None = None

    def parts(self, blocks: Sequence[Any]) -> Iterator[tuple[int, Any, int, int | None]]:
        """Number of each block, the block, and the rows of it."""
        last = len(blocks) - 1 if self.last is None else self.last
        for number in range(self.first, last + 1):
            yield number, blocks[number], self.row if number == self.first else 0, self.end if number == last else None

    def shorter(self, blocks: Sequence[Any], rows: int) -> _Piece:
        """The beginning of it, with about so many rows."""
        for number, block, first, end in self.parts(blocks):
            if not _is_table(block):
                continue
            count = (len(block.rows) if end is None else end) - first
            if count > rows:
                return _Piece(self.first, self.row, number, first + max(rows, 1))
            rows -= count
        return self

    def until(self, first: int, row: int) -> _Piece:
        """What stands before a place."""
        return _Piece(self.first, self.row, first if row else first - 1, row or None)


class _ReportPdf:
    """A report being written. All of it but its making belongs to the main thread."""

    def __init__(self, blocks: Sequence[Any], footer: str, maps: int):
        self._blocks, self._footer, self._maps = blocks, footer, maps
        self._writer: QPdfWriter | None = None
        self._painter: QPainter | None = None
        self._rest, self._rows = _Piece(), _ROWS
        self._documents: list[QTextDocument] = []
        self._drawn = self.pages = 0

    def begin(self, part: Path, title: str) -> None:
        """Begin the file."""
        self._writer = writer = QPdfWriter(str(part))
        writer.setResolution(_DPI)
        writer.setTitle(title)
        writer.setCreator("QuyHoach")
        writer.setPageLayout(_page(QPageSize(QPageSize.PageSizeId.A4)))
        self._painter = QPainter()
        if not self._painter.begin(writer):
            raise OutputError(say("Không ghi được {path}.", "{path} cannot be written.").format(path=part.name))
        left, top, right, bottom = (mm * _DPI / 25.4 for mm in _MARGINS)
        self._size = QSizeF(writer.width() - left - right, writer.height() - top - bottom)

    def end(self) -> None:
        """End the file, whole or not."""
        if self._painter is not None and self._painter.isActive():
            self._painter.end()
        self._documents = []  # they look to the writer
        self._painter = self._writer = None

    def lay_out(self) -> bool:
        """Lay out the text up to the first bad break, which then begins a page; False while there is more.

        What follows a forced break is laid out as if nothing stood before it, so each piece is a document of its own, and no more is looked at than
        may stand on the next pages.
        """
        some = self._rest.shorter(self._blocks, self._rows)
        document = self._laid_out(some)
        bad = _first_bad(document, self._blocks, some, self._size.height())
        if bad is None and some != self._rest:
            self._rows *= 2
            return False
        if bad is not None:
            document = self._laid_out(self._rest.until(*bad))
            self._rest, self._rows = _Piece(*bad), _ROWS
        self._documents.append(document)
        self.pages += document.pageCount()
        return bad is None

    def _laid_out(self, piece: _Piece) -> QTextDocument:
        document = QTextDocument()
        # The paint device sets how points become dots; without it the text would be laid out for a screen.
        document.documentLayout().setPaintDevice(self._writer)
        font = QFont(font_family())
        font.setPointSizeF(10)
        document.setDefaultFont(font)
        document.setDocumentMargin(0)
        document.setHtml(_html(self._blocks, piece))
        document.setPageSize(self._size)
        document.pageCount()  # lays out all of it
        return document

    def draw(self, do: Callable[[QPainter, QPdfWriter], object]) -> None:
        """Have something else drawn behind the text."""
        do(self._painter, self._writer)

    def draw_text(self) -> bool:
        """Draw the next pages of text; False while there are more."""
        painter, writer, document = self._painter, self._writer, self._documents.pop(0)
        dots = _DPI / 25.4
        left, top, bottom = _MARGINS[0] * dots, _MARGINS[1] * dots, _MARGINS[3] * dots
        width, height = self._size.width(), self._size.height()
        context = QAbstractTextDocumentLayout.PaintContext()
        context.palette.setColor(QPalette.ColorRole.Text, Qt.GlobalColor.black)
        foot = QFont(font_family())
        foot.setPointSizeF(8)
        for page in range(document.pageCount()):
            if self._drawn:
                writer.newPage()
            self._drawn += 1
            painter.save()
            painter.translate(left, top - page * height)
            view = QRectF(0, page * height, width, height)
            painter.setClipRect(view)
            context.clip = view
            document.documentLayout().draw(painter, context)
            painter.restore()
            painter.setFont(foot)
            line = QRectF(left, writer.height() - bottom + 3 * dots, width, 6 * dots)
            painter.drawText(line, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop, self._footer)
            painter.drawText(
                line, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignTop, f"{self._drawn}/{self.pages + self._maps}"
            )
        return not self._documents


def _first_bad(document: QTextDocument, blocks: Sequence[Any], piece: _Piece, height: float) -> tuple[int, int] | None:
    """Where a page must begin to mend the first bad break: block, and row of its table (0: the block with its heading); None when there is none."""
    tables = [t for t in _tables(document.rootFrame()) if t.rows() > 0]
    made = [(number, block, row) for number, block, row, _ in piece.parts(blocks) if hasattr(block, "left") or _is_table(block) and block.rows]
    for table, (number, block, first) in zip(tables, made):
        if not _is_table(block):
            continue
        pages = [_page_of(document, table, row, height) for row in range(table.rows())]
        if first == 0 and table.rows() > 1 and number != piece.first:
            heading = document.documentLayout().blockBoundingRect(table.firstCursorPosition().block().previous())
            if int(heading.top() // height) != pages[1]:
                return number, 0
        for row in range(2, table.rows()):
            if pages[row] != pages[row - 1]:
                # A row less on this page: Qt puts an empty paragraph behind every table, which else begins a page of its own.
                return number, first + row - (2 if row > 2 else 1)
    return None


def _tables(frame: QTextFrame) -> list[QTextTable]:
    return [child for child in frame.childFrames() if isinstance(child, QTextTable)]


def _page_of(document: QTextDocument, table: QTextTable, row: int, height: float) -> int:
    """Page the text of a row ends on."""
    ends = [
        document.documentLayout().blockBoundingRect(table.cellAt(row, column).lastCursorPosition().block()).bottom()
        for column in range(table.columns())
    ]
    return int((max(ends) - 1) // height)


def _is_table(block: Any) -> bool:
    return hasattr(block, "columns")


def _html(blocks: Sequence[Any], piece: _Piece) -> str:
    parts = []
    for _, block, first, end in piece.parts(blocks):
        if _is_table(block):
            parts.append(_TABLE_GOES_ON if first else _paragraph(block.title, bold=True, points=11, above=8))
            parts.append(_table(block.columns, block.rows[first:end]) if block.rows else _paragraph(block.none))
            if block.note and end is None:
                parts.append(_paragraph(block.note, italic=True, points=9))
        elif hasattr(block, "lines"):
            parts.append(
                "<ul style='margin-top:0'>" + "".join(f"<li>{_escaped(line)}</li>" for line in block.lines) + "</ul>"
            )
        elif hasattr(block, "left"):
            parts.append(f'<table width="100%" style="font-size:10pt;"><tr><td align="center" width="45%"><b>{_escaped(block.left)}</b></td>'
                         f'<td align="center" width="55%"><b>{_escaped(block.right)}</b></td></tr></table>')
        else:
            parts.append(_paragraph(block.text, bold=block.bold, italic=block.italic, centred=block.centred, points=block.points, above=block.above))
    return "".join(parts)


def _paragraph(text: str, *, bold: bool = False, italic: bool = False, centred: bool = False, points: float = 10, above: float = 0) -> str:
    style = f"font-size:{points}pt; margin-top:{above}pt; margin-bottom:2pt;" + ("font-weight:bold;" if bold else "") + ("font-style:italic;" if italic else "")
    return f'<p {"align=center" if centred else ""} style="{style}">{_escaped(text)}</p>'


#: Stands where a heading would above a table that goes on.
_TABLE_GOES_ON = '<p style="font-size:1pt; margin-top:0; margin-bottom:0;">&nbsp;</p>'


def _table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table; figures are set to the right, texts to the left."""
    head = "".join(f'<th style="background-color:#e8eef5;" align="center">{_escaped(c)}</th>' for c in columns)
    body = "".join("<tr>" + "".join(f'<td align="{"left" if k == 0 or not _is_figure(cell) else "right"}">{_escaped(cell)}</td>' for k, cell in enumerate(row)) + "</tr>" for row in rows)
    return ('<table border="1" cellspacing="0" cellpadding="3" width="100%" style="border-collapse:collapse; border-style:solid; border-color:#888888; font-size:9pt;">'
            f"<tr>{head}</tr>{body}</table>")


def _is_figure(cell: str) -> bool:
    return not cell or cell.lstrip("<+- (")[:1].isdigit()


def _escaped(text: str) -> str:
    return html.escape(str(text)).replace("\n", "<br/>")


def draw_layout(painter: QPainter, writer: QPdfWriter, layout: QgsPrintLayout) -> None:
    """Print all pages of a layout (a long legend has one of its own), each at its own size, behind what is drawn."""
    layout.renderContext().setDpi(_DPI)
    layout.renderContext().setTextRenderFormat(Qgis.TextRenderFormat.AlwaysText)
    for number in range(layout.pageCollection().pageCount()):
        size = layout.pageCollection().page(number).pageSize()
        writer.setPageLayout(_page(QPageSize(QSizeF(size.width(), size.height()), QPageSize.Unit.Millimeter)))
        writer.newPage()
        painter.save()
        QgsLayoutExporter(layout).renderPage(painter, number)
        painter.restore()
