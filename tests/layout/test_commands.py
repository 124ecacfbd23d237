"""The commands of README tell by their exit code what happened: CI believes nothing else."""

import subprocess
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).parents[2] / "scripts"


@pytest.mark.parametrize(
    ("parts", "code"),
    [
        (["layout/test_package.py", "layout/test_words.py"], 0),
        (["layout/test_package.py", "layout/no_such_test.py"], 1),
    ],
)
def test_scripts_test_answers_by_its_exit_code(parts, code):
    ended = subprocess.run([SCRIPTS / "test", *parts], capture_output=True, text=True, timeout=600)
    assert ended.returncode == code, ended.stdout[-2000:] + ended.stderr[-2000:]
    assert ("failed: layout/no_such_test.py" in ended.stderr) == (code == 1)
