"""Which streets are bridges, and how high their decks are, as attributes tell it."""

from __future__ import annotations

import geopandas
import numpy as np
import pandas
from numpy.typing import NDArray

from ...common.columns import numbers
from ...common.errors import InputError, name_some
from ...common.language import say
from ..bulletin.bulletin_words import fold

_NO = {"", "0", "0.0", "no", "false", "khong", "f", "n", "none", "nan", "sai"}


def bridges_of(
    streets: geopandas.GeoDataFrame, bridge_field: str | None, deck_field: str | None
) -> tuple[NDArray[np.bool_] | None, NDArray[np.float64] | None]:
    """Read bridges and deck levels of streets.

    Parameters
    ----------
    bridge_field : str, optional
        True/false, 1/0, or a text such as OpenStreetMap's ``yes``, ``viaduct``; null, ``no`` and ``không`` are no bridge.
    deck_field : str, optional
        Deck levels, m.

    Returns
    -------
    bridge : array of bool, shape (n,), or None without a field
    deck_m : array of float, shape (n,), or None without a field

    Raises
    ------
    InputError
        Deck levels that are no numbers.

    Examples
    --------
    >>> bridges_of(geopandas.GeoDataFrame({"cau": ["yes", "no", None, 1]}), "cau", None)[0].tolist()
    [True, False, False, True]
    """
    if bridge_field is None:
        return None, None
    code, values = pandas.factorize(streets[bridge_field].astype(object).map(str, na_action="ignore"))
    bridge = np.array([*(fold(value).strip() not in _NO for value in values), False], dtype=bool)[
        code
    ]  # null is -1, the last
    if deck_field is None:
        return bridge, None
    deck, wrong = numbers(streets[deck_field])
    if wrong:
        raise InputError(say("Trường \"{field}\" có giá trị không phải là cao trình (fid: {ids}).", "The field \"{field}\" has values that are no levels (ids: {ids}).")
                         .format(field=deck_field, ids=name_some(wrong)))
    return bridge, deck
