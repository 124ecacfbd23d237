"""Pieces of work at once: results in order, one error told and the others stopped, cancel that reaches the threads."""

import threading
import time

import pytest
from quyhoach.processing_algorithms.common.errors import Cancelled, InputError
from quyhoach.processing_algorithms.common.parallel import beside, together
from quyhoach.processing_algorithms.common.progress import silent


def endless(seen):
    """Work that ends only when its progress raises."""
    def work(progress):
        try:
            while True:
                progress(0.5)
                time.sleep(0.005)
        except Cancelled:
            seen.append("stopped")
            raise

    return work


def refused(progress):
    raise InputError("wrong")


def test_all_at_once_and_in_order():
    meeting = threading.Barrier(3, timeout=10)  # passes only when all three run at once
    assert together([lambda progress, k=k: (meeting.wait(), k)[1] for k in range(3)], silent) == [0, 1, 2]


@pytest.mark.parametrize("first", [True, False])
def test_an_error_stops_the_others_and_is_told(first):
    seen = []
    works = [refused, endless(seen)]
    with pytest.raises(InputError, match="wrong"):
        together(works if first else works[::-1], silent)
    assert seen == ["stopped"]


def test_cancel_stops_all():
    seen = []

    def asked(fraction, message=None):
        raise Cancelled()

    with pytest.raises(Cancelled):
        together([endless(seen), endless(seen)], asked)
    assert seen == ["stopped"] * 2
    with pytest.raises(Cancelled), beside(endless(seen)) as result:
        result(asked)
    assert len(seen) == 3


def test_work_beside_a_block():
    begun = threading.Event()

    def work(progress):
        assert begun.wait(10)
        return "done"

    with beside(work) as result:
        begun.set()  # the block goes on while the work waits for it
        assert result(silent) == "done"
    with pytest.raises(InputError, match="wrong"), beside(refused):
        pass
    seen = []
    with pytest.raises(ZeroDivisionError), beside(endless(seen)):
        1 / 0
    assert seen == ["stopped"]
