"""Departments of a GeoPackage hub and what they may write, so that a push under the wrong name is noticed.

Whoever has the file can do anything with it, so this guards pushes and changes files against mistakes only, and reading not at
all. The department is the one the changeset names. Without departments everybody may write everything.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ...common.language import say
from ..administration.offices import Right, beyond
from ..catalogue import Catalogue
from ..changes import Changeset, Objection

if TYPE_CHECKING:
    from .hub import GeoPackageHub


def departments(hub: GeoPackageHub) -> dict[str, tuple[str, str]]:
    """See `offices.departments`."""
    return _departments(hub._database)


def _departments(database: sqlite3.Connection) -> dict[str, tuple[str, str]]:
    return {name: (label, kind) for name, label, kind in database.execute("SELECT name, label, kind FROM quyhoach_department ORDER BY name")}


def rights(hub: GeoPackageHub) -> list[tuple[str, Right]]:
    """Return every right with the department it is of."""
    return _rights(hub._database)


def _rights(database: sqlite3.Connection) -> list[tuple[str, Right]]:
    return [(name, Right(dataset_id, commune, bool(may_write)))
            for name, dataset_id, commune, may_write in database.execute(
        "SELECT department, dataset_id, commune_code, may_write FROM quyhoach_permission ORDER BY department, dataset_id, commune_code")]


def set_department(hub: GeoPackageHub, name: str, label: str, kind: str, given: Sequence[Right], *, anew: bool) -> None:
    """See `offices.set_department`."""
    with hub._transaction():
        hub._database.execute("INSERT INTO quyhoach_department VALUES (?, ?, ?) ON CONFLICT (name) DO UPDATE "
                              "SET label = excluded.label, kind = excluded.kind", (name, label, kind))
        if anew:
            hub._database.execute("DELETE FROM quyhoach_permission WHERE department = ?", (name,))
        hub._database.executemany(
            "INSERT INTO quyhoach_permission VALUES (?, ?, ?, ?) ON CONFLICT (department, coalesce(dataset_id, ''), "
            "coalesce(commune_code, '')) DO UPDATE SET may_write = max(may_write, excluded.may_write)",
            [(name, right.dataset_id, right.commune, right.may_write) for right in given])


def not_allowed(database: sqlite3.Connection, datasets: Catalogue, changeset: Changeset) -> list[Objection]:
    """Tell which changes the changeset's department may not make; within the caller's transaction."""
    known = _departments(database)
    if not known or not changeset.changes:
        return []
    asked = changeset.department.strip().casefold()
    name = next((name for name, (label, _) in known.items() if asked in (name.casefold(), label.casefold())), None)
    if name is None:
        first = changeset.changes[0]
        return [Objection(first.dataset, first.feature_id, say(
            "cơ quan \"{department}\" không có trong cơ sở dữ liệu dùng chung; hãy ghi một trong: {names}",
            "the shared database knows no department \"{department}\"; one of: {names}").format(
                department=changeset.department, names=", ".join(label for label, _ in known.values())))]
    given = [right for department, right in _rights(database) if department == name]
    return beyond(given, known[name][0], datasets, changeset)
