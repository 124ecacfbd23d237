"""Part of `flood`, and a benchmark of its own: nine million cells to HAND, files in and out, against pyflwdir.

The peer runs in a venv of its own with wheels of numpy 2, numba and rasterio, started and compiled before the clock; so are
our loops. It is timed twice: as it ships, which is how people run it; and with its height above drainage, which it leaves
uncompiled and which takes most of its time, compiled by us: what pyflwdir could be. DESIGN.md's ratio is asked of both.

The two do not do the same: ours also looks for cuts through 116,000 depressions, writes nine files where the peer writes
five, gives every cell its reach and the way along the streams, and takes checksums of the terrain and of all files; the
peer's files are deflated as ours are for other programs, ours of a model with Zstandard. `check` compares the filled heights
of the same terrain without cuts in every cell.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

DESCRIPTION = ("terrain to conditioned heights, directions, drained area, streams, basins and HAND: "
               "quyhoach:terrainprepare against pyflwdir, which fills only and writes five of our nine files")
SHIPPED, COMPILED = "pyflwdir as it ships", "pyflwdir with its own HAND function compiled by us"
COMPARED = {f"terrain to HAND, 9,000,000 cells; peer: {peer}": (4, 8) for peer in (SHIPPED, COMPILED)}
CASES = COMPARED
NEEDS_QGIS = True
STREAM_KM2 = 0.5
_running: dict[str, subprocess.Popen[str]] = {}


def prepare(folder: Path, share: float) -> None:
    """Write a fractal terrain with a general slope and 15 cm of noise, one pit in every 80 cells; and make the peer's venv."""
    import numpy as np
    from quyhoach.processing_algorithms.common.raster import Grid
    from quyhoach.processing_algorithms.common.raster_writing import write_raster

    side = round(3000 * share**0.5)
    random = np.random.default_rng(7)
    frequency = np.hypot(np.fft.fftfreq(side)[:, None], np.fft.rfftfreq(side)[None])
    frequency[0, 0] = 1.0
    relief = np.fft.irfft2(np.fft.rfft2(random.standard_normal((side, side))) * frequency**-2.0, s=(side, side))
    heights = 400 + relief / relief.std() * 150 * share**0.5 + 0.1 * np.arange(side, 0, -1)[:, None]
    heights += random.normal(0, 0.15, heights.shape)
    grid = Grid((500_000.0, 10.0, 0.0, 1_200_000.0, 0.0, -10.0), heights.shape, _wkt())
    with write_raster(folder / "terrain.tif", grid) as writer:
        for window in grid.strips():
            writer.write(window, heights[window.row:window.row + window.rows].astype(np.float32))
    subprocess.run([sys.executable, "-m", "venv", folder / "peer_venv"], check=True, env=_clean())
    subprocess.run([_python(folder), "-m", "pip", "install", "-q", "--disable-pip-version-check", "pyflwdir", "rasterio"],
                   check=True, env=_clean())


def warm(folder: Path, case: str, who: str) -> None:
    """Import what a running QGIS has imported; start the peer's process and let it compile on a small terrain."""
    if who == "ours":
        import geopandas  # noqa: F401
        import numpy as np
        import pyogrio  # noqa: F401
        from quyhoach.processing_algorithms.common.raster import ArrayRaster, Grid
        from quyhoach.processing_algorithms.disaster.terrain.terrain_ground import read_ground
        from quyhoach.processing_algorithms.disaster.terrain.terrain_model import TerrainModel  # noqa: F401
        from quyhoach.processing_algorithms.disaster.terrain.terrain_prepare import Rules, prepare_terrain

        # numba's loops are compiled or read from its cache here, as the peer's are below.
        heights = np.random.default_rng(1).integers(0, 9, (200, 200)).astype(np.float32)
        grid = Grid((500_000.0, 10.0, 0.0, 1_200_000.0, 0.0, -10.0), heights.shape, _wkt())
        prepare_terrain(read_ground(ArrayRaster(grid, heights)), Rules(0.001))
        return
    process = subprocess.Popen(
        [_python(folder), "-c", _PEER, str(folder), str(STREAM_KM2), "compiled" if COMPILED in case else "shipped"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=_clean())
    assert process.stdout.readline().strip() == "ready"
    _running["peer"] = process


def ours(folder: Path, case: str) -> None:
    """The whole model, checksums included."""
    import processing

    processing.run("quyhoach:terrainprepare", {"TERRAIN": str(folder / "terrain.tif"), "STREAM_AREA_KM2": STREAM_KM2,
                                               "OUTPUT": str(folder / "out" / "model")})


def peer(folder: Path, case: str) -> None:
    """Let the waiting process do it."""
    process = _running.pop("peer")
    process.communicate("go\n")
    if process.returncode:
        raise RuntimeError("pyflwdir failed")


def check(folder: Path, case: str) -> str:
    """Without cuts, our heights must be pyflwdir's in every cell, and ours are exact on their own account."""
    import numpy as np
    from osgeo import gdal
    from quyhoach.processing_algorithms.common.raster import open_raster
    from quyhoach.processing_algorithms.disaster.terrain.terrain_ground import read_ground
    from quyhoach.processing_algorithms.disaster.terrain.terrain_prepare import Rules, prepare_terrain

    with open_raster(folder / "terrain.tif", name="terrain") as terrain:
        found = prepare_terrain(read_ground(terrain), Rules(STREAM_KM2, breach_cells=0))
    theirs = gdal.Open(str(folder / "peer" / "conditioned.tif")).ReadAsArray()
    if not np.array_equal(found.conditioned, theirs):
        raise AssertionError(f"{(found.conditioned != theirs).sum()} cells are filled to another height")
    model = gdal.Open(str(folder / "ours" / "model" / "conditioned.tif")).ReadAsArray()
    return (f"filled heights without cuts: equal in all {theirs.size:,} cells; with cuts, ours raises "
            f"{(model > found.conditioned).sum():,} cells above them and lowers {(model < found.conditioned).sum():,}")


def _wkt() -> str:
    from pyproj import CRS

    return CRS("EPSG:9214").to_wkt()


def _python(folder: Path) -> str:
    return str(folder / "peer_venv" / "bin" / "python")


def _clean() -> dict[str, str]:
    """The environment without our packages; and without settings for old OpenBLAS builds, which the peer's is not."""
    ours = ("PYTHONPATH", "OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")
    return {key: value for key, value in os.environ.items() if key not in ours}


_PEER = '''
import sys
import numba, numpy as np, pyflwdir, rasterio
from pyflwdir import dem

folder, area = sys.argv[1], float(sys.argv[2])
above = numba.njit(dem.height_above_nearest_drain) if sys.argv[3] == "compiled" else dem.height_above_nearest_drain

def job(z, transform, crs, write):
    filled, d8 = dem.fill_depressions(z, nodata=-9999.0)
    flow = pyflwdir.from_array(d8, ftype="d8", transform=transform, latlon=False, check_ftype=False)
    uparea = flow.upstream_area("km2")
    streams = uparea >= area
    hand = above(flow.idxs_ds, flow.idxs_seq, streams.ravel(), filled.ravel()).reshape(z.shape).astype("float32")
    basins = flow.basins().astype("int32")
    order = flow.stream_order(mask=streams)
    reaches = flow.streams(mask=streams, strord=order)
    if write:
        for name, array, predictor in (("conditioned", filled, 3), ("flow_direction", d8, 2),
                ("flow_accumulation", uparea.astype("float32"), 3), ("height_above_drainage", hand, 3), ("basins", basins, 2)):
            with rasterio.open(f"{folder}/out/{name}.tif", "w", driver="GTiff", height=z.shape[0], width=z.shape[1], count=1,
                    dtype=array.dtype, crs=crs, transform=transform, tiled=True, compress="deflate", zlevel=1,
                    predictor=predictor, num_threads="ALL_CPUS") as out:
                out.write(array, 1)
    return len(reaches)

with rasterio.open(f"{folder}/terrain.tif") as source:
    corner = source.read(1, window=((0, 200), (0, 200)))
    job(corner, source.transform, source.crs, False)
print("ready", flush=True)
sys.stdin.readline()
with rasterio.open(f"{folder}/terrain.tif") as source:
    job(source.read(1), source.transform, source.crs, True)
'''
