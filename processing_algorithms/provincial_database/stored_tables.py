"""What layers a place holds: a GeoPackage of any origin (hub, working copy, the sample town) or a PostGIS hub.

A table is known by the dataset it carries: its own name, the name a hub or working copy gave it, or a name with a year
behind it (``land_use_2025``). Tables of no dataset are layers too. In what order layers lie and from which scale they are
drawn is said here, once.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

from ..common.addresses import is_postgis_location
from ..common.errors import InputError, refuse_if
from ..common.language import say
from .catalogue import Catalogue, Dataset, load_catalogue
from .geopackage.schema import quoted

#: From the top of the map down: what lies above hides what lies below.
_ORDER = (
    "field_report", "shelter", "gauge", "flood_mark", "facility", "hamlet", "administrative_unit", "dyke", "road",
    "river_axis", "plan", "planning_paper", "constraint_overlay", "parcel_override", "landslide_zone", "flood_zone",
    "building", "river", "parcel", "zone", "land_use_plan", "land_use")
#: Denominator of the smallest scale at which a dataset is drawn: below it the map would be a blot and slow.
_SMALLEST_SCALE = {"parcel": 25_000, "parcel_override": 25_000, "building": 25_000, "planning_paper": 25_000,
                   "zone": 100_000,
                   "facility": 100_000, "field_report": 200_000}
#: Layers the algorithms read that are no dataset of the catalogue: label and the room they lie with.
_OTHERS = {"river_axis": (("Tim sông", "River axes"), "disaster"), "dyke": (("Đê", "Dykes"), "disaster")}
#: Switched off at first where there is much else: they lie over, or under, what is looked at daily.
_OFF = ("flood_zone", "landslide_zone", "land_use_plan", "planning_paper")
_MUCH = 6
_ADMINISTRATION = "provincial_database"


@dataclass(frozen=True)
class StoredTable:
    """One table with shapes; ``dataset`` is None where the catalogue knows nothing like it."""

    name: str
    label: str
    room: str
    dataset: Dataset | None
    #: Denominator; None is any scale.
    smallest_scale: int | None
    year: str = ""
    #: Whether it is switched on at first.
    visible: bool = True

    @property
    def place(self) -> tuple[int, str]:
        """What to sort by, uppermost first."""
        kind = _kind(self)
        return (_ORDER.index(kind) if kind in _ORDER else len(_ORDER), self.name)


def stored_tables(location: str | Mapping[str, str], names: str = "") -> list[StoredTable]:
    """List the layers of a place, the uppermost of the map first.

    Parameters
    ----------
    location : str or mapping
        Path of a GeoPackage; address or connection parameters of a PostGIS hub.
    names : str
        Tables or datasets by name, id or label, separated by commas; blank is all.

    Raises
    ------
    InputError
        No GeoPackage, no layers, or names that are none of them, all told together.
    """
    if isinstance(location, Mapping) or is_postgis_location(location):
        from .hub import open_hub

        with open_hub(location) as hub:
            tables = [_of_dataset(dataset.name, dataset) for dataset in hub.datasets.values() if dataset.geometry]
        place = say("cơ sở dữ liệu dùng chung", "the shared database")
    else:
        tables, place = _of_file(Path(location.strip())), location
    if not tables:
        raise InputError(say("{place} không có lớp dữ liệu nào.", "{place} holds no layers.").format(place=place))
    chosen = sorted(_chosen(tables, names), key=lambda table: table.place)
    newest = max((table.year for table in chosen), default="")
    kinds = {table.dataset.name for table in chosen if table.dataset is not None}
    # Under zones, land use would only mix its labels with theirs.
    off = {*_OFF, "land_use"} if "zone" in kinds else set(_OFF)
    return [replace(table, visible=table.year in ("", newest) and not (len(chosen) >= _MUCH and _kind(table) in off))
            for table in chosen]


def count_codes(path: str, fields: Mapping[str, str]) -> dict[str, dict[str, int]]:
    """Count the features of a GeoPackage's tables by the values of one field each, empty ones under "".

    Parameters
    ----------
    path : str
        A GeoPackage.
    fields : mapping
        Table -> field.
    """
    with closing(sqlite3.connect(f"{Path(path).resolve().as_uri()}?mode=ro", uri=True)) as database:
        return {table: {str(value): count for value, count in database.execute(
            f"SELECT coalesce({quoted(field)}, ''), count(*) FROM {quoted(table)} GROUP BY 1")} for table, field in fields.items()}


def _kind(table: StoredTable) -> str:
    return table.dataset.name if table.dataset is not None else table.name


def _of_file(path: Path) -> list[StoredTable]:
    if not path.is_file():
        raise InputError(
            say("Không có tệp {path}. Kiểm tra đường dẫn.", "There is no file {path}. Check the path.").format(
                path=path
            )
        )
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as database:
            names = [name for (name,) in database.execute(
                "SELECT table_name FROM gpkg_contents JOIN gpkg_geometry_columns USING (table_name) WHERE data_type = 'features'")]
            columns = {name: {row[1] for row in database.execute(f"PRAGMA table_info({quoted(name)})")}
                       for name in names}
            held = _held(database)
    except sqlite3.DatabaseError as error:
        raise InputError(say("{path} không phải là tệp GeoPackage đọc được.", "{path} is no readable GeoPackage.")
                         .format(path=path)) from error
    by_name = held or load_catalogue()
    tables = []
    for name in names:
        if name.startswith(("quyhoach_", "gpkg_", "rtree_")):
            continue
        dataset, year = _dataset_of(name, columns[name], by_name)
        tables.append(_of_dataset(name, dataset, year) if dataset else _of_none(name))
    return tables


def _held(database: sqlite3.Connection) -> Catalogue | None:
    """The catalogue by the names a hub or working copy gave its tables; None in any other file."""
    try:
        tables = dict(database.execute("SELECT dataset_id, table_name FROM quyhoach_dataset"))
        columns = dict(database.execute("SELECT field_id, column_name FROM quyhoach_field"))
    except sqlite3.OperationalError:
        return None
    return load_catalogue().held(tables, columns)


def _dataset_of(table: str, columns: set[str], known: Catalogue) -> tuple[Dataset | None, str]:
    matched = re.fullmatch(r"(.+?)_(\d{4})", table)
    for name, year in ((table, ""), matched.groups() if matched else ("", "")):
        dataset = known.get(name)
        # Another program's table may bear the same name: it is ours when its titles can be read.
        if dataset is not None and {dataset.title_field, *dataset.key} <= columns:
            return dataset, year
    return None, ""


def _of_dataset(name: str, dataset: Dataset, year: str = "") -> StoredTable:
    label = f"{dataset.label} {year}".strip()
    return StoredTable(name, label, dataset.room, dataset, _SMALLEST_SCALE.get(dataset.name), year)


def _of_none(name: str) -> StoredTable:
    label, room = _OTHERS.get(name, ((name, name), _ADMINISTRATION))
    return StoredTable(name, say(*label), room, None, None)


def _chosen(tables: list[StoredTable], names: str) -> list[StoredTable]:
    wanted = [word.strip() for word in re.split("[,;]", names) if word.strip()]
    if not wanted:
        return tables
    chosen: dict[str, StoredTable] = {}
    problems = []
    for word in wanted:
        found = [table for table in tables if word.casefold() in _names_of(table)]
        chosen |= {table.name: table for table in found}
        if not found:
            problems.append(
                say(
                    'Không có lớp "{word}"; các lớp hiện có: {names}.',
                    'There is no layer "{word}"; the layers are: {names}.',
                ).format(word=word, names=", ".join(table.name for table in tables))
            )
    refuse_if(problems)
    return list(chosen.values())


def _names_of(table: StoredTable) -> set[str]:
    names = {table.name, table.label}
    if table.dataset is not None:
        names |= {table.dataset.name, table.dataset.id, table.dataset.label.vi, table.dataset.label.en}
    return {name.casefold() for name in names}
