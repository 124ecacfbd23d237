"""The rules of the rooms (DESIGN.md, "The rooms"), read from the source tree."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("land_use", "zoning", "traffic", "disaster", "provincial_database")
#: Rooms a room may import from, besides common/ and itself.
ALLOWED = {"disaster": {"traffic", "provincial_database"}, "zoning": {"traffic", "provincial_database"},
           "land_use": {"provincial_database"}, "traffic": {"provincial_database"}, "provincial_database": set(),
           "common": set()}
PRODUCT = sorted(p for folder in ("plugin", "processing_algorithms") for p in (ROOT / folder).rglob("*.py"))
EVERYTHING = PRODUCT + sorted(p for folder in ("scripts", "tests") for p in (ROOT / folder).rglob("*.py"))


def name_of(path):
    return str(path.relative_to(ROOT))


def imports(path):
    """Yield (module parts, level, line) of every import statement, lazy ones too."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name.split("."), 0, node.lineno
        elif isinstance(node, ast.ImportFrom):
            yield (node.module or "").split("."), node.level, node.lineno


def absolute(path, parts, level):
    """Resolve a relative import to parts below the package root."""
    if level == 0:
        return parts
    base = path.relative_to(ROOT).parts[:-1]
    base = base[: len(base) - (level - 1)]
    return [*base, *[part for part in parts if part]]


def may_use_qgis(path):
    relative = path.relative_to(ROOT)
    return (relative.parts[0] == "plugin" or path.name.endswith("_algorithm.py") or path.name == "provider.py"
            or (relative.parts[1] == "common" and path.name.startswith("qgis_")))


@pytest.mark.parametrize("path", PRODUCT, ids=name_of)
def test_only_wrappers_know_qgis(path):
    found = [line for parts, level, line in imports(path) if level == 0 and parts[0] in ("qgis", "PyQt5", "PyQt6", "processing")]
    assert may_use_qgis(path) or not found, f"lines {found} import qgis"


@pytest.mark.parametrize("path", PRODUCT, ids=name_of)
def test_rooms_import_only_what_they_may(path):
    parts = path.relative_to(ROOT).parts
    if parts[0] != "processing_algorithms" or len(parts) < 3:
        return
    room = parts[1]
    for module, level, line in imports(path):
        target = absolute(path, module, level)
        assert target[0] != "quyhoach", f"line {line}: imports inside the package are relative"
        if target[0] == "plugin":
            raise AssertionError(f"line {line}: nothing imports plugin/")
        if target[0] == "processing_algorithms" and len(target) > 1 and target[1] in (*ROOMS, "common"):
            allowed = {room, "common"} | ALLOWED[room] if room != "common" else {"common"}
            assert target[1] in allowed, f"line {line}: {room} must not import {target[1]}"


@pytest.mark.parametrize("path", PRODUCT, ids=name_of)
def test_qt_comes_from_qgis_pyqt_and_enums_are_scoped(path):
    text = path.read_text("utf-8")
    assert not re.search(r"^\s*(from|import) PyQt[56]", text, re.M)
    assert "QVariant." not in text, "QMetaType.Type is the scoped name"
    assert not re.search(r"\bQgsProcessing\.Type[A-Z]|\bQgsWkbTypes\.(Polygon|Point|Line|Multi|Unknown)|\bQt\.[A-Z][a-z]+[A-Z]?\w*\b(?!\.)(?=[,)\s])", text)


@pytest.mark.parametrize("path", EVERYTHING, ids=name_of)
def test_no_sys_path_edits_and_no_bare_except(path):
    tree = ast.parse(path.read_text("utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.ExceptHandler) and path in PRODUCT:
            assert node.type is not None, f"line {node.lineno}: bare except"
            raised_again = any(isinstance(inner, ast.Raise) and inner.exc is None for inner in ast.walk(node))
            assert raised_again or not (isinstance(node.type, ast.Name) and node.type.id in ("Exception", "BaseException")), \
                f"line {node.lineno}: except Exception hides bugs"
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            assert (node.value.id, node.attr) != ("sys", "path") or path.parts[-2] == "layout", f"line {node.lineno}: sys.path"


@pytest.mark.parametrize("path", [path for path in PRODUCT if "pyogrio" in path.read_text("utf-8")], ids=name_of)
def test_who_reads_by_pyogrio_keeps_the_curves_of_qgis(path):
    """It switches them off for the whole process, for good; writing does not."""
    tree = ast.parse(path.read_text("utf-8"))
    kept = {call for block in ast.walk(tree) if isinstance(block, ast.With)
            and any("curves_kept" in ast.unparse(item.context_expr) for item in block.items) for call in ast.walk(block)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and ast.unparse(node).startswith(("pyogrio.read", "pyogrio.list", "pyogrio.raw.read")):
            assert node in kept, f"line {node.lineno}: {ast.unparse(node)} outside curves_kept"


@pytest.mark.parametrize("path", PRODUCT, ids=name_of)
def test_files_stay_one_concept(path):
    lines = path.read_text("utf-8").count("\n")
    assert lines <= 420, f"{lines} lines; split it by concept"


@pytest.mark.parametrize("path", PRODUCT, ids=name_of)
def test_engine_stands_beside_its_wrapper(path):
    if path.name.endswith("_algorithm.py") and path.name != "qgis_algorithm.py":
        text = path.read_text("utf-8")
        assert re.search(r"^class \w+Algorithm\(\w*Algorithm\):", text, re.M), "a wrapper holds one algorithm class"


@pytest.mark.parametrize("path", PRODUCT, ids=name_of)
def test_modules_say_what_they_are(path):
    assert ast.get_docstring(ast.parse(path.read_text("utf-8"))), "a module starts with its card"


@pytest.mark.parametrize("path", PRODUCT, ids=name_of)
def test_texts_are_in_both_languages(path):
    """say(vi, en) takes two whole texts, and the Vietnamese one is not plain ASCII unless it is a short label."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "say":
            texts = [argument.value for argument in node.args if isinstance(argument, ast.Constant)]
            if any(isinstance(argument, ast.Starred) for argument in node.args):
                continue
            assert len(node.args) == 2, f"line {node.lineno}: say() takes both languages"
            assert all(text.strip() for text in texts), f"line {node.lineno}: empty text"
            if len(texts) == 2:
                vi, en = texts
                assert set(re.findall(r"{(\w+)", vi)) == set(re.findall(r"{(\w+)", en)), f"line {node.lineno}: placeholders differ"
                if len(vi.split()) >= 4:
                    assert not vi.isascii(), f"line {node.lineno}: Vietnamese without diacritics: {vi}"


def test_only_the_package_root_is_free_of_qgis():
    tree = ast.parse((ROOT / "__init__.py").read_text("utf-8"))
    assert not [node for node in tree.body if isinstance(node, (ast.Import, ast.ImportFrom))]


def test_nothing_of_one_machine_is_committed():
    import subprocess

    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True).stdout.split("\n")
    for name in listed:
        path = ROOT / name
        if name and path.suffix in (".py", ".md", ".toml", ".txt", ".sh", "") and path.is_file() and name != "LICENSE":
            text = path.read_text("utf-8", errors="replace")
            for marker in ("/wor" + "k/", "/roo" + "t/", "deb.debi" + "an.org", "pypi." + "org"):
                assert marker not in text, f"{name} names {marker}"


@pytest.mark.parametrize("card", sorted((ROOT / "processing_algorithms").rglob("__init__.py")), ids=name_of)
def test_a_card_names_what_lives_there(card):
    """Every module and folder, and nothing else; wrappers stand beside what they wrap and need no name."""
    text = ast.get_docstring(ast.parse(card.read_text("utf-8"))).replace("``", "")
    here = {path.stem for path in card.parent.glob("*.py")}
    wrappers = {name for name in here if name.endswith("_algorithm") and name != "qgis_algorithm"}
    folders = {f"{path.parent.name}/" for path in card.parent.glob("*/__init__.py")}
    named = set(re.findall(r"`([a-z0-9_]+/?)`", text))
    assert sorted((here - wrappers - {"__init__"} | folders) - named) == [], "the card does not name them"
    others = {f"{path.name}/" for path in card.parent.iterdir() if path.is_dir()} | {"load_table", "name_algorithm"}
    assert sorted(named - here - folders - others) == [], "the card speaks of what is not there"


def test_styles_of_results_exist():
    named = {(path.name, style) for path in PRODUCT for style in re.findall(r'"([a-z_]+/[a-z_0-9]+\.qml)"', path.read_text("utf-8"))}
    assert named and not [(name, style) for name, style in sorted(named) if not (ROOT / "styles" / style).exists()]
