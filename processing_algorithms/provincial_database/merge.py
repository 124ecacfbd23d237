"""Three-way merge of one feature, field by field: the row both knew (base), ours, and theirs.

========  ========  ========  =======================================  ==========================
base      ours      theirs    result                                   conflict
========  ========  ========  =======================================  ==========================
any       = base    any       theirs                                   none
any       any       = base    ours                                     none
any       X         X         X                                        none: the same on both sides
row       edited    edited    per field: whoever changed it            fields both changed apart
row       deleted   edited    deleted (ours stays until resolved)      DELETED_OURS
row       edited    deleted   ours (stays until resolved)              DELETED_THEIRS
none      new       new       ours                                     fields that differ
========  ========  ========  =======================================  ==========================

Values are equal when they are the same value; geometries also when every vertex is within a millimetre, because
programs rewrite coordinates without anybody having edited them.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import numpy as np
import shapely

from .changes import Change, Row, Value

#: Metres. Vertices nearer than this are the same vertex.
SAME_VERTEX_M = 0.001


class Clash(Enum):
    """What kind of conflict a merge left."""

    NONE = "none"
    FIELDS = "fields"
    DELETED_OURS = "deleted ours"
    DELETED_THEIRS = "deleted theirs"


@dataclass(frozen=True)
class Merge:
    """The merged row (None: the feature is gone) and what could not be merged.

    In a clash the row is ours wherever both sides disagree, so that nothing a person did disappears before somebody
    has decided.
    """

    row: Row | None
    clash: Clash = Clash.NONE
    fields: frozenset[str] = frozenset()


def merge_rows(base: Row | None, ours: Row | None, theirs: Row | None) -> Merge:
    """Merge one feature; see the table of this module.

    Parameters
    ----------
    base, ours, theirs : dict or None
        Whole rows by column name; None where the feature does not exist. A field one side has never heard of (a newer
        schema) counts as unchanged on that side; one that ``base`` alone lacks has no known start, so it is disputed
        where both sides differ. A base without any field is one nobody knows.

    Examples
    --------
    >>> merge_rows({"a": 1, "b": 1}, {"a": 2, "b": 1}, {"a": 1, "b": 3}).row
    {'a': 2, 'b': 3}
    >>> sorted(merge_rows({"a": 1}, {"a": 2}, {"a": 3}).fields)
    ['a']
    """
    if base is None or not _start_unknown(base, ours, theirs):
        if same_row(ours, theirs) or same_row(theirs, base):
            return Merge(_with_fields_of(ours, theirs))
        if same_row(ours, base):
            return Merge(_with_fields_of(theirs, ours))
    if ours is None:
        return Merge(None, Clash.DELETED_OURS, frozenset(theirs or ()))
    if theirs is None:
        return Merge(dict(ours), Clash.DELETED_THEIRS, frozenset(ours))
    return _merge_fields(base or {}, ours, theirs)


def _start_unknown(base: Row, ours: Row | None, theirs: Row | None) -> bool:
    if ours is None or theirs is None:
        return not base and ours is not theirs
    return any(not same_value(ours[name], theirs[name]) for name in (ours.keys() & theirs.keys()) - base.keys())


def _merge_fields(base: Row, ours: Row, theirs: Row) -> Merge:
    merged: Row = {}
    disputed = set()
    for name in {**ours, **theirs}:
        if name not in theirs:
            merged[name] = ours[name]
        elif name not in ours:
            merged[name] = theirs[name]
        elif same_value(ours[name], theirs[name]):
            merged[name] = ours[name]
        elif name in base and same_value(ours[name], base[name]):
            merged[name] = theirs[name]
        elif name in base and same_value(theirs[name], base[name]):
            merged[name] = ours[name]
        else:
            merged[name] = ours[name]
            disputed.add(name)
    return Merge(merged, Clash.FIELDS if disputed else Clash.NONE, frozenset(disputed))


def _with_fields_of(row: Row | None, other: Row | None) -> Row | None:
    """The row, with the fields only the other side knows: a newer schema must not lose its values on an older copy."""
    if row is None or other is None:
        return None if row is None else dict(row)
    return {**{name: value for name, value in other.items() if name not in row}, **row}


def same_row(first: Row | None, second: Row | None) -> bool:
    """Tell whether two rows say the same in all fields both know."""
    if first is None or second is None:
        return first is second
    # Equal values are the same value; the usual case, and by far the fastest.
    return first == second or all(same_value(first[name], second[name]) for name in first.keys() & second.keys())


def differs(change: Change) -> bool:
    """Tell whether a change changes anything."""
    if change.before is None or change.after is None:
        return change.before is not change.after
    return any(not same_value(change.before[name], change.after[name]) for name in change.touched()
               if name in change.before and name in change.after)


def same_value(first: Value, second: Value) -> bool:
    """Tell whether two values are the same; geometries (bytes) within a millimetre.

    True is not 1, 1 is not 1.0 in the database either way, but a whole-numbered float and integer are one number to
    every program that writes them, so numbers compare as numbers.
    """
    if isinstance(first, bytes) and isinstance(second, bytes):
        return first == second or same_geometry(first, second)
    if isinstance(first, float) and isinstance(second, float) and first != first and second != second:
        return True
    return type(first) is type(second) and first == second or _one_number(first, second)


def _one_number(first: Value, second: Value) -> bool:
    # Python compares whole numbers and floats exactly, however large.
    return isinstance(first, (int, float)) and isinstance(second, (int, float)) and first == second


def same_geometry(first: bytes, second: bytes) -> bool:
    """Tell whether two shapes (WKB) have the same vertices within a millimetre, wherever their rings begin."""
    a, b = shapely.from_wkb(first), shapely.from_wkb(second)
    if a.geom_type != b.geom_type or shapely.has_z(a) != shapely.has_z(b):
        return False
    if shapely.get_num_coordinates(a) != shapely.get_num_coordinates(b):
        return False
    if _same_vertices(a, b):
        return True
    # Programs start rings elsewhere or turn them round: compare once more in a normal order. A line's direction is meaning.
    return shapely.get_dimensions(a) == 2 and _same_vertices(shapely.normalize(a), shapely.normalize(b))


def _same_vertices(first: shapely.Geometry, second: shapely.Geometry) -> bool:
    if not shapely.equals_exact(first, second, tolerance=SAME_VERTEX_M):
        return False
    if not shapely.has_z(first):
        return True  # equals_exact looks at the plane only
    heights = [shapely.get_coordinates(shape, include_z=True)[:, 2] for shape in (first, second)]
    return bool(np.allclose(*heights, rtol=0, atol=SAME_VERTEX_M, equal_nan=True))
