"""A new hub in a PostGIS database, made from the catalogue.

Creating needs a role that may create roles and, where the database has no PostGIS yet, a superuser. What is created
belongs to a role without login (``<hub>_owner``) that can do nothing else on the server; afterwards no superuser is
needed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pyproj

from ...common.crs import is_vn2000, meridian_label, proj_text, require_metric
from ...common.errors import InputError, OutputError, refuse_if
from ...common.language import say
from ...common.progress import Progress, silent
from ..catalogue import Dataset, load_catalogue
from ..catalogue.model import SECRECY
from .connection import connect, parameters_of, shown, told, transaction
from .hub import PostgisHub
from .schema import table_statements
from .upgrade import attach, grant, newest_version, run_files

# VN-2000 / TM-3 of EPSG 2025 and others this PostGIS has no row for get EPSG's number; systems without one get ours.
_OWN_SRID = 990_001
# Names of roles are cut at 63 bytes by the server; the endings need some.
_ROLE_BYTES = 40


def create_postgis_hub(
    location: str | Mapping[str, Any],
    crs: pyproj.CRS | str,
    *,
    datasets: Sequence[Dataset] | None = None,
    name: str = "",
    forms: Mapping[str, str] | None = None,
    version: int | None = None,
    progress: Progress = silent,
) -> PostgisHub:
    """Create a hub in an existing, preferably empty database and open it.

    Parameters
    ----------
    location : str or mapping
        See `postgis.connection`.
    crs : pyproj.CRS or what it reads
        System of all datasets: in metres, VN-2000 with the province's meridian as a rule.
    datasets : sequence of Dataset, optional
        All of the catalogue by default.
    name : str
        What people call it, such as the province's name.
    forms : mapping, optional
        QGIS style (QML) by dataset name, applied by QGIS when it opens the dataset.
    version : int, optional
        Of the hub's own tables, the newest by default; an older one is for tests of the upgrade.

    Raises
    ------
    InputError
        The system is in degrees, or the role may not create a hub (all that is missing is told).
    OutputError
        The database holds a hub already, or the server refused; then nothing was created.
    """
    system = pyproj.CRS.from_user_input(crs)
    require_metric(system, say("Cơ sở dữ liệu dùng chung", "The shared database"))
    chosen = list(load_catalogue().values()) if datasets is None else list(datasets)
    parameters = parameters_of(location)
    connection = connect(parameters)
    try:
        with told(), transaction(connection) as cursor:
            _refuse(cursor, parameters)
            postgis = _extension(cursor)
            srid = add_system(cursor, system)
            roles = _create_roles(cursor)
            run_files(cursor, 0, newest_version() if version is None else version)
            cursor.execute("INSERT INTO quyhoach.hub (place, name, srid, crs, roles) "
                           "VALUES (quyhoach.place(), %s, %s, %s, %s)",
                           (name or parameters.get("dbname") or roles, srid, system.to_wkt(), roles))
            cursor.execute("INSERT INTO quyhoach.incarnation SELECT generation, incarnation FROM quyhoach.hub")
            for position, dataset in enumerate(chosen):
                progress(position / len(chosen), str(dataset.label))
                for statement in table_statements(dataset, srid, postgis):
                    cursor.execute(statement)
                attach(cursor, dataset, roles)
            grant(cursor, roles)
            cursor.execute("RESET ROLE")
            if not _add_forms(cursor, forms or {}, roles):
                progress(1.0, say("Bảng public.layer_styles đã có và không phải của QGIS hoặc không ghi được: biểu mẫu không được lưu "
                                  "vào cơ sở dữ liệu.",
                                  "The table public.layer_styles exists and is not QGIS's or cannot be written: forms are not kept in "
                                  "the database."))
    finally:
        connection.close()
    return PostgisHub(location)


def _refuse(cursor: Any, parameters: Mapping[str, Any]) -> None:
    """Refuse before any work, telling all that is missing."""
    cursor.execute("SELECT to_regnamespace('quyhoach') IS NOT NULL OR to_regnamespace('quyhoach_data') IS NOT NULL")
    if cursor.fetchone()[0]:
        raise OutputError(say("{where} đã có cơ sở dữ liệu dùng chung; không bao giờ ghi đè. "
                              "Hãy tạo một cơ sở dữ liệu (database) khác.",
                              "{where} holds a shared database already; nothing is ever overwritten. "
                              "Create another database.")
                          .format(where=shown(parameters)))
    cursor.execute("SELECT r.rolsuper, r.rolsuper OR r.rolcreaterole, has_database_privilege(current_database(), "
                   "'CREATE WITH GRANT OPTION'), EXISTS (SELECT FROM pg_extension "
                   "WHERE extname = 'postgis'), current_user FROM pg_roles r WHERE r.rolname = current_user")
    superuser, may_create_roles, may_create, has_postgis, user = cursor.fetchone()
    refuse_if([
        "" if may_create_roles
        else say("Vai trò {user} cần thuộc tính CREATEROLE.",
                 "The role {user} needs the attribute CREATEROLE.").format(user=user),
        "" if may_create
        else say("Vai trò {user} cần là chủ của cơ sở dữ liệu.",
                 "The role {user} needs to own the database.").format(user=user),
        "" if has_postgis or superuser
        else say("Cơ sở dữ liệu chưa có PostGIS; nhờ quản trị máy chủ chạy: CREATE EXTENSION postgis;",
                                                "The database has no PostGIS; ask the server's administrator to run: "
                                                "CREATE EXTENSION postgis;"),
    ])


def _extension(cursor: Any) -> str:
    cursor.execute("SELECT 1 FROM pg_extension WHERE extname = 'postgis'")
    if cursor.fetchone() is None:
        cursor.execute("CREATE EXTENSION postgis SCHEMA public")
    cursor.execute("SELECT n.nspname FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace "
                   "WHERE e.extname = 'postgis'")
    return cursor.fetchone()[0]


def add_system(cursor: Any, crs: pyproj.CRS | str) -> int:
    """Add the systems this PostGIS lacks, overwriting nothing; return the number of the hub's own."""
    from psycopg2 import sql

    crs = pyproj.CRS.from_user_input(crs)
    postgis = _extension(cursor)
    table = sql.Identifier(postgis, "spatial_ref_sys")
    authority = crs.to_authority(min_confidence=100)
    known = authority is not None and authority[0] == "EPSG"
    srid = int(authority[1]) if known else _OWN_SRID
    wanted = {code: pyproj.CRS.from_epsg(code) for code in range(9205, 9219)}
    wanted[srid] = crs
    cursor.execute(sql.SQL("SELECT srid FROM {} WHERE srid = ANY (%s)").format(table), (list(wanted),))
    missing = sorted(set(wanted) - {row[0] for row in cursor.fetchall()})
    if not missing:
        return srid
    cursor.execute("SELECT has_table_privilege(%s, 'INSERT')", (f'"{postgis}".spatial_ref_sys',))
    if not cursor.fetchone()[0]:
        if srid not in missing:
            return srid
        raise InputError(say("Bảng spatial_ref_sys của PostGIS thiếu hệ {crs} và vai trò này không được thêm; "
                             "nhờ quản trị máy chủ cấp quyền INSERT trên bảng đó.",
                             "PostGIS's spatial_ref_sys lacks {crs} and this role may not add it; "
                             "ask the server's administrator for INSERT on that table.")
                         .format(crs=meridian_label(crs)))
    for code in missing:
        system = wanted[code]
        own = code == srid and not known
        cursor.execute(sql.SQL("INSERT INTO {} (srid, auth_name, auth_srid, srtext, proj4text) "
                               "VALUES (%s, %s, %s, %s, %s)").format(table),
                       (code, "QUYHOACH" if own else "EPSG", code, system.to_wkt("WKT1_GDAL"),
                        proj_text(system) if is_vn2000(system) else system.to_proj4()))
    return srid


def _create_roles(cursor: Any) -> str:
    """Create the owner and the secrecy levels, become the owner, and return how their names begin."""
    from psycopg2 import sql

    cursor.execute("SELECT current_database()")
    base = cursor.fetchone()[0].encode()[:_ROLE_BYTES].decode(errors="ignore")
    roles, number = base, 1
    while True:
        cursor.execute("SELECT EXISTS (SELECT FROM pg_roles WHERE rolname LIKE %s || '\\_%%')",
                       (roles.replace("_", "\\_").replace("%", "\\%"),))
        if not cursor.fetchone()[0]:
            break
        # Roles of a database that is gone may still have members: never taken over.
        number += 1
        roles = f"{base}_{number}"
    owner = sql.Identifier(f"{roles}_owner")
    cursor.execute(sql.SQL("CREATE ROLE {}").format(owner))
    holder = None
    for secrecy in SECRECY:
        level = sql.Identifier(f"{roles}_{secrecy}")
        cursor.execute(sql.SQL("CREATE ROLE {}").format(level))
        # Administrators, who are members of the owner, put people in.
        cursor.execute(sql.SQL("GRANT {} TO {} WITH ADMIN OPTION").format(level, owner))
        if holder is not None:
            cursor.execute(sql.SQL("GRANT {} TO {}").format(holder, level))
        holder = level
    cursor.execute(sql.SQL("GRANT {} TO CURRENT_USER").format(owner))
    cursor.execute("SELECT current_database()")
    cursor.execute(sql.SQL("GRANT CREATE ON DATABASE {} TO {}").format(sql.Identifier(cursor.fetchone()[0]), owner))
    cursor.execute(sql.SQL("SET LOCAL ROLE {}").format(owner))
    return roles


def _add_forms(cursor: Any, forms: Mapping[str, str], roles: str) -> bool:
    """Keep forms and symbols where QGIS looks for them; a table that is there already is used, never altered.

    Returns
    -------
    bool
        False when that table is somebody's of another kind, or this role may not write it.
    """
    from psycopg2 import sql

    if not forms:
        return True
    columns = ("f_table_catalog", "f_table_schema", "f_table_name", "f_geometry_column", "stylename", "styleqml", "useasdefault", "owner")
    cursor.execute("SELECT to_regclass('public.layer_styles') IS NOT NULL")
    if not cursor.fetchone()[0]:
        cursor.execute(
            "CREATE TABLE public.layer_styles (id serial PRIMARY KEY, "
            "f_table_catalog varchar, f_table_schema varchar, f_table_name varchar, "
            "f_geometry_column varchar, stylename text, styleqml xml, stylesld xml, "
            "useasdefault boolean, description text, owner varchar(63), ui xml, "
            "update_time timestamp DEFAULT now(), type varchar)")
    cursor.execute("SELECT count(*) = %s AND has_table_privilege('public.layer_styles', 'INSERT'), "
                   "has_table_privilege('public.layer_styles', 'SELECT WITH GRANT OPTION') FROM pg_attribute "
                   "WHERE attrelid = 'public.layer_styles'::regclass AND attname = ANY (%s) AND NOT attisdropped",
                   (len(columns), list(columns)))
    usable, may_grant = cursor.fetchone()
    if not usable:
        return False
    if may_grant:
        cursor.execute(
            sql.SQL("GRANT SELECT ON public.layer_styles TO {}").format(sql.Identifier(f"{roles}_{SECRECY[0]}"))
        )
    for name, qml in forms.items():
        dataset = load_catalogue().get(name)
        shape = "geom" if dataset is None or dataset.geometry else None
        cursor.execute(
            sql.SQL(
                "INSERT INTO public.layer_styles ({}) VALUES (current_database(), 'quyhoach_data', %s, %s, %s, "
                "xmlparse(document %s), true, current_user)"
            ).format(sql.SQL(", ").join(map(sql.Identifier, columns))),
            (name, shape, name, qml),
        )
    return True
