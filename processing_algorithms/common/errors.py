"""The error tree of the engines. The Processing wrapper turns these into one clean sentence and a failed run;
anything else is a bug and keeps its traceback."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from types import TracebackType

from .language import say


class QuyHoachError(Exception):
    """Something a user can understand and act on: what, which features, what to do."""


class InputError(QuyHoachError):
    """The input cannot be used. Several problems found together are told together.

    Parameters
    ----------
    problems : str or sequence of str
        Whole sentences in the user's language.
    """

    def __init__(self, problems: str | Sequence[str]):
        self.problems = [problems] if isinstance(problems, str) else list(problems)
        super().__init__("\n".join(self.problems))


class OutputError(QuyHoachError):
    """The result cannot be written where it was asked for."""


class MissingPackageError(QuyHoachError):
    """A Python package this computation needs is not on this machine."""


class Cancelled(QuyHoachError):
    """The user stopped the run."""

    def __init__(self) -> None:
        super().__init__(say("Đã dừng theo yêu cầu; không có kết quả nào được ghi.",
                             "Stopped on request; no result was written."))


def refuse_if(problems: Iterable[str]) -> None:
    """Raise one `InputError` that tells all problems, if there are any."""
    found = [problem for problem in problems if problem]
    if found:
        raise InputError(found)


@contextmanager
def noted(problems: list[str]) -> Iterator[None]:
    """Add what an `InputError` of the block says to ``problems`` and go on checking; `refuse_if` ends the checks.

    Examples
    --------
    >>> problems = []
    >>> with noted(problems):
    ...     raise InputError("No field is chosen.")
    >>> problems
    ['No field is chosen.']
    """
    try:
        yield
    except InputError as error:
        problems.extend(error.problems)


class Kept:
    """Keeps what a block raises, bugs too, to be raised again in the thread that can show it.

    Examples
    --------
    >>> with Kept() as kept:
    ...     raise InputError("No field is chosen.")
    >>> kept.error
    InputError('No field is chosen.')
    """

    error: BaseException | None = None

    def __enter__(self) -> Kept:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> bool:
        self.error = error
        return True


def name_some(ids: Iterable[object], most: int = 10) -> str:
    """List ids for a message: ``"1, 2, 3 (+7)"`` when there are more than fit."""
    listed = list(ids)
    text = ", ".join(str(item) for item in listed[:most])
    return text if len(listed) <= most else f"{text} (+{len(listed) - most})"
