"""Where things stand on a drawing of a plan: frame, title, map, legend, title block and signatures, on A0 to A4."""

from __future__ import annotations

import math
from dataclasses import dataclass

from qgis.PyQt.QtCore import QRectF

#: Width and height in millimetres, landscape.
DRAWING_PAPERS = {"A0": (1189.0, 841.0), "A1": (841.0, 594.0), "A2": (594.0, 420.0), "A3": (420.0, 297.0),
                  "A4": (297.0, 210.0)}
#: Type size of ordinary text in points; all lengths below grow with it.
_POINTS = {"A0": 12.5, "A1": 10.0, "A2": 8.5, "A3": 7.5, "A4": 6.5}
#: Width of the column with legend and title block.
_SIDE = {"A0": 180.0, "A1": 140.0, "A2": 112.0, "A3": 90.0, "A4": 68.0}
#: Margin left for binding, and the others (ISO 5457).
_BINDING, _MARGIN = 20.0, 10.0
#: The map's sides are multiples of this, so that the corners of sheets are round numbers.
_MAP_STEP = 10.0


@dataclass(frozen=True)
class DrawingFrames:
    """Places on the page, millimetres; ``points`` is the type size of ordinary text, ``unit`` lengths grow with it."""

    points: float
    unit: float
    page: tuple[float, float]
    frame: QRectF
    title: QRectF
    map: QRectF
    legend: QRectF
    facts: QRectF
    block: QRectF
    signatures: QRectF

    @property
    def map_mm(self) -> tuple[float, float]:
        """Width and height of the map."""
        return self.map.width(), self.map.height()


def drawing_frames(paper: str, portrait: bool) -> DrawingFrames:
    """Divide a page.

    Landscape: title and map, the signatures under the map, and at the right legend, facts and title block. Portrait:
    title, map, then a band with the legend at the left and facts and title block at the right, then the signatures.
    """
    width, height = DRAWING_PAPERS[paper][::-1] if portrait else DRAWING_PAPERS[paper]
    points = _POINTS[paper]
    unit, side = points / 7.5, _SIDE[paper]
    title, signatures, facts, block = 17 * unit, 38 * unit, 44 * unit, 44 * unit
    gap, lettering = 2.0 * unit, 6.0 * unit
    frame = QRectF(_BINDING, _MARGIN, width - _BINDING - _MARGIN, height - 2 * _MARGIN)
    right, bottom = frame.right(), frame.bottom()
    if portrait:
        below = bottom - signatures
        top = below - facts - block - gap
        room = QRectF(frame.x(), frame.y() + title, frame.width(), top - frame.y() - title)
        legend = QRectF(frame.x() + gap, top + gap, frame.width() - side - 3 * gap, below - top - 2 * gap)
        facts_box = QRectF(right - side, top + gap, side - gap, facts)
        block_box = QRectF(right - side, below - block, side, block)
        strip = QRectF(frame.x(), below, frame.width(), signatures)
        title_box = QRectF(frame.x(), frame.y(), frame.width(), title)
    else:
        main = frame.width() - side
        room = QRectF(frame.x(), frame.y() + title, main, frame.height() - title - signatures)
        facts_top = bottom - block - facts - gap
        legend = QRectF(right - side + gap, frame.y() + gap, side - 2 * gap, facts_top - frame.y() - 2 * gap)
        facts_box = QRectF(right - side + gap, facts_top, side - 2 * gap, facts)
        block_box = QRectF(right - side, bottom - block, side, block)
        strip = QRectF(frame.x(), bottom - signatures, main, signatures)
        title_box = QRectF(frame.x(), frame.y(), main, title)
    map_width = math.floor((room.width() - 2 * lettering) / _MAP_STEP) * _MAP_STEP
    map_height = math.floor((room.height() - 2 * lettering) / _MAP_STEP) * _MAP_STEP
    at = QRectF(room.x() + (room.width() - map_width) / 2, room.y() + (room.height() - map_height) / 2, map_width,
                map_height)
    return DrawingFrames(points, unit, (width, height), frame, title_box, at, legend, facts_box, block_box, strip)
