"""Where codes stand in the tree of the land law."""

from __future__ import annotations

import datetime

import numpy as np
import pandas
import pytest
from quyhoach.processing_algorithms.common.errors import InputError
from quyhoach.processing_algorithms.land_use.land_types import (
    CodeList,
    Status,
    land_type_rows,
    normalised_codes,
    row_of_codes,
    subtotals,
)

TODAY = datetime.date(2026, 11, 22)


def _rows(codes, **options):
    return [(node.level, node.code, node.status) for node in land_type_rows(codes, on=TODAY, **options)]


def test_the_tree_holds_ancestors_and_what_fits_nowhere():
    assert _rows(["ONT", "LUC", "BHK", "Đất ở", None]) == [
        (0, "NNP", Status.CURRENT), (1, "CHN", Status.CURRENT), (2, "LUA", Status.CURRENT), (3, "LUC", Status.CURRENT),
        (2, "HNK", Status.CURRENT), (3, "BHK", Status.LEGACY),  # the old code under today's type
        (0, "PNN", Status.CURRENT), (1, "OTC", Status.CURRENT), (2, "ONT", Status.CURRENT),
        (0, "", Status.UNKNOWN), (1, "Đất ở", Status.UNKNOWN), (0, "", Status.MISSING)]


def test_overlays_and_coastal_water_are_no_part_of_the_three_groups():
    assert _rows(["KKT", "MVT"]) == [(0, "MVB", Status.LEGACY), (1, "MVT", Status.LEGACY), (0, "KKT", Status.OVERLAY)]


def test_free_codes_are_flat_and_in_natural_order():
    assert [code for _, code, _ in _rows(["Tổ 10", "Tổ 2", "LUC", None],
                                         code_list=CodeList.FREE)] == ["LUC", "Tổ 2", "Tổ 10", ""]


@pytest.mark.parametrize("values, code_list, expected", [
    (pandas.Series([" luc", "O NT", "", None, "  "]), CodeList.LAND_LAW, ["LUC", "ONT", None, None, None]),
    (pandas.Series([" Tổ 1 ", ""]), CodeList.FREE, ["Tổ 1", None]),
    (pandas.Series([1.0, 2.5, np.nan]), CodeList.FREE, ["1", "2.5", None]),
    (pandas.Series([1, None], dtype="Int64"), CodeList.FREE, ["1", None]),
    (pandas.Series([7, 8]), CodeList.FREE, ["7", "8"]),
])
def test_codes_as_text(values, code_list, expected):
    assert normalised_codes(values, code_list).tolist() == expected


def test_subtotals_add_along_the_tree():
    nodes = land_type_rows(["LUC", "LUK", "LUA", "HNK"], on=TODAY)  # NNP > CHN > LUA > LUC, LUK; HNK
    codes = np.array(["LUC", "LUK", "LUA", "HNK"], dtype=object)
    own = np.zeros(len(nodes))
    own[row_of_codes(codes, nodes)] = [1, 2, 4, 8]
    assert dict(zip((node.code for node in nodes), subtotals(own, nodes))) == {
        "NNP": 15, "CHN": 15, "LUA": 7, "LUC": 1, "LUK": 2, "HNK": 8}


def test_an_unknown_list_is_refused():
    with pytest.raises(InputError, match="TT 27/2018"):
        land_type_rows(["LUC"], on=datetime.date(2020, 1, 1))
