"""Verdicts on measured values: what keeps a limit, what breaks it, and what cannot be told."""

from __future__ import annotations

from enum import Enum

import numpy as np
import pandas
from numpy.typing import ArrayLike

from ...common.language import say
from ...common.numbers_vi import format_number
from .norm_answers import Status

#: Differences below this are the rounding of floating numbers, not of measuring.
_NOISE = 1e-9


class Verdict(str, Enum):
    """What is said of one check."""

    KEPT = "kept"
    BROKEN = "broken"
    OPEN = "open"

    @property
    def label(self) -> str:
        """In official words."""
        return {"kept": say("phù hợp", "complies"), "broken": say("chưa phù hợp", "does not comply"),
                "open": say("chưa đủ căn cứ đánh giá", "not enough grounds to judge")}[self.value]


def judge(
    measured: ArrayLike, limits: pandas.DataFrame, *, upper: bool, tolerance: ArrayLike = 0.0,
    at_worst: ArrayLike | None = None, decimals: int = 2, unit: str = "", unmeasured: str | ArrayLike = "",
) -> pandas.DataFrame:
    """Compare measured values with limits.

    A value on the limit keeps it. A value beyond the limit by no more than the tolerance of measuring is neither: the
    verdict is open and says so. Where the limit depends on a fact that is not known, the verdict is told only if it is
    the same whatever the fact.

    Parameters
    ----------
    measured : array of float, shape (n,)
        nan where it could not be measured.
    limits : DataFrame, n rows
        As the lookups of `norm_limits` return; rows whose status is "none" get no verdict (None).
    upper : bool
        The limit is a maximum.
    tolerance : array of float, shape (n,)
        Of the measured value, in its unit.
    at_worst : array of float, shape (n,), optional
        Where data are missing: the least favourable value there may be, while ``measured`` is the most favourable one.
        ``unmeasured`` then says what is missing.
    decimals : int
        For the numbers in the reasons.
    unit : str
        Likewise.
    unmeasured : str or array of str
        Why a value is nan.

    Returns
    -------
    DataFrame
        ``verdict`` (Verdict value or None), ``margin`` (positive is on the right side; nan without a single limit),
        ``reason``. Index of ``limits``.

    Examples
    --------
    >>> import datetime
    >>> from .norm_limits import net_density_limits
    >>> limits = net_density_limits("house", [200, 200, 200], on=datetime.date(2026, 1, 1))
    >>> judge([70, 70.2, 71], limits, upper=True, tolerance=0.5)["verdict"].tolist()
    ['kept', 'open', 'broken']
    """
    sign = 1.0 if upper else -1.0
    n = len(limits)
    value = np.broadcast_to(np.asarray(measured, dtype=float), n)
    slack = np.broadcast_to(np.asarray(tolerance, dtype=float), n)
    least = value if at_worst is None else np.broadcast_to(np.asarray(at_worst, dtype=float), n)
    why = np.broadcast_to(np.asarray(unmeasured, dtype=object), n)
    strict, loose = (limits[column].to_numpy(dtype=float) for column in ("strictest", "loosest"))
    status = limits["status"].to_numpy()
    verdict, reason = np.full(n, None, dtype=object), limits["reason"].to_numpy(dtype=object).copy()
    limited, seen = status == Status.LIMIT.value, ~np.isnan(value)
    with np.errstate(invalid="ignore"):
        over_strict, over_loose = sign * (least - strict), sign * (value - loose)
    verdict[limited | (status == Status.UNKNOWN.value)] = Verdict.OPEN.value
    verdict[limited & seen & (over_strict <= _NOISE)] = Verdict.KEPT.value
    verdict[limited & seen & (over_loose > slack + _NOISE)] = Verdict.BROKEN.value
    ranged = limited & seen & (np.abs(least - value) > _NOISE)
    for k in np.flatnonzero(limited & seen & (verdict == Verdict.OPEN.value)):
        if ranged[k] and over_loose[k] <= _NOISE:
            reason[k] = _joined(reason[k], why[k]) if over_strict[k] > _NOISE else reason[k]
            continue
        reason[k] = _open(over_strict[k], over_loose[k], strict[k], loose[k], slack[k], reason[k], decimals, unit)
    for k in np.flatnonzero(limited & seen & (verdict == Verdict.KEPT.value) & (slack > 0)
                            & (-over_strict < slack - _NOISE)):
        reason[k] = _joined(
            reason[k],
            say("sát giới hạn, trong sai số đo ± {t}", "close to the limit, within the ± {t} of measuring").format(
                t=_shown(slack[k], decimals, unit)
            ),
        )
    missing = limited & ~seen
    reason[missing] = why[missing]
    with np.errstate(invalid="ignore"):
        margin = np.where(limited, -sign * (value - limits["value"].to_numpy(dtype=float)), np.nan)
    return pandas.DataFrame({"verdict": verdict, "margin": margin, "reason": reason}, index=limits.index)


def _open(
    over_strict: float, over_loose: float, strict: float, loose: float, slack: float, reason: str, decimals: int,
    unit: str
) -> str:
    if over_loose > _NOISE:  # beyond every limit that may hold, but not by more than the tolerance
        while decimals < 4 and over_loose < 0.5 * 10.0**-decimals:
            decimals += 1
        return _joined(reason, say("vượt giới hạn {over} trong sai số đo ± {t}; cần đo đạc tại thực địa",
                                   "beyond the limit by {over}, within the ± {t} of measuring; to be surveyed").format(
                                       over=_shown(over_loose, decimals, unit), t=_shown(slack, decimals, unit)))
    bounds = sorted((strict, loose))
    if np.isinf(bounds[1]):
        return reason
    return _joined(reason, say("giới hạn trong khoảng {a} đến {b}", "the limit is between {a} and {b}").format(
        a=_shown(bounds[0], decimals, unit), b=_shown(bounds[1], decimals, unit)))


def _joined(first: str, second: str) -> str:
    return f"{first}; {second}" if first else second


def _shown(value: float, decimals: int, unit: str) -> str:
    return f"{format_number(value, decimals)} {unit}".strip()

