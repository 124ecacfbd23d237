"""The land balance against QCVN 01's land per person."""

from __future__ import annotations

import datetime
from pathlib import Path

import numpy as np
import pandas

from ...common.language import say
from ...common.norms.loader import Row, load_table, regulation_in_force
from ...common.numbers_vi import format_number
from ..compliance.norm_answers import COLUMNS, Status
from ..compliance.norm_grid import least_sure
from ..compliance.verdicts import judge
from .land_balance import LandBalance
from .service_norms import citation, cited, service_norms, that_hold

#: Classes of towns in the tables, and rural settlements, which have tables of their own.
URBAN_CLASSES = ("special", "I", "II", "III", "IV", "V")
RURAL = "rural"
#: m2 per person that do not show in print.
_NOT_PRINTED = 0.005


def balance_norms(
    balance: LandBalance, *, on: datetime.date, settlement: str = "", plan_level: str = "sub_area",
    province_folder: str | Path | None = None,
) -> pandas.DataFrame:
    """Compare the land of each function with the norms.

    Parameters
    ----------
    balance : LandBalance
    on : date
        The deciding date.
    settlement : str
        One of `URBAN_CLASSES`, `RURAL`, or "" where it is not known.
    plan_level : {"general", "sub_area", "detailed"}
        A general plan has all land of the town; a smaller one may use the town's facilities beyond its boundary, so only
        what belongs inside it can be found lacking. Land for the town and for the unit cannot be told apart on the map:
        with both it is enough, without the one that must be there it is not, between the two the verdict is open.
    province_folder : path, optional
        Of a province's own tables; the tighter figure holds, see `service_norms`.

    Returns
    -------
    DataFrame
        name, functions, area_m2, measured (m2 per person), bound ("min" or "max"), limit, limit_strictest, limit_loosest,
        margin, verdict, reason, citation, valid_to, confidence.
    """
    norms, reason = service_norms(on, province_folder)
    if not norms:
        return pandas.DataFrame([_nothing_known(reason, on)])
    rows = [row for row in norms if row["functions"] and (row["land_min_m2_person"] or row["land_max_m2_person"])
            and (row["level"] == "rural") == (settlement == RURAL)]
    found = []
    for functions in dict.fromkeys(row["functions"] for row in rows):
        group = [row for row in rows if row["functions"] == functions]
        found += _compared(balance, functions, group, settlement, plan_level)
    return pandas.DataFrame(found)


def _nothing_known(reason: str, on: datetime.date) -> dict[str, object]:
    regulation = regulation_in_force("QCVN 01", on)
    return {"name": say("Chỉ tiêu đất theo đầu người", "Land per person"), "functions": "", "area_m2": np.nan, "measured": np.nan,
            "bound": "", "limit": np.nan, "limit_strictest": np.nan, "limit_loosest": np.nan, "margin": np.nan, "verdict": "open",
            "reason": reason, "citation": regulation.number if regulation else "", "valid_to": None, "confidence": ""}


def _compared(
    balance: LandBalance, functions: str, rows: list[Row], settlement: str, plan_level: str
) -> list[dict[str, object]]:
    classes = [row for row in rows if not row["urban_classes"] or settlement in str(row["urban_classes"]).split()]
    unsure_class = settlement == "" and any(row["urban_classes"] for row in rows)
    chosen = rows if unsure_class else classes
    if not chosen:
        return []
    people = balance.population
    needed = that_hold([row for row in chosen if people is None or (
        (row["population_min"] or 0) <= people and (row["population_max"] is None or people < row["population_max"]))])
    if not needed:
        return []
    civil = functions == "@civil"
    area = balance.area_m2(group="civil") if civil else balance.area_m2(functions.split())
    measured = area / people if people else np.nan
    # Ground that may have this function too, and ground counted here that may not belong: the verdict is told only where
    # every possibility gives the same.
    more = (balance.area_m2(group="unknown") + balance.closing("gap")) / people if people else 0.0
    less = (balance.closing("overlap") + balance.closing("outside")) / people if people else 0.0
    more, less = (0.0 if extra < _NOT_PRINTED else extra for extra in (more, less))
    reasons = [say("chưa có dân số", "no population given")] if not people else []
    if unsure_class:
        reasons.append(say("chưa chọn loại đô thị", "the class of the town is not given"))
    lines = [("min", *_least(needed, plan_level, civil, unsure_class))]
    tops = [row["land_max_m2_person"] for row in needed if row["land_max_m2_person"]]
    if tops:
        lines.append(("max", min(tops), max(tops) if plan_level == "general" else np.inf,
                      "" if plan_level == "general" else _town_wide()))
    result = []
    for bound, strictest, loosest, reason in lines:
        single = strictest == loosest
        limits = pandas.DataFrame({column: [""] for column in COLUMNS}).assign(
            value=strictest if single else np.nan, strictest=strictest, loosest=loosest, status=Status.LIMIT.value,
            reason="; ".join(text for text in (*reasons, "" if single else reason) if text))
        upper = bound == "max"
        ends_of = (max(measured - less, 0.0), measured + more)
        judged = judge([ends_of[0] if upper else ends_of[1]], limits, upper=upper,
                       at_worst=[ends_of[1] if upper else ends_of[0]],
                       unit=say("m²/người", "m² per person"),
                       unmeasured=_unclear(ends_of) if people else limits["reason"].iloc[0]).iloc[0]
        margin = (limits["value"].iloc[0] - measured) * (1.0 if upper else -1.0)
        sources = cited(needed)
        ends = [row["valid_to"] for row in sources if row["valid_to"]]
        result.append({
            "name": _name(functions), "functions": "" if civil else functions, "area_m2": area, "measured": measured,
            "bound": bound, "limit": limits["value"].iloc[0], "limit_strictest": strictest,
            "limit_loosest": loosest if np.isfinite(loosest) else np.nan, "margin": margin,
            "verdict": judged["verdict"],
            "reason": judged["reason"] if judged["verdict"] == "open" else "",
            "citation": "; ".join(dict.fromkeys(citation(row, _row_name(row)) for row in sources)),
            "valid_to": min(ends) if ends else None, "confidence": least_sure(sources)})
    return result


def _unclear(ends: tuple[float, float]) -> str:
    if ends[1] - ends[0] < _NOT_PRINTED:
        return ""
    return say("từ {a} đến {b} m²/người, vì có đất chưa rõ chức năng, chưa có ô, chồng lấn hoặc ngoài ranh giới",
               "from {a} to {b} m² per person, as some land has no known function or no zone, overlaps or lies outside").format(
        a=format_number(ends[0], 2), b=format_number(ends[1], 2))


def _least(rows: list[Row], plan_level: str, civil: bool, unsure_class: bool) -> tuple[float, float, str]:
    """Return the strictest and loosest minimum of a function set, and why they differ."""

    def sums(level: str, column: str) -> tuple[float, float]:
        # Rows of several classes exclude one another; all others add up.
        own = [row for row in rows if row["level"] == level]
        always = sum(_value(row, column) for row in own if not row["urban_classes"])
        by_class = [_value(row, column) for row in own if row["urban_classes"]]
        if not by_class:
            return always, always
        return (always + min(by_class), always + max(by_class)) if unsure_class else (always + sum(by_class),) * 2

    town = sums("city", "land_min_m2_person")
    unit = sums("unit", "land_min_m2_person")
    rural = sums("rural", "land_min_m2_person")
    relaxed_town, relaxed_unit = sums("city", "relaxed_min_m2_person"), sums("unit", "relaxed_min_m2_person")
    strictest = town[1] + unit[1] + rural[1]
    if rural[1]:
        return strictest, rural[0], ""
    if plan_level == "general":
        loosest = relaxed_town[0] if town[1] else relaxed_unit[0]
        return strictest, loosest, say("gồm cả chỉ tiêu toàn đô thị và trong đơn vị ở, hoặc mức giảm theo điều kiện",
                                       "for the town and the units together, or reduced under conditions")
    loosest = relaxed_unit[0] if plan_level == "sub_area" and not civil else 0.0
    return strictest, loosest, _town_wide()


def _value(row: Row, column: str) -> float:
    value = row.get(column)
    return float(value if value is not None else row["land_min_m2_person"] or 0.0)


def _town_wide() -> str:  # noqa: N802
    return say("chỉ tiêu tính bình quân toàn đô thị; khu vực nhỏ hơn có thể dùng chung công trình ngoài ranh giới",
               "an average of the whole town; a smaller area may share facilities beyond its boundary")


def _name(functions: str) -> str:
    if functions == "@civil":
        return say("Đất dân dụng", "Civil land")
    known = {str(row["key"]): row for row in load_table("planning_land_functions", on=None).rows}
    return "; ".join(say(str(known[code]["name_vi"]), str(known[code]["name_en"])) for code in functions.split())


def _row_name(row: Row) -> str:
    """Name a row of a table by what its printed headers say."""
    name = say(str(row["name_vi"]), str(row["name_en"]))
    if row["urban_classes"]:
        classes = str(row["urban_classes"]).replace("special", say("đặc biệt", "special")).replace(" ", ", ")
        name = say("{name} (đô thị loại {classes})", "{name} (towns of class {classes})").format(
            name=str(row["name_vi"]) if name == row["name_vi"] else name.split(", class")[0], classes=classes)
    for value, vi, en in ((row["population_min"], "từ {n} dân", "from {n} people"),
                          (row["population_max"], "dưới {n} dân", "below {n} people")):
        if value is not None:
            name += ", " + say(vi, en).format(n=format_number(value))
    return name


def limit_text(row: pandas.Series) -> str:
    """Print a limit: ``≥ 4,00``, or the range it lies in."""
    sign = "≥" if row["bound"] == "min" else "≤"
    if row["limit"] == row["limit"]:
        return f"{sign} {format_number(row['limit'], 2)}"
    ends = sorted(value for value in (row["limit_strictest"], row["limit_loosest"]) if value == value)
    return f"{sign} {' đến '.join(format_number(value, 2) for value in ends)}" if ends else ""
