"""Corners that come as a file instead of pasted text."""

from __future__ import annotations

from pathlib import Path

from ...common.errors import InputError
from ...common.language import say

_TEXT, _EXCEL = (".csv", ".txt"), ".xlsx"


def corner_text(text: str) -> str:
    """Return pasted corners as they are, and the contents of a file whose path was pasted.

    Raises
    ------
    InputError
        The file cannot be read.
    """
    path = Path(text.strip().strip("\"'"))
    if "\n" in text.strip() or path.suffix.lower() not in (*_TEXT, _EXCEL):
        return text
    try:
        if path.suffix.lower() == _EXCEL:
            return _first_sheet(path)
        data = path.read_bytes()
    except OSError as error:
        raise InputError(say("Không đọc được tệp tọa độ {path} ({why}).", "The file of corners {path} cannot be read "
                                                                          "({why}).")
                         .format(path=path, why=error.strerror or error)) from error
    for encoding in ("utf-8-sig", "utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "cp1258"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise InputError(say("Tệp tọa độ {path} không phải tệp văn bản.",
                         "The file of corners {path} is no text.").format(path=path))


def _first_sheet(path: Path) -> str:
    import zipfile

    import openpyxl

    try:
        book = openpyxl.load_workbook(path, read_only=True, data_only=True)
    except (zipfile.BadZipFile, KeyError, ValueError) as error:
        raise InputError(say("Không đọc được bảng tính {path}.",
                             "The workbook {path} cannot be read.").format(path=path)) from error
    try:
        # repr keeps all digits of a number; commas and points then mean one thing.
        rows = [["" if cell is None else f"{cell:.4f}" if isinstance(cell, float) else str(cell) for cell in row]
                for row in book.worksheets[0].iter_rows(values_only=True)]
    finally:
        book.close()
    return "\n".join("\t".join(row) for row in rows)
