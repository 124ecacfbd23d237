"""Departments and people of a hub and what they may do: the work of its administrator, without SQL.

A PostGIS hub keeps rights in the database, for every program (`postgis.rights`). In a GeoPackage hub whoever has the file can
do anything with it: there the same rights only guard pushes and changes files against mistakes (`geopackage.rights`).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, Any

from ...common.errors import InputError, name_some, refuse_if
from ...common.language import say
from ..catalogue import Catalogue, Dataset
from ..catalogue.model import DEPARTMENTS, SECRECY
from ..changes import Changeset, Objection, Scope

if TYPE_CHECKING:  # parameters read this file: QGIS must list the algorithms also where pandas and geopandas are missing
    import pandas

    from ..hub import Hub

_NAME = re.compile(r"[a-z][a-z0-9_]{0,30}")


class Access(IntEnum):
    """What is given: reading, and writing what the catalogue gives to that kind of office; reading; writing; nothing."""

    USUAL = 0
    READ = 1
    WRITE = 2
    NONE = 3


@dataclass(frozen=True)
class Right:
    """One line: a department may read, or also write, a dataset (None: all) in a commune (None: the whole province)."""

    dataset_id: str | None
    commune: str | None
    may_write: bool


def kind_label(kind: str) -> str:
    """What people call a kind of office."""
    return {
        "administration": say("Quản trị dữ liệu của tỉnh", "Administration of the province's data"),
        "land": say("Quản lý đất đai", "Land administration"),
        "planning": say("Quy hoạch, xây dựng", "Planning and construction"),
        "transport": say("Giao thông", "Transport"),
        "disaster": say("Phòng thủ dân sự, phòng chống thiên tai", "Civil defence, disaster prevention"),
        "commune": say("Phòng Kinh tế (xã, phường, đặc khu)", "Commune planning office"),
    }[kind]


def rights_given(
    kind: str, access: Access, datasets: Sequence[Dataset], *, whole: bool, communes: Collection[str] | None
) -> list[Right]:
    """Spell out what a choice gives. ``whole`` says that the datasets are all there are, later ones too.

    Examples
    --------
    >>> from .catalogue import load_catalogue
    >>> known = list(load_catalogue().values())
    >>> [right for right in rights_given("transport", Access.USUAL, known, whole=True, communes=None)]
    [Right(dataset_id=None, commune=None, may_write=False), Right(dataset_id='D10', commune=None, may_write=True)]
    """
    if access is Access.NONE:
        return []
    where = sorted(communes) if communes else [None]
    everything: list[str | None] = [None] if whole else [dataset.id for dataset in datasets]
    rights = [Right(id, commune, access is Access.WRITE) for id in everything for commune in where]
    if access is Access.USUAL:
        own = [Right(dataset.id, commune, True) for dataset in datasets if kind in dataset.writers for commune in where]
        written = {(right.dataset_id, right.commune) for right in own}
        rights = [right for right in rights if (right.dataset_id, right.commune) not in written] + own
    return rights


def set_department(
    hub: Hub, name: str, *, label: str = "", kind: str = "", access: Access = Access.USUAL,
    datasets: Sequence[Dataset] | None = None, communes: Collection[str] | None = None, anew: bool = False
) -> list[str]:
    """Add a department, or give one that is there further rights; in one transaction.

    Parameters
    ----------
    name : str
        Short: lower-case letters without accents, digits, underscores. In PostGIS the role is ``<hub>_<name>``.
    label : str
        What people call it, such as "Sở Xây dựng"; needed for a new one.
    kind : str
        One of the catalogue's departments; needed for a new one.
    datasets : sequence of Dataset, optional
        All by default, later ones too.
    communes : collection of str, optional
        Commune codes; the whole province by default.
    anew : bool
        Take away first what it had. `Access.NONE` does that in any case, of everything.

    Returns
    -------
    list of str
        What was done, as sentences.

    Raises
    ------
    InputError
        A name or kind is wrong, or this role does not administer the hub.
    """
    known = departments(hub)
    found = known.get(name)
    refuse_if([
        "" if _NAME.fullmatch(name) else
        say("Tên tắt \"{name}\" không hợp lệ: chữ thường không dấu, số, gạch dưới, bắt đầu bằng chữ, tối đa 31 ký tự.",
            "The short name \"{name}\" is not valid: lower-case letters without accents, digits, underscores, a letter first, 31 at "
            "most.").format(name=name),
        say("Loại cơ quan \"{kind}\" không có; chọn một trong: {kinds}.",
            "There is no kind of department \"{kind}\"; one of: {kinds}.").format(kind=kind, kinds=", ".join(DEPARTMENTS))
        if kind and kind not in DEPARTMENTS else "",
        say("Cơ quan {name} chưa có: cần tên đầy đủ và loại cơ quan.", "The department {name} is new: give its full name and kind.")
        .format(name=name) if found is None and not (label.strip() and kind) else "",
        say("Không có cơ quan {name} để thu hồi quyền; đang có: {names}.", "There is no department {name}; there are: {names}.")
        .format(name=name, names=", ".join(known) or "-") if found is None and access is Access.NONE else ""])
    told_label, told_kind = (label.strip() or found[0], kind or found[1]) if found else (label.strip(), kind)
    chosen = list(hub.datasets.values()) if datasets is None else list(datasets)
    rights = rights_given(told_kind, access, chosen, whole=datasets is None, communes=communes)
    _rights_of(hub).set_department(hub, name, told_label, told_kind, rights, anew=anew or access is Access.NONE)
    done = [
        say("Đã thêm cơ quan {label} ({name}).", "Added the department {label} ({name}).").format(
            label=told_label, name=name
        )
        if found is None
        else say(
            "Cơ quan {label} ({name}): {n} quyền đã ghi.", "Department {label} ({name}): {n} rights entered."
        ).format(label=told_label, name=name, n=len(rights))
    ]
    undivided = [str(dataset.label) for dataset in chosen if dataset.commune_field is None
                 and any(right.may_write and right.dataset_id in (None, dataset.id) for right in rights)]
    if communes and undivided:
        done.append(say("Không chia theo xã nên chỉ đọc, không ghi được: {names}.",
                        "Not divided by communes, so read and not written: {names}.").format(names=name_some(undivided)))
    return done


def departments(hub: Hub) -> dict[str, tuple[str, str]]:
    """Return label and kind of every department by its short name."""
    return _rights_of(hub).departments(hub)


def rights_table(hub: Hub) -> pandas.DataFrame:
    """Return all rights, one row each: department, label, kind, dataset, commune (empty: all), access."""
    import pandas

    known = departments(hub)
    names = {dataset.id: dataset.name for dataset in hub.datasets.values()}
    rows = [(name, *known.get(name, ("", "")), names.get(right.dataset_id, right.dataset_id or ""), right.commune or "",
             "write" if right.may_write else "read") for name, right in rights_of_departments(hub)]
    return pandas.DataFrame(rows, columns=["department", "label", "kind", "dataset", "commune", "access"], dtype=object)


def rights_of_departments(hub: Hub) -> list[tuple[str, Right]]:
    """Return every right with the short name of the department, or the person, it is of."""
    return _rights_of(hub).rights(hub)


def beyond(given: Sequence[Right], label: str, datasets: Catalogue, changeset: Changeset) -> list[Objection]:
    """Tell which changes of a changeset rights do not cover; ``label`` names whose rights they are."""
    found = []
    for change in changeset.changes:
        dataset = datasets.get(change.dataset)
        if dataset is None:
            continue  # told by the hub
        communes = {right.commune for right in given if right.may_write and right.dataset_id in (None, dataset.id)}
        if None in communes:
            continue
        if dataset.commune_field is None:
            found.append((dataset, change.feature_id, ""))
            continue
        outside = next((side.get(dataset.commune_field) or "?" for side in (change.before, change.after)
                        if side is not None and side.get(dataset.commune_field) not in communes), None)
        if outside is not None:
            found.append((dataset, change.feature_id,
                          say(" ở xã, phường {code}", " in commune {code}").format(code=outside)))
    return [Objection(dataset.name, feature_id, say(
        "{dataset}: cơ quan {department} không có quyền ghi{where}", "{dataset}: {department} may not write{where}").format(
            dataset=dataset.label, department=label, where=where)) for dataset, feature_id, where in found]


class Office:
    """A department whose changes file the keeper of a hub takes in: held to its own rights, not to the keeper's."""

    def __init__(self, hub: Hub, name: str):
        known = departments(hub)
        asked = name.strip().casefold()
        found = next((key for key, (label, _) in known.items() if asked in (key.casefold(), label.casefold())), None)
        if found is None:
            raise InputError(
                say(
                    "Không có cơ quan {name}; đang có: {names}.", "There is no department {name}; there are: {names}."
                ).format(name=name, names=", ".join(known) or "-")
            )
        self.label = known[found][0]
        self._datasets = hub.datasets
        self._given = [right for department, right in rights_of_departments(hub) if department == found]

    def objections(self, changeset: Changeset) -> list[Objection]:
        """What of a changeset is beyond its rights."""
        return beyond(self._given, self.label, self._datasets, changeset)

    def narrowed(self, scopes: Iterable[Scope]) -> list[Scope]:
        """What of some scopes it may read; rows elsewhere are then not there for it, as in the database itself."""
        kept = []
        for scope in scopes:
            dataset = self._datasets.get(scope.dataset)
            communes = {right.commune for right in self._given if dataset and right.dataset_id in (None, dataset.id)}
            if dataset is None or not communes:
                continue
            if None in communes or dataset.commune_field is None:
                kept.append(scope)
            else:
                kept.append(Scope(scope.dataset, frozenset(communes if scope.communes is None else communes & scope.communes),
                                  scope.polygon))
        return kept


def set_person(
    hub: Hub, login: str, *, departments: Sequence[str] = (), secrecy: str = "public", administrator: bool = False,
    password: str | None = None
) -> list[str]:
    """Let a person in, or change which departments they belong to and how secret what they may see is.

    Parameters
    ----------
    departments : sequence of str
        Short names: these and no others.
    secrecy : str
        The most secret level this person may see.
    administrator : bool
        Whether they administer the hub: see and write all, add departments and people. Never taken away here.
    password : str, optional
        Of a new account; it reaches the server only as a hash. An account that is there keeps its own.

    Returns
    -------
    list of str
        What was done, as sentences.

    Raises
    ------
    InputError
        The hub is a file, a department is not there, or this role does not administer the hub.
    """
    return _people_of(hub).set_person(hub, login, departments=list(departments), secrecy=secrecy,
                                      administrator=administrator,
                                      password=password)


def remove_person(hub: Hub, login: str) -> None:
    """Take a person out of the hub; the account on the server stays, what they wrote stays."""
    _people_of(hub).remove_person(hub, login)


def people_table(hub: Hub) -> pandas.DataFrame:
    """Return who is let in: login, departments, secrecy, administrator (yes, no)."""
    import pandas

    return pandas.DataFrame(_people_of(hub).people(hub), columns=["login", "departments", "secrecy", "administrator"],
                            dtype=object)


def secrecy_label(level: str) -> str:
    """What people call a secrecy level."""
    return {"public": say("Công khai", "Public"), "internal": say("Nội bộ", "Internal"),
            "restricted": say("Hạn chế", "Restricted")}[level]


SECRECY_LEVELS = SECRECY


def _rights_of(hub: Hub) -> Any:
    from ..geopackage import rights as geopackage_rights
    from ..geopackage.hub import GeoPackageHub
    from ..postgis import rights as postgis_rights

    return geopackage_rights if isinstance(hub, GeoPackageHub) else postgis_rights


def _people_of(hub: Hub) -> Any:
    from ..geopackage.hub import GeoPackageHub
    from ..postgis import rights as postgis_rights

    if isinstance(hub, GeoPackageHub):
        raise InputError(say("Cơ sở dữ liệu GeoPackage là một tệp, không có tài khoản: ai có tệp thì đọc và sửa được tất cả. Muốn phân "
                             "quyền cho từng người thì dùng PostGIS.",
                             "A GeoPackage hub is a file and has no accounts: who has the file reads and writes everything. Use PostGIS "
                             "for rights of people."))
    return postgis_rights
