"""The road layer: segments between junctions with class, lanes, widths, direction, speed and bridges."""

from __future__ import annotations

import networkx
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from shapely.ops import substring

from .landscape import urbanity
from .names import name_streets
from .place import generator
from .relief import alarm_3
from .street_classes import CLASSES
from .streets import Streets
from .territory import WARDS, Territory
from .watercourses import Watercourses

#: Road class of the catalogue; national and provincial roads are streets inside the town and highways outside.
_CATALOGUE_CLASS = {"main": "main_axis", "area": "area", "local": "sub_area", "alley": "alley", "commune": "class_5",
    "village": "rural", "field": "path",
                    "dyke": "rural"}
_ROAD_CODES = {
    "Quốc lộ 49C": "QL.49C",
    "Đường tránh phía Đông": "ĐT.16C",
    "Đường tỉnh 16": "ĐT.16",
    "Đường tỉnh 16B": "ĐT.16B",
}
_BRIDGES = {"Quốc lộ 49C": "Cầu Trạch", "Đường tránh phía Đông": "Cầu Đông Lộc"}


def road_layer(streets: Streets, water: Watercourses, territory: Territory) -> pd.DataFrame:
    """One row for each network segment; bridges are segments of their own from abutment to abutment."""
    net = streets.network
    names = name_streets(streets.streets)
    rows = []
    for line, owner in zip(net.lines, net.street):
        street = streets.streets[owner]
        for piece, bridge in _with_bridge(line, names[owner], water):
            rows.append((piece, owner, street.kind, names[owner], bridge))
    frame = pd.DataFrame(rows, columns=["geometry", "street", "kind", "name", "bridge"])
    lines = frame["geometry"].to_numpy()
    middle = shapely.line_interpolate_point(lines, 0.5, normalized=True)
    x, y = shapely.get_coordinates(middle).T
    town = urbanity(x, y) > 0.45
    kind = frame["kind"].to_numpy()
    highway = np.where(town, "main_axis", np.where(kind == "national", "class_3", "class_4"))
    frame["road_class"] = [
        highway[at] if value in ("national", "provincial") else _CATALOGUE_CLASS[value] for at, value in enumerate(kind)
    ]
    classes = [CLASSES[value] for value in kind]
    rng = generator("roads")
    vary = rng.uniform(-0.06, 0.06, frame["street"].max() + 1)[frame["street"]]
    frame["lanes"] = [street.lanes for street in classes]
    frame["width_m"] = np.round([street.carriageway * (1 + v) for street, v in zip(classes, vary)], 1)
    frame["red_line_width_m"] = [street.right_of_way for street in classes]
    frame["speed_kmh"] = [
        float(min(street.speed, 50) if inside else street.speed) for street, inside in zip(classes, town)
    ]
    frame["surface"] = [street.surface for street in classes]
    frame["road_code"] = frame["name"].map(_ROAD_CODES)
    chainage, _ = water.ruler.measure(x, y)
    frame["bridge_deck_level_m"] = np.where(frame["bridge"], np.round(alarm_3(chainage) + 2.4, 1), np.nan)
    frame["load_limit_t"] = np.where(frame["bridge"], np.where(kind == "national", 30.0, 40.0), np.nan)
    frame["note"] = np.where(frame["bridge"], frame["name"].map(_BRIDGES), None)
    frame["commune_code"] = [WARDS[at][2] for at in territory.hamlet_ward[territory.hamlet_at(middle)]]
    frame["direction"] = one_ways(frame)
    return frame


def _with_bridge(line, name, water: Watercourses):
    """Cut a segment of a bridged road 8 m behind the banks."""
    if name not in _BRIDGES or not line.intersects(water.water):
        return [(line, False)]
    over = line.intersection(water.water)
    begin, end = sorted(line.project(shapely.Point(over.coords[at])) for at in (0, -1))
    begin, end = max(begin - 8.0, 0.0), min(end + 8.0, line.length)
    cuts = [0.0, begin, end, line.length]
    pieces = [(substring(line, a, b), at == 1) for at, (a, b) in enumerate(zip(cuts, cuts[1:])) if b - a > 0.5]
    # Cut ends on the grid of the junctions, the same point on both sides.
    return [(shapely.set_precision(piece, 0.01), bridge) for piece, bridge in pieces]


def graph_of(frame: pd.DataFrame) -> networkx.MultiDiGraph:
    """The directed graph of the road layer; nodes are end coordinates in millimetres."""
    graph = networkx.MultiDiGraph()
    lines = frame["geometry"].to_numpy()
    start = np.rint(shapely.get_coordinates(shapely.get_point(lines, 0)) * 1000).astype(int)
    end = np.rint(shapely.get_coordinates(shapely.get_point(lines, -1)) * 1000).astype(int)
    for at, direction in enumerate(frame["direction"]):
        a, b = tuple(start[at]), tuple(end[at])
        if direction in ("both", "forward"):
            graph.add_edge(a, b, row=at)
        if direction in ("both", "backward"):
            graph.add_edge(b, a, row=at)
    return graph


def one_ways(frame: pd.DataFrame) -> NDArray[np.object_]:
    """Make some streets of the centre one-way, each only if every place can still be reached from every other."""
    rng = generator("one ways")
    frame = frame.assign(direction="both")
    middle = shapely.get_coordinates(shapely.centroid(frame["geometry"].to_numpy()))
    central = (urbanity(*middle.T) > 0.78) & (frame["kind"] == "local")
    direction = frame["direction"].to_numpy().astype(object)
    whole = networkx.number_strongly_connected_components(graph_of(frame))
    chosen = 0
    for street in rng.permutation(frame.loc[central, "street"].unique()):
        mine = (frame["street"] == street).to_numpy()
        trial = direction.copy()
        trial[mine] = "forward" if rng.random() < 0.6 else "backward"
        if networkx.number_strongly_connected_components(graph_of(frame.assign(direction=trial))) == whole:
            direction = trial
            chosen += 1
        if chosen == 9:
            break
    return direction
