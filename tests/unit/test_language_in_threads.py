"""What is printed in one thread does not change what another says; threads of a pool speak as whoever hands them work."""

import threading

from quyhoach.processing_algorithms.common.language import current_language, say, speaking
from quyhoach.processing_algorithms.common.parallel import Pool


def test_a_block_speaks_for_its_own_thread_only():
    said, printing, seen = [], threading.Event(), threading.Event()

    def window():
        printing.wait(5)
        said.append(say("vi", "en"))
        seen.set()

    thread = threading.Thread(target=window)
    with speaking("en"):
        thread.start()
        printing.set()
        assert seen.wait(5) and say("vi", "en") == "en"
        with speaking("vi_VN"):
            assert current_language() == "vi"
        assert current_language() == "en"
    thread.join()
    assert said == ["vi"] and current_language() == "vi"


def test_a_pool_speaks_the_language_of_who_asks():
    with Pool(2) as pool, speaking("en"):
        asked = [pool.submit(say, "vi", "en") for _ in range(8)]
        assert list(pool.map(lambda _: current_language(), range(8))) == ["en"] * 8
    assert {one.result() for one in asked} == {"en"} and pool.__class__ is Pool
