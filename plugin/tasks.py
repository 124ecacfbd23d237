"""Long work of the docks beside the window: one QgsTask each, with progress, cancel, and one way to fail.

A `Desk` is what a dock holds: it starts work, tells the person what became of it, and forgets all of it at unload.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from qgis.core import Qgis, QgsTask
from qgis.gui import QgisInterface, QgsMessageBarItem
from qgis.PyQt import sip
from qgis.PyQt.QtCore import QObject, QTimer, pyqtSignal
from qgis.PyQt.QtWidgets import QPushButton

from ..processing_algorithms.common.errors import Cancelled, Kept, QuyHoachError
from ..processing_algorithms.common.language import say
from ..processing_algorithms.common.progress import Progress
from ..processing_algorithms.common.thread_state import keep_thread_state
from .sure_start import SureStart

#: Gets the progress to report to; runs beside the window, so it touches neither widgets nor layers of the project.
Job = Callable[[Progress], Any]


#: The part of the message bar that text gets, beside icon and buttons.
_OF_A_LINE = 0.8

#: QGIS keeps no reference to a task of Python: without one it is gone before it has run. Here, and not with who started it,
#: because what was forgotten ends too.
_under_way: set[_Task] = set()


class _Task(QgsTask):
    """One handing over of a job to QGIS."""

    def __init__(self, work: Work, title: str, flags: QgsTask.Flag):
        super().__init__(title, flags)
        self._work = work
        _under_way.add(self)

    def run(self) -> bool:  # noqa: D102
        keep_thread_state()
        return self._work.run_in(self)

    def finished(self, well: bool) -> None:  # noqa: D102
        _under_way.discard(self)
        # Later: what is added to the queue while QGIS is ending a task is lost more often (see `sure_start`).
        QTimer.singleShot(0, lambda: self._work.ended(self, well))


class Work(QObject):
    """One job in a thread. Its ends are called in the main thread, exactly one of them, and none after `forget`.

    It is stopped by a flag of its own and never by `QgsTask.cancel`: called in the instant in which the thread begins, that
    ends the task while it runs, and QGIS deletes it under the thread's feet.
    """

    said = pyqtSignal(str)
    moved = pyqtSignal(float)

    def __init__(self, title: str, job: Job, *, quiet: bool):
        super().__init__()
        self.title = title
        flags = QgsTask.Flag.CanCancel | QgsTask.Flag.Silent
        self._flags = flags | QgsTask.Flag.Hidden if quiet else flags
        self._job = job
        self._ends: tuple[Callable[[Any], None], Callable[[BaseException], None]] | None = None
        self._result: Any = None
        self._error: BaseException | None = None
        self._forgotten = False
        self._stopped = threading.Event()
        #: Of Python, because waiting for it lets the thread go on, which `waitForFinished` does not.
        self._ran = threading.Event()
        self._claim, self._claimed = threading.Lock(), False
        self._runs_in: _Task | None = None
        self.per_cent = 0.0
        self._start: SureStart | None = None

    def begin(self, done: Callable[[Any], None], failed: Callable[[BaseException], None]) -> None:
        """Hand the job over; one of the two gets what became of it."""
        self._ends = done, failed
        self._start = SureStart(lambda: _Task(self, self.title, self._flags))

    def run_in(self, task: _Task) -> bool:
        """Do the job, once whatever QGIS starts; in its thread."""
        with self._claim:
            if self._claimed:
                return False
            self._claimed, self._runs_in = True, task
        with Kept() as kept:
            self._refuse_if_stopped()
            self._result = self._job(self._progress)
        self._error = kept.error
        self._ran.set()
        return self._error is None

    def _refuse_if_stopped(self) -> None:
        # QGIS itself cancels what its own list of tasks is asked to, and everything when it closes.
        task = self._runs_in
        if self._stopped.is_set() or task is None or task.isCanceled():
            raise Cancelled()

    def _progress(self, fraction: float, message: str | None = None) -> None:
        self._refuse_if_stopped()
        before, self.per_cent = self.per_cent, 100.0 * fraction
        task = self._runs_in
        if task is not None:
            task.setProgress(self.per_cent)
        if int(10 * before) != int(10 * self.per_cent):  # as QGIS does: a window is not flooded with it
            self.moved.emit(self.per_cent)
        if message:
            self.said.emit(message)

    def stop(self) -> None:
        """Stop as soon as may be."""
        self._stopped.set()

    def forget(self) -> None:
        """Stop as soon as may be, and tell nobody."""
        self._forgotten = True
        self.stop()

    def let_end(self, seconds: float) -> None:
        """Wait for the thread if it runs."""
        if self._runs_in is not None:
            self._ran.wait(seconds)

    def ended(self, task: _Task, well: bool) -> None:
        """Tell what became of the job, unless it is another task that does it."""
        if self._start is None or task is not (self._runs_in or self._start.task):
            return
        done, failed = self._ends
        # Nothing that refers to itself is left for the collector, which may run in a thread where a timer must not die.
        self._start = self._ends = self._runs_in = None
        if self._forgotten:
            return
        if well:
            done(self._result)
        else:
            # Stopped before it began: nothing was raised.
            failed(self._error or Cancelled())


class Desk(QObject):
    """Starts the work of one dock. ``changed`` comes when work a person waits for begins, moves or ends."""

    changed = pyqtSignal()

    def __init__(self, iface: QgisInterface, title: str):
        super().__init__()
        self._iface, self._title = iface, title
        self._works: list[Work] = []
        self.current: Work | None = None
        self.step = ""
        #: What a person can do at once about a kind of failure: words for a button of the message, and what it does.
        self.remedies: dict[type[QuyHoachError], tuple[str, Callable[[], None]]] = {}
        self._offered: list[QgsMessageBarItem] = []

    @property
    def busy(self) -> bool:
        """Whether work a person waits for is under way."""
        return self.current is not None

    def start(self, title: str, job: Job, done: Callable[[Any], None]) -> None:
        """Begin work a person waits for, one at a time; what fails is told in the message bar."""
        if self.busy:
            self.tell(
                say(
                    "Đang làm: {work}. Hãy đợi xong hoặc bấm Dừng.", "Under way: {work}. Wait for it, or press Stop."
                ).format(work=self.current.title),
                Qgis.MessageLevel.Warning,
            )
            return

        def ended(error: BaseException | None, result: Any = None) -> None:
            self._works.remove(work)
            self.current, self.step = None, ""
            self.changed.emit()
            if error is None:
                done(result)
            else:
                self.tell_failure(error)

        work = Work(title, job, quiet=False)
        self.current, self.step = work, title
        work.said.connect(self._says)
        work.moved.connect(lambda _: self.changed.emit())
        self._works.append(work)
        work.begin(lambda result: ended(None, result), ended)
        self.changed.emit()

    def start_quietly(self, job: Job, done: Callable[[Any], None], failed: Callable[[BaseException], None]) -> Work:
        """Begin work nobody waits for."""

        def ended(end: Callable[[Any], None], value: Any) -> None:
            self._works.remove(work)
            end(value)

        work = Work(self._title, job, quiet=True)
        self._works.append(work)
        work.begin(lambda result: ended(done, result), lambda error: ended(failed, error))
        return work

    def _says(self, text: str) -> None:
        self.step = text
        self.changed.emit()

    def stop(self) -> None:
        """Stop the work a person waits for."""
        if self.current is not None:
            self.current.stop()

    def tell(self, text: str, level: Qgis.MessageLevel = Qgis.MessageLevel.Success) -> None:
        """Say something in the message bar; what went wrong stays until it is read."""
        grave = level in (Qgis.MessageLevel.Warning, Qgis.MessageLevel.Critical)
        seconds, bar = 0 if grave else 8, self._iface.messageBar()
        if "\n" in text or bar.fontMetrics().horizontalAdvance(self._title + text) > _OF_A_LINE * bar.width():
            bar.pushMessage(self._title, text, text, level, seconds)  # the bar has one line, and a button for the whole
        else:
            bar.pushMessage(self._title, text, level, seconds)

    def _offer(self, text: str, button_text: str, remedy: Callable[[], None]) -> None:
        bar = self._iface.messageBar()
        item, button = bar.createMessage(self._title, text), QPushButton(button_text)
        button.setObjectName("remedy")

        def take() -> None:
            self._withdraw()
            remedy()

        button.clicked.connect(take)
        item.layout().addWidget(button)
        self._withdraw()
        self._offered.append(item)
        bar.pushWidget(item, Qgis.MessageLevel.Critical, 0)

    def _withdraw(self) -> None:
        """Take messages with a button off the bar: what they offer is under way, or gone."""
        items, self._offered = self._offered, []
        for item in items:
            if not sip.isdeleted(item):
                self._iface.messageBar().popWidget(item)

    def tell_failure(self, error: BaseException) -> None:
        """Say in the message bar what a person can do about; anything else is a bug and raised with its traceback."""
        remedy = self.remedies.get(type(error))
        if remedy is not None:
            self._offer(str(error), *remedy)
        elif isinstance(error, Cancelled):
            self.tell(str(error), Qgis.MessageLevel.Info)
        elif isinstance(error, QuyHoachError):
            self.tell(str(error), Qgis.MessageLevel.Critical)
        else:
            raise error

    def close(self) -> None:
        """Forget all work, and let the threads end before the program that runs in them is taken away."""
        self._withdraw()
        works, self._works, self.current = self._works, [], None
        for work in works:
            work.forget()
        for work in works:
            work.let_end(3.0)
