"""What the checks share: the options, and a dossier whose classes and fields are told apart from how they are spelled."""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import geopandas
import numpy as np
import pandas
import shapely
from numpy.typing import NDArray

from .reading import Dossier, FieldInfo, Layer
from .rules import RULES, Finding
from .schema import DossierClass, DossierField, DossierSchema, plain


@dataclass(frozen=True)
class CheckOptions:
    """What a check is told beside the dossier itself; blanks are read from the dossier's codes where they say it.

    Attributes
    ----------
    on : date
        The day of the check.
    province : str
        Code of the province, such as ``46``.
    level : str
        QHC, QPK or QCT.
    kind : str
        The digit of the plan information code: 1 urban, 2 rural, 3 functional zone.
    scale : float, optional
        Denominator.
    approved, appraised : date, optional
        They decide which QCVN 01 the control figures are judged by.
    tolerance_m : float
        Of gaps, overlaps and places, metres.
    area_tolerance_pct : float
        Of stated against measured areas.
    province_folder : path, optional
        Of a province's own tables.
    """

    on: datetime.date
    province: str = ""
    level: str = ""
    kind: str = ""
    scale: float | None = None
    approved: datetime.date | None = None
    appraised: datetime.date | None = None
    tolerance_m: float = 0.001
    area_tolerance_pct: float = 1.0
    province_folder: str | Path | None = None


@dataclass
class ExaminedClass:
    """One class found, with the columns of its frame named as the standard spells them.

    ``info`` has the fields found, by the standard's names.
    """

    item: DossierClass
    layer: Layer
    frame: geopandas.GeoDataFrame = field(repr=False)
    info: dict[str, FieldInfo] = field(default_factory=dict)
    _texts: dict[str, pandas.Series] = field(default_factory=dict, repr=False)

    @cached_property
    def shapes(self) -> NDArray[np.object_]:
        """Shapes as they came, None where there is none."""
        return np.asarray(self.frame.geometry.array, dtype=object)

    @cached_property
    def _usable(self) -> NDArray[np.bool_]:
        shapes = self.shapes
        there = ~(shapely.is_missing(shapes) | shapely.is_empty(shapes))
        return there & (shapely.get_dimensions(shapes) == 2) & shapely.is_valid(shapes)

    def usable(self) -> NDArray[np.bool_]:
        """Tell which rows have a valid, non-empty polygon."""
        return self._usable

    def text(self, name: str) -> pandas.Series:
        """Return a column as trimmed text, blank where null or missing."""
        if name not in self._texts:
            values: list[object] = [""] * len(self.frame)
            if name in self.frame.columns:
                column = self.frame[name]
                values = ["" if gone else str(value).strip() for value, gone in zip(column, column.isna())]
            self._texts[name] = pandas.Series(values, index=self.frame.index, dtype=object)
        return self._texts[name]

    def numbers(self, name: str) -> NDArray[np.float64]:
        """Return a column as numbers; nan where null, missing or no number."""
        if name not in self.frame.columns:
            return np.full(len(self.frame), np.nan)
        column = self.frame[name]
        if column.dtype == object:
            column = column.map(lambda value: value.replace(",", ".") if isinstance(value, str) else value)
        return pandas.to_numeric(column, errors="coerce").to_numpy(dtype=float, na_value=np.nan)

    def finding(self, rule: str, message: str, which: NDArray[np.bool_] | None = None) -> Finding:
        """Return a finding on this class, or on some of its rows."""
        if which is None:
            return Finding(RULES[rule], message, self.item.database, self.item.name)
        return Finding(RULES[rule], message, self.item.database, self.item.name, list(self.frame.index[which]),
                       list(self.shapes[which]))


@dataclass
class Examined:
    """The dossier under check."""

    dossier: Dossier
    schema: DossierSchema
    options: CheckOptions
    classes: dict[tuple[str, str], ExaminedClass] = field(default_factory=dict)
    #: What could not be judged, and why: whole sentences, not faults.
    unassessed: list[str] = field(default_factory=list)
    _codes: dict[str, Counter[str]] = field(default_factory=dict, repr=False)

    def codes(self, name: str) -> Counter[str]:
        """Count the well-formed values of a code in all classes; called once the classes are known."""
        if name not in self._codes:
            counts: Counter[str] = Counter()
            for found in self.filled():
                counts.update(found.text(name).value_counts().to_dict())
            pattern = self.schema.pattern(name)
            self._codes[name] = Counter({value: count for value, count in counts.items() if pattern.fullmatch(value)})
        return self._codes[name]

    def get(self, database: str, name: str) -> ExaminedClass | None:
        """Return a class with features, or None."""
        found = self.classes.get((database, name))
        return found if found is not None and len(found.frame) else None

    def filled(self) -> Iterator[ExaminedClass]:
        """Every class that has features."""
        return (found for found in self.classes.values() if len(found.frame))


def examined_class(item: DossierClass, layer: Layer, fields: tuple[DossierField, ...]) -> ExaminedClass:
    """Name the columns of a layer as the standard does; figures are found under their other usual names, too."""
    renamed: dict[str, str] = {}
    info: dict[str, FieldInfo] = {}
    by_plain = {plain(name): name for name in reversed(list(layer.fields))}
    for one in fields:
        actual = one.name if one.name in layer.fields else next(
            (by_plain[word] for word in (plain(one.name), *sorted(one.also)) if word in by_plain), None)
        if actual is not None and actual not in renamed:
            renamed[actual] = one.name
            info[one.name] = layer.fields[actual]
    respelled = {old: new for old, new in renamed.items() if old != new}
    frame = layer.frame.rename(columns=respelled) if respelled else layer.frame
    return ExaminedClass(item, layer, frame, info)
