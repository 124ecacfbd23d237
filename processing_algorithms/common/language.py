"""Texts in Vietnamese and English, written side by side where they are used.

The product has exactly two languages and both are complete, so a text is a pair and cannot go untranslated;
engines that know nothing of QGIS speak the user's language too. Printed matter is Vietnamese and takes the first.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import Iterator

LANGUAGES = ("vi", "en")
_current = "vi"


def say(vi: str, en: str) -> str:
    """Return the text of the current language.

    Examples
    --------
    >>> say("Thửa đất", "Parcels")
    'Thửa đất'
    """
    return vi if _current == "vi" else en


def set_language(locale: str) -> None:
    """Choose the language from a locale name: ``vi``, ``vi_VN`` are Vietnamese, everything else English."""
    global _current
    _current = "vi" if locale.lower().startswith("vi") else "en"


def current_language() -> str:
    """Return ``"vi"`` or ``"en"``."""
    return _current


@contextmanager
def speaking(locale: str) -> Iterator[None]:
    """Set the language for a block, as printed matter and tests need it."""
    before = _current
    set_language(locale)
    try:
        yield
    finally:
        set_language(before)
