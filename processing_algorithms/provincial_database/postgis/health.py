"""Is a PostGIS hub in order? Versions, triggers, rights, sizes, working copies, and that the ledger tells all.

For administrators: it reads what ordinary roles may not.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ...common.errors import InputError
from ...common.language import say
from ...common.progress import Progress, silent
from ..catalogue import Dataset
from ..findings import gap_advice, unsent_advice, unsent_sentence
from . import health_guards
from .connection import told, transaction
from .ledger_gaps import gaps
from .schema import trigger_names
from .upgrade import guard_bodies

if TYPE_CHECKING:
    from .hub import PostgisHub


@dataclass(frozen=True)
class Finding:
    """One thing looked at. ``subject`` is a dataset's name, or what else it is about; ``advice`` what to do about it."""

    subject: str
    in_order: bool
    sentence: str
    advice: str = ""

    @property
    def label(self) -> str:
        """What people read for the subject."""
        labels = {"server": say("Máy chủ", "Server"), "size": say("Dung lượng", "Size"),
                  "functions": say("Hàm của cơ sở dữ liệu", "Functions of the database"),
                  "history": say("Nhật ký", "Ledger"), "rights": say("Phân quyền", "Rights"),
                  "working copies": say("Bản dữ liệu làm việc", "Working copies")}
        return labels.get(self.subject, self.subject)


def check_postgis_hub(hub: PostgisHub, *, deep: bool = True, progress: Progress = silent) -> list[Finding]:
    """Look at everything in one consistent read; ``deep`` replays the ledger against the tables.

    Raises
    ------
    InputError
        This role does not administer the hub.
    """
    with told(), transaction(hub.connection, reading=True) as cursor:
        cursor.execute("SELECT quyhoach.has_role('owner')")
        if not cursor.fetchone()[0]:
            raise InputError(say("Chỉ quản trị viên của cơ sở dữ liệu dùng chung mới kiểm tra được.",
                                 "Only administrators of the shared database can check it."))
        found = list(_versions(hub, cursor))
        for subject, looks in (("functions", health_guards.functions(cursor)), ("history", health_guards.history(cursor)),
                               ("rights", health_guards.rights(cursor, hub.roles))):
            found += [Finding(subject, *look) for look in looks]
        for number, dataset in enumerate(hub.datasets.values()):
            progress(number / len(hub.datasets), str(dataset.label))
            found += _table(cursor, dataset)
            found += [Finding(dataset.name, *look) for look in health_guards.table(cursor, dataset, guard_bodies(cursor, dataset, hub.postgis))]
            if deep:
                found.append(_ledger(cursor, dataset))
        found += _copies(cursor)
    progress(1.0)
    return found


def _versions(hub: PostgisHub, cursor: Any) -> Iterator[Finding]:
    cursor.execute("SELECT current_setting('server_version'), extversion, "
                   "pg_size_pretty(pg_database_size(current_database())), (SELECT count(*) "
                   "FROM quyhoach.ledger), (SELECT count(*) FROM quyhoach.changeset) FROM pg_extension "
                   "WHERE extname = 'postgis'")
    server, postgis, size, entries, changesets = cursor.fetchone()
    yield Finding("server", True,
                  say("PostgreSQL {server}, PostGIS {postgis}, cấu trúc {version}.",
                      "PostgreSQL {server}, PostGIS {postgis}, schema {version}.").format(
        server=server, postgis=postgis, version=hub.info.schema_version))
    yield Finding("size", True, say("Dung lượng {size}; nhật ký {entries} dòng trong {changesets} đợt cập nhật.",
                                    "Size {size}; {entries} ledger entries in {changesets} changesets.").format(
                                        size=size, entries=entries, changesets=changesets))
    cursor.execute("SELECT p.proname FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace "
                   "WHERE n.nspname = 'quyhoach' AND p.prosecdef AND (p.proconfig IS NULL OR NOT EXISTS (SELECT "
                   "FROM unnest(p.proconfig) c WHERE c LIKE 'search_path=%'))")
    loose = [row[0] for row in cursor.fetchall()]
    sentence = say("Các hàm đều cố định search_path.", "All functions fix their search_path.")
    if loose:
        sentence = say("Hàm chạy bằng quyền quản trị nhưng không cố định search_path: {names}.",
                       "Functions with the owner's rights and no fixed search_path: {names}.")
    yield Finding("functions", not loose, sentence.format(names=", ".join(loose)))


def _table(cursor: Any, dataset: Dataset) -> Iterator[Finding]:
    cursor.execute("SELECT tgname::text FROM pg_trigger WHERE tgrelid = %s::regclass AND tgenabled IN ('O', 'A')",
                   (f"quyhoach_data.{_quoted(dataset.name)}",))
    lost = sorted(set(trigger_names(dataset)) - {row[0] for row in cursor.fetchall()})
    yield Finding(dataset.name, not lost,
                  say("{dataset}: thiếu hoặc tắt trigger {names}.", "{dataset}: triggers {names} are missing or disabled.")
                  .format(dataset=dataset.label, names=", ".join(lost))
                  if lost else say("{dataset}: đủ trigger.", "{dataset}: all triggers are there.").format(
                      dataset=dataset.label),
                  say("Bật lại trigger bị tắt (ALTER TABLE ... ENABLE TRIGGER), hoặc chạy nâng cấp cơ sở dữ liệu để tạo lại trigger "
                      "bị mất.", "Switch a disabled trigger on again (ALTER TABLE ... ENABLE TRIGGER), or upgrade the database "
                      "to make lost ones again.") if lost else "")
    cursor.execute("SELECT relrowsecurity FROM pg_class WHERE oid = %s::regclass",
                   (f"quyhoach_data.{_quoted(dataset.name)}",))
    if not cursor.fetchone()[0]:
        yield Finding(
            dataset.name,
            False,
            say("{dataset}: phân quyền theo dòng đã bị tắt.", "{dataset}: row-level security is switched off.").format(
                dataset=dataset.label
            ),
            say("Chạy nâng cấp cơ sở dữ liệu; tìm người đã tắt.", "Upgrade the database; find out who did it."),
        )


def _ledger(cursor: Any, dataset: Dataset) -> Finding:
    """Each entry begins where the one before ended, and the last one is the table's row."""
    broken, different, entries = gaps(cursor, dataset)
    if broken or different:
        return Finding(dataset.name, False,
                       say("{dataset}: nhật ký đứt đoạn ở {broken} chỗ; {different} đối tượng khác với nhật ký.",
                                                "{dataset}: the ledger is broken in {broken} places; "
                                                "{different} features differ from it.")
                       .format(dataset=dataset.label, broken=broken, different=different),
                       gap_advice(different))
    return Finding(dataset.name, True,
                   say("{dataset}: nhật ký {entries} dòng, khớp với bảng.",
                       "{dataset}: {entries} ledger entries, the same as the table.")
                   .format(dataset=dataset.label, entries=entries))


def _copies(cursor: Any) -> Iterator[Finding]:
    cursor.execute("SELECT name, person::text, unsent, oldest_edit, seen_at FROM quyhoach.working_copy "
                   "WHERE unsent > 0 ORDER BY oldest_edit NULLS LAST LIMIT 1")
    oldest = cursor.fetchone()
    if oldest is None:
        yield Finding("working copies", True,
                      say("Không có bản dữ liệu làm việc nào báo còn thay đổi chưa gửi.",
                          "No working copy has told of unsent edits."))
        return
    name, person, unsent, since, seen = oldest
    yield Finding("working copies", True,
                  unsent_sentence(name, person, unsent, since or seen, seen), unsent_advice(since or seen))


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
