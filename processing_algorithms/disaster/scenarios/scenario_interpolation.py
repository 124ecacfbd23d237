"""Which scenarios of a library are nearest to given levels or releases, and the depth between two of them.

Between scenarios A (lower) and B (higher) the water surface goes evenly from A's to B's: at share t of the way a cell that is wet in B is
``depth_B - (1 - t) D`` deep, D being how much higher B's surface stands there. Where both are wet D is the difference of their depths; where only B
is, D is that of the nearest cell wet in both. Land that only B floods (behind a dyke B overtops) so dries out as the water falls; when exactly that happens no
library can tell, so the two scenarios themselves are given as the range.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from ...common.errors import InputError
from ...common.language import say
from ...common.numbers_vi import format_number
from ...common.progress import Progress, silent
from ...common.raster import Heights, Window
from ..bulletin.bulletin_words import fold
from .scenario_library import Library, Scenario

#: Levels this near to a scenario's are its own, m; releases, share of it.
_SAME_M, _SAME_SHARE = 0.02, 0.01
#: Releases are put beside levels by their logarithm: twice the release counts as so many metres; ours.
_DOUBLING_M = 1.0
#: Rows read beside a strip to find the nearest cell wet in both.
_MARGIN = 256


@dataclass(frozen=True)
class Match:
    """The scenarios to interpolate between; ``higher`` is None where one scenario alone answers.

    Attributes
    ----------
    share : float
        Of the way from lower to higher, 0 to 1.
    off : dict of str to float
        For each station or reservoir, wanted minus what the match stands for (m or m3/s).
    notes : list of str
    """

    lower: Scenario
    higher: Scenario | None
    share: float
    off: dict[str, float]
    notes: list[str]


def find_scenarios(library: Library, levels_m: dict[str, float], releases_m3s: dict[str, float]) -> Match:
    """Find the one or two scenarios for the levels and releases.

    Of all pairs of scenarios that have a key in common with what is wanted and are ordered (one nowhere lower than the other), the segment between them
    that passes nearest to what is wanted is taken; outside all segments the nearest scenario answers alone, and that is told. Nothing is extrapolated.

    Raises
    ------
    InputError
        An empty library; no scenario has any of the stations or reservoirs.
    """
    if not library.scenarios:
        raise InputError(
            say("Thư viện {folder} chưa có kịch bản nào.", "The library {folder} has no scenarios.").format(
                folder=library.folder
            )
        )
    wanted = {
        **{f"m {fold(k)}": v for k, v in levels_m.items()},
        **{f"m3s {fold(k)}": v for k, v in releases_m3s.items()},
    }
    names = {**{f"m {fold(k)}": k for k in levels_m}, **{f"m3s {fold(k)}": k for k in releases_m3s}}
    usable = [s for s in library.scenarios if set(s.keys) & set(wanted)]
    if not usable:
        known = sorted({name for s in library.scenarios for name in (*s.levels_m, *s.releases_m3s)})
        raise InputError(say("Không kịch bản nào có trạm hoặc hồ đã cho; thư viện có: {names}.", "No scenario has the stations or reservoirs given; the library has: {names}.")
                         .format(names=", ".join(known)))
    common = [k for k in wanted if any(k in s.keys for s in usable)]
    full = [s for s in usable if all(k in s.keys for k in common)]
    if full:
        usable = full
    else:
        common = [k for k in wanted if all(k in s.keys for s in usable)] or common
        usable = [s for s in usable if all(k in s.keys for k in common)] or usable[:1]
        common = [k for k in common if k in usable[0].keys]
    target = _vector(wanted, common)
    points = np.array([_vector(s.keys, common) for s in usable])
    best = (np.inf, 0, None, 0.0)
    for a in range(len(usable)):
        distance = float(np.linalg.norm(points[a] - target))
        if distance < best[0] - 1e-12:
            best = (distance, a, None, 0.0)
    for a in range(len(usable)):
        for b in range(len(usable)):
            step = points[b] - points[a]
            if a == b or (step < 0).any() or not step.any():
                continue
            share = float(np.dot(target - points[a], step) / np.dot(step, step))
            if 0.0 < share < 1.0:
                distance = float(np.linalg.norm(points[a] + share * step - target))
                # Of segments equally near, the shorter one knows more.
                if distance < best[0] - 1e-9 or (
                    best[2] is not None and abs(distance - best[0]) <= 1e-9 and np.linalg.norm(step) < best[4]
                ):
                    best = (distance, a, b, share, float(np.linalg.norm(step)))
    lower, higher, share = usable[best[1]], None if best[2] is None else usable[best[2]], best[3]
    stands_for = {
        k: lower.keys[k] if higher is None else lower.keys[k] + share * (higher.keys[k] - lower.keys[k]) for k in common
    }
    off = {names[k]: wanted[k] - stands_for[k] for k in common}
    return Match(lower, higher, share, off, _notes(wanted, names, common, off, lower, higher))


def _vector(keys: dict[str, float], common: list[str]) -> NDArray[np.float64]:
    return np.array([np.log2(max(keys[k], 1.0)) * _DOUBLING_M if k.startswith("m3s ") else keys[k] for k in common])


def _notes(wanted: dict[str, float], names: dict[str, str], common: list[str], off: dict[str, float], lower: Scenario, higher: Scenario | None) -> list[str]:
    notes = []
    unused = [names[k] for k in wanted if k not in common]
    if unused:
        notes.append(
            say("Kịch bản không có: {names}; không dùng.", "The scenarios do not have: {names}; not used.").format(
                names=", ".join(unused)
            )
        )
    far = []
    for key in common:
        name, release = names[key], key.startswith("m3s ")
        if abs(off[name]) > (_SAME_SHARE * max(wanted[key], 1.0) if release else _SAME_M):
            far.append(f"{name} {'+' if off[name] > 0 else '-'}{format_number(abs(off[name]), 0 if release else 2)} {'m³/s' if release else 'm'}")
    if far and higher is None:
        notes.append(say("Ngoài khoảng của thư viện: dùng nguyên kịch bản gần nhất \"{name}\", chênh với giá trị đã cho: {far}. Không ngoại suy.",
                         "Outside the library: the nearest scenario \"{name}\" is used as it is; what was given differs by: {far}. Nothing is extrapolated.").format(
            name=lower.name, far="; ".join(far)))
    elif far:
        notes.append(
            say(
                "Nội suy chênh với giá trị đã cho: {far}.", "The interpolation differs from what was given by: {far}."
            ).format(far="; ".join(far))
        )
    return notes


def between(
    lower: Heights,
    higher: Heights,
    share: float,
    write: Callable[[Window, NDArray[np.float32]], None],
    progress: Progress = silent,
) -> None:
    """Write the depth at a share of the way from one depth raster to a higher one, on one grid.

    Where the "lower" one is deeper (maps made by different hands) its depth is kept. Unknown in either is unknown.
    """
    grid = lower.grid
    if grid != higher.grid:
        raise InputError(say("Hai kịch bản không cùng lưới ô.", "Two scenarios are not on one grid."))
    for window in grid.strips():
        first, last = max(0, window.row - _MARGIN), min(grid.shape[0], window.row + window.rows + _MARGIN)
        wide = Window(first, 0, last - first, window.columns)
        low, high = lower.read(wide), higher.read(wide)
        with np.errstate(invalid="ignore"):
            both, only_high = (low > 0) & (high > 0), (high > 0) & ~(low > 0) & ~np.isnan(low)
        rise = np.where(both, np.maximum(high - low, 0), np.float32(0))
        if only_high.any() and both.any():
            nearest = ndimage.distance_transform_edt(~both, return_distances=False, return_indices=True)
            rise[only_high] = rise[tuple(index[only_high] for index in nearest)]
        elif only_high.any():
            rise[only_high] = high[only_high]  # nothing to go by: it dries evenly
        depth = np.where(
            both, low + share * rise, np.where(only_high, np.maximum(0.0, high - (1.0 - share) * rise), np.float32(0))
        )
        depth = np.fmax(depth, np.where(low > high, low, 0)).astype(np.float32)
        depth[np.isnan(low) | np.isnan(high)] = np.nan
        write(window, depth[window.row - first:window.row - first + window.rows])
        progress((window.row + window.rows) / grid.shape[0])
