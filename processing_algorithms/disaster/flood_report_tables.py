"""Tables of a flood report, the same for the PDF and the workbook: Vietnamese, low - middle - high, rounded to what estimates bear."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pandas

from ..common.numbers_vi import format_number
from ..common.rounding import round_estimate
from .flood_report import FloodReport

#: Rows of hamlets a printed annex holds; the workbook has them all.
_MOST_HAMLETS = 60
_MOST_SHELTERS = 30


@dataclass(frozen=True)
class ReportTable:
    """A table with its heading; cells are texts, the first column is the name."""

    title: str
    columns: list[str]
    rows: list[list[str]]
    note: str = ""
    none: str = "Không có."  # instead of rows


def people(value: float | None) -> str:
    """An estimate of people as it is printed: tens, from 1.000 hundreds; somebody is never nobody."""
    if value is None or value != value:
        return ""
    rounded = round_estimate(value)
    return "< 10" if value > 0 and rounded == 0 else format_number(rounded)


def spread(low: float | None, middle: float | None, high: float | None) -> str:
    """``"120 (90 - 150)"``; without the range where there is none."""
    if middle is None or middle != middle:
        return ""
    ends = people(low), people(high)
    return people(middle) if not all(ends) or ends == (people(middle),) * 2 else f"{people(middle)} ({ends[0]} - {ends[1]})"


def level_table(report: FloodReport) -> ReportTable:
    """Stations: level as stated, against alarm levels and the record flood, observed or forecast, time."""
    rows = []
    for reading in report.used:
        alarm, above = reading.above_alarm()
        against = f"trên BĐ{alarm} {format_number(above, 2)} m" if alarm else ""
        if not alarm and reading.station.alarm_m[0] is not None:
            against = f"dưới BĐ1 {format_number(reading.station.alarm_m[0] - reading.level_m, 2)} m"
        level = format_number(reading.low_m, 2) if reading.low_m == reading.high_m else f"{format_number(reading.low_m, 2)} - {format_number(reading.high_m, 2)}"
        record = "" if reading.station.record_m is None else format_number(reading.station.record_m, 2)
        rows.append([reading.station.name, _river(reading.station.river), level, against, record, "dự báo" if reading.forecast else "thực đo",
                     f"{reading.time:%H:%M %d/%m/%Y}" if reading.time else f"{reading.day:%d/%m/%Y}" if reading.day else "không nêu giờ"])
    return ReportTable("Mực nước dùng để lập bản đồ", ["Trạm", "Sông", "Mực nước (m)", "So với báo động", "Lũ lịch sử (m)", "Loại", "Thời điểm"], rows)


def unit_table(report: FloodReport, level: str) -> ReportTable | None:
    """Houses, households and people in the water by commune or hamlet, most people first; those with nothing wet are left out."""
    summary = report.summary[report.summary["level"] == level]
    if not len(summary):
        return None
    order = summary.assign(_most=summary["residents_high"].fillna(0), _houses=summary["buildings_high"].fillna(0)).sort_values(["_most", "_houses"], ascending=False)
    wet = order[order["buildings_high"].fillna(0) > 0]
    cut = {} if report.network is None or level != "hamlet" else report.network.units.set_index("unit")
    rows = []
    for row in wet.itertuples():
        cells = [row.unit, spread(row.buildings_low, row.buildings, row.buildings_high), spread(row.households_low, row.households, row.households_high),
                 spread(row.residents_low, row.residents, row.residents_high), _km(row.road_m)]
        if level == "hamlet" and report.network is not None:
            cells.append(people(cut.loc[row.unit, "residents_cut_off"]) if row.unit in cut.index else "")
        rows.append(cells)
    columns = ["Xã, phường" if level == "commune" else "Thôn, tổ dân phố", "Nhà ngập", "Hộ", "Khẩu", "Đường ngập (km)"]
    if level == "hamlet" and report.network is not None:
        columns.append("Khẩu bị cô lập")
    left = len(rows) - _MOST_HAMLETS
    note = f"Còn {left} thôn, tổ dân phố khác trong bảng xlsx." if left > 0 else ""
    return ReportTable("Ngập theo xã, phường" if level == "commune" else "Ngập theo thôn, tổ dân phố", columns, rows, note)


def printed_part(table: ReportTable) -> ReportTable:
    """The rows the annex prints."""
    return replace(table, rows=table.rows[:_MOST_HAMLETS])


def class_table(report: FloodReport) -> ReportTable:
    """Houses, households, people and road by depth class."""
    rows = []
    for one in report.exposure.classes.classes:
        part = report.exposure.table[report.exposure.table["depth_class"] == one.code]
        rows.append([one.label_vi, people(part["buildings"].sum()), people(_sum(part["households"])), people(_sum(part["residents"])), _km(part["road_m"].sum())])
    return ReportTable("Ngập theo cấp độ sâu (mức giữa)", ["Độ sâu", "Nhà", "Hộ", "Khẩu", "Đường (km)"], rows, f"Phân cấp: {report.exposure.classes.citation}.")


def street_table(report: FloodReport, names: pandas.Series | None) -> ReportTable | None:
    """Streets not passable, longest first; streets of one name together.

    Parameters
    ----------
    names : Series or None
        Name of each street by its id.
    """
    if report.network is None:
        return None
    shut = report.network.streets[report.network.streets["depth_max_m"] > report.vehicle.depth_max_m]
    if not len(shut):
        return ReportTable("Đoạn đường ngập, không bảo đảm lưu thông", ["Đường", "Chiều dài (km)", "Sâu nhất (m)"], [])
    name = pandas.Series("", index=shut.index) if names is None else shut["street_id"].map(names).fillna("").astype(str).str.strip()
    grouped = shut.assign(name=name.where(name != "", "(đường không tên)")).groupby("name").agg(length=("length_m", "sum"), deepest=("depth_max_m", "max")).sort_values("length", ascending=False)
    rows = [[one.Index, format_number(one.length / 1000, 2), format_number(one.deepest, 1)] for one in grouped.itertuples() if one.length >= 10]
    left = len(rows) - 25
    return ReportTable("Đoạn đường ngập, không bảo đảm lưu thông", ["Đường", "Chiều dài (km)", "Sâu nhất (m)"], rows[:25],
                       (f"Còn {left} đường khác trong bảng xlsx. " if left > 0 else "") + f"Với {report.vehicle.name.lower()}, sâu hơn {format_number(report.vehicle.depth_max_m, 1)} m (ngưỡng kinh nghiệm, cần xác nhận). "
                       "Kết quả tính, không phải quyết định cấm đường.")


def cut_off_table(report: FloodReport) -> ReportTable | None:
    """Hamlets (or communes) with households cut off."""
    if report.network is None:
        return None
    units = report.network.units
    cut = units[units["buildings_cut_off"] > 0].sort_values("buildings_cut_off", ascending=False)
    rows = [[row.unit, people(row.buildings_cut_off), people(row.households_cut_off), people(row.residents_cut_off)] for row in cut.itertuples()]
    return ReportTable("Nơi bị cô lập, chia cắt", ["Nơi", "Nhà", "Hộ", "Khẩu"], rows, none="Không có nơi nào bị cô lập, chia cắt.")


def shelter_table(report: FloodReport) -> ReportTable | None:
    """Shelters out of use and why; households with a way to one that is usable, in the note."""
    if report.shelters is None:
        return None
    table = report.shelters
    lost = table[~table["usable"]].sort_values("depth_m", ascending=False)
    rows = [[str(row.label or ""), format_number(row.depth_m, 1)] for row in lost.rename(columns={"name": "label"}).itertuples()]
    before, after = report.shelter_access()
    note = "" if after is None else f"Hộ có đường đến một điểm sơ tán dùng được: {people(after)} (trước lũ {people(before)}), xét theo {report.vehicle.name.lower()}. "
    left = len(rows) - _MOST_SHELTERS
    return ReportTable(f"Điểm sơ tán: {int(table['usable'].sum())} trên {len(table)} dùng được", ["Điểm sơ tán bị ngập", "Ngập trên nền (m)"], rows[:_MOST_SHELTERS],
                       note + (f"Còn {left} điểm khác trong GeoPackage." if left > 0 else ""), none="Không có điểm sơ tán nào bị ngập.")


def facility_table(report: FloodReport, labels: dict[str, str]) -> ReportTable | None:
    """Facilities in the water by kind, low - middle - high."""
    if report.facilities is None:
        return None
    rows = [[labels.get(row.kind, row.kind), format_number(row.total), format_number(row.wet_low), format_number(row.wet), format_number(row.wet_high)]
            for row in report.facilities.summary.itertuples() if row.wet_high > 0]
    return ReportTable("Cơ sở bị ngập", ["Loại cơ sở", "Tổng số", "Ngập, thấp", "giữa", "cao"], rows)


def change_table(report: FloodReport, previous: pandas.DataFrame | None) -> ReportTable | None:
    """Change of the totals since the last report.

    Parameters
    ----------
    previous : DataFrame or None
        The table ``tong_hop`` of the last report.
    """
    if previous is None:
        return None
    before, now = (table[table["level"] == "all"].iloc[0] for table in (previous, report.summary))
    rows = []
    for column, label in (("buildings", "Nhà ngập"), ("households", "Hộ"), ("residents", "Khẩu")):
        rows.append([label, people(before[column]), people(now[column]), signed(now[column] - before[column])])
    rows.append(["Đường ngập (km)", _km(before["road_m"]), _km(now["road_m"]), _signed_km(now["road_m"] - before["road_m"])])
    return ReportTable("So với báo cáo trước", ["", "Báo cáo trước", "Báo cáo này", "Thay đổi"], rows)


def signed(change: float) -> str:
    """A change of an estimate of people."""
    if change != change:
        return ""
    rounded = round_estimate(abs(change))
    return "không đổi" if rounded == 0 else f"{'+' if change > 0 else '-'}{format_number(rounded)}"


def _signed_km(change: float) -> str:
    return "" if change != change else ("không đổi" if abs(change) < 50 else f"{'+' if change > 0 else '-'}{format_number(abs(change) / 1000, 1)}")


def _km(metres: float) -> str:
    return "" if metres != metres else format_number(metres / 1000, 1)


def _sum(column: pandas.Series) -> float:
    return float(column.sum()) if column.notna().any() or not len(column) else float("nan")


def _river(name: str) -> str:
    return name[5:] if name.lower().startswith("sông ") else name
