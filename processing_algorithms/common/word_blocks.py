"""Paragraphs, tables and pictures as WordprocessingML, in the look of the paragraph whose place they take.

Written as text: python-docx takes ten times as long, which a batch of a thousand papers would feel.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

if TYPE_CHECKING:
    from lxml.etree import _Element

_NS = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_DRAWING = "http://schemas.openxmlformats.org/drawingml/2006"
#: What names of elements begin with.
W = f"{{{_NS}}}"
_TWIPS_PER_MM, _EMU_PER_MM = 1440 / 25.4, 36_000
#: Properties must keep the order of the standard; these stand before what is put in here.
_BEFORE = {"keepNext": {"pStyle"}, "b": {"rStyle", "rFonts"}, "i": {"rStyle", "rFonts", "b", "bCs"},
           "sz": {"rStyle", "rFonts", "b", "bCs", "i", "iCs", "caps", "smallCaps", "color", "spacing", "w", "kern"}}
#: And these after the alignment of a paragraph.
_AFTER_ALIGNMENT = {"textDirection", "textAlignment", "textboxTightWrap", "outlineLvl", "divId", "cnfStyle", "rPr",
                    "sectPr", "pPrChange"}
#: What XML cannot hold; spreadsheets leave such letters in texts.
NO_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


@dataclass(frozen=True)
class Paragraph:
    """A paragraph of a block. ``lead`` stands bold before the text, such as ``1.`` or ``Ghi chú:``."""

    text: str
    bold: bool = False
    italic: bool = False
    lead: str = ""
    centred: bool = False
    #: Stay on the page of what follows: for headings of tables.
    with_next: bool = False


@dataclass(frozen=True)
class Table:
    """A table of texts. Columns of figures (``numbers``, by position) are set flush right; a total row is bold."""

    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    widths_mm: Sequence[float] = ()
    numbers: frozenset[int] = frozenset()
    total: bool = False
    points: float = 12.0


@dataclass(frozen=True)
class Picture:
    """A square PNG in a paragraph of its own."""

    png: bytes
    width_mm: float
    title: str = ""


Block = Paragraph | Table | Picture


def put_blocks(paragraph: _Element, blocks: Sequence[Block], pictures: list[Picture]) -> None:
    """Put blocks in the place of a paragraph, with its look."""
    look = _Look(paragraph)
    xml = ""
    for block in blocks:
        if isinstance(block, Table):
            xml += _table_xml(block, look)
        elif isinstance(block, Paragraph):
            xml += f"<w:p>{look.paragraph(block.centred, block.with_next)}"
            if block.lead:
                xml += _run_xml(f"{block.lead} " if block.text else block.lead, look.run(True, block.italic))
            xml += f"{_run_xml(block.text, look.run(block.bold, block.italic)) if block.text else ''}</w:p>"
        else:
            pictures.append(block)
            xml += f"<w:p>{look.paragraph(True, False)}{_picture_xml(block, len(pictures))}</w:p>"
    if paragraph.getparent().tag == f"{W}tc" and not xml.endswith("</w:p>"):
        xml += "<w:p/>"  # a cell ends with a paragraph, or Word calls it broken
    for element in elements(xml):
        paragraph.addprevious(element)
    paragraph.getparent().remove(paragraph)


class _Look:
    """The properties of a paragraph and its first run as XML, with what a block adds."""

    def __init__(self, model: _Element):
        self._model, self._kept = model, {}  # type: ignore[var-annotated]

    def paragraph(self, centred: bool, with_next: bool) -> str:
        key = ("paragraph", centred, with_next)
        if key not in self._kept:
            additions = {"keepNext": "<w:keepNext/>"} if with_next else {}
            properties = self._with("pPr", self._model.find(f"{W}pPr"), additions)
            if centred:
                for name in ("jc", "ind"):
                    for element in properties.findall(f"{W}{name}"):
                        properties.remove(element)
                place = next((at for at, child in enumerate(properties) if _name(child) in _AFTER_ALIGNMENT),
                             len(properties))
                properties.insert(place, elements('<w:jc w:val="center"/>')[0])
            self._kept[key] = _written(properties)
        return self._kept[key]

    def run(self, bold: bool, italic: bool, points: float | None = None) -> str:
        key = ("run", bold, italic, points)
        if key not in self._kept:
            additions = {"b": "<w:b/>"} if bold else {}
            additions |= {"i": "<w:i/>"} if italic else {}
            additions |= {"sz": f'<w:sz w:val="{round(2 * points)}"/>'} if points is not None else {}
            self._kept[key] = _written(self._with("rPr", self._model.find(f"{W}r/{W}rPr"), additions))
        return self._kept[key]

    def _with(self, tag: str, properties: _Element | None, additions: Mapping[str, str]) -> _Element:
        result = copy.deepcopy(properties) if properties is not None else elements(f"<w:{tag}/>")[0]
        for name, xml in additions.items():
            for element in result.findall(f"{W}{name}"):
                result.remove(element)
            place = next((at for at, child in enumerate(result) if _name(child) not in _BEFORE[name]), len(result))
            result.insert(place, elements(xml)[0])
        return result


def _name(element: _Element) -> str:
    return str(element.tag).rpartition("}")[2]


def _written(element: _Element) -> str:
    from lxml.etree import tostring

    return tostring(element, encoding="unicode", with_tail=False)


def elements(xml: str) -> list[_Element]:
    from lxml.etree import fromstring

    return list(fromstring(f'<w:x xmlns:w="{_NS}" xmlns:r="{OFFICE}">{xml}</w:x>'))


def lines_xml(text: str) -> str:
    """Return a text as the content of a run, with its line breaks."""
    return "<w:br/>".join(
        f'<w:t xml:space="preserve">{escape(line)}</w:t>' for line in NO_XML.sub("", text).split("\n")
    )


def _run_xml(text: str, look: str) -> str:
    return f"<w:r>{look}{lines_xml(text)}</w:r>"


def _table_xml(table: Table, look: _Look) -> str:
    columns = len(table.header)
    widths = [round(width * _TWIPS_PER_MM) for width in table.widths_mm or [160 / columns] * columns]
    lines = "".join(f'<w:{side} w:val="single" w:sz="4" w:space="0" w:color="000000"/>'
                    for side in ("top", "left", "bottom", "right", "insideH", "insideV"))
    grid = "".join(f'<w:gridCol w:w="{width}"/>' for width in widths)
    last = len(table.rows) - 1
    rows = _row_xml(table.header, table, widths, look.run(True, False, table.points), header=True)
    for at, row in enumerate(table.rows):
        rows += _row_xml(row, table, widths, look.run(table.total and at == last, False, table.points), header=False)
    return (f'<w:tbl><w:tblPr><w:tblW w:w="{sum(widths)}" w:type="dxa"/><w:jc w:val="center"/><w:tblBorders>{lines}'
            '</w:tblBorders><w:tblLayout w:type="fixed"/><w:tblCellMar><w:left w:w="60" w:type="dxa"/><w:right '
            f'w:w="60" w:type="dxa"/></w:tblCellMar></w:tblPr><w:tblGrid>{grid}</w:tblGrid>{rows}</w:tbl>'
            # A little room below; two tables without a paragraph between them would be one.
            '<w:p><w:pPr><w:spacing w:before="0" w:after="60" w:line="120" w:lineRule="exact"/></w:pPr></w:p>')


def _row_xml(texts: Sequence[str], table: Table, widths: Sequence[int], look: str, *, header: bool) -> str:
    cells = ""
    for column, (text, width) in enumerate(zip(texts, widths)):
        side = "center" if header else "right" if column in table.numbers else "left"
        cells += (f'<w:tc><w:tcPr><w:tcW w:w="{width}" w:type="dxa"/><w:vAlign w:val="center"/></w:tcPr><w:p><w:pPr>'
                  f'<w:spacing w:before="20" w:after="20" w:line="240" w:lineRule="auto"/><w:ind w:firstLine="0"/>'
                  f'<w:jc w:val="{side}"/></w:pPr>{_run_xml(text, look)}</w:p></w:tc>')
    return f'<w:tr><w:trPr><w:cantSplit/>{"<w:tblHeader/>" if header else ""}</w:trPr>{cells}</w:tr>'


def _picture_xml(picture: Picture, number: int) -> str:
    size = f'cx="{round(picture.width_mm * _EMU_PER_MM)}" cy="{round(picture.width_mm * _EMU_PER_MM)}"'
    name = f'id="{9000 + number}" name="picture{number}" descr="{escape(picture.title, {chr(34): "&quot;"})}"'
    return (f'<w:r><w:drawing><wp:inline xmlns:wp="{_DRAWING}/wordprocessingDrawing" distT="0" distB="0" distL="0" '
            f'distR="0"><wp:extent {size}/><wp:docPr {name}/><a:graphic xmlns:a="{_DRAWING}/main"><a:graphicData '
            f'uri="{_DRAWING}/picture"><pic:pic xmlns:pic="{_DRAWING}/picture"><pic:nvPicPr><pic:cNvPr {name}/>'
            f'<pic:cNvPicPr/></pic:nvPicPr><pic:blipFill><a:blip r:embed="quyhoach{number}"/><a:stretch><a:fillRect/>'
            f'</a:stretch></pic:blipFill><pic:spPr><a:xfrm><a:off x="0" y="0"/><a:ext {size}/></a:xfrm><a:prstGeom '
            'prst="rect"><a:avLst/></a:prstGeom></pic:spPr></pic:pic></a:graphicData></a:graphic></wp:inline>'
            '</w:drawing></w:r>')
