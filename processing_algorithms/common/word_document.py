"""Word files (.docx) that people go on editing, filled from a template.

A template is an ordinary document with placeholders in double braces, ``{{Số văn bản}}``. Their names are compared
without case, diacritics and spaces, so that an office may type them as it likes and Word may break them over runs. A
placeholder inside a sentence takes a text; one that is a paragraph of its own may take blocks: paragraphs, tables and
pictures, which get the look of that paragraph (`word_blocks`). `word_reading` reads such files back.

>>> template = WordTemplate(Path("mau.docx"))                                                  # doctest: +SKIP
>>> data = template.fill({"co_quan": "SỞ XÂY DỰNG"}, {"bang_chi_tieu": [Table(("Ô", "Tầng"), [("A1", "5")])]})
"""

from __future__ import annotations

import io
import re
import unicodedata
import zipfile
from collections.abc import Mapping, Sequence
from copy import deepcopy
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from .errors import InputError, refuse_if
from .language import say
from .word_blocks import NO_XML, OFFICE, Block, Picture, W, elements, lines_xml, put_blocks

if TYPE_CHECKING:
    from lxml.etree import _Element

_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_SPACE = "{http://www.w3.org/XML/1998/namespace}space"
_BODY = "word/document.xml"
_TEXT_PARTS = re.compile(r"word/(document|header\d*|footer\d*)\.xml")
#: The parts of a package that change when pictures come.
_TYPES, _LINKS = "[Content_Types].xml", "word/_rels/document.xml.rels"
_PLACEHOLDER = re.compile(r"\{\{\s*([^{}]+?)\s*\}\}")
#: So that the same contents are the same file.
_TIMESTAMP = (2026, 1, 1, 0, 0, 0)


@lru_cache(maxsize=1000)
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

    def body(self) -> _Element:
        """Return the body of the text."""
        from lxml.etree import fromstring

        return fromstring(self._texts[_BODY])[0]

    @cached_property
    def _to_fill(self) -> dict[str, tuple[_Element, list[tuple[int, str]]]]:
        """The parsed texts; of each, the paragraphs with placeholders, and the key of one that stands alone there."""
        from lxml.etree import fromstring

        found = {}
        for name, data in self._texts.items():
            root = fromstring(data)
            texts = [_text(paragraph) for paragraph in root.iter(f"{W}p")]
            alone = [_PLACEHOLDER.fullmatch(text.strip()) for text in texts]
            found[name] = root, [(at, placeholder_key(only[1]) if only else "")
                                 for at, (text, only) in enumerate(zip(texts, alone)) if "{{" in text]
        return found

    def placeholders(self) -> dict[str, str]:
        """Return the placeholders as written, by key, in the order of the text."""
        from lxml.etree import fromstring

        found: dict[str, str] = {}
        for data in self._texts.values():
            for paragraph in fromstring(data).iter(f"{W}p"):
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
        from lxml.etree import tostring

        words = {placeholder_key(key): NO_XML.sub("", value) for key, value in texts.items()}
        built = {placeholder_key(key): value for key, value in (blocks or {}).items()}
        changed = dict(self._relations)
        pictures: list[Picture] = []
        for name, (parsed, places) in self._to_fill.items():
            root = deepcopy(parsed)
            paragraphs = list(root.iter(f"{W}p"))
            for at, alone in places:
                if name == _BODY and alone in built:
                    put_blocks(paragraphs[at], built[alone], pictures)
                else:
                    _put_texts(paragraphs[at], words)
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
    return "".join(node.text or "" for node in paragraph.iter(f"{W}t"))


def _put_texts(paragraph: _Element, words: Mapping[str, str]) -> None:
    """Replace placeholders that may be broken over several runs; the first run's look is kept."""
    nodes = list(paragraph.iter(f"{W}t"))
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
            for element in elements(lines_xml(node.text or "")):
                node.addprevious(element)
            node.getparent().remove(node)


def _enter(parts: dict[str, bytes], pictures: Sequence[Picture]) -> None:
    """Add pictures to the package, with their relations and type."""
    from lxml.etree import SubElement, fromstring, tostring

    types, links = fromstring(parts[_TYPES]), fromstring(parts[_LINKS])
    if not any(one.get("Extension") == "png" for one in types):
        SubElement(types, f"{{{_PACKAGE}/content-types}}Default", Extension="png", ContentType="image/png")
    for number, picture in enumerate(pictures, 1):
        parts[f"word/media/quyhoach{number}.png"] = picture.png
        SubElement(links, f"{{{_PACKAGE}/relationships}}Relationship", Id=f"quyhoach{number}",
                   Type=f"{OFFICE}/image", Target=f"media/quyhoach{number}.png")
    for name, root in ((_TYPES, types), (_LINKS, links)):
        parts[name] = tostring(root, encoding="UTF-8", xml_declaration=True, standalone=True)
