"""Where the town lies, how large it is, and the one source of randomness."""

from __future__ import annotations

import uuid
import zlib
from collections.abc import Iterable

import numpy as np
from shapely import Polygon, box

#: VN-2000 / TM-3 107-00, the meridian of Huế. Heights are in the national (Hòn Dấu) system.
CRS = "EPSG:9214"
HEIGHT_DATUM = "Hòn Dấu (Việt Nam 2000)"
#: Lower left corner of the town in the CRS, metres: about 107.45 E, 16.54 N.
ORIGIN = (548000.0, 1829000.0)
#: Size of the town and of its terrain raster, metres; whole cells of 5 m.
WIDTH, HEIGHT = 6000.0, 5500.0
CELL = 5.0
PROVINCE_NAME = "tỉnh Hương Nguyên (giả định)"
#: "99" begins no real commune code: real ones end at 32,248.
PROVINCE_CODE = "99"
SEED = 20260701
#: Coordinates are kept to the millimetre, so that neighbours really share their corners.
GRID = 0.001
_NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "quyhoach:sample-town:lam-trach")


def extent() -> Polygon:
    """The rectangle of the town, local coordinates."""
    return box(0.0, 0.0, WIDTH, HEIGHT)


def generator(topic: str) -> np.random.Generator:
    """A random stream of its own for each topic, so that a change in one leaves the others as they were."""
    return np.random.default_rng([SEED, zlib.crc32(topic.encode())])


def feature_ids(layer: str, keys: Iterable[object]) -> list[str]:
    """UUIDs that are the same at every run: version 5 of the layer name and the key of the feature."""
    return [str(uuid.uuid5(_NAMESPACE, f"{layer}/{key}")) for key in keys]
