"""Columns of the tables of a flood report: how a figure is printed, and the numbers a workbook holds for it.

Printed, a figure is a text with its range in brackets, ``"120 (90 - 150)"``; in a workbook low, middle and high stand in columns of their own, as numbers somebody can sum.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from ...common.numbers_vi import format_number
from ...common.rounding import round_estimate
from ...common.workbook import ESTIMATE, Column, Figure, Sheet
from ..exposure.exposure_range_workbook import estimated

#: A change is told with its sign.
_SIGNED = "+#,##0{0};-#,##0{0};0"


@dataclass(frozen=True)
class ReportColumn:
    """A column: its printed title, how a cell is printed, the columns of a workbook and what these hold."""

    title: str
    printed: Callable[[object], str]
    sheet: tuple[Column, ...]
    cells: Callable[[object], tuple[object, ...]]


@dataclass(frozen=True)
class ReportTable:
    """A table with its heading; the first column is the name.

    Attributes
    ----------
    tab : str
        Short name, for a workbook.
    most : int or None
        Rows a printed annex holds; the workbook has them all.
    more : str
        What is told of the others, ``"Còn {n} ..."``.
    none : str
        Printed instead of rows.
    """

    tab: str
    title: str
    columns: list[ReportColumn]
    rows: list[tuple[object, ...]]
    note: str = ""
    none: str = "Không có."
    most: int | None = None
    more: str = ""

    def printed(self, number: int) -> PrintedTable:
        """As the annex prints it, as its section of that number."""
        rows = [[column.printed(cell) for column, cell in zip(self.columns, row)] for row in self.rows[:self.most]]
        left = len(self.rows) - len(rows)
        note = f"{self.more.format(n=left)} {self.note}" if left else self.note
        return PrintedTable(f"{number}. {self.title}", [c.title for c in self.columns], rows, note.strip(), self.none)

    def sheet(self, subtitle: str) -> Sheet:
        """As a workbook holds it."""
        rows = [
            tuple(value for column, cell in zip(self.columns, row) for value in column.cells(cell)) for row in self.rows
        ]
        notes = [self.note] if self.note else []
        return Sheet(self.tab, [one for column in self.columns for one in column.sheet], rows, self.title.upper(), subtitle, [*notes, *([] if rows else [self.none])], frozen_columns=1)


@dataclass(frozen=True)
class PrintedTable:
    """A table as texts."""

    title: str
    columns: list[str]
    rows: list[list[str]]
    note: str = ""
    none: str = field(default="Không có.")


def people(value: float | None) -> str:
    """An estimate of people as it is printed: tens, from 1.000 hundreds; somebody is never nobody."""
    if value is None or value != value:
        return ""
    rounded = round_estimate(value)
    return "< 10" if value > 0 and rounded == 0 else format_number(rounded)


def spread(low: float | None, middle: float | None, high: float | None) -> str:
    """``"120 (90 - 150)"``; without the range where there is none."""
    if middle is None or middle != middle:
        return ""
    ends = people(low), people(high)
    return (
        people(middle)
        if not all(ends) or ends == (people(middle),) * 2
        else f"{people(middle)} ({ends[0]} - {ends[1]})"
    )


def signed(change: float) -> str:
    """A change of an estimate of people."""
    if change != change:
        return ""
    rounded = round_estimate(abs(change))
    return "không đổi" if rounded == 0 else f"{'+' if change > 0 else '-'}{format_number(rounded)}"


def text_column(title: str, *, sheet: str = "") -> ReportColumn:
    """Texts, dates and moments."""
    return ReportColumn(
        title, lambda cell: "" if cell is None else str(cell), (Column(sheet or title),), lambda cell: (cell,)
    )


def number_column(title: str, decimals: int) -> ReportColumn:
    """Counts and measures."""
    return ReportColumn(
        title,
        lambda cell: _number(cell, decimals),
        (Column(title, decimals),),
        lambda cell: (None if cell is None or cell != cell else round(cell, decimals),),
    )


def estimate_column(title: str) -> ReportColumn:
    """An estimate of people, households or houses."""
    return ReportColumn(title, people, (Column(title, 0, form=ESTIMATE),), lambda cell: (estimated(cell),))


def spread_column(title: str) -> ReportColumn:
    """An estimate with its range; cells are low, middle, high."""
    return ReportColumn(
        title,
        lambda cell: spread(*cell),
        tuple(Column(f"{title}, {end}", 0, form=ESTIMATE) for end in ("thấp", "giữa", "cao")),
        lambda cell: tuple(estimated(value) for value in cell),
    )


def level_column(title: str, unit: str) -> ReportColumn:
    """Levels with two decimals and their range; cells are low, middle, high."""
    def printed(cell: tuple[float, float, float]) -> str:
        return _number(cell[0], 2) if cell[0] == cell[2] else f"{_number(cell[0], 2)} - {_number(cell[2], 2)}"

    return ReportColumn(
        f"{title} ({unit})",
        printed,
        tuple(Column(f"{title}, {end} ({unit})", 2) for end in ("thấp", "giữa", "cao")),
        tuple,
    )


def alarm_column(title: str) -> ReportColumn:
    """A level against an alarm level; cells are the alarm level's number and the metres above it (below where negative), or None."""
    def printed(cell: tuple[int, float] | None) -> str:
        return "" if cell is None else f"{'trên' if cell[1] >= 0 else 'dưới'} BĐ{cell[0]} {_number(abs(cell[1]), 2)} m"

    return ReportColumn(
        title,
        printed,
        (Column(title), Column("Trên (+), dưới (-) (m)", 2, form=_SIGNED.format(".00"))),
        lambda cell: (None, None) if cell is None else (f"{'trên' if cell[1] >= 0 else 'dưới'} BĐ{cell[0]}", cell[1]),
    )


def quantity_column(title: str) -> ReportColumn:
    """Figures of several kinds under each other, see `Quantity`."""
    return ReportColumn(title, lambda cell: cell.printed(), (Column(title, 0),), lambda cell: (cell.figure(),))


@dataclass(frozen=True)
class Quantity:
    """An estimate of people, or kilometres given in metres; or the change of one."""

    value: float
    metres: bool = False
    change: bool = False

    def printed(self) -> str:
        """As text."""
        if self.value != self.value:
            return ""
        if not self.metres:
            return signed(self.value) if self.change else people(self.value)
        if not self.change:
            return _number(self.value / 1000, 1)
        return "không đổi" if abs(self.value) < 50 else f"{'+' if self.value > 0 else '-'}{_number(abs(self.value) / 1000, 1)}"

    def figure(self) -> Figure | None:
        """As a number with its own format."""
        if self.value != self.value:
            return None
        if self.metres:
            return Figure(round(self.value / 1000, 1), _SIGNED.format(".0") if self.change else "#,##0.0")
        if self.change:
            return Figure(round_estimate(abs(self.value)) * (1 if self.value > 0 else -1), _SIGNED.format(""))
        return Figure(estimated(self.value), ESTIMATE)


def kilometre_column(title: str, decimals: int = 1) -> ReportColumn:
    """Cells are metres."""
    return ReportColumn(
        title,
        lambda cell: _number(cell / 1000, decimals),
        (Column(title, decimals),),
        lambda cell: (None if cell != cell else round(cell / 1000, decimals),),
    )


def _number(value: float | None, decimals: int) -> str:
    return "" if value is None or value != value else format_number(value, decimals)
