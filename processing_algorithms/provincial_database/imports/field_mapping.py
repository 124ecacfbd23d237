"""Which column of a layer fills which field of a dataset."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ...common.errors import refuse_if
from ...common.language import say
from ...common.legacy_text import possible_readings
from ..catalogue import Dataset
from ..catalogue.model import FEATURE_ID

_PAIR = re.compile(r"""
    \s*(?P<field>[^=;]+?)\s* =
    \s*(?: '(?P<constant>(?:[^']|'')*)' | "(?P<quoted>(?:[^"]|"")*)" | (?P<column>(?:[^\s;'"][^;\n]*?)?) )
    \s*(?: ; | \n | $ )""", re.VERBOSE)


@dataclass(frozen=True)
class Constant:
    """A value given to every row."""

    value: str


Mapped = Mapping[str, "str | Constant"]


def parse_mapping(text: str | Mapping[str, str]) -> dict[str, str | Constant]:
    """Read a mapping as people write it; fields are not yet looked up.

    Parameters
    ----------
    text : str or mapping
        ``field = column`` separated by semicolons or lines; a value in single quotes is given to every row. A column
        whose name begins with a quote or has a semicolon is put in double quotes. JSON objects and mappings
        (``{"field": "column"}``, constants as ``"'value'"``) do too.

    Raises
    ------
    InputError
        A part that cannot be read.

    Examples
    --------
    >>> parse_mapping("land_code = MALOAIDAT; year = '2024'")
    {'land_code': 'MALOAIDAT', 'year': Constant(value='2024')}
    """
    if not isinstance(text, str):
        return {str(field): _source(str(column)) for field, column in text.items() if str(column).strip()}
    if text.lstrip().startswith("{"):
        try:
            return parse_mapping(json.loads(text))
        except (ValueError, AttributeError) as error:
            refuse_if([_not_understood(text, str(error))])
    mapping: dict[str, str | Constant] = {}
    problems: list[str] = []
    position = 0
    while text[position:].strip(" ;\n\r\t"):
        found = _PAIR.match(text, position)
        if not found:
            problems.append(_not_understood(text[position:], ""))
            break
        if found["field"] in mapping:
            problems.append(say("Trường \"{field}\" được gán hai lần.",
                                "The field \"{field}\" is mapped twice.").format(field=found["field"]))
        if found["constant"] is not None:
            mapping[found["field"]] = Constant(found["constant"].replace("''", "'"))
        elif found["quoted"] or found["column"]:
            mapping[found["field"]] = (found["quoted"] or "").replace('""', '"') or found["column"]
        position = found.end()
    refuse_if(problems)
    return mapping


def _source(column: str) -> str | Constant:
    return Constant(column[1:-1].replace("''", "'")) if len(column) >= 2 and column[0] == column[-1] == "'" else column


def _not_understood(text: str, why: str) -> str:
    return say("Không hiểu phần gán trường \"{text}\"; viết dạng: land_code = MALOAIDAT; year = '2024'.",
               "The field mapping \"{text}\" is not understood; write: land_code = MALOAIDAT; year = '2024'.").format(
                   text=f"{text.strip()[:60]} {why}".strip())


def resolve_mapping(dataset: Dataset, columns: Sequence[str], asked: Mapped | None = None) -> dict[str, str | Constant]:
    """Settle where every field of a dataset comes from.

    What is not asked for is found by name: a column called as the field, its id, its label in either language, or its
    name in TT 16/2025, whatever the case, diacritics, spaces and underscores; in TCVN3 and VNI, too. Fields nothing is found
    for stay null.

    Parameters
    ----------
    dataset : Dataset
    columns : sequence of str
        Of the layer.
    asked : mapping, optional
        From `parse_mapping`; fields may be named by name, id or label.

    Returns
    -------
    dict
        Field name to column or constant, in the order of the dataset; `feature_id` first when the layer has it.

    Raises
    ------
    InputError
        Unknown fields, unknown columns and required fields without a source, all together.
    """
    problems: list[str] = []
    settled: dict[str, str | Constant] = {}
    fields = {_plain(word): field.name for field in dataset.fields for word in (field.tt16_field or field.name,
                                                                                field.label.en, field.label.vi,
                                                                                field.id, field.name)}
    readings = {reading: column for column in reversed(columns) for reading in possible_readings(column)}
    for name, source in (asked or {}).items():
        if isinstance(source, str) and source not in columns:
            source = readings.get(source, source)
        field = name if name == FEATURE_ID else fields.get(_plain(name))
        if field is None:
            problems.append(say("{dataset} không có trường \"{field}\"; các trường: {names}.",
                                "{dataset} has no field \"{field}\"; its fields are: {names}.")
                            .format(dataset=dataset.label, field=name, names=", ".join(dataset.field_names)))
        elif isinstance(source, str) and source not in columns:
            problems.append(say("Lớp nhập không có trường \"{column}\"; các trường: {names}.",
                                "The layer has no field \"{column}\"; its fields are: {names}.")
                            .format(column=source, names=", ".join(columns)))
        else:
            settled[field] = source
    taken = {source for source in settled.values() if isinstance(source, str)}
    by_word = {_plain(reading): column for reading, column in readings.items() if column not in taken}
    by_word |= {_plain(column): column for column in reversed(columns) if column not in taken}
    for field in dataset.fields:
        words = (field.name, field.id, field.label.vi, field.label.en, field.tt16_field or field.name)
        found = next((by_word[_plain(word)] for word in words if _plain(word) in by_word), None)
        if field.name not in settled and found is not None:
            settled[field.name] = found
    if FEATURE_ID in columns:
        settled.setdefault(FEATURE_ID, FEATURE_ID)
    lacking = [f"{field.name} ({field.label})" for field in dataset.fields
               if field.required and field.name not in settled]
    if lacking:
        problems.append(say("Chưa biết lấy các trường bắt buộc từ đâu: {fields}. Khai báo ở FIELD_MAPPING, ví dụ: "
                            "{example} = TÊN_TRƯỜNG, "
                            "hoặc {example} = 'giá trị'. Các trường của lớp nhập: {columns}.",
                            "Nothing fills these required fields: {fields}. State it in FIELD_MAPPING, such as "
                            "{example} = COLUMN or "
                            "{example} = 'value'. The layer's fields are: {columns}.")
                        .format(fields=", ".join(lacking), example=lacking[0].split(" ")[0],
                                columns=", ".join(columns)))
    refuse_if(problems)
    order = {FEATURE_ID: -1} | {name: position for position, name in enumerate(dataset.field_names)}
    return dict(sorted(settled.items(), key=lambda item: order[item[0]]))


def _plain(word: str) -> str:
    """Fold what people write differently for the same name.

    Examples
    --------
    >>> _plain("Tờ bản đồ số") == _plain("to_ban_do_so")
    True
    """
    letters = unicodedata.normalize("NFD", word.casefold().replace("đ", "d"))
    return "".join(letter for letter in letters if letter.isalnum() and not unicodedata.combining(letter))


def as_text(mapping: Mapped) -> dict[str, str]:
    """Return the mapping as it is recorded and can be given again."""
    return {field: "'" + source.value.replace("'", "''") + "'" if isinstance(source, Constant) else source for field,
            source in mapping.items()}
