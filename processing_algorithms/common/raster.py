"""Rasters in windows: opened with clear refusals, read as float32 with nan for unknown (writing: `raster_writing`).

Only ``osgeo.gdal`` is used, because every QGIS ships it. Memory stays that of one strip of rows, whatever the size of
the file. Rotated and south-up rasters work everywhere: positions go through the full affine transform.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray
from osgeo import gdal

from .errors import InputError
from .language import say

#: Cells of one strip: 16 MB as float32, so that a few working copies stay far below what an old laptop has.
STRIP_CELLS = 4_000_000
_TILE_ROWS = 256
#: No ground is higher, no sea floor deeper, m.
_HIGHEST_M, _DEEPEST_M = 9000.0, -11100.0
_METRES = ("", "m", "metre", "metres", "meter", "meters", "mét")


class Window(NamedTuple):
    """A rectangle of cells: first row and column, and how many of each."""

    row: int
    column: int
    rows: int
    columns: int


@dataclass(frozen=True)
class Grid:
    """Where the cells of a raster lie.

    Parameters
    ----------
    transform : tuple of 6 floats
        GDAL order: x = t0 + column t1 + row t2, y = t3 + column t4 + row t5, of cell corners.
    shape : tuple of int
        Rows, columns.
    crs_wkt : str
        WKT of the CRS; empty when the file records none.
    """

    transform: tuple[float, float, float, float, float, float]
    shape: tuple[int, int]
    crs_wkt: str

    @property
    def cell_area(self) -> float:
        """Area of a cell in squared units of the CRS."""
        _, a, b, _, d, e = self.transform
        return abs(a * e - b * d)

    def to_pixel(self, x: ArrayLike, y: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return fractional columns and rows of map positions; cell (0, 0) spans 0 to 1 in both.

        Examples
        --------
        >>> column, row = Grid((100.0, 5.0, 0.0, 200.0, 0.0, -5.0), (10, 10), "").to_pixel(102.5, 190.0)
        >>> float(column), float(row)
        (0.5, 2.0)
        """
        x0, a, b, y0, d, e = self.transform
        dx, dy = np.asarray(x, float) - x0, np.asarray(y, float) - y0
        determinant = a * e - b * d
        return (e * dx - b * dy) / determinant, (a * dy - d * dx) / determinant

    def to_map(self, column: ArrayLike, row: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return map positions of fractional columns and rows; add 0.5 for cell centres."""
        x0, a, b, y0, d, e = self.transform
        column, row = np.asarray(column, float), np.asarray(row, float)
        return x0 + a * column + b * row, y0 + d * column + e * row

    def strips(self, *, align: int = _TILE_ROWS, cells: int = STRIP_CELLS, thinner: int = 1) -> Iterator[Window]:
        """Yield windows of whole rows from the top, of about ``cells`` cells, in multiples of ``align`` rows.

        Who holds many arrays of a strip asks for ``thinner`` ones: so many times, as long as they hold whole tiles.
        """
        rows, columns = self.shape
        height = max(1, cells // max(columns, 1))
        if height > align:
            height = max(height // thinner // align, 1) * align
        for first in range(0, rows, height):
            yield Window(first, 0, min(height, rows - first), columns)


class Heights(Protocol):
    """What engines read: a file (`RasterReader`) or an array in memory (`ArrayRaster`)."""

    grid: Grid

    def read(self, window: Window) -> NDArray[np.float32]: ...


@dataclass(frozen=True)
class ArrayRaster:
    """A raster already in memory: float, nan where unknown."""

    grid: Grid
    values: NDArray[np.floating]

    def read(self, window: Window) -> NDArray[np.float32]:
        row, column, rows, columns = window
        return self.values[row:row + rows, column:column + columns].astype(np.float32)


class RasterReader:
    """One open band. Use `open_raster`; the file is closed at the end of the block.

    Attributes
    ----------
    grid : Grid
    unit : str
        Unit the file states for its values, mostly empty.
    tags : dict of str to str
    impossible : set of float
        Values met so far that are no height, taken as unknown: only where `open_raster` was told to look.
    highest : float
        Highest value met so far, under the same condition.
    """

    def __init__(self, dataset: gdal.Dataset, band: int, grid: Grid, nodata_ranges: tuple[tuple[float, float], ...],
                 heights: bool = False):
        self._heights = heights
        self.impossible: set[float] = set()
        self.highest = -math.inf
        self._dataset = dataset  # GDAL closes the file when the last reference to the dataset goes
        self._band = dataset.GetRasterBand(band)
        self.grid = grid
        self.unit: str = self._band.GetUnitType() or ""
        self.tags: dict[str, str] = dict(dataset.GetMetadata() or {})
        self._scale, self._offset = self._band.GetScale(), self._band.GetOffset()
        self._nodata_ranges = nodata_ranges
        flags = self._band.GetMaskFlags()
        self._has_mask = not flags & (gdal.GMF_ALL_VALID | gdal.GMF_NODATA)
        self._nodata = self._band.GetNoDataValue()

    @property
    def scaling(self) -> tuple[float, float] | None:
        """Scale and offset that `read` applies to what is stored; None where the file states none."""
        found = (1.0 if self._scale is None else self._scale, self._offset or 0.0)
        return None if found == (1.0, 0.0) else found

    def read(self, window: Window, shape: tuple[int, int] | None = None) -> NDArray[np.float32]:
        """Read a window: scale and offset applied, nan for nodata, masked and infinite cells.

        With a ``shape`` of fewer rows and columns cells are averaged, from overviews where the file has them.

        Raises
        ------
        InputError
            The file is damaged there.
        """
        row, column, rows, columns = window
        buffer = {} if shape is None else {"buf_xsize": shape[1], "buf_ysize": shape[0]}
        averaged = {**buffer, "resample_alg": gdal.GRIORA_Average} if buffer else {}
        with gdal_exceptions():
            try:
                stored = self._band.ReadAsArray(column, row, columns, rows, **averaged)
                mask = self._band.GetMaskBand().ReadAsArray(column, row, columns, rows,
                                                            **buffer) if self._has_mask else None
            except RuntimeError as error:
                raise _unreadable(self._dataset.GetDescription(), error) from error
        unknown = ~np.isfinite(stored) if stored.dtype.kind == "f" else np.zeros(stored.shape, bool)
        if self._nodata is not None and self._nodata == self._nodata and _fits(self._nodata, stored.dtype):
            # Compared before scaling, and in the stored type: -3.4e38 as double is not the float32 in the file.
            unknown |= stored == stored.dtype.type(self._nodata)
        if mask is not None:
            unknown |= mask == 0
        if self.scaling is not None:
            scale, offset = self.scaling
            values = (stored.astype(np.float64) * scale + offset).astype(np.float32)
        else:
            with np.errstate(over="ignore"):  # nodata of doubles, -1.8e308, does not fit and is replaced below
                values = stored.astype(np.float32, copy=False)
        for low, high in self._nodata_ranges:
            unknown |= (values >= low) & (values <= high)
        if self._heights:
            self._find_impossible(values, unknown)
        if unknown.any():
            values[unknown] = np.nan
        if self._heights:
            self.highest = max(self.highest, float(np.fmax.reduce(values, axis=None, initial=-np.inf)))
        return values

    def _find_impossible(self, values: NDArray[np.float32], unknown: NDArray[np.bool_]) -> None:
        """Add -9999, 32767, 1e20 and the like, which a file without a nodata value leaves among its heights."""
        far = np.abs(values) > _HIGHEST_M
        if far.any():
            far &= ~unknown & ((values > 0) | (values < _DEEPEST_M) | (values == -9999) | (values == -9999.9))
            self.impossible.update(np.unique(values[far])[:3].tolist())
            unknown |= far


@contextmanager
def open_raster(
    path: str | Path, *, name: str, band: int = 1, crs_wkt: str = "",
    nodata_ranges: tuple[tuple[float, float], ...] = (), heights: bool = False,
) -> Iterator[RasterReader]:
    """Open one band of a raster for reading.

    Parameters
    ----------
    path : path or GDAL connection string
    name : str
        What the raster is to the user ("Địa hình"), for messages.
    band : int
        From 1.
    crs_wkt : str
        Used instead of what the file says, as where a person has set it in QGIS.
    nodata_ranges : tuple of (float, float)
        Further values (lowest, highest) that mean unknown.
    heights : bool
        The values are heights, levels or depths in metres: what none can be is unknown too (`RasterReader.impossible`).

    Raises
    ------
    InputError
        Not a raster, no such band, complex numbers, no georeference, no CRS.
    """
    with gdal_exceptions():
        try:
            # Tiles of a GeoTIFF are decompressed on all cores; @: drivers without the option say nothing.
            dataset = gdal.OpenEx(str(path), gdal.OF_RASTER | gdal.OF_READONLY, open_options=["@NUM_THREADS=ALL_CPUS"])
        except RuntimeError as error:
            raise _unreadable(str(path), error) from error
        band = _checked_band(dataset, band, name)
        reader = RasterReader(dataset, band, _grid_of(dataset, name, crs_wkt), nodata_ranges, heights)
    try:
        yield reader
    finally:
        reader._band = reader._dataset = dataset = None


def coarse(raster: RasterReader, bounds: tuple[float, float, float, float], cells: int) -> ArrayRaster | None:
    """Return what of a raster lies within bounds, averaged to no more than so many cells; None where nothing does.

    Parameters
    ----------
    bounds : x min, y min, x max, y max
        In the raster's system.
    """
    grid = raster.grid
    x_min, y_min, x_max, y_max = bounds
    column, row = grid.to_pixel(np.array([x_min, x_max, x_min, x_max]), np.array([y_min, y_min, y_max, y_max]))
    first_row, last_row = max(0, int(np.floor(row.min()))), min(grid.shape[0], int(np.ceil(row.max())))
    first, last = max(0, int(np.floor(column.min()))), min(grid.shape[1], int(np.ceil(column.max())))
    rows, columns = last_row - first_row, last - first
    if rows < 1 or columns < 1:
        return None
    step = max(1.0, np.sqrt(rows * columns / cells))
    shape = max(1, int(rows / step)), max(1, int(columns / step))
    x0, y0 = grid.to_map(first, first_row)
    _, a, b, _, d, e = grid.transform
    across, down = columns / shape[1], rows / shape[0]
    values = raster.read(Window(first_row, first, rows, columns), shape)
    return ArrayRaster(Grid((float(x0), a * across, b * down, float(y0), d * across, e * down), shape, grid.crs_wkt),
                       values)


def require_metres(raster: RasterReader, name: str) -> None:
    """Refuse values the file states in another unit than metres."""
    if raster.unit.strip().lower() not in _METRES:
        raise InputError(say("{name}: giá trị tính bằng \"{unit}\", không phải mét; hãy đổi sang mét.",
                             "{name}: the values are in \"{unit}\", not in metres; convert them.")
                         .format(name=name, unit=raster.unit))


def _checked_band(dataset: gdal.Dataset, band: int, name: str) -> int:
    if not 1 <= band <= dataset.RasterCount:
        raise InputError(
            say("{name}: không có kênh {band}; tệp có {count} kênh.",
                "{name}: there is no band {band}; the file has {count}.")
            .format(name=name, band=band, count=dataset.RasterCount))
    if gdal.DataTypeIsComplex(dataset.GetRasterBand(band).DataType):
        raise InputError(say("{name}: raster chứa số phức, không dùng được.",
                             "{name}: the raster holds complex numbers.")
                         .format(name=name))
    return band


def _grid_of(dataset: gdal.Dataset, name: str, crs_wkt: str) -> Grid:
    transform = dataset.GetGeoTransform(can_return_null=True)
    if transform is None or transform[1] * transform[5] == transform[2] * transform[4]:
        raise InputError(
            say("{name}: raster chưa được nắn vào tọa độ (không có vị trí ô). Hãy gán tọa độ trước.",
                "{name}: the raster has no georeference (no position of its cells). Georeference it first.")
            .format(name=name))
    reference = dataset.GetSpatialRef()
    crs_wkt = crs_wkt or (reference.ExportToWkt(["FORMAT=WKT2_2019"]) if reference else "")
    if not crs_wkt:
        raise InputError(
            say("{name}: raster không ghi hệ tọa độ. Hãy gán hệ tọa độ đúng cho tệp (Raster > Projections > Assign "
                "Projection).",
                "{name}: the raster records no CRS. Assign the right one to the file (Raster > Projections > Assign "
                "Projection).")
            .format(name=name))
    return Grid(tuple(transform), (dataset.RasterYSize, dataset.RasterXSize), crs_wkt)


def sample(raster: Heights, x: ArrayLike, y: ArrayLike) -> NDArray[np.float32]:
    """Return the value of the cell each point lies in; nan outside the raster or where unknown.

    Parameters
    ----------
    raster : RasterReader or ArrayRaster
    x, y : array of float, shape (n,)
        In the CRS of the raster.

    Returns
    -------
    array of float32, shape (n,)
    """
    columns, rows = (np.floor(pixel) for pixel in raster.grid.to_pixel(np.atleast_1d(x), np.atleast_1d(y)))
    values = np.full(columns.shape, np.nan, np.float32)
    height, width = raster.grid.shape
    inside = np.flatnonzero((columns >= 0) & (columns < width) & (rows >= 0) & (rows < height))
    order = inside[np.argsort(rows[inside], kind="stable")]
    for window in raster.grid.strips():
        here = order[np.searchsorted(rows[order], window.row):np.searchsorted(rows[order], window.row + window.rows)]
        if here.size:
            r, c = rows[here].astype(int), columns[here].astype(int)
            box = Window(r.min(), c.min(), int(np.ptp(r)) + 1, int(np.ptp(c)) + 1)
            box = Window(*(int(part) for part in box))
            values[here] = raster.read(box)[r - box.row, c - box.column]
    return values


def _fits(nodata: float, dtype: np.dtype) -> bool:
    if dtype.kind == "f":
        return True
    limits = np.iinfo(dtype)
    return float(nodata).is_integer() and limits.min <= nodata <= limits.max


def _unreadable(path: str, error: Exception) -> InputError:
    return InputError(say("Không đọc được raster {path}: {reason}", "The raster {path} cannot be read: {reason}")
                      .format(path=path, reason=error))


@contextmanager
def gdal_exceptions() -> Iterator[None]:
    """GDAL raises inside this block; QGIS's own setting is untouched outside."""
    if hasattr(gdal, "ExceptionMgr"):  # GDAL >= 3.7: for this thread only
        with gdal.ExceptionMgr(useExceptions=True):
            yield
        return
    # One setting for all threads: the first one in turns it on, the last one out restores it.
    with _switching:
        if _inside[0] == 0:
            _inside[1] = gdal.GetUseExceptions()
            gdal.UseExceptions()
        _inside[0] += 1
    try:
        yield
    finally:
        with _switching:
            _inside[0] -= 1
            if _inside[0] == 0 and not _inside[1]:
                gdal.DontUseExceptions()


_switching = threading.Lock()
#: How many blocks are open, and the setting before the first.
_inside = [0, 0]
