"""Names of streets: words for flowers, trees, places and virtues, none of a person."""

from __future__ import annotations

import numpy as np
import shapely

from .place import generator
from .street_plan import Street

_FLOWERS = ["Bằng Lăng", "Hoa Sữa", "Hoa Ban", "Ngọc Lan", "Hoàng Lan", "Mai Vàng", "Sen Hồng", "Hoa Giấy", "Lộc Vừng", "Hàng Me", "Hàng Dừa", "Hàng Bàng",
            "Cây Sanh", "Cây Gáo", "Bồ Đề", "Phong Lan", "Thiên Lý", "Nguyệt Quế", "Sứ Trắng", "Tường Vi", "Dã Quỳ", "Hải Đường", "Trà My", "Lưu Ly"]
_PLACES = ["Bến Đò", "Bến Cá", "Chợ Cũ", "Cầu Ván", "Giếng Làng", "Cồn Nổi", "Gò Mây", "Hói Sen", "Bàu Súng", "Đồng Xoài Nhỏ", "Xóm Lưới", "Lò Gốm", "Lò Rèn",
           "Phường Vải", "Phường Nón", "Đình Làng", "Cửa Đông", "Cửa Tây", "Thành Cũ", "Vườn Dâu", "Vườn Cau", "Cây Đa", "Bãi Dâu", "Đồng Sen"]
_VIRTUES = ["Đoàn Kết", "Tự Do", "Hữu Nghị", "Lao Động", "Hạnh Phúc", "Hưng Thịnh", "Bình Yên", "Thanh Bình", "An Lạc", "Phú Cường", "Vạn Phúc", "Trường Xuân",
            "Minh Khang", "Tân Tiến", "Đại Đồng", "Hòa Hợp", "Thịnh Vượng", "Tương Lai", "Sáng Tạo", "Bình Minh", "Hừng Đông", "Tháng Tám", "Mùa Xuân", "Quê Hương"]


def name_streets(streets: list[Street]) -> list[str | None]:
    """Give every street of the town its name; village lanes and field tracks have none, alleys are counted per street."""
    rng = generator("street names")
    pool = [f"Đường {name}" for name in rng.permutation(_FLOWERS + _PLACES + _VIRTUES)]
    used: dict[str, int] = {}
    names: list[str | None] = []
    for street in streets:
        if street.name or street.kind not in ("area", "local"):
            names.append(street.name)
            continue
        name = pool[len(used) % len(pool)]
        turn = len(used) // len(pool)
        used[f"{name}/{turn}"] = 1
        names.append(name if turn == 0 else f"{name} {turn + 1}")
    return _name_alleys(streets, names)


def _name_alleys(streets: list[Street], names: list[str | None]) -> list[str | None]:
    lines = np.array([street.line for street in streets], dtype=object)
    tree = shapely.STRtree(lines)
    count: dict[str, int] = {}
    for at, street in enumerate(streets):
        if street.kind != "alley":
            continue
        near = tree.query(shapely.get_point(street.line, 0), predicate="dwithin", distance=2.0)
        mothers = sorted(names[other] for other in near if other != at and names[other] and streets[other].kind != "alley")
        if mothers:
            count[mothers[0]] = count.get(mothers[0], 0) + 1
            names[at] = f"Kiệt {2 * count[mothers[0]] + 9} {mothers[0].removeprefix('Đường ')}"
    return names
