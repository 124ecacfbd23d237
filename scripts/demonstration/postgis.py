"""The same story of three offices on a real PostGIS, started for it and gone afterwards."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

from .offices import Story, work_together
from .running import run

_SERVER = Path(__file__).resolve().parents[2] / "tests" / "database" / "postgis_server.py"


def work_together_on_postgis(folder: Path, town: Path) -> Story:
    """Start a private server, make a hub in it, import the parcels, and let the offices work."""
    with hub_with_parcels(town) as hub:
        return work_together(hub, folder, town)


@contextmanager
def hub_with_parcels(town: Path) -> Iterator[str]:
    """Give the location of a hub with the town's parcels on a private server, for a block.

    Over TCP and with a password, as in an office. The password goes through the environment, as libpq takes it: a location
    never holds one.
    """
    with _server_module().running_server() as server:
        before = os.environ.get("PGPASSWORD")
        os.environ["PGPASSWORD"] = server.password
        try:
            hub = f"host=127.0.0.1 port={server.port} user=postgres dbname=tinh"
            _create_database(server.parameters(), "tinh")
            run("hubcreate", CRS="EPSG:9214", NAME="Tỉnh mẫu", HUB=hub)
            run("hubimport", HUB=hub, DATASET="parcel", INPUT=f"{town}|layername=parcel")
            yield hub
        finally:
            if before is None:
                del os.environ["PGPASSWORD"]
            else:
                os.environ["PGPASSWORD"] = before


def _create_database(parameters: dict, name: str) -> None:
    import psycopg2

    connection = psycopg2.connect(**parameters)
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute(f'CREATE DATABASE "{name}"')
    connection.close()


def _server_module() -> ModuleType:
    specification = importlib.util.spec_from_file_location("postgis_server", _SERVER)
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module
