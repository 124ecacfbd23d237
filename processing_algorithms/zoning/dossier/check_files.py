"""Rules on files and folder (TEP)."""

from __future__ import annotations

import xml.etree.ElementTree as tree
import zipfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from ...common.errors import name_some
from ...common.language import say
from .examined import Examined
from .reading import project_sources
from .rules import RULES, Finding
from .schema import DATABASES, FOLDER_NAME, PROJECT_ENDINGS, plain


def check_files(examined: Examined) -> Iterator[Finding]:
    """Yield findings on databases, project files and their names."""
    dossier = examined.dossier
    if dossier.folder.name != FOLDER_NAME:
        yield Finding(RULES["TEP-06"], say("Thư mục tên là \"{name}\", phải là \"{right}\".",
                                           "The folder is \"{name}\", must be \"{right}\".")
                      .format(name=dossier.folder.name, right=FOLDER_NAME))
    count = Counter(one.database for one in dossier.files)
    for database in DATABASES:
        if not count[database]:
            yield Finding(RULES["TEP-01"], say("Không có cơ sở dữ liệu {name} (.gpkg hoặc .gdb).",
                                               "There is no database {name} (.gpkg or .gdb).")
                          .format(name=database), database)
        elif count[database] > 1:
            names = ", ".join(one.path.name for one in dossier.files if one.database == database)
            yield Finding(RULES["TEP-07"], say("Cơ sở dữ liệu {name} có {n} tệp: {names}.",
                                               "Database {name} has {n} files: {names}.")
                          .format(name=database, n=count[database], names=names), database)
    for one in dossier.files:
        if one.error:
            yield Finding(RULES["TEP-02"], say("Không đọc được {name}: {why}.", "{name} cannot be read: {why}.")
                          .format(name=one.path.name, why=one.error), one.database or "")
        if one.database and one.path.stem != one.database:
            yield Finding(RULES["TEP-04"], say("Tệp tên là \"{name}\", phải là \"{right}\".",
                                               "The file is \"{name}\", must be \"{right}\".")
                          .format(name=one.path.name, right=one.database + one.path.suffix), one.database)
    for path in dossier.strangers:
        yield Finding(RULES["TEP-05"], (
            say("Tệp \"{name}\" còn nén, phải giải nén.", "The file \"{name}\" is packed and must be unpacked.")
            if path.suffix.lower() == ".zip" else
            say("Tệp \"{name}\" không thuộc bốn cơ sở dữ liệu quy định.",
                "The file \"{name}\" is none of the four databases.")).format(name=path.name))
    if not dossier.projects:
        yield Finding(
            RULES["TEP-03"],
            say("Không có tệp tổng hợp ({endings}).", "There is no project file ({endings}).").format(
                endings=", ".join(PROJECT_ENDINGS)
            ),
        )
    for path in dossier.projects:
        yield from _project(path, dossier.folder)


def _project(path: Path, folder: Path) -> Iterator[Finding]:
    try:
        sources = project_sources(path)
    except (OSError, zipfile.BadZipFile, StopIteration, tree.ParseError) as error:
        yield Finding(
            RULES["TEP-02"],
            say("Không đọc được dự án {name}: {why}.", "The project {name} cannot be read: {why}.").format(
                name=path.name, why=error or type(error).__name__
            ),
        )
        return
    # A path of Windows is absolute on any machine.
    absolute = sorted({source for source in sources if source.startswith(("/", "\\")) or source[1:2] == ":"
                       or ".." in Path(source).parts})
    # A database that is missing or misnamed is told by that rule, not again for the project.
    known = {plain(name) for name in DATABASES}
    missing = sorted({source for source in sources if source not in absolute and not (folder / source).exists()
                      and plain(Path(source).stem) not in known})
    if absolute or missing:
        yield Finding(RULES["TEP-08"], say("Dự án {name} trỏ tới {n} nguồn không nằm trong thư mục hồ sơ: {some}.",
                                           "The project {name} reads {n} sources that are not in the folder: {some}.")
                      .format(name=path.name, n=len(absolute) + len(missing), some=name_some([*absolute, *missing], 5)))
