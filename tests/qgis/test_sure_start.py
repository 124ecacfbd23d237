"""Tasks that QGIS loses from its queue are started all the same (see `plugin.sure_start`)."""

import threading
import time

import pytest
from qgis.core import QgsApplication, QgsProcessingContext, QgsTask, QgsVectorLayer
from qgis.PyQt.QtCore import QCoreApplication
from quyhoach.plugin.algorithm_run import RunBeside
from quyhoach.plugin.tasks import Work
from quyhoach.processing_algorithms.common.errors import Cancelled


def until(condition, seconds=20):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        QCoreApplication.processEvents()
        time.sleep(0.01)


class _Holds(QgsTask):
    """Keeps a thread busy until told."""

    def __init__(self, released):
        super().__init__("holds")
        self.released, self.begun = released, threading.Event()

    def run(self):
        self.begun.set()
        self.released.wait(20)
        return True


@pytest.fixture
def losing():
    """Every thread of the pool is held; called, what waits in its queue is freed unstarted, as QGIS does by mistake."""
    manager, released = QgsApplication.taskManager(), threading.Event()
    pool = manager.threadPool()
    held = [_Holds(released) for _ in range(pool.maxThreadCount())]
    for task in held:
        manager.addTask(task)
    until(lambda: all(task.begun.is_set() for task in held))

    def lose():
        pool.clear()
        released.set()
        until(lambda: pool.activeThreadCount() == 0)

    yield lose
    released.set()


def test_a_lost_job_is_done_once(losing):
    runs, said = [], []
    work = Work("Đọc", lambda progress: runs.append(threading.get_ident()) or 7, quiet=False)
    work.begin(said.append, said.append)
    losing()
    until(lambda: said)
    assert said == [7] and len(runs) == 1 and runs[0] != threading.main_thread().ident
    until(lambda: not QgsApplication.taskManager().activeTasks())  # the lost one is not left in QGIS's list


def test_a_job_that_waits_for_a_thread_is_not_taken_for_lost(losing):
    runs, said = [], []
    work = Work("Đọc", lambda progress: runs.append(1), quiet=True)
    work.begin(said.append, said.append)
    end = time.monotonic() + 2.5
    until(lambda: time.monotonic() > end)
    assert len([task for task in QgsApplication.taskManager().tasks() if task.description() == "Đọc"]) == 1 and not runs
    losing()
    until(lambda: said)
    assert runs == [1]


def test_a_lost_job_that_was_stopped_ends_as_stopped(losing):
    said = []
    work = Work("Đọc", lambda progress: pytest.fail("ran"), quiet=False)
    work.begin(said.append, said.append)
    work.stop()
    losing()
    until(lambda: said)
    assert [type(one) for one in said] == [Cancelled]


def test_a_lost_algorithm_of_a_dock_is_run(losing):
    points = QgsVectorLayer("Point?crs=EPSG:9214&field=a:int", "điểm", "memory")
    said = []
    run = RunBeside("native:buffer", {"INPUT": points, "DISTANCE": 5, "OUTPUT": "memory:"}, QgsProcessingContext(), done=said.append, failed=said.append)
    losing()
    until(lambda: said)
    assert isinstance(said[0], dict) and "OUTPUT" in said[0], said
    run.cancel()  # too late, and nothing happens
