"""Part of `flood`: this morning's bulletin to the report, with all there is, on a town scaled to a province's delta.

The sample's fabric of 300,000 houses and their streets; its terrain at 1.9 m with 3 cm of noise; hamlets, shelters, facilities, dykes and river
axes, which towns for timing lack, as simple grids. Nothing does this in one step, so there is no peer: the clock judges.
"""

from __future__ import annotations

import json
import subprocess
import time
from pathlib import Path

DESCRIPTION = "bulletin to annex, picture, text, tables, maps: quyhoach:floodreport against the clock"
TIMED = {"bulletin to report, 50,000,000 cells, 300,000 buildings": (60, 20)}
#: So that this part can be run alone.
CASES, SECONDS, NEEDS_QGIS = {}, TIMED, True
CELLS, BUILDINGS, PARCELS = 50_000_000, 300_000, 436_000
HAMLET_M = 500.0
BULLETIN = "Mực nước lúc 04 giờ ngày 02/11/2026: Trạm 1: 4,52-4,60 m, Trạm 2: 4,31 m, Trạm 3: 4,10 m."
#: Where in the progress bar a stage of the work ends.
STAGES = ((5, "layers read"), (26, "placed"), (33, "where the water gets to"), (54, "three depths"), (61, "exposure"), (75, "network"), (95, "tables, workbook and print"), (100, "done"))


def prepare(folder: Path, share: float) -> None:
    """Make the town and the layers it lacks."""
    import pyogrio

    script = Path(__file__).resolve().parents[1] / "make_samples"
    subprocess.run([str(script), "--parcels", str(round(PARCELS * share)), "--terrain", "--output", str(folder / "town")], check=True,
                   stdout=subprocess.DEVNULL)
    town = folder / "town" / "town.gpkg"
    houses = pyogrio.read_dataframe(town, layer="building", max_features=round(BUILDINGS * share))
    pyogrio.write_dataframe(houses, folder / "layers.gpkg", layer="building")
    for name in ("administrative_unit", "road", "river", "gauge"):
        pyogrio.write_dataframe(pyogrio.read_dataframe(town, layer=name), folder / "layers.gpkg", layer=name)
    _add_layers(folder, pyogrio.read_dataframe(town, layer="river"), pyogrio.read_dataframe(town, layer="administrative_unit").total_bounds)
    _finer_terrain(folder, round(CELLS * share))
    (folder / "town" / "terrain.tif").unlink()
    town.unlink()


def _add_layers(folder: Path, river, bounds) -> None:
    import geopandas
    import numpy as np
    import pyogrio
    import shapely

    west, south, east, north = bounds
    random = np.random.default_rng(11)
    x, y = (a.ravel() for a in np.meshgrid(np.arange(west, east, HAMLET_M), np.arange(south, north, HAMLET_M)))
    ids = np.arange(1, len(x) + 1)
    middle = (river.total_bounds[1] + river.total_bounds[3]) / 2
    crests = np.arange(west, east - 50, 50.0)
    made = {
        "hamlet": ({"name": [f"Tổ dân phố {i}" for i in ids]}, shapely.box(x, y, x + HAMLET_M, y + HAMLET_M)),
        "shelter": ({"name": [f"Nhà văn hóa tổ {i}" for i in ids], "floor_level_m": random.uniform(3.0, 6.0, len(x)).round(2)},
                    shapely.points(x + random.uniform(0, HAMLET_M, len(x)), y + random.uniform(0, HAMLET_M, len(x)))),
        "facility": ({"kind": random.choice(["school", "clinic", "kindergarten"], 3 * len(x))},
                     shapely.points(random.uniform(west, east, 3 * len(x)), random.uniform(south, north, 3 * len(x)))),
        # A dyke keeps the north of the eastern half dry; water comes round its end.
        "dyke": ({"crest_level_m": np.where(crests > (west + east) / 2, 5.5, 4.2)}, shapely.linestrings(
            np.stack([np.column_stack([crests, np.full(len(crests), middle + 220)]), np.column_stack([crests + 50, np.full(len(crests), middle + 220)])], axis=1))),
        "river_axis": ({"name": ["Sông Trạch", "Kênh 1", "Kênh 2"]}, shapely.linestrings(
            [[(west, middle), (east, middle)], [((3 * west + east) / 4, south), ((3 * west + east) / 4, middle)],
             [((west + 3 * east) / 4, middle), ((west + 3 * east) / 4, north)]]))}
    for name, (columns, shapes) in made.items():
        pyogrio.write_dataframe(geopandas.GeoDataFrame(columns, geometry=shapes, crs=river.crs), folder / "layers.gpkg", layer=name)


def _finer_terrain(folder: Path, cells: int) -> None:
    import numpy as np
    from osgeo import gdal
    from quyhoach.processing_algorithms.common.raster import Grid
    from quyhoach.processing_algorithms.common.raster_writing import write_raster

    coarse = gdal.Open(str(folder / "town" / "terrain.tif"))
    finer = (coarse.RasterXSize * coarse.RasterYSize / cells) ** 0.5
    transform = coarse.GetGeoTransform()
    columns, rows = int(coarse.RasterXSize / finer), int(coarse.RasterYSize / finer)
    smooth = gdal.Warp("", coarse, format="MEM", width=columns, height=rows, resampleAlg="bilinear")
    grid = Grid(smooth.GetGeoTransform(), (rows, columns), smooth.GetProjection() or transform)
    random = np.random.default_rng(5)
    with write_raster(folder / "delta.tif", grid) as writer:
        for window in grid.strips():
            heights = smooth.ReadAsArray(window.column, window.row, window.columns, window.rows)
            writer.write(window, np.round(heights + random.normal(0, 0.03, heights.shape), 2).astype(np.float32))


def warm(folder: Path, case: str, who: str) -> None:
    """Import what a running QGIS has imported."""
    import geopandas  # noqa: F401
    import pyogrio  # noqa: F401


def ours(folder: Path, case: str) -> None:
    """The whole report; beside it when each stage was over."""
    import processing
    from qgis.core import QgsProcessingFeedback

    class Stages(QgsProcessingFeedback):
        def setProgress(self, progress: float) -> None:  # noqa: D102, N802
            reached.append((progress, time.perf_counter()))

    reached: list[tuple[float, float]] = [(0.0, time.perf_counter())]
    processing.run("quyhoach:floodreport", parameters(folder), feedback=Stages(False))
    (folder / "out" / "stages.json").write_text(json.dumps(reached), encoding="utf-8")


def parameters(folder: Path) -> dict[str, str]:
    """Everything the algorithm takes."""
    def layer(name: str) -> str:
        return f"{folder / 'layers.gpkg'}|layername={name}"

    return {"TEXT": BULLETIN, "STATIONS": layer("gauge"), "TERRAIN": str(folder / "delta.tif"), "SOURCE": layer("river"), "RIVERS": layer("river_axis"),
            "DYKES": layer("dyke"), "BUILDINGS": layer("building"), "UNITS": layer("administrative_unit"), "HAMLETS": layer("hamlet"), "ROADS": layer("road"),
            "FACILITIES": layer("facility"), "SHELTERS": layer("shelter"), "PLACE": "đô thị mẫu", "REFERENCE_DATE": "02/11/2026", "OUTPUT": str(folder / "out" / "báo cáo")}


def told(folder: Path, case: str) -> str:
    """Seconds of each stage of the last run, and what the report is about."""
    reached = json.loads((folder / "ours" / "stages.json").read_text(encoding="utf-8"))
    parts, start, last = [], reached[0][1], reached[-1][1]
    for end, name in STAGES:
        stop = next((when for progress, when in reached if progress >= end - 1e-6), last)
        parts.append(f"{name} {stop - start:.1f} s")
        start = stop
    lines = (folder / "ours" / "báo cáo" / "tin_nhan.txt").read_text(encoding="utf-8-sig").splitlines()
    return "; ".join(parts) + "\n  " + " ".join(lines[2:4])
