"""Word files (.docx) that people go on editing, filled from a template.

A template is an ordinary document with placeholders in double braces, ``{{Số văn bản}}``. Their names are compared
without case, diacritics and spaces, so that an office may type them as it likes and Word may break them over runs. A
placeholder inside a sentence takes a text; one that is a paragraph of its own may take blocks: paragraphs, tables and
pictures, which get the look of that paragraph. The contents are written into the XML of the template: python-docx
takes ten times as long, which a batch of a thousand papers would feel.

>>> template = WordTemplate(Path("mau.docx"))                                                  # doctest: +SKIP
>>> data = template.fill({"co_quan": "SỞ XÂY DỰNG"}, {"bang_chi_tieu": [Table(("Ô", "Tầng"), [("A1", "5")])]})
"""

from __future__ import annotations

import copy
import io
import re
import unicodedata
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

from .errors import InputError, refuse_if
from .language import say

if TYPE_CHECKING:
    from lxml.etree import _Element

_NS = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_DRAWING = "http://schemas.openxmlformats.org/drawingml/2006"
_W, _SPACE = f"{{{_NS}}}", "{http://www.w3.org/XML/1998/namespace}space"
_BODY = "word/document.xml"
_TEXT_PARTS = re.compile(r"word/(document|header\d*|footer\d*)\.xml")
#: The parts of a package that change when pictures come.
_TYPES, _LINKS = "[Content_Types].xml", "word/_rels/document.xml.rels"
_PLACEHOLDER = re.compile(r"\{\{\s*([^{}]+?)\s*\}\}")
_TWIPS_PER_MM, _EMU_PER_MM = 1440 / 25.4, 36_000
#: Properties must keep the order of the standard; these stand before what is put in here.
_BEFORE = {"keepNext": {"pStyle"}, "b": {"rStyle", "rFonts"}, "i": {"rStyle", "rFonts", "b", "bCs"},
           "sz": {"rStyle", "rFonts", "b", "bCs", "i", "iCs", "caps", "smallCaps", "color", "spacing", "w", "kern"}}
#: And these after the alignment of a paragraph.
_AFTER_ALIGNMENT = {"textDirection", "textAlignment", "textboxTightWrap", "outlineLvl", "divId", "cnfStyle", "rPr",
                    "sectPr", "pPrChange"}
#: What XML cannot hold; spreadsheets leave such letters in texts.
_NO_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
#: So that the same contents are the same file.
_TIMESTAMP = (2026, 1, 1, 0, 0, 0)


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


def placeholder_key(name: str) -> str:
    """Return the name by which a placeholder is known.

    Examples
    --------
    >>> placeholder_key("Số văn  bản"), placeholder_key("NƠI_ĐẾN")
    ('so_van_ban', 'noi_den')
    """
    plain = "".join(c for c in unicodedata.normalize("NFD", name.lower()) if not unicodedata.combining(c))
    return re.sub(r"[\s_]+", "_", plain.replace("đ", "d").strip())


class WordTemplate:
    """A document with placeholders, read once and filled many times.

    Parameters
    ----------
    source : Path or bytes

    Raises
    ------
    InputError
        The file is missing or no Word document (.docx).
    """

    def __init__(self, source: Path | bytes):
        from lxml.etree import XMLSyntaxError, fromstring

        try:
            self.data = source.read_bytes() if isinstance(source, Path) else source
            with zipfile.ZipFile(io.BytesIO(self.data)) as package:
                contents = {name: package.read(name) for name in package.namelist()}
            self._texts = {name: data for name, data in contents.items() if _TEXT_PARTS.fullmatch(name)}
            self._relations = {name: contents[name] for name in (_TYPES, _LINKS)}
            fromstring(self._texts[_BODY])
        except (OSError, zipfile.BadZipFile, KeyError, XMLSyntaxError) as error:
            raise InputError(say("{path} không phải là tệp Word (.docx) đọc được; hãy lưu lại mẫu dưới dạng .docx.",
                                 "{path} is not a readable Word file (.docx); save the template as .docx.")
                             .format(path=source if isinstance(source, Path) else "docx")) from error
        # Packed once: what does not change is not compressed again for every document.
        self._packed = _packed({name: data for name, data in contents.items()
                                if name not in self._texts and name not in self._relations})

    def placeholders(self) -> dict[str, str]:
        """Return the placeholders as written, by key, in the order of the text."""
        from lxml.etree import fromstring

        found: dict[str, str] = {}
        for data in self._texts.values():
            for paragraph in fromstring(data).iter(f"{_W}p"):
                for name in _PLACEHOLDER.findall(_text(paragraph)):
                    found.setdefault(placeholder_key(name), name)
        return found

    def check(self, known: Sequence[str], needed: Sequence[str], name: str) -> None:
        """Refuse a template with placeholders nobody fills, or without those that must be there.

        Parameters
        ----------
        known, needed : sequence of str
            Placeholders as people write them.
        name : str
            Of the template, for the message.
        """
        present, keys = self.placeholders(), {placeholder_key(one) for one in known}
        strange = [written for key, written in present.items() if key not in keys]
        missing = [one for one in needed if placeholder_key(one) not in present]
        refuse_if([
            say("Mẫu {name} có chỗ điền không hiểu được: {names}; các chỗ điền: {known}.",
                "Template {name} has unknown placeholders: {names}; known are: {known}.")
            .format(name=name, names=_braced(strange), known=_braced(known)) if strange else "",
            say("Mẫu {name} thiếu chỗ điền bắt buộc: {names}.", "Template {name} lacks the placeholders: {names}.")
            .format(name=name, names=_braced(missing)) if missing else ""])

    def fill(self, texts: Mapping[str, str], blocks: Mapping[str, Sequence[Block]] | None = None) -> bytes:
        """Return the filled document; the same contents give the same bytes.

        Parameters
        ----------
        texts, blocks : mapping
            By placeholder, written in any way `placeholder_key` takes for the same. A text may have line breaks. A
            placeholder without value stays as it is, to be seen.
        """
        from lxml.etree import fromstring, tostring

        words = {placeholder_key(key): _NO_XML.sub("", value) for key, value in texts.items()}
        built = {placeholder_key(key): value for key, value in (blocks or {}).items()}
        changed = dict(self._relations)
        pictures: list[Picture] = []
        for name, data in self._texts.items():
            root = fromstring(data)
            for paragraph in list(root.iter(f"{_W}p")):
                text = _text(paragraph)
                if "{{" not in text:
                    continue
                alone = _PLACEHOLDER.fullmatch(text.strip())
                if name == _BODY and alone and placeholder_key(alone[1]) in built:
                    _put_blocks(paragraph, built[placeholder_key(alone[1])], pictures)
                else:
                    _put_texts(paragraph, words)
            changed[name] = tostring(root, encoding="UTF-8", xml_declaration=True, standalone=True)
        if pictures:
            _enter(changed, pictures)
        return _packed(changed, self._packed)


def _packed(parts: Mapping[str, bytes], before: bytes = b"") -> bytes:
    stream = io.BytesIO(before)
    with zipfile.ZipFile(stream, "a", zipfile.ZIP_DEFLATED) as package:
        for name, data in parts.items():
            entry = zipfile.ZipInfo(name, _TIMESTAMP)
            entry.compress_type = zipfile.ZIP_DEFLATED
            package.writestr(entry, data)
    return stream.getvalue()


def _braced(names: Sequence[str]) -> str:
    return ", ".join(f"{{{{{name}}}}}" for name in names)


def _text(paragraph: _Element) -> str:
    return "".join(node.text or "" for node in paragraph.iter(f"{_W}t"))


def _put_texts(paragraph: _Element, words: Mapping[str, str]) -> None:
    """Replace placeholders that may be broken over several runs; the first run's look is kept."""
    nodes = list(paragraph.iter(f"{_W}t"))
    for found in reversed(list(_PLACEHOLDER.finditer("".join(node.text or "" for node in nodes)))):
        value = words.get(placeholder_key(found[1]))
        if value is None:
            continue
        position = 0
        for node in nodes:
            text = node.text or ""
            start, end = max(found.start() - position, 0), min(found.end() - position, len(text))
            if start < end:
                node.text = text[:start] + (value if position <= found.start() else "") + text[end:]
            position += len(text)
    for node in nodes:
        node.set(_SPACE, "preserve")
        if "\n" in (node.text or ""):
            for element in _elements(_lines_xml(node.text or "")):
                node.addprevious(element)
            node.getparent().remove(node)


def _put_blocks(paragraph: _Element, blocks: Sequence[Block], pictures: list[Picture]) -> None:
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
    if paragraph.getparent().tag == f"{_W}tc" and not xml.endswith("</w:p>"):
        xml += "<w:p/>"  # a cell ends with a paragraph, or Word calls it broken
    for element in _elements(xml):
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
            properties = self._with("pPr", self._model.find(f"{_W}pPr"), additions)
            if centred:
                for name in ("jc", "ind"):
                    for element in properties.findall(f"{_W}{name}"):
                        properties.remove(element)
                place = next((at for at, child in enumerate(properties) if _name(child) in _AFTER_ALIGNMENT),
                             len(properties))
                properties.insert(place, _elements('<w:jc w:val="center"/>')[0])
            self._kept[key] = _written(properties)
        return self._kept[key]

    def run(self, bold: bool, italic: bool, points: float | None = None) -> str:
        key = ("run", bold, italic, points)
        if key not in self._kept:
            additions = {"b": "<w:b/>"} if bold else {}
            additions |= {"i": "<w:i/>"} if italic else {}
            additions |= {"sz": f'<w:sz w:val="{round(2 * points)}"/>'} if points is not None else {}
            self._kept[key] = _written(self._with("rPr", self._model.find(f"{_W}r/{_W}rPr"), additions))
        return self._kept[key]

    def _with(self, tag: str, properties: _Element | None, additions: Mapping[str, str]) -> _Element:
        result = copy.deepcopy(properties) if properties is not None else _elements(f"<w:{tag}/>")[0]
        for name, xml in additions.items():
            for element in result.findall(f"{_W}{name}"):
                result.remove(element)
            place = next((at for at, child in enumerate(result) if _name(child) not in _BEFORE[name]), len(result))
            result.insert(place, _elements(xml)[0])
        return result


def _name(element: _Element) -> str:
    return str(element.tag).rpartition("}")[2]


def _written(element: _Element) -> str:
    from lxml.etree import tostring

    return tostring(element, encoding="unicode", with_tail=False)


def _elements(xml: str) -> list[_Element]:
    from lxml.etree import fromstring

    return list(fromstring(f'<w:x xmlns:w="{_NS}" xmlns:r="{_OFFICE}">{xml}</w:x>'))


def _lines_xml(text: str) -> str:
    return "<w:br/>".join(f'<w:t xml:space="preserve">{escape(line)}</w:t>' for line in _NO_XML.sub("",
                                                                                                    text).split("\n"))


def _run_xml(text: str, look: str) -> str:
    return f"<w:r>{look}{_lines_xml(text)}</w:r>"


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


def _enter(parts: dict[str, bytes], pictures: Sequence[Picture]) -> None:
    """Add pictures to the package, with their relations and type."""
    from lxml.etree import SubElement, fromstring, tostring

    types, links = fromstring(parts[_TYPES]), fromstring(parts[_LINKS])
    if not any(one.get("Extension") == "png" for one in types):
        SubElement(types, f"{{{_PACKAGE}/content-types}}Default", Extension="png", ContentType="image/png")
    for number, picture in enumerate(pictures, 1):
        parts[f"word/media/quyhoach{number}.png"] = picture.png
        SubElement(links, f"{{{_PACKAGE}/relationships}}Relationship", Id=f"quyhoach{number}",
                   Type=f"{_OFFICE}/image", Target=f"media/quyhoach{number}.png")
    for name, root in ((_TYPES, types), (_LINKS, links)):
        parts[name] = tostring(root, encoding="UTF-8", xml_declaration=True, standalone=True)


# reading ----------------------------------------------------------------------------------------------------------


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
    from lxml.etree import fromstring

    found: list[Written] = []
    for element in fromstring(WordTemplate(data)._texts[_BODY])[0]:
        if element.tag == f"{_W}p" and (text := _plain(_said(element))):
            found.append(Written(text))
        elif element.tag == f"{_W}tbl":
            rows = tuple(tuple(_plain("\n".join(_said(p) for p in cell.iter(f"{_W}p")))
                               for cell in row.findall(f"{_W}tc")) for row in element.findall(f"{_W}tr"))
            found.append(Written("", rows))
    return found


def _said(paragraph: _Element) -> str:
    signs = {f"{_W}br": "\n", f"{_W}tab": " "}
    return "".join((node.text or "") if node.tag == f"{_W}t" else signs.get(node.tag, "") for node in paragraph.iter())


def _plain(text: str) -> str:
    return " ".join(unicodedata.normalize("NFC", text).split())
