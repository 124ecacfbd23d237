"""What the person at the desk may read and write of a hub, dataset by dataset: to be told before work is lost on it.

PostGIS knows by the account; a GeoPackage knows nobody, so there it is the department a person says they work for.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..hub import Hub
from .offices import departments, rights_of_departments


@dataclass(frozen=True)
class OwnRight:
    """Of one dataset. Communes None: the whole province; an empty set: nothing."""

    reads: frozenset[str] | None
    writes: frozenset[str] | None


def own_rights(hub: Hub, department: str = "") -> dict[str, OwnRight]:
    """Return what may be read and written, by dataset name.

    Parameters
    ----------
    hub : Hub
    department : str
        Short or full name, for a GeoPackage hub that has departments; of one it does not know nothing may be written.
        A PostGIS hub goes by the account.
    """
    from ..geopackage.hub import GeoPackageHub

    if not isinstance(hub, GeoPackageHub):
        return _of_account(hub)
    known = departments(hub)
    if not known:
        return {name: OwnRight(None, None) for name in hub.datasets}
    asked = department.strip().casefold()
    found = next((key for key, (label, _) in known.items() if asked in (key.casefold(), label.casefold())), None)
    given = [right for key, right in rights_of_departments(hub) if key == found]
    answer = {}
    for dataset in hub.datasets.values():
        communes = {right.commune for right in given if right.may_write and right.dataset_id in (None, dataset.id)}
        whole = None in communes
        # A file can be read by whoever has it.
        answer[dataset.name] = OwnRight(None, None if whole else frozenset(str(code) for code in communes))
    return answer


def _of_account(hub: Hub) -> dict[str, OwnRight]:
    from ..postgis.connection import told

    with told(), hub.connection.cursor() as cursor:
        cursor.execute("SELECT dataset_id, reads_all, reads, writes_all, writes FROM quyhoach.rights()")
        rows = {row[0]: row[1:] for row in cursor.fetchall()}
    nothing = (False, None, False, None)
    return {dataset.name: _right(*rows.get(dataset.id, nothing)) for dataset in hub.datasets.values()}


def _right(reads_all: bool, reads: list[str] | None, writes_all: bool, writes: list[str] | None) -> OwnRight:
    return OwnRight(None if reads_all else frozenset(reads or ()), None if writes_all else frozenset(writes or ()))
