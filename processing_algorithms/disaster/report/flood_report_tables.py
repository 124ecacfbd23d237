"""Tables of a flood report, the same for the PDF and the workbook: Vietnamese, low - middle - high, rounded to what estimates bear."""

from __future__ import annotations

import pandas

from ...common.numbers_vi import format_number
from .flood_report import FloodReport
from .flood_report_columns import (
    Quantity,
    ReportTable,
    alarm_column,
    estimate_column,
    kilometre_column,
    level_column,
    number_column,
    people,
    quantity_column,
    spread_column,
    text_column,
)

#: Rows a printed annex holds.
_MOST_HAMLETS, _MOST_SHELTERS, _MOST_STREETS = 60, 30, 25
#: Less of a street than this in the water is none, m.
_LEAST_M = 10


def level_table(report: FloodReport) -> ReportTable:
    """Stations: level as stated, against alarm levels and the record flood, observed or forecast, time."""
    rows = []
    for reading in report.used:
        alarm, above = reading.above_alarm()
        against = (alarm, above) if alarm else None
        if not alarm and reading.station.alarm_m[0] is not None:
            against = (1, reading.level_m - reading.station.alarm_m[0])
        when = (
            f"{reading.time:%H:%M %d/%m/%Y}"
            if reading.time
            else f"{reading.day:%d/%m/%Y}"
            if reading.day
            else "không nêu giờ"
        )
        rows.append((reading.station.name, _river(reading.station.river), (reading.low_m, reading.level_m, reading.high_m), against, reading.station.record_m,
                     "dự báo" if reading.forecast else "thực đo", when))
    columns = [text_column("Trạm"), text_column("Sông"), level_column("Mực nước", "m"), alarm_column("So với báo động"), number_column("Lũ lịch sử (m)", 2), text_column("Loại"), text_column("Thời điểm")]
    return ReportTable("Mực nước", "Mực nước dùng để lập bản đồ", columns, rows)


def unit_table(report: FloodReport, level: str) -> ReportTable | None:
    """Houses, households and people in the water by commune or hamlet, most people first; those with nothing wet are left out."""
    summary = report.summary[report.summary["level"] == level]
    if not len(summary):
        return None
    order = summary.assign(
        _most=summary["residents_high"].fillna(0), _houses=summary["buildings_high"].fillna(0)
    ).sort_values(["_most", "_houses"], ascending=False)
    wet = order[order["buildings_high"].fillna(0) > 0]
    cut = (
        {}
        if report.network is None or level != "hamlet"
        else report.network.units.set_index("unit")["residents_cut_off"].to_dict()
    )
    rows = []
    for row in wet.itertuples():
        cells = [
            row.unit,
            (row.buildings_low, row.buildings, row.buildings_high),
            (row.households_low, row.households, row.households_high),
            (row.residents_low, row.residents, row.residents_high),
            row.road_m,
        ]
        rows.append((*cells, cut.get(row.unit)) if level == "hamlet" and report.network is not None else tuple(cells))
    label = "Xã, phường" if level == "commune" else "Thôn, tổ dân phố"
    columns = [
        text_column(label),
        spread_column("Nhà ngập"),
        spread_column("Hộ"),
        spread_column("Khẩu"),
        kilometre_column("Đường ngập (km)"),
    ]
    if level == "hamlet" and report.network is not None:
        columns.append(estimate_column("Khẩu bị cô lập"))
    return ReportTable(label, f"Ngập theo {label[0].lower()}{label[1:]}", columns, rows, most=_MOST_HAMLETS, more=f"Còn {{n}} {label[0].lower()}{label[1:]} khác trong bảng xlsx.")


def class_table(report: FloodReport) -> ReportTable:
    """Houses, households, people and road by depth class."""
    rows = []
    for one in report.exposure.classes.classes:
        part = report.exposure.table[report.exposure.table["depth_class"] == one.code]
        rows.append((one.label_vi, part["buildings"].sum(), _sum(part["households"]), _sum(part["residents"]), _sum(part["road_m"])))
    return ReportTable("Cấp độ sâu", "Ngập theo cấp độ sâu (mức giữa)", [text_column("Độ sâu"), estimate_column("Nhà"), estimate_column("Hộ"), estimate_column("Khẩu"), kilometre_column("Đường (km)")],
                       rows, f"Phân cấp: {report.exposure.classes.citation}.")


def street_table(report: FloodReport, names: pandas.Series | None) -> ReportTable | None:
    """Streets not passable, longest first; streets of one name together, those without a name last.

    Parameters
    ----------
    names : Series or None
        Name of each street by its id.
    """
    if report.network is None:
        return None
    shut = report.network.streets[report.network.streets["depth_max_m"] > report.vehicle.depth_max_m]
    name = (
        pandas.Series("", index=shut.index)
        if names is None
        else shut["street_id"].map(names.fillna("").astype(str).str.strip()).fillna("")
    )
    grouped = (
        shut.assign(name=name)
        .groupby("name")
        .agg(length=("length_m", "sum"), deepest=("depth_max_m", "max"))
        .sort_values("length", ascending=False)
    )
    grouped = pandas.concat(
        [grouped[grouped.index != ""], grouped[grouped.index == ""].rename({"": "(các đường không tên)"})]
    )  # what nobody can look for comes last
    rows = [(one.Index, one.length, one.deepest) for one in grouped.itertuples() if one.length >= _LEAST_M]
    nameless = "" if len(rows) <= _MOST_STREETS or not (grouped.index[-1:] == "(các đường không tên)").any() else f" Các đường không tên: {format_number(grouped['length'].iloc[-1] / 1000, 2)} km."
    return ReportTable("Đường", "Đoạn đường ngập, không bảo đảm lưu thông", [text_column("Đường"), kilometre_column("Chiều dài (km)", 2), number_column("Sâu nhất (m)", 1)], rows,
                       f"Với {report.vehicle.name.lower()}, sâu hơn {format_number(report.vehicle.depth_max_m, 1)} m (ngưỡng kinh nghiệm, cần xác nhận). Kết quả tính, không phải quyết định cấm đường." if rows else "",
                       most=_MOST_STREETS, more="Còn {n} đường khác trong bảng xlsx." + nameless)


def cut_off_table(report: FloodReport) -> ReportTable | None:
    """Hamlets (or communes) with households cut off."""
    if report.network is None:
        return None
    units = report.network.units
    cut = units[units["buildings_cut_off"] > 0].sort_values("buildings_cut_off", ascending=False)
    rows = [
        (row.unit, row.buildings_cut_off, row.households_cut_off, row.residents_cut_off) for row in cut.itertuples()
    ]
    return ReportTable("Cô lập", "Nơi bị cô lập, chia cắt", [text_column("Nơi"), estimate_column("Nhà"), estimate_column("Hộ"), estimate_column("Khẩu")], rows,
                       none="Không có nơi nào bị cô lập, chia cắt.", most=_MOST_HAMLETS, more="Còn {n} nơi khác trong bảng xlsx.")


def shelter_table(report: FloodReport) -> ReportTable | None:
    """Shelters out of use and why; households with a way to one that is usable, in the note."""
    if report.shelters is None:
        return None
    table = report.shelters
    lost = table[~table["usable"]].sort_values("depth_m", ascending=False)
    rows = [
        ("" if pandas.isna(row.label) else str(row.label), row.depth_m)
        for row in lost.rename(columns={"name": "label"}).itertuples()
    ]
    before, after = report.shelter_access()
    note = "" if after is None else f"Hộ có đường đến một điểm sơ tán dùng được: {people(after)} (trước lũ {people(before)}), xét theo {report.vehicle.name.lower()}."
    return ReportTable("Điểm sơ tán", f"Điểm sơ tán: {int(table['usable'].sum())} trên {len(table)} dùng được", [text_column("Điểm sơ tán bị ngập"), number_column("Ngập trên nền (m)", 1)], rows, note,
                       none="Không có điểm sơ tán nào bị ngập.", most=_MOST_SHELTERS, more="Còn {n} điểm khác trong bảng xlsx.")


def facility_table(report: FloodReport, labels: dict[str, str]) -> ReportTable | None:
    """Facilities in the water by kind, low - middle - high."""
    if report.facilities is None:
        return None
    rows = [
        (labels.get(row.kind, row.kind), row.total, row.wet_low, row.wet, row.wet_high)
        for row in report.facilities.summary.itertuples()
        if row.wet_high > 0
    ]
    return ReportTable(
        "Cơ sở bị ngập",
        "Cơ sở bị ngập",
        [text_column("Loại cơ sở"), *(number_column(title, 0) for title in ("Tổng số", "Ngập, thấp", "giữa", "cao"))],
        rows,
    )


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
    rows = [(label, *(Quantity(value, metres=name == "road_m", change=k == 2) for k, value in enumerate((before[name], now[name], now[name] - before[name]))))
            for name, label in (("buildings", "Nhà ngập"), ("households", "Hộ"), ("residents", "Khẩu"), ("road_m", "Đường ngập (km)"))]
    return ReportTable("So với lần trước", "So với báo cáo trước", [text_column("", sheet="Chỉ tiêu"), *(quantity_column(title) for title in ("Báo cáo trước", "Báo cáo này", "Thay đổi"))], rows)


def _sum(column: pandas.Series) -> float:
    return float(column.sum()) if column.notna().any() or not len(column) else float("nan")


def _river(name: str) -> str:
    return name[5:] if name.lower().startswith("sông ") else name
