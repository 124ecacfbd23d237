"""The preview against depths known by hand, and against the full computation on the sample town."""

from pathlib import Path

import geopandas
import numpy as np
import pytest
import shapely
from osgeo import gdal
from quyhoach.processing_algorithms.common.errors import InputError
from quyhoach.processing_algorithms.common.raster import coarse, open_raster
from quyhoach.processing_algorithms.disaster.bulletin.bulletin import Reading
from quyhoach.processing_algorithms.disaster.bulletin.stations import Station
from quyhoach.processing_algorithms.disaster.depth.flood_preview import flood_preview

X, Y = 551000.0, 1831000.0
STATION = Station(7, "", "Trạm", "sông", "river", (1.0, 2.0, 3.0), "national", 0.0, None, "", "")
STATIONS = geopandas.GeoDataFrame({"name": ["Trạm"]}, geometry=[shapely.Point(X + 5, Y - 50)], crs="EPSG:9214", index=[7])


def reading(level, station=STATION):
    return Reading(station, level, level, None, None, None, None, False, "stated", "")


@pytest.fixture
def valley(tmp_path):
    """100 x 100 cells of 1 m: height = column / 10, a river along the first columns; a hole without data."""
    path = tmp_path / "địa hình.tif"
    data = gdal.GetDriverByName("GTiff").Create(str(path), 100, 100, 1, gdal.GDT_Float32)
    data.SetGeoTransform((X, 1, 0, Y, 0, -1))
    from osgeo import osr

    system = osr.SpatialReference()
    system.ImportFromEPSG(9214)
    data.SetProjection(system.ExportToWkt())
    heights = np.broadcast_to(np.arange(100) / 10, (100, 100)).astype(np.float32).copy()
    heights[:20, 60:80] = -9999
    data.GetRasterBand(1).SetNoDataValue(-9999)
    data.GetRasterBand(1).WriteArray(heights)
    data = None
    with open_raster(path, name="Địa hình") as reader:
        yield reader


RIVER = geopandas.GeoDataFrame(geometry=[shapely.box(X, Y - 100, X + 2, Y)], crs="EPSG:9214")


def test_full_size_depths_are_the_level_less_the_ground(valley):
    found = flood_preview(valley, (X + 20, Y - 80, X + 60, Y - 20), [reading(3.05)], STATIONS, source=RIVER)
    # The margin of half the window on every side reaches the river: columns 0 to 80, and rows to the edges.
    assert found.grid.shape == (100, 80) and found.cell_m == 1.0
    expected = np.maximum(3.05 - np.arange(80) / 10, 0)
    assert np.allclose(found.depth_m[50], expected, atol=1e-5)
    assert np.isnan(found.depth_m[5, 65]) and found.wet_area_m2 == pytest.approx(31 * 100)


def test_a_large_window_is_averaged(valley):
    near = coarse(valley, (X, Y - 100, X + 100, Y), 400)
    assert near.grid.shape == (20, 20)
    assert np.allclose(near.values[15], np.arange(100).reshape(20, 5).mean(axis=1) / 10, atol=1e-5)
    assert np.isnan(near.values[1, 13])
    found = flood_preview(valley, (X, Y - 100, X + 100, Y), [reading(3.05)], STATIONS, source=RIVER, cells=400)
    assert found.cell_m == 5.0 and found.depth_m[15, 0] == pytest.approx(3.05 - 0.2, abs=1e-5)


def test_what_cannot_be_shown_is_said(valley):
    with pytest.raises(InputError, match="ngoài địa hình"):
        flood_preview(valley, (X + 900, Y - 80, X + 960, Y - 20), [reading(3.0)], STATIONS, source=RIVER)
    with pytest.raises(InputError, match="không có nguồn nước"):
        flood_preview(valley, (X + 60, Y - 80, X + 80, Y - 60), [reading(3.0)], STATIONS, source=RIVER)
    unknown = Station(7, "", "Trạm", "sông", "river", (1.0, 2.0, 3.0), "gauge_zero", None, None, "", "")
    with pytest.raises(InputError, match="Không có mực nước"):
        flood_preview(valley, (X, Y - 80, X + 60, Y - 20), [reading(3.0, unknown)], STATIONS, source=RIVER)


def test_the_sample_town_is_wet_where_the_full_computation_says():
    import datetime

    from quyhoach.processing_algorithms.disaster.bulletin.bulletin import read_bulletin
    from quyhoach.processing_algorithms.disaster.bulletin.bulletin_levels import Readings, chosen
    from quyhoach.processing_algorithms.disaster.bulletin.stations import read_stations

    samples = Path(__file__).resolve().parents[2] / "data_samples"

    def layer(name):
        return geopandas.read_file(samples / "town.gpkg", layer=name, engine="pyogrio", fid_as_index=True)

    stations, river, axes, dykes = layer("gauge"), layer("river"), layer("river_axis"), layer("dyke")
    river = river[river["kind"] == "river"]
    told = read_bulletin((samples / "bulletin_alarm_3.txt").read_text("utf-8"), read_stations(stations), today=datetime.date(2026, 11, 2))
    levels = chosen(told.readings, Readings.LATEST_OBSERVED)
    with open_raster(samples / "terrain.tif", name="Địa hình") as terrain:
        rows, columns = terrain.grid.shape
        x, y = terrain.grid.to_map([0, columns], [0, rows])
        bounds = (float(x[0]), float(y[1]), float(x[1]), float(y[0]))
        whole = flood_preview(terrain, bounds, levels, stations, source=river, rivers=axes, dykes=dykes, cells=10_000_000)
        quick = flood_preview(terrain, bounds, levels, stations, source=river, rivers=axes, dykes=dykes, cells=150_000)
        assert whole.grid == terrain.grid
    assert quick.grid.shape[0] < rows / 2
    assert quick.wet_area_m2 == pytest.approx(whole.wet_area_m2, rel=0.1)
