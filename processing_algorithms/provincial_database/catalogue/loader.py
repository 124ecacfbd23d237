"""Reads the catalogue and refuses it completely: every mistake in every file is told at once, with file and field."""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import Any

from ...common.errors import InputError, refuse_if
from ...common.language import say
from ...common.norms import load_table
from .model import (
    CRS_RULES,
    DEPARTMENTS,
    GEOMETRIES,
    RESERVED,
    SECRECY,
    TYPES,
    Catalogue,
    Check,
    Dataset,
    Domain,
    DomainValue,
    Field,
    Text,
)

FOLDER = Path(__file__).parent
_SHARED = "domains.toml"
_NAME = re.compile(r"[a-z][a-z0-9_]{0,49}")
_DATASET_ID = re.compile(r"D\d{2}")
_TT16_CLASS = re.compile(r"[A-Za-z]+/[A-Za-z_]+/[A-Za-z]+_[APL]")
_OPERATORS = ("<=", "<", "=", ">=", ">")
_DATASET_KEYS = {"id", "name", "room", "label", "help", "geometry", "crs", "secrecy", "key", "title_field", "style",
                 "tt16_class", "rights", "field", "check", "domain"}
_FIELD_KEYS = {"id", "name", "type", "label", "help", "length", "decimals", "unit", "min", "max", "pattern", "domain",
               "required", "secrecy", "references", "tt16_field"}


@lru_cache(maxsize=4)
def load_catalogue(folder: Path = FOLDER) -> Catalogue:
    """Read all datasets of a folder.

    Parameters
    ----------
    folder : Path
        Holds ``domains.toml`` and one ``<name>.toml`` per dataset.

    Raises
    ------
    InputError
        All mistakes of all files, each as ``file: field: what is wrong``.
    """
    problems: list[str] = []
    raw = {path.name: _toml(path, problems) for path in sorted(folder.glob("*.toml"))}
    refuse_if(problems)
    shared = _domains(_SHARED, raw.pop(_SHARED, {}).get("domain", {}), problems)
    datasets = [_dataset(file, content, shared, problems) for file, content in raw.items()]
    refuse_if(problems)
    complete = [dataset for dataset in datasets if dataset is not None]
    refuse_if(_across(complete))
    return Catalogue(tuple(complete))


def _toml(path: Path, problems: list[str]) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        problems.append(f"{path.name}: {error}")
        return {}


def _domains(file: str, raw: dict[str, Any], problems: list[str]) -> dict[str, Domain]:
    domains = {}
    for name, content in raw.items():
        where = f"{file}: domain {name}"
        try:
            domains[name] = _domain(name, content)
        except (KeyError, TypeError) as error:
            problems.append(say("{where}: thiếu hoặc sai {what}",
                                "{where}: missing or wrong {what}").format(where=where, what=error))
            continue
        twice = _twice(value.code for value in domains[name].values)
        if twice:
            problems.append(say("{where}: mã bị lặp {codes}", "{where}: repeated codes {codes}").format(
                where=where, codes=", ".join(twice)))
    return domains


def _domain(name: str, content: dict[str, Any]) -> Domain:
    if "table" not in content:
        values = tuple(DomainValue(value["code"], Text(value["vi"], value["en"])) for value in content["values"])
        return Domain(name, _text(content["label"]), values)
    # All times together: legacy codes stay in the data until they are recoded.
    rows = load_table(content["table"], on=None).rows
    values = tuple(DomainValue(str(row[content["code"]]),
                               Text(str(row[content["vi"]]), str(row[content["en"]]))) for row in rows)
    return Domain(name, _text(content["label"]), values, content["table"])


def _text(raw: dict[str, str]) -> Text:
    vi, en = raw["vi"], raw["en"]
    if not vi.strip() or not en.strip():
        raise KeyError("vi, en")
    return Text(vi, en)


def _dataset(file: str, raw: dict[str, Any], shared: dict[str, Domain], problems: list[str]) -> Dataset | None:
    found = [f"{file}: {problem}" for problem in _wrong_keys(raw, _DATASET_KEYS)]
    domains = {**shared, **_domains(file, raw.get("domain", {}), found)}
    fields = [_field(field, domains, f"{file}: {field.get('name', '?')}", found) for field in raw.get("field", [])]
    try:
        dataset = Dataset(
            id=raw["id"], name=raw["name"], room=raw["room"], label=_text(raw["label"]), help=_text(raw["help"]),
            geometry=raw.get("geometry"), crs=raw["crs"], secrecy=raw["secrecy"], key=tuple(raw.get("key", ())),
            title_field=raw["title_field"], style=raw["style"], tt16_class=raw.get("tt16_class"),
            writers=tuple(raw["rights"]["writers"]), commune_field=raw["rights"].get("commune_field"),
            fields=tuple(field for field in fields if field is not None),
            checks=tuple(Check(check["id"], *check["compare"], _text(check["message"])) for check in raw.get("check",
                                                                                                             [])))
    except (KeyError, TypeError) as error:
        found.append(say("{file}: thiếu hoặc sai {what}", "{file}: missing or wrong {what}").format(file=file,
                                                                                                    what=error))
        dataset = None
    if dataset is not None:
        found += [f"{file}: {problem}" for problem in _inside(file, dataset)]
    problems += found
    return dataset


def _field(raw: dict[str, Any], domains: dict[str, Domain], where: str, problems: list[str]) -> Field | None:
    found = list(_wrong_keys(raw, _FIELD_KEYS))
    named = raw.get("domain")
    if named is not None and named not in domains:
        found.append(say("không có danh mục {name}", "there is no domain {name}").format(name=named))
    try:
        field = Field(
            id=raw["id"], name=raw["name"], type=raw["type"], label=_text(raw["label"]), help=_text(raw["help"]),
            length=raw.get("length"), decimals=raw.get("decimals"), unit=raw.get("unit"), minimum=raw.get("min"),
            maximum=raw.get("max"), pattern=raw.get("pattern"), domain=domains.get(named),
            required=raw.get("required", False),
            secrecy=raw.get("secrecy", "public"), references=raw.get("references"), tt16_field=raw.get("tt16_field"))
        found += _wrong_field(field)
    except (KeyError, TypeError) as error:
        found.append(say("thiếu hoặc sai {what}", "missing or wrong {what}").format(what=error))
        field = None
    problems += [f"{where}: {problem}" for problem in found]
    return field


def _wrong_keys(raw: dict[str, Any], known: set[str]) -> Iterable[str]:
    return [say("không hiểu khóa {key}", "unknown key {key}").format(key=key) for key in raw if key not in known]


def _one_of(what: str, value: object, allowed: Iterable[object]) -> str:
    allowed = list(allowed)
    return "" if value in allowed else say("{what} là \"{value}\", chỉ được là {allowed}",
                                           "{what} is \"{value}\", must be one of {allowed}").format(
        what=what, value=value, allowed=", ".join(map(str, allowed)))


def _wrong_field(field: Field) -> list[str]:
    """Tell what is wrong with one field by itself."""
    numeric = field.type in ("integer", "real")
    problems = [
        _one_of("type", field.type, TYPES),
        _one_of("secrecy", field.secrecy, SECRECY),
        "" if _NAME.fullmatch(field.name) and field.name not in RESERVED else say("tên trường không hợp lệ",
                                                                                  "not a valid field name"),
        "" if field.length is None or field.type == "text" else say("length chỉ dùng cho text",
                                                                    "length is for text only"),
        "" if field.length or field.type != "text" else say("text phải có length", "text needs a length"),
        "" if field.decimals is None or field.type == "real" else say("decimals chỉ dùng cho real",
                                                                      "decimals is for real only"),
        "" if numeric or (field.minimum is None and field.maximum is None) else say("min, max chỉ dùng cho số",
                                                                                    "min and max are for numbers"),
        "" if field.type == "text" or not (field.domain or field.pattern) else say("domain, pattern chỉ dùng cho text",
                                                                                   "domain and pattern are for text"),
    ]
    limits = [limit for limit in (field.minimum, field.maximum, field.length, field.decimals) if limit is not None]
    if not all(isinstance(limit, (int, float)) for limit in limits):
        problems.append(say("min, max, length, decimals phải là số", "min, max, length and decimals are numbers"))
    elif field.minimum is not None and field.maximum is not None and field.minimum > field.maximum:
        problems.append(say("min lớn hơn max", "min is above max"))
    if field.pattern is not None:
        try:
            re.compile(field.pattern)
        except re.error as error:
            problems.append(f"pattern: {error}")
        if not (field.pattern.startswith("^") and field.pattern.endswith("$")):
            problems.append(say("pattern phải bắt đầu bằng ^ và kết thúc bằng $",
                                "a pattern starts with ^ and ends with $"))
    longest = max(map(len, field.domain.codes), default=0) if field.domain is not None else 0
    if field.length is not None and longest > field.length:
        problems.append(say("có mã dài hơn length", "a code is longer than length"))
    return [problem for problem in problems if problem]


def _inside(file: str, dataset: Dataset) -> list[str]:
    """Tell what is wrong inside one dataset."""
    names = dataset.field_names
    problems = [
        "" if _DATASET_ID.fullmatch(dataset.id) else say("id phải có dạng D01", "the id must look like D01"),
        "" if _NAME.fullmatch(dataset.name) and f"{dataset.name}.toml" == file else say("name phải trùng tên tệp",
                                                                                        "the name must be the file's"),
        _one_of("geometry", dataset.geometry, (None, *GEOMETRIES)),
        _one_of("crs", dataset.crs, CRS_RULES),
        _one_of("secrecy", dataset.secrecy, SECRECY),
        _one_of("title_field", dataset.title_field, names),
        "" if dataset.tt16_class is None or _TT16_CLASS.fullmatch(dataset.tt16_class)
        else say("tt16_class sai dạng", "tt16_class is malformed"),
        *(_one_of("rights.writers", writer, DEPARTMENTS) for writer in dataset.writers),
        *(_one_of("key", name, names) for name in dataset.key),
        *(say("trường bị lặp {name}",
              "repeated field {name}").format(name=name) for name in _twice(field.name for field in dataset.fields)),
    ]
    if dataset.commune_field is not None:
        problems.append(_one_of("rights.commune_field", dataset.commune_field, names))
    for field in dataset.fields:
        if not field.id.startswith(f"{dataset.id}."):
            problems.append(say("{name}: id phải bắt đầu bằng {id}.",
                                "{name}: the id must start with {id}.").format(name=field.name, id=dataset.id))
    for check in dataset.checks:
        problems.append(_one_of(f"{check.id}: compare", check.operator, _OPERATORS))
        sides = [dataset.field(name).type for name in (check.left, check.right) if name in names]
        if len(sides) < 2 or sides[0] != sides[1] and not set(sides) <= {"integer", "real"}:
            problems.append(say("{id}: hai trường không so sánh được",
                                "{id}: the two fields cannot be compared").format(id=check.id))
    return [problem for problem in problems if problem]


def _across(datasets: list[Dataset]) -> list[str]:
    """Tell what is wrong between datasets: ids given twice, references to nothing."""
    ids = [dataset.id for dataset in datasets] + [item.id for dataset in datasets for item in (*dataset.fields,
                                                                                               *dataset.checks)]
    problems = [say("id bị lặp: {id}", "repeated id: {id}").format(id=twice) for twice in _twice(ids)]
    lists: dict[str, Domain] = {}
    for dataset in datasets:
        for field in dataset.fields:
            # The name of a list is its name in the hub too, so one name is one list.
            if field.domain is not None and lists.setdefault(field.domain.name, field.domain) != field.domain:
                problems.append(say("{file}: danh mục {name} đã có ở tệp khác",
                                    "{file}: domain {name} is another file's too").format(
                    file=f"{dataset.name}.toml", name=field.domain.name))
    known = {f"{dataset.name}.{field.name}" for dataset in datasets for field in dataset.fields}
    problems += [
        say("{file}: {field}: không có {target}", "{file}: {field}: there is no {target}").format(
            file=f"{dataset.name}.toml", field=field.name, target=field.references)
        for dataset in datasets for field in dataset.fields
        if field.references is not None and field.references not in known
    ]
    return problems


def _twice(items: Iterable[str]) -> list[str]:
    return [item for item, count in Counter(items).items() if count > 1]


def find_dataset(catalogue: Catalogue, name: str) -> Dataset:
    """Return a dataset by name, id or label as people may type it; refuse others with the list of names."""
    asked = name.strip()
    for dataset in catalogue.values():
        if asked in (dataset.id, dataset.name) or asked.casefold() in (dataset.label.vi.casefold(),
                                                                       dataset.label.en.casefold()):
            return dataset
    raise InputError(say("Danh mục không có tập dữ liệu \"{name}\"; các tập dữ liệu: {names}.",
                         "The catalogue has no dataset \"{name}\"; its datasets are: {names}.")
                     .format(name=asked, names=", ".join(catalogue)))
