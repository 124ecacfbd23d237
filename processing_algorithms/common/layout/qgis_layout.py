"""Printed maps: one layout, built once and filled again for every sheet of a series.

A `MapSheet` has a title, the map with a coordinate grid, and a panel with legend, north arrow, scale, coordinate
system, date and source. `MapSheet.show` changes what is on it, `MapSheet.to_pdf` and `MapSheet.to_png` write it.
Printed matter is Vietnamese whatever the interface speaks.

>>> sheet = MapSheet(project, paper="A4")                                                      # doctest: +SKIP
>>> sheet.show([roads, wards], SheetTexts(title="BẢN ĐỒ GIAO THÔNG", source="Sở Xây dựng"), extent=wards.extent())
>>> sheet.to_pdf("giao_thong.pdf")
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from qgis.core import (
    QgsCoordinateReferenceSystem,
    QgsLayoutItemLabel,
    QgsLayoutItemPage,
    QgsMapLayer,
    QgsProject,
    QgsRectangle,
    QgsTextFormat,
)
from qgis.PyQt.QtCore import QRectF

from ..crs import meridian_label
from ..errors import InputError
from ..language import say, speaking
from ..numbers_vi import format_date, format_number
from ..qgis_layers import to_pyproj
from .qgis_layout_grid import add_grid, fit_grid
from .qgis_layout_items import LayoutPage
from .qgis_layout_legend import FittedLegend, LegendEntry, LegendFit
from .qgis_layout_page import PAPERS, SCALES, frames_of
from .qgis_layout_table import SheetTable, TableItem
from .qgis_layout_text import fitted_size, text_format, text_height_mm


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


class MapSheet(LayoutPage):
    """A page with its items, built once.

    The layout belongs to the project and is saved with it when it has a ``name`` (a former one of that name goes), else
    to this object, which the project must outlive.
    """

    def __init__(self, project: QgsProject, *, paper: str = "A3", name: str | None = None):
        if paper not in PAPERS:
            raise InputError(say("Không có khổ giấy {paper}; chọn {known}.",
                                 "There is no paper {paper}; choose {known}.")
                             .format(paper=paper, known=", ".join(PAPERS)))
        super().__init__(project, *PAPERS[paper])
        self._small = paper == "A4"
        self._frames = frames_of(paper)
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
        self.map = self._map(self._frames.map)
        self._grid = add_grid(self.map, 5.5 if small else 6.5)
        self.heading = self._label("legend heading", bold=True, centred=True)
        self.heading.setText("CHÚ GIẢI")
        self.legend = self._legend(self.map)
        self._fitted_legend = FittedLegend(self.legend, self.map)
        self.north = self._north_arrow(self.map)
        self.scale_text = self._label("scale", bold=True)
        self.scale_bar = self._scale_bar(self.map, 6.0 if small else 7.0)
        self.table_title = self._label("table title", bold=True)
        self.table = TableItem(self.layout)
        self.remarks = self._label("remarks")
        self.facts = self._label("system, date and source")
        self.notice = self._label("notice", bold=True, centred=True)

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
        self._write_title(texts)
        box = self._fill_panel(texts, scale, crs)
        fit = self._fill_legend(legend if legend is not None else [LegendEntry(layer) for layer in layers], box)
        return Shown(scale, self.map.extent(), fit)

    def _fit_map(self, extent: QgsRectangle, scale: float | None) -> float:
        # What hangs on the map would be worked out anew at each step; all of it is fitted to the map afterwards.
        self.map.blockSignals(True)
        try:
            self.map.zoomToExtent(extent)
            needed = self.map.scale()
            chosen = scale or next((known for known in SCALES if known >= 0.999 * needed), needed)
            self.map.setScale(chosen)
        finally:
            self.map.blockSignals(False)
        return chosen

    def _write_title(self, texts: SheetTexts) -> None:
        """Fill the band above the map."""
        band = self._frames.title
        largest = 15.0 if self._small else 20.0
        points = fitted_size(texts.title, band.width() - 6, largest, largest / 2, bold=True)
        lower = 0.36 * band.height() if texts.subtitle else 0.0
        self._write(self.title, texts.title, text_format(points, bold=True),
                    QRectF(band.x(), band.y(), band.width(), band.height() - lower))
        small = fitted_size(texts.subtitle, band.width() - 6, 0.55 * largest, 6.0)
        self._write(self.subtitle, texts.subtitle, text_format(small),
                    QRectF(band.x(), band.bottom() - lower, band.width(), lower))

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
        if pages.pageCount() > 1:
            pages.deletePage(1)
        full = self._frames.page.adjusted(5.0, 12.0, -5.0, -5.0)

        def boxes() -> Iterator[QRectF]:
            yield box
            # Only for a legend that needs it: a page made and taken away costs a third of a small map.
            second = QgsLayoutItemPage(self.layout)
            second.setPageSize(pages.page(0).sizeWithUnits())
            pages.addPage(second)
            yield full

        fit = self._fitted_legend.fill(entries, boxes())
        if fit.page > 0:
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
        self._write(self.scale_text, f"Tỷ lệ 1/{format_number(scale)}", text_format(points, bold=True),
                    QRectF(panel.x() + beside, top + 0.08 * height, panel.width() - beside, 0.4 * height))
        self._fit_scale_bar(self.scale_bar, scale, panel.width() - beside - 10.0, panel.x() + beside,
                            top + 0.5 * height)
        return top - 3.0

def _facts(texts: SheetTexts, crs: QgsCoordinateReferenceSystem) -> str:
    known = to_pyproj(crs)
    system = meridian_label(known) if known is not None else "chưa khai báo"
    date = texts.date or datetime.date.today()
    return f"Hệ tọa độ: {system}.\nNgày lập: {format_date(date)}.\nNguồn: {texts.source}"
