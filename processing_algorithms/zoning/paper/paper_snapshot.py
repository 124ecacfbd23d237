"""The canonical snapshot of a planning-information paper: one text for one content, its digest and its short code.

A snapshot is made of mappings, lists, texts, whole numbers, truth values and None. Measured numbers are texts with
their fixed decimals, because a float has no one way to be written; letters are composed (NFC), keys sorted.
"""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from collections.abc import Iterator, Mapping
from typing import Any

from ...common.errors import InputError
from ...common.language import say

#: Letters of a short code: none that are taken for another when read aloud or copied by hand (no I, L, O, U).
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
#: How people copy them all the same.
_MISREAD = str.maketrans("ILOU", "110V")


def canonical(value: Any) -> str:
    """Return the one JSON text of a value.

    Raises
    ------
    TypeError
        A float, or anything else that has no single way to be written.

    Examples
    --------
    >>> canonical({"b": ["1.50", None], "a": "Thửa"})
    '{"a":"Thửa","b":["1.50",null]}'
    """
    return canonical_read(value)[0]


def canonical_read(value: Any) -> tuple[str, Any]:
    """Return the canonical text and what `json.loads` makes of it."""
    # A look at the whole text tells that nothing is to be done for any of its thousands of parts: nearly always.
    try:
        text = _written(value)
        content = json.loads(text, parse_float=_no_float, parse_constant=_no_float)
        if unicodedata.is_normalized("NFC", text):
            return text, content
    except TypeError:
        pass
    text = _written(_plain(value))
    return text, json.loads(text)


def _written(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def _no_float(text: str) -> Any:
    raise TypeError(f"float in a snapshot: {text}")


def _plain(value: Any) -> Any:
    if isinstance(value, str):
        return value if value.isascii() else unicodedata.normalize("NFC", value)
    if value is None or isinstance(value, (bool, int)):
        return value
    if type(value) is list:
        return [_plain(item) for item in value]
    if isinstance(value, Mapping):
        return {_plain(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    raise TypeError(f"{type(value).__name__} in a snapshot: {value!r}")


def digest(text: str) -> str:
    """Return the SHA-256 of a snapshot's text, 64 hexadecimal letters."""
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def short_code(content_digest: str) -> str:
    """Return the code printed on a paper: the first 40 bits of the digest.

    Examples
    --------
    >>> short_code("00443214c74254b635cf84653a56d7c6")
    '0123-4567'
    """
    number = int(content_digest[:10], 16)
    letters = "".join(_ALPHABET[number >> shift & 31] for shift in range(35, -1, -5))
    return f"{letters[:4]}-{letters[4:]}"


def read_code(text: str) -> str:
    """Read a short code as people type it.

    Raises
    ------
    InputError
        Not eight letters and digits.

    Examples
    --------
    >>> read_code(" o123 4567"), read_code("7k3f9qxd")
    ('0123-4567', '7K3F-9QXD')
    """
    letters = re.sub(r"[\s\-–.]", "", text).upper().translate(_MISREAD)
    if len(letters) != 8 or any(letter not in _ALPHABET for letter in letters):
        raise InputError(say("\"{text}\" không phải mã đối chiếu; mã có 8 chữ và số, ví dụ 7K3F-9QXD.",
                             "\"{text}\" is no short code; a code has 8 letters and digits, such as 7K3F-9QXD.")
                         .format(text=text))
    return f"{letters[:4]}-{letters[4:]}"


def fixed(value: Any, decimals: int) -> str | None:
    """Write a measured number with its decimals; None for nothing, -0 is 0.

    Examples
    --------
    >>> fixed(60, 1), fixed(float("nan"), 2), fixed(-0.0001, 2)
    ('60.0', None, '0.00')
    """
    if value is None or value != value:
        return None
    text = f"{float(value):.{decimals}f}"
    return text.lstrip("-") if float(text) == 0 else text


def differences(before: Any, after: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any, Any]]:
    """Yield path, former and present value of everything that differs between two snapshots."""
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for key in sorted({*before, *after}):
            yield from differences(before.get(key), after.get(key), (*path, key))
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for at, pair in enumerate(zip(before, after)):
            yield from differences(*pair, (*path, str(at)))
    elif before != after:
        yield path, before, after
