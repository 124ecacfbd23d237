"""Backup of a PostGIS hub to one file, restoring it into an empty database, and the drill that proves both.

PostgreSQL's own programs do the work. What they leave out is added: the hub's roles and who was in them (without
passwords), and the systems PostGIS may lack. A restored hub lives elsewhere than the old one, so it begins a new
incarnation by itself, and working copies of before notice.
"""

from __future__ import annotations

import glob
import os
import re
import shutil
import subprocess
import tempfile
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ...common.destinations import new_file
from ...common.errors import InputError, OutputError
from ...common.language import say
from ...common.progress import Progress, part, silent
from ..findings import DrillReport, too_new
from .connection import connect, parameters_of, shown, told, transaction
from .create import add_system
from .hub import SCHEMA_VERSION, PostgisHub
from .upgrade import upgrade_restored

_GRANTEE = re.compile(r'^(?:ALTER .* OWNER TO|GRANT .* TO|REVOKE .* FROM) ("(?:[^"]|"")+"|\w+);$', re.MULTILINE)
#: Tables of the hub itself that a drill compares, besides the datasets.
_OWN_TABLES = ("dataset", "field", "domain_value", "department", "permission", "lock", "changeset", "ledger", "import",
               "rejection", "working_copy")


#: First structure that can be backed up: it knows who is in which role.
_WITH_BACKUPS = 3


def backup_postgis_hub(location: str | Mapping[str, Any], path: str | os.PathLike[str], *,
                       progress: Progress = silent) -> None:
    """Write a hub, as it is at one moment, to a file in pg_dump's custom format.

    Raises
    ------
    InputError
        The role does not administer the hub, or this machine has no pg_dump as new as the server.
    OutputError
        The file exists or cannot be written; nothing is left half done.
    """
    if Path(path).suffix.lower() == ".gpkg":
        raise InputError(say("{path}: bản sao lưu của PostGIS không phải là GeoPackage; hãy đặt đuôi .dump.",
                             "{path}: a backup of PostGIS is no GeoPackage; let its name end in .dump.").format(path=path))
    taken = say("{path} đã có; sao lưu không ghi đè tệp nào. Hãy đặt tên khác.",
                "{path} exists; a backup never overwrites anything. Choose another name.").format(path=path)
    # An upgrade is preceded by a backup, so what has not been upgraded can be backed up.
    with PostgisHub(location, least=_WITH_BACKUPS) as hub, new_file(path, taken) as draft:
        _require_owner(hub)
        with told(), hub.connection.cursor() as cursor:
            cursor.execute("SELECT quyhoach.note_backup()")
        progress(0.1, say("Sao lưu {name}", "Backing up {name}").format(name=hub.info.name))
        _run("pg_dump", parameters_of(location), hub.connection.server_version, ["--format=custom", f"--file={draft}"])
    progress(1.0)


def restore_postgis_hub(path: str | os.PathLike[str], location: str | Mapping[str, Any], *,
                        progress: Progress = silent) -> PostgisHub:
    """Restore a backup into an existing database without a hub, and open it; an older structure is brought up to date.

    Roles the server lacks are created; login roles among them have no password until somebody gives them one.

    Raises
    ------
    InputError
        The file is no backup, is of a newer program, or this machine has no pg_restore as new as the server.
    OutputError
        The database holds a hub already, or the server refused; then nothing is left in it. Or everything is restored and
        only the upgrade is left to do.
    """
    parameters = parameters_of(location)
    if not Path(path).is_file():
        raise InputError(say("Không có tệp sao lưu {path}.", "There is no backup {path}.").format(path=path))
    connection = connect(parameters)
    try:
        with told(), connection.cursor() as cursor:
            cursor.execute("SELECT EXISTS (SELECT FROM pg_namespace WHERE nspname IN ('quyhoach', 'quyhoach_data')), "
                           "EXISTS (SELECT FROM pg_extension WHERE extname = 'postgis')")
            occupied, has_postgis = cursor.fetchone()
            if occupied:
                raise OutputError(say("{where} đã có cơ sở dữ liệu dùng chung; hãy khôi phục vào một cơ sở dữ liệu "
                                      "(database) trống.",
                                      "{where} holds a shared database already; restore into an empty database.")
                                  .format(where=shown(parameters)))
            version = connection.server_version
            number = _structure(path, version)
            if number > SCHEMA_VERSION:
                raise InputError(too_new(str(path), number))
            if not has_postgis:
                cursor.execute("CREATE EXTENSION postgis SCHEMA public")
            _create_missing(cursor, set(_GRANTEE.findall(_run(
                "pg_restore", {}, version, ["--file=-", "--schema-only", str(path)]))))
        with tempfile.TemporaryDirectory(prefix="quyhoach-") as folder:
            # The extension is there; its table of systems is the target's own.
            contents = _run("pg_restore", {}, version, ["--list", str(path)])
            wanted = [line for line in contents.splitlines()
                      if not re.search(r" (EXTENSION|COMMENT) - (EXTENSION )?postgis | spatial_ref_sys ", line)]
            listing = Path(folder) / "contents"
            listing.write_text("\n".join(wanted), encoding="utf-8")
            progress(0.1, say("Khôi phục", "Restoring"))
            _run("pg_restore", parameters, version,
                 ["--single-transaction", "--exit-on-error", f"--use-list={listing}", str(path)])
        with told(), transaction(connection) as cursor:
            _join_members(cursor)
            cursor.execute("SELECT quyhoach.ensure_incarnation()")
            cursor.execute("SELECT crs FROM quyhoach.hub")
            add_system(cursor, cursor.fetchone()[0])
    finally:
        connection.close()
    upgrade_restored(location, progress=part(progress, 0.9, 1.0))
    progress(1.0)
    return PostgisHub(location)


def drill(location: str | Mapping[str, Any], *, progress: Progress = silent) -> DrillReport:
    """Back a hub up, restore it beside itself, compare every row, and remove the copy.

    The role must be allowed to create a database. People may go on working: hub and backup are read at one moment.
    """
    parameters = parameters_of(location)
    name = f"quyhoach_drill_{uuid.uuid4().hex[:12]}"
    copy = {**parameters, "dbname": name}
    with PostgisHub(location) as hub, tempfile.TemporaryDirectory(prefix="quyhoach-") as folder:
        _require_owner(hub)
        path = Path(folder) / "drill.dump"
        here = hub.position()
        with told(), hub.connection.cursor() as cursor:
            cursor.execute("SELECT quyhoach.note_backup()")
        with told(), transaction(hub.connection, reading=True) as cursor:
            cursor.execute("SELECT pg_export_snapshot()")
            snapshot = cursor.fetchone()[0]
            _run("pg_dump", parameters, hub.connection.server_version,
                 ["--format=custom", f"--file={path}", f"--snapshot={snapshot}"])
            progress(0.3)
            original = _sums(cursor, hub)
        with _database(parameters, name):
            with restore_postgis_hub(path, copy, progress=part(progress, 0.3, 0.8)) as restored:
                with told(), transaction(restored.connection, reading=True) as cursor:
                    again = _sums(cursor, restored)
                new_incarnation, goes_on = restored.info.incarnation != hub.info.incarnation, restored.continues(here)
    progress(1.0)
    different = tuple(sorted(table for table in original.keys() | again.keys()
                             if original.get(table) != again.get(table)))
    return DrillReport(len(original), sum(count for count, _ in original.values()), different, new_incarnation, goes_on)


def _structure(path: str | os.PathLike[str], server_version: int) -> int:
    """Number of the structure a backup has; 0 when it does not say."""
    rows = _run("pg_restore", {}, server_version, ["--file=-", "--data-only", "--schema=quyhoach", "--table=schema_version", str(path)])
    return max((int(number) for number in re.findall(r"^(\d+)\t", rows, re.MULTILINE)), default=0)


def _require_owner(hub: PostgisHub) -> None:
    with told(), hub.connection.cursor() as cursor:
        cursor.execute("SELECT quyhoach.has_role('owner')")
        if not cursor.fetchone()[0]:
            raise InputError(say("Chỉ quản trị viên của cơ sở dữ liệu dùng chung mới sao lưu được.",
                                 "Only administrators of the shared database can back it up."))


@contextmanager
def _database(parameters: Mapping[str, Any], name: str) -> Iterator[None]:
    from psycopg2 import sql

    connection = connect(parameters)
    try:
        with told(), connection.cursor() as cursor:
            cursor.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        try:
            yield
        finally:
            with told(), connection.cursor() as cursor:
                cursor.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
    finally:
        connection.close()


def _sums(cursor: Any, hub: PostgisHub) -> dict[str, tuple[int, Any]]:
    """Count and sum of the hashes of all rows, by table; what belongs to an incarnation is left out."""
    from psycopg2 import sql

    tables = [("quyhoach_data", dataset.name, "t::text") for dataset in hub.datasets.values()]
    tables += [("quyhoach", name, "(to_jsonb(t) - 'xid')::text") for name in _OWN_TABLES]
    sums = {}
    for schema, name, content in tables:
        cursor.execute(sql.SQL(f"SELECT count(*), sum(hashtextextended({content}, 0)::numeric) FROM {{}} t").format(
            sql.Identifier(schema, name)))
        sums[f"{schema}.{name}"] = cursor.fetchone()
    return sums


def _create_missing(cursor: Any, names: set[str]) -> None:
    from psycopg2 import sql

    for name in sorted(names):
        role = name[1:-1].replace('""', '"') if name.startswith('"') else name
        cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (role,))
        if cursor.fetchone() is None and role.upper() not in ("PUBLIC", "CURRENT_USER"):
            cursor.execute(sql.SQL("CREATE ROLE {}").format(sql.Identifier(role)))


def _join_members(cursor: Any) -> None:
    from psycopg2 import sql

    cursor.execute("SELECT role_name::text, member::text, is_login FROM quyhoach.membership m WHERE NOT EXISTS "
                   "(SELECT FROM pg_auth_members a JOIN pg_roles g ON g.oid = a.roleid "
                   "JOIN pg_roles p ON p.oid = a.member WHERE g.rolname = m.role_name AND p.rolname = m.member)")
    for role, member, is_login in cursor.fetchall():
        for name, login in ((role, False), (member, is_login)):
            cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (name,))
            if cursor.fetchone() is None:
                cursor.execute(sql.SQL("CREATE ROLE {} {}").format(sql.Identifier(name),
                                                                   sql.SQL("LOGIN" if login else "NOLOGIN")))
        cursor.execute(sql.SQL("GRANT {} TO {}").format(sql.Identifier(role), sql.Identifier(member)))


def _run(program: str, parameters: Mapping[str, Any], server_version: int, arguments: list[str]) -> str:
    """Run a PostgreSQL program; a password goes by the environment, never as an argument."""
    import psycopg2.extensions

    environment = {**os.environ, "PGCLIENTENCODING": "UTF8"}
    arguments = [_program(program, server_version // 10_000), *arguments]
    if parameters:
        plain = {key: value for key, value in parameters.items() if key not in ("password", "application_name")}
        arguments.append(f"--dbname={psycopg2.extensions.make_dsn(**plain)}")
        if parameters.get("password"):
            environment["PGPASSWORD"] = str(parameters["password"])
        arguments.append("--no-password")
    done = subprocess.run(arguments, env=environment, capture_output=True, encoding="utf-8", errors="replace",
                          stdin=subprocess.DEVNULL)
    if done.returncode:
        why = (done.stderr.strip().splitlines() or [f"{program}: {done.returncode}"])[0]
        # Its own words do not say which disk is full.
        path = next((argument.partition("=")[2] for argument in arguments if argument.startswith("--file=") and argument != "--file=-"), None)
        raise OutputError(say("{program} không làm được: {why}", "{program} failed: {why}").format(program=program, why=why)
                          + (f" ({path})" if path else ""))
    return done.stdout


def _program(name: str, server_major: int) -> str:
    """Find a program of the server's version or a newer one."""
    folders = [f"/usr/lib/postgresql/*/bin/{name}", f"C:/Program Files/PostgreSQL/*/bin/{name}.exe",
               f"C:/OSGeo4W/bin/{name}.exe"]
    found = [path for pattern in folders for path in glob.glob(pattern)] + [path for path in [shutil.which(name)]
                                                                            if path]
    for path in found:
        told_version = subprocess.run([path, "--version"], capture_output=True, text=True).stdout
        version = re.search(r"\(PostgreSQL\) (\d+)", told_version)
        if version and int(version[1]) >= server_major:
            return path
    raise InputError(say("Máy này không có {name} phiên bản {version} trở lên; hãy cài chương trình khách PostgreSQL.",
                         "This machine has no {name} of version {version} or later; "
                         "install PostgreSQL's client programs.").format(name=name, version=server_major))
