"""Telling the hub, at every meeting, what a working copy has not sent: for the administrator's health check."""

from __future__ import annotations

from contextlib import suppress

from ...common.errors import QuyHoachError
from ..changes import ExchangingHub, KnowsCopies
from ..rows import now
from .working_copy import WorkingCopy

_SINCE = "unsent_since"


def tell_hub(copy: WorkingCopy, hub: ExchangingHub) -> None:
    """Tell what is unsent and since which meeting; edits may be older than that, never younger.

    The exchange has succeeded when this is called, so a hub that cannot be written or is gone by now changes nothing.
    """
    if not isinstance(hub, KnowsCopies):
        return
    with suppress(QuyHoachError):
        unsent, since = copy.unsent(), copy.facts.get(_SINCE, "")
        if bool(unsent) is not bool(since):
            since = now() if unsent else ""
            with copy.applying("note"):
                copy.set_facts(**{_SINCE: since})
        hub.note_working_copy(copy.id, copy.facts.get("name", copy.path.stem), unsent, since or None)
