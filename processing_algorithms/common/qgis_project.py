"""Projects that are handed over: relative paths, the official shift, nothing that needs this plugin to open."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from qgis.core import (
    Qgis,
    QgsCoordinateReferenceSystem,
    QgsLayerTreeGroup,
    QgsMapLayer,
    QgsProject,
    QgsReferencedRectangle,
    QgsVectorLayer,
)

from .errors import OutputError
from .language import say
from .qgis_crs import pin_project
from .qgis_dressing import show_present


@dataclass
class Group:
    """A group of the layer tree: its layers with whether they are switched on, then groups inside it."""

    name: str
    layers: list[tuple[QgsMapLayer, bool]] = field(default_factory=list)
    groups: list[Group] = field(default_factory=list)
    visible: bool = True
    expanded: bool = True


def save_project(path: str | os.PathLike[str], title: str, crs: QgsCoordinateReferenceSystem,
                 groups: Iterable[Group]) -> None:
    """Write a project file beside its data, whole or not at all.

    Parameters
    ----------
    path : path
        Ends in ``.qgz``; layers in its folder are stored relative to it.
    title : str
    crs : QgsCoordinateReferenceSystem
    groups : iterable of Group
        From the top of the map down.

    Raises
    ------
    OutputError
        A layer is not valid, or QGIS cannot write the file.
    """
    target = Path(path)
    # In the same folder under another name: relative paths stay right when it is renamed.
    draft = target.with_name(f".quyhoach-{target.name}")
    project = QgsProject()
    project.setTitle(title)
    project.setCrs(crs)
    pin_project(project)
    project.setFilePathStorage(Qgis.FilePathType.Relative)
    project.setFileName(str(draft))
    layers: list[QgsMapLayer] = []
    _add(project, project.layerTreeRoot(), groups, layers)
    extent = None
    for layer in layers:
        if not layer.isValid():
            raise OutputError(
                say("Không mở được lớp {name} ({source}).", "The layer {name} ({source}) cannot be opened.").format(
                    name=layer.name(), source=layer.source()
                )
            )
        shown = project.layerTreeRoot().findLayer(layer.id()).isVisible()
        if isinstance(layer, QgsVectorLayer) and layer.featureCount() and shown:
            if extent is None:
                extent = layer.extent()
            else:
                extent.combineExtentWith(layer.extent())
    if extent is not None:
        extent.scale(1.05)
        project.viewSettings().setDefaultViewExtent(QgsReferencedRectangle(extent, crs))
    try:
        if not project.write():
            raise OutputError(say("Không ghi được dự án {path}: {why}", "The project {path} cannot be written: {why}")
                              .format(path=target, why=project.error()))
        os.replace(draft, target)
    finally:
        project.clear()
        for left in target.parent.glob(f"{draft.name}*"):
            left.unlink()


def _add(project: QgsProject, parent: QgsLayerTreeGroup, groups: Iterable[Group], layers: list[QgsMapLayer]) -> None:
    for group in groups:
        node = parent.addGroup(group.name)
        node.setItemVisibilityChecked(group.visible)
        node.setExpanded(group.expanded)
        for layer, visible in group.layers:
            project.addMapLayer(layer, False)
            leaf = node.addLayer(layer)
            leaf.setExpanded(False)
            leaf.setItemVisibilityChecked(visible)
            show_present(leaf)
            layers.append(layer)
        _add(project, node, group.groups, layers)
