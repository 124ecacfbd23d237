"""Parameters that the algorithms of the shared database have in common."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from qgis.core import (
    Qgis,
    QgsProcessingAlgorithm,
    QgsProcessingContext,
    QgsProcessingParameterFile,
    QgsProcessingParameterString,
)

from . import qgis_parameters as ask
from .language import say


def hub_parameter() -> QgsProcessingParameterFile:
    """The shared database, ``HUB``."""
    return ask.with_help(
        QgsProcessingParameterFile(
            "HUB", say("Cơ sở dữ liệu dùng chung", "Shared database"), Qgis.ProcessingFileParameterBehavior.File,
            "", None, False, "GeoPackage (*.gpkg)"),
        say("Tệp GeoPackage tạo bằng \"Tạo cơ sở dữ liệu dùng chung\".",
            "A GeoPackage made by \"Create a shared database\"."))


def hub_location(algorithm: QgsProcessingAlgorithm, parameters: dict[str, Any], context: QgsProcessingContext) -> str:
    """Return what the user gave as ``HUB``."""
    return algorithm.parameterAsFile(parameters, "HUB", context)


def dataset_parameter(labels: Iterable[str]) -> QgsProcessingParameterString:
    """One dataset, ``DATASET``: chosen from the labels, or typed as name or id."""
    parameter = ask.text(
        "DATASET", say("Tập dữ liệu", "Dataset"),
        say("Tên (parcel), mã (D03) hoặc nhãn (Thửa đất) của tập dữ liệu.",
            "Name (parcel), id (D03) or label (Land parcel) of the dataset."))
    parameter.setMetadata({"widget_wrapper": {"value_hints": list(labels)}})
    return parameter
