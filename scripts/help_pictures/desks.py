"""Draw the pictures of the desks: a real QGIS on a virtual screen, the sample town open, each dock in the middle of its work.

QGIS cannot be driven from outside, so this file is two things: run by Python it starts QGIS once for each language in a
profile that is thrown away; run by that QGIS (``--code``) it opens the desks and draws them.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

#: Pixels of a picture.
WIDTH, HEIGHT = 1000, 640
_COLOURS = 48
_INI = """[PythonPlugins]
quyhoach=true
processing=true

[locale]
overrideFlag=true
userLocale={language}

[qgis]
checkVersion=false
showTips=false
newsFeed\\enabled=false

[quyhoach]
show_start=false
"""


def main() -> None:
    """Start QGIS in both languages."""
    environment = {**os.environ, "QUYHOACH_IMAGES": str(Path(__file__).resolve().parents[2] / "plugin" / "help" / "images")}
    environment.pop("QT_QPA_PLATFORM", None)
    for language in ("vi", "en"):
        with tempfile.TemporaryDirectory() as profiles:
            ini = Path(profiles) / "profiles" / "default" / "QGIS" / "QGIS3.ini"
            ini.parent.mkdir(parents=True)
            ini.write_text(_INI.format(language=language), "utf-8")
            subprocess.run(["xvfb-run", "-a", "-s", f"-screen 0 {WIDTH}x{HEIGHT + 140}x24", "qgis", "--nologo", "--noversioncheck", "--profiles-path", profiles,
                            "--code", str(Path(__file__).resolve())], env={**environment, "QUYHOACH_WORK": str(Path(profiles) / "work")}, check=True)


def draw() -> None:
    """Open the desks and draw them, in the QGIS this runs in."""
    from qgis.core import QgsProject, QgsRectangle
    from qgis.PyQt.QtCore import QEventLoop, Qt, QTimer
    from qgis.PyQt.QtWidgets import QAction, QDockWidget, QLineEdit, QPlainTextEdit, QPushButton, QToolBar
    from qgis.utils import iface
    from quyhoach.plugin.sample import open_sample, sample_folder
    from quyhoach.processing_algorithms.common.language import current_language

    window, canvas = iface.mainWindow(), iface.mapCanvas()

    def wait(seconds: float) -> None:
        loop = QEventLoop()
        QTimer.singleShot(int(1000 * seconds), loop.quit)
        loop.exec()

    def until(ready, seconds: float = 60.0) -> None:
        for _ in range(int(20 * seconds)):
            if ready():
                return
            wait(0.05)
        raise TimeoutError

    def desk(action: str, dock: str) -> QDockWidget:
        window.findChild(QAction, action).trigger()
        wait(0.5)
        found = window.findChild(QDockWidget, dock)
        window.resizeDocks([found], [470], Qt.Orientation.Horizontal)
        return found

    def press(dock: QDockWidget, name: str) -> None:
        dock.findChild(QPushButton, name).click()

    def look(x: float, y: float, width: float) -> None:
        canvas.setExtent(QgsRectangle(x - width / 2, y - width / 2, x + width / 2, y + width / 2))
        canvas.refresh()
        wait(2.5)

    def picture(name: str, dock: QDockWidget) -> None:
        iface.messageBar().clearWidgets()
        wait(0.5)
        window.setGeometry(window.screen().geometry())
        canvas.refresh()
        wait(3.0)
        corner = dock.mapTo(window, dock.rect().topRight())
        whole = window.grab().toImage()
        part = whole.devicePixelRatioF()  # of the screen's points per inch
        small = whole.copy(0, int(corner.y() * part), whole.width(), int(dock.height() * part)).convertToFormat(whole.Format.Format_RGB32)
        target = Path(os.environ["QUYHOACH_IMAGES"]) / f"{name}_{current_language()}.png"
        assert small.save(str(target))
        print(f"{target.name}: {few_colours(target) / 1000:.0f} kB", flush=True)
        dock.setUserVisible(False)

    window.showNormal()
    window.setGeometry(window.screen().geometry())
    iface.newProject()
    open_sample(iface)
    for one in window.findChildren(QDockWidget):
        one.setVisible(False)
    for bar in window.findChildren(QToolBar):
        bar.setVisible(bar.objectName() in ("QuyHoachStartToolBar", "mMapNavToolBar"))
    wait(1)

    dock = desk("QuyHoachParcelLookup", "QuyHoachParcelDock")
    dock.findChild(QLineEdit, "sheet").setText("3")
    dock.findChild(QLineEdit, "number").setText("40")
    commune = dock.commune
    commune.setCurrentIndex(next(at for at in range(commune.count()) if commune.itemData(at) is not None and commune.itemData(at).code == "99101"))
    press(dock, "find")
    until(lambda: dock.paper.isEnabled())
    box = dock._land.shape.boundingBox().center()
    look(box.x(), box.y(), 160)
    picture("desk_parcel", dock)

    dock = desk("QuyHoachFloodDesk", "QuyHoachFloodDock")
    dock.findChild(QPlainTextEdit, "bulletin").setPlainText((sample_folder() / "bulletin_alarm_3.txt").read_text("utf-8"))
    press(dock, "read")
    look(551000, 1831300, 2600)
    press(dock, "preview")
    until(lambda: any("preview" in one.name() or "xem nhanh" in one.name() for one in QgsProject.instance().mapLayers().values()) and dock._previewing is None)
    wait(3)
    picture("desk_flood", dock)

    _database(iface, desk, picture, until, look)
    QgsProject.instance().clear()


def _database(iface, desk, picture, until, look) -> None:
    """A commune's planner with edits of their own and something to receive."""
    import geopandas
    from qgis.core import QgsProject
    from qgis.PyQt.QtWidgets import QPushButton, QTableWidget
    from quyhoach.plugin.sample import sample_folder
    from quyhoach.processing_algorithms.provincial_database.interface import (
        Scope,
        WorkingCopy,
        checkout,
        create_hub,
        import_layer,
        open_hub,
        push,
    )

    folder = Path(os.environ["QUYHOACH_WORK"])
    folder.mkdir()
    place, town = str(folder / "dung_chung.gpkg"), sample_folder() / "town.gpkg"
    with create_hub(place, "EPSG:9214", name="Đô thị mẫu Lam Trạch") as hub:
        for dataset in ("administrative_unit", "parcel"):
            import_layer(hub, dataset, geopandas.read_file(town, layer=dataset), source="dữ liệu mẫu")
    for name in ("xa.gpkg", "ban.gpkg"):
        with open_hub(place) as hub:
            checkout(folder / name, hub, location=place, crs=hub.info.crs, datasets=[hub.dataset(one) for one in ("parcel",)],
                     scopes=[Scope("parcel", frozenset({"99007"}))], name="Phường Hòa Bình").close()
    with WorkingCopy(folder / "ban.gpkg") as copy, open_hub(place) as hub:
        copy.database.execute("UPDATE parcel SET note = 'Đã đo' WHERE fid BETWEEN 100 AND 104")
        push(copy, hub, author="lan", message="Đo đạc tháng 11")
    with WorkingCopy(folder / "xa.gpkg") as copy:
        copy.database.execute("UPDATE parcel SET address = 'Tổ 1' WHERE fid <= 12")
    QgsProject.instance().clear()
    dock = desk("QuyHoachProvincialDatabase", "QuyHoachDatabaseDock")
    dock.copy_page.open(str(folder / "xa.gpkg"))
    state = dock.findChild(QTableWidget, "state")
    until(lambda: state.rowCount() > 0)
    dock.findChild(QPushButton, "layers").click()
    until(lambda: len(QgsProject.instance().mapLayers()) > 0)
    until(lambda: any("5" in state.item(row, 2).text() for row in range(state.rowCount())))
    layer = next(one for one in QgsProject.instance().mapLayers().values() if one.name() in ("Thửa đất", "Land parcel"))
    centre = layer.extent().center()
    look(centre.x(), centre.y(), 500)
    picture("desk_database", dock)


def few_colours(path: Path) -> int:
    """Write a picture again with few colours, for the zip; return its bytes. (Qt draws letters in hundreds.)"""
    from matplotlib import image  # noqa: F401  (Pillow comes with it)
    from PIL import Image

    with Image.open(path) as full:
        full.convert("RGB").quantize(_COLOURS, dither=Image.Dither.NONE).save(path, optimize=True)
    return path.stat().st_size


if __name__ == "__main__" and "qgis.utils" not in sys.modules:
    main()
elif "qgis.utils" in sys.modules:
    import traceback

    from qgis.core import QgsApplication
    from qgis.PyQt.QtCore import QTimer

    def _run() -> None:
        try:
            draw()
        except BaseException:
            traceback.print_exc()
            os._exit(1)
        os._exit(0)  # Python objects outlive what QGIS takes down

    QTimer.singleShot(1500, _run)
    assert QgsApplication.instance() is not None
