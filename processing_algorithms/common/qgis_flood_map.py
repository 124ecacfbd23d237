"""The map of a flood report, on paper and for the telephone, from the report's own files."""

from __future__ import annotations

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

_STYLES = Path(__file__).resolve().parents[2] / "styles"


@dataclass(frozen=True)
class MapPart:
    """A layer of the map: table of the report's GeoPackage (or a raster), Vietnamese name, style, subset, whether the legend names it."""

    source: str
    name: str
    style: str
    subset: str = ""
    legend: bool = True


#: From the top down.
PARTS = (
    MapPart("muc_nuoc", "Trạm thủy văn", "disaster/gauge.qml"),
    MapPart("diem_so_tan", "Điểm sơ tán", "disaster/shelter.qml", "joined_after = 1"),
    MapPart("ranh_gioi", "Ranh giới xã, phường", "provincial_database/administrative_unit.qml"),
    MapPart("duong", "Đường không bảo đảm lưu thông", "disaster/flood_report_streets.qml", "depth_max_m > {limit}"),
    MapPart("do_sau_ngap.tif", "Độ sâu ngập", "disaster/flood_depth.qml"),
    MapPart("duong_nen", "Đường giao thông", "base/road_plain.qml"),
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
    limit_m : float
        Streets in deeper water are shown as not passable.
    """

    def __init__(self, folder: Path, geopackage: Path, crs: str, *, limit_m: float):
        self.project = QgsProject()
        self.project.setCrs(QgsCoordinateReferenceSystem.fromWkt(crs))
        pin_project(self.project)
        self.layers: list[QgsMapLayer] = []
        self.legend: list[LegendEntry] = []
        for part in PARTS:
            layer = _open(folder, geopackage, part, limit_m)
            if layer is None:
                continue
            self.project.addMapLayer(layer)
            self.layers.append(layer)
            if part.legend:
                self.legend.append(LegendEntry(layer, part.name))

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


def _open(folder: Path, geopackage: Path, part: MapPart, limit_m: float) -> QgsMapLayer | None:
    if part.source.endswith(".tif"):
        layer: QgsMapLayer = QgsRasterLayer(str(folder / part.source), part.name, "gdal")
    else:
        layer = QgsVectorLayer(f"{geopackage}|layername={part.source}" + (f"|subset={part.subset.format(limit=limit_m)}" if part.subset else ""), part.name, "ogr")
        if not layer.isValid():
            return None  # the report has no such table: that layer was not given
    layer.loadNamedStyle(str(_STYLES / part.style))
    layer.setName(part.name)
    if not layer.isValid():
        raise InputError(say("Không mở được {name} của báo cáo.", "{name} of the report cannot be opened.").format(name=part.name))
    return layer
