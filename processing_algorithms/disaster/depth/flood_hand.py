"""Depth from height above the nearest drainage: a cell is wet when the stage of its stream is above it.

The way of the water from a cell to its stream never rises on the conditioned terrain, so every wet cell is joined to
its stream by wet cells. How deep it is follows from the real ground, which in a depression lies below what water must
rise to before it gets there. A static picture: no time, no velocity, no water that leaves one stream for another.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...common.cells import cell_areas_m2, weighted_sum
from ...common.parallel import ahead
from ...common.progress import Progress, silent
from ...common.raster import Grid, Heights, Window, open_raster
from ..terrain.terrain_model import ABOVE, CHAINAGE, GROUND_ABOVE, REACH, TerrainModel
from .network_stage import ReachStages


@dataclass(frozen=True)
class ModelRasters:
    """The rasters of a terrain model that a flood needs, open."""

    above: Heights
    ground_above: Heights
    reach: Heights
    chainage: Heights

    @property
    def grid(self) -> Grid:
        """Of all four."""
        return self.above.grid


@contextmanager
def open_model_rasters(model: TerrainModel) -> Iterator[ModelRasters]:
    """Open them for the length of the block."""
    with ExitStack() as files:
        yield ModelRasters(*(files.enter_context(open_raster(model.path(name), name=name))
                             for name in (ABOVE, GROUND_ABOVE, REACH, CHAINAGE)))


@dataclass(frozen=True)
class HandFlood:
    """What `flood_hand` found, for the stages as given, low and high.

    Attributes
    ----------
    wet_area_m2, volume_m3 : tuple of 3 floats
        Middle, low, high.
    max_depth_m : float
    unknown_cells : int
        No terrain, no stream, or a stream without a stage: nodata in the result.
    """

    wet_area_m2: tuple[float, float, float]
    volume_m3: tuple[float, float, float]
    max_depth_m: float
    unknown_cells: int


def flood_hand(
    rasters: ModelRasters, stages: ReachStages, write: Callable[[Window, NDArray[np.float32]], None], *,
    low: ReachStages | None = None, high: ReachStages | None = None, error_m: float = 0.0,
    write_range: Callable[[Window, NDArray[np.float32], NDArray[np.float32]], None] | None = None,
    progress: Progress = silent,
) -> HandFlood:
    """Compute the depth of water in every cell.

    Parameters
    ----------
    rasters : ModelRasters
    stages, low, high : ReachStages
        Metres above the drainage; low and high are those of the range, by default as given.
    write : callable
        Takes each window of whole rows, top down, with depths in metres: float32, 0 = dry, nan = unknown.
    error_m : float
        Error of the terrain, taken from the low stage and added to the high one.
    write_range : callable, optional
        Takes each window with the low and the high depths.
    progress : Progress
    """
    rows = rasters.grid.shape[0]
    wet, volume, deepest, unknown = np.zeros(3), np.zeros(3), 0.0, 0
    for window, above, ground, reach, chainage in ahead(_strips(rasters)):
        area = cell_areas_m2(rasters.grid, window)
        stage = stages.at(reach, chainage)
        depths = [_depth(stage, above, ground)]
        for one, shift, limit in ((low, -error_m, np.minimum), (high, error_m, np.maximum)):
            other = stage if one is None else limit(one.at(reach, chainage), stage)
            depths.append(_depth(other + np.float32(shift), above, ground))
        for k, depth in enumerate(depths):
            known = np.nan_to_num(depth)
            wet[k] += weighted_sum(known > 0, area)
            volume[k] += weighted_sum(known, area)
        deepest = max(deepest, float(np.nanmax(depths[0], initial=0.0)))
        unknown += int(np.isnan(depths[0]).sum())
        write(window, depths[0])
        if write_range is not None:
            write_range(window, depths[1], depths[2])
        progress((window.row + window.rows) / rows)
    return HandFlood(tuple(wet), tuple(volume), deepest, unknown)


def _strips(rasters: ModelRasters) -> Iterator[tuple[Window, NDArray, NDArray, NDArray, NDArray]]:
    for window in rasters.grid.strips():
        reach = np.nan_to_num(rasters.reach.read(window)).astype(np.int32)
        yield (window, rasters.above.read(window), rasters.ground_above.read(window), reach,
               rasters.chainage.read(window))


def _depth(stage, above, ground):
    """Depth where the stage is above the cell; nan where either is unknown."""
    with np.errstate(invalid="ignore"):
        depth = np.where(stage > above, np.maximum(stage - ground, np.float32(0)), np.float32(0))
    depth[np.isnan(above) | np.isnan(stage)] = np.nan
    return depth
