"""The hub: the one place that holds the truth, behind one short interface.

A hub is a GeoPackage file (here) or a PostGIS database; both keep the same contract, and everything above this page
knows only the contract:

* a dataset is a table of the catalogue's name with ``fid`` (integer), ``feature_id`` (UUID, given by the hub when a row
  comes without one, never changed) and ``geom`` in the hub's system;
* `Hub.write` is one transaction: all of it happens or nothing; a cancelled or failed write leaves the hub as it was;
* rows that were not taken are kept whole, with their reasons;
* the hub refuses, whoever writes, what the catalogue does not allow;
* nothing is forgotten: every change of every program is history (`history.History`).

A script or a nightly job does the same as the algorithms::

    from quyhoach.processing_algorithms.provincial_database.hub import open_hub
    from quyhoach.processing_algorithms.provincial_database.imports.hub_import import import_layer

    with open_hub("tinh.gpkg") as hub:
        print(hub.info.name, [summary.count for summary in hub.summaries()])
        report = import_layer(hub, "parcel", frame)
"""

from __future__ import annotations

import datetime
import os
from abc import abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from ..common.addresses import is_postgis_location
from ..common.errors import InputError
from ..common.language import say
from ..common.progress import Progress, silent
from .catalogue import Dataset
from .catalogue.loader import find_dataset
from .catalogue.model import Catalogue
from .history.history import History

if TYPE_CHECKING:
    import geopandas
    import pandas
    import pyproj

    from .administration.offices import Office
    from .row_filter import RowFilter


@dataclass(frozen=True)
class HubInfo:
    """What a hub says of itself. A restored hub has another ``incarnation`` than the one it was copied from."""

    name: str
    location: str
    crs: pyproj.CRS
    schema_version: int
    incarnation: str
    created_at: datetime.datetime


@dataclass(frozen=True)
class DatasetSummary:
    """One line of the list of datasets. ``extent``: x min, y min, x max, y max in the hub's system; None when empty."""

    dataset: Dataset
    count: int
    extent: tuple[float, float, float, float] | None
    changed_at: datetime.datetime | None
    imports: int
    rejected: int


@dataclass(frozen=True)
class Rejection:
    """A row that was not taken: as it came, and why."""

    source_fid: object
    reasons: tuple[str, ...]
    attributes: Mapping[str, object]
    geometry_wkb: bytes | None
    crs: str | None


@dataclass(frozen=True)
class Batch:
    """What one import writes, all together.

    Attributes
    ----------
    added : GeoDataFrame
        New rows: catalogue fields as `typed_columns` describes them, ``feature_id`` (None = the hub gives one),
        geometry in the hub's system.
    updated : GeoDataFrame
        Rows that replace present ones; index = the hub's ``fid``.
    """

    source: str
    field_mapping: Mapping[str, str]
    total: int
    added: geopandas.GeoDataFrame
    updated: geopandas.GeoDataFrame
    unchanged: int
    rejections: Sequence[Rejection]
    notes: Sequence[str] = field(default_factory=tuple)


class Hub(History):
    """The contract. Use as a context manager; `open_hub` and `hub_create.create_hub` give one."""

    info: HubInfo
    #: The datasets this hub holds, with the fields it holds of them; the program's catalogue may know more.
    datasets: Catalogue

    @abstractmethod
    def summaries(self, names: Iterable[str] | None = None, *, brief: bool = False) -> list[DatasetSummary]:
        """Describe datasets, all of them by default, in the order of the catalogue.

        A list for the eye is ``brief``: without extents, which read every row, and of what is empty without its last change.
        """

    @abstractmethod
    def count(self, dataset: Dataset) -> int:
        """Count the rows of a dataset."""

    @abstractmethod
    def read(
        self,
        dataset: Dataset,
        *,
        columns: Sequence[str] | None = None,
        where: RowFilter | None = None,
        extent: tuple[float, float, float, float] | None = None,
        progress: Progress = silent,
    ) -> geopandas.GeoDataFrame:
        """Read rows as they stand at one moment.

        Returns
        -------
        GeoDataFrame
            Index ``fid``; ``feature_id`` and the asked fields (all by default), types as in `typed_columns`; geometry
            in the hub's system. ``extent`` keeps rows whose envelope touches it.
        """

    @abstractmethod
    def write(self, dataset: Dataset, batch: Batch, *, progress: Progress = silent) -> int:
        """Write a batch and its record in one transaction; return the import's number.

        Raises
        ------
        Cancelled
            The user stopped; nothing was written.
        OutputError
            The hub refused, or is held by another program; nothing was written.
        """

    @abstractmethod
    def values(self, dataset: Dataset, column: str) -> set[object]:
        """Return the distinct values of one field, null left out."""

    @abstractmethod
    def rejections(self, import_id: int | None = None) -> pandas.DataFrame:
        """Return rejected rows of one import or of all: import_id, dataset, source_fid, reasons, attributes (JSON),
        geometry_wkb, crs."""

    @abstractmethod
    def lock(self, dataset: Dataset, value: object, reason: str) -> None:
        """Let nobody change the rows of a plan (``plan_ref``) or of an inventory year (``year``), for a reason.

        Raises
        ------
        InputError
            The dataset has neither field, or no reason is given.
        """

    @abstractmethod
    def unlock(self, dataset: Dataset, value: object, reason: str) -> bool:
        """Lift a lock, which stays on record; return whether there was one."""

    @abstractmethod
    def locks(self, dataset: Dataset) -> dict[str, str]:
        """Return the reason of every lock in force, by the plan or year it is on."""

    @abstractmethod
    def close(self) -> None:
        """Let go of the file or connection."""

    def office(self, name: str) -> Office:
        """Return a department of this hub, by short or full name, with its rights; see `offices.Office`."""
        from .administration.offices import Office

        return Office(self, name)

    def dataset(self, name: str) -> Dataset:
        """Return a dataset of this hub by name, id or label; refuse one it does not hold."""
        return find_dataset(self.datasets, name)

    def __enter__(self) -> Hub:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        self.close()


def open_hub(location: str | os.PathLike[str] | Mapping[str, str]) -> Hub:
    """Open an existing hub.

    Parameters
    ----------
    location : str, path or mapping
        Path of a GeoPackage hub, or a libpq URI or text of a PostGIS hub, without a password (see `postgis.connection`);
        or connection parameters as a mapping.

    Raises
    ------
    InputError
        There is none at that place, or it was made by a newer version.
    """
    from .geopackage.hub import GeoPackageHub

    if isinstance(location, Mapping) or is_postgis_location(location):
        from .postgis.hub import PostgisHub

        return PostgisHub(location)
    path = Path(os.fspath(location).strip())
    if path == Path():
        raise InputError(say("Chưa chọn cơ sở dữ liệu dùng chung.", "No shared database is chosen."))
    if not path.is_file():
        raise InputError(say("Không có tệp cơ sở dữ liệu dùng chung {path}. Kiểm tra đường dẫn, hoặc tạo mới bằng "
                             "quyhoach:hubcreate.",
                             "There is no shared database at {path}. Check the path, or create one with "
                             "quyhoach:hubcreate.")
                         .format(path=path))
    return GeoPackageHub(path)


def chosen_datasets(datasets: Catalogue, names: str) -> list[Dataset]:
    """Read a list of datasets separated by commas or semicolons; blank is all of them.

    Raises
    ------
    InputError
        Names that are no dataset, all told together.
    """
    chosen: dict[str, Dataset] = {}
    problems: list[str] = []
    for name in names.replace(";", ",").split(","):
        if not name.strip():
            continue
        try:
            dataset = find_dataset(datasets, name)
            chosen[dataset.id] = dataset
        except InputError as error:
            problems += error.problems
    if problems:
        raise InputError(problems)
    return [chosen[id] for id in sorted(chosen)] or list(datasets.values())
