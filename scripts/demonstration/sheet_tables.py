"""The small tables on the printed maps, from the results the algorithms wrote."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pandas
import pyogrio
from qgis.core import QgsVectorLayer

from ...processing_algorithms.common.layout.qgis_layout_table import SheetTable
from ...processing_algorithms.common.numbers_vi import format_number
from ...processing_algorithms.common.rounding import round_closed, round_estimate


def estimate(count: float | None) -> str:
    """Estimated people and houses, rounded to what the data bear; a missing count is not 0."""
    return "-" if count is None or count != count else format_number(round_estimate(count))


def land_by_group(path: str) -> SheetTable:
    """Hectares and shares of the groups of land, as the statistics printed them."""
    table = pyogrio.read_dataframe(path, read_geometry=False)
    whole = table[table["unit_kind"] == "all"]
    groups = whole[(whole["level"] == 0) & (whole["kind"] == "group")]
    total = whole[whole["kind"] == "total"].iloc[0]
    rows = [[f"{name} ({code})", format_number(hectares, 2), format_number(share, 2)]
            for name, code, hectares, share in zip(groups["name"], groups["code"], groups["area_ha"],
                                                   groups["share_pct"])]
    return SheetTable("Cơ cấu sử dụng đất", ["Nhóm đất", "Diện tích (ha)", "Tỷ lệ (%)"],
                      [*rows, ["Tổng cộng", format_number(total["area_ha"], 2), format_number(total["share_pct"], 2)]],
                      total=True)


def zones_by_function(zones: QgsVectorLayer, most: int = 6) -> SheetTable:
    """Hectares and shares of the largest land functions of the plan, on the plane of the map; printed parts add up."""
    areas: Counter[str] = Counter()
    for zone in zones.getFeatures():
        areas[zone["function_code"]] += zone.geometry().area() / 1e4
    labels = {category.value(): category.label() for category in zones.renderer().categories()}
    largest = areas.most_common(most)
    rest = sum(areas.values()) - sum(area for _, area in largest)
    named = [(labels.get(code, code), area) for code,
             area in largest] + ([("Chức năng khác", rest)] if rest > 0 else [])
    hectares = round_closed([area for _, area in named], 2)
    shares = round_closed([100 * area / sum(areas.values()) for _, area in named], 1)
    rows = [[name, format_number(area, 2), format_number(share, 1)] for (name, _), area,
            share in zip(named, hectares, shares)]
    return SheetTable("Bảng cân bằng sử dụng đất", ["Chức năng", "Diện tích (ha)", "Tỷ lệ (%)"],
                      [*rows, ["Tổng cộng", format_number(hectares.sum(), 2), "100,0"]], total=True)


def reach_by_break(reached: QgsVectorLayer, breaks: list[str]) -> SheetTable:
    """Length of the streets first reached within each break."""
    metres: Counter[int] = Counter()
    for piece in reached.getFeatures():
        metres[piece["band"]] += piece["length_m"]
    kilometres = round_closed([metres[band + 1] / 1000 for band in range(len(breaks))], 1)
    total = kilometres.sum()
    shares = round_closed(100 * kilometres / total, 1)
    spans = [f"Đến {end} phút" if at == 0 else f"Trên {breaks[at - 1]} đến {end} phút" for at, end in enumerate(breaks)]
    rows = [[span, format_number(length, 1), format_number(share, 1)] for span, length,
            share in zip(spans, kilometres, shares)]
    return SheetTable("Chiều dài đường đến được", ["Thời gian", "Chiều dài (km)", "Tỷ lệ (%)"],
                      [*rows, ["Tổng cộng", format_number(total, 1), "100,0"]], total=True)


def flood_totals(geopackage: Path) -> pandas.Series:
    """All that stands in the water, from the report: low, middle and high of every quantity."""
    table = pyogrio.read_dataframe(geopackage, layer="tong_hop", read_geometry=False)
    return table[table["level"] == "all"].iloc[0]


def exposure_by_unit(geopackage: Path) -> SheetTable:
    """Estimated buildings, households and people in the water by ward; wards that stay dry are left out."""
    table = pyogrio.read_dataframe(geopackage, layer="tong_hop", read_geometry=False)
    wet = table[(table["level"] == "commune") & (table["buildings"] > 0)]
    rows = [[unit, *(estimate(value) for value in counts)]
            for unit, counts in zip(wet["unit"], wet[["buildings", "households", "residents"]].to_numpy())]
    whole = flood_totals(geopackage)
    return SheetTable("Ước tính công trình, người bị ngập (làm tròn)", ["Xã, phường", "Công trình", "Hộ", "Khẩu"],
                      [*rows, ["Tổng cộng",
                               *(estimate(whole[key]) for key in ("buildings", "households", "residents"))]],
                      total=True)
