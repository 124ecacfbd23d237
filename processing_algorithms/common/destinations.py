"""Destinations of results: checked before any work, and replaced only by a complete file.

A file is written beside its destination under another name and moved there when complete, so that a cancelled or
failed run leaves what was there before.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from .errors import OutputError
from .full_disks import why_not_written
from .language import say

#: Tables whose names start so make a GeoPackage a hub or a working copy: never an output to be overwritten.
_OUR_TABLES = "quyhoach_"
#: Start of the names of folders for what is not complete yet, and the age in seconds at which nobody works in one any more.
_DRAFT, _OLD_S = ".quyhoach-", 24 * 3600


def check_destination(path: str | os.PathLike[str]) -> None:
    """Refuse, before any work, a destination that cannot be written.

    Raises
    ------
    OutputError
        The folder is missing or read-only, the path is a folder, the file is in use, or it is a provincial database.
    """
    target = Path(path)
    folder = target.parent
    if not folder.is_dir():
        raise OutputError(say("Không có thư mục {folder}; hãy tạo thư mục hoặc chọn nơi khác để ghi kết quả.",
                              "There is no folder {folder}; create it or choose another place for the result.").format(folder=folder))
    if target.is_dir():
        raise OutputError(say("{path} là một thư mục; hãy đặt tên tệp kết quả.",
                              "{path} is a folder; give the result a file name.").format(path=target))
    try:
        descriptor, probe = tempfile.mkstemp(prefix=_DRAFT, dir=folder)
        os.close(descriptor)
        os.unlink(probe)
    except OSError as error:
        raise OutputError(say("Không ghi được vào thư mục {folder} ({why}); hãy chọn nơi khác.",
                              "The folder {folder} cannot be written ({why}); choose another place.")
                          .format(folder=folder, why=error.strerror)) from error
    if target.exists():
        _refuse_precious(target)


def _refuse_precious(target: Path) -> None:
    if not os.access(target, os.W_OK):
        raise OutputError(
            say(
                "Tệp {path} chỉ cho đọc; hãy chọn tên khác.", "The file {path} is read-only; choose another name."
            ).format(path=target)
        )
    if target.suffix.lower() != ".gpkg":
        return
    log = Path(f"{target}-wal")
    if log.exists() and log.stat().st_size > 0:
        raise OutputError(say("Tệp {path} đang mở ở chương trình khác; hãy đóng lớp đó rồi chạy lại.",
                              "The file {path} is open in another program; close that layer, then run again.").format(path=target))
    if _held_by_us(target) is not None:
        raise OutputError(say("{path} là cơ sở dữ liệu dùng chung hoặc bản dữ liệu làm việc; không ghi đè. Hãy chọn tên khác.",
                              "{path} is a shared database or a working copy and is never overwritten; choose another name.")
                          .format(path=target))


def check_table(path: str | os.PathLike[str], table: str) -> None:
    """Refuse, before any work, a table that is part of a shared database or a working copy; its other tables are free.

    Raises
    ------
    OutputError
    """
    held = _held_by_us(Path(path))
    if held is not None and (table.casefold() in held or table.casefold().startswith(_OUR_TABLES)):
        raise OutputError(say("Bảng {table} của {path} là dữ liệu của cơ sở dữ liệu dùng chung hoặc bản dữ liệu làm việc; không ghi đè. Hãy chọn "
                              "tên khác.",
                              "The table {table} of {path} is data of a shared database or a working copy and is never overwritten; choose "
                              "another name.").format(table=table, path=path))


def _held_by_us(path: Path) -> set[str] | None:
    """Return the names, in small letters, of the datasets' tables in a hub or working copy; None for any other file."""
    if not path.is_file():
        return None
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as database:
            names = {row[0] for row in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
            if not any(name.startswith(_OUR_TABLES) for name in names):
                return None
            if "quyhoach_dataset" not in names:
                return {name.casefold() for name in names}
            return {str(name).casefold() for (name,) in database.execute("SELECT table_name FROM quyhoach_dataset")}
    except sqlite3.DatabaseError:
        return None  # not a database: an old, broken output may be replaced


def refuse_shared(paths: Mapping[str, str]) -> None:
    """Refuse two results in one file: the second would replace the first.

    Parameters
    ----------
    paths : mapping
        Label of each result and the file it goes to.

    Raises
    ------
    OutputError
        Names the file and the results.
    """
    by_file: dict[str, list[str]] = {}
    for label, path in paths.items():
        by_file.setdefault(os.path.normcase(os.path.abspath(path)), []).append(label)
    for labels in by_file.values():
        if len(labels) > 1:
            raise OutputError(say("Các kết quả {labels} cùng ghi vào tệp {path}; hãy đặt tên khác nhau.",
                                  "The results {labels} go to one file {path}; give each its own name.")
                              .format(labels=", ".join(f"\"{label}\"" for label in labels), path=paths[labels[0]]))


@contextmanager
def written_whole(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Give a path to write to; move what was written there to ``path`` when the block ends well, else delete it.

    Files of several parts (shapefiles) move together. Raises OutputError when the destination cannot be replaced.
    """
    target = Path(path)
    check_destination(target)
    _clear_away(target.parent)
    folder = Path(tempfile.mkdtemp(prefix=_DRAFT, dir=target.parent))
    try:
        yield folder / target.name
        for written in sorted(folder.iterdir()):
            os.replace(written, target.parent / written.name)
    except OSError as error:
        raise OutputError(say("Không ghi được {path} ({why}); hãy đóng chương trình đang mở tệp này hoặc chọn tên khác.",
                              "{path} cannot be written ({why}); close the program that has it open or choose another name.")
                          .format(path=target, why=error.strerror or error)) from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def new_file(path: str | os.PathLike[str], refusal: str) -> Iterator[Path]:
    """Give a path to make a file at that must not exist yet; it takes its name when the block ends well, else it is gone.

    Parameters
    ----------
    path : path
    refusal : str
        What to say when something is there already; checked before the block and again before the file is named.

    Raises
    ------
    OutputError
        Something is there, or the file cannot be made; see `check_destination`.
    """
    target = Path(path)
    _refuse_taken(target, refusal)
    check_destination(target)
    _clear_away(target.parent)
    # A folder of its own: the draft gets the permissions every file gets, and what a database leaves beside it goes too.
    folder = Path(tempfile.mkdtemp(prefix=_DRAFT, dir=target.parent))
    try:
        yield folder / target.name
        _refuse_taken(target, refusal)
        os.rename(folder / target.name, target)
    except (sqlite3.Error, OSError) as error:
        raise OutputError(say("Không ghi được {path}: {why}", "{path} cannot be written: {why}")
                          .format(path=target, why=why_not_written(error, target))) from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _refuse_taken(target: Path, refusal: str) -> None:
    if target.exists() or target.is_symlink():
        raise OutputError(refusal)


@contextmanager
def files_whole(folder: str | os.PathLike[str]) -> Iterator[Path]:
    """Give a folder to write many files to; move all of them to ``folder`` when the block ends well, else none.

    The folder is made when it is not there, and is gone again when the block fails. Files of the same names are
    replaced; when one of them cannot be (another program has it open), all former files are as they were.

    Raises
    ------
    OutputError
        The folder cannot be made or written, or a file in it cannot be replaced.
    """
    target = Path(folder)
    made = not target.exists()
    if not made and not target.is_dir():
        raise OutputError(say("{path} không phải là thư mục; hãy chọn thư mục để ghi kết quả.",
                              "{path} is no folder; choose a folder for the results.").format(path=target))
    check_destination(target if made else target / "a")
    try:
        target.mkdir(exist_ok=True)
        _clear_away(target)
        draft = Path(tempfile.mkdtemp(prefix=_DRAFT, dir=target))
    except OSError as error:
        raise OutputError(say("Không ghi được vào thư mục {folder} ({why}); hãy chọn nơi khác.",
                              "The folder {folder} cannot be written ({why}); choose another place.")
                          .format(folder=target, why=error.strerror)) from error
    done = False
    try:
        (draft / "new").mkdir()
        (draft / "former").mkdir()
        yield draft / "new"
        _replace_all(draft, target)
        done = True
    finally:
        shutil.rmtree(draft, ignore_errors=True)
        if made and not done and target.is_dir() and not any(target.iterdir()):
            target.rmdir()


def _clear_away(folder: Path) -> None:
    """Delete the drafts of runs that were killed; a young one may be of a run that is still under way."""
    for draft in folder.glob(f"{_DRAFT}*"):
        with suppress(OSError):
            if time.time() - draft.stat().st_mtime > _OLD_S:
                shutil.rmtree(draft, ignore_errors=True) if draft.is_dir() else draft.unlink()


def _keep(place: Path, copy: Path) -> None:
    """Keep a former file, which stays in its place until the new one takes it: a program killed in between loses neither."""
    try:
        os.link(place, copy)
    except OSError:  # FAT and some network shares know no second name for a file
        shutil.copy2(place, copy)


def _replace_all(draft: Path, target: Path) -> None:
    moved: list[Path] = []
    try:
        for written in sorted((draft / "new").iterdir()):
            place = target / written.name
            if place.exists():
                _keep(place, draft / "former" / written.name)
            os.replace(written, place)
            moved.append(place)
    except OSError as error:
        for place in moved:
            former = draft / "former" / place.name
            if former.exists():
                os.replace(former, place)
            else:
                place.unlink(missing_ok=True)
        raise OutputError(say("Không ghi được vào {folder} ({why}); hãy đóng chương trình đang mở tệp cũ hoặc chọn thư mục "
                              "khác.", "{folder} cannot be written ({why}); close the program that has a former file "
                              "open or choose another folder.").format(folder=target, why=error)) from error
