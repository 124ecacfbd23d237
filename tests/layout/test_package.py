"""What the plugin repository of QGIS refuses: told before anyone uploads."""

import ast
import importlib.util
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PRODUCT = sorted(p for folder in ("plugin", "processing_algorithms") for p in (ROOT / folder).rglob("*.py"))
BINARIES = (".so", ".dll", ".dylib", ".exe", ".pyd", ".pyc", ".bat", ".jar", ".whl", ".zip")
#: Calls that its scan for security marks, or that would reach the network: nothing of it is needed.
CALLS = {"eval", "exec", "compile", "__import__", "system", "popen", "startfile"}
MODULES = {"pickle", "marshal", "shelve", "requests", "urllib.request", "http.client", "ftplib", "telnetlib", "smtplib", "pip", "ensurepip", "xmlrpc", "socketserver"}


def packaging(name):
    """A script of ``scripts/packaging`` as a module."""
    spec = importlib.util.spec_from_file_location(name, ROOT / "scripts" / "packaging" / f"{name}.py")
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


release, make_zip = packaging("release"), packaging("make_zip")


@pytest.fixture(scope="module")
def packed(tmp_path_factory):
    path = make_zip.make_zip(tmp_path_factory.mktemp("gói") / "quyhoach.zip", bundle=False)
    with zipfile.ZipFile(path) as archive:
        yield path, archive


def test_metadata_is_complete():
    general = make_zip.metadata()
    assert release.metadata_problems(general) == []
    assert re.fullmatch(r"\d+\.\d+", general["qgisMinimumVersion"])
    assert general.getboolean("hasProcessingProvider") and not general.getboolean("server")
    assert (ROOT / general["icon"]).is_file() and len(general["description"]) < 500
    # Read as one line each by the repository: what people see is in both languages.
    assert not general["about"].isascii() and "QuyHoach bundles" in general["about"]


@pytest.mark.parametrize("field, text, refused", [
    ("homepage", "https://planning.example.org/quyhoach", True), ("tracker", "https://localhost/issues", True), ("repository", "ftp://a.vn/quyhoach", True),
    ("repository", "quyhoach", True), ("homepage", "", True), ("email", "someone@quyhoach.invalid", True), ("email", "someone", True), ("email", "a@b@c.vn", True),
    ("email", "quyhoach@soxaydung.hungnguyen.gov.vn", False), ("tracker", "https://github.com/soxaydung/quyhoach/issues", False)])
def test_no_release_with_addresses_that_are_nobodys(field, text, refused):
    true = dict.fromkeys(release.ADDRESSES, "https://github.com/soxaydung/quyhoach") | {"email": "ai-do@soxaydung.gov.vn"}
    assert release.address_problems(true) == []
    problems = release.address_problems(true | {field: text})
    assert [problem.split(": ")[1].split("=")[0] for problem in problems] == ([field] if refused else [])


@pytest.mark.parametrize("field, text", [("about", ""), ("version", "0.1"), ("version", "9.9.9"), ("author", "A/B"), ("description", "100 % offline")])
def test_no_release_with_what_the_repository_refuses(field, text):
    assert len(release.metadata_problems(dict(make_zip.metadata()) | {field: text})) == 1


def test_the_release_command_refuses_placeholders_and_writes_nothing(tmp_path):
    """As long as the addresses are to be set; whoever sets them sees the release made here instead."""
    made = subprocess.run([sys.executable, str(ROOT / "scripts" / "packaging" / "make_zip.py"), "--plain", "--release", "--output", str(tmp_path)],
                          capture_output=True, text=True)
    placeholders = release.address_problems(make_zip.metadata())
    assert (made.returncode != 0) == bool(placeholders) == (not list(tmp_path.glob("*.zip")))
    assert all(problem in made.stderr for problem in placeholders)


def test_a_zip_the_repository_refuses_is_told(tmp_path):
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name in ("quyhoach/__init__.py", "quyhoach/metadata.txt", "quyhoach/a/__pycache__/b.pyc", "other/c.txt"):
            archive.writestr(name, "")
    with zipfile.ZipFile(path) as archive:
        told = " ".join(release.zip_problems(archive, 26_000_000))
    assert all(word in told for word in ("2 folders", "LICENSE", "b.pyc", "26,000,000"))


def test_zip_has_one_folder_no_binaries_nothing_hidden(packed):
    path, archive = packed
    names = archive.namelist()
    # The bundled packages take about 4 MB more.
    assert release.zip_problems(archive, path.stat().st_size + 8_000_000) == []
    assert len(names) == len(set(names)) and archive.testzip() is None
    assert [name for name in names if name.lower().endswith(BINARIES) or any(part.startswith(".") for part in name.split("/"))] == []
    assert {f"quyhoach/{name}" for name in ("README.md", "plugin/help/stories_vi.html", "plugin/models/floodmorning_vi.model3",
                                            "data_samples/town.gpkg", "data_samples/terrain.tif")} <= set(names)
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
