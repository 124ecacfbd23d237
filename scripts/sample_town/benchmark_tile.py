"""One tile of a benchmark town: streets, blocks, parcels at two dates, zones and buildings."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from .buildings import footprints
from .land_use import drifted
from .landscape import noise
from .layers import Rows, encode
from .place import SEED
from .splitting import split_to_lots
from .street_classes import CLASSES
from .street_growth import add_alleys, grow_streets
from .street_plan import Street
from .tile_grid import TileGrid
from .welding import weld

_CODES = np.array(["ODT", "ODT", "ODT", "ODT", "ODT", "ODT", "TMD", "CLN", "HNK", "NTS", "DGD", "DKV"])
_FUNCTIONS = np.array(["NO", "NO", "NO", "HH", "DV", "CXCC", "TRUONG", "CN"])


@dataclass(frozen=True)
class Tile:
    """What one tile holds; `streets` (local coordinates) are whole streets inside it, without its edges."""

    streets: list[Street]
    layers: dict[str, Rows]


def build_tile(grid: TileGrid, row: int, column: int) -> Tile:
    """Build a tile from its place in the grid alone, so that tiles can be made in any order and in parallel."""
    rng = np.random.default_rng([SEED, 99, row, column])
    polygon = grid.tile(row, column)
    grown, faces = grow_streets([polygon], _fabric, rng)
    area = shapely.area(np.array(faces, dtype=object))
    alleys = add_alleys(faces, (area > 9000) & (rng.random(len(faces)) < 0.4), rng, np.full(len(faces), "alley"))
    streets = [*grown, *alleys]
    edges = [Street(line, "main") for line in grid.sides(row, column)]
    half = np.array([CLASSES[street.kind].right_of_way / 2 for street in [*edges, *streets]])
    lines = np.array([street.line for street in [*edges, *streets]], dtype=object)
    ways = shapely.union_all(shapely.buffer(lines, half, cap_style="square", join_style="mitre"), grid_size=0.01)
    blocks = shapely.get_parts(shapely.difference(polygon, ways, grid_size=0.01))
    blocks = blocks[shapely.area(blocks) > 120]
    number = row * grid.columns + column
    frames = _frames(blocks, [*edges, *streets], polygon, number, rng)
    return Tile(streets, {layer: encode(layer, frame) for layer, frame in frames.items()})


def _fabric(x: NDArray, y: NDArray) -> tuple[NDArray[np.float64], NDArray[np.str_]]:
    return 14_000 + 5_000 * noise(x, y, 700, "benchmark fabric", 2), np.full(len(x), "local")


def _frames(blocks, streets, polygon, number, rng) -> dict[str, pd.DataFrame]:
    count = len(blocks)
    pieces, parent = split_to_lots(blocks, np.full(count, 250.0), np.full(count, 24.0), rng, wobble=0.1)
    lots = weld(pieces)
    large = shapely.area(lots) > 8.0
    lots, parent = lots[large], parent[large]
    code = f"{99000 + number:05d}"
    patch = np.arange(1, len(lots) + 1)
    land_code = rng.choice(_CODES, len(lots))
    earlier = np.where(
        rng.random(len(lots)) < 0.06, rng.choice(np.array(["LUC", "HNK", "CLN", "BCS"]), len(lots)), land_code
    )
    area = shapely.area(lots)
    parcel = pd.DataFrame(
        {
            "geometry": lots,
            "feature_id": _ids(number, 1, len(lots)),
            "old_commune_code": code,
            "commune_code": code,
            "sheet_no": (parent // 12 + 1).astype(str),
            "parcel_no": patch,
            "land_code": land_code,
            "land_code_2020": earlier,
            "legal_area_m2": np.round(area, 1),
            "map_scale": 500,
        }
    )
    today = pd.DataFrame(
        {
            "geometry": lots,
            "feature_id": _ids(number, 2, len(lots)),
            "commune_code": code,
            "year": 2025,
            "patch_no": patch,
            "land_code": land_code,
        }
    )
    before = pd.DataFrame(
        {
            "geometry": drifted(lots),
            "feature_id": _ids(number, 3, len(lots)),
            "commune_code": code,
            "year": 2020,
            "patch_no": patch,
            "land_code": earlier,
        }
    )
    zones, _ = split_to_lots(blocks, np.full(count, 13_000.0), np.full(count, 70.0), rng, wobble=0.1)
    zones = _drawn(weld(zones))
    zone = pd.DataFrame(
        {
            "geometry": zones,
            "feature_id": _ids(number, 4, len(zones)),
            "plan_ref": "QPK-BENCH",
            "function_code": rng.choice(_FUNCTIONS, len(zones)),
            "zone_code": [f"{number}-{at}" for at in range(1, len(zones) + 1)],
            "max_density_pct": 60.0,
            "max_storeys": 5,
            "max_far": 3.0,
        }
    )
    unit = pd.DataFrame(
        {
            "geometry": [polygon],
            "feature_id": _ids(number, 5, 1),
            "unit_code": code,
            "name": f"Phường Mẫu {number + 1}",
            "unit_type": "ward",
            "province_code": "99",
            "valid_from": "2025-07-01",
        }
    )
    return {
        "administrative_unit": unit,
        "parcel": parcel,
        "land_use_2025": today,
        "land_use_2020": before,
        "zone": zone,
        "building": _buildings(lots, land_code, streets, code, number, rng),
    }


def _drawn(shapes):
    xy = shapely.get_coordinates(shapes)
    shift = 0.4 * np.column_stack(
        [noise(*xy.T, 450, "benchmark zones x", 2), noise(*xy.T, 450, "benchmark zones y", 2)]
    )
    return shapely.set_coordinates(shapes.copy(), np.round(xy + shift, 3))


def _buildings(lots, land_code, streets, code, number, rng):
    built = (rng.random(len(lots)) < 0.94) & np.isin(land_code, ["ODT", "TMD", "DGD", "CLN"])
    frame = pd.DataFrame({"geometry": lots[built], "character": "town"})
    shapes = footprints(frame, streets, rng)
    use = np.where(
        land_code[built] == "TMD", "commercial", np.where(land_code[built] == "DGD", "education", "residential")
    )
    good = shapely.area(shapes) > 15
    shapes, use = shapes[good], use[good]
    count = len(shapes)
    home = use == "residential"
    unknown = rng.random(count) < 0.05
    households = np.where(rng.random(count) < 0.9, 1, 2)
    storeys = 1 + rng.binomial(4, 0.4, count)
    return pd.DataFrame(
        {
            "geometry": shapes,
            "feature_id": _ids(number, 6, count),
            "commune_code": code,
            "use": use,
            "storeys": storeys,
            "height_m": np.round(storeys * 3.4 + 0.6, 1),
            "households": np.where(home, np.where(unknown, np.nan, households), 0),
            "residents": np.where(home, np.where(unknown, np.nan, households + rng.binomial(6, 0.44, count)), 0),
        }
    )


def _ids(tile: int, layer: int, count: int) -> list[str]:
    """UUIDs of version 8 (free form) that spell tile, layer and number: hashing millions would cost a minute."""
    return [f"{tile:08x}-{layer:04x}-8000-8000-{at:012x}" for at in range(1, count + 1)]
