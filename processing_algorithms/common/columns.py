"""Columns of attributes: names of results beside the user's own, and numbers however they are stored."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from .errors import InputError
from .legacy_text import judge_columns
from .numbers_vi import parse_number

if TYPE_CHECKING:
    import pandas


def free_names(wanted: Iterable[str], taken: Iterable[str]) -> dict[str, str]:
    """Give each wanted column a name no taken column has; the user's columns keep theirs.

    Files compare names without regard to case, so ``Zone`` is in the way of ``zone``.

    Examples
    --------
    >>> free_names(["zone", "area_m2"], ["Zone", "zone_2", "owner"])
    {'zone': 'zone_3', 'area_m2': 'area_m2'}
    """
    used = {str(name).lower() for name in taken} | {"fid", "geom", "geometry"}
    names: dict[str, str] = {}
    for name in wanted:
        free, number = name, 1
        while free.lower() in used:
            number += 1
            free = f"{name}_{number}"
        names[name] = free
        used.add(free.lower())
    return names


def whole_names(present: Iterable[str], wanted: Iterable[str]) -> dict[str, str]:
    """Find the names a shapefile has cut to ten characters; only where it cannot be another one.

    Examples
    --------
    >>> whole_names(["function_c", "plan_ref", "max_densit"], ["function_code", "plan_ref", "max_density_pct"])
    {'function_c': 'function_code', 'max_densit': 'max_density_pct'}
    """
    held, names = list(present), list(wanted)
    cut: dict[str, list[str]] = {}
    for name in names:
        cut.setdefault(name[:10].lower(), []).append(name)
    return {name: whole[0] for name in held if len(name) == 10
            if len(whole := cut.get(name.lower(), [])) == 1 and len(whole[0]) > 10 and whole[0] not in held}


def numbers(column: pandas.Series) -> tuple[NDArray[np.float64], list[str]]:
    """Read a column of numbers, or of texts as people write them (``"3,58"``).

    Returns
    -------
    values : array of float, shape (n,)
        nan where null or blank, and where the text is no number.
    wrong : list of str
        ``"id: value"`` of texts that are no number and of infinite values.
    """
    import pandas

    if pandas.api.types.is_numeric_dtype(column.dtype):
        values = column.astype("float64").to_numpy()
        return values, [f"{column.index[at]}: {values[at]}" for at in np.flatnonzero(np.isinf(values))]
    values, wrong = np.full(len(column), np.nan), []
    for position in np.flatnonzero(column.notna()):  # most columns of texts for numbers are empty
        value = column.iloc[position]
        if str(value).strip() == "":
            continue
        try:
            values[position] = parse_number(str(value))
        except InputError:
            wrong.append(f"{column.index[position]}: {value}")
    return values, wrong


#: A character that could not be decoded; UTF-8 read as Latin-1; what may be TCVN3 between letters, in too few words to be sure.
_BROKEN = re.compile("\ufffd|\u00e1[\u00ba\u00bb]|\u00c3[\u0080-\u00bf]|\u00c6\u00b0|\u00c4[\u0090\u0091]|"
                     "(?<=[A-Za-z])[\u00a7-\u00a9\u00ab-\u00ae\u00b5\u00b6\u00b8\u00b9](?=[A-Za-z])")
#: Values looked at; whole columns would take longer than reading them.
_LOOKED_AT = 2000


@dataclass(frozen=True)
class BrokenText:
    """An example of texts in a wrong encoding; which one and what it means where that is certain."""

    example: str
    encoding: str | None = None
    meaning: str = ""


def broken_texts(frame: pandas.DataFrame) -> dict[str, BrokenText]:
    """Return the columns whose texts are in a wrong encoding, with an example of each.

    Examples
    --------
    >>> import pandas
    >>> broken_texts(pandas.DataFrame({"ten": ["Ph\ufffdng 1"], "ma": ["LUC"], "so": [1], "xa": ["Xaõ Vónh Haø"]}))["xa"]
    BrokenText(example='Xaõ Vónh Haø', encoding='VNI', meaning='Xã Vĩnh Hà')
    """
    texts = {name: [value for value in frame[name].iloc[:_LOOKED_AT] if isinstance(value, str)]
             for name in frame.columns if frame[name].dtype == object}
    verdicts = judge_columns(texts)
    found = {}
    for name, held in texts.items():
        verdict = verdicts.get(name)
        old = verdict and next(((text, new) for text in held if (new := verdict.convert(text)) != text), None)
        if verdict and old:
            found[str(name)] = BrokenText(old[0], verdict.encoding, old[1])
        elif example := next((text for text in held if _BROKEN.search(text)), None):
            found[str(name)] = BrokenText(example)
    return found
