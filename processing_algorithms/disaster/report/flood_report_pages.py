"""The pages of text of the annex: a head in the form of administrative papers, tables, sources. Vietnamese whatever the interface speaks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas

from ...common.language import speaking
from ...common.numbers_vi import format_number
from ..exposure.exposure_range_workbook import facility_labels
from .flood_report import FloodReport
from .flood_report_columns import PrintedTable
from .flood_report_tables import (
    change_table,
    class_table,
    cut_off_table,
    facility_table,
    level_table,
    shelter_table,
    street_table,
    unit_table,
)


@dataclass(frozen=True)
class Text:
    """A paragraph. ``above`` is the room above it, points."""

    text: str
    bold: bool = False
    italic: bool = False
    centred: bool = False
    points: float = 10.0
    above: float = 0.0


@dataclass(frozen=True)
class Lines:
    """A list with bullets."""

    lines: Sequence[str]


@dataclass(frozen=True)
class Head:
    """The two cells at the head of an administrative paper."""

    left: str
    right: str


#: What pages are made of; a `PrintedTable` has its heading with it.
Block = Text | Lines | Head | PrintedTable


def title_of(report: FloodReport, place: str) -> str:
    """Title of map and picture: place and time."""
    when = f"{report.time:%H:%M} ngày {report.time:%d/%m/%Y}" if report.time else "(chưa nêu thời điểm)"
    return f"Ngập lụt ước tính {place}, lúc {when}".replace(" ,", ",").replace("  ", " ")


def sources(report: FloodReport, terrain: str) -> str:
    """Sources in one sentence."""
    error = f"sai số cao độ {format_number(report.terrain_error_m, 2)} m" if report.terrain_error_m else "chưa nêu sai số"
    return f"bản tin lũ; địa hình {terrain} ({error}); hệ cao độ {report.datum or 'chưa nêu'}."


def annex_blocks(
    report: FloodReport, lines: list[str], *, agency: str, place: str, risk_level: str, reported: str, previous: pandas.DataFrame | None, terrain: str,
    road_names: pandas.Series | None,
) -> list[Block]:
    """Say what stands in the annex, from the top.

    Parameters
    ----------
    lines : list of str
        The ten lines, which open the annex.
    reported : str
        Damage as reported; typed, in a section of its own.
    """
    with speaking("vi"):
        when = f"{report.time:%H:%M} ngày {report.time:%d/%m/%Y}" if report.time else "(chưa nêu)"
        parts: list[Block] = [
            Head(agency, "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM\nĐộc lập - Tự do - Hạnh phúc"), Text("PHỤ LỤC ƯỚC TÍNH NGẬP LỤT", bold=True, centred=True, points=14, above=10),
            Text(f"(kèm theo báo cáo nhanh; {place + ', ' if place else ''}tính cho {when})", italic=True, centred=True),
            Text("Số liệu dưới đây là ước tính từ mực nước trạm và mô hình số độ cao, có mức thấp - cao trong ngoặc; không thay cho số liệu thiệt hại do địa phương báo cáo.", italic=True, above=6),
            _heading(1, "Tóm tắt"), Lines(lines[1:-1])]
        number = 2
        if risk_level:
            parts.append(_heading(number, f"Cấp độ rủi ro thiên tai (theo bản tin dự báo): {risk_level}"))
            number += 1
        if reported:
            parts += [_heading(number, "Thiệt hại do địa phương báo cáo (nhập tay, không phải số ước tính)"), Text(reported)]
            number += 1
        tables = [level_table(report), change_table(report, previous), unit_table(report, "commune"), class_table(report), street_table(report, road_names), cut_off_table(report),
                  shelter_table(report), facility_table(report, facility_labels()), unit_table(report, "hamlet")]
        for table in tables:
            if table is not None:
                parts.append(table.printed(number))
                number += 1
        return [
            *parts,
            _heading(number, "Phương pháp, nguồn, sai số"),
            *(Text("- " + text) for text in _method(report, terrain)),
        ]


def _heading(number: int, text: str) -> Text:
    return Text(f"{number}. {text}", bold=True, points=11, above=8)


def _method(report: FloodReport, terrain: str) -> list[str]:
    depths = report.depths["middle"]
    texts = [f"Mặt nước {'dọc theo sông giữa các trạm' if 'ALONG' in _method_tag(report) else 'nội suy giữa các trạm'}, mặt nước tĩnh: không xét thời gian truyền lũ, vận tốc; sau đê bị tràn coi là đầy tới mặt nước (cận trên).",
             f"Nguồn: {sources(report, terrain)}"]
    if depths.root_mean_square_error_m is not None:
        texts.append(f"Sai số mặt nước khi bỏ từng trạm: trung phương {format_number(depths.root_mean_square_error_m, 2)} m.")
    narrowest = report.exposure.classes.narrowest_m
    if report.terrain_error_m > narrowest:
        texts.append(f"Cấp độ sâu hẹp nhất ({format_number(narrowest, 2)} m) mịn hơn sai số địa hình ({format_number(report.terrain_error_m, 2)} m): số liệu theo cấp chỉ để tham khảo.")
    if depths.unknown_cells:
        texts.append(f"{format_number(depths.unknown_cells)} ô chưa có địa hình: chưa rõ ngập hay không, không coi là khô.")
    return texts + report.notes


def _method_tag(report: FloodReport) -> str:
    from osgeo import gdal

    dataset = gdal.Open(str(report.depth_path))
    return "" if dataset is None else (dataset.GetMetadata() or {}).get("METHOD", "")
