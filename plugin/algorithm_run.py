"""Runs an algorithm for a dock: beside the window, or in the main thread where it must stay there, with the window kept alive."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from qgis.core import (
    QgsApplication,
    QgsProcessingAlgorithm,
    QgsProcessingAlgRunnerTask,
    QgsProcessingContext,
    QgsProcessingException,
    QgsProcessingFeedback,
    QgsProject,
)
from qgis.PyQt.QtCore import QCoreApplication, QTimer

from ..processing_algorithms.common.errors import Cancelled, InputError, QuyHoachError
from .sure_start import SureStart


class HeardFeedback(QgsProcessingFeedback):
    """Keeps what an algorithm says, and tells how far it is.

    ``window_alive``: lets the window draw and take clicks at each report, for an algorithm that runs in the main thread.
    """

    def __init__(self, moved: Callable[[float], None] | None = None, *, window_alive: bool = True):
        super().__init__(False)
        self.warnings: list[str] = []
        self.errors: list[str] = []
        self._moved, self._window_alive = moved, window_alive
        self.progressChanged.connect(self._told)

    def _told(self, percent: float) -> None:
        if self._moved is not None:
            self._moved(percent)
        if self._window_alive:
            QCoreApplication.processEvents()

    def pushWarning(self, warning: str) -> None:  # noqa: D102, N802
        self.warnings.append(warning)

    def reportError(self, error: str, fatalError: bool = False) -> None:  # noqa: D102, N802, N803
        self.errors.append(error)


def run_here(
    identity: str, parameters: dict[str, Any], context: QgsProcessingContext, feedback: HeardFeedback
) -> dict[str, Any]:
    """Run an algorithm in the main thread and return its results.

    Raises
    ------
    InputError
        What the algorithm refuses, in its own words.
    Cancelled
        Stopped through ``feedback``.
    """
    algorithm = _algorithm(identity, context, feedback)
    try:
        results, well = algorithm.run(parameters, context, feedback, {}, False)
    except QgsProcessingException as error:
        if feedback.isCanceled():
            raise Cancelled() from error
        raise InputError(str(error)) from error
    if not well:
        raise Cancelled() if feedback.isCanceled() else InputError("\n".join(feedback.errors))
    return results


def _algorithm(identity: str, context: QgsProcessingContext, feedback: QgsProcessingFeedback) -> QgsProcessingAlgorithm:
    algorithm = QgsApplication.processingRegistry().createAlgorithmById(identity)
    context.setProject(QgsProject.instance())
    context.setFeedback(feedback)
    able, why = algorithm.canExecute()
    if not able:
        raise InputError(why)
    return algorithm


class RunBeside:
    """An algorithm at work in a thread. One of its ends is called in the main thread, none after `forget`.

    Parameters
    ----------
    done, failed : callable
        Get the results, or what is to be told (`Cancelled` where it was stopped).
    moved : callable, optional
        Gets the per cent done.

    Raises
    ------
    InputError
        The algorithm cannot run on this machine.
    """

    #: QGIS takes algorithm, context and feedback as they are: all of it is kept until the thread has ended.
    _under_way: set[RunBeside] = set()

    def __init__(self, identity: str, parameters: dict[str, Any], context: QgsProcessingContext, *, done: Callable[[dict[str, Any]], None],
                 failed: Callable[[QuyHoachError], None], moved: Callable[[float], None] | None = None):
        self._done, self._failed, self._forgotten = done, failed, False
        self._moved = moved
        self._identity, self._parameters, self._context = identity, parameters, context
        self._kept: list[tuple[QgsProcessingAlgorithm, HeardFeedback]] = []
        self._start: SureStart | None = SureStart(self._task)
        RunBeside._under_way.add(self)

    def _task(self) -> QgsProcessingAlgRunnerTask:
        # Feedback of its own: a task that is cancelled because it was lost cancels its feedback too.
        feedback = HeardFeedback(self._tell, window_alive=False)
        algorithm = _algorithm(self._identity, self._context, feedback)
        self._kept.append((algorithm, feedback))
        task = QgsProcessingAlgRunnerTask(algorithm, self._parameters, self._context, feedback)
        number = len(self._kept)
        # Later: what is added to the queue while QGIS is ending a task is lost more often (see `sure_start`).
        task.executed.connect(lambda well, results: QTimer.singleShot(0, lambda: self._ended(number, well, results)))
        return task

    def cancel(self) -> None:
        """Stop as soon as may be; `failed` is told when it has."""
        if self._start is not None:
            self._kept[-1][1].cancel()
            self._start.task.cancel()

    def forget(self) -> None:
        """Stop as soon as may be, and tell nobody."""
        self._forgotten = True
        self.cancel()

    def _tell(self, percent: float) -> None:
        if self._moved is not None and not self._forgotten:
            self._moved(percent)

    def _ended(self, number: int, well: bool, results: dict[str, Any]) -> None:
        if number != len(self._kept):
            return
        feedback = self._kept[-1][1]
        RunBeside._under_way.discard(self)
        # Nothing that refers to itself is left for the collector, which may run in a thread where a timer must not die.
        self._start = None
        self._kept.clear()
        if self._forgotten:
            return
        if well:
            self._done(results)
        else:
            self._failed(Cancelled() if feedback.isCanceled() else InputError("\n".join(feedback.errors)))
