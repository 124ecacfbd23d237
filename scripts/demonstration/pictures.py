"""Pictures small enough for a repository, from printed maps."""

from __future__ import annotations

from pathlib import Path

from qgis.PyQt.QtCore import Qt
from qgis.PyQt.QtGui import QImage

from ...processing_algorithms.common.errors import OutputError
from ...processing_algorithms.common.language import say

WIDTH = 1400
LARGEST = 300_000


def picture(source: Path, target: Path) -> None:
    """Scale a picture down and write it with a palette.

    Raises
    ------
    OutputError
        It cannot be written, or comes out too large for the repository.
    """
    image = QImage(str(source)).scaledToWidth(WIDTH, Qt.TransformationMode.SmoothTransformation)
    flags = Qt.ImageConversionFlag.DiffuseAlphaDither | Qt.ImageConversionFlag.ThresholdDither
    small = image.convertToFormat(QImage.Format.Format_RGB888).convertToFormat(QImage.Format.Format_Indexed8, flags)
    if not small.save(str(target), "PNG", 0):
        raise OutputError(say("Không ghi được hình {path}.", "The picture {path} cannot be written.").format(path=target))
    if target.stat().st_size > LARGEST:
        raise OutputError(say("Hình {path} lớn hơn 300 kB.", "The picture {path} is larger than 300 kB.").format(path=target))
