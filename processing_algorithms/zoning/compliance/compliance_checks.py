"""The single checks of `zoning_compliance`: what is measured, against which limit, and what follows."""

from __future__ import annotations

import numpy as np
import pandas
from numpy.typing import ArrayLike, NDArray

from ...common.language import say
from .norm_answers import COLUMNS, Status
from .verdicts import Verdict, judge

#: Rule ids never change; label, unit, decimals, and whether the limit is a maximum.
RULES: dict[str, tuple[str, str, str, int, bool]] = {
    "PLAN-DENSITY": ("Mật độ xây dựng thuần theo đồ án", "Net density of the plan", "%", 1, True),
    "PLAN-GROSS": ("Mật độ xây dựng gộp theo đồ án", "Gross density of the plan", "%", 1, True),
    "PLAN-FAR": ("Hệ số sử dụng đất theo đồ án", "Floor-area ratio of the plan", "lần", 2, True),
    "PLAN-STOREYS-MAX": ("Tầng cao tối đa theo đồ án", "Maximum storeys of the plan", "tầng", 0, True),
    "PLAN-STOREYS-MIN": ("Tầng cao tối thiểu theo đồ án", "Minimum storeys of the plan", "tầng", 0, False),
    "PLAN-HEIGHT-MAX": ("Chiều cao tối đa theo đồ án", "Maximum height of the plan", "m", 1, True),
    "PLAN-HEIGHT-MIN": ("Chiều cao tối thiểu theo đồ án", "Minimum height of the plan", "m", 1, False),
    "PLAN-SETBACK": ("Khoảng lùi theo đồ án", "Setback of the plan", "m", 2, False),
    "QC-DENSITY": ("Mật độ xây dựng thuần theo quy chuẩn", "Net density of the regulation", "%", 1, True),
    "QC-GROSS": ("Mật độ xây dựng gộp theo quy chuẩn", "Gross density of the regulation", "%", 1, True),
    "QC-FAR": ("Hệ số sử dụng đất theo quy chuẩn", "Floor-area ratio of the regulation", "lần", 2, True),
    "QC-FAR-EXISTING": ("Hệ số sử dụng đất khu vực hiện hữu", "Floor-area ratio of existing areas", "lần", 2, True),
    "QC-SETBACK": ("Khoảng lùi theo quy chuẩn", "Setback of the regulation", "m", 2, False),
    "QC-SPACING": ("Khoảng cách giữa các công trình", "Distance between buildings", "m", 2, False),
    "QC-PLANTED": ("Tỷ lệ cây xanh trong lô đất", "Planted share of the lot", "%", 1, False),
}


def label(rule: str) -> str:
    """Name a rule."""
    return say(RULES[rule][0], RULES[rule][1])


def unit_of(rule: str) -> str:
    """Return the unit of a rule's values."""
    unit = RULES[rule][2]
    return say(unit, {"lần": "ratio", "tầng": "storeys"}.get(unit, unit))


def plan_limits(
    low: NDArray[np.float64], high: NDArray[np.float64], lacking: NDArray[np.bool_], citation: ArrayLike, *,
    upper: bool,
    several: NDArray[np.bool_],
) -> pandas.DataFrame:
    """Return a plan's control figures as limits, in the form of `norm_answers.COLUMNS`.

    Parameters
    ----------
    low, high : array of float, shape (n,)
        Range over the zones of a lot; nan without a figure.
    lacking : array of bool
        One of the zones has no figure.
    citation : array of str
        Plan and zone.
    upper : bool
    several : array of bool
        The lot lies in several zones.
    """
    n = len(low)
    known = ~np.isnan(low)
    strict, loose = (low, high) if upper else (high, low)
    loose = np.where(lacking & known, np.inf if upper else -np.inf, loose)
    frame = pandas.DataFrame({column: np.full(n, "", dtype=object) for column in COLUMNS})
    frame["strictest"], frame["loosest"] = strict, loose
    frame["value"] = np.where(np.isclose(strict, loose), strict, np.nan)
    frame["status"] = np.where(known, Status.LIMIT.value, Status.NONE.value)
    frame["citation"] = np.broadcast_to(np.asarray(citation, dtype=object), n)
    frame["valid_to"], frame["interpolated"] = None, False
    unsure = known & several & frame["value"].isna().to_numpy()
    frame.loc[unsure, "reason"] = say(
        "lô đất thuộc nhiều ô có chỉ tiêu khác nhau", "the lot lies in zones with different figures"
    )
    return frame


def check(
    rule: str, limits: pandas.DataFrame, measured: ArrayLike, *, lot: ArrayLike, building: ArrayLike = -1,
    tolerance: ArrayLike = 0.0, at_worst: ArrayLike | None = None, unmeasured: str | ArrayLike = "",
    note: ArrayLike = "",
) -> pandas.DataFrame:
    """Judge one rule for n cases; cases without a limit give no row.

    Parameters
    ----------
    rule : str
        A key of `RULES`.
    limits : DataFrame, n rows
    measured, tolerance, at_worst, unmeasured
        As for `verdicts.judge`.
    lot, building : array of int
        Positions the rows belong to; -1 for none.
    note : array of str
        Added to the reason.
    """
    _, _, _, decimals, upper = RULES[rule]
    n = len(limits)
    judged = judge(measured, limits, upper=upper, tolerance=tolerance, at_worst=at_worst, decimals=decimals,
                   unit=unit_of(rule),
                   unmeasured=unmeasured)
    value = np.broadcast_to(np.asarray(measured, dtype=float), n)
    frame = pandas.DataFrame({
        "lot": np.broadcast_to(lot, n), "building": np.broadcast_to(building, n), "rule": rule,
        "measured": np.where(np.isfinite(value), value, np.nan), "limit": limits["value"].to_numpy(dtype=float),
        "limit_strictest": limits["strictest"].to_numpy(dtype=float),
        "limit_loosest": limits["loosest"].to_numpy(dtype=float),
        "margin": judged["margin"].to_numpy(), "tolerance": np.broadcast_to(np.asarray(tolerance, dtype=float), n),
        "verdict": judged["verdict"].to_numpy(dtype=object), "citation": limits["citation"].to_numpy(dtype=object),
        "reason": _with(judged["reason"].to_numpy(dtype=object), np.broadcast_to(np.asarray(note, dtype=object), n)),
        "valid_to": limits["valid_to"].to_numpy(dtype=object),
        "confidence": limits["confidence"].to_numpy(dtype=object)})
    for column in ("limit_strictest", "limit_loosest"):
        frame[column] = frame[column].where(np.isfinite(frame[column]))
    return frame[frame["verdict"].notna()]


def missing(what: str, count: pandas.Series) -> NDArray[np.object_]:
    """Say of how many buildings something is not known."""
    text = say("{n} công trình chưa có {what}", "{n} buildings without {what}")
    return np.array([text.format(n=n, what=what) if n else "" for n in count], dtype=object)


def _with(reason: NDArray[np.object_], note: NDArray[np.object_]) -> NDArray[np.object_]:
    return np.array([f"{a}; {b}" if a and b else a or b for a, b in zip(reason, note)], dtype=object)


def replaced_by_ratio(checks: pandas.DataFrame) -> pandas.DataFrame:
    """Open the verdict on density, or on the ratio of Bảng 2.12, of lots that keep the other one.

    Mục 2.7 lets that ratio replace density and height as control in existing areas; which of the two holds is for the
    authority to say, so one of them broken is no verdict by itself.
    """
    checks = checks.copy()
    kept = checks["verdict"].eq(Verdict.KEPT.value)
    broken = checks["verdict"].eq(Verdict.BROKEN.value)
    for rule, other, text in (
            ("QC-DENSITY", "QC-FAR-EXISTING", say(
                "vượt mật độ, nhưng khu vực hiện hữu có thể kiểm soát bằng hệ số sử dụng đất theo Bảng 2.12 (phù hợp); cơ quan có "
                "thẩm quyền quyết định cách kiểm soát",
                "beyond the density, but an existing area may be controlled by the floor-area ratio of Bảng 2.12 (kept); the "
                "authority decides which holds")),
            ("QC-FAR-EXISTING", "QC-DENSITY", say(
                "vượt hệ số của Bảng 2.12, nhưng mật độ theo quy chuẩn phù hợp; hệ số chỉ là cách kiểm soát thay thế, cơ quan có "
                "thẩm quyền quyết định",
                "beyond the ratio of Bảng 2.12, but the regulation's density is kept; the ratio is only an alternative, the "
                "authority decides"))):
        # All parts of a lot (podium, tower) must keep the other control.
        held = set(checks.loc[kept & checks["rule"].eq(other),
                              "lot"]) - set(checks.loc[~kept & checks["rule"].eq(other), "lot"])
        which = broken & checks["rule"].eq(rule) & checks["lot"].isin(held)
        checks.loc[which, "verdict"] = Verdict.OPEN.value
        checks.loc[which,
                   "reason"] = [f"{reason}; {text}" if reason else text for reason in checks.loc[which, "reason"]]
    return checks
