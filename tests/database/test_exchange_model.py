"""The state machine of `exchange_machine` on the hub in memory and on a GeoPackage hub."""

import copy
import uuid

from exchange_machine import FACILITY, Exchange, run
from memory_hub import MemoryHub
from quyhoach.processing_algorithms.provincial_database.administration.administration import back_up, restore
from quyhoach.processing_algorithms.provincial_database.administration.hub_create import create_hub
from quyhoach.processing_algorithms.provincial_database.changes import Scope


class OnMemoryHub(Exchange):
    def new_hub(self, folder):
        return MemoryHub()

    def rows_of(self, hub):
        return {feature_id: row for (_, feature_id), row in hub.rows.items()}

    def watched(self, hub):
        return hub  # it would judge itself

    def backed_up(self, hub):
        return copy.deepcopy(hub)

    def restored(self, backup):
        hub = copy.deepcopy(backup)
        hub.incarnation = str(uuid.uuid4())
        self.partings, self.at = {}, {}  # this hub does not know where it came from
        return hub


def test_offices_at_random_on_a_hub_in_memory():
    run(OnMemoryHub)


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


def test_offices_at_random_on_a_geopackage_hub():
    run(OnGeoPackageHub)
