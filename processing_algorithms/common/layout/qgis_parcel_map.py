"""The map annex of a paper about one parcel: a sheet built once, whose data are changed for every parcel of a batch.

Everything drawn comes from plain data (see `zoning.paper_inputs`), not from live layers, so that a map printed again years
later shows what the first one did.
"""

from __future__ import annotations

import datetime
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import shapely
from qgis.core import (
    Qgis,
    QgsCoordinateReferenceSystem,
    QgsFeature,
    QgsFillSymbol,
    QgsGeometry,
    QgsMarkerSymbol,
    QgsPalLayerSettings,
    QgsProject,
    QgsRectangle,
    QgsSingleSymbolRenderer,
    QgsTextBufferSettings,
    QgsVectorLayer,
    QgsVectorLayerSimpleLabeling,
)
from qgis.PyQt.QtGui import QColor

from ..qgis_crs import pin_project
from .qgis_layout import LegendEntry, MapSheet, SheetTexts
from .qgis_layout_page import frames_of
from .qgis_layout_table import SheetTable
from .qgis_layout_text import text_format

_STYLES = Path(__file__).resolve().parents[3] / "styles"
_RED = "#c00000"
#: Ending of the annex beside the document of the same name.
MAP_ENDING = "_ban_do.pdf"
#: Rows of the corner table that leave room for the legend: in one column of points, in two.
_ROWS = {"A4": (16, 0), "A3": (26, 52)}
#: Layer, its fields, geometry and style; uppermost first.
_LAYERS = (
    ("corners", "Point", ("name",), None), ("parcel", "MultiPolygon", (), None),
    ("overlays", "MultiPolygon", ("name", "constraint_type", "effect", "max_height_m"),
     "zoning/constraint_overlay.qml"),
    ("parcels", "MultiPolygon", ("sheet_no", "parcel_no"), "base/parcel_outline.qml"),
    ("zones", "MultiPolygon", ("plan_ref", "zone_code", "function_code"), "zoning/zone.qml"))


@dataclass(frozen=True)
class ParcelMapTexts:
    """What is written on an annex, in Vietnamese; ``corners`` are number, X (north), Y (east) and side, as printed."""

    title: str
    subtitle: str
    source: str
    corners: Sequence[tuple[str, str, str, str]]
    remarks: Sequence[str]
    date: datetime.date


def map_size_mm(paper: str) -> tuple[float, float]:
    """Return width and height of the map on a paper."""
    place = frames_of(paper).map
    return place.width(), place.height()


def paper_for(corner_count: int) -> str:
    """Return the smallest paper on which the corner table leaves room for the legend."""
    return "A4" if corner_count <= _ROWS["A4"][0] else "A3"


class ParcelMap:
    """The annex on one paper in one coordinate system."""

    def __init__(self, crs: QgsCoordinateReferenceSystem, paper: str):
        self.paper = paper
        self._project = QgsProject()
        self._project.setCrs(crs)
        # All its layers are in this one system: the others would take a quarter of the time of a first paper.
        pin_project(self._project, [crs.authid()])
        self._layers = {name: _layer(name, kind, fields, style, crs) for name, kind, fields, style in _LAYERS}
        self._project.addMapLayers(list(self._layers.values()), False)
        self._sheet = MapSheet(self._project, paper=paper)

    def print(self, path: str | os.PathLike[str], shown: Mapping[str, Sequence[Mapping[str, Any]]], *,
              window: Sequence[float], scale: float, texts: ParcelMapTexts) -> None:
        """Write the annex as PDF.

        Parameters
        ----------
        shown : mapping
            Rows of the layers ``corners``, ``parcel``, ``overlays``, ``parcels``, ``zones``: attributes, and
            ``geometry`` as shapely in the system of the map.
        window : x min, y min, x max, y max
        scale : float
            Denominator.

        Raises
        ------
        OutputError
            The file cannot be written.
        """
        for name, layer in self._layers.items():
            _fill(layer, shown.get(name, ()))
        table, remark = _table(texts.corners, self.paper)
        self._sheet.show(
            list(self._layers.values()),
            SheetTexts(title=texts.title, subtitle=texts.subtitle, source=texts.source, table=table, date=texts.date,
                       remarks=[*texts.remarks, *remark]),
            extent=QgsRectangle(*window), scale=scale,
            legend=[entry for entry in (
                LegendEntry(self._layers["parcel"]), LegendEntry(self._layers["corners"]),
                LegendEntry(self._layers["parcels"]),
                LegendEntry(self._layers["overlays"], "Khu vực hạn chế, khống chế"),
                LegendEntry(self._layers["zones"], "Chức năng sử dụng đất quy hoạch")) if entry.layer.featureCount()])
        self._sheet.to_pdf(path)


_NAMES = {"corners": "Góc thửa và số hiệu", "parcel": "Thửa đất được cung cấp thông tin",
          "overlays": "Khu vực hạn chế, khống chế", "parcels": "Ranh giới thửa đất", "zones": "Chức năng sử dụng đất"}


def _layer(name: str, kind: str, fields: Sequence[str], style: str | None,
           crs: QgsCoordinateReferenceSystem) -> QgsVectorLayer:
    layer = QgsVectorLayer(f"{kind}?" + "&".join(f"field={field}:string" for field in fields), _NAMES[name], "memory")
    layer.setCrs(crs)
    if style is not None:
        layer.loadNamedStyle(str(_STYLES / style))
        layer.setName(_NAMES[name])
    elif name == "parcel":
        layer.setRenderer(QgsSingleSymbolRenderer(QgsFillSymbol.createSimple(
            {"style": "no", "outline_color": _RED, "outline_width": "0.7", "outline_width_unit": "MM",
             "joinstyle": "miter"})))
    else:
        layer.setRenderer(QgsSingleSymbolRenderer(QgsMarkerSymbol.createSimple(
            {"name": "circle", "color": "white", "outline_color": _RED, "outline_width": "0.25", "size": "1.5"})))
        _label(layer, "name")
    return layer


def _label(layer: QgsVectorLayer, field: str) -> None:
    settings = QgsPalLayerSettings()
    settings.fieldName = field
    settings.placement = Qgis.LabelPlacement.OrderedPositionsAroundPoint
    settings.dist = 0.6
    style = text_format(7.0, bold=True, color=_RED)
    halo = QgsTextBufferSettings()
    halo.setEnabled(True)
    halo.setSize(0.6)
    halo.setColor(QColor("white"))
    style.setBuffer(halo)
    settings.setFormat(style)
    layer.setLabeling(QgsVectorLayerSimpleLabeling(settings))
    layer.setLabelsEnabled(True)


def _fill(layer: QgsVectorLayer, rows: Sequence[Mapping[str, Any]]) -> None:
    provider, fields = layer.dataProvider(), layer.fields()
    provider.truncate()
    names, features = [field.name() for field in fields], []
    for row, wkb in zip(rows, shapely.to_wkb([row["geometry"] for row in rows])):
        feature = QgsFeature(fields)
        geometry = QgsGeometry()
        geometry.fromWkb(wkb)
        feature.setGeometry(geometry)
        feature.setAttributes([row.get(name) for name in names])
        features.append(feature)
    provider.addFeatures(features)
    layer.updateExtents()


def _table(corners: Sequence[tuple[str, str, str, str]], paper: str) -> tuple[SheetTable | None, list[str]]:
    single, double = _ROWS[paper]
    title = "Tọa độ các góc thửa (m)"
    if len(corners) <= single:
        return SheetTable(title, ("Góc", "X (Bắc)", "Y (Đông)", "Cạnh"), corners), []
    if len(corners) <= double:
        half = -(-len(corners) // 2)
        rows = [(*first[:3], *(corners[half + at][:3] if half + at < len(corners) else ("", "", "")))
                for at, first in enumerate(corners[:half])]
        return SheetTable(title, ("Góc", "X (Bắc)", "Y (Đông)") * 2, rows), []
    return None, [f"Tọa độ {len(corners)} góc thửa: xem bảng tọa độ trong phụ lục của văn bản."]
