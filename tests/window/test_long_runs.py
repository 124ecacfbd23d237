"""Long work beside the window, and QGIS killed in the middle of it: the window answers, and nothing is half made."""

import shutil
import sqlite3
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SAMPLES = ROOT / "data_samples"
#: Runs an algorithm in its own dialog, as a person does, and takes the pulse of the window meanwhile.
DIALOG = '''
import os, time
import processing
from qgis.core import QgsProcessingFeatureSourceDefinition, QgsProject, QgsVectorLayer
from qgis.PyQt.QtCore import QTimer, Qt
from qgis.PyQt.QtTest import QTest
from qgis.PyQt.QtWidgets import QApplication, QDialogButtonBox, QPushButton

def until(ready, seconds=100):
    end = time.monotonic() + seconds
    while not ready():
        assert time.monotonic() < end, "waited too long"
        wait(0.02)

def layer(name):
    return f"{SAMPLES / 'town.gpkg'}|layername={name}"

def parcels(count):
    source = QgsProcessingFeatureSourceDefinition(layer("parcel"))
    source.featureLimit = count
    return source

PAPERS = {"PLANS": layer("plan"), "ZONES": layer("zone"), "OVERLAYS": layer("constraint_overlay"), "DATE": "25/11/2026", "OUTPUT": str(FOLDER)}

def shown(identity, values):
    dialog = processing.createAlgorithmDialog("quyhoach:" + identity, values)
    dialog.show()
    wait(0.5)
    return dialog

def run(dialog):
    QTest.mouseClick(dialog.runButton(), Qt.MouseButton.LeftButton)

class Pulse:
    """Notes how much QGIS has worked, in all its threads, while the window did not answer; what other programs take of the machine is no matter."""
    def __init__(self):
        self.longest, self.last = 0.0, time.process_time()
        self.timer = QTimer()
        self.timer.timeout.connect(self.beat)
        self.timer.start(20)
    def beat(self):
        now = time.process_time()
        self.longest, self.last = max(self.longest, now - self.last), now
'''


@pytest.fixture
def samples(tmp_path):
    # QGIS writes into a GeoPackage it merely opens.
    folder = tmp_path / "dữ liệu"
    folder.mkdir()
    for name in ("town.gpkg", "terrain.tif", "bulletin_alarm_3.txt"):
        shutil.copy(SAMPLES / name, folder / name)
    return folder


def test_the_window_answers_while_a_batch_of_papers_is_made(window, tmp_path, samples):
    """Nothing holds the window for a second: the papers are made beside it, only the printing of each map comes to it."""
    folder = tmp_path / "văn bản"
    result = window(f"SAMPLES, FOLDER = Path({str(samples)!r}), Path({str(folder)!r})\n" + DIALOG + '''
dialog = shown("parcelcertificate", {**PAPERS, "PARCELS": parcels(30)})
pulse = Pulse()
run(dialog)
wait(0.1)
until(lambda: dialog.results() or dialog.wasExecuted())
result["longest"] = pulse.longest
picture("long_1_papers", dialog)
# A second batch is stopped in the middle, by the dialog's own button.
dialog.close()
dialog = shown("parcelcertificate", {**PAPERS, "PARCELS": parcels(150), "OUTPUT": str(FOLDER) + " khác"})
run(dialog)
until(lambda: any(Path(str(FOLDER) + " khác").glob(".quyhoach-*/new/*.pdf")))
begun = time.monotonic()
QTest.mouseClick(dialog.cancelButton(), Qt.MouseButton.LeftButton)
until(lambda: not Path(str(FOLDER) + " khác").exists())
result["stopped_s"] = time.monotonic() - begun
wait(0.3)
dialog.close()
''')
    assert result["longest"] < 1.0, result["longest"]
    assert result["stopped_s"] < 5.0
    names = {path.suffix: 0 for path in folder.iterdir()}
    for path in folder.iterdir():
        names[path.suffix] += 1
    assert names == {".docx": 30, ".pdf": 30, ".gpkg": 1}
