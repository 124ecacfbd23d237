"""Vietnamese texts of the years before Unicode, TCVN3 (ABC: .VnTime, .VnArial) and VNI (VNI-Times), made into Unicode.

Their fonts draw Vietnamese letters on the codes of Western ones, so a program shows ``Vòng Tµu`` or ``Vuõng Taøu`` for
"Vũng Tàu".
TCVN3 has one byte a letter, VNI a letter with a mark behind it. Texts come as Latin-1 or Windows-1252 shows the bytes, as
Windows-1258 does (Vietnamese Windows), or with the UTF-8 of those read as Latin-1 once more (``Â§Êt``).

Which of them, if any, is judged for a whole column (`judge_column`): only a table of 134 letters that makes words of Vietnamese
shape out of words that have none will do. "Müller", "m²", "5×3", "Ø200" and Unicode stay what they are. In a column that is partly
Unicode, texts that read as Vietnamese as they stand are left.

Capitals: TCVN3 has codes for Ă Â Ê Ô Ơ Ư Đ only; the others are small letters in a font of capitals (.VnTimeH), which a text does not
tell. So a word whose plain letters (two at least) are capitals gets capitals, and one with fewer does where the rest of the text is in
capitals: ``Hµ NéI`` is "HÀ NỘI", ``Hµ Néi`` is "Hà Nội"; all else stays small.

Capitals of VNI have marks of their own and come back as they were.

The tables were compared with other people's. TCVN3: TCVN5712-1 of glibc's iconv and the Python package viparse 0.1.31 (drawn from
real papers) agree in all 74 codes. VNI: viparse agrees in its 132 entries (it lacks ẳ, í, ì, î); the npm package
vietnamese-conversion 2.0.0 in 130 of 134 letters (it has ỷ and ỹ as "ë" and "ì", and for capitals of TCVN3 "Aµ", which no font draws).
None is small and kept well enough to depend on; QGIS, GDAL and Python's codecs know neither encoding (iconv's "TCVN" has other
letters beside, and is not on Windows).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from .syllables import TONES, Shape, shape

TCVN3, VNI = "TCVN3", "VNI"
_RUNS = {0xA1: "ĂÂÊÔƠƯĐăâêôơưđ", 0xB5: "àảãáạ", 0xBB: "ằẳẵắ", 0xC6: "ặầẩẫấậè", 0xCE: "ẻẽéẹềểễếệìỉ", 0xDC: "ĩíịò",
         0xE1: "ỏõóọồổỗốộờởỡớợù", 0xF1: "ủũúụừửữứựỳỷỹýỵ"}
_TCVN3_LETTERS = {chr(start + at): letter for start, run in _RUNS.items() for at, letter in enumerate(run)}
_VNI_MARKS = {"aeouyôö": ("ùøûõï", "áàảãạéèẻẽẹóòỏõọúùủũụýỳỷỹỵớờởỡợứừửữự"),
              "aeo": ("âáàåãä", "âấầẩẫậêếềểễệôốồổỗộ"),
              "a": ("êéèúüë", "ăắằẳẵặ"),
              "i": ("ùø", "íì")}  # not of the fonts, but of some programs, as ỵ with a mark is
_VNI_ALONE = dict(zip("íìæóòîñôö", "íìỉĩịỵđơư"))


def _vni_letters() -> dict[str, str]:
    letters = dict(_VNI_ALONE)
    for bases, (marks, results) in _VNI_MARKS.items():
        pairs = (base + mark for base in bases for mark in marks)
        letters |= dict(zip(pairs, results))
    # The base tells the case: people set "Aø" in capitals, too.
    capitals = {(old[0].upper() + old[1:], new.upper()) for old, new in letters.items()}
    return letters | dict(capitals) | {old.upper(): new.upper() for old, new in letters.items()}


#: What stands for each letter, as Latin-1 shows it.
TABLES: Mapping[str, Mapping[str, str]] = {TCVN3: _TCVN3_LETTERS, VNI: _vni_letters()}
_OLD = {name: re.compile("|".join(sorted(map(re.escape, table), key=len, reverse=True))) for name, table in TABLES.items()}
#: Signs TCVN3 has letters on; those of the second line mean themselves where no letter stands beside them.
_SIGNS = "¡¢£¤¥¦§¨©ª«¬\u00ad®µ¶·¸¹»¼½¾×÷"
_SIGNS_ALONE = frozenset("¨©¬µ¶·¸¹»¼½¾×÷")
#: Within a word hardly anything but TCVN3 (not the signs of measures, footnotes and codes: "5m×3m", "µm", "H¹", "M·100"); behind
#: a vowel hardly anything but VNI (French has aï, oï, aé, oû; Finnish eä).
_TELLING = {TCVN3: frozenset(_SIGNS) - set("µ·¹×÷"), VNI: frozenset("øåüõàã")}
_SMALL = re.compile("[a-z]")
_BEYOND_LATIN = re.compile("(?![\\x00-\\xff])[^\\W\\d_]")
#: Texts weighed; every text of a column is looked at for Unicode.
_WEIGHED = 2000
_WORD = re.compile(f"(?:[^\\W\\d_¹²³¼½¾º]|[{_SIGNS}{''.join(TONES)}₫])+")


def to_unicode(text: str, encoding: str) -> str:
    """Return a text of an old encoding, as Latin-1 shows it, in Unicode (NFC).

    Examples
    --------
    >>> to_unicode("ThÞ x· VÜnh Hµ", TCVN3), to_unicode("Phöôøng Vónh Haø", VNI), to_unicode("HUYÖN Hµ B¾C", TCVN3)
    ('Thị xã Vĩnh Hà', 'Phường Vĩnh Hà', 'HUYỆN HÀ BẮC')
    """
    capitals = encoding == TCVN3 and not _SMALL.search(text) and _in_capitals(_WORD.findall(text))

    def word(found: re.Match[str]) -> str:
        old = found[0]
        if old.isascii():
            return old
        if encoding == VNI:
            return _letters(old, VNI)
        kept = ""
        if old in _SIGNS_ALONE or old[-1] in "×÷" and text[found.end():found.end() + 1].isdigit():
            old, kept = old[:-1], old[-1]
        return _cased(old, capitals) + kept

    return unicodedata.normalize("NFC", _WORD.sub(word, text))


@lru_cache(maxsize=65536)
def _letters(word: str, encoding: str) -> str:
    return _OLD[encoding].sub(lambda found: TABLES[encoding][found[0]], word)


@lru_cache(maxsize=65536)
def _cased(word: str, capitals: bool) -> str:
    """Return the letters of a TCVN3 word, as capitals where it or the text around it is in capitals."""
    known = _known(word)
    letters = _letters(word, TCVN3)
    return letters.upper() if known == known.upper() and (len(known) > 1 or capitals) else letters


def _known(word: str) -> str:
    """Return the letters of a TCVN3 word that tell their case."""
    return "".join("X" if letter in "¡¢£¤¥¦§" else letter for letter in word if letter.isascii() or letter in "¡¢£¤¥¦§")


def _in_capitals(words: list[str]) -> bool:
    """Tell whether some word of Vietnamese shape is in capitals; "UBND" says nothing."""
    return any(len(_known(word)) > 1 and (not word.isascii() or shape(word)) for word in words)


def _as_latin(text: str) -> str | None:
    return text


def _from_1258(text: str) -> str | None:
    """Give back the Latin-1 signs of bytes read as Windows-1258, whose tones may have joined the letter before."""
    text = text.replace("ṇ\u0303", "ñ\u0323").replace("Ṇ\u0303", "Ñ\u0323")  # NFC puts the dot of VNI's "ñò" first
    signs = "".join(_SIGN_1258.get(letter) or _taken_apart(letter) for letter in text)
    return None if "\0" in signs else signs


def _taken_apart(letter: str) -> str:
    marks = unicodedata.normalize("NFD", letter)
    tones = "".join(mark for mark in marks if mark in TONES)
    if not tones or letter in TONES:
        return letter if letter.isascii() or letter > "\u00ff" and not letter.isalpha() else "\0"
    base = unicodedata.normalize("NFC", "".join(mark for mark in marks if mark not in TONES))
    return "".join(_SIGN_1258.get(part, part if part.isascii() else "\0") for part in base + tones)


_SIGN_1258 = {bytes([code]).decode("cp1258"): chr(code) for code in range(0xA0, 0x100)}


def _from_utf8(text: str) -> str | None:
    """Give back Latin-1 signs whose UTF-8 was read as Latin-1 or Windows-1252."""
    if text.isascii():
        return text
    codes = bytearray()
    for letter in text:
        try:
            codes += letter.encode("cp1252")
        except UnicodeEncodeError:
            if ord(letter) > 0xFF:
                return None
            codes.append(ord(letter))
    try:
        return codes.decode("utf-8")
    except UnicodeDecodeError:
        return None


_READINGS = (_as_latin, _from_1258, _from_utf8)


@dataclass(frozen=True)
class Verdict:
    """The encoding of a column's texts, with how its bytes were read; ``mixed`` with texts in Unicode."""

    encoding: str
    reading: int = 0
    mixed: bool = False

    def convert(self, text: str) -> str:
        """Return a text of the column in Unicode; itself where it is so already, or cannot be in this encoding."""
        if text.isascii() or self.mixed and not _is_old(text, self):
            return text
        signs = _READINGS[self.reading](text)
        return text if signs is None or not _possible(signs) else to_unicode(signs, self.encoding)


@dataclass
class _Evidence:
    """What the words of a column say for one encoding and reading."""

    good: set[str] = field(default_factory=set)
    bad: set[str] = field(default_factory=set)
    points: int = 0
    signs: set[str] = field(default_factory=set)

    def rank(self, stated: bool) -> tuple[int, int]:
        """Return what to compare by; of a stated encoding some reading is right, the plain one where nothing speaks for another."""
        if stated:
            return len(self.good), -len(self.bad) if self.good else 0
        return len(self.good) - len(self.bad), 0

    def sure(self, encoding: str) -> bool:
        """Tell whether it is enough; by chance "Bø", "Mäe" and "Côa" make syllables, too."""
        enough = self.points >= (8 if self.signs.isdisjoint(_TELLING[encoding]) else 3)
        return enough and len(self.signs) > 1 and len(self.bad) * 6 <= len(self.good)


def which_encoding(texts: Iterable[object]) -> str | None:
    """Return "TCVN3" or "VNI" where a column's texts certainly are; else None.

    Examples
    --------
    >>> which_encoding(["ThÞ x· VÜnh Hµ"]), which_encoding(["Ñöôøng Leâ Lôïi", "Quoác loä 1"])
    ('TCVN3', 'VNI')
    >>> which_encoding(["Phường Vĩnh Hà"]), which_encoding(["Müller", "Café", "5 m² × 3", "Bø", "Ø200"])
    (None, None)
    """
    verdict = judge_column(texts)
    return verdict and verdict.encoding


def judge_column(texts: Iterable[object], *, only: str | None = None, known: Verdict | None = None) -> Verdict | None:
    """Judge the texts of a column; what is no text is passed over.

    Parameters
    ----------
    only : str, optional
        The user says it is this encoding: how its bytes were read and whether Unicode is among them is all that is judged.
    known : Verdict, optional
        Other columns of the layer are in this encoding: one good word is enough, if none is bad.
    """
    return _judged(_sorted_out(texts), only, known)


def _judged(sorts: _Sorts, only: str | None = None, known: Verdict | None = None) -> Verdict | None:
    unicode, old, neither = sorts
    weighed = sorted(old | neither if known else old)
    weighed = weighed[::len(weighed) // _WEIGHED + 1]
    if not (weighed or only and (unicode or neither)):
        return None
    trials = [(Verdict(encoding, reading), _Evidence()) for encoding in TABLES for reading in range(len(_READINGS))
              if only in (None, encoding) and (known is None or (known.encoding, known.reading) == (encoding, reading))]
    for verdict, evidence in trials:
        _weigh(weighed, verdict, evidence, bool(known))
    verdict, best = max(trials, key=lambda trial: trial[1].rank(only is not None))
    mixed = any(_only_unicode(text, verdict) for text in unicode)
    if only is None and not (best.sure(verdict.encoding) or known and best.good and not best.bad and not mixed):
        return None
    if only is None and mixed and len(best.good) * 10 < len(unicode):
        return None
    return Verdict(verdict.encoding, verdict.reading, mixed)


def possible_readings(name: str) -> list[str]:
    """Return what a short text, such as the name of a column, may read in Unicode; itself first.

    Examples
    --------
    >>> possible_readings("Lo¹i ®Êt")
    ['Lo¹i ®Êt', 'Loại đất']
    """
    readings = [name] if name.isascii() else [name, *(Verdict(encoding, reading).convert(name) for encoding in TABLES
                                                      for reading in range(len(_READINGS)))]
    return list(dict.fromkeys(readings))


def judge_columns(columns: Mapping[str, Iterable[object]], *, only: str | None = None) -> dict[str, Verdict]:
    """Judge columns of one layer: those that say too little go with the others, where those agree."""
    held = {name: _sorted_out(texts) for name, texts in columns.items()}
    verdicts = {name: verdict for name, sorts in held.items() if (verdict := _judged(sorts, only))}
    encodings = {verdict.encoding for verdict in verdicts.values()}
    if only is None and len(encodings) < 2:
        # Many columns read the same either way; all of them together tell how the bytes were read.
        together = tuple(set().union(*parts) for parts in zip(*(held[name] for name in verdicts or held)))
        known = _judged(together, next(iter(encodings), None)) if together else None
        verdicts |= {name: verdict for name, sorts in held.items()
                     if known and name not in verdicts and (verdict := _judged(sorts, known=known))}
    return verdicts


#: Texts that read as Vietnamese as they stand, texts with a word that does not, others that are not plain ASCII.
_Sorts = tuple[set[str], set[str], set[str]]


def _sorted_out(texts: Iterable[object]) -> _Sorts:
    unicode, old, neither = set(), set(), set()
    for text in {text for text in texts if isinstance(text, str) and not text.isascii()}:
        shapes = [_as_it_stands(word) for word in _WORD.findall(text)]
        (old if False in shapes else unicode if True in shapes else neither).add(text)
    return unicode, old, neither


@lru_cache(maxsize=65536)
def _as_it_stands(word: str) -> bool | None:
    if word.isascii() or len(word) == 1:
        return None
    bare = unicodedata.normalize("NFC", word).strip("«»·®©¹")  # quoted, with a note
    return None if _abbreviation(bare) and not bare.isascii() else bool(shape(bare)) and not bare.isascii()


def _abbreviation(word: str) -> bool:
    return all(letter in "bcdđghklmnpqrstvx" for letter in word.lower())


def _possible(signs: str) -> bool:
    """Tell whether the letters of a text are of Latin-1; what is no letter may come from anywhere."""
    return not _BEYOND_LATIN.search(signs)


def _weigh(texts: Iterable[str], verdict: Verdict, evidence: _Evidence, known: bool = False) -> None:
    """Collect the good and the bad words of texts; where the encoding is ``known``, "Q§" and the § of "§1" are good."""
    for text in texts:
        signs = _READINGS[verdict.reading](text)
        if signs is None or not _possible(signs):
            continue
        for word in _WORD.findall(signs):
            if word in evidence.good or word in evidence.bad or word.isascii():
                continue
            kind = None if len(word) == 1 else _as_old(word, verdict.encoding)
            if kind is False:
                evidence.bad.add(word)
            elif kind or known and _letters(word, verdict.encoding) != word and _abbreviation(_letters(word, verdict.encoding)):
                evidence.good.add(word)
                old = _OLD[verdict.encoding].findall(word)
                evidence.signs.update(letter[-1].lower() for letter in old)
                evidence.points += len(old) + (not _TELLING[verdict.encoding].isdisjoint(word.lower()))


@lru_cache(maxsize=65536)
def _as_old(word: str, encoding: str) -> bool | None:
    """Tell whether a word's letters make Vietnamese in an encoding; None: they say nothing."""
    letters = _letters(word, encoding)
    judged = shape(letters)
    return None if judged is Shape.RARE or letters == word and judged or _abbreviation(letters) else bool(judged)


def _only_unicode(text: str, verdict: Verdict) -> bool:
    """Tell whether a text that reads as Vietnamese does not do so in the encoding."""
    signs = _READINGS[verdict.reading](text)
    return signs is None or not _possible(signs) or any(
        _as_old(word, verdict.encoding) is False for word in _WORD.findall(signs) if not word.isascii() and len(word) > 1)


def _is_old(text: str, verdict: Verdict) -> bool:
    """Tell whether a text of a mixed column is certainly old."""
    if text not in _sorted_out([text])[1]:
        return False
    evidence = _Evidence()
    _weigh([text], verdict, evidence)
    return bool(evidence.good) and len(evidence.bad) * 4 <= len(evidence.good)
