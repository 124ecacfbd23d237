"""The map of a flood report, on paper and for the telephone, from the report's own files."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from qgis.core import (
    QgsCoordinateReferenceSystem,
    QgsMapLayer,
    QgsProject,
    QgsRasterLayer,
    QgsRectangle,
    QgsVectorLayer,
)
from qgis.PyQt.QtGui import QPainter, QPdfWriter

from ..errors import InputError
from ..language import say
from ..qgis_crs import pin_project
from .qgis_layout import MapSheet, SheetTexts
from .qgis_layout_legend import LegendEntry
from .qgis_phone_picture import DPI, PhonePicture
from .qgis_report_pdf import draw_layout

#: A map of more ground than this, m, shows main streets only: all of them would hide the water.
_WIDE_M = 10_000.0
_MAIN = "('expressway', 'main_axis', 'inter_area', 'main_area', 'area', 'class_1', 'class_2', 'class_3', 'class_4')"
#: Rasters are thinned to this many cells for printing: a sheet of A4 has fewer dots.
_MOST_CELLS = 6_000_000
_STYLES = Path(__file__).resolve().parents[3] / "styles"


@dataclass(frozen=True)
class MapPart:
    """A layer of the map: table of the report's GeoPackage (or a raster), Vietnamese name, style, subset, whether the legend names it."""

    source: str
    name: str
    style: str
    subset: str = ""
    legend: bool = True
    #: Name where a wide map shows only main streets of it.
    wide: str = ""


#: From the top down.
PARTS = (
    MapPart("muc_nuoc", "Trạm thủy văn", "disaster/gauge.qml"),
    MapPart("diem_so_tan", "Điểm sơ tán còn đến được", "disaster/shelter.qml", "joined_after = 1"),
    MapPart("ranh_gioi", "Ranh giới xã, phường", "provincial_database/administrative_unit.qml"),
    MapPart(
        "duong",
        "Đường không bảo đảm lưu thông",
        "disaster/flood_report_streets.qml",
        "depth_max_m > {limit}",
        wide="Đường chính không bảo đảm lưu thông",
    ),
    MapPart("do_sau_ngap.tif", "Độ sâu ngập", "disaster/flood_depth.qml"),
    MapPart("duong_nen", "Đường giao thông", "base/road_plain.qml", wide="Đường chính"),
    MapPart("song", "Sông, mặt nước", "base/water.qml"),
)


class FloodMap:
    """The layers of one report, ready to be printed. Keep it until the printing is done: it owns the project.

    Made in any thread, which thins large rasters; `open` and all that follows belongs to the main thread.

    Parameters
    ----------
    folder, geopackage : Path
        Of the report.
    crs : str
        WKT of the map.
    extent : tuple of float
        West, south, east, north of what will be printed.
    limit_m : float
        Streets in deeper water are shown as not passable.
    """

    def __init__(
        self, folder: Path, geopackage: Path, crs: str, extent: tuple[float, float, float, float], *, limit_m: float
    ):
        self._geopackage, self._crs, self._extent, self._limit_m = geopackage, crs, extent, limit_m
        self._rasters = {part.source: _thinned(folder / part.source) for part in PARTS if part.source.endswith(".tif")}
        self.project: QgsProject | None = None
        self.layers: list[QgsMapLayer] = []
        self.legend: list[LegendEntry] = []
        self._sheet: MapSheet | None = None
        self._picture: PhonePicture | None = None

    def open(self) -> None:
        """Make the project the layers go into."""
        self.project = QgsProject()
        self.project.setCrs(QgsCoordinateReferenceSystem.fromWkt(self._crs))
        pin_project(self.project, [self.project.crs().authid()])

    def add(self, part: MapPart) -> None:
        """Open and dress a layer, below those before."""
        layer = (
            QgsRasterLayer(self._rasters[part.source], part.name, "gdal")
            if part.source in self._rasters
            else _vector(self._geopackage, part, self._limit_m, self._extent)
        )
        if layer is None:
            return
        _dress(layer, part)
        self.project.addMapLayer(layer)
        self.layers.append(layer)
        if part.legend:
            self.legend.append(LegendEntry(layer, layer.name()))

    def close(self) -> None:
        """Let go of the layers, and of what was thinned in memory."""
        from osgeo import gdal

        self._sheet = self._picture = None
        if self.project is not None:
            self.project.clear()
        self.project, self.layers, self.legend = None, [], []
        for path in self._rasters.values():
            if path.startswith("/vsimem/"):
                gdal.Unlink(path)

    def sheet(self, texts: SheetTexts, paper: str = "A4") -> int:
        """Lay out the printed map; returns its pages."""
        self._sheet = MapSheet(self.project, paper=paper)
        self._sheet.show(self.layers, texts, extent=QgsRectangle(*self._extent), legend=self.legend)
        return self._sheet.layout.pageCollection().pageCount()

    def draw_sheet(self, painter: QPainter, writer: QPdfWriter) -> None:
        """Print that map; see `qgis_report_pdf.write_report_pdf`."""
        draw_layout(painter, writer, self._sheet.layout)

    def phone(self, *, title: str, figures: Sequence[str], foot: str) -> None:
        """Lay out the picture for the telephone."""
        self._picture = PhonePicture(self.project)
        self._picture.show(
            self.layers, title=title, figures=figures, foot=foot, extent=QgsRectangle(*self._extent), legend=self.legend
        )

    def write_phone(self, path: Path) -> None:
        """Write that picture."""
        self._picture.to_png(path, dpi=DPI)


def _vector(
    geopackage: Path, part: MapPart, limit_m: float, extent: tuple[float, float, float, float]
) -> QgsVectorLayer | None:
    """Open a table; None where the report has none, since that layer was not given."""
    source, subset = f"{geopackage}|layername={part.source}", part.subset.format(limit=limit_m)
    layer = QgsVectorLayer(source + (f"|subset={subset}" if subset else ""), part.name, "ogr")
    if not layer.isValid():
        return None
    if (
        part.wide
        and max(extent[2] - extent[0], extent[3] - extent[1]) > _WIDE_M
        and layer.fields().lookupField("road_class") >= 0
    ):
        main = QgsVectorLayer(f"{source}|subset={subset + ' AND ' if subset else ''}road_class IN {_MAIN}", part.wide, "ogr")
        return main if main.featureCount() else layer
    return layer


def _thinned(path: Path) -> str:
    """Source of a raster; a large one is thinned in memory, since every map and legend would read all of it."""
    from osgeo import gdal

    source = gdal.Open(str(path))
    thinning = (source.RasterXSize * source.RasterYSize / _MOST_CELLS) ** 0.5
    if thinning <= 1:
        return str(path)
    thin = f"/vsimem/quyhoach_{uuid.uuid4().hex}.tif"
    gdal.Translate(
        thin,
        source,
        width=round(source.RasterXSize / thinning),
        height=round(source.RasterYSize / thinning),
        resampleAlg="nearest",
    )
    return thin


def _dress(layer: QgsMapLayer, part: MapPart) -> None:
    name = layer.name()
    layer.loadNamedStyle(str(_STYLES / part.style))
    layer.setName(name)
    if not layer.isValid():
        raise InputError(
            say("Không mở được {name} của báo cáo.", "{name} of the report cannot be opened.").format(name=part.name)
        )
