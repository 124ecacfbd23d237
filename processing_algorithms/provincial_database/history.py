"""The past of a hub: its changesets, a dataset as of a moment, what changed between two, and taking a changeset back.

A moment is a time with a zone, or the number of a changeset (the hub just after it; 0 is before the first). Both kinds of
hub keep `History`; what is made of it for people is here once for both.
"""

from __future__ import annotations

import datetime
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import geopandas
import numpy as np
import pandas
import pyproj
import shapely

from ..common.errors import InputError
from ..common.language import say
from ..common.progress import Progress, silent
from .catalogue import Dataset
from .catalogue.model import FEATURE_ID, GEOMETRY
from .changes import Change, Receipt, Row
from .typed_columns import from_sqlite

if TYPE_CHECKING:
    from .hub import Hub

Moment = datetime.datetime | int
#: Days and times typed without a zone are Vietnam's.
_VIETNAM = datetime.timezone(datetime.timedelta(hours=7))


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
    def changesets(self, *, most: int = 1000) -> list[ChangesetNote]:
        """Return the latest changesets, newest first."""

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
    """Return the differing features as one layer: ``change`` is added, changed or deleted, ``changed_fields`` names what.

    A deleted feature shows its last state, any other the one at ``end``.
    """
    found = list(hub.changes_between(dataset, start, end))
    frame = _frame(dataset, hub.info.crs, [change.feature_id for change in found],
                   [change.after or change.before or {} for change in found])
    kinds = ["added" if c.before is None else "deleted" if c.after is None else "changed" for c in found]
    fields = [", ".join(sorted(c.touched())) if c.before and c.after else "" for c in found]
    frame.insert(1, "change", np.array(kinds, dtype=object))
    frame.insert(2, "changed_fields", np.array(fields, dtype=object))
    return frame


def read_moment(text: str, number: int | None = None, *, end_of_day: bool = True) -> Moment:
    """Read a moment somebody typed: a time, a day, or the number of a changeset; exactly one of them.

    Parameters
    ----------
    text : str
        ``2026-11-22``, ``2026-11-22 07:30``, ``22/11/2026``, with a zone or in Vietnam's time.
    number : int, optional
        Of a changeset.
    end_of_day : bool
        A day alone means its end, so that "as of" a day includes what was done on it; else its beginning.

    Raises
    ------
    InputError
        Both or neither are given, or the text is no time.

    Examples
    --------
    >>> read_moment("22/11/2026 07:30").isoformat()
    '2026-11-22T07:30:00+07:00'
    >>> read_moment("", 12)
    12
    """
    text = text.strip()
    if bool(text) == (number is not None):
        raise InputError(say("Hãy cho biết một thời điểm, hoặc số của một đợt cập nhật, chỉ một trong hai.",
                             "Give a moment, or the number of a changeset, one of the two."))
    if number is not None:
        return number
    moment = _parsed(text)
    if isinstance(moment, datetime.datetime):
        return moment if moment.tzinfo else moment.replace(tzinfo=_VIETNAM)
    at = datetime.time.max if end_of_day else datetime.time.min
    return datetime.datetime.combine(moment, at, tzinfo=_VIETNAM)


def _parsed(text: str) -> datetime.date:
    day, _, rest = text.replace("T", " ").partition(" ")
    if day.count("/") == 2:
        day = "-".join(part.zfill(2) for part in reversed(day.split("/")))
    try:
        if not rest.strip():
            return datetime.date.fromisoformat(day)
        return datetime.datetime.fromisoformat(f"{day} {rest.strip()}")
    except ValueError as error:
        raise InputError(say("\"{text}\" không phải là thời điểm; ví dụ 22/11/2026 hoặc 2026-11-22 07:30.",
                             "\"{text}\" is not a moment; such as 2026-11-22 or 2026-11-22 07:30.")
                         .format(text=text)) from error


def _frame(dataset: Dataset, crs: pyproj.CRS, feature_ids: list[str], rows: list[Row]) -> geopandas.GeoDataFrame:
    data: dict[str, Any] = {FEATURE_ID: np.array(feature_ids, dtype=object)}
    data |= {field.name: from_sqlite([row.get(field.name) for row in rows], field).array for field in dataset.fields}
    shapes = shapely.from_wkb(np.array([row.get(GEOMETRY) for row in rows], dtype=object))
    index = pandas.RangeIndex(len(rows))
    return geopandas.GeoDataFrame(data, geometry=geopandas.GeoSeries(shapes, index=index, crs=crs), index=index, crs=crs)
