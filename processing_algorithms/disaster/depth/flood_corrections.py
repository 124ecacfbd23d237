"""Hand corrections of a flood map: polygons somebody who was there drew wet or dry; the depth follows.

Dry makes dry. Wet takes the water level of the nearest wet cell of the map within or around the polygon, less the terrain; ground above that level, or with no water
near, gets the least depth. A depth or level written at the polygon goes before. Later corrections go over earlier ones.
"""

from __future__ import annotations

import datetime
from dataclasses import dataclass

import geopandas
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from ...common.cells import Runs, cell_areas_m2, centres_inside, clipped
from ...common.columns import numbers
from ...common.errors import InputError, name_some
from ...common.language import say
from ...common.moments import VIETNAM, read_moment
from ...common.progress import Progress, silent
from ...common.raster import Heights, Window
from ..bulletin.bulletin_words import fold

#: How far around a polygon water is looked for, cells.
_LOOK_CELLS = 60
_WET, _DRY = (
    {"wet", "uot", "ngap", "co ngap", "1", "true", "flooded"},
    {"dry", "kho", "khong ngap", "0", "false", "khong"},
)


@dataclass(frozen=True)
class Corrections:
    """Patches of a depth raster, in the order they apply, and what each changed.

    Attributes
    ----------
    patches : list of (Window, depth, mask)
    table : GeoDataFrame
        The polygons with ``wetted_m2`` and ``dried_m2``, the area each changed when it was applied.
    notes : list of str
    """

    patches: list[tuple[Window, NDArray[np.float32], NDArray[np.bool_]]]
    table: geopandas.GeoDataFrame
    notes: list[str]

    def apply(self, window: Window, depth: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the depth of a window with the corrections that touch it."""
        result = depth.copy()
        for place, values, mask in self.patches:
            top, left = max(window.row, place.row), max(window.column, place.column)
            bottom = min(window.row + window.rows, place.row + place.rows)
            right = min(window.column + window.columns, place.column + place.columns)
            if top >= bottom or left >= right:
                continue
            inner = slice(top - place.row, bottom - place.row), slice(left - place.column, right - place.column)
            outer = slice(top - window.row, bottom - window.row), slice(left - window.column, right - window.column)
            result[outer] = np.where(mask[inner], values[inner], result[outer])
        return result


def corrections(
    depth: Heights, terrain: Heights, polygons: geopandas.GeoDataFrame, state_field: str, *, time_field: str | None = None,
    depth_field: str | None = None, least_m: float = 0.1, progress: Progress = silent,
) -> Corrections:
    """Work out what polygons change.

    Parameters
    ----------
    depth, terrain : Heights
        On one grid; terrain may be nan where depth is known and the other way round.
    polygons : GeoDataFrame
        Valid polygons in the CRS of the grid; index = feature ids.
    state_field : str
        ``wet``/``dry``, ``ngập``/``không ngập``, ``khô``.
    time_field : str, optional
        Dates or times; rows apply from the oldest to the newest, those without first, in their order.
    depth_field : str, optional
        Depth seen there, m, for wet polygons.
    least_m : float
        Depth of wet ground the water level does not reach.

    Raises
    ------
    InputError
        Different grids, states that are neither wet nor dry, depths that are no numbers.
    """
    if depth.grid != terrain.grid:
        raise InputError(say("Độ sâu và địa hình không cùng lưới ô; hãy dùng địa hình đã tính ra độ sâu này.",
                             "Depth and terrain are not on one grid; use the terrain this depth was computed from."))
    states = [_state(value) for value in polygons[state_field]]
    unread = [f"{i}: {v}" for i, v, s in zip(polygons.index, polygons[state_field], states) if s is None]
    if unread:
        raise InputError(say("Trường \"{field}\" phải là ngập hoặc không ngập (wet, dry); fid: {ids}.", "The field \"{field}\" must be wet or dry (ids: {ids}).")
                         .format(field=state_field, ids=name_some(unread)))
    seen = np.full(len(polygons), np.nan)
    if depth_field is not None:
        seen, wrong = numbers(polygons[depth_field])
        if wrong or (seen < 0).any():
            raise InputError(
                say(
                    'Trường "{field}" có độ sâu không hợp lệ (fid: {ids}).',
                    'The field "{field}" has impossible depths (ids: {ids}).',
                ).format(field=depth_field, ids=name_some(wrong or polygons.index[seen < 0]))
            )
    grid = depth.grid
    runs = clipped(centres_inside(np.asarray(polygons.geometry.array, dtype=object), grid), grid)
    found = Corrections([], polygons, [])
    wetted, dried, empty = np.zeros(len(polygons)), np.zeros(len(polygons)), []
    order = _in_time(polygons, time_field)
    by_shape = np.argsort(runs.shape, kind="stable")
    edges = np.searchsorted(runs.shape[by_shape], np.arange(len(polygons) + 1))
    for step, k in enumerate(order):
        own = by_shape[edges[k]:edges[k + 1]]
        if not own.size:
            empty.append(polygons.index[k])
            continue
        window, mask = _mask(
            Runs(runs.shape[own], runs.row[own], runs.start[own], runs.stop[own], runs.weight[own]), grid.shape
        )
        before = found.apply(window, depth.read(window))
        if not states[k]:
            after = np.zeros_like(before)
        elif np.isfinite(seen[k]):
            after = np.full_like(before, seen[k])
        else:
            after = _wet(before, terrain.read(window), least_m)
        after = np.where(mask, after, before)
        area = np.broadcast_to(cell_areas_m2(grid, window), before.shape)
        with np.errstate(invalid="ignore"):
            wetted[k] = area[mask & (after > 0) & ~(before > 0)].sum()
            dried[k] = area[mask & ~(after > 0) & (before > 0)].sum()
        found.patches.append((window, after.astype(np.float32), mask))
        progress((step + 1) / len(order))
    if empty:
        found.notes.append(say("{n} vùng không chứa tâm ô nào, không đổi gì (fid: {ids}).", "{n} polygons hold no cell centre and change nothing (ids: {ids}).")
                           .format(n=len(empty), ids=name_some(empty)))
    return Corrections(
        found.patches, polygons.assign(wetted_m2=np.round(wetted, 1), dried_m2=np.round(dried, 1)), found.notes
    )


def _state(value: object) -> bool | None:
    word = " ".join(fold(str(value)).replace("_", " ").split())
    return True if word in _WET else False if word in _DRY else None


def _in_time(polygons: geopandas.GeoDataFrame, field: str | None) -> list[int]:
    if field is None:
        return list(range(len(polygons)))

    def moment(value: object) -> float:
        if value is None or value != value or value == "":
            return float("-inf")
        if isinstance(value, str):
            try:
                value = read_moment(value.replace("Z", "+00:00"), end_of_day=False)
            except InputError:
                raise InputError(say("Trường \"{field}\" có thời điểm không đọc được: {value}; ví dụ 25/11/2026 07:30.",
                                     "The field \"{field}\" has a time that cannot be read: {value}; such as 2026-11-25 07:30.").format(field=field, value=value)) from None
        if not isinstance(value, datetime.datetime):
            value = datetime.datetime.combine(value, datetime.time(0))
        return (value if value.tzinfo else value.replace(tzinfo=VIETNAM)).timestamp()

    moments = [moment(value) for value in polygons[field]]
    return sorted(range(len(polygons)), key=lambda k: (moments[k], k))


def _mask(runs: Runs, shape: tuple[int, int]) -> tuple[Window, NDArray[np.bool_]]:
    """The polygon's cells in a window with room around it for the water beside."""
    top, bottom = max(0, int(runs.row.min()) - _LOOK_CELLS), min(shape[0], int(runs.row.max()) + 1 + _LOOK_CELLS)
    left, right = max(0, int(runs.start.min()) - _LOOK_CELLS), min(shape[1], int(runs.stop.max()) + _LOOK_CELLS)
    mask = np.zeros((bottom - top, right - left), bool)
    _, row, column = runs.cells()
    mask[row - top, column - left] = True
    return Window(top, left, bottom - top, right - left), mask


def _wet(before: NDArray[np.float32], ground: NDArray[np.float32], least_m: float) -> NDArray[np.float32]:
    with np.errstate(invalid="ignore"):
        water = (before > 0) & ~np.isnan(ground)
    if not water.any():
        return np.full_like(before, least_m)
    nearest = ndimage.distance_transform_edt(~water, return_distances=False, return_indices=True)
    level = (before + ground)[tuple(nearest)]
    depth = np.fmax(level - ground, least_m)  # unknown ground somebody saw wet has the least depth
    return np.where(before > 0, before, depth)
