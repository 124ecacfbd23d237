"""Runs an algorithm that must stay in the main thread (it prints layouts) with the window alive: progress, and a button that stops it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from qgis.core import QgsApplication, QgsProcessingContext, QgsProcessingException, QgsProcessingFeedback, QgsProject
from qgis.PyQt.QtCore import QCoreApplication

from ..processing_algorithms.common.errors import Cancelled, InputError


class HeardFeedback(QgsProcessingFeedback):
    """Keeps what an algorithm says, and lets the window draw and take clicks whenever it reports progress."""

    def __init__(self, moved: Callable[[float], None] | None = None):
        super().__init__(False)
        self.warnings: list[str] = []
        self.errors: list[str] = []
        self._moved = moved
        self.progressChanged.connect(self._alive)

    def _alive(self, percent: float) -> None:
        if self._moved is not None:
            self._moved(percent)
        QCoreApplication.processEvents()

    def pushWarning(self, warning: str) -> None:  # noqa: D102, N802
        self.warnings.append(warning)

    def reportError(self, error: str, fatalError: bool = False) -> None:  # noqa: D102, N802, N803
        self.errors.append(error)


def run_here(identity: str, parameters: dict[str, Any], context: QgsProcessingContext, feedback: HeardFeedback) -> dict[str, Any]:
    """Run an algorithm in the main thread and return its results.

    Raises
    ------
    InputError
        What the algorithm refuses, in its own words.
    Cancelled
        Stopped through ``feedback``.
    """
    algorithm = QgsApplication.processingRegistry().createAlgorithmById(identity)
    context.setProject(QgsProject.instance())
    context.setFeedback(feedback)
    able, why = algorithm.canExecute()
    if not able:
        raise InputError(why)
    try:
        results, well = algorithm.run(parameters, context, feedback, {}, False)
    except QgsProcessingException as error:
        if feedback.isCanceled():
            raise Cancelled() from error
        raise InputError(str(error)) from error
    if not well:
        raise Cancelled() if feedback.isCanceled() else InputError("\n".join(feedback.errors))
    return results
