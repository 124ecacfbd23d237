"""Writing the terrain as a GeoTIFF that is small and the same at each run."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.transform import from_origin

from .place import CELL, CRS, HEIGHT, HEIGHT_DATUM, ORIGIN

NODATA = -9999.0


def write_terrain(path: Path, terrain: NDArray[np.float32]) -> None:
    """Write heights in metres, float32, tiled, deflate with the floating-point predictor."""
    profile = {
        "driver": "GTiff",
        "height": terrain.shape[0],
        "width": terrain.shape[1],
        "count": 1,
        "dtype": "float32",
        "crs": CRS,
        "nodata": NODATA,
        "transform": from_origin(ORIGIN[0], ORIGIN[1] + HEIGHT, CELL, CELL),
        "compress": "deflate",
        "predictor": 3,
        "zlevel": 9,
        "tiled": True,
        "blockxsize": 256,
        "blockysize": 256,
    }
    with rasterio.open(path, "w", **profile) as file:
        file.write(terrain, 1)
        file.update_tags(datum=HEIGHT_DATUM, unit="m", source="QuyHoach sample town, synthetic, CC0")
        file.set_band_description(1, "Cao độ mặt đất (m)")
