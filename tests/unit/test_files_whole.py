"""Many results in one folder: all of them or none (`destinations.files_whole`)."""

import os
import subprocess
import sys
import time

import pytest
from quyhoach.processing_algorithms.common.destinations import files_whole, new_file, written_whole
from quyhoach.processing_algorithms.common.errors import Cancelled, OutputError


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "Nguyễn Văn Ân" / "bản vẽ"


def contents(folder):
    return {path.name: path.read_text("utf-8") for path in folder.iterdir()}


def test_all_files_arrive_and_former_ones_of_the_same_name_are_replaced(folder):
    folder.parent.mkdir()
    for text in ("một", "hai"):
        with files_whole(folder) as draft:
            for name in ("a.pdf", "b.pdf"):
                (draft / name).write_text(text, "utf-8")
            assert not (folder / "a.pdf").exists() or text == "hai"
    assert contents(folder) == {"a.pdf": "hai", "b.pdf": "hai"}


def test_a_stopped_run_leaves_what_was_there_and_no_folder_of_its_own(folder):
    folder.parent.mkdir()
    with pytest.raises(Cancelled), files_whole(folder) as draft:
        (draft / "a.pdf").write_text("nửa", "utf-8")
        raise Cancelled()
    assert not folder.exists()
    folder.mkdir()
    (folder / "a.pdf").write_text("cũ", "utf-8")
    with pytest.raises(Cancelled), files_whole(folder) as draft:
        (draft / "a.pdf").write_text("nửa", "utf-8")
        raise Cancelled()
    assert contents(folder) == {"a.pdf": "cũ"}


def test_when_one_file_cannot_be_replaced_all_stay_as_they_were(folder, monkeypatch):
    folder.mkdir(parents=True)
    for name in ("a.pdf", "c.pdf"):
        (folder / name).write_text("cũ", "utf-8")
    replace = os.replace

    def open_elsewhere(source, target):
        # As on Windows, where a file open in a viewer cannot be replaced.
        if os.fspath(target) == os.fspath(folder / "c.pdf"):
            raise PermissionError(13, "in use", os.fspath(target))
        replace(source, target)

    monkeypatch.setattr(os, "replace", open_elsewhere)
    with pytest.raises(OutputError, match="đóng chương trình"), files_whole(folder) as draft:
        for name in ("a.pdf", "b.pdf", "c.pdf"):
            (draft / name).write_text("mới", "utf-8")
    assert contents(folder) == {"a.pdf": "cũ", "c.pdf": "cũ"}


_REPLACING = """
import sys
from pathlib import Path
from quyhoach.processing_algorithms.common.destinations import files_whole
for turn in range(10_000):
    with files_whole(Path(sys.argv[1])) as draft:
        for name in ("a.txt", "b.txt"):
            (draft / name).write_text(str(turn) * 20_000, "utf-8")
    print(turn, flush=True)
"""


def test_killed_at_any_moment_every_file_is_whole_and_none_is_missing(folder):
    """Killed at another instant each time, between two renames too; what it leaves hinders nobody."""
    folder.parent.mkdir()
    for number in range(12):
        child = subprocess.Popen([sys.executable, "-c", _REPLACING, str(folder)], stdout=subprocess.PIPE)
        for _ in range(3 + number):
            child.stdout.readline()
        time.sleep(0.0003 * number)
        child.kill()
        child.communicate()
        for name in ("a.txt", "b.txt"):
            text = (folder / name).read_text("utf-8")
            turn = len(text) // 20_000
            assert len(text) == turn * 20_000 and text == text[:turn] * 20_000
    left = [path for path in folder.iterdir() if path.name.startswith(".quyhoach-")]
    for path in left:
        os.utime(path, (time.time() - 90_000,) * 2)
    with files_whole(folder) as draft:
        (draft / "a.txt").write_text("mới", "utf-8")
    assert sorted(path.name
                  for path in folder.iterdir()) == ["a.txt", "b.txt"] and (folder / "a.txt").read_text("utf-8") == "mới"


@pytest.mark.parametrize("written", [written_whole, lambda path: new_file(path, "đã có")])
def test_a_single_file_clears_away_what_a_killed_run_left_too(tmp_path, written):
    """A restore or a checkout that was killed leaves as much as a whole hub."""
    old, young = tmp_path / ".quyhoach-cũ", tmp_path / ".quyhoach-mới"
    for draft in (old, young):
        draft.mkdir()
        (draft / "hub.gpkg").write_bytes(b"x")
    os.utime(old, (time.time() - 90_000,) * 2)
    with written(tmp_path / "a.txt") as draft:
        draft.write_text("a", "utf-8")
    assert sorted(path.name for path in tmp_path.iterdir()) == [".quyhoach-mới", "a.txt"]


def test_a_place_that_cannot_be_a_folder_is_refused(tmp_path):
    (tmp_path / "tệp").write_text("x", "utf-8")
    with pytest.raises(OutputError, match="không phải là thư mục"), files_whole(tmp_path / "tệp"):
        raise AssertionError
    with pytest.raises(OutputError, match="Không có thư mục"), files_whole(tmp_path / "không" / "có"):
        raise AssertionError
