"""Long work beside the window, and QGIS killed in the middle of it: the window answers, and nothing is half made."""

import os
import shutil
import sqlite3
import zipfile
from contextlib import closing
from pathlib import Path

import pytest
from osgeo import gdal

ROOT = Path(__file__).resolve().parents[2]
SAMPLES = ROOT / "data_samples"
#: What is killed, and when; all four at night, each takes two starts of QGIS.
KILLS = [("papers", "moving"), ("report", "drafting"), *([("papers", "drafting"), ("report", "moving")] if os.environ.get("QUYHOACH_NIGHTLY") else [])]
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


KILLED = '''
import signal, threading
FOLDER.mkdir()
(FOLDER / "ghi chú của tôi.txt").write_text("giữ nguyên", "utf-8")
project = QgsProject.instance()
project.addMapLayer(QgsVectorLayer(layer("zone"), "Ô quy hoạch", "ogr"))
project.addMapLayer(QgsVectorLayer(layer("gauge"), "Trạm", "ogr"))
assert project.write(str(FOLDER.parent / "dự án.qgz"))

def draft(pattern):
    return lambda: any(FOLDER.glob(".quyhoach-*/new/" + pattern))

def first(pattern):
    return lambda: any(FOLDER.glob(pattern))

if WHAT == "papers":
    dialog = shown("parcelcertificate", {**PAPERS, "PARCELS": parcels(COUNT)})
    ready = draft("*.pdf") if WHEN == "drafting" else first("*.docx")
else:
    dialog = shown("floodreport", {**REPORT, "OUTPUT": str(FOLDER)})
    ready = draft("do_sau_ngap.tif") if WHEN == "drafting" else first("*.png")

def kill():
    end = time.monotonic() + 150
    while not ready() and time.monotonic() < end:
        time.sleep(0.0002)
    os.kill(os.getpid(), signal.SIGKILL)

threading.Thread(target=kill, daemon=True).start()
run(dialog)
wait(160)
'''
#: What is run again afterwards, without a window, in the folder that was left.
AGAIN = '''
REPORT = {"TEXT": (SAMPLES / "bulletin_alarm_3.txt").read_text("utf-8"), "TERRAIN": str(SAMPLES / "terrain.tif"), "STATIONS": layer("gauge"),
          "SOURCE": layer("river|subset=kind = 'river'"), "RIVERS": layer("river_axis"), "BUILDINGS": layer("building"), "PLACE": "đô thị Lam Trạch"}
'''


def whole(path):
    """Whether a file is complete, by what reads it."""
    if path.suffix == ".pdf":
        return path.read_bytes().rstrip().endswith(b"%%EOF")
    if path.suffix in (".docx", ".xlsx"):
        return zipfile.is_zipfile(path) and zipfile.ZipFile(path).testzip() is None
    if path.suffix == ".gpkg":
        with closing(sqlite3.connect(path)) as database:
            return database.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
    if path.suffix == ".png":
        return path.read_bytes().endswith(b"IEND\xaeB`\x82")
    if path.suffix == ".tif":
        return gdal.Open(str(path)).ReadAsArray() is not None
    return path.suffix == ".txt" and path.stat().st_size > 0


@pytest.mark.parametrize("what, when", KILLS)
def test_killed_in_the_middle_of_a_report(window, tmp_path, samples, what, when):
    """Killed while the files are made, and between two files that take their names: each one there is whole, the project
    opens, the same run again makes everything, and nothing is entered twice."""
    folder = tmp_path / "kết quả"
    start = f"SAMPLES, FOLDER, WHAT, WHEN, COUNT = Path({str(samples)!r}), Path({str(folder)!r}), {what!r}, {when!r}, 12\n" + DIALOG + AGAIN
    window(start + KILLED, killed=True, timeout=200)
    left = [path for path in folder.iterdir() if not path.name.startswith(".")]
    assert (folder / "ghi chú của tôi.txt").read_text("utf-8") == "giữ nguyên"
    assert [path.name for path in left if not whole(path)] == []
    if when == "drafting":
        assert {path.suffix for path in left} <= {".txt", ".gpkg"}
    result = window(start + '''
project = QgsProject.instance()
assert project.read(str(FOLDER.parent / "dự án.qgz"))
result["layers"] = sorted((one.name(), one.isValid()) for one in project.mapLayers().values())
if WHAT == "papers":
    done = processing.run("quyhoach:parcelcertificate", {**PAPERS, "PARCELS": parcels(COUNT)})
    result["count"] = done["COUNT"]
else:
    result["count"] = len(processing.run("quyhoach:floodreport", {**REPORT, "OUTPUT": str(FOLDER)}))
project.clear()
''', timeout=200)
    assert result["layers"] == [["Trạm", True], ["Ô quy hoạch", True]]
    made = [path for path in folder.iterdir() if not path.name.startswith(".")]
    assert [path.name for path in made if not whole(path)] == []
    if what == "papers":
        assert result["count"] == 12 and len([path for path in made if path.suffix == ".docx"]) == 12
        (register,) = folder.glob("*.gpkg")
        with closing(sqlite3.connect(register)) as database:
            assert database.execute("SELECT count(*), count(DISTINCT paper_code) FROM planning_paper").fetchone() == (12, 12)
    else:
        assert {"phu_luc_ngap_lut.pdf", "anh_dien_thoai.png", "tin_nhan.txt", "so_lieu.xlsx", "bao_cao.gpkg", "do_sau_ngap.tif"} <= {path.name for path in made}


def test_the_window_answers_while_a_flood_is_reported(window, tmp_path, samples):
    """Depths, counts, streets and tables are made beside the window; the map and the annex come to it in steps."""
    folder = tmp_path / "báo cáo"
    result = window(f"SAMPLES, FOLDER = Path({str(samples)!r}), Path({str(folder)!r})\n" + DIALOG + '''
dialog = shown("floodreport", {
    "FILE": str(SAMPLES / "bulletin_alarm_3.txt"), "STATIONS": layer("gauge"), "READINGS": 1, "TERRAIN": str(SAMPLES / "terrain.tif"), "SOURCE": layer("river"),
    "RIVERS": layer("river_axis"), "DYKES": layer("dyke"), "BUILDINGS": layer("building"), "UNITS": layer("administrative_unit|subset=valid_to IS NULL"),
    "HAMLETS": layer("hamlet"), "ROADS": layer("road"), "FACILITIES": layer("facility"), "SHELTERS": layer("shelter"), "OUTPUT": str(FOLDER)})
pulse = Pulse()
run(dialog)
wait(0.1)
until(lambda: dialog.results() or dialog.wasExecuted())
result["longest"] = pulse.longest
picture("long_2_flood", dialog)
dialog.close()
''')
    # A second of the main thread's work; what the threads beside it work meanwhile counts here, too.
    assert result["longest"] < 1.0, result["longest"]
    assert len([path for path in folder.iterdir() if path.suffix in (".pdf", ".png", ".txt", ".xlsx", ".gpkg", ".tif")]) == 7
