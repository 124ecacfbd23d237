"""Communes clicked on the map: all outlined with their names, the chosen ones filled. Leaves the map as it was."""

from __future__ import annotations

from collections.abc import Callable

from qgis.core import (
    Qgis,
    QgsCoordinateReferenceSystem,
    QgsCoordinateTransform,
    QgsFeature,
    QgsFillSymbol,
    QgsGeometry,
    QgsMapLayer,
    QgsPalLayerSettings,
    QgsPointXY,
    QgsProject,
    QgsSingleSymbolRenderer,
    QgsTextBufferSettings,
    QgsTextFormat,
    QgsVectorLayer,
    QgsVectorLayerSimpleLabeling,
)
from qgis.gui import QgsMapCanvas, QgsMapMouseEvent, QgsMapTool, QgsRubberBand
from qgis.PyQt.QtCore import Qt
from qgis.PyQt.QtGui import QColor

_LINE, _FILL = QColor(11, 87, 208), QColor(11, 87, 208, 70)


class CommunePicker(QgsMapTool):
    """A map tool that turns a click into a commune's code.

    ``communes`` are name and shape by code.
    """

    def __init__(
        self,
        canvas: QgsMapCanvas,
        communes: dict[str, tuple[str, QgsGeometry]],
        crs: QgsCoordinateReferenceSystem,
        clicked: Callable[[str], None],
    ):
        super().__init__(canvas)
        self._canvas, self._communes, self._crs, self._clicked = canvas, communes, crs, clicked
        self._before = canvas.mapTool()
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self._layer_id = self._show_all()
        self._chosen = QgsRubberBand(canvas, Qgis.GeometryType.Polygon)
        self._chosen.setStrokeColor(_LINE)
        self._chosen.setFillColor(_FILL)
        self._chosen.setWidth(3)
        extent = self._to_map().transformBoundingBox(
            QgsGeometry.collectGeometry([shape for _, shape in communes.values()]).boundingBox()
        )
        extent.scale(1.1)
        canvas.setExtent(extent)
        canvas.refresh()

    def _show_all(self) -> str:
        """Draw all communes by a layer of this tool, in no list of layers."""
        layer = QgsVectorLayer("MultiPolygon?field=name:string(100)", "communes", "memory")
        layer.setCrs(self._crs)
        features = []
        for name, shape in self._communes.values():
            feature = QgsFeature(layer.fields())
            feature.setAttributes([name])
            feature.setGeometry(shape)
            features.append(feature)
        layer.dataProvider().addFeatures(features)
        layer.setRenderer(QgsSingleSymbolRenderer(QgsFillSymbol.createSimple(
            {"color": "255,255,255,0", "outline_color": "90,90,90", "outline_width": "0.5"})))
        around = QgsTextBufferSettings()
        around.setEnabled(True)
        text = QgsTextFormat()
        text.setSize(9)
        text.setBuffer(around)
        labels = QgsPalLayerSettings()
        labels.fieldName = "name"
        labels.setFormat(text)
        layer.setLabeling(QgsVectorLayerSimpleLabeling(labels))
        layer.setLabelsEnabled(True)
        layer.setFlags(layer.flags() | QgsMapLayer.LayerFlag.Private)
        project = QgsProject.instance()
        was_dirty = project.isDirty()
        if not project.mapLayers():
            project.setCrs(self._crs)  # as the first layer would, but before the map is moved there
        project.addMapLayer(layer, False)
        project.layerTreeRoot().insertLayer(0, layer)
        project.setDirty(was_dirty)
        return layer.id()

    def _to_map(self) -> QgsCoordinateTransform:
        return QgsCoordinateTransform(self._crs, self._canvas.mapSettings().destinationCrs(), QgsProject.instance())

    def show_chosen(self, codes: set[str]) -> None:
        """Fill what is chosen."""
        shapes = [shape for code, (_, shape) in self._communes.items() if code in codes]
        self._chosen.setToGeometry(QgsGeometry.collectGeometry(shapes) if shapes else QgsGeometry(), self._crs)

    def canvasReleaseEvent(self, event: QgsMapMouseEvent) -> None:  # noqa: D102, N802
        found = self.commune_at(event.mapPoint())
        if found:
            self._clicked(found)

    def commune_at(self, point: QgsPointXY) -> str | None:
        """Return the commune at a point of the map."""
        place = QgsGeometry.fromPointXY(self._to_map().transform(point, Qgis.TransformDirection.Reverse))
        return next((code for code, (_, shape) in self._communes.items() if shape.contains(place)), None)

    def leave(self) -> None:
        """Take the marks off the map and give it back its tool."""
        if self._canvas.mapTool() is self:
            self._canvas.setMapTool(self._before) if self._before is not None else self._canvas.unsetMapTool(self)
        self._canvas.scene().removeItem(self._chosen)
        project = QgsProject.instance()
        was_dirty = project.isDirty()
        project.removeMapLayer(self._layer_id)
        project.setDirty(was_dirty)
