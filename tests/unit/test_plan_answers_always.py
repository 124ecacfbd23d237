"""What must hold for any plans and parcels: nothing is lost or counted twice, and each point has the right answer."""

import datetime
import os

import geopandas
import numpy as np
import pandas
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from quyhoach.processing_algorithms.zoning.plans.plan_answers import plan_answers

NIGHTLY = 400 if os.environ.get("QUYHOACH_NIGHTLY") else 0
DAY = datetime.date(2026, 6, 1)
LEVELS = ["general", "sub_area", "detailed"]
#: Turned, so that no edge is along an axis and cut points are rounded.
ANGLE = 17


def turned(*bounds):
    return shapely.affinity.rotate(shapely.box(*bounds), ANGLE, origin=(0, 0))


@st.composite
def boxes(draw, most=60):
    x, y = draw(st.integers(0, most - 1)), draw(st.integers(0, most - 1))
    return x, y, draw(st.integers(x + 1, most)), draw(st.integers(y + 1, most))


@st.composite
def towns(draw):
    """Up to six plans of any level and state, local amendments among them, each cut into up to four zones or fewer."""
    plans, zones = [], []
    for number in range(draw(st.integers(1, 6))):
        bounds = draw(boxes())
        local = number > 0 and draw(st.booleans())
        base = draw(st.integers(0, number - 1)) if local else None
        level = plans[base]["level"] if local else draw(st.sampled_from(LEVELS))
        year = 2010 + number
        plans.append({
            "plan_ref": f"P{number}", "level": level, "scale": {"general": 10000, "sub_area": 2000, "detailed": 500}[level],
            "status": draw(st.sampled_from(["approved", "approved", "approved", "draft", "superseded"])),
            "approval_date": f"{year}-01-01", "adjustment": "local" if local else "first",
            "replaces_ref": f"P{base}" if local else None, "bounds": bounds, "geometry": turned(*bounds)})
        x0, y0, x1, y1 = bounds
        for k, cut in enumerate(zip([x0, (x0 + x1) / 2], [(x0 + x1) / 2, x1])):
            if draw(st.integers(0, 4)):
                zones.append({"plan_ref": f"P{number}", "zone_code": f"{number}-{k}", "max_storeys": draw(st.integers(1, 9)),
                              "function_code": draw(st.sampled_from(["NO", "DV", "CXCC"])),
                              "geometry": turned(cut[0], y0, cut[1], y1)})
    if not zones:
        x0, y0, x1, y1 = plans[0]["bounds"]
        zones.append({"plan_ref": "P0", "zone_code": "0-0", "function_code": "NO", "max_storeys": 1,
                      "geometry": plans[0]["geometry"]})
    parcels = [turned(*draw(boxes())) for _ in range(draw(st.integers(1, 4)))]
    return plans, zones, parcels


def frame(rows):
    made = geopandas.GeoDataFrame(rows, geometry="geometry", crs="EPSG:9214")
    made.index = pandas.RangeIndex(1, len(made) + 1)
    return made


def in_force(plans):
    """Judge the plans once more, in the plainest words: approved, and nothing it amends was superseded."""
    known = {plan["plan_ref"]: plan for plan in plans}

    def superseded(ref):
        return ref is not None and (known[ref]["status"] == "superseded" or superseded(known[ref]["replaces_ref"]))

    return {ref for ref, plan in known.items() if plan["status"] == "approved" and not superseded(plan["replaces_ref"])}


def answering(plans, point):
    """Return the plan that answers at a point: level first, then the later one; an amendment goes above its base."""
    here = [plan for plan in plans if plan["plan_ref"] in in_force(plans)
            and shapely.contains_xy(plan["geometry"], point.x, point.y)]
    # Plans are numbered by their dates and an amendment has the level of its base, so later is above.
    return max(here,
               key=lambda plan: (LEVELS.index(plan["level"]), int(plan["plan_ref"][1:])))["plan_ref"] if here else None


@settings(max_examples=NIGHTLY or 12, deadline=None)
@given(towns())
def test_nothing_is_lost_and_each_point_has_the_right_answer(town):
    plans, zones, shapes = town
    parcels = frame([{"geometry": shape} for shape in shapes])
    result = plan_answers(parcels, frame(plans), frame(zones), date=DAY)
    pieces = result.pieces
    told = pieces[pieces["is_answer"] | (pieces["role"] == "no_plan")]
    assert told.groupby("parcel_fid")["area_m2"].sum().to_dict() == pytest.approx(parcels.area.to_dict(), abs=1e-4)
    for plan in plans:
        mine = pieces[pieces["plan_ref"] == plan["plan_ref"]].groupby("parcel_fid")["area_m2"].sum()
        inside = parcels.intersection(plan["geometry"]).area
        assert mine.reindex(parcels.index).fillna(0).to_dict() == pytest.approx(inside.to_dict(), abs=1e-4)
    for row in told.itertuples():
        # Deep inside the piece, where the rounding of cut points does not reach.
        point = shapely.get_point(shapely.maximum_inscribed_circle(row.geometry, 0.01), 0)
        assert answering(plans, point) == row.plan_ref
        if row.plan_ref is not None:
            zone = [z["zone_code"] for z in zones if z["plan_ref"] == row.plan_ref
                    and shapely.contains_xy(z["geometry"], point.x, point.y)]
            assert zone == ([row.zone_code] if row.zone_code is not None else [])
    summary = result.parcels
    assert np.allclose(summary["answered_m2"] + summary["unplanned_m2"], summary["area_m2"], atol=1e-4)
    assert (pieces["share_pct"] <= 100 + 1e-6).all() and (pieces["area_m2"] > 0).all()
    # Contradictions lie where both say what they are said to say.
    for row in result.contradictions.itertuples():
        for ref, code in ((row.answer_ref, row.answer_zone), (row.other_ref, row.other_zone)):
            zone, = (z["geometry"] for z in zones if z["plan_ref"] == ref and z["zone_code"] == code)
            assert row.geometry.difference(zone).area < 1e-4
