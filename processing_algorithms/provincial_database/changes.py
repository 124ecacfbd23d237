"""What travels between a hub and a working copy: values, not behaviour.

A row is a dict by column name. Values are plain and exact, so that equal means equal on every storage:

* text as it is (composed and decomposed letters stay apart), 64-bit integers, floats, booleans, None;
* dates as ``YYYY-MM-DD``, instants as UTC ``YYYY-MM-DDTHH:MM:SS.mmmZ``;
* geometry under ``geom`` as little-endian ISO WKB bytes, without a system: it is always the hub's.

``fid`` never travels: it is each storage's own. ``feature_id`` is the identity.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from functools import cached_property
from typing import Protocol, runtime_checkable

from ..common.progress import Progress, silent
from .catalogue import Catalogue
from .catalogue.model import FEATURE_ID, FID

#: An identity as we write it.
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
Value = None | bool | int | float | str | bytes
Row = dict[str, Value]


@dataclass(frozen=True)
class Change:
    """One feature's way from one state to another.

    ``before`` is None for a new feature, ``after`` None for a deleted one. Both are whole rows, so that a change can be
    merged field by field, shown, and reverted without asking anybody. ``parent_id`` is the feature it was split or
    copied from, where known.
    """

    dataset: str
    feature_id: str
    before: Row | None
    after: Row | None
    parent_id: str | None = None

    def touched(self) -> frozenset[str]:
        """Names of the fields that differ; all of them for a new or deleted feature."""
        return self._touched

    @cached_property
    def _touched(self) -> frozenset[str]:
        if self.before is None or self.after is None:
            return frozenset(self.after or self.before or ())
        before, after = self.before, self.after
        if before.keys() == after.keys():
            return frozenset([name for name, value in before.items() if value != after[name]])
        return frozenset(name for name in before.keys() | after.keys() if before.get(name) != after.get(name))


def strange_fields(change: Change, known: Collection[str]) -> list[str]:
    """Return the fields a change would fill that a dataset has not; empty ones are nothing to lose.

    Examples
    --------
    >>> strange_fields(Change("road", "1", None, {"name": "a", "colour": "đỏ", "width": None, "fid": 3}), {"name"})
    ['colour']
    """
    return sorted(name for name in change.touched() if name not in known and name not in (FID, FEATURE_ID)
                  and change.after is not None and change.after.get(name) is not None)


@dataclass(frozen=True)
class Changeset:
    """A set of changes that becomes history as one: who, when, department, message, decision number.

    ``changeset_id`` is a UUID made by whoever made the changes. A hub that has it already has applied it: sending it
    again does nothing, so a push that was cut off may always be repeated.
    """

    changeset_id: str
    author: str
    department: str
    message: str
    decision_no: str
    made_at: str
    changes: tuple[Change, ...] = field(repr=False)
    working_copy_id: str | None = None

    def parents(self) -> dict[tuple[str, str], str]:
        """Where new features come from: dataset and id of each, and the feature it was split or copied from."""
        return {(change.dataset, change.feature_id): change.parent_id for change in self.changes
                if change.before is None and change.after is not None and isinstance(change.parent_id, str)
                and UUID.fullmatch(change.parent_id)}


@dataclass(frozen=True)
class Position:
    """Where in a hub's history somebody stands.

    ``token`` belongs to the hub: a transaction snapshot in PostGIS, a ledger number in a GeoPackage. Positions of another
    ``incarnation`` (the hub was restored from a backup) say nothing; then everything has to be compared.
    """

    hub_id: str
    incarnation: str
    token: str


@dataclass(frozen=True)
class Scope:
    """What a working copy holds of one dataset: everything, or some communes, or what touches a shape (WKB, hub's system).

    With both, what is in the communes and touches the shape: so much of a drawn area as an office may read.
    ``features`` are handed over in any case, changed or not, wherever they are now: those edited in the working copy. Else
    a feature somebody moved to another commune could not be told from a deleted one.
    """

    dataset: str
    communes: frozenset[str] | None = None
    polygon: bytes | None = None
    features: frozenset[str] = field(default=frozenset(), repr=False)


class Outcome(Enum):
    """What became of a changeset sent to a hub. Expected outcomes are values, not exceptions."""

    APPLIED = "applied"
    ALREADY_APPLIED = "already applied"
    #: The hub has newer values of fields it would change: pull first. Nothing was applied.
    STALE = "stale"
    #: Some rows may not be written by this person, are locked, or break a check. Nothing was applied.
    REFUSED = "refused"


@dataclass(frozen=True)
class Objection:
    """Why one feature of a changeset could not be applied; ``reason`` is a sentence for people."""

    dataset: str
    feature_id: str
    reason: str


@dataclass(frozen=True)
class Receipt:
    """The hub's answer to a changeset. ``number`` is its place in the hub's history."""

    outcome: Outcome
    changeset_id: str
    number: int | None = None
    objections: tuple[Objection, ...] = ()
    #: Rows whose value after applying differs from what was sent (a trigger of the hub rewrote a field).
    rewritten: tuple[Change, ...] = ()


@dataclass(frozen=True)
class RowBatch:
    """Rows of one dataset as a GeoPackage keeps them (see `rows`): (feature_id, values in the order of ``columns``).

    ``gone`` are the features that are gone, or are no longer within the scope.
    """

    dataset: str
    columns: tuple[str, ...]
    rows: Sequence[tuple[object, ...]] = field(repr=False)
    gone: Sequence[str] = field(default=(), repr=False)


@dataclass(frozen=True)
class Parting:
    """Where a working copy's history and a restored hub's parted; see `after_restore`.

    ``changed`` has the rows as they stood then (None: not there) of the features the hub has changed since; every other
    feature stood then as the hub has it now. ``known`` is False when the hub cannot tell.
    """

    known: bool
    changed: Mapping[tuple[str, str], Row | None] = field(repr=False)


@dataclass(frozen=True)
class Delivery:
    """What a hub hands over in one consistent read: the rows, and the position they are complete for.

    ``rows`` yields (dataset, feature_id, row); row None means the feature is gone, or is no longer within the scope.
    ``batches``, where a hub has the faster way, yields the same thousands at a time: shapes are GeoPackage geometry with
    the number of the hub's system in a file of ours. One of the two is read, to its end, inside the ``with`` block.
    """

    position: Position
    whole: bool
    rows: Iterator[tuple[str, str, Row | None]] = field(repr=False)
    batches: Iterator[RowBatch] | None = field(default=None, repr=False)
    #: Set when the hub was restored from a backup that is older than the position asked from.
    parting: Parting | None = None


class ExchangingHub(Protocol):
    """What pull, push and the exchange by file need of a hub; both hubs pass one contract test suite."""

    #: The datasets it holds, with the fields it holds of them; a working copy's grow after it.
    datasets: Catalogue

    def position(self) -> Position:
        """Where the hub stands now."""

    def deliver(self, scopes: Iterable[Scope], since: Position | None, progress: Progress = silent) -> Delivery:
        """Hand over all rows of the scopes (``since`` None), or the present state of all that changed since then.

        Used as a context manager. Rows and new position are read in one transaction, so nothing committed late is missed
        and nothing is handed over twice. Raises `InputError` when ``since`` is of another incarnation.
        """

    def submit(self, changeset: Changeset, progress: Progress = silent) -> Receipt:
        """Apply a changeset whole or not at all, exactly once. Fields somebody else has changed since ``before`` make it STALE."""


@runtime_checkable
class RemembersRestores(ExchangingHub, Protocol):
    """A hub that knows which incarnation it was restored from, up to where.

    Its `deliver` takes positions of earlier incarnations too, as long as it continues them.
    """

    def continues(self, since: Position, sent: Collection[str] = ()) -> bool:
        """Tell whether this hub's history has all that a position stands for, and the changesets sent since, by id.

        Raises `InputError` when the position is another hub's.
        """

    def compare(self, scopes: Iterable[Scope], since: Position, progress: Progress = silent) -> Delivery:
        """Hand over everything, with `Delivery.parting`, to a working copy this hub does not continue; else as `deliver`."""


@runtime_checkable
class KnowsCopies(Protocol):
    """A hub that remembers which working copies are out and what they have not sent."""

    def note_working_copy(self, working_copy_id: str, name: str, unsent: int, unsent_since: str | None = None) -> None:
        """Note how many features of a working copy are edited and not sent, and since when that is known."""
