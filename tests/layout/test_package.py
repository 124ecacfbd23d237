"""What the plugin repository of QGIS refuses: told before anyone uploads."""

import ast
import configparser
import importlib.util
import re
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PRODUCT = sorted(p for folder in ("plugin", "processing_algorithms") for p in (ROOT / folder).rglob("*.py"))
#: The repository's own limit.
LARGEST = 25_000_000
#: What the fields must not be empty of.
REQUIRED = ("name", "description", "version", "qgisMinimumVersion", "author", "email", "about", "tracker", "repository", "homepage", "license", "icon", "tags",
            "category", "changelog")
BINARIES = (".so", ".dll", ".dylib", ".exe", ".pyd", ".pyc", ".bat", ".jar", ".whl", ".zip")
#: Calls that its scan for security marks, or that would reach the network: nothing of it is needed.
CALLS = {"eval", "exec", "compile", "__import__", "system", "popen", "startfile"}
MODULES = {"pickle", "marshal", "shelve", "requests", "urllib.request", "http.client", "ftplib", "telnetlib", "smtplib", "pip", "ensurepip", "xmlrpc", "socketserver"}


@pytest.fixture(scope="module")
def packed(tmp_path_factory):
    spec = importlib.util.spec_from_file_location("make_zip", ROOT / "scripts" / "packaging" / "make_zip.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    path = module.make_zip(tmp_path_factory.mktemp("gói") / "quyhoach.zip", bundle=False)
    with zipfile.ZipFile(path) as archive:
        yield path, archive


def metadata():
    read = configparser.ConfigParser(interpolation=None)
    read.read(ROOT / "metadata.txt", encoding="utf-8")
    return read["general"]


def test_metadata_is_complete():
    general = metadata()
    assert [name for name in REQUIRED if not general.get(name, "").strip()] == []
    assert re.fullmatch(r"\d+\.\d+\.\d+", general["version"]) and re.fullmatch(r"\d+\.\d+", general["qgisMinimumVersion"])
    assert all(general[name].startswith("https://") for name in ("tracker", "repository", "homepage"))
    assert general["version"] in general["changelog"] and general.getboolean("hasProcessingProvider") and not general.getboolean("server")
    assert (ROOT / general["icon"]).is_file() and len(general["description"]) < 500
    # Read as one line each by the repository: what people see is in both languages.
    assert not general["about"].isascii() and "QuyHoach bundles" in general["about"]


def test_zip_has_one_folder_no_binaries_nothing_hidden(packed):
    path, archive = packed
    names = archive.namelist()
    assert {name.split("/")[0] for name in names} == {"quyhoach"} and len(names) == len(set(names))
    assert [name for name in names if name.lower().endswith(BINARIES) or any(part.startswith((".", "__MACOSX", "__pycache__")) for part in name.split("/"))] == []
    assert {f"quyhoach/{name}" for name in ("__init__.py", "metadata.txt", "LICENSE", "README.md", "plugin/help/stories_vi.html", "plugin/models/floodmorning_vi.model3",
                                            "data_samples/town.gpkg", "data_samples/terrain.tif")} <= set(names)
    # The bundled packages take about 4 MB more.
    assert path.stat().st_size < LARGEST - 8_000_000 and archive.testzip() is None
    assert max(len(name) for name in names) < 120, "Windows cuts long paths below a profile"


@pytest.mark.parametrize("path", PRODUCT, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_call_that_is_refused(path):
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Call):
            own = isinstance(node.func, ast.Name) and node.func.id in CALLS
            of_os = isinstance(node.func, ast.Attribute) and isinstance(node.func.value, ast.Name) and node.func.value.id == "os" and node.func.attr in CALLS
            shell = any(word.arg == "shell" and not (isinstance(word.value, ast.Constant) and word.value.value is False) for word in node.keywords)
            assert not (own or of_os or shell), f"line {node.lineno}"
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else [node.module or ""] if isinstance(node, ast.ImportFrom) and not node.level else []
        assert not MODULES & set(names), f"line {getattr(node, 'lineno', 0)}: {names}"
