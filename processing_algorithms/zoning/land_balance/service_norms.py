"""Land per person for services, green and streets, of the nation and of a province: which row holds.

A local regulation must keep the national one (QCVN 01:2021/BXD, mục 4.1). So a province's ``service_norms.csv`` adds
rows and tightens national ones; one it leaves out still holds, and a looser figure counts only where its row names the
document that allows it (column ``exception_basis``), as for density and floor-area ratio (`norm_answers.by_date`).
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from pathlib import Path

from ...common.errors import InputError, name_some
from ...common.language import say
from ...common.norms.loader import NormTable, Row, load_table
from ..compliance.norm_answers import allowed_by, exception

#: Columns with figures, and which of two is the tighter.
_FIGURES = {"land_min_m2_person": max, "relaxed_min_m2_person": max, "land_max_m2_person": min}


def service_norms(on: datetime.date, province_folder: str | Path | None = None) -> tuple[list[Row], str]:
    """Return the rows of the nation and of a province on a day, or none and the reason.

    Rows of the two about the same thing stand side by side until the population is known that chooses among them; then
    `that_hold` leaves one. With a province's table a row for several classes of towns is one row for each.

    Raises
    ------
    InputError
        The province's table cannot be read, or names functions that are not in the list.
    """
    national = load_table("service_norms", on=on)
    local = load_table("service_norms", on=on, province_folder=province_folder)
    if local.origin == national.origin:
        return [{**row, "cited": [_quoted(national, row)]} for row in national.rows], national.reason
    _refuse_unknown_functions(local)
    functions = {(row["level"], row["key"]): row["functions"] for row in national.rows}
    rows: list[Row] = []
    for table in (national, local):
        for row in table.rows:
            # A province that states another figure for a thing the nation knows need not say again what it is for.
            known = {"functions": functions.get((row["level"], row["key"])) or row["functions"]}
            for town in str(row["urban_classes"]).split() or [""]:
                own = {**row, **known, "urban_classes": town, "provincial": table is local}
                rows.append({**own, "cited": [_quoted(table, own)]})
    return rows, local.reason or national.reason


def _refuse_unknown_functions(local: NormTable) -> None:
    known = {str(row["key"]) for row in load_table("planning_land_functions", on=None).rows} | {"@civil"}
    strange = sorted({code for row in local.rows for code in str(row["functions"]).split() if code not in known})
    if strange:
        raise InputError(say("Bảng {file}: mã chức năng không có trong danh mục: {codes}.",
                             "Table {file}: functions that are not in the list: {codes}.").format(
            file=local.origin, codes=name_some(strange)))


def _quoted(table: NormTable, row: Row) -> Row:
    return {**row, "place": table.citation({**row, "row": ""})}


def that_hold(rows: Iterable[Row]) -> list[Row]:
    """Return the tighter one of national and provincial rows about the same thing, the others as they are."""
    about: dict[tuple[object, ...], list[Row]] = {}
    for row in rows:
        same = [row[name] for name in ("level", "key", "urban_classes")]
        # Rows of one table never exclude one another here: they add up.
        apart = [] if "provincial" in row else [id(row)]
        about.setdefault((*same, *apart), []).append(row)
    return [row for group in about.values() for row in _tightest(group)]


def _tightest(rows: list[Row]) -> list[Row]:
    local = [row for row in rows if row.get("provincial")]
    national = [row for row in rows if not row.get("provincial")]
    excepted = [row for row in local if exception(row)]
    if excepted or not (local and national):
        return excepted or rows
    held: dict[str, object] = dict(national[0])
    sources: dict[int, Row] = {}
    for name, tighter in _FIGURES.items():
        stated = [(value, row) for row in (*national, *local) if (value := _figure(row, name)) is not None]
        if stated:
            held[name], row = tighter(stated, key=lambda one: one[0])
            sources[id(row)] = row
    return [{**held, "cited": [quoted for row in sources.values() for quoted in row["cited"]]}]


def _figure(row: Row, name: str) -> float | None:
    value = row.get(name)
    if value is None and name == "relaxed_min_m2_person":
        value = row.get("land_min_m2_person")
    return None if value is None else float(value)


def cited(rows: Iterable[Row]) -> list[Row]:
    """Return the rows of tables that rows in force stand on."""
    return [source for row in rows for source in row["cited"]]


def citation(row: Row, name: str) -> str:
    """Quote regulation, table and row, and what allows a looser figure."""
    document = exception(row)
    return f"{row['place']}, {name}" + (allowed_by(document) if document else "")
