"""Which symbol stands for each land function on a printed sheet, and which of its colours are official."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import pandas

from ...common.errors import InputError, name_some
from ...common.language import say
from ...common.norms import load_table

#: Confidences under which a colour counts as the regulation's own (norms/README.md).
OFFICIAL = ("text", "secondary")
#: What follows the text of a colour that is not.
MARK = " *"
#: More unknown codes than this are told in one sentence.
_TOLD_APART = 8


@dataclass(frozen=True)
class FunctionSymbol:
    """A land function as the sheet shows it.

    Attributes
    ----------
    colour : str
        ``#rrggbb`` of the regulation's table.
    official : bool
        The table's confidence in the colour is `OFFICIAL`, and nobody chose another one.
    """

    code: str
    name: str
    colour: str
    official: bool
    confidence: str

    @property
    def ink(self) -> str:
        """Black or white, whichever reads better on the colour (WCAG's relative luminance).

        Examples
        --------
        >>> [FunctionSymbol("", "", colour, True, "").ink for colour in ("#66cc00", "#5b5b5b")]
        ['#000000', '#ffffff']
        """
        channels = [int(self.colour[at:at + 2], 16) / 255 for at in (1, 3, 5)]
        linear = [value / 12.92 if value <= 0.03928 else ((value + 0.055) / 1.055) ** 2.4 for value in channels]
        luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
        return "#000000" if (luminance + 0.05) ** 2 > 1.05 * 0.05 else "#ffffff"

    @property
    def legend_text(self) -> str:
        """Name and code, with the mark of colours that are not official."""
        return f"{self.name} ({self.code})" + ("" if self.official else MARK)


def function_symbols(province_folder: str | None = None) -> dict[str, FunctionSymbol]:
    """Return the symbols of all land functions by code, from the table ``planning_land_functions``."""
    found = {}
    for row in load_table("planning_land_functions", on=None, province_folder=province_folder).rows:
        colour = str(row["hex"]).lower()
        if not colour.startswith("#"):
            continue  # a function whose colour is not known has no symbol
        code, confidence = str(row["key"]), str(row["confidence"])
        found[code] = FunctionSymbol(code, str(row["name_vi"]), colour, confidence in OFFICIAL, confidence)
    return found


def require_symbols(codes: pandas.Series, symbols: Mapping[str, FunctionSymbol], layer_name: str) -> None:
    """Refuse codes that have no symbol, naming each with its features.

    Parameters
    ----------
    codes : Series
        Function code of each zone; index = feature ids.

    Raises
    ------
    InputError
        One sentence per code (one for all when they are many), and one for zones without a code.
    """
    problems = []
    lacking = codes.isna() | (codes.astype(str).str.strip() == "")
    if lacking.any():
        problems.append(say("{layer}: {n} ô không có mã chức năng (fid: {ids}); hãy điền mã rồi in lại.",
                            "{layer}: {n} zones have no function code (ids: {ids}); fill it in, then print again.")
                        .format(layer=layer_name, n=int(lacking.sum()), ids=name_some(codes.index[lacking])))
    unknown = codes[~lacking & ~codes.isin(list(symbols))]
    if unknown.nunique() > _TOLD_APART:
        # Most likely another field than that of the function: one sentence instead of one per zone.
        problems.append(
            say("{layer}: {n} mã chức năng không có ký hiệu trong bảng chức năng sử dụng đất quy hoạch: {codes}. Hãy kiểm tra "
                "trường chức năng đã chọn, sửa mã, hoặc bổ sung ký hiệu vào bảng của tỉnh.",
                "{layer}: {n} function codes have no symbol in the table of land functions: {codes}. Check the field of the "
                "function, correct the codes, or add symbols to the province's table.")
            .format(layer=layer_name, n=unknown.nunique(), codes=name_some(sorted(map(str, unknown.unique())))))
        unknown = unknown.iloc[:0]
    for code, group in unknown.groupby(unknown, sort=True):
        problems.append(
            say("{layer}: mã chức năng \"{code}\" không có ký hiệu trong bảng chức năng sử dụng đất quy hoạch; có ở {n} "
                "ô (fid: {ids}). Hãy sửa mã, hoặc bổ sung ký hiệu vào bảng của tỉnh.",
                "{layer}: the function code \"{code}\" has no symbol in the table of land functions; {n} zones have it "
                "(ids: {ids}). Correct the code, or add a symbol to the province's table.")
            .format(layer=layer_name, code=code, n=len(group), ids=name_some(group.index)))
    if problems:
        raise InputError(problems)


def colour_remarks(codes: Iterable[str], symbols: Mapping[str, FunctionSymbol]) -> list[str]:
    """Return the sentence that explains the mark, when a code on the sheet needs it."""
    marked = sorted({code for code in codes if not symbols[code].official})
    if not marked:
        return []
    return [f"* Màu ký hiệu chưa chính thức, cần xác nhận: {', '.join(marked)}."]
