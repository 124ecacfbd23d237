"""The past of a hub: its changesets, a dataset as of a moment, what changed between two, and taking a changeset back.

A moment is a time with a zone, or the number of a changeset (the hub just after it; 0 is before the first). Both kinds of
hub keep `History`; what is made of it for people is here once for both.
"""

from __future__ import annotations

import datetime
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import geopandas
import numpy as np
import pandas
import pyproj
import shapely

from ...common.language import say
from ...common.progress import Progress, silent
from ..catalogue import Dataset
from ..catalogue.model import FEATURE_ID, GEOMETRY
from ..changes import Change, Objection, Receipt, Row
from ..merge import same_value
from ..typed_columns import from_sqlite

if TYPE_CHECKING:
    from ..hub import Hub

#: A time with its zone, or the number of a changeset: the hub just after it; 0 is before everything.
Moment = datetime.datetime | int


@dataclass(frozen=True)
class ChangesetNote:
    """One line of a hub's history. ``applied_by`` brought what ``author`` made; ``features`` counts by dataset."""

    number: int
    changeset_id: str
    author: str
    applied_by: str
    department: str
    message: str
    decision_no: str
    applied_at: datetime.datetime
    reverts: int | None
    features: dict[str, int]


class History(ABC):
    """What a hub remembers."""

    @abstractmethod
    def changesets(self, *, most: int = 1000, counted: bool = True) -> list[ChangesetNote]:
        """Return the latest changesets, newest first.

        Counting reads every entry of theirs, a million where as much was imported: without ``counted``, ``features`` is
        empty and `features_of` tells of one.
        """

    @abstractmethod
    def features_of(self, number: int) -> dict[str, int]:
        """Count by dataset the features one changeset touched."""

    @abstractmethod
    def rows_as_of(self, dataset: Dataset, moment: Moment) -> Iterator[tuple[str, Row]]:
        """Yield feature id and row of everything a dataset held at a moment."""

    @abstractmethod
    def changes_between(self, dataset: Dataset, start: Moment, end: Moment) -> Iterator[Change]:
        """Yield what became of every feature that differs between two moments, in the order of the last change."""

    @abstractmethod
    def revert(
        self, number: int, *, author: str = "", department: str = "", message: str = "", decision_no: str = "",
        progress: Progress = silent
    ) -> Receipt:
        """Take a changeset back by a new one.

        Returns
        -------
        Receipt
            STALE, with the features and fields, when later changesets touch the same fields; REFUSED when a lock or a
            check stands in the way. Nothing is done then.

        Raises
        ------
        InputError
            There is no such changeset, or nothing is left of it to take back.
        """


def layer_as_of(hub: Hub, dataset: Dataset, moment: Moment) -> geopandas.GeoDataFrame:
    """Return a dataset as it was at a moment; columns and types as `hub.Hub.read`, index from 0."""
    found = list(hub.rows_as_of(dataset, moment))
    return _frame(dataset, hub.info.crs, [feature_id for feature_id, _ in found], [row for _, row in found])


def difference_layer(hub: Hub, dataset: Dataset, start: Moment, end: Moment) -> geopandas.GeoDataFrame:
    """Return the differing features as one layer: ``change`` is added, changed or deleted, ``changed_fields`` names what,
    ``parent_id`` the feature a new one was split or copied from, where known.

    A deleted feature shows its last state, any other the one at ``end``.
    """
    found = list(hub.changes_between(dataset, start, end))
    frame = _frame(dataset, hub.info.crs, [change.feature_id for change in found],
                   [change.after or change.before or {} for change in found])
    kinds = ["added" if c.before is None else "deleted" if c.after is None else "changed" for c in found]
    fields = [", ".join(sorted(c.touched())) if c.before and c.after else "" for c in found]
    frame.insert(1, "change", np.array(kinds, dtype=object))
    frame.insert(2, "changed_fields", np.array(fields, dtype=object))
    frame.insert(3, "parent_id", np.array([change.parent_id for change in found], dtype=object))
    return frame


def changed_again(dataset: Dataset, change: Change, present: Row | None, numbers: Sequence[int]) -> Objection:
    """Say why one change of an inverse changeset cannot be: later changesets touched the same fields."""
    fields = say("cả đối tượng", "the whole feature")
    if change.before is not None and change.after is not None and present is not None:
        labels = {field.name: str(field.label) for field in dataset.fields} | {GEOMETRY: say("hình", "the shape")}
        fields = ", ".join(labels.get(name, name) for name in sorted(change.touched())
                           if not same_value(present.get(name), change.before.get(name))
                           and not same_value(present.get(name), change.after.get(name)))
    return Objection(change.dataset, change.feature_id, say(
        "{fields} đã được sửa tiếp ở đợt cập nhật số {numbers}", "{fields}: changed again by changeset {numbers}")
        .format(fields=fields, numbers=", ".join(map(str, numbers)) or "?"))


def _frame(dataset: Dataset, crs: pyproj.CRS, feature_ids: list[str], rows: list[Row]) -> geopandas.GeoDataFrame:
    data: dict[str, Any] = {FEATURE_ID: np.array(feature_ids, dtype=object)}
    data |= {field.name: from_sqlite([row.get(field.name) for row in rows], field).array for field in dataset.fields}
    shapes = shapely.from_wkb(np.array([row.get(GEOMETRY) for row in rows], dtype=object))
    index = pandas.RangeIndex(len(rows))
    return geopandas.GeoDataFrame(data, geometry=geopandas.GeoSeries(shapes, index=index, crs=crs), index=index,
                                  crs=crs)
