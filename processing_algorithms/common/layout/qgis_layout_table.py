"""A small table of figures on a printed map."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from qgis.core import (
    QgsLayout,
    QgsLayoutFrame,
    QgsLayoutItemManualTable,
    QgsLayoutTable,
    QgsTableCell,
    QgsTextFormat,
)
from qgis.PyQt.QtCore import QRectF, Qt
from qgis.PyQt.QtGui import QColor

from .qgis_layout_items import place
from .qgis_layout_text import lines_height_mm, text_format, text_width_mm, wrapped

_CELL_MARGIN = 0.9
_LINE = 0.15
#: Rows whose heights are told to QGIS ahead.
_ROWS = 60


@dataclass(frozen=True)
class SheetTable:
    """Words and numbers as they are printed. The first column is text, the others are set flush right."""

    title: str
    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    #: The last row is a total and printed bold.
    total: bool = False


class TableItem:
    """The table of a layout, filled again for every sheet."""

    def __init__(self, layout: QgsLayout):
        self._table = QgsLayoutItemManualTable.create(layout)
        layout.addMultiFrame(self._table)
        self._frame = QgsLayoutFrame(layout, self._table)
        self._frame.setId("table")
        self._table.addFrame(self._frame)
        self._table.setCellMargin(_CELL_MARGIN)
        self._table.setGridStrokeWidth(_LINE)
        self._table.setGridColor(QColor("#8a8a8a"))
        self._table.setIncludeTableHeader(False)
        self._table.setHeaderMode(QgsLayoutTable.HeaderMode.NoHeaders)
        # Each cell has its own; these stand in the file and must not name a font of this machine alone.
        self._table.setHeaderTextFormat(text_format(7.0, bold=True))
        self._table.setContentTextFormat(text_format(7.0))
        #: Widths of the columns and heights of the rows, millimetres, as they are.
        self._sizes: tuple[list[float], list[float]] | None = None

    def hide(self) -> None:
        """Show no table on this sheet."""
        self._frame.setVisibility(False)

    def fill(self, table: SheetTable, width: float, points: float) -> float:
        """Set the contents for a width in millimetres; return the height they need."""
        bold, plain = text_format(points, bold=True), text_format(points)
        lines = [list(table.header), *[list(row) for row in table.rows]]
        styles = [[bold if row == 0 or (table.total and row == len(lines) - 1) else plain] * len(table.header)
                  for row in range(len(lines))]
        widths = _column_widths(lines, width, bold)
        contents, heights = [], []
        for texts, formats in zip(lines, styles):
            cells, height = [], 0.0
            for column, (text, style) in enumerate(zip(texts, formats)):
                room = widths[column] - 2 * _CELL_MARGIN - _LINE - 0.3
                broken = wrapped(text, style, room)
                cell = QgsTableCell(broken)
                cell.setTextFormat(style)
                first = not contents
                cell.setHorizontalAlignment(Qt.AlignmentFlag.AlignLeft if column == 0 else
                                            Qt.AlignmentFlag.AlignHCenter if first else Qt.AlignmentFlag.AlignRight)
                cell.setVerticalAlignment(Qt.AlignmentFlag.AlignVCenter)
                if first:
                    cell.setBackgroundColor(QColor("#ececec"))
                cells.append(cell)
                height = max(height, lines_height_mm(broken.count("\n") + 1, points, style is bold))
            contents.append(cells)
            heights.append(height + 0.4)
        # Every setter measures all the cells again.
        inner = [size - 2 * _CELL_MARGIN - _LINE for size in widths]
        # Heights of rows that are not there do no harm, and are those of the next sheet's longer table.
        padded = heights + heights[-1:] * (_ROWS - len(heights))
        if (inner, padded) != self._sizes:
            self._table.setTableContents([])
            self._table.setColumnWidths(inner)
            self._table.setRowHeights(padded)
            self._sizes = inner, padded
        self._table.setTableContents(contents)
        # The table tells its size only once its frame is large enough, and drops a last row that lacks a hair.
        return sum(heights) + 2 * _CELL_MARGIN * len(heights) + _LINE * (len(heights) + 1) + 0.8

    def place(self, box: QRectF) -> None:
        """Show the table in its place, millimetres."""
        self._frame.setVisibility(True)
        place(self._frame, box)


def _column_widths(lines: list[list[str]], width: float, style: QgsTextFormat) -> list[float]:
    """Columns of figures wide enough for their figures and for the heading on two lines; the first takes the rest."""
    others = []
    for column in range(1, len(lines[0])):
        heading = text_width_mm(lines[0][column], style)
        words = [text_width_mm(word, style) for word in lines[0][column].split()]
        figures = [text_width_mm(line[column], style) for line in lines[1:]]
        others.append(max([0.62 * heading if len(words) > 1 else heading, *words,
                           *figures]) + 2 * _CELL_MARGIN + _LINE + 1.5)
    return [width - sum(others), *others]
