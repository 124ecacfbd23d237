"""The map of a flood report, on paper and for the telephone, from the report's own files."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from qgis.core import QgsCoordinateReferenceSystem, QgsMapLayer, QgsProject, QgsRasterLayer, QgsRectangle, QgsVectorLayer

from .errors import InputError
from .language import say
from .qgis_crs import pin_project
from .qgis_layout import MapSheet, SheetTexts
from .qgis_layout_legend import LegendEntry
from .qgis_phone_picture import DPI, PhonePicture

#: A map of more ground than this, m, shows main streets only: all of them would hide the water.
_WIDE_M = 10_000.0
_MAIN = "('expressway', 'main_axis', 'inter_area', 'main_area', 'area', 'class_1', 'class_2', 'class_3', 'class_4')"
#: Rasters are thinned to this many cells for printing: a sheet of A4 has fewer dots.
_MOST_CELLS = 6_000_000
_STYLES = Path(__file__).resolve().parents[2] / "styles"


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
    MapPart("diem_so_tan", "Điểm sơ tán", "disaster/shelter.qml", "joined_after = 1"),
    MapPart("ranh_gioi", "Ranh giới xã, phường", "provincial_database/administrative_unit.qml"),
    MapPart("duong", "Đường không bảo đảm lưu thông", "disaster/flood_report_streets.qml", "depth_max_m > {limit}", wide="Đường chính không bảo đảm lưu thông"),
    MapPart("do_sau_ngap.tif", "Độ sâu ngập", "disaster/flood_depth.qml"),
    MapPart("duong_nen", "Đường giao thông", "base/road_plain.qml", wide="Đường chính"),
    MapPart("song", "Sông, mặt nước", "base/water.qml"),
)


class FloodMap:
    """The layers of one report, ready to be printed. Keep it until the printing is done: it owns the project.

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

    def __init__(self, folder: Path, geopackage: Path, crs: str, extent: tuple[float, float, float, float], *, limit_m: float):
        self.project = QgsProject()
        self.project.setCrs(QgsCoordinateReferenceSystem.fromWkt(crs))
        pin_project(self.project)
        self.layers: list[QgsMapLayer] = []
        self.legend: list[LegendEntry] = []
        for part in PARTS:
            layer = _raster(folder / part.source, part, extent) if part.source.endswith(".tif") else _vector(geopackage, part, limit_m, extent)
            if layer is None:
                continue
            _dress(layer, part)
            self.project.addMapLayer(layer)
            self.layers.append(layer)
            if part.legend:
                self.legend.append(LegendEntry(layer, layer.name()))

    def close(self) -> None:
        """Let go of the layers, and of what was thinned in memory."""
        from osgeo import gdal

        thinned = [layer.source() for layer in self.layers if layer.source().startswith("/vsimem/")]
        self.project.clear()
        for path in thinned:
            gdal.Unlink(path)

    def sheet(self, texts: SheetTexts, extent: tuple[float, float, float, float], paper: str = "A4") -> MapSheet:
        """The printed map."""
        sheet = MapSheet(self.project, paper=paper)
        sheet.show(self.layers, texts, extent=QgsRectangle(*extent), legend=self.legend)
        return sheet

    def phone(self, path: str | Path, *, title: str, figures: Sequence[str], foot: str, extent: tuple[float, float, float, float]) -> None:
        """Write the picture for the telephone."""
        picture = PhonePicture(self.project)
        picture.show(self.layers, title=title, figures=figures, foot=foot, extent=QgsRectangle(*extent), legend=self.legend)
        picture.to_png(path, dpi=DPI)


def _vector(geopackage: Path, part: MapPart, limit_m: float, extent: tuple[float, float, float, float]) -> QgsVectorLayer | None:
    """Open a table; None where the report has none, since that layer was not given."""
    source, subset = f"{geopackage}|layername={part.source}", part.subset.format(limit=limit_m)
    layer = QgsVectorLayer(source + (f"|subset={subset}" if subset else ""), part.name, "ogr")
    if not layer.isValid():
        return None
    if part.wide and max(extent[2] - extent[0], extent[3] - extent[1]) > _WIDE_M and layer.fields().lookupField("road_class") >= 0:
        main = QgsVectorLayer(f"{source}|subset={subset + ' AND ' if subset else ''}road_class IN {_MAIN}", part.wide, "ogr")
        return main if main.featureCount() else layer
    return layer


def _raster(path: Path, part: MapPart, extent: tuple[float, float, float, float]) -> QgsRasterLayer:
    """Open a raster; a large one thinned in memory, since every map and legend would read all of it."""
    from osgeo import gdal

    source = gdal.Open(str(path))
    thinning = (source.RasterXSize * source.RasterYSize / _MOST_CELLS) ** 0.5
    if thinning <= 1:
        return QgsRasterLayer(str(path), part.name, "gdal")
    thin = f"/vsimem/quyhoach_{uuid.uuid4().hex}.tif"
    gdal.Translate(thin, source, width=round(source.RasterXSize / thinning), height=round(source.RasterYSize / thinning), resampleAlg="nearest")
    return QgsRasterLayer(thin, part.name, "gdal")


def _dress(layer: QgsMapLayer, part: MapPart) -> None:
    name = layer.name()
    layer.loadNamedStyle(str(_STYLES / part.style))
    layer.setName(name)
    if not layer.isValid():
        raise InputError(say("Không mở được {name} của báo cáo.", "{name} of the report cannot be opened.").format(name=part.name))
