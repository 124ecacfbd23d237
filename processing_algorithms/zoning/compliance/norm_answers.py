"""How answers of the norms look, and how they are put together: by date, nation and province, row or cells."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

import numpy as np
import pandas
from numpy.typing import ArrayLike, NDArray

from ...common.language import say
from ...common.norms.loader import NormTable, Row, load_table, regulation_in_force
from .norm_grid import GridValues, least_sure

#: Columns of every answer:
#: value      the limit; nan where unknown, where none is set, or where it depends on a fact that is not known
#: strictest, loosest   the range then; both equal to the value where there is one. A measured value that keeps the
#:            strictest is right whatever the fact, one that breaks the loosest is wrong whatever the fact
#: status     a `Status`
#: regulation, table, row, citation   what a verdict must name; row says the printed table's headers
#: valid_to   last day of the figure, None if open;  confidence  as in the tables of norms
#: interpolated   between rows
#: reason     why there is no value, or a condition of the value; "" otherwise
#: exception  the document that lets a province's figure be looser than the nation's; "" otherwise
COLUMNS = ("value", "strictest", "loosest", "status", "regulation", "table", "row", "citation", "valid_to", "confidence",
           "interpolated", "reason", "exception")

Dates = datetime.date | Sequence[datetime.date]


class Status(str, Enum):
    """What the regulation says about a case."""

    LIMIT = "limit"
    #: The regulation sets no such limit for this kind of lot.
    NONE = "none"
    #: No figures are known for the date, or a fact that decides is missing.
    UNKNOWN = "unknown"


@dataclass
class Answer:
    """Answers being filled in, one per case; ``upper`` tells maxima from minima."""

    upper: bool
    frame: pandas.DataFrame

    @classmethod
    def empty(cls, n: int, upper: bool) -> Answer:
        frame = pandas.DataFrame({
            "value": np.full(n, np.nan), "strictest": np.full(n, np.nan), "loosest": np.full(n, np.nan),
            "status": np.full(n, Status.NONE.value, dtype=object), "regulation": "", "table": "", "row": "",
            "citation": "",
            "valid_to": np.full(n, None, dtype=object), "confidence": "", "interpolated": False, "reason": "",
            "exception": ""})
        return cls(upper, frame)

    def unknown(self, which: NDArray[np.bool_], reason: str) -> None:
        self.frame.loc[which, "status"] = Status.UNKNOWN.value
        self.frame.loc[which, "reason"] = reason

    def none(self, which: NDArray[np.bool_], reason: str) -> None:
        self.frame.loc[which, "status"] = Status.NONE.value
        self.frame.loc[which, "reason"] = reason

    def put_row(
        self, which: NDArray[np.bool_], table: NormTable, row: Row, value: NDArray[np.float64] | float, label: str = "",
        reason: str = "",
    ) -> None:
        """One row of a table decides these cases."""
        for column, content in (("value", value), ("strictest", value), ("loosest", value),
                                ("status", Status.LIMIT.value),
                                ("reason", reason), *_source(table, [row], label or str(row["row"])).items()):
            self.frame.loc[which, column] = content

    def put_grid(self, which: NDArray[np.bool_], table: NormTable, found: GridValues) -> None:
        """Cells of a table decide these cases; ``found`` is in the order of the true ones of ``which``."""
        place = np.flatnonzero(which)
        first, last = ("lowest", "highest") if self.upper else ("highest", "lowest")
        sources: dict[tuple[int, ...], dict[str, object]] = {}
        for numbers in set(found.numbers) - {()}:
            sources[numbers] = _source(table, [table.rows[k] for k in numbers], "")
        self.frame.loc[which, "value"] = found.value
        self.frame.loc[which, "strictest"] = getattr(found, first)
        self.frame.loc[which, "loosest"] = getattr(found, last)
        self.frame.loc[which, "interpolated"] = found.interpolated
        self.frame.loc[which, "status"] = Status.LIMIT.value
        for column in ("regulation", "table", "valid_to", "confidence", "exception"):
            self.frame.loc[which, column] = np.array(
                [sources[k][column] if k else None for k in found.numbers], dtype=object)
        self.frame.loc[which, "row"] = found.row
        self.frame.loc[which, "citation"] = [
            f"{sources[k]['citation']}, {row}" if k else "" for k, row in zip(found.numbers, found.row)]
        no_area, ranged = np.zeros(len(which), dtype=bool), np.zeros(len(which), dtype=bool)
        no_area[place[np.isnan(found.lowest)]] = True
        ranged[place[np.isnan(found.value) & ~np.isnan(found.lowest)]] = True
        self.unknown(no_area, say("chưa biết diện tích lô đất", "the lot's area is not known"))
        self.frame.loc[ranged, "reason"] = say("chưa biết chiều cao công trình", "the building's height is not known")


def _source(table: NormTable, rows: Sequence[Row], label: str) -> dict[str, object]:
    # The row's number in our file says nothing to a reader of the printed table: its headers do.
    whole = table.citation({**rows[0], "row": ""})
    ends = [row["valid_to"] for row in rows if row["valid_to"] is not None]
    # Between two rows the exception must hold for both.
    exceptions = [exception(row) for row in rows]
    return {"regulation": whole.split(", ")[0], "table": str(rows[0]["table"]), "row": label,
            "citation": f"{whole}, {label}" if label else whole, "valid_to": min(ends) if ends else None,
            "confidence": least_sure(rows), "exception": exceptions[0] if all(exceptions) else ""}


def exception(row: Row) -> str:
    """Return the document that lets a province's row be looser than the national one; "" where there is none."""
    return str(row.get("exception_basis") or "")


# What the lookups share: one run per date, and the province beside the nation ---------------------------------------

_Lookup = Callable[..., Answer]


def by_date(
    lookup: _Lookup, tables: Sequence[str], upper: bool, on: Dates, province_folder: str | Path | None,
    **cases: ArrayLike
) -> pandas.DataFrame:
    """Run a lookup for the cases of each date, with the tables of that date; the province's where they are tighter.

    A local regulation must keep the national one (QCVN 01:2021/BXD, mục 4.1), so a looser figure of the province counts
    only where its row names the document that allows it (column ``exception_basis``).

    Parameters
    ----------
    lookup : callable
        ``lookup(tables, upper=..., **cases)`` gives an `Answer`.
    tables : sequence of str
        Names, in the order the lookup takes them.
    upper : bool
        The limit is a maximum, so that the smaller one is tighter.
    on, province_folder
        As in `norm_limits.net_density_limits`.
    cases : arrays, broadcast against one another
    """
    arrays = dict(zip(cases, np.broadcast_arrays(*[np.atleast_1d(np.asarray(case)) for case in cases.values()])))
    n = len(next(iter(arrays.values())))
    dates = np.full(n, on, dtype=object) if isinstance(on, datetime.date) else np.asarray(list(on), dtype=object)
    parts = [Answer.empty(0, upper).frame] if n == 0 else []
    for date in dict.fromkeys(dates):
        which = dates == date
        part = {key: array[which] for key, array in arrays.items()}
        national = [load_table(name, on=date) for name in tables]
        answer = lookup(national, upper=upper, **part).frame
        local = [load_table(name, on=date, province_folder=province_folder) for name in tables]
        if any(a.origin != b.origin for a, b in zip(national, local)):
            answer = _tighter(answer, lookup(local, upper=upper, **part).frame, upper)
        # A verdict names the regulation even where it sets no limit or its figures are not known.
        regulation = regulation_in_force("QCVN 01", date)
        if regulation is not None:
            answer.loc[answer["regulation"].eq(""), ["regulation", "citation"]] = regulation.number
        parts.append(answer.set_axis(np.flatnonzero(which), axis=0))
    return pandas.concat(parts).sort_index()


def _tighter(national: pandas.DataFrame, local: pandas.DataFrame, upper: bool) -> pandas.DataFrame:
    sign = 1 if upper else -1
    has, had = (frame["status"].eq(Status.LIMIT.value) for frame in (local, national))
    tighter = sign * local["strictest"] < sign * national["strictest"] - 1e-9
    taken = has & (~had | tighter | local["exception"].ne(""))
    local = local[taken].copy()
    excepted = local["exception"].ne("")
    local.loc[excepted, "citation"] += [allowed_by(document) for document in local.loc[excepted, "exception"]]
    return pandas.concat([national[~taken], local]).sort_index()


def allowed_by(document: str) -> str:
    """Say which document lets a province's figure stand beside a tighter one of the nation; to follow a citation."""
    return say(" (áp dụng theo {document})", " (as allowed by {document})").format(document=document)


def codes(kind: ArrayLike) -> NDArray[np.object_]:
    """Return codes as plain texts; null is ``""``."""
    return np.array([code.value if isinstance(code, Enum) else "" if pandas.isna(code) else str(code).strip()
                     for code in np.atleast_1d(np.asarray(kind, dtype=object))], dtype=object)


def rule_row(table: NormTable, rule: str) -> Row:
    """Return the row of a rule of `density_other_limits`."""
    return next(row for row in table.rows if row["rule"] == rule)


def described(row: Row) -> str:
    """Say what a row of `density_other_limits` is about."""
    text = say(str(row.get("description_vi") or row["description_en"]), str(row["description_en"]))
    return text[:1].lower() + text[1:]


def rules(table: NormTable, upper: bool, kind: NDArray, rule: Callable[[str], str], no_rule: str) -> Answer:
    """Answer each kind by the row ``rule(kind)``, and with ``no_rule`` where there is none."""
    answer = Answer.empty(len(kind), upper)
    rows = {row["rule"]: row for row in table.rows}
    for code in dict.fromkeys(kind):
        which = kind == code
        if not table.known:
            answer.unknown(which, table.reason)
        elif rule(code) in rows:
            row = rows[rule(code)]
            answer.put_row(which, table, row, row["max_value"], described(row))
        else:
            answer.none(which, no_rule)
    return answer
