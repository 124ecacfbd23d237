"""The sample town, opened in one click: a copy to play with, in the profile, so that an upgrade takes nothing away."""

from __future__ import annotations

import shutil
from pathlib import Path

from qgis.core import QgsApplication, QgsHillshadeRenderer, QgsProject, QgsRasterLayer, QgsVectorLayer
from qgis.gui import QgisInterface

from ..processing_algorithms.common.language import say
from ..processing_algorithms.common.qgis_algorithm import PLUGIN_FOLDER, ROOMS
from ..processing_algorithms.common.qgis_crs import pin_project
from ..processing_algorithms.common.qgis_open_layers import add_to_project, open_layers
from ..processing_algorithms.provincial_database.stored_tables import stored_tables

#: Denominator of the smallest scale at which outlines of parcels are drawn.
_SEEN_FROM = 5_000
_FILES = ("town.gpkg", "terrain.tif", "bulletin_alarm_3.txt", "bulletin_chat.txt")


def folder_of_sample() -> Path:
    """Return where the copy lies or will lie."""
    return Path(QgsApplication.qgisSettingsDirPath()) / "quyhoach" / "du_lieu_mau"


def sample_folder() -> Path:
    """Return the folder of the copy; makes what is missing and leaves what is there, which a person may have edited."""
    folder = folder_of_sample()
    folder.mkdir(parents=True, exist_ok=True)
    for name in _FILES:
        if not (folder / name).exists():
            # Under another name first: half a copy must not be taken for the town.
            draft = folder / f"{name}.part"
            shutil.copyfile(PLUGIN_FOLDER / "data_samples" / name, draft)
            draft.replace(folder / name)
    return folder


def open_sample(iface: QgisInterface) -> bool:
    """Open the town with official symbols in a new project; False when a person wants to keep the present one."""
    project = QgsProject.instance()
    if project.mapLayers() and not iface.newProject(True):
        return False
    town = str(sample_folder() / "town.gpkg")
    opened = open_layers(town, stored_tables(town))
    project.setCrs(opened[0].layer.crs())
    pin_project(project)
    project.setTitle(say("Đô thị mẫu Lam Trạch (dữ liệu giả định)", "Sample town Lam Trạch (made-up data)"))
    add_to_project(project, opened, ROOMS, say("Đô thị mẫu", "Sample town"))
    _show_outlines(project, town)
    terrain = _terrain()
    project.addMapLayer(terrain, False)
    project.layerTreeRoot().addLayer(terrain).setExpanded(False)
    canvas = iface.mapCanvas()
    canvas.setExtent(terrain.extent())
    canvas.refresh()
    return True


def _show_outlines(project: QgsProject, town: str) -> None:
    """Draw the outlines of parcels over the zones, which would hide the parcels one wants to click."""
    layer = QgsVectorLayer(f"{town}|layername=parcel", "", "ogr")
    layer.loadNamedStyle(str(PLUGIN_FOLDER / "styles" / "base" / "parcel_outline.qml"))
    layer.setName(say("Ranh giới thửa đất", "Outlines of parcels"))
    layer.setScaleBasedVisibility(True)
    layer.setMinimumScale(_SEEN_FROM)
    project.addMapLayer(layer, False)
    project.layerTreeRoot().children()[0].insertLayer(0, layer).setExpanded(False)


def _terrain() -> QgsRasterLayer:
    layer = QgsRasterLayer(
        str(sample_folder() / "terrain.tif"), say("Địa hình (mô hình số độ cao)", "Terrain (elevation model)"), "gdal"
    )
    renderer = QgsHillshadeRenderer(layer.dataProvider(), 1, 315.0, 45.0)
    renderer.setZFactor(4.0)
    layer.setRenderer(renderer)
    return layer
