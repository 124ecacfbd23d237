"""The shapes of one conflict on the map, each side in its own colour."""

from __future__ import annotations

from qgis.core import QgsCoordinateReferenceSystem, QgsCoordinateTransform, QgsGeometry, QgsProject, QgsRectangle
from qgis.gui import QgsMapCanvas, QgsRubberBand
from qgis.PyQt.QtCore import Qt
from qgis.PyQt.QtGui import QColor

#: Grey, blue and orange are told apart by people who see red and green alike, and in print without colour by their lines.
COLOURS = {"base": QColor("#5f6368"), "ours": QColor("#0b57d0"), "theirs": QColor("#d9730d")}
_LINES = {"base": Qt.PenStyle.DotLine, "ours": Qt.PenStyle.SolidLine, "theirs": Qt.PenStyle.DashLine}
_WIDTHS = {"base": 2, "ours": 3, "theirs": 3}


class ConflictShapes:
    """Marks on the canvas; nothing of the project is touched."""

    def __init__(self, canvas: QgsMapCanvas):
        self._canvas = canvas
        self._bands: list[QgsRubberBand] = []

    def show(self, shapes: dict[str, bytes | None], crs: QgsCoordinateReferenceSystem) -> None:
        """Draw the sides that have a shape, and bring all of them into view."""
        self.clear()
        extent = QgsRectangle()
        extent.setNull()
        for side in ("base", "theirs", "ours"):
            wkb = shapes.get(side)
            if wkb is None:
                continue
            shape = QgsGeometry()
            shape.fromWkb(wkb)
            band = QgsRubberBand(self._canvas, shape.type())
            fill = QColor(COLOURS[side])
            fill.setAlpha(40 if side != "base" else 0)
            band.setStrokeColor(COLOURS[side])
            band.setFillColor(fill)
            band.setWidth(_WIDTHS[side])
            band.setLineStyle(_LINES[side])
            band.setIconSize(14)
            band.setToGeometry(shape, crs)
            self._bands.append(band)
            box = shape.boundingBox()
            box.grow(max(box.width(), box.height(), 10.0) * 0.5)
            extent.combineExtentWith(box)
        if not extent.isNull() and crs.isValid():
            to_map = QgsCoordinateTransform(crs, self._canvas.mapSettings().destinationCrs(), QgsProject.instance())
            self._canvas.setExtent(to_map.transformBoundingBox(extent))
            self._canvas.refresh()

    def clear(self) -> None:
        """Take all marks off the map."""
        for band in self._bands:
            self._canvas.scene().removeItem(band)
        self._bands = []
