"""Land set aside for schools, clinics, markets, parks and the like before the blocks are parted into lots."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import Polygon

from .blocks import Blocks
from .splitting import dominant_axes, half_planes
from .territory import OLD_COMMUNES, WARDS, Territory


@dataclass(frozen=True)
class Site:
    """One plot: what stands on it, its name, its land code and the block it was cut from."""

    shape: Polygon
    kind: str
    name: str
    land_code: str
    function: str
    hamlet: int


#: kind: land code, planning function
_USE = {
    "kindergarten": ("DGD", "TRUONG"), "primary_school": ("DGD", "TRUONG"), "lower_secondary": ("DGD", "TRUONG"),
     "upper_secondary": ("DGD", "THPT"),
    "clinic": ("DYT", "YT"), "hospital": ("DYT", "YT"), "market": ("DCH", "DV"), "park": ("DKV", "CXCC"),
     "sports_field": ("DTT", "TDTT"),
    "culture_sport": ("DVH", "VH"), "culture_house": ("DVH", "VH"), "commune_office": ("TSC", "CQ"), "police": ("CAN",
     "AN"),
    "bus_station": ("DGT", "BDX"), "petrol_station": ("TMD", "DV"), "water_plant": ("DCT", "HTK"),
     "power_station": ("DNL", "HTK"),
    "library": ("DVH", "VH"), "fire_station": ("CAN", "AN"),
    "pagoda": ("TON", "DTTG"), "church": ("TON", "DTTG"), "communal_house": ("TIN", "DTTG"), "cemetery": ("NTD", "NTR"),
}
#: kind, name, area (square metres), wanted place: for the town as a whole.
_TOWN = [
    ("hospital", "Bệnh viện đa khoa Lam Trạch", 16000, 4420, 1780), ("upper_secondary", "Trường THPT Lam Trạch",
         14000, 3560, 1780),
    ("upper_secondary", "Trường THPT Bắc Trạch", 12000, 2250, 2520), ("sports_field", "Sân vận động Lam Trạch", 15000,
         4500, 2250),
    ("park", "Công viên Trung Tâm", 14000, 3650, 2560), ("park", "Công viên Bàu Sen", 18000, 5000, 2240),
    ("park", "Công viên Hoa Phượng", 7000, 4080, 2240), ("market", "Chợ Lam Trạch", 9000, 3560, 2300),
    ("market", "Chợ Bắc Trạch", 4200, 2520, 2700), ("market", "Chợ Bàu Sen", 3500, 5080, 2110), ("market",
         "Chợ Nam Trạch", 3000, 4150, 1020),
    ("market", "Chợ Đông Lộc", 2500, 3250, 3820), ("bus_station", "Bến xe Lam Trạch", 9000, 4780, 1560),
    ("culture_sport", "Trung tâm Văn hóa - Thể thao Lam Trạch", 7000, 3950, 2120), ("library", "Thư viện Lam Trạch",
         1800, 3700, 2150),
    ("fire_station", "Đội Cảnh sát phòng cháy, chữa cháy khu vực Lam Trạch", 2500, 4680, 2320), ("water_plant",
         "Nhà máy nước Khe Mây", 9000, 1500, 900),
    ("power_station", "Trạm biến áp 110 kV Nam Trạch", 7000, 4800, 800), ("petrol_station", "Cửa hàng xăng dầu số 1",
         1500, 4000, 1000),
    ("petrol_station", "Cửa hàng xăng dầu số 2", 1400, 2150, 2920), ("petrol_station", "Cửa hàng xăng dầu số 3", 1300,
         4380, 4000),
    ("pagoda", "Chùa Linh Quang", 3500, 3350, 2050), ("pagoda", "Chùa Bảo Trạch", 3000, 2680, 2900), ("church",
         "Nhà thờ Lam Trạch", 4000, 4300, 2200),
    ("communal_house", "Đình Lam Trạch", 2600, 3330, 2300), ("communal_house", "Đình Đông Lộc", 2200, 3050, 3900),
    ("communal_house", "Đình Gò Dài", 1800, 5600, 1800), ("cemetery", "Nghĩa trang nhân dân Khe Mây", 42000, 1150, 250),
    ("cemetery", "Nghĩa trang Cồn Rang", 16000, 5450, 4850), ("cemetery", "Nghĩa trang Đồng Vang", 14000, 3050, 250),
]
_SCHOOLS = {
    "kindergarten": ("Trường mầm non", 2600),
    "primary_school": ("Trường tiểu học", 6500),
    "lower_secondary": ("Trường THCS", 8000),
}


def choose_sites(blocks: Blocks, territory: Territory) -> tuple[list[Site], NDArray[np.object_]]:
    """Set the plots aside.

    Returns
    -------
    sites, remaining blocks (same positions as before; empty where a plot took the whole block)
    """
    rest = blocks.shapes.copy()
    taken = np.zeros(len(rest), dtype=int)
    allowed = np.isin(blocks.character, ["town", "village"])
    sites = []
    for kind, name, wanted, x, y in [*_TOWN, *_of_wards(territory), *_of_hamlets(territory)]:
        place = shapely.Point(x, y)
        here = (
            np.isin(blocks.character, ["field", "forest", "village"])
            if kind in ("cemetery", "water_plant")
            else allowed
        )
        area = shapely.area(rest)
        usable = here & (area > 1.05 * wanted) & (taken < 3) | here & (taken == 0) & (area > 0.7 * wanted)
        usable &= area < max(9 * wanted, 60_000 if kind == "cemetery" else 26_000)
        distance = np.where(usable, shapely.distance(rest, place) + 25.0 * taken, np.inf)
        at = int(distance.argmin())
        shape, rest[at] = _cut_off(rest[at], wanted, place)
        taken[at] += 1
        code, function = _USE[kind]
        hamlet = int(territory.hamlet_at(np.array([shape.representative_point()]))[0])
        sites.append(Site(shape, kind, name, code, function, hamlet))
    return sites, rest


def _of_wards(territory):
    for at, (ward, *_) in enumerate(WARDS):
        yield "commune_office", f"Trụ sở UBND {ward[0].lower()}{ward[1:]}", 3200, *_built_middle(territory, at, 0)
        yield "police", f"Công an {ward[0].lower()}{ward[1:]}", 1500, *_built_middle(territory, at, 1)
        yield "clinic", f"Trạm Y tế {ward[0].lower()}{ward[1:]}", 1600, *_built_middle(territory, at, 2)
    for at, (old, _, _, _, x, y) in enumerate(OLD_COMMUNES):
        short = old.split(" ", 1)[1].replace("trấn ", "")
        for kind, (title, area) in _SCHOOLS.items():
            if kind == "lower_secondary" and at % 2:
                continue
            yield kind, f"{title} {short}", area, x + 60 * (at % 3 - 1), y + 70 * (at % 4 - 1.5)


def _of_hamlets(territory):
    for at, name in enumerate(territory.hamlet_names):
        centre = territory.hamlets[at].representative_point()
        if at % 2 == 0:
            ward = WARDS[territory.hamlet_ward[at]][0]
            title = f"Nhà văn hóa {name[0].lower()}{name[1:]}, {ward[0].lower()}{ward[1:]}"
            yield "culture_house", title, 900, centre.x, centre.y


def _built_middle(territory, ward, turn):
    x, y = WARDS[ward][3:]
    return x + 120 * np.cos(2.1 * turn + ward), y + 120 * np.sin(2.1 * turn + ward)


def _cut_off(block, wanted, place):
    """Take the whole block if it is about as large as wanted, else the end of it nearer to the place."""
    if block.area < 1.7 * wanted and block.geom_type == "Polygon":
        return block, Polygon()
    *others, largest = sorted(shapely.get_parts(block), key=lambda part: part.area)
    shapes = np.array([largest], dtype=object)
    axis, low, high, _, _ = dominant_axes(shapes)
    share = wanted / block.area
    if np.dot(axis[0], [place.x, place.y]) > (low[0] + high[0]) / 2:
        share = 1 - share
    lower, upper = (shapely.intersection(shapes, side)[0] for side in half_planes(axis, low + share * (high - low)))
    site, rest = (lower, upper) if share < 0.5 else (upper, lower)
    parts = sorted(shapely.get_parts(site), key=lambda part: part.area)
    return parts[-1], shapely.union_all([rest, *parts[:-1], *others])
