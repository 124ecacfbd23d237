"""What keeps a PostGIS hub's promises, looked at one by one: functions, triggers, rules of rows, rights, numbers, indexes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ...common.errors import name_some
from ...common.language import say
from ..catalogue import Dataset
from ..catalogue.model import FEATURE_ID, FID, SECRECY
from .own_functions import altered_functions, lost_triggers, own_functions
from .schema import trigger_names

#: Indexes the history is found by, and the one that keeps a feature's entry of a changeset one.
_INDEXES = ("changeset_by_time", "changeset_by_xid", "ledger_by_feature", "one_entry")
_POLICIES = {"quyhoach_read", "quyhoach_insert", "quyhoach_update", "quyhoach_delete"}
_SCHEMAS = ["quyhoach", "quyhoach_data", *(f"quyhoach_{level}" for level in SECRECY)]

#: (in order, sentence, advice)
Look = tuple[bool, str, str]


def upgrade_advice() -> str:
    """What mends most of it."""
    return say("Chạy nâng cấp cơ sở dữ liệu (quyhoach:hubupgrade) để đặt lại; tìm người đã sửa.",
               "Upgrade the database (quyhoach:hubupgrade), which puts it back; find out who did it.")


def functions(cursor: Any) -> Iterator[Look]:
    """Look at the hub's own functions, and the triggers that keep its history."""
    altered = altered_functions(cursor, {name: body for name, (_, body) in own_functions().items()})
    if altered:
        yield False, say("Hàm bị sửa hoặc bị mất: {names}.", "Functions are altered or lost: {names}.").format(
            names=", ".join(altered)), upgrade_advice()
    lost = [f"{table}.{name}" for table, name in lost_triggers(cursor)]
    if lost:
        yield False, say("Trigger giữ nhật ký bị mất hoặc bị tắt: {names}.", "Triggers that keep the history are lost or off: {names}.").format(
            names=", ".join(lost)), upgrade_advice()


def history(cursor: Any) -> Iterator[Look]:
    """Look at what holds the ledger together: changesets, numbers, indexes."""
    cursor.execute("SELECT count(DISTINCT l.changeset) FROM quyhoach.ledger l WHERE NOT EXISTS "
                   "(SELECT FROM quyhoach.changeset c WHERE c.number = l.changeset)")
    missing = cursor.fetchone()[0]
    if missing:
        yield False, say("Nhật ký thiếu {n} đợt cập nhật mà các dòng của nó nhắc tới.", "{n} changesets that the ledger's entries are of are missing.") \
            .format(n=missing), say("Phục hồi bản sao lưu gần nhất.", "Restore the last backup.")
    behind = [table for table, column in (("quyhoach.ledger", "ledger_no"), ("quyhoach.changeset", "number"))
              if _is_behind(cursor, table, column)]
    if behind:
        yield False, _behind(behind), _behind_advice()
    cursor.execute("SELECT c.relname::text FROM pg_class c JOIN pg_index i ON i.indexrelid = c.oid AND i.indisvalid "
                   "WHERE c.relnamespace = 'quyhoach'::regnamespace")
    lost = sorted(set(_INDEXES) - {row[0] for row in cursor.fetchall()})
    if lost:
        yield False, say("Thiếu chỉ mục của nhật ký: {names}.", "Indexes of the history are missing: {names}.").format(names=", ".join(lost)), say(
            "Tạo lại như trong sql/postgis.", "Make them again as sql/postgis has them.")


def rights(cursor: Any, roles: str) -> Iterator[Look]:
    """Look at who was given anything beside the hub's own roles, and whether functions of triggers are closed."""
    own = [f"{roles}_owner", *(f"{roles}_{level}" for level in SECRECY)]
    cursor.execute(
        "SELECT DISTINCT coalesce(r.rolname::text, 'PUBLIC') || ': ' || g.name FROM ("
        "SELECT c.relnamespace::regnamespace || '.' || c.relname AS name, (aclexplode(c.relacl)).* FROM pg_class c "
        "WHERE c.relnamespace = ANY (%s::text[]::regnamespace[]) UNION ALL "
        "SELECT p.pronamespace::regnamespace || '.' || p.proname, (aclexplode(coalesce(p.proacl, acldefault('f', p.proowner)))).* "
        "FROM pg_proc p WHERE p.pronamespace = 'quyhoach'::regnamespace) g LEFT JOIN pg_roles r ON r.oid = g.grantee "
        "WHERE NOT coalesce(r.rolsuper OR r.rolname = ANY (%s), false) ORDER BY 1", (_present(cursor), own))
    strange = [row[0] for row in cursor.fetchall()]
    if strange:
        yield False, say("Quyền cấp ngoài vai trò của cơ sở dữ liệu: {names}.", "Given to others than the database's roles: {names}.").format(
            names=name_some(strange)), say("Thu hồi (REVOKE); chỉ cấp qua quyhoach:hubgrant.", "Revoke it; give rights with quyhoach:hubgrant only.")
    cursor.execute("SELECT label || ' (' || role_name || ')' FROM quyhoach.department WHERE to_regrole(quote_ident(role_name::text)) IS NULL ORDER BY 1")
    nobody = [row[0] for row in cursor.fetchall()]
    if nobody:
        yield False, say("Vai trò của cơ quan không còn trên máy chủ (bị xóa hoặc đổi tên), người của cơ quan không đọc, không ghi được gì: {names}.",
                         "The roles of departments are no longer on the server (dropped or renamed), their people read and write nothing: {names}.").format(
            names=name_some(nobody)), say("Đổi lại tên cũ (ALTER ROLE ... RENAME TO), hoặc chạy quyhoach:hubgrant cho cơ quan để tạo lại vai trò rồi quyhoach:hubperson "
                                          "cho từng người.", "Give it its old name (ALTER ROLE ... RENAME TO), or run quyhoach:hubgrant for the department, which makes the "
                                          "role again, and then quyhoach:hubperson for each person.")
    cursor.execute("SELECT DISTINCT c.relname || ' (' || g.privilege_type || ')' FROM pg_class c CROSS JOIN LATERAL aclexplode(c.relacl) g "
                   "JOIN pg_roles r ON r.oid = g.grantee WHERE c.relnamespace = 'quyhoach'::regnamespace AND r.rolname = ANY (%s) "
                   "AND r.rolname <> %s AND (g.privilege_type <> 'SELECT' AND NOT (g.privilege_type = 'INSERT' AND c.relname IN ('import', 'rejection')) "
                   "OR c.relname IN ('ledger', 'changeset', 'working_copy', 'membership')) ORDER BY 1", (own, own[0]))
    open_tables = [row[0] for row in cursor.fetchall()]
    cursor.execute("SELECT DISTINCT p.proname::text FROM pg_proc p CROSS JOIN LATERAL aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) g "
                   "WHERE p.pronamespace = 'quyhoach'::regnamespace AND p.prorettype = 'trigger'::regtype AND g.grantee <> p.proowner ORDER BY 1")
    open_functions = [row[0] for row in cursor.fetchall()]
    if open_tables or open_functions:
        yield False, say("Mở cho mọi người điều chỉ dành cho quản trị viên: {names}.", "Open to everybody, though for administrators only: {names}.").format(
            names=name_some([*open_tables, *open_functions])), upgrade_advice()


def table(cursor: Any, dataset: Dataset, guards: dict[str, str]) -> Iterator[Look]:
    """Look at a dataset's table; ``guards`` are the bodies its functions ought to have."""
    oid = f'quyhoach_data."{dataset.name}"'
    altered = altered_functions(cursor, guards)
    if altered:
        # They follow the program's catalogue, so a program that was updated is no error.
        yield True, say("{dataset}: hàm kiểm tra khác với phiên bản QuyHoach này, vì chưa nâng cấp cơ sở dữ liệu hoặc vì bị sửa: {names}.",
                        "{dataset}: functions that check are not those of this QuyHoach, because the database was not upgraded or they were altered: "
                        "{names}.").format(dataset=dataset.label, names=", ".join(altered)), say(
            "Chạy nâng cấp cơ sở dữ liệu (quyhoach:hubupgrade).", "Upgrade the database (quyhoach:hubupgrade).")
    cursor.execute("SELECT tgname::text, p.pronamespace = 'quyhoach'::regnamespace FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid "
                   "WHERE tgrelid = %s::regclass AND NOT tgisinternal", (oid,))
    found = dict(cursor.fetchall())
    own = set(trigger_names(dataset))
    wrong = sorted(name for name in own & found.keys() if not found[name])
    if wrong:
        yield False, say("{dataset}: trigger gọi hàm khác: {names}.", "{dataset}: triggers call other functions: {names}.").format(
            dataset=dataset.label, names=", ".join(wrong)), upgrade_advice()
    others = sorted(found.keys() - own)
    if others:
        yield True, say("{dataset}: có trigger của chương trình khác: {names}.", "{dataset}: triggers of other programs: {names}.").format(
            dataset=dataset.label, names=", ".join(others)), say("Kiểm tra xem ai đã thêm và có cần không.",
                                                                 "Find out who added them and whether they are needed.")
    cursor.execute("SELECT polname::text FROM pg_policy WHERE polrelid = %s::regclass", (oid,))
    policies = {row[0] for row in cursor.fetchall()}
    if policies != _POLICIES:
        yield False, say("{dataset}: quy tắc phân quyền theo dòng khác: {names}.", "{dataset}: other rules of row-level security: {names}.").format(
            dataset=dataset.label, names=", ".join(sorted(policies ^ _POLICIES))), say(
                "Xóa quy tắc lạ (DROP POLICY), rồi chạy nâng cấp để tạo lại quy tắc bị mất.", "Drop those that are not ours, then upgrade, which makes lost ones again.")
    cursor.execute("SELECT f.column_name::text FROM quyhoach.field f WHERE f.dataset_id = %s AND NOT EXISTS (SELECT FROM pg_attribute a "
                   "WHERE a.attrelid = %s::regclass AND a.attname = f.column_name AND NOT a.attisdropped) ORDER BY 1", (dataset.id, oid))
    columns = [row[0] for row in cursor.fetchall()]
    if columns:
        yield False, say("{dataset}: cột bị xóa hoặc đổi tên: {names}.", "{dataset}: columns are dropped or renamed: {names}.").format(
            dataset=dataset.label, names=", ".join(columns)), say("Đổi lại tên cũ, hoặc phục hồi bản sao lưu gần nhất.",
                                                                  "Give them their old names, or restore the last backup.")
    cursor.execute("SELECT domain, code FROM quyhoach.domain_value")
    codes = set(cursor.fetchall())
    lacking = [f"{field.domain.label}: {value.code}" for field in dataset.fields if field.domain for value in field.domain.values
               if (field.domain.name, value.code) not in codes]
    if lacking:
        yield True, say("{dataset}: danh mục thiếu mã: {names}.", "{dataset}: codes are missing from their lists: {names}.").format(
            dataset=dataset.label, names=name_some(lacking)), upgrade_advice()
    if _is_behind(cursor, oid, FID):
        yield False, f"{dataset.label}: {_behind([FID])}", _behind_advice()
    cursor.execute("SELECT EXISTS (SELECT FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0] "
                   "WHERE i.indrelid = %s::regclass AND i.indisunique AND i.indisvalid AND i.indnatts = 1 AND a.attname = %s)", (oid, FEATURE_ID))
    if not cursor.fetchone()[0]:
        yield False, say("{dataset}: feature_id không còn được giữ duy nhất.", "{dataset}: feature_id is no longer kept unique.").format(
            dataset=dataset.label), say("Tạo lại ràng buộc UNIQUE (feature_id).", "Add the constraint UNIQUE (feature_id) again.")


def _present(cursor: Any) -> list[str]:
    cursor.execute("SELECT nspname::text FROM pg_namespace WHERE nspname = ANY (%s)", (_SCHEMAS,))
    return [row[0] for row in cursor.fetchall()]


def _is_behind(cursor: Any, name: str, column: str) -> bool:
    from psycopg2 import sql

    cursor.execute(sql.SQL("SELECT coalesce(max({}), 0) > coalesce(pg_sequence_last_value(pg_get_serial_sequence(%s, %s)::regclass), 0) FROM {}").format(
        sql.Identifier(column), sql.SQL(name)), (name, column))
    return bool(cursor.fetchone()[0])


def _behind(names: list[str]) -> str:
    return say("bộ đếm số ({names}) đứng sau số đã dùng, thêm dòng mới sẽ bị từ chối.", "numbers ({names}) are counted from before the last one given: new rows will be refused.") \
        .format(names=", ".join(names))


def _behind_advice() -> str:
    return say("Đặt lại bộ đếm bằng setval() theo số lớn nhất trong bảng.", "Set the sequence to the table's highest number with setval().")
