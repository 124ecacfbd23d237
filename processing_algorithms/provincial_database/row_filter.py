"""Conditions on rows, as people write them, for any hub.

``land_code IN ('ONT', 'ODT') AND legal_area_m2 > 100`` is read here and becomes SQL with the values apart, so that a
condition can neither do harm nor mean one thing in SQLite and another in PostgreSQL. Known: comparisons, ``IN``,
``LIKE``, ``IS [NOT] NULL``, ``AND``, ``OR``, ``NOT``, brackets. Texts stand in single quotes, dates too.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from ..common.errors import InputError
from ..common.language import say
from .catalogue import Dataset
from .catalogue.model import FEATURE_ID, FID

_TOKEN = re.compile(r"""\s*(?:
    (?P<text>'(?:[^']|'')*') | (?P<number>[+-]?\d+(?:\.\d+)?(?![\w.])) | (?P<quoted>"(?:[^"]|"")+") |
    (?P<word>[A-Za-z_]\w*) | (?P<sign><=|>=|<>|!=|=|<|>|\(|\)|,) )""", re.VERBOSE)
_COMPARISONS = {"=": "=", "<>": "<>", "!=": "<>", "<": "<", "<=": "<=", ">": ">", ">=": ">="}
_KEYWORDS = {"and", "or", "not", "in", "like", "is", "null", "true", "false"}


@dataclass(frozen=True)
class RowFilter:
    """A condition: SQL with ``?`` for every value, and the values. Column names are the dataset's own, quoted."""

    sql: str
    values: tuple[object, ...]

    def both(self, other: RowFilter | None) -> RowFilter:
        """Return the condition that both hold."""
        return self if other is None else RowFilter(f"({self.sql}) AND ({other.sql})", self.values + other.values)


def any_of(column: str, values: list[str]) -> RowFilter:
    """Return the condition that a column has one of some values."""
    marks = ", ".join("?" * len(values))
    return RowFilter(f'"{column}" IN ({marks})', tuple(values))


def parse_filter(text: str, dataset: Dataset) -> RowFilter | None:
    """Read a condition on a dataset's fields; blank text is no condition.

    Raises
    ------
    InputError
        What cannot be understood, and where; unknown fields with the list of fields.

    Examples
    --------
    >>> from .catalogue import load_catalogue
    >>> parse_filter("land_code = 'ONT' and not map_scale is null", load_catalogue()["parcel"])
    RowFilter(sql='"land_code" = ? AND NOT ("map_scale" IS NULL)', values=('ONT',))
    """
    if not text.strip():
        return None
    return _Reader(text, dataset).whole()


class _Reader:
    """Reads one condition from left to right."""

    def __init__(self, text: str, dataset: Dataset):
        self.text, self.dataset, self.position = text, dataset, 0
        self.values: list[object] = []
        self.kind, self.token = "", ""
        self._next()

    def whole(self) -> RowFilter:
        sql = self._any()
        if self.kind:
            raise self._refusal()
        return RowFilter(sql, tuple(self.values))

    def _any(self) -> str:
        return self._joined("or", lambda: self._joined("and", self._single))

    def _joined(self, word: str, part: Callable[[], str]) -> str:
        parts = [part()]
        while self._word() == word:
            self._next()
            parts.append(part())
        joined = f" {word.upper()} ".join(parts)
        return f"({joined})" if len(parts) > 1 and word == "or" else joined

    def _single(self) -> str:
        if self._word() == "not":
            self._next()
            return f"NOT ({self._single()})"
        if self.token == "(":
            self._next()
            inner = self._any()
            self._expect(")")
            return f"({inner})"
        column = self._column()
        word = self._word()
        if word == "is":
            self._next()
            negated = self._word() == "not"
            if negated:
                self._next()
            self._expect("null")
            return f"{column} IS {'NOT ' if negated else ''}NULL"
        negated = word == "not"
        if negated:
            self._next()
            word = self._word()
        if word == "in":
            self._next()
            return f"{column} {'NOT ' if negated else ''}IN ({self._listed()})"
        if word == "like":
            self._next()
            return f"{column} {'NOT ' if negated else ''}LIKE {self._value()}"
        if negated or self.token not in _COMPARISONS:
            raise self._refusal()
        sign = _COMPARISONS[self.token]
        self._next()
        return f"{column} {sign} {self._value()}"

    def _listed(self) -> str:
        self._expect("(")
        marks = [self._value()]
        while self.token == ",":
            self._next()
            marks.append(self._value())
        self._expect(")")
        return ", ".join(marks)

    def _column(self) -> str:
        if self.kind not in ("word", "quoted") or self._word() in _KEYWORDS:
            raise self._refusal()
        name = self.token if self.kind == "word" else self.token[1:-1].replace('""', '"')
        if name not in (FID, FEATURE_ID, *self.dataset.field_names):
            raise InputError(say("{dataset} không có trường \"{field}\"; các trường: {names}.",
                                 "{dataset} has no field \"{field}\"; its fields are: {names}.")
                             .format(dataset=self.dataset.label, field=name, names=", ".join(self.dataset.field_names)))
        self._next()
        return f'"{name}"'

    def _value(self) -> str:
        word = self._word()
        if self.kind == "text":
            value: object = self.token[1:-1].replace("''", "'")
        elif self.kind == "number":
            value = float(self.token) if "." in self.token else int(self.token)
        elif word in ("true", "false"):
            value = word == "true"
        else:
            raise self._refusal()
        self.values.append(value)
        self._next()
        return "?"

    def _word(self) -> str:
        return self.token.lower() if self.kind == "word" else ""

    def _expect(self, token: str) -> None:
        if self.token.lower() != token:
            raise self._refusal()
        self._next()

    def _next(self) -> None:
        self.start = self.position
        found = _TOKEN.match(self.text, self.position)
        if found:
            self.kind, self.token, self.position = str(found.lastgroup), found[str(found.lastgroup)], found.end()
        elif self.text[self.position :].strip():
            raise self._refusal()
        else:
            self.kind, self.token = "", ""

    def _refusal(self) -> InputError:
        rest = self.text[self.start :].strip()
        return InputError(say("Không hiểu điều kiện lọc từ chỗ \"{rest}\". Ví dụ đúng: land_code IN ('ONT', 'ODT') "
                              "AND legal_area_m2 > 100.",
                              "The filter is not understood from \"{rest}\" on. A right one: land_code IN ('ONT', "
                              "'ODT') AND legal_area_m2 > 100.")
                          .format(rest=rest[:60] or say("cuối câu", "its end")))
