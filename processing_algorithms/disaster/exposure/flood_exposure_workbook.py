"""The printed tables of flood exposure: Vietnamese, estimates of people rounded to what they bear."""

from __future__ import annotations

import numpy as np
import pandas
from numpy.typing import NDArray

from ...common.areas import HECTARE
from ...common.language import say, speaking
from ...common.rounding import round_closed
from ...common.workbook import ESTIMATE, Column, Sheet
from .depth_classes import DRY, UNKNOWN_IN_TABLES, DepthClasses
from .exposure_places import OUTSIDE, UNIT
from .exposure_range_workbook import estimated
from .flood_exposure import FloodExposure, sums_of_known

_OUTSIDE = "Ngoài các đơn vị"
_PEOPLE = ("households", "residents")
_COUNTS = ("buildings", "households_missing", "residents_missing")
#: Measured columns: divisor to the printed unit, decimals.
_MEASURED = {"road_m": (1000.0, 2), "land_m2": (HECTARE, 2)}


def exposure_sheets(found: FloodExposure, *, depth_name: str, tags: dict[str, str], remarks: list[str]) -> list[Sheet]:
    """Lay out the workbook.

    Parameters
    ----------
    found : FloodExposure
    depth_name : str
        Name of the depth raster.
    tags : dict
        Of the depth raster: TIME, VERTICAL_DATUM.
    remarks : list of str
        Further notes below the tables, in Vietnamese.

    Returns
    -------
    list of Sheet
        All units together; by unit; by land-use code when there are codes. Lengths and areas close at the printed
        decimals; households and people are rounded one by one (`round_estimate`), so sums may differ in the last
        digits.
    """
    with speaking("vi"):
        table = _printed_measures(found.table)
        whole = _blocks(table, found.classes, [pandas.Series(0, index=table.index)], None)
        title = "THỐNG KÊ ĐỐI TƯỢNG BỊ NGẬP (ƯỚC TÍNH)"
        time, datum = _stated(tags, "TIME"), _stated(tags, "VERTICAL_DATUM")
        subtitle = f"Độ sâu ngập: {depth_name}; thời điểm: {time}; hệ cao độ: {datum}"
        notes = [*_notes(found), *remarks]
        sheets = [Sheet("Tổng hợp", _columns("Cấp độ sâu ngập"), [row[1:] for row in whole], title, subtitle, notes,
                        bold_rows=_bold(whole), frozen_columns=1)]
        if (table["unit_kind"] == UNIT).any():
            units = table[["unit", "unit_kind"]].drop_duplicates()
            names = [_OUTSIDE if kind == OUTSIDE else name for name, kind in zip(units["unit"], units["unit_kind"])]
            rows = _blocks(table, found.classes, [table["unit"], table["unit_kind"]], names)
            sheets.append(Sheet("Theo đơn vị", [Column("Đơn vị"), *_columns("Cấp độ sâu ngập")], rows, title, subtitle,
                                notes,
                                bold_rows=_bold(rows), frozen_columns=2))
        if found.land is not None:
            sheets.append(_land_sheet(found, subtitle, notes))
    return sheets


def _columns(first: str) -> list[Column]:
    return [Column(first), Column("Số công trình", 0), Column("Số hộ", 0, form=ESTIMATE), Column("Số khẩu", 0, form=ESTIMATE),
            Column("Công trình chưa có số hộ", 0), Column("Công trình chưa có số khẩu", 0),
            Column("Đường (km)", 2), Column("Đất (ha)", 2)]


def _notes(found: FloodExposure) -> list[str]:
    notes = [
        "Số hộ, số khẩu là số ước tính, làm tròn đến hàng chục (từ 1.000 trở lên: hàng trăm) nên tổng có thể lệch ở "
        "chữ số cuối.",
        "Ô trống: chưa có số liệu (không phải bằng 0). \"Chưa rõ\": nơi không có địa hình hoặc ngoài bản đồ ngập, "
        "không coi là khô.",
        f"Phân cấp độ sâu: {found.classes.citation}.",
    ]
    return notes


def _printed_measures(table: pandas.DataFrame) -> pandas.DataFrame:
    """Round lengths and areas in the printed unit so that all classes and units together close."""
    printed = table.copy()
    for column, (divisor, decimals) in _MEASURED.items():
        if printed[column].notna().all():
            printed[column] = round_closed(printed[column].to_numpy(dtype=float) / divisor, decimals)
    return printed


def _blocks(
    table: pandas.DataFrame, classes: DepthClasses, keys: list[pandas.Series], names: list[str] | None
) -> list[tuple[object, ...]]:
    """Rows of every unit: the wet classes, their sum, dry, unknown, all."""
    code = table["depth_class"]
    plan = [
        *((one.label_vi, code == one.code) for one in classes.classes),
        ("Cộng bị ngập", code > DRY),
        ("Không ngập", code == DRY),
        ("Chưa rõ", code == UNKNOWN_IN_TABLES),
        ("Tổng số", code == code),
    ]
    columns = [*_PEOPLE, *_COUNTS, *_MEASURED]
    # The rows of all lines of the plan in one table with a number for each line and unit: grouping once by numbers takes a tenth of the time.
    unit = table.groupby(keys, sort=False).ngroup().to_numpy()
    units, chosen = int(unit.max()) + 1 if len(unit) else 0, [np.flatnonzero(which) for _, which in plan]
    line = np.repeat(np.arange(len(plan)), [len(some) for some in chosen])
    rows = np.concatenate(chosen)
    sums = sums_of_known(table[columns].iloc[rows], [pandas.Series(line * units + unit[rows], index=table.index[rows])])
    sums = sums.reindex(np.arange(len(plan) * units)).astype(object)
    figures = sums.where(sums.notna(), None).to_numpy().reshape(len(plan), units, len(columns))
    return [
        _row(names[number] if names else "Toàn bộ", label, figures[k, number])
        for number in range(units)
        for k, (label, _) in enumerate(plan)
    ]


def _bold(rows: list[tuple[object, ...]]) -> set[int]:
    return {k for k, row in enumerate(rows) if row[1] in ("Cộng bị ngập", "Tổng số")}


def _row(unit: str, label: str, sums: NDArray[np.object_]) -> tuple[object, ...]:
    households, residents, *others = sums
    buildings, *others = others
    return (unit, label, buildings, estimated(households), estimated(residents), *others)


def _land_sheet(found: FloodExposure, subtitle: str, notes: list[str]) -> Sheet:
    described = [*found.classes.classes, *(c for c in found.classes.all if c.code in (DRY, UNKNOWN_IN_TABLES))]
    land = found.land
    codes = sorted(land["code"].dropna().unique()) + ([None] if land["code"].isna().any() else [])
    of_code = [land[land["code"].isna() if code is None else land["code"] == code] for code in codes]
    areas = np.array([[part.loc[part["depth_class"] == c.code, "land_m2"].sum() for c in described]
                      for part in of_code])
    areas = round_closed(areas.ravel() / HECTARE, 2).reshape(len(codes), len(described))
    unnamed = say("(không có mã)", "(no code)")
    rows = [(code or unnamed, *areas[k], areas[k].sum()) for k, code in enumerate(codes)]
    rows.append(("Tổng số", *areas.sum(axis=0), areas.sum()))
    columns = [Column("Mã loại đất"), *(Column(f"{c.label_vi} (ha)", 2) for c in described), Column("Tổng số (ha)", 2)]
    return Sheet("Loại đất", columns, rows, "DIỆN TÍCH CÁC LOẠI ĐẤT THEO ĐỘ SÂU NGẬP", subtitle, notes,
                 bold_rows={len(rows) - 1},
                 frozen_columns=1)


def _stated(tags: dict[str, str], key: str) -> str:
    value = tags.get(key, "")
    return "chưa nêu" if value in ("", "UNSTATED") else value
