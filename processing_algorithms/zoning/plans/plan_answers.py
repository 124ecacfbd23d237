"""What the plans of all levels say about parcels on a day: the answer, what else there is, and what lies on top.

`plan_answers` is the one entrance; a paper for one parcel and a table of 200,000 take the same way:

>>> answers = plan_answers(parcels, plans, zones, date=datetime.date(2026, 11, 25), overlays=corridors)  # doctest: +SKIP
>>> one = answers.of(17)                                                                                 # doctest: +SKIP
>>> one.pieces[one.pieces["is_answer"]][["plan_ref", "zone_code", "function_code", "area_m2"]]           # doctest: +SKIP
>>> [figure.sentence for figure in one.figures()], one.restrictions, one.contradictions                  # doctest: +SKIP

Rules. Only plans in force on the day answer (`plan_states`). Where several do, the most detailed one answers and a local
amendment answers inside its boundary; a parcel that crosses such a boundary is cut there. Between plan levels nothing is
mixed: a looser detailed plan stays the answer, and the contradiction is listed. "The tightest applies" holds only among
the restrictions laid on top. A piece that the mismatch of two maps explains is told so, and is no split.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import geopandas
import numpy as np
import pandas
import shapely
from numpy.typing import NDArray

from ...common.areas import Surface, areas_m2, check_surface
from ...common.columns import numbers
from ...common.crs import require_crs, to_crs
from ...common.errors import InputError, name_some, noted, refuse_if
from ...common.geometry import GeometryReport, InvalidGeometry, clean
from ...common.language import say
from ...common.progress import Progress, part, silent
from ...common.slivers import tolerance_on_paper, tolerance_source
from .function_names import with_codes
from .plan_contradictions import contradictions
from .plan_figures import FIGURES, EffectiveFigure, Rows, effective_figures, rows_of
from .plan_pieces import cut_by_plans
from .plan_restrictions import lay_on_top, match_overrides
from .plan_states import PlanStates, named_as_catalogue, plan_states, refs_of, scales_of

#: Columns of `PlanAnswers.pieces`, before geometry. Figures are those of the zone, as the plan states them.
PIECE_COLUMNS = (
    "parcel_fid", "piece", "is_answer", "role", "reason", "plan_ref", "plan_name", "level", "level_label",
    "decision_number", "approval_date", "status", "status_label", "scale", "zone_fid", "zone_code", "zone_name",
    "function_code", "density_kind", *FIGURES, "area_m2", "share_pct", "within_tolerance", "tolerance_m",
    "tolerance_note")
#: Frames of `PlanAnswers` with a ``parcel_fid``.
_BY_PARCEL = ("pieces", "restrictions", "overrides", "contradictions")


@dataclass(frozen=True)
class ParcelAnswer:
    """What is known about one parcel, of the `PlanAnswers` of many; frames are cut out when they are asked for."""

    answers: PlanAnswers = field(repr=False)
    parcel_fid: object

    @property
    def summary(self) -> pandas.Series:
        """The parcel's row of `PlanAnswers.parcels`."""
        return self.answers.parcels.loc[self.parcel_fid]

    @cached_property
    def pieces(self) -> geopandas.GeoDataFrame:
        """Rows of `PlanAnswers.pieces`; likewise the others."""
        return self._own("pieces")

    @cached_property
    def restrictions(self) -> geopandas.GeoDataFrame:  # noqa: D102
        return self._own("restrictions")

    @cached_property
    def contradictions(self) -> geopandas.GeoDataFrame:  # noqa: D102
        return self._own("contradictions")

    def figures(self) -> list[EffectiveFigure]:
        """Return the effective figures of each answering piece that is more than a mismatch of maps."""
        return effective_figures(self.rows("pieces"), self.rows("restrictions"), self.rows("overrides"))

    def rows(self, name: str) -> Rows:
        """Return the rows of one of the frames, which are read many times faster than frames are cut."""
        every = self.answers.rows[name]
        return [every[at] for at in self.answers.places(name, self.parcel_fid)]

    def _own(self, name: str) -> Any:
        frame = getattr(self.answers, name).take(self.answers.places(name, self.parcel_fid))
        frame.index = pandas.RangeIndex(len(frame))
        return frame


@dataclass(frozen=True)
class PlanAnswers:
    """Answers for all parcels. Areas in m2; frames in the parcels' coordinate system.

    Attributes
    ----------
    states : PlanStates
        Every plan with its state on the day.
    parcels : DataFrame
        Index = parcel ids. ``area_m2``; ``answer_ref`` (the plan that answers for the largest part, or None);
        ``answer_pieces`` (answering pieces beyond the tolerance: 1 = not split); ``answered_m2``, ``unplanned_m2``
        (in no plan in force or in none of its zones), ``within_tolerance_m2``; ``no_building_m2``, ``limited_m2``
        (under restrictions, counted once); ``contradictions`` (number).
    pieces : GeoDataFrame
        See `PIECE_COLUMNS`; ``role`` is answer, detailed (a more detailed plan answers here), amended (a local
        amendment answers here), same_level (a later plan of the level answers here), not_in_force, or no_plan.
        Per parcel, answers and no_plan add up to the parcel (unless zones of one plan overlap), and so do all the
        pieces of a plan and what lies outside it. The answer comes first, then the more detailed plans.
    restrictions : GeoDataFrame
        parcel_fid, overlay_fid, name, constraint_type, type_label, effect, effect_label, max_height_m, legal_basis,
        decision_number, plan_ref, area_m2, share_pct, within_tolerance, tolerance_m, applies (on the day), reason.
    overrides : DataFrame
        Figures set for single parcels: parcel_fid, override_fid, plan_ref, decision_number, decision_date, legal_basis,
        function_code, density_kind, the figures, applies, reason.
    contradictions : GeoDataFrame
        parcel_fid, kind (function, figure, same_level, zones_overlap), figure, answer_ref, other_ref, answer_zone,
        other_zone, answer_value, other_value, area_m2, sentence.
    tolerance_mm : float
    tolerance_source : str
        Where the tolerance comes from, as a sentence.
    notices : list of str
        What a person should know about the data.
    reports : tuple of GeometryReport
    """

    date: datetime.date
    states: PlanStates
    parcels: pandas.DataFrame
    pieces: geopandas.GeoDataFrame
    restrictions: geopandas.GeoDataFrame
    overrides: pandas.DataFrame
    contradictions: geopandas.GeoDataFrame
    tolerance_mm: float
    tolerance_source: str
    notices: list[str]
    reports: tuple[GeometryReport, ...]

    def of(self, parcel_fid: object) -> ParcelAnswer:
        """Return what is known about one parcel; KeyError when it had no usable shape."""
        if parcel_fid not in self.parcels.index:
            raise KeyError(parcel_fid)
        return ParcelAnswer(self, parcel_fid)

    def places(self, name: str, parcel_fid: object) -> NDArray[np.intp]:
        """Return the positions of a parcel's rows in one of the frames."""
        return self._places[name].get(parcel_fid, np.zeros(0, dtype=np.intp))

    @cached_property
    def rows(self) -> dict[str, Rows]:
        """The frames as rows (`rows_of`), by name."""
        return {name: rows_of(getattr(self, name)) for name in _BY_PARCEL}

    @cached_property
    def _places(self) -> dict[str, dict[Any, NDArray[np.intp]]]:
        return {name: pandas.Series(np.arange(len(frame))).groupby(frame["parcel_fid"].to_numpy(dtype=object)).indices
                for name, frame in ((name, getattr(self, name)) for name in _BY_PARCEL)}


def plan_answers(
    parcels: geopandas.GeoDataFrame,
    plans: geopandas.GeoDataFrame,
    zones: geopandas.GeoDataFrame,
    *,
    date: datetime.date,
    overlays: geopandas.GeoDataFrame | None = None,
    overrides: geopandas.GeoDataFrame | None = None,
    tolerance_mm: float | None = None,
    surface: Surface = Surface.PLANE,
    invalid: InvalidGeometry = InvalidGeometry.REPAIR,
    progress: Progress = silent,
) -> PlanAnswers:
    """Tell what the plans say about every parcel on a day.

    Parameters
    ----------
    parcels : GeoDataFrame
        Polygons; index = feature ids. No column is needed; sheet and parcel number with the old commune help to match
        overrides.
    plans, zones, overlays, overrides : GeoDataFrame
        Datasets `plan`, `zone`, `constraint_overlay`, `parcel_override` of the catalogue (columns not needed may be
        missing: a plan needs plan_ref, level, status; a zone plan_ref, zone_code, function_code; an overlay name and
        effect; an override decision_number). Other coordinate systems are brought to that of the parcels.
    date : datetime.date
        The day asked for.
    tolerance_mm : float, optional
        Map-matching tolerance on paper; the table `map_matching_tolerance` by default. Times the plan's scale.
    surface : Surface
    invalid : InvalidGeometry

    Returns
    -------
    PlanAnswers

    Raises
    ------
    InputError
        What makes the input unusable, all told together.

    Examples
    --------
    >>> box = shapely.box
    >>> parcels = geopandas.GeoDataFrame(geometry=[box(0, 0, 20, 10)], crs="EPSG:9214")
    >>> plans = geopandas.GeoDataFrame({"plan_ref": ["QHC", "QPK"], "level": ["general", "sub_area"],
    ...     "status": ["approved"] * 2, "scale": [10000, 2000], "approval_date": ["2024-01-01", "2025-01-01"]},
    ...     geometry=[box(-99, -99, 99, 99), box(-50, -50, 10, 50)], crs="EPSG:9214")
    >>> zones = geopandas.GeoDataFrame({"plan_ref": ["QHC", "QPK"], "zone_code": ["I", "O-1"],
    ...     "function_code": ["NO", "DV"]}, geometry=list(plans.geometry), crs="EPSG:9214")
    >>> answers = plan_answers(parcels, plans, zones, date=datetime.date(2026, 1, 1))
    >>> answers.pieces[["plan_ref", "function_code", "area_m2", "role"]].values.tolist()
    [['QPK', 'DV', 100.0, 'answer'], ['QHC', 'NO', 100.0, 'answer'], ['QHC', 'NO', 100.0, 'detailed']]
    """
    source = tolerance_source(tolerance_mm)
    tolerance_mm = tolerance_on_paper()[0] if tolerance_mm is None else tolerance_mm
    names = {"parcels": say("Lớp thửa đất", "The parcel layer"), "plans": say("Lớp đồ án", "The layer of plans"),
             "zones": say("Lớp ô quy hoạch", "The zone layer"),
             "overlays": say("Lớp khu vực hạn chế", "The layer of restrictions"),
             "overrides": say("Lớp chỉ tiêu riêng của thửa", "The layer of parcel figures")}
    frames = {"parcels": parcels, "plans": plans, "zones": zones, "overlays": overlays, "overrides": overrides}
    datasets = {"plans": "plan", "zones": "zone", "overlays": "constraint_overlay", "overrides": "parcel_override"}
    frames = {key: named_as_catalogue(frame, datasets[key]) if key in datasets else frame
              for key, frame in frames.items() if frame is not None}
    needed = {"zones": ("plan_ref", "zone_code", "function_code"), "overlays": ("name", "effect"),
              "overrides": ("decision_number",)}
    states: PlanStates | None = None
    problems: list[str] = []
    for key, frame in frames.items():
        with noted(problems):
            require_crs(frame, names[key])
        missing = [name for name in needed.get(key, ()) if name not in frame.columns]
        if missing:
            problems.append(say("{name} thiếu trường {fields}.", "{name} lacks the fields {fields}.").format(
                name=names[key], fields=", ".join(missing)))
    for key, wanted in (("zones", FIGURES), ("overlays", ("max_height_m", "scale")), ("overrides", FIGURES),
                        ("plans", ("scale",))):
        if key in frames:
            frames[key] = with_codes(_numbered(frames[key], wanted, names[key], problems))
    with noted(problems):
        if parcels.crs is not None:
            check_surface(parcels.crs, surface, names["parcels"])
    with noted(problems):
        states = plan_states(frames["plans"].drop(columns=plans.geometry.name), date)
    if not 0 <= tolerance_mm < np.inf:
        problems.append(say("Sai số ghép bản đồ phải từ 0 mm trở lên.",
                            "The map-matching tolerance must be 0 mm or more."))
    refuse_if(problems)
    assert states is not None
    reports = []
    notices = list(states.notices)
    given = frames.get("overrides")
    # A plan without a drawn boundary reaches as far as its zones; an override without a shape goes by its numbers.
    for key in frames:
        kept, report = clean(frames[key], "polygon", invalid, names[key])
        reports.append(report)
        # Zones of which none is given are those a hub has around a parcel outside every plan.
        if not report.used and (key == "parcels" or key == "zones" and len(frames[key])):
            raise InputError(say("{name} không có vùng nào dùng được.", "{name} has no usable polygon.").format(
                name=names[key]))
        shaped = kept if kept.crs is None else to_crs(kept, parcels.crs)
        frames[key] = shaped.set_geometry(_flat(shaped), crs=parcels.crs) if len(shaped) else shaped
    progress(0.03)

    parcels = frames["parcels"]
    parcel_area = areas_m2(parcels.geometry.array, parcels.crs, surface)
    pieces = cut_by_plans(parcels, parcel_area, frames["plans"], frames["zones"], states, tolerance_mm, surface,
                          notices, part(progress, 0.03, 0.75))
    restrictions, covered = lay_on_top(parcels, parcel_area, frames.get("overlays"), states, tolerance_mm, surface,
                                       part(progress, 0.75, 0.9))
    matched = match_overrides(parcels, parcel_area, given, frames.get("overrides"), states, notices)
    found = contradictions(pieces, surface)
    progress(0.97)
    summary = _summary(parcels.index, parcel_area, pieces, covered, found)
    progress(1.0)
    return PlanAnswers(date, states, summary, pieces, restrictions, matched, found, tolerance_mm, source, notices,
                       tuple(reports))


def _numbered(
    frame: geopandas.GeoDataFrame, wanted: Iterable[str], name: str, problems: list[str]
) -> geopandas.GeoDataFrame:
    """Read columns of figures as numbers, also where they are texts such as ``"3,5"``, and references as texts."""
    read = {}
    for column in wanted:
        if column in frame.columns:
            stated = frame[column]
            if column == "scale" and stated.dtype == object:
                stated = scales_of(stated)
            read[column], wrong = numbers(stated)
            if wrong:
                problems.append(say("{name}, trường {column}: không phải là số: {values}.",
                                    "{name}, field {column}: no numbers: {values}.").format(
                    name=name, column=column, values=name_some(wrong, 3)))
    if "plan_ref" in frame.columns:
        read["plan_ref"] = refs_of(frame["plan_ref"])
    return frame.assign(**read)


def _flat(frame: geopandas.GeoDataFrame) -> NDArray[np.object_]:
    shapes = np.asarray(frame.geometry.array, dtype=object)
    return shapely.force_2d(shapes) if shapely.has_z(shapes).any() else shapes


def _summary(
    ids: pandas.Index, area: NDArray[np.float64], pieces: geopandas.GeoDataFrame,
    covered: dict[str, NDArray[np.float64]], found: pandas.DataFrame,
) -> pandas.DataFrame:
    summary = pandas.DataFrame({"area_m2": area}, index=ids)
    answers = pieces[pieces["is_answer"]]
    broad = answers[~answers["within_tolerance"]]

    def total(rows: pandas.DataFrame) -> pandas.Series:
        return rows.groupby("parcel_fid")["area_m2"].sum().reindex(ids).fillna(0.0)

    # What the mismatch of maps explains decides only where there is nothing else.
    largest = answers.assign(broad=~answers["within_tolerance"]).groupby(["parcel_fid", "plan_ref", "broad"])["area_m2"]
    largest = largest.sum().reset_index().sort_values(["broad", "area_m2"], kind="stable")
    largest = largest.drop_duplicates("parcel_fid", keep="last")
    summary["answer_ref"] = largest.set_index("parcel_fid")["plan_ref"].reindex(ids).astype(object)
    summary["answer_ref"] = summary["answer_ref"].where(summary["answer_ref"].notna(), None)
    summary["answer_pieces"] = broad.groupby("parcel_fid").size().reindex(ids).fillna(0).astype(int)
    summary["answered_m2"] = total(answers[answers["zone_fid"].notna()])
    summary["unplanned_m2"] = total(pieces[(pieces["role"] == "no_plan")
                                           | (pieces["is_answer"] & pieces["zone_fid"].isna())])
    summary["within_tolerance_m2"] = total(pieces[pieces["within_tolerance"]
                                                  & (pieces["is_answer"] | (pieces["role"] == "no_plan"))])
    for name, values in covered.items():
        summary[name] = values
    summary["contradictions"] = found.groupby("parcel_fid").size().reindex(ids).fillna(0).astype(int)
    return summary
