"""Drawings of a plan on paper A0 to A4: frame, title block, signatures, legend, and a sheet's place among the others.

A `DrawingSheet` is built once and filled again for every sheet. The map shows exactly the ground it is given, at the
scale that makes it fill its frame. Printed matter is Vietnamese whatever the interface speaks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import pyproj
from qgis.core import (
    QgsFeature,
    QgsFillSymbol,
    QgsLayoutItemLabel,
    QgsLayoutItemMapGrid,
    QgsLayoutItemShape,
    QgsLineSymbol,
    QgsMapLayer,
    QgsProject,
    QgsProjectMetadata,
    QgsRectangle,
    QgsSingleSymbolRenderer,
    QgsVectorLayer,
)
from qgis.PyQt.QtCore import QRectF

from ..crs import meridian_label
from ..errors import InputError
from ..language import say, speaking
from ..numbers_vi import format_number
from ..qgis_crs import pin_project
from ..qgis_layers import to_pyproj, to_qgis_crs
from .qgis_layout_drawing_page import drawing_frames
from .qgis_layout_grid import add_grid, fit_grid, grid_crosses
from .qgis_layout_items import LayoutPage
from .qgis_layout_legend import FittedLegend, LegendEntry, LegendFit
from .qgis_layout_text import FONT_COLOR, text_format, text_height_mm, text_width_mm

#: Smallest type printed, in points; text that needs smaller is refused.
SMALLEST = 4.5
#: Half a cross of the grid, mm.
_CROSS_MM = 2.0
#: Directions of the neighbours by row and column of their diagram; the middle is the sheet itself.
_DIAGRAM = (("nw", "n", "ne"), ("w", "", "e"), ("sw", "s", "se"))


@dataclass(frozen=True)
class Signature:
    """One who signs: what for, who, on what paper, and the lines left blank for names."""

    role: str
    agency: str = ""
    basis: str = ""
    names: Sequence[str] = ()


@dataclass(frozen=True)
class DrawingTexts:
    """What all sheets of a drawing say, in Vietnamese. ``signatures`` stand from left to right."""

    plan: str
    drawing: str
    signatures: Sequence[Signature]
    number: str = ""
    date: str = ""
    source: str = ""
    notice: str = ""


@dataclass(frozen=True)
class SheetPlace:
    """A sheet among the others: its number, how many there are, and the numbers of its neighbours by direction."""

    number: int = 1
    count: int = 1
    neighbours: Mapping[str, int] = field(default_factory=dict)


def drawing_project(crs: pyproj.CRS, texts: DrawingTexts) -> QgsProject:
    """Return a project in a system for a drawing whose layers are in it too, and for what its PDF files say of themselves.

    Left alone QGIS names the user of this machine as their author.
    """
    project = QgsProject()
    project.setCrs(to_qgis_crs(crs))
    pin_project(project, [project.crs().authid()])
    told = QgsProjectMetadata()
    told.setTitle(f"{texts.drawing} – {texts.plan}")
    told.setAuthor(texts.signatures[-1].agency if texts.signatures else "")
    project.setMetadata(told)
    return project


class DrawingSheet(LayoutPage):
    """A page with its items, built once; the project must outlive it.

    Parameters
    ----------
    project : QgsProject
        Its system is that of the map.
    texts : DrawingTexts
    paper : str
        A0 to A4.
    portrait : bool

    Raises
    ------
    InputError
        A text does not fit its place in a size that can be read.
    """

    def __init__(self, project: QgsProject, texts: DrawingTexts, *, paper: str = "A3", portrait: bool = False):
        self.frames = drawing_frames(paper, portrait)
        super().__init__(project, *self.frames.page)
        self.texts = texts = replace(texts, plan=texts.plan.replace("tỷ lệ 1/", "tỷ\u00a0lệ\u00a01/"))
        self._problems: list[str] = []
        with speaking("vi"):
            self._build(texts)
        if self._problems:
            raise InputError(self._problems)

    # building -----------------------------------------------------------------------------------------------------

    def _build(self, texts: DrawingTexts) -> None:
        frames, unit = self.frames, self.frames.unit
        self._frame(frames.frame, 0.7)
        for box in (frames.signatures, frames.block):
            self._frame(box, 0.35)
        self.map = self._map(frames.map)
        self._grid = add_grid(self.map, frames.points - 1.5)
        self._grid.setStyle(QgsLayoutItemMapGrid.GridStyle.FrameAnnotationsOnly)
        self._crosses = self._cross_layer()
        for side in (QgsLayoutItemMapGrid.BorderSide.Top, QgsLayoutItemMapGrid.BorderSide.Right):
            self._grid.setAnnotationDisplay(QgsLayoutItemMapGrid.DisplayMode.ShowAll, side)
        band = frames.title.adjusted(4 * unit, 1.5 * unit, -4 * unit, -0.5 * unit)
        lower = 0.4 * band.height()
        self._text("title", texts.drawing.upper(), band.adjusted(0, 0, 0, -lower), 2.1 * frames.points, bold=True,
                   centred=True, lines=1)
        self.subtitle = self._label("subtitle", centred=True)
        self._subtitle_box = QRectF(band.x(), band.bottom() - lower, band.width(), lower)
        self.heading = self._label("legend heading", bold=True, centred=True)
        self.legend = self._legend(self.map)
        self._fitted_legend = FittedLegend(self.legend, self.map)
        self.remarks = self._label("remarks")
        self.notice = self._label("notice", bold=True, centred=True)
        self._build_facts()
        self._build_block(texts)
        self._build_signatures(texts.signatures)

    def _cross_layer(self) -> QgsVectorLayer:
        project = self.layout.project()
        layer = QgsVectorLayer("MultiLineString", "lưới tọa độ", "memory")
        layer.setCrs(project.crs())
        layer.setRenderer(QgsSingleSymbolRenderer(QgsLineSymbol.createSimple(
            {"line_color": "#404040", "line_width": "0.12"})))
        project.addMapLayer(layer, False)
        return layer

    def _cross(self, ground: QgsRectangle, interval: float, scale: int) -> None:
        crosses = []
        for shape in grid_crosses(ground, interval, _CROSS_MM * scale / 1000):
            feature = QgsFeature()
            feature.setGeometry(shape)
            crosses.append(feature)
        self._crosses.dataProvider().truncate()
        self._crosses.dataProvider().addFeatures(crosses)
        self._crosses.updateExtents()

    def _build_facts(self) -> None:
        box, unit = self.frames.facts, self.frames.unit
        self.north = self._north_arrow(self.map, carried=False)
        self._place(self.north, QRectF(box.x(), box.y(), 13 * unit, 20 * unit))
        self.scale_text = self._label("scale", bold=True)
        self.scale_bar = self._scale_bar(self.map, self.frames.points - 1)
        self.facts = self._label("system, date and source")
        cell = 7.0 * unit
        left = box.right() - 3 * cell
        self.diagram_title = self._label("neighbours title", centred=True)
        self._write(self.diagram_title, "Sơ đồ ghép mảnh", text_format(self.frames.points - 1),
                    QRectF(left - 3 * unit, box.y(), 3 * cell + 3 * unit, 3.6 * unit))
        self.cells: dict[str, tuple[QgsLayoutItemShape, QgsLayoutItemLabel]] = {}
        for row, names in enumerate(_DIAGRAM):
            for column, name in enumerate(names):
                place = QRectF(left + column * cell, box.y() + 3.8 * unit + row * 0.75 * cell, cell, 0.75 * cell)
                shape = self._frame(place, 0.15)
                if not name:
                    shape.setSymbol(QgsFillSymbol.createSimple(
                        {"color": "#d0d0d0", "outline_color": FONT_COLOR, "outline_width": "0.3"}))
                label = self._label(f"neighbour {name or 'itself'}", bold=not name, centred=True)
                self._place(label, place)
                self.cells[name] = (shape, label)

    def _build_block(self, texts: DrawingTexts) -> None:
        """The title block: plan, drawing, and a row of scale, number, sheet and date."""
        box, points = self.frames.block, self.frames.points
        rows = (("Đồ án", texts.plan, 0.40), ("Tên bản vẽ", texts.drawing, 0.30))
        top = box.y()
        for heading, text, share in rows:
            place = QRectF(box.x(), top, box.width(), share * box.height())
            self._frame(place, 0.2)
            self._cell(heading, text, place, points + 1)
            top = place.bottom()
        height = (box.bottom() - top)
        quarter = box.width() / 4
        for at, (heading, text) in enumerate((("Tỷ lệ", ""), ("Bản vẽ số", texts.number), ("Mảnh số", ""),
                                              ("Ngày hoàn thành", texts.date))):
            place = QRectF(box.x() + at * quarter, top, quarter, height)
            self._frame(place, 0.2)
            label = self._cell(heading, text, place, points + (0.5 if text else 2))
            if heading == "Tỷ lệ":
                self.block_scale = label
            elif heading == "Mảnh số":
                self.block_sheet = label
        self._cell_type = points + 1.5

    def _cell(self, heading: str, text: str, place: QRectF, largest: float) -> QgsLayoutItemLabel:
        inner = place.adjusted(self.frames.unit, 0.6 * self.frames.unit, -self.frames.unit, -0.6 * self.frames.unit)
        head = 3.6 * self.frames.unit
        self._text(f"{heading} heading", heading, QRectF(inner.x(), inner.y(), inner.width(), head),
                   self.frames.points - 1, lines=1)
        return self._text(heading, text, inner.adjusted(0, head, 0, 0), largest, bold=True, centred=True)

    def _build_signatures(self, signatures: Sequence[Signature]) -> None:
        box, unit, points = self.frames.signatures, self.frames.unit, self.frames.points
        width = box.width() / max(1, len(signatures))
        for at, one in enumerate(signatures):
            place = QRectF(box.x() + at * width, box.y(), width, box.height())
            self._frame(place, 0.2)
            inner = place.adjusted(unit, unit, -unit, -unit)
            role = QRectF(inner.x(), inner.y(), inner.width(), 3.8 * unit)
            self._text(f"signature {at} role", one.role.upper(), role, points, bold=True, centred=True, lines=1)
            agency = QRectF(inner.x(), role.bottom(), inner.width(), 7.2 * unit)
            self._text(f"signature {at} agency", one.agency or _dots(inner.width(), points), agency, points,
                       centred=True, bold=bool(one.agency))
            basis = QRectF(inner.x(), agency.bottom(), inner.width(), 7.2 * unit if one.basis else 0.0)
            self._text(f"signature {at} basis", one.basis, basis, points - 0.5, centred=True)
            step = 5.6 * unit
            for row, name in enumerate(one.names):
                line = QRectF(inner.x(), basis.bottom() + (row + 0.4) * step, inner.width(), step)
                words = f"{name}: "
                blank = inner.width() - text_width_mm(words, text_format(points - 0.5)) - 2 * unit
                self._text(f"signature {at} name {row}", words + _dots(blank, points - 0.5), line, points - 0.5,
                           lines=1)

    def _text(self, identity: str, text: str, box: QRectF, largest: float, *, bold: bool = False,
              centred: bool = False, lines: int | None = None) -> QgsLayoutItemLabel:
        """A text in the largest type, up to ``largest``, at which it fits its box."""
        label = self._label(identity, bold=bold, centred=centred)
        style = text_format(largest, bold=bold)
        points = largest
        while text and not _fits(text, style, box, lines):
            points -= 0.5
            if points < SMALLEST:
                self._problems.append(
                    say("\"{text}\" quá dài cho khổ giấy này; hãy viết ngắn hơn hoặc chọn khổ giấy lớn hơn.",
                        "\"{text}\" is too long for this paper; shorten it or choose larger paper.").format(text=text))
                break
            style = text_format(points, bold=bold)
        self._write(label, text, style, box)
        return label

    # filling ------------------------------------------------------------------------------------------------------

    def show(
        self, layers: Sequence[QgsMapLayer], ground: QgsRectangle, scale: int, *, place: SheetPlace = SheetPlace(),
        legend: Sequence[LegendEntry] | None = None, remarks: Sequence[str] = (),
    ) -> LegendFit:
        """Put a sheet on the page, in place of what was there.

        Parameters
        ----------
        layers : sequence of QgsMapLayer
            Uppermost first.
        ground : QgsRectangle
            What the map shows, in the system of the project; its sides are those of the map at the scale.
        scale : int
            Denominator.
        place : SheetPlace
        legend : sequence of LegendEntry, optional
            By default all layers in their order.
        remarks : sequence of str
            Whole sentences under the legend.

        Raises
        ------
        InputError
            The legend is longer than its place.
        """
        with speaking("vi"):
            return self._show(list(layers), ground, scale, place, legend, list(remarks))

    def _show(self, layers, ground, scale, place, legend, remarks) -> LegendFit:
        crs = self.layout.project().crs()
        self.map.setCrs(crs)
        self.map.setKeepLayerSet(True)
        self.map.setExtent(ground)
        interval = fit_grid(self._grid, crs, scale)
        self._cross(ground, interval, scale)
        self.map.setLayers([self._crosses, *layers])
        points, unit = self.frames.points, self.frames.unit
        stated = f"1/{format_number(scale)}"
        several = place.count > 1
        subtitle = self.texts.plan + (f" – mảnh {place.number}/{place.count}" if several else "")
        self._fill(self.subtitle, subtitle, self._subtitle_box, points + 2.5)
        inner = self.block_scale.sceneBoundingRect()
        self._fill(self.block_scale, stated, inner, self._cell_type, bold=True)
        self._fill(self.block_sheet, f"{place.number}/{place.count}", self.block_sheet.sceneBoundingRect(),
                   self._cell_type, bold=True)
        self._show_neighbours(place)
        box = self.frames.facts
        self._write(self.scale_text, f"Tỷ lệ {stated}", text_format(points + 2, bold=True),
                    QRectF(box.x() + 15 * unit, box.y() + 4 * unit, box.width() * 0.4, 6 * unit))
        self._fit_scale_bar(self.scale_bar, scale, box.width() - 8 * unit, box.x(), box.y() + 22 * unit)
        known = to_pyproj(crs)
        told = [f"Hệ tọa độ: {meridian_label(known) if known is not None else crs.description()}."]
        if self.texts.source:
            told.append(f"Nguồn: {self.texts.source}")
        below = box.y() + 30 * unit
        self._fill(self.facts, "\n".join(told), QRectF(box.x(), below, box.width(), box.bottom() - below), points - 0.5)
        return self._show_legend(layers, legend, remarks)

    def _show_neighbours(self, place: SheetPlace) -> None:
        several = place.count > 1
        self.diagram_title.setVisibility(several)
        for name, (shape, label) in self.cells.items():
            number = place.number if not name else place.neighbours.get(name, 0)
            shape.setVisibility(several)
            self._write(label, str(number) if several and number else "",
                        text_format(self.frames.points, bold=not name), label.sceneBoundingRect())

    def _show_legend(self, layers, legend, remarks) -> LegendFit:
        box, points, unit = self.frames.legend, self.frames.points, self.frames.unit
        warning = text_format(points + 2, bold=True, color="#b00020")
        high = text_height_mm(self.texts.notice, warning, box.width()) + unit if self.texts.notice else 0.0
        self._write(self.notice, self.texts.notice, warning, QRectF(box.x(), box.y(), box.width(), high))
        box = box.adjusted(0, high, 0, 0)
        style = text_format(points - 0.5)
        words = "\n".join(remarks)
        foot = text_height_mm(words, style, box.width()) + unit if words else 0.0
        self._write(self.remarks, words, style, QRectF(box.x(), box.bottom() - foot, box.width(), foot))
        head = 6 * unit
        self._write(self.heading, "CHÚ GIẢI", text_format(points + 1.5, bold=True),
                    QRectF(box.x(), box.y(), box.width(), head))
        entries = legend if legend is not None else [LegendEntry(layer) for layer in layers]
        room = QRectF(box.x(), box.y() + head, box.width(), box.height() - head - foot - unit)
        return self._fitted_legend.fill(entries, [room], largest=points + 0.5)

    def _fill(self, label: QgsLayoutItemLabel, text: str, box: QRectF, largest: float, *, bold: bool = False) -> None:
        points = largest
        while points > SMALLEST and not _fits(text, text_format(points, bold=bold), box, None):
            points -= 0.5
        self._write(label, text, text_format(points, bold=bold), box)


def _fits(text: str, style, box: QRectF, lines: int | None) -> bool:
    # A word that is wider than the box is cut by QGIS, not broken.
    if any(text_width_mm(word, style) > box.width() for word in text.split()):
        return False
    if lines == 1 and text_width_mm(text, style) > box.width():
        return False
    return text_height_mm(text, style, box.width() - 0.3) <= box.height() + 0.05


def _dots(width: float, points: float) -> str:
    """A dotted line to write on."""
    return "…" * max(3, int(width / text_width_mm("…", text_format(points))))
