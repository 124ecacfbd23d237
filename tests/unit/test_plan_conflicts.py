"""Plans in force against each other, by hand."""

import datetime

import geopandas
import pandas
import pytest
import shapely
from quyhoach.processing_algorithms.common.errors import InputError
from quyhoach.processing_algorithms.zoning.plans.plan_conflicts import conflict_sheets, plan_conflicts

box = shapely.box
DAY = datetime.date(2026, 1, 1)


def frame(rows):
    made = geopandas.GeoDataFrame(rows, geometry="geometry", crs="EPSG:9214")
    made.index = pandas.RangeIndex(1, len(made) + 1)
    return made


def plan(ref, level, scale, shape, **more):
    return {"plan_ref": ref, "level": level, "scale": scale, "status": "approved", "approval_date": "2024-01-01",
            "geometry": shape, **more}


def zone(ref, code, function, shape, **figures):
    return {"plan_ref": ref, "zone_code": code, "function_code": function, "geometry": shape, **figures}


def test_functions_figures_levels_and_overlaps():
    town, west, corner = box(0, 0, 200, 100), box(0, 0, 100, 100), box(0, 0, 40, 50)
    plans = [plan("C", "general", 10000, town), plan("P", "sub_area", 2000, west),
             plan("P9", "sub_area", 2000, box(90, 0, 130, 100), approval_date="2025-01-01"),
             plan("D", "detailed", 500, corner, status="draft")]
    zones = [zone("C", "I", "NO", town, max_storeys=5),
             # A park and a street are what a housing unit is broken down into; industry is not.
             zone("P", "1", "CXCC", box(0, 0, 50, 100), max_storeys=1),
             zone("P", "2", "CN", box(50, 0, 100, 100), max_storeys=3),
             zone("P9", "1", "NO", box(90, 0, 130, 100), max_storeys=7), zone("P9", "2", "NO", box(120, 0, 130, 100)),
             zone("D", "1", "CN", corner)]
    result = plan_conflicts(frame(plans), frame(zones), date=DAY)
    told = result.places[["kind", "figure", "answer_ref", "answer_zone", "other_ref", "other_zone", "area_m2"]].astype(object)
    assert sorted(told.where(told.notna(), "").values.tolist()) == [
        ["figure", "max_storeys", "P9", "1", "C", "I", 4000.0], ["figure", "max_storeys", "P9", "1", "P", "2", 1000.0],
        ["function", "", "P", "2", "C", "I", 4000.0], ["same_level", "", "P9", "1", "P", "2", 1000.0],
        ["zones_overlap", "", "P9", "1", "P9", "2", 1000.0]]
    assert result.summary["area_m2"].tolist() == [4000.0, 4000.0, 1000.0, 1000.0, 1000.0]
    assert result.summary["places"].sum() == len(result.places)
    sheets = conflict_sheets(result, subtitle="thử")
    assert len(sheets[1].rows) == 5 and "Tầng cao tối đa" in {row[5] for row in sheets[1].rows}


def test_codes_in_other_letters_are_no_conflict_and_hide_none():
    square = box(0, 0, 100, 100)
    plans = [plan("P", "sub_area", 2000, square), plan("D", "detailed", 500, square)]
    zones = [zone("P", "1", "NO", square, max_density_pct=60, density_kind="net"),
             zone("D", "1", "no ", square, max_density_pct="70", density_kind="Thuần")]
    result = plan_conflicts(frame(plans), frame(zones), date=DAY)
    assert result.places[["kind", "figure"]].values.tolist() == [["figure", "max_density_pct"]]


def test_no_plan_in_force_is_told():
    with pytest.raises(InputError, match="Không đồ án nào"):
        plan_conflicts(frame([plan("D", "detailed", 500, box(0, 0, 1, 1), status="draft")]),
                       frame([zone("D", "1", "CN", box(0, 0, 1, 1))]), date=DAY)
