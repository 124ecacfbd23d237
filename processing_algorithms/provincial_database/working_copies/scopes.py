"""What a working copy holds of a dataset, enlarged and reduced: everything, some communes, or an area."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import closing
from typing import TYPE_CHECKING

import shapely

from ...common.errors import InputError
from ...common.language import say
from ..catalogue import Dataset
from ..catalogue.model import FEATURE_ID, GEOMETRY
from ..changes import Scope
from ..geopackage.schema import quoted
from ..rows import shapes_of

if TYPE_CHECKING:
    from .working_copy import WorkingCopy

_ROWS_AT_ONCE = 10_000


def commune_codes(text: str) -> tuple[frozenset[str] | None, list[str]]:
    """Read commune codes separated by commas or semicolons (None: none), and what is wrong with them.

    Examples
    --------
    >>> commune_codes("19801; 19804")[0] == {"19801", "19804"}, commune_codes(" ")
    (True, (None, []))
    """
    codes = [code.strip() for code in text.replace(";", ",").split(",") if code.strip()]
    problems = [say("\"{code}\" không phải là mã đơn vị hành chính cấp xã (5 chữ số).",
                    "\"{code}\" is not a commune code (5 digits).").format(code=code)
                for code in codes if not (code.isascii() and code.isdigit() and len(code) == 5)]
    return frozenset(codes) or None, problems


def chosen(dataset: Dataset, communes: frozenset[str] | None, polygon: bytes | None) -> Scope:
    """Return the scope of a dataset; one that is not divided by communes is taken whole, one without shapes too."""
    return Scope(dataset.name, communes if dataset.commune_field else None, polygon if dataset.geometry else None)


def enlarged(old: Scope | None, dataset: Dataset, communes: frozenset[str] | None, polygon: bytes | None) -> Scope:
    """Return a scope with communes or an area added; without either it becomes everything.

    Raises
    ------
    InputError
        Communes are to be added to an area, or an area to communes.

    Examples
    --------
    >>> from .catalogue import load_catalogue
    >>> parcel = load_catalogue()["parcel"]
    >>> sorted(enlarged(Scope("parcel", frozenset({"19801"})), parcel, frozenset({"19804"}), None).communes)
    ['19801', '19804']
    """
    more = chosen(dataset, communes, polygon)
    if old is None or is_whole(more):
        return more
    if is_whole(old):
        return old
    _refuse_mixture(old, more, dataset)
    if old.communes is not None and more.communes is not None:
        return Scope(dataset.name, old.communes | more.communes)
    return Scope(dataset.name, None, shapely.to_wkb(shapely.union(*_areas(old, more))))


def reduced(old: Scope, dataset: Dataset, communes: frozenset[str] | None, polygon: bytes | None) -> Scope | None:
    """Return a scope with communes or an area taken away; None when nothing is left, as without either.

    Raises
    ------
    InputError
        The dataset is held whole, or by the other of the two: then say what to keep instead.
    """
    less = chosen(dataset, communes, polygon)
    if is_whole(less):
        return None
    if is_whole(old):
        raise InputError(say("Bản dữ liệu làm việc giữ toàn bộ {dataset}; hãy chọn \"Chỉ giữ\" với các xã hoặc phạm vi "
                             "cần giữ.",
                             "The working copy holds all of {dataset}; choose \"Keep only\" with the communes or the "
                             "extent to keep.").format(dataset=dataset.label))
    _refuse_mixture(old, less, dataset)
    if old.communes is not None and less.communes is not None:
        left = old.communes - less.communes
        return Scope(dataset.name, left) if left else None
    area = shapely.difference(*_areas(old, less))
    return None if area.is_empty else Scope(dataset.name, None, shapely.to_wkb(area))


def is_whole(scope: Scope) -> bool:
    """Tell whether a scope is everything of its dataset."""
    return scope.communes is None and scope.polygon is None


def covers(scope: Scope, other: Scope) -> bool:
    """Tell whether whatever is within ``other`` is certainly within ``scope``."""
    if is_whole(scope):
        return True
    if is_whole(other):
        return False
    if scope.communes is not None and other.communes is not None and scope.polygon is None:
        return scope.communes >= other.communes
    if scope.polygon is not None and other.polygon is not None and scope.communes is None:
        return bool(shapely.covers(*_areas(scope, other)))
    return scope == other


def outside(
    copy: WorkingCopy, dataset: Dataset, scope: Scope, table: str, condition: str, values: Sequence[object] = ()
) -> set[str]:
    """Return the features of a table of a working copy that meet a condition and are not within a scope."""
    if scope.communes is not None and dataset.commune_field:
        column = quoted(dataset.commune_field)
        return {row[0] for row in copy.database.execute(
            f"SELECT {FEATURE_ID} FROM {quoted(table)} WHERE {condition} AND "
            f"({column} IS NULL OR {column} NOT IN (SELECT value FROM json_each(?)))", (*values, json.dumps(sorted(scope.communes))))}
    if scope.polygon is None or not dataset.geometry:
        return set()
    area = shapely.from_wkb(scope.polygon)
    shapely.prepare(area)
    found_outside: set[str] = set()
    with closing(copy.database.execute(f"SELECT {FEATURE_ID}, {GEOMETRY} FROM {quoted(table)} WHERE {condition}", values)) as cursor:
        while found := cursor.fetchmany(_ROWS_AT_ONCE):
            touching = shapely.intersects(area, shapely.from_wkb(shapes_of(dataset, [row[1] for row in found], [row[0] for row in found])))
            found_outside |= {row[0] for row, touches in zip(found, touching) if not touches}
    return found_outside


def _areas(first: Scope, second: Scope) -> tuple[shapely.Geometry, shapely.Geometry]:
    return shapely.from_wkb(first.polygon), shapely.from_wkb(second.polygon)


def _refuse_mixture(old: Scope, other: Scope, dataset: Dataset) -> None:
    if (old.communes is None) == (other.communes is None):
        return
    raise InputError(
        say("Bản dữ liệu làm việc giữ {dataset} theo xã; hãy chọn mã xã, không chọn phạm vi.",
            "The working copy holds {dataset} by commune; choose communes, not an extent.").format(dataset=dataset.label)
        if old.communes is not None else
        say("Bản dữ liệu làm việc giữ {dataset} theo phạm vi; hãy chọn phạm vi, không chọn mã xã.",
            "The working copy holds {dataset} by extent; choose an extent, not communes.").format(dataset=dataset.label))
