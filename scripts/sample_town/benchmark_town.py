"""A benchmark town of up to a million parcels, made row by row of tiles in bounded memory."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pandas as pd
import rasterio
import rasterio.features
import shapely
from osgeo import ogr
from rasterio.transform import from_origin
from rasterio.windows import Window

from .benchmark_tile import Tile, build_tile
from .landscape import noise
from .layers import Rows, encode, join, write_rows
from .place import CELL, CRS, ORIGIN
from .street_classes import CLASSES
from .street_network import build_network
from .street_plan import Street
from .tile_grid import RIVER_BELT, TILE, TileGrid, plan_grid

_TILED = ("administrative_unit", "parcel", "land_use_2020", "land_use_2025", "zone", "building")
_ALARM_3 = 4.0


def write_benchmark_town(
    folder: Path, parcels: int, *, terrain: bool = False, processes: int | None = None
) -> dict[str, int]:
    """Write `town.gpkg` (and `terrain.tif`) with exactly `parcels` parcels; returns the features of each layer.

    The result depends on `parcels` alone, not on the number of processes.
    """
    grid = plan_grid(parcels)
    path = folder / "town.gpkg"
    path.unlink(missing_ok=True)
    counts: dict[str, int] = {}
    written = 0
    before: list[Street] = []
    for row, tiles in enumerate(_tile_rows(grid, processes or os.cpu_count() or 1)):
        held = np.cumsum([0, *(len(tile.layers["parcel"].wkb) for tile in tiles)])
        needed = [tile for tile, before_it in zip(tiles, held) if before_it < parcels - written]
        for layer in _TILED if needed else ():
            rows = join([tile.layers[layer] for tile in needed])
            if layer in ("parcel", "land_use_2020", "land_use_2025"):
                rows = rows.first(parcels - written)
            _append(path, rows, counts)
        written = counts["parcel"]
        inner = [street for tile in tiles for street in tile.streets]
        _append(
            path, _numbered("road", _roads(grid, row, inner, before if row != grid.river_row else []), counts), counts
        )
        before = inner
    if written < parcels:
        raise RuntimeError(f"the grid of {grid.rows} x {grid.columns} tiles holds {written} parcels, not {parcels}")
    river = pd.DataFrame([{"geometry": grid.river(), "name": "Sông Trạch", "kind": "river"}])
    _append(path, _numbered("river", river, counts), counts)
    _append(path, _numbered("gauge", _gauges(grid), counts), counts)
    _index(path, list(counts))
    if terrain:
        _write_terrain(folder / "terrain.tif", grid)
    return counts


def _index(path: Path, layers: list[str]) -> None:
    """Spatial indexes at the end: an index that grows with every append costs more than the writing."""
    ogr.UseExceptions()
    file = ogr.Open(str(path), update=1)
    for layer in layers:
        file.ExecuteSQL(f"SELECT CreateSpatialIndex('{layer}', 'geom')", dialect="SQLITE")


def _tile_rows(grid: TileGrid, processes: int) -> Iterator[list[Tile]]:
    """Rows of tiles in order, with a few more in the making; a finished row is let go once it is written."""
    if processes == 1:
        yield from (_tile_row(grid, row) for row in range(grid.rows))
        return
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        ahead: deque[Future[list[Tile]]] = deque()
        for row in range(grid.rows):
            ahead.append(pool.submit(_tile_row, grid, row))
            if len(ahead) > processes:
                yield ahead.popleft().result()
        while ahead:
            yield ahead.popleft().result()


def _tile_row(grid: TileGrid, row: int) -> list[Tile]:
    with np.errstate(invalid="ignore"):
        return [build_tile(grid, row, column) for column in range(grid.columns)]


def _numbered(layer: str, frame: pd.DataFrame, counts: dict[str, int]) -> Rows:
    first = counts.get(layer, 0)
    ids = [f"ffffffff-{len(layer):04x}-8000-8000-{first + at:012x}" for at in range(1, len(frame) + 1)]
    return encode(layer, frame.assign(feature_id=ids))


def _append(path: Path, rows: Rows, counts: dict[str, int]) -> None:
    write_rows(path, rows, append=rows.layer in counts, spatial_index=False)
    counts[rows.layer] = counts.get(rows.layer, 0) + len(rows.wkb)


def _roads(grid: TileGrid, row: int, inner: list[Street], below: list[Street]) -> pd.DataFrame:
    """Network of a row: its inner streets, the edges between its tiles and on its south, cut by the row below too."""
    edges = [Street(grid.sides(row, 0)[3], "main", "Đường Biên Tây")]
    edges += [Street(grid.sides(row, column)[1], "main", f"Đường Dọc {column + 1}") for column in range(grid.columns)]
    edges += [Street(grid.sides(row, column)[0], "main", f"Đường Ngang {row + 1}") for column in range(grid.columns)]
    if row + 1 in (grid.rows, grid.river_row):
        edges += [
            Street(grid.sides(row, column)[2], "main", f"Đường Ngang {row + 2}") for column in range(grid.columns)
        ]
    own = len(edges) + len(inner)
    streets = [*edges, *inner, *below]
    net = build_network(streets)
    mine = net.street < own
    lines, owner = net.lines[mine], net.street[mine]
    bridge = np.zeros(len(lines), dtype=bool)
    if row == grid.river_row:
        over = [Street(line, "main", "Cầu") for line in grid.bridges()]
        streets = [*streets, *over]
        lines = np.concatenate([lines, [street.line for street in over]])
        owner = np.concatenate([owner, np.arange(len(streets) - len(over), len(streets))])
        bridge = np.concatenate([bridge, np.ones(len(over), dtype=bool)])
    classes = [CLASSES[streets[at].kind] for at in owner]
    return pd.DataFrame(
        {
            "geometry": lines,
            "name": [streets[at].name for at in owner],
            "lanes": [one.lanes for one in classes],
            "width_m": [one.carriageway for one in classes],
            "road_class": [
                {"main": "main_axis", "area": "area", "alley": "alley"}.get(one.key, "sub_area") for one in classes
            ],
            "red_line_width_m": [one.right_of_way for one in classes],
            "speed_kmh": [float(one.speed) for one in classes],
            "surface": [one.surface for one in classes],
            "direction": "both",
            "bridge": bridge,
            "bridge_deck_level_m": np.where(bridge, _ALARM_3 + 2.5, np.nan),
        }
    )


def _gauges(grid: TileGrid) -> pd.DataFrame:
    y = 100 + grid.river_row * TILE + RIVER_BELT / 2
    return pd.DataFrame(
        [
            {
                "geometry": shapely.Point(x, y),
                "station_code": f"HN990{at + 1}",
                "name": f"Trạm {at + 1}",
                "river_name": "Sông Trạch",
                "kind": "river",
                "alarm_1_m": _ALARM_3 - 2.5,
                "alarm_2_m": _ALARM_3 - 1.3,
                "alarm_3_m": _ALARM_3,
                "datum": "national",
                "gauge_zero_m": 0.0,
            }
            for at, x in enumerate((300.0, grid.width / 2, grid.width - 300.0))
        ]
    )


def _write_terrain(path: Path, grid: TileGrid) -> None:
    """A valley that rises from the river, in bands of 512 rows."""
    rows, columns = int(grid.height / CELL), int(grid.width / CELL)
    river = grid.river()
    profile = {
        "driver": "GTiff",
        "height": rows,
        "width": columns,
        "count": 1,
        "dtype": "float32",
        "crs": CRS,
        "nodata": -9999.0,
        "compress": "deflate",
        "transform": from_origin(ORIGIN[0], ORIGIN[1] + rows * CELL, CELL, CELL),
        "predictor": 3,
        "zlevel": 1,
        "tiled": True,
        "blockxsize": 512,
        "blockysize": 512,
        "BIGTIFF": "IF_SAFER",
    }
    middle = 100 + grid.river_row * TILE + RIVER_BELT / 2
    x = np.arange(columns) * CELL + CELL / 2
    with rasterio.open(path, "w", **profile) as file:
        for first in range(0, rows, 512):
            count = min(512, rows - first)
            y = (rows - (first + np.arange(count))) * CELL - CELL / 2
            gx, gy = np.meshgrid(x, y)
            away = np.abs(gy - middle)
            ground = (
                _ALARM_3
                - 1.2
                + 1.4 * np.clip((away - 800) / 3000, 0, 4)
                + 0.7 * noise(gx, gy, 900, "benchmark relief", 4)
                + 0.05 * noise(gx, gy, 30, "rough", 1)
            )
            wet = rasterio.features.rasterize(
                [(river, 1)],
                out_shape=(count, columns),
                transform=from_origin(0, y[0] + CELL / 2, CELL, CELL),
                dtype="uint8",
            )
            ground[wet == 1] = 0.2
            file.write(np.round(ground, 2).astype(np.float32), 1, window=Window(0, first, columns, count))
