"""Hubs for the tests: in memory, in a GeoPackage, on a real PostgreSQL (one server for all, one database for each test).

What is true of the exchange, whatever the hub, is tried on `every_hub`; what only a stored hub can do (history, backup,
upgrade) on `stored_hub`. Where no server can be had the tests are skipped with the reason; in CI (variable ``CI``) that is a failure.
"""

import itertools
import os
import shutil
import uuid

import pytest
from postgis_server import NoServer, running_server

_numbers = itertools.count(1)


@pytest.fixture
def folder(tmp_path):
    """A folder as on a Vietnamese user's Windows machine."""
    place = tmp_path / "Nguyễn Văn Ân" / "Dữ liệu dùng chung"
    place.mkdir(parents=True)
    return place


@pytest.fixture(scope="session")
def postgis_server():
    """A running server; `parameters(dbname=...)` leads to it."""
    try:
        with running_server(in_memory=True) as server:
            yield server
    except NoServer as error:
        if os.environ.get("CI"):
            pytest.fail(f"the tests of PostGIS must run here: {error}")
        pytest.skip(str(error))


def run_sql(parameters, statement, values=None):
    """Run one statement in a connection of its own; return the rows, if it gives any."""
    import psycopg2

    connection = psycopg2.connect(**parameters)
    connection.autocommit = True
    try:
        with connection.cursor() as cursor:
            cursor.execute(statement, values)
            return cursor.fetchall() if cursor.description else []
    finally:
        connection.close()


@pytest.fixture(scope="session")
def sql_at():
    return run_sql


@pytest.fixture
def new_database(postgis_server):
    """Make a database, empty or a copy of another one, for this test alone; its parameters, as superuser."""
    names = []

    def make(template=None):
        names.append(f"hub_{next(_numbers)}")
        copied = f' TEMPLATE "{template}"' if template else ""
        run_sql(postgis_server.parameters(), f'CREATE DATABASE "{names[-1]}"{copied}')
        return postgis_server.parameters(dbname=names[-1])

    yield make
    for name in names:
        run_sql(postgis_server.parameters(), f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture
def empty_database(new_database):
    """Parameters of a new, empty database."""
    return new_database()


#: What the hubs hold that are made for tests of every kind of hub: a few datasets, as a database is copied file by file.
FEW = ("facility", "field_report", "hamlet", "land_use", "parcel", "plan", "shelter", "zone")


def few_datasets():
    from quyhoach.processing_algorithms.provincial_database.catalogue import load_catalogue

    return [load_catalogue()[name] for name in FEW]


@pytest.fixture(scope="session")
def template(postgis_server):
    """Name of a database with a new hub of some datasets, made once and copied by `new_database` for every test."""
    from quyhoach.processing_algorithms.provincial_database.postgis.create import create_postgis_hub

    made = set()

    def make(name, datasets=None):
        if name in made:
            return name
        made.add(name)
        run_sql(postgis_server.parameters(), f'CREATE DATABASE "{name}"')
        create_postgis_hub(postgis_server.parameters(dbname=name), "EPSG:9214", name="Tỉnh mẫu", datasets=datasets).close()
        return name

    return make


@pytest.fixture(scope="session")
def hub_template(template):
    """The whole catalogue's."""
    return template("hub_template")


@pytest.fixture(scope="session")
def few_file(tmp_path_factory):
    """A GeoPackage hub with the datasets of `FEW`; copied for every test."""
    from quyhoach.processing_algorithms.provincial_database.administration.hub_create import create_hub

    path = tmp_path_factory.mktemp("mẫu") / "tỉnh.gpkg"
    create_hub(str(path), "EPSG:9214", name="Tỉnh mẫu", datasets=few_datasets()).close()
    return path


@pytest.fixture
def postgis_parameters(new_database, hub_template):
    """Parameters of a database with an empty hub."""
    return new_database(hub_template)


@pytest.fixture
def few_parameters(new_database, template):
    """The same with the datasets of `FEW`."""
    return new_database(template("few_template", few_datasets()))


@pytest.fixture
def postgis_hub(postgis_parameters):
    """An open, empty hub."""
    from quyhoach.processing_algorithms.provincial_database.postgis.hub import PostgisHub

    with PostgisHub(postgis_parameters) as hub:
        yield hub


@pytest.fixture
def file_location(few_file, tmp_path_factory):
    path = tmp_path_factory.mktemp("Sở Xây dựng") / "dùng chung.gpkg"
    shutil.copyfile(few_file, path)
    return str(path)


#: Fixtures with the place of an empty hub.
_LOCATIONS = {"geopackage": "file_location", "postgis": "few_parameters"}


@pytest.fixture(params=[*_LOCATIONS])
def hub_location(request):
    """Where an empty hub is that any process can open, of each kind that is stored."""
    return request.getfixturevalue(_LOCATIONS[request.param])


@pytest.fixture
def stored_hub(hub_location):
    """An empty hub of each kind that is stored."""
    from quyhoach.processing_algorithms.provincial_database.hub import open_hub

    with open_hub(hub_location) as hub:
        yield hub


@pytest.fixture(params=["memory", *_LOCATIONS])
def every_hub(request):
    """An empty hub of every kind."""
    from memory_hub import MemoryHub
    from quyhoach.processing_algorithms.provincial_database.hub import open_hub

    if request.param == "memory":
        yield MemoryHub(few_datasets())
        return
    with open_hub(request.getfixturevalue(_LOCATIONS[request.param])) as hub:
        yield hub


@pytest.fixture(params=["geopackage", "postgis"])
def empty_place(request, tmp_path_factory):
    """Where a hub of each kind can be made."""
    if request.param == "postgis":
        return request.getfixturevalue("empty_database")
    return str(tmp_path_factory.mktemp("Sở Xây dựng") / "dùng chung.gpkg")


@pytest.fixture(params=["geopackage", "postgis"])
def place(request, tmp_path):
    """A hub with five facilities, and what makes working copies, edits them, and restores the hub from a backup."""
    from quyhoach.processing_algorithms.provincial_database.administration.hub_create import create_hub
    from restorable_hub import FACILITY, Place

    folder = tmp_path / "Sở Xây dựng"
    folder.mkdir()
    if request.param == "postgis":
        new_database = request.getfixturevalue("new_database")
        made = Place(folder, new_database(request.getfixturevalue("template")("facility_template", [FACILITY])), "sao lưu.dump", new_database)
    else:
        create_hub(str(folder / "tỉnh.gpkg"), "EPSG:9214", datasets=[FACILITY]).close()
        made = Place(folder, str(folder / "tỉnh.gpkg"), "sao lưu.gpkg", lambda: str(folder / f"phục hồi {uuid.uuid4().hex[:6]}.gpkg"))
    yield made
    made.hub.close()
