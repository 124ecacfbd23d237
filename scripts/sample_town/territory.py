"""Wards, the old communes they were formed from, and hamlets: exact groups of the faces between streets and river."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from .landscape import urbanity
from .place import generator
from .watercourses import Watercourses

#: name, type, code, x, y of the middle.
WARDS = [
    ("Phường Lam Trạch", "ward", "99004", 3750, 2250), ("Phường Hòa Bình", "ward", "99007", 3150, 1350),
    ("Phường Bàu Sen", "ward", "99010", 5250, 1950), ("Phường Nam Trạch", "ward", "99013", 4350, 700),
    ("Xã Khe Mây", "commune", "99016", 1000, 750), ("Phường Bắc Trạch", "ward", "99019", 2350, 2650),
    ("Xã Khe Trai", "commune", "99022", 1300, 4350), ("Xã Đông Lộc", "commune", "99025", 4300, 4350),
]
#: name, type, code, position of the ward, x, y of the middle. Every old commune went whole into one ward.
OLD_COMMUNES = [
    ("Phường Trung Tâm", "old_ward", "99101", 0, 3480, 2330), ("Phường Thuận Trạch", "old_ward", "99104", 0, 4200,
         2500),
    ("Phường Chợ Cũ", "old_ward", "99107", 0, 4000, 1830), ("Phường Vạn Xuân", "old_ward", "99110", 1, 3450, 1500),
    ("Phường Bến Trạch", "old_ward", "99113", 1, 3050, 1250), ("Xã Trạch Phú", "old_commune", "99116", 1, 2350, 850),
    ("Phường Bàu Sen", "old_ward", "99119", 2, 4950, 2250), ("Xã Gò Dài", "old_commune", "99122", 2, 5700, 1550),
    ("Xã Nam Trạch", "old_commune", "99125", 3, 4100, 950), ("Xã Đồng Vang", "old_commune", "99128", 3, 3300, 350),
    ("Xã Tân Lạc", "old_commune", "99131", 3, 5400, 600), ("Xã Khe Mây", "old_commune", "99134", 4, 650, 500),
    ("Xã Trạch Thượng", "old_commune", "99137", 4, 1450, 950), ("Thị trấn Cầu Trạch", "old_township", "99140", 5,
         2450, 2700),
    ("Xã Trạch Bãi", "old_commune", "99143", 5, 1150, 2300), ("Xã Khe Trai", "old_commune", "99146", 6, 700, 3900),
    ("Xã Trạch Lâm", "old_commune", "99149", 6, 2200, 4750), ("Xã Đông Lộc", "old_commune", "99152", 7, 3150, 3900),
    ("Xã Bắc Hòa", "old_commune", "99155", 7, 4250, 5000), ("Xã Cồn Rang", "old_commune", "99158", 7, 5350, 4550),
    ("Xã Trạch Đông", "old_commune", "99161", 7, 5450, 3500),
]
_NORTH_BANK = {5, 6, 7}
_HAMLET_NAMES = ["Đông", "Tây", "Thượng", "Hạ", "Trung", "Bàu", "Gò Mít", "Cồn Dâu", "Đồng Nổi", "Xóm Chợ", "Phú Lễ",
    "An Hòa", "Mỹ Lợi", "Vinh Phước",
                 "Hói Dừa", "Bãi Dâu", "Tân Sơn", "Lộc An", "Kim Đôi", "Thạch Bình"]


@dataclass(frozen=True)
class Territory:
    """Faces and, for each, the positions of its hamlet; hamlets know their old commune, old communes their ward."""

    faces: NDArray[np.object_]
    face_hamlet: NDArray[np.intp]
    hamlets: NDArray[np.object_]
    hamlet_names: list[str]
    hamlet_old: NDArray[np.intp]
    olds: NDArray[np.object_]
    wards: NDArray[np.object_]

    @property
    def hamlet_ward(self) -> NDArray[np.intp]:
        """Position of each hamlet's ward."""
        return np.array([OLD_COMMUNES[old][3] for old in self.hamlet_old])

    def hamlet_at(self, points: NDArray[np.object_]) -> NDArray[np.intp]:
        """Position of the hamlet each point lies in; the nearest one for points outside all."""
        tree = shapely.STRtree(self.faces)
        point, face = tree.query_nearest(points, all_matches=False)
        found = np.zeros(len(points), dtype=np.intp)
        found[point] = self.face_hamlet[face]
        return found


def draw_territory(faces: NDArray[np.object_], water: Watercourses) -> Territory:
    """Group the faces into wards, old communes and hamlets, each in one piece."""
    centre = shapely.get_coordinates(shapely.point_on_surface(faces))
    north = water.ruler.measure(centre[:, 0], centre[:, 1])[1] > 0
    neighbours = _shared_borders(faces)
    where = np.array([ward[3:] for ward in WARDS], dtype=float)
    bank = np.array([at in _NORTH_BANK for at in range(len(WARDS))])
    ward = _nearest(centre, where, bank[None, :] == north[:, None])
    ward = _in_one_piece(ward, np.where(north, 1, 0), neighbours)
    where = np.array([old[4:] for old in OLD_COMMUNES], dtype=float)
    of_ward = np.array([old[3] for old in OLD_COMMUNES])
    old = _nearest(centre, where, of_ward[None, :] == ward[:, None])
    old = _in_one_piece(old, ward, neighbours)
    weight = shapely.area(faces) * (0.12 + urbanity(centre[:, 0], centre[:, 1]) ** 2)
    hamlet, hamlet_old = _hamlets(centre, weight, old, neighbours)
    shapes = np.array([shapely.union_all(faces[hamlet == at]) for at in range(len(hamlet_old))])
    olds = np.array([shapely.union_all(shapes[hamlet_old == at]) for at in range(len(OLD_COMMUNES))])
    wards = np.array([shapely.union_all(olds[of_ward == at]) for at in range(len(WARDS))])
    return Territory(faces, hamlet, shapes, _name_hamlets(hamlet_old), hamlet_old, olds, wards)


def _nearest(points, targets, allowed):
    distance = np.hypot(points[:, None, 0] - targets[None, :, 0], points[:, None, 1] - targets[None, :, 1])
    return np.where(allowed, distance, np.inf).argmin(axis=1)


def _hamlets(centre, weight, old, neighbours):
    rng = generator("hamlets")
    hamlet = np.zeros(len(centre), dtype=np.intp)
    owner: list[int] = []
    total = weight.sum()
    for commune in range(len(OLD_COMMUNES)):
        members = np.flatnonzero(old == commune)
        wanted = int(np.clip(round(62 * weight[members].sum() / total), 2, 5))
        seeds = centre[rng.choice(members, min(wanted, len(members)), replace=False)]
        for _ in range(25):
            nearest = np.hypot(*(centre[members][:, None] - seeds[None]).transpose(2, 0, 1)).argmin(axis=1)
            for at in range(len(seeds)):
                mine = members[nearest == at]
                if len(mine):
                    seeds[at] = np.average(centre[mine], axis=0, weights=weight[mine])
        local = _in_one_piece_of(nearest, members, neighbours)
        used, local = np.unique(local, return_inverse=True)
        hamlet[members] = len(owner) + local.ravel()
        owner.extend([commune] * len(used))
    return hamlet, np.array(owner)


def _in_one_piece_of(group, members, neighbours):
    whole = np.full(max(members.max(), max(max(pair) for pair in neighbours)) + 1, -1)
    whole[members] = group
    parent = np.where(whole >= 0, 0, 1)
    return _in_one_piece(whole, parent, neighbours)[members]


def _shared_borders(faces):
    """Neighbouring faces and the length of their common border."""
    tree = shapely.STRtree(faces)
    left, right = tree.query(faces, predicate="intersects")
    left, right = left[left < right], right[left < right]
    length = shapely.length(shapely.intersection(faces[left], faces[right]))
    return {(int(a), int(b)): float(c) for a, b, c in zip(left, right, length) if c > 0.5}


def _in_one_piece(group, parent, neighbours):
    """Give splinters of a group to the neighbouring group (of the same parent) with the longest common border."""
    group = group.copy()
    around: dict[int, list[tuple[int, float]]] = {}
    for (a, b), length in sorted(neighbours.items()):
        around.setdefault(a, []).append((b, length))
        around.setdefault(b, []).append((a, length))
    for _ in range(12):
        splinters = _splinters(group, around)
        if not splinters:
            break
        for face in splinters:
            borders: dict[int, float] = {}
            for other, length in around.get(face, []):
                if parent[other] == parent[face] and group[other] != group[face]:
                    borders[group[other]] = borders.get(group[other], 0.0) + length
            if borders:
                group[face] = max(sorted(borders), key=borders.get)
    return group


def _splinters(group, around):
    seen, largest = np.full(len(group), -1), {}
    members: list[list[int]] = []
    for first in range(len(group)):
        if seen[first] >= 0:
            continue
        stack, found = [first], []
        seen[first] = len(members)
        while stack:
            face = stack.pop()
            found.append(face)
            for other, _ in around.get(face, []):
                if seen[other] < 0 and group[other] == group[face]:
                    seen[other] = len(members)
                    stack.append(other)
        members.append(found)
        best = largest.get(group[first])
        if best is None or len(found) > len(members[best]):
            largest[group[first]] = len(members) - 1
    keep = set(largest.values())
    return sorted(face for at, found in enumerate(members) if at not in keep for face in found)


def _name_hamlets(hamlet_old):
    """Tổ dân phố are numbered within their ward (tổ dân phố 1, 2, ...); thôn have names, unique in the commune."""
    names, count = [], {}
    for at, old in enumerate(hamlet_old):
        ward = OLD_COMMUNES[old][3]
        count[ward] = count.get(ward, 0) + 1
        if WARDS[ward][1] == "ward":
            names.append(f"Tổ dân phố {count[ward]}")
        else:
            names.append("Thôn " + _HAMLET_NAMES[(7 * ward + count[ward]) % len(_HAMLET_NAMES)])
    return names
