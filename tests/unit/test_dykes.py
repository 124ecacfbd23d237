"""Dykes hold until overtopped, breaches open them, and a higher crest never lets more water through."""

import geopandas
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import CRS
from quyhoach.processing_algorithms.common.errors import InputError
from quyhoach.processing_algorithms.common.raster import ArrayRaster, Grid, Window
from quyhoach.processing_algorithms.disaster.depth.depth_fit import depth_fit
from quyhoach.processing_algorithms.disaster.depth.dykes import with_dykes
from quyhoach.processing_algorithms.disaster.depth.flood_depth import Connectivity, flood_depths
from quyhoach.processing_algorithms.disaster.depth.gauges import Gauges
from quyhoach.processing_algorithms.disaster.depth.mark_depths import mark_depths

WKT = CRS("EPSG:9214").to_wkt()
GRID = Grid((0.0, 10.0, 0.0, 200.0, 0.0, -10.0), (20, 30), WKT)
RIVER = (15.0, 105.0)


def dykes(*lines, crest):
    return geopandas.GeoDataFrame({"crest": crest}, geometry=[shapely.LineString(line) for line in lines], crs=WKT)


def breaches(*points, **columns):
    return geopandas.GeoDataFrame(columns, geometry=[shapely.Point(p) for p in points], crs=WKT)


def flood(terrain, *levels, connectivity=Connectivity.FOUR):
    gauge = Gauges(np.array([1]), np.array([RIVER[0]]), np.array([RIVER[1]]), np.array([float(max(levels))]), np.array([0.0]), (1.0, 1.0), [])
    results = [np.full(GRID.shape, -1, np.float32) for _ in levels]

    def writer(result):
        def write(window, depth):
            result[window.row:window.row + window.rows] = depth
        return write

    flood_depths(terrain, gauge, [np.array([float(level)]) for level in levels], [writer(r) for r in results], connectivity=connectivity)
    return results if len(levels) > 1 else results[0]


FLAT = ArrayRaster(GRID, np.zeros(GRID.shape))
ACROSS = [(152, -5), (152, 205)]
#: A dyke that runs diagonally, where rasters leak.
DIAGONAL = [(95, -5), (217, 205)]


#: Through the corners of cells, as drawn on round coordinates.
CORNERS = [(60, -10), (170, 100), (60, 210)]


@pytest.mark.parametrize("line", [ACROSS, DIAGONAL, CORNERS])
@pytest.mark.parametrize("connectivity", Connectivity)
def test_a_dyke_holds_until_overtopped(line, connectivity):
    terrain, notes = with_dykes(FLAT, dykes(line, crest=[3.0]), "crest")
    behind = 280 // 10
    assert not notes
    assert flood(terrain, 2.9, connectivity=connectivity)[:, behind].max() == 0
    overtopped = flood(terrain, 3.5, connectivity=connectivity)
    assert (overtopped[:, behind] == 3.5).all() and np.unique(overtopped).tolist() == [0.5, 3.5]


def test_the_terrain_counts_where_it_is_higher_and_windows_agree():
    values = np.zeros(GRID.shape)
    values[5, 15] = 9.0
    terrain, _ = with_dykes(ArrayRaster(GRID, values), dykes(ACROSS, ACROSS, crest=[3.0, 2.0]), "crest")
    whole = terrain.read(Window(0, 0, 20, 30))
    assert whole[5, 15] == 9 and whole[6, 15] == 3 and (whole[:, :15] == 0).all()
    assert (np.vstack([terrain.read(Window(r, 0, 1, 30)) for r in range(20)]) == whole).all()
    assert (terrain.read(Window(4, 14, 3, 5)) == whole[4:7, 14:19]).all()


def test_a_breach_opens_its_width():
    terrain, _ = with_dykes(FLAT, dykes(ACROSS, crest=[3.0]), "crest", breaches=breaches((152, 100)), breach_width_m=30)
    opened = terrain.read(Window(0, 0, 20, 30))[:, 15]
    assert 3 <= (opened == 0).sum() <= 5 and flood(terrain, 1.0)[:, 20].min() == 1.0
    narrow, _ = with_dykes(FLAT, dykes(ACROSS, crest=[3.0]), "crest", breaches=breaches((152, 100), w=[0.5]), width_field="w")
    assert flood(narrow, 1.0)[:, 20].min() == 1.0
    with pytest.raises(InputError, match="không nằm trên đê"):
        with_dykes(FLAT, dykes(ACROSS, crest=[3.0]), "crest", breaches=breaches((252, 100)))


def test_a_breach_cuts_a_dyke_the_terrain_shows_too():
    values = np.zeros(GRID.shape)
    values[:, 15] = 4.0
    terrain, _ = with_dykes(ArrayRaster(GRID, values), dykes(ACROSS, crest=[3.0]), "crest", breaches=breaches((152, 100)))
    assert flood(terrain, 1.0)[:, 20].min() == 1.0


def test_crests():
    _, notes = with_dykes(FLAT, dykes(ACROSS, DIAGONAL, crest=["3,0", None]), "crest")
    assert "fid: 1" in notes[0]
    with pytest.raises(InputError, match="cao trình"):
        with_dykes(FLAT, dykes(ACROSS, crest=["cao"]), "crest")


@settings(max_examples=40)
@given(st.integers(0, 10_000), st.floats(0.2, 3), st.floats(0, 2), st.floats(0.2, 3.5), st.floats(0, 0.5))
def test_laws(seed, crest, raised, level, error):
    random = np.random.default_rng(seed)
    values = random.uniform(0, 2, GRID.shape)
    values[9, 1] = 0
    points = random.uniform(0, 1, (3, 2)) * (300, 200)
    line = [tuple(p) for p in points]
    low_dyke, _ = with_dykes(ArrayRaster(GRID, values), dykes(line, crest=[crest]), "crest")
    high_dyke, _ = with_dykes(ArrayRaster(GRID, values), dykes(line, crest=[crest + raised]), "crest")
    low, middle, high = flood(low_dyke, level - error, level, level + error)
    # float32 depths of one surface may differ in the last digit
    assert (low <= middle + 1e-5).all() and (middle <= high + 1e-5).all()
    assert (flood(high_dyke, level) <= flood(low_dyke, level) + 1e-5).all()


def test_fit_by_hand():
    # map 1,0 against 1,2; 0 against 0,3 (missed); 0,4 against 0 (false alarm); unknown; nothing told
    fit = depth_fit(np.array([1.0, 0.0, 0.4, np.nan, 1.0, 0.0]), np.array([1.2, 0.3, 0.0, 1.0, np.nan, 0.0]))
    assert (fit.marks, fit.unknown, fit.hits, fit.misses, fit.false_alarms) == (4, 1, 1, 1, 1)
    # (-0,2 - 0,3 + 0,4) / 3 and (0,2 + 0,3 + 0,4) / 3
    assert fit.bias_m == pytest.approx(-0.1 / 3) and fit.mean_absolute_error_m == pytest.approx(0.3)
    assert (fit.hit_rate, fit.false_alarm_ratio) == (0.5, 0.5) and fit.critical_success_index == pytest.approx(1 / 3)
    nothing = depth_fit(np.array([np.nan]), np.array([1.0]))
    assert nothing.bias_m is None and nothing.hit_rate is None and nothing.critical_success_index is None


def test_marks_with_a_level_take_their_depth_from_the_terrain():
    depth, terrain = ArrayRaster(GRID, np.full(GRID.shape, 1.5)), ArrayRaster(GRID, np.full(GRID.shape, 2.0))
    marks = geopandas.GeoDataFrame({"d": [1.0, None, None], "z": [9.0, "3,2", 1.0]},
                                   geometry=[shapely.Point(15, 15), shapely.Point(25, 15), shapely.Point(25, 35)], crs=WKT)
    fit, table = mark_depths(marks, depth, terrain, "d", "z")
    assert table["mark_depth_m"].tolist() == [1.0, 1.2, 0.0] and table["difference_m"].tolist() == [0.5, 0.3, 1.5]
    assert fit.false_alarms == 1
    with pytest.raises(InputError, match="âm"):
        mark_depths(marks.assign(d=[-1, 0, 0]), depth, None, "d", None)
