"""Rounding that closes: printed parts add up to the printed total."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray


def round_closed(values: ArrayLike, decimals: int) -> NDArray[np.float64]:
    """Round values so that their sum equals the rounded sum (largest remainder).

    Each value moves by less than one unit of the last decimal. Ties go to the larger value, then to the earlier one.

    Parameters
    ----------
    values : array of float, shape (n,)
        Any unit; must be finite.
    decimals : int
        Decimals of the printed form.

    Returns
    -------
    array of float, shape (n,)

    Examples
    --------
    >>> round_closed([1/3, 1/3, 1/3], 2).tolist()
    [0.34, 0.33, 0.33]
    """
    exact = np.asarray(values, dtype=float)
    if exact.size == 0:
        return exact.copy()
    scale = 10.0**decimals
    units = exact * scale
    # Values that are whole units but for float noise must not count as having a remainder.
    nearest = np.rint(units)
    units = np.where(np.abs(units - nearest) < 1e-6, nearest, units)
    floors = np.floor(units)
    total = int(np.rint(exact.sum() * scale))
    spare = total - int(floors.sum())
    order = np.lexsort((np.arange(exact.size), -exact, -(units - floors)))
    floors[order[:spare]] += 1
    return floors / scale


def round_estimate(people: float) -> int:
    """Round an estimated number of people or households to what the data bear: tens below 1,000, then hundreds.

    Examples
    --------
    >>> round_estimate(1203), round_estimate(87), round_estimate(4)
    (1200, 90, 0)
    """
    step = 10 if people < 1000 else 100
    return int(np.floor(people / step + 0.5)) * step
