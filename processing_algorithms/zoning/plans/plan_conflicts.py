"""Where plans in force on a day overlap and say different things, plan by plan."""

from __future__ import annotations

import datetime
from dataclasses import dataclass

import geopandas
import pandas

from ...common.areas import Surface
from ...common.errors import InputError
from ...common.geometry import GeometryReport, InvalidGeometry
from ...common.language import say, speaking
from ...common.progress import Progress, silent
from ...common.workbook import Column, Sheet
from .plan_answers import plan_answers
from .plan_difference_tables import function_words
from .plan_figures import figure_label
from .plan_states import PlanStates, named_as_catalogue, plan_states, refs_of

SUMMARY_COLUMNS = ("answer_ref", "other_ref", "kind", "figure", "places", "area_m2")
_KINDS = {"function": "khác chức năng", "figure": "chỉ tiêu vượt đồ án cấp trên", "same_level": "hai đồ án cùng cấp",
          "zones_overlap": "ô chồng lấn trong một đồ án"}


@dataclass(frozen=True)
class PlanConflicts:
    """What contradicts what. Areas in m2.

    Attributes
    ----------
    places : GeoDataFrame
        `plan_contradictions.COLUMNS` with ``zone_fid`` (of the answering plan's zone) for ``parcel_fid``.
    summary : DataFrame
        See `SUMMARY_COLUMNS`; one row per pair of plans, kind and figure, the largest area first.
    states : PlanStates
    """

    places: geopandas.GeoDataFrame
    summary: pandas.DataFrame
    states: PlanStates
    tolerance_source: str
    notices: list[str]
    reports: tuple[GeometryReport, ...]


def plan_conflicts(
    plans: geopandas.GeoDataFrame,
    zones: geopandas.GeoDataFrame,
    *,
    date: datetime.date,
    tolerance_mm: float | None = None,
    surface: Surface = Surface.PLANE,
    invalid: InvalidGeometry = InvalidGeometry.REPAIR,
    progress: Progress = silent,
) -> PlanConflicts:
    """Compare the plans in force with each other.

    Each zone of a plan in force is asked, like a parcel, what plans say on its ground (`plan_answers`); kept is where
    the zone itself answers and another plan differs.

    Parameters
    ----------
    plans, zones : GeoDataFrame
        As `plan_answers` takes them.
    date : datetime.date

    Raises
    ------
    InputError
        As `plan_answers`; no plan in force on the day has zones.
    """
    zones = named_as_catalogue(zones, "zone")
    states = plan_states(plans.drop(columns=plans.geometry.name), date)
    refs = refs_of(zones["plan_ref"]) if "plan_ref" in zones.columns else pandas.Series(None, index=zones.index)
    in_force = refs.isin(states.table.index[states.table["in_force"]])
    if "plan_ref" in zones.columns and not in_force.any():
        raise InputError(say("Không đồ án nào có ô quy hoạch đang có hiệu lực vào ngày này; kiểm tra ngày và trường plan_ref.",
                             "No plan in force on this day has zones; check the day and the field plan_ref."))
    own = geopandas.GeoDataFrame(geometry=zones.geometry[in_force if "plan_ref" in zones.columns else slice(None)])
    answers = plan_answers(own, plans, zones, date=date, tolerance_mm=tolerance_mm, surface=surface, invalid=invalid,
                           progress=progress)
    places = answers.contradictions.rename(columns={"parcel_fid": "zone_fid"})
    asked = zones.assign(plan_ref=refs).loc[places["zone_fid"], ["plan_ref", "zone_code"]].to_numpy(dtype=object)
    places = places[(places[["answer_ref", "answer_zone"]].to_numpy(dtype=object) == asked).all(axis=1)]
    # Two zones of one plan that overlap are met from both sides.
    pair = [(row.kind, row.answer_ref, tuple(sorted(map(str, (row.answer_zone, row.other_zone)))))
            if row.kind == "zones_overlap" else at for at, row in enumerate(places.itertuples())]
    places = places[~pandas.Series(pair, index=places.index, dtype=object).duplicated()]
    places = places.sort_values(["answer_ref", "other_ref", "kind", "area_m2"], ascending=[True, True, True, False],
                                kind="stable", ignore_index=True)
    summary = places.fillna({"figure": ""}).groupby(["answer_ref", "other_ref", "kind", "figure"], sort=False).agg(
        places=("area_m2", "size"), area_m2=("area_m2", "sum")).reset_index()
    summary = summary.sort_values("area_m2", ascending=False, kind="stable", ignore_index=True)[list(SUMMARY_COLUMNS)]
    return PlanConflicts(places, summary, states, answers.tolerance_source, answers.notices, answers.reports[1:])


def conflict_sheets(result: PlanConflicts, *, subtitle: str) -> list[Sheet]:
    """Return the workbook's sheets, in Vietnamese: by pair of plans, then place by place."""
    with speaking("vi"):
        table, words = result.states.table, function_words()

        def name(ref: str) -> str:
            return f"{table.at[ref, 'name'] or ref} ({ref})"

        def kind(row: object) -> str:
            figure = getattr(row, "figure")
            return figure_label(figure) if figure else _KINDS[getattr(row, "kind")]

        pairs = [[number, name(row.answer_ref), name(row.other_ref), _KINDS[row.kind],
                  kind(row) if row.figure else None,
                  row.places, row.area_m2] for number, row in enumerate(result.summary.itertuples(), start=1)]
        places = [[number, row.answer_ref, row.answer_zone, row.other_ref, row.other_zone, kind(row),
                   words.get(row.answer_value, row.answer_value), words.get(row.other_value, row.other_value),
                   row.area_m2] for number, row in enumerate(result.places.itertuples(), start=1)]
        notes = [f"Sai số ghép bản đồ: {result.tolerance_source}. Chỗ không rộng hơn sai số của bản đồ tỷ lệ nhỏ hơn không kể.",
                 "Chức năng được cụ thể hóa trong ô của đồ án cấp trên (cách hiểu của phần mềm, cần xác nhận) không kể là "
                 "mâu thuẫn.", *result.notices]
        return [
            Sheet("Theo cặp đồ án",
                  [Column("STT", 0, 6), Column("Đồ án áp dụng", width=44), Column("Đồ án khác", width=44),
                                     Column("Mâu thuẫn", width=26), Column("Chỉ tiêu", width=30),
                   Column("Số chỗ", 0, 9),
                                     Column("Diện tích (m²)", 1, 15)], pairs,
                  title="RÀ SOÁT CHỒNG LẤN, MÂU THUẪN GIỮA CÁC QUY HOẠCH", subtitle=subtitle,
                  notes=notes if pairs else ["Không có.", *notes]),
            Sheet("Từng chỗ", [Column("STT", 0, 6), Column("Đồ án áp dụng", width=18), Column("Ô", width=13),
                               Column("Đồ án khác", width=18), Column("Ô", width=13), Column("Nội dung", width=30),
                               Column("Đồ án áp dụng quy định", width=24), Column("Đồ án khác quy định", width=24),
                               Column("Diện tích (m²)", 1, 14)], places, title="TỪNG CHỖ MÂU THUẪN", subtitle=subtitle,
                  frozen_columns=3)]


