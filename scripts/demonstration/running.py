"""QGIS without a window, with the provider in its registry, and algorithms run through it."""

from __future__ import annotations

import warnings
from functools import lru_cache
from typing import Any

from qgis.core import QgsApplication, QgsProcessingException, QgsProcessingFeedback

from ...processing_algorithms.common.errors import QuyHoachError
from ...processing_algorithms.common.language import set_language
from ...processing_algorithms.provider import QuyHoachProvider


def start_qgis() -> QgsApplication:
    """Start QGIS and register the provider, unless they are there already (tests)."""
    application = QgsApplication.instance() or _application()
    from processing.core.Processing import Processing  # looks for the application when it is imported

    Processing.initialize()
    # geopandas looks for shapely's old module, and QGIS shows all warnings from here on.
    warnings.filterwarnings("ignore", message=r"The 'shapely\.geos' module is deprecated", category=DeprecationWarning)
    registry = QgsApplication.processingRegistry()
    if registry.providerById("quyhoach") is None:
        registry.addProvider(_provider())
    set_language("vi")
    return application


@lru_cache(maxsize=1)
def _application() -> QgsApplication:
    application = QgsApplication([], False)
    application.initQgis()
    return application


@lru_cache(maxsize=1)
def _provider() -> QuyHoachProvider:
    # The registry does not keep Python's half of the provider alive.
    return QuyHoachProvider()


class AlgorithmFailed(QuyHoachError):
    """An algorithm refused or failed; carries its own sentence."""


def run(algorithm: str, **parameters: Any) -> dict[str, Any]:
    """Run ``quyhoach:<algorithm>`` and return its outputs.

    Raises
    ------
    AlgorithmFailed
        It is not there, or it did not end well.
    """
    import processing

    feedback = _Listening()
    try:
        return processing.run(f"quyhoach:{algorithm}", parameters, feedback=feedback)
    except QgsProcessingException as error:
        why = " ".join(feedback.errors) or str(error)
        raise AlgorithmFailed(f"quyhoach:{algorithm}: {why}") from error


class _Listening(QgsProcessingFeedback):
    """Keeps what an algorithm reports as its error; Processing itself only says that there was one."""

    def __init__(self) -> None:
        super().__init__(False)
        self.errors: list[str] = []

    def reportError(self, error: str, fatalError: bool = False) -> None:  # noqa: D102, N802, N803
        self.errors.append(error)
