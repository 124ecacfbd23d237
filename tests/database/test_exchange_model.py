"""The state machine of `exchange_machine` on the hubs. QUYHOACH_STEPS=500 makes the long, nightly run of 10,000 steps."""

import copy
import os
import uuid

from exchange_machine import FACILITY, Exchange
from hypothesis import settings
from memory_hub import MemoryHub
from quyhoach.processing_algorithms.provincial_database.administration import back_up, restore
from quyhoach.processing_algorithms.provincial_database.changes import Scope
from quyhoach.processing_algorithms.provincial_database.hub_create import create_hub

STEPS = int(os.environ.get("QUYHOACH_STEPS", "25"))


class OnMemoryHub(Exchange):
    def new_hub(self, folder):
        return MemoryHub()

    def rows_of(self, hub):
        return {feature_id: row for (_, feature_id), row in hub.rows.items()}

    def backed_up(self, hub):
        return copy.deepcopy(hub)

    def restored(self, backup):
        hub = copy.deepcopy(backup)
        hub.incarnation = str(uuid.uuid4())
        self.partings = {}  # this hub does not know where it came from
        return hub


TestMemoryHub = OnMemoryHub.TestCase
TestMemoryHub.settings = settings(max_examples=20, stateful_step_count=STEPS, deadline=None)


class OnGeoPackageHub(Exchange):
    def new_hub(self, folder):
        return create_hub(str(folder / "cơ sở dữ liệu.gpkg"), "EPSG:9214", datasets=[FACILITY])

    def rows_of(self, hub):
        with hub.deliver([Scope("facility")], None) as delivery:
            return {feature_id: row for _, feature_id, row in delivery.rows}

    def backed_up(self, hub):
        path = self.folder / f"sao lưu {uuid.uuid4()}.gpkg"
        back_up(hub.info.location, path)
        return path

    def restored(self, backup):
        self.hub.close()
        return restore(backup, str(self.folder / f"phục hồi {uuid.uuid4()}.gpkg"))

    def teardown(self):
        super().teardown()
        if hasattr(self, "hub"):
            self.hub.close()


TestGeoPackageHub = OnGeoPackageHub.TestCase
# Hypothesis keeps its first ten examples to a step or two: fewer than that would test nothing.
TestGeoPackageHub.settings = settings(max_examples=20, stateful_step_count=STEPS, deadline=None)
