"""Is a GeoPackage hub in order? The file, triggers, spatial indexes, and that the ledger tells the whole story.

All of it is read at one moment; nothing is changed. Rows are compared as SQLite keeps them, bit for bit.
"""

from __future__ import annotations

import datetime
import re
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from ...common.errors import name_some
from ...common.language import say
from ...common.network_places import on_network_share
from ...common.numbers_vi import format_number
from ...common.progress import Progress, silent
from ..catalogue import Dataset
from ..catalogue.model import FID, GEOMETRY
from ..findings import Finding, State, gap_advice, on_a_share, unsent_advice, unsent_sentence
from ..unreadable_text import unreadable_text
from .history import reading
from .hub import GeoPackageHub
from .ledger import hub_trigger_statements
from .ledger_gaps import broken_features, different_features
from .schema import quoted
from .upgrade import SQL_FOLDER

_MOST = 20
_ROWS_AT_ONCE = 10_000
#: A box of the index is single precision, rounded outwards: how far beyond the shape it may reach, of the coordinate.
_ROUNDING = 2.0**-22
_MIB = 1024.0**2


def check_geopackage_hub(hub: GeoPackageHub, *, progress: Progress = silent) -> list[Finding]:
    """See `administration.check_hub`."""
    database = hub._database
    with reading(database):
        found = []
        try:
            found += _file(database, Path(hub.info.location))
            found.append(_version(hub))
            found += _own_tables(database)
            for number, dataset in enumerate(hub.datasets.values()):
                progress(number / len(hub.datasets), str(dataset.label))
                found += [_triggers(database, dataset), _ledger(database, dataset), *_values(database, dataset)]
                if dataset.geometry:
                    found.append(_index(database, dataset))
            found += [_strays(database), _size(database, Path(hub.info.location)), _copies(database)]
        except (sqlite3.DatabaseError, ValueError) as error:
            found.append(_damaged(str(error)))  # so badly that it cannot even be read
    progress(1.0)
    return found


def _file(database: sqlite3.Connection, path: Path) -> Iterator[Finding]:
    check = say("Tệp", "File")
    if on_network_share(path):
        yield Finding(check, State.ATTENTION, *on_a_share())
    problems = [row[0] for row in database.execute("PRAGMA integrity_check(20)") if row[0] != "ok"]
    if problems:
        yield _damaged(name_some(problems, 3))
    else:
        yield Finding(check, State.GOOD, say("Tệp còn nguyên vẹn.", "The file is intact."))
    loose = [row[0] for row in database.execute("PRAGMA foreign_key_check")]
    if loose:
        yield Finding(check, State.BROKEN, say("{n} dòng trỏ tới dòng không có (bảng {tables}).",
                                               "{n} rows point to rows that are not there (tables {tables}).")
                      .format(n=len(loose), tables=name_some(sorted(set(loose)))),
                      say("Phục hồi bản sao lưu gần nhất.", "Restore the last backup."))


def _damaged(why: str) -> Finding:
    return Finding(say("Tệp", "File"), State.BROKEN,
                   say("Tệp hỏng: {why}", "The file is damaged: {why}").format(why=why),
                   say("Ngừng ghi, phục hồi bản sao lưu gần nhất; các bản dữ liệu làm việc mới hơn sẽ bù phần thiếu.",
                       "Stop writing and restore the last backup; newer working copies bring back what it lacks."))


def _version(hub: GeoPackageHub) -> Finding:
    restores = hub._one("SELECT count(*) FROM quyhoach_incarnation")
    return Finding(say("Phiên bản", "Version"), State.GOOD, say(
        "Cấu trúc {version}, SQLite {sqlite}; đã phục hồi {restores} lần.",
        "Schema {version}, SQLite {sqlite}; restored {restores} times.").format(
        version=hub.info.schema_version, sqlite=sqlite3.sqlite_version, restores=restores))


def _own_tables(database: sqlite3.Connection) -> Iterator[Finding]:
    """Tables of the hub's own that are gone, and a changeset left open, under whose name others would be writing."""
    check = say("Bảng của cơ sở dữ liệu", "Tables of the database")
    text = "".join(path.read_text(encoding="utf-8") for path in (*sorted(SQL_FOLDER.glob("[0-9]*.sql")), SQL_FOLDER.with_name("geopackage_file.sql")))
    present = {name for (name,) in database.execute("SELECT name FROM sqlite_master")}
    lost = sorted(set(re.findall(r"^CREATE (?:UNIQUE )?(?:TABLE|INDEX) (\w+)", text, re.M)) - present)
    if lost:
        yield Finding(check, State.BROKEN, say("Thiếu: {names}.", "Missing: {names}.").format(names=name_some(lost)),
                      say("Phục hồi bản sao lưu gần nhất.", "Restore the last backup."))
    if "quyhoach_writing" in present and database.execute("SELECT 1 FROM quyhoach_writing").fetchone():
        yield Finding(check, State.BROKEN, say("Một đợt cập nhật bị bỏ dở: chỉnh sửa của chương trình khác đang được ghi nhầm vào đợt đó.",
                                               "A changeset was left open: edits of other programs are entered under it."),
                      say("Xóa dòng trong bảng quyhoach_writing.", "Delete the row of the table quyhoach_writing."))


def _values(database: sqlite3.Connection, dataset: Dataset) -> Iterator[Finding]:
    """Codes that are gone from their lists, and text no program can read."""
    check = say("Giá trị: {dataset}", "Values: {dataset}").format(dataset=dataset.label)
    known = set(database.execute("SELECT constraint_name, value FROM gpkg_data_column_constraints"))
    lacking = [f"{field.domain.label}: {value.code}" for field in dataset.fields if field.domain for value in field.domain.values
               if (field.domain.name, value.code) not in known]
    if lacking:
        yield Finding(check, State.ATTENTION, say("Danh mục thiếu mã: {names}.", "Codes are missing from their lists: {names}.").format(
            names=name_some(lacking)), say("Chạy nâng cấp cơ sở dữ liệu (quyhoach:hubupgrade).", "Upgrade the database (quyhoach:hubupgrade)."))
    names = [quoted(field.name) for field in dataset.fields if field.type in ("text", "date", "datetime")]
    try:
        cursor = database.execute(f"SELECT {', '.join(names)} FROM {quoted(dataset.name)}")
        while cursor.fetchmany(_ROWS_AT_ONCE):
            pass
    except sqlite3.OperationalError as error:
        found = str(unreadable_text(database, {dataset.name: dataset}, error))
        yield Finding(check, State.BROKEN, found, say("Nhập lại các ô đó; các máy chưa nhận được gì của lớp này cho tới lúc ấy.",
                                                      "Type those cells anew; nobody can receive this layer until then."))


def _triggers(database: sqlite3.Connection, dataset: Dataset) -> Finding:
    check = say("Trigger: {dataset}", "Triggers: {dataset}").format(dataset=dataset.label)
    expected = hub_trigger_statements(dataset)
    present = dict(database.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = ?",
                                    (dataset.name,)))
    wrong = [name for name, sql in expected.items() if present.get(name) != sql]
    others = sorted(set(present) - set(expected))
    if wrong:
        return Finding(check, State.BROKEN, say("Thiếu hoặc bị sửa: {names}.", "Missing or altered: {names}.")
                       .format(names=name_some(wrong)),
                       say("Chạy nâng cấp cơ sở dữ liệu (quyhoach:hubupgrade) để tạo lại trigger. Chỉnh sửa trong lúc đó có thể không vào nhật ký: "
                           "kiểm tra lại sau đó.",
                           "Upgrade the database (quyhoach:hubupgrade), which makes the triggers anew. Edits may have gone past the ledger "
                           "meanwhile: check again after it."))
    if others:
        return Finding(
            check,
            State.ATTENTION,
            say("Có trigger của chương trình khác: {names}.", "Triggers of other programs: {names}.").format(
                names=name_some(others)
            ),
            say("Kiểm tra xem ai đã thêm và có cần không.", "Find out who added them and whether they are needed."),
        )
    return Finding(check, State.GOOD, say("Đủ {n} trigger.", "All {n} triggers are there.").format(n=len(expected)))


def _ledger(database: sqlite3.Connection, dataset: Dataset) -> Finding:
    check = say("Nhật ký: {dataset}", "Ledger: {dataset}").format(dataset=dataset.label)
    broken = [row[0] for row in database.execute(f"{broken_features(dataset)} LIMIT {_MOST}", (dataset.id,))]
    different = [row[0] for row in database.execute(f"SELECT * FROM ({different_features(dataset)}) LIMIT {_MOST}", (dataset.id,))]
    if broken or different:
        return Finding(check, State.BROKEN, say(
            "Nhật ký đứt đoạn ở {broken} đối tượng, khác với bảng ở {different} đối tượng: {ids}.",
            "The ledger is broken for {broken} features and differs from the table for {different}: {ids}.").format(
            broken=_count(broken), different=_count(different), ids=name_some(dict.fromkeys([*different, *broken]), 3)),
            gap_advice(different))
    entries = database.execute("SELECT count(*) FROM quyhoach_ledger WHERE dataset_id = ?", (dataset.id,)).fetchone()[0]
    return Finding(
        check,
        State.GOOD,
        say("{n} dòng nhật ký, phát lại đúng bằng bảng.", "{n} entries, which replay to exactly the table.").format(
            n=format_number(entries)
        ),
    )


def _count(found: list[object]) -> str:
    return str(len(found)) if len(found) < _MOST else f"≥ {_MOST}"


def _index(database: sqlite3.Connection, dataset: Dataset) -> Finding:
    check = say("Chỉ mục không gian: {dataset}", "Spatial index: {dataset}").format(dataset=dataset.label)
    table, rtree = quoted(dataset.name), quoted(f"rtree_{dataset.name}_{GEOMETRY}")
    shape = f"t.{GEOMETRY}"
    near = " AND ".join(
        _near(f"r.{low}", f"ST_Min{axis}({shape})", 1) + " AND " + _near(f"r.{high}", f"ST_Max{axis}({shape})", -1)
        for low, high, axis in (("minx", "maxx", "X"), ("miny", "maxy", "Y"))
    )
    wrong = [row[0] for row in database.execute(
        f"SELECT t.{FID} FROM {table} t LEFT JOIN {rtree} r ON r.id = t.{FID} WHERE {shape} NOTNULL AND NOT "
        f"ST_IsEmpty({shape}) AND (r.id IS NULL OR NOT ({near})) UNION ALL SELECT r.id FROM {rtree} r LEFT JOIN {table} t "
        f"ON t.{FID} = r.id WHERE t.{FID} IS NULL OR {shape} IS NULL OR ST_IsEmpty({shape}) LIMIT {_MOST}")]
    inside = _rtree_check(database, f"rtree_{dataset.name}_{GEOMETRY}")
    if wrong or inside:
        return Finding(check, State.BROKEN, say("Không khớp với hình ở {n} đối tượng (fid {ids}) {why}",
                                                "Does not match the shapes of {n} features (fid {ids}) {why}").format(
            n=_count(wrong), ids=name_some(wrong, 5), why=inside).strip(),
            say("Dựng lại chỉ mục không gian của lớp này trong QGIS (Thuộc tính lớp, Nguồn).",
                "Build the layer's spatial index anew in QGIS (layer properties, source)."))
    return Finding(check, State.GOOD, say("Khớp với hình.", "Matches the shapes."))


def _near(box: str, side: str, outwards: int) -> str:
    """The box reaches to the side or a little beyond, never less."""
    low, high = (box, side) if outwards > 0 else (side, box)
    return f"{low} <= {high} AND abs({side} - {box}) <= abs({side}) * {_ROUNDING!r}"


def _rtree_check(database: sqlite3.Connection, name: str) -> str:
    try:
        found = database.execute("SELECT rtreecheck(?)", (name,)).fetchone()[0]
    except sqlite3.OperationalError:
        return ""  # a SQLite built without that function; the boxes were compared above
    return "" if found == "ok" else str(found).splitlines()[0]


def _strays(database: sqlite3.Connection) -> Finding:
    check = say("Chỉnh sửa trực tiếp", "Direct edits")
    count, begun = database.execute("SELECT count(*), min(at) FROM quyhoach_ledger WHERE changeset IS NULL").fetchone()
    if not count:
        return Finding(check, State.GOOD, say("Mọi dòng nhật ký đều thuộc một đợt cập nhật.",
                                              "Every entry belongs to a changeset."))
    return Finding(check, State.ATTENTION, say("{n} dòng nhật ký do chương trình khác ghi từ {at} chưa thuộc đợt cập nhật nào.",
                                               "{n} entries made by other programs since {at} belong to no changeset yet.")
                   .format(n=format_number(count), at=begun),
                   say("Không cần làm gì: lần ghi kế tiếp sẽ gom thành một đợt. Hỏi ai đã sửa thẳng vào tệp.",
                       "Nothing: the next write makes them a changeset. Ask who edited the file directly."))


def _size(database: sqlite3.Connection, path: Path) -> Finding:
    free, pages = (database.execute(f"PRAGMA {name}").fetchone()[0] for name in ("freelist_count", "page_count"))
    entries, changesets = (database.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
                           for table in ("quyhoach_ledger", "quyhoach_changeset"))
    return Finding(say("Dung lượng", "Size"), State.GOOD, say(
        "{size} MB, trống {free} %; {entries} dòng nhật ký trong {changesets} đợt cập nhật.",
        "{size} MB, {free} % free; {entries} ledger entries in {changesets} changesets.").format(
        size=format_number(path.stat().st_size / _MIB, 1), free=format_number(100.0 * free / max(pages, 1), 0),
        entries=format_number(entries), changesets=format_number(changesets)))


def _copies(database: sqlite3.Connection) -> Finding:
    check = say("Bản dữ liệu làm việc", "Working copies")
    total = database.execute("SELECT count(*) FROM quyhoach_known_copy").fetchone()[0]
    oldest = database.execute("SELECT name, person, unsent, unsent_since, seen_at FROM quyhoach_known_copy WHERE unsent > 0 "
                              "ORDER BY coalesce(unsent_since, seen_at) LIMIT 1").fetchone()
    if oldest is None:
        return Finding(
            check,
            State.GOOD,
            say(
                "{n} bản đã gặp, không bản nào báo còn thay đổi chưa gửi.",
                "{n} have been met, none has told of unsent edits.",
            ).format(n=format_number(total)),
        )
    name, person, unsent, since, seen = oldest
    seen, since = datetime.datetime.fromisoformat(seen), datetime.datetime.fromisoformat(since or seen)
    advice = unsent_advice(since)
    return Finding(check, State.ATTENTION if advice else State.GOOD, unsent_sentence(name, person, unsent, since, seen),
                   advice)
