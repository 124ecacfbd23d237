"""Text another program has written that is none: which features, and what to do about it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping

from ..common.errors import InputError, name_some
from ..common.language import say
from .catalogue import Dataset
from .catalogue.model import FEATURE_ID
from .geopackage.schema import quoted


def unreadable_text(database: sqlite3.Connection, tables: Mapping[str, Dataset], error: sqlite3.Error) -> sqlite3.Error | InputError:
    """Return what to raise for an error of SQLite: where it is about text that is no UTF-8, all of it by name; else itself.

    Parameters
    ----------
    tables : mapping
        Table -> the dataset whose rows it has.
    """
    if "decode to UTF-8" not in str(error):
        return error
    problems = []
    kept, database.text_factory = database.text_factory, bytes
    try:
        for table, dataset in tables.items():
            names = [field.name for field in dataset.fields if field.type in ("text", "date", "datetime")]
            rows = database.execute(f"SELECT {', '.join(map(quoted, (FEATURE_ID, *names)))} FROM {quoted(table)}")
            bad = {name: [row[0] for row in rows_of] for name, rows_of in _bad(rows, names).items() if rows_of}
            for name, ids in bad.items():
                problems.append(say("{dataset}: {field}: {n} đối tượng có chữ không phải Unicode (UTF-8), do chương trình khác ghi ({ids}); hãy "
                                    "nhập lại các ô đó.",
                                    "{dataset}: {field}: {n} features have text that is no Unicode (UTF-8), another program wrote it ({ids}); "
                                    "type those cells anew.").format(
                    dataset=dataset.label, field=dataset.field(name).label, n=len(ids),
                    ids=name_some([id.decode("utf-8", "replace") if isinstance(id, bytes) else id for id in ids], 3)))
    finally:
        database.text_factory = kept
    return InputError(problems) if problems else error


def _bad(rows: Iterable[tuple], names: list[str]) -> dict[str, list[tuple]]:
    found: dict[str, list[tuple]] = {name: [] for name in names}
    for row in rows:
        for name, value in zip(names, row[1:]):
            if isinstance(value, bytes):
                try:
                    value.decode("utf-8")
                except UnicodeDecodeError:
                    found[name].append(row)
    return found
