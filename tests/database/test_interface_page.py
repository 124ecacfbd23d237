"""The page of the interface for scripts: its example runs as it stands, and it names everything it gives."""

import doctest
import inspect
import re

from quyhoach.processing_algorithms.provincial_database import interface


def test_the_example_runs_as_it_stands(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    [example] = doctest.DocTestFinder(recurse=False).find(interface, "interface")
    told = []
    result = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE).run(example, out=told.append)
    assert result.attempted > 15 and result.failed == 0, "".join(told)


def test_every_name_is_on_the_page_and_explains_itself():
    page = interface.__doc__.split("Examples\n")[0]
    of_classes = re.findall(r"`(Hub)\.(\w+)`", page)
    assert ("Hub", "lock") in of_classes
    assert all(inspect.getdoc(getattr(getattr(interface, kind), name)) for kind, name in of_classes)
    for name in interface.__all__:
        assert f"`{name}`" in page or f'{name}("' in page, name
        explained = inspect.getdoc(getattr(interface, name))
        assert explained and explained[0].isupper(), name
    assert not [name for name in dir(interface) if not name.startswith("_") and name not in interface.__all__
                and name not in (
        "annotations",)], "what is there is meant to be used"


def test_it_needs_no_qgis():
    import subprocess
    import sys

    done = subprocess.run([sys.executable, "-c", "import sys; import quyhoach.processing_algorithms.provincial_database.interface; "
                           "print([name for name in sys.modules if name.split('.')[0] == 'qgis'])"], capture_output=True, text=True)
    assert done.stdout.strip() == "[]", done.stderr
