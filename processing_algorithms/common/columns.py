"""Names of result columns beside the user's own."""

from __future__ import annotations

from collections.abc import Iterable


def free_names(wanted: Iterable[str], taken: Iterable[str]) -> dict[str, str]:
    """Give each wanted column a name no taken column has; the user's columns keep theirs.

    Files compare names without regard to case, so ``Zone`` is in the way of ``zone``.

    Examples
    --------
    >>> free_names(["zone", "area_m2"], ["Zone", "zone_2", "owner"])
    {'zone': 'zone_3', 'area_m2': 'area_m2'}
    """
    used = {str(name).lower() for name in taken} | {"fid", "geom", "geometry"}
    names: dict[str, str] = {}
    for name in wanted:
        free, number = name, 1
        while free.lower() in used:
            number += 1
            free = f"{name}_{number}"
        names[name] = free
        used.add(free.lower())
    return names
