"""Whether a word has the shape of a Vietnamese syllable: onset, rime and tone as the spelling allows them.

Shape only: words nobody uses pass ("bứng" and "hũa" alike). It tells Vietnamese from other languages and from texts in
a wrong encoding, where a list of words would need every name of a place.
"""

from __future__ import annotations

import unicodedata
from enum import IntEnum
from functools import lru_cache

_ACUTE, _DOT = "\u0301", "\u0323"
TONES = ("\u0300", _ACUTE, "\u0303", "\u0309", _DOT)
_QUALITIES = ("\u0302", "\u0306", "\u031b")  # circumflex, breve, horn
_VOWELS = "aăâeêioôơuưy"
_MARKED = "ăâêôơư"
#: Longest first; the second list is of names of the highlands and of loan words ("Krông", "Pleiku", "Sa Pa").
_ONSETS = ("ngh", "ch", "gh", "gi", "kh", "ng", "nh", "ph", "qu", "th", "tr", "b", "c", "d", "đ", "g", "h", "k", "l", "m",
           "n", "q", "r", "s", "t", "v", "x", "")
_RARE_ONSETS = ("kr", "br", "bl", "pl", "đr", "dr", "gr", "gl", "kl", "p")
_RIMES = frozenset("""
    a ac ach ai am an ang anh ao ap at au ay ăc ăm ăn ăng ăp ăt âc âm ân âng âp ât âu ây
    e ec em en eng eo ep et ê êch êm ên ênh êp êt êu i ia ich im in inh ip it iu iêc iêm iên iêng iêp iêt iêu
    o oc oi om on ong op ot oa oac oach oai oam oan oang oanh oao oap oat oay oăc oăm oăn oăng oăt oe oen oeo oet ooc oong
    ô ôc ôi ôm ôn ông ôp ôt ơ ơi ơm ơn ơp ơt
    u ua uc ui um un ung up ut uân uâng uât uây uê uêch uên uênh uơ uôc uôi uôm uôn uông uôt
    uy uya uych uyên uyêt uyn uynh uyp uyt uyu ư ưa ưc ưi ưm ưn ưng ưt ưu ươc ươi ươm ươn ương ươp ươt ươu
    y yêm yên yêng yêt yêu""".split())
_AFTER_QU = _RIMES | {"ych", "ynh", "yp", "yt", "yn"}
_AFTER_Q = frozenset({"uy", "ua"})  # the tone on the u, as many write it: "qúy"
_STOPS = ("c", "ch", "k", "p", "t")
#: Two vowels without a final consonant: both ways of placing the tone are in use ("hoà", "hòa").
_EITHER = frozenset({"oa", "oe", "uy"})


class Shape(IntEnum):
    """How sure it is that a word is Vietnamese."""

    NONE = 0
    RARE = 1
    SURE = 2


@lru_cache(maxsize=65536)
def shape(word: str) -> Shape:
    """Judge one word of letters, in either case.

    Examples
    --------
    >>> [shape(word).name for word in ("Nghĩa", "HUYỆN", "Krông", "Đắk", "Müller", "các̀", "cé")]
    ['SURE', 'SURE', 'RARE', 'RARE', 'NONE', 'NONE', 'NONE']
    """
    letters, tone, at = _taken_apart(word)
    if not letters or at is None:
        return Shape.NONE
    for rarely, onsets in ((False, _ONSETS), (True, (*_RARE_ONSETS, *_ONSETS))):
        for onset in onsets:
            rime = letters[len(onset):]
            if letters.startswith(onset) and rime and _fits(onset, rime, rarely) and _tone_fits(rime, tone, at - len(onset)):
                return Shape.RARE if rarely else Shape.SURE
    return Shape.NONE


def _taken_apart(word: str) -> tuple[str, str, int | None]:
    """Return the letters without their tone, the tone, and the letter it stands on (-1: none; None: no syllable has it so)."""
    letters, tone, at = "", "", -1
    for mark in unicodedata.normalize("NFD", word.lower()):
        if mark in TONES:
            if tone or not letters or letters[-1] not in _VOWELS:
                return "", "", None
            tone, at = mark, len(letters) - 1
        elif mark in _QUALITIES:
            letters = letters[:-1] + unicodedata.normalize("NFC", letters[-1:] + mark)
        else:
            letters += mark
    return letters, tone, at


def _fits(onset: str, rime: str, rarely: bool) -> bool:
    if onset == "c" and rime[0] in "eêiy" or onset in ("gh", "ngh") and rime[0] not in "eêi":
        return False
    if onset in ("qu", "q"):
        return rime in (_AFTER_QU if onset == "qu" else _AFTER_Q)
    return rime in _RIMES or rarely and rime[-1] == "k" and rime[:-1] + "c" in _RIMES


def _tone_fits(rime: str, tone: str, at: int) -> bool:
    vowels = len(rime) - len(rime.lstrip(_VOWELS))
    if rime[vowels:] in _STOPS and tone not in (_ACUTE, _DOT):
        return False
    if not tone:
        return True
    marked = [position for position in range(vowels) if rime[position] in _MARKED]
    if marked:
        return at == marked[-1]
    if vowels < len(rime):
        return at == vowels - 1
    return at in (0, 1) if rime in _EITHER else at == (0 if vowels < 3 else 1)
