"""A real QGIS application with the provider in its registry, once per run."""

import os
import uuid

import pytest
from postgis_server import NoServer, running_server
from qgis.core import QgsApplication, QgsSettings


@pytest.fixture(scope="session")
def qgis_app():
    application = QgsApplication([], False)
    application.initQgis()
    yield application
    # exitQgis is left out: Python objects of fixtures may outlive it, and the process ends anyway.


@pytest.fixture(scope="session")
def provider(qgis_app):
    from processing.core.Processing import Processing
    from quyhoach.processing_algorithms.provider import QuyHoachProvider

    Processing.initialize()
    added = QuyHoachProvider()
    assert QgsApplication.processingRegistry().addProvider(added)
    return added


@pytest.fixture(autouse=True)
def _application(provider):
    """Every test here runs inside the application."""


@pytest.fixture
def run():
    """Run an algorithm through the registry; raises QgsProcessingException when it fails."""
    import processing

    return processing.run


@pytest.fixture(scope="session")
def server():
    """A running PostgreSQL with PostGIS."""
    try:
        with running_server(in_memory=True) as running:
            yield running
    except NoServer as error:
        if os.environ.get("CI"):
            pytest.fail(f"the tests of PostGIS must run here: {error}")
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def sql(server):
    """Run one statement in a database of the server; return the rows, if it gives any."""
    import psycopg2

    def run_sql(database, statement, values=None):
        connection = psycopg2.connect(**server.parameters(dbname=database))
        connection.autocommit = True
        try:
            with connection.cursor() as cursor:
                cursor.execute(statement, values)
                return cursor.fetchall() if cursor.description else []
        finally:
            connection.close()

    return run_sql


@pytest.fixture(scope="session")
def with_postgis(sql):
    """Name of a database with nothing but PostGIS in it, to be copied: making the extension takes longer than a copy."""
    sql("postgres", "CREATE DATABASE with_postgis")
    sql("with_postgis", "CREATE EXTENSION postgis")
    return "with_postgis"


@pytest.fixture
def empty_database(with_postgis, sql):
    """Name of a new database with PostGIS and nothing else."""
    name = f"tinh_{uuid.uuid4().hex[:8]}"
    sql("postgres", f'CREATE DATABASE "{name}" TEMPLATE "{with_postgis}"')
    yield name
    sql("postgres", f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture
def stored(server):
    """Store a PostgreSQL connection in QGIS, as its dialog does; gone after the test."""
    settings, names = QgsSettings(), []

    def store(name, database, user="postgres", authcfg="", host=None):
        start = f"PostgreSQL/connections/{name}"
        for key, value in {"host": host or str(server.folder), "port": str(server.port), "database": database,
                           "username": user,
                           "saveUsername": "true", "authcfg": authcfg, "sslmode": "SslPrefer"}.items():
            settings.setValue(f"{start}/{key}", value)
        names.append(start)
        return name

    yield store
    for start in names:
        settings.remove(start)
