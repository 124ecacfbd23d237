"""Rasters: what is read, what is refused, and that nothing half-written stays behind."""

import os
import subprocess
import sys
import textwrap

import numpy as np
import pyproj
import pytest
from osgeo import gdal
from quyhoach.processing_algorithms.common.errors import Cancelled, InputError, OutputError
from quyhoach.processing_algorithms.common.language import speaking
from quyhoach.processing_algorithms.common.raster import ArrayRaster, Grid, Window, open_raster, require_metres, sample
from quyhoach.processing_algorithms.common.raster_writing import NODATA, write_raster

WKT = pyproj.CRS.from_epsg(9214).to_wkt()
NORTH_UP = (500000.0, 5.0, 0.0, 1200000.0, 0.0, -5.0)
ROTATED = (500000.0, 4.0, 3.0, 1200000.0, 3.0, -4.0)  # cells of 5 m turned by the angle of the 3-4-5 triangle


@pytest.fixture(autouse=True)
def english():
    with speaking("en"):
        yield


def make(path, values, *, transform=NORTH_UP, wkt=WKT, kind=gdal.GDT_Float32, nodata=None, scale=None, offset=None,
         bands=1):
    values = np.atleast_2d(values)
    dataset = gdal.GetDriverByName("GTiff").Create(str(path), values.shape[1], values.shape[0], bands, kind)
    if transform:
        dataset.SetGeoTransform(transform)
    if wkt:
        dataset.SetProjection(wkt)
    band = dataset.GetRasterBand(1)
    if nodata is not None:
        band.SetNoDataValue(nodata)
    if scale is not None:
        band.SetScale(scale)
        band.SetOffset(offset)
    band.WriteArray(values)
    return path


def read_all(path, **options):
    with open_raster(path, name="Terrain", **options) as raster:
        return raster.read(Window(0, 0, *raster.grid.shape))


def test_integers_with_scale_and_offset_are_metres_and_nodata_is_compared_before_scaling(tmp_path):
    # 1234 x 0.01 - 5 = 7.34; nodata -32768 would be -332.68 after scaling.
    path = make(tmp_path / "a.tif", [[1234, -32768, 500]], kind=gdal.GDT_Int16, nodata=-32768, scale=0.01, offset=-5.0)
    np.testing.assert_allclose(read_all(path), [[7.34, np.nan, 0.0]], atol=1e-6)


@pytest.mark.parametrize("nodata", [float("nan"), -9999.0, -3.4028234663852886e38])
def test_every_kind_of_nodata_and_infinity_is_unknown(tmp_path, nodata):
    path = make(tmp_path / "a.tif", np.array([[1.5, nodata, np.nan, np.inf]], np.float32), nodata=nodata)
    np.testing.assert_array_equal(read_all(path), [[1.5, np.nan, np.nan, np.nan]])


def test_nodata_that_the_type_cannot_hold_is_no_value(tmp_path):
    path = make(tmp_path / "a.tif", [[0, 255, 7]], kind=gdal.GDT_Byte, nodata=-9999)
    np.testing.assert_array_equal(read_all(path), [[0, 255, 7]])


@pytest.mark.parametrize("filler", [-9999.0, 32767.0, -32768.0, 1e20, -3.4028234663852886e38])
def test_a_filler_nobody_declared_is_no_height(tmp_path, filler):
    path = make(tmp_path / "a.tif", np.array([[1.5, filler, 8848.0, -9995.0]], np.float32))
    with open_raster(path, name="Terrain", heights=True) as raster:
        np.testing.assert_array_equal(raster.read(Window(0, 0, 1, 4)), np.array([[1.5, np.nan, 8848.0, -9995.0]], np.float32))
        assert raster.impossible == {float(np.float32(filler))}
    assert not np.isnan(read_all(path)).any()  # a raster of distances may hold anything


def test_nodata_set_by_hand_in_qgis_comes_on_top(tmp_path):
    path = make(tmp_path / "a.tif", [[1.0, -99.0, 2.0]])
    np.testing.assert_array_equal(read_all(path, nodata_ranges=((-100.0, -99.0),)), [[1.0, np.nan, 2.0]])


def test_mask_band_is_unknown(tmp_path):
    path = make(tmp_path / "a.tif", [[1.0, 2.0]])
    dataset = gdal.Open(str(path), gdal.GA_Update)
    dataset.CreateMaskBand(gdal.GMF_PER_DATASET)
    dataset.GetRasterBand(1).GetMaskBand().WriteArray(np.array([[255, 0]], np.uint8))
    dataset = None
    np.testing.assert_array_equal(read_all(path), [[1.0, np.nan]])


def test_refusals_say_what_is_wrong(tmp_path):
    text = tmp_path / "không phải raster.tif"
    text.write_text("no raster")
    cases = {
        "cannot be read": lambda: read_all(text),
        "records no CRS": lambda: read_all(make(tmp_path / "b.tif", [[1.0]], wkt=None)),
        "no georeference": lambda: read_all(make(tmp_path / "c.tif", [[1.0]], transform=None)),
        "no band 3": lambda: read_all(make(tmp_path / "d.tif", [[1.0]]), band=3),
        "complex": lambda: read_all(make(tmp_path / "e.tif", [[1.0]], kind=gdal.GDT_CFloat32)),
    }
    for words, call in cases.items():
        with pytest.raises(InputError, match=words):
            call()


def test_a_crs_set_in_qgis_serves_where_the_file_has_none(tmp_path):
    with open_raster(make(tmp_path / "b.tif", [[1.0]], wkt=None), name="Terrain", crs_wkt=WKT) as raster:
        assert raster.grid.crs_wkt == WKT


def test_other_units_than_metres_are_refused(tmp_path):
    path = make(tmp_path / "feet.tif", [[1.0]])
    dataset = gdal.Open(str(path), gdal.GA_Update)
    dataset.GetRasterBand(1).SetUnitType("ft")
    dataset = None
    with open_raster(path, name="Terrain") as raster, pytest.raises(InputError, match='"ft", not in metres'):
        require_metres(raster, "Terrain")


def test_gdal_exceptions_are_left_as_they_were(tmp_path):
    before = gdal.GetUseExceptions()
    with pytest.raises(InputError):
        read_all(tmp_path / "missing.tif")
    assert gdal.GetUseExceptions() == before


@pytest.mark.parametrize("transform", [NORTH_UP, ROTATED, (500000.0, 5.0, 0.0, 1200000.0, 0.0, 5.0)])
def test_pixel_and_map_positions_are_inverse(transform):
    grid = Grid(transform, (10, 20), WKT)
    column, row = grid.to_pixel(*grid.to_map([0.0, 3.25, 20.0], [0.0, 7.5, 10.0]))
    np.testing.assert_allclose(column, [0.0, 3.25, 20.0], atol=1e-9)
    np.testing.assert_allclose(row, [0.0, 7.5, 10.0], atol=1e-9)
    assert grid.cell_area == 25.0


def test_strips_cover_the_grid_once_in_whole_tiles():
    grid = Grid(NORTH_UP, (1000, 700), "")
    strips = list(grid.strips(align=256, cells=400_000))
    # 400,000 / 700 = 571 rows, of which 512 are whole tiles.
    assert [(w.row, w.rows) for w in strips] == [(0, 512), (512, 488)]
    assert [w.rows for w in grid.strips(cells=700)] == [1] * 1000


def test_sample_takes_the_cell_a_point_lies_in(tmp_path):
    values = np.arange(12, dtype=float).reshape(3, 4)
    for transform in (NORTH_UP, ROTATED):
        raster = ArrayRaster(Grid(transform, (3, 4), WKT), values)
        x, y = raster.grid.to_map([0.5, 3.9, 2.0, -0.1, 1.0], [0.5, 2.1, 1.0, 1.0, 3.1])
        np.testing.assert_array_equal(sample(raster, x, y), [0, 11, 6, np.nan, np.nan])


def test_written_raster_reads_back_with_tags_on_a_path_with_spaces_and_diacritics(tmp_path):
    folder = tmp_path / "Nguyễn Văn Ân"
    folder.mkdir()
    path = folder / "độ sâu.tif"
    values = np.array([[0.0, 1.25], [np.nan, 3.5]], np.float32)
    grid = Grid(ROTATED, (2, 2), WKT)
    path.with_name(path.name + ".aux.xml").write_text("<stale/>")
    with write_raster(path, grid, description="depth") as writer:
        writer.write(Window(0, 0, 2, 2), values)
        writer.tag({"METHOD": "tuyến tính"})
    with open_raster(path, name="x") as raster:
        np.testing.assert_array_equal(raster.read(Window(0, 0, 2, 2)), values)
        assert raster.grid.transform == ROTATED
        assert raster.tags["METHOD"] == "tuyến tính"
        assert raster.unit == "m"
    dataset = gdal.Open(str(path))
    assert dataset.GetRasterBand(1).GetNoDataValue() == NODATA
    assert dataset.GetMetadataItem("COMPRESSION", "IMAGE_STRUCTURE") == "DEFLATE"
    assert os.listdir(folder) == ["độ sâu.tif"]


def test_a_run_that_stops_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "depth.tif"
    path.write_bytes(b"old")
    with pytest.raises(Cancelled):
        with write_raster(path, Grid(NORTH_UP, (2, 2), WKT)) as writer:
            writer.write(Window(0, 0, 1, 2), np.ones((1, 2), np.float32))
            raise Cancelled()
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["depth.tif"]


def test_outputs_that_cannot_be_are_refused(tmp_path):
    grid = Grid(NORTH_UP, (2, 2), WKT)
    for path in (tmp_path / "missing" / "a.tif", tmp_path / "a.png"):
        with pytest.raises(OutputError):
            with write_raster(path, grid):
                pass
    assert os.listdir(tmp_path) == []


@pytest.mark.skipif(sys.platform == "win32", reason="a limit on file size is how a full disk is imitated here")
def test_a_full_disk_is_told_and_leaves_nothing(tmp_path):
    script = textwrap.dedent("""
        import resource, signal, sys
        import numpy as np
        from quyhoach.processing_algorithms.common.errors import OutputError
        from quyhoach.processing_algorithms.common.raster import Grid, Window
        from quyhoach.processing_algorithms.common.raster_writing import write_raster
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))
        noise = np.random.default_rng(0).random((512, 512), np.float32)
        try:
            with write_raster(sys.argv[1], Grid((0, 1, 0, 0, 0, -1), noise.shape, "")) as writer:
                writer.write(Window(0, 0, 512, 512), noise)
        except OutputError as error:
            print("told:", error)
    """)
    run = subprocess.run([sys.executable, "-c", script, str(tmp_path / "a.tif")], capture_output=True, text=True)
    assert run.stdout.startswith("told:"), run
    assert os.listdir(tmp_path) == []
