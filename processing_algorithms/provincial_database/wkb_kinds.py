"""What the first bytes of a WKB say: the kind of shape, and whether it has measures. ISO and the older extended form."""

from __future__ import annotations

import struct

#: WKB's own numbers of the kinds datasets have; anything else has heights, measures, curves or is another kind of shape.
WKB_TYPES = {"Point": 1, "MultiLineString": 5, "MultiPolygon": 6}
_EXTENDED_M = 0x40000000


def is_measured(wkb: bytes) -> bool:
    """Tell whether the points of a shape have measures (M).

    Examples
    --------
    >>> is_measured(bytes.fromhex("01d1070000")), is_measured(bytes.fromhex("0101000000"))
    (True, False)
    """
    kind = struct.unpack_from("<I" if wkb[0] else ">I", wkb, 1)[0]
    return bool(kind & _EXTENDED_M) or (kind & 0xFFFF) // 1000 in (2, 3)
