"""Names of streets: words for flowers, trees, places and virtues, none of a person."""

from __future__ import annotations

import numpy as np
import shapely
from numpy.typing import NDArray

from .place import generator
from .street_plan import Street

_FLOWERS = ["Bằng Lăng", "Hoa Sữa", "Hoa Ban", "Ngọc Lan", "Hoàng Lan", "Mai Vàng", "Sen Hồng", "Hoa Giấy",
    "Lộc Vừng", "Hàng Me", "Hàng Dừa", "Hàng Bàng",
            "Cây Sanh", "Cây Gáo", "Bồ Đề", "Phong Lan", "Thiên Lý", "Nguyệt Quế", "Sứ Trắng", "Tường Vi", "Dã Quỳ",
             "Hải Đường", "Trà My", "Lưu Ly"]
_PLACES = ["Bến Đò", "Bến Cá", "Chợ Cũ", "Cầu Ván", "Giếng Làng", "Cồn Nổi", "Gò Mây", "Hói Sen", "Bàu Súng",
    "Đồng Xoài Nhỏ", "Xóm Lưới", "Lò Gốm", "Lò Rèn",
           "Phường Vải", "Phường Nón", "Đình Làng", "Cửa Đông", "Cửa Tây", "Thành Cũ", "Vườn Dâu", "Vườn Cau",
            "Cây Đa", "Bãi Dâu", "Đồng Sen"]
_VIRTUES = ["Đoàn Kết", "Tự Do", "Hữu Nghị", "Lao Động", "Hạnh Phúc", "Hưng Thịnh", "Bình Yên", "Thanh Bình",
    "An Lạc", "Phú Cường", "Vạn Phúc", "Trường Xuân",
            "Minh Khang", "Tân Tiến", "Đại Đồng", "Hòa Hợp", "Thịnh Vượng", "Tương Lai", "Sáng Tạo", "Bình Minh",
             "Hừng Đông", "Tháng Tám", "Mùa Xuân", "Quê Hương"]
#: Two-word names as old hamlets bear them.
_FIRST = ["An", "Bình", "Phú", "Tân", "Vĩnh", "Thuận", "Lộc", "Hòa", "Mỹ", "Xuân"]
_SECOND = ["Khê", "Sơn", "Giang", "Lâm", "Điền", "Thịnh", "Trạch", "Phong", "Vân", "Thạch"]


def name_streets(streets: list[Street]) -> list[str | None]:
    """Name every street of the town; village lanes and field tracks have no name, alleys are counted per street."""
    rng = generator("street names")
    hamlets = [f"{first} {second}" for first in _FIRST for second in _SECOND]
    pool = [f"Đường {name}" for name in rng.permutation(_FLOWERS + _PLACES + _VIRTUES + hamlets)]
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


def addresses(
    points: NDArray[np.object_], streets: list[Street], names: list[str | None], quarters: list[str]
) -> list[str]:
    """What people write on a letter: the nearest named street within 60 m, and the hamlet."""
    named = [at for at, name in enumerate(names) if name]
    tree = shapely.STRtree([streets[at].line for at in named])
    point, line = tree.query_nearest(points, max_distance=60.0, all_matches=False)
    found = dict(zip(point.tolist(), line.tolist()))
    return [
        ", ".join(part for part in (names[named[found[at]]] if at in found else None, quarter) if part)
        for at, quarter in enumerate(quarters)
    ]


def _name_alleys(streets: list[Street], names: list[str | None]) -> list[str | None]:
    lines = np.array([street.line for street in streets], dtype=object)
    tree = shapely.STRtree(lines)
    count: dict[str, int] = {}
    for at, street in enumerate(streets):
        if street.kind != "alley":
            continue
        near = tree.query(shapely.get_point(street.line, 0), predicate="dwithin", distance=2.0)
        mothers = sorted(
            names[other] for other in near if other != at and names[other] and streets[other].kind != "alley"
        )
        if mothers:
            count[mothers[0]] = count.get(mothers[0], 0) + 1
            names[at] = f"Kiệt {2 * count[mothers[0]] + 9} {mothers[0].removeprefix('Đường ')}"
    return names
