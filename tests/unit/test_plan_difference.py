"""Two versions of a plan: small ones by hand, then what must add up whatever the versions are."""

import os

import geopandas
import numpy as np
import pandas
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from quyhoach.processing_algorithms.common.errors import InputError
from quyhoach.processing_algorithms.zoning.plans.plan_difference import plan_difference

box = shapely.box
NIGHTLY = 400 if os.environ.get("QUYHOACH_NIGHTLY") else 0


def zones(*rows, crs="EPSG:9214"):
    frame = geopandas.GeoDataFrame([{"zone_code": code, "function_code": function, **figures, "geometry": shape}
                                    for code, function, shape, figures in rows], geometry="geometry", crs=crs)
    frame.index = pandas.RangeIndex(1, len(frame) + 1, name="fid")
    return frame


def test_a_zone_split_raised_and_extended():
    # A: 30 x 10 housing of 5 storeys. Later 20 x 10 of 7 storeys, and a park 20-40: 100 m2 of A and 100 m2 new land.
    before = zones(("A", "NO", box(0, 0, 30, 10), {"max_storeys": 5, "legal_area_m2": 300.0}))
    after = zones(("A", "NO", box(0, 0, 20, 10), {"max_storeys": 7, "legal_area_m2": 200.0}),
                  ("B", "CXCC", box(20, 0, 40, 10), {"max_storeys": 1, "legal_area_m2": 200.0}))
    result = plan_difference(before, after)
    columns = ["kind", "before_code", "after_code", "changed", "area_m2"]
    told = result.pieces[columns].astype(object)
    assert told.where(told.notna(), None).values.tolist() == [
        ["added", None, "B", None, 100.0], ["function", "A", "B", "function_code, max_storeys", 100.0],
        ["figures", "A", "A", "max_storeys, legal_area_m2", 200.0]]
    assert result.summary.values.tolist() == [["CXCC", 0.0, 0.0, 200.0, 200.0, 200.0, 0.0],
                                              ["NO", 300.0, 100.0, 0.0, 200.0, -100.0, 0.0]]
    assert (result.before_m2, result.after_m2, result.added_m2, result.removed_m2) == (300.0, 400.0, 100.0, 0.0)
    # What belongs to a zone as a whole is compared with the zone of that code only.
    assert result.figures[["before_code", "after_code", "field", "before_value", "after_value", "difference",
                           "area_m2"]].values.tolist() == [
        ["A", "A", "max_storeys", "5", "7", 2.0, 200.0], ["A", "A", "legal_area_m2", "300", "200", -100.0, 200.0],
        ["A", "B", "max_storeys", "5", "1", -4.0, 100.0]]


def test_what_stays_and_what_is_only_renamed():
    before = zones(("A", "NO", box(0, 0, 10, 10), {"max_far": 2.0, "name": "x"}),
                   ("B", "DV", box(10, 0, 20, 10), {"max_far": np.nan}), ("C", None, box(20, 0, 30, 10), {}))
    after = zones(("A", "NO", box(0, 0, 10, 10), {"max_far": "2,0", "name": "y"}),
                  ("B-1", "DV", box(10, 0, 20, 10), {"max_far": None}), ("C", None, box(20, 0, 30, 10), {}))
    result = plan_difference(before, after)
    assert sorted(zip(result.pieces["kind"], result.pieces["area_m2"])) == [
        ("renamed", 100.0), ("same", 100.0), ("same", 100.0)]
    assert not len(result.figures) and not result.summary["difference_m2"].any()
    named = plan_difference(before, after, fields=["name"])
    assert named.figures[["field", "before_value", "after_value"]].values.tolist() == [["name", "x", "y"]]


def test_a_code_in_other_letters_is_no_change():
    square = box(0, 0, 10, 10)
    before = zones(("A", "NO", square, {"density_kind": "net", "max_density_pct": 60.0}))
    for function, kind in ((" no ", "NET "), ("Đất ở", "Thuần")):
        result = plan_difference(before, zones(("A", function, square, {"density_kind": kind, "max_density_pct": "60,0"})))
        assert result.pieces["kind"].tolist() == ["same"] and not len(result.figures)


def test_a_redrawn_boundary_is_marked_not_dropped():
    # 0,5 m along 100 m: within 0,8 m at 1/2000, beyond 0,2 m at 1/500. It stays in the sums.
    before = zones(("A", "NO", box(0, 0, 50, 100), {}), ("B", "DV", box(50, 0, 100, 100), {}))
    after = zones(("A", "NO", box(0, 0, 50.5, 100), {}), ("B", "DV", box(50.5, 0, 100, 100), {}))
    result = plan_difference(before, after, scale=2000)
    moved = result.pieces[result.pieces["kind"] == "function"]
    assert moved[["area_m2", "within_tolerance"]].values.tolist() == [[50.0, True]]
    assert result.summary[["function", "difference_m2", "within_tolerance_m2"]].values.tolist() == [
        ["DV", -50.0, 50.0], ["NO", 50.0, 50.0]]
    assert not plan_difference(before, after, scale=500).pieces["within_tolerance"].any()
    # A zone that is narrow all over and changed its function did change.
    lane = [("L", box(0, 0, 0.5, 100)), ("R", box(0.5, 0, 9, 100))]
    changed = plan_difference(zones(*((c, f, s, {}) for (c, s), f in zip(lane, ("GT", "NO")))),
                              zones(*((c, f, s, {}) for (c, s), f in zip(lane, ("CXCC", "NO")))))
    assert changed.pieces.loc[changed.pieces["kind"] == "function", "within_tolerance"].tolist() == [False]


def test_a_local_amendment_is_compared_where_it_is():
    before = zones(("A", "NO", box(0, 0, 100, 100), {}))
    after = zones(("A1", "CXCC", box(0, 0, 30, 30), {}))
    assert plan_difference(before, after).removed_m2 == 9100.0
    local = plan_difference(before, after, local=True)
    assert (local.before_m2, local.after_m2, local.removed_m2) == (900.0, 900.0, 0.0)
    inside = plan_difference(before, after, boundary=geopandas.GeoDataFrame(
        geometry=[box(0, 0, 50, 30)], crs="EPSG:9214"))
    assert (inside.before_m2, inside.removed_m2) == (1500.0, 600.0)


def test_zones_that_overlap_are_counted_once_and_told():
    before = zones(("A", "NO", box(0, 0, 10, 10), {}), ("B", "DV", box(8, 0, 20, 10), {}))
    result = plan_difference(before, before)
    assert result.doubled_before_m2 == 20.0 and result.before_m2 == 200.0
    assert set(result.pieces["kind"]) == {"same"}


def test_unusable_versions_are_told_together():
    bare = geopandas.GeoDataFrame({"zone_code": ["A"]}, geometry=[box(0, 0, 1, 1)])
    with pytest.raises(InputError) as refused:
        plan_difference(bare, zones(("A", "NO", box(0, 0, 1, 1), {})), scale=0)
    assert len(refused.value.problems) == 3


cuts = st.lists(st.integers(1, 39), min_size=0, max_size=4, unique=True)


@st.composite
def versions(draw):
    """A version: a rectangle cut by vertical and horizontal lines, some zones left out, functions and figures any."""
    x = [draw(st.integers(-5, 5)), *sorted(draw(cuts)), draw(st.integers(40, 45))]
    y = [0, *sorted(draw(cuts)), 40]
    rows = []
    for k, (x0, x1) in enumerate(zip(x, x[1:])):
        for m, (y0, y1) in enumerate(zip(y, y[1:])):
            if x1 > x0 and y1 > y0 and draw(st.integers(0, 5)):
                rows.append((f"{k}-{m}", draw(st.sampled_from(["NO", "DV", "CXCC", "GT", None])),
                             shapely.affinity.rotate(box(x0, y0, x1, y1), 17, origin=(0, 0)),
                             {"max_storeys": draw(st.sampled_from([None, 3, 5]))}))
    return zones(*rows) if rows else zones(("0", "NO", box(0, 0, 1, 1), {"max_storeys": None}))


@settings(max_examples=NIGHTLY or 10, deadline=None)
@given(versions(), versions(), st.sampled_from([200, 2000, 25000]))
def test_the_differences_add_up(before, after, scale):
    result = plan_difference(before, after, scale=scale)
    areas = {"before": before, "after": after}
    for side, frame in areas.items():
        by_function = frame.assign(area=frame.area, key=frame["function_code"].fillna("")).groupby("key")["area"].sum()
        told = result.summary.set_index("function")[f"{side}_m2"]
        assert told[told > 0].to_dict() == pytest.approx(by_function.to_dict(), abs=1e-6)
        assert getattr(result, f"{side}_m2") == pytest.approx(frame.area.sum(), abs=1e-6)
        by_zone = result.pieces.groupby(f"{side}_fid")["area_m2"].sum()
        assert by_zone.to_dict() == pytest.approx(frame.area.to_dict(), abs=1e-6)
    summary = result.summary
    assert np.allclose(summary["before_m2"] - summary["lost_m2"] + summary["gained_m2"], summary["after_m2"])
    assert summary["difference_m2"].sum() == pytest.approx(after.area.sum() - before.area.sum(), abs=1e-6)
    assert result.added_m2 - result.removed_m2 == pytest.approx(after.area.sum() - before.area.sum(), abs=1e-6)
    # What does not change is where both versions say the same; found without our overlay.
    left, right = (frame.assign(key=frame["function_code"].fillna("")).dissolve("key").geometry for frame in
                   (before, after))
    stays = sum(left[key].intersection(right[key]).area for key in set(left.index) & set(right.index))
    kept = result.pieces[result.pieces["kind"].isin(["same", "renamed", "figures"])]
    assert kept["area_m2"].sum() == pytest.approx(stays, abs=1e-6)
    back = plan_difference(after, before, scale=scale).summary.set_index("function")
    assert np.allclose(back.loc[summary["function"], "difference_m2"], -summary["difference_m2"], atol=1e-6)
