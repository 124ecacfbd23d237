"""Breaks: the costs that bound service areas, as people type them."""

from __future__ import annotations

import re

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..common.errors import InputError
from ..common.language import say
from ..common.numbers_vi import format_number, parse_number


def parse_breaks(text: str) -> NDArray[np.float64]:
    """Read breaks separated by semicolons or spaces; the comma is the decimal sign.

    Raises
    ------
    InputError
        No number, a number that is not positive, numbers that do not increase, or a text like ``5,10`` that may be one
        break (5.1) or two.

    Examples
    --------
    >>> parse_breaks("300;500; 1000").tolist(), parse_breaks("2,5 5 7,5").tolist()
    ([300.0, 500.0, 1000.0], [2.5, 5.0, 7.5])
    """
    words = [word for word in re.split(r"[;\s]+", text.strip()) if word]
    if not words:
        raise InputError(say("Chưa nhập ngưỡng; ví dụ 300;500;1000.", "No break is given; for example 300;500;1000."))
    listed = re.fullmatch(r"(\d+),(\d{2,})", text.strip())
    if listed and 0 < int(listed[1]) < int(listed[2]):
        raise InputError(
            say("\"{text}\" có thể là một hoặc hai ngưỡng: hãy viết \"{two}\" nếu là hai ngưỡng, \"{one};\" nếu là một "
                "số thập phân.",
                "\"{text}\" may be one break or two: write \"{two}\" for two breaks, \"{one};\" for one decimal "
                "number.")
            .format(text=text.strip(), two=f"{listed[1]};{listed[2]}", one=text.strip()))
    if any(word.count(",") > 1 for word in words):
        # "100,200,300" would read as one number grouped the English way.
        raise InputError(
            say("\"{text}\": hãy cách các ngưỡng bằng dấu chấm phẩy (300;500;1000); dấu phẩy là dấu thập phân.",
                "\"{text}\": separate the breaks by semicolons (300;500;1000); the comma is the decimal sign.")
            .format(text=text.strip()))
    return check_breaks(np.array([parse_number(word) for word in words]))


def check_breaks(breaks: ArrayLike) -> NDArray[np.float64]:
    """Return the breaks as floats; refuse none, any that is not positive and finite, and any order but increasing.

    Texts among them are read as numbers by themselves.
    """
    given = np.atleast_1d(breaks).tolist()
    values = np.array([parse_number(value) if isinstance(value, str) else float(value) for value in given])
    shown = "; ".join(format_number(value, 2).removesuffix(",00") for value in values)
    if not values.size or not (np.isfinite(values) & (values > 0)).all():
        raise InputError(say("Mọi ngưỡng phải lớn hơn 0; đã nhập: {shown}.",
                             "Every break must be greater than 0; given: {shown}.")
                         .format(shown=shown or "-"))
    if (np.diff(values) <= 0).any():
        raise InputError(say("Các ngưỡng phải tăng dần và không trùng nhau; đã nhập: {shown}.",
                             "Breaks must increase, without repeats; given: {shown}.").format(shown=shown))
    return values
