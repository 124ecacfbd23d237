"""The control figures that hold on a piece of a parcel, each with the reason it holds.

A figure comes from the answering plan, is replaced by what was decided for the parcel alone (an override), and is
limited by restrictions laid on top; among those the tightest applies, on the part they cover.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas
import shapely

from ..common.language import say
from ..common.numbers_vi import format_date, format_number
from ..provincial_database.catalogue import load_catalogue

#: Control figures of a zone (field names of the catalogue's `zone`): decimals, and what tightens them.
FIGURES = {
    "max_density_pct": (1, min), "min_storeys": (0, max), "max_storeys": (0, min), "min_height_m": (1, max),
    "max_height_m": (1, min), "max_far": (2, min), "setback_m": (1, max), "max_depth_m": (1, min),
    "population": (0, min)}
#: Printed after the value.
_UNITS = {"max_density_pct": ("%", "%"), "min_storeys": ("tầng", "storeys"), "max_storeys": ("tầng", "storeys"),
          "max_far": ("lần", "times"), "population": ("người", "persons")}
#: Shares of a piece this close to all of it are the rounding of coordinates.
_WHOLE = 1 - 1e-6


@dataclass(frozen=True)
class EffectiveFigure:
    """One figure on one answering piece of a parcel.

    Attributes
    ----------
    piece : int
        ``piece`` of the answering row of `PlanAnswers.pieces`.
    plan_ref, zone_code : str
    name : str
        One of `FIGURES`, or ``building`` where building is forbidden or depends on conditions.
    label : str
        With the kind of density, which is never compared across kinds.
    value : float or None
        None for ``building``.
    unit : str
    plan_value : float or None
        What the plan itself states.
    source : str
        plan, override or restriction.
    area_m2 : float
        Where it holds; less than the piece for a restriction on a part.
    whole : bool
        It holds on the whole piece.
    reason : str
    """

    piece: int
    plan_ref: str
    zone_code: str | None
    name: str
    label: str
    value: float | None
    unit: str
    plan_value: float | None
    source: str
    area_m2: float
    whole: bool
    reason: str

    @property
    def value_text(self) -> str:
        """Return the value as printed, with its unit."""
        return figure_text(self.name, self.value) if self.value is not None else ""

    @property
    def sentence(self) -> str:
        """Return label, value and reason in one line."""
        where = "" if self.whole else say(" (trên {a} m²)", " (on {a} m²)").format(a=format_number(self.area_m2, 1))
        value = f": {self.value_text}" if self.value is not None else ""
        return f"{self.label}{value}{where}. {self.reason}"


def figure_text(name: str, value: float) -> str:
    """Write a figure with its unit.

    Examples
    --------
    >>> figure_text("max_density_pct", 62.5), figure_text("max_far", 3.0), figure_text("max_storeys", 5)
    ('62,5 %', '3 lần', '5 tầng')
    """
    decimals, _ = FIGURES[name]
    number = format_number(value, decimals)
    if "," in number:
        number = number.rstrip("0").rstrip(",")
    return f"{number} {unit_of(name)}"


def unit_of(name: str) -> str:
    """Return the unit people read."""
    return say(*_UNITS[name]) if name in _UNITS else "m"


def figure_label(name: str, density_kind: str | None = None) -> str:
    """Name a figure; a density with its kind."""
    zone = load_catalogue()["zone"]
    label = str(zone.field(name).label)
    if name == "max_density_pct":
        kinds = {value.code: str(value.label) for value in zone.field("density_kind").domain.values}
        if density_kind in kinds:
            return say("{kind} tối đa", "Maximum {kind}").format(
                kind=kinds[density_kind] if say("vi", "en") == "vi" else kinds[density_kind].lower())
    return label


def plan_words(row: pandas.Series) -> str:
    """Name a plan as a reason does: level, name, decision and date."""
    name = row["plan_name"] or row["plan_ref"]
    words = name if str(name).lower().startswith("quy hoạch") else f"{row['level_label']} {name}"
    if row["decision_number"]:
        words += say(", Quyết định số {n}", ", Decision {n}").format(n=row["decision_number"])
        if row["approval_date"] is not None:
            words += say(" ngày {d}", " of {d}").format(d=format_date(row["approval_date"]))
    return words


def effective_figures(
    pieces: pandas.DataFrame, restrictions: pandas.DataFrame, overrides: pandas.DataFrame
) -> list[EffectiveFigure]:
    """Return the figures of one parcel's answering pieces.

    Parameters
    ----------
    pieces, restrictions, overrides : frames of `plan_answers.ParcelAnswer`
        Pieces the mismatch of maps explains are left out, unless the parcel has no other answer.

    Returns
    -------
    list of EffectiveFigure
        By piece, in the order of `FIGURES`; what a restriction limits on a part follows the figure of the whole.
    """
    answers = pieces[pieces["is_answer"] & pieces["zone_fid"].notna()]
    if (~answers["within_tolerance"]).any():
        answers = answers[~answers["within_tolerance"]]
    on_top = restrictions[restrictions["applies"] & ~restrictions["within_tolerance"]]
    own = overrides[overrides["applies"].astype(bool)]
    figures: list[EffectiveFigure] = []
    for _, row in answers.iterrows():
        figures.extend(_of_piece(row, on_top, own[own["plan_ref"].isna() | (own["plan_ref"] == row["plan_ref"])]))
    return figures


def _of_piece(row: pandas.Series, on_top: pandas.DataFrame, own: pandas.DataFrame) -> list[EffectiveFigure]:
    covers = _covers(row, on_top)
    found = []
    for name in FIGURES:
        stated = _number(row[name])
        value, source, kind = stated, "plan", row["density_kind"]
        reason = plan_words(row)
        for _, override in own.iterrows():
            if _number(override[name]) is not None:
                value, source = _number(override[name]), "override"
                kind = override["density_kind"] or kind
                reason = _override_reason(override, name, stated)
        common = {"piece": int(row["piece"]), "plan_ref": row["plan_ref"], "zone_code": row["zone_code"], "name": name,
                  "label": figure_label(name, kind), "unit": unit_of(name), "plan_value": stated}
        tighter = _tighter(name, value, covers)
        whole = [item for item in tighter if item[3]]
        if whole:
            value, source = whole[0][0], "restriction"
            reason = _restriction_reason(whole[0][2], name, stated)
            tighter = [item for item in tighter if not item[3] and FIGURES[name][1](item[0], value) != value]
        if value is not None:
            found.append(EffectiveFigure(**common, value=value, source=source, area_m2=float(row["area_m2"]),
                                         whole=True, reason=reason))
        for limit, area, restriction, _ in tighter:
            found.append(EffectiveFigure(**common, value=limit, source="restriction", area_m2=area, whole=False,
                                         reason=_restriction_reason(restriction, name, stated)))
    for area, restriction, whole_piece in covers:
        if restriction["effect"] in ("no_building", "limited"):
            found.append(EffectiveFigure(
                piece=int(row["piece"]), plan_ref=row["plan_ref"], zone_code=row["zone_code"], name="building",
                label=restriction["effect_label"], value=None, unit="", plan_value=None, source="restriction",
                area_m2=area, whole=whole_piece, reason=_basis(restriction)))
    return found


def _covers(row: pandas.Series, on_top: pandas.DataFrame) -> list[tuple[float, pandas.Series, bool]]:
    """Return each restriction with its area on the piece and whether it covers all of it."""
    found = []
    plane = shapely.area(row["geometry"])
    for _, restriction in on_top.iterrows():
        common = shapely.area(shapely.intersection(row["geometry"], restriction["geometry"]))
        if common > 1e-6 * plane:
            found.append((float(row["area_m2"]) * common / plane, restriction, bool(common >= _WHOLE * plane)))
    return found


def _tighter(
    name: str, value: float | None, covers: list[tuple[float, pandas.Series, bool]]
) -> list[tuple[float, float, pandas.Series, bool]]:
    """Return what restrictions limit further than the figure does, the tightest first."""
    if name != "max_height_m":
        return []
    limits = [(limit, area, restriction, whole) for area, restriction, whole in covers
              if (limit := _number(restriction["max_height_m"])) is not None and (value is None or limit < value)]
    return sorted(limits, key=lambda item: (item[0], -item[1]))


def _override_reason(override: pandas.Series, name: str, stated: float | None) -> str:
    reason = say("Chỉ tiêu riêng của thửa theo văn bản {n}", "Set for this parcel by document {n}").format(
        n=override["decision_number"])
    if override["decision_date"] is not None:
        reason += say(" ngày {d}", " of {d}").format(d=format_date(override["decision_date"]))
    return reason + _instead(name, stated)


def _restriction_reason(restriction: pandas.Series, name: str, stated: float | None) -> str:
    return _basis(restriction) + _instead(name, stated)


def _basis(restriction: pandas.Series) -> str:
    words = [str(restriction["name"])]
    words += [str(restriction[name]) for name in ("legal_basis", "decision_number") if restriction[name]]
    return "; ".join(words)


def _instead(name: str, stated: float | None) -> str:
    if stated is None:
        return ""
    return say("; đồ án quy định {v}", "; the plan states {v}").format(v=figure_text(name, stated))


def _number(value: Any) -> float | None:
    number = pandas.to_numeric(value, errors="coerce")
    return None if number is None or number != number else float(number)
