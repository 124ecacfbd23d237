"""Where land went from one date to another: area by former and later land type (form 05/TKKK).

Every place of the common area is unchanged, changed, or boundary noise: the two layers draw the same boundary a little
apart. The three add up to the common area; what only one layer covers stands beside it, so that openings and closings
add up to the layers.
"""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from pathlib import Path

import geopandas
import numpy as np
import pyproj
import shapely
from numpy.typing import NDArray

from ..common.areas import Surface, areas_m2, check_surface
from ..common.coverage import union_if_coverage
from ..common.crs import require_crs, to_crs
from ..common.errors import noted, refuse_if
from ..common.geometry import GeometryReport, InvalidGeometry, clean
from ..common.language import say
from ..common.overlay import Pieces, intersect
from ..common.progress import Progress, part, silent
from ..common.slivers import in_metres, is_narrow
from .double_counting import DoubleCounting, double_counting
from .land_types import CodeList, Node, land_type_rows, normalised_codes, row_of_codes
from .placing import Placed, intersect_similar, lies_within, place

#: Pairs of one type below which cutting them all costs less than finding out which can be left.
_WORTH_ASKING = 20_000


@dataclass(frozen=True)
class LandUseChange:
    """Areas in m2 by former (row) and later (column) land type.

    Attributes
    ----------
    types : list of Node
        Land types of both layers in printing order; rows and columns are the same.
    area : array of float, shape (types, types)
        Without boundary noise; the diagonal is unchanged land.
    noise : array of float, shape (types, types)
        Changed by the codes, but within the drawing tolerance.
    only_before, only_after : array of float, shape (types,)
        Covered by one layer only.
    shared_before, shared_after : array of float, shape (types,)
        Counted more than once in a row (AFTER polygons overlap) or a column (BEFORE polygons overlap):
        ``row sum + only_before - shared_before`` is the area of the type in BEFORE, and likewise for columns.
    doubled_before, doubled_after : float
        What polygons of each layer count more than once, in the whole layer.
    common_ground : float
        Ground both layers cover, each place once. Equals the sum of `area` and `noise` when no layer overlaps itself.
    before_total, after_total : float
        Sums of the layers' own areas.
    pieces, noise_pieces : GeoDataFrame
        Changed pieces with before_fid, after_fid, before_code, after_code, change, area_m2; the same of the noise.
    piece_count, noise_count : array of int, shape (types, types)
        Of changed pieces and of noise; unchanged land is not cut into pieces where its area is known without.
    overlapping_before, overlapping_after : list of tuple
        Ids of overlapping pairs.
    reports : list of GeometryReport
    rescued : int
        Pieces GEOS could only cut after repairing.
    """

    types: list[Node]
    area: NDArray[np.float64]
    noise: NDArray[np.float64]
    only_before: NDArray[np.float64]
    only_after: NDArray[np.float64]
    shared_before: NDArray[np.float64]
    shared_after: NDArray[np.float64]
    doubled_before: float
    doubled_after: float
    common_ground: float
    before_total: float
    after_total: float
    pieces: geopandas.GeoDataFrame
    noise_pieces: geopandas.GeoDataFrame
    piece_count: NDArray[np.intp]
    noise_count: NDArray[np.intp]
    overlapping_before: list[tuple[object, object]]
    overlapping_after: list[tuple[object, object]]
    reports: list[GeometryReport]
    rescued: int

    @property
    def common(self) -> float:
        """Unchanged, changed and noise together."""
        return float(self.area.sum() + self.noise.sum())

    @property
    def unchanged(self) -> float:
        """Land of the same type in both layers."""
        return float(np.trace(self.area))

    @property
    def changed(self) -> float:
        """Changed land beyond the noise."""
        return float(self.area.sum() - np.trace(self.area))


def land_use_change(
    before: geopandas.GeoDataFrame,
    before_code: str,
    after: geopandas.GeoDataFrame,
    after_code: str,
    *,
    min_area_m2: float = 0.0,
    tolerance_m: float = 0.0,
    surface: Surface = Surface.PLANE,
    code_list: CodeList = CodeList.LAND_LAW,
    on: datetime.date | None = None,
    province_folder: str | Path | None = None,
    invalid: InvalidGeometry = InvalidGeometry.REPAIR,
    before_name: str = "",
    after_name: str = "",
    progress: Progress = silent,
) -> LandUseChange:
    """Compare two land-use layers.

    Parameters
    ----------
    before, after : GeoDataFrame
        Polygons; index = feature ids. AFTER is brought to the CRS of BEFORE.
    before_code, after_code : str
        Fields with land-type codes. A missing code is a type of its own.
    min_area_m2 : float
        Changed pieces smaller than this are noise.
    tolerance_m : float
        Changed pieces nowhere wider than this are noise, unless they are a whole polygon of both layers: then no
        boundary moved, and the land was recoded.
    surface, code_list, on, province_folder, invalid, before_name, after_name
        As in `land_use_statistics`.

    Raises
    ------
    InputError
        No CRS, plane areas in degrees, no usable polygon, invalid shapes when refused, an unknown list.

    Examples
    --------
    >>> crs = "EPSG:9214"
    >>> before = geopandas.GeoDataFrame({"c": ["LUC"]}, geometry=[shapely.box(0, 0, 100, 100)], crs=crs)
    >>> after = geopandas.GeoDataFrame({"c": ["LUC", "ONT"]}, geometry=shapely.box([0, 70], 0, [70, 120], 100), crs=crs)
    >>> change = land_use_change(before, "c", after, "c")
    >>> [node.code for node in change.types], change.area.tolist(), change.only_after.tolist()
    (['LUC', 'ONT'], [[7000.0, 3000.0], [0.0, 0.0]], [0.0, 2000.0])
    """
    before_name = before_name or say("Lớp trước", "The layer before")
    after_name = after_name or say("Lớp sau", "The layer after")
    problems: list[str] = []
    with noted(problems):
        check_surface(require_crs(before, before_name), surface, before_name)
    with noted(problems):
        require_crs(after, after_name)
    refuse_if(problems)
    crs = before.crs
    before, report_before = clean(before, "polygon", invalid, before_name)
    after, report_after = clean(after, "polygon", invalid, after_name)
    refuse_if(say("{name} không có hình vùng nào dùng được.", "{name} has no usable polygon.").format(name=name)
              for frame, name in ((before, before_name), (after, after_name)) if not len(frame))
    after = to_crs(after, crs)
    codes_before, codes_after = (normalised_codes(frame[field], code_list)
                                 for frame, field in ((before, before_code), (after, after_code)))
    types, type_before, type_after = _types(codes_before, codes_after, code_list, on, province_folder)

    left, right = (shapely.force_2d(np.asarray(frame.geometry.array, dtype=object)) for frame in (before, after))
    left_area, right_area = (areas_m2(shapes, crs, surface) for shapes in (left, right))
    progress(0.02, say("Tìm chồng lấn trong từng lớp", "Looking for overlaps within each layer"))
    left_double = double_counting(left, part(progress, 0.02, 0.15))
    right_double = double_counting(right, part(progress, 0.15, 0.28))
    progress(0.28, say("Chồng xếp hai thời điểm", "Overlaying the two dates"))
    own_type = _OwnType(left, right, type_before, type_after)
    # On the ellipsoid pieces are scaled to their polygon, so all of them are needed.
    pieces, same = intersect_similar(left, right, left_double, right_double, part(progress, 0.28, 0.75),
                                     own_type.wanted if surface is Surface.PLANE else None)
    placed = place(left, right, pieces, left_area, right_double, crs, surface, part(progress, 0.75, 0.8))
    placed_after = place(right, left, _turned(pieces), right_area, left_double, crs, surface, part(progress, 0.8, 0.85))
    uncut = np.bincount(type_before, np.where(own_type.within_before, placed.outside, 0.0), minlength=len(types))
    outside_before = np.where(own_type.within_before, 0.0, placed.outside)
    outside_after = np.where(own_type.within_after, 0.0, placed_after.outside)

    row, column = type_before[pieces.left], type_after[pieces.right]
    changed = np.flatnonzero((row != column) & (placed.piece > 0))
    progress(0.85, say("Tách nhiễu ranh giới", "Setting boundary noise apart"))
    noisy = _is_noise(pieces.geometry[changed], placed.piece[changed], same[changed], crs, min_area_m2, tolerance_m,
                      part(progress, 0.85, 0.98))
    is_noise = np.zeros(len(pieces), dtype=bool)
    is_noise[changed[noisy]] = True
    size = len(types)
    cell = row * size + column

    def table(which: NDArray[np.bool_], weights: NDArray[np.float64] | None = None) -> NDArray:
        values = None if weights is None else weights[which]
        return np.bincount(cell[which], values, minlength=size * size).reshape(size, size)

    frames = [_frame(before, after, codes_before, codes_after, pieces, placed, chosen)
              for chosen in (changed[~noisy], changed[noisy])]
    changes = np.zeros(len(pieces), dtype=bool)
    changes[changed[~noisy]] = True
    result = LandUseChange(
        types=types, area=table(~is_noise, placed.piece) + np.diag(uncut), noise=table(is_noise, placed.piece),
        only_before=np.bincount(type_before, outside_before, minlength=size),
        only_after=np.bincount(type_after, outside_after, minlength=size),
        shared_before=np.bincount(type_before, placed.shared, minlength=size),
        shared_after=np.bincount(type_after, placed_after.shared, minlength=size),
        doubled_before=float(areas_m2(left_double.ground, crs, surface).sum()),
        doubled_after=float(areas_m2(right_double.ground, crs, surface).sum()),
        common_ground=float(uncut.sum()) + _common_ground(placed, left_double, right, right_double, crs, surface),
        before_total=float(left_area.sum()), after_total=float(right_area.sum()),
        pieces=frames[0], noise_pieces=frames[1], piece_count=table(changes), noise_count=table(is_noise),
        overlapping_before=_ids(before, left_double), overlapping_after=_ids(after, right_double),
        reports=[report_before, report_after], rescued=len(pieces.rescued))
    progress(1.0)
    return result


class _OwnType:
    """Pairs of one type need not be cut where both polygons lie within the ground of the other layer.

    What such a polygon does not share with other types, it shares with its own: its area less its pieces.

    Attributes
    ----------
    within_before, within_after : array of bool
        Polygons some of whose pairs were left uncut.
    """

    def __init__(self, left: NDArray[np.object_], right: NDArray[np.object_], type_before: NDArray[np.intp],
                 type_after: NDArray[np.intp]):
        self.left, self.right = left, right
        self.type_before, self.type_after = type_before, type_after
        self.within_before, self.within_after = np.zeros(len(left), dtype=bool), np.zeros(len(right), dtype=bool)

    def wanted(self, i: NDArray[np.intp], j: NDArray[np.intp]) -> NDArray[np.bool_]:
        """Tell which pairs must be cut."""
        own = self.type_before[i] == self.type_after[j]
        if np.count_nonzero(own) < _WORTH_ASKING:
            return np.ones(len(i), dtype=bool)
        # None unless both layers are free of overlaps and drawn vertex to vertex.
        ground_before, ground_after = union_if_coverage(self.left), union_if_coverage(self.right)
        if ground_before is None or ground_after is None:
            return np.ones(len(i), dtype=bool)
        for within, shapes, asked, ground in ((self.within_before, self.left, np.unique(i[own]), ground_after),
                                              (self.within_after, self.right, np.unique(j[own]), ground_before)):
            within[asked] = lies_within(shapes[asked], ground)
        return ~own | ~self.within_before[i] | ~self.within_after[j]


def _types(
    codes_before: NDArray[np.object_],
    codes_after: NDArray[np.object_],
    code_list: CodeList,
    on: datetime.date | None,
    province_folder: str | Path | None,
) -> tuple[list[Node], NDArray[np.intp], NDArray[np.intp]]:
    """Return the land types that occur, without their groups, and each polygon's position among them."""
    every = np.concatenate([codes_before, codes_after])
    tree = land_type_rows(list(every), code_list=code_list, on=on, province_folder=province_folder)
    used, position = np.unique(row_of_codes(every, tree), return_inverse=True)
    return [tree[k] for k in used], position[:len(codes_before)], position[len(codes_before):]


def _turned(pieces: Pieces) -> Pieces:
    order = np.lexsort((pieces.left, pieces.right))
    none = np.zeros(0, dtype=np.intp)
    return Pieces(pieces.right[order], pieces.left[order], pieces.geometry[order], none)


def _is_noise(
    shapes: NDArray[np.object_],
    area: NDArray[np.float64],
    same: NDArray[np.bool_],
    crs: pyproj.CRS,
    min_area_m2: float,
    tolerance_m: float,
    progress: Progress,
) -> NDArray[np.bool_]:
    noise = area < min_area_m2
    asked = np.flatnonzero(~noise & ~same)
    if tolerance_m > 0 and asked.size:
        noise[asked] = is_narrow(in_metres(shapes[asked], crs), tolerance_m, progress)
    return noise


def _common_ground(
    placed: Placed,
    left_double: DoubleCounting,
    right: NDArray[np.object_],
    right_double: DoubleCounting,
    crs: pyproj.CRS,
    surface: Surface,
) -> float:
    """Ground under both layers: what BEFORE's polygons have in it, less what they count there more than once."""
    ground = float(placed.piece.sum() - placed.shared.sum())
    if len(left_double.ground):
        twice = intersect(left_double.ground, right)
        again = place(left_double.ground, right, twice, areas_m2(left_double.ground, crs, surface), right_double, crs,
                      surface)
        ground -= float(again.piece.sum() - again.shared.sum())
    return ground


def _frame(
    before: geopandas.GeoDataFrame,
    after: geopandas.GeoDataFrame,
    codes_before: NDArray[np.object_],
    codes_after: NDArray[np.object_],
    pieces: Pieces,
    placed: Placed,
    chosen: NDArray[np.intp],
) -> geopandas.GeoDataFrame:
    left, right = pieces.left[chosen], pieces.right[chosen]
    blank = say("(không mã)", "(no code)")
    former, later = codes_before[left], codes_after[right]
    change = [f"{a or blank} → {b or blank}" for a, b in zip(former, later)]
    return geopandas.GeoDataFrame(
        {"before_fid": np.asarray(before.index)[left], "after_fid": np.asarray(after.index)[right],
         "before_code": former,
         "after_code": later, "change": np.array(change, dtype=object), "area_m2": placed.piece[chosen]},
        geometry=pieces.geometry[chosen], crs=before.crs)


def _ids(frame: geopandas.GeoDataFrame, double: DoubleCounting) -> list[tuple[object, object]]:
    index = frame.index
    return [(index[i], index[j]) for i, j in zip(double.pairs.left, double.pairs.right)]
