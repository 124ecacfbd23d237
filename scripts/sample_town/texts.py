"""What lies beside the layers: the README with the list of layers and faults, and two bulletins to paste."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
from numpy.typing import NDArray

from .faults import Fault
from .hydrology import FLOOD_ABOVE_ALARM_3, FLOOD_NAME
from .layers import LAYERS, catalogue_entry, fields_of, geometry_type
from .place import CRS, ORIGIN
from .relief import WEAK_FREEBOARD

_EXTRA_TITLES = {"river_axis": "Tim sông, kênh", "dyke": "Đê, từng đoạn 50 m với cao trình đỉnh thấp nhất"}
_VARIANT = {"land_use_2020": " năm 2020 (đo vẽ cũ, lệch vài cm)", "land_use_2025": " năm 2025"}


def readme(layers: dict[str, pd.DataFrame], terrain: NDArray, faults: list[Fault]) -> str:
    """The README of data_samples in Markdown: the prose of readme.md with the numbers of this town."""
    rows = []
    for layer, (dataset, extra) in LAYERS.items():
        own = {name for name, _, _ in extra}
        label = _EXTRA_TITLES[layer] if dataset is None else catalogue_entry(dataset)["label"]["vi"]
        names = ", ".join(f"**{field.name}**" if field.name in own else field.name for field in fields_of(layer))
        title = label + _VARIANT.get(layer, "")
        rows.append(f"| {layer} | {title} | {geometry_type(layer)} | {len(layers[layer])} | {names} |")
    meanings = [f"`{layer}.{name}` {meaning}" for layer, (_, extra) in LAYERS.items() for name, _, meaning in extra]
    return (Path(__file__).parent / "readme.md").read_text(encoding="utf-8").format(
        crs=CRS, x=ORIGIN[0], y=ORIGIN[1], columns=terrain.shape[1], rows=terrain.shape[0],
        lowest=terrain.min(), highest=terrain.max(), weak=WEAK_FREEBOARD, flood=FLOOD_NAME, above=FLOOD_ABOVE_ALARM_3,
        faults="\n".join(f"| {one.kind} | {one.layer} | `{one.feature_id}` | {one.meaning} |" for one in faults),
        layers="\n".join(rows), own="; ".join(meanings),
    )


def bulletins(gauges: pd.DataFrame) -> dict[str, str]:
    """File name and text of the two bulletins: an official one at about alarm 3, and a short chat message."""
    national = [
        (row.name_, row.alarm_3_m + row.gauge_zero_m, row)
        for row in gauges.rename(columns={"name": "name_"}).itertuples()
    ]
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
        official.append(
            f"- Tại trạm {name}: {level} m, trên BĐ3 {_comma(more)} m"
            + (" (tính từ số 0 của trạm);" if row.datum == "gauge_zero" else ";")
        )
    official += [
        "",
        "2. Dự báo",
        "Trong 6 giờ tới, lũ trên sông Trạch tiếp tục lên,",
        "đạt đỉnh ở mức trên BĐ3 từ 0,4 đến 0,6 m, sau đó xuống chậm.",
        "Cảnh báo ngập sâu vùng trũng ven sông và khu vực phía sau đê Bắc Trạch nếu tràn đoạn xung yếu.",
        "",
        "3. Cấp độ rủi ro thiên tai do lũ: cấp 3.",
        "",
    ]
    chat = " ".join(
        [
            "5h sáng 2/11 nước sông Trạch:",
            *[
                f"{name} {_comma(row.alarm_3_m + more)}m (>BĐ III {_comma(more)})"
                + (", số 0 trạm;" if row.datum == "gauge_zero" else ";")
                for (name, _, row), more in zip(national, rise)
            ],
            "còn lên chậm.\n",
        ]
    )
    return {"bulletin_alarm_3.txt": "\n".join(official), "bulletin_chat.txt": chat}


def _comma(value: float) -> str:
    return f"{value:.2f}".replace(".", ",")
