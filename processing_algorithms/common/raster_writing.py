"""Depth rasters and the like as GeoTIFF: written in windows, in place only when they are whole."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from osgeo import gdal

from .destinations import written_whole
from .errors import OutputError
from .language import say
from .raster import Grid, Window, gdal_exceptions

NODATA = -9999.0
_CREATE = ("TILED=YES", "BIGTIFF=IF_SAFER", "NUM_THREADS=ALL_CPUS")
_DEFLATE = ("COMPRESS=DEFLATE", "ZLEVEL=1")
_ZSTD = ("COMPRESS=ZSTD", "ZSTD_LEVEL=1")
_KINDS = {"float32": gdal.GDT_Float32, "int32": gdal.GDT_Int32, "uint8": gdal.GDT_Byte}
_STALE_SIDECARS = (".aux.xml", ".ovr", ".msk")


class RasterWriter:
    """A GeoTIFF being written; nan becomes nodata. Use `write_raster`."""

    def __init__(self, dataset: gdal.Dataset, path: Path):
        self._dataset, self._path = dataset, path

    def write(self, window: Window, *values: NDArray[np.number], first_band: int = 1) -> None:
        """Write a window of the grid, one array for each band from ``first_band`` on.

        Raises
        ------
        OutputError
            The disk is full or gone.
        """
        filled = [_filled(one) if one.dtype.kind == "f" else one for one in values]
        with gdal_exceptions():
            try:
                for band, one in enumerate(filled, first_band):
                    self._dataset.GetRasterBand(band).WriteArray(one, window.column, window.row)
                # Else GDAL's cache keeps 5 % of the machine's memory; strips hold whole tiles, so none is written
                # twice.
                self._dataset.FlushCache()
            except RuntimeError as error:
                raise _unwritable(self._path, error) from error

    def tag(self, tags: Mapping[str, str]) -> None:
        """Add tags to the file."""
        self._dataset.SetMetadata({**(self._dataset.GetMetadata() or {}), **tags})


@contextmanager
def write_raster(
    path: str | Path, grid: Grid, *, description: str | tuple[str, ...] = "", unit: str = "m", kind: str = "float32",
    nodata: float = NODATA, internal: bool = False, smooth: bool = True,
) -> Iterator[RasterWriter]:
    """Write a GeoTIFF (tiled, deflate) that appears under its name only when it is whole.

    Parameters
    ----------
    path : path
        Ends in ``.tif`` or ``.tiff``.
    grid : Grid
    description : str or tuple of str
        Description of the band, or of each of several.
    unit : str
        Unit of the values.
    kind : {"float32", "int32", "uint8"}
    nodata : float
        Stands for nan; integers write it themselves.
    internal : bool
        Read by this plugin rather than by other programs: compressed with Zstandard where this GDAL can, a third of the
        work and a third of the time to read.
    smooth : bool
        Neighbouring cells differ by little, as heights do, rather than repeat, as numbers of things do.

    Raises
    ------
    OutputError
        Wrong ending, folder missing or not writable, disk full, the file is in use by another program.
    """
    path = Path(path)
    if path.suffix.lower() not in (".tif", ".tiff"):
        raise OutputError(say("Tệp raster kết quả phải có đuôi .tif: {path}",
                              "The raster output must end in .tif: {path}")
                          .format(path=path))
    with written_whole(path) as part:
        bands = (description,) if isinstance(description, str) else description
        writer = RasterWriter(_create(part, path, grid, bands, unit, kind, nodata, internal, smooth), path)
        try:
            yield writer
            _finish(writer)
        finally:
            writer._dataset = None  # Windows deletes no open file
    for ending in _STALE_SIDECARS:  # statistics and overviews of the file that was there before
        Path(f"{path}{ending}").unlink(missing_ok=True)


def _create(
    part: Path, path: Path, grid: Grid, bands: tuple[str, ...], unit: str, kind: str, nodata: float, internal: bool,
    smooth: bool,
) -> gdal.Dataset:
    rows, columns = grid.shape
    # Bands may be written in turn: tiles that held them all would be compressed again for each.
    apart = ["INTERLEAVE=BAND"] if len(bands) > 1 else []
    with gdal_exceptions():
        try:
            dataset = gdal.GetDriverByName("GTiff").Create(
                str(part), columns, rows, len(bands), _KINDS[kind],
                options=[*_CREATE, *_compression(internal, smooth), *apart])
            dataset.SetGeoTransform(grid.transform)
            if grid.crs_wkt:
                dataset.SetProjection(grid.crs_wkt)
            for number, description in enumerate(bands, 1):
                band = dataset.GetRasterBand(number)
                band.SetNoDataValue(nodata)
                band.SetDescription(description)
                band.SetUnitType(unit)
        except RuntimeError as error:
            raise _unwritable(path, error) from error
    return dataset


def _filled(values: NDArray[np.floating]) -> NDArray[np.float32]:
    """The values as float32, nodata in place of nan."""
    filled = values.astype(np.float32)
    filled[np.isnan(filled)] = NODATA
    return filled


def _compression(internal: bool, smooth: bool) -> tuple[str, ...]:
    """Options, by what was measured on nine million heights, drained areas and numbers of reaches.

    The predictor for floats (3) makes the smallest files of heights, but takes as long as compressing does and three
    times as long to read; differences of whole words (2) keep most of the gain, and every program with libtiff reads
    them. Depths over heights told to the centimetre even take half the room that way. What repeats is best left as it is.
    """
    if not (internal and ">ZSTD<" in (gdal.GetDriverByName("GTiff").GetMetadataItem("DMD_CREATIONOPTIONLIST") or "")):
        return (*_DEFLATE, "PREDICTOR=2")
    return (*_ZSTD, "PREDICTOR=2" if smooth else "PREDICTOR=1")


def _finish(writer: RasterWriter) -> None:
    with gdal_exceptions():
        try:
            gdal.ErrorReset()
            writer._dataset.FlushCache()
            writer._dataset = None
            # Closing writes the directory of the file; before GDAL 3.8 it cannot raise and only leaves a message.
            if gdal.GetLastErrorType() >= gdal.CE_Failure:
                raise RuntimeError(gdal.GetLastErrorMsg())
        except RuntimeError as error:
            raise _unwritable(writer._path, error) from error


def _unwritable(path: Path, error: Exception) -> OutputError:
    return OutputError(say("Không ghi được {path}: {reason}", "{path} cannot be written: {reason}")
                       .format(path=path, reason=error))
