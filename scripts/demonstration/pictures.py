"""Pictures small enough for a repository, from printed maps."""

from __future__ import annotations

from pathlib import Path

from PIL import Image  # comes with matplotlib

from ...processing_algorithms.common.errors import OutputError
from ...processing_algorithms.common.language import say

WIDTH = 1280
LARGEST = 300_000


def picture(source: Path, target: Path) -> None:
    """Scale a picture down and write it with a palette of its own colours.

    Raises
    ------
    OutputError
        It cannot be written, or comes out too large for the repository.
    """
    with Image.open(source) as printed:
        whole = printed.convert("RGB")
    small = whole.resize((WIDTH, round(WIDTH * whole.height / whole.width)), Image.Resampling.LANCZOS)
    few = small.quantize(224, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
    try:
        few.save(target, optimize=True)
    except OSError as error:
        raise OutputError(say("Không ghi được hình {path} ({why}).", "The picture {path} cannot be written ({why}).")
                          .format(path=target, why=error.strerror or error)) from error
    if target.stat().st_size > LARGEST:
        raise OutputError(say("Hình {path} lớn hơn 300 kB.",
                              "The picture {path} is larger than 300 kB.").format(path=target))
