"""A real QGIS with a window, and two offices that share a database."""

import os
import shutil
import uuid
from contextlib import closing

import psycopg2
import pytest
from desk_hands import fill_hub, make_hub, take_home
from postgis_server import NoServer, running_server
from quyhoach.processing_algorithms.provincial_database.postgis.create import create_postgis_hub
from real_window import ARTEFACTS, run_in_window


@pytest.fixture
def artefacts():
    """The folder of the pictures."""
    return ARTEFACTS


@pytest.fixture
def window(tmp_path):
    """Return `real_window.run_in_window` in a folder of this test."""
    if not os.environ.get("DISPLAY"):
        pytest.fail("these tests need a screen: run them with scripts/test window")
    return lambda body, **options: run_in_window(body, tmp_path, **options)


@pytest.fixture(scope="session")
def sample_hub(tmp_path_factory):
    """A hub with the sample town's communes and the parcels of one ward and its neighbour."""
    path = tmp_path_factory.mktemp("mẫu") / "lam trạch.gpkg"
    make_hub(path)
    return path


@pytest.fixture
def place(tmp_path, sample_hub):
    """A folder with a hub and a colleague's working copy of it."""
    folder = tmp_path / "Phòng Kinh tế phường Hòa Bình"
    folder.mkdir()
    shutil.copy(sample_hub, folder / "dùng chung.gpkg")
    take_home(folder, "đồng nghiệp.gpkg").close()
    return folder


@pytest.fixture(scope="session")
def server():
    """A real PostgreSQL with PostGIS; where there is none, these tests are skipped, in CI they fail."""
    try:
        with running_server(in_memory=True) as running:
            yield running
    except NoServer as error:
        if os.environ.get("CI"):
            pytest.fail(f"the tests of PostGIS must run here: {error}")
        pytest.skip(str(error))


@pytest.fixture
def hub_on_server(server):
    """A hub in a database of its own, with the sample town's communes, roads and the parcels of two wards."""
    name = f"tinh_{uuid.uuid4().hex[:8]}"
    with closing(psycopg2.connect(**server.parameters())) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(f'CREATE DATABASE "{name}"')
            with create_postgis_hub(server.parameters(dbname=name), "EPSG:9214", name="Tỉnh mẫu") as hub:
                fill_hub(hub)
                yield hub
            cursor.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
