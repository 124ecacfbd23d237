"""Making a working copy (tải dữ liệu về máy) from one consistent read of the hub."""

from __future__ import annotations

import json
import sqlite3
import uuid
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from pathlib import Path

import pyproj

from ...common.destinations import new_file
from ...common.errors import InputError
from ...common.language import say
from ...common.progress import Progress, silent
from ..catalogue import Dataset
from ..catalogue.model import FEATURE_ID
from ..changes import Delivery, ExchangingHub, Scope
from ..geopackage.file import add_dataset, add_form, begin_file, numbered_statements
from ..geopackage.index import fill_index
from ..geopackage.schema import quoted
from ..rows import now
from .incoming_rows import batches
from .known_copies import tell_hub
from .working_copy import FORMAT, WorkingCopy
from .working_copy_schema import copy_index_statements, copy_table_statements, copy_trigger_statements

_SQL = Path(__file__).parents[1] / "sql" / "working_copy"


def checkout(
    path: str | Path,
    hub: ExchangingHub,
    *,
    location: str,
    crs: pyproj.CRS,
    datasets: Sequence[Dataset],
    scopes: Sequence[Scope],
    name: str = "",
    forms: Mapping[str, str] | None = None,
    progress: Progress = silent,
) -> WorkingCopy:
    """Make a working copy from one consistent read of the hub, and open it.

    Parameters
    ----------
    path : path
        Of the new GeoPackage; an existing file is never touched.
    hub : ExchangingHub
    location : str
        Where the hub is, to be found again at pull and push; without a password.
    crs : pyproj.CRS
        The hub's.
    datasets : sequence of Dataset
        As the hub holds them.
    scopes : sequence of Scope
        One per dataset to check out.
    forms : mapping, optional
        QGIS style (QML) by dataset name.

    Raises
    ------
    OutputError
        Something is at that place already, or it cannot be written; nothing is left half done.
    """
    target = Path(path)
    if target.suffix.lower() != ".gpkg":
        raise InputError(say("Tên tệp bản dữ liệu làm việc phải kết thúc bằng .gpkg: {path}.", "A working copy's file name ends in .gpkg: {path}.")
                         .format(path=target))
    taken = say("{path} đã có; tải dữ liệu về máy không ghi đè tệp nào. Hãy đặt tên khác, hoặc nhận cập nhật vào bản "
                "đang có.",
                "{path} exists; a checkout never overwrites anything. Choose another name, or pull into the one you "
                "have.").format(path=target)
    with (new_file(target, taken) as draft, closing(sqlite3.connect(draft, isolation_level=None)) as database,
          hub.deliver(scopes, None, progress) as delivery):
        # The draft is nobody's until it is renamed, so nothing of it need survive a crash.
        database.execute("PRAGMA journal_mode = OFF")
        database.execute("PRAGMA synchronous = OFF")
        database.execute("PRAGMA cache_size = -262144")
        database.execute("PRAGMA locking_mode = EXCLUSIVE")
        srs_id = begin_file(database, crs)
        for statement in numbered_statements(_SQL, 0, FORMAT):
            database.execute(statement)
        _note(database, delivery, location, name or target.stem, srs_id)
        chosen = [dataset for dataset in datasets if dataset.name in {scope.dataset for scope in scopes}]
        for dataset in chosen:
            add_tables(database, dataset, srs_id, crs, (forms or {}).get(dataset.name))
        add_scopes(database, chosen, scopes)
        _fill(database, {dataset.name: dataset for dataset in chosen}, delivery, srs_id, progress)
        for dataset in chosen:
            progress(0.9, str(dataset.label))
            for statement in copy_index_statements(dataset):
                database.execute(statement)
            finish(database, dataset)
        database.execute("COMMIT")
        database.execute("PRAGMA synchronous = FULL")
    copy = WorkingCopy(target)
    tell_hub(copy, hub)
    return copy


def _note(database: sqlite3.Connection, delivery: Delivery, location: str, name: str, srs_id: int) -> None:
    at, moment = delivery.position, now()
    facts = {"format": str(FORMAT), "working_copy_id": str(uuid.uuid4()), "name": name, "hub": location,
             "hub_id": at.hub_id,
             "incarnation": at.incarnation, "token": at.token, "srs_id": str(srs_id), "checked_out_at": moment,
             "pulled_at": moment}
    database.executemany("INSERT INTO quyhoach_working_copy VALUES (?, ?)", facts.items())


def add_tables(database: sqlite3.Connection, dataset: Dataset, srs_id: int, crs: pyproj.CRS, form: str | None) -> None:
    """Make the tables of a dataset and describe them; indexes and triggers come when the rows are in."""
    for statement in copy_table_statements(dataset):
        database.execute(statement)
    add_dataset(database, dataset, srs_id, crs)
    if form:
        add_form(database, dataset, form)


def add_scopes(database: sqlite3.Connection, datasets: Iterable[Dataset], scopes: Iterable[Scope]) -> None:
    """Note what is held of each dataset."""
    ids = {dataset.name: dataset.id for dataset in datasets}
    database.executemany("INSERT INTO quyhoach_scope VALUES (?, ?, ?)", [
        (ids[scope.dataset], None if scope.communes is None else json.dumps(sorted(scope.communes)), scope.polygon)
        for scope in scopes if scope.dataset in ids])


def finish(database: sqlite3.Connection, dataset: Dataset) -> None:
    """Fill the spatial index in one go, then put the triggers on."""
    if dataset.geometry:
        fill_index(database, dataset)
    for statement in copy_trigger_statements(dataset).values():
        database.execute(statement)


def _fill(
    database: sqlite3.Connection, datasets: Mapping[str, Dataset], delivery: Delivery, srs_id: int, progress: Progress
) -> None:
    count = 0
    for batch in batches(delivery, datasets, srs_id):
        names = (FEATURE_ID, *batch.columns)
        database.executemany(
            f"INSERT INTO {quoted(batch.dataset)} ({', '.join(map(quoted, names))}) VALUES ({', '.join('?' * len(names))})",
            batch.rows)
        count += len(batch.rows)
        progress(0.5, f"{datasets[batch.dataset].label}: {count}")
