"""Writes ``styles/<room>/<name>.qml`` and ``.sld`` of every maker in this folder.

A maker is a module named for its room, with ``styled_layers()``: a dict from style name to a memory layer that carries
the renderer and labels. Styles drawn by hand in QGIS live beside the made ones and are left alone.
"""

from __future__ import annotations

import importlib
import os
import re
import sys
from pathlib import Path

from qgis.core import QgsApplication, QgsMapLayer, QgsSldExportContext, QgsVectorLayer, QgsVectorLayerSimpleLabeling
from quyhoach.processing_algorithms.common.layout.qgis_layout_text import FAMILIES

HERE = Path(__file__).resolve().parent
STYLES = HERE.parents[1] / "styles"
_RANDOM = re.compile(r"\{[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\}")


def same_every_time(text: str) -> str:
    """Number the random ids QGIS gives to rules and symbol layers, so that an unchanged style is an unchanged file."""
    seen: dict[str, str] = {}
    return _RANDOM.sub(lambda found: seen.setdefault(found[0], f"{{{len(seen):08d}-0000-0000-0000-000000000000}}"),
                       text)


def letter(layer: QgsMapLayer) -> None:
    """Give labels families of which every machine has one; QGIS warns in a project of a family it does not find."""
    if not isinstance(layer, QgsVectorLayer) or not isinstance(layer.labeling(), QgsVectorLayerSimpleLabeling):
        return
    settings = layer.labeling().settings()
    style = settings.format()
    font = style.font()
    font.setFamily(FAMILIES[0])
    style.setFont(font)
    style.setFamilies(list(FAMILIES[1:]))
    settings.setFormat(style)
    layer.setLabeling(QgsVectorLayerSimpleLabeling(settings))


def save(layer: QgsMapLayer, path: Path) -> None:
    """Write QML (symbols and labels only) and SLD."""
    path.parent.mkdir(parents=True, exist_ok=True)
    letter(layer)
    categories = QgsMapLayer.StyleCategory.Symbology | QgsMapLayer.StyleCategory.Labeling
    message, saved = layer.saveNamedStyle(str(path), categories)
    if not saved:
        raise SystemExit(message)
    path.write_text(same_every_time(path.read_text(encoding="utf-8")), encoding="utf-8", newline="\n")
    sld = path.with_suffix(".sld")
    context = QgsSldExportContext()
    context.setExportFilePath(str(sld))
    message, saved = layer.saveSldStyleV2(context)
    if not saved:
        raise SystemExit(message)
    sld.write_text(same_every_time(sld.read_text(encoding="utf-8")), encoding="utf-8", newline="\n")


def main() -> None:
    """Make all styles."""
    application = QgsApplication([], False)
    application.initQgis()
    for maker in sorted(HERE.glob("*.py")):
        if maker.stem == "make":
            continue
        for name, layer in importlib.import_module(maker.stem).styled_layers().items():
            save(layer, STYLES / maker.stem / f"{name}.qml")
            print(f"styles/{maker.stem}/{name}.qml")
    sys.stdout.flush()
    os._exit(0)  # QGIS's own clean-up may outlive Python's


if __name__ == "__main__":
    main()
