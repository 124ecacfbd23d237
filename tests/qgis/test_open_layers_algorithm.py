"""Layers open well: official look, Vietnamese forms, groups, a legend of what is present, nothing invisible."""

import shutil
import sqlite3
from pathlib import Path

import pytest
from qgis.core import (
    QgsCategorizedSymbolRenderer,
    QgsExpression,
    QgsExpressionContext,
    QgsExpressionContextUtils,
    QgsMapLayerLegendUtils,
    QgsProcessingContext,
    QgsProcessingException,
    QgsProcessingFeedback,
    QgsProject,
    QgsVectorLayer,
)
from quyhoach.processing_algorithms.common.language import speaking
from quyhoach.processing_algorithms.common.qgis_algorithm import ROOMS
from quyhoach.processing_algorithms.common.qgis_open_layers import add_to_project, open_layers
from quyhoach.processing_algorithms.provincial_database.stored_tables import stored_tables

TOWN = Path(__file__).resolve().parents[2] / "data_samples" / "town.gpkg"


@pytest.fixture
def opened():
    """The zones and parcels of the sample, in a project of their own."""
    project = QgsProject()
    layers = open_layers(str(TOWN), stored_tables(str(TOWN), "zone, parcel, road, dyke"))
    add_to_project(project, layers, ROOMS, "Mẫu")
    yield project, {one.table.name: one for one in layers}
    project.clear()


def test_legend_has_what_is_present_and_symbols_for_all(opened):
    project, layers = opened
    zone = layers["zone"].layer
    with sqlite3.connect(TOWN) as database:
        codes = {code for (code,) in database.execute("SELECT DISTINCT function_code FROM zone")}
    node = project.layerTreeRoot().findLayer(zone.id())
    categories = zone.renderer().categories()
    shown = {categories[at].value() for at in QgsMapLayerLegendUtils.legendNodeOrder(node)}
    assert shown == codes and len(categories) > len(codes)


def test_a_code_without_a_symbol_is_drawn_and_told(opened):
    _, layers = opened
    # data_samples/README.md: one parcel bears the code DDX, which the law does not know.
    assert [(code.value, code.count) for code in layers["parcel"].unknown_codes] == [("DDX", 1)]
    renderer = layers["parcel"].layer.renderer()
    added = renderer.categories()[renderer.categoryIndexForValue("DDX")]
    assert added.symbol().color().name() == "#ff00c8" and "DDX" in added.label()
    assert not layers["zone"].unknown_codes


def test_missing_codes_where_a_style_has_no_others(tmp_path):
    place = tmp_path / "đường.gpkg"
    shutil.copy(TOWN, place)
    with sqlite3.connect(place) as database:
        for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'road'").fetchall():
            database.execute(f'DROP TRIGGER "{name}"')
        database.execute("UPDATE road SET road_class = NULL WHERE fid = 1")
        database.execute("UPDATE road SET road_class = 'o''x' WHERE fid = 2")
    database.close()
    (road,) = open_layers(str(place), stored_tables(str(place), "road"))
    assert [(code.value, code.count) for code in road.unknown_codes] == [("", 1), ("o'x", 1)]
    assert {category.symbol().color().name() for category in road.layer.renderer().categories()[-2:]} == {"#ff00c8"}


def test_groups_scales_labels_and_vietnamese_forms(opened):
    project, layers = opened
    top = project.layerTreeRoot().children()[0]
    assert top.name() == "Mẫu" and {group.name() for group in top.children()} == {
        "Phòng, chống thiên tai", "Mạng lưới giao thông", "Sử dụng đất", "Quy hoạch đô thị và nông thôn"}
    parcel = layers["parcel"].layer
    assert parcel.hasScaleBasedVisibility() and parcel.minimumScale() == 25_000 and parcel.labelsEnabled()
    position = parcel.fields().lookupField("land_code")
    assert parcel.attributeAlias(position) == "Loại đất" and parcel.editorWidgetSetup(position).type() == "ValueMap"
    assert layers["dyke"].layer.name() == "Đê"


def test_map_tip_speaks_of_the_feature(opened):
    _, layers = opened
    zone = layers["zone"].layer
    feature = next(zone.getFeatures("\"zone_code\" = 'NO-01'"))
    context = QgsExpressionContext(QgsExpressionContextUtils.globalProjectLayerScopes(zone))
    context.setFeature(feature)
    text = QgsExpression.replaceExpressionText(zone.mapTipTemplate(), context)
    assert "Ký hiệu ô, lô</td><td>NO-01" in text and "NO - " in text and "[%" not in text


def test_english_interface_gets_english_names_and_legend():
    with speaking("en"):
        (zone,) = open_layers(str(TOWN), stored_tables(str(TOWN), "zone"))
    assert zone.layer.name() == "Zone of a plan" and isinstance(zone.layer.renderer(), QgsCategorizedSymbolRenderer)
    assert all(category.label().isascii() for category in zone.layer.renderer().categories() if category.value())


def test_algorithm_writes_a_project_and_a_table(run, tmp_path):
    target = tmp_path / "dự án.qgz"
    result = run("quyhoach:openlayers", {"INPUT": str(TOWN), "DATASETS": "Thửa đất; zone; land_use", "PROJECT": str(target),
                                         "OUTPUT": "memory:"})
    assert result["LAYER_COUNT"] == 4 and result["UNKNOWN_CODES"] == 2  # DDX, and HNK1 in land use
    lines = {(row["layer"], row["unknown_code"]) for row in result["OUTPUT"].getFeatures()}
    assert ("land_use_2025", "HNK1") in lines and ("parcel", "DDX") in lines
    project = QgsProject()
    assert project.read(str(target)) and len(project.mapLayers()) == 4
    assert all(layer.isValid() for layer in project.mapLayers().values())
    project.clear()


def test_layers_are_loaded_in_groups(tmp_path):
    from qgis.core import QgsApplication

    context, feedback, project = QgsProcessingContext(), QgsProcessingFeedback(), QgsProject()
    context.setProject(project)
    algorithm = QgsApplication.processingRegistry().createAlgorithmById("quyhoach:openlayers")
    _, ok = algorithm.run({"INPUT": str(TOWN), "DATASETS": "zone,road"}, context, feedback)
    assert ok, feedback.textLog()
    details = context.layersToLoadOnCompletion()
    assert {one.groupName for one in details.values()} == {"Mạng lưới giao thông", "Quy hoạch đô thị và nông thôn"}
    assert all(isinstance(context.getMapLayer(identity), QgsVectorLayer) for identity in details)


def test_a_working_copy_opens_by_the_names_it_gave(run, tmp_path):
    hub, copy = str(tmp_path / "tỉnh.gpkg"), str(tmp_path / "xã.gpkg")
    run("quyhoach:hubcreate", {"CRS": "EPSG:9214", "NAME": "Thử", "HUB": hub})
    run("quyhoach:hubimport", {"HUB": hub, "DATASET": "zone", "INPUT": f"{TOWN}|layername=zone"})
    run("quyhoach:checkout", {"HUB": hub, "DATASETS": "zone, plan", "WORKING_COPY": copy})
    assert [table.name for table in stored_tables(copy)] == ["plan", "zone"]
    result = run("quyhoach:openlayers", {"INPUT": copy})
    assert result["LAYER_COUNT"] == 2


@pytest.mark.parametrize(("asked", "words"), [
    ({"INPUT": str(TOWN), "DATASETS": "zone, ao hồ, xx"}, ["ao hồ", "xx", "administrative_unit"]),
    ({"INPUT": "/không/có.gpkg"}, ["Không có tệp"]), ({"INPUT": __file__}, ["không phải là tệp GeoPackage"])])
def test_what_is_not_there_is_refused(run, asked, words):
    with pytest.raises(QgsProcessingException) as refused:
        run("quyhoach:openlayers", asked)
    assert all(word in str(refused.value) for word in words)


def test_results_are_styled_run_after_run(tmp_path):
    """QGIS deletes a post-processor with the context of its run: the next run needs one of its own."""
    from qgis.core import QgsApplication, QgsProcessingOutputLayerDefinition

    for number in (1, 2):
        context, feedback = QgsProcessingContext(), QgsProcessingFeedback()
        project = QgsProject()
        context.setProject(project)
        algorithm = QgsApplication.processingRegistry().createAlgorithmById("quyhoach:parcelzoning")
        target = QgsProcessingOutputLayerDefinition(str(tmp_path / f"{number}.gpkg"), project)
        results, ok = algorithm.run({"PARCELS": f"{TOWN}|layername=parcel_override", "ZONES": f"{TOWN}|layername=zone",
                                     "ZONE_FIELD": "function_code", "SCALE": 500, "OUTPUT": target}, context, feedback)
        assert ok, feedback.textLog()
        (details,) = context.layersToLoadOnCompletion().values()
        layer = context.takeResultLayer(results["OUTPUT"]) or QgsVectorLayer(results["OUTPUT"], "", "ogr")
        details.postProcessor().postProcessLayer(layer, context, feedback)
        assert layer.renderer().type() == "RuleRenderer"
        del details, context
