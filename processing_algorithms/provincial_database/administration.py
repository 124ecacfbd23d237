"""Keeping a hub well: checking it, backing it up, restoring it, proving that a restore brings everything back.

The same functions for both kinds of hub; a location leads to one as in `hub.open_hub`.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

import pandas

from ..common.addresses import is_postgis_location
from ..common.errors import InputError
from ..common.language import say
from ..common.numbers_vi import format_number
from ..common.progress import Progress, silent
from .catalogue import Dataset, load_catalogue
from .hub import Hub, open_hub
from .incoming_values import VIETNAM

#: An office that has not sent for longer is asked.
_USUAL_UNSENT = datetime.timedelta(days=30)


class State(Enum):
    """How well something is."""

    GOOD = "good"
    ATTENTION = "attention"
    BROKEN = "broken"

    @property
    def label(self) -> str:
        """What people read."""
        return {State.GOOD: say("tốt", "good"), State.ATTENTION: say("cần chú ý", "needs attention"),
                State.BROKEN: say("lỗi", "error")}[self]


@dataclass(frozen=True)
class Finding:
    """One thing looked at: which check, how it stands, what was found, what to do about it (empty: nothing)."""

    check: str
    state: State
    what: str
    advice: str = ""


@dataclass(frozen=True)
class DrillReport:
    """What a restore drill found: tables compared, and those that differ (none, when all is well)."""

    tables: int
    rows: int
    different: tuple[str, ...]
    new_incarnation: bool

    @property
    def passed(self) -> bool:
        """Whether the restored hub equals the original and is known as another incarnation."""
        return not self.different and self.new_incarnation


def check_hub(hub: Hub, *, progress: Progress = silent) -> list[Finding]:
    """Look at everything in one consistent read; nothing is changed."""
    from .geopackage_health import check_geopackage_hub
    from .geopackage_hub import GeoPackageHub

    if isinstance(hub, GeoPackageHub):
        return check_geopackage_hub(hub, progress=progress)
    from .postgis_health import check_postgis_hub

    return [Finding(finding.label,
                    State.BROKEN if not finding.in_order else State.ATTENTION if finding.advice else State.GOOD,
                    finding.sentence, finding.advice)
            for finding in check_postgis_hub(hub, progress=progress)]


def unsent_sentence(name: str, person: str, unsent: int, since: datetime.datetime, seen: datetime.datetime) -> str:
    """Say which working copy has waited longest with edits not sent."""
    day = say("%d/%m/%Y", "%Y-%m-%d")
    return say("Bản dữ liệu làm việc chưa gửi lâu nhất: {name} ({person}), {unsent} đối tượng, chưa gửi ít nhất từ {since}, gặp lần "
               "cuối {seen}.",
               "Oldest unsent working copy: {name} ({person}), {unsent} features, unsent since {since} at least, last met {seen}.").format(
        name=name, person=person, unsent=format_number(unsent), since=since.astimezone(VIETNAM).strftime(day),
        seen=seen.astimezone(VIETNAM).strftime(day))


def unsent_advice(since: datetime.datetime) -> str:
    """What to do about edits not sent since then; nothing while that is usual."""
    if datetime.datetime.now(datetime.timezone.utc) - since < _USUAL_UNSENT:
        return ""
    return say("Đã quá {days} ngày; nhắc người giữ gửi cập nhật.", "More than {days} days; ask its keeper to push.").format(
        days=_USUAL_UNSENT.days)


def worst(findings: Iterable[Finding]) -> State:
    """The worst state among findings."""
    order = list(State)
    return max((finding.state for finding in findings), key=order.index, default=State.GOOD)


def findings_table(findings: list[Finding]) -> pandas.DataFrame:
    """Return findings as a table: check, state (good, attention, broken), state_label, what, advice."""
    return pandas.DataFrame({
        "check": [finding.check for finding in findings], "state": [finding.state.value for finding in findings],
        "state_label": [finding.state.label for finding in findings], "what": [finding.what for finding in findings],
        "advice": [finding.advice for finding in findings]}, dtype=object)


def back_up(location: str | Mapping[str, str], path: str | Path, *, progress: Progress = silent) -> None:
    """Write a hub, as it is at one moment, to a new file; people may go on working.

    Raises
    ------
    OutputError
        The file exists or cannot be written; nothing is left half done.
    """
    if isinstance(location, Mapping) or is_postgis_location(location):
        from .postgis_backup import backup_postgis_hub

        backup_postgis_hub(location, path, progress=progress)
        return
    from .geopackage_backup import backup_geopackage_hub

    with open_hub(location) as hub:
        backup_geopackage_hub(hub, path, progress=progress)  # type: ignore[arg-type]


def prove(location: str | Mapping[str, str], *, progress: Progress = silent) -> DrillReport:
    """Back a hub up, restore it apart, compare every row, and remove the copy: the restore drill."""
    if isinstance(location, Mapping) or is_postgis_location(location):
        from .postgis_backup import drill as postgis_drill

        return postgis_drill(location, progress=progress)
    from .geopackage_backup import drill

    with open_hub(location) as hub:
        return drill(hub, progress=progress)  # type: ignore[arg-type]


def upgrade(
    location: str | Mapping[str, str], *, datasets: Sequence[Dataset] | None = None,
    forms: Mapping[str, str] | None = None,
    progress: Progress = silent
) -> list[str]:
    """Bring a hub up to date with this program: its own structure, and what the catalogue has that the hub has not.

    Only adds: datasets, fields, codes. Working copies with unsent edits go on; they get the new fields with their next pull.

    Parameters
    ----------
    datasets : sequence of Dataset, optional
        Of the catalogue, all by default.
    forms : mapping, optional
        QGIS style (QML) by dataset name, for datasets that are new in a GeoPackage hub.

    Returns
    -------
    list of str
        What was added, as sentences; empty when nothing was.

    Raises
    ------
    InputError
        This role is no administrator of the hub, or the hub is newer than this program.
    """
    wanted = list(load_catalogue().values()) if datasets is None else list(datasets)
    if isinstance(location, Mapping) or is_postgis_location(location):
        from .postgis_upgrade import upgrade_postgis_hub

        return upgrade_postgis_hub(location, datasets=wanted, progress=progress)
    with open_hub(location) as hub:
        return hub.upgrade(wanted, forms)  # type: ignore[attr-defined]


def restore(path: str | Path, location: str | Mapping[str, str], *, progress: Progress = silent) -> Hub:
    """Make a new hub from a backup and open it: a new file, or in an empty PostGIS database.

    The hub begins a new incarnation, so working copies that are newer than the backup notice, and bring back what
    only they still have.

    Raises
    ------
    InputError
        The file is no backup of a hub, or is damaged.
    OutputError
        Something is at the new place already, or it cannot be written.
    """
    to_server, of_server = isinstance(location, Mapping) or is_postgis_location(location), _is_dump(Path(path))
    if to_server is not of_server and Path(path).is_file():
        raise InputError(
            say("{path} là bản sao lưu PostGIS; hãy phục hồi vào một cơ sở dữ liệu PostgreSQL trống.",
                "{path} is a backup of PostGIS; restore it into an empty PostgreSQL database.").format(path=path) if of_server else
            say("{path} không phải là bản sao lưu PostGIS; bản sao lưu GeoPackage phục hồi thành tệp .gpkg.",
                "{path} is no backup of PostGIS; a GeoPackage backup is restored as a .gpkg file.").format(path=path))
    if isinstance(location, Mapping) or is_postgis_location(location):
        from .postgis_backup import restore_postgis_hub

        return restore_postgis_hub(path, location, progress=progress)
    from .geopackage_backup import restore_geopackage_hub

    return restore_geopackage_hub(path, location, progress=progress)


def _is_dump(path: Path) -> bool:
    """Tell whether a file is in pg_dump's custom format."""
    if not path.is_file():
        return False
    with open(path, "rb") as file:
        return file.read(5) == b"PGDMP"
