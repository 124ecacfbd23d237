"""What the project of a dossier shows: order, names, looks, as data the QGIS side turns into layers."""

from __future__ import annotations

import csv
import os
import re
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from ...common.destinations import written_whole
from .create import _refuse_taken
from .reading import DatabaseFile, Dossier
from .schema import BOUNDARY, FOLDER_NAME, FUNCTIONS, SUB_AREAS, ZONES, DossierClass, DossierSchema, plain

_THEMES = Path(__file__).resolve().parents[3] / "styles" / "zoning" / "dossier_themes.csv"
#: Databases from the top of the map down, with the names of their groups.
GROUPS = {"MocGioi": "Mốc giới", "QuyHoach": "Quy hoạch", "HienTrang": "Hiện trạng", "NenDiaHinh": "Nền địa hình"}
#: Classes with a look of their own; others take the colour of their group.
OWN_LOOK = {BOUNDARY: "boundary", FUNCTIONS: "functions", ZONES: "zones", SUB_AREAS: "sub_areas"}


@dataclass(frozen=True)
class ProjectLayer:
    """One layer of the project.

    ``look`` is "functions", "boundary", "zones", "sub_areas" or "theme"; ``item`` is None for a class the standard does
    not know.
    """

    database: str
    dataset: str
    title: str
    source: Path
    table: str
    geometry: str
    look: str
    colour: str
    visible: bool
    item: DossierClass | None


def project_layers(dossier: Dossier, schema: DossierSchema) -> list[ProjectLayer]:
    """Return the layers of a dossier's project from the top of the map down."""
    layers = [layer for file in dossier.files for layer in _layers_of(file, schema)]
    rank = {name: position for position, name in enumerate(GROUPS)}
    kinds = {"P": 0, "L": 1, "A": 2, "": 3}
    looks = {"theme": 0, "boundary": -1, "zones": 1, "sub_areas": 2, "functions": 3}
    order = {(item.database, item.dataset): at for at, item in enumerate(schema.classes)}
    # The land functions lie under everything of the plan, whatever group the annex puts them in.
    return sorted(layers, key=lambda one: (rank.get(one.database, 9), one.look == "functions",
                                           order.get((one.database, one.dataset), 999), looks[one.look],
                                           kinds[one.geometry]))


def _layers_of(file: DatabaseFile, schema: DossierSchema) -> Iterator[ProjectLayer]:
    known = {plain(item.name): item for item in schema.classes if item.database == file.database}
    for layer in file.layers:
        item = known.get(plain(layer.name))
        dataset = item.dataset_vi if item else "Lớp khác"
        own = OWN_LOOK.get(item.name, "theme") if item else "theme"
        # The land-use classes of the present state carry land types, not functions.
        look = "theme" if file.database == "HienTrang" and own == "functions" else own
        filled = bool(len(layer.frame))
        visible = filled and file.database != "HienTrang"
        yield ProjectLayer(file.database or "", dataset, item.name_vi if item else layer.name, file.path, layer.name,
                           item.geometry if item else layer.geometry, look, theme_colour(item.dataset if item else ""),
                           visible, item)


def theme_colour(dataset: str) -> str:
    """Return the colour of a group of classes; not official, the circular gives none for these.

    Examples
    --------
    >>> theme_colour("QuyHoachCapNuoc")
    '#1f6fb5'
    """
    with open(_THEMES, encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            if any(word in dataset for word in row["words"].split()):
                return row["colour"]
    return "#808080"


def project_name(plan_name: str) -> str:
    """Return the file name of the project: the plan's name, without signs a file name cannot have.

    Examples
    --------
    >>> project_name("Quy hoạch phân khu Trung tâm, tỷ lệ 1/2.000")
    'Quy hoạch phân khu Trung tâm, tỷ lệ 1-2.000.qgz'
    """
    name = re.sub(r'[<>:"/\\|?*\x00-\x1f]', "-", plan_name).strip(" .")[:120].strip(" .")
    return f"{name or 'DoAnQuyHoach'}.qgz"


def copy_databases(dossier: Dossier, parent: str | os.PathLike[str]) -> Path:
    """Copy the databases of a dossier into a new folder *HoSoGIS* under their right names.

    Returns
    -------
    Path
        The new dossier.

    Raises
    ------
    OutputError
        See `create_dossier`.
    """
    place = Path(parent)
    target = place if place.name == FOLDER_NAME else place / FOLDER_NAME
    _refuse_taken(target)
    target.mkdir(exist_ok=True)
    for file in dossier.files:
        if file.error:
            continue
        name = f"{file.database}{file.path.suffix.lower()}"
        if file.path.is_dir():
            shutil.copytree(file.path, target / name)
            continue
        with written_whole(target / name) as part:
            # Not the bytes: another program may hold changes in a log beside the file.
            with closing(sqlite3.connect(f"{file.path.resolve().as_uri()}?mode=ro", uri=True)) as source, \
                    closing(sqlite3.connect(part)) as copy:
                source.backup(copy)
    return target
