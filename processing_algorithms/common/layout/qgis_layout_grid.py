"""The coordinate grid of a printed map: crosses inside, ticks and metres on the frame."""

from __future__ import annotations

import math

from qgis.core import (
    Qgis,
    QgsCoordinateReferenceSystem,
    QgsGeometry,
    QgsLayoutItemMap,
    QgsLayoutItemMapGrid,
    QgsPointXY,
    QgsRectangle,
    QgsUnitTypes,
)
from qgis.PyQt.QtGui import QColor

from .qgis_layout_text import text_format

#: Distance of grid lines on paper that reads well, millimetres.
_WANTED_MM = 50.0
#: Whole metres with a thin space between thousands: the way sheets of the national grid are lettered.
_METRES = "regexp_replace(to_string(round(@grid_number)), '(\\\\d)(?=(\\\\d{3})+$)', '\\\\1\u2009')"


def add_grid(map_item: QgsLayoutItemMap, points: float) -> QgsLayoutItemMapGrid:
    """Give the map a grid lettered in the given type size; `fit_grid` sets its interval."""
    grid = QgsLayoutItemMapGrid("coordinates", map_item)
    grid.setStyle(QgsLayoutItemMapGrid.GridStyle.Cross)
    grid.setCrossLength(2.0)
    grid.setGridLineColor(QColor("#5a5a5a"))
    grid.setGridLineWidth(0.12)
    grid.setFrameStyle(QgsLayoutItemMapGrid.FrameStyle.ExteriorTicks)
    grid.setFrameWidth(1.2)
    grid.setFramePenSize(0.2)
    grid.setAnnotationEnabled(True)
    grid.setAnnotationTextFormat(text_format(points))
    grid.setAnnotationFrameDistance(1.4)
    sides = QgsLayoutItemMapGrid.BorderSide
    for side in (sides.Left, sides.Right):
        grid.setAnnotationDirection(QgsLayoutItemMapGrid.AnnotationDirection.Vertical, side)
    for side in (sides.Top, sides.Right):
        grid.setAnnotationDisplay(QgsLayoutItemMapGrid.DisplayMode.HideAll, side)
    map_item.grids().addGrid(grid)
    return grid


def fit_grid(grid: QgsLayoutItemMapGrid, crs: QgsCoordinateReferenceSystem, scale: float) -> float:
    """Set the interval for a map in ``crs`` at 1:``scale``; return it in map units."""
    per_mm = scale / 1000 * QgsUnitTypes.fromUnitToUnitFactor(Qgis.DistanceUnit.Meters, crs.mapUnits())
    interval = _round_interval(_WANTED_MM * per_mm)
    grid.setCrs(crs)
    grid.setIntervalX(interval)
    grid.setIntervalY(interval)
    if crs.isGeographic():
        grid.setAnnotationFormat(QgsLayoutItemMapGrid.AnnotationFormat.DegreeMinuteSecondPadded)
        grid.setAnnotationPrecision(0)
    else:
        grid.setAnnotationFormat(QgsLayoutItemMapGrid.AnnotationFormat.CustomFormat)
        grid.setAnnotationExpression(_METRES)
    return interval


def grid_crosses(ground: QgsRectangle, interval: float, arm: float) -> list[QgsGeometry]:
    """Return the crosses at the grid's corners inside a rectangle, ``arm`` to each side, map units.

    Drawn as a layer they stay under the texts of the map; a layout draws its own grid over them.
    """
    def inside(low: float, high: float) -> list[float]:
        return [at * interval for at in range(math.ceil(low / interval), math.floor(high / interval) + 1)]

    return [QgsGeometry.fromMultiPolylineXY([[QgsPointXY(x - arm, y), QgsPointXY(x + arm, y)],
                                             [QgsPointXY(x, y - arm), QgsPointXY(x, y + arm)]])
            for x in inside(ground.xMinimum(), ground.xMaximum()) for y in inside(ground.yMinimum(), ground.yMaximum())]


def _round_interval(wanted: float) -> float:
    """The number of the kind 1, 2, 5 times a power of ten nearest to ``wanted`` by ratio."""
    power = 10.0 ** math.floor(math.log10(wanted))
    return min((factor * power for factor in (1, 2, 5, 10)), key=lambda value: abs(math.log(value / wanted)))
