"""How exactly a digital map can be measured: errors of points, distances and areas."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import shapely
from numpy.typing import NDArray

from ...common.errors import InputError
from ...common.language import say
from ...common.norms.loader import load_table
from ...common.numbers_vi import format_number


def point_error(scale: float, province_folder: str | Path | None = None) -> tuple[float, str, str]:
    """Return the position error of a map's points in metres, its source, and how sure that is.

    The row of the next smaller scale holds for scales between the rows.

    Examples
    --------
    >>> point_error(500)[0], point_error(800)[0]
    (0.07, 0.15)
    """
    table = load_table("map_point_error", on=None, province_folder=province_folder)
    fitting = [row for row in table.rows if row["scale"] >= scale]
    if not fitting:
        raise InputError(say("Không có sai số đo cho bản đồ tỷ lệ 1/{scale}; hãy nhập sai số điểm bằng mét.",
                             "No error is known of maps at 1/{scale}; give the error of a point in metres.")
                         .format(scale=format_number(scale)))
    row = min(fitting, key=lambda row: row["scale"])
    return float(row["error_m"]), table.citation(row), str(row["confidence"])


def distance_error(error_m: float) -> float:
    """Return the error of the distance of two points with the same error each."""
    return float(np.sqrt(2.0) * error_m)


def area_errors(shapes: NDArray[np.object_], error_m: float) -> NDArray[np.float64]:
    """Return the errors of polygon areas whose corners have independent errors.

    The formula of surveying, from A = 1/2 sum x_i (y_i+1 - y_i-1): m_A = m / (2 sqrt 2) * sqrt(sum d_i^2), where d_i
    joins the corners before and after corner i and m is the position error of a corner.

    Parameters
    ----------
    shapes : array of shapely polygons, shape (n,)
        In metres; None and empty ones have no error.
    error_m : float

    Examples
    --------
    A square of 10 m: four diagonals of 14.14 m, sqrt(800) = 28.28, times 0.07 / 2.828 = 0.70 m2.

    >>> area_errors(np.array([shapely.box(0, 0, 10, 10)]), 0.07).round(2).tolist()
    [0.7]
    """
    parts, owner = shapely.get_parts(shapes, return_index=True)
    rings, ring_part = shapely.get_rings(parts, return_index=True)
    corners, ring = shapely.get_coordinates(rings, return_index=True)
    if not len(corners):
        return np.zeros(len(shapes))
    first = np.r_[True, ring[1:] != ring[:-1]]
    start = np.flatnonzero(first)
    stop = np.r_[start[1:], len(corners)]
    # The last point of a ring repeats the first: the one before the first is the last but one.
    place = np.arange(len(corners))
    last = np.zeros(len(corners), dtype=bool)
    last[stop - 1] = True
    before = np.where(first, np.repeat(stop - 2, stop - start), place - 1)
    after = np.minimum(place + 1, len(corners) - 1)
    squares = ((corners[after] - corners[before]) ** 2).sum(axis=1)
    total = np.bincount(owner[ring_part[ring[~last]]], squares[~last], minlength=len(shapes))
    return error_m / (2.0 * np.sqrt(2.0)) * np.sqrt(total)
