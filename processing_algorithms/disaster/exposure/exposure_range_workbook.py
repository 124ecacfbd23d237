"""Printed tables of low, middle and high figures, rounded to what estimates bear."""

from __future__ import annotations

import pandas

from ...common.areas import HECTARE
from ...common.language import speaking
from ...common.rounding import round_estimate
from ...common.workbook import ESTIMATE, Column, Sheet
from .exposure_range import FacilityDepths

_LEVELS = {"all": "Toàn bộ", "commune": "Xã, phường", "hamlet": "Thôn, tổ dân phố"}
#: Printed quantities: title, divisor to the printed unit, decimals (None: an estimate of people, rounded by `round_estimate`).
_PRINTED = (
    ("buildings", "Công trình", 1.0, 0),
    ("households", "Hộ", 1.0, None),
    ("residents", "Khẩu", 1.0, None),
    ("road_m", "Đường (km)", 1000.0, 1),
    ("land_m2", "Đất (ha)", HECTARE, 1),
)


def range_sheets(
    summary: pandas.DataFrame,
    facilities: FacilityDepths | None,
    *,
    depth_name: str,
    tags: dict[str, str],
    remarks: list[str],
) -> list[Sheet]:
    """Lay out what is in the water, low - middle - high, by commune and hamlet, and the facilities.

    Parameters
    ----------
    summary : DataFrame
        See `exposure_run.exposures`.
    """
    with speaking("vi"):
        subtitle = f"Độ sâu ngập: {depth_name}; thời điểm: {_stated(tags, 'TIME')}; hệ cao độ: {_stated(tags, 'VERTICAL_DATUM')}"
        notes = ["Số hộ, số khẩu là ước tính, làm tròn đến hàng chục (từ 1.000: hàng trăm). Ô trống: chưa có số liệu, không phải bằng 0.",
                 "Thấp, cao: theo khoảng mực nước của bản tin và sai số của địa hình; để trống khi bản đồ ngập không có khoảng.", *remarks]
        columns = [Column("Cấp"), Column("Đơn vị")]
        # Roads and land only where the layer was given; households nobody counted stay an empty column.
        known = [one for one in _PRINTED if one[0] not in ("road_m", "land_m2") or summary[one[0]].notna().any()]
        for _, title, _, decimals in known:
            columns += [
                Column(f"{title}, {end}", decimals or 0, form=ESTIMATE if decimals is None else "")
                for end in ("thấp", "giữa", "cao")
            ]
        rows = [(_LEVELS.get(row.level, row.level), row.unit, *_figures(row, known)) for row in summary.itertuples()]
        sheets = [Sheet("Thấp - giữa - cao", columns, rows, "ĐỐI TƯỢNG BỊ NGẬP: MỨC THẤP, GIỮA, CAO (ƯỚC TÍNH)", subtitle, notes,
                        bold_rows={k for k, level in enumerate(summary["level"]) if level == "all"}, frozen_columns=2)]
        if facilities is not None:
            table, labels = facilities.summary, facility_labels()
            sheets.append(Sheet("Cơ sở", [Column("Loại cơ sở"), Column("Tổng số", 0), *(Column(f"Bị ngập, {end}", 0) for end in ("thấp", "giữa", "cao")), Column("Chưa rõ", 0)],
                                [(labels.get(r.kind, r.kind), r.total, *(_blank(v) for v in (r.wet_low, r.wet, r.wet_high)), r.unknown) for r in table.itertuples()],
                                "CƠ SỞ BỊ NGẬP (ƯỚC TÍNH)", subtitle, remarks))
    return sheets


def facility_labels() -> dict[str, str]:
    """Labels of kinds of facilities, from the catalogue."""
    from ...provincial_database.catalogue.loader import load_catalogue

    domain = load_catalogue()["facility"].field("kind").domain
    return {value.code: value.label.vi for value in domain.values} if domain is not None else {}


def estimated(value: float | None) -> float | None:
    """An estimate of people, households or houses as a workbook holds it: rounded, but a few stay what they are (`ESTIMATE` shows them as "< 10"); unknown blank."""
    return None if value is None or value != value else round_estimate(value) or value


def _printed(value: float | None, divisor: float, decimals: int | None) -> float | None:
    if value is None or value != value:
        return None
    return estimated(value) if decimals is None else round(value / divisor, decimals)


def _figures(row: object, quantities: list[tuple[str, str, float, int | None]]) -> list[object]:
    return [
        _printed(getattr(row, f"{name}{end}"), divisor, decimals)
        for name, _, divisor, decimals in quantities
        for end in ("_low", "", "_high")
    ]


def _blank(value: float) -> int | None:
    return None if value != value else int(value)


def _stated(tags: dict[str, str], key: str) -> str:
    value = tags.get(key, "")
    return "chưa nêu" if value in ("", "UNSTATED") else value
