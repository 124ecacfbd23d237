"""Shared by all tests: Hypothesis that does not race a clock, and the language people read."""

import os

import pytest
from hypothesis import HealthCheck, settings
from quyhoach.processing_algorithms.common.language import set_language

# The same examples for everybody by day, others each night.
settings.register_profile("quyhoach", deadline=None, derandomize=not os.environ.get("QUYHOACH_NIGHTLY"), print_blob=True,
                          suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("quyhoach")


@pytest.fixture(autouse=True)
def vietnamese():
    set_language("vi")
