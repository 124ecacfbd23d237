"""Departments, people, their rights, and locks of a PostGIS hub: the work of its administrators.

An administrator is a login role in ``<hub>_owner`` that may create roles; nobody has to be superuser. Everything is
kept by the database, so it holds for psql and QGIS as for us.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from ...common.errors import InputError, refuse_if
from ...common.language import say
from ..administration.offices import Right
from ..catalogue import Dataset
from ..catalogue.model import SECRECY
from .connection import told, transaction

if TYPE_CHECKING:
    from .hub import PostgisHub

_ROLE_NAME = re.compile(r"[a-z_][a-z0-9_.@-]{0,30}")


def departments(hub: PostgisHub) -> dict[str, tuple[str, str]]:
    """See `offices.departments`."""
    start = len(hub.roles) + 1
    with told(), hub.connection.cursor() as cursor:
        cursor.execute("SELECT role_name::text, label, kind FROM quyhoach.department ORDER BY role_name")
        return {role[start:]: (label, kind) for role, label, kind in cursor.fetchall()}


def rights(hub: PostgisHub) -> list[tuple[str, Right]]:
    """Return every right with the department, or the person, it is of."""
    start = f"{hub.roles}_"
    with told(), hub.connection.cursor() as cursor:
        cursor.execute("SELECT role_name::text, dataset_id, commune_code, may_write FROM quyhoach.permission "
                       "ORDER BY role_name, dataset_id NULLS FIRST, commune_code NULLS FIRST")
        return [(role.removeprefix(start), Right(*given)) for role, *given in cursor.fetchall()]


def set_department(hub: PostgisHub, name: str, label: str, kind: str, given: Sequence[Right], *, anew: bool) -> None:
    """See `offices.set_department`."""
    role = f"{hub.roles}_{name}"
    with told(), transaction(hub.connection) as cursor:
        _require_administrator(cursor)
        cursor.execute("SELECT to_regrole(quote_ident(%s)) IS NULL FROM quyhoach.department WHERE role_name = %s", (role, role))
        found = cursor.fetchone()
        if found is None:
            _create_department(hub, cursor, role, label, kind)
        elif found[0]:
            _create_role(hub, cursor, role)  # dropped, or the database came to another server without it
        cursor.execute("UPDATE quyhoach.department SET label = %s, kind = %s WHERE role_name = %s", (label, kind, role))
        if anew:
            cursor.execute("DELETE FROM quyhoach.permission WHERE role_name = %s", (role,))
        for right in given:
            cursor.execute("INSERT INTO quyhoach.permission AS p (role_name, dataset_id, commune_code, may_write) "
                           "VALUES (%s, %s, %s, %s) ON CONFLICT (role_name, coalesce(dataset_id, ''), coalesce(commune_code, '')) "
                           "DO UPDATE SET may_write = p.may_write OR excluded.may_write",
                           (role, right.dataset_id, right.commune, right.may_write))


def set_person(hub: PostgisHub, login: str, *, departments: Sequence[str], secrecy: str, administrator: bool,
               password: str | None) -> list[str]:
    """See `offices.set_person`."""
    _check_person(login, secrecy)
    with told(), transaction(hub.connection) as cursor:
        _require_administrator(cursor)
        wanted = {f"{hub.roles}_{secrecy}", *_known_roles(hub, cursor, departments)}
        fresh = _login(hub, cursor, login, password)
        _leave(cursor, login, _groups(hub, cursor, login) - wanted - {f"{hub.roles}_owner"})
        _join(cursor, login, wanted)
        if administrator:
            _let_administer(hub, cursor, login)
    done = [say("Đã tạo tài khoản {login}.", "Made the account {login}.") if fresh else
            say("Tài khoản {login} đã có trên máy chủ, mật khẩu giữ nguyên.",
                "The account {login} was on the server already, its password stays.")]
    if fresh and password is None:
        done.append(say("Tài khoản {login} chưa có mật khẩu: đặt bằng \\password trong psql, hoặc đăng nhập theo cách khác của máy chủ.",
                        "The account {login} has no password yet: set one with \\password in psql, or log in by another way of the "
                        "server's."))
    return [sentence.format(login=login) for sentence in done]


def remove_person(hub: PostgisHub, login: str) -> None:
    """See `offices.remove_person`."""
    from psycopg2 import sql

    with told(), transaction(hub.connection) as cursor:
        _require_administrator(cursor)
        groups = _groups(hub, cursor, login)
        if not groups:
            raise InputError(say("{login} không có trong cơ sở dữ liệu dùng chung.",
                                 "{login} is not in the shared database.").format(login=login))
        cursor.execute("SELECT session_user = %s", (login,))
        if cursor.fetchone()[0]:
            raise InputError(say("Không tự đưa mình ra được; nhờ một quản trị viên khác.",
                                 "You cannot take yourself out; ask another administrator."))
        _leave(cursor, login, groups)
        if f"{hub.roles}_owner" in groups:
            cursor.execute(sql.SQL("ALTER ROLE {} NOCREATEROLE").format(sql.Identifier(login)))
        cursor.execute("DELETE FROM quyhoach.permission WHERE role_name = %s", (login,))


def people(hub: PostgisHub) -> list[tuple[str, str, str, str]]:
    """Return login, departments, secrecy and whether they administer, of everybody who is let in."""
    found = []
    with told(), hub.connection.cursor() as cursor:
        cursor.execute("SELECT DISTINCT m.rolname::text FROM pg_auth_members a JOIN pg_roles g ON g.oid = a.roleid "
                       "JOIN pg_roles m ON m.oid = a.member WHERE m.rolcanlogin AND g.rolname = ANY (%s) ORDER BY 1",
                       (_all_groups(hub, cursor),))
        for (login,) in cursor.fetchall():
            groups = {name.removeprefix(f"{hub.roles}_") for name in _groups(hub, cursor, login)}
            level = next((level for level in reversed(SECRECY) if level in groups), "")
            administers = "owner" in groups
            found.append((login, ", ".join(sorted(groups - {*SECRECY, "owner"})), SECRECY[-1] if administers else level,
                          "yes" if administers else "no"))
    return found


def lock(hub: PostgisHub, dataset: Dataset, value: object, reason: str) -> None:
    """Lock the rows of a plan (``plan_ref``) or of an inventory year (``year``) against everybody.

    Raises
    ------
    InputError
        The dataset has neither field, or no reason is given.
    """
    if not reason.strip():
        raise InputError(say("Hãy ghi lý do khóa.", "Write the reason of the lock."))
    with told(), transaction(hub.connection) as cursor:
        cursor.execute("SELECT lock_field FROM quyhoach.dataset WHERE dataset_id = %s", (dataset.id,))
        if cursor.fetchone()[0] is None:
            raise InputError(say("{dataset} không có trường đồ án hoặc năm để khóa.",
                                 "{dataset} has no field of plan or year to lock by.").format(dataset=dataset.label))
        # A lock made by hand holds at once, for its own transaction too.
        cursor.execute("INSERT INTO quyhoach.lock (dataset_id, value, reason, xid) VALUES (%s, %s, %s, NULL) "
                       "ON CONFLICT (dataset_id, value) WHERE lifted_at IS NULL DO NOTHING",
                       (dataset.id, str(value), reason))


def unlock(hub: PostgisHub, dataset: Dataset, value: object, reason: str) -> bool:
    """Lift a lock; it stays on record with who lifted it and why. Return whether there was one."""
    with told(), transaction(hub.connection) as cursor:
        cursor.execute("UPDATE quyhoach.lock SET lifted_at = clock_timestamp(), lifted_by = session_user, "
                       "lifted_because = %s WHERE dataset_id = %s AND value = %s AND lifted_at IS NULL",
                       (reason, dataset.id, str(value)))
        return cursor.rowcount > 0


def _check_name(name: str) -> None:
    if not _ROLE_NAME.fullmatch(name):
        raise InputError(say("Tên \"{name}\" không hợp lệ: chỉ dùng chữ thường không dấu, "
                             "số, dấu gạch; tối đa 31 ký tự.",
                             "The name \"{name}\" is not valid: lower-case letters without accents, "
                             "digits, dashes; 31 at most.").format(name=name))


def _check_person(login: str, secrecy: str) -> None:
    _check_name(login)
    if secrecy not in SECRECY:
        raise InputError(say("Mức bảo mật \"{level}\" không có; chọn một trong: {levels}.",
                             "There is no secrecy level \"{level}\"; one of: {levels}.")
                         .format(level=secrecy, levels=", ".join(SECRECY)))


def _require_administrator(cursor: Any) -> None:
    cursor.execute("SELECT quyhoach.has_role('owner'), current_user")
    administers, user = cursor.fetchone()
    if not administers:
        raise InputError(say("Tài khoản {user} không quản trị cơ sở dữ liệu dùng chung này.",
                             "The account {user} does not administer this shared database.").format(user=user))


def _create_department(hub: PostgisHub, cursor: Any, role: str, label: str, kind: str) -> None:
    _refuse_taken(cursor, role)
    _create_role(hub, cursor, role)
    cursor.execute("INSERT INTO quyhoach.department VALUES (%s, %s, %s)", (role, label, kind))


def _create_role(hub: PostgisHub, cursor: Any, role: str) -> None:
    from psycopg2 import sql

    cursor.execute(sql.SQL("CREATE ROLE {}").format(sql.Identifier(role)))
    # So that every administrator, not only the one who made it, can put people in.
    cursor.execute(sql.SQL("GRANT {} TO {} WITH ADMIN OPTION").format(sql.Identifier(role),
                                                                      sql.Identifier(f"{hub.roles}_owner")))


def _known_roles(hub: PostgisHub, cursor: Any, names: Iterable[str]) -> list[str]:
    roles = [f"{hub.roles}_{name}" for name in names]
    cursor.execute("SELECT role_name::text FROM quyhoach.department WHERE to_regrole(quote_ident(role_name::text)) IS NOT NULL")
    known = {row[0] for row in cursor.fetchall()}
    refuse_if(say("Không có cơ quan {name}; hãy thêm cơ quan trước.",
                  "There is no department {name}; add it first.").format(name=role)
              for role in roles if role not in known)
    return roles


def _all_groups(hub: PostgisHub, cursor: Any) -> list[str]:
    cursor.execute("SELECT role_name::text FROM quyhoach.department")
    return [*(row[0] for row in cursor.fetchall()), *(f"{hub.roles}_{part}" for part in (*SECRECY, "owner"))]


def _groups(hub: PostgisHub, cursor: Any, login: str) -> set[str]:
    """The hub's groups a role is in itself."""
    groups = _all_groups(hub, cursor)
    cursor.execute("SELECT g.rolname::text FROM pg_auth_members a JOIN pg_roles g ON g.oid = a.roleid "
                   "JOIN pg_roles m ON m.oid = a.member WHERE m.rolname = %s AND g.rolname = ANY (%s)", (login, groups))
    return {row[0] for row in cursor.fetchall()}


def _leave(cursor: Any, login: str, roles: Iterable[str]) -> None:
    from psycopg2 import sql

    for role in sorted(roles):
        cursor.execute(sql.SQL("REVOKE {} FROM {}").format(sql.Identifier(role), sql.Identifier(login)))
        # From version 16 on a server keeps who let somebody in; what a superuser gave only a superuser takes.
        cursor.execute("SELECT EXISTS (SELECT FROM pg_auth_members a JOIN pg_roles g ON g.oid = a.roleid "
                       "JOIN pg_roles m ON m.oid = a.member WHERE m.rolname = %s AND g.rolname = %s)", (login, role))
        if cursor.fetchone()[0]:
            raise InputError(say("{login} được quản trị máy chủ đưa vào {role}; nhờ quản trị máy chủ đưa ra.",
                                 "{login} was put into {role} by the server's administrator, who has to take them out.")
                             .format(login=login, role=role))


def _let_administer(hub: PostgisHub, cursor: Any, login: str) -> None:
    from psycopg2 import sql

    cursor.execute(sql.SQL("ALTER ROLE {} CREATEROLE").format(sql.Identifier(login)))
    _join(cursor, login, [f"{hub.roles}_owner"])


def _refuse_taken(cursor: Any, role: str) -> None:
    cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (role,))
    if cursor.fetchone():
        raise InputError(say("Vai trò {role} đã có trên máy chủ.",
                             "The role {role} exists on the server already.").format(role=role))


def _login(hub: PostgisHub, cursor: Any, login: str, password: str | None) -> bool:
    """Make a login role if there is none; return whether it is new."""
    from psycopg2 import sql
    from psycopg2.extensions import encrypt_password

    cursor.execute("SELECT rolcanlogin FROM pg_roles WHERE rolname = %s", (login,))
    found = cursor.fetchone()
    if found and not found[0]:
        raise InputError(say("Vai trò {role} không phải là tài khoản đăng nhập.",
                             "The role {role} is no login.").format(role=login))
    if found is None:
        cursor.execute(sql.SQL("CREATE ROLE {} LOGIN").format(sql.Identifier(login)))
        if password is not None:
            # Hashed here: a statement with a password may end up in the server's log.
            secret = encrypt_password(password, login, hub.connection, "scram-sha-256")
            cursor.execute(sql.SQL("ALTER ROLE {} PASSWORD {}").format(sql.Identifier(login), sql.Literal(secret)))
    return found is None


def _join(cursor: Any, login: str, roles: Iterable[str]) -> None:
    from psycopg2 import sql

    for role in roles:
        cursor.execute(sql.SQL("GRANT {} TO {}").format(sql.Identifier(role), sql.Identifier(login)))
