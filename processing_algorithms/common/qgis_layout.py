"""Printed maps: one layout, built once and filled again for every sheet of a series.

A `MapSheet` has a title, the map with a coordinate grid, and a panel with legend, north arrow, scale, coordinate
system, date and source. `MapSheet.show` changes what is on it, `MapSheet.to_pdf` and `MapSheet.to_png` write it.
Printed matter is Vietnamese whatever the interface speaks.

>>> sheet = MapSheet(project, paper="A4")                                                      # doctest: +SKIP
>>> sheet.show([roads, wards], SheetTexts(title="BẢN ĐỒ GIAO THÔNG", source="Sở Xây dựng"), extent=wards.extent())
>>> sheet.to_pdf("giao_thong.pdf")
"""

from __future__ import annotations

import base64
import datetime
import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from osgeo import gdal
from qgis.core import (
    Qgis,
    QgsBasicNumericFormat,
    QgsCoordinateReferenceSystem,
    QgsFillSymbol,
    QgsLayoutExporter,
    QgsLayoutItem,
    QgsLayoutItemLabel,
    QgsLayoutItemLegend,
    QgsLayoutItemMap,
    QgsLayoutItemPage,
    QgsLayoutItemPicture,
    QgsLayoutItemScaleBar,
    QgsLayoutItemShape,
    QgsLayoutMeasurement,
    QgsLayoutPoint,
    QgsLayoutSize,
    QgsMapLayer,
    QgsPrintLayout,
    QgsProject,
    QgsRectangle,
    QgsTextFormat,
)
from qgis.PyQt.QtCore import QRectF, Qt
from qgis.PyQt.QtGui import QColor

from .crs import meridian_label
from .destinations import written_whole
from .errors import InputError, OutputError
from .language import say, speaking
from .numbers_vi import format_date, format_number
from .qgis_layers import to_pyproj
from .qgis_layout_grid import add_grid, fit_grid
from .qgis_layout_legend import LegendEntry, LegendFit, fill_legend
from .qgis_layout_page import PAPERS, SCALES, frames_of, scale_bar_segments
from .qgis_layout_table import SheetTable, TableItem
from .qgis_layout_text import FONT_COLOR, fitted_size, text_format, text_height_mm

_STYLES = Path(__file__).resolve().parents[2] / "styles"


@dataclass(frozen=True)
class SheetTexts:
    """What is written on a sheet, in Vietnamese. ``table`` and ``remarks`` (whole sentences) stand under the legend."""

    title: str
    source: str
    subtitle: str = ""
    notice: str = ""
    table: SheetTable | None = None
    remarks: Sequence[str] = ()
    date: datetime.date | None = None


@dataclass(frozen=True)
class Shown:
    """What `MapSheet.show` put on the sheet."""

    scale: float
    extent: QgsRectangle
    legend: LegendFit
    title_points: float


class MapSheet:
    """A page with its items, built once.

    The layout belongs to the project and is saved with it when it has a ``name`` (a former one of that name goes), else
    to this object, which the project must outlive.
    """

    def __init__(self, project: QgsProject, *, paper: str = "A3", name: str | None = None):
        if paper not in PAPERS:
            raise InputError(say("Không có khổ giấy {paper}; chọn {known}.",
                                 "There is no paper {paper}; choose {known}.")
                             .format(paper=paper, known=", ".join(PAPERS)))
        self.layout = QgsPrintLayout(project)
        self.layout.initializeDefaults()
        self._small = paper == "A4"
        self._frames = frames_of(paper)
        page = self.layout.pageCollection().page(0)
        page.setPageSize(QgsLayoutSize(*PAPERS[paper]))
        self._build()
        if name is not None:
            self.layout.setName(name)
            manager = project.layoutManager()
            if (former := manager.layoutByName(name)) is not None:
                manager.removeLayout(former)
            manager.addLayout(self.layout)

    # building -----------------------------------------------------------------------------------------------------

    def _build(self) -> None:
        small = self._small
        self._frame(self._frames.page, 0.5)
        self.title = self._label("title", bold=True, centred=True)
        self.subtitle = self._label("subtitle", centred=True)
        self.map = QgsLayoutItemMap(self.layout)
        self.map.setId("map")
        self.map.setBackgroundColor(QColor("white"))
        self.map.setFrameEnabled(True)
        self.map.setFrameStrokeWidth(QgsLayoutMeasurement(0.35))
        self._place(self.map, self._frames.map)
        self.layout.addLayoutItem(self.map)
        self.layout.setReferenceMap(self.map)
        self._grid = add_grid(self.map, 5.5 if small else 6.5)
        self.heading = self._label("legend heading", bold=True, centred=True)
        self.heading.setText("CHÚ GIẢI")
        self.legend = QgsLayoutItemLegend(self.layout)
        self.legend.setId("legend")
        self.legend.setLinkedMap(self.map)
        self.legend.setBackgroundEnabled(False)
        self.layout.addLayoutItem(self.legend)
        self.north = QgsLayoutItemPicture(self.layout)
        self.north.setId("north arrow")
        self.north.setPicturePath(_north_arrow())
        self.north.setLinkedMap(self.map)
        self.north.setNorthMode(QgsLayoutItemPicture.NorthMode.GridNorth)
        self.layout.addLayoutItem(self.north)
        self.scale_text = self._label("scale", bold=True)
        self.scale_bar = self._scale_bar()
        self.table_title = self._label("table title", bold=True)
        self.table = TableItem(self.layout)
        self.remarks = self._label("remarks")
        self.facts = self._label("system, date and source")
        self.notice = self._label("notice", bold=True, centred=True)

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

    def _frame(self, rectangle: QRectF, width_mm: float) -> None:
        frame = QgsLayoutItemShape(self.layout)
        frame.setShapeType(QgsLayoutItemShape.Shape.Rectangle)
        frame.setSymbol(QgsFillSymbol.createSimple(
            {"style": "no", "outline_color": FONT_COLOR, "outline_width": str(width_mm), "outline_width_unit": "MM"}))
        self._place(frame, rectangle)
        self.layout.addLayoutItem(frame)

    def _scale_bar(self) -> QgsLayoutItemScaleBar:
        bar = QgsLayoutItemScaleBar(self.layout)
        bar.setId("scale bar")
        bar.setStyle("Single Box")
        bar.setLinkedMap(self.map)
        bar.setNumberOfSegments(4)
        bar.setNumberOfSegmentsLeft(0)
        bar.setHeight(1.6)
        bar.setLabelBarSpace(1.0)
        bar.setBoxContentSpace(0.0)
        bar.setTextFormat(text_format(6.0 if self._small else 7.0))
        numbers = QgsBasicNumericFormat()
        numbers.setDecimalSeparator(",")
        numbers.setThousandsSeparator(".")
        numbers.setNumberDecimalPlaces(3)
        numbers.setShowTrailingZeros(False)
        bar.setNumericFormat(numbers)
        self.layout.addLayoutItem(bar)
        return bar

    def _place(self, item: QgsLayoutItem, rectangle: QRectF) -> None:
        item.attemptMove(QgsLayoutPoint(rectangle.x(), rectangle.y()))
        item.attemptResize(QgsLayoutSize(rectangle.width(), rectangle.height()))

    # filling ------------------------------------------------------------------------------------------------------

    def show(
        self,
        layers: Sequence[QgsMapLayer],
        texts: SheetTexts,
        *,
        extent: QgsRectangle,
        scale: float | None = None,
        legend: Sequence[LegendEntry] | None = None,
    ) -> Shown:
        """Put layers, texts and legend on the sheet, in place of what was there.

        Parameters
        ----------
        layers : sequence of QgsMapLayer
            Uppermost first. They are drawn in the system of the project.
        extent : QgsRectangle
            What must be seen, in the project's system; centred on the sheet.
        scale : float, optional
            Denominator; by default the first of `SCALES` at which the whole extent fits.
        legend : sequence of LegendEntry, optional
            By default all layers in their order. Classes that the map does not show are left out.

        Raises
        ------
        InputError
            The extent is empty, or the legend cannot be made to fit.
        """
        with speaking("vi"):
            return self._show(list(layers), texts, extent, scale, legend)

    def _show(self, layers, texts, extent, scale, legend) -> Shown:
        if extent.isEmpty() or not extent.isFinite():
            raise InputError(say("Phạm vi in trống; lớp dữ liệu không có đối tượng hoặc khác hệ tọa độ với dự án.",
                                 "The extent to print is empty; the layer is empty or in another system than the project."))
        crs = self.layout.project().crs()
        self.map.setCrs(crs)
        self.map.setKeepLayerSet(True)
        self.map.setLayers(layers)
        scale = self._fit_map(extent, scale)
        fit_grid(self._grid, crs, scale)
        points = self._write_title(texts)
        box = self._fill_panel(texts, scale, crs)
        fit = self._fill_legend(legend if legend is not None else [LegendEntry(layer) for layer in layers], box)
        return Shown(scale, self.map.extent(), fit, points)

    def _fit_map(self, extent: QgsRectangle, scale: float | None) -> float:
        self.map.zoomToExtent(extent)
        needed = self.map.scale()
        chosen = scale or next((known for known in SCALES if known >= 0.999 * needed), needed)
        self.map.setScale(chosen)
        return chosen

    def _write_title(self, texts: SheetTexts) -> float:
        """Fill the band above the map; return the type size the title got."""
        band = self._frames.title
        largest = 15.0 if self._small else 20.0
        points = fitted_size(texts.title, band.width() - 6, largest, largest / 2, bold=True)
        lower = 0.36 * band.height() if texts.subtitle else 0.0
        self._write(self.title, texts.title, text_format(points, bold=True),
                    QRectF(band.x(), band.y(), band.width(), band.height() - lower))
        small = fitted_size(texts.subtitle, band.width() - 6, 0.55 * largest, 6.0)
        self._write(self.subtitle, texts.subtitle, text_format(small),
                    QRectF(band.x(), band.bottom() - lower, band.width(), lower))
        return points

    def _fill_panel(self, texts: SheetTexts, scale: float, crs: QgsCoordinateReferenceSystem) -> QRectF:
        """Stack everything but the legend up from the foot of the panel; return the room left for the legend."""
        panel, points = self._frames.panel, 7.0 if self._small else 8.0
        foot = panel.bottom()
        foot = self._stack(self.notice, texts.notice, text_format(points, bold=True, color="#b00020"), foot)
        foot = self._stack(self.facts, _facts(texts, crs), text_format(points - 0.5), foot)
        foot = self._stack_scale(scale, foot)
        foot = self._stack(self.remarks, "\n".join(texts.remarks), text_format(points), foot)
        foot = self._stack_table(texts.table, points - 0.5, foot)
        top = panel.y()
        heading = text_format(points + 1.5, bold=True)
        height = text_height_mm(self.heading.text(), heading, panel.width()) + 2.0
        self._write(self.heading, "CHÚ GIẢI", heading, QRectF(panel.x(), top, panel.width(), height))
        return QRectF(panel.x(), top + height, panel.width(), foot - top - height)

    def _fill_legend(self, entries: Sequence[LegendEntry], box: QRectF) -> LegendFit:
        """Fill the legend in its box, or on a second page when it is too long for that."""
        pages = self.layout.pageCollection()
        full = self._frames.page.adjusted(5.0, 12.0, -5.0, -5.0)
        if pages.pageCount() == 1:
            second = QgsLayoutItemPage(self.layout)
            second.setPageSize(pages.page(0).sizeWithUnits())
            pages.addPage(second)
        fit = fill_legend(self.legend, self.map, entries, [box, full])
        if fit.page == 0:
            pages.deletePage(1)
        else:
            self.heading.setText("CHÚ GIẢI: xem trang 2")
        return fit

    def _stack(self, label: QgsLayoutItemLabel, text: str, style: QgsTextFormat, foot: float) -> float:
        """Put a text so that it ends at ``foot``; return where the next one above it may end."""
        panel = self._frames.panel
        height = text_height_mm(text, style, panel.width() - 0.5) + 1.0 if text else 0.0
        self._write(label, text, style, QRectF(panel.x(), foot - height, panel.width(), height))
        return foot - height - (2.5 if text else 0.0)

    def _stack_table(self, table: SheetTable | None, points: float, foot: float) -> float:
        panel = self._frames.panel
        if table is None:
            self.table.hide()
            self.table_title.setVisibility(False)
            return foot
        height = self.table.fill(table, panel.width(), points)
        self.table.place(QRectF(panel.x(), foot - height, panel.width(), height))
        return self._stack(self.table_title, table.title, text_format(points + 0.5, bold=True), foot - height - 0.5)

    def _stack_scale(self, scale: float, foot: float) -> float:
        panel = self._frames.panel
        height = 17.0 if self._small else 22.0
        top, beside = foot - height, 0.62 * height + 3.0
        self._place(self.north, QRectF(panel.x(), top, 0.6 * height, height))
        points = 9.0 if self._small else 11.0
        self._write(self.scale_text, f"Tỷ lệ 1:{format_number(scale)}", text_format(points, bold=True),
                    QRectF(panel.x() + beside, top + 0.08 * height, panel.width() - beside, 0.4 * height))
        count, segment = scale_bar_segments((panel.width() - beside - 10.0) * scale / 1000)
        kilometres = segment >= 500
        self.scale_bar.setNumberOfSegments(count)
        self.scale_bar.setUnits(Qgis.DistanceUnit.Kilometers if kilometres else Qgis.DistanceUnit.Meters)
        self.scale_bar.setUnitLabel("km" if kilometres else "m")
        self.scale_bar.setMapUnitsPerScaleBarUnit(1.0)
        self.scale_bar.setUnitsPerSegment(segment / 1000 if kilometres else segment)
        self.scale_bar.attemptMove(QgsLayoutPoint(panel.x() + beside, top + 0.5 * height))
        self.scale_bar.update()
        return top - 3.0

    def _write(self, label: QgsLayoutItemLabel, text: str, style: QgsTextFormat, place: QRectF) -> None:
        label.setVisibility(bool(text))
        label.setTextFormat(style)
        label.setText(text)
        self._place(label, place)

    # writing ------------------------------------------------------------------------------------------------------

    def to_pdf(self, path: str | os.PathLike[str], *, dpi: float = 300) -> None:
        """Write the sheet as PDF: shapes as vectors, text as text, rasters at ``dpi``.

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
        """Write the sheet as a picture.

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


def _facts(texts: SheetTexts, crs: QgsCoordinateReferenceSystem) -> str:
    known = to_pyproj(crs)
    system = meridian_label(known) if known is not None else "chưa khai báo"
    date = texts.date or datetime.date.today()
    return f"Hệ tọa độ: {system}.\nNgày lập: {format_date(date)}.\nNguồn: {texts.source}"


@lru_cache(maxsize=1)
def _north_arrow() -> str:
    # Carried inside the layout, so that a project opens on another machine with its arrow.
    return "base64:" + base64.b64encode((_STYLES / "layouts" / "north_arrow.svg").read_bytes()).decode("ascii")


def _check(result: QgsLayoutExporter.ExportResult, path: str | os.PathLike[str]) -> None:
    if result != QgsLayoutExporter.ExportResult.Success:
        raise OutputError(say("Không in được bản đồ ra {path} ({why}).", "The map cannot be printed to {path} ({why}).")
                          .format(path=path, why=result.name if hasattr(result, "name") else result))
