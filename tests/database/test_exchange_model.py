"""The state machine of `exchange_machine` on the hubs. QUYHOACH_STEPS=500 makes the long, nightly run of 10,000 steps."""

import os

from exchange_machine import FACILITY, Exchange
from hypothesis import settings
from memory_hub import MemoryHub
from quyhoach.processing_algorithms.provincial_database.changes import Scope
from quyhoach.processing_algorithms.provincial_database.hub_create import create_hub

STEPS = int(os.environ.get("QUYHOACH_STEPS", "25"))


class OnMemoryHub(Exchange):
    def new_hub(self, folder):
        return MemoryHub()

    def rows_of(self, hub):
        return {feature_id: row for (_, feature_id), row in hub.rows.items()}


TestMemoryHub = OnMemoryHub.TestCase
TestMemoryHub.settings = settings(max_examples=20, stateful_step_count=STEPS, deadline=None)


class OnGeoPackageHub(Exchange):
    def new_hub(self, folder):
        return create_hub(str(folder / "cơ sở dữ liệu.gpkg"), "EPSG:9214", datasets=[FACILITY])

    def rows_of(self, hub):
        with hub.deliver([Scope("facility")], None) as delivery:
            return {feature_id: row for _, feature_id, row in delivery.rows}

    def teardown(self):
        super().teardown()
        if hasattr(self, "hub"):
            self.hub.close()


TestGeoPackageHub = OnGeoPackageHub.TestCase
TestGeoPackageHub.settings = settings(max_examples=10, stateful_step_count=STEPS, deadline=None)
