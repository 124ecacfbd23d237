"""The state machine of `exchange_machine` on a real PostGIS hub. QUYHOACH_STEPS=500 makes the long, nightly run."""

import itertools
import os

import pytest
from exchange_machine import Exchange
from hypothesis import settings
from quyhoach.processing_algorithms.provincial_database.changes import Scope
from quyhoach.processing_algorithms.provincial_database.postgis_health import check_postgis_hub
from quyhoach.processing_algorithms.provincial_database.postgis_hub import PostgisHub

STEPS = int(os.environ.get("QUYHOACH_STEPS", "25"))
_numbers = itertools.count(1)
_place = {}


@pytest.fixture(autouse=True)
def place(postgis_server, hub_template, sql_at):
    _place.update(server=postgis_server, template=hub_template, sql_at=sql_at)


class OnPostgisHub(Exchange):
    def new_hub(self, folder):
        self.name = f"model_{next(_numbers)}"
        _place["sql_at"](_place["server"].parameters(),
                         f'CREATE DATABASE "{self.name}" TEMPLATE "{_place["template"]}"')
        return PostgisHub(_place["server"].parameters(dbname=self.name))

    def rows_of(self, hub):
        with hub.deliver([Scope("facility")], None) as delivery:
            return {feature_id: row for _, feature_id, row in delivery.rows}

    def teardown(self):
        super().teardown()
        if hasattr(self, "hub"):
            assert [finding for finding in check_postgis_hub(self.hub)
                    if not finding.in_order] == [], "the ledger replays to the tables"
            self.hub.close()
            _place["sql_at"](_place["server"].parameters(), f'DROP DATABASE "{self.name}" WITH (FORCE)')


TestPostgisHub = OnPostgisHub.TestCase
TestPostgisHub.settings = settings(max_examples=14, stateful_step_count=STEPS, deadline=None)
