"""The control figures that hold on a piece of a parcel, each with the reason it holds.

A figure comes from the answering plan, is replaced by what was decided for the parcel alone (an override), and is
limited by restrictions laid on top; among those the tightest applies, on the part they cover.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import pandas
import shapely

from ...common.language import say
from ...common.numbers_vi import format_date, format_number
from ...common.overlay import common_pieces
from ...provincial_database.catalogue import load_catalogue

Row = Mapping[str, Any]
Rows = list[Row]
#: A restriction on a piece: its area there (m2), its row, and whether it covers the whole piece.
_Cover = tuple[float, Row, bool]

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
        One of `FIGURES`; ``function`` where the parcel's function was decided for it alone; ``building`` where building
        is forbidden or depends on conditions.
    label : str
        With the kind of density, which is never compared across kinds.
    value : float or None
        None for ``function`` and ``building``, whose label tells all.
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


def plan_words(row: Row) -> str:
    """Name a plan as a reason does: level, name, decision and date."""
    name = row["plan_name"] or row["plan_ref"]
    words = name if str(name).lower().startswith("quy hoạch") else f"{row['level_label']} {name}"
    if row["decision_number"]:
        words += say(", Quyết định số {n}", ", Decision {n}").format(n=row["decision_number"])
        if row["approval_date"] is not None:
            words += say(" ngày {d}", " of {d}").format(d=format_date(row["approval_date"]))
    return words


def effective_figures(pieces: Rows, restrictions: Rows, overrides: Rows) -> list[EffectiveFigure]:
    """Return the figures of one parcel's answering pieces; see `figures_of_parcels`."""
    return [figure for _, figure in figures_of_parcels(pieces, restrictions, overrides)]


def figures_of_parcels(pieces: Rows, restrictions: Rows, overrides: Rows) -> Iterator[tuple[Any, EffectiveFigure]]:
    """Yield the figures of the answering pieces of many parcels, each with its ``parcel_fid``.

    Parameters
    ----------
    pieces, restrictions, overrides : list of mapping
        `rows_of` the frames of `plan_answers.PlanAnswers`. Pieces the mismatch of maps explains are left out, unless the
        parcel has no other answer.

    Yields
    ------
    parcel_fid, EffectiveFigure
        By piece, in the order of the pieces and of `FIGURES`; what a restriction limits on a part follows the figure of
        the whole.
    """
    answers = [row for row in pieces if row["is_answer"] and not _missing(row["zone_fid"])]
    broad = {row["parcel_fid"] for row in answers if not row["within_tolerance"]}
    answers = [row for row in answers if not row["within_tolerance"] or row["parcel_fid"] not in broad]
    on_top = _by_parcel(row for row in restrictions if row["applies"] and not row["within_tolerance"])
    own = _by_parcel(row for row in overrides if row["applies"])
    words = _Words()
    for row, covers in zip(answers, _covers(answers, on_top)):
        mine = [one for one in own.get(row["parcel_fid"], ()) if one["plan_ref"] in (None, row["plan_ref"])]
        for figure in _of_piece(row, covers, mine, words):
            yield row["parcel_fid"], figure


def rows_of(frame: pandas.DataFrame) -> Rows:
    """Return a frame as rows, which are read many times faster than frames are cut."""
    columns = [np.asarray(frame[name], dtype=object) if frame[name].dtype.kind not in "biuf" else frame[name]
               for name in frame.columns]
    return [dict(zip(frame.columns, values)) for values in zip(*(column.tolist() for column in columns))]


def _by_parcel(rows: Iterable[Row]) -> dict[Any, Rows]:
    groups: dict[Any, Rows] = {}
    for row in rows:
        groups.setdefault(row["parcel_fid"], []).append(row)
    return groups


class _Words:
    """Texts that many figures share, each put together once, in the language spoken."""

    def __init__(self) -> None:
        self.label, self.unit = lru_cache(maxsize=None)(figure_label), lru_cache(maxsize=None)(unit_of)
        self._plans: dict[Any, str] = {}

    def plan(self, row: Row) -> str:
        if row["plan_ref"] not in self._plans:
            self._plans[row["plan_ref"]] = plan_words(row)
        return self._plans[row["plan_ref"]]


def _of_piece(row: Row, covers: list[_Cover], own: Rows, words: _Words) -> Iterator[EffectiveFigure]:
    yield from (_function(row, override) for override in [one for one in own if one["function_code"]][-1:])
    piece = {"piece": int(row["piece"]), "plan_ref": row["plan_ref"], "zone_code": row["zone_code"]}
    for name in FIGURES:
        stated = _number(row[name])
        value, source, kind = stated, "plan", row["density_kind"]
        override = next((one for one in reversed(own) if _number(one[name]) is not None), None)
        if override is not None:
            value, source, kind = _number(override[name]), "override", override["density_kind"] or kind
        tighter = _tighter(name, value, covers)
        whole = next((item for item in tighter if item[3]), None)
        if whole is not None:
            value, source = whole[0], "restriction"
            tighter = [item for item in tighter if not item[3] and FIGURES[name][1](item[0], value) != value]
        if value is None and not tighter:
            continue
        common = {**piece, "name": name, "label": words.label(name, kind), "unit": words.unit(name),
                  "plan_value": stated}
        if value is not None:
            reason = (_restriction_reason(whole[2], name, stated) if whole is not None
                      else _override_reason(override, name, stated) if override is not None else words.plan(row))
            yield EffectiveFigure(**common, value=value, source=source, area_m2=float(row["area_m2"]), whole=True,
                                  reason=reason)
        for limit, area, restriction, _ in tighter:
            yield EffectiveFigure(**common, value=limit, source="restriction", area_m2=area, whole=False,
                                  reason=_restriction_reason(restriction, name, stated))
    for area, restriction, whole_piece in covers:
        if restriction["effect"] in ("no_building", "limited"):
            yield EffectiveFigure(
                **piece, name="building", label=restriction["effect_label"], value=None, unit="", plan_value=None,
                source="restriction", area_m2=area, whole=whole_piece, reason=_basis(restriction))


def _function(row: Row, override: Row) -> EffectiveFigure:
    """Tell that the parcel's function was decided for it alone."""
    words = {value.code: str(value.label) for value in load_catalogue()["zone"].field("function_code").domain.values}

    def told(code: Any) -> str:
        return f"{words[code]} ({code})" if code in words else str(code)

    reason = _override_reason(override, "function", None)
    if row["function_code"]:
        reason += say("; đồ án quy định {v}", "; the plan states {v}").format(v=told(row["function_code"]))
    return EffectiveFigure(
        piece=int(row["piece"]), plan_ref=row["plan_ref"], zone_code=row["zone_code"], name="function",
        label=f"{load_catalogue()['zone'].field('function_code').label}: {told(override['function_code'])}", value=None,
        unit="", plan_value=None, source="override", area_m2=float(row["area_m2"]), whole=True, reason=reason)


def _covers(pieces: Rows, on_top: dict[Any, Rows]) -> list[list[_Cover]]:
    """Return per piece the restrictions on it, each with its area there and whether it covers all of it."""
    pairs = [(at, restriction) for at, row in enumerate(pieces) for restriction in on_top.get(row["parcel_fid"], ())]
    covers: list[list[_Cover]] = [[] for _ in pieces]
    if not pairs:
        return covers
    piece = np.array([pieces[at]["geometry"] for at, _ in pairs], dtype=object)
    limit = np.array([restriction["geometry"] for _, restriction in pairs], dtype=object)
    plane, common = shapely.area(piece), shapely.area(limit)
    # Most parcels are one piece, or lie wholly under a restriction: what both share is then one of the two.
    under = np.array([restriction["share_pct"] >= 100 * _WHOLE for _, restriction in pairs])
    apart = np.flatnonzero(~under & np.array([pieces[at]["share_pct"] < 100 * _WHOLE for at, _ in pairs]))
    common[under] = plane[under]
    common[apart] = np.nan_to_num(shapely.area(common_pieces(piece[apart], limit[apart])))
    for (at, restriction), shared, all_of_it in zip(pairs, common, plane):
        if shared > 1e-6 * all_of_it:
            covers[at].append((float(pieces[at]["area_m2"] * shared / all_of_it), restriction,
                               bool(shared >= _WHOLE * all_of_it)))
    return covers


def _tighter(name: str, value: float | None, covers: list[_Cover]) -> list[tuple[float, float, Row, bool]]:
    """Return what restrictions limit further than the figure does, the tightest first."""
    if name != "max_height_m":
        return []
    limits = [(limit, area, restriction, whole) for area, restriction, whole in covers
              if (limit := _number(restriction["max_height_m"])) is not None and (value is None or limit < value)]
    return sorted(limits, key=lambda item: (item[0], -item[1]))


def _override_reason(override: Row, name: str, stated: float | None) -> str:
    reason = say("Chỉ tiêu riêng của thửa theo văn bản {n}", "Set for this parcel by document {n}").format(
        n=override["decision_number"])
    if override["decision_date"] is not None:
        reason += say(" ngày {d}", " of {d}").format(d=format_date(override["decision_date"]))
    return reason + _instead(name, stated)


def _restriction_reason(restriction: Row, name: str, stated: float | None) -> str:
    return _basis(restriction) + _instead(name, stated)


def _basis(restriction: Row) -> str:
    words = [str(restriction["name"])]
    words += [str(restriction[name]) for name in ("legal_basis", "decision_number") if restriction[name]]
    return "; ".join(words)


def _instead(name: str, stated: float | None) -> str:
    if stated is None:
        return ""
    return say("; đồ án quy định {v}", "; the plan states {v}").format(v=figure_text(name, stated))


def _number(value: Any) -> float | None:
    return None if _missing(value) else float(value)


def _missing(value: Any) -> bool:
    return value is None or value is pandas.NA or value != value
