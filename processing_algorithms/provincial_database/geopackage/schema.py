"""The SQL of one dataset's table in a GeoPackage hub, made from the catalogue.

A table has the constraints any program sees (types, NOT NULL, the domains of the GeoPackage schema extension) and
triggers that refuse, in our words, what the catalogue does not allow, whoever writes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from itertools import product
from xml.sax.saxutils import escape

from ..catalogue.model import FEATURE_ID, FID, FIRST_YEAR, GEOMETRY, LAST_YEAR, Dataset, Field

_COLUMN_TYPES = {"integer": "INTEGER", "real": "DOUBLE", "boolean": "BOOLEAN", "date": "DATE", "datetime": "DATETIME"}
#: What GDAL calls triggers of a spatial index, and we do not.
OTHER_INDEX_TRIGGERS = ("update1", "update3")
UUID_GLOB = "-".join("[0-9a-f]" * n for n in (8, 4, 4, 4, 12))
NEW_UUID = (
    "lower(hex(randomblob(4))) || '-' || lower(hex(randomblob(2))) || '-4' || substr(lower(hex(randomblob(2))), 2) || "
    "'-' || "
    "substr('89ab', 1 + (random() & 3), 1) || substr(lower(hex(randomblob(2))), 2) || '-' || lower(hex(randomblob(6)))"
)


def quoted(name: str) -> str:
    """Quote an identifier for SQL."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """Quote a text for SQL, where no parameter can stand (triggers)."""
    return "'" + text.replace("'", "''") + "'"


def data_columns(dataset: Dataset) -> list[str]:
    """The columns that are data: the catalogue's fields, then the shape. ``fid`` and ``feature_id`` are not."""
    return [*dataset.field_names, *([GEOMETRY] if dataset.geometry else [])]


def table_statements(dataset: Dataset, *, unique_identity: bool = True) -> Iterator[str]:
    """Yield what creates the table and its indexes; the triggers are `trigger_statements`.

    ``unique_identity`` is False in a working copy, where splitting and pasting copy the identity before it is mended.
    """
    columns = [f"{quoted(FID)} INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL"]
    if dataset.geometry:
        columns.append(f"{quoted(GEOMETRY)} {dataset.geometry.upper()} NOT NULL")
    columns.append(f"{quoted(FEATURE_ID)} TEXT(36){' UNIQUE' if unique_identity else ''}")
    columns += [f"{quoted(field.name)} {column_type(field)}{' NOT NULL' if field.required else ''}" for field in dataset.fields]
    yield f"CREATE TABLE {quoted(dataset.name)} (\n    " + ",\n    ".join(columns) + "\n)"
    if dataset.key:
        # Not unique: a parcel that was just split has the old number twice until somebody types the new one.
        yield f"CREATE INDEX {quoted('quyhoach_key_' + dataset.name)} ON {quoted(dataset.name)} ({', '.join(map(quoted, dataset.key))})"
    if dataset.commune_field and dataset.commune_field not in dataset.key[:1]:
        yield (f"CREATE INDEX {quoted('quyhoach_commune_' + dataset.name)} ON {quoted(dataset.name)} "
               f"({quoted(dataset.commune_field)})")


def trigger_statements(dataset: Dataset, *, unique_identity: bool = True) -> dict[str, str]:
    """Return all triggers of a dataset by name; ``unique_identity`` as in `table_statements`.

    Apart from the table, because a large import drops them, does in one go what they do row by row, and makes them
    again in the same transaction.
    """
    statements = [*_identity_triggers(dataset), *_check_triggers(dataset)]
    if dataset.geometry:
        statements += _count_triggers(dataset.name, unique_identity)
    return {statement.split('"')[1]: statement
            for statement in statements} | (_index_triggers(dataset.name) if dataset.geometry else {})


def column_type(field: Field) -> str:
    """The type a field's column is declared with."""
    return f"TEXT({field.length})" if field.type == "text" else _COLUMN_TYPES[field.type]


def _identity_triggers(dataset: Dataset) -> Iterator[str]:
    table = quoted(dataset.name)
    yield (f"CREATE TRIGGER {quoted('quyhoach_identity_' + dataset.name)} AFTER INSERT ON {table}\n"
           f"WHEN NEW.{FEATURE_ID} IS NULL OR NEW.{FEATURE_ID} NOT GLOB '{UUID_GLOB}'\n"
           f"BEGIN UPDATE {table} SET {FEATURE_ID} = {NEW_UUID} WHERE {FID} = NEW.{FID}; END")
    refusal = f"{dataset.label.vi}: feature_id không được thay đổi (must not change)."
    yield (f"CREATE TRIGGER {quoted('quyhoach_identity_kept_' + dataset.name)} BEFORE UPDATE OF {FEATURE_ID} ON "
           f"{table}\n"
           f"WHEN NEW.{FEATURE_ID} IS NOT OLD.{FEATURE_ID} AND OLD.{FEATURE_ID} GLOB '{UUID_GLOB}'\n"
           f"BEGIN SELECT RAISE(ABORT, {literal(refusal)}); END")


def _check_triggers(dataset: Dataset) -> Iterator[str]:
    """Refuse what the catalogue does not allow, row by row, whoever writes.

    An edit is judged by what it changes: most change a field or two, and judging all of them would take longer than the
    writing.
    """
    checks = [(columns, f"CASE\n{_whens(wrong, lambda message: f'RAISE(ABORT, {message})')}\n    END")
              for columns, wrong in _checks(dataset)]
    edited = [f"CASE WHEN {_changed(columns)} THEN {cases} END" for columns, cases in checks]
    for event, selected in (("INSERT", [cases for _, cases in checks]), ("UPDATE", edited)):
        yield (f"CREATE TRIGGER {quoted(f'quyhoach_check_{event.lower()}_{dataset.name}')} BEFORE {event} ON "
               f"{quoted(dataset.name)}\n"
               f"BEGIN SELECT {', '.join(selected)}; END")


def verify_statement(dataset: Dataset) -> str:
    """Return a query for what the triggers would have refused among the rows from a fid on: the first message, or no row.

    A large import asks once instead of firing a trigger per row, which would take twice as long.
    """
    cases = "\n".join(_whens(wrong, lambda message: message) for _, wrong in _checks(dataset))
    return (f"SELECT why FROM (SELECT CASE\n{cases}\n    END AS why FROM {quoted(dataset.name)} AS NEW WHERE NEW.{FID} >= ?) "
            "WHERE why IS NOT NULL LIMIT 1")


def _changed(columns: Sequence[str]) -> str:
    return " OR ".join(f"NEW.{quoted(column)} IS NOT OLD.{quoted(column)}" for column in columns)


def _whens(wrong: Sequence[tuple[str, str]], then: Callable[[str], str]) -> str:
    return "\n".join(f"    WHEN {condition} THEN {then(literal(message))}" for condition, message in wrong)


def _checks(dataset: Dataset) -> Iterator[tuple[list[str], list[tuple[str, str]]]]:
    """Yield columns with the conditions on them that must not be true and their messages.

    Messages carry both languages: a trigger cannot know who reads.
    """
    for field in dataset.fields:
        yield [field.name], [(condition, f"{dataset.label.vi}: {field.label.vi}: {why}")
                             for condition, why in _wrong(field)]
    if dataset.geometry:
        shape = f"NEW.{quoted(GEOMETRY)}"
        yield [GEOMETRY], [(f"{shape} IS NOT NULL AND (typeof({shape}) <> 'blob' OR substr({shape}, 1, 2) <> x'4750')",
                            f"{dataset.label.vi}: không phải là hình của GeoPackage (no GeoPackage geometry).")]
    for check in dataset.checks:
        # Holds when either is null, because a comparison with null is null.
        yield [check.left, check.right], [(f"NOT (NEW.{quoted(check.left)} {check.operator} NEW.{quoted(check.right)})",
                                           f"{dataset.label.vi}: {check.message.vi} ({check.message.en})")]


def _wrong(field: Field) -> Iterator[tuple[str, str]]:
    """Yield conditions on NEW that must not be true, with the reason."""
    value = f"NEW.{quoted(field.name)}"
    if field.required and field.type == "text":
        yield f"trim({value}) = ''", "không được để trống (must not be blank)."
    if field.length is not None:
        yield f"length({value}) > {field.length}", f"dài quá {field.length} ký tự (too long)."
    stored = {"integer": "integer", "boolean": "integer", "real": "real", "text": "text", "date": "text",
              "datetime": "text"}[field.type]
    allowed = "('real', 'integer', 'null')" if stored == "real" else f"('{stored}', 'null')"
    yield f"typeof({value}) NOT IN {allowed}", "sai kiểu dữ liệu (wrong type)."
    if field.type == "boolean":
        yield f"{value} NOT IN (0, 1)", "chỉ nhận 0 hoặc 1 (0 or 1 only)."
    if field.type == "date":
        yield f"{value} IS NOT date({value}) OR substr({value}, 1, 4) < '0001'", "không phải là ngày (not a date)."
    if field.type == "datetime":
        # SQLite takes "now", a bare time and years no other program knows. By substr, which has no affinity to numbers.
        yield (f"{value} IS NOT NULL AND (julianday({value}) IS NULL OR {value} NOT GLOB '[0-9][0-9][0-9][0-9]-*' OR "
               f"substr({value}, 1, 4) < '{FIRST_YEAR}' OR substr({value}, 1, 4) > '{LAST_YEAR}')"), "không phải là thời điểm (not a date and time)."
    if field.type == "real":
        yield f"abs({value}) = 9e999", "không phải là số hữu hạn (no finite number)."
    if field.minimum is not None:
        yield f"{value} < {field.minimum!r}", f"nhỏ hơn {field.minimum} (too small)."
    if field.maximum is not None:
        yield f"{value} > {field.maximum!r}", f"lớn hơn {field.maximum} (too large)."
    if field.domain is not None:
        # From the table, so that a new code needs no new trigger.
        yield (f"{value} IS NOT NULL AND NOT EXISTS (SELECT 1 FROM gpkg_data_column_constraints WHERE constraint_name "
               f"= "
               f"{literal(field.domain.name)} AND constraint_type = 'enum' AND value = {value})",
               "mã không có trong danh mục (unknown code).")
    if field.pattern is not None:
        globs = globs_of(field.pattern)
        if globs:
            yield " AND ".join(f"{value} NOT GLOB {literal(glob)}" for glob in globs), "sai dạng mã (malformed code)."


def globs_of(pattern: str) -> list[str]:
    """Translate a pattern of fixed length to SQLite's GLOB, which knows no repetition; [] when it cannot be.

    Examples
    --------
    >>> globs_of("^[0-9]{2}(A|B)$")
    ['[0-9][0-9]A', '[0-9][0-9]B']
    """
    parts: list[list[str]] = []
    rest = pattern.removeprefix("^").removesuffix("$")
    while rest:
        found = re.match(r"(\[[^\]]+\])(?:\{(\d+)\})?|\(([A-Za-z0-9]+(?:\|[A-Za-z0-9]+)*)\)|([A-Za-z0-9-])(?![{?*+])",
                         rest)
        if not found or rest[found.end() : found.end() + 1] in ("?", "*", "+", "{"):
            return []
        group, times, words, letter = found.groups()
        parts.append([group * int(times or 1)] if group else words.split("|") if words else [letter])
        rest = rest[found.end() :]
    return ["".join(choice) for choice in product(*parts)]


def _index_triggers(table: str) -> dict[str, str]:
    """The triggers that keep the spatial index and the row count.

    Those of the index are GeoPackage 1.4's, whose update rules survive ``INSERT OR REPLACE``.
    """
    t, rtree = quoted(table), quoted(f"rtree_{table}_{GEOMETRY}")
    some, none = f"NEW.{GEOMETRY} NOTNULL AND NOT ST_IsEmpty(NEW.{GEOMETRY})", f"(NEW.{GEOMETRY} ISNULL OR ST_IsEmpty(NEW.{GEOMETRY}))"
    box = ", ".join(f"ST_{side}(NEW.{GEOMETRY})" for side in ("MinX", "MaxX", "MinY", "MaxY"))
    sides = ", ".join(f"{side} = ST_{name}(NEW.{GEOMETRY})" for side,
                      name in (("minx", "MinX"), ("maxx", "MaxX"), ("miny", "MinY"), ("maxy", "MaxY")))
    had = f"OLD.{GEOMETRY} NOTNULL AND NOT ST_IsEmpty(OLD.{GEOMETRY})"
    had_none = f"(OLD.{GEOMETRY} ISNULL OR ST_IsEmpty(OLD.{GEOMETRY}))"
    put = f"INSERT OR REPLACE INTO {rtree} VALUES (NEW.{FID}, {box});"
    take = f"DELETE FROM {rtree} WHERE id = OLD.{FID};"
    spatial = {
        "insert": (f"AFTER INSERT ON {t} WHEN {some}", put),
        "update2": (f"AFTER UPDATE OF {GEOMETRY} ON {t} WHEN OLD.{FID} = NEW.{FID} AND {none}", take),
        "update4": (f"AFTER UPDATE ON {t} WHEN OLD.{FID} != NEW.{FID} AND {none}",
                    f"DELETE FROM {rtree} WHERE id IN (OLD.{FID}, NEW.{FID});"),
        "update5": (f"AFTER UPDATE ON {t} WHEN OLD.{FID} != NEW.{FID} AND {some}", f"{take} {put}"),
        "update6": (f"AFTER UPDATE OF {GEOMETRY} ON {t} WHEN OLD.{FID} = NEW.{FID} AND {some} AND {had}",
                    f"UPDATE {rtree} SET {sides} WHERE id = NEW.{FID};"),
        "update7": (f"AFTER UPDATE OF {GEOMETRY} ON {t} WHEN OLD.{FID} = NEW.{FID} AND {some} AND {had_none}",
                    f"INSERT INTO {rtree} VALUES (NEW.{FID}, {box});"),
        "delete": (f"AFTER DELETE ON {t} WHEN OLD.{GEOMETRY} NOTNULL", take),
    }
    named = {f"rtree_{table}_{GEOMETRY}_{name}": parts for name, parts in spatial.items()}
    for event, sign in (("insert", "+"), ("delete", "-")):
        named[f"trigger_{event}_feature_count_{table}"] = (
            f"AFTER {event.upper()} ON {t}",
            f"UPDATE gpkg_ogr_contents SET feature_count = feature_count {sign} 1 WHERE lower(table_name) = "
            f"lower({literal(table)});")
    return {name: f"CREATE TRIGGER {quoted(name)} {when} BEGIN {action} END" for name, (when, action) in named.items()}


def _count_triggers(table: str, unique_identity: bool) -> Iterator[str]:
    """The kept row count is not known any more when REPLACE may have deleted a row, of which no other trigger hears.

    Without a number programs count for themselves.
    """
    t, other = quoted(table), f" OR {FEATURE_ID} = NEW.{FEATURE_ID}" if unique_identity else ""
    for event, hit in (("INSERT", f"{FID} = NEW.{FID}{other}"), (f"UPDATE OF {FID}", f"{FID} = NEW.{FID} AND NEW.{FID} <> OLD.{FID}")):
        yield (f"CREATE TRIGGER {quoted(f'quyhoach_check_count_{event[:6].lower()}_{table}')} BEFORE {event} ON {t}\n"
               f"BEGIN UPDATE gpkg_ogr_contents SET feature_count = NULL WHERE table_name = {literal(table)} AND EXISTS (SELECT 1 FROM {t} WHERE {hit}); END")


def layer_metadata(dataset: Dataset, crs: str) -> str:
    """Return the description QGIS shows for the layer, in QGIS's own metadata format."""
    secrecy = {"public": "Công khai", "internal": "Nội bộ", "restricted": "Hạn chế"}[dataset.secrecy]
    return (
        "<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'><qgis>"
        f"<identifier>{escape(dataset.id)}</identifier><language>VIE</language><type>dataset</type>"
        f"<title>{escape(dataset.label.vi)}</title><abstract>{escape(dataset.help.vi)}\n\n{escape(dataset.label.en)}. "
        f"{escape(dataset.help.en)}</abstract>"
        f"<rights>{secrecy}</rights><crs><spatialrefsys><authid>{escape(crs)}</authid></spatialrefsys></crs></qgis>"
    )
