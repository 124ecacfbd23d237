"""A real QGIS application with the provider in its registry, once per run."""

import pytest
from qgis.core import QgsApplication


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
