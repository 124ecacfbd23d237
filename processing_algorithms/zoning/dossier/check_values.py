"""Rules on attribute values (GT)."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

import numpy as np
import pandas
from numpy.typing import NDArray

from ...common.errors import name_some
from ...common.language import say
from ...common.legacy_text import Verdict, judge_columns
from ...common.numbers_vi import format_number
from .examined import Examined, ExaminedClass
from .rules import Finding
from .schema import FUNCTIONS, KIND, ZONES, DossierField, DossierSchema, plain

#: Letters of TCVN3 and VNI fonts that Vietnamese does not have, next to a letter, where a column has too few words to be
#: sure; and UTF-8 read as Windows-1252.
_OLD = re.compile("(?:(?<=[A-Za-zÀ-ỹ])[ïøûñäëöüåæç®¹¸·¶µ¨©ª«¬Æ¾]|[ïøûñäëöüåæç®¹¸·¶µ¨©ª«¬Æ¾](?=[A-Za-zÀ-ỹ]))"
                  "|Ã[\u0080-\u00bf¡-¿]|á[º»]|Ä[\u0090-\u0091‘’]|Æ°|\ufffd")
_UNTIDY = re.compile(r"^\s|\s$|\s{2}|[\x00-\x08\x0b-\x1f\x7f\u200b-\u200f\ufeff]")
#: Prefixes of the drawing's layers by time: present, short term, long term.
_TIMES = ("HT_", "QHDD_", "QHDH_")


def check_values(examined: Examined) -> Iterator[Finding]:
    """Yield findings on values of all classes."""
    schema = examined.schema
    for found in examined.filled():
        for one in schema.fields_of(found.item.name):
            if one.name in found.frame.columns:
                yield from _required(found, one)
                yield from _length(found, one)
                if one.type != "text":
                    yield from _number(found, one)
        yield from _texts(found)
    names = function_names(schema)
    for class_name in (FUNCTIONS, ZONES):
        layer = examined.get("QuyHoach", class_name)
        if layer is not None and KIND in layer.frame.columns:
            yield from _functions(layer, names, examined)


def function_names(schema: DossierSchema) -> dict[str, str]:
    """Return the code of each land function by every exact spelling: code, name, layers of the drawing."""
    names: dict[str, str] = {}
    for row in schema.functions:
        code = str(row["key"])
        layers = [word.strip() for column in ("layer_subarea_plan", "layer_general_plan")
                  for word in str(row[column]).split("/") if word.strip()]
        for word in (code, str(row["name_vi"]), *layers, *(time + layer for layer in layers for time in _TIMES)):
            names.setdefault(word, code)
    return names


def function_codes(found: ExaminedClass, schema: DossierSchema) -> NDArray[np.object_]:
    """Return the code of each row's land function, however it is spelled; blank where it is none."""
    names = {plain(word): code for word, code in function_names(schema).items()}
    codes = found.text(KIND).map(lambda text: names.get(plain(text), ""))
    return codes.to_numpy(dtype=object)


def _required(found: ExaminedClass, one: DossierField) -> Iterator[Finding]:
    if not one.value_required:
        return
    blank = (found.text(one.name) == "").to_numpy()
    if blank.any():
        yield found.finding(
            "GT-01",
            say("{n} đối tượng bỏ trống {name} ({label}).", "{n} features have no {name} ({label}).").format(
                n=int(blank.sum()), name=one.name, label=one.label
            ),
            blank,
        )


def _length(found: ExaminedClass, one: DossierField) -> Iterator[Finding]:
    if one.type != "text" or one.length is None:
        return
    long = (found.text(one.name).map(len) > one.length).to_numpy()
    if long.any():
        yield found.finding("GT-04", say("{n} đối tượng có {name} dài quá {length} ký tự.",
                                         "{n} features have a {name} of more than {length} signs.")
                            .format(n=int(long.sum()), name=one.name, length=one.length), long)


def _number(found: ExaminedClass, one: DossierField) -> Iterator[Finding]:
    values = found.numbers(one.name)
    odd = np.isnan(values) & (found.text(one.name) != "").to_numpy()
    if odd.any():
        yield found.finding("GT-08", say("{n} đối tượng có {name} không phải số: {values}.",
                                         "{n} features have a {name} that is no number: {values}.")
                            .format(n=int(odd.sum()), name=one.name,
                                    values=name_some(dict.fromkeys(found.text(one.name)[odd]), 3)), odd)
    low = -np.inf if one.minimum is None else one.minimum
    high = np.inf if one.maximum is None else one.maximum
    with np.errstate(invalid="ignore"):
        out = (values < low) | (values > high)
    if out.any():
        yield found.finding("GT-09", say("{n} đối tượng có {name} ngoài khoảng {low} đến {high}: {values}.",
                                         "{n} features have a {name} outside {low} to {high}: {values}.")
                            .format(n=int(out.sum()), name=one.name, low=_bound(low), high=_bound(high),
                                    values=name_some((format_number(value, 2) for value in values[out]), 3)), out)


def _bound(value: float) -> str:
    return "…" if np.isinf(value) else format_number(value)


def _texts(found: ExaminedClass) -> Iterator[Finding]:
    """Encoding and tidiness of every text, of fields the standard does not know, too."""
    # Few values are distinct: each is looked at once.
    texts = {name: [value for value in pandas.unique(found.frame[name]) if isinstance(value, str)] for name in found.frame.columns
             if name != found.frame.geometry.name and found.frame[name].dtype == object}
    verdicts = judge_columns(texts)
    for name, distinct in texts.items():
        column, verdict = found.frame[name], verdicts.get(name)
        for rule, told in (
            ("GT-05", {v for v in distinct if unicodedata.normalize("NFC", v) != v}),
            ("GT-06", {v for v in distinct if _is_old(v, verdict)}),
            ("GT-07", {v for v in distinct if v.strip() and _UNTIDY.search(v)}),
        ):
            if told:
                which = column.isin(told).to_numpy()
                yield found.finding(
                    rule,
                    say("{n} đối tượng, trường {name}: {values}.", "{n} features, field {name}: {values}.").format(
                        n=int(which.sum()),
                        name=name if rule != "GT-06" or verdict is None else f"{name} ({verdict.encoding})",
                        values=name_some((_quoted(value, verdict if rule == "GT-06" else None) for value in sorted(told)), 3),
                    ),
                    which,
                )


def _is_old(text: str, verdict: Verdict | None) -> bool:
    return verdict is not None and verdict.convert(text) != text or bool(_OLD.search(unicodedata.normalize("NFC", text)))


def _quoted(text: str, verdict: Verdict | None) -> str:
    meaning = text if verdict is None else verdict.convert(text)
    quoted = f'"{text.strip()[:60]}"'
    return quoted if meaning == text else say("{old} (đọc là \"{new}\")", "{old} (reads \"{new}\")").format(
        old=quoted, new=meaning.strip()[:60])


def _functions(found: ExaminedClass, names: dict[str, str], examined: Examined) -> Iterator[Finding]:
    values = found.text(KIND)
    loosely = {plain(word): code for word, code in names.items()}
    exact = values.isin(list(names)).to_numpy()
    close = ~exact & values.map(lambda text: plain(text) in loosely).to_numpy(dtype=bool)
    unknown = ~exact & ~close
    if found.item.name == ZONES and unknown.mean() > 0.5:
        # Here the field may tell a kind of zone instead of its function.
        examined.unassessed.append(
            say("Lớp {name}: trường {field} không ghi chức năng sử dụng đất, chưa kiểm tra chức năng của ô.",
                "Class {name}: the field {field} does not tell land functions; those of zones are not checked.")
            .format(name=found.item.name, field=KIND))
        return
    if unknown.any():
        some = name_some((f"\"{value}\"" if value else say("(trống)", "(blank)")
                          for value in dict.fromkeys(values[unknown])), 5)
        yield found.finding("GT-02", say("{n} đối tượng có {field} không thuộc danh mục chức năng sử dụng đất: {values}.",
                                         "{n} features have a {field} that is no land function: {values}.")
                            .format(n=int(unknown.sum()), field=KIND, values=some), unknown)
    if close.any():
        yield found.finding("GT-03", say("{n} đối tượng có {field} viết khác danh mục: {values}.",
                                         "{n} features have a {field} spelled otherwise than in the list: {values}.")
                            .format(n=int(close.sum()), field=KIND,
                                    values=name_some((f"\"{value}\"" for value in dict.fromkeys(values[close])), 5)),
                            close)
