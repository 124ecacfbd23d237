"""What an administrator lets only one feature have: who goes first when it changes hands, and our words when another has it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from ..common.language import say
from .catalogue import Dataset
from .catalogue.model import FEATURE_ID
from .changes import Row

#: An index by its place in `unique_indexes`, and the values of a row in it as text.
Key = tuple[int, str]


@dataclass(frozen=True)
class Moves:
    """What each staged position has now and wants, by index."""

    has: dict[int, set[Key]]
    wants: dict[int, set[Key]]

    def released(self) -> dict[Key, int]:
        """Who gives away what."""
        return {key: position for position, keys in self.has.items() for key in keys - self.wants[position]}

    def change_hands(self) -> set[Key]:
        """What one of them gives away and exactly one of them takes."""
        taken = Counter(key for position, keys in self.wants.items() for key in keys - self.has[position])
        return {key for key in self.released() if taken[key] == 1}

    def in_the_way(self, positions: Sequence[int]) -> list[tuple[int, list[int]]]:
        """Those that have what another of them wants, by index."""
        released, found = self.released(), dict[int, set[int]]()
        for position in positions:
            for key in self.wants[position]:
                if released.get(key, position) != position:
                    found.setdefault(key[0], set()).add(released[key])
        return [(number, sorted(holders & {*positions})) for number, holders in sorted(found.items())]


def in_turns(positions: Sequence[int], moving: Moves) -> Iterator[tuple[list[int], Key | None]]:
    """Yield what to do one after the other: positions to write together; or one to step aside from a key before.

    Examples
    --------
    >>> list(in_turns([1, 2], Moves({1: {(0, "a")}, 2: {(0, "b")}}, {1: {(0, "b")}, 2: {(0, "c")}})))
    [([2], None), ([1], None)]
    >>> list(in_turns([1, 2], Moves({1: {(0, "a")}, 2: {(0, "b")}}, {1: {(0, "b")}, 2: {(0, "a")}})))
    [([2], (0, 'b')), ([1], None), ([2], None)]
    """
    released = moving.released()
    written = set(positions)
    # Who waits for whom, and for which of its keys.
    waits = {position: {key: released[key] for key in moving.wants.get(position, ()) if released.get(key) in written}
             for position in positions}
    waiting: dict[int, list[int]] = {}
    for position, keys in waits.items():
        for other in keys.values():
            waiting.setdefault(other, []).append(position)
    left = dict.fromkeys(position for position in positions if waits[position])
    ready = [position for position in positions if not waits[position]]
    while ready or left:
        if not ready:
            key, position = _in_a_ring(waits, next(iter(left)))
            yield [position], key
            ready = [other for other in waiting[position] if waits[other].pop(key, None) is not None and not waits[other]]
        else:
            yield ready, None
            after = []
            for position in ready:
                for other in waiting.get(position, ()):
                    for key in [key for key, held_by in waits[other].items() if held_by == position]:
                        del waits[other][key]
                        if not waits[other]:
                            after.append(other)
            ready = after
        for position in ready:
            left.pop(position, None)


def _in_a_ring(waits: dict[int, dict[Key, int]], position: int) -> tuple[Key, int]:
    """Return one that others wait for in a ring, and the key they want of it."""
    seen = set()
    while True:
        key, position = next(iter(waits[position].items()))
        if (key, position) in seen:
            return key, position
        seen.add((key, position))


def taken(dataset: Dataset, columns: Collection[str], row: Row | None) -> str:
    """Say that another feature has the values of these columns already, and what to do.

    Parameters
    ----------
    columns : collection of str
        Those of the unique index or constraint; empty when it is of an expression.
    row : dict or None
        The feature as its sender wants it.
    """
    if FEATURE_ID in columns:
        return say("{label}: mã nhận dạng này đã có ở một đối tượng mà tài khoản này không được xem; hãy chép thành đối tượng mới, xóa đối tượng "
                   "cũ rồi gửi lại.",
                   "{label}: a feature that this account may not see has this identity already; copy it as a new feature, delete the old one "
                   "and push again.").format(label=dataset.label)
    labels = {field.name: str(field.label) for field in dataset.fields}
    # Of a field this account may not see nothing is said.
    values = ", ".join(f"{labels[name]} = {(row or {}).get(name)}" for name in columns if name in labels)
    return say("{label}: đối tượng khác đã có {values}, quản trị chỉ cho một đối tượng có; hãy nhận cập nhật, đặt giá trị khác rồi gửi lại.",
               "{label}: another feature has {values} already, and the administrator lets only one have it; pull, choose another value and "
               "push again.").format(label=dataset.label, values=values or say("giá trị này", "this value"))


def change_places(dataset: Dataset) -> str:
    """Say that features cannot change values that only one may have."""
    return say("{label}: các đối tượng đổi giá trị duy nhất cho nhau theo vòng và không có giá trị tạm nào hợp lệ; hãy đặt một đối tượng sang giá "
               "trị khác và gửi, rồi đặt giá trị đúng và gửi lần nữa.",
               "{label}: features hand each other values that only one may have, and no value in between is allowed; give one of them another "
               "value and push, then the right one and push again.").format(label=dataset.label)
