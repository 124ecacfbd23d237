"""The same story of three offices on a real PostGIS, started for it and gone afterwards."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path
from types import ModuleType

from .offices import Story, work_together
from .running import run

_SERVER = Path(__file__).resolve().parents[2] / "tests" / "database" / "postgis_server.py"


def work_together_on_postgis(folder: Path, town: Path) -> Story:
    """Start a private server, make a hub in it, import the parcels, and let the offices work."""
    from ...processing_algorithms.provincial_database.postgis.create import create_postgis_hub

    with _server_module().running_server() as server:
        parameters = server.parameters(dbname="tinh")
        _create_database(server.parameters(), "tinh")
        create_postgis_hub(parameters, "EPSG:9214", name="Tỉnh mẫu").close()
        # The password goes through the environment, as libpq takes it: a location never holds one.
        before = os.environ.get("PGPASSWORD")
        os.environ["PGPASSWORD"] = parameters.get("password", "")
        try:
            hub = " ".join(f"{key}={value}" for key, value in parameters.items() if key != "password")
            run("hubimport", HUB=hub, DATASET="parcel", INPUT=f"{town}|layername=parcel")
            return work_together(hub, folder, town)
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
