"""Depths people saw and depths of a map, at the same places."""

from __future__ import annotations

import geopandas
import numpy as np
import shapely

from ...common.columns import free_names, numbers
from ...common.crs import require_crs, to_crs
from ...common.errors import InputError, name_some, noted, refuse_if
from ...common.language import say
from ...common.raster import Heights, sample
from .depth_fit import DepthFit, depth_fit


def mark_depths(
    marks: geopandas.GeoDataFrame,
    depth: Heights,
    terrain: Heights | None,
    depth_field: str | None,
    level_field: str | None,
    layer_name: str = "",
) -> tuple[DepthFit, geopandas.GeoDataFrame]:
    """Compare marks with a depth raster.

    Parameters
    ----------
    marks : GeoDataFrame
        Points (the first point of multipoints); null and empty shapes are left out.
    depth, terrain : Heights
        ``terrain`` gives depths of marks that only have a level: depth = level - terrain, not below 0.
    depth_field, level_field : str or None
        At least one; the depth goes first.

    Returns
    -------
    fit : DepthFit
    table : GeoDataFrame
        The marks with ``map_depth_m``, ``mark_depth_m``, ``difference_m``.

    Raises
    ------
    InputError
        No CRS, values that are no numbers, negative depths.
    """
    require_crs(marks, layer_name)
    marks = marks[~(marks.geometry.isna() | marks.geometry.is_empty)]
    points = to_crs(marks, depth.grid.crs_wkt)
    x, y = _first_points(points)
    truth = np.full(len(marks), np.nan)
    check_marks(marks, depth_field, level_field)
    if depth_field is not None:
        truth = _values(marks, depth_field)
    if level_field is not None and terrain is not None:
        tx, ty = _first_points(to_crs(marks, terrain.grid.crs_wkt))
        from_level = np.maximum(0.0, _values(marks, level_field) - sample(terrain, tx, ty))
        truth = np.where(np.isnan(truth), from_level, truth)
    on_map = sample(depth, x, y).astype(float)
    names = free_names(("map_depth_m", "mark_depth_m", "difference_m"), marks.columns)
    table = marks.assign(**{names["map_depth_m"]: np.round(on_map, 3), names["mark_depth_m"]: np.round(truth, 3),
                            names["difference_m"]: np.round(on_map - truth, 3)})
    return depth_fit(on_map, truth), table


def check_marks(marks: geopandas.GeoDataFrame, depth_field: str | None, level_field: str | None) -> None:
    """Refuse depths and levels that are no numbers, and negative depths; nothing else of the marks is looked at."""
    problems: list[str] = []
    for field in (depth_field, level_field):
        with noted(problems):
            values = _values(marks, field) if field is not None else np.array([])
            if field == depth_field and (values < 0).any():
                raise InputError(
                    say(
                        'Trường "{field}" có độ sâu âm (fid: {ids}).',
                        'The field "{field}" has negative depths (ids: {ids}).',
                    ).format(field=field, ids=name_some(marks.index[values < 0]))
                )
    refuse_if(problems)


def _first_points(frame: geopandas.GeoDataFrame) -> tuple[np.ndarray, np.ndarray]:
    xy, owner = shapely.get_coordinates(np.asarray(frame.geometry.array, dtype=object), return_index=True)
    first = np.unique(owner, return_index=True)[1]
    return xy[first, 0], xy[first, 1]


def _values(marks: geopandas.GeoDataFrame, field: str) -> np.ndarray:
    values, wrong = numbers(marks[field])
    if wrong:
        raise InputError(say("Trường \"{field}\" có giá trị không phải là số mét (fid: {ids}).", "The field \"{field}\" has values that are no metres (ids: {ids}).")
                         .format(field=field, ids=name_some(wrong)))
    return values
