"""Controlled rounding: every sum shown is within one unit of the exact one, cells move by less than one unit."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from quyhoach.processing_algorithms.land_use.closed_tables import round_closed_sums


def _rows_and_columns(shape):
    index = np.arange(shape[0] * shape[1]).reshape(shape)
    sums = scipy.sparse.lil_matrix((shape[0] + shape[1], index.size))
    for k in range(shape[0]):
        sums[k, index[k]] = 1
    for k in range(shape[1]):
        sums[shape[0] + k, index[:, k]] = 1
    return sums.tocsr()


def test_a_table_that_plain_rounding_breaks():
    # Nine cells of 1/3: rounded one by one every sum is 0 although it is 1.
    rounded = round_closed_sums(np.full(9, 1 / 3), _rows_and_columns((3, 3)), 0).reshape(3, 3)
    assert rounded.sum(axis=0).tolist() == rounded.sum(axis=1).tolist() == [1, 1, 1]


def test_whole_units_stay_and_nothing_is_nothing():
    values = [0.0, 1.25, 2.5, 0.1 + 0.2]
    assert round_closed_sums(values, scipy.sparse.csr_matrix(np.ones((1, 4))), 2).tolist() == [0.0, 1.25, 2.5, 0.3]
    assert round_closed_sums([], scipy.sparse.csr_matrix((0, 0)), 2).tolist() == []


def test_sets_that_cross_are_a_programming_error():
    # a + b, b + c, a + c of three halves: no two nested families, and no whole-numbered vertex need exist.
    crossing = scipy.sparse.csr_matrix([[1, 1, 0], [0, 1, 1], [1, 0, 1]])
    with pytest.raises(ValueError):
        round_closed_sums([0.5, 0.5, 0.5], crossing, 0)


@settings(deadline=None, max_examples=40)
@given(hnp.arrays(float, st.tuples(st.integers(1, 6), st.integers(1, 6)),
                  elements=st.floats(0, 1000, allow_subnormal=False)), st.integers(0, 3))
def test_every_sum_within_one_unit(values, decimals):
    sums = _rows_and_columns(values.shape)
    rounded = round_closed_sums(values.ravel(), sums, decimals)
    unit = 10.0**-decimals
    assert np.allclose(rounded / unit, np.rint(rounded / unit), atol=1e-6)
    assert (np.abs(rounded - values.ravel()) < unit * (1 + 1e-6)).all()
    assert (np.abs(sums @ rounded - sums @ values.ravel()) < unit * (1 + 1e-5)).all()
    assert abs(rounded.sum() - values.sum()) <= unit * (0.5 + 1e-5)
