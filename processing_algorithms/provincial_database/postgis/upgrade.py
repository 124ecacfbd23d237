"""Bringing a PostGIS hub up to date: newer tables of its own, and what the catalogue has that the hub has not.

Only ever adds, and puts back what somebody has altered of its functions and triggers. Working copies with unsent edits go
on: a field they do not know stays as it is, a dataset they do not have is nothing to them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from ...common.errors import InputError, OutputError
from ...common.language import say
from ...common.progress import Progress, silent
from ..catalogue import Dataset, load_catalogue
from ..catalogue.model import SECRECY
from ..findings import restored_and_upgraded
from .connection import connect, parameters_of, shown, told, transaction
from .own_functions import mend, numbered_files
from .schema import (
    DATA,
    column_definition,
    description_statements,
    rights_statements,
    table_of,
    table_statements,
    trigger_statements,
    view_statements,
)
from .trigger_functions import function_bodies

_READABLE = ("hub", "incarnation", "schema_version", "dataset", "field", "domain_value", "department", "permission",
             "lock", "history", "changesets")
#: Functions for administrators, beside those of triggers.
_OWNERS_ONLY = ("keep_ahead", "note_backup")


def newest_version() -> int:
    """Number of the newest file in ``sql/postgis``."""
    return max(number for number, _ in numbered_files())


def run_files(cursor: Any, after: int, to: int) -> None:
    """Run the numbered files above ``after`` up to ``to``, as the owner, in the caller's transaction."""
    for number, path in numbered_files():
        if after < number <= to:
            cursor.execute(path.read_text(encoding="utf-8"))
            cursor.execute("INSERT INTO quyhoach.schema_version (number) VALUES (%s)", (number,))


def attach(cursor: Any, dataset: Dataset, roles: str) -> None:
    """Describe a dataset's table and put its triggers and rights on it; may be repeated."""
    columns = _columns(cursor, dataset)
    for statements in (description_statements(dataset), trigger_statements(_guarded(dataset, columns), _postgis(cursor)),
                       rights_statements(dataset, roles), view_statements(dataset, roles, list(columns))):
        for statement in statements:
            cursor.execute(statement)


def guard_bodies(cursor: Any, dataset: Dataset, postgis: str) -> dict[str, str]:
    """Return what the functions of a dataset's triggers ought to be, by name."""
    return function_bodies(_guarded(dataset, _columns(cursor, dataset)), postgis)


def _columns(cursor: Any, dataset: Dataset) -> dict[str, bool]:
    """Return the columns of a dataset's table in their order, and whether they are NOT NULL."""
    cursor.execute("SELECT attname::text, attnotnull FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 "
                   "AND NOT attisdropped ORDER BY attnum", (f'"{DATA}"."{dataset.name}"',))
    return dict(cursor.fetchall())


def _guarded(dataset: Dataset, columns: Mapping[str, bool]) -> Dataset:
    """The dataset as triggers see it.

    A required field that came by an upgrade is asked for by forms and imports, not by the triggers: working copies from
    before do not have it, and what was made in them must still arrive.
    """
    return replace(dataset, fields=tuple(replace(field, required=field.required and columns.get(field.name, False))
                                         for field in dataset.fields))


def _postgis(cursor: Any) -> str:
    cursor.execute("SELECT n.nspname::text FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace WHERE e.extname = 'postgis'")
    return cursor.fetchone()[0]


def grant(cursor: Any, roles: str) -> None:
    """Let people use the hub's own tables and functions, and nothing more."""
    from psycopg2 import sql

    everyone = sql.Identifier(f"{roles}_{SECRECY[0]}")
    cursor.execute(sql.SQL("GRANT USAGE ON SCHEMA quyhoach, quyhoach_data TO {}").format(everyone))
    cursor.execute("REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA quyhoach FROM PUBLIC")
    # A trigger's function asks for this right when the trigger is made only, which is the owner's work. Whoever could put one on a
    # table of their own would have the owner's rights.
    cursor.execute("SELECT p.oid::regprocedure::text, p.prorettype = 'trigger'::regtype OR p.proname = ANY (%s) FROM pg_proc p "
                   "WHERE p.pronamespace = 'quyhoach'::regnamespace", (list(_OWNERS_ONLY),))
    for function, closed in cursor.fetchall():
        change = "REVOKE EXECUTE ON FUNCTION {} FROM {}" if closed else "GRANT EXECUTE ON FUNCTION {} TO {}"
        cursor.execute(sql.SQL(change).format(sql.SQL(function), everyone))
    cursor.execute(sql.SQL("GRANT SELECT ON {} TO {}").format(sql.SQL(", ").join(sql.Identifier("quyhoach", table)
                                                                                 for table in _READABLE), everyone))
    cursor.execute(sql.SQL("GRANT SELECT, INSERT ON quyhoach.import, quyhoach.rejection TO {}").format(everyone))


def upgrade_postgis_hub(
    location: str | Mapping[str, Any], *, datasets: Sequence[Dataset] | None = None, progress: Progress = silent
) -> list[str]:
    """Bring a hub up to date with this program and its catalogue, in one transaction.

    Parameters
    ----------
    location : str or mapping
        Of a hub this role administers.
    datasets : sequence of Dataset, optional
        Of the catalogue, all by default. Fields and datasets the hub has and these have not stay.

    Returns
    -------
    list of str
        What was added, as sentences; empty when nothing was.

    Raises
    ------
    InputError
        This role is no administrator of the hub, or the hub is newer than this program.
    """
    from psycopg2 import sql

    parameters = parameters_of(location)
    connection = connect(parameters)
    try:
        with told(), transaction(connection) as cursor:
            version, roles, srid, postgis = _state(cursor, shown(parameters))
            cursor.execute(sql.SQL("SET LOCAL ROLE {}").format(sql.Identifier(f"{roles}_owner")))
            cursor.execute("SELECT pg_advisory_xact_lock(hashtext('quyhoach upgrade'))")
            done = []
            if version < newest_version():
                done.append(say("Cấu trúc {old} lên {new}.", "Schema {old} to {new}.").format(
                    old=version, new=newest_version()))
            run_files(cursor, version, newest_version())
            mend(cursor)
            chosen = list(load_catalogue().values()) if datasets is None else list(datasets)
            for position, dataset in enumerate(chosen):
                progress(position / len(chosen), str(dataset.label))
                done += _grow(cursor, dataset, srid, postgis, roles)
            grant(cursor, roles)
    finally:
        connection.close()
    return done


def upgrade_restored(location: str | Mapping[str, Any], *, progress: Progress = silent) -> None:
    """Bring the structure of a hub just restored from an older backup up to date; datasets and fields stay those it has.

    Raises
    ------
    OutputError
        The hub is there, but this role could not upgrade it.
    """
    connection = connect(parameters_of(location))
    try:
        with told(), connection.cursor() as cursor:
            cursor.execute("SELECT max(number) FROM quyhoach.schema_version")
            version = cursor.fetchone()[0]
            cursor.execute("SELECT dataset_id, table_name::text FROM quyhoach.dataset")
            tables = dict(cursor.fetchall())
            cursor.execute("SELECT field_id, column_name::text FROM quyhoach.field")
            columns = dict(cursor.fetchall())
    finally:
        connection.close()
    if version >= newest_version():
        return
    told_of = {"old": version, "new": newest_version()}
    try:
        upgrade_postgis_hub(location, datasets=list(load_catalogue().held(tables, columns).values()), progress=progress)
    except (InputError, OutputError) as error:
        raise OutputError(say(
            "Đã phục hồi đủ dữ liệu, nhưng bản sao lưu có cấu trúc cũ ({old}) và chưa nâng lên {new} được: {why} Việc tiếp theo: quản trị viên chạy "
            "\"Nâng cấp cơ sở dữ liệu dùng chung\" (quyhoach:hubupgrade) trên cơ sở dữ liệu vừa phục hồi.",
            "All data are restored, but the backup has an old schema ({old}) that could not be brought to {new}: {why} Next: its administrator "
            "runs \"Upgrade the shared database\" (quyhoach:hubupgrade) on the restored database.").format(**told_of, why=error)) from error
    progress(1.0, restored_and_upgraded(**told_of))


def _state(cursor: Any, where: str) -> tuple[int, str, int, str]:
    cursor.execute("SELECT EXISTS (SELECT FROM pg_namespace WHERE nspname = 'quyhoach' "
                   "AND has_schema_privilege(oid, 'CREATE'))")
    if not cursor.fetchone()[0]:
        raise InputError(say("{where} không có cơ sở dữ liệu dùng chung, hoặc tài khoản này không quản trị nó.",
                             "{where} holds no shared database, or this account does not administer it.").format(
                                 where=where))
    cursor.execute("SELECT (SELECT max(number) FROM quyhoach.schema_version), roles, srid, (SELECT n.nspname "
                   "FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace WHERE e.extname = 'postgis') "
                   "FROM quyhoach.hub")
    version, roles, srid, postgis = cursor.fetchone()
    if version > newest_version():
        raise InputError(say("{where} được tạo bằng phiên bản QuyHoach mới hơn; hãy cập nhật QuyHoach.",
                             "{where} was made by a newer QuyHoach; update QuyHoach.")
                         .format(where=where))
    return version, roles, srid, postgis


def _grow(cursor: Any, dataset: Dataset, srid: int, postgis: str, roles: str) -> list[str]:
    """Add a dataset, or the fields and codes it lacks; put the triggers on anew."""
    from psycopg2 import sql

    cursor.execute("SELECT table_name::text FROM quyhoach.dataset WHERE dataset_id = %s", (dataset.id,))
    found = cursor.fetchone()
    if found is None:
        for statement in table_statements(dataset, srid, postgis):
            cursor.execute(statement)
        attach(cursor, dataset, roles)
        return [say("Thêm tập dữ liệu {dataset}.", "Added dataset {dataset}.").format(dataset=dataset.label)]
    cursor.execute("SELECT field_id, column_name::text FROM quyhoach.field WHERE dataset_id = %s", (dataset.id,))
    names = dict(cursor.fetchall())
    # The hub's names stay: what is known by its id is not made again under another name.
    dataset = replace(dataset, name=found[0],
                      fields=tuple(replace(field, name=names.get(field.id, field.name)) for field in dataset.fields))
    done = []
    for field in dataset.fields:
        if field.id not in names:
            # Never NOT NULL: present rows have no value yet, nor have those on their way from working copies.
            cursor.execute(sql.SQL("ALTER TABLE {} ADD COLUMN {}").format(table_of(dataset), column_definition(field)))
            done.append(say("{dataset}: thêm trường {field}.",
                            "{dataset}: added field {field}.").format(dataset=dataset.label, field=field.label))
    cursor.execute("SELECT domain, code FROM quyhoach.domain_value")
    codes = set(cursor.fetchall())
    for field in dataset.fields:
        new = [value.code for value in field.domain.values
               if (field.domain.name, value.code) not in codes] if field.domain else []
        if new:
            done.append(say("{dataset}: {field}: thêm mã {codes}.", "{dataset}: {field}: added codes {codes}.").format(
                dataset=dataset.label, field=field.label, codes=", ".join(new)))
    attach(cursor, dataset, roles)
    return done
