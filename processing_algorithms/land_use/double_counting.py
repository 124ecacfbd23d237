"""Ground that one layer counts more than once, because its polygons overlap."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from ..common.overlay import Pieces, intersect_within, polygonal
from ..common.progress import Progress, silent


@dataclass(frozen=True)
class DoubleCounting:
    """Where polygons of one layer overlap.

    Attributes
    ----------
    pairs : Pieces
        The common piece of every overlapping pair, ``left < right``.
    later : array of int, shape (k,)
        Positions of polygons that cover ground an earlier one covers already, sorted.
    ground : array of shapely polygons, shape (k,)
        That ground. Its areas add up to the sum of all areas minus the area of the union, however many polygons
        lie over each other.
    """

    pairs: Pieces
    later: NDArray[np.intp]
    ground: NDArray[np.object_]

    def involved(self, count: int) -> NDArray[np.bool_]:
        """Tell which of the layer's ``count`` polygons overlap another one."""
        flags = np.zeros(count, dtype=bool)
        flags[self.pairs.left] = flags[self.pairs.right] = True
        return flags


def double_counting(shapes: NDArray[np.object_], progress: Progress = silent) -> DoubleCounting:
    """Find the ground that polygons of one layer cover more than once.

    Parameters
    ----------
    shapes : array of shapely Polygon or MultiPolygon, shape (n,)
        Valid, in one CRS.

    Notes
    -----
    Polygons are laid down one after the other; the k-th counts double what it shares with the ones before, which is the
    union of its pieces with them. Only pieces of overlapping pairs are joined, never the layer. Pieces no thicker than
    the rounding of their coordinates are no overlap.

    Examples
    --------
    >>> three = shapely.box([0, 1, 2], 0, [3, 4, 5], 1)
    >>> found = double_counting(three)
    >>> shapely.area(found.ground).tolist()  # 9 - 5 = 4
    [2.0, 2.0]
    """
    pairs = _without_dust(intersect_within(shapes, progress))
    order = np.argsort(pairs.right, kind="stable")
    later, starts = np.unique(pairs.right[order], return_index=True)
    pieces = pairs.geometry[order]
    ground = pieces[starts].astype(object)
    ends = np.append(starts[1:], len(pieces))
    for k in np.flatnonzero(ends - starts > 1):
        # The union may carry lines where pieces touch; the ground is polygons.
        ground[k] = polygonal(np.array([shapely.union_all(pieces[starts[k]:ends[k]])], dtype=object))[0]
    return DoubleCounting(pairs, later, ground)


def _without_dust(pairs: Pieces) -> Pieces:
    kept = ~is_dust(pairs.geometry)
    renumbered = np.cumsum(kept) - 1
    rescued = renumbered[pairs.rescued[kept[pairs.rescued]]]
    return Pieces(pairs.left[kept], pairs.right[kept], pairs.geometry[kept], rescued)


def is_dust(shapes: NDArray[np.object_]) -> NDArray[np.bool_]:
    """Tell which polygons are no thicker than the rounding of their coordinates: cut points do not lie exactly on edges."""
    if not len(shapes):
        return np.zeros(0, dtype=bool)
    rounding = np.spacing(np.abs(shapely.bounds(shapes)).max(axis=1))
    return shapely.area(shapes) <= 8 * rounding * shapely.length(shapes)
