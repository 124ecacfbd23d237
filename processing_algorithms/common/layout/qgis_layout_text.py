"""Type on printed sheets: a family that has all Vietnamese letters, and measuring of text before it is placed."""

from __future__ import annotations

from functools import lru_cache

from qgis.core import Qgis, QgsFontUtils, QgsRenderContext, QgsTextFormat, QgsTextRenderer
from qgis.PyQt.QtGui import QColor, QFont

#: The first one the machine has is used. All have the letters of Vietnamese with two marks (ề, ữ, ặ).
FAMILIES = ("Noto Sans", "DejaVu Sans", "Arial", "Segoe UI", "Tahoma", "Liberation Sans")
FONT_COLOR = "#1a1a1a"
#: Measuring resolution; high, because font metrics are rounded to whole dots.
_DOTS_PER_MM = 1200 / 25.4


@lru_cache(maxsize=1)
def font_family() -> str:
    """Return the family of printed text."""
    return next((family for family in FAMILIES if QgsFontUtils.fontFamilyOnSystem(family)), QFont().defaultFamily())


def text_format(points: float, *, bold: bool = False, color: str = FONT_COLOR) -> QgsTextFormat:
    """Return a text format of the printed family, the caller's own."""
    return QgsTextFormat(_text_format(points, bold, color))


@lru_cache(maxsize=100)
def _text_format(points: float, bold: bool, color: str) -> QgsTextFormat:
    font = QFont(font_family())
    font.setBold(bold)
    result = QgsTextFormat()
    result.setFont(font)
    result.setFamilies(list(FAMILIES))
    result.setForcedBold(bold)
    result.setSize(points)
    result.setSizeUnit(Qgis.RenderUnit.Points)
    result.setColor(QColor(color))
    return result


def text_width_mm(text: str, style: QgsTextFormat) -> float:
    """Return the width of the longest line."""
    return QgsTextRenderer.textWidth(_context(), style, text.split("\n")) / _DOTS_PER_MM


def text_height_mm(text: str, style: QgsTextFormat, width_mm: float) -> float:
    """Return the height of a text in a `text_format`, wrapped to ``width_mm``; 0 for an empty one."""
    return _wrapped_height(text, style.size(), style.font().bold(), width_mm) if text else 0.0


@lru_cache(maxsize=1000)
def _wrapped_height(text: str, points: float, bold: bool, width_mm: float) -> float:
    style = text_format(points, bold=bold)
    return QgsTextRenderer.textHeight(
        _context(), style, text.split("\n"), Qgis.TextLayoutMode.RectangleAscentBased, None,
        Qgis.TextRendererFlag.WrapLines,
        width_mm * _DOTS_PER_MM) / _DOTS_PER_MM


def wrapped(text: str, style: QgsTextFormat, width_mm: float) -> str:
    """Break a text into lines no wider than ``width_mm``; a single word that is wider stays whole."""
    lines = []
    for paragraph in text.split("\n"):
        line = ""
        for word in paragraph.split():
            longer = f"{line} {word}".strip()
            if line and text_width_mm(longer, style) > width_mm:
                lines.append(line)
                line = word
            else:
                line = longer
        lines.append(line)
    return "\n".join(lines)


@lru_cache(maxsize=100)
def lines_height_mm(count: int, points: float, bold: bool = False) -> float:
    """Return the height of so many lines of one size, whatever they say."""
    return text_height_mm("\n".join(["Ặg"] * count), text_format(points, bold=bold), 10_000.0)


@lru_cache(maxsize=100)
def fitted_size(text: str, width_mm: float, points: float, smallest: float, *, bold: bool = False) -> float:
    """Return the largest size from ``points`` down to ``smallest`` at which every line of the text fits the width."""
    while points > smallest and text_width_mm(text, text_format(points, bold=bold)) > width_mm:
        points -= 0.5
    return max(points, smallest)


def measured(text: str, points: float) -> tuple[float, float]:
    """Return width and height in mm of a text of one or more lines, quickly; type grows in proportion."""
    width, height = _at_ten_points(text)
    return width * points / 10, height * points / 10


@lru_cache(maxsize=20_000)
def _at_ten_points(text: str) -> tuple[float, float]:
    return text_width_mm(text, text_format(10.0)), lines_height_mm(text.count("\n") + 1, 10.0)


@lru_cache(maxsize=1)
def _context() -> QgsRenderContext:
    context = QgsRenderContext()
    context.setScaleFactor(_DOTS_PER_MM)
    return context
