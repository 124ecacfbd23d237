"""Low, middle and high figures against counts by hand, and laws on generated towns."""

import os

import geopandas
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import CRS
from quyhoach.processing_algorithms.common.errors import InputError
from quyhoach.processing_algorithms.common.raster import ArrayRaster, Grid
from quyhoach.processing_algorithms.disaster.exposure.depth_classes import depth_classes
from quyhoach.processing_algorithms.disaster.exposure.exposure_range import facility_depths, hamlet_names
from quyhoach.processing_algorithms.disaster.exposure.exposure_range_workbook import estimated, range_sheets
from quyhoach.processing_algorithms.disaster.exposure.exposure_run import LevelOfUnits, exposures
from quyhoach.processing_algorithms.disaster.exposure.flood_exposure import BuildingFields

WKT = CRS("EPSG:9214").to_wkt()
GRID = Grid((0.0, 10.0, 0.0, 100.0, 0.0, -10.0), (10, 20), WKT)
CLASSES = depth_classes("common_practice_6")
#: By night more examples.
MORE = 8 if os.environ.get("QUYHOACH_NIGHTLY") else 1


def rasters(low, middle, high):
    return {end: ArrayRaster(GRID, np.broadcast_to(np.asarray(value, float), GRID.shape).copy()) for end, value in (("low", low), ("middle", middle), ("high", high))}


def frame(shapes, **columns):
    return geopandas.GeoDataFrame(columns, geometry=list(shapes), crs=WKT)


COMMUNES = frame([shapely.box(0, 0, 100, 100), shapely.box(100, 0, 200, 100)], ten=["Lam", "Bến"])
HAMLETS = frame([shapely.box(x, 0, x + 50, 100) for x in (0, 50, 100, 150)], thon=["Đông", "Tây", "Đông", "Tây"])


def test_by_hand():
    # Water to x 30, 50, 120 (low, middle, high); a house every 20 m at x 5, 25, 45, ... with 1, 2, 3, ... people
    x = np.arange(10) * 20 + 5
    houses = frame(shapely.points(x, 55), people=np.arange(1, 11))
    column = np.arange(20) * 10
    depths = rasters(np.where(column < 30, 0.5, 0), np.where(column < 50, 0.8, 0), np.where(column < 120, 1.2, 0))
    levels = [LevelOfUnits("commune", COMMUNES, "ten"), LevelOfUnits.of_hamlets(HAMLETS, "thon", COMMUNES, "ten")]
    found, summary = exposures(depths, houses, CLASSES, levels, fields=BuildingFields(residents="people"), roads=frame([shapely.LineString([(0, 5), (200, 5)])]))
    table = summary.set_index(["level", "unit"])
    whole = table.loc[("all", "Toàn bộ")]
    # houses at 5, 25; + 45; + 65, 85, 105: people 3, 6, 21
    assert (whole["residents_low"], whole["residents"], whole["residents_high"]) == (3, 6, 21)
    assert (whole["buildings_low"], whole["buildings"], whole["buildings_high"]) == (2, 3, 6)
    assert [whole[f"road_m{end}"] for end in ("_low", "", "_high")] == pytest.approx([30, 50, 120])
    assert table.loc[("commune", "Bến"), ["residents", "residents_high"]].tolist() == [0, 6]
    assert table.loc[("hamlet", "Đông (Lam)"), "residents"] == 6 and table.loc[("hamlet", "Tây (Lam)"), "residents_high"] == 9
    assert found.table.loc[found.table["depth_class"] == 2, "residents"].sum() == 6  # 0,8 m is in 0,5-1 m
    sheets = range_sheets(summary, None, depth_name="d", tags={}, remarks=[])
    assert sheets[0].rows[0][:2] == ("Toàn bộ", "Toàn bộ") and sheets[0].rows[0][8:11] == (3, 10, 20)  # a few stay numbers, shown as "< 10"


def test_without_a_range_low_and_high_are_null_and_counts_nobody_made_stay_null():
    houses = frame([shapely.Point(5, 5)], people=[None])
    _, summary = exposures({"middle": ArrayRaster(GRID, np.ones(GRID.shape))}, houses, CLASSES, [LevelOfUnits("all", None, None)], fields=BuildingFields(residents="people"))
    assert summary[["residents_low", "residents", "residents_high", "buildings_low"]].isna().all(axis=None) and summary["buildings"].tolist() == [1]
    assert summary["residents_missing"].tolist() == [1] and estimated(summary["residents"][0]) is None


def test_facilities():
    places = frame([shapely.Point(5, 5), shapely.Point(15, 5), shapely.Point(195, 5), shapely.Point(500, 5)], kind=["school", "school", "clinic", None], floor=[2.5, None, None, None])
    depths = rasters(0.0, np.where(np.arange(20) < 10, 1.0, 0.0), 2.0)
    found = facility_depths(places, depths, CLASSES, kind_field="kind", floor_field="floor", terrain=ArrayRaster(GRID, np.ones(GRID.shape)))
    # water at 2 m and 3 m: the floor at 2,5 m is dry in the middle, in the water in the high case
    assert found.facilities["depth_m"].tolist()[:3] == [1, 1, 0] and found.facilities["floor_depth_m"][0] == 0
    table = found.summary.set_index("kind")
    assert table.loc["school", ["total", "wet_low", "wet", "wet_high"]].tolist() == [2, 0, 1, 2] and table.loc["(không loại)", "unknown"] == 1
    with pytest.raises(InputError, match="địa hình"):
        facility_depths(places, depths, CLASSES, floor_field="floor")


def test_names_of_hamlets():
    assert hamlet_names(HAMLETS, "thon", COMMUNES, "ten") == ["Đông (Lam)", "Tây (Lam)", "Đông (Bến)", "Tây (Bến)"]
    assert hamlet_names(HAMLETS, "thon", None, None) == ["Đông", "Tây", "Đông", "Tây"]


@settings(max_examples=15 * MORE)
@given(st.integers(0, 10_000))
def test_low_middle_high_in_order_and_hamlets_sum_to_all(seed):
    random = np.random.default_rng(seed)
    low = np.where(random.random(GRID.shape) < 0.5, random.uniform(0, 2, GRID.shape), 0)
    middle = low + random.choice([0, 0.4], GRID.shape)
    houses = frame([shapely.box(x, y, x + w, y + w) for x, y, w in zip(random.uniform(0, 180, 12), random.uniform(0, 85, 12), random.uniform(1, 15, 12))],
                   people=random.integers(0, 9, 12).astype(float), high=random.uniform(0, 1, 12))
    levels = [LevelOfUnits("commune", COMMUNES, "ten"), LevelOfUnits.of_hamlets(HAMLETS, "thon", COMMUNES, "ten")]
    _, summary = exposures(rasters(low, middle, middle + 0.2), houses, CLASSES, levels, fields=BuildingFields(residents="people", floor_height="high"),
                           roads=frame([shapely.LineString(random.uniform(0, 100, (5, 2)))]), land_use=frame([shapely.box(10, 10, 150, 90)]))
    for name in ("buildings", "residents", "road_m", "land_m2"):
        assert (summary[f"{name}_low"] <= summary[name] + 1e-9).all() and (summary[name] <= summary[f"{name}_high"] + 1e-9).all()
        for end in ("_low", "", "_high"):
            sums = summary.groupby("level")[f"{name}{end}"].sum()
            assert sums["hamlet"] == pytest.approx(sums["all"]) and sums["commune"] == pytest.approx(sums["all"])
