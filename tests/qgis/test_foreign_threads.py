"""pyproj used again and again in threads that Qt made, as the tasks of QGIS do (see `common.thread_state`)."""

import subprocess
import sys

_TASKS = """
import sys, threading
from qgis.core import QgsApplication, QgsTask
from qgis.PyQt.QtCore import QCoreApplication
import pyproj
from quyhoach.processing_algorithms.common.thread_state import keep_thread_state

application = QgsApplication([], False)
application.initQgis()
threads, states = set(), []

class Task(QgsTask):
    def run(self):
        if sys.argv[1] == "kept":
            keep_thread_state()
        threads.add(threading.get_ident())
        states.append(getattr(known, "seen", 0))
        known.seen = states[-1] + 1
        for code in (4326, 9214, 3405):
            assert pyproj.CRS.from_epsg(code).name
        pyproj.Transformer.from_crs(4326, 9214, always_xy=True).transform(107.0, 16.5)
        return True

known = threading.local()
tasks = []
for number in range(40):
    task = Task(str(number))
    tasks.append(task)
    QgsApplication.taskManager().addTask(task)
    while task.status() not in (QgsTask.TaskStatus.Complete, QgsTask.TaskStatus.Terminated):
        QCoreApplication.processEvents()
print(len(states), max(states), len(threads), flush=True)
import os; os._exit(0)
"""


def test_forty_tasks_use_pyproj_one_after_the_other():
    """With pyproj 3.7 the second one in a thread crashed; kept, Python knows the thread again."""
    ended = subprocess.run([sys.executable, "-c", _TASKS, "kept"], capture_output=True, text=True, timeout=60)
    assert ended.returncode == 0, ended.stderr[-2000:]
    ran, most, threads = map(int, ended.stdout.split()[-3:])
    import pyproj

    assert ran == 40 and threads >= 1
    if tuple(map(int, pyproj.__version__.split(".")[:2])) >= (3, 7):
        assert most > 0, "a thread was forgotten between two tasks"
