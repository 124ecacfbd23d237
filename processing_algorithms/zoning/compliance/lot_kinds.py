"""Which table of QCVN 01 a lot is judged by; the assignment is data (``lot_kinds.csv``), and ours."""

from __future__ import annotations

from enum import Enum
from functools import lru_cache
from pathlib import Path

import numpy as np
import pandas
from numpy.typing import ArrayLike

from ...common.norms.loader import load_table
from ...provincial_database.catalogue import load_catalogue
from ..plans.function_names import letters_only, match_function
from .norm_answers import codes as as_codes


class LotKind(str, Enum):
    """Kinds of lots QCVN 01 tells apart; of a lot's function and use by `lot_kinds`."""

    HOUSE = "house"
    APARTMENT = "apartment"
    MIXED = "mixed"
    INDUSTRY = "industry"
    PUBLIC_SERVICE = "public_service"
    #: Named by no density table.
    OTHER = "other"
    #: Not told by what is known of the lot.
    UNKNOWN = ""


def lot_kinds(
    function: ArrayLike, building_use: ArrayLike = "", *, province_folder: str | Path | None = None
) -> pandas.DataFrame:
    """Return which table of QCVN 01 lots are judged by, from planning function and main use of their buildings.

    Parameters
    ----------
    function : array of str, shape (n,)
        Functions of `planning_land_functions` (NO, HH, ...), or their names; "" where there is no plan.
    building_use : array of str, shape (n,)
        Codes of the domain ``building_use``, or their labels; "" where unknown.

    Returns
    -------
    DataFrame
        ``lot_kind`` (a `LotKind` value; "" where it cannot be told), ``planted_type`` (of Bảng 2.11, or ""),
        ``gross_kind`` (of `norm_limits.gross_density_limits`, or ""),
        ``confidence`` (the assignment is ours: ``analogy``).

    Examples
    --------
    >>> lot_kinds(["NO", "NO", "HH", "QP"], ["residential", "", "", ""])["lot_kind"].tolist()
    ['house', '', 'mixed', 'other']
    >>> lot_kinds(["Đất ở", "hh", "ABC"], ["Chung cư", "", ""])["lot_kind"].tolist()
    ['apartment', 'mixed', '']
    """
    codes, uses = np.broadcast_arrays(as_codes(function), as_codes(building_use))
    rows = load_table("lot_kinds", on=None, province_folder=province_folder).rows
    named = {row["function"] for row in rows if row["function"]}
    answers: dict[tuple[str, str], tuple[str, str, str, str]] = {}
    for case in dict.fromkeys(zip(codes, uses)):
        code, use = match_function(case[0])[0], _use_codes().get(letters_only(case[1]), case[1])
        row = next((row for row in rows if (code or not case[0]) and row["function"] in (code, "*") and row["building_use"] in (use, "*")), None)
        if row is not None:
            answers[case] = (row["lot_kind"], row["planted_type"], row["gross_kind"], row["confidence"])
        else:
            told = bool(code) and code not in named  # a function nobody knows leaves the kind open
            answers[case] = (LotKind.OTHER.value if told else LotKind.UNKNOWN.value, "", "", "analogy")
    return pandas.DataFrame([answers[case] for case in zip(codes, uses)],
                            columns=["lot_kind", "planted_type", "gross_kind", "confidence"])


@lru_cache(maxsize=1)
def _use_codes() -> dict[str, str]:
    """Codes of the uses of a building by what people write: the code or its label in either language."""
    domain = load_catalogue()["building"].field("use").domain
    return {letters_only(word): value.code for value in domain.values
            for word in (value.code, value.label.vi, value.label.en)}
