"""Depth classes: a set of the norm table `flood_depth_classes` applied to depths."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...common.errors import InputError
from ...common.language import say
from ...common.norms import load_table
from ...common.progress import Progress, silent
from ...common.raster import Grid, Heights

#: The set used unless another is asked for, and the set that is about vehicles, not about depth.
DEFAULT_SET, PASSABILITY_SET = "common_practice_6", "road_passability"
DRY = 0
#: Code of unknown terrain in tables; inside arrays it is the last code, so that codes can count.
UNKNOWN_IN_TABLES = -1


@dataclass(frozen=True)
class DepthClass:
    """One class: ``minimum_m <= depth < maximum_m``, above 0; no maximum in the last one."""

    code: int
    minimum_m: float | None
    maximum_m: float | None
    label_vi: str
    label_en: str
    colour: tuple[int, int, int]
    confidence: str

    @property
    def label(self) -> str:
        """Label in the current language."""
        return say(self.label_vi, self.label_en)


@dataclass(frozen=True)
class DepthClasses:
    """Dry (0), the classes of a set (1 to n) and unknown terrain (n + 1)."""

    name: str
    classes: tuple[DepthClass, ...]
    source: str
    confidence: str

    @property
    def citation(self) -> str:
        """Where the classes come from and how sure they are, as a sentence for prints."""
        if self.confidence == "text":
            return self.source
        # No internal names in prints: the set is told by its own words.
        return say("{count} cấp theo thông lệ; chưa tìm thấy văn bản quy định, cần tỉnh xác nhận",
                   "{count} classes of common practice; no regulation found, for the province to confirm").format(count=len(self.classes))

    @property
    def narrowest_m(self) -> float:
        """Width of the narrowest class, m: the terrain and the water surface must be better known than that."""
        return min((c.maximum_m - c.minimum_m for c in self.classes if c.maximum_m is not None), default=float("inf"))

    @property
    def unknown(self) -> int:
        """Code of unknown terrain."""
        return len(self.classes) + 1

    @property
    def all(self) -> tuple[DepthClass, ...]:
        """Every code in order, dry and unknown too."""
        dry = DepthClass(DRY, None, 0.0, "Không ngập", "Dry", (255, 255, 255), "")
        unknown = DepthClass(UNKNOWN_IN_TABLES, None, None, "Chưa rõ (không có địa hình)", "Unknown (no terrain)",
                             (190, 190, 190), "")
        return (dry, *self.classes, unknown)

    def codes(self, depth_m: ArrayLike) -> NDArray[np.uint8]:
        """Return the code of each depth; nan is unknown, 0 is dry.

        Examples
        --------
        >>> depth_classes("common_practice_6").codes([0.0, 0.1, 0.5, 9.0, np.nan]).tolist()
        [0, 1, 2, 6, 7]
        """
        depth = np.asarray(depth_m)
        codes = np.zeros(depth.shape, np.uint8)
        with np.errstate(invalid="ignore"):
            codes += depth > 0
            for later in self.classes[1:]:
                # In the type of the depths: 0.15 as float32 is not 0.15.
                codes += depth >= depth.dtype.type(later.minimum_m)
        codes[np.isnan(depth)] = self.unknown
        return codes


@dataclass(frozen=True)
class ClassRaster:
    """Codes of a whole depth raster, a byte per cell."""

    grid: Grid
    codes: NDArray[np.uint8]
    classes: DepthClasses


def class_sets() -> list[str]:
    """Names of the sets that classify depth on land."""
    names = dict.fromkeys(str(row["set"]) for row in load_table("flood_depth_classes", on=None).rows)
    return [name for name in names if name != PASSABILITY_SET]


def depth_classes(name: str = DEFAULT_SET) -> DepthClasses:
    """Read a set of classes.

    Raises
    ------
    InputError
        No such set, or its classes do not follow one another from 0.
    """
    table = load_table("flood_depth_classes", on=None)
    rows = sorted((row for row in table.rows if row["set"] == name), key=lambda row: row["class"])
    if not rows:
        raise InputError(say("Không có bộ phân cấp độ sâu \"{name}\"; các bộ hiện có: {names}.",
                             "There is no set of depth classes \"{name}\"; the sets are: {names}.")
                         .format(name=name, names=", ".join(class_sets())))
    _refuse_gaps(name, rows)
    return DepthClasses(name, tuple(_class(row) for row in rows), str(rows[0]["source"]), str(rows[0]["confidence"]))


def style_name(style: str, name: str) -> str:
    """Name of the file in ``styles/disaster`` that shows a set of classes.

    Examples
    --------
    >>> style_name("flood_depth", "common_practice_6"), style_name("flood_depth", "hue_published_5")
    ('flood_depth', 'flood_depth_hue_published_5')
    """
    return style if name == DEFAULT_SET else f"{style}_{name}"


def class_raster(depth: Heights, classes: DepthClasses, progress: Progress = silent) -> ClassRaster:
    """Classify a depth raster strip by strip.

    Raises
    ------
    InputError
        Depths below 0: nodata is not declared, or it is no depth raster.
    """
    codes = np.empty(depth.grid.shape, np.uint8)
    for window in depth.grid.strips():
        values = depth.read(window)
        refuse_negative(values)
        codes[window.row:window.row + window.rows] = classes.codes(values)
        progress((window.row + window.rows) / depth.grid.shape[0])
    return ClassRaster(depth.grid, codes, classes)


def refuse_negative(depth: NDArray[np.float32]) -> None:
    """Refuse depths below 0."""
    lowest = np.fmin.reduce(depth, axis=None) if depth.size else 0.0
    if lowest < 0:
        raise InputError(
            say("Raster độ sâu có giá trị âm ({value:g}); hãy khai báo giá trị không dữ liệu (nodata), hoặc kiểm tra "
                "đây có phải là độ sâu ngập không (0 = không ngập).",
                "The depth raster has negative values ({value:g}); declare them as nodata, or check that these are "
                "depths (0 = dry).")
            .format(value=float(lowest)))


def _class(row) -> DepthClass:
    return DepthClass(int(row["class"]), row["depth_min_m"], row["depth_max_m"], str(row["label_vi"]),
                      str(row["label_en"]),
                      (row["r"], row["g"], row["b"]), str(row["confidence"]))


def _refuse_gaps(name: str, rows: Sequence) -> None:
    bounds = [(row["depth_min_m"], row["depth_max_m"]) for row in rows]
    follows = all(a[1] is not None and a[1] == b[0] and a[0] < a[1] for a, b in zip(bounds, bounds[1:]))
    numbered = [row["class"] for row in rows] == list(range(1, len(rows) + 1))
    if bounds[0][0] != 0 or bounds[-1][1] is not None or not follows or not numbered:
        raise InputError(
            say("Bộ phân cấp độ sâu \"{name}\" phải bắt đầu từ 0 m, các cấp nối tiếp nhau và cấp cuối không có giới "
                "hạn trên.",
                "The set of depth classes \"{name}\" must start at 0 m, its classes follow one another and the last be "
                "open.")
            .format(name=name))
