"""A consultant's own land-balance table in Excel: read as people make them, and compared row by row.

Tables differ: headers over two or three rows with merged cells, areas in ha or m2 (in the header, under it or above the
table), numbers as texts with decimal commas, codes or names or both, sub-rows that repeat what the row above them holds,
totals by group. What cannot be read or matched is listed, never dropped.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas

from ...common.areas import HECTARE
from ...common.errors import InputError
from ...common.language import say
from ...common.numbers_vi import parse_number
from ...common.packages import require
from ..plans.function_names import letters_only, match_function, plain
from .land_balance import LandBalance

#: Words of headers, plain letters.
_AREA, _CODE, _NAME = ("dien tich", "quy mo"), ("ky hieu", "ma so", "ma chuc nang", "ma loai dat", "ma dat", "ma"), (
    "loai dat", "chuc nang", "hang muc", "muc dich su dung", "danh muc", "noi dung", "ten o", "su dung dat", "chi tieu")
_TOTAL = re.compile(r"^(?:tong|cong)\b|^toan (?:bo|khu)|tong dien tich|tong cong")
_GROUPS = {
    "civil": ("dan dung",),
    "non_civil": ("ngoai dan dung",),
    "other": ("nong nghiep va chuc nang khac", "khac", "nong nghiep va khac"),
}
_UNDER_HEADERS = {"dien tich", "ty le", "co cau", "hien trang", "quy hoach", "m2", "ha"}
#: Less than this is the rounding of coordinates, whatever the decimals.
_LEAST_M2 = 1.0
_HEADER_ROWS, _DEEPEST_HEADER = 40, 3


@dataclass(frozen=True)
class StatedRow:
    """One row of the table.

    Attributes
    ----------
    line : int
        Row of the sheet.
    text, code : str
        As written.
    area_m2 : float
        nan where the cell is no number.
    rounding_m2 : float
        Half a unit of the last decimal shown, in m2: what rounding explains.
    problem : str
        Why the area could not be read.
    """

    line: int
    text: str
    code: str
    area_m2: float
    rounding_m2: float
    problem: str = ""


@dataclass(frozen=True)
class StatedTable:
    """The table found: its sheet, unit and rows, and how header and unit were read."""

    sheet: str
    unit: str
    header_line: int
    area_header: str
    rows: list[StatedRow]


def read_stated(path: str | os.PathLike[str], sheet: str = "") -> StatedTable:
    """Read the land-balance table of a workbook.

    Parameters
    ----------
    path : path
        xlsx or xlsm.
    sheet : str
        The first sheet with a table that has names and areas, when empty.

    Raises
    ------
    InputError
        The file is no workbook of this kind, the sheet is not there, no table is found, or the unit is not told.
    """
    require("openpyxl")
    from openpyxl import load_workbook
    from openpyxl.utils.exceptions import InvalidFileException

    path = Path(path)
    try:
        book = load_workbook(path, data_only=True)
    except (InvalidFileException, OSError, KeyError, ValueError) as error:
        raise InputError(say("Không đọc được {file}: hãy lưu bảng dạng Excel .xlsx (không phải .xls cũ) và đóng tệp trong Excel.",
                             "{file} cannot be read: save it as Excel .xlsx (not the old .xls) and close it in Excel.")
                         .format(file=path.name)) from error
    except Exception as error:  # a zip that is no workbook raises zipfile's own error
        if type(error).__name__ != "BadZipFile":
            raise
        raise InputError(
            say("{file} không phải là tệp Excel .xlsx.", "{file} is no Excel .xlsx file.").format(file=path.name)
        ) from error
    if sheet and sheet not in book.sheetnames:
        raise InputError(say("Tệp {file} không có trang \"{sheet}\"; các trang: {names}.",
                             "{file} has no sheet \"{sheet}\"; its sheets: {names}.")
                         .format(file=path.name, sheet=sheet, names=", ".join(book.sheetnames)))
    for name in [sheet] if sheet else book.sheetnames:
        found = _table(book[name])
        if found is not None:
            return found
    raise InputError(say("Tệp {file} không có bảng với cột loại đất (hoặc ký hiệu) và cột diện tích.",
                         "{file} has no table with a column of functions (or codes) and one of areas.").format(file=path.name))


def _table(sheet) -> StatedTable | None:
    grid = [[cell.value for cell in row] for row in sheet.iter_rows()]
    for area in sheet.merged_cells.ranges:
        value = grid[area.min_row - 1][area.min_col - 1]
        for row in range(area.min_row - 1, min(area.max_row, len(grid))):
            for column in range(area.min_col - 1, min(area.max_col, len(grid[row]))):
                grid[row][column] = value
    for line in range(min(_HEADER_ROWS, len(grid))):
        # A title above the table is no header: the header's first row says itself what its columns are.
        if _columns(_headers(grid[line:line + 1])) is None or sum(value is not None for value in grid[line]) < 2:
            continue
        deep = 1
        while deep < _DEEPEST_HEADER and line + deep < len(grid) and _continues(grid, line, line + deep):
            deep += 1
        header = _headers(grid[line:line + deep])
        places = _columns(header, _over(grid, line))
        if places is not None:
            area, name, code = places
            unit = _unit(header[area]) or _unit(" ".join(plain_unit(v) for row in grid[:line + deep] for v in row
                                                         if isinstance(v, str)))
            if not unit:
                raise InputError(say("Bảng ở trang \"{sheet}\" không ghi đơn vị diện tích (ha hoặc m²); hãy ghi vào tiêu đề cột.",
                                     "The table of sheet \"{sheet}\" does not state the unit of its areas (ha or m²); write it into "
                                     "the header.").format(sheet=sheet.title))
            rows = _rows(sheet, grid, line + deep, area, name, code, unit)
            return StatedTable(sheet.title, unit, line + 1, " ".join(header[area].split()), rows)
    return None


def _continues(grid: list[list[object]], first: int, row: int) -> bool:
    """Tell whether a row still belongs to the header: it repeats merged cells or holds units, no figures and no new name."""
    for above, value in zip(grid[first], grid[row]):
        text = str(value).strip() if value is not None else ""
        if not text or value == above:
            continue
        if isinstance(value, (int, float)) or match_function(text)[0] or not (
                _unit(text) or "%" in text or "nguoi" in letters_only(text) or letters_only(text) in _UNDER_HEADERS):
            return False
    return any(value is not None for value in grid[row])


def plain_unit(text: str) -> str:
    """Return a text in small letters with m² as m2."""
    return text.lower().replace("²", "2").replace("m^2", "m2")


def _headers(rows: list[list[object]]) -> list[str]:
    width = max((len(row) for row in rows), default=0)
    return [" ".join(dict.fromkeys(str(row[k]) for row in rows if k < len(row) and row[k] is not None))
            for k in range(width)]


def _over(grid: list[list[object]], line: int) -> list[str]:
    """What stands over each column in the row above the header, such as "Hiện trạng" and "Quy hoạch" over two columns each."""
    found, last = [], ""
    for value in grid[line - 1] if line else []:
        last = letters_only(value) if value is not None else last
        found.append(last)
    return found


def _columns(header: list[str], over: list[str] | None = None) -> tuple[int, int | None, int | None] | None:
    plains = [letters_only(text) for text in header]

    def first(words: tuple[str, ...], taken: tuple[int | None, ...] = ()) -> int | None:
        for word in words:
            for k, text in enumerate(plains):
                if k not in taken and re.search(rf"\b{word}\b", text) and len(text) < 80:
                    return k
        return None

    areas = [k for k, text in enumerate(plains) if any(re.search(rf"\b{word}\b", text) for word in _AREA)
             and len(text) < 80
             and not _is_share(header[k])]
    # The plan's column, not the present one or the change; of "Diện tích (ha)" and "(m2)" the one with a unit, m2 first: it is finer.
    areas.sort(key=lambda k: (_standing(" ".join([*(over or [])[k:k + 1], plains[k]])), {"m2": 0, "ha": 1}.get(_unit(header[k]), 2), k))
    if not areas:
        return None
    code = first(_CODE, (areas[0],))
    name = first(_NAME, (areas[0], code))
    return None if code is None and name is None else (areas[0], name, code)


def _standing(text: str) -> int:
    """Rank the headers of areas: the amended plan, the plan, any, what is there today, what was approved before, the change."""
    for rank, words in ((5, "tang giam|tang|giam|bien dong|chenh lech|chenh|so sanh|thay doi"), (3, "hien trang|hien nay|hien co"),
                        (0, "(?:sau )?dieu chinh|de xuat"), (4, "da duyet|duoc duyet|truoc"), (1, "quy hoach|du kien")):
        if re.search(rf"\b(?:{words})\b", text):
            return rank
    return 2


def _is_share(header: str) -> bool:
    text = plain_unit(header)
    return bool("%" in text or "nguoi" in letters_only(text) or "ty le" in letters_only(text)
                or "co cau" in letters_only(text))


def _unit(text: str) -> str:
    words = re.findall(r"m2(?!\s*/)|\bha\b|\bhec-?ta\b|héc ?ta", plain_unit(text))
    units = {"m2" if word == "m2" else "ha" for word in words}
    return units.pop() if len(units) == 1 else ""


def _rows(sheet, grid: list[list[object]], start: int, area: int, name: int | None, code: int | None,
          unit: str) -> list[StatedRow]:
    factor = HECTARE if unit == "ha" else 1.0
    found: list[tuple[StatedRow, int]] = []
    for line in range(start, len(grid)):
        row = grid[line]
        text, mark = (str(row[k]).strip() if k is not None and k < len(row) and row[k] is not None else ""
                      for k in (name, code))
        value = row[area] if area < len(row) else None
        if not text and not mark:
            continue
        number, decimals, problem = _number(value, sheet.cell(line + 1, area + 1).number_format, unit)
        if value is None or problem and not any(c.isdigit() for c in str(value)):
            if not mark and not match_function(text)[0] and not _TOTAL.search(letters_only(text)):
                continue  # a heading or a note, not a row with a missing figure
            problem = problem or say("ô diện tích trống (hoặc công thức chưa được tính và lưu trong Excel)",
                                     "the cell is blank (or a formula Excel has not computed and saved)")
        found.append((StatedRow(line + 1, text, mark, number * factor, 0.0, problem), decimals))
    # Excel drops the zeros of 8,40 where no format is set: the column's longest such figure tells how exact they are.
    longest = max((-decimals for _, decimals in found if decimals < 0), default=0)
    return [replace(row, rounding_m2=0.5 * 10.0**-(decimals if decimals >= 0 else longest) * factor)
            for row, decimals in found]


def _number(value: object, number_format: str, unit: str) -> tuple[float, int, str]:
    """Return a number, the decimals a reader sees (negative where Excel shows as many as there are), why it is none."""
    if isinstance(value, bool) or value is None:
        return np.nan, 0, ""
    if isinstance(value, (int, float)):
        shown = re.search(r"[0#]\.(0+)", number_format or "")
        if shown:
            return float(value), len(shown[1]), ""
        if re.search(r"[0#]", number_format or "") and (number_format or "General") != "General":
            return float(value), 0, ""
        digits = f"{float(value):.6f}".rstrip("0").partition(".")[2]
        return float(value), -len(digits), ""
    text = re.sub(r"(?:ha|m2|m²)\s*$", "", str(value).strip(), flags=re.IGNORECASE).strip()
    if unit == "m2" and re.fullmatch(r"\d{1,3}(?:\.\d{3})+", text):
        return float(text.replace(".", "")), 0, ""  # "20.000" m² is twenty thousand: nobody measures them to the thousandth
    try:
        number = parse_number(text)
    except InputError as error:
        return np.nan, 0, str(error)
    return (
        number,
        len(text.rpartition(",")[2]) if "," in text else len(text.partition(".")[2]) if text.count(".") == 1 else 0,
        "",
    )


def compare_stated(balance: LandBalance, stated: StatedTable) -> pandas.DataFrame:
    """Compare the stated areas with ours.

    Several rows of one function add up, unless the largest is the sum of the others: then they are its parts.

    Returns
    -------
    DataFrame
        line, stated_text, code, matched ("code", "name", "alike", "total", "group", ""), stated_m2, ours_m2, difference_m2
        (stated less ours), ours_ha and difference_ha (as printed, rounded so that they close), result: same (rounding
        explains it), different, part (repeats the row above it), unmatched,
        unread, missing (ours, not in their table); note.
    """
    rounding = 0.5 * 10.0**-balance.decimals * HECTARE
    ours = balance.rows[balance.rows["kind"] == "function"].set_index("code")["area_m2"]
    records: list[dict[str, object]] = []
    for row in stated.rows:
        code, how, own = _target(balance, row, ours)
        records.append({"line": row.line, "stated_text": row.text or row.code, "code": code, "matched": how,
                        "stated_m2": row.area_m2, "ours_m2": own, "note": row.problem, "step": row.rounding_m2,
                        "result": "unread" if row.problem else "unmatched" if not how else ""})
    for code in dict.fromkeys(record["code"] for record in records if record["matched"] in ("code", "name", "alike")):
        _settle(records, str(code))
    for record in records:
        if record["result"] == "":
            record["result"] = _same(record)
    named = {record["code"] for record in records if record["result"] not in ("unread",)}
    for code, area in ours.items():
        if code not in named and area > rounding:
            name = balance.rows.loc[balance.rows["code"] == code, "name"].iloc[0]
            records.append({"line": None, "stated_text": name, "code": code, "matched": "", "stated_m2": np.nan,
                            "ours_m2": float(area),
                            "result": "missing", "note": ""})
    frame = pandas.DataFrame(
        records, columns=["line", "stated_text", "code", "matched", "stated_m2", "ours_m2", "result", "note"]
    )
    frame["difference_m2"] = frame["stated_m2"] - frame["ours_m2"]
    frame.loc[frame["result"] == "part", "difference_m2"] = np.nan
    printed = balance.rows[balance.rows["kind"] == "function"].set_index("code")["area_ha"].to_dict()
    functions = balance.rows[balance.rows["kind"] == "function"]
    printed |= {f"@{group}": float(area) for group, area in functions.groupby("group")["area_ha"].sum().items()}
    printed["@total"] = float(balance.rows.loc[balance.rows["kind"] == "boundary", "area_ha"].iloc[0])
    frame["ours_ha"] = [printed.get(code, 0.0) if how or result == "missing" else np.nan
                        for code, how, result in zip(frame["code"], frame["matched"], frame["result"])]
    frame["difference_ha"] = (frame["stated_m2"] / HECTARE - frame["ours_ha"]).where(frame["result"] != "part")
    frame["line"] = frame["line"].astype("Int64")
    return frame


def _target(balance: LandBalance, row: StatedRow, ours: pandas.Series) -> tuple[str, str, float]:
    code, how = match_function(row.text, row.code)
    words = plain(row.text)
    group = next((key for key, names in (("non_civil", _GROUPS["non_civil"]), *_GROUPS.items()) if words in names), "")
    if row.code in ours.index:
        return row.code, "code", float(ours[row.code])
    if how == "code" or (how and not group):
        return code, how, float(ours.get(code, 0.0))
    if group:
        return f"@{group}", "group", balance.area_m2(group=group)
    if _TOTAL.search(letters_only(row.text)):
        return "@total", "total", balance.closing("boundary")
    return "", "", np.nan


def _settle(records: list[dict[str, object]], code: str) -> None:
    """Join the rows of one function: parts repeat their whole, others add up."""
    rows = [record for record in records if record["code"] == code and record["result"] == ""]
    if len(rows) < 2:
        return
    whole = max(rows, key=lambda record: record["stated_m2"])
    rest = [record for record in rows if record is not whole]
    slack = _LEAST_M2 + sum(float(record["step"]) for record in rows)
    if abs(sum(float(record["stated_m2"]) for record in rest) - float(whole["stated_m2"])) <= slack:
        for record in rest:
            record["result"], record["note"] = (
                "part",
                say("là một phần của dòng {line}", "part of row {line}").format(line=whole["line"]),
            )
        return
    first, together = rows[0], sum(float(record["stated_m2"]) for record in rows)
    lines = ", ".join(str(record["line"]) for record in rows)
    first["stated_m2"], first["step"] = together, sum(float(record["step"]) for record in rows)
    first["note"] = say("cộng các dòng {lines}", "sum of the rows {lines}").format(lines=lines)
    for record in rows[1:]:
        record["result"], record["note"] = (
            "part",
            say("cộng vào dòng {line}", "added to row {line}").format(line=first["line"]),
        )


def _same(record: dict[str, object]) -> str:
    # Rounding that closes moves a figure by less than one unit of its last decimal; half a unit is ordinary rounding.
    allowed = max(2.0 * float(record["step"]) * (1 - 1e-6), _LEAST_M2)
    return "same" if abs(float(record["stated_m2"]) - float(record["ours_m2"])) < allowed else "different"
