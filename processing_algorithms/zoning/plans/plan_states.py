"""Which plans are in force on a day, and which of them answers where several cover the same ground.

Only an approved plan that no later one has replaced is in force. An overall amendment (or a new plan that names what it
replaces) ends the plan it replaces on its own approval date; a local amendment leaves its base in force and takes its
place inside its own boundary. Among plans in force the more detailed level answers, then the larger scale, then the
later approval.
"""

from __future__ import annotations

import datetime
import re
from dataclasses import dataclass
from typing import TypeVar

import pandas

from ...common.columns import whole_names
from ...common.errors import InputError, name_some, refuse_if
from ...common.language import say
from ...common.numbers_vi import format_date, parse_date
from ...provincial_database.catalogue import load_catalogue

Frame = TypeVar("Frame", bound=pandas.DataFrame)

_SCALE = re.compile(r"(?:1\s*[/:]\s*)?(\d{1,3}(?:[. ]\d{3})+|\d+)")
#: The coarsest level is 1; where two plans in force cover the same ground the higher rank answers.
LEVEL_RANK = {"general": 1, "sub_area": 2, "urban_design": 3, "detailed": 4, "short_detailed": 4}
#: Columns of the dataset `plan` that must be there; the others may be missing and then are empty.
REQUIRED = ("plan_ref", "level", "status")
_OPTIONAL = ("name", "scale", "adjustment", "replaces_ref", "appraisal_date", "approval_date", "superseded_date",
             "decision_number", "approving_agency", "publication_date", "plan_code", "dossier_code")
_DATES = ("appraisal_date", "approval_date", "superseded_date", "publication_date")


@dataclass(frozen=True)
class PlanStates:
    """The plans as they stand on a day.

    Attributes
    ----------
    table : DataFrame
        Index ``plan_ref``; the plan's own columns (dates as `datetime.date` or None) and ``level_label``,
        ``status_label``, ``in_force`` (bool), ``state`` (in_force, draft, in_appraisal, not_yet, superseded, unknown),
        ``reason`` (a sentence), ``ended`` (date or None), ``amends`` (the plan this one amends locally, or None),
        ``order`` (int: among plans in force the higher one answers; -1 for the others).
    notices : list of str
        What contradicts itself in the plans' data, as sentences.
    """

    date: datetime.date
    table: pandas.DataFrame
    notices: list[str]


def plan_states(plans: pandas.DataFrame, date: datetime.date) -> PlanStates:
    """Judge every plan on a day.

    Parameters
    ----------
    plans : DataFrame
        Dataset `plan` of the catalogue; at least plan_ref, level and status. Dates may be dates, timestamps or text.
    date : datetime.date

    Raises
    ------
    InputError
        Missing columns, plans without reference or with the same one, dates that are none, plans that replace each
        other in a circle; all told together.

    Examples
    --------
    >>> plans = pandas.DataFrame({"plan_ref": ["C", "P"], "level": ["general", "sub_area"],
    ...     "status": ["approved", "draft"], "approval_date": ["2024-06-20", None]})
    >>> plan_states(plans, datetime.date(2026, 1, 1)).table["state"].to_dict()
    {'C': 'in_force', 'P': 'draft'}
    """
    table = _usable(plans)
    notices: list[str] = []
    parent = _parents(table, notices)
    _refuse_circles(parent)
    local = {ref: base for ref, base in parent.items() if table.at[ref, "adjustment"] == "local"}
    ended = _ends(table, parent, local, notices)
    states = [_state(table.loc[ref], ended[ref], _gone_base(ref, table, local, ended), date) for ref in table.index]
    table["state"], table["reason"] = [list(column) for column in zip(*states)] if states else ([], [])
    table["in_force"] = table["state"] == "in_force"
    table["ended"] = pandas.Series(ended, dtype=object)
    table["amends"] = pandas.Series([local.get(ref) for ref in table.index], index=table.index, dtype=object)
    for ref, row in table[table["in_force"]].iterrows():
        if row["approval_date"] is None:
            notices.append(say("Đồ án {ref} ghi đã phê duyệt nhưng thiếu ngày phê duyệt; được coi là đang có hiệu lực.",
                               "Plan {ref} is approved but has no approval date; it is taken as in force.")
                           .format(ref=ref))
    table["order"] = _order(table, local)
    levels, statuses = (load_catalogue()["plan"].field(name).domain for name in ("level", "status"))
    for column, domain, label in (("level", levels, "level_label"), ("status", statuses, "status_label")):
        words = {value.code: str(value.label) for value in domain.values}
        table[label] = [words.get(code, str(code)) for code in table[column]]
    return PlanStates(date, table, notices)


def dates_of(column: pandas.Series, label: str, problems: list[str]) -> pandas.Series:
    """Return dates or None from dates, timestamps or text; what is no date is a problem."""
    found, wrong = [], []
    for value in column:
        if value is None or value is pandas.NaT or (isinstance(value, float) and value != value) or value == "":
            found.append(None)
        elif isinstance(value, datetime.datetime):
            found.append(value.date())
        elif isinstance(value, datetime.date):
            found.append(value)
        else:
            try:
                found.append(parse_date(str(value)[:10]))
            except InputError:
                found.append(None)
                wrong.append(value)
    if wrong:
        problems.append(say("Cột {column} có giá trị không phải là ngày: {values}.",
                            "Column {column} has values that are no dates: {values}.")
                        .format(column=label, values=name_some(wrong, 3)))
    return pandas.Series(found, index=column.index, dtype=object)


def refs_of(column: pandas.Series) -> pandas.Series:
    """Return references as texts or None, so that ``12``, ``12.0`` and ``" 12 "`` are the same plan.

    Examples
    --------
    >>> refs_of(pandas.Series([12.0, " QHC ", "", None])).tolist()
    ['12', 'QHC', None, None]
    """
    def text(value: object) -> str | None:
        if value is None or value is pandas.NA or value != value:
            return None
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        return str(value).strip() or None

    return pandas.Series([text(value) for value in column], index=column.index, dtype=object)


def codes_of(column: pandas.Series, dataset: str, field: str) -> pandas.Series:
    """Return the catalogue's codes where a column has them, or the words people read for them, in either language.

    Examples
    --------
    >>> codes_of(pandas.Series(["draft", "đã phê duyệt", "Superseded", "x"]), "plan", "status").tolist()
    ['draft', 'approved', 'superseded', 'x']
    """
    known = {}
    for value in load_catalogue()[dataset].field(field).domain.values:
        known.update({word.casefold(): value.code for word in (value.label.en, value.label.vi, value.code)})
    return column.map(lambda value: known.get(str(value).strip().casefold(), value) if isinstance(value, str)
                      else value)


def named_as_catalogue(frame: Frame, dataset: str) -> Frame:
    """Return a dataset with the catalogue's names where a shapefile has cut them."""
    return frame.rename(columns=whole_names(frame.columns, load_catalogue()[dataset].field_names))


def scales_of(column: pandas.Series) -> pandas.Series:
    """Return denominators where scales are written as people do; anything else stays.

    Examples
    --------
    >>> scales_of(pandas.Series(["1/2.000", "1:500", "5000", 10000, None, "lớn"])).tolist()
    ['2000', '500', '5000', 10000, None, 'lớn']
    """
    def denominator(value: object) -> object:
        found = _SCALE.fullmatch(value.strip()) if isinstance(value, str) else None
        return re.sub(r"\D", "", found[1]) if found else value

    return pandas.Series([denominator(value) for value in column], index=column.index, dtype=object)


def _usable(plans: pandas.DataFrame) -> pandas.DataFrame:
    plans = named_as_catalogue(plans, "plan")
    missing = [name for name in REQUIRED if name not in plans.columns]
    if missing:
        raise InputError(say("Lớp đồ án quy hoạch thiếu trường {fields} (tập dữ liệu plan của danh mục).",
                             "The layer of plans lacks the fields {fields} (dataset plan of the catalogue).")
                         .format(fields=", ".join(missing)))
    table = pandas.DataFrame({name: plans[name] if name in plans.columns else None
                              for name in (*REQUIRED, *_OPTIONAL)}, index=plans.index).astype(object)
    table = table.where(table.notna(), None)
    for name in ("plan_ref", "replaces_ref"):
        table[name] = refs_of(table[name])
    table["scale"] = scales_of(table["scale"])
    for name in ("level", "status", "adjustment"):
        table[name] = codes_of(table[name], "plan", name)
    problems: list[str] = []
    blank = table["plan_ref"].isna()
    if blank.any():
        problems.append(say("{n} đồ án không có ký hiệu (fid: {ids}); hãy điền trường plan_ref.",
                            "{n} plans have no reference (ids: {ids}); fill the field plan_ref.")
                        .format(n=int(blank.sum()), ids=name_some(table.index[blank])))
    twice = table["plan_ref"][~blank & table["plan_ref"].duplicated()].unique()
    if len(twice):
        problems.append(say("Ký hiệu đồ án bị trùng: {refs}; mỗi phiên bản của đồ án cần ký hiệu riêng.",
                            "Plan references occur twice: {refs}; every version of a plan needs its own.")
                        .format(refs=name_some(twice)))
    odd = sorted({str(level) for level in table["level"] if level not in LEVEL_RANK})
    if odd:
        problems.append(say("Loại quy hoạch không có trong danh mục: {values}; dùng {known}.",
                            "Levels not in the catalogue: {values}; use {known}.")
                        .format(values=name_some(odd), known=", ".join(LEVEL_RANK)))
    for name in _DATES:
        table[name] = dates_of(table[name], name, problems)
    refuse_if(problems)
    return table.set_index("plan_ref")


def _parents(table: pandas.DataFrame, notices: list[str]) -> dict[str, str]:
    """Return which plan each one replaces or amends."""
    parent = {}
    for ref, base in table["replaces_ref"].items():
        if base is None:
            if table.at[ref, "adjustment"] == "local":
                notices.append(say("Điều chỉnh cục bộ {ref} không ghi điều chỉnh đồ án nào (replaces_ref).",
                                   "Local amendment {ref} does not say which plan it amends (replaces_ref).")
                               .format(ref=ref))
        elif base in table.index:
            parent[ref] = base
        else:
            notices.append(say("Đồ án {ref} ghi thay thế {base}, nhưng không có đồ án {base} trong dữ liệu.",
                               "Plan {ref} says it replaces {base}, which is not among the plans.")
                           .format(ref=ref, base=base))
    return parent


def _refuse_circles(parent: dict[str, str]) -> None:
    for ref in parent:
        seen = [ref]
        while seen[-1] in parent:
            following = parent[seen[-1]]
            if following in seen:
                raise InputError(say("Các đồ án ghi thay thế lẫn nhau theo vòng: {refs}; hãy sửa trường replaces_ref.",
                                     "Plans replace each other in a circle: {refs}; correct the field replaces_ref.")
                                 .format(refs=" → ".join([*seen[seen.index(following):], following])))
            seen.append(following)


def _ends(
    table: pandas.DataFrame, parent: dict[str, str], local: dict[str, str], notices: list[str]
) -> dict[str, datetime.date | None]:
    """Return the day each plan ended: stated, or the approval of what replaced it, or the end of what it amends."""
    ended: dict[str, datetime.date | None] = dict(table["superseded_date"])
    for ref, base in parent.items():
        approved = table.at[ref, "approval_date"]
        if ref in local or table.at[ref, "status"] not in ("approved", "superseded") or approved is None:
            continue
        if table.at[base, "superseded_date"] is None and (ended[base] is None or approved < ended[base]):
            ended[base] = approved
        if table.at[base, "status"] == "approved":
            notices.append(say("Đồ án {base} vẫn ghi đã phê duyệt trong khi {ref} đã thay thế từ ngày {date}.",
                               "Plan {base} is still marked approved although {ref} replaced it on {date}.")
                           .format(base=base, ref=ref, date=format_date(approved)))

    def end(ref: str) -> datetime.date | None:
        # A local amendment lives no longer than the plan it amends.
        own = ended[ref]
        inherited = end(local[ref]) if ref in local else None
        approved = table.at[ref, "approval_date"]
        if inherited is not None and approved is not None and approved >= inherited:
            notices.append(say("Điều chỉnh cục bộ {ref} được phê duyệt sau khi đồ án gốc {base} đã được thay thế.",
                               "Local amendment {ref} was approved after its plan {base} had been replaced.")
                           .format(ref=ref, base=local[ref]))
            inherited = None
        return min((day for day in (own, inherited) if day is not None), default=None)

    found = {ref: end(ref) for ref in table.index}
    notices[:] = list(dict.fromkeys(notices))
    return found


def _gone_base(
    ref: str, table: pandas.DataFrame, local: dict[str, str], ended: dict[str, datetime.date | None]
) -> str | None:
    """Return the plan whose replacement, on a day not known, took this local amendment with it."""
    while ref in local:
        ref = local[ref]
        if table.at[ref, "status"] == "superseded" and ended[ref] is None:
            return ref
    return None


def _state(
    plan: pandas.Series, ended: datetime.date | None, gone_base: str | None, date: datetime.date
) -> tuple[str, str]:
    status, approved = plan["status"], plan["approval_date"]
    if status == "draft":
        return "draft", say("Dự thảo, chưa có giá trị pháp lý", "Draft, without legal force")
    if status == "in_appraisal":
        return "in_appraisal", say("Đang thẩm định, chưa có giá trị pháp lý", "In appraisal, without legal force")
    if status not in ("approved", "superseded"):
        return "unknown", say("Chưa rõ tình trạng của đồ án", "The plan's status is not known")
    if approved is not None and approved > date:
        return "not_yet", say("Phê duyệt ngày {date}, sau ngày tra cứu", "Approved on {date}, after the day asked for"
                              ).format(date=format_date(approved))
    if ended is not None and ended <= date:
        return "superseded", say("Đã được thay thế từ ngày {date}", "Superseded on {date}").format(
            date=format_date(ended))
    if status == "superseded" and ended is None:
        return "superseded", say("Đã được thay thế", "Superseded")
    if gone_base is not None and ended is None:
        return "superseded", say("Đồ án gốc {base} đã được thay thế", "Its plan {base} was superseded").format(
            base=gone_base)
    return "in_force", say("Đang có hiệu lực", "In force")


def _order(table: pandas.DataFrame, local: dict[str, str]) -> list[int]:
    """Number the plans in force so that the higher one answers."""
    keys: dict[str, tuple[float, float, datetime.date, int]] = {}

    def key(ref: str) -> tuple[float, float, datetime.date, int]:
        if ref not in keys:
            scale = pandas.to_numeric(table.at[ref, "scale"], errors="coerce")
            own = (LEVEL_RANK[table.at[ref, "level"]], -scale if scale and scale == scale else float("-inf"),
                   table.at[ref, "approval_date"] or datetime.date.min, 0)
            if ref in local:
                # An amendment stands right above what it amends, whatever scale it is drawn at.
                base = key(local[ref])
                own = (max(own[0], base[0]), max(own[1], base[1]), max(own[2], base[2]), base[3] + 1)
            keys[ref] = own
        return keys[ref]

    ranked = sorted((ref for ref in table.index if table.at[ref, "in_force"]), key=lambda ref: (*key(ref), str(ref)))
    place = {ref: position for position, ref in enumerate(ranked)}
    return [place.get(ref, -1) for ref in table.index]
