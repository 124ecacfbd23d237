"""Keeping a hub well: checking it, backing it up, restoring it, proving that a restore brings everything back.

The same functions for both kinds of hub; a location leads to one as in `hub.open_hub`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from ...common.addresses import is_postgis_location
from ...common.errors import InputError
from ...common.language import say
from ...common.progress import Progress, silent
from ..catalogue import Dataset, load_catalogue
from ..findings import DrillReport, Finding, State
from ..hub import Hub, open_hub


def check_hub(hub: Hub, *, progress: Progress = silent) -> list[Finding]:
    """Look at everything in one consistent read; nothing is changed."""
    from ..geopackage.health import check_geopackage_hub
    from ..geopackage.hub import GeoPackageHub

    if isinstance(hub, GeoPackageHub):
        return check_geopackage_hub(hub, progress=progress)
    from ..postgis.health import check_postgis_hub

    return [Finding(finding.label,
                    State.BROKEN if not finding.in_order else State.ATTENTION if finding.advice else State.GOOD,
                    finding.sentence, finding.advice)
            for finding in check_postgis_hub(hub, progress=progress)]


def enter_gaps(hub: Hub) -> dict[str, int]:
    """Enter into the ledger what somebody wrote while triggers were off, as a changeset of its own.

    What is there now is taken for right: it reaches the working copies, and can be taken back like any changeset.

    Returns
    -------
    dict of str to int
        How many features, by dataset; empty when nothing was lacking, and then nothing is written.

    Raises
    ------
    OutputError
        This role does not administer the hub.
    """
    from ..geopackage.hub import GeoPackageHub

    message = "Ghi bù những gì đã sửa không qua nhật ký (entered later: written past the ledger)"
    if isinstance(hub, GeoPackageHub):
        return hub.enter_gaps(message)
    from ..postgis.ledger_gaps import enter_gaps as enter

    return enter(hub, message)  # type: ignore[arg-type]


def back_up(location: str | Mapping[str, str], path: str | Path, *, progress: Progress = silent) -> None:
    """Write a hub, as it is at one moment, to a new file; people may go on working.

    Raises
    ------
    OutputError
        The file exists or cannot be written; nothing is left half done.
    """
    if isinstance(location, Mapping) or is_postgis_location(location):
        from ..postgis.backup import backup_postgis_hub

        backup_postgis_hub(location, path, progress=progress)
        return
    from ..geopackage.backup import backup_geopackage_hub

    with open_hub(location) as hub:
        backup_geopackage_hub(hub, path, progress=progress)  # type: ignore[arg-type]


def prove(location: str | Mapping[str, str], *, progress: Progress = silent) -> DrillReport:
    """Back a hub up, restore it apart, compare every row, and remove the copy: the restore drill."""
    if isinstance(location, Mapping) or is_postgis_location(location):
        from ..postgis.backup import drill as postgis_drill

        return postgis_drill(location, progress=progress)
    from ..geopackage.backup import drill

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
        from ..postgis.upgrade import upgrade_postgis_hub

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
        from ..postgis.backup import restore_postgis_hub

        return restore_postgis_hub(path, location, progress=progress)
    from ..geopackage.backup import restore_geopackage_hub

    return restore_geopackage_hub(path, location, progress=progress)


def _is_dump(path: Path) -> bool:
    """Tell whether a file is in pg_dump's custom format."""
    if not path.is_file():
        return False
    with open(path, "rb") as file:
        return file.read(5) == b"PGDMP"
