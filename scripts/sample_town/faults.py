"""The documented faults: a handful of mistakes of real life, each in a feature of its own, listed in the README."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import shapely
from shapely.ops import substring


@dataclass(frozen=True)
class Fault:
    """One mistake: what, in which layer and feature."""

    kind: str
    layer: str
    feature_id: str
    meaning: str


def make_faults(layers: dict[str, pd.DataFrame]) -> list[Fault]:
    """Put the mistakes into the finished layers and list them."""
    parcel, road, facility, land = layers["parcel"], layers["road"], layers["facility"], layers["land_use_2025"]
    faults: list[Fault] = []
    shapes = parcel["geometry"].to_numpy()
    corners = shapely.get_num_coordinates(shapes)
    field = np.flatnonzero((parcel["character"] == "field") & (shapely.area(shapes) > 4000) & (corners <= 7))
    picked = [int(field[int(share * len(field))]) for share in (0.12, 0.31, 0.55, 0.74, 0.9)]
    _set(parcel, picked[0], "geometry", shapes[picked[0]].buffer(-0.12, join_style="mitre"))
    faults.append(
        Fault("gap", "parcel", parcel["feature_id"].iat[picked[0]], "Ranh thửa lùi 12 cm: khe hở với mọi thửa liền kề")
    )
    _set(parcel, picked[1], "geometry", shapes[picked[1]].buffer(0.10, join_style="mitre"))
    faults.append(
        Fault(
            "overlap",
            "parcel",
            parcel["feature_id"].iat[picked[1]],
            "Ranh thửa lấn 10 cm: chồng lấn với mọi thửa liền kề",
        )
    )
    square = np.flatnonzero((parcel["character"] == "field") & (corners == 5))
    crossed = int(square[len(square) // 2])
    xy = shapely.get_coordinates(shapes[crossed])
    _set(parcel, crossed, "geometry", shapely.Polygon(xy[[0, 2, 1, 3, 0]]))
    faults.append(
        Fault("self_crossing", "parcel", parcel["feature_id"].iat[crossed], "Ranh thửa tự cắt (thứ tự hai đỉnh bị đảo)")
    )
    _set(parcel, picked[2], "land_code", "DDX")
    faults.append(
        Fault("unknown_code", "parcel", parcel["feature_id"].iat[picked[2]], "Mã loại đất DDX không có trong danh mục")
    )
    patch = int(np.flatnonzero(land["land_code"] == "HNK")[40])
    _set(land, patch, "land_code", "HNK1")
    faults.append(
        Fault(
            "unknown_code", "land_use_2025", land["feature_id"].iat[patch], "Mã loại đất HNK1 không có trong danh mục"
        )
    )
    alleys = np.flatnonzero((road["road_class"] == "alley") & (shapely.length(road["geometry"].to_numpy()) > 60))
    alone = next(int(at) for at in alleys if _ends_free(road, at) == 1)
    line = road["geometry"].iat[alone]
    free_start = _free(road, alone, 0)
    _set(road, alone, "geometry", _without_end(line, 4.0, at_start=not free_start))
    faults.append(
        Fault("disconnected", "road", road["feature_id"].iat[alone], "Kiệt vẽ thiếu 4 m, không nối với mạng lưới đường")
    )
    named = np.flatnonzero(road["road_class"] == "sub_area")
    blank = int(named[len(named) // 3])
    _set(road, blank, "name", "   ")
    faults.append(Fault("blank_name", "road", road["feature_id"].iat[blank], "Tên đường chỉ có dấu cách"))
    culture = int(np.flatnonzero(facility["kind"] == "culture_house")[5])
    _set(facility, culture, "name", " ")
    faults.append(
        Fault(
            "blank_name",
            "facility",
            facility["feature_id"].iat[culture],
            "Tên công trình bắt buộc nhưng chỉ có dấu cách",
        )
    )
    return faults


def _set(frame: pd.DataFrame, row: int, column: str, value: object) -> None:
    frame.iat[row, frame.columns.get_loc(column)] = value


def _free(road, row, end):
    point = shapely.get_point(road["geometry"].iat[row], end)
    return int((shapely.distance(road["geometry"].to_numpy(), point) < 0.5).sum()) == 1


def _ends_free(road, row):
    return int(_free(road, row, 0)) + int(_free(road, row, -1))


def _without_end(line, length, *, at_start):
    piece = substring(line, length, line.length) if at_start else substring(line, 0, line.length - length)
    return shapely.set_precision(piece, 0.01)
