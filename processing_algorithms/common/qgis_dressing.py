"""How a layer of a dataset looks: official symbols and labels, form, map tip, scale, a legend of what is present.

Everything that shows a dataset in QGIS dresses it here, whichever file or database it comes from. A code without a
symbol is drawn in magenta under its own name and told: a feature that is there is never invisible.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from qgis.core import (
    NULL,
    Qgis,
    QgsCategorizedSymbolRenderer,
    QgsFillSymbol,
    QgsLayerTreeLayer,
    QgsLineSymbol,
    QgsMapLayer,
    QgsMapLayerLegendUtils,
    QgsMarkerSymbol,
    QgsRendererCategory,
    QgsSymbol,
    QgsVectorLayer,
)

from .language import current_language, say
from .qgis_forms import configure_form

STYLES = Path(__file__).resolve().parents[2] / "styles"
#: Where a layer keeps which entries of its legend are present, for `show_present`.
PRESENT = "quyhoach/present"
_LOOKS = QgsMapLayer.StyleCategory.Symbology | QgsMapLayer.StyleCategory.Labeling | QgsMapLayer.StyleCategory.Rendering
_MAGENTA = "#ff00c8"
_TIP_FIELDS = 9

# That of `provincial_database.catalogue`, which common/ may not import.
Dataset = Any


@dataclass(frozen=True)
class UnknownCode:
    """A value of the field of symbols that the style knows nothing of; an empty one is a missing code."""

    value: str
    count: int


def field_of_symbols(dataset: Dataset) -> str | None:
    """Return the field whose codes the style of a dataset has symbols for; None where all look alike."""
    symbols = STYLES / dataset.style
    if not symbols.is_file():
        return None
    found = re.search(r'<renderer-v2\b[^>]*>', symbols.read_text(encoding="utf-8"))
    field = re.search(r'\battr="([^"]+)"', found[0]) if found and 'type="categorizedSymbol"' in found[0] else None
    return field[1] if field else None


def dress(
    layer: QgsVectorLayer, dataset: Dataset, *, smallest_scale: int | None = None,
    codes: Mapping[str, int] | None = None
) -> list[UnknownCode]:
    """Give a layer of a dataset its whole look, in the language spoken now; reads which codes are present.

    Parameters
    ----------
    layer : QgsVectorLayer
        Has fields of the dataset; those it lacks are passed over.
    dataset : Dataset
    smallest_scale : int, optional
        Denominator of the smallest scale at which it is drawn.
    codes : mapping, optional
        How many features carry which code of `field_of_symbols`, where that was read beforehand: finding it out reads
        the whole layer, which of a million features takes seconds.

    Returns
    -------
    list of UnknownCode
        Codes without a symbol, with how many features carry them.
    """
    symbols = STYLES / dataset.style
    if layer.isSpatial() and symbols.is_file():
        layer.loadNamedStyle(str(symbols), True, _LOOKS)
    configure_form(layer, dataset)
    layer.setMapTipTemplate(map_tip(layer, dataset))
    if smallest_scale is not None:
        layer.setScaleBasedVisibility(True)
        layer.setMinimumScale(smallest_scale)
    abstract = layer.metadata()
    abstract.setTitle(str(dataset.label))
    abstract.setAbstract(str(dataset.help))
    layer.setMetadata(abstract)
    return symbolise_codes(layer, dataset, codes) if layer.isSpatial() else []


def symbolise_codes(
    layer: QgsVectorLayer, dataset: Dataset | None = None, codes: Mapping[str, int] | None = None
) -> list[UnknownCode]:
    """Give every code of a layer by categories a symbol, and note which entries of the legend are present."""
    renderer = layer.renderer()
    if not isinstance(renderer, QgsCategorizedSymbolRenderer):
        return []
    position = layer.fields().lookupField(renderer.classAttribute())
    if position < 0:
        return []
    renderer = renderer.clone()
    categories = renderer.categories()
    rest = next((at for at, category in enumerate(categories) if _texts(category) == {""}), None)
    known = {text for category in categories for text in _texts(category)}
    texts = {_text(value) for value in layer.uniqueValues(position)} if codes is None else set(codes)
    unknown = []
    for text in sorted(texts - known):
        quoted = text.replace("'", "''")
        column = f'"{layer.fields().at(position).name()}"'
        where = f"{column} = '{quoted}'" if text else f"{column} IS NULL OR {column} = ''"
        count = sum(1 for _ in layer.getFeatures(where)) if codes is None else codes[text]
        unknown.append(UnknownCode(text, count))
        if text:
            renderer.addCategory(
                QgsRendererCategory(
                    text,
                    _magenta(layer),
                    say("{code} (mã chưa có ký hiệu)", "{code} (code without a symbol)").format(code=text),
                )
            )
        elif rest is None:
            renderer.addCategory(QgsRendererCategory("", _magenta(layer), say("Chưa có mã", "No code")))
    if rest is not None:
        # What is drawn under "others" is what has no code: codes have entries of their own now.
        renderer.updateCategoryLabel(rest, say("Chưa có mã, mã khác", "No code, other codes"))
    if dataset is not None and current_language() != "vi":
        _speak(renderer, dataset)
    layer.setRenderer(renderer)
    present = [at for at, category in enumerate(renderer.categories())
               if texts & _texts(category)]
    layer.setCustomProperty(PRESENT, present)
    return unknown


def show_present(node: QgsLayerTreeLayer) -> None:
    """Leave out of a layer's legend what the layer has none of; the symbols stay, for codes that come later."""
    layer = node.layer()
    present = layer.customProperty(PRESENT) if layer is not None else None
    if present is not None:
        QgsMapLayerLegendUtils.setLegendNodeOrder(node, [int(at) for at in present])
        layer.legendChanged.emit()


def map_tip(layer: QgsVectorLayer, dataset: Dataset) -> str:
    """Return the HTML shown when the mouse rests on a feature: its title and its first fields that are filled in.

    Personal data are never in it.
    """
    rows = []
    for field in dataset.fields:
        if field.secrecy == "restricted" or layer.fields().lookupField(field.name) < 0:
            continue
        shown = f"""replace(to_string(represent_value("{field.name}")), '<', '&lt;')"""
        unit = "" if field.unit in (None, "", "1") else f" {field.unit}".replace("m2", "m²")
        label = str(field.label).replace("'", "''")
        rows.append(f"""[% if("{field.name}" IS NULL, '', '<tr><td style="color:#555">{label}</td><td>' || {shown} || '{unit}</td></tr>') %]""")
        if len(rows) == _TIP_FIELDS:
            break
    return f"<b>{dataset.label}</b><table cellpadding=\"1\">{''.join(rows)}</table>"


def _speak(renderer: QgsCategorizedSymbolRenderer, dataset: Dataset) -> None:
    """Legends are Vietnamese as on printed sheets; those who read English get the labels of the codes."""
    field = next((field for field in dataset.fields if field.name == renderer.classAttribute()), None)
    if field is None or field.domain is None:
        return
    labels = {value.code: f"{value.code} - {value.label}" if field.domain.table else str(value.label)
              for value in field.domain.values}
    for at, category in enumerate(renderer.categories()):
        if str(category.value()) in labels:
            renderer.updateCategoryLabel(at, labels[str(category.value())])


def _texts(category: QgsRendererCategory) -> set[str]:
    value = category.value()
    return {_text(one) for one in (value if isinstance(value, list) else [value])}


def _text(value: Any) -> str:
    return "" if value is None or value == NULL else str(value)


def _magenta(layer: QgsVectorLayer) -> QgsSymbol:
    if layer.geometryType() == Qgis.GeometryType.Point:
        return QgsMarkerSymbol.createSimple(
            {"name": "cross2", "color": _MAGENTA, "outline_color": _MAGENTA, "outline_width": "0.6", "size": "4"}
        )
    if layer.geometryType() == Qgis.GeometryType.Line:
        return QgsLineSymbol.createSimple({"line_color": _MAGENTA, "line_width": "0.8"})
    return QgsFillSymbol.createSimple(
        {"color": _MAGENTA, "style": "b_diagonal", "outline_color": _MAGENTA, "outline_width": "0.5"}
    )
