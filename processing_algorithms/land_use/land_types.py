"""Land-type codes: the tree of the land law, or free codes, and where each code of a layer stands in it."""

from __future__ import annotations

import datetime
import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path

import numpy as np
import pandas
from numpy.typing import NDArray

from ..common.errors import InputError
from ..common.language import say
from ..common.norms import load_table


class CodeList(IntEnum):
    """Which list the codes of a layer belong to."""

    LAND_LAW = 0
    FREE = 1


class Status(IntEnum):
    """How a code stands to its list."""

    CURRENT = 0  #: in the list
    LEGACY = 1  #: of the list before, kept as its own row under its parent of today
    OVERLAY = 2  #: an area drawn across land types (economic zone, urban area), no land type itself
    UNKNOWN = 3  #: in no list
    MISSING = 4  #: null or blank


STATUS_NAMES = {Status.CURRENT: "code", Status.LEGACY: "legacy", Status.OVERLAY: "overlay", Status.UNKNOWN: "unknown",
                Status.MISSING: "no_code"}


@dataclass(frozen=True)
class Node:
    """One row of a table by land type.

    Attributes
    ----------
    code : str
        Empty for codes that are missing, and for the group of unknown codes.
    parent : int
        Position of the parent row; -1 at the top. Parents stand before their children.
    level : int
        Depth in the tree, 0 at the top.
    """

    code: str
    name_vi: str
    name_en: str
    parent: int
    level: int
    status: Status

    @property
    def name(self) -> str:
        """Name in the current language."""
        return say(self.name_vi, self.name_en)


def normalised_codes(values: pandas.Series, code_list: CodeList) -> NDArray[np.object_]:
    """Return codes as text; null and blank ones are None.

    Land-law codes lose blanks and take capitals (`` luc`` is LUC); other texts lose outer blanks only; whole numbers
    lose the decimals a float column gave them (``3.0`` is 3).
    """
    # Layers have many polygons and few codes: each different value is read once.
    positions, different = pandas.factorize(values)
    texts = np.array([_code_text(value, code_list) for value in different] + [None], dtype=object)
    return texts[positions]


def _code_text(value: object, code_list: CodeList) -> str | None:
    if isinstance(value, (float, np.floating)):
        return f"{value:.0f}" if value == int(value) else repr(float(value))
    text = str(value).strip()
    if code_list is CodeList.LAND_LAW:
        compact = re.sub(r"\s+", "", text).upper()
        # What cannot be a code of the law is told as it was written, or nobody finds it in the layer again.
        text = compact if re.fullmatch(r"[A-Z]{3}", compact) else text
    return text or None


def land_type_rows(
    codes: Sequence[str | None],
    *,
    code_list: CodeList = CodeList.LAND_LAW,
    on: datetime.date | None = None,
    province_folder: str | Path | None = None,
) -> list[Node]:
    """Return the rows of a table for the codes that occur: their tree with all ancestors, then what is outside the list.

    Parameters
    ----------
    codes : sequence of str or None
        As `normalised_codes` gives them; duplicates do not matter.
    code_list : CodeList
        FREE gives one flat row per code, in natural order (2 before 10).
    on : date, optional
        Of the list; today by default.

    Returns
    -------
    list of Node
        In printing order, parents first. Unknown codes are children of one group row; missing codes are the last row.

    Raises
    ------
    InputError
        The list of the date is not known.

    Examples
    --------
    >>> for row in land_type_rows(["LUC", "XYZ", None], on=datetime.date(2026, 1, 1)):
    ...     print("  " * row.level + (row.code or "-"), row.status.name)
    NNP CURRENT
      CHN CURRENT
        LUA CURRENT
          LUC CURRENT
    - UNKNOWN
      XYZ UNKNOWN
    - MISSING
    """
    present = {code for code in codes if code is not None}
    nodes: list[Node] = []
    if code_list is CodeList.FREE:
        nodes = [Node(code, code, code, -1, 0, Status.CURRENT) for code in sorted(present, key=_natural)]
    else:
        known = _known_types(on or datetime.date.today(), province_folder)
        nodes = _tree(present, known)
        unknown = sorted(present - set(known), key=_natural)
        if unknown:
            group = len(nodes)
            nodes.append(Node("", "Mã không có trong danh mục loại đất", "Codes not in the list of land types", -1, 0,
                              Status.UNKNOWN))
            nodes += [Node(code, "(mã lạ)", "(unknown code)", group, 1, Status.UNKNOWN) for code in unknown]
    if any(code is None for code in codes):
        nodes.append(Node("", "Không ghi mã loại đất", "No code", -1, 0, Status.MISSING))
    return nodes


def _known_types(on: datetime.date, province_folder: str | Path | None) -> dict[str, dict[str, object]]:
    table = load_table("land_use_codes", on=on, province_folder=province_folder)
    if not table.known:
        raise InputError(table.reason + " " + say("Hãy chọn \"Mã tự do\".", "Choose \"Free codes\"."))
    rows = {str(row["code"]): dict(row) for row in table.rows}
    # Codes of the list before still occur in older layers; they are named as such, not called unknown.
    for row in load_table("land_use_codes", on=None, province_folder=province_folder).rows:
        rows.setdefault(str(row["code"]), dict(row))
    return rows


def _tree(present: set[str], known: dict[str, dict[str, object]]) -> list[Node]:
    children: dict[str, list[str]] = {}
    for code, row in known.items():
        parent = str(row["parent"])
        children.setdefault(parent if parent in known else "", []).append(code)
    needed = set()
    for code in present & set(known):
        while code and code not in needed:
            needed.add(code)
            parent = str(known[code]["parent"])
            code = parent if parent in known else ""
    nodes: list[Node] = []

    def visit(code: str, parent: int, level: int) -> None:
        row = known[code]
        status = {"legacy": Status.LEGACY, "overlay": Status.OVERLAY}.get(str(row["status"]), Status.CURRENT)
        former = status is Status.LEGACY
        nodes.append(Node(code, str(row["name_vi"]) + (" (mã cũ)" if former else ""),
                          str(row["name_en"]) + (" (former code)" if former else ""), parent, level, status))
        position = len(nodes) - 1
        for child in children.get(code, []):
            if child in needed:
                visit(child, position, level + 1)

    # Areas drawn across land types stand behind the types themselves.
    for code in sorted(children.get("", []), key=lambda code: known[code]["status"] == "overlay"):
        if code in needed:
            visit(code, -1, 0)
    return nodes


def _natural(text: str) -> list[tuple[int, int, str]]:
    return [(0, int(part), "") if part.isdigit() else (1, 0, part.casefold()) for part in re.split(r"(\d+)", text)
            if part]


def row_of_codes(codes: NDArray[np.object_], nodes: Sequence[Node]) -> NDArray[np.intp]:
    """Return the position of each code's row."""
    missing = next((k for k, node in enumerate(nodes) if node.status is Status.MISSING), -1)
    row = {node.code: k for k, node in enumerate(nodes) if node.code}
    positions, different = pandas.factorize(codes)
    return np.array([row[code] for code in different] + [missing], dtype=np.intp)[positions]


def subtotals(own: NDArray[np.float64], nodes: Sequence[Node]) -> NDArray[np.float64]:
    """Add every row to its ancestors.

    Parameters
    ----------
    own : array of float, shape (rows, ...)
        What carries the row's own code.

    Returns
    -------
    array of float, same shape

    Examples
    --------
    >>> tree = [Node("LUA", "", "", -1, 0, Status.CURRENT), Node("LUC", "", "", 0, 1, Status.CURRENT)]
    >>> subtotals(np.array([1.0, 2.0]), tree).tolist()
    [3.0, 2.0]
    """
    total = np.array(own, dtype=float)
    for position in range(len(nodes) - 1, -1, -1):
        if nodes[position].parent >= 0:
            total[nodes[position].parent] += total[position]
    return total
