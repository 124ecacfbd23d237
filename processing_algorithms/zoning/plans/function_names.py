"""Land functions as people write them in tables: a code, the official name, or something like it; and kinds of density."""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import TypeVar

import pandas

from ...common.norms.loader import load_table

_Frame = TypeVar("_Frame", bound=pandas.DataFrame)
#: Names of the circular that differ from usage too much to be found by likeness; plain letters.
_OTHER_NAMES = {
    "NO": ("dat o", "nha o", "don vi o", "nhom nha o don vi o"), "HH": ("hon hop", "dat hon hop"),
    "LX": ("lang xom", "dan cu nong thon", "dan cu hien huu", "lang xom hien huu"),
    "CXCC": ("cay xanh", "cay xanh cong cong", "cong vien cay xanh", "cay xanh tdtt", "cong vien vuon hoa"),
    "TRUONG": ("truong hoc", "giao duc", "truong mam non", "truong tieu hoc", "truong thcs", "truong mam non tieu hoc thcs"),
    "THPT": ("trung hoc pho thong",), "TDTT": ("the duc the thao", "san the thao"), "CQ": ("co quan", "tru so co quan", "hanh chinh"),
    "DV": ("dich vu", "thuong mai dich vu", "dich vu cong cong", "cong trinh dich vu"), "CN": ("cong nghiep", "kho bai", "cong nghiep kho tang"),
    "GT": ("giao thong", "duong giao thong", "giao thong doi noi", "giao thong do thi"), "BDX": ("bai do xe", "bai xe", "do xe"),
    "HTK": ("ha tang ky thuat", "ha tang ky thuat dau moi", "cong trinh ha tang ky thuat"), "NTR": ("nghia trang", "nghia dia"),
    "SS": ("song suoi", "mat nuoc", "song ngoi kenh rach"), "HO": ("ho ao", "ho", "ho nuoc"), "DL": ("du lich",),
    "DTTG": ("di tich", "ton giao", "ton giao tin nguong"), "NN": ("nong nghiep", "dat nong nghiep"), "CSD": ("chua su dung", "bang chua su dung")}
#: Less alike than this is not the same; found by trying the names of published plan tables.
_ALIKE = 0.86


def plain(text: object) -> str:
    """Return a text in small letters without diacritics, signs, and the words every row begins with.

    Examples
    --------
    >>> plain("1.2  Đất Trường học (mầm non)"), plain("- Đất giao thông")
    ('truong hoc mam non', 'giao thong')
    """
    words = letters_only(text)
    # Numbers of rows: "1", "1.2", "a", "II"; not the first letter of a name.
    words = re.sub(r"^(?:\d+ |[ivx]+ (?=dat |khu ))+", "", words + " ").strip()
    return re.sub(r"^(?:dat |khu |loai )+", "", words + " ").strip()


def letters_only(text: object) -> str:
    """Return a text in small letters without diacritics and signs.

    Examples
    --------
    >>> letters_only("Diện tích (ha)")
    'dien tich ha'
    """
    letters = unicodedata.normalize("NFD", str(text).lower().replace("đ", "d"))
    return re.sub(r"[^a-z0-9]+", " ", "".join(c for c in letters if not unicodedata.combining(c))).strip()


def match_function(text: object, code: object = "") -> tuple[str, str]:
    """Return the function a code or name stands for, and how it was found: code, name, alike; ``("", "")`` for none.

    Examples
    --------
    >>> match_function("Đất nhóm nhà ở"), match_function("", "cxcc"), match_function("Đất hạ tầng kĩ thuật khác")
    (('NO', 'name'), ('CXCC', 'code'), ('HTK', 'alike'))
    >>> match_function("Tổng cộng")
    ('', '')
    """
    names, codes = _names()
    for given in (code, text):
        key = str(given or "").strip().upper()
        if key in codes:
            return key, "code"
    name = plain(text)
    if not name:
        return "", ""
    if name in names:
        return names[name], "name"
    scores: dict[str, float] = {}
    for known, key in names.items():
        scores[key] = max(scores.get(key, 0.0), difflib.SequenceMatcher(None, name, known).ratio())
    ranked = sorted(scores.items(), key=lambda item: -item[1])
    if ranked[0][1] >= _ALIKE and ranked[0][1] > ranked[1][1] + 0.02:
        return ranked[0][0], "alike"
    return "", ""


def with_codes(frame: _Frame, function_field: str = "function_code", *, names_too: bool = True) -> _Frame:
    """Return a frame with one spelling of functions (" no ", "Đất ở" are NO) and of kinds of density; others keep theirs.

    Parameters
    ----------
    names_too : bool
        Whether names become codes; small letters always do.
    """
    read = {}
    if function_field in frame.columns:
        read[function_field] = _respelled(frame[function_field], lambda text: _function(text, names_too))
    if "density_kind" in frame.columns:
        read["density_kind"] = _respelled(frame["density_kind"], lambda text: _KINDS.get(letters_only(text), text))
    return frame.assign(**read)


def has_codes(column: pandas.Series) -> bool:
    """Whether any value of a column is the code of a function."""
    return any(str(value).strip().upper() in _names()[1] for value in column.dropna().unique())


def density_kind(text: object) -> str:
    """Return net, gross, or "" for what is neither.

    Examples
    --------
    >>> density_kind("Thuần"), density_kind("brut-tô"), density_kind("?")
    ('net', 'gross', '')
    """
    return _KINDS.get(letters_only(text), "")


#: How people write the kind of a density, plain letters.
_KINDS = {"net": "net", "netto": "net", "net to": "net", "thuan": "net", "mat do thuan": "net",
          "gross": "gross", "brutto": "gross", "brut to": "gross", "gop": "gross", "mat do gop": "gross"}


def _function(text: str, names_too: bool) -> str:
    names, codes = _names()
    if text.upper() in codes:
        return text.upper()
    if names_too and plain(text) in names:
        return names[plain(text)]
    return text.upper() if re.fullmatch(r"[A-Za-zĐđ]{1,6}\d{0,3}", text) else text


def _respelled(column: pandas.Series, respell: Callable[[str], str]) -> pandas.Series:
    texts = {value: value.strip() for value in column.dropna().unique() if isinstance(value, str)}
    known = {value: respell(text) if text else None for value, text in texts.items()}
    return column.map(lambda value: known.get(value, value) if isinstance(value, str) else value) if known else column


@lru_cache(maxsize=1)
def _names() -> tuple[Mapping[str, str], frozenset[str]]:
    rows = load_table("planning_land_functions", on=None).rows
    names = {plain(row["name_vi"]): str(row["key"]) for row in rows}
    for key, others in _OTHER_NAMES.items():
        for other in others:
            names.setdefault(plain(other), key)
    return names, frozenset(str(row["key"]) for row in rows)
