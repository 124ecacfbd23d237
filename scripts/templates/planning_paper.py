"""Writes the plugin's own template of the planning-information paper, ``styles/zoning/planning_paper.docx``.

Run as a program: ``scripts/python scripts/templates/planning_paper.py``. An office changes a copy of it in Word.
"""

from __future__ import annotations

import io
import re
import zipfile

from docx.shared import Pt
from quyhoach.processing_algorithms.common.word_form import Head, add_foot, add_head, add_text, new_paper
from quyhoach.processing_algorithms.zoning.paper.planning_paper import TEMPLATE, read_template

#: Parts of python-docx's own template that no paper needs; the template is kept with every paper.
_NOT_NEEDED = ("docProps/thumbnail.jpeg", "customXml/", "word/theme/", "word/stylesWithEffects.xml", "docProps/")
_TIMESTAMP = (2026, 1, 1, 0, 0, 0)
#: Styles the paper uses.
_STYLES = ("Normal", "DefaultParagraphFont", "TableNormal", "NoList", "Header", "HeaderChar", "Footer", "FooterChar")


def main() -> None:
    """Build, make lean, check and write."""
    document = new_paper()
    add_head(document, Head("{{Cơ quan chủ quản}}", "{{Cơ quan ban hành}}", "{{Số văn bản}}", "{{Địa danh ngày}}"))
    add_text(document, "", centred=True, points=6.0, after=0.0)
    add_text(document, "VĂN BẢN CUNG CẤP THÔNG TIN QUY HOẠCH", bold=True, centred=True, points=14.0, after=0.0)
    add_text(document, "{{Trích yếu}}", centred=True, bold=True, after=8.0)
    add_text(document, "Kính gửi: Người đề nghị cung cấp thông tin quy hoạch theo hồ sơ {{Mã hồ sơ}}", centred=True)
    add_text(document, "Căn cứ Luật Quy hoạch đô thị và nông thôn số 47/2024/QH15;", italic=True, after=2.0)
    add_text(document, "{{Căn cứ}}", after=2.0)
    add_text(document, "{{Tên cơ quan}} cung cấp thông tin quy hoạch theo dữ liệu ngày {{Ngày tra cứu}} như sau:")
    for number, (heading, block) in enumerate((
            ("Thông tin thửa đất", "{{Thông tin thửa đất}}"),
            ("Thông tin theo quy hoạch đô thị và nông thôn", "{{Thông tin quy hoạch}}"),
            ("Khu vực hạn chế, khống chế xây dựng", "{{Khu vực hạn chế}}"), ("Lưu ý", "{{Lưu ý}}")), 1):
        add_text(document, f"{number}. {heading}", bold=True, with_next=True)
        add_text(document, block, after=3.0)
    add_text(document, "{{Hiệu lực}}")
    add_text(document, "Kèm theo: bản đồ vị trí và ranh giới (tệp PDF cùng mã đối chiếu); bảng tọa độ các góc thửa.")
    add_foot(document, "{{Nơi nhận}}", "{{Thẩm quyền ký}}", "{{Người ký}}")
    # Under the recipients there is room beside the signature.
    left = document.tables[-1].rows[0].cells[0]
    for text in ("Mã đối chiếu: {{Mã đối chiếu}}", "{{Mã QR}}"):
        line = left.add_paragraph()
        line.add_run(text).font.size = Pt(11)
        line.paragraph_format.space_before, line.paragraph_format.space_after = Pt(6), Pt(0)
    heading = add_text(document, "PHỤ LỤC: BẢNG TỌA ĐỘ CÁC GÓC THỬA", bold=True, centred=True)
    heading.paragraph_format.page_break_before = True
    add_text(document, "{{Trích yếu}}. Mã đối chiếu: {{Mã đối chiếu}}", centred=True, points=12.0)
    add_text(document, "{{Bảng tọa độ}}", indent_mm=0.0, points=12.0)
    stream = io.BytesIO()
    document.save(stream)
    TEMPLATE.write_bytes(_lean(stream.getvalue()))
    read_template(None)
    print(TEMPLATE.name, TEMPLATE.stat().st_size, "bytes")


def _lean(data: bytes) -> bytes:
    """Leave out what no paper needs, so that the template weighs a few kB."""
    packed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as source, zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED,
                                                                     compresslevel=9) as target:
        for name in source.namelist():
            if name.startswith(_NOT_NEEDED):
                continue
            content = source.read(name).decode("utf-8")
            if name == "[Content_Types].xml":
                content = re.sub(r'<Override[^>]*PartName="/(?:docProps|customXml|word/theme|word/stylesWithEffects)[^>]*/>', "",
                                 content)
            elif name.endswith(".rels"):
                content = re.sub(r'<Relationship '
                                 r'[^>]*Target="[^"]*(?:docProps|customXml|theme/|stylesWithEffects)[^>]*/>', "",
                                 content)
            elif name == "word/styles.xml":
                content = re.sub(r"<w:latentStyles.*?</w:latentStyles>", "", content, flags=re.S)
                content = re.sub(r'<w:style (?:(?!</w:style>).)*?w:styleId="([^"]*)".*?</w:style>',
                                 lambda found: found[0] if found[1] in _STYLES else "", content, flags=re.S)
            entry = zipfile.ZipInfo(name, _TIMESTAMP)
            entry.compress_type = zipfile.ZIP_DEFLATED
            target.writestr(entry, content)
    return packed.getvalue()


if __name__ == "__main__":
    main()
