"""Foreign keys somebody has added to a GeoPackage hub: judged when all of a changeset is there, whatever its order.

A zone may come before its plan, and a plan be deleted before its zones. SQLite itself would say no to the first statement,
or, of a deferred key, to the whole at its end, without a word about which features are meant.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import suppress

from ...common.language import say
from ..catalogue import Catalogue
from ..catalogue.model import FEATURE_ID
from ..changes import Change, Objection
from ..merge import same_value
from .schema import quoted

#: Table, row and number of the key of something that points nowhere.
Loose = set[tuple[str, int | None, int]]
_KEYS = ("SELECT DISTINCT m.name FROM sqlite_master m, pragma_foreign_key_list(m.name) k WHERE m.type = 'table' "
         "AND (lower(m.name) IN (SELECT value FROM json_each(?1)) OR lower(k.\"table\") IN (SELECT value FROM json_each(?1)))")


def put_off(database: sqlite3.Connection, tables: Sequence[str]) -> Loose:
    """Let keys wait for the end of the caller's transaction; return what points nowhere already, by other programs."""
    database.execute("PRAGMA defer_foreign_keys = ON")
    return _loose(database, tables)


def tables_with_keys(database: sqlite3.Connection, datasets: Catalogue) -> list[str]:
    """Return the tables whose foreign keys lead from or to a dataset."""
    return [name for (name,) in database.execute(_KEYS, (json.dumps([name.lower() for name in datasets]),))]


def _loose(database: sqlite3.Connection, tables: Sequence[str]) -> Loose:
    found: Loose = set()
    for table in tables:
        # A key that leads to no key is refused by SQLite itself, to whoever writes there.
        with suppress(sqlite3.OperationalError):
            found |= {(child, row, key) for child, row, _, key in database.execute(f"PRAGMA foreign_key_check({quoted(table)})")}
    return found


def objections_by_keys(
    database: sqlite3.Connection, datasets: Catalogue, changes: Sequence[Change], tables: Sequence[str], before: Loose
) -> Iterator[Objection]:
    """Yield the changes that left something pointing nowhere: those of what points, else of what was pointed at."""
    sent = {(change.dataset, change.feature_id): change for change in changes}
    by_name = {name.lower(): dataset for name, dataset in datasets.items()}
    for table, row, number in sorted(_loose(database, tables) - before, key=str):
        keys = [(parent, own, its) for id, _, parent, own, its, *_ in
                database.execute(f"PRAGMA foreign_key_list({quoted(table)})") if id == number]
        parent, child = by_name.get(keys[0][0].lower()), by_name.get(table.lower())
        names = {"child": table if child is None else str(child.label), "parent": keys[0][0] if parent is None else str(parent.label)}
        feature_id = None
        if child is not None:
            [feature_id] = database.execute(f"SELECT {FEATURE_ID} FROM {quoted(table)} WHERE rowid = ?", (row,)).fetchone()
        if child is not None and (child.name, feature_id) in sent:
            yield Objection(child.name, feature_id, say("{child}: trỏ tới {parent} không có.", "{child}: points to a {parent} that is not there.")
                            .format(**names))
            continue
        listed = ", ".join(quoted(own) for _, own, _ in keys)
        # A table without row numbers: whatever was pointed at is meant.
        values = () if row is None else database.execute(f"SELECT {listed} FROM {quoted(table)} WHERE rowid = ?", (row,)).fetchone()
        pointed_at = [change for change in changes if parent is not None and change.dataset == parent.name and change.before is not None
                      and all(same_value(change.feature_id if its == FEATURE_ID else change.before.get(its), value)
                              for (_, _, its), value in zip(keys, values))]
        for change in pointed_at or changes[:1]:
            yield Objection(change.dataset, change.feature_id, say("{parent}: còn {child} trỏ tới.", "{parent}: {child} still points to it.")
                            .format(**names))
