"""The laws of the three-way merge, on generated rows, and its table by hand."""

import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from quyhoach.processing_algorithms.provincial_database.merge import (
    Clash,
    merge_rows,
    same_geometry,
    same_row,
    same_value,
)

values = st.one_of(st.none(), st.booleans(), st.integers(-3, 3), st.sampled_from([0.5, 2.0]),
                   st.sampled_from(["", "a", "ă"]))
rows = st.one_of(st.none(), st.fixed_dictionaries({"a": values, "b": values, "c": values}))


@given(rows, rows, rows)
def test_what_only_one_side_changed_is_kept(base, ours, theirs):
    merged = merge_rows(base, ours, theirs)
    if merged.clash in (Clash.NONE, Clash.FIELDS) and None not in (base, ours, theirs):
        for name in base:
            if same_value(ours[name], base[name]):
                assert same_value(merged.row[name], theirs[name])
            elif same_value(theirs[name], base[name]) or same_value(ours[name], theirs[name]):
                assert same_value(merged.row[name], ours[name])
            else:
                assert name in merged.fields and same_value(merged.row[name], ours[name])


@given(rows, rows)
def test_one_sided_edits_never_clash(base, edited):
    for merged in (merge_rows(base, edited, base), merge_rows(base, base, edited)):
        assert merged.clash is Clash.NONE and same_row(merged.row, edited)
    assert merge_rows(base, edited, edited).clash is Clash.NONE


@given(rows, rows, rows)
def test_both_sides_see_the_same_clash(base, ours, theirs):
    there, back = merge_rows(base, ours, theirs), merge_rows(base, theirs, ours)
    mirrored = {Clash.DELETED_OURS: Clash.DELETED_THEIRS, Clash.DELETED_THEIRS: Clash.DELETED_OURS}
    assert mirrored.get(there.clash, there.clash) is back.clash and there.fields == back.fields
    if there.clash is Clash.NONE:
        assert same_row(there.row, back.row)


@given(rows, rows, rows)
def test_merging_again_changes_nothing(base, ours, theirs):
    """After a clean merge the row is based on theirs: pulling the same once more is a no-op."""
    merged = merge_rows(base, ours, theirs)
    if merged.clash is Clash.NONE:
        again = merge_rows(theirs, merged.row, theirs)
        assert again.clash is Clash.NONE and same_row(again.row, merged.row)


def test_deletions_by_hand():
    row, edited = {"a": 1}, {"a": 2}
    assert merge_rows(row, None, row).row is None
    assert merge_rows(row, row, None).row is None
    assert merge_rows(row, None, None) == merge_rows(None, None, None)
    assert merge_rows(row, None, edited).clash is Clash.DELETED_OURS and merge_rows(row, None, edited).row is None
    assert merge_rows(row, edited, None).clash is Clash.DELETED_THEIRS and merge_rows(row, edited, None).row == edited
    assert merge_rows(None, {"a": 1}, {"a": 2}).fields == {"a"}


def test_newer_schema_loses_nothing():
    merged = merge_rows({"a": 1}, {"a": 2}, {"a": 1, "new": "x"})
    assert merged.row == {"a": 2, "new": "x"} and merged.clash is Clash.NONE
    assert merge_rows({"a": 1}, {"a": 1}, {"a": 1, "new": "x"}).row == {"a": 1, "new": "x"}


@pytest.mark.parametrize("first, second, same", [
    (1, 1.0, True), (True, 1, True), ("1", 1, False), ("", None, False), (2**53, 2.0**53, True),
    (2**53 + 1, 2.0**53, False),
    (float("nan"), float("nan"), True), ("\u0103", "a\u0306", False)])
def test_values(first, second, same):
    assert same_value(first, second) is same


def wkb(text):
    return shapely.to_wkb(shapely.from_wkt(text))


def test_geometry_within_a_millimetre():
    square = "POLYGON((0 0, 10 0, 10 10, 0 10, 0 0))"
    assert same_geometry(wkb(square), wkb("POLYGON((0.0005 0, 10 0.0005, 10 10, 0 10, 0.0005 0))"))
    assert same_geometry(wkb(square), wkb("POLYGON((10 10, 0 10, 0 0, 10 0, 10 10))")), "the ring starts elsewhere"
    assert not same_geometry(wkb(square), wkb("POLYGON((0.002 0, 10 0, 10 10, 0 10, 0.002 0))"))
    assert not same_geometry(wkb(square), wkb("POLYGON((0 0, 5 0, 10 0, 10 10, 0 10, 0 0))")), "a vertex was added"
    assert not same_geometry(wkb(square), wkb("MULTIPOLYGON(((0 0, 10 0, 10 10, 0 10, 0 0)))"))
    assert not same_geometry(wkb("LINESTRING(0 0, 1 1)"), wkb("LINESTRING(1 1, 0 0)")), "direction is meaning in a line"
    assert not same_geometry(wkb("POINT Z(0 0 1)"), wkb("POINT Z(0 0 2)"))
