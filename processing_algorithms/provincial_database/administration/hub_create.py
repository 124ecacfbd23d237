"""A new, empty hub made from the catalogue: a GeoPackage file, or in a PostGIS database (`postgis.create`)."""

from __future__ import annotations

import datetime
import os
import sqlite3
import uuid
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path

import pyproj

from ...common.addresses import is_postgis_location
from ...common.crs import require_metric
from ...common.destinations import new_file
from ...common.errors import InputError
from ...common.language import say
from ...common.progress import Progress, silent
from ..catalogue import Dataset, load_catalogue
from ..geopackage.file import add_dataset, add_form, begin_file, numbered_statements
from ..geopackage.ledger import hub_trigger_statements, ledger_table_statements
from ..geopackage.schema import table_statements
from ..geopackage.upgrade import SCHEMA_VERSION, SQL_FOLDER
from ..hub import Hub, open_hub


def create_hub(
    location: str | os.PathLike[str] | Mapping[str, str],
    crs: pyproj.CRS | str,
    *,
    datasets: Sequence[Dataset] | None = None,
    name: str = "",
    forms: Mapping[str, str] | None = None,
    progress: Progress = silent,
) -> Hub:
    """Create a hub and open it.

    Parameters
    ----------
    location : str, path or mapping
        Path of the new GeoPackage; an existing file is never touched. Or an existing database without a hub, as for
        `hub.open_hub`; what is in it stays as it is.
    crs : pyproj.CRS or what it reads
        System of all datasets: in metres, VN-2000 with the province's meridian as a rule.
    datasets : sequence of Dataset, optional
        All of the catalogue by default.
    name : str
        What people call it, such as the province's name.
    forms : mapping, optional
        QGIS style (QML) by dataset name, applied by QGIS when it opens the dataset.

    Raises
    ------
    InputError
        The system is in degrees or other units than metres.
    OutputError
        Something is at that place already, or it cannot be written.
    """
    if isinstance(location, Mapping) or is_postgis_location(location):
        from ..postgis.create import create_postgis_hub

        return create_postgis_hub(location, crs, datasets=datasets, name=name, forms=forms, progress=progress)
    target = Path(location)
    system = pyproj.CRS.from_user_input(crs)
    require_metric(system, say("Cơ sở dữ liệu dùng chung", "The shared database"))
    if target.suffix.lower() != ".gpkg":
        raise InputError(say("Tên tệp cơ sở dữ liệu dùng chung phải kết thúc bằng .gpkg: {path}.",
                             "A shared database's file name ends in .gpkg: {path}.")
                         .format(path=target))
    chosen = list(load_catalogue().values()) if datasets is None else list(datasets)
    taken = say("{path} đã có; cơ sở dữ liệu dùng chung không bao giờ được ghi đè. Hãy đặt tên khác.",
                "{path} exists; a shared database never overwrites anything. Choose another name.").format(path=target)
    with new_file(target, taken) as draft, closing(sqlite3.connect(draft, isolation_level=None)) as database:
        _build(database, system, chosen, name or target.stem, forms or {}, progress)
    return open_hub(str(target))


def _build(
    database: sqlite3.Connection, crs: pyproj.CRS, datasets: Sequence[Dataset], name: str, forms: Mapping[str, str],
    progress: Progress
) -> None:
    srs_id = begin_file(database, crs)
    for statement in numbered_statements(SQL_FOLDER, 0, SCHEMA_VERSION):
        database.execute(statement)
    now = datetime.datetime.now(datetime.UTC).isoformat(timespec="milliseconds")
    database.executemany("INSERT INTO quyhoach_hub VALUES (?, ?)", [
        ("schema_version", str(SCHEMA_VERSION)), ("hub_id", str(uuid.uuid4())), ("incarnation", str(uuid.uuid4())),
        ("name", name),
        ("created_at", now), ("srs_id", str(srs_id))])
    for position, dataset in enumerate(datasets):
        progress(position / len(datasets), str(dataset.label))
        for statement in table_statements(dataset):
            database.execute(statement)
        add_dataset(database, dataset, srs_id, crs)
        for statement in ledger_table_statements(dataset):
            database.execute(statement)
        for statement in hub_trigger_statements(dataset).values():
            database.execute(statement)
        if dataset.name in forms:
            add_form(database, dataset, forms[dataset.name])
    database.execute("COMMIT")
