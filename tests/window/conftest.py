"""A real QGIS with a window, and two offices that share a database."""

import os
import shutil

import pytest
from desk_hands import make_hub, take_home
from postgis_server import NoServer, running_server
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
        with running_server() as running:
            yield running
    except NoServer as error:
        if os.environ.get("CI"):
            pytest.fail(f"the tests of PostGIS must run here: {error}")
        pytest.skip(str(error))
