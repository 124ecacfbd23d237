"""Sheets of a plan, against a plain QGIS atlas of the same layer, page and scale."""

from __future__ import annotations

from pathlib import Path

DESCRIPTION = "40 A3 sheets of a plan of 5,000 zones as PDF: quyhoach:zoningsheets against a plain QGIS atlas"
CASES = {"40 sheets, 5,000 zones": (0.5, 1)}
NEEDS_QGIS = True
#: Columns and rows of sheets at full size, and metres of a sheet's map at 1/2000.
SHEETS, SCALE = (8, 5), 2000


def prepare(folder: Path, share: float) -> None:
    """Write zones of about 45 x 40 m with their figures, and the rectangles the atlas runs over."""
    import geopandas
    import numpy as np
    import shapely
    from coverages import crooked_grid
    from quyhoach.processing_algorithms.common.layout.qgis_layout_drawing_page import drawing_frames

    columns, rows = SHEETS[0], max(1, round(SHEETS[1] * share))
    wide, high = (length * SCALE / 1000 for length in drawing_frames("A3", False).map_mm)
    zones = crooked_grid(round(50 * rows / SHEETS[1]), 100, columns * wide, rows * high, bends=8, seed=3)
    number = np.arange(len(zones))
    geopandas.GeoDataFrame(
        {"zone_code": [f"A-{at:04d}" for at in number],
         "function_code": np.array(["NO", "HH", "CXCC", "GT", "DV", "TRUONG", "YT", "BDX"])[number % 8],
         "max_density_pct": 40.0 + number % 5 * 5, "min_storeys": 1, "max_storeys": 3 + number % 7,
         "max_far": 1.5 + number % 4}, geometry=zones, crs="EPSG:9214").to_file(folder / "zones.gpkg", engine="pyogrio")
    west, south = shapely.total_bounds(zones)[:2]
    cells = [shapely.box(west + c * wide, south + r * high, west + (c + 1) * wide, south + (r + 1) * high)
             for r in range(rows) for c in range(columns)]
    geopandas.GeoDataFrame({"number": range(len(cells))}, geometry=cells, crs="EPSG:9214").to_file(
        folder / "cells.gpkg", engine="pyogrio")


def warm(folder: Path, case: str, who: str) -> None:
    """Import what ours computes with; the peer needs nothing more than QGIS."""
    if who == "ours":
        import geopandas  # noqa: F401
        import pyogrio  # noqa: F401


def ours(folder: Path, case: str) -> None:
    """Index, frames, legends from the data, texts placed whole inside their zones."""
    import processing

    processing.run("quyhoach:zoningsheets", {
        "ZONES": str(folder / "zones.gpkg"), "FUNCTION_FIELD": "function_code", "SCALE": SCALE, "PAPER": 3,
        "PLAN_NAME": "Quy hoạch phân khu", "FOLDER": str(folder / "out" / "sheets"),
        "OUTPUT": str(folder / "out" / "index.gpkg")})


def peer(folder: Path, case: str) -> None:
    """An atlas with map, grid, title, scale bar and a legend of what the map shows; zones have the same text."""
    from qgis.core import (
        QgsCategorizedSymbolRenderer,
        QgsCoordinateReferenceSystem,
        QgsFillSymbol,
        QgsLayoutExporter,
        QgsLayoutItemLabel,
        QgsLayoutItemLegend,
        QgsLayoutItemMap,
        QgsLayoutItemMapGrid,
        QgsLayoutItemScaleBar,
        QgsLayoutPoint,
        QgsLayoutSize,
        QgsPalLayerSettings,
        QgsPrintLayout,
        QgsProject,
        QgsRendererCategory,
        QgsVectorLayer,
        QgsVectorLayerSimpleLabeling,
    )
    from quyhoach.processing_algorithms.common.layout.qgis_layout_drawing_page import drawing_frames

    project = QgsProject.instance()
    project.setCrs(QgsCoordinateReferenceSystem("EPSG:9214"))
    zones = QgsVectorLayer(str(folder / "zones.gpkg"), "Ô quy hoạch", "ogr")
    cells = QgsVectorLayer(str(folder / "cells.gpkg"), "Mảnh", "ogr")
    codes = sorted(zones.uniqueValues(zones.fields().lookupField("function_code")))
    zones.setRenderer(QgsCategorizedSymbolRenderer("function_code", [
        QgsRendererCategory(code, QgsFillSymbol.createSimple({"color": f"{30 * at},{250 - 30 * at},90"}), code)
        for at, code in enumerate(codes)]))
    settings = QgsPalLayerSettings()
    settings.isExpression = True
    settings.fieldName = ("zone_code || ' (' || function_code || ')\\n' || max_density_pct || '% | ' || min_storeys"
                          " || '-' || max_storeys || ' tầng | ' || max_far || ' lần'")
    zones.setLabeling(QgsVectorLayerSimpleLabeling(settings))
    zones.setLabelsEnabled(True)
    project.addMapLayers([zones, cells])
    layout = QgsPrintLayout(project)
    layout.initializeDefaults()
    layout.pageCollection().page(0).setPageSize(QgsLayoutSize(420, 297))
    place = drawing_frames("A3", False).map
    map_item = QgsLayoutItemMap(layout)
    map_item.attemptMove(QgsLayoutPoint(place.x(), place.y()))
    map_item.attemptResize(QgsLayoutSize(place.width(), place.height()))
    map_item.setLayers([zones])
    map_item.setKeepLayerSet(True)
    map_item.setExtent(zones.extent())
    map_item.setAtlasDriven(True)
    map_item.setAtlasScalingMode(QgsLayoutItemMap.AtlasScalingMode.Fixed)
    map_item.setScale(SCALE)
    grid = QgsLayoutItemMapGrid("grid", map_item)
    grid.setIntervalX(100)
    grid.setIntervalY(100)
    grid.setAnnotationEnabled(True)
    map_item.grids().addGrid(grid)
    layout.addLayoutItem(map_item)
    legend = QgsLayoutItemLegend(layout)
    legend.setLinkedMap(map_item)
    legend.setLegendFilterByMapEnabled(True)
    legend.attemptMove(QgsLayoutPoint(330, 20))
    layout.addLayoutItem(legend)
    title = QgsLayoutItemLabel(layout)
    title.setText("Quy hoạch phân khu, mảnh [% @atlas_featurenumber %]")
    title.attemptResize(QgsLayoutSize(250, 10))
    layout.addLayoutItem(title)
    bar = QgsLayoutItemScaleBar(layout)
    bar.setLinkedMap(map_item)
    bar.attemptMove(QgsLayoutPoint(330, 200))
    layout.addLayoutItem(bar)
    atlas = layout.atlas()
    atlas.setCoverageLayer(cells)
    atlas.setEnabled(True)
    atlas.setHideCoverage(True)
    atlas.setFilenameExpression("'sheet_' || @atlas_featurenumber")
    export = QgsLayoutExporter.PdfExportSettings()
    result, message = QgsLayoutExporter.exportToPdfs(atlas, str(folder / "out" / "sheet"), export)
    if result != QgsLayoutExporter.ExportResult.Success:
        raise RuntimeError(message)


def check(folder: Path, case: str) -> str:
    """As many pages on both sides, and ours cover the plan."""
    import pyogrio

    index = pyogrio.read_dataframe(folder / "ours" / "index.gpkg")
    zones = pyogrio.read_dataframe(folder / "zones.gpkg")
    ours, peer = (len(list((folder / who).rglob("*.pdf"))) for who in ("ours", "peer"))
    if ours != len(index) or abs(index["area_m2"].sum() - zones.area.sum()) > 1:
        raise AssertionError(f"{ours} files, {len(index)} sheets, {index['area_m2'].sum()} of {zones.area.sum()} m2")
    return (f"{ours} sheets against {peer}; {index['area_m2'].sum():,.0f} m2 of the plan on them, "
            f"{index['outside_labels'].sum()} zones named from outside")
