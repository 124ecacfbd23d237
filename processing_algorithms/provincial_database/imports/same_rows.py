"""Which rows of a layer a dataset has already: by ``feature_id``, else by key, else by all values and the shape."""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from dataclasses import dataclass

import geopandas
import numpy as np
import pandas
import shapely
from numpy.typing import NDArray

from ...common.progress import Progress, silent
from ..catalogue import Dataset
from ..catalogue.model import FEATURE_ID
from ..hub import Hub

#: States of a row.
NEW, PRESENT, REPEATED, UNUSED = 0, 1, 2, 3
#: Shapes nearer than this are the same, in metres.
TOLERANCE_M = 0.001


@dataclass(frozen=True)
class Matches:
    """For every row its state, the hub's fid of the present one (-1), the earlier row it repeats (-1), and whether it
    differs from the present one."""

    state: NDArray[np.int8]
    fid: NDArray[np.int64]
    twin: NDArray[np.int64]
    differs: NDArray[np.bool_]

    @property
    def same(self) -> NDArray[np.bool_]:
        """Rows the hub has, value for value."""
        return (self.state == PRESENT) & ~self.differs


def match_rows(
    hub: Hub,
    dataset: Dataset,
    rows: geopandas.GeoDataFrame,
    taken: NDArray[np.bool_],
    given: Collection[str],
    progress: Progress = silent,
) -> Matches:
    """Match rows with a dataset, and complete those it has.

    Parameters
    ----------
    rows : GeoDataFrame
        Typed rows in the hub's system, index 0, 1, ...; ``feature_id`` None where unknown. A feature_id that occurs
        again is taken from the later rows: programs copy it when they split or duplicate.
    taken : array of bool
        Rows to match; others are UNUSED.
    given : collection of str
        Fields the layer says something about. The others of a present row are filled in from the hub, so that an
        update from a layer with three columns does not empty the rest.
    """
    state = np.where(taken, NEW, UNUSED).astype(np.int8)
    fid, twin = np.full(len(rows), -1, dtype=np.int64), np.full(len(rows), -1, dtype=np.int64)
    identities = _identities(dataset, rows)
    ids = rows[FEATURE_ID].to_numpy()
    first: dict[object, int] = {}
    for position in np.flatnonzero(taken):
        # Without a key, equal rows that have each their own feature_id are two things that look alike.
        identity = identities[position] if dataset.key else (ids[position], identities[position])
        earlier = first.setdefault(identity, int(position))
        if earlier != position:
            state[position], twin[position] = REPEATED, earlier
    _keep_each_id_once(rows, state)
    ids = rows[FEATURE_ID].to_numpy()
    differs = np.zeros(len(rows), dtype=bool)
    if hub.count(dataset) == 0 or not (state == NEW).any():
        return Matches(state, fid, twin, differs)
    present = hub.read(dataset, progress=progress)
    place_by_id = {id: place for place, id in enumerate(present[FEATURE_ID])}
    place_by_identity = {identity: place for place, identity in enumerate(_identities(dataset, present))}
    places = np.full(len(rows), -1, dtype=np.int64)
    for position in np.flatnonzero(state == NEW):
        place = place_by_id.get(ids[position])
        places[position] = place_by_identity.get(identities[position], -1) if place is None else place
    found = np.flatnonzero(places >= 0)
    fid[found] = present.index.to_numpy()[places[found]]
    # Two rows of the layer may lead to one of the hub (one by id, one by key); only the first may change it.
    _, leaders = np.unique(fid[found], return_index=True)
    followers = np.delete(found, leaders)
    leader_of = {fid[found[i]]: found[i] for i in leaders}
    state[found] = PRESENT
    for position in followers:
        state[position], twin[position] = REPEATED, leader_of[fid[position]]
    found = np.sort(found[leaders])
    there = present.iloc[places[found]]
    differs[found] = _different(dataset, rows.iloc[found], there, given)
    for name in dataset.field_names:
        if name not in given and found.size:
            rows[name] = _filled(rows[name], found, there[name])
    return Matches(state, fid, twin, differs)


def _filled(column: pandas.Series, positions: NDArray[np.int64], values: pandas.Series) -> pandas.Series:
    filled = column.copy()
    filled.iloc[positions] = values.array
    return filled


def _keep_each_id_once(rows: geopandas.GeoDataFrame, state: NDArray[np.int8]) -> None:
    ids = rows[FEATURE_ID].where((state == NEW), None)
    again = ids.notna() & ids.duplicated()
    if again.any():
        rows.loc[again, FEATURE_ID] = None


def _identities(dataset: Dataset, rows: geopandas.GeoDataFrame) -> list[object]:
    """What makes a row the same thing as another: its key, or everything it says."""
    if dataset.key:
        return list(zip(*(rows[name].astype(object) for name in dataset.key)))
    columns = [rows[name].astype(object).where(rows[name].notna(), None) for name in dataset.field_names]
    if dataset.geometry:
        # Rounded to the millimetre: the same shape read from two formats differs in the last bits.
        rounded = shapely.transform(np.asarray(rows.geometry.array, dtype=object), lambda xy: np.round(xy, 3))
        digests = [None if wkb is None else hashlib.blake2b(wkb, digest_size=16).digest()
                   for wkb in shapely.to_wkb(rounded)]
        columns.append(pandas.Series(digests, index=rows.index, dtype=object))
    return list(zip(*columns))


def _different(
    dataset: Dataset, rows: geopandas.GeoDataFrame, present: geopandas.GeoDataFrame, given: Collection[str]
) -> NDArray[np.bool_]:
    different = np.zeros(len(rows), dtype=bool)
    for name in given:
        left, right = (frame[name].astype(object).where(frame[name].notna(), None).to_numpy() for frame in (rows,
                                                                                                            present))
        different |= np.array([a is not b and a != b for a, b in zip(left, right)], dtype=bool)
    if dataset.geometry:
        left, right = (np.asarray(frame.geometry.array, dtype=object) for frame in (rows, present))
        same = shapely.equals_exact(left, right, tolerance=TOLERANCE_M)
        apart = np.flatnonzero(~same)
        # The same ring may start elsewhere; only what is not equal at once is put in order and looked at again.
        same[apart] = shapely.equals_exact(shapely.normalize(left[apart]), shapely.normalize(right[apart]),
                                           tolerance=TOLERANCE_M)
        different |= ~same
    return different
