"""The river, its two streams and canals, the islet, and the dyke of the north bank."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely
from shapely import LineString, MultiPolygon, Polygon

from .curves import Ruler, smooth_line
from .place import extent

RIVER_NAME = "sông Trạch"
_RIVER = [(-500, 1250), (300, 1750), (900, 1850), (1500, 1500), (2100, 1200), (2650, 1450), (2900, 2050), (3150, 2650),
          (3700, 3020), (4300, 2960), (4850, 2640), (5400, 2700), (5900, 3150), (6500, 3500)]
_STREAMS = {
    # name: control points from source to mouth, width in metres, kind
    "suối Khe Mây": ([(-100, 620), (450, 800), (800, 1150), (1000, 1400), (1080, 1800)], 9.0, "stream"),
    "hói Bàu Sen": ([(6100, 900), (5650, 1150), (5250, 1350), (5150, 1750), (5260, 2150), (5180, 2600)], 14.0, "creek"),
    "kênh Nam Trạch": ([(2300, 250), (2950, 480), (3500, 560), (4300, 480), (5000, 820), (5250, 1350)], 8.0, "canal"),
    "kênh Đông Lộc": ([(1300, 5600), (1750, 4750), (2500, 4200), (3300, 4350), (4200, 4480), (5000, 4250), (5500, 3750),
                       (5650, 3300), (5620, 2900)], 12.0, "canal"),
    "hói Nhánh Đông": ([(3300, 4350), (3420, 4900), (3700, 5600)], 7.0, "canal"),
}
#: Distance of the dyke's axis from the river's axis; the land between is bãi bồi. It begins at the north-west hills.
_DYKE = [(560, 3020), (900, 2900), (1280, 2720), (1460, 2418), (1650, 2120), (2080, 1640), (2380, 1690), (2640, 2180),
    (2715, 2362), (2890, 2800), (3400, 3290), (3850, 3400),
         (4510, 3250), (4920, 2960), (5250, 2960), (5600, 3260), (5760, 3480), (6150, 3750)]


def name_on_a_map(name: str) -> str:
    """The name as it begins a label: only its first letter is raised, proper names keep theirs."""
    return name[0].upper() + name[1:]


@dataclass(frozen=True)
class Watercourses:
    """Lines and surfaces of the water and the dyke, local coordinates."""

    axis: LineString
    ruler: Ruler
    water: Polygon
    islet: Polygon
    streams: dict[str, LineString]
    stream_widths: dict[str, float]
    stream_kinds: dict[str, str]
    stream_water: MultiPolygon
    dyke: LineString


def half_width(chainage: np.ndarray) -> np.ndarray:
    """Half the river's width at low water, metres: 55 to 85, wider downstream and in bends."""
    return 58.0 + 14.0 * chainage / 8000.0 + 9.0 * np.sin(chainage / 420.0) + 5.0 * np.sin(chainage / 167.0 + 1.0)


def draw_watercourses() -> Watercourses:
    """Build all of it from the control points above."""
    axis = smooth_line(_RIVER, 20.0)
    ruler = Ruler(axis)
    normal = np.column_stack([-ruler.tangents[:, 1], ruler.tangents[:, 0]])
    reach = half_width(ruler.chainage)[:, None]
    banks = np.vstack([(ruler.points + reach * normal)[::6], (ruler.points - reach * normal)[::-6]])
    islet = Polygon(
        smooth_line([(4010, 2995), (4200, 3012), (4420, 2955), (4330, 2930), (4130, 2962), (4010, 2995)], 15.0).coords
    )
    water = shapely.make_valid(Polygon(np.round(banks, 2)))
    water = shapely.difference(shapely.intersection(water, extent()), islet)
    streams = {name: smooth_line(points, 20.0) for name, (points, _, _) in _STREAMS.items()}
    widths = {name: width for name, (_, width, _) in _STREAMS.items()}
    surfaces = [streams[name].buffer(widths[name] / 2, cap_style="flat") for name in streams]
    stream_water = shapely.difference(
        shapely.intersection(shapely.union_all(surfaces), extent()), shapely.union(water, islet)
    )
    return Watercourses(
        axis=axis,
        ruler=ruler,
        water=water,
        islet=islet,
        streams=streams,
        stream_widths=widths,
        stream_kinds={name: kind for name, (_, _, kind) in _STREAMS.items()},
        stream_water=stream_water,
        dyke=smooth_line(_DYKE, 20.0),
    )
