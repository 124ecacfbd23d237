"""The text of a bulletin that came as a file: plain text, a Word document, or a spreadsheet."""

from __future__ import annotations

from pathlib import Path

from ...common.errors import InputError
from ...common.language import say


def read_bulletin_file(path: str | Path) -> str:
    """Return the text; table rows become lines with tabs between their cells.

    Parameters
    ----------
    path : path
        ``.txt`` or any plain text (UTF-8 or UTF-16), ``.docx``, ``.xlsx``.

    Raises
    ------
    InputError
        No such file, another kind of file, or text in an old Vietnamese encoding.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(say("Không có tệp bản tin {path}.", "There is no bulletin file {path}.").format(path=path))
    try:
        if path.suffix.lower() == ".docx":
            return _word(path)
        if path.suffix.lower() in (".xlsx", ".xlsm"):
            return _spreadsheet(path)
        return _plain(path.read_bytes())
    except (OSError, ValueError, KeyError) as error:
        raise InputError(say("Không đọc được tệp bản tin {path}: cần tệp .txt (UTF-8), .docx hoặc .xlsx; có thể dán nội dung vào "
                             "ô bản tin.",
                             "The bulletin file {path} cannot be read: it must be .txt (UTF-8), .docx or .xlsx; or paste its "
                             "text.").format(path=path)) from error


def _plain(data: bytes) -> str:
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return data.decode("utf-16")
    if b"\x00" in data:
        raise ValueError("binary")
    return data.decode("utf-8-sig")


def _word(path: Path) -> str:
    from zipfile import BadZipFile

    import docx
    from docx.opc.exceptions import PackageNotFoundError

    try:
        document = docx.Document(str(path))
    except (PackageNotFoundError, BadZipFile) as error:
        raise ValueError("no Word document") from error
    lines = []
    for block in document.element.body.iterchildren():
        if block.tag.endswith("}p"):
            lines.append("".join(node.text or "" for node in block.iter() if node.tag.endswith("}t")))
        elif block.tag.endswith("}tbl"):
            table = docx.table.Table(block, document)
            lines += ["\t".join(" ".join(cell.text.split()) for cell in row.cells) for row in table.rows]
    return "\n".join(lines)


def _spreadsheet(path: Path) -> str:
    from zipfile import BadZipFile

    import openpyxl
    from openpyxl.utils.exceptions import InvalidFileException

    try:
        book = openpyxl.load_workbook(path, read_only=True, data_only=True)
    except (BadZipFile, InvalidFileException) as error:
        raise ValueError("no workbook") from error
    try:
        return "\n".join(
            "\t".join(_cell(value) for value in row) for sheet in book for row in sheet.iter_rows(values_only=True)
        )
    finally:
        book.close()


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:g}".replace(".", ",")
    return f"{value:%H:%M %d/%m/%Y}" if hasattr(value, "hour") and hasattr(value, "year") else str(value)
