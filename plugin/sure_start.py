"""Tasks that start even where QGIS loses them.

QGIS (3.40, 3.44) keeps the address of what carried a task into the pool of threads after it was freed. When that task ends
while another waits in the queue at the same address, QGIS takes the other one out and frees it: it stays queued for ever and
nothing tells (QGIS issue 53806, mended there for batch processing only). Measured with many short tasks: 12 of 40,000;
opening a working copy, one in sixty.
"""

from __future__ import annotations

from collections.abc import Callable

from qgis.core import QgsApplication, QgsTask
from qgis.PyQt import sip
from qgis.PyQt.QtCore import QObject, QTimer

#: Milliseconds between looks, and how often in a row a thread must have been free while the task had not begun.
_LOOK, _LOOKS = 400, 3


class SureStart(QObject):
    """Hands a task to QGIS, and another one for the same work where QGIS has lost it.

    Parameters
    ----------
    make : callable
        Returns a new task. What a task that is not `task` any more has to tell is to be ignored: it never ran.
    """

    def __init__(self, make: Callable[[], QgsTask]):
        super().__init__()
        self._make, self._free = make, 0
        self.task = make()
        self._timer = QTimer(self)
        self._timer.setInterval(_LOOK)
        self._timer.timeout.connect(self._look)
        self._hand_over()

    def _hand_over(self) -> None:
        self._free = 0
        self._timer.start()
        QgsApplication.taskManager().addTask(self.task)

    def _look(self) -> None:
        if sip.isdeleted(self.task) or self.task.status() != QgsTask.TaskStatus.Queued:
            self._timer.stop()
            return
        pool = QgsApplication.taskManager().threadPool()
        self._free = self._free + 1 if pool.activeThreadCount() < pool.maxThreadCount() else 0
        if self._free < _LOOKS:
            return
        lost, self.task = self.task, self._make()
        lost.cancel()  # out of the list of tasks; it waits in no queue
        self._hand_over()
