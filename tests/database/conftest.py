"""A real PostgreSQL for the tests of hubs: one server for all, one database for each test.

Where no server can be had the tests are skipped with the reason; in CI (variable ``CI``) that is a failure.
"""

import itertools
import os

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
        with running_server() as server:
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
def empty_database(postgis_server):
    """Parameters of a new, empty database."""
    name = f"empty_{next(_numbers)}"
    run_sql(postgis_server.parameters(), f'CREATE DATABASE "{name}"')
    yield postgis_server.parameters(dbname=name)
    run_sql(postgis_server.parameters(), f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture(scope="session")
def hub_template(postgis_server):
    """Name of a database that holds a new hub of the whole catalogue; copied for every test."""
    from quyhoach.processing_algorithms.provincial_database.postgis.create import create_postgis_hub

    run_sql(postgis_server.parameters(), 'CREATE DATABASE "hub_template"')
    create_postgis_hub(postgis_server.parameters(dbname="hub_template"), "EPSG:9214", name="Tỉnh mẫu").close()
    return "hub_template"


@pytest.fixture
def postgis_parameters(postgis_server, hub_template):
    """Parameters of a database with an empty hub, for this test alone, as superuser."""
    name = f"hub_{next(_numbers)}"
    run_sql(postgis_server.parameters(), f'CREATE DATABASE "{name}" TEMPLATE "{hub_template}"')
    yield postgis_server.parameters(dbname=name)
    run_sql(postgis_server.parameters(), f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture
def postgis_hub(postgis_parameters):
    """An open, empty hub."""
    from quyhoach.processing_algorithms.provincial_database.postgis.hub import PostgisHub

    with PostgisHub(postgis_parameters) as hub:
        yield hub
