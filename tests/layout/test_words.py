"""Words people read: official titles, none of the words the glossary rules out, nothing said in one language only.

``glossary_titles.csv`` and ``forbidden_words.csv`` are the rows of the project's glossary that can be tested.
"""

import ast
import csv
import re
from html import unescape
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).parent
CODE = sorted(p for folder in ("plugin", "processing_algorithms", "scripts/demonstration") for p in (ROOT / folder).rglob("*.py"))
DATA = sorted(p for folder, pattern in (("processing_algorithms", "*.toml"), ("styles", "*.qml"), ("styles", "*.md"), ("plugin", "*_vi.html"))
              for p in (ROOT / folder).rglob(pattern))
VIETNAMESE = re.compile("[ăâđêôơưĂÂĐÊÔƠƯàáạảãằắặẳẵầấậẩẫèéẹẻẽềếệểễìíịỉĩòóọỏõồốộổỗờớợởỡùúụủũừứựửữỳýỵỷỹ]")
TITLES = dict(list(csv.reader((HERE / "glossary_titles.csv").open(encoding="utf-8")))[1:])
FORBIDDEN = [(re.compile(pattern, re.IGNORECASE if pattern != r"\bhub\b" else 0), instead)
             for pattern, instead in list(csv.reader((HERE / "forbidden_words.csv").open(encoding="utf-8")))[1:]]


def name_of(path):
    return str(path.relative_to(ROOT))


def docstrings(tree):
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)) and node.body:
            first = node.body[0]
            if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
                found.add(id(first.value))
    return found


def read_by_people(path):
    """Yield (line, text) of the Vietnamese texts of a module; words a person may search by or type are not read by people."""
    tree = ast.parse(path.read_text("utf-8"))
    left_out = docstrings(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and any(getattr(part, "id", "") == "TAGS" for target in node.targets for part in ast.walk(target)):
            left_out |= {id(inner) for inner in ast.walk(node.value)}
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "say":
            left_out |= {id(inner) for argument in node.args[1:] for inner in ast.walk(argument)}
    for node in ast.walk(tree):  # fields in braces and ids of algorithms are no words
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in left_out and VIETNAMESE.search(node.value):
            yield node.lineno, re.sub(r"{[^}]*}|quyhoach:[a-z]+", "", node.value)


def wrong(text):
    return [f'"{found[0]}", write "{instead}"' for pattern, instead in FORBIDDEN if (found := pattern.search(text))]


@pytest.mark.parametrize("path", CODE, ids=name_of)
def test_no_word_the_glossary_rules_out(path):
    assert [(line, told) for line, text in read_by_people(path) for told in wrong(text)] == []


@pytest.mark.parametrize("path", DATA, ids=name_of)
def test_no_such_word_in_catalogue_styles_and_help(path):
    text = path.read_text("utf-8")
    if path.suffix == ".toml":
        text = "\n".join(re.findall(r'\bvi = "([^"]*)"', text))
    elif path.suffix == ".qml":
        text = "\n".join(unescape(label) for label in re.findall(r'label="([^"]*)"', text))
    else:
        text = re.sub(r"<[^>]*>", "", text)
    assert wrong(text) == []


def test_the_words_are_found():
    """The patterns see what they are for, and not what only looks like it."""
    for bad in ("Đẩy dữ liệu lên hub", "Mở hub", "chứng chỉ quy hoạch", "quy hoạch vùng", "kéo về máy", "bác sĩ tọa độ", "Ban Chỉ huy PCTT"):
        assert wrong(bad), bad
    for good in ("HUB", "kéo dài qua sông", "đẩy nhanh", "vùng ngập", "khu vực bị cô lập", "giấy chứng nhận", "biến động đất đai", "vùng nguy cơ sạt lở"):
        assert not wrong(good), good


def titles():
    """Vietnamese title by id of the algorithms whose title is one text."""
    found = {}
    for path in CODE:
        if not path.name.endswith("_algorithm.py"):
            continue
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not isinstance(node, ast.ClassDef):
                continue
            constants = {}
            for part in node.body:
                if isinstance(part, ast.Assign):
                    target = part.targets[0]
                    pairs = zip(target.elts, part.value.elts) if isinstance(target, ast.Tuple) else [(target, part.value)]
                    constants |= {name.id: value.value for name, value in pairs if isinstance(value, ast.Constant)}
                if isinstance(part, ast.FunctionDef) and part.name == "title":
                    said = [call.args[0].value for call in ast.walk(part) if isinstance(call, ast.Call) and getattr(call.func, "id", "") == "say"]
                    if "ID" in constants and len(said) == 1:
                        found[constants["ID"]] = said[0]
    return found


def test_algorithms_bear_their_official_titles():
    ours = titles()
    assert len(set(ours) & set(TITLES)) > 25
    assert {identity: (title, TITLES[identity]) for identity, title in ours.items() if TITLES.get(identity, title) != title} == {}


@pytest.mark.parametrize("path", [p for p in CODE if "demonstration" not in name_of(p) and "plugin" in name_of(p).split("/")[0]], ids=name_of)
def test_desks_say_nothing_in_one_language_only(path):
    """In the desks every Vietnamese text stands in say(), or first in a pair that is said later."""
    tree = ast.parse(path.read_text("utf-8"))
    paired = docstrings(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "say":
            paired |= {id(inner) for argument in node.args for inner in ast.walk(argument)}
        if isinstance(node, ast.Tuple) and len(node.elts) >= 2 and all(isinstance(part, ast.Constant) for part in node.elts[:2]):
            paired.add(id(node.elts[0]))
            paired.add(id(node.elts[1]))
    names = ("QuyHoạch", "Hòn Dấu", "đô thị Lam Trạch", "Sở Xây dựng")  # of things, not texts
    alone = [(node.lineno, node.value) for node in ast.walk(tree)
             if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in paired and VIETNAMESE.search(node.value)
             and node.value not in names and not re.search(r"\.[a-z]{3,4}$", node.value)]
    assert alone == []


def test_catalogue_texts_are_in_both_languages():
    import tomllib

    def texts(value):
        if isinstance(value, dict):
            if set(value) & {"vi", "en"}:
                yield value
            else:
                for inner in value.values():
                    yield from texts(inner)
        elif isinstance(value, list):
            for inner in value:
                yield from texts(inner)

    found = [text for path in (ROOT / "processing_algorithms" / "provincial_database" / "catalogue").glob("*.toml")
             for text in texts(tomllib.loads(path.read_text("utf-8")))]
    assert len(found) > 300 and [text for text in found if not (text.get("vi", "").strip() and text.get("en", "").strip())] == []
