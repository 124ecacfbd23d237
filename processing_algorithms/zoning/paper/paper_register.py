"""The register of planning-information papers, in the shared database or in a GeoPackage of its own.

A paper is registered as a draft with its snapshot; submitted, signed (number and date typed in) and replaced are entered
later. The hub's triggers keep a signed paper as it is, whoever writes. A local register is a hub that holds this one
dataset, so both work alike.
"""

from __future__ import annotations

import datetime
import getpass
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyproj
import shapely

from ...common.crs import transform_points
from ...common.errors import InputError, OutputError
from ...common.language import say
from ...common.progress import Progress, silent
from ...provincial_database.administration.hub_create import create_hub
from ...provincial_database.catalogue import Dataset, load_catalogue
from ...provincial_database.changes import Change, Changeset, Outcome, Row, Scope
from ...provincial_database.hub import Hub, open_hub
from ...provincial_database.row_filter import RowFilter, any_of
from ...provincial_database.rows import now

if TYPE_CHECKING:
    from collections.abc import Iterable

DATASET = "planning_paper"
#: Name of the local register in the folder of the papers.
LOCAL_REGISTER = "so_dang_ky_thong_tin_quy_hoach.gpkg"
#: Steps a paper may take by `take_step`; a draft may be submitted or signed at once in a small office.
STEPS = {"submitted": ("draft",), "draft": ("submitted",), "signed": ("draft", "submitted"), "replaced": ("signed",),
         "withdrawn": ("signed",)}
_CODES_AT_ONCE = 500


@dataclass(frozen=True)
class Entry:
    """One paper of the register."""

    feature_id: str
    row: Row

    @property
    def code(self) -> str:
        """The short code."""
        return str(self.row["paper_code"])

    @property
    def snapshot(self) -> str:
        """The canonical text the paper was made from."""
        return str(self.row["snapshot"] or "")

    @property
    def status(self) -> str:
        """draft, submitted, signed, replaced or withdrawn."""
        return str(self.row["status"])


def local_register(folder: Path, crs: pyproj.CRS) -> Hub:
    """Open the register in a folder; make it when there is none."""
    path = folder / LOCAL_REGISTER
    if path.exists():
        return open_hub(str(path))
    return create_hub(str(path), crs, datasets=[load_catalogue()[DATASET]],
                      name=say("Sổ đăng ký văn bản cung cấp thông tin quy hoạch",
                               "Register of planning-information papers"))


def register_dataset(hub: Hub) -> Dataset:
    """Return the register's dataset.

    Raises
    ------
    InputError
        The hub has none, or an old one without snapshots.
    """
    dataset = next((one for one in hub.datasets.values() if one.id == load_catalogue()[DATASET].id), None)
    if dataset is None or not {"snapshot", "paper_code"} <= set(dataset.field_names):
        raise InputError(say("Cơ sở dữ liệu {name} chưa có sổ đăng ký văn bản cung cấp thông tin quy hoạch đầy đủ "
                             "trường; "
                             "người quản trị cần cập nhật cấu trúc, hoặc để trống HUB để dùng sổ riêng trong thư mục.",
                             "The database {name} has no complete register of planning-information papers; its "
                             "administrator must upgrade it, or leave HUB empty to use a register in the folder.")
                         .format(name=hub.info.name))
    return dataset


def register_drafts(hub: Hub, rows: Sequence[Row], *, message: str, progress: Progress = silent) -> int:
    """Enter new papers in one transaction; return how many were new.

    A paper whose digest is registered already is that paper and is left alone.

    Parameters
    ----------
    rows : sequence of dict
        Fields of the dataset; ``geom`` is WKB in the hub's system.

    Raises
    ------
    OutputError
        The hub refused; nothing was entered.
    """
    dataset = register_dataset(hub)
    known = _known(hub, dataset, [str(row["content_digest"]) for row in rows])
    changes = []
    for row in rows:
        if row["content_digest"] in known:
            continue
        known.add(str(row["content_digest"]))
        complete = dict.fromkeys(dataset.field_names) | {name: value for name, value in row.items()
                                                         if name in dataset.field_names or name == "geom"}
        changes.append(Change(dataset.name, str(uuid.uuid4()), None, complete))
    if changes:
        _submit(hub, changes, message, progress)
    return len(changes)


def _known(hub: Hub, dataset: Dataset, digests: Sequence[str]) -> set[str]:
    found: set[str] = set()
    for start in range(0, len(digests), _CODES_AT_ONCE):
        some = list(digests[start:start + _CODES_AT_ONCE])
        found |= set(hub.read(dataset, columns=["content_digest"], where=any_of("content_digest",
                                                                                some))["content_digest"])
    return found


def find_papers(hub: Hub, *, code: str = "", number: str = "") -> list[Entry]:
    """Return the papers with a code, or with a number (any letter case), or with both.

    Raises
    ------
    InputError
        Neither is given.
    """
    dataset = register_dataset(hub)
    where: RowFilter | None = None
    if code:
        where = any_of("paper_code", [code])
    if number.strip():
        by_number = RowFilter('trim("paper_number") = ?', (number.strip(),))
        where = by_number.both(where)
    if where is None:
        raise InputError(say("Hãy cho số văn bản hoặc mã đối chiếu.", "Give the number of the paper or its short "
                                                                      "code."))
    ids = hub.read(dataset, columns=["paper_code"], where=where)["feature_id"].tolist()
    if not ids:
        return []
    scope = Scope(dataset.name, communes=frozenset(), features=frozenset(map(str, ids)))
    with hub.deliver([scope], None) as delivery:
        return [Entry(feature_id, row) for _, feature_id, row in delivery.rows if row is not None]


def take_step(
    hub: Hub, entry: Entry, state: str, *, number: str = "", date: datetime.date | None = None
) -> Entry:
    """Enter that a paper was submitted, signed, replaced or withdrawn; return it as it is now.

    Raises
    ------
    InputError
        The paper is in no state for it, or number or date of a signed paper is missing or another paper's.
    OutputError
        The hub refused.
    """
    labels = {value.code: str(value.label) for value in register_dataset(hub).field("status").domain.values}
    problems = []
    if entry.status not in STEPS.get(state, ()):
        problems.append(say("Văn bản {code} đang ở tình trạng \"{now}\", không chuyển sang \"{state}\" được.",
                            "Paper {code} is \"{now}\" and cannot become \"{state}\".").format(
            code=entry.code, now=labels.get(entry.status, entry.status), state=labels.get(state, state)))
    changes: dict[str, Any] = {"status": state}
    if state == "signed":
        if not number.strip() or date is None:
            problems.append(say("Văn bản đã ký phải có số và ngày; hãy nhập như trên văn bản.",
                                "A signed paper needs its number and date; enter them as on the paper."))
        elif any(other.row["issued_date"] == date.isoformat() for other in find_papers(hub, number=number)
                 if other.feature_id != entry.feature_id):
            problems.append(say("Số {number} ngày {date} đã dùng cho văn bản khác.",
                                "Number {number} of {date} is another paper's.").format(
                number=number.strip(), date=f"{date:%d/%m/%Y}"))
        else:
            changes |= {"paper_number": number.strip(), "issued_date": date.isoformat()}
    if problems:
        raise InputError(problems)
    after = entry.row | changes
    _submit(hub, [Change(register_dataset(hub).name, entry.feature_id, entry.row, after)],
            say("Văn bản {code}: {state}", "Paper {code}: {state}").format(code=entry.code, state=labels[state]))
    return Entry(entry.feature_id, after)


def _submit(hub: Hub, changes: Iterable[Change], message: str, progress: Progress = silent) -> None:
    receipt = hub.submit(Changeset(str(uuid.uuid4()), getpass.getuser(), "", message, "", now(), tuple(changes)),
                         progress)
    if receipt.outcome is not Outcome.APPLIED:
        reasons = sorted({objection.reason for objection in receipt.objections})[:5]
        raise OutputError(say("Sổ đăng ký từ chối, không ghi gì: {why}", "The register refused, nothing was entered: "
                                                                         "{why}")
                          .format(why=" ".join(reasons) or receipt.outcome.value))


def shape_for(hub: Hub, polygon: shapely.Geometry, crs: pyproj.CRS) -> bytes:
    """Return a parcel's shape as the register keeps it."""
    moved = shapely.transform(shapely.force_2d(polygon), lambda xy: _moved(xy, crs, hub.info.crs))
    parts = [part for part in shapely.get_parts(moved) if part.geom_type == "Polygon"]
    return shapely.to_wkb(shapely.multipolygons(parts), byte_order=1, flavor="iso")


def _moved(coordinates: Any, source: pyproj.CRS, target: pyproj.CRS) -> Any:
    import numpy as np

    return np.column_stack(transform_points(coordinates[:, 0], coordinates[:, 1], source, target))
