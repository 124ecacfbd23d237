"""A working copy that grows and shrinks (mở rộng, thu hẹp bản dữ liệu làm việc) without losing local edits.

First it pulls; then, in one transaction, what is added comes in by a merge like any other rows, and what leaves is
deleted here. A feature with edits not sent yet never leaves: then nothing changes, and the features are named.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

import pyproj

from ...common.errors import InputError, name_some, refuse_if
from ...common.language import say
from ...common.progress import Progress, silent
from ..catalogue import Dataset
from ..catalogue.model import FEATURE_ID, GEOMETRY
from ..changes import Delivery, ExchangingHub, Scope
from ..geopackage.schema import quoted
from .checkout import add_scopes, add_tables, finish
from .pull import PullReport, merge_delivery, pull
from .scopes import covers, outside
from .working_copy import WorkingCopy
from .working_copy_schema import base_table, copy_index_statements


@dataclass
class ScopeReport:
    """What changed: counts of features, and names of datasets."""

    added: int = 0
    removed: int = 0
    datasets_added: list[str] = field(default_factory=list)
    datasets_removed: list[str] = field(default_factory=list)
    pulled: PullReport = field(default_factory=PullReport)


def change_scope(
    copy: WorkingCopy,
    hub: ExchangingHub,
    wanted: Sequence[Scope],
    *,
    crs: pyproj.CRS,
    forms: Mapping[str, str] | None = None,
    progress: Progress = silent,
) -> ScopeReport:
    """Make a working copy hold exactly some scopes.

    Parameters
    ----------
    copy : WorkingCopy
    hub : ExchangingHub
        The one it came from.
    wanted : sequence of Scope
        One for each dataset it shall hold; `scopes.enlarged` and `scopes.reduced` make them from `WorkingCopy.scopes`.
    crs : pyproj.CRS
        The hub's.
    forms : mapping, optional
        QGIS style (QML) by dataset name, for datasets that are new.

    Raises
    ------
    InputError
        Features about to leave have edits not sent yet, or are in conflict; nothing has changed but that it has pulled.
    OutputError
        Another program holds the working copy.
    """
    if not wanted:
        raise InputError(say("Bản dữ liệu làm việc phải còn ít nhất một tập dữ liệu.",
                             "A working copy has to keep at least one dataset."))
    held = {scope.dataset: scope for scope in copy.scopes()}
    # Told before the long pull, and again below, where nobody can edit meanwhile.
    _refuse_losses(copy, held, wanted)
    report = ScopeReport(pulled=pull(copy, hub, progress=progress))
    more = [added for scope in wanted if (added := _added(held.get(scope.dataset), scope)) is not None]
    with hub.deliver(more, None, progress) as delivery, copy.applying("scope"):
        if delivery.position.incarnation != copy.position.incarnation:
            raise InputError(say("Cơ sở dữ liệu dùng chung vừa được khôi phục; hãy chạy lại.",
                                 "The shared database was restored just now; run again."))
        _refuse_losses(copy, held, wanted)
        _leave(copy, held, wanted, report)
        before = _count(copy)
        _come(copy, hub, delivery, wanted, held, crs, forms or {}, progress)
        report.added = _count(copy) - before
        report.datasets_added = [scope.dataset for scope in wanted if scope.dataset not in held]
    # The position stays that of the pull: what was handed over later comes once more with the next, and changes nothing.
    return report


def _added(old: Scope | None, new: Scope) -> Scope | None:
    """What of a new scope is not here yet; None when it is all here."""
    if old is not None and covers(old, new):
        return None
    if old is not None and old.communes is not None and new.communes is not None:
        return Scope(new.dataset, new.communes - old.communes)
    return new


def _refuse_losses(copy: WorkingCopy, held: Mapping[str, Scope], wanted: Sequence[Scope]) -> None:
    """Refuse when a feature with edits not sent yet, or in conflict, would leave."""
    after = {scope.dataset: scope for scope in wanted}
    problems = []
    for name, scope in held.items():
        dataset = copy.datasets[name]
        stays = after.get(name)
        if stays is not None and covers(stays, scope):
            continue
        if copy.tracking_lost(dataset):
            problems.append(say("Lớp {dataset} đã bị chương trình khác tạo lại; hãy nhận cập nhật trước.",
                                "Layer {dataset} was made anew by another program; pull first.")
                            .format(dataset=dataset.label))
            continue
        ids = _edits_leaving(copy, dataset, stays)
        if ids:
            problems.append(say("{dataset}: {n} đối tượng có chỉnh sửa chưa gửi hoặc xung đột chưa xử lý sẽ bị bỏ khỏi bản "
                                "dữ liệu làm việc ({ids}); hãy gửi cập nhật trước.",
                                "{dataset}: {n} features with edits not sent or conflicts not resolved would leave the "
                                "working copy ({ids}); push first.")
                            .format(dataset=dataset.label, n=len(ids), ids=name_some(ids)))
    refuse_if(problems)


def _edits_leaving(copy: WorkingCopy, dataset: Dataset, stays: Scope | None) -> list[str]:
    edited = {change.feature_id for change in copy.edits(dataset)}
    edited |= {row[0] for row in copy.database.execute(
        "SELECT feature_id FROM quyhoach_conflict WHERE dataset_id = ?", (dataset.id,))}
    if stays is None or not edited:
        return sorted(edited)
    # Where the hub has it counts; a feature that is new here is where it is drawn.
    at_hub = outside(copy, dataset, stays, base_table(dataset), "existed = 1")
    known = {row[0] for row in copy.database.execute(
        f"SELECT {FEATURE_ID} FROM {quoted(base_table(dataset))} WHERE existed = 1")}
    return sorted(edited & (at_hub | (outside(copy, dataset, stays, dataset.name, "1") - known)))


def _leave(copy: WorkingCopy, held: Mapping[str, Scope], wanted: Sequence[Scope], report: ScopeReport) -> None:
    after = {scope.dataset: scope for scope in wanted}
    for name, scope in held.items():
        dataset = copy.datasets[name]
        stays = after.get(name)
        if stays is None:
            report.removed += int(copy.database.execute(f"SELECT count(*) FROM {quoted(name)}").fetchone()[0])
            report.datasets_removed.append(name)
            _drop(copy, dataset)
        elif not covers(stays, scope):
            touched = copy.edited_ids(dataset)
            leaving = outside(copy, dataset, stays, name, "1") - touched
            copy.database.executemany(f"DELETE FROM {quoted(name)} WHERE {FEATURE_ID} = ?", ((id,) for id in leaving))
            report.removed += len(leaving)
    copy.read_datasets()


def _drop(copy: WorkingCopy, dataset: Dataset) -> None:
    """Take a dataset out of the file, with all that describes it."""
    database, name = copy.database, dataset.name
    if dataset.geometry:
        database.execute(f"DROP TABLE IF EXISTS {quoted(f'rtree_{name}_{GEOMETRY}')}")
    for table in (name, base_table(dataset)):
        database.execute(f"DROP TABLE {quoted(table)}")
    numbers = [row[0] for row in database.execute("SELECT md_file_id FROM gpkg_metadata_reference WHERE table_name = ?", (name,))]
    database.execute("DELETE FROM layer_styles WHERE f_table_name = ?", (name,))
    for table in ("gpkg_metadata_reference", "gpkg_data_columns", "gpkg_ogr_contents", "gpkg_extensions",
                  "gpkg_geometry_columns", "gpkg_contents"):
        database.execute(f"DELETE FROM {table} WHERE table_name = ?", (name,))
    database.executemany("DELETE FROM gpkg_metadata WHERE id = ?", ((number,) for number in numbers))
    for table in ("quyhoach_scope", "quyhoach_parent", "quyhoach_replaced", "quyhoach_field", "quyhoach_dataset"):
        database.execute(f"DELETE FROM {table} WHERE dataset_id = ?", (dataset.id,))


def _come(
    copy: WorkingCopy, hub: ExchangingHub, delivery: Delivery, wanted: Sequence[Scope], held: Collection[str],
    crs: pyproj.CRS, forms: Mapping[str, str], progress: Progress
) -> None:
    new = [hub.datasets[scope.dataset] for scope in wanted if scope.dataset not in held]
    for dataset in new:
        add_tables(copy.database, dataset, copy.srs_id, crs, forms.get(dataset.name))
        for statement in copy_index_statements(dataset):
            copy.database.execute(statement)
    copy.database.execute("DELETE FROM quyhoach_scope")
    copy.read_datasets()
    add_scopes(copy.database, copy.datasets.values(), wanted)
    merge_delivery(copy, delivery, [], lost=(), report=PullReport(), progress=progress)
    for dataset in new:
        finish(copy.database, dataset)


def _count(copy: WorkingCopy) -> int:
    return sum(int(copy.database.execute(f"SELECT count(*) FROM {quoted(name)}").fetchone()[0])
               for name in copy.datasets)
