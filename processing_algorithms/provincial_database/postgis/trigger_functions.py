"""The PL/pgSQL behind the triggers of one dataset's table in a PostGIS hub: what is refused, in our words.

A guard judges a whole statement: a call for each row would cost ten times as much.
"""

from __future__ import annotations

from collections.abc import Iterator

from ..catalogue.model import FIRST_YEAR, GEOMETRY, LAST_YEAR, Dataset, Field
from ..paper_states import AFTER_SIGNED, FINAL, INCOMPLETE, NEEDED, SIGNED, UNCHANGEABLE, keeps_signed

#: Datasets whose rows a lock can hold have one of these fields: the plan they belong to, the year of the inventory.
_LOCK_FIELDS = ("override_ref", "plan_ref", "year")
#: What programs everywhere can read; the server knows more, such as 'infinity' and the years before Christ.
_RANGES = {"real": ("> '-Infinity'::float8", "< 'Infinity'::float8", "không phải là số hữu hạn (no finite number)."),
           "date": (">= '0001-01-01'::date", "<= '9999-12-31'::date", "ngày ngoài các năm 1-9999 (not within the years 1-9999)."),
           "datetime": (f">= '{FIRST_YEAR}-01-01 00:00:00+00'::timestamptz", f"< '{LAST_YEAR + 1}-01-01 00:00:00+00'::timestamptz",
                        f"thời điểm ngoài các năm {FIRST_YEAR}-{LAST_YEAR} (not within those years).")}


def lock_field(dataset: Dataset) -> str | None:
    """Return the field whose value a lock names; None where rows cannot be locked."""
    return next((name for name in _LOCK_FIELDS if name in dataset.field_names), None)


def function_bodies(dataset: Dataset, postgis: str) -> dict[str, str]:
    """Return the PL/pgSQL of a dataset's own functions by name."""
    return {f"complete_{dataset.name}": _complete_body(dataset), f"guard_{dataset.name}": _guard_body(dataset, postgis)}


def locks_itself(dataset: Dataset) -> bool:
    """Tell whether a row of this dataset, when approved, locks itself and what belongs to it."""
    return (dataset.name in ("plan", "parcel_override") and lock_field(dataset) in ("override_ref", "plan_ref")
            and "status" in dataset.field_names)


def lock_approved_body(dataset: Dataset) -> str:
    return f"""
BEGIN
    INSERT INTO quyhoach.lock (dataset_id, value, reason)
    VALUES ({_literal(dataset.id)}, NEW.{_quoted(str(lock_field(dataset)))},
            format('%s đã phê duyệt (approved)', NEW.{_quoted(str(lock_field(dataset)))}))
    ON CONFLICT (dataset_id, value) WHERE lifted_at IS NULL DO NOTHING;
    RETURN NULL;
END """


def _complete_body(dataset: Dataset) -> str:
    """Return the PL/pgSQL that gives a row its identity, and says in our words which required field is missing."""
    label = dataset.label.vi
    required = [(field.name, f"{label}: {field.label.vi}: không được để trống (must not be blank).")
                for field in dataset.fields if field.required]
    if dataset.geometry:
        required.append((GEOMETRY, f"{label}: thiếu hình (there is no shape)."))
    cases = "\n".join(f"        WHEN NEW.{_quoted(name)} IS NULL THEN {_literal(message)}"
                      for name, message in required)
    why = f"CASE\n{cases}\n    END" if cases else "NULL"
    kept = f"{label}: feature_id không được thay đổi (must not change)."
    return f"""
DECLARE why text;
BEGIN
    IF TG_OP = 'INSERT' THEN
        NEW.feature_id := coalesce(NEW.feature_id, gen_random_uuid());
    ELSIF NEW.feature_id IS DISTINCT FROM OLD.feature_id THEN
        RAISE EXCEPTION USING ERRCODE = 'QH001', MESSAGE = {_literal(kept)};
    END IF;
    why := {why};
    IF why IS NOT NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'QH001', MESSAGE = why;
    END IF;
    RETURN NEW;
END """


def _guard_body(dataset: Dataset, postgis: str) -> str:
    """Return the PL/pgSQL of a dataset's guard: rights, locks, then what the catalogue allows."""
    return f"""
DECLARE
    mine record;
    why text;
BEGIN
    IF NOT quyhoach.has_role('owner') THEN
        SELECT * INTO mine FROM quyhoach.rights({_literal(dataset.id)});
        IF NOT mine.writes_all THEN{_rights_checks(dataset)}
        END IF;
    END IF;{_lock_checks(dataset)}{_paper_checks(dataset)}{_value_checks(dataset, postgis)}
    IF why IS NOT NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'QH001', MESSAGE = why;
    END IF;
    RETURN NULL;
END """


def _rights_checks(dataset: Dataset) -> str:
    checks = ""
    for rows, event in (("old_rows", "INSERT"), ("new_rows", "DELETE")):
        commune = f"r.{_quoted(dataset.commune_field)}::text" if dataset.commune_field else "NULL"
        allowed = f" AND NOT coalesce({commune} = ANY (mine.writes), false)" if dataset.commune_field else ""
        checks += f"""
            IF why IS NULL AND TG_OP <> '{event}' THEN
                why := (SELECT quyhoach.no_right({_literal(dataset.id)}, {commune})
                        FROM {rows} r WHERE true{allowed} LIMIT 1);
            END IF;"""
    return checks


def _lock_checks(dataset: Dataset) -> str:
    name = lock_field(dataset)
    if name is None:
        return ""
    label, checks = _literal(f"{dataset.label.vi} đã khóa: "), ""
    for rows, event in (("old_rows", "INSERT"), ("new_rows", "DELETE")):
        query = (f"SELECT {label} || k.reason FROM {rows} r JOIN quyhoach.locks({_literal(dataset.id)}) k "
                 f"ON k.value = r.{_quoted(name)}::text")
        # Imports may fill an approved plan that has no rows here yet.
        if rows == "new_rows" and name == "plan_ref" and not locks_itself(dataset):
            query = (f"SELECT {label} || k.reason FROM (SELECT {_quoted(name)}::text AS value, count(*) AS added FROM {rows} "
                     f"GROUP BY 1) r JOIN quyhoach.locks({_literal(dataset.id)}) k USING (value) "
                     f"WHERE NOT (TG_OP = 'INSERT' AND quyhoach.may_fill({_literal(dataset.id)}, r.value, r.added))")
        # The one thing that may happen to an approved plan without an administrator: a later plan takes its place.
        usual = f"why := ({query} LIMIT 1);"
        if locks_itself(dataset):
            superseded = ("NOT EXISTS (SELECT FROM new_rows n JOIN old_rows o USING (feature_id) "
                          "WHERE n.feature_id = r.feature_id AND n.status = 'superseded' AND o.status = 'approved' "
                          "AND to_jsonb(n) - '{status,superseded_date}'::text[] "
                          "= to_jsonb(o) - '{status,superseded_date}'::text[])")
            usual = f"IF TG_OP = 'UPDATE' THEN why := ({query} WHERE {superseded} LIMIT 1); ELSE {usual} END IF;"
        checks += f"""
    IF why IS NULL AND TG_OP <> '{event}' THEN
        {usual}
    END IF;"""
    return checks


def _paper_checks(dataset: Dataset) -> str:
    """Keep signed papers as they are; see `paper_states`."""
    if not keeps_signed(dataset):
        return ""
    final, after = (", ".join(map(_literal, states)) for states in (FINAL, AFTER_SIGNED))
    kept, incomplete = (_literal(f"{dataset.label.vi}: {message}") for message in (UNCHANGEABLE, INCOMPLETE))
    lacks = " OR ".join(f"coalesce(n.{_quoted(name)}::text, '') = ''" for name in NEEDED if name in dataset.field_names)
    return f"""
    IF why IS NULL AND TG_OP = 'DELETE' THEN
        why := (SELECT {kept} FROM old_rows o WHERE o.status IN ({final}) LIMIT 1);
    ELSIF why IS NULL AND TG_OP = 'UPDATE' THEN
        why := (SELECT {kept} FROM old_rows o WHERE o.status IN ({final}) AND NOT EXISTS (
            SELECT FROM new_rows n WHERE n.feature_id = o.feature_id AND (to_jsonb(n) = to_jsonb(o) OR o.status = {_literal(SIGNED)}
            AND n.status IN ({after}) AND to_jsonb(n) - 'status' = to_jsonb(o) - 'status')) LIMIT 1);
    END IF;
    IF why IS NULL AND TG_OP <> 'DELETE' THEN
        why := (SELECT {incomplete} FROM new_rows n WHERE n.status = {_literal(SIGNED)} AND ({lacks}) LIMIT 1);
    END IF;"""


def _value_checks(dataset: Dataset, postgis: str) -> str:
    """Check rows that came, and of rows that changed the fields that did, so that a new rule spares old rows."""
    cases = [(f"n.{_quoted(field.name)}", condition, f"{dataset.label.vi}: {field.label.vi}: {why}")
             for field in dataset.fields for condition, why in _wrong(field)]
    if dataset.geometry:
        # As text, because the operators of shapes are out of a guard's sight.
        cases.append((f"n.{_quoted(GEOMETRY)}::text", _endless(dataset.geometry, postgis),
                      f"{dataset.label.vi}: tọa độ không phải là số hữu hạn (a coordinate is no finite number)."))
    # Stated as "both are there and it does not hold", because a comparison with null is null.
    pairs = [(f"NOT (n.{_quoted(check.left)} {check.operator} n.{_quoted(check.right)})",
              f"{dataset.label.vi}: {check.message.vi} ({check.message.en})")
             for check in dataset.checks]
    if not cases and not pairs:
        return ""

    def chain(changed: bool) -> str:
        lines = [f"            WHEN {condition}" + (f" AND {value} IS DISTINCT FROM o.{value[2:]}" if changed else "")
                 + f" THEN {_literal(message)}"
                 for value, condition, message in cases]
        lines += [f"            WHEN {condition} THEN {_literal(message)}" for condition, message in pairs]
        return "\n".join(lines)

    return f"""
    IF why IS NULL AND TG_OP = 'INSERT' THEN
        why := (SELECT w FROM (SELECT CASE
{chain(False)}
            END AS w FROM new_rows n) found WHERE w IS NOT NULL LIMIT 1);
    ELSIF why IS NULL AND TG_OP = 'UPDATE' THEN
        why := (SELECT w FROM (SELECT CASE
{chain(True)}
            END AS w FROM new_rows n JOIN old_rows o USING (feature_id)) found WHERE w IS NOT NULL LIMIT 1);
    END IF;"""


def _endless(geometry: str, postgis: str) -> str:
    """Return the condition that a shape has a coordinate that is no finite number: such a sum of them is none either."""
    shape, schema = f"n.{_quoted(GEOMETRY)}", _quoted(postgis)
    measure = {"MultiPolygon": "{}.ST_Perimeter({})", "MultiLineString": "{}.ST_Length({})", "Point": "({0}.ST_X({1}) + {0}.ST_Y({1}))"}[
        geometry].format(schema, shape)
    return f"NOT ({measure} * 0 = 0)"


def _wrong(field: Field) -> Iterator[tuple[str, str]]:
    """Yield conditions on row ``n`` that must not be true, with the reason; missing values are told before."""
    value = f"n.{_quoted(field.name)}"
    if field.type in _RANGES:
        first, last, why = _RANGES[field.type]
        yield f"NOT ({value} {first} AND {value} {last})", why
    if field.required and field.type == "text":
        yield f"btrim({value}) = ''", "không được để trống (must not be blank)."
    if field.length is not None:
        yield f"length({value}) > {field.length}", f"dài quá {field.length} ký tự (too long)."
    if field.minimum is not None:
        yield f"{value} < {field.minimum!r}", f"nhỏ hơn {field.minimum} (too small)."
    if field.maximum is not None:
        yield f"{value} > {field.maximum!r}", f"lớn hơn {field.maximum} (too large)."
    if field.domain is not None:
        yield (f"{value} IS NOT NULL AND NOT EXISTS (SELECT FROM quyhoach.domain_value "
               f"WHERE domain = {_literal(field.domain.name)} AND code = {value})",
               "mã không có trong danh mục (unknown code).")
    if field.pattern is not None:
        yield f"{value} !~ {_literal(field.pattern)}", "sai dạng mã (malformed code)."


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _literal(text: str) -> str:
    """Quote a text of the catalogue inside a function's body (standard_conforming_strings is on)."""
    return "'" + text.replace("'", "''") + "'"
