"""A printed page and the items every map on paper has: texts, frames, map, legend, north arrow, scale bar; its files.

`MapSheet` (maps of a study) and `DrawingSheet` (drawings of a plan with their statutory frame) are pages of this kind.
"""

from __future__ import annotations

import base64
import os
from functools import lru_cache
from pathlib import Path

from osgeo import gdal
from qgis.core import (
    Qgis,
    QgsBasicNumericFormat,
    QgsFillSymbol,
    QgsLayoutExporter,
    QgsLayoutItem,
    QgsLayoutItemLabel,
    QgsLayoutItemLegend,
    QgsLayoutItemMap,
    QgsLayoutItemPicture,
    QgsLayoutItemScaleBar,
    QgsLayoutItemShape,
    QgsLayoutMeasurement,
    QgsLayoutPoint,
    QgsLayoutSize,
    QgsPrintLayout,
    QgsProject,
    QgsTextFormat,
)
from qgis.PyQt.QtCore import QRectF, Qt
from qgis.PyQt.QtGui import QColor

from ..destinations import written_whole
from ..errors import OutputError
from ..language import say
from .qgis_layout_page import scale_bar_segments
from .qgis_layout_text import FONT_COLOR, text_format

_ARROW = Path(__file__).resolve().parents[3] / "styles" / "layouts" / "north_arrow.svg"


class LayoutPage:
    """A layout of one page. It belongs to this object, which the project must outlive.

    Parameters
    ----------
    project : QgsProject
    width, height : float
        Of the page, millimetres.
    """

    def __init__(self, project: QgsProject, width: float, height: float):
        self.layout = QgsPrintLayout(project)
        self.layout.initializeDefaults()
        self.layout.pageCollection().page(0).setPageSize(QgsLayoutSize(width, height))
        #: Scale and segments of the scale bar as it is.
        self._bar_shown: tuple[float, int, float] | None = None

    # items --------------------------------------------------------------------------------------------------------

    def _label(self, identity: str, *, bold: bool = False, centred: bool = False) -> QgsLayoutItemLabel:
        label = QgsLayoutItemLabel(self.layout)
        label.setId(identity)
        label.setMarginX(0.0)
        label.setMarginY(0.0)
        label.setHAlign(Qt.AlignmentFlag.AlignHCenter if centred else Qt.AlignmentFlag.AlignLeft)
        label.setVAlign(Qt.AlignmentFlag.AlignVCenter if centred else Qt.AlignmentFlag.AlignTop)
        label.setTextFormat(text_format(8.0, bold=bold))
        self.layout.addLayoutItem(label)
        return label

    def _frame(self, rectangle: QRectF, width_mm: float) -> QgsLayoutItemShape:
        frame = QgsLayoutItemShape(self.layout)
        frame.setShapeType(QgsLayoutItemShape.Shape.Rectangle)
        frame.setSymbol(QgsFillSymbol.createSimple(
            {"style": "no", "outline_color": FONT_COLOR, "outline_width": str(width_mm), "outline_width_unit": "MM"}))
        self._place(frame, rectangle)
        self.layout.addLayoutItem(frame)
        return frame

    def _map(self, rectangle: QRectF) -> QgsLayoutItemMap:
        """The map; the first one of a page is what its coordinates in the file refer to."""
        made = QgsLayoutItemMap(self.layout)
        made.setId("map")
        made.setBackgroundColor(QColor("white"))
        made.setFrameEnabled(True)
        made.setFrameStrokeWidth(QgsLayoutMeasurement(0.35))
        self._place(made, rectangle)
        self.layout.addLayoutItem(made)
        self.layout.setReferenceMap(made)
        return made

    def _legend(self, linked: QgsLayoutItemMap) -> QgsLayoutItemLegend:
        legend = QgsLayoutItemLegend(self.layout)
        legend.setId("legend")
        legend.setLinkedMap(linked)
        legend.setBackgroundEnabled(False)
        self.layout.addLayoutItem(legend)
        return legend

    def _north_arrow(self, linked: QgsLayoutItemMap, *, carried: bool = True) -> QgsLayoutItemPicture:
        """The north arrow; ``carried`` inside the layout it opens on any machine, but QGIS prints it as a picture."""
        north = QgsLayoutItemPicture(self.layout)
        north.setId("north arrow")
        north.setPicturePath(_arrow() if carried else str(_ARROW))
        north.setLinkedMap(linked)
        north.setNorthMode(QgsLayoutItemPicture.NorthMode.GridNorth)
        self.layout.addLayoutItem(north)
        return north

    def _scale_bar(self, linked: QgsLayoutItemMap, points: float) -> QgsLayoutItemScaleBar:
        bar = QgsLayoutItemScaleBar(self.layout)
        bar.setId("scale bar")
        bar.setStyle("Single Box")
        bar.setLinkedMap(linked)
        bar.setNumberOfSegments(4)
        bar.setNumberOfSegmentsLeft(0)
        bar.setHeight(1.6)
        bar.setLabelBarSpace(1.0)
        bar.setBoxContentSpace(0.0)
        bar.setTextFormat(text_format(points))
        numbers = QgsBasicNumericFormat()
        numbers.setDecimalSeparator(",")
        numbers.setThousandsSeparator(".")
        numbers.setNumberDecimalPlaces(3)
        numbers.setShowTrailingZeros(False)
        bar.setNumericFormat(numbers)
        self.layout.addLayoutItem(bar)
        return bar

    def _fit_scale_bar(self, bar: QgsLayoutItemScaleBar, scale: float, longest_mm: float, x: float, y: float) -> None:
        """Give the bar round segments for 1:``scale`` within a length, and put it there."""
        count, segment = scale_bar_segments(longest_mm * scale / 1000)
        # Each setter measures the whole bar; most sheets of a batch have the scale of the one before.
        if self._bar_shown != (scale, count, segment):
            kilometres = segment >= 500
            bar.setNumberOfSegments(count)
            bar.setUnits(Qgis.DistanceUnit.Kilometers if kilometres else Qgis.DistanceUnit.Meters)
            bar.setUnitLabel("km" if kilometres else "m")
            bar.setMapUnitsPerScaleBarUnit(1.0)
            bar.setUnitsPerSegment(segment / 1000 if kilometres else segment)
            bar.update()
            self._bar_shown = scale, count, segment
        move(bar, x, y)

    def _place(self, item: QgsLayoutItem, rectangle: QRectF) -> None:
        place(item, rectangle)

    def _write(self, label: QgsLayoutItemLabel, text: str, style: QgsTextFormat, place: QRectF) -> None:
        label.setVisibility(bool(text))
        label.setTextFormat(style)
        label.setText(text)
        self._place(label, place)

    # writing ------------------------------------------------------------------------------------------------------

    def to_pdf(self, path: str | os.PathLike[str], *, dpi: float = 300) -> None:
        """Write the page as PDF with its coordinates: shapes as vectors, text as text, rasters at ``dpi``.

        Raises
        ------
        OutputError
            The file cannot be written.
        """
        settings = QgsLayoutExporter.PdfExportSettings()
        settings.dpi = dpi
        settings.textRenderFormat = Qgis.TextRenderFormat.AlwaysText
        settings.exportMetadata = True
        settings.appendGeoreference = True
        with written_whole(path) as part:
            _check(QgsLayoutExporter(self.layout).exportToPdf(str(part), settings), path)

    def to_png(self, path: str | os.PathLike[str], *, dpi: float = 150) -> None:
        """Write the page as a picture.

        Raises
        ------
        OutputError
            The file cannot be written.
        """
        settings = QgsLayoutExporter.ImageExportSettings()
        settings.dpi = dpi
        settings.generateWorldFile = False
        with written_whole(path) as part:
            # GDAL says on the terminal that a PNG cannot be given coordinates afterwards; nobody asked it to.
            gdal.PushErrorHandler("CPLQuietErrorHandler")
            try:
                result = QgsLayoutExporter(self.layout).exportToImage(str(part), settings)
            finally:
                gdal.PopErrorHandler()
            _check(result, path)


def move(item: QgsLayoutItem, x: float, y: float) -> None:
    """Put an item's upper left corner there, millimetres; QGIS takes its time even where it is there already."""
    if item.positionWithUnits() != QgsLayoutPoint(x, y):
        item.attemptMove(QgsLayoutPoint(x, y))


def place(item: QgsLayoutItem, rectangle: QRectF) -> None:
    """Give an item its place and size, millimetres."""
    move(item, rectangle.x(), rectangle.y())
    if item.sizeWithUnits() != QgsLayoutSize(rectangle.width(), rectangle.height()):
        item.attemptResize(QgsLayoutSize(rectangle.width(), rectangle.height()))


@lru_cache(maxsize=1)
def _arrow() -> str:
    return "base64:" + base64.b64encode(_ARROW.read_bytes()).decode("ascii")


def _check(result: QgsLayoutExporter.ExportResult, path: str | os.PathLike[str]) -> None:
    if result != QgsLayoutExporter.ExportResult.Success:
        raise OutputError(say("Không in được bản đồ ra {path} ({why}).", "The map cannot be printed to {path} ({why}).")
                          .format(path=path, why=result.name if hasattr(result, "name") else result))
