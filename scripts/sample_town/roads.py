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
from .relief import alarm_3, natural_ground
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
#: Small bridges over streams and canals: how far they reach behind the banks (a cell of the terrain), and their decks above alarm 3 and above the ground, metres.
_ABUTMENT, _ABOVE_ALARM_3, _ABOVE_GROUND = 5.0, 0.1, 0.5


def road_layer(streets: Streets, water: Watercourses, territory: Territory) -> pd.DataFrame:
    """One row for each network segment; bridges are segments of their own from abutment to abutment."""
    net = streets.network
    names = name_streets(streets.streets)
    met = np.bincount(np.concatenate([net.start, net.end]), minlength=len(net.nodes)) > 1
    rows, small = [], []
    for line, owner, begins, ends in zip(net.lines, net.street, met[net.start], met[net.end]):
        street = streets.streets[owner]
        for piece, bridge in _with_bridge(line, names[owner], water):
            # What a small bridge cuts off comes last, so that no segment gets another number for it.
            first, *others = [(piece, bridge, None)] if bridge else _with_small_bridges(piece, water, begins, ends)
            rows.append((first[0], owner, street.kind, names[owner], first[1], first[2]))
            small += [(shape, owner, street.kind, names[owner], over, stream) for shape, over, stream in others]
    frame = pd.DataFrame([*rows, *small], columns=["geometry", "street", "kind", "name", "bridge", "over"])
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
    little = frame["over"].notna().to_numpy()
    deck = np.where(little, np.maximum(alarm_3(chainage) + _ABOVE_ALARM_3, natural_ground(x, y, water) + _ABOVE_GROUND), alarm_3(chainage) + 2.4)
    frame["bridge_deck_level_m"] = np.where(frame["bridge"], np.round(deck, 1), np.nan)
    load = np.where(little, np.where(np.isin(kind, ["field", "village", "alley", "dyke"]), 2.5, 18.0), np.where(kind == "national", 30.0, 40.0))
    frame["load_limit_t"] = np.where(frame["bridge"], load, np.nan)
    frame["note"] = np.where(little, "Cầu qua " + frame["over"].fillna(""), np.where(frame["bridge"], frame["name"].map(_BRIDGES), None))
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


def _with_small_bridges(line, water: Watercourses, begins: bool, ends: bool):
    """Cut a segment where it crosses streams and canals, a little behind their banks.

    Tracks of both sides meet on the axis of a stream: each is half a bridge. A track that ends in the water alone (not ``begins``, not ``ends``) has none.
    """
    over = shapely.get_parts(shapely.intersection(line, water.stream_water))
    over = over[shapely.length(over) > 0]
    spans = []
    for part in over:
        a, b = sorted(line.project(shapely.Point(part.coords[at])) for at in (0, -1))
        if (a > 0.01 or begins) and (b < line.length - 0.01 or ends) and b - a > 0.5:
            name = min(water.streams, key=lambda stream: water.streams[stream].distance(part))
            spans.append((max(a - _ABUTMENT, 0.0), min(b + _ABUTMENT, line.length), name))
    pieces, at = [], 0.0
    for begin, end, name in sorted(spans):
        begin = max(begin, at)
        if begin - at > 0.5:
            pieces.append((substring(line, at, begin), False, None))
        else:
            begin = at
        if line.length - end < 0.5:
            end = line.length
        pieces.append((substring(line, begin, end), True, name))
        at = end
    if line.length - at > 0.5:
        pieces.append((substring(line, at, line.length), False, None))
    if len(pieces) < 2:
        return [(line, bool(spans), spans[0][2] if spans else None)]
    return [(shapely.set_precision(piece, 0.01), bridge, name) for piece, bridge, name in pieces]


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
