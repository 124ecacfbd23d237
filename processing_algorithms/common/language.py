"""Texts in Vietnamese and English, written side by side where they are used.

The product has exactly two languages and both are complete, so a text is a pair and cannot go untranslated;
engines that know nothing of QGIS speak the user's language too. Printed matter is Vietnamese and takes the first.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

LANGUAGES = ("vi", "en")
_current = "vi"
#: Of a block and of its thread only: what is printed beside the window must not change what the window says.
_spoken: ContextVar[str | None] = ContextVar("spoken", default=None)


def say(vi: str, en: str) -> str:
    """Return the text of the current language.

    Examples
    --------
    >>> say("Thửa đất", "Parcels")
    'Thửa đất'
    """
    return vi if (_spoken.get() or _current) == "vi" else en


def set_language(locale: str) -> None:
    """Choose the language from a locale name: ``vi``, ``vi_VN`` are Vietnamese, everything else English."""
    global _current
    _current = _language(locale)


def _language(locale: str) -> str:
    return "vi" if locale.lower().startswith("vi") else "en"


def current_language() -> str:
    """Return ``"vi"`` or ``"en"``."""
    return _spoken.get() or _current


@contextmanager
def speaking(locale: str) -> Iterator[None]:
    """Set the language for a block and its thread, as printed matter and tests need it."""
    before = _spoken.set(_language(locale))
    try:
        yield
    finally:
        _spoken.reset(before)
