"""Reads the tables of norms as they stand on a date."""

from __future__ import annotations

import csv
import datetime
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType

from ..errors import InputError
from ..language import say
from ..numbers_vi import format_date

FOLDER = Path(__file__).parent
#: Columns every table has.
COMMON_COLUMNS = ("regulation", "table", "row", "source", "valid_from", "valid_to", "confidence")
#: From surest to least sure. The last two are shown as defaults the user confirms.
CONFIDENCE = ("text", "secondary", "conflict", "memory", "analogy")

Row = Mapping[str, object]


@dataclass(frozen=True)
class Regulation:
    """A document the figures come from. Dates are the first and last day in force; None is open."""

    id: str
    number: str
    family: str
    title_vi: str
    title_en: str
    issued_by: str
    confidence: str
    valid_from: datetime.date | None = None
    valid_to: datetime.date | None = None
    transition: str = ""
    note: str = ""

    def in_force(self, on: datetime.date) -> bool:
        """Tell whether the regulation is in force on a day."""
        return (self.valid_from is None or self.valid_from <= on) and (self.valid_to is None or on <= self.valid_to)


@dataclass(frozen=True)
class NormTable:
    """The rows of one table that hold on one date.

    Attributes
    ----------
    rows : tuple of mapping
        Column name to value: float or int for columns declared as numbers (None where blank), dates for validity,
        str otherwise. Empty when nothing is known for the date.
    reason : str
        Why there are no rows, as a sentence; empty when there are. The caller's verdict then is "chưa đủ căn cứ đánh giá".
    origin : Path
        The file the rows were read from: the national one or a province's.
    version : str
        The state of the standard the table carries, where reports must name it.
    """

    name: str
    title: str
    on: datetime.date | None
    rows: tuple[Row, ...]
    reason: str
    origin: Path
    version: str = ""

    @property
    def known(self) -> bool:
        """Tell whether the table has figures for its date."""
        return bool(self.rows)

    def citation(self, row: Row) -> str:
        """Quote regulation, table and row, as every verdict must.

        Examples
        --------
        >>> table = load_table("max_density_housing", on=datetime.date(2026, 1, 1))
        >>> table.citation(table.rows[0])
        'QCVN 01:2021/BXD, mục 2.6.3 Bảng 2.8, dòng 1'
        """
        regulation = regulations().get(str(row["regulation"]))
        # What no regulation's table says stands under our own table's name; people read its title.
        place = f"“{self.title}”" if row["table"] == self.name else str(row["table"])
        parts = [regulation.number if regulation else str(row["regulation"]), place]
        if row["row"]:
            parts.append(say("dòng {row}", "row {row}").format(row=row["row"]))
        return ", ".join(part for part in parts if part)


#: How sure a figure is, by its code.
_CONFIDENCE_WORDS = {
    "text": ("đọc trong nguyên văn", "read in the text itself"),
    "secondary": ("đọc qua bản chép lại, cần đối chiếu với bản gốc", "read in a transcription, to be compared"),
    "conflict": ("các nguồn khác nhau", "sources disagree"),
    "memory": ("theo trí nhớ, cần xác nhận", "from memory, to be confirmed"),
    "analogy": ("do phần mềm đề xuất, cần xác nhận", "our proposal, to be confirmed"),
}


def confidence_label(code: str) -> str:
    """Return how sure a figure is in words; "" for no code."""
    return say(*_CONFIDENCE_WORDS[code]) if code else ""


@lru_cache(maxsize=1)
def regulations() -> Mapping[str, Regulation]:
    """Return all regulations by id."""
    with open(FOLDER / "regulations.toml", "rb") as file:
        return MappingProxyType({key: Regulation(id=key, **values) for key, values in tomllib.load(file).items()})


def regulation_in_force(family: str, on: datetime.date) -> Regulation | None:
    """Return the regulation of a family that is in force on a day.

    Examples
    --------
    >>> regulation_in_force("QCVN 01", datetime.date(2026, 12, 31)).number
    'QCVN 01:2021/BXD'
    >>> regulation_in_force("QCVN 01", datetime.date(2027, 1, 1)).number
    'QCVN 01:2026/BXD'
    """
    found = [item for item in regulations().values() if item.family == family and item.in_force(on)]
    return found[0] if found else None


def deciding_date(
    family: str,
    *,
    on: datetime.date,
    approved: datetime.date | None = None,
    appraised: datetime.date | None = None,
) -> datetime.date:
    """Return the date whose regulation a plan is judged by.

    Where the regulation's transition rule is "decision", a plan approved or already appraised while it was in force
    keeps it; every other plan is judged by the day itself.

    Parameters
    ----------
    family : str
        Of regulations that follow one another, such as "QCVN 01".
    on : date
        The day of the judgement.
    approved, appraised : date, optional
        Of the plan, where they are known.

    Examples
    --------
    >>> deciding_date("QCVN 01", on=datetime.date(2027, 3, 1), appraised=datetime.date(2026, 11, 20))
    datetime.date(2026, 11, 20)
    """
    decided = [date for date in (approved, appraised) if date is not None and date <= on]
    if not decided:
        return on
    regulation = regulation_in_force(family, min(decided))
    return min(decided) if regulation and regulation.transition == "decision" else on


def load_table(
    name: str, *, on: datetime.date | None, province_folder: str | Path | None = None
) -> NormTable:
    """Read the rows of a table that are valid on a date.

    Parameters
    ----------
    name : str
        A table of ``tables.toml``.
    on : date or None
        None gives all rows of all times.
    province_folder : path, optional
        A province's own ``<name>.csv`` there replaces the national table.

    Returns
    -------
    NormTable
        With a reason instead of rows when no figure is known for the date.

    Raises
    ------
    InputError
        A province's file lacks columns or has a value that cannot be read; all faults are told with line and column.

    Examples
    --------
    >>> load_table("max_density_housing", on=datetime.date(2026, 1, 1)).rows[0]["max_net_density_pct"]
    100.0
    >>> load_table("max_density_housing", on=datetime.date(2027, 1, 1)).known
    False
    """
    description = _descriptions()[name]
    origin = FOLDER / "tables" / f"{name}.csv"
    if province_folder is not None and (Path(province_folder) / f"{name}.csv").is_file():
        origin = Path(province_folder) / f"{name}.csv"
    every_row = _read(name, origin, origin.stat().st_mtime_ns)
    rows, reason = every_row, ""
    if on is not None:
        rows = tuple(row for row in every_row if _valid(row, on))
        known_from = description.get("known_from")
        national = origin.parent == FOLDER / "tables"
        if not rows or (national and known_from and on < known_from):
            rows, reason = (), _reason(name, str(description["family"]), on)
    return NormTable(name, _title(description), on, rows, reason, origin, str(description.get("version", "")))


def _reason(name: str, family: str, on: datetime.date) -> str:
    regulation = regulation_in_force(family, on)
    title = _title(_descriptions()[name])
    if regulation is None:
        return say("Chưa có số liệu của bảng \"{title}\" áp dụng vào ngày {day}.",
                   "No figures are known of the table \"{title}\" as of {day}.").format(title=title, day=format_date(on))
    return say("Ngày {day} áp dụng {number}; chưa có số liệu của bảng \"{title}\" theo văn bản này.",
               "On {day} {number} applies; its figures of the table \"{title}\" are not known.").format(
                   day=format_date(on), number=regulation.number, title=title)


def _title(description: Mapping[str, object]) -> str:
    return say(str(description["title_vi"]), str(description["title_en"]))


@lru_cache(maxsize=1)
def _descriptions() -> Mapping[str, Mapping[str, object]]:
    with open(FOLDER / "tables.toml", "rb") as file:
        return MappingProxyType(tomllib.load(file))


def _valid(row: Row, on: datetime.date) -> bool:
    start, end = row["valid_from"], row["valid_to"]
    return (start is None or start <= on) and (end is None or on <= end)


@lru_cache(maxsize=64)
def _read(name: str, origin: Path, changed: int) -> tuple[Row, ...]:
    # `changed` is the file's time stamp: an edited file is read again.
    description = _descriptions()[name]
    with open(origin, encoding="utf-8-sig", newline="") as file:
        header = file.readline()
        # Excel with Vietnamese settings separates by semicolons and writes the decimal comma.
        separator = ";" if header.count(";") > header.count(",") else ","
        file.seek(0)
        reader = csv.DictReader(file, delimiter=separator)
        try:
            raw = list(reader)
        except (UnicodeDecodeError, csv.Error) as error:
            raise InputError(
                say(
                    "Không đọc được bảng {file}: hãy lưu lại dạng CSV UTF-8.",
                    "The table {file} cannot be read: save it as CSV in UTF-8.",
                ).format(file=origin)
            ) from error
    columns = [column.strip() for column in reader.fieldnames or []]
    lacking = [column for column in (*description.get("required", ()), *COMMON_COLUMNS) if column not in columns]
    if lacking:
        raise InputError(say("Bảng {file} thiếu cột: {columns}.", "The table {file} lacks columns: {columns}.")
                         .format(file=origin, columns=", ".join(lacking)))
    kinds: dict[str, type] = dict.fromkeys(description.get("numbers", ()), float)
    kinds |= dict.fromkeys(description.get("integers", ()), int)
    kinds |= {"valid_from": datetime.date, "valid_to": datetime.date}
    rows, problems = [], []
    for line, record in enumerate(raw, start=2):
        row: dict[str, object] = {}
        for column in columns:
            text = (record.get(column) or "").strip()
            try:
                row[column] = _value(text, kinds.get(column, str), separator)
            except ValueError:
                problems.append(say("Bảng {file}, dòng {line}, cột {column}: không đọc được giá trị \"{text}\".",
                                    "Table {file}, line {line}, column {column}: cannot read \"{text}\".")
                                .format(file=origin, line=line, column=column, text=text))
        if row.get("confidence") not in CONFIDENCE:
            problems.append(say("Bảng {file}, dòng {line}: cột confidence phải là một trong {words}.",
                                "Table {file}, line {line}: confidence must be one of {words}.")
                            .format(file=origin, line=line, words=", ".join(CONFIDENCE)))
        rows.append(MappingProxyType(row))
    if problems:
        raise InputError(problems)
    return tuple(rows)


def _value(text: str, kind: type, separator: str) -> object:
    if kind is str:
        return text
    if not text:
        return None
    if kind is datetime.date:
        return datetime.date.fromisoformat(text)
    return kind(text.replace(",", ".") if separator == ";" else text)
