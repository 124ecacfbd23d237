"""Overlay of two sets of polygons: which pieces do they have in common, and what is left of the first.

Most pairs need no cutting: a parcel that lies inside a zone is its own piece, and a prepared zone knows that in
microseconds. The same shape on both sides is recognised, and where the right shapes are proven not to overlap
(`coverage`), its neighbours are not even asked. Borders that run once through a shape are cut for thousands of
pairs at a time (`crossing_cut`), the rest one by one by GEOS, on all cores, because GEOS works outside Python's lock.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from .coverage import groups_without_overlap
from .crossing_cut import cut_simple_crossings
from .parallel import run_blocks
from .progress import Progress, part, silent

Geometries = NDArray[np.object_]
Positions = NDArray[np.intp]

#: Pairs worked on between two looks at the cancel button.
BLOCK = 4000
#: Every so many pairs are tried for a simple crossing first; the rest only if more than this share was one.
_SAMPLE, _WORTHWHILE = 16, 0.1
_POLYGON, _MULTIPOLYGON, _COLLECTION = 3, 6, 7


@dataclass(frozen=True)
class Pieces:
    """The common pieces of two sets, one per pair that shares area, sorted by left, then right.

    Attributes
    ----------
    left, right : array of int, shape (n,)
        Positions in the two input arrays.
    geometry : array of shapely Polygon or MultiPolygon, shape (n,)
        Positive area. Where the left shape lies inside the right one it is the left shape itself, uncut.
    rescued : array of int
        Positions in `left` of pieces GEOS could only cut after repairing the two shapes.
    """

    left: Positions
    right: Positions
    geometry: Geometries
    rescued: Positions

    def __len__(self) -> int:
        return len(self.left)


def intersect(
    left: Geometries,
    right: Geometries,
    progress: Progress = silent,
    wanted: Callable[[Positions, Positions], NDArray[np.bool_]] | None = None,
) -> Pieces:
    """Cut every left polygon by every right polygon it shares area with.

    Parameters
    ----------
    left, right : array of shapely Polygon or MultiPolygon, shapes (n,), (m,)
        Valid shapes in one CRS; None and empty shapes have no pieces. Shapes of one side may overlap each other.
    progress : Progress
        Called often; may raise `Cancelled`.
    wanted : callable, optional
        Given positions in left and right, tells which pairs need their piece; the others have none.

    Returns
    -------
    Pieces
        Points and lines that two shapes have in common are no pieces; each piece has all parts its pair shares.

    Examples
    --------
    >>> a = shapely.box([0, 10], 0, [10, 20], 10)
    >>> pieces = intersect(a, np.array([shapely.box(5, 0, 30, 10)]))
    >>> pieces.left.tolist(), pieces.right.tolist(), shapely.area(pieces.geometry).tolist()
    ([0, 1], [0, 0], [50.0, 100.0])
    """
    left, right = np.asarray(left, dtype=object), np.asarray(right, dtype=object)
    i, j = candidate_pairs(left, right)
    if wanted is not None:
        asked = wanted(i, j)
        i, j = i[asked], j[asked]
    i, j, geometry, rescued = _cut(left, right, i, j, progress)
    order = np.lexsort((j, i))
    return Pieces(i[order], j[order], geometry[order], np.flatnonzero(rescued[order]))


def intersect_within(shapes: Geometries, progress: Progress = silent) -> Pieces:
    """Find where shapes of one set overlap each other: the pieces of all pairs with ``left < right``.

    Examples
    --------
    >>> overlaps = intersect_within(shapely.box([0, 4, 8], 0, [5, 8, 9], 1))
    >>> overlaps.left.tolist(), overlaps.right.tolist(), shapely.area(overlaps.geometry).tolist()
    ([0], [1], [1.0])
    """
    shapes = np.asarray(shapes, dtype=object)
    apart = _groups_without_overlap(shapes)
    if len(apart) and apart.min() == apart.max() >= 0:
        progress(1.0)
        none = np.zeros(0, dtype=np.intp)
        return Pieces(none, none, np.zeros(0, dtype=object), none)
    i, j = candidate_pairs(shapes, shapes)
    once = (i < j) & ((apart[i] != apart[j]) | (apart[i] < 0))
    i, j, geometry, rescued = _cut(shapes, shapes, i[once], j[once], progress, mostly_touching=True)
    order = np.lexsort((j, i))
    return Pieces(i[order], j[order], geometry[order], np.flatnonzero(rescued[order]))


def _groups_without_overlap(shapes: Geometries) -> Positions:
    labels = np.full(len(shapes), -1, dtype=np.intp)
    nothing = shapely.is_missing(shapes) | shapely.is_empty(shapes)
    labels[~nothing] = groups_without_overlap(shapes[~nothing])
    # What is not there overlaps nothing, so it may join any group.
    labels[nothing] = max(0, labels.max(initial=-1))
    return labels


def remainder(
    left: Geometries,
    right: Geometries,
    pieces: Pieces,
    overlaps: Pieces,
    progress: Progress = silent,
) -> Geometries:
    """Return what of each left polygon lies outside all right ones.

    Parameters
    ----------
    left, right : array of shapely Polygon or MultiPolygon, shapes (n,), (m,)
    pieces : Pieces
        ``intersect(left, right)``.
    overlaps : Pieces
        ``intersect_within(right)``: where right shapes overlap, pieces may add up to a left shape they do not cover.

    Returns
    -------
    array of shapely geometry, shape (n,)
        None where nothing is left; parts no wider than the rounding of the coordinates are nothing.

    Examples
    --------
    >>> a = shapely.box([0, 10], 0, [10, 20], 10)
    >>> b = np.array([shapely.box(5, 0, 30, 10)])
    >>> rest = remainder(a, b, intersect(a, b), intersect_within(b))
    >>> [shape and shape.area for shape in rest]
    [50.0, None]
    """
    left, right = np.asarray(left, dtype=object), np.asarray(right, dtype=object)
    area, length = np.nan_to_num(shapely.area(left)), np.nan_to_num(shapely.length(left))
    covered = np.bincount(pieces.left, shapely.area(pieces.geometry), minlength=len(left))
    # A sum of areas carries the rounding of the coordinates along the whole outline.
    noise = 8 * np.spacing(np.nan_to_num(np.abs(shapely.bounds(left))).max(axis=1, initial=0)) * length
    doubled = np.zeros(len(right), dtype=bool)
    doubled[overlaps.left] = doubled[overlaps.right] = True
    doubtful = np.bincount(pieces.left, doubled[pieces.right], minlength=len(left)) > 0
    rest = np.full(len(left), None, dtype=object)
    untouched = covered == 0
    rest[untouched & (area > 0)] = left[untouched & (area > 0)]
    todo = np.flatnonzero(~untouched & (doubtful | (covered < area - noise)))
    starts = np.searchsorted(pieces.left, todo)
    stops = np.searchsorted(pieces.left, todo, side="right")
    for done, (k, start, stop) in enumerate(zip(todo, starts, stops)):
        if done % 500 == 0:
            progress(done / len(todo))
        # Right shapes are joined, not pieces: those would leave cracks where their cut points were rounded.
        difference = _difference(left[k], shapely.union_all(_near(left[k], right[pieces.right[start:stop]])))
        parts = [part for part in shapely.get_parts(difference)
                 if part.geom_type == "Polygon" and part.area > noise[k] / length[k] * part.length]
        if parts:
            rest[k] = parts[0] if len(parts) == 1 else shapely.MultiPolygon(parts)
    progress(1.0)
    return rest


def _near(shape: Any, others: Geometries) -> Geometries:
    """Cut shapes down to the surroundings of another: a road network's polygon is long, a parcel small."""
    x_min, y_min, x_max, y_max = shape.bounds
    margin = 0.1 * max(x_max - x_min, y_max - y_min)
    near = shapely.clip_by_rect(others, x_min - margin, y_min - margin, x_max + margin, y_max + margin)
    # Clipping is quick because it asks little; where it has made something invalid, the whole shapes are taken.
    return near if shapely.is_valid(near).all() else others


def _difference(a: Any, b: Any) -> Any:
    try:
        return shapely.difference(a, b)
    except shapely.GEOSException:
        return shapely.difference(shapely.make_valid(a), shapely.make_valid(b), grid_size=_rounding(a, b) * 2**10)


def candidate_pairs(left: Geometries, right: Geometries) -> tuple[Positions, Positions]:
    """Return the pairs whose bounding boxes share area, sorted by right, then left."""
    # The tree wants the many, the query the few.
    if len(left) >= len(right):
        j, i = shapely.STRtree(left).query(right)
    else:
        i, j = shapely.STRtree(right).query(left)
    a, b = shapely.bounds(left)[i], shapely.bounds(right)[j]
    area = np.all(np.minimum(a[:, 2:], b[:, 2:]) > np.maximum(a[:, :2], b[:, :2]), axis=1)
    i, j = i[area], j[area]
    order = np.lexsort((i, j))
    return i[order], j[order]


def _cut(
    left: Geometries, right: Geometries, i: Positions, j: Positions, progress: Progress, mostly_touching: bool = False
) -> tuple[Any, ...]:
    """Return the pairs that share area, their pieces, and which were rescued; pairs come and go sorted by right."""
    unsafe = _unsafe_to_share(left)
    if len(set(map(id, right))) < len(right):
        # One object in two places would be indexed by two threads at once.
        right = shapely.from_wkb(shapely.to_wkb(right))
    prepared_before = shapely.is_prepared(right)
    geometry = np.full(len(i), None, dtype=object)
    rescued = np.zeros(len(i), dtype=bool)
    try:
        inside = _lies_inside(left, right, i, j, unsafe, part(progress, 0.0, 0.2))
        geometry[inside] = left[i[inside]]
        todo = np.flatnonzero(~inside & ~_settled(right, i, j, inside))

        def cut_block(start: int, stop: int) -> None:
            rows = todo[start:stop]
            geometry[rows], rescued[rows] = _cut_pairs(
                _own(left[i[rows]], unsafe[i[rows]]), right[j[rows]], mostly_touching)

        # A zone belongs to one thread at a time, because GEOS builds its index on first use.
        run_blocks(cut_block, j[todo], BLOCK, part(progress, 0.2, 1.0))
    finally:
        # Prepared indexes take several times the memory of the shapes and belong to nobody afterwards.
        shapely.destroy_prepared(right[~prepared_before])
    kept = shapely.is_geometry(geometry)
    return i[kept], j[kept], geometry[kept], rescued[kept]


def _lies_inside(
    left: Geometries, right: Geometries, i: Positions, j: Positions, unsafe: NDArray[np.bool_], progress: Progress
) -> NDArray[np.bool_]:
    """Tell of each pair whether the left shape certainly lies inside the right one, or is the same."""
    a, b = shapely.bounds(left)[i], shapely.bounds(right)[j]
    inside = np.zeros(len(i), dtype=bool)
    same_box = np.flatnonzero((a == b).all(axis=1))
    inside[same_box] = shapely.equals_exact(left[i[same_box]], right[j[same_box]], 0)
    within = np.flatnonzero((a[:, :2] > b[:, :2]).all(axis=1) & (a[:, 2:] < b[:, 2:]).all(axis=1))

    def ask(start: int, stop: int) -> None:
        rows = within[start:stop]
        shapely.prepare(right[j[rows]])
        inside[rows] = shapely.contains_properly(right[j[rows]], _own(left[i[rows]], unsafe[i[rows]]))

    run_blocks(ask, j[within], BLOCK, progress)
    return inside


def _settled(right: Geometries, i: Positions, j: Positions, inside: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Tell of which pairs the left shape lies inside another right shape that certainly does not overlap this one."""
    if not inside.any():
        return inside
    apart = _groups_without_overlap(right)
    key = i * (apart.max(initial=0) + 1) + apart[j]
    return (apart[j] >= 0) & ~inside & np.isin(key, key[inside & (apart[j] >= 0)])


def _own(shapes: Geometries, unsafe: NDArray[np.bool_]) -> Geometries:
    if unsafe.any():
        shapes = shapes.copy()
        shapes[unsafe] = shapely.from_wkb(shapely.to_wkb(shapes[unsafe]))
    return shapes


def _cut_pairs(left: Geometries, right: Geometries, mostly_touching: bool) -> tuple[Geometries, NDArray[np.bool_]]:
    geometry = np.full(len(left), None, dtype=object)
    rescued = np.zeros(len(left), dtype=bool)
    todo = np.arange(len(left))
    if mostly_touching:
        todo = todo[_interiors_meet(right, left)]
    # Neighbours that only touch have no simple crossings: a sample tells whether looking for them pays.
    sample = todo[::_SAMPLE]
    geometry[sample] = cut_simple_crossings(left[sample], right[sample])
    if shapely.is_geometry(geometry[sample]).sum() > _WORTHWHILE * len(sample):
        others = np.setdiff1d(todo, sample, assume_unique=True)
        geometry[others] = cut_simple_crossings(left[others], right[others])
    todo = todo[~shapely.is_geometry(geometry[todo])]
    if not mostly_touching:
        shapely.prepare(right[todo])
        todo = todo[shapely.intersects(right[todo], left[todo])]
    cut, rescued[todo] = _intersection(left[todo], right[todo])
    cut = polygonal(cut)
    positive = shapely.area(cut) > 0
    geometry[todo[positive]] = cut[positive]
    return geometry, rescued


def _interiors_meet(left: Geometries, right: Geometries) -> NDArray[np.bool_]:
    # Told without building the common shape, in less than half of the time.
    try:
        return shapely.relate_pattern(left, right, "T********")
    except shapely.GEOSException:
        return shapely.intersects(left, right)


def common_pieces(left: Geometries, right: Geometries) -> Geometries:
    """Return what each left polygon shares with the right one beside it; None where that is no area.

    Examples
    --------
    >>> found = common_pieces(shapely.box([0, 0], 0, 2, 1), shapely.box([1, 2], 0, 3, 1))
    >>> [shape and shape.area for shape in found]
    [1.0, None]
    """
    common = polygonal(_intersection(np.asarray(left, dtype=object), np.asarray(right, dtype=object))[0])
    return np.where(shapely.area(common) > 0, common, None)


def remaining_pieces(left: Geometries, right: Geometries) -> Geometries:
    """Return what of each left polygon lies outside the right one beside it; None where that is no area."""
    left, right = np.asarray(left, dtype=object), np.asarray(right, dtype=object)
    try:
        with np.errstate(invalid="ignore"):  # as in `_intersection`
            rest = shapely.difference(left, right)
    except shapely.GEOSException:
        rest = np.array([_difference(a, b) for a, b in zip(left, right)], dtype=object)
    rest = polygonal(rest)
    return np.where(shapely.area(rest) > 0, rest, None)


def _intersection(left: Geometries, right: Geometries) -> tuple[Geometries, NDArray[np.bool_]]:
    rescued = np.zeros(len(left), dtype=bool)
    try:
        # GEOS leaves the processor's "invalid operation" flag set now and then, and numpy would warn of it.
        with np.errstate(invalid="ignore"):
            return shapely.intersection(left, right), rescued
    except shapely.GEOSException:
        pass
    cut = np.full(len(left), None, dtype=object)
    for k, (a, b) in enumerate(zip(left, right)):
        try:
            cut[k] = shapely.intersection(a, b)
        except shapely.GEOSException:
            cut[k] = _intersection_of_difficult(a, b)
            rescued[k] = True
    return cut, rescued


def _intersection_of_difficult(a: Any, b: Any) -> Any:
    a, b = shapely.make_valid(a), shapely.make_valid(b)
    try:
        return shapely.intersection(a, b)
    except shapely.GEOSException:
        # Snapping to a grid some bits coarser than the coordinates always succeeds and moves nothing visibly.
        return shapely.intersection(a, b, grid_size=_rounding(a, b) * 2**10)


def _rounding(*shapes: Any) -> float:
    return float(np.spacing(np.abs(shapely.total_bounds(np.array(shapes, dtype=object))).max()))


def polygonal(shapes: Geometries) -> Geometries:
    """Keep the polygon parts of shapes; what has none becomes None.

    Examples
    --------
    >>> mixed = shapely.from_wkt(["GEOMETRYCOLLECTION (POINT (0 0), POLYGON ((0 0, 1 0, 1 1, 0 0)))", "POINT (0 0)"])
    >>> [shape and shape.geom_type for shape in polygonal(mixed)]
    ['Polygon', None]
    """
    kinds = shapely.get_type_id(shapes)
    kept = np.where((kinds == _POLYGON) | (kinds == _MULTIPOLYGON), shapes, None)
    for k in np.flatnonzero(kinds == _COLLECTION):
        parts = [part for part in _leaves(shapes[k]) if part.geom_type == "Polygon"]
        if parts:
            kept[k] = parts[0] if len(parts) == 1 else shapely.MultiPolygon(parts)
    return kept


def _leaves(shape: Any) -> list[Any]:
    if shape.geom_type == "GeometryCollection":
        return [leaf for part in shape.geoms for leaf in _leaves(part)]
    return list(shapely.get_parts(shape))


def _unsafe_to_share(shapes: Geometries) -> NDArray[np.bool_]:
    # GEOS computes bounding boxes on first use and keeps them, without a lock. `shapely.bounds` has done so for whole
    # shapes and outer rings, but not for holes.
    return (shapely.get_type_id(shapes) != _POLYGON) | (shapely.get_num_interior_rings(shapes) > 0)
