"""The ground: river and bãi bồi, levees, backswamp behind the dyke, filled town, road embankments, hills.

Heights are metres in the national system. Everything is tied to `alarm_3`, the level of alarm 3 along the river, so
that what floods at which alarm is by design: unprotected banks from alarm 2, low streets at alarm 3, the polder behind the
dyke only when the weak stretch is overtopped.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from rasterio.features import rasterize
from rasterio.transform import from_origin
from scipy.ndimage import label

from .curves import Ruler
from .landscape import hilliness, noise, on_cells, urbanity
from .place import CELL, HEIGHT, WIDTH, generator
from .street_plan import Street
from .watercourses import Watercourses, half_width

#: Height of the dyke's crest above alarm 3, and of its weak stretch (between these chainages along the dyke), metres.
DYKE_FREEBOARD, WEAK_FREEBOARD, WEAK_STRETCH = 0.65, 0.30, (3100.0, 3280.0)
_EMBANKMENT = {"national": 1.3, "provincial": 1.1, "main": 0.25, "area": 0.15, "commune": 0.7, "village": 0.15,
    "field": 0.3, "local": -0.05, "alley": 0.0}


def alarm_3(chainage: NDArray) -> NDArray[np.float64]:
    """Level of alarm 3 along the river: 5.1 m where it enters, 0.16 m lower each kilometre."""
    return 5.1 - 0.00016 * np.asarray(chainage)


def low_water(chainage: NDArray) -> NDArray[np.float64]:
    """Water surface on the day the terrain was flown."""
    return 0.45 - 0.00005 * np.asarray(chainage)


def dyke_crest(line_chainage: NDArray, river_chainage: NDArray) -> NDArray[np.float64]:
    """Crest height of the dyke at places given by their chainage along the dyke and along the river."""
    weak = (line_chainage > WEAK_STRETCH[0]) & (line_chainage < WEAK_STRETCH[1])
    return alarm_3(river_chainage) + np.where(weak, WEAK_FREEBOARD, DYKE_FREEBOARD)


def natural_ground(x: NDArray, y: NDArray, water: Watercourses) -> NDArray[np.float64]:
    """Ground before people: levees along the river, backswamps behind them, terraces and hills."""
    chainage, offset = water.ruler.measure(x, y)
    level = alarm_3(chainage)
    from_bank = np.maximum(np.abs(offset) - half_width(chainage), 0.0)
    levee = -0.35 + 0.45 * noise(x, y, 420, "levee", 3)
    fall = _smooth(from_bank / 1050)
    south = (
        levee * (1 - fall)
        + (-1.35 + 0.3 * noise(x, y, 700, "swamp", 3)) * fall
        + 1.6 * _smooth((from_bank - 1500) / 1800)
    )
    behind = Ruler(water.dyke, 10.0).measure(x, y)[1]
    shore = -0.75 - 0.5 * _smooth(from_bank / 140) + 0.35 * noise(x, y, 160, "shore", 3)
    polder = (
        -1.1
        - 0.6 * _smooth((from_bank - 100) / 600)
        + 1.9 * _smooth((from_bank - 1100) / 1900)
        + 0.35 * noise(x, y, 600, "polder", 3)
    )
    north = np.where(behind > 0, polder, shore)
    hill = hilliness(x, y)
    ridges = 1.0 + 0.55 * noise(x, y, 420, "ridges", 4) - 0.25 * np.abs(noise(x, y, 260, "valleys", 3))
    high = 88.0 * hill**1.6 * np.clip(ridges, 0.25, None)
    return level + np.where(offset > 0, north, south) + high


def _smooth(t: NDArray) -> NDArray[np.float64]:
    t = np.clip(t, 0.0, 1.0)
    return t * t * (3 - 2 * t)


def build_terrain(water: Watercourses, streets: list[Street], parcels: pd.DataFrame) -> NDArray[np.float32]:
    """The terrain raster, north up, rounded to centimetres."""
    shape = (int(HEIGHT / CELL), int(WIDTH / CELL))
    chainage = on_cells(lambda x, y: water.ruler.measure(x, y)[0])
    level = alarm_3(chainage)
    natural = on_cells(lambda x, y: natural_ground(x, y, water))
    built = on_cells(
        lambda x, y: _smooth((urbanity(x, y) - 0.28) / 0.3) * np.clip(1.1 + 0.3 * noise(x, y, 250, "fill", 2), 0, None)
    )
    ground = natural + built * _smooth((level + 1.2 - natural) / 2.0)
    ground += _parcel_relief(parcels, shape) + on_cells(lambda x, y: 0.05 * noise(x, y, 40, "rough", 2), 2)
    _embank(ground, natural, streets)
    _carve_streams(ground, water, level)
    _raise_dyke(ground, water)
    islet = _mask([water.islet], ground.shape)
    ground[islet] = level[islet] - 1.4 + 0.1 * np.sin(chainage[islet] / 17.0)
    river = _mask([water.water], ground.shape)
    ground[river] = low_water(chainage)[river]
    return np.round(ground, 2).astype(np.float32)


def _parcel_relief(parcels: pd.DataFrame, shape: tuple[int, int]) -> NDArray[np.float64]:
    """Fields are level plates of their own height, ponds are dug, house plots are filled."""
    code, village = parcels["land_code"].to_numpy(), (parcels["character"] == "village").to_numpy()
    plate = 0.09 * generator("plates").uniform(-1, 1, len(parcels))
    lift = np.select(
        [code == "NTS", village & np.isin(code, ["ONT", "ODT", "CLN"]), np.isin(code, ["RSX", "RPH", "DCS"])],
        [-1.2, 0.35, 0.0],
        plate,
    )
    return rasterize(zip(parcels["geometry"], lift), out_shape=shape, transform=transform(), fill=0.0, dtype="float64")


def _embank(ground, natural, streets):
    """Roads lie on embankments over the smooth ground, so that they do not follow every field."""
    low = on_cells(hilliness) < 0.02
    for kind in ("field", "village", "alley", "local", "area", "commune", "main", "provincial", "national"):
        lines = [street.line.buffer(_half(kind)) for street in streets if street.kind == kind]
        if not lines:
            continue
        road = _mask(lines, ground.shape) & low
        lift = _EMBANKMENT[kind]
        ground[road] = np.maximum(ground[road], natural[road] + lift) if lift > 0.2 else ground[road] + lift


def _half(kind):
    return {"national": 8.0, "provincial": 7.0, "main": 8.0, "area": 6.0, "commune": 5.0}.get(kind, 3.6)


def _carve_streams(ground, water, level):
    for name, line in water.streams.items():
        channel = _mask([line.buffer(max(water.stream_widths[name] / 2, 3.6))], ground.shape)
        if water.stream_kinds[name] == "stream":
            ground[channel] = np.maximum(ground[channel] - 1.6, np.minimum(ground[channel], 0.6))
        else:
            ground[channel] = np.minimum(ground[channel] - 0.3, level[channel] - 3.6)


def _raise_dyke(ground, water):
    rows, columns = ground.shape
    near = _mask([water.dyke.buffer(26.0)], ground.shape)
    row, column = np.nonzero(near)
    x, y = column * CELL + CELL / 2, HEIGHT - (row * CELL + CELL / 2)
    along, offset = Ruler(water.dyke, 1.0).measure(x, y)
    crest = dyke_crest(along, water.ruler.measure(x, y)[0])
    # Half a cell's diagonal and more: the crest is closed for a flood that spreads in eight directions.
    slope = crest - np.maximum(np.abs(offset) - 4.0, 0.0) / 2.5
    ground[row, column] = np.maximum(ground[row, column], slope)


def transform():
    """Raster transform in local coordinates."""
    return from_origin(0.0, HEIGHT, CELL, CELL)


def _mask(shapes, out_shape):
    shapes = [shape for shape in shapes if not shape.is_empty]
    return rasterize(
        ((shape, 1) for shape in shapes), out_shape=out_shape, transform=transform(), fill=0, dtype="uint8"
    ).astype(bool)


def height_at(terrain: NDArray, x: NDArray, y: NDArray) -> NDArray[np.float64]:
    """Height of the cell each point lies in, metres."""
    row = np.clip(((HEIGHT - np.asarray(y)) / CELL).astype(int), 0, terrain.shape[0] - 1)
    column = np.clip((np.asarray(x) / CELL).astype(int), 0, terrain.shape[1] - 1)
    return terrain[row, column].astype(float)


def flooded(terrain: NDArray, surface: NDArray, water: Watercourses) -> NDArray[np.float64]:
    """Depth where the water surface is above the ground and connected with the river over wet cells; else 0."""
    wet = surface > terrain
    patches, _ = label(wet, structure=np.ones((3, 3), dtype=int))
    river = np.unique(patches[_mask([water.water], terrain.shape) & wet])
    reached = np.isin(patches, river[river > 0])
    return np.where(reached, surface - terrain, 0.0)


def level_surface(water: Watercourses, above_alarm_3: float) -> NDArray[np.float64]:
    """Water surface of a flood so much above alarm 3, on the raster's cells."""
    return on_cells(lambda x, y: alarm_3(water.ruler.measure(x, y)[0]) + above_alarm_3)
