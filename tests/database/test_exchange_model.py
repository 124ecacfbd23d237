"""The state machine of `exchange_machine` on the hub in memory. QUYHOACH_STEPS=500 makes the long, nightly run of 10,000 steps."""

import os

from exchange_machine import Exchange
from hypothesis import settings
from memory_hub import MemoryHub

STEPS = int(os.environ.get("QUYHOACH_STEPS", "25"))


class OnMemoryHub(Exchange):
    def new_hub(self, folder):
        return MemoryHub()

    def rows_of(self, hub):
        return {feature_id: row for (_, feature_id), row in hub.rows.items()}


TestMemoryHub = OnMemoryHub.TestCase
TestMemoryHub.settings = settings(max_examples=20, stateful_step_count=STEPS, deadline=None)
