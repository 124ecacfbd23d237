"""What an administrator lets only one feature have: told in our words when another has it already."""

from __future__ import annotations

from collections.abc import Collection

from ..common.language import say
from .catalogue import Dataset
from .catalogue.model import FEATURE_ID
from .changes import Row


def taken(dataset: Dataset, columns: Collection[str], row: Row | None) -> str:
    """Say that another feature has the values of these columns already, and what to do.

    Parameters
    ----------
    columns : collection of str
        Those of the unique index or constraint; empty when it is of an expression.
    row : dict or None
        The feature as its sender wants it.
    """
    if FEATURE_ID in columns:
        return say("{label}: mã nhận dạng này đã có ở một đối tượng mà tài khoản này không được xem; hãy chép thành đối tượng mới, xóa đối tượng "
                   "cũ rồi gửi lại.",
                   "{label}: a feature that this account may not see has this identity already; copy it as a new feature, delete the old one "
                   "and push again.").format(label=dataset.label)
    labels = {field.name: str(field.label) for field in dataset.fields}
    values = ", ".join(f"{labels.get(name, name)} = {(row or {}).get(name)}" for name in columns)
    return say("{label}: đối tượng khác đã có {values}, quản trị chỉ cho một đối tượng có; hãy nhận cập nhật, đặt giá trị khác rồi gửi lại.",
               "{label}: another feature has {values} already, and the administrator lets only one have it; pull, choose another value and "
               "push again.").format(label=dataset.label, values=values or say("giá trị này", "this value"))


def change_places(dataset: Dataset) -> str:
    """Say that features cannot change values that only one may have."""
    return say("{label}: các đối tượng đổi giá trị duy nhất cho nhau theo vòng và không có giá trị tạm nào hợp lệ; hãy đặt một đối tượng sang giá "
               "trị khác và gửi, rồi đặt giá trị đúng và gửi lần nữa.",
               "{label}: features hand each other values that only one may have, and no value in between is allowed; give one of them another "
               "value and push, then the right one and push again.").format(label=dataset.label)
