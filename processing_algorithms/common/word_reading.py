"""What a Word file (.docx) says: its paragraphs and tables, to be compared with what was written."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .word_blocks import W
from .word_document import WordTemplate

if TYPE_CHECKING:
    from lxml.etree import _Element


@dataclass(frozen=True)
class Written:
    """One thing a document says: a paragraph, or a table row by row (``text`` is empty then)."""

    text: str
    cells: tuple[tuple[str, ...], ...] = ()


def read_words(data: bytes) -> list[Written]:
    """Return what a document says, in the order of the text; spaces are single, letters composed, blanks left out.

    Deleted text of tracked changes is not part of it, inserted text is.

    Raises
    ------
    InputError
        The data are no Word document.
    """
    found: list[Written] = []
    for element in WordTemplate(data).body():
        if element.tag == f"{W}p" and (text := _plain(_said(element))):
            found.append(Written(text))
        elif element.tag == f"{W}tbl":
            rows = tuple(tuple(_plain("\n".join(_said(p) for p in cell.iter(f"{W}p")))
                               for cell in row.findall(f"{W}tc")) for row in element.findall(f"{W}tr"))
            found.append(Written("", rows))
    return found


def _said(paragraph: _Element) -> str:
    signs = {f"{W}br": "\n", f"{W}tab": " "}
    return "".join((node.text or "") if node.tag == f"{W}t" else signs.get(node.tag, "") for node in paragraph.iter())


def _plain(text: str) -> str:
    return " ".join(unicodedata.normalize("NFC", text).split())
