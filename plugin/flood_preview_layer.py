"""The depth preview on the map: one temporary layer in the official colours, replaced by the next one."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from qgis.core import QgsCoordinateTransform, QgsProject, QgsRasterLayer, QgsRectangle
from qgis.gui import QgsMapCanvas

from ..processing_algorithms.common.errors import InputError
from ..processing_algorithms.common.language import say
from ..processing_algorithms.common.qgis_algorithm import PLUGIN_FOLDER
from ..processing_algorithms.common.qgis_layers import part_of_layer, to_pyproj
from .dataset_layers import DatasetLayers, label_of
from .flood_layers import source_layer
from .tasks import Job

_STYLE = PLUGIN_FOLDER / "styles" / "disaster" / "flood_depth.qml"


def preview_job(canvas: QgsMapCanvas, layers: DatasetLayers, readings: list[Any], path: Path) -> Job:
    """Return the job that computes the depth for what the canvas shows and writes it; call it in the main thread.

    Raises
    ------
    InputError
        Terrain or gauges are not chosen.
    """
    terrain, gauge = layers.raster("terrain"), layers.layer("gauge")
    missing = [label_of(name) for name, layer in (("terrain", terrain), ("gauge", gauge)) if layer is None]
    if missing:
        raise InputError(
            say('Chưa có: {names}. Bấm "Nguồn dữ liệu" để chọn.', 'Missing: {names}. Press "Data" to choose.').format(
                names=", ".join(missing)
            )
        )
    settings = canvas.mapSettings()
    seen = QgsCoordinateTransform(settings.destinationCrs(), terrain.crs(), QgsProject.instance()).transformBoundingBox(
        settings.visibleExtent()
    )
    bounds = seen.xMinimum(), seen.yMinimum(), seen.xMaximum(), seen.yMaximum()
    crs = to_pyproj(terrain.crs())
    source, which = source_layer(layers)
    wide = QgsRectangle(seen)
    wide.scale(2.0)

    def around(layer: Any, expression: str = "") -> Any:
        if layer is None:
            return None
        box = QgsCoordinateTransform(terrain.crs(), layer.crs(), QgsProject.instance()).transformBoundingBox(wide)
        return part_of_layer(layer, (box.xMinimum(), box.yMinimum(), box.xMaximum(), box.yMaximum()), expression)

    # Gauges and axes are few and shape the water beyond the screen; banks and rivers are wanted in view only.
    inputs = {
        "stations": part_of_layer(gauge),
        "rivers": None if layers.layer("river_axis") is None else part_of_layer(layers.layer("river_axis")),
        "source": around(source, which),
        "dykes": around(layers.layer("dyke")),
    }
    where, name = terrain.source(), terrain.name()
    return lambda progress: _compute(where, name, crs, bounds, readings, inputs, path)


def _compute(where: str, name: str, crs: Any, bounds: tuple[float, float, float, float], readings: list[Any], inputs: dict[str, Any], path: Path) -> tuple[Path, Any]:
    from ..processing_algorithms.common.raster import Window, open_raster
    from ..processing_algorithms.common.raster_writing import write_raster
    from ..processing_algorithms.disaster.depth.flood_preview import flood_preview

    frames = {key: None if layer is None else layer.read() for key, layer in inputs.items()}
    with open_raster(where, name=name, crs_wkt=crs.to_wkt() if crs is not None else "") as terrain:
        found = flood_preview(terrain, bounds, readings, frames.pop("stations"), **frames)
    rows, columns = found.grid.shape
    with write_raster(
        str(path), found.grid, description=say("Độ sâu ngập (xem nhanh)", "Flood depth (preview)")
    ) as writer:
        writer.write(Window(0, 0, rows, columns), found.depth_m)
    return path, found


class PreviewLayer:
    """Owns the layer and its files until `close`."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="quyhoach_", ignore_cleanup_errors=True)
        self._count = 0
        self._layer_id = ""

    def next_path(self) -> Path:
        """Return a file for the next preview; the one on the map may still be read."""
        self._count += 1
        return Path(self._folder.name) / f"xem_nhanh_{self._count}.tif"

    def show(self, path: Path) -> None:
        """Put a preview on the map instead of the one before."""
        self.remove()
        layer = QgsRasterLayer(str(path), say("Độ sâu ngập, xem nhanh (tạm)", "Flood depth, preview (temporary)"))
        layer.loadNamedStyle(str(_STYLE))
        layer.setCustomProperty("skipMemoryLayersCheck", 1)
        project = QgsProject.instance()
        project.addMapLayer(layer, False)
        project.layerTreeRoot().insertLayer(0, layer)
        self._layer_id = layer.id()

    def remove(self) -> None:
        """Take the preview off the map."""
        project = QgsProject.instance()
        if self._layer_id and project.mapLayer(self._layer_id) is not None:
            project.removeMapLayer(self._layer_id)
        self._layer_id = ""

    def close(self) -> None:
        """Leave nothing behind."""
        self.remove()
        self._folder.cleanup()
