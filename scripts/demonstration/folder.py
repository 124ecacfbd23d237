"""The output folder: what lies where, and that a new run replaces only what an earlier demo has put there."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from ...processing_algorithms.common.errors import OutputError
from ...processing_algorithms.common.language import say

_MARK = ".quyhoach-demo"


@dataclass(frozen=True)
class Folder:
    """Paths of the results."""

    root: Path

    @property
    def hub(self) -> Path:
        """The shared database."""
        return self.root / "co_so_du_lieu.gpkg"

    @property
    def terrain(self) -> Path:
        """A copy of the sample's terrain, so that the project stands on its own."""
        return self.root / "dia_hinh.tif"

    @property
    def project(self) -> Path:
        """The QGIS project."""
        return self.root / "du_an.qgz"

    @property
    def offices(self) -> Path:
        """Working copies and exchange files of the offices."""
        return self.root / "co_quan"

    @property
    def report(self) -> Path:
        """The report of the flood morning: annex, picture for the telephone, text, tables."""
        return self.root / "bao_cao_ngap_lut"

    def result(self, name: str) -> Path:
        """A layer or raster made by an algorithm."""
        return self.root / "ket_qua" / name

    def table(self, name: str) -> Path:
        """A workbook."""
        return self.root / "bang" / name

    def sheet(self, name: str) -> Path:
        """A printed map."""
        return self.root / "ban_do" / name


def new_folder(root: Path) -> Folder:
    """Make the folder, or empty the one of an earlier demo.

    Raises
    ------
    OutputError
        The folder holds files that no demo has put there, or cannot be written.
    """
    root = root.resolve()
    try:
        if root.exists() and any(root.iterdir()):
            if not (root / _MARK).exists():
                raise OutputError(
                    say("Thư mục {folder} đang chứa dữ liệu khác; hãy chọn thư mục trống cho kết quả trình diễn.",
                        "The folder {folder} holds other data; choose an empty folder for the demo.")
                    .format(folder=root))
            _empty(root)
        for part in ("ket_qua", "bang", "ban_do"):
            (root / part).mkdir(parents=True, exist_ok=True)
        (root / _MARK).write_text("scripts/demo\n", encoding="utf-8")
    except OSError as error:
        raise OutputError(say("Không ghi được vào thư mục {folder} ({why}).",
                              "The folder {folder} cannot be written ({why}).")
                          .format(folder=root, why=error.strerror or error)) from error
    return Folder(root)


def _empty(root: Path) -> None:
    for part in ("ket_qua", "bang", "ban_do", "co_quan", "bao_cao_ngap_lut"):
        shutil.rmtree(root / part, ignore_errors=True)
    for name in ("co_so_du_lieu.gpkg", "co_so_du_lieu.gpkg-wal", "co_so_du_lieu.gpkg-shm", "dia_hinh.tif",
                 "dia_hinh.tif.aux.xml", "du_an.qgz"):
        (root / name).unlink(missing_ok=True)
