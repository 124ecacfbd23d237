"""A picture for a telephone: upright, large type, the map, a few figures, the legend of what is on it. 1080 x 1920 dots."""

from __future__ import annotations

from collections.abc import Sequence

from qgis.core import QgsMapLayer, QgsProject, QgsRectangle
from qgis.PyQt.QtCore import QRectF
from qgis.PyQt.QtGui import QColor

from ..errors import InputError
from ..language import speaking
from .qgis_layout_items import LayoutPage
from .qgis_layout_legend import FittedLegend, LegendEntry
from .qgis_layout_text import fitted_size, text_format, text_height_mm

#: Millimetres, so that 1080 dots across are 304.8 dots an inch.
_WIDTH, _HEIGHT, DPI = 90.0, 160.0, 304.8
_MARGIN = 3.0
#: Heights of the legend that are tried in turn, millimetres.
_LEGENDS = (18.0, 26.0, 36.0, 48.0)


class PhonePicture(LayoutPage):
    """One picture. `show` fills it, `to_png(path, dpi=DPI)` writes it."""

    def __init__(self, project: QgsProject):
        super().__init__(project, _WIDTH, _HEIGHT)
        self._title = self._label("title", bold=True)
        self._figures = self._label("figures")
        self._foot = self._label("foot")
        self._map_item = self._map(QRectF(_MARGIN, 20, _WIDTH - 2 * _MARGIN, 60))
        self._fitted_legend = FittedLegend(self._legend(self._map_item), self._map_item)
        self._bar = self._scale_bar(self._map_item, 7)

    def show(self, layers: Sequence[QgsMapLayer], *, title: str, figures: Sequence[str], foot: str, extent: QgsRectangle, legend: Sequence[LegendEntry]) -> None:
        """Put a map and its texts on the picture.

        Parameters
        ----------
        figures : sequence of str
            Short lines below the map.
        extent : QgsRectangle
            What the map must show, in the CRS of the project.
        """
        with speaking("vi"):
            width = _WIDTH - 2 * _MARGIN
            points = fitted_size(title, 2 * width, 12, 8, bold=True)
            style = text_format(points, bold=True)
            top = _MARGIN + text_height_mm(title, style, width) + 1.5
            self._write(self._title, title, style, QRectF(_MARGIN, _MARGIN, width, top - _MARGIN))
            foot_style = text_format(6.5, color="#444444")
            foot_height = text_height_mm(foot, foot_style, width) + 1
            self._write(
                self._foot, foot, foot_style, QRectF(_MARGIN, _HEIGHT - _MARGIN - foot_height, width, foot_height)
            )
            text, figure_style = "\n".join(figures), text_format(8.5, bold=True)
            figures_height = text_height_mm(text, figure_style, width) + 1
            bottom = _HEIGHT - _MARGIN - foot_height - 1 - figures_height
            self._write(self._figures, text, figure_style, QRectF(_MARGIN, bottom, width, figures_height))
            # The legend takes what it needs, the map the rest: from a quarter to two fifths of the picture.
            for legend_height in _LEGENDS:
                frame = QRectF(_MARGIN, top, width, bottom - top - legend_height - 2)
                box = QRectF(_MARGIN, frame.bottom() + 1, width, legend_height)
                if self._fit(layers, frame, extent, legend, box, last=legend_height == _LEGENDS[-1]):
                    break
            self._fit_scale_bar(self._bar, self._map_item.scale(), 30, _MARGIN + 2, frame.bottom() - 9)

    def _fit(self, layers: Sequence[QgsMapLayer], frame: QRectF, extent: QgsRectangle, legend: Sequence[LegendEntry], box: QRectF, *, last: bool) -> bool:
        """Place map and legend; tell whether the legend fits its box. The last try says why it does not."""
        self._place(self._map_item, frame)
        self._map_item.setCrs(self.layout.project().crs())
        self._map_item.setKeepLayerSet(True)
        self._map_item.setLayers(list(layers))
        self._map_item.setBackgroundColor(QColor(255, 255, 255))
        self._map_item.zoomToExtent(_framed(extent, frame))
        try:
            self._fitted_legend.fill(legend, [box], largest=7.0)
        except InputError:
            if last:
                raise
            return False
        return True


def _framed(extent: QgsRectangle, frame: QRectF) -> QgsRectangle:
    """The extent with a little room, in the shape of the frame."""
    ratio = frame.width() / frame.height()
    width, height = 1.04 * extent.width(), 1.04 * extent.height()
    width, height = max(width, height * ratio), max(height, width / ratio)
    centre = extent.center()
    return QgsRectangle(
        centre.x() - width / 2, centre.y() - height / 2, centre.x() + width / 2, centre.y() + height / 2
    )
