"""Files of a flood report: the text for a chat, the GeoPackage with everything mapped and counted, the workbook."""

from __future__ import annotations

from pathlib import Path

import geopandas
import numpy as np
import pandas
import shapely

from ...common.files import add_to_geopackage
from ...common.language import speaking
from ...common.progress import Progress, part, silent
from ...common.workbook import write_workbook
from ..exposure.exposure_range_workbook import range_sheets
from ..exposure.flood_exposure_workbook import exposure_sheets
from .flood_report import FloodReport, ReportLayers
from .flood_report_tables import change_table, cut_off_table, level_table, shelter_table, street_table
from .report_previous import TABLE


def write_text(path: Path, lines: list[str]) -> None:
    """Write the lines as UTF-8 with the signature old Windows programs need to show Vietnamese."""
    path.write_text("\n".join(lines) + "\n", encoding="utf-8-sig")


def write_mapped(report: FloodReport, layers: ReportLayers, geopackage: Path, progress: Progress = silent) -> None:
    """Write everything mapped and counted.

    The GeoPackage has: muc_nuoc, tong_hop, cap_do_sau, cong_trinh_ngap, and where known duong, duong_nen, don_vi, diem_so_tan, co_so, ranh_gioi, song.
    """
    with speaking("vi"):
        parts = _layers(report, layers)
        rows = np.cumsum([0, *(len(frame) for _, frame, _ in parts)]) / max(sum(len(frame) for _, frame, _ in parts), 1)
        for (name, frame, kind), start, end in zip(parts, rows, rows[1:]):
            add_to_geopackage(frame, geopackage, name, kind or "Unknown", part(progress, start, end))


def write_figures(
    report: FloodReport, layers: ReportLayers, workbook: Path, previous: pandas.DataFrame | None, progress: Progress = silent
) -> None:
    """Write the workbook."""
    with speaking("vi"):
        when = f"{report.time:%H:%M %d/%m/%Y}" if report.time else "chưa nêu"
        subtitle = f"Ước tính; thời điểm: {when}; hệ cao độ: {report.datum or 'chưa nêu'}"
        told = {
            "depth_name": report.depth_path.name,
            "tags": {"TIME": f"{report.time:%H:%M %d/%m/%Y}" if report.time else "", "VERTICAL_DATUM": report.datum},
            "remarks": [],
        }
        more = [t for t in (level_table(report), street_table(report, layers.road_names()), cut_off_table(report), shelter_table(report), change_table(report, previous)) if t is not None]
        sheets = [*(table.sheet(subtitle) for table in more), *range_sheets(report.summary, report.facilities, **told), *exposure_sheets(report.exposure, **told)]
        write_workbook(workbook, sheets, part(progress, 0.2, 1.0))


def frame_of(report: FloodReport, layers: ReportLayers) -> tuple[float, float, float, float]:
    """West, south, east, north of what the map is about: houses in the water and stations, with some room; all houses where none is wet."""
    wet = report.exposure.buildings["depth_class"] > 0
    places = layers.buildings[wet.to_numpy()] if wet.any() else layers.buildings
    west, south, east, north = places.total_bounds
    if report.network is not None and report.network.streets["cut_off"].any():
        cut = report.network.streets[report.network.streets["cut_off"]].total_bounds
        west, south, east, north = min(west, cut[0]), min(south, cut[1]), max(east, cut[2]), max(north, cut[3])
    room = 0.03 * max(east - west, north - south, 200.0)
    return west - room, south - room, east + room, north + room


def _layers(report: FloodReport, layers: ReportLayers) -> list[tuple[str, pandas.DataFrame, str | None]]:
    found: list[tuple[str, pandas.DataFrame, str | None]] = [
        # Columns the style of gauges speaks of are those of the stations; the readings go with them.
        ("muc_nuoc", report.levels.assign(kind=[r.station.kind for r in report.used], **{f"alarm_{k}_m": [r.station.alarm_m[k - 1] for r in report.used] for k in (1, 2, 3)}), "Point"),
        (TABLE, report.summary, None), ("cap_do_sau", report.exposure.table, None)]
    wet = report.exposure.buildings
    houses = layers.buildings.join(wet, rsuffix="_tinh")
    if report.network is not None:
        houses["cut_off"] = report.network.places["cut_off"].to_numpy()
    shown = houses[(houses["depth_class"] != 0) | houses.get("cut_off", False)]
    found.append(("cong_trinh_ngap", shown, "MultiPolygon" if _polygonal(shown) else "MultiPoint"))
    if report.network is not None:
        streets = report.network.streets
        if "road_class" in layers.roads:
            streets = streets.assign(road_class=streets["street_id"].map(layers.roads["road_class"]))
        found += [
            ("duong", streets, "MultiLineString"),
            ("don_vi", report.network.units, None),
            ("duong_nen", layers.roads, "MultiLineString"),
        ]
    for name, table, frame in (
        ("diem_so_tan", report.shelters, layers.shelters),
        ("co_so", None if report.facilities is None else report.facilities.facilities, layers.facilities),
    ):
        if table is not None:
            new = table.drop(columns=[c for c in ("name", "kind") if c in frame.columns and c in table.columns])
            joined = frame.join(new)
            found.append((name, joined, "MultiPolygon" if _polygonal(joined) else "MultiPoint"))
    for name, frame in (("ranh_gioi", layers.units), ("song", layers.source)):
        if frame is not None and _polygonal(frame):
            found.append((name, frame, "MultiPolygon"))
    return found


def _polygonal(frame: geopandas.GeoDataFrame) -> bool:
    return bool((shapely.get_dimensions(np.asarray(frame.geometry.array, dtype=object)) == 2).any())
