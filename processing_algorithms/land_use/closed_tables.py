"""Rounding of whole tables: every printed subtotal and total is the sum of the printed cells above it.

Rounding each figure by itself makes tables that do not add up; forcing the cells of one row spoils the columns. Here
cells are rounded up or down so that every sum shown, in both directions, lies within one unit of the last decimal of
its exact value ("controlled rounding").
"""

from __future__ import annotations

import numpy as np
import scipy.optimize
import scipy.sparse
from numpy.typing import ArrayLike, NDArray

from ..common.rounding import round_closed

#: Cells above which the linear programme gives way to simple closing of the grand total (seconds become minutes).
MOST_CELLS = 60_000


def round_closed_sums(values: ArrayLike, sums: scipy.sparse.spmatrix, decimals: int) -> NDArray[np.float64]:
    """Round cells so that all stated sums of them stay within one unit, and the grand total is rounded to the nearest.

    Parameters
    ----------
    values : array of float, shape (n,)
        Cells, not negative.
    sums : sparse matrix of 0 and 1, shape (k, n)
        One row per sum shown. The sets must form two families of nested sets (such as the tree of rows within every
        column, and the tree of rows over all columns); then a rounding always exists.
    decimals : int
        Of the printed form.

    Returns
    -------
    array of float, shape (n,)
        Every cell moved by less than one unit; cells that are whole units stay.

    Notes
    -----
    Cox (1987), "A constructive procedure for unbiased controlled rounding", shows existence for tables; for two nested
    families the constraint matrix is totally unimodular (Edmonds 1970), so the optimal vertex of the linear programme
    that moves the cells least is whole-numbered.

    Examples
    --------
    >>> both_rows = scipy.sparse.csr_matrix([[1, 1, 0, 0], [0, 0, 1, 1], [1, 0, 1, 0], [0, 1, 0, 1]])
    >>> round_closed_sums([0.5, 0.5, 0.5, 0.5], both_rows, 0).reshape(2, 2).sum(axis=0).tolist()
    [1.0, 1.0]
    """
    exact = np.asarray(values, dtype=float)
    scale = 10.0**decimals
    units = exact * scale
    nearest = np.rint(units)
    units = np.where(np.abs(units - nearest) < 1e-6, nearest, units)
    floors = np.floor(units)
    remainder = units - floors
    loose = np.flatnonzero(remainder > 0)
    if loose.size == 0:
        return floors / scale
    if loose.size > MOST_CELLS:
        return round_closed(exact, decimals)
    matrix = scipy.sparse.csr_matrix(sums, dtype=float)[:, loose]
    inner = matrix @ remainder[loose]
    counted = np.diff(matrix.indptr) > 1
    matrix, inner = matrix[counted], inner[counted]
    low, high = np.floor(inner + 1e-6), np.ceil(inner - 1e-6)
    grand = np.rint(units.sum()) - floors.sum()
    solution = scipy.optimize.linprog(
        c=1.0 - 2.0 * remainder[loose],
        A_ub=scipy.sparse.vstack([matrix, -matrix]) if len(inner) else None,
        b_ub=np.concatenate([high, -low]) if len(inner) else None,
        A_eq=scipy.sparse.csr_matrix(np.ones((1, loose.size))), b_eq=[grand],
        bounds=(0.0, 1.0), method="highs-ds")
    if not solution.success:
        raise ValueError(f"the sums are not two nested families: {solution.message}")
    floors[loose] += np.rint(solution.x)
    return floors / scale
