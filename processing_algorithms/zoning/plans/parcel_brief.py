"""What is told about one parcel while the citizen waits: the answer plan by plan, figures, restrictions, compliance.

The same answers as in the paper (`plan_answers`) and the same checks as in the list of a control (`zoning_compliance`), as sentences
to be read on a screen.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

import geopandas
import numpy as np
import pandas
import shapely

from ...common.crs import meridian_label, require_crs, require_metric, to_crs
from ...common.errors import InputError
from ...common.language import say
from ...common.numbers_vi import format_date, format_number
from ...common.rounding import round_closed
from ...provincial_database.catalogue import load_catalogue
from ..compliance.verdicts import Verdict
from ..compliance.zoning_compliance import ZoningCompliance, zoning_compliance
from .map_accuracy import point_error
from .plan_answers import ParcelAnswer, PlanAnswers, plan_answers
from .plan_figures import plan_words
from .plan_sources import PlanSources

#: Scale of cadastral maps where a parcel states none.
_SCALE = 500.0
#: Buildings and roads so far around a parcel take part in its checks, m.
AROUND_M = 80.0


class Mark(Enum):
    """What a line is to the eye."""

    PLAIN = "plain"
    ANSWER = "answer"
    ASIDE = "aside"
    GOOD = "good"
    BAD = "bad"
    OPEN = "open"


@dataclass(frozen=True)
class Line:
    """One sentence, and its reason."""

    text: str
    reason: str = ""
    mark: Mark = Mark.PLAIN


@dataclass(frozen=True)
class Section:
    """Lines under a heading."""

    title: str
    lines: list[Line]


@dataclass(frozen=True)
class Brief:
    """What is known of one parcel on a day.

    Attributes
    ----------
    title : str
    sections : list of Section
        The land; the answer of the plans; figures; restrictions; what contradicts; compliance; what to know of the data.
    broken, open : int
        Checks that do not comply, and those for which grounds lack.
    """

    title: str
    date: datetime.date
    sections: list[Section]
    broken: int
    open: int

    def text(self) -> str:
        """Return all of it as plain text, to be pasted in a message."""
        lines = [self.title, say("Ngày tra cứu: {d}", "Day: {d}").format(d=format_date(self.date))]
        for section in self.sections:
            lines += ["", section.title.upper()]
            lines += [f"- {line.text}" + (f" ({line.reason})" if line.reason else "") for line in section.lines]
        return "\n".join(lines)


def parcel_brief(
    parcel: geopandas.GeoDataFrame,
    sources: PlanSources,
    *,
    date: datetime.date,
    buildings: geopandas.GeoDataFrame | None = None,
    roads: geopandas.GeoDataFrame | None = None,
    by_corners: bool = False,
) -> Brief:
    """Tell what is known about one parcel.

    Parameters
    ----------
    parcel : GeoDataFrame
        One row, in metres, with what is known of `paper_inputs.PARCEL_FIELDS`, and ``map_scale``.
    sources : PlanSources
        Plans and what lies around the parcel.
    buildings, roads : GeoDataFrame, optional
        Around the parcel; without buildings compliance is not told.
    by_corners : bool
        The parcel is pasted corners, without number.

    Raises
    ------
    InputError
        As `plan_answers`; the parcel has no shape.

    Examples
    --------
    >>> parcel_brief(parcel, sources, date=datetime.date(2026, 11, 25)).sections[1].lines[0].text   # doctest: +SKIP
    'Ô NO-89, Đất nhóm nhà ở (NO): 547,5 m² (99,6 %)'
    """
    name = say("Thửa đất", "The parcel")
    crs = require_crs(parcel, name)
    require_metric(crs, name)
    if parcel.geometry.isna().any() or parcel.geometry.is_empty.any():
        raise InputError(say("Thửa đất không có hình trên bản đồ.", "The parcel has no shape on the map."))
    answers = plan_answers(
        parcel, sources.plans, sources.zones, date=date, overlays=sources.overlays, overrides=sources.overrides
    )
    fid = parcel.index[0]
    answer = answers.of(fid)
    known = {column: parcel[column].iloc[0] for column in parcel.columns if column != parcel.geometry.name}
    checked = None
    if buildings is not None and len(buildings):
        checked = _compliance(parcel, known, buildings, roads, sources, date)
    sections = [
        Section(say("Thửa đất", "The land"), _land(known, answer, meridian_label(crs), sources.communes)),
        Section(say("Quy hoạch tại vị trí này", "The plans here"), _plans(answers, answer)),
        Section(say("Chỉ tiêu sử dụng đất quy hoạch", "Control figures"), _figures(answer)),
        Section(say("Khu vực hạn chế, khống chế xây dựng", "Restrictions"), _restrictions(answer)),
        Section(say("Các quy hoạch nói khác nhau", "Where plans differ"), [Line(f"{s}.", mark=Mark.BAD) for s in answer.contradictions["sentence"]]),
        Section(say("Công trình hiện có so với quy hoạch, quy chuẩn", "Buildings against plan and regulation"), _told(checked, buildings)),
        Section(say("Cần biết về dữ liệu", "About the data"), [Line(notice, mark=Mark.ASIDE) for notice in answers.notices]),
    ]
    counts = (0, 0) if checked is None else (checked.count(Verdict.BROKEN), checked.count(Verdict.OPEN))
    return Brief(
        _title(known, sources.communes, by_corners), date, [section for section in sections if section.lines], *counts
    )


def _title(known: Mapping[str, Any], communes: Mapping[str, str], by_corners: bool) -> str:
    number, sheet = _said(known.get("parcel_no")), _said(known.get("sheet_no"))
    if by_corners or not number:
        return (
            say("Khu đất theo tọa độ đã dán", "Land by pasted corners")
            if by_corners
            else say("Thửa đất chưa có số hiệu", "Parcel without number")
        )
    words = [say("Thửa đất số {n}, tờ bản đồ số {s}", "Parcel {n}, map sheet {s}").format(n=number, s=sheet or "…")]
    for column, old in (("old_commune_code", True), ("commune_code", False)):
        code = _said(known.get(column))
        if code:
            place = communes.get(code, code)
            words.append(say("{place} (cũ)", "{place} (former)").format(place=place) if old else place)
    return ", ".join(words)


def _said(value: object) -> str:
    return "" if value is None or pandas.isna(value) else str(value).removesuffix(".0").strip()


def _land(known: Mapping[str, Any], answer: ParcelAnswer, meridian: str, communes: Mapping[str, str]) -> list[Line]:
    lines = []
    code = _said(known.get("land_code"))
    if code:
        kinds = {value.code: str(value.label) for value in load_catalogue()["parcel"].field("land_code").domain.values}
        lines.append(
            Line(
                say("Loại đất: {kind}", "Land type: {kind}").format(
                    kind=f"{kinds[code]} ({code})" if code in kinds else code
                )
            )
        )
    if address := _said(known.get("address")):
        lines.append(Line(say("Địa chỉ: {address}", "Address: {address}").format(address=address)))
    legal = (
        pandas.to_numeric(known.get("legal_area_m2"), errors="coerce")
        if known.get("legal_area_m2") is not None
        else np.nan
    )
    measured = format_number(float(answer.summary["area_m2"]), 1)
    lines.append(Line(
        say("Diện tích theo giấy tờ: {a} m²; đo trên bản đồ: {b} m²", "Legal area: {a} m2; measured on the map: {b} m2").format(
            a=format_number(float(legal), 1), b=measured) if np.isfinite(legal) else
        say("Diện tích đo trên bản đồ: {b} m² (giấy tờ: không có trong dữ liệu)", "Measured on the map: {b} m2 (legal area: not in the data)").format(b=measured)))
    lines.append(Line(meridian, mark=Mark.ASIDE))
    return lines


def _plans(answers: PlanAnswers, answer: ParcelAnswer) -> list[Line]:
    """One heading line for each plan and one for each piece; answers first, then the other levels with why they do not answer."""
    pieces = answer.pieces
    functions = {
        value.code: str(value.label) for value in load_catalogue()["zone"].field("function_code").domain.values
    }
    lines: list[Line] = []
    answering = pieces[pieces["is_answer"]]
    if not len(answering):
        lines.append(Line(say("Không có đồ án đã phê duyệt, đang có hiệu lực nào tại đây trong dữ liệu.",
                              "No approved plan in force lies here in the data."), mark=Mark.OPEN))
    for answers_here, some in ((True, answering), (False, pieces[~pieces["is_answer"] & pieces["plan_ref"].notna()])):
        for ref in dict.fromkeys(some["plan_ref"]):
            own = some[some["plan_ref"] == ref]
            reasons = [text for text in dict.fromkeys(own["reason"]) if text]
            lead = say("Câu trả lời", "The answer") if answers_here else say("Để tham khảo", "For reference")
            words = plan_words(own.iloc[0])
            level = own["level_label"].iloc[0]
            if level and not words.lower().startswith(str(level).lower()):
                words = f"{level}: {words}"
            lines.append(Line(f"{lead}: {words}", "; ".join(reasons), Mark.ANSWER if answers_here else Mark.ASIDE))
            zoned = own[own["zone_code"].notna()]
            areas = round_closed([float(a) for a in zoned["area_m2"]], 1) if len(zoned) else []
            for (_, piece), area in zip(zoned.iterrows(), areas):
                code = piece["function_code"]
                what = f"{functions[code]} ({code})" if code in functions else _said(code)
                text = say("Ô {zone}, {what}: {a} m² ({s} %)", "Zone {zone}, {what}: {a} m2 ({s} %)").format(
                    zone=piece["zone_code"],
                    what=what,
                    a=format_number(float(area), 1),
                    s=format_number(float(piece["share_pct"]), 1),
                )
                lines.append(
                    Line(
                        text,
                        piece["tolerance_note"] or "",
                        Mark.ASIDE if piece["within_tolerance"] or not answers_here else Mark.PLAIN,
                    )
                )
    rest = pieces[(pieces["role"] == "no_plan") & ~pieces["within_tolerance"]]["area_m2"].sum()
    if rest > 0 and len(answering):
        lines.append(Line(say("{a} m² không thuộc đồ án nào đang có hiệu lực", "{a} m2 in no plan in force").format(a=format_number(float(rest), 1)), mark=Mark.OPEN))
    return lines


def _figures(answer: ParcelAnswer) -> list[Line]:
    lines = []
    figures = answer.figures()
    several = len({figure.piece for figure in figures}) > 1
    for figure in figures:
        where = say("Ô {z}: ", "Zone {z}: ").format(z=figure.zone_code) if several and figure.zone_code else ""
        on = "" if figure.whole else say(" (trên {a} m²)", " (on {a} m2)").format(a=format_number(figure.area_m2, 1))
        value = f": {figure.value_text}" if figure.value is not None else ""
        plain = figure.source == "plan"
        # The decision of the plan stands above; here its reference is enough.
        reason = say("theo đồ án {ref}", "as in the plan {ref}").format(ref=figure.plan_ref) if plain else figure.reason
        lines.append(Line(f"{where}{figure.label}{value}{on}", reason, Mark.PLAIN if plain else Mark.BAD))
    return lines or [
        Line(
            say("Đồ án không có chỉ tiêu cho vị trí này trong dữ liệu.", "The plan has no figures here in the data."),
            mark=Mark.ASIDE,
        )
    ]


def _restrictions(answer: ParcelAnswer) -> list[Line]:
    lines = []
    for _, row in answer.restrictions.iterrows():
        height = (
            ""
            if pandas.isna(row["max_height_m"])
            else say(", cao tối đa {h} m", ", at most {h} m high").format(
                h=format_number(float(row["max_height_m"]), 1)
            )
        )
        text = say("{name}: {effect}{height}, {a} m² ({s} %)", "{name}: {effect}{height}, {a} m2 ({s} %)").format(
            name=row["name"],
            effect=row["effect_label"] or row["effect"],
            height=height,
            a=format_number(float(row["area_m2"]), 1),
            s=format_number(float(row["share_pct"]), 1),
        )
        reasons = [_said(row["legal_basis"]), _said(row["decision_number"])]
        if not row["applies"]:
            reasons = [_said(row["reason"])]
        if row["within_tolerance"]:
            reasons.append(say("trong hạn sai ghép bản đồ {t} m, xác định tại thực địa", "within the map-matching tolerance of {t} m, to be settled on the spot")
                           .format(t=format_number(float(row["tolerance_m"]), 2)))
        mark = Mark.BAD if row["applies"] and not row["within_tolerance"] else Mark.ASIDE
        lines.append(Line(text, "; ".join(dict.fromkeys(reason for reason in reasons if reason)), mark))
    return lines or [Line(say("Không có khu vực hạn chế nào trong dữ liệu tại vị trí này.", "No restriction lies here in the data."), mark=Mark.GOOD)]


def _compliance(
    parcel: geopandas.GeoDataFrame,
    known: Mapping[str, Any],
    buildings: geopandas.GeoDataFrame,
    roads: geopandas.GeoDataFrame | None,
    sources: PlanSources,
    date: datetime.date,
) -> ZoningCompliance | None:
    around = parcel.geometry.iloc[0]
    here = to_crs(buildings, parcel.crs)
    if not shapely.intersects(np.asarray(here.geometry.array, dtype=object), around).any():
        return None
    scale = pandas.to_numeric(known.get("map_scale"), errors="coerce") if known.get("map_scale") is not None else np.nan
    error = point_error(float(scale) if np.isfinite(scale) else _SCALE)[0]
    lot = parcel[[parcel.geometry.name]].assign(label=_said(known.get("parcel_no")) or "1")
    return zoning_compliance(lot, here, sources.zones, roads, on=date, error_m=error, plans=sources.plans)


def _told(checked: ZoningCompliance | None, buildings: geopandas.GeoDataFrame | None) -> list[Line]:
    if checked is None:
        return [] if buildings is None else [Line(say("Không có công trình nào trên thửa trong dữ liệu.", "No building stands on the parcel in the data."), mark=Mark.ASIDE)]
    marks = {Verdict.BROKEN.value: Mark.BAD, Verdict.OPEN.value: Mark.OPEN, Verdict.KEPT.value: Mark.GOOD}
    order = list(marks)
    rows = checked.checks[checked.checks["verdict"].isin(order)]
    rows = rows.assign(rank=rows["verdict"].map(order.index)).sort_values("rank", kind="stable")
    lines = []
    for _, row in rows.iterrows():
        unit = _said(row["unit"])
        measured = "" if pandas.isna(row["measured"]) else f" {format_number(float(row['measured']), 2).rstrip('0').rstrip(',')} {unit}".rstrip()
        limit = (
            ""
            if pandas.isna(row["limit"])
            else say(" (giới hạn {x} {u})", " (limit {x} {u})").format(
                x=format_number(float(row["limit"]), 2).rstrip("0").rstrip(","), u=unit
            )
        )
        verdict = str(row["verdict_text"])
        text = f"{verdict[:1].upper()}{verdict[1:]}: {row['check']}{measured}{limit}"
        reason = (
            _said(row["citation"])
            if row["verdict"] == Verdict.KEPT.value
            else "; ".join(part for part in (_said(row["reason"]), _said(row["citation"])) if part)
        )
        lines.append(Line(text, reason, marks[row["verdict"]]))
    return lines
