"""TCVN3 and VNI into Unicode: tables against a list made by hand and iconv; nothing else is ever touched."""

import csv
import random
import sqlite3
import subprocess
import unicodedata
from contextlib import closing
from pathlib import Path

import geopandas
import pandas
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from quyhoach.processing_algorithms.common.columns import broken_texts
from quyhoach.processing_algorithms.common.legacy_text import (
    TCVN3,
    VNI,
    judge_column,
    judge_columns,
    to_unicode,
    which_encoding,
)
from quyhoach.processing_algorithms.common.syllables import Shape, shape
from quyhoach.processing_algorithms.provincial_database.catalogue import load_catalogue
from quyhoach.processing_algorithms.provincial_database.imports.field_mapping import resolve_mapping
from quyhoach.processing_algorithms.provincial_database.imports.old_text import OldText, in_unicode

ROOT = Path(__file__).resolve().parents[2]
#: The 67 small letters: Unicode, the code of TCVN3, what VNI types. Written by hand from the charts of the fonts.
LETTERS = """
à B5 aø  á B8 aù  ả B6 aû  ã B7 aõ  ạ B9 aï  ă A8 aê  ằ BB aè  ắ BE aé  ẳ BC aú  ẵ BD aü  ặ C6 aë
â A9 aâ  ầ C7 aà  ấ CA aá  ẩ C8 aå  ẫ C9 aã  ậ CB aä  đ AE ñ   è CC eø  é D0 eù  ẻ CE eû  ẽ CF eõ
ẹ D1 eï  ê AA eâ  ề D2 eà  ế D5 eá  ể D3 eå  ễ D4 eã  ệ D6 eä  ì D7 ì   í DD í   ỉ D8 æ   ĩ DC ó   ị DE ò
ò DF oø  ó E3 où  ỏ E1 oû  õ E2 oõ  ọ E4 oï  ô AB oâ  ồ E5 oà  ố E8 oá  ổ E6 oå  ỗ E7 oã  ộ E9 oä
ơ AC ô   ờ EA ôø  ớ ED ôù  ở EB ôû  ỡ EC ôõ  ợ EE ôï  ù EF uø  ú F3 uù  ủ F1 uû  ũ F2 uõ  ụ F4 uï
ư AD ö   ừ F5 öø  ứ F8 öù  ử F6 öû  ữ F7 öõ  ự F9 öï  ỳ FA yø  ý FD yù  ỷ FB yû  ỹ FC yõ  ỵ FE î""".split()
SMALL = dict(zip(LETTERS[::3], zip((chr(int(code, 16)) for code in LETTERS[1::3]), LETTERS[2::3])))
CAPITALS = dict(zip("ĂÂÊÔƠƯĐ", "¡¢£¤¥¦§"))
FOREIGN = """Müller,Strauß,Höß,Süd,Bär,Böhm,Käthe,Jäger,Grünwald,Kühn,René,François,Noël,Loïc,Caïn,Thaï,Haïti,Gaël,Zoé,Chloé,Hôtel,Côte,
    Rhône,Crète,Bourg-lès-Valence,Besançon,Nîmes,Bjørn,Sørensen,Søren,Åse,Bø,Å,Hå,På,Gå,Blå,Tromsø,Ærø,Læsø,Rømø,Malmö,Göteborg,Åhus,
    Niño,Peña,Cañón,Málaga,Saúl,Raúl,João,São,Conceição,Évora,Côa,Łódź,Szczecin,Plzeň,Győr,İzmir,Mäe,Tõnu,Õnne,Jyväskylä,Curaçao,Lü,Hé
    """.replace("\n", "").split(",")
MEASURES = ["m²", "5 m² × 3", "25°C", "±0,5", "5m×3m", "3m×4m", "100 µm", "µg/l", "1½", "¼ ha", "Ø600", "Ø 200", "cống Ø400", "«QH-01»",
            "“A”", "§ 12", "§5", "M·100", "A·B", "H¹", "H²", "C¹", "Sika®", "© 2024", "10 €", "£5", "¥100", "¢", "X-12/Đ", "ĐT.601", "N° 5",
            "1º", "¿Qué?", "a÷b", "10÷20", "Nhà®", "L=5·10³", "…", "HDPE Ø110×6,6"]


def in_tcvn3(text):
    return "".join(CAPITALS.get(letter) or SMALL.get(letter.lower(), (letter,))[0] for letter in text)


def in_vni(text):
    return "".join(SMALL[letter][1] if letter in SMALL else SMALL[letter.lower()][1].upper() if letter.lower() in SMALL else letter
                   for letter in text)


ENCODE = {TCVN3: in_tcvn3, VNI: in_vni}
#: How programs show the bytes; Windows-1258 has tones of its own, which some programs join with the letter before.
READ = {"latin": str, "1258": lambda text: "".join(bytes([ord(letter)]).decode("cp1258") if "\u00a0" <= letter <= "\u00ff" else letter
                                                   for letter in text),
        "utf-8 twice": lambda text: text.encode().decode("latin-1")}


def vietnamese():
    """Columns of Vietnamese as people write it: the sample town's, the names of fields, official words."""
    columns = {}
    with closing(sqlite3.connect(ROOT / "data_samples" / "town.gpkg")) as town:
        for (table,) in town.execute("SELECT table_name FROM gpkg_contents").fetchall():
            for _, name, kind, *_ in town.execute(f'PRAGMA table_info("{table}")').fetchall():
                if kind.startswith("TEXT"):
                    columns[f"{table}.{name}"] = [row[0] for row in town.execute(
                        f'SELECT DISTINCT "{name}" FROM "{table}" WHERE "{name}" IS NOT NULL LIMIT 150')]
    columns["labels"] = [field.label.vi for dataset in load_catalogue().values() for field in dataset.fields]
    columns["helps"] = [field.help.vi for dataset in load_catalogue().values() for field in dataset.fields if field.help]
    glossary = ROOT.parent / "shared" / "glossary.csv"
    if glossary.exists():
        with glossary.open(encoding="utf-8") as file:
            columns["glossary"] = [row["vi"] for row in csv.DictReader(file)]
    return {name: texts for name, texts in columns.items() if any(not text.isascii() for text in texts)}


COLUMNS = vietnamese()
WORDS = sorted({word for texts in COLUMNS.values() for text in texts for word in text.split()
                if word.isalpha() and not word.isascii() and shape(word) is Shape.SURE})


def test_all_letters_in_both_encodings():
    assert len(SMALL) == 67 and len(COLUMNS) > 30 and len(WORDS) > 400
    for letter, (tcvn3, vni) in SMALL.items():
        # Between letters: some signs alone mean themselves.
        assert to_unicode(f"t{tcvn3}", TCVN3) == f"t{letter}" and to_unicode(f"t{vni}", VNI) == f"t{letter}"
        assert to_unicode(f"TH{tcvn3}", TCVN3) == f"TH{letter.upper()}", "the font of capitals has the codes of small letters"
        assert to_unicode(f"T{vni.upper()}", VNI) == f"T{letter.upper()}"
    for letter, sign in CAPITALS.items():
        assert to_unicode(f"{sign}n", TCVN3) == f"{letter}n"


def test_tcvn3_is_what_iconv_takes_for_it():
    """The C library's TCVN5712-1, which has more (other capitals) but the same codes for these letters."""
    signs = "\n".join([sign for sign, _ in SMALL.values()] + list(CAPITALS.values()))
    done = subprocess.run(["iconv", "-f", "TCVN5712-1", "-t", "UTF-8"], input=signs.encode("latin-1"), capture_output=True, check=True)
    assert unicodedata.normalize("NFC", done.stdout.decode()).split("\n") == [*SMALL, *CAPITALS]


@pytest.mark.parametrize("reading", READ)
@pytest.mark.parametrize("encoding", ENCODE)
def test_columns_come_back_as_they_were(encoding, reading):
    """Whole columns of all sorts, judged together as those of a layer."""
    old = {name: [READ[reading](ENCODE[encoding](unicodedata.normalize("NFC", text))) for text in texts]
           for name, texts in COLUMNS.items()}
    verdicts = judge_columns(old)
    assert set(verdicts) == set(COLUMNS) and {verdict.encoding for verdict in verdicts.values()} == {encoding}
    for name, texts in COLUMNS.items():
        for text, signs in zip(texts, old[name]):
            back = verdicts[name].convert(signs)
            if encoding == TCVN3:  # it has no small and capital letters of their own but seven
                back, text = back.lower(), text.lower()
            assert back == unicodedata.normalize("NFC", text), signs


@settings(max_examples=40, deadline=None)
@given(texts=st.lists(st.lists(st.sampled_from(WORDS), min_size=2, max_size=6).map(" ".join), min_size=4, max_size=8),
       encoding=st.sampled_from(list(ENCODE)), reading=st.sampled_from(list(READ)),
       case=st.sampled_from([str.lower, str.title, str.upper]))
def test_texts_at_random_come_back(texts, encoding, reading, case):
    texts = [case(text) for text in texts]
    old = [READ[reading](ENCODE[encoding](text)) for text in texts]
    verdict = judge_column(old, only=encoding)
    assert verdict is not None and not verdict.mixed
    assert [verdict.convert(text).lower() for text in old] == [text.lower() for text in texts]
    if encoding == VNI:
        assert [verdict.convert(text) for text in old] == texts
    if reading != "1258":
        assert all(verdict.convert(text) == text for text in texts if any(letter > "\u0250" for letter in text)), "is Unicode already"
    found = which_encoding(old)
    assert found in (None, encoding), "what has few letters may be left, but never be the other"


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_unicode_is_never_taken_for_old(form):
    columns = {name: [unicodedata.normalize(form, text) for text in texts] for name, texts in COLUMNS.items()}
    assert judge_columns(columns) == {} and which_encoding(sum(columns.values(), [])) is None
    assert [word for word in map(unicodedata.normalize, [form] * len(WORDS), WORDS) if which_encoding([word])] == []


def test_names_of_other_languages_measures_and_codes_are_never_taken_for_old():
    chance = random.Random(1)
    everything = [*FOREIGN, *MEASURES]
    assert all(which_encoding([text]) is None for text in everything)
    assert which_encoding(FOREIGN) is None and which_encoding(MEASURES) is None and which_encoding(everything) is None
    pool = [*everything, *WORDS[::20]]
    for _ in range(3000):
        few = chance.sample(pool, chance.choice([2, 3, 5, 8]))
        assert which_encoding(few) is None, few
    assert which_encoding([None, 5, float("nan"), "", "LUC"]) is None


def test_measures_and_quotes_stay_within_old_texts():
    verdict = judge_column([in_tcvn3(text) for text in ("Cống hộp 2m×3m, dài 5 × 3 m²", "Đường Đ1 rộng 25°", "Ô số 3, nhiệt độ ±2")])
    assert verdict and [verdict.convert(text) for text in ("Cèng hép 2m×3m, dµi 5 × 3 m²", "§­êng §1 réng 25°", "¤ sè 3 “±2”", "LUC")] == [
        "Cống hộp 2m×3m, dài 5 × 3 m²", "Đường Đ1 rộng 25°", "Ô số 3 “±2”", "LUC"]


def test_capitals_of_tcvn3():
    told = {"HUYÖN Hµ B¾C": "HUYỆN HÀ BẮC", "Hµ Néi": "Hà Nội", "Hµ NéI": "HÀ NỘI", "UBND x· Hµ": "UBND xã Hà", "UBND Hµ Néi": "UBND Hà Nội",
            "KHU §« THÞ Bµ": "KHU ĐÔ THỊ BÀ", "§Êt ë": "Đất ở", "Vò V¨n Bé": "Vũ Văn Bộ", "Q§-UBND": "QĐ-UBND", "tp HuÕ": "tp Huế",
            "PH¦êNG": "PHƯỜNG", "¢u C¬": "Âu Cơ"}
    assert {old: to_unicode(old, TCVN3) for old in told} == told
    assert to_unicode("QUAÄN Goø Vaáp, TP. HCM", VNI) == "QUẬN Gò Vấp, TP. HCM" and to_unicode("Aø", VNI) == "À"


def test_a_column_partly_in_unicode_keeps_what_reads_already():
    texts = ["Phường Lê Hồng Phong", "Xã An Hòa", "Hòa", *map(in_tcvn3, ("Phường Vĩnh Hà", "Thị xã Đông Triều", "Huyện Quốc Oai"))]
    verdict = judge_column(texts)
    assert verdict and verdict.mixed and verdict.encoding == TCVN3
    assert [verdict.convert(text) for text in texts] == [*texts[:3], "Phường Vĩnh Hà", "Thị xã Đông Triều", "Huyện Quốc Oai"]
    forced = judge_column(texts[:3], only=TCVN3)
    assert [forced.convert(text) for text in texts[:3]] == texts[:3], "even if asked for: these are Unicode"


def test_few_words_go_with_the_other_columns_of_the_layer():
    layer = {"ten": ["ThÞ x· §«ng TriÒu", "Ph­êng VÜnh Hµ"], "cap": ["X·"], "so": ["12/Q§-UBND"], "duong": ["§1", "§2"], "ma": ["LUC"],
             "ghi": ["5m×3m", "Sika®"]}
    assert {name: verdict.encoding for name, verdict in judge_columns(layer).items()} == dict.fromkeys(("ten", "cap", "so", "duong"), TCVN3)
    assert judge_columns({**layer, "ten": ["Thị xã Đông Triều"]}) == {}


def test_broken_texts_are_named():
    frame = pandas.DataFrame({"a": ["LUC", "§Êt ë ®« thÞ"], "b": [None, "Xaõ Vónh Haø"], "c": ["Phường 1", "M\ufffdi"], "d": [1, 2],
                              "e": ["PhÆ°á»\x9dng", "x"], "f": ["Müller", "Phường"]})
    told = {name: (broken.encoding, broken.meaning) for name, broken in broken_texts(frame).items()}
    assert told == {"a": ("TCVN3", "Đất ở đô thị"), "b": ("VNI", "Xã Vĩnh Hà"), "c": (None, ""), "e": (None, "")}


def test_columns_with_old_names_fill_their_fields():
    parcel = load_catalogue()["parcel"]
    names = [in_tcvn3(name) for name in ("Mã xã cũ", "Tờ bản đồ số", "Thửa đất số", "Loại đất")] + [in_vni("Địa chỉ thửa đất")]
    fields = ["old_commune_code", "sheet_no", "parcel_no", "land_code", "address"]
    assert resolve_mapping(parcel, names) == dict(zip(fields, names))
    others = [name for name in names if name != names[3]] + [in_tcvn3("Mục đích")]
    assert resolve_mapping(parcel, others, {"land_code": "Mục đích"})["land_code"] == others[-1], "as people read it"


@pytest.mark.parametrize(("old_text", "expected", "told"), [
    (OldText.DETECT, ["Phường Vĩnh Hà", None, "LUC"], "đã chuyển 1 đối tượng từ TCVN3 sang Unicode"),
    (OldText.KEEP, [in_tcvn3("Phường Vĩnh Hà"), None, "LUC"], "giữ nguyên như đã chọn"),
    (OldText.TCVN3, ["Phường Vĩnh Hà", None, "LUC"], "TCVN3"),
    (OldText.VNI, [in_tcvn3("Phường Vĩnh Hà"), None, "LUC"], "theo bảng mã TCVN3, không phải VNI"),
])
def test_the_choice_and_what_is_told(old_text, expected, told):
    given_frame = geopandas.GeoDataFrame({"ten": [in_tcvn3("Phường Vĩnh Hà"), None, "LUC"], "ma": ["x", ["y"], in_tcvn3("Đường Lê Lợi")]},
                                         geometry=[None] * 3)
    before, notes = given_frame.copy(), []
    frame = in_unicode(given_frame, ["ten"], old_text, notes)
    assert frame["ten"].tolist() == expected and frame["ma"].tolist() == before["ma"].tolist()
    assert given_frame["ten"].tolist() == before["ten"].tolist()
    assert len(notes) == 1 and told in notes[0]


def test_what_is_stated_stands_where_too_little_is_there_to_judge():
    for encoding, old_text in ((TCVN3, OldText.TCVN3), (VNI, OldText.VNI)):
        notes = []
        frame = geopandas.GeoDataFrame({"ten": [ENCODE[encoding]("Hà"), "LUC"], "so": [1, 2]}, geometry=[None] * 2)
        assert in_unicode(frame, ["ten", "so"], OldText.DETECT, [])["ten"].tolist() == frame["ten"].tolist()
        assert in_unicode(frame, ["ten", "so"], old_text, notes)["ten"].tolist() == ["Hà", "LUC"] and encoding in notes[0]
    assert judge_column(["®Kx"], only=TCVN3).convert("®Kx") == "đKx", "even if it is no word"
    in_unicode(geopandas.GeoDataFrame({"ten": ["LUC"]}, geometry=[None]), ["ten"], OldText.VNI, notes := [])
    assert len(notes) == 1 and "Không có chữ nào" in notes[0]


def test_shape_of_syllables():
    assert all(shape(word) for word in WORDS)
    for word in ("gì", "quý", "quyển", "khuỷu", "hoà", "hòa", "thuý", "nghiêng", "giếng", "yên", "ươm", "khuếch", "boong", "ỷ", "QUẬN"):
        assert shape(word) is Shape.SURE, word
    for word in ("", "b", "Müller", "các̀", "cé", "cà̀", "hàc", "tàch", "ngà̂", "aâ", "xyz", "Strauß", "hoaù", "nghà", "boèm"):
        assert shape(word) is Shape.NONE, word
