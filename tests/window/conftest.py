"""A real QGIS with a window on a virtual screen and a private profile, driven by a script it runs at start."""

import json
import os
import signal
import subprocess
from pathlib import Path

import pytest

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

def start():
    try:
        wait(1)
        body()
        result["ok"] = True
    except BaseException:
        result["error"] = traceback.format_exc()
    Path(%(answer)r).write_text(json.dumps(result, ensure_ascii=False), "utf-8")
    iface.mainWindow().close() if False else QgsApplication.instance().exit(0)

QTimer.singleShot(0, start)
'''


@pytest.fixture
def artefacts():
    """The folder of the pictures."""
    return ARTEFACTS


@pytest.fixture
def window(tmp_path):
    """Return a function that runs the given Python text in a real QGIS and returns its ``result`` dict.

    ``killed``: the text ends in killing QGIS, and nothing is returned.
    """
    if not os.environ.get("DISPLAY"):
        pytest.fail("these tests need a screen: run them with scripts/test window")

    def run(body, plugin_path=None, language="vi", profile=None, timeout=240, killed=False):
        profiles = profile or tmp_path / "hồ sơ QGIS"
        ini = profiles / "profiles" / "default" / "QGIS" / "QGIS3.ini"
        if not ini.exists():
            ini.parent.mkdir(parents=True)
            ini.write_text("[PythonPlugins]\nquyhoach=true\nprocessing=true\n\n[locale]\noverrideFlag=true\n"
                           f"userLocale={language}\n\n[qgis]\ncheckVersion=false\nshowTips=false\nnewsFeed\\enabled=false\n", "utf-8")
        answer, script = tmp_path / "answer.json", tmp_path / "script.py"
        indented = "\n".join("    " + line for line in body.strip("\n").split("\n"))
        script.write_text(PROLOGUE % {"artefacts": str(ARTEFACTS), "answer": str(answer), "body": indented}, "utf-8")
        environment = {**os.environ, "QGIS_PLUGINPATH": str(plugin_path) if plugin_path else os.environ["QGIS_PLUGINPATH"]}
        environment.pop("QT_QPA_PLATFORM", None)
        if plugin_path == "":
            environment.pop("QGIS_PLUGINPATH")
        finished = subprocess.run(["qgis", "--nologo", "--noversioncheck", "--profiles-path", str(profiles), "--code", str(script)],
                                  env=environment, capture_output=True, text=True, timeout=timeout)
        if killed:
            assert not answer.exists() and finished.returncode == -signal.SIGKILL, finished.stderr[-3000:]
            return {}
        assert answer.exists(), finished.stderr[-3000:]
        result = json.loads(answer.read_text("utf-8"))
        assert result["ok"], result.get("error")
        result["stderr"], result["code"] = finished.stderr, finished.returncode
        return result

    return run
