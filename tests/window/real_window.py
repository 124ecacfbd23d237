"""A real QGIS with a window on a virtual screen and a private profile, driven by a script it runs at start."""

import json
import os
import signal
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
#: Pictures stay here to be looked at.
ARTEFACTS = ROOT / "build" / "screenshots"

PROLOGUE = '''
import json, sys, traceback
from pathlib import Path
from qgis.PyQt.QtCore import QTimer
from qgis.core import QgsApplication
from qgis.utils import iface, plugins
result = {"ok": False}

def wait(seconds=0.3):
    from qgis.PyQt.QtCore import QEventLoop
    loop = QEventLoop()
    QTimer.singleShot(int(seconds * 1000), loop.quit)
    loop.exec()

def picture(name, widget=None):
    wait()
    target = Path(%(artefacts)r) / (name + ".png")
    target.parent.mkdir(parents=True, exist_ok=True)
    assert (widget or iface.mainWindow()).grab().save(str(target))

def body():
%(body)s

def leave():
    """As a person closes QGIS, who has nothing to save."""
    from qgis.core import QgsProject, QgsVectorLayer
    for layer in QgsProject.instance().mapLayers().values():
        if isinstance(layer, QgsVectorLayer) and layer.isEditable():
            layer.rollBack()
    iface.newProject(False)  # QGIS that ends with layers on the map dies of them
    # QGIS fetches its news in a thread of the pool, which opens the authentication store there. QGIS 3.40 that closes before they
    # have come takes the store away first and dies in that thread's end (signal 11 under ~QgsTaskManager, whatever plugins there are).
    from qgis.PyQt.QtCore import QThreadPool
    QgsApplication.taskManager().cancelAll()
    wait(0.2)
    QThreadPool.globalInstance().waitForDone(10_000)
    QgsApplication.instance().exit(0)

def start():
    try:
        wait(1)
        body()
        result["ok"] = True
    except BaseException:
        result["error"] = traceback.format_exc()
    Path(%(answer)r).write_text(json.dumps(result, ensure_ascii=False), "utf-8")
    leave()

QTimer.singleShot(0, start)
'''


def run_in_window(body, folder, *, plugin_path=None, language="vi", profile=None, timeout=240, killed=False, environment=None):
    """Run Python text in a real QGIS and return its ``result`` dict.

    ``killed``: the text ends in killing QGIS, and nothing is returned. ``environment``: variables besides this process's.
    """
    profiles = profile or folder / "hồ sơ QGIS"
    ini = profiles / "profiles" / "default" / "QGIS" / "QGIS3.ini"
    if not ini.exists():
        ini.parent.mkdir(parents=True)
        ini.write_text("[PythonPlugins]\nquyhoach=true\nprocessing=true\n\n[locale]\noverrideFlag=true\n"
                       f"userLocale={language}\n\n[qgis]\ncheckVersion=false\nshowTips=false\n", "utf-8")
    answer, script = folder / "answer.json", folder / "script.py"
    indented = "\n".join("    " + line for line in body.strip("\n").split("\n"))
    script.write_text(PROLOGUE % {"artefacts": str(ARTEFACTS), "answer": str(answer), "body": indented}, "utf-8")
    environment = {**os.environ, "QGIS_PLUGINPATH": str(plugin_path) if plugin_path else os.environ["QGIS_PLUGINPATH"], **(environment or {})}
    environment.pop("QT_QPA_PLATFORM", None)
    if plugin_path == "":
        environment.pop("QGIS_PLUGINPATH")
    screen = [] if os.environ.get("DISPLAY") else ["xvfb-run", "-a", "-s", "-screen 0 1600x1000x24"]
    finished = subprocess.run([*screen, "qgis", "--nologo", "--noversioncheck", "--profiles-path", str(profiles), "--code", str(script)],
                              env=environment, capture_output=True, text=True, timeout=timeout)
    if killed:
        assert not answer.exists() and finished.returncode == -signal.SIGKILL, finished.stderr[-3000:]
        return {}
    assert answer.exists(), finished.stderr[-3000:]
    result = json.loads(answer.read_text("utf-8"))
    assert result["ok"], result.get("error")
    # QGIS that dies while it closes has written the answer by then.
    assert finished.returncode == 0, (finished.returncode, finished.stderr[-3000:])
    result["stderr"] = finished.stderr
    return result
