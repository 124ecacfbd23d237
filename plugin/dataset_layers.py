"""Which layer shows a dataset: chosen by hand, in the file or database chosen for the desks, or in the project.

Layers are known by the table they show, which bears the dataset's name in working copies and in hubs alike. What was
chosen is remembered in the settings of QGIS.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from qgis.core import (
    QgsDataSourceUri,
    QgsMapLayer,
    QgsProject,
    QgsProviderRegistry,
    QgsRasterLayer,
    QgsSettings,
    QgsVectorLayer,
)
from qgis.PyQt.QtCore import QObject, pyqtSignal

from ..processing_algorithms.common.language import say
from ..processing_algorithms.common.qgis_open_layers import HUB_SCHEMAS
from ..processing_algorithms.provincial_database.catalogue import load_catalogue
from ..processing_algorithms.provincial_database.catalogue.model import FID, GEOMETRY

_SETTINGS = "quyhoach/desks"


def label_of(dataset: str) -> str:
    """Return what people call a dataset; what the catalogue does not know are inputs of the flood desk."""
    others = {
        "terrain": say("Địa hình (mô hình số độ cao)", "Terrain (digital elevation model)"),
        "river_axis": say("Tim sông", "River axes"),
        "dyke": say("Đê", "Dykes"),
        "source": say("Nguồn nước (sông chính, biển)", "Source of the water (main river, sea)"),
    }
    return others[dataset] if dataset in others else str(load_catalogue()[dataset].label)


def table_of(layer: QgsMapLayer) -> str:
    """Return the name of the table or file a layer shows."""
    if layer.providerType() == "postgres":
        return QgsDataSourceUri(layer.source()).table()
    parts = QgsProviderRegistry.instance().decodeUri(layer.providerType(), layer.source())
    return parts.get("layerName") or Path(parts.get("path") or "").stem


class DatasetLayers(QObject):
    """Finds the layers of datasets for one desk; ``changed`` comes when a person has chosen others."""

    changed = pyqtSignal()

    def __init__(self) -> None:
        super().__init__()
        # Layers that are not in the project, by what they were opened from; None for what is not there, so that a server is asked once.
        self._opened: dict[str, QgsMapLayer | None] = {}

    @property
    def place(self) -> str:
        """The file, or the PostgreSQL connection, whose tables are taken; blank for none."""
        return QgsSettings().value(f"{_SETTINGS}/place", "", str)

    def choose_place(self, place: str) -> None:
        """Remember a file or connection."""
        QgsSettings().setValue(f"{_SETTINGS}/place", place.strip())
        self._opened.clear()
        self.changed.emit()

    def chosen(self, dataset: str) -> str:
        """Return the source chosen by hand for a dataset; blank for none."""
        return QgsSettings().value(f"{_SETTINGS}/layers/{dataset}", "", str)

    def choose(self, dataset: str, layer: QgsMapLayer | None) -> None:
        """Remember a layer for a dataset; None lets it be found again."""
        key = f"{_SETTINGS}/layers/{dataset}"
        if layer is None:
            QgsSettings().remove(key)
        else:
            kind = "raster" if isinstance(layer, QgsRasterLayer) else layer.providerType()
            QgsSettings().setValue(key, f"{kind}:{layer.source()}")
        self.changed.emit()

    def choose_file(self, dataset: str, path: str) -> None:
        """Remember a raster file for a dataset."""
        QgsSettings().setValue(f"{_SETTINGS}/layers/{dataset}", f"raster:{path}")
        self.changed.emit()

    def layer(self, dataset: str) -> QgsVectorLayer | None:
        """Return the layer of a dataset, or None."""
        layer = self._find(dataset)
        return layer if isinstance(layer, QgsVectorLayer) else None

    def raster(self, dataset: str) -> QgsRasterLayer | None:
        """Return the raster of a dataset, or None."""
        layer = self._find(dataset)
        return layer if isinstance(layer, QgsRasterLayer) else None

    def _find(self, dataset: str) -> QgsMapLayer | None:
        source = self.chosen(dataset)
        if source:
            kind, _, where = source.partition(":")
            found = self._in_project(where) or self._open(kind, where, dataset)
            if found is not None:
                return found
        for kind, where in self._tables(self.place, dataset):
            found = self._in_project(where) or self._open(kind, where, dataset)
            if found is not None:
                return found
        same = [
            layer
            for layer in QgsProject.instance().mapLayers().values()
            if layer.isValid() and table_of(layer) == dataset
        ]
        return same[0] if same else None

    def _tables(self, place: str, dataset: str) -> Iterator[tuple[str, str]]:
        if not place:
            return
        connection = QgsProviderRegistry.instance().providerMetadata("postgres").connections(False).get(place)
        if connection is None:
            yield "ogr", f"{Path(place)}|layername={dataset}"
            return
        uri = QgsDataSourceUri(connection.uri())
        geometry = load_catalogue()[dataset].geometry if dataset in load_catalogue() else None
        for schema in HUB_SCHEMAS:
            uri.setDataSource(schema, dataset, GEOMETRY if geometry else None, "", FID)
            yield "postgres", uri.uri(False)

    def _in_project(self, source: str) -> QgsMapLayer | None:
        return next((layer for layer in QgsProject.instance().mapLayers().values() if layer.source() == source and layer.isValid()), None)

    def _open(self, kind: str, source: str, dataset: str) -> QgsMapLayer | None:
        if source not in self._opened:
            if kind in ("ogr", "raster") and not Path(source.split("|")[0]).exists():
                return None
            layer: QgsMapLayer
            if kind == "raster":
                layer = QgsRasterLayer(source, label_of(dataset))
            else:
                options = QgsVectorLayer.LayerOptions(QgsProject.instance().transformContext())
                layer = QgsVectorLayer(source, label_of(dataset), kind, options)
            self._opened[source] = layer if layer.isValid() else None
        return self._opened[source]

    def close(self) -> None:
        """Let go of the files."""
        self._opened.clear()
