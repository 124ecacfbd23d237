"""Gauges with alarm levels, the marks and extents of the past flood, slopes that slide, and reports from the field."""

from __future__ import annotations

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from rasterio.features import shapes as raster_shapes
from rasterio.transform import from_origin
from scipy.ndimage import uniform_filter
from shapely.geometry import shape

from .place import CELL, HEIGHT, extent, generator
from .polygons import polygonal
from .relief import alarm_3, flooded, height_at, level_surface
from .territory import WARDS, Territory
from .watercourses import RIVER_NAME, Watercourses, half_width

FLOOD_NAME, FLOOD_DATE, FLOOD_ABOVE_ALARM_3 = "Lũ tháng 11/2019 (giả định)", "2019-11-06", 0.60
#: code, name, chainage along the river (metres), bank, datum, height of the gauge's zero.
_GAUGES = [("HN9901", "Khe Mây", 1150.0, -1, "national", 0.0), ("HN9902", "Lam Trạch", 4030.0, -1, "national", 0.0),
           ("HN9903", "Trạch Đông", 7450.0, 1, "gauge_zero", -0.42)]


def gauge_layer(water: Watercourses) -> pd.DataFrame:
    """Three stations; the third gives its levels above its own zero, as some do."""
    rows = []
    for code, name, chainage, bank, datum, zero in _GAUGES:
        third = round(float(alarm_3(chainage)), 1)
        record = round(float(alarm_3(chainage)) + FLOOD_ABOVE_ALARM_3, 2)
        rows.append(
            {
                "geometry": _beside_river(water, chainage, bank * (half_width(np.array(chainage)) - 4.0)),
                "station_code": code,
                "name": name,
                "river_name": RIVER_NAME,
                "kind": "river",
                "alarm_1_m": round(third - 2.8 - zero, 2),
                "alarm_2_m": round(third - 1.5 - zero, 2),
                "alarm_3_m": round(third - zero, 2),
                "alarm_source": "Quyết định giả định, dữ liệu mẫu",
                "datum": datum,
                "gauge_zero_m": zero,
                "record_flood_m": round(record - zero, 2),
                "record_flood_date": FLOOD_DATE,
                "operator": "Đài Khí tượng Thủy văn (giả định)",
                "source": "Dữ liệu mẫu",
                "note": None if datum == "national" else "Mực nước tính từ số 0 của trạm.",
            }
        )
    return pd.DataFrame(rows)


def _beside_river(water: Watercourses, chainage: float, offset: float) -> shapely.Point:
    at = int(np.searchsorted(water.ruler.chainage, chainage))
    tangent = water.ruler.tangents[at]
    x, y = water.ruler.points[at] + offset * np.array([-tangent[1], tangent[0]])
    return shapely.Point(round(x, 2), round(y, 2))


def flood_depth_2019(terrain: NDArray, water: Watercourses) -> NDArray[np.float64]:
    """Depth of the flood of 2019 as the marks and the extents show it."""
    return flooded(terrain, level_surface(water, FLOOD_ABOVE_ALARM_3), water)


def flood_mark_layer(
    depth: NDArray, terrain: NDArray, buildings: pd.DataFrame, water: Watercourses, territory: Territory
) -> pd.DataFrame:
    """Sixteen marks on walls of houses and offices along the river, surveyed with an error of some centimetres."""
    rng = generator("flood marks")
    x, y = shapely.get_coordinates(shapely.centroid(buildings["geometry"].to_numpy())).T
    chainage, offset = water.ruler.measure(x, y)
    candidates = np.flatnonzero((height_at(depth, x, y) > 0.25) & (np.abs(offset) < 1500))
    bands = np.digitize(chainage[candidates], np.quantile(chainage[candidates], np.linspace(0, 1, 17)[1:-1]))
    rows = []
    for band in range(16):
        at = int(rng.choice(candidates[bands == band]))
        error = rng.choice([0.02, 0.05, 0.10])
        level = round(
            float(alarm_3(chainage[at]))
            + FLOOD_ABOVE_ALARM_3
            + float(np.clip(rng.normal(0, error * 0.6), -0.12, 0.12)),
            2,
        )
        ward = WARDS[territory.hamlet_ward[buildings["hamlet"].iat[at]]]
        rows.append(
            {
                "geometry": shapely.Point(round(x[at], 2), round(y[at], 2)),
                "commune_code": ward[2],
                "event_name": FLOOD_NAME,
                "event_date": FLOOD_DATE,
                "level_m": level,
                "datum": "national",
                "depth_m": round(level - float(height_at(terrain, x[at], y[at])), 2),
                "accuracy_m": error,
                "place": buildings["name"].iat[at]
                or f"Tường nhà dân, {territory.hamlet_names[buildings['hamlet'].iat[at]].lower()}",
                "survey_date": "2019-11-20",
                "source": "Điều tra vết lũ (giả định)",
                "note": None,
            }
        )
    return pd.DataFrame(rows)


def flood_zone_layer(depth: NDArray) -> pd.DataFrame:
    """The flood of 2019 by depth class, drawn on 20 m cells."""
    coarse = uniform_filter(depth, 4)[2::4, 2::4]
    edges = [0.05, 0.5, 1.0, 2.0, np.inf]
    rows = []
    for low, high in zip(edges, edges[1:]):
        patch = _outline((coarse >= low) & (coarse < high), 4 * CELL, 3 * 400.0)
        rows.append(
            {
                "geometry": patch,
                "name": FLOOD_NAME,
                "origin": "observed",
                "event_date": FLOOD_DATE,
                "return_period_years": np.nan,
                "min_depth_m": 0.0 if low < 0.1 else low,
                "max_depth_m": np.nan if np.isinf(high) else high,
                "method": "Nội suy từ vết lũ và mô hình số độ cao",
                "source": "Dữ liệu mẫu",
                "note": None,
            }
        )
    return pd.DataFrame(rows)


def landslide_zone_layer(terrain: NDArray) -> pd.DataFrame:
    """Steep hill slopes, and a stretch of the river bank."""
    slope_y, slope_x = np.gradient(uniform_filter(terrain.astype(float), 5), CELL)
    steep = np.degrees(np.arctan(np.hypot(slope_x, slope_y)))
    steep = uniform_filter(steep, 7)[2::4, 2::4]
    rows = []
    for number, (low, high, level) in enumerate([(15.0, 20.0, "medium"), (20.0, 90.0, "high")]):
        patches = _outline((steep >= low) & (steep < high), 4 * CELL, 9000.0)
        for patch in sorted(shapely.get_parts(patches), key=lambda part: -part.area)[:9]:
            where = "Khe Trai" if patch.centroid.y > 2500 else "Khe Mây"
            rows.append(
                {
                    "geometry": patch,
                    "name": f"Vùng nguy cơ sạt lở {where} {len(rows) + 1}",
                    "kind": "slope",
                    "susceptibility": level,
                    "households": 0,
                    "survey_date": "2024-09-15",
                    "source": "Dữ liệu mẫu",
                }
            )
    return pd.DataFrame(rows)


def _outline(mask: NDArray[np.bool_], cell: float, smallest: float):
    """Polygons of the true cells without the smallest patches, corners cut."""
    grid = from_origin(0.0, HEIGHT, cell, cell)
    found = [
        shape(geometry) for geometry, value in raster_shapes(mask.astype("uint8"), mask=mask, transform=grid) if value
    ]
    found = [patch for patch in found if patch.area >= smallest]
    smooth = [
        patch.buffer(cell * 0.35, quad_segs=1).buffer(-cell * 0.35, quad_segs=1).simplify(cell * 0.4) for patch in found
    ]
    merged = shapely.make_valid(shapely.union_all([patch for patch in smooth if not patch.is_empty]))
    return polygonal([shapely.set_precision(shapely.intersection(merged, extent()), 0.01)])[0]


def field_report_layer(
    depth: NDArray, buildings: pd.DataFrame, roads: pd.DataFrame, territory: Territory
) -> pd.DataFrame:
    """A few messages of a later day of high water."""
    rng = generator("reports")
    said = [
        ("flooding", "Nước tràn vào sân, khoảng 20 hộ đang kê đồ đạc.", 0.4, 70, "verified"),
        ("road_blocked", "Đường ngập, xe máy không qua được.", 0.5, None, "new"),
        ("people_in_need", "Hai người già cần hỗ trợ di dời.", 0.7, 2, "new"),
        ("dyke_incident", "Thấm chân đê phía đồng, nước trong.", None, None, "verified"),
        ("damage", "Tốc mái một nhà cấp 4.", None, 4, "handled"),
        ("flooding", "Chợ ngập, tiểu thương đã chuyển hàng.", 0.3, 45, "handled"),
        ("landslide", "Đất trượt xuống nửa mặt đường.", None, None, "verified"),
        ("other", "Mất điện toàn tổ dân phố.", None, 260, "dismissed"),
    ]
    x, y = shapely.get_coordinates(shapely.centroid(buildings["geometry"].to_numpy())).T
    wet = np.flatnonzero(height_at(depth, x, y) > 0.5)
    rows = []
    for number, (kind, text, deep, people, status) in enumerate(said):
        at = int(rng.choice(wet))
        ward = WARDS[territory.hamlet_ward[buildings["hamlet"].iat[at]]]
        rows.append(
            {
                "geometry": shapely.Point(round(x[at] + 6, 2), round(y[at] + 6, 2)),
                "commune_code": ward[2],
                "reported_at": f"2026-11-0{1 + number // 4}T{5 + 2 * number:02d}:{(7 * number) % 60:02d}:00+07:00",
                "kind": kind,
                "description": text,
                "depth_m": deep,
                "people_affected": people,
                "status": status,
                "reporter": "Tổ xung kích cơ sở",
                "reporter_phone": None,
                "photo": None,
                "note": None,
            }
        )
    return pd.DataFrame(rows)
