"""Where things stand on a printed page, and the numbers a sheet chooses from: papers, scales, lengths of scale bars."""

from __future__ import annotations

import math
from dataclasses import dataclass

from qgis.PyQt.QtCore import QRectF

#: Width and height in millimetres, landscape.
PAPERS = {"A4": (297.0, 210.0), "A3": (420.0, 297.0)}
#: Denominators sheets are printed at; the first that takes the whole extent is used.
SCALES = (200, 250, 500, 1000, 2000, 2500, 5000, 7500, 10_000, 12_500, 15_000, 20_000, 25_000, 30_000, 40_000, 50_000,
          75_000,
          100_000, 150_000, 200_000, 250_000, 300_000, 400_000, 500_000, 750_000, 1_000_000)


@dataclass(frozen=True)
class Frames:
    """Places on the page, millimetres."""

    page: QRectF
    title: QRectF
    map: QRectF
    panel: QRectF


def frames_of(paper: str) -> Frames:
    """Divide a page: title across the top, map on the left, panel on the right."""
    width, height = PAPERS[paper]
    small = paper == "A4"
    margin, gap, title, panel = (7.0, 3.0, 15.0, 68.0) if small else (10.0, 4.0, 19.0, 92.0)
    lettering = 5.0 if small else 6.0  # of the grid, left of the map and below it
    page = QRectF(margin, margin, width - 2 * margin, height - 2 * margin)
    top = page.y() + title + 1.0
    left = page.x() + gap + lettering
    right = page.right() - gap - panel - gap
    bottom = page.bottom() - gap - lettering
    return Frames(
        page=page,
        title=QRectF(page.x(), page.y() + 1.0, page.width(), title - 1.0),
        map=QRectF(left, top, right - left, bottom - top),
        panel=QRectF(right + gap, top, panel, page.bottom() - gap - top))


def scale_bar_segments(longest: float) -> tuple[int, float]:
    """Number and length (1, 2 or 5 times a power of ten) of the segments of the longest bar within ``longest``."""
    power = 10.0 ** math.floor(math.log10(longest))
    bars = [(count, factor * unit) for count in (2, 3, 4) for unit in (power / 10, power) for factor in (1, 2, 5)]
    return max((bar for bar in bars if bar[0] * bar[1] <= longest), key=lambda bar: (bar[0] * bar[1], bar[0]))
