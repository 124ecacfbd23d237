"""The words of the catalogue. Everything is frozen: a dataset changes by a new file and a hub upgrade, not at run time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

from ...common.language import say

#: Geometry types a dataset may have; None is a table without geometry. Surfaces and lines are always multi-part, so
#: that what any program draws fits.
GEOMETRIES = ("MultiPolygon", "MultiLineString", "Point")
#: ``hub``: the dataset is kept in the hub's own system, VN-2000 with the province's meridian, in metres.
CRS_RULES = ("hub",)
#: ``integer`` has 64 bits, ``datetime`` is an instant (stored in UTC, to the millisecond).
TYPES = ("text", "integer", "real", "boolean", "date", "datetime")
#: From everyone to those who must know: ``restricted`` is personal data and never printed.
SECRECY = ("public", "internal", "restricted")
#: Years of an instant that every program here can count in nanoseconds.
FIRST_YEAR, LAST_YEAR = 1678, 2261
#: Who may write a dataset; which office that is in a province is a setting.
DEPARTMENTS = ("administration", "land", "planning", "transport", "disaster", "commune")
#: Columns every table has: the row number for programs, the permanent identity for us, the shape.
FID, FEATURE_ID, GEOMETRY = "fid", "feature_id", "geom"
RESERVED = (FID, FEATURE_ID, GEOMETRY)


@dataclass(frozen=True)
class Text:
    """A text in both languages; `str` gives the one spoken now."""

    vi: str
    en: str

    def __str__(self) -> str:
        return say(self.vi, self.en)


@dataclass(frozen=True)
class DomainValue:
    """One allowed code and what people read for it."""

    code: str
    label: Text


@dataclass(frozen=True)
class Domain:
    """A list of allowed codes; ``table`` names the norms table it comes from, if it does."""

    name: str
    label: Text
    values: tuple[DomainValue, ...] = field(repr=False)
    table: str | None = None

    @cached_property
    def codes(self) -> frozenset[str]:
        """The allowed codes."""
        return frozenset(value.code for value in self.values)


@dataclass(frozen=True)
class Field:
    """One attribute. ``minimum``, ``maximum`` include the bound; ``pattern`` must match the whole text."""

    id: str
    name: str
    type: str
    label: Text
    help: Text
    length: int | None = None
    decimals: int | None = None
    unit: str | None = None
    minimum: float | None = None
    maximum: float | None = None
    pattern: str | None = None
    domain: Domain | None = None
    required: bool = False
    secrecy: str = "public"
    #: ``dataset.field`` this value should be found in; told when it is not, never refused: data come in any order.
    references: str | None = None
    tt16_field: str | None = None


@dataclass(frozen=True)
class Check:
    """A comparison of two fields of one row; it holds when either is null."""

    id: str
    left: str
    operator: str
    right: str
    message: Text


@dataclass(frozen=True)
class Dataset:
    """One dataset, which is one table of its name."""

    id: str
    name: str
    room: str
    label: Text
    help: Text
    geometry: str | None
    crs: str
    secrecy: str
    #: Fields that name a row for people; two rows of the same key are the same thing.
    key: tuple[str, ...]
    title_field: str
    #: Path under ``styles/``.
    style: str
    #: ``database/dataset/class`` of TT 16/2025 annex II, where one exists.
    tt16_class: str | None
    writers: tuple[str, ...]
    #: Field with the commune a row belongs to: for rights by commune and for checking out by commune.
    commune_field: str | None
    fields: tuple[Field, ...] = field(repr=False)
    checks: tuple[Check, ...] = field(repr=False)

    def field(self, name: str) -> Field:
        """Return a field by name; KeyError when there is none."""
        return self._by_name[name]

    @cached_property
    def _by_name(self) -> dict[str, Field]:
        return {field.name: field for field in self.fields}

    @property
    def field_names(self) -> tuple[str, ...]:
        """Names of the attributes in the order of the form, without the reserved columns."""
        return tuple(self._by_name)


class Catalogue(Mapping[str, Dataset]):
    """Datasets by name, in the order of their ids."""

    def __init__(self, datasets: tuple[Dataset, ...]):
        self._datasets = {dataset.name: dataset for dataset in sorted(datasets, key=lambda dataset: dataset.id)}

    def __getitem__(self, name: str) -> Dataset:
        return self._datasets[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._datasets)

    def __len__(self) -> int:
        return len(self._datasets)

    def held(self, tables: Mapping[str, str], columns: Mapping[str, str]) -> Catalogue:
        """Cut the catalogue down to what a storage holds, found by the ids that never change.

        Parameters
        ----------
        tables : mapping
            Table name by dataset id.
        columns : mapping
            Column name by field id.
        """
        found = []
        for dataset in self.values():
            if dataset.id in tables:
                fields = tuple(replace(f, name=columns[f.id]) for f in dataset.fields if f.id in columns)
                names = {field.name for field in fields}
                checks = tuple(check for check in dataset.checks if {check.left, check.right} <= names)
                found.append(replace(dataset, name=tables[dataset.id], fields=fields, checks=checks))
        return Catalogue(tuple(found))
