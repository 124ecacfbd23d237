"""Word files from a template: what is written is what python-docx, an independent reader, finds."""

import io
import struct
import zipfile
import zlib

import docx
import pytest
from docx.shared import Pt
from hypothesis import given
from hypothesis import strategies as st
from quyhoach.processing_algorithms.common.errors import InputError
from quyhoach.processing_algorithms.common.word_blocks import Paragraph, Picture, Table
from quyhoach.processing_algorithms.common.word_document import WordTemplate, placeholder_key
from quyhoach.processing_algorithms.common.word_form import Head, add_foot, add_head, add_text, new_paper
from quyhoach.processing_algorithms.common.word_reading import read_words


def saved(document):
    stream = io.BytesIO()
    document.save(stream)
    return stream.getvalue()


def template(*texts):
    document = docx.Document()
    for text in texts:
        document.add_paragraph(text)
    return WordTemplate(saved(document))


def opened(data):
    return docx.Document(io.BytesIO(data))


def test_names_are_taken_without_case_diacritics_and_spaces():
    made = template("Số: {{ SỐ VĂN BẢN }}, ngày {{ngay}}")
    assert opened(made.fill({"so_van_ban": "12/TTQH", "Ngày": "05/11/2026"})).paragraphs[0].text == \
        "Số: 12/TTQH, ngày 05/11/2026"
    assert placeholder_key("Đường  đỏ") == placeholder_key("DUONG_DO") == "duong_do"


def test_a_placeholder_broken_over_runs_takes_the_look_of_its_first_run():
    document = docx.Document()
    paragraph = document.add_paragraph("Ô ")
    for text, bold in (("{", True), ("{Ký h", False), ("iệu}", False), ("} hết {{", False), ("b}}", False)):
        paragraph.add_run(text).bold = bold
    done = opened(WordTemplate(saved(document)).fill({"ky hieu": "A1 < B & C", "b": "x"})).paragraphs[0]
    assert done.text == "Ô A1 < B & C hết x"
    assert [(run.text, run.bold) for run in done.runs if run.text][1] == ("A1 < B & C", True)


def test_values_are_not_looked_through_for_placeholders_again():
    assert opened(template("{{a}} {{b}}").fill({"a": "{{b}}", "b": "x"})).paragraphs[0].text == "{{b}} x"


def test_letters_that_xml_cannot_hold_are_left_out():
    done = opened(template("{{a}}", "{{b}}").fill({"a": "1\x0b2"}, {"b": [Paragraph("3\x004")]})).paragraphs
    assert [one.text for one in done] == ["12", "34"]


def test_lines_and_what_has_no_value():
    done = opened(template("{{a}}", "{{chưa có}}").fill({"a": "một\nhai"})).paragraphs
    assert [one.text for one in done] == ["một\nhai", "{{chưa có}}"]


def test_blocks_get_the_look_of_their_placeholder():
    document = docx.Document()
    run = document.add_paragraph("").add_run("{{Bảng}}")
    run.font.size, run.font.name = Pt(13), "Times New Roman"
    made = WordTemplate(saved(document)).fill({}, {"bang": [
        Paragraph("Đất ở", lead="1.", with_next=True), Paragraph("Ghi chú", italic=True, centred=True),
        Table(("Ô", "Mật độ (%)"), [("A1", "60,0"), ("Cộng", "60,0")], (40, 60), frozenset({1}), total=True)]})
    done = opened(made)
    assert [one.text for one in done.paragraphs] == ["1. Đất ở", "Ghi chú", ""]
    first, second = done.paragraphs[:2]
    assert [run.bold for run in first.runs] == [True, None] and first.paragraph_format.keep_with_next
    assert second.alignment == 1 and second.runs[0].italic and second.runs[0].font.size == Pt(13)
    table = done.tables[0]
    assert [[cell.text for cell in row.cells] for row in table.rows] == [
        ["Ô", "Mật độ (%)"], ["A1", "60,0"], ["Cộng", "60,0"]]
    assert [row.cells[1].paragraphs[0].alignment for row in table.rows] == [1, 2, 2]
    assert [row.cells[0].paragraphs[0].runs[0].bold for row in table.rows] == [True, None, True]
    assert table.rows[1].cells[0].paragraphs[0].runs[0].font.size == Pt(12)


def test_blocks_in_a_cell_and_none_at_all():
    document = docx.Document()
    cell = document.add_table(1, 1).rows[0].cells[0]
    cell.paragraphs[0].text = "{{x}}"
    document.add_paragraph("{{y}}")
    done = opened(WordTemplate(saved(document)).fill({}, {"x": [], "y": []}))
    assert len(done.tables[0].rows[0].cells[0].paragraphs) == 1 and not done.paragraphs


def png(side=3):
    raw = b"".join(b"\0" + b"\xff\0\0" * side for _ in range(side))
    chunks = ((b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)), (b"IDAT", zlib.compress(raw)), (b"IEND",
                                                                                                             b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data)) for name,
        data in chunks)


def test_pictures_belong_to_one_filling_only():
    made = template("{{ảnh}}", "hết")
    done = opened(made.fill({}, {"anh": [Picture(png(), 20.0, "mã")]}))
    assert len(done.inline_shapes) == 1 and done.inline_shapes[0].width.mm == pytest.approx(20)
    assert done.part.related_parts["quyhoach1"].blob == png()
    with zipfile.ZipFile(io.BytesIO(made.fill({}, {"anh": []}))) as package:
        assert not [name for name in package.namelist() if "quyhoach" in name] and package.testzip() is None


def test_the_same_contents_are_the_same_file():
    made = template("{{a}}")
    assert made.fill({"a": "x"}) == made.fill({"a": "x"}) != made.fill({"a": "y"})


def test_templates_are_checked():
    made = template("{{Số}} {{lạ}}")
    with pytest.raises(InputError) as told:
        made.check(["Số", "Ngày"], ["Ngày"], "mau.docx")
    assert "{{lạ}}" in told.value.problems[0] and "{{Ngày}}" in told.value.problems[1]
    made.check(["so", "LẠ"], ["Số"], "mau.docx")


@pytest.mark.parametrize("data", [b"", b"not a zip", saved(docx.Document())[:-400]])
def test_what_is_no_word_file_is_refused(data, tmp_path):
    path = tmp_path / "mẫu.docx"
    path.write_bytes(data)
    with pytest.raises(InputError, match="mẫu.docx"):
        WordTemplate(path)


def test_the_form_of_the_decree():
    document = new_paper()
    add_head(document, Head("UBND TỈNH", "SỞ XÂY DỰNG", "1/SXD", "Huế, ngày 05 tháng 11 năm 2026", "V/v thử"))
    add_text(document, "VĂN BẢN", bold=True, centred=True)
    add_foot(document, "- Lưu: VT.", "GIÁM ĐỐC", "")
    words = read_words(saved(document))
    assert words[0].cells[0] == ("UBND TỈNH SỞ XÂY DỰNG", "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM Độc lập - Tự do - Hạnh "
                                                          "phúc")
    assert words[1].text == "VĂN BẢN" and words[2].cells[0][0] == "Nơi nhận: - Lưu: VT."
    section = document.sections[0]
    assert [round(side.mm) for side in (section.page_width, section.left_margin, section.right_margin)] == [210, 30, 15]


@given(st.lists(st.text(st.characters(blacklist_categories=("C", "Zl", "Zp"), blacklist_characters="{}"), min_size=1,
                        max_size=20),
                min_size=1, max_size=6))
def test_any_text_comes_back_as_it_was(values):
    names = [f"n{at}" for at in range(len(values))]
    made = template(*(f"[{{{{{name}}}}}]" for name in names))
    done = opened(made.fill(dict(zip(names, values))))
    assert [one.text for one in done.paragraphs] == [f"[{value}]" for value in values]
