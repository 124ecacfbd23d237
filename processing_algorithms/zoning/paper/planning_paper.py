"""A planning-information paper: made into a snapshot once, and written from the snapshot ever after.

The first issue and every re-issue take the same way, from the snapshot alone, so they cannot differ. What is not in the
snapshot is known only later: number and date of the signed paper, and the short code, which is the snapshot's own.
"""

from __future__ import annotations

import base64
import datetime
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

from ...common.errors import InputError
from ...common.language import say
from ...common.packages import optional
from ...common.word_blocks import Paragraph, Picture
from ...common.word_document import WordTemplate
from .paper_snapshot import canonical_read, digest, short_code
from .paper_words import (
    BLOCK_PLACEHOLDERS,
    NEEDED_PLACEHOLDERS,
    TEXT_PLACEHOLDERS,
    Office,
    Request,
    blocks_of,
    read_blocks,
    stored,
    texts_of,
)

#: Of the snapshot's form; a newer program reads older ones.
FORM = 1
#: The plugin's own template.
TEMPLATE = Path(__file__).resolve().parents[3] / "styles" / "zoning" / "planning_paper.docx"
#: A template is kept in every snapshot.
_MOST_TEMPLATE_BYTES = 300_000
_QR_MM = 22.0


@dataclass(frozen=True)
class Paper:
    """One paper: its snapshot as the canonical text, and what follows from it."""

    text: str

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the snapshot."""
        return digest(self.text)

    @property
    def code(self) -> str:
        """The short code printed on the paper."""
        return short_code(self.digest)

    @cached_property
    def content(self) -> dict[str, Any]:
        """The snapshot as data, read once; nobody changes it."""
        return json.loads(self.text)


def read_template(path: Path | None) -> tuple[WordTemplate, str]:
    """Read and check the office's template, by default the plugin's; return it with its name.

    Raises
    ------
    InputError
        No Word file, too large to be kept with every paper, unknown or missing placeholders.
    """
    used = path or TEMPLATE
    template = WordTemplate(used)
    if len(template.data) > _MOST_TEMPLATE_BYTES:
        raise InputError(say("Mẫu {name} nặng {size} kB; mẫu được lưu cùng mỗi văn bản nên không quá {most} kB: hãy "
                             "thu nhỏ "
                             "hình trong mẫu.",
                             "Template {name} has {size} kB; it is kept with every paper and may have {most} kB: make "
                             "its "
                             "pictures smaller.").format(name=used.name, size=len(template.data) // 1000,
                                                         most=_MOST_TEMPLATE_BYTES // 1000))
    template.check([*TEXT_PLACEHOLDERS, *BLOCK_PLACEHOLDERS], NEEDED_PLACEHOLDERS, used.name)
    return template, used.name


def make_paper(
    inputs: Mapping[str, Any], map_annex: Mapping[str, Any], office: Office, request: Request, template: WordTemplate,
    template_name: str
) -> Paper:
    """Return the paper of some inputs; see `paper_inputs`.

    Raises
    ------
    TypeError
        Something in the inputs has no canonical form.
    """
    text, content = canonical_read({
        "form": FORM, "inputs": inputs, "map": map_annex,
        "request": {"number": request.number or None, "location": request.location or None,
                    "received": request.received.isoformat() if request.received else None},
        "texts": texts_of(inputs, office, request), "blocks": stored(blocks_of(inputs, request)),
        "number_sign": office.number_sign, "place": office.place,
        "template": {"name": template_name, "sha256": hashlib.sha256(template.data).hexdigest(),
                     "docx": base64.b64encode(template.data).decode("ascii")}})
    paper = Paper(text)
    paper.__dict__["content"] = content  # where `cached_property` looks: it has been read already
    return paper


def write_paper(paper: Paper, *, number: str = "", date: datetime.date | None = None) -> bytes:
    """Return the Word document of a paper; number and date of the signed one, or room for them."""
    content = paper.content
    texts = dict(content["texts"])
    texts["Số văn bản"] = number or f"          /{content['number_sign'].lstrip('/')}"
    day = f"ngày {date:%d} tháng {date:%m} năm {date:%Y}" if date else "ngày       tháng       năm         "
    texts["Địa danh ngày"] = f"{content['place']}, {day}" if content["place"] else day[0].upper() + day[1:]
    texts["Mã đối chiếu"] = paper.code
    blocks = read_blocks(content["blocks"])
    blocks["Mã QR"] = _qr(paper.code)
    return _template(content["template"]["docx"]).fill(texts, blocks)


@lru_cache(maxsize=4)
def _template(encoded: str) -> WordTemplate:
    return WordTemplate(base64.b64decode(encoded))


def _qr(code: str) -> list[Picture | Paragraph]:
    """The code as a QR picture where the machine can make one; nothing but the code is in it."""
    segno = optional("segno")
    if segno is None:
        return []
    import io

    stream = io.BytesIO()
    segno.make(code, error="m", micro=False).save(stream, kind="png", scale=6, border=2)
    return [Picture(stream.getvalue(), _QR_MM, code)]
