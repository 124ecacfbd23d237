"""Telling the address of a PostgreSQL database from the path of a file."""

from __future__ import annotations

import os
import re

# An account and a password before an @ make no path either, whatever stands before them: it may not be told as one, password and all.
_ADDRESS = re.compile(r"\s*(postgres(ql)?://|\w+\s*=|(\w+:/+)?[^\s/\\:@]+:[^\s/\\]*@)", re.IGNORECASE)


def is_postgis_location(location: str | os.PathLike[str]) -> bool:
    """Tell whether a location means a PostGIS hub and not a file.

    Examples
    --------
    >>> is_postgis_location("service=tinh"), is_postgis_location("C:/hub.gpkg"), is_postgis_location("lan:secret@server/tinh")
    (True, False, True)
    """
    text = os.fspath(location)
    return bool(_ADDRESS.match(text)) and not text.strip().lower().endswith(".gpkg")
