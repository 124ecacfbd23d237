"""The exchange as files, for offices whose only link is e-mail or a USB stick; the guarantees are those of push and pull.

A *changes file* carries the changesets a working copy has under way, and says what the copy holds and up to where it
has received. Applied at the hub, it is answered by an *update file* with the hub's receipts and all that is new for that
copy. Both are zip archives of JSON with a checksum for every part; applied twice they do what they did once.
"""

from __future__ import annotations

import datetime
import hashlib
import json
import zipfile
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import shapely

from ...common.destinations import written_whole
from ...common.errors import InputError, QuyHoachError
from ...common.language import say
from ...common.progress import Progress, silent
from ..administration.schema_growth import lacking_fields
from ..catalogue import Dataset, load_catalogue
from ..changes import (
    UUID,
    Change,
    Changeset,
    Delivery,
    ExchangingHub,
    KnowsCopies,
    Objection,
    Outcome,
    Parting,
    Position,
    Receipt,
    Row,
    Scope,
)
from ..rows import UNREADABLE, now, row_from_plain, row_to_plain
from .after_restore import delivered
from .outgoing import freeze, most_unpacked, pack_changes, pending, settle, unpack_changes
from .pull import PullReport, asked_for, receive
from .working_copy import WorkingCopy

if TYPE_CHECKING:
    from ..administration.offices import Office

_FORMAT = 1
_MANIFEST = "manifest.json"
#: Bytes a file may unpack to; more is no exchange but an attack or a mistake.
_MOST_BYTES = 4 * 1024**3


@dataclass(frozen=True)
class ChangesFile:
    """What a changes file says: who asks, what the working copy holds, up to where it has received, and its changesets."""

    working_copy_id: str
    position: Position
    scopes: tuple[Scope, ...]
    changesets: tuple[Changeset, ...]
    #: Fields, by permanent id, that its program knows and it has no column for yet.
    lacking: frozenset[str] = frozenset()
    #: A program has made a layer anew: everything has to be compared.
    compare: bool = False
    #: Changesets the hub has taken since the position, by id.
    sent: tuple[str, ...] = ()
    #: What its keeper calls the working copy.
    name: str = ""


def export_changes(
    copy: WorkingCopy, path: str | Path, *, author: str, department: str = "", message: str = "", decision_no: str = ""
) -> ChangesFile:
    """Freeze what was edited and write all changesets under way into one file; without edits it only asks for news.

    Raises
    ------
    InputError
        There are edits but no message.
    OutputError
        The file cannot be written; the frozen changeset stays under way and the next export carries it.
    """
    lost = any(copy.tracking_lost(dataset) for dataset in copy.datasets.values())
    # What was edited while nobody noticed is only known once the answer has been compared.
    if not lost and (message.strip() or any(line.edits for line in copy.status())):
        freeze(copy, author=author, department=department, message=message, decision_no=decision_no)
    lacking = frozenset(field.id for fields in lacking_fields(copy, load_catalogue()).values() for field in fields)
    content = ChangesFile(copy.id, copy.position, tuple(asked_for(copy)), tuple(pending(copy)), lacking, lost,
                          tuple(copy.sent),
                          copy.facts.get("name", copy.path.stem))
    parts = {"request.json": _json({"working_copy_id": content.working_copy_id, "position": asdict(content.position),
                                    "scopes": [_scope_to_json(scope) for scope in content.scopes],
                                    "lacking": sorted(lacking), "compare": lost, "sent": content.sent,
                                    "name": content.name,
                                    "changesets": [_header(changeset) for changeset in content.changesets]})}
    for number, changeset in enumerate(content.changesets):
        parts[f"changes-{number}.z"] = pack_changes(changeset.changes)
    _write(path, "changes", parts)
    return content


def read_changes(path: str | Path) -> ChangesFile:
    """Read a changes file; refuse one that is damaged or something else."""
    parts = _read(path, "changes")
    with _told(path):
        request = json.loads(parts["request.json"])
        changesets = tuple(
            Changeset(**{name: str(header[name]) for name in _HEADER},
                      changes=unpack_changes(parts[f"changes-{number}.z"]),
                      working_copy_id=str(request["working_copy_id"]))
            for number, header in enumerate(request["changesets"]))
        for changeset in changesets:
            _refuse_nonsense(changeset)
        return ChangesFile(str(request["working_copy_id"]), Position(**request["position"]),
                           tuple(_scope_from_json(scope) for scope in request["scopes"]), changesets,
                           frozenset(map(str, request["lacking"])), bool(request["compare"]),
                           tuple(map(str, request["sent"])),
                           str(request.get("name", "")))


def apply_changes(
    hub: ExchangingHub, path: str | Path, *, office: Office | None = None, progress: Progress = silent
) -> list[Receipt]:
    """Apply a changes file at the hub, changeset by changeset in order, each whole or not at all.

    Stops at the first that is not applied: what comes after was made on top of it. The receipts say which features stand
    in the way; they travel back in the update file. With an `offices.Office` what is beyond its rights is refused, whatever
    the rights of who applies the file.
    """
    content = read_changes(path)
    _refuse_another_hub(content.position, hub.position())
    receipts = []
    for changeset in content.changesets:
        refused = office.objections(changeset) if office is not None else []
        receipts.append(Receipt(Outcome.REFUSED, changeset.changeset_id, objections=tuple(refused)) if refused
                        else hub.submit(changeset, progress))
        if receipts[-1].outcome not in (Outcome.APPLIED, Outcome.ALREADY_APPLIED):
            break
    left = content.changesets[sum(receipt.outcome in (Outcome.APPLIED, Outcome.ALREADY_APPLIED)
                                  for receipt in receipts):]
    if isinstance(hub, KnowsCopies):
        with suppress(QuyHoachError):  # the file is applied whatever becomes of this
            hub.note_working_copy(content.working_copy_id, content.name,
                                  sum(len(changeset.changes) for changeset in left),
                                  min((changeset.made_at for changeset in left), default=None))
    return receipts


def export_update(
    hub: ExchangingHub, changes: str | Path, path: str | Path, *, office: Office | None = None,
    progress: Progress = silent
) -> list[Receipt]:
    """Apply a changes file (again, which does nothing twice) and write the answer for its working copy.

    With an `offices.Office` the answer has the communes and datasets it may read, whatever the file asks for.
    """
    content = read_changes(changes)
    receipts = apply_changes(hub, changes, office=office, progress=progress)
    scopes = list(content.scopes) if office is None else office.narrowed(content.scopes)
    fields = {dataset.id: [field.id for field in dataset.fields] for dataset in hub.datasets.values()}
    grown = any(id in content.lacking for ids in fields.values() for id in ids)
    with delivered(hub, scopes, content.position, content.sent, whole=grown or content.compare,
                   progress=progress) as delivery:
        rows = "\n".join(json.dumps([name, feature_id, row_to_plain(row)], ensure_ascii=False)
                         for name, feature_id, row in delivery.rows)
        answer = {"working_copy_id": content.working_copy_id, "since": asdict(content.position),
                  "position": asdict(delivery.position),
                  "sent": list(content.sent),
                  "whole": delivery.whole, "fields": fields,
                  "scopes": [_scope_to_json(scope) for scope in content.scopes],
                  "parting": None if delivery.parting is None else delivery.parting.known,
                  "receipts": [_receipt_to_json(receipt) for receipt in receipts]}
        changed = delivery.parting.changed.items() if delivery.parting else ()
        then = "\n".join(json.dumps([*key, row_to_plain(row)], ensure_ascii=False)
                         for key, row in changed)
    _write(
        path,
        "update",
        {"answer.json": _json(answer), "rows.jsonl": rows.encode("utf-8"), "parting.jsonl": then.encode("utf-8")},
    )
    return receipts


def import_update(copy: WorkingCopy, path: str | Path, *, progress: Progress = silent) -> PullReport:
    """Receive an update file into the working copy it was made for.

    Raises
    ------
    InputError
        It is for another working copy, or for another state of this one: then export a changes file again. Nothing changes.
    """
    parts = _read(path, "update")
    with _told(path):
        answer = json.loads(parts["answer.json"])
        since, position = Position(**answer["since"]), Position(**answer["position"])
        receipts = [_receipt_from_json(receipt) for receipt in answer["receipts"]]
        told = {*map(str, answer["sent"]), *(receipt.changeset_id for receipt in receipts)}
        scopes = [_scope_from_json(scope) for scope in answer["scopes"]]
        known = _cut(answer["fields"])
        rows, then = ([_row_line(line) for line in parts[name].decode("utf-8").split("\n") if line]
                      for name in ("rows.jsonl", "parting.jsonl"))
        parting = (
            None
            if answer["parting"] is None
            else Parting(bool(answer["parting"]), {(name, id): row for name, id, row in then})
        )
    if answer["working_copy_id"] != copy.id:
        raise InputError(
            say(
                "Tệp cập nhật {path} dành cho bản dữ liệu làm việc khác.",
                "The update file {path} is for another working copy.",
            ).format(path=path)
        )
    if position == copy.position != since:
        return PullReport(receipts=receipts)  # received already
    if not told.issuperset(copy.sent):
        # What has been sent since lies in this copy as untouched rows; the answer's hub, perhaps restored, may lack it.
        raise InputError(say("Bản dữ liệu làm việc đã gửi cập nhật khác kể từ khi xuất tệp thay đổi; hãy nhận cập nhật qua mạng, hoặc xuất tệp thay đổi mới và xin tệp "
                             "cập nhật mới.",
                             "The working copy has sent other changes since its changes file was exported; pull over the network, or export a new file and ask for a new "
                             "update file."))
    if {replace(scope, features=frozenset()) for scope in scopes} != set(copy.scopes()):
        # What has been added since is not among the rows, and would be missed for good.
        raise InputError(say("Phạm vi của bản dữ liệu làm việc đã thay đổi kể từ khi xuất tệp thay đổi; hãy xuất tệp thay đổi mới và xin tệp cập nhật mới.",
                             "The working copy holds more or less than when its changes file was exported; export a new one and ask for a new update "
                             "file."))
    if since != copy.position:
        raise InputError(say("Bản dữ liệu làm việc đã nhận cập nhật khác kể từ khi xuất tệp thay đổi; hãy xuất tệp thay đổi mới và xin tệp cập nhật mới.",
                             "The working copy has received other updates since its changes file was exported; export a new one and ask for a new "
                             "update file."))
    report = PullReport(receipts=receipts)
    for receipt in receipts:
        settle(copy, receipt)
    lost = [dataset for dataset in copy.datasets.values() if copy.tracking_lost(dataset)]
    if lost and not answer["whole"]:
        raise InputError(say("Lớp {names} đã bị chương trình khác tạo lại; hãy xuất tệp thay đổi mới, tệp cập nhật sẽ so sánh toàn bộ.",
                             "Layers {names} were made anew by another program; export a new changes file, its answer compares everything.")
                         .format(names=", ".join(str(dataset.label) for dataset in lost)))
    return receive(copy, Delivery(position, bool(answer["whole"]), iter(rows), parting=parting), scopes, known=known,
                   lost=lost, report=report, progress=progress)


# the file -------------------------------------------------------------------------------------------------------------

_HEADER = ("changeset_id", "author", "department", "message", "decision_no", "made_at")


def _refuse_nonsense(changeset: Changeset) -> None:
    """Raise ValueError for what no program of ours writes: identities that are none, shapes that cannot be read."""
    changes = changeset.changes
    datetime.datetime.fromisoformat(changeset.made_at)
    if not UUID.fullmatch(changeset.changeset_id) or any("\0" in getattr(changeset, name) for name in _HEADER):
        raise ValueError("header")
    if not all(isinstance(change.dataset, str) and isinstance(change.feature_id, str)
               and UUID.fullmatch(change.feature_id)
               for change in changes):
        raise ValueError("identity")
    shapes = [value for change in changes for row in (change.before, change.after) if row for value in row.values()
              if isinstance(value, bytes)]
    try:
        shapely.from_wkb(shapes)
    except UNREADABLE as error:
        raise ValueError("shape") from error


def _header(changeset: Changeset) -> dict[str, str]:
    return {name: getattr(changeset, name) for name in _HEADER}


def _scope_to_json(scope: Scope) -> dict[str, object]:
    return {"dataset": scope.dataset, "communes": None if scope.communes is None else sorted(scope.communes),
            "polygon": None if scope.polygon is None else scope.polygon.hex(), "features": sorted(scope.features)}


def _scope_from_json(plain: dict[str, object]) -> Scope:
    communes, polygon = plain["communes"], plain["polygon"]
    return Scope(str(plain["dataset"]),
                 None if communes is None else frozenset(map(str, communes)),  # type: ignore[call-overload]
                 None if polygon is None else bytes.fromhex(str(polygon)),
                 frozenset(map(str, plain["features"])))  # type: ignore[call-overload]


def _cut(fields: dict[str, list[str]]) -> dict[str, Dataset]:
    """The hub's datasets, as far as this program knows their fields."""
    return {dataset.name: replace(dataset,
                                  fields=tuple(field for field in dataset.fields if field.id in fields[dataset.id]))
            for dataset in load_catalogue().values() if dataset.id in fields}


def _receipt_to_json(receipt: Receipt) -> dict[str, object]:
    return {"outcome": receipt.outcome.value, "changeset_id": receipt.changeset_id, "number": receipt.number,
            "objections": [asdict(objection) for objection in receipt.objections],
            "rewritten": [[c.dataset, c.feature_id, row_to_plain(c.before), row_to_plain(c.after)]
                          for c in receipt.rewritten]}


def _receipt_from_json(plain: dict) -> Receipt:
    return Receipt(Outcome(plain["outcome"]), plain["changeset_id"], plain["number"],
                   tuple(Objection(**o) for o in plain["objections"]),
                   tuple(Change(dataset, feature_id, row_from_plain(before), row_from_plain(after))
                         for dataset, feature_id, before, after in plain["rewritten"]))


def _row_line(line: str) -> tuple[str, str, Row | None]:
    dataset, feature_id, row = json.loads(line)
    return str(dataset), str(feature_id), row_from_plain(row)


def _json(plain: object) -> bytes:
    return json.dumps(plain, ensure_ascii=False, indent=1).encode("utf-8")


def _write(path: str | Path, kind: str, parts: dict[str, bytes]) -> None:
    manifest = {"quyhoach": kind, "format": _FORMAT, "made_at": now(),
                "sha256": {name: hashlib.sha256(data).hexdigest() for name, data in parts.items()}}
    with written_whole(path) as target, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(_MANIFEST, _json(manifest))
        for name, data in parts.items():
            archive.writestr(name, data)


def _read(path: str | Path, kind: str) -> dict[str, bytes]:
    """Return the parts of a file of this kind, all checked against their checksums."""
    if not Path(path).is_file():
        raise InputError(say("Không có tệp {path}.", "There is no file {path}.").format(path=path))
    with _told(path), zipfile.ZipFile(path) as archive:
        sizes = [(member.file_size, member.compress_size) for member in archive.infolist()]
        if sum(size for size, _ in sizes) > _MOST_BYTES or any(size > most_unpacked(packed) for size, packed in sizes):
            raise ValueError("too large")
        manifest = json.loads(archive.read(_MANIFEST))
        if manifest.get("quyhoach") != kind:
            raise InputError(
                say("{path} không phải là tệp {kind} của QuyHoach.", "{path} is not a {kind} file of QuyHoach.").format(
                    path=path, kind={"changes": say("thay đổi", "changes"), "update": say("cập nhật", "update")}[kind]
                )
            )
        if manifest.get("format") != _FORMAT:
            raise InputError(say("{path} được tạo bằng phiên bản QuyHoach khác; hãy cập nhật QuyHoach.",
                                 "{path} was made by another version of QuyHoach; update QuyHoach.").format(path=path))
        parts = {name: archive.read(name) for name in manifest["sha256"]}
        for name, data in parts.items():
            if hashlib.sha256(data).hexdigest() != manifest["sha256"][name]:
                raise ValueError(name)
    return parts


class _told:
    """Turn whatever reading a damaged file raises into one sentence."""

    def __init__(self, path: str | Path):
        self.path = path

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        damaged = (zipfile.BadZipFile, ValueError, KeyError, TypeError, EOFError, OSError, NotImplementedError,
                   zipfile.LargeZipFile, RecursionError)
        zlib_error = kind is not None and kind.__module__ == "zlib"
        if zlib_error or isinstance(error, damaged) and not isinstance(error, InputError):
            raise InputError(say("Tệp {path} bị hỏng hoặc đã bị sửa; hãy yêu cầu gửi lại.", "The file {path} is damaged or was altered; ask for it again.")
                             .format(path=self.path)) from error


def _refuse_another_hub(theirs: Position, ours: Position) -> None:
    if theirs.hub_id != ours.hub_id:
        raise InputError(
            say(
                "Tệp thay đổi thuộc về một cơ sở dữ liệu dùng chung khác.",
                "The changes file belongs to another shared database.",
            )
        )
