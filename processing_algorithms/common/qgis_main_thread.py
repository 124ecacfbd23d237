"""Short work in the main thread for an algorithm that runs beside the window.

Layouts are scenes of Qt and live in the main thread only. An algorithm that prints many small ones stays beside the
window and hands over each print, so that the window answers between two of them.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as StillWaiting
from typing import TypeVar

from qgis.PyQt.QtCore import QCoreApplication, QMetaObject, QObject, Qt, QThread, pyqtSlot

from .errors import Cancelled, Kept

Result = TypeVar("Result")

#: Seconds between two looks whether the person has asked to stop.
_LOOK = 0.05


class _Call(QObject):
    """One piece of work on its way to the main thread."""

    #: Kept alive until the main thread has come to them.
    under_way: set[_Call] = set()

    def __init__(self, do: Callable[[], object], thread: QThread):
        super().__init__()
        self._do = do
        self.future: Future = Future()
        self.moveToThread(thread)
        _Call.under_way.add(self)
        QMetaObject.invokeMethod(self, "make", Qt.ConnectionType.QueuedConnection)

    @pyqtSlot()
    def make(self) -> None:
        """Do it, unless whoever asked has given up."""
        _Call.under_way.discard(self)
        if not self.future.set_running_or_notify_cancel():
            return
        result = None
        with Kept() as kept:
            result = self._do()
        if kept.error is None:
            self.future.set_result(result)
        else:
            self.future.set_exception(kept.error)


def _other_main_thread() -> QThread | None:
    """Return the main thread, None where this is it (qgis_process, scripts, tests)."""
    application = QCoreApplication.instance()
    if application is None or application.thread() == QThread.currentThread():
        return None
    return application.thread()


def in_main_thread(do: Callable[[], Result], asked: Callable[[], None]) -> Result:
    """Return what ``do`` returns, called in the main thread; raise what it raises.

    Parameters
    ----------
    do : callable
        Takes a fraction of a second: the window stands still for so long.
    asked : callable
        Raises `Cancelled` when the person has asked to stop; looked at while waiting, so that a window that closes and an
        algorithm never wait for each other.
    """
    thread = _other_main_thread()
    if thread is None:
        return do()
    future = _Call(do, thread).future
    while True:
        try:
            return future.result(_LOOK)
        except StillWaiting:
            if future.done():
                raise  # its own
        try:
            asked()
        except Cancelled:
            if future.cancel():
                raise
            # Under way already: what it works on is not to be taken away from it.
            return future.result()


def soon_in_main_thread(do: Callable[[], object], seconds: float = 5.0) -> None:
    """Have ``do`` called in the main thread and wait for it, to close files before they are moved or deleted.

    Not for ever: a window that closes waits for the algorithm first, and comes to ``do`` later.
    """
    end = time.monotonic() + seconds

    def patient() -> None:
        if time.monotonic() > end:
            raise Cancelled()

    try:
        in_main_thread(do, patient)
    except Cancelled:
        later_in_main_thread(do)


def later_in_main_thread(do: Callable[[], object]) -> None:
    """Have ``do`` called in the main thread when it comes to it, to give back what was made there."""
    thread = _other_main_thread()
    if thread is None:
        do()
    else:
        _Call(do, thread)
