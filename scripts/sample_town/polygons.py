"""Keeping what is polygonal of a result of overlaying."""

from __future__ import annotations

import numpy as np
import shapely
from numpy.typing import NDArray


def polygonal(shapes: NDArray[np.object_], smallest: float = 0.01) -> NDArray[np.object_]:
    """Each shape without the points, lines and crumbs under `smallest` square metres that an overlay leaves."""
    kept = []
    for shape in shapes:
        parts = [
            part
            for part in shapely.get_parts(shapely.get_parts(shape))
            if part.geom_type == "Polygon" and part.area >= smallest
        ]
        kept.append(parts[0] if len(parts) == 1 else shapely.MultiPolygon(parts))
    return np.array(kept, dtype=object)
