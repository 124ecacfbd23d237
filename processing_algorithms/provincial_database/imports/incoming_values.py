"""Values as they come from anywhere, made into values of the catalogue's types, or refused with a reason."""

from __future__ import annotations

import datetime
import math
import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from functools import lru_cache

import numpy as np
import pandas

from ...common.errors import InputError
from ...common.language import say
from ...common.numbers_vi import format_number, parse_date, parse_number
from ..catalogue import Domain, Field
from ..typed_columns import typed_column

#: Times without a zone are what the clock on the wall says.
VIETNAM = datetime.timezone(datetime.timedelta(hours=7))
_TRUE = {"1", "true", "t", "yes", "y", "có", "co", "x", "đúng"}
_FALSE = {"0", "false", "f", "no", "n", "không", "khong", "sai"}
_FIXED_DIGITS = re.compile(r"^\^\[0-9\]\{(\d+)\}\$$")


@dataclass
class Converted:
    """A column of a field's type, why some positions could not be, and what was changed on the way (note -> count)."""

    column: pandas.Series
    refused: dict[int, str] = dataclass_field(default_factory=dict)
    changes: dict[str, int] = dataclass_field(default_factory=dict)


class Unfit(Exception):
    """A value that cannot be one of the field; the message is the reason."""


def convert(values: pandas.Series, field: Field) -> Converted:
    """Convert a column to a field's type and check it against the field alone.

    Parameters
    ----------
    values : Series
        Any type; numbers and dates may be text as people type it.
    field : Field

    Returns
    -------
    Converted
        Refused positions hold null.

    Notes
    -----
    An empty text stays empty where the field is free text; where codes, numbers or dates are expected it is null.
    A domain's label stands for its code. Every distinct value is looked at once; a constant is best given as a
    categorical.
    """
    distinct, positions = _distinct(values)
    changed: dict[int, str] = {}
    results: list[object] = []
    reasons: dict[int, str] = {}
    used = set(np.unique(positions).tolist())
    for number, value in enumerate(distinct):
        if number not in used:
            results.append(None)
            continue
        try:
            result = None if _is_null(value) else _CONVERTERS[field.type](value, field)
            if isinstance(result, _Changed):
                changed[number] = result.note
                result = result.value
            if result is None and field.required:
                raise Unfit(say("thiếu giá trị bắt buộc", "a required value is missing"))
            results.append(result)
        except Unfit as refusal:
            reasons[number] = str(refusal)
            results.append(None)
    column = typed_column(results, field).take(positions)
    column.index = values.index
    outcome = Converted(column)
    if reasons:
        for position in np.flatnonzero(np.isin(positions, list(reasons))):
            outcome.refused[int(position)] = f"{field.label}: {reasons[positions[position]]}"
    for number, note in changed.items():
        told = f"{field.label}: {note}"
        outcome.changes[told] = outcome.changes.get(told, 0) + int((positions == number).sum())
    return outcome


@dataclass(frozen=True)
class _Changed:
    value: object
    note: str


def _distinct(values: pandas.Series) -> tuple[list[object], np.ndarray]:
    """Return the distinct values and, for each row, which one it has."""
    plain = isinstance(values.dtype, pandas.CategoricalDtype) or values.dtype.kind in "iufM"
    if plain or pandas.api.types.infer_dtype(values, skipna=True) in ("string", "date", "empty"):
        positions, distinct = pandas.factorize(values, sort=False)
        # The last one is null, which factorize numbers -1.
        return [*distinct.astype(object), None], np.where(positions < 0, len(distinct), positions)
    seen: dict[tuple[type, object], int] = {}
    found: list[object] = []
    positions = np.empty(len(values), dtype=np.int64)
    for row, value in enumerate(values.astype(object)):
        # True, 1 and 1.0 are equal but not the same thing to a text field.
        key = (float, "null") if _is_null(value) else (type(value), value if value.__hash__ else repr(value))
        positions[row] = seen.setdefault(key, len(seen))
        if len(found) < len(seen):
            found.append(value)
    return found, positions


def _is_null(value: object) -> bool:
    return value is None or value is pandas.NA or value is pandas.NaT or (isinstance(value, float) and value != value)


def _text(value: object, field: Field) -> object:
    changed = None
    if isinstance(value, (bool, np.bool_)):
        text = "1" if value else "0"
    elif isinstance(value, (int, float, np.integer, np.floating)):
        text = str(int(value)) if float(value).is_integer() else repr(float(value))
        digits = _FIXED_DIGITS.match(field.pattern or "")
        if digits and len(text) < int(digits[1]):
            changed = say("đã thêm số 0 đứng đầu cho mã bị lưu dạng số",
                          "leading zeros given back to codes kept as numbers")
            text = text.zfill(int(digits[1]))
    elif isinstance(value, (datetime.datetime, datetime.date)):
        text = value.isoformat()
    else:
        text = str(value)
    if "\x00" in text:
        raise Unfit(say("có ký tự rỗng (NUL)", "contains a NUL character"))
    if field.domain is not None or field.pattern is not None or field.references is not None:
        stripped = text.strip()
        if not stripped:
            return None
        if field.domain is not None:
            code, note = _code(stripped, field.domain)
            return _Changed(code, note) if note else code
        text = stripped
    if field.required and not text.strip():
        raise Unfit(say("để trống", "is blank"))
    if field.pattern is not None and not re.fullmatch(field.pattern, text):
        raise Unfit(say("\"{text}\" sai dạng mã", "\"{text}\" is a malformed code").format(text=_short(text)))
    if field.length is not None and len(text) > field.length:
        raise Unfit(say("dài {n} ký tự, tối đa {most}", "has {n} characters, at most {most}").format(n=len(text),
                                                                                                     most=field.length))
    return _Changed(text, changed) if changed else text


def _code(text: str, domain: Domain) -> tuple[str, str | None]:
    if text in domain.codes:
        return text, None
    words = _words(domain)
    code = words.get(_fold(text))
    if code is None:
        raise Unfit(say("mã \"{code}\" không có trong danh mục {domain}",
                        "the code \"{code}\" is not in the list {domain}")
                    .format(code=_short(text), domain=domain.label))
    return code, say("đã đổi tên gọi, chữ hoa thường thành mã", "names and letter case turned into codes")


@lru_cache(maxsize=256)
def _words(domain: Domain) -> dict[str, str]:
    """Map folded codes and labels to codes; words that could mean two codes are left out."""
    words: dict[str, str | None] = {}
    for value in domain.values:
        for word in {_fold(value.code), _fold(value.label.vi), _fold(value.label.en)}:
            words[word] = value.code if words.get(word, value.code) == value.code else None
    return {word: code for word, code in words.items() if code is not None}


def _fold(text: str) -> str:
    return unicodedata.normalize("NFC", " ".join(text.split())).casefold()


def _short(text: str) -> str:
    return text if len(text) <= 40 else text[:39] + "…"


def _number(value: object) -> float | int | None:
    if isinstance(value, (bool, np.bool_)):
        return int(value)
    if isinstance(value, (int, np.integer)):
        return int(value)
    if isinstance(value, (float, np.floating)):
        if math.isinf(value):
            raise Unfit(say("là số vô hạn", "is infinite"))
        return float(value)
    text = str(value).strip()
    if not text:
        return None
    if re.fullmatch(r"[+-]?\d{1,19}", text):
        return int(text)
    try:
        return parse_number(text)
    except InputError as error:
        raise Unfit(str(error).rstrip(".")) from None


def _within(number: float, field: Field) -> None:
    if field.minimum is not None and number < field.minimum:
        raise Unfit(say("{value} nhỏ hơn {limit}", "{value} is below {limit}").format(value=_shown(number),
                                                                                      limit=_shown(field.minimum)))
    if field.maximum is not None and number > field.maximum:
        raise Unfit(say("{value} lớn hơn {limit}", "{value} is above {limit}").format(value=_shown(number),
                                                                                      limit=_shown(field.maximum)))


def _shown(number: float) -> str:
    return format_number(number, 0 if float(number).is_integer() else 3, group=False)


def _integer(value: object, field: Field) -> int | None:
    number = _number(value)
    if number is None:
        return None
    if isinstance(number, float):
        if not number.is_integer():
            raise Unfit(say("{value} không phải số nguyên",
                            "{value} is not a whole number").format(value=_shown(number)))
        number = int(number)
    if not -(2**63) <= number < 2**63:
        raise Unfit(say("số quá lớn", "is too large"))
    _within(number, field)
    return number


def _real(value: object, field: Field) -> float | None:
    number = _number(value)
    if number is None:
        return None
    _within(number, field)
    return float(number)


def _boolean(value: object, field: Field) -> bool | None:
    if isinstance(value, (bool, np.bool_)):
        return bool(value)
    if isinstance(value, (int, float, np.integer, np.floating)):
        text = str(int(value)) if float(value).is_integer() else "?"
    else:
        text = unicodedata.normalize("NFC", str(value).strip()).casefold()
    if not text:
        return None
    if text in _TRUE or text in _FALSE:
        return text in _TRUE
    raise Unfit(say("\"{value}\" không phải có/không", "\"{value}\" is not yes or no").format(value=_short(str(value))))


def _date(value: object, field: Field) -> datetime.date | None:
    if isinstance(value, datetime.datetime):
        return value.date()
    if isinstance(value, datetime.date):
        return value
    if isinstance(value, np.datetime64):
        return pandas.Timestamp(value).date()
    text = str(value).strip()
    if not text:
        return None
    try:
        # Shapefiles and dumps carry a midnight behind the day.
        return parse_date(re.sub(r"[T ]00:00(:00(\.0+)?)?(Z|[+-]00:?00)?$", "", text))
    except InputError as error:
        raise Unfit(str(error).rstrip(".")) from None


def _datetime(value: object, field: Field) -> datetime.datetime | None:
    if isinstance(value, np.datetime64):
        value = pandas.Timestamp(value)
    if isinstance(value, datetime.datetime):
        return value if value.tzinfo else value.replace(tzinfo=VIETNAM)
    if isinstance(value, datetime.date):
        raise Unfit(say("chỉ có ngày, thiếu giờ", "has a day but no time"))
    text = str(value).strip()
    if not text:
        return None
    day, _, time = text.replace("T", " ").partition(" ")
    try:
        clock = time.replace("h", ":").rstrip(":")
        stamp = datetime.datetime.fromisoformat(f"{parse_date(day).isoformat()}T{clock or '?'}")
    except (InputError, ValueError):
        raise Unfit(say("\"{value}\" không phải là ngày giờ (ngày/tháng/năm giờ:phút)",
                        "\"{value}\" is not a date and time (day/month/year hour:minute)")
                    .format(value=_short(text))) from None
    return stamp if stamp.tzinfo else stamp.replace(tzinfo=VIETNAM)


_CONVERTERS: dict[str, Callable[[object, Field], object]] = {
    "text": _text, "integer": _integer, "real": _real, "boolean": _boolean, "date": _date, "datetime": _datetime,
}
