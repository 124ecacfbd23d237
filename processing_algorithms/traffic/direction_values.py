"""What the values of a direction field mean. Needs no package, so that the algorithm's dialog opens on any machine."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum


class Direction(IntEnum):
    """Where a street may be travelled, seen from its digitised direction."""

    FORWARD = 0
    BACKWARD = 1
    BOTH = 2


@dataclass(frozen=True)
class DirectionValues:
    """The field values of each direction.

    The defaults cover OpenStreetMap (1, -1, yes), Geofabrik (F, T, B), true/false and words.
    """

    forward: tuple[str, ...] = ("1", "F", "FT", "yes", "true", "forward", "một chiều", "xuôi", "xuôi chiều")
    backward: tuple[str, ...] = ("-1", "T", "TF", "reverse", "backward", "ngược", "ngược chiều")
    both: tuple[str, ...] = ("0", "2", "B", "no", "false", "both", "hai chiều")
    otherwise: Direction = Direction.BOTH
