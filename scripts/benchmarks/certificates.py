"""Planning-information papers with their maps, against a bare QGIS layout printed to PDF."""

from __future__ import annotations

from pathlib import Path

DESCRIPTION = ("planning-information papers (Word, map annex, register): quyhoach:parcelcertificate against a bare "
               "QGIS layout "
               "with the same layers, built once, printed for each parcel")
#: A paper is more than a map. DESIGN.md's figures, 0.2 s and 0.05 s a paper, beside the bare map's 0.006 s.
CASES = {"1,000 papers in a batch": (0.03, 0.12)}
#: Seconds for all of it: 2 s for the first, 0.2 s each in a batch of 1,000; aim 0.05 s each.
SECONDS = {"first paper": (2.0, 1.0), "1,000 papers": (200.0, 50.0)}
NEEDS_QGIS = True
_DATE = "25/11/2026"


def prepare(folder: Path, share: float) -> None:
    """Write parcels of the sample town and the plans over them."""
    import pyogrio

    town = Path(__file__).resolve().parents[2] / "data_samples" / "town.gpkg"
    for name in ("plan", "zone", "constraint_overlay"):
        pyogrio.read_dataframe(town, layer=name).to_file(folder / f"{name}.gpkg", engine="pyogrio")
    parcels = pyogrio.read_dataframe(town, layer="parcel")
    parcels.head(max(round(1000 * share), 1)).to_file(folder / "parcel.gpkg", engine="pyogrio")


def warm(folder: Path, case: str, who: str) -> None:
    """Import what a session of QGIS imports once, at its first algorithm of ours (0.6 s), as the other benchmarks do."""
    import geopandas  # noqa: F401


def ours(folder: Path, case: str) -> None:
    """Document, map and register of every parcel, or of the first one."""
    import processing
    from qgis.core import QgsProcessingFeatureSourceDefinition

    parcels = QgsProcessingFeatureSourceDefinition(str(folder / "parcel.gpkg"))
    if case == "first paper":
        parcels.featureLimit = 1
    processing.run("quyhoach:parcelcertificate", {
        "PARCELS": parcels, "PLANS": str(folder / "plan.gpkg"), "ZONES": str(folder / "zone.gpkg"),
        "OVERLAYS": str(folder / "constraint_overlay.gpkg"), "DATE": _DATE, "OUTPUT": str(folder / "out")})


def peer(folder: Path, case: str) -> None:
    """A layout with a map and nothing else, moved from parcel to parcel."""
    from qgis.core import (
        QgsLayoutExporter,
        QgsLayoutItemMap,
        QgsLayoutPoint,
        QgsLayoutSize,
        QgsPrintLayout,
        QgsProject,
        QgsVectorLayer,
    )

    layers = [QgsVectorLayer(str(folder / f"{name}.gpkg"), name) for name in ("parcel", "zone")]
    project = QgsProject()
    project.setCrs(layers[0].crs())
    project.addMapLayers(layers)
    layout = QgsPrintLayout(project)
    layout.initializeDefaults()
    item = QgsLayoutItemMap(layout)
    layout.addLayoutItem(item)
    item.attemptMove(QgsLayoutPoint(10, 10))
    item.attemptResize(QgsLayoutSize(200, 170))
    item.setLayers(layers)
    for feature in layers[0].getFeatures():
        item.zoomToExtent(feature.geometry().boundingBox().buffered(20))
        QgsLayoutExporter(layout).exportToPdf(str(folder / "out" / f"{feature.id()}.pdf"),
                                              QgsLayoutExporter.PdfExportSettings())


def check(folder: Path, case: str) -> str:
    """As many documents and maps as parcels, all in the register."""
    import sqlite3
    from contextlib import closing

    documents, maps, bare = (len(list((folder / who).glob(pattern))) for who, pattern in (
        ("ours", "*.docx"), ("ours", "*.pdf"), ("peer", "*.pdf")))
    register = next((folder / "ours").glob("*.gpkg"))
    with closing(sqlite3.connect(register)) as database:
        rows = database.execute("SELECT count(DISTINCT paper_code) FROM planning_paper").fetchone()[0]
    if not documents == maps == bare == rows:
        raise AssertionError(f"{documents} documents, {maps} maps, {rows} in the register; peer {bare} maps")
    return f"{documents:,} documents, maps and entries of the register"
