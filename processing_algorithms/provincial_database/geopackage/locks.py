"""Locks of a GeoPackage hub: approved plans, closed inventory years and signed papers stay as they are, whoever writes.

Triggers keep them, so they hold in QGIS as in a push. They guard against mistakes only: who has the file can do anything.
"""

from __future__ import annotations

import getpass
import sqlite3
from collections.abc import Iterator

from ...common.errors import InputError
from ...common.language import say
from ..catalogue.model import FEATURE_ID, FID, Dataset
from ..changes import Row
from ..paper_states import AFTER_SIGNED, FINAL, INCOMPLETE, NEEDED, SIGNED, UNCHANGEABLE, keeps_signed
from ..rows import now
from .schema import data_columns, literal, quoted

#: Datasets whose rows a lock can hold have one of these fields: what was decided for a parcel alone, the plan they belong
#: to, the year of the inventory.
_LOCK_FIELDS = ("override_ref", "plan_ref", "year")
#: Datasets whose rows lock themselves when they are approved, and the word for such a row.
_APPROVED_THINGS = {"plan": ("Đồ án", "the plan is approved"), "parcel_override": ("Chỉ tiêu riêng", "approved")}
#: What may still be written to an approved row: that a later one has taken its place.
_SUPERSEDED_FIELDS = ("status", "superseded_date")
_APPROVED, _SUPERSEDED = "approved", "superseded"
_NOW = "strftime('%Y-%m-%dT%H:%M:%fZ', 'now')"
_WRITING = "(SELECT changeset FROM quyhoach_writing)"
#: Whoever locks may still finish the changeset that does it.
_OF_OTHERS = f"(changeset IS NULL OR changeset IS NOT {_WRITING})"
#: Begins the message of the triggers; what follows it is told from the table of locks.
LOCKED = "đã khóa"


def lock_field(dataset: Dataset) -> str | None:
    """Return the field whose value a lock names; None where rows cannot be locked."""
    return next((name for name in _LOCK_FIELDS if name in dataset.field_names), None)


def lock_trigger_statements(dataset: Dataset) -> dict[str, str]:
    """Return the triggers that keep locks, and the one by which an approved plan locks itself and its zones."""
    name = lock_field(dataset)
    if name is None:
        return _paper_triggers(dataset) if keeps_signed(dataset) else {}
    table, refusal = quoted(dataset.name), literal(_message(dataset))
    # What REPLACE is going to delete without firing a delete trigger.
    hit = (f"EXISTS (SELECT 1 FROM {table} AS hit WHERE (hit.{FID} = NEW.{FID} OR hit.{FEATURE_ID} = NEW.{FEATURE_ID}) "
           f"AND {{more}} {_held(dataset, f'hit.{quoted(name)}')})")
    held = {side: _held(dataset, f"{side}.{quoted(name)}") for side in ("OLD", "NEW")}
    conditions = {
        "insert": f"{held['NEW']} OR {hit.format(more='')}",
        "update": f"({held['OLD']} OR {held['NEW']}) AND NOT ({_superseding(dataset)}) "
                  f"OR {hit.format(more=f'hit.{FID} <> OLD.{FID} AND')}",
        "delete": held["OLD"],
    }
    statements = {}
    for event, condition in conditions.items():
        full = f"quyhoach_lock_{event}_{dataset.name}"
        statements[full] = (f"CREATE TRIGGER {quoted(full)} BEFORE {event.upper()} ON {table}\nWHEN {condition}\n"
                            f"BEGIN SELECT RAISE(ABORT, {refusal}); END")
    if approves(dataset):
        for event, condition in (("insert", ""), ("update", f" AND OLD.status IS NOT '{_APPROVED}'")):
            full = f"quyhoach_approve_{event}_{dataset.name}"
            statements[full] = (f"CREATE TRIGGER {quoted(full)} AFTER {event.upper()} ON {table}\n"
                                f"WHEN NEW.status = '{_APPROVED}'{condition}\n"
                                f"BEGIN {_lock_approved(dataset, 'NEW')}; END")
    return statements


def approves(dataset: Dataset) -> bool:
    """Tell whether a row of this dataset, when approved, locks itself and what belongs to it."""
    return (dataset.name in _APPROVED_THINGS and lock_field(dataset) in ("override_ref", "plan_ref")
            and "status" in dataset.field_names)


def lock_approved_plans(database: sqlite3.Connection, dataset: Dataset) -> None:
    """Lock what is approved and not locked yet, where rows came with the triggers off."""
    if approves(dataset):
        database.execute(_lock_approved(dataset, "p", f"{quoted(dataset.name)} p", f"p.status = '{_APPROVED}' AND "))


def refused_by_lock(database: sqlite3.Connection, dataset: Dataset, first_fid: int) -> str | None:
    """Return why rows a large import added (from a fid on) may not be there; None when they may.

    An import may fill a plan locked by its approval that has no rows in the dataset yet: legacy data come plan first, zones
    after. What a hand has locked stays as it is, a closed year too.
    """
    name = lock_field(dataset)
    if keeps_signed(dataset):
        found = database.execute(f"SELECT 1 FROM {quoted(dataset.name)} n WHERE n.{FID} >= ? AND "
                                 f"{_incomplete(dataset, 'n')} LIMIT 1", (first_fid,)).fetchone()
        return f"{dataset.label.vi}: {INCOMPLETE}" if found else None
    if name is None:
        return None
    column = quoted(name)
    found = database.execute(
        f"SELECT n.{column} FROM {quoted(dataset.name)} n WHERE n.{FID} >= ?1 AND {_held(dataset, f'n.{column}')} "
        f"AND ({_held(dataset, f'n.{column}', by_hand=True)} OR {int(name != 'plan_ref' or approves(dataset))} OR EXISTS "
        f"(SELECT 1 FROM {quoted(dataset.name)} o WHERE o.{column} = n.{column} AND o.{FID} < ?1)) LIMIT 1",
        (first_fid,)).fetchone()
    return None if found is None else explained(database, dataset, _message(dataset), {name: found[0]})


def explained(database: sqlite3.Connection, dataset: Dataset, message: str, *rows: Row | None) -> str:
    """Complete a trigger's message with the reason of the lock that stands in the way of these rows."""
    name = lock_field(dataset)
    if name is None or LOCKED not in message:
        return message
    values = {str(row[name]) for row in rows if row and row.get(name) is not None}
    reasons = [reason for value, reason in database.execute(
        f"SELECT value, reason FROM quyhoach_lock WHERE dataset_id = ? AND lifted_at IS NULL AND {_OF_OTHERS}", (dataset.id,))
        if value in values]
    return f"{message} {'; '.join(reasons)}" if reasons else message


def lock(database: sqlite3.Connection, dataset: Dataset, value: object, reason: str) -> None:
    """Lock the rows of a plan (``plan_ref``) or of an inventory year (``year``); within the caller's transaction.

    Raises
    ------
    InputError
        The dataset has neither field, or no reason is given.
    """
    if lock_field(dataset) is None:
        raise InputError(say("{dataset} không có trường đồ án hoặc năm để khóa.",
                             "{dataset} has no field of plan or year to lock by.").format(dataset=dataset.label))
    if not reason.strip():
        raise InputError(say("Hãy ghi lý do khóa.", "Write the reason of the lock."))
    database.execute(
        "INSERT INTO quyhoach_lock (dataset_id, value, reason, locked_by, locked_at) SELECT ?1, ?2, ?3, ?4, ?5 "
        "WHERE NOT EXISTS (SELECT 1 FROM quyhoach_lock WHERE dataset_id = ?1 AND value = ?2 AND lifted_at IS NULL)",
        (dataset.id, str(value), reason.strip(), getpass.getuser(), now()))


def unlock(database: sqlite3.Connection, dataset: Dataset, value: object, reason: str) -> bool:
    """Lift a lock; it stays on record with who lifted it and why. Return whether there was one."""
    return database.execute(
        "UPDATE quyhoach_lock SET lifted_by = ?, lifted_at = ?, lifted_because = ? "
        "WHERE dataset_id = ? AND value = ? AND lifted_at IS NULL",
        (getpass.getuser(), now(), reason.strip(), dataset.id, str(value))).rowcount > 0


def locks(database: sqlite3.Connection, dataset: Dataset) -> Iterator[tuple[str, str]]:
    """Yield value and reason of every lock in force."""
    yield from database.execute(
        "SELECT value, reason FROM quyhoach_lock WHERE dataset_id = ? AND lifted_at IS NULL ORDER BY value",
        (dataset.id,))


def _paper_triggers(dataset: Dataset) -> dict[str, str]:
    """Return the triggers that keep signed papers as they are; see `paper_states`."""
    table, final = quoted(dataset.name), ", ".join(map(literal, FINAL))
    others = " AND ".join(f"NEW.{quoted(name)} IS OLD.{quoted(name)}" for name in data_columns(dataset)
                          if name != "status")
    after = ", ".join(map(literal, AFTER_SIGNED))
    allowed = (f"({others}) AND (NEW.status IS OLD.status OR OLD.status = {literal(SIGNED)} AND NEW.status IN ({after}))")
    # What REPLACE is going to delete without firing a delete trigger.
    hit = (f"EXISTS (SELECT 1 FROM {table} AS hit WHERE (hit.{FID} = NEW.{FID} OR hit.{FEATURE_ID} = NEW.{FEATURE_ID}) "
           f"AND hit.status IN ({final}){{more}})")
    kept = {"insert": hit.format(more=""),
            "update": f"OLD.status IN ({final}) AND NOT ({allowed}) OR {hit.format(more=f' AND hit.{FID} <> OLD.{FID}')}",
            "delete": f"OLD.status IN ({final})"}
    statements = {}
    for event, condition in kept.items():
        full = f"quyhoach_signed_{event}_{dataset.name}"
        statements[full] = (f"CREATE TRIGGER {quoted(full)} BEFORE {event.upper()} ON {table}\nWHEN {condition}\n"
                            f"BEGIN SELECT RAISE(ABORT, {literal(f'{dataset.label.vi}: {UNCHANGEABLE}')}); END")
    for event in ("insert", "update"):
        full = f"quyhoach_complete_{event}_{dataset.name}"
        statements[full] = (f"CREATE TRIGGER {quoted(full)} BEFORE {event.upper()} ON {table}\n"
                            f"WHEN {_incomplete(dataset, 'NEW')}\n"
                            f"BEGIN SELECT RAISE(ABORT, {literal(f'{dataset.label.vi}: {INCOMPLETE}')}); END")
    return statements


def _incomplete(dataset: Dataset, row: str) -> str:
    lacks = " OR ".join(f"coalesce({row}.{quoted(name)}, '') = ''" for name in NEEDED if name in dataset.field_names)
    return f"({row}.status = {literal(SIGNED)} AND ({lacks}))"


def _message(dataset: Dataset) -> str:
    return (f"{dataset.label.vi}: {LOCKED} vì đồ án đã phê duyệt hoặc năm đã khóa sổ, không được thêm, sửa, xóa "
            "(locked: approved plan or closed year).")


def _held(dataset: Dataset, value: str, *, by_hand: bool = False) -> str:
    only = " AND k.locked_by <> ''" if by_hand else ""
    return (f"EXISTS (SELECT 1 FROM quyhoach_lock k WHERE k.dataset_id = {literal(dataset.id)} AND k.lifted_at IS NULL "
            f"AND k.value = CAST({value} AS TEXT){only} AND (k.changeset IS NULL OR k.changeset IS NOT {_WRITING}))")


def _superseding(dataset: Dataset) -> str:
    """The one thing that may happen to an approved plan: a later plan takes its place."""
    if not approves(dataset):
        return "0"
    others = " AND ".join(f"NEW.{quoted(name)} IS OLD.{quoted(name)}" for name in data_columns(dataset)
                          if name not in _SUPERSEDED_FIELDS)
    return f"OLD.status = '{_APPROVED}' AND NEW.status = '{_SUPERSEDED}' AND {others}"


def _lock_approved(dataset: Dataset, row: str, source: str = "", condition: str = "") -> str:
    """The statement that locks an approved row in every dataset whose rows name it, its own among them."""
    name = str(lock_field(dataset))
    word, english = _APPROVED_THINGS[dataset.name]
    value = f"{row}.{quoted(name)}"
    tables = f"quyhoach_field f, {source}" if source else "quyhoach_field f"
    # A dataset may name a plan and yet be locked by something closer to it.
    closer = "".join(f" AND NOT EXISTS (SELECT 1 FROM quyhoach_field c WHERE c.dataset_id = f.dataset_id AND "
                     f"c.column_name = {literal(other)})" for other in _LOCK_FIELDS[:_LOCK_FIELDS.index(name)])
    return (f"INSERT INTO quyhoach_lock (dataset_id, value, reason, changeset, locked_by, locked_at) "
            f"SELECT f.dataset_id, {value}, '{word} ' || {value} || ' đã phê duyệt ({english}).', {_WRITING}, "
            f"'', {_NOW} FROM {tables} WHERE {condition}f.column_name = {literal(name)}{closer} AND NOT EXISTS (SELECT 1 "
            f"FROM quyhoach_lock k WHERE k.dataset_id = f.dataset_id AND k.value = {value} AND k.lifted_at IS NULL)")
