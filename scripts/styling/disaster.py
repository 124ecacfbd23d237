"""Styles of the disaster room: colours and labels of depth classes come from the table ``flood_depth_classes``.

Labels of legends are Vietnamese, as on the printed map. The default set of classes has the plain name, other sets carry
theirs, as `depth_classes.style_name` says.
"""

from __future__ import annotations

from osgeo import gdal
from qgis.core import (
    Qgis,
    QgsCategorizedSymbolRenderer,
    QgsColorRampShader,
    QgsFillSymbol,
    QgsMapLayer,
    QgsRasterLayer,
    QgsRasterShader,
    QgsRendererCategory,
    QgsSingleBandPseudoColorRenderer,
    QgsVectorLayer,
)
from qgis.PyQt.QtGui import QColor
from quyhoach.processing_algorithms.disaster.depth_classes import DRY, DepthClass, class_sets, depth_classes, style_name

#: A depth on the border of two classes belongs to the deeper one, while a colour ramp counts it to the upper bound below.
_JUST_BELOW = 1e-6


def styled_layers() -> dict[str, QgsMapLayer]:
    """Return a layer with its symbols for each style."""
    made: dict[str, QgsMapLayer] = {}
    for name in class_sets():
        classes = depth_classes(name)
        made[style_name("flood_depth", name)] = depth_raster(classes.classes)
        made[style_name("flood_exposure_buildings", name)] = buildings(classes.all)
    return made


def depth_raster(classes: tuple[DepthClass, ...]) -> QgsRasterLayer:
    """Depth in classes; dry land is transparent, and so is unknown terrain."""
    gdal.GetDriverByName("GTiff").Create("/vsimem/depth.tif", 1, 1, 1, gdal.GDT_Float32).SetGeoTransform((0, 1, 0, 1, 0, -1))
    layer = QgsRasterLayer("/vsimem/depth.tif", "depth", "gdal")
    items = [QgsColorRampShader.ColorRampItem(0.0, QColor(255, 255, 255, 0), "Không ngập")]
    for one in classes:
        bound = float("inf") if one.maximum_m is None else one.maximum_m - _JUST_BELOW
        items.append(QgsColorRampShader.ColorRampItem(bound, QColor(*one.colour, 217), one.label_vi))
    ramp = QgsColorRampShader(0.0, classes[-1].minimum_m + 1.0)
    ramp.setColorRampType(Qgis.ShaderInterpolationMethod.Discrete)
    ramp.setColorRampItemList(items)
    shader = QgsRasterShader()
    shader.setRasterShaderFunction(ramp)
    renderer = QgsSingleBandPseudoColorRenderer(layer.dataProvider(), 1, shader)
    renderer.setClassificationMin(ramp.minimumValue())
    renderer.setClassificationMax(ramp.maximumValue())
    layer.setRenderer(renderer)
    return layer


def buildings(classes: tuple[DepthClass, ...]) -> QgsVectorLayer:
    """Buildings of ``quyhoach:floodexposure`` by depth class; dry ones are outlined only."""
    layer = QgsVectorLayer("MultiPolygon?crs=EPSG:9214&field=depth_class:integer", "", "memory")
    categories = []
    for one in classes:
        symbol = QgsFillSymbol.createSimple({"color": ",".join(map(str, one.colour)), "outline_color": "70,70,70", "outline_width": "0.1"})
        if one.code == DRY:
            symbol.symbolLayer(0).setFillColor(QColor(255, 255, 255, 0))
        categories.append(QgsRendererCategory(one.code, symbol, one.label_vi))
    layer.setRenderer(QgsCategorizedSymbolRenderer("depth_class", categories))
    return layer
