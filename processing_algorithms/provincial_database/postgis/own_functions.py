"""The functions and triggers the numbered SQL gives a hub, as they ought to be: to compare with what is there, and to mend it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

SQL_FOLDER = Path(__file__).parents[1] / "sql" / "postgis"
_FUNCTION = re.compile(r"^CREATE (?:OR REPLACE )?FUNCTION quyhoach\.(\w+)\(.*?AS \$\$(.*?)\$\$;$", re.M | re.S)
_DROPPED = re.compile(r"^DROP FUNCTION quyhoach\.(\w+)\(", re.M)
_TRIGGER = re.compile(r"^CREATE (?:CONSTRAINT )?TRIGGER (\w+)\b.*? ON (quyhoach\.\w+)\b.*?;$", re.M | re.S)


def numbered_files() -> Iterator[tuple[int, Path]]:
    """Yield number and path of the files of ``sql/postgis``, in order."""
    for path in sorted(SQL_FOLDER.glob("[0-9]*.sql")):
        yield int(path.name.split("_")[0]), path


def own_functions() -> dict[str, tuple[str, str]]:
    """Return the statement that makes each function, and its body; of one made twice the latter, of one dropped none."""
    found = {}
    for _, path in numbered_files():
        text = path.read_text(encoding="utf-8")
        for match in _FUNCTION.finditer(text):
            found[match[1]] = (match[0].replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION", 1), match[2])
        for match in _DROPPED.finditer(text):
            del found[match[1]]
    return found


def own_triggers() -> dict[tuple[str, str], str]:
    """Return the statements of triggers on the hub's own tables by table and name."""
    return {(match[2], match[1]): match[0] for _, path in numbered_files()
            for match in _TRIGGER.finditer(path.read_text(encoding="utf-8"))}


def altered_functions(cursor: Any, bodies: Mapping[str, str]) -> list[str]:
    """Return which functions of the hub are not there, or do something else; ``bodies`` by name."""
    cursor.execute("SELECT p.proname::text, p.prosrc FROM pg_proc p WHERE p.pronamespace = 'quyhoach'::regnamespace")
    present = dict(cursor.fetchall())
    return sorted(name for name, body in bodies.items() if present.get(name) != body)


def lost_triggers(cursor: Any) -> list[tuple[str, str]]:
    """Return which triggers of the hub's own tables are not there, or are switched off."""
    cursor.execute("SELECT n.nspname || '.' || c.relname, t.tgname::text FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid "
                   "JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = 'quyhoach' AND t.tgenabled IN ('O', 'A')")
    present = set(cursor.fetchall())
    return sorted(trigger for trigger in own_triggers() if trigger not in present)


def mend(cursor: Any) -> None:
    """Put functions and triggers of the hub's own tables back as they ought to be; as the owner, in the caller's transaction."""
    functions = own_functions()
    for name in altered_functions(cursor, {name: body for name, (_, body) in functions.items()}):
        cursor.execute(functions[name][0])
    triggers = own_triggers()
    for table, name in lost_triggers(cursor):
        cursor.execute(f"DROP TRIGGER IF EXISTS {name} ON {table}")  # words of our own files
        cursor.execute(triggers[table, name])
