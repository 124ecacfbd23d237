"""What lies beside the layers: the README with the list of layers and faults, and two bulletins to paste."""

from __future__ import annotations

import pandas as pd
from numpy.typing import NDArray

from .faults import Fault
from .hydrology import FLOOD_ABOVE_ALARM_3, FLOOD_NAME
from .layers import LAYERS, catalogue_entry, fields_of, geometry_type
from .place import CRS, ORIGIN

_EXTRA_TITLES = {"river_axis": "Tim sông, kênh", "dyke": "Đê, từng đoạn 50 m với cao trình đỉnh thấp nhất"}
_VARIANT = {"land_use_2020": " năm 2020 (đo vẽ cũ, lệch vài cm)", "land_use_2025": " năm 2025"}


def readme(layers: dict[str, pd.DataFrame], terrain: NDArray, faults: list[Fault]) -> str:
    """The README of data_samples in Markdown."""
    lines = [
        "# Lam Trạch: dữ liệu mẫu của QuyHoach (sample town)",
        "",
        "An invented town on an invented river, made by `scripts/make_samples`; nothing in it is real: no place, person, code, decision or flood.",
        "Tên, mã, số quyết định, mực nước và trận lũ đều là giả định; mã đơn vị bắt đầu bằng 99 không trùng mã thật nào.",
        "",
        "* **Licence:** synthetic data, dedicated to the public domain under CC0 1.0.",
        f"* **CRS:** VN-2000 / TM-3 107-00 ({CRS}), lower left corner {ORIGIN[0]:.0f} E, {ORIGIN[1]:.0f} N. Heights: national system (Hòn Dấu), metres.",
        "* **Same bytes each time:** the generator has a fixed seed, `feature_id` is a UUID computed from layer and number, and time stamps are fixed.",
        "* **Files:** `town.gpkg` (all vector layers), `terrain.tif`, `bulletin_alarm_3.txt` and `bulletin_chat.txt` (flood bulletins to paste), this page.",
        "",
        "## Terrain and floods",
        "",
        f"`terrain.tif`: {terrain.shape[1]} x {terrain.shape[0]} cells of 5 m, float32, heights to the centimetre ({terrain.min():.2f} to {terrain.max():.2f} m).",
        "The river shows its low water surface; bridges are not in it (deck levels are in `road`); the sluices of the dyke are shut.",
        "At alarm 2 the unprotected banks and the low land in the south-east are wet, at alarm 3 parts of the town; the polder behind the dyke stays dry",
        "until 0.30 m above alarm 3, when the weak stretch of the dyke is overtopped.",
        f"`flood_mark` and `flood_zone` show \"{FLOOD_NAME}\", {FLOOD_ABOVE_ALARM_3:.2f} m above alarm 3; marks differ from it by up to 0.12 m.",
        "The third gauge (Trạch Đông) gives its levels above its own zero (`datum` = gauge_zero, `gauge_zero_m`): add the zero before comparing with heights.",
        "",
        "## Built-in faults",
        "",
        "| fault | layer | feature_id | meaning |",
        "|---|---|---|---|",
        *[f"| {fault.kind} | {fault.layer} | `{fault.feature_id}` | {fault.meaning} |" for fault in faults],
        "",
        "Beside these, as in life: null households and residents in some buildings (all of one hamlet), boundaries of 2020 that drift by centimetres",
        "against 2025, and plans drawn as exactly as their scale allows, so that zones and parcels leave slivers.",
        "",
        "## Layers of town.gpkg",
        "",
        "Fields follow the catalogue (`processing_algorithms/provincial_database/catalogue/`), where each is explained; here the fields of the sample's own in bold.",
        "",
        "| layer | lớp dữ liệu | geometry | features | fields |",
        "|---|---|---|---|---|",
    ]
    for layer, (dataset, extra) in LAYERS.items():
        own = {name for name, _, _ in extra}
        title = _EXTRA_TITLES[layer] if dataset is None else catalogue_entry(dataset)["label"]["vi"] + _VARIANT.get(layer, "")
        names = ", ".join(f"**{field.name}**" if field.name in own else field.name for field in fields_of(layer))
        lines.append(f"| {layer} | {title} | {geometry_type(layer)} | {len(layers[layer])} | {names} |")
    lines += [
        "",
        "Fields of the sample's own: " + "; ".join(f"`{layer}.{name}` {meaning}" for layer, (dataset, extra) in LAYERS.items() for name, _, meaning in extra) + ".",
        "",
        "## Larger towns for timing",
        "",
        "`scripts/make_samples --parcels 200000 --output DIR [--terrain]` makes a town of the same fabric with exactly so many parcels (up to 1,000,000),",
        "their land use at two dates, zones (one for about 40 parcels), buildings, streets, river and gauges, row by row in bounded memory.",
        "",
    ]
    return "\n".join(lines)


def bulletins(gauges: pd.DataFrame) -> dict[str, str]:
    """File name and text of the two bulletins: an official one at about alarm 3, and a short chat message."""
    national = [(row.name_, row.alarm_3_m + row.gauge_zero_m, row) for row in gauges.rename(columns={"name": "name_"}).itertuples()]
    rise = (0.35, 0.28, 0.31)
    official = [
        "TIN LŨ KHẨN CẤP TRÊN SÔNG TRẠCH (bản tin giả định, dữ liệu mẫu)",
        "Tin phát lúc 05 giờ 00 ngày 02/11/2026",
        "",
        "1. Hiện trạng",
        "Mực nước lúc 04 giờ 00 ngày 02/11/2026 trên sông Trạch:",
    ]
    for (name, _, row), more in zip(national, rise):
        level = _comma(row.alarm_3_m + more)
        official.append(f"- Tại trạm {name}: {level} m, trên BĐ3 {_comma(more)} m" + (" (tính từ số 0 của trạm);" if row.datum == "gauge_zero" else ";"))
    official += [
        "",
        "2. Dự báo",
        "Trong 6 giờ tới, lũ trên sông Trạch tiếp tục lên và đạt đỉnh ở mức trên BĐ3 từ 0,4 đến 0,6 m, sau đó xuống chậm.",
        "Cảnh báo ngập sâu vùng trũng ven sông và khu vực phía sau đê Bắc Trạch nếu tràn đoạn xung yếu.",
        "",
        "3. Cấp độ rủi ro thiên tai do lũ: cấp 3.",
        "",
    ]
    chat = " ".join([
        "5h sáng 2/11 nước sông Trạch:",
        *[f"{name} {_comma(row.alarm_3_m + more)}m (>BĐ III {_comma(more)})" + (", số 0 trạm;" if row.datum == "gauge_zero" else ";")
          for (name, _, row), more in zip(national, rise)],
        "còn lên chậm.\n"])
    return {"bulletin_alarm_3.txt": "\n".join(official), "bulletin_chat.txt": chat}


def _comma(value: float) -> str:
    return f"{value:.2f}".replace(".", ",")
