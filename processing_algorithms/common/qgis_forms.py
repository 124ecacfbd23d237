"""Forms of QGIS layers from a dataset of the catalogue: what a field is called, what it takes, and why.

A hub carries these forms inside (`layer_styles`), so QGIS applies them wherever the file is opened; `configure_form`
does the same to any layer that has the dataset's fields, such as a working copy or an export.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from qgis.core import (
    Qgis,
    QgsAttributeTableConfig,
    QgsEditorWidgetSetup,
    QgsField,
    QgsFieldConstraints,
    QgsMapLayer,
    QgsReadWriteContext,
    QgsValueMapFieldFormatter,
    QgsVectorLayer,
)
from qgis.PyQt.QtCore import QMetaType
from qgis.PyQt.QtXml import QDomDocument

from .language import say

# Those of `provincial_database.catalogue`, which common/ may not import.
Dataset = Any
Field = Any

_HIDDEN = ("fid", "feature_id")
_META_TYPES = {"text": QMetaType.Type.QString, "integer": QMetaType.Type.LongLong, "real": QMetaType.Type.Double,
               "boolean": QMetaType.Type.Bool, "date": QMetaType.Type.QDate, "datetime": QMetaType.Type.QDateTime}
_HARD = QgsFieldConstraints.ConstraintStrength.ConstraintStrengthHard
#: What a hub says by itself; symbols come from ``styles/`` and are left alone where there are none.
_PARTS = QgsMapLayer.StyleCategory
_FORM_PARTS = _PARTS.Fields | _PARTS.Forms | _PARTS.AttributeTable | _PARTS.LayerConfiguration
_SYMBOL_PARTS = _PARTS.Symbology | _PARTS.Labeling | _PARTS.Rendering


def configure_form(layer: QgsVectorLayer, dataset: Dataset) -> list[str]:
    """Give a layer the form of its dataset, in the language spoken now.

    Aliases, value maps, calendars, number ranges, constraints with their reason, help as tooltip; ``fid`` and
    ``feature_id`` are hidden. Fields the layer lacks are skipped.

    Parameters
    ----------
    layer : QgsVectorLayer
        Has the dataset's fields, from a hub, a working copy or an export.
    dataset : Dataset

    Returns
    -------
    list of str
        Names of the dataset's fields the layer lacks.
    """
    lacking = []
    for field in dataset.fields:
        position = layer.fields().lookupField(field.name)
        if position < 0:
            lacking.append(field.name)
            continue
        layer.setFieldAlias(position, str(field.label))
        layer.setEditorWidgetSetup(position, _widget(field))
        # Both halves of a split parcel keep its codes; left alone, newer versions set fields with a code list to null.
        layer.setFieldSplitPolicy(position, Qgis.FieldDomainSplitPolicy.Duplicate)
        layer.setFieldDuplicatePolicy(position, Qgis.FieldDuplicatePolicy.Duplicate)
        _constrain(layer, position, field, dataset)
        if hasattr(layer, "setFieldCustomComment"):  # shown as the tooltip; older versions show the file's own comment
            layer.setFieldCustomComment(position, _tooltip(field))
    for name in _HIDDEN:
        position = layer.fields().lookupField(name)
        if position >= 0:
            layer.setEditorWidgetSetup(position, QgsEditorWidgetSetup("Hidden", {}))
    _hide_columns(layer)
    layer.setDisplayExpression(f'"{dataset.title_field}"')
    return lacking


def form_style(dataset: Dataset, symbols: Path | None = None) -> str:
    """Return the form as a QGIS style (QML), to be kept beside the data.

    ``symbols`` is a style file whose symbols and labels go into it; without one the style says nothing of them.
    """
    with_symbols = symbols is not None and symbols.is_file()
    # A layer that has shapes writes its symbols into the style whether asked to or not.
    geometry = dataset.geometry if with_symbols and dataset.geometry else "NoGeometry"
    layer = QgsVectorLayer(geometry, dataset.name, "memory")
    fields = [QgsField("fid", QMetaType.Type.LongLong), QgsField("feature_id", QMetaType.Type.QString)]
    fields += [QgsField(field.name, _META_TYPES[field.type]) for field in dataset.fields]
    layer.dataProvider().addAttributes(fields)
    layer.updateFields()
    if with_symbols:
        layer.loadNamedStyle(str(symbols), False, _SYMBOL_PARTS)
    configure_form(layer, dataset)
    document = QDomDocument()
    parts = _FORM_PARTS | _SYMBOL_PARTS if with_symbols else _FORM_PARTS
    layer.exportNamedStyle(document, QgsReadWriteContext(), parts)
    return document.toString()


def _widget(field: Field) -> QgsEditorWidgetSetup:
    if field.domain is not None:
        # Codes of norms are what people know; codes of our own lists mean nothing to them.
        choices = [{f"{value.code} - {value.label}" if field.domain.table else str(value.label): value.code}
                   for value in field.domain.values]
        if not field.required:
            choices.insert(0, {say("(chưa biết)", "(unknown)"): QgsValueMapFieldFormatter.NULL_VALUE})
        return QgsEditorWidgetSetup("ValueMap", {"map": choices})
    if field.type == "boolean":
        return QgsEditorWidgetSetup("CheckBox", {"AllowNullState": not field.required})
    if field.type in ("date", "datetime"):
        with_time = field.type == "datetime"
        return QgsEditorWidgetSetup("DateTime", {
            "display_format": "dd/MM/yyyy HH:mm" if with_time else "dd/MM/yyyy", "calendar_popup": True,
            "field_format": "yyyy-MM-dd HH:mm:ss" if with_time else "yyyy-MM-dd", "field_iso_format": False,
            "allow_null": not field.required})
    # Plain boxes for numbers: QGIS's spin box turns an unknown count into its minimum, which is 0.
    return QgsEditorWidgetSetup("TextEdit",
                                {"IsMultiline": field.length is not None and field.length > 200, "UseHtml": False})


def _constrain(layer: QgsVectorLayer, position: int, field: Field, dataset: Dataset) -> None:
    if field.required:
        layer.setFieldConstraint(position, QgsFieldConstraints.Constraint.ConstraintNotNull, _HARD)
    rules, reasons = _rules(field)
    for check in dataset.checks:
        if check.right == field.name and layer.fields().lookupField(check.left) >= 0:
            rules.append(f'"{check.left}" IS NULL OR "{check.left}" {check.operator} "{check.right}"')
            reasons.append(str(check.message))
    if rules:
        expression = " AND ".join(f"({rule})" for rule in rules)
        required_text = field.required and field.type == "text"
        if not required_text:
            expression = f'"{field.name}" IS NULL OR ({expression})'
        layer.setConstraintExpression(position, expression, " ".join([*reasons, str(field.help)]))
        layer.setFieldConstraint(position, QgsFieldConstraints.Constraint.ConstraintExpression, _HARD)


def _rules(field: Field) -> tuple[list[str], list[str]]:
    """Expressions that must hold where the field is not null, and what to tell when they do not."""
    column, rules, reasons = f'"{field.name}"', [], []
    if field.required and field.type == "text":
        rules.append(f"length(trim(coalesce({column}, ''))) > 0")
        reasons.append(say("Không được để trống.", "Must not be blank."))
    if field.length is not None and field.domain is None:
        rules.append(f"length({column}) <= {field.length}")
        reasons.append(say("Tối đa {n} ký tự.", "At most {n} characters.").format(n=field.length))
    if field.pattern is not None:
        pattern = field.pattern.replace("'", "''")
        rules.append(f"regexp_match({column}, '{pattern}') > 0")
        reasons.append(say("Mã phải đúng dạng.", "The code must be well-formed."))
    if field.minimum is not None:
        rules.append(f"{column} >= {field.minimum}")
        reasons.append(say("Từ {n} trở lên.", "At least {n}.").format(n=field.minimum))
    if field.maximum is not None:
        rules.append(f"{column} <= {field.maximum}")
        reasons.append(say("Không quá {n}.", "At most {n}.").format(n=field.maximum))
    return rules, reasons


def _tooltip(field: Field) -> str:
    unit = f" ({field.unit})" if field.unit and field.unit != "1" else ""
    return f"{field.help}{unit}"


def _hide_columns(layer: QgsVectorLayer) -> None:
    config = QgsAttributeTableConfig()
    config.update(layer.fields())
    columns = config.columns()
    for column in columns:
        column.hidden = column.name in _HIDDEN
    config.setColumns(columns)
    layer.setAttributeTableConfig(config)
