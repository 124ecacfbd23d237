"""Ten lines of a flood report to paste in a chat. Vietnamese whatever the interface speaks."""

from __future__ import annotations

import pandas

from ...common.language import speaking
from ...common.numbers_vi import format_number
from .flood_report import FloodReport
from .flood_report_columns import people, signed, spread

_NAMES = 4


def ten_lines(
    report: FloodReport, *, place: str, risk_level: str = "", previous: pandas.DataFrame | None = None
) -> list[str]:
    """Put the report into ten lines.

    Parameters
    ----------
    place : str
        Province or command, as the office writes it.
    risk_level : str
        As announced in the forecast bulletin; typed, never computed.
    previous : DataFrame or None
        The table of the last report.
    """
    with speaking("vi"):
        whole = report.summary[report.summary["level"] == "all"].iloc[0]
        lines = [
            f"ƯỚC TÍNH NGẬP LỤT {place.upper()}".strip()
            + (f" lúc {report.time:%H:%M %d/%m/%Y}" if report.time else ""),
            "Mực nước: " + "; ".join(_level(r) for r in report.used) + ".",
            f"Diện tích ngập: {_hectares(report)}.",
            f"Nhà ngập: {spread(whole.buildings_low, whole.buildings, whole.buildings_high) or 'chưa có số liệu'}; hộ: {spread(whole.households_low, whole.households, whole.households_high) or 'chưa có số liệu'}; "
            f"khẩu: {spread(whole.residents_low, whole.residents, whole.residents_high) or 'chưa có số liệu'}.",
            _worst(report),
            _roads(report),
            _cut_off(report),
            _shelters(report),
        ]
        lines.append(
            "So với báo cáo trước: " + _change(whole, previous)
            if previous is not None
            else "Báo cáo đầu tiên của đợt này."
        )
        risk = f"Cấp độ rủi ro thiên tai (theo bản tin dự báo): {risk_level}. " if risk_level else ""
        lines.append(risk + f"Số liệu ước tính từ mô hình (trong ngoặc: thấp - cao), sai số địa hình {_error(report)}, không thay số liệu thiệt hại do địa phương báo cáo.")
        return lines


def kilometres(metres: float) -> str:
    """Kilometres as an estimate is told: a tenth below 10 km, whole ones above."""
    return format_number(metres / 1000, 1 if metres < 10_000 else 0)


def _level(reading) -> str:
    level = format_number(reading.low_m, 2) if reading.low_m == reading.high_m else f"{format_number(reading.low_m, 2)}-{format_number(reading.high_m, 2)}"
    alarm, above = reading.above_alarm()
    return (
        f"{reading.station.name} {level} m"
        + (f" (trên BĐ{alarm} {format_number(above, 2)} m)" if alarm else "")
        + (", dự báo" if reading.forecast else "")
    )


def _hectares(report: FloodReport) -> str:
    low, middle, high = (_ha(report.depths[end].wet_area_m2) for end in ("low", "middle", "high"))
    return f"{middle} ha ({low} - {high})"


def _ha(square_metres: float) -> str:
    hectares = square_metres / 10_000
    return format_number(round(hectares, -1) if hectares >= 100 else round(hectares))


def _worst(report: FloodReport) -> str:
    if not report.summary["level"].isin(("commune", "hamlet")).any():
        return "Theo xã, phường: chưa có lớp xã, phường."
    level = "commune" if (report.summary["level"] == "commune").any() else "hamlet"
    units = report.summary[(report.summary["level"] == level) & (report.summary["buildings"].fillna(0) > 0)]
    if not len(units):
        return "Không có xã, phường nào có nhà ngập (mức giữa)."
    column, word = ("residents", "khẩu") if (units["residents"].fillna(0) > 0).any() else ("buildings", "nhà")
    units = units[units[column].fillna(0) > 0]
    worst = units.sort_values(column, ascending=False).head(_NAMES)
    return (
        "Nhiều nhất: "
        + "; ".join(f"{row.unit} {people(getattr(row, column))} {word}" for row in worst.itertuples())
        + "."
    )


def _roads(report: FloodReport) -> str:
    if report.network is None:
        return "Đường: chưa có lớp đường giao thông."
    return (f"Đường ngập {kilometres(report.network.wet_m)} km, trong đó không bảo đảm lưu thông với {report.vehicle.name.lower()} "
            f"{kilometres(report.network.impassable_m)} km.")


def _cut_off(report: FloodReport) -> str:
    if report.network is None:
        return "Cô lập, chia cắt: chưa tính được."
    units = report.network.units
    cut = units[units["buildings_cut_off"] > 0].sort_values("buildings_cut_off", ascending=False)
    if not len(cut):
        return "Không có nơi nào bị cô lập, chia cắt."
    counted = [
        f"{people(_sum(cut[column]))} {word}"
        for column, word in (("households_cut_off", "hộ"), ("residents_cut_off", "khẩu"))
        if column in cut and cut[column].notna().any()
    ]
    total = ", ".join(counted or [f"{people(cut['buildings_cut_off'].sum())} nhà"])
    names = ", ".join(cut["unit"].head(_NAMES)) + (f" và {len(cut) - _NAMES} nơi khác" if len(cut) > _NAMES else "")
    return f"Bị cô lập, chia cắt: {total} ở {len(cut)} nơi: {names}."


def _shelters(report: FloodReport) -> str:
    parts = []
    if report.shelters is not None:
        parts.append(f"Điểm sơ tán dùng được: {int(report.shelters['usable'].sum())}/{len(report.shelters)}")
        after = report.shelter_access()[1]
        if after is not None:
            parts.append(f"hộ còn đường đến điểm sơ tán: {people(after)}")
    if report.facilities is not None:
        parts.append(f"cơ sở (trường, y tế...) bị ngập: {int(report.facilities.summary['wet'].sum())}")
    return ("; ".join(parts) if parts else "Điểm sơ tán, cơ sở: chưa có lớp dữ liệu") + "."


def phone_lines(report: FloodReport) -> list[str]:
    """The few figures on the picture for the telephone."""
    with speaking("vi"):
        whole = report.summary[report.summary["level"] == "all"].iloc[0]
        lines = [f"Ngập {_hectares(report)}"]
        people_wet = spread(whole.residents_low, whole.residents, whole.residents_high)
        counted = [
            f"{people(whole.buildings)} nhà",
            *([f"{people(whole.households)} hộ"] if whole.households == whole.households else []),
            *([f"{people_wet} khẩu"] if people_wet else []),
        ]
        lines.append(", ".join(counted))
        if report.network is not None:
            lines.append(f"Đường không bảo đảm lưu thông: {kilometres(report.network.impassable_m)} km")
            cut = report.network.units
            counted = [
                f"{people(_sum(cut[column]))} {word}"
                for column, word in (("households_cut_off", "hộ"), ("residents_cut_off", "khẩu"))
                if column in cut and cut[column].notna().any()
            ]
            lines.append(
                "Bị cô lập, chia cắt: " + ", ".join(counted or [f"{people(cut['buildings_cut_off'].sum())} nhà"])
            )
        if report.shelters is not None:
            lines.append(f"Điểm sơ tán dùng được: {int(report.shelters['usable'].sum())}/{len(report.shelters)}")
        return lines


def _change(now, previous: pandas.DataFrame) -> str:
    before = previous[previous["level"] == "all"].iloc[0]
    told = [
        f"{word} {signed(now[column] - before[column])}"
        for column, word in (("buildings", "nhà"), ("households", "hộ"), ("residents", "khẩu"))
        if now[column] == now[column] and before[column] == before[column]
    ]
    return ", ".join(told) + "." if told else "không so được."


def _error(report: FloodReport) -> str:
    return f"{format_number(report.terrain_error_m, 2)} m" if report.terrain_error_m else "chưa nêu"


def _sum(column: pandas.Series) -> float:
    return float(column.sum()) if column.notna().any() else float("nan")
